"""What the bone mask does slice by slice: widen, close and fill regions in the planes of an upright volume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.geometry import Affine

Region = npt.NDArray[np.bool_]
#: Slices that are worked on together, so that a long scan needs no more memory than its masks.
SLAB = 24


def upright(affine: Affine) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return how to permute and then flip an array's axes so that they run to the left, to the back and to the head.

    Returns
    -------
    order, flips : tuple of int
        ``numpy.transpose(array, order)[::flips[0], ::flips[1], ::flips[2]]`` is upright.

    Examples
    --------
    >>> upright(np.diag([-1.0, 1.0, 3.0, 1.0]))
    ((0, 1, 2), (-1, 1, 1))
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    left = list(range(3))
    order: list[int] = [0, 0, 0]
    for world in (2, 1, 0):
        order[world] = max(left, key=lambda axis: abs(float(axes[world, axis])))
        left.remove(order[world])
    flips = [1 if axes[world, axis] > 0 else -1 for world, axis in enumerate(order)]
    return (order[0], order[1], order[2]), (flips[0], flips[1], flips[2])


def turned(array: npt.NDArray[Any], order: tuple[int, int, int], flips: tuple[int, int, int]) -> npt.NDArray[Any]:
    """Return a view of an array with its axes permuted and flipped.

    Examples
    --------
    >>> turned(np.arange(2).reshape(2, 1, 1), (2, 1, 0), (1, 1, -1)).ravel().tolist()
    [1, 0]
    """
    return np.transpose(array, order)[:: flips[0], :: flips[1], :: flips[2]]


def turned_back(array: npt.NDArray[Any], order: tuple[int, int, int], flips: tuple[int, int, int]) -> npt.NDArray[Any]:
    """Return a view with what :func:`turned` did undone.

    Examples
    --------
    >>> array = np.arange(24).reshape(2, 3, 4)
    >>> back = turned_back(turned(array, (2, 0, 1), (1, -1, -1)), (2, 0, 1), (1, -1, -1))
    >>> bool((back == array).all())
    True
    """
    flipped = array[:: flips[0], :: flips[1], :: flips[2]]
    return np.transpose(flipped, np.argsort(order))


def slabs(slices: int, *, halo: int = 0) -> Iterator[tuple[slice, slice, slice]]:
    """Yield slabs of slices: those to read with their halo, those to write, and where these stand within what was read.

    Examples
    --------
    >>> list(slabs(30, halo=2))[1]
    (slice(22, 30, None), slice(24, 30, None), slice(2, 8, None))
    """
    for start in range(0, slices, SLAB):
        stop = min(start + SLAB, slices)
        first = max(start - halo, 0)
        yield slice(first, min(stop + halo, slices)), slice(start, stop), slice(start - first, stop - first)


def widened(region: Region, steps: int) -> Region:
    """Return a region widened in its planes by an octagon of `steps` pixels.

    Parameters
    ----------
    region : ndarray of bool, shape (x, y, z)
    steps : int

    Examples
    --------
    >>> point = np.zeros((7, 7, 1), bool); point[3, 3] = True
    >>> int(widened(point, 1).sum()), int(widened(point, 2).sum())
    (5, 21)
    """
    out = region
    for step in range(steps):
        wide = out.copy()
        wide[1:] |= out[:-1]
        wide[:-1] |= out[1:]
        source = wide.copy() if step % 2 else out  # every second step widens by a square, the others by a cross
        wide[:, 1:] |= source[:, :-1]
        wide[:, :-1] |= source[:, 1:]
        out = wide
    return out


def narrowed(region: Region, steps: int) -> Region:
    """Return a region narrowed in its planes as :func:`widened` widens; what lies beyond the array counts as inside.

    Examples
    --------
    >>> int(narrowed(np.ones((7, 7, 1), bool), 2).sum())
    49
    """
    return np.asarray(~widened(~region, steps), dtype=np.bool_)


def closed(region: Region, steps: int) -> Region:
    """Return a region with gaps of up to twice `steps` pixels closed in its planes.

    Examples
    --------
    >>> gap = np.ones((9, 9, 1), bool); gap[4] = False
    >>> bool(closed(gap, 1)[4, 4, 0])
    True
    """
    wide = np.pad(region, ((steps, steps), (steps, steps), (0, 0)))
    inner = narrowed(widened(wide, steps), steps)
    return inner[steps : inner.shape[0] - steps, steps : inner.shape[1] - steps]


def holes(region: Region, most_pixels: float, *, accept: Callable[[int, npt.NDArray[Any], int], Region] | None = None) -> Region:
    """Return what a region encloses in its planes: parts that do not reach the border and are no larger than `most_pixels`.

    Parameters
    ----------
    region : ndarray of bool, shape (x, y, z)
    most_pixels : float
    accept : callable, optional
        ``(slice, parts, count) -> bool (count + 1,)``: further parts to leave out.

    Examples
    --------
    >>> ring = np.ones((5, 5, 1), bool); ring[2, 2] = False
    >>> int(holes(ring, 4).sum()), int(holes(ring, 0.5).sum())
    (1, 0)
    """
    out = np.zeros(region.shape, bool)
    for k in range(region.shape[2]):
        plane = region[:, :, k]
        if not plane.any():
            continue
        parts, count = ndimage.label(~plane)
        kept = np.bincount(parts.ravel(), minlength=count + 1) <= most_pixels
        kept[np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])] = False
        kept[0] = False
        if accept is not None and kept.any():
            kept &= accept(k, parts, count)
        out[:, :, k] = kept[parts]
    return out


def block_means(array: npt.NDArray[Any], steps: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Return the means of blocks of voxels, float32; the last block of an axis may be smaller.

    Examples
    --------
    >>> block_means(np.arange(5.0).reshape(5, 1, 1), (2, 1, 1)).ravel().tolist()
    [0.5, 2.5, 4.0]
    """
    out = array
    for axis, step in sorted(enumerate(steps), key=lambda each: -each[1]):
        if step > 1:
            starts = np.arange(0, out.shape[axis], step)
            sums = np.add.reduceat(out, starts, axis=axis, dtype=np.float32)
            counts = np.diff(np.append(starts, out.shape[axis])).astype(np.float32)
            out = sums / counts.reshape([-1 if a == axis else 1 for a in range(3)])
    return np.asarray(out, dtype=np.float32)


def spread(coarse: Region, steps: tuple[int, int, int], shape: tuple[int, ...]) -> Region:
    """Return a region of blocks as a region of their voxels.

    Examples
    --------
    >>> spread(np.array([True, False]).reshape(2, 1, 1), (2, 1, 1), (3, 1, 1)).ravel().tolist()
    [True, True, False]
    """
    out = coarse
    for axis, step in enumerate(steps):
        if step > 1:
            out = np.take(out, np.arange(shape[axis]) // step, axis=axis)
    return np.ascontiguousarray(out)


def voxels_of(parts: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    """Return the voxels of each numbered part, slice by slice, so that no wide copy of the volume is made.

    Examples
    --------
    >>> voxels_of(np.array([0, 2, 2], np.int32).reshape(1, 1, 3), 2).tolist()
    [1, 0, 2]
    """
    out = np.zeros(count + 1, np.int64)
    for k in range(parts.shape[2]):
        out += np.bincount(parts[:, :, k].ravel(), minlength=count + 1)
    return out
