"""The limb around a lesion: fat, muscle, bone and a vessel, with the uptake of each (a thigh at a field of 160 mm, smaller limbs below)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.virtual.lesions import Border
from onclair.virtual.pet import Phantom
from onclair.virtual.textures import Texture, smooth_field, textured

Floats = npt.NDArray[np.float64]

#: Field of view for which the sizes below are given, in mm.
FIELD_MM = 160.0
#: SUV of each tissue about an hour after injection of FDG: plausible choices, round and the same for everybody.
FAT, MUSCLE, BONE, VESSEL = 0.3, 0.7, 0.35, 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """One lesion: its border and the knobs of what is inside.

    Attributes
    ----------
    border : Border
        In mm, in the limb's frame.
    suv_mean : float
        Mean uptake.
    texture : Texture
        How uptake is arranged inside.
    """

    border: Border
    suv_mean: float
    texture: Texture


def placed(border: Border, field_mm: float, rng: np.random.Generator) -> Border:
    """Return the border moved off the limb's axis, in a random direction, as far as the field lets it be seen whole.

    Examples
    --------
    >>> moved = placed(Border(10.0, np.zeros((0, 3)), np.zeros((0, 2))), 160.0, np.random.default_rng(0))
    >>> float(np.hypot(*moved.centre_mm[:2])) <= 0.2 * 160.0
    True
    """
    farthest = max(0.0, min(0.2 * field_mm, 0.44 * field_mm - border.reach_mm))
    away, angle = rng.uniform(0.4, 1.0) * farthest, rng.uniform(0, 2 * np.pi)
    return Border(border.radius_mm, border.axes, border.coefficients, (away * float(np.cos(angle)), away * float(np.sin(angle)), 0.0))


def phantom_of(lesion: Lesion, field_mm: float, cell_mm: float, rng: np.random.Generator) -> tuple[Phantom, Floats]:
    """Return a limb with one lesion in it.

    Parameters
    ----------
    lesion : Lesion
    field_mm : float
        Width of the field of view in plane; the limb's sizes follow it.
    cell_mm : float
        Side of a fine cell.
    rng : numpy Generator

    Returns
    -------
    phantom : Phantom
        As long as the lesion with a margin of a ninth of the field at both ends.
    occupied : ndarray, float64, shape of the phantom
        Fraction of each cell within the lesion's border.
    """
    cells, slices = round(field_mm / cell_mm), int(np.ceil((2 * lesion.border.reach_mm + field_mm / 4.5) / cell_mm))
    x, y, z = (np.asarray(axis, np.float64) for axis in np.ogrid[:cells, :cells, :slices])
    x, y, z = ((axis - (n - 1) / 2) * cell_mm for axis, n in ((x, cells), (y, cells), (z, slices)))
    depth = lesion.border.depth_mm(x, y, z)
    occupied = _filled(depth, cell_mm)
    around, tissue = _limb(x, y, z, lesion.border, field_mm / FIELD_MM)
    tissue = np.maximum(tissue, _filled(depth + 5.0 * field_mm / FIELD_MM, cell_mm))
    around = np.where(around > 0, around, FAT * tissue)
    ripple = np.exp(0.12 * smooth_field((cells, cells, slices), cell_mm, 9.0, rng))
    around = (1 - occupied) * around * ripple
    inside = lesion.suv_mean * textured(occupied, around / lesion.suv_mean, cell_mm, lesion.texture, rng)
    return Phantom(around + occupied * inside, tissue, cell_mm), occupied


def _filled(depth_mm: Floats, cell_mm: float) -> Floats:
    """Return the fraction of a cell within a surface that passes at this depth."""
    return np.clip(0.5 + depth_mm / cell_mm, 0.0, 1.0)


def _limb(x: Floats, y: Floats, z: Floats, border: Border, scale: float) -> tuple[Floats, Floats]:
    """Return uptake and tissue of the limb alone; bone and vessel stand on the side away from the lesion."""
    cell = float(x[1, 0, 0] - x[0, 0, 0])
    taper = 1.0 - 0.0006 * z / scale
    elliptic = np.hypot(x / 68.0, y / 62.0) / scale / taper
    skin = (1.0 - elliptic) * 62.0 * scale
    tissue, muscle = _filled(skin, cell), _filled(skin - 9.0 * scale, cell)
    uptake = FAT * tissue + (MUSCLE - FAT) * muscle
    away = np.asarray(border.centre_mm[:2]) / max(float(np.hypot(*border.centre_mm[:2])), 1e-6)
    for distance, turn, radius, suv in ((24.0, 0.0, 13.0, BONE), (40.0, 0.9, 4.5, VESSEL)):
        cosine, sine = np.cos(np.pi + turn), np.sin(np.pi + turn)
        where = distance * scale * np.array([away[0] * cosine - away[1] * sine, away[0] * sine + away[1] * cosine])
        rod = _filled(radius * scale - np.hypot(x - where[0], y - where[1]) + 0.0 * z, cell)
        uptake = uptake * (1 - rod) + suv * rod
    return uptake, tissue
