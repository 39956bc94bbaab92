"""BIDS with derivatives: ``sub-X/[ses-Y/]ct/..._ct.nii.gz`` and ``derivatives/.../..._dseg.nii.gz`` or ``_mask.nii.gz``.

Gorgolewski et al. 2016, doi:10.1038/sdata.2016.44; segmentations as in the part "Imaging data type: derivatives" of the specification.
VerSe's ``rawdata/`` and ``_msk`` are read too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onclair.core.cohort import About
from onclair.core.errors import BadCase, BadInput, OnclairError
from onclair.io.cohorts.codes import checked_code, checked_visit
from onclair.io.layouts.dicom_centres import UNKNOWN
from onclair.io.layouts.labelled import (
    ENDINGS,
    LESIONS,
    Labelled,
    LabelledCase,
    LeftOut,
    Owners,
    about_of,
    by_patient,
    case_name,
    kind_of,
    refused,
)
from onclair.io.tables import read_table

_MASKS = ("dseg", "mask", "msk", "seg")
#: Entities that say what a mask shows, not which scan it is of.
_SHOWN = ("desc", "label", "seg", "atlas")
_ASIDE = (*_SHOWN, "space", "res", "den")
_DOCUMENTS = (".json", ".tsv")
_PAIR = re.compile(r"([A-Za-z0-9]+)-([A-Za-z0-9+.]+)")


@dataclass(frozen=True, slots=True)
class Named:
    """A file by its BIDS name.

    Attributes
    ----------
    path : Path
    entities : mapping of str to str
        In the order of the name: ``{"sub": "01", "ses": "a"}``.
    suffix : str

    Examples
    --------
    >>> named(Path("sub-01_ses-a_desc-lesions_dseg.nii.gz")).shown
    'lesions'
    """

    path: Path
    entities: Mapping[str, str]
    suffix: str

    @property
    def shown(self) -> str:
        """What a mask says that it shows, empty where it does not."""
        return next((self.entities[key] for key in _SHOWN if key in self.entities), "")

    @property
    def scan(self) -> tuple[tuple[str, str], ...]:
        """The entities that name the scan."""
        return tuple((key, value) for key, value in self.entities.items() if key not in _ASIDE)

    def of(self, image: Named) -> bool:
        """Return whether a mask can be of an image: no entity that both have differs, subject and session agree."""
        own, other = dict(self.scan), dict(image.scan)
        return all(own.get(k) == other.get(k) for k in ("sub", "ses")) and all(other.get(k, v) == v for k, v in own.items())


def named(path: Path) -> Named:
    """Return a file's entities and suffix.

    Raises
    ------
    BadCase
        For a name that is no BIDS name.
    """
    *parts, suffix = case_name(path).split("_")
    found = [_PAIR.fullmatch(part) for part in parts]
    if not parts or not all(found) or not parts[0].startswith("sub-"):
        raise BadCase(f"The file {path.name} has no BIDS name; call it sub-X_ct.nii.gz, or sub-X_ses-Y_ct.nii.gz.", item=path.name)
    return Named(path, {match[1]: match[2] for match in found if match}, suffix)


def read_bids(root: str | Path, owners: Owners | None = None, *, labels_as: str = LESIONS) -> Labelled:
    """Return the images of a BIDS folder with the masks of its derivatives.

    Parameters
    ----------
    root : path
        Holds ``sub-*`` or ``rawdata/sub-*``, and ``derivatives``.
    owners : Owners, optional
        Whose each scan is, where a table says it; by ``participants.tsv`` and the subject's label where left out.
    labels_as : str
        Kind of the masks in a cohort; where their names tell several apart (``desc-bones``), each gets that name instead.

    Returns
    -------
    Labelled
        Images without a mask, masks without an image and files without a BIDS name are in `left_out`, by name.

    Raises
    ------
    BadInput
        For a folder without subjects, or tables of labels that contradict each other.
    """
    root, owners = Path(root), owners or Owners(root)
    files = [p for p in sorted(root.rglob("*")) if p.is_file() and not any(part.startswith(".") for part in p.relative_to(root).parts)]
    left: list[LeftOut] = []
    images, masks = _sorted_out(root, files, left)
    if not images:
        raise BadInput(f"The folder {root} holds no image called sub-X_ct.nii.gz; give the folder of a BIDS data set.", item=str(root))
    kinds = _kinds(masks, labels_as)
    people, visits = _participants(root), _sessions(files)
    cases = []
    for image in images:
        try:
            cases.append(_case(image, [m for m in masks if m.of(image)], kinds, _owner(image, owners, people, visits)))
        except OnclairError as error:
            left.append(refused(case_name(image.path), error))
    left += [
        LeftOut("", m.path.name, f"The mask {m.path.name} is of no image here; add the image or remove it.")
        for m in masks
        if not any(m.of(image) for image in images)
    ]
    documents = tuple(p for p in files if p.suffix in _DOCUMENTS or p.name in ("README", "CHANGES", "LICENSE"))
    return Labelled("bids", root, by_patient(cases), _names(files, masks, kinds), documents, tuple(left), (), _about(root))


def _sorted_out(root: Path, files: list[Path], left: list[LeftOut]) -> tuple[list[Named], list[Named]]:
    images, masks = [], []
    for path in files:
        if not path.name.endswith(ENDINGS):
            continue
        try:
            one = named(path)
        except BadCase as error:
            left.append(refused(path.name, error))
            continue
        derived = "derivatives" in path.relative_to(root).parts
        if one.suffix in _MASKS:
            masks.append(one)
        elif not derived:
            images.append(one)
    return images, masks


def _kinds(masks: list[Named], labels_as: str) -> dict[str, str]:
    """Return the kind in a cohort for what masks say that they show."""
    shown = sorted({mask.shown for mask in masks})
    return {one: labels_as if len(shown) == 1 or not one else kind_of(one) for one in shown}


def _owner(
    image: Named, owners: Owners, people: Mapping[str, tuple[str, str]], visits: Mapping[tuple[str, str], str]
) -> tuple[str, str, str]:
    if owners.path is not None:
        return owners.of(case_name(image.path).removesuffix(f"_{image.suffix}"))
    subject, session = image.entities["sub"], image.entities.get("ses", "")
    patient, centre = people.get(subject, (subject, ""))
    more = [f"{key}-{value}" for key, value in image.scan if key not in ("sub", "ses")]
    visit = "_".join([part for part in (visits.get((subject, session), session), *more) if part])
    centre = centre or owners.of(checked_code(patient, where="participants.tsv"))[1] or UNKNOWN
    return checked_code(patient, where="participants.tsv"), centre, checked_visit(visit, where=image.path.name)


def _case(image: Named, masks: list[Named], kinds: Mapping[str, str], owner: tuple[str, str, str]) -> LabelledCase:
    name = case_name(image.path).removesuffix(f"_{image.suffix}")
    if not masks:
        raise BadCase(f"The image {image.path.name} has no mask among the derivatives; add {name}_dseg.nii.gz there.", item=name)
    labels: dict[str, Path] = {}
    for mask in masks:
        kind = kinds[mask.shown]
        if kind in labels:
            both = f"{labels[kind].name} and {mask.path.name}"
            raise BadCase(f"The image {image.path.name} has two masks of one kind, {both}; tell them apart by desc-.", item=name)
        labels[kind] = mask.path
    return LabelledCase(name, *owner, {kind_of(image.suffix): image.path}, labels)


def _about(root: Path) -> About:
    path = root / "dataset_description.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return About()
    return about_of(found) if isinstance(found, dict) else About()


def _participants(root: Path) -> dict[str, tuple[str, str]]:
    """Return patient and centre of each subject, as ``participants.tsv`` says them."""
    path = root / "participants.tsv"
    if not path.is_file():
        return {}
    columns = ("participant_id", "patient", "centre", "center", "site")
    frame = read_table(path, text=columns).frame.fillna("")
    if "participant_id" not in frame.columns:
        return {}
    where = next((c for c in ("centre", "center", "site") if c in frame.columns), None)
    found = {}
    for row in frame.to_dict("records"):
        subject = str(row["participant_id"]).removeprefix("sub-")
        found[subject] = (str(row.get("patient") or subject), str(row[where]) if where else "")
    return found


def _sessions(files: list[Path]) -> dict[tuple[str, str], str]:
    """Return the visit of each session, where a ``sub-X_sessions.tsv`` names it."""
    found: dict[tuple[str, str], str] = {}
    for path in files:
        if path.name.endswith("_sessions.tsv"):
            frame = read_table(path, text=("session_id", "visit")).frame.fillna("")
            if {"session_id", "visit"} <= set(frame.columns):
                subject = path.name.removesuffix("_sessions.tsv").removeprefix("sub-")
                found |= {(subject, str(s).removeprefix("ses-")): str(v) for s, v in zip(frame["session_id"], frame["visit"], strict=True)}
    return found


def _shown_by_table(name: str) -> str:
    """Return what a table of labels is about, by its name."""
    parts = [_PAIR.fullmatch(part) for part in name.removesuffix("dseg.tsv").rstrip("_").split("_")]
    entities = {match[1]: match[2] for match in parts if match}
    return next((entities[key] for key in _SHOWN if key in entities), "")


def _names(files: list[Path], masks: list[Named], kinds: Mapping[str, str]) -> dict[str, dict[int, str]]:
    """Return what values mean: by the tables ``..._dseg.tsv``, and 1 in a ``_mask``."""
    found: dict[str, dict[int, str]] = {}
    for mask in masks:
        if mask.suffix == "mask":
            found.setdefault(kinds[mask.shown], {0: "background", 1: mask.shown or "lesion"})
    for path in files:
        kind = kinds.get(_shown_by_table(path.name)) if path.name.endswith("dseg.tsv") else None
        if kind is None:
            continue
        frame = read_table(path, text=("name",)).frame
        if not {"index", "name"} <= set(frame.columns):
            raise BadInput(f"The table {path.name} lacks the columns index and name; correct it.", item=path.name)
        for value, name in zip(frame["index"], frame["name"], strict=True):
            own = found.setdefault(kind, {})
            if own.setdefault(int(value), str(name)) != str(name):
                both = f"'{own[int(value)]}' and '{name}'"
                raise BadInput(f"The tables of labels call the value {int(value)} {both}; make them agree.", item=path.name)
    return found
