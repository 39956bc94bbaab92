"""Nested resampling: who is judged by whom, and what is refused."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import Cohort, Split
from onclair.core.errors import BadCohort, BadSetting
from onclair.learn.choose import within_folds
from onclair.learn.estimators import Forest, Logistic
from onclair.learn.nested import NestedPlan, leave_one_centre_out, nested, nested_each, permuted, shuffles
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import Selection

LEARNERS = (Pipeline("logistic", Logistic(), Selection(k=3)), Pipeline("forest", Forest(trees=8), Selection(k=3)))
PLAN = NestedPlan(folds=3, inner_folds=3, repeats=2, seed=4)


def world(n=36, p=8, rows=1, signal=2.0, events=None):
    draw = np.random.default_rng(n + rows)
    names = [f"P{i:03d}" for i in range(n)]
    acquisitions = pd.DataFrame({"patient": names, "centre": [f"C{i % 3}" for i in range(n)], "visit": "1", "kind": "pet", "path": names})
    outcome = draw.permutation(np.arange(n) < (n // 3 if events is None else events)).astype(float)
    index = pd.MultiIndex.from_product([names, range(rows)], names=["patient", "item"])
    truth = np.repeat(outcome, rows)
    x = draw.normal(size=(n * rows, p))
    x[:, 0] += signal * truth
    features = pd.DataFrame(x, index=index, columns=[f"f{j}" for j in range(p)])
    return Cohort(acquisitions, pd.DataFrame({"patient": names, "y": outcome})), features, pd.Series(truth, index=index, name="y")


def backwards(function, tasks):
    return [function(task) for task in reversed(list(tasks))]


def across_a_process_border(function, tasks):
    return [pickle.loads(pickle.dumps(function(pickle.loads(pickle.dumps(task))))) for task in tasks]


def test_every_row_is_judged_once_a_repeat():
    found = nested(*world(rows=2), LEARNERS, PLAN)
    assert found.risks.shape == (2, 72)
    assert np.isfinite(found.risks).all()
    assert sorted({int(f) for f in found.fold_of.ravel()}) == [0, 1, 2]


def test_results_depend_on_neither_order_nor_workers():
    cohort, rows, truth = world()
    straight = nested(cohort, rows, truth, LEARNERS, PLAN)
    with ThreadPoolExecutor(2) as pool:
        others = [nested(cohort, rows, truth, LEARNERS, PLAN, map=m) for m in (backwards, pool.map, across_a_process_border)]
    for other in others:
        assert (other.risks == straight.risks).all()
        assert other.chosen == straight.chosen


def test_adding_a_candidate_leaves_the_numbers_of_the_others_alone():
    cohort, rows, truth = world()
    one, two = (nested(cohort, rows, truth, LEARNERS[:k], PLAN) for k in (1, 2))
    assert (one.inner_auc[..., 0] == two.inner_auc[..., 0]).all()


def test_of_equal_candidates_the_earlier_is_chosen():
    twins = (Pipeline("first", Logistic(), Selection(k=3)), Pipeline("second", Logistic(), Selection(k=3)))
    assert set(nested(*world(), twins, PLAN).votes) == {"first"}


def test_a_clear_signal_is_found():
    cohort, rows, truth = world(n=60, signal=3.0)
    found = nested(cohort, rows, truth, LEARNERS[:1], PLAN)
    judged = [found.fold_of[0] == k for k in range(3)]
    assert within_folds(truth.to_numpy(), found.risks.T, judged)[0] > 0.9


def test_one_fold_a_centre_judges_each_centre_by_the_others():
    cohort, rows, truth = world()
    found = leave_one_centre_out(cohort, rows, truth, LEARNERS[:1], NestedPlan(inner_folds=3, repeats=1))
    assert [split.name for split in found.splits[0]] == ["centre:C0", "centre:C1", "centre:C2"]
    assert set(found.splits[0][1].test) == {f"P{i:03d}" for i in range(36) if i % 3 == 1}


def test_a_cut_in_time_leaves_the_earlier_patients_unjudged():
    cohort, rows, truth = world()
    late = Split("time", cohort.patients[:24], cohort.patients[24:])
    found = nested(cohort, rows, truth, LEARNERS[:1], NestedPlan(inner_folds=2, repeats=1, splits=(late,)))
    assert np.isnan(found.risk.to_numpy()[:24]).all()
    assert np.isfinite(found.risk.to_numpy()[24:]).all()


def test_a_split_with_a_patient_on_both_sides_is_refused():
    cohort, rows, truth = world()
    leaky = Split("leaky", cohort.patients, cohort.patients[:3])
    with pytest.raises(BadCohort, match="'leaky' has patients on both sides"):
        nested(cohort, rows, truth, LEARNERS, NestedPlan(splits=(leaky,)))


def test_too_few_events_for_the_folds_are_said_in_words():
    cohort, rows, truth = world(events=1)
    with pytest.raises(BadCohort, match=r"too few events for that many folds: 1 of 36 patients.*fold-\d"):
        nested(cohort, rows, truth, LEARNERS, PLAN)


def test_too_few_events_for_the_inner_folds_are_said_in_words():
    cohort, rows, truth = world(events=2)
    with pytest.raises(BadCohort, match="inner folds: 1 of its 24 training patients have the event"):
        nested(cohort, rows, truth, LEARNERS, PLAN)


def test_more_folds_than_patients_are_refused():
    cohort, rows, truth = world()
    with pytest.raises(BadCohort, match="cannot be cut into 50 folds"):
        nested(cohort, rows, truth, LEARNERS, NestedPlan(folds=50))


def test_a_missing_outcome_names_its_patient():
    cohort, rows, truth = world()
    truth.iloc[7] = np.nan
    with pytest.raises(BadCohort, match="neither 0 nor 1, the first of patient P007"):
        nested(cohort, rows, truth, LEARNERS, PLAN)


def test_rows_and_outcomes_must_share_their_index():
    cohort, rows, truth = world()
    with pytest.raises(BadCohort, match="do not share one"):
        nested(cohort, rows, truth.iloc[::-1], LEARNERS, PLAN)


def test_a_patient_unknown_to_the_cohort_is_named():
    cohort, rows, truth = world()
    with pytest.raises(BadCohort, match="the first P000"):
        nested(cohort.only(cohort.patients[1:]), rows, truth, LEARNERS, PLAN)


def test_patients_without_rows_are_left_out_of_the_folds():
    cohort, rows, truth = world()
    found = nested(cohort, rows.iloc[6:], truth.iloc[6:], LEARNERS[:1], PLAN)
    assert {p for split in found.splits[0] for p in split.test} == set(cohort.patients[6:])


def test_two_candidates_of_one_name_are_refused():
    with pytest.raises(BadSetting, match="different names"):
        nested(*world(), (LEARNERS[0], LEARNERS[0]), PLAN)


def test_fewer_than_two_folds_are_refused():
    with pytest.raises(BadSetting, match="'folds' is 1"):
        NestedPlan(folds=1)


def test_shuffled_outcomes_keep_the_number_of_events_and_each_patients_rows_together():
    _, _, truth = world(rows=3)
    for shuffled in shuffles(truth, 4, seed=1):
        assert shuffled.sum() == truth.sum()
        assert shuffled.groupby(level=0).min().equals(shuffled.groupby(level=0).max())
        assert not shuffled.equals(truth)


def test_outcomes_that_differ_within_a_patient_keep_their_runs():
    index = pd.MultiIndex.from_product([list("ABCD"), range(3)])
    truth = pd.Series([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0], index=index)
    runs = {tuple(run) for _, run in permuted(truth, np.random.default_rng(1)).groupby(level=0)}
    assert runs == {(1.0, 1.0, 0.0), (0.0, 0.0, 0.0)}


def test_many_truths_at_once_equal_one_at_a_time():
    cohort, rows, truth = world()
    nulls = shuffles(truth, 2, seed=1)
    together = nested_each(cohort, rows, nulls, LEARNERS[:1], PLAN, map=backwards)
    for found, null in zip(together, nulls, strict=True):
        assert (found.risks == nested(cohort, rows, null, LEARNERS[:1], PLAN).risks).all()
