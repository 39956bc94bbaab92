"""The rows that a figure over time is judged on: follow-up, event, one claim and whose rows they are, checked once at the door."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadInput
from onclair.validate.rows import Clustered, Floats, patient_codes, refuse_gaps, refuse_outside


@dataclass(frozen=True, slots=True, eq=False)
class Followed(Clustered):
    """Checked rows of one claim about an event in time.

    Attributes
    ----------
    time : ndarray, float64, shape (n,)
        Follow-up, positive, in the unit of the horizon.
    event : ndarray, int64, shape (n,)
        0 censored, 1 the event of interest, 2 and more competing events.
    scores : ndarray, float64, shape (n,)
        Higher means earlier or likelier.
    clusters : ndarray, int64, shape (n,), or None
    level : float
    """

    time: Floats
    event: npt.NDArray[np.int64]
    scores: Floats
    clusters: npt.NDArray[np.int64] | None = None
    level: float = 0.95

    @property
    def size(self) -> int:
        """Rows."""
        return int(self.time.size)

    @property
    def events(self) -> int:
        """Patients with the event of interest; rows when each patient has one."""
        seen = self.event == 1
        return int(seen.sum() if self.clusters is None else np.unique(self.clusters[seen]).size)

    @property
    def competing(self) -> bool:
        """Whether a competing event was seen."""
        return bool((self.event > 1).any())

    @property
    def longest(self) -> float:
        """The longest follow-up."""
        return float(self.time.max())


def followed_rows(
    time: npt.ArrayLike, event: npt.ArrayLike, scores: npt.ArrayLike, patients: npt.ArrayLike | None = None, *, level: float = 0.95
) -> Followed:
    """Return checked rows.

    Parameters
    ----------
    time : array_like, shape (n,)
        Follow-up; positive and finite.
    event : array_like, shape (n,)
        Whole numbers: 0 censored, 1 of interest, 2 and more others.
    scores : array_like, shape (n,)
    patients : array_like, shape (n,), optional
    level : float

    Returns
    -------
    Followed

    Raises
    ------
    BadInput
        For shapes that differ, no rows, a value that is missing or infinite (rows listed), a time that is zero or negative, an
        event that is no whole number from 0, or a missing patient.

    Examples
    --------
    >>> rows = followed_rows([2.0, 3.0, 5.0], [1, 0, 2], [0.4, 0.2, 0.1])
    >>> rows.n, rows.events, rows.longest
    (3, 1, 5.0)
    """
    parts = [pd.to_numeric(pd.Series(np.ravel(v)), errors="coerce").to_numpy(np.float64) for v in (time, event, scores)]
    sizes = {part.size for part in parts}
    if len(sizes) != 1 or not parts[0].size:
        raise BadInput(f"There are {parts[0].size} times, {parts[1].size} events and {parts[2].size} predictions; give one of each a row.")
    for what, part in zip(("time", "event", "prediction"), parts, strict=True):
        refuse_gaps(~np.isfinite(part), what)
    followed, seen, claimed = parts
    short = np.flatnonzero(followed <= 0)
    if short.size:
        found = f"The time is {followed[short[0]]:g} in row {short[0]} ({short.size} of {followed.size} rows are not above 0)"
        raise BadInput(f"{found}; a follow-up time is positive: correct or drop such rows.")
    foreign = seen[(seen < 0) | (seen != np.floor(seen))]
    if foreign.size:
        raise BadInput(
            f"The event is {foreign[0]:g} in {foreign.size} of {seen.size} rows; it must be 0 (censored), 1 (of interest) or 2 and more."
        )
    return Followed(followed, seen.astype(np.int64), claimed, patient_codes(patients, followed.size), level)


def followed_risks(
    time: npt.ArrayLike, event: npt.ArrayLike, risks: npt.ArrayLike, patients: npt.ArrayLike | None = None, *, level: float = 0.95
) -> Followed:
    """Return checked rows whose scores are probabilities of the event by some horizon.

    Raises
    ------
    BadInput
        As :func:`followed_rows`, and for a risk outside [0, 1]: first row, count, and a hint.

    Examples
    --------
    >>> followed_risks([1.0, 2.0], [1, 0], [0.3, 0.2]).scores
    array([0.3, 0.2])
    """
    rows = followed_rows(time, event, risks, patients, level=level)
    refuse_outside(rows.scores[None, :])
    return rows
