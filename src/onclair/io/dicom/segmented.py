"""Label maps written as one SEG through highdicom: a segment for bone and one for each lesion, overlapping where they overlap.

Every segment names its code, its bone and side, its algorithm, and a tracking identifier under which a report finds it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadGeometry, BadInput
from onclair.io.dicom.codes import ABNORMAL, ANATOMICAL, BONE, METASTASIS, SIDES, Coded, region_of
from onclair.io.dicom.files import quiet
from onclair.io.dicom.read import Volume
from onclair.io.dicom.sources import maker, packable, sources_of, undated
from onclair.io.dicom.uids import uid
from onclair.io.dicom.write import VIRTUAL, save

Maps = Mapping[str, npt.NDArray[Any]]
_OF_A_FRAME = ("SegmentIdentificationSequence", "PlanePositionSequence", "DerivationImageSequence")


@dataclass(frozen=True, slots=True)
class Segmented:
    """One segment: where its voxels are, and what they are said to be.

    Attributes
    ----------
    label : str
        At most 64 characters; told to people.
    map : str
        Which of the maps holds it.
    value : int
        Its value there.
    code, category : (value, scheme, meaning)
    regions : tuple of (value, scheme, meaning)
        The bone that it lies in.
    side : {"", "left", "right"}
    tracking_id : str
        The same in every object about it; `label` where empty.
    algorithm, version : str
        What drew it; an empty name says that a person did.

    Examples
    --------
    >>> Segmented("Bone", "bone").value
    1
    """

    label: str
    map: str
    value: int = 1
    code: Coded = BONE
    category: Coded = ANATOMICAL
    regions: tuple[Coded, ...] = ()
    side: str = ""
    tracking_id: str = ""
    algorithm: str = "Onclair"
    version: str = "1"


def bone_segment(map: str = "bone", *, algorithm: str = "Onclair", version: str = "1") -> Segmented:  # noqa: A002
    """Return the segment of all bone.

    Examples
    --------
    >>> bone_segment().label, bone_segment().code[0]
    ('Bone', '272673000')
    """
    return Segmented("Bone", map, tracking_id="Bone", algorithm=algorithm, version=version)


def lesion_segment(number: int, bone: str, level: str | None = None, side: str | None = None, *, made_by: tuple[str, str]) -> Segmented:
    """Return the segment of a lesion, by its number in the map ``lesions``.

    Parameters
    ----------
    number : int
    bone : str
        ``"vertebra"``, ``"rib"``, ... or ``"unnamed"``.
    level, side : str, optional
    made_by : (name, version)
        The algorithm; an empty name for a person.

    Examples
    --------
    >>> one = lesion_segment(2, "vertebra", "T12", made_by=("threshold", "1"))
    >>> one.label, one.regions[0][2]
    ('Lesion 2 (T12)', 'T12 vertebra')
    """
    where = " ".join(part for part in (side, level if bone == "vertebra" and level else f"{bone} {level or ''}".strip()) if part)
    return Segmented(
        f"Lesion {number} ({where})",
        "lesions",
        number,
        METASTASIS,
        ABNORMAL,
        (region_of(bone, level),),
        side or "",
        f"Lesion {number}",
        *made_by,
    )


def tracking_uid(segment: Segmented, volume: Volume, seed: int | str = 0) -> str:
    """Return the UID that follows a segment through all objects about one series.

    Examples
    --------
    >>> import tempfile
    >>> from onclair.core.values import Image
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.zeros((2, 2, 2), int), np.eye(4), "HU", "CT")
    >>> with tempfile.TemporaryDirectory() as home:
    ...     volume = write_volume(home, ct, Exam("P1", seed=1))
    >>> tracking_uid(bone_segment(), volume) == tracking_uid(bone_segment(algorithm="other"), volume)
    True
    """
    return uid("tracking", seed, volume.series.uid, segment.tracking_id or segment.label)


def write_segments(path: str | Path, segments: Sequence[Segmented], maps: Maps, volume: Volume, *, seed: int | str = 0) -> None:
    """Write segments as one binary SEG over the slices of a series.

    Parameters
    ----------
    path : path
    segments : sequence of Segmented
        Numbered 1, 2, ... in this order; one without a voxel is described and has no frame.
    maps : mapping of str to ndarray of bool or integers, shape (x, y, z)
        On the grid of ``volume.image``; segments of one map never overlap, those of several may.
    volume : Volume
        As read; its files must still be there. Every slice of it is referenced.
    seed : int or str
        Enters the UIDs, as do the series and the voxels.

    Raises
    ------
    BadGeometry
        For a map of another shape.
    BadInput
        For a segment of an unknown map or side, or two of one value.
    BadCase
        For no voxel at all, voxels on a missing slice, a multi-frame or tilted series, or slices of fewer than 8 pixels.
    NoRoom
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from onclair.core.values import Image
    >>> from onclair.io.dicom.seg import read_seg
    >>> from onclair.io.dicom.write import Exam, write_volume
    >>> ct = Image(np.zeros((3, 3, 2), int), np.eye(4), "HU", "CT")
    >>> lesions = np.zeros((3, 3, 2), int); lesions[1, 1, 0] = 1
    >>> what = [bone_segment(), lesion_segment(1, "rib", side="left", made_by=("threshold", "1"))]
    >>> with tempfile.TemporaryDirectory() as home:
    ...     written = write_volume(Path(home, "ct"), ct, Exam("P1", seed=1))
    ...     write_segments(Path(home, "o.dcm"), what, {"bone": lesions >= 0, "lesions": lesions}, written)
    ...     back = read_seg(Path(home, "o.dcm"), ct).mask
    >>> back.labels, back.array.sum(axis=(1, 2, 3)).tolist()
    (('Bone', 'Lesion 1 (left rib)'), [18, 1])
    """
    _check(segments, maps, volume)
    packable(volume)
    placed = sources_of(volume)
    key = ("seg", seed, volume.series.uid, _digest(segments, maps))
    groups = {name: [i for i, one in enumerate(segments) if one.map == name] for name in dict.fromkeys(s.map for s in segments)}
    described = [_description(number, one, volume, seed) for number, one in enumerate(segments, start=1)]
    parts = []
    for name, members in groups.items():
        values = _numbered(maps[name], [segments[i].value for i in members])
        _nothing_between(values, placed, name)
        frames = values[:, :, [k for k, _ in placed]].transpose(2, 1, 0)
        if frames.any():
            parts.append((_built(frames, [described[i] for i in members], placed, volume, key), [i + 1 for i in members]))
    if not parts:
        raise BadCase("The maps hold no voxel; a SEG needs at least one frame.", item=", ".join(maps))
    whole = _merged(parts, described, "YES" if _overlap(segments, maps) else "NO")
    undated(whole, placed[0][1])
    for one in (*whole.DimensionOrganizationSequence, *whole.DimensionIndexSequence):
        one.DimensionOrganizationUID = uid("dimensions", *key)
    save(path, whole)


def _check(segments: Sequence[Segmented], maps: Maps, volume: Volume) -> None:
    seen: set[tuple[str, int]] = set()
    for one in segments:
        if one.map not in maps:
            raise BadInput(f"The segment '{one.label}' lies in the map '{one.map}', and there are {', '.join(maps)}.", item=one.label)
        if one.side and one.side not in SIDES:
            raise BadInput(f"The segment '{one.label}' is on the side '{one.side}'; it is left, right or empty.", item=one.label)
        if (one.map, one.value) in seen:
            raise BadInput(f"Two segments have the value {one.value} of the map '{one.map}'; give each its own.", item=one.label)
        seen.add((one.map, one.value))
    for name, values in maps.items():
        if values.shape != volume.image.array.shape:
            sizes = f"shape {values.shape}, the image {volume.image.array.shape}"
            raise BadGeometry(f"The map '{name}' has the {sizes}; lay it on the image's grid first.", item=name)


def _digest(segments: Sequence[Segmented], maps: Maps) -> str:
    """Return what tells one content from another: two different masks never share a UID."""
    digest = hashlib.sha256(repr(segments).encode())
    for name in sorted({one.map for one in segments}):
        values = maps[name]
        digest.update(np.ascontiguousarray(values.astype(np.uint8 if values.max(initial=0) < 256 else np.int32)).tobytes())
    return digest.hexdigest()


def _numbered(values: npt.NDArray[Any], chosen: Sequence[int]) -> npt.NDArray[Any]:
    """Return a map in which the chosen values are 1, 2, ... and nothing else is."""
    kind = np.uint8 if len(chosen) < 256 else np.uint16
    table = np.zeros(max(int(values.max(initial=0)), *chosen) + 1, kind)
    table[list(chosen)] = np.arange(1, len(chosen) + 1)
    return np.asarray(table[values.astype(np.int64) if values.dtype == bool else values])


def _nothing_between(values: npt.NDArray[Any], placed: Sequence[tuple[int, Any]], name: str) -> None:
    missing = sorted(set(range(values.shape[2])) - {k for k, _ in placed})
    if missing and values[:, :, missing].any():
        raise BadCase(f"The map '{name}' marks voxels on a missing slice; a SEG can only cite slices that exist.", item=name)


def _overlap(segments: Sequence[Segmented], maps: Maps) -> bool:
    drawn = [np.isin(maps[name], [s.value for s in segments if s.map == name]) for name in {s.map for s in segments}]
    return bool((np.sum(drawn, axis=0, dtype=np.uint8) > 1).any())


def _description(number: int, one: Segmented, volume: Volume, seed: int | str) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription
    from highdicom.sr.coding import CodedConcept
    from pydicom.sequence import Sequence as Items
    from pydicom.sr.codedict import codes

    how = AlgorithmIdentificationSequence(one.algorithm, codes.DCM.ArtificialIntelligence, one.version) if one.algorithm else None
    made = SegmentDescription(
        segment_number=number,
        segment_label=one.label[:64],
        segmented_property_category=CodedConcept(*one.category),
        segmented_property_type=CodedConcept(*one.code),
        algorithm_type="AUTOMATIC" if one.algorithm else "MANUAL",
        algorithm_identification=how,
        tracking_uid=tracking_uid(one, volume, seed),
        tracking_id=(one.tracking_id or one.label)[:64],
        anatomic_regions=[CodedConcept(*region) for region in one.regions] or None,
    )
    if one.side:
        for region in made.get("AnatomicRegionSequence") or []:
            region.AnatomicRegionModifierSequence = Items([CodedConcept(*SIDES[one.side])])
    return made


def _built(
    frames: npt.NDArray[Any], described: Sequence[Any], placed: Sequence[tuple[int, Any]], volume: Volume, key: tuple[str | int, ...]
) -> Any:
    """Return the SEG of one map, its segments numbered 1, 2, ... for now."""
    from copy import deepcopy

    from highdicom.seg import Segmentation, SegmentationTypeValues

    own = [deepcopy(one) for one in described]
    for number, one in enumerate(own, start=1):
        one.SegmentNumber = number
    with quiet():
        return Segmentation(
            source_images=[data for _, data in placed],
            pixel_array=frames,
            segmentation_type=SegmentationTypeValues.BINARY,
            segment_descriptions=own,
            series_instance_uid=uid("series", *key),
            series_number=100,
            sop_instance_uid=uid("object", *key),
            instance_number=1,
            manufacturer=maker(volume),
            manufacturer_model_name="Onclair",
            software_versions="1",
            device_serial_number="0",
            content_description=VIRTUAL if volume.virtual else "Bone and lesions",
            series_description=f"{'VIRTUAL ' if volume.virtual else ''}Bone and lesions",
            omit_empty_frames=True,
        )


def _merged(parts: Sequence[tuple[Any, Sequence[int]]], described: Sequence[Any], overlap: str) -> Any:
    """Return one object with the frames of several, segments and positions numbered anew."""
    whole = parts[0][0]
    frames, bits = [], []
    for data, numbers in parts:
        _unshared(data)
        for frame in data.PerFrameFunctionalGroupsSequence:
            identified = frame.SegmentIdentificationSequence[0]
            identified.ReferencedSegmentNumber = numbers[int(identified.ReferencedSegmentNumber) - 1]
            frames.append(frame)
        count = int(data.NumberOfFrames) * int(data.Rows) * int(data.Columns)
        bits.append((bytes(data.PixelData), count))
    _indexed(frames)
    whole.PerFrameFunctionalGroupsSequence = frames
    whole.NumberOfFrames = len(frames)
    whole.SegmentSequence = list(described)
    whole.SegmentsOverlap = overlap
    whole.PixelData = _joined(bits)
    return whole


def _unshared(data: Any) -> None:
    """Give each frame what the library kept once because all frames of this map agreed in it."""
    from copy import deepcopy

    shared = data.SharedFunctionalGroupsSequence[0]
    for keyword in _OF_A_FRAME:
        if keyword in shared:
            for frame in data.PerFrameFunctionalGroupsSequence:
                frame[keyword] = deepcopy(shared[keyword])
            del shared[keyword]


def _indexed(frames: Sequence[Any]) -> None:
    """Renumber frames by segment and by place, which each map had numbered for itself."""
    places = [tuple(float(v) for v in frame.PlanePositionSequence[0].ImagePositionPatient) for frame in frames]
    first = [frame.FrameContentSequence[0].DimensionIndexValues[1] for frame in frames]
    along = np.array(places) @ _direction(places, first)
    rank = {value: number for number, value in enumerate(sorted(set(np.round(along, 3).tolist())), start=1)}
    for frame, value in zip(frames, np.round(along, 3).tolist(), strict=True):
        number = int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        frame.FrameContentSequence[0].DimensionIndexValues = [number, rank[value]]


def _direction(places: Sequence[tuple[float, ...]], order: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the direction in which the library counted positions."""
    low, high = int(np.argmin(order)), int(np.argmax(order))
    span = np.array(places[high]) - np.array(places[low])
    return span if span.any() else np.array([0.0, 0.0, 1.0])


def _joined(bits: Sequence[tuple[bytes, int]]) -> bytes:
    """Return packed frames one after the other; they run on within a byte (DICOM PS3.5 8.1.1)."""
    if all(count % 8 == 0 for _, count in bits[:-1]):
        data = b"".join(packed[: -(-count // 8)] for packed, count in bits)
    else:
        loose = [np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")[:count] for packed, count in bits]
        data = np.packbits(np.concatenate(loose), bitorder="little").tobytes()
    return data + b"\0" * (len(data) % 2)
