"""The limb around a lesion: fat, muscle, bone and a vessel, with what each is worth in PET and in CT.

A thigh at a field of 160 mm, smaller limbs below.
"""

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


@dataclass(frozen=True, slots=True)
class Tissues:
    """What each tissue of a limb is worth in an image, in a unit in which air is 0, and how much it varies.

    Attributes
    ----------
    fat, muscle, bone, vessel : float
    ripple : float
        Standard deviation of the logarithm over a tissue; 0 for tissues that are even.
    """

    fat: float
    muscle: float
    bone: float
    vessel: float
    ripple: float


#: SUV of each tissue about an hour after injection of FDG: plausible choices, round and the same for everybody.
UPTAKE = Tissues(0.3, 0.7, 0.35, 1.6, 0.12)
#: Attenuation of each tissue in HU + 1000, the vessel with contrast medium: plausible choices too.
ATTENUATION = Tissues(900.0, 1055.0, 1700.0, 1150.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """One lesion: its border and the knobs of what is inside.

    Attributes
    ----------
    border : Border
        In mm, in the limb's frame.
    mean : float
        Mean of what is imaged: uptake in SUV, or attenuation in HU + 1000.
    texture : Texture
        How it is arranged inside.
    """

    border: Border
    mean: float
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
    """Return a limb with one lesion in it, for PET.

    Parameters
    ----------
    lesion : Lesion
        Its mean in SUV.
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
    window = Window((cells, cells, slices), cell_mm, field_mm / FIELD_MM)
    uptake, tissue, occupied = painted(lesion, window, UPTAKE, rng)
    return Phantom(uptake, tissue, cell_mm), occupied


@dataclass(frozen=True, slots=True)
class Window:
    """The fine cells of the limb that are painted.

    Attributes
    ----------
    shape : tuple of int
    cell_mm : float
    scale : float
        Of the limb; 1 for a field of 160 mm.
    centre_mm : tuple of float
        In the limb's frame.
    """

    shape: tuple[int, int, int]
    cell_mm: float
    scale: float
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def axes_mm(self) -> tuple[Floats, Floats, Floats]:
        """Return the coordinates of the cells' centres, shapes (n, 1, 1), (1, m, 1) and (1, 1, k)."""
        indices = (np.asarray(axis, np.float64) for axis in np.ogrid[tuple(slice(0, n) for n in self.shape)])
        x, y, z = (c + (i - (n - 1) / 2) * self.cell_mm for i, n, c in zip(indices, self.shape, self.centre_mm, strict=True))
        return x, y, z


def painted(lesion: Lesion, window: Window, tissues: Tissues, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return what a window shows of a limb with one lesion in it.

    Parameters
    ----------
    lesion : Lesion
        Its mean in the unit of `tissues`.
    window : Window
    tissues : Tissues
    rng : numpy Generator

    Returns
    -------
    values : ndarray, float64, shape of the window
        In the unit of `tissues`.
    tissue : ndarray, float64, same shape
        Fraction of each cell that is not air.
    occupied : ndarray, float64, same shape
        Fraction of each cell within the lesion's border.

    Examples
    --------
    >>> ball = Lesion(Border(10.0, np.zeros((0, 3)), np.zeros((0, 2))), 4.0, Texture(8.0))
    >>> values, tissue, occupied = painted(ball, Window((20, 20, 20), 2.0, 1.0), UPTAKE, np.random.default_rng(0))
    >>> round(float((occupied * 0.008).sum()), 1), float(tissue.min())  # 4/3 pi cm3 = 4.2 mL, all within the limb
    (4.2, 1.0)
    """
    x, y, z = window.axes_mm()
    depth = lesion.border.depth_mm(x, y, z)
    occupied = _filled(depth, window.cell_mm)
    around, tissue = _limb((x, y, z), lesion.border, window.scale, tissues)
    tissue = np.maximum(tissue, _filled(depth + 5.0 * window.scale, window.cell_mm))
    around = np.where(around > 0, around, tissues.fat * tissue)
    around = (1 - occupied) * around * _ripple(tissues, window, rng)
    inside = lesion.mean * textured(occupied, around / lesion.mean, window.cell_mm, lesion.texture, rng)
    return around + occupied * inside, tissue, occupied


def _ripple(tissues: Tissues, window: Window, rng: np.random.Generator) -> Floats | float:
    """Return by what the values of tissues vary from place to place."""
    if tissues.ripple == 0.0:
        return 1.0
    return np.asarray(np.exp(tissues.ripple * smooth_field(window.shape, window.cell_mm, 9.0, rng)))


def _filled(depth_mm: Floats, cell_mm: float) -> Floats:
    """Return the fraction of a cell within a surface that passes at this depth."""
    return np.clip(0.5 + depth_mm / cell_mm, 0.0, 1.0)


def _limb(axes: tuple[Floats, Floats, Floats], border: Border, scale: float, worth: Tissues) -> tuple[Floats, Floats]:
    """Return values and tissue of the limb alone; bone and vessel stand on the side away from the lesion."""
    x, y, z = axes
    cell = float(x[1, 0, 0] - x[0, 0, 0])
    taper = 1.0 - 0.0006 * z / scale
    elliptic = np.hypot(x / 68.0, y / 62.0) / scale / taper
    skin = (1.0 - elliptic) * 62.0 * scale
    tissue, muscle = _filled(skin, cell), _filled(skin - 9.0 * scale, cell)
    values = worth.fat * tissue + (worth.muscle - worth.fat) * muscle
    away = np.asarray(border.centre_mm[:2]) / max(float(np.hypot(*border.centre_mm[:2])), 1e-6)
    for distance, turn, radius, own in ((24.0, 0.0, 13.0, worth.bone), (40.0, 0.9, 4.5, worth.vessel)):
        cosine, sine = np.cos(np.pi + turn), np.sin(np.pi + turn)
        where = distance * scale * np.array([away[0] * cosine - away[1] * sine, away[0] * sine + away[1] * cosine])
        rod = _filled(radius * scale - np.hypot(x - where[0], y - where[1]) + 0.0 * z, cell)
        values = values * (1 - rod) + own * rod
    return values, tissue
