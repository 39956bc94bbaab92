"""Loss, gradient and curvature of a generalised linear model at given weights: sums over patients, so sites add up exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadSetting
from onclair.core.words import Words
from onclair.federate.design import standardised, with_ones
from onclair.federate.values import Leaf, Program, SiteData, State, Update

Floats = npt.NDArray[np.float64]


def loss_parts(family: str, eta: Floats, truth: Floats) -> tuple[float, Floats, Floats]:
    """Return the summed loss, its slope and its curvature by the linear predictor of each row.

    Parameters
    ----------
    family : {"linear", "logistic", "poisson"}
    eta, truth : ndarray, shape (n,)

    Raises
    ------
    BadSetting
        For another family.

    Examples
    --------
    >>> loss, slope, curve = loss_parts("logistic", np.zeros(1), np.ones(1))
    >>> round(loss, 4), slope.tolist(), curve.tolist()
    (0.6931, [-0.5], [0.25])
    """
    if family == "logistic":
        mean = special.expit(eta)
        return float((np.logaddexp(0.0, eta) - truth * eta).sum()), mean - truth, mean * (1 - mean)
    if family == "poisson":
        mean = np.exp(eta)
        return float((mean - truth * eta).sum()), mean - truth, mean
    if family == "linear":
        return float(0.5 * ((truth - eta) ** 2).sum()), eta - truth, np.ones_like(eta)
    raise BadSetting(f"There is no family '{family}'; known: linear, logistic, poisson.", item=family)


def _run(state: State, site: SiteData, settings: Mapping[str, Any], rng: np.random.Generator) -> Update:
    """Return loss, gradient and Hessian at ``state.arrays["trial"]`` on columns standardised by the state's mean and spread."""
    del rng
    known = np.isfinite(site.truth)
    design = with_ones(standardised(site.features[known], state.arrays["mean"], state.arrays["spread"]))
    loss, slope, curve = loss_parts(str(settings["family"]), design @ state.arrays["trial"], site.truth[known])
    arrays = {"gradient": design.T @ slope, "hessian": (design * curve[:, None]).T @ design}
    return Update(arrays, {"loss": loss, "n": float(known.sum()), "events": float(site.events)}, int(known.sum()))


def _leaves(state: State, settings: Mapping[str, Any]) -> tuple[Leaf, ...]:
    del settings
    p = len(state.arrays["trial"])
    return (Leaf("gradient", (p,)), Leaf("hessian", (p, p)))


glm = Program(
    "glm",
    Words(
        "Fits a linear, logistic or Poisson model by summed gradients and curvatures.",
        "Ajuste un modèle linéaire, logistique ou de Poisson par sommes de gradients et de courbures.",
    ),
    _run,
    _leaves,
    Words(
        "Sums over patients; with fewer than twice as many patients as columns, single patients can be solved for.",
        "Des sommes sur les patients ; avec moins de deux fois plus de patients que de colonnes, on peut retrouver des patients isolés.",
    ),
    sums=("loss", "n", "events"),
)
