"""Which part of a bone a place lies in: body, pedicle or posterior of a vertebra; head, neck, trochanters or shaft of a femur."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.geometry import Affine, spacing_mm
from onclair.science.bone.planes import turned, turned_back, upright
from onclair.science.volumes.components import box_of

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Region = npt.NDArray[np.bool_]

VERTEBRA_PARTS = ("body", "pedicle", "posterior")
FEMUR_PARTS = ("head", "neck", "trochanters", "shaft")
#: A pedicle reaches no farther to the side of the canal than this; beyond lie the transverse processes.
PEDICLE_MM = 12.0
#: A canal's hole in a vertebra seen from above is no smaller.
LEAST_CANAL_MM2 = 60.0
#: The head reaches a tenth beyond the largest sphere in it; the neck ends where its axis comes within this many radii of the shaft's.
_HEAD, _NECK = 1.1, 0.75
#: Neck-shaft angle of 125 degrees: the neck's axis falls by tan(35 degrees) a mm on its way to the shaft.
_FALL = float(np.tan(np.radians(35.0)))
#: The trochanters reach so many radii of the head below where neck and shaft meet.
_TROCHANTERS = 1.75
#: The head lies so near the upper end; no adult's is smaller than the second number; less shaft gives no axis.
_UPPER_MM, _LEAST_HEAD_MM, _LEAST_SHAFT_MM = 60.0, 10.0, 30.0


def parts_of(bone: Region, affine: Affine, name: str) -> tuple[Codes, tuple[str, ...]]:
    """Return the parts of one bone as codes, and their names; code ``i + 1`` is the ``i``-th name.

    A vertebra is divided by its canal, seen from above as the hole in it: in front of the hole lies the body, beside its front half
    (within 12 mm) the pedicles, the rest is posterior. A femur is divided by the largest sphere in its upper end, the head, and the
    line of its shaft; angles and proportions are those of an average adult (neck-shaft angle 125 degrees).

    Parameters
    ----------
    bone : ndarray of bool, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    name : str
        ``"vertebra"`` or ``"femur"``; any other bone has no parts.

    Returns
    -------
    codes : ndarray, uint8, shape (x, y, z)
        All 0 where the parts cannot be told: another bone, no canal in view, a femur without its head or with too little shaft.
    names : tuple of str

    Examples
    --------
    A body of 30 x 26 mm, an arch around a canal of 16 x 14 mm, and a process:

    >>> bone = np.zeros((60, 80, 6), bool); bone[15:45, 10:56] = True; bone[22:38, 38:52] = False; bone[28:32, 56:75] = True
    >>> codes, names = parts_of(bone, np.eye(4), "vertebra")
    >>> [names[codes[place] - 1] for place in ((30, 20, 3), (18, 40, 3), (30, 70, 3))]
    ['body', 'pedicle', 'posterior']
    """
    names = {"vertebra": VERTEBRA_PARTS, "femur": FEMUR_PARTS}.get(name, ())
    out = np.zeros(bone.shape, np.uint8)
    box = box_of(bone)
    if not names or not bone[box].size:
        return out, names
    order, flips = upright(affine)
    volume = turned(bone[box], order, flips)
    spacing = np.array([spacing_mm(affine)[axis] for axis in order])
    codes = _vertebra(volume, spacing) if name == "vertebra" else _femur(volume, spacing)
    if codes is not None:
        out[box] = turned_back(codes, order, flips)
    return out, names


def part_at(codes: Codes, names: tuple[str, ...], region: Region) -> str | None:
    """Return the part that holds most of a region, or the one nearest to it within the bone's box; None where parts are not known.

    Examples
    --------
    >>> codes = np.array([1, 1, 2], np.uint8).reshape(3, 1, 1)
    >>> part_at(codes, ("body", "pedicle"), np.array([True, True, True]).reshape(3, 1, 1))
    'body'
    """
    held = codes[region]
    held = held[held > 0]
    if held.size:
        return names[int(np.bincount(held).argmax()) - 1]
    known = np.argwhere(codes)
    if not len(known):
        return None
    middle = np.argwhere(region).mean(axis=0)
    nearest = known[np.argmin(((known - middle) ** 2).sum(axis=1))]
    return names[int(codes[tuple(nearest)]) - 1]


def _vertebra(volume: Region, spacing: Floats) -> Codes | None:
    hole = _canal(volume, float(spacing[0] * spacing[1]))
    if hole is None:
        return None
    across, along = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    front, middle = along[0], (along[0] + along[-1]) / 2
    reach = PEDICLE_MM / spacing[0]
    x, y = np.arange(volume.shape[0])[:, None, None], np.arange(volume.shape[1])[None, :, None]
    pedicle = (y >= front) & (y <= middle) & (x >= across[0] - reach) & (x <= across[-1] + reach)
    codes = np.where(y < front, 1, np.where(pedicle, 2, 3))
    return np.where(volume, codes, 0).astype(np.uint8)


def _canal(volume: Region, pixel_mm2: float) -> Region | None:
    """Return the canal seen from above: the largest hole of the whole vertebra; where its arch is open so, that of one slice."""
    for planes in ((volume.any(axis=2),), np.moveaxis(volume, 2, 0)):
        holes = [_largest_hole(np.asarray(plane, dtype=np.bool_)) for plane in planes]
        best = max(holes, key=lambda hole: int(hole.sum()))
        if best.sum() * pixel_mm2 >= LEAST_CANAL_MM2:
            return best
    return None


def _largest_hole(plane: Region) -> Region:
    parts, count = ndimage.label(np.pad(~plane, 1, constant_values=True))
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[[0, int(parts[0, 0])]] = 0
    number = int(sizes.argmax())
    return np.asarray((parts == number)[1:-1, 1:-1] & (sizes[number] > 0), dtype=np.bool_)


def _femur(volume: Region, spacing: Floats) -> Codes | None:
    depth = ndimage.distance_transform_edt(np.pad(volume, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    heights = np.arange(volume.shape[2]) * spacing[2]
    depth[:, :, heights <= heights[-1] - _UPPER_MM] = 0
    at = np.unravel_index(int(depth.argmax()), depth.shape)
    radius, head = float(depth[at]), np.array([float(i) for i in at]) * spacing
    line = _shaft(volume, spacing, head[2] - 3 * radius)
    if radius < _LEAST_HEAD_MM or line is None:
        return None
    return _femur_codes(volume, spacing, (head, radius), line)


def _femur_codes(volume: Region, spacing: Floats, sphere: tuple[Floats, float], line: tuple[Floats, Floats]) -> Codes:
    (head, radius), (centre, slope) = sphere, line
    axis = centre + slope * (head[2] - centre[2])
    meeting = np.array([axis[0], axis[1], head[2] - _FALL * float(np.hypot(*(axis - head)[:2]))])
    length = float(np.linalg.norm(meeting - head))
    neck = (meeting - head) / length
    x, y, z = (
        (np.arange(n) * s - h).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        for axis, (n, s, h) in enumerate(zip(volume.shape, spacing, head, strict=True))
    )
    along = neck[0] * x + neck[1] * y + neck[2] * z
    from_head = np.sqrt(x * x + y * y + z * z)
    level = z - (meeting[2] - head[2])
    codes = np.where(level > -_TROCHANTERS * radius, 3, 4) * np.ones(volume.shape, np.uint8)
    codes = np.where((along < length - _NECK * radius) & (level > -0.5 * radius), 2, codes)
    codes = np.where((from_head <= _HEAD * radius) | ((along < 0.5 * radius) & (from_head <= 1.5 * radius)), 1, codes)
    return np.where(volume, codes, 0).astype(np.uint8)


def _shaft(volume: Region, spacing: Floats, below_mm: float) -> tuple[Floats, Floats] | None:
    """Return a point of the shaft's axis and its slope a mm of height, from the centres of the slices below the head."""
    heights, centres = [], []
    for k in range(volume.shape[2]):
        if k * spacing[2] <= below_mm and volume[:, :, k].any():
            heights.append(k * spacing[2])
            centres.append(np.argwhere(volume[:, :, k]).mean(axis=0) * spacing[:2])
    if not heights or heights[-1] - heights[0] < _LEAST_SHAFT_MM:
        return None
    middle = float(np.mean(heights))
    fit = np.polynomial.polynomial.polyfit(np.array(heights) - middle, np.array(centres), 1)
    return np.array([*fit[0], middle]), np.array([*fit[1], 1.0])
