"""A voxel and all its neighbours at once (IBSI families ``ngt``, 5 values, and ``ngl``, 17): how it differs, how many are like it.

IBSI manual, arXiv:1612.07003, sections 3.10 and 3.11: Chebyshev distance 1 (26 neighbours in the volume, 8 in a slice); coarseness 0, so
that a neighbour depends on a voxel when it has the same grey level. One sweep serves both families.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.radiomics.aggregate import Row, Table, averaged
from onclair.science.radiomics.emphases import EMPHASES, element_sums, emphases
from onclair.science.radiomics.features import Features, joined, named
from onclair.science.radiomics.levels import IN_PLANE, GreyLevels, Levels
from onclair.science.radiomics.zones import undirected

TONES = ("coarseness", "contrast", "busyness", "complexity", "strength")
DEPENDENCES = (
    "lde", "hde", "lgce", "hgce", "ldlge", "ldhge", "hdlge", "hdhge", "glnu", "glnu_norm", "dcnu", "dcnu_norm", "dc_perc",
    "gl_var", "dc_var", "dc_entr", "dc_energy",
)  # fmt: skip
#: What IBSI assigns to the coarseness of a region in which no voxel differs from its neighbours.
NO_DIFFERENCE = 1e6
WHY = {
    "busyness": "every grey level times its share is the same number, or no two voxels of the region are neighbours",
    "": "no two voxels of the region are neighbours",
}


def tone_difference_tags(aggregations: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of the neighbourhood grey-tone difference features, in order.

    Examples
    --------
    >>> tone_difference_tags(["3D"])[0], tone_difference_tags(["2D_avg"])[-1]
    ('ngt_coarseness_3D', 'ngt_strength_2D')
    """
    return tuple(f"ngt_{name}_{way}" for way in undirected(aggregations) for name in TONES)


def dependence_tags(aggregations: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of the neighbouring grey-level dependence features, in order.

    Examples
    --------
    >>> dependence_tags(["2_5D"])[-1]
    'ngl_dc_energy_2_5D'
    """
    return tuple(f"ngl_{name}_{way}" for way in undirected(aggregations) for name in DEPENDENCES)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhoods:
    """What the sweep over some voxels and their neighbours counted.

    Attributes
    ----------
    voxels : ndarray, int64, shape (level,)
        Voxels of each grey level that have a neighbour in the region.
    difference : ndarray, float64, shape (level,)
        Sum, over those voxels, of how far the grey level lies from the mean of the neighbours.
    dependence : ndarray, int64, shape (level, 27) or, in slices, (level, 9)
        Voxels by grey level and number of neighbours that have the same.
    """

    voxels: npt.NDArray[np.int64]
    difference: Row
    dependence: Table


def neighbourhoods(levels: GreyLevels, aggregations: Sequence[str] = ("3D",)) -> dict[str, tuple[Neighbourhoods, ...]]:
    """Sweep over the region; done once, it serves both families.

    Parameters
    ----------
    levels : GreyLevels
    aggregations : sequence of str
        Of `zones.UNDIRECTED`, or of `aggregate.AGGREGATIONS`.

    Returns
    -------
    dict of str to tuple of Neighbourhoods
        For each aggregation, one for each matrix that it averages over.

    Examples
    --------
    >>> from onclair.science.radiomics.levels import grey_levels
    >>> swept = neighbourhoods(grey_levels(np.array([1, 1, 3]), np.ones((3, 1, 1), bool)))["3D"][0]
    >>> swept.voxels.tolist(), swept.difference.tolist(), swept.dependence[:, :2].tolist()
    ([2, 0, 1], [1.0, 0.0, 2.0], [[0, 2], [0, 0], [1, 0]])
    """
    wanted = undirected(aggregations)
    swept: dict[str, tuple[Neighbourhoods, ...]] = {}
    if set(wanted) & {"2D", "2_5D"}:
        steps = np.array(levels.offsets[:IN_PLANE])
        counts = [_sweep(levels, spans, steps) for spans in levels.slices]
        swept["2D"] = tuple(_counted(*parts) for parts in counts)
        tones, dependence = (sum(parts[1:], parts[0]) for parts in zip(*counts, strict=True))
        swept["2_5D"] = (_counted(tones, dependence),)
    if "3D" in wanted:
        swept["3D"] = (_counted(*_sweep(levels, levels.spans, np.array(levels.offsets))),)
    return {way: swept[way] for way in wanted}


def tone_differences(
    levels: GreyLevels, aggregations: Sequence[str] = ("3D",), *, swept: Mapping[str, tuple[Neighbourhoods, ...]] | None = None
) -> Features:
    """Describe how much a voxel differs from the mean of its neighbours.

    Parameters
    ----------
    levels : GreyLevels
    aggregations : sequence of str
        Of `zones.UNDIRECTED`, or of `aggregate.AGGREGATIONS`.
    swept : mapping of str to tuple of Neighbourhoods, or None
        From `neighbourhoods` with the same levels and aggregations, where another family needs them too.

    Returns
    -------
    Features
        ``ngt_*``. Where no voxel differs from its neighbours, coarseness is 10^6 and the rest 0, as IBSI has it; slices in which
        no two voxels are neighbours are left out of averages; NaN where none is left.

    References
    ----------
    Amadasun and King, IEEE Trans Syst Man Cybern 1989;19:1264-1274, doi:10.1109/21.44046.

    Examples
    --------
    >>> from onclair.science.radiomics.levels import grey_levels
    >>> f = tone_differences(grey_levels(np.array([1, 1, 3]), np.ones((3, 1, 1), bool)))
    >>> f.values["ngt_coarseness_3D"]  # 1 / (2/3 * 1 + 1/3 * 2)
    0.75
    """
    swept = neighbourhoods(levels, aggregations) if swept is None else swept
    parts = []
    for way in undirected(aggregations):
        rows = np.array([_tones(each.voxels, each.difference) for each in swept[way]])
        parts.append(named("ngt_", averaged(dict(zip(TONES, rows.T, strict=True)), TONES), WHY, suffix=f"_{way}"))
    return joined(parts, tone_difference_tags(aggregations))


def dependences(
    levels: GreyLevels, aggregations: Sequence[str] = ("3D",), *, swept: Mapping[str, tuple[Neighbourhoods, ...]] | None = None
) -> Features:
    """Describe how many neighbours of a voxel have its grey level; the voxel itself counts as one.

    Parameters
    ----------
    levels : GreyLevels
    aggregations : sequence of str
        Of `zones.UNDIRECTED`, or of `aggregate.AGGREGATIONS`.
    swept : mapping of str to tuple of Neighbourhoods, or None
        From `neighbourhoods` with the same levels and aggregations, where another family needs them too.

    Returns
    -------
    Features
        ``ngl_*``. Entropy in bits. ``dc_perc`` is 1 at distance 1, whatever the region.

    References
    ----------
    Sun and Wee, Comput Vis Graph Image Process 1983;23:341-352, doi:10.1016/0734-189X(83)90032-4.

    Examples
    --------
    Two voxels with one like them, one with none: dependences 2, 2 and 1.

    >>> from onclair.science.radiomics.levels import grey_levels
    >>> f = dependences(grey_levels(np.array([1, 1, 3]), np.ones((3, 1, 1), bool)))
    >>> f.values["ngl_hde_3D"], f.values["ngl_dc_perc_3D"]
    (3.0, 1.0)
    """
    swept = neighbourhoods(levels, aggregations) if swept is None else swept
    parts = []
    for way in undirected(aggregations):
        tables = [each.dependence for each in swept[way]]
        sizes = np.arange(1, tables[0].shape[1] + 1)
        rows = np.array([element_sums(table, sizes) for table in tables])
        measures = emphases(rows, sizes, rows[:, 0])  # every voxel is one element
        energy = np.array([np.square(table / table.sum()).sum() for table in tables])
        tagged = {short: measures[name] for short, name in zip(DEPENDENCES[:-1], EMPHASES, strict=True)}
        parts.append(named("ngl_", averaged({**tagged, "dc_energy": energy}, DEPENDENCES), {}, suffix=f"_{way}"))
    return joined(parts, dependence_tags(aggregations))


def _counted(tones: npt.NDArray[np.int64], dependence: Table) -> Neighbourhoods:
    neighbours = np.arange(1, tones.shape[2])
    return Neighbourhoods(tones[0, :, 1:].sum(axis=1), (tones[1, :, 1:] / neighbours).sum(axis=1), dependence)


def _sweep(levels: GreyLevels, spans: npt.NDArray[np.int64], steps: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Table]:
    length = int((spans[:, 1] - spans[:, 0]).max())
    fits = 2 * steps.size * levels.count < 2**16
    total: Levels | npt.NDArray[np.uint32] = np.empty(length, np.uint16) if fits else np.empty(length, np.uint32)
    return _swept(levels.flat, spans, steps, levels.count, total)


@njit(cache=True, nogil=True)
def _swept(
    flat: Levels, spans: npt.NDArray[np.int64], steps: npt.NDArray[np.int64], count: int, total: Levels | npt.NDArray[np.uint32]
) -> tuple[npt.NDArray[np.int64], Table]:
    """Return, by level and number of neighbours, how many voxels and how far from their mean; by level and like neighbours, how many.

    ``|level - sum / n|`` is kept as ``|n level - sum|`` for each n, in whole numbers, so that no result depends on the order of voxels.
    One neighbour of a whole span at a time; `total` is the room for the sums of the longest.
    """
    tones = np.zeros((2, count + 1, 2 * steps.size + 1), np.int64)
    dependence = np.zeros((count + 1, 2 * steps.size + 1), np.int64)
    neighbours, alike = np.empty(total.size, np.uint8), np.empty(total.size, np.uint8)
    for k in range(spans.shape[0]):
        first, end = spans[k, 0], spans[k, 1]
        here = flat[first:end]
        total[: here.size] = 0
        neighbours[: here.size] = 0
        alike[: here.size] = 0
        for step in steps:
            for away in (-step, step):
                there = flat[first + away : end + away]
                for i in range(here.size):
                    total[i] += there[i]
                for i in range(here.size):
                    neighbours[i] += there[i] != 0
                for i in range(here.size):
                    alike[i] += there[i] == here[i]
        for i in range(here.size):
            tones[0, here[i], neighbours[i]] += 1
            tones[1, here[i], neighbours[i]] += abs(np.int64(neighbours[i]) * np.int64(here[i]) - np.int64(total[i]))
            dependence[here[i], alike[i]] += 1
    return tones[:, 1:], dependence[1:]


@njit(cache=True, nogil=True)
def _tones(voxels: npt.NDArray[np.int64], difference: Row) -> Row:
    """Return the five values of `TONES`, NaN where no voxel has a neighbour (IBSI manual, section 3.10)."""
    row = np.full(5, np.nan)
    total = voxels.sum()
    if total == 0:
        return row
    present = np.flatnonzero(voxels)
    levels = present + 1.0
    p, s = voxels[present] / total, difference[present]
    spread, busy, complexity, strength = 0.0, 0.0, 0.0, 0.0
    for i in range(present.size):
        for j in range(i):  # every pair once; the formulas have it twice
            apart = levels[i] - levels[j]
            spread += 2 * p[i] * p[j] * apart**2
            busy += 2 * abs(levels[i] * p[i] - levels[j] * p[j])
            complexity += 2 * apart * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j])
            strength += 2 * (p[i] + p[j]) * apart**2
    weighted = (p * s).sum()
    several = present.size > 1
    row[0] = 1 / weighted if weighted > 0 else NO_DIFFERENCE
    row[1] = spread / (present.size * (present.size - 1)) * s.sum() / total if several else 0.0
    row[2] = (weighted / busy if busy > 1e-14 else np.nan) if several else 0.0
    row[3] = complexity / total
    row[4] = strength / s.sum() if s.sum() > 0 else 0.0
    return row
