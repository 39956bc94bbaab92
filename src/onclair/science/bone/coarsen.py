"""Coarse grids that keep apart what the body keeps apart.

A grid is a list of cells, each a hexahedron with eight nodes. Cells of one block are one coarse cell where they share a node, and coarse
cells share a node only where the cells in them do: on both sides of a gap there are nodes of their own at one place, so that a coarse
displacement can open and close it. On trabecular bone grids that tie both sides together stall.

After C. Dick, J. Georgii, R. Westermann, A hexahedral multigrid approach for simulating cuts in deformable objects, IEEE Trans Vis Comput
Graph 2011;17:1663, doi:10.1109/TVCG.2010.268, section 5; there by faces, here by nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Whole: TypeAlias = npt.NDArray[np.int32]
Factors: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a grid and their nodes.

    Attributes
    ----------
    at : ndarray, int32, shape (cell, 3)
        Place of each cell; several may have one place.
    nodes : ndarray, int32, shape (cell, 8)
        Numbers of its nodes, in the order of :data:`onclair.science.bone.hex8.CORNERS`.
    places : ndarray, int32, shape (node, 3)
        Place of each node.
    """

    at: Whole
    nodes: Whole
    places: Whole

    @property
    def shape(self) -> tuple[int, int, int]:
        """Places of cells along each axis."""
        x, y, z = (int(n) + 1 for n in self.at.max(axis=0))
        return x, y, z


@dataclass(frozen=True, slots=True)
class Coarsened:
    """A coarser grid and how the finer one hangs in it.

    Attributes
    ----------
    cells : Cells
    members, starts : ndarray, int32
        The finer cells in coarse cell C are ``members[starts[C]:starts[C + 1]]``.
    parents : ndarray, int32, shape (finer node, 8)
        The coarse nodes around each finer one, all with the same weight; -1 where there are fewer.
    """

    cells: Cells
    members: Whole
    starts: Whole
    parents: Whole


def cells_of(material: npt.NDArray[np.bool_], there: npt.NDArray[np.bool_]) -> Cells:
    """Return the voxels of a body as cells.

    Parameters
    ----------
    material : ndarray, bool, shape (x, y, z)
    there : ndarray, bool, shape (x + 1, y + 1, z + 1)
        Its nodes.

    Examples
    --------
    >>> cells = cells_of(np.ones((1, 1, 2), bool), np.ones((2, 2, 3), bool))
    >>> cells.nodes.tolist()
    [[0, 1, 3, 4, 6, 7, 9, 10], [1, 2, 4, 5, 7, 8, 10, 11]]
    """
    numbers = np.full(there.shape, -1, np.int32)
    numbers[there] = np.arange(np.count_nonzero(there), dtype=np.int32)
    at = np.argwhere(material).astype(np.int32)
    nodes = np.stack([numbers[tuple((at + np.array(corner)).T)] for corner in np.ndindex(2, 2, 2)], axis=1)
    return Cells(at, np.ascontiguousarray(nodes), np.argwhere(there).astype(np.int32))


def coarsened(cells: Cells, factors: Factors) -> Coarsened:
    """Return the next coarser grid.

    Parameters
    ----------
    cells : Cells
    factors : tuple of int
        Cells in a block along each axis, 1 or 2.

    Examples
    --------
    Two columns with a gap between them that falls into one coarse node plane keep nodes of their own:

    >>> body = np.zeros((4, 2, 2), bool)
    >>> body[0] = body[2] = True
    >>> from onclair.science.bone.supports import node_flags
    >>> coarse = coarsened(cells_of(body, node_flags(body)), (2, 2, 2)).cells
    >>> len(coarse.at), len(coarse.places)  # 2 cells, and not 12 but 16 nodes
    (2, 16)
    """
    scale = np.array(factors, dtype=np.int32)
    blocks = cells.at // scale
    _, y, z = cells.shape
    key = (blocks[:, 0].astype(np.int64) * y + blocks[:, 1]) * z + blocks[:, 2]
    order = np.argsort(key, kind="stable").astype(np.int32)
    label, count = _joined(order, key, cells.nodes)
    members = np.argsort(label, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(label, minlength=count))]).astype(np.int32)
    at = np.ascontiguousarray(blocks[members[starts[:-1]]])
    around, first = incident(cells.nodes, len(cells.places))
    slots = _merged((around, first), label, (cells.places, at), scale)
    # Numbered by place, so that neighbours lie near each other in memory.
    roots, inverse = np.unique(slots, return_inverse=True)
    corner = np.array(list(np.ndindex(2, 2, 2)), dtype=np.int32)
    places = at[roots // 8] + corner[roots % 8]
    rank = np.lexsort(places.T[::-1])
    number = np.empty(len(roots), np.int32)
    number[rank] = np.arange(len(roots), dtype=np.int32)
    nodes = np.ascontiguousarray(number[inverse].reshape(-1, 8).astype(np.int32))
    parents = _parents((around, first), label, (cells.places, at, nodes), scale)
    return Coarsened(Cells(at, nodes, np.ascontiguousarray(places[rank])), members, starts, parents)


def incident(nodes: Whole, count: int) -> tuple[Whole, Whole]:
    """Return the cells around each node, one after the other, and where those of each begin.

    Parameters
    ----------
    nodes : ndarray, int32, shape (cell, 8)
    count : int
        Of nodes.

    Examples
    --------
    >>> around, first = incident(np.array([[0, 1, 2, 3, 4, 5, 6, 7]], np.int32), 8)
    >>> around.tolist(), first.tolist()
    ([0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8])
    """
    first = np.concatenate([[0], np.cumsum(np.bincount(nodes.ravel(), minlength=count))]).astype(np.int32)
    return _incident(nodes, first), first


@njit(cache=True, nogil=True)
def _incident(nodes: Whole, first: Whole) -> Whole:
    found = np.empty(nodes.size, np.int32)
    filled = first[:-1].copy()
    for cell in range(nodes.shape[0]):
        for corner in range(8):
            n = nodes[cell, corner]
            found[filled[n]] = cell
            filled[n] += 1
    return found


@njit(cache=True, nogil=True)
def _root(parent: Whole, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def _share(nodes: Whole, a: int, b: int) -> bool:
    """Return whether two cells have a node in common."""
    for p in range(8):
        for q in range(8):
            if nodes[a, p] == nodes[b, q]:
                return True
    return False


@njit(cache=True, nogil=True)
def _joined(order: Whole, key: npt.NDArray[np.int64], nodes: Whole) -> tuple[Whole, int]:
    """Give each part of each block a number; cells of a block that share a node are one part."""
    label = np.full(order.size, -1, np.int32)
    parent = np.arange(order.size).astype(np.int32)
    count, start = 0, 0
    while start < order.size:
        stop = start
        while stop < order.size and key[order[stop]] == key[order[start]]:
            stop += 1
        for p in range(start, stop):
            for q in range(start, p):
                a, b = _root(parent, order[p]), _root(parent, order[q])
                if a != b and _share(nodes, order[p], order[q]):
                    parent[a] = b
        for p in range(start, stop):
            root = _root(parent, order[p])
            if label[root] < 0:
                label[root] = count
                count += 1
            label[order[p]] = label[root]
        start = stop
    return label, count


@njit(cache=True, nogil=True)
def _corner(place: Whole, block: Whole, scale: Whole, which: int) -> int:
    """Return the corner of a block that is the `which`-th of those around a finer node; -1 where the node is not between so many."""
    corner = 0
    for axis in range(3):
        step = which >> (2 - axis) & 1
        if step and place[axis] % scale[axis] == 0:
            return -1
        corner = 2 * corner + place[axis] // scale[axis] + step - block[axis]
    return corner


@njit(cache=True, nogil=True)
def _merged(links: tuple[Whole, Whole], label: Whole, where: tuple[Whole, Whole], scale: Whole) -> Whole:
    """Make corners of coarse cells one where a finer node that hangs in them belongs to both; return the root of each corner."""
    around, first = links
    places, at = where
    parent = np.arange(8 * at.shape[0]).astype(np.int32)
    for n in range(places.shape[0]):
        one = label[around[first[n]]]
        for k in range(first[n] + 1, first[n + 1]):
            other = label[around[k]]
            if other == one:
                continue
            for which in range(8):
                p, q = _corner(places[n], at[one], scale, which), _corner(places[n], at[other], scale, which)
                if p >= 0:
                    a, b = _root(parent, 8 * one + p), _root(parent, 8 * other + q)
                    parent[max(a, b)] = min(a, b)
    for slot in range(parent.size):
        parent[slot] = _root(parent, slot)
    return parent


@njit(cache=True, nogil=True)
def _parents(links: tuple[Whole, Whole], label: Whole, where: tuple[Whole, Whole, Whole], scale: Whole) -> Whole:
    """Return the coarse nodes around each finer node, the used ones first."""
    around, first = links
    places, at, nodes = where
    found = np.full((places.shape[0], 8), -1, np.int32)
    for n in range(places.shape[0]):
        cell, used = label[around[first[n]]], 0
        for which in range(8):
            corner = _corner(places[n], at[cell], scale, which)
            if corner >= 0:
                found[n, used] = nodes[cell, corner]
                used += 1
    return found
