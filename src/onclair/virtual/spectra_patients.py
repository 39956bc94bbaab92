"""Virtual patients with a brain tumour: which tissue each point is, what it holds, and what the pathologist says of it.

Medians, spreads and shares are plausible choices, set so that margin and healthy tissue are about as hard to tell apart as has been
published; they are no estimates of what is found in patients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onclair.core.seeds import rng_for
from onclair.virtual.spectra_pathology import CentrePractice, histology, infiltration, practice_of
from onclair.virtual.spectra_settings import VirtualSpectra
from onclair.virtual.spectra_tissue import Tissue

#: What a point may truly be.
CLASSES = ("healthy", "margin", "core", "lgg", "necrosis", "ppix_negative")
FLUOROPHORES = ("PpIX634", "PpIX620", "NADH", "FAD", "Lipofuscin")
#: Median amounts, in the order of FLUOROPHORES; autofluorescence of healthy tissue is about 1.
MEDIANS: Mapping[str, tuple[float, ...]] = {
    "healthy": (0.03, 0.03, 1.0, 0.60, 0.25),
    "margin": (0.10, 0.07, 0.9, 0.55, 0.25),
    "core": (1.60, 0.25, 0.7, 0.40, 0.25),
    "lgg": (0.06, 0.10, 0.9, 0.55, 0.25),
    "necrosis": (0.10, 0.05, 0.2, 0.40, 0.25),
    "ppix_negative": (0.03, 0.03, 0.8, 0.48, 0.25),
}
#: Coefficients of variation between patients and between the points of one: of PpIX, whose two states vary together between patients,
#: and of each of the others.
PPIX_CV, OTHERS_CV = (0.7, 0.6), (0.35, 0.3)
#: PpIX in all, 634 and 620 together, above which a surgeon's eye sees red.
VISIBLE = 0.31
#: Shift of means, in standard deviations between patients: PpIX by each grade above 3 (or below), NADH and FAD by an IDH mutation.
GRADE_SHIFT, IDH_SHIFT = 0.15, (-0.3, 0.3)
#: Share of IDH mutations by grade.
IDH_MUTATED = {2: 0.8, 3: 0.6, 4: 0.1}
#: Share of each class among the points of a patient beyond one healthy and one at the margin, by grade, before PpIX fails in some.
_MIX = {2: (0.25, 0.25, 0.0, 0.5, 0.0), 3: (0.25, 0.25, 0.2, 0.3, 0.0), 4: (0.2, 0.25, 0.4, 0.0, 0.15)}
#: Share of points without PpIX, by what they would be with it; 10 to 15 % of all tumour points.
_PPIX_NEGATIVE = {"margin": 0.05, "core": 0.2, "lgg": 0.2, "necrosis": 0.2}
#: Share of tumour cells from which the pathologist calls a PpIX-negative point core.
_CORE_FROM = 0.4
#: Correlation of a point's PpIX with its share of tumour cells, among points of one class.
_WITH_INFILTRATION = 0.6
_POINTS, _REPEATS = (4, 8), (2, 5)
_BLOOD, _STO2, _SCATTERING, _POWER = (0.015, 0.6), (0.65, 0.12), (20.0, 0.3), (1.3, 0.2)
_WHITE_MATTER_PER_CM = (40.0, 60.0)
#: Share of points in white matter.
_WHITE_MATTER = {"healthy": 0.4, "margin": 0.25}
_DEEP_WHITE_MATTER = 0.15
_SHIFT_NM, _WIDTH = 0.3, 0.05
_PRESSURE = 0.35
#: Distance from the middle of the tumour, mm, by class.
_REACH_MM = {"healthy": (19.0, 28.0), "margin": (13.0, 19.0), "necrosis": (0.0, 6.0)}


@dataclass(frozen=True, slots=True)
class Point:
    """One point of one patient, as it truly is.

    Attributes
    ----------
    name : str
    true_class, histology : str
        What it is, and what the pathologist says.
    infiltration : float
        Share of tumour cells.
    mislabelled : bool
        Whether the pathologist errs.
    white_matter : bool
    tissue : Tissue
    pressure : float
        Factor on all light, from how the probe is held.
    bleaching : float
        Share of PpIX lost with each round of excitations, as a share of what the centre's lamp bleaches at most.
    repeats : int
        Rounds.
    tip_mm : tuple of float
        LPS.
    """

    name: str
    true_class: str
    histology: str
    infiltration: float
    mislabelled: bool
    white_matter: bool
    tissue: Tissue
    pressure: float
    bleaching: float
    repeats: int
    tip_mm: tuple[float, float, float]

    @property
    def visible(self) -> bool:
        """Whether a surgeon's eye sees red."""
        return self.tissue.amounts["PpIX634"] + self.tissue.amounts["PpIX620"] > VISIBLE


@dataclass(frozen=True, slots=True)
class Person:
    """One virtual patient.

    Attributes
    ----------
    name : str
    centre : int
        From 0.
    grade : int
        2 to 4.
    idh : bool
        Whether IDH is mutated.
    registration_error_mm : float
        What the navigation says of itself.
    points : tuple of Point
    """

    name: str
    centre: int
    grade: int
    idh: bool
    registration_error_mm: float
    points: tuple[Point, ...]


def name_of(index: int) -> str:
    """Return the pseudonym of a virtual patient.

    Examples
    --------
    >>> name_of(0)
    'VP001'
    """
    return f"VP{index + 1:03d}"


def person_of(settings: VirtualSpectra, index: int) -> Person:
    """Return one patient, whatever the number of the others.

    Parameters
    ----------
    settings : VirtualSpectra
    index : int
        From 0; patients fall to the centres in turn.

    Examples
    --------
    >>> person = person_of(VirtualSpectra(), 0)
    >>> person.name, person.centre, 4 <= len(person.points) <= 8
    ('VP001', 0, True)
    """
    rng = rng_for(settings.seed, "spectra", "patient", index)
    centre = index % settings.centres
    practice = practice_of(centre)
    grade = int(rng.choice((2, 3, 4), p=practice.grades))
    idh = bool(rng.random() < IDH_MUTATED[grade])
    own = _own(grade, idh, rng)
    middle = rng.uniform((-40, -50, 0), (40, 50, 50))
    points = tuple(
        _point(f"{name_of(index)}_P{place + 1}", chosen, own, middle, practice, rng_for(settings.seed, "spectra", "point", index, place))
        for place, chosen in enumerate(_sampled(grade, rng))
    )
    return Person(name_of(index), centre, grade, idh, round(float(rng.uniform(0.8, 2.5)), 1), points)


def log_sd(cv: float) -> float:
    """Return the standard deviation of the logarithm of a lognormal law, from its coefficient of variation.

    Examples
    --------
    >>> round(log_sd(0.7), 3)
    0.631
    """
    return math.sqrt(math.log(1 + cv**2))


def _sampled(grade: int, rng: np.random.Generator) -> list[str]:
    """Return what the points of a patient are meant to be: one healthy, one margin, the others as they come, in any order."""
    others = int(rng.integers(_POINTS[0], _POINTS[1] + 1)) - 2
    drawn = ["healthy", "margin", *rng.choice(CLASSES[:5], size=others, p=_MIX[grade]).tolist()]
    return [str(drawn[place]) for place in rng.permutation(len(drawn))]


def _own(grade: int, idh: bool, rng: np.random.Generator) -> dict[str, float]:
    """Return by how much a patient's amounts lie above the medians, on the logarithm."""
    ppix = log_sd(PPIX_CV[0]) * (rng.normal() + GRADE_SHIFT * (grade - 3))
    found = {"PpIX634": ppix, "PpIX620": ppix}
    moved = {"NADH": IDH_SHIFT[0] * idh, "FAD": IDH_SHIFT[1] * idh}
    return found | {name: log_sd(OTHERS_CV[0]) * (rng.normal() + moved.get(name, 0.0)) for name in FLUOROPHORES[2:]}


def _point(
    name: str, chosen: str, own: Mapping[str, float], middle: np.ndarray, practice: CentrePractice, rng: np.random.Generator
) -> Point:
    share, cells = infiltration(chosen, rng)
    said, mislabelled = histology(chosen, cells, practice, rng)
    negative = bool(rng.random() < _PPIX_NEGATIVE.get(chosen, 0.0))
    true_class = "ppix_negative" if negative else chosen
    if negative:
        said, mislabelled = ("margin" if chosen == "margin" or share < _CORE_FROM else "core"), False
    white_matter = bool(rng.random() < _WHITE_MATTER.get(chosen, _DEEP_WHITE_MATTER))
    amounts = _amounts(true_class, own, cells, rng)
    return Point(
        name,
        true_class,
        said,
        share,
        mislabelled,
        white_matter,
        _tissue(amounts, white_matter, rng),
        math.exp(_PRESSURE * rng.normal()),
        float(rng.uniform()),
        int(rng.integers(_REPEATS[0], _REPEATS[1] + 1)),
        _tip(chosen, middle, rng),
    )


def _amounts(true_class: str, own: Mapping[str, float], cells: float, rng: np.random.Generator) -> dict[str, float]:
    """Return what a point holds; `cells` is its standardised share of tumour cells, which PpIX follows in part."""
    found = {}
    for name, median in zip(FLUOROPHORES, MEDIANS[true_class], strict=True):
        follows = _WITH_INFILTRATION if name in ("PpIX634", "PpIX620") else 0.0
        deviate = follows * cells + math.sqrt(1 - follows**2) * rng.normal()
        cv = PPIX_CV if follows else OTHERS_CV
        found[name] = median * math.exp(own[name] + log_sd(cv[1]) * deviate)
    return found


def _tissue(amounts: Mapping[str, float], white_matter: bool, rng: np.random.Generator) -> Tissue:
    scattering = float(rng.uniform(*_WHITE_MATTER_PER_CM)) if white_matter else _lognormal(_SCATTERING, rng)
    return Tissue(
        amounts,
        blood_fraction=min(_lognormal(_BLOOD, rng), 0.15),
        sto2=float(np.clip(rng.normal(*_STO2), 0.05, 0.99)),
        scattering_per_cm=scattering,
        scattering_power=float(np.clip(rng.normal(*_POWER), 0.5, 2.2)),
        shift_nm=float(rng.normal(0.0, _SHIFT_NM)),
        width=float(np.clip(rng.normal(1.0, _WIDTH), 0.8, 1.2)),
    )


def _lognormal(law: tuple[float, float], rng: np.random.Generator) -> float:
    median, cv = law
    return float(median * math.exp(log_sd(cv) * rng.normal()))


def _tip(chosen: str, middle: np.ndarray, rng: np.random.Generator) -> tuple[float, float, float]:
    low, high = _REACH_MM.get(chosen, (3.0, 13.0))
    way = rng.normal(size=3)
    x, y, z = np.round(middle + way / np.linalg.norm(way) * rng.uniform(low, high), 2).tolist()
    return x, y, z
