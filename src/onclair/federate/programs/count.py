"""How many rows, patients and events a site has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from onclair.core.words import Words
from onclair.federate.values import Leaf, Program, SiteData, State, Update


def _run(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    del state, settings, rng
    return Update(sums={"n": float(site.rows), "patients": float(len(set(site.patients))), "events": float(site.events)}, n=site.rows)


def _leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del state, settings
    return ()


count = Program(
    "count",
    Words("Counts rows, patients and events.", "Compte les lignes, les patients et les événements."),
    _run,
    _leaves,
    Words("Three totals; small ones are suppressed.", "Trois totaux ; les petits sont supprimés."),
    sums=("n", "patients", "events"),
)
