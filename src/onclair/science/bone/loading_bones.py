"""How whole bones are loaded: a vertebra between cement caps, a femur in stance, a femur in a fall to the side.

Grids run upward along their last axis in the femur's cases; a vertebra may be loaded along any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.bone.loading import AXES, Load, Loaded, plane_nodes
from onclair.science.bone.materials import CEMENT_MPA, POISSON
from onclair.science.bone.solve import Problem
from onclair.science.bone.supports import require_connected

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Cement caps of a vertebra: 10 mm, 6 mm of it around the end-plates; the plane lies 4 mm beyond the body.
CAP_MM, AROUND_MM = 10.0, 6.0
#: Strain where none is asked for: the laws are linear, so that it cancels.
STRAIN = -0.01
#: The head cap is moved by this share of the distance of the caps in a fall.
FALL_SHARE = -0.04
#: Caps of the femur reach this deep around the head or the trochanter, and stand out by 4 mm; the parts are cut so.
FEMUR_AROUND_MM = 6.0


@dataclass(frozen=True, slots=True)
class How:
    """What every case may be told.

    Attributes
    ----------
    caps_mpa, poisson : float
    load : Load or None
        None for the case's own displacement.
    """

    caps_mpa: float = CEMENT_MPA
    poisson: float = POISSON
    load: Load | None = None

    def over(self, height_mm: float, share: float) -> float:
        """Return the displacement over a height, the case's own share of it where none was asked for."""
        return (self.load or Load(strain=share)).over(height_mm)


PLAIN = How()


@dataclass(frozen=True, slots=True, eq=False)
class Capped:
    """A bone between its caps.

    Attributes
    ----------
    loaded : Loaded
    caps : ndarray, bool, shape (x, y, z)
        Voxels of cement.
    bone_height_mm : float
        Of the bone between the end-plates, caps left out; what the law of Crawford takes for a vertebra.
    """

    loaded: Loaded
    caps: Flags
    bone_height_mm: float

    def with_modulus(self, modulus_mpa: Floats) -> Loaded:
        """Return the same loading of a bone of other stiffness, the caps as they are."""
        filled = np.where(self.caps, self.loaded.problem.modulus_mpa, modulus_mpa)
        return replace(self.loaded, problem=replace(self.loaded.problem, modulus_mpa=filled))


def spine_compression(
    modulus_mpa: Floats, body: Flags, spacing_mm: tuple[float, float, float], *, axis: int = 2, how: How = PLAIN
) -> Capped:
    """Return a vertebra between two caps: the lower held fully, the upper moved along the axis and free across.

    Parameters
    ----------
    modulus_mpa : ndarray, float64, shape (x, y, z)
        0 outside the bone; the body stands at least 4 mm from the grid's ends along the axis.
    body : ndarray, bool, shape (x, y, z)
        What the caps hold; processes go along.
    spacing_mm : tuple of float
    axis : int
        Upward.
    how : How

    Returns
    -------
    Capped

    Raises
    ------
    BadInput
        For an empty body, no room for the caps, or ends that are not connected.

    Examples
    --------
    >>> bone = np.zeros((12, 12, 28)); bone[1:11, 1:11, 4:24] = 400.0
    >>> capped = spine_compression(bone, bone > 0, (1.0, 1.0, 1.0))
    >>> capped.bone_height_mm, capped.loaded.height_mm, capped.loaded.caps_nodes, int(capped.caps[:, :, :4].sum())
    (20.0, 28.0, (121, 121), 400)
    """
    along = np.moveaxis(body, axis, 2)
    if not along.any():
        raise BadInput("The vertebral body has no voxel; give the label of a vertebra that is there.", item="label")
    edge = spacing_mm[axis]
    out = max(1, round((CAP_MM - AROUND_MM) / edge))
    around = max(1, round(AROUND_MM / edge))
    there = np.flatnonzero(along.any(axis=(0, 1)))
    low, high = int(there[0]), int(there[-1]) + 1
    if low < out or high + out > along.shape[2]:
        raise BadInput(f"The grid leaves no room of {CAP_MM - AROUND_MM:g} mm above and below the vertebra for its caps.", item="image")
    bone = np.moveaxis(modulus_mpa, axis, 2) > 0
    lower = _cap(along, bone, (low - out, low + around))
    upper = _cap(along[:, :, ::-1], bone[:, :, ::-1], (along.shape[2] - high - out, along.shape[2] - high + around))[:, :, ::-1]
    lower, upper = np.moveaxis(lower, 2, axis), np.moveaxis(upper, 2, axis)
    modulus = np.where(lower | upper, how.caps_mpa, modulus_mpa)
    ends = (plane_nodes(lower, axis, low - out), plane_nodes(upper, axis, high + out))
    height = (high - low + 2 * out) * edge
    loaded = _between(Problem(modulus, spacing_mm, how.poisson, *_nothing(modulus)), ends, (axis, how.over(height, STRAIN), height))
    return Capped(loaded, lower | upper, (high - low) * edge)


def between_cement(modulus_mpa: Floats, spacing_mm: tuple[float, float, float], *, axis: int = 2, how: How = PLAIN) -> Capped:
    """Return a material map that brings its own cement caps: the first plane of cement held fully, the last moved and free across.

    Parameters
    ----------
    modulus_mpa : ndarray, float64, shape (x, y, z)
        Cement is what has exactly ``how.caps_mpa``; bone may reach beyond it.
    spacing_mm : tuple of float
    axis : int
    how : How

    Returns
    -------
    Capped
        Its height is the distance of the planes.

    Raises
    ------
    BadInput
        When the map holds no cement, or ends are not connected.

    Examples
    --------
    >>> block = np.full((2, 2, 6), 100.0); block[:, :, [1, 4]] = 2500.0
    >>> between_cement(block, (1.0, 1.0, 1.0)).loaded.height_mm
    4.0
    """
    cement = modulus_mpa == how.caps_mpa
    there = np.flatnonzero(cement.any(axis=tuple(a for a in range(3) if a != axis)))
    if len(there) < 2:
        said = f"The material holds no caps of {how.caps_mpa:g} MPa along {AXES[axis]}"
        raise BadInput(f"{said}; write them into the map, give their modulus with --caps-mpa, or choose another case.", item="caps-mpa")
    low, high = int(there[0]), int(there[-1]) + 1
    height = (high - low) * spacing_mm[axis]
    ends = (plane_nodes(cement, axis, low), plane_nodes(cement, axis, high))
    loaded = _between(Problem(modulus_mpa, spacing_mm, how.poisson, *_nothing(modulus_mpa)), ends, (axis, how.over(height, STRAIN), height))
    return Capped(loaded, cement, height)


def femur_stance(modulus_mpa: Floats, parts: tuple[Flags, Flags], spacing_mm: tuple[float, float, float], *, how: How = PLAIN) -> Capped:
    """Return a femur that stands: a cap over the head moved down along hip and knee, free across; the lower end held fully.

    Parameters
    ----------
    modulus_mpa : ndarray, float64, shape (x, y, z)
        On a grid whose last axis runs from knee to hip.
    parts : tuple of ndarray, bool, shape (x, y, z)
        Voxels of the head that the cap covers, and of the lower end of the shaft.
    spacing_mm : tuple of float
    how : How

    Returns
    -------
    Capped

    Raises
    ------
    BadInput
        As :func:`spine_compression`.

    Examples
    --------
    >>> bone = np.zeros((10, 10, 40)); bone[1:9, 1:9, :32] = 5000.0; top, low = bone > 0, bone > 0
    >>> top[:, :, :24] = low[:, :, 2:] = False
    >>> capped = femur_stance(bone, (top, low), (1.0, 1.0, 1.0))
    >>> capped.loaded.height_mm, capped.loaded.displacement_mm, capped.loaded.caps_nodes
    (36.0, -0.36, (81, 243))
    """
    head, distal = parts
    bone = modulus_mpa > 0
    cap, plane = _cap_above(head, bone, spacing_mm[2])
    modulus = np.where(cap, how.caps_mpa, modulus_mpa)
    lowest = int(np.flatnonzero(bone.any(axis=(0, 1)))[0])
    ends = (_nodes(distal & bone), plane_nodes(cap, 2, plane))
    height = (plane - lowest) * spacing_mm[2]
    loaded = _between(Problem(modulus, spacing_mm, how.poisson, *_nothing(modulus)), ends, (2, how.over(height, STRAIN), height))
    return Capped(loaded, cap, height)


def femur_sideways_fall(
    modulus_mpa: Floats, parts: tuple[Flags, Flags, Flags], spacing_mm: tuple[float, float, float], *, how: How = PLAIN
) -> Capped:
    """Return a femur that hits the ground with its trochanter.

    The cap over the head is moved along the fall by 4 % of the distance of the caps and free across; the cap under the trochanter is
    held along it only; the lower end of the shaft is held across.

    Parameters
    ----------
    modulus_mpa : ndarray, float64, shape (x, y, z)
        On a grid whose last axis points against the fall: the head lies on top, the trochanter below.
    parts : tuple of ndarray, bool, shape (x, y, z)
        Voxels of the head, of the greater trochanter, and of the lower end of the shaft.
    spacing_mm : tuple of float
    how : How

    Returns
    -------
    Capped

    Raises
    ------
    BadInput
        As :func:`spine_compression`.

    Examples
    --------
    >>> bone = np.zeros((30, 10, 40)); bone[0:26, 1:9, 8:16] = 5000.0; bone[18:26, 1:9, 8:32] = 5000.0
    >>> head, trochanter, distal = (np.zeros(bone.shape, bool) for _ in range(3))
    >>> head[18:26, 1:9, 26:32] = trochanter[18:26, 1:9, 8:14] = distal[:3, 1:9, 8:16] = True
    >>> capped = femur_sideways_fall(bone, (head, trochanter, distal), (1.0, 1.0, 1.0))
    >>> capped.loaded.height_mm, round(capped.loaded.displacement_mm, 6)
    (32.0, -1.28)
    """
    head, trochanter, distal = parts
    bone = modulus_mpa > 0
    upper, top = _cap_above(head, bone, spacing_mm[2])
    flipped, bottom = _cap_above(trochanter[:, :, ::-1], bone[:, :, ::-1], spacing_mm[2])
    lower, bottom = flipped[:, :, ::-1] & ~upper, bone.shape[2] - bottom
    modulus = np.where(upper | lower, how.caps_mpa, modulus_mpa)
    ends = (plane_nodes(lower, 2, bottom), plane_nodes(upper, 2, top))
    height = (top - bottom) * spacing_mm[2]
    by = how.over(height, FALL_SHARE)
    require_connected(modulus > 0, *ends)
    held, given = _nothing(modulus)
    held[ends[0] | ends[1], 2] = True
    given[ends[1], 2] = by
    held[_nodes(distal & bone), :2] = True
    loaded = Loaded(Problem(modulus, spacing_mm, how.poisson, held, given), ends[1], ends[0], height, 2, by)
    return Capped(loaded, upper | lower, height)


def _between(problem: Problem, ends: tuple[Flags, Flags], load: tuple[int, float, float]) -> Loaded:
    """Return a body whose bottom is held fully and whose top is moved along the axis, free across."""
    bottom, top = ends
    axis, by, height = load
    require_connected(problem.modulus_mpa > 0, bottom, top)
    held, given = problem.held.copy(), problem.displacement_mm.copy()
    held[bottom] = True
    held[top, axis] = True
    given[top, axis] = by
    return Loaded(replace(problem, held=held, displacement_mm=given), top, bottom, height, axis, by)


def _nothing(modulus: Floats) -> tuple[Flags, Floats]:
    nodes = (*(n + 1 for n in modulus.shape), 3)
    return np.zeros(nodes, dtype=np.bool_), np.zeros(nodes)


def _nodes(voxels: Flags) -> Flags:
    nodes = np.zeros(tuple(n + 1 for n in voxels.shape), dtype=np.bool_)
    x, y, z = voxels.shape
    for i, j, k in np.ndindex(2, 2, 2):
        nodes[i : i + x, j : j + y, k : k + z] |= voxels
    return nodes


def _cap(body: Flags, bone: Flags, slices: tuple[int, int]) -> Flags:
    """Return the cement below a body (last axis upward): its columns within the slices, up to where the body begins, bone spared."""
    first, last = slices
    cap = np.zeros(body.shape, dtype=np.bool_)
    begun = np.logical_or.accumulate(body, axis=2)
    columns = np.asarray(body.any(axis=2))[:, :, None]
    cap[:, :, first:last] = (columns & ~begun & ~bone)[:, :, first:last]
    return cap


def _cap_above(part: Flags, bone: Flags, edge_mm: float) -> tuple[Flags, int]:
    """Return the cement over the columns of a part, down to its surface, and the plane of nodes on top of it."""
    if not part.any():
        raise BadInput("The part of the bone that bears the load has no voxel; check that the bone is whole.", item="bone-mask")
    highest = int(np.flatnonzero(part.any(axis=(0, 1)))[-1]) + 1
    out, around = max(1, round((CAP_MM - AROUND_MM) / edge_mm)), int(np.ceil(FEMUR_AROUND_MM / edge_mm)) + 1
    if highest + out > part.shape[2]:
        raise BadInput(f"The grid leaves no room of {CAP_MM - AROUND_MM:g} mm beyond the bone for its cap.", item="image")
    first = part.shape[2] - highest
    cap = _cap(part[:, :, ::-1], bone[:, :, ::-1], (first - out, first + around))[:, :, ::-1]
    return cap, highest + out
