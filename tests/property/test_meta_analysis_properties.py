"""What random-effects pooling must do whatever the centres say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from onclair.science.statistics.meta_analysis import pooled, restricted_log_likelihood
from onclair.validate.subgroups import adjusted

CENTRES = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.02, 2)), min_size=2, max_size=12)
NAMES = ("value", "se", "low", "high", "tau2")


def columns(centres):
    table = np.array(centres)
    return table[:, 0], table[:, 1]


@settings(max_examples=30)
@given(CENTRES)
def test_no_variance_between_centres_is_likelier_than_the_one_found(centres):
    values, errors = columns(centres)
    best = restricted_log_likelihood(pooled(values, errors).tau2, values, errors)
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 50, 120)])
    assert all(restricted_log_likelihood(t, values, errors) <= best + 1e-9 for t in grid)


@settings(max_examples=25)
@given(CENTRES, st.floats(-5, 5), st.floats(0.1, 10))
def test_moving_and_stretching_the_figures_moves_and_stretches_the_pool(centres, shift, factor):
    values, errors = columns(centres)
    if np.ptp(values) < 1e-3:
        values = values + np.arange(values.size)
    one, other = pooled(values, errors), pooled(shift + factor * values, factor * errors)
    assert other.value == pytest.approx(shift + factor * one.value, abs=1e-6)
    assert other.se == pytest.approx(factor * one.se, rel=1e-5)
    assert other.tau2 == pytest.approx(factor**2 * one.tau2, rel=1e-5, abs=1e-7)
    assert other.i2 == pytest.approx(one.i2, rel=1e-5, abs=1e-5)


@settings(max_examples=25)
@given(CENTRES, st.randoms(use_true_random=False))
def test_the_order_of_the_centres_does_not_matter(centres, random):
    shuffled = list(centres)
    random.shuffle(shuffled)
    one, other = pooled(*columns(centres)), pooled(*columns(shuffled))
    for name in NAMES:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-6, abs=1e-9)


@settings(max_examples=25)
@given(CENTRES)
def test_the_mean_lies_among_the_figures_and_the_prediction_is_wider_than_the_mean(centres):
    values, errors = columns(centres)
    found = pooled(values, errors)
    assert values.min() - 1e-9 <= found.value <= values.max() + 1e-9
    assert found.low <= found.value <= found.high
    assert 0 <= found.tau2_low <= found.tau2_high
    if values.size >= 3:
        assert found.new_low <= found.low
        assert found.high <= found.new_high


@settings(max_examples=25)
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=12), st.floats(0.05, 1))
def test_with_equal_errors_tau2_is_the_spare_variance(values, error):
    found = pooled(values, np.full(len(values), error))
    assert found.tau2 == pytest.approx(max(np.var(values, ddof=1) - error**2, 0), abs=1e-9)
    assert found.value == pytest.approx(np.mean(values), abs=1e-9)


def test_of_two_summits_of_the_likelihood_the_higher_is_taken():
    """With errors over several orders of magnitude the slope of the likelihood may change sign more than once."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        k = int(rng.integers(3, 6))
        values, errors = rng.normal(0, 1, k), np.exp(rng.normal(-1, 2, k))
        found = restricted_log_likelihood(pooled(values, errors).tau2, values, errors)
        for start in np.geomspace(1e-6, 20, 12):
            other = optimize.minimize_scalar(
                lambda t, v=values, e=errors: -restricted_log_likelihood(t, v, e), bounds=(start / 8, start * 8), method="bounded"
            )
            assert found >= -other.fun - 1e-8


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_adjusted_p_values_keep_their_order_and_are_never_smaller(p):
    p = np.array(p)
    holm, bh = adjusted(p, "holm"), adjusted(p, "bh")
    assert (p <= bh + 1e-12).all()
    assert (bh <= holm + 1e-12).all()
    assert (holm <= np.minimum(1, p * p.size) + 1e-12).all()
    assert (np.diff(holm[np.argsort(p)]) >= 0).all()
    assert (np.diff(bh[np.argsort(p)]) >= 0).all()


def test_the_prediction_interval_holds_a_new_centre_about_as_often_as_it_says():
    rng, held = np.random.default_rng(4), 0
    for _ in range(200):
        truth, errors = rng.normal(1.1, 0.4, 26), np.exp(rng.normal(np.log(0.25), 0.5, 25))
        found = pooled(rng.normal(truth[:25], errors), errors)
        held += found.new_low <= truth[25] <= found.new_high
    assert 180 <= held <= 196
