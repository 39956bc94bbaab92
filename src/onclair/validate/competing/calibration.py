"""Do risks mean what they say when others compete? Observed over expected, and calibration on pseudo-values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map, bootstrap
from onclair.science.statistics.competing import incidence, incidence_influence, pseudo_values, time_order
from onclair.science.statistics.glm import GlmFit, cloglog, with_intercept
from onclair.science.statistics.loess import loess, loess_operator
from onclair.science.statistics.smoothers import moved_inside
from onclair.validate.calibration_curves import POINTS, band, with_remark
from onclair.validate.censored import events_by, jackknife_error
from onclair.validate.curves import Curve
from onclair.validate.followed import Followed
from onclair.validate.resampling import with_percentiles
from onclair.validate.rows import Floats, said_of_ends

DISTANCES = ("ici", "e50", "e90")
SMOOTHER = "loess (R: span 0.75, degree 2, interpolated)"
ALIKE = "the risk is the same for everyone"


def observed_risk(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the Aalen-Johansen risk of the event by `horizon`: what happened, whatever was claimed.

    Parameters
    ----------
    name : str
        For example ``"observed:all"``.
    rows : Followed
        The scores are not used.
    horizon : float
        In the unit of time, not beyond the longest follow-up.

    Returns
    -------
    Estimate
        With the infinitesimal jackknife error of R's ``survfit`` (no small-sample factor) with one row a patient, clustered
        otherwise.

    References
    ----------
    Aalen & Johansen 1978, Scand J Stat 5:141-150.

    Examples
    --------
    >>> from onclair.validate.followed import followed_risks
    >>> observed_risk("observed:all", followed_risks([1.0, 2.0, 3.0, 4.0], [1, 2, 0, 1], [0.3] * 4), 2.5).value
    0.25
    """
    if reason := _no_outcome(rows, horizon):
        return rows.missing(name, reason)
    observed, moves = incidence_influence(time_order(rows.time, rows.event, horizon))
    method = f"Aalen-Johansen risk at {horizon:g}; infinitesimal jackknife, Wald interval"
    return replace(rows.estimate(name, observed, jackknife_error(rows, moves), method), events=events_by(rows, horizon))


def o_e(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return observed over expected risk at `horizon`, Aalen-Johansen over the mean risk; above 1 the risks are too low.

    Parameters
    ----------
    name : str
        For example ``"o_e:model"``.
    rows : Followed
        Scores are risks in [0, 1] of the event by the horizon.
    horizon : float
        In the unit of time, not beyond the longest follow-up.

    Returns
    -------
    Estimate
        On the log scale, by the infinitesimal jackknife of the observed risk (as R's robust error: no small-sample factor) with
        one row a patient, of the clustered ratio otherwise. ``not_available`` without an event by then, with all risks 0, or
        beyond the longest follow-up.

    References
    ----------
    van Geloven et al. 2022, doi:10.1136/bmj-2021-069249.

    Examples
    --------
    A quarter has the event by 2.5 where 0.2 was expected:

    >>> from onclair.validate.followed import followed_risks
    >>> round(o_e("o_e:model", followed_risks([1.0, 2.0, 3.0, 4.0], [1, 2, 0, 1], [0.3, 0.2, 0.2, 0.1]), 2.5).value, 12)
    1.25
    """
    if reason := _no_outcome(rows, horizon):
        return rows.missing(name, reason)
    if not rows.scores.any():
        return rows.missing(name, "every risk is 0, so no event was expected")
    observed, moves = incidence_influence(time_order(rows.time, rows.event, horizon))
    expected = float(rows.scores.mean())
    if rows.clusters is None:
        se, how = jackknife_error(rows, moves) / observed, "infinitesimal jackknife"
    else:
        se = rows.error(moves / observed - (rows.scores - expected) / (rows.size * expected))
        how = "clustered infinitesimal jackknife of the ratio"
    value, method = observed / expected, f"Aalen-Johansen / mean risk, at {horizon:g}; log scale, {how}"
    if se == 0:
        return rows.bare(name, value, method, "every row has the event, so the variance cannot be estimated")
    return replace(rows.estimate(name, value, se, method, scale="log"), events=events_by(rows, horizon))


def pseudo_intercept(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return `a` of ``P = 1 - exp(-exp(a + cloglog(risk)))`` on pseudo-values; 0 is right, above it the risks are too low.

    Parameters
    ----------
    name : str
        For example ``"pseudo_intercept:model"``.
    rows : Followed
        Scores are risks in [0, 1] of the event by the horizon.
    horizon : float
        In the unit of time, not beyond the longest follow-up.

    Returns
    -------
    Estimate
        Estimating equations under independence, with the sandwich error. ``not_available`` without an event by the horizon or
        beyond the longest follow-up.

    References
    ----------
    Royston 2014, doi:10.1177/1536867X1401400403; van Geloven et al. 2022, doi:10.1136/bmj-2021-069249.

    Examples
    --------
    Half have the event where one in five was expected: log(-log(1/2)) - log(-log(4/5)).

    >>> from onclair.validate.followed import followed_risks
    >>> rows = followed_risks([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 2], [0.2] * 4)
    >>> round(pseudo_intercept("pseudo_intercept:model", rows, 3.5).value, 6)
    1.133427
    """

    def fit(x: Floats, y: Floats) -> GlmFit:
        return cloglog(np.ones((x.size, 1)), y, offset=x)

    return _recalibrated(name, rows, horizon, fit, "intercept with cloglog(risk) as offset")


def pseudo_slope(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return `b` of ``P = 1 - exp(-exp(a + b cloglog(risk)))`` on pseudo-values; 1 is right, below it the risks are too extreme.

    Parameters
    ----------
    name : str
        For example ``"pseudo_slope:model"``.
    rows, horizon
        As :func:`pseudo_intercept`.

    Returns
    -------
    Estimate
        As :func:`pseudo_intercept`; ``not_available`` also when the risk is the same for everyone.

    References
    ----------
    Royston 2014, doi:10.1177/1536867X1401400403; van Geloven et al. 2022, doi:10.1136/bmj-2021-069249.

    Examples
    --------
    Risks of 1/2 and 3/4 where 1 in 4 and 1 in 2 had the event: log(log 2 / log 4/3) / log 2.

    >>> from onclair.validate.followed import followed_risks
    >>> rows = followed_risks([1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0], [1, 2, 2, 2, 1, 1, 2, 2], [0.5] * 4 + [0.75] * 4)
    >>> round(pseudo_slope("pseudo_slope:model", rows, 4.0).value, 6)
    1.268686
    """
    if np.ptp(rows.scores) == 0:
        return rows.missing(name, f"{ALIKE}, so there is no slope")

    def fit(x: Floats, y: Floats) -> GlmFit:
        return cloglog(with_intercept(x), y)

    return _recalibrated(name, rows, horizon, fit, "slope on cloglog(risk)")


def pseudo_curve(who: str, rows: Followed, horizon: float) -> Curve:
    """Return the observed risk by the horizon as a smooth function of the predicted one, with a pointwise robust band.

    The smooth runs through the pseudo-values; smooth and band are cut to [0, 1]. The band is ``smooth -+ z se``, where ``se^2``
    sums, over patients, the square of the weighted residuals that made the smooth at that point.

    Parameters
    ----------
    who : str
    rows : Followed
        Scores are risks in [0, 1] of the event by the horizon.
    horizon : float

    Returns
    -------
    Curve
        ``"calibration"``, 100 points from the 1st to the 99th centile of the risks; empty with a reason without an event by the
        horizon, beyond the longest follow-up, or when the risks take too few values.

    References
    ----------
    Austin et al. 2022, doi:10.1186/s41512-021-00114-6; van Geloven et al. 2022, doi:10.1136/bmj-2021-069249.

    Examples
    --------
    >>> from onclair.validate.followed import followed_risks
    >>> rows = followed_risks(np.arange(1.0, 41.0), [1, 2, 0, 1] * 10, np.linspace(0.9, 0.1, 40))
    >>> curve = pseudo_curve("model", rows, 20.0)
    >>> len(curve.x), curve.y[0] < curve.y[-1]
    (100, True)
    """
    blank = functools.partial(Curve, "calibration", who, n=rows.n, events=events_by(rows, horizon), level=rows.level)
    if reason := _no_outcome(rows, horizon) or _no_curve(rows):
        return blank((), (), reason=reason)
    first, last = np.quantile(rows.scores, [0.01, 0.99])
    grid = np.linspace(first, last, POINTS)
    if not last > first:
        return blank((), (), reason="the risks hardly vary, so there is no curve to draw")
    observed = pseudo_values(rows.time, rows.event, horizon)
    try:
        fit, operator = loess(rows.scores, observed), loess_operator(rows.scores)
    except BadInput as error:
        return blank((), (), reason=str(error))
    residual = observed - np.clip(fit.at(rows.scores), 0, 1)
    errors = np.array([rows.by_patient(weights * residual) for weights in operator.weights])
    blend = operator.blend(grid)
    variance = ((blend @ (errors @ errors.T)) * blend).sum(axis=1) * rows.n / max(rows.n - 1, 1)
    half, smooth = rows.quantile * np.sqrt(np.maximum(variance, 0.0)), np.clip(fit.at(grid), 0, 1)
    drawn = blank(tuple(grid), tuple(smooth), *band(np.clip(smooth - half, 0, 1), np.clip(smooth + half, 0, 1)))
    method = rows.said(f"{SMOOTHER} on pseudo-values at {horizon:g}; robust pointwise band{rows.law}")
    return replace(drawn, x_label="predicted risk", y_label="observed risk", method=method)


def pseudo_distances(
    who: str,
    rows: Followed,
    horizon: float,
    *,
    replicates: int = 0,
    seed: int = 0,
    map: Map = map,  # noqa: A002
) -> list[Estimate]:
    """Return ICI, E50 and E90: mean, median and 90th centile of the distance of risk and :func:`pseudo_curve`.

    Each has a percentile interval of patients drawn with replacement, their pseudo-values computed anew. Distances cannot be
    negative, so in small cohorts all of them, and their intervals, lie above the truth.

    Parameters
    ----------
    who : str
        Names are ``ici:WHO``, ``e50:WHO`` and ``e90:WHO``.
    rows, horizon
        As :func:`pseudo_curve`.
    replicates : int
        Of the bootstrap; 0 leaves the intervals out, with a reason.
    seed : int
    map : callable
        See :func:`onclair.science.statistics.bootstrap.bootstrap`.

    Returns
    -------
    list of Estimate
        ``not_available`` where there is no curve.

    References
    ----------
    Austin et al. 2022, doi:10.1186/s41512-021-00114-6. Quantiles are of type 7.

    Examples
    --------
    >>> from onclair.validate.followed import followed_risks
    >>> rows = followed_risks(np.arange(1.0, 41.0), [1, 2, 0, 1] * 10, np.linspace(0.9, 0.1, 40))
    >>> [e.name for e in pseudo_distances("model", rows, 20.0)]
    ['ici:model', 'e50:model', 'e90:model']
    """
    names = [f"{figure}:{who}" for figure in DISTANCES]
    if reason := _no_outcome(rows, horizon) or _no_curve(rows):
        return [rows.missing(name, reason) for name in names]
    statistic = functools.partial(_distances, rows.time, rows.event, rows.scores, horizon)
    values = statistic(np.ones(rows.size))
    if np.isnan(values).any():
        return [rows.missing(name, "the risks take too few different values for a smooth curve") for name in names]
    method = rows.said(f"distance of the risk from {SMOOTHER} on pseudo-values at {horizon:g}; biased upwards in small cohorts")
    known = Estimate(names[0], 0.0, level=rows.level, n=rows.n, events=events_by(rows, horizon), method=method)
    unsure = replace(known, reason="no interval: no bootstrap was asked for")
    found = [replace(unsure, name=name, value=float(value)) for name, value in zip(names, values, strict=True)]
    if replicates < 2:
        return [rows.cautioned(e) for e in found]
    clusters = np.arange(rows.size) if rows.clusters is None else rows.clusters
    made = with_percentiles(found, bootstrap(statistic, clusters, replicates, seed=seed, map=map), "had no smooth curve")
    return [rows.cautioned(with_remark(e)) for e in made]


def _no_outcome(rows: Followed, horizon: float) -> str | None:
    """Return why nothing can be observed at the horizon, or None."""
    if horizon > rows.longest:
        return f"the longest follow-up is {rows.longest:g}, short of {horizon:g}, so the risk by then is not known"
    return None if ((rows.event == 1) & (rows.time <= horizon)).any() else f"nobody has the event by {horizon:g}"


def _no_curve(rows: Followed) -> str | None:
    return f"{ALIKE}, so there is no curve" if np.ptp(rows.scores) == 0 else None


def _recalibrated(name: str, rows: Followed, horizon: float, fit: Callable[[Floats, Floats], GlmFit], method: str) -> Estimate:
    """Return the last coefficient of `fit` of the pseudo-values on cloglog(risk)."""
    if reason := _no_outcome(rows, horizon):
        return rows.missing(name, reason)
    found = fit(np.log(-np.log1p(-moved_inside(rows.scores))), pseudo_values(rows.time, rows.event, horizon))
    if not found.ok:
        return rows.missing(name, str(found.reason))
    said = f"{method}, pseudo-values at {horizon:g}, independence (Royston 2014); sandwich error, Wald interval"
    said += said_of_ends(rows.scores)
    stated = rows.estimate(name, float(found.coefficients[-1]), rows.error(found.influence[:, -1]), said)
    return replace(stated, events=events_by(rows, horizon))


def _distances(time: Floats, event: npt.NDArray[np.int64], risks: Floats, horizon: float, weights: Floats) -> Floats:
    """ICI, E50, E90 of rows counted `weights` times; NaN where the curve cannot be had."""
    if not incidence(time_order(time, event, horizon), weights)[1]:
        return np.full(3, np.nan)
    rows = np.repeat(np.arange(time.size), weights.astype(np.int64))
    observed = pseudo_values(time, event, horizon, weights=weights)[rows]
    try:
        apart = np.abs(np.clip(loess(risks[rows], observed).at(risks[rows]), 0, 1) - risks[rows])
    except BadInput:
        return np.full(3, np.nan)
    return np.array([apart.mean(), *np.quantile(apart, [0.5, 0.9])])
