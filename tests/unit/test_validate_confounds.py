"""Nuisances, shuffled labels, destroyed signal."""

import functools
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.statistics.ranks import auc as area
from onclair.validate.confounds import negative_control, nuisance_correlation, null_auc, shuffled_aucs, too_few_events


def judged_by(score, labels):
    return float(area(labels, score))


def pairs(labels):
    """1 when every patient's two rows agree."""
    return float((labels[::2] == labels[1::2]).all())


def test_a_score_that_is_the_volume_correlates_wholly_with_it():
    volume = np.random.default_rng(0).lognormal(size=40)
    found = nuisance_correlation("spearman:model:volume", np.log(volume), volume)
    assert found.value == pytest.approx(1.0)
    assert found.name == "spearman:model:volume"


def test_a_constant_score_has_no_correlation_and_says_why():
    found = nuisance_correlation("spearman:model:volume", [0.5] * 5, np.arange(5))
    assert found.status == "not_available"
    assert "does not vary" in found.reason


def test_given_the_volume_a_noisy_volume_keeps_nothing():
    rng = np.random.default_rng(1)
    volume = rng.normal(size=300)
    score, size = volume + rng.normal(size=300), volume + rng.normal(size=300)
    assert nuisance_correlation("spearman:model:size", score, size).low > 0.2
    found = nuisance_correlation("spearman:model:size", score, size, given=volume)
    assert found.low < 0 < found.high


def test_shuffled_labels_are_the_same_on_two_processes():
    fit = functools.partial(judged_by, np.arange(12.0))
    truth = [0, 1] * 6
    with ProcessPoolExecutor(2) as pool:
        shared = shuffled_aucs(truth, fit, 9, seed=3, map=pool.map)
    np.testing.assert_array_equal(shuffled_aucs(truth, fit, 9, seed=3), shared)


def test_labels_of_patients_move_with_all_their_rows():
    assert shuffled_aucs([0, 0, 1, 1, 0, 0, 1, 1], pairs, 10, seed=1, patients=[1, 1, 2, 2, 3, 3, 4, 4]).all()
    assert not shuffled_aucs([0, 0, 1, 1, 0, 0, 1, 1], pairs, 10, seed=1).all()


def test_the_null_of_a_fixed_score_is_centred_on_one_half():
    fit = functools.partial(judged_by, np.random.default_rng(2).normal(size=60))
    found = null_auc("auc:model:shuffled-labels", shuffled_aucs([0, 1] * 30, fit, 200, seed=5))
    assert found.value == pytest.approx(0.5, abs=0.02)
    assert found.low < 0.5 < found.high


def test_few_shuffles_are_said_to_be_few():
    assert null_auc("auc:model:shuffled-labels", [0.4, 0.5, 0.6]).status == "too_few"


def test_shuffles_that_failed_are_counted():
    assert "1 could not be fitted" in null_auc("auc:model:shuffled-labels", [0.5] * 20 + [np.nan]).method


def test_a_negative_control_stands_beside_the_model():
    alone, apart = negative_control("model", [0, 1, 0, 1, 0, 1], [1, 4, 2, 5, 3, 6], [1, 2, 4, 3, 5, 6])
    assert (alone.name, apart.name) == ("auc:model:shuffled-voxels", "auc:model-minus-shuffled-voxels")
    assert apart.value == pytest.approx(1.0 - alone.value)


def test_few_events_are_warned_of():
    assert "19 events and 32 non-events" in too_few_events(19, 32)
    assert too_few_events(250, 99) is not None
    assert too_few_events(100, 100) is None


def test_patients_missing_from_a_shuffle_are_refused():
    with pytest.raises(BadInput, match="2 patients were named for 3 rows"):
        shuffled_aucs([0, 1, 1], pairs, 2, seed=0, patients=[1, 2])
