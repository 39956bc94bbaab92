"""Do groups differ? Association of two partitions, and tests of many columns against one partition at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]


def cramers_v(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return Cramer's V of two partitions of the same rows: 0 when independent, 1 when one decides the other.

    ``V = sqrt(chi2 / (n min(r - 1, c - 1)))``, without a correction for bias.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        Labels of any kind; a row where either is missing is left out.

    Returns
    -------
    float
        NaN when either has one group only: what does not vary goes with nothing.

    Raises
    ------
    BadInput
        When lengths differ.

    References
    ----------
    Cramer 1946, Mathematical Methods of Statistics, section 21.9.

    Examples
    --------
    >>> cramers_v(["x", "x", "y", "y"], [0, 0, 1, 1]), cramers_v(["x", "x", "y", "y"], [0, 1, 0, 1])
    (1.0, 0.0)
    """
    chi2, n, smaller = chi_square(a, b)
    return float(np.sqrt(min(chi2 / (n * smaller), 1.0))) if smaller > 0 else float("nan")


def chi_square(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[float, int, int]:
    """Return Pearson's chi-square of two partitions, the rows counted, and the smaller of rows - 1 and columns - 1 of their table.

    Raises
    ------
    BadInput
        When lengths differ.

    Examples
    --------
    >>> chi_square(["x", "x", "y", "y"], [0, 0, 1, 1])
    (4.0, 4, 1)
    """
    table = contingency(a, b)
    n = int(table.sum())
    if n == 0:
        return 0.0, 0, 0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    return float(((table - expected) ** 2 / expected).sum()), n, int(min(table.shape) - 1)


def contingency(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return how many rows bear each pair of labels, shape (labels of a, labels of b), in order of first appearance.

    Raises
    ------
    BadInput
        When lengths differ.

    Examples
    --------
    >>> contingency(["x", "y", "x"], [1, 1, 2])
    array([[1., 1.],
           [1., 0.]])
    """
    one, other = np.asarray(a).ravel(), np.asarray(b).ravel()
    if one.size != other.size:
        raise BadInput(f"{one.size} labels were given beside {other.size}; give two labels a row.")
    (left, levels), (right, others) = pd.factorize(one), pd.factorize(other)
    known = (left >= 0) & (right >= 0)
    table = np.zeros((len(levels), len(others)))
    np.add.at(table, (left[known], right[known]), 1.0)
    table = table[table.sum(axis=1) > 0]
    return np.asarray(table[:, table.sum(axis=0) > 0])


def correlation_ratio(groups: npt.ArrayLike, values: npt.ArrayLike) -> float:
    """Return eta, the root of the share of a number's variance that lies between groups.

    For a number that is 0 or 1 it equals Cramer's V.

    Parameters
    ----------
    groups : array_like, shape (n,)
    values : array_like, float, shape (n,)
        A row where either is missing is left out.

    Returns
    -------
    float
        In [0, 1]; NaN when the number or the group does not vary.

    Raises
    ------
    BadInput
        When lengths differ.

    References
    ----------
    Fisher 1925, Statistical Methods for Research Workers, section 45.

    Examples
    --------
    >>> round(correlation_ratio(["x", "x", "y", "y"], [1.0, 3.0, 5.0, 7.0]) ** 2, 6)
    0.8
    """
    numbers = np.asarray(values, dtype=np.float64)
    codes, levels = pd.factorize(np.asarray(groups).ravel())
    if codes.shape != numbers.shape:
        raise BadInput(f"{codes.size} groups were given beside {numbers.size} values; give one group a value.")
    known = (codes >= 0) & np.isfinite(numbers)
    codes, numbers = codes[known], numbers[known]
    counts = np.bincount(codes, minlength=len(levels))
    if np.count_nonzero(counts) < 2 or np.ptp(numbers) == 0:
        return float("nan")
    means = np.bincount(codes, weights=numbers, minlength=len(levels)) / np.maximum(counts, 1)
    between = counts @ (means - numbers.mean()) ** 2
    return float(np.sqrt(min(between / ((numbers - numbers.mean()) ** 2).sum(), 1.0)))


def kruskal_wallis(values: npt.ArrayLike, groups: npt.ArrayLike) -> Floats:
    """Return the p-value of each column for lying equally high in all groups (rank test of location, corrected for ties).

    Parameters
    ----------
    values : array_like, float, shape (n, p)
        NaN is left out, column by column.
    groups : array_like, shape (n,)

    Returns
    -------
    ndarray, float64, shape (p,)
        NaN where a column does not vary or only one group holds values.

    Raises
    ------
    BadInput
        When lengths differ.

    References
    ----------
    Kruskal & Wallis 1952, doi:10.1080/01621459.1952.10483441; chi-square approximation.

    Examples
    --------
    Ranks 1, 2 against 3, 4: H = 12 / (4 x 5) x (3^2 / 2 + 7^2 / 2) - 3 x 5 = 2.4.

    >>> kruskal_wallis([[1.0], [2.0], [3.0], [4.0]], ["x", "x", "y", "y"]).round(4)
    array([0.1213])
    """
    from scipy.stats import rankdata  # here, because loading scipy.stats costs every command half a second

    parts = _columns(values, groups)
    ranks = np.asarray(rankdata(parts.table, axis=0, nan_policy="omit"), dtype=np.float64)
    between, within = _spread(ranks, parts)
    with np.errstate(invalid="ignore", divide="ignore"):
        h = (parts.n - 1) * between / (between + within)
        found = special.chdtrc(parts.present - 1, h)
    return np.asarray(np.where((parts.present > 1) & (between + within > 0), found, np.nan))


def brown_forsythe(values: npt.ArrayLike, groups: npt.ArrayLike) -> Floats:
    """Return the p-value of each column for being equally spread in all groups (Levene's test about the median).

    Parameters
    ----------
    values : array_like, float, shape (n, p)
        NaN is left out, column by column.
    groups : array_like, shape (n,)

    Returns
    -------
    ndarray, float64, shape (p,)
        NaN where only one group holds values, no value departs from its group's median, or no rows are left to judge by.

    Raises
    ------
    BadInput
        When lengths differ.

    References
    ----------
    Brown & Forsythe 1974, doi:10.1080/01621459.1974.10482955.

    Examples
    --------
    Departures 1, 0, 1 and 3, 0, 3: F = 4 x (8 / 3) / (2 / 3 + 6) = 1.6 on 1 and 4 degrees of freedom.

    >>> brown_forsythe([[1.0], [2.0], [3.0], [1.0], [4.0], [7.0]], list("xxxyyy")).round(4)
    array([0.2746])
    """
    parts = _columns(values, groups)
    away = np.full(parts.table.shape, np.nan)
    for group in parts.member:
        rows = parts.table[group]
        away[group] = np.abs(rows - _median(rows))
    between, within = _spread(away, parts)
    free, left = parts.present - 1, parts.n - parts.present
    with np.errstate(invalid="ignore", divide="ignore"):
        found = special.fdtrc(free, left, left * between / (free * within))
        found = np.where(within > 0, found, 0.0)  # spreads that differ without any noise
    return np.asarray(np.where((free > 0) & (left > 0) & (between + within > 0), found, np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Columns beside a partition: who is a member of which group (k, n), values counted and groups present, by column."""

    table: Floats
    member: npt.NDArray[np.bool_]
    n: Floats
    present: Floats


def _columns(values: npt.ArrayLike, groups: npt.ArrayLike) -> _Columns:
    table = np.asarray(values, dtype=np.float64)
    codes, levels = pd.factorize(np.asarray(groups).ravel())
    if table.ndim != 2 or len(table) != codes.size:
        raise BadInput(f"The values have shape {table.shape} and there are {codes.size} groups; give one group a row of values.")
    member = np.asarray(codes[None, :] == np.arange(len(levels))[:, None])
    table = np.where((codes >= 0)[:, None], table, np.nan)
    counts = member.astype(np.float64) @ np.isfinite(table)
    return _Columns(table, member, counts.sum(axis=0), np.asarray((counts > 0).sum(axis=0), dtype=np.float64))


def _spread(table: Floats, parts: _Columns) -> tuple[Floats, Floats]:
    """Return the sums of squares between and within groups, by column."""
    there = np.isfinite(table)
    filled, member = np.where(there, table, 0.0), parts.member.astype(np.float64)
    counts = member @ there
    means = (member @ filled) / np.maximum(counts, 1)
    grand = filled.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    between = (counts * (means - grand) ** 2).sum(axis=0)
    within = (np.where(there, table - member.T @ means, 0.0) ** 2).sum(axis=0)
    negligible = within <= 1e-24 * (filled**2).sum(axis=0)
    return between, np.where(negligible, 0.0, within)


def _median(rows: Floats) -> Floats:
    """Return the median of each column without NaN; NaN where there is no value."""
    empty = ~np.isfinite(rows).any(axis=0)
    return np.asarray(np.where(empty, np.nan, np.nanmedian(np.where(empty, 0.0, rows), axis=0)))
