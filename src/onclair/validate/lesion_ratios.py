"""Ratios of sums over scans, and any figure of scans under weights, with intervals by drawing patients anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.bootstrap import Map, Replicates, Statistic, bootstrap
from onclair.validate.intervals import cautioned, few_patients
from onclair.validate.resampling import with_percentiles

Floats = npt.NDArray[np.float64]
ONE_PATIENT = "there is one patient, so that there is no interval"
ALL_ALIKE = "every bootstrap replicate gives the same figure, so that there is no interval"
LACKING = "had no such figure"


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """One figure: a sum over scans, or a sum over another.

    Attributes
    ----------
    name, method : str
    top : ndarray, shape (scans,)
    bottom : ndarray, shape (scans,), or None
        None where the figure is the sum itself.
    lacking : str
        Why there is no figure where the lower sum is 0.
    events : int
        Lesions behind it.
    unit : str
    """

    name: str
    top: Floats
    bottom: Floats | None
    method: str
    lacking: str
    events: int
    unit: str = "1"


@dataclass(frozen=True, slots=True)
class Drawing:
    """How patients are drawn anew.

    Attributes
    ----------
    replicates, seed : int
    level : float
        Of the intervals.
    """

    replicates: int = 2000
    seed: int = 0
    level: float = 0.95

    def estimates(
        self,
        names: Sequence[str],
        methods: Sequence[str],
        statistic: Statistic,
        patients: Sequence[str],
        *,
        events: int,
        map: Map = map,  # noqa: A002
    ) -> list[Estimate]:
        """Return figures of scans with percentile intervals.

        Parameters
        ----------
        names, methods : sequence of str
            One a figure.
        statistic : callable
            ``weights (scans,) -> (figures,)``, finite under equal weights.
        patients : sequence of str
            Of each scan.
        events : int
        map : callable

        Returns
        -------
        list of Estimate
            Of one patient, or where all replicates agree, without an interval and with the reason; of 2 to 9 patients with several
            lesions each with a caution.
        """
        values = np.asarray(statistic(np.ones(len(patients))), dtype=np.float64)
        n = len(set(patients))
        known = [
            Estimate(name, float(value), level=self.level, n=n, events=events, method=method)
            for name, value, method in zip(names, values, methods, strict=True)
        ]
        if n < 2:
            return [replace(each, reason=ONE_PATIENT) for each in known]
        drawn = bootstrap(statistic, np.asarray(patients), self.replicates, seed=self.seed, map=map)
        return [_with_interval(each, Replicates(drawn.values[:, [i]]), n, events) for i, each in enumerate(known)]


def ratios(wanted: Sequence[Ratio], patients: Sequence[str], drawing: Drawing, *, map: Map = map) -> list[Estimate]:  # noqa: A002
    """Return each ratio as an estimate; one whose lower sum is 0 is not available, with its reason.

    Parameters
    ----------
    wanted : sequence of Ratio
    patients : sequence of str
        Of each scan.
    drawing : Drawing
    map : callable

    Examples
    --------
    >>> top, bottom = np.array([1.0, 1.0, 0.0]), np.array([1.0, 2.0, 1.0])
    >>> wanted = [Ratio("overlap:sensitivity", top, bottom, "found / lesions", "no lesion", 4), Ratio("x", top, top * 0, "", "none", 0)]
    >>> found = ratios(wanted, ["a", "b", "c"], Drawing(replicates=200))
    >>> found[0].value, found[0].low < 0.5 < found[0].high, found[1].reason
    (0.5, True, 'none')
    """
    n = len(set(patients))
    had = [ratio for ratio in wanted if ratio.bottom is None or ratio.bottom.sum() > 0]
    found: dict[str, Estimate] = {}
    if had:
        statistic = _Ratios(np.array([r.top for r in had]), np.array([_bottom(r) for r in had]), np.array([r.bottom is None for r in had]))
        made = drawing.estimates([r.name for r in had], [r.method for r in had], statistic, patients, events=0, map=map)
        found = {each.name: _of(each, ratio, n) for each, ratio in zip(made, had, strict=True)}
    return [found.get(ratio.name) or not_available(ratio.name, ratio.lacking, n=n, events=ratio.events) for ratio in wanted]


@dataclass(frozen=True, slots=True, eq=False)
class _Ratios:
    """Sums over scans under weights, one over the other; NaN where the lower is 0."""

    top: Floats
    bottom: Floats
    plain: npt.NDArray[np.bool_]

    def __call__(self, weights: Floats) -> Floats:
        top, bottom = self.top @ weights, np.where(self.plain, 1.0, self.bottom @ weights)
        return np.asarray(np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0), dtype=np.float64)


def _bottom(ratio: Ratio) -> Floats:
    return np.zeros_like(ratio.top) if ratio.bottom is None else ratio.bottom


def _of(estimate: Estimate, ratio: Ratio, patients: int) -> Estimate:
    """Return an estimate with the lesions behind it, cautioned where they are many of few patients; counts are facts and stay."""
    counted = replace(estimate, events=ratio.events, unit=ratio.unit)
    plain = ratio.bottom is None or patients < 2
    return counted if plain else cautioned(counted, few_patients(patients, max(ratio.events, patients)))


def _with_interval(known: Estimate, drawn: Replicates, patients: int, events: int) -> Estimate:
    values = drawn.values[~np.isnan(drawn.values)]
    if values.size and np.ptp(values) == 0 and values.size == drawn.values.size:
        found = replace(known, reason=ALL_ALIKE)
    else:
        found = with_percentiles([known], drawn, LACKING)[0]
    return cautioned(found, few_patients(patients, max(events, patients)))
