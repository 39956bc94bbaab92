"""Grey-level run lengths (IBSI family ``rlm``, 16 values): how far one level goes on in a direction.

IBSI manual, arXiv:1612.07003, section 3.7.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.radiomics.aggregate import AGGREGATIONS, Row, Table, averaged, reduced
from onclair.science.radiomics.emphases import EMPHASES, element_sums, emphases
from onclair.science.radiomics.features import Features, joined, named
from onclair.science.radiomics.levels import GreyLevels, Levels

RUNS = (
    "sre", "lre", "lgre", "hgre", "srlge", "srhge", "lrlge", "lrhge", "glnu", "glnu_norm", "rlnu", "rlnu_norm", "r_perc",
    "gl_var", "rl_var", "rl_entr",
)  # fmt: skip


def glrlm_tags(aggregations: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of the run-length features, in order.

    Examples
    --------
    >>> glrlm_tags(["2D_avg"])[-1]
    'rlm_rl_entr_2D_avg'
    """
    return tuple(f"rlm_{name}_{way}" for way in AGGREGATIONS if way in aggregations for name in RUNS)


def run_lengths(levels: GreyLevels, aggregations: Sequence[str] = ("3D_comb",)) -> Features:
    """Describe the runs of equal grey level.

    Parameters
    ----------
    levels : GreyLevels
    aggregations : sequence of str
        Of `aggregate.AGGREGATIONS`.

    Returns
    -------
    Features
        ``rlm_*``. Where directions are merged, the run percentage divides by the voxels of all of them. Entropy in bits.

    References
    ----------
    Galloway, Comput Graph Image Process 1975;4:172-179, doi:10.1016/S0146-664X(75)80008-6.

    Examples
    --------
    Two equal voxels in a row: one run of two along it, and two runs of one along each of the twelve other directions.

    >>> from onclair.science.radiomics.levels import grey_levels
    >>> g = grey_levels(np.array([1, 1]), np.ones((2, 1, 1), bool))
    >>> run_lengths(g).values["rlm_sre_3D_comb"]  # (24 + 1/4) / 25
    0.97
    """
    sizes = np.arange(1, levels.longest + 1)

    def reduce(table: Table) -> Row:
        return np.asarray(element_sums(table, sizes))

    parts = []
    for way, matrices in reduced(levels, aggregations, run_counts, reduce).items():
        measures = emphases(np.array(matrices), sizes)
        tagged = {short: measures[name] for short, name in zip(RUNS, EMPHASES, strict=True)}
        parts.append(named("rlm_", averaged(tagged, RUNS), {}, suffix=f"_{way}"))
    return joined(parts, glrlm_tags(aggregations))


def run_counts(levels: GreyLevels, spans: npt.NDArray[np.int64], offset: int) -> Table:
    """Return the matrix of one direction: the number of runs by grey level and length.

    Examples
    --------
    >>> from onclair.science.radiomics.levels import grey_levels
    >>> g = grey_levels(np.array([1, 2, 2]), np.ones((3, 1, 1), bool))
    >>> run_counts(g, g.spans, g.offsets[0]).tolist()
    [[1, 0, 0], [0, 1, 0]]
    """
    so_far: Levels = np.empty(levels.flat.size, np.uint8) if levels.longest < 256 else np.empty(levels.flat.size, np.uint16)
    return np.asarray(_runs(levels.flat, spans, abs(offset), levels.count, levels.longest, so_far))


@njit(cache=True, nogil=True)
def _runs(flat: Levels, spans: npt.NDArray[np.int64], step: int, count: int, longest: int, so_far: Levels) -> Table:
    """Count runs: number the voxels of each from 0, count by number and level; as many are of one length as go no further.

    A run is as long either way; backwards, the voxel before has been numbered before. The numbers need no branch, so that many are
    made in one instruction; `so_far` is the room for them.
    """
    table = np.zeros((longest + 1, count + 1), np.int64)
    for k in range(spans.shape[0]):
        first, end = spans[k, 0], spans[k, 1]
        here, before, now, then = flat[first:end], flat[first - step : end - step], so_far[first:end], so_far[first - step : end - step]
        for i in range(here.size):
            now[i] = (then[i] + 1) * (here[i] == before[i])
        for i in range(here.size):
            table[now[i], here[i]] += 1
    return (table[:-1, 1:] - table[1:, 1:]).T.copy()
