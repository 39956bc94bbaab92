"""What is wrong with a session's log, row by row: the chain, the frames behind each mark, the sealed answers, what events saw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import chain as joined
from typing import Any

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput, OnclairError
from onclair.io.chain_files import read_head
from onclair.io.chainlog import Chain, Entry, Head, Problem, verify
from onclair.run.journal import fault_of
from onclair.run.sealed import locked_plan, unsealed
from onclair.run.session_events import event_faults
from onclair.run.session_folder import SESSION, Session, read_session
from onclair.run.session_frames import stored_frames
from onclair.run.sites import LOG, RESULT, log_of

#: Every kind of row, and the fields that it cannot be without.
_NEEDED = {
    "mark": ("site", "frames", "session", "settings_id", "model", "calibration", "pose", "note", "author", *RESULT),
    "review": ("site", "action", "by"),
    "pathology": ("site", "diagnosis", "infiltration", "source"),
    "opening": ("answers",),
}


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong, and where.

    Attributes
    ----------
    code : str
        Of the chain (``edited missing out_of_order repeated broken_link cut`` ...), or ``frame session sealed site event row``.
    row : int or None
        Of the log, from 1; None when the fault lies in none.
    site : int or None
        That the row is of, where that can still be read.
    message : str
        One sentence.
    """

    code: str
    row: int | None
    site: int | None
    message: str


@dataclass(frozen=True, slots=True)
class SiteLogVerification:
    """What verifying a log found.

    Attributes
    ----------
    sites, rows : int
    head : str
        Hash of the last row: keep it elsewhere, and a cut tail shows even where head and log were cut together.
    problems : tuple of RowProblem
    notes : tuple of mapping
        ``code text``: what a killed writer left behind, harmless and told.
    """

    sites: int
    rows: int
    head: str
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[Mapping[str, str], ...] = ()

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the verification as plain JSON values."""
        return {
            "valid": self.valid,
            "sites": self.sites,
            "rows": self.rows,
            "head": self.head,
            "problems": [asdict(problem) for problem in self.problems],
            "warnings": [dict(note) for note in self.notes],
        }


def verify_session(folder: Any, head: str | None = None) -> SiteLogVerification:
    """Return every problem of a session's log; nothing is raised for one, and nothing mended.

    Parameters
    ----------
    folder : path
    head : str, optional
        The hash of a mark that was acknowledged and kept elsewhere; it must be found in the log.

    Raises
    ------
    BadInput
        When the folder holds neither a session nor a log.
    """
    try:
        session, broken = read_session(folder), []
    except BadInput as error:
        session = Session(_existing(folder, error), {}, "")
        broken = [RowProblem("session", None, None, str(error))]
    log = log_of(session)
    found = verify(log, head) if log.path.exists() or log.head_path.exists() else Chain(())
    said = _sites_of_lines(session)
    problems = list(joined(broken, _chain_problems(session, found, said)))
    for entry in found.entries:
        problems += _row_problems(session, entry)
    problems += _numbering(found.entries)
    problems += _stored_problems(session, found.entries)
    problems += _events_against(session, found.entries)
    faults, told = event_faults(session, found.entries)
    problems += [_event_problem(row, text) for row, text in faults]
    marks = sum(entry.fields.get("kind") == "mark" for entry in found.entries)
    notes = (*({"code": note.code, "text": note.message} for note in found.notes), *told)
    return SiteLogVerification(marks, len(found.entries), found.head, _each_once(problems), notes)


def _existing(folder: Any, error: BadInput) -> Any:
    from pathlib import Path

    if not (Path(folder) / LOG).exists():
        raise error
    return Path(folder)


def _sites_of_lines(session: Session) -> dict[int, tuple[str, int | None]]:
    """Return kind and site of each line of the log that can still be read, by its number."""
    path = session.folder / LOG
    told: dict[int, tuple[str, int | None]] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n") if path.is_file() else (), start=1):
        try:
            fields = json.loads(line)
            site = fields.get("site")
            told[number] = (str(fields.get("kind")), site if type(site) is int else None)
        except (ValueError, AttributeError):
            continue
    return told


def _chain_problems(session: Session, found: Chain, said: Mapping[int, tuple[str, int | None]]) -> list[RowProblem]:
    problems = []
    for problem in found.problems:
        if problem.code == "cut":
            problems.append(_cut(session, found, problem))
            continue
        kind, site = said.get(problem.line or 0, ("", None))
        what = "" if problem.line is None else f"Row {problem.line}"
        what += f" (the {kind} of site {site})" if what and site is not None else ""
        problems.append(RowProblem(problem.code, problem.line, site, f"{what}: {problem.message}" if what else problem.message))
    return problems


def _cut(session: Session, found: Chain, problem: Problem) -> RowProblem:
    head = read_head(log_of(session))
    first = found.entries[-1].seq + 1 if found.entries else 1
    last = head.seq if isinstance(head, Head) else first
    named = f"Row {first} is missing" if last <= first else f"Rows {first} to {last} are missing"
    return RowProblem("cut", first, None, f"{named}: {problem.message}")


def _row_problems(session: Session, entry: Entry) -> list[RowProblem]:
    """Return what is wrong with one row besides its place in the chain."""
    kind, fields = str(entry.fields.get("kind")), entry.fields
    site = fields.get("site") if type(fields.get("site")) is int else None
    absent = [name for name in _NEEDED.get(kind, ("kind",)) if name not in fields]
    if kind not in _NEEDED or absent:
        what = f"lacks '{absent[0]}'" if kind in _NEEDED else f"is of an unknown kind '{kind}'"
        return [RowProblem("row", entry.seq, site, f"Row {entry.seq} {what}.")]
    checks = (_session_faults, _frame_faults, _seal_faults) if kind == "mark" else ()
    try:
        said = [told for check in checks for told in check(session, fields)]
        return [RowProblem(code, entry.seq, site, f"Row {entry.seq} (site {site}): {text}") for code, text in said]
    except (KeyError, TypeError, AttributeError) as error:
        return [RowProblem("row", entry.seq, site, f"Row {entry.seq} cannot be read ({error}).")]


_Faults = Iterable[tuple[str, str]]


def _session_faults(session: Session, fields: Mapping[str, Any]) -> _Faults:
    if session.sha256 and fields["session"] != session.sha256:
        yield "session", f"it was marked under another {SESSION} than the one that lies there."


def _frame_faults(session: Session, fields: Mapping[str, Any]) -> _Faults:
    for each in fields["frames"]:
        if fault := fault_of(session, str(each["file"]), str(each["sha256"])):
            yield "frame", f"its frame '{each['frame']}' ({each['file']}) {fault}."


def _seal_faults(session: Session, fields: Mapping[str, Any]) -> _Faults:
    if fields.get("sealed"):
        try:
            unsealed(session, fields)
        except OnclairError as error:
            yield "sealed", str(error)


def _numbering(entries: Iterable[Entry]) -> list[RowProblem]:
    """Return sites numbered out of turn, rows of unknown sites, and an opening that does not say what was committed to."""
    problems: list[RowProblem] = []
    commitments: dict[Any, str | None] = {}
    for entry in entries:
        fields, site = entry.fields, entry.fields.get("site")
        if fields.get("kind") == "mark":
            if site != len(commitments) + 1:
                said = f"Row {entry.seq}: site {site} stands where site {len(commitments) + 1} was due."
                problems.append(RowProblem("site", entry.seq, site, said))
            commitments[site] = (fields.get("sealed") or {}).get("commitment")
        elif site is not None and site not in commitments:
            problems.append(RowProblem("site", entry.seq, site, f"Row {entry.seq}: site {site} was not marked before it."))
        for number, envelope in (fields.get("answers") or {}).items():
            if sha256_of(envelope) != commitments.get(int(number)):
                said = f"Row {entry.seq}: the answer opened at site {number} is not the one that its mark committed to."
                problems.append(RowProblem("sealed", entry.seq, int(number), said))
    return problems


def _stored_problems(session: Session, entries: Iterable[Entry]) -> list[RowProblem]:
    """Return what is wrong with frames that no mark names, and with the locked plan."""
    named = {each.get("file") for entry in entries for each in entry.fields.get("frames") or () if isinstance(each, Mapping)}
    problems = []
    try:
        for stored in stored_frames(session.folder):
            if stored.file not in named and (fault := fault_of(session, stored.file, stored.sha256)):
                problems.append(
                    RowProblem("frame", None, None, f"The frame '{stored.frame}' ({stored.file}), which no site names, {fault}.")
                )
        locked_plan(session)
    except OnclairError as error:
        problems.append(RowProblem("session", None, None, str(error)))
    return problems + _calibration_problems(session)


def _calibration_problems(session: Session) -> list[RowProblem]:
    locked = session.about.get("calibration")
    if not isinstance(locked, Mapping) or "file" not in locked:
        return []
    fault = fault_of(session, str(locked["file"]), str(locked.get("sha256")))
    return [RowProblem("session", None, None, f"The calibration ({locked['file']}) {fault}.")] if fault else []


def _events_against(session: Session, entries: Iterable[Entry]) -> list[RowProblem]:
    """Return the marks that the events saw acknowledged, and the log does not hold any more."""
    hashes = {entry.hash for entry in entries}
    problems = []
    for event in session.events():
        lost = event.get("kind") == "mark" and isinstance(event.get("row_hash"), str) and event["row_hash"] not in hashes
        if lost:
            said = (
                f"The mark of site {event.get('site')} that event {event.get('seq')} saw acknowledged is not in the log: cut or rewritten."
            )
            problems.append(RowProblem("event", None, event.get("site"), said))
    return problems


def _event_problem(row: Entry | None, text: str) -> RowProblem:
    if row is None:
        return RowProblem("event", None, None, text)
    site = row.fields.get("site") if type(row.fields.get("site")) is int else None
    named = f"Row {row.seq}" if site is None else f"Row {row.seq} (site {site})"
    return RowProblem("event", row.seq, site, f"{named}: {text}")


def _each_once(problems: Iterable[RowProblem]) -> tuple[RowProblem, ...]:
    return tuple(dict.fromkeys(problems))
