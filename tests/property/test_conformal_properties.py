"""Analytic truths of conformal sets: what they promise, and what must not matter."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.learn.conformal import (
    SetRule,
    coverage_law,
    prediction_sets,
    quantile_intervals,
    risk_coverage,
    threshold,
)
from onclair.learn.conformal.threshold import needed

SMALL = settings(max_examples=40, deadline=None)
misfits = st.lists(st.floats(0, 1), min_size=1, max_size=40)
alphas = st.floats(0.02, 0.6)


@SMALL
@given(misfits, alphas)
def test_the_threshold_is_the_textbook_quantile(values, alpha):
    n = len(values)
    rank = int(np.ceil((n + 1) * (1 - alpha) - 1e-9))
    expected = np.sort(values)[rank - 1] if rank <= n else None
    assert threshold(values, np.arange(n), alpha).value == expected
    assert (expected is None) == (n < needed(alpha))


@SMALL
@given(misfits, alphas, st.integers(2, 5))
def test_copies_of_a_patients_rows_change_nothing(values, alpha, copies):
    who = np.arange(len(values))
    assert threshold(np.repeat(values, copies), np.repeat(who, copies), alpha) == threshold(values, who, alpha)


@SMALL
@given(misfits, alphas, st.randoms())
def test_the_order_of_rows_changes_nothing(values, alpha, random):
    order = list(range(len(values)))
    random.shuffle(order)
    who = np.arange(len(values)) // 2
    turned = threshold(np.array(values)[order], who[order], alpha)
    assert turned == threshold(values, who, alpha)


@SMALL
@given(misfits, st.floats(0.05, 0.3), st.floats(0.31, 0.6))
def test_a_stricter_promise_never_shrinks_a_set(values, strict, loose):
    limits = [threshold(values, np.arange(len(values)), a).value for a in (strict, loose)]
    assert limits[0] is None or (limits[1] is not None and limits[1] <= limits[0])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["lac", "aps", "aps-randomised"]), st.sampled_from(["everyone", "class", "group"]))
def test_at_least_as_many_calibration_rows_are_covered_as_the_rank_says(seed, misfit, by):
    draw = np.random.default_rng(seed)
    risks = draw.dirichlet([0.7] * 3, size=90)
    truth = np.array([draw.choice(3, p=p) for p in risks])
    groups = np.arange(90) % 3
    rule = SetRule(0.2, misfit, by)
    found = prediction_sets(risks, truth, np.arange(90), rule, groups=groups, rng=np.random.default_rng(seed))
    sets = found.sets(risks, groups=groups, rng=np.random.default_rng(seed))
    cells = {"everyone": np.zeros(90), "class": truth, "group": groups}[by]
    for cell in np.unique(cells):
        mine = cells == cell
        assert sets[np.flatnonzero(mine), truth[mine]].mean() >= 0.8


def test_over_many_cohorts_coverage_is_what_was_promised_also_in_the_worst_group():
    draw = np.random.default_rng(11)
    everyone, groups = [], []
    for _ in range(250):
        score = draw.random((300, 2))
        where = draw.integers(0, 3, size=(300, 2))
        risk = np.clip(1 - score * (1 + where) / 3, 0, 1)  # the misfit of class 1 is 1 - risk: wider in some centres
        ones = np.ones(300, dtype=int)
        for by, kept in (("everyone", everyone), ("group", groups)):
            found = prediction_sets(risk[:, 0], ones, np.arange(300), SetRule(0.1, by=by), groups=where[:, 0])
            held = found.sets(risk[:, 1], groups=where[:, 1])[:, 1]
            kept.append([held.mean()] if by == "everyone" else [held[where[:, 1] == g].mean() for g in range(3)])
    assert abs(np.mean(everyone) - coverage_law(300, 0.1).mean) < 0.005
    assert min(np.mean(groups, axis=0)) >= 0.895


def test_over_many_cohorts_a_random_row_of_a_new_patient_is_covered_as_promised():
    draw = np.random.default_rng(12)
    held = []
    for _ in range(400):
        sizes = draw.integers(1, 20, size=61)
        who = np.repeat(np.arange(61), sizes)
        misfit = draw.normal(size=61)[who] + 0.5 * draw.normal(size=who.size)
        limit = threshold(misfit[who < 60], who[who < 60], 0.1).value
        held.append((misfit[who == 60] <= limit).mean())
    assert 0.87 < np.mean(held) < 0.94


@SMALL
@given(st.lists(st.floats(-5, 5), min_size=20, max_size=40), st.integers(0, 1000))
def test_moving_all_values_moves_the_intervals(values, seed):
    draw = np.random.default_rng(seed)
    truth, who = np.array(values), np.arange(len(values))
    low, high = truth - draw.random(truth.size), truth + draw.random(truth.size) - 0.5
    here, there = (quantile_intervals(low + by, high + by, truth + by, who, 0.2).margin for by in (0.0, 64.0))
    assert abs(here - there) < 1e-9


@SMALL
@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3)), min_size=1, max_size=30))
def test_no_order_has_a_smaller_area_than_the_best(rows):
    sure, lost = np.array(rows, dtype=float).T
    curve = risk_coverage(sure, lost)
    assert curve.excess >= 0
    assert abs(risk_coverage(-lost, lost).excess) < 1e-12
    assert abs(curve.risk[-1] - lost.mean()) < 1e-9
