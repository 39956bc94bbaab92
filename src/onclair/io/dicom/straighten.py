"""A stack of slices under a tilted gantry, moved back onto a box: each slice shifted within its own plane, nothing else changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.geometry import Affine


def straightened(array: npt.NDArray[Any], affine: Affine, *, empty: float) -> tuple[npt.NDArray[Any], Affine]:
    """Return a sheared volume on a grid whose axes are perpendicular.

    Parameters
    ----------
    array : ndarray, shape (x, y, z)
    affine : ndarray, float64, shape (4, 4)
        Voxel to LPS mm; the first two axes perpendicular, the third off their normal.
    empty : float
        Where no slice reaches.

    Returns
    -------
    array : ndarray of the same type, shape (x + a, y + b, z)
        Wide enough to hold every slice; interpolated linearly within slices, whole numbers rounded. The first slice is unchanged.
    affine : ndarray, float64, shape (4, 4)
        The third axis along the normal: a distance in the stack is now the distance in the body.

    Examples
    --------
    >>> tilted = np.eye(4); tilted[1, 2] = 1.0
    >>> straight, affine = straightened(np.array([[[1, 1], [2, 2]]]), tilted, empty=0)
    >>> straight[0].T.tolist(), affine[1, 2]
    ([[1, 2, 0], [0, 1, 2]], np.float64(0.0))
    """
    row, column, step = affine[:3, 0], affine[:3, 1], affine[:3, 2]
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    drift = np.array([step @ axis / (axis @ axis) for axis in (row, column)])
    last = array.shape[2] - 1
    low, high = np.floor(np.minimum(0, last * drift)).astype(int), np.ceil(np.maximum(0, last * drift)).astype(int)
    out = np.full((array.shape[0] + high[0] - low[0], array.shape[1] + high[1] - low[1], array.shape[2]), empty, np.float64)
    for k in range(array.shape[2]):
        plane = array[:, :, k].astype(np.float64)
        for axis in (0, 1):
            plane = _shifted(plane, axis, float(k * drift[axis] - low[axis]), out.shape[axis], empty)
        out[:, :, k] = plane
    box = np.eye(4)
    box[:3, 0], box[:3, 1], box[:3, 2] = row, column, normal * (step @ normal)
    box[:3, 3] = affine[:3, 3] + low[0] * row + low[1] * column
    if np.issubdtype(array.dtype, np.integer):
        out = np.rint(out)
    return out.astype(array.dtype), box


def _shifted(plane: npt.NDArray[np.float64], axis: int, by: float, length: int, empty: float) -> npt.NDArray[np.float64]:
    """Return a slice moved along one axis by a distance of 0 or more voxels, on an axis of another length."""
    whole, part = int(np.floor(by)), by - np.floor(by)
    size = plane.shape[axis]
    after = max(length - whole - size, 0)
    moved = [np.pad(plane, _around(axis, whole + extra, after), constant_values=empty) for extra in (0, 1)]
    near, far = (np.take(one, range(length), axis=axis, mode="clip") for one in moved)
    return np.asarray((1 - part) * near + part * far) if part else np.asarray(near)


def _around(axis: int, before: int, after: int) -> list[tuple[int, int]]:
    return [(before, after) if one == axis else (0, 0) for one in (0, 1)]
