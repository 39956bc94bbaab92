"""Intervals by drawing patients anew: percentiles for any figures, and the everyday binary figures under weights, at speed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map, Replicates, bootstrap
from onclair.science.statistics.ranks import SortedScores, sorted_scores, weighted_auc, weighted_average_precision
from onclair.science.statistics.recalibration import UNSETTLED, weighted_intercept, weighted_slope, why_no_slope
from onclair.validate.rows import Floats, Rows, logits

#: Share of bootstrap replicates that may fail before an interval is no longer given.
MOST_FAILED = 0.1
#: Figures of :func:`bootstrap_binary`, and what each is.
BOOTSTRAPPED = {
    "auc": "empirical AUC, mid-ranks",
    "ap": "average precision",
    "brier": "mean squared error of the risk",
    "citl": "logistic intercept with logit(risk) as offset",
    "slope": "logistic slope on logit(risk)",
}


def bootstrap_binary(
    who: str,
    rows: Rows,
    *,
    replicates: int = 2000,
    seed: int = 0,
    map: Map = map,  # noqa: A002
) -> list[Estimate]:
    """Return AUC, average precision, Brier score, calibration in the large and slope with percentile intervals of patients.

    Scores are sorted once; each replicate is a pass under the counts of the patients drawn, and the two logistic fits start
    from the answer on all rows.

    Parameters
    ----------
    who : str
        Names are ``auc:WHO``, ``ap:WHO``, ``brier:WHO``, ``citl:WHO`` and ``slope:WHO``.
    rows : Rows
        From :func:`onclair.validate.rows.judged_risks`; with repeats, figures are means over the repeats.
    replicates : int
        2 or more.
    seed : int
    map : callable
        See :func:`onclair.science.statistics.bootstrap.bootstrap`; the estimates do not depend on it.

    Returns
    -------
    list of Estimate
        With the replicates' standard deviation as standard error, on the identity scale. ``not_available`` when one class is
        absent; the slope also when the risks hardly vary or separate the classes. Replicates that drew one class, or
        separated ones, have no figure and are counted in `method`; above a tenth of them there is no interval.

    Raises
    ------
    BadSetting
        For fewer than one replicate.

    References
    ----------
    Davison & Hinkley 1997, section 5.3, doi:10.1017/CBO9780511802843; drawing whole patients: Field & Welsh 2007,
    doi:10.1111/j.1467-9868.2007.00593.x.

    Examples
    --------
    >>> from onclair.validate.rows import judged_risks
    >>> found = bootstrap_binary("model", judged_risks([0, 1, 1] * 20, np.linspace(0.1, 0.9, 60)), replicates=50)
    >>> [e.name for e in found], all(e.low < e.value < e.high for e in found)
    (['auc:model', 'ap:model', 'brier:model', 'citl:model', 'slope:model'], True)
    """
    names = {figure: f"{figure}:{who}" for figure in BOOTSTRAPPED}
    if rows.one_class:
        return [rows.missing(name, rows.one_class) for name in names.values()]
    lines, clipped = logits(rows)
    ready = tuple(sorted_scores(rows.truth, line) for line in rows.scores)
    squares = np.asarray(((rows.scores - rows.truth) ** 2).mean(axis=0), dtype=np.float64)
    truth, ones = rows.truth.astype(np.float64), np.ones(rows.size)
    starts = tuple((weighted_intercept(line, truth, ones), weighted_slope(line, truth, ones)) for line in lines)
    measure = _Binary(ready, truth, squares, lines, starts)
    drawn = bootstrap(measure, np.arange(rows.size) if rows.clusters is None else rows.clusters, replicates, seed=seed, map=map)
    values, found = measure(ones), []
    for i, (figure, name) in enumerate(names.items()):
        reason = _why_none(figure, rows, lines) if np.isnan(values[i]) or figure == "slope" else None
        if reason is not None:
            found.append(rows.missing(name, reason))
            continue
        said = BOOTSTRAPPED[figure] + (clipped if figure in ("citl", "slope") else "")
        known = Estimate(name, float(values[i]), level=rows.level, n=rows.n, events=rows.events, method=rows.said(said))
        found += [rows.cautioned(e) for e in with_percentiles([known], Replicates(drawn.values[:, [i]]), "had no such figure")]
    return found


def with_percentiles(found: list[Estimate], drawn: Replicates, lacking: str) -> list[Estimate]:
    """Return the estimates with percentile intervals, unless so many replicates failed that those left are a choice.

    Parameters
    ----------
    found : list of Estimate
        One a figure of `drawn`, in order.
    drawn : Replicates
    lacking : str
        What is said of the replicates that failed, for example ``"had no smooth curve"``.

    Returns
    -------
    list of Estimate

    Examples
    --------
    >>> known = Estimate("auc:model", 0.6, method="AUC")
    >>> with_percentiles([known], Replicates(np.linspace(0, 1, 101)[:, None]), "had one class")[0].text(3)
    '0.600 (0.025 to 0.975)'
    """
    failed, replicates = int(drawn.failed.max()), len(drawn.values)
    if failed > MOST_FAILED * replicates:
        return [replace(e, reason=f"no interval: {failed} of {replicates} bootstrap replicates {lacking}") for e in found]
    (low, high), se = drawn.interval(found[0].level), drawn.standard_error()
    lost = f", {failed} of them failed" if failed else ""
    method = f"percentile bootstrap of patients, {replicates} replicates{lost}"
    return [
        replace(e, low=float(a), high=float(b), se=float(c), method=f"{e.method}; {method}", reason=None)
        for e, a, b, c in zip(found, low, high, se, strict=True)
    ]


def _why_none(figure: str, rows: Rows, lines: Floats) -> str | None:
    """Return why a figure cannot be had on all rows, where it cannot; the first repeat without a slope says it for the slope."""
    if figure != "slope":
        return UNSETTLED
    if rows.alike:
        return f"{rows.alike}, so there is no slope"
    said = (why_no_slope(line, rows.truth, np.ones(rows.size)) for line in lines)
    return next((reason for reason in said if reason is not None), None)


@dataclass(frozen=True, slots=True, eq=False)
class _Binary:
    """The figures of :func:`bootstrap_binary` under row weights, mean over repeats; NaN where one cannot be had."""

    ready: tuple[SortedScores, ...]
    truth: Floats
    squares: Floats
    lines: Floats
    starts: tuple[tuple[float, tuple[float, float]], ...]

    def __call__(self, weights: npt.NDArray[np.float64]) -> Floats:
        brier, found = float(weights @ self.squares) / float(weights.sum()), []
        for ready, line, (intercept, both) in zip(self.ready, self.lines, self.starts, strict=True):
            citl = weighted_intercept(line, self.truth, weights, start=intercept)
            slope = weighted_slope(line, self.truth, weights, start=both)[1] if np.isfinite(both[1]) else np.nan
            found.append([weighted_auc(ready, weights), weighted_average_precision(ready, weights), brier, citl, slope])
        values = np.asarray(np.mean(found, axis=0), dtype=np.float64)
        return np.where(np.isnan(values[0]), np.nan, values)
