"""The folder of a session: made once, never used again, with what was locked when the session began.

``SESSION/session.json`` says what was locked; ``frames/`` holds the frames (:mod:`onclair.run.session_frames`); ``events.jsonl`` is what
happened (:mod:`onclair.run.session_events`); ``sites.jsonl`` and ``sites.head`` are the log of the biopsy sites
(:mod:`onclair.run.journal`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onclair.core.canonical import canonical_json
from onclair.core.errors import BadInput, NoRoom
from onclair.io.files import sealed_folder, sha256_file

FORMAT = "onclair-session/1"
SESSION, EVENTS, EVENTS_HEAD = "session.json", "events.jsonl", "events.head"
#: What ``session.json`` says of events whose lines are chained by hash.
CHAINED = "chained"


@dataclass(frozen=True, slots=True)
class Session:
    """A session's folder and what was locked when it began.

    Attributes
    ----------
    folder : Path
    about : mapping
        As ``session.json`` holds it: ``study subject data model calibration silent plan`` and what else was said of it.
    sha256 : str
        Of ``session.json``; every mark names it.
    """

    folder: Path
    about: Mapping[str, Any]
    sha256: str

    @property
    def events_path(self) -> Path:
        """What happened, a line an event."""
        return self.folder / EVENTS

    @property
    def silent(self) -> bool:
        """Whether answers are kept back until pathology is in."""
        return bool(self.about.get("silent"))

    def events(self) -> tuple[Mapping[str, Any], ...]:
        """Return the events so far; what is no event, such as a line cut short, is passed over."""
        return tuple(found for line in self._lines() if (found := _event(line)) is not None)

    def numbered_events(self) -> tuple[tuple[int, int | None], ...]:
        """Return the number of each whole line of the events with the number of its event, None where it holds none."""
        told = ((line, _event(data)) for line, data in enumerate(self._lines()[:-1], start=1))
        return tuple((line, None if found is None else found.get("seq")) for line, found in told)

    def _lines(self) -> list[bytes]:
        return self.events_path.read_bytes().split(b"\n") if self.events_path.is_file() else []


def new_session(folder: str | Path, about: Mapping[str, Any], beside: Mapping[str, bytes] | None = None) -> Session:
    """Make the folder of a session; a folder in use is refused, because a session is never continued nor written over.

    Parameters
    ----------
    folder : path
        Must not exist, or be empty.
    about : mapping
        Plain JSON values: ``study``, ``subject``, ``data`` ("real" or "virtual"), ``model`` and ``calibration`` (their ids, or None),
        ``silent``, ``plan``...
    beside : mapping of str to bytes, optional
        Files that are locked with it, by name.

    Raises
    ------
    NoRoom
        When something lies there already, or the disk is full.
    BadInput
        For values that JSON cannot hold.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     made = new_session(Path(home, "s1"), {"data": "virtual"})
    ...     read_session(made.folder).about["data"], read_session(made.folder).sha256 == made.sha256
    ('virtual', True)
    """
    try:
        data = canonical_json({"events": CHAINED, **about, "format": FORMAT}) + b"\n"
    except (TypeError, ValueError) as error:
        said = f"What is to be said of the session cannot be written as JSON ({error})"
        raise BadInput(f"{said}; give text, numbers, lists, tables.") from error
    if Path(folder).is_dir() and any(Path(folder).iterdir()):
        said = f"The session folder {folder} is in use; a session is never continued nor written over: choose another folder."
        raise NoRoom(said, item=str(folder))
    with sealed_folder(folder) as partial:
        for name, content in {**(beside or {}), SESSION: data}.items():
            (partial / name).write_bytes(content)
    return read_session(folder)


def given_back(session: Session) -> bool:
    """Remove the folder of a session that never began, so that its name may be used; return whether it was removed.

    Nothing is removed once there is a frame or a site, or a file that a session does not make before its first frame.
    """
    folder = session.folder
    early = {SESSION, EVENTS, EVENTS_HEAD, *session.about.get("beside", ())}
    frames = folder / "frames"
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not there or there - early - {frames.name} or (frames.is_dir() and any(frames.iterdir())):
        return False
    shutil.rmtree(folder)
    return True


def read_session(folder: str | Path) -> Session:
    """Return the session in a folder.

    Raises
    ------
    BadInput
        When there is none, or its ``session.json`` cannot be read.
    """
    path = Path(folder) / SESSION
    try:
        about = json.loads(path.read_bytes())
    except OSError as error:
        why = (error.strerror or "it does not open").lower()
        said = f"The folder {folder} holds no session ({SESSION}: {why}); give the folder of a live session."
        raise BadInput(said, item=str(folder)) from error
    except ValueError as error:
        raise BadInput(f"The {SESSION} in {folder} is no JSON; it was damaged: restore it from a copy.", item=str(folder)) from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise BadInput(f"The {SESSION} in {folder} is not of the format '{FORMAT}'; it is no session of this program.", item=str(folder))
    return Session(Path(folder), about, sha256_file(path))


def _event(line: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "kind" in found else None
