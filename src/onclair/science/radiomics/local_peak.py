"""Local intensity (IBSI family ``loc``, 2 values): the highest mean within a sphere of one cubic centimetre.

IBSI manual, arXiv:1612.07003, section 3.2; the global peak is what PET calls SUVpeak.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.radiomics.features import Features, named
from onclair.science.radiomics.roi import Box, Roi

PEAK_TAGS = ("loc_peak_loc", "loc_peak_glob")
#: Radius in mm of a sphere of 1 cm3: 6.2035.
PEAK_RADIUS_MM = 10 * (3 / (4 * math.pi)) ** (1 / 3)

Volume = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]


def local_peak(roi: Roi) -> Features:
    """Return the local and the global peak of a region.

    Parameters
    ----------
    roi : Roi
        Spheres are centred on the voxels of its intensity mask. Voxels of its image outside the outline count too, those outside
        the image or not finite don't.

    Returns
    -------
    Features
        ``loc_peak_loc``, the mean in the sphere around the brightest voxel (of several equally bright ones, the highest such
        mean), and ``loc_peak_glob``, the highest mean of all.

    References
    ----------
    Wahl et al., J Nucl Med 2009;50 Suppl 1:122S-150S, doi:10.2967/jnumed.108.057307.

    Examples
    --------
    Voxels of 6.3 mm: no neighbour's centre is within 6.2 mm, so that each sphere holds its own voxel alone.

    >>> from onclair.science.radiomics.roi import prepared
    >>> a = np.array([1.0, 5.0, 2.0]).reshape(3, 1, 1)
    >>> local_peak(prepared(a, a > 0, (6.3, 6.3, 6.3))).values
    {'loc_peak_loc': 5.0, 'loc_peak_glob': 5.0}
    """
    rows, halves = _sphere(roi.spacing_mm)
    around, inside = _surroundings(roi.image.shape, roi.box, rows, halves)
    image = roi.image[around]
    finite = np.isfinite(image)
    values = np.where(finite, image, 0.0).astype(np.float64)
    scale = float(np.abs(values).max()) or 1.0
    values /= scale
    filled = roi.kept.any(axis=0)
    lines = np.argwhere(filled) + [side.start for side in inside[1:]]
    means = _means(_running(values, np.float64), _running(finite, np.int32), lines, rows, halves)[:, inside[0]] * scale
    peaks = means[roi.kept.transpose(1, 2, 0)[filled]]
    brightest = (roi.array == roi.values.max()).transpose(1, 2, 0)[filled][roi.kept.transpose(1, 2, 0)[filled]]
    return named("", dict(zip(PEAK_TAGS, (peaks[brightest].max(), peaks.max()), strict=True)), {})


def _sphere(spacing: tuple[float, float, float]) -> tuple[Index, Index]:
    """Return the rows (dy, dz) of voxels along x that a sphere meets, and how many voxels it takes to either side of each."""
    reach = [math.floor(PEAK_RADIUS_MM / step * (1 + 1e-12)) for step in spacing]
    rows, halves = [], []
    for dy in range(-reach[1], reach[1] + 1):
        for dz in range(-reach[2], reach[2] + 1):
            left = PEAK_RADIUS_MM**2 - (dy * spacing[1]) ** 2 - (dz * spacing[2]) ** 2
            if left >= 0:
                rows.append((dy, dz))
                halves.append(math.floor(math.sqrt(left) / spacing[0] * (1 + 1e-12)))
    return np.array(rows, dtype=np.int64), np.array(halves, dtype=np.int64)


def _surroundings(shape: tuple[int, ...], box: Box, rows: Index, halves: Index) -> tuple[Box, Box]:
    """Return the part of the image that the spheres reach, and where in it the region's box lies."""
    margins = (int(halves.max()), int(np.abs(rows[:, 0]).max()), int(np.abs(rows[:, 1]).max()))
    around = [slice(max(0, side.start - m), min(n, side.stop + m)) for side, m, n in zip(box, margins, shape, strict=True)]
    inside = [slice(side.start - wide.start, side.stop - wide.start) for side, wide in zip(box, around, strict=True)]
    return (around[0], around[1], around[2]), (inside[0], inside[1], inside[2])


def _running(values: npt.NDArray[Any], kind: type[Any]) -> npt.NDArray[Any]:
    """Return the sums along x before each voxel, shape (z, y, x + 1)."""
    sums = np.zeros((values.shape[2], values.shape[1], values.shape[0] + 1), kind)
    np.cumsum(values.transpose(2, 1, 0), axis=2, out=sums[:, :, 1:])
    return sums


@njit(cache=True, nogil=True)
def _means(sums: Volume, counts: Counts, lines: Index, rows: Index, halves: Index) -> Volume:
    """Return the mean in the sphere around each voxel of some lines along x, shape (line, x); 0 where there is nothing in it."""
    depth, height, width = sums.shape[0], sums.shape[1], sums.shape[2] - 1
    means = np.zeros((len(lines), width))
    number = np.empty(width, np.int64)
    for line in range(len(lines)):
        total = means[line]
        number[:] = 0
        for row in range(len(rows)):
            j, k, half = lines[line, 0] + rows[row, 0], lines[line, 1] + rows[row, 1], halves[row]
            if j < 0 or j >= height or k < 0 or k >= depth:
                continue
            along, present = sums[k, j], counts[k, j]
            for x in range(width):
                low, high = max(0, x - half), min(width, x + half + 1)
                total[x] += along[high] - along[low]
                number[x] += present[high] - present[low]
        for x in range(width):
            total[x] = total[x] / number[x] if number[x] > 0 else 0.0
    return means
