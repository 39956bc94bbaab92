"""Mass attenuation of body tissues, and the energy at which a scan saw them.

Elements: Elam, Ravel and Sieber 2002, Radiat Phys Chem 63:121, doi 10.1016/S0969-806X(01)00227-4, through `xraydb`.
Tissues: ICRU Report 44.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Mass fractions: ICRU Report 44 (1989), as NIST tabulates them (https://physics.nist.gov/PhysRefData/XrayMassCoef/tab2.html).
TISSUES: dict[str, dict[str, float]] = {
    "adipose": {"H": 0.114, "C": 0.598, "N": 0.007, "O": 0.278, "Na": 0.001, "S": 0.001, "Cl": 0.001},
    "air": {"C": 0.000124, "N": 0.755268, "O": 0.231781, "Ar": 0.012827},
    "blood": {"H": 0.102, "C": 0.110, "N": 0.033, "O": 0.745, "Na": 0.001, "P": 0.001, "S": 0.002, "Cl": 0.003, "K": 0.002, "Fe": 0.001},
    "bone": {"H": 0.034, "C": 0.155, "N": 0.042, "O": 0.435, "Na": 0.001, "Mg": 0.002, "P": 0.103, "S": 0.003, "Ca": 0.225},
    "muscle": {"H": 0.102, "C": 0.143, "N": 0.034, "O": 0.710, "Na": 0.001, "P": 0.002, "S": 0.003, "Cl": 0.001, "K": 0.004},
}
FORMULAS = {"water": "H2O", "triglyceride": "C57H104O6", "k2hpo4": "K2HPO4"}
#: Where the effective energy is sought; a scan at 70 to 150 kV lies well inside.
ENERGIES_KEV: Floats = np.arange(40.0, 150.5, 0.5)


@cache
def attenuation(material: str) -> Floats:
    """Return the mass attenuation coefficient, coherent scatter included, at each of ``ENERGIES_KEV``.

    Parameters
    ----------
    material : str
        A tissue, or ``water``, ``triglyceride``, ``k2hpo4``.

    Returns
    -------
    ndarray, float64, shape (energies,)
        cm2/g.

    Examples
    --------
    >>> at = ENERGIES_KEV.tolist().index(100.0)
    >>> round(float(attenuation("water")[at]), 3)  # NIST: 0.1707 at 100 keV
    0.171
    """
    import xraydb

    found = np.zeros_like(ENERGIES_KEV)
    for element, share in fractions(material).items():
        found = found + share * np.asarray(xraydb.mu_elam(element, ENERGIES_KEV * 1000.0, kind="total"))
    found.setflags(write=False)
    return found


def fractions(material: str) -> Mapping[str, float]:
    """Return the mass fractions of a tissue or compound.

    Examples
    --------
    >>> round(fractions("water")["H"], 4)  # 2 * 1.008 / 18.015
    0.1119
    """
    if material in TISSUES:
        return TISSUES[material]
    import xraydb

    masses = {element: count * xraydb.atomic_mass(element) for element, count in xraydb.chemparse(FORMULAS[material]).items()}
    return {element: mass / sum(masses.values()) for element, mass in masses.items()}


def effective_energy(hu: Mapping[str, float]) -> tuple[int, float]:
    """Return the energy at which mass attenuation goes most linearly with the HU that a scan gave its tissues.

    Parameters
    ----------
    hu : mapping of str to float
        HU of at least three tissues.

    Returns
    -------
    index : int
        Into ``ENERGIES_KEV``.
    r2 : float
        Squared correlation there.

    Examples
    --------
    >>> scan = {"adipose": -82.579, "air": -956.834, "blood": 39.249, "bone": 1226.214, "muscle": 24.561}
    >>> at, r2 = effective_energy(scan)
    >>> float(ENERGIES_KEV[at]), round(r2, 4)
    (96.0, 0.9989)
    """
    x = np.array(list(hu.values()))
    y = np.stack([attenuation(tissue) for tissue in hu])  # (tissue, energy)
    x0, y0 = x - x.mean(), y - y.mean(axis=0)
    r2 = (x0 @ y0) ** 2 / ((x0 @ x0) * (y0**2).sum(axis=0))
    best = int(np.argmax(r2))
    return best, float(r2[best])
