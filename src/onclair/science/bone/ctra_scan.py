"""Structural rigidity of a bone in its scan: against the other side where it is in view, else against its own intact slices."""

from __future__ import annotations

import numpy as np

from onclair.science.bone.ctra import Ctra, loss_against_neighbours, loss_against_other_side
from onclair.science.bone.materials import Law, modulus_mpa
from onclair.science.bone.mirrored import mirrored_onto
from onclair.science.bone.specimen import Specimen, cropped, upright

#: Surfaces that lie further apart after registration do not belong to the same bone.
FARTHEST_MM = 5.0


def ctra_of(specimen: Specimen, law: Law) -> Ctra:
    """Return what a bone lost against its own intact slices.

    Parameters
    ----------
    specimen : Specimen
        With its lesions.
    law : Law

    Returns
    -------
    Ctra

    Examples
    --------
    >>> from onclair.science.bone.materials import KOPPERDAHL
    >>> density = np.full((12, 12, 10), 200.0); spots = np.zeros((12, 12, 10), np.int32); spots[:6, :, 4:6] = 1
    >>> density[spots > 0] = 0.0
    >>> found = ctra_of(Specimen(density, 0 * density, density > -1, density > -1, spots, np.eye(4)), law=KOPPERDAHL)
    >>> round(found.losses[0], 3), found.against
    (0.5, 'intact neighbours')
    """
    small = cropped(upright(specimen), 0.0)
    modulus = np.where(small.bone, modulus_mpa(law, small.density_mg_cc), 0.0)
    return loss_against_neighbours(modulus, small.lesions > 0, small.spacing_mm, 2)


def ctra_of_pair(specimen: Specimen, other: Specimen, law: Law) -> tuple[Ctra, float]:
    """Return what a bone lost against the other side, mirrored and registered.

    Parameters
    ----------
    specimen, other : Specimen
        The affected bone with its lesions, and the other side, on one grid.
    law : Law

    Returns
    -------
    ctra : Ctra
        Against intact neighbours where the sides do not fit onto each other.
    apart_mm : float
        Mean distance of the surfaces after registration.

    Raises
    ------
    BadInput
        When a side has no voxel.
    """
    both = Specimen(
        np.where(other.bone, other.density_mg_cc, specimen.density_mg_cc),
        specimen.error_mg_cc,
        specimen.bone | other.bone,
        other.bone & ~specimen.bone,
        specimen.lesions,
        specimen.affine,
    )
    small = cropped(upright(both), 0.0)
    theirs, mine = small.body, small.bone & ~small.body
    modulus = np.where(small.bone, modulus_mpa(law, small.density_mg_cc), 0.0)
    laid, apart = mirrored_onto(modulus, theirs, mine, small.affine)
    if apart > FARTHEST_MM:
        return ctra_of(specimen, law), apart
    lesion = (small.lesions > 0) & mine
    affected = np.where(mine, modulus, 0.0)
    return loss_against_other_side(affected, laid, small.spacing_mm, 2, lesion=lesion if lesion.any() else None), apart
