"""A generalised linear model over hospitals, equal to the pooled fit: scale first, then Newton on summed gradients and Hessians."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.federate.coordinators.newton import Sums, advanced, started
from onclair.federate.coordinators.scaler import scale_of
from onclair.federate.values import Ask, State, Update

Floats = npt.NDArray[np.float64]
Family = Literal["linear", "logistic", "poisson"]


@dataclass(frozen=True, slots=True)
class FitGlm:
    """Penalised linear, logistic or Poisson regression on standardised columns, intercept free.

    Attributes
    ----------
    columns : tuple of str
    family : {"linear", "logistic", "poisson"}
    penalty : float
        ``penalty / 2 * |weights|^2`` is added to the summed loss.

    Notes
    -----
    A coalition in which nobody, or everybody, has the event is not iterated to infinity: its state says ``fit = "failed"`` and why.
    """

    columns: tuple[str, ...]
    family: Family = "logistic"
    penalty: float = 1.0

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        return self.family

    def begin(self, sites: Sequence[str]) -> State:
        """Return the empty state."""
        del sites
        return State(numbers={"phase": "scale", "fit": "running", "reason": None})

    def plan(self, state: State) -> Ask | None:
        """Return the next order: the scale, then a trial of the weights."""
        settings: dict[str, Any] = {"columns": list(self.columns), "family": self.family}
        if state.numbers["fit"] != "running":
            return None
        if state.numbers["phase"] == "scale":
            return Ask("moments", state, settings)
        sent = {name: state.arrays[name] for name in ("mean", "spread", "trial")}
        return Ask("glm", State(sent, {}, state.round), settings)

    def aggregate(self, state: State, updates: Mapping[str, Update]) -> State:
        """Return the next state: the scale, then the weights one step on."""
        totals = {name: sum(updates[site].sums[name] for site in sorted(updates)) for name in ("n", "events")}
        if state.numbers["phase"] == "scale":
            arrays, numbers = started(np.zeros(len(self.columns) + 1))
            one_class = self.family == "logistic" and totals["events"] in (0.0, totals["n"])
            if one_class:
                numbers |= {"fit": "failed", "reason": "the outcome has one class only, so nothing tells the classes apart"}
            return State({**scale_of(updates), **arrays}, {**numbers, **totals, "phase": "weights"}, state.round)
        penalty = np.append(0.0, np.full(len(self.columns), self.penalty))
        arrays, numbers = advanced(state.arrays, state.numbers, summed(updates), penalty)
        return State({**state.arrays, **arrays}, {**state.numbers, **numbers, **totals}, state.round)


def summed(updates: Mapping[str, Update]) -> Sums:
    """Return loss, gradient and Hessian over sites, added in order of name."""
    names = sorted(updates)
    gradient = np.sum([updates[name].arrays["gradient"] for name in names], axis=0)
    hessian = np.sum([updates[name].arrays["hessian"] for name in names], axis=0)
    return Sums(float(sum(updates[name].sums["loss"] for name in names)), gradient, hessian)


def predicted(state: State, features: Floats, family: str = "logistic") -> Floats:
    """Return what a fitted state predicts for rows, shape (n,): risks, means or counts; of Cox's model the linear predictor."""
    from scipy import special

    from onclair.federate.design import standardised

    columns = standardised(features, state.arrays["mean"], state.arrays["spread"])
    weights = state.arrays["weights"]
    eta = columns @ weights if family == "cox" else weights[0] + columns @ weights[1:]
    if family == "logistic":
        return np.asarray(special.expit(eta))
    return np.asarray(np.exp(eta) if family == "poisson" else eta)
