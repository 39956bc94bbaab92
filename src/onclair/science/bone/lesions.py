"""The lesion table: each instance's bone, size, place and type; and the table of levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase, BadInput
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.bone.body import body_mask, midline_mm
from onclair.science.bone.extent import cortical_breach, cross_section_destroyed
from onclair.science.bone.labels import MIDLINE_BONES, UNNAMED, Bone, Scheme, Side, bone_means, name_of
from onclair.science.bone.lesion_type import RING_MM, Type, ring_around, type_of
from onclair.science.bone.parts import part_at, parts_of
from onclair.science.volumes.components import box_of
from onclair.science.volumes.diameters import axial_diameters_mm, centroid_mm, equivalent_diameter_mm, longest_diameter_mm, volume_ml

Region = npt.NDArray[np.bool_]
#: A lesion this near to the middle of a bone that the midline crosses has no side.
MIDDLE_MM = 10.0
#: Bone within so much of a lesion's height tells where the body's middle is.
NEAR_MM = 20.0
#: How far around a lesion its bone is looked at.
_AROUND_MM = 40.0


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """What is known of a scan's bones; each part may be missing.

    Attributes
    ----------
    labels : ndarray of integers, shape (x, y, z), or None
        Bones by number.
    scheme : Scheme or None
        What the numbers mean; needed with `labels`.
    mask : ndarray of bool, shape (x, y, z), or None
        Bone as a whole, for lesions in bones without a label.

    Raises
    ------
    BadInput
        For labels without a scheme.
    """

    labels: npt.NDArray[Any] | None = None
    scheme: Scheme | None = None
    mask: Region | None = None

    def __post_init__(self) -> None:
        if (self.labels is None) != (self.scheme is None):
            raise BadInput("Labels of bones and the scheme that says what their numbers mean go together; give both or neither.")


@dataclass(frozen=True, slots=True)
class Lesion:
    """One row of the lesion table.

    Attributes
    ----------
    id : int
        Its number in the instance map.
    bone : str
        ``"vertebra"``, ``"rib"`` ..., or ``"unnamed"``.
    level : str or None
        ``"T12"``; the number of a rib.
    side : {"left", "right"} or None
        The patient's; None within 10 mm of the middle of a bone that the midline crosses. Without a label, None wherever the body's
        flanks and its bone do not agree on the side: an arm in view moves the flanks.
    part : str or None
        Of a vertebra or a femur.
    volume_ml, equivalent_diameter_mm, axial_diameter_mm, perpendicular_diameter_mm, longest_diameter_mm : float
    centroid_lps_mm : tuple of float
    type : {"lytic", "blastic", "mixed", "occult"} or None
    score : float or None
        Calibrated probability; None for outlines that a person drew.
    cut_by_border : bool
        It touches the scan's border, so that its size is a lower bound.
    cortical_breach : bool or None
    cross_section_destroyed : float or None
        In [0, 1]; None for flat bones and unnamed ones.
    hu_mean : float
    """

    id: int
    bone: str
    level: str | None
    side: Side | None
    part: str | None
    volume_ml: float
    equivalent_diameter_mm: float
    axial_diameter_mm: float
    perpendicular_diameter_mm: float
    longest_diameter_mm: float
    centroid_lps_mm: tuple[float, float, float]
    type: Type | None
    score: float | None
    cut_by_border: bool
    cortical_breach: bool | None
    cross_section_destroyed: float | None
    hu_mean: float

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain JSON values."""
        return {**asdict(self), "centroid_lps_mm": list(self.centroid_lps_mm)}


def lesion_table(
    hu: npt.NDArray[Any],
    affine: Affine,
    instances: npt.NDArray[Any],
    skeleton: Skeleton | None = None,
    *,
    scores: Mapping[int, float] | None = None,
) -> tuple[Lesion, ...]:
    """Return the table of the lesions in an instance map.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    instances : ndarray of integers, shape (x, y, z)
        0 outside; as :func:`onclair.science.volumes.components.instances_of` returns it.
    skeleton : Skeleton, optional
        Without it, lesions are unnamed and have no type.
    scores : mapping of int to float, optional
        By instance.

    Returns
    -------
    tuple of Lesion
        In order of their numbers.

    Raises
    ------
    BadCase
        For maps of other shapes.
    BadInput
        For a score of an instance that is not there.

    Examples
    --------
    >>> hu, labels, drawn = np.full((40, 40, 20), 200.0), np.zeros((40, 40, 20), int), np.zeros((40, 40, 20), int)
    >>> hu[::2] = 210; labels[5:35, 5:35] = 32; drawn[15:20, 15:20, 8:12] = 1; hu[drawn == 1] = 30
    >>> from onclair.science.bone.labels import totalseg
    >>> (row,) = lesion_table(hu, np.eye(4), drawn, Skeleton(labels, totalseg()))
    >>> row.bone, row.level, row.volume_ml, row.type, row.centroid_lps_mm
    ('vertebra', 'T12', 0.1, 'lytic', (17.0, 17.0, 9.5))
    """
    known = skeleton or Skeleton()
    for what, other in (("lesions", instances), ("labels", known.labels), ("bone mask", known.mask)):
        if other is not None and other.shape != hu.shape:
            raise BadCase(f"The {what} have the shape {other.shape} and the CT {hu.shape}; both must lie on one grid.")
    boxes = {number: box for number, box in enumerate(ndimage.find_objects(instances.astype(np.int32, copy=False)), start=1) if box}
    absent = sorted(set(scores or {}) - set(boxes))
    if absent:
        raise BadInput(
            f"There is a score for lesion {absent[0]}, but the map has no such instance; correct the scores.", item=str(absent[0])
        )
    margins = [int(np.ceil(_AROUND_MM / s)) for s in spacing_mm(affine)]
    whole = _Whole(hu, affine, known)
    rows = []
    for number, tight in boxes.items():
        wide = tuple(slice(max(b.start - m, 0), b.stop + m) for b, m in zip(tight, margins, strict=True))
        rows.append(_row(number, _Near.of(hu, affine, instances, known, wide), whole, (scores or {}).get(number)))
    return tuple(rows)


def level_table(hu: npt.NDArray[Any], affine: Affine, labels: npt.NDArray[Any], scheme: Scheme) -> tuple[dict[str, Any], ...]:
    """Return each labelled bone: ``name``, ``voxels``, ``volume_ml``, ``hu_mean``, in the order of the scheme's values.

    Examples
    --------
    >>> from onclair.science.bone.labels import totalseg
    >>> level_table(np.full((2, 1, 1), 150), np.diag([1, 1, 2.0, 1]), np.array([32, 0]).reshape(2, 1, 1), totalseg())
    ({'name': 'T12', 'voxels': 1, 'volume_ml': 0.002, 'hu_mean': 150.0},)
    """
    return tuple(
        {"name": scheme.bones[value].title, "voxels": voxels, "volume_ml": volume_ml(voxels, affine), "hu_mean": mean}
        for value, (voxels, mean) in bone_means(hu, labels, scheme).items()
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """What lies around one lesion."""

    hu: npt.NDArray[Any]
    affine: Affine
    instances: npt.NDArray[Any]
    skeleton: Skeleton
    low: tuple[int, ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, hu: npt.NDArray[Any], affine: Affine, instances: npt.NDArray[Any], skeleton: Skeleton, box: tuple[slice, ...]) -> _Near:
        """Return what lies in a box of the scan, with the affine of the box."""
        moved = np.array(affine)
        low = tuple(int(b.start) for b in box)
        moved[:3, 3] = affine[:3, :3] @ np.array(low) + affine[:3, 3]
        labels, mask = (None if part is None else part[box] for part in (skeleton.labels, skeleton.mask))
        return cls(hu[box], moved, instances[box], Skeleton(labels, skeleton.scheme, mask), low, hu.shape)


class _Whole:
    """What is looked up in the whole scan, once and only when it is needed: the body's middle, and each bone's parts and middle."""

    def __init__(self, hu: npt.NDArray[Any], affine: Affine, skeleton: Skeleton) -> None:
        self._hu, self._affine, self._skeleton = hu, affine, skeleton
        self._body: Region | None = None
        self._bone_places: npt.NDArray[np.float64] | None = None
        self._found: dict[int, tuple[tuple[slice, ...], npt.NDArray[np.uint8], tuple[str, ...], float]] = {}

    def middles_mm(self, z_mm: float) -> tuple[float, ...]:
        """Return where the body's middle may be: between its flanks, which an arm beside them moves, and the median of its bone."""
        if self._body is None:
            self._body = body_mask(self._hu, self._affine)
        flanks = midline_mm(self._body, self._affine, z_mm)
        mask = self._skeleton.mask
        if self._bone_places is None:
            found = np.argwhere(mask) if mask is not None else np.zeros((0, 3))
            self._bone_places = found @ self._affine[[0, 2], :3].T + self._affine[[0, 2], 3]
        near = self._bone_places[np.abs(self._bone_places[:, 1] - z_mm) <= NEAR_MM, 0]
        return (*(() if flanks is None else (flanks,)), *((float(np.median(near)),) if near.size else ()))

    def bone_middle_mm(self, bone: Bone) -> float:
        return self._bone(bone)[3]

    def parts(self, bone: Bone, near: _Near) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
        """Return the codes of a bone's parts in a lesion's neighbourhood, and their names."""
        box, codes, names, _ = self._bone(bone)
        out = np.zeros(near.hu.shape, np.uint8)
        common = [(max(b.start, low), min(b.stop, low + n)) for b, low, n in zip(box, near.low, near.hu.shape, strict=True)]
        if all(first < last for first, last in common):
            to = tuple(slice(a - low, b - low) for (a, b), low in zip(common, near.low, strict=True))
            of = tuple(slice(a - c.start, b - c.start) for (a, b), c in zip(common, box, strict=True))
            out[to] = codes[of]
        return out, names

    def _bone(self, bone: Bone) -> tuple[tuple[slice, ...], npt.NDArray[np.uint8], tuple[str, ...], float]:
        if bone.value not in self._found and self._skeleton.labels is not None:
            region = np.asarray(self._skeleton.labels == bone.value, dtype=np.bool_)
            box = box_of(region)
            codes, names = parts_of(region[box], self._affine, bone.name)
            low, high = (np.array([getattr(b, end) for b in box], dtype=float) for end in ("start", "stop"))
            middle = float(self._affine[0, :3] @ ((low + high - 1) / 2) + self._affine[0, 3])
            self._found[bone.value] = (box, codes, names, middle)
        return self._found[bone.value]


def _row(number: int, near: _Near, whole: _Whole, score: float | None) -> Lesion:
    region = near.instances == number
    bone, own = _bone_of(region, near)
    x, y, z = (float(value) for value in centroid_mm(region, near.affine))
    ml = volume_ml(int(region.sum()), near.affine)
    longest, across = axial_diameters_mm(region, near.affine)
    codes, names = whole.parts(bone, near) if bone is not UNNAMED else (np.zeros(region.shape, np.uint8), ())
    return Lesion(
        id=number,
        bone=bone.name,
        level=bone.level,
        side=_side(bone, (x, y, z), whole),
        part=part_at(codes, names, region) if names else None,
        volume_ml=ml,
        equivalent_diameter_mm=equivalent_diameter_mm(ml),
        axial_diameter_mm=longest,
        perpendicular_diameter_mm=across,
        longest_diameter_mm=longest_diameter_mm(region, near.affine),
        centroid_lps_mm=(x, y, z),
        type=_type(region, own, near),
        score=score,
        cut_by_border=_cut(region, near),
        cortical_breach=None if own is None else cortical_breach(near.hu, region, own, near.affine),
        cross_section_destroyed=None if own is None else _share(region, own, codes, near.affine, bone.name),
        hu_mean=float(near.hu[region].mean(dtype=np.float64)),
    )


def _bone_of(region: Region, near: _Near) -> tuple[Bone, Region | None]:
    """Return the bone that holds a lesion and its voxels nearby; where no label is near, bone as a whole."""
    known = near.skeleton
    bone = UNNAMED
    if known.labels is not None and known.scheme is not None:
        bone = name_of(region, known.labels, near.affine, known.scheme)
    if bone is not UNNAMED and known.labels is not None:
        return bone, np.asarray(known.labels == bone.value, dtype=np.bool_)
    return bone, known.mask


def _side(bone: Bone, centroid: tuple[float, float, float], whole: _Whole) -> Side | None:
    """Return the side that the label says, or on which of every middle the lesion lies, else None; LPS x grows to the patient's left."""
    if bone.side is not None:
        return bone.side
    middles = (whole.bone_middle_mm(bone),) if bone.name in MIDLINE_BONES else whole.middles_mm(centroid[2])
    if not middles:
        return None
    if centroid[0] > max(middles) + MIDDLE_MM:
        return "left"
    return "right" if centroid[0] < min(middles) - MIDDLE_MM else None


def _type(region: Region, own: Region | None, near: _Near) -> Type | None:
    if own is None:
        return None
    reach = max(1, int(np.ceil(RING_MM[1] / min(spacing_mm(near.affine)))))
    box = box_of(region, margin=reach)
    others = (near.instances[box] != 0) & ~region[box]
    ring = ring_around(region[box], own[box] & ~others, near.affine)
    return type_of(near.hu[box][region[box]], near.hu[box][ring]).type


def _share(region: Region, own: Region, codes: npt.NDArray[np.uint8], affine: Affine, name: str) -> float | None:
    """Return the share of the cross-section; of a vertebra, that of its body where the body is known and holds the lesion."""
    body = codes == 1
    if name == "vertebra" and body.any():
        inside = region & (body | ~own)
        return cross_section_destroyed(inside, body, affine, name) if inside.any() else 0.0
    return cross_section_destroyed(region, own, affine, name)


def _cut(region: Region, near: _Near) -> bool:
    return any(b.start + low == 0 or b.stop + low == n for b, low, n in zip(box_of(region), near.low, near.shape, strict=True))
