"""A classifier of the batch: how well do the features tell which scanner a patient lay in? Tuned inside its training samples alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCohort
from onclair.learn.estimators import LinearModel
from onclair.learn.pipeline import FittedPipeline, Pipeline
from onclair.learn.selection import EVERYTHING
from onclair.science.statistics.glm import logistic, with_intercept
from onclair.science.statistics.ranks import auc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TunedRidge:
    """Ridge-penalised logistic regression whose penalty inner folds choose by AUC.

    Attributes
    ----------
    penalties : tuple of float
        Strengths on standardised columns, the stronger first: of equal ones the first is chosen.
    inner_folds : int
    """

    penalties: tuple[float, ...] = (1000.0, 100.0, 10.0, 1.0)
    inner_folds: int = 4

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: 0 or 1."""
        return "binary"

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> LinearModel:
        """Return the model trained on `x` (n, p), standardised, and `truth` (n,) of 0 and 1.

        Raises
        ------
        BadCohort
            When only one class is present.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 40)[:, None]
        >>> model = TunedRidge().fit(x, (x[:, 0] > 0).astype(float), np.random.default_rng(0))
        >>> bool(model.coefficients[0] > 0), abs(round(model.intercept, 6))
        (True, 0.0)
        """
        parts = _parts(truth, self.inner_folds, rng)
        scores = np.zeros((len(truth), len(self.penalties)))
        for part in range(self.inner_folds):
            held = parts == part
            for j, penalty in enumerate(self.penalties):
                scores[held, j] = _ridge(x[~held], truth[~held], penalty).linear_predictor(x[held])
        areas = np.array([np.nanmean([auc(truth[parts == k], scores[parts == k]) for k in range(self.inner_folds)], axis=0)])
        return _ridge(x, truth, self.penalties[int(np.nanargmax(np.round(areas, 9)))])


#: Four penalties, four inner folds.
TUNED = TunedRidge()


@dataclass(frozen=True, slots=True)
class BatchClassifier:
    """What tells batches apart: signed logarithm, standardising and a tuned ridge, one batch against the others.

    Attributes
    ----------
    estimator : TunedRidge

    Examples
    --------
    >>> table = pd.DataFrame({"f": np.linspace(-1.0, 1.0, 40)})
    >>> scores = BatchClassifier().fit(table, np.repeat([0, 1], 20), np.random.default_rng(0))
    >>> bool(scores(table)[-1, 1] > scores(table)[0, 1])
    True
    """

    estimator: TunedRidge = TUNED

    def fit(self, features: pd.DataFrame, codes: Ints, rng: np.random.Generator) -> Callable[[pd.DataFrame], Floats]:
        """Return a function that gives each sample one score a batch, shape (n, k); learnt from these samples alone.

        Parameters
        ----------
        features : DataFrame, float columns, shape (n, p)
            A missing value takes the training median.
        codes : ndarray, int64, shape (n,)
            Batch of each sample, from 0 to k - 1, each present.
        rng : numpy Generator
            Cuts the inner folds.

        Raises
        ------
        BadCohort
            When a batch has fewer samples than there are inner folds to hold one, or no feature can be used.
        """
        pipeline = Pipeline("batch", self.estimator, EVERYTHING, "standardise")
        k = int(codes.max()) + 1
        if k == 2:
            only = pipeline.fit(features, (codes == 1).astype(np.float64), rng)
            return lambda rows: np.column_stack([-only.linear_predictor(rows), only.linear_predictor(rows)])
        each: list[FittedPipeline] = [pipeline.fit(features, (codes == c).astype(np.float64), rng) for c in range(k)]
        return lambda rows: np.column_stack([fitted.linear_predictor(rows) for fitted in each])


def _parts(truth: Floats, folds: int, rng: np.random.Generator) -> Ints:
    """Return the fold of each row, classes spread evenly."""
    if truth.size == 0 or truth.min() == truth.max():
        raise BadCohort(f"A classifier needs both classes; found {int(truth.sum())} of {truth.size} training samples.")
    parts = np.empty(truth.size, dtype=np.int64)
    place = 0
    for value in (0.0, 1.0):
        rows = rng.permutation(np.flatnonzero(truth == value))
        parts[rows] = (place + np.arange(rows.size)) % folds
        place += rows.size
    return parts


def _ridge(x: Floats, truth: Floats, penalty: float) -> LinearModel:
    fit = logistic(with_intercept(x), truth, ridge=np.append(0.0, np.full(x.shape[1], penalty)))
    if not fit.ok:
        return LinearModel(np.zeros(x.shape[1]), 0.0, "logit")  # one class in an inner fold: it ranks no one
    return LinearModel(fit.coefficients[1:], float(fit.coefficients[0]), "logit")
