"""Grids in space: affines checked, compared and re-indexed, never resampled.

An affine is 4 x 4, float64, and maps voxel indices (x, y, z, 1) to LPS millimetres.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadGeometry

Affine = npt.NDArray[np.float64]
#: Two grids are the same when no voxel centre moves by more than this.
TOLERANCE_MM = 0.01


def checked_affine(affine: npt.ArrayLike, *, of: str = "the image") -> Affine:
    """Return `affine` as a read-only float64 4 x 4 array.

    Parameters
    ----------
    affine : array_like, shape (4, 4)
        Voxel index to LPS mm.
    of : str
        Whose affine it is, for the error.

    Raises
    ------
    BadGeometry
        When it is not 4 x 4, not finite, its last row is not 0 0 0 1, or its axes span no volume.

    Examples
    --------
    >>> checked_affine(np.diag([2.0, 2.0, 3.0, 1.0]))[2, 2]
    np.float64(3.0)
    """
    matrix = np.array(affine, dtype=np.float64)
    if matrix.shape != (4, 4):
        raise BadGeometry(f"The affine of {of} has shape {matrix.shape}; it must be 4 x 4, voxel to LPS mm.")
    if not np.isfinite(matrix).all():
        raise BadGeometry(f"The affine of {of} holds NaN or infinity; write the file again with its true position and spacing.")
    if not np.allclose(matrix[3], [0, 0, 0, 1]):
        raise BadGeometry(f"The last row of the affine of {of} is {matrix[3].tolist()}; it must be 0 0 0 1.")
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if (lengths <= 0).any() or abs(np.linalg.det(matrix[:3, :3])) < 1e-6 * float(np.prod(lengths)):
        raise BadGeometry(
            f"The affine of {of} spans no volume (axis lengths {lengths.round(4).tolist()} mm); three independent axes are needed."
        )
    matrix.setflags(write=False)
    return matrix


def spacing_mm(affine: Affine) -> tuple[float, float, float]:
    """Return the distance between voxel centres along x, y and z, in mm.

    Examples
    --------
    >>> spacing_mm(np.diag([-2.0, 2.0, 3.0, 1.0]))
    (2.0, 2.0, 3.0)
    """
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
    return float(x), float(y), float(z)


def same_grid(affine: Affine, shape: tuple[int, ...], other: Affine, other_shape: tuple[int, ...]) -> bool:
    """Return whether two grids put every voxel at the same place, within 0.01 mm.

    Examples
    --------
    >>> same_grid(np.eye(4), (2, 2, 2), np.eye(4), (2, 2, 3))
    False
    """
    if tuple(shape[:3]) != tuple(other_shape[:3]):
        return False
    corners = np.array(list(itertools.product(*[(0, n - 1) for n in shape[:3]])), dtype=float)
    homogeneous = np.c_[corners, np.ones(len(corners))]
    return bool(np.abs(homogeneous @ (affine - other).T).max() <= TOLERANCE_MM)


def reindexed(
    array: npt.NDArray[Any], affine: Affine, onto: Affine, onto_shape: tuple[int, ...], *, of: str = "the outline"
) -> npt.NDArray[Any]:
    """Return `array` with its axes flipped and permuted so that it lies on another grid, voxel for voxel.

    Parameters
    ----------
    array : ndarray, shape (x, y, z)
    affine, onto : ndarray, shape (4, 4)
        The grid that `array` has, and the one that it shall have.
    onto_shape : tuple of int
        Shape of the target grid; only the first three count.
    of : str
        What is being re-indexed, for the error.

    Returns
    -------
    ndarray, shape `onto_shape[:3]`

    Raises
    ------
    BadGeometry
        When no flip or permutation makes the grids equal; nothing is ever resampled here. Both affines are quoted.

    Examples
    --------
    >>> flipped = np.diag([-1.0, 1, 1, 1]); flipped[0, 3] = 1
    >>> reindexed(np.array([[[1]], [[2]]]), np.eye(4), flipped, (2, 1, 1)).ravel().tolist()
    [2, 1]
    """
    for order in itertools.permutations(range(3)):
        moved = np.transpose(array, order)
        if moved.shape != tuple(onto_shape[:3]):
            continue
        for flips in itertools.product((1, -1), repeat=3):
            index = _index_map(order, flips, moved.shape)
            if same_grid(affine @ index, moved.shape, onto, onto_shape):
                return moved[tuple(slice(None, None, f) for f in flips)]
    raise BadGeometry(
        f"{of[:1].upper()}{of[1:]} lies on another grid: shape {array.shape} and affine {_quoted(affine)} against "
        f"shape {tuple(onto_shape[:3])} and affine {_quoted(onto)}{_shift(affine, onto)}; resample it onto the image first."
    )


def _index_map(order: tuple[int, ...], flips: tuple[int, ...], shape: tuple[int, ...]) -> Affine:
    """Return the 4 x 4 map from the moved array's indices to the original array's."""
    index = np.zeros((4, 4))
    index[3, 3] = 1
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        index[source, axis] = flip
        index[source, 3] = 0 if flip == 1 else shape[axis] - 1
    return index


def _quoted(affine: Affine) -> str:
    return str([[round(float(v), 3) for v in row] for row in affine[:3]])


def _shift(affine: Affine, other: Affine) -> str:
    if not np.allclose(affine[:3, :3], other[:3, :3], atol=1e-4):
        return ""
    shift = float(np.linalg.norm(affine[:3, 3] - other[:3, 3]))
    return f" (shifted by {shift:.2f} mm)" if shift > TOLERANCE_MM else " (same place and spacing, another number of voxels)"
