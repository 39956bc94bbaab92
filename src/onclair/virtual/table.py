"""Virtual patients for the study `table`: a clinical table of several hospitals, with coefficients that are known.

The folder written is a cohort as any other (``cohort.toml``, ``acquisitions.csv``, ``outcomes.csv``, ``table.csv``) and says ``virtual`` in
every record. Beside it stands what no real cohort has: ``truth.csv`` (each patient's linear predictor and risk, and who is whom) and
``truth.json`` (coefficients, what each hospital does otherwise, who is duplicated).

A federation of equal, balanced, independent shards is a toy and proves nothing: ``heterogeneity`` makes the hospitals unlike each other
in the ways that real ones are. The coefficients are plausible and legible; they are no estimates of what is found in patients.
"""

from __future__ import annotations

import json
from builtins import map as in_turn
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import ACQUISITION_COLUMNS, About, Cohort
from onclair.core.outcome import Outcome
from onclair.core.progress import Listener, Progress, silent
from onclair.core.seeds import rng_for
from onclair.core.study import MapFunction
from onclair.io.cohorts import write_cohort
from onclair.io.files import sealed_folder
from onclair.io.layouts.tables import FILE, KIND
from onclair.io.tables import write_table
from onclair.virtual.table_sites import VirtualSite, VirtualTable, sites_of, twice_of

__all__ = ["VirtualTable", "truth_record", "write"]

Floats = npt.NDArray[np.float64]
#: Continuous features: mean, standard deviation, digits that a clinic writes, and log-odds (log-hazard) a standard deviation.
CONTINUOUS: Mapping[str, tuple[float, float, int, float]] = {
    "age_year": (62.0, 11.0, 1, 0.5),
    "haemoglobin_g_dl": (12.8, 1.7, 1, -0.4),
    "albumin_g_l": (39.0, 4.5, 1, -0.5),
    "ldh_u_l": (230.0, 60.0, 0, 0.9),
    "lesion_diameter_mm": (38.0, 14.0, 0, 0.7),
    "bmi": (26.5, 4.5, 1, 0.0),
}
#: The share of men, their log-odds; levels of the stage with their shares and log-odds, the reference first.
MALE: tuple[float, float] = (0.55, 0.3)
STAGES: Mapping[str, tuple[float, float]] = {"I": (0.3, 0.0), "II": (0.3, 0.4), "III": (0.25, 0.8), "IV": (0.15, 1.3)}
#: The feature that means something else at one centre, the one that the laboratory scales, and the one that a centre may lack.
CONCEPT, ASSAY, GAP = "lesion_diameter_mm", "ldh_u_l", "albumin_g_l"
#: What is predicted; its follow-up, and the usual hazard in 100 months.
EVENT, TIME, HAZARD = "event", "follow_up_month", 0.03


def write(settings: VirtualTable, out: Path, *, map: MapFunction = in_turn, progress: Listener = silent) -> Path:  # noqa: A002
    """Write a virtual cohort.

    Parameters
    ----------
    settings : VirtualTable
    out : Path
        A folder that does not exist yet or is empty; it appears whole or not at all.
    map : callable
        Not used: a table is drawn faster than a worker starts.
    progress : callable
        Hears one event a centre.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    NoRoom
        When `out` holds something already or cannot be made.
    """
    del map
    frames = []
    for number, site in enumerate(sites_of(settings, len(CONTINUOUS)), start=1):
        frames.append(_drawn(settings, site))
        progress(Progress("virtual", number, settings.centres, site.name, unit="centres"))
    people = _duplicated(settings, pd.concat(frames, ignore_index=True))
    with sealed_folder(out) as place:
        _write(settings, people, place)
    return out


def _drawn(settings: VirtualTable, site: VirtualSite) -> pd.DataFrame:
    """Return one hospital's patients: features as the clinic writes them, linear predictor, risk and outcome."""
    rng = rng_for(settings.seed, "table", int(site.name[1:]))
    x, frame = np.zeros(site.patients), {}
    for (name, (mean, spread, digits, weight)), shift in zip(CONTINUOUS.items(), site.case_mix, strict=True):
        scaled = rng.normal(shift, 1.0, site.patients)
        x += weight * (site.concept if name == CONCEPT else 1.0) * scaled
        frame[name] = np.round((mean + spread * scaled) * (site.assay if name == ASSAY else 1.0), digits)
    male = (rng.random(site.patients) < MALE[0]).astype(int)
    stage = rng.choice(list(STAGES), site.patients, p=[share for share, _ in STAGES.values()])
    x += MALE[1] * male + np.array([STAGES[one][1] for one in stage.tolist()])
    frame |= {"male": male, f"stage={'|'.join(STAGES)}": stage}
    frame[GAP] = np.where(rng.random(site.patients) < site.gaps, np.nan, frame[GAP])
    drawn = _binary(x, site, rng) if settings.kind == "binary" else _survival(x, site, rng)
    return pd.DataFrame({"centre": site.name, **frame, "linear_predictor": x, **drawn})


def _binary(x: Floats, site: VirtualSite, rng: np.random.Generator) -> dict[str, Floats]:
    """Return risk and event; the hospital's intercept makes the mean risk its prevalence."""
    if site.prevalence == 0 or not len(x):
        return {"risk": np.zeros(len(x)), EVENT: np.zeros(len(x), dtype=int)}
    intercept = _root(lambda b: float(_expit(x + b).mean()) - site.prevalence)
    risk = _expit(x + intercept)
    return {"risk": risk, EVENT: (rng.random(len(x)) < risk).astype(int)}


def _survival(x: Floats, site: VirtualSite, rng: np.random.Generator) -> dict[str, Floats]:
    """Return event and follow-up: exponential times, censored at a rate that leaves the hospital's share of events.

    With hazards h and censoring at rate c, a patient has the event with probability h / (h + c).
    """
    hazard = HAZARD * np.exp(x - x.mean()) if len(x) else x
    rate = 1.0
    if site.prevalence > 0 and len(x):
        rate = float(np.exp(_root(lambda b: site.prevalence - float((hazard / (hazard + np.exp(b))).mean()))))
    until, censored = rng.exponential(1.0 / hazard), rng.exponential(1.0 / rate, len(x))
    event = (until <= censored) & (site.prevalence > 0)
    time = np.maximum(np.round(np.where(event, until, censored), 2), 0.01)
    return {"risk": hazard, EVENT: event.astype(int), TIME: time}


def _expit(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _root(rising: Any) -> float:
    """Return where a rising function of the real line is 0, by bisection."""
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


def _duplicated(settings: VirtualTable, people: pd.DataFrame) -> pd.DataFrame:
    """Return the patients with their codes; the last of the second centre are the first of the first, seen there again."""
    people = people.assign(patient=[f"VT{number:05}" for number in range(1, len(people) + 1)], duplicate_of="")
    twice = twice_of(settings)
    if not twice:
        return people
    first, second = people.index[people["centre"] == "C1"][:twice], people.index[people["centre"] == "C2"][-twice:]
    same = [column for column in people.columns if column not in ("patient", "centre", "duplicate_of")]
    people = people.copy()
    people.loc[second, same] = people.loc[first, same].to_numpy()
    people.loc[second, "duplicate_of"] = people.loc[first, "patient"].to_numpy()
    return people.infer_objects()


def _write(settings: VirtualTable, people: pd.DataFrame, place: Path) -> None:
    told = " ".join(f"--{name} {value}" for name, value in settings.as_record().items())
    survival = settings.kind == "survival"
    outcome = Outcome(EVENT, "survival", "month", 60.0, TIME) if survival else Outcome(EVENT, "binary")
    about = About(
        title="Virtual clinical table of several hospitals",
        data="virtual",
        licence="CC0-1.0",
        citation="Onclair, virtual table; no patient was involved.",
        outcomes=(outcome,),
        source=f"onclair virtual table {told}",
    )
    acquisitions = people[["patient", "centre"]].assign(visit="", kind=KIND, path=FILE)[list(ACQUISITION_COLUMNS)]
    known = ["patient", EVENT, *([TIME] if survival else [])]
    write_table(place / FILE, people[["patient", *_columns()]])
    write_cohort(Cohort(acquisitions, people[known], about), place)
    truth = people[["patient", "centre", "linear_predictor", "risk", "duplicate_of"]].assign(data="virtual")
    write_table(place / "truth.csv", truth.round({"linear_predictor": 9, "risk": 9}))
    record = {**truth_record(settings), "duplicates": _pairs(people)}
    (place / "truth.json").write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _columns() -> list[str]:
    return [*CONTINUOUS, "male", f"stage={'|'.join(STAGES)}"]


def _pairs(people: pd.DataFrame) -> list[dict[str, str]]:
    again = people[people["duplicate_of"] != ""]
    return [{"patient": str(row["patient"]), "is_also": str(row["duplicate_of"])} for row in again.to_dict("records")]


def truth_record(settings: VirtualTable) -> Mapping[str, Any]:
    """Return what ``truth.json`` says of the whole: coefficients, a standard deviation and a unit, and the hospitals.

    Examples
    --------
    >>> record = truth_record(VirtualTable())
    >>> record["data"], record["coefficients_a_unit"]["stage=IV"], record["coefficients_a_unit"]["age_year"]
    ('virtual', 1.3, 0.045455)
    """
    indicators = {"male": MALE[1], **{f"stage={level}": weight for level, (_, weight) in STAGES.items() if weight}}
    return {
        "data": "virtual",
        "study": "table",
        "settings": settings.as_record(),
        "law": {"kind": "logistic" if settings.kind == "binary" else "proportional hazards", "outcome": EVENT},
        "coefficients": {name: weight for name, (_, _, _, weight) in CONTINUOUS.items()} | indicators,
        "coefficients_a_unit": {name: round(weight / sd, 6) for name, (_, sd, _, weight) in CONTINUOUS.items()} | indicators,
        "concept_feature": CONCEPT,
        "assay_feature": ASSAY,
        "gap_feature": GAP,
        "sites": [asdict(site) for site in sites_of(settings, len(CONTINUOUS))],
    }
