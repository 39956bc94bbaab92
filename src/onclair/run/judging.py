"""The stage `validate`: every figure with its interval, from predictions alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.canonical import sha256_of
from onclair.core.estimate import Estimate, not_available
from onclair.core.evidence import Evidence, content_key
from onclair.core.progress import Progress
from onclair.io.source import source_sha256
from onclair.io.tables import write_table
from onclair.learn.conformal import leave_one_out
from onclair.run.environment import environment
from onclair.run.learning import Learnt, Lesson, null_candidates
from onclair.run.store import Store, read_evidence
from onclair.run.table import patients_of
from onclair.validate.confounds import ENOUGH_EVENTS, negative_control, nuisance_correlation, null_auc, too_few_events
from onclair.validate.curves import Curve, distribution
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.record import Asked, Claim, judge
from onclair.validate.shares import share

STAGE = "validate"
LEFT_OUT_CENTRES = "model:leave-one-centre-out"


def judge_run(store: Store, lesson: Lesson, learnt: Learnt, inputs: dict[str, str], left_out: list[dict[str, str]]) -> Evidence:
    """Write the claim's record: estimates, curves and every fact that a report needs.

    Parameters
    ----------
    store : Store
    lesson : Lesson
    learnt : Learnt
    inputs : mapping
        Ids of the records that it rests on.
    left_out : list of mapping
        ``patient`` and ``reason``.

    Returns
    -------
    Evidence
    """
    settings = {
        "thresholds": list(lesson.settings.thresholds),
        "alpha": lesson.settings.alpha,
        "seed": lesson.settings.seed,
        "study": lesson.study.name,
    }
    further = lesson.study.further
    code = sha256_of([source_sha256(each) for each in (judge, judge_run, further) if each is not None])
    facts = {**_facts(store, lesson, learnt), "left_out": left_out}
    told = {**inputs, "facts": sha256_of(facts)}
    found = store.find(STAGE, content_key(STAGE, told, settings, code, environment()))
    if found is not None:
        return found
    estimates, curves = judged(lesson, learnt)
    if further is not None:
        more = further(lesson, learnt)
        estimates = sorted([*{e.name: e for e in (*estimates, *more.estimates)}.values()], key=_rank)
        facts = {**facts, "further": dict(more.facts)}
    evidence = Evidence(
        STAGE,
        "",
        told,
        settings,
        code,
        environment(),
        estimates=tuple(estimates),
        facts={**facts, "curves": [curve.as_dict() for curve in curves]},
        warnings=tuple(_warnings(store, lesson)),
    )
    lesson.progress(Progress(STAGE, 1, 1, unit="steps"))

    def fill(partial: Path) -> None:
        write_table(partial / "estimates.csv", pd.DataFrame([e.as_dict() for e in estimates]))

    return store.write(STAGE, evidence, fill)


def judged(lesson: Lesson, learnt: Learnt) -> tuple[list[Estimate], list[Curve]]:
    """Return every estimate and curve of a run, model first, in the order that a reader asks for them."""
    truth, patients = lesson.truth.to_numpy(float), np.array(patients_of(lesson.table.rows.index))
    whos = ["model", *(f"rival:{rival.name}" for rival in lesson.study.rivals)]
    asked = Asked(thresholds=tuple(lesson.settings.thresholds), seed=lesson.settings.seed)
    centres = lesson.cohort.centre_of(list(patients)).to_numpy(str)
    found = judge(truth, {who: Claim(learnt.risks[who]) for who in whos}, patients=patients, centres=centres, asked=asked, map=lesson.map)
    estimates = {e.name: e for e in found.estimates}
    for extra in (
        _raw_rivals(lesson, learnt),
        _controls(lesson, learnt),
        _dull(lesson, learnt),
        _elsewhere(lesson, learnt),
        _sets(lesson, learnt),
    ):
        estimates.update({e.name: e for e in extra})
    counts = _counts(lesson.truth)
    return sorted((_told(_cautious(e, counts), learnt) for e in estimates.values()), key=_rank), [
        *found.curves,
        distribution("model", learnt.risks["model"].mean(axis=0), int(truth.sum())),
    ]


#: Where the judged values come from, for the method of every figure.
OUT_OF_FOLD = "risks out of fold, nested cross-validation by patient, pooled over the folds"
ELSEWHERE = "each centre judged by a model that the others taught"
AS_IT_STANDS = "the column as it stands, nothing fitted"
RIVAL_OUT_OF_FOLD = "risks out of fold of a logistic model of the rival's columns"


def _told(estimate: Estimate, learnt: Learnt) -> Estimate:
    """Return an estimate whose method also says where the judged values come from."""
    figure, _, rest = estimate.name.partition(":")
    who = rest.partition("@")[0]
    if not estimate.method or not who.startswith(("model", "rival:")):
        return estimate
    if who == LEFT_OUT_CENTRES:
        source = ELSEWHERE
    elif who.startswith("rival:"):
        source = AS_IT_STANDS if figure == "auc" and who in learnt.scores else RIVAL_OUT_OF_FOLD
    else:
        source = OUT_OF_FOLD
    return replace(estimate, method=f"{estimate.method}; {source}")


@dataclass(frozen=True, slots=True)
class _Counts:
    """Patients with an event, patients with a row without one; a patient may be both where each has several rows."""

    events: int
    others: int
    rows: int
    patients: int

    @property
    def by_item(self) -> bool:
        """Whether patients have several rows, so that what happens happens to points and not to them."""
        return self.rows > self.patients

    @property
    def said(self) -> str:
        """Return both in words."""
        if self.by_item:
            return f"{self.events} patients with an event and {self.others} with a row without one"
        return f"{self.events} events and {self.others} non-events"


def _counts(truth: pd.Series) -> _Counts:
    by_patient = truth.groupby(level=0)
    return _Counts(int(by_patient.max().sum()), int((by_patient.min() == 0).sum()), len(truth), len(by_patient))


def _cautious(estimate: Estimate, counts: _Counts) -> Estimate:
    """Mark distances to a flexible calibration curve as too few where the curve is noise.

    Van Calster et al. 2016, doi:10.1016/j.jclinepi.2015.12.005.
    """
    flexible = estimate.name.startswith(("ici:", "e50:", "e90:", "emax:"))
    if not flexible or estimate.status != "ok" or estimate.events is None or min(counts.events, counts.others) >= ENOUGH_EVENTS:
        return estimate
    reason = f"{counts.said}; a smooth calibration curve needs {ENOUGH_EVENTS} of each to mean much"
    reason += f"; {estimate.reason}" if estimate.reason else ""
    return replace(estimate, status="too_few", reason=reason)


def _raw_rivals(lesson: Lesson, learnt: Learnt) -> list[Estimate]:
    """Judge rivals that are one column as they stand, over the whole cohort: they learnt nothing, so nothing need be held out."""
    truth, patients = lesson.truth.to_numpy(float), patients_of(lesson.table.rows.index)
    estimates = []
    for who, score in learnt.scores.items():
        if np.isfinite(score).all():
            name = who.removeprefix("rival:")
            estimates.append(auc(f"auc:{who}", truth, score, patients=patients))
            estimates.append(auc_difference(f"auc:model-minus-{name}", truth, learnt.risks["model"], score, patients=patients))
    return estimates


def _controls(lesson: Lesson, learnt: Learnt) -> list[Estimate]:
    """Judge the pipeline on destroyed signals and on shuffled outcomes."""
    truth, patients = lesson.truth.to_numpy(float), patients_of(lesson.table.rows.index)
    estimates = []
    for control in lesson.study.controls:
        estimates += negative_control(
            "model", truth, learnt.risks["model"], learnt.risks[f"model:{control.name}"], patients=patients, what=control.name
        )
    aucs = [
        auc("auc:null", part["truth"].to_numpy(float), part["risk"].to_numpy(float), patients=patients).value
        for _, part in learnt.null.groupby("permutation", sort=True)
    ]
    values = np.array([np.nan if a is None else a for a in aucs])
    null = null_auc("auc:model:shuffled-labels", values)
    every = lesson.study.model(lesson.settings)
    if len(null_candidates(every)) < len(every):
        null = replace(null, method=f"{null.method}; networks were left out of the refits")
    return [*estimates, null, _against_null(lesson, learnt, values)]


def _against_null(lesson: Lesson, learnt: Learnt, null: np.ndarray[Any, np.dtype[np.float64]]) -> Estimate:
    """Return the permutation p-value of the model's AUC (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585)."""
    observed = auc("auc:model", lesson.truth.to_numpy(float), learnt.risks["model"], patients=patients_of(lesson.table.rows.index)).value
    good = null[np.isfinite(null)]
    if observed is None or not good.size:
        return not_available("p:model:shuffled-labels", "no refit on shuffled outcomes could be judged")
    p = (1 + int((good >= observed).sum())) / (1 + good.size)
    return Estimate(
        "p:model:shuffled-labels",
        p,
        n=int(good.size),
        method=f"(1 + refits on shuffled outcomes at least as good) / (1 + {good.size}); Phipson & Smyth 2010",
    )


def _dull(lesson: Lesson, learnt: Learnt) -> list[Estimate]:
    """Return how far the model's risk goes with the outlined volume, and with its own risk on a destroyed signal."""
    patients = patients_of(lesson.table.rows.index)
    others = {c.name: learnt.risks[f"model:{c.name}"].mean(axis=0) for c in lesson.study.controls}
    if lesson.study.volume is not None:
        others["volume"] = lesson.table.rows[lesson.study.volume].to_numpy(float)
    return [
        nuisance_correlation(f"spearman:model:{name}", learnt.risks["model"], other, patients=patients) for name, other in others.items()
    ]


def _elsewhere(lesson: Lesson, learnt: Learnt) -> list[Estimate]:
    """Return how the model does at centres that taught it nothing."""
    name, risks = f"auc:{LEFT_OUT_CENTRES}", learnt.risks.get(LEFT_OUT_CENTRES)
    if risks is None or np.isnan(risks).any():
        centres = len(lesson.cohort.centres)
        reason = "the cohort has one centre" if centres < 2 else "leaving out one of the centres leaves a single class to learn from"
        return [not_available(name, reason)]
    truth, patients = lesson.truth.to_numpy(float), patients_of(lesson.table.rows.index)
    return [auc(name, truth, risks, patients=patients)]


def _sets(lesson: Lesson, learnt: Learnt) -> list[Estimate]:
    """Return how often prediction sets hold the truth, and how often they cannot tell."""
    risk = learnt.risks["model"].mean(axis=0)
    patients = patients_of(lesson.table.rows.index)
    left = leave_one_out(risk, lesson.truth.to_numpy(float), patients, lesson.settings.alpha)
    undecided = left.sets.sum(axis=1) != 1
    return [share("coverage:conformal", left.covered, patients=patients), share("share:cannot-tell", undecided, patients=patients)]


#: The order in which a reader asks: the model, its rivals, what it gains over them, its controls, then all else by name.
READING_ORDER = (
    "auc:model", "auc:rival:", "auc:model-minus-", "auc:model:", "p:", "spearman:", "brier:", "ipa:", "o_e:", "citl:", "slope:", "ici:",
)  # fmt: skip


def _rank(estimate: Estimate) -> tuple[int, str]:
    """Return where an estimate stands: by the longest beginning that its name shares with the reading order."""
    name = estimate.name
    shared = [start for start in READING_ORDER if name == start or (start.endswith((":", "-")) and name.startswith(start))]
    return READING_ORDER.index(max(shared, key=len)) if shared else len(READING_ORDER), name


def _facts(store: Store, lesson: Lesson, learnt: Learnt) -> dict[str, Any]:
    """Return what a report says besides figures."""
    study, about = lesson.study, lesson.cohort.about
    table = read_evidence(store.root / "table").facts
    counts = _counts(lesson.truth)
    controls = {c["name"]: c for c in table["controls"]}
    return {
        "study": study.name,
        "question": study.question.as_dict(),
        "signal": study.signal,
        "data": about.data,
        "outcome": {
            "name": lesson.outcome.name,
            "kind": lesson.outcome.kind,
            "unit": lesson.outcome.unit,
            "horizon": lesson.outcome.horizon,
        },
        "cohort": {"title": about.title, "licence": about.licence, "citation": about.citation, "source": about.source},
        "patients": counts.patients,
        "events": counts.events,
        "non_events": counts.others,
        "centres": list(lesson.cohort.centres),
        "rows": counts.rows,
        "row_events": int(lesson.truth.sum()),
        "rivals": [{"name": r.name, "words": r.words.as_dict()} for r in study.rivals],
        "controls": [{"name": c.name, "words": c.words.as_dict(), **controls[c.name]} for c in study.controls],
        "volume": study.volume,
        "missing": [{**m, "patients": len(m["patients"])} for m in table["missing"]],
        "columns": table["columns"],
        "model": {**learnt.facts, "explained": read_evidence(store.root / "explain").facts["features"][:10]},
        "limits": [words.as_dict() for words in study.limits],
        "references": list(study.references),
        "settings": lesson.settings.as_record(),
    }


def _warnings(store: Store, lesson: Lesson) -> list[dict[str, str]]:
    """Return what a reader must know before a figure is quoted."""
    warnings = [dict(w) for stage in ("cohort", "table") for w in read_evidence(store.root / stage).warnings]
    counts = _counts(lesson.truth)
    few = too_few_events(counts.events, counts.others)
    if few:
        fr = f"{counts.events} événements et {counts.others} patients sans événement : trop peu pour une validation ; "
        if counts.by_item:
            few = f"{counts.said} are too few for a validation claim; at least {ENOUGH_EVENTS} of each are needed."
            fr = f"{counts.events} patients avec un événement et {counts.others} avec une ligne sans événement : "
            fr += "trop peu pour une validation ; "
        fr += f"il en faut au moins {ENOUGH_EVENTS} de chaque."
        warnings.append({"code": "too_few_events", "text": few, "fr": fr})
    if lesson.cohort.about.data == "virtual":
        fr = "Ces patients sont virtuels : aucun chiffre ici ne dit rien d'une personne."
        warnings.append({"code": "virtual", "text": "These patients are virtual: no figure here says anything about a person.", "fr": fr})
    return warnings
