"""A preconditioner for the stiffness of a body of voxels: one V-cycle of geometric multigrid with Galerkin coarse operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import linalg

from onclair.science.bone import galerkin, hex8, hex8_kernels, smoother, stencils
from onclair.science.bone.hex8_kernels import Modes, Stretches

Reals: TypeAlias = npt.NDArray[Any]
Whole: TypeAlias = npt.NDArray[np.int32]
Factors: TypeAlias = tuple[int, int, int]

#: Steps of the smoother before and after the coarse correction on the fine grid, and sweeps of Gauss-Seidel on coarse ones.
DEGREE, SWEEPS = 3, 4
#: Nodes of a grid that is solved directly.
FEW = 220
#: An axis is coarsened while its edges are at most this many times the shortest.
ALIKE = 1.6
#: Cells without material that a stretch may run over.
GAP = 8


@dataclass(frozen=True, slots=True)
class Fine:
    """The finest grid: elements, not a matrix.

    Attributes
    ----------
    modulus : ndarray, shape (x, y, z)
    free : ndarray, uint8, shape (3, x + 1, y + 1, z + 1)
        1 where a component of a node with material is not held.
    elements, nodes : Stretches
    blocks : Modes
    inverse : ndarray, shape (6, x + 1, y + 1, z + 1)
    steps : list of tuple
        Of the smoother.
    """

    modulus: Reals
    free: npt.NDArray[np.uint8]
    elements: Stretches
    nodes: Stretches
    blocks: Modes
    inverse: Reals
    steps: tuple[Reals, ...]
    work: tuple[Reals, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A coarse grid: a matrix of 27 neighbours.

    Attributes
    ----------
    operator : ndarray, shape (node, 3, 81)
    near : ndarray, int32, shape (node, 27)
    inverse : ndarray, shape (node, 9)
    places : ndarray, int32, shape (node, 3)
    numbers : ndarray, int32, shape (x, y, z)
    x, b, r : ndarray, shape (node + 1, 3)
        Room to work in.
    """

    operator: Reals
    near: Whole
    inverse: Reals
    places: Whole
    numbers: Whole
    x: Reals
    b: Reals
    r: Reals


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """All grids, from fine to coarse."""

    fine: Fine
    factors: Factors
    grids: tuple[Grid, ...]
    ups: tuple[tuple[Whole, Reals], ...]
    root: Reals


def hierarchy(modulus: npt.NDArray[np.float64], edges_mm: tuple[float, float, float], poisson: float, free: npt.NDArray[np.uint8], dtype: type) -> Hierarchy:
    """Return the grids of a body."""
    matrix = hex8.stiffness(edges_mm, poisson)
    fine = _fine(modulus, matrix, free, dtype)
    factors = factors_of(edges_mm, modulus.shape)
    grids, ups = [_first(fine, matrix, modulus, factors)], []
    edges = tuple(e * f for e, f in zip(edges_mm, factors, strict=True))
    while len(grids[-1].places) > FEW:
        shape = tuple(n - 1 for n in grids[-1].numbers.shape)
        factors_next = factors_of(edges, shape)
        grid, up = _next(grids[-1], factors_next)
        grids.append(grid)
        ups.append(up)
        edges = tuple(e * f for e, f in zip(edges, factors_next, strict=True))
    return Hierarchy(fine, factors, tuple(grids), tuple(ups), _root(grids[-1]))


def factors_of(edges_mm: tuple[float, ...], shape: tuple[int, ...]) -> Factors:
    """Return by how much each axis is coarsened: long edges wait until the others are as long.

    Examples
    --------
    >>> factors_of((1.0, 1.0, 1.0), (9, 9, 9)), factors_of((0.7, 0.7, 3.0), (9, 9, 9)), factors_of((1.0, 1.0, 1.0), (9, 9, 1))
    ((2, 2, 2), (2, 2, 1), (2, 2, 1))
    """
    least = min(edge for edge, n in zip(edges_mm, shape, strict=True) if n > 1)
    x, y, z = (2 if n > 1 and edge <= ALIKE * least else 1 for edge, n in zip(edges_mm, shape, strict=True))
    return x, y, z


def _fine(modulus: npt.NDArray[np.float64], matrix: Reals, free: npt.NDArray[np.uint8], dtype: type) -> Fine:
    elements = hex8_kernels.stretches(modulus > 0, GAP)
    there = galerkin.coarse_nodes(modulus > 0, (1, 1, 1))
    nodes = hex8_kernels.stretches(there, GAP)
    inverse = np.zeros((6, *there.shape), dtype)
    hex8_kernels.diagonal(modulus, elements, hex8.own_blocks(matrix), inverse)
    hex8_kernels.invert_diagonal(inverse, free, nodes)
    blocks = tuple(tuple(dtype(value) for value in row) for row in hex8.modes(matrix))
    steps = tuple(np.array([a, b, k > 0], dtype) for k, (a, b) in enumerate(smoother.chebyshev_steps(DEGREE, hex8.smoothing_bound(matrix))))
    work = tuple(np.zeros((3, *there.shape), dtype) for _ in range(4))
    return Fine(modulus.astype(dtype), free, elements, nodes, blocks, inverse, steps, work)


def _numbered(there: npt.NDArray[np.bool_]) -> tuple[Whole, Whole]:
    places = np.argwhere(there).astype(np.int32)
    numbers = np.full(there.shape, -1, np.int32)
    numbers[there] = np.arange(len(places), dtype=np.int32)
    return places, numbers


def _grid(operator: Reals, near: Whole, places: Whole, numbers: Whole) -> Grid:
    own = operator[:, :, 39:42].astype(np.float64)
    scale = np.maximum(np.trace(own, axis1=1, axis2=2) / 3, 1e-300)[:, None, None]
    inverse = np.linalg.pinv(own / scale, rcond=1e-6, hermitian=True) / scale
    inverse[np.trace(own, axis1=1, axis2=2) <= 0] = 0
    dtype = operator.dtype
    x, b, r = (np.zeros((len(places) + 1, 3), dtype) for _ in range(3))
    return Grid(operator, near, inverse.reshape(-1, 9).astype(dtype), places, numbers, x, b, r)


def _first(fine: Fine, matrix: Reals, modulus: npt.NDArray[np.float64], factors: Factors) -> Grid:
    weights = hex8.interpolation(factors)
    full = np.einsum("saI,cd->sacId", weights, np.eye(3)).reshape(len(weights), 24, 24)
    projected = np.einsum("sai,ab,sbj->sij", full, matrix, full)
    places, numbers = _numbered(galerkin.coarse_nodes(modulus > 0, factors))
    operator = np.zeros((len(places), 3, 81), fine.modulus.dtype)
    galerkin.from_elements((modulus, fine.free), (projected, matrix, weights), factors, numbers, operator)
    return _grid(operator, galerkin.neighbours(places, numbers), places, numbers)


def _next(grid: Grid, factors: Factors) -> tuple[Grid, tuple[Whole, Reals]]:
    there = np.zeros(tuple(-(-(n - 1) // f) + 1 for n, f in zip(grid.numbers.shape, factors, strict=True)), np.bool_)
    for bits in np.ndindex(2, 2, 2):
        f = np.array(factors)
        low = grid.places // f
        ok = (np.array(bits) <= grid.places % f).all(axis=1)
        there[tuple((low + np.array(bits))[ok].T)] = True
    places, numbers = _numbered(there)
    above, weights = galerkin.parents(grid.places, numbers, factors)
    operator = np.zeros((len(places), 3, 81), grid.operator.dtype)
    galerkin.from_operator(grid.operator, grid.near, (above, weights), places, operator)
    return _grid(operator, galerkin.neighbours(places, numbers), places, numbers), (above, weights.astype(grid.operator.dtype))


def _root(grid: Grid) -> Reals:
    n = len(grid.places)
    full = np.zeros((n, 3, n + 1, 3))
    for m in range(27):
        full[np.arange(n)[:, None], :, grid.near[:, m][:, None], :] += grid.operator[:, :, 3 * m : 3 * m + 3][:, None]
    a = full[:, :, :n].reshape(3 * n, 3 * n)
    a = (a + a.T) / 2
    d = np.sqrt(np.maximum(a.diagonal(), 1e-30 * a.diagonal().max()))
    a = a / d / d[:, None]
    a[np.diag_indices(3 * n)] += 1e-7
    return linalg.cholesky(a, lower=False), d


def v_cycle(levels: Hierarchy, r: Reals, scale: float = 1.0) -> Reals:
    """Return the approximate displacement of a residual."""
    fine = levels.fine
    x, d, res, f = fine.work
    x[:] = 0
    d[:] = 0
    np.multiply(r, scale, out=res, casting="same_kind")
    _smooth(fine)
    hex8_kernels.forces(d, f, fine.modulus, fine.elements, fine.blocks)
    res -= f
    top = levels.grids[0]
    stencils.gathered_from_fine(res, fine.free, fine.nodes, top.numbers, levels.factors, top.b)
    _coarse(levels, 0)
    stencils.spread_to_fine(top.x, fine.free, fine.nodes, top.numbers, levels.factors, d)
    x += d
    hex8_kernels.forces(d, f, fine.modulus, fine.elements, fine.blocks)
    res -= f
    _smooth(fine)
    return x


def _smooth(fine: Fine) -> None:
    x, d, res, f = fine.work
    for k, step in enumerate(fine.steps):
        if k:
            hex8_kernels.forces(d, f, fine.modulus, fine.elements, fine.blocks)
        smoother.smooth((x, d, res, f), fine.inverse, fine.nodes, step)


def _coarse(levels: Hierarchy, k: int) -> None:
    grid = levels.grids[k]
    grid.x[:] = 0
    if k == len(levels.grids) - 1:
        root, d = levels.root
        b = grid.b[:-1].astype(np.float64).ravel() / d
        grid.x[:-1] = (linalg.cho_solve((root, False), b) / d).reshape(-1, 3)
        return
    for _ in range(SWEEPS):
        stencils.sweep(grid.operator, grid.near, grid.inverse, (grid.x, grid.b), 0)
    stencils.residual(grid.operator, grid.near, grid.x, grid.b, grid.r)
    below = levels.grids[k + 1]
    above, weights = levels.ups[k]
    stencils.gathered(grid.r, above, weights, below.b)
    _coarse(levels, k + 1)
    stencils.spread(below.x, above, weights, grid.x)
    for _ in range(SWEEPS):
        stencils.sweep(grid.operator, grid.near, grid.inverse, (grid.x, grid.b), 1)
