"""Risks that compete: the cumulative incidence of one cause (Aalen-Johansen), how each row moves it, and pseudo-values.

A row's *contribution* is the derivative of the figure with respect to that row's weight (the infinitesimal jackknife):
contributions sum to zero, their squares to the variance. Without competing events the incidence is ``1 - Kaplan-Meier``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeIncidence:
    """The probability of one cause by each time, others competing: a step function, 0 before the first time.

    Attributes
    ----------
    time : ndarray, float64, shape (k,)
        Every distinct follow-up time, rising.
    incidence : ndarray, float64, shape (k,)
        Of the cause, from each time on.
    free : ndarray, float64, shape (k,)
        The probability of no event of any cause, from each time on.
    """

    time: Floats
    incidence: Floats
    free: Floats

    def at(self, times: npt.ArrayLike) -> Floats:
        """Return the incidence at `times`, jumps at them included; flat beyond the last, which is known only where `free` is 0.

        Examples
        --------
        >>> aalen_johansen([1.0, 2.0, 3.0], [1, 2, 1]).at([0.5, 1.0, 2.5]).round(3)
        array([0.   , 0.333, 0.333])
        """
        levels = np.append(0.0, self.incidence)
        return np.asarray(levels[np.searchsorted(self.time, np.asarray(times, dtype=np.float64), side="right")])


@dataclass(frozen=True, slots=True, eq=False)
class TimeOrder:
    """Rows sorted once by time, so that an incidence under any row weights costs one pass.

    Attributes
    ----------
    order : ndarray, int64, shape (n,)
        Rows from the shortest follow-up to the longest.
    starts : ndarray, int64, shape (k + 1,)
        Where each run of equal times begins in that order, and `n`.
    kind : ndarray, int64, shape (n,)
        In that order: 0 censored, 1 the cause, 2 any other event.
    runs : int
        Runs of equal times that lie at or before the horizon.
    touches : bool
        Whether the last of them lies at the horizon itself.
    """

    order: Ints
    starts: Ints
    kind: Ints
    runs: int
    touches: bool


def aalen_johansen(
    time: npt.ArrayLike, event: npt.ArrayLike, *, cause: int = 1, weights: npt.ArrayLike | None = None
) -> CumulativeIncidence:
    """Return the Aalen-Johansen estimate of the cumulative incidence of one cause.

    Parameters
    ----------
    time : array_like, shape (n,)
        Follow-up, finite, in any one unit.
    event : array_like, shape (n,)
        0 censored; every other value is an event, `cause` the one of interest.
    cause : int
    weights : array_like, shape (n,), optional
        Non-negative count of each row.

    Returns
    -------
    CumulativeIncidence

    Raises
    ------
    BadInput
        For no rows, lengths that differ, a value that is not finite or a negative weight.

    References
    ----------
    Aalen & Johansen 1978, Scand J Stat 5:141-150; Putter et al. 2007, eq. 5, doi:10.1002/sim.2712.

    Examples
    --------
    Of four, one dies of the cause, one of another, one leaves, and the last dies of the cause: 1/4, then 1/2 more.

    >>> curve = aalen_johansen([1.0, 2.0, 3.0, 4.0], [1, 2, 0, 1])
    >>> curve.incidence, curve.free
    (array([0.25, 0.25, 0.25, 0.75]), array([0.75, 0.5 , 0.5 , 0.  ]))
    """
    followed, counts = _checked(time, event, weights)
    ordered = time_order(followed, event, cause=cause)
    own, others, at_risk = _tables(ordered, counts)
    total = own + others
    free = np.cumprod(1.0 - np.divide(total, at_risk, out=np.zeros_like(total), where=total > 0))
    before = np.append(1.0, free[:-1])
    jumps = before * np.divide(own, at_risk, out=np.zeros_like(own), where=own > 0)
    distinct = followed[ordered.order[ordered.starts[:-1]]]
    return CumulativeIncidence(distinct, np.asarray(np.cumsum(jumps), dtype=np.float64), np.asarray(free, dtype=np.float64))


def time_order(time: npt.ArrayLike, event: npt.ArrayLike, horizon: float = np.inf, *, cause: int = 1) -> TimeOrder:
    """Return rows sorted once for :func:`incidence` and :func:`incidence_influence`.

    Parameters
    ----------
    time, event, cause
        As :func:`aalen_johansen`.
    horizon : float
        In the unit of time; incidences are those at it.

    Returns
    -------
    TimeOrder

    Raises
    ------
    BadInput
        As :func:`aalen_johansen`.

    Examples
    --------
    >>> ordered = time_order([3.0, 1.0, 3.0], [1, 2, 0], 2.0)
    >>> ordered.order, ordered.starts, ordered.kind, ordered.runs, ordered.touches
    (array([1, 0, 2]), array([0, 1, 3]), array([2, 1, 0]), 1, False)
    """
    followed, _ = _checked(time, event, None)
    order = np.argsort(followed, kind="stable").astype(np.int64)
    ranked, seen = followed[order], np.asarray(event)[order]
    starts = np.append(np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])), ranked.size).astype(np.int64)
    kind = np.where(seen == cause, 1, np.where(seen != 0, 2, 0)).astype(np.int64)
    distinct = ranked[starts[:-1]]
    return TimeOrder(order, starts, kind, int(np.searchsorted(distinct, horizon, side="right")), bool((distinct == horizon).any()))


def incidence(ordered: TimeOrder, weights: npt.ArrayLike) -> tuple[float, bool]:
    """Return the incidence at the horizon when row `i` counts ``weights[i]`` times, and whether follow-up reaches that far.

    Follow-up falls short when the last row that counts leaves, censored, before the horizon: the incidence is then that at
    its time.

    Parameters
    ----------
    ordered : TimeOrder
    weights : array_like, shape (n,)
        Non-negative, in the order of the rows that were sorted; 0 leaves a row out.

    Examples
    --------
    >>> ordered = time_order([1.0, 2.0, 3.0], [1, 0, 1], 2.5)
    >>> incidence(ordered, [1, 1, 2]), incidence(ordered, [1, 1, 0])
    ((0.25, True), (0.5, False))
    """
    rows = ordered.order, ordered.starts, ordered.kind
    value, reached = _incidence(*rows, ordered.runs, ordered.touches, np.asarray(weights, dtype=np.float64))
    return float(value), bool(reached)


def incidence_influence(ordered: TimeOrder, weights: npt.ArrayLike | None = None) -> tuple[float, Floats]:
    """Return the incidence at the horizon and each row's contribution to it.

    Parameters
    ----------
    ordered : TimeOrder
    weights : array_like, shape (n,), optional
        As :func:`incidence`; by default every row counts once.

    Returns
    -------
    value : float
    contributions : ndarray, float64, shape (n,)
        Of one unit of each row's weight, in the order of the rows that were sorted; ``weights * contributions`` sum to zero, and
        their squares to the variance that R's ``survfit`` calls robust.

    References
    ----------
    Gray 1988, doi:10.1214/aos/1176350951; Jaeckel 1972 for the infinitesimal jackknife.

    Examples
    --------
    Without censoring the variance is that of a share, 1/2 * 1/2 / 4:

    >>> value, parts = incidence_influence(time_order([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 2], 5.0))
    >>> value, parts, float(parts @ parts)
    (0.5, array([ 0.125, -0.125,  0.125, -0.125]), 0.0625)
    """
    counts = np.ones(ordered.order.size) if weights is None else np.asarray(weights, dtype=np.float64)
    value, parts = _incidence_influence(ordered.order, ordered.starts, ordered.kind, ordered.runs, counts)
    return float(value), np.asarray(parts, dtype=np.float64)


def pseudo_values(
    time: npt.ArrayLike, event: npt.ArrayLike, horizon: float, *, cause: int = 1, weights: npt.ArrayLike | None = None
) -> Floats:
    """Return the pseudo-value of each row, ``n F - (n - 1) F(without the row)``, of the incidence F at the horizon.

    What a regression can take for the outcome of every row, censored ones too. All leave-one-out curves are had in two
    passes: without row `i` each time up to its own has one fewer at risk, and what comes after is only scaled.

    Parameters
    ----------
    time, event, cause
        As :func:`aalen_johansen`.
    horizon : float
        In the unit of time.
    weights : array_like, shape (n,), optional
        How often each row stands in the table, whole numbers; the pseudo-value is that of one of its copies.

    Returns
    -------
    ndarray, float64, shape (n,)
        May lie outside [0, 1]; NaN for a row that counts 0 times. 0 or 1 where nobody is censored.

    Raises
    ------
    BadInput
        As :func:`aalen_johansen`, and for a weight that is no whole number.

    References
    ----------
    Andersen, Klein & Rosthoj 2003, doi:10.1093/biomet/90.1.15; Klein & Andersen 2005, doi:10.1111/j.0006-341X.2005.031209.x.

    Examples
    --------
    Nobody leaves, so each row is known:

    >>> pseudo_values([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 2], 3.5).round(9)
    array([1., 0., 1., 0.])
    """
    _, counts = _checked(time, event, weights)
    if (counts != np.floor(counts)).any():
        raise BadInput("A weight of a pseudo-value is no whole number; it says how often the row stands in the table.")
    ordered = time_order(time, event, horizon, cause=cause)
    own, others, at_risk = (table[: ordered.runs] for table in _tables(ordered, counts))
    total, n = own + others, float(counts.sum())
    run = np.repeat(np.arange(ordered.starts.size - 1), np.diff(ordered.starts))
    without = _without_one(own, total, at_risk, run, ordered.kind)
    value = incidence(ordered, counts)[0]
    found = np.empty(counts.size)
    found[ordered.order] = n * value - (n - 1) * without
    return np.asarray(np.where(counts > 0, found, np.nan), dtype=np.float64)


def _without_one(own: Floats, total: Floats, at_risk: Floats, run: Ints, kind: Ints) -> Floats:
    """Return the incidence at the horizon without each row, rows sorted by time; tables (runs,) up to the horizon."""
    fewer = at_risk - 1.0
    free, cumulated = _product(own, total, fewer)
    whole_free, whole = _product(own, total, at_risk)
    last = own.size
    place = np.minimum(run, last)
    inside = run < last
    at = np.minimum(run, max(last - 1, 0))
    if last == 0:
        return np.zeros(run.size)
    # at the row's own time it is neither at risk nor an event; what follows keeps its course from where that leaves it
    lost = inside & (kind > 0)
    left = np.divide(1.0, fewer[at], out=np.zeros(run.size), where=fewer[at] > 0)
    jump = free[place] * (own[at] - (lost & (kind == 1))) * left
    stays = free[place] * (1.0 - (total[at] - lost) * left)
    after = np.append(whole_free, whole_free[-1])[at + 1]
    rest = np.divide(stays, after, out=np.zeros(run.size), where=after > 0) * (whole[-1] - whole[at + 1])
    return np.asarray(np.where(inside, cumulated[place] + jump + rest, cumulated[-1]), dtype=np.float64)


def _product(own: Floats, total: Floats, at_risk: Floats) -> tuple[Floats, Floats]:
    """Return event-free probability and incidence before the first run and after each, of shape (runs + 1,)."""
    share = np.divide(1.0, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
    free = np.append(1.0, np.cumprod(1.0 - total * share))
    return free, np.append(0.0, np.cumsum(free[:-1] * own * share))


def _tables(ordered: TimeOrder, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the weight of own events, other events and rows at risk at each distinct time."""
    weight, first = counts[ordered.order], ordered.starts[:-1]
    own = np.add.reduceat(np.where(ordered.kind == 1, weight, 0.0), first)
    others = np.add.reduceat(np.where(ordered.kind == 2, weight, 0.0), first)
    everyone = np.add.reduceat(weight, first)
    return own, others, np.asarray(np.cumsum(everyone[::-1])[::-1], dtype=np.float64)


def _checked(time: npt.ArrayLike, event: npt.ArrayLike, weights: npt.ArrayLike | None) -> tuple[Floats, Floats]:
    followed, seen = np.asarray(time, dtype=np.float64), np.asarray(event)
    counts = np.ones(followed.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    if followed.ndim != 1 or not followed.size or seen.shape != followed.shape or counts.shape != followed.shape:
        raise BadInput(f"Times have shape {followed.shape}, events {seen.shape} and weights {counts.shape}; give one of each a row.")
    if not np.isfinite(followed).all() or not np.isfinite(counts).all() or (counts < 0).any():
        raise BadInput("A follow-up time or weight is NaN, infinite or a negative weight; correct or drop such rows.")
    return followed, counts


@numba.njit(cache=True)
def _incidence(order: Ints, starts: Ints, kind: Ints, runs: int, touches: bool, weights: Floats) -> tuple[float, bool]:
    at_risk = 0.0
    for i in range(order.size):
        at_risk += weights[order[i]]
    tiny = 1e-12 * at_risk
    free, found = 1.0, 0.0
    for g in range(runs):
        own = total = leaving = 0.0
        for i in range(starts[g], starts[g + 1]):
            w = weights[order[i]]
            leaving += w
            if kind[i] > 0:
                total += w
            if kind[i] == 1:
                own += w
        if total > 0:
            found += free * own / at_risk
            free = free * (1.0 - total / at_risk) if at_risk - total > tiny else 0.0
        at_risk -= leaving
        if at_risk <= tiny:
            return found, free == 0.0 or (touches and g == runs - 1)
    return found, True


@numba.njit(cache=True)
def _incidence_influence(order: Ints, starts: Ints, kind: Ints, runs: int, weights: Floats) -> tuple[float, Floats]:
    at_risk = np.zeros(runs)
    own = np.zeros(runs)
    total = np.zeros(runs)
    remaining = 0.0
    for i in range(order.size):
        remaining += weights[order[i]]
    tiny = 1e-12 * remaining
    for g in range(runs):
        at_risk[g] = remaining if remaining > tiny else 0.0
        for i in range(starts[g], starts[g + 1]):
            w = weights[order[i]]
            remaining -= w
            total[g] += w if kind[i] > 0 else 0.0
            own[g] += w if kind[i] == 1 else 0.0
    free = np.ones(runs + 1)
    found = np.zeros(runs + 1)
    for g in range(runs):
        share = 1.0 / at_risk[g] if at_risk[g] > 0 else 0.0
        found[g + 1] = found[g] + free[g] * own[g] * share
        free[g + 1] = free[g] * (1.0 - total[g] * share) if at_risk[g] - total[g] > tiny else 0.0
    parts = np.zeros(order.size)
    drift = 0.0
    for g in range(runs):
        # dF = sum over times of free- dlambda_1 - dlambda / (1 - lambda) (F(horizon) - F), lambda the hazards of that time
        share = 1.0 / at_risk[g] if at_risk[g] > 0 else 0.0
        stays = 1.0 - total[g] * share
        rest = (found[runs] - found[g + 1]) / stays if free[g + 1] > 0 else 0.0
        drift += share * share * (free[g] * own[g] - rest * total[g])
        for i in range(starts[g], starts[g + 1]):
            gain = free[g] if kind[i] == 1 else 0.0
            loss = rest if kind[i] > 0 else 0.0
            parts[order[i]] = share * (gain - loss) - drift
    for i in range(starts[runs], order.size):
        parts[order[i]] = -drift
    return found[runs], parts
