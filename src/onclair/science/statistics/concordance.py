"""Concordance of scores with follow-up times: Harrell's and Uno's, each with what every row adds to it, in O(n log n).

A pair of rows can be compared when the first has the event and the second is followed longer, or as long and censored. It is
concordant when the first has the higher score; equal scores count one half. Sums run over binary indexed trees (Fenwick 1994,
doi:10.1002/spe.4380240306) of the scores' ranks, so no pair is ever listed.
"""

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
    """How often scores and times agree.

    Attributes
    ----------
    value : float
        Share of the comparable pairs that are concordant; NaN when no pair is comparable.
    contributions : ndarray, float64, shape (n,)
        Each row's: what it adds to ``concordant + tied / 2 - value * comparable`` in either place of a pair, over the comparable
        pairs. They sum to zero; pair weights are held fixed.
    pair_weights : ndarray, float64, shape (n,)
        Of the pairs that each row leads; 0 for rows that lead none.
    led : ndarray, float64, shape (n,)
        The part of `contributions` that comes from the pairs each row leads, weighted.
    """

    value: float
    contributions: Floats
    pair_weights: Floats
    led: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SortedFollowUp:
    """Follow-up and scores sorted once, so that a concordance under any row weights costs one pass.

    Attributes
    ----------
    order : ndarray, int64, shape (n,)
        Rows by rising time; events before censorings at the same time.
    bounds : ndarray, int64, shape (k, 3)
        For each distinct time: where its events begin, its censorings begin, and it ends, in that order.
    rank : ndarray, int64, shape (n,)
        Place of each row's score among the distinct scores, from 1; in the order of the rows.
    levels : int
        Distinct scores.
    leads : ndarray, bool, shape (n,)
        Rows with the event; in the order of the rows.
    """

    order: Ints
    bounds: Ints
    rank: Ints
    levels: int
    leads: npt.NDArray[np.bool_]


def sorted_follow_up(time: npt.ArrayLike, event: npt.ArrayLike, scores: npt.ArrayLike) -> SortedFollowUp:
    """Return follow-up and scores sorted once.

    Parameters
    ----------
    time : array_like, shape (n,)
        Finite, in any one unit.
    event : array_like, shape (n,)
        0 censored; every other value is the event.
    scores : array_like, shape (n,)
        Finite; higher means earlier.

    Returns
    -------
    SortedFollowUp

    Raises
    ------
    BadInput
        For no rows, lengths that differ or a value that is not finite.

    Examples
    --------
    >>> ready = sorted_follow_up([2.0, 1.0, 1.0], [1, 0, 1], [0.3, 0.3, 0.9])
    >>> ready.order, ready.bounds.tolist(), ready.rank
    (array([2, 1, 0]), [[0, 1, 2], [2, 3, 3]], array([1, 1, 2]))
    """
    followed, seen, claimed = np.asarray(time, dtype=np.float64), np.asarray(event) != 0, np.asarray(scores, dtype=np.float64)
    if followed.ndim != 1 or not followed.size or seen.shape != followed.shape or claimed.shape != followed.shape:
        raise BadInput(f"Times have shape {followed.shape}, events {seen.shape} and scores {claimed.shape}; give one of each a row.")
    if not (np.isfinite(followed).all() and np.isfinite(claimed).all()):
        raise BadInput("A follow-up time or a score is NaN or infinite; a concordance needs both of every row: drop or fill such rows.")
    distinct, of_row = np.unique(followed, return_inverse=True)
    order = np.argsort(2 * of_row + ~seen, kind="stable")
    end = np.cumsum(np.bincount(of_row, minlength=distinct.size))
    middle = end - np.bincount(of_row[~seen], minlength=distinct.size)
    bounds = np.column_stack([np.append(0, end[:-1]), middle, end])
    levels, rank = np.unique(claimed, return_inverse=True)
    return SortedFollowUp(order.astype(np.int64), bounds.astype(np.int64), rank.astype(np.int64) + 1, levels.size, seen)


def harrell(time: npt.ArrayLike, event: npt.ArrayLike, scores: npt.ArrayLike) -> Concordance:
    """Return Harrell's concordance: every comparable pair counts once.

    Parameters
    ----------
    time, event, scores
        As :func:`sorted_follow_up`.

    Returns
    -------
    Concordance

    Raises
    ------
    BadInput
        As :func:`sorted_follow_up`.

    References
    ----------
    Harrell et al. 1982, doi:10.1001/jama.1982.03320430047030; infinitesimal jackknife: Therneau & Watson 2015.

    Examples
    --------
    Pairs led by the first: both others, in order. Led by the second: the third, out of order.

    >>> round(harrell([1.0, 2.0, 3.0], [1, 1, 0], [0.9, 0.2, 0.4]).value, 6)
    0.666667
    """
    ready = sorted_follow_up(time, event, scores)
    return _concordance(ready, ready.leads.astype(np.float64))


def uno(time: npt.ArrayLike, event: npt.ArrayLike, scores: npt.ArrayLike, *, tau: float | None = None) -> Concordance:
    """Return Uno's concordance: a pair counts ``1 / G(T-)^2`` of the row that leads it, so that censoring does not matter.

    G is the censoring curve of these very rows. The contributions hold G fixed, as R's ``concordance(timewt = "n/G2")`` does;
    :func:`uno_censoring_influence` gives what they owe to its estimation.

    Parameters
    ----------
    time, event, scores
        As :func:`sorted_follow_up`.
    tau : float, optional
        Only events before `tau` lead a pair.

    Returns
    -------
    Concordance

    Raises
    ------
    BadInput
        As :func:`sorted_follow_up`.

    References
    ----------
    Uno et al. 2011, eq. 6, doi:10.1002/sim.4154.

    Examples
    --------
    One row is censored at 1.5, so G(2-) = 2/3 and the pair led at 2 counts 9/4: 3 / (3 + 9/4).

    >>> round(uno([1.0, 1.5, 2.0, 3.0], [1, 0, 1, 0], [0.9, 0.1, 0.2, 0.4]).value, 6)
    0.571429
    """
    ready = sorted_follow_up(time, event, scores)
    followed = np.asarray(time, dtype=np.float64)
    leads = ready.leads if tau is None else ready.leads & (followed < tau)
    stays = censoring(followed, ready.leads).before(followed)
    return _concordance(ready, np.divide(1.0, stays**2, out=np.zeros(followed.size), where=leads))


def uno_censoring_influence(time: npt.ArrayLike, event: npt.ArrayLike, found: Concordance) -> Floats:
    """Return what each row adds to Uno's concordance through the estimated censoring curve.

    Parameters
    ----------
    time, event : array_like, shape (n,)
    found : Concordance
        From :func:`uno` on the same rows.

    Returns
    -------
    ndarray, float64, shape (n,)
        To be added to ``found.contributions``; its sum is zero.

    Raises
    ------
    BadInput
        As :func:`uno`.

    Examples
    --------
    Without censoring there is nothing to add:

    >>> time, event = [1.0, 2.0, 3.0], [1, 1, 1]
    >>> uno_censoring_influence(time, event, uno(time, event, [0.9, 0.2, 0.4])).any()
    np.False_
    """
    return left_limit_influence(time, event, -2.0 * found.led)


def weighted_harrell(ready: SortedFollowUp, weights: npt.ArrayLike) -> float:
    """Return Harrell's concordance when row `i` counts ``weights[i]`` times; NaN when no pair is comparable.

    Parameters
    ----------
    ready : SortedFollowUp
    weights : array_like, shape (n,)
        Non-negative, in the order of the rows that were sorted.

    Examples
    --------
    The row out of order counted twice: 3 of 1 + 2 + 2 pairs.

    >>> ready = sorted_follow_up([1.0, 2.0, 3.0], [1, 1, 0], [0.9, 0.2, 0.4])
    >>> round(weighted_harrell(ready, [1, 1, 2]), 6)
    0.6
    """
    counts = np.asarray(weights, dtype=np.float64)
    return float(_value(ready.order, ready.bounds, ready.rank, ready.levels, counts, np.ones(counts.size)))


def weighted_uno(ready: SortedFollowUp, weights: npt.ArrayLike) -> float:
    """Return Uno's concordance under row weights, the censoring curve estimated under them too; NaN as :func:`weighted_harrell`.

    Examples
    --------
    >>> time, event, scores = [1.0, 1.5, 2.0, 3.0], [1, 0, 1, 0], [0.9, 0.1, 0.2, 0.4]
    >>> round(weighted_uno(sorted_follow_up(time, event, scores), [1, 1, 1, 1]), 6)
    0.571429
    """
    counts = np.asarray(weights, dtype=np.float64)
    return float(_value(ready.order, ready.bounds, ready.rank, ready.levels, counts, _uno_weights(ready.order, ready.bounds, counts)))


def weighted_placements(scores: npt.ArrayLike, cases: npt.ArrayLike, controls: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return where each row stands among weighted cases and controls: what a weighted AUC is made of.

    Parameters
    ----------
    scores : array_like, shape (n,)
    cases, controls : array_like, shape (n,)
        Non-negative weight of each row as a case and as a control; 0 for a row that is not one.

    Returns
    -------
    above : ndarray, float64, shape (n,)
        Share of the controls' weight at lower scores than the row's (ties one half); its mean over cases is the AUC.
    below : ndarray, float64, shape (n,)
        Share of the cases' weight at higher scores; its mean over controls is the AUC.

    Raises
    ------
    BadInput
        When there is no case or no control, lengths differ or a score is NaN.

    References
    ----------
    Uno et al. 2007, doi:10.1198/016214507000000149; Hung & Chiang 2010, doi:10.1002/cjs.10046.

    Examples
    --------
    Of the controls at 1 and 3, the second counts three times:

    >>> weighted_placements([1, 2, 3], [0, 1, 0], [1, 0, 3])[0][1]
    np.float64(0.25)
    """
    claimed, case, control = (np.asarray(v, dtype=np.float64) for v in (scores, cases, controls))
    if claimed.ndim != 1 or case.shape != claimed.shape or control.shape != claimed.shape or np.isnan(claimed).any():
        raise BadInput(
            f"Scores have shape {claimed.shape}, cases {case.shape} and controls {control.shape}; give one finite of each a row."
        )
    if not (case.sum() > 0 and control.sum() > 0):
        raise BadInput(f"Placements need cases and controls; the cases weigh {case.sum():g} and the controls {control.sum():g}.")
    _, rank = np.unique(claimed, return_inverse=True)
    of_control, of_case = np.bincount(rank, weights=control), np.bincount(rank, weights=case)
    above = (np.cumsum(of_control) - 0.5 * of_control)[rank] / control.sum()
    return above, 1.0 - (np.cumsum(of_case) - 0.5 * of_case)[rank] / case.sum()


def _concordance(ready: SortedFollowUp, pair_weights: Floats) -> Concordance:
    ones = np.ones(pair_weights.size)
    agrees, pairs = _led(ready.order, ready.bounds, ready.rank, ready.levels, ones)
    comparable = float(pair_weights @ pairs)
    if not comparable > 0:
        nothing = np.full(ones.size, np.nan)
        return Concordance(float("nan"), nothing, pair_weights, nothing.copy())
    value = float(pair_weights @ agrees) / comparable
    led = pair_weights * (agrees - value * pairs) / comparable
    agrees, pairs = _followed(ready.order, ready.bounds, ready.rank, ready.levels, pair_weights)
    return Concordance(value, led + (agrees - value * pairs) / comparable, pair_weights, led)


@numba.njit(cache=True)
def _add(tree: Floats, place: int, value: float) -> None:
    while place < tree.size:
        tree[place] += value
        place += place & -place


@numba.njit(cache=True)
def _below(tree: Floats, place: int) -> float:
    """Sum of what stands in the places up to `place`."""
    total = 0.0
    while place > 0:
        total += tree[place]
        place -= place & -place
    return total


@numba.njit(cache=True)
def _led(order: Ints, bounds: Ints, rank: Ints, levels: int, weights: Floats) -> tuple[Floats, Floats]:
    """For each row with the event, the weight of the rows it agrees with (ties one half) and of all it is compared with."""
    agrees, pairs = np.zeros(order.size), np.zeros(order.size)
    tree, same, total = np.zeros(levels + 1), np.zeros(levels + 1), 0.0
    for g in range(bounds.shape[0] - 1, -1, -1):
        start, middle, end = bounds[g]
        for p in range(middle, end):
            _add(tree, rank[order[p]], weights[order[p]])
            same[rank[order[p]]] += weights[order[p]]
            total += weights[order[p]]
        for p in range(start, middle):
            i = order[p]
            agrees[i] = _below(tree, rank[i] - 1) + 0.5 * same[rank[i]]
            pairs[i] = total
        for p in range(start, middle):
            _add(tree, rank[order[p]], weights[order[p]])
            same[rank[order[p]]] += weights[order[p]]
            total += weights[order[p]]
    return agrees, pairs


@numba.njit(cache=True)
def _followed(order: Ints, bounds: Ints, rank: Ints, levels: int, weights: Floats) -> tuple[Floats, Floats]:
    """For each row, the weight of the events before it that agree with it and of all that are compared with it."""
    agrees, pairs = np.zeros(order.size), np.zeros(order.size)
    tree, same, total = np.zeros(levels + 1), np.zeros(levels + 1), 0.0
    for g in range(bounds.shape[0]):
        start, middle, end = bounds[g]
        for p in range(start, middle):
            j = order[p]
            agrees[j] = total - _below(tree, rank[j]) + 0.5 * same[rank[j]]
            pairs[j] = total
        for p in range(start, middle):
            _add(tree, rank[order[p]], weights[order[p]])
            same[rank[order[p]]] += weights[order[p]]
            total += weights[order[p]]
        for p in range(middle, end):
            j = order[p]
            agrees[j] = total - _below(tree, rank[j]) + 0.5 * same[rank[j]]
            pairs[j] = total
    return agrees, pairs


@numba.njit(cache=True)
def _value(order: Ints, bounds: Ints, rank: Ints, levels: int, counts: Floats, pair_weights: Floats) -> float:
    agrees, pairs = _led(order, bounds, rank, levels, counts)
    above = (counts * pair_weights * agrees).sum()
    comparable = (counts * pair_weights * pairs).sum()
    return above / comparable if comparable > 0 else np.nan


@numba.njit(cache=True)
def _uno_weights(order: Ints, bounds: Ints, counts: Floats) -> Floats:
    """Return 1 / G(T-)^2 of each row with the event, G under these counts."""
    weights, stays, at_risk = np.zeros(order.size), 1.0, counts.sum()
    for g in range(bounds.shape[0]):
        start, middle, end = bounds[g]
        for p in range(start, middle):
            if stays > 0:
                weights[order[p]] = 1.0 / stays**2
            at_risk -= counts[order[p]]
        left = 0.0
        for p in range(middle, end):
            left += counts[order[p]]
        if left > 0:
            stays *= max(1.0 - left / at_risk, 0.0)
        at_risk -= left
    return weights
