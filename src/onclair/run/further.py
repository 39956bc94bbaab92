"""Further questions to what was learnt: an oracle, other classes, each centre, and how badly folds by row would have misled.

For studies with several rows a patient; the study says what it wants to know, this room names none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import OnclairError
from onclair.core.estimate import Estimate, not_available
from onclair.core.outcome import Outcome
from onclair.core.study import Further, Learner
from onclair.io.tables import read_table
from onclair.learn.estimators import Logistic
from onclair.learn.identity import name_patients
from onclair.learn.nested import nested
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import Selection
from onclair.run.learning import Learnt, Lesson
from onclair.validate.calibration import slope
from onclair.validate.discrimination import auc
from onclair.validate.operating_points import balanced_accuracy, operating_points
from onclair.validate.shares import share

Floats = npt.NDArray[np.float64]
#: The risk from which a row is called so where one number is asked.
HALF = 0.5
#: What stands in a method of the split that leaks.
LEAKY = "leaky: folds by row, rows of one patient on both sides; shown to be distrusted"
#: The table of what only virtual patients know, a row an item.
TRUTH = "truth.csv"


@dataclass(frozen=True, slots=True)
class Questions:
    """What a study asks besides the figures that every study has.

    Attributes
    ----------
    oracle : tuple of str
        Columns of ``truth.csv``, positive, whose logarithms the oracle sees.
    others : tuple of str
        Further binary outcomes, judged with the first candidate.
    item : str
        What ``truth.csv`` calls the item.
    unseen : tuple of str
        Column and value in ``truth.csv`` of events that carry no signal of the plain rival, and what their sensitivity is called.
    signal : str
        What the columns begin with by which a row may name its patient.
    """

    oracle: tuple[str, ...]
    others: tuple[str, ...]
    item: str
    unseen: tuple[str, str, str]
    signal: str


def answered(lesson: Lesson, learnt: Learnt, asked: Questions) -> Further:
    """Return the figures that answer a study's own questions.

    Parameters
    ----------
    lesson : Lesson
    learnt : Learnt
    asked : Questions
    """
    truth, patients = lesson.truth.to_numpy(float), np.array(lesson.truth.index.get_level_values(0).astype(str))
    risks = learnt.risks["model"]
    found = [
        balanced_accuracy("bacc:model", truth, risks, HALF, patients=patients),
        slope("calibration:slope", truth, risks.mean(axis=0), patients=patients),
    ]
    found += _by_centre(lesson, truth, risks, patients)
    found += [_oracle(lesson, asked), _by_row(lesson), _identity(lesson, asked.signal), *_others(lesson, asked.others)]
    return Further((*found, _unseen(lesson, risks, asked)))


def _by_centre(lesson: Lesson, truth: Floats, risks: Floats, patients: npt.NDArray[Any]) -> Iterator[Estimate]:
    """Yield the figure of each centre, from the risks out of fold."""
    centre = lesson.cohort.centre_of(list(patients)).to_numpy(str)
    if len(set(centre)) < 2:
        return
    for name in sorted(set(centre)):
        here = centre == name
        yield auc(f"auc:model:centre:{name}", truth[here], risks[:, here], patients=patients[here])


def _truth_of(lesson: Lesson, item: str) -> pd.DataFrame | None:
    """Return what only virtual patients know of each row; None for others."""
    path = None if lesson.cohort.root is None else lesson.cohort.root / TRUTH
    if lesson.cohort.about.data != "virtual" or path is None or not path.is_file():
        return None
    return read_table(path, text=(item, "patient")).frame.set_index(["patient", item]).reindex(lesson.table.rows.index)


def _oracle(lesson: Lesson, asked: Questions) -> Estimate:
    """Return what a plain model of the true amounts reaches: the most that measuring them could give."""
    table = _truth_of(lesson, asked.item)
    if table is None:
        return not_available("auc:oracle", "only virtual patients have true amounts")
    amounts = table[list(asked.oracle)].astype(float).apply(np.log)
    found = _nested_auc("auc:oracle", lesson, amounts, lesson.truth, (_plain(),))
    return replace(found, method=f"{found.method}; logistic model of the true amounts, out of fold by patient") if found.method else found


def _by_row(lesson: Lesson) -> Estimate:
    """Return the figure that folds by row would have given."""
    name = "auc:model:spectrum-split"
    index = lesson.table.rows.index
    own = [f"{patient}|{item}" for patient, item in index]
    alone = pd.MultiIndex.from_arrays([own, index.get_level_values(1)], names=index.names)
    rows, truth = lesson.table.rows.set_axis(alone), lesson.truth.set_axis(alone)
    acquisitions = pd.DataFrame({"patient": own, "centre": "any", "visit": "", "kind": "any", "path": ""})
    cohort = Cohort(acquisitions, pd.DataFrame({"patient": own}), lesson.cohort.about)
    found = _nested_auc(name, replace(lesson, cohort=cohort), rows, truth, _first(lesson))
    return replace(found, method=f"{found.method}; {LEAKY}") if found.method else found


def _identity(lesson: Lesson, signal: str) -> Estimate:
    """Return how often a row names its patient: what folds by row let a model remember."""
    name = "accuracy:patient-id"
    every = lesson.described.rows if lesson.described is not None else lesson.table.rows
    columns = [c for c in every.columns if str(c).startswith(signal)]
    table = every[columns].dropna(axis=1, how="all").dropna()
    try:
        named = name_patients(table.to_numpy(float), table.index.get_level_values(0).astype(str).to_numpy())
    except OnclairError as error:
        return not_available(name, str(error))
    found = share(name, named.right, patients=named.true[named.judged])
    said = f"{found.method}; discriminant analysis, other rows of the same patients seen; chance {named.chance:.3f}"
    return replace(found, method=said)


def _others(lesson: Lesson, names: Sequence[str]) -> Iterator[Estimate]:
    """Yield the figures of the other questions that the cohort's outcomes ask."""
    known = {outcome.name: outcome for outcome in lesson.cohort.about.outcomes}
    every = lesson.described.rows if lesson.described is not None else lesson.table.rows
    for short in names:
        if short not in known or known[short].kind != "binary":
            yield not_available(f"auc:{short}", f"the cohort declares no binary outcome '{short}'")
            continue
        yield _other(lesson, known[short], every)


def _other(lesson: Lesson, outcome: Outcome, every: pd.DataFrame) -> Estimate:
    truth = lesson.cohort.truth_of(outcome, every.index)
    usable = truth.notna() & every.notna().any(axis=1)
    usable &= every.index.get_level_values(0).isin(lesson.cohort.patients)
    return _nested_auc(f"auc:{outcome.name}", lesson, every[usable], truth[usable], _first(lesson))


def _unseen(lesson: Lesson, risks: Floats, asked: Questions) -> Estimate:
    """Return how many events without the plain signal the model calls; virtual cohorts know which they are."""
    column, value, name = asked.unseen
    table, truth = _truth_of(lesson, asked.item), lesson.truth.to_numpy(float)
    if table is None:
        return not_available(name, f"only virtual patients say which rows are '{value}'")
    dark = (table[column] == value).to_numpy() & (truth == 1)
    if not dark.any():
        return not_available(name, f"no event of the question is '{value}'")
    patients = lesson.table.rows.index.get_level_values(0)[dark].astype(str)
    return replace(operating_points("model", truth[dark], risks[:, dark], (HALF,), patients=np.array(patients))[0], name=name)


def _first(lesson: Lesson) -> tuple[Learner, ...]:
    """Return the simplest candidate: quick enough to be asked again and again."""
    return lesson.study.model(lesson.settings)[:1]


def _nested_auc(name: str, lesson: Lesson, rows: pd.DataFrame, truth: pd.Series, learners: Sequence[Learner]) -> Estimate:
    """Return the out-of-fold figure of learners on these rows; the reason where the rows cannot bear the folds."""
    try:
        found = nested(lesson.cohort, rows, truth, learners, lesson.plan(name, 1), map=lesson.map)
    except OnclairError as error:
        return not_available(name, str(error).rstrip("."))
    who = np.array(rows.index.get_level_values(0).astype(str))
    return auc(name, truth.to_numpy(float), found.risks, patients=who)


def _plain() -> Pipeline:
    return Pipeline("oracle", Logistic(), Selection("none"))


__all__ = ["Questions", "answered"]
