"""The append-only chained log: every record names the hash of the one before, whoever writes and whenever the writer is killed.

A log is three files in one folder: ``log.jsonl``, one canonical record a line; ``HEAD``, the last record's number and hash; and,
once a writer was killed in the middle of a line, ``log.jsonl.torn``, where the unfinished bytes were set aside. While several
records are being written at once, ``log.jsonl.pending`` says which, so that they count all or not at all.

What the chain notices by itself: a record edited, removed, moved or repeated. What it cannot notice: a tail that was cut off
together with HEAD, or a log rewritten whole. For these, every append returns the head as a receipt to be kept elsewhere
(:func:`verify` compares it), and :func:`sign_head` signs it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from onclair.core.errors import BadInput
from onclair.io.chain_files import (
    ChainLog,
    Head,
    OpenLog,
    against_head,
    head_from_dict,
    lines,
    opened,
    read_head,
    refuse,
    whole,
    write_head,
)
from onclair.io.chain_records import GENESIS, Entry, Problem, follow
from onclair.io.signatures import signed_by

__all__ = [
    "GENESIS",
    "Chain",
    "ChainLog",
    "Entry",
    "Head",
    "Problem",
    "Receipt",
    "append",
    "head_from_dict",
    "read",
    "sign_head",
    "transact",
    "verify",
    "verify_signature",
]

Compose = Callable[[Sequence[Entry]], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an append did.

    Attributes
    ----------
    entries : tuple of Entry
        The new records.
    head : str
        Hash of the last record of the log: keep it elsewhere, and a cut tail shows.
    set_aside : int
        Bytes that a killed writer had left unfinished, now in the ``.torn`` file.
    """

    entries: tuple[Entry, ...]
    head: str
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class Chain:
    """A log as it was read.

    Attributes
    ----------
    entries : tuple of Entry
        Every record that could be read, in the order of the lines.
    problems : tuple of Problem
        Why it must not be trusted.
    notes : tuple of Problem
        What a killed writer left behind: harmless, and told.
    """

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def head(self) -> str:
        """Hash of the last record; 64 zeros when there is none."""
        return self.entries[-1].hash if self.entries else GENESIS


def append(log: ChainLog, *records: Mapping[str, Any], now: datetime | None = None, key: bytes | None = None) -> Receipt:
    """Write records to the end of a log, all or none, and return the receipt once they are on the disk.

    Only the last line is read, and its hash checked; processes wait for each other.

    Parameters
    ----------
    log : ChainLog
        Its folder is made when it is missing.
    *records : mapping
        Plain JSON values, without ``seq prev hash`` and the time, which the log adds.
    now : datetime, optional
        With its time zone; the clock's when left out.
    key : bytes, optional
        PEM of an Ed25519 private key that signs the new head.

    Raises
    ------
    BadInput
        For values that JSON cannot hold exactly.
    CheckFailed
        When the end of the log does not hold, or is not what HEAD says: nothing is written after a break.
    NoRoom
        When the folder cannot be written; the log is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as home:
    ...     log = ChainLog(Path(home, "log.jsonl"))
    ...     first = append(log, {"kind": "lock"}).head
    ...     [e.prev == first for e in append(log, {"kind": "look"}).entries], verify(log).valid
    ([True], True)
    """
    if not records:
        raise BadInput("No record was given to be logged; give at least one.")
    with opened(log) as place:
        return _extended(place, records, now, key)


def transact(log: ChainLog, compose: Compose, *, now: datetime | None = None, key: bytes | None = None) -> Receipt:
    """Read a whole log, decide what to write, and write it, with no other process in between.

    Parameters
    ----------
    log : ChainLog
    compose : callable
        ``(entries) -> records``; it may raise to refuse, and return nothing to write nothing.
    now, key
        As :func:`append`.

    Raises
    ------
    CheckFailed
        When the chain does not hold anywhere.
    BadInput, NoRoom
        As :func:`append`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as home:
    ...     log = ChainLog(Path(home, "log.jsonl"))
    ...     for _ in range(2):
    ...         receipt = transact(log, lambda entries: [{"count": len(entries)}])
    ...     receipt.entries[0].fields["count"]
    1
    """
    with opened(log) as place:
        entries, problems = follow(place.lines())
        refuse(log, problems)
        records = compose(entries)
        if not records:
            return Receipt((), place.last.hash, place.set_aside)
        return _extended(place, records, now, key)


def read(log: ChainLog) -> Chain:
    """Return a log whose chain holds.

    Raises
    ------
    CheckFailed
        For the first problem that :func:`verify` finds.
    """
    chain = verify(log)
    refuse(log, chain.problems)
    return chain


def verify(log: ChainLog, head: str | None = None) -> Chain:
    """Return a log with every problem of its chain; nothing is raised and nothing mended.

    A line that a killed writer left unfinished was never acknowledged: it is a note, not a problem. When HEAD already counts
    it, the log was cut, and that is a problem.

    Parameters
    ----------
    log : ChainLog
    head : str, optional
        The hash of a receipt, in hexadecimal digits; it must be found in the chain, at its end or before.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as home:
    ...     log = ChainLog(Path(home, "log.jsonl"))
    ...     receipt = append(log, {"n": 1}, {"n": 2})
    ...     first = log.path.read_bytes().splitlines(keepends=True)[0]
    ...     _ = log.path.write_bytes(first)
    ...     [problem.code for problem in verify(log, receipt.head).problems]
    ['cut', 'head_not_found']
    """
    try:
        with log.path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH)
            end = whole(log, stream)
            entries, problems = follow(lines(stream, end))
            broken, notes = against_head(log, entries)
            notes += _left_behind(log, stream.seek(0, os.SEEK_END) - end)
    except OSError as error:
        why = (error.strerror or "it does not open").lower()
        return Chain((), (Problem("unreadable", None, f"The log {log.path.name} cannot be read ({why})."),))
    problems += broken
    if head is not None and head.strip().lower() not in {entry.hash for entry in entries} | ({GENESIS} if not entries else set()):
        said = f"The head {head[:12]}... that was given is nowhere in the log: its tail was cut off, or it was rewritten."
        problems.append(Problem("head_not_found", None, said))
    return Chain(tuple(entries), tuple(problems), tuple(notes))


def sign_head(log: ChainLog, private_pem: bytes) -> Head:
    """Sign the end of a log whose chain holds, write the signature into HEAD, and return it to be kept elsewhere.

    The next append writes a new HEAD, unsigned unless it is given the key.

    Raises
    ------
    CheckFailed
        When the chain does not hold: nothing broken is ever signed.
    BadInput
        When the key is not Ed25519.
    """
    with opened(log) as place:
        refuse(log, follow(place.lines())[1])
        head = place.last.signed(private_pem)
        write_head(log, head)
        return head


def verify_signature(log: ChainLog, public_pem: bytes, head: Head | None = None) -> tuple[Problem, ...]:
    """Return what is wrong with a signed head: nothing when the key made it and the log still holds the record it names.

    Parameters
    ----------
    log : ChainLog
    public_pem : bytes
    head : Head, optional
        As :func:`sign_head` returned it; the HEAD beside the log when left out, which whoever can write the log can also remove.
    """
    signed = read_head(log) if head is None else head
    if isinstance(signed, Problem):
        return (signed,)
    if signed is None or signed.signature is None:
        return (Problem("unsigned", None, "The head is not signed; sign it, or give the signed head that was kept."),)
    if not signed_by(public_pem, signed.message(), signed.signature):
        said = f"The signature of head {signed.hash[:12]}... was not made with this key, or the head was changed."
        return (Problem("signature", None, said),)
    found = {entry.seq: entry.hash for entry in verify(log).entries}
    if signed.seq and found.get(signed.seq) != signed.hash:
        return (Problem("head_not_found", None, f"The log no longer holds the signed record {signed.seq}: it was cut or rewritten."),)
    return ()


def _extended(place: OpenLog, records: Sequence[Mapping[str, Any]], now: datetime | None, key: bytes | None) -> Receipt:
    entries, head = place.write(records, _stamp(now), key)
    return Receipt(entries, head.hash, place.set_aside)


def _stamp(now: datetime | None) -> str:
    """Return a time as ISO 8601 in UTC, to the microsecond."""
    if now is not None and now.utcoffset() is None:
        raise BadInput(f"The time {now} of a record has no time zone; give one, such as UTC.", item="now")
    return (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _left_behind(log: ChainLog, torn: int) -> list[Problem]:
    """Return what killed writers left: unfinished bytes at the end, or set aside before."""
    notes = []
    if torn:
        said = f"{torn} bytes at the end of the log are unfinished: their writer was stopped. The next append sets them aside."
        notes.append(Problem("torn", None, said))
    if log.torn_path.exists():
        size = log.torn_path.stat().st_size
        said = f"{log.torn_path.name} holds {size} bytes of records that were never finished; none of them counts."
        notes.append(Problem("set_aside", None, said))
    return notes
