"""Bone on CT without learning: the body first, then what is bright in it, with its marrow, without its canal and bright vessels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadCase
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.bone.body import body_mask
from onclair.science.bone.canal import canal_region
from onclair.science.bone.planes import Region, closed, holes, slabs, turned, turned_back, upright, voxels_of
from onclair.science.bone.vessels import smooth_pools

#: Trabecular bone, smoothed over 0.7 mm, lies above the first; some cortex of every bone above the second.
TRABECULAR_HU, CORTEX_HU = 150.0, 300.0
SMOOTHING_MM = 0.7
#: Smaller pieces are plaques, stones and noise.
LEAST_PIECE_ML = 0.3
#: Gaps in a bone's surface that are closed for good, and those bridged only to see what bone encloses.
CLOSING_MM, BRIDGING_MM = 3.0, 8.0
#: What bone encloses in a slice is marrow, unless it is larger (a chest, a skull) or holds air.
MOST_MARROW_MM2, LEAST_MARROW_HU = 3000.0, -150.0
#: Enclosed marrow is taken to go on through so much of a gap along the body.
ALONG_MM = 10.0


def bone_mask(hu: npt.NDArray[Any], affine: Affine) -> npt.NDArray[np.bool_]:
    """Return bone with its marrow, found without learning.

    Within the body, what is brighter than 150 HU after slight smoothing and hangs together with cortex (300 HU) in pieces of 0.3 ml
    or more; without smooth bright vessels; gaps of 6 mm in its surface closed, what it then encloses in an axial slice filled;
    without the spinal canal. Discs between osteophytes are filled with the rest.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm; its axes may stand in any order.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
        Empty where no bone was found; whether that is an error is for the caller to say.

    Raises
    ------
    BadCase
        For another number of axes.

    Examples
    --------
    A shaft with marrow, 24 mm across, in a thigh:

    >>> x, y = np.meshgrid(np.arange(-60, 60, 2.0), np.arange(-60, 60, 2.0), indexing="ij")
    >>> r = np.hypot(x, y)
    >>> plane = np.select([r < 6, r < 12, r < 50], [-40.0, 1200.0, 40.0], -1000.0)
    >>> bone = bone_mask(np.repeat(plane[:, :, None], 8, axis=2), np.diag([2.0, 2.0, 4.0, 1.0]))
    >>> bool(bone[30, 30, 4]), bool(bone[r > 16].any())
    (True, False)
    """
    if hu.ndim != 3:
        raise BadCase(f"The CT has the shape {hu.shape}; it must have three axes (x, y, z).")
    order, flips = upright(affine)
    spacing = tuple(spacing_mm(affine)[axis] for axis in order)
    volume, body = turned(hu, order, flips), turned(body_mask(hu, affine), order, flips)
    pools = smooth_pools(volume, spacing, body)
    dense = _pieces(_bright(volume, spacing, body) & ~pools, volume, spacing)
    found = _filled(dense, volume, spacing, pools)
    found &= body
    found &= ~canal_region(volume, spacing, dense, found)
    return np.ascontiguousarray(turned_back(found, order, flips))


def _bright(volume: npt.NDArray[Any], spacing: tuple[float, ...], body: Region) -> Region:
    """Return what is brighter than trabecular bone, smoothed in the axial plane."""
    out = np.zeros(volume.shape, bool)
    sigma = tuple(SMOOTHING_MM / s for s in spacing[:2])
    for k in range(volume.shape[2]):
        if body[:, :, k].any():
            out[:, :, k] = (ndimage.gaussian_filter(volume[:, :, k].astype(np.float32), sigma) > TRABECULAR_HU) & body[:, :, k]
    return out


def _pieces(bright: Region, volume: npt.NDArray[Any], spacing: tuple[float, ...]) -> Region:
    """Return the pieces that are large enough and have cortex."""
    parts, count = ndimage.label(bright, np.ones((3, 3, 3)))
    sizes, cortex = voxels_of(parts, count), np.zeros(count + 1, np.int64)
    for k in range(volume.shape[2]):
        cortex += np.bincount(parts[:, :, k][volume[:, :, k] > CORTEX_HU], minlength=count + 1)
    voxel_ml = float(np.prod(spacing)) / 1000
    kept = (sizes * voxel_ml >= LEAST_PIECE_ML) & (cortex * voxel_ml >= LEAST_PIECE_ML / 20)
    kept[0] = False
    out = np.zeros(bright.shape, bool)
    for k in range(volume.shape[2]):
        out[:, :, k] = kept[parts[:, :, k]]
    return out


def _filled(dense: Region, volume: npt.NDArray[Any], spacing: tuple[float, ...], pools: Region) -> Region:
    """Return bone with its surface closed and its marrow filled."""
    pixel = float(np.mean(spacing[:2]))
    small, wide = (max(1, round(gap / pixel)) for gap in (CLOSING_MM, BRIDGING_MM))
    most = MOST_MARROW_MM2 / pixel**2
    surface, marrow = np.zeros(dense.shape, bool), np.zeros(dense.shape, bool)
    for _, write, _ in slabs(dense.shape[2]):
        part = dense[:, :, write]
        if not part.any():
            continue
        accept = _no_air(volume[:, :, write])
        surface[:, :, write] = closed(part, small)
        for bridged in (surface[:, :, write], closed(part, wide)):
            marrow[:, :, write] |= holes(bridged, most, accept=accept)
    surface &= ~pools
    surface |= marrow
    return _through(surface, max(1, round(ALONG_MM / spacing[2] / 2)), pools)


def _through(filled: Region, slices: int, pools: Region) -> Region:
    """Return bone with gaps along the body closed where the same column is bone within `slices` slices above and below."""
    below, above = np.zeros_like(filled), np.zeros_like(filled)
    for step in range(1, slices + 1):
        below[:, :, step:] |= filled[:, :, :-step]
        above[:, :, :-step] |= filled[:, :, step:]
    below &= above
    below &= ~pools
    below |= filled
    return below


def _no_air(volume: npt.NDArray[Any]) -> Any:
    def accept(k: int, parts: npt.NDArray[Any], count: int) -> Region:
        sums = np.bincount(parts.ravel(), weights=volume[:, :, k].ravel().astype(np.float64), minlength=count + 1)
        counts = np.maximum(np.bincount(parts.ravel(), minlength=count + 1), 1)
        return np.asarray(sums / counts > LEAST_MARROW_HU, dtype=np.bool_)

    return accept
