"""Solids that grow in virtual bones: lobed and spiculated balls, lenses and tubes, as signed distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from onclair.virtual.bone_anatomy import Floats, Frame, Points, Vector, smooth_min, turned

#: How a border looks.
Style = Literal["smooth", "lobed", "spiculated"]
#: Lobes, their size and reach in radii of the ball; ripples of the border in waves a radius and their height.
_LOBES = {"smooth": (0, 0), "lobed": (2, 5), "spiculated": (0, 2)}
_RIPPLES = {"smooth": (1.5, 0.05), "lobed": (2.0, 0.09), "spiculated": (6.0, 0.22)}
#: A surface is followed this far beyond its ball, in radii.
REACH = 1.75


@dataclass(frozen=True, slots=True)
class Lobe:
    """A smaller ball on the first one.

    Attributes
    ----------
    centre : tuple of float
        In radii of the shape's own axes.
    radius : float
        In the same.
    """

    centre: Vector
    radius: float


@dataclass(frozen=True, slots=True)
class Shape:
    """An ellipsoid with lobes and a rippled border.

    Attributes
    ----------
    frame : Frame
        Its centre and axes.
    radii_mm : tuple of float
        Half axes.
    lobes : tuple of Lobe
    waves : tuple of float
        Ripples a radius, height in radii, and a phase.
    """

    frame: Frame
    radii_mm: Vector
    lobes: tuple[Lobe, ...] = ()
    waves: Vector = (0.0, 0.0, 0.0)

    @property
    def mean_mm(self) -> float:
        """The radius of the ball of the ellipsoid's volume."""
        return float(np.prod(self.radii_mm) ** (1 / 3))

    def box(self, margin_mm: float = 0.0) -> tuple[Vector, Vector]:
        """Return a box, in the world, that holds it with its lobes and a margin."""
        reach = REACH * max(self.radii_mm) + margin_mm
        x, y, z = self.frame.centre_mm
        return (x - reach, y - reach, z - reach), (x + reach, y + reach, z + reach)

    def distance(self, points: Points) -> Floats:
        """Return signed distances in mm, negative inside; of first order for ellipsoids.

        Examples
        --------
        >>> ball = Shape(Frame((10.0, 0.0, 0.0)), (4.0, 4.0, 4.0))
        >>> [round(float(d), 3) for d in ball.distance(tuple(np.float32([[[v]]]) for v in (17.0, 0.0, 0.0))).ravel()]
        [3.0]
        """
        x, y, z = (p / np.float32(r) for p, r in zip(self.frame.own(points), self.radii_mm, strict=True))
        found = np.asarray(np.sqrt(x * x + y * y + z * z) - 1.0, np.float32)
        for lobe in self.lobes:
            a, b, c = (np.float32(v) for v in lobe.centre)
            ball = np.sqrt((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) - np.float32(lobe.radius)
            found = smooth_min(found, np.asarray(ball, np.float32), 0.35)
        often, high, phase = (np.float32(v) for v in self.waves)
        if high:
            found = found + high * np.sin(often * x + phase) * np.sin(often * y + 2 * phase) * np.sin(often * z + 3 * phase)
        return np.asarray(found * np.float32(self.mean_mm), np.float32)


def random_shape(centre_mm: Vector, diameter_mm: float, style: Style, rng: np.random.Generator) -> Shape:
    """Return a shape of random axes, lobes and ripples, of about the volume of a ball.

    Parameters
    ----------
    centre_mm : tuple of float
    diameter_mm : float
        Of the ball; lobes add to it what its axes and ripples do not take away, so that the truth is counted, not this.
    style : {"smooth", "lobed", "spiculated"}
    rng : numpy Generator

    Examples
    --------
    >>> shape = random_shape((0.0, 0.0, 0.0), 12.0, "lobed", np.random.default_rng(0))
    >>> 4.5 < shape.mean_mm < 6.0, 2 <= len(shape.lobes) <= 5
    (True, True)
    """
    fewest, most = _LOBES[style]
    lobes = tuple(_lobe(rng) for _ in range(int(rng.integers(fewest, most + 1))))
    ratios = np.exp(rng.normal(0.0, 0.16, 3))
    ratios /= np.prod(ratios) ** (1 / 3)
    x, y, z = (float(r) for r in ratios * diameter_mm / 2.0 * (1.0 - 0.035 * len(lobes)))
    often, high = _RIPPLES[style]
    waves = (often * float(rng.uniform(0.8, 1.3)), high, float(rng.uniform(0.0, 6.28)))
    return Shape(Frame(centre_mm, random_turn(rng)), (x, y, z), lobes, waves)


def _lobe(rng: np.random.Generator) -> Lobe:
    direction = rng.normal(size=3)
    x, y, z = (float(v) for v in direction / np.linalg.norm(direction) * rng.uniform(0.55, 0.95))
    return Lobe((x, y, z), float(rng.uniform(0.35, 0.6)))


def random_turn(rng: np.random.Generator) -> tuple[Vector, Vector, Vector]:
    """Return random axes."""
    x, y, z = (float(v) for v in rng.uniform(-180.0, 180.0, 3))
    return turned(x=x, y=y, z=z)
