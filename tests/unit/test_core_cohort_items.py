"""Outcomes of points, lesions or photographs: a patient has several."""

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCohort
from onclair.core.outcome import Outcome
from onclair.core.settings import RunSettings
from onclair.run.feasible import check_folds

MARGIN = Outcome("margin", "binary")


def cohort(outcomes: pd.DataFrame) -> Cohort:
    patients = sorted(set(outcomes["patient"]))
    rows = {"patient": patients, "centre": "A", "visit": "", "kind": "fluorescence", "path": "a.csv"}
    return Cohort(pd.DataFrame(rows), outcomes)


POINTS = pd.DataFrame({"patient": ["P1", "P1", "P2", "P2"], "item": ["a", "b", "a", "b"], "margin": [0.0, 1.0, np.nan, 0.0]})


def test_each_item_has_an_outcome_of_its_own() -> None:
    index = pd.MultiIndex.from_tuples([("P2", "b"), ("P1", "b"), ("P2", "a"), ("P9", "a")])
    assert cohort(POINTS).truth_of(MARGIN, index).fillna(-1).tolist() == [0, 1, -1, -1]


def test_an_item_told_twice_is_refused_by_name() -> None:
    with pytest.raises(BadCohort, match="P1, item a, has more than one row"):
        cohort(POINTS.assign(item="a"))


def test_labels_leave_out_what_is_not_known() -> None:
    labels = cohort(POINTS).labels(MARGIN, ["P1", "P2"])
    assert labels.to_list() == [0, 1, 0]
    assert labels.index.to_list() == ["P1", "P1", "P2"]


def test_a_patient_with_points_of_both_classes_counts_for_both() -> None:
    truth = pd.Series([0, 1] * 6, index=[f"P{number}" for number in range(6) for _ in range(2)])
    check_folds(RunSettings(folds=3, inner_folds=2), truth, MARGIN)
