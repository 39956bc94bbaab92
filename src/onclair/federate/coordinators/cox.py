"""Cox's model over hospitals: stratified by site (sums alone leave), or with pooled risk sets, each equal to its pooled fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from onclair.federate.coordinators.glm import summed
from onclair.federate.coordinators.newton import Sums, advanced, started
from onclair.federate.coordinators.scaler import scale_of
from onclair.federate.programs.cox import sums_of
from onclair.federate.risk_sets import Ties, partial_likelihood
from onclair.federate.values import Ask, State, Update


@dataclass(frozen=True, slots=True)
class FitCox:
    """Penalised Cox regression on standardised columns.

    Attributes
    ----------
    columns : tuple of str
    penalty : float
    ties : {"breslow", "efron"}
    stratified : bool
        Whether each site keeps a baseline of its own; the other way the event times of the sites leave them.
    """

    columns: tuple[str, ...]
    penalty: float = 1.0
    ties: Ties = "breslow"
    stratified: bool = True

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        return "cox_stratified" if self.stratified else "cox"

    def begin(self, sites: Sequence[str]) -> State:
        """Return the empty state."""
        del sites
        return State(numbers={"phase": "scale", "fit": "running", "reason": None})

    def plan(self, state: State) -> Ask | None:
        """Return the next order: the scale, with pooled risk sets the event times, then trials of the weights."""
        settings: dict[str, Any] = {"columns": list(self.columns), "ties": self.ties}
        phase = state.numbers["phase"]
        if state.numbers["fit"] != "running":
            return None
        if phase == "scale":
            return Ask("moments", state, settings)
        kept = ("mean", "spread", "trial", *(("at",) if phase == "weights" and not self.stratified else ()))
        sent = State({name: state.arrays[name] for name in kept}, {"phase": phase}, state.round)
        return Ask(self.name, sent, settings)

    def aggregate(self, state: State, updates: Mapping[str, Update]) -> State:
        """Return the next state."""
        totals = {name: sum(updates[site].sums[name] for site in sorted(updates)) for name in ("n", "events")}
        phase = state.numbers["phase"]
        if phase == "scale":
            arrays, numbers = started(np.zeros(len(self.columns)))
            if not totals["events"]:
                numbers |= {"fit": "failed", "reason": "nobody has the event, so no hazard can be compared"}
            phase = "weights" if self.stratified else "times"
            return State({**scale_of(updates), **arrays}, {**numbers, **totals, "phase": phase}, state.round)
        if phase == "times":
            at = np.unique(np.concatenate([updates[site].arrays["times"] for site in sorted(updates)]))
            return State({**state.arrays, "at": at}, {**state.numbers, "phase": "weights"}, state.round)
        arrays, numbers = advanced(state.arrays, state.numbers, self._sums(updates), np.full(len(self.columns), self.penalty))
        return State({**state.arrays, **arrays}, {**state.numbers, **numbers}, state.round)

    def _sums(self, updates: Mapping[str, Update]) -> Sums:
        if self.stratified:
            return summed(updates)
        return Sums(*partial_likelihood(reduce(add, [sums_of(updates[site]) for site in sorted(updates)]), self.ties))
