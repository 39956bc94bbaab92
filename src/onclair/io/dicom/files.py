"""A folder of files looked through: which are DICOM, what each is, and why the others were left out."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from onclair.core.errors import BadCase, BadInput, OnclairError
from onclair.io.dicom.uids import uid

Kind = Literal["image", "rtstruct", "seg", "other"]

_RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
_SEGS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
#: CT, MR and PET: single slices, enhanced, and legacy converted enhanced.
_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PET",
    "1.2.840.10008.5.1.4.1.1.128.1": "PET",
    "1.2.840.10008.5.1.4.1.1.130": "PET",
}
_MODALITIES = {"PT": "PET", "CT": "CT", "MR": "MR", "PET": "PET"}
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_TAGS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "ImageType",
    "StudyDate",
    "StudyTime",
    "AcquisitionDate",
    "Modality",
    "Manufacturer",
    "InstitutionName",
    "StationName",
    "SeriesDescription",
    "SeriesNumber",
    "PatientID",
    "PatientName",
    "IssuerOfPatientID",
    "PatientIdentityRemoved",
    "PatientComments",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "CorrectedImage",
    "ConvolutionKernel",
    "ReferencedSeriesSequence",
    "ReferencedFrameOfReferenceSequence",
)


@dataclass(frozen=True, slots=True)
class Item:
    """One DICOM file, by what its header says; the identifiers in it never leave this room but as pseudonyms.

    Attributes
    ----------
    path : Path
    kind : {"image", "rtstruct", "seg", "other"}
    modality : str
        ``"PET"``, ``"CT"``, ``"MR"``; for others as the file writes it.
    sop_uid, series_uid, exam_uid, frame_of_reference : str
        Minted or empty where the file holds none; see `minted`.
    patient_id, issuer, institution, station, date, time : str
    names : tuple of str
        Words of the PatientName and the PatientID in small letters: what no output may hold.
    deidentified, virtual, localiser, corrected : bool
        `corrected`: a PET that says it is corrected for attenuation, or does not say.
    description, series_number, manufacturer : str
    references : tuple of str
        UIDs of the series that an outline was drawn on.
    minted : bool
        True when the file holds no series UID of its own and got one made from its content.
    image_type : tuple of str
        In capitals.
    kernel : str
        Of a CT's reconstruction, its parts joined by spaces.
    """

    path: Path
    kind: Kind
    modality: str
    sop_uid: str
    series_uid: str
    exam_uid: str
    frame_of_reference: str
    patient_id: str = field(repr=False)
    issuer: str = field(repr=False)
    institution: str = field(repr=False)
    station: str = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    date: str
    time: str
    deidentified: bool
    virtual: bool
    localiser: bool
    corrected: bool
    description: str
    series_number: str
    manufacturer: str
    references: tuple[str, ...]
    minted: bool
    image_type: tuple[str, ...] = ()
    kernel: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """What a folder holds: DICOM files, and the others with the reason why they were left out."""

    items: tuple[Item, ...]
    left_out: tuple[tuple[Path, str], ...]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom's remarks on odd values to itself: what matters is refused or noted in our own words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn whatever a damaged object raises when its values are looked at into one sentence; `what` begins it.

    Raises
    ------
    BadCase

    Examples
    --------
    >>> with guarded("The file 1.dcm"):
    ...     raise NotImplementedError("Unknown Value Representation 'CH'")
    Traceback (most recent call last):
    onclair.core.errors.BadCase: The file 1.dcm is damaged (Unknown Value Representation 'CH'); export it again.
    """
    try:
        with quiet():
            yield
    except (OnclairError, MemoryError):
        raise
    except Exception as error:  # pydicom decodes values when they are asked for, and raises anything
        raise BadCase(f"{what} is damaged ({_why(error)}); export it again.", item=what) from error


def is_dicom(path: str | Path) -> bool:
    """Return whether a file starts as DICOM files do: 128 bytes of anything, then ``DICM``.

    Examples
    --------
    >>> is_dicom("/nowhere")
    False
    """
    try:
        with Path(path).open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def open_file(path: str | Path, *, pixels: bool = False, only: Iterable[str] | None = None) -> Any:
    """Return a file's data set, or refuse it in one sentence.

    Parameters
    ----------
    path : path
        A file without the preamble is read too when what follows is plainly DICOM.
    pixels : bool
        False stops before the pixel data.
    only : iterable of str, optional
        Read no other attributes.

    Returns
    -------
    pydicom.Dataset

    Raises
    ------
    BadCase
        For a file that is missing, no DICOM, truncated or damaged.

    Examples
    --------
    >>> open_file("/nowhere/1.dcm")
    Traceback (most recent call last):
    onclair.core.errors.BadCase: There is no file /nowhere/1.dcm; correct the path.
    """
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    path, name = Path(path), Path(path).name
    tags = None if only is None else list(only)
    try:
        with quiet():
            marked = is_dicom(path)
            data = dcmread(path, stop_before_pixels=not pixels, specific_tags=tags, force=not marked)
            known = str(data.get("SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID") or "").startswith(_STORAGE)
    except FileNotFoundError as error:
        raise BadCase(f"There is no file {path}; correct the path.", item=name) from error
    except InvalidDicomError as error:
        raise BadCase(_not_dicom(name), item=name) from error
    except Exception as error:  # a damaged file raises anything: AttributeError, NotImplementedError, struct.error, ...
        if not is_dicom(path):
            raise BadCase(_not_dicom(name), item=name) from error
        raise BadCase(f"The file {name} is damaged or cut short ({_why(error)}); export it again.", item=name) from error
    if not known and not marked:
        raise BadCase(_not_dicom(name), item=name)
    if not data.get("Modality") and not data.get("SOPClassUID"):
        sentence = f"The file {name} says neither what it is (SOP Class) nor its modality: it is damaged or cut short"
        raise BadCase(f"{sentence}; export it again.", item=name)
    if not data.file_meta.get("TransferSyntaxUID"):
        implicit, little = data.original_encoding
        plain = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else plain
    return data


def _not_dicom(name: str) -> str:
    return f"The file {name} is not DICOM; give DICOM files, or a NIfTI with its ending .nii or .nii.gz."


def _why(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120].rstrip(".") or type(error).__name__


def item_of(path: str | Path) -> Item:
    """Return what one DICOM file is.

    Raises
    ------
    BadCase
        As :func:`open_file`.
    """
    path = Path(path)
    data = open_file(path, only=_TAGS)
    with guarded(f"The header of {path.name}"):
        return _item(path, data)


def index(folder: str | Path, *, followed: Iterable[Path] = ()) -> Index:
    """Return what a folder and all folders in it hold, in order of path.

    Parameters
    ----------
    folder : path
        Hidden files, links and DICOMDIR are passed over.
    followed : iterable of Path
        These files instead of the folder's.

    Raises
    ------
    BadInput
        When there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = Path(home, "notes.txt").write_text("nothing to see")
    ...     [path.name for path, _ in index(home).left_out]
    ['notes.txt']
    """
    root = Path(folder)
    if not root.is_dir():
        found = "it is a file" if root.exists() else "there is no such folder"
        raise BadInput(f"The folder {root} cannot be read: {found}; give the folder that holds the DICOM files.", item=str(root))
    items: list[Item] = []
    left: list[tuple[Path, str]] = []
    for path in list(followed) or _files(root):
        try:
            items.append(item_of(path))
        except BadCase as error:
            left.append((path, str(error)))
    return Index(tuple(items), tuple(left))


def _files(root: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and name.upper() != "DICOMDIR" and not path.is_symlink():
                yield path


def _words(*texts: str) -> tuple[str, ...]:
    """Return the words of three letters or digits and more, in small letters."""
    return tuple(sorted({word for text in texts for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 2}))


def _text(data: Any, keyword: str) -> str:
    value = data.get(keyword)
    return "" if value is None else str(value).strip()


def _item(path: Path, data: Any) -> Item:
    sop_class = _text(data, "SOPClassUID") or str(data.file_meta.get("MediaStorageSOPClassUID", ""))
    written = _text(data, "Modality")
    kind: Kind = "other"
    if sop_class == _RTSTRUCT:
        kind = "rtstruct"
    elif sop_class in _SEGS:
        kind = "seg"
    elif sop_class in _IMAGES or (not sop_class.startswith(_STORAGE) and written in _MODALITIES):
        kind = "image"
    modality = _IMAGES.get(sop_class) or _MODALITIES.get(written, written)
    series = _text(data, "SeriesInstanceUID")
    image_type = [str(v).upper() for v in data.get("ImageType") or []]
    corrected, kernel = data.get("CorrectedImage"), data.get("ConvolutionKernel")
    return Item(
        path=path,
        kind=kind,
        modality=modality,
        sop_uid=sop_uid_of(data),
        series_uid=series or _minted(data, modality),
        exam_uid=_text(data, "StudyInstanceUID"),
        frame_of_reference=_text(data, "FrameOfReferenceUID"),
        patient_id=_text(data, "PatientID"),
        issuer=_text(data, "IssuerOfPatientID"),
        institution=_text(data, "InstitutionName"),
        station=_text(data, "StationName"),
        names=_words(_text(data, "PatientName"), _text(data, "PatientID")),
        date=_text(data, "StudyDate") or _text(data, "AcquisitionDate"),
        time=_text(data, "StudyTime"),
        deidentified=_text(data, "PatientIdentityRemoved") == "YES",
        virtual=is_virtual(data),
        localiser="LOCALIZER" in image_type,
        corrected=corrected is None or "ATTN" in corrected,
        description=_text(data, "SeriesDescription"),
        series_number=_text(data, "SeriesNumber"),
        manufacturer=_text(data, "Manufacturer"),
        references=_referenced(data),
        minted=not series,
        image_type=tuple(image_type),
        kernel=_text(data, "ConvolutionKernel") if isinstance(kernel, str | None) else " ".join(map(str, kernel)),
    )


def sop_uid_of(data: Any) -> str:
    """Return an object's own UID, from the meta header where the data set leaves it empty."""
    return _text(data, "SOPInstanceUID") or str(data.file_meta.get("MediaStorageSOPInstanceUID", ""))


def is_virtual(data: Any) -> bool:
    """Return whether an object says that it shows nobody: its maker or its comments start with the words of our writer."""
    return _text(data, "PatientComments").upper().startswith("VIRTUAL") or _text(data, "Manufacturer").upper().startswith("VIRTUAL")


def _minted(data: Any, modality: str) -> str:
    keys = ("StudyInstanceUID", "FrameOfReferenceUID", "SeriesNumber", "SeriesDescription", "StudyDate", "PatientID")
    return uid("series", modality, *(_text(data, key) for key in keys))


def _referenced(data: Any) -> tuple[str, ...]:
    found = [_text(one, "SeriesInstanceUID") for one in data.get("ReferencedSeriesSequence") or []]
    for frame in data.get("ReferencedFrameOfReferenceSequence") or []:
        for exam in frame.get("RTReferencedStudySequence") or []:
            found += [_text(one, "SeriesInstanceUID") for one in exam.get("RTReferencedSeriesSequence") or []]
    return tuple(dict.fromkeys(f for f in found if f))
