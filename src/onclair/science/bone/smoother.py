"""Smoothing on the fine grid: a Chebyshev polynomial of the block-Jacobi preconditioned stiffness."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.bone.hex8_kernels import Stretches

Reals: TypeAlias = npt.NDArray[Any]


def chebyshev_steps(degree: int, bound: float) -> list[tuple[float, float]]:
    """Return the two factors of each step of the Chebyshev iteration of the fourth kind.

    Step k is ``d = a d + b D^-1 r``, ``x = x + d``, ``r = r - K d``. No lower end of the spectrum has to be guessed.

    Parameters
    ----------
    degree : int
    bound : float
        Upper bound of the eigenvalues of D^-1 K.

    References
    ----------
    J. Lottes, Optimal polynomial smoothers for multigrid V-cycles, Numer Linear Algebra Appl 2023;30:e2518, doi:10.1002/nla.2518, alg. 3.

    Examples
    --------
    >>> chebyshev_steps(2, 2.0)
    [(0.0, 0.6666666666666666), (0.2, 1.2)]
    """
    steps = [(0.0, 4 / (3 * bound))]
    steps += [((2 * k - 1) / (2 * k + 3), (8 * k + 4) / ((2 * k + 3) * bound)) for k in range(1, degree)]
    return steps


@njit(cache=True, nogil=True)
def smooth(fields: tuple[Reals, Reals, Reals, Reals], inverse: Reals, factors: Reals, rows: Stretches) -> None:
    """Take one step: subtract forces from the residual, turn it into a direction, go along it.

    Parameters
    ----------
    fields : tuple of ndarray, shape (3, x, y, z)
        x, d, r and K d of the step before; the first three are changed.
    inverse : ndarray, shape (6, x, y, z)
        Inverse diagonal blocks.
    factors : ndarray, shape (3,)
        a and b of :func:`chebyshev_steps`, and how much of K d to subtract, 0 or 1.
    rows : Stretches
        Of the nodes.
    """
    x, d, r, f = fields
    _, X, Y, Z = x.shape
    x1, d1, r1, f1, w = x.reshape(-1), d.reshape(-1), r.reshape(-1), f.reshape(-1), inverse.reshape(-1)
    N = X * Y * Z
    for s in range(rows.shape[0]):
        at = (rows[s, 0] * Y + rows[s, 1]) * Z + rows[s, 2]
        n = rows[s, 3] - rows[s, 2]
        for c in range(3):
            _subtracted(r1, f1, c * N + at, n, factors[2])
        for c in range(3):
            p, q, t = (0, 1, 2) if c == 0 else (1, 3, 4) if c == 1 else (2, 4, 5)
            _turned((d1, r1, w), (c * N + at, at, N), (p * N + at, q * N + at, t * N + at), n, factors)
            _gone(x1, d1, c * N + at, n)


@njit(cache=True, nogil=True)
def _subtracted(r: Reals, f: Reals, at: int, n: int, much: float) -> None:
    here = np.uint64(at)
    for k in range(np.uint64(n)):
        r[here + k] -= much * f[here + k]


@njit(cache=True, nogil=True)
def _turned(fields: tuple[Reals, Reals, Reals], at: tuple[int, int, int], blocks: tuple[int, int, int], n: int, factors: Reals) -> None:
    d, r, w = fields
    a, b = factors[0], factors[1]
    here, rx, ry, rz = np.uint64(at[0]), np.uint64(at[1]), np.uint64(at[1] + at[2]), np.uint64(at[1] + 2 * at[2])
    p, q, t = np.uint64(blocks[0]), np.uint64(blocks[1]), np.uint64(blocks[2])
    for k in range(np.uint64(n)):
        d[here + k] = a * d[here + k] + b * (w[p + k] * r[rx + k] + w[q + k] * r[ry + k] + w[t + k] * r[rz + k])


@njit(cache=True, nogil=True)
def _gone(x: Reals, d: Reals, at: int, n: int) -> None:
    here = np.uint64(at)
    for k in range(np.uint64(n)):
        x[here + k] += d[here + k]
