"""What lies around virtual bones: muscle, fat, organs, vessels, the canal, skin, air and the table, in HU on the voxels of an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from onclair.virtual.bone_anatomy import FAR_MM, Cone, Floats, Frame, Points, Vector, Window, ellipsoid, filled, join_cones
from onclair.virtual.bone_tissue import FAT_HU, MUSCLE_HU
from onclair.virtual.bone_vertebra import Vertebra, disc_distance
from onclair.virtual.textures import smooth_field

#: HU of air, of the lungs, of the canal's sac, of discs and of the table's shell.
AIR_HU, LUNG_HU, SAC_HU, DISC_HU, TABLE_HU = -1000.0, -860.0, 22.0, 85.0, 410.0


@dataclass(eq=False, slots=True)
class Canvas:
    """HU being painted; what is painted later covers what was there."""

    window: Window
    hu: Floats
    points: Points = field(init=False)

    def __post_init__(self) -> None:
        self.points = self.window.points()

    def over(self, distance: Floats, hu: float | Floats) -> None:
        """Paint what lies inside a surface, everywhere."""
        share = filled(distance, self.window.cell_mm)
        self.hu += share * (np.asarray(hu, np.float32) - self.hu)

    def cone(self, solid: Cone, hu: float | Floats) -> None:
        """Paint a round cone, within its box."""
        cut = self.window.around(*solid.box(2.0))
        part = self.window.part(cut)
        distance = np.full(part.shape, np.float32(FAR_MM))
        join_cones(distance, part, Frame((0.0, 0.0, 0.0)), [solid], 0.0)
        filling = hu[cut] if isinstance(hu, np.ndarray) else np.float32(hu)
        self.hu[cut] += filled(distance, part.cell_mm) * (filling - self.hu[cut])

    def ball(self, centre: Vector, radii: Vector, hu: float) -> None:
        """Paint an ellipsoid, within its box."""
        low = tuple(c - r - 2.0 for c, r in zip(centre, radii, strict=True))
        high = tuple(c + r + 2.0 for c, r in zip(centre, radii, strict=True))
        cut = self.window.around((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        part = self.window.part(cut)
        share = filled(ellipsoid(part.points(), centre, radii), part.cell_mm)
        self.hu[cut] += share * (np.float32(hu) - self.hu[cut])


def vessel_hu(contrast: bool, rng: np.random.Generator) -> float:
    """Return the HU of blood in the large arteries: 150 to 300 after contrast, else about 40."""
    return float(rng.uniform(150.0, 300.0) if contrast else rng.normal(40.0, 3.0))


def around_spine(window: Window, bones: tuple[Vertebra, ...], blood_hu: float, rng: np.random.Generator) -> Floats:
    """Return the soft tissue of the trunk around a spine.

    Parameters
    ----------
    window : Window
        The voxels of the image, or finer ones.
    bones : tuple of Vertebra
        From the top.
    blood_hu : float
        Of the aorta.
    rng : numpy Generator
    """
    x, y, z = window.points()
    canvas = Canvas(window, _fatty(window, rng))
    front, top = float(window.first_mm[1]), float(window.step_mm[2] * window.shape[2] + window.first_mm[2])
    canvas.over(y - (front + 16.0 + 0.06 * np.abs(x)) + 0.0 * z, 30.0 + float(rng.normal(25.0, 10.0)) + 0.12 * (blood_hu - 40.0))
    _kidneys(canvas, blood_hu, rng)
    _muscles_of_back(canvas, bones, rng)
    if rng.random() < 0.7:
        _lungs(canvas, top - float(rng.uniform(15.0, 55.0)), rng)
    _great_vessels(canvas, bones, blood_hu, rng)
    for upper, lower in pairwise(bones):
        _disc(canvas, upper, lower, DISC_HU + float(rng.normal(0.0, 12.0)))
    _canal(canvas, bones)
    _skin_and_table(canvas, 70.0 + float(rng.uniform(3.0, 8.0)), 82.0)
    return canvas.hu


def _disc(canvas: Canvas, upper: Vertebra, lower: Vertebra, hu: float) -> None:
    (x, y, high), (_, _, low) = upper.frame.centre_mm, lower.frame.centre_mm
    reach = 1.2 * upper.half_mm[0]
    cut = canvas.window.around((x - reach, y - reach, low), (x + reach, y + reach, high))
    part = canvas.window.part(cut)
    canvas.hu[cut] += filled(disc_distance(upper, lower, part.points()), part.cell_mm) * (np.float32(hu) - canvas.hu[cut])


def _fatty(window: Window, rng: np.random.Generator) -> Floats:
    shape = tuple(max(4, round(n * s / 4.0)) for n, s in zip(window.shape, window.step_mm, strict=True))
    coarse = smooth_field((shape[0], shape[1], shape[2]), 4.0, 9.0, rng).astype(np.float32)
    index = [np.minimum(np.arange(n) * m // n, m - 1) for n, m in zip(window.shape, shape, strict=True)]
    return np.asarray(FAT_HU + 7.0 * coarse[np.ix_(*index)], np.float32)


def _muscles_of_back(canvas: Canvas, bones: tuple[Vertebra, ...], rng: np.random.Generator) -> None:
    """Paint the erectors behind the transverse processes and the psoas beside the lumbar bodies, streaked with fat."""
    streaks = MUSCLE_HU + (_fatty(canvas.window, rng) - FAT_HU) * np.float32(rng.uniform(0.6, 2.4))
    top, bottom = bones[0].frame.centre_mm, bones[-1].frame.centre_mm
    for sign in (1.0, -1.0):
        start, end = (_beside(each, sign * 24.0, 47.0, 0.0) for each in (top, bottom))
        canvas.cone(_stretched(start, end, (22.0, 17.0)), streaks)
        for bone in bones:
            if bone.level.startswith("L"):
                a, b, c = bone.half_mm
                where = _beside(bone.frame.centre_mm, sign * (a + 9.0), 0.4 * b, -0.3 * c)
                canvas.ball(where, (10.0 + 0.8 * c * 0.3, 14.0, 27.0), MUSCLE_HU)


def _beside(place: Vector, x: float, y: float, z: float) -> Vector:
    return place[0] + x, place[1] + y, place[2] + z


def _stretched(start: Vector, end: Vector, radii: tuple[float, float]) -> Cone:
    """Return a long solid with an oval section, its ends beyond the field."""
    wide, deep = radii
    return Cone(_beside(start, 0.0, 0.0, 60.0), _beside(end, 0.0, 0.0, -60.0), deep, deep, (deep / wide, 1.0, 1.0))


def _kidneys(canvas: Canvas, blood_hu: float, rng: np.random.Generator) -> None:
    for sign in (1.0, -1.0):
        x, y, z = rng.normal((56.0 * sign, 4.0, -25.0 - 6.0 * sign), (4.0, 4.0, 12.0))
        canvas.ball((float(x), float(y), float(z)), (20.0, 24.0, 48.0), 32.0 + 0.65 * (blood_hu - 40.0))


def _lungs(canvas: Canvas, height_mm: float, rng: np.random.Generator) -> None:
    """Paint the recesses of the lungs beside and behind the upper vertebrae, the diaphragm below them."""
    for sign in (1.0, -1.0):
        x, y, _ = rng.normal((sign * 62.0, 16.0, 0.0), 3.0)
        canvas.ball((float(x), float(y), height_mm + 70.0), (34.0, 34.0, 74.0), LUNG_HU)


def _great_vessels(canvas: Canvas, bones: tuple[Vertebra, ...], blood_hu: float, rng: np.random.Generator) -> None:
    first, last = bones[0], bones[-1]
    wide = float(rng.uniform(9.0, 13.0))
    for side, radius, hu in ((1.0, wide, blood_hu), (-1.0, 0.95 * wide, 40.0 + 0.55 * (blood_hu - 40.0))):
        ends = [
            _beside(b.frame.centre_mm, side * 10.0 + (0.0 if side > 0 else -5.0), -b.half_mm[1] - radius - 1.5, 0.0) for b in (first, last)
        ]
        tube = _stretched(ends[0], ends[1], (radius, radius))
        canvas.cone(tube, hu)
        if side > 0:
            for _ in range(int(rng.poisson(2.0))):  # plaques: dense spots that are no bone
                share, turn = float(rng.uniform(0.0, 1.0)), float(rng.uniform(0.0, 6.28))
                x, y, z = (p + share * (q - p) for p, q in zip(ends[0], ends[1], strict=True))
                spot = (x + radius * np.cos(turn), y + radius * np.sin(turn), z)
                canvas.ball(spot, (1.6, 1.6, 3.0), float(rng.uniform(400.0, 900.0)))


def _canal(canvas: Canvas, bones: tuple[Vertebra, ...]) -> None:
    """Paint the sac and its fat behind the bodies; arches are painted over it."""
    places = [bone.frame.world((0.0, bone.half_mm[1] + 8.0, 0.0)) for bone in bones]
    places = [_beside(places[0], 0.0, 0.0, 40.0), *places, _beside(places[-1], 0.0, 0.0, -40.0)]
    for radius, hu in ((10.5, FAT_HU), (7.5, SAC_HU)):
        for start, end in pairwise(places):
            canvas.cone(Cone(start, end, radius, radius, (0.85, 1.0, 1.0)), hu)


def _skin_and_table(canvas: Canvas, back_mm: float, table_mm: float) -> None:
    """Paint the air behind the back, the skin, and the two shells of the table with foam between them."""
    x, y, z = canvas.points
    bulge = np.float32(back_mm) - np.square(x) / np.float32(900.0) + 0.0 * z
    canvas.over(np.asarray(bulge - 2.0 - y, np.float32), MUSCLE_HU)
    canvas.over(bulge - y, AIR_HU)
    canvas.over(np.abs(y - np.float32(table_mm)) - 0.8 + 0.0 * (x + z), TABLE_HU)


def around_hips(window: Window, heads: tuple[Vector, Vector], blood_hu: float, rng: np.random.Generator) -> Floats:
    """Return the soft tissue of pelvis and thighs.

    Parameters
    ----------
    window : Window
    heads : tuple of tuple of float
        Centres of the left and right femoral heads.
    blood_hu : float
        Of the femoral arteries.
    rng : numpy Generator
    """
    canvas = Canvas(window, _fatty(window, rng))
    streaks = MUSCLE_HU + (_fatty(window, rng) - FAT_HU) * np.float32(rng.uniform(0.6, 2.4))
    canvas.ball((float(rng.normal(0.0, 4.0)), -22.0, 22.0), (38.0, 30.0, 36.0), float(rng.normal(10.0, 4.0)))
    canvas.ball((float(rng.normal(0.0, 4.0)), 26.0, 20.0), (18.0, 16.0, 60.0), float(rng.normal(30.0, 15.0)))
    for head, sign in zip(heads, (1.0, -1.0), strict=True):
        _thigh(canvas, head, sign, streaks, blood_hu)
    x, y, z = canvas.points
    skin = float(rng.uniform(156.0, 166.0))
    canvas.over(skin - np.hypot(x, 1.9 * y) + 0.0 * z, AIR_HU)
    canvas.over(np.abs(y - np.float32(min(skin / 1.9 + 4.0, 62.0))) - 0.8 + 0.0 * (x + z), TABLE_HU)
    return canvas.hu


def _thigh(canvas: Canvas, head: Vector, sign: float, streaks: Floats, blood_hu: float) -> None:
    x, y, z = head
    groups = [
        (22.0, 40.0, -10.0, 30.0, 20.0),
        (36.0, -22.0, -40.0, 22.0, 22.0),
        (-32.0, 4.0, -62.0, 24.0, 30.0),
        (40.0, 14.0, -55.0, 30.0, 26.0),
    ]
    for lateral, back, down, wide, deep in groups:
        near = (x + sign * lateral, y + back, z + down)
        canvas.cone(_stretched(_beside(near, 0.0, 0.0, -20.0), near, (wide, deep)), streaks)
    canvas.ball((x - sign * 4.0, y - 30.0, z + 16.0), (20.0, 12.0, 55.0), MUSCLE_HU)
    for lateral, radius, hu in ((-10.0, 4.5, blood_hu), (-22.0, 5.5, 40.0 + 0.5 * (blood_hu - 40.0))):
        start = (x + sign * lateral, y - 42.0, z + 20.0)
        canvas.cone(_stretched(start, _beside(start, sign * 4.0, 4.0, -60.0), (radius, radius)), hu)
    canvas.ball(head, (27.5, 27.5, 27.5), 60.0)  # cartilage and capsule
