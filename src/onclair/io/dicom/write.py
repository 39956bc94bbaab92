"""Images written as DICOM series: for virtual patients and for tests. No names, no clock, no chance: equal input gives equal bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadGeometry, BadInput
from onclair.core.values import Image
from onclair.io.cohorts.codes import checked_code
from onclair.io.dicom.files import item_of
from onclair.io.dicom.read import Series, Volume
from onclair.io.dicom.suv import decayed
from onclair.io.dicom.uids import uid
from onclair.io.files import write_atomically

_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PET": "1.2.840.10008.5.1.4.1.1.128",
}
#: What a virtual object says of itself where a person looks first.
VIRTUAL = "VIRTUAL: simulated, nobody is shown"
_MAKER = "Onclair"


@dataclass(frozen=True, slots=True)
class Exam:
    """Whose images are written, under which seed; nothing else of a person has a place here.

    Attributes
    ----------
    patient : str
        A pseudonym: letters, digits, ``.``, ``_``, ``-``. It becomes PatientID; PatientName stays empty.
    seed : int or str
        Enters every UID, so that two cohorts never share one.
    visit : str
    date : str
        ``YYYYMMDD``; a convention where nobody was scanned.
    virtual : bool
        True writes in maker, descriptions and comments that nobody is shown.
    sex : {"", "M", "F", "O"}
    weight_kg, height_m : float or None
    model : str
        The scanner.

    Examples
    --------
    >>> Exam("V0001", seed=1).exam_uid == Exam("V0001", seed=1).exam_uid
    True
    """

    patient: str
    seed: int | str
    visit: str = ""
    date: str = "20200101"
    virtual: bool = False
    sex: str = ""
    weight_kg: float | None = None
    height_m: float | None = None
    model: str = "scanner"

    @property
    def exam_uid(self) -> str:
        """StudyInstanceUID, made from seed, patient and visit."""
        return uid("exam", self.seed, self.patient, self.visit)

    @property
    def frame_of_reference(self) -> str:
        """FrameOfReferenceUID: all series of one exam lie in one frame."""
        return uid("frame of reference", self.seed, self.patient, self.visit)


@dataclass(frozen=True, slots=True)
class Injection:
    """What turns SUV back into the Bq/mL that a scanner stores.

    Attributes
    ----------
    dose_bq : float
    half_life_s : float
        Of fluorine-18 unless said.
    minutes : float
        From injection to the start of the scan, to which the values are corrected (DecayCorrection START).

    Examples
    --------
    >>> Injection(dose_bq=350e6).minutes
    60.0
    """

    dose_bq: float = 370e6
    half_life_s: float = 6586.2
    minutes: float = 60.0


def write_volume(
    folder: str | Path, image: Image, exam: Exam, *, injection: Injection | None = None, kernel: str = "", description: str = ""
) -> Volume:
    """Write an image as a series of single slices, ``0001.dcm`` and on.

    Parameters
    ----------
    folder : path
        Made when missing; one series a folder.
    image : Image
        CT in HU, MR, or PET in SUV.
    exam : Exam
    injection : Injection, optional
        PET is then stored in Bq/mL with dose, weight and times (the exam's weight is needed); without it, in SUV (GML).
    kernel, description : str
        Of the reconstruction; of the series.

    Returns
    -------
    Volume
        The image as handed in, with the files and UIDs that outlines refer to.

    Raises
    ------
    BadInput
        For another modality, four axes, a weight that is missing, or HU beyond 16 bits.
    BadGeometry
        For a sheared grid, which slices cannot hold.
    BadCohort
        For a patient code that may identify a person.
    NoRoom
        When the folder cannot be written.

    Notes
    -----
    CT that is whole numbers is stored exactly; other values with a slope of 1/65535 of their range, PET slice by slice as scanners do.

    Examples
    --------
    >>> import tempfile
    >>> pet = Image(np.ones((2, 3, 4)), np.diag([4.0, 4.0, 3.0, 1.0]), "SUV", "PET")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     written = write_volume(home, pet, Exam("V0001", seed=1, weight_kg=70.0, virtual=True), injection=Injection())
    ...     len(written.sop_uids), sorted(path.name for path in Path(home).iterdir())[0]
    (4, '0001.dcm')
    """
    checked_code(exam.patient, where="the exam to write")
    _check(image, exam, injection)
    series_uid = uid("series", exam.seed, exam.patient, exam.visit, image.modality, kernel, description)
    values = _activity(image, exam, injection)
    stored, slopes, intercepts = _stored(values, image)
    paths, sop_uids = [], []
    for k in range(values.shape[2]):
        data = _slice(image, exam, k, series_uid)
        data.update(_about_series(image, exam, injection, kernel, description))
        _put_pixels(data, stored[:, :, k], slopes[k], intercepts[k], image.modality)
        path = Path(folder) / f"{k + 1:04d}.dcm"
        save(path, data)
        paths.append(path)
        sop_uids.append(str(data.SOPInstanceUID))
    items = tuple(item_of(path) for path in paths)
    return Volume(
        image, Series(series_uid, exam.exam_uid, exam.frame_of_reference, image.modality, items), tuple(sop_uids), virtual=exam.virtual
    )


def save(path: str | Path, data: Any) -> None:
    """Write a data set as a DICOM file, atomically, explicit VR little endian.

    Raises
    ------
    NoRoom
        When the folder cannot be written.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid("implementation", _MAKER))
    meta.ImplementationVersionName = _MAKER.upper()
    buffer = io.BytesIO()
    whole = FileDataset(buffer, data, preamble=b"\0" * 128, file_meta=meta)
    whole.save_as(buffer, enforce_file_format=True, little_endian=True, implicit_vr=False)
    write_atomically(path, buffer.getvalue())


def decimal(value: float) -> Any:
    """Return a number as DICOM writes it: at most 16 characters, as many digits as fit.

    Examples
    --------
    >>> str(decimal(1 / 3)), str(decimal(-249.51171875))
    ('0.33333333333333', '-249.51171875')
    """
    from pydicom.valuerep import DSfloat

    return DSfloat(float(value), auto_format=True)


def _check(image: Image, exam: Exam, injection: Injection | None) -> None:
    if image.modality not in _CLASSES or image.array.ndim != 3:
        found = f"modality '{image.modality}' and shape {image.array.shape}"
        raise BadInput(f"An image of {found} cannot be written as a series; CT, MR and PET with three axes can.", item=image.modality)
    if (image.modality == "CT") != (image.unit == "HU") or (image.modality == "PET") != (image.unit == "SUV"):
        raise BadInput(f"A {image.modality} in {image.unit} cannot be written; CT is in HU, PET in SUV, MR in a.u.", item=image.unit)
    if injection is not None and not exam.weight_kg:
        raise BadInput(f"The exam of {exam.patient} has no weight, which Bq/mL need; give weight_kg or no injection.", item=exam.patient)
    axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-6:
        raise BadGeometry("The grid of the image is sheared; slices cannot hold it: resample it onto a box first.", item=exam.patient)


def _activity(image: Image, exam: Exam, injection: Injection | None) -> npt.NDArray[Any]:
    """Return the values to store: Bq/mL where an injection is told, else those of the image."""
    if image.modality != "PET" or injection is None or not exam.weight_kg:
        return image.array
    left = float(decayed(injection.dose_bq, 60 * injection.minutes, injection.half_life_s))
    return image.array.astype(np.float64) * (left / (1000 * exam.weight_kg))


def _stored(values: npt.NDArray[Any], image: Image) -> tuple[npt.NDArray[Any], list[float], list[float]]:
    """Return 16-bit integers with the slope and intercept of each slice."""
    count = values.shape[2]
    low, high = float(values.min()), float(values.max())
    if image.modality != "PET" and bool((values == np.rint(values)).all()):
        if low >= -(2**15) and high < 2**15:
            return values.astype(np.int16), [1.0] * count, [0.0] * count
        if image.modality == "CT":
            raise BadInput(f"HU from {low:g} to {high:g} do not fit 16 bits; clip them first.", item="HU")
    if image.modality != "PET":
        slope = float(decimal((high - low) / 65535)) or 1.0
        intercept = float(decimal(low + 32768 * slope))
        stored = np.rint((values.astype(np.float64) - intercept) / slope).clip(-32768, 32767)
        return stored.astype(np.int16), [slope] * count, [intercept] * count
    signed = low < 0
    peaks = np.abs(values).max(axis=(0, 1))
    slopes = [float(decimal(peak / (32767 if signed else 65535))) or 1.0 for peak in peaks]
    kind: Any = np.int16 if signed else np.uint16
    stored = np.rint(values.astype(np.float64) / np.array(slopes)).clip(np.iinfo(kind).min, np.iinfo(kind).max)
    return stored.astype(kind), slopes, [0.0] * count


def _slice(image: Image, exam: Exam, k: int, series_uid: str) -> Any:
    """Return what every slice says: whose, where in the series, where in space."""
    from pydicom.dataset import Dataset

    data = Dataset()
    data.update(person(exam))
    data.SOPClassUID, data.SOPInstanceUID = _CLASSES[image.modality], uid("slice", series_uid, k)
    data.SeriesInstanceUID, data.InstanceNumber = series_uid, k + 1
    data.FrameOfReferenceUID, data.PositionReferenceIndicator = exam.frame_of_reference, ""
    x, y, _ = image.spacing_mm
    row, column = image.affine[:3, 0] / x, image.affine[:3, 1] / y
    data.ImageOrientationPatient = [decimal(v) for v in (*row, *column)]
    data.ImagePositionPatient = [decimal(v) for v in (image.affine @ [0, 0, k, 1])[:3]]
    data.PixelSpacing = [decimal(y), decimal(x)]
    data.SliceThickness = decimal(image.spacing_mm[2])
    return data


def person(exam: Exam) -> Any:
    """Return the attributes of patient, exam and equipment: a pseudonym and what SUV needs, empty where a name would stand."""
    from pydicom.dataset import Dataset

    data = Dataset()
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "", exam.patient, "", exam.sex
    data.PatientIdentityRemoved, data.DeidentificationMethod = "YES", "Written without identifiers"
    if exam.weight_kg:
        data.PatientWeight = decimal(exam.weight_kg)
    if exam.height_m:
        data.PatientSize = decimal(exam.height_m)
    data.StudyInstanceUID, data.StudyDate, data.StudyTime, data.StudyID = exam.exam_uid, exam.date, "100000", "1"
    data.AccessionNumber, data.ReferringPhysicianName = "", ""
    data.Manufacturer, data.ManufacturerModelName = f"VIRTUAL ({_MAKER})" if exam.virtual else _MAKER, exam.model
    data.SoftwareVersions, data.DeviceSerialNumber = "1", "0"
    if exam.virtual:
        data.PatientComments, data.StudyDescription = VIRTUAL, "VIRTUAL"
    return data


def _about_series(image: Image, exam: Exam, injection: Injection | None, kernel: str, description: str) -> Any:
    from pydicom.dataset import Dataset

    data = Dataset()
    data.ImageType = ["ORIGINAL", "PRIMARY", *(["AXIAL"] if image.modality == "CT" else ["OTHER"] if image.modality == "MR" else [])]
    data.Modality, data.SeriesNumber = {"PET": "PT"}.get(image.modality, image.modality), {"CT": 1, "PET": 2, "MR": 3}[image.modality]
    data.SeriesDate = data.AcquisitionDate = data.ContentDate = exam.date
    data.SeriesTime = data.AcquisitionTime = data.ContentTime = "100000"
    data.SeriesDescription = " ".join(part for part in ("VIRTUAL" if exam.virtual else "", description) if part)[:64]
    data.BodyPartExamined, data.AcquisitionNumber = "WHOLEBODY", 1
    if image.modality != "PET":  # PET tells the position by codes
        data.PatientPosition = "HFS"
    if image.modality == "CT":
        data.KVP, data.ConvolutionKernel = "", kernel
    elif image.modality == "MR":
        data.ScanningSequence, data.SequenceVariant, data.ScanOptions, data.MRAcquisitionType = "RM", "NONE", "", "3D"
        data.EchoTime, data.EchoTrainLength, data.RepetitionTime = "", "", ""
    else:
        data.update(_about_pet(image, exam, injection, kernel))
    return data


def _about_pet(image: Image, exam: Exam, injection: Injection | None, kernel: str) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    data, tracer = Dataset(), Dataset()
    data.SeriesType, data.CountsSource, data.CollimatorType = ["STATIC", "IMAGE"], "EMISSION", "NONE"
    data.Units = "GML" if injection is None else "BQML"
    data.CorrectedImage, data.DecayCorrection = ["DECY", "ATTN", "SCAT", "RAN"], "START"
    data.NumberOfSlices, data.FrameReferenceTime, data.ActualFrameDuration = image.array.shape[2], decimal(0), 180000
    data.ReconstructionMethod, data.DecayFactor = kernel, decimal(1)
    data.PatientOrientationCodeSequence, data.PatientGantryRelationshipCodeSequence = Sequence(), Sequence()
    if injection is not None:
        start = datetime.strptime(f"{exam.date}100000", "%Y%m%d%H%M%S") - timedelta(minutes=injection.minutes)  # noqa: DTZ007
        tracer.RadiopharmaceuticalStartTime = f"{start:%H%M%S.%f}"
        tracer.RadiopharmaceuticalStartDateTime = f"{start:%Y%m%d%H%M%S.%f}"
        tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = decimal(injection.dose_bq), decimal(injection.half_life_s)
        tracer.RadionuclideCodeSequence = Sequence()
    data.RadiopharmaceuticalInformationSequence = Sequence([tracer] if injection is not None else [])
    return data


def _put_pixels(data: Any, stored: npt.NDArray[Any], slope: float, intercept: float, modality: str) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = stored.shape[1], stored.shape[0]
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.PixelRepresentation = int(np.issubdtype(stored.dtype, np.signedinteger))
    if modality != "MR" or (slope, intercept) != (1.0, 0.0):
        data.RescaleSlope, data.RescaleIntercept = decimal(slope), decimal(intercept)
    if modality == "CT":
        data.RescaleType = "HU"
    if modality == "PET":
        data.ImageIndex = data.InstanceNumber
    data.PixelData = np.ascontiguousarray(stored.T, dtype=stored.dtype.newbyteorder("<")).tobytes()
    data["PixelData"].VR = "OW"
