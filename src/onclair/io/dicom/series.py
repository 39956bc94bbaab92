"""A series as a list of planes, whichever way it was stored: one file a slice, or all slices as frames of one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadCase
from onclair.io.dicom.files import open_file, quiet, sop_uid_of

#: Where an enhanced object keeps, a frame, what a single slice keeps at its top.
_MACROS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "RescaleType": "PixelValueTransformationSequence",
    "FrameAcquisitionDateTime": "FrameContentSequence",
    "FrameAcquisitionDuration": "FrameContentSequence",
    "TemporalPositionIndex": "FrameContentSequence",
    "EffectiveEchoTime": "MREchoSequence",
    "ConvolutionKernel": "CTReconstructionSequence",
}
#: What tells two slices at one place apart, and how to say it.
TRAITS = {
    "ConvolutionKernel": "kernel",
    "EchoTime": "echo time",
    "EffectiveEchoTime": "echo time",
    "TemporalPositionIdentifier": "temporal position",
    "TemporalPositionIndex": "temporal position",
    "FrameReferenceTime": "frame time",
    "TriggerTime": "trigger time",
    "DiffusionBValue": "b value",
    "AcquisitionNumber": "acquisition number",
    "ImageType": "image type",
    "InstanceNumber": "instance number",
}


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One slice: a file without its pixels, and the frame of it.

    Attributes
    ----------
    path : Path
    data : pydicom.Dataset
        Header only; shared by the frames of one file.
    frame : int
        0-based; 0 for a file that holds one slice.
    """

    path: Path
    data: Any
    frame: int = 0

    def get(self, keyword: str) -> Any:
        """Return an attribute of this slice: of its frame, of all frames, or of the object; None where empty or absent."""
        macro = _MACROS.get(keyword)
        for group in self.groups():
            for place in (macro, "UnassignedSharedConvertedAttributesSequence", "UnassignedPerFrameConvertedAttributesSequence"):
                for one in (group.get(place) or []) if place else []:
                    if one.get(keyword) not in (None, ""):
                        return one.get(keyword)
        value = self.data.get(keyword)
        return None if value in (None, "") else value

    def number(self, keyword: str) -> float | None:
        """Return an attribute as a finite number, None where empty, absent or no number."""
        value = self.get(keyword)
        try:
            found = float(value[0] if isinstance(value, Sequence) and not isinstance(value, str) else value)
        except (TypeError, ValueError, IndexError):
            return None
        return found if np.isfinite(found) else None

    def numbers(self, keyword: str, count: int) -> tuple[float, ...]:
        """Return `count` numbers, or refuse the slice.

        Raises
        ------
        BadCase
            When the attribute is absent, has another length or holds no numbers.
        """
        try:
            found = tuple(float(v) for v in self.get(keyword) or ())
        except (TypeError, ValueError):
            found = ()
        if len(found) != count or not np.isfinite(found).all():
            what = {"ImagePositionPatient": "position in space", "ImageOrientationPatient": "orientation", "PixelSpacing": "pixel spacing"}
            sentence = f"The file {self.path.name} has no {what.get(keyword, keyword)} ({keyword}); a volume cannot be made of it"
            raise BadCase(f"{sentence}: export the series again, as axial images.", item=self.path.name)
        return found

    def text(self, keyword: str) -> str:
        """Return an attribute as text, empty where absent."""
        value = self.get(keyword)
        if value is None:
            return ""
        return "\\".join(map(str, value)) if not isinstance(value, str) and isinstance(value, Sequence) else str(value).strip()

    @property
    def sop_uid(self) -> str:
        """The UID of the object that the slice is in."""
        return sop_uid_of(self.data)

    @property
    def traits(self) -> Mapping[str, str]:
        """What may tell this slice from another at the same place."""
        return {said: self.text(keyword) for keyword, said in TRAITS.items() if self.get(keyword) is not None}

    @property
    def acquired(self) -> datetime | None:
        """When the acquisition of this slice began; None where the file does not say."""
        frame = when(self.text("FrameAcquisitionDateTime"))
        return frame or moment_of(self, "AcquisitionDate", "AcquisitionTime") or when(self.text("AcquisitionDateTime"))

    def groups(self) -> list[Any]:
        """Return the functional groups of this frame, its own before those it shares."""
        frames, shared = self.data.get("PerFrameFunctionalGroupsSequence"), self.data.get("SharedFunctionalGroupsSequence")
        return ([frames[self.frame]] if frames and self.frame < len(frames) else []) + (list(shared) if shared else [])


def planes_of(paths: Sequence[Path]) -> tuple[Plane, ...]:
    """Return every slice of some files, headers read and pixels left.

    Parameters
    ----------
    paths : sequence of Path
        Files of one series. Localisers among them are left out.

    Raises
    ------
    BadCase
        For a file that cannot be opened, a multi-frame object that does not place its frames, or none left.
    """
    planes: list[Plane] = []
    with quiet():
        for path in paths:
            data = open_file(path)
            frames = int(data.get("NumberOfFrames") or 1)
            if "PerFrameFunctionalGroupsSequence" not in data and frames > 1:
                sentence = f"The file {path.name} holds {frames} frames but does not say where they lie; a volume cannot be made of it"
                raise BadCase(f"{sentence}: export the series as single slices or as an enhanced object.", item=path.name)
            planes += [Plane(path, data, frame) for frame in range(frames)]
        whole = [p for p in planes if "LOCALIZER" not in p.text("ImageType").upper()]
    if not whole:
        raise BadCase("The series holds only localiser images, or none at all; choose the series of the volume.")
    return tuple(whole)


def when(text: str) -> datetime | None:
    """Return a DICOM date and time without its time zone; None where it is not one.

    Examples
    --------
    >>> when("20240131235959.5+0100")
    datetime.datetime(2024, 1, 31, 23, 59, 59, 500000)
    >>> when("2024") is None
    True
    """
    digits = text.strip().split("+")[0].split("-")[0]
    whole, _, part = digits.partition(".")
    if len(whole) < 10 or not whole.isdigit():
        return None
    try:
        moment = datetime.strptime(whole[:14].ljust(14, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - DICOM times are local
    except ValueError:
        return None
    return moment + timedelta(seconds=float(f"0.{part}")) if part.isdigit() else moment


def moment_of(plane: Plane, date: str, time: str) -> datetime | None:
    """Return the date and time that two attributes give together; None where either is missing.

    Old files write dates as ``2004.01.19`` and times as ``07:27:30``; both are read.
    """
    day, hour = plane.text(date).replace(".", "").replace("-", ""), plane.text(time).replace(":", "")
    return when(day + hour) if len(day) == 8 and len(hour.partition(".")[0]) >= 2 else None
