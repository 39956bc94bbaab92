"""What a risk means once acted on: sensitivity, specificity, predictive values and likelihood ratios at declared thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.validate.intervals import FEW_PATIENTS
from onclair.validate.rows import Floats, Rows, judged_risks

SHARES = ("sens", "spec", "ppv", "npv")
RATIOS = ("lr_pos", "lr_neg")

#: An error below this is a zero that rounding left.
ROUNDING = 1e-9


def operating_points(
    who: str,
    truth: npt.ArrayLike,
    risks: npt.ArrayLike,
    thresholds: Sequence[float],
    *,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """Return what the rule ``risk >= threshold`` is worth at each declared threshold.

    Intervals of the four shares are Wilson's, on the effective number of rows where a patient has several (or where repeats
    are averaged): the number that would give a simple share the variance of the clustered ratio. Those of the likelihood
    ratios, ``sensitivity / (1 - specificity)`` and ``(1 - sensitivity) / specificity``, hold on the log scale: Simel's
    variance, or that of the clustered ratio.

    Parameters
    ----------
    who : str
        Names are ``sens:WHO@T``, ``spec:WHO@T``, ``ppv:WHO@T``, ``npv:WHO@T``, ``lr_pos:WHO@T`` and ``lr_neg:WHO@T``.
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
    thresholds : sequence of float
    patients : array_like, shape (n,), optional

    Returns
    -------
    list of Estimate
        ``not_available`` where no row stands in the denominator; a share without an interval where its rows are one patient's.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953; effective size: Rao & Scott 1992, doi:10.2307/2532311; likelihood
    ratios: Simel, Samsa & Matchar 1991, doi:10.1016/0895-4356(91)90128-V.

    Examples
    --------
    >>> [e.value for e in operating_points("model", [0, 0, 1, 1], [0.1, 0.6, 0.7, 0.8], [0.5])]
    [1.0, 0.5, 0.6666666666666666, 1.0, 2.0, 0.0]
    """
    rows = judged_risks(truth, risks, patients, level=level)
    y = rows.truth.astype(np.float64)
    found = []
    for t in thresholds:
        flagged = (rows.scores >= t).mean(axis=0)
        caught, passed = flagged * y, (1 - flagged) * (1 - y)
        shares = ((caught, y), (passed, 1 - y), (caught, flagged), (passed, 1 - flagged))
        found += [_share(f"{figure}:{who}@{t:g}", *parts, rows) for figure, parts in zip(SHARES, shares, strict=True)]
        ratios = ((caught, flagged - caught), (y - caught, passed))
        found += [_ratio(f"{figure}:{who}@{t:g}", parts, y, rows) for figure, parts in zip(RATIOS, ratios, strict=True)]
    return found


def balanced_accuracy(
    name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, threshold: float = 0.5, *, patients: npt.ArrayLike | None = None
) -> Estimate:
    """Return the mean of sensitivity and specificity of the rule ``risk >= threshold``, its error from the rows' own contributions.

    Parameters
    ----------
    name : str
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
    threshold : float
    patients : array_like, shape (n,), optional

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Brodersen et al. 2010, doi:10.1109/ICPR.2010.764.

    Examples
    --------
    >>> balanced_accuracy("bacc:model", [0, 0, 1, 1], [0.1, 0.6, 0.7, 0.8]).value
    0.75
    """
    rows = judged_risks(truth, risks, patients)
    if rows.one_class:
        return rows.missing(name, rows.one_class)
    y = rows.truth.astype(np.float64)
    flagged = (rows.scores >= threshold).mean(axis=0)
    hits, sizes = (flagged * y, (1 - flagged) * (1 - y)), (y, 1 - y)
    shares = [float(hit.sum() / size.sum()) for hit, size in zip(hits, sizes, strict=True)]
    parts = [(hit - share * size) / size.sum() for hit, size, share in zip(hits, sizes, shares, strict=True)]
    method = f"mean of sensitivity and specificity at risk {threshold:g}"
    return rows.estimate(name, sum(shares) / 2, rows.error((parts[0] + parts[1]) / 2), method)


def _share(name: str, part: Floats, whole: Floats, rows: Rows) -> Estimate:
    """Return sum(part) / sum(whole) with Wilson's interval on the effective size."""
    total = float(whole.sum())
    if total == 0:
        return rows.missing(name, "no row stands in its denominator at this threshold")
    value = float(part.sum()) / total
    size, method = total, "share of rows"
    if effective := rows.clusters is not None or len(rows.scores) > 1:
        touched = np.count_nonzero(rows.by_patient(whole))
        variance = rows.error((part - value * whole) / total) ** 2
        if not np.isfinite(variance) or (rows.clusters is not None and touched < 2):
            return rows.bare(name, value, method, FEW_PATIENTS)
        # equal shares in every patient leave a variance of rounding alone; nothing is known better than by all rows
        size = min(value * (1 - value) / variance, total) if variance > ROUNDING**2 else float(touched)
    low, high = wilson(value, size, rows.quantile)
    said = f"{method}; Wilson interval{' on the effective number of rows' if effective else ''}{rows.law}"
    return replace(rows.bare(name, value, said), low=low, high=high, se=float(np.sqrt(value * (1 - value) / size)))


def _ratio(name: str, parts: tuple[Floats, Floats], y: Floats, rows: Rows) -> Estimate:
    """Return the share of the positive rows in the first part over that of the negative ones in the second."""
    totals, sizes = [float(part.sum()) for part in parts], [float(y.sum()), float((1 - y).sum())]
    if rows.one_class:
        return rows.missing(name, rows.one_class)
    if totals[1] == 0:
        return rows.missing(name, "no row without the event is called so at this threshold, so the ratio has no finite value")
    value = totals[0] / sizes[0] / (totals[1] / sizes[1])
    method = "likelihood ratio"
    if totals[0] == 0:
        reason = "no row with the event is called so at this threshold, so the ratio is 0 and its log has no error"
        return rows.bare(name, value, method, reason)
    if rows.clusters is None and len(rows.scores) == 1:
        se = float(np.sqrt(max(1 / totals[0] - 1 / sizes[0] + 1 / totals[1] - 1 / sizes[1], 0.0)))
        return rows.estimate(name, value, se, f"{method}; log scale, Simel 1991", scale="log")
    with_event = parts[0] / totals[0] - y / sizes[0]
    without = parts[1] / totals[1] - (1 - y) / sizes[1]
    se = rows.error(with_event - without)
    if se < ROUNDING:
        return rows.bare(name, value, method, "its estimated variance is zero, so no interval can be had")
    return rows.estimate(name, value, se, f"{method}; log scale, clustered ratio", scale="log")


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
