"""What one row adds to the likelihood of a generalised linear model: logistic, Poisson and cloglog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Family:
    """What a row adds at its linear predictor eta.

    Attributes
    ----------
    loss : callable
        ``loss(y, eta)``, to be minimised.
    residual : callable
        ``residual(y, eta)``, minus the loss's slope in eta.
    curvature : callable
        ``curvature(eta)``, the loss's expected second derivative in eta.

    Examples
    --------
    >>> float(LOGISTIC.residual(np.array([1.0]), np.array([0.0]))[0])
    0.5
    """

    loss: Callable[[Floats, Floats], Floats]
    residual: Callable[[Floats, Floats], Floats]
    curvature: Callable[[Floats], Floats]


def _cloglog_mean(eta: Floats) -> Floats:
    return np.asarray(-np.expm1(-np.exp(np.minimum(eta, 700.0))))


def _cloglog_slope(eta: Floats) -> Floats:
    capped = np.minimum(eta, 700.0)
    return np.asarray(np.exp(capped - np.exp(capped)))


LOGISTIC = Family(
    lambda y, eta: np.logaddexp(0.0, eta) - y * eta,
    # y - expit(eta), without the cancellation that would pass a diverging fit off as a converged one
    lambda y, eta: y * special.expit(-eta) - (1 - y) * special.expit(eta),
    lambda eta: special.expit(eta) * special.expit(-eta),
)
POISSON = Family(
    lambda y, eta: np.exp(np.minimum(eta, 700.0)) - y * eta,
    lambda y, eta: y - np.exp(np.minimum(eta, 700.0)),
    lambda eta: np.exp(np.minimum(eta, 700.0)),
)
CLOGLOG = Family(
    lambda y, eta: 0.5 * (y - _cloglog_mean(eta)) ** 2,
    lambda y, eta: (y - _cloglog_mean(eta)) * _cloglog_slope(eta),
    lambda eta: _cloglog_slope(eta) ** 2,
)
