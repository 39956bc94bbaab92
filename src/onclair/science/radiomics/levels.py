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


@dataclass(frozen=True, slots=True, eq=False)
class GreyLevels:
    """A region's grey levels with a border of zeros, so that kernels need no test of bounds.

    Attributes
    ----------
    flat : ndarray, uint16
        Levels from 1, 0 outside the region; z slowest, x fastest.
    voxels : ndarray, int64, shape (n,)
        Positions of the region in `flat`, ascending, hence slice by slice.
    slices : tuple of ndarray
        `voxels`, cut into the slices (along z) that hold any.
    offsets : tuple of int
        The step in `flat` of each of `DIRECTIONS`.
    count : int
        Number of grey levels: the highest one.
    longest : int
        The longest run that fits.
    """

    flat: npt.NDArray[np.uint16]
    voxels: npt.NDArray[np.int64]
    slices: tuple[npt.NDArray[np.int64], ...]
    offsets: tuple[int, ...]
    count: int
    longest: int


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
    """
    x, y, z = kept.shape
    padded = np.zeros((z + 2, y + 2, x + 2), np.uint16)
    padded[1:-1, 1:-1, 1:-1].transpose(2, 1, 0)[kept] = levels
    flat = padded.ravel()
    voxels = np.flatnonzero(flat)
    row, plane = x + 2, (x + 2) * (y + 2)
    cuts = np.searchsorted(voxels, np.arange(1, z + 3) * plane)
    slices = tuple(part for part in np.split(voxels, cuts) if part.size)
    offsets = tuple(i + j * row + k * plane for i, j, k in DIRECTIONS)
    return GreyLevels(flat, voxels, slices, offsets, int(levels.max()), max(kept.shape))
