"""The files of a chained log on disk: the lock, the head, a tail that a killed writer left unfinished."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from onclair.core.canonical import canonical_json
from onclair.core.errors import BadInput, CheckFailed, NoRoom
from onclair.io.chain_records import GENESIS, Entry, Problem, follow, parsed, written
from onclair.io.files import PARTIAL, write_atomically, writing_to
from onclair.io.signatures import sign

_BLOCK = 1 << 16
_HEAD_FORMAT = "onclair-head/1"


@dataclass(frozen=True, slots=True)
class ChainLog:
    """Where a log lies and how it names the time.

    Attributes
    ----------
    path : Path
        Of the log itself.
    head_name : str
        File name of the head, in the same folder.
    time_field : str
        Field that holds when a record was written, ISO 8601 in UTC.

    Examples
    --------
    >>> ChainLog(Path("trial/log.jsonl")).head_path.as_posix()
    'trial/HEAD'
    """

    path: Path
    head_name: str = "HEAD"
    time_field: str = "time"

    @property
    def head_path(self) -> Path:
        """The head file."""
        return self.path.with_name(self.head_name)

    @property
    def torn_path(self) -> Path:
        """Where unfinished lines are set aside."""
        return self.path.with_name(f"{self.path.name}.torn")

    @property
    def pending_path(self) -> Path:
        """Which bytes are being written, while several records are."""
        return self.path.with_name(f"{self.path.name}.pending")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: number, hash and time of its last record, and a signature where one was asked for."""

    seq: int = 0
    hash: str = GENESIS
    time: str | None = None
    signature: str | None = None

    def message(self) -> bytes:
        """Return the bytes that are signed."""
        return canonical_json({"format": _HEAD_FORMAT, "seq": self.seq, "hash": self.hash, "time": self.time})

    def signed(self, private_pem: bytes) -> Head:
        """Return the head with a signature by this key."""
        return replace(self, signature=sign(private_pem, self.message()))

    def as_dict(self) -> dict[str, Any]:
        """Return the head as plain JSON values."""
        record = {"format": _HEAD_FORMAT, "seq": self.seq, "hash": self.hash, "time": self.time}
        return record if self.signature is None else {**record, "signature": self.signature}


def head_from_dict(record: Any) -> Head:
    """Return the head that :meth:`Head.as_dict` wrote.

    Raises
    ------
    BadInput
        For anything else.

    Examples
    --------
    >>> head_from_dict(Head(3, "ab" * 32).as_dict()).seq
    3
    """
    good = (
        isinstance(record, dict) and record.get("format") == _HEAD_FORMAT and set(record) <= {"format", "seq", "hash", "time", "signature"}
    )
    if not (good and type(record.get("seq")) is int and isinstance(record.get("hash"), str)):
        raise BadInput(f"The head is not of the format '{_HEAD_FORMAT}'; it was written by another program or damaged.")
    return Head(record["seq"], record["hash"], record.get("time"), record.get("signature"))


@dataclass(frozen=True, slots=True, eq=False)
class OpenLog:
    """A log that this process alone may write, mended and ready at its end.

    Attributes
    ----------
    stream : binary file
    end : int
        Bytes of whole, acknowledged or at least finished records.
    last : Head
        Of the last of them.
    set_aside : int
        Bytes that a killed writer had left unfinished.
    """

    log: ChainLog
    stream: BinaryIO
    end: int
    last: Head
    set_aside: int

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the log, without their ends."""
        return lines(self.stream, self.end)

    def write(self, records: Sequence[Mapping[str, Any]], time: str, key: bytes | None = None) -> tuple[tuple[Entry, ...], Head]:
        """Write records after the last one, all or none, fsynced, and HEAD after them; return them and the new head."""
        entries, data, head = self._composed(records, time)
        head = head if key is None else head.signed(key)
        with writing_to(self.log.path.parent):
            if len(records) > 1:
                write_atomically(self.log.pending_path, canonical_json({"from": self.end, "to": self.end + len(data)}))
            try:
                self._put(data)
                write_head(self.log, head)
            except (OSError, NoRoom):
                self.stream.truncate(self.end)
                self.log.pending_path.unlink(missing_ok=True)
                raise
            self.log.pending_path.unlink(missing_ok=True)
        return entries, head

    def _put(self, data: bytes) -> None:
        self.stream.seek(self.end)
        left = memoryview(data)
        while left:
            left = left[self.stream.write(left) :]
        os.fsync(self.stream.fileno())

    def _composed(self, records: Sequence[Mapping[str, Any]], time: str) -> tuple[tuple[Entry, ...], bytes, Head]:
        head, entries, data = self.last, [], []
        for record in records:
            if self.log.time_field in record:
                said = f"A record may not bring its own '{self.log.time_field}', which the log writes; rename that field."
                raise BadInput(said, item=self.log.time_field)
            entry, line = written({**record, self.log.time_field: time}, head.seq + 1, head.hash)
            head = Head(entry.seq, entry.hash, time)
            entries.append(entry)
            data.append(line)
        return tuple(entries), b"".join(data), head


@contextlib.contextmanager
def opened(log: ChainLog) -> Iterator[OpenLog]:
    """Yield a log locked against every other process, its unfinished tail set aside, its end checked against HEAD.

    Raises
    ------
    CheckFailed
        When the last record does not hold or is not what HEAD says.
    NoRoom
        When the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home, opened(ChainLog(Path(home, "log.jsonl"))) as empty:
    ...     empty.end, empty.last.seq
    (0, 0)
    """
    with contextlib.ExitStack() as stack:
        with writing_to(log.path.parent):
            log.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(log.path, os.O_RDWR | os.O_CREAT, 0o666)
            stream = stack.enter_context(os.fdopen(handle, "r+b", buffering=0))
        fcntl.flock(stream, fcntl.LOCK_EX)
        end = whole(log, stream)
        last = _last(log, stream, end)
        _agree(log, stream, end, last)
        with writing_to(log.path.parent):
            torn = _set_aside(log, stream, end)
            for name in (log.head_name, log.pending_path.name):
                for partial in log.path.parent.glob(f".{name}.*{PARTIAL}"):
                    partial.unlink(missing_ok=True)
        yield OpenLog(log, stream, end, last, torn)


def whole(log: ChainLog, stream: BinaryIO) -> int:
    """Return how many bytes of a log are finished: up to its last line end, and before a batch that was not written to its end."""
    end = _after_line_end(stream, stream.seek(0, os.SEEK_END))
    batch = _pending(log)
    return batch[0] if batch and batch[0] <= end < batch[1] else end


def lines(stream: BinaryIO, end: int) -> Iterator[bytes]:
    """Yield the lines in the first `end` bytes, without their ends."""
    stream.seek(0)
    rest, read = b"", 0
    while read < end and (block := stream.read(min(_BLOCK * 16, end - read))):
        read += len(block)
        *complete, rest = (rest + block).split(b"\n")
        yield from complete


def read_head(log: ChainLog) -> Head | Problem | None:
    """Return what HEAD says; a problem when it cannot be read, None when there is none."""
    try:
        data = log.head_path.read_bytes()
        head = head_from_dict(json.loads(data))
        if data == _head_bytes(head):
            return head
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError, BadInput):
        pass
    return Problem("head_unreadable", None, f"The head file {log.head_name} cannot be read; it was changed or damaged.")


def _head_bytes(head: Head) -> bytes:
    return canonical_json(head.as_dict()) + b"\n"


def write_head(log: ChainLog, head: Head) -> None:
    """Write HEAD, atomically."""
    write_atomically(log.head_path, _head_bytes(head))


def against_head(log: ChainLog, entries: Sequence[Entry]) -> tuple[list[Problem], list[Problem]]:
    """Return problems and notes of a chain beside its HEAD: the record that HEAD names must be in the chain."""
    head = read_head(log)
    if isinstance(head, Problem):
        return [head], []
    if head is None:
        return [Problem("head_missing", None, f"The head file {log.head_name} is missing, so nothing says where the log ended.")], []
    last = entries[-1].seq if entries else 0
    if head.seq > last:
        said = f"The log ends at record {last}, but {log.head_name} counts {head.seq}: its tail was cut off."
        return [Problem("cut", None, said)], []
    named = (head.seq, head.hash, head.time)
    if head.seq and not any((entry.seq, entry.hash, entry.fields.get(log.time_field)) == named for entry in entries):
        said = f"The record {head.seq} that {log.head_name} names is not in the log: the log or its head was rewritten."
        return [Problem("head_differs", None, said)], []
    if head.seq < last:
        said = f"{last - head.seq} records after {log.head_name} are whole: a writer was stopped before it could write the head."
        return [], [Problem("head_behind", None, said)]
    return [], []


def refuse(log: ChainLog, problems: Sequence[Problem]) -> None:
    """Raise :class:`CheckFailed` for the first problem, if any."""
    if problems:
        raise _failure(log, problems)


def _failure(log: ChainLog, problems: Sequence[Problem]) -> CheckFailed:
    more = f" There are {len(problems) - 1} more problems." if len(problems) > 1 else ""
    said = f"The log {log.path.name} does not hold: {problems[0].message}{more} Restore it from a copy; nothing was written."
    return CheckFailed(said, item=problems[0].code)


def _last(log: ChainLog, stream: BinaryIO, end: int) -> Head:
    """Return the end of the log from its last line alone, whose own hash must hold."""
    if end == 0:
        return Head()
    start = _after_line_end(stream, end - 1)
    stream.seek(start)
    found = parsed(_read(stream, end - start - 1), 0)
    if isinstance(found, Problem) or written(found.fields, found.seq, found.prev)[0].hash != found.hash:
        raise _failure(log, [Problem("edited", None, "Its last line was changed or damaged.")])
    time = found.fields.get(log.time_field)
    return Head(found.seq, found.hash, time if isinstance(time, str) else None)


def _agree(log: ChainLog, stream: BinaryIO, end: int, last: Head) -> None:
    """Refuse a log that is not what HEAD says; the whole chain is read only when HEAD lags behind it."""
    head = read_head(log)
    if head is None and end == 0:
        with writing_to(log.path.parent):
            write_head(log, Head())
    elif not (isinstance(head, Head) and (head.seq, head.hash, head.time) == (last.seq, last.hash, last.time)):
        entries, problems = follow(lines(stream, end))
        refuse(log, problems + against_head(log, entries)[0])


def _set_aside(log: ChainLog, stream: BinaryIO, end: int) -> int:
    """Move what follows the last whole record to the ``.torn`` file, and return how many bytes."""
    torn = stream.seek(0, os.SEEK_END) - end
    if torn:
        stream.seek(end)
        data = _read(stream, torn)
        with log.torn_path.open("ab") as kept:
            kept.write(data + b"\n")
            kept.flush()
            os.fsync(kept.fileno())
        stream.truncate(end)
        os.fsync(stream.fileno())
    log.pending_path.unlink(missing_ok=True)
    return torn


def _pending(log: ChainLog) -> tuple[int, int] | None:
    """Return where the batch that is being written begins and ends; None when there is none."""
    try:
        record = json.loads(log.pending_path.read_bytes())
        return max(0, int(record["from"])), int(record["to"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _after_line_end(stream: BinaryIO, end: int) -> int:
    """Return the position after the last line end before `end`; 0 when there is none."""
    while end > 0:
        start = max(0, end - _BLOCK)
        stream.seek(start)
        at = _read(stream, end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _read(stream: BinaryIO, size: int) -> bytes:
    """Return `size` bytes of an unbuffered file, or fewer at its end."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
