"""Measurements written as a DICOM structured report: template TID 1500, comprehensive 3-D SR, a group for each thing that was measured.

Each group refers to the segment of the SEG that bears its tracking identifier (DICOM PS3.16, TID 1500, 1411 and 1419).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadCase, BadInput
from onclair.core.names import did_you_mean
from onclair.io.dicom.codes import BONE, SIDES, Coded, lesion_type, quantity
from onclair.io.dicom.files import guarded, open_file, quiet
from onclair.io.dicom.read import Volume
from onclair.io.dicom.sources import maker, sources_of, undated
from onclair.io.dicom.uids import uid
from onclair.io.dicom.write import save

_CT: Coded = ("77477000", "SCT", "Computed Tomography")
_TYPE: Coded = ("lesion-type", "99ONCLAIR", "Type of bone lesion")


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one segment.

    Attributes
    ----------
    tracking_id : str
        That of a segment in the SEG.
    values : mapping of str to float
        By the names of :data:`onclair.io.dicom.codes.QUANTITIES`; None or NaN is left out, never written as 0.
    finding : (value, scheme, meaning)
    regions : tuple of (value, scheme, meaning)
    side : {"", "left", "right"}
    type : {"", "lytic", "blastic", "mixed", "occult"}
    algorithm, version : str
        What measured; the region's own algorithm stands in the SEG.

    Examples
    --------
    >>> Measured("Bone", {"volume_mm3": 12.5}).finding[2]
    'Bone'
    """

    tracking_id: str
    values: Mapping[str, float | None] = field(default_factory=dict)
    finding: Coded = BONE
    regions: tuple[Coded, ...] = ()
    side: str = ""
    type: str = ""
    algorithm: str = "Onclair"
    version: str = "1"


@dataclass(frozen=True, slots=True)
class Reported:
    """One group read back from a report.

    Attributes
    ----------
    tracking_id, tracking_uid : str
    segment : int
        Its number in the SEG; 0 where the group names none.
    finding : str
        Code value.
    regions : tuple of str
        Code values.
    values : mapping of str to float
        By the code's meaning, and its derivation after a comma; in the unit of `units`.
    units : mapping of str to str
    """

    tracking_id: str
    tracking_uid: str
    segment: int
    finding: str
    regions: tuple[str, ...]
    values: Mapping[str, float]
    units: Mapping[str, str]


def write_measurements(path: str | Path, groups: Sequence[Measured], seg: str | Path, volume: Volume, *, seed: int | str = 0) -> None:
    """Write what was measured as a TID 1500 report on a SEG.

    Parameters
    ----------
    path : path
    groups : sequence of Measured
    seg : path
        The SEG that holds their segments, as :func:`onclair.io.dicom.segmented.write_segments` writes it.
    volume : Volume
        As read; its files must still be there.
    seed : int or str
        Enters the UIDs, as does the SEG.

    Raises
    ------
    BadInput
        For a tracking identifier that the SEG does not have (the nearest offered), an unknown quantity, side or type.
    BadCase
        For no group, or a SEG that cannot be read.
    NoRoom
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from onclair.core.values import Image
    >>> from onclair.io.dicom.segmented import bone_segment, write_segments
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.zeros((3, 3, 2), int), np.eye(4), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     volume = write_volume(Path(home, "ct"), ct, Exam("P1", seed=1))
    ...     write_segments(Path(home, "seg.dcm"), [bone_segment()], {"bone": np.ones((3, 3, 2), bool)}, volume)
    ...     write_measurements(Path(home, "sr.dcm"), [Measured("Bone", {"volume_mm3": 18.0})], Path(home, "seg.dcm"), volume)
    ...     read_measurements(Path(home, "sr.dcm"))[0].values
    {'Volume': 18.0}
    """
    from highdicom.sr import Comprehensive3DSR

    if not groups:
        raise BadCase("There is nothing to report: give at least one group of measurements.", item=str(path))
    written = open_file(seg)
    sources = [data for _, data in sources_of(volume)]
    key = ("sr", seed, str(written.SOPInstanceUID), repr(groups))
    with guarded(f"The SEG {Path(seg).name}"), quiet():
        segments = {str(one.get("TrackingID") or one.get("SegmentLabel")): one for one in written.SegmentSequence}
    with quiet():
        content = _report([_group(one, _segment(one, segments, seg), written, volume) for one in groups], sources, volume)
        data = Comprehensive3DSR(
            evidence=[written, *sources],
            content=content[0],
            series_instance_uid=uid("series", *key),
            series_number=101,
            sop_instance_uid=uid("object", *key),
            instance_number=1,
            manufacturer=maker(volume),
            is_complete=True,
            is_final=False,
            is_verified=False,
            series_description=f"{'VIRTUAL ' if volume.virtual else ''}Measurements of bone and lesions",
        )
        undated(data, sources[0])
        save(path, data)


def read_measurements(path: str | Path) -> tuple[Reported, ...]:
    """Return the groups of a TID 1500 report.

    Raises
    ------
    BadCase
        For a file that is no such report.
    """
    from highdicom.sr import Comprehensive3DSR

    data = open_file(path)
    if str(data.get("SOPClassUID")) != "1.2.840.10008.5.1.4.1.1.88.34":
        raise BadCase(f"The file {Path(path).name} is no comprehensive 3-D structured report; give one.", item=Path(path).name)
    with guarded(f"The report {Path(path).name}"), quiet():
        report: Any = Comprehensive3DSR.from_dataset(data)
        return tuple(_read(group) for group in report.content.get_volumetric_roi_measurement_groups())


def _segment(one: Measured, segments: Mapping[str, Any], seg: str | Path) -> Any:
    if one.tracking_id not in segments:
        offer = did_you_mean(one.tracking_id, segments)
        raise BadInput(f"The SEG {Path(seg).name} has no segment tracked as '{one.tracking_id}'; {offer}", item=one.tracking_id)
    if one.side and one.side not in SIDES:
        raise BadInput(f"The group '{one.tracking_id}' is on the side '{one.side}'; it is left, right or empty.", item=one.tracking_id)
    return segments[one.tracking_id]


def _group(one: Measured, segment: Any, seg: Any, volume: Volume) -> Any:
    from highdicom.sr import (
        AlgorithmIdentification,
        FindingSite,
        QualitativeEvaluation,
        ReferencedSegment,
        SourceSeriesForSegmentation,
        TrackingIdentifier,
        VolumetricROIMeasurementsAndQualitativeEvaluations,
    )
    from highdicom.sr.coding import CodedConcept

    side = CodedConcept(*SIDES[one.side]) if one.side else None
    kind = [QualitativeEvaluation(CodedConcept(*_TYPE), CodedConcept(*lesion_type(one.type)))] if one.type else None
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(_followed(one, segment, volume), one.tracking_id),
        referenced_segment=ReferencedSegment(
            str(seg.SOPClassUID),
            str(seg.SOPInstanceUID),
            int(segment.SegmentNumber),
            source_series=SourceSeriesForSegmentation(volume.series.uid),
        ),
        finding_type=CodedConcept(*one.finding),
        finding_sites=[FindingSite(CodedConcept(*region), laterality=side) for region in one.regions] or None,
        algorithm_id=AlgorithmIdentification(one.algorithm, one.version),
        measurements=[_measurement(name, float(value)) for name, value in one.values.items() if value is not None and np.isfinite(value)],
        qualitative_evaluations=kind,
    )


def _followed(one: Measured, segment: Any, volume: Volume) -> str:
    """Return the UID that follows the segment, made from the series where the SEG gives none."""
    return str(segment.get("TrackingUID") or uid("tracking", 0, volume.series.uid, one.tracking_id))


def _measurement(name: str, value: float) -> Any:
    from highdicom.sr import Measurement
    from highdicom.sr.coding import CodedConcept

    code, unit, derived = quantity(name)
    return Measurement(CodedConcept(*code), value, CodedConcept(*unit), derivation=CodedConcept(*derived) if derived else None)


def _report(groups: Sequence[Any], sources: Sequence[Any], volume: Volume) -> Any:
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        MeasurementReport,
        ObservationContext,
        ObserverContext,
    )
    from highdicom.sr.coding import CodedConcept
    from pydicom.sr.codedict import codes

    device = DeviceObserverIdentifyingAttributes(uid("device", "Onclair"), name="Onclair", manufacturer_name=maker(volume))
    observer = ObserverContext(CodedConcept("121007", "DCM", "Device"), device)
    return MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=CodedConcept(*_CT),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=sources,
    )


def _read(group: Any) -> Reported:
    found: dict[str, tuple[float, str]] = {}
    for one in group.get_measurements():
        derived = f", {one.derivation.meaning}" if one.derivation else ""
        found[f"{one.name.meaning}{derived}"] = (float(one.value), str(one.unit.value))
    return Reported(
        str(group.tracking_identifier),
        str(group.tracking_uid),
        int(group.referenced_segment.referenced_segment_numbers[0]) if group.referenced_segment else 0,
        str(group.finding_type.value),
        tuple(str(site.value.value) for site in group.finding_sites),
        {name: value for name, (value, _) in found.items()},
        {name: unit for name, (_, unit) in found.items()},
    )
