"""The flexible calibration curve, by any smoother, and how far it lies from the risks: ICI, E50, E90 and Emax."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map, bootstrap
from onclair.science.statistics.smoothers import SMOOTHERS, check_smoother, smoothed
from onclair.validate.curves import Curve
from onclair.validate.resampling import with_percentiles
from onclair.validate.rows import Floats, Rows, judged_risks, said_of_ends

#: Points at which a calibration curve is drawn.
POINTS = 100
#: Why an interval may lie beside its figure.
ASTRAY = "the percentile interval does not hold the figure: drawing patients anew adds to distances that cannot be negative"
DISTANCES = ("ici", "e50", "e90", "emax")


def calibration_curve(
    who: str,
    truth: npt.ArrayLike,
    risks: npt.ArrayLike,
    *,
    smoother: str = "loess",
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Curve:
    """Return the share of events as a smooth function of the risk, with a pointwise robust band.

    Smooth and band are cut to [0, 1]. The band is ``smooth -+ z se``, where ``se^2`` sums, over patients, the square of the
    weighted residuals that made the smooth at that point; it neither assumes equal variances nor independent rows.

    Parameters
    ----------
    who : str
    truth, risks, patients
        As :func:`onclair.validate.calibration.o_e`. With repeats, the mean of their curves, over the range that all share.
    smoother : {"loess", "lowess", "rcs3", "rcs4", "rcs5"}
        See :func:`onclair.science.statistics.smoothers.smoothed`.

    Returns
    -------
    Curve
        ``"calibration"``, 100 points from the 1st to the 99th centile of the risks; empty with a reason when one class is
        absent or the risks take too few values.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.
    BadSetting
        For another smoother.

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
    check_smoother(smoother)
    blank = functools.partial(Curve, "calibration", who, n=rows.n, events=rows.events, level=level)
    if rows.one_class or rows.alike:
        return blank((), (), reason=rows.one_class or f"{rows.alike}, so there is no curve to draw")
    edges = np.quantile(rows.scores, [0.01, 0.99], axis=1)
    grid = np.linspace(edges[0].max(), edges[1].min(), POINTS)
    if not grid[-1] > grid[0]:
        return blank((), (), reason="the risks hardly vary, so there is no curve to draw")
    try:
        smooth, se = _band(rows, smoother, grid)
    except BadInput as error:
        return blank((), (), reason=str(error))
    low, high = (np.clip(smooth + side * rows.quantile * se, 0, 1) for side in (-1, 1))
    drawn = blank(tuple(grid), tuple(smooth), *band(low, high))
    method = _said(rows, smoother, f"robust pointwise band{rows.law}")
    return replace(drawn, x_label="predicted risk", y_label="observed share", method=method)


def band(low: Floats, high: Floats) -> tuple[tuple[float, ...], tuple[float, ...]] | tuple[None, None]:
    """Return the ends of a pointwise band, or none where they are not known (one patient with several rows).

    Examples
    --------
    >>> band(np.array([0.1]), np.array([0.3])), band(np.array([np.nan]), np.array([np.nan]))
    (((0.1,), (0.3,)), (None, None))
    """
    known = np.isfinite(low).all() and np.isfinite(high).all()
    return (tuple(low.tolist()), tuple(high.tolist())) if known else (None, None)


def calibration_distances(
    who: str,
    rows: Rows,
    *,
    smoother: str = "loess",
    replicates: int = 200,
    seed: int = 0,
    map: Map = map,  # noqa: A002
) -> list[Estimate]:
    """Return ICI, E50, E90 and Emax: mean, median, 90th centile and greatest distance of risk and smooth curve.

    The curve is cut to [0, 1], so that no distance is above 1. Each has a percentile interval of patients drawn with
    replacement. Distances cannot be negative, so in small cohorts all of them, and their intervals, lie above the truth;
    `method` says so, and `reason` where the interval lies wholly beside its figure.

    Parameters
    ----------
    who : str
        Names are ``ici:WHO``, ``e50:WHO``, ``e90:WHO`` and ``emax:WHO``.
    rows : Rows
        From :func:`onclair.validate.rows.judged_risks`; with repeats, figures are means over the repeats.
    smoother : {"loess", "lowess", "rcs3", "rcs4", "rcs5"}
        See :func:`onclair.science.statistics.smoothers.smoothed`; its name is in every method, for the figures depend on it.
    replicates : int
        Of the bootstrap; 0 leaves the intervals out, with a reason.
    seed : int
    map : callable
        See :func:`onclair.science.statistics.bootstrap.bootstrap`.

    Returns
    -------
    list of Estimate
        ``not_available`` when one class is absent, or the risks hardly vary or take too few values.

    Raises
    ------
    BadSetting
        For another smoother.

    References
    ----------
    Austin & Steyerberg 2019, doi:10.1002/sim.8281. Quantiles are of type 7.

    Examples
    --------
    >>> from onclair.validate.rows import judged_risks
    >>> [e.name for e in calibration_distances("model", judged_risks([0, 1] * 20, np.linspace(0.1, 0.9, 40)), replicates=20)]
    ['ici:model', 'e50:model', 'e90:model', 'emax:model']
    """
    check_smoother(smoother)
    names = [f"{figure}:{who}" for figure in DISTANCES]
    if rows.one_class or rows.alike:
        return [rows.missing(name, rows.one_class or f"{rows.alike}, so there is no curve to measure from") for name in names]
    order = np.argsort(rows.scores, axis=1, kind="stable")
    measure = _Distances(smoother, order, np.take_along_axis(rows.scores, order, axis=1), rows.truth.astype(np.float64)[order])
    try:
        values = measure.of(np.ones(rows.size))
    except BadInput as error:
        return [rows.missing(name, str(error)) for name in names]
    known = Estimate(
        names[0],
        0.0,
        level=rows.level,
        n=rows.n,
        events=rows.events,
        method=_said(rows, smoother, "biased upwards in small cohorts", "distance of the risk from "),
        reason="no interval: no bootstrap was asked for",
    )
    found = [replace(known, name=name, value=float(value)) for name, value in zip(names, values, strict=True)]
    if replicates < 2:
        return [rows.cautioned(e) for e in found]
    clusters = np.arange(rows.size) if rows.clusters is None else rows.clusters
    made = with_percentiles(found, bootstrap(measure, clusters, replicates, seed=seed, map=map), "had no smooth curve")
    return [rows.cautioned(with_remark(e)) for e in made]


def with_remark(found: Estimate) -> Estimate:
    """Return a distance with the remark that its percentile interval does not hold it, where it does not.

    Examples
    --------
    >>> with_remark(Estimate("ici:model", 0.1, low=0.12, high=0.2)).reason == ASTRAY, with_remark(Estimate("ici:model", 0.1)).reason
    (True, None)
    """
    if found.value is None or found.low is None or found.high is None or found.low <= found.value <= found.high:
        return found
    return replace(found, reason=ASTRAY)


def _said(rows: Rows, smoother: str, more: str, before: str = "") -> str:
    moved = said_of_ends(rows.scores) if smoother.startswith("rcs") else ""
    return rows.said(f"{before}{SMOOTHERS[smoother]}; {more}{moved}")


def _band(rows: Rows, smoother: str, grid: Floats) -> tuple[Floats, Floats]:
    """Return the smooth at `grid`, mean over repeats, and its standard error, patients being independent."""
    y = rows.truth.astype(np.float64)
    smooths = [smoothed(smoother, line, y) for line in rows.scores]
    blend = np.concatenate([smooth.blend(grid) for smooth in smooths], axis=1) / len(smooths)
    sums = np.array([rows.by_patient(part) for smooth in smooths for part in smooth.contributions()])
    variance = ((blend @ (sums @ sums.T)) * blend).sum(axis=1) * rows.n / max(rows.n - 1, 1)
    return np.mean([smooth.at(grid) for smooth in smooths], axis=0), np.sqrt(np.maximum(variance, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Distances:
    """ICI, E50, E90 and Emax under row weights: each repeat's rows are sorted by risk once, so that no replicate sorts again."""

    smoother: str
    order: npt.NDArray[np.int64]
    risks: Floats
    truth: Floats

    def __call__(self, weights: Floats) -> Floats:
        """Return the figures of a replicate; NaN where the curve cannot be had."""
        try:
            return self.of(weights)
        except BadInput:
            return np.full(len(DISTANCES), np.nan)

    def of(self, weights: Floats) -> Floats:
        """Return the figures of rows counted `weights` times, mean over repeats."""
        found = []
        for order, risks, truth in zip(self.order, self.risks, self.truth, strict=True):
            counts = weights[order].astype(np.int64)
            drawn = np.repeat(risks, counts)
            apart = np.abs(smoothed(self.smoother, drawn, np.repeat(truth, counts)).at(drawn) - drawn)
            found.append([apart.mean(), *np.quantile(apart, [0.5, 0.9]), apart.max()])
        return np.asarray(np.mean(found, axis=0), dtype=np.float64)
