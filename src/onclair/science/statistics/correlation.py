"""Rank correlation, plain and partial, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput
from onclair.science.statistics.ranks import midranks

Floats = npt.NDArray[np.float64]

#: Most groups of clusters that are left out in turn when rows repeat.
MOST_GROUPS = 200
#: A correlation this close to -1 or 1 is one of them; rounding made the difference.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Correlation:
    """A rank correlation.

    Attributes
    ----------
    value : float
        Spearman's rho; NaN when one side is constant or too few rows are left.
    low, high : float
        Interval at the level asked for; NaN with fewer than four rows beyond the controls, and at -1 or 1, where z is infinite.
    se_z : float
        Standard error on Fisher's z, ``atanh(rho)``; NaN where there is no interval.
    n : int
        Rows.
    method : str
    """

    value: float
    low: float
    high: float
    se_z: float
    n: int
    method: str


def spearman(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    given: npt.ArrayLike | None = None,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Correlation:
    """Return Spearman's correlation of `x` and `y`, given other columns where asked.

    The interval is formed on Fisher's z. With one row a patient its standard error is
    ``sqrt((1 + rho^2 / 2) / (n - k - 3))`` for `k` controls (Bonett & Wright 2000, eq. 3); where rows repeat it is the
    delete-one-cluster jackknife (groups of clusters beyond 200), held against t on groups - 1 degrees of freedom.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Finite.
    given : array_like, shape (n,) or (n, k), optional
        Controls: both sides' ranks are taken off the controls' ranks by least squares before they are correlated.
    clusters : array_like, shape (n,), optional
        The patient of each row.
    level : float

    Returns
    -------
    Correlation

    Raises
    ------
    BadInput
        When lengths differ or a value is NaN.

    References
    ----------
    Bonett & Wright 2000, doi:10.1007/BF02294183.

    Examples
    --------
    Ranks 1 2 3 4 against 1 2 4 3: 1 - 6 * 2 / (4 * 15).

    >>> round(spearman([1, 2, 3, 4], [10, 20, 40, 30]).value, 12)
    0.8
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    controls = np.zeros((a.size, 0)) if given is None else np.asarray(given, dtype=np.float64).reshape(a.size, -1)
    if a.ndim != 1 or a.shape != b.shape:
        raise BadInput(f"The two columns to correlate have shapes {a.shape} and {b.shape}; give one value of each a row.")
    table = np.column_stack([a, b, controls])
    value, n, side = _partial(table), a.size, (1 + level) / 2
    quantile = float(special.ndtri(side))
    repeated = clusters is not None and np.unique(np.asarray(clusters)).size < n
    if repeated:
        assert clusters is not None
        se, groups = _jackknife(table, np.asarray(clusters))
        quantile = float(special.stdtrit(groups - 1, side))
        method = f"Spearman; Fisher z, delete-one-cluster jackknife; t quantile on {groups - 1} degrees of freedom"
    else:
        left = n - controls.shape[1] - 3
        se, method = (float(np.sqrt((1 + value**2 / 2) / left)) if left > 0 else np.nan), "Spearman; Fisher z, Bonett & Wright 2000"
    if given is not None:
        method = method.replace("Spearman", "partial Spearman on rank residuals")
    if not (np.isfinite(se) and abs(value) < 1 - _ROUNDING):
        return Correlation(value, np.nan, np.nan, np.nan, n, method.split("; t quantile")[0])
    low, high = (float(np.tanh(np.arctanh(value) + way * quantile * se)) for way in (-1, 1))
    return Correlation(value, min(low, value), max(high, value), se, n, method)


def _partial(table: Floats) -> float:
    """Correlate the first two columns' ranks, the ranks of the others taken off."""
    if len(table) < table.shape[1] + 1:
        return float("nan")
    ranks = midranks(table)
    ranks = ranks - ranks.mean(axis=0)
    total = (ranks[:, :2] ** 2).sum(axis=0)
    sides = ranks[:, :2] - ranks[:, 2:] @ np.linalg.lstsq(ranks[:, 2:], ranks[:, :2], rcond=None)[0] if table.shape[1] > 2 else ranks
    left = (sides[:, :2] ** 2).sum(axis=0)
    if (left <= 1e-12 * np.maximum(total, 1.0)).any():
        return float("nan")
    return float(np.clip(sides[:, 0] @ sides[:, 1] / np.sqrt(left[0] * left[1]), -1, 1))


def _jackknife(table: Floats, clusters: npt.NDArray[np.generic]) -> tuple[float, int]:
    """Return the delete-one-group error on Fisher's z, and the number of groups."""
    _, codes = np.unique(clusters, return_inverse=True)
    groups = codes % MOST_GROUPS
    count = int(groups.max()) + 1
    if count < 3:
        return float("nan"), count
    without = np.array([_partial(table[groups != g]) for g in range(count)])
    z = np.arctanh(np.clip(without, -1 + 1e-15, 1 - 1e-15))
    return float(np.sqrt((count - 1) / count * np.sum((z - z.mean()) ** 2))), count
