"""The study `table`: whether a clinical table tells the outcome, with hospitals as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.core.settings import RunSettings, setting
from onclair.core.study import Answer, Description, Further, Learner, Rival, Study, Virtual
from onclair.core.values import Case
from onclair.core.words import Words
from onclair.explain.contributions import contributions
from onclair.io.cohorts import file_of
from onclair.io.layouts.tables import EMPTY, KIND, features_of, read_clinical_table, refuse_outcomes
from onclair.learn.estimators import estimator
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import EVERYTHING
from onclair.run.gaps import case_warnings
from onclair.run.learning import Learnt, Lesson
from onclair.run.univariable import true_risk, univariable
from onclair.virtual.table import VirtualTable, write

#: Candidate models, the simplest first, and those that are tried when nobody says.
MODELS, USUAL = ("logistic", "lasso", "forest", "boosting"), ("logistic",)
#: What the one row of a patient is called.
ITEM = "patient"


class TableSettings(RunSettings):
    """Settings of the table study."""

    penalty: float = setting(
        1.0, "strength of the ridge on standardised columns", "force de la pénalité sur les colonnes standardisées", gt=0
    )


def read(cohort: Cohort, patient: str) -> Case:
    """Return one patient's row of the clinical table, as features.

    Raises
    ------
    BadCase
        For a patient without a row, or a cell that is no value of its column.
    BadCohort
        For a table that contradicts itself, or holds the outcome.
    """
    table = read_clinical_table(file_of(cohort, patient, KIND))
    refuse_outcomes(table, {name for outcome in cohort.about.outcomes for name in (outcome.name, outcome.time) if name})
    values, _ = features_of(table, patient)
    return Case(patient, str(cohort.centre_of([patient])[patient]), signals={KIND: values})


def outline(case: Case, settings: TableSettings) -> Case:
    """Hand the case back: a table has no outline."""
    del settings
    return case


def describe(case: Case, settings: TableSettings) -> Description:
    """Return the patient's features, one row."""
    del settings
    rows = pd.DataFrame([case.signals[KIND]], index=[ITEM], dtype=float)
    return Description(rows, {str(name): EMPTY for name in rows.columns[rows.isna().iloc[0]]})


def model(settings: TableSettings) -> tuple[Learner, ...]:
    """Return the candidates, the simplest first; each looks at every column.

    Raises
    ------
    BadSetting
        For an unknown model, or Cox's, which takes follow-up times.
    """
    for name in settings.models:
        if name == "cox":
            said = "Cox's model takes follow-up times, which no run learns yet"
            raise BadSetting(f"{said}; `onclair validate` judges its predictions.", item=name)
        if name not in MODELS:
            raise BadSetting(f"The study table has no model '{name}'; {did_you_mean(name, MODELS)}", item=name)
    chosen = settings.models or USUAL
    options: dict[str, Any] = {"logistic": {"penalty": settings.penalty}, "lasso": {"penalty": settings.penalty}}
    return tuple(Pipeline(name, estimator(name, **options.get(name, {})), EVERYTHING) for name in MODELS if name in chosen)


def explain(locked: Any, row: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """Return the four features that move one patient's risk most, signed."""
    return contributions(locked.risk, row, locked.pipeline.reference)


def bedside(case: Case, description: Description, answers: Mapping[str, Answer], settings: TableSettings) -> Mapping[str, Any]:
    """Return what the finding shows: the answer's reasons and what was missing."""
    del case, settings
    return {
        "detail": {"reasons": [dict(reason) for reason in answers[ITEM].reasons], "missing": dict(description.reasons)},
        "warnings": case_warnings(description.reasons, description.rows.shape[1]),
    }


def further(lesson: Lesson, learnt: Learnt) -> Further:
    """Return how the best single column does, chosen anew in each training fold, and what the true risk of virtual patients reaches."""
    return Further((*univariable(lesson, learnt), *true_risk(lesson)))


study = Study(
    name="table",
    question=Words(
        "Does a clinical table tell who will have the event, at hospitals that differ?",
        "Un tableau clinique dit-il qui aura l'événement, dans des hôpitaux qui diffèrent ?",
    ),
    settings=TableSettings,
    outcome="binary",
    signal="table",
    kinds=(KIND,),
    read=read,
    outline=outline,
    describe=describe,
    model=model,
    rivals=(Rival("prevalence", (), Words("the same risk for everybody", "le même risque pour tous")),),
    explain=explain,
    bedside=bedside,
    virtual=Virtual(
        VirtualTable,
        write,
        tiny={"patients": 40, "centres": 2, "seed": 7},
        demo={"patients": 240, "centres": 4, "seed": 1},
        quick={"repeats": 1, "inner_folds": 2},
    ),
    references=(
        "le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression. Appl Stat 1992;41:191-201. doi:10.2307/2347628",
        "Steyerberg EW, Vergouwe Y. Towards better clinical prediction models. Eur Heart J 2014;35:1925-1931. doi:10.1093/eurheartj/ehu207",
        "Ogier du Terrail J et al. FLamby: datasets and benchmarks for cross-silo federated learning. NeurIPS 2022. arXiv:2210.04620",
    ),
    limits=(
        Words(
            "It does not choose a treatment, and it has not been tested prospectively.",
            "Il ne choisit aucun traitement et n'a pas été évalué de façon prospective.",
        ),
        Words(
            "It believes what the table says: a hospital that measures or codes a column otherwise shifts its answer.",
            "Il croit ce que dit le tableau : un hôpital qui mesure ou code autrement une colonne décale sa réponse.",
        ),
    ),
    further=further,
)
