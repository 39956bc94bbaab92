"""A cohort folder read and written; strict about the whole, silent about single patients (see ``check``)."""

from __future__ import annotations

import posixpath
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from onclair.core.cohort import ACQUISITION_COLUMNS, About, Cohort
from onclair.core.errors import BadCase, BadCohort
from onclair.core.names import did_you_mean
from onclair.io.cohorts.codes import checked_centre, checked_code, checked_kind, checked_visit
from onclair.io.cohorts.description import description_of, read_description
from onclair.io.files import sealed_folder, write_atomically
from onclair.io.tables import read_table, write_table

Notes = tuple[Mapping[str, str], ...]
#: Columns of names that may look like numbers: points, items, columns of a table, frames of reference.
CODES = ("item", "point", "column", "file", "frame", "settings_id")


def read_cohort(root: str | Path) -> Cohort:
    """Return the cohort in a folder, refused as a whole when its tables contradict themselves.

    Whether each patient's files and values are there is for :func:`check_cohort` to say.

    Parameters
    ----------
    root : path
        With ``cohort.toml``, ``acquisitions.csv`` and ``outcomes.csv``.

    Returns
    -------
    Cohort
        Patient codes are text; an outcome whose column bears another name has it under its own.

    Raises
    ------
    BadCohort
        For a missing file, an unknown key, unit or column (nearest name offered), a patient in two centres or with two rows
        of outcomes, a path that leaves the folder, or a patient code that is a name, an e-mail address or a date of birth.
    BadTable
        For a table that cannot be read.
    """
    return read_with_notes(root)[0]


def read_with_notes(root: str | Path, *, outcomes_needed: bool = True) -> tuple[Cohort, Notes]:
    """Return the cohort in a folder and what was unusual about its tables.

    Parameters
    ----------
    root : path
    outcomes_needed : bool
        False for new cases, where ``outcomes.csv`` may be absent.

    Raises
    ------
    BadCohort, BadTable
        As :func:`read_cohort`.
    """
    root = Path(root)
    if not root.is_dir():
        found = "it is a file" if root.exists() else "there is no such folder"
        raise BadCohort(f"The cohort {root} cannot be read: {found}; give the folder that holds cohort.toml.", item=str(root))
    about, columns = read_description(root / "cohort.toml")
    acquisitions, notes = _acquisitions(root)
    if not outcomes_needed and not (root / "outcomes.csv").exists():
        outcomes = pd.DataFrame({"patient": sorted(acquisitions["patient"].unique())})
        return Cohort(acquisitions, outcomes, replace(about, outcomes=()), root), notes
    outcomes, more = _outcomes(root, about, columns)
    return Cohort(acquisitions, outcomes, about, root), notes + more


def read_semantic(root: str | Path) -> pd.DataFrame | None:
    """Return ``semantic.csv`` (readers' scores, biology) with text patient codes, or None where there is none.

    Raises
    ------
    BadCohort
        When it lacks the column ``patient``.
    BadTable
        When it cannot be read.
    """
    path = Path(root) / "semantic.csv"
    if not path.exists():
        return None
    frame = read_table(path, text=("patient",)).frame
    _need_columns(frame, ("patient",), "semantic.csv")
    return frame


def file_of(cohort: Cohort, patient: str, kind: str, *, visit: str | None = None) -> Path:
    """Return the one file of a kind that a patient has.

    Parameters
    ----------
    cohort : Cohort
    patient, kind : str
    visit : str, optional
        Needed when the patient has the kind at several visits.

    Raises
    ------
    BadCase
        When there is none, or several.
    """
    table = cohort.acquisitions
    rows = table[(table["patient"] == patient) & (table["kind"] == kind)]
    rows = rows if visit is None else rows[rows["visit"] == visit]
    if len(rows) != 1:
        raise BadCase(
            f"Patient {patient} has {_counted(rows, kind)}; one is needed: keep or give it, or leave the patient out.", item=patient
        )
    return (cohort.root or Path()) / str(rows["path"].iloc[0])


def _counted(rows: pd.DataFrame, kind: str) -> str:
    """Say how many files of a kind there are, and at which visits."""
    if not len(rows):
        return f"no file of the kind '{kind}'"
    visits = sorted(set(rows["visit"]) - {""})
    return f"{len(rows)} files of the kind '{kind}'" + (f", at the visits {', '.join(visits)}" if len(visits) > 1 else "")


def write_cohort(cohort: Cohort, out: str | Path) -> Path:
    """Write a cohort as a folder, whole or not at all; its files are copied from `cohort.root`, if it has one.

    Parameters
    ----------
    cohort : Cohort
        Relative paths are kept; files outside the root are copied as ``PATIENT_VISIT_KIND`` with their ending. Without a
        root, only the tables are written: put the files beside them with :func:`onclair.io.nifti.write_image`.
    out : path
        Must not exist, be empty, or hold nothing but the files that the tables name.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    NoRoom
        When the folder is taken, full or not writable.
    BadCase
        When a file to copy is missing.

    Examples
    --------
    >>> import tempfile
    >>> about = About("Two patients")
    >>> rows = pd.DataFrame([["A", "North", "", "pet", "A_pet.nii.gz"]], columns=list(ACQUISITION_COLUMNS))
    >>> with tempfile.TemporaryDirectory() as home:
    ...     folder = write_cohort(Cohort(rows, pd.DataFrame({"patient": ["A"]}), about), Path(home, "c"))
    ...     sorted(p.name for p in folder.iterdir()), read_cohort(folder).patients
    (['acquisitions.csv', 'cohort.toml', 'outcomes.csv'], ('A',))
    """
    out = Path(out)
    if cohort.root is None:
        write_tables(cohort, out)
        return out
    with sealed_folder(out) as folder:
        paths = [_copied(cohort, row, folder) for row in cohort.acquisitions.to_dict("records")]
        write_tables(Cohort(cohort.acquisitions.assign(path=paths), cohort.outcomes, cohort.about), folder)
        if (cohort.root / "semantic.csv").is_file():
            shutil.copyfile(cohort.root / "semantic.csv", folder / "semantic.csv")
    return out


def write_tables(cohort: Cohort, folder: Path) -> None:
    """Write ``cohort.toml``, ``acquisitions.csv`` and ``outcomes.csv`` into a folder, each atomically.

    Raises
    ------
    NoRoom
        When the folder cannot be written.
    """
    write_table(folder / "acquisitions.csv", cohort.acquisitions)
    write_table(folder / "outcomes.csv", cohort.outcomes)
    write_atomically(folder / "cohort.toml", tomli_w.dumps(description_of(cohort.about)).encode())


def _copied(cohort: Cohort, row: Mapping[Any, Any], folder: Path) -> str:
    path = Path(str(row["path"]))
    if path.is_absolute():
        path = Path("_".join(str(part) for part in (row["patient"], row["visit"], row["kind"]) if part) + "".join(path.suffixes[-2:]))
    source, target = (cohort.root or Path()) / str(row["path"]), folder / path
    if not source.is_file():
        found = f"there is no file {row['path']}"
        raise BadCase(f"The {row['kind']} of {row['patient']} is missing: {found}; correct acquisitions.csv.", item=str(row["patient"]))
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return path.as_posix()


def _acquisitions(root: Path) -> tuple[pd.DataFrame, Notes]:
    frame, notes = _read(root, "acquisitions.csv", ACQUISITION_COLUMNS)
    frame["visit"] = frame["visit"].fillna("")
    for column in ("patient", "centre", "kind", "path"):
        _no_gaps(frame, column, "acquisitions.csv")
    for check, column in ((checked_code, "patient"), (checked_kind, "kind"), (checked_centre, "centre"), (checked_visit, "visit")):
        for value in frame[column].unique():
            check(value, where="acquisitions.csv")
    for path, patient in zip(frame["path"], frame["patient"], strict=True):
        _check_path(root, path, patient)
    return frame, notes


def _outcomes(root: Path, about: About, columns: Mapping[str, str]) -> tuple[pd.DataFrame, Notes]:
    frame, notes = _read(root, "outcomes.csv", ("patient",))
    _no_gaps(frame, "patient", "outcomes.csv")
    for patient in frame["patient"].unique():
        checked_code(patient, where="outcomes.csv")
    for outcome in about.outcomes:
        column = columns.get(outcome.name, outcome.name)
        for needed in (column, outcome.time) if outcome.time else (column,):
            _need_column(frame, needed, f"the outcome '{outcome.name}'")
        if column != outcome.name:
            if outcome.name in frame.columns:
                raise BadCohort(f"outcomes.csv has both '{column}' and '{outcome.name}'; rename one, or the outcome.", item=outcome.name)
            frame = frame.rename(columns={column: outcome.name})
    return frame, notes


def _read(root: Path, name: str, columns: tuple[str, ...]) -> tuple[pd.DataFrame, Notes]:
    if not (root / name).is_file():
        raise BadCohort(f"The cohort {root} holds no {name}; write one with the columns {' '.join(columns)}.", item=name)
    table = read_table(root / name, text=(*columns, *CODES))
    _need_columns(table.frame, columns, name)
    return table.frame, table.notes


def _need_columns(frame: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    for column in columns:
        if column not in frame.columns:
            there = did_you_mean(column, [str(c) for c in frame.columns])
            raise BadCohort(f"{name} lacks the column '{column}'; {there}", item=column)


def _need_column(frame: pd.DataFrame, column: str, of: str) -> None:
    if column not in frame.columns:
        there = did_you_mean(column, [str(c) for c in frame.columns if c != "patient"])
        raise BadCohort(f"outcomes.csv has no column '{column}' for {of}; {there}", item=column)


def _no_gaps(frame: pd.DataFrame, column: str, name: str) -> None:
    gaps = frame[column].isna()
    if gaps.any():
        row = int(gaps.to_numpy().argmax()) + 1
        raise BadCohort(f"The column '{column}' of {name} is empty in row {row} below the header; fill it or remove the row.", item=column)


def _check_path(root: Path, path: str, patient: str) -> None:
    if Path(path).is_absolute():
        if not Path(path).exists():
            sentence = f"The path {path} of patient {patient} in acquisitions.csv is absolute and there is no such file"
            raise BadCohort(f"{sentence}; give it relative to {root}.", item=patient)
    elif posixpath.normpath(path.replace("\\", "/")).startswith(".."):
        sentence = f"The path {path} of patient {patient} in acquisitions.csv leaves the cohort's folder; move the file into it."
        raise BadCohort(sentence, item=patient)
