"""The slices of a series as what is written about them must cite them: every UID in its place, be it from the meta header or minted."""

from __future__ import annotations

from typing import Any

from onclair.core.errors import BadCase
from onclair.io.dicom.files import open_file, quiet, sop_uid_of
from onclair.io.dicom.read import Volume
from onclair.io.dicom.uids import uid


def sources_of(volume: Volume) -> list[tuple[int, Any]]:
    """Return the headers of a volume's slices with their place along the third axis, every UID filled in.

    Parameters
    ----------
    volume : Volume
        As read or written; its files must still be there.

    Returns
    -------
    list of (int, pydicom.Dataset)
        In order of the third axis. Where the data set leaves them empty, SOP class and instance are those of the meta header, exam and
        series those of `volume.series`, and the frame of reference is made from the series.

    Raises
    ------
    BadCase
        For a series in one multi-frame file, slices shifted back from a tilt, or an object without any UID.
    """
    series = volume.series
    if volume.facts.get("sheared"):
        sentence = "The slices of this series were tilted and shifted back, so that nothing can be written on them as DICOM"
        raise BadCase(f"{sentence}; use the NIfTI files.", item=series.uid)
    placed = [(k, one) for k, one in enumerate(volume.sop_uids) if one]
    if len({one for _, one in placed}) != len(placed):
        raise BadCase("A SEG over a multi-frame series cannot be written yet; write an RTSTRUCT.", item=series.uid)
    by_uid = {item.sop_uid: item.path for item in series.items}
    frame = frame_of(volume)
    found = []
    with quiet():
        for k, one in placed:
            data = open_file(by_uid[one])
            data.SOPClassUID = str(data.get("SOPClassUID") or data.file_meta.MediaStorageSOPClassUID)
            data.SOPInstanceUID = sop_uid_of(data)
            data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = series.exam_uid, series.uid, frame
            if "SpecificCharacterSet" in data and not data.SpecificCharacterSet:
                del data.SpecificCharacterSet  # empty stands for absent
            found.append((k, data))
    if not found:
        raise BadCase(f"The slices of the series {series.uid} have no UID that could be cited; export it again.", item=series.uid)
    return found


def packable(volume: Volume) -> None:
    """Refuse slices of fewer than eight pixels, whose bits the library packs wrongly (highdicom 0.28).

    Raises
    ------
    BadCase
    """
    columns, rows = volume.image.array.shape[:2]
    if columns * rows < 8:
        raise BadCase(
            f"Slices of {columns} x {rows} pixels cannot be written as a SEG; at least 8 pixels are needed.", item=volume.series.uid
        )


def frame_of(volume: Volume) -> str:
    """Return the frame of reference of a volume, made from its series where the files hold none."""
    return volume.series.frame_of_reference or uid("frame of reference", volume.series.uid)


def maker(volume: Volume) -> str:
    """Return who made an object about a volume: the house, and that nobody is shown where nobody is."""
    return "VIRTUAL (Onclair)" if volume.virtual else "Onclair"


def undated(data: Any, source: Any) -> None:
    """Replace what a library takes from the clock, in the object and at any depth of it, by the date of the exam.

    Equal input then gives equal bytes.
    """
    date, time = source.get("StudyDate") or "", source.get("StudyTime") or ""
    for keyword in ("InstanceCreationDate", "InstanceCreationTime", "SeriesDate", "SeriesTime", "ContributingEquipmentSequence"):
        if keyword in data:
            del data[keyword]
    data.ContentDate, data.ContentTime = date, time
