"""Writes down what a live session does, on a thread of its own: the loop never waits for a disk, and what was written stays whole."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onclair.core.errors import OnclairError
from onclair.io.instruments import Frame
from onclair.run.live_stream import Event
from onclair.run.session_events import EventsFile
from onclair.run.session_frames import SessionFrames

#: While the disk takes nothing: jobs kept, and the pause between two trials.
_KEPT, _PAUSE_S = 50_000, 0.25
#: Frames among them; beyond, the oldest are given up and counted.
_FRAMES_KEPT = 2_000


@dataclass(slots=True, eq=False)
class Clerk:
    """Writes events and frames in the order in which they come.

    Attributes
    ----------
    session : Path
        The session's folder.
    trouble : callable
        ``(sentence or None)``: called with what is wrong when the disk takes nothing more, and with None when it does again.
    given_up : int
        Frames that were not stored because the disk took nothing for too long.
    """

    session: Path
    trouble: Callable[[str | None], None]
    given_up: int = field(default=0, init=False)
    frames: SessionFrames = field(init=False)
    events: EventsFile = field(init=False)
    _jobs: deque[Callable[[], None]] = field(default_factory=deque, init=False)
    _waiting_frames: int = field(default=0, init=False)
    _came: threading.Condition = field(default_factory=threading.Condition, init=False)
    _closing: bool = field(default=False, init=False)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.frames = SessionFrames(self.session)
        self.events = EventsFile(self.session)
        self._thread = threading.Thread(target=self._work, name="live-clerk", daemon=True)

    def open(self) -> None:
        """Begin to write."""
        self._thread.start()

    def event(self, event: Event) -> None:
        """Have an event written; never waits."""
        self.do(lambda: self.events.write(event.record))

    def store(self, frames: Sequence[Frame]) -> None:
        """Have frames stored; never waits."""
        for frame in frames:
            if self._waiting_frames >= _FRAMES_KEPT:
                self.given_up += 1
                continue
            self._waiting_frames += 1
            self.do(lambda frame=frame: self._store(frame))  # type: ignore[misc]

    def do(self, job: Callable[[], None]) -> None:
        """Have anything else done after what was asked for before; an OSError means that it is tried again."""
        with self._came:
            if len(self._jobs) < _KEPT:
                self._jobs.append(job)
            self._came.notify()

    def close(self, timeout: float = 10.0) -> int:
        """Write what is left, and return how many jobs could not be done."""
        with self._came:
            self._closing = True
            self._came.notify()
        self._thread.join(timeout)
        return len(self._jobs)

    def _store(self, frame: Frame) -> None:
        if frame.frame not in self.frames:
            self.frames.store(frame)
        self._waiting_frames -= 1

    def _work(self) -> None:
        troubled = False
        while True:
            with self._came:
                self._came.wait_for(lambda: self._jobs or self._closing, timeout=1.0)
                if not self._jobs and self._closing:
                    break
                job = self._jobs[0] if self._jobs else None
            if job is None:
                continue
            fault = _tried(job)
            if fault is None:
                with self._came:
                    self._jobs.popleft()
                if troubled:
                    troubled = False
                    self.trouble(None)
                continue
            if not troubled:
                troubled = True
                self.trouble(fault)
            if self._closing:
                return
            threading.Event().wait(_PAUSE_S)
        _tried(self.events.close)


def _tried(job: Callable[[], None]) -> str | None:
    """Do a job; return what the disk said against it, None when it is done or can never be."""
    try:
        job()
    except OSError as error:
        why = (error.strerror or "it does not take it").lower()
        return f"The session's folder takes nothing more ({why}); free some room: what was written is intact, and the rest is kept."
    except OnclairError:
        return None
    return None
