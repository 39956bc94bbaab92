"""How strongly a score goes with one column: rank correlation, area under the ROC curve, share between groups; each with its p-value."""

from __future__ import annotations

from dataclasses import replace
from math import factorial, inf
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.correlation import MOST_GROUPS, spearman
from onclair.science.statistics.groups import correlation_ratio, kruskal_wallis
from onclair.science.statistics.ranks import midranks, placements

Floats = npt.NDArray[np.float64]

#: Fewer patients than this, beside each other, show nothing that another ten would not undo.
FEWEST = 10
#: A group of fewer patients is shown with a caution (of two), or left out (of several): 5 is what the rank test's chi-square asks for.
FEWEST_OF_A_GROUP = 5
LEVEL = 0.95
NO_SPREAD = "the score or the column does not vary among them"


class Strength(NamedTuple):
    """A figure, and the two-sided p-value for none of it; None where there is none to be had."""

    estimate: Estimate
    p: float | None


def rank_strength(
    name: str, score: Floats, values: Floats, patients: npt.NDArray[Any] | None = None, given: Floats | None = None
) -> Strength:
    """Return Spearman's correlation of a score with an ordered column, given others where asked.

    The p-value is that of Student's t on n - k - 2 degrees of freedom for k controls, never under that of one arrangement in all
    (2 / n!); where rows repeat, that of the clustered Fisher z held against t on clusters - 1.

    Parameters
    ----------
    name : str
        Of the estimate.
    score, values : ndarray, float64, shape (n,)
        Finite.
    patients : ndarray, shape (n,), optional
        Whose row it is, where rows repeat.
    given : ndarray, float64, shape (n, k), optional
        Controls, whose ranks are taken off both sides.

    Raises
    ------
    BadInput
        For lengths that differ or NaN.

    References
    ----------
    Zar 1972, doi:10.1080/01621459.1972.10481251 (p-value); Bonett & Wright 2000, doi:10.1007/BF02294183 (interval).

    Examples
    --------
    >>> found = rank_strength("spearman:model:x", np.arange(10.0), np.array([1.0, 0, 3, 2, 5, 4, 7, 6, 9, 8]))
    >>> round(found.estimate.value, 4), round(found.p, 7)
    (0.9394, 5.48e-05)
    """
    found = spearman(score, values, given=given, clusters=patients, level=LEVEL)
    n = _people(found.n, patients)
    if np.isnan(found.value):
        return Strength(not_available(name, NO_SPREAD, n=n), None)
    free = found.n - 2 - (0 if given is None else given.shape[1])
    clustered = n < found.n
    known = Estimate(name, found.value, level=LEVEL, n=n, method=found.method)
    if not np.isfinite(found.se_z):
        whole = "the two rank these rows wholly alike or wholly opposed, so the correlation has no interval"
        known = replace(known, reason=whole if abs(found.value) > 1 - 1e-12 else f"{n} patients are too few for an interval")
        return _told(known, None if clustered else _of_t(found.value, free, found.n), "t test p = ")
    known = replace(known, low=found.low, high=found.high, se=found.se_z * (1 - found.value**2))
    if clustered:
        return _told(known, _two_sided(float(np.arctanh(found.value)) / found.se_z, min(n, MOST_GROUPS) - 1), "t test p = ")
    return _told(known, _of_t(found.value, free, found.n), "t test p = ")


def area_strength(name: str, score: Floats, high: npt.NDArray[np.bool_], said: tuple[str, str], patients: Any = None) -> Strength:
    """Return how well a score tells two groups apart: the area under the ROC curve, ties one half.

    The error is DeLong's (patients with several rows: Obuchowski's), the interval Wald's on the logit scale. The p-value is the rank
    test's (Kruskal and Wallis, here Mann and Whitney's two-sided test with ties), or where rows repeat that of the clustered area
    held against one half.

    Parameters
    ----------
    name : str
    score : ndarray, float64, shape (n,)
    high : ndarray, bool, shape (n,)
        The group in which a higher score counts as right; both present.
    said : (str, str)
        What that group and the other are called.
    patients : ndarray, shape (n,), optional

    Raises
    ------
    BadInput
        For lengths that differ, NaN, or one group only.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595; Obuchowski 1997, doi:10.2307/2533958.

    Examples
    --------
    >>> found = area_strength("auc:model:x", np.arange(10.0), np.arange(10) % 2 == 1, ("yes", "no"))
    >>> found.estimate.value, round(found.p, 4), found.estimate.method.split("; ")[0]
    (0.6, 0.6015, "AUC of 'yes' against 'no'")
    """
    n, value, se = _people(high.size, patients), *_area(score, high, patients)
    fewest = min(_people(int(side.sum()), None if patients is None else patients[side]) for side in (high, ~high))
    error = "DeLong 1988" if n == high.size else "clustered by patient, Obuchowski 1997"
    known = Estimate(name, value, level=LEVEL, n=n, events=int(high.sum()), method=f"AUC of '{said[0]}' against '{said[1]}'; {error}")
    if fewest < FEWEST_OF_A_GROUP:
        caution = f"one of the two groups has {fewest} patients; {FEWEST_OF_A_GROUP} are asked for"
        known = replace(known, status="too_few", reason=caution)
    p = _of_ranks(score, high) if n == high.size else None
    if not (0 < value < 1 and np.isfinite(se) and se > 0):
        why = "the score tells the two groups wholly apart, or its error cannot be estimated, so there is no interval"
        return _told(replace(known, reason="; ".join(filter(None, (known.reason, why)))), p, "rank test p = ")
    quantile, law = float(special.ndtri((1 + LEVEL) / 2)), ""
    if n < high.size:
        quantile, law = float(special.stdtrit(n - 1, (1 + LEVEL) / 2)), f"; t quantile on {n - 1} degrees of freedom"
        p = _two_sided((value - 0.5) / se, n - 1)
    on_logit = se / (value * (1 - value))
    low, upper = (float(special.expit(special.logit(value) + way * quantile * on_logit)) for way in (-1, 1))
    method = f"{known.method}; Wald interval on the logit scale{law}"
    known = replace(known, low=low, high=upper, se=on_logit, scale="logit", method=method)
    return _told(known, p, "rank test p = " if n == high.size else "t test p = ")


def between_strength(name: str, score: Floats, groups: npt.NDArray[Any]) -> Strength:
    """Return the share of the variance of a score's ranks that lies between unordered groups, corrected for their number.

    Kelley's epsilon squared on mid-ranks, ``1 - (1 - R^2) (n - 1) / (n - k)``, cut at 0: unlike eta squared it is about 0 where
    groups do not differ, however many there are. The interval turns the noncentral F around, exact for a normal score and about
    right for ranks.

    Parameters
    ----------
    name : str
    score : ndarray, float64, shape (n,)
    groups : ndarray, shape (n,)
        One label a patient, at least two of them; one row a patient.

    References
    ----------
    Kelley 1935, doi:10.1073/pnas.21.9.554; Kruskal & Wallis 1952, doi:10.1080/01621459.1952.10483441; interval: Smithson 2003,
    doi:10.4135/9781412983761; ranks in its place: Conover & Iman 1981, doi:10.1080/00031305.1981.10479327.

    Examples
    --------
    Three groups of three wholly apart, ranks 1 to 9: R^2 = 54 / 60, so 1 - 0.1 x 8 / 6.

    >>> found = between_strength("epsilon2:model:x", np.arange(9.0), np.repeat(["a", "b", "c"], 3))
    >>> round(found.estimate.value, 4), round(found.p, 4)
    (0.8667, 0.0273)
    """
    n, k = score.size, int(np.unique(groups).size)
    r2 = correlation_ratio(groups, midranks(score)) ** 2
    if not np.isfinite(r2):
        return Strength(not_available(name, NO_SPREAD, n=n), None)
    method = f"share of the variance of the score's ranks that lies between {k} groups, corrected for their number, Kelley 1935"
    if n <= k or r2 > 1 - 1e-12:
        reason = "nothing is left within the groups to judge by, so there is no interval"
        return _told(Estimate(name, r2, level=LEVEL, n=n, method=method, reason=reason), _of_ranks(score, groups), "rank test p = ")
    value = max(0.0, 1 - (1 - r2) * (n - 1) / (n - k))
    low, high = _share_ends(r2 / (1 - r2) * (n - k) / (k - 1), k - 1, n - k)
    method += "; interval by the noncentral F on ranks, Smithson 2003"
    known = Estimate(name, value, low=min(low, value), high=max(high, value), level=LEVEL, n=n, method=method)
    return _told(known, _of_ranks(score, groups), "rank test p = ")


def _area(score: Floats, high: npt.NDArray[np.bool_], patients: Any) -> tuple[float, float]:
    """Return the area and its standard error, clustered where rows repeat (DeLong's without)."""
    above, below = placements(high.astype(np.int64), score)
    value, m, k = float(above.mean()), above.size, below.size
    if patients is None or _people(high.size, patients) == high.size:
        if min(m, k) < 2:
            return value, float("nan")
        return value, float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / k))
    influence = np.empty(high.size)
    influence[high], influence[~high] = (above - value) / m, (below - value) / k
    sums = np.bincount(np.unique(patients, return_inverse=True)[1], weights=influence)
    return value, float(np.sqrt(sums.size / (sums.size - 1) * (sums @ sums))) if sums.size > 1 else float("nan")


def _share_ends(f: float, free: int, left: int) -> tuple[float, float]:
    """Return the shares of variance at which an F as large, and as small, as this would come in 2.5 % of samples."""
    ends = []
    for tail in ((1 + LEVEL) / 2, (1 - LEVEL) / 2):
        if special.fdtr(free, left, f) <= tail:
            ends.append(0.0)
            continue
        reach = 10.0 + 4 * f * free
        while special.ncfdtr(free, left, reach, f) > tail:
            reach *= 2
        centre = float(optimize.brentq(lambda c, tail=tail: float(special.ncfdtr(free, left, c, f)) - tail, 0.0, reach))
        ends.append(centre / (centre + free + left + 1))
    return ends[0], ends[1]


def _of_ranks(score: Floats, groups: npt.NDArray[Any]) -> float | None:
    p = float(kruskal_wallis(score[:, None], groups)[0])
    return p if np.isfinite(p) else None


def _of_t(rho: float, free: int, n: int) -> float | None:
    if free < 1:
        return None
    t = inf if abs(rho) >= 1 - 1e-12 else rho * np.sqrt(free / (1 - rho**2))
    return min(1.0, max(_two_sided(float(t), free), 2 / factorial(min(n, 100))))


def _two_sided(t: float, free: int) -> float:
    return float(2 * special.stdtr(free, -abs(t)))


def _people(rows: int, patients: npt.NDArray[Any] | None) -> int:
    return rows if patients is None else int(np.unique(patients).size)


def _told(estimate: Estimate, p: float | None, test: str) -> Strength:
    return Strength(estimate if p is None else replace(estimate, method=f"{estimate.method}; {test}{p:.3g}"), p)
