"""Masks written as RTSTRUCT and as SEG, on the series that they belong to; the identity is that of the series, nothing is added."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadCase
from onclair.core.values import Mask
from onclair.io.dicom.codes import ABNORMAL, LESION, Coded
from onclair.io.dicom.files import open_file, quiet
from onclair.io.dicom.polygons import outlines
from onclair.io.dicom.read import Volume
from onclair.io.dicom.sources import frame_of, packable, sources_of, undated
from onclair.io.dicom.uids import uid
from onclair.io.dicom.write import decimal, save

_RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
_COPIED = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "PatientComments",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
    "FrameOfReferenceUID",
)
_KINDS = {"expert": "MANUAL", "truth": "MANUAL", "model": "AUTOMATIC"}
_COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))


def write_rtstruct(path: str | Path, mask: Mask, volume: Volume, *, seed: int | str = 0) -> None:
    """Write outlines as an RTSTRUCT: contours along voxel edges, which :func:`read_rtstruct` fills to the same voxels.

    Parameters
    ----------
    path : path
    mask : Mask
        On the grid of the volume up to flips and permutations of axes.
    volume : Volume
        As read or written; its files must still be there.
    seed : int or str
        Enters the UIDs.

    Raises
    ------
    BadGeometry
        For another grid.
    NoRoom
        When the file cannot be written.

    Notes
    -----
    A hole is a contour of its own inside another one; even-odd filling keeps it. Readers that unite contours would close it.

    Examples
    --------
    >>> import tempfile
    >>> from onclair.core.values import Image
    >>> from onclair.io.dicom.outline import read_outline
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.zeros((3, 3, 2), int), np.eye(4), "HU", "CT")
    >>> lesion = np.zeros((1, 3, 3, 2), bool); lesion[0, 1:, 1:, 0] = True
    >>> with tempfile.TemporaryDirectory() as home:
    ...     written = write_volume(Path(home, "ct"), ct, Exam("P1", seed=1))
    ...     write_rtstruct(Path(home, "o.dcm"), Mask(lesion, np.eye(4), ("GTV",)), written)
    ...     int(read_outline(Path(home, "o.dcm"), ct).mask.array.sum())
    4
    """
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    placed, head = mask.on(volume.image), _source(volume)
    data = _copied(head, "RTSTRUCT", uid("rtstruct", seed, volume.series.uid, *mask.labels), _RTSTRUCT)
    data.StructureSetLabel, data.StructureSetDate, data.StructureSetTime = "OUTLINES", data.StudyDate, data.StudyTime
    slices = str(head.get("SOPClassUID") or head.file_meta.MediaStorageSOPClassUID)
    data.StudyInstanceUID, data.FrameOfReferenceUID = volume.series.exam_uid, frame_of(volume)
    data.ReferencedFrameOfReferenceSequence = Items([_referenced_frame(volume, slices)])
    data.StructureSetROISequence, data.ROIContourSequence, data.RTROIObservationsSequence = Items(), Items(), Items()
    for number, label in enumerate(placed.labels, start=1):
        roi, drawn, seen = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ReferencedFrameOfReferenceUID, roi.ROIName = number, frame_of(volume), label
        roi.ROIGenerationAlgorithm = _KINDS[placed.origin]
        drawn.ReferencedROINumber, drawn.ROIDisplayColor = number, list(_COLOURS[(number - 1) % len(_COLOURS)])
        if contours := _contours(placed, label, volume, slices):
            drawn.ContourSequence = Items(contours)
        seen.ObservationNumber, seen.ReferencedROINumber, seen.RTROIInterpretedType, seen.ROIInterpreter = number, number, "", ""
        data.StructureSetROISequence.append(roi)
        data.ROIContourSequence.append(drawn)
        data.RTROIObservationsSequence.append(seen)
    save(path, data)


def write_seg(path: str | Path, mask: Mask, volume: Volume, *, seed: int | str = 0, shows: Sequence[Coded] | None = None) -> None:
    """Write outlines as a binary SEG, one segment a label; overlapping and empty ones are kept.

    Parameters
    ----------
    path : path
    mask : Mask
        On the grid of the volume up to flips and permutations of axes.
    volume : Volume
        As read or written; its files must still be there.
    seed : int or str
        Enters the UIDs.
    shows : sequence of (code, scheme, meaning), optional
        What each segment shows; a lesion where left out.

    Raises
    ------
    BadGeometry
        For another grid.
    BadCase
        For a series in one multi-frame file, or a mask without a voxel.
    NoRoom
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from onclair.core.values import Image
    >>> from onclair.io.dicom.outline import read_outline
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.zeros((3, 3, 2), int), np.eye(4), "HU", "CT")
    >>> lesion = np.zeros((1, 3, 3, 2), bool); lesion[0, 1:, 1:, 0] = True
    >>> with tempfile.TemporaryDirectory() as home:
    ...     written = write_volume(Path(home, "ct"), ct, Exam("P1", seed=1))
    ...     write_seg(Path(home, "o.dcm"), Mask(lesion, np.eye(4), ("GTV",)), written)
    ...     int(read_outline(Path(home, "o.dcm"), ct).mask.array.sum())
    4
    """
    from highdicom.seg import Segmentation, SegmentationTypeValues

    placed = mask.on(volume.image)
    packable(volume)
    placed_on = sources_of(volume)
    layers = np.stack([placed.region(label) for label in placed.labels])[..., [k for k, _ in placed_on]]
    if not layers.any():
        raise BadCase("The mask holds no voxel; a SEG needs at least one frame.", item=", ".join(placed.labels))
    sources = [data for _, data in placed_on]
    key = ("seg", seed, volume.series.uid, *mask.labels)
    with quiet():
        data = Segmentation(
            source_images=sources,
            pixel_array=layers.transpose(3, 2, 1, 0),
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=_descriptions(placed, shows or [LESION] * len(placed.labels), key),
            series_instance_uid=uid("series", *key),
            series_number=100,
            sop_instance_uid=uid("object", *key),
            instance_number=1,
            manufacturer=str(sources[0].get("Manufacturer") or "Onclair"),
            manufacturer_model_name="Onclair",
            software_versions="1",
            device_serial_number="0",
            omit_empty_frames=True,
        )
        _without_clock(data, sources[0], uid("dimensions", *key))
        save(path, data)


def _source(volume: Volume) -> Any:
    return open_file(volume.series.items[0].path)


def _copied(head: Any, modality: str, sop_uid: str, sop_class: str) -> Any:
    from pydicom.dataset import Dataset

    data = Dataset()
    for keyword in _COPIED:
        if keyword in head:
            data[keyword] = head[keyword]
    data.SOPClassUID, data.SOPInstanceUID, data.SeriesInstanceUID = sop_class, sop_uid, uid("series", sop_uid)
    data.Modality, data.SeriesNumber, data.InstanceNumber, data.OperatorsName = modality, 100, 1, ""
    data.SeriesDate, data.SeriesTime = data.get("StudyDate", ""), data.get("StudyTime", "")
    data.Manufacturer, data.ManufacturerModelName, data.SoftwareVersions = str(head.get("Manufacturer") or "Onclair"), "Onclair", "1"
    data.ApprovalStatus, data.PositionReferenceIndicator = "UNAPPROVED", ""
    return data


def _referenced_frame(volume: Volume, sop_class: str) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    frame, exam, series = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = volume.series.uid
    series.ContourImageSequence = Items(_reference(sop, sop_class) for sop in dict.fromkeys(volume.sop_uids) if sop)
    exam.ReferencedSOPClassUID, exam.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", volume.series.exam_uid
    exam.RTReferencedSeriesSequence = Items([series])
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = frame_of(volume), Items([exam])
    return frame


def _reference(sop_uid: str, sop_class: str) -> Any:
    from pydicom.dataset import Dataset

    one = Dataset()
    one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = sop_class, sop_uid
    return one


def _contours(mask: Mask, label: str, volume: Volume, sop_class: str) -> list[Any]:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence as Items

    region, found = mask.region(label), []
    for k in np.flatnonzero(region.any(axis=(0, 1))):
        for polygon in outlines(region[:, :, k]):
            corners = np.column_stack([polygon, np.full(len(polygon), k), np.ones(len(polygon))]) @ mask.affine.T
            one = Dataset()
            if volume.sop_uids[k]:
                one.ContourImageSequence = Items([_reference(volume.sop_uids[k], sop_class)])
            one.ContourGeometricType, one.NumberOfContourPoints = "CLOSED_PLANAR", len(polygon)
            one.ContourData = [decimal(v) for v in corners[:, :3].ravel()]
            found.append(one)
    return found


def _descriptions(mask: Mask, shows: Sequence[Coded], key: tuple[str | int, ...]) -> list[Any]:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription
    from highdicom.sr.coding import CodedConcept
    from pydicom.sr.codedict import codes

    kind = _KINDS[mask.origin]
    how = AlgorithmIdentificationSequence("Onclair", codes.DCM.ArtificialIntelligence, "1") if kind == "AUTOMATIC" else None
    return [
        SegmentDescription(
            segment_number=number,
            segment_label=label[:64],
            segmented_property_category=CodedConcept(*ABNORMAL),
            segmented_property_type=CodedConcept(*shown),
            algorithm_type=kind,
            algorithm_identification=how,
            tracking_uid=uid("tracking", *key, number),
            tracking_id=label[:64],
        )
        for number, (label, shown) in enumerate(zip(mask.labels, shows, strict=True), start=1)
    ]


def _without_clock(data: Any, source: Any, dimensions: str) -> None:
    """Replace what the library takes from clock and chance, so that equal input gives equal bytes."""
    undated(data, source)
    for one in (*data.DimensionOrganizationSequence, *data.DimensionIndexSequence):
        one.DimensionOrganizationUID = dimensions
