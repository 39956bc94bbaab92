"""Virtual hips: the upper femur of either side, the hip bone around its head, and the end of the sacrum.

Neck-shaft angle 125 +- 5 degrees, cortex of the shaft 3 to 8 mm. The cancellous bone of the femur is dense where it carries the load, from
the top of the head to the calcar, and along the arc of tension; between them Ward's triangle is nearly empty. Sizes are plausible choices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from onclair.virtual.bone_anatomy import FAR_MM, Cone, Floats, Frame, Vector, Window, box_of, join_cones, smooth_max, turned_box
from onclair.virtual.bone_tissue import MARROW_HU, Quality, Sampled, cancellous, layered
from onclair.virtual.bone_vertebra import Strut


@dataclass(frozen=True, slots=True)
class Femur:
    """One upper femur, in axes of its own: x lateral, y posterior, z up, from the centre of the head.

    Attributes
    ----------
    side : {"left", "right"}
    head_mm : tuple of float
        Centre of the head in the world.
    radius_mm : float
        Of the head.
    knee : tuple of float
        Where the neck meets the shaft, in the bone's axes.
    limbs : tuple of Cone
        Neck, shaft, trochanters.
    cortex_mm : tuple of float
        Thickness of the compact bone of head and trochanters, of the calcar, and of the shaft.
    """

    side: str
    head_mm: Vector
    radius_mm: float
    knee: Vector
    limbs: tuple[Cone, ...]
    cortex_mm: Vector

    @property
    def label(self) -> int:
        """Number in the scheme ``totalseg``."""
        return 75 if self.side == "left" else 76

    @property
    def name(self) -> str:
        """The bone."""
        return "femur"

    @property
    def level(self) -> None:
        """A femur has none."""

    @property
    def frame(self) -> Frame:
        """Its axes; those of the right side are mirrored."""
        return mirrored(self.head_mm, self.side)

    def box(self) -> tuple[Vector, Vector]:
        """Return a box in the world that holds it."""
        head = Cone((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), self.radius_mm, self.radius_mm)
        return _box(self.frame, (head, *self.limbs))

    def distance(self, window: Window) -> Floats:
        """Return signed distances to its surface."""
        head = Cone((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), self.radius_mm, self.radius_mm)
        found = np.full(window.shape, np.float32(FAR_MM))
        join_cones(found, window, self.frame, (head, *self.limbs), 7.0)
        return found

    def sampled(self, window: Window, quality: Quality) -> Sampled:
        """Return what a window sees of it."""
        distance = self.distance(window)
        x, y, z = self.frame.own(window.points())
        down = np.float32(self.knee[2] - 4.0) - z  # mm below the trochanters
        thick = self._cortex(x, z, down)
        tilt = np.float32(0.35)
        mean = np.broadcast_to(self._density(x, z, down, quality), window.shape)
        inner = cancellous(mean, distance, (x + tilt * z, y, z - tilt * x), quality, self.label)
        return layered(distance, thick, inner, window.cell_mm, quality)

    def _cortex(self, x: Floats, z: Floats, down: Floats) -> Floats:
        thin, calcar, shaft = (np.float32(v) for v in self.cortex_mm)
        grown = np.clip(down / 55.0, 0.0, 1.0)
        below = np.clip((-z - 0.6 * x - 6.0) / 12.0, 0.0, 1.0) * np.clip(1.0 - np.abs(x - 22.0) / 22.0, 0.0, 1.0)
        return np.asarray(thin + (calcar - thin) * below * (1.0 - grown) + (shaft - thin) * grown, np.float32)

    def _density(self, x: Floats, z: Floats, down: Floats, quality: Quality) -> Floats:
        """Return the mean of cancellous bone: two bands of load over fatty marrow."""
        full = np.float32(quality.trabecular_hu)
        kx, _, kz = (np.float32(v) for v in self.knee)
        press = np.abs(z * 0.42 - (x - 4.0) * 0.9)  # from the top of the head to the calcar
        arch = np.abs(np.hypot(x - 0.62 * kx, z - 1.35 * kz) - 0.95 * abs(float(self.knee[0])))  # from the lateral cortex over the neck
        head = np.clip((self.radius_mm - np.sqrt(x * x + z * z)) / 10.0, 0.0, 1.0)
        share = 0.28 + 1.15 * np.exp(-np.square(press / 9.0)) + 0.65 * np.exp(-np.square(arch / 8.0)) + 0.35 * head
        fade = 1.0 - np.clip((down + 12.0) / 45.0, 0.0, 1.0)
        return np.asarray(MARROW_HU + (full * np.minimum(share, 1.6) - MARROW_HU * 0.6) * fade, np.float32)


@dataclass(frozen=True, slots=True)
class Hip:
    """One hip bone around the head of its femur, in the same axes.

    Attributes
    ----------
    side : {"left", "right"}
    head_mm : tuple of float
        Centre of the head in the world.
    socket_mm : tuple of float
        Inner and outer radius of the socket.
    limbs : tuple of Cone
        Ilium, ischium and pubis.
    cortex_mm : float
    """

    side: str
    head_mm: Vector
    socket_mm: tuple[float, float]
    limbs: tuple[Cone, ...]
    cortex_mm: float

    @property
    def label(self) -> int:
        """Number in the scheme ``totalseg``."""
        return 77 if self.side == "left" else 78

    @property
    def name(self) -> str:
        """The bone."""
        return "hip"

    @property
    def frame(self) -> Frame:
        """Its axes; those of the right side are mirrored."""
        return mirrored(self.head_mm, self.side)

    @property
    def level(self) -> None:
        """A hip bone has none."""

    def box(self) -> tuple[Vector, Vector]:
        """Return a box in the world that holds it."""
        cup = Cone((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), self.socket_mm[1], self.socket_mm[1])
        return _box(self.frame, (cup, *self.limbs))

    def distance(self, window: Window) -> Floats:
        """Return signed distances to its surface."""
        inner, outer = self.socket_mm
        far = outer + 6.0
        cut = window.around(*turned_box(self.frame, ((-far, -far, -far), (far, far, far))))
        x, y, z = self.frame.own(window.part(cut).points())
        reach = np.sqrt(x * x + y * y + z * z)
        found = np.full(window.shape, np.float32(FAR_MM))
        cup = smooth_max(reach - outer, np.asarray(0.68 * x - 0.22 * y - 0.70 * z - 3.0, np.float32), 3.0)
        found[cut] = np.minimum(cup, FAR_MM)
        join_cones(found, window, self.frame, self.limbs, 6.0)
        found[cut] = smooth_max(found[cut], np.asarray(inner - reach, np.float32), 1.5)
        return found

    def sampled(self, window: Window, quality: Quality) -> Sampled:
        """Return what a window sees of it."""
        distance = self.distance(window)
        x, y, z = self.frame.own(window.points())
        near = np.exp(-np.square((np.sqrt(x * x + y * y + z * z) - self.socket_mm[0]) / 12.0))
        mean = np.asarray(quality.trabecular_hu * (0.45 + 0.75 * near), np.float32)
        inner = cancellous(mean, distance, (y, z, x), quality, self.label)
        return layered(distance, np.asarray(self.cortex_mm * (1.0 + 0.4 * near), np.float32), inner, window.cell_mm, quality)


def mirrored(head_mm: Vector, side: str) -> Frame:
    """Return the axes of a side's hip: x lateral, y posterior, z up.

    Examples
    --------
    >>> mirrored((-90.0, 0.0, 0.0), "right").world((10.0, 0.0, 0.0))
    (-100.0, 0.0, 0.0)
    """
    return Frame(head_mm, ((1.0 if side == "left" else -1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))


def _box(frame: Frame, solids: tuple[Cone, ...]) -> tuple[Vector, Vector]:
    return box_of(end for solid in solids for end in turned_box(frame, solid.box(2.0)))


def random_hip(side: str, head_mm: Vector, size: float, bends: dict[str, float], rng: np.random.Generator) -> tuple[Femur, Hip]:
    """Return femur and hip bone of one side.

    Parameters
    ----------
    side : {"left", "right"}
    head_mm : tuple of float
        Centre of the head in the world.
    size : float
        Of the patient; 1 is usual.
    bends : dict
        ``angle`` between neck and shaft and ``version`` of the neck in degrees, ``cortex`` of the shaft in mm: the two sides are alike.
    rng : numpy Generator
        Of what tells the sides apart.
    """
    rise = math.radians(bends["angle"] - 90.0 + rng.normal(0.0, 0.7))
    turn = math.radians(bends["version"] + rng.normal(0.0, 1.0))
    length = size * float(rng.normal(47.0, 1.0))
    knee = (length * math.cos(rise) * math.cos(turn), length * math.cos(rise) * math.sin(turn), -length * math.sin(rise))
    radius = size * float(rng.normal(23.5, 0.3))
    femur = Femur(side, head_mm, radius, knee, _femur_limbs(knee, size, rng), (1.2, float(rng.uniform(2.5, 4.0)), bends["cortex"]))
    gap = float(rng.uniform(2.5, 4.0))
    socket = (radius + gap, radius + gap + size * float(rng.uniform(6.5, 9.0)))
    return femur, Hip(side, head_mm, socket, _hip_limbs(socket[1], size, abs(head_mm[0])), float(rng.uniform(1.2, 2.0)))


def _femur_limbs(knee: Vector, size: float, rng: np.random.Generator) -> tuple[Cone, ...]:
    kx, ky, kz = knee
    thick = size * float(rng.normal(1.0, 0.02))

    def at(x: float, y: float, z: float) -> Vector:
        return kx + x * size, ky + y * size, kz + z * size

    return (
        Cone((0.25 * kx, 0.25 * ky, 0.25 * kz), at(0.0, 0.0, -2.0), 16.0 * thick, 17.0 * thick, (1.0, 1.12, 1.0)),
        Cone(at(0.0, 0.0, -8.0), at(-6.0, 3.0, -130.0), 16.5 * thick, 14.0 * thick),
        Cone(at(5.0, 5.0, -8.0), at(9.0, 9.0, 15.0), 14.0 * thick, 9.0 * thick),
        Cone(at(-6.0, 8.0, -34.0), at(-13.0, 15.0, -36.0), 9.5 * thick, 5.5 * thick),
    )


def _hip_limbs(outer: float, size: float, half_gap: float) -> tuple[Cone, ...]:
    return (
        Cone((-6.0, 6.0, 0.75 * outer), (2.0 * size, 16.0, outer + 52.0), 19.0 * size, 25.0 * size, (1.75, 1.0, 1.0)),
        Cone((-8.0, 0.75 * outer, -6.0), (0.0, 30.0 * size, -62.0 * size), 13.0 * size, 14.5 * size, (1.25, 1.0, 1.0)),
        Cone((-0.7 * outer, -12.0, -4.0), (5.0 - half_gap, -30.0 * size, -30.0 * size), 9.5 * size, 8.5 * size, (1.0, 1.0, 0.85)),
        Cone((0.0, 30.0 * size, -64.0 * size), (8.0 - half_gap, -20.0 * size, -60.0 * size), 8.0 * size, 6.5 * size),
    )


def sacral_end(height_mm: float, size: float) -> Strut:
    """Return the lowest part of the sacrum with the coccyx, below a height."""
    chain = (
        Cone((0.0, 58.0 * size, height_mm), (0.0, 56.0 * size, height_mm - 30.0), 26.0 * size, 15.0 * size, (1.0, 2.2, 1.0)),
        Cone((0.0, 56.0 * size, height_mm - 30.0), (0.0, 44.0 * size, height_mm - 62.0), 13.0 * size, 5.0 * size, (1.0, 1.8, 1.0)),
    )
    return Strut(25, "sacrum", None, None, chain, 1.2)
