"""The sixteen values that run-length matrices, and those of their kind (zones, distances), have in common.

A matrix counts elements (runs, zones) by grey level (row) and size (column). IBSI manual, arXiv:1612.07003, sections 3.7 to 3.9.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from onclair.science.radiomics.aggregate import Row, Table

#: In the order of the reference tables, in words; each family has its own abbreviations.
EMPHASES = (
    "short", "long", "low", "high", "short_low", "short_high", "long_low", "long_high", "level_non_uniformity", "level_non_uniformity_norm",
    "size_non_uniformity", "size_non_uniformity_norm", "percentage", "level_variance", "size_variance", "entropy",
)  # fmt: skip
_SUMS = 6


@njit(cache=True, nogil=True)
def element_sums(table: Table, sizes: npt.NDArray[np.int64]) -> Row:
    """Reduce a matrix to [elements, entropy, four mixed emphases, sums by level (n), sums by size (m)].

    Parameters
    ----------
    table : ndarray, int64, shape (n, m)
        Number of elements of grey level ``i + 1`` and size ``sizes[j]``.
    sizes : ndarray, int64, shape (m,)
        Positive.

    Examples
    --------
    >>> element_sums(np.array([[1, 1]]), np.array([1, 2]))[:2].tolist()
    [2.0, 1.0]
    """
    n, m = table.shape
    row = np.zeros(6 + n + m)
    total = table.sum()
    row[0] = total
    for i in range(n):
        level = (i + 1.0) ** 2
        for j in range(m):
            if table[i, j] == 0:
                continue
            size = float(sizes[j]) ** 2
            p = table[i, j] / total
            row[1] -= p * np.log2(p)
            row[2] += p / (level * size)
            row[3] += p * level / size
            row[4] += p * size / level
            row[5] += p * level * size
            row[6 + i] += table[i, j]
            row[6 + n + j] += table[i, j]
    return row


def emphases(rows: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64], voxels: Row | None = None) -> dict[str, Row]:
    """Return the sixteen values of each matrix.

    Parameters
    ----------
    rows : ndarray, float64, shape (matrix, 6 + n + m)
        From `element_sums`; every matrix holds an element.
    sizes : ndarray, int64, shape (m,)
    voxels : ndarray, shape (matrix,), or None
        What ``percentage`` divides by; without it, the voxels in the elements.

    Returns
    -------
    dict of str to ndarray, shape (matrix,)
        By the names of `EMPHASES`.

    Examples
    --------
    Two runs in one grey level, of 1 and 2 voxels.

    >>> sizes = np.array([1, 2])
    >>> e = emphases(element_sums(np.array([[1, 1]]), sizes)[None], sizes)
    >>> float(e["short"][0]), float(e["long"][0]), round(float(e["percentage"][0]), 4)
    (0.625, 2.5, 0.6667)
    """
    n = rows.shape[1] - _SUMS - sizes.size
    elements = rows[:, 0]
    by_level, by_size = rows[:, _SUMS : _SUMS + n], rows[:, _SUMS + n :]
    i, j = np.arange(1, n + 1, dtype=np.float64), sizes.astype(np.float64)
    covered = (by_size * j).sum(axis=1) if voxels is None else voxels
    p_level, p_size = by_level / elements[:, None], by_size / elements[:, None]
    level_nu, size_nu = np.square(by_level).sum(axis=1) / elements, np.square(by_size).sum(axis=1) / elements
    values = (
        _expected(p_size, 1 / j**2),
        _expected(p_size, j**2),
        _expected(p_level, 1 / i**2),
        _expected(p_level, i**2),
        *rows[:, 2:_SUMS].T,
        level_nu,
        level_nu / elements,
        size_nu,
        size_nu / elements,
        elements / covered,
        _variance(p_level, i),
        _variance(p_size, j),
        rows[:, 1],
    )
    return dict(zip(EMPHASES, values, strict=True))


def _expected(p: npt.NDArray[np.float64], of: npt.NDArray[np.float64]) -> Row:
    return np.asarray((p * of).sum(axis=1))


def _variance(p: npt.NDArray[np.float64], of: npt.NDArray[np.float64]) -> Row:
    return _expected(p, np.square(of - _expected(p, of)[:, None]))
