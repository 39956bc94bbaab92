"""What came true, binary or followed over time, and how well scores rank it: one face for audits that serve both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.science.statistics import concordance
from onclair.validate.censored import differed, ranked
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.followed import followed_rows
from onclair.validate.rows import Floats
from onclair.validate.survival.ranking import HARRELL, NO_PAIR


class Truth(Protocol):
    """What came true for each patient, one row each."""

    @property
    def figure(self) -> str:
        """The figure of merit: ``auc`` or ``harrell``."""
        ...

    @property
    def happened(self) -> Floats:
        """Whether each patient had the event, 0 or 1."""
        ...

    @property
    def events(self) -> int:
        """Patients with the event."""
        ...

    @property
    def non_events(self) -> int:
        """Patients without it, or lost from sight before it."""
        ...

    def ranks(self, name: str, scores: npt.ArrayLike) -> Estimate:
        """Return how well scores, shape (n,) or (copies, n), rank the patients; copies are averaged."""
        ...

    def gains(self, name: str, scores: npt.ArrayLike, other: npt.ArrayLike) -> Estimate:
        """Return the paired difference of two claims' figures."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """An event that came or did not.

    Attributes
    ----------
    truth : ndarray, shape (n,), 0 or 1

    Examples
    --------
    >>> Binary(np.array([0, 0, 1, 1])).ranks("auc:model", [1, 2, 3, 4]).value
    1.0
    """

    truth: npt.NDArray[np.float64]
    figure: str = "auc"

    @property
    def happened(self) -> Floats:
        """Whether each patient had the event."""
        return self.truth

    @property
    def events(self) -> int:
        """Patients with the event."""
        return int((self.truth == 1).sum())

    @property
    def non_events(self) -> int:
        """Patients without it."""
        return int((self.truth == 0).sum())

    def ranks(self, name: str, scores: npt.ArrayLike) -> Estimate:
        """Return the AUC of scores, shape (n,) or (copies, n); see :func:`onclair.validate.discrimination.auc`."""
        return auc(name, self.truth, scores)

    def gains(self, name: str, scores: npt.ArrayLike, other: npt.ArrayLike) -> Estimate:
        """Return the paired difference of two AUCs."""
        return auc_difference(name, self.truth, scores, other)


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """An event that comes in time, unless the patient is lost from sight.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Positive.
    event : ndarray, shape (n,), 0 or 1

    Examples
    --------
    >>> rows = Timed(np.array([1.0, 2.0, 3.0]), np.array([1, 1, 0]))
    >>> round(rows.ranks("harrell:model", [0.9, 0.2, 0.4]).value, 6), rows.gains("harrell:model-minus-b", [3, 2, 1], [3, 2, 1]).value
    (0.666667, 0.0)
    """

    time: npt.NDArray[np.float64]
    event: npt.NDArray[np.float64]
    figure: str = "harrell"

    @property
    def happened(self) -> Floats:
        """Whether each patient was seen to have the event."""
        return self.event

    @property
    def events(self) -> int:
        """Patients with the event."""
        return int((self.event == 1).sum())

    @property
    def non_events(self) -> int:
        """Patients who were lost from sight, or free of the event at the end."""
        return int((self.event == 0).sum())

    def ranks(self, name: str, scores: npt.ArrayLike) -> Estimate:
        """Return Harrell's C of scores, shape (n,) or (copies, n); contributions are averaged over copies."""
        rows = followed_rows(self.time, self.event, self._mean(scores))
        value, contributions = self._parts(scores)
        if np.isnan(value):
            return rows.missing(name, NO_PAIR)
        return ranked(name, rows, value, float(np.sqrt(contributions @ contributions)), HARRELL)

    def gains(self, name: str, scores: npt.ArrayLike, other: npt.ArrayLike) -> Estimate:
        """Return the paired difference of two Harrell concordances."""
        rows = followed_rows(self.time, self.event, self._mean(scores))
        (a, of_a), (b, of_b) = self._parts(scores), self._parts(other)
        if np.isnan(a):
            return rows.missing(name, NO_PAIR)
        apart = of_a - of_b
        return differed(name, rows, a - b, apart, float(np.sqrt(apart @ apart)), HARRELL)

    def _parts(self, scores: npt.ArrayLike) -> tuple[float, Floats]:
        lines = np.atleast_2d(np.asarray(scores, dtype=np.float64))
        found = [concordance.harrell(self.time, self.event == 1, line) for line in lines]
        return float(np.mean([each.value for each in found])), np.mean([each.contributions for each in found], axis=0)

    @staticmethod
    def _mean(scores: npt.ArrayLike) -> Floats:
        return np.asarray(np.atleast_2d(np.asarray(scores, dtype=np.float64)).mean(axis=0))


def rival(truth: Truth, name: str, scores: npt.ArrayLike, values: npt.ArrayLike) -> list[Estimate]:
    """Return how well a rival ranks alone, and what the model adds to it.

    The rival is turned to the side on which it does better: its sign is free.

    Parameters
    ----------
    truth : Truth
    name : str
        ``"volume"``: the figures are called ``FIGURE:rival:volume`` and ``FIGURE:model-minus-volume``.
    scores, values : array_like, shape (n,)
        Of the model and of the rival.

    Examples
    --------
    >>> alone, apart = rival(Binary(np.array([0, 0, 1, 1])), "volume", [1, 2, 3, 4], [8, 5, 6, 2])
    >>> alone.name, alone.value, apart.name, apart.value
    ('auc:rival:volume', 0.75, 'auc:model-minus-volume', 0.25)
    """
    column = np.asarray(values, dtype=np.float64)
    found = truth.ranks(f"{truth.figure}:rival:{name}", column)
    if found.value is not None and found.value < 0.5:
        column = -column
        found = truth.ranks(f"{truth.figure}:rival:{name}", column)
    return [found, truth.gains(f"{truth.figure}:model-minus-{name}", scores, column)]


def folded(estimate: Estimate) -> Estimate:
    """Return a figure turned to the side on which it is above one half.

    Examples
    --------
    >>> folded(Estimate("auc:feature", 0.3, low=0.2, high=0.45)).text()
    '0.70 (0.55 to 0.80)'
    """
    if estimate.value is None or estimate.value >= 0.5:
        return estimate
    low, high = (None if end is None else 1 - end for end in (estimate.high, estimate.low))
    return replace(estimate, value=1 - estimate.value, low=low, high=high, method=f"{estimate.method}; turned to the side above one half")
