"""A validation: anybody's predictions and a plan in, a run folder with verifiable evidence and its report out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput, NoRoom
from onclair.core.evidence import Evidence, content_key
from onclair.io.files import sha256_file
from onclair.io.predictions import Predictions, read_predictions, read_toml
from onclair.io.source import source_sha256
from onclair.io.tables import write_table
from onclair.run.compared import Replay, compared, refuse_changed
from onclair.run.environment import environment
from onclair.run.pointer import read_pointer, write_pointer
from onclair.run.pool import pool
from onclair.run.report import Renderer, write_report
from onclair.run.store import EVIDENCE, Store, inputs_of, opened, read_evidence, read_seal
from onclair.validate.checked import Checked, checked
from onclair.validate.confounds import too_few_events
from onclair.validate.plan import Plan, read_plan
from onclair.validate.planned import judge_planned

STAGE = "validate"
KIND = "validation"
#: Censoring weights are taken at the horizon or shortly before it: at no less than this share of it.
SHORTLY = 0.95


@dataclass(frozen=True, slots=True)
class Validation:
    """What to judge, by which plan, into which folder.

    Attributes
    ----------
    predictions, plan : Path
        A table (CSV, TSV, XLSX) and a TOML file.
    out : Path or None
        The run folder; None keeps nothing.
    render : callable
        ``(validate record) -> {file name: bytes}``.
    drop_missing : bool
        Leave out and count rows without a prediction or outcome.
    workers : int
        Processes; no result depends on it.
    """

    predictions: Path
    plan: Path
    out: Path | None
    render: Renderer
    drop_missing: bool = False
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Validated:
    """What a validation leaves.

    Attributes
    ----------
    claim, seal : Evidence
        The validate record and the run's own.
    report : Path or None
        None where no folder was asked for.
    """

    claim: Evidence
    seal: Evidence
    report: Path | None


def validate(asked: Validation) -> Validated:
    """Judge a table of predictions by its plan.

    Parameters
    ----------
    asked : Validation

    Returns
    -------
    Validated

    Raises
    ------
    BadSetting, BadTable, BadInput
        For a plan or table that cannot be used; nothing is written then.
    NoRoom
        When the folder cannot be written or holds something else.
    """
    plan = read_plan(read_toml(asked.plan))
    named = plan.columns
    text = [c for c in (named.patient, named.centre, named.lesion, *named.subgroups) if c is not None]
    predictions = read_predictions(asked.predictions, plan.used, text=text)
    table = checked(predictions.frame, plan, drop_missing=asked.drop_missing)
    settings = {**plan.as_record(), "drop_missing": asked.drop_missing}
    inputs = {"predictions": predictions.sha256, "plan": sha256_file(asked.plan)}
    with _folder(asked, settings, inputs) as out, opened(out) as store, pool(asked.workers) as over:
        code = sha256_of([source_sha256(judge_planned), source_sha256(validate)])
        claim = store.find(STAGE, content_key(STAGE, inputs, settings, code, environment()))
        if claim is None:
            found = judge_planned(table, plan, map=over)
            facts = {**_facts(plan, table, inputs), "curves": [curve.as_dict() for curve in found.curves]}
            warnings = _warnings(plan, table, predictions)
            fresh = Evidence(STAGE, "", inputs, settings, code, environment(), {}, tuple(found.estimates), facts, tuple(warnings))
            claim = _write_claim(store, fresh, asked.plan)
        records = {STAGE: claim}
        if asked.out is not None:
            records["report"] = write_report(store, asked.render, claim)
            write_pointer(out, asked.predictions)
        seal = _seal(store, asked, settings, records)
    return Validated(claim, seal, None if asked.out is None else asked.out / "report" / "report.html")


def replay_validation(root: Path, render: Renderer, *, predictions: Path | None = None, workers: int = 1) -> Replay:
    """Judge again what a run judged, by the plan that it kept, and compare record by record.

    Parameters
    ----------
    root : Path
    render : callable
    predictions : Path, optional
        The table, where it is no longer where the run left it.
    workers : int

    Returns
    -------
    Replay

    Raises
    ------
    BadInput
        When the table is not there.
    CheckFailed
        When the run does not verify.
    """
    refuse_changed(root)
    seal = read_seal(root)
    with tempfile.TemporaryDirectory(prefix="onclair-replay-") as place:
        again = Validation(
            predictions or read_pointer(root),
            root / STAGE / "plan.toml",
            Path(place, "run"),
            render,
            bool(seal.settings["drop_missing"]),
            workers,
        )
        return compared(root, Path(place, "run"), seal, validate(again).seal)


@contextmanager
def _folder(asked: Validation, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> Iterator[Path]:
    """Give the run folder: the one asked for, or one that is gone afterwards."""
    if asked.out is None:
        with tempfile.TemporaryDirectory(prefix="onclair-validate-") as place:
            yield Path(place, "run")
        return
    for file in (asked.predictions, asked.plan):
        if asked.out.resolve() in file.resolve().parents:
            raise NoRoom(f"{file.name} lies in the run folder {asked.out}; choose an --out beside it, not around it.", item=str(asked.out))
    _refuse_other(asked.out, settings, inputs)
    yield asked.out


def _refuse_other(out: Path, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
    """Refuse a folder that holds the finished run of anything else."""
    if not (out / EVIDENCE).exists():
        return
    sealed = read_evidence(out)
    if sealed.facts.get("kind") != KIND:
        raise NoRoom(f"{out} holds a finished run of the study '{sealed.facts.get('study')}'; choose another --out.", item=str(out))
    try:
        before = read_evidence(out / STAGE).inputs
    except BadInput:
        return
    for name, sha256 in inputs.items():
        if before.get(name) != sha256:
            raise NoRoom(f"{out} holds a finished run on another {name} file; choose another --out to keep both.", item=name)
    if sealed.settings != settings:
        raise NoRoom(
            f"{out} holds a finished run with or without --drop-missing, unlike now; choose another --out to keep both.", item=str(out)
        )


def _write_claim(store: Store, fresh: Evidence, plan: Path) -> Evidence:
    content = plan.read_bytes()

    def fill(partial: Path) -> None:
        write_table(partial / "estimates.csv", pd.DataFrame([e.as_dict() for e in fresh.estimates]))
        (partial / "plan.toml").write_bytes(content)

    return store.write(STAGE, fresh, fill)


def _seal(store: Store, asked: Validation, settings: Mapping[str, Any], records: Mapping[str, Evidence]) -> Evidence:
    facts = {"kind": KIND, "study": KIND, "pointer": asked.out is not None, "claim": records[STAGE].id}
    return store.seal(Evidence("run", "", inputs_of(records), settings, "", environment(), facts=facts))


def _facts(plan: Plan, table: Checked, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Return what a report says besides figures."""
    patients, events = table.counts
    figures, named = plan.figures, plan.columns
    outcome = named.truth if plan.outcome == "binary" else named.event
    return {
        "kind": KIND,
        "title": plan.title,
        "design": plan.design,
        "data": plan.data,
        "outcome": {
            "name": outcome,
            "kind": plan.outcome,
            "unit": named.time_unit or "",
            "horizon": figures.horizon,
            "weights_at": plan.weights_at,
        },
        "rows": table.size,
        "patients": patients,
        "events": events,
        "centres": [] if table.centres is None else sorted({str(c) for c in table.centres if c}),
        "excluded": table.excluded,
        "models": [{"name": name, "kind": model.kind, "column": model.column} for name, model in plan.models.items()],
        "compare": [list(pair) for pair in figures.compare],
        "thresholds": list(figures.thresholds),
        "prevalence": figures.prevalence,
        "smoother": figures.smoother,
        "level": figures.level,
        "bootstrap": figures.bootstrap,
        "seed": figures.seed,
        "subgroups": {key: sorted({str(v) for v in values}) for key, values in table.groups.items()},
        "columns": named.as_record(),
        "data_sha256": inputs["predictions"],
        "plan_sha256": inputs["plan"],
    }


def _warnings(plan: Plan, table: Checked, predictions: Predictions) -> list[Mapping[str, str]]:
    """Return what a reader must know before a figure is quoted."""
    warnings: list[Mapping[str, str]] = [*predictions.notes, *table.warnings]
    patients, events = table.counts
    few = too_few_events(events, patients - events)
    if few:
        fr = f"{events} événements et {patients - events} patients sans événement : trop peu pour une validation."
        warnings.append({"code": "too_few_events", "text": few, "fr": fr})
    if plan.data == "virtual":
        fr = "Ces patients sont virtuels : aucun chiffre ici ne dit rien d'une personne."
        warnings.append({"code": "virtual", "text": "These patients are virtual: no figure here says anything about a person.", "fr": fr})
    at, horizon = plan.figures.weights_at, plan.figures.horizon
    if at is not None and horizon is not None and at < SHORTLY * horizon:
        text = f"Censoring-weighted figures are taken at {at:g}, well before the horizon {horizon:g} that the risks are about."
        fr = f"Les figures pondérées par la censure sont prises à {at:g}, bien avant l'échéance {horizon:g} des risques."
        warnings.append({"code": "weights_early", "text": text, "fr": fr})
    if plan.figures.prevalence is not None and plan.design != "case-control":
        text = "The plan gives a prevalence, which only a case-control design uses; it changed nothing."
        warnings.append(
            {
                "code": "prevalence_unused",
                "text": text,
                "fr": "Le plan donne une prévalence, utile aux seuls cas-témoins ; elle n'a rien changé.",
            }
        )
    return warnings
