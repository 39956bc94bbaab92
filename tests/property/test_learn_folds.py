"""Folds and leakage: truths that hold whatever the cohort."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.core.cohort import Cohort
from onclair.learn.choose import within_folds
from onclair.learn.conformal import leave_one_out
from onclair.learn.estimators import Logistic
from onclair.learn.folds import inside, repeated, rows_of, strata, stream
from onclair.learn.nested import NestedPlan, nested, permuted
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import EVERYTHING, Selection, select
from onclair.science.statistics.ranks import auc


def cohort_of(counts, events, seed):
    """Return a cohort of len(counts) patients with so many rows each and `events` of them with the event."""
    names = [f"P{i:03d}" for i in range(len(counts))]
    centres = [f"C{i % 2}" for i in range(len(names))]
    acquisitions = pd.DataFrame({"patient": names, "centre": centres, "visit": "1", "kind": "k", "path": names})
    outcome = np.random.default_rng(seed).permutation(np.arange(len(names)) < events).astype(float)
    index = pd.MultiIndex.from_tuples([(name, item) for name, count in zip(names, counts, strict=True) for item in range(count)])
    return Cohort(acquisitions, pd.DataFrame({"patient": names})), pd.Series(np.repeat(outcome, counts), index=index)


cohorts = st.builds(
    lambda counts, share, seed: cohort_of(counts, max(6, int(share * len(counts))), seed),
    st.lists(st.integers(1, 4), min_size=24, max_size=40),
    st.floats(0.25, 0.6),
    st.integers(0, 10**6),
)


@settings(max_examples=25, deadline=None)
@given(cohorts, st.integers(2, 5), st.integers(0, 1000))
def test_outer_and_inner_folds_never_share_a_patient(world, folds, seed):
    cohort, truth = world
    for splits in repeated(cohort, truth, folds, 2, seed):
        assert sorted(p for split in splits for p in split.test) == list(cohort.patients)
        for split in splits:
            assert not set(split.train) & set(split.test)
            assert not (rows_of(truth.index, split.train) & rows_of(truth.index, split.test)).any()
            for cut in inside(cohort, split, truth, 2, stream(seed, 1)):
                assert not set(cut.train) & set(cut.test)
                assert set(cut.train) | set(cut.test) == set(split.train)


@settings(max_examples=25, deadline=None)
@given(cohorts, st.integers(2, 5), st.integers(0, 1000))
def test_events_are_spread_evenly_over_the_folds(world, folds, seed):
    cohort, truth = world
    events = strata(truth)
    for split in repeated(cohort, truth, folds, 1, seed)[0]:
        assert abs(events[list(split.test)].sum() - events.sum() / folds) <= 1


@settings(max_examples=25, deadline=None)
@given(cohorts, st.integers(0, 1000))
def test_a_permutation_keeps_the_events_and_the_patients_whole(world, seed):
    _, truth = world
    shuffled = permuted(truth, np.random.default_rng(seed))
    assert strata(shuffled).sum() == strata(truth).sum()
    assert shuffled.groupby(level=0).min().equals(shuffled.groupby(level=0).max())


def noise(seed, n=60, p=300):
    names = [f"P{i:03d}" for i in range(n)]
    acquisitions = pd.DataFrame({"patient": names, "centre": "A", "visit": "1", "kind": "k", "path": names})
    draw = np.random.default_rng(seed)
    index = pd.MultiIndex.from_arrays([names, [0] * n])
    truth = pd.Series(draw.permutation(np.arange(n) < n // 2).astype(float), index=index)
    rows = pd.DataFrame(draw.normal(size=(n, p)), index=index, columns=[f"f{j:03d}" for j in range(p)])
    return Cohort(acquisitions, pd.DataFrame({"patient": names})), rows, truth


def area(world, learner):
    cohort, rows, truth = world
    found = nested(cohort, rows, truth, (learner,), NestedPlan(folds=5, inner_folds=3, repeats=1))
    judged = [found.fold_of[0] == k for k in range(5)]
    return within_folds(truth.to_numpy(), found.scores.T, judged)[0], float(auc(truth.to_numpy(), found.risk.to_numpy()))


def test_noise_is_worth_nothing_when_selected_inside_the_folds():
    inside_folds = np.array([area(noise(seed), Pipeline("honest", Logistic(), Selection(k=5))) for seed in range(8)])
    assert 0.4 < inside_folds[:, 0].mean() < 0.6
    assert 0.4 < inside_folds[:, 1].mean() < 0.6


def test_noise_looks_like_a_model_when_selected_outside_the_folds():
    found = []
    for seed in range(4):
        cohort, rows, truth = noise(seed)
        best = select(rows.to_numpy(), truth.to_numpy(), list(rows.columns), Selection(k=8))
        found.append(area((cohort, rows.iloc[:, best], truth), Pipeline("cheating", Logistic(), EVERYTHING))[1])
    assert np.mean(found) >= 0.75


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_a_patients_own_row_has_no_say_in_the_model_that_judges_it(seed):
    cohort, rows, truth = noise(seed, n=24, p=4)
    learners, plan = (Pipeline("p", Logistic(), EVERYTHING),), NestedPlan(folds=3, inner_folds=2, repeats=1)
    before = nested(cohort, rows, truth, learners, plan)
    judged_first = np.flatnonzero(before.fold_of[0] == 0)
    changed = rows.copy()
    changed.iloc[judged_first[0]] = 50.0
    after = nested(cohort, changed, truth, learners, plan)
    assert (after.risks[0, judged_first[1:]] == before.risks[0, judged_first[1:]]).all()


def test_prediction_sets_cover_as_promised_on_average():
    kept = []
    for seed in range(30):
        draw = np.random.default_rng(seed)
        risk = draw.random(60)
        truth = (draw.random(60) < risk).astype(float)
        kept.append(leave_one_out(risk, truth, np.arange(60), 0.1).coverage)
    assert 0.88 <= np.mean(kept) <= 0.94
