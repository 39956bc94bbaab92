"""The events of a session on disk: a chained log of its own, bound into the log of the sites by hash.

Every line of ``events.jsonl`` names the hash of the one before it, as the log of the sites does; ``events.head`` says where the events
ended. A row of ``sites.jsonl`` names the last event before it, so that events up to there cannot be changed without the log of the sites.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onclair.io.chain_files import Head, write_head
from onclair.io.chain_records import Entry, parsed, written
from onclair.io.chainlog import ChainLog, verify
from onclair.run.plain_values import plain
from onclair.run.session_folder import CHAINED, EVENTS, EVENTS_HEAD, Session
from onclair.run.session_frames import append_line

#: The last line of a file is sought in so many bytes.
_TAIL = 1 << 22


@dataclass(slots=True, eq=False)
class EventsFile:
    """Where the events of a running session are written, from one thread.

    Attributes
    ----------
    folder : Path
        The session's, whose events begin here.
    """

    folder: Path
    _last: Head = field(default_factory=Head, init=False)

    @property
    def end(self) -> Mapping[str, Any]:
        """Number and hash of the last event written."""
        return {"seq": self._last.seq, "hash": self._last.hash}

    def write(self, record: Mapping[str, Any]) -> None:
        """Write an event, whole or not at all.

        Parameters
        ----------
        record : mapping
            With its ``seq``; one that was left out before it shows as a gap.

        Raises
        ------
        OSError
            When the disk does not take it; it may be tried again.
        """
        fields = plain({name: value for name, value in record.items() if name != "seq"})
        entry, line = written(fields, int(record["seq"]), self._last.hash)
        append_line(self.folder / EVENTS, line)
        self._last = Head(entry.seq, entry.hash, str(fields.get("time")))

    def sync(self) -> None:
        """Return once what was written is on the disk for good."""
        if self._last.seq:
            handle = os.open(self.folder / EVENTS, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def close(self) -> None:
        """Say where the events ended."""
        if self._last.seq:
            self.sync()
            write_head(_log(self.folder), self._last)


def bound(session: Session) -> dict[str, Any]:
    """Return ``{"events": {seq, hash}}`` of the last event that a session has so far, to go into a row of the log; empty without one."""
    path = session.folder / EVENTS
    if session.about.get("events") != CHAINED or not path.is_file():
        return {}
    with path.open("rb") as stream:
        stream.seek(max(stream.seek(0, os.SEEK_END) - _TAIL, 0))
        *whole, _ = stream.read().split(b"\n")
    last = parsed(whole[-1], len(whole)) if whole else None
    return {"events": {"seq": last.seq, "hash": last.hash}} if isinstance(last, Entry) else {}


def event_faults(session: Session, rows: Iterable[Entry]) -> tuple[list[tuple[Entry | None, str]], list[Mapping[str, str]]]:
    """Return what is wrong with the events, each with the row of the log that shows it or None, and what is only to be noted.

    Parameters
    ----------
    session : Session
    rows : iterable of Entry
        Of ``sites.jsonl``.
    """
    ties = [(row, row.fields["events"]) for row in rows if isinstance(row.fields.get("events"), Mapping)]
    if session.about.get("events") != CHAINED:
        return _unchained(session)
    log = _log(session.folder)
    if not log.path.exists():
        gone = bool(ties) or log.head_path.exists() or (session.folder / "frames" / "index.jsonl").exists()
        return ([(None, f"{EVENTS} is missing: it was removed.")], []) if gone else ([], [])
    found = verify(log)
    faults: list[tuple[Entry | None, str]] = [(None, f"{EVENTS}: {each.message}") for each in found.problems if each.code != "head_missing"]
    notes: list[Mapping[str, str]] = [{"code": f"events_{each.code}", "text": f"{EVENTS}: {each.message}"} for each in found.notes]
    known = {entry.seq: entry.hash for entry in found.entries}
    lost = [(row, tie) for row, tie in ties if tie.get("seq") and known.get(tie["seq"]) != tie.get("hash")]
    faults += [(row, f"event {tie['seq']}, the last before it, is not in {EVENTS} as it was: removed or rewritten.") for row, tie in lost]
    if any(each.code == "head_missing" for each in found.problems):
        notes.append(_open_end(found.entries, ties))
    return faults, notes


def _open_end(entries: tuple[Entry, ...], ties: list[tuple[Entry, Any]]) -> Mapping[str, str]:
    last, tied = entries[-1].seq if entries else 0, max((int(tie.get("seq") or 0) for _, tie in ties), default=0)
    said = f"The session did not come to its end in order: its events stop at {last}"
    return {"code": "events_open", "text": f"{said}, and the log of the sites vouches for those up to {tied}."}


def _unchained(session: Session) -> tuple[list[tuple[Entry | None, str]], list[Mapping[str, str]]]:
    """Return the faults of events that name no hash: only lines that are none and gaps show."""
    path = session.folder / EVENTS
    if not path.is_file():
        return [], []
    told = session.numbered_events()
    faults: list[tuple[Entry | None, str]] = []
    due = 1
    for line, seq in told:
        if seq is None:
            faults.append((None, f"{EVENTS}: Line {line} cannot be read as an event; it was changed or damaged."))
        elif seq != due:
            faults.append((None, f"{EVENTS}: Line {line} holds event {seq} where event {due} was due: removed or moved."))
        due = due + 1 if seq is None else seq + 1
    text = f"{EVENTS} names no hashes: a line that was edited does not show."
    return faults, [{"code": "events_unchained", "text": text}]


def _log(folder: Path) -> ChainLog:
    return ChainLog(folder / EVENTS, head_name=EVENTS_HEAD)


__all__ = ["EventsFile", "bound", "event_faults"]
