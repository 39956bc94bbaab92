"""The tables of a running protocol: cases by pseudonym, their inputs within range, their outcomes, each once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.errors import BadInput, BadTable
from onclair.core.names import did_you_mean, nearest
from onclair.io.tables import read_table
from onclair.science.statistics.formula import Formula

_LONGEST = 64
#: Words of letters alone, apart by a space, comma or DICOM's caret; or an address.
_LIKE_A_NAME = re.compile(r"[^\W\d_]+\.?([ ,^]+[^\W\d_]+\.?)+|.*@.*")


@dataclass(frozen=True, slots=True)
class InputCase:
    """One row of a table of inputs: the case, its values, and why they cannot be used, if so."""

    case: str
    inputs: Mapping[str, float]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Cases:
    """The rows of a table, and what was unusual about it."""

    rows: tuple[InputCase, ...]
    notes: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Cases with their outcome, 0 or 1, and what was unusual about the table."""

    truth: Mapping[str, int]
    notes: tuple[Mapping[str, str], ...] = ()


def read_cases(path: str | Path, case: str, formula: Formula) -> Cases:
    """Return the cases to be predicted, each with its inputs; what cannot be used is marked, not dropped.

    Parameters
    ----------
    path : path
        CSV, TSV or XLSX, in any dialect.
    case : str
        Column of the pseudonym.
    formula : Formula
        Its inputs are columns of the table.

    Raises
    ------
    BadTable
        For a column that is missing or written almost like a known one (the nearest is offered), and for a case that is
        empty, looks like a name or stands twice.
    """
    names = [each.name for each in formula.inputs]
    frame, notes = _read(path, case, names)
    columns = {name: [_number(value) for value in frame[name]] for name in names}
    rows = []
    for at, who in enumerate(_cases(frame, case, Path(path).name)):
        values = {name: columns[name][at] for name in names}
        known = {name: value for name, value in values.items() if value is not None}
        rows.append(InputCase(who, known, formula.fault(values)))
    return Cases(tuple(rows), notes)


def read_outcomes(path: str | Path, case: str, truth: str) -> Outcomes:
    """Return the outcomes to be entered.

    Parameters
    ----------
    path : path
    case, truth : str
        Columns of the pseudonym and of the outcome, 0 or 1.

    Raises
    ------
    BadTable
        As :func:`read_cases`, and for an outcome that is missing or neither 0 nor 1.
    """
    frame, notes = _read(path, case, [truth])
    found = {}
    for who, value in zip(_cases(frame, case, Path(path).name), frame[truth], strict=True):
        number = _number(value)
        if number not in (0.0, 1.0):
            shown = "missing" if number is None and pd.isna(value) else f"'{value}'"
            said = f"The outcome of case {who} is {shown}; it must be 0 or 1: correct it, or leave out what is not known yet."
            raise BadTable(said, item=who)
        found[who] = int(number)
    return Outcomes(found, notes)


def refuse_known(cases: Iterable[str], known: Mapping[str, Any], what: str) -> None:
    """Refuse the whole batch when a case already has `what`.

    Raises
    ------
    BadInput
        Naming the first case and how many there are.

    Examples
    --------
    >>> refuse_known(["P1", "P2"], {"P2": 0.1}, "a prediction")
    Traceback (most recent call last):
    onclair.core.errors.BadInput: Case P2 already has a prediction; it is never given a second one. Nothing was logged: remove it.
    """
    twice = [case for case in cases if case in known]
    if twice:
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        have = "have" if more else "has"
        raise BadInput(
            f"Case {twice[0]}{more} already {have} {what}; it is never given a second one. Nothing was logged: remove it.", item=twice[0]
        )


def _read(path: str | Path, case: str, names: list[str]) -> tuple[pd.DataFrame, tuple[Mapping[str, str], ...]]:
    table = read_table(path, text=[case])
    frame, file, needed = table.frame, Path(path).name, [case, *names]
    for name in needed:
        if name not in frame:
            raise BadTable(f"{file} has no column '{name}'; {did_you_mean(name, [str(c) for c in frame.columns])}", item=name)
    unused = [str(column) for column in frame.columns if column not in needed]
    for column in unused:
        if near := nearest(column, needed):
            raise BadTable(
                f"{file} has an unknown column '{column}' beside '{near}'; rename or remove it, so that it is clear.", item=column
            )
    notes = list(table.notes)
    if unused:
        said = f"{file} has columns that the protocol does not use ({', '.join(unused)}); they were neither read nor logged."
        notes.append({"code": "unused_columns", "text": said})
    return frame, tuple(notes)


def _cases(frame: pd.DataFrame, case: str, file: str) -> list[str]:
    """Return the pseudonyms, checked."""
    found: list[str] = []
    for row, value in enumerate(frame[case], start=1):
        who = "" if pd.isna(value) else str(value).strip()
        fault = None
        if not who:
            fault = "is empty"
        elif _LIKE_A_NAME.fullmatch(who):
            fault = "looks like a name or an address; a log holds pseudonyms only"
        elif len(who) > _LONGEST or not who.isprintable():
            fault = f"is longer than {_LONGEST} characters or holds control characters"
        if fault:
            raise BadTable(f"The case in row {row} of {file} {fault}; give every row a pseudonym. Nothing was logged.", item=f"row {row}")
        found.append(who)
    twice = next((who for at, who in enumerate(found) if who in found[:at]), None) if len(set(found)) < len(found) else None
    if twice:
        raise BadTable(f"Case {twice} stands twice in {file}; one record a case: keep one row. Nothing was logged.", item=twice)
    return found


def _number(value: Any) -> float | None:
    """Return a cell as a finite number, or None; text that is no number is none."""
    if isinstance(value, str) or pd.isna(value):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
