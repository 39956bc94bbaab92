"""Images with their label maps, as training layouts keep them: what nnU-Net, the Medical Decathlon and BIDS have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from onclair.core.cohort import About
from onclair.core.errors import BadCohort, BadInput, BadTable, OnclairError
from onclair.core.names import did_you_mean
from onclair.io.cohorts.codes import checked_centre, checked_code, checked_visit
from onclair.io.layouts.dicom_centres import UNKNOWN
from onclair.io.layouts.dicom_visit import LeftOut
from onclair.io.tables import read_table

#: The table in a layout's root that says which patient a case is of, and in which centre: ``case,patient[,centre]``.
PATIENTS = "patients.csv"
#: What label maps become in a cohort when nothing else is said.
LESIONS = "lesions"
#: How a file of one volume ends; other endings are for their own programs to convert.
ENDINGS = (".nii.gz", ".nii")
_KINDS = {"computed tomography": "ct", "mri": "mr", "magnetic resonance": "mr", "pt": "pet"}
_VIRTUAL = "VIRTUAL"
_UNNAMED = "the name of a channel is empty; name it in dataset.json, such as CT"


@dataclass(frozen=True, slots=True)
class LabelledCase:
    """One scan: its images by kind, its label maps by kind, and whose it is.

    Attributes
    ----------
    name : str
        What the layout calls it.
    patient, centre, visit : str
        `visit` is empty where the patient has this scan alone.
    images, labels : mapping of str to Path
        By the kind that they have in a cohort.
    testing : bool
        True for a scan that the layout keeps for testing; only such a one may lack its label map.

    Examples
    --------
    >>> LabelledCase("a", "a", "unknown", "", {"ct": Path("a_0000.nii.gz")}, {}, testing=True).testing
    True
    """

    name: str
    patient: str
    centre: str
    visit: str
    images: Mapping[str, Path]
    labels: Mapping[str, Path]
    testing: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """What a folder in a training layout holds.

    Attributes
    ----------
    layout : {"nnunet", "msd", "bids"}
    root : Path
    cases : tuple of LabelledCase
    names : mapping of str to mapping of int to str
        For each kind of label map, what its values mean; empty where the layout does not say.
    kept : tuple of Path
        Documents of the layout that a cohort cannot hold in its tables and keeps as they are: ``dataset.json``.
    left_out : tuple of LeftOut
        What cannot be used and why.
    notes : tuple of mapping
        ``code text``.
    about : About
        Title, licence, citation, and whether the data are virtual, as far as the layout says it.
    """

    layout: str
    root: Path
    cases: tuple[LabelledCase, ...]
    names: Mapping[str, Mapping[int, str]]
    kept: tuple[Path, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Mapping[str, str], ...] = ()
    about: About = field(default_factory=About)


class Owners:
    """Whose a case is: by a table ``case,patient[,centre]``, or each case its own patient.

    Parameters
    ----------
    root : path
        Of the layout; its own ``patients.csv`` is used where no table is given.
    table : path, optional
    centre : str
        Of patients whose centre no table names.

    Raises
    ------
    BadTable
        For a table that cannot be read.
    BadCohort
        For one without ``case`` or ``patient``, a case named twice, or a code that may identify a person.

    Examples
    --------
    >>> Owners("/nowhere").of("liver_001")
    ('liver_001', 'unknown', '')
    """

    def __init__(self, root: str | Path, table: str | Path | None = None, *, centre: str = "") -> None:
        own = Path(root) / PATIENTS
        self.path = Path(table) if table is not None else own if own.is_file() else None
        self._centre = checked_centre(centre, where="--centre") if centre else UNKNOWN
        self._rows = {} if self.path is None else _owners(self.path)

    def of(self, case: str) -> tuple[str, str, str]:
        """Return patient, centre and visit of a case.

        Raises
        ------
        BadCohort
            For a case that the table does not name, or a name that may identify a person.
        """
        if self.path is None:
            return checked_code(case, where="the folder"), self._centre, ""
        if case not in self._rows:
            raise BadCohort(f"The case {case} has no row in {self.path.name}; {did_you_mean(case, self._rows)}", item=case)
        patient, centre = self._rows[case]
        return patient, centre or self._centre, "" if patient == case else checked_visit(case, where=self.path.name)


def _owners(path: Path) -> dict[str, tuple[str, str]]:
    frame = read_table(path, text=("case", "patient", "centre")).frame
    for column in ("case", "patient"):
        if column not in frame.columns:
            there = did_you_mean(column, [str(c) for c in frame.columns])
            raise BadCohort(f"{path.name} lacks the column '{column}'; {there}", item=column)
        if frame[column].isna().any():
            raise BadCohort(f"The column '{column}' of {path.name} is empty in a row; fill it or remove the row.", item=column)
    twice = frame["case"][frame["case"].duplicated()]
    if len(twice):
        raise BadCohort(f"{path.name} names the case {twice.iloc[0]} twice; keep one row.", item=str(twice.iloc[0]))
    centres = frame["centre"].fillna("") if "centre" in frame.columns else [""] * len(frame)
    rows = {}
    for case, patient, centre in zip(frame["case"], frame["patient"], centres, strict=True):
        checked_code(patient, where=path.name)
        rows[str(case)] = (str(patient), checked_centre(centre, where=path.name) if centre else "")
    return rows


def dataset_json(root: str | Path) -> dict[str, Any]:
    """Return a layout's ``dataset.json``.

    Raises
    ------
    BadInput
        For no such folder or file, or one that is no JSON object.

    Examples
    --------
    >>> dataset_json("/nowhere")
    Traceback (most recent call last):
    onclair.core.errors.BadInput: There is no folder /nowhere; give the folder that holds dataset.json.
    """
    root, path = Path(root), Path(root) / "dataset.json"
    if not root.is_dir():
        raise BadInput(f"There is no folder {root}; give the folder that holds dataset.json.", item=str(root))
    if not path.is_file():
        raise BadInput(f"The folder {root} holds no dataset.json; give the folder of one data set, the one with imagesTr.", item=str(root))
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadInput(f"The file {path} is no JSON ({str(error).splitlines()[0]}); mend it or export it again.", item=str(path)) from error
    if not isinstance(found, dict):
        raise BadInput(f"The file {path} holds no JSON object; mend it or export it again.", item=str(path))
    return found


def about_of(document: Mapping[str, Any]) -> About:
    """Return what a layout's document says of the whole: title, licence, citation, and whether nobody is shown.

    Parameters
    ----------
    document : mapping
        ``dataset.json``, or BIDS' ``dataset_description.json``.

    Examples
    --------
    >>> about_of({"name": "Liver", "description": "VIRTUAL: simulated"}).data
    'virtual'
    """

    def text(*keys: str) -> str:
        found = next((document[key] for key in keys if document.get(key)), "")
        return "; ".join(map(str, found)) if isinstance(found, list) else str(found)

    virtual = any(text(key).upper().startswith(_VIRTUAL) for key in ("name", "description", "Name"))
    title, licence = text("name", "Name"), text("licence", "license", "License")
    return About(title, "virtual" if virtual else "real", licence, text("reference", "citation", "ReferencesAndLinks"))


def kind_of(channel: Any) -> str:
    """Return the kind in a cohort of a channel by its name in a layout.

    Raises
    ------
    BadInput
        For an empty name.

    Examples
    --------
    >>> kind_of("CT"), kind_of("MRI"), kind_of("T1 post-contrast")
    ('ct', 'mr', 't1-post-contrast')
    """
    plain = re.sub(r"[^a-z0-9_-]+", "-", str(channel).strip().casefold()).strip("-_")
    if not plain:
        raise BadInput(f"In dataset.json {_UNNAMED}.", item="dataset.json")
    return _KINDS.get(str(channel).strip().casefold(), plain)


def volumes_in(folder: Path, endings: Sequence[str] = ENDINGS) -> dict[str, Path]:
    """Return the volumes of a folder by their name without ending, hidden files and macOS's ``._`` shadows left out.

    Examples
    --------
    >>> volumes_in(Path("/nowhere"))
    {}
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        ending = next((one for one in endings if path.name.endswith(one)), None)
        if ending and not path.name.startswith(".") and path.is_file():
            found.setdefault(path.name.removesuffix(ending), path)
    return found


def inside(root: Path, written: Any, *, of: str) -> Path:
    """Return the file that a relative path in a document names, kept within the folder.

    Raises
    ------
    BadInput
        For a path that leaves the folder, or none.

    Examples
    --------
    >>> inside(Path("/data"), "./imagesTr/a.nii.gz", of="dataset.json").as_posix()
    '/data/imagesTr/a.nii.gz'
    """
    pure = PurePosixPath(str(written).replace("\\", "/"))
    if not isinstance(written, str) or not written or pure.is_absolute() or ".." in pure.parts:
        raise BadInput(f"{of} names the file {written!r}, which is no path inside the folder; move the file there.", item=str(written))
    return root / pure


def case_name(path: Path | PurePosixPath) -> str:
    """Return a file's name without its ending.

    Examples
    --------
    >>> case_name(Path("imagesTr/la_003.nii.gz"))
    'la_003'
    """
    return next((path.name.removesuffix(one) for one in ENDINGS if path.name.endswith(one)), path.stem)


def refused(name: str, error: OnclairError, patient: str = "") -> LeftOut:
    """Return why a case was left out."""
    return LeftOut(patient, error.item or name, str(error))


def told(layout: Labelled) -> Labelled:
    """Return a layout that has nothing left out, or refuse the first thing that was.

    Raises
    ------
    BadInput
        With the first reason, and the number of further ones.
    """
    if not layout.left_out:
        return layout
    first, others = layout.left_out[0], len(layout.left_out) - 1
    raise BadInput(f"{first.reason.rstrip('.')}{f'; {others} more cannot be used' if others else ''}.", item=first.item)


def by_patient(cases: Iterable[LabelledCase]) -> tuple[LabelledCase, ...]:
    """Return cases in order of patient and name."""
    return tuple(sorted(cases, key=lambda case: (case.patient, case.name)))


__all__ = [
    "ENDINGS",
    "LESIONS",
    "PATIENTS",
    "BadTable",
    "Labelled",
    "LabelledCase",
    "LeftOut",
    "Owners",
    "about_of",
    "by_patient",
    "case_name",
    "dataset_json",
    "inside",
    "kind_of",
    "refused",
    "told",
    "volumes_in",
]
