"""Generalised linear models by Newton's method: logistic, Poisson and cloglog, with offset, weights, ridge and sandwich.

A model that cannot be fitted (one class, separation, a singular design) is an answer, not an exception: its `status` is
``not_available`` and its `reason` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import linalg, special

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]

#: Largest change of a coefficient, relative to its size where that exceeds 1, at which Newton's method stops.
TOLERANCE = 1e-9
MOST_STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class GlmFit:
    """A fitted generalised linear model.

    Attributes
    ----------
    coefficients : ndarray, shape (p,)
        In the order of the design's columns; NaN where the fit is not available.
    covariance : ndarray, shape (p, p)
        Model-based: inverse of the (penalised) expected information.
    sandwich : ndarray, shape (p, p)
        Robust, summed by cluster where clusters were given, with the factor G / (G - 1).
    influence : ndarray, shape (n, p)
        Each row's first-order contribution to the coefficients (it sums to zero without a ridge).
    log_likelihood : float
        Unpenalised, up to a constant that does not depend on the coefficients.
    status : {"ok", "not_available"}
    reason : str or None
    iterations : int
    """

    coefficients: Floats
    covariance: Floats
    sandwich: Floats
    influence: Floats
    log_likelihood: float
    status: Literal["ok", "not_available"] = "ok"
    reason: str | None = None
    iterations: int = 0

    @property
    def ok(self) -> bool:
        """Whether the fit converged."""
        return self.status == "ok"


@dataclass(frozen=True, slots=True)
class _Family:
    """Loss of one row at linear predictor eta, its negative slope and its expected curvature."""

    loss: Callable[[Floats, Floats], Floats]
    residual: Callable[[Floats, Floats], Floats]
    curvature: Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    design: Floats
    response: Floats
    offset: Floats
    weights: Floats
    ridge: Floats
    family: _Family

    def value(self, beta: Floats) -> float:
        eta = self.design @ beta + self.offset
        return float(self.weights @ self.family.loss(self.response, eta) + 0.5 * self.ridge @ beta**2)

    def score(self, beta: Floats) -> tuple[Floats, Floats]:
        """Each row's score (n, p) and the penalised information (p, p)."""
        eta = self.design @ beta + self.offset
        rows = self.design * (self.weights * self.family.residual(self.response, eta))[:, None]
        information = self.design.T @ (self.design * (self.weights * self.family.curvature(eta))[:, None])
        return rows, information + np.diag(self.ridge)


def _cloglog_mean(eta: Floats) -> Floats:
    return np.asarray(-np.expm1(-np.exp(np.minimum(eta, 700.0))))


def _cloglog_slope(eta: Floats) -> Floats:
    capped = np.minimum(eta, 700.0)
    return np.asarray(np.exp(capped - np.exp(capped)))


_LOGISTIC = _Family(
    lambda y, eta: np.logaddexp(0.0, eta) - y * eta,
    # y - expit(eta), without the cancellation that would pass a diverging fit off as a converged one
    lambda y, eta: y * special.expit(-eta) - (1 - y) * special.expit(eta),
    lambda eta: special.expit(eta) * special.expit(-eta),
)
_POISSON = _Family(
    lambda y, eta: np.exp(np.minimum(eta, 700.0)) - y * eta,
    lambda y, eta: y - np.exp(np.minimum(eta, 700.0)),
    lambda eta: np.exp(np.minimum(eta, 700.0)),
)
_CLOGLOG = _Family(
    lambda y, eta: 0.5 * (y - _cloglog_mean(eta)) ** 2,
    lambda y, eta: (y - _cloglog_mean(eta)) * _cloglog_slope(eta),
    lambda eta: _cloglog_slope(eta) ** 2,
)


def logistic(
    design: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    offset: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    clusters: npt.ArrayLike | None = None,
    ridge: npt.ArrayLike = 0.0,
) -> GlmFit:
    """Fit ``logit P(y = 1) = offset + design @ beta`` by maximum (penalised) likelihood.

    Parameters
    ----------
    design : array_like, shape (n, p)
        Finite; an intercept is a column of ones that the caller puts in (:func:`with_intercept`).
    truth : array_like, shape (n,), 0 or 1
    offset : array_like, shape (n,), optional
        Added to the linear predictor.
    weights : array_like, shape (n,), optional
        Non-negative count of each row.
    clusters : array_like, shape (n,), optional
        Rows that share a value are summed before the sandwich is formed; by default each row is its own cluster.
    ridge : float or array_like, shape (p,)
        Penalty ``ridge / 2 * beta**2`` subtracted from the log-likelihood; 0 leaves a coefficient free.

    Returns
    -------
    GlmFit
        With status ``not_available`` for one class, separated classes or a singular design.

    Raises
    ------
    BadInput
        When shapes differ, a value is not finite, a weight or a ridge is negative or the truth holds a third value.

    References
    ----------
    Newton's method with step halving; sandwich: Liang & Zeger 1986, doi:10.1093/biomet/73.1.13.

    Examples
    --------
    Three of four events: the intercept is log(3 / 1), its variance 1 / 3 + 1 / 1.

    >>> fit = logistic([[1.0]] * 4, [1, 1, 1, 0])
    >>> bool(abs(fit.coefficients[0] - np.log(3)) < 1e-9), round(float(fit.covariance[0, 0]), 9)
    (True, 1.333333333)
    >>> logistic([[1.0, -1.0], [1.0, 1.0]], [0, 1]).reason
    'a combination of the predictors separates the two classes perfectly, so its coefficient has no finite estimate'
    """
    problem = _problem(_LOGISTIC, design, truth, (offset, weights, ridge))
    foreign = problem.response[(problem.response != 0) & (problem.response != 1)]
    if foreign.size:
        raise BadInput(f"The truth of a logistic model holds {foreign[0]:g} in {foreign.size} rows; it must be 0 or 1.")
    return _fitted(problem, clusters)


def poisson(
    design: npt.ArrayLike,
    counts: npt.ArrayLike,
    *,
    offset: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    clusters: npt.ArrayLike | None = None,
    ridge: npt.ArrayLike = 0.0,
) -> GlmFit:
    """Fit ``log E(y) = offset + design @ beta``; arguments as :func:`logistic`, `counts` non-negative.

    Raises
    ------
    BadInput
        As :func:`logistic`, and for a negative count.

    Examples
    --------
    Six events where three were expected: the intercept is log 2.

    >>> fit = poisson([[1.0], [1.0]], [4, 2], offset=np.log([2.0, 1.0]))
    >>> bool(abs(fit.coefficients[0] - np.log(2)) < 1e-9)
    True
    """
    problem = _problem(_POISSON, design, counts, (offset, weights, ridge))
    if (problem.response < 0).any():
        raise BadInput(f"A Poisson model was given the count {problem.response.min():g}; counts are 0 or more.")
    return _fitted(problem, clusters)


def cloglog(
    design: npt.ArrayLike,
    response: npt.ArrayLike,
    *,
    offset: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    clusters: npt.ArrayLike | None = None,
    ridge: npt.ArrayLike = 0.0,
) -> GlmFit:
    """Solve the estimating equations of ``E(y) = 1 - exp(-exp(offset + design @ beta))`` under independence.

    The response may lie outside [0, 1], as pseudo-values do; the working variance is constant, so only `sandwich`
    is a valid covariance. Arguments as :func:`logistic`.

    Raises
    ------
    BadInput
        As :func:`logistic`.

    References
    ----------
    Andersen & Perme 2010, doi:10.1177/0962280209105020.

    Examples
    --------
    >>> fit = cloglog([[1.0], [1.0]], [0.25, 0.75])
    >>> bool(abs(1 - np.exp(-np.exp(fit.coefficients[0])) - 0.5) < 1e-9)
    True
    """
    return _fitted(_problem(_CLOGLOG, design, response, (offset, weights, ridge)), clusters)


def ridge_logistic(
    features: npt.ArrayLike,
    truth: npt.ArrayLike,
    penalty: float,
    *,
    offset: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> GlmFit:
    """Fit a logistic model with an unpenalised intercept (first coefficient) and a ridge on every feature.

    Parameters
    ----------
    features : array_like, shape (n, p)
        Scaled alike, without a column of ones.
    truth : array_like, shape (n,), 0 or 1
    penalty : float
        At least 0; scikit-learn's ``C`` is ``1 / penalty``.

    Returns
    -------
    GlmFit
        ``p + 1`` coefficients, the intercept first.

    Raises
    ------
    BadInput
        As :func:`logistic`.

    References
    ----------
    le Cessie & van Houwelingen 1992, doi:10.2307/2347628.

    Examples
    --------
    A heavy penalty leaves the intercept, log(3 / 1), alone:

    >>> fit = ridge_logistic([[-1.0], [0.5], [1.0], [-0.5]], [0, 1, 1, 1], 1e12)
    >>> [round(float(c), 6) for c in fit.coefficients]
    [1.098612, 0.0]
    """
    design = with_intercept(features)
    return logistic(design, truth, offset=offset, weights=weights, ridge=np.append(0.0, np.full(design.shape[1] - 1, float(penalty))))


def with_intercept(features: npt.ArrayLike) -> Floats:
    """Return `features` (n, p) or (n,) with a column of ones put first.

    Examples
    --------
    >>> with_intercept([3.0, 4.0])
    array([[1., 3.],
           [1., 4.]])
    """
    columns = np.asarray(features, dtype=np.float64)
    columns = columns[:, None] if columns.ndim == 1 else columns
    return np.column_stack([np.ones(len(columns)), columns])


def clustered_sum(rows: Floats, clusters: npt.ArrayLike | None) -> Floats:
    """Return the sums of `rows` (n, ...) by cluster (G, ...), or the rows themselves without clusters.

    Examples
    --------
    >>> clustered_sum(np.array([1.0, 2.0, 4.0]), ["a", "b", "a"])
    array([5., 2.])
    """
    if clusters is None:
        return rows
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    totals = np.zeros((int(codes.max()) + 1 if codes.size else 0, *rows.shape[1:]))
    np.add.at(totals, codes, rows)
    return totals


_Options = tuple[npt.ArrayLike | None, npt.ArrayLike | None, npt.ArrayLike]


def _problem(family: _Family, design: npt.ArrayLike, response: npt.ArrayLike, options: _Options) -> _Problem:
    x, y = np.asarray(design, dtype=np.float64), np.asarray(response, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y):
        raise BadInput(f"The design has shape {x.shape} and the response {y.shape}; give (rows, columns) and one response a row.")
    offset = np.zeros(len(y)) if options[0] is None else np.asarray(options[0], dtype=np.float64)
    weights = np.ones(len(y)) if options[1] is None else np.asarray(options[1], dtype=np.float64)
    ridge = np.broadcast_to(np.asarray(options[2], dtype=np.float64), (x.shape[1],))
    for what, array in (("design", x), ("response", y), ("offset", offset), ("weights", weights), ("ridge", ridge)):
        bad = int((~np.isfinite(array)).sum())
        if bad:
            raise BadInput(f"The {what} of the model holds {bad} values that are NaN or infinite; drop or fill those rows.")
        if what in ("offset", "weights") and array.shape != y.shape:
            raise BadInput(f"The {what} of the model has shape {array.shape} for {len(y)} rows; give one value a row.")
    if (weights < 0).any() or (ridge < 0).any():
        raise BadInput("A weight or ridge penalty of the model is negative; both are 0 or more.")
    return _Problem(x, y, offset, weights, ridge, family)


def _fitted(problem: _Problem, clusters: npt.ArrayLike | None) -> GlmFit:
    counted = problem.response[problem.weights > 0]
    if problem.family is _LOGISTIC and (counted.size == 0 or counted.min() == counted.max()):
        return _unavailable(problem, "only one class is present")
    if problem.family is _POISSON and not counted.sum() > 0:
        return _unavailable(problem, "there is no event")
    beta, steps, reason = _newton(problem)
    if reason is not None:
        return _unavailable(problem, reason, steps)
    rows, information = problem.score(beta)
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    influence = rows @ covariance
    summed = clustered_sum(influence, clusters)
    factor = len(summed) / (len(summed) - 1) if len(summed) > 1 else np.nan
    likelihood = -(problem.value(beta) - 0.5 * float(problem.ridge @ beta**2))
    return GlmFit(beta, covariance, factor * summed.T @ summed, influence, likelihood, iterations=steps)


def _newton(problem: _Problem) -> tuple[Floats, int, str | None]:
    """Return the coefficients, the number of steps, and why there are none (None when converged)."""
    beta = np.zeros(problem.design.shape[1])
    value, step = problem.value(beta), beta
    for iteration in range(1, MOST_STEPS + 1):
        rows, information = problem.score(beta)
        scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
        scaled = information / np.outer(scale, scale)
        if not np.isfinite(scaled).all() or np.linalg.cond(scaled) > 1e13:
            return beta, iteration, _why_not(problem, step)
        step = linalg.solve(scaled, (rows.sum(axis=0) - problem.ridge * beta) / scale, assume_a="sym") / scale
        size = 1.0
        while size > 1e-10 and not (trial := problem.value(beta + size * step)) <= value + 1e-12 * (1 + abs(value)):
            size /= 2
        beta, value = beta + size * step, trial
        if np.max(np.abs(size * step) / np.maximum(1.0, np.abs(beta)), initial=0.0) < TOLERANCE:
            return beta, iteration, None
    return beta, MOST_STEPS, _why_not(problem, step)


def _why_not(problem: _Problem, step: Floats) -> str:
    """Newton's last step points where the likelihood climbs without end; see whether it separates the classes."""
    if problem.family is _LOGISTIC and step.any():
        margin = ((2 * problem.response - 1) * (problem.design @ step))[problem.weights > 0]
        if margin.min() >= -1e-4 * np.abs(margin).max():
            return "a combination of the predictors separates the two classes perfectly, so its coefficient has no finite estimate"
    if np.linalg.matrix_rank(problem.design[problem.weights > 0]) < problem.design.shape[1]:
        return "a predictor is constant or a combination of the others, so its coefficient cannot be told apart"
    return f"Newton's method did not converge to {TOLERANCE:g} in {MOST_STEPS} steps"


def _unavailable(problem: _Problem, reason: str, steps: int = 0) -> GlmFit:
    n, p = problem.design.shape
    nothing = np.full((p, p), np.nan)
    return GlmFit(np.full(p, np.nan), nothing, nothing.copy(), np.full((n, p), np.nan), float("nan"), "not_available", reason, steps)
