"""Folds: by patient, nested, repeated, by centre and in time. Only ``Cohort`` cuts; this asks it to, and finds the rows.

A patient's rows always stay together, and every cut has its own stream of random numbers keyed by its place, so that it does
not depend on who cuts first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort, Split
from onclair.core.errors import BadCohort

Bools = npt.NDArray[np.bool_]


def stream(seed: int, *place: int) -> np.random.Generator:
    """Return the random numbers of one place (repeat, fold, learner...), whatever was drawn elsewhere.

    Examples
    --------
    >>> bool(stream(1, 0, 2).random() == stream(1, 0, 2).random()), bool(stream(1, 0, 2).random() == stream(1, 2, 0).random())
    (True, False)
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))


def patients_of(index: pd.Index) -> npt.NDArray[np.object_]:
    """Return the patient of each row: the first level of a (patient, item) index, as text.

    Examples
    --------
    >>> patients_of(pd.MultiIndex.from_tuples([("A", 1), ("A", 2), (7, 1)])).tolist()
    ['A', 'A', '7']
    """
    return np.asarray(index.get_level_values(0).astype(str), dtype=object)


def described(cohort: Cohort, index: pd.Index) -> Cohort:
    """Return the cohort of the patients that have rows.

    Raises
    ------
    BadCohort
        When a row names a patient whom the cohort does not hold.
    """
    present = set(patients_of(index))
    foreign = sorted(present - set(cohort.patients))
    if foreign:
        found = f"{len(foreign)} patients have rows but no acquisition"
        raise BadCohort(f"{found}, the first {foreign[0]}; correct acquisitions.csv.", item=foreign[0])
    return cohort.only(present)


def strata(truth: pd.Series) -> pd.Series:
    """Return one class a patient, what folds are balanced on: 1 where all its rows have the event, 0 where none, 0.5 where some have.

    Parameters
    ----------
    truth : Series of 0 and 1, indexed by (patient, item)

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("B", 1), ("A", 1), ("A", 2)])
    >>> strata(pd.Series([0.0, 0.0, 1.0], index=index)).to_dict()
    {'A': 0.5, 'B': 0.0}
    """
    rows = truth.groupby(patients_of(truth.index))
    return (rows.min() + rows.max()) / 2


def one_class(truth: pd.Series, patients: Iterable[str]) -> bool:
    """Return whether the rows of these patients hold fewer than two classes.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("B", 1), ("A", 1), ("A", 2)])
    >>> truth = pd.Series([0.0, 0.0, 1.0], index=index)
    >>> one_class(truth, ["B"]), one_class(truth, ["A"])
    (True, False)
    """
    return bool(truth[rows_of(truth.index, patients)].nunique() < 2)


def repeated(cohort: Cohort, truth: pd.Series, folds: int, repeats: int, seed: int) -> tuple[tuple[Split, ...], ...]:
    """Cut the cohort by patient into `folds`, `repeats` times, events spread evenly.

    Returns
    -------
    tuple, one a repeat, of tuple of Split
        Within a repeat each patient is judged once.

    Raises
    ------
    BadCohort
        When there are fewer patients than folds.

    Examples
    --------
    >>> acquisitions = pd.DataFrame({"patient": list("ABCD"), "centre": "X", "visit": 1, "kind": "pet", "path": list("abcd")})
    >>> cohort = Cohort(acquisitions, pd.DataFrame({"patient": list("ABCD")}))
    >>> truth = pd.Series([0.0, 1.0, 0.0, 1.0], index=pd.MultiIndex.from_product([list("ABCD"), [1]]))
    >>> [len(split.test) for split in repeated(cohort, truth, folds=2, repeats=1, seed=1)[0]]
    [2, 2]
    """
    classes = strata(truth)
    return tuple(cohort.by_patient(folds, stream(seed, 0, repeat), strata=classes) for repeat in range(repeats))


def inside(cohort: Cohort, split: Split, truth: pd.Series, folds: int, rng: np.random.Generator) -> tuple[Split, ...]:
    """Cut the training part of `split` again; the patients to be judged are in neither side.

    Raises
    ------
    BadCohort
        When the training part has fewer patients than folds, or when some inner training part holds one class only.
    """
    classes = strata(truth)
    train = cohort.only(split.train)
    cuts = train.by_patient(folds, rng, strata=classes)
    for cut in cuts:
        if one_class(truth, cut.train):
            events = int((classes.reindex(list(train.patients)) > 0).sum())
            found = f"{events} of its {len(train.patients)} training patients have the event"
            raise BadCohort(f"'{split.name}' cannot be cut into {folds} inner folds: {found}; use fewer folds.", item=split.name)
    return cuts


@dataclass(frozen=True, slots=True)
class NestedSplit:
    """One outer cut, and the cuts of its training part: nobody to be judged by `outer` is on either side of an inner one."""

    outer: Split
    inner: tuple[Split, ...]


def nested_splits(
    cohort: Cohort, truth: pd.Series, folds: int, inner_folds: int, *, repeats: int = 1, seed: int = 1
) -> tuple[NestedSplit, ...]:
    """Cut by patient, `repeats` times, and cut each training part again.

    Parameters
    ----------
    cohort : Cohort
    truth : Series of 0 and 1, indexed by (patient, item)
        Events are spread evenly over both kinds of folds.
    folds, inner_folds : int
        At least 2.
    repeats, seed : int

    Returns
    -------
    tuple of NestedSplit
        ``repeats x folds`` of them, one repeat after the other; the same cuts as ``NestedPlan`` with this seed.

    Raises
    ------
    BadCohort
        For fewer patients than folds, or too few events for that many.

    Examples
    --------
    >>> acquisitions = pd.DataFrame({"patient": list("ABCDEFGH"), "centre": "X", "visit": 1, "kind": "pet", "path": "p"})
    >>> cohort = Cohort(acquisitions, pd.DataFrame({"patient": list("ABCDEFGH")}))
    >>> truth = pd.Series([0.0, 1.0] * 4, index=pd.MultiIndex.from_product([list("ABCDEFGH"), [1]]))
    >>> cuts = nested_splits(cohort, truth, 2, 2)
    >>> len(cuts), all(set(i.train + i.test) == set(c.outer.train) for c in cuts for i in c.inner)
    (2, True)
    """
    return tuple(
        NestedSplit(split, inside(cohort, split, truth, inner_folds, stream(seed, 1, repeat, fold)))
        for repeat, splits in enumerate(repeated(cohort, truth, folds, repeats, seed))
        for fold, split in enumerate(splits)
    )


def by_centre(cohort: Cohort, index: pd.Index) -> tuple[Split, ...]:
    """Cut by centre the patients that have rows, each centre judged once on what the others taught.

    Raises
    ------
    BadCohort
        For a row whose patient the cohort does not hold, or when only one centre has rows.

    Examples
    --------
    >>> acquisitions = pd.DataFrame({"patient": list("ABC"), "centre": list("XXY"), "visit": 1, "kind": "pet", "path": "p"})
    >>> cuts = by_centre(Cohort(acquisitions, pd.DataFrame({"patient": list("ABC")})), pd.MultiIndex.from_product([list("ABC"), [1]]))
    >>> [(cut.name, cut.test) for cut in cuts]
    [('centre:X', ('A', 'B')), ('centre:Y', ('C',))]
    """
    return described(cohort, index).by_centre()


def in_time(cohort: Cohort, index: pd.Index, column: str, at: Sequence[float | str]) -> tuple[Split, ...]:
    """Cut in time the patients that have rows: at each moment, learn from all before it and judge those up to the next moment.

    Parameters
    ----------
    cohort : Cohort
    index : Index
        Of the rows, (patient, item).
    column : str
        Of ``acquisitions.csv``; a patient counts from its first.
    at : sequence of float or str
        Rising moments, at least one; after the last, everybody later is judged.

    Returns
    -------
    tuple of Split
        One a moment: nobody is judged twice, and no model sees what came after it (rolling origin).

    Raises
    ------
    BadCohort
        When the column is absent, the moments do not rise, or nobody lies before the first or from one moment to the next.

    References
    ----------
    Tashman 2000, doi:10.1016/S0169-2070(00)00065-0.

    Examples
    --------
    >>> acquisitions = pd.DataFrame({"patient": list("ABCD"), "centre": "X", "visit": 1, "kind": "pet", "path": "p", "year": [1, 2, 3, 4]})
    >>> cohort = Cohort(acquisitions, pd.DataFrame({"patient": list("ABCD")}))
    >>> [(cut.train, cut.test) for cut in in_time(cohort, pd.Index(list("ABCD")), "year", [2, 4])]
    [(('A',), ('B', 'C')), (('A', 'B', 'C'), ('D',))]
    """
    moments, present = list(at), described(cohort, index)
    if not moments or any(not early < late for early, late in pairwise(moments)):  # type: ignore[operator]
        raise BadCohort(f"The moments to cut '{column}' at are {moments}; give one or more, rising.", item=column)
    until = [present.only(present.in_time(column, later).train) for later in moments[1:]]
    return tuple(part.in_time(column, moment) for part, moment in zip([*until, present], moments, strict=True))


def rows_of(index: pd.Index, patients: Iterable[str]) -> Bools:
    """Return which rows belong to `patients`, bool, shape (n,).

    Examples
    --------
    >>> rows_of(pd.MultiIndex.from_tuples([("A", 1), ("B", 1), ("A", 2)]), ["A"])
    array([ True, False,  True])
    """
    wanted = set(patients)
    return np.fromiter((p in wanted for p in patients_of(index)), dtype=bool, count=len(index))


def checked_truth(rows: pd.DataFrame, truth: pd.Series) -> pd.Series:
    """Return `truth` (0 or 1 a row) as float when it fits the rows.

    Raises
    ------
    BadCohort
        When the index differs, a truth is missing or other than 0 and 1 (the patient is named), or only one class is present.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("A", 1), ("B", 1)])
    >>> checked_truth(pd.DataFrame({"x": [1.0, 2.0]}, index=index), pd.Series([True, False], index=index)).tolist()
    [1.0, 0.0]
    """
    if not truth.index.equals(rows.index):
        raise BadCohort(f"{len(rows)} rows of features and {len(truth)} of outcomes do not share one (patient, item) index; align them.")
    values = pd.Series(pd.to_numeric(truth, errors="coerce"), index=truth.index, dtype=np.float64)
    bad = ~values.isin((0.0, 1.0))
    if bad.any():
        who = str(patients_of(truth.index)[bad.to_numpy()][0])
        found = f"The outcome of {int(bad.sum())} rows is neither 0 nor 1"
        raise BadCohort(f"{found}, the first of patient {who}; leave such patients out.", item=who)
    if values.nunique() < 2:
        raise BadCohort(f"All {len(values)} rows have the outcome {values.iloc[0] if len(values) else 'none'}; a model needs both classes.")
    return values
