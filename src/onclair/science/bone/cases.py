"""A bone or a material map made ready to be loaded: its stiffness, its caps, and where its failure counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadSetting
from onclair.core.geometry import Affine, spacing_mm
from onclair.core.names import did_you_mean
from onclair.science.bone.femur_frame import covered_head, covered_trochanter, distal_voxels, femur_of
from onclair.science.bone.loading import CASES as BLOCK_CASES
from onclair.science.bone.loading import Load, axis_index, material_case
from onclair.science.bone.loading_bones import (
    CAP_MM,
    PLAIN,
    STRAIN,
    Capped,
    How,
    between_cement,
    femur_sideways_fall,
    femur_stance,
    spine_compression,
)
from onclair.science.bone.materials import KEYAK, KOPPERDAHL, Law, modulus_mpa
from onclair.science.bone.specimen import Specimen, coarsened, cropped, require_boxes, turned, upright
from onclair.science.bone.strength import LEAST_BEARING_MPA

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Instances = npt.NDArray[np.int32]
Case = Literal["uniaxial", "constrained-axial", "confined", "spine-compression", "femur-stance", "femur-sideways-fall"]

BONE_CASES = ("spine-compression", "femur-stance", "femur-sideways-fall")
CASES = (*BLOCK_CASES, *BONE_CASES)
#: Bone this near caps and supports is strained by how it is held.
NEAR_CAPS_MM = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How a bone is loaded and judged.

    Attributes
    ----------
    case : str
        One of ``CASES``.
    law : Law or None
        None for the case's own: Keyak for femurs, Kopperdahl else.
    axis : {"x", "y", "z"}
    voxel_mm : float or None
        Coarser voxels; None for the scan's own.
    how : How
        Caps, Poisson ratio, displacement.
    samples : int
        Outlines that are drawn; 0 for none.
    seed, threads : int
    """

    case: str = "spine-compression"
    law: Law | None = None
    axis: str = "z"
    voxel_mm: float | None = None
    how: How = field(default=PLAIN)
    samples: int = 0
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        if self.case not in CASES:
            raise BadSetting(f"There is no case '{self.case}'; {did_you_mean(self.case, CASES)}", item="case")
        if self.voxel_mm is not None and not self.voxel_mm > 0:
            raise BadSetting(f"The voxel is {self.voxel_mm:g} mm; give a positive length.", item="voxel-mm")
        if not 0 <= self.samples <= 1000:
            raise BadSetting(f"The number of outlines is {self.samples}; give 0 to 1000.", item="samples")
        if not self.how.caps_mpa > 0:
            raise BadSetting(f"The caps have {self.how.caps_mpa:g} MPa; give a positive modulus, for cement 2500.", item="caps-mpa")
        axis_index(self.axis)

    @property
    def own_law(self) -> Law:
        """The law that is used."""
        return self.law or (KEYAK if self.case.startswith("femur") else KOPPERDAHL)


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """What is solved.

    Attributes
    ----------
    capped : Capped
    modulus_mpa : ndarray, float64, shape (x, y, z)
        Of the bone alone.
    bone : ndarray, bool, shape (x, y, z)
        Where Pistoia's criterion counts.
    bearing : ndarray, bool, shape (x, y, z)
        Where a femur's yielding counts.
    lesions : ndarray, int32, shape (x, y, z)
        Those in this bone.
    affine : ndarray, shape (4, 4)
    specimen : Specimen or None
        Of a bone; None of a material map.
    """

    capped: Capped
    modulus_mpa: Floats
    bone: Flags
    bearing: Flags
    lesions: Instances
    affine: Affine
    specimen: Specimen | None = None

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Edges of a voxel."""
        return spacing_mm(self.affine)


def prepared(specimen: Specimen, plan: Plan) -> Ready:
    """Return a bone of calibrated density, ready to be loaded.

    Parameters
    ----------
    specimen : Specimen
        On any grid; it is set upright or turned into the frame of the case.
    plan : Plan

    Returns
    -------
    Ready

    Raises
    ------
    BadInput
        For an empty bone, a femur too short to tell its shaft, caps without room, ends that are not connected.
    BadGeometry
        For a sheared grid.
    BadSetting
        For an axis that a femur's case does not take.
    """
    if plan.case.startswith("femur"):
        return _femur(specimen, plan)
    straight = cropped(upright(specimen), CAP_MM)
    small = coarsened(straight, plan.voxel_mm) if plan.voxel_mm is not None else straight
    modulus = _modulus(small, plan.own_law)
    if plan.case == "spine-compression":
        capped = spine_compression(modulus, small.body, small.spacing_mm, axis=axis_index(plan.axis), how=plan.how)
    else:
        capped = _block(modulus, small.spacing_mm, plan)
    return _ready(capped, modulus, small)


def prepared_material(modulus: Floats, lesions: Instances, affine: Affine, plan: Plan) -> Ready:
    """Return a map of Young's modulus, ready to be loaded.

    Parameters
    ----------
    modulus : ndarray, float64, shape (x, y, z)
        MPa, 0 where there is nothing. In ``spine-compression`` voxels of exactly ``caps_mpa`` are its cement.
    lesions : ndarray, int32, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    plan : Plan

    Returns
    -------
    Ready

    Raises
    ------
    BadInput
        For NaN, infinite or negative moduli, zero everywhere, ends that are not connected, no cement where it is needed.
    BadSetting
        For a femur's case, which needs a density, and for coarser voxels.
    """
    if plan.case.startswith("femur"):
        raise BadSetting(f"The case {plan.case} finds head and shaft on a bone; give --image or --density with --bone-mask.", item="case")
    if plan.voxel_mm is not None:
        raise BadSetting("A material map is solved on its own voxels; leave --voxel-mm out, or give a density.", item="voxel-mm")
    require_boxes(affine)
    edges = spacing_mm(affine)
    if plan.case == "spine-compression":
        capped = between_cement(modulus, edges, axis=axis_index(plan.axis), how=plan.how)
    else:
        capped = _block(modulus, edges, plan)
    bone = (modulus > 0) & ~capped.caps
    return Ready(capped, modulus, bone, bone, np.where(bone, lesions, 0).astype(np.int32), affine)


def _block(modulus: Floats, edges: tuple[float, float, float], plan: Plan) -> Capped:
    load = plan.how.load or Load(strain=STRAIN)
    loaded = material_case(modulus, edges, case=plan.case, axis=plan.axis, load=load, poisson=plan.how.poisson)
    cement = modulus == plan.how.caps_mpa
    if cement.sum() == (modulus > 0).sum():
        cement = np.zeros_like(cement)  # a block all of one material is no cement
    return Capped(loaded, cement, loaded.height_mm)


def _femur(specimen: Specimen, plan: Plan) -> Ready:
    if plan.axis != "z":
        raise BadSetting("A femur's cases find their own axes; leave --axis out.", item="axis")
    straight = cropped(upright(specimen), 0.0)
    femur = femur_of(straight.bone, straight.affine)
    edge = plan.voxel_mm if plan.voxel_mm is not None else min(straight.spacing_mm)
    axes = femur.stance_axes if plan.case == "femur-stance" else femur.fall_axes
    small = turned(straight, axes, edge, CAP_MM)
    modulus = _modulus(small, plan.own_law)
    head, distal = covered_head(femur, small.bone, small.affine), distal_voxels(femur, small.bone, small.affine)
    if plan.case == "femur-stance":
        return _ready(femur_stance(modulus, (head, distal), small.spacing_mm, how=plan.how), modulus, small)
    parts = (head, covered_trochanter(femur, small.bone, small.affine), distal)
    return _ready(femur_sideways_fall(modulus, parts, small.spacing_mm, how=plan.how), modulus, small)


def _modulus(specimen: Specimen, law: Law) -> Floats:
    return np.where(specimen.bone, modulus_mpa(law, specimen.density_mg_cc), 0.0)


def _ready(capped: Capped, modulus: Floats, specimen: Specimen) -> Ready:
    bearing = specimen.bone & (modulus >= LEAST_BEARING_MPA) & ~_near(capped, specimen.spacing_mm)
    bone = specimen.bone & ~capped.caps
    lesions = np.where(specimen.bone, specimen.lesions, 0).astype(np.int32)
    return Ready(capped, modulus, bone, bearing, lesions, specimen.affine, specimen)


def _near(capped: Capped, edges: tuple[float, float, float]) -> Flags:
    """Return the voxels within 10 mm of caps and of nodes that are held."""
    nodes = np.asarray(capped.loaded.problem.held.any(axis=3))
    x, y, z = capped.caps.shape
    held = capped.caps.copy()
    for i, j, k in np.ndindex(2, 2, 2):
        held |= nodes[i : i + x, j : j + y, k : k + z]
    return np.asarray(ndimage.distance_transform_edt(~held, sampling=edges) <= NEAR_CAPS_MM)
