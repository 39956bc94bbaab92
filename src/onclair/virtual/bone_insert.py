"""Virtual lesions in real bone: put into a scan through its own kernel and noise, nothing changed beyond three voxels of a lesion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase, BadSetting
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.bone.labels import Bone, Scheme
from onclair.science.volumes.components import box_of
from onclair.science.volumes.diameters import equivalent_diameter_mm, slice_axis
from onclair.virtual.bone_anatomy import Floats, Vector, filled
from onclair.virtual.bone_growths import Growth, content_hu, soft_share
from onclair.virtual.bone_lesions import TYPES, grown_at
from onclair.virtual.bone_measured import Measured, measured
from onclair.virtual.bone_tissue import FAT_HU

#: What may be asked for; ``any`` draws from the prior.
Asked = Literal["any", "lytic", "blastic", "mixed", "occult"]
#: Of each lesion, at least this much lies in the labelled bone.
IN_BONE = 0.8
#: No voxel is changed farther than this from a lesion, in voxels.
REACH_VOXELS = 3.0
#: Cells to a voxel's side; attempts at one lesion; voxels between two lesions.
_CELLS, _ATTEMPTS, _APART = 3, 80, 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be put in.

    Attributes
    ----------
    count : int
    type : {"any", "lytic", "blastic", "mixed", "occult"}
    diameter_mm : tuple of float
        Least and largest equivalent diameter.

    Raises
    ------
    BadSetting
        For fewer than one lesion, or diameters out of order or outside 3 to 60 mm.
    """

    count: int = 1
    type: Asked = "any"
    diameter_mm: tuple[float, float] = (6.0, 25.0)

    def __post_init__(self) -> None:
        low, high = self.diameter_mm
        if self.count < 1:
            raise BadSetting(f"{self.count} lesions were asked for; at least one is needed.", item="n")
        if not 3.0 <= low <= high <= 60.0:
            raise BadSetting(f"The diameters go from {low:g} to {high:g} mm; they must ascend within 3 to 60 mm.", item="diameter")


@dataclass(frozen=True, slots=True, eq=False)
class Inserted:
    """A scan with virtual lesions.

    Attributes
    ----------
    hu : ndarray, int16, shape (x, y, z)
    lesions : ndarray, uint8, same shape
        1, 2, ... as in `rows`.
    rows : tuple of dict
        One a lesion, keys as in ``truth.csv``.
    scanner : Measured
        What the scan said of its kernel and noise.
    """

    hu: npt.NDArray[np.int16]
    lesions: npt.NDArray[np.uint8]
    rows: tuple[dict[str, Any], ...]
    scanner: Measured


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    bone: Bone
    box: tuple[slice, slice, slice]
    depth_mm: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """A lesion on the voxels of a box: what it fills, its weight, and what it shall be there."""

    growth: Growth
    bone: Bone
    cut: tuple[slice, slice, slice]
    inside: npt.NDArray[np.bool_]
    weight: Floats
    hu: Floats
    in_bone: float


def insert(
    hu: npt.NDArray[Any], affine: Affine, labels: npt.NDArray[Any], scheme: Scheme, *, wish: Wish, rng: np.random.Generator
) -> Inserted:
    """Put virtual lesions into bones of a real scan.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm; slices lie along the axis that is nearest to the patient's.
    labels : ndarray of int, same shape
        Bones on the same grid; lesion-free ones: whatever is in them already stays.
    scheme : Scheme
        What the labels mean.
    wish : Wish
    rng : numpy Generator

    Returns
    -------
    Inserted

    Raises
    ------
    BadCase
        For labels without a bone of the scheme, bones too small for the least diameter, or no room for as many lesions.

    Notes
    -----
    Within a lesion the scan gives way to its content, blurred by the scan's point spread, and as much noise is added as gave way with it,
    of the scan's own spectrum, so that neither sharpness nor noise tells where it is.
    """
    axis = slice_axis(affine)
    order = [*(a for a in range(3) if a != axis), axis]
    done = _inserted(np.transpose(hu, order), affine[:, [*order, 3]], np.transpose(labels, order), scheme, wish, rng)
    back = np.argsort(order)
    return replace(done, hu=np.transpose(done.hu, back), lesions=np.transpose(done.lesions, back))


def _inserted(
    hu: npt.NDArray[Any], affine: Affine, labels: npt.NDArray[Any], scheme: Scheme, wish: Wish, rng: np.random.Generator
) -> Inserted:
    """Put lesions into a scan whose slices lie along its last axis."""
    scanner = measured(hu, affine)
    step = spacing_mm(affine)
    sites = _sites(labels, scheme, step, wish)
    image, lesions = np.asarray(hu, np.float32).copy(), np.zeros(hu.shape, np.uint8)
    rows: list[dict[str, Any]] = []
    for number in range(1, wish.count + 1):
        drawn = _drawn(image, affine, labels, (sites, lesions), wish, rng)
        if drawn is None:
            had = f"only {number - 1} of {wish.count} lesions of {wish.diameter_mm[0]:g} to {wish.diameter_mm[1]:g} mm found room"
            raise BadCase(f"In the labelled bones {had}; ask for fewer or smaller ones, or label more bones.", item="labels")
        _painted(image, lesions, drawn, number, (scanner, step), rng)
        rows.append(_row(image, affine, drawn, number))
    changed = np.asarray(hu).astype(np.int16)
    near = image != np.asarray(hu, np.float32)
    changed[near] = np.clip(np.rint(image[near]), -1024, 3071).astype(np.int16)
    return Inserted(changed, lesions, tuple(rows), scanner)


def _sites(labels: npt.NDArray[Any], scheme: Scheme, step: Vector, wish: Wish) -> tuple[_Site, ...]:
    """Return the bones that a lesion fits in, each with the depth of its voxels."""
    there = [(int(value), scheme.bones[int(value)]) for value in np.unique(labels) if int(value) in scheme.bones]
    if not there:
        raise BadCase(f"The labels hold no bone of the scheme {scheme.name}; give the scheme that they were made with.", item="labels")
    found, deepest = [], (0.0, "")
    for value, bone in there:
        box = box_of(labels == value, margin=2)
        depth = ndimage.distance_transform_edt(np.pad(labels[box] == value, 1), sampling=step)[1:-1, 1:-1, 1:-1]
        deepest = max(deepest, (float(depth.max()), bone.title))
        if 2.0 * float(depth.max()) >= 0.8 * wish.diameter_mm[0]:
            found.append(_Site(bone, box, depth))
    if not found:
        told = f"the roomiest, {deepest[1]}, is {2 * deepest[0]:.1f} mm across"
        raise BadCase(f"No labelled bone holds a lesion of {wish.diameter_mm[0]:g} mm: {told}; ask for smaller ones.", item="labels")
    return tuple(found)


def _drawn(
    image: Floats,
    affine: Affine,
    labels: npt.NDArray[Any],
    taken: tuple[Sequence[_Site], npt.NDArray[np.uint8]],
    wish: Wish,
    rng: np.random.Generator,
) -> _Drawn | None:
    """Return a lesion that fits, or nothing after so many attempts; a later attempt is no larger than half the range allows."""
    sites, lesions = taken
    low, high = wish.diameter_mm
    weights = np.array([np.cbrt((site.depth_mm > 0).sum()) for site in sites])
    shares = TYPES["usual"]
    for attempt in range(_ATTEMPTS):
        site = sites[int(rng.choice(len(sites), p=weights / weights.sum()))]
        most = min(high, (2.6 if attempt < _ATTEMPTS // 2 else 1.6) * float(site.depth_mm.max()))
        size = float(np.exp(rng.uniform(np.log(low), np.log(max(most, low)))))
        kind = wish.type if wish.type != "any" else str(rng.choice(list(shares), p=list(shares.values())))
        deep = np.argwhere(site.depth_mm >= min(0.4 * size, 0.85 * float(site.depth_mm.max())))
        place = deep[int(rng.integers(len(deep)))]
        at = np.array([s.start for s in site.box]) + place + rng.uniform(-0.5, 0.5, 3)
        if _taken(lesions, at, 0.4 * size, affine):
            continue
        x, y, z = (float(v) for v in affine[:3, :3] @ at + affine[:3, 3])
        growth = grown_at(kind, ((x, y, z), float(site.depth_mm[tuple(place)])), size, site.bone.value, rng)
        found = _laid(image, affine, labels, site.bone, growth)
        if found is not None and _fits(found, lesions, affine, wish):
            return found
    return None


def _taken(lesions: npt.NDArray[np.uint8], at: npt.NDArray[np.float64], reach_mm: float, affine: Affine) -> bool:
    """Return whether another lesion lies within a reach, so that nobody need draw this one."""
    ends = [(int(max(0, c - reach_mm / s)), int(c + reach_mm / s) + 1) for c, s in zip(at, spacing_mm(affine), strict=True)]
    return bool(lesions[tuple(slice(*end) for end in ends)].any())


def _fits(drawn: _Drawn, lesions: npt.NDArray[np.uint8], affine: Affine, wish: Wish) -> bool:
    box = zip(drawn.cut, box_of(drawn.inside), strict=True)
    around = tuple(slice(max(0, c.start + b.start - _APART), c.start + b.stop + _APART) for c, b in box)
    size = _diameter(drawn, affine)
    return drawn.in_bone >= IN_BONE and not lesions[around].any() and wish.diameter_mm[0] <= size <= wish.diameter_mm[1]


def _laid(image: Floats, affine: Affine, labels: npt.NDArray[Any], bone: Bone, growth: Growth) -> _Drawn | None:
    """Return a lesion on the voxels about it, from cells a third of a voxel wide in plane."""
    ends = np.array(growth.box())
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    index = (corners - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
    low = np.maximum(np.floor(index.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 2, image.shape)
    cut = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
    own, hu = labels[cut] == bone.value, image[cut]
    allowed = _allowed(own, hu, growth)
    shares = [_sampled(affine, low, high, (i, j), growth, hu) for i in range(_CELLS) for j in range(_CELLS)]
    inside, weight, target = (np.mean([share[n] for share in shares], axis=0, dtype=np.float32) for n in range(3))
    mask = (inside > 0.5) & allowed
    rims = (mask[0], mask[-1], mask[:, 0], mask[:, -1], mask[:, :, 0], mask[:, :, -1])
    if not mask.any() or any(rim.any() for rim in rims):  # cut by the scan's border
        return None
    return _Drawn(
        growth, bone, cut, mask, np.asarray(weight * allowed, np.float32), np.asarray(target), float((mask & own).sum() / mask.sum())
    )


def _allowed(own: npt.NDArray[np.bool_], hu: Floats, growth: Growth) -> npt.NDArray[np.bool_]:
    """Return the voxels that a lesion may take: the bone without its outermost layer, or, where it breaches, a little beyond the bone."""
    if growth.breach:
        return np.asarray(ndimage.binary_dilation(own, iterations=2) & (hu > FAT_HU - 60.0))
    core = ndimage.binary_erosion(own, ndimage.generate_binary_structure(3, 1)[:, :, 1:2])
    return np.asarray(core if core.any() else own)


def _sampled(
    affine: Affine, low: npt.NDArray[np.int_], high: npt.NDArray[np.int_], cell: tuple[int, int], growth: Growth, hu: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return, at one cell of every voxel, how much lies inside, the weight, and the HU that the lesion has there."""
    shift = ((cell[0] + 0.5) / _CELLS - 0.5, (cell[1] + 0.5) / _CELLS - 0.5, 0.0)
    i, j, k = (np.arange(lo, hi, dtype=np.float64) + s for lo, hi, s in zip(low, high, shift, strict=True))
    rows = [
        affine[a, 0] * i[:, None, None] + affine[a, 1] * j[None, :, None] + affine[a, 2] * k[None, None, :] + affine[a, 3] for a in range(3)
    ]
    points = tuple(row.astype(np.float32) for row in rows)
    distance = growth.shape.distance((points[0], points[1], points[2]))
    cell_mm = float(np.mean(spacing_mm(affine))) / _CELLS
    weight = growth.content.weight * soft_share(distance, growth.content.edge_mm, cell_mm)
    return (
        filled(distance, cell_mm),
        np.asarray(weight, np.float32),
        content_hu(growth.content, (points[0], points[1], points[2]), hu, distance),
    )


def _painted(
    image: Floats,
    lesions: npt.NDArray[np.uint8],
    drawn: _Drawn,
    number: int,
    by: tuple[Measured, Vector],
    rng: np.random.Generator,
) -> None:
    """Put a lesion into the image, which is this room's own copy, and its number into the map."""
    scanner, step = by
    cut = tuple(slice(max(0, c.start - 4), min(n, c.stop + 4)) for c, n in zip(drawn.cut, image.shape, strict=True))
    margins = [(c.start - wide.start, wide.stop - c.stop) for c, wide in zip(drawn.cut, cut, strict=True)]
    inside, weight, hu = (np.pad(values, margins) for values in (drawn.inside, drawn.weight, drawn.weight * drawn.hu))
    sigma = (scanner.sigma_mm / step[0], scanner.sigma_mm / step[1], 0.4)
    near = np.clip(REACH_VOXELS - ndimage.distance_transform_edt(~inside), 0.0, 1.0)
    weight, hu = (np.asarray(ndimage.gaussian_filter(values, sigma, truncate=3.0) * near, np.float32) for values in (weight, hu))
    here = image[cut]
    noise = scanner.noise((here.shape[0], here.shape[1], here.shape[2]), (step[0], step[1]), rng)
    lost = np.sqrt(np.clip(1.0 - np.square(1.0 - weight), 0.0, 1.0))
    changed = weight > 1e-4
    here[changed] = ((1.0 - weight) * here + hu + lost * noise)[changed]
    lesions[cut][inside] = number


def _row(image: Floats, affine: Affine, drawn: _Drawn, number: int) -> dict[str, Any]:
    where = np.argwhere(drawn.inside)
    centre = affine[:3, :3] @ (where.mean(axis=0) + [c.start for c in drawn.cut]) + affine[:3, 3]
    low, high = where.min(axis=0), where.max(axis=0) + 1
    box = image[drawn.cut][low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    x, y, z = (round(float(v), 2) for v in centre)
    return {
        "lesion": number,
        "kind": drawn.growth.kind,
        "type": drawn.growth.type,
        "bone": drawn.bone.name,
        "level": drawn.bone.level,
        "side": drawn.bone.side,
        "is_metastasis": 1,
        "x_mm": x,
        "y_mm": y,
        "z_mm": z,
        "diameter_mm": round(_diameter(drawn, affine), 2),
        "volume_ml": round(_volume_ml(drawn, affine), 4),
        "box_median_hu": float(np.median(np.rint(box))),
        "cortical_breach": int(drawn.growth.breach and drawn.in_bone < 1.0),
        "in_bone": round(drawn.in_bone, 4),
    }


def _volume_ml(drawn: _Drawn, affine: Affine) -> float:
    return float(drawn.inside.sum() * np.prod(spacing_mm(affine)) / 1000.0)


def _diameter(drawn: _Drawn, affine: Affine) -> float:
    return equivalent_diameter_mm(_volume_ml(drawn, affine))
