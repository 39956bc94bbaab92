"""Do risks over time mean what they say? Observed over expected, the Cox slope, the flexible curve and its distances."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map, bootstrap
from onclair.science.statistics.cox import CoxFit, FollowUp, cox
from onclair.science.statistics.cox_influence import baseline_influence, cox_influence
from onclair.science.statistics.smoothers import moved_inside
from onclair.science.statistics.splines import knots, restricted_cubic
from onclair.science.statistics.survival import kaplan_meier, kaplan_meier_influence
from onclair.validate.calibration_curves import POINTS, band, with_remark
from onclair.validate.censored import events_by
from onclair.validate.curves import Curve
from onclair.validate.followed import Followed
from onclair.validate.resampling import with_percentiles
from onclair.validate.rows import Floats, refuse_gaps, said_of_ends

SMOOTHER = "Cox model on a restricted cubic spline, 3 knots, of cloglog(risk); follow-up cut at the horizon (Austin 2020)"
DISTANCES = ("ici", "e50", "e90", "emax")


def o_e(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return observed over expected risk at `horizon`, one minus Kaplan-Meier over the mean risk; above 1 the risks are too low.

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
        On the log scale: ``1 / sqrt(events by the horizon)`` with one row a patient, else the infinitesimal jackknife of the
        clustered ratio. ``not_available`` without an event by then, with all risks 0, or beyond the longest follow-up.

    References
    ----------
    McLernon et al. 2023, doi:10.7326/M22-0844; Debray et al. 2017, doi:10.1136/bmj.i6460.

    Examples
    --------
    Half have the event by 2 where 0.4 was expected:

    >>> from onclair.validate.followed import followed_risks
    >>> o_e("o_e:model", followed_risks([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1], [0.7, 0.5, 0.3, 0.1]), 2.0).value
    1.25
    """
    seen = events_by(rows, horizon)
    if reason := _too_short(rows, horizon) or (None if seen else f"nobody has the event by {horizon:g}"):
        return rows.missing(name, reason)
    if not rows.scores.any():
        return rows.missing(name, "every risk is 0, so no event was expected")
    observed, expected = 1 - float(kaplan_meier(rows.time, rows.event == 1).at(horizon)), float(rows.scores.mean())
    method = f"(1 - Kaplan-Meier) / mean risk, at {horizon:g}; log scale"
    if rows.clusters is None:
        se, how = 1 / np.sqrt(seen), "1/sqrt(events by then)"
    else:
        moved = -kaplan_meier_influence(rows.time, rows.event == 1, horizon) / observed
        se, how = rows.error(moved - (rows.scores - expected) / (rows.size * expected)), "clustered infinitesimal jackknife"
    found = rows.estimate(name, observed / expected, float(se), f"{method}, {how}", scale="log")
    return replace(found, events=seen)


def poisson_o_e(name: str, rows: Followed, cumulative_hazard: npt.ArrayLike) -> Estimate:
    """Return observed over expected events over the whole follow-up; above 1 the claim expects too few.

    Parameters
    ----------
    name : str
        For example ``"poisson_o_e:model"``.
    rows : Followed
    cumulative_hazard : array_like, shape (n,)
        The claim's cumulative hazard at each row's own follow-up time, ``H0(T) exp(lp)``: what each was expected to add.

    Returns
    -------
    Estimate
        On the log scale, ``1 / sqrt(events)`` with one row a patient. ``not_available`` without an event or with all hazards 0.

    Raises
    ------
    BadInput
        For another length, or a hazard that is missing, infinite or negative.

    References
    ----------
    Crowson et al. 2016, doi:10.1177/0962280213497434: exp of a Poisson intercept with log cumulative hazard as offset.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> rows = followed_rows([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1], [0.7, 0.5, 0.3, 0.1])
    >>> poisson_o_e("poisson_o_e:model", rows, [0.5, 0.5, 0.5, 0.5]).value
    1.5
    """
    hazard = np.asarray(cumulative_hazard, dtype=np.float64)
    if hazard.shape != rows.time.shape:
        raise BadInput(f"There are {hazard.size} cumulative hazards for {rows.size} rows; give one a row, at its own follow-up time.")
    refuse_gaps(~np.isfinite(hazard), "cumulative hazard")
    if (hazard < 0).any():
        raise BadInput(f"The cumulative hazard is {hazard.min():g} in row {int(hazard.argmin())}; it must be 0 or more.")
    seen = (rows.event == 1).astype(np.float64)
    if not seen.any():
        return rows.missing(name, "there is no event")
    if not hazard.any():
        return rows.missing(name, "every cumulative hazard is 0, so no event was expected")
    value = float(seen.sum() / hazard.sum())
    if rows.clusters is None:
        se, how = float(1 / np.sqrt(seen.sum())), "1/sqrt(events)"
    else:
        se, how = rows.error((seen - value * hazard) / seen.sum()), "clustered ratio"
    return rows.estimate(name, value, se, f"events / summed cumulative hazard (Crowson 2016); log scale, {how}", scale="log")


def slope(name: str, rows: Followed) -> Estimate:
    """Return the calibration slope: the coefficient of the linear predictor in a Cox model; below 1 the claim is too extreme.

    Parameters
    ----------
    name : str
        For example ``"slope:model"``.
    rows : Followed
        Scores are the linear predictor (log hazard ratio).

    Returns
    -------
    Estimate
        Efron's ties; model-based error with one row a patient, sandwich by patient otherwise. ``not_available`` without an event,
        for a constant linear predictor, or when it orders the events perfectly.

    References
    ----------
    van Houwelingen 2000, doi:10.1002/1097-0258(20001230)19:24<3401::AID-SIM554>3.0.CO;2-2.

    Examples
    --------
    The likelihood r / (2r + 1) * 1 / (r + 1) is highest at r = 1 / sqrt(2):

    >>> from onclair.validate.followed import followed_rows
    >>> round(slope("slope:model", followed_rows([1.0, 2.0, 3.0], [1, 1, 1], [1.0, 0.0, 1.0])).value, 6)
    -0.346574
    """
    if np.ptp(rows.scores) == 0:
        return rows.missing(name, "the linear predictor is the same for everyone, so there is no slope")
    design, follow_up = rows.scores[:, None], FollowUp(rows.time, rows.event == 1)
    fit = cox(design, follow_up)
    if not fit.ok:
        return rows.missing(name, str(fit.reason))
    if rows.clusters is None:
        se, how = float(np.sqrt(fit.covariance[0, 0])), "model-based error"
    else:
        se, how = rows.error(cox_influence(fit, design, follow_up)[:, 0]), "sandwich error by patient (Lin & Wei 1989)"
    return rows.estimate(name, float(fit.coefficients[0]), se, f"Cox slope on the linear predictor, Efron's ties; {how}, Wald interval")


def calibration_curve(who: str, rows: Followed, horizon: float) -> Curve:
    """Return the observed risk at `horizon` as a smooth function of the predicted one, with a pointwise robust band.

    Parameters
    ----------
    who : str
    rows : Followed
        Scores are risks in [0, 1].
    horizon : float
        Not beyond the longest follow-up.

    Returns
    -------
    Curve
        ``"calibration"``, 100 points from the 1st to the 99th centile of the risks; empty with a reason where no curve can be had.
        The band is Wald's on the log cumulative hazard, its error from the influence of every patient on spline and baseline.

    References
    ----------
    Austin, Harrell & van Klaveren 2020, doi:10.1002/sim.8570.

    Examples
    --------
    >>> from onclair.validate.followed import followed_risks
    >>> rows = followed_risks([9, 1, 5, 3] * 10, [1, 1, 0, 1] * 10, np.linspace(0.1, 0.8, 40))
    >>> len(calibration_curve("model", rows, 5.0).x), calibration_curve("model", rows, 10.0).reason
    (100, 'follow-up ends at 9, before 10')
    """
    blank = functools.partial(Curve, "calibration", who, n=rows.n, events=events_by(rows, horizon), level=rows.level)
    smooth = _too_short(rows, horizon) or _smoothed(rows.time, rows.event == 1, rows.scores, horizon)
    if isinstance(smooth, str):
        return blank((), (), reason=smooth)
    first, last = np.quantile(rows.scores, [0.01, 0.99])
    grid = np.linspace(float(first), float(last), POINTS)
    if not grid[-1] > grid[0]:
        return blank((), (), reason="the risks hardly vary, so there is no curve to draw")
    basis = restricted_cubic(_cloglog(grid), smooth.knots)
    hazard = float(smooth.fit.baseline[0].at(horizon))
    influence = np.column_stack(
        [
            baseline_influence(smooth.fit, smooth.basis, smooth.follow_up, horizon) / hazard,
            cox_influence(smooth.fit, smooth.basis, smooth.follow_up),
        ]
    )
    sums = np.column_stack([rows.by_patient(column) for column in influence.T])
    parts = sums @ np.column_stack([np.ones(POINTS), basis]).T
    se = np.sqrt((parts**2).sum(axis=0) * rows.n / max(rows.n - 1, 1))
    centre = np.log(hazard) + basis @ smooth.fit.coefficients
    middle, low, high = (_risk(centre + shift * se) for shift in (0.0, -rows.quantile, rows.quantile))
    method = rows.said(f"{_smoother(rows)}; robust pointwise band on the log cumulative hazard{rows.law}")
    drawn = blank(tuple(grid), tuple(middle), *band(low, high))
    return replace(drawn, x_label=f"predicted risk at {horizon:g}", y_label=f"observed risk at {horizon:g}", method=method)


def calibration_distances(
    who: str,
    rows: Followed,
    horizon: float,
    *,
    replicates: int = 200,
    seed: int = 0,
    map: Map = map,  # noqa: A002
) -> list[Estimate]:
    """Return ICI, E50, E90 and Emax: mean, median, 90th centile and greatest distance of the risk and the smooth curve.

    Each has a percentile interval of patients drawn with replacement, knots and all. Distances cannot be negative, so in small
    cohorts all of them, and their intervals, lie above the truth; `method` says so, and `reason` where an interval lies beside
    its figure.

    Parameters
    ----------
    who : str
        Names are ``ici:WHO``, ``e50:WHO``, ``e90:WHO`` and ``emax:WHO``.
    rows : Followed
        Scores are risks in [0, 1].
    horizon : float
    replicates : int
        Of the bootstrap; 0 leaves the intervals out, with a reason.
    seed : int
    map : callable
        See :func:`onclair.science.statistics.bootstrap.bootstrap`.

    Returns
    -------
    list of Estimate
        ``not_available`` where no curve can be had.

    References
    ----------
    Austin, Harrell & van Klaveren 2020, doi:10.1002/sim.8570. Quantiles are of type 7.

    Examples
    --------
    >>> from onclair.validate.followed import followed_risks
    >>> rows = followed_risks([9, 1, 5, 3] * 10, [1, 1, 0, 1] * 10, np.linspace(0.1, 0.8, 40))
    >>> [e.name for e in calibration_distances("model", rows, 5.0, replicates=0)]
    ['ici:model', 'e50:model', 'e90:model', 'emax:model']
    """
    names = [f"{figure}:{who}" for figure in DISTANCES]
    smooth = _too_short(rows, horizon) or _smoothed(rows.time, rows.event == 1, rows.scores, horizon)
    if isinstance(smooth, str):
        return [rows.missing(name, smooth) for name in names]
    method = rows.said(f"distance at {horizon:g} of the risk from {_smoother(rows)}; biased upwards in small cohorts")
    known = Estimate(names[0], 0.0, level=rows.level, n=rows.n, events=events_by(rows, horizon), method=method)
    known = replace(known, reason="no interval: no bootstrap was asked for")
    found = [replace(known, name=name, value=value) for name, value in zip(names, _apart(smooth, rows.scores, horizon), strict=True)]
    if replicates < 2:
        return [rows.cautioned(e) for e in found]
    statistic = functools.partial(_distances, rows.time, rows.event == 1, rows.scores, horizon)
    clusters = np.arange(rows.size) if rows.clusters is None else rows.clusters
    made = with_percentiles(found, bootstrap(statistic, clusters, replicates, seed=seed, map=map), "had no smooth curve")
    return [rows.cautioned(with_remark(e)) for e in made]


@dataclass(frozen=True, slots=True, eq=False)
class _Smooth:
    """The fitted curve: its knots on cloglog(risk), the rows' basis and follow-up, and the Cox model."""

    knots: Floats
    basis: Floats
    follow_up: FollowUp
    fit: CoxFit


def _smoothed(time: Floats, event: npt.NDArray[np.bool_], risks: Floats, horizon: float) -> _Smooth | str:
    """Return the smooth curve of these rows, or why there is none."""
    by = FollowUp(np.minimum(time, horizon), event & (time <= horizon))
    if not np.asarray(by.event).any():
        return f"nobody has the event by {horizon:g}"
    x = _cloglog(risks)
    try:
        places = knots(x, 3)
    except BadInput:
        return "the risks take too few different values for a smooth curve"
    basis = restricted_cubic(x, places)
    fit = cox(basis, by)
    return _Smooth(places, basis, by, fit) if fit.ok else f"the curve could not be fitted: {fit.reason}"


def _smoother(rows: Followed) -> str:
    """Name the smoother, and the rows whose risk had to be moved to have a cloglog."""
    return SMOOTHER + said_of_ends(rows.scores)


def _apart(smooth: _Smooth, risks: Floats, horizon: float) -> list[float]:
    apart = np.abs(smooth.fit.risk(smooth.basis @ smooth.fit.coefficients, by=horizon) - risks)
    return [float(v) for v in (apart.mean(), *np.quantile(apart, [0.5, 0.9]), apart.max())]


def _distances(time: Floats, event: npt.NDArray[np.bool_], risks: Floats, horizon: float, weights: Floats) -> Floats:
    """Measure the distances of rows counted `weights` times; NaN where the curve cannot be had."""
    drawn = np.repeat(np.arange(time.size), weights.astype(np.int64))
    smooth = _smoothed(time[drawn], event[drawn], risks[drawn], horizon)
    return np.full(4, np.nan) if isinstance(smooth, str) else np.array(_apart(smooth, risks[drawn], horizon))


def _too_short(rows: Followed, horizon: float) -> str | None:
    return f"follow-up ends at {rows.longest:g}, before {horizon:g}" if rows.longest < horizon else None


def _cloglog(risks: Floats) -> Floats:
    return np.asarray(np.log(-np.log1p(-moved_inside(risks))))


def _risk(log_hazard: Floats) -> Floats:
    return np.asarray(-np.expm1(-np.exp(log_hazard)))
