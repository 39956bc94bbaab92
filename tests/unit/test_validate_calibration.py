"""Calibration, Brier score and net benefit."""

import json

import numpy as np
import pytest
from scipy import stats

from onclair.core.errors import BadInput, BadSetting
from onclair.validate.calibration import calibration_curve, calibration_distances, citl, o_e, slope
from onclair.validate.curves import Curve, curve_from_dict
from onclair.validate.overall import brier, ipa
from onclair.validate.rows import judged_risks
from onclair.validate.utility import decision_curve, net_benefit, net_benefit_of_all_or_none


def cohort(seed=0, n=400):
    rng = np.random.default_rng(seed)
    risk = 1 / (1 + np.exp(-rng.normal(0, 1.3, n)))
    return (rng.uniform(size=n) < risk).astype(int), risk


def test_right_risks_are_found_right():
    truth, risk = cohort(1, 4000)
    assert o_e("o_e:model", truth, risk).low < 1 < o_e("o_e:model", truth, risk).high
    assert slope("slope:model", truth, risk).low < 1 < slope("slope:model", truth, risk).high
    assert citl("citl:model", truth, risk).low < 0 < citl("citl:model", truth, risk).high


def test_a_shift_of_the_linear_predictor_is_taken_back_by_citl():
    truth, risk = cohort(2)
    shifted = 1 / (1 + np.exp(-(np.log(risk / (1 - risk)) + 0.7)))
    assert citl("citl:model", truth, shifted).value == pytest.approx(citl("citl:model", truth, risk).value - 0.7, abs=1e-8)


def test_a_stretch_of_the_linear_predictor_is_taken_back_by_the_slope():
    truth, risk = cohort(3)
    stretched = 1 / (1 + np.exp(-2 * np.log(risk / (1 - risk))))
    assert slope("slope:model", truth, stretched).value == pytest.approx(slope("slope:model", truth, risk).value / 2, abs=1e-8)


@pytest.mark.parametrize("figure", [o_e, citl, slope, brier, ipa])
def test_rows_repeated_whole_keep_the_error_of_the_patients(figure):
    truth, risk = cohort(4)
    once = figure("f:model", truth, risk)
    repeated = figure("f:model", np.repeat(truth, 6), np.repeat(risk, 6), patients=np.repeat(np.arange(truth.size), 6))
    naive = figure("f:model", np.repeat(truth, 6), np.repeat(risk, 6))
    assert repeated.value == pytest.approx(once.value)
    assert repeated.se == pytest.approx(once.se, rel=0.35)
    assert naive.se == pytest.approx(once.se / np.sqrt(6), rel=0.01)
    assert repeated.n == once.n


@pytest.mark.parametrize("figure", [o_e, citl, slope, brier, ipa])
def test_identical_repeats_leave_the_figure_as_it_was(figure):
    truth, risk = cohort(5)
    assert figure("f:model", truth, [risk, risk]).value == pytest.approx(figure("f:model", truth, risk).value)


@pytest.mark.parametrize("figure", [citl, slope, ipa])
def test_one_class_is_an_answer(figure):
    assert figure("f:model", [0, 0, 0], [0.1, 0.2, 0.3]).reason == "only one class is present: 0 of 3 rows are positive"


def test_no_event_has_no_observed_over_expected():
    assert o_e("o_e:model", [0, 0], [0.1, 0.2]).reason == "there is no event"


def test_events_in_every_row_leave_observed_over_expected_without_an_interval():
    found = o_e("o_e:model", [1, 1], [0.5, 0.75])
    assert found.value == pytest.approx(1.6)
    assert found.low is None
    assert "variance cannot be estimated" in found.reason


def test_separated_classes_have_no_slope():
    found = slope("slope:model", [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert found.status == "not_available"
    assert "separates" in found.reason


def test_a_constant_risk_has_no_slope_but_has_a_citl():
    assert "same for everyone" in slope("slope:rival:prevalence", [0, 1, 0, 1], [0.5] * 4).reason
    assert citl("citl:rival:prevalence", [0, 1, 0, 1], [0.5] * 4).value == pytest.approx(0.0)


def fold_means(seed=0, folds=5, per_fold=10):
    """Return a truth and what a constant predictor learns from each fold's others: their share of events."""
    truth = (np.random.default_rng(seed).permutation(folds * per_fold) < 19).astype(int)
    fold = np.arange(truth.size) % folds
    return truth, np.array([truth[fold != f].mean() for f in fold])


def test_a_constant_learnt_fold_by_fold_has_no_slope_but_has_a_citl():
    truth, risk = fold_means()
    found = slope("slope:rival:prevalence", truth, [risk, risk[::-1]])
    assert found.status == "not_available"
    assert "different values, whose odds lie within a factor of 2" in found.reason
    assert citl("citl:rival:prevalence", truth, risk).status == "ok"
    assert {e.status for e in calibration_distances("rival:prevalence", judged_risks(truth, risk), replicates=0)} == {"not_available"}
    assert "no curve to draw" in calibration_curve("rival:prevalence", truth, risk).reason


def test_a_score_of_three_levels_far_apart_keeps_its_slope():
    truth = np.repeat([0, 1, 0, 1, 0, 1], [18, 2, 10, 10, 2, 18])
    assert slope("slope:model", truth, np.repeat([0.1, 0.5, 0.9], 20)).value == pytest.approx(1.0)


def test_risks_that_lie_close_together_but_differ_by_patient_keep_their_slope():
    truth, risk = cohort(17)
    assert slope("slope:model", truth, 0.4 + 0.02 * risk).status == "ok"


def test_risks_of_zero_and_one_are_counted_in_the_method():
    truth, risk = cohort(6)
    risk = np.append(risk[:-2], [0.0, 1.0])
    assert "2 rows with risk 0 or 1" in slope("slope:model", np.append(truth[:-2], [0, 1]), risk).method


@pytest.mark.parametrize(("risks", "hint"), [([20.0, 80.0], "percent"), ([-1.2, 0.8], "linear predictor")])
def test_a_risk_outside_zero_and_one_is_refused_with_a_hint(risks, hint):
    with pytest.raises(BadInput, match=hint):
        brier("brier:model", [0, 1], risks)


def test_the_error_of_the_brier_score_is_that_of_a_mean():
    truth, risk = cohort(7)
    squares = (truth - risk) ** 2
    assert brier("brier:model", truth, risk).se == pytest.approx(stats.sem(squares))


def test_the_prevalence_gains_nothing():
    assert ipa("ipa:rival:prevalence", [0, 1, 1, 1], [0.75] * 4).value == pytest.approx(0.0)


def test_the_error_of_the_ipa_agrees_with_the_jackknife():
    truth, risk = cohort(8, 150)
    keep = ~np.eye(150, dtype=bool)
    without = np.array([ipa("ipa:model", truth[k], risk[k]).value for k in keep])
    assert ipa("ipa:model", truth, risk).se == pytest.approx(np.sqrt(149 * np.var(without)), rel=0.03)


def test_the_band_of_right_risks_holds_the_diagonal_as_often_as_it_says():
    held = []
    for seed in range(60):
        curve = calibration_curve("model", *cohort(seed))
        x, low, high = (np.array(part) for part in (curve.x, curve.low, curve.high))
        held.append(np.mean((low <= x) & (x <= high)))
    assert 0.89 <= np.mean(held) <= 0.99


def test_the_band_of_repeated_rows_is_that_of_the_patients():
    truth, risk = cohort(10, 150)
    once = calibration_curve("model", truth, risk)
    repeated = calibration_curve("model", np.repeat(truth, 5), np.repeat(risk, 5), patients=np.repeat(np.arange(150), 5))
    widths = [np.mean(np.subtract(c.high, c.low)) for c in (once, repeated)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_a_curve_crosses_json_unchanged():
    curve = calibration_curve("model", *cohort(11, 80))
    assert curve_from_dict(json.loads(json.dumps(curve.as_dict()))) == curve


def test_an_empty_curve_without_a_reason_is_refused():
    with pytest.raises(BadInput, match="no reason"):
        Curve("roc", "model", (), ())


def test_distances_have_intervals_that_a_seed_decides():
    truth, risk = cohort(12, 150)
    rows = judged_risks(truth, risk)
    one, two = (calibration_distances("model", rows, replicates=30, seed=4) for _ in range(2))
    assert one == two
    assert all(e.low < e.high for e in one)
    assert one[0].value <= one[3].value


def steep(seed=0, n=30):
    """Return few events at the highest risks, where a smooth without bounds leaves [0, 1]."""
    risk = np.sort(np.random.default_rng(seed).beta(0.5, 4.0, n))
    return (np.arange(n) >= n - 5).astype(int), risk


@pytest.mark.parametrize("seed", [0, 1])
def test_no_distance_and_no_end_of_its_interval_is_above_one(seed):
    for e in calibration_distances("model", judged_risks(*steep(seed)), replicates=60, seed=seed):
        assert 0 <= e.low <= e.high <= 1
        assert 0 <= e.value <= 1


def test_a_curve_and_its_band_stay_within_zero_and_one():
    curve = calibration_curve("model", *steep(1))
    assert all(0 <= low <= y <= high <= 1 for low, y, high in zip(curve.low, curve.y, curve.high, strict=True))


def test_an_interval_beside_its_figure_says_so():
    truth, risk = np.tile([0, 1], 25), np.linspace(0.49, 0.51, 50)
    found = calibration_distances("model", judged_risks(truth, risk), replicates=40)[0]
    assert found.value < found.low
    assert "does not hold the figure" in found.reason


def test_an_interval_that_holds_its_figure_needs_no_word():
    assert {e.reason for e in calibration_distances("model", judged_risks(*cohort(12, 150)), replicates=30)} == {None}


def test_distances_without_a_bootstrap_say_that_they_have_no_interval():
    found = calibration_distances("model", judged_risks(*cohort(13, 100)), replicates=0)[0]
    assert found.status == "ok"
    assert found.low is None
    assert "no bootstrap" in found.reason


def test_distances_of_two_risk_groups_are_not_available():
    found = calibration_distances("model", judged_risks([0, 1] * 20, [0.2, 0.8] * 20))
    assert {e.status for e in found} == {"not_available"}


def test_net_benefit_counts_a_risk_at_the_threshold_as_treated():
    found = net_benefit("model", [1, 0], [0.2, 0.1], [0.2])[0]
    assert (found.name, found.value) == ("nb:model@0.2", 0.5)


def test_the_error_of_net_benefit_is_that_of_the_mean_contribution():
    truth, risk = cohort(14)
    contributions = (risk >= 0.25) * np.where(truth == 1, 1, -1 / 3)
    assert net_benefit("model", truth, risk, [0.25])[0].se == pytest.approx(stats.sem(contributions))


def test_treating_all_is_the_model_that_flags_everyone():
    truth, _ = cohort(15)
    everyone = net_benefit("x", truth, np.ones(truth.size), [0.3])[0]
    assert net_benefit_of_all_or_none(truth, [0.3])[0].value == everyone.value


def test_a_threshold_in_percent_is_refused():
    with pytest.raises(BadSetting, match="threshold 20"):
        net_benefit("model", [0, 1], [0.1, 0.2], [20])


def test_a_decision_curve_holds_the_declared_thresholds_only():
    curve = decision_curve("model", net_benefit("model", *cohort(16), [0.3, 0.1]))
    assert curve.x == (0.1, 0.3)
    assert decision_curve("other", []).reason == "there is no net benefit of other"
