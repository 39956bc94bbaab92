"""The intensity-volume histogram (IBSI family ``ivh``): how much of the region is at least so bright.

IBSI manual, arXiv:1612.07003, section 3.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.science.radiomics.discretise import MOST_LEVELS, Discretisation, discretised
from onclair.science.radiomics.features import Features, named, undefined

IVH_TAGS = ("ivh_v10", "ivh_v90", "ivh_i10", "ivh_i90", "ivh_diff_v10_v90", "ivh_diff_i10_i90", "ivh_auc")
CONSTANT = "every voxel has the same value, so that there is no range of intensities to take a fraction of"


@dataclass(frozen=True, slots=True)
class _Axis:
    """Grey levels 1 to `size`, level i being the intensity ``first + (i - 1) step``."""

    levels: npt.NDArray[np.int64]
    size: int
    first: float
    step: float


def volume_histogram(values: npt.NDArray[np.float64], how: Discretisation, bounds: tuple[float, float] | None = None) -> Features:
    """Describe the intensity-volume histogram.

    Parameters
    ----------
    values : ndarray, float64, shape (n,)
        Intensities in any order, at least one, finite.
    how : Discretisation
        ``none`` for whole numbers (HU): the axis has unit steps. ``fixed-width``: bin centres. ``fixed-number``: bin numbers.
    bounds : (low, high) or None
        The re-segmentation range; where given and finite it spans the axis of ``none`` and ``fixed-width``, else the region does.

    Returns
    -------
    Features
        ``ivh_*``: volume fractions at 10 and 90 % of the intensity range, the lowest intensity that at most 10 and 90 % of the
        volume reaches (one step above the highest where none does), their differences, and the area under volume
        fraction against intensity fraction. NaN for a constant region.

    Raises
    ------
    BadCase
        As `discretised` does.

    Examples
    --------
    >>> f = volume_histogram(np.array([1.0, 1.0, 3.0, 6.0]), Discretisation("none"))
    >>> f.values["ivh_v10"], f.values["ivh_v90"], f.values["ivh_i90"]
    (0.5, 0.25, 2.0)
    """
    if values.min() == values.max():
        return undefined(IVH_TAGS, CONSTANT)
    axis = _axis(values, how, bounds)
    if axis.size < 2:
        return undefined(IVH_TAGS, "all voxels fall into one bin of the volume histogram")
    counts = np.bincount(axis.levels - 1, minlength=axis.size)
    reaching = counts[::-1].cumsum()[::-1]  # voxels at level i or above
    v10, v90 = (_volume_fraction(reaching, tenths) for tenths in (1, 9))
    i10, i90 = (axis.first + axis.step * _level_reached(reaching, tenths) for tenths in (1, 9))
    share = reaching / values.size
    area = float((share[1:] + share[:-1]).sum()) / (2 * (axis.size - 1))
    measures = (v10, v90, i10, i90, v10 - v90, i10 - i90, area)
    return named("", dict(zip(IVH_TAGS, measures, strict=True)), {})


def _axis(values: npt.NDArray[np.float64], how: Discretisation, bounds: tuple[float, float] | None) -> _Axis:
    low, high = bounds if bounds is not None else (-math.inf, math.inf)
    if how.method == "fixed-number":
        return _Axis(discretised(values, how).astype(np.int64), how.bins or 0, 1.0, 1.0)
    if how.method == "fixed-width":
        width, start = float(how.width or 0), float(how.minimum or 0)
        levels = discretised(values, how).astype(np.int64)
        size = math.ceil((high - start) / width) if math.isfinite(high) else 0
        return _Axis(levels, max(size, int(levels.max())), start + width / 2, width)
    if not (np.rint(values) == values).all():
        raise BadCase("The intensities are not whole numbers; for the volume histogram choose fixed-width or fixed-number.")
    first = math.ceil(low) if math.isfinite(low) else int(values.min())
    last = math.floor(high) if math.isfinite(high) else int(values.max())
    if last - first >= MOST_LEVELS:
        raise BadCase(f"The volume histogram would have {last - first + 1} steps; at most {MOST_LEVELS}: choose fixed-number bins for it.")
    return _Axis(values.astype(np.int64) - first + 1, last - first + 1, float(first), 1.0)


def _volume_fraction(reaching: npt.NDArray[np.int64], tenths: int) -> float:
    """Return the volume fraction at the first level whose intensity fraction is at least `tenths` tenths (whole-number arithmetic)."""
    steps = reaching.size - 1
    index = -(-tenths * steps // 10)
    return float(reaching[index] / reaching[0])


def _level_reached(reaching: npt.NDArray[np.int64], tenths: int) -> int:
    """Return the number of steps from the first level to the lowest one that at most `tenths` tenths of the volume reaches."""
    few = np.flatnonzero(10 * reaching <= tenths * reaching[0])
    return int(few[0]) if few.size else reaching.size
