"""Where a femur's head, neck and shaft lie, and the frames in which it stands or falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput
from onclair.core.geometry import Affine, spacing_mm

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: The head is sought within this of the upper end.
PROXIMAL_MM = 70.0
#: The shaft is what lies this far below the middle of the head.
SHAFT_BELOW_MM = 60.0
#: What of the femur must lie below the head for a shaft to be told.
SHORTEST_SHAFT_MM = 25.0
#: Distance of hip and knee where the scan does not show the knee: a femur of 430 mm less head and condyles. The mechanical axis then runs
#: 5 to 7 degrees from the shaft's, as in Yoshioka et al. 1987, J Bone Joint Surg Am 69:873, doi 10.2106/00004623-198769060-00012.
HIP_TO_KNEE_MM = 400.0
#: Fall to the side: shaft 10 degrees from the ground, leg turned inward by 15 degrees, Courtney et al. 1994, Calcif Tissue Int 55:53,
#: doi 10.1007/BF00310169.
ADDUCTION_DEG, INTERNAL_ROTATION_DEG = 10.0, 15.0
#: The lower end that is held in a fall, mm of the shaft.
DISTAL_MM = 10.0
#: How far a cap reaches down the head.
CAP_DEPTH_MM = 6.0
#: The greater trochanter is sought within this of the head's height along the shaft, and beyond the shaft's axis.
TROCHANTER_MM = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Femur:
    """Landmarks of a femur, LPS mm.

    Attributes
    ----------
    head_mm : ndarray, shape (3,)
        Centre of the head.
    radius_mm : float
        Of the largest ball in it.
    shaft_mm, down : ndarray, shape (3,)
        A point on the axis of the shaft, and the unit vector along it towards the knee.
    medial, anterior : ndarray, shape (3,)
        Unit vectors across the shaft: towards the head, and forward.
    knee_mm : ndarray, shape (3,)
        Middle of the lower end, or where it would be 400 mm below the head.
    """

    head_mm: Floats
    radius_mm: float
    shaft_mm: Floats
    down: Floats
    medial: Floats
    anterior: Floats
    knee_mm: Floats

    @property
    def stance_axes(self) -> Floats:
        """Axes of a grid for stance, one a column: medial, forward or backward, and up from knee to hip."""
        return _frame(_unit(self.head_mm - self.knee_mm), self.medial)

    @property
    def fall(self) -> Floats:
        """Unit vector of the fall: from the head to the ground, laterally, turned backward by 15 degrees, 10 degrees against the shaft."""
        turn, lean = np.deg2rad(INTERNAL_ROTATION_DEG), np.deg2rad(ADDUCTION_DEG)
        across = -np.cos(turn) * self.medial - np.sin(turn) * self.anterior
        return _unit(np.cos(lean) * across - np.sin(lean) * self.down)

    @property
    def fall_axes(self) -> Floats:
        """Axes of a grid for the fall, one a column; the last points against it."""
        return _frame(-self.fall, self.down)


def femur_of(bone: Flags, affine: Affine) -> Femur:
    """Return the landmarks of one femur.

    Parameters
    ----------
    bone : ndarray, bool, shape (x, y, z)
        Marrow filled; at least the upper third.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.

    Returns
    -------
    Femur

    Raises
    ------
    BadInput
        For an empty bone, or less than 25 mm of shaft.

    Examples
    --------
    A ball of 20 mm radius beside the upper end of a rod of 12 mm radius, joined by a bar:

    >>> x, y, z = np.indices((90, 60, 180)) - np.array([30, 30, 0]).reshape(3, 1, 1, 1)
    >>> rod = (np.hypot(x, y) < 12) & (z > 2) & (z < 150)
    >>> bar = (x > 0) & (x < 35) & (np.hypot(y, z - 140) < 9)
    >>> femur = femur_of(rod | bar | (np.sqrt((x - 35) ** 2 + y**2 + (z - 150) ** 2) < 20), np.eye(4))
    >>> femur.head_mm.round().tolist(), (0.0 + femur.down.round(2)).tolist(), femur.medial.round(2).tolist()
    ([65.0, 30.0, 150.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0])
    """
    if not bone.any():
        raise BadInput("The femur has no voxel; give the label of one that is there.", item="label")
    places = np.argwhere(bone)
    points = places @ affine[:3, :3].T + affine[:3, 3]
    head, radius = _head(bone, affine, points)
    shaft = points[points[:, 2] < head[2] - SHAFT_BELOW_MM]
    length = float(np.ptp(shaft[:, 2])) if len(shaft) else 0.0
    if length < SHORTEST_SHAFT_MM:
        said = f"The femur ends {SHAFT_BELOW_MM + length:.0f} mm below its head"
        raise BadInput(f"{said}; {SHAFT_BELOW_MM + SHORTEST_SHAFT_MM:.0f} mm are needed to tell its axis.", item="label")
    middle, down = _axis(shaft)
    medial = head - middle
    medial = _unit(medial - (medial @ down) * down)
    forward = np.cross(medial, down)
    anterior = forward if forward[1] <= 0 else -forward  # forward is -y in LPS
    lowest = float(shaft[:, 2].min())
    knee = middle + down * max((middle[2] - (head[2] - HIP_TO_KNEE_MM)) / max(-down[2], 0.1), 0.0)
    if head[2] - lowest > HIP_TO_KNEE_MM * 0.9:
        knee = points[points[:, 2] < lowest + DISTAL_MM].mean(axis=0)
    return Femur(head, radius, middle, down, medial, anterior, knee)


def covered_head(femur: Femur, bone: Flags, affine: Affine) -> Flags:
    """Return the voxels of the head that a cap covers: those no further off its axis than where a ball has fallen off by 6 mm.

    Parameters
    ----------
    femur : Femur
    bone : ndarray, bool, shape (x, y, z)
        On a grid whose last axis the head is loaded along.
    affine : ndarray, shape (4, 4)
    """
    away = _centres(bone.shape, affine) - femur.head_mm
    up = affine[:3, 2] / np.linalg.norm(affine[:3, 2])
    distance, along = np.linalg.norm(away, axis=3), away @ up
    across = np.sqrt(np.maximum(distance**2 - along**2, 0.0))
    reach = np.sqrt(max(2.0 * femur.radius_mm * CAP_DEPTH_MM - CAP_DEPTH_MM**2, 0.0))
    return np.asarray(bone & (distance <= 1.25 * femur.radius_mm) & (across <= reach) & (along > 0))


def covered_trochanter(femur: Femur, bone: Flags, affine: Affine) -> Flags:
    """Return the voxels of the greater trochanter in columns (the grid's last axis, against the fall) that end within 6 mm of its tip.

    The trochanter is what lies lateral of the shaft's axis, no more than 60 mm below the head's height.
    """
    centres = _centres(bone.shape, affine)
    lateral = (centres - femur.shaft_mm) @ femur.medial < 0
    found = bone & lateral & ((centres - femur.head_mm) @ femur.down <= TROCHANTER_MM)
    if not found.any():
        return np.asarray(found)
    edge = float(np.linalg.norm(affine[:3, 2]))
    ends = np.where(found.any(axis=2), np.argmax(found, axis=2) * edge, np.inf)
    return np.asarray(found & (ends <= ends.min() + CAP_DEPTH_MM)[:, :, None])


def distal_voxels(femur: Femur, bone: Flags, affine: Affine) -> Flags:
    """Return the voxels of the lower end of the shaft, its last 10 mm."""
    along = (_centres(bone.shape, affine) - femur.head_mm) @ femur.down
    last = float(along[bone].max()) if bone.any() else 0.0
    return np.asarray(bone & (along > last - DISTAL_MM))


def _head(bone: Flags, affine: Affine, points: Floats) -> tuple[Floats, float]:
    """Return the centre and radius of the largest ball near the upper end."""
    depth = ndimage.distance_transform_edt(np.pad(bone, 1), sampling=spacing_mm(affine))[1:-1, 1:-1, 1:-1]
    deep = depth[bone]
    upper = points[:, 2] > points[:, 2].max() - PROXIMAL_MM
    deepest = float(deep[upper].max())
    core = upper & (deep > 0.95 * deepest)
    return points[core].mean(axis=0), deepest


def _axis(shaft: Floats) -> tuple[Floats, Floats]:
    """Return a point and the direction (towards the knee) of the line through the middles of the slices of a shaft."""
    heights = np.rint(shaft[:, 2]).astype(int)
    levels, where = np.unique(heights, return_inverse=True)
    count = np.bincount(where)
    middles = np.stack([np.bincount(where, weights=shaft[:, a]) / count for a in range(3)], axis=1)
    inner = middles[1:-1] if len(levels) > 4 else middles
    centre = inner.mean(axis=0)
    _, _, vt = np.linalg.svd(inner - centre)
    direction = vt[0] if vt[0][2] < 0 else -vt[0]
    return centre, _unit(direction)


def _centres(shape: tuple[int, ...], affine: Affine) -> Floats:
    """Return the LPS mm of every voxel's centre, (x, y, z, 3)."""
    axes = [np.arange(n)[(...,) + (None,) * (2 - a)] for a, n in enumerate(shape)]
    return np.asarray(sum(axes[a][..., None] * affine[:3, a] for a in range(3)) + affine[:3, 3])


def _frame(up: Floats, first: Floats) -> Floats:
    """Return right-handed axes, one a column: `first` made upright on `up`, their product, and `up`."""
    one = _unit(first - (first @ up) * up)
    return np.stack([one, np.cross(up, one), up], axis=1)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector))
