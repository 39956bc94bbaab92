"""ComBat over hospitals, each its own batch: the same harmoniser that pooled data would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onclair.federate.values import Ask, State, Update
from onclair.learn.harmonise.shrink import Moments, Prior, shrunken

_PHASES = ("normal", "residuals", "moments", "finished")


@dataclass(frozen=True, slots=True)
class FitCombat:
    """Location and scale of each site for each feature, drawn together over features by empirical Bayes.

    Attributes
    ----------
    columns : tuple of str
        All columns of the sites.
    covariates : tuple of str
        Those that are kept as they are and allowed for.
    prior : {"parametric", "nonparametric", "none"}

    Notes
    -----
    The final state holds ``coefficients (sites + covariates, features)``, ``grand``, ``scale`` (features,), ``location`` and
    ``spread`` (sites, features), sites in order of name.
    """

    columns: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    prior: Prior = "parametric"

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        return "combat"

    def begin(self, sites: Sequence[str]) -> State:
        """Return the state that names the sites."""
        return State(numbers={"phase": "normal", "sites": sorted(sites)})

    def plan(self, state: State) -> Ask | None:
        """Return the next of the three sums."""
        settings: dict[str, Any] = {"columns": list(self.columns), "covariates": list(self.covariates)}
        return None if state.numbers["phase"] == "finished" else Ask("combat", state, settings)

    def aggregate(self, state: State, updates: Mapping[str, Update]) -> State:
        """Return the next state."""
        names = sorted(updates)
        phase = state.numbers["phase"]
        sizes = np.array([updates[name].sums["n"] for name in names])
        if phase == "normal":
            xtx, xty = (np.sum([updates[name].arrays[key] for name in names], axis=0) for key in ("xtx", "xty"))
            coefficients = np.linalg.solve(xtx, xty)
            arrays = {"coefficients": coefficients, "grand": (sizes / sizes.sum()) @ coefficients[: len(names)]}
        elif phase == "residuals":
            squares = np.sum([updates[name].arrays["squares"] for name in names], axis=0)
            arrays = {"scale": np.sqrt(squares / sizes.sum())}
        else:
            mean, squares = (np.array([updates[name].arrays[key] for name in names]) for key in ("mean", "squares"))
            found = Moments(np.repeat(sizes[:, None], mean.shape[1], axis=1), mean, squares)
            location, spread = shrunken(found, self.prior, "mean-and-variance")
            arrays = {"location": location, "spread": spread}
        later = _PHASES[_PHASES.index(phase) + 1]
        return State({**state.arrays, **arrays}, {**state.numbers, "phase": later}, state.round)
