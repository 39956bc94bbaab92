"""The spinal canal: a tube of soft tissue behind the vertebral bodies, followed from slice to slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.science.bone.planes import Region, block_means, slabs

Floats = npt.NDArray[np.float32]

CELL_MM = 2.0
#: What cord, fluid and fat of the canal measure, on average over a cell.
_SOFT_HU = (-110.0, 120.0)
#: Shares of bone that a canal has around it, summed: in front (a body), behind (an arch, twice as telling near it), at its sides.
LEAST_SCORE = 0.95
#: How far the score of a slice is averaged along the canal.
_ALONG_MM = 20.0
#: Half axes of the largest canal, left-right and front-back.
HALF_AXES_MM = (15.0, 12.0)
#: Steepest course against the scan's axis.
_SLOPE = 0.8


def canal_region(volume: npt.NDArray[Any], spacing: tuple[float, ...], dense: Region, filled: Region) -> Region:
    """Return where the spinal canal lies within bone that was filled.

    In each slice a centre is sought with soft tissue about it, filled bone 12 to 26 mm in front, dense bone behind and at both sides; the
    course with the highest sum over all slices that bends no more than 0.8 mm a mm is the canal's. A hole of a lytic lesion has no such
    course, and the marrow of a long bone no body in front of it.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z), HU
        Upright: left, back, head.
    spacing : tuple of float
        In mm.
    dense, filled : ndarray of bool, shape (x, y, z)
        Bone by its brightness, and with everything filled that it encloses.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
        Soft voxels that hang together with the centre in its slice, within 15 mm to the sides and 12 mm to front and back.

    Examples
    --------
    A body of 30 x 26 mm with an arch behind it:

    >>> bone = np.zeros((60, 80, 6), bool); bone[15:45, 10:36] = True; bone[15:45, 36:56] = True; bone[22:38, 38:52] = False
    >>> bone[28:32, 52:75] = True
    >>> scan = np.where(bone, 400.0, 30.0); full = bone.copy(); full[22:38, 38:52] = True
    >>> canal = canal_region(scan, (1.0, 1.0, 3.0), bone, full)
    >>> int(canal[:, :, 3].sum()), bool((canal & bone).any())
    (224, False)
    """
    out = np.zeros(volume.shape, bool)
    steps = (max(1, round(CELL_MM / spacing[0])), max(1, round(CELL_MM / spacing[1])), 1)
    cell = (spacing[0] * steps[0], spacing[1] * steps[1])
    score = _scores(volume, dense, filled, steps, cell)
    if not score.size or float(score.max()) < LEAST_SCORE:
        return out
    reach = max(1, int(np.ceil(_SLOPE * spacing[2] / min(cell))))
    path = _course(score, reach)
    along = np.array([score[i, j, k] for k, (i, j) in enumerate(path)])
    smooth = ndimage.uniform_filter1d(along, max(1, 2 * round(_ALONG_MM / spacing[2] / 2) + 1), mode="nearest")
    for k in np.flatnonzero(smooth >= LEAST_SCORE):
        centre = tuple((p + 0.5) * s - 0.5 for p, s in zip(path[k], steps[:2], strict=True))
        _mark(out[:, :, k], dense[:, :, k], centre, spacing)
    return out


def _scores(volume: npt.NDArray[Any], dense: Region, filled: Region, steps: tuple[int, int, int], cell: tuple[float, float]) -> Floats:
    """Return how much each cell of each slice looks like a canal's centre, 0 where it is not soft."""
    out = []
    for read, _, _ in slabs(volume.shape[2]):
        hard, full = block_means(dense[:, :, read], steps), block_means(filled[:, :, read], steps)
        mean = block_means(np.clip(volume[:, :, read], -1024, 3071), steps)
        soft = ((mean > _SOFT_HU[0]) & (mean < _SOFT_HU[1]) & (hard < 0.5)).astype(np.float32)
        core = _box(soft, cell, (-5.0, 5.0), (-4.0, 4.0))
        front = _box(full, cell, (-6.0, 6.0), (-26.0, -12.0))
        behind = _box(hard, cell, (-4.0, 4.0), (8.0, 28.0))
        sides = np.minimum(_box(hard, cell, (-20.0, -9.0), (-8.0, 12.0)), _box(hard, cell, (9.0, 20.0), (-8.0, 12.0)))
        out.append(np.where(core >= 0.85, front + behind + sides, 0.0).astype(np.float32))
    return np.concatenate(out, axis=2) if out else np.zeros(volume.shape, np.float32)


def _box(values: Floats, cell: tuple[float, float], across: tuple[float, float], along: tuple[float, float]) -> Floats:
    """Return the mean of a box that lies off each cell by the ranges given, in mm; beyond the array counts as 0."""
    out = values
    for axis, (low, high) in enumerate((across, along)):
        first, last = round(low / cell[axis]), round(high / cell[axis])
        width = last - first + 1
        summed = ndimage.uniform_filter1d(out, width, axis=axis, mode="constant")
        shift = first + width // 2  # the filter's own centre is the cell `width // 2` after its first
        out = np.zeros_like(summed)
        n = values.shape[axis]
        if abs(shift) < n:
            to = [slice(None)] * 3
            of = [slice(None)] * 3
            to[axis], of[axis] = slice(max(-shift, 0), n - max(shift, 0)), slice(max(shift, 0), n - max(-shift, 0))
            out[tuple(to)] = summed[tuple(of)]
    return out


def _course(score: Floats, reach: int) -> list[tuple[int, int]]:
    """Return the cell of each slice on the course with the highest sum of scores."""
    size = 2 * reach + 1
    total = np.empty_like(score)
    total[:, :, 0] = score[:, :, 0]
    for k in range(1, score.shape[2]):
        total[:, :, k] = score[:, :, k] + ndimage.maximum_filter(total[:, :, k - 1], size, mode="constant", cval=-1.0)
    at = np.unravel_index(int(total[:, :, -1].argmax()), score.shape[:2])
    path = [(int(at[0]), int(at[1]))]
    for k in range(score.shape[2] - 2, -1, -1):
        i, j = path[-1]
        low = max(i - reach, 0), max(j - reach, 0)
        near = total[low[0] : i + reach + 1, low[1] : j + reach + 1, k]
        best = np.argwhere(near >= near.max() - 1e-6) + low
        nearest = best[np.abs(best - [i, j]).sum(axis=1).argmin()]
        path.append((int(nearest[0]), int(nearest[1])))
    return path[::-1]


def _mark(out: Region, dense: Region, centre: tuple[float, ...], spacing: tuple[float, ...]) -> None:
    """Set the soft pixels of one slice that hang together with the centre."""
    half = [h / s for h, s in zip(HALF_AXES_MM, spacing, strict=False)]
    box = tuple(slice(max(int(c - h), 0), min(int(c + h) + 2, n)) for c, h, n in zip(centre, half, dense.shape, strict=True))
    places = np.ogrid[box]
    ellipse = sum(((p - c) / h) ** 2 for p, c, h in zip(places, centre, half, strict=True)) <= 1
    parts, _ = ndimage.label(ellipse & ~dense[box])
    at = tuple(min(max(round(c) - b.start, 0), n - 1) for c, b, n in zip(centre, box, parts.shape, strict=True))
    number = parts[at]
    if number:
        out[box] |= parts == number
