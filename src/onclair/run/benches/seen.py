"""What one virtual cohort showed, and what all of them come to: shares of intervals that hold the truth, with their Monte Carlo error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from onclair.core.estimate import Estimate, not_available
from onclair.validate.noise import noise_auc
from onclair.validate.operating_points import wilson

#: The normal quantile of 95 %.
Z = 1.959964
#: Groups whose lowest is told as the worst, by the start of their names.
WORST = {"coverage:conformal:group:": "coverage:conformal:worst-group", "coverage:mondrian:": "coverage:mondrian:worst-group"}


class Seen(NamedTuple):
    """One thing seen in one cohort.

    Attributes
    ----------
    name : str
        Of the estimate that it adds to.
    value : bool or float or None
        Whether an interval held the truth, or a number to be averaged; None where there was none.
    """

    name: str
    value: bool | float | None


def holds(name: str, found: Estimate, truth: float | None) -> Seen:
    """Return whether an interval holds the truth; None where there is no interval or no truth.

    Examples
    --------
    >>> holds("coverage:auc:clustered", Estimate("auc:m", 0.7, low=0.6, high=0.8), 0.75)
    Seen(name='coverage:auc:clustered', value=True)
    """
    if truth is None or found.low is None or found.high is None:
        return Seen(name, None)
    return Seen(name, bool(found.low <= truth <= found.high))


def each_holds(found: Iterable[Estimate], truths: Mapping[str, float | None], who: str, where: str = "") -> list[Seen]:
    """Return whether each estimate's interval holds its truth, named ``coverage:FIGURE[@T]:WHO[:WHERE]``.

    Parameters
    ----------
    found : iterable of Estimate
        Named ``FIGURE:MODEL[@T]``; those without a truth are passed over.
    truths : mapping of str to float
        By ``FIGURE`` or ``FIGURE@T``.
    who : str
        How the interval was made: ``clustered``, ``naive`` or ``bootstrap``.
    where : str

    Examples
    --------
    >>> each_holds([Estimate("nb:m@0.2", 0.1, low=0.0, high=0.2)], {"nb@0.2": 0.3}, "naive")
    [Seen(name='coverage:nb@0.2:naive', value=False)]
    """
    seen = []
    for estimate in found:
        figure, _, model = estimate.name.partition(":")
        at = model.partition("@")[2]
        figure = f"{figure}@{at}" if at else figure
        if figure in truths:
            seen.append(holds(f"coverage:{figure}:{who}" + (f":{where}" if where else ""), estimate, truths[figure]))
    return seen


def totals(cohorts: Iterable[list[Seen]], what: str) -> list[Estimate]:
    """Return what the cohorts come to, one estimate a name, in the order of first appearance.

    Parameters
    ----------
    cohorts : iterable of list of Seen
    what : str
        The cohorts in words, for `method`.

    Returns
    -------
    list of Estimate
        Shares with Wilson's interval, means with a normal one: Monte Carlo error at 95 %. Where groups were told apart, the worst too.

    Examples
    --------
    >>> found = totals([[Seen("coverage:auc:naive", i < 2)] for i in range(4)], "four cohorts")[0]
    >>> found.value, round(found.low, 2), round(found.high, 2), found.n
    (0.5, 0.15, 0.85, 4)
    """
    gathered: dict[str, list[bool | float | None]] = {}
    for cohort in cohorts:
        for name, value in cohort:
            gathered.setdefault(name, []).append(value)
    found = [_total(name, values, what) for name, values in gathered.items()]
    return [*found, *_worst(found)]


def _total(name: str, values: list[bool | float | None], what: str) -> Estimate:
    had = [v for v in values if v is not None]
    lacking = f"; {len(values) - len(had)} of {len(values)} cohorts gave no interval" if len(had) < len(values) else ""
    if name.startswith("noise_auc:"):
        return noise_auc(name, np.array(had, dtype=np.float64))
    if not had:
        return not_available(name, f"no cohort gave an interval ({what})", n=0)
    if all(isinstance(v, bool) for v in had):
        share, n = float(np.mean(had)), len(had)
        low, high = wilson(share, n, Z)
        method = f"share of {n} virtual cohorts whose 95 % interval holds the truth; {what}{lacking}; Monte Carlo error: Wilson interval"
        return Estimate(
            name, share, low=low, high=high, se=float(np.sqrt(share * (1 - share) / n)), n=n, events=sum(map(bool, had)), method=method
        )
    return _mean(name, np.array(had, dtype=np.float64), f"{what}{lacking}")


def _mean(name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]], what: str) -> Estimate:
    n, mean = values.size, float(values.mean())
    method = f"mean over {n} virtual cohorts; {what}; Monte Carlo error: normal interval"
    if n < 2:
        return Estimate(name, mean, n=n, method=method, reason="one cohort has no Monte Carlo error")
    error = float(values.std(ddof=1) / np.sqrt(n))
    return Estimate(name, mean, low=mean - Z * error, high=mean + Z * error, se=error, n=n, method=method)


def _worst(found: list[Estimate]) -> list[Estimate]:
    worst = []
    for start, name in WORST.items():
        groups = [e for e in found if e.name.startswith(start) and e.value is not None]
        if groups:
            lowest = min(groups, key=lambda e: e.value or 0.0)
            told = {"name": name, "method": f"the lowest of {len(groups)} groups, {lowest.name.removeprefix(start)}; {lowest.method}"}
            worst.append(Estimate(**{**lowest.as_dict(), **told}))
    return worst
