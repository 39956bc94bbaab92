"""A cohort folder cut by centre: one cohort folder a centre, and no row of another centre's patients in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort, BadTable
from onclair.core.progress import Listener, Progress, silent
from onclair.io.cohorts.folder import read_cohort, write_tables
from onclair.io.files import sealed_folder, writing_to
from onclair.io.layouts.bring import place
from onclair.io.layouts.label_names import LABELS
from onclair.io.tables import read_table, write_table

#: Tables that every cohort folder has, and that are written anew.
_OWN = ("acquisitions.csv", "outcomes.csv")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a cohort was cut into.

    Attributes
    ----------
    out : Path
    sites : mapping of str to int
        Patients of each centre; its cohort lies in ``out/CENTRE``.
    notes : tuple of mapping
        ``code text``: what went into no site.
    """

    out: Path
    sites: Mapping[str, int]
    notes: tuple[Mapping[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        sites = [{"name": name, "path": str(self.out / name), "patients": count} for name, count in self.sites.items()]
        return {"out": str(self.out), "by": "centre", "sites": sites, "warnings": [dict(note) for note in self.notes]}


def split_by_centre(source: str | Path, out: str | Path, *, progress: Listener = silent) -> Parts:
    """Write one cohort folder a centre, all of them or none.

    Parameters
    ----------
    source : path
        A cohort folder, of any study.
    out : path
        Must not exist, or be empty; gets one folder a centre, named like it.
    progress : callable
        Hears of each centre.

    Returns
    -------
    Parts

    Raises
    ------
    BadCohort
        For one centre only, or a file of patients of several centres that is no table with a column ``patient``.
    BadCase
        For a file that is missing.
    BadCohort, BadTable
        As :func:`onclair.io.cohorts.folder.read_cohort`.
    NoRoom
        When `out` is taken or cannot be written.

    Notes
    -----
    Files of one centre keep their relative path and their bytes; where the disk allows, they are second names of the same bytes. Tables
    with a column ``patient`` (the clinical table, ``semantic.csv``, a virtual cohort's ``truth.csv``) lose the rows of other centres'
    patients. Whatever else lies in the folder stays behind, for nobody can tell whose it is; it is named.
    """
    cohort, out = read_cohort(source), Path(out)
    if len(cohort.centres) < 2:
        raise BadCohort(f"The cohort {source} has one centre ({', '.join(cohort.centres)}); there is nothing to cut.", item=str(source))
    shared = _shared(cohort)
    beside, behind = _beside(cohort)
    sites = {split.name.removeprefix("centre:"): split.test for split in cohort.by_centre()}
    with sealed_folder(out) as folder:
        for number, (name, patients) in enumerate(sites.items(), start=1):
            with writing_to(out, folder):
                (folder / name).mkdir()
            _write_site(cohort.only(patients), name, folder / name, (shared, beside))
            progress(Progress("split", number, len(sites), item=name, unit="centres"))
    return Parts(out, {name: len(patients) for name, patients in sites.items()}, (*_left(behind), *_unknown(cohort)))


def _write_site(
    cohort: Cohort, name: str, folder: Path, tables: tuple[Mapping[str, pd.DataFrame], Mapping[str, pd.DataFrame | None]]
) -> None:
    """Write one centre's cohort: its files, its rows of the tables that several centres share, and of those beside them."""
    shared, beside = tables
    here, root = set(cohort.patients), cohort.root or Path()
    paths = [_kept(root, row, folder, shared) for row in cohort.acquisitions.to_dict("records")]
    for path in sorted(set(cohort.acquisitions["path"]) & set(shared)):
        _write_rows(folder / path, shared[path], here)
    for path, frame in beside.items():
        place(root / path, folder / path) if frame is None else _write_rows(folder / path, frame, here)
    about = replace(cohort.about, title=f"{cohort.about.title} ({name})" if cohort.about.title else name)
    write_tables(Cohort(cohort.acquisitions.assign(path=paths), cohort.outcomes, about), folder)


def _kept(root: Path, row: Mapping[Any, Any], folder: Path, shared: Mapping[str, pd.DataFrame]) -> str:
    """Put one acquisition's file into a centre's folder and return its path there."""
    path = Path(str(row["path"]))
    if str(row["path"]) in shared:
        return str(row["path"])
    target = path
    if path.is_absolute():
        target = Path("_".join(str(part) for part in (row["patient"], row["visit"], row["kind"]) if part) + "".join(path.suffixes[-2:]))
    source = root / path
    if not source.exists():
        found = f"there is no file {row['path']}"
        raise BadCase(f"The {row['kind']} of {row['patient']} is missing: {found}; correct acquisitions.csv.", item=str(row["patient"]))
    files = sorted(each for each in source.rglob("*") if each.is_file()) if source.is_dir() else [source]
    for each in files:
        goal = folder / target / each.relative_to(source)
        if not goal.exists():
            place(each, goal)
    return target.as_posix()


def _write_rows(path: Path, frame: pd.DataFrame, patients: set[str]) -> None:
    rows = frame[frame["patient"].isin(patients)]
    if len(rows):
        write_table(path, rows)


def _shared(cohort: Cohort) -> dict[str, pd.DataFrame]:
    """Return the tables that patients of several centres share, by path; a file that is no such table cannot be cut."""
    centres = cohort.acquisitions.groupby("path")["centre"].nunique()
    found = {}
    for path in sorted(str(each) for each in centres.index[centres > 1]):
        frame = _table(cohort, path)
        if frame is None:
            told = f"{path} belongs to patients of {centres[path]} centres and is no table with a column 'patient', so it cannot be cut"
            raise BadCohort(f"{told}; give each centre a file of its own.", item=path)
        found[path] = frame
    return found


def _beside(cohort: Cohort) -> tuple[dict[str, pd.DataFrame | None], tuple[str, ...]]:
    """Return the tables beside the cohort's own that can be cut (None: goes to all as it is), and what stays behind."""
    root, taken = cohort.root or Path(), {Path(str(path)).parts[0] for path in cohort.acquisitions["path"]}
    tables: dict[str, pd.DataFrame | None] = {}
    behind = []
    for path in sorted(root.iterdir()):
        if path.name in (*_OWN, "cohort.toml") or path.name in taken:
            continue
        frame = _table(cohort, path.name) if path.suffix == ".csv" else None
        if frame is not None or path.name == LABELS:
            tables[path.name] = frame
        else:
            behind.append(path.name)
    return tables, tuple(behind)


def _table(cohort: Cohort, path: str) -> pd.DataFrame | None:
    """Return a table as its file spells every cell, None for what is no table of patients."""
    whole = (cohort.root or Path()) / path
    try:
        header = [str(column) for column in read_table(whole).frame.columns]
        return read_table(whole, text=header).frame if "patient" in header else None
    except BadTable:
        return None


def _left(behind: Sequence[str]) -> list[dict[str, str]]:
    if not behind:
        return []
    told = f"{', '.join(behind)} went to no centre: nobody can tell whose it is"
    return [{"code": "left_behind", "text": f"{told}; copy what a centre needs yourself."}]


def _unknown(cohort: Cohort) -> list[dict[str, str]]:
    """Return the note on patients with an outcome and no acquisition: they have no centre."""
    lost = sorted(set(cohort.outcomes["patient"].astype(str)) - set(cohort.patients))
    if not lost:
        return []
    told = f"{len(lost)} patients have an outcome and no row in acquisitions.csv (the first is {lost[0]}), so they have no centre"
    return [{"code": "no_centre", "text": f"{told} and went to none."}]
