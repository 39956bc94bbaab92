"""A clinical table as a cohort holds it: one row a patient, one column a feature, text by levels that stand in the column's header.

``acquisitions.csv`` names the table in a row a patient (kind ``table``); a benchmark's own split is a further column there, ``split``,
so that no model can see it. The header ``stage=I|II|III`` says that the cells of `stage` are one of three levels, the first of which is
the reference: the features are then ``stage=II`` and ``stage=III``, 0 or 1, at every hospital that writes the same header, whichever
levels its patients happen to have.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.errors import BadCase, BadCohort
from onclair.io.dialects import is_missing
from onclair.io.files import sha256_file
from onclair.io.tables import read_table

#: The kind of acquisition that a clinical table is, and the file that our own writers put it in.
KIND, FILE = "table", "table.csv"
#: Columns that say whose a row is, or who learns from it; they are never features.
NEVER_FEATURES = ("patient", "centre", "visit", "split")
#: Why a feature is missing.
EMPTY = "its cell in the table is empty"
_LEVELS = re.compile(r"(?P<name>[^=|]*[^=|\s])\s*=\s*(?P<levels>[^=|]+(?:\|[^=|]+)+)")
#: Most levels that an error proposes.
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a clinical table.

    Attributes
    ----------
    header : str
        As the file spells it.
    name : str
    levels : tuple of str
        Of a column of words, the reference first; empty for a column of numbers.

    Examples
    --------
    >>> column_of("stage=I|II|III").features, column_of("age_year").features
    (('stage=II', 'stage=III'), ('age_year',))
    """

    header: str
    name: str
    levels: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """The features that models see: the column itself, or one a level but the first."""
        return tuple(f"{self.name}={level}" for level in self.levels[1:]) or (self.name,)


@dataclass(frozen=True, slots=True, eq=False)
class ClinicalTable:
    """A clinical table as it was read: its columns, and each patient's cells.

    Attributes
    ----------
    file : str
        For errors.
    columns : tuple of Column
        The features, in the order of the file.
    rows : mapping of str to mapping of str to cell
        By patient, then by header.
    """

    file: str
    columns: tuple[Column, ...]
    rows: Mapping[str, Mapping[str, Any]]


def column_of(header: str) -> Column:
    """Return what a header says of its column.

    Raises
    ------
    BadCohort
        For a level that is named twice.

    Examples
    --------
    >>> column_of("cp=1|2|3|4").levels, column_of("race=white").levels
    (('1', '2', '3', '4'), ())
    """
    found = _LEVELS.fullmatch(header)
    if found is None:
        return Column(header, header)
    levels = tuple(level.strip() for level in found["levels"].split("|"))
    if len(set(levels)) < len(levels):
        raise BadCohort(f"The header '{header}' names a level twice; name each level of '{found['name']}' once.", item=header)
    return Column(header, found["name"].strip(), levels)


def read_clinical_table(path: Path) -> ClinicalTable:
    """Return a clinical table; a file is parsed once, however many of its patients are asked for.

    Parameters
    ----------
    path : Path
        Any dialect that :func:`onclair.io.tables.read_table` reads, with a column ``patient``.

    Raises
    ------
    BadCohort
        Without a column ``patient`` or any feature, for a patient with two rows, or two columns that give the same feature.
    BadTable
        For a table that cannot be read.
    """
    return _parsed(path, sha256_file(path) if path.is_file() else "")


@lru_cache(maxsize=8)
def _parsed(path: Path, sha256: str) -> ClinicalTable:
    del sha256  # only tells one content from another
    columns = tuple(column_of(str(header)) for header in read_table(path, text=("patient",)).frame.columns)
    words = [column.header for column in columns if column.levels]
    frame = read_table(path, text=("patient", *words)).frame
    if "patient" not in frame.columns:
        raise BadCohort(f"{path.name} has no column 'patient'; name the column of patient codes so, one row a patient.", item="patient")
    twice = frame["patient"][frame["patient"].duplicated()]
    if len(twice):
        raise BadCohort(f"Patient {twice.iloc[0]} has several rows in {path.name}; a clinical table has one.", item=str(twice.iloc[0]))
    features = tuple(column for column in columns if column.name not in NEVER_FEATURES)
    every = [name for column in features for name in column.features]
    if not every:
        raise BadCohort(f"{path.name} has no column but {', '.join(frame.columns)}; add the features, a column each.", item=path.name)
    again = sorted({name for name in every if every.count(name) > 1})
    if again:
        raise BadCohort(f"Two columns of {path.name} give the feature '{again[0]}'; rename or remove one.", item=again[0])
    rows = {str(row["patient"]): {str(header): cell for header, cell in row.items()} for row in frame.to_dict("records")}
    return ClinicalTable(path.name, features, rows)


def refuse_outcomes(table: ClinicalTable, outcomes: Collection[str]) -> None:
    """Refuse a table that holds what is to be predicted: a model that looks at it would be right about everything and of no use.

    Parameters
    ----------
    table : ClinicalTable
    outcomes : collection of str
        Outcomes and follow-up times by the name of their columns.

    Raises
    ------
    BadCohort
    """
    for column in table.columns:
        if column.name in outcomes:
            told = f"{table.file} holds the outcome '{column.name}' among its features, where a model would see it"
            raise BadCohort(f"{told}; keep it in outcomes.csv alone.", item=column.name)


def features_of(table: ClinicalTable, patient: str) -> tuple[dict[str, float], dict[str, str]]:
    """Return one patient's features, NaN where missing, and why each missing one is.

    Parameters
    ----------
    table : ClinicalTable
    patient : str

    Returns
    -------
    tuple of dict
        Value by feature, and reason by missing feature.

    Raises
    ------
    BadCase
        For a patient without a row, words in a column of numbers, or a level that the header does not name.

    Examples
    --------
    >>> rows = {"P1": {"age_year": 61.0, "stage=I|II|III": "III"}, "P2": {"age_year": None, "stage=I|II|III": "II"}}
    >>> table = ClinicalTable("table.csv", tuple(map(column_of, rows["P1"])), rows)
    >>> features_of(table, "P1")[0]
    {'age_year': 61.0, 'stage=II': 0.0, 'stage=III': 1.0}
    >>> features_of(table, "P2")[1]
    {'age_year': 'its cell in the table is empty'}
    """
    if patient not in table.rows:
        raise BadCase(f"Patient {patient} has no row in {table.file}; add one, or leave the patient out.", item=patient)
    row = table.rows[patient]
    values: dict[str, float] = {}
    for column in table.columns:
        values |= _levels(table, column, row, patient) if column.levels else {column.name: _number(table, column, row, patient)}
    return values, {name: EMPTY for name, value in values.items() if value != value}


def _levels(table: ClinicalTable, column: Column, row: Mapping[str, Any], patient: str) -> dict[str, float]:
    """Return a column of words as 0 and 1, one a level but the first; all NaN where the cell is empty."""
    cell = row[column.header]
    said = "" if pd.isna(cell) else str(cell).strip()
    at = next((level for level in column.levels if level == said or _same_number(level, said)), None)
    if at is None and not is_missing(said):
        known = ", ".join(column.levels)
        told = f"The column '{column.name}' of {patient} in {table.file} holds '{said}', which is none of its levels ({known})"
        raise BadCase(f"{told}; correct the cell, or add the level to the header at every hospital.", item=patient)
    return {f"{column.name}={level}": float("nan") if at is None else float(level == at) for level in column.levels[1:]}


def _same_number(level: str, said: str) -> bool:
    """Return whether both are the same number: a spreadsheet turns the level 1 into 1.0."""
    try:
        return float(level) == float(said)
    except ValueError:
        return False


def _number(table: ClinicalTable, column: Column, row: Mapping[str, Any], patient: str) -> float:
    cell = row[column.header]
    if cell is None or cell is pd.NA:
        return float("nan")
    try:
        return float(cell)
    except (TypeError, ValueError):
        there = sorted({str(each[column.header]) for each in table.rows.values() if not pd.isna(each[column.header])})
        levels = "|".join(there[:_SHOWN]) + ("|..." if len(there) > _SHOWN else "")
        told = f"The column '{column.name}' of {patient} in {table.file} holds the word '{cell}'"
        instead = f"name the levels in its header, the reference first: {column.name}={levels}"
        raise BadCase(f"{told}; write a number, leave a missing cell empty, or {instead}.", item=patient) from None
