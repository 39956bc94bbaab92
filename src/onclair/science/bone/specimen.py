"""A bone taken out of its scan, on a grid of its own: upright or turned into a frame of loading, coarser where that is asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadGeometry, BadInput
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.volumes.components import box_of
from onclair.science.volumes.resample import onto, resampled

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Instances = npt.NDArray[np.int32]

#: A voxel of the new grid is bone, or lesion, where half of it is.
HALF = 0.5
#: Samples along each axis of a voxel of a turned grid; odd, so that no voxel is half bone.
WITHIN = 3
#: Axes may lean by this much (cosine) before a grid counts as sheared.
SHEAR = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """One bone on one grid.

    Attributes
    ----------
    density_mg_cc : ndarray, float64, shape (x, y, z)
        K2HPO4-equivalent.
    error_mg_cc : ndarray, float64, shape (x, y, z)
        Standard error that the calibration carries, the same way everywhere.
    bone, body : ndarray, bool, shape (x, y, z)
        The bone; and the part of it that bears the caps, a vertebra's body (else the bone itself).
    lesions : ndarray, int32, shape (x, y, z)
        Instances, 0 outside.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    probability : ndarray, float64, shape (x, y, z), or None
        Calibrated probability that a voxel is lesion, where a model gave one.
    """

    density_mg_cc: Floats
    error_mg_cc: Floats
    bone: Flags
    body: Flags
    lesions: Instances
    affine: Affine
    probability: Floats | None = None

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Edges of a voxel."""
        return spacing_mm(self.affine)


def require_boxes(affine: Affine) -> Floats:
    """Return the unit vectors of a grid's axes, one a column.

    Raises
    ------
    BadGeometry
        For a sheared grid, whose voxels are no boxes.

    Examples
    --------
    >>> require_boxes(np.diag([2.0, 2.0, 3.0, 1.0]))[2].tolist()
    [0.0, 0.0, 1.0]
    """
    axes = np.asarray(affine[:3, :3] / np.array(spacing_mm(affine)))
    if np.abs(axes.T @ axes - np.eye(3)).max() > SHEAR:
        raise BadGeometry("The grid is sheared (a tilted gantry), so its voxels are no boxes; straighten the scan first.")
    return axes


def upright(specimen: Specimen) -> Specimen:
    """Return the specimen with its axes permuted and flipped to run leftward, backward and upward, as nearly as they can.

    Raises
    ------
    BadGeometry
        For a sheared grid, whose voxels are no boxes.

    Examples
    --------
    >>> turned = np.diag([1.0, 1.0, -1.0, 1.0])
    >>> one = np.zeros((1, 1, 3)); one[0, 0, 0] = 7.0
    >>> upright(Specimen(one, one, one > 0, one > 0, one.astype(np.int32), turned)).density_mg_cc.ravel().tolist()
    [0.0, 0.0, 7.0]
    """
    axes = require_boxes(specimen.affine)
    order = max(itertools.permutations(range(3)), key=lambda p: sum(abs(axes[row, column]) for row, column in enumerate(p)))
    flips = [int(np.sign(axes[row, column])) for row, column in enumerate(order)]
    index = np.zeros((4, 4))
    index[3, 3] = 1.0
    for row, (column, flip) in enumerate(zip(order, flips, strict=True)):
        index[column, row] = flip
        index[column, 3] = 0 if flip == 1 else specimen.bone.shape[column] - 1

    def moved(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.transpose(array, order)[tuple(slice(None, None, flip) for flip in flips)]

    return _each(specimen, moved, specimen.affine @ index)


def cropped(specimen: Specimen, room_mm: float) -> Specimen:
    """Return the specimen cut to the box of its bone with room around it; what lies beyond the scan holds nothing.

    Parameters
    ----------
    specimen : Specimen
    room_mm : float

    Raises
    ------
    BadInput
        For a bone without a voxel.

    Examples
    --------
    >>> one = np.zeros((9, 9, 9)); one[4, 4, 8] = 7.0
    >>> small = cropped(Specimen(one, one, one > 0, one > 0, one.astype(np.int32), np.eye(4)), 2.0)
    >>> small.bone.shape, small.affine[:3, 3].tolist(), float(small.density_mg_cc[2, 2, 2])
    ((5, 5, 5), [2.0, 2.0, 6.0], 7.0)
    """
    if not specimen.bone.any():
        raise BadInput("The bone has no voxel; give a mask, or the label of a bone that is there.", item="bone-mask")
    rooms = [int(np.ceil(room_mm / edge - 1e-9)) for edge in specimen.spacing_mm]
    box = box_of(specimen.bone)
    low = [side.start - room for side, room in zip(box, rooms, strict=True)]
    high = [side.stop + room for side, room in zip(box, rooms, strict=True)]
    inside = tuple(slice(max(0, a), b) for a, b in zip(low, high, strict=True))
    pads = [(max(0, -a), max(0, b - n)) for a, b, n in zip(low, high, specimen.bone.shape, strict=True)]
    shift = np.eye(4)
    shift[:3, 3] = low
    return _each(specimen, lambda array: np.pad(array[inside], pads), specimen.affine @ shift)


def coarsened(specimen: Specimen, voxel_mm: float) -> Specimen:
    """Return the specimen on voxels of at least `voxel_mm` along each axis, densities averaged over the bone in them.

    Parameters
    ----------
    specimen : Specimen
    voxel_mm : float
        Axes that are already as coarse are left as they are.

    Examples
    --------
    >>> one = np.arange(8.0).reshape(2, 2, 2)
    >>> float(coarsened(Specimen(one, one, one >= 0, one >= 0, np.zeros((2, 2, 2), np.int32), np.eye(4)), 2.0).density_mg_cc[0, 0, 0])
    3.5
    """
    new = tuple(max(float(voxel_mm), edge) for edge in specimen.spacing_mm)
    if new == specimen.spacing_mm:
        return specimen
    to = (new[0], new[1], new[2])

    def mean(array: npt.NDArray[Any]) -> Floats:
        return np.asarray(resampled(array.astype(np.float64), specimen.affine, to, order="average")[0])

    share, affine = resampled(specimen.bone.astype(np.float64), specimen.affine, to, order="average")
    ids = resampled(_spread(specimen.lesions), specimen.affine, to, order="nearest")[0]
    return _averaged(specimen, mean, share, ids, affine)


def turned(specimen: Specimen, axes: Floats, voxel_mm: float, room_mm: float) -> Specimen:
    """Return the specimen on a grid along other axes, cubic voxels, its bone in the middle.

    Parameters
    ----------
    specimen : Specimen
    axes : ndarray, shape (3, 3)
        Unit vectors in LPS, one a column; right-handed.
    voxel_mm, room_mm : float
        Edge of the new voxels, and room around the bone.

    Raises
    ------
    BadInput
        For a bone without a voxel.

    Examples
    --------
    >>> one = np.zeros((6, 6, 6)); one[1:5, 1:5, 1:5] = 100.0
    >>> again = turned(Specimen(one, one, one > 0, one > 0, np.zeros((6, 6, 6), np.int32), np.eye(4)), np.eye(3), 1.0, 2.0)
    >>> int(again.bone.sum()), again.bone.shape
    (64, (8, 8, 8))
    """
    if not specimen.bone.any():
        raise BadInput("The bone has no voxel; give a mask, or the label of a bone that is there.", item="bone-mask")
    fine = coarsened(specimen, voxel_mm / WITHIN)
    points = np.argwhere(specimen.bone) @ specimen.affine[:3, :3].T + specimen.affine[:3, 3]
    half = np.abs(axes.T @ specimen.affine[:3, :3]).sum(axis=1) / 2.0  # half a voxel's extent along the new axes
    low = (points @ axes).min(axis=0) - half - room_mm
    size = np.maximum(1, np.rint(((points @ axes).max(axis=0) + half + room_mm - low) / voxel_mm)).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = axes * voxel_mm
    affine[:3, 3] = axes @ (low + voxel_mm / 2.0)
    shape = (int(size[0]), int(size[1]), int(size[2]))
    step = affine.copy()
    step[:3, :3] = affine[:3, :3] / WITHIN
    step[:3, 3] = affine[:3, 3] - affine[:3, :3] @ np.full(3, (WITHIN - 1) / (2 * WITHIN))

    def mean(array: npt.NDArray[Any]) -> Floats:
        sampled = onto(array.astype(np.float64), fine.affine, step, tuple(WITHIN * n for n in shape), order="nearest")
        return np.asarray(sampled.reshape(shape[0], WITHIN, shape[1], WITHIN, shape[2], WITHIN).mean(axis=(1, 3, 5)))

    ids = onto(_spread(fine.lesions), fine.affine, affine, shape, order="nearest")
    return _averaged(fine, mean, mean(fine.bone), ids, affine)


def back_onto(values: npt.NDArray[Any], specimen: Specimen, affine: Affine, shape: tuple[int, ...]) -> Floats:
    """Return values of the specimen's voxels on the grid of the scan, the nearest voxel's; 0 outside.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    specimen : Specimen
        On whose grid they lie.
    affine, shape
        Of the scan.

    Examples
    --------
    >>> one = np.zeros((3, 3, 3)); one[1, 1, 1] = 7.0
    >>> whole = Specimen(one, one, one > 0, one > 0, one.astype(np.int32), np.eye(4))
    >>> small = cropped(whole, 0.0)
    >>> bool((back_onto(small.density_mg_cc, small, np.eye(4), (3, 3, 3)) == one).all())
    True
    """
    return np.asarray(onto(values, specimen.affine, affine, shape, order="nearest"), dtype=np.float64)


def _each(specimen: Specimen, change: Callable[[Any], Any], affine: Affine) -> Specimen:
    """Return the specimen with every array changed the same way."""
    arrays = (specimen.density_mg_cc, specimen.error_mg_cc, specimen.bone, specimen.body, specimen.lesions)
    density, error, bone, body, lesions = (change(array) for array in arrays)
    probability = None if specimen.probability is None else change(specimen.probability)
    return Specimen(density, error, bone, body, lesions, affine, probability)


def _averaged(specimen: Specimen, mean: Callable[[Any], Floats], share: Floats, ids: Instances, affine: Affine) -> Specimen:
    """Return the specimen averaged: densities over the bone in a voxel, so that what lies beside the bone does not thin its cortex."""
    bone = share >= HALF
    weight = np.where(bone, share, 1.0)
    density = np.where(bone, mean(np.where(specimen.bone, specimen.density_mg_cc, 0.0)) / weight, 0.0)
    error = np.where(bone, mean(np.where(specimen.bone, specimen.error_mg_cc, 0.0)) / weight, 0.0)
    body = bone & (mean(specimen.body) >= HALF * share)
    lesions = np.where(bone & (mean(specimen.lesions > 0) >= HALF), ids, 0).astype(np.int32)
    probability = None if specimen.probability is None else mean(specimen.probability)
    return Specimen(density, error, bone, body, lesions, affine, probability)


def _spread(lesions: Instances) -> Instances:
    """Return a map in which each voxel has the number of the nearest lesion, for grids on which its centre misses them all."""
    if not lesions.any():
        return lesions
    nearest = ndimage.distance_transform_edt(lesions == 0, return_distances=False, return_indices=True)
    return np.asarray(lesions[tuple(nearest)], dtype=np.int32)
