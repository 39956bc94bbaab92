"""How far a lesion goes: through the cortex, and how much of its bone's cross-section it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.geometry import Affine, spacing_mm
from onclair.science.bone.planes import upright
from onclair.science.volumes.components import box_of

Region = npt.NDArray[np.bool_]

#: The outermost layer of a bone that holds its cortex.
CORTEX_MM = 2.0
#: Cortex farther than this from the lesion does not tell what its cortex was.
NEAR_MM = 15.0
#: Smaller contact with the surface tells nothing.
LEAST_CONTACT_MM2 = 15.0
#: Cortex is gone where it measures less than this share of the intact cortex nearby.
GONE = 0.5
#: So much of a lesion outside its bone is a breach by itself.
OUTSIDE = 0.1
#: Bones with one cross-section at each place: by slices of the body, or along their own run.
UPRIGHT_BONES = ("vertebra", "femur", "humerus", "tibia", "fibula", "radius", "ulna")
RUNNING_BONES = ("rib", "clavicle")
_AROUND_MM = 30.0


def cortical_breach(hu: npt.NDArray[Any], region: Region, bone: Region, affine: Affine) -> bool | None:
    """Return whether a lesion has broken through its bone's surface.

    It has where it touches 15 mm2 or more of the surface and the layer of 2 mm there has less than half the median HU of the intact
    layer within 15 mm, or where a tenth of it lies outside the bone and it touches the surface.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    region, bone : ndarray of bool, shape (x, y, z)
        The lesion, and the bone without or with it.
    affine : ndarray, shape (4, 4)

    Returns
    -------
    bool or None
        None where no intact surface is near to compare with.

    Examples
    --------
    A shell of 1000 HU, through which a lesion of 40 HU reaches, and one that stays inside:

    >>> bone = np.zeros((30, 30, 30), bool); bone[5:25, 5:25, 5:25] = True
    >>> scan = np.where(bone, 1000.0, 30.0); scan[8:22, 8:22, 8:22] = 100
    >>> through, inside = np.zeros_like(bone), np.zeros_like(bone)
    >>> through[5:12, 12:18, 12:18] = inside[10:16, 12:18, 12:18] = True
    >>> cortical_breach(np.where(through, 40.0, scan), through, bone, np.eye(4)), cortical_breach(scan, inside, bone, np.eye(4))
    (True, False)
    """
    spacing = spacing_mm(affine)
    reach = int(np.ceil((NEAR_MM + CORTEX_MM) / min(spacing)))
    box = box_of(region, margin=reach)
    lesion, whole = region[box], bone[box] | region[box]
    depth = ndimage.distance_transform_edt(np.pad(whole, 1, mode="edge"), sampling=spacing)[1:-1, 1:-1, 1:-1]
    layer = whole & (depth <= CORTEX_MM)
    contact = layer & lesion
    area = float(contact.sum()) * float(np.prod(spacing)) / CORTEX_MM
    if area < LEAST_CONTACT_MM2:
        return False
    if (lesion & ~bone[box]).sum() >= OUTSIDE * lesion.sum():
        return True
    apart = ndimage.distance_transform_edt(~lesion, sampling=spacing)
    intact = layer & (apart > CORTEX_MM) & (apart <= NEAR_MM)
    if not intact.any():
        return None
    return bool(np.median(hu[box][contact]) < GONE * np.median(hu[box][intact]))


def cross_section_destroyed(region: Region, bone: Region, affine: Affine, name: str) -> float | None:
    """Return the largest share of its bone's cross-section that a lesion takes, in [0, 1].

    Cross-sections are the slices across the body for vertebrae and the long bones of the limbs, and for ribs and clavicles slabs across
    the bone's own run near the lesion. Flat and irregular bones have none.

    Parameters
    ----------
    region, bone : ndarray of bool, shape (x, y, z)
        The lesion, and the bone (of a vertebra, its body where that is known).
    affine : ndarray, shape (4, 4)
    name : str

    Returns
    -------
    float or None

    Examples
    --------
    >>> bone = np.zeros((12, 12, 5), bool); bone[1:11, 1:11] = True
    >>> lesion = np.zeros_like(bone); lesion[1:6, 1:6, 2] = True
    >>> cross_section_destroyed(lesion, bone, np.eye(4), "femur"), cross_section_destroyed(lesion, bone, np.eye(4), "hip")
    (0.25, None)
    """
    whole = bone | region
    if name in UPRIGHT_BONES:
        axis = upright(affine)[0][2]
        others = tuple(a for a in range(3) if a != axis)
        taken, every = region.sum(axis=others, dtype=float), whole.sum(axis=others, dtype=float)
    elif name in RUNNING_BONES:
        taken, every = _along_run(region, whole, affine)
    else:
        return None
    held = taken > 0
    return float((taken[held] / every[held]).max())


def _along_run(region: Region, whole: Region, affine: Affine) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the voxels of lesion and bone in slabs across the bone's principal direction near the lesion."""
    middle = np.argwhere(region).mean(axis=0)
    places = np.argwhere(whole)
    offset = (places - middle) @ affine[:3, :3].T
    near = np.linalg.norm(offset, axis=1) <= _AROUND_MM
    offset, places = offset[near], places[near]
    direction = np.linalg.svd(offset - offset.mean(axis=0), full_matrices=False)[2][0]
    slab = np.floor(offset @ direction / max(spacing_mm(affine))).astype(int)
    slab -= slab.min()
    inside = region[tuple(places.T)].astype(np.float64)
    taken = np.bincount(slab, weights=inside).astype(np.float64)
    return taken, np.bincount(slab).astype(np.float64)
