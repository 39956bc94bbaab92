"""Folds: nested, repeated, by centre and in time. Only ``Cohort`` cuts; this asks it to, and finds the rows.

A patient's rows always stay together, and every cut has its own stream of random numbers keyed by its place, so that it does
not depend on who cuts first.
"""

from __future__ import annotations

from collections.abc import Iterable

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
    """Return one class a patient, 1 where any of its rows has the event; what folds are balanced on.

    Parameters
    ----------
    truth : Series of 0 and 1, indexed by (patient, item)

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("B", 1), ("A", 1), ("A", 2)])
    >>> strata(pd.Series([0.0, 0.0, 1.0], index=index)).to_dict()
    {'A': 1.0, 'B': 0.0}
    """
    return truth.groupby(patients_of(truth.index)).max()


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
        if classes.reindex(list(cut.train)).nunique() < 2:
            events = int(classes.reindex(list(train.patients)).sum())
            found = f"{events} of its {len(train.patients)} training patients have the event"
            raise BadCohort(f"'{split.name}' cannot be cut into {folds} inner folds: {found}; use fewer folds.", item=split.name)
    return cuts


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
