"""From Hounsfield units to bone density: five tissues of the patient, rods of a phantom, two points, or a scanner's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.bone.attenuation import ENERGIES_KEV, TISSUES, attenuation, effective_energy

Floats = npt.NDArray[np.float64]
Method = Literal["tissues", "phantom", "two-point", "scanner"]

#: What each tissue may show on a usable scan; outside, the sample was taken in the wrong place.
PLAUSIBLE_HU: dict[str, tuple[float, float]] = {
    "adipose": (-150.0, -30.0),
    "air": (-1100.0, -800.0),
    "blood": (-20.0, 400.0),
    "bone": (500.0, 2500.0),
    "muscle": (-20.0, 150.0),
}
#: Blood above this holds contrast medium, whatever the header says.
ENHANCED_HU = 90.0
FEWEST_TISSUES = 3
#: Below this the tissues do not lie on one line at any energy.
POOREST_R2 = 0.95
#: How far published tables put the mass attenuation of triglyceride apart at 80 to 110 keV, cm2/g; it moves 300 HU by 9 mg/cc.
TRIGLYCERIDE_ERROR_CM2_G = 0.0003
#: HU at which a calibration is quoted.
QUOTED_HU = (0, 100, 300, 1000)


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line over HU."""

    slope: float
    intercept: float

    def at(self, hu: npt.ArrayLike) -> Floats:
        """Return its height at each HU."""
        return np.asarray(self.slope * np.asarray(hu, dtype=np.float64) + self.intercept)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How HU of one scan become K2HPO4-equivalent density.

    Attributes
    ----------
    method : {"tissues", "phantom", "two-point", "scanner"}
    hu_to_density : Line
        By tissues: mass density of the tissue in g/cc. Else: K2HPO4-equivalent density in mg/cc itself.
    hu_to_attenuation : Line or None
        By tissues: mass attenuation in cm2/g at the effective energy.
    effective_energy_kev, r2 : float or None
        None for lines without them.
    triglyceride_cm2_g, k2hpo4_cm2_g : float or None
        Mass attenuation at the effective energy, by tissues.
    residual_mg_cc : float
        Root mean square distance of the rods from their line; 0 by tissues and where two points fix it.
    used, refused : tuple of str
        Tissues or rods.
    source : str
    """

    method: Method
    hu_to_density: Line
    hu_to_attenuation: Line | None = None
    effective_energy_kev: float | None = None
    r2: float | None = None
    triglyceride_cm2_g: float | None = None
    k2hpo4_cm2_g: float | None = None
    residual_mg_cc: float = 0.0
    used: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    source: str = ""

    @property
    def unit(self) -> str:
        """Of ``hu_to_density``."""
        return "g/cc of tissue" if self.hu_to_attenuation is not None else "mg/cc K2HPO4"

    def density_mg_cc(self, hu: npt.ArrayLike) -> Floats:
        """Return the K2HPO4-equivalent density of voxels.

        Parameters
        ----------
        hu : array_like

        Returns
        -------
        ndarray, float64
            mg/cc; below 0 in fat.

        Examples
        --------
        >>> float(Calibration("two-point", Line(0.8, -4.0)).density_mg_cc(100.0))
        76.0
        """
        return self._density(hu, 0.0)

    def error_mg_cc(self, hu: npt.ArrayLike) -> Floats:
        """Return the standard error of that density which the calibration itself carries.

        Parameters
        ----------
        hu : array_like

        Returns
        -------
        ndarray, float64
            mg/cc. By tissues, what 0.0003 cm2/g in the attenuation of triglyceride does; by rods, their residual.

        Examples
        --------
        >>> scan = {"adipose": -82.579, "air": -956.834, "blood": 39.249, "bone": 1226.214, "muscle": 24.561}
        >>> round(float(by_tissues(scan).error_mg_cc(300.0)))
        9
        """
        moved = np.abs(self._density(hu, TRIGLYCERIDE_ERROR_CM2_G) - self._density(hu, -TRIGLYCERIDE_ERROR_CM2_G)) / 2.0
        return np.hypot(moved, self.residual_mg_cc)

    def _density(self, hu: npt.ArrayLike, triglyceride_error: float) -> Floats:
        density = self.hu_to_density.at(hu)
        if self.hu_to_attenuation is None or self.triglyceride_cm2_g is None or self.k2hpo4_cm2_g is None:
            return density
        fat = self.triglyceride_cm2_g + triglyceride_error
        # Michalski 2020, doi 10.1016/j.medengphy.2020.01.009: the tissue's attenuation as a mixture of K2HPO4 and triglyceride
        return 1000.0 * density * (self.hu_to_attenuation.at(hu) - fat) / (self.k2hpo4_cm2_g - fat)

    def as_dict(self) -> dict[str, Any]:
        """Return the calibration as plain JSON values, with the densities at quoted HU."""
        attenuation_line = self.hu_to_attenuation
        return {
            "method": self.method,
            "effective_energy_kev": self.effective_energy_kev,
            "r2": self.r2,
            "hu_to_density": {"slope": self.hu_to_density.slope, "intercept": self.hu_to_density.intercept, "unit": self.unit},
            "hu_to_attenuation": attenuation_line
            and {"slope": attenuation_line.slope, "intercept": attenuation_line.intercept, "unit": "cm2/g"},
            "triglyceride_cm2_g": self.triglyceride_cm2_g,
            "k2hpo4_cm2_g": self.k2hpo4_cm2_g,
            "residual_mg_cc": self.residual_mg_cc,
            "density_mg_cc": {str(hu): float(self.density_mg_cc(hu)) for hu in QUOTED_HU},
            "error_mg_cc": {str(hu): float(self.error_mg_cc(hu)) for hu in QUOTED_HU},
            "used": list(self.used),
            "refused": list(self.refused),
            "source": self.source,
        }


def by_tissues(hu: Mapping[str, float], *, contrast: bool = False) -> Calibration:
    """Calibrate a scan by the patient's own tissues, without a phantom.

    Parameters
    ----------
    hu : mapping of str to float
        Mean HU of ``adipose``, ``air``, ``blood``, ``bone`` (cortical) and ``muscle``; at least three, air and bone among them.
    contrast : bool
        Whether contrast medium was given: blood is then refused, as it is above 90 HU.

    Returns
    -------
    Calibration

    Raises
    ------
    BadInput
        For an unknown tissue, one outside its plausible range, fewer than three, or tissues that fit no energy.

    Notes
    -----
    Michalski et al. 2020, Med Eng Phys 78:39, doi 10.1016/j.medengphy.2020.01.009. The effective energy is sought in steps of 0.5 keV.

    Examples
    --------
    >>> scan = {"adipose": -82.579, "air": -956.834, "blood": 39.249, "bone": 1226.214, "muscle": 24.561}
    >>> found = by_tissues(scan)
    >>> found.effective_energy_kev, round(found.hu_to_density.slope, 6), round(float(found.density_mg_cc(300.0)), 1)
    (96.0, 0.000895, 204.2)
    >>> by_tissues(scan, contrast=True).refused
    ('blood',)
    """
    _check_tissues(hu)
    refused = ("blood",) if "blood" in hu and (contrast or hu["blood"] > ENHANCED_HU) else ()
    used = {tissue: float(value) for tissue, value in hu.items() if tissue not in refused}
    missing = {"air", "bone"} - set(used)
    if len(used) < FEWEST_TISSUES or missing:
        lacking = f"; {' and '.join(sorted(missing))} must be among them" if missing else ""
        raise BadInput(f"The calibration has {len(used)} usable tissues ({', '.join(used)}); three are needed{lacking}.", item="tissues")
    at, r2 = effective_energy(used)
    if r2 < POOREST_R2 or at in (0, len(ENERGIES_KEV) - 1):
        said = f"The tissues fit no energy between {ENERGIES_KEV[0]:g} and {ENERGIES_KEV[-1]:g} keV (best r2 {r2:.3f})"
        raise BadInput(f"{said}; check where they were sampled, and that none was exchanged for another.", item="tissues")
    return _at_energy(used, at, r2, refused)


def _at_energy(used: Mapping[str, float], at: int, r2: float, refused: tuple[str, ...]) -> Calibration:
    x = np.array(list(used.values()))
    mass = np.array([attenuation(tissue)[at] for tissue in used])
    slope, intercept = _fitted(x, mass)
    density = float(attenuation("water")[at]) * (x / 1000.0 + 1.0) / mass
    return Calibration(
        "tissues",
        Line(*_fitted(x, density)),
        Line(slope, intercept),
        float(ENERGIES_KEV[at]),
        r2,
        float(attenuation("triglyceride")[at]),
        float(attenuation("k2hpo4")[at]),
        used=tuple(used),
        refused=refused,
        source="Michalski 2020, doi 10.1016/j.medengphy.2020.01.009",
    )


@dataclass(frozen=True, slots=True)
class Rod:
    """One rod of a calibration phantom: what the scan shows and what it is made of.

    Attributes
    ----------
    hu : float
        Mean over the rod.
    k2hpo4_mg_cc : float
        Its K2HPO4-equivalent density.
    water_mg_cc : float or None
        Its water-equivalent density, where the phantom's certificate gives one (liquid K2HPO4 in plastic).
    """

    hu: float
    k2hpo4_mg_cc: float
    water_mg_cc: float | None = None


def by_rods(rods: Sequence[Rod], *, name: str = "phantom") -> Calibration:
    """Calibrate a scan by the rods of a phantom in it.

    Parameters
    ----------
    rods : sequence of Rod
        At least two that differ. Two make the line, more are fitted by least squares.
    name : str

    Returns
    -------
    Calibration

    Raises
    ------
    BadInput
        For fewer than two different rods, a density that falls as HU rise, or a water-equivalent density that only some have.

    Notes
    -----
    With water-equivalent densities, ``HU - water = sigma K2HPO4 + beta`` is fitted and corrected to the line of a dipotassium phosphate
    solution: sigma - 0.2174, beta + 999.6 (QCT PRO User Guide, Mindways Software, version 5.0, revision 20110801).

    Examples
    --------
    >>> by_rods([Rod(0.0, 0.0), Rod(250.0, 200.0)]).hu_to_density
    Line(slope=0.8, intercept=0.0)
    """
    hu = np.array([rod.hu for rod in rods], dtype=np.float64)
    density = np.array([rod.k2hpo4_mg_cc for rod in rods], dtype=np.float64)
    if len(set(hu.tolist())) < 2 or len(set(density.tolist())) < 2 or not (np.isfinite(hu).all() and np.isfinite(density).all()):
        raise BadInput(f"The phantom has {len(rods)} rods that cannot make a line; two of different HU and density are needed.", item=name)
    water = [rod.water_mg_cc for rod in rods if rod.water_mg_cc is not None]
    if water and len(water) < len(rods):
        given = f"{len(water)} of {len(rods)} rods have a water-equivalent density"
        raise BadInput(f"In the phantom {given}; give it for each rod or for none.", item=name)
    if water:
        sigma, beta = _fitted(density, hu - np.array(water))
        sigma, beta = sigma - 0.2174, beta + 999.6
        slope, intercept = 1.0 / sigma, -beta / sigma
    else:
        slope, intercept = _fitted(hu, density)
    if slope <= 0:
        raise BadInput(f"In the phantom density falls as HU rise (slope {slope:.3g}); check which rod is which.", item=name)
    rest = density - (slope * hu + intercept) if not water else np.zeros(1)
    r2 = float(np.corrcoef(hu, density)[0, 1] ** 2) if len(rods) > 2 else None
    residual = float(np.sqrt((rest**2).sum() / (len(rods) - 2))) if len(rods) > 2 and not water else 0.0
    method: Method = "phantom" if len(rods) > 2 else "two-point"
    return Calibration(method, Line(slope, intercept), r2=r2, residual_mg_cc=residual, used=tuple(f"{v:g}" for v in density), source=name)


def by_scanner(table: Sequence[Mapping[str, Any]], *, scanner: str, kvp: float) -> Calibration:
    """Calibrate by the row of a hospital's own table of scanners.

    Parameters
    ----------
    table : sequence of mapping
        ``scanner``, ``kvp``, ``slope`` and ``intercept`` (mg/cc K2HPO4 over HU), optionally ``error_mg_cc``.
    scanner : str
    kvp : float

    Raises
    ------
    BadInput
        When no row, or more than one, is of this scanner at this voltage; those that are there are named.

    Examples
    --------
    >>> by_scanner([{"scanner": "A", "kvp": 120, "slope": 0.8, "intercept": -4}], scanner="A", kvp=120).hu_to_density.slope
    0.8
    """
    rows = [row for row in table if row["scanner"] == scanner and float(row["kvp"]) == float(kvp)]
    if len(rows) != 1:
        known = ", ".join(f"{row['scanner']} at {float(row['kvp']):g} kV" for row in table)
        found = "no row" if not rows else f"{len(rows)} rows"
        raise BadInput(f"The table has {found} for {scanner} at {kvp:g} kV; it holds {known}.", item=scanner)
    row = rows[0]
    line = Line(float(row["slope"]), float(row["intercept"]))
    return Calibration("scanner", line, residual_mg_cc=float(row.get("error_mg_cc", 0.0)), source=f"{scanner} at {kvp:g} kV")


def from_dict(record: Mapping[str, Any]) -> Calibration:
    """Return the calibration that :meth:`Calibration.as_dict` wrote.

    Examples
    --------
    >>> scan = {"adipose": -82.579, "air": -956.834, "blood": 39.249, "bone": 1226.214, "muscle": 24.561}
    >>> from_dict(by_tissues(scan).as_dict()) == by_tissues(scan)
    True
    """
    density, mass = record["hu_to_density"], record["hu_to_attenuation"]
    return Calibration(
        record["method"],
        Line(float(density["slope"]), float(density["intercept"])),
        Line(float(mass["slope"]), float(mass["intercept"])) if mass else None,
        record["effective_energy_kev"],
        record["r2"],
        record["triglyceride_cm2_g"],
        record["k2hpo4_cm2_g"],
        float(record["residual_mg_cc"]),
        tuple(record["used"]),
        tuple(record["refused"]),
        str(record["source"]),
    )


def _check_tissues(hu: Mapping[str, float]) -> None:
    for tissue, value in hu.items():
        if tissue not in TISSUES:
            raise BadInput(f"There is no tissue '{tissue}' in the calibration; known: {', '.join(TISSUES)}.", item=tissue)
        low, high = PLAUSIBLE_HU[tissue]
        if not low <= value <= high:
            said = f"The sample of {tissue} is {value:g} HU; {low:g} to {high:g} is what it can show"
            raise BadInput(f"{said}: sample it again, or leave it out.", item=tissue)


def _fitted(x: Floats, y: Floats) -> tuple[float, float]:
    """Return slope and intercept of the least-squares line."""
    slope = float(((x - x.mean()) @ (y - y.mean())) / ((x - x.mean()) @ (x - x.mean())))
    return slope, float(y.mean() - slope * x.mean())
