"""How many values of each column fall between given edges: quantiles follow by refining the edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from onclair.core.words import Words
from onclair.federate.values import Leaf, Program, SiteData, State, Update


def _run(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    """Return, for the edges (columns, quantiles, bins + 1) of the state, how many values lie below each edge."""
    del settings, rng
    edges = state.arrays["edges"]
    below = np.zeros(edges.shape)
    for column in range(edges.shape[0]):
        values = np.sort(site.features[:, column][np.isfinite(site.features[:, column])])
        below[column] = np.searchsorted(values, edges[column], side="right")
    there = np.isfinite(site.features)
    low = np.where(there, site.features, np.inf).min(axis=0, initial=np.inf)
    high = np.where(there, site.features, -np.inf).max(axis=0, initial=-np.inf)
    ends = {"low": np.where(np.isfinite(low), low, 0.0), "high": np.where(np.isfinite(high), high, 0.0)}
    return Update(
        {"below": below, "count": there.sum(axis=0).astype(np.float64), **(ends if state.numbers.get("ends") else {})}, n=site.rows
    )


def _leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del settings
    shape = state.arrays["edges"].shape
    ends = (Leaf("low", shape[:1], unit="of the column"), Leaf("high", shape[:1], unit="of the column"))
    return (Leaf("below", shape, unit="values"), Leaf("count", shape[:1], unit="values"), *(ends if state.numbers.get("ends") else ()))


histogram = Program(
    "histogram",
    Words("Counts the values of each column between given edges.", "Compte les valeurs de chaque colonne entre des bornes données."),
    _run,
    _leaves,
    Words(
        "Asked again with finer edges it closes in on single values; the first round tells the smallest and the largest.",
        "Redemandé avec des bornes plus fines, il cerne des valeurs isolées ; le premier tour dit la plus petite et la plus grande.",
    ),
)
