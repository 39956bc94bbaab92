"""The fit of the unmixing: non-negative amounts inside, Gauss-Newton over all else outside, weights by the model's own variance.

The amounts are re-solved at each step (variable projection: G. H. Golub, V. Pereyra, Inverse Problems 2003;19:R1,
doi:10.1088/0266-5611/19/2/201), so that the outer search runs over the shift and the tissue alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.science.spectra.unmix_model import Blurred, Model, State

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: A step that promises less of chi-squared than this ends a search; an amount then moves by about a thirtieth of its error.
ENOUGH = 1e-3
#: The same between two reweightings, where the weights still move.
ENOUGH_BEFORE = 1e-2
#: The same while it is not yet known what is to be free.
ROUGHLY = 1.0
MOST_STEPS = 30
#: A step that fulfils less than this of its promise has gone too far.
OVERSHOT = 0.5
#: A search that stops for its number of steps has settled where the next step promises less.
SETTLED = 0.25
#: Pixels are taken together up to this many nm.
BIN_NM = 1.0
#: Keeps two columns that are one from stopping the solver.
_RIDGE = 1e-13
_LEAST_DAMPING, _MOST_DAMPING = 1e-9, 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """What is fitted, on the pixels of the window; weight 0 where a pixel is left out.

    Attributes
    ----------
    counts, variance, count_variance : ndarray, shape (e, n)
    kept : ndarray of bool, shape (e, n)
    """

    counts: Floats
    variance: Floats
    count_variance: Floats
    kept: Bools

    def weights(self, expected: Floats | None = None) -> Floats:
        """Return the inverse variance, by the counts as measured or by those that a model expects."""
        variance = self.variance
        if expected is not None:
            more = self.count_variance * (np.maximum(expected, 0.0) - np.maximum(self.counts, 0.0))
            variance = np.maximum(variance + more, 1e-3 * variance + self.count_variance**2)
        return np.where(self.kept, 1.0 / variance, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Where the search ended.

    Attributes
    ----------
    amounts : ndarray, shape (k + b,)
    theta : ndarray, shape (p,)
    information : ndarray, shape (k + b + p, k + b + p)
        Fisher information of amounts and free parameters.
    converged : bool
    held : ndarray, shape (h, k + b + p)
        The pull of one standard deviation of each parameter that is held, on the right side of the normal equations: the inverse
        information times it is what amounts and free parameters would move by.
    """

    amounts: Floats
    theta: Floats
    information: Floats
    converged: bool
    held: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """A place of the search: the free parameters, the best amounts there, and the cost."""

    theta: Floats
    state: State | Blurred
    columns: Floats
    amounts: Floats
    cost: float


def sketched(model: Model, data: Data, smaller: Fit | None = None, theta: Floats | None = None) -> Fit:
    """Return a rough fit: near enough to ask what else should be free, too rough to be told.

    Parameters
    ----------
    model : Model
    data : Data
    smaller : Fit, optional
        Of a model with fewer free parameters, to start from; its weights are kept.
    theta : ndarray, shape (p,), optional
        The values at which `model` is that smaller one.
    """
    counts = np.where(data.kept, data.counts, 0.0)
    if smaller is None or theta is None:
        first, _ = _search(model, counts, data.weights(), model.start, ROUGHLY)
        theta, weights = first.theta, data.weights(_expected(first))
    else:
        weights = data.weights(np.tensordot(smaller.amounts, model.at(theta).columns(), axes=1))
    point, converged = _search(model, counts, weights, theta, ROUGHLY)
    return _fit(point, counts, weights, converged)


def settled(model: Model, data: Data, found: Fit, reweightings: int) -> Fit:
    """Return the amounts and free parameters that explain the counts best, and what the counts tell of them.

    Parameters
    ----------
    model : Model
    data : Data
    found : Fit
        Of `model`, rough, to start from.
    reweightings : int
        How often the weights are taken anew from the model's own variance; 0 keeps those of the measured counts.

    Returns
    -------
    Fit
    """
    counts = np.where(data.kept, data.counts, 0.0)
    sketch = np.tensordot(found.amounts, model.at(found.theta).columns(), axes=1)
    weights = data.weights(sketch if reweightings else None)
    point, converged = _search(model, counts, weights, found.theta, ENOUGH_BEFORE if reweightings > 1 else ENOUGH)
    for left in range(reweightings - 1, 0, -1):
        weights = data.weights(_expected(point))
        point, converged = _search(model, counts, weights, point.theta, ENOUGH_BEFORE if left > 1 else ENOUGH)
    return _fit(point, counts, data.weights(_expected(point)) if reweightings else weights, converged)


def compared(model: Model, data: Data, found: Fit) -> tuple[Floats, float]:
    """Return what a fit leaves, in standard deviations of the model's own counts, and chi-squared per degree of freedom.

    Parameters
    ----------
    model, data : Model, Data
        On every pixel of the window, where the fit may have been on bins of them.
    found : Fit

    Returns
    -------
    residual : ndarray, shape (e, n)
        NaN where a pixel is left out.
    chi2 : float
    """
    expected = np.tensordot(found.amounts, model.at(found.theta).columns(), axes=1)
    residual = (data.counts - expected) * np.sqrt(data.weights(expected))
    freedom = max(int(data.kept.sum()) - len(found.information), 1)
    return np.where(data.kept, residual, np.nan), float((residual**2).sum()) / freedom


def promised(model: Model, data: Data, found: Fit, theta: Floats) -> float:
    """Return the fall of chi-squared that freeing more parameters promises: a score test, without fitting them.

    Parameters
    ----------
    model : Model
        With the parameters of the fit and those to be freed.
    data : Data
    found : Fit
        Of the smaller model.
    theta : ndarray, shape (p,)
        The values at which the larger model is the smaller one.
    """
    state = model.at(theta)
    columns = state.columns()
    weights = data.weights(np.tensordot(found.amounts, columns, axes=1))
    point = _Point(theta, state, columns, found.amounts, 0.0)
    return _step(point, _normal(point, np.where(data.kept, data.counts, 0.0), weights), model.bounds, 0.0)[1]


def binned(data: Data, wavelength_nm: Floats, most_nm: float = BIN_NM) -> tuple[Data, Floats]:
    """Return the data on bins of at most `most_nm`, and the bins' wavelengths; as they are where pixels are wider than half of that.

    Emission bends over 8 nm and more, so that a nanometre holds one value of it (7 in 10 000 at the sharpest edge) and no information
    is lost. A bin that holds a pixel left out is left out; where that would cost more than a tenth of the pixels nothing is binned.

    Examples
    --------
    >>> one = np.ones((1, 4))
    >>> coarse, nm = binned(Data(one * [1, 3, 5, 7], one, one, one > 0), np.array([500.0, 500.2, 500.4, 500.6]), 0.5)
    >>> coarse.counts, coarse.variance, nm
    (array([[2., 6.]]), array([[0.5, 0.5]]), array([500.1, 500.5]))
    """
    together = int(most_nm / np.diff(wavelength_nm).max())
    starts = np.arange(0, len(wavelength_nm), max(together, 1))
    sizes = np.diff([*starts, len(wavelength_nm)])
    kept = np.logical_and.reduceat(data.kept, starts, axis=1)
    if together < 2 or (kept @ sizes < 0.9 * data.kept.sum(axis=1)).any():
        return data, wavelength_nm
    counts, variance, slope = (np.add.reduceat(each, starts, axis=1) / sizes for each in (data.counts, data.variance, data.count_variance))
    return Data(counts, variance / sizes, slope / sizes, kept), np.add.reduceat(wavelength_nm, starts) / sizes


def boxed(square: Floats, pull: Floats, low: Floats, high: Floats) -> Floats:
    """Return the x within bounds that minimises ``x' H x / 2 - g' x``: an active set over the normal equations.

    Parameters
    ----------
    square : ndarray, shape (m, m)
        H, positive semi-definite; a row of zeros leaves its x at the bound nearest 0.
    pull : ndarray, shape (m,)
        g.
    low, high : ndarray, shape (m,)

    References
    ----------
    P. B. Stark, R. L. Parker, Bounded-variable least-squares: an algorithm and applications, Comput Stat 1995;10:129.

    Examples
    --------
    >>> boxed(np.eye(2), np.array([3.0, -1.0]), np.zeros(2), np.full(2, np.inf))
    array([3., 0.])
    """
    known = np.diag(square) > 0
    scale = 1.0 / np.sqrt(np.where(known, np.diag(square), 1.0))
    h, g = square * scale[:, None] * scale, pull * scale
    floor, ceiling = np.asarray(low / scale), np.asarray(high / scale)
    if known.all():
        whole = np.linalg.solve(h + _RIDGE * np.eye(len(g)), g)
        if ((whole >= floor) & (whole <= ceiling)).all():  # nearly always: no wall is met
            return np.asarray(whole * scale)
    x: Floats = np.asarray(np.clip(np.zeros(len(g)), floor, ceiling))
    free = known.copy()
    for _ in range(10 * len(g) + 10):
        x = _inside(h, g, x, free, (floor, ceiling))
        slope = g - h @ x
        wrong = np.where((x <= floor) & (slope > 0), slope, 0.0) + np.where((x >= ceiling) & (slope < 0), -slope, 0.0)
        wrong[free | ~known] = 0.0
        worst = int(wrong.argmax())
        if wrong[worst] <= 1e-10 * (np.abs(g).max() + 1e-300):
            break
        free[worst] = True
    return np.asarray(np.clip(x, floor, ceiling) * scale)


def _inside(h: Floats, g: Floats, x: Floats, free: Bools, box: tuple[Floats, Floats]) -> Floats:
    """Move to the minimum over the free x, binding (in `free`, in place) those that meet a wall on the way."""
    floor, ceiling = box
    while free.any():
        goal = x.copy()
        rest = g[free] - h[np.ix_(free, ~free)] @ x[~free]
        goal[free] = np.linalg.solve(h[np.ix_(free, free)] + _RIDGE * np.eye(int(free.sum())), rest)
        outside = free & ((goal < floor) | (goal > ceiling))
        if not outside.any():
            return goal
        wall = np.where(goal < floor, floor, ceiling)
        step = np.full(len(x), np.inf)
        step[outside] = (wall[outside] - x[outside]) / (goal[outside] - x[outside])
        first = int(step.argmin())
        x = x + max(step[first], 0.0) * (goal - x)
        x[first] = wall[first]
        free[first] = False
    return x


def _search(model: Model, counts: Floats, weights: Floats, theta: Floats, enough: float) -> tuple[_Point, bool]:
    """Return the best point with fixed weights, and whether the search ended there by itself."""
    point = _at(model, theta, counts, weights)
    damping = 1e-6
    normal = _normal(point, counts, weights)
    low, high = model.bounds
    gain = np.inf
    for _ in range(MOST_STEPS):
        step, gain = _step(point, normal, (low, high), damping)
        if gain < enough * max(1.0, point.cost / counts.size):  # errors grow with chi-squared, and so does what is near enough
            return point, True
        tried = _at(model, np.clip(point.theta + step, low, high), counts, weights)
        fall = point.cost - tried.cost
        if fall < OVERSHOT * gain:  # where the fit leaves much, the step goes too far: to the least of the parabola through both ends
            share = gain / (2.0 * gain - fall)
            nearer = _at(model, np.clip(point.theta + share * step, low, high), counts, weights)
            tried = nearer if nearer.cost < tried.cost else tried
        if tried.cost < point.cost:
            point, normal = tried, _normal(tried, counts, weights)
            damping = max(damping / 10.0, _LEAST_DAMPING)
        else:
            damping = damping * 30.0 if damping > 1e-4 else 1e-3
            if damping > _MOST_DAMPING:
                return point, True
    return point, gain < SETTLED * max(1.0, point.cost / counts.size)


def _at(model: Model, theta: Floats, counts: Floats, weights: Floats) -> _Point:
    state = model.at(theta)
    columns = state.columns()
    flat = columns.reshape(len(columns), -1)
    weighted = flat * weights.ravel()
    square, pull = weighted @ flat.T, weighted @ counts.ravel()
    amounts = boxed(square, pull, np.zeros(len(pull)), np.full(len(pull), np.inf))
    residual = counts.ravel() - amounts @ flat
    prior = float(model.precision @ (theta - model.start) ** 2)
    return _Point(theta, state, columns, amounts, float((weights.ravel() * residual) @ residual) + prior)


def _fit(point: _Point, counts: Floats, weights: Floats, converged: bool) -> Fit:
    rows = np.concatenate([point.columns, point.state.slopes(point.amounts)])
    held = np.einsum("hen,en,men->hm", point.state.held(point.amounts), weights, rows, optimize=True)
    return Fit(point.amounts, point.theta, _normal(point, counts, weights)[0], converged, held)


def _normal(point: _Point, counts: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the normal matrix of amounts and free parameters together, and its right side."""
    rows = np.concatenate([point.columns, point.state.slopes(point.amounts)])
    flat = rows.reshape(len(rows), -1)
    weighted = flat * weights.ravel()
    model = point.state.model
    linear = np.zeros(len(point.amounts))
    square = weighted @ flat.T + np.diag(np.concatenate([linear, model.precision]))
    pull = weighted @ (counts - _expected(point)).ravel() - np.concatenate([linear, model.precision * (point.theta - model.start)])
    return np.asarray(square), np.asarray(pull)


def _step(point: _Point, normal: tuple[Floats, Floats], bounds: tuple[Floats, Floats], damping: float) -> tuple[Floats, float]:
    """Return the damped step of the free parameters and the fall of chi-squared that it promises."""
    square, pull = normal
    linear = len(point.amounts)
    damped = square + np.diag(np.diag(square) * damping)
    low = np.concatenate([-point.amounts, bounds[0] - point.theta])
    high = np.concatenate([np.full(linear, np.inf), bounds[1] - point.theta])
    step = boxed(damped, pull, low, high)
    return step[linear:], float(2.0 * pull @ step - step @ square @ step)


def _expected(point: _Point) -> Floats:
    return np.asarray(np.tensordot(point.amounts, point.columns, axes=1))
