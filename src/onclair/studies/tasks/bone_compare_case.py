"""One scan of a comparison: two sides opened, brought on one grid and counted; what tables say of its lesions by instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from onclair.core.geometry import Affine
from onclair.io.dicom.files import is_dicom
from onclair.io.tables import read_table
from onclair.science.volumes.components import instances_of, sizes_of
from onclair.science.volumes.diameters import equivalent_diameter_mm, volume_ml
from onclair.studies.tasks.bone_compare_inputs import Drawn, Side, read_drawn
from onclair.validate.lesion_boxes import Box, box_overlaps, boxes_of, cut_boxes
from onclair.validate.lesion_matching import overlaps_of
from onclair.validate.lesions import LesionCase
from onclair.validate.masks import mask_agreement

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True, eq=False)
class Numbered:
    """The instances of one side of one scan.

    Attributes
    ----------
    diameters_mm : mapping of int to float
        By instance.
    parts : mapping of int to tuple of int
        The one stored value of a map that was split -> its instances.
    """

    diameters_mm: Mapping[int, float]
    parts: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def said(self, rows: Mapping[int, Said]) -> dict[int, Said]:
        """Return what rows say of each instance; a row of a value that was split holds for its parts.

        Examples
        --------
        >>> Numbered({1: 9.0, 2: 9.0}, {5: (1, 2)}).said({5: "lytic", 2: "mixed"})
        {1: 'lytic', 2: 'mixed'}
        """
        of_whole = {part: rows[value] for value, parts in self.parts.items() if value in rows for part in parts}
        own = {number: rows[number] for number in self.diameters_mm if number in rows}
        return {**of_whole, **own}

    def unknown(self, rows: Mapping[int, Any]) -> list[int]:
        """Return the numbers of rows that name no instance.

        Examples
        --------
        >>> Numbered({1: 9.0}).unknown({1: 0.5, 7: 0.5})
        [7]
        """
        return sorted(set(rows) - set(self.diameters_mm) - set(self.parts))


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """One scan compared, without scores and strata.

    Attributes
    ----------
    case : LesionCase
    first, second : Numbered
    """

    case: LesionCase
    first: Numbered
    second: Numbered


def opened(case: tuple[str, str, str], patient: str, sides: tuple[Side, Side]) -> Opened:
    """Return one scan compared.

    Parameters
    ----------
    case : (str, str, str)
        Its name, and what each side calls it.
    patient : str
    sides : (Side, Side)

    Raises
    ------
    BadCase, BadGeometry
        For a file that cannot be read, values that are no instances, or two grids.
    """
    name, *called = case
    paths = [side.maps.get(each) for side, each in zip(sides, called, strict=True)]
    drawn = _drawn(paths[0], paths[1], f"{sides[0].name} of {name}", f"{sides[1].name} of {name}")
    instances = [None if one is None else instances_of(one.stored) for one in drawn]
    if all(side.boxes is None for side in sides):
        return _maps(name, patient, (drawn[0], drawn[1]), (instances[0], instances[1]))
    boxes = [
        boxes_of(own, one.affine) if own is not None and one is not None else (side.boxes or {}).get(each, ())
        for own, one, side, each in zip(instances, drawn, sides, called, strict=True)
    ]
    scan = next((one for one in drawn if one is not None), None)
    aside = cut_boxes(boxes[0], scan.affine, scan.stored.shape) if scan is not None and instances[0] is None else ()
    found = LesionCase(name, patient, box_overlaps(boxes[0], boxes[1]), "boxes", diameters_mm=_sizes(boxes[0]), aside=frozenset(aside))
    return Opened(found, Numbered(_sizes(boxes[0])), Numbered(_sizes(boxes[1])))


def types_beside(path: Path | None) -> Mapping[int, str]:
    """Return the types in a ``lesions.csv`` beside a map, as ``bone segment`` writes it; empty where there is none.

    Examples
    --------
    >>> types_beside(Path("/nowhere/lesions.nii.gz"))
    {}
    """
    table = None if path is None else path.with_name("lesions.csv")
    if table is None or path is None or not path.name.startswith("lesions") or not table.is_file():
        return {}
    frame = read_table(table).frame
    if "id" not in frame or "type" not in frame:
        return {}
    return {int(number): str(kind) for number, kind in zip(frame["id"], frame["type"], strict=True) if isinstance(kind, str) and kind}


def _maps(
    name: str, patient: str, drawn: tuple[Drawn | None, Drawn | None], instances: tuple[npt.NDArray[Any] | None, npt.NDArray[Any] | None]
) -> Opened:
    (one, other), (truth, predicted) = drawn, instances
    assert one is not None
    assert other is not None
    assert truth is not None
    assert predicted is not None
    first, second = _numbered(one, truth), _numbered(other, predicted)
    masks = mask_agreement(truth, predicted, one.affine)
    return Opened(LesionCase(name, patient, overlaps_of(truth, predicted), masks=masks, diameters_mm=first.diameters_mm), first, second)


def _numbered(drawn: Drawn, instances: npt.NDArray[Any]) -> Numbered:
    sizes = sizes_of(instances)
    stored = int(drawn.stored.max(initial=0))
    split = len(sizes) > 1 and not ((drawn.stored != 0) & (drawn.stored != stored)).any()
    diameters = {number: equivalent_diameter_mm(volume_ml(voxels, drawn.affine)) for number, voxels in sizes.items()}
    return Numbered(diameters, {stored: tuple(sizes)} if split else {})


def _drawn(first: Path | None, second: Path | None, first_of: str, second_of: str) -> list[Drawn | None]:
    """Return the maps of both sides on one grid: that of the first, or of the second where only the first is a SEG."""
    if first is not None and second is not None and is_dicom(first):
        if is_dicom(second):
            return list(_spanned(read_drawn(first, of=first_of), read_drawn(second, of=second_of)))
        grid = read_drawn(second, of=second_of)
        return [read_drawn(first, of=first_of, onto=grid), grid]
    one = None if first is None else read_drawn(first, of=first_of)
    return [one, None if second is None else read_drawn(second, of=second_of, onto=one)]


def _spanned(one: Drawn, other: Drawn) -> tuple[Drawn, Drawn]:
    """Return two maps of one lattice on the box that holds both; on two lattices they are left to be refused."""
    offset: npt.NDArray[np.float64] = np.linalg.inv(one.affine) @ other.affine
    shift = np.rint(offset[:3, 3]).astype(int)
    if not np.allclose(offset[:3, :3], np.eye(3), atol=1e-3) or not np.allclose(offset[:3, 3], shift, atol=0.05):
        return one, other
    low = np.minimum(0, shift)
    high = np.maximum(one.stored.shape, shift + other.stored.shape)
    affine: Affine = np.array(one.affine)
    affine[:3, 3] = one.affine[:3, :3] @ low + one.affine[:3, 3]
    return _within(one, -low, high - low, affine), _within(other, shift - low, high - low, affine)


def _within(drawn: Drawn, start: npt.NDArray[Any], shape: npt.NDArray[Any], affine: Affine) -> Drawn:
    values = np.zeros(tuple(int(n) for n in shape), np.int32)
    values[tuple(slice(int(a), int(a) + n) for a, n in zip(start, drawn.stored.shape, strict=True))] = drawn.stored
    return Drawn(values, affine)


def _sizes(boxes: tuple[Box, ...]) -> dict[int, float]:
    return {box.number: box.diameter_mm for box in boxes}
