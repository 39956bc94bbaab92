"""Logistic recalibration of a linear predictor: its intercept alone, or intercept and slope, fast under row weights.

:func:`onclair.science.statistics.glm.logistic` fits any design and gives errors; here are the two fits that a bootstrap repeats
thousands of times, and the interval that R prints for the second.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput
from onclair.science.statistics.glm import logistic, with_intercept

Floats = npt.NDArray[np.float64]

#: Largest change of a coefficient, relative to its size where that exceeds 1, at which Newton's method stops.
TOLERANCE = 1e-9
MOST_STEPS = 60
#: Bare Newton steps tried before guarded ones; from a sound start four or five do.
BARE_STEPS = 12
#: Share of a Newton step below which halving it is given up.
SHORTEST_STEP = 1e-10
#: Said where a fit has an answer but Newton's method did not reach it.
UNSETTLED = "the logistic fit did not converge, so there is no figure"
#: R's ``glm.control``: relative change of the deviance at which it stops.
R_TOLERANCE = 1e-8
R_MOST_STEPS = 25


def weighted_intercept(lp: npt.ArrayLike, truth: npt.ArrayLike, weights: npt.ArrayLike, *, start: float = 0.0) -> float:
    """Return `a` of ``logit P(y = 1) = a + lp`` when row `i` counts ``weights[i]`` times.

    Parameters
    ----------
    lp : array_like, shape (n,)
        Linear predictor, finite.
    truth : array_like, shape (n,), 0 or 1
    weights : array_like, shape (n,)
        Non-negative.
    start : float
        Where Newton's method begins: the answer on all rows makes a bootstrap quick. The answer is bracketed, and a step that would
        leave the bracket is replaced by its middle.

    Returns
    -------
    float
        Converged to 1e-9; NaN where the rows that count are of one class.

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562.

    Examples
    --------
    Half had the event where one in five was expected: log(1) - log(1 / 4).

    >>> round(weighted_intercept(np.log([0.25, 0.25]), [0, 1], [3, 3]), 9) == round(float(np.log(4)), 9)
    True
    """
    predictor = np.asarray(lp, dtype=np.float64)
    return float(intercept_kernel(predictor, np.asarray(truth, dtype=np.float64), np.asarray(weights, dtype=np.float64), start))


def weighted_slope(
    lp: npt.ArrayLike, truth: npt.ArrayLike, weights: npt.ArrayLike, *, start: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Return `a` and `b` of ``logit P(y = 1) = a + b lp`` when row `i` counts ``weights[i]`` times.

    Parameters
    ----------
    lp, truth, weights
        As :func:`weighted_intercept`.
    start : (float, float)
        Intercept and slope where Newton's method begins, unless the prevalence for all is likelier; a step that loses likelihood is
        halved.

    Returns
    -------
    (float, float)
        Converged to 1e-9; NaN where the rows that count are of one class, where `lp` separates the classes (also but for
        ties), so that no finite estimate exists, or where it is constant: :func:`why_no_slope` says which. Where the quick fit does
        not come to rest, the answer is that of :func:`onclair.science.statistics.glm.logistic`.

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562; when the estimate exists: Albert & Anderson 1984, doi:10.1093/biomet/71.1.1.

    Examples
    --------
    Two of three with the event above and one of three below: slope log(2) - log(1 / 2) a unit, intercept log(1 / 2).

    >>> a, b = weighted_slope([0.0, 0.0, 1.0, 1.0], [0, 1, 0, 1], [2, 1, 1, 2])
    >>> bool(abs(a + np.log(2)) < 1e-9), bool(abs(b - np.log(4)) < 1e-9)
    (True, True)
    >>> weighted_slope([0.0, 1.0], [0, 1], [1, 1])
    (nan, nan)
    """
    predictor, y, counts = (np.asarray(each, dtype=np.float64) for each in (lp, truth, weights))
    a, b = slope_kernel(predictor, y, counts, start[0], start[1])
    if np.isnan(a) and _overlapping(predictor, y, counts)[1] > 0:
        a, b = logistic(with_intercept(predictor), y, weights=counts).coefficients
    return float(a), float(b)


def why_no_slope(lp: npt.ArrayLike, truth: npt.ArrayLike, weights: npt.ArrayLike) -> str | None:
    """Return why :func:`weighted_slope` has no answer, in words; None where it has one.

    Parameters
    ----------
    lp, truth, weights
        As :func:`weighted_intercept`.

    References
    ----------
    Albert & Anderson 1984, doi:10.1093/biomet/71.1.1.

    Examples
    --------
    >>> why_no_slope([0.0, 1.0], [0, 1], [1, 1])
    'the risks separate the two classes perfectly, so there is no slope'
    """
    predictor, y, counts = (np.asarray(each, dtype=np.float64) for each in (lp, truth, weights))
    counted = y[counts > 0]
    if counted.size == 0 or counted.min() == counted.max():
        return "only one class is present"
    if np.ptp(predictor[counts > 0]) == 0:
        return "the risk is the same for everyone, so there is no slope"
    if not _overlapping(predictor, y, counts)[1] > 0:
        return "the risks separate the two classes perfectly, so there is no slope"
    return UNSETTLED if np.isnan(weighted_slope(predictor, y, counts)[1]) else None


@numba.njit(cache=True, error_model="numpy")
def intercept_kernel(lp: Floats, truth: Floats, weights: Floats, start: float) -> float:
    """Return :func:`weighted_intercept` from compiled code."""
    events = total = 0.0
    least, most = np.inf, -np.inf
    for i in range(lp.size):
        if weights[i] > 0:
            total += weights[i]
            events += weights[i] * truth[i]
            least, most = min(least, lp[i]), max(most, lp[i])
    if not 0.0 < events < total:
        return np.nan
    odds = np.log(events) - np.log(total - events)
    low, high = odds - most, odds - least  # with every predictor at its largest, or smallest
    a = start if low <= start <= high else (low + high) / 2.0
    for _ in range(MOST_STEPS):
        expected = information = 0.0
        for i in range(lp.size):
            if weights[i] > 0:
                mean = 1.0 / (1.0 + np.exp(-(a + lp[i])))
                expected += weights[i] * mean
                information += weights[i] * mean * (1.0 - mean)
        if events > expected:
            low = a
        else:
            high = a
        new = a + (events - expected) / information if information > 0 else np.nan
        if not low <= new <= high:
            new = (low + high) / 2.0
        step, a = new - a, new
        if abs(step) <= TOLERANCE * max(1.0, abs(a)):
            return a
    return np.nan


@numba.njit(cache=True, error_model="numpy")
def slope_kernel(lp: Floats, truth: Floats, weights: Floats, start_a: float, start_b: float) -> tuple[float, float]:
    """Return :func:`weighted_slope` from compiled code: bare Newton steps, guarded ones where those do not settle."""
    centre, spread = _overlapping(lp, truth, weights)
    if not spread > 0:
        return np.nan, np.nan
    a, b = start_a + start_b * centre, start_b * spread
    for _ in range(BARE_STEPS):
        step_a, step_b = _slope_step(lp, truth, weights, (centre, spread, a, b))
        a, b = a + step_a, b + step_b
        if max(abs(step_a) / max(1.0, abs(a)), abs(step_b) / max(1.0, abs(b))) <= TOLERANCE * min(1.0, spread):
            return a - b * centre / spread, b / spread  # the likelihood has one summit, however it was reached
    return _guarded_slope(lp, truth, weights, (centre, spread, start_a, start_b))


@numba.njit(cache=True, error_model="numpy")
def _slope_step(lp: Floats, truth: Floats, weights: Floats, at: tuple[float, float, float, float]) -> tuple[float, float]:
    """Return Newton's step in ``t = (lp - centre) / spread``; NaN where the information has no inverse."""
    centre, spread, a, b = at
    g0 = g1 = h00 = h01 = h11 = 0.0
    for i in range(lp.size):
        if weights[i] > 0:
            t = (lp[i] - centre) / spread
            mean = 1.0 / (1.0 + np.exp(-(a + b * t)))
            residual, v = weights[i] * (truth[i] - mean), weights[i] * mean * (1.0 - mean)
            g0, g1 = g0 + residual, g1 + residual * t
            h00, h01, h11 = h00 + v, h01 + v * t, h11 + v * t * t
    left = h00 * h11 - h01 * h01
    if not left > 0:
        return np.nan, np.nan
    return (h11 * g0 - h01 * g1) / left, (h00 * g1 - h01 * g0) / left


@numba.njit(cache=True, error_model="numpy")
def _guarded_slope(lp: Floats, truth: Floats, weights: Floats, given: tuple[float, float, float, float]) -> tuple[float, float]:
    """Newton with step halving, from the prevalence for all where that is likelier than the start."""
    centre, spread, start_a, start_b = given
    # in t = (lp - centre) / spread the two coefficients hardly depend on each other
    b, a = start_b * spread, start_a + start_b * centre
    loss = _loss(lp, truth, weights, a - b * centre / spread, b / spread)
    events = np.sum(weights * truth)
    prevalence = events / np.sum(weights)
    null = -events * np.log(prevalence) - (np.sum(weights) - events) * np.log1p(-prevalence)
    if not loss <= null:  # a start that is less likely than the prevalence for all, or is no number
        a, b, loss = np.log(prevalence) - np.log1p(-prevalence), 0.0, null
    for _ in range(MOST_STEPS):
        step_a, step_b = _slope_step(lp, truth, weights, (centre, spread, a, b))
        if not np.isfinite(step_a + step_b):
            return np.nan, np.nan
        if max(abs(step_a) / max(1.0, abs(a)), abs(step_b) / max(1.0, abs(b))) <= TOLERANCE * min(1.0, spread):
            a, b = a + step_a, b + step_b
            return a - b * centre / spread, b / spread
        size, allowed = 1.0, loss + 1e-12 * (1.0 + abs(loss))
        trial = _loss(lp, truth, weights, a + step_a - (b + step_b) * centre / spread, (b + step_b) / spread)
        while not trial <= allowed and size > SHORTEST_STEP:
            size /= 2.0
            a_new, b_new = a + size * step_a, b + size * step_b
            trial = _loss(lp, truth, weights, a_new - b_new * centre / spread, b_new / spread)
        a, b, loss = a + size * step_a, b + size * step_b, trial
    return np.nan, np.nan


@numba.njit(cache=True, error_model="numpy")
def _loss(lp: Floats, truth: Floats, weights: Floats, a: float, b: float) -> float:
    """Minus the log-likelihood of ``a + b lp``, computed so that nothing overflows."""
    total = 0.0
    for i in range(lp.size):
        if weights[i] > 0:
            eta = a + b * lp[i]
            total += weights[i] * (max(eta, 0.0) + np.log1p(np.exp(-abs(eta))) - truth[i] * eta)
    return total


@numba.njit(cache=True, error_model="numpy")
def _overlapping(lp: Floats, truth: Floats, weights: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the predictor over the rows that count; no spread where it separates the classes."""
    low0 = low1 = np.inf
    high0 = high1 = -np.inf
    total = first = 0.0
    for i in range(lp.size):
        if weights[i] > 0:
            total += weights[i]
            first += weights[i] * lp[i]
            if truth[i] > 0:
                low1, high1 = min(low1, lp[i]), max(high1, lp[i])
            else:
                low0, high0 = min(low0, lp[i]), max(high0, lp[i])
    if not (high0 > low1 and high1 > low0):  # Albert & Anderson 1984: no overlap, no finite estimate
        return np.nan, np.nan
    mean, second = first / total, 0.0
    for i in range(lp.size):
        second += weights[i] * (lp[i] - mean) ** 2
    return mean, np.sqrt(second / total)


def wald_interval_as_r(design: npt.ArrayLike, truth: npt.ArrayLike, *, level: float = 0.95) -> Floats:
    """Return the Wald intervals that R prints for a logistic model, its early stop repeated.

    R's ``glm.fit`` starts at means ``(y + 1/2) / 2``, iterates weighted least squares until the deviance changes by less than
    1e-8 of itself, and reports the covariance under the weights of the *last step taken*, not those of its answer: the
    intervals differ from converged ones in the fifth digit. Onclair's own intervals are converged
    (:func:`onclair.science.statistics.glm.logistic`); this function is for comparison with figures printed by R.

    Parameters
    ----------
    design : array_like, shape (n, p)
        With its column of ones.
    truth : array_like, shape (n,), 0 or 1
    level : float

    Returns
    -------
    ndarray, float64, shape (p, 2)
        Low and high of each coefficient.

    Raises
    ------
    BadInput
        When shapes differ, values are not finite, or R's iteration does not come to rest in its 25 steps.

    References
    ----------
    McCullagh & Nelder 1989, section 2.5, doi:10.1007/978-1-4899-3242-6.

    Examples
    --------
    Three of four: log 3 -+ 1.96 sqrt(1 / 3 + 1 / 1).

    >>> wald_interval_as_r([[1.0]] * 4, [1, 1, 1, 0]).round(2)
    array([[-1.16,  3.36]])
    """
    x, y = np.asarray(design, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if x.ndim != 2 or y.shape != (len(x),) or not (np.isfinite(x).all() and np.isin(y, (0.0, 1.0)).all()):
        raise BadInput(f"The design has shape {x.shape} and the truth {y.shape}; give finite columns and one 0 or 1 a row.")
    mean, deviance = (y + 0.5) / 2, np.inf
    eta = special.logit(mean)
    for _ in range(R_MOST_STEPS):
        weights = mean * (1 - mean)
        information = x.T @ (x * weights[:, None])
        coefficients = np.linalg.solve(information, x.T @ (weights * eta + y - mean))
        eta = x @ coefficients
        mean, before = special.expit(eta), deviance
        deviance = float(2 * np.sum(np.logaddexp(0.0, eta) - y * eta))
        if abs(deviance - before) / (abs(deviance) + 0.1) < R_TOLERANCE:
            half = special.ndtri((1 + level) / 2) * np.sqrt(np.diag(np.linalg.inv(information)))
            return np.column_stack([coefficients - half, coefficients + half])
    raise BadInput(f"R's iteration did not come to rest in {R_MOST_STEPS} steps; the classes may be separated, so there is no interval.")
