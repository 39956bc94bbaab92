"""The stage `learn`: model, rivals and controls through the same folds, the null, and the locked model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.canonical import sha256_of
from onclair.core.cohort import Cohort
from onclair.core.errors import BadCohort
from onclair.core.evidence import Evidence, content_key
from onclair.core.outcome import Outcome
from onclair.core.progress import Listener, Progress
from onclair.core.seeds import rng_for
from onclair.core.settings import RunSettings
from onclair.core.study import Learner, MapFunction, Rival, Study
from onclair.io.models import save_model
from onclair.io.source import source_sha256
from onclair.io.tables import read_parquet, write_parquet
from onclair.learn.candidates import candidates
from onclair.learn.estimators import Logistic
from onclair.learn.locked import Locked, lock
from onclair.learn.nested import Nested, NestedPlan, leave_one_centre_out, nested, nested_each, shuffles
from onclair.learn.pipeline import OrPrevalence, Pipeline, Prevalence
from onclair.learn.saved import to_record
from onclair.learn.selection import Selection
from onclair.run.environment import environment
from onclair.run.store import Store
from onclair.run.table import Table

STAGE = "learn"
#: Settings that only the judging reads; they are no part of what was learnt.
JUDGING = ("thresholds",)
#: Repeats in which every candidate is refitted on the outer training parts, to be set beside the others.
COMPARED = 1
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """All that learning needs, in one value.

    Attributes
    ----------
    study, cohort, settings, outcome
    table : Table
    truth : Series, float, indexed like ``table.rows``
    map : callable
    progress : Listener
    described : Table or None
        Every row that was described, those without an outcome too; None where all have one.
    root : Path or None
        The run's folder, for questions that need the outlines and facts of the descriptions.
    """

    study: Study
    cohort: Cohort
    settings: RunSettings
    outcome: Outcome
    table: Table
    truth: pd.Series
    map: MapFunction
    progress: Listener
    described: Table | None = None
    root: Path | None = None

    def plan(self, name: str, repeats: int) -> NestedPlan:
        """Return the folds of one purpose; equal names, equal folds."""
        seed = int(rng_for(self.settings.seed, "folds", name).integers(2**31))
        return NestedPlan(self.settings.folds, self.settings.inner_folds, repeats, seed)


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What the stage leaves: predictions by who made them, the null, and what was chosen.

    Attributes
    ----------
    risks : mapping of str to ndarray (repeats, rows)
        WHO, or ``WHO:WHERE``, to out-of-fold risks.
    scores : mapping of str to ndarray (rows,)
        Raw scores of rivals that are a single column, learnt from nothing.
    null : DataFrame
        Per permutation: the permuted truth and the risks it led to, one row a (permutation, row).
    folds : ndarray, int64, shape (repeats, rows)
        The outer fold that judged the model's risk of each row.
    facts : mapping
    seconds : mapping of str to float
        CPU time of each candidate's fits in the nested folds; empty where the finished record was taken. No record holds it.
    """

    risks: dict[str, Floats]
    scores: dict[str, Floats]
    null: pd.DataFrame
    folds: npt.NDArray[np.int64]
    facts: dict[str, Any]
    seconds: Mapping[str, float] = field(default_factory=dict)


def learn(store: Store, lesson: Lesson, inputs: dict[str, str]) -> tuple[Evidence, Learnt]:
    """Learn, or take the finished record where its key is the same.

    Raises
    ------
    BadCohort
        When there are too few patients or events for the folds.
    """
    settings = {name: value for name, value in lesson.settings.as_record().items() if name not in JUDGING}
    code = sha256_of([source_sha256(lesson.study.describe), source_sha256(learn)])
    found = store.find(STAGE, content_key(STAGE, inputs, settings, code, environment()))
    if found is not None:
        lesson.progress(Progress(STAGE, 1, 1, kind="reused", unit="steps"))
        return found, read_learnt(store.root / STAGE, found)
    learnt, record = _learnt(lesson)
    evidence = Evidence(STAGE, "", inputs, settings, code, environment(), facts=learnt.facts)

    def fill(partial: Path) -> None:
        write_parquet(partial / "predictions.parquet", _long(learnt, lesson))
        write_parquet(partial / "null.parquet", learnt.null)
        save_model(partial / "model", record)

    return store.write(STAGE, evidence, fill), learnt


def _learnt(lesson: Lesson) -> tuple[Learnt, Any]:
    """Do every fit of the stage, telling the listener as each part ends."""
    steps = _Steps(lesson.progress, 4 + len(lesson.study.rivals) + sum(1 for _ in lesson.study.controls))
    learners = lesson.study.model(lesson.settings)
    plan = replace(lesson.plan("model", lesson.settings.repeats), compared=COMPARED)
    model = nested(lesson.cohort, lesson.table.rows, lesson.truth, learners, plan, map=lesson.map)
    risks = {"model": model.risks}
    steps.done("model")
    for rival in lesson.study.rivals:
        risks[f"rival:{rival.name}"] = _rival(lesson, rival).risks
        steps.done(f"rival:{rival.name}")
    for control in lesson.study.controls:
        risks[f"model:{control.name}"] = _control(lesson, control.name, learners)
        steps.done(control.name)
    risks.update(_elsewhere(lesson, learners))
    steps.done("centres")
    null = _null(lesson, learners)
    steps.done("shuffled-labels")
    locked = lock(lesson.cohort, lesson.table.rows, lesson.truth, learners, model, alpha=lesson.settings.alpha)
    steps.done("lock")
    seconds = dict(zip((learner.name for learner in learners), model.seconds, strict=True))
    facts = _facts(learners, model, lesson.truth, locked)
    return Learnt(risks, _scores(lesson), null, model.fold_of, facts, seconds), to_record(locked)


@dataclass(slots=True)
class _Steps:
    """Count the parts of the stage for the listener."""

    progress: Listener
    total: int
    count: int = 0

    def done(self, item: str) -> None:
        self.count += 1
        self.progress(Progress(STAGE, self.count, self.total, item, unit="steps"))


def _nested(lesson: Lesson, rows: pd.DataFrame, learners: Sequence[Learner], name: str, repeats: int) -> Nested:
    return nested(lesson.cohort, rows, lesson.truth, learners, lesson.plan(name, repeats), map=lesson.map)


def _rival(lesson: Lesson, rival: Rival) -> Nested:
    """Return a rival's out-of-fold risks, in the folds of the model."""
    learner: Learner = Prevalence()
    if rival.columns:
        learner = OrPrevalence(Pipeline(rival.name, Logistic(penalty=1e-3), Selection("none"), "signed_log", columns=rival.columns))
    return _nested(lesson, lesson.table.rows, (learner,), "model", lesson.settings.repeats)


def _control(lesson: Lesson, control: str, learners: Sequence[Learner]) -> Floats:
    """Return the risks of the whole pipeline trained on each destroyed copy, shape (copies, rows)."""
    runs = [_nested(lesson, lesson.table.copy_of(control, copy), learners, "model", 1).risks for copy in range(lesson.settings.shuffles)]
    return np.concatenate(runs)


def _elsewhere(lesson: Lesson, learners: Sequence[Learner]) -> dict[str, Floats]:
    """Return risks for each centre from a model that the other centres taught; nothing where centres cannot be left out."""
    try:
        result = leave_one_centre_out(lesson.cohort, lesson.table.rows, lesson.truth, learners, lesson.plan("centres", 1), map=lesson.map)
    except BadCohort:
        return {}
    return {"model:leave-one-centre-out": result.risks}


def _null(lesson: Lesson, learners: Sequence[Learner]) -> pd.DataFrame:
    """Return truth and risks of the whole pipeline refitted on shuffled outcomes, with the candidates of :func:`null_candidates`."""
    learners = null_candidates(learners)
    truths = shuffles(lesson.truth, lesson.settings.permutations, lesson.settings.seed)
    results = nested_each(lesson.cohort, lesson.table.rows, truths, learners, lesson.plan("shuffled-labels", 1), map=lesson.map)
    frames = [
        pd.DataFrame({"permutation": number, "truth": truth.to_numpy(float), "risk": result.risks[0]})
        for number, (truth, result) in enumerate(zip(truths, results, strict=True))
    ]
    return pd.concat(frames, ignore_index=True)


def null_candidates(learners: Sequence[Learner]) -> tuple[Learner, ...]:
    """Return the candidates that are refitted on shuffled outcomes: all but networks, and networks where there is nothing else."""
    return tuple(each for each in learners if not getattr(each, "costly", False)) or tuple(learners)


def _scores(lesson: Lesson) -> dict[str, Floats]:
    """Return the raw score of each rival that is a single column, or none: the prevalence, which ranks nobody."""
    rows = lesson.table.rows
    return {
        f"rival:{rival.name}": np.asarray(rival.sign * rows[rival.columns[0]].to_numpy(float)) if rival.columns else np.zeros(len(rows))
        for rival in lesson.study.rivals
        if len(rival.columns) <= 1
    }


def _facts(learners: Sequence[Learner], model: Nested, truth: pd.Series, locked: Locked) -> dict[str, Any]:
    """Return how the candidates did, what was chosen and what the locked model looks at."""
    names = [learner.name for learner in learners]
    return {
        "candidates": names,
        "models": candidates(names, model, truth),
        "chosen": dict(sorted(model.votes.items())),
        "locked": str(locked.about["learner"]),
        "features": _features(locked),
    }


def _features(locked: Locked) -> list[dict[str, Any]]:
    """Return the columns that the locked model looks at, with their coefficients where it is linear."""
    coefficients = locked.pipeline.coefficients
    if coefficients is None:
        return [{"name": name} for name in locked.pipeline.columns]
    return [{"name": str(name), "coefficient": float(value)} for name, value in coefficients.items()]


def _long(learnt: Learnt, lesson: Lesson) -> pd.DataFrame:
    """Return every prediction as one long table: patient, item, who, repeat, kind, the fold that judged it (-1: not told), truth, value."""
    index = lesson.table.rows.index.to_frame(index=False)
    frames = []
    for who, matrix in learnt.risks.items():
        for repeat, risk in enumerate(matrix):
            fold = learnt.folds[repeat] if who == "model" else -1
            frames.append(index.assign(who=who, repeat=repeat, kind="risk", fold=fold, truth=lesson.truth.to_numpy(float), value=risk))
    for who, score in learnt.scores.items():
        frames.append(index.assign(who=who, repeat=0, kind="score", fold=-1, truth=lesson.truth.to_numpy(float), value=score))
    return pd.concat(frames, ignore_index=True)


def read_learnt(folder: Path, evidence: Evidence) -> Learnt:
    """Return what a finished stage left in its folder."""
    table = read_parquet(folder / "predictions.parquet")
    risks: dict[str, Floats] = {}
    scores: dict[str, Floats] = {}
    for (who, kind), part in table.groupby(["who", "kind"], sort=False):
        if kind == "score":
            scores[str(who)] = part["value"].to_numpy(float)
        else:
            risks[str(who)] = np.stack([g["value"].to_numpy(float) for _, g in part.groupby("repeat", sort=True)])
    model = table[(table["who"] == "model") & (table["kind"] == "risk")]
    folds = np.stack([g["fold"].to_numpy(np.int64) for _, g in model.groupby("repeat", sort=True)])
    return Learnt(risks, scores, read_parquet(folder / "null.parquet"), folds, dict(evidence.facts))
