"""Resampling: an image and its outline onto a grid of another spacing, the two grids aligned at their centres.

IBSI manual, arXiv:1612.07003, section 2.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import scipy  # its parts are imported where they are first used

from onclair.core.errors import BadCase, BadSetting
from onclair.core.names import did_you_mean

ImageInterpolation = Literal["nearest", "linear", "cubic"]
MaskInterpolation = Literal["nearest", "linear"]
#: A voxel belongs to the resampled outline from this share on (section 2.4); the slack is for shares of exactly one half.
HALF = 0.5 - 1e-9
#: Voxels beyond which a cubic spline no longer feels an intensity: (2 - sqrt(3))^26 is 1e-15.
REACH = {"nearest": 1, "linear": 1, "cubic": 26}
#: More voxels than this is a mistake of the spacing.
MOST_VOXELS = 2 * 10**9

Volume = npt.NDArray[np.float64]
Region = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid to resample onto, and how.

    Attributes
    ----------
    spacing_mm : tuple of two or three float
        Three lengths resample in 3-D; two resample each slice by itself, along x and y, and leave the slices where they are.
    image : {"nearest", "linear", "cubic"}
        Interpolation of the intensities; ``cubic`` is the interpolating B-spline of third order.
    mask : {"nearest", "linear"}
        Interpolation of the outline; with ``linear``, voxels of a share of at least one half belong to it.
    rounded : bool
        Whether resampled intensities are rounded to whole numbers, as the IBSI asks of HU.

    Raises
    ------
    BadSetting
        For a spacing that is not two or three positive lengths, or an unknown interpolation.

    Examples
    --------
    >>> Grid((2.0, 2.0)).dimension, Grid((2.0, 2.0, 2.0), image="cubic", rounded=True).dimension
    ('2D', '3D')
    """

    spacing_mm: tuple[float, ...]
    image: ImageInterpolation = "linear"
    mask: MaskInterpolation = "linear"
    rounded: bool = False

    def __post_init__(self) -> None:
        lengths = tuple(float(step) for step in self.spacing_mm)
        object.__setattr__(self, "spacing_mm", lengths)
        if len(lengths) not in (2, 3) or not all(math.isfinite(step) and step > 0 for step in lengths):
            raise BadSetting(
                f"The spacing to resample to is {lengths}; give three positive lengths in mm, or two for slices.", item="spacing_mm"
            )
        for what, given, known in (
            ("image", self.image, get_args(ImageInterpolation)),
            ("outline", self.mask, get_args(MaskInterpolation)),
        ):
            if given not in known:
                raise BadSetting(f"The interpolation '{given}' of the {what} is unknown; {did_you_mean(given, known)}", item=given)

    @property
    def dimension(self) -> Literal["2D", "3D"]:
        """``2D`` where slices stay as they are."""
        return "2D" if len(self.spacing_mm) == 2 else "3D"


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """An image and its outline on their new grid.

    Attributes
    ----------
    array : ndarray, float64, shape (x, y, z)
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : (float, float, float)
    origin : (float, float, float)
        Where its first voxel lies, in voxels of the old grid.
    """

    array: Volume
    region: Region
    spacing_mm: Spacing
    origin: tuple[float, float, float]


def positions(count: int, step: float, new_step: float) -> Volume:
    """Return where the voxels of the new grid lie along one axis, in voxels of the old one.

    Parameters
    ----------
    count : int
        Voxels of the old grid.
    step, new_step : float
        Both spacings in mm.

    Returns
    -------
    ndarray, float64, shape (ceil(count * step / new_step),)
        The two grids share their centre; the outermost positions can lie up to half a voxel outside the old centres.

    Examples
    --------
    >>> positions(4, 3.0, 2.0).round(3).tolist()
    [-0.167, 0.5, 1.167, 1.833, 2.5, 3.167]
    """
    size = max(1, math.ceil(count * step / new_step - 1e-6))
    return np.asarray((np.arange(size) - (size - 1) / 2) * (new_step / step) + (count - 1) / 2)


def resampled(array: npt.NDArray[Any], region: Region, spacing_mm: Spacing, grid: Grid, *, margin_mm: float | None = None) -> Resampled:
    """Resample an image and its outline.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Not changed. Beyond the outermost voxel centres the outermost intensity holds.
    region : ndarray, bool, shape (x, y, z)
        At least one voxel.
    spacing_mm : (float, float, float)
    grid : Grid
    margin_mm : float or None
        What to give around the outline: voxels further away are cut off, with the same numbers in those that remain. None
        gives the whole image.

    Returns
    -------
    Resampled

    Raises
    ------
    BadCase
        For intensities that are NaN or infinite where they are needed, an outline that no new voxel holds half of, or a grid
        that memory cannot hold.

    Examples
    --------
    >>> a = np.array([0.0, 10.0, 20.0, 30.0]).reshape(4, 1, 1)
    >>> again = resampled(a, a > 5, (3.0, 3.0, 3.0), Grid((2.0, 3.0, 3.0)))
    >>> again.array.ravel().round(2).tolist(), again.region.ravel().tolist()
    ([0.0, 5.0, 11.67, 18.33, 25.0, 30.0], [False, True, True, True, True, True])
    """
    steps = (*grid.spacing_mm, *spacing_mm[len(grid.spacing_mm) :])
    axes = [positions(n, old, new) for n, old, new in zip(array.shape, spacing_mm, steps, strict=True)]
    if margin_mm is not None:
        axes = [_near(at, region, axis, margin_mm / spacing_mm[axis]) for axis, at in enumerate(axes)]
    if math.prod(at.size for at in axes) > MOST_VOXELS:
        raise BadCase(f"Resampled to {steps} mm, the image has {' x '.join(str(at.size) for at in axes)} voxels; choose a wider spacing.")
    moved = _interpolated(array, axes, grid.image)
    outline = _interpolated(region, axes, grid.mask) >= HALF
    if not outline.any():
        raise BadCase(f"The outline is lost when resampled to {steps} mm: no new voxel holds half of it; choose a finer spacing.")
    first = (float(axes[0][0]), float(axes[1][0]), float(axes[2][0]))
    return Resampled(np.rint(moved) if grid.rounded else moved, outline, (steps[0], steps[1], steps[2]), first)


def _near(at: Volume, region: Region, axis: int, margin: float) -> Volume:
    """Return the positions within `margin` voxels of those that can feel the outline."""
    filled = np.flatnonzero(region.any(axis=tuple(a for a in range(3) if a != axis)))
    near = (at >= filled[0] - 1 - margin) & (at <= filled[-1] + 1 + margin)
    return at[near] if near.any() else at[[np.abs(at - filled.mean()).argmin()]]


def _interpolated(array: npt.NDArray[Any], axes: list[Volume], how: str) -> Volume:
    """Return the array at the positions of each axis; only the part that they reach is touched."""
    part, shifted = [], []
    for n, at in zip(array.shape, axes, strict=True):
        inside = np.clip(at, 0, n - 1)
        first = max(0, math.floor(inside[0]) - REACH[how])
        part.append(slice(first, min(n, math.ceil(inside[-1]) + REACH[how] + 1)))
        shifted.append(inside - first)
    values = array[tuple(part)].astype(np.float64)
    _check_finite(values, tuple(cut.start for cut in part))
    for axis, at in enumerate(shifted):
        values = _along(values, at, axis, how)
    return values


def _check_finite(values: Volume, start: tuple[int, ...]) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        first = tuple(int(i + s) for i, s in zip(np.argwhere(bad)[0], start, strict=True))
        found = "1 voxel in or around the outline is" if bad.sum() == 1 else f"{bad.sum()} voxels in or around the outline are"
        raise BadCase(f"{found} NaN or infinite, the first at {first}; interpolation needs them: mend the image first.")


def _along(values: Volume, at: Volume, axis: int, how: str) -> Volume:
    """Interpolate along one axis at positions within it."""
    n = values.shape[axis]
    whole = np.rint(at)
    if np.abs(at - whole).max() < 1e-9:
        return values if np.array_equal(whole, np.arange(n)) else values.take(whole.astype(np.intp), axis=axis)
    if how == "nearest":
        return values.take(np.floor(at + 0.5 - 1e-9).astype(np.intp), axis=axis)
    below = np.minimum(np.floor(at), max(n - 2, 0)).astype(np.intp)
    share = at - below
    taps: tuple[npt.NDArray[np.intp], ...] = (below, below + 1)
    weights: tuple[Volume, ...] = (1 - share, share)
    if how == "cubic":
        values = scipy.ndimage.spline_filter1d(values, 3, axis=axis, mode="mirror")
        taps, weights = tuple(_mirrored(below + k, n) for k in (-1, 0, 1, 2)), _spline_weights(share)
    shape = tuple(-1 if a == axis else 1 for a in range(3))
    total = np.zeros(())
    for tap, weight in zip(taps, weights, strict=True):
        total = total + values.take(tap, axis=axis) * weight.reshape(shape)
    return total


def _spline_weights(share: Volume) -> tuple[Volume, ...]:
    """Return the weights of the cubic B-spline at `share` of the way between the second and the third of four knots."""
    rest = 1 - share
    return rest**3 / 6, 2 / 3 - share**2 + share**3 / 2, 2 / 3 - rest**2 + rest**3 / 2, share**3 / 6


def _mirrored(index: npt.NDArray[np.intp], n: int) -> npt.NDArray[np.intp]:
    """Reflect positions about the outermost voxel centres, as the spline's filter does."""
    return np.abs((index + n - 1) % max(2 * n - 2, 1) - (n - 1)) if n > 1 else np.zeros_like(index)
