"""A PET, CT or MR series from a folder or from files, as an image in LPS mm with its unit, and what was unusual about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadInput
from onclair.core.names import nearest
from onclair.core.values import Image
from onclair.io.dicom.files import Index, Item, guarded, index, item_of
from onclair.io.dicom.geometry import Departure, Notes, Stack, stacked
from onclair.io.dicom.pixels import voxels
from onclair.io.dicom.series import Plane, planes_of
from onclair.io.dicom.suv import NORMALISATIONS, Normalisation, uptake
from onclair.io.dicom.uids import uid

#: How a PET is read: SUV by body weight, lean body mass or body surface area, or as stored.
PetValues = Literal["bw", "lbm", "bsa", "stored"]
#: What a slice that is missing holds where gaps are allowed: air, and nothing measured.
EMPTY_HU = -1024


@dataclass(frozen=True, slots=True)
class Series:
    """The files of one series, not yet opened beyond their headers.

    Attributes
    ----------
    uid, exam_uid, frame_of_reference : str
        The first two made from the headers where the files hold none; the last is then empty.
    modality : {"PET", "CT", "MR"}
    items : tuple of Item
    """

    uid: str
    exam_uid: str
    frame_of_reference: str
    modality: str
    items: tuple[Item, ...]

    @property
    def minted(self) -> tuple[str, ...]:
        """Whose UIDs the files do not hold and were made from their headers: ``"exam"``, ``"series"``."""
        head = self.items[0]
        return tuple(what for what, made in (("exam", not head.exam_uid), ("series", head.minted)) if made)

    def __str__(self) -> str:
        """Return the series in words, for lists to choose from."""
        about = f", {self.items[0].description!r}" if self.items[0].description else ""
        files = "1 file" if len(self.items) == 1 else f"{len(self.items)} files"
        return f"{self.uid} ({self.modality}, {files}{about})"


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """An image and where it came from.

    Attributes
    ----------
    image : Image
        Array (x, y, z) = (column, row, slice), affine to LPS mm, unit ``"HU"``, ``"SUV"`` or ``"a.u."``.
    series : Series
    sop_uids : tuple of str
        Of the slices, in the order of the z axis (repeated for the frames of one object); empty where a missing slice was allowed.
    notes : tuple of mapping
        ``code text``: what was unusual and read all the same.
    facts : mapping
        Plain values without identifiers: ``manufacturer model kernel slice_thickness_mm``, for CT ``kvp contrast``, and for SUV
        those of ``Uptake.facts``.
    virtual : bool
        True when the headers say that nobody is shown.
    """

    image: Image
    series: Series
    sop_uids: tuple[str, ...]
    notes: Notes = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    virtual: bool = False


def list_series(items: Iterable[Item]) -> tuple[Series, ...]:
    """Return the image series among files, localisers left out, in order of modality and UID.

    Parameters
    ----------
    items : iterable of Item
        As :func:`onclair.io.dicom.files.index` finds them.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.arange(8).reshape(2, 2, 2), np.diag([1.0, 1.0, 3.0, 1.0]), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = write_volume(home, ct, Exam("P1", seed=1))
    ...     [(series.modality, len(series.items)) for series in list_series(index(home).items)]
    [('CT', 2)]
    """
    groups: dict[str, list[Item]] = {}
    for item in items:
        if item.kind == "image" and not item.localiser:
            groups.setdefault(item.series_uid, []).append(item)
    return tuple(sorted((series_of(group) for group in groups.values()), key=lambda s: (s.modality, s.uid)))


def series_of(items: Sequence[Item]) -> Series:
    """Return the series that some files are, the UID of its exam made from their headers where they hold none.

    Parameters
    ----------
    items : sequence of Item
        Of one series.
    """
    head = items[0]
    exam = head.exam_uid or uid("exam", head.date, head.time, head.patient_id, head.issuer, head.frame_of_reference)
    return Series(head.series_uid, exam, head.frame_of_reference, head.modality, tuple(items))


def find_series(path: str | Path, wanted: str | None = None) -> Series:
    """Return the one image series in a folder, the one of a file's siblings, or the one that is wanted.

    Parameters
    ----------
    path : path
        A folder (looked through to its leaves), or one file of the series.
    wanted : str, optional
        SeriesInstanceUID, needed where there are several.

    Raises
    ------
    BadInput
        For no series, several (all listed), or a UID that is not there (the nearest offered).
    BadCase
        For a file that is no DICOM.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.arange(8).reshape(2, 2, 2), np.diag([1.0, 1.0, 3.0, 1.0]), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = write_volume(home, ct, Exam("P1", seed=1))
    ...     find_series(home).uid[:5]
    '2.25.'
    """
    path = Path(path)
    found = looked_through(path)
    series = list_series(found.items)
    if not path.is_dir() and wanted is None:
        wanted = item_of(path).series_uid
    if not series:
        raise BadInput(nothing_in(path, found), item=str(path))
    if wanted is None and len(series) == 1:
        return series[0]
    listed = "; ".join(map(str, series))
    if wanted is None:
        raise BadInput(
            f"The folder {path} holds {len(series)} series: {listed}; choose one with --series UID, or give one of its files.",
            item=str(path),
        )
    for one in series:
        if one.uid == wanted:
            return one
    near = nearest(wanted, [s.uid for s in series])
    offer = f"did you mean {near}?" if near else f"it holds {listed}."
    raise BadInput(f"There is no series {wanted} in {path}; {offer}", item=wanted)


def read_volume(path: str | Path, *, series: str | None = None, pet: PetValues = "bw", allow: Collection[Departure] = ()) -> Volume:
    """Return the volume of a DICOM series.

    Parameters
    ----------
    path : path
        A folder, or one file of the series.
    series : str, optional
        SeriesInstanceUID, where the folder holds several.
    pet : {"bw", "lbm", "bsa", "stored"}
        What PET values become; ``"stored"`` keeps the rescaled ones, in ``"a.u."``.
    allow : collection of {"tilt", "gaps"}
        Departures to name instead of refusing; a missing slice is then filled with -1024 HU, or 0 where it is no CT.

    Returns
    -------
    Volume

    Raises
    ------
    BadInput
        For no series, several, or an unknown UID.
    BadGeometry
        As :func:`onclair.io.dicom.geometry.stacked`: missing or duplicate slices, irregular steps, mixed orientations, tilt.
    BadCase
        As :func:`onclair.io.dicom.pixels.voxels` and :func:`onclair.io.dicom.suv.uptake`.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.arange(8).reshape(2, 2, 2), np.diag([1.0, 1.0, 3.0, 1.0]), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = write_volume(home, ct, Exam("P1", seed=1))
    ...     read = read_volume(home)
    >>> read.image.array.ravel().tolist(), read.image.unit, read.image.spacing_mm
    ([0, 1, 2, 3, 4, 5, 6, 7], 'HU', (1.0, 1.0, 3.0))
    """
    return load(find_series(path, series), pet=pet, allow=allow)


def load(series: Series, *, pet: PetValues = "bw", allow: Collection[Departure] = ()) -> Volume:
    """Return the volume of a series that was found; see :func:`read_volume`.

    Raises
    ------
    BadGeometry, BadCase
        As :func:`read_volume`.
    """
    of = f"The {series.modality} series {series.uid}"
    with guarded(of):
        stack = stacked(planes_of([item.path for item in series.items]), allow=allow, of=of)
        factors, unit, facts, notes = _meaning(stack, series, pet)
        array = _in_place(voxels(stack.planes, factors=factors, needs_rescale=series.modality != "MR"), stack, unit)
        first = stack.planes[0]
        if series.minted:
            own = " and no ".join(f"{what} UID" for what in series.minted)
            text = f"{of} has no {own} of its own; what is missing was made from its headers."
            notes = (*notes, {"code": "minted_uid", "text": text})
        notes = (*notes, *_fewer_than_said(stack, of))
        return Volume(
            image=Image(array, stack.affine, unit, series.modality),
            series=series,
            sop_uids=_sop_uids(stack),
            notes=(*stack.notes, *notes),
            facts={**_scanner(first, series.modality), **facts},
            virtual=any(item.virtual for item in series.items),
        )


def _in_place(array: npt.NDArray[Any], stack: Stack, unit: str) -> npt.NDArray[Any]:
    """Return the slices at their places, empty ones between where a gap was allowed."""
    if len(stack.index) == stack.index[-1] + 1:
        return array
    out = np.full((*array.shape[:2], stack.index[-1] + 1), EMPTY_HU if unit == "HU" else 0, array.dtype)
    out[:, :, list(stack.index)] = array
    return out


def _sop_uids(stack: Stack) -> tuple[str, ...]:
    found = dict(zip(stack.index, stack.planes, strict=True))
    return tuple(found[k].sop_uid if k in found else "" for k in range(stack.index[-1] + 1))


def _meaning(stack: Stack, series: Series, pet: PetValues) -> tuple[Any, str, Mapping[str, Any], Notes]:
    """Return the factor of each slice, the unit, and what was used to get there."""
    first = stack.planes[0]
    if series.modality == "PET" and pet != "stored":
        if pet not in NORMALISATIONS:
            raise BadInput(f"PET values cannot be '{pet}'; choose bw, lbm, bsa or stored.", item=pet)
        by: Normalisation = pet
        found = uptake(stack.planes, by)
        return found.factors, "SUV", found.facts, found.notes
    if series.modality != "CT":
        return None, "a.u.", {}, ()
    kind = first.text("RescaleType").upper()
    if kind in ("", "HU"):
        return None, "HU", {}, ()
    text = f"The CT series {series.uid} says that its values are '{kind}', not Hounsfield units; they are read as a.u."
    return None, "a.u.", {}, ({"code": "not_hounsfield", "text": text},)


def _fewer_than_said(stack: Stack, of: str) -> Notes:
    """Return a note where a PET series announces more slices than there are: a lost end leaves no gap."""
    said, found = stack.planes[0].number("NumberOfSlices"), len(stack.planes)
    if not said or said <= found:
        return ()
    return ({"code": "fewer_slices", "text": f"{of} announces {int(said)} slices and holds {found}; its ends may be missing."},)


def _scanner(plane: Plane, modality: str) -> dict[str, Any]:
    """Return what may explain a difference between scanners, without serial numbers or names."""
    beam = {"kvp": plane.number("KVP"), "contrast": plane.text("ContrastBolusAgent") or None} if modality == "CT" else {}
    return beam | {
        "manufacturer": plane.text("Manufacturer"),
        "model": plane.text("ManufacturerModelName"),
        "kernel": (plane.text("ConvolutionKernel") or plane.text("ReconstructionMethod")).replace("\\", " "),
        "slice_thickness_mm": plane.number("SliceThickness"),
    }


def looked_through(path: Path) -> Index:
    """Return what a folder holds, or the folder of one DICOM file, which is refused by its own name where it is none.

    Raises
    ------
    BadInput, BadCase
        As :func:`onclair.io.dicom.files.index` and :func:`onclair.io.dicom.files.item_of`.
    """
    if path.is_dir() or not path.exists():
        return index(path)
    item_of(path)
    return index(path.parent, followed=sorted(p for p in path.parent.iterdir() if p.is_file() and not p.name.startswith(".")))


def nothing_in(path: Path, found: Index) -> str:
    """Return the sentence for a place without a series of images."""
    kinds = sorted({item.modality or "unknown" for item in found.items})
    if kinds:
        return f"The folder {path} holds DICOM files ({', '.join(kinds)}) but no PET, CT or MR slices; give the folder of the series."
    why = f", for example: {found.left_out[0][1]}" if found.left_out else ""
    return f"The folder {path} holds no DICOM file{why or '; give the folder of the series.'}"


def modalities(series: Sequence[Series]) -> tuple[str, ...]:
    """Return the modalities present, each once, in order of name.

    Examples
    --------
    >>> modalities(())
    ()
    """
    return tuple(sorted({one.modality for one in series}))


__all__ = ["BadCase", "PetValues", "Series", "Volume", "find_series", "list_series", "load", "modalities", "read_volume"]
