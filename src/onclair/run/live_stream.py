"""The one stream of a live session: numbered events, for whoever listens and for the session's file."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

Item = TypeVar("Item")
EventKind = Literal["status", "measurement", "decision", "blank", "mark"]


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One event.

    Attributes
    ----------
    record : mapping
        Plain JSON values: ``seq kind at_s time`` and what the kind adds.
    carried : object
        What a listener in this process may want besides, such as the measurement itself; never in the file.
    """

    record: Mapping[str, Any]
    carried: Any = None

    @property
    def kind(self) -> str:
        """Of :data:`EventKind`."""
        return str(self.record["kind"])

    @property
    def seq(self) -> int:
        """From 1, without gaps."""
        return int(self.record["seq"])


@dataclass(slots=True, eq=False)
class Bounded(Generic[Item]):
    """A queue that never makes its writer wait: when it is full, the oldest goes.

    Attributes
    ----------
    size : int
    dropped : int
        How many went so.

    Examples
    --------
    >>> queue = Bounded(2)
    >>> for item in "abc":
    ...     queue.put(item)
    >>> queue.get(0.0), queue.dropped
    ('b', 1)
    """

    size: int
    dropped: int = 0
    _held: deque[Item] = field(default_factory=deque, init=False)
    _came: threading.Condition = field(default_factory=threading.Condition, init=False)

    def put(self, item: Item) -> None:
        """Leave an item; never waits."""
        with self._came:
            if len(self._held) >= self.size:
                self._held.popleft()
                self.dropped += 1
            self._held.append(item)
            self._came.notify()

    def get(self, timeout: float) -> Item | None:
        """Return the oldest item, None when there is none within `timeout` seconds."""
        with self._came:
            return self._held.popleft() if self._came.wait_for(lambda: self._held, timeout) else None


def _nobody(event: Event) -> None:
    del event


@dataclass(slots=True, eq=False)
class Stream:
    """Numbers events and hands them on, in one order for all.

    Attributes
    ----------
    keep : callable
        Is given every event, under the stream's lock: it must not wait.
    clock : callable
        Seconds; never set back.
    started : float or None
        On `clock`, when the session began; None before.

    Examples
    --------
    >>> stream = Stream(clock=lambda: 5.0)
    >>> listener = stream.subscribe()
    >>> _ = stream.emit("status", state="started"), stream.emit("blank", reason="silent")
    >>> [(each.seq, each.kind) for each in (listener.get(0.0), listener.get(0.0))]
    [(1, 'status'), (2, 'blank')]
    """

    keep: Callable[[Event], None] = _nobody
    clock: Callable[[], float] = time.monotonic
    started: float | None = field(default=None, init=False)
    counts: dict[str, int] = field(default_factory=dict, init=False)
    _listeners: list[Bounded[Event]] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _seq: int = field(default=0, init=False)

    def subscribe(self, size: int = 256) -> Bounded[Event]:
        """Return a subscription to what is emitted from now on."""
        listener: Bounded[Event] = Bounded(size)
        with self._lock:
            self._listeners.append(listener)
        return listener

    def unsubscribe(self, listener: Bounded[Event]) -> None:
        """Hand nothing more to a listener."""
        with self._lock:
            self._listeners = [each for each in self._listeners if each is not listener]

    def emit(self, kind: EventKind, carried: Any = None, **fields: Any) -> Event:
        """Give an event its number, hand it to all, and return it."""
        with self._lock:
            self._seq += 1
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            at_s = 0.0 if self.started is None else round(self.clock() - self.started, 4)
            record = {"seq": self._seq, "kind": kind, "at_s": at_s, "time": now, **fields}
            event = Event(record, carried)
            self.counts[kind] = self.counts.get(kind, 0) + 1
            for listener in self._listeners:
                listener.put(event)
            self.keep(event)
            return event
