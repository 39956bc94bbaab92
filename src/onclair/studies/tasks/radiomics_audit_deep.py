"""The controls of deep models: what is left of a network's score without surroundings, without intensities, without size, rescaled."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadSetting
from onclair.science.radiomics.controls import surroundings

Volume = npt.NDArray[Any]
Region = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]
#: One copy of each stands beside the destroyed signals.
DEEP = ("blank-outside", "mask-only", "size-matched", "rescaled")
#: Intensities are taken so many times, and raised by so many standard deviations of a typical lesion.
TIMES, RAISED = 1.5, 0.25


@dataclass(frozen=True, slots=True)
class Look:
    """What a lesion looks like.

    Attributes
    ----------
    volume_mm3 : float
        Of the voxels outlined.
    inside_mean, inside_sd, outside_mean : float
        Of the outline, and of the 30 mm around it; in the image's unit.
    """

    volume_mm3: float
    inside_mean: float
    inside_sd: float
    outside_mean: float

    def as_record(self) -> list[float]:
        """Return the four numbers, for the evidence."""
        return [float(value) for value in astuple(self)]


def look_of(array: Volume, region: Region, spacing_mm: Spacing) -> Look:
    """Return what a lesion looks like.

    Parameters
    ----------
    array : ndarray, shape (x, y, z)
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : (float, float, float)

    Raises
    ------
    BadCase
        For an empty outline.

    Examples
    --------
    >>> a = np.full((5, 5, 5), 2.0); m = np.zeros(a.shape, bool); m[2, 2, 1:3] = True; a[m] = [5.0, 7.0]
    >>> look_of(a, m, (1.0, 1.0, 2.0))
    Look(volume_mm3=4.0, inside_mean=6.0, inside_sd=1.0, outside_mean=2.0)
    """
    if not region.any():
        raise BadCase("The outline holds no voxel; draw it again.")
    inside, around = array[region], array[surroundings(region, spacing_mm) & ~region]
    outside = float(around.mean()) if around.size else float(inside.mean())
    return Look(float(inside.size * math.prod(spacing_mm)), float(inside.mean()), float(inside.std()), outside)


def typical(looks: Iterable[Look]) -> Look:
    """Return the median of each number: a lesion that is nobody's.

    Examples
    --------
    >>> typical([Look(1.0, 5.0, 1.0, 0.0), Look(3.0, 7.0, 2.0, 1.0), Look(8.0, 6.0, 9.0, 2.0)])
    Look(volume_mm3=3.0, inside_mean=6.0, inside_sd=2.0, outside_mean=1.0)
    """
    return Look(*(float(value) for value in np.median([astuple(look) for look in looks], axis=0)))


def altered(name: str, array: Volume, region: Region, spacing_mm: Spacing, of: Look) -> tuple[Volume, Region]:
    """Return the image and the outline of one control of deep models.

    Parameters
    ----------
    name : str
        ``blank-outside``: every voxel outside the outline has the outline's mean; ``mask-only``: one intensity inside and one
        outside, the same for everybody; ``size-matched``: the outline is a sphere of the typical volume about its centroid;
        ``rescaled``: intensities 1.5 times as large, and a quarter of a typical standard deviation more.
    array : ndarray, shape (x, y, z)
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : (float, float, float)
    of : Look
        The typical lesion of the cohort.

    Returns
    -------
    (ndarray, ndarray)

    Raises
    ------
    BadSetting
        For another name.

    Examples
    --------
    >>> a = np.arange(27.0).reshape(3, 3, 3); m = np.zeros(a.shape, bool); m[1, 1, :2] = True
    >>> changed, outline = altered("size-matched", a, m, (1.0, 1.0, 1.0), Look(5.0, 1.0, 1.0, 0.0))
    >>> bool((changed == a).all()), int(outline.sum())
    (True, 5)
    >>> altered("blank-outside", a, m, (1.0, 1.0, 1.0), Look(5.0, 1.0, 1.0, 0.0))[0][0, 0]
    array([12.5, 12.5, 12.5])
    """
    image = np.asarray(array, dtype=np.float64)
    if name == "blank-outside":
        return np.where(region, image, image[region].mean()), region
    if name == "mask-only":
        return np.where(region, of.inside_mean, of.outside_mean), region
    if name == "size-matched":
        return image, _sphere(region, spacing_mm, of.volume_mm3)
    if name == "rescaled":
        return TIMES * image + RAISED * of.inside_sd, region
    raise BadSetting(f"A control of deep models cannot be '{name}'; choose one of {', '.join(DEEP)}.", item=name)


def _sphere(region: Region, spacing_mm: Spacing, volume_mm3: float) -> Region:
    """Return as many voxels as fill a volume, the nearest to the centroid of an outline first."""
    centre = np.argwhere(region).mean(axis=0)
    wanted = min(max(round(volume_mm3 / math.prod(spacing_mm)), 1), region.size)
    box = _box(region.shape, centre, spacing_mm, 1.5 * (0.75 * volume_mm3 / math.pi) ** (1 / 3) + 2 * max(spacing_mm))
    if math.prod(part.stop - part.start for part in box) < wanted:  # the lesion lies at the edge of a narrow image
        box = tuple(slice(0, n) for n in region.shape)
    axes = ((np.arange(part.start, part.stop) - c) * step for part, c, step in zip(box, centre, spacing_mm, strict=True))
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    away = x**2 + y**2 + z**2
    inside = np.zeros(away.size, dtype=np.bool_)
    inside[np.argsort(away.ravel(), kind="stable")[:wanted]] = True
    sphere = np.zeros(region.shape, dtype=np.bool_)
    sphere[box] = inside.reshape(away.shape)
    return sphere


def _box(shape: tuple[int, ...], centre: npt.NDArray[np.float64], spacing_mm: Spacing, reach_mm: float) -> tuple[slice, ...]:
    """Return the voxels within a reach of a point along every axis, within the image."""
    ends = ((c - reach_mm / step, c + reach_mm / step, n) for c, step, n in zip(centre, spacing_mm, shape, strict=True))
    return tuple(slice(max(math.floor(low), 0), min(math.ceil(high) + 1, n)) for low, high, n in ends)
