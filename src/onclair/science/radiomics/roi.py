"""One region made ready: checked, cropped to its box, re-segmented; what every family of features starts from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadGeometry
from onclair.science.radiomics.resegment import within_outliers, within_range

#: No scanner's unit comes near it, and fourth powers of it can still be held.
LARGEST = 1e60

Spacing = tuple[float, float, float]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """A region of interest, cropped.

    Attributes
    ----------
    array : ndarray, float64, shape (x, y, z)
        Intensities in the box around the outline, 0 outside the outline.
    region : ndarray, bool, shape (x, y, z)
        The morphological mask: the outline as drawn.
    kept : ndarray, bool, shape (x, y, z)
        The intensity mask: what re-segmentation leaves of it.
    spacing_mm : (float, float, float)
    image : ndarray of real numbers
        The image that the region was cut from, for what looks beyond the outline; a view, never changed.
    box : tuple of three slices
        Where in `image` the region was.
    """

    array: npt.NDArray[np.float64]
    region: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.bool_]
    spacing_mm: Spacing
    image: npt.NDArray[Any]
    box: Box

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Intensities of the intensity mask, in its order."""
        return self.array[self.kept]


def prepared(
    array: npt.NDArray[Any],
    region: npt.NDArray[np.bool_],
    spacing_mm: npt.ArrayLike,
    bounds: tuple[float, float] | None = None,
    *,
    outliers: float | None = None,
) -> Roi:
    """Check a volume and its outline, crop both to the outline's box and re-segment.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Only the voxels inside the outline need be finite.
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : array_like, shape (3,)
    bounds : (low, high) or None
        Re-segmentation range.
    outliers : float or None
        Standard deviations from the mean, of what the range has left, beyond which a voxel does not count.

    Raises
    ------
    BadGeometry
        When the shapes differ or the spacing is not three positive lengths.
    BadCase
        For an empty outline, NaN or infinity inside it, impossible intensities, or no voxel within the range.

    Examples
    --------
    >>> a = np.arange(8.0).reshape(2, 2, 2)
    >>> prepared(a, a > 5, (1, 1, 1)).array.shape
    (1, 1, 2)
    """
    spacing = checked_spacing(spacing_mm)
    array, region = checked_outline(array, region)
    box = box_around(region)
    cropped, mask = array[box].astype(np.float64), region[box]
    _check_finite(cropped, mask, box)
    if not mask.all():
        cropped[~mask] = 0.0
    largest = max(-float(cropped.min()), float(cropped.max()))
    if largest > LARGEST:
        raise BadCase(f"Intensities inside the outline reach {largest:g}, beyond {LARGEST:g}; check the image's type and scale.")
    kept = within_outliers(cropped, within_range(cropped, mask, bounds), outliers)
    return Roi(cropped, mask, kept, spacing, array, box)


def checked_outline(array: npt.NDArray[Any], region: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return both arrays, or refuse those that do not fit together, that hold no numbers, or an empty outline.

    Raises
    ------
    BadGeometry, BadCase

    Examples
    --------
    >>> checked_outline(np.ones((1, 1, 2)), np.ones((1, 1, 2), bool))[1].sum()
    np.int64(2)
    """
    array, region = np.asarray(array), np.asarray(region)
    if array.ndim != 3 or array.shape != region.shape:
        raise BadGeometry(f"The image has shape {array.shape} and the outline {region.shape}; both must be the same (x, y, z).")
    if region.dtype != np.bool_ or array.dtype.kind not in "buif":
        raise BadCase(f"The image is {array.dtype} and the outline {region.dtype}; they must be real numbers and bool.")
    if not region.any():
        raise BadCase("The outline is empty: it holds no voxel; check that it was drawn on this image.")
    return array, region


def checked_spacing(spacing_mm: npt.ArrayLike) -> Spacing:
    """Return the spacing as three floats.

    Raises
    ------
    BadGeometry
        When it is not three positive lengths.

    Examples
    --------
    >>> checked_spacing([1, 1, 3])
    (1.0, 1.0, 3.0)
    """
    spacing = tuple(float(step) for step in np.asarray(spacing_mm, dtype=np.float64).ravel())
    if len(spacing) != 3 or not all(math.isfinite(step) and step > 0 for step in spacing):
        raise BadGeometry(f"The voxel spacing is {spacing}; it must be three positive lengths in mm.")
    return spacing[0], spacing[1], spacing[2]


def box_around(region: npt.NDArray[np.bool_]) -> Box:
    """Return the smallest box that holds the outline.

    Examples
    --------
    >>> box_around(np.eye(3, dtype=bool)[:, :, None])[2]
    slice(0, 1, None)
    """
    sides = []
    for axis in range(3):
        filled = np.flatnonzero(region.any(axis=tuple(a for a in range(3) if a != axis)))
        sides.append(slice(int(filled[0]), int(filled[-1]) + 1))
    return sides[0], sides[1], sides[2]


def _check_finite(cropped: npt.NDArray[np.float64], mask: npt.NDArray[np.bool_], box: Box) -> None:
    finite = np.isfinite(cropped)
    if not (finite | ~mask).all():
        bad = mask & ~finite
        first = tuple(int(i + part.start) for i, part in zip(np.argwhere(bad)[0], box, strict=True))
        count = int(bad.sum())
        found = "1 voxel inside the outline is" if count == 1 else f"{count} voxels inside the outline are"
        raise BadCase(f"{found} NaN or infinite, the first at {first}; mend the image or the outline.")
