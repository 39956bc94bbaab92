"""Material laws: from mineral density to Young's modulus and strength, one law a run, named.

Density is K2HPO4-equivalent, in mg/cc, at the door of every function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean

Floats = npt.NDArray[np.float64]
DensityKind = Literal["k2hpo4", "ash", "apparent"]

POISSON = 0.3
#: Bone cement of the caps; Lewis 1997, doi 10.1002/(SICI)1097-4636(199722)38:2<155::AID-JBM10>3.0.CO;2-C, gives 2000 to 3000 MPa.
CEMENT_MPA = 2500.0
#: What bone with no mineral left (marrow, fat) is given, so that it stays in the model without bearing load.
SOFTEST_MPA = 1e-4
#: rho_ash = 1.06 rho_K2HPO4 + 38.9 mg/cc: Keyak, Lee and Skinner 1994, J Orthop Res 12:855, doi 10.1002/jor.1100120615.
ASH_SLOPE, ASH_INTERCEPT_MG_CC = 1.06, 38.9
#: rho_ash / rho_app of human bone, 0.60 over trabecular and cortical: Schileo et al. 2008, J Biomech 41:2483,
#: doi 10.1016/j.jbiomech.2008.05.017.
ASH_TO_APPARENT = 0.60


@dataclass(frozen=True, slots=True)
class Law:
    """A power law ``E = a rho^b`` with the strength that its authors measured beside it.

    Attributes
    ----------
    name, source : str
    density : {"k2hpo4", "ash", "apparent"}
        In which density, g/cc, the law is written.
    modulus : tuple of float
        a in MPa and b.
    strength : tuple of float or None
        The same of the strength; None where the authors give none.
    """

    name: str
    source: str
    density: DensityKind
    modulus: tuple[float, float]
    strength: tuple[float, float] | None = None


KOPPERDAHL = Law(
    "kopperdahl-vertebra",
    "Kopperdahl, Morgan and Keaveny 2002, J Orthop Res 20:801, doi 10.1016/S0736-0266(01)00185-1",
    "k2hpo4",
    (2980.0, 1.05),
    (37.4, 1.39),  # yield in compression
)
KEYAK = Law(
    "keyak-femur",
    "Keyak, Rossi, Jones and Skinner 1998, J Biomech 31:125, doi 10.1016/S0021-9290(97)00123-1",
    "ash",
    (14900.0, 1.86),
    (102.0, 1.80),
)
_MORGAN = "Morgan, Bayraktar and Keaveny 2003, J Biomech 36:897, doi 10.1016/S0021-9290(03)00071-X"
MORGAN_NECK = Law("morgan-neck", _MORGAN, "apparent", (6850.0, 1.49))
MORGAN_VERTEBRA = Law("morgan-vertebra", _MORGAN, "apparent", (4730.0, 1.56))
LAWS: dict[str, Law] = {law.name: law for law in (KOPPERDAHL, KEYAK, MORGAN_NECK, MORGAN_VERTEBRA)}


def law_named(name: str) -> Law:
    """Return a law by its name.

    Raises
    ------
    BadSetting
        For an unknown one; the nearest known name is quoted.

    Examples
    --------
    >>> law_named("keyak-femur").modulus
    (14900.0, 1.86)
    """
    if name not in LAWS:
        raise BadSetting(f"There is no material law '{name}'; {did_you_mean(name, LAWS)}", item=name)
    return LAWS[name]


def own_density_g_cc(law: Law, k2hpo4_mg_cc: npt.ArrayLike) -> Floats:
    """Return the density that a law is written in.

    Parameters
    ----------
    law : Law
    k2hpo4_mg_cc : array_like
        K2HPO4-equivalent density, mg/cc.

    Returns
    -------
    ndarray, float64
        g/cc: K2HPO4-equivalent, ash or apparent.

    Examples
    --------
    >>> round(float(own_density_g_cc(KEYAK, 100.0)), 4)  # 1.06 * 100 + 38.9
    0.1449
    """
    rho = np.asarray(k2hpo4_mg_cc, dtype=np.float64)
    if law.density == "k2hpo4":
        return rho / 1000.0
    ash = (ASH_SLOPE * rho + ASH_INTERCEPT_MG_CC) / 1000.0
    return ash if law.density == "ash" else ash / ASH_TO_APPARENT


def modulus_mpa(law: Law, k2hpo4_mg_cc: npt.ArrayLike) -> Floats:
    """Return Young's modulus of bone.

    Parameters
    ----------
    law : Law
    k2hpo4_mg_cc : array_like
        K2HPO4-equivalent density, mg/cc.

    Returns
    -------
    ndarray, float64
        MPa; 1e-4 where the law's own density is 0 or less, so that marrow stays in the model.

    Examples
    --------
    >>> round(float(modulus_mpa(KOPPERDAHL, 150.0)), 1)  # 2980 * 0.15**1.05
    406.5
    >>> float(modulus_mpa(KOPPERDAHL, -20.0))
    0.0001
    """
    a, b = law.modulus
    return np.maximum(a * np.maximum(own_density_g_cc(law, k2hpo4_mg_cc), 0.0) ** b, SOFTEST_MPA)


def strength_mpa(law: Law, k2hpo4_mg_cc: npt.ArrayLike) -> Floats:
    """Return the compressive strength of bone as the law's authors measured it.

    Parameters
    ----------
    law : Law
    k2hpo4_mg_cc : array_like

    Returns
    -------
    ndarray, float64
        MPa, 0 where there is no mineral.

    Raises
    ------
    BadSetting
        For a law without one.

    Examples
    --------
    >>> round(float(strength_mpa(KOPPERDAHL, 150.0)), 2)  # 37.4 * 0.15**1.39
    2.68
    """
    if law.strength is None:
        raise BadSetting(f"The law {law.name} gives no strength; choose {KOPPERDAHL.name} or {KEYAK.name}.", item=law.name)
    a, b = law.strength
    return np.asarray(a * np.maximum(own_density_g_cc(law, k2hpo4_mg_cc), 0.0) ** b)
