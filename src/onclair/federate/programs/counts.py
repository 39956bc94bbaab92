"""Predictions at a site as counts in given bins: ROC, calibration, decision curve and conformal quantile follow from their sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.words import Words
from onclair.federate.values import Leaf, Program, SiteData, State, Update

Floats = npt.NDArray[np.float64]
#: What a site calls the risks that a locked model gave to its rows.
RISKS = "risks"


def _scored(site: SiteData) -> tuple[Floats, Floats]:
    """Return risks and truth of the rows that have both."""
    if RISKS not in site.arrays:
        raise BadInput(f"The site {site.name} holds no risks; let the locked model predict there first.", item=site.name)
    risks = np.asarray(site.arrays[RISKS], np.float64)
    known = np.isfinite(risks) & np.isfinite(site.truth)
    return risks[known], site.truth[known]


def binned(values: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Return the bin of each value in [0, 1]; 1 falls into the last.

    Examples
    --------
    >>> binned(np.array([0.0, 0.49, 1.0]), 2).tolist()
    [0, 0, 1]
    """
    return np.minimum((np.clip(values, 0.0, 1.0) * bins).astype(np.int64), bins - 1)


def _roc(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    del state, rng
    risks, truth = _scored(site)
    bins, place = int(settings["bins"]), binned(risks, int(settings["bins"]))
    arrays = {name: np.bincount(place[truth == value], minlength=bins).astype(np.float64) for name, value in (("events", 1), ("others", 0))}
    return Update(arrays, n=len(risks))


def _roc_leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del state
    return tuple(Leaf(name, (int(settings["bins"]),), unit="patients") for name in ("events", "others"))


def _calibration(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    del state, rng
    risks, truth = _scored(site)
    bins, place = int(settings["bins"]), binned(risks, int(settings["bins"]))
    weights = {"n": np.ones_like(risks), "events": truth, "risk": risks}
    return Update({name: np.bincount(place, weights=weight, minlength=bins) for name, weight in weights.items()}, n=len(risks))


def _calibration_leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del state
    return tuple(Leaf(name, (int(settings["bins"]),), unit="patients") for name in ("n", "events", "risk"))


def _conformal(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    """Return the histogram of misfits, 1 - the risk of what was true."""
    del state, rng
    risks, truth = _scored(site)
    misfit = np.where(truth > 0, 1 - risks, risks)
    bins = int(settings["bins"])
    return Update({"misfit": np.bincount(binned(misfit, bins), minlength=bins).astype(np.float64)}, n=len(risks))


def _conformal_leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del state
    return (Leaf("misfit", (int(settings["bins"]),), unit="patients"),)


_LEAK = Words(
    "Counts in bins; a bin with one patient tells that patient's risk to the bin's width.",
    "Des effectifs par classe ; une classe d'un seul patient livre son risque à la largeur de la classe près.",
)
roc_counts = Program(
    "roc_counts",
    Words("Counts patients with and without the event by risk.", "Compte par risque les patients avec et sans l'événement."),
    _roc,
    _roc_leaves,
    _LEAK,
)
calibration_counts = Program(
    "calibration_counts",
    Words("Sums risks and events in bins of risk.", "Somme risques et événements par classe de risque."),
    _calibration,
    _calibration_leaves,
    _LEAK,
)
conformal_counts = Program(
    "conformal_counts",
    Words("Counts how far risks lay from what came true.", "Compte de combien les risques s'écartaient de ce qui est arrivé."),
    _conformal,
    _conformal_leaves,
    _LEAK,
)
