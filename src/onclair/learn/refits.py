"""The whole pipeline learnt again on bootstrap samples of the patients: what optimism and instability are computed from."""

from __future__ import annotations

import builtins
import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadInput, BadSetting, OnclairError
from onclair.core.study import Learner, MapFunction
from onclair.learn.folds import patients_of
from onclair.science.statistics.bootstrap import drawn_counts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Refits:
    """The risks that the original model and each refitted one give to the original rows.

    Attributes
    ----------
    name : str
        Of the learner.
    truth : ndarray, float64, shape (n,)
    who : ndarray, int64, shape (n,)
        The patient of each row, as a number.
    risk : ndarray, float64, shape (n,)
        By the model trained on all rows.
    risks : ndarray, float64, shape (replicates, n)
        By the model of each bootstrap sample; NaN where it could not be trained.
    drawn : ndarray, int64, shape (replicates, patients)
        How often each patient was in the sample.
    failures : tuple of str
        Why samples could not be trained on, one sentence each.
    """

    name: str
    truth: Floats
    who: Ints
    risk: Floats
    risks: Floats
    drawn: Ints
    failures: tuple[str, ...] = ()

    @property
    def patients(self) -> int:
        """How many patients there are."""
        return int(self.drawn.shape[1])

    @property
    def replicates(self) -> int:
        """How many samples could be trained on."""
        return len(self.risks) - len(self.failures)

    @property
    def events(self) -> int | None:
        """Patients with the event in any of their rows, where the truth is 0 or 1; None otherwise."""
        return np.unique(self.who[self.truth == 1]).size if np.isin(self.truth, (0.0, 1.0)).all() else None

    @property
    def method(self) -> str:
        """How it was done, for the method of an estimate."""
        lost = f" ({len(self.failures)} of {len(self.risks)} could not be trained)" if self.failures else ""
        return f"{self.replicates} bootstrap samples of {self.patients} patients, whole pipeline refitted{lost}"


def refits(
    learner: Learner,
    features: pd.DataFrame,
    truth: npt.ArrayLike,
    *,
    replicates: int = 200,
    seed: int = 1,
    map: MapFunction = builtins.map,  # noqa: A002
) -> Refits:
    """Train the whole pipeline on all rows, and again on each of many bootstrap samples of the patients.

    Parameters
    ----------
    learner : Learner
        The *whole* pipeline: imputing, scaling, selecting, tuning and fitting are all in its ``fit``. Whatever was done to the rows before
        is not repeated, and its optimism is not seen.
    features : DataFrame, shape (n, p), whose index begins with the patient
        A patient's rows are drawn together, and a patient drawn twice keeps one name, so that folds inside the pipeline do not split it.
    truth : array_like, shape (n,)
        As the learner takes it.
    replicates : int
        At least 1; 200 is Harrell's advice.
    seed : int
        Sample i draws and fits from its own streams, keyed by (seed, i): the same on 1 or many workers.
    map : callable
        ``map(function, units)`` giving results in order.

    Returns
    -------
    Refits
        ``replicates x n`` risks are kept: 16 MB for 200 times 10,000 rows.

    Raises
    ------
    BadSetting
        For fewer than one replicate.
    BadInput
        For an unequal number of truths, or fewer than two patients.
    OnclairError
        When the learner cannot be trained on all rows. A sample that it cannot be trained on is counted, not raised.

    References
    ----------
    Harrell, Lee & Mark 1996, section 5, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4.

    Examples
    --------
    >>> from onclair.learn.pipeline import Prevalence
    >>> table = pd.DataFrame({"x": 0.0}, index=list("ABCD"))
    >>> found = refits(Prevalence(), table, [0, 1, 0, 1], replicates=3)
    >>> found.risk.tolist(), found.risks.shape, found.drawn.sum(axis=1).tolist()
    ([0.5, 0.5, 0.5, 0.5], (3, 4), [4, 4, 4])
    """
    y = np.asarray(truth, dtype=np.float64)
    if replicates < 1:
        raise BadSetting(f"A bootstrap of {replicates} replicates is impossible; ask for 1 or more.", item="replicates")
    if y.shape != (len(features),):
        raise BadInput(f"{len(features)} rows of features and truths of shape {y.shape} do not pair; give one truth a row.")
    names, who = np.unique(patients_of(features.index).astype(str), return_inverse=True)
    if len(names) < 2:
        raise BadInput(f"A bootstrap of patients needs two or more; found {len(names)}.")
    original = learner.fit(features, y, _numbers(seed, 0)).risk(features)
    work = functools.partial(_refit, learner, features, y, who.astype(np.int64), seed)
    results = list(map(work, range(1, replicates + 1)))
    risks, drawn = np.stack([r[0] for r in results]), np.stack([r[1] for r in results])
    return Refits(learner.name, y, who.astype(np.int64), original, risks, drawn, tuple(r[2] for r in results if r[2] is not None))


def _refit(learner: Learner, features: pd.DataFrame, truth: Floats, who: Ints, seed: int, at: int) -> tuple[Floats, Ints, str | None]:
    drawn = drawn_counts(int(who.max()) + 1, np.random.SeedSequence(seed, spawn_key=(1, at)))
    rows = np.repeat(np.arange(len(truth)), drawn[who])
    try:
        fitted = learner.fit(features.iloc[rows], truth[rows], _numbers(seed, at))
        return fitted.risk(features), drawn, None
    except OnclairError as error:  # one class in a small sample, say: counted and reported, since others can be trained on
        return np.full(len(truth), np.nan), drawn, str(error)


def _numbers(seed: int, at: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2, at)))
