"""What is as bright as bone and is none: blood and fluid with contrast, known by being smooth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.science.bone.planes import Region, slabs, voxels_of, widened

#: What is smooth and brighter than this may be blood with contrast; what is denser than the second is rather blastic bone.
LEAST_HU, MOST_HU = 100.0, 450.0
WINDOW_MM = 7.0
#: How many times the noise of soft tissue a smooth region may vary.
TIMES_NOISE = 2.2
#: A smooth core must hold this much, so that a patch of marrow is none.
LEAST_ML = 0.75
#: How far a core reaches beyond where the window still lay inside it.
RIM_MM = 5.0
_SOFT_HU = (20.0, 90.0)
#: A vessel lies in what is darker than it by this; marrow in what is brighter.
_STEP_HU = 60.0
#: Least share of its surroundings that is darker, and how many times as much as is brighter (a wall may be calcified).
_DARKER, _TIMES_BRIGHTER = 0.3, 2.0


def smooth_pools(volume: npt.NDArray[Any], spacing: tuple[float, ...], body: Region) -> Region:
    """Return where blood, urine or bowel is bright with contrast, with its rim.

    A window of 7 mm that varies no more than 2.2 times the noise of the same scan's soft tissue has no trabeculae and no cortex in
    it. Such cores of 0.75 ml or more are widened by 5 mm into what is no brighter than they are. Smooth marrow is told from them by what
    lies around: cortex is brighter, while about a vessel at least three tenths are darker, and twice as much as is brighter.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z), HU
        Upright.
    spacing : tuple of float
        In mm, of the upright axes.
    body : ndarray of bool, shape (x, y, z)

    Returns
    -------
    ndarray of bool, shape (x, y, z)

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> scan = 50 + 10 * rng.standard_normal((40, 40, 20)); scan[10:25, 10:25] += 150
    >>> pools = smooth_pools(scan, (1.0, 1.0, 1.0), np.ones(scan.shape, bool))
    >>> bool(pools[17, 17, 10]), bool(pools[34, 34, 10])
    (True, False)
    """
    window = tuple(max(3, 2 * int(WINDOW_MM / s / 2 + 0.25) + 1) if s < WINDOW_MM / 2 else 3 for s in spacing)
    noise = _noise(volume, body, window)
    flat = np.zeros(volume.shape, bool)
    if noise is None:
        return flat
    for read, write, inner in slabs(volume.shape[2], halo=window[2] // 2):
        if body[:, :, write].any():
            mean, deviation = _moments(volume[:, :, read], window)
            smooth = (mean > LEAST_HU) & (mean < MOST_HU) & (deviation < TIMES_NOISE * noise)
            flat[:, :, write] = smooth[:, :, inner] & body[:, :, write]
    return _with_rims(flat, volume, spacing, noise)


def _with_rims(flat: Region, volume: npt.NDArray[Any], spacing: tuple[float, ...], noise: float) -> Region:
    parts, count = ndimage.label(flat)
    least = LEAST_ML * 1000 / float(np.prod(spacing))
    sizes = voxels_of(parts, count)
    steps = max(1, round(RIM_MM / float(np.mean(spacing[:2]))))
    out = np.zeros(flat.shape, bool)
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        if box is None or sizes[number] < least:
            continue
        wide = tuple(slice(max(b.start - m, 0), b.stop + m) for b, m in zip(box, (steps, steps, 1), strict=True))
        core, values = parts[wide] == number, volume[wide]
        reach = widened(core, steps)
        if not _lies_in_soft(values, core, reach):
            continue
        top = float(np.percentile(values[core], 95)) + 2 * noise
        reach[:, :, 1:] |= reach[:, :, :-1] & ~core[:, :, 1:]
        out[wide] |= reach & (values < top)
    return out


def _lies_in_soft(values: npt.NDArray[Any], core: Region, reach: Region) -> bool:
    """Return whether what surrounds a smooth core is mostly darker than it."""
    around, middle = values[reach & ~core], float(np.median(values[core]))
    darker, brighter = float((around < middle - _STEP_HU).mean()), float((around > middle + _STEP_HU).mean())
    return darker >= _DARKER and darker >= _TIMES_BRIGHTER * brighter


def _noise(volume: npt.NDArray[Any], body: Region, window: tuple[int, ...]) -> float | None:
    """Return how much a window of soft tissue varies, the median over windows of a few slabs; None where there is none."""
    found = []
    depth = volume.shape[2]
    for k in np.unique(np.linspace(0, max(depth - window[2], 0), 8).astype(int)):
        mean, deviation = _moments(volume[:, :, k : k + window[2]], window)
        middle = min(window[2] // 2, mean.shape[2] - 1)
        soft = (mean > _SOFT_HU[0]) & (mean < _SOFT_HU[1]) & body[:, :, k : k + window[2]]
        found.append(deviation[:, :, middle][soft[:, :, middle]])
    every = np.concatenate(found)
    return float(np.median(every)) if every.size >= 100 else None


def _moments(volume: npt.NDArray[Any], window: tuple[int, ...]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the mean and the standard deviation of the window about each voxel."""
    values = np.clip(volume, -1024, 3071).astype(np.float32)
    mean = ndimage.uniform_filter(values, window)
    square = ndimage.uniform_filter(values * values, window)
    return mean, np.sqrt(np.maximum(square - mean * mean, 0.0))
