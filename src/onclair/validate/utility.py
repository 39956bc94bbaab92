"""Does acting on the risk help? Net benefit at the thresholds that were declared, beside treating all and treating none."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map, bootstrap
from onclair.validate.acting import Acting, acting_on
from onclair.validate.benefits import benefits, benefits_of_all_or_none
from onclair.validate.curves import Curve
from onclair.validate.resampling import MOST_FAILED


def net_benefit(
    who: str,
    truth: npt.ArrayLike,
    risks: npt.ArrayLike,
    thresholds: Sequence[float],
    *,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> list[Estimate]:
    """Return the net benefit of treating whoever's risk is at or above each threshold.

    ``NB = share of true positives - share of false positives * t / (1 - t)``, in true positives per patient. It is a mean
    of the rows' own contributions (1, -t / (1 - t) or 0), and its error that of a mean, clustered by patient.

    Parameters
    ----------
    who : str
        Names are ``nb:WHO@T``.
    truth : array_like, shape (n,), 0 or 1
    risks : array_like, shape (n,) or (repeats, n), in [0, 1]
        With repeats, the mean of their net benefits.
    thresholds : sequence of float, each in (0, 1)
        Those declared beforehand.
    patients : array_like, shape (n,), optional

    Returns
    -------
    list of Estimate

    Raises
    ------
    BadInput
        As :func:`onclair.validate.rows.judged_risks`.
    BadSetting
        For a threshold outside (0, 1).

    References
    ----------
    Vickers & Elkin 2006, doi:10.1177/0272989X06295361.

    Examples
    --------
    One of four is a true positive and one a false positive, at odds of 1: 1/4 - 1/4.

    >>> net_benefit("model", [1, 0, 0, 1], [0.9, 0.6, 0.1, 0.2], [0.5])[0].value
    0.0
    """
    return benefits(who, acting_on(truth, risks, patients, level=level), thresholds)


def net_benefit_of_all_or_none(
    truth: npt.ArrayLike, thresholds: Sequence[float], *, patients: npt.ArrayLike | None = None, level: float = 0.95
) -> list[Estimate]:
    """Return the net benefit of treating everyone, ``nb:all@T``, and no one, ``nb:none@T`` (0 by definition).

    Parameters
    ----------
    truth, thresholds, patients
        As :func:`net_benefit`.

    Raises
    ------
    BadInput, BadSetting
        As :func:`net_benefit`.

    Examples
    --------
    Half have the event, at odds of 1/4: 1/2 - 1/2 * 1/4.

    >>> [e.value for e in net_benefit_of_all_or_none([0, 1], [0.2])]
    [0.375, 0.0]
    """
    return benefits_of_all_or_none(acting_on(truth, np.ones(np.shape(truth)), patients, level=level), thresholds)


def decision_curve(who: str, estimates: Sequence[Estimate]) -> Curve:
    """Return the net benefits of `who` among `estimates` as one curve over the declared thresholds.

    Parameters
    ----------
    who : str
    estimates : sequence of Estimate
        Those named ``nb:WHO@T`` are drawn; the others are passed over.

    Returns
    -------
    Curve
        ``"decision"``; empty with a reason where there is none.

    Examples
    --------
    >>> decision_curve("all", net_benefit_of_all_or_none([0, 1], [0.2, 0.1])).x
    (0.1, 0.2)
    """
    start = f"nb:{who}@"
    drawn = sorted((float(e.name.removeprefix(start)), e) for e in estimates if e.name.startswith(start) and e.value is not None)
    if not drawn:
        return Curve("decision", who, (), (), reason=f"there is no net benefit of {who}")
    points = [e for _, e in drawn]
    y = np.array([e.value for e in points], dtype=np.float64)
    low, high = (
        np.array([np.nan if end is None else end for end in ends]) for ends in zip(*((e.low, e.high) for e in points), strict=True)
    )
    banded = bool(np.isfinite(low).all() and np.isfinite(high).all())
    return Curve(
        "decision",
        who,
        tuple(t for t, _ in drawn),
        tuple(y),
        tuple(low) if banded else None,
        tuple(high) if banded else None,
        x_label="threshold probability",
        y_label="net benefit",
        method=points[0].method,
        level=points[0].level,
        n=points[0].n,
        events=points[0].events,
    )


def decision_band(
    curve: Curve,
    acting: Acting,
    *,
    replicates: int,
    seed: int = 0,
    map: Map = map,  # noqa: A002
) -> Curve:
    """Return a decision curve with the percentile band of patients drawn with replacement.

    The band is pointwise. All thresholds of a replicate are had in one pass over rows that were sorted once.

    Parameters
    ----------
    curve : Curve
        From :func:`decision_curve`; its thresholds are those of the band.
    acting : Acting
        What the curve was drawn from.
    replicates : int
        With fewer than 2 the curve keeps its own band.
    seed : int
    map : callable
        See :func:`onclair.science.statistics.bootstrap.bootstrap`.

    Returns
    -------
    Curve
        Unchanged but for the reason, where more than a tenth of the replicates failed at some threshold.

    References
    ----------
    Davison & Hinkley 1997, section 5.3, doi:10.1017/CBO9780511802843.

    Examples
    --------
    >>> truth, risks = [0, 1] * 20, np.linspace(0.1, 0.9, 40)
    >>> curve = decision_band(decision_curve("m", net_benefit("m", truth, risks, [0.5])), acting_on(truth, risks), replicates=50)
    >>> curve.low[0] < curve.y[0] < curve.high[0], curve.method[-47:]
    (True, 'percentile bootstrap of patients, 50 replicates')
    """
    if replicates < 2 or not curve.x:
        return curve
    thresholds = np.array(curve.x)
    statistic = functools.partial(acting.under, acting.bins(thresholds), thresholds / (1 - thresholds))
    clusters = np.arange(acting.rows.size) if acting.rows.clusters is None else acting.rows.clusters
    drawn = bootstrap(statistic, clusters, replicates, seed=seed, map=map)
    failed = int(drawn.failed.max())
    if failed > MOST_FAILED * replicates:
        return replace(curve, reason=f"no bootstrap band: {failed} of {replicates} replicates had no net benefit at some threshold")
    low, high = drawn.interval(curve.level)
    said = f"percentile bootstrap of patients, {replicates} replicates" + (f", {failed} of them failed at most" if failed else "")
    return replace(curve, low=tuple(low), high=tuple(high), method=f"{curve.method.removesuffix('; Wald interval')}; {said}")
