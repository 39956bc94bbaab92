"""A tree of DICOM files into a cohort folder: pseudonyms, visits by date, volumes as NIfTI with SUV, outlines on their grid.

Nothing of a person's header is kept: no name, number, date or UID. What was left out is told to the caller, with the reason.
"""

from __future__ import annotations

import csv
import io
import os
from builtins import map as in_turn
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from onclair.core.cohort import ACQUISITION_COLUMNS, About, Cohort
from onclair.core.errors import BadInput
from onclair.core.progress import Listener, Progress, silent
from onclair.io.cohorts.folder import write_tables
from onclair.io.dicom.files import index
from onclair.io.dicom.pseudonyms import read_secret
from onclair.io.dicom.read import PetValues
from onclair.io.files import sealed_folder, writing_to
from onclair.io.layouts.dicom_centres import Centres, centres_from
from onclair.io.layouts.dicom_people import Person, people
from onclair.io.layouts.dicom_visit import EXTRA_COLUMNS, LeftOut, Picked, Wanted, convert

MapFunction = Callable[..., Iterator[Any]]
_UNITS = {"pet": "SUV", "ct": "HU", "mr": "a.u."}


@dataclass(frozen=True, slots=True)
class Choice:
    """What an import takes, where a folder leaves room.

    Attributes
    ----------
    centre : str
        Of all patients; empty numbers the institutions (``centre-1``, ...), whose names stay behind.
    centre_from : str
        In its place: ``"InstitutionName"`` or ``"StationName"`` as the files write it, or a table with ``patient`` and ``centre``.
    structures : tuple of str
        Names of the outlined structure, in order of preference; capitals do not matter and ``*`` stands for any letters. The first
        that a visit has becomes its ``mask``.
    series : tuple of str
        Series UIDs to take where a visit has several of a kind.
    description : str
        Text in the series' description, for the same.
    onto : {"", "pet", "ct", "mr"}
        The image that outlines are laid on; empty takes the one that they were drawn on.
    pet : {"bw", "lbm", "bsa"}
        What SUV is normalised by.
    secret : path or None
        File whose content makes the pseudonyms; without it they hold for these very files only.

    Examples
    --------
    >>> Choice(structures=("GTV*",)).pet
    'bw'
    """

    centre: str = ""
    centre_from: str = ""
    structures: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    description: str = ""
    onto: str = ""
    pet: PetValues = "bw"
    secret: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """What an import wrote and what it left.

    Attributes
    ----------
    out : Path
    patients, visits : int
    centres : mapping of str to int
        Patients of each.
    acquisitions : mapping of str to int
        Files of each kind.
    left_out : tuple of LeftOut
    notes : tuple of mapping
        ``patient code text``: what was unusual and read all the same; `patient` is empty where it concerns all.
    people : tuple of (pseudonym, issuer, PatientID)
        For the key file; shown nowhere.
    """

    out: Path
    patients: int
    visits: int
    centres: Mapping[str, int]
    acquisitions: Mapping[str, int]
    left_out: tuple[LeftOut, ...]
    notes: tuple[Mapping[str, str], ...]
    people: tuple[tuple[str, str, str], ...] = field(repr=False, default=())

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints: plain values, patients by pseudonym only."""
        return {
            "out": str(self.out),
            "patients": self.patients,
            "visits": self.visits,
            "centres": dict(self.centres),
            "acquisitions": dict(self.acquisitions),
            "left_out": [{"patient": one.patient, "item": one.item, "reason": one.reason} for one in self.left_out],
            "warnings": [dict(note) for note in self.notes],
        }


def import_dicom(
    source: str | Path,
    out: str | Path,
    choice: Choice | None = None,
    *,
    map: MapFunction = in_turn,  # noqa: A002
    progress: Listener = silent,
) -> Imported:
    """Write a cohort folder from a tree of DICOM files, whole or not at all.

    Parameters
    ----------
    source : path
        Folders within folders; names of files and folders mean nothing.
    out : path
        Must not exist, or be empty.
    choice : Choice, optional
    map : callable
        ``map(function, items)`` in order; hand in one that spreads over processes.
    progress : callable
        Hears of each visit.

    Returns
    -------
    Imported

    Raises
    ------
    BadInput
        For no such folder, nothing in it that can be used (the first reasons given), virtual and real people mixed, or an unusable secret.
    BadCohort
        For a centre that cannot be a name.
    NoRoom
        When the folder is taken or cannot be written.

    Notes
    -----
    A PatientID stays as it is where the headers say PatientIdentityRemoved and it is a plain code; else it becomes a pseudonym. Exams of
    one date are one visit. Of several series of a kind, one is taken only when the choice, an outline drawn on it, or attenuation
    correction single it out; otherwise none is, and all are listed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from onclair.core.values import Image
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.zeros((2, 2, 2), int), np.eye(4), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = write_volume(Path(home, "dicom"), ct, Exam("V1", seed=1, virtual=True))
    ...     done = import_dicom(Path(home, "dicom"), Path(home, "cohort"))
    >>> done.patients, dict(done.acquisitions)
    (1, {'ct': 1})
    """
    choice = choice or Choice()
    centres = centres_from(choice.centre, choice.centre_from)
    found = index(source)
    secret = None if choice.secret is None else read_secret(choice.secret)
    persons = people(found.items, centres=centres, secret=secret)
    _one_world(persons)
    wanted = Wanted(choice.structures, choice.series, choice.description, choice.onto, choice.pet)
    root = Path(source)
    left = [LeftOut("", _relative(path, root), reason) for path, reason in found.left_out]
    with sealed_folder(out) as folder:
        tasks = [(visit, wanted, folder, root) for person in persons for visit in person.visits]
        picked = _told(map(convert, tasks), tasks, progress)
        rows = [row for one in picked for row in one.rows]
        left += [reason for one in picked for reason in one.left_out]
        if not rows:
            raise BadInput(_nothing(root, left), item=str(source))
        _write_tables(rows, persons, folder)
    done = _summary(Path(out), rows, picked, left, persons)
    return replace(done, notes=(*_of_centres(centres, rows, persons), *done.notes))


def key_place(path: str | Path, out: str | Path) -> Path:
    """Return where a key file may be written.

    Raises
    ------
    BadInput
        For a path inside the cohort's folder, which may be handed on, or one that exists.

    Examples
    --------
    >>> key_place("/safe/key.csv", "/shared/cohort").name
    'key.csv'
    """
    path = Path(path)
    if path.resolve().is_relative_to(Path(out).resolve()):
        raise BadInput(f"The key file {path} lies inside the cohort; keep it apart: whoever has both knows the patients.", item=path.name)
    if path.exists():
        raise BadInput(f"The key file {path} exists; nothing was replaced: choose another name.", item=path.name)
    return path


def write_key(imported: Imported, path: str | Path) -> None:
    """Write who is who, readable by its owner alone: ``patient,issuer,patient_id``.

    Parameters
    ----------
    imported : Imported
    path : path

    Raises
    ------
    BadInput
        As :func:`key_place`.
    NoRoom
        When it cannot be written.
    """
    path = key_place(path, imported.out)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("patient", "issuer", "patient_id"), *imported.people])
    with writing_to(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text.getvalue())


def _told(results: Iterator[Picked], tasks: Sequence[Any], progress: Listener) -> list[Picked]:
    picked = []
    for number, result in enumerate(results, start=1):
        picked.append(result)
        progress(Progress("import", number, len(tasks), item=result.patient, unit="visits"))
    return picked


def _one_world(persons: Sequence[Person]) -> None:
    worlds = {visit.virtual for person in persons for visit in person.visits}
    if len(worlds) > 1:
        raise BadInput("The folder mixes virtual people with others; import them apart: no cohort may hold both.")


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _nothing(root: Path, left: Sequence[LeftOut]) -> str:
    if not left:
        return f"The folder {root} holds no file; give the folder with the DICOM files."
    reasons = Counter(one.reason for one in left)
    first = " ".join(reason for reason, _ in reasons.most_common(2))
    return f"Nothing in {root} can be imported ({len(left)} items left out), for example: {first}"


def _write_tables(rows: Sequence[Mapping[str, Any]], persons: Sequence[Person], folder: Path) -> None:
    table = pd.DataFrame(rows, columns=[*ACQUISITION_COLUMNS, *EXTRA_COLUMNS]).sort_values(["patient", "visit", "kind"], ignore_index=True)
    table = table.dropna(axis=1, how="all")
    table["visit"] = table["visit"].fillna("")
    virtual = all(visit.virtual for person in persons for visit in person.visits)
    units = {kind: unit for kind, unit in _UNITS.items() if (table["kind"] == kind).any()}
    about = About("Imported from DICOM", "virtual" if virtual else "real", units=units)
    write_tables(Cohort(table, pd.DataFrame({"patient": sorted(table["patient"].unique())}), about), folder)


def _of_centres(centres: Centres, rows: Sequence[Mapping[str, Any]], persons: Sequence[Person]) -> list[dict[str, str]]:
    """Return what to say of the centres of those who were imported."""
    found = {str(row["patient"]): str(row["centre"]) for row in rows}
    known = [name for person in persons for name in (person.code, person.patient_id)]
    return [{"patient": "", **note} for note in centres.remarks(found, known)]


def _summary(
    out: Path, rows: Sequence[Mapping[str, Any]], picked: Sequence[Picked], left: Sequence[LeftOut], persons: Sequence[Person]
) -> Imported:
    patients = {row["patient"]: row["centre"] for row in rows}
    notes = [{"patient": one.patient, **note} for one in picked for note in one.notes]
    return Imported(
        out=out,
        patients=len(patients),
        visits=len({(row["patient"], row["visit"]) for row in rows}),
        centres=dict(sorted(Counter(patients.values()).items())),
        acquisitions=dict(sorted(Counter(str(row["kind"]) for row in rows).items())),
        left_out=tuple(left),
        notes=tuple(notes),
        people=tuple((p.code, p.issuer, p.patient_id) for p in persons if p.code in patients),
    )


__all__ = ["Choice", "Imported", "LeftOut", "import_dicom", "key_place", "write_key"]
