"""Does the claim rank patients rightly? The area under the ROC curve, paired differences, figures at declared thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import optimize

from onclair.core.estimate import Estimate
from onclair.science.statistics.ranks import placements
from onclair.validate.rows import Floats, Rows, judged_risks, judged_rows, wald

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
        found = Estimate(name, value, level=level, n=rows.n, events=rows.events, method=rows.said(method))
        return _with_reason(found, "its estimated variance is zero, so no interval can be had")
    se = float(np.sqrt(variance))
    low, high = wald(value, se, rows.z, "identity")
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
    se = float(np.sqrt(max(auc_variance(influence_a - influence_b, a), 0.0)))
    more = a if len(a.scores) >= len(b.scores) else b
    if se == 0 and (value_a in (0.0, 1.0) or value_b in (0.0, 1.0) or value_a != value_b):
        found = Estimate(name, value_a - value_b, level=level, n=a.n, events=a.events, method=more.said(method))
        return _with_reason(found, "the variance of the difference is zero (the classes are wholly separated), so it has no interval")
    if se == 0:
        method += "; both rank these rows alike, so the difference is 0 without error"
    return _cut(more.estimate(name, value_a - value_b, se, method), -1.0, 1.0)


def operating_points(
    who: str,
    truth: npt.ArrayLike,
    risks: npt.ArrayLike,
    thresholds: Sequence[float],
    *,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """Return sensitivity, specificity and predictive values at declared thresholds, ``risk >= threshold`` being positive.

    Intervals are Wilson's, on the effective number of rows where a patient has several (or where repeats are averaged):
    the number that would give a simple share the variance of the clustered ratio.

    Parameters
    ----------
    who : str
        Names are ``sens@T:WHO``, ``spec@T:WHO``, ``ppv@T:WHO`` and ``npv@T:WHO``.
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
    thresholds : sequence of float
    patients : array_like, shape (n,), optional

    Returns
    -------
    list of Estimate
        ``not_available`` where no row stands in the denominator.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953; effective size: Rao & Scott 1992, doi:10.2307/2532311.

    Examples
    --------
    >>> [e.value for e in operating_points("model", [0, 0, 1, 1], [0.1, 0.6, 0.7, 0.8], [0.5])]
    [1.0, 0.5, 0.6666666666666666, 1.0]
    """
    rows = judged_risks(truth, risks, patients, level=level)
    y = rows.truth.astype(np.float64)
    found = []
    for t in thresholds:
        flagged = (rows.scores >= t).mean(axis=0)
        caught, passed = flagged * y, (1 - flagged) * (1 - y)
        shares = {"sens": (caught, y), "spec": (passed, 1 - y), "ppv": (caught, flagged), "npv": (passed, 1 - flagged)}
        found += [_share(f"{figure}@{t:g}:{who}", *parts, rows) for figure, parts in shares.items()]
    return found


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
    g1, g0 = np.unique(codes[rows.truth]).size, np.unique(codes[~rows.truth]).size
    if g1 < 2 or g0 < 2:
        return float("nan")
    return float(g1 / (g1 - 1) * (a @ a) + g0 / (g0 - 1) * (b @ b) + 2 * a.size / (a.size - 1) * (a @ b))


def _separated(name: str, value: float, rows: Rows, method: str) -> Estimate:
    """AUC 0 or 1: its estimated variance is zero, yet it is not certain; Newcombe's method 5, on patients."""
    codes = np.arange(rows.truth.size) if rows.clusters is None else rows.clusters
    m, k = np.unique(codes[rows.truth]).size, np.unique(codes[~rows.truth]).size

    def gap(theta: float) -> float:
        spread = (1 - theta) / (2 - theta) + theta / (1 + theta)
        return float((1 - theta) ** 2 - rows.z**2 * theta * (1 - theta) * (1 + ((m + k) / 2 - 1) * spread) / (m * k))

    bound = float(optimize.brentq(gap, 1e-12, 1 - 1e-12))
    low, high = (bound, 1.0) if value == 1.0 else (0.0, 1 - bound)
    said = rows.said(method.split(";")[0] + "; classes wholly separated: interval by Newcombe 2006, method 5, on patients")
    return Estimate(name, value, low=low, high=high, level=rows.level, n=rows.n, events=rows.events, method=said)


def _share(name: str, part: Floats, whole: Floats, rows: Rows) -> Estimate:
    """Return sum(part) / sum(whole) with Wilson's interval on the effective size."""
    total = float(whole.sum())
    if total == 0:
        return rows.missing(name, "no row stands in its denominator at this threshold")
    value = float(part.sum()) / total
    size, method = total, "share of rows; Wilson interval"
    if rows.clusters is not None or len(rows.scores) > 1:
        touched = np.count_nonzero(rows.by_patient(whole))
        variance = rows.error((part - value * whole) / total) ** 2
        size = value * (1 - value) / variance if variance > 0 else float(touched)
        method += " on the effective number of rows"
    low, high = wilson(value, size, rows.z)
    se = float(np.sqrt(value * (1 - value) / size))
    return Estimate(name, value, low=low, high=high, level=rows.level, se=se, n=rows.n, events=rows.events, method=rows.said(method))


def wilson(share: float, size: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval of a `share` of `size` rows.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(1.0, 10, 1.96)]
    [0.7225, 1.0]
    """
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    return float(np.clip(centre - half, 0, 1)), float(np.clip(centre + half, 0, 1))


def _with_reason(estimate: Estimate, reason: str) -> Estimate:
    return Estimate(**{**estimate.as_dict(), "reason": reason})


def _cut(estimate: Estimate, lowest: float, highest: float) -> Estimate:
    if estimate.low is None or estimate.high is None:
        return estimate
    return Estimate(**{**estimate.as_dict(), "low": max(estimate.low, lowest), "high": min(estimate.high, highest)})
