"""The records of a chained log: canonical lines, the hash that binds each to the one before, and what can be wrong with them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadInput

#: What the first record names as the one before it.
GENESIS = "0" * 64
#: Fields that belong to the chain, not to its callers.
OWN = ("seq", "prev", "hash")

_HASH = re.compile(r"[0-9a-f]{64}")
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a chain.

    Attributes
    ----------
    seq : int
        Its place, from 1.
    prev, hash : str
        SHA-256 of the record before it, and its own, as 64 hexadecimal digits.
    fields : mapping
        What the caller logged, and when.
    """

    seq: int
    prev: str
    hash: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a log, and where.

    Attributes
    ----------
    code : str
        ``edited``, ``missing``, ``out_of_order``, ``repeated``, ``broken_link``, ``not_canonical``, ``unreadable``, ``cut``...
    line : int or None
        Line of the log, from 1; None when the fault lies in none.
    message : str
        One sentence.
    """

    code: str
    line: int | None
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as plain JSON values."""
        return {"code": self.code, "line": self.line, "message": self.message}


def written(fields: Mapping[str, Any], seq: int, prev: str) -> tuple[Entry, bytes]:
    r"""Return a record and its line; the hash is the SHA-256 of the canonical record without it.

    Parameters
    ----------
    fields : mapping of str
        Plain JSON values; tuples, NaN, keys that are no text and the chain's own fields are refused.
    seq : int
    prev : str
        Hash of the record before.

    Raises
    ------
    BadInput
        For what JSON cannot hold exactly, naming the field.

    Examples
    --------
    >>> entry, line = written({"kind": "lock"}, 1, GENESIS)
    >>> entry.hash == sha256_of({"kind": "lock", "prev": GENESIS, "seq": 1}), line[-1:]
    (True, b'\n')
    """
    for name in OWN:
        if name in fields:
            raise BadInput(f"A record may not bring its own '{name}', which belongs to the chain; rename that field.", item=name)
    _check_plain(fields, "the record", 0)
    try:
        digest = sha256_of({**fields, "seq": seq, "prev": prev})
    except UnicodeEncodeError as error:
        raise BadInput(
            "A text of the record holds half of a character (a lone surrogate), which UTF-8 cannot write; correct it."
        ) from error
    line = canonical_json({**fields, "seq": seq, "prev": prev, "hash": digest}) + b"\n"
    return Entry(seq, prev, digest, dict(fields)), line


def parsed(line: bytes, number: int) -> Entry | Problem:
    r"""Return the record in a line, or what keeps it from being one; its hash is not looked at yet.

    Parameters
    ----------
    line : bytes
        Without its line end.
    number : int
        Of the line, from 1.

    Examples
    --------
    >>> parsed(b'{"a": 1}', 3).message
    'Line 3 is no canonical JSON; it was not written by this program or was changed.'
    """
    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant)
        canonical = canonical_json(record) == line
    except (ValueError, RecursionError) as error:
        return Problem("unreadable", number, f"Line {number} cannot be read as a record ({_brief(error)}); it was changed or damaged.")
    if not canonical:
        return Problem("not_canonical", number, f"Line {number} is no canonical JSON; it was not written by this program or was changed.")
    if not isinstance(record, dict) or not _has_own_fields(record):
        return Problem("unreadable", number, f"Line {number} lacks a whole 'seq', 'prev' or 'hash'; it was changed or damaged.")
    fields = {name: value for name, value in record.items() if name not in OWN}
    return Entry(record["seq"], record["prev"], record["hash"], fields)


def follow(lines: Iterable[bytes]) -> tuple[list[Entry], list[Problem]]:
    """Return the records of a chain in the order of their lines, and every place where it does not hold.

    After a fault the chain is taken up again where it stands, so that one change is told once, not for every later line.

    Parameters
    ----------
    lines : iterable of bytes
        Without their line ends.

    Examples
    --------
    >>> first, line = written({"n": 1}, 1, GENESIS)
    >>> _, second = written({"n": 2}, 2, first.hash)
    >>> follow([line[:-1], second[:-1]])[1]
    []
    >>> [problem.code for problem in follow([line[:-1], line[:-1]])[1]], follow([second[:-1]])[1][0].code
    (['repeated'], 'missing')
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    due, prev = 1, GENESIS
    for number, line in enumerate(lines, start=1):
        found = parsed(line, number)
        if isinstance(found, Problem):
            problems.append(found)
            due, prev = due + 1, ""
            continue
        problems += _faults(found, number, due, prev, seen)
        entries.append(found)
        seen.setdefault(found.hash, number)
        due, prev = found.seq + 1, found.hash
    return entries, problems


def _faults(entry: Entry, number: int, due: int, prev: str, seen: Mapping[str, int]) -> list[Problem]:
    """Return what is wrong with a record where record `due` was due after the hash `prev` (empty: unknown)."""
    faults = []
    if sha256_of({**entry.fields, "seq": entry.seq, "prev": entry.prev}) != entry.hash:
        faults.append(Problem("edited", number, f"Line {number} was edited: its hash does not belong to its content."))
    if entry.hash in seen:
        faults.append(Problem("repeated", number, f"Line {number} repeats line {seen[entry.hash]}."))
    elif entry.seq > due:
        gap = f"record {due} is" if entry.seq == due + 1 else f"records {due} to {entry.seq - 1} are"
        faults.append(Problem("missing", number, f"Line {number} holds record {entry.seq}, but {gap} not before it: removed or moved."))
    elif entry.seq < due:
        faults.append(
            Problem("out_of_order", number, f"Line {number} holds record {entry.seq} where record {due} was due: lines were moved.")
        )
    elif prev and entry.prev != prev:
        faults.append(Problem("broken_link", number, f"Line {number} does not follow the line before it: one of the two was rewritten."))
    return faults


def _has_own_fields(record: Mapping[str, Any]) -> bool:
    seq = record.get("seq")
    hashes = [record.get("prev"), record.get("hash")]
    return type(seq) is int and seq >= 1 and all(isinstance(h, str) and _HASH.fullmatch(h) for h in hashes)


def _check_plain(value: Any, where: str, depth: int) -> None:
    """Refuse what would not come back from JSON as it went in."""
    if depth > _DEEPEST:
        raise BadInput(f"{where[:1].upper()}{where[1:]} is nested deeper than {_DEEPEST} levels; flatten it.", item=where)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise BadInput(f"A key of {where} is {key!r}; keys of a record are text.", item=str(key))
            _check_plain(inner, f"'{key}'", depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_plain(inner, f"an item of {where}", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadInput(f"{where[:1].upper()}{where[1:]} is {value}, which JSON cannot hold; write None and a reason.", item=where)
    elif not (value is None or type(value) in (str, int, float, bool)):
        kind = type(value).__name__
        raise BadInput(
            f"{where[:1].upper()}{where[1:]} is a {kind}; a record holds only text, numbers, true, false, null, lists, tables.", item=where
        )


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("a key stands twice")
    return record


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _brief(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "no UTF-8"
    return "no JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)
