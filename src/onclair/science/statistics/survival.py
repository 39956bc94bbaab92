"""Kaplan-Meier curves of events and of censoring, inverse-probability-of-censoring weights, and how each row moves them.

At tied times events come before censorings, everywhere. A row's *contribution* to a figure is the derivative of the figure with
respect to that row's weight (the infinitesimal jackknife): contributions sum to zero, their squares to the variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class KaplanMeier:
    """A product-limit curve: a step function, 1 before the first time.

    Attributes
    ----------
    time : ndarray, float64, shape (k,)
        Every distinct follow-up time, rising, whether or not the curve falls there.
    at_risk : ndarray, float64, shape (k,)
        Weight of the rows that could still leave just before each time.
    events : ndarray, float64, shape (k,)
        Weight of the rows that leave at it.
    survival : ndarray, float64, shape (k,)
        The curve from each time on.
    """

    time: Floats
    at_risk: Floats
    events: Floats
    survival: Floats

    def at(self, times: npt.ArrayLike) -> Floats:
        """Return the curve at `times`, jumps at them included; it stays flat beyond the last.

        Examples
        --------
        >>> kaplan_meier([1.0, 2.0], [1, 0]).at([0.5, 1.0, 9.0])
        array([1. , 0.5, 0.5])
        """
        return self._steps(times, "right")

    def before(self, times: npt.ArrayLike) -> Floats:
        """Return the curve just before `times` (its left limit).

        Examples
        --------
        >>> kaplan_meier([1.0, 2.0], [1, 0]).before([1.0, 2.0])
        array([1. , 0.5])
        """
        return self._steps(times, "left")

    def _steps(self, times: npt.ArrayLike, side: str) -> Floats:
        levels = np.append(1.0, self.survival)
        return np.asarray(levels[np.searchsorted(self.time, np.asarray(times, dtype=np.float64), side=side)])  # type: ignore[call-overload]


def kaplan_meier(time: npt.ArrayLike, event: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> KaplanMeier:
    """Return the Kaplan-Meier curve.

    Parameters
    ----------
    time : array_like, shape (n,)
        Follow-up, finite, in any one unit.
    event : array_like, shape (n,)
        0 censored; every other value is an event.
    weights : array_like, shape (n,), optional
        Non-negative count of each row.

    Returns
    -------
    KaplanMeier

    Raises
    ------
    BadInput
        For no rows, lengths that differ, a value that is not finite or a negative weight.

    References
    ----------
    Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452.

    Examples
    --------
    Of four, one dies at 1, one leaves at 2, one dies at 3: 3/4, then half of that.

    >>> kaplan_meier([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0]).survival
    array([0.75 , 0.75 , 0.375, 0.375])
    """
    rows = _rows(time, event, weights)
    return rows.curve(rows.at_risk, rows.died)


def censoring(time: npt.ArrayLike, event: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> KaplanMeier:
    """Return the curve of staying uncensored: events leave before censorings at the same time.

    Parameters
    ----------
    time, event, weights
        As :func:`kaplan_meier`. A competing event is an event, not a censoring.

    Returns
    -------
    KaplanMeier
        Its `at_risk` no longer holds the events of the same time; its `events` are the censorings.

    Raises
    ------
    BadInput
        As :func:`kaplan_meier`.

    References
    ----------
    Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.

    Examples
    --------
    At time 1 one dies and one leaves: of the two still there after the death, half stay.

    >>> censoring([1.0, 1.0, 2.0], [1, 0, 1]).survival
    array([0.5, 0.5])
    """
    rows = _rows(time, event, weights)
    return rows.curve(rows.at_risk - rows.died, rows.left)


def censoring_weights(time: npt.ArrayLike, event: npt.ArrayLike, horizon: float, *, weights: npt.ArrayLike | None = None) -> Floats:
    """Return each row's inverse probability of censoring weight for what is known at `horizon`.

    ``1 / G(T-)`` for rows with any event by the horizon, ``1 / G(horizon)`` for those followed beyond it, 0 for those censored by
    it, whose status is unknown; G is the :func:`censoring` curve of these very rows.

    Parameters
    ----------
    time, event
        As :func:`kaplan_meier`.
    horizon : float
        In the unit of time.
    weights : array_like, shape (n,), optional
        Counts under which G is estimated; they are not multiplied into what is returned.

    Returns
    -------
    ndarray, float64, shape (n,)

    Raises
    ------
    BadInput
        As :func:`kaplan_meier`, and when nobody is followed beyond the horizon (:func:`refuse_beyond`).

    References
    ----------
    Graf et al. 1999; Gerds & Schumacher 2006, doi:10.1002/bimj.200610301.

    Examples
    --------
    The row censored at 2 hands its weight to the two that come after it:

    >>> censoring_weights([1.0, 2.0, 3.0, 5.0], [1, 0, 1, 0], 4.0)
    array([1. , 0. , 1.5, 1.5])
    """
    rows = _rows(time, event, weights)
    refuse_beyond(rows.time[rows.weight > 0], rows.event[rows.weight > 0], horizon)
    return _weights(rows, horizon)


def refuse_beyond(time: npt.ArrayLike, event: npt.ArrayLike, horizon: float) -> None:
    """Refuse a horizon at which nobody's status could be told from follow-up beyond it.

    Parameters
    ----------
    time, event : array_like, shape (n,)
        As :func:`kaplan_meier`.
    horizon : float

    Raises
    ------
    BadInput
        When follow-up ends before the horizon, or ends at it with rows censored there; the largest usable time is offered.

    Examples
    --------
    >>> refuse_beyond([1.0, 2.0, 5.0], [1, 1, 0], 5.0)
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadInput: Nobody is followed beyond time 5 (the longest follow-up is 5), so no weight can stand for those \
censored by then; the largest usable time is 2, and every time below 5 will do.
    """
    followed, seen = np.asarray(time, dtype=np.float64), np.asarray(event) != 0
    longest = float(followed.max(initial=0.0))
    known = bool(followed.size) and bool(seen[followed == longest].all())
    if longest > horizon or (longest == horizon and known):
        return
    below = f"{followed[followed < longest].max():.6g}, and every time below {longest:g} will do" if longest > followed.min() else ""
    largest = f"the largest usable time is {f'{longest:.6g}' if known else below}" if known or below else "no time is usable"
    found = f"Nobody is followed beyond time {horizon:g} (the longest follow-up is {longest:g}), so no weight can stand for those"
    raise BadInput(f"{found} censored by then; {largest}.")


def kaplan_meier_influence(time: npt.ArrayLike, event: npt.ArrayLike, at: float) -> Floats:
    """Return each row's contribution to the Kaplan-Meier curve at time `at`.

    Parameters
    ----------
    time, event
        As :func:`kaplan_meier`.
    at : float

    Returns
    -------
    ndarray, float64, shape (n,)
        Its sum is zero; the sum of its squares is Greenwood's variance. All zero where the curve has reached 0.

    Raises
    ------
    BadInput
        As :func:`kaplan_meier`.

    References
    ----------
    Reid 1981, doi:10.1214/aos/1176345334; Greenwood 1926.

    Examples
    --------
    Without censoring the variance is that of a share, 1/2 * 1/2 / 4:

    >>> parts = kaplan_meier_influence([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1], 2.0)
    >>> parts, float(parts @ parts)
    (array([-0.125, -0.125,  0.125,  0.125]), 0.0625)
    """
    rows = _rows(time, event, None)
    value = float(rows.curve(rows.at_risk, rows.died).at(at))
    if value == 0:
        return np.zeros(rows.time.size)
    by = (rows.distinct <= at).astype(np.float64)
    return -value * _martingale(by, rows.at_risk, rows.died, rows.of_row, rows.event, rows.of_row)


def censoring_influence(time: npt.ArrayLike, event: npt.ArrayLike, at: float) -> Floats:
    """Return each row's contribution to the censoring curve at time `at`.

    Parameters
    ----------
    time, event, at
        As :func:`kaplan_meier_influence`, which says what is returned and refused.

    Examples
    --------
    >>> censoring_influence([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1], 2.0)
    array([-0.125, -0.125,  0.125,  0.125])
    """
    rows = _rows(time, event, None)
    value = float(rows.curve(rows.at_risk - rows.died, rows.left).at(at))
    return np.zeros(rows.time.size) if value == 0 else -value * rows.censoring_martingale((rows.distinct <= at).astype(np.float64))


def weights_influence(time: npt.ArrayLike, event: npt.ArrayLike, horizon: float, sensitivity: npt.ArrayLike) -> Floats:
    """Return how each row moves a figure through the censoring weights, in O(n log n).

    Row k's contribution is ``sum_i sensitivity_i dW_i / dw_k``: what a figure with derivatives ``sensitivity_i`` in the weights
    ``W_i`` of :func:`censoring_weights` owes to the estimation of G. It is added to the contributions at fixed weights.

    Parameters
    ----------
    time, event
        As :func:`censoring`.
    horizon : float
    sensitivity : array_like, shape (n,)

    Returns
    -------
    ndarray, float64, shape (n,)
        Its sum is zero.

    Raises
    ------
    BadInput
        As :func:`censoring_weights`.

    References
    ----------
    Hung & Chiang 2010, doi:10.1002/cjs.10046; Blanche et al. 2013, doi:10.1002/sim.5958.

    Examples
    --------
    The row censored at 2 raises the weight 1.5 of the one that dies at 3; those still at risk lower it:

    >>> weights_influence([1.0, 2.0, 3.0, 5.0], [1, 0, 1, 0], 4.0, [0, 0, 1, 0])
    array([ 0.  ,  0.5 , -0.25, -0.25])
    """
    rows = _rows(time, event, None)
    refuse_beyond(rows.time, rows.event, horizon)
    moved = np.asarray(sensitivity, dtype=np.float64) * _weights(rows, horizon)
    by = rows.event & (rows.time <= horizon)
    # -d log G(s) weighs every censoring time that comes before s: T- for an event by the horizon, the horizon for those beyond
    events = rows.summed(moved, by)
    after = np.cumsum(events[::-1])[::-1] - events + moved[rows.time > horizon].sum()
    return rows.censoring_martingale(np.asarray(np.where(rows.distinct <= horizon, after, 0.0), dtype=np.float64))


def left_limit_influence(time: npt.ArrayLike, event: npt.ArrayLike, sensitivity: npt.ArrayLike) -> Floats:
    """Return each row's contribution to ``sum_i sensitivity_i log G(T_i-)``, in O(n log n).

    Parameters
    ----------
    time, event
        As :func:`censoring`.
    sensitivity : array_like, shape (n,)
        Derivatives of a figure in ``log G`` just before each row's own time.

    Returns
    -------
    ndarray, float64, shape (n,)
        Its sum is zero.

    Raises
    ------
    BadInput
        As :func:`kaplan_meier`.

    Examples
    --------
    log G(3-) is log(2/3): the row censored at 2 lowers it by 1/2, those still at risk raise it by 1/2 - 1/3 each:

    >>> left_limit_influence([2.0, 3.0, 4.0], [0, 1, 1], [0, 1, 0]).round(6)
    array([-0.333333,  0.166667,  0.166667])
    """
    rows = _rows(time, event, None)
    at_time = rows.summed(np.asarray(sensitivity, dtype=np.float64), np.ones(rows.event.size, dtype=bool))
    return -rows.censoring_martingale(np.cumsum(at_time[::-1])[::-1] - at_time)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows with their distinct times: `of_row` is each row's place among them; died, left and at risk are weights at them."""

    time: Floats
    event: Bools
    weight: Floats
    distinct: Floats
    of_row: npt.NDArray[np.int64]
    at_risk: Floats
    died: Floats
    left: Floats

    def summed(self, values: Floats, which: Bools) -> Floats:
        """Sum the values of some rows over the distinct times, of shape (k,)."""
        return _summed(self.of_row, values, which, self.distinct.size)

    def curve(self, at_risk: Floats, leaving: Floats) -> KaplanMeier:
        stay = 1.0 - np.divide(leaving, at_risk, out=np.zeros_like(leaving), where=leaving > 0)
        return KaplanMeier(self.distinct, at_risk, leaving, np.asarray(np.cumprod(stay), dtype=np.float64))

    def censoring_martingale(self, weigh: Floats) -> Floats:
        """Row k's sum over censoring times u of ``weigh(u) (dN_k - Y_k c / Y) / (Y - c)``; an event is not at risk at its time."""
        return _martingale(weigh, self.at_risk - self.died, self.left, self.of_row, ~self.event, self.of_row - self.event)


def _martingale(
    weigh: Floats, at_risk: Floats, leaving: Floats, own: npt.NDArray[np.int64], leaves: Bools, last: npt.NDArray[np.int64]
) -> Floats:
    """Sum each row's compensated leaving over the distinct times up to its `last`; times at which all leave weigh nothing."""
    stay = at_risk - leaving
    open_ = (stay > 0) & (leaving > 0)
    jump = np.divide(weigh, stay, out=np.zeros_like(stay), where=open_)
    drift = np.append(0.0, np.cumsum(jump * np.divide(leaving, at_risk, out=np.zeros_like(stay), where=open_)))
    return np.asarray(np.where(leaves, jump[own], 0.0) - drift[last + 1])


def _weights(rows: _Rows, horizon: float) -> Floats:
    curve = rows.curve(rows.at_risk - rows.died, rows.left)
    by, beyond = rows.event & (rows.time <= horizon), rows.time > horizon
    stays = np.where(by, curve.before(rows.time), float(curve.at(horizon)))
    # rows without weight may lie where the curve of the others has ended; they count for nothing
    return np.divide(1.0, stays, out=np.zeros_like(stays), where=(by | beyond) & (stays > 0))


def _rows(time: npt.ArrayLike, event: npt.ArrayLike, weights: npt.ArrayLike | None) -> _Rows:
    followed, seen = np.asarray(time, dtype=np.float64), np.asarray(event) != 0
    counts = np.ones(followed.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    if followed.ndim != 1 or not followed.size or seen.shape != followed.shape or counts.shape != followed.shape:
        raise BadInput(f"Times have shape {followed.shape}, events {seen.shape} and weights {counts.shape}; give one of each a row.")
    if not np.isfinite(followed).all() or not np.isfinite(counts).all() or (counts < 0).any():
        raise BadInput("A follow-up time or weight is NaN, infinite or a negative weight; correct or drop such rows.")
    distinct, of_row = np.unique(followed, return_inverse=True)
    died, left = (_summed(of_row, counts, which, distinct.size) for which in (seen, ~seen))
    at_risk = np.asarray(np.cumsum((died + left)[::-1])[::-1], dtype=np.float64)
    return _Rows(followed, seen, counts, distinct, of_row.astype(np.int64), at_risk, died, left)


def _summed(of_row: npt.NDArray[np.int64], values: Floats, which: Bools, size: int) -> Floats:
    return np.asarray(np.bincount(of_row[which], weights=values[which], minlength=size), dtype=np.float64)
