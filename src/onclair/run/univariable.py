"""Two figures beside a model of many columns: the best single one, chosen where the model is, and the truth where patients are virtual."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from onclair.core.estimate import Estimate
from onclair.io.tables import read_table
from onclair.learn.estimators import Logistic
from onclair.learn.nested import nested
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import Selection
from onclair.run.further import TRUTH
from onclair.run.learning import Learnt, Lesson
from onclair.run.table import patients_of
from onclair.validate.discrimination import auc, auc_difference

#: What the rival is called in the names of estimates.
NAME = "univariable"


def univariable(lesson: Lesson, learnt: Learnt) -> Iterator[Estimate]:
    """Yield the AUC of the best single column and what the model adds to it, in the folds of the model.

    The column is chosen in each training part by how far its own AUC lies from one half, so that what chose it is not what judges it.

    Parameters
    ----------
    lesson : Lesson
    learnt : Learnt
    """
    learner = Pipeline(NAME, Logistic(penalty=1e-3), Selection(k=1))
    found = nested(
        lesson.cohort, lesson.table.rows, lesson.truth, (learner,), lesson.plan("model", lesson.settings.repeats), map=lesson.map
    )
    truth, patients = lesson.truth.to_numpy(float), patients_of(lesson.table.rows.index)
    yield auc(f"auc:rival:{NAME}", truth, found.risks, patients=patients)
    yield auc_difference(f"auc:model-minus-{NAME}", truth, learnt.risks["model"], found.risks, patients=patients)


def true_risk(lesson: Lesson) -> Iterator[Estimate]:
    """Yield what ranking by the true risk reaches: nothing can do better but by chance; nothing for patients who are not virtual."""
    path = None if lesson.cohort.root is None else lesson.cohort.root / TRUTH
    if lesson.cohort.about.data != "virtual" or path is None or not path.is_file():
        return
    table = read_table(path, text=("patient",)).frame.set_index("patient")
    patients = patients_of(lesson.table.rows.index)
    risk = table["risk"].reindex(list(patients)).to_numpy(float)
    if np.isfinite(risk).all():
        yield auc("auc:oracle", lesson.truth.to_numpy(float), risk, patients=patients)
