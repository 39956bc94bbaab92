"""Re-segmentation: which voxels of the outline count as intensities. The outline itself, for shape, stays as drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadSetting


def checked_range(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return `bounds`, or refuse a range that no intensity can lie in.

    Raises
    ------
    BadSetting
        When a bound is NaN or the low one does not lie under the high one.

    Examples
    --------
    >>> checked_range((-500, 400))
    (-500.0, 400.0)
    """
    if bounds is None:
        return None
    low, high = (float(bound) for bound in bounds)
    if not low < high:
        raise BadSetting(f"The range of intensities is {low:g} to {high:g}; the first bound must lie under the second.", item="range")
    return low, high


def within_range(
    array: npt.NDArray[np.float64], region: npt.NDArray[np.bool_], bounds: tuple[float, float] | None
) -> npt.NDArray[np.bool_]:
    """Return the intensity mask: the voxels of `region` whose intensity lies in the range, both bounds included.

    Parameters
    ----------
    array : ndarray, float64, shape (x, y, z)
    region : ndarray, bool, shape (x, y, z)
        The morphological mask; it is not changed.
    bounds : (low, high) or None
        In the image's unit; None keeps every voxel.

    Raises
    ------
    BadCase
        When no voxel is left.

    References
    ----------
    IBSI manual, arXiv:1612.07003, section 2.5 (re-segmentation).

    Examples
    --------
    >>> a = np.array([[[-900.0, -500.0, 40.0]]])
    >>> within_range(a, np.ones(a.shape, bool), (-500, 400)).tolist()
    [[[False, True, True]]]
    """
    checked = checked_range(bounds)
    if checked is None:
        return region.copy()
    low, high = checked
    kept = region & (array >= low) & (array <= high)
    if not kept.any():
        inside = array[region]
        raise BadCase(
            f"No voxel of the outline lies in the range {low:g} to {high:g}; they lie in {inside.min():g} to {inside.max():g}: "
            "check the unit of the image or the range."
        )
    return np.asarray(kept)
