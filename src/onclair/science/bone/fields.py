"""What follows from a displacement: reactions of supports, strain and strain energy density at the centres of voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.science.bone.elements import elements_of
from onclair.science.bone.hex8 import CORNERS, elasticity, stiffness, strain_matrix

if TYPE_CHECKING:
    from onclair.science.bone.solve import Problem, Solution

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]


def reaction_n(solution: Solution, problem: Problem, nodes: Flags) -> Reals:
    """Return the sum of the forces on some nodes, those that a support exerts where they are held.

    Parameters
    ----------
    solution : Solution
    problem : Problem
        That was solved.
    nodes : ndarray, bool, shape (x + 1, y + 1, z + 1)

    Returns
    -------
    ndarray, shape (3,)
        N along x, y, z. At the top of a body in compression the component along the axis is negative.
    """
    u = np.ascontiguousarray(np.moveaxis(solution.displacement_mm, -1, 0))
    modulus = np.ascontiguousarray(problem.modulus_mpa)
    found = np.zeros_like(u)
    elements_of(modulus, stiffness(problem.spacing_mm, problem.poisson), 1, map).forces(u, found)
    return np.asarray(found[:, nodes].sum(axis=1))


def strains(solution: Solution, problem: Problem) -> Reals:
    """Return the strain at the centre of each voxel with material, (voxel, 6): xx, yy, zz, yz, xz, xy, shears engineering shears."""
    material = problem.modulus_mpa > 0
    corners = np.argwhere(material)
    matrix = strain_matrix(problem.spacing_mm).reshape(6, 8, 3)
    found = np.zeros((len(corners), 6))
    for node, corner in enumerate(CORNERS):
        found += solution.displacement_mm[tuple((corners + corner).T)] @ matrix[:, node].T
    return found


def strain_energy_density(solution: Solution, problem: Problem) -> Reals:
    """Return the strain energy density at the centre of each voxel.

    Parameters
    ----------
    solution : Solution
    problem : Problem
        That was solved.

    Returns
    -------
    ndarray, float64, shape (x, y, z)
        MPa; 0 without material and in parts that were removed.

    Notes
    -----
    At the centre, as published fields are; their sum times the volume of a voxel is not the energy of the body (on thin trabeculae 87 %).

    Examples
    --------
    Bar of 1000 MPa under 1 %: 1000 * 0.01^2 / 2.

    >>> from onclair.science.bone.loading import Load, material_case
    >>> from onclair.science.bone.solve import solve
    >>> bar = material_case(np.full((2, 2, 4), 1000.0), (1.0, 1.0, 1.0), case="uniaxial", load=Load(strain=-0.01))
    >>> round(float(strain_energy_density(solve(bar.problem), bar.problem).max()), 5)
    0.05
    """
    strain = strains(solution, problem)
    found = np.zeros(problem.modulus_mpa.shape)
    at = problem.modulus_mpa > 0
    found[at] = problem.modulus_mpa[at] * np.einsum("ni,ij,nj->n", strain, elasticity(problem.poisson), strain) / 2
    return found


def principal_strains(solution: Solution, problem: Problem) -> Reals:
    """Return the principal strains at the centre of each voxel.

    Parameters
    ----------
    solution : Solution
    problem : Problem
        That was solved.

    Returns
    -------
    ndarray, float64, shape (x, y, z, 3)
        Ascending: the first is the largest shortening. 0 without material.

    Examples
    --------
    >>> from onclair.science.bone.loading import Load, material_case
    >>> from onclair.science.bone.solve import solve
    >>> bar = material_case(np.full((2, 2, 4), 1000.0), (1.0, 1.0, 1.0), case="uniaxial", load=Load(strain=-0.01), poisson=0.3)
    >>> [round(float(strain), 5) for strain in principal_strains(solve(bar.problem), bar.problem)[0, 0, 0]]
    [-0.01, 0.003, 0.003]
    """
    strain = strains(solution, problem)
    tensor = np.empty((len(strain), 3, 3))
    for axis in range(3):
        first, second = (axis + 1) % 3, (axis + 2) % 3
        tensor[:, axis, axis] = strain[:, axis]
        tensor[:, first, second] = tensor[:, second, first] = strain[:, 3 + axis] / 2
    found = np.zeros((*problem.modulus_mpa.shape, 3))
    found[problem.modulus_mpa > 0] = np.linalg.eigvalsh(tensor)
    return found
