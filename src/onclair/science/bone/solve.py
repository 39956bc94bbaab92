"""Displacement of a linear elastic body of voxels, each an axis-aligned hexahedron: conjugate gradients under multigrid."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from onclair.core.errors import BadInput, BadSetting
from onclair.science.bone.conjugate import dot, iterate
from onclair.science.bone.fields import principal_strains, reaction_n, strain_energy_density
from onclair.science.bone.multigrid import cycle, hierarchy
from onclair.science.bone.supported_body import SupportedBody, started, supported_body
from onclair.science.bone.supports import node_flags

__all__ = ["Problem", "Solution", "principal_strains", "reaction_n", "solve", "strain_energy_density"]

#: What energy and work of the supports may differ by, and the residual below which rounding rules.
BALANCED, LEAST = 1e-4, 1e-13

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
                raise BadInput(
                    f"The array '{name}' has the shape {array.shape}; a body of {modulus.shape} voxels needs {nodes}.", item=name
                )
        if not np.isfinite(self.displacement_mm[self.held]).all():
            raise BadInput(
                "A prescribed displacement is not a finite number; give millimetres at every node that is held.", item="displacement_mm"
            )


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
    with ThreadPoolExecutor(max(threads, 1)) as pool, threadpool_limits(max(threads, 1)):
        body = supported_body(problem, threads, pool.map if threads > 1 else map)
        u = body.fields(np.where(problem.held, problem.displacement_mm, 0.0))
        r = body.residual(u)
        if not np.any(problem.displacement_mm[problem.held]):
            raise BadInput(
                "Every prescribed displacement is 0 mm; a body that is not moved carries no load, so move a support.",
                item="displacement_mm",
            )
        reference = float(np.sqrt(dot(r, r)))
        if reference > 0:
            u, r = started(body, problem, (u, r), start)
        history, setup_s = _brought_down(body, (u, r), (reference, tolerance), max_iterations)
        return _solution(body, u, (reference, history), (process_time() - began, setup_s))


def _brought_down(
    body: SupportedBody, fields: tuple[Reals, Reals], wanted: tuple[float, float], most: int
) -> tuple[tuple[float, ...], float]:
    """Iterate until residual and energy are right; return how the residual fell and the CPU seconds spent before the first step.

    The preconditioner works in float32; where that is not enough to keep it positive definite, a second one in float64 goes on. Beside
    stiff supports a small residual may still be large for what is soft between them, so the energy has to balance as well.
    """
    u, r = fields
    reference, tolerance = wanted
    setup_s, history = 0.0, [float(np.sqrt(dot(r, r))) / reference if reference > 0 else 0.0]
    kinds, cycles = iter((np.float32, np.float64)), None
    while len(history) <= most:
        if history[-1] <= tolerance:
            if tolerance <= LEAST or body.energy_error(u, reference) <= BALANCED:
                break
            tolerance *= 0.01
            continue
        kind = next(kinds, None) if cycles is None else None
        if kind is not None:
            before = process_time()
            cycles = partial(cycle, hierarchy(body.elements, body.edges_mm, body.matrix, body.free, kind))
            setup_s += process_time() - before
        if cycles is None:
            break
        how = {"reference": reference, "tolerance": tolerance}
        ended = iterate((u, r), body.free, (body.elements.forces, cycles), most=most - len(history) + 1, **how)
        history += ended.history[1:]
        cycles = None if ended.broken else cycles
    _require_balance(body, u, (reference, tolerance), history)
    return tuple(history), setup_s


def _require_balance(body: SupportedBody, u: Reals, wanted: tuple[float, float], history: list[float]) -> None:
    reference, tolerance = wanted
    if not history[-1] <= tolerance:
        raise BadInput(
            f"The displacement did not converge: after {len(history) - 1} iterations the residual is {history[-1]:.2g} of the load, "
            f"and {tolerance:g} was asked for; allow more iterations, or look for parts that hang by an edge.",
            item="max_iterations",
        )
    found = body.energy_error(u, reference)
    if not found <= BALANCED:
        raise BadInput(
            f"The displacement did not converge: energy and work of the supports differ by {found:.2g} of them, where {BALANCED:g} is "
            "allowed; the moduli span too many decades, so raise the least or leave those voxels out.",
            item="modulus_mpa",
        )


def _solution(body: SupportedBody, u: Reals, fell: tuple[float, tuple[float, ...]], cpu_s: tuple[float, float]) -> Solution:
    reference, history = fell
    there = node_flags(body.material)
    u *= there
    f = np.zeros_like(u)
    body.elements.forces(u, f)
    held = there[None] & (body.free == 0)
    loose = f * body.free
    return Solution(
        displacement_mm=body.whole(u),
        iterations=len(history) - 1,
        relative_residual=float(np.sqrt(dot(loose, loose))) / reference if reference > 0 else 0.0,
        energy_error=body.energy_error(u, reference),
        imbalance_n=float(np.linalg.norm([f[c][held[c]].sum() for c in range(3)])),
        removed_elements=body.removed,
        elements=int(np.count_nonzero(body.material)),
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
        raise BadInput(
            f"The material has {bad} voxels that are not finite numbers; every modulus must be 0 or more MPa.", item="modulus_mpa"
        )
    if modulus.min() < 0:
        raise BadInput(
            f"The material has {int((modulus < 0).sum())} negative moduli, down to {modulus.min():g} MPa; write 0 where there is nothing.",
            item="modulus_mpa",
        )
    if modulus.max() == 0:
        raise BadInput("The material is 0 MPa in every voxel; a modulus above 0 is needed somewhere.", item="modulus_mpa")
