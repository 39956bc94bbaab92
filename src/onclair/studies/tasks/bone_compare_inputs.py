"""What `onclair bone lesions compare` reads: maps and boxes by case, scores, and tables of types; each side matched by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCase, BadInput, BadTable
from onclair.core.geometry import Affine, reindexed, same_grid
from onclair.core.names import did_you_mean
from onclair.core.values import Image
from onclair.io.dicom.files import is_dicom
from onclair.io.dicom.seg import read_seg
from onclair.io.nifti import read_image
from onclair.io.tables import read_table
from onclair.validate.lesion_boxes import Box

#: Segments of a SEG that are no lesion.
NO_LESION = ("bone",)
#: How a map is called in the folder of a case, or after the name of its case.
LESIONS = "lesions"
_NIFTI, _TABLES = (".nii.gz", ".nii"), (".csv", ".tsv", ".xlsx")
_CASE, _INSTANCE = ("case", "patient", "image_path"), ("instance", "lesion", "id")
_BOX = ("x", "y", "z", "width", "height", "depth")


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A map of lesions and where it lies.

    Attributes
    ----------
    stored : ndarray, int32, shape (x, y, z)
        Its numbers as the file has them.
    affine : ndarray, shape (4, 4)
    """

    stored: npt.NDArray[np.int32]
    affine: Affine


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a comparison.

    Attributes
    ----------
    name : str
        What it is called in errors: ``"the truth"``.
    maps : mapping of str to Path
        By case; empty where boxes were given.
    boxes : mapping of str to tuple of Box, or None
    scores : mapping of str to mapping of int to float
        Those that stand beside the boxes.
    one_file : bool
        Its case is then known by being the only one, whatever it is called.
    """

    name: str
    maps: Mapping[str, Path]
    boxes: Mapping[str, tuple[Box, ...]] | None = None
    scores: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    one_file: bool = False

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases it holds, in order of name."""
        return tuple(sorted(self.maps if self.boxes is None else self.boxes))


def side_of(path: Path, name: str, *, suffix: str = LESIONS) -> Side:
    """Return what a path holds: a map, a table of boxes, a folder of maps or of case folders.

    A folder's maps are NIfTI or SEG and called ``CASE.nii.gz`` or ``CASE_lesions.nii.gz``; a case's folder holds ``lesions.nii.gz``.

    Parameters
    ----------
    path : Path
    name : str
        ``"the truth"``, ``"the prediction"``.
    suffix : str
        After the case's name where a folder holds several maps of each case, and the name of the map in a case's folder.

    Raises
    ------
    BadInput
        For a path that is not there, or holds neither map nor boxes.
    """
    if path.is_file():
        if path.suffix.lower() in _TABLES:
            boxes, scores = read_boxes(path)
            return Side(name, {}, boxes, scores)
        return Side(name, {case_of(path, suffix): path}, one_file=True)
    if not path.is_dir():
        raise BadInput(f"There is no file or folder {path} for {name}; correct the path.", item=path.name)
    for folder in (path, path / "truth"):
        maps = _maps_in(folder, suffix) if folder.is_dir() else {}
        if maps:
            return Side(name, maps)
    tables = [one for one in sorted(path.iterdir()) if one.suffix.lower() in _TABLES]
    if len(tables) == 1:
        boxes, scores = read_boxes(tables[0])
        return Side(name, {}, boxes, scores)
    raise BadInput(
        f"The folder {path} for {name} holds no map of lesions (.nii.gz, .nii, a SEG) and no single table of boxes.", item=path.name
    )


def case_of(path: Path, suffix: str = LESIONS) -> str:
    """Return the case that a map's file name stands for.

    Examples
    --------
    >>> case_of(Path("P001_lesions.nii.gz")), case_of(Path("bone_007.nii.gz")), case_of(Path("out/P3/lesions.nii.gz"))
    ('P001', 'bone_007', 'lesions')
    """
    stem = path.name
    for ending in (*_NIFTI, ".dcm"):
        if stem.lower().endswith(ending):
            stem = stem[: -len(ending)]
            break
    return stem.removesuffix(f"_{suffix}") or stem


def read_drawn(path: Path, *, of: str, onto: Drawn | None = None) -> Drawn:
    """Return a map of lesions with its stored numbers, on another map's grid where one is given.

    Raises
    ------
    BadCase, BadGeometry
        For a file that cannot be read, or another grid; both affines are quoted.
    """
    if is_dicom(path):
        return _segments(path, onto)
    image = read_image(path, "a.u.", of=of)
    values = np.rint(image.array).astype(np.int32)
    if (values != image.array).any() or values.min(initial=0) < 0:
        wrong = image.array[(values != image.array) | (values < 0)].ravel()[0]
        raise BadCase(
            f"{of[:1].upper()}{of[1:]} ({path.name}) holds the value {wrong}; lesions are whole numbers, 0 outside.", item=path.name
        )
    found = Drawn(values, image.affine)
    return found if onto is None else _placed(found, onto, of)


def read_boxes(path: Path) -> tuple[Mapping[str, tuple[Box, ...]], Mapping[str, Mapping[int, float]]]:
    """Return the boxes of a table by case, numbered from 1 in order unless it numbers them, and their scores where it has them.

    Parameters
    ----------
    path : Path
        Columns ``case`` (or ``image_path``) and ``x y z width height depth`` in LPS mm; optionally ``instance`` and ``score``.

    Raises
    ------
    BadTable
        For a missing column, or a box that is none (its row is named).
    """
    frame = read_table(path, text=_CASE).frame
    missing = [column for column in _BOX if column not in frame]
    if missing:
        raise BadTable(f"The table of boxes {path.name} has no column {missing[0]}; it needs {', '.join(_BOX)} in LPS mm.", item=path.name)
    numbered = _column(frame, _INSTANCE)
    found: dict[str, list[Box]] = {}
    scores: dict[str, dict[int, float]] = {}
    for row, case in enumerate(_cases(frame, path.name)):
        boxes = found.setdefault(case, [])
        number = len(boxes) + 1 if numbered is None else int(frame[numbered].iloc[row])
        x, y, z, width, height, depth = (float(frame[column].iloc[row]) for column in _BOX)
        try:
            boxes.append(Box.drawn(number, (x, y, z), (width, height, depth)))
        except BadCase as error:
            raise BadTable(f"{path.name}, row {row + 2}: {error}", item=case) from error
        if "score" in frame:
            scores.setdefault(case, {})[number] = float(frame["score"].iloc[row])
    return {case: tuple(boxes) for case, boxes in found.items()}, scores


def read_scores(path: Path) -> Mapping[str, Mapping[int, float]]:
    """Return the scores of predicted instances by case.

    Raises
    ------
    BadTable
        For a missing column, an instance named twice, or a score that is no number.
    """
    frame = read_table(path, text=_CASE).frame
    instance = _column(frame, _INSTANCE)
    if instance is None or "score" not in frame:
        raise BadTable(f"The scores {path.name} need the columns case, instance, score; found {', '.join(frame.columns)}.", item=path.name)
    found: dict[str, dict[int, float]] = {}
    for row, (case, number, score) in enumerate(zip(_cases(frame, path.name), frame[instance], frame["score"], strict=True)):
        if not _whole(number) or not np.isfinite(pd.to_numeric(score, errors="coerce")):
            raise BadTable(
                f"{path.name}, row {row + 2}: instance {number} with score {score}; give a whole number and a number.", item=case
            )
        own = found.setdefault(case, {})
        if int(number) in own:
            raise BadTable(f"{path.name}, row {row + 2}: instance {int(number)} of {case} has a score already; give one each.", item=case)
        own[int(number)] = float(score)
    return found


@dataclass(frozen=True, slots=True)
class Described:
    """What tables say of lesions.

    Attributes
    ----------
    types : mapping of (str, str) to mapping of int to str
        (reader, case) -> instance -> type; the reader ``""`` is the truth.
    bones : mapping of str to mapping of int to str
        Of the truth, by case.
    patients : mapping of str to str
        By case, where a table has both.
    """

    types: Mapping[tuple[str, str], Mapping[int, str]]
    bones: Mapping[str, Mapping[int, str]]
    patients: Mapping[str, str]


def read_described(paths: Sequence[Path]) -> Described:
    """Return what tables say of lesions.

    Columns are ``case`` (or ``patient``), ``instance`` (or ``lesion``, ``id``), and where known ``type``, ``bone``, ``reader``.

    Raises
    ------
    BadTable
        For a table without a case or an instance.
    """
    types: dict[tuple[str, str], dict[int, str]] = {}
    bones: dict[str, dict[int, str]] = {}
    patients: dict[str, str] = {}
    for path in paths:
        frame = read_table(path, text=(*_CASE, "reader")).frame
        instance = _column(frame, _INSTANCE)
        if instance is None:
            raise BadTable(f"The table {path.name} numbers no lesion; it needs a column instance (or lesion, or id).", item=path.name)
        for row, case in enumerate(_cases(frame, path.name)):
            cells = {column: frame[column].iloc[row] for column in frame.columns}
            if not _whole(cells[instance]):
                continue
            number, reader = int(cells[instance]), _word(cells.get("reader"))
            if _word(cells.get("type")):
                types.setdefault((reader, case), {})[number] = _word(cells["type"])
            if _word(cells.get("bone")) and not reader:
                bones.setdefault(case, {})[number] = _word(cells["bone"])
            if "case" in cells and _word(cells.get("patient")):
                patients[case] = _word(cells["patient"])
    return Described(types, bones, patients)


def paired(truth: Side, other: Side) -> tuple[tuple[tuple[str, str, str], ...], list[Mapping[str, str]]]:
    """Return the cases of two sides that belong together, and what was left out.

    Two single files belong together whatever they are called; else names decide. A table of boxes lists no scan without a box, so that
    the scans are those of the other side.

    Returns
    -------
    cases : tuple of (str, str, str)
        Its name, and what each side calls it.
    notes : list of mapping

    Raises
    ------
    BadInput
        For a case without its counterpart.

    Examples
    --------
    >>> truth = Side("the truth", {"a": Path("a.nii")}, one_file=True)
    >>> paired(truth, Side("the prediction", {"b": Path("b.nii")}, one_file=True))[0]
    (('a', 'a', 'b'),)
    """
    first, second = truth.cases, other.cases
    alone = (truth.one_file or other.one_file) and len(first) == len(second) == 1
    if alone and (truth.boxes is None or other.boxes is None):
        return ((first[0] if truth.one_file else second[0], first[0], second[0]),), []
    if truth.boxes is not None and other.boxes is not None:
        return tuple((case, case, case) for case in sorted({*first, *second})), []
    if truth.boxes is not None:
        _refuse_absent(first, second, other.name)
        return tuple((case, case, case) for case in second), []
    if other.boxes is None:
        _refuse_absent(first, second, other.name)
    extra = sorted({*second} - {*first})
    text = f"{other.name[:1].upper()}{other.name[1:]} holds {len(extra)} cases without truth, left out: {', '.join(extra[:5])}."
    return tuple((case, case, case) for case in first), [{"code": "no_truth", "text": text}] if extra else []


def _refuse_absent(needed: Sequence[str], there: Sequence[str], where: str) -> None:
    absent = [case for case in needed if case not in there]
    if absent:
        said = f"{len(absent)} of {len(needed)} cases are not in {where}, the first '{absent[0]}'"
        raise BadInput(f"{said}; {did_you_mean(absent[0], there)} A scan without lesions needs an empty map.", item=absent[0])


def _maps_in(folder: Path, suffix: str) -> dict[str, Path]:
    files = [one for one in sorted(folder.iterdir()) if one.is_file()]
    maps = [one for one in files if one.name.lower().endswith(_NIFTI) or is_dicom(one)]
    own = [one for one in maps if case_of(one, suffix) != case_of(one, "")]
    if maps:
        return {case_of(one, suffix): one for one in own or maps}
    inside = {one.name: one / f"{suffix}.nii.gz" for one in sorted(folder.iterdir()) if one.is_dir()}
    return {case: one for case, one in inside.items() if one.is_file()}


def _segments(path: Path, onto: Drawn | None) -> Drawn:
    image = None
    if onto is not None:
        image = Image(np.broadcast_to(np.zeros(1, np.int8), onto.stored.shape), onto.affine, "a.u.")
    mask = read_seg(path, image).mask
    values = np.zeros(mask.array.shape[1:], np.int32)
    kept = [layer for layer, label in zip(mask.array, mask.labels, strict=True) if label.casefold() not in NO_LESION]
    for number, layer in enumerate(kept, start=1):
        values[layer & (values == 0)] = number
    return Drawn(values, mask.affine)


def _placed(found: Drawn, onto: Drawn, of: str) -> Drawn:
    if same_grid(found.affine, found.stored.shape, onto.affine, onto.stored.shape):
        return found
    return Drawn(reindexed(found.stored, found.affine, onto.affine, onto.stored.shape, of=of), onto.affine)


def _cases(frame: pd.DataFrame, name: str) -> list[str]:
    column = _column(frame, _CASE)
    if column is None:
        raise BadTable(f"The table {name} names no case; it needs a column case (or patient, or image_path).", item=name)
    return [case_of(Path(str(cell))) for cell in frame[column]]


def _column(frame: pd.DataFrame, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in frame), None)


def _whole(value: Any) -> bool:
    number = pd.to_numeric(value, errors="coerce")
    return bool(np.isfinite(number) and float(number).is_integer())


def _word(value: Any) -> str:
    return "" if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) else str(value).strip()
