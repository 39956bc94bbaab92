"""One visit of an import: which series, which structures, written as NIfTI; every reason for leaving something out is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, OnclairError
from onclair.core.names import did_you_mean
from onclair.core.values import Mask, Origin
from onclair.io.dicom.files import Item
from onclair.io.dicom.geometry import Notes
from onclair.io.dicom.outline import read_outline
from onclair.io.dicom.read import PetValues, Series, Volume, list_series, load
from onclair.io.dicom.rtstruct import read_structures
from onclair.io.dicom.seg import read_segments
from onclair.io.nifti import write_image, write_mask

#: Columns that an import adds to ``acquisitions.csv``: batch variables, and what was unusual.
EXTRA_COLUMNS = ("day", "manufacturer", "model", "kernel", "slice_thickness_mm", "structure", "notes")
#: Modality -> kind, the image that a mask without a name belongs to first.
KINDS = {"PET": "pet", "CT": "ct", "MR": "mr"}


@dataclass(frozen=True, slots=True)
class Visit:
    """The files of one person at one time; `day` counts from the person's first."""

    patient: str
    centre: str
    name: str
    day: int | None
    items: tuple[Item, ...]
    virtual: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to take of a visit; see :class:`onclair.io.layouts.dicom.Choice`.

    Examples
    --------
    >>> Wanted(structures=("GTV*",)).pet
    'bw'
    """

    structures: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    description: str = ""
    onto: str = ""
    pet: PetValues = "bw"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was not imported and why; `patient` is empty where the file is nobody's.

    Examples
    --------
    >>> LeftOut("", "readme.txt", "It is not DICOM.").item
    'readme.txt'
    """

    patient: str
    item: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """What became of a visit: rows for ``acquisitions.csv``, what was left out, what was unusual."""

    patient: str
    rows: tuple[Mapping[str, Any], ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[Mapping[str, str], ...]


def convert(task: tuple[Visit, Wanted, Path, Path]) -> Picked:
    """Write one visit's volumes and masks into a folder.

    Parameters
    ----------
    task : tuple
        The visit, what is wanted, the cohort's folder, and the folder that the files came from, for their relative names.

    Returns
    -------
    Picked
        Never an error: what cannot be used is left out with its sentence.

    Raises
    ------
    NoRoom
        When the folder cannot be written.
    """
    visit, wanted, folder, root = task
    desk = _Desk(visit, folder, root)
    outlines = [item for item in visit.items if item.kind in ("rtstruct", "seg")]
    volumes = _volumes(desk, wanted, outlines)
    _masks(desk, wanted, outlines, volumes)
    for item in visit.items:
        if item.kind == "other" or (item.kind == "image" and item.localiser):
            why = "it is a localiser" if item.localiser else f"it is of modality {item.modality or 'unknown'}"
            desk.leave(item, f"{why[:1].upper()}{why[1:]}; PET, CT and MR volumes, RTSTRUCT and SEG are imported.")
    return Picked(visit.patient, tuple(desk.rows), tuple(desk.left), tuple(desk.notes))


class _Desk:
    """Where the rows, reasons and notes of one visit are gathered."""

    def __init__(self, visit: Visit, folder: Path, root: Path) -> None:
        self.visit, self.folder, self.root = visit, folder, root
        self.rows: list[dict[str, Any]] = []
        self.left: list[LeftOut] = []
        self.notes: list[Mapping[str, str]] = []

    def leave(self, what: Item | Series, reason: str) -> None:
        """Leave a file or a series out, with the reason."""
        if isinstance(what, Series):
            name = str(what)
        else:
            name = what.path.relative_to(self.root).as_posix() if what.path.is_relative_to(self.root) else what.path.name
        self.left.append(LeftOut(self.visit.patient, name, reason))

    def path(self, kind: str) -> str:
        """Return where a kind of this visit is written, within the cohort."""
        return f"images/{self.visit.patient}_{self.visit.name}_{kind}.nii.gz"

    def add(self, kind: str, facts: Mapping[str, Any], notes: Sequence[Mapping[str, str]]) -> None:
        """Add the row of a file that was written."""
        self.notes += notes
        codes = " ".join(sorted({note["code"] for note in notes})) or None
        row = {"patient": self.visit.patient, "centre": self.visit.centre, "visit": self.visit.name, "kind": kind, "path": self.path(kind)}
        about = {key: facts.get(key) or None for key in EXTRA_COLUMNS}
        self.rows.append({**row, **about, "day": self.visit.day, "notes": codes})


def _volumes(desk: _Desk, wanted: Wanted, outlines: Sequence[Item]) -> dict[str, Volume]:
    """Write the visit's one PET, CT and MR, and return them by kind."""
    drawn_on = {uid for item in outlines for uid in item.references}
    found: dict[str, Volume] = {}
    every = list_series(desk.visit.items)
    for modality, kind in KINDS.items():
        one = _one_of([s for s in every if s.modality == modality], wanted, drawn_on, desk)
        if one is None:
            continue
        try:
            volume = load(one, pet=wanted.pet)
        except (BadCase, MemoryError) as error:
            desk.leave(one, str(error) or "It does not fit into memory.")
            continue
        if modality == "CT" and volume.image.unit != "HU":
            desk.leave(one, "It says that its values are not Hounsfield units, which a cohort's CT is in.")
            continue
        write_image(desk.folder / desk.path(kind), volume.image)
        desk.add(kind, volume.facts, volume.notes)
        found[kind] = volume
    return found


def _one_of(series: Sequence[Series], wanted: Wanted, drawn_on: set[str], desk: _Desk) -> Series | None:
    """Return the series to take of several of one modality, or none when nothing singles one out."""
    left = list(series)
    rules = (
        lambda s: s.uid in wanted.series,
        lambda s: bool(wanted.description) and wanted.description.casefold() in s.items[0].description.casefold(),
        lambda s: s.uid in drawn_on,
        lambda s: s.items[0].corrected,
    )
    for rule in rules:
        kept = [one for one in left if rule(one)]
        left = kept or left
    if len(left) == 1:
        for one in series:
            if one is not left[0]:
                desk.leave(one, f"Another {one.modality} series of the visit was taken: {left[0].uid}.")
        return left[0]
    for one in left:
        others = f"The visit has {len(left)} {one.modality} series and nothing tells which is meant"
        desk.leave(one, f"{others}; choose with --series UID or --description TEXT.")
    return None


def _masks(desk: _Desk, wanted: Wanted, outlines: Sequence[Item], volumes: Mapping[str, Volume]) -> None:
    """Write the structures of each image; the first image that has a single one gives the kind ``mask``."""
    by_kind: dict[str, list[tuple[Item, str]]] = {}
    for item in outlines:
        kind = _home(item, wanted, volumes)
        if kind is None:
            where = f"a {wanted.onto} of the visit" if wanted.onto else "an image of the visit"
            desk.leave(item, f"The outline belongs to none that was imported; it needs {where} in its own frame of reference.")
            continue
        try:
            names = _names(item)
        except OnclairError as error:
            desk.leave(item, str(error))
            continue
        by_kind.setdefault(kind, []).extend((item, name) for name in names)
    used: set[str] = set()
    for kind in (k for k in KINDS.values() if k in by_kind):
        drawn = _distinct(_named(by_kind[kind], wanted.structures, desk), volumes[kind], desk)
        if wanted.structures and len(drawn) > 1:
            several = ", ".join(one.name for one in drawn)
            desk.leave(drawn[0].item, f"{len(drawn)} structures are called like the one wanted: {several}; name one with --structure.")
            continue
        plain = "mask" if "mask" not in used else f"mask_{kind}"
        for one in drawn:
            own = plain if len(drawn) == 1 else _free(f"{plain}-{_slug(one.name, one.item)}", used)
            used.add(own)
            write_mask(desk.folder / desk.path(own), one.mask(volumes[kind]))
            desk.add(own, {"structure": _slug(one.name, one.item)}, one.notes)


def _names(item: Item) -> tuple[str, ...]:
    if item.kind == "seg":
        return read_segments(item.path).labels
    return tuple(structure.name for structure in read_structures(item.path))


def _home(item: Item, wanted: Wanted, volumes: Mapping[str, Volume]) -> str | None:
    """Return the kind of image that an outline is laid on."""
    if wanted.onto:
        volumes = {kind: volume for kind, volume in volumes.items() if kind == wanted.onto}
    for kind, volume in volumes.items():
        if volume.series.uid in item.references:
            return kind
    for kind, volume in volumes.items():
        if not item.frame_of_reference or item.frame_of_reference == volume.series.frame_of_reference:
            return kind
    return None


def _named(pool: Sequence[tuple[Item, str]], structures: Sequence[str], desk: _Desk) -> Sequence[tuple[Item, str]]:
    """Return the structures that the first fitting wish names, all without a wish, none with the reason."""
    if not structures:
        return pool
    for wish in structures:
        if same := [(item, name) for item, name in pool if fnmatchcase(name.casefold(), wish.casefold())]:
            return same
    known = sorted({name for _, name in pool})
    for item in dict.fromkeys(item for item, _ in pool):
        desk.leave(item, f"It has no structure '{structures[0]}'; {did_you_mean(structures[0], known)}")
    return ()


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One structure on its image, its voxels packed: a planning CT may hold fifty."""

    item: Item
    name: str
    packed: npt.NDArray[np.uint8]
    origin: Origin
    notes: Notes

    def mask(self, volume: Volume) -> Mask:
        """Return the mask again."""
        shape = volume.image.array.shape
        voxels = np.unpackbits(self.packed, count=int(np.prod(shape))).astype(bool).reshape(1, *shape)
        return Mask(voxels, volume.image.affine, (self.name,), self.origin)


def _distinct(pool: Sequence[tuple[Item, str]], volume: Volume, desk: _Desk) -> list[_Drawn]:
    """Return the structures that hold voxels; one that repeats another voxel for voxel under its name (SEG and RTSTRUCT) is left out."""
    found: list[_Drawn] = []
    for item, name in pool:
        try:
            outline = read_outline(item.path, volume.image, structure=name, frame_of_reference=volume.series.frame_of_reference)
        except BadCase as error:
            desk.leave(item, str(error))
            continue
        one = _Drawn(item, name, np.packbits(outline.mask.array), outline.mask.origin, outline.notes)
        same = next((f for f in found if f.name.casefold() == name.casefold() and np.array_equal(f.packed, one.packed)), None)
        if not one.packed.any():
            desk.leave(item, f"The structure '{name}' holds no voxel of the image.")
        elif same is not None:
            desk.leave(item, f"The structure '{name}' repeats that of {same.item.path.name} voxel for voxel.")
        else:
            found.append(one)
    return found


def _slug(name: str, item: Item) -> str:
    """Return a structure's name in letters, digits and lines, at most 40 of them, without the words that name the patient."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word and word.casefold() not in item.names]
    return "-".join(words)[:40].strip("-") or "unnamed"


def _free(name: str, used: set[str]) -> str:
    number, free = 2, name
    while free in used:
        free, number = f"{name}-{number}", number + 1
    return free
