"""Where the patient is: the body without the table, its cushions and what lies beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.bone.planes import Region, block_means, holes, narrowed, spread, turned, turned_back, upright, widened

#: Between fat and air; a block that a table's shell crosses may lie above it, which the opening then takes away.
BODY_HU = -350.0
BLOCK_MM = 4.0
#: What is thinner than twice this in an axial plane is no body: table shells, cables, sheets.
OPENING_MM = 8.0
#: Smaller parts are no body, unless the whole scan is small.
LEAST_PART_ML = 100.0
_MOST_HOLE_MM2 = 1e6


def body_mask(hu: npt.NDArray[Any], affine: Affine) -> npt.NDArray[np.bool_]:
    """Return where the patient is, with lungs and gas inside, and without the table.

    Blocks of about 4 mm that are denser than -350 HU on average, what is thinner than 16 mm in an axial plane taken away, holes
    filled in each axial plane, and parts of 100 ml or more kept (in a small crop, a tenth of it).

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm; its axes may stand in any order.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
        To the nearest block; empty where there is no body.

    Raises
    ------
    BadCase
        For another number of axes.

    Examples
    --------
    A cylinder 100 mm across above a table of 4 mm:

    >>> x, y = np.meshgrid(np.arange(-75, 75, 2.0), np.arange(-75, 75, 2.0), indexing="ij")
    >>> plane = np.where(x**2 + y**2 < 50**2, 30.0, np.where((y > 60) & (y < 66), 400.0, -1000.0))
    >>> body = body_mask(np.repeat(plane[:, :, None], 10, axis=2), np.diag([2.0, 2.0, 4.0, 1.0]))
    >>> bool(body[37, 37, 5]), bool(body[:, 66:].any())
    (True, False)
    """
    if hu.ndim != 3:
        raise BadCase(f"The CT has the shape {hu.shape}; it must have three axes (x, y, z).")
    order, flips = upright(affine)
    volume = turned(hu, order, flips)
    spacing = tuple(spacing_mm(affine)[axis] for axis in order)
    steps = tuple(max(1, int(BLOCK_MM / s + 0.25)) for s in spacing)
    found = _solid(_blocks(volume, (steps[0], steps[1], steps[2])) > BODY_HU, (steps[0], steps[1], steps[2]), spacing)
    return np.ascontiguousarray(turned_back(spread(found, (steps[0], steps[1], steps[2]), volume.shape), order, flips))


def midline_mm(body: Region, affine: Affine, z_mm: float) -> float | None:
    """Return the left-right coordinate of the body's middle near a height, between its flanks.

    Parameters
    ----------
    body : ndarray of bool, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    z_mm : float
        LPS z; the slices within 20 mm of it count, or the nearest one.

    Returns
    -------
    float or None
        LPS x in mm; None where there is no body.

    Examples
    --------
    >>> body = np.zeros((9, 3, 3), bool); body[2:7] = True
    >>> midline_mm(body, np.diag([2.0, 2.0, 2.0, 1.0]), 2.0)
    8.0
    """
    order, flips = upright(affine)
    volume = turned(body, order, flips)
    middle = np.array([n // 2 for n in body.shape], dtype=np.float64)
    heights = affine[2, 3] + affine[2, :3] @ middle + affine[2, order[2]] * (np.arange(body.shape[order[2]]) - middle[order[2]])
    heights = heights[:: flips[2]]
    near = np.abs(heights - z_mm) <= max(20.0, float(np.abs(heights - z_mm).min()) + 1e-6)
    profile = volume[:, :, near].sum(axis=(1, 2), dtype=np.int64)
    if not profile.any():
        return None
    parts, _ = ndimage.label(profile > 0.2 * profile.max())
    trunk = np.flatnonzero(parts == np.bincount(parts[parts > 0], weights=profile[parts > 0]).argmax())
    index = middle.copy()
    place = (trunk[0] + trunk[-1]) / 2
    index[order[0]] = place if flips[0] == 1 else volume.shape[0] - 1 - place
    return float(affine[0, :3] @ index + affine[0, 3])


def _blocks(volume: npt.NDArray[Any], steps: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Return the blocks' means, a few slices at a time."""
    deep = steps[2] * 8
    return np.concatenate([block_means(volume[:, :, k : k + deep], steps) for k in range(0, volume.shape[2], deep)], axis=2)


def _solid(dense: Region, steps: tuple[int, int, int], spacing: tuple[float, ...]) -> Region:
    edge = float(np.mean([spacing[0] * steps[0], spacing[1] * steps[1]]))
    opening = max(1, round(OPENING_MM / edge))
    core = widened(narrowed(dense, opening), opening + 1) & dense
    core |= holes(core, _MOST_HOLE_MM2 / edge**2)
    parts, count = ndimage.label(core)
    block_ml = float(np.prod([s * n for s, n in zip(spacing, steps, strict=True)])) / 1000
    least = min(LEAST_PART_ML, 0.1 * dense.size * block_ml) / block_ml
    kept = np.bincount(parts.ravel(), minlength=count + 1) >= least
    kept[0] = False
    return np.asarray(kept[parts], dtype=np.bool_)
