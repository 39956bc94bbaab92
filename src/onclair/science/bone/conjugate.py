"""Preconditioned conjugate gradients on the fine grid, in float64, under a preconditioner that may change a little from step to step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Ended:
    """How an iteration ended.

    Attributes
    ----------
    history : tuple of float
        ``||r|| / ||b||`` at the start and after each step.
    broken : bool
        Whether the preconditioner was no longer positive definite, to rounding.
    """

    history: tuple[float, ...]
    broken: bool


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def dot(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """Return the sum of products of two arrays, summed in float64.

    Examples
    --------
    >>> dot(np.ones((3, 1, 1, 2)), np.full((3, 1, 1, 2), 2.0))
    12.0
    """
    total = 0.0
    first, second = a.reshape(-1), b.reshape(-1)
    for k in range(first.size):
        total += first[k] * second[k]
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _stepped(u: Reals, p: Reals, r: Reals, f: Reals, free: Flags, by: float) -> float:
    """Go along p; return the squared length of the new residual."""
    u1, p1, r1, f1, m = u.reshape(-1), p.reshape(-1), r.reshape(-1), f.reshape(-1), free.reshape(-1)
    total = 0.0
    for k in range(u1.size):
        u1[k] += by * p1[k]
        v = r1[k] - by * f1[k] * m[k]
        r1[k] = v
        total += v * v
    return total


@njit(cache=True, nogil=True)
def _turned(p: Reals, z: npt.NDArray[np.floating], beta: float, scale: float) -> None:
    p1, z1 = p.reshape(-1), z.reshape(-1)
    for k in range(p1.size):
        p1[k] = beta * p1[k] + scale * z1[k]


def iterate(
    fields: tuple[Reals, Reals],
    free: Flags,
    operators: tuple[Callable[[Reals, Reals], None], Callable[[Reals, float], npt.NDArray[np.floating]]],
    *,
    reference: float,
    tolerance: float,
    most: int,
) -> Ended:
    """Bring the residual down to ``tolerance * reference``.

    Parameters
    ----------
    fields : tuple of ndarray, shape (3, x, y, z)
        Displacement and residual, both changed; the residual is 0 where nothing is free.
    free : ndarray, uint8, same shape
    operators : tuple of callable
        ``stiffness(u, f)`` writes K u; ``preconditioner(r, scale)`` returns about
        K^-1 r scale, 0 where nothing is free.
    reference, tolerance : float
    most : int
        Iterations.

    Returns
    -------
    Ended

    Notes
    -----
    The direction is turned by z.(r - r_old) (Polak and Ribiere), which forgives a preconditioner in float32:
    G. H. Golub, Q. Ye, SIAM J Sci Comput 1999;21:1305, doi:10.1137/S1064827597323415.
    """
    u, r = fields
    stiffness, preconditioner = operators
    p, f = np.zeros_like(u), np.zeros_like(u)
    length = float(np.sqrt(dot(r, r)))
    history, before, along = [length / reference], 1.0, 0.0
    while history[-1] > tolerance and len(history) <= most:
        size = history[-1] * reference
        z = preconditioner(r, 1 / size)  # of a residual of length 1, so that float32 holds it
        rz, zf = (size * each for each in _two_dots(r, f, z))
        if not np.isfinite(rz) or rz <= 0:
            return Ended(tuple(history), broken=True)
        _turned(p, z, -along * zf / before, size)  # f is still K p of the step before: r - r_old = -along f
        stiffness(p, f)
        curvature = dot(p, f)
        if not np.isfinite(curvature) or curvature <= 0:
            return Ended(tuple(history), broken=True)
        before, along = rz, rz / curvature
        history.append(float(np.sqrt(_stepped(u, p, r, f, free, along))) / reference)
    return Ended(tuple(history), broken=False)


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _two_dots(r: Reals, f: Reals, z: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Return r.z and f.z."""
    r1, f1, z1 = r.reshape(-1), f.reshape(-1), z.reshape(-1)
    first, second = 0.0, 0.0
    for k in range(r1.size):
        first += r1[k] * z1[k]
        second += f1[k] * z1[k]
    return first, second
