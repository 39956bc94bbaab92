"""The elements of a body as one operator, without a matrix, shared out among threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.science.bone.hex8 import modes
from onclair.science.bone.hex8_kernels import Modes, Stretches, add_forces, stretches

Reals: TypeAlias = npt.NDArray[Any]
#: Calls a function of stretches on several, as the built-in `map` does or the one of a pool of threads.
Map: TypeAlias = Callable[[Callable[[Stretches], None], Iterable[Stretches]], Iterable[None]]

#: Cells without material that a stretch may run over.
GAP = 8


@dataclass(frozen=True, slots=True)
class Elements:
    """The stiffness of a body of voxels.

    Attributes
    ----------
    modulus : ndarray, shape (x, y, z)
    blocks : Modes
        Of an element of 1 MPa, as numbers of the same type.
    slabs : tuple of tuple of Stretches
        Layers of elements; within a tuple no two have a node in common, so that threads may add to them side by side.
    threads : int
    map : Map
    """

    modulus: Reals
    blocks: Modes
    slabs: tuple[tuple[Stretches, ...], ...]
    threads: int
    map: Map

    def forces(self, u: Reals, f: Reals) -> None:
        """Write K u into f; both (3, x + 1, y + 1, z + 1) and of the type of the modulus."""
        f[:] = 0
        for slabs in self.slabs:
            run(self.map, lambda rows: add_forces(u, f, self.modulus, rows, self.blocks), slabs)

    def scaled(self, by: float, dtype: type) -> Elements:
        """Return the same elements with moduli times a number, in another type."""
        blocks = tuple(tuple(dtype(value) for value in row) for row in self.blocks)
        return replace(self, modulus=(self.modulus * by).astype(dtype), blocks=blocks)

    def rows(self) -> Iterable[Stretches]:
        """Yield the stretches of all elements."""
        for slabs in self.slabs:
            yield from slabs


def elements_of(modulus: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64], threads: int, over: Map) -> Elements:
    """Return the elements of a body.

    Parameters
    ----------
    modulus : ndarray, float64, shape (x, y, z)
    matrix : ndarray, shape (24, 24)
        Stiffness of an element of 1 MPa.
    threads : int
    over : Map

    Examples
    --------
    >>> from onclair.science.bone.hex8 import stiffness
    >>> one = elements_of(np.ones((1, 1, 1)), stiffness((1.0, 1.0, 1.0), 0.3), 1, map)
    >>> f = np.empty((3, 2, 2, 2))
    >>> one.forces(np.ones((3, 2, 2, 2)), f)  # moved as a whole
    >>> bool(np.abs(f).max() < 1e-15)
    True
    """
    blocks = tuple(tuple(float(value) for value in row) for row in modes(matrix))
    rows = stretches(modulus > 0, GAP)
    slabs = shared(rows, 2 * threads if threads > 1 else 1)
    return Elements(modulus, blocks, (slabs[::2], slabs[1::2]) if threads > 1 else (slabs,), threads, over)


def shared(rows: Stretches, parts: int) -> tuple[Stretches, ...]:
    """Return stretches cut between layers into about equal parts; fewer where there are fewer layers.

    Examples
    --------
    >>> [len(part) for part in shared(np.array([[0, 0, 0, 9], [0, 1, 0, 9], [1, 0, 0, 9]], np.int32), 2)]
    [2, 1]
    """
    layers = np.flatnonzero(np.diff(rows[:, 0])) + 1
    work = np.cumsum(rows[:, 3] - rows[:, 2])
    wanted = work[-1] * np.arange(1, parts) / parts
    cuts = np.unique(layers[np.minimum(np.searchsorted(work[layers - 1], wanted), len(layers) - 1)]) if len(layers) else layers
    return tuple(np.ascontiguousarray(part) for part in np.split(rows, cuts))


def run(over: Map, job: Callable[[Stretches], None], parts: Iterable[Stretches]) -> None:
    """Do a job on each part, and wait for all."""
    for _ in over(job, parts):
        pass
