"""ComBat over sites, each its own batch: normal equations, residuals and standardised moments, all sums.

Chen et al. 2022 (d-ComBat), doi:10.1016/j.neuroimage.2021.118822; pooled: :mod:`onclair.learn.harmonise.combat`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.words import Words
from onclair.federate.values import Leaf, Program, SiteData, State, Update

Floats = npt.NDArray[np.float64]


def _parts(state: State, site: SiteData, settings: Mapping[str, Any]) -> tuple[Floats, Floats]:
    """Return design and features of a site: one column a site, then the covariates."""
    names, covariates = list(state.numbers["sites"]), list(settings.get("covariates", ()))
    if not np.isfinite(site.features).all():
        raise BadInput(f"The site {site.name} has missing values; federated ComBat needs whole rows: drop or impute them.", item=site.name)
    kept = [site.columns.index(name) for name in covariates]
    others = [i for i in range(len(site.columns)) if i not in kept]
    design = np.zeros((site.rows, len(names) + len(kept)))
    design[:, names.index(site.name)] = 1.0
    design[:, len(names) :] = site.features[:, kept]
    return design, site.features[:, others]


def _run(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    del rng
    design, values = _parts(state, site, settings)
    if state.numbers["phase"] == "normal":
        return Update({"xtx": design.T @ design, "xty": design.T @ values}, {"n": float(site.rows)}, site.rows)
    residual = values - design @ state.arrays["coefficients"]
    if state.numbers["phase"] == "residuals":
        return Update({"squares": (residual**2).sum(axis=0)}, {"n": float(site.rows)}, site.rows)
    k = len(state.numbers["sites"])
    z = (values - state.arrays["grand"] - design[:, k:] @ state.arrays["coefficients"][k:]) / state.arrays["scale"]
    mean = z.mean(axis=0)
    return Update({"mean": mean, "squares": ((z - mean) ** 2).sum(axis=0)}, {"n": float(site.rows)}, site.rows)


def _leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    covariates = len(settings.get("covariates", ()))
    q, p = len(state.numbers["sites"]) + covariates, len(settings["columns"]) - covariates
    if state.numbers["phase"] == "normal":
        return (Leaf("xtx", (q, q)), Leaf("xty", (q, p)))
    return (Leaf("squares", (p,)), *(() if state.numbers["phase"] == "residuals" else (Leaf("mean", (p,)),)))


combat = Program(
    "combat",
    Words(
        "Learns how this site's measurements differ from the others', by sums.",
        "Apprend en quoi les mesures de ce site diffèrent de celles des autres, par des sommes.",
    ),
    _run,
    _leaves,
    Words("Sums and means of each column over the site's patients.", "Sommes et moyennes de chaque colonne sur les patients du site."),
    sums=("n",),
)
