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
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import EVERYTHING
from onclair.science.statistics.glm import ridge_logistic
from onclair.science.statistics.ranks import auc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TunedRidge:
    """Ridge-penalised logistic regression on leading principal components; inner folds choose the penalty by AUC.

    Attributes
    ----------
    penalties : tuple of float
        Strengths on standardised columns, the stronger first: of equal ones the first is chosen.
    inner_folds : int
        Cut anew for each fit; fewer where a class has fewer samples.
    variance : float
        Share of the variance that the components hold: what lies beyond is near-copies of radiomic features.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 40)[:, None]
    >>> model = TunedRidge().fit(x, (x[:, 0] > 0).astype(float), np.random.default_rng(0))
    >>> bool(model.coefficients[0] > 0), abs(round(model.intercept, 6))
    (True, 0.0)
    """

    penalties: tuple[float, ...] = (300.0, 100.0, 30.0, 10.0)
    inner_folds: int = 4
    variance: float = 0.99

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: 0 or 1."""
        return "binary"

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> LinearModel:
        """Return the model trained on `x` (n, p), standardised, and `truth` (n,) of 0 and 1.

        Raises
        ------
        BadCohort
            When a class has fewer than two samples.
        """
        rarer = int(min(truth.sum(), truth.size - truth.sum()))
        if rarer < 2:
            raise BadCohort(f"A classifier needs two samples of each class; one has {rarer} of {truth.size} training samples.")
        folds = min(self.inner_folds, rarer)
        parts = _parts(truth, folds, rng)
        areas = np.zeros(len(self.penalties))
        for part in range(folds):
            held = parts == part
            scores = [model.linear_predictor(x[held]) for model in self._path(x[~held], truth[~held], self.penalties)]
            areas += np.asarray(auc(truth[held], np.column_stack(scores)))
        return self._path(x, truth, (self.penalties[int(np.argmax(np.round(areas / folds, 9)))],))[0]

    def _path(self, x: Floats, truth: Floats, penalties: tuple[float, ...]) -> list[LinearModel]:
        """Return one model a penalty; a ridge knows no rotation, so components stand in for columns."""
        left, singular, axes = np.linalg.svd(x, full_matrices=False)
        held = np.cumsum(singular**2) / np.sum(singular**2)
        kept = int(np.searchsorted(held, self.variance)) + 1
        components = left[:, :kept] * singular[:kept]
        fits = [ridge_logistic(components, truth, penalty).coefficients for penalty in penalties]
        return [LinearModel(np.asarray(axes[:kept].T @ fit[1:]), float(fit[0]), "logit") for fit in fits]


#: Four penalties, four inner folds, 99 % of the variance.
TUNED = TunedRidge()


@dataclass(frozen=True, slots=True)
class BatchClassifier:
    """What tells batches apart: standardising and a tuned ridge, one batch against the others.

    It is linear in the features, so it sees shifts of their means, together and apart, and not a difference of spread or shape alone.

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
            When a batch has fewer than two samples, or no feature can be used.
        """
        pipeline = Pipeline("batch", self.estimator, EVERYTHING, "standardise")
        k = int(codes.max()) + 1
        if k == 2:
            only = pipeline.fit(features, (codes == 1).astype(np.float64), rng)
            return lambda rows: np.column_stack([-only.linear_predictor(rows), only.linear_predictor(rows)])
        each = [pipeline.fit(features, (codes == c).astype(np.float64), rng) for c in range(k)]
        return lambda rows: np.column_stack([fitted.linear_predictor(rows) for fitted in each])


def _parts(truth: Floats, folds: int, rng: np.random.Generator) -> Ints:
    """Return the fold of each row, classes spread evenly."""
    parts = np.empty(truth.size, dtype=np.int64)
    place = 0
    for value in (0.0, 1.0):
        rows = rng.permutation(np.flatnonzero(truth == value))
        parts[rows] = (place + np.arange(rows.size)) % folds
        place += rows.size
    return parts
