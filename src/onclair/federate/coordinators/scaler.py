"""One scale for all hospitals, from merged moments: what pooling would give, to rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.federate.values import Ask, State, Update

Floats = npt.NDArray[np.float64]


def merged(updates: Mapping[str, Update]) -> tuple[Floats, Floats, Floats]:
    """Return count, mean and sum of squared deviations of each column over sites, by Chan's rule in order of name.

    Examples
    --------
    >>> one = Update({"count": np.array([1.0]), "mean": np.array([1.0]), "squares": np.array([0.0])})
    >>> two = Update({"count": np.array([2.0]), "mean": np.array([4.0]), "squares": np.array([2.0])})
    >>> [part.tolist() for part in merged({"a": one, "b": two})]
    [[3.0], [3.0], [8.0]]
    """
    count = mean = squares = np.zeros(0)
    for place, name in enumerate(sorted(updates)):
        n, m, s = (np.asarray(updates[name].arrays[key], np.float64) for key in ("count", "mean", "squares"))
        if place == 0:
            count, mean, squares = n, m, s
            continue
        both = np.maximum(count + n, 1.0)
        away = np.where(n > 0, m - mean, 0.0)
        mean, squares = mean + away * n / both, squares + s + away**2 * count * n / both
        count = count + n
    return count, mean, squares


def scale_of(updates: Mapping[str, Update]) -> dict[str, Floats]:
    """Return ``mean`` and ``spread`` (divisor n - 1) of each column over sites."""
    count, mean, squares = merged(updates)
    return {"mean": mean, "spread": np.sqrt(squares / np.maximum(count - 1, 1.0)), "count": count}


@dataclass(frozen=True, slots=True)
class Scaler:
    """Mean and standard deviation of each column over all sites.

    Attributes
    ----------
    columns : tuple of str
    """

    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        return "scaler"

    def begin(self, sites: Sequence[str]) -> State:
        """Return the empty state."""
        del sites
        return State(numbers={"finished": False})

    def plan(self, state: State) -> Ask | None:
        """Return the one order there is."""
        return None if state.numbers["finished"] else Ask("moments", state, {"columns": list(self.columns)})

    def aggregate(self, state: State, updates: Mapping[str, Update]) -> State:
        """Return the scale."""
        totals = {name: sum(update.sums[name] for update in updates.values()) for name in ("n", "events")}
        return State(scale_of(updates), {**totals, "finished": True}, state.round)
