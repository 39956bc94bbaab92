"""What acting on a flag brings, row by row: net benefit under a binary, sampled, survival or competing outcome.

Every kind answers the same three questions: whom a threshold flags, what treating those flagged brings at given odds, with each
row's contribution to it, and the same for all thresholds at once under the counts of a bootstrap replicate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numba
import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadSetting
from onclair.science.statistics.competing import TimeOrder, incidence, incidence_influence, time_order
from onclair.validate.censored import events_by
from onclair.validate.followed import Followed
from onclair.validate.rows import Clustered, Floats, Rows, judged_risks

Ints = npt.NDArray[np.int64]


class Gain(NamedTuple):
    """The net benefit of treating some rows.

    Attributes
    ----------
    value : float
        NaN where `reason` says why it cannot be had.
    contributions : ndarray, float64, shape (n,)
        Each row's first-order contribution; they sum to zero.
    reason : str or None
    """

    value: float
    contributions: Floats
    reason: str | None = None


class Acting(Protocol):
    """A claim that patients may be treated on, and the outcome by which that is judged."""

    @property
    def rows(self) -> Clustered:
        """The judged rows."""

    @property
    def events(self) -> int:
        """Patients with the event, by the horizon where there is one."""

    @property
    def how(self) -> str:
        """The method in words."""

    def flagged(self, threshold: float) -> Floats:
        """Return for each row the share of repeats in which its risk is at or above the threshold, of shape (n,)."""

    def gain(self, flagged: Floats, odds: float) -> Gain:
        """Return the net benefit, per patient, of treating `flagged` when one false positive costs `odds` true ones.

        At odds 0 with everyone flagged it is the share of events.
        """

    def bins(self, thresholds: Floats) -> Ints:
        """Return how many of the rising `thresholds` each risk reaches, of shape (repeats, n)."""

    def under(self, bins: Ints, odds: Floats, weights: Floats) -> Floats:
        """Return the net benefit at every threshold when row `i` counts ``weights[i]`` times; NaN where it cannot be had."""


@dataclass(frozen=True, slots=True, eq=False)
class ActingOnTruth:
    """Outcomes known for every row of a cohort."""

    rows: Rows
    how: str = "net benefit, risk >= threshold"

    @property
    def events(self) -> int:
        """See :attr:`Acting.events`."""
        return self.rows.events

    def flagged(self, threshold: float) -> Floats:
        """See :meth:`Acting.flagged`."""
        return np.asarray((self.rows.scores >= threshold).mean(axis=0), dtype=np.float64)

    def gain(self, flagged: Floats, odds: float) -> Gain:
        """Mean over rows of 1, minus the odds, or 0 (Vickers & Elkin 2006)."""
        each = flagged * np.where(self.rows.truth, 1.0, -odds)
        value = float(each.mean())
        return Gain(value, (each - value) / each.size)

    def bins(self, thresholds: Floats) -> Ints:
        """See :meth:`Acting.bins`."""
        return np.asarray(np.searchsorted(thresholds, self.rows.scores, side="right"), dtype=np.int64)

    def under(self, bins: Ints, odds: Floats, weights: Floats) -> Floats:
        """See :meth:`Acting.under`; one pass for all thresholds."""
        caught, wrong = _flagged_weights(bins, self.rows.truth, weights, odds.size)
        return np.asarray((caught - odds * wrong) / weights.sum(), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class ActingOnSample:
    """Cases and controls sampled apart, with the prevalence that they come from."""

    rows: Rows
    prevalence: float

    @property
    def events(self) -> int:
        """See :attr:`Acting.events`."""
        return self.rows.events

    @property
    def how(self) -> str:
        """The method in words."""
        return f"net benefit, risk >= threshold; case-control, at the declared prevalence {self.prevalence:g}"

    def flagged(self, threshold: float) -> Floats:
        """See :meth:`Acting.flagged`."""
        return np.asarray((self.rows.scores >= threshold).mean(axis=0), dtype=np.float64)

    def gain(self, flagged: Floats, odds: float) -> Gain:
        """``prevalence * sensitivity - (1 - prevalence) * odds * (1 - specificity)`` (Pfeiffer & Gail 2020, doi:10.1002/bimj.201800240)."""
        truth = self.rows.truth
        if self.rows.one_class:
            return Gain(float("nan"), np.zeros(truth.size), self.rows.one_class)
        caught, wrong = float(flagged[truth].mean()), float(flagged[~truth].mean())
        worth, cost = self.prevalence / truth.sum(), (1 - self.prevalence) * odds / (~truth).sum()
        each = np.where(truth, worth * (flagged - caught), -cost * (flagged - wrong))
        return Gain(self.prevalence * caught - (1 - self.prevalence) * odds * wrong, each)

    def bins(self, thresholds: Floats) -> Ints:
        """See :meth:`Acting.bins`."""
        return np.asarray(np.searchsorted(thresholds, self.rows.scores, side="right"), dtype=np.int64)

    def under(self, bins: Ints, odds: Floats, weights: Floats) -> Floats:
        """See :meth:`Acting.under`; one pass for all thresholds."""
        caught, wrong = _flagged_weights(bins, self.rows.truth, weights, odds.size)
        cases, controls = weights[self.rows.truth].sum(), weights[~self.rows.truth].sum()
        if cases == 0 or controls == 0:
            return np.full(odds.size, np.nan)
        return np.asarray(self.prevalence * caught / cases - (1 - self.prevalence) * odds * wrong / controls)


@dataclass(frozen=True, slots=True, eq=False)
class ActingInTime:
    """Outcomes by a horizon, some of them censored before it, some forestalled by competing events."""

    rows: Followed
    horizon: float
    order: TimeOrder

    @property
    def events(self) -> int:
        """See :attr:`Acting.events`."""
        return events_by(self.rows, self.horizon)

    @property
    def how(self) -> str:
        """The method in words."""
        competing = bool((self.rows.event > 1).any())
        curve = "Aalen-Johansen" if competing else "Kaplan-Meier"
        return f"net benefit by {self.horizon:g}, risk >= threshold; {curve} risk among those flagged, Vickers 2008"

    def flagged(self, threshold: float) -> Floats:
        """See :meth:`Acting.flagged`."""
        return np.asarray(self.rows.scores >= threshold, dtype=np.float64)

    def gain(self, flagged: Floats, odds: float) -> Gain:
        """``share flagged * (r - (1 - r) * odds)``, r the incidence by the horizon among those flagged."""
        if not flagged.any():
            return Gain(0.0, np.zeros(flagged.size))
        if not incidence(self.order, flagged)[1]:
            return Gain(float("nan"), np.zeros(flagged.size), self._short(flagged))
        share = float(flagged.mean())
        r, moves = incidence_influence(self.order, flagged)
        worth = r - (1 - r) * odds
        each = worth * (flagged - share) / flagged.size + share * (1 + odds) * flagged * moves
        return Gain(share * worth, each)

    def bins(self, thresholds: Floats) -> Ints:
        """See :meth:`Acting.bins`."""
        return np.asarray(np.searchsorted(thresholds, self.rows.scores, side="right"), dtype=np.int64)[None, :]

    def under(self, bins: Ints, odds: Floats, weights: Floats) -> Floats:
        """See :meth:`Acting.under`; all thresholds in one pass over the rows by time."""
        by_time, starts = self.order.order, self.order.starts[: self.order.runs + 1]
        share, risk = _flagged_risks(starts, self.order.kind, self.order.touches, bins[0][by_time], weights[by_time], odds.size)
        return np.asarray(np.where(share > 0, share * (risk - (1 - risk) * odds), 0.0))

    def _short(self, flagged: Floats) -> str:
        longest = float(self.rows.time[flagged > 0].max())
        return f"the longest follow-up of the {int(flagged.sum())} flagged rows is {longest:.6g}, short of {self.horizon:g}"


def acting_on(
    truth: npt.ArrayLike,
    risks: npt.ArrayLike,
    patients: npt.ArrayLike | None = None,
    *,
    prevalence: float | None = None,
    level: float = 0.95,
) -> ActingOnTruth | ActingOnSample:
    """Return what acting on risks of a binary outcome needs.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
    patients : array_like, shape (n,), optional
    prevalence : float, optional
        Of the population, in (0, 1), where cases and controls were sampled apart (their share in the table says nothing).

    Returns
    -------
    ActingOnTruth or ActingOnSample

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.
    BadSetting
        For a prevalence outside (0, 1).

    Examples
    --------
    Half of the cases and no control are flagged; one patient in five is a case:

    >>> acting = acting_on([1, 1, 0, 0], [0.9, 0.1, 0.2, 0.1], prevalence=0.2)
    >>> acting.gain(acting.flagged(0.5), 1.0).value
    0.1
    """
    rows = judged_risks(truth, risks, patients, level=level)
    if prevalence is None:
        return ActingOnTruth(rows)
    if not 0 < prevalence < 1:
        raise BadSetting(f"The prevalence is {prevalence}; give a share between 0 and 1 (20 percent is 0.2).", item="prevalence")
    return ActingOnSample(rows, float(prevalence))


def acting_in_time(rows: Followed, horizon: float) -> ActingInTime:
    """Return what acting on risks of an event by a horizon needs.

    Parameters
    ----------
    rows : Followed
        From :func:`onclair.validate.followed.followed_risks`.
    horizon : float
        In the unit of time.

    Returns
    -------
    ActingInTime

    Raises
    ------
    BadInput
        When follow-up ends before the horizon; the largest usable time is offered.

    Examples
    --------
    >>> from onclair.validate.followed import followed_risks
    >>> acting = acting_in_time(followed_risks([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 0], [0.9, 0.8, 0.7, 0.1]), 3.5)
    >>> round(acting.gain(acting.flagged(0.5), 0.25).value, 9)
    0.4375
    """
    if horizon > rows.longest:
        found = f"The longest follow-up is {rows.longest:g}, short of the horizon {horizon:g}"
        raise BadInput(f"{found}; the largest usable time is {rows.longest:g}.", item="horizon")
    return ActingInTime(rows, float(horizon), time_order(rows.time, rows.event, horizon))


def _flagged_weights(bins: Ints, truth: npt.NDArray[np.bool_], weights: Floats, size: int) -> tuple[Floats, Floats]:
    """Return the weight of positives and negatives flagged at each of `size` rising thresholds, mean over repeats."""
    totals = []
    for which in (truth, ~truth):
        weight = np.where(which, weights, 0.0)
        held = sum(np.bincount(line, weights=weight, minlength=size + 1) for line in bins)
        totals.append(np.cumsum(np.asarray(held)[::-1])[::-1][1:] / len(bins))
    return totals[0], totals[1]


@numba.njit(cache=True)
def _flagged_risks(starts: Ints, kind: Ints, touches: bool, bins: Ints, weights: Floats, size: int) -> tuple[Floats, Floats]:
    """Return the share flagged at each of `size` rising thresholds and the incidence among them, NaN where follow-up falls short.

    Rows are sorted by time; `starts` holds the beginnings of the runs up to the horizon, and the end of the last.
    """
    runs = starts.size - 1
    at_risk, risk, free = np.zeros(size), np.zeros(size), np.ones(size)
    everyone = 0.0
    for i in range(bins.size):
        everyone += weights[i]
        at_risk[: bins[i]] += weights[i]
    share, tiny = at_risk / everyone, 1e-12 * everyone
    own, total, leaving = np.zeros(size), np.zeros(size), np.zeros(size)
    for g in range(runs):
        own[:], total[:], leaving[:] = 0.0, 0.0, 0.0
        for i in range(starts[g], starts[g + 1]):
            for j in range(bins[i]):
                leaving[j] += weights[i]
                total[j] += weights[i] if kind[i] > 0 else 0.0
                own[j] += weights[i] if kind[i] == 1 else 0.0
        for j in range(size):
            if total[j] > 0:
                risk[j] += free[j] * own[j] / at_risk[j]
                free[j] = free[j] * (1.0 - total[j] / at_risk[j]) if at_risk[j] - total[j] > tiny else 0.0
            at_risk[j] -= leaving[j]
            # the last one flagged leaves, censored, before the horizon: nothing is known beyond
            if leaving[j] > 0 and at_risk[j] <= tiny and free[j] > 0 and not (touches and g == runs - 1):
                risk[j] = np.nan
    return share, risk
