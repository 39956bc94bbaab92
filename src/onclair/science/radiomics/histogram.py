"""Statistics of the grey levels of a region (IBSI family ``ih``, 23 values).

IBSI manual, arXiv:1612.07003, section 3.4.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from onclair.science.radiomics.features import Features, named
from onclair.science.radiomics.intensity import WHY as STATISTICS_WHY
from onclair.science.radiomics.intensity import moments_and_spread

HISTOGRAM = (
    "mean", "var", "skew", "kurt", "median", "min", "p10", "p90", "max", "mode", "iqr", "range", "mad", "rmad", "medad", "cov", "qcod",
    "entropy", "uniformity", "max_grad", "max_grad_g", "min_grad", "min_grad_g",
)  # fmt: skip
IH_TAGS = tuple(f"ih_{name}" for name in HISTOGRAM)
WHY = {**STATISTICS_WHY, "": "the histogram has a single grey level and so no gradient"}


def histogram_statistics(levels: npt.NDArray[np.uint16]) -> Features:
    """Describe the histogram of grey levels.

    Parameters
    ----------
    levels : ndarray, integer, shape (n,)
        Grey levels from 1, in any order, at least one.

    Returns
    -------
    Features
        ``ih_*``. Of two equally frequent levels the mode is the one nearer the mean. Entropy is in bits. The gradient is central,
        one-sided at both ends, over levels 1 to the highest one.

    Examples
    --------
    >>> f = histogram_statistics(np.array([1, 1, 2, 4]))
    >>> f.values["ih_mode"], f.values["ih_entropy"], f.values["ih_min_grad"]
    (1.0, 1.5, -1.0)
    """
    counts = np.bincount(levels)[1:]
    grey = np.arange(1, counts.size + 1)
    shared = dict(moments_and_spread(np.repeat(grey, counts).astype(np.float64)))
    share = counts[counts > 0] / levels.size
    own = {
        "mode": _mode(counts, shared["mean"]),
        "entropy": float(-(share * np.log2(share)).sum()) + 0.0,
        "uniformity": float(np.square(share).sum()),
        **_gradients(counts),
    }
    every = {**shared, **own}
    return named("ih_", {name: every[name] for name in HISTOGRAM}, WHY)


def _mode(counts: npt.NDArray[np.int64], mean: float) -> float:
    tied = np.flatnonzero(counts == counts.max()) + 1
    return float(tied[np.abs(tied - mean).argmin()])


def _gradients(counts: npt.NDArray[np.int64]) -> dict[str, float]:
    if counts.size < 2:
        return dict.fromkeys(("max_grad", "max_grad_g", "min_grad", "min_grad_g"), math.nan)
    slope = np.gradient(counts.astype(np.float64))
    return {
        "max_grad": float(slope.max()),
        "max_grad_g": float(slope.argmax() + 1),
        "min_grad": float(slope.min()),
        "min_grad_g": float(slope.argmin() + 1),
    }
