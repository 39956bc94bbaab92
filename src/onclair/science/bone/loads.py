"""What a bone has to bear: forces of daily life in body weights, measured in people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onclair.core.errors import BadSetting

GRAVITY = 9.80665
NO_MASS = "The body mass was not given, so there is no load to set the strength against."
NO_TASK = "A block of material has no load of daily life."


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that people do, or that happens to them.

    Attributes
    ----------
    name : str
    body_weights : float
        Force on the bone over the weight of the body.
    source : str
    """

    name: str
    body_weights: float
    source: str


#: Of each case, the task that the ratio is quoted for first.
TASKS: dict[str, tuple[Task, ...]] = {
    "femur-stance": (
        Task("walking", 2.38, "Bergmann et al. 2001, J Biomech 34:859, doi 10.1016/S0021-9290(01)00040-9: 238 % in four patients"),
        Task("stumbling", 8.0, "Bergmann et al. 2004, Langenbecks Arch Surg 389:53, doi 10.1007/s00423-003-0434-y: above eight times"),
    ),
    "femur-sideways-fall": (
        Task("fall to the side", 5.8, "Lim and Choi 2020, Osteoporos Int 31 (9): 4.0 kN on the hip, here as the weight of 70 kg"),
    ),
    "spine-compression": (
        Task("lifting a weight", 2.28, "Wang et al. 2014, Clin Biomech 29:155, PMC3943591: 1500 N at L3-L4 in three people"),
    ),
}


def loads_of(case: str, body_mass_kg: float | None, strength_n: float) -> dict[str, Any]:
    """Return the loads of a case's tasks over a strength.

    Parameters
    ----------
    case : str
    body_mass_kg : float or None
    strength_n : float

    Returns
    -------
    dict
        ``body_mass_kg``, ``tasks`` (``task body_weights load_N ratio source`` each) and ``reason``, None where there are ratios.

    Raises
    ------
    BadSetting
        For a mass outside 2 to 400 kg.

    Examples
    --------
    >>> round(loads_of("femur-stance", 70.0, 4000.0)["tasks"][0]["ratio"], 3)  # 2.38 * 70 * 9.80665 / 4000
    0.408
    >>> loads_of("femur-stance", None, 4000.0)["tasks"]
    []
    """
    if body_mass_kg is not None and not 2 <= body_mass_kg <= 400:
        raise BadSetting(f"The body mass is {body_mass_kg:g} kg; give 2 to 400 kg.", item="body-mass-kg")
    tasks = TASKS.get(case, ())
    if body_mass_kg is None or not tasks:
        return {"body_mass_kg": body_mass_kg, "tasks": [], "reason": NO_MASS if tasks else NO_TASK}
    rows = [
        {
            "task": task.name,
            "body_weights": task.body_weights,
            "load_N": task.body_weights * body_mass_kg * GRAVITY,
            "ratio": task.body_weights * body_mass_kg * GRAVITY / strength_n,
            "source": task.source,
        }
        for task in tasks
    ]
    return {"body_mass_kg": body_mass_kg, "tasks": rows, "reason": None}
