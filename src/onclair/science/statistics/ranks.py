"""Ranks and what follows from them: the area under the ROC curve, placement values, and area and average precision under row weights."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def midranks(values: npt.ArrayLike) -> Floats:
    """Return ranks from 1, ties sharing their mean rank, along the first axis.

    Parameters
    ----------
    values : array_like, shape (n,) or (n, columns)
        Finite numbers; each column is ranked by itself.

    Returns
    -------
    ndarray, float64, same shape

    Raises
    ------
    BadInput
        When a value is NaN: a missing value has no rank.

    Examples
    --------
    >>> midranks([10.0, 20.0, 20.0, 5.0])
    array([2. , 3.5, 3.5, 1. ])
    """
    array = np.asarray(values, dtype=np.float64)
    missing = int(np.isnan(array).sum())
    if missing:
        raise BadInput(f"{missing} of {array.size} values to rank are NaN; drop those rows or say how they are to be filled.")
    from scipy.stats import rankdata  # here, because loading scipy.stats costs every command half a second

    return np.asarray(rankdata(array, axis=0), dtype=np.float64)


def auc(truth: npt.ArrayLike, scores: npt.ArrayLike) -> Floats:
    """Return the area under the ROC curve, ties counted one half.

    ``AUC = (sum of mid-ranks of the positives - m (m + 1) / 2) / (m k)`` for `m` positives and `k` negatives.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
    scores : array_like, shape (n,) or (n, columns)
        Higher means more likely positive.

    Returns
    -------
    ndarray, float64, shape () or (columns,)
        NaN when only one class is present.

    Raises
    ------
    BadInput
        When lengths differ, the truth holds a third value or a score is NaN.

    References
    ----------
    Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    One of the four pairs is in the wrong order:

    >>> float(auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    positive, columns = _checked(truth, scores)
    m, k = int(positive.sum()), int((~positive).sum())
    if m == 0 or k == 0:
        return np.full(columns.shape[1:], np.nan)
    ranks = midranks(columns)[positive].sum(axis=0)
    return np.asarray((ranks - m * (m + 1) / 2) / (m * k), dtype=np.float64)


def placements(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the placement values: for each row, the share of the other class that it stands on the right side of.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
        Both classes present.
    scores : array_like, shape (n,) or (n, columns)

    Returns
    -------
    positives : ndarray, shape (m,) or (m, columns)
        Share of negatives below each positive (ties one half), in the order of the rows; its mean is the AUC.
    negatives : ndarray, shape (k,) or (k, columns)
        Share of positives above each negative; its mean is the AUC.

    Raises
    ------
    BadInput
        When only one class is present, lengths differ or a score is NaN.

    References
    ----------
    DeLong et al. 1988, eq. 4, doi:10.2307/2531595; by mid-ranks in O(n log n): Sun & Xu 2014, doi:10.1109/LSP.2014.2337313.

    Examples
    --------
    >>> above, below = placements([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> above, below
    (array([0.5, 1. ]), array([1. , 0.5]))
    """
    positive, columns = _checked(truth, scores)
    m, k = int(positive.sum()), int((~positive).sum())
    if m == 0 or k == 0:
        raise BadInput(f"Placement values need both classes; {m} rows are positive and {k} negative.")
    ranks = midranks(columns)
    above = (ranks[positive] - midranks(columns[positive])) / k
    below = 1.0 - (ranks[~positive] - midranks(columns[~positive])) / m
    return above, below


def _checked(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Bools, Floats]:
    labels, columns = np.asarray(truth), np.asarray(scores, dtype=np.float64)
    if labels.ndim != 1 or columns.ndim not in (1, 2) or len(labels) != len(columns):
        raise BadInput(f"The truth has shape {labels.shape} and the scores {columns.shape}; give one truth a row.")
    foreign = labels[(labels != 0) & (labels != 1)]
    if foreign.size:
        raise BadInput(f"The truth holds {foreign[0]} in {foreign.size} of {labels.size} rows; it must be 0 or 1.")
    return labels == 1, columns


@dataclass(frozen=True, slots=True, eq=False)
class SortedScores:
    """Scores sorted once, so that the AUC under any row weights costs one pass.

    Attributes
    ----------
    order : ndarray, int64, shape (n,)
        Rows from the lowest score to the highest.
    positive : ndarray, bool, shape (n,)
        The truth in that order.
    group_end : ndarray, bool, shape (n,)
        True at the last row of each run of equal scores.
    """

    order: npt.NDArray[np.int64]
    positive: Bools
    group_end: Bools


def sorted_scores(truth: npt.ArrayLike, scores: npt.ArrayLike) -> SortedScores:
    """Return `scores` (n,) sorted once for :func:`weighted_auc`.

    Raises
    ------
    BadInput
        When lengths differ, the truth holds a third value or a score is NaN.

    Examples
    --------
    >>> sorted_scores([0, 1, 1], [0.5, 0.2, 0.5]).order
    array([1, 0, 2])
    """
    positive, column = _checked(truth, scores)
    if column.ndim != 1 or np.isnan(column).any():
        raise BadInput(f"The scores to sort have shape {column.shape} and {int(np.isnan(column).sum())} NaN; give one finite score a row.")
    order = np.argsort(column, kind="stable")
    ranked = column[order]
    return SortedScores(order.astype(np.int64), positive[order], np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])


def weighted_auc(ready: SortedScores, weights: npt.ArrayLike) -> float:
    """Return the AUC when row `i` counts ``weights[i]`` times; NaN when a class has no weight.

    Parameters
    ----------
    ready : SortedScores
    weights : array_like, shape (n,)
        Non-negative, in the order of the rows that were sorted.

    Examples
    --------
    The second positive counted three times: (1 x 0.5 + 3 x 1) / 4.

    >>> weighted_auc(sorted_scores([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), [1, 1, 1, 3])
    0.875
    """
    return float(_weighted_auc(ready.order, ready.positive, ready.group_end, np.asarray(weights, dtype=np.float64)))


def weighted_average_precision(ready: SortedScores, weights: npt.ArrayLike) -> float:
    """Return the average precision when row `i` counts ``weights[i]`` times; NaN when no positive row counts.

    The mean, over positive rows, of the share of positives among the rows that score at least as high.

    Parameters
    ----------
    ready : SortedScores
    weights : array_like, shape (n,)
        Non-negative, in the order of the rows that were sorted.

    Examples
    --------
    The positives stand first and third from the top: (1 / 1 + 2 / 3) / 2.

    >>> round(weighted_average_precision(sorted_scores([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), [1, 1, 1, 1]), 6)
    0.833333
    """
    return float(_weighted_average_precision(ready.order, ready.positive, ready.group_end, np.asarray(weights, dtype=np.float64)))


@numba.njit(cache=True)
def _weighted_auc(order: npt.NDArray[np.int64], positive: Bools, group_end: Bools, weights: Floats) -> float:
    below = up = down = pairs = 0.0
    m = 0.0
    for i in range(order.size):
        w = weights[order[i]]
        if positive[i]:
            up += w
        else:
            down += w
        if group_end[i]:
            pairs += up * (below + 0.5 * down)
            below += down
            m += up
            up = down = 0.0
    return pairs / (m * below) if m * below > 0 else np.nan


@numba.njit(cache=True)
def _weighted_average_precision(order: npt.NDArray[np.int64], positive: Bools, group_end: Bools, weights: Floats) -> float:
    above = true = before = summed = 0.0
    for i in range(order.size - 1, -1, -1):
        w = weights[order[i]]
        above += w
        if positive[i]:
            true += w
        if (i == 0 or group_end[i - 1]) and true > before:
            summed += (true - before) * true / above
            before = true
    return summed / true if true > 0 else np.nan
