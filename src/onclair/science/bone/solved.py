"""One bone under one load, solved: its stiffness and what load it bears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.bone.cases import Plan, Ready
from onclair.science.bone.loading import Loaded
from onclair.science.bone.solve import Solution, principal_strains, reaction_n, solve, strain_energy_density
from onclair.science.bone.strength import Failure, crawford_n, first_failure, pistoia

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one solution says.

    Attributes
    ----------
    stiffness_n_per_mm, reaction_n : float
        The reaction of the moved support along the axis, negative in compression.
    crawford_n, pistoia_factor, pistoia_n : float
    failure : Failure or None
        Of a femur.
    strength_n : float
        A femur's first failure; else the law of Crawford.
    """

    stiffness_n_per_mm: float
    reaction_n: float
    crawford_n: float
    pistoia_factor: float
    pistoia_n: float
    failure: Failure | None
    strength_n: float

    def as_dict(self) -> dict[str, Any]:
        """Return the strengths as the command prints them."""
        return {
            "crawford_N": self.crawford_n,
            "pistoia_factor": self.pistoia_factor,
            "pistoia_N": self.pistoia_n,
            "principal_strain_N": None if self.failure is None else self.failure.load_n,
            "failure": None if self.failure is None else self.failure.as_dict(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A solution and its figures.

    Attributes
    ----------
    loaded : Loaded
    solution : Solution
    figures : Figures
    """

    loaded: Loaded
    solution: Solution
    figures: Figures


def solved(ready: Ready, modulus_mpa: Floats, plan: Plan, *, start: Floats | None = None) -> Solved:
    """Return the solution of a bone that is ready to be loaded, of the stiffness given.

    Parameters
    ----------
    ready : Ready
    modulus_mpa : ndarray, float64, shape (x, y, z)
        Of the bone, MPa; caps keep theirs.
    plan : Plan
    start : ndarray, float64, shape (x + 1, y + 1, z + 1, 3), or None
        Displacement to start from, of a like problem.

    Returns
    -------
    Solved

    Raises
    ------
    BadInput
        When the solver does not converge, or no bone bears the load.
    """
    loaded = ready.capped.with_modulus(modulus_mpa)
    problem = loaded.problem
    solution = solve(problem, start=start, threads=plan.threads)
    reaction = float(reaction_n(solution, problem, loaded.top)[loaded.axis])
    stiffness = reaction / loaded.displacement_mm
    factor = pistoia(strain_energy_density(solution, problem), problem.modulus_mpa, ready.bone)
    crawford = crawford_n(stiffness, ready.capped.bone_height_mm)
    failure = None
    if plan.case.startswith("femur"):
        bearing = ready.bearing & (problem.modulus_mpa > 0)
        if not bearing.any():
            raise BadInput("No bone of this femur is stiff enough to bear; check the calibration and the mask.", item="calibration")
        failure = first_failure(principal_strains(solution, problem), reaction, bearing, ready.affine)
    strength = crawford if failure is None else failure.load_n
    return Solved(loaded, solution, Figures(stiffness, reaction, crawford, factor, abs(reaction) * factor, failure, strength))
