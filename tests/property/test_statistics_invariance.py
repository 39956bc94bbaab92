"""What must not change a rank statistic, a smooth or a hazard ratio."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.loess import loess
from onclair.science.statistics.ranks import auc, placements

labelled = st.lists(st.tuples(st.integers(0, 1), st.integers(-6, 6)), min_size=2, max_size=40).filter(
    lambda rows: len({t for t, _ in rows}) == 2
)


@given(labelled)
def test_auc_depends_on_the_order_alone(rows):
    truth, scores = np.array(rows, dtype=float).T
    assert auc(truth, np.exp(scores)) == pytest.approx(float(auc(truth, scores)), abs=1e-12)


@given(labelled)
def test_turning_the_scores_round_mirrors_the_auc(rows):
    truth, scores = np.array(rows, dtype=float).T
    assert auc(truth, scores) + auc(truth, -scores) == pytest.approx(1.0, abs=1e-12)


@given(labelled)
def test_both_placements_average_to_the_auc(rows):
    truth, scores = np.array(rows, dtype=float).T
    above, below = placements(truth, scores)
    assert above.mean() == pytest.approx(below.mean(), abs=1e-12)


@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-5, 5))
@settings(max_examples=25, deadline=None)
def test_a_smooth_follows_a_change_of_units(seed, scale, shift):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(size=40), rng.normal(size=40)
    np.testing.assert_allclose(loess(scale * x + shift, y).at(scale * x + shift), loess(x, y).at(x), atol=1e-6)


@given(st.integers(0, 10_000), st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_a_hazard_ratio_does_not_know_the_unit_of_time(seed, unit):
    rng = np.random.default_rng(seed)
    x, time, event = rng.normal(size=(40, 1)), rng.integers(1, 9, 40).astype(float), rng.integers(0, 2, 40)
    here, there = cox(x, FollowUp(time, event)), cox(x, FollowUp(time * unit, event))
    np.testing.assert_allclose(here.coefficients, there.coefficients, atol=1e-9)
