"""Free-response ROC: how many lesions are found at how many false alarms a scan, threshold by threshold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.validate.lesion_matching import Overlaps, match_overlaps

Floats = npt.NDArray[np.float64]

#: False positives a scan at which the sensitivity is told, by their names.
RATES: dict[str, float] = {"1/8": 0.125, "1/4": 0.25, "1/2": 0.5, "1": 1.0, "2": 2.0, "4": 4.0, "8": 8.0}


@dataclass(frozen=True, slots=True, eq=False)
class CaseCurve:
    """One scan's hits and false alarms as the threshold falls.

    Attributes
    ----------
    thresholds : ndarray, shape (n,)
        The scan's own scores, falling.
    hits, false : ndarray of float, shape (n,)
        With every candidate at or above each threshold.
    lesions : int
        True lesions that can be judged.
    """

    thresholds: Floats
    hits: Floats
    false: Floats
    lesions: int


@dataclass(frozen=True, slots=True, eq=False)
class Froc:
    """Several scans' curves as steps of one curve, ready to be summed under weights.

    Attributes
    ----------
    case : ndarray of int, shape (steps,)
        The scan of each step, in order of falling threshold.
    hits, false : ndarray, shape (steps,)
        What the step adds.
    ends : ndarray of int, shape (points,)
        The last step of each threshold.
    lesions : ndarray, shape (cases,)
    """

    case: npt.NDArray[np.int64]
    hits: Floats
    false: Floats
    ends: npt.NDArray[np.int64]
    lesions: Floats

    def points(self, weights: Floats | None = None) -> tuple[Floats, Floats]:
        """Return false positives a scan and sensitivity at each threshold, none taken first.

        Parameters
        ----------
        weights : ndarray, shape (cases,), optional
            How often each scan counts.

        Returns
        -------
        false_a_scan, sensitivity : ndarray, shape (points + 1,)
            NaN sensitivities where there is no lesion.
        """
        each = np.ones(self.lesions.size) if weights is None else weights
        of = each[self.case]
        hits, false = (np.r_[0.0, np.cumsum(of * step)[self.ends]] for step in (self.hits, self.false))
        lesions = float(each @ self.lesions)
        return false / float(each.sum()), hits / lesions if lesions else np.full(hits.size, np.nan)

    def at(self, rates: Sequence[float], weights: Floats | None = None) -> Floats:
        """Return the largest sensitivity at or below each number of false positives a scan.

        Examples
        --------
        Two scans: one finds its lesion at 0.9 and a false one at 0.5; the other its lesion at 0.4.

        >>> first = CaseCurve(np.array([0.9, 0.5]), np.array([1.0, 1.0]), np.array([0.0, 1.0]), 1)
        >>> second = CaseCurve(np.array([0.4]), np.array([1.0]), np.array([0.0]), 1)
        >>> froc_of([first, second]).at([0.25, 0.5])
        array([0.5, 1. ])
        """
        false, sensitivity = self.points(weights)
        return np.array([sensitivity[false <= rate + 1e-12].max() for rate in rates])


def case_curve(overlaps: Overlaps, scores: Mapping[int, float], rule: str, *, aside: Collection[int] = ()) -> CaseCurve:
    """Return one scan's hits and false alarms at each of its own scores; candidates are matched anew at each.

    Parameters
    ----------
    overlaps : Overlaps
    scores : mapping of int to float
        Of every predicted instance; higher is more suspicious.
    rule : str
        See :data:`onclair.validate.lesion_matching.RULES`.
    aside : collection of int
        True lesions that cannot be judged.

    Raises
    ------
    BadInput
        For an instance without a score, or a score that is not finite.

    Examples
    --------
    >>> over = Overlaps((1,), (1, 2), ((1, 2),), np.array([0.6]), np.array([0.75]))
    >>> curve = case_curve(over, {1: 0.9, 2: 0.3}, "iou0.1")
    >>> curve.thresholds.tolist(), curve.hits.tolist(), curve.false.tolist()
    ([0.9, 0.3], [0.0, 1.0], [1.0, 1.0])
    """
    without = [p for p in overlaps.predicted if not np.isfinite(scores.get(p, np.nan))]
    if without:
        raise BadInput(f"The predicted lesion {without[0]} has no finite score; give one for every instance.", item=str(without[0]))
    thresholds = np.unique([scores[p] for p in overlaps.predicted])[::-1].astype(np.float64)
    hits, false = np.zeros(thresholds.size), np.zeros(thresholds.size)
    for i, threshold in enumerate(thresholds):
        found = match_overlaps(overlaps, rule, among=[p for p in overlaps.predicted if scores[p] >= threshold], aside=aside)
        hits[i], false[i] = len(found.pairs), len(found.false)
    return CaseCurve(thresholds, hits, false, sum(t not in aside for t in overlaps.truth))


def froc_of(curves: Sequence[CaseCurve]) -> Froc:
    """Return the curves of several scans as one.

    Raises
    ------
    BadInput
        Without a scan.

    Examples
    --------
    >>> froc_of([CaseCurve(np.array([0.5]), np.array([1.0]), np.array([2.0]), 2)]).points()
    (array([0., 2.]), array([0. , 0.5]))
    """
    if not curves:
        raise BadInput("There is no scan, so that there is no free-response curve; give at least one case.")
    case = np.concatenate([np.full(curve.thresholds.size, i) for i, curve in enumerate(curves)]).astype(np.int64)
    thresholds = np.concatenate([curve.thresholds for curve in curves])
    hits, false = (np.concatenate([np.diff(getattr(curve, name), prepend=0.0) for curve in curves]) for name in ("hits", "false"))
    order = np.argsort(-thresholds, kind="stable")
    ends = np.flatnonzero(np.diff(thresholds[order], append=-np.inf) != 0)
    lesions = np.array([curve.lesions for curve in curves], dtype=np.float64)
    return Froc(case[order], hits[order], false[order], ends, lesions)
