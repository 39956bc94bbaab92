"""Virtual vertebrae and ribs: a kidney-shaped body with end-plates, pedicles, arch and processes, its sizes and bends drawn at random.

Sizes by level are round figures near those of Panjabi et al., Spine 1991;16:888-901 (doi:10.1097/00007632-199108000-00006) and
Panjabi et al., Spine 1992;17:299-306 (doi:10.1097/00007632-199203000-00010): plausible choices, no atlas.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from onclair.virtual.bone_anatomy import (
    FAR_MM,
    Cone,
    Floats,
    Frame,
    Points,
    Slices,
    Vector,
    Window,
    box_of,
    join_cones,
    smooth_max,
    turned,
    turned_box,
)
from onclair.virtual.bone_tissue import Quality, Sampled, cancellous, layered

#: Half width, half depth, height of the body and the disc below it, in mm, and the label of ``totalseg``.
LEVELS = {
    "T10": (16.5, 14.0, 22.0, 5.0, 34),
    "T11": (18.0, 14.5, 23.0, 5.5, 33),
    "T12": (20.0, 15.0, 24.5, 6.5, 32),
    "L1": (21.5, 16.0, 26.0, 8.0, 31),
    "L2": (22.5, 16.5, 26.5, 9.5, 30),
    "L3": (23.5, 17.0, 27.0, 10.5, 29),
    "L4": (24.5, 17.0, 27.0, 11.0, 28),
}

#: How widely the parts of a vertebra run into each other.
JOINT_MM = 3.0


@dataclass(frozen=True, slots=True)
class Vertebra:
    """One vertebra, in axes of its own: x left, y posterior, z up, from the centre of its body.

    Attributes
    ----------
    level : str
    frame : Frame
    half_mm : tuple of float
        Half width, half depth and half height of the body.
    hollow : float
        How far the back of the body is hollowed, as a share of its depth.
    waist : float
        How much narrower the body is halfway between its end-plates.
    dish_mm : float
        How far the end-plates are dished.
    wedge_mm : float
        What the front is lower than the back.
    shell_mm : tuple of float
        Thickness of end-plates, of the wall, and of the arch's cortex.
    limbs : tuple of Cone
        Pedicles, arch and processes.
    """

    level: str
    frame: Frame
    half_mm: Vector
    hollow: float
    waist: float
    dish_mm: float
    wedge_mm: float
    shell_mm: Vector
    limbs: tuple[Cone, ...]

    @property
    def label(self) -> int:
        """Number in the scheme ``totalseg``."""
        return LEVELS[self.level][4]

    @property
    def name(self) -> str:
        """The bone."""
        return "vertebra"

    @property
    def side(self) -> None:
        """A vertebra has none."""

    def box(self) -> tuple[Vector, Vector]:
        """Return a box in the world that holds the vertebra."""
        ends = [end for solid in (*self.limbs, _hull(self.half_mm)) for end in turned_box(self.frame, solid.box(2.0))]
        return box_of(ends)

    def distance(self, window: Window) -> Floats:
        """Return signed distances to its surface."""
        return self._surfaces(window)[0]

    def sampled(self, window: Window, quality: Quality) -> Sampled:
        """Return what a window sees of it."""
        distance, which, cut, flat, own = self._surfaces(window)
        body = which[cut] == 0
        cortex = np.full(window.shape, np.float32(self.shell_mm[2]))
        cortex[cut][body] = np.where(flat[body], np.float32(self.shell_mm[0]), np.float32(self.shell_mm[1]))
        mean = np.full(window.shape, np.float32(quality.trabecular_hu * 1.15 + 60.0))
        mean[cut] = np.where(body, self._density(*own, quality), mean[cut])
        inner = cancellous(mean, distance, self.frame.own(window.points()), quality, self.label)
        return layered(distance, cortex, inner, window.cell_mm, quality)

    def _surfaces(self, window: Window) -> tuple[Floats, npt.NDArray[np.uint8], Slices, npt.NDArray[np.bool_], Points]:
        """Return distances, the limb that is nearest, and, about the body, its cells, where an end-plate is nearest, and the points."""
        cut = window.around(*turned_box(self.frame, _hull(self.half_mm).box(4.0)))
        x, y, z = own = self.frame.own(window.part(cut).points())
        side, level = self._wall(x, y, z)
        flat = np.abs(z - np.float32(0.04 * self.half_mm[2])) - self._half_height(y, level)
        found = np.full(window.shape, np.float32(FAR_MM))
        found[cut] = np.minimum(smooth_max(side, flat, 1.6), FAR_MM)
        which = join_cones(found, window, self.frame, self.limbs, JOINT_MM)
        return found, which, cut, flat > side, own

    def _wall(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
        """Return distances to the side wall, and the level that is 1 on it."""
        a, b, c = (np.float32(v) for v in self.half_mm)
        narrow = np.float32(1.0) - np.float32(self.waist) * np.clip(1.0 - np.square(z / c), 0.0, 1.0)
        u, v = np.abs(x) / (a * narrow), y / (b * narrow)
        level = np.sqrt(np.sqrt(np.square(u * u) + np.square(v * v) + np.float32(1.5) * np.square(u * v)))
        back = np.exp(-np.square(u / np.float32(0.5))) * np.clip(v, 0.0, 1.2)
        level = level + np.float32(self.hollow) * back
        reach = np.sqrt(x * x + y * y)
        return np.asarray(reach * (1.0 - 1.0 / np.maximum(level, 0.05)), np.float32), np.asarray(level, np.float32)

    def _half_height(self, y: Floats, level: Floats) -> Floats:
        c = np.float32(self.half_mm[2])
        dish = np.float32(self.dish_mm) * np.clip(1.0 - level * level, 0.0, 1.0)
        forward = np.clip(-y / np.float32(self.half_mm[1]), -1.0, 1.0)
        return np.asarray(c - dish - np.float32(self.wedge_mm / 4.0) * (forward + 1.0), np.float32)

    def _density(self, x: Floats, y: Floats, z: Floats, quality: Quality) -> Floats:
        """Return the mean of cancellous bone: denser towards the end-plates and the pedicles, thinner in the middle of the front."""
        a, b, c = (np.float32(v) for v in self.half_mm)
        rise = 0.85 + 0.35 * np.square(z / c) + 0.12 * np.clip(y / b, -1.0, 1.0) + 0.06 * np.square(x / a)
        return np.asarray(np.float32(quality.trabecular_hu) * rise, np.float32)


@dataclass(frozen=True, slots=True)
class Strut:
    """A bone that is a chain of round cones in the world: the stub of a rib, the end of the sacrum.

    Attributes
    ----------
    label : int
        Number in the scheme ``totalseg``.
    name : str
    level, side : str or None
    chain : tuple of Cone
    cortex_mm : float
    """

    label: int
    name: str
    level: str | None
    side: str | None
    chain: tuple[Cone, ...]
    cortex_mm: float

    def box(self) -> tuple[Vector, Vector]:
        """Return a box in the world that holds it."""
        lows, highs = zip(*(piece.box(2.0) for piece in self.chain), strict=True)
        return box_of((*lows, *highs))

    def distance(self, window: Window) -> Floats:
        """Return signed distances to its surface."""
        found = np.full(window.shape, np.float32(FAR_MM))
        join_cones(found, window, Frame((0.0, 0.0, 0.0)), self.chain, 1.0)
        return found

    def sampled(self, window: Window, quality: Quality) -> Sampled:
        """Return what a window sees of it."""
        distance = self.distance(window)
        x, y, z = window.points()
        mean = np.full(window.shape, np.float32(quality.trabecular_hu * 0.7))
        inner = cancellous(mean, distance, (y, z, x), quality, self.label)
        return layered(distance, np.full(window.shape, np.float32(self.cortex_mm)), inner, window.cell_mm, quality)


def random_vertebra(level: str, frame: Frame, size: float, rng: np.random.Generator) -> Vertebra:
    """Return a vertebra of a level with random modes.

    Parameters
    ----------
    level : str
        A key of `LEVELS`.
    frame : Frame
    size : float
        Of the patient; 1 is usual.
    rng : numpy Generator
    """
    a, b, h = (v * size * float(np.exp(rng.normal(0.0, 0.03))) for v in LEVELS[level][:3])
    limbs = _limbs(level, (a, b, h / 2.0), rng)
    shell = (float(rng.uniform(0.5, 1.0)), float(rng.uniform(0.4, 0.8)), float(rng.uniform(0.9, 1.7)))
    hollow, waist, dish = float(rng.uniform(0.1, 0.24)), float(rng.uniform(0.05, 0.12)), float(rng.uniform(0.6, 1.8))
    wedge = float(np.clip(rng.normal(0.8, 0.8), -0.5, 3.0))
    return Vertebra(level, frame, (a, b, h / 2.0), hollow, waist, dish, wedge, shell, limbs)


def _limbs(level: str, half: Vector, rng: np.random.Generator) -> tuple[Cone, ...]:
    a, b, c = half
    thoracic = level.startswith("T")
    bend = float(rng.normal(0.0, 1.2))
    out, back = (13.0, 13.0) if thoracic else (24.0, 7.0)
    long, fall = (24.0, -0.95 * c) if thoracic else (27.0, -0.35 * c)
    found = [
        Cone((bend / 3, b + 19.0, -0.2 * c), (bend, b + 20.0 + long, -0.3 * c + fall), 3.6, 4.2, (1.0, 1.0, 0.45 if not thoracic else 0.75))
    ]
    for sign in (1.0, -1.0):
        wide = sign * 0.64 * a * float(rng.normal(1.0, 0.02))
        thick = float(rng.normal(1.0, 0.05))
        stretch, tilt = float(rng.normal(out, 2.5)), float(rng.normal(0.0, 1.5))
        found += [
            Cone((wide, 0.72 * b, 0.42 * c), (wide, b + 9.0, 0.32 * c), 5.4 * thick, 5.0 * thick, (1.35 if thoracic else 1.15, 1.0, 0.75)),
            Cone((wide, b + 9.5, 0.1 * c), (0.0, b + 19.5, -0.35 * c), 4.2 * thick, 4.0 * thick, (1.0, 1.0, 0.5)),
            Cone((wide, b + 9.0, 0.25 * c), (wide + sign * stretch, b + 9.0 + back, 0.3 * c + tilt), 3.6 * thick, 2.7 * thick),
            Cone((wide + sign * 1.5, b + 10.5, 0.2 * c), (wide + sign * 2.0, b + 12.0, 1.2 * c), 3.8 * thick, 3.4 * thick),
            Cone((wide * 0.85, b + 14.5, -0.3 * c), (wide * 0.72, b + 17.0, -1.5 * c), 3.7 * thick, 3.4 * thick),
        ]
    return tuple(found)


def random_rib(number: int, side: str, vertebra: Vertebra, rng: np.random.Generator) -> Strut:
    """Return the stub of a rib that meets a vertebra's side; its label is 91 (left) or 103 (right) more than its number."""
    a, b, c = vertebra.half_mm
    sign, turn = (1.0 if side == "left" else -1.0), float(rng.normal(0.0, 2.0))
    way = [(0.98 * a, 0.85 * b, 0.25 * c), (a + 13.0, b + 15.0, 0.1 * c), (a + 30.0, b + 19.0 + turn, -0.5 * c)]
    way += [(a + 44.0, b + 12.0 + 2 * turn, -1.4 * c), (a + 56.0, b - 4.0 + 2 * turn, -2.4 * c)]
    places = [vertebra.frame.world((sign * x, y, z)) for x, y, z in way]
    radius = float(rng.uniform(3.3, 4.2))
    chain = tuple(Cone(one, two, radius, radius, (1.0, 1.0, 0.78)) for one, two in pairwise(places))
    return Strut((91 if side == "left" else 103) + number, "rib", str(number), side, chain, float(rng.uniform(0.8, 1.3)))


def spine(levels: tuple[str, ...], size: float, rng: np.random.Generator, *, bend: float = 1.0) -> tuple[Vertebra, ...]:
    """Return vertebrae one below the other, bent and turned at random; the middle of the stack lies at z = 0.

    Parameters
    ----------
    levels : tuple of str
        From the top.
    size : float
    rng : numpy Generator
    bend : float
        How much more than usual it is bent.
    """
    sway, lordosis, crook = (float(v) for v in rng.normal((0.0, 10.0, 0.0), (5.0 * bend, 5.0 * bend, 2.5 * bend)))
    heights = [LEVELS[level][2] * size for level in levels]
    discs = [LEVELS[level][3] * size * float(np.exp(rng.normal(-0.05, 0.18))) for level in levels]
    total = sum(heights) + sum(discs[:-1])
    top, found = total / 2.0, []
    for level, height, disc in zip(levels, heights, discs, strict=True):
        middle = top - height / 2.0
        t = 2.0 * middle / total
        place = (sway * t * t + crook * t, lordosis * (t * t - 0.3) * 0.5, middle)
        slope_y, slope_x = lordosis * t * 2.0 / total, (2.0 * sway * t + crook) * 2.0 / total
        rows = turned(x=-np.degrees(slope_y) + rng.normal(0, 1.5), y=np.degrees(slope_x) + rng.normal(0, 1.5), z=rng.normal(0, 2.5))
        found.append(random_vertebra(level, Frame(place, rows), size, rng))
        top -= height + disc
    return tuple(found)


def disc_distance(upper: Vertebra, lower: Vertebra, points: Points) -> Floats:
    """Return signed distances to the disc between two vertebrae: a lens a little wider than their bodies."""
    (_, _, c), (_, _, d) = upper.half_mm, lower.half_mm
    one, two = upper.frame.world((0.0, 0.0, -c)), lower.frame.world((0.0, 0.0, d))
    centre = tuple((p + q) / 2.0 for p, q in zip(one, two, strict=True))
    x, y, z = Frame((centre[0], centre[1], centre[2]), upper.frame.rows).own(points)
    a, b = 1.03 * upper.half_mm[0], 1.03 * upper.half_mm[1]
    level = np.sqrt(
        np.sqrt(
            np.square(np.square(x / np.float32(a)))
            + np.square(np.square(y / np.float32(b)))
            + np.float32(1.5) * np.square(x * y / np.float32(a * b))
        )
    )
    reach = np.sqrt(x * x + y * y)
    side = reach * (1.0 - 1.0 / np.maximum(level, 0.05))
    return smooth_max(np.asarray(side, np.float32), np.asarray(np.abs(z) - np.float32((one[2] - two[2]) / 2.0 + 3.0), np.float32), 2.0)


def _hull(half: Vector) -> Cone:
    """Return a solid whose box holds a vertebral body."""
    a, b, c = half
    return Cone((0.0, 0.0, -0.2 * c), (0.0, 0.0, 0.2 * c), 1.06 * max(a, b, c), 1.06 * max(a, b, c))
