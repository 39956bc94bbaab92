"""Galerkin coarse operators: what the stiffness becomes between trilinear functions of a coarser grid, on active nodes only.

An operator holds for each node the 3 x 3 blocks to the nodes it shares a cell with, 27 where nothing is split. The first is added up from
the elements of the fine grid, held components left out of the trilinear functions; every further one from the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.bone.coarsen import Cells, Coarsened, incident

Reals: TypeAlias = npt.NDArray[Any]
Whole: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Operator:
    """A matrix of 3 x 3 blocks.

    Attributes
    ----------
    first : ndarray, int64, shape (node + 1,)
        Where the neighbours of each node begin.
    near : ndarray, int32, shape (block,)
        Neighbours of each node, itself among them.
    values : ndarray, shape (9 block,)
        Of each node first its whole row of x, then of y, then of z; within a row neighbour by neighbour.
    """

    first: Starts
    near: Whole
    values: Reals


def pattern(cells: Cells, dtype: type) -> Operator:
    """Return an operator of zeros between nodes that share a cell.

    Examples
    --------
    >>> from onclair.science.bone.coarsen import cells_of
    >>> two = cells_of(np.ones((1, 1, 2), bool), np.ones((2, 2, 3), bool))
    >>> np.diff(pattern(two, np.float64).first).tolist()
    [8, 12, 8, 8, 12, 8, 8, 12, 8, 8, 12, 8]
    """
    around, starts = incident(cells.nodes, len(cells.places))
    first, near = _pattern(cells.nodes, around, starts)
    return Operator(first, near, np.zeros(9 * len(near), dtype))


@njit(cache=True, nogil=True)
def _pattern(nodes: Whole, around: Whole, starts: Whole) -> tuple[Starts, Whole]:
    count = starts.size - 1
    mark, first = np.full(count, -1, np.int32), np.zeros(count + 1, np.int64)
    near = np.empty(0, np.int32)
    for writing in range(2):
        if writing:
            near = np.empty(first[count], np.int32)
            mark[:] = -1
        for n in range(count):
            found = 0
            for k in range(starts[n], starts[n + 1]):
                for corner in range(8):
                    j = nodes[around[k], corner]
                    if mark[j] != n:
                        mark[j] = n
                        if writing:
                            near[first[n] + found] = j
                        found += 1
            if not writing:
                first[n + 1] = first[n] + found
    return first, near


@njit(cache=True, nogil=True)
def _add_masked(total: Reals, matrix: Reals, weights: Reals, free: Reals) -> None:
    """Add the projection of an element whose held components are left out.

    Shapes: `total` and `matrix` (24, 24), `weights` (8, 8) node by coarse node, `free` (24,).
    """
    for a in range(8):
        for b in range(8):
            for p in range(8):
                for q in range(8):
                    w = weights[a, p] * weights[b, q]
                    if w == 0:
                        continue
                    for c in range(3):
                        for d in range(3):
                            total[3 * p + c, 3 * q + d] += w * free[3 * a + c] * free[3 * b + d] * matrix[3 * a + c, 3 * b + d]


@njit(cache=True, nogil=True)
def _add_cell(total: Reals, nodes: Whole, first: Starts, near: Whole, values: Reals) -> None:
    """Add the matrix of a cell, (24, 24), to an operator."""
    for p in range(8):
        n = nodes[p]
        start, size = first[n], first[n + 1] - first[n]
        for q in range(8):
            m = 0
            while near[start + m] != nodes[q]:
                m += 1
            for c in range(3):
                for d in range(3):
                    values[9 * start + 3 * (c * size + m) + d] += total[3 * p + c, 3 * q + d]


@njit(cache=True, nogil=True)
def _from_elements(
    body: tuple[Whole, Whole, Reals, Reals],
    grouped: tuple[Whole, Whole, Whole],
    parts: tuple[Reals, Reals, Reals],
    scale: Whole,
    operator: tuple[Starts, Whole, Reals],
) -> None:
    at, corners, modulus, free = body
    members, starts, coarse = grouped
    projected, matrix, weights = parts
    total, mask = np.empty((24, 24)), np.empty(24)
    for cell in range(starts.size - 1):
        total[:] = 0
        for k in range(starts[cell], starts[cell + 1]):
            element = members[k]
            child = 0
            for axis in range(3):
                child = child * scale[axis] + at[element, axis] % scale[axis]
            for a in range(8):
                for c in range(3):
                    mask[3 * a + c] = free[corners[element, a], c]
            if mask.min() > 0:
                total += modulus[element] * projected[child]
            else:
                _add_masked(total, modulus[element] * matrix, weights[child], mask)
        _add_cell(total, coarse[cell], operator[0], operator[1], operator[2])


def from_elements(fine: tuple[Cells, Reals, Reals], coarse: Coarsened, matrix: Reals, weights: Reals, dtype: type) -> Operator:
    """Return the first coarse operator.

    Parameters
    ----------
    fine : tuple
        Cells, modulus (cell,) and which components are free (node, 3), 1 or 0.
    coarse : Coarsened
    matrix : ndarray, shape (24, 24)
        Stiffness of an element of 1 MPa.
    weights : ndarray, shape (child, 8, 8)
        As :func:`onclair.science.bone.hex8.interpolation` returns them.
    dtype : type
    """
    cells, modulus, free = fine
    spread = np.einsum("saI,cd->sacId", weights, np.eye(3)).reshape(len(weights), 24, 24)
    projected = np.ascontiguousarray(np.einsum("sai,ab,sbj->sij", spread, matrix, spread))
    found = pattern(coarse.cells, dtype)
    scale = np.array(_scale(weights), dtype=np.int32)
    _from_elements(
        (cells.at, cells.nodes, modulus, free),
        (coarse.members, coarse.starts, coarse.cells.nodes),
        (projected, matrix, weights),
        scale,
        (found.first, found.near, found.values),
    )
    return found


def _scale(weights: Reals) -> tuple[int, int, int]:
    """Return the factors that interpolation weights were made for: the last node of the first child is on a corner where they are 1."""
    share = weights[0, 7]  # of the first child's far corner
    x, y, z = (2 if share[[c for c in range(8) if c >> (2 - axis) & 1]].sum() < 1 else 1 for axis in range(3))
    return x, y, z


def from_operator(finer: Operator, coarse: Coarsened) -> Operator:
    """Return the next coarse operator.

    Parameters
    ----------
    finer : Operator
    coarse : Coarsened
    """
    found = pattern(coarse.cells, finer.values.dtype.type)
    count = len(coarse.cells.places)
    used = coarse.parents[coarse.parents >= 0]
    children = np.repeat(np.arange(len(coarse.parents), dtype=np.int32), (coarse.parents >= 0).sum(axis=1))
    order = np.argsort(used, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(used, minlength=count))])
    _from_operator(
        (finer.first, finer.near, finer.values), coarse.parents, (children[order], starts), (found.first, found.near, found.values)
    )
    return found


@njit(cache=True, nogil=True)
def _from_operator(
    finer: tuple[Starts, Whole, Reals], parents: Whole, down: tuple[Whole, Starts], coarse: tuple[Starts, Whole, Reals]
) -> None:
    first, near, values = finer
    children, starts = down
    first_c, near_c, values_c = coarse
    count = first_c.size - 1
    slot, share = np.zeros(count, np.int64), np.empty(parents.shape[0])
    for n in range(parents.shape[0]):
        share[n] = 1.0 / np.count_nonzero(parents[n] >= 0)
    for I in range(count):  # noqa: E741 - coarse nodes are capital
        size_c = first_c[I + 1] - first_c[I]
        total = np.zeros((3, 3 * size_c))
        for m in range(size_c):
            slot[near_c[first_c[I] + m]] = 3 * m
        for k in range(starts[I], starts[I + 1]):
            n = children[k]
            size = first[n + 1] - first[n]
            for m in range(size):
                j = near[first[n] + m]
                at, w = 9 * first[n] + 3 * m, share[n] * share[j]
                for b in range(8):
                    if parents[j, b] < 0:
                        break
                    to = slot[parents[j, b]]
                    for c in range(3):
                        for d in range(3):
                            total[c, to + d] += w * values[at + 3 * size * c + d]
        values_c[9 * first_c[I] : 9 * first_c[I + 1]] = total.ravel()
