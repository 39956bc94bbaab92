"""Compiled loops over the nodes of coarse grids: smoothing by blocks, residuals, and the way between one grid and the next.

Vectors of a coarse grid are (node, 3); operators as :class:`onclair.science.bone.galerkin.Operator` holds them.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Reals: TypeAlias = npt.NDArray[Any]
Whole: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.uint8]
#: First, near and values of an operator.
Parts: TypeAlias = tuple[Starts, Whole, Reals]


@njit(cache=True, nogil=True)
def widest(first: Starts) -> int:
    """Return the most neighbours of a node."""
    most = 0
    for n in range(first.size - 1):
        most = max(most, first[n + 1] - first[n])
    return most


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _product(values: Reals, at: int, v: Reals, size: int) -> Any:
    """Return the product of a row with the values around its node."""
    here = np.uint64(at)
    total = values.dtype.type(0)
    for m in range(np.uint64(size)):
        total += values[here + m] * v[m]
    return total


@njit(cache=True, nogil=True)
def _around(x: Reals, near: Whole, start: int, size: int, v: Reals) -> None:
    """Gather the values of a node's neighbours."""
    here = np.uint64(start)
    for m in range(np.uint64(size)):
        j, at = np.uint64(near[here + m]), np.uint64(3) * m
        v[at], v[at + np.uint64(1)], v[at + np.uint64(2)] = x[j, 0], x[j, 1], x[j, 2]


@njit(cache=True, nogil=True)
def sweep(operator: Parts, inverse: Reals, x: Reals, b: Reals, backward: int) -> None:
    """Solve the equations of each node in turn for its own displacement: block Gauss-Seidel.

    Parameters
    ----------
    operator : tuple of ndarray
    inverse : ndarray, shape (node, 9)
        Of the diagonal blocks.
    x, b : ndarray, shape (node, 3)
        x is changed.
    backward : int
        1 from the last node to the first.
    """
    first, near, values = operator
    count = first.size - 1
    v = np.empty(3 * widest(first), x.dtype)
    for step in range(count):
        n = count - 1 - step if backward else step
        start, size = first[n], first[n + 1] - first[n]
        _around(x, near, start, size, v)
        p = b[n, 0] - _product(values, 9 * start, v, 3 * size)
        q = b[n, 1] - _product(values, 9 * start + 3 * size, v, 3 * size)
        r = b[n, 2] - _product(values, 9 * start + 6 * size, v, 3 * size)
        d = np.uint64(n)
        x[n, 0] += inverse[d, 0] * p + inverse[d, 1] * q + inverse[d, 2] * r
        x[n, 1] += inverse[d, 3] * p + inverse[d, 4] * q + inverse[d, 5] * r
        x[n, 2] += inverse[d, 6] * p + inverse[d, 7] * q + inverse[d, 8] * r


@njit(cache=True, nogil=True)
def product(operator: Parts, x: Reals, f: Reals) -> None:
    """Write A x into `f`."""
    first, near, values = operator
    v = np.empty(3 * widest(first), x.dtype)
    for n in range(first.size - 1):
        start, size = first[n], first[n + 1] - first[n]
        _around(x, near, start, size, v)
        for c in range(3):
            f[n, c] = _product(values, 9 * start + 3 * c * size, v, 3 * size)


@njit(cache=True, nogil=True)
def gathered(r: Reals, parents: Whole, b: Reals) -> None:
    """Restrict: share each node's residual among its coarse nodes."""
    b[:] = 0
    for n in range(parents.shape[0]):
        p, q, s, count = r[n, 0], r[n, 1], r[n, 2], _count(parents, n)
        w = b.dtype.type(1.0 / count)
        for a in range(count):
            j = parents[n, a]
            b[j, 0] += w * p
            b[j, 1] += w * q
            b[j, 2] += w * s


@njit(cache=True, nogil=True)
def spread(coarse: Reals, parents: Whole, x: Reals) -> None:
    """Prolong: add to each node the mean of its coarse nodes."""
    for n in range(parents.shape[0]):
        count = _count(parents, n)
        w = x.dtype.type(1.0 / count)
        for a in range(count):
            j = parents[n, a]
            x[n, 0] += w * coarse[j, 0]
            x[n, 1] += w * coarse[j, 1]
            x[n, 2] += w * coarse[j, 2]


@njit(cache=True, nogil=True)
def _count(parents: Whole, n: int) -> int:
    """Return how many coarse nodes a node has: 1, 2, 4 or 8."""
    return 8 if parents[n, 7] >= 0 else 4 if parents[n, 3] >= 0 else 2 if parents[n, 1] >= 0 else 1


@njit(cache=True, nogil=True)
def packed(field: Reals, free: Flags, where: Whole, values: Reals) -> None:
    """Take the nodes of a body out of a field (3, x, y, z), held components 0, into (node, 3)."""
    source, mask = field.reshape(3, -1), free.reshape(3, -1)
    for c in range(3):
        for n in range(where.size):
            values[n, c] = source[c, where[n]] * mask[c, where[n]]


@njit(cache=True, nogil=True)
def unpacked(values: Reals, free: Flags, where: Whole, field: Reals) -> None:
    """Put the nodes of a body, (node, 3), into a field (3, x, y, z), held components 0; other places are left as they are."""
    to, mask = field.reshape(3, -1), free.reshape(3, -1)
    for c in range(3):
        for n in range(where.size):
            to[c, where[n]] = values[n, c] * mask[c, where[n]]
