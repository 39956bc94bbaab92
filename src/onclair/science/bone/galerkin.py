"""Galerkin coarse operators: what the stiffness becomes between trilinear functions of a coarser grid, on active nodes only.

A coarse operator has for each of its nodes the 3 x 3 blocks to its 27 neighbours. The first is added up from the elements of the fine
grid, held components left out of the trilinear functions; every further one from the one before.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Reals: TypeAlias = npt.NDArray[Any]
Whole: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True)
def neighbours(places: Whole, numbers: Whole) -> Whole:
    """Return the numbers of the 27 nodes around each, (node, 27); one past the last where there is none.

    Parameters
    ----------
    places : ndarray, int32, shape (node, 3)
        Place of each node in the coarse grid.
    numbers : ndarray, int32, shape (x, y, z)
        Number of the node at each place, or -1.
    """
    count = places.shape[0]
    found = np.full((count, 27), count, np.int32)
    for n in range(count):
        for m in range(27):
            i, j, k = places[n, 0] + m // 9 - 1, places[n, 1] + m // 3 % 3 - 1, places[n, 2] + m % 3 - 1
            if 0 <= i < numbers.shape[0] and 0 <= j < numbers.shape[1] and 0 <= k < numbers.shape[2] and numbers[i, j, k] >= 0:
                found[n, m] = numbers[i, j, k]
    return found


@njit(cache=True, nogil=True)
def coarse_nodes(material: npt.NDArray[np.bool_], factors: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Return the nodes of coarse elements that hold material."""
    fx, fy, fz = factors
    nx, ny, nz = material.shape
    there = np.zeros((-(-nx // fx) + 1, -(-ny // fy) + 1, -(-nz // fz) + 1), np.bool_)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if material[i, j, k]:
                    x, y, z = i // fx, j // fy, k // fz
                    there[x : x + 2, y : y + 2, z : z + 2] = True
    return there


@njit(cache=True, nogil=True)
def _held(free: Flags, i: int, j: int, k: int) -> bool:
    """Return whether an element has a component that is held."""
    for a in range(8):
        for c in range(3):
            if free[c, i + (a >> 2), j + (a >> 1 & 1), k + (a & 1)] == 0:
                return True
    return False


@njit(cache=True, nogil=True)
def _add_masked(total: Reals, matrix: Reals, weights: Reals, free: Reals) -> None:
    """Add the projection of an element whose held components are left out.

    Shapes: `total` and `matrix` (24, 24), `weights` (8, 8) node by coarse node, `free` (24,).
    """
    for a in range(8):
        for b in range(8):
            for I in range(8):  # noqa: E741 - coarse nodes are capital
                if weights[a, I] == 0:
                    continue
                for J in range(8):
                    w = weights[a, I] * weights[b, J]
                    if w == 0:
                        continue
                    for c in range(3):
                        for d in range(3):
                            total[3 * I + c, 3 * J + d] += w * free[3 * a + c] * free[3 * b + d] * matrix[3 * a + c, 3 * b + d]


@njit(cache=True, nogil=True)
def _coarse_element(at: tuple[int, int, int], fine: tuple[Reals, Flags], parts: tuple[Reals, Reals, Reals], factors: tuple[int, int, int], total: Reals) -> bool:
    """Add up the matrix of one coarse element; return whether there is anything in it.

    `parts` are the projections of a whole element at each child's place (child, 24, 24), the stiffness and the weights.
    """
    modulus, free = fine
    projected, matrix, weights = parts
    fx, fy, fz = factors
    total[:] = 0
    some, mask = False, np.empty(24)
    for child in range(fx * fy * fz):
        i, j, k = at[0] * fx + child // (fy * fz), at[1] * fy + child // fz % fy, at[2] * fz + child % fz
        if i >= modulus.shape[0] or j >= modulus.shape[1] or k >= modulus.shape[2] or modulus[i, j, k] == 0:
            continue
        some = True
        if not _held(free, i, j, k):
            total += modulus[i, j, k] * projected[child]
            continue
        for a in range(8):
            for c in range(3):
                mask[3 * a + c] = free[c, i + (a >> 2), j + (a >> 1 & 1), k + (a & 1)]
        _add_masked(total, modulus[i, j, k] * matrix, weights[child], mask)
    return some


@njit(cache=True, nogil=True)
def from_elements(fine: tuple[Reals, Flags], parts: tuple[Reals, Reals, Reals], factors: tuple[int, int, int], numbers: Whole, into: Reals) -> None:
    """Add up the first coarse operator.

    Parameters
    ----------
    fine : tuple
        Modulus (x, y, z) and which components are free, uint8 (3, x + 1, y + 1, z + 1).
    parts : tuple
        Projected stiffness of an element of 1 MPa at each child's place (child, 24, 24), the stiffness (24, 24), weights (child, 8, 8).
    factors : tuple of int
        Fine elements in a coarse one along each axis.
    numbers : ndarray, int32
        Number of each coarse node, or -1.
    into : ndarray, shape (node, 3, 81)
        Row component; 3 neighbour + column component. Zero before.
    """
    total = np.empty((24, 24))
    for x in range(numbers.shape[0] - 1):
        for y in range(numbers.shape[1] - 1):
            for z in range(numbers.shape[2] - 1):
                if not _coarse_element((x, y, z), fine, parts, factors, total):
                    continue
                for I in range(8):  # noqa: E741
                    n = numbers[x + (I >> 2), y + (I >> 1 & 1), z + (I & 1)]
                    for J in range(8):
                        m = 13 + 9 * ((J >> 2) - (I >> 2)) + 3 * ((J >> 1 & 1) - (I >> 1 & 1)) + (J & 1) - (I & 1)
                        for c in range(3):
                            for d in range(3):
                                into[n, c, 3 * m + d] += total[3 * I + c, 3 * J + d]


@njit(cache=True, nogil=True)
def parents(places: Whole, numbers: Whole, factors: tuple[int, int, int]) -> tuple[Whole, Reals]:
    """Return the coarse nodes that each node lies between and their weights, (node, 8) each; weight 0 where there are fewer."""
    count = places.shape[0]
    found, weights = np.zeros((count, 8), np.int32), np.zeros((count, 8))
    for n in range(count):
        for a in range(8):
            weight = 1.0
            at = np.empty(3, np.int64)
            for axis in range(3):
                bit = a >> (2 - axis) & 1
                between = places[n, axis] % factors[axis] == 1
                at[axis] = places[n, axis] // factors[axis] + bit
                weight *= 0.5 if between else 1.0 - bit
            if weight > 0:
                found[n, a], weights[n, a] = numbers[at[0], at[1], at[2]], weight
    return found, weights


@njit(cache=True, nogil=True)
def from_operator(operator: Reals, near: Whole, up: tuple[Whole, Reals], coarse_places: Whole, into: Reals) -> None:
    """Add up the next coarse operator.

    Parameters
    ----------
    operator : ndarray, shape (node, 3, 81)
    near : ndarray, int32, shape (node, 27)
        As :func:`neighbours` returns it.
    up : tuple of ndarray
        Parents and weights, (node, 8).
    coarse_places : ndarray, int32, shape (coarse node, 3)
    into : ndarray, shape (coarse node, 3, 81)
        Zero before.
    """
    count = operator.shape[0]
    above, weights = up
    for n in range(count):
        for a in range(8):
            w = weights[n, a]
            if w == 0:
                continue
            I = above[n, a]  # noqa: E741
            for m in range(27):
                j = near[n, m]
                if j == count:
                    continue
                for b in range(8):
                    v = w * weights[j, b]
                    if v == 0:
                        continue
                    J = above[j, b]
                    step = 13
                    for axis in range(3):
                        step += (9 if axis == 0 else 3 if axis == 1 else 1) * (coarse_places[J, axis] - coarse_places[I, axis])
                    for c in range(3):
                        for d in range(3):
                            into[I, c, 3 * step + d] += v * operator[n, c, 3 * m + d]
