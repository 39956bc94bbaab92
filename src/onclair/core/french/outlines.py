"""Why a feature of an outline is not defined."""

from __future__ import annotations

OUTLINES: tuple[tuple[str, str], ...] = (
    (r"the region is a single voxel", r"le contour n'a qu'un voxel"),
    (r"the region is a single voxel, so that there is no pair", r"le contour n'a qu'un voxel, donc aucune paire"),
    (r"every voxel has the same value", r"tous les voxels ont la même valeur"),
    (r"every voxel has the same value \((\S+)\)", r"tous les voxels ont la même valeur (\1)"),
    (
        r"every voxel has the same value \((\S+)\), which cannot be cut into a fixed number of bins",
        r"tous les voxels ont la même valeur (\1), impossible à découper en un nombre fixe de classes",
    ),
    (r"all voxels fall into one grey level", r"tous les voxels tombent dans un seul niveau de gris"),
    (r"use narrower bins", r"prenez des classes plus étroites"),
    (
        r"all voxels fall into one bin of the volume histogram",
        r"tous les voxels tombent dans une classe de l'histogramme des volumes",
    ),
    (r"the histogram has a single grey level and so no gradient", r"l'histogramme n'a qu'un niveau de gris, donc aucun gradient"),
    (r"no two neighbours differ in grey level", r"aucun voxel ne diffère de son voisin en niveau de gris"),
    (r"no two voxels of the region are neighbours", r"aucun voxel du contour n'a de voisin"),
    (r"the mean is zero", r"la moyenne est nulle"),
    (r"the quartiles add up to zero", r"la somme des quartiles est nulle"),
    (
        r"the region is one voxel thin, so that its ellipsoid has no volume",
        r"le contour n'a qu'un voxel d'épaisseur, son ellipsoïde n'a pas de volume",
    ),
    (
        r"the intensities add up to zero, so that they have no centre",
        r"la somme des intensités est nulle, elles n'ont donc pas de centre",
    ),
    (r"it is not defined for this region", r"elle n'est pas définie pour ce contour"),
)
