"""DICOM SEG: segments as frames, placed on the grid of an image without resampling (DICOM PS3.3 C.8.20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadGeometry
from onclair.core.geometry import TOLERANCE_MM, Affine
from onclair.core.values import Image, Mask, Origin
from onclair.io.dicom.files import guarded
from onclair.io.dicom.geometry import Departure, Notes, plane_axes, stacked
from onclair.io.dicom.outline import Outline, chosen, told_apart
from onclair.io.dicom.pixels import decoded_pixels
from onclair.io.dicom.series import Plane, planes_of

#: Share of the maximum from which a voxel of a fractional segment belongs.
THRESHOLD = 0.5
_KINDS = ("BINARY", "FRACTIONAL", "LABELMAP")
_Floats = npt.NDArray[np.float64]
_TILTED: tuple[Departure, ...] = ("tilt",)


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """What a SEG stores, before any threshold.

    Attributes
    ----------
    kind : {"BINARY", "FRACTIONAL", "LABELMAP"}
    numbers : tuple of int
        Of the segments, in the order of `labels`.
    labels : tuple of str
        Told apart by a number where two are equal.
    maximum : int
        The stored value that means 1.
    planes : tuple of Plane
        Where each frame lies.
    frames : ndarray, unsigned integers, shape (frame, row, column)
    name, frame_of_reference, algorithm : str
        The file's name, its FrameOfReferenceUID, and ``"MANUAL"``, ``"SEMIAUTOMATIC"`` or ``"AUTOMATIC"`` of the first segment.
    """

    kind: str
    numbers: tuple[int, ...]
    labels: tuple[str, ...]
    maximum: int
    planes: tuple[Plane, ...]
    frames: npt.NDArray[Any]
    name: str
    frame_of_reference: str
    algorithm: str

    def of(self, number: int) -> Iterator[tuple[Plane, npt.NDArray[Any]]]:
        """Yield the frames of one segment: their place and stored values, shape (row, column)."""
        for plane, frame in zip(self.planes, self.frames, strict=True):
            if self.kind == "LABELMAP":
                yield plane, (frame == number).astype(np.uint8)
            elif _segment_of(plane) == number:
                yield plane, frame


def read_segments(path: str | Path) -> Segments:
    """Return what a SEG stores.

    Raises
    ------
    BadCase
        For a file that is no SEG, one without frames or segments, and pixels that cannot be decoded.
    """
    path = Path(path)
    with guarded(f"The file {path.name}"):
        planes = planes_of([path])
        data = planes[0].data
        kind = str(data.get("SegmentationType") or "").upper()
        items = [one for one in data.get("SegmentSequence") or [] if str(one.get("SegmentNumber", "")) != "0"]
        if kind not in _KINDS or not items:
            found = f"of the type '{kind}'" if kind else "no segmentation"
            raise BadCase(f"The file {path.name} is {found} with {len(items)} segments; give a SEG.", item=path.name)
        frames = decoded_pixels(path)
        frames = frames if frames.ndim == 3 else frames[None]
        if len(frames) != len(planes):
            raise BadCase(f"The file {path.name} places {len(planes)} frames and holds {len(frames)}; fetch it again.", item=path.name)
        return Segments(
            kind,
            tuple(int(one.SegmentNumber) for one in items),
            told_apart([str(one.get("SegmentLabel") or "") for one in items]),
            int(data.get("MaximumFractionalValue") or 255) if kind == "FRACTIONAL" else 1,
            planes,
            frames,
            path.name,
            str(data.get("FrameOfReferenceUID") or ""),
            str(items[0].get("SegmentAlgorithmType") or ""),
        )


def read_seg(
    path: str | Path, onto: Image | None = None, *, structure: Sequence[str] | None = None, frame_of_reference: str = ""
) -> Outline:
    """Return segments as a mask, on the grid of an image or on their own.

    Parameters
    ----------
    path : path
    onto : Image, optional
        The image that was segmented; flips and permutations of axes are followed, anything else is refused. Without it, the grid that
        the frames span themselves.
    structure : sequence of str, optional
        Labels to take, capitals ignored; all where left out.
    frame_of_reference : str
        The image's; empty skips the comparison.

    Returns
    -------
    Outline
        One layer a segment: overlapping ones survive and empty ones are kept. A fractional segment is cut at half its maximum, and a
        note ``fractional`` says so.

    Raises
    ------
    BadCase
        As :func:`read_segments`, and for an unknown label.
    BadGeometry
        For another frame of reference, or frames that do not fall on the image's voxels; both affines are quoted.
    """
    found = read_segments(path)
    with guarded(f"The file {found.name}"):
        return _masked(found, onto, structure, frame_of_reference)


def _masked(found: Segments, onto: Image | None, structure: Sequence[str] | None, frame_of_reference: str) -> Outline:
    if frame_of_reference and found.frame_of_reference and found.frame_of_reference != frame_of_reference:
        sentence = (
            f"The segments of {found.name} lie in the frame of reference {found.frame_of_reference}, the image in {frame_of_reference}"
        )
        raise BadGeometry(f"{sentence}; give the image that was segmented, or register first.", item=found.name)
    places = chosen(found.labels, structure, of=found.name)
    affine, shape = (onto.affine, onto.array.shape[:3]) if onto is not None else own_grid(found)
    stored = [stored_values(found, found.numbers[i], affine, shape) for i in places]
    layers = np.stack([layer >= THRESHOLD * found.maximum for layer in stored])
    labels = tuple(found.labels[i] for i in places)
    origin: Origin = "model" if found.algorithm == "AUTOMATIC" else "expert"
    return Outline(Mask(layers, affine, labels, origin), _fractions(found, stored))


def stored_values(segments: Segments, number: int, affine: Affine, shape: tuple[int, ...]) -> npt.NDArray[np.uint16]:
    """Return one segment's stored values on a grid; divide by `segments.maximum` for fractions.

    Parameters
    ----------
    segments : Segments
    number : int
        Of the segment.
    affine : ndarray, shape (4, 4)
    shape : tuple of int

    Returns
    -------
    ndarray, uint16, shape (x, y, z)
        Zero where no frame lies.

    Raises
    ------
    BadGeometry
        When a frame that is not empty does not fall on the grid's voxels.
    """
    out = np.zeros(shape[:3], np.uint16)
    to_voxel: _Floats = np.linalg.inv(affine).astype(np.float64)
    for plane, values in segments.of(number):
        if values.any() and not _laid(out, values, _placed(plane, to_voxel, affine, segments.name)):
            raise BadGeometry(_other_grid(plane, affine, segments.name, "reaches beyond it"), item=segments.name)
    return out


def own_grid(segments: Segments) -> tuple[Affine, tuple[int, int, int]]:
    """Return the grid that the frames span by themselves, gaps between them included.

    Returns
    -------
    affine : ndarray, shape (4, 4)
    shape : tuple of int
        (columns, rows, slices).

    Raises
    ------
    BadGeometry
        For frames of several orientations or spacings.
    """
    row, column = plane_axes(segments.planes[0].numbers("ImageOrientationPatient", 6), segments.name)
    normal = np.cross(row, column)
    along = np.array([np.dot(plane.numbers("ImagePositionPatient", 3), normal) for plane in segments.planes])
    places, first = np.unique(np.round(along, 3), return_index=True)
    one_each = [segments.planes[i] for i in first]
    rows, columns = segments.frames.shape[1:]
    step = one_each[0].number("SpacingBetweenSlices") or (float(np.diff(places).min()) if len(places) > 1 else None)
    if len(one_each) == 1 or step is None:
        return stacked(one_each[:1], of=f"The SEG {segments.name}").affine, (columns, rows, 1)
    steps = (places - places[0]) / step
    if np.abs(steps - np.rint(steps)).max() * step > 0.1 * step:
        raise BadGeometry(
            f"The frames of {segments.name} lie at irregular distances; give the image that was segmented.", item=segments.name
        )
    ends = stacked([one_each[0], one_each[-1]], allow=_TILTED, of=f"The SEG {segments.name}").affine
    count = int(np.rint(steps[-1])) + 1
    affine = np.array(ends)
    affine[:3, 2] /= count - 1
    return affine, (columns, rows, count)


def _segment_of(plane: Plane) -> int:
    for group in plane.groups():
        for one in group.get("SegmentIdentificationSequence") or []:
            return int(one.ReferencedSegmentNumber)
    return 1


def _placed(plane: Plane, to_voxel: _Floats, affine: Affine, name: str) -> _Floats:
    """Return the 3 x 3 map from (column, row, 1) of a frame to a voxel of the grid, whole numbers throughout."""
    exact = to_voxel[:3] @ _frame_affine(plane)
    place = np.rint(exact)
    rows, columns = int(plane.data.Rows), int(plane.data.Columns)
    corners = np.array([[c, r, 1.0] for c in (0, columns - 1) for r in (0, rows - 1)])
    moved = np.abs(affine[:3, :3] @ (exact - place) @ corners.T).max()
    unit = np.abs(place[:, :2]).sum(axis=0)
    crossed = (np.abs(place[:, :2]).sum(axis=1) > 1).any()
    if moved > 10 * TOLERANCE_MM or (unit != 1).any() or crossed:
        raise BadGeometry(_other_grid(plane, affine, name, "does not fall on its voxels"), item=name)
    return place


def _laid(out: npt.NDArray[np.uint16], values: npt.NDArray[Any], place: _Floats) -> bool:
    """Copy what a frame holds to its place in a volume; False when it does not fit there."""
    rows, columns = np.flatnonzero(values.any(axis=1)), np.flatnonzero(values.any(axis=0))
    ends = np.rint(place @ [[columns[0], columns[-1]], [rows[0], rows[-1]], [1, 1]]).astype(int)
    low, high = ends.min(axis=1), ends.max(axis=1) + 1
    if (low < 0).any() or (high > out.shape).any():
        return False
    along, down = int(np.abs(place[:, 0]).argmax()), int(np.abs(place[:, 1]).argmax())
    block = values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][:: int(place[down, 1]), :: int(place[along, 0])]
    block = np.expand_dims(block.T if along < down else block, axis=3 - along - down)
    out[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = block
    return True


def _frame_affine(plane: Plane) -> _Floats:
    """Return the 4 x 3 map from (column, row, 1) to LPS mm."""
    row, column = plane_axes(plane.numbers("ImageOrientationPatient", 6), plane.path.name)
    dr, dc = plane.numbers("PixelSpacing", 2)
    place = np.zeros((4, 3))
    place[:3, 0], place[:3, 1], place[:3, 2] = row * dc, column * dr, plane.numbers("ImagePositionPatient", 3)
    place[3, 2] = 1
    return place


def _other_grid(plane: Plane, affine: Affine, name: str, why: str) -> str:
    own, image = ([[round(float(v), 3) for v in line] for line in one[:3]] for one in (_frame_affine(plane), affine))
    sentence = (
        f"The segments of {name} lie on another grid than the image: frame {plane.frame + 1}, with column, row and origin {own}, {why}"
    )
    return f"{sentence} (the image's affine is {image}); give the image that was segmented, or resample the segments first."


def _fractions(found: Segments, stored: Sequence[npt.NDArray[np.uint16]]) -> Notes:
    if found.kind != "FRACTIONAL":
        return ()
    between = sum(int(((layer > 0) & (layer < found.maximum)).sum()) for layer in stored)
    text = f"The segments of {found.name} are fractional: voxels of at least half belong; {between} voxels lie between 0 and 1."
    note: Mapping[str, str] = {"code": "fractional", "text": text}
    return (note,)
