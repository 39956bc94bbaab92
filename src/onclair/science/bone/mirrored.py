"""The other side of the body laid onto this one: mirrored across the midline, then moved as a rigid body until the surfaces meet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from onclair.core.errors import BadInput
from onclair.core.geometry import Affine
from onclair.science.volumes.components import box_of

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Surface points of the other bone that are matched.
MOST_POINTS = 4000
#: Share of the nearest pairs that move the bone: ends that only one side shows, and lesions, stay out.
TRIMMED = 0.8
#: Voxels around the affected bone in which the other side is laid.
MARGIN = 8
ROUNDS = 100
#: The rounds end when the mean distance falls by less, mm.
SETTLED_MM = 1e-5


def mirrored_onto(values: Floats, other: Flags, affected: Flags, affine: Affine) -> tuple[Floats, float]:
    """Return the values of the other side where the affected bone lies.

    Parameters
    ----------
    values : ndarray, float64, shape (x, y, z)
        Of the whole grid, such as Young's modulus in MPa.
    other, affected : ndarray, bool, shape (x, y, z)
        The two bones.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm; the mirror turns the sign of x.

    Returns
    -------
    laid : ndarray, float64, shape (x, y, z)
        0 where the other side has no bone, and far from the affected one.
    apart_mm : float
        Mean distance of the nearest 80 % of the surface points after registration.

    Raises
    ------
    BadInput
        When a side has no voxel.

    Notes
    -----
    Iterative closest point, trimmed: Chetverikov et al. 2005, Image Vis Comput 23:299, doi 10.1016/j.imavis.2004.05.007. It starts
    from the mirror image with the centroids of the surfaces together.

    Examples
    --------
    >>> grid = np.zeros((24, 8, 8)); grid[2:8, 2:6, 1:7] = 1.0; grid[16:22, 2:6, 1:7] = 2.0
    >>> laid, apart = mirrored_onto(grid, grid == 1.0, grid == 2.0, np.eye(4))
    >>> bool((laid[grid == 2.0] > 0.99).all()), round(apart, 6)
    (True, 0.0)
    """
    for name, bone in (("affected", affected), ("other", other)):
        if not bone.any():
            raise BadInput(f"The {name} side has no voxel; give the label of a bone that is there.", item=name)
    fixed = _surface(affected, affine)
    moving = _thinned(_surface(other, affine)) * np.array([-1.0, 1.0, 1.0])
    rotation, shift, apart = _matched(moving, fixed)
    inverse = np.linalg.inv(affine)
    box = box_of(affected, margin=MARGIN)  # and not the affected bone alone: its own outline says nothing of the other side's
    size = tuple(side.stop - side.start for side in box)
    index = np.indices(size).reshape(3, -1).T + np.array([side.start for side in box])
    world = index @ affine[:3, :3].T + affine[:3, 3]
    back = (world - shift) @ rotation  # the inverse of a rotation is its transpose
    place = (back * np.array([-1.0, 1.0, 1.0])) @ inverse[:3, :3].T + inverse[:3, 3]
    laid = np.zeros(values.shape)
    laid[box] = ndimage.map_coordinates(np.where(other, values, 0.0), place.T, order=1, mode="constant").reshape(size)
    return laid, apart


def _surface(bone: Flags, affine: Affine) -> Floats:
    """Return the surface voxels of a bone in LPS mm."""
    edge = np.argwhere(bone & ~ndimage.binary_erosion(bone, border_value=1))
    return np.asarray(edge @ affine[:3, :3].T + affine[:3, 3])


def _thinned(points: Floats) -> Floats:
    return points[:: max(1, len(points) // MOST_POINTS)]


def _matched(moving: Floats, fixed: Floats) -> tuple[Floats, Floats, float]:
    """Return rotation, shift and mean distance that lay `moving` onto `fixed`."""
    tree = cKDTree(fixed)
    rotation, shift = np.eye(3), fixed.mean(axis=0) - moving.mean(axis=0)
    before = np.inf
    for _ in range(ROUNDS):
        placed = moving @ rotation.T + shift
        found = tree.query(placed)
        apart, nearest = np.asarray(found[0], np.float64), np.asarray(found[1], np.int64)
        near = np.argsort(apart, kind="stable")[: max(3, int(TRIMMED * len(apart)))]
        mean = float(apart[near].mean())
        if before - mean < SETTLED_MM:
            break
        before = mean
        rotation, shift = _rigid(moving[near], fixed[nearest[near]])
    return rotation, shift, mean


def _rigid(source: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return the rotation and shift of least squares (Kabsch 1976, doi 10.1107/S0567739476001873)."""
    middle, aim = source.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((source - middle).T @ (target - aim))
    turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    rotation = vt.T @ turn @ u.T
    return rotation, aim - rotation @ middle
