"""The main job: cohort -> outline and describe -> table -> learn -> explain -> validate -> report, for any study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort
from onclair.core.evidence import Evidence
from onclair.core.outcome import Outcome
from onclair.core.progress import Listener, Progress, silent
from onclair.core.settings import RunSettings
from onclair.core.study import MapFunction, Study
from onclair.io.cohorts import CohortCheck, check_cohort
from onclair.run.describe import STAGE as DESCRIBE
from onclair.run.describe import Described, DescribeTask, describe_patient
from onclair.run.environment import environment
from onclair.run.explaining import explain
from onclair.run.feasible import check_folds, check_kind, check_settings
from onclair.run.judging import judge_run
from onclair.run.learning import Lesson, learn
from onclair.run.left_out import left_out
from onclair.run.occupied import refuse_around, refuse_other, table_hashes
from onclair.run.pointer import write_pointer
from onclair.run.pool import pool
from onclair.run.report import Renderer, write_report
from onclair.run.store import Store, inputs_of, opened
from onclair.run.table import Table, gathered, patients_of, write_table


@dataclass(frozen=True, slots=True)
class Job:
    """What to run, on what, into which folder.

    Attributes
    ----------
    study : Study
    settings : RunSettings
    data, out : Path
        The cohort's folder and the run's.
    workers : int
        Processes; no result depends on it.
    skip_bad : bool
        Go on without the patients whose files cannot be used.
    render : callable
        ``(validate record) -> {file name: bytes}``.
    progress : Listener
    """

    study: Study
    settings: RunSettings
    data: Path
    out: Path
    render: Renderer
    workers: int = 1
    skip_bad: bool = False
    progress: Listener = silent


@dataclass(frozen=True, slots=True)
class Result:
    """What a run leaves.

    Attributes
    ----------
    claim : Evidence
        The validate record: every estimate and fact.
    seal : Evidence
        The run's own record.
    report : Path
    reused, computed : int
        Patients whose description was taken as it stood, and those described now.
    seconds : mapping of str to float
        CPU time of each candidate in the nested folds; empty where learning was taken as it stood. It stands in no record.
    """

    claim: Evidence
    seal: Evidence
    report: Path
    reused: int
    computed: int
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def models(self) -> list[dict[str, Any]]:
        """The candidates side by side: ``name inner_auc outer_auc chosen_folds seconds``; the last None where nothing was learnt anew."""
        rows, keys = self.claim.facts["model"]["models"], ("name", "inner_auc", "outer_auc", "chosen_folds")
        spent = {name: round(seconds, 3) for name, seconds in self.seconds.items()}
        return [{**{key: row[key] for key in keys}, "seconds": spent.get(row["name"])} for row in rows]


def run(job: Job) -> Result:
    """Run a study on a cohort, resuming whatever is already there.

    Parameters
    ----------
    job : Job

    Returns
    -------
    Result

    Raises
    ------
    BadCohort
        For a cohort that is inconsistent as a whole, of one class, or too small for the folds.
    BadCase
        For the first patient whose files cannot be used, unless `skip_bad`.
    NoRoom
        When the folder cannot be written, is in use, or holds the finished run of something else.
    """
    check_settings(job.study, job.settings)
    check, outcome = checked_cohort(job)
    refuse_around(job.out, job.data)
    with opened(job.out) as store, pool(job.workers) as over:
        asked = {**job.settings.as_record(), "skip_bad": job.skip_bad}
        refuse_other(job.out, job.study.name, asked, job.data, check.cohort)
        cohort_record = _write_cohort(store, job, check, outcome)
        described = _described(store, job, check, over)
        records = {f"{DESCRIBE}/{d.patient}": d.evidence for d in described if d.evidence is not None}
        bad = [*_problems(check), *((d.patient, str(d.reason)) for d in described if d.evidence is None)]
        table = gathered(store, job.study, records)
        table_record = write_table(store, job.study, records, table)
        lesson = _lesson(job, check.cohort, outcome, table, over)
        stages = {"cohort": cohort_record, "table": table_record}
        stages["learn"], learnt = learn(store, lesson, inputs_of(stages))
        stages["explain"] = explain(store, lesson, {"learn": stages["learn"].id, "table": table_record.id})
        stages["validate"] = judge_run(store, lesson, learnt, inputs_of(stages), left_out(bad, check.cohort))
        stages["report"] = write_report(store, job.render, stages["validate"])
        seal = _seal(store, job, {**records, **stages})
        reused = sum(d.reused for d in described)
        report = job.out / "report" / "report.html"
        return Result(stages["validate"], seal, report, reused, len(records) - reused, learnt.seconds)


def checked_cohort(job: Job) -> tuple[CohortCheck, Outcome]:
    """Return the cohort, checked, and the outcome to predict.

    Raises
    ------
    BadCohort, BadCase
        As :func:`run`.
    """
    outcome = check_cohort(job.data, job.study.kinds).cohort.outcome(job.settings.outcome)
    check_kind(job.study, outcome)
    check = check_cohort(job.data, job.study.kinds, outcome)
    if check.problems and not job.skip_bad:
        raise _stop(check.problems[0].sentence, check.problems[0].patient, len(check.bad) - 1)
    check_folds(job.settings, check.cohort.labels(outcome, list(check.good)), outcome)
    return check, outcome


def _problems(check: CohortCheck) -> list[tuple[str, str]]:
    return [(problem.patient, problem.sentence) for problem in check.problems]


def _stop(sentence: str, patient: str, others: int = 0) -> BadCase:
    """Return the error that stops a run at a patient: what is wrong, and how to go on."""
    who = "1 more patient" if others == 1 else f"{others} more patients"
    more = f" {who} cannot be used as they stand; `onclair cohort check --study` lists all." if others else ""
    return BadCase(f"{sentence}{more} To go on without such patients, add --skip-bad.", item=patient)


def _write_cohort(store: Store, job: Job, check: CohortCheck, outcome: Outcome) -> Evidence:
    """Write the stage `cohort`: hashes of the tables, and what they say."""
    inputs = table_hashes(job.data)
    about = check.cohort.about
    facts = {
        "title": about.title,
        "data": about.data,
        "licence": about.licence,
        "citation": about.citation,
        "source": about.source,
        "patients": len(list(check.good)),
        "centres": list(check.cohort.centres),
        "left_out": left_out(_problems(check), check.cohort),
        "outcome": {"name": outcome.name, "kind": outcome.kind, "unit": outcome.unit, "horizon": outcome.horizon},
    }
    warnings = tuple({"code": str(n["code"]), "text": str(n["text"])} for n in check.notes)
    evidence = Evidence(
        "cohort", "", inputs, {"outcome": outcome.name, "skip_bad": job.skip_bad}, "", environment(), facts=facts, warnings=warnings
    )
    found = store.find("cohort", evidence.key)
    return found if found is not None and found.id == evidence.id else store.write("cohort", evidence)


def _described(store: Store, job: Job, check: CohortCheck, over: MapFunction) -> list[Described]:
    """Describe every usable patient, telling the listener; a killed run goes on from what it finds."""
    patients = list(check.good)
    tasks = [DescribeTask(job.study, check.cohort.only({p}), p, job.settings, store.root) for p in patients]
    done: list[Described] = []
    for described in over(describe_patient, tasks):
        done.append(described)
        kind: Literal["left_out", "reused", "done"] = "left_out" if described.evidence is None else "reused" if described.reused else "done"
        job.progress(Progress(DESCRIBE, len(done), len(patients), described.patient, kind))
        if described.evidence is None and not job.skip_bad:
            raise _stop(str(described.reason), described.patient)
    if all(d.evidence is None for d in done):
        raise BadCohort(f"None of the {len(done)} patients can be used; of the first: {done[0].reason if done else 'there is none'}")
    return done


def _lesson(job: Job, cohort: Cohort, outcome: Outcome, table: Table, over: MapFunction) -> Lesson:
    """Return what is learnt from: the rows whose outcome is known, of the patients who have any."""
    truth = cohort.truth_of(outcome, table.rows.index)
    usable = truth.notna() & table.rows.notna().any(axis=1)  # of a point that failed its gates nothing was measured
    known, truth = table.only(truth.index[usable]), truth[usable]
    present = cohort.only(set(patients_of(known.rows.index)))
    check_folds(job.settings, truth.droplevel(1), outcome)
    return Lesson(job.study, present, job.settings, outcome, known, truth, over, job.progress, table, job.out)


def _seal(store: Store, job: Job, records: dict[str, Evidence]) -> Evidence:
    facts = {"study": job.study.name, "skip_bad": job.skip_bad, "pointer": True, "claim": records["validate"].id}
    write_pointer(store.root, job.data)
    return store.seal(Evidence("run", "", inputs_of(records), job.settings.as_record(), "", environment(), facts=facts))


def load_settings(study: Study, *layers: dict[str, Any]) -> RunSettings:
    """Return a study's settings from layers laid over the defaults."""
    return study.settings.read(*layers, source=f"the settings of {study.name}")
