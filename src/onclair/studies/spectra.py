"""The study `spectra`: where a fluorescence probe and a model tell the neurosurgeon to take the biopsy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput, BadSetting
from onclair.core.names import did_you_mean
from onclair.core.settings import RunSettings, setting
from onclair.core.study import Answer, Description, Further, Learner, Rival, Study, Virtual
from onclair.core.values import Case, Measurement
from onclair.core.words import Words
from onclair.explain.contributions import contributions
from onclair.io.spectra.cohort import measurements_of
from onclair.io.spectra.standards import standard_of, with_standard
from onclair.learn.estimators import estimator
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import Selection
from onclair.run.further import Questions, answered
from onclair.run.learning import Learnt, Lesson
from onclair.science.spectra.bases import DEFAULT_FLUOROPHORES, checked_name
from onclair.science.spectra.point import Measured, Steps, measured
from onclair.science.spectra.unmix import Unmixing
from onclair.virtual.spectra import VirtualSpectra, write

#: What the models on amounts look at; the networks look at the spectrum itself.
FEATURES = (
    "log_634_af",
    "log_620_af",
    "log_620_634",
    "log_nadh_fad",
    "log_lipofuscin_af",
    "sto2",
    "blood_fraction",
    "scattering_slope",
)
#: From this ratio of red bump to blue-green light on, an eye sees red: set on virtual patients of another seed. On 90 patients of seed 5 it
#: agrees with the visible threshold in 92 of 100 of 548 points.
VISIBLE = 1.2
#: Candidate models, the simplest first: on amounts, or on spectra.
ON_AMOUNTS = ("logistic", "svm", "forest", "boosting")
ON_SPECTRA = ("resnet1d", "transformer")
#: What is tried when nobody says, so that a run takes a minute; ``--models all`` tries every one.
USUAL = ("logistic", "svm")


#: An answer of a model on spectra is explained by bands of so many nm: of one bin of 2 nm nothing is moved that a person could read.
BAND_NM = 20


class SpectraSettings(RunSettings):
    """Settings of the spectra study."""

    outcome: str | None = setting("margin", "outcome column to predict", "colonne du critère à prédire")
    repeats: int = setting(1, "repetitions of the outer folds, averaged", "répétitions des plis externes, moyennées", ge=1, le=50)
    fluorophores: tuple[str, ...] = setting(DEFAULT_FLUOROPHORES, "fluorophores to unmix", "fluorophores à démêler", min_length=1)
    excitations_nm: tuple[float, ...] = setting(
        (385.0, 405.0), "excitations whose spectra the networks see", "excitations dont les réseaux voient les spectres", min_length=1
    )


def read(cohort: Cohort, patient: str) -> Case:
    """Return the measurements of one patient, by point.

    Raises
    ------
    BadCase
        For a missing or damaged table, and for spectra that the readers refuse.
    """
    points = with_standard(measurements_of(cohort, patient), standard_of(cohort, patient))
    names = [point.point or f"{patient}_{number}" for number, point in enumerate(points, 1)]
    return Case(patient, str(cohort.centre_of([patient])[patient]), signals=dict(zip(names, points, strict=True)))


def outline(case: Case, settings: SpectraSettings) -> Case:
    """Hand the case back: points have no outline."""
    del settings
    return case


def steps_of(settings: SpectraSettings) -> Steps:
    """Return how points are measured: the same in a run, at the bedside and in a replay.

    Raises
    ------
    BadInput
        For a fluorophore that no table knows.
    """
    for name in settings.fluorophores:
        checked_name(name)
    return Steps(unmixing=Unmixing(fluorophores=settings.fluorophores), excitations_nm=settings.excitations_nm)


def describe(case: Case, settings: SpectraSettings) -> Description:
    """Return one row a point."""
    rows: dict[str, dict[str, float]] = {}
    reasons: dict[str, str] = {}
    for name, point in case.signals.items():
        row, why = row_of(measured_point(point, steps_of(settings)))
        rows[name] = row
        reasons |= {column: reason for column, reason in why.items() if column not in reasons}
    return Description(pd.DataFrame.from_dict(rows, orient="index"), reasons)


def measured_point(point: Measurement, steps: Steps) -> Measured:
    """Return what the steps make of one point.

    Raises
    ------
    BadCase
        For frames that cannot be used at all: whatever is wrong with one point's spectra is a fault of that patient's files.
    """
    try:
        return measured(point, steps)
    except (BadCase, BadSetting):
        raise
    except BadInput as error:
        raise BadCase(f"Point {point.point}: {error}" if point.point else str(error), item=point.point or None) from error


def row_of(found: Measured) -> tuple[dict[str, float], dict[str, str]]:
    """Return a point's row for the models, and why a column is missing; of a point that failed a gate nothing is told."""
    row = {name: value for name, value in found.row.items() if not name.startswith("quality_")}
    row["visible"] = _visible(found.row["redness"])
    if found.failed:
        first = found.failed[0]
        why = f"the point failed its gate '{first.name}': {first.reason[:1].lower()}{first.reason[1:].rstrip('.')}"
        return dict.fromkeys(row, math.nan), dict.fromkeys(row, why)
    return row, {name: _why_missing(name) for name, value in row.items() if math.isnan(value)}


def _visible(redness: float) -> float:
    return math.nan if math.isnan(redness) else float(redness >= VISIBLE)


def _why_missing(name: str) -> str:
    if name.startswith("spectrum:"):
        return "no frame was taken at this excitation"
    return "the point's spectra cannot tell it"


def model(settings: SpectraSettings) -> tuple[Learner, ...]:
    """Return the candidates, the simplest first; ``all`` stands for every one.

    Raises
    ------
    BadSetting
        For an unknown model.
    """
    every = (*ON_AMOUNTS, *ON_SPECTRA)
    for name in settings.models:
        if name not in (*every, "all"):
            raise BadSetting(f"The study spectra has no model '{name}'; {did_you_mean(name, every)}", item=name)
    chosen = every if "all" in settings.models else settings.models or USUAL
    return tuple(_learner(name) for name in every if name in chosen)


@cache
def _learner(name: str) -> Pipeline:
    if name in ON_SPECTRA:
        return Pipeline(name, estimator(name), Selection("none"), columns=("spectrum:*",))
    return Pipeline(name, estimator(name), Selection("none"), columns=FEATURES)


def explain(locked: Any, row: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """Return the four features, or bands of the spectrum, that move one point's risk most, signed."""
    reference = locked.pipeline.reference
    return contributions(locked.risk, row, reference, groups=bands_of(reference.index))


def bands_of(columns: Iterable[str]) -> dict[str, list[str]]:
    """Return the columns of the spectrum by excitation and band of 20 nm, under what the band is called.

    Examples
    --------
    >>> bands_of(["spectrum:405:620", "spectrum:405:638", "spectrum:405:640", "sto2"])
    {'spectrum:405:620-639': ['spectrum:405:620', 'spectrum:405:638'], 'spectrum:405:640-659': ['spectrum:405:640']}
    """
    found: dict[str, list[str]] = {}
    for name in columns:
        if name.startswith("spectrum:"):
            _, excitation, nm = name.split(":")
            first = int(float(nm) // BAND_NM * BAND_NM)
            found.setdefault(f"spectrum:{excitation}:{first}-{first + BAND_NM - 1}", []).append(name)
    return found


def bedside(case: Case, description: Description, answers: Mapping[str, Answer], settings: SpectraSettings) -> Mapping[str, Any]:
    """Return what the finding shows: each point's answer, amounts with errors and gates; the answer of the most suspect point."""
    del description  # the amounts are told with their errors, which rows for models do not hold
    steps = steps_of(settings)
    points = [_told(name, measured_point(signal, steps), answers[name]) for name, signal in case.signals.items()]
    first = speaking(points)
    return {
        "shown": first["point"],
        "estimates": [],
        "answer": {"value": first["answer"], "reason": first["reason"]},
        "detail": {"points": points, "shown": first["point"]},
        "warnings": [{"code": str(w["code"]), "text": f"{p['point']}: {w['text']}"} for p in points for w in p.pop("warnings")],
        "withheld": first["probability"] is None,
    }


def speaking(points: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the point that speaks for the case: a suspect one; else one that cannot be told, for nobody may call that case clear.

    Examples
    --------
    >>> clear, unknown = {"answer": "not_suspect", "probability": 0.1}, {"answer": "cannot_tell", "probability": None}
    >>> speaking([clear, unknown])["answer"], speaking([clear, unknown, {"answer": "suspect", "probability": 0.9}])["answer"]
    ('cannot_tell', 'suspect')
    """
    rank = {"suspect": 2, "cannot_tell": 1, "not_suspect": 0}
    return max(points, key=lambda point: (rank[point["answer"]], point["probability"] or 0.0))


#: The model's answer in the surgeon's words.
SAID = {"likely": "suspect", "unlikely": "not_suspect", "cannot_tell": "cannot_tell"}


def _told(name: str, found: Measured, answer: Answer) -> dict[str, Any]:
    """Return one point as plain values."""
    failed = found.failed
    value, reason = (SAID[answer.value], answer.reason) if not failed else ("cannot_tell", failed[0].reason)
    known = None if failed else answer.probability
    unmixed = found.unmixed.as_dict() if found.unmixed is not None else dict.fromkeys(("abundances", "ratios", "blood", "shift_nm"))
    return {
        "point": name,
        "answer": value,
        "reason": reason,
        "probability": known,
        "low": None if failed else answer.low,
        "high": None if failed else answer.high,
        "amounts": unmixed["abundances"],
        "ratios": unmixed["ratios"],
        "blood": unmixed["blood"],
        "shift_nm": unmixed["shift_nm"],
        "gates": [gate.as_dict() for gate in found.gates],
        "reasons": [dict(each) for each in answer.reasons],
        "warnings": list(found.prepared.warnings),
    }


#: What this study asks besides what every study is asked.
QUESTIONS = Questions(
    oracle=("PpIX634", "PpIX620", "NADH", "FAD", "Lipofuscin"),
    others=("core", "grade", "idh"),
    item="point",
    unseen=("true_class", "ppix_negative", "sensitivity:ppix-negative"),
    signal="spectrum:",
)


def further(lesson: Lesson, learnt: Learnt) -> Further:
    """Return the figures of the study's own questions."""
    return answered(lesson, learnt, QUESTIONS)


study = Study(
    name="spectra",
    question=Words(
        "Does the fluorescence spectrum of a point tell infiltrated margin from healthy brain, better than its red light does?",
        "Le spectre de fluorescence d'un point distingue-t-il la marge infiltrée du cerveau sain, mieux que sa lumière rouge ?",
    ),
    settings=SpectraSettings,
    outcome="binary",
    signal="spectrum",
    kinds=("fluorescence",),
    read=read,
    outline=outline,
    describe=describe,
    model=model,
    rivals=(
        Rival("prevalence", (), Words("the same risk for every point", "le même risque pour tous les points")),
        Rival("ppix634", ("ppix634",), Words("the raw light at 634 nm", "la lumière brute à 634 nm")),
        Rival("visible", ("visible",), Words("whether an eye sees red", "si l'œil voit du rouge")),
    ),
    explain=explain,
    bedside=bedside,
    virtual=Virtual(
        VirtualSpectra,
        write,
        tiny={"patients": 16, "centres": 2, "seed": 7, "pixels": 512},
        demo={"patients": 60, "centres": 3, "seed": 1},
        quick={"models": ("logistic",), "repeats": 1, "shuffles": 1},
    ),
    references=(
        "Leclerc P et al. Machine learning-based prediction of glioma margin from 5-ALA induced PpIX. Sci Rep 2020;10:1462.",
        "Alston L et al. Spectral complexity of 5-ALA induced PpIX fluorescence in guided surgery. Biomed Opt Express 2019;10:2478.",
        "Valdés PA et al. Combined fluorescence and reflectance spectroscopy for in vivo quantification. J Biomed Opt 2011;16:116007.",
    ),
    limits=(
        Words(
            "It marks points to sample; it does not say what to resect, and it has not been tested prospectively.",
            "Elle désigne des points à prélever ; elle ne dit pas quoi réséquer et n'a pas été évaluée de façon prospective.",
        ),
        Words(
            "It needs a calibrated wavelength axis and a lamp-off frame; another probe or instrument may shift its answer.",
            "Il lui faut un axe de longueur d'onde étalonné et une image lampe éteinte ; une autre sonde peut décaler sa réponse.",
        ),
    ),
    further=further,
)
