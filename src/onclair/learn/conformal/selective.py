"""What is gained by answering only when sure: the risk-coverage curve and the area under it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.bootstrap import Map, bootstrap

Floats = npt.NDArray[np.float64]

#: What the estimate is called; rename it with ``dataclasses.replace`` for another model.
NAME = "aurc:model"
#: Said where the interval of the area does not hold it: it is not stretched.
ASTRAY = "the percentile interval does not hold the figure: patients drawn twice tie with themselves, which moves the area"
#: Difference that rounding alone may leave between the area and the end of its interval.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """The mean loss among the cases answered, as fewer and fewer are answered.

    Attributes
    ----------
    coverage : ndarray, float64, shape (m,)
        Shares of cases answered, rising, up to 1; one for each distinct confidence.
    risk : ndarray, float64, shape (m,)
        Mean loss among them.
    area : float
        AURC: the mean over k = 1..n of the mean loss of the k surest cases, ties in confidence in any order.
    excess : float
        AURC above that of the best order, in which the losses themselves rise.
    """

    coverage: Floats
    risk: Floats
    area: float
    excess: float


def risk_coverage(confidence: npt.ArrayLike, loss: npt.ArrayLike) -> RiskCoverage:
    """Return the risk-coverage curve.

    Parameters
    ----------
    confidence : array_like, shape (n,)
        Larger is surer, for example the distance of a risk from one half; only its order counts.
    loss : array_like, shape (n,)
        0 or 1 for right and wrong, or any loss of 0 or more.

    Returns
    -------
    RiskCoverage
        Cases that tie share their mean loss, which is the expectation over their orders.

    Raises
    ------
    BadInput
        For unequal lengths, no rows, a confidence that is NaN or a loss that is negative or not finite.

    References
    ----------
    El-Yaniv & Wiener 2010, https://jmlr.org/papers/v11/el-yaniv10a.html; Geifman, Uziel & El-Yaniv 2019 (AURC and its excess),
    doi:10.48550/arXiv.1805.08206.

    Examples
    --------
    The least sure of four is wrong: (0 + 0 + 0 + 1/4) / 4.

    >>> curve = risk_coverage([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 1])
    >>> curve.area, curve.excess, curve.risk.tolist()
    (0.0625, 0.0, [0.0, 0.0, 0.0, 0.25])
    """
    sure, lost = _checked(confidence, loss)
    ready, ones = _ordered(sure, lost), np.ones(lost.size)
    area, best = _area(ready, ones), _area(_ordered(-lost, lost), ones)
    _, ends, ranked = ready
    answered = ends + 1.0
    return RiskCoverage(answered / lost.size, np.cumsum(ranked)[ends] / answered, area, max(0.0, area - best))


def aurc(
    confidence: npt.ArrayLike,
    loss: npt.ArrayLike,
    patients: npt.ArrayLike,
    *,
    replicates: int = 2000,
    seed: int = 1,
    map: Map = map,  # noqa: A002
) -> Estimate:
    """Return the area under the risk-coverage curve with a percentile bootstrap over patients; arguments as :func:`risk_coverage`.

    Parameters
    ----------
    confidence, loss : array_like, shape (n,)
    patients : array_like, shape (n,)
        Drawn whole.
    replicates, seed : int
    map : callable
        ``map(function, units)``, as :func:`onclair.science.statistics.bootstrap.bootstrap` takes it.

    Returns
    -------
    Estimate
        Without interval, status ``too_few``, where there is one patient; ``not_available`` without rows. A percentile interval that
        does not hold the figure is given as it is, and the reason says so.

    Raises
    ------
    BadInput
        As :func:`risk_coverage`.

    Examples
    --------
    >>> aurc([0.9, 0.8, 0.7, 0.6], [0, 0, 0, 1], list("abcd"), replicates=50).value
    0.0625
    """
    if np.asarray(loss).size == 0:
        return not_available(NAME, "there is no row to rank")
    sure, lost = _checked(confidence, loss)
    names = np.asarray(patients)
    if names.shape != lost.shape:
        raise BadInput(f"{names.size} patients were named for {lost.size} rows; name the patient of each row.")
    ready = _ordered(sure, lost)
    value, count = _area(ready, np.ones(lost.size)), len(np.unique(names))
    if count < 2:
        return Estimate(NAME, value, n=count, status="too_few", reason="one patient gives no interval", method="Geifman 2019")
    drawn = bootstrap(functools.partial(_area, ready), names, replicates, seed=seed, map=map)
    low, high = (float(end[0]) for end in drawn.interval())
    method = f"mean selective loss over all coverages (Geifman 2019), ties shared; percentile bootstrap of {replicates} over patients"
    reason = None if low - ROUNDING <= value <= high + ROUNDING else ASTRAY
    return Estimate(NAME, value, low=low, high=high, se=float(drawn.standard_error()[0]), n=count, method=method, reason=reason)


_Order = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]


def _ordered(confidence: Floats, loss: Floats) -> _Order:
    """Return the order from sure to unsure, the last position of each run of ties, and the losses in that order."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    return order, ends, loss[order]


def _area(ready: _Order, weights: Floats) -> float:
    """Return AURC when row i counts ``weights[i]`` times.

    Within a run of w ties of mean loss m after C cases of summed loss S, the expected mean losses are (S + j m) / (C + j), j = 1..w; their
    sum is ``w m + (S - m C) (H(C + w) - H(C))`` with the harmonic numbers H.
    """
    order, ends, lost = ready
    counts = weights[order]
    cases = np.cumsum(counts)[ends]
    summed = np.cumsum(counts * lost)[ends]
    before, lost_before = np.append(0.0, cases[:-1]), np.append(0.0, summed[:-1])
    run = cases - before
    mean = (summed - lost_before) / np.where(run > 0, run, 1.0)
    harmonic = special.digamma(cases + 1) - special.digamma(before + 1)
    return float((run * mean + (lost_before - mean * before) * harmonic).sum() / cases[-1]) if cases[-1] > 0 else float("nan")


def _checked(confidence: npt.ArrayLike, loss: npt.ArrayLike) -> tuple[Floats, Floats]:
    sure, lost = np.asarray(confidence, dtype=np.float64), np.asarray(loss, dtype=np.float64)
    if sure.ndim != 1 or sure.shape != lost.shape or not sure.size:
        raise BadInput(f"Confidences {sure.shape} and losses {lost.shape} do not pair; give one of each a row, at least one row.")
    if np.isnan(sure).any() or not (np.isfinite(lost) & (lost >= 0)).all():
        raise BadInput("A confidence is NaN, or a loss is negative or not finite; drop those rows.")
    return sure, lost
