"""Wolbers' concordance for risks that compete: does who has the event first, or at all, get the higher score? In pairs, O(n log n)."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.statistics.survival import censoring, left_limit_influence

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Concordance:
    """A concordance and how each row moves it.

    Attributes
    ----------
    value : float
        NaN where no pair can be compared.
    pairs : float
        Weighted number of comparable pairs.
    contributions : ndarray, float64, shape (n,)
        The infinitesimal jackknife, the estimation of the censoring curve included; they sum to zero, and their squares to the
        variance.
    """

    value: float
    pairs: float
    contributions: Floats


def wolbers_concordance(time: npt.ArrayLike, event: npt.ArrayLike, scores: npt.ArrayLike, horizon: float = np.inf) -> Concordance:
    """Return Wolbers' concordance index by the horizon, weighted by inverse probability of censoring, in O(n log n).

    A row `i` with the event of interest (1) by the horizon is compared with a row `j` that is still followed without an event
    (``T_j > T_i``, or censored at that time), weight ``1 / G(T_i-)^2``; and with one that had a competing event no later
    (``T_j <= T_i``), weight ``1 / (G(T_i-) G(T_j-))``. The pair is concordant when `i` has the higher score, half so for a tie.
    G is the censoring curve of these rows. The publication writes ``G(T_i-) G(T_i)`` for the first weight, which differs only
    where an event and a censoring share a time; ``G(T_i-)^2`` is the weight of the pairs that are counted here.

    Parameters
    ----------
    time : array_like, shape (n,)
        Follow-up, finite.
    event : array_like, shape (n,)
        0 censored, 1 of interest, 2 and more competing.
    scores : array_like, shape (n,)
        Higher means likelier or earlier.
    horizon : float
        In the unit of time.

    Returns
    -------
    Concordance
        Without competing events, Uno's C.

    Raises
    ------
    BadInput
        For no rows, lengths that differ or a value that is not finite.

    References
    ----------
    Wolbers et al. 2014, eq. 4, doi:10.1093/biostatistics/kxt059; Uno et al. 2011, doi:10.1002/sim.4154.

    Examples
    --------
    The first row is compared with all three others, and ranks above two of them; the third with the second (which competed
    earlier) and the fourth, and ranks above both:

    >>> found = wolbers_concordance([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 0], [0.6, 0.2, 0.9, 0.1])
    >>> found.value, found.pairs
    (0.8, 5.0)
    """
    claimed = np.asarray(scores, dtype=np.float64)
    curve = censoring(time, event)  # checks time and event
    followed, seen = np.asarray(time, dtype=np.float64), np.asarray(event)
    if claimed.shape != followed.shape or not np.isfinite(claimed).all():
        raise BadInput(f"The scores have shape {claimed.shape} for {followed.size} rows, or are not all finite; give one number a row.")
    # beyond the last event the curve may reach 0; no event needs its weight
    stays = np.where(seen != 0, curve.before(followed), 1.0)
    kind = np.where(seen == 1, np.where(followed <= horizon, 1, 3), np.where(seen != 0, 2, 0)).astype(np.int64)
    order = np.argsort(followed, kind="stable").astype(np.int64)
    ranked = followed[order]
    starts = np.append(np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])), ranked.size).astype(np.int64)
    rank = np.unique(claimed, return_inverse=True)[1].astype(np.int64) + 1
    parts = _pairs(order, starts, kind, rank, 1.0 / stays)
    return _concordance(parts, followed, seen)


def _concordance(parts: Floats, time: Floats, event: npt.NDArray[np.generic]) -> Concordance:
    """Return the concordance from the right and comparable weights that :func:`_pairs` gives."""
    right, pairs = parts[:, 0] + parts[:, 2], parts[:, 1] + parts[:, 3]
    total = float(pairs.sum())
    if not total > 0:
        return Concordance(float("nan"), 0.0, np.full(len(parts), np.nan))
    value = float(right.sum()) / total
    later, competed, other, rival = ((parts[:, k] - value * parts[:, k + 1]) / total for k in (0, 2, 4, 6))
    # each 1/G carries its own -1 in d log G(T-): two at the case's time for later rows, one each for case and competitor
    sensitivity = -(2 * later + competed + rival)
    return Concordance(value, total, later + competed + other + rival + left_limit_influence(time, event, sensitivity))


@numba.njit(cache=True)
def _pairs(order: Ints, starts: Ints, kind: Ints, rank: Ints, inverse: Floats) -> Floats:
    """Return the right and the comparable weight of each row's pairs, of shape (n, 8).

    As case against later rows (0, 1), as case against competitors (2, 3), as later row (4, 5) and as competitor (6, 7).
    """
    n, top = order.size, rank.max()
    found = np.zeros((n, 8))
    cases, rivals = np.zeros(top + 1), np.zeros(top + 1)
    for g in range(starts.size - 1):  # forwards: what came before, or at the same time
        first, last = starts[g], starts[g + 1]
        for i in range(first, last):
            if kind[order[i]] != 0:
                _below(cases, rank[order[i]], found[order[i]], 4, True, 1.0)
        for i in range(first, last):
            row = order[i]
            if kind[row] == 2:
                _add(rivals, rank[row], inverse[row])
            if kind[row] == 1:
                _add(cases, rank[row], inverse[row] ** 2)
        for i in range(first, last):
            row = order[i]
            if kind[row] == 0:
                _below(cases, rank[row], found[row], 4, True, 1.0)
            if kind[row] == 1:
                _below(rivals, rank[row], found[row], 2, False, inverse[row])
    cases[:] = 0.0
    later = np.zeros(top + 1)
    for g in range(starts.size - 2, -1, -1):  # backwards: what comes after, or at the same time
        first, last = starts[g], starts[g + 1]
        for i in range(first, last):
            row = order[i]
            if kind[row] == 0:
                _add(later, rank[row], 1.0)
            if kind[row] == 1:
                _add(cases, rank[row], inverse[row])
        for i in range(first, last):
            row = order[i]
            if kind[row] == 1:
                _below(later, rank[row], found[row], 0, False, inverse[row] ** 2)
            if kind[row] == 2:
                _below(cases, rank[row], found[row], 6, True, inverse[row])
        for i in range(first, last):
            if kind[order[i]] != 0:
                _add(later, rank[order[i]], 1.0)
    return found


@numba.njit(cache=True)
def _add(tree: Floats, at: int, weight: float) -> None:
    """Add `weight` at place `at` (from 1) of a Fenwick tree; the total stands at 0."""
    tree[0] += weight
    while at < tree.size:
        tree[at] += weight
        at += at & -at


@numba.njit(cache=True)
def _sum(tree: Floats, at: int) -> float:
    total = 0.0
    while at > 0:
        total += tree[at]
        at -= at & -at
    return total


@numba.njit(cache=True)
def _below(tree: Floats, rank: int, row: Floats, column: int, above: bool, weight: float) -> None:
    """Write the weight in the tree that lies on the right side of `rank` (ties half) and all of it into `row`."""
    lower, level = _sum(tree, rank - 1), _sum(tree, rank)
    right = 0.5 * (lower + level)
    row[column] = weight * (tree[0] - right if above else right)
    row[column + 1] = weight * tree[0]
