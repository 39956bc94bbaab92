"""Boxes in space as truth or answer: when a lesion hits a box, and which boxes the scan's border cuts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.core.geometry import Affine
from onclair.science.volumes.components import box_of
from onclair.science.volumes.diameters import centroid_mm
from onclair.validate.lesion_matching import Overlaps

Floats = npt.NDArray[np.float64]
#: Boxes hit each other from this intersection over union on.
LEAST_BOX_IOU = 0.1
#: A box that ends within this of the outer faces is still whole.
_BORDER_MM = 1e-3


@dataclass(frozen=True, slots=True)
class Box:
    """A box along the axes of LPS space.

    Attributes
    ----------
    number : int
    low, high : tuple of float
        Its ends in mm.
    centre : tuple of float
        Of what it holds: a lesion's centroid, or the middle of a drawn box.

    Raises
    ------
    BadCase
        For an end that is not finite or an edge that is not positive.
    """

    number: int
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    centre: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not np.isfinite([*self.low, *self.high, *self.centre]).all() or any(b <= a for a, b in zip(self.low, self.high, strict=True)):
            raise BadCase(f"Box {self.number} runs from {self.low} to {self.high} mm; its ends must be finite and its edges above 0.")

    @classmethod
    def drawn(cls, number: int, centre: tuple[float, float, float], edges: tuple[float, float, float]) -> Box:
        """Return the box of a centre and its three edges in mm.

        Examples
        --------
        >>> Box.drawn(1, (10.0, 0.0, 5.0), (4.0, 2.0, 6.0)).low
        (8.0, -1.0, 2.0)
        """
        x, y, z = centre
        half = [edge / 2 for edge in edges]
        return cls(number, (x - half[0], y - half[1], z - half[2]), (x + half[0], y + half[1], z + half[2]), centre)

    @property
    def diameter_mm(self) -> float:
        """The diameter that stands for its size: the cube root of its edges' product."""
        return float(np.prod([b - a for a, b in zip(self.low, self.high, strict=True)]) ** (1 / 3))


def boxes_of(instances: npt.NDArray[Any], affine: Affine) -> tuple[Box, ...]:
    """Return the boxes of a map's instances, from outer face to outer face, with their centroids.

    Parameters
    ----------
    instances : ndarray of integers, shape (x, y, z)
    affine : ndarray, shape (4, 4)

    Examples
    --------
    >>> drawn = np.zeros((5, 5, 5), int); drawn[1:3, 2, 2] = 4
    >>> boxes_of(drawn, np.diag([2.0, 2.0, 2.0, 1.0]))[0].low
    (1.0, 3.0, 3.0)
    """
    found = []
    for number in np.unique(instances[instances != 0]):
        region = instances == number
        x, y, z = (float(value) for value in centroid_mm(region, affine))
        low, high = _extent([(b.start - 0.5, b.stop - 0.5) for b in box_of(region)], affine)
        found.append(Box(int(number), low, high, (x, y, z)))
    return tuple(found)


def cut_boxes(boxes: tuple[Box, ...], affine: Affine, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers of the boxes that reach beyond a scan's outer faces.

    Examples
    --------
    >>> cut_boxes((Box.drawn(1, (2.0, 2.0, 2.0), (6.0, 1.0, 1.0)), Box.drawn(2, (2.0, 2.0, 2.0), (2.0, 1.0, 1.0))), np.eye(4), (5, 5, 5))
    (1,)
    """
    low, high = _extent([(-0.5, n - 0.5) for n in shape[:3]], affine)
    return tuple(
        box.number
        for box in boxes
        if any(a < b - _BORDER_MM for a, b in zip(box.low, low, strict=True))
        or any(a > b + _BORDER_MM for a, b in zip(box.high, high, strict=True))
    )


def box_overlaps(truth: tuple[Box, ...], predicted: tuple[Box, ...]) -> Overlaps:
    """Return which boxes hit each other: the predicted centre lies in the true box, or their intersection over union is 0.1 or more.

    Parameters
    ----------
    truth, predicted : tuple of Box

    Returns
    -------
    Overlaps
        Its pairs are the hits, to be matched under ``"overlap"``.

    Examples
    --------
    >>> truth = (Box.drawn(1, (0.0, 0.0, 0.0), (10.0, 10.0, 10.0)),)
    >>> answers = (Box.drawn(1, (4.0, 4.0, 4.0), (1.0, 1.0, 1.0)), Box.drawn(2, (9.0, 0.0, 0.0), (10.0, 10.0, 10.0)))
    >>> box_overlaps(truth, answers).pairs
    ((1, 1),)
    """
    pairs, iou, dice = [], [], []
    for one, other in itertools.product(truth, predicted):
        shared = _common(one, other)
        total = _volume(one) + _volume(other)
        ratio = shared / (total - shared)
        inside = all(a <= c <= b for a, c, b in zip(one.low, other.centre, one.high, strict=True))
        if inside or ratio >= LEAST_BOX_IOU:
            pairs.append((one.number, other.number))
            iou.append(ratio)
            dice.append(2 * shared / total)
    numbers = tuple(box.number for box in truth), tuple(box.number for box in predicted)
    return Overlaps(*numbers, tuple(pairs), np.array(iou, dtype=np.float64), np.array(dice, dtype=np.float64))


def _extent(ends: list[tuple[float, float]], affine: Affine) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    corners = np.array(list(itertools.product(*ends))) @ affine[:3, :3].T + affine[:3, 3]
    low, high = corners.min(axis=0), corners.max(axis=0)
    return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))


def _common(one: Box, other: Box) -> float:
    edges = [max(min(b, d) - max(a, c), 0.0) for a, b, c, d in zip(one.low, one.high, other.low, other.high, strict=True)]
    return float(np.prod(edges))


def _volume(box: Box) -> float:
    return float(np.prod([b - a for a, b in zip(box.low, box.high, strict=True)]))
