"""Do the risks mean what they say? O:E, calibration in the large, slope, the flexible curve and its distances."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map, Replicates, bootstrap
from onclair.science.statistics.glm import GlmFit, logistic, with_intercept
from onclair.science.statistics.loess import loess, loess_operator
from onclair.validate.curves import Curve
from onclair.validate.rows import CLIP, Floats, Rows, judged_risks

SMOOTHER = "loess (R: span 0.75, degree 2, interpolated)"
#: Points at which a calibration curve is drawn.
POINTS = 100
#: Share of bootstrap replicates that may fail before an interval is no longer given.
MOST_FAILED = 0.1
#: Why an interval may lie beside its figure.
ASTRAY = "the percentile interval does not hold the figure: drawing patients anew adds to distances that cannot be negative"


def o_e(name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return observed over expected events; above 1 the risks are too low.

    The interval is formed on the log scale: variance ``1/O - 1/n`` with one row a patient, else that of the clustered ratio.

    Parameters
    ----------
    name : str
        For example ``"o_e:model"``.
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
    patients : array_like, shape (n,), optional

    Returns
    -------
    Estimate
        ``not_available`` without an event, or when all risks are 0.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Debray et al. 2017, doi:10.1136/bmj.i6460.

    Examples
    --------
    >>> o_e("o_e:model", [0, 0, 1, 1], [0.2, 0.4, 0.4, 0.6]).value
    1.25
    """
    rows = judged_risks(truth, risks, patients, level=level)
    y, p = rows.truth.astype(np.float64), rows.scores.mean(axis=0)
    if not y.any():
        return rows.missing(name, "there is no event")
    if not p.any():
        return rows.missing(name, "every risk is 0, so no event was expected")
    value = float(y.sum() / p.sum())
    if y.all():
        found = rows.estimate(name, value, float("nan"), "observed / expected")
        return replace(found, reason="every row has the event, so the variance cannot be estimated")
    if rows.clusters is None:
        return rows.estimate(
            name, value, float(np.sqrt(1 / y.sum() - 1 / y.size)), "observed / expected; log scale, 1/O - 1/n", scale="log"
        )
    se = rows.error((y - value * p) / y.sum())
    return rows.estimate(name, value, se, "observed / expected; log scale, clustered ratio", scale="log")


def citl(name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return calibration in the large, `a` of ``logit P = a + logit(risk)``; 0 is right, above it the risks are too low.

    Parameters
    ----------
    name : str
        For example ``"citl:model"``.
    truth, risks, patients
        As :func:`o_e`. With repeats, the mean of their figures, with the error of that mean.

    Returns
    -------
    Estimate
        ``not_available`` when one class is absent.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562; Van Calster et al. 2016, doi:10.1016/j.jclinepi.2015.12.005.

    Examples
    --------
    Half had the event where one in five was expected, so log(1) - log(1 / 4):

    >>> round(citl("citl:model", [0, 1, 0, 1], [0.2] * 4).value, 6)
    1.386294
    """
    rows = judged_risks(truth, risks, patients, level=level)

    def fit(lp: Floats) -> GlmFit:
        return logistic(np.ones((lp.size, 1)), rows.truth, offset=lp, clusters=rows.clusters)

    return _recalibrated(name, rows, fit, "logistic intercept with logit(risk) as offset")


def slope(name: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Return the calibration slope, `b` of ``logit P = a + b logit(risk)``; 1 is right, below it the risks are too extreme.

    Parameters
    ----------
    name : str
        For example ``"slope:model"``.
    truth, risks, patients
        As :func:`o_e`. With repeats, the mean of their figures, with the error of that mean.

    Returns
    -------
    Estimate
        ``not_available`` when one class is absent, the risks hardly vary (:attr:`onclair.validate.rows.Rows.alike`: one risk
        a fold would give the slope of the folds) or separate the classes.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Cox 1958, doi:10.1093/biomet/45.3-4.562.

    Examples
    --------
    Risks of 0.2 and 0.8 where 1 in 4 and 3 in 4 had the event: log 9 / log 16.

    >>> round(slope("slope:model", [0, 0, 0, 1, 0, 1, 1, 1], [0.2] * 4 + [0.8] * 4).value, 6)
    0.792481
    """
    rows = judged_risks(truth, risks, patients, level=level)
    if rows.one_class or rows.alike:
        return rows.missing(name, rows.one_class or f"{rows.alike}, so there is no slope")

    def fit(lp: Floats) -> GlmFit:
        return logistic(with_intercept(lp), rows.truth, clusters=rows.clusters)

    return _recalibrated(name, rows, fit, "logistic slope on logit(risk)")


def calibration_curve(
    who: str, truth: npt.ArrayLike, risks: npt.ArrayLike, *, patients: npt.ArrayLike | None = None, level: float = 0.95
) -> Curve:
    """Return the share of events as a smooth function of the risk, with a pointwise robust band.

    Smooth and band are cut to [0, 1]. The band is ``smooth -+ z se``, where ``se^2`` sums, over patients, the square of the
    weighted residuals that made the smooth at that point; it neither assumes equal variances nor independent rows.

    Parameters
    ----------
    who : str
    truth, risks, patients
        As :func:`o_e`. With repeats, the mean of their curves, over the range that all share.

    Returns
    -------
    Curve
        ``"calibration"``, 100 points from the 1st to the 99th centile of the risks; empty with a reason when one class is
        absent or the risks take too few values.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.

    References
    ----------
    Austin & Steyerberg 2014, doi:10.1002/sim.5941.

    Examples
    --------
    >>> curve = calibration_curve("model", [0, 1] * 20, np.linspace(0.1, 0.9, 40))
    >>> len(curve.x), calibration_curve("model", [0, 1], [0.5, 0.5]).reason
    (100, 'the risk is the same for everyone, so there is no curve to draw')
    """
    rows = judged_risks(truth, risks, patients, level=level)
    blank = functools.partial(Curve, "calibration", who, n=rows.n, events=rows.events, level=level)
    if rows.one_class or rows.alike:
        return blank((), (), reason=rows.one_class or f"{rows.alike}, so there is no curve to draw")
    edges = np.quantile(rows.scores, [0.01, 0.99], axis=1)
    grid = np.linspace(edges[0].max(), edges[1].min(), POINTS)
    if not grid[-1] > grid[0]:
        return blank((), (), reason="the risks hardly vary, so there is no curve to draw")
    y = rows.truth.astype(np.float64)
    try:
        parts = [_smooth_and_error(rows, line, y, grid) for line in rows.scores]
    except BadInput as error:
        return blank((), (), reason=str(error))
    smooth = np.mean([values for values, _, _ in parts], axis=0)
    blend = np.concatenate([weights for _, weights, _ in parts], axis=1) / len(parts)
    errors = np.concatenate([sums for _, _, sums in parts])
    variance = ((blend @ (errors @ errors.T)) * blend).sum(axis=1) * rows.n / max(rows.n - 1, 1)
    half = rows.z * np.sqrt(np.maximum(variance, 0.0))
    low, high = np.clip(smooth - half, 0, 1), np.clip(smooth + half, 0, 1)
    drawn = blank(tuple(grid), tuple(smooth), tuple(low), tuple(high))
    method = rows.said(f"{SMOOTHER}; robust pointwise band")
    return replace(drawn, x_label="predicted risk", y_label="observed share", method=method)


def calibration_distances(
    who: str,
    rows: Rows,
    *,
    replicates: int = 200,
    seed: int = 0,
    map: Map = map,  # noqa: A002
) -> list[Estimate]:
    """Return ICI, E50, E90 and Emax: mean, median, 90th centile and greatest distance of risk and loess curve.

    The curve is cut to [0, 1], so that no distance is above 1. Each has a percentile interval of patients drawn with
    replacement. Distances cannot be negative, so in small cohorts all of them, and their intervals, lie above the truth;
    `method` says so, and `reason` where the interval lies wholly beside its figure.

    Parameters
    ----------
    who : str
        Names are ``ici:WHO``, ``e50:WHO``, ``e90:WHO`` and ``emax:WHO``.
    rows : Rows
        From :func:`onclair.validate.rows.judged_risks`; with repeats, figures are means over the repeats.
    replicates : int
        Of the bootstrap; 0 leaves the intervals out, with a reason.
    seed : int
    map : callable
        See :func:`onclair.science.statistics.bootstrap.bootstrap`.

    Returns
    -------
    list of Estimate
        ``not_available`` when one class is absent, or the risks hardly vary or take too few values.

    References
    ----------
    Austin & Steyerberg 2019, doi:10.1002/sim.8281. Quantiles are of type 7.

    Examples
    --------
    >>> from onclair.validate.rows import judged_risks
    >>> [e.name for e in calibration_distances("model", judged_risks([0, 1] * 20, np.linspace(0.1, 0.9, 40)), replicates=20)]
    ['ici:model', 'e50:model', 'e90:model', 'emax:model']
    """
    names = [f"{figure}:{who}" for figure in ("ici", "e50", "e90", "emax")]
    if rows.one_class or rows.alike:
        return [rows.missing(name, rows.one_class or f"{rows.alike}, so there is no curve to measure from") for name in names]
    statistic = functools.partial(_distances, rows.truth.astype(np.float64), rows.scores)
    values = statistic(np.ones(rows.truth.size))
    if np.isnan(values).any():
        return [rows.missing(name, "the risks take too few different values for a smooth curve") for name in names]
    method = rows.said(f"distance of the risk from {SMOOTHER}; biased upwards in small cohorts")
    known = Estimate(
        names[0], 0.0, level=rows.level, n=rows.n, events=rows.events, method=method, reason="no interval: no bootstrap was asked for"
    )
    found = [replace(known, name=name, value=float(value)) for name, value in zip(names, values, strict=True)]
    if replicates < 2:
        return found
    clusters = np.arange(rows.truth.size) if rows.clusters is None else rows.clusters
    return _with_interval(found, bootstrap(statistic, clusters, replicates, seed=seed, map=map))


def _smooth_and_error(rows: Rows, line: Floats, y: Floats, grid: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the smooth at `grid`, its blend of vertices (points, 2 v) and the vertices' weighted residuals by patient (2 v, G)."""
    fit, operator = loess(line, y), loess_operator(line)
    residual = y - np.clip(fit.at(line), 0, 1)
    return (
        np.clip(fit.at(grid), 0, 1),
        operator.blend(grid),
        np.array([rows.by_patient(weights * residual) for weights in operator.weights]),
    )


def _with_interval(found: list[Estimate], drawn: Replicates) -> list[Estimate]:
    """Return the estimates with percentile intervals, unless so many replicates failed that those left are a choice."""
    failed, replicates = int(drawn.failed.max()), len(drawn.values)
    if failed > MOST_FAILED * replicates:
        return [replace(e, reason=f"no interval: {failed} of {replicates} bootstrap replicates had no smooth curve") for e in found]
    (low, high), se = drawn.interval(found[0].level), drawn.standard_error()
    method = f"{found[0].method}; percentile bootstrap of patients, {replicates} replicates" + (
        f", {failed} of them failed" if failed else ""
    )
    ends = zip(found, low, high, se, strict=True)
    made = [replace(e, low=float(a), high=float(b), se=float(c), method=method, reason=None) for e, a, b, c in ends]
    return [e if e.value is None or a <= e.value <= b else replace(e, reason=ASTRAY) for e, a, b in zip(made, low, high, strict=True)]


def _distances(truth: Floats, scores: Floats, weights: Floats) -> Floats:
    """ICI, E50, E90, Emax of rows counted `weights` times, mean over repeats; NaN where the curve cannot be had."""
    rows = np.repeat(np.arange(truth.size), weights.astype(np.int64))
    found = []
    for line in scores:
        try:
            apart = np.abs(np.clip(loess(line[rows], truth[rows]).at(line[rows]), 0, 1) - line[rows])
        except BadInput:
            return np.full(4, np.nan)
        found.append([apart.mean(), *np.quantile(apart, [0.5, 0.9]), apart.max()])
    return np.asarray(np.mean(found, axis=0), dtype=np.float64)


def _recalibrated(name: str, rows: Rows, fit: Callable[[Floats], GlmFit], method: str) -> Estimate:
    """Return the last coefficient of `fit`, mean over repeats, with the error of that mean."""
    if rows.one_class:
        return rows.missing(name, rows.one_class)
    inside = np.clip(rows.scores, CLIP, 1 - CLIP)
    moved = int((inside != rows.scores).any(axis=0).sum())
    fits = [fit(np.log(line) - np.log1p(-line)) for line in inside]
    failed = [f.reason for f in fits if not f.ok]
    if failed:
        return rows.missing(name, str(failed[0]))
    value = float(np.mean([f.coefficients[-1] for f in fits]))
    if len(fits) == 1 and rows.clusters is None:
        se, how = float(np.sqrt(fits[0].covariance[-1, -1])), "model-based error"
    else:
        se, how = rows.error(np.mean([f.influence[:, -1] for f in fits], axis=0)), "sandwich error"
    clipped = f"; {moved} rows with risk 0 or 1 moved inside by {CLIP:g}" if moved else ""
    return rows.estimate(name, value, se, f"{method}; {how}, Wald interval{clipped}")
