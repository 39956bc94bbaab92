"""PyRadiomics' images: resampled onto a grid that shares the old one's corner, and split by the stationary coif1 wavelet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase
from onclair.science.radiomics.grid import _along
from onclair.science.radiomics.roi import Box, box_around

Volume = npt.NDArray[np.float64]
Region = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]
#: New voxels that are kept around the outline: what a wavelet sees beyond them is the other side of the image.
PAD = 5
#: Voxels beyond which a cubic spline no longer feels an intensity: (2 - sqrt(3))^26 is 1e-15.
REACH = 26
MOST_VOXELS = 2 * 10**9

_ROOT = np.sqrt(7.0)
#: Daubechies' coiflet of order one, in closed form, in the order in which it is convolved.
_LOW = np.array([_ROOT - 3, 1 - _ROOT, 14 - 2 * _ROOT, 14 + 2 * _ROOT, 5 + _ROOT, 1 - _ROOT]) / (16 * np.sqrt(2.0))
COIF1: Mapping[str, Volume] = MappingProxyType({"L": _LOW, "H": _LOW[::-1] * np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0])})
#: The eight bands; the letters stand for the image's first (x), second (y) and third axis (z).
BANDS = ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")


def corner_positions(count: int, step: float, new_step: float, filled: tuple[int, int]) -> Volume:
    """Return where the new voxels around the outline lie along one axis, in voxels of the old grid.

    Parameters
    ----------
    count : int
        Voxels of the old grid.
    step, new_step : float
        Both spacings in mm.
    filled : (int, int)
        The outline's first voxel, and the one after its last.

    Returns
    -------
    ndarray, float64, shape (m,)
        The corners of the two images' first voxels coincide. Five new voxels are kept on either side of the outline, as far as the
        image goes. The last position can lie beyond the image.

    Examples
    --------
    >>> corner_positions(4, 3.0, 2.0, (0, 1)).round(3).tolist()
    [-0.167, 0.5, 1.167, 1.833, 2.5, 3.167]
    """
    scale = step / new_step
    first = max(0, int(np.floor((filled[0] - 0.5) * scale - PAD)))
    last = min(int(np.ceil(count * scale)) - 1, int(np.ceil((filled[1] - 0.5) * scale + PAD)))
    return (np.arange(first, last + 1)) / scale + 0.5 * (new_step - step) / step


def corner_aligned(array: npt.NDArray[Any], region: Region, spacing_mm: Spacing, new_spacing_mm: Spacing) -> tuple[Volume, Region]:
    """Resample as PyRadiomics does: the image by a cubic B-spline, the outline by the nearest voxel.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        The result has the precision of its type, as in PyRadiomics: of whole numbers, SimpleITK cuts the fraction off.
    region : ndarray, bool, shape (x, y, z)
    spacing_mm, new_spacing_mm : (float, float, float)

    Returns
    -------
    (ndarray, float64; ndarray, bool)
        Of one shape: the outline and five voxels around it. Positions beyond the old image's outermost voxels hold 0.

    Raises
    ------
    BadCase
        For NaN or infinity near the outline, an outline that no new voxel lies in, or a grid that memory cannot hold.

    Examples
    --------
    >>> a = np.array([0.0, 10.0, 20.0, 30.0]).reshape(4, 1, 1)
    >>> moved, outline = corner_aligned(a, a > 5, (3.0, 3.0, 3.0), (2.0, 3.0, 3.0))
    >>> outline.ravel().tolist(), moved.ravel().round(2).tolist()
    ([False, True, True, True, True, True], [0.46, 3.5, 11.85, 18.15, 26.5, 29.54])
    """
    box = box_around(region)
    axes = [
        corner_positions(n, old, new, (part.start, part.stop))
        for n, old, new, part in zip(array.shape, spacing_mm, new_spacing_mm, box, strict=True)
    ]
    if np.prod([float(at.size) for at in axes]) > MOST_VOXELS:
        raise BadCase(f"Resampled to {new_spacing_mm} mm, the outline's box has {[at.size for at in axes]} voxels; choose a wider spacing.")
    outline = region
    for axis, at in enumerate(axes):
        nearest = np.floor(at + 0.5).astype(np.intp)
        outline = outline.take(np.minimum(nearest, region.shape[axis] - 1), axis=axis) & _shaped(nearest < region.shape[axis], axis)
    if not outline.any():
        raise BadCase(f"The outline is lost when resampled to {new_spacing_mm} mm: no new voxel lies in it; choose a finer spacing.")
    return _splined(array, axes), outline


def _shaped(one: npt.NDArray[Any], axis: int) -> npt.NDArray[Any]:
    return one.reshape(tuple(-1 if a == axis else 1 for a in range(3)))


def _splined(array: npt.NDArray[Any], axes: list[Volume]) -> Volume:
    """Return the cubic B-spline through the image at the positions of each axis; only the part that they reach is touched."""
    part, shifted, inside = [], [], []
    for axis, (n, at) in enumerate(zip(array.shape, axes, strict=True)):
        within = (n - 1) - np.abs((n - 1) - np.abs(at)) if n > 1 else np.zeros_like(at)  # the spline mirrors at the outermost voxels
        first = max(0, int(within.min()) - REACH)
        part.append(slice(first, min(n, int(np.ceil(within.max())) + REACH + 1)))
        shifted.append(within - first)
        inside.append(_shaped(at <= n - 0.5, axis))
    values = array[tuple(part)].astype(np.float64)
    check_finite(values, "resampling")
    for axis, at in enumerate(shifted):
        values = _along(values, at, axis, "cubic")
    return _as_stored(values * (inside[0] & inside[1] & inside[2]), array.dtype)


def _as_stored(values: Volume, kind: np.dtype[Any]) -> Volume:
    if kind.kind in "iu":
        return np.clip(np.trunc(values), np.iinfo(kind).min, np.iinfo(kind).max)
    return values.astype(np.float32).astype(np.float64) if kind == np.float32 else values


def check_finite(values: npt.NDArray[Any], what: str) -> None:
    """Refuse NaN and infinity where a filter would spread them.

    Examples
    --------
    >>> check_finite(np.zeros(2), "the wavelet")
    """
    bad = int(values.size - np.count_nonzero(np.isfinite(values)))
    if bad:
        found = "1 voxel in or around the outline is" if bad == 1 else f"{bad} voxels in or around the outline are"
        raise BadCase(f"{found} NaN or infinite, and {what} would spread them over the outline; mend the image first.")


def wavelet_band(array: npt.NDArray[Any], box: Box, band: str) -> Volume:
    """Return one band of the undecimated coif1 decomposition, level 1, in a box of the image.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        The whole image: it is taken as periodic, after an axis of odd length has been made even by repeating its first voxel.
    box : tuple of three slices
    band : str
        Of `BANDS`.

    Returns
    -------
    ndarray, float64, of the box's shape

    Raises
    ------
    BadCase
        For NaN or infinity in reach of the box.

    References
    ----------
    Daubechies, Ten Lectures on Wavelets, SIAM 1992, chapter 8, doi:10.1137/1.9781611970104.

    Examples
    --------
    A flat image has no detail, and its approximation is larger by the square root of two along each axis.

    >>> flat, whole = np.ones((4, 4, 4)), (slice(0, 4),) * 3
    >>> bool(np.allclose(wavelet_band(flat, whole, "HLL"), 0)), bool(np.allclose(wavelet_band(flat, whole, "LLL"), 8**0.5))
    (True, True)
    """
    reach = [_wrapped(n, part.start - 2, part.stop + 3) for n, part in zip(array.shape, box, strict=True)]
    values = array[np.ix_(*reach)].astype(np.float64)
    check_finite(values, "the wavelet")
    rounding = 1e-14 * float(np.abs(values).max())
    for axis, letter in enumerate(band):
        filtered = ndimage.convolve1d(values, COIF1[letter], axis=axis, mode="constant")
        values = filtered[tuple(slice(2, -3) if a == axis else slice(None) for a in range(3))]
    return np.where(np.abs(values) > rounding, values, 0.0)


def _wrapped(n: int, first: int, last: int) -> npt.NDArray[np.int64]:
    """Return the positions `first` to `last` on an axis of `n` voxels, made even and periodic."""
    at = np.arange(first, last) % (n + n % 2)
    return np.where(at == n, 0, at)
