"""Cox's model over sites: each with its own baseline (sums alone leave), or with risk sets pooled over sites (event times leave)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.words import Words
from onclair.federate.design import standardised
from onclair.federate.risk_sets import RiskSums, partial_likelihood, risk_sums
from onclair.federate.values import Leaf, Program, SiteData, State, Update

Floats = npt.NDArray[np.float64]


def _rows(state: State, site: SiteData) -> tuple[Floats, Floats, Floats]:
    """Return the standardised columns, times and events of the rows whose outcome is known."""
    if site.time is None:
        raise BadInput(f"The site {site.name} has no follow-up time; Cox's model needs one: choose a binary model.", item=site.name)
    known = np.isfinite(site.truth) & np.isfinite(site.time)
    columns = standardised(site.features[known], state.arrays["mean"], state.arrays["spread"])
    return columns, site.time[known], (site.truth[known] > 0).astype(np.float64)


def _stratified(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    del rng
    columns, time, event = _rows(state, site)
    at = np.unique(time[event > 0])
    sums = risk_sums(columns, columns @ state.arrays["trial"], time, event, at)
    loss, gradient, hessian = partial_likelihood(sums, settings.get("ties", "breslow"))
    return Update(
        {"gradient": gradient, "hessian": hessian}, {"loss": loss, "n": float(len(time)), "events": float(event.sum())}, len(time)
    )


def _stratified_leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del settings
    p = len(state.arrays["trial"])
    return (Leaf("gradient", (p,)), Leaf("hessian", (p, p)))


cox_stratified = Program(
    "cox_stratified",
    Words(
        "Fits Cox's model with a baseline of its own at each site, by summed gradients and curvatures.",
        "Ajuste le modèle de Cox avec un risque de base propre à chaque site, par sommes de gradients et de courbures.",
    ),
    _stratified,
    _stratified_leaves,
    Words(
        "Sums over patients; with fewer than twice as many patients as columns, single patients can be solved for.",
        "Des sommes sur les patients ; avec moins de deux fois plus de patients que de colonnes, on peut retrouver des patients isolés.",
    ),
    sums=("loss", "n", "events"),
)


def _pooled(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    """Return the site's event times, then its sums at the event times of all sites."""
    del settings, rng
    columns, time, event = _rows(state, site)
    counted = {"n": float(len(time)), "events": float(event.sum())}
    if state.numbers["phase"] == "times":
        return Update({"times": np.unique(time[event > 0])}, counted, len(time))
    sums = risk_sums(columns, columns @ state.arrays["trial"], time, event, state.arrays["at"])
    return Update(arrays_of(sums), {**counted, "eta": sums.eta}, len(time))


def arrays_of(sums: RiskSums) -> dict[str, Floats]:
    """Return sums over risk sets as named arrays."""
    named = {f"{which}{order}": part for which in ("at_risk", "tied") for order, part in enumerate(getattr(sums, which))}
    return {**named, "deaths": sums.deaths, "seen": sums.seen}


def sums_of(update: Update) -> RiskSums:
    """Return the sums that :func:`arrays_of` named."""
    found = {name: np.asarray(array, np.float64) for name, array in update.arrays.items()}
    at_risk, tied = (tuple(found[f"{which}{order}"] for order in range(3)) for which in ("at_risk", "tied"))
    return RiskSums(at_risk, tied, found["deaths"], found["seen"], float(update.sums["eta"]))  # type: ignore[arg-type]


def _pooled_leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del settings
    if state.numbers["phase"] == "times":
        return (Leaf("times", (-1,), unit="of the follow-up"),)
    t, p = len(state.arrays["at"]), len(state.arrays["trial"])
    shapes = {0: (t,), 1: (t, p), 2: (t, p, p)}
    sums = [Leaf(f"{which}{order}", shape) for which in ("at_risk", "tied") for order, shape in shapes.items()]
    return (*sums, Leaf("deaths", (t,), unit="patients"), Leaf("seen", (p,)))


cox = Program(
    "cox",
    Words(
        "Fits Cox's model with the risk sets of all sites together.",
        "Ajuste le modèle de Cox avec les ensembles à risque de tous les sites réunis.",
    ),
    _pooled,
    _pooled_leaves,
    Words(
        "Event times leave the site, and sums at each; where one patient alone has the event, they are that patient's columns.",
        "Les dates d'événement quittent le site, avec des sommes à chacune ; un événement isolé y livre les colonnes de ce patient.",
    ),
    sums=("n", "events", "eta"),
)
