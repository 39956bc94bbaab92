"""Folds by centre, in time and nested, all cut by the cohort."""

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCohort
from onclair.learn.folds import by_centre, in_time, nested_splits
from onclair.learn.nested import NestedPlan, nested
from onclair.learn.pipeline import Prevalence


@pytest.fixture
def cohort():
    names = [f"P{i:02d}" for i in range(24)]
    acquisitions = pd.DataFrame(
        {"patient": names, "centre": np.repeat(list("ABC"), 8), "visit": "1", "kind": "ct", "path": names, "year": 2000 + np.arange(24)}
    )
    return Cohort(acquisitions, pd.DataFrame({"patient": names}))


def rows(cohort, each=2):
    return pd.MultiIndex.from_product([cohort.patients, range(each)])


def test_only_centres_with_rows_are_cut_and_each_is_judged_once(cohort):
    cuts = by_centre(cohort, rows(cohort)[:32])
    assert [cut.name for cut in cuts] == ["centre:A", "centre:B"]
    assert all(set(cut.train).isdisjoint(cut.test) for cut in cuts)
    with pytest.raises(BadCohort, match="one centre"):
        by_centre(cohort, rows(cohort)[:16])


def test_in_time_nobody_is_judged_twice_and_no_model_sees_the_future(cohort):
    cuts = in_time(cohort, rows(cohort), "year", [2006, 2012, 2018])
    judged = [p for cut in cuts for p in cut.test]
    assert judged == sorted(set(judged)) == list(cohort.patients[6:])
    for cut in cuts:
        assert max(cut.train) < min(cut.test)


@pytest.mark.parametrize(
    ("at", "sentence"),
    [([2006, 2006], "rising"), ([], "rising"), ([1990], "No patient lies on one side"), ([2006.2, 2006.5], "No patient")],
)
def test_moments_that_cut_nothing_are_refused(cohort, at, sentence):
    with pytest.raises(BadCohort, match=sentence):
        in_time(cohort, rows(cohort), "year", at)


def test_nested_cuts_are_those_that_nested_resampling_makes(cohort):
    truth = pd.Series(np.tile([0.0, 0.0, 1.0, 1.0], 12), index=rows(cohort))
    cuts = nested_splits(cohort, truth, 3, 2, repeats=2, seed=4)
    done = nested(cohort, pd.DataFrame({"x": 1.0}, index=truth.index), truth, [Prevalence()], NestedPlan(3, 2, 2, 4))
    assert [cut.outer for cut in cuts] == [split for splits in done.splits for split in splits]
    assert all(set(part.train + part.test) == set(cut.outer.train) for cut in cuts for part in cut.inner)
