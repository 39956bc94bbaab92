"""Choose, calibrate, refit: the one procedure that nested resampling judges fold by fold and that locks the final model.

Everything happens on the training rows it is handed. Inner folds give each learner out-of-fold scores; the learner with the
best inner AUC is chosen, its inner scores fit the calibrator, and it is refitted on all training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Split
from onclair.core.errors import BadSetting
from onclair.core.study import Fitted, Learner
from onclair.learn.calibrate import Calibrator, platt
from onclair.learn.folds import patients_of, rows_of, stream
from onclair.science.statistics.ranks import auc

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The outcome of the procedure on one set of training rows.

    Attributes
    ----------
    name : str
        Of the learner chosen.
    fitted : Fitted
        Trained on all training rows.
    calibrator : Calibrator
        Fitted on its inner out-of-fold scores.
    inner_auc : tuple of float
        Of each learner, in their order; NaN where no inner fold held both classes.
    """

    name: str
    fitted: Fitted
    calibrator: Calibrator
    inner_auc: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a procedure runs; with the seed it decides every random number in it."""

    seed: int
    repeat: int
    fold: int

    def numbers(self, learner: int, inner: int) -> np.random.Generator:
        """Return the stream of one fit: of learner `learner` in inner fold `inner` (0 is the refit).

        Examples
        --------
        >>> bool(Place(1, 0, 2).numbers(0, 1).random() == Place(1, 0, 2).numbers(0, 1).random())
        True
        """
        return stream(self.seed, 2, self.repeat, self.fold, learner, inner)


def choose(features: pd.DataFrame, truth: Floats, learners: Sequence[Learner], inner: Sequence[Split], place: Place) -> Chosen:
    """Run the procedure on training rows.

    Parameters
    ----------
    features : DataFrame indexed by (patient, item)
        Training rows only.
    truth : ndarray, float64, shape (n,), 0 or 1
    learners : sequence of Learner
        The simpler first: of equal ones the earlier is chosen.
    inner : sequence of Split
        Cuts of the training patients, each judged once.
    place : Place

    Raises
    ------
    BadSetting
        Without learners, or when two share a name.
    BadCohort
        When a fit or the calibration lacks a class.
    """
    names = [learner.name for learner in learners]
    if not names or len(set(names)) < len(names):
        raise BadSetting(f"A procedure needs learners with different names; found {', '.join(names) or 'none'}.", item="models")
    tests = [rows_of(features.index, cut.test) for cut in inner]
    scores = np.column_stack([_out_of_fold(features, truth, learner, tests, (place, j)) for j, learner in enumerate(learners)])
    areas = within_folds(truth, scores, tests)
    best = 0 if np.isnan(areas).all() else int(np.nanargmax(np.round(areas, 9)))
    calibrator = platt(scores[:, best], truth, patients_of(features.index))
    fitted = learners[best].fit(features, truth, place.numbers(best, 0))
    return Chosen(names[best], fitted, calibrator, tuple(float(a) for a in areas))


def within_folds(truth: Floats, scores: Floats, tests: Sequence[npt.NDArray[np.bool_]]) -> Floats:
    """Return the AUC over pairs of rows judged in the same fold: scores of different fits are not on one scale.

    Parameters
    ----------
    truth : ndarray, shape (n,), 0 or 1
    scores : ndarray, shape (n, learners)
    tests : sequence of ndarray, bool, shape (n,)
        The rows judged in each fold.

    Returns
    -------
    ndarray, shape (learners,)
        NaN when no fold holds both classes.

    Examples
    --------
    Each fold is in order; only across folds, which are not compared, is a pair not:

    >>> scores = np.array([[0.1], [0.2], [0.8], [0.9]])
    >>> folds = [np.array([True, True, False, False]), np.array([False, False, True, True])]
    >>> within_folds(np.array([0.0, 1.0, 0.0, 1.0]), scores, folds)
    array([1.])
    """
    concordant, pairs = np.zeros(scores.shape[1]), 0.0
    for test in tests:
        events = float(truth[test].sum())
        here = events * (float(test.sum()) - events)
        if here:
            concordant += here * auc(truth[test], scores[test])
            pairs += here
    return np.asarray(concordant / pairs) if pairs else np.full(scores.shape[1], np.nan)


def _out_of_fold(
    features: pd.DataFrame, truth: Floats, learner: Learner, tests: Sequence[npt.NDArray[np.bool_]], where: tuple[Place, int]
) -> Floats:
    place, position = where
    scores = np.full(len(truth), np.nan)
    for number, test in enumerate(tests, start=1):
        fitted = learner.fit(features[~test], truth[~test], place.numbers(position, number))
        scores[test] = fitted.risk(features[test])
    return scores
