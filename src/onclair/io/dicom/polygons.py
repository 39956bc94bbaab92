"""Polygons to voxels and back: a voxel belongs when its centre lies inside, by the even-odd rule, so that holes survive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Corner = tuple[int, int]
#: Voxels to which corners are rounded, so that decimals cut by a writer do not decide about a centre on an edge.
GRAIN = 1e-4


def filled(polygons: Iterable[npt.ArrayLike], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which voxel centres of one slice lie inside closed polygons, combined by even-odd.

    Parameters
    ----------
    polygons : iterable of array_like, shape (n, 2)
        Corners (x, y) in voxels, centres at whole numbers; the last joins the first. May reach beyond the slice.
    shape : tuple of int
        (x, y).

    Returns
    -------
    ndarray, bool, shape (x, y)
        A centre on a left or upper edge is inside, on a right or lower one outside, so that polygons that share an edge never
        claim a voxel twice.

    Notes
    -----
    Scan lines: every edge that crosses a row flips all voxels from its crossing on; a running exclusive-or along the row does it for
    all polygons at once.

    Examples
    --------
    >>> square = [(0.5, 0.5), (3.5, 0.5), (3.5, 3.5), (0.5, 3.5)]
    >>> hole = [(1.5, 1.5), (2.5, 1.5), (2.5, 2.5), (1.5, 2.5)]
    >>> int(filled([square], (5, 5)).sum()), int(filled([square, hole], (5, 5)).sum())
    (9, 8)
    """
    flips = np.zeros((shape[0] + 1, shape[1]), np.uint8)
    for polygon in polygons:
        corners = np.round(np.asarray(polygon, dtype=np.float64) / GRAIN) * GRAIN
        np.add.at(flips, _crossings(corners, np.roll(corners, -1, axis=0), shape), 1)
    return np.bitwise_xor.accumulate(flips[: shape[0]] & 1, axis=0).astype(bool)


def outlines(region: npt.NDArray[np.bool_]) -> tuple[_Floats, ...]:
    """Return the closed polygons around the voxels of one slice: outer borders and holes, along voxel edges.

    Parameters
    ----------
    region : ndarray, bool, shape (x, y)

    Returns
    -------
    tuple of ndarray, float64, shape (n, 2)
        Corners in voxels, at halves. :func:`filled` gives exactly `region` back.

    Examples
    --------
    >>> ring = np.ones((3, 3), bool); ring[1, 1] = False
    >>> [len(p) for p in outlines(ring)]
    [4, 4]
    """
    steps: dict[_Corner, list[_Corner]] = {}
    for start, end in _sides(np.pad(region, 1)):
        steps.setdefault(start, []).append(end)
    loops = []
    while steps:
        loops.append(_loop(steps))
    return tuple(np.array(loop, dtype=np.float64) - 1.5 for loop in loops)  # padded by one voxel, and corners lie half a voxel off


def _crossings(start: _Floats, end: _Floats, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return, for every edge and every row that it crosses, the first voxel at or after the crossing."""
    low = np.ceil(np.minimum(start[:, 1], end[:, 1]))
    high = np.ceil(np.maximum(start[:, 1], end[:, 1]))  # rows low <= y < high: an end that touches a row counts once
    low, high = np.clip(low, 0, shape[1]).astype(np.int64), np.clip(high, 0, shape[1]).astype(np.int64)
    count = high - low
    edge = np.repeat(np.arange(len(start)), count)
    y = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + low[edge]
    run = end[edge] - start[edge]
    x = start[edge, 0] + (y - start[edge, 1]) * run[:, 0] / run[:, 1]
    x = np.ceil(np.round(x / GRAIN) * GRAIN - 1e-9)  # and a crossing at a centre counts it in
    return np.clip(x, 0, shape[0]).astype(np.int64), y


def _sides(inside: npt.NDArray[np.bool_]) -> Iterator[tuple[_Corner, _Corner]]:
    """Yield the voxel sides between inside and outside, from corner to corner with the inside on the left."""
    for x, y in np.argwhere(inside[1:] != inside[:-1]).tolist():
        low, high = (x + 1, y), (x + 1, y + 1)
        yield (low, high) if inside[x, y] else (high, low)
    for x, y in np.argwhere(inside[:, 1:] != inside[:, :-1]).tolist():
        low, high = (x, y + 1), (x + 1, y + 1)
        yield (high, low) if inside[x, y] else (low, high)


def _loop(steps: dict[_Corner, list[_Corner]]) -> list[_Corner]:
    """Take one closed loop out of the sides, corners on a straight line left out."""
    start = here = min(steps)
    loop = [start]
    while True:
        ends = steps[here]
        there = ends.pop()
        if not ends:
            del steps[here]
        if there == start:
            break
        loop.append(there)
        here = there
    closed = [loop[-1], *loop, loop[0]]
    return [b for a, b, c in zip(closed, closed[1:], closed[2:], strict=False) if (a[0] == b[0]) != (b[0] == c[0])]
