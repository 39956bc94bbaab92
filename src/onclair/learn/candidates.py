"""The candidates side by side: how each did inside the folds and outside, and how often it was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.learn.choose import within_folds
from onclair.learn.nested import Nested


def candidates(names: Sequence[str], found: Nested, truth: pd.Series) -> list[dict[str, Any]]:
    """Return one entry a candidate: what chose it, and what it would have done had it been chosen everywhere.

    To pick the best `outer_auc` afterwards would be to choose on the rows that judge; the model's own figure is that of the whole
    procedure, choice included.

    Parameters
    ----------
    names : sequence of str
        Of the learners, in the order in which they were handed to :func:`~onclair.learn.nested.nested`.
    found : Nested
    truth : Series of 0 and 1, on its index

    Returns
    -------
    list of dict
        ``name``; ``inner_auc``, the mean over outer folds and repeats of the AUC in inner folds; ``outer_auc``, over pairs of rows
        judged in the same outer fold, averaged over the repeats in which candidates were compared (None where in none);
        ``chosen_folds``, how many outer folds, over all repeats, chose it. Nothing here depends on the clock.

    Examples
    --------
    >>> from onclair.core.cohort import Cohort
    >>> from onclair.learn.nested import NestedPlan, nested
    >>> from onclair.learn.pipeline import Prevalence
    >>> who = list("ABCDEFGH")
    >>> acquisitions = pd.DataFrame({"patient": who, "centre": "X", "visit": 1, "kind": "pet", "path": who})
    >>> rows = pd.DataFrame({"f": 1.0}, index=pd.MultiIndex.from_product([who, ["lesion"]]))
    >>> truth = pd.Series([0.0, 1.0] * 4, index=rows.index)
    >>> plan = NestedPlan(folds=2, inner_folds=2, repeats=1, compared=1)
    >>> found = nested(Cohort(acquisitions, pd.DataFrame({"patient": who})), rows, truth, [Prevalence()], plan)
    >>> candidates(["prevalence"], found, truth)
    [{'name': 'prevalence', 'inner_auc': 0.5, 'outer_auc': 0.5, 'chosen_folds': 2}]
    """
    values = truth.to_numpy(dtype=np.float64)
    outer = [_outer(scores, folds, values) for scores, folds in zip(found.compared, found.fold_of, strict=True)]
    votes = found.votes
    return [
        {
            "name": name,
            "inner_auc": _mean(found.inner_auc[..., j].ravel()),
            "outer_auc": _mean(np.array([areas[j] for areas in outer])),
            "chosen_folds": votes.get(name, 0),
        }
        for j, name in enumerate(names)
    ]


def _outer(scores: npt.NDArray[np.float64], folds: npt.NDArray[np.int64], truth: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the AUC of each learner (learners, rows) within the outer folds of one repeat; NaN where it was not compared."""
    judged = [folds == fold for fold in np.unique(folds[folds >= 0])]
    areas = np.full(len(scores), np.nan)
    there = np.isfinite(scores[:, folds >= 0]).all(axis=1)
    if there.any():
        areas[there] = within_folds(truth, scores[there].T, judged)
    return areas


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(known.mean()), 6) if known.size else None
