"""`onclair radiomics audit`: a model card, or a network, and a cohort in; ten gates, a verdict and verifiable evidence out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from onclair.core.canonical import sha256_of
from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort, BadInput, BadSetting, NoRoom
from onclair.core.evidence import Evidence
from onclair.core.outcome import Outcome
from onclair.core.progress import Listener, Progress, silent
from onclair.core.study import MapFunction
from onclair.io.cards import Card, read_card
from onclair.io.cohorts import check_cohort, read_cohort
from onclair.io.source import source_sha256
from onclair.io.tables import write_table
from onclair.report.audit import audit_files
from onclair.run.compared import Replay, compared, refuse_changed
from onclair.run.describe import Described
from onclair.run.environment import environment
from onclair.run.left_out import left_out
from onclair.run.occupied import refuse_around
from onclair.run.pointer import read_pointer, write_pointer
from onclair.run.pool import pool
from onclair.run.report import write_report
from onclair.run.store import EVIDENCE, Store, inputs_of, json_bytes, opened, read_evidence, read_seal
from onclair.science.radiomics.perturb import PERTURBATIONS
from onclair.studies.tasks.radiomics_audit_deep import Look
from onclair.studies.tasks.radiomics_audit_judge import Judged, judged
from onclair.studies.tasks.radiomics_audit_looks import typical_lesion
from onclair.studies.tasks.radiomics_audit_measure import STAGE as DESCRIBE
from onclair.studies.tasks.radiomics_audit_measure import Controls, MeasureTask, control_names, measure_patient
from onclair.studies.tasks.radiomics_audit_network import asked_where, with_network
from onclair.studies.tasks.radiomics_audit_plan import Reading, network_reading, reading_of
from onclair.studies.tasks.radiomics_audit_rows import Rows, gathered
from onclair.studies.tasks.radiomics_audit_scorer import NetworkEngine, keep_model, kept_model, network_engine, trained_on
from onclair.validate.replication import RULES

STAGE, KIND = "validate", "audit"
#: What a folder of an external patient begins with.
EXTERNAL = "external."
#: Fewer copies of a control than this leave the median to luck.
LEAST_SEEDS = 10


@dataclass(frozen=True, slots=True)
class Audit:
    """What to audit, on whom, into which folder.

    Attributes
    ----------
    card : str, Path or None
        The name of a card that ships, or a file; None where `model` is given.
    data : Path
        The cohort's folder.
    external : Path or None
        Another cohort, on which the score is taken as it is.
    seeds : int
        Copies of each control.
    out : Path or None
        The run folder; None keeps nothing.
    workers : int
        Processes; no result depends on it.
    seed : int
        Of every random choice.
    progress : callable
    model : Path or None
        A network: its folder, or its card.
    allow_code : bool
        Whether code that the card of a network names may be run.
    """

    card: str | Path | None
    data: Path
    external: Path | None = None
    seeds: int = LEAST_SEEDS
    out: Path | None = None
    workers: int = 1
    seed: int = 1
    progress: Listener = silent
    model: Path | None = None
    allow_code: bool = False

    def settings(self, card: Card, reading: Reading) -> dict[str, Any]:
        """Return what the figures depend on besides files and code."""
        model = {"model": reading.engine.sha256} if isinstance(reading.engine, NetworkEngine) else {}
        return {"card": card.sha256, **model, "seeds": self.seeds, "seed": self.seed, "external": self.external is not None}


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit leaves.

    Attributes
    ----------
    claim, seal : Evidence
        The validate record and the run's own.
    report : Path or None
        None where no folder was asked for.
    reused, computed : int
        Patients taken as they stood, and those measured now.
    """

    claim: Evidence
    seal: Evidence
    report: Path | None
    reused: int
    computed: int

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        facts = self.claim.facts
        names = (
            "card",
            "data",
            "outcome",
            "patients",
            "events",
            "gates",
            "verdict",
            "permutation_invariant",
            "features",
            "survey",
            "left_out",
        )
        return {
            **{name: facts[name] for name in names},
            **({"network": facts["network"]} if "network" in facts else {}),
            "report": None if self.report is None else str(self.report),
            "evidence_id": self.claim.id,
            "seal": self.seal.id,
            "reused": self.reused,
            "computed": self.computed,
            "warnings": [dict(w) for w in self.claim.warnings],
            "estimates": [e.as_dict() for e in self.claim.estimates],
        }


def replay_audit(
    root: Path, *, data: Path | None = None, external: Path | None = None, workers: int = 1, allow_code: bool = False
) -> Replay:
    """Audit again what a run audited, by the card or the network that it kept, and compare record by record.

    Parameters
    ----------
    root : Path
    data, external : Path, optional
        The cohorts, where they are no longer where the run left them; an external one is always named.
    workers : int
    allow_code : bool
        Whether code that the card of a network names may be run.

    Raises
    ------
    BadInput
        When the cohort is not there, the run had an external one and none is named, or the network is code that is not allowed.
    CheckFailed
        When the run does not verify.
    """
    refuse_changed(root)
    seal = read_seal(root)
    if seal.settings["external"] and external is None:
        raise BadInput(f"The audit in {root} had an external cohort; name it to replay.", item="external")
    with tempfile.TemporaryDirectory(prefix="onclair-replay-") as place:
        card: Path | None = Path(place, "card.toml")
        model = kept_model(root / STAGE / MODEL) if "model" in seal.settings else None
        if model is None:
            Path(place, "card.toml").write_text(tomli_w.dumps(json.loads((root / STAGE / "card.json").read_bytes())), encoding="utf-8")
        seeds, seed = int(seal.settings["seeds"]), int(seal.settings["seed"])
        asked = Audit(None if model else card, data or read_pointer(root), external, seeds, Path(place, "run"), workers, seed)
        again = replace(asked, model=model, allow_code=allow_code)
        return compared(root, Path(place, "run"), seal, audit(again).seal)


@dataclass(frozen=True, slots=True, eq=False)
class _Here:
    """What the parts of one audit share."""

    asked: Audit
    card: Card
    reading: Reading
    store: Store
    over: MapFunction
    settings: Mapping[str, Any]


def audit(asked: Audit) -> Audited:
    """Audit a card, or a network, on a cohort, going on with whatever is already there.

    Parameters
    ----------
    asked : Audit

    Returns
    -------
    Audited

    Raises
    ------
    BadSetting
        For a card and a network, or neither; for a card that cannot be read, or a feature that its engine does not have.
    BadInput
        For a network that cannot be used: executable content, code that is not allowed, an input that does not fit its card.
    BadCohort
        For a cohort that is inconsistent as a whole, without the outcome, of one class, or with patients that the network was trained on.
    BadCase
        For the first patient whose files cannot be used; the patients that were measured are kept.
    NoRoom
        When the folder cannot be written, is in use, or holds the finished run of something else.
    """
    card, reading = _model_of(asked)
    cohort, outcome = _checked(asked.data, card, reading)
    other = None if asked.external is None else _checked(asked.external, card, reading)
    settings = asked.settings(card, reading)
    with _folder(asked, settings) as out, opened(out) as store, pool(asked.workers) as over:
        here = _Here(asked, card, reading, store, over, settings)
        done = _measured(here, cohort, "", _typical(here, [cohort, *([other[0]] if other else [])]))
        records = {f"{DESCRIBE}/{d.patient}": d.evidence for d in done if d.evidence is not None}
        own = with_network(gathered(store, card, cohort, outcome, records), store, records)
        away: Rows | None = None
        if other is not None:
            further = _measured(here, other[0], EXTERNAL)
            more = {f"{DESCRIBE}/{EXTERNAL}{d.patient}": d.evidence for d in further if d.evidence is not None}
            away = gathered(store, card, other[0], other[1], more)
            records |= more
        found = judged(card, reading, own, away, seed=asked.seed)
        records[STAGE] = _write_claim(here, own, found, inputs_of(records))
        if asked.out is not None:
            records["report"] = write_report(store, audit_files, records[STAGE])
            write_pointer(out, asked.data)
        facts = {"kind": KIND, "study": "radiomics", "pointer": asked.out is not None, "claim": records[STAGE].id}
        seal = store.seal(Evidence("run", "", inputs_of(records), settings, "", environment(), facts=facts))
    reused = sum(d.reused for d in done)
    report = None if asked.out is None else asked.out / "report" / REPORT
    return Audited(records[STAGE], seal, report, reused, len(done) - reused)


#: The file of the report that a person opens, and the folder of the stage `validate` that keeps a network.
REPORT, MODEL = "report.html", "model"


def _model_of(asked: Audit) -> tuple[Card, Reading]:
    """Return the card, and what is measured on each patient for it."""
    if (asked.card is None) == (asked.model is None):
        found = "neither was given" if asked.card is None else "both were given"
        raise BadSetting(f"An audit is of a model card (--card) or of a network (--model), and {found}; give one of the two.", item="card")
    if asked.model is None:
        card = read_card(str(asked.card))
        return card, reading_of(card)
    card, engine = network_engine(asked.model, allow_code=asked.allow_code)
    return card, network_reading(card, engine)


def _typical(here: _Here, cohorts: list[Cohort]) -> Look | None:
    """Return the typical lesion, by which the controls of deep models are made; a sum of features needs none."""
    engine = here.reading.engine
    return typical_lesion(here.over, cohorts, here.reading, trained_on(engine)) if isinstance(engine, NetworkEngine) else None


def _checked(data: Path, card: Card, reading: Reading) -> tuple[Cohort, Outcome]:
    """Return the cohort of the patients to audit on, and what the card predicts."""
    cohort = read_cohort(data)
    outcome = cohort.outcome(card.about.outcome)
    if outcome.kind not in ("binary", "survival"):
        raise BadCohort(f"The outcome '{outcome.name}' is {outcome.kind}; an audit needs a binary or a survival one.", item=outcome.name)
    check = check_cohort(data, (reading.kind, "mask") if reading.kind else ("mask",), outcome)
    if check.problems:
        first = check.problems[0]
        others = len(check.bad) - 1
        more = f" {others} more cannot be used as they stand; `onclair cohort check` lists all." if others else ""
        raise BadCase(f"{first.sentence}{more} Mend or leave out such patients, then run again.", item=first.patient)
    return check.cohort, outcome


def _measured(here: _Here, cohort: Cohort, prefix: str, typical: Look | None = None) -> list[Described]:
    """Measure every patient, telling the listener; a killed run goes on from what it finds."""
    names = control_names(here.reading) if not prefix else ()
    changes = tuple(PERTURBATIONS) if not prefix else ()
    if here.card.model.kind == "survey":
        names = names[:1]
    controls = Controls(names, here.asked.seeds, here.asked.seed, changes, typical)
    occluded = asked_where(here.reading, cohort.patients) if not prefix else ()
    tasks = [
        MeasureTask(cohort.only({p}), p, here.reading, controls, here.store.root, f"{prefix}{p}", p in occluded) for p in cohort.patients
    ]
    done: list[Described] = []
    for each in here.over(measure_patient, tasks):
        done.append(each)
        here.asked.progress(Progress(DESCRIBE, len(done), len(tasks), each.patient, "reused" if each.reused else "done"))
    bad = [each for each in done if each.evidence is None]
    if bad:
        more = f" {len(bad) - 1} more cannot be used." if len(bad) > 1 else ""
        raise BadCase(f"{bad[0].reason}{more} Mend or leave out such patients, then run again: the others are kept.", item=bad[0].patient)
    return done


def _write_claim(here: _Here, rows: Rows, found: Judged, inputs: Mapping[str, str]) -> Evidence:
    """Write the stage `validate`: every figure, the gates and the verdict; or take it as it stands."""
    cohort, card = rows.cohort, here.card
    facts = {
        "kind": KIND,
        "title": cohort.about.title,
        "data": cohort.about.data,
        "licence": cohort.about.licence,
        "citation": cohort.about.citation,
        "card": {"name": card.name, "missing": list(card.missing)},
        "card_document": dict(card.document),
        "outcome": {"name": rows.outcome.name, "kind": rows.outcome.kind, "unit": rows.outcome.unit, "horizon": rows.outcome.horizon},
        "patients": rows.patients,
        "events": found.events,
        "gates": [gate.as_dict() for gate in found.gates],
        "verdict": found.verdict.as_dict(),
        "rules": list(RULES),
        "permutation_invariant": all(here.reading.invariant),
        "features": found.features,
        "survey": found.survey,
        "left_out": left_out([(str(w["patient"]), str(w["reason"])) for w in rows.left_out], cohort),
        "nearest": found.nearest,
        "centres": sorted(set(cohort.centre_of(list(rows.rivals.index)).astype(str))),
    }
    told = {**inputs, "outcomes": sha256_of(rows.told()), "card": card.sha256}
    engine = here.reading.engine
    if isinstance(engine, NetworkEngine):
        told["model"] = engine.sha256
        facts["network"] = engine.as_record()
    code = sha256_of([source_sha256(judged), source_sha256(audit)])
    fresh = Evidence(STAGE, "", told, here.settings, code, environment(), {}, tuple(found.estimates), facts, found.warnings)

    def fill(partial: Path) -> None:
        write_table(partial / "estimates.csv", pd.DataFrame([e.as_dict() for e in found.estimates]))
        write_table(partial / "scores.csv", found.scores)
        write_table(partial / "features.csv", rows.features.reset_index())
        (partial / "card.json").write_bytes(json_bytes(dict(card.document)))
        if isinstance(engine, NetworkEngine):
            keep_model(engine.path, card, partial / MODEL)

    kept = here.store.find(STAGE, fresh.key)
    same = kept is not None and replace(kept, outputs={}).id == fresh.id
    return kept if kept is not None and same else here.store.write(STAGE, fresh, fill)


@contextmanager
def _folder(asked: Audit, settings: Mapping[str, Any]) -> Iterator[Path]:
    """Give the run folder: the one asked for, or one that is gone afterwards."""
    if asked.out is None:
        with tempfile.TemporaryDirectory(prefix="onclair-audit-") as place:
            yield Path(place, "run")
        return
    for data in (asked.data, asked.external):
        if data is not None:
            refuse_around(asked.out, data)
    if asked.model is not None and asked.model.resolve().is_relative_to(asked.out.resolve()):
        raise NoRoom(f"The network {asked.model} lies in the run folder {asked.out}; choose another --out.", item=str(asked.out))
    if (asked.out / EVIDENCE).exists():
        sealed = read_evidence(asked.out)
        if sealed.facts.get("kind") != KIND:
            raise NoRoom(f"{asked.out} holds a finished run that is no audit; choose another --out.", item=str(asked.out))
        if dict(sealed.settings) != dict(settings):
            raise NoRoom(
                f"{asked.out} holds a finished audit of another model or with other settings; choose another --out.", item=str(asked.out)
            )
    yield asked.out


__all__ = ["Audit", "Audited", "audit", "replay_audit"]
