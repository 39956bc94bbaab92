"""How long and how wide a region is: diameters between voxel centres, in slices and in space."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import spatial

from onclair.core.errors import BadCase
from onclair.core.geometry import Affine, spacing_mm

Floats = npt.NDArray[np.float64]
_PAIRS_AT_ONCE = 2000


def equivalent_diameter_mm(volume_ml: float) -> float:
    """Return the diameter of the sphere that has a volume, ``(6 V / pi)^(1/3)``.

    Examples
    --------
    A sphere of 10 mm across holds 0.5236 ml:

    >>> round(equivalent_diameter_mm(0.5235988), 6)
    10.0
    """
    return float((6000.0 * volume_ml / np.pi) ** (1 / 3))


def volume_ml(voxels: int, affine: Affine) -> float:
    """Return the volume of a number of voxels.

    Examples
    --------
    >>> volume_ml(1000, np.diag([1.0, 1.0, 2.0, 1.0]))
    2.0
    """
    return float(voxels * abs(np.linalg.det(affine[:3, :3])) / 1000.0)


def slice_axis(affine: Affine) -> int:
    """Return the array's axis that runs most nearly along the body: 2 where slices are axial.

    Examples
    --------
    >>> slice_axis(np.diag([1.0, 1.0, 3.0, 1.0]))
    2
    """
    along = np.abs(affine[2, :3]) / np.linalg.norm(affine[:3, :3], axis=0)
    return int(np.argmax(along))


def axial_diameters_mm(region: npt.NDArray[Any], affine: Affine) -> tuple[float, float]:
    """Return the longest diameter of a region in one of its axial slices, and its width across that line in the same slice.

    Lengths run from voxel centre to voxel centre, and are no less than a voxel's edge: on spheres drawn by their voxel centres this
    is right within 0.3 voxel edges, where lines from edge to edge read about one edge too long. The width is the extent of
    the slice's voxels across the longest line.

    Parameters
    ----------
    region : ndarray, shape (x, y, z)
        What is not zero belongs.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm; the slices are those of the axis that runs most nearly along the body.

    Returns
    -------
    longest, perpendicular : float
        In mm.

    Raises
    ------
    BadCase
        For an empty region.

    Examples
    --------
    >>> region = np.zeros((9, 9, 3), bool); region[1:8, 3:6, 1] = True
    >>> longest, across = axial_diameters_mm(region, np.eye(4))
    >>> round(longest**2, 6), round(across, 6)
    (40.0, 3.794733)
    """
    indices = _indices(region)
    axis = slice_axis(affine)
    edge = min(s for a, s in enumerate(spacing_mm(affine)) if a != axis)
    best, best_points = (-1.0, np.zeros(3)), np.zeros((1, 3))
    for number in np.unique(indices[:, axis]):
        points = indices[indices[:, axis] == number] @ affine[:3, :3].T
        found = _longest(points, axis, affine)
        if found[0] > best[0]:
            best, best_points = found, points
    length, along = best
    if length <= 0:
        return edge, edge
    normal = _normal(axis, affine)
    across = np.cross(normal, along / length)
    extent = float(np.ptp(best_points @ across))
    return max(length, edge), max(extent, edge)


def longest_diameter_mm(region: npt.NDArray[Any], affine: Affine) -> float:
    """Return the longest distance in space between two voxel centres of a region, no less than the shortest voxel edge.

    Parameters
    ----------
    region : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)

    Raises
    ------
    BadCase
        For an empty region.

    Examples
    --------
    >>> region = np.zeros((4, 5, 3), bool); region[0, 0, 0] = region[3, 4, 0] = True
    >>> longest_diameter_mm(region, np.eye(4))
    5.0
    """
    points = _indices(region) @ affine[:3, :3].T
    return max(_farthest(_corners(points))[0], min(spacing_mm(affine)))


def centroid_mm(region: npt.NDArray[Any], affine: Affine) -> Floats:
    """Return the mean place of a region's voxels, LPS mm, shape (3,).

    Raises
    ------
    BadCase
        For an empty region.

    Examples
    --------
    >>> region = np.zeros((4, 4, 4), bool); region[1:3, 2, 0] = True
    >>> centroid_mm(region, np.diag([2.0, 2.0, 5.0, 1.0])).tolist()
    [3.0, 4.0, 0.0]
    """
    return np.asarray(affine[:3, :3] @ _indices(region).mean(axis=0) + affine[:3, 3], dtype=np.float64)


def _indices(region: npt.NDArray[Any]) -> Floats:
    indices = np.argwhere(region).astype(np.float64)
    if not len(indices):
        raise BadCase("The region holds no voxel, so that it has no size and no place; leave it out.")
    return indices


def _normal(axis: int, affine: Affine) -> Floats:
    """Return the unit vector across the slices of an axis."""
    first, second = (affine[:3, a] for a in range(3) if a != axis)
    normal = np.cross(first, second)
    return np.asarray(normal / np.linalg.norm(normal), dtype=np.float64)


def _longest(points: Floats, axis: int, affine: Affine) -> tuple[float, Floats]:
    """Return the longest line between the points of one slice: its length and direction."""
    first, second = (affine[:3, a] / np.linalg.norm(affine[:3, a]) for a in range(3) if a != axis)
    second = second - (second @ first) * first
    second /= np.linalg.norm(second)
    flat = points @ np.stack([first, second], axis=1)
    length, ends = _farthest(_corners(flat))
    return length, np.asarray(ends @ np.stack([first, second]), dtype=np.float64)


def _corners(points: Floats) -> Floats:
    """Return the points on the convex hull, or all of them where they are too few or too flat for one."""
    if len(points) <= points.shape[1] + 1:
        return points
    try:
        return np.asarray(points[spatial.ConvexHull(points).vertices], dtype=np.float64)
    except spatial.QhullError:
        return points


def _farthest(points: Floats) -> tuple[float, Floats]:
    """Return the distance of the two points that lie farthest apart, and the line from one to the other."""
    best, line = 0.0, np.zeros(points.shape[1])
    for start in range(0, len(points), _PAIRS_AT_ONCE):
        apart = spatial.distance.cdist(points[start : start + _PAIRS_AT_ONCE], points)
        i, j = np.unravel_index(int(apart.argmax()), apart.shape)
        if apart[i, j] > best:
            best, line = float(apart[i, j]), points[j] - points[start + i]
    return best, line
