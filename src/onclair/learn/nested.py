"""Nested resampling: outer folds judge what inner folds chose, and no outer fold is seen before it is predicted."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort, Split
from onclair.core.errors import BadCohort, BadSetting
from onclair.core.study import Learner, MapFunction
from onclair.learn.choose import Chosen, Clock, Place, choose
from onclair.learn.folds import checked_truth, described, inside, one_class, patients_of, repeated, rows_of, strata, stream

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NestedPlan:
    """How to resample.

    Attributes
    ----------
    folds, inner_folds, repeats : int
        Outer and inner folds by patient, at least 2; repetitions of the outer ones, at least 1.
    seed : int
        With the place of a fit it decides every random number.
    splits : tuple of Split, or None
        Outer cuts to use in place of folds by patient (by centre, in time).
    compared : int
        Repeats, from the first, in which every candidate is refitted on each outer training part, chosen or not, so that they can
        be set side by side; nothing is chosen by it, and the model's risks stay what they are.

    Raises
    ------
    BadSetting
        For fewer folds or repeats than that.

    Examples
    --------
    >>> NestedPlan(folds=10).inner_folds
    4
    """

    folds: int = 5
    inner_folds: int = 4
    repeats: int = 3
    seed: int = 1
    splits: tuple[Split, ...] | None = None
    compared: int = 0

    def __post_init__(self) -> None:
        for name, least in (("folds", 2), ("inner_folds", 2), ("repeats", 1), ("seed", 0), ("compared", 0)):
            if getattr(self, name) < least:
                raise BadSetting(f"The setting '{name}' is {getattr(self, name)}; it must be at least {least}.", item=name)


@dataclass(frozen=True, slots=True, eq=False)
class Nested:
    """What nested resampling found.

    Attributes
    ----------
    plan : NestedPlan
    index : Index
        The (patient, item) of each row.
    risks : ndarray, float64, shape (repeats, rows)
        Calibrated risk of each row from a model that saw nothing of its patient; NaN where a row was never judged.
    scores : ndarray, float64, shape (repeats, rows)
        The same before calibration. A calibrator keeps the order of one fold, yet each fold has its own, which blurs the order
        between folds in a small cohort.
    fold_of : ndarray, int64, shape (repeats, rows)
        The outer fold that judged the row, -1 for none: fits of different folds differ a little in scale.
    chosen : tuple, one a repeat, of tuple of str, one a fold
        The learner that the inner folds chose.
    inner_auc : ndarray, float64, shape (repeats, folds, learners)
    splits : tuple, one a repeat, of tuple of Split
    compared : ndarray, float64, shape (repeats, learners, rows)
        Scores of every learner, before calibration, from outer training parts; NaN in repeats in which they were not compared.
    seconds : tuple of float
        CPU time of each learner in all its fits; the one thing here that differs from run to run, so it stays out of every record.
    """

    plan: NestedPlan
    index: pd.Index
    risks: Floats
    scores: Floats
    fold_of: npt.NDArray[np.int64]
    chosen: tuple[tuple[str, ...], ...]
    inner_auc: Floats
    splits: tuple[tuple[Split, ...], ...]
    compared: Floats
    seconds: tuple[float, ...]

    @property
    def risk(self) -> pd.Series:
        """The mean over repeats of each row's risk; NaN where a row was never judged."""
        return pd.Series(self.risks.mean(axis=0), index=self.index, name="risk")

    @property
    def votes(self) -> dict[str, int]:
        """How many times each learner was chosen, most often first."""
        return dict(Counter(name for names in self.chosen for name in names).most_common())


@dataclass(frozen=True, slots=True, eq=False)
class OuterFold:
    """One unit of work: one outer fold of one repeat, with everything that it needs and nothing else.

    ``compared`` holds the positions of the learners that are refitted and judged though another may be chosen.
    """

    features: pd.DataFrame
    truth: Floats
    learners: tuple[Learner, ...]
    split: Split
    inner: tuple[Split, ...]
    place: Place
    series: int = 0
    compared: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class OuterResult:
    """The answer to one :class:`OuterFold`, which says itself where it belongs."""

    series: int
    place: Place
    judged: npt.NDArray[np.bool_]
    risk: Floats
    score: Floats
    chosen: str
    inner_auc: tuple[float, ...]
    compared: Floats
    seconds: tuple[float, ...]


def nested(
    cohort: Cohort,
    rows: pd.DataFrame,
    truth: pd.Series,
    learners: Sequence[Learner],
    plan: NestedPlan,
    *,
    map: MapFunction = builtins.map,  # noqa: A002
) -> Nested:
    """Resample: cut, choose inside, calibrate inside, refit, and predict the rows left out.

    Parameters
    ----------
    cohort : Cohort
        Cuts the folds; patients without rows are left out.
    rows : DataFrame, float columns, indexed by (patient, item)
        Several rows of a patient stay on one side of every cut.
    truth : Series of 0 and 1, on the same index
        May differ between the rows of a patient.
    learners : sequence of Learner
        Candidates, the simpler first.
    plan : NestedPlan
    map : callable
        ``map(function, tasks) -> iterable`` of results in any order; tasks and results can be pickled, and every task brings its
        own random numbers, so that the outcome depends on neither workers nor order.

    Returns
    -------
    Nested

    Raises
    ------
    BadCohort
        For a truth that does not fit, a patient the cohort lacks, or too few events for that many folds.
    BadSetting
        Without learners, or when two share a name.

    References
    ----------
    Varma & Simon 2006, doi:10.1186/1471-2105-7-91; Stone 1974, doi:10.1111/j.2517-6161.1974.tb00994.x.

    Examples
    --------
    Eight patients whose outcome nothing can tell: everyone is judged once, by the prevalence among the others.

    >>> from onclair.learn.pipeline import Prevalence
    >>> names = list("ABCDEFGH")
    >>> acquisitions = pd.DataFrame({"patient": names, "centre": "X", "visit": 1, "kind": "pet", "path": names})
    >>> rows = pd.DataFrame({"f": 1.0}, index=pd.MultiIndex.from_product([names, ["lesion"]]))
    >>> truth = pd.Series([0.0, 1.0] * 4, index=rows.index)
    >>> plan = NestedPlan(folds=2, inner_folds=2, repeats=1)
    >>> nested(Cohort(acquisitions, pd.DataFrame({"patient": names})), rows, truth, [Prevalence()], plan).risk.round(6).unique()
    array([0.5])
    """
    return nested_each(cohort, rows, [truth], learners, plan, map=map)[0]


def leave_one_centre_out(
    cohort: Cohort,
    rows: pd.DataFrame,
    truth: pd.Series,
    learners: Sequence[Learner],
    plan: NestedPlan,
    *,
    map: MapFunction = builtins.map,  # noqa: A002
) -> Nested:
    """Resample with one outer fold a centre: what the others taught is judged on each centre.

    Arguments and errors as :func:`nested`; the plan's `folds` and `splits` are not used.

    Raises
    ------
    BadCohort
        Also when there is only one centre.
    """
    return nested(cohort, rows, truth, learners, replace(plan, splits=described(cohort, rows.index).by_centre()), map=map)


def nested_each(
    cohort: Cohort,
    rows: pd.DataFrame,
    truths: Sequence[pd.Series],
    learners: Sequence[Learner],
    plan: NestedPlan,
    *,
    map: MapFunction = builtins.map,  # noqa: A002
) -> tuple[Nested, ...]:
    """Resample once for each of several truths on the same rows; all folds of all go through one `map`.

    With :func:`shuffles` this gives the null: what the whole pipeline finds where there is nothing. Arguments and errors as
    :func:`nested`.
    """
    present = described(cohort, rows.index)
    tasks, cuts = [], []
    for series, truth in enumerate(truths):
        values = checked_truth(rows, truth)
        cuts.append(_cuts(present, values, plan))
        tasks += _tasks(present, rows, values, cuts[-1], (tuple(learners), plan, series))
    results = list(map(run_fold, tasks))
    return tuple(_gathered([r for r in results if r.series == series], rows, len(learners), plan, cut) for series, cut in enumerate(cuts))


def shuffles(truth: pd.Series, permutations: int, seed: int) -> tuple[pd.Series, ...]:
    """Return `permutations` copies of `truth`, each :func:`permuted` by its own stream of random numbers.

    Examples
    --------
    >>> truth = pd.Series([1.0, 0.0, 0.0], index=pd.MultiIndex.from_product([list("ABC"), [1]]))
    >>> [float(copy.sum()) for copy in shuffles(truth, 2, seed=1)]
    [1.0, 1.0]
    """
    return tuple(permuted(truth, stream(seed, 3, k)) for k in range(permutations))


def permuted(truth: pd.Series, rng: np.random.Generator) -> pd.Series:
    """Return `truth` with outcomes shuffled between patients, as many events as before where each patient has one outcome.

    Where every patient's rows agree, patients exchange their outcome. Where rows of a patient differ, the patients' runs of
    outcomes are shuffled and laid end to end over the rows, so that what goes together within a patient mostly stays so.

    Parameters
    ----------
    truth : Series indexed by (patient, item)
    rng : numpy Generator

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("A", 1), ("A", 2), ("B", 1), ("B", 2)])
    >>> swapped = permuted(pd.Series([1.0, 1.0, 0.0, 0.0], index=index), np.random.default_rng(3))
    >>> sorted(swapped.groupby(level=0).sum().tolist())
    [0.0, 2.0]
    """
    names, values = patients_of(truth.index), truth.to_numpy(dtype=np.float64)
    patients, code = np.unique(names.astype(str), return_inverse=True)
    order = rng.permutation(len(patients))
    runs = [values[code == p] for p in range(len(patients))]
    if all(np.ptp(run) == 0 for run in runs):
        outcome = np.array([run[0] for run in runs])
        return pd.Series(outcome[order][code], index=truth.index, name=truth.name)
    laid = np.empty_like(values)
    laid[np.argsort(code, kind="stable")] = np.concatenate([runs[p] for p in order])
    return pd.Series(laid, index=truth.index, name=truth.name)


def run_fold(task: OuterFold) -> OuterResult:
    """Choose, calibrate and refit on the training rows of one outer fold, then predict its test rows."""
    train, test = rows_of(task.features.index, task.split.train), rows_of(task.features.index, task.split.test)
    chosen = choose(task.features[train], task.truth[train], task.learners, task.inner, task.place)
    score = chosen.fitted.risk(task.features[test])
    compared, seconds = _compared(task, train, test, chosen)
    risk = chosen.calibrator.risk(score)
    return OuterResult(task.series, task.place, test, risk, score, chosen.name, chosen.inner_auc, compared, seconds)


def _compared(
    task: OuterFold, train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_], chosen: Chosen
) -> tuple[Floats, tuple[float, ...]]:
    """Return the scores of every learner that is compared (learners, test rows), NaN of the others, and all learners' CPU time."""
    scores = np.full((len(task.learners), int(test.sum())), np.nan)
    seconds = list(chosen.seconds)
    for position in task.compared:
        learner, clock = task.learners[position], Clock()
        with clock:
            fitted = chosen.fitted
            if learner.name != chosen.name:
                fitted = learner.fit(task.features[train], task.truth[train], task.place.numbers(position, 0))
            scores[position] = fitted.risk(task.features[test])
        seconds[position] += clock.seconds
    return scores, tuple(seconds)


def _cuts(cohort: Cohort, truth: pd.Series, plan: NestedPlan) -> tuple[tuple[Split, ...], ...]:
    if plan.splits is None:
        return repeated(cohort, truth, plan.folds, plan.repeats, plan.seed)
    present = set(cohort.patients)
    both = [split.name for split in plan.splits if set(split.train) & set(split.test)]
    if both:
        raise BadCohort(f"The split '{both[0]}' has patients on both sides; cut it again with Cohort.", item=both[0])
    held = tuple(Split(s.name, tuple(p for p in s.train if p in present), tuple(p for p in s.test if p in present)) for s in plan.splits)
    return (held,) * plan.repeats


def _tasks(
    cohort: Cohort,
    rows: pd.DataFrame,
    truth: pd.Series,
    cuts: tuple[tuple[Split, ...], ...],
    what: tuple[tuple[Learner, ...], NestedPlan, int],
) -> list[OuterFold]:
    learners, plan, series = what
    for splits in cuts:
        for split in splits:
            _enough(split, truth, len(splits))
    tasks = []
    for repeat, splits in enumerate(cuts):
        for fold, split in enumerate(splits):
            inner = inside(cohort, split, truth, plan.inner_folds, stream(plan.seed, 1, repeat, fold))
            place = Place(plan.seed, repeat, fold)
            compared = tuple(range(len(learners))) if repeat < plan.compared else ()
            tasks.append(OuterFold(rows, truth.to_numpy(dtype=np.float64), learners, split, inner, place, series, compared))
    return tasks


def _enough(split: Split, truth: pd.Series, folds: int) -> None:
    """Refuse a training part of one class, in words."""
    if one_class(truth, split.train):
        classes = strata(truth)
        found = f"{int((classes > 0).sum())} of {len(classes)} patients have the event"
        few = f"{found}, so '{split.name}' of {folds} would train on one class only"
        raise BadCohort(f"There are too few events for that many folds: {few}; use fewer folds or gather more patients.", item=split.name)


def _gathered(
    results: Sequence[OuterResult], rows: pd.DataFrame, learners: int, plan: NestedPlan, cuts: tuple[tuple[Split, ...], ...]
) -> Nested:
    repeats, folds = len(cuts), len(cuts[0])
    risks, scores = np.full((2, repeats, len(rows)), np.nan)
    fold_of = np.full((repeats, len(rows)), -1, dtype=np.int64)
    names, inner_auc = np.empty((repeats, folds), dtype=object), np.full((repeats, folds, learners), np.nan)
    compared, seconds = np.full((repeats, learners, len(rows)), np.nan), np.zeros(learners)
    for result in results:
        at = result.place.repeat, result.place.fold
        risks[at[0], result.judged] = result.risk
        scores[at[0], result.judged] = result.score
        fold_of[at[0], result.judged] = at[1]
        names[at], inner_auc[at] = result.chosen, result.inner_auc
        compared[at[0]][:, result.judged] = result.compared
        seconds += result.seconds
    chosen = tuple(tuple(row) for row in names)
    return Nested(plan, rows.index, risks, scores, fold_of, chosen, inner_auc, cuts, compared, tuple(float(s) for s in seconds))
