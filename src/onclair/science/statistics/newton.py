"""Newton's method with step halving for generalised linear models, and why it may have no answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from onclair.science.statistics.families import LOGISTIC, Family

Floats = npt.NDArray[np.float64]

#: Largest change of a coefficient, relative to its size where that exceeds 1, at which Newton's method stops.
TOLERANCE = 1e-9
MOST_STEPS = 60
#: The most that one step may move a row's linear predictor: where the curvature has all but vanished, Newton's own step is wild.
LONGEST = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be fitted: checked arrays, a ridge for each coefficient and the family.

    Attributes
    ----------
    design : ndarray, shape (n, p)
    response, offset, weights : ndarray, shape (n,)
    ridge : ndarray, shape (p,)
    family : Family
    """

    design: Floats
    response: Floats
    offset: Floats
    weights: Floats
    ridge: Floats
    family: Family

    def value(self, beta: Floats) -> float:
        """Return the penalised loss."""
        eta = self.design @ beta + self.offset
        return float(self.weights @ self.family.loss(self.response, eta) + 0.5 * self.ridge @ beta**2)

    def score(self, beta: Floats) -> tuple[Floats, Floats]:
        """Return each row's score (n, p) and the penalised information (p, p)."""
        eta = self.design @ beta + self.offset
        rows = self.design * (self.weights * self.family.residual(self.response, eta))[:, None]
        information = self.design.T @ (self.design * (self.weights * self.family.curvature(eta))[:, None])
        return rows, information + np.diag(self.ridge)


def newton(problem: Problem) -> tuple[Floats, int, str | None]:
    """Return the coefficients, the number of steps, and why there are none (None when converged).

    Examples
    --------
    Three events of four: log 3.

    >>> y, one = np.array([1.0, 1.0, 1.0, 0.0]), np.ones(4)
    >>> beta, _, reason = newton(Problem(one[:, None], y, 0 * one, one, np.zeros(1), LOGISTIC))
    >>> round(float(np.exp(beta[0])), 9), reason
    (3.0, None)
    """
    beta = np.zeros(problem.design.shape[1])
    value, step = problem.value(beta), beta
    for iteration in range(1, MOST_STEPS + 1):
        rows, information = problem.score(beta)
        scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
        scaled = information / np.outer(scale, scale)
        if not np.isfinite(scaled).all() or np.linalg.cond(scaled) > 1e13:
            return beta, iteration, _why_not(problem, step)
        step = linalg.solve(scaled, (rows.sum(axis=0) - problem.ridge * beta) / scale, assume_a="sym") / scale
        step *= min(1.0, LONGEST / max(float(np.abs(problem.design @ step).max(initial=0.0)), 1e-300))
        size = 1.0
        while size > 1e-10 and not (trial := problem.value(beta + size * step)) <= value + 1e-12 * (1 + abs(value)):
            size /= 2
        beta, value = beta + size * step, trial
        if np.max(np.abs(size * step) / np.maximum(1.0, np.abs(beta)), initial=0.0) < TOLERANCE:
            return beta, iteration, None
    return beta, MOST_STEPS, _why_not(problem, step)


def _why_not(problem: Problem, step: Floats) -> str:
    """Newton's last step points where the likelihood climbs without end; see whether it separates the classes."""
    if problem.family is LOGISTIC and step.any():
        margin = ((2 * problem.response - 1) * (problem.design @ step))[problem.weights > 0]
        if margin.min() >= -1e-4 * np.abs(margin).max():
            return "a combination of the predictors separates the two classes perfectly, so its coefficient has no finite estimate"
    if np.linalg.matrix_rank(problem.design[problem.weights > 0]) < problem.design.shape[1]:
        return "a predictor is constant or a combination of the others, so its coefficient cannot be told apart"
    return f"Newton's method did not converge to {TOLERANCE:g} in {MOST_STEPS} steps"
