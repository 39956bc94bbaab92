"""Grey-level co-occurrence (IBSI family ``cm``, 25 values): which levels lie side by side.

IBSI manual, arXiv:1612.07003, section 3.6: Chebyshev distance 1, symmetric, no distance weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.radiomics.aggregate import AGGREGATIONS, Row, Table, averaged, reduced
from onclair.science.radiomics.features import Features, joined, named
from onclair.science.radiomics.levels import GreyLevels, Levels

COOCCURRENCE = (
    "joint_max", "joint_avg", "joint_var", "joint_entr", "diff_avg", "diff_var", "diff_entr", "sum_avg", "sum_var", "sum_entr", "energy",
    "contrast", "dissimilarity", "inv_diff", "inv_diff_norm", "inv_diff_mom", "inv_diff_mom_norm", "inv_var", "corr", "auto_corr",
    "clust_tend", "clust_shade", "clust_prom", "info_corr1", "info_corr2",
)  # fmt: skip
WHY = {
    "corr": "no two neighbours differ in grey level",
    "info_corr1": "no two neighbours differ in grey level",
    "": "no two voxels of the region are neighbours",
}


def glcm_tags(aggregations: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of the co-occurrence features, in order.

    Examples
    --------
    >>> glcm_tags(["3D_comb"])[0]
    'cm_joint_max_3D_comb'
    """
    return tuple(f"cm_{name}_{way}" for way in AGGREGATIONS if way in aggregations for name in COOCCURRENCE)


def cooccurrence(levels: GreyLevels, aggregations: Sequence[str] = ("3D_comb",)) -> Features:
    """Describe how the grey levels of neighbours go together.

    Parameters
    ----------
    levels : GreyLevels
    aggregations : sequence of str
        Of `aggregate.AGGREGATIONS`.

    Returns
    -------
    Features
        ``cm_*``. Entropies in bits. Averages leave out matrices without a pair, and for the correlations those with one grey level.
        NaN where no matrix is left.

    References
    ----------
    Haralick, Shanmugam and Dinstein, IEEE Trans Syst Man Cybern 1973;3:610-621, doi:10.1109/TSMC.1973.4309314.

    Examples
    --------
    >>> from onclair.science.radiomics.levels import grey_levels
    >>> g = grey_levels(np.array([1, 2]), np.ones((2, 1, 1), bool))
    >>> cooccurrence(g).values["cm_contrast_3D_comb"], cooccurrence(g).values["cm_corr_3D_comb"]
    (1.0, -1.0)
    """
    rows = reduced(levels, aggregations, pair_counts, _reduced)
    parts = []
    for way, matrices in rows.items():
        measures = _measures(np.array(matrices), levels.count)
        parts.append(named("cm_", averaged(measures, COOCCURRENCE), WHY, suffix=f"_{way}"))
    return joined(parts, glcm_tags(aggregations))


def pair_counts(levels: GreyLevels, spans: npt.NDArray[np.int64], offset: int) -> Table:
    """Return the symmetric matrix of one direction: how often each pair of levels lies side by side, both ways round.

    Examples
    --------
    >>> from onclair.science.radiomics.levels import grey_levels
    >>> g = grey_levels(np.array([1, 2, 2]), np.ones((3, 1, 1), bool))
    >>> pair_counts(g, g.spans, g.offsets[0]).tolist()
    [[0, 1], [1, 2]]
    """
    oneway = _pairs(levels.flat, spans, offset, levels.count)
    return oneway + oneway.T


@njit(cache=True, nogil=True)
def _pairs(flat: Levels, spans: npt.NDArray[np.int64], offset: int, count: int) -> Table:
    """Count pairs; what has no neighbour is counted too, in a row and column that are left out, which is cheaper than to ask."""
    table = np.zeros((count + 1, count + 1), np.int64)
    for k in range(spans.shape[0]):
        here, there = flat[spans[k, 0] : spans[k, 1]], flat[spans[k, 0] + offset : spans[k, 1] + offset]
        for i in range(here.size):
            table[here[i], there[i]] += 1
    return table[1:, 1:].copy()


@njit(cache=True, nogil=True)
def _reduced(table: Table) -> Row:
    """Return [pairs, maximum, energy, entropy, p_i (n), p_|i-j| (n), p_(i+j) (2n - 1)] of one matrix, as probabilities."""
    n = table.shape[0]
    row = np.zeros(3 + 4 * n)
    total = table.sum()
    row[0] = total
    if total == 0:
        return row
    for i in range(n):
        for j in range(n):
            if table[i, j] == 0:
                continue
            p = table[i, j] / total
            row[1] = max(row[1], p)
            row[2] += p * p
            row[3] -= p * np.log2(p)
            row[4 + i] += p
            row[4 + n + abs(i - j)] += p
            row[4 + 2 * n + i + j] += p
    return row


def _measures(rows: npt.NDArray[np.float64], n: int) -> dict[str, Row]:
    """Return the 25 features of each matrix (one a row), NaN where undefined."""
    rows = rows[rows[:, 0] > 0]
    joint_max, energy, entropy = rows[:, 1], rows[:, 2], rows[:, 3]
    one, difference, total = rows[:, 4 : 4 + n], rows[:, 4 + n : 4 + 2 * n], rows[:, 4 + 2 * n :]
    i, k, s = np.arange(1, n + 1), np.arange(n), np.arange(2, 2 * n + 1)
    mean = _expected(one, i)
    variance = _expected(one, np.square(i - mean[:, None]))
    dissimilarity, contrast = _expected(difference, k), _expected(difference, k**2)
    centred = s - 2 * mean[:, None]
    tendency = _expected(total, centred**2)
    marginal = _entropy(one)
    flat = (one > 0).sum(axis=1) < 2
    safe = np.where(flat, np.nan, 1.0)
    return {
        "joint_max": joint_max,
        "joint_avg": mean,
        "joint_var": variance,
        "joint_entr": entropy,
        "diff_avg": dissimilarity,
        "diff_var": _expected(difference, np.square(k - dissimilarity[:, None])),
        "diff_entr": _entropy(difference),
        "sum_avg": 2 * mean,
        "sum_var": tendency,
        "sum_entr": _entropy(total),
        "energy": energy,
        "contrast": contrast,
        "dissimilarity": dissimilarity,
        "inv_diff": _expected(difference, 1 / (1 + k)),
        "inv_diff_norm": _expected(difference, 1 / (1 + k / n)),
        "inv_diff_mom": _expected(difference, 1 / (1 + k**2)),
        "inv_diff_mom_norm": _expected(difference, 1 / (1 + (k / n) ** 2)),
        "inv_var": _expected(difference[:, 1:], 1 / np.maximum(k[1:], 1) ** 2),
        # (i + j - 2m)^2 - (i - j)^2 = 4 (i - m)(j - m)
        "corr": (tendency - contrast) / 4 / np.where(flat, 1.0, variance) * safe,
        "auto_corr": (tendency - contrast) / 4 + mean**2,
        "clust_tend": tendency,
        "clust_shade": _expected(total, centred**3),
        "clust_prom": _expected(total, centred**4),
        # The matrix is symmetric: HXY1 = HXY2 = 2 HX.
        "info_corr1": (entropy - 2 * marginal) / np.where(flat, 1.0, marginal) * safe,
        "info_corr2": np.sqrt(np.maximum(0.0, 1 - np.exp(-2 * np.maximum(0.0, 2 * marginal - entropy)))),
    }


def _expected(p: npt.NDArray[np.float64], of: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Row:
    return np.asarray((p * of).sum(axis=1))


def _entropy(p: npt.NDArray[np.float64]) -> Row:
    return np.asarray(-(p * np.log2(p, out=np.zeros_like(p), where=p > 0)).sum(axis=1))
