"""The loops behind voxel maps: what one neighbourhood after another counts, as rows that the families' own formulas take.

A neighbourhood is copied into a small padded box, `local`, in which the kernels of the whole region work as they stand. Every function
over levels takes a `Scene` first, a plain tuple since compiled code takes no records, then where the centres lie in it.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.radiomics.emphases import element_sums
from onclair.science.radiomics.glrlm import _runs
from onclair.science.radiomics.neighbours import _swept, _tones
from onclair.science.radiomics.zones import _depths, _linked, _nearest

Whole: TypeAlias = npt.NDArray[np.int64]
Levels: TypeAlias = npt.NDArray[np.uint16]
Rows: TypeAlias = npt.NDArray[np.float64]

#: The region's levels (flat, padded), for each cell of the kernel its step from the centre and its place in the box, the box's size.
Scene: TypeAlias = tuple[Levels, Whole, Whole, int]
#: Statistics of a neighbourhood, and those that a histogram adds.
STATISTICS, MORE_OF_HISTOGRAM = 18, 7


@njit(cache=True, nogil=True)
def _taken(flat: Levels, centre: int, reach: Whole, places: Whole, local: Levels, inside: Whole) -> Whole:
    """Copy a neighbourhood into its box; return the places of its voxels, ascending."""
    count = 0
    for k in range(places.size):
        level = flat[centre + reach[k]]
        local[places[k]] = level
        if level != 0:
            inside[count] = places[k]
            count += 1
    return inside[:count]


@njit(cache=True, nogil=True)
def _spans(voxels: Whole) -> Whole:
    """Return ascending places as spans of those that lie side by side, which the kernels of the whole region run along."""
    spans, count = np.empty((voxels.size, 2), np.int64), 0
    for voxel in voxels:
        if count > 0 and spans[count - 1, 1] == voxel:
            spans[count - 1, 1] += 1
        else:
            spans[count] = voxel, voxel + 1
            count += 1
    return spans[:count]


@njit(cache=True, nogil=True)
def _varied(local: Levels, voxels: Whole) -> bool:
    """Return whether there are two grey levels: without them no texture is defined."""
    first = local[voxels[0]]
    for voxel in voxels:  # noqa: SIM110 - compiled
        if local[voxel] != first:
            return True
    return False


@njit(cache=True, nogil=True)
def pair_rows(scene: Scene, centres: Whole, steps: Whole, count: int) -> Rows:
    """Return the sums that co-occurrence features are made of.

    Parameters
    ----------
    scene : Scene
    centres : ndarray, int64, shape (centre,)
    steps : ndarray, int64, shape (matrix, direction)
        The directions that each matrix merges.
    count : int
        Grey levels of the whole region.

    Returns
    -------
    ndarray, float64, shape (centre, matrix, 3 + 4 count)
        As ``glcm._reduced``; zeros where there is no texture.
    """
    flat, reach, places, size = scene
    rows = np.zeros((centres.size, steps.shape[0], 3 + 4 * count))
    local, inside = np.zeros(size, np.uint16), np.empty(places.size, np.int64)
    rank, grey = np.zeros(count + 1, np.int64), np.empty(places.size, np.int64)
    for i in range(centres.size):
        voxels = _taken(flat, centres[i], reach, places, local, inside)
        if not _varied(local, voxels):
            continue
        found = 0
        for voxel in voxels:
            level = local[voxel]
            if rank[level] == 0:
                grey[found] = level
                found += 1
                rank[level] = found
        for m in range(steps.shape[0]):
            table = np.zeros((found, found), np.int64)
            for step in steps[m]:
                for voxel in voxels:
                    other = local[voxel + step]
                    if other != 0:
                        table[rank[local[voxel]] - 1, rank[other] - 1] += 1
            _reduce_pairs(table, grey, count, rows[i, m])
        for k in range(found):
            rank[grey[k]] = 0
    return rows


@njit(cache=True, nogil=True)
def _reduce_pairs(table: Whole, grey: Whole, count: int, row: Rows) -> None:
    """Reduce a matrix of the levels that are there, made symmetric, into a row laid out by all levels."""
    total = 2 * table.sum()
    row[0] = total
    for i in range(table.shape[0]):
        for j in range(table.shape[0]):
            pairs = table[i, j] + table[j, i]
            if pairs == 0:
                continue
            p = pairs / total
            row[1] = max(row[1], p)
            row[2] += p * p
            row[3] -= p * np.log2(p)
            row[3 + grey[i]] += p
            row[4 + count + abs(grey[i] - grey[j])] += p
            row[2 + 2 * count + grey[i] + grey[j]] += p


@njit(cache=True, nogil=True)
def run_rows(scene: Scene, centres: Whole, steps: Whole, count: int, sizes: Whole) -> Rows:
    """Return the sums that run-length features are made of, shape (centre, matrix, 6 + count + sizes); zeros where there is no texture."""
    flat, reach, places, size = scene
    rows = np.zeros((centres.size, steps.shape[0], 6 + count + sizes.size))
    local, inside, so_far = np.zeros(size, np.uint16), np.empty(places.size, np.int64), np.empty(size, np.uint16)
    for i in range(centres.size):
        voxels = _taken(flat, centres[i], reach, places, local, inside)
        if not _varied(local, voxels):
            continue
        spans = _spans(voxels)
        for m in range(steps.shape[0]):
            table = np.zeros((count, sizes.size), np.int64)
            for step in steps[m]:
                table += _runs(local, spans, abs(step), count, sizes.size, so_far)
            rows[i, m] = element_sums(table, sizes)
    return rows


@njit(cache=True, nogil=True)
def zone_rows(scene: Scene, centres: Whole, links: tuple[Whole, Whole], count: int, sizes: Whole) -> Rows:
    """Return the sums that size-zone features are made of, with the number of voxels at the end; zeros where there is no texture."""
    flat, reach, places, size = scene
    rows = np.zeros((centres.size, 1, 7 + count + sizes.size))
    local, inside = np.zeros(size, np.uint16), np.empty(places.size, np.int64)
    for i in range(centres.size):
        voxels = _taken(flat, centres[i], reach, places, local, inside)
        if not _varied(local, voxels):
            continue
        first, extent, _ = _linked(local, _spans(voxels), links[0], links[1])
        table = np.zeros((count, sizes.size), np.int64)
        for zone in range(first.size):
            table[local[first[zone]] - 1, extent[zone] - 1] += 1
        rows[i, 0, :-1] = element_sums(table, sizes)
        rows[i, 0, -1] = voxels.size
    return rows


@njit(cache=True, nogil=True)
def depth_rows(
    scene: Scene, centres: Whole, links: tuple[Whole, Whole], count: int, sizes: Whole, drawn_as: tuple[npt.NDArray[np.bool_], Whole]
) -> Rows:
    """Return the sums that distance-zone features are made of, with the number of voxels at the end; zeros where there is no texture."""
    flat, reach, places, size = scene
    rows = np.zeros((centres.size, 1, 7 + count + sizes.size))
    local, inside = np.zeros(size, np.uint16), np.empty(places.size, np.int64)
    drawn = np.zeros(size, np.bool_)
    for i in range(centres.size):
        voxels = _taken(flat, centres[i], reach, places, local, inside)
        if not _varied(local, voxels):
            continue
        for k in range(places.size):
            drawn[places[k]] = drawn_as[0][centres[i] + reach[k]]
        first, _, zone = _linked(local, _spans(voxels), links[0], links[1])
        distance = _nearest(_depths(drawn, drawn_as[1]), _spans(voxels), zone, first.size)
        table = np.zeros((count, sizes.size), np.int64)
        for k in range(first.size):
            table[local[first[k]] - 1, distance[k] - 1] += 1
        rows[i, 0, :-1] = element_sums(table, sizes)
        rows[i, 0, -1] = voxels.size
    return rows


@njit(cache=True, nogil=True)
def tone_rows(scene: Scene, centres: Whole, steps: Whole, count: int) -> Rows:
    """Return the five grey-tone difference features of each neighbourhood, shape (centre, 5); NaN where there is no texture."""
    flat, reach, places, size = scene
    rows = np.full((centres.size, 5), np.nan)
    local, inside, total = np.zeros(size, np.uint16), np.empty(places.size, np.int64), np.empty(size, np.uint32)
    for i in range(centres.size):
        voxels = _taken(flat, centres[i], reach, places, local, inside)
        if not _varied(local, voxels):
            continue
        tones, _ = _swept(local, _spans(voxels), steps, count, total)
        number, difference = np.zeros(count, np.int64), np.zeros(count)
        for level in range(count):
            for n in range(1, tones.shape[2]):
                number[level] += tones[0, level, n]
                difference[level] += tones[1, level, n] / n
        rows[i] = _tones(number, difference)
    return rows


@njit(cache=True, nogil=True)
def dependence_rows(scene: Scene, centres: Whole, steps: Whole, count: int, sizes: Whole) -> Rows:
    """Return the sums that dependence features are made of, with their energy at the end; zeros where there is no texture."""
    flat, reach, places, size = scene
    rows = np.zeros((centres.size, 1, 7 + count + sizes.size))
    local, inside, total = np.zeros(size, np.uint16), np.empty(places.size, np.int64), np.empty(size, np.uint32)
    for i in range(centres.size):
        voxels = _taken(flat, centres[i], reach, places, local, inside)
        if not _varied(local, voxels):
            continue
        _, table = _swept(local, _spans(voxels), steps, count, total)
        rows[i, 0, :-1] = element_sums(table, sizes)
        for level in range(count):
            for n in range(sizes.size):
                rows[i, 0, -1] += (table[level, n] / voxels.size) ** 2
    return rows


@njit(cache=True, nogil=True)
def statistics_rows(flat: Levels, array: Rows, centres: Whole, reach: Whole) -> Rows:
    """Return the eighteen intensity statistics of each neighbourhood, shape (centre, 18), in the order of ``intensity.STATISTICS``.

    `array` holds the intensities, laid out as `flat`.
    """
    rows, values = np.empty((centres.size, STATISTICS)), np.empty(reach.size)
    for i in range(centres.size):
        count = 0
        for step in reach:
            if flat[centres[i] + step] != 0:
                values[count] = array[centres[i] + step]
                count += 1
        ordered = np.sort(values[:count])
        _moments(ordered, rows[i])
        squares = np.square(ordered).sum()
        rows[i, 16], rows[i, 17] = squares, math.sqrt(squares / count)
    return rows


@njit(cache=True, nogil=True)
def histogram_rows(flat: Levels, centres: Whole, reach: Whole) -> Rows:
    """Return sixteen statistics of the levels of each neighbourhood, then mode, entropy, uniformity and four gradients."""
    rows, values = np.empty((centres.size, 16 + MORE_OF_HISTOGRAM)), np.empty(reach.size)
    for i in range(centres.size):
        count = 0
        for step in reach:
            if flat[centres[i] + step] != 0:
                values[count] = flat[centres[i] + step]
                count += 1
        ordered = np.sort(values[:count])
        _moments(ordered, rows[i])
        _histogram(ordered, rows[i])
    return rows


@njit(cache=True, nogil=True)
def _percentile(ordered: Rows, share: float) -> float:
    """Interpolate linearly, rounding as NumPy does: which voxels the robust deviation takes depends on the last bit."""
    at = share * (ordered.size - 1)
    below = math.floor(at)
    part, low, high = at - below, ordered[below], ordered[min(below + 1, ordered.size - 1)]
    return float(high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part)


@njit(cache=True, nogil=True)
def _quotient(numerator: float, denominator: float, scale: float) -> float:
    return numerator / denominator if abs(denominator) > 1e-14 * scale else np.nan


@njit(cache=True, nogil=True)
def _moments(x: Rows, row: Rows) -> None:
    """Write the sixteen of ``intensity.moments_and_spread``, of sorted values (IBSI manual, section 3.3)."""
    low, high, n = x[0], x[-1], x.size
    mean = low if low == high else x.sum() / n
    second, third, fourth, apart = 0.0, 0.0, 0.0, 0.0
    for value in x:
        d = value - mean
        second += d * d / n
        third += d * d * d / n
        fourth += d * d * d * d / n
        apart += abs(d) / n
    p10, p25, median = _percentile(x, 0.1), _percentile(x, 0.25), _percentile(x, 0.5)
    p75, p90 = _percentile(x, 0.75), _percentile(x, 0.9)
    core = x[(x >= p10) & (x <= p90)]
    largest = max(-low, high)
    row[0], row[1] = mean, second
    row[2] = _quotient(third, second**1.5, 0.0)
    row[3] = _quotient(fourth, second**2, 0.0) - 3
    row[4], row[5], row[6], row[7], row[8] = median, low, p10, p90, high
    row[9], row[10], row[11] = p75 - p25, high - low, apart
    row[12] = np.abs(core - core.sum() / core.size).sum() / core.size if core.size else 0.0
    row[13] = np.abs(x - median).sum() / n
    row[14] = _quotient(math.sqrt(second), mean, largest)
    row[15] = _quotient(p75 - p25, p75 + p25, largest)


@njit(cache=True, nogil=True)
def _histogram(x: Rows, row: Rows) -> None:
    """Write what a histogram adds (IBSI manual, section 3.4): mode, entropy, uniformity, both gradients with their levels."""
    counts = np.zeros(int(x[-1]), np.int64)
    for value in x:
        counts[int(value) - 1] += 1
    mode, entropy, uniformity = 0, 0.0, 0.0
    for k in range(counts.size):
        nearer = counts[k] == counts[mode] and abs(k + 1 - row[0]) < abs(mode + 1 - row[0])
        mode = k if counts[k] > counts[mode] or nearer else mode
        if counts[k] > 0:
            p = counts[k] / x.size
            entropy -= p * math.log2(p)
            uniformity += p * p
    row[16], row[17], row[18] = mode + 1, entropy, uniformity
    row[19:23] = np.nan
    for k in range(counts.size if counts.size > 1 else 0):
        first, last = max(k - 1, 0), min(k + 1, counts.size - 1)
        slope = (counts[last] - counts[first]) / (last - first)
        if k == 0 or slope > row[19]:
            row[19], row[20] = slope, k + 1
        if k == 0 or slope < row[21]:
            row[21], row[22] = slope, k + 1
