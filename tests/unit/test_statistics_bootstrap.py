"""The bootstrap engine."""

import functools
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from onclair.core.errors import BadSetting
from onclair.science.statistics.bootstrap import Replicates, bootstrap


def weighted_mean(values, weights):
    return [np.average(values, weights=weights)]


def as_they_are(weights):
    return weights


def test_two_processes_draw_what_one_draws():
    statistic = functools.partial(weighted_mean, np.arange(30.0))
    alone = bootstrap(statistic, np.arange(30), 130, seed=7)
    with ProcessPoolExecutor(2) as pool:
        shared = bootstrap(statistic, np.arange(30), 130, seed=7, map=pool.map)
    np.testing.assert_array_equal(alone.values, shared.values)


def test_more_replicates_begin_with_the_same_ones():
    few, many = (bootstrap(as_they_are, np.arange(5), b, seed=3).values for b in (20, 120))
    np.testing.assert_array_equal(many[:20], few)


def test_a_replicate_draws_from_its_own_spawned_seed():
    child = np.random.SeedSequence(11).spawn(3)[2]
    expected = np.bincount(np.random.default_rng(child).integers(0, 6, size=6), minlength=6)
    np.testing.assert_array_equal(bootstrap(as_they_are, np.arange(6), 3, seed=11).values[2], expected)


def test_a_seed_sequence_is_not_used_up():
    root = np.random.SeedSequence(5)
    first, second = (bootstrap(as_they_are, np.arange(4), 10, seed=root).values for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_rows_of_one_cluster_are_drawn_together():
    drawn = bootstrap(as_they_are, ["a", "b", "a", "c", "b"], 40, seed=1).values
    np.testing.assert_array_equal(drawn[:, [0, 1]], drawn[:, [2, 4]])
    assert (drawn[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_the_standard_error_of_a_mean_is_found():
    values = np.random.default_rng(2).normal(size=400)
    se = bootstrap(functools.partial(weighted_mean, values), np.arange(400), 1000, seed=2).standard_error()[0]
    assert se == pytest.approx(values.std() / 20, rel=0.1)


def test_replicates_that_failed_are_counted_and_left_out():
    drawn = Replicates(np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]]))
    assert drawn.failed.tolist() == [1, 3]
    assert [end[0] for end in drawn.interval(0.5)] == [1.5, 2.5]
    assert np.isnan(drawn.interval()[0][1])


def test_no_replicates_are_refused():
    with pytest.raises(BadSetting, match="0 replicates"):
        bootstrap(as_they_are, [1, 2], 0, seed=0)
