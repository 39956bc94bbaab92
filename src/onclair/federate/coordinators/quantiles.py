"""Quantiles of each column over hospitals by refining histograms: no value leaves but the ends, and the answer closes in by halving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onclair.federate.values import Ask, State, Update

#: Bins of each refinement, and how often it is refined: 32 ** 5 is 33 million, below 1e-7 of the range.
BINS, REFINEMENTS = 32, 5


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Quantiles of each column, to one bin of the last refinement.

    Attributes
    ----------
    columns : tuple of str
    shares : tuple of float
        In [0, 1]; the quantile is the smallest value that at least this share of the values does not exceed.
    """

    columns: tuple[str, ...]
    shares: tuple[float, ...] = (0.25, 0.5, 0.75)

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        return "quantiles"

    def begin(self, sites: Sequence[str]) -> State:
        """Return the state that asks for the ends first."""
        del sites
        edges = np.zeros((len(self.columns), len(self.shares), BINS + 1))
        return State({"edges": edges}, {"ends": True, "refined": 0})

    def plan(self, state: State) -> Ask | None:
        """Return the next histogram to ask for."""
        return None if state.numbers["refined"] > REFINEMENTS else Ask("histogram", state, {"columns": list(self.columns)})

    def aggregate(self, state: State, updates: Mapping[str, Update]) -> State:
        """Return finer edges around each quantile, or after the last refinement the quantiles."""
        count = np.sum([update.arrays["count"] for update in updates.values()], axis=0)
        if state.numbers["ends"]:
            held = list(updates.values())
            low = np.min([np.where(u.arrays["count"] > 0, u.arrays["low"], np.inf) for u in held], axis=0)
            high = np.max([np.where(u.arrays["count"] > 0, u.arrays["high"], -np.inf) for u in held], axis=0)
            low, high = np.where(count > 0, low, 0.0), np.where(count > 0, high, 0.0)
            ends = np.broadcast_to(np.stack([low, high], axis=1)[:, None, :], (len(low), len(self.shares), 2))
            return State({"edges": _edges(ends)}, {"ends": False, "refined": 1}, state.round)
        below = np.sum([update.arrays["below"] for update in updates.values()], axis=0)
        edges = state.arrays["edges"]
        wanted = np.ceil(np.maximum(count[:, None] * np.asarray(self.shares), 1.0) - 1e-9)
        at = np.minimum((below < wanted[:, :, None]).sum(axis=2), BINS)
        upper = np.take_along_axis(edges, at[:, :, None], axis=2)[:, :, 0]
        lower = np.take_along_axis(edges, np.maximum(at - 1, 0)[:, :, None], axis=2)[:, :, 0]
        refined = int(state.numbers["refined"]) + 1
        found = {"edges": _edges(np.stack([lower, upper], axis=2)), "quantiles": upper, "width": upper - lower}
        return State(found, {"ends": False, "refined": refined}, state.round)


def _edges(ends: np.ndarray) -> np.ndarray:
    """Return evenly spaced edges between the ends (columns, shares, 2), the last exactly the upper end."""
    low, high = ends[:, :, :1], ends[:, :, 1:]
    edges = low + (high - low) * np.linspace(0.0, 1.0, BINS + 1)
    edges[:, :, -1:] = high
    return np.asarray(edges)
