"""Prove a protocol: its chain, its bundle, every prediction from its logged inputs, the order of events, and the looks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onclair.core.errors import OnclairError
from onclair.io.chainlog import Entry, Head, Problem, verify, verify_signature
from onclair.validate.protocol.bundle import Bundle, bundle_problems, read_bundle
from onclair.validate.protocol.record import chain_of

#: How far a recomputed risk, and a recomputed figure of a look, may be from what was logged: other machines round otherwise.
RISK_TOLERANCE, LOOK_TOLERANCE = 1e-12, 1e-9
_KINDS = ("lock", "prediction", "skipped", "outcome", "look")


@dataclass(frozen=True, slots=True)
class ProtocolVerification:
    """What `onclair protocol verify` answers.

    Attributes
    ----------
    head : str
        Hash of the last record.
    records : int
    problems, notes : tuple of Problem
        Why the protocol proves nothing; and what a stopped writer left, which is harmless.
    counts : mapping of str to int
        Records by kind.
    """

    head: str
    records: int
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether everything holds."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON values."""
        return {
            "valid": self.valid,
            "records": self.records,
            "head": self.head,
            "counts": dict(self.counts),
            "problems": [problem.as_dict() for problem in self.problems],
            "warnings": [{"code": note.code, "text": note.message} for note in self.notes],
        }


@dataclass(slots=True)
class _Told:
    """What the records told so far, while they are read in their order."""

    bundle: Bundle | None
    risks: dict[str, float] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    looks: list[int] = field(default_factory=list)


def verify_protocol(
    folder: str | Path, head: str | None = None, *, public_key: bytes | None = None, signed: Head | None = None
) -> ProtocolVerification:
    """Recompute everything that a protocol claims; nothing is changed.

    Parameters
    ----------
    folder : path
    head : str, optional
        A head that was printed before, in hexadecimal digits; it must be found in the log, at its end or before.
    public_key : bytes, optional
        PEM; the head must then be signed by its private half.
    signed : Head, optional
        The signed head that was kept elsewhere; the one in HEAD when left out.

    Raises
    ------
    BadInput
        When the folder holds no protocol, or the key is none.
    """
    log = chain_of(folder)
    chain = verify(log, head)
    problems = list(chain.problems)
    if public_key is not None:
        problems += verify_signature(log, public_key, signed)
    bundle, broken = _bundle(Path(folder), chain.entries)
    problems += broken
    told = _Told(bundle)
    for entry in chain.entries:
        problems += _judged(entry, told)
    counts = {kind: sum(entry.fields.get("kind") == kind for entry in chain.entries) for kind in _KINDS}
    return ProtocolVerification(chain.head, len(chain.entries), tuple(problems), chain.notes, counts)


def _bundle(folder: Path, entries: tuple[Entry, ...]) -> tuple[Bundle | None, list[Problem]]:
    body = entries[0].fields.get("body") if entries else None
    if not entries or entries[0].fields.get("kind") != "lock" or not isinstance(body, Mapping):
        return None, [Problem("no_lock", 1, "The log does not begin with the record of what was locked.")]
    broken = bundle_problems(folder, body)
    if broken:
        return None, broken
    try:
        return read_bundle(folder, body), []
    except OnclairError as error:
        return None, [Problem("bundle", None, str(error))]


def _judged(entry: Entry, told: _Told) -> list[Problem]:
    """Return what is wrong with a record after those before it, which `told` keeps."""
    judge = {"lock": _lock, "prediction": _prediction, "skipped": _skipped, "outcome": _outcome, "look": _look}
    kind, body = entry.fields.get("kind"), entry.fields.get("body")
    if kind not in judge or not isinstance(body, Mapping) or set(entry.fields) != {"kind", "time", "body"}:
        return [Problem("malformed", entry.seq, f"Record {entry.seq} is no record of a protocol.")]
    try:
        return [Problem(code, entry.seq, f"Record {entry.seq}: {said}") for code, said in judge[kind](entry, body, told)]
    except (KeyError, TypeError, ValueError, OnclairError) as error:
        return [Problem("malformed", entry.seq, f"Record {entry.seq} ({kind}) cannot be judged ({error}).")]


_Faults = list[tuple[str, str]]


def _lock(entry: Entry, body: Mapping[str, Any], told: _Told) -> _Faults:
    del body, told
    return [] if entry.seq == 1 else [("order", "a bundle was locked after the first record.")]


def _skipped(entry: Entry, body: Mapping[str, Any], told: _Told) -> _Faults:
    del entry, told
    return [] if set(body) == {"case", "reason"} else [("malformed", "a case was left out without a reason.")]


def _prediction(entry: Entry, body: Mapping[str, Any], told: _Told) -> _Faults:
    del entry
    case, logged, faults = str(body["case"]), float(body["risk"]), []
    if case in told.outcomes:
        faults.append(("order", f"case {case} was predicted after its outcome."))
    if case in told.risks:
        faults.append(("second_prediction", f"case {case} was predicted before."))
    told.risks.setdefault(case, logged)
    if told.bundle is not None:
        formula, inputs = told.bundle.formula, body["inputs"]
        bad = formula.fault(inputs)
        if bad or set(inputs) != {each.name for each in formula.inputs}:
            return [*faults, ("inputs", f"the inputs of case {case} are not those of the model ({bad or 'another number of them'}).")]
        again = formula.risk(inputs)
        if not math.isclose(again, logged, rel_tol=0, abs_tol=RISK_TOLERANCE):
            faults.append(("risk", f"the locked model gives case {case} the risk {again!r}, not {logged!r}."))
    return faults


def _outcome(entry: Entry, body: Mapping[str, Any], told: _Told) -> _Faults:
    del entry
    case, truth, faults = str(body["case"]), body["truth"], []
    if truth not in (0, 1):
        return [("malformed", f"the outcome of case {case} is neither 0 nor 1.")]
    if case not in told.risks:
        faults.append(("order", f"case {case} has an outcome and no prediction before it."))
    if case in told.outcomes:
        faults.append(("second_outcome", f"case {case} had an outcome before."))
    told.outcomes.setdefault(case, truth)
    return faults


def _look(entry: Entry, body: Mapping[str, Any], told: _Told) -> _Faults:
    del entry
    if told.bundle is None:
        return []
    plan = told.bundle.plan.looks
    if plan is None:
        return [("look", "a look was taken and none is planned.")]
    from onclair.validate.protocol.looks import judge_look  # here and not above, because a log without looks needs none of the statistics

    judged = [case for case in told.outcomes if case in told.risks]
    again = judge_look(plan, [told.outcomes[case] for case in judged], [told.risks[case] for case in judged], told.looks)
    told.looks.append(again.information)
    plain = again.as_dict()
    differ = [name for name in ("index", "information", "z", "boundary", "decision", "code") if not _alike(plain[name], body[name])]
    return [("look", f"{name} of the look is {body[name]!r}, and {plain[name]!r} when computed again.") for name in differ]


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=LOOK_TOLERANCE, abs_tol=LOOK_TOLERANCE)
    return bool(one == other)
