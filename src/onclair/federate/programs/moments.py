"""Mean and spread of each column, as three numbers a column that merge exactly (never sums of squares of raw values).

Chan, Golub & LeVeque 1983, doi:10.1080/00031305.1983.10483115.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from onclair.core.words import Words
from onclair.federate.values import Leaf, Program, SiteData, State, Update


def _run(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    """Return count, mean and sum of squared deviations of each column; NaN is left out of its own column."""
    del state, settings, rng
    there = np.isfinite(site.features)
    n = there.sum(axis=0).astype(np.float64)
    filled = np.where(there, site.features, 0.0)
    mean = filled.sum(axis=0) / np.maximum(n, 1.0)
    away = np.where(there, filled - mean, 0.0)
    arrays = {"count": n, "mean": mean, "squares": (away**2).sum(axis=0)}
    return Update(arrays, {"n": float(site.rows), "events": float(site.events)}, site.rows)


def _leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del state
    columns = (len(settings["columns"]),)
    return (Leaf("count", columns, unit="values"), Leaf("mean", columns, unit="of the column"), Leaf("squares", columns, unit="squared"))


moments = Program(
    "moments",
    Words("Mean and spread of each column.", "Moyenne et dispersion de chaque colonne."),
    _run,
    _leaves,
    Words(
        "The mean of a column; with few patients it comes close to one patient's value.",
        "La moyenne d'une colonne ; avec peu de patients, elle approche la valeur de l'un d'eux.",
    ),
    sums=("n", "events"),
)
