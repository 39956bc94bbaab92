"""Zones of one grey level (IBSI families ``szm`` and ``dzm``, 16 values each): how large they are, and how deep they lie.

IBSI manual, arXiv:1612.07003, sections 3.8 and 3.9. A zone is a group of linked voxels of one level: 26-connected in the volume,
8-connected in a slice. Its distance is that of its voxel nearest to the border of the outline as drawn, in steps along the axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.radiomics.aggregate import Row, averaged
from onclair.science.radiomics.emphases import EMPHASES, element_sums, emphases
from onclair.science.radiomics.features import Features, joined, named
from onclair.science.radiomics.levels import DIRECTIONS, IN_PLANE, GreyLevels, Levels, voxels_in

#: Ways to put together matrices that have no direction: slices averaged, slices merged, the volume.
UNDIRECTED = ("2D", "2_5D", "3D")
SIZES = (
    "sze", "lze", "lgze", "hgze", "szlge", "szhge", "lzlge", "lzhge", "glnu", "glnu_norm", "zsnu", "zsnu_norm", "z_perc",
    "gl_var", "zs_var", "zs_entr",
)  # fmt: skip
DISTANCES = (
    "sde", "lde", "lgze", "hgze", "sdlge", "sdhge", "ldlge", "ldhge", "glnu", "glnu_norm", "zdnu", "zdnu_norm", "z_perc",
    "gl_var", "zd_var", "zd_entr",
)  # fmt: skip

Whole = npt.NDArray[np.int64]


def undirected(aggregations: Iterable[str]) -> tuple[str, ...]:
    """Return those of `UNDIRECTED` that the aggregations ask for, with or without the ending that says what directions do.

    Examples
    --------
    >>> undirected(["3D_avg", "3D_comb", "2_5D"])
    ('2_5D', '3D')
    """
    wanted = {way.removesuffix("_avg").removesuffix("_comb") for way in aggregations}
    return tuple(way for way in UNDIRECTED if way in wanted)


def size_zone_tags(aggregations: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of the size-zone features, in order.

    Examples
    --------
    >>> size_zone_tags(["3D"])[0], size_zone_tags(["2D_avg", "2D_comb"])[-1]
    ('szm_sze_3D', 'szm_zs_entr_2D')
    """
    return tuple(f"szm_{name}_{way}" for way in undirected(aggregations) for name in SIZES)


def distance_zone_tags(aggregations: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of the distance-zone features, in order.

    Examples
    --------
    >>> distance_zone_tags(["2_5D"])[0]
    'dzm_sde_2_5D'
    """
    return tuple(f"dzm_{name}_{way}" for way in undirected(aggregations) for name in DISTANCES)


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """Every zone of a region, once; slice by slice where they were linked within slices.

    Attributes
    ----------
    level : ndarray, int64, shape (zone,)
        Grey level, from 1.
    size : ndarray, int64, shape (zone,)
        Voxels.
    distance : ndarray, int64, shape (zone,)
        Steps from the outline's border, from 1; 0 where no outline was given.
    slices : tuple of (slice, int)
        The zones of each slice, and its voxels; one entry, of everything, in the volume.
    """

    level: Whole
    size: Whole
    distance: Whole
    slices: tuple[tuple[slice, int], ...]


def zones(levels: GreyLevels, aggregations: Sequence[str] = ("3D",), region: npt.NDArray[np.bool_] | None = None) -> dict[str, Zones]:
    """Find the zones that the aggregations ask for; made once, they serve both families.

    Parameters
    ----------
    levels : GreyLevels
    aggregations : sequence of str
        Of `UNDIRECTED`, or of `aggregate.AGGREGATIONS`.
    region : ndarray, bool, shape (x, y, z), or None
        The morphological mask: the outline as drawn, before re-segmentation, on the grid that `levels` was laid out on; None
        where no distance is needed.

    Returns
    -------
    dict of str to Zones
        ``"slice"`` where 2D or 2_5D is asked for, ``"volume"`` where 3D is.

    Examples
    --------
    >>> from onclair.science.radiomics.levels import grey_levels
    >>> line = np.ones((4, 1, 1), bool)
    >>> found = zones(grey_levels(np.array([1, 1, 2, 1]), line), ["3D"], line)["volume"]
    >>> found.level.tolist(), found.size.tolist(), found.distance.tolist()
    ([1, 2, 1], [2, 1, 1], [1, 1, 1])
    """
    wanted = undirected(aggregations)
    found = {}
    inside = None if region is None else _laid_out(region)
    if set(wanted) & {"2D", "2_5D"}:
        found["slice"] = _zones(levels, IN_PLANE, inside)
    if "3D" in wanted:
        found["volume"] = _zones(levels, len(levels.offsets), inside)
    return found


def size_zones(levels: GreyLevels, aggregations: Sequence[str] = ("3D",), *, found: Mapping[str, Zones] | None = None) -> Features:
    """Describe how large the zones of one grey level are.

    Parameters
    ----------
    levels : GreyLevels
    aggregations : sequence of str
        Of `UNDIRECTED`, or of `aggregate.AGGREGATIONS`.
    found : mapping of str to Zones, or None
        From `zones` with the same levels and aggregations, where another family needs them too.

    Returns
    -------
    Features
        ``szm_*``. Entropy in bits.

    References
    ----------
    Thibault et al., IEEE Trans Biomed Eng 2014;61:630-637, doi:10.1109/TBME.2013.2284600.

    Examples
    --------
    Two voxels of one level, touching, and one of another: zones of 2 and of 1.

    >>> from onclair.science.radiomics.levels import grey_levels
    >>> f = size_zones(grey_levels(np.array([1, 1, 2]), np.ones((3, 1, 1), bool)))
    >>> f.values["szm_sze_3D"], f.values["szm_lze_3D"], round(f.values["szm_z_perc_3D"], 4)
    (0.625, 2.5, 0.6667)
    """
    wanted = undirected(aggregations)
    found = zones(levels, wanted) if found is None else found
    parts = []
    for way in wanted:
        measures = _measured(_of_way(found, way), "size", way == "2D", levels.count)
        parts.append(named("szm_", _averages(measures, SIZES), {}, suffix=f"_{way}"))
    return joined(parts, size_zone_tags(wanted))


def distance_zones(
    levels: GreyLevels, region: npt.NDArray[np.bool_], aggregations: Sequence[str] = ("3D",), *, found: Mapping[str, Zones] | None = None
) -> Features:
    """Describe how far from the outline's border the zones of one grey level lie.

    Parameters
    ----------
    levels : GreyLevels
    region : ndarray, bool, shape (x, y, z)
        The morphological mask: the outline as drawn, before re-segmentation, on the grid that `levels` was laid out on.
    aggregations : sequence of str
        Of `UNDIRECTED`, or of `aggregate.AGGREGATIONS`.
    found : mapping of str to Zones, or None
        From `zones` with the same levels, aggregations and region, where another family needs them too.

    Returns
    -------
    Features
        ``dzm_*``. Entropy in bits.

    References
    ----------
    Thibault et al., IEEE Trans Biomed Eng 2014;61:630-637, doi:10.1109/TBME.2013.2284600.

    Examples
    --------
    Of five voxels in a slice, a cross, only the middle one does not touch the border.

    >>> from onclair.science.radiomics.levels import grey_levels
    >>> cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)[:, :, None]
    >>> f = distance_zones(grey_levels(np.array([1, 1, 2, 1, 1]), cross), cross, ["2D"])
    >>> f.values["dzm_lde_2D"]  # zones: the ring at 1, the middle at 2
    2.5
    """
    wanted = undirected(aggregations)
    found = zones(levels, wanted, region) if found is None else found
    parts = []
    for way in wanted:
        measures = _measured(_of_way(found, way), "distance", way == "2D", levels.count)
        parts.append(named("dzm_", _averages(measures, DISTANCES), {}, suffix=f"_{way}"))
    return joined(parts, distance_zone_tags(wanted))


def _of_way(found: Mapping[str, Zones], way: str) -> Zones:
    return found["volume" if way == "3D" else "slice"]


def _averages(measures: Mapping[str, Row], names: Sequence[str]) -> dict[str, float]:
    return averaged({short: measures[name] for short, name in zip(names, EMPHASES, strict=True)}, names)


def _measured(found: Zones, by: str, each_slice: bool, count: int) -> dict[str, Row]:
    """Return the sixteen values of one matrix a slice, or of a single one."""
    extent = found.size if by == "size" else found.distance
    occurs = np.bincount(extent) > 0
    extents, column = np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[extent]
    parts = found.slices if each_slice else ((slice(None), sum(voxels for _, voxels in found.slices)),)
    place = (found.level - 1) * extents.size + column
    tables = (np.bincount(place[part], minlength=count * extents.size).reshape(count, extents.size) for part, _ in parts)
    rows = np.array([element_sums(table, extents) for table in tables])
    return emphases(rows, extents, np.array([float(voxels) for _, voxels in parts]))


def _laid_out(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the outline as `levels.grey_levels` lays out its levels: padded, flat, x fastest."""
    return np.pad(region, 1).transpose(2, 1, 0).ravel()


def _zones(levels: GreyLevels, directions: int, inside: npt.NDArray[np.bool_] | None) -> Zones:
    first, size, zone = _linked(levels.flat, levels.spans, *_behind(levels, directions))
    level = levels.flat[first].astype(np.int64)
    distance = np.zeros(first.size, np.int64)
    if inside is not None:
        axes = [levels.offsets[axis] for axis in (0, 1, IN_PLANE)]
        steps = np.array(axes[:2] if directions == IN_PLANE else axes)
        distance = _nearest(_depths(inside, steps), levels.spans, zone, first.size)
    if directions != IN_PLANE:
        return Zones(level, size, distance, ((slice(0, first.size), voxels_in(levels.spans)),))
    return Zones(level, size, distance, tuple(_by_slice(levels, first)))


def _by_slice(levels: GreyLevels, first: Whole) -> Iterator[tuple[slice, int]]:
    """Yield the zones of each slice, which lie one after another, and its number of voxels."""
    ends = np.searchsorted(first, [spans[-1, 1] - 1 for spans in levels.slices], side="right")
    start = 0
    for end, spans in zip(ends, levels.slices, strict=True):
        yield slice(start, int(end)), voxels_in(spans)
        start = int(end)


def _behind(levels: GreyLevels, directions: int) -> tuple[Whole, Whole]:
    """Return the steps back to the neighbours that come before a voxel, and for each, as bits, those that do not touch it.

    Neighbours of one level that touch each other have been linked already. Those that touch most come first.
    """
    steps = [np.sign(offset) * np.array(step) for step, offset in zip(DIRECTIONS[:directions], levels.offsets[:directions], strict=True)]
    apart = np.array([[np.abs(one - other).max() > 1 for other in steps] for one in steps])
    order = np.argsort(apart.sum(axis=1), kind="stable")
    bits = apart[np.ix_(order, order)] @ (1 << np.arange(directions))
    return np.abs(np.array(levels.offsets[:directions]))[order], bits


@njit(cache=True, nogil=True)
def _linked(flat: Levels, spans: Whole, back: Whole, apart: Whole) -> tuple[Whole, Whole, npt.NDArray[np.int32]]:
    """Return the first voxel and the size of each zone and, laid out as `flat`, the zone of each voxel, by union-find.

    A root is the first voxel of its zone, so that a parent always lies before its child. Neighbours of the voxel's level are
    gathered as bits, without a branch, and only those that are not linked yet are looked at.
    """
    lowest = np.zeros(1 << back.size, np.uint8)
    for bits in range(2, lowest.size, 2):
        lowest[bits] = lowest[bits >> 1] + 1
    parent = np.empty(flat.size, np.int32)
    same = np.empty((spans[:, 1] - spans[:, 0]).max(), np.uint16)
    for s in range(spans.shape[0]):
        first, end = spans[s, 0], spans[s, 1]
        _alike(flat, first, end, back, same)
        for voxel in range(first, end):
            alike = int(same[voxel - first])
            if alike == 0:
                parent[voxel] = voxel
                continue
            root = _root(parent, voxel - back[lowest[alike]])
            alike &= apart[lowest[alike]]
            while alike:
                other = _root(parent, voxel - back[lowest[alike]])
                alike &= apart[lowest[alike]]
                parent[max(root, other)] = min(root, other)
                root = min(root, other)
            parent[voxel] = root
    return _counted(parent, spans)


@njit(cache=True, nogil=True)
def _alike(flat: Levels, first: int, end: int, back: Whole, same: npt.NDArray[np.uint16]) -> None:
    """Write, for each voxel of a span, the neighbours before it that have its level, as bits: one neighbour of all at a time."""
    here = flat[first:end]
    same[: here.size] = 0
    for k in range(back.size):
        there = flat[first - back[k] : end - back[k]]
        bit = np.uint16(1 << k)
        for i in range(here.size):
            same[i] |= bit * np.uint16(here[i] == there[i])


@njit(cache=True, nogil=True)
def _root(parent: npt.NDArray[np.int32], voxel: int) -> int:
    while parent[voxel] != voxel:
        parent[voxel] = parent[parent[voxel]]
        voxel = parent[voxel]
    return voxel


@njit(cache=True, nogil=True)
def _counted(parent: npt.NDArray[np.int32], spans: Whole) -> tuple[Whole, Whole, npt.NDArray[np.int32]]:
    """Return the first voxel and the size of each zone, numbered in that order; the number takes the place of the parent."""
    count = 0
    for s in range(spans.shape[0]):
        for voxel in range(spans[s, 0], spans[s, 1]):
            count += parent[voxel] == voxel
    first, size = np.empty(count, np.int64), np.zeros(count, np.int64)
    count = 0
    for s in range(spans.shape[0]):
        for voxel in range(spans[s, 0], spans[s, 1]):
            above = parent[voxel]
            if above == voxel:
                first[count] = voxel
                zone = count
                count += 1
            else:
                zone = parent[above]
            parent[voxel] = zone
            size[zone] += 1
    return first, size, parent


@njit(cache=True, nogil=True)
def _depths(inside: npt.NDArray[np.bool_], steps: Whole) -> npt.NDArray[np.uint16]:
    """Return the number of steps along the axes from each voxel to the nearest one outside; two sweeps are exact for it."""
    depth = np.zeros(inside.size, np.uint16)  # at most half the shortest side
    for voxel in range(inside.size):
        if inside[voxel]:
            nearest = depth[voxel - steps[0]]
            for step in steps[1:]:
                nearest = min(nearest, depth[voxel - step])
            depth[voxel] = nearest + 1
    for voxel in range(inside.size - 1, -1, -1):
        if inside[voxel]:
            for step in steps:
                depth[voxel] = min(depth[voxel], depth[voxel + step] + 1)
    return depth


@njit(cache=True, nogil=True)
def _nearest(depth: npt.NDArray[np.uint16], spans: Whole, zone: npt.NDArray[np.int32], count: int) -> Whole:
    """Return the least depth of each zone's voxels."""
    distance = np.full(count, np.iinfo(np.int32).max, np.int64)
    for s in range(spans.shape[0]):
        for voxel in range(spans[s, 0], spans[s, 1]):
            distance[zone[voxel]] = min(distance[zone[voxel]], depth[voxel])
    return distance
