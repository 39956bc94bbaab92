"""What load a bone bears, from one linear solution: by the law of Crawford, by the strain of Pistoia, by principal strains in a femur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput
from onclair.core.geometry import Affine, spacing_mm

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: F = 0.0068 K H: Crawford, Cann and Keaveny 2003, Bone 33:744, doi 10.1016/S8756-3282(03)00210-2. Over the 160 vertebrae of Walle et
#: al. 2025 (doi 10.1101/2025.04.19.649449) the linear law stands to nonlinear solutions with r2 0.851 and a median ratio of 1.11.
CRAWFORD = 0.0068
#: Failure when 2 % of the bone is strained beyond 0.7 %: Pistoia et al. 2002, Bone 30:842, doi 10.1016/S8756-3282(02)00736-6.
PISTOIA_STRAIN, PISTOIA_PERCENTILE = 0.007, 98.0
#: Yield strains of femoral tissue: Bayraktar et al. 2004, J Biomech 37:27, doi 10.1016/S0021-9290(03)00257-4; as a criterion for whole
#: femurs Schileo et al. 2008, J Biomech 41:356, doi 10.1016/j.jbiomech.2007.09.009.
YIELD_COMPRESSION, YIELD_TENSION = 0.0104, 0.0073
#: A femur fails where a connected patch of this volume yields: one voxel on a staircase of voxels is an artefact. The house's choice.
FAILED_MM3 = 100.0
#: Softer voxels (marrow, fat) strain without bearing.
LEAST_BEARING_MPA = 100.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and how a femur fails first.

    Attributes
    ----------
    load_n : float
    site_lps_mm : tuple of float
        Middle of the patch that yields.
    mode : {"compression", "tension"}
    volume_mm3 : float
    """

    load_n: float
    site_lps_mm: tuple[float, float, float]
    mode: Literal["compression", "tension"]
    volume_mm3: float

    def as_dict(self) -> dict[str, Any]:
        """Return the failure as plain JSON values."""
        return {"load_N": self.load_n, "site_lps_mm": list(self.site_lps_mm), "mode": self.mode, "volume_mm3": self.volume_mm3}


def crawford_n(stiffness_n_per_mm: float, height_mm: float) -> float:
    """Return the compressive strength of a vertebra by its stiffness and height.

    Parameters
    ----------
    stiffness_n_per_mm, height_mm : float

    Returns
    -------
    float
        N.

    Examples
    --------
    >>> round(crawford_n(12362.0, 29.0), 1)  # VerSe 004, L2
    2437.8
    """
    return CRAWFORD * stiffness_n_per_mm * height_mm


def pistoia(sed_mpa: Floats, modulus_mpa: Floats, bone: Flags) -> float:
    """Return the factor by which the load may grow until 2 % of the bone is strained beyond 0.7 %.

    Parameters
    ----------
    sed_mpa, modulus_mpa : ndarray, float64, shape (x, y, z)
        Strain energy density at the voxels' centres, and Young's modulus.
    bone : ndarray, bool, shape (x, y, z)
        Bone alone, no cement.

    Returns
    -------
    float

    Raises
    ------
    BadInput
        When no voxel of bone is strained.

    Examples
    --------
    A strain of 1 % everywhere, sqrt(2 * 0.5 * E * 0.01**2 / E), may shrink to 70 %:

    >>> e = np.full((4, 4, 4), 1000.0)
    >>> round(pistoia(0.5 * e * 0.01**2, e, e > 0), 6)
    0.7
    """
    within = bone & (modulus_mpa > 0)
    strain = np.sqrt(2.0 * sed_mpa[within] / modulus_mpa[within])
    critical = float(np.percentile(strain, PISTOIA_PERCENTILE)) if strain.size else 0.0
    if critical <= 0:
        raise BadInput("No bone is strained by this load, so it has no strength; check the material and where it is held.", item="strength")
    return PISTOIA_STRAIN / critical


def first_failure(strains: Floats, reaction_n: float, bone: Flags, affine: Affine) -> Failure:
    """Return the load at which a connected patch of a femur first yields, and where.

    Parameters
    ----------
    strains : ndarray, float64, shape (x, y, z, 3)
        Principal strains at the voxels' centres, ascending.
    reaction_n : float
        Of the solution that they belong to.
    bone : ndarray, bool, shape (x, y, z)
        Where yielding counts: bone that bears, away from caps and supports.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.

    Returns
    -------
    Failure

    Raises
    ------
    BadInput
        When less than 100 mm3 of bone is left to look at.

    Examples
    --------
    Under 1000 N a block is compressed by 0.52 %, half of what it bears:

    >>> strains = np.zeros((6, 6, 6, 3)); strains[..., 0] = -0.0052
    >>> found = first_failure(strains, -1000.0, np.ones((6, 6, 6), bool), np.eye(4))
    >>> round(found.load_n), found.mode, found.site_lps_mm
    (2000, 'compression', (2.5, 2.5, 2.5))
    """
    squeezed, pulled = -strains[..., 0] / YIELD_COMPRESSION, strains[..., 2] / YIELD_TENSION
    use = np.where(bone, np.maximum(squeezed, pulled), 0.0)
    voxel = float(np.prod(spacing_mm(affine)))
    needed = max(1, int(np.ceil(FAILED_MM3 / voxel)))
    if int((use > 0).sum()) < needed:
        raise BadInput(f"Less than {FAILED_MM3:g} mm3 of bone bears this load; check the mask and the calibration.", item="strength")
    level, patch = _highest_patch(use, needed)
    places = np.argwhere(patch)
    x, y, z = (affine[:3, :3] @ places.mean(axis=0) + affine[:3, 3]).tolist()
    mode: Literal["compression", "tension"] = "compression" if (squeezed >= pulled)[patch].mean() >= 0.5 else "tension"
    return Failure(abs(reaction_n) / level, (x, y, z), mode, len(places) * voxel)


def _highest_patch(use: Floats, needed: int) -> tuple[float, Flags]:
    """Return the highest level above which a connected patch of `needed` voxels lies, and the patch."""
    levels = np.unique(use[use > 0])
    low, high = 0, len(levels) - 1  # at levels[0] the whole loaded bone is above
    found = _patch(use, float(levels[0]), 1)
    while low < high:
        middle = (low + high + 1) // 2
        patch = _patch(use, float(levels[middle]), needed)
        if patch is None:
            high = middle - 1
        else:
            low, found = middle, patch
    assert found is not None
    return float(levels[low]), found


def _patch(use: Floats, level: float, needed: int) -> Flags | None:
    """Return the largest connected patch at or above a level, or None when it is too small."""
    parts, count = ndimage.label(use >= level, np.ones((3, 3, 3), dtype=np.bool_))
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    largest = int(np.argmax(sizes))
    return np.asarray(parts == largest) if sizes[largest] >= needed else None
