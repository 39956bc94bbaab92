"""What virtual bones are made of: windows of fine cells, signed distances to simple solids.

Distances are in mm, negative inside, float32 throughout; they are exact for balls and round cones and of first order elsewhere, which is
all that a cortex of a few millimetres and the partial volume of a cell ask for. Smooth unions: Quilez' polynomial minimum, as in
https://iquilezles.org/articles/smin (quadratic).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Vector = tuple[float, float, float]
Slices = tuple[slice, slice, slice]
#: Coordinates along x, y, z, of shapes that broadcast.
Points = tuple[Floats, Floats, Floats]
#: Farther than this outside a solid nobody asks.
FAR_MM = 12.0


@dataclass(frozen=True, slots=True)
class Window:
    """A box of equal cells along the axes of the world.

    Attributes
    ----------
    first_mm : tuple of float
        Centre of the first cell, LPS.
    step_mm : tuple of float
        Sides of a cell.
    shape : tuple of int
        (x, y, z).
    """

    first_mm: Vector
    step_mm: Vector
    shape: tuple[int, int, int]

    @property
    def cell_mm(self) -> float:
        """The side that a cell counts with where its surface is smoothed: the mean of the three."""
        return float(sum(self.step_mm) / 3.0)

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """Cell index to LPS mm, shape (4, 4)."""
        affine = np.diag([*self.step_mm, 1.0])
        affine[:3, 3] = self.first_mm
        return affine

    def points(self) -> Points:
        """Return the coordinates of the cells' centres, shapes (n, 1, 1), (1, n, 1), (1, 1, n)."""
        axes = [np.arange(n, dtype=np.float32) * np.float32(s) + np.float32(f) for f, s, n in zip(*self._rows(), strict=True)]
        return axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]

    def _rows(self) -> tuple[Vector, Vector, tuple[int, int, int]]:
        return self.first_mm, self.step_mm, self.shape

    def around(self, low_mm: Vector, high_mm: Vector) -> Slices:
        """Return the cells whose centres lie within a box, as slices; empty ones where the box lies outside.

        Examples
        --------
        >>> Window((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (8, 8, 8)).around((1.5, -3.0, 20.0), (4.0, 2.0, 30.0))
        (slice(2, 5, None), slice(0, 3, None), slice(8, 8, None))
        """
        found = []
        for low, high, first, step, n in zip(low_mm, high_mm, *self._rows(), strict=True):
            start = min(max(math.ceil((low - first) / step - 1e-9), 0), n)
            found.append(slice(start, min(max(math.floor((high - first) / step + 1e-9) + 1, start), n)))
        return found[0], found[1], found[2]

    def part(self, cut: Slices) -> Window:
        """Return the window of some of its cells."""
        first = [f + s * c.start for f, s, c in zip(self.first_mm, self.step_mm, cut, strict=True)]
        return Window((first[0], first[1], first[2]), self.step_mm, (_length(cut[0]), _length(cut[1]), _length(cut[2])))

    def refined(self, parts: tuple[int, int, int]) -> Window:
        """Return the window with every cell cut into whole numbers of cells along the axes."""
        first = [f - s / 2 + s / p / 2 for f, s, p in zip(self.first_mm, self.step_mm, parts, strict=True)]
        step = [s / p for s, p in zip(self.step_mm, parts, strict=True)]
        shape = [n * p for n, p in zip(self.shape, parts, strict=True)]
        return Window((first[0], first[1], first[2]), (step[0], step[1], step[2]), (shape[0], shape[1], shape[2]))


def _length(cut: slice) -> int:
    return int(cut.stop - cut.start)


@dataclass(frozen=True, slots=True)
class Frame:
    """Axes of a bone of its own.

    Attributes
    ----------
    centre_mm : tuple of float
        Its origin in the world.
    rows : tuple of tuple of float
        Rotation matrix, world to own.
    """

    centre_mm: Vector
    rows: tuple[Vector, Vector, Vector] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    def own(self, points: Points) -> Points:
        """Return points of the world in the bone's axes; broadcast only where the axes are turned."""
        x, y, z = (p - np.float32(c) for p, c in zip(points, self.centre_mm, strict=True))
        first, second, third = (sum(np.float32(r) * p for r, p in zip(row, (x, y, z), strict=True) if r) for row in self.rows)
        return np.asarray(first), np.asarray(second), np.asarray(third)

    def world(self, place: Vector) -> Vector:
        """Return a point of the bone in the world.

        Examples
        --------
        >>> Frame((1.0, 2.0, 3.0), turned(z=90.0)).world((10.0, 0.0, 0.0))
        (1.0, 12.0, 3.0)
        """
        turned_back = np.asarray(self.rows).T @ np.asarray(place)
        x, y, z = (round(float(c + t), 6) for c, t in zip(self.centre_mm, turned_back, strict=True))
        return x, y, z


def turned(*, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> tuple[Vector, Vector, Vector]:
    """Return the rows, world to own, of axes turned by degrees about x, then y, then z."""
    turns = []
    for axis, degrees in enumerate((x, y, z)):
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        one, two = [i for i in range(3) if i != axis] if axis != 1 else (2, 0)
        matrix = np.eye(3)
        matrix[one, one] = matrix[two, two] = cos
        matrix[one, two], matrix[two, one] = -sin, sin
        turns.append(matrix)
    rows = (turns[2] @ turns[1] @ turns[0]).T
    first, second, third = (tuple(float(v) for v in row) for row in rows)
    return first, second, third  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Cone:
    """A round cone, thinned along one axis: from one ball to another.

    Attributes
    ----------
    start, end : tuple of float
        Centres of the balls in mm, in the bone's axes.
    start_mm, end_mm : float
        Their radii.
    squeeze : tuple of float
        Factors on the distances along the axes: (1, 1, 0.5) makes it twice as high as wide.
    """

    start: Vector
    end: Vector
    start_mm: float
    end_mm: float
    squeeze: Vector = (1.0, 1.0, 1.0)

    def box(self, margin_mm: float) -> tuple[Vector, Vector]:
        """Return a box around it with a margin."""
        reach = max(self.start_mm, self.end_mm)
        low = [min(a, b) - reach / q - margin_mm for a, b, q in zip(self.start, self.end, self.squeeze, strict=True)]
        high = [max(a, b) + reach / q + margin_mm for a, b, q in zip(self.start, self.end, self.squeeze, strict=True)]
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def join_cones(found: Floats, window: Window, frame: Frame, cones: Sequence[Cone], joint_mm: float) -> npt.NDArray[np.uint8]:
    """Unite round cones, smoothly, with what a window already holds; `found` is overwritten, being the caller's own canvas.

    Parameters
    ----------
    found : ndarray, float32, shape of the window
        Signed distances in mm; `FAR_MM` where nothing is near.
    window : Window
    frame : Frame
        The axes that the cones are given in.
    cones : sequence of Cone
    joint_mm : float
        How widely they run into each other.

    Returns
    -------
    ndarray, uint8, same shape
        Which cone is nearest, from 1; 0 where none is nearer than what was there.

    Examples
    --------
    >>> window = Window((0.0, 4.0, 0.0), (1.0, 1.0, 1.0), (10, 1, 1))
    >>> found = np.full(window.shape, np.float32(FAR_MM))
    >>> which = join_cones(found, window, Frame((0.0, 0.0, 0.0)), [Cone((0.0, 0.0, 0.0), (10.0, 0.0, 0.0), 2.0, 1.0)], 0.0)
    >>> float(found[5, 0, 0]), int(which[5, 0, 0])
    (2.5, 1)
    """
    which = np.zeros(window.shape, np.uint8)
    axes = [np.asarray(p).ravel() for p in window.points()]
    place = np.array([frame.centre_mm, *frame.rows], np.float32)
    for number, cone in enumerate(cones, 1):
        low, high = cone.box(max(joint_mm, 2.0) + 4.0)
        cut = window.around(*turned_box(frame, (low, high)))
        ends = np.array([*((c.start, c.stop) for c in cut), (number, number)])
        solid = np.array([cone.start, cone.end, cone.squeeze, (cone.start_mm, cone.end_mm, joint_mm)], np.float32)
        _join(found, which, (axes[0], axes[1], axes[2]), ends, place, solid)
    return which


@numba.njit(cache=True)
def _join(found: Any, which: Any, axes: Any, ends: Any, place: Any, solid: Any) -> None:
    """Unite one cone, `solid`, within the cells `ends`; the last row of `ends` is its number."""
    axis = (solid[1] - solid[0]) * solid[2]
    square = max(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2], np.float32(1e-6))
    joint = solid[3, 2]
    own = np.empty(3, np.float32)
    for i in range(ends[0, 0], ends[0, 1]):
        for j in range(ends[1, 0], ends[1, 1]):
            for k in range(ends[2, 0], ends[2, 1]):
                x, y, z = axes[0][i] - place[0, 0], axes[1][j] - place[0, 1], axes[2][k] - place[0, 2]
                along = np.float32(0.0)
                for a in range(3):
                    own[a] = (place[a + 1, 0] * x + place[a + 1, 1] * y + place[a + 1, 2] * z - solid[0, a]) * solid[2, a]
                    along += own[a] * axis[a]
                along = min(max(along / square, np.float32(0.0)), np.float32(1.0))
                away = np.float32(0.0)
                for a in range(3):
                    away += (own[a] - along * axis[a]) ** 2
                near = np.sqrt(away) - (solid[3, 0] + along * (solid[3, 1] - solid[3, 0]))
                was = found[i, j, k]
                if near < was:
                    which[i, j, k] = ends[3, 0]
                share = max(joint - abs(near - was), np.float32(0.0))
                found[i, j, k] = min(near, was) - (share * share / (np.float32(4.0) * joint) if share > 0.0 else np.float32(0.0))


def box_of(points: Iterable[Vector]) -> tuple[Vector, Vector]:
    """Return the least box that holds points."""
    every = np.asarray(list(points))
    low, high = every.min(axis=0), every.max(axis=0)
    return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))


def turned_box(frame: Frame, box: tuple[Vector, Vector]) -> tuple[Vector, Vector]:
    """Return a box in the world that holds a box in a bone's axes."""
    return box_of(frame.world((x, y, z)) for x in (box[0][0], box[1][0]) for y in (box[0][1], box[1][1]) for z in (box[0][2], box[1][2]))


def ellipsoid(points: Points, centre: Vector, radii: Vector) -> Floats:
    """Return approximate signed distances to an ellipsoid: exact along its axes.

    Examples
    --------
    >>> here = tuple(np.float32([[[v]]]) for v in (0.0, 7.0, 0.0))
    >>> ellipsoid(here, (0.0, 0.0, 0.0), (3.0, 5.0, 9.0)).ravel().round(4).tolist()
    [2.0]
    """
    offset = [p - np.float32(c) for p, c in zip(points, centre, strict=True)]
    level = np.sqrt(np.asarray(sum(np.square(o / np.float32(r)) for o, r in zip(offset, radii, strict=True))))
    length = np.sqrt(np.asarray(sum(np.square(o) for o in offset)))
    inward = np.float32(min(radii))
    return np.asarray(np.where(level > 1e-3, length * (1.0 - 1.0 / np.maximum(level, 1e-3)), -inward), np.float32)


def smooth_min(one: Floats, two: Floats, width_mm: float) -> Floats:
    """Return the smaller of two distances, rounded where they are alike.

    Examples
    --------
    >>> smooth_min(np.float32([0.0, 5.0]), np.float32([0.0, 0.0]), 4.0).tolist()
    [-1.0, 0.0]
    """
    share = np.maximum(width_mm - np.abs(one - two), 0.0) / width_mm
    return np.asarray(np.minimum(one, two) - share * share * (width_mm / 4.0), np.float32)


def smooth_max(one: Floats, two: Floats, width_mm: float) -> Floats:
    """Return the larger of two distances, rounded where they are alike."""
    return -smooth_min(-one, -two, width_mm)


def filled(distance: Floats, cell_mm: float) -> Floats:
    """Return how much of a cell lies inside a surface, from the distance of its centre.

    Examples
    --------
    >>> filled(np.float32([-2.0, 0.0, 0.25, 2.0]), 1.0).tolist()
    [1.0, 0.5, 0.25, 0.0]
    """
    return np.asarray(np.clip(0.5 - distance / np.float32(cell_mm), 0.0, 1.0), np.float32)
