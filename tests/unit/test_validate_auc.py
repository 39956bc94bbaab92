"""The AUC with its interval, the paired difference and operating points."""

import numpy as np
import pytest
from scipy import stats

from onclair.core.errors import BadInput
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.operating_points import operating_points


def cohort(seed=0, n=120):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    return truth, np.round(truth * 0.8 + rng.normal(size=n), 1), np.round(truth * 0.3 + rng.normal(size=n), 1)


def components(truth, scores):
    """DeLong's V10 and V01 by comparing every pair."""
    won = (np.sign(scores[truth == 1][:, None] - scores[truth == 0][None, :]) + 1) / 2
    return won.mean(axis=1), won.mean(axis=0)


def test_the_error_is_delongs_by_all_pairs():
    truth, scores, _ = cohort()
    v10, v01 = components(truth, scores)
    expected = np.var(v10, ddof=1) / v10.size + np.var(v01, ddof=1) / v01.size
    assert auc("auc:model", truth, scores).se == pytest.approx(np.sqrt(expected), abs=1e-12)


def test_the_error_of_the_difference_is_delongs_by_all_pairs():
    truth, a, b = cohort(1)
    (a10, a01), (b10, b01) = components(truth, a), components(truth, b)
    expected = np.var(a10 - b10, ddof=1) / a10.size + np.var(a01 - b01, ddof=1) / a01.size
    found = auc_difference("auc:a-minus-b", truth, a, b)
    assert found.se == pytest.approx(np.sqrt(expected), abs=1e-12)
    assert found.value == pytest.approx(a10.mean() - b10.mean(), abs=1e-12)


def test_the_clustered_variance_is_obuchowskis_written_out():
    truth, scores, _ = cohort(2, 60)
    patients = np.arange(60) // 5
    (v10, v01), area = components(truth, scores), auc("auc:model", truth, scores).value
    m, k = v10.size, v01.size
    positives = np.array([(v10 - area)[patients[truth == 1] == g].sum() for g in range(12)])
    negatives = np.array([(v01 - area)[patients[truth == 0] == g].sum() for g in range(12)])
    g1, g0 = len(set(patients[truth == 1])), len(set(patients[truth == 0]))
    s10 = m / ((g1 - 1) * m) * g1 * (positives @ positives) / m
    s01 = k / ((g0 - 1) * k) * g0 * (negatives @ negatives) / k
    s11 = 12 / 11 * (positives @ negatives)
    expected = s10 / m + s01 / k + 2 * s11 / (m * k)
    assert auc("auc:model", truth, scores, patients=patients).se == pytest.approx(np.sqrt(expected), abs=1e-12)


def test_patients_with_one_row_each_change_nothing():
    truth, scores, _ = cohort(3)
    names = [f"P{i:03d}" for i in range(truth.size)]
    assert auc("auc:model", truth, scores, patients=names) == auc("auc:model", truth, scores)


def test_rows_repeated_whole_leave_the_clustered_error_as_it_was():
    truth, scores, _ = cohort(4)
    once = auc("auc:model", truth, scores)
    repeated = auc("auc:model", np.repeat(truth, 7), np.repeat(scores, 7), patients=np.repeat(np.arange(truth.size), 7))
    assert repeated.se == pytest.approx(once.se, abs=1e-12)
    assert (repeated.n, repeated.events) == (once.n, once.events)


def test_repeats_are_averaged_and_their_identical_lines_change_nothing():
    truth, scores, _ = cohort(5)
    one, three = auc("auc:model", truth, scores), auc("auc:model", truth, [scores] * 3)
    assert (three.value, three.se) == pytest.approx((one.value, one.se))
    assert "mean over 3 repeats" in three.method


def test_the_mean_over_repeats_has_the_error_of_the_mean():
    truth, a, b = cohort(6)
    both = auc("auc:model", truth, [a, b])
    (a10, a01), (b10, b01) = components(truth, a), components(truth, b)
    expected = np.var((a10 + b10) / 2, ddof=1) / a10.size + np.var((a01 + b01) / 2, ddof=1) / a01.size
    assert both.value == pytest.approx((a10.mean() + b10.mean()) / 2)
    assert both.se == pytest.approx(np.sqrt(expected))


def test_one_class_is_an_answer_and_not_an_error():
    found = auc("auc:model", [1, 1, 1], [0.1, 0.2, 0.3])
    assert found.status == "not_available"
    assert found.reason == "only one class is present: 3 of 3 rows are positive"


def test_a_constant_score_is_one_half_without_error_and_says_so():
    found = auc("auc:rival:prevalence", [0, 1, 0, 1], [0.5] * 4)
    assert (found.value, found.low, found.high, found.se) == (0.5, 0.5, 0.5, 0.0)
    assert "constant score" in found.method


def test_an_interval_that_would_leave_the_unit_range_is_formed_on_the_logit_scale():
    truth, scores = [0, 0, 0, 0, 1, 1, 1, 1], [1, 2, 3, 5, 4, 6, 7, 8]
    found = auc("auc:model", truth, scores)
    assert found.scale == "logit"
    assert "logit scale" in found.method
    assert 0 < found.low < found.value < found.high < 1


def test_wholly_separated_classes_are_not_certain():
    found = auc("auc:model", [0] * 10 + [1] * 10, np.arange(20.0))
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 0.95
    assert "Newcombe" in found.method


def test_reversed_scores_mirror_the_separated_interval():
    up = auc("auc:model", [0] * 6 + [1] * 9, np.arange(15.0))
    down = auc("auc:model", [0] * 6 + [1] * 9, -np.arange(15.0))
    assert (down.low, down.high) == pytest.approx((0.0, 1 - up.low))


def test_one_positive_patient_gives_a_figure_without_an_interval():
    found = auc("auc:model", [0, 0, 0, 1], [1, 2, 4, 3])
    assert found.value == pytest.approx(2 / 3)
    assert found.low is None
    assert "too few patients" in found.reason


def test_the_same_ranking_twice_differs_by_nothing():
    truth, scores, _ = cohort(7)
    found = auc_difference("auc:a-minus-b", truth, scores, 10 * scores)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    assert "rank these rows alike" in found.method


def test_two_perfect_rankings_have_no_interval_for_their_difference():
    found = auc_difference("auc:a-minus-b", [0, 0, 1, 1], [1, 2, 3, 4], [2, 1, 4, 3])
    assert found.value == 0.0
    assert found.low is None
    assert "wholly separated" in found.reason


def test_missing_scores_are_listed_by_row():
    with pytest.raises(BadInput, match=r"2 of 4 rows have no finite score \(rows 1, 3\)"):
        auc("auc:model", [0, 1, 0, 1], [0.1, np.nan, 0.3, np.inf])


def test_text_in_the_truth_is_refused():
    with pytest.raises(BadInput, match="no finite truth"):
        auc("auc:model", np.array(["yes", "no"], dtype=object), [0.1, 0.2])


def test_operating_points_are_the_four_shares_with_wilsons_interval():
    truth = [1] * 50 + [0] * 50
    risks = [0.9] * 40 + [0.1] * 10 + [0.9] * 5 + [0.1] * 45
    found = {e.name: e for e in operating_points("model", truth, risks, [0.5])}
    assert [found[f"{f}:model@0.5"].value for f in ("sens", "spec", "ppv", "npv")] == pytest.approx([0.8, 0.9, 40 / 45, 45 / 55])
    exact = stats.binomtest(40, 50).proportion_ci(method="wilson")
    assert (found["sens:model@0.5"].low, found["sens:model@0.5"].high) == pytest.approx((exact.low, exact.high))


def test_operating_points_of_repeated_rows_keep_the_width_of_the_patients():
    truth, risks = [1] * 25 + [0] * 25, [0.9] * 20 + [0.1] * 5 + [0.9] * 5 + [0.1] * 20
    once = operating_points("model", truth, risks, [0.5])[0]
    repeated = operating_points("model", np.repeat(truth, 8), np.repeat(risks, 8), [0.5], patients=np.repeat(np.arange(50), 8))[0]
    assert repeated.high - repeated.low == pytest.approx(once.high - once.low, rel=0.04)  # t on 49 degrees, not normal
    assert repeated.high - repeated.low > once.high - once.low


def test_a_predictive_value_that_no_row_has_is_an_answer():
    found = {e.name: e for e in operating_points("model", [0, 1], [0.2, 0.3], [0.9])}
    assert found["ppv:model@0.9"].status == "not_available"
