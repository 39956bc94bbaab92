"""Does the claim rank patients rightly? Areas under the ROC curve, whole and partial, their differences, average precision.

Figures at declared thresholds are in :mod:`onclair.validate.operating_points`, and can be had from here too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import optimize

from onclair.core.estimate import Estimate
from onclair.science.statistics.ranks import placements
from onclair.science.statistics.roc import average_precision as precision
from onclair.science.statistics.roc import partial_area
from onclair.validate.intervals import FEW_PATIENTS, cut, wald, without_interval
from onclair.validate.operating_points import operating_points, wilson
from onclair.validate.rows import Floats, Rows, judged_rows

__all__ = ["auc", "auc_difference", "auc_influence", "auc_variance", "average_precision", "operating_points", "partial_auc", "wilson"]

#: An error, or a difference of contributions, below this is a zero that rounding left.
ROUNDING = 1e-9
ZERO = "its estimated variance is zero, so no interval can be had"
UNKNOWN = "its variance cannot be estimated from these patients"
DELONG = "empirical AUC, mid-ranks; DeLong 1988"
OBUCHOWSKI = "empirical AUC, mid-ranks; clustered by patient, Obuchowski 1997"


def auc(name: str, truth: npt.ArrayLike, scores: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the area under the ROC curve with an interval that knows whose rows they are.

    The variance is DeLong's (eq. 5, ddof 1), or Obuchowski's for clusters when a patient has several rows. The interval
    is Wald's; where it would leave [0, 1] it is formed on the logit scale, and where the classes are wholly separated
    (variance zero) by Newcombe's method 5 on the number of patients; `method` says which.

    Parameters
    ----------
    name : str
        Of the estimate, for example ``"auc:model"``.
    truth : array_like, shape (n,), 0 or 1
    scores : array_like, shape (n,) or (repeats, n)
        Higher means more likely positive. With several repeats (of a cross-validation) the figure is the mean AUC and
        its variance that of the mean: placements are averaged over the repeats first.
    patients : array_like, shape (n,), optional
        Whose row it is.
    level : float

    Returns
    -------
    Estimate
        ``not_available`` when one class is absent; a constant score gives 0.5 exactly, with a zero error, and says so.

    Raises
    ------
    BadInput
        For shapes that differ, NaN, or a truth other than 0 or 1.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595; Obuchowski 1997, doi:10.2307/2533958; Newcombe 2006, doi:10.1002/sim.2324.

    Examples
    --------
    Placements 0.5, 1 | 1, 0.5: the variance is 0.125 / 2 + 0.125 / 2.

    >>> estimate = auc("auc:model", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> estimate.value, estimate.scale, round(estimate.se * 0.75 * 0.25, 6) == round(0.125**0.5, 6)
    (0.75, 'logit', True)
    """
    rows = judged_rows(truth, scores, patients, level=level)
    if rows.one_class:
        return rows.missing(name, rows.one_class)
    value, influence = auc_influence(rows)
    if (np.ptp(rows.scores, axis=1) == 0).all():
        return rows.estimate(name, 0.5, 0.0, "constant score, which ranks no one: 0.5 by definition, without error")
    method = DELONG if rows.clusters is None else OBUCHOWSKI
    if value in (0.0, 1.0):
        return _separated(name, value, rows, method)
    variance = auc_variance(influence, rows)
    if variance <= 0:
        return rows.bare(name, value, method, _why_none(variance))
    se = float(np.sqrt(variance))
    low, high = wald(value, se, rows.quantile, "identity")
    if low < 0 or high > 1:
        return rows.estimate(name, value, se / (value * (1 - value)), method + "; Wald interval on the logit scale", scale="logit")
    return rows.estimate(name, value, se, method + "; Wald interval")


def auc_difference(
    name: str,
    truth: npt.ArrayLike,
    scores_a: npt.ArrayLike,
    scores_b: npt.ArrayLike,
    *,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the paired difference of two AUCs, `a` minus `b`, on the same rows.

    Parameters
    ----------
    name : str
        For example ``"auc:model-minus-volume"``.
    truth : array_like, shape (n,), 0 or 1
    scores_a, scores_b : array_like, shape (n,) or (repeats, n)
        The two may have different numbers of repeats.
    patients : array_like, shape (n,), optional

    Returns
    -------
    Estimate
        On the identity scale; ``value / se`` is DeLong's z. The interval may pass -1 or 1 only in tiny cohorts, where it is cut.
        It is without error where both place every row alike; where the variance comes out as zero otherwise it has no interval.

    Raises
    ------
    BadInput
        As :func:`auc`.

    References
    ----------
    DeLong et al. 1988, eq. 6; Obuchowski 1997.

    Examples
    --------
    >>> auc_difference("auc:a-minus-b", [0, 0, 1, 1], [1, 2, 3, 4], [1, 3, 2, 4]).value
    0.25
    """
    a, b = judged_rows(truth, scores_a, patients, level=level), judged_rows(truth, scores_b, patients, level=level)
    if a.one_class:
        return a.missing(name, a.one_class)
    (value_a, influence_a), (value_b, influence_b) = auc_influence(a), auc_influence(b)
    method = "paired difference of empirical AUCs; " + (DELONG if a.clusters is None else OBUCHOWSKI).split("; ", 1)[1]
    moved, value = influence_a - influence_b, value_a - value_b
    more = a if len(a.scores) >= len(b.scores) else b
    if max(abs(value), float(np.abs(moved).max())) < ROUNDING:
        if value_a in (0.0, 1.0):
            return more.bare(
                name, value, method, "the variance of the difference is zero (the classes are wholly separated), so it has no interval"
            )
        return more.estimate(name, 0.0, 0.0, f"{method}; both rank these rows alike, so the difference is 0 without error")
    variance = auc_variance(moved, a)
    if variance < ROUNDING**2:
        return more.bare(name, value, method, UNKNOWN)
    return cut(more.estimate(name, value, float(np.sqrt(variance)), method), -1.0, 1.0)


def partial_auc(
    who: str,
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    specificity: tuple[float, float] = (0.9, 1.0),
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """Return the area under the ROC curve over a range of specificities, plain and with McClish's correction.

    The corrected area is 0.5 for a score that ranks no one and 1 for one that ranks all rightly, whatever the range.
    Errors are first-order, clustered as :func:`auc` 's, which they equal over the whole range. For a range of *sensitivities*
    give ``1 - truth`` and ``-scores``: what was sensitivity is then specificity.

    Parameters
    ----------
    who : str
        Names are ``pauc:WHO@LOW-HIGH`` and ``pauc_corrected:WHO@LOW-HIGH``.
    truth, scores, patients
        As :func:`auc`; with several repeats the mean of their areas.
    specificity : (float, float)
        ``0 <= low < high <= 1``.

    Returns
    -------
    list of Estimate
        ``not_available`` when one class is absent.

    Raises
    ------
    BadInput
        As :func:`auc`, and for a range that is none.

    References
    ----------
    McClish 1989, doi:10.1177/0272989X8900900307; errors: He & Escobar 2008, doi:10.1002/sim.3335.

    Examples
    --------
    From 0 to 1/2 one of two positives stands above both negatives: 0.25 of 0.5, and chance gives 0.125.

    >>> plain, corrected = partial_auc("model", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], specificity=(0.5, 1.0))
    >>> plain.value, round(corrected.value, 6)
    (0.25, 0.666667)
    """
    rows = judged_rows(truth, scores, patients, level=level)
    low, high = specificity
    names = [f"{figure}:{who}@{low:g}-{high:g}" for figure in ("pauc", "pauc_corrected")]
    if rows.one_class:
        return [rows.missing(name, rows.one_class) for name in names]
    parts = [partial_area(rows.truth, line, (1 - high, 1 - low)) for line in rows.scores]
    value = float(np.mean([area for area, _ in parts]))
    variance = auc_variance(np.mean([contributions for _, contributions in parts], axis=0), rows)
    most, chance = high - low, ((1 - low) ** 2 - (1 - high) ** 2) / 2
    method = f"area under the ROC curve at specificities {low:g} to {high:g}, trapezoids; first-order error; Wald interval"
    if variance <= 0:
        found = rows.bare(names[0], value, without_interval(method), _why_none(variance))
    else:
        found = cut(rows.estimate(names[0], value, float(np.sqrt(variance)), method), 0.0, most)

    def corrected(area: float | None) -> float | None:
        return None if area is None else (1 + (area - chance) / (most - chance)) / 2

    ends = {"value": corrected(value), "low": corrected(found.low), "high": corrected(found.high)}
    se = None if found.se is None else found.se / (2 * (most - chance))
    said = found.method + "; McClish 1989 correction"
    return [found, Estimate(**{**found.as_dict(), **ends, "se": se, "name": names[1], "method": said})]


def average_precision(
    name: str, truth: npt.ArrayLike, scores: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95
) -> Estimate:
    """Return the average precision, the area under the steps of the precision-recall curve; the prevalence is in `method`.

    A score that knows nothing has about the prevalence as its average precision, so the two are read together. The interval
    is formed on the logit scale from the first-order error, clustered by patient.

    Parameters
    ----------
    name : str
        For example ``"ap:model"``.
    truth, scores, patients
        As :func:`auc`; with several repeats the mean, with the error of that mean.

    Returns
    -------
    Estimate
        ``not_available`` when one class is absent.

    Raises
    ------
    BadInput
        As :func:`auc`.

    References
    ----------
    Boyd, Eng & Page 2013, doi:10.1007/978-3-642-40994-3_29.

    Examples
    --------
    >>> found = average_precision("ap:model", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> round(found.value, 6), found.scale, "prevalence line 0.5" in found.method
    (0.833333, 'logit', True)
    """
    rows = judged_rows(truth, scores, patients, level=level)
    if rows.one_class:
        return rows.missing(name, rows.one_class)
    parts = [precision(rows.truth, line) for line in rows.scores]
    value = float(np.mean([area for area, _ in parts]))
    se = rows.error(np.mean([contributions for _, contributions in parts], axis=0))
    method = f"average precision, prevalence line {rows.truth.mean():.4g}"
    if np.isfinite(se) and (value == 1 or se == 0):
        return rows.bare(name, value, method, ZERO)
    if not np.isfinite(se):
        return rows.estimate(name, value, se, method)
    return rows.estimate(name, value, se / (value * (1 - value)), method + "; first-order error, logit scale", scale="logit")


def auc_influence(rows: Rows) -> tuple[float, Floats]:
    """Return the AUC (mean over repeats) and each row's contribution, (placement - AUC) / size of its class.

    Examples
    --------
    >>> auc_influence(judged_rows([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]))
    (0.75, array([ 0.125, -0.125, -0.125,  0.125]))
    """
    above, below = placements(rows.truth, rows.scores.T)
    positives, negatives = above.mean(axis=1), below.mean(axis=1)
    value = float(positives.mean())
    influence = np.empty(rows.truth.size)
    influence[rows.truth] = (positives - value) / positives.size
    influence[~rows.truth] = (negatives - value) / negatives.size
    return value, influence


def auc_variance(influence: Floats, rows: Rows) -> float:
    """Return the variance of an AUC, or of a difference of two, from its rows' contributions.

    For both, ``G1/(G1-1) sum A_g^2 + G0/(G0-1) sum B_g^2 + 2 G/(G-1) sum A_g B_g`` over patients g; with one row a
    patient there is no cross term and this is DeLong's. NaN when a class has one patient only.

    Examples
    --------
    >>> rows = judged_rows([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> auc_variance(auc_influence(rows)[1], rows)
    0.125
    """
    codes = np.arange(influence.size) if rows.clusters is None else rows.clusters
    a = np.bincount(codes, weights=np.where(rows.truth, influence, 0.0))
    b = np.bincount(codes, weights=np.where(rows.truth, 0.0, influence))
    g1, g0 = (np.count_nonzero(np.bincount(codes[of])) for of in (rows.truth, ~rows.truth))
    if g1 < 2 or g0 < 2:
        return float("nan")
    return float(g1 / (g1 - 1) * (a @ a) + g0 / (g0 - 1) * (b @ b) + 2 * a.size / (a.size - 1) * (a @ b))


def _separated(name: str, value: float, rows: Rows, method: str) -> Estimate:
    """AUC 0 or 1: its estimated variance is zero, yet it is not certain; Newcombe's method 5, on patients."""
    if not np.isfinite(rows.quantile):
        return rows.bare(name, value, method, FEW_PATIENTS)
    codes = np.arange(rows.truth.size) if rows.clusters is None else rows.clusters
    m, k = np.unique(codes[rows.truth]).size, np.unique(codes[~rows.truth]).size

    def gap(theta: float) -> float:
        spread = (1 - theta) / (2 - theta) + theta / (1 + theta)
        return float((1 - theta) ** 2 - rows.quantile**2 * theta * (1 - theta) * (1 + ((m + k) / 2 - 1) * spread) / (m * k))

    bound = float(optimize.brentq(gap, 1e-12, 1 - 1e-12))
    low, high = (bound, 1.0) if value == 1.0 else (0.0, 1 - bound)
    said = method.split(";")[0] + "; classes wholly separated: interval by Newcombe 2006, method 5, on patients" + rows.law
    return replace(rows.bare(name, value, said), low=low, high=high)


def _why_none(variance: float) -> str:
    """Say why there is no interval where an estimated variance is not above zero."""
    return ZERO if variance == 0 else UNKNOWN
