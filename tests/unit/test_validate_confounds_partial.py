"""A nuisance alone, the score given it, and the p-value of shuffled labels."""

import functools

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.statistics.ranks import auc as area
from onclair.validate.confounds import auc_given, nuisance_alone, permutation_test, shuffled_aucs


def cohort(n=4000, seed=1):
    """Outcome by volume and by biology, both standard normal."""
    rng = np.random.default_rng(seed)
    volume, biology = rng.normal(size=(2, n))
    return volume, biology, (rng.random(n) < 1 / (1 + np.exp(-1.5 * volume - biology))).astype(int)


def test_a_score_that_only_reads_volume_adds_nothing_to_it():
    volume, _, truth = cohort()
    alone, apart = nuisance_alone("model", "volume", truth, np.exp(volume), volume)
    assert alone.name == "auc:rival:volume"
    assert alone.low > 0.7
    assert (apart.name, apart.value, apart.se) == ("auc:model-minus-volume", 0.0, 0.0)


def test_a_nuisance_of_the_wrong_sign_is_turned_round():
    volume, _, truth = cohort(400)
    up, _ = nuisance_alone("model", "volume", truth, volume, volume)
    down, _ = nuisance_alone("model", "volume", truth, volume, -volume)
    assert down.value == pytest.approx(up.value)


def test_within_strata_of_volume_a_volume_score_falls_to_chance_and_biology_does_not():
    volume, biology, truth = cohort()
    assert auc_given("auc:model:given-volume", truth, volume, volume).value < 0.62 < float(area(truth, volume)) - 0.1
    assert auc_given("auc:model:given-volume", truth, biology, volume).low > 0.65


def test_with_few_values_the_nuisance_is_its_own_strata():
    rng = np.random.default_rng(2)
    centre = rng.integers(0, 4, 2000)
    truth = rng.random(2000) < 0.2 + 0.2 * centre
    found = auc_given("auc:model:given-centre", truth, centre + rng.normal(size=2000) * 0.01, centre)
    assert found.low < 0.5 < found.high
    assert float(area(truth, centre)) > 0.65


def test_the_interval_of_the_adjusted_auc_agrees_with_a_bootstrap():
    volume, biology, truth = cohort(400, seed=3)
    found = auc_given("auc:model:given-volume", truth, biology, volume)
    rng = np.random.default_rng(4)
    draws = [auc_given("auc:b", truth[i], biology[i], volume[i]).value for i in rng.integers(0, 400, (200, 400))]
    assert found.se * found.value * (1 - found.value) == pytest.approx(np.std(draws), rel=0.25)


def test_repeated_rows_of_a_patient_do_not_narrow_the_interval():
    volume, biology, truth = cohort(300, seed=5)
    once = auc_given("auc:m", truth, biology, volume)
    often = auc_given("auc:m", np.repeat(truth, 5), np.repeat(biology, 5), np.repeat(volume, 5), patients=np.repeat(np.arange(300), 5))
    assert often.se == pytest.approx(once.se, rel=0.02)


def test_positives_without_a_negative_like_them_are_left_out_and_counted():
    found = auc_given("auc:m", [1, 1, 0, 1, 0, 0], [3, 4, 1, 2, 1, 3], [9, 9, 1, 1, 1, 1])
    assert "2 positives without a negative left out" in found.method
    assert found.value == pytest.approx(2 / 3)


def test_where_no_stratum_holds_both_classes_there_is_no_figure():
    found = auc_given("auc:m", [0, 0, 1, 1], [1, 2, 3, 4], [0, 0, 1, 1])
    assert found.status == "not_available"


def test_a_missing_nuisance_is_refused():
    with pytest.raises(BadInput):
        auc_given("auc:m", [0, 1], [1.0, 2.0], [np.nan, 1.0])


def test_shuffled_labels_give_the_p_value_of_a_score():
    _, biology, truth = cohort(200, seed=6)
    null = shuffled_aucs(truth, functools.partial(_judged, biology), 99, seed=1)
    assert permutation_test("p_permutation:model", float(area(truth, biology)), null).value == 0.01
    assert permutation_test("p_permutation:model", 0.5, null).value > 0.2


def test_without_a_shuffle_there_is_no_p_value():
    assert permutation_test("p_permutation:model", 0.7, [np.nan]).status == "not_available"


def _judged(score, labels):
    return float(area(labels, score))
