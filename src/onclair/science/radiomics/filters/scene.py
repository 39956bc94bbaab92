"""What every filter is given: an image, its spacing, where the response is wanted and how the filter meets the edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadGeometry, BadSetting
from onclair.science.radiomics.filters.boundaries import Boundary, Span, checked_boundary

Response: TypeAlias = npt.NDArray[np.float64]
Spans: TypeAlias = tuple[Span, Span, Span]
Spacing: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """An image to filter.

    Attributes
    ----------
    array : ndarray of real numbers, shape (x, y, z)
    spacing_mm : (float, float, float)
    spans : three (first, one after the last)
        Voxels whose response is wanted; the response has this shape. The whole image still answers for what lies around.
    dimensions : {2, 3}
        2 filters each slice (x, y) by itself.
    boundary : {"zero", "nearest", "periodic", "mirror"}
    """

    array: npt.NDArray[Any]
    spacing_mm: Spacing
    spans: Spans
    dimensions: Literal[2, 3]
    boundary: Boundary

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that the filter runs along."""
        return tuple(range(self.dimensions))

    @property
    def inside(self) -> tuple[slice, slice, slice]:
        """The spans, to index the image with."""
        x, y, z = (slice(*span) for span in self.spans)
        return x, y, z


def scene(
    array: npt.NDArray[Any], spacing_mm: npt.ArrayLike, dimensions: Literal[2, 3], boundary: Boundary, box: tuple[slice, ...] | None = None
) -> Scene:
    """Check an image and return it as a scene.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Finite everywhere.
    spacing_mm : array_like, shape (3,)
    dimensions : {2, 3}
    boundary : {"zero", "nearest", "periodic", "mirror"}
    box : three slices or None
        Where the response is wanted; None for everywhere.

    Raises
    ------
    BadGeometry
        When the image is not three-dimensional, or the spacing is not three positive lengths.
    BadCase
        When the image holds NaN, infinity or what is no number, or the box holds no voxel.
    BadSetting
        For other dimensions than 2 and 3, or an unknown boundary condition.

    Examples
    --------
    >>> scene(np.zeros((4, 4, 4)), (1, 1, 1), 3, "mirror", np.s_[1:3, :, :2]).spans
    ((1, 3), (0, 4), (0, 2))
    """
    array = np.asarray(array)
    if array.ndim != 3 or 0 in array.shape:
        raise BadGeometry(f"The image to filter has shape {array.shape}; it must be (x, y, z), with a voxel at least.")
    if array.dtype.kind not in "buif" or not np.isfinite(array).all():
        raise BadCase(f"The image to filter ({array.dtype}) holds NaN, infinity or what is no number; a filter would spread it: mend it.")
    if dimensions not in (2, 3):
        raise BadSetting(f"A filter has 2 or 3 dimensions, not {dimensions}.", item="dimensions")
    checked_boundary(boundary)
    x, y, z = _spans(array.shape, box)
    return Scene(array, _checked_spacing(spacing_mm), (x, y, z), dimensions, boundary)


def _spans(shape: tuple[int, ...], box: tuple[slice, ...] | None) -> tuple[Span, ...]:
    spans = tuple(part.indices(size)[:2] for part, size in zip(box or (slice(None),) * 3, shape, strict=True))
    if any(first >= last for first, last in spans):
        raise BadCase(f"The box {spans} in which the response is wanted holds no voxel of the image, whose shape is {shape}.")
    return spans


def _checked_spacing(spacing_mm: npt.ArrayLike) -> Spacing:
    steps = [float(step) for step in np.asarray(spacing_mm, dtype=np.float64).ravel()]
    if len(steps) != 3 or not all(math.isfinite(step) and step > 0 for step in steps):
        raise BadGeometry(f"The voxel spacing is {tuple(steps)}; it must be three positive lengths in mm.")
    return steps[0], steps[1], steps[2]
