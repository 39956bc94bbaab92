"""The shape of an outline (IBSI family ``morph``), from the mask alone, and how its intensities lie in it.

IBSI manual, arXiv:1612.07003, section 3.1. OMBB and MVEE densities, which have no consensus value, are in `enclosing`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.science.radiomics.features import Features, named, ratio
from onclair.science.radiomics.mesh import Surface, surface

SHAPE = (
    "volume", "vol_approx", "area_mesh", "av", "comp_1", "comp_2", "sph_dispr", "sphericity", "asphericity", "diam",
    "pca_maj_axis", "pca_min_axis", "pca_least_axis", "pca_elongation", "pca_flatness", "vol_dens_aabb", "area_dens_aabb",
    "vol_dens_aee", "area_dens_aee", "vol_dens_conv_hull", "area_dens_conv_hull",
)  # fmt: skip
SHAPE_TAGS = tuple(f"morph_{name}" for name in SHAPE)
PLACED_TAGS = ("morph_com", "morph_integ_int")
SHAPE_WHY = {
    "pca_elongation": "the region is a single voxel",
    "pca_flatness": "the region is a single voxel",
    "vol_dens_aee": "the region is one voxel thin, so that its ellipsoid has no volume",
    "area_dens_aee": "the region is one voxel thin, so that its ellipsoid has no volume",
}
#: Terms of the series for an ellipsoid's area, as IBSI prescribes.
LEGENDRE_TERMS = 20

Spacing = tuple[float, float, float]


def shape(region: npt.NDArray[np.bool_], spacing_mm: Spacing, mesh: Surface | None = None) -> Features:
    """Describe the shape of a mask.

    Parameters
    ----------
    region : ndarray, bool, shape (x, y, z)
        The morphological mask, at least one voxel.
    spacing_mm : (float, float, float)
    mesh : Surface or None
        The mask's, where it was made already.

    Returns
    -------
    Features
        ``morph_*`` but the centre-of-mass shift, the integrated intensity, Moran's I and Geary's C, which need intensities.
        Lengths in mm, areas in mm2, volumes in mm3. Axis ratios of a single voxel and ellipsoid densities of a region one voxel
        thin are NaN.

    Examples
    --------
    Three voxels in a row, 1 mm apart: their positions have variance 1 mm2, and the major axis is four times its root.

    >>> f = shape(np.ones((3, 1, 1), bool), (1.0, 1.0, 1.0))
    >>> f.values["morph_vol_approx"], f.values["morph_pca_maj_axis"], f.values["morph_diam"]
    (3.0, 4.0, 3.0)
    """
    mesh = mesh or surface(region, spacing_mm)
    axes = principal_axes(region, spacing_mm)
    voxels = int(np.count_nonzero(region))
    measures = {
        **_compactness(mesh),
        "vol_approx": voxels * math.prod(spacing_mm),
        "diam": mesh.diameter_mm,
        **dict(zip(("pca_maj_axis", "pca_min_axis", "pca_least_axis"), axes, strict=True)),
        "pca_elongation": ratio(axes[1], axes[0]),
        "pca_flatness": ratio(axes[2], axes[0]),
        **_densities(mesh, _box(region, spacing_mm), axes),
    }
    return named("morph_", {name: measures[name] for name in SHAPE}, SHAPE_WHY)


def placed(
    array: npt.NDArray[np.float64], region: npt.NDArray[np.bool_], kept: npt.NDArray[np.bool_], spacing_mm: Spacing, mesh_volume_mm3: float
) -> Features:
    """Return the centre-of-mass shift and the integrated intensity.

    Parameters
    ----------
    array : ndarray, float64, shape (x, y, z)
    region, kept : ndarray, bool, shape (x, y, z)
        The morphological and the intensity mask.
    spacing_mm : (float, float, float)
    mesh_volume_mm3 : float
        ``morph_volume`` of `region`.

    Returns
    -------
    Features
        ``morph_com`` in mm, NaN where the intensities add up to zero; ``morph_integ_int``, mean intensity times volume.

    Examples
    --------
    >>> a = np.array([[[1.0]], [[3.0]]]); m = np.ones(a.shape, bool)
    >>> placed(a, m, m, (2.0, 1.0, 1.0), 10.0).values
    {'morph_com': 0.5, 'morph_integ_int': 20.0}
    """
    values = array[kept]
    ordered = np.sort(values)
    total = float(ordered.sum())
    shift = math.nan
    if abs(total) > 1e-14 * float(np.abs(ordered).sum()):  # more than rounding leaves of a sum that cancels
        weighted = _first_moments(np.where(kept, array, 0.0)) / total
        centre = _first_moments(region) / np.count_nonzero(region)
        shift = float(np.linalg.norm((weighted - centre) * np.asarray(spacing_mm)))
    measures = {"com": shift, "integ_int": total / values.size * mesh_volume_mm3}
    return named("morph_", measures, {"com": "the intensities add up to zero, so that they have no centre"})


def principal_axes(region: npt.NDArray[np.bool_], spacing_mm: Spacing) -> tuple[float, float, float]:
    """Return the lengths in mm, ``4 sqrt(eigenvalue)``, of the principal axes of the voxel centres, longest first.

    The covariance has divisor n - 1, as IBSI's reference values do.

    Examples
    --------
    >>> principal_axes(np.ones((1, 1, 3), bool), (1.0, 1.0, 1.0))[1:]
    (0.0, 0.0)
    """
    n = int(np.count_nonzero(region))
    first = _first_moments(region).astype(np.int64)
    second = _second_moments(region)
    # n (n - 1) times the sample covariance in whole numbers: exact, whatever the size and the number of threads.
    covariance = (n * second - np.outer(first, first)) / max(n * (n - 1), 1) * np.outer(spacing_mm, spacing_mm)
    eigenvalues = np.linalg.eigvalsh(covariance)[::-1]
    eigenvalues[eigenvalues < 1e-12 * eigenvalues[0]] = 0.0
    major, minor, least = 4 * np.sqrt(np.maximum(eigenvalues, 0.0))
    return float(major), float(minor), float(least)


def _first_moments(weights: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the sum over all voxels of weight times index, along each axis."""
    planes = (weights.sum(axis=tuple(a for a in range(3) if a != axis)) for axis in range(3))
    return np.array([float((plane * np.arange(plane.size)).sum()) for plane in planes])


def _second_moments(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the sums over the voxels of the product of each two indices, whole numbers; shape (3, 3)."""
    second = np.zeros((3, 3), np.int64)
    for away, (a, b) in enumerate(((1, 2), (0, 2), (0, 1))):
        counts = region.sum(axis=away)
        i, j = np.arange(counts.shape[0])[:, None], np.arange(counts.shape[1])
        second[a, b] = second[b, a] = (counts * i * j).sum()
        second[a, a], second[b, b] = (counts * i**2).sum(), (counts * j**2).sum()
    return second


def ellipsoid_area(a: float, b: float, c: float) -> float:
    """Return the surface that IBSI assigns to an ellipsoid of semi-axes ``a >= b >= c > 0``, by a series of 20 terms.

    Notes
    -----
    ``4 pi a b sum_v (alpha beta)^v / (1 - 4 v^2) P_v((alpha^2 + beta^2) / (2 alpha beta))``; the powers are taken into the
    recurrence of the Legendre polynomials, so that a sphere (alpha = beta = 0) needs no case of its own. The series is exact
    for a sphere only: it falls short of the true area of a long ellipsoid and exceeds that of a flat one. IBSI's reference
    values are those of the series.

    Examples
    --------
    >>> round(ellipsoid_area(1.0, 1.0, 1.0) / math.pi, 12)
    4.0
    """
    alpha2, beta2 = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    product2, half = alpha2 * beta2, (alpha2 + beta2) / 2
    before, now, total = 0.0, 1.0, 0.0
    for v in range(LEGENDRE_TERMS + 1):
        total += now / (1 - 4 * v**2)
        before, now = now, ((2 * v + 1) * half * now - v * product2 * before) / (v + 1)
    return 4 * math.pi * a * b * total


def _compactness(mesh: Surface) -> dict[str, float]:
    area, volume = mesh.area_mm2, mesh.volume_mm3
    sphere = (36 * math.pi * volume**2) ** (1 / 3)  # area of the sphere of the same volume
    return {
        "volume": volume,
        "area_mesh": area,
        "av": area / volume,
        "comp_1": volume / (math.sqrt(math.pi) * area**1.5),
        "comp_2": (sphere / area) ** 3,
        "sph_dispr": area / sphere,
        "sphericity": sphere / area,
        "asphericity": area / sphere - 1,
    }


def _box(region: npt.NDArray[np.bool_], spacing_mm: Spacing) -> tuple[float, float, float]:
    """Return the sides in mm of the axis-aligned box around the mask."""
    sides = []
    for axis, step in enumerate(spacing_mm):
        filled = np.flatnonzero(region.any(axis=tuple(a for a in range(3) if a != axis)))
        sides.append(float(filled[-1] - filled[0] + 1) * step)
    return sides[0], sides[1], sides[2]


def _densities(mesh: Surface, box: tuple[float, float, float], axes: tuple[float, float, float]) -> dict[str, float]:
    x, y, z = box
    a, b, c = (axis / 2 for axis in axes)
    thin = c == 0
    return {
        "vol_dens_aabb": mesh.volume_mm3 / (x * y * z),
        "area_dens_aabb": mesh.area_mm2 / (2 * (x * y + y * z + z * x)),
        "vol_dens_aee": math.nan if thin else 3 * mesh.volume_mm3 / (4 * math.pi * a * b * c),
        "area_dens_aee": math.nan if thin else mesh.area_mm2 / ellipsoid_area(a, b, c),
        "vol_dens_conv_hull": mesh.volume_mm3 / mesh.hull_volume_mm3,
        "area_dens_conv_hull": mesh.area_mm2 / mesh.hull_area_mm2,
    }
