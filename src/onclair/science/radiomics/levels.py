"""Grey levels laid out for the texture kernels: padded, flat, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: One of each opposite pair of the 26 neighbours, as steps (x, y, z); the first four lie in the slice.
DIRECTIONS = (
    (1, 0, 0), (0, 1, 0), (1, 1, 0), (1, -1, 0),
    (0, 0, 1), (1, 0, 1), (-1, 0, 1), (0, 1, 1), (0, -1, 1), (1, 1, 1), (-1, 1, 1), (1, -1, 1), (-1, -1, 1),
)  # fmt: skip
IN_PLANE = 4

Levels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class GreyLevels:
    """A region's grey levels with a border of zeros, so that kernels need no test of bounds.

    Attributes
    ----------
    flat : ndarray, uint8 or, above 255 levels, uint16
        Levels from 1, 0 outside the region; z slowest, x fastest.
    spans : ndarray, int64, shape (n, 2)
        The region in `flat`, ascending, as spans of voxels that lie side by side along x: the first, and the one after the last.
        Kernels run along them, so that neighbours lie side by side too and many are looked at in one instruction.
    slices : tuple of ndarray
        `spans`, cut into the slices (along z) that hold any.
    offsets : tuple of int
        The step in `flat` of each of `DIRECTIONS`.
    count : int
        Number of grey levels: the highest one.
    longest : int
        The longest run that fits.
    """

    flat: Levels
    spans: npt.NDArray[np.int64]
    slices: tuple[npt.NDArray[np.int64], ...]
    offsets: tuple[int, ...]
    count: int
    longest: int

    @property
    def voxels(self) -> npt.NDArray[np.int64]:
        """Positions of the region in `flat`, ascending, shape (n,)."""
        return np.flatnonzero(self.flat)


def grey_levels(levels: npt.NDArray[Any], kept: npt.NDArray[np.bool_]) -> GreyLevels:
    """Lay out the grey levels of a region.

    Parameters
    ----------
    levels : ndarray, integer, shape (n,)
        Grey level of each voxel of `kept`, in its own (C) order; from 1 to 65,535.
    kept : ndarray, bool, shape (x, y, z)
        The intensity mask.

    Examples
    --------
    >>> g = grey_levels(np.array([1, 3]), np.ones((2, 1, 1), bool))
    >>> g.count, g.longest, g.flat[g.voxels].tolist(), g.flat[g.voxels + g.offsets[0]].tolist()
    (3, 2, [1, 3], [3, 0])
    >>> g.spans.tolist()  # the padding is one voxel wide
    [[17, 19]]
    """
    x, y, z = kept.shape
    count = int(levels.max())
    padded = np.zeros((z + 2, y + 2, x + 2), np.uint8 if count < 256 else np.uint16)
    padded[1:-1, 1:-1, 1:-1].transpose(2, 1, 0)[kept] = levels
    flat: Levels = padded.ravel()
    inside = flat != 0
    spans = (np.flatnonzero(inside[1:] != inside[:-1]) + 1).reshape(-1, 2)
    row, plane = x + 2, (x + 2) * (y + 2)
    cuts = np.searchsorted(spans[:, 0], np.arange(1, z + 3) * plane)
    slices = tuple(part for part in np.split(spans, cuts) if part.size)
    offsets = tuple(i + j * row + k * plane for i, j, k in DIRECTIONS)
    return GreyLevels(flat, spans, slices, offsets, count, max(kept.shape))


def voxels_in(spans: npt.NDArray[np.int64]) -> int:
    """Return the number of voxels in spans of them.

    Examples
    --------
    >>> voxels_in(np.array([[17, 19], [22, 23]]))
    3
    """
    return int((spans[:, 1] - spans[:, 0]).sum())
