"""Choose, calibrate, refit: the one procedure that nested resampling judges fold by fold and that locks the final model.

Everything happens on the training rows it is handed. Inner folds give each learner out-of-fold scores; of the learners whose inner
AUC lies within one standard error of the best, the simplest is chosen (Breiman et al. 1984, section 3.4.3), its inner scores fit
the calibrator, and it is refitted on all training rows.
"""

from __future__ import annotations

import time
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
    seconds : tuple of float
        CPU time that each learner took in its inner folds and, the chosen one, in its refit; no result may depend on it.
    """

    name: str
    fitted: Fitted
    calibrator: Calibrator
    inner_auc: tuple[float, ...]
    seconds: tuple[float, ...]


@dataclass(slots=True)
class Clock:
    """CPU seconds of this process, summed over the blocks that it is put around.

    Examples
    --------
    >>> clock = Clock()
    >>> with clock:
    ...     _ = sum(range(10))
    >>> clock.seconds >= 0
    True
    """

    seconds: float = 0.0
    _since: float = 0.0

    def __enter__(self) -> None:
        self._since = time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.process_time() - self._since


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
        The simpler first: of those that nothing tells apart the earlier is chosen.
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
    clocks = [Clock() for _ in learners]
    columns = []
    for j, learner in enumerate(learners):
        with clocks[j]:
            columns.append(_out_of_fold(features, truth, learner, tests, (place, j)))
    scores = np.column_stack(columns)
    areas = within_folds(truth, scores, tests)
    best = simplest(areas, truth)
    calibrator = platt(scores[:, best], truth, patients_of(features.index))
    with clocks[best]:
        fitted = learners[best].fit(features, truth, place.numbers(best, 0))
    return Chosen(names[best], fitted, calibrator, tuple(float(a) for a in areas), tuple(clock.seconds for clock in clocks))


def simplest(areas: Floats, truth: Floats) -> int:
    """Return the first learner whose AUC lies within one standard error of the best.

    The error is Hanley & McNeil's (1982, doi:10.1148/radiology.143.1.7063747) of the best AUC on as many rows with and without the event.

    Parameters
    ----------
    areas : ndarray, shape (learners,)
        NaN where there is none.
    truth : ndarray, shape (n,), 0 or 1

    Examples
    --------
    With 20 rows of each class an AUC of 0.80 has an error of 0.07, so that 0.75 is as good and 0.70 is not:

    >>> truth = np.repeat([0.0, 1.0], 20)
    >>> simplest(np.array([0.75, 0.80]), truth), simplest(np.array([0.70, 0.80]), truth)
    (0, 1)
    """
    if np.isnan(areas).all():
        return 0
    best = float(np.nanmax(areas))
    events = float(truth.sum())
    others = len(truth) - events
    q1, q2 = best / (2 - best), 2 * best**2 / (1 + best)
    variance = best * (1 - best) + (events - 1) * (q1 - best**2) + (others - 1) * (q2 - best**2)
    error = float(np.sqrt(max(variance, 0.0) / max(events * others, 1.0)))
    return int(np.flatnonzero(np.nan_to_num(areas, nan=-1.0) >= best - error - 1e-9)[0])


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
