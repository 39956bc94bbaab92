"""Why a value is missing, in French: the reasons that features give, by their English."""

from __future__ import annotations

FRENCH = {
    "the region is a single voxel": "la région n'a qu'un voxel",
    "every voxel has the same value": "tous les voxels ont la même valeur",
    "the region is one voxel thin, so that its ellipsoid has no volume": "la région, épaisse d'un voxel, est sans volume",
    "all voxels fall into one grey level; use narrower bins": "tous les voxels tombent dans un seul niveau de gris ; resserrer les classes",
    "all voxels fall into one bin of the volume histogram": "tous les voxels tombent dans une seule classe de l'histogramme des volumes",
    "the histogram has a single grey level and so no gradient": "l'histogramme n'a qu'un niveau de gris, donc aucun gradient",
    "it is not defined for this region": "elle n'est pas définie pour cette région",
}


def in_french(reason: str) -> str:
    """Return a reason in French, what stands in brackets after it kept; one that nobody translated is quoted as it is.

    Examples
    --------
    >>> in_french("every voxel has the same value (2)"), in_french("the lamp was off")
    ('tous les voxels ont la même valeur (2)', '« the lamp was off »')
    """
    if reason in FRENCH:
        return FRENCH[reason]
    said, bracket, rest = reason.partition(" (")
    return FRENCH[said] + bracket + rest if said in FRENCH else f"« {reason} »"
