"""What of a problem is solved: the parts of the body that are joined to a support, in the box that they fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput
from onclair.science.bone.conjugate import dot
from onclair.science.bone.elements import Elements, Map, elements_of
from onclair.science.bone.hex8 import stiffness
from onclair.science.bone.supports import node_flags, supported

if TYPE_CHECKING:
    from onclair.science.bone.solve import Problem

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SupportedBody:
    """What of a problem is solved: its parts that are supported, cropped to their box, fields by component.

    Attributes
    ----------
    box : tuple of slice
        Of the voxels.
    elements : Elements
    free : ndarray, uint8, shape (3, x + 1, y + 1, z + 1)
    edges_mm : tuple of float
    matrix : ndarray, shape (24, 24)
        Stiffness of an element of 1 MPa.
    shape : tuple of int
        Voxels of the whole grid.
    removed : int
        Elements.
    """

    box: tuple[slice, ...]
    elements: Elements
    free: npt.NDArray[np.uint8]
    edges_mm: tuple[float, float, float]
    matrix: Reals
    shape: tuple[int, ...]
    removed: int

    @property
    def material(self) -> Flags:
        """The voxels, (x, y, z)."""
        return np.asarray(self.elements.modulus > 0)

    def residual(self, u: Reals) -> Reals:
        """Return what is missing to equilibrium where nodes are free."""
        f = np.zeros_like(u)
        self.elements.forces(u, f)
        f *= self.free
        return np.negative(f, out=f)

    def energy_error(self, u: Reals, reference: float) -> float:
        """Return the difference of u.Ku and reaction times displacement over the larger of them."""
        f = np.zeros_like(u)
        self.elements.forces(u, f)
        energy, held = dot(u, f), node_flags(self.material)[None] & (self.free == 0)
        work = float(np.sum(u[held] * f[held]))
        # A rigid motion has no energy: what is left is rounding, and is told as a share of what a motion against rest would take.
        scale = max(abs(energy), abs(work), 1e-9 * reference * float(np.abs(u).max()))
        return abs(energy - work) / scale if scale > 0 else 0.0

    def fields(self, values: npt.NDArray[np.generic]) -> Reals:
        """Return values of the whole grid's nodes, (x, y, z, 3), by component within the box."""
        return np.ascontiguousarray(np.moveaxis(values[_nodes(self.box)], -1, 0), dtype=np.float64)

    def whole(self, u: Reals) -> Reals:
        """Return a field on the whole grid, (x + 1, y + 1, z + 1, 3)."""
        found = np.zeros((*(n + 1 for n in self.shape), 3))
        found[_nodes(self.box)] = np.moveaxis(u, 0, -1)
        return found


def _nodes(box: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(slice(voxels.start, voxels.stop + 1) for voxels in box)


def supported_body(problem: Problem, threads: int, over: Map) -> SupportedBody:
    """Return the parts of a problem that are joined to what is held.

    Parameters
    ----------
    problem : Problem
    threads : int
    over : Map

    Raises
    ------
    BadInput
        When there are none.
    """
    material = problem.modulus_mpa > 0
    kept = supported(material, np.asarray(problem.held.any(axis=-1)))
    if not kept.any():
        raise BadInput("No part of the material is joined to a node that is held; hold some of its nodes.", item="held")
    box = ndimage.find_objects(kept.astype(np.int8))[0]
    modulus = np.ascontiguousarray(np.where(kept[box], problem.modulus_mpa[box], 0.0))
    held = np.moveaxis(problem.held[_nodes(box)], -1, 0)
    free = np.ascontiguousarray(node_flags(modulus > 0)[None] & ~held).astype(np.uint8)
    matrix = stiffness(problem.spacing_mm, problem.poisson)
    removed = int(np.count_nonzero(material) - np.count_nonzero(kept))
    return SupportedBody(box, elements_of(modulus, matrix, threads, over), free, problem.spacing_mm, matrix, material.shape, removed)


def started(body: SupportedBody, problem: Problem, fields: tuple[Reals, Reals], start: Reals | None) -> tuple[Reals, Reals]:
    """Return the displacement to begin with and its residual: as given, or affine, unless rest is nearer.

    Parameters
    ----------
    body : SupportedBody
    problem : Problem
    fields : tuple of ndarray, shape (3, x, y, z)
        The displacement at rest but where it is prescribed, and its residual.
    start : ndarray, shape (x + 1, y + 1, z + 1, 3), or None

    Raises
    ------
    BadInput
        For a start of another grid.
    """
    u, r = fields
    if start is None:
        guess = _affine(problem, body)
    elif start.shape == problem.held.shape:
        guess = body.fields(start)
    else:
        raise BadInput(f"The displacement to start from has the shape {start.shape}; this grid needs {problem.held.shape}.", item="start")
    other = np.where(body.free == 1, guess, u)
    left = body.residual(other)
    return (other, left) if dot(left, left) < dot(r, r) else (u, r)


def _affine(problem: Problem, body: SupportedBody) -> Reals:
    """Return the least affine field that fits the prescribed displacements, by component."""
    there = node_flags(body.material)
    held, given = (np.moveaxis(a[_nodes(body.box)], -1, 0) for a in (problem.held, problem.displacement_mm))
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
