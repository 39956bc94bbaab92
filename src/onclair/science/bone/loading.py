"""How a block of material is loaded between two planes of nodes: which nodes are held, and which displacement they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadSetting
from onclair.core.names import did_you_mean
from onclair.science.bone.solve import Problem, check_modulus
from onclair.science.bone.supports import node_flags, require_connected

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Axis = Literal["x", "y", "z"]
Case = Literal["uniaxial", "constrained-axial", "confined"]

AXES: tuple[Axis, ...] = ("x", "y", "z")
CASES: tuple[Case, ...] = ("uniaxial", "constrained-axial", "confined")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A problem between two supports, one of which moves.

    Attributes
    ----------
    problem : Problem
    top, bottom : ndarray, bool, shape (x + 1, y + 1, z + 1)
        Nodes of the support that moves, and of the one that does not.
    height_mm : float
        Distance of the two along the axis.
    axis : int
        0, 1 or 2: the axis of the grid that the load is counted along.
    displacement_mm : float
        Of the top along the axis; negative in compression.
    """

    problem: Problem
    top: Flags
    bottom: Flags
    height_mm: float
    axis: int
    displacement_mm: float

    @property
    def caps_nodes(self) -> tuple[int, int]:
        """Number of nodes of the top and of the bottom."""
        return int(np.count_nonzero(self.top)), int(np.count_nonzero(self.bottom))


@dataclass(frozen=True, slots=True)
class Load:
    """How far the top is moved, one of the two given.

    Attributes
    ----------
    strain : float or None
        Displacement over height; negative in compression.
    displacement_mm : float or None
    """

    strain: float | None = None
    displacement_mm: float | None = None

    def over(self, height_mm: float) -> float:
        """Return the displacement of the top over a height, mm.

        Raises
        ------
        BadSetting
            When both are given or neither is, or when it is 0 or no number.

        Examples
        --------
        >>> Load(strain=-0.01).over(20.0), Load(displacement_mm=0.5).over(20.0)
        (-0.2, 0.5)
        """
        if (self.strain is None) == (self.displacement_mm is None):
            raise BadSetting("A load is a strain or a displacement in mm; give one of the two.", item="strain")
        by = self.displacement_mm if self.strain is None else self.strain * height_mm
        if by is None or not np.isfinite(by) or by == 0:
            raise BadSetting(
                f"The prescribed displacement is {by} mm; a body that is not moved carries no load, so give another.", item="strain"
            )
        return float(by)


def axis_index(axis: str) -> int:
    """Return 0, 1 or 2 for x, y or z, or refuse the name.

    Examples
    --------
    >>> axis_index("z")
    2
    """
    if axis not in AXES:
        raise BadSetting(f"There is no axis '{axis}'; {did_you_mean(axis, AXES)}", item="axis")
    return AXES.index(axis)


def planes_of(material: npt.NDArray[np.generic], axis: int, planes: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return the node planes that bound the material along an axis, or the given ones after a check.

    Parameters
    ----------
    material : ndarray, shape (x, y, z)
        Not 0 where there is material.
    axis : int
    planes : tuple of int, or None
        Bottom and top plane of nodes, counted from 0; plane k lies below slice k.

    Returns
    -------
    tuple of int
        Bottom and top.

    Raises
    ------
    BadSetting
        For planes out of order or outside the grid.

    Examples
    --------
    >>> block = np.zeros((1, 1, 5)); block[0, 0, 1:4] = 1.0
    >>> planes_of(block, 2)
    (1, 4)
    """
    there = np.flatnonzero(np.any(material != 0, axis=tuple(a for a in range(3) if a != axis)))
    if planes is None:
        if not there.size:
            raise BadInput("The material is 0 MPa in every voxel; a modulus above 0 is needed somewhere.", item="modulus_mpa")
        return int(there[0]), int(there[-1]) + 1
    bottom, top = planes
    if not 0 <= bottom < top <= material.shape[axis]:
        raise BadSetting(
            f"The planes are {bottom} and {top}; along this axis they must ascend within 0 to {material.shape[axis]}.", item="planes"
        )
    return bottom, top


def plane_nodes(material: Flags, axis: int, plane: int) -> Flags:
    """Return the nodes of some voxels that lie on a plane, (x + 1, y + 1, z + 1).

    Examples
    --------
    >>> int(plane_nodes(np.ones((2, 2, 2), bool), 2, 2).sum())
    9
    """
    on = np.zeros(tuple(n + 1 for n in material.shape), dtype=np.bool_)
    at = tuple(plane if a == axis else slice(None) for a in range(3))
    on[at] = node_flags(material)[at]
    return on


def material_case(
    modulus_mpa: Reals,
    spacing_mm: tuple[float, float, float],
    *,
    case: str,
    axis: str = "z",
    load: Load,
    poisson: float = 0.3,
) -> Loaded:
    """Return a block of material between its first and its last slice.

    Parameters
    ----------
    modulus_mpa : ndarray, float, shape (x, y, z)
        MPa; 0 where there is nothing.
    spacing_mm : tuple of float
    case : {"uniaxial", "constrained-axial", "confined"}
        Ends held along the axis and rigid motion pinned; ends held fully; normals held on the six faces of the material's box.
    axis : {"x", "y", "z"}
    load : Load
    poisson : float

    Returns
    -------
    Loaded

    Raises
    ------
    BadInput
        For a material that no body can be made of, or no connection between the ends.
    BadSetting
        For a case or an axis that does not exist, a Poisson ratio outside [0, 0.5), or a displacement of 0.

    Examples
    --------
    >>> block = material_case(np.ones((2, 2, 4)), (1.0, 1.0, 0.5), case="uniaxial", load=Load(strain=-0.01))
    >>> block.height_mm, block.caps_nodes, int(block.problem.held.sum())
    (2.0, (9, 9), 21)
    """
    if case not in CASES:
        raise BadSetting(f"There is no case '{case}'; {did_you_mean(case, CASES)}", item="case")
    modulus, along = np.asarray(modulus_mpa, dtype=np.float64), axis_index(axis)
    check_modulus(modulus)
    bottom, top = planes_of(modulus, along)
    height = (top - bottom) * float(spacing_mm[along])
    return held_between(
        modulus,
        spacing_mm,
        case=case,
        ends=_ends(modulus > 0, along, (bottom, top)),
        load=(along, load.over(height), height),
        poisson=poisson,
    )


def held_between(
    modulus: Reals,
    spacing_mm: tuple[float, float, float],
    *,
    case: str,
    ends: tuple[Flags, Flags],
    load: tuple[int, float, float],
    poisson: float,
) -> Loaded:
    """Return a body held at any two sets of nodes.

    Parameters
    ----------
    modulus : ndarray, float, shape (x, y, z)
    spacing_mm : tuple of float
    case : {"uniaxial", "constrained-axial", "confined"}
    ends : tuple of ndarray, bool, shape (x + 1, y + 1, z + 1)
        Nodes of the bottom and of the top.
    load : tuple
        Axis, displacement of the top along it in mm, distance of the ends in mm.
    poisson : float

    Returns
    -------
    Loaded

    Raises
    ------
    BadInput
        As :func:`material_case`.
    """
    bottom, top = ends
    along, by, height = load
    require_connected(modulus > 0, bottom, top)
    held = np.zeros((*bottom.shape, 3), dtype=np.bool_)
    held[bottom | top] = True if case == "constrained-axial" else np.arange(3) == along
    if case == "uniaxial":
        _pin(held, bottom, along)
    elif case == "confined":
        _confine(held, modulus > 0, along)
    given = np.zeros(held.shape)
    given[top, along] = by
    return Loaded(Problem(modulus, spacing_mm, poisson, held, given), top, bottom, height, along, by)


def _ends(material: Flags, axis: int, planes: tuple[int, int]) -> tuple[Flags, Flags]:
    bottom, top = (plane_nodes(material, axis, plane) for plane in planes)
    return bottom, top


def _pin(held: Flags, bottom: Flags, axis: int) -> None:
    """Hold one node of the bottom across the axis and a far one against turning: statically determinate, so neither carries a force."""
    first, second = (a for a in range(3) if a != axis)
    nodes = np.argwhere(bottom)
    middle = nodes[np.argmin(((nodes - nodes.mean(axis=0)) ** 2).sum(axis=1))]
    held[(*middle, first)] = held[(*middle, second)] = True
    far = nodes[np.argmax(np.abs(nodes[:, first] - middle[first]))]
    held[(*far, second)] = True


def _confine(held: Flags, material: Flags, axis: int) -> None:
    """Hold the normals of the four faces along the axis of the box of the material."""
    for across in (a for a in range(3) if a != axis):
        for plane in planes_of(material, across):
            held[plane_nodes(material, across, plane), across] = True
