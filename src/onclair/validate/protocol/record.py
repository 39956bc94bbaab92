"""The prospective protocol: lock a model, predict silently, enter outcomes later, look when the plan allows.

A protocol is a folder: ``plan.toml``; ``bundle/``, the locked model; ``log.jsonl`` and ``HEAD``, the chained log. Its records are
``lock``, ``prediction``, ``skipped``, ``outcome`` and ``look``, each ``{kind, time, body}`` under the chain's ``seq prev hash``.
Everything is decided with the log locked, so that two processes cannot predict one case twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onclair.core.errors import BadInput, BadSetting
from onclair.io.chainlog import ChainLog, Entry, Head, append, sign_head, transact
from onclair.io.files import sealed_folder
from onclair.io.signatures import read_private_key
from onclair.io.tables import read_table
from onclair.validate.protocol.bundle import Bundle, read_bundle, write_bundle
from onclair.validate.protocol.cases import Cases, InputCase, Outcomes, read_cases, read_outcomes, refuse_known

if TYPE_CHECKING:
    from onclair.validate.protocol.drifting import ProtocolDrift
    from onclair.validate.protocol.looks import Look

LOG = "log.jsonl"
Notes = tuple[Mapping[str, str], ...]
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """What the log of a protocol holds, by case.

    Attributes
    ----------
    predictions : mapping of case to mapping
        ``inputs`` and ``risk``, in the order of prediction.
    outcomes : mapping of case to int
        In the order in which they were entered.
    looks : tuple of int
        Events at the looks taken.
    rejected_at : int or None
        Look at which the null was rejected.
    """

    predictions: Mapping[str, Mapping[str, Any]]
    outcomes: Mapping[str, int]
    looks: tuple[int, ...] = ()
    rejected_at: int | None = None

    @property
    def risks(self) -> list[float]:
        """The risks of the cases with an outcome, in the order in which outcomes were entered."""
        return [float(self.predictions[case]["risk"]) for case in self.outcomes]

    @property
    def events(self) -> int:
        """Outcomes of 1."""
        return sum(self.outcomes.values())

    @property
    def awaited(self) -> int:
        """Predictions without an outcome."""
        return len(self.predictions) - len(self.outcomes)


@dataclass(frozen=True, slots=True)
class Locked:
    """What :func:`lock` did."""

    head: str
    model: str
    manifest: str
    notes: Notes = ()


@dataclass(frozen=True, slots=True)
class Predicted:
    """What :func:`predict` logged: case and risk in the order of the table, and case and reason of what was left out."""

    head: str
    predictions: tuple[tuple[str, float], ...]
    skipped: tuple[tuple[str, str], ...] = ()
    notes: Notes = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """What :func:`enter_outcomes` logged, and where the trial stands."""

    head: str
    entered: int
    events: int
    awaited: int
    next_look: int | None
    notes: Notes = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """What :func:`look` found and logged."""

    head: str
    look: Look
    drift: ProtocolDrift
    notes: Notes = ()


def chain_of(folder: str | Path) -> ChainLog:
    """Return the log of a protocol.

    Raises
    ------
    BadInput
        When the folder holds no protocol.
    """
    log = ChainLog(Path(folder) / LOG)
    if not log.path.is_file():
        raise BadInput(f"The folder {folder} holds no protocol; make one with `onclair protocol lock`.", item=str(folder))
    return log


def lock(
    model: str | Path, plan: str | Path, out: str | Path, *, reference: str | Path | None = None, now: datetime | None = None
) -> Locked:
    r"""Lock a model and a plan into a new protocol, whole or not at all.

    Parameters
    ----------
    model : path
        A logistic formula as one JSON file (``onclair-model/1``).
    plan : path
        TOML (``onclair-protocol/1``).
    out : path
        The protocol; must not exist, or be an empty folder.
    reference : path, optional
        Table of the patients that the model was made from, against whom drift is told; only quantiles of each input are kept.
    now : datetime, optional
        With its time zone.

    Raises
    ------
    BadModelFile, BadSetting, BadTable
        When the model, the plan or the reference cannot be used; nothing is written then.
    NoRoom
        When `out` is taken or cannot be written.

    Examples
    --------
    >>> import json, tempfile
    >>> formula = {"format": "onclair-model/1", "name": "m", "family": "logistic", "outcome": "y", "intercept": -1,
    ...            "terms": [{"input": "x", "coefficient": 0.5}]}
    >>> plan = 'format = "onclair-protocol/1"\ncolumns = {case = "id", truth = "y"}'
    >>> with tempfile.TemporaryDirectory() as home:
    ...     at = Path(home)
    ...     for name, text in {"m.json": json.dumps(formula), "plan.toml": plan, "cases.csv": "id,x\nP1,2"}.items():
    ...         _ = (at / name).write_text(text)
    ...     _ = lock(at / "m.json", at / "plan.toml", at / "trial")
    ...     predict(at / "trial", at / "cases.csv").predictions
    (('P1', 0.5),)
    """
    try:
        planned = Path(plan).read_bytes()
    except OSError as error:
        why = (error.strerror or "it does not open").lower()
        raise BadSetting(f"The plan {plan} cannot be read ({why}); correct its name after --plan.", item=str(plan)) from error
    table = read_table(reference) if reference is not None else None
    with sealed_folder(out) as partial:
        sealed = write_bundle(partial, Path(model), planned, table.frame if table else None)
        head = append(ChainLog(partial / LOG), {"kind": "lock", "body": sealed}, now=now).head
    return Locked(head, sealed["model"], sealed["manifest"], table.notes if table else ())


def predict(folder: str | Path, table: str | Path, *, skip_bad: bool = False, now: datetime | None = None) -> Predicted:
    """Log one prediction a case, before its outcome is known.

    Parameters
    ----------
    folder : path
        The protocol.
    table : path
        One row a case: its pseudonym and every input of the model.
    skip_bad : bool
        Leave out cases whose inputs are missing or out of range, and log that they were; else one of them refuses the batch.
    now : datetime, optional

    Raises
    ------
    BadInput
        For a changed bundle, an input missing or out of range, a case that was predicted before, or is named like a person.
    CheckFailed
        When the chain of the log does not hold.
    """
    notes: list[Mapping[str, str]] = []

    def _records(entries: Sequence[Entry]) -> list[Record]:
        bundle, state = _opened(folder, entries)
        cases = read_cases(table, bundle.plan.columns.case, bundle.formula)
        refuse_known((row.case for row in cases.rows), state.predictions, "a prediction")
        if not skip_bad:
            _refuse_bad(cases)
        notes.extend(cases.notes)
        return [_predicted(row, bundle) for row in cases.rows]

    receipt = transact(chain_of(folder), _records, now=now)
    bodies = [entry.fields["body"] for entry in receipt.entries]
    risks = tuple((body["case"], body["risk"]) for body in bodies if "risk" in body)
    skipped = tuple((body["case"], body["reason"]) for body in bodies if "reason" in body)
    return Predicted(receipt.head, risks, skipped, (*notes, *_torn(receipt.set_aside)))


def enter_outcomes(folder: str | Path, table: str | Path, *, now: datetime | None = None) -> Entered:
    """Log the outcomes of predicted cases, each once.

    Parameters
    ----------
    folder : path
    table : path
        One row a case: its pseudonym and the outcome, 0 or 1. A case whose outcome is not known yet is left out.
    now : datetime, optional

    Raises
    ------
    BadInput
        For a changed bundle, an outcome without a prediction, a second outcome, or one that is neither 0 nor 1.
    CheckFailed
        When the chain of the log does not hold.
    """
    answers: list[Entered] = []

    def _records(entries: Sequence[Entry]) -> list[Record]:
        bundle, state = _opened(folder, entries)
        given = read_outcomes(table, bundle.plan.columns.case, bundle.plan.columns.truth)
        _refuse_unpredicted(given, state)
        refuse_known(given.truth, state.outcomes, "an outcome")
        after = replace(state, outcomes={**state.outcomes, **given.truth})
        due = bundle.plan.looks.next_due(state.looks) if bundle.plan.looks else None
        answers.append(Entered("", len(given.truth), after.events, after.awaited, due, given.notes))
        return [{"kind": "outcome", "body": {"case": case, "truth": truth}} for case, truth in given.truth.items()]

    receipt = transact(chain_of(folder), _records, now=now)
    return replace(answers[0], head=receipt.head, notes=(*answers[0].notes, *_torn(receipt.set_aside)))


def look(folder: str | Path, *, now: datetime | None = None) -> Looked:
    """Take the look that is due, log it, and tell what has drifted.

    Parameters
    ----------
    folder : path
    now : datetime, optional

    Raises
    ------
    BadInput
        For a changed bundle, a plan without looks, or a look that is too early, repeated or not planned.
    CheckFailed
        When the chain of the log does not hold.
    """
    from onclair.validate.protocol.drifting import protocol_drift
    from onclair.validate.protocol.looks import judge_look  # here and not above, because predictions need none of the statistics

    answers: list[Looked] = []

    def _records(entries: Sequence[Entry]) -> list[Record]:
        bundle, state = _opened(folder, entries)
        if bundle.plan.looks is None:
            raise BadInput("The plan has no table [looks], so no look is planned; what was locked without looks is judged at its end.")
        truth = list(state.outcomes.values())
        found = judge_look(bundle.plan.looks, truth, state.risks, state.looks)
        drift = protocol_drift(bundle, [each["inputs"] for each in state.predictions.values()], truth, state.risks)
        answers.append(Looked("", found, drift, _after_the_end(state)))
        return [{"kind": "look", "body": {**found.as_dict(), "cases": len(truth), "drift_alerts": list(drift.alerts)}}]

    receipt = transact(chain_of(folder), _records, now=now)
    return replace(answers[0], head=receipt.head, notes=(*answers[0].notes, *_torn(receipt.set_aside)))


def sign(folder: str | Path, key: str | Path) -> Head:
    """Sign the end of a protocol's log; keep what is returned somewhere else than the protocol.

    Parameters
    ----------
    folder : path
    key : path
        Ed25519 private key (PEM) that only its owner may read.

    Raises
    ------
    BadInput
        When the key cannot be used.
    CheckFailed
        When the chain does not hold.
    """
    return sign_head(chain_of(folder), read_private_key(key))


def state_of(entries: Sequence[Entry]) -> State:
    """Return what a log holds, by case; the chain was checked before.

    Examples
    --------
    >>> made = [("prediction", {"case": "P1", "inputs": {}, "risk": 0.2}), ("outcome", {"case": "P1", "truth": 1})]
    >>> state_of([Entry(n, "", "", {"kind": kind, "body": body}) for n, (kind, body) in enumerate(made, 1)]).events
    1
    """
    bodies: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        bodies.setdefault(entry.fields["kind"], []).append(entry.fields["body"])
    looks = bodies.get("look", [])
    return State(
        {body["case"]: body for body in bodies.get("prediction", [])},
        {body["case"]: body["truth"] for body in bodies.get("outcome", [])},
        tuple(body["information"] for body in looks),
        next((body["index"] for body in looks if body["code"] == "rejected"), None),
    )


def _opened(folder: str | Path, entries: Sequence[Entry]) -> tuple[Bundle, State]:
    """Return the bundle, every byte as it was locked, and what the log holds."""
    if not entries or entries[0].fields.get("kind") != "lock":
        raise BadInput(f"The log in {folder} does not begin with what was locked; it is no log of a protocol.", item=str(folder))
    return read_bundle(Path(folder), entries[0].fields["body"]), state_of(entries)


def _predicted(row: InputCase, bundle: Bundle) -> Record:
    if row.fault:
        return {"kind": "skipped", "body": {"case": row.case, "reason": row.fault}}
    return {"kind": "prediction", "body": {"case": row.case, "inputs": dict(row.inputs), "risk": bundle.formula.risk(row.inputs)}}


def _refuse_bad(cases: Cases) -> None:
    bad = [row for row in cases.rows if row.fault]
    if bad:
        count = f"{len(bad)} of {len(cases.rows)} cases cannot be predicted, the first {bad[0].case}: {bad[0].fault}"
        raise BadInput(f"{count}. Nothing was logged: correct them, or leave them out with --skip-bad.", item=bad[0].case)


def _refuse_unpredicted(given: Outcomes, state: State) -> None:
    without = [case for case in given.truth if case not in state.predictions]
    if without:
        more = f" (and {len(without) - 1} more)" if len(without) > 1 else ""
        said = f"Case {without[0]}{more} has no prediction, so its outcome proves nothing. Nothing was logged: remove it."
        raise BadInput(said, item=without[0])


def _after_the_end(state: State) -> Notes:
    if state.rejected_at is None:
        return ()
    said = f"The null was rejected at look {state.rejected_at}; this look describes, and decides nothing more."
    return ({"code": "after_the_end", "text": said},)


def _torn(size: int) -> Notes:
    """Return what was set aside of a writer that was stopped."""
    said = f"{size} bytes that a stopped writer had left unfinished were set aside in {LOG}.torn; they never counted."
    return ({"code": "set_aside", "text": said},) if size else ()
