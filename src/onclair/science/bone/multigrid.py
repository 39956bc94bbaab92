"""A preconditioner for the stiffness of a body of voxels: a cycle of geometric multigrid with Galerkin coarse operators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import linalg

from onclair.science.bone import hex8, hex8_kernels, smoother, stencils
from onclair.science.bone.coarsen import Coarsened, Factors, cells_of, coarsened
from onclair.science.bone.conjugate import dot
from onclair.science.bone.elements import GAP, Elements, run, shared
from onclair.science.bone.galerkin import Operator, from_elements, from_operator
from onclair.science.bone.hex8_kernels import Stretches
from onclair.science.bone.supports import node_flags

Reals: TypeAlias = npt.NDArray[Any]
Whole: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.uint8]

#: Steps of the smoother before and after the coarse correction on the fine grid, and sweeps of Gauss-Seidel on coarse ones.
DEGREE, SWEEPS = 2, 2
#: Nodes of a grid that is solved directly, and of one that is where coarsening no longer helps.
FEW, MOST = 250, 2500
#: A first step on a coarse grid that leaves no more than this of the residual needs no second.
ENOUGH = 0.25
#: An axis is coarsened while its edges are at most this many times the shortest.
ALIKE = 1.6


@dataclass(frozen=True, slots=True)
class Fine:
    """The finest grid: elements, not a matrix.

    Attributes
    ----------
    elements : Elements
    free : ndarray, uint8, shape (3, x + 1, y + 1, z + 1)
        1 where a component of a node with material is not held.
    nodes : tuple of Stretches
        One for each thread.
    inverse : ndarray, shape (6, x + 1, y + 1, z + 1)
        Of the diagonal blocks.
    steps : tuple of ndarray
        Of the smoother.
    where : ndarray, int32, shape (node,)
        Places of the body's nodes in a field.
    work : tuple of ndarray
        Four fields and (node, 3) to work in.
    """

    elements: Elements
    free: Flags
    nodes: tuple[Stretches, ...]
    inverse: Reals
    steps: tuple[Reals, ...]
    where: Whole
    work: tuple[Reals, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A coarse grid.

    Attributes
    ----------
    operator : tuple of ndarray
        First, near and values of an :class:`~onclair.science.bone.galerkin.Operator`.
    inverse : ndarray, shape (node, 9)
        Of the diagonal blocks.
    parents : ndarray, int32, shape (finer node, 8)
    x, b, f, g, first : ndarray, shape (node, 3)
        Displacement, right-hand side and room to work in.
    """

    operator: stencils.Parts
    inverse: Reals
    parents: Whole
    x: Reals
    b: Reals
    f: Reals
    g: Reals
    first: Reals


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """All grids, from fine to coarse.

    Attributes
    ----------
    fine : Fine
    grids : tuple of Grid
    root : ndarray
        Cholesky factor of the last operator, scaled to a diagonal of 1.
    scale : ndarray
        Root of its diagonal.
    """

    fine: Fine
    grids: tuple[Grid, ...]
    root: Reals
    scale: Reals


def hierarchy(
    elements: Elements, edges_mm: tuple[float, float, float], matrix: npt.NDArray[np.float64], free: Flags, dtype: type
) -> Hierarchy:
    """Return the grids of a body.

    Parameters
    ----------
    elements : Elements
        In float64.
    edges_mm : tuple of float
    matrix : ndarray, shape (24, 24)
        Stiffness of an element of 1 MPa.
    free : ndarray, uint8, shape (3, x + 1, y + 1, z + 1)
        1 where a component of a node with material is not held.
    dtype : type
        Of numbers inside: float32, or float64 where that is not enough.
    """
    modulus = elements.modulus / elements.modulus.max()
    there = node_flags(modulus > 0)
    fine = _fine(elements, matrix, free, there, dtype)
    cells = cells_of(modulus > 0, there)
    factors = factors_of(edges_mm, cells.shape)
    coarse = coarsened(cells, factors)
    at = np.ascontiguousarray(free.reshape(3, -1)[:, fine.where].T, dtype=np.float64)
    operator = from_elements((cells, modulus[modulus > 0], at), coarse, matrix, hex8.interpolation(factors), dtype)
    grids = [_grid(operator, coarse)]
    while len(coarse.cells.places) > FEW:
        edges_mm = _grown(edges_mm, factors)
        factors = factors_of(edges_mm, coarse.cells.shape)
        further = coarsened(coarse.cells, factors)
        if len(further.cells.places) > 0.7 * len(coarse.cells.places) and len(coarse.cells.places) <= MOST:
            break
        operator = from_operator(operator, further)
        coarse = further
        grids.append(_grid(operator, coarse))
    return Hierarchy(fine, tuple(grids), *_factor(operator))


def _grown(edges_mm: tuple[float, float, float], factors: Factors) -> tuple[float, float, float]:
    x, y, z = (edge * factor for edge, factor in zip(edges_mm, factors, strict=True))
    return x, y, z


def factors_of(edges_mm: tuple[float, ...], shape: tuple[int, ...]) -> Factors:
    """Return by how much each axis is coarsened: long edges wait until the others are as long.

    Examples
    --------
    >>> factors_of((1.0, 1.0, 1.0), (9, 9, 9)), factors_of((0.7, 0.7, 3.0), (9, 9, 9)), factors_of((1.0, 1.0, 1.0), (9, 9, 1))
    ((2, 2, 2), (2, 2, 1), (2, 2, 1))
    """
    least = min((edge for edge, n in zip(edges_mm, shape, strict=True) if n > 1), default=0.0)
    x, y, z = (2 if n > 1 and edge <= ALIKE * least else 1 for edge, n in zip(edges_mm, shape, strict=True))
    return x, y, z


def _fine(elements: Elements, matrix: Reals, free: Flags, there: npt.NDArray[np.bool_], dtype: type) -> Fine:
    inside = elements.scaled(1 / elements.modulus.max(), dtype)
    nodes = hex8_kernels.stretches(there, GAP)
    inverse = np.zeros((6, *there.shape), dtype)
    for rows in elements.rows():
        hex8_kernels.diagonal(inside.modulus, rows, hex8.own_blocks(matrix), inverse)
    hex8_kernels.invert_diagonal(inverse, free, nodes)
    chebyshev = smoother.chebyshev_steps(DEGREE, hex8.smoothing_bound(matrix))
    steps: tuple[Reals, ...] = tuple(np.array([a, b, k > 0], dtype) for k, (a, b) in enumerate(chebyshev))
    where = np.flatnonzero(there.ravel()).astype(np.int32)
    work = (*(np.zeros((3, *there.shape), dtype) for _ in range(4)), np.zeros((len(where), 3), dtype))
    return Fine(inside, free, shared(nodes, elements.threads), inverse, steps, where, work)


def _grid(operator: Operator, coarse: Coarsened) -> Grid:
    own = _own(operator)
    mean = np.trace(own, axis1=1, axis2=2) / 3
    some = mean > 0
    inverse = np.zeros_like(own)
    scale = mean[some, None, None]
    # A component that nothing resists (all that hangs on it is held) is left where it is.
    inverse[some] = np.linalg.pinv(own[some] / scale, rcond=1e-6, hermitian=True) / scale
    dtype = operator.values.dtype
    room = (np.zeros((len(own), 3), dtype) for _ in range(5))
    return Grid((operator.first, operator.near, operator.values), inverse.reshape(-1, 9).astype(dtype), coarse.parents, *room)


def _own(operator: Operator) -> npt.NDArray[np.float64]:
    """Return the block of each node with itself, (node, 3, 3)."""
    size = np.diff(operator.first)
    node = np.repeat(np.arange(len(size)), size)
    block = np.flatnonzero(operator.near == node)
    at = 9 * operator.first[:-1] + 3 * (block - operator.first[:-1])
    steps = 3 * size[:, None, None] * np.arange(3)[:, None] + np.arange(3)
    return np.asarray(operator.values[at[:, None, None] + steps], dtype=np.float64)


def _factor(operator: Operator) -> tuple[Reals, Reals]:
    """Return the Cholesky factor of an operator scaled to a diagonal of 1, and the scale."""
    count, size = len(operator.first) - 1, np.diff(operator.first)
    node = np.repeat(np.arange(count), size)
    at = 9 * operator.first[node] + 3 * (np.arange(len(node)) - operator.first[node])
    blocks = operator.values[at[:, None, None] + 3 * size[node][:, None, None] * np.arange(3)[:, None] + np.arange(3)]
    full = np.zeros((count, 3, count, 3))
    full[node, :, operator.near, :] = blocks
    matrix = full.reshape(3 * count, 3 * count)
    largest = matrix.diagonal().max()
    scale = np.sqrt(np.where(matrix.diagonal() > 1e-12 * largest, matrix.diagonal(), largest))
    matrix = (matrix + matrix.T) / 2 / scale / scale[:, None]
    # Nodes beside thin walls hold more freedom than the body has there; the shift keeps the factor in reach of float32 operators.
    matrix[np.diag_indices(3 * count)] += 1e-6
    return linalg.cholesky(matrix), scale


def cycle(levels: Hierarchy, r: Reals, scale: float = 1.0) -> Reals:
    """Return about what displacement a residual asks for, times a scale.

    Parameters
    ----------
    levels : Hierarchy
    r : ndarray, shape (3, x + 1, y + 1, z + 1)
    scale : float
        That brings it into the range of float32.

    Returns
    -------
    ndarray, same shape
        In room that the next call uses again; 0 where nothing is free.
    """
    fine, top = levels.fine, levels.grids[0]
    x, d, left, f, nodes = fine.work
    x[:] = 0
    d[:] = 0
    np.multiply(r, scale, out=left, casting="same_kind")
    _smooth(fine)
    fine.elements.forces(d, f)
    left -= f
    stencils.packed(left, fine.free, fine.where, nodes)
    stencils.gathered(nodes, top.parents, top.b)
    _coarse(levels, 0)
    nodes[:] = 0
    stencils.spread(top.x, top.parents, nodes)
    stencils.unpacked(nodes, fine.free, fine.where, d)
    x += d
    fine.elements.forces(d, f)
    left -= f
    _smooth(fine)
    return x


def _smooth(fine: Fine) -> None:
    x, d, left, f, _ = fine.work
    for k, step in enumerate(fine.steps):
        if k:
            fine.elements.forces(d, f)
        run(fine.elements.map, partial(smoother.smooth, (x, d, left, f), fine.inverse, step), fine.nodes)


def _coarse(levels: Hierarchy, k: int) -> None:
    """Solve grid k for its right-hand side, about or, on the last one, fully."""
    grid = levels.grids[k]
    if k == len(levels.grids) - 1:
        b = grid.b.astype(np.float64).ravel() / levels.scale
        grid.x[:] = (linalg.cho_solve((levels.root, False), b) / levels.scale).reshape(-1, 3)
        return
    grid.x[:] = 0
    for _ in range(SWEEPS):
        stencils.sweep(grid.operator, grid.inverse, grid.x, grid.b, 0)
    stencils.product(grid.operator, grid.x, grid.f)
    np.subtract(grid.b, grid.f, out=grid.f)
    below = levels.grids[k + 1]
    stencils.gathered(grid.f, below.parents, below.b)
    _twice(levels, k + 1)
    stencils.spread(below.x, below.parents, grid.x)
    for _ in range(SWEEPS):
        stencils.sweep(grid.operator, grid.inverse, grid.x, grid.b, 1)


def _twice(levels: Hierarchy, k: int) -> None:
    """Take up to two steps of conjugate gradients on grid k, each under a cycle from there: the K-cycle.

    Trilinear functions make thin struts too stiff, so that one correction falls short; the second step makes good for it.
    Y. Notay, P. S. Vassilevski, Numer Linear Algebra Appl 2008;15:473, doi:10.1002/nla.542, alg. 4.2.
    """
    _coarse(levels, k)
    if k == len(levels.grids) - 1:
        return
    grid = levels.grids[k]
    x, first, b, f, g = grid.x, grid.first, grid.b, grid.f, grid.g
    first[:] = x
    stencils.product(grid.operator, first, f)
    energy, along, before = dot(first, f), dot(first, b), dot(b, b)
    if not energy > 0:
        return
    b -= b.dtype.type(along / energy) * f
    g[:] = f
    if dot(b, b) <= ENOUGH**2 * before:
        x *= b.dtype.type(along / energy)
        return
    _coarse(levels, k)
    stencils.product(grid.operator, x, f)
    mixed, second, further = dot(x, g), dot(x, f), dot(x, b)
    left = second - mixed * mixed / energy
    share = further / left if left > 0 else 0.0
    x *= b.dtype.type(share)
    first *= b.dtype.type(along / energy - mixed * share / energy)
    x += first
