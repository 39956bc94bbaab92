"""The log of a session's biopsy sites: what was marked, what was reviewed, what pathology said; never edited, only added to.

Rows of ``sites.jsonl`` are ``mark``, ``review``, ``pathology`` and, where a session was silent, one ``opening``; each names the hash
of the one before (:mod:`onclair.io.chainlog`), and ``sites.head`` says where the log ends. The frames that a mark rests on are on
the disk before it is acknowledged. A second pathology of a site is a new row.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from onclair.core.canonical import plain_float
from onclair.core.errors import BadInput, CheckFailed, NoRoom
from onclair.io.chainlog import Entry, Receipt, transact
from onclair.io.instruments import Pose
from onclair.run.live_parts import Mark as LiveMark
from onclair.run.live_parts import Marker, Outcome
from onclair.run.plain_values import plain
from onclair.run.sealed import sealed_row
from onclair.run.session_events import bound
from onclair.run.session_folder import Session
from onclair.run.session_frames import INDEX, Stored
from onclair.run.sites import RESULT, log_of, refuse_unknown, sites_of

ACTIONS = ("accept", "modify", "reject")
#: The author of a mark for which nobody was named.
UNNAMED = "not named"


@dataclass(frozen=True, slots=True, eq=False)
class SiteMark:
    """A site as it is to be logged.

    Attributes
    ----------
    frames : tuple of Stored
        The stored frames that the answer rests on, in the order in which the step took them.
    result : mapping
        What the step said, by the names in :data:`RESULT` (:func:`result_of`).
    settings_id : str
    pose : Pose or None
        Logged in LPS.
    pose_age_ms : float or None
        At the moment of the frame.
    note, author : str
        The author is a person, or the script that stands for one.
    events : mapping or None
        ``seq hash`` of the last event before the mark; that of the session's file where nobody says.
    """

    frames: tuple[Stored, ...]
    result: Mapping[str, Any]
    settings_id: str = ""
    pose: Pose | None = None
    pose_age_ms: float | None = None
    note: str = ""
    author: str = ""
    events: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """An acknowledged mark: it and its frames are on the disk.

    Attributes
    ----------
    site : int
    hash : str
        Of its row; keep it elsewhere (an event, a screen), and a cut tail shows.
    set_aside : int
        Bytes that a killed writer had left unfinished before it.
    """

    site: int
    hash: str
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class Pathology:
    """What pathology said of one site.

    Attributes
    ----------
    site : int
    diagnosis : str
    infiltration : float or None
        Share of tumour cells, 0 to 1.
    further : mapping of str to str
        Other columns, as they were written.
    """

    site: int
    diagnosis: str
    infiltration: float | None = None
    further: Mapping[str, str] = field(default_factory=dict)


def mark(session: Session, given: SiteMark, *, now: datetime | None = None) -> Marked:
    """Log a site and return its number once the row, and every frame that it names, is on the disk.

    Parameters
    ----------
    session : Session
    given : SiteMark
    now : datetime, optional
        With its time zone.

    Raises
    ------
    BadInput
        Without a frame or an author, for a result that lacks a key of :data:`RESULT`, of another model than the session's, and in a
        silent session after its answers were opened.
    CheckFailed
        When a frame is not stored as its hash says, or the chain does not hold.
    NoRoom
        When the disk is full; the log is then as it was.
    """
    row = _row(session, given)
    made: list[int] = []

    def _records(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
        made.append(1 + max((int(e.fields["site"]) for e in entries if e.fields["kind"] == "mark"), default=0))
        numbered = {"kind": "mark", "site": made[0], **row}
        return [sealed_row(session, numbered, entries) if session.silent else numbered]

    receipt = transact(log_of(session), _records, now=now)
    return Marked(made[0], receipt.head, receipt.set_aside)


def marker(session: Session) -> Marker:
    """Return what writes the marks of a live session, and adds ``site`` and ``row_hash`` to its ``mark`` events.

    A full disk is told as OSError, so that the loop tries again: no mark is lost for want of room.
    """

    def _marked(given: LiveMark) -> Mapping[str, Any]:
        try:
            made = mark(session, from_live(given, str(session.about.get("operator") or UNNAMED)))
        except NoRoom as error:
            raise OSError(errno.ENOSPC, str(error)) from error
        return {"site": made.site, "row_hash": made.hash}

    return _marked


def from_live(given: LiveMark, operator: str = UNNAMED) -> SiteMark:
    """Return a mark of the live loop as the log takes it; `operator` stands where a pedal or a script names nobody."""
    measurement = given.judged.measurement
    pose = None
    if measurement.pose is not None:
        pose = Pose(measurement.pose, 0.0, "LPS", measurement.frame_of_reference, measurement.registration_error_mm)
    age = given.judged.pose_age_ms if pose is not None else None
    by = given.by.strip() or operator
    return SiteMark(given.frames, result_of(given.judged.outcome), measurement.settings_id, pose, age, given.note, by, given.events)


def result_of(outcome: Outcome) -> dict[str, Any]:
    """Return what a step said as a mark logs it: every name of :data:`RESULT`, None or empty where the step did not say it.

    Examples
    --------
    >>> result_of(Outcome("suspect", detail={"probability": 0.9, "prediction_set": ["suspect"]}))["probability"]
    0.9
    """
    detail = plain(outcome.detail)
    empty: dict[str, Any] = {"probability": None, "prediction_set": [], "amounts": {}, "quality": [], "inputs": {}}
    said = {name: value if detail.get(name) is None else detail[name] for name, value in empty.items()}
    more = {name: detail[name] for name in ("model",) if name in detail}
    return {"answer": outcome.answer, "reason": outcome.reason, "blank": outcome.blank, **said, **more}


def review(session: Session, site: int, action: str, by: str, *, reason: str = "", now: datetime | None = None) -> Receipt:
    """Log that a named person accepts, modifies or rejects the answer at a site.

    Parameters
    ----------
    session : Session
    site : int
    action : {"accept", "modify", "reject"}
    by : str
    reason : str
        Needed to modify or reject.
    now : datetime, optional

    Raises
    ------
    BadInput
        For an unknown site or action, no name, no reason where one is needed, or an answer that is still sealed.
    """
    if action not in ACTIONS:
        raise BadInput(f"The review of site {site} says '{action}'; say {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.", item=action)
    if not by.strip() or (action != "accept" and not reason.strip()):
        lacking = "who reviews" if not by.strip() else f"why the answer is to be {'modified' if action == 'modify' else 'rejected'}"
        raise BadInput(f"The review of site {site} does not say {lacking}; add it.", item=str(site))

    def _records(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
        known = {each.number: each for each in sites_of(entries)}
        refuse_unknown([site], known)
        if known[site].sealed:
            raise BadInput(f"The answer at site {site} is sealed until pathology is in; it cannot be reviewed yet.", item=str(site))
        return [{"kind": "review", "site": site, "action": action, "reason": reason.strip(), "by": by.strip(), **bound(session)}]

    return transact(log_of(session), _records, now=now)


def enter_pathology(
    session: Session, rows: Sequence[Pathology], *, source: Mapping[str, str], by: str = "", now: datetime | None = None
) -> Receipt:
    """Log what pathology said, all rows or none; what was said before of a site stays in the log.

    Parameters
    ----------
    session : Session
    rows : sequence of Pathology
    source : mapping
        ``file`` and ``sha256`` of the table they came from.
    by : str
        Who entered them.
    now : datetime, optional

    Raises
    ------
    BadInput
        For a site that was never marked, naming it.
    """

    def _records(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
        refuse_unknown([row.site for row in rows], {each.number: each for each in sites_of(entries)})
        return [{"kind": "pathology", **_said(row), "source": dict(source), "by": by.strip(), **bound(session)} for row in rows]

    return transact(log_of(session), _records, now=now)


def fault_of(session: Session, file: str, sha256: str, *, sync: bool = False) -> str | None:
    """Return what is wrong with a stored frame, in the middle of a sentence; None when the file is as its hash says.

    Parameters
    ----------
    session : Session
    file : str
        Below the session's folder.
    sha256 : str
    sync : bool
        Return only once file and folder are on the disk for good.
    """
    path = session.folder / file
    if Path(file).is_absolute() or ".." in Path(file).parts:
        return "lies outside of the session"
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return "is missing"
    with os.fdopen(handle, "rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
        if sync:
            os.fsync(stream.fileno())
    if sync:
        _sync_folders(path.parent)
    return None if found == sha256 else "was changed after it was stored"


def _row(session: Session, given: SiteMark) -> dict[str, Any]:
    """Return the fields of a mark without its number, everything that it rests on checked."""
    if not given.frames or not given.author.strip():
        lacking = "name a stored frame" if not given.frames else "say who marks"
        raise BadInput(f"The mark does not {lacking}; every mark does. Nothing was logged.", item="mark")
    for stored in given.frames:
        if fault := fault_of(session, stored.file, stored.sha256, sync=True):
            raise CheckFailed(
                f"The frame '{stored.frame}' of the mark {fault}; nothing was logged: take the point again.", item=stored.frame
            )
    result = plain(given.result)
    if absent := [name for name in RESULT if name not in result]:
        raise BadInput(f"The answer to be marked lacks '{absent[0]}'; nothing was logged: give all of {', '.join(RESULT)}.", item=absent[0])
    locked, used = session.about.get("model"), result.pop("model", None)
    if used is not None and used != locked:
        said = f"The session locked the model {_named(locked)}, and the answer is of {_named(used)}"
        raise BadInput(f"{said}; a refitted model needs a session of its own. Nothing was logged.", item="model")
    return {
        "frames": [{"frame": each.frame, "file": each.file, "sha256": each.sha256} for each in given.frames],
        "session": session.sha256,
        "settings_id": given.settings_id,
        "calibration": session.about.get("calibration"),
        "model": locked,
        **result,
        **_posed(given),
        "note": given.note,
        "author": given.author.strip(),
        **(bound(session) if given.events is None else {"events": dict(given.events)}),
    }


def _sync_folders(folder: Path) -> None:
    for place in (folder, folder / INDEX):
        if place.exists():
            handle = os.open(place, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _posed(given: SiteMark) -> dict[str, Any]:
    pose = given.pose
    return {
        "pose": None if pose is None else plain(pose.lps),
        "frame_of_reference": None if pose is None else pose.frame_of_reference,
        "pose_age_ms": None if given.pose_age_ms is None else plain_float(given.pose_age_ms),
        "registration_error_mm": None if pose is None else pose.registration_error_mm,
    }


def _named(model: Any) -> str:
    if isinstance(model, Mapping):
        return " ".join(str(model[key])[:12] for key in ("id", "version", "sha256") if model.get(key)) or "without a name"
    return str(model)


def _said(row: Pathology) -> dict[str, Any]:
    return {"site": row.site, "diagnosis": row.diagnosis, "infiltration": row.infiltration, "further": dict(row.further)}
