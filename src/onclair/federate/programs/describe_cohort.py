"""Which columns a site has, how many values each, and how many are missing: whether hospitals speak of the same things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from onclair.core.words import Words
from onclair.federate.values import Leaf, Program, SiteData, State, Update


def _run(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    del state, settings, rng
    there = np.isfinite(site.features)
    arrays = {"present": there.sum(axis=0).astype(np.float64), "missing": (~there).sum(axis=0).astype(np.float64)}
    return Update(arrays, {"n": float(site.rows), "events": float(site.events)}, site.rows)


def _leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del state
    columns = (len(settings["columns"]),)
    return (Leaf("present", columns, unit="values"), Leaf("missing", columns, unit="values"))


describe_cohort = Program(
    "describe_cohort",
    Words("Counts the values of each column, and the gaps.", "Compte les valeurs de chaque colonne, et les manques."),
    _run,
    _leaves,
    Words("Counts a column; no value of any patient.", "Des effectifs par colonne ; aucune valeur de patient."),
    sums=("n", "events"),
)
