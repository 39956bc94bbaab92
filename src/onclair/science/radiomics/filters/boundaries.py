"""What a filter finds beyond the edge of the image: the four boundary conditions of IBSI.

IBSI manual on filters, arXiv:2006.05470 (boundary condition: GBYQ).
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean

Boundary: TypeAlias = Literal["zero", "nearest", "periodic", "mirror"]
BOUNDARIES: tuple[str, ...] = get_args(Boundary)
#: A stretch of voxels along one axis: the first, and the one after the last.
Span: TypeAlias = tuple[int, int]
NOWHERE = -1


def checked_boundary(boundary: str) -> None:
    """Refuse an unknown boundary condition.

    Raises
    ------
    BadSetting
        Quoting the nearest known one.

    Examples
    --------
    >>> checked_boundary("mirror")
    """
    if boundary not in BOUNDARIES:
        raise BadSetting(f"The boundary condition '{boundary}' is unknown; {did_you_mean(boundary, BOUNDARIES)}", item="boundary")


def indices_beyond(span: Span, size: int, boundary: Boundary) -> npt.NDArray[np.intp]:
    """Return which voxel of an axis stands for each position of a span that may reach beyond it.

    Parameters
    ----------
    span : (int, int)
        Positions asked for; 0 is the first voxel, negative positions lie before it.
    size : int
        Voxels along the axis.
    boundary : {"zero", "nearest", "periodic", "mirror"}
        Mirror repeats the voxel at the edge: ``c b a | a b c | c b a``.

    Returns
    -------
    ndarray, intp, shape (stop - start,)
        Indices into the axis; -1 where the image is taken as zero.

    Examples
    --------
    >>> indices_beyond((-2, 5), 3, "mirror").tolist()
    [1, 0, 0, 1, 2, 2, 1]
    >>> indices_beyond((-2, 5), 3, "zero").tolist()
    [-1, -1, 0, 1, 2, -1, -1]
    """
    asked = np.arange(*span)
    if boundary == "periodic":
        return np.asarray(asked % size, dtype=np.intp)
    if boundary == "nearest":
        return np.asarray(np.clip(asked, 0, size - 1), dtype=np.intp)
    if boundary == "mirror":
        folded = asked % (2 * size)
        return np.asarray(np.minimum(folded, 2 * size - 1 - folded), dtype=np.intp)
    return np.asarray(np.where((asked >= 0) & (asked < size), asked, NOWHERE), dtype=np.intp)


def reach(span: Span, radius: int, size: int, boundary: Boundary) -> Span:
    """Return the voxels that a kernel reads to answer for a span.

    Parameters
    ----------
    span : (int, int)
        Voxels whose response is wanted, inside the axis.
    radius : int
        Of the kernel.
    size : int
    boundary : {"zero", "nearest", "periodic", "mirror"}

    Returns
    -------
    (int, int)
        Inside the axis.

    Examples
    --------
    >>> reach((2, 5), 4, 20, "mirror"), reach((2, 5), 4, 20, "periodic")
    ((0, 9), (0, 20))
    """
    first, last = span[0] - radius, span[1] + radius
    if boundary == "periodic" and (first < 0 or last > size):
        return 0, size
    return max(first, 0), min(last, size)


def extended(array: npt.NDArray[Any], spans: tuple[Span, ...], boundary: Boundary) -> npt.NDArray[np.float64]:
    """Return a block of an image that may reach beyond its edges.

    Parameters
    ----------
    array : ndarray of real numbers, n axes
    spans : tuple of (int, int), one for each axis
    boundary : {"zero", "nearest", "periodic", "mirror"}

    Returns
    -------
    ndarray, float64

    Examples
    --------
    >>> extended(np.array([[1.0, 2.0]]), ((0, 1), (-1, 3)), "nearest").tolist()
    [[1.0, 1.0, 2.0, 2.0]]
    """
    block = np.asarray(array)
    # What shrinks the block most goes first.
    for axis in sorted(range(block.ndim), key=lambda axis: (spans[axis][1] - spans[axis][0]) / array.shape[axis]):
        span = spans[axis]
        if span == (0, array.shape[axis]):
            continue
        indices = indices_beyond(span, array.shape[axis], boundary)
        block = np.take(block, indices, axis=axis)
        beyond = indices == NOWHERE
        if beyond.any():
            block[(slice(None),) * axis + (beyond,)] = 0
    return np.ascontiguousarray(block, dtype=np.float64)
