"""Compiled loops over the elements and nodes of the fine grid: forces of a displacement, diagonal blocks, rows of material.

Fields are stored by component, (3, x, y, z) with z contiguous; loops run along stretches of z, so that the compiler can take several
elements at once. Numbers have the type of the arrays: float64 for conjugate gradients, float32 inside the preconditioner.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Reals: TypeAlias = npt.NDArray[Any]
#: Stretches along z, (stretch, 4): x, y, first and one past the last z.
Stretches: TypeAlias = npt.NDArray[np.int32]
#: The eight blocks of :func:`onclair.science.bone.hex8.modes`, as nested tuples of numbers of the fields' type.
Modes: TypeAlias = tuple[tuple[Any, ...], ...]

#: Elements along z that are taken at once.
WIDTH = 32


@njit(cache=True, nogil=True)
def stretches(there: npt.NDArray[np.bool_], gap: int) -> Stretches:
    """Return the stretches of a volume along z that hold what is there; two with fewer than `gap` cells between them are one.

    Parameters
    ----------
    there : ndarray, bool, shape (x, y, z)
    gap : int

    Returns
    -------
    ndarray, int32, shape (stretch, 4)
        Ascending in x, then y, then z.

    Examples
    --------
    >>> stretches(np.array([[[False, True, False, True, True]]]), 1).tolist()
    [[0, 0, 1, 2], [0, 0, 3, 5]]
    """
    found = np.empty((there.size // 2 + there.shape[0] * there.shape[1] + 1, 4), np.int32)
    count = 0
    for i in range(there.shape[0]):
        for j in range(there.shape[1]):
            last = -gap - 2
            for k in range(there.shape[2]):
                if not there[i, j, k]:
                    continue
                if k - last <= max(gap, 1):
                    found[count - 1, 3] = k + 1
                else:
                    found[count, 0], found[count, 1], found[count, 2], found[count, 3] = i, j, k, k + 1
                    count += 1
                last = k
    return found[:count].copy()


@njit(nogil=True, cache=True)
def _four(a: float, b: float, c: float, d: float) -> tuple[float, float, float, float]:
    """Hadamard transform of four numbers."""
    s, t, p, q = a + b, a - b, c + d, c - d
    return s + p, t + q, s - p, t - q


@njit(nogil=True, cache=True)
def _three(b: tuple[float, ...], e: float, x: float, y: float, z: float) -> tuple[float, float, float]:
    """One block of the modes times three numbers and a modulus."""
    return e * (b[0] * x + b[1] * y + b[2] * z), e * (b[1] * x + b[3] * y + b[4] * z), e * (b[2] * x + b[4] * y + b[5] * z)


@njit(nogil=True, cache=True)
def _stiff(v: Reals, e: Reals, b: Modes, n: int) -> None:
    """Turn sums and differences along z of a whole buffer of displacements into those of forces.

    Slot ``8 c + 4 ax + 2 ay`` of the buffer holds the sums of component c on an edge along z, the next slot the differences.
    """
    W = WIDTH
    for k in range(n):
        x0, x2, x4, x6 = _four(v[k], v[2 * W + k], v[4 * W + k], v[6 * W + k])
        x1, x3, x5, x7 = _four(v[W + k], v[3 * W + k], v[5 * W + k], v[7 * W + k])
        y0, y2, y4, y6 = _four(v[8 * W + k], v[10 * W + k], v[12 * W + k], v[14 * W + k])
        y1, y3, y5, y7 = _four(v[9 * W + k], v[11 * W + k], v[13 * W + k], v[15 * W + k])
        z0, z2, z4, z6 = _four(v[16 * W + k], v[18 * W + k], v[20 * W + k], v[22 * W + k])
        z1, z3, z5, z7 = _four(v[17 * W + k], v[19 * W + k], v[21 * W + k], v[23 * W + k])
        m = e[k]
        x4, y2, z1 = _three(b[0], m, x4, y2, z1)
        x5, y3, z0 = _three(b[1], m, x5, y3, z0)
        x6, y0, z3 = _three(b[2], m, x6, y0, z3)
        x7, y1, z2 = _three(b[3], m, x7, y1, z2)
        x0, y6, z5 = _three(b[4], m, x0, y6, z5)
        x1, y7, z4 = _three(b[5], m, x1, y7, z4)
        x2, y4, z7 = _three(b[6], m, x2, y4, z7)
        x3, y5, z6 = _three(b[7], m, x3, y5, z6)
        v[k], v[2 * W + k], v[4 * W + k], v[6 * W + k] = _four(x0, x2, x4, x6)
        v[W + k], v[3 * W + k], v[5 * W + k], v[7 * W + k] = _four(x1, x3, x5, x7)
        v[8 * W + k], v[10 * W + k], v[12 * W + k], v[14 * W + k] = _four(y0, y2, y4, y6)
        v[9 * W + k], v[11 * W + k], v[13 * W + k], v[15 * W + k] = _four(y1, y3, y5, y7)
        v[16 * W + k], v[18 * W + k], v[20 * W + k], v[22 * W + k] = _four(z0, z2, z4, z6)
        v[17 * W + k], v[19 * W + k], v[21 * W + k], v[23 * W + k] = _four(z1, z3, z5, z7)


@njit(nogil=True, cache=True)
def _copied(values: Reals, at: int, to: Reals, n: int) -> None:
    here = np.uint64(at)
    for k in range(np.uint64(n)):
        to[k] = values[here + k]


@njit(nogil=True, cache=True)
def _taken(u: Reals, at: int, v: Reals, to: int, n: int) -> None:
    """Write the sums and differences of n pairs of neighbours along z, from one place to another."""
    # Unsigned places: a signed one might be negative, which costs the compiler its vectors.
    here, sums, differences = np.uint64(at), np.uint64(to), np.uint64(to + WIDTH)
    for k in range(np.uint64(n)):
        below, above = u[here + k], u[here + k + np.uint64(1)]
        v[sums + k] = below + above
        v[differences + k] = below - above


@njit(nogil=True, cache=True)
def _given(y: Reals, at: int, v: Reals, of: int, n: int) -> None:
    """Add n sums and differences to their pairs of neighbours along z."""
    here, sums, differences = np.uint64(at), np.uint64(of), np.uint64(of + WIDTH)
    for k in range(np.uint64(n)):
        y[here + k] += v[sums + k] + v[differences + k]
    here = np.uint64(at + 1)
    for k in range(np.uint64(n)):
        y[here + k] += v[sums + k] - v[differences + k]


@njit(nogil=True, cache=True)
def add_forces(u: Reals, y: Reals, modulus: Reals, rows: Stretches, blocks: Modes) -> None:
    """Add the forces that hold a displacement, K u, to `y`.

    Parameters
    ----------
    u : ndarray, shape (3, x + 1, y + 1, z + 1)
        mm.
    y : ndarray, same shape and type
        N.
    modulus : ndarray, same type, shape (x, y, z)
        MPa.
    rows : Stretches
        Of the elements.
    blocks : Modes
    """
    W = WIDTH
    v, e = np.zeros(24 * W, u.dtype), np.zeros(W, u.dtype)
    flat, out, moduli = u.reshape(-1), y.reshape(-1), modulus.reshape(-1)
    _, X, Y, Z = u.shape
    for s in range(rows.shape[0]):
        i, j = rows[s, 0], rows[s, 1]
        for first in range(rows[s, 2], rows[s, 3], W):
            n = min(W, rows[s, 3] - first)
            for edge in range(12):
                at = ((edge // 4 * X + i + (edge >> 1 & 1)) * Y + j + (edge & 1)) * Z + first
                _taken(flat, at, v, 2 * W * edge, n)
            _copied(moduli, (i * (Y - 1) + j) * (Z - 1) + first, e, n)
            _stiff(v, e, blocks, n)
            for edge in range(12):
                at = ((edge // 4 * X + i + (edge >> 1 & 1)) * Y + j + (edge & 1)) * Z + first
                _given(out, at, v, 2 * W * edge, n)


@njit(nogil=True, cache=True)
def diagonal(modulus: Reals, rows: Stretches, own: Reals, into: Reals) -> None:
    """Add up the 3 x 3 block of each node with itself.

    Parameters
    ----------
    modulus : ndarray, shape (x, y, z)
        MPa.
    rows : Stretches
        Of the elements.
    own : ndarray, shape (8, 3, 3)
        Of an element of 1 MPa.
    into : ndarray, shape (6, x + 1, y + 1, z + 1)
        Entries xx, xy, xz, yy, yz, zz; zero before.
    """
    for s in range(rows.shape[0]):
        i, j = rows[s, 0], rows[s, 1]
        for k in range(rows[s, 2], rows[s, 3]):
            e = modulus[i, j, k]
            if e == 0:
                continue
            for a in range(8):
                x, y, z = i + (a >> 2), j + (a >> 1 & 1), k + (a & 1)
                for q in range(3):
                    into[q, x, y, z] += e * own[a, 0, q]
                into[3, x, y, z] += e * own[a, 1, 1]
                into[4, x, y, z] += e * own[a, 1, 2]
                into[5, x, y, z] += e * own[a, 2, 2]


@njit(nogil=True, cache=True)
def invert_diagonal(blocks: Reals, free: npt.NDArray[np.uint8], rows: Stretches) -> None:
    """Turn the blocks of nodes into their inverses over the components that are free; 0 where there is nothing to move.

    Parameters
    ----------
    blocks : ndarray, shape (6, x, y, z)
        As :func:`diagonal` leaves them; replaced.
    free : ndarray, uint8, shape (3, x, y, z)
    rows : Stretches
        Of the nodes.
    """
    for s in range(rows.shape[0]):
        i, j = rows[s, 0], rows[s, 1]
        for k in range(rows[s, 2], rows[s, 3]):
            a = blocks[:, i, j, k]
            f = free[:, i, j, k]
            if a[0] + a[3] + a[5] == 0:
                continue
            scale = (a[0] + a[3] + a[5]) / 3
            xx, yy, zz = a[0] / scale if f[0] else 1.0, a[3] / scale if f[1] else 1.0, a[5] / scale if f[2] else 1.0
            xy, xz, yz = f[0] * f[1] * a[1] / scale, f[0] * f[2] * a[2] / scale, f[1] * f[2] * a[4] / scale
            cx, cy, cz = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
            over = 1.0 / ((xx * cx + xy * cy + xz * cz) * scale)
            a[0], a[3], a[5] = f[0] * cx * over, f[1] * (xx * zz - xz * xz) * over, f[2] * (xx * yy - xy * xy) * over
            a[1], a[2], a[4] = f[0] * f[1] * cy * over, f[0] * f[2] * cz * over, f[1] * f[2] * (xy * xz - xx * yz) * over
