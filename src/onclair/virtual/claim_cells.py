"""Exact figures of a claim whose predictions are written with three decimals: sums over the thousand values they can take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.canonical import plain_float
from onclair.science.statistics.glm import cloglog, logistic, with_intercept

Floats = npt.NDArray[np.float64]

#: The values that a written risk takes: never 0, never 1.
RISKS: Floats = np.arange(1, 1000) / 1000


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The joint law of a written risk and the outcome.

    Attributes
    ----------
    event, other : ndarray, float64, shape (999,)
        Probability of each value of `RISKS` together with the event, and without it; they sum to 1.
    """

    event: Floats
    other: Floats


def written(risk: npt.ArrayLike) -> Floats:
    """Return risks as they are written: three decimals, from 0.001 to 0.999.

    Examples
    --------
    >>> written([0.12345, 1.0, 0.0]).tolist()
    [0.123, 0.999, 0.001]
    """
    return np.asarray(np.clip(np.round(np.asarray(risk, dtype=np.float64), 3), 0.001, 0.999))


def edges() -> Floats:
    """Return the 1,000 ends of the cells on the scale of the risk: 0, 0.0015, 0.0025, ..., 0.9985, 1.

    Examples
    --------
    >>> edges()[:3].tolist(), edges().size
    ([0.0, 0.0015, 0.0025], 1000)
    """
    return np.concatenate([[0.0], np.arange(1, 999) / 1000 + 0.0005, [1.0]])


def normal_cells(ends: Floats, mean: npt.ArrayLike, sd: float) -> Floats:
    """Return the probability of each cell when a normal variable is cut at `ends`.

    Parameters
    ----------
    ends : ndarray, shape (1000,)
        On the variable's scale, increasing, from -inf to inf.
    mean : array_like, shape ()  or (m,)
    sd : float

    Returns
    -------
    ndarray, shape (999,) or (m, 999)

    Examples
    --------
    >>> cells = normal_cells(np.array([-np.inf, 0.0, np.inf]), 0.0, 1.0)
    >>> cells.tolist()
    [0.5, 0.5]
    """
    return np.asarray(np.diff(special.ndtr((ends - np.asarray(mean, dtype=np.float64)[..., None]) / sd), axis=-1))


def cell_auc(event: Floats, other: Floats) -> float:
    """Return the AUC of a discrete score, ties counted one half: ``sum P1(k) (P0(<k) + P0(k) / 2)``.

    Examples
    --------
    >>> cell_auc(np.array([0.25, 0.75]), np.array([0.75, 0.25]))
    0.75
    """
    below = np.cumsum(other) - other
    return float((event * (below + other / 2)).sum() / (event.sum() * other.sum()))


def binary_figures(cells: Cells, thresholds: Sequence[float] = ()) -> dict[str, float | None]:
    """Return the exact figures of written risks: ``prevalence auc brier ipa o_e citl slope`` and ``nb@T``.

    Figures that one class does not allow are None.

    Examples
    --------
    A risk that is right for everyone:

    >>> event = RISKS / 999
    >>> found = binary_figures(Cells(event, 1 / 999 - event), [0.5])
    >>> [round(found[name], 9) for name in ("o_e", "citl", "slope")]
    [1.0, 0.0, 1.0]
    """
    event, other = cells.event, cells.other
    prevalence = float(event.sum())
    brier = float((event * (1 - RISKS) ** 2 + other * RISKS**2).sum())
    found: dict[str, float | None] = {"prevalence": prevalence, "brier": brier, "o_e": prevalence / float(((event + other) * RISKS).sum())}
    both = 0 < prevalence < 1
    found["auc"] = cell_auc(event, other) if both else None
    found["ipa"] = 1 - brier / (prevalence * (1 - prevalence)) if both else None
    found["citl"], found["slope"] = _recalibrated(cells) if both else (None, None)
    for t in thresholds:
        flagged = t <= RISKS
        found[f"nb@{t:g}"] = float(event[flagged].sum() - other[flagged].sum() * t / (1 - t))
        found[f"nb:all@{t:g}"] = prevalence - (1 - prevalence) * t / (1 - t)
    return found


def pseudo_figures(cells: Cells) -> dict[str, float | None]:
    """Return `a` of ``cloglog P = a + cloglog p`` and `b` of ``cloglog P = c + b cloglog p``, the limits of the fits to pseudo-values.

    Examples
    --------
    >>> event = RISKS / 999
    >>> [round(value, 6) for value in pseudo_figures(Cells(event, 1 / 999 - event)).values()]
    [0.0, 1.0]
    """
    mass = cells.event + cells.other
    held = mass > 0
    x = np.log(-np.log1p(-RISKS[held]))
    share, weights = cells.event[held] / mass[held], mass[held]
    large = cloglog(np.ones((x.size, 1)), share, offset=x, weights=weights)
    both = cloglog(with_intercept(x), share, weights=weights)
    return {"pseudo_intercept": plain_float(large.coefficients[0]), "pseudo_slope": plain_float(both.coefficients[1])}


def _recalibrated(cells: Cells) -> tuple[float | None, float | None]:
    """Return calibration in the large and slope: weighted logistic fits on the cells."""
    lp = special.logit(np.concatenate([RISKS, RISKS]))
    truth, weights = np.repeat([1.0, 0.0], RISKS.size), np.concatenate([cells.event, cells.other])
    large = logistic(np.ones((lp.size, 1)), truth, offset=lp, weights=weights)
    both = logistic(with_intercept(lp), truth, weights=weights)
    return plain_float(large.coefficients[0]), plain_float(both.coefficients[1])
