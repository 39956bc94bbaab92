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


def within_outliers(array: npt.NDArray[np.float64], kept: npt.NDArray[np.bool_], sigmas: float | None) -> npt.NDArray[np.bool_]:
    """Return the voxels of `kept` whose intensity lies within so many standard deviations of their mean, both bounds included.

    Parameters
    ----------
    array : ndarray, float64, shape (x, y, z)
    kept : ndarray, bool, shape (x, y, z)
        What a range has left of the outline (the range comes first); at least one voxel. Not changed.
    sigmas : float or None
        3 as the IBSI has it; None keeps every voxel. The standard deviation has divisor n.

    Raises
    ------
    BadSetting
        When `sigmas` is not positive.

    References
    ----------
    IBSI manual, arXiv:1612.07003, section 2.5; Collewet, Strzelecki and Mariette, Magn Reson Imaging 2004;22:81-91,
    doi:10.1016/j.mri.2003.09.001.

    Examples
    --------
    >>> a = np.array([1.0, 1.0, 1.0, 1.0, 6.0]).reshape(5, 1, 1)  # mean 2, standard deviation 2
    >>> within_outliers(a, np.ones(a.shape, bool), 1.5).ravel().tolist()
    [True, True, True, True, False]
    """
    checked = checked_sigmas(sigmas)
    if checked is None:
        return kept.copy()
    ordered = np.sort(array[kept])  # so that the bounds do not depend on where an intensity lies
    scale = float(np.abs(ordered).max()) or 1.0
    mean, spread = float(ordered.mean()), scale * float((ordered / scale).std())
    slack = 1e-12 * scale  # what rounding does to a region of one value
    return np.asarray(kept & (np.abs(array - mean) <= checked * spread + slack))


def checked_sigmas(sigmas: float | None) -> float | None:
    """Return `sigmas`, or refuse a number of standard deviations that is none.

    Examples
    --------
    >>> checked_sigmas(3)
    3.0
    """
    if sigmas is None:
        return None
    if not 0 < float(sigmas) < np.inf:
        raise BadSetting(
            f"Outliers are told by {sigmas} standard deviations; give a positive number, as the 3 of the IBSI.", item="outliers"
        )
    return float(sigmas)
