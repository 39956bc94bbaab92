"""Generalised linear models by Newton's method: logistic, Poisson and cloglog, with offset, weights, ridge and sandwich.

A model that cannot be fitted (one class, separation, a singular design) is an answer, not an exception: its `status` is
``not_available`` and its `reason` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.statistics.families import CLOGLOG, LOGISTIC, POISSON, Family
from onclair.science.statistics.newton import MOST_STEPS as MOST_STEPS
from onclair.science.statistics.newton import TOLERANCE as TOLERANCE
from onclair.science.statistics.newton import Problem, newton

Floats = npt.NDArray[np.float64]


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
    problem = _problem(LOGISTIC, design, truth, (offset, weights, ridge))
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
    problem = _problem(POISSON, design, counts, (offset, weights, ridge))
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
    return _fitted(_problem(CLOGLOG, design, response, (offset, weights, ridge)), clusters)


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
    columns = rows.reshape(len(rows), -1).T
    totals = [np.bincount(codes, weights=column) for column in columns]
    return np.asarray(np.array(totals).T.reshape(-1, *rows.shape[1:]), dtype=np.float64)


_Options = tuple[npt.ArrayLike | None, npt.ArrayLike | None, npt.ArrayLike]


def _problem(family: Family, design: npt.ArrayLike, response: npt.ArrayLike, options: _Options) -> Problem:
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
    return Problem(x, y, offset, weights, ridge, family)


def _fitted(problem: Problem, clusters: npt.ArrayLike | None) -> GlmFit:
    counted = problem.response[problem.weights > 0]
    if problem.family is LOGISTIC and (counted.size == 0 or counted.min() == counted.max()):
        return _unavailable(problem, "only one class is present")
    if problem.family is POISSON and not counted.sum() > 0:
        return _unavailable(problem, "there is no event")
    beta, steps, reason = newton(problem)
    if reason is not None:
        return _unavailable(problem, reason, steps)
    rows, information = problem.score(beta)
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    influence = rows @ covariance
    summed = clustered_sum(influence, clusters)
    factor = len(summed) / (len(summed) - 1) if len(summed) > 1 else np.nan
    likelihood = -(problem.value(beta) - 0.5 * float(problem.ridge @ beta**2))
    return GlmFit(beta, covariance, factor * summed.T @ summed, influence, likelihood, iterations=steps)


def _unavailable(problem: Problem, reason: str, steps: int = 0) -> GlmFit:
    n, p = problem.design.shape
    nothing = np.full((p, p), np.nan)
    return GlmFit(np.full(p, np.nan), nothing, nothing.copy(), np.full((n, p), np.nan), float("nan"), "not_available", reason, steps)
