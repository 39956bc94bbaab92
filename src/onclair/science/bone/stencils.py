"""Compiled loops over the nodes of coarse grids: smoothing by blocks, residuals, and the way between one grid and the next.

Vectors of a coarse grid are (node + 1, 3); the last row is 0 and stands for every neighbour that is not there.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.bone.hex8_kernels import Stretches

Reals: TypeAlias = npt.NDArray[Any]
Whole: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _row(operator: Reals, n: int, v: Reals) -> tuple[float, float, float]:
    """Return the three components of one node's row times the values around it."""
    here = np.uint64(n)
    a, b, c = operator.dtype.type(0), operator.dtype.type(0), operator.dtype.type(0)
    for m in range(81):
        a += operator[here, 0, m] * v[m]
        b += operator[here, 1, m] * v[m]
        c += operator[here, 2, m] * v[m]
    return a, b, c


@njit(cache=True, nogil=True)
def _around(x: Reals, near: Whole, n: int, v: Reals) -> None:
    """Gather the values around a node."""
    for m in range(27):
        j = np.uint64(near[n, m])
        v[3 * m], v[3 * m + 1], v[3 * m + 2] = x[j, 0], x[j, 1], x[j, 2]


@njit(cache=True, nogil=True)
def sweep(operator: Reals, near: Whole, inverse: Reals, vectors: tuple[Reals, Reals], backward: int) -> None:
    """Solve the equations of each node in turn for its own displacement: block Gauss-Seidel.

    Parameters
    ----------
    operator : ndarray, shape (node, 3, 81)
    near : ndarray, int32, shape (node, 27)
    inverse : ndarray, shape (node, 9)
        Of the diagonal blocks.
    vectors : tuple of ndarray, shape (node + 1, 3)
        x, which is changed, and b.
    backward : int
        1 from the last node to the first.
    """
    x, b = vectors
    count = operator.shape[0]
    v = np.empty(81, x.dtype)
    for step in range(count):
        n = count - 1 - step if backward else step
        _around(x, near, n, v)
        p, q, r = _row(operator, n, v)
        p, q, r = b[n, 0] - p, b[n, 1] - q, b[n, 2] - r
        d = inverse[n]
        x[n, 0] += d[0] * p + d[1] * q + d[2] * r
        x[n, 1] += d[3] * p + d[4] * q + d[5] * r
        x[n, 2] += d[6] * p + d[7] * q + d[8] * r


@njit(cache=True, nogil=True)
def residual(operator: Reals, near: Whole, x: Reals, b: Reals, r: Reals) -> None:
    """Write b - A x into `r`."""
    v = np.empty(81, x.dtype)
    for n in range(operator.shape[0]):
        _around(x, near, n, v)
        p, q, s = _row(operator, n, v)
        r[n, 0], r[n, 1], r[n, 2] = b[n, 0] - p, b[n, 1] - q, b[n, 2] - s


@njit(cache=True, nogil=True)
def gathered(r: Reals, above: Whole, weights: Reals, b: Reals) -> None:
    """Restrict: give each node's residual to its coarse nodes by their weights."""
    b[:] = 0
    for n in range(above.shape[0]):
        for a in range(8):
            w = weights[n, a]
            if w != 0:
                for c in range(3):
                    b[above[n, a], c] += w * r[n, c]


@njit(cache=True, nogil=True)
def spread(coarse: Reals, above: Whole, weights: Reals, x: Reals) -> None:
    """Prolong: add to each node what its coarse nodes say."""
    for n in range(above.shape[0]):
        for a in range(8):
            w = weights[n, a]
            if w != 0:
                for c in range(3):
                    x[n, c] += w * coarse[above[n, a], c]


@njit(cache=True, nogil=True)
def _weight(offset: int, factor: int) -> float:
    """Weight of a node beside a coarse one; 0 where it is not between."""
    return 1.0 if offset == 0 else 0.5 if factor == 2 else 0.0


@njit(cache=True, nogil=True)
def gathered_from_fine(r: Reals, free: Flags, rows: Stretches, numbers: Whole, factors: tuple[int, int, int], b: Reals) -> None:
    """Restrict the residual of the fine grid, (3, x, y, z), held components left out."""
    fx, fy, fz = factors
    b[:] = 0
    half = b.dtype.type(0.5)
    for s in range(rows.shape[0]):
        i, j = rows[s, 0], rows[s, 1]
        for p in range(1 + (i % fx == 1)):
            for q in range(1 + (j % fy == 1)):
                w = b.dtype.type((0.5 if i % fx == 1 else 1.0) * (0.5 if j % fy == 1 else 1.0))
                X, Y = i // fx + p, j // fy + q
                for k in range(rows[s, 2], rows[s, 3]):
                    Z, odd = k // fz, k % fz == 1
                    n = numbers[X, Y, Z]
                    if n < 0:
                        continue
                    for c in range(3):
                        v = w * r[c, i, j, k] * free[c, i, j, k]
                        if odd:
                            v *= half
                            b[numbers[X, Y, Z + 1], c] += v
                        b[n, c] += v


@njit(cache=True, nogil=True)
def spread_to_fine(coarse: Reals, free: Flags, rows: Stretches, numbers: Whole, factors: tuple[int, int, int], x: Reals) -> None:
    """Write the coarse displacement between its nodes into `x`, (3, x, y, z), held components 0."""
    fx, fy, fz = factors
    half = x.dtype.type(0.5)
    for s in range(rows.shape[0]):
        i, j = rows[s, 0], rows[s, 1]
        for c in range(3):
            for k in range(rows[s, 2], rows[s, 3]):
                x[c, i, j, k] = 0
        for p in range(1 + (i % fx == 1)):
            for q in range(1 + (j % fy == 1)):
                w = x.dtype.type((0.5 if i % fx == 1 else 1.0) * (0.5 if j % fy == 1 else 1.0))
                X, Y = i // fx + p, j // fy + q
                for k in range(rows[s, 2], rows[s, 3]):
                    Z, odd = k // fz, k % fz == 1
                    n = numbers[X, Y, Z]
                    if n < 0:
                        continue
                    for c in range(3):
                        v = coarse[n, c]
                        if odd:
                            v = half * (v + coarse[numbers[X, Y, Z + 1], c])
                        x[c, i, j, k] += w * v * free[c, i, j, k]
