"""Displacement of a linear elastic body of voxels, each an axis-aligned hexahedron: conjugate gradients under multigrid."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput, BadSetting
from onclair.science.bone.conjugate import dot, iterate
from onclair.science.bone.fields import principal_strains, reaction_n, strain_energy_density
from onclair.science.bone.hex8 import modes, stiffness
from onclair.science.bone.hex8_kernels import Modes, Stretches, forces, stretches
from onclair.science.bone.multigrid import GAP, hierarchy, v_cycle
from onclair.science.bone.supports import node_flags, supported

__all__ = ["Problem", "Solution", "principal_strains", "reaction_n", "solve", "strain_energy_density"]

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Problem:
    """A body of voxels, and what is known of the displacement of its nodes.

    Attributes
    ----------
    modulus_mpa : ndarray, float, shape (x, y, z)
        Young's modulus of each voxel, MPa; 0 where there is no material.
    spacing_mm : tuple of float, shape (3,)
        Edges of a voxel along x, y, z; they may differ.
    poisson : float
        One Poisson ratio for all, in [0, 0.5).
    held : ndarray, bool, shape (x + 1, y + 1, z + 1, 3)
        Which components of which nodes are prescribed; node (i, j, k) is the lower corner of voxel (i, j, k).
    displacement_mm : ndarray, float, shape (x + 1, y + 1, z + 1, 3)
        What they are prescribed to be; read where `held` only.

    Raises
    ------
    BadInput
        For a modulus that is NaN, infinite, negative or zero everywhere, edges that are not positive, or arrays of another grid.
    BadSetting
        For a Poisson ratio outside [0, 0.5).
    """

    modulus_mpa: Reals
    spacing_mm: tuple[float, float, float]
    poisson: float
    held: Flags
    displacement_mm: Reals

    def __post_init__(self) -> None:
        modulus = np.asarray(self.modulus_mpa, dtype=np.float64)
        object.__setattr__(self, "modulus_mpa", modulus)
        object.__setattr__(self, "spacing_mm", checked_spacing(self.spacing_mm))
        object.__setattr__(self, "held", np.asarray(self.held, dtype=np.bool_))
        object.__setattr__(self, "displacement_mm", np.asarray(self.displacement_mm, dtype=np.float64))
        object.__setattr__(self, "poisson", checked_poisson(self.poisson))
        check_modulus(modulus)
        nodes = (*(n + 1 for n in modulus.shape), 3)
        for name, array in (("held", self.held), ("displacement_mm", self.displacement_mm)):
            if array.shape != nodes:
                raise BadInput(f"The array '{name}' has the shape {array.shape}; a body of {modulus.shape} voxels needs {nodes}.", item=name)
        if not np.isfinite(self.displacement_mm[self.held]).all():
            raise BadInput("A prescribed displacement is not a finite number; give millimetres at every node that is held.", item="displacement_mm")


@dataclass(frozen=True, slots=True)
class Solution:
    """The displacement of every node, and how well it solves the equations.

    Attributes
    ----------
    displacement_mm : ndarray, float64, shape (x + 1, y + 1, z + 1, 3)
        0 at nodes without material and in parts that were removed.
    iterations : int
        Of conjugate gradients.
    relative_residual : float
        ``||r|| / ||b||`` of the free components, recomputed from the displacement at the end.
    energy_error : float
        Difference of u.Ku and reaction times displacement, over the larger of them.
    imbalance_n : float
        Length of the sum of all reactions, N: 0 in equilibrium.
    removed_elements : int
        Voxels in parts that are joined to no support.
    elements, nodes : int
        Of the body that was solved.
    cpu_s, setup_cpu_s : float
        CPU seconds of this process (all threads) for everything, and of them before the first iteration; the time to compile is in them
        the first time ever.
    peak_gb : float
        Peak resident memory of this process so far, 10^9 bytes, as the system tells it.
    history : tuple of float
        ``||r|| / ||b||`` before each iteration and at the end, as the iteration sees it.
    """

    displacement_mm: Reals
    iterations: int
    relative_residual: float
    energy_error: float
    imbalance_n: float
    removed_elements: int
    elements: int
    nodes: int
    cpu_s: float
    setup_cpu_s: float = 0.0
    peak_gb: float = 0.0
    history: tuple[float, ...] = field(default=(), repr=False)


def solve(
    problem: Problem, *, tolerance: float = 1e-6, max_iterations: int = 400, start: Reals | None = None, threads: int = 1
) -> Solution:
    """Return the displacement in equilibrium.

    Parameters
    ----------
    problem : Problem
    tolerance : float
        Of ``||r|| / ||b||``, b being what the prescribed displacements ask of nodes at rest.
    max_iterations : int
    start : ndarray, shape (x + 1, y + 1, z + 1, 3), or None
        A displacement to begin with, for example that of a like body; what is prescribed is put in. When left out, the affine field that
        fits the supports, or none, whichever is nearer.
    threads : int
        That loops over the fine grid are shared by.

    Returns
    -------
    Solution

    Raises
    ------
    BadInput
        When nothing is held, no part of the body is joined to what is held, nothing is moved, `start` is of another grid, or the
        iteration does not converge.

    Examples
    --------
    A bar of 2 x 2 x 4 mm and 1000 MPa, pressed by 1 % between plates that let it widen, takes 1000 * 4 * 0.01 = 40 N:

    >>> from onclair.science.bone.loading import Load, material_case
    >>> bar = material_case(np.full((2, 2, 4), 1000.0), (1.0, 1.0, 1.0), case="uniaxial", load=Load(strain=-0.01))
    >>> done = solve(bar.problem)
    >>> [round(float(force), 4) + 0.0 for force in reaction_n(done, bar.problem, bar.top)]
    [0.0, 0.0, -40.0]
    """
    began = process_time()
    body = _body(problem)
    u = body.fields(np.where(problem.held, problem.displacement_mm, 0.0))
    r = np.zeros_like(u)
    body.forces(u, r)
    r *= -1.0 * body.free
    reference = float(np.sqrt(dot(r, r)))
    if not np.any(problem.displacement_mm[problem.held]):
        raise BadInput("Every prescribed displacement is 0 mm; a body that is not moved carries no load, so move a support.", item="displacement_mm")
    if reference > 0:
        u, r = _started(body, problem, (u, r), start)
    levels_s, history = 0.0, [float(np.sqrt(dot(r, r))) / reference if reference > 0 else 0.0]
    for kind in (np.float32, np.float64):
        before = process_time()
        if history[-1] <= tolerance:
            break
        levels = hierarchy(body.modulus / body.modulus.max(), problem.spacing_mm, problem.poisson, body.free, kind)
        levels_s += process_time() - before
        ended = iterate(
            (u, r), body.free, (body.forces, partial(v_cycle, levels)), reference=reference, tolerance=tolerance, most=max_iterations
        )
        history += ended.history[1:]
        if not ended.broken:
            break
    if not history[-1] <= tolerance:
        raise BadInput(
            f"The displacement did not converge: after {len(history) - 1} iterations the residual is {history[-1]:.2g} of the load, "
            f"and {tolerance:g} was asked for; allow more iterations, or look for parts that hang by an edge.",
            item="max_iterations",
        )
    return _solution(body, u, reference, tuple(history), (process_time() - began, levels_s))


@dataclass(frozen=True, slots=True)
class _Body:
    """What of a problem is solved: its parts that are supported, cropped to their box, fields by component.

    Attributes
    ----------
    box : tuple of slice
        Of the voxels.
    modulus : ndarray, shape (x, y, z)
    free : ndarray, uint8, shape (3, x + 1, y + 1, z + 1)
    shape : tuple of int
        Voxels of the whole grid.
    removed : int
    """

    box: tuple[slice, slice, slice]
    modulus: Reals
    free: npt.NDArray[np.uint8]
    shape: tuple[int, ...]
    removed: int
    rows: Stretches
    blocks: Modes

    def forces(self, u: Reals, f: Reals) -> None:
        """Write K u into f."""
        forces(u, f, self.modulus, self.rows, self.blocks)

    def fields(self, values: npt.NDArray[np.generic]) -> Reals:
        """Return values of the whole grid's nodes, (x, y, z, 3), by component within the box."""
        nodes = tuple(slice(s.start, s.stop + 1) for s in self.box)
        return np.ascontiguousarray(np.moveaxis(values[nodes], -1, 0), dtype=np.float64)

    def whole(self, u: Reals) -> Reals:
        """Return a field on the whole grid, (x + 1, y + 1, z + 1, 3)."""
        found = np.zeros((*(n + 1 for n in self.shape), 3))
        found[tuple(slice(s.start, s.stop + 1) for s in self.box)] = np.moveaxis(u, 0, -1)
        return found


def _body(problem: Problem) -> _Body:
    material = problem.modulus_mpa > 0
    kept = supported(material, problem.held.any(axis=-1))
    if not kept.any():
        raise BadInput("No part of the material is joined to a node that is held; hold some of its nodes.", item="held")
    box = ndimage.find_objects(kept.astype(np.int8))[0]
    modulus = np.ascontiguousarray(np.where(kept, problem.modulus_mpa, 0.0)[box])
    held = problem.held[tuple(slice(s.start, s.stop + 1) for s in box)]
    free = np.ascontiguousarray(node_flags(modulus > 0)[None] & ~np.moveaxis(held, -1, 0)).astype(np.uint8)
    blocks = tuple(tuple(float(value) for value in row) for row in modes(stiffness(problem.spacing_mm, problem.poisson)))
    removed = int(np.count_nonzero(material) - np.count_nonzero(kept))
    return _Body(box, modulus, free, material.shape, removed, stretches(modulus > 0, GAP), blocks)


def _started(body: _Body, problem: Problem, fields: tuple[Reals, Reals], start: Reals | None) -> tuple[Reals, Reals]:
    """Return the displacement to begin with and its residual: as given, or affine, unless rest is nearer."""
    u, r = fields
    if start is None:
        guess = _affine(problem, body)
    elif start.shape == problem.held.shape:
        guess = body.fields(start)
    else:
        raise BadInput(f"The displacement to start from has the shape {start.shape}; this grid needs {problem.held.shape}.", item="start")
    other = np.where(body.free == 1, guess, u)
    left = np.zeros_like(r)
    body.forces(other, left)
    left *= -1.0 * body.free
    return (other, left) if dot(left, left) < dot(r, r) else (u, r)


def _affine(problem: Problem, body: _Body) -> Reals:
    """Return the least affine field that fits the prescribed displacements, by component."""
    there = node_flags(body.modulus > 0)
    held, given = (np.moveaxis(a[tuple(slice(s.start, s.stop + 1) for s in body.box)], -1, 0) for a in (problem.held, problem.displacement_mm))
    axes = [np.arange(n) * edge for n, edge in zip(there.shape, problem.spacing_mm, strict=True)]
    found = np.zeros((3, *there.shape))
    for c in range(3):
        at = np.nonzero(held[c] & there)
        if not at[0].size:
            continue
        places = np.stack([axis[i] for axis, i in zip(axes, at, strict=True)], axis=1)
        middle, known = places.mean(axis=0), given[c][at]
        slope = np.linalg.lstsq(places - middle, known - known.mean(), rcond=1e-9)[0]
        x, y, z = (slope[a] * (axes[a] - middle[a]) for a in range(3))
        found[c] = known.mean() + x[:, None, None] + y[:, None] + z
    return found


def _solution(body: _Body, u: Reals, reference: float, history: tuple[float, ...], cpu_s: tuple[float, float]) -> Solution:
    there = node_flags(body.modulus > 0)
    u *= there
    f = np.zeros_like(u)
    body.forces(u, f)
    held = there[None] & (body.free == 0)
    loose = f * body.free
    energy, work = dot(u, f), float(np.sum(u[held] * f[held]))
    # A rigid motion has no energy: what is left is rounding, and is told as a share of what a motion against rest would take.
    scale = max(abs(energy), abs(work), 1e-9 * reference * float(np.abs(u).max()))
    return Solution(
        displacement_mm=body.whole(u),
        iterations=len(history) - 1,
        relative_residual=float(np.sqrt(dot(loose, loose))) / reference if reference > 0 else 0.0,
        energy_error=abs(energy - work) / scale if scale > 0 else 0.0,
        imbalance_n=float(np.linalg.norm([f[c][held[c]].sum() for c in range(3)])),
        removed_elements=body.removed,
        elements=int(np.count_nonzero(body.modulus)),
        nodes=int(np.count_nonzero(there)),
        cpu_s=cpu_s[0],
        setup_cpu_s=cpu_s[1],
        peak_gb=getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9,
        history=history,
    )


def checked_poisson(poisson: float) -> float:
    """Return a Poisson ratio in [0, 0.5), or refuse it."""
    if not 0 <= poisson < 0.5:
        raise BadSetting(f"The Poisson ratio is {poisson:g}; it must lie in [0, 0.5), for bone about 0.3.", item="poisson")
    return float(poisson)


def checked_spacing(spacing_mm: Sequence[float]) -> tuple[float, float, float]:
    """Return three positive edges, or refuse them."""
    edges = tuple(float(edge) for edge in spacing_mm)
    if len(edges) != 3 or not all(np.isfinite(edge) and edge > 0 for edge in edges):
        raise BadInput(f"The voxel edges are {edges} mm; three positive lengths are needed.", item="spacing_mm")
    return edges


def check_modulus(modulus: Reals) -> None:
    """Refuse a material that no body can be made of."""
    if modulus.ndim != 3 or 0 in modulus.shape:
        raise BadInput(f"The material has the shape {modulus.shape}; a volume (x, y, z) is needed.", item="modulus_mpa")
    bad = int(np.count_nonzero(~np.isfinite(modulus)))
    if bad:
        raise BadInput(f"The material has {bad} voxels that are not finite numbers; every modulus must be 0 or more MPa.", item="modulus_mpa")
    if modulus.min() < 0:
        raise BadInput(
            f"The material has {int((modulus < 0).sum())} negative moduli, down to {modulus.min():g} MPa; write 0 where there is nothing.",
            item="modulus_mpa",
        )
    if modulus.max() == 0:
        raise BadInput("The material is 0 MPa in every voxel; a modulus above 0 is needed somewhere.", item="modulus_mpa")
