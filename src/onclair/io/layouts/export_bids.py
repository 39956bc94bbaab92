"""A cohort written as BIDS with derivatives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from onclair.core.errors import BadInput
from onclair.io.files import write_atomically
from onclair.io.layouts.bring import place
from onclair.io.layouts.labelled import LESIONS, LabelledCase, case_name

if TYPE_CHECKING:
    from onclair.io.layouts.export import Outgoing

_VERSION = "1.9.0"
_PIPELINE = "derivatives/onclair"
_SUFFIXES = {"mr": "T1w"}
_VIRTUAL = "VIRTUAL: simulated, nobody is shown"


def write_bids(going: Outgoing, folder: Path) -> tuple[Mapping[str, str], ...]:
    """Write images, masks, tables of labels, participants and sessions into a folder.

    Parameters
    ----------
    going : Outgoing
        Cases that were checked.
    folder : Path

    Returns
    -------
    tuple of mapping
        No notes: whatever was taken is kept as it is.

    Raises
    ------
    BadInput
        For two patients, or two visits of one, whose letters and digits are the same: BIDS allows no others.
    NoRoom
        When the folder cannot be written.

    Notes
    -----
    A cohort that was imported from BIDS goes back to the paths that it had, with its own documents.
    """
    if (going.root / "dataset_description.json").is_file() and _still_bids(going):
        _as_before(going, folder)
        return ()
    subjects, sessions = _labels(going.cases)
    for case in going.cases:
        sub, ses = subjects[case.patient], sessions.get((case.patient, case.visit), "")
        stem, home = (f"sub-{sub}_ses-{ses}", f"sub-{sub}/ses-{ses}/ct") if ses else (f"sub-{sub}", f"sub-{sub}/ct")
        for kind, path in case.images.items():
            place(path, folder / home / f"{stem}_{_SUFFIXES.get(kind, _plain(kind))}{_ending(path)}")
        for kind, path in case.labels.items():
            place(path, folder / _PIPELINE / home / f"{stem}_desc-{_plain(kind)}_dseg{_ending(path)}")
    _write_names(going, folder)
    _write_people(going.cases, subjects, sessions, folder)
    title = going.cohort.about.title or "Exported cohort"
    virtual = going.cohort.about.data == "virtual" and not title.upper().startswith("VIRTUAL")
    about: dict[str, object] = {"Name": f"{_VIRTUAL}; {title}" if virtual else title, "BIDSVersion": _VERSION}
    if going.cohort.about.licence:
        about["License"] = going.cohort.about.licence
    _write_json(folder / "dataset_description.json", about | {"DatasetType": "raw"})
    made = {"GeneratedBy": [{"Name": "Onclair"}], "DatasetType": "derivative"}
    _write_json(folder / _PIPELINE / "dataset_description.json", about | made)
    return ()


def _still_bids(going: Outgoing) -> bool:
    """Return whether every file lies where BIDS would have it."""
    if not all(path.is_relative_to(going.root) for path in _files(going)):
        return False
    paths = [path.relative_to(going.root).as_posix() for path in _files(going)]
    return all(re.fullmatch(r"(?:[^/]+/)*sub-[A-Za-z0-9+]+/(?:.*/)?sub-[^/]+\.nii(?:\.gz)?", path) for path in paths)


def _files(going: Outgoing) -> Iterator[Path]:
    for case in going.cases:
        yield from (*case.images.values(), *case.labels.values())


def _as_before(going: Outgoing, folder: Path) -> None:
    """Put files back at their old paths, with the documents that are not about scans that have gone."""
    for path in _files(going):
        place(path, folder / path.relative_to(going.root))
    stems = {_scan(case_name(path)) for path in _files(going)}
    own = {"acquisitions.csv", "outcomes.csv", "cohort.toml", "labels.csv"}
    for path in sorted(going.root.rglob("*")):
        document = path.suffix in (".json", ".tsv") or path.name in ("README", "CHANGES", "LICENSE")
        if document and path.is_file() and path.name not in own and (not path.name.startswith("sub-") or _scan(path.stem) in stems):
            place(path, folder / path.relative_to(going.root))


def _scan(stem: str) -> str:
    """Return the subject of a file's name."""
    return stem.split("_")[0]


def _labels(cases: tuple[LabelledCase, ...]) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    subjects = _told_apart({case.patient: _plain(case.patient) for case in cases}, "patients")
    sessions: dict[tuple[str, str], str] = {}
    for patient in subjects:
        visits = {case.visit: _plain(case.visit) for case in cases if case.patient == patient}
        if len(visits) > 1 or any(visits):
            sessions |= {(patient, visit): label or "1" for visit, label in _told_apart(visits, f"visits of {patient}").items()}
    return subjects, sessions


def _told_apart(labels: dict[str, str], what: str) -> dict[str, str]:
    seen: dict[str, str] = {}
    for code, label in labels.items():
        if label in seen:
            both = f"'{seen[label]}' and '{code}'"
            raise BadInput(f"The {what} {both} are both '{label}' in letters and digits, all that BIDS allows; rename one.", item=code)
        seen[label] = code
    return labels


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)


def _ending(path: Path) -> str:
    return path.name.removeprefix(case_name(path))


def _write_names(going: Outgoing, folder: Path) -> None:
    for kind in going.labels:
        if kind in going.names:
            rows = sorted(going.names[kind].items())
            table = pd.DataFrame(rows, columns=["index", "name"])
            _write_tsv(folder / _PIPELINE / f"desc-{_plain(kind)}_dseg.tsv", table)


def _write_people(
    cases: tuple[LabelledCase, ...], subjects: Mapping[str, str], sessions: Mapping[tuple[str, str], str], folder: Path
) -> None:
    centres = {case.patient: case.centre for case in cases}
    rows = [(f"sub-{label}", patient, centres[patient]) for patient, label in subjects.items()]
    _write_tsv(folder / "participants.tsv", pd.DataFrame(rows, columns=["participant_id", "patient", "centre"]))
    for patient, label in subjects.items():
        own = [(f"ses-{ses}", visit) for (who, visit), ses in sessions.items() if who == patient]
        if own:
            table = pd.DataFrame(own, columns=["session_id", "visit"])
            _write_tsv(folder / f"sub-{label}" / f"sub-{label}_sessions.tsv", table)


def _write_tsv(path: Path, table: pd.DataFrame) -> None:
    write_atomically(path, table.to_csv(sep="\t", index=False, lineterminator="\n").encode())


def _write_json(path: Path, document: Mapping[str, object]) -> None:
    write_atomically(path, json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")


__all__ = ["LESIONS", "write_bids"]
