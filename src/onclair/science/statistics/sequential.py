"""Group-sequential boundaries: how large |z| must be at each look so that all looks together err in a share alpha.

Statistics at information t_1 < ... < t_K are a Brownian motion seen at those times, z_k = B(t_k) / sqrt(t_k), so the probability of
passing a boundary is a chain of one-dimensional integrals over independent increments (Armitage, McPherson & Rowe 1969,
doi:10.2307/2343787), done here by Gauss-Legendre quadrature between the boundaries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean

Floats = npt.NDArray[np.float64]

#: |z| beyond which the density of a look counts as nothing (1e-19).
_FAR = 9.0
#: Nodes per standard deviation of an increment, and the fewest of a look: doubling both changes no boundary by 1e-10.
_DENSITY, _FEWEST = 4, 64
#: The least growth of information from look to look; a nearer look brings nothing that quadrature could tell.
_GROWTH = 1e-3
#: The largest boundary searched for; a share too small for it (1e-300) cannot be spent.
_LARGEST = 37.0

_SHAPES: Mapping[str, float] = {"obrien-fleming": 0.5, "pocock": 0.0}


def _like_obrien_fleming(share: float, side: float) -> float:
    """Lan & DeMets 1983, alpha_1: ``2 - 2 Phi(z / sqrt(t))``, z the upper point of half a side's alpha."""
    return float(2 * special.ndtr(special.ndtri(side / 2) / np.sqrt(share)))


def _like_pocock(share: float, side: float) -> float:
    """Lan & DeMets 1983, alpha_2: ``alpha ln(1 + (e - 1) t)``."""
    return float(side * np.log1p((np.e - 1) * share))


_SPENT: Mapping[str, Callable[[float, float], float]] = {"lan-demets-obf": _like_obrien_fleming, "lan-demets-pocock": _like_pocock}

#: The names of the four kinds of boundary.
SPENDING: tuple[str, ...] = (*_SHAPES, *_SPENT)


def planned_looks(looks: int) -> Floats:
    """Return equally spaced information fractions, the last 1.

    Raises
    ------
    BadSetting
        For fewer than 1 or more than 100 looks.

    Examples
    --------
    >>> planned_looks(4)
    array([0.25, 0.5 , 0.75, 1.  ])
    """
    if not 1 <= looks <= 100:
        raise BadSetting(f"{looks} looks are planned; plan between 1 and 100.", item="looks")
    return np.arange(1, looks + 1, dtype=np.float64) / looks


def boundaries(information: Sequence[float] | Floats, alpha: float, spending: str) -> Floats:
    """Return the boundary of |z| at each look.

    The classic shapes keep ``z_k = c sqrt(t_K / t_k)`` (O'Brien & Fleming) or ``z_k = c`` (Pocock), `c` found so that all looks
    together cross with probability `alpha` when the null holds. Lan & DeMets spend alpha by information, half of it a side, so that
    a boundary depends on this look and the earlier ones only; after fewer than all looks (last fraction below 1) only
    the share earned so far is spent.

    Parameters
    ----------
    information : sequence of float, shape (looks,)
        Fractions of the final information, in (0, 1], increasing.
    alpha : float
        Two-sided, in (0, 1).
    spending : {"obrien-fleming", "pocock", "lan-demets-obf", "lan-demets-pocock"}

    Returns
    -------
    ndarray, float64, shape (looks,)

    Raises
    ------
    BadSetting
        For an unknown name (the nearest is offered), an alpha outside (0, 1) or looks that do not increase within (0, 1].

    References
    ----------
    Pocock 1977, doi:10.1093/biomet/64.2.191; O'Brien & Fleming 1979, doi:10.2307/2530245; Lan & DeMets 1983,
    doi:10.1093/biomet/70.3.659.

    Examples
    --------
    >>> boundaries([0.2, 0.4, 0.6, 0.8, 1.0], 0.05, "obrien-fleming").round(3)
    array([4.562, 3.226, 2.634, 2.281, 2.04 ])

    A single look is the fixed design:

    >>> boundaries([1.0], 0.05, "pocock").round(3)
    array([1.96])
    """
    times = _checked(information, alpha, spending)
    if spending in _SHAPES:
        return np.asarray(_constant(times, alpha, _SHAPES[spending]) * (times[-1] / times) ** _SHAPES[spending], dtype=np.float64)
    return _spent(times, np.array([_SPENT[spending](t, alpha / 2) for t in times]))


def boundary_at(actual: Sequence[float] | Floats, planned: Sequence[float] | Floats, alpha: float, spending: str) -> float:
    """Return the boundary of the latest look when the looks did not fall where they were planned.

    Lan & DeMets' boundaries are recomputed from the information actually seen: alpha stays exact. The last planned look
    spends all that is left, wherever it falls. The classic ones keep the constant of the plan, at the shape's value for the
    information seen (``c / sqrt(t)`` or ``c``), until the planned information is reached; that look, whatever its number, is
    the last and spends exactly what the earlier ones left, however far it runs over.

    Parameters
    ----------
    actual : sequence of float, shape (looks so far,)
        Information at each look so far, as a fraction of the planned final information; increasing, above 0. The latest may pass 1.
    planned : sequence of float, shape (looks,)
        In (0, 1], increasing.
    alpha : float
        Two-sided, in (0, 1).
    spending : str
        As in :func:`boundaries`.

    Returns
    -------
    float

    Raises
    ------
    BadSetting
        As :func:`boundaries`, and for more looks than were planned.

    Examples
    --------
    >>> plan = [0.5, 1.0]
    >>> round(boundary_at([0.5], plan, 0.05, "lan-demets-obf"), 3), round(boundary_at([0.6], plan, 0.05, "lan-demets-obf"), 3)
    (2.963, 2.669)
    >>> final = float(boundaries(plan, 0.05, "obrien-fleming")[1])
    >>> round(boundary_at([0.6], plan, 0.05, "obrien-fleming") - final / 0.6**0.5, 9)
    0.0
    """
    plan, seen = _checked(planned, alpha, spending), _increasing(actual)
    if seen.size > plan.size:
        raise BadSetting(
            f"This would be look {seen.size} and the plan has {plan.size}; a look that was not planned is not taken.", item="look"
        )
    if spending in _SHAPES:
        return _classic_at(seen, plan, alpha, _SHAPES[spending])
    shares = np.minimum(seen, 1.0)
    if seen.size == plan.size:
        shares[-1] = 1.0
    return float(_spent(seen, np.array([_SPENT[spending](t, alpha / 2) for t in shares]))[-1])


def _classic_at(seen: Floats, plan: Floats, alpha: float, shape: float) -> float:
    """Return a classic boundary at the latest look; once the planned information is reached, what spends the rest of alpha."""
    bounds = _constant(plan, alpha, shape) * (plan[-1] / seen) ** shape
    if seen[-1] < plan[-1]:
        return float(bounds[-1])
    if seen.size == 1:
        return float(-special.ndtri(alpha / 2))

    def excess(last: float) -> float:
        return crossing_probability([*bounds[:-1], last], seen / seen[-1]) - alpha

    return float(optimize.brentq(excess, 1e-3, 37.0, xtol=1e-10))


def crossing_probability(bounds: Sequence[float] | Floats, information: Sequence[float] | Floats) -> float:
    """Return the probability, when the null holds, that |z| reaches its boundary at one look or more.

    Parameters
    ----------
    bounds : sequence of float, shape (looks,)
        Positive; infinite where a look cannot stop.
    information : sequence of float, shape (looks,)
        Above 0, increasing; only the ratios matter.

    Raises
    ------
    BadSetting
        For lengths that differ, a boundary that is not positive, or looks that do not increase.

    References
    ----------
    Armitage, McPherson & Rowe 1969, table 2, doi:10.2307/2343787.

    Examples
    --------
    Five looks at 1.96, each "at 5 %":

    >>> round(crossing_probability([1.96] * 5, [0.2, 0.4, 0.6, 0.8, 1.0]), 3)
    0.142
    """
    times, limits = _increasing(information), np.asarray(bounds, dtype=np.float64)
    if limits.shape != times.shape:
        raise BadSetting(f"There are {limits.size} boundaries for {times.size} looks; give one a look.", item="bounds")
    if not (limits > 0).all():
        raise BadSetting(f"A boundary is {limits[~(limits > 0)][0]:g}; boundaries of |z| are above 0.", item="bounds")
    return _crossing(limits, times)


def _crossing(limits: Floats, times: Floats) -> float:
    state: _State | None = None
    crossed = 0.0
    for look, limit in enumerate(limits):
        crossed += 2 * _beyond(state, limit, times, look)
        state = _advance(state, limit, times, look)
    return min(crossed, 1.0)


def _constant(times: Floats, alpha: float, power: float) -> float:
    """Return c such that the boundaries ``c (t_K / t_k)^power`` are crossed with probability alpha."""
    shape = (times[-1] / times) ** power
    low, high = float(special.ndtri(1 - alpha / 2)) * (1 - 1e-12), float(-special.ndtri(alpha / (2 * times.size))) * (1 + 1e-12)
    if times.size == 1:
        return float(-special.ndtri(alpha / 2))
    return float(optimize.brentq(lambda c: _crossing(c * shape, times) - alpha, max(low, 1e-9), high + 1e-9, xtol=1e-11))


def _spent(times: Floats, cumulative: Floats) -> Floats:
    """Return the boundaries that spend `cumulative` (looks,) a side."""
    found: list[float] = []
    state: _State | None = None
    for look, share in enumerate(np.diff(cumulative, prepend=0.0)):
        found.append(_limit(state, float(share), times, look))
        state = _advance(state, found[-1], times, look)
    return np.array(found)


def _limit(state: _State | None, share: float, times: Floats, look: int) -> float:
    """Return the boundary beyond which a look has the probability `share` a side, the earlier ones not crossed."""
    if _beyond(state, _LARGEST, times, look) >= share:
        return _LARGEST

    def excess(limit: float) -> float:
        return float(np.log(max(_beyond(state, limit, times, look), 1e-320)) - np.log(share))

    return float(optimize.brentq(excess, 0.0, _LARGEST, xtol=1e-11))


#: Nodes z of a look, and the probability weight that each carries (density x quadrature weight), the boundaries not crossed so far.
_State = tuple[Floats, Floats]


def _beyond(state: _State | None, limit: float, times: Floats, look: int) -> float:
    """Return the probability of z >= limit at this look, none crossed before."""
    if state is None:
        return float(special.ndtr(-limit))
    z, weight = state
    step = np.sqrt(times[look] - times[look - 1])
    return float(weight @ special.ndtr((z * np.sqrt(times[look - 1]) - limit * np.sqrt(times[look])) / step))


def _advance(state: _State | None, limit: float, times: Floats, look: int) -> _State:
    """Return where z may be after this look, its boundary not crossed."""
    edge = min(limit, _FAR)
    following = times[look + 1] - times[look] if look + 1 < times.size else times[look]
    before = times[look] if look == 0 else times[look] - times[look - 1]
    narrowest = np.sqrt(min(before, following, times[look]) / times[look])
    z, w = _nodes(edge, max(_FEWEST, int(np.ceil(2 * edge * _DENSITY / narrowest))))
    if state is None:
        return z, w * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    earlier, weight = state
    step = np.sqrt(times[look] - times[look - 1])
    move = (z[:, None] * np.sqrt(times[look]) - earlier * np.sqrt(times[look - 1])) / step
    density = np.exp(-0.5 * move**2) @ weight * np.sqrt(times[look]) / step / np.sqrt(2 * np.pi)
    return z, w * density


def _nodes(edge: float, count: int) -> _State:
    """Return Gauss-Legendre nodes and weights on [-edge, edge], in panels of 32."""
    x, w = _panel()
    panels = -(-count // 32)
    half = edge / panels
    centres = -edge + half * (2 * np.arange(panels) + 1)
    return np.asarray((centres[:, None] + half * x).ravel(), dtype=np.float64), np.tile(half * w, panels)


@cache
def _panel() -> _State:
    return np.polynomial.legendre.leggauss(32)


def _checked(information: Sequence[float] | Floats, alpha: float, spending: str) -> Floats:
    if spending not in SPENDING:
        raise BadSetting(f"There is no spending '{spending}'; {did_you_mean(spending, SPENDING)}", item="spending")
    if not 0 < alpha < 1:
        raise BadSetting(f"Alpha is {alpha:g}; give the two-sided share of false alarms between 0 and 1, such as 0.05.", item="alpha")
    times = _increasing(information)
    if times[-1] > 1:
        raise BadSetting(
            f"A look is planned at the information fraction {times[-1]:g}; fractions lie above 0 and at most at 1.", item="information"
        )
    return times


def _increasing(information: Sequence[float] | Floats) -> Floats:
    times = np.asarray(information, dtype=np.float64)
    if times.ndim != 1 or not times.size:
        raise BadSetting("No look is planned; give at least one information fraction, such as 1.0.", item="information")
    if not np.isfinite(times).all() or times[0] <= 0 or (np.diff(times) <= 0).any():
        found = ", ".join(f"{t:g}" for t in times)
        raise BadSetting(f"The looks stand at the information {found}; each must be above 0 and above the one before.", item="information")
    close = np.flatnonzero(np.diff(times) < _GROWTH * times[1:])
    if close.size:
        pair = f"{times[close[0]]:g} and {times[close[0] + 1]:g}"
        raise BadSetting(
            f"Two looks stand at {pair}, nearer than a thousandth; wait for more information or leave one out.", item="information"
        )
    return times
