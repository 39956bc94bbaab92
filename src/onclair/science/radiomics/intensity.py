"""Intensity statistics of a region (IBSI family ``stat``, 18 values).

IBSI manual, arXiv:1612.07003, section 3.3. Everything is computed from the sorted intensities, so that no value depends on
where in the region an intensity lies, not even in its last bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from onclair.science.radiomics.features import Features, named, ratio

STATISTICS = (
    "mean", "var", "skew", "kurt", "median", "min", "p10", "p90", "max", "iqr", "range", "mad", "rmad", "medad", "cov", "qcod",
    "energy", "rms",
)  # fmt: skip
STAT_TAGS = tuple(f"stat_{name}" for name in STATISTICS)
WHY = {
    "skew": "every voxel has the same value",
    "kurt": "every voxel has the same value",
    "cov": "the mean is zero",
    "qcod": "the quartiles add up to zero",
}


def intensity_statistics(values: npt.NDArray[np.float64]) -> Features:
    """Describe the intensities of a region.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Intensities in any order, at least one, finite.

    Returns
    -------
    Features
        ``stat_*``. Kurtosis is excess; variance has divisor n; percentiles interpolate linearly. Skewness and kurtosis of a
        constant region, and ratios over zero, are NaN.

    Examples
    --------
    >>> f = intensity_statistics(np.array([1.0, 1.0, 4.0]))
    >>> f.values["stat_mean"], f.values["stat_var"], f.values["stat_energy"]
    (2.0, 2.0, 18.0)
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    squares = float(np.square(ordered).sum())
    rest = {"energy": squares, "rms": math.sqrt(squares / ordered.size)}
    return named("stat_", {**moments_and_spread(ordered), **rest}, WHY)


def moments_and_spread(ordered: npt.NDArray[np.float64]) -> Mapping[str, float]:
    """Return the sixteen statistics that intensities and grey levels share.

    Parameters
    ----------
    ordered : ndarray, float64, shape (n,)
        Sorted, lowest first.

    Returns
    -------
    mapping of str to float
        `mean` to `qcod` in the order of the reference table; NaN where undefined.

    Examples
    --------
    >>> moments_and_spread(np.array([1.0, 2.0, 3.0]))["medad"]
    0.6666666666666666
    """
    low, high = float(ordered[0]), float(ordered[-1])
    constant = low == high
    mean = low if constant else float(ordered.mean())
    centred = ordered - mean
    squared = np.square(centred)
    second = float(squared.mean())
    p10, p25, median, p75, p90 = (float(p) for p in np.percentile(ordered, [10, 25, 50, 75, 90]))
    core = ordered[(ordered >= p10) & (ordered <= p90)]
    return {
        "mean": mean,
        "var": second,
        "skew": ratio((squared * centred).mean(), second**1.5),
        "kurt": ratio(np.square(squared).mean(), second**2) - 3,
        "median": median,
        "min": low,
        "p10": p10,
        "p90": p90,
        "max": high,
        "iqr": p75 - p25,
        "range": high - low,
        "mad": float(np.abs(centred).mean()),
        "rmad": float(np.abs(core - core.mean()).mean()) if core.size else 0.0,
        "medad": float(np.abs(ordered - median).mean()),
        "cov": ratio(math.sqrt(second), mean, scale=max(-low, high)),
        "qcod": ratio(p75 - p25, p75 + p25, scale=max(-low, high)),
    }
