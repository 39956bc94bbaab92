"""Calibration, prediction sets and the novelty gate."""

import numpy as np
import pytest

from onclair.core.errors import BadCohort, BadInput, BadModelFile, BadSetting
from onclair.learn.calibrate import Calibrator, platt, score_logit
from onclair.learn.conformal import Conformal, conformal, leave_one_out
from onclair.learn.novelty import NoveltyGate, novelty_gate


def overconfident(n=4000, seed=0):
    draw = np.random.default_rng(seed)
    true = draw.normal(size=n)
    truth = (draw.random(n) < 1 / (1 + np.exp(-true))).astype(float)
    return 1 / (1 + np.exp(-2 * true - 0.5)), truth


def test_platt_undoes_overconfidence():
    score, truth = overconfident()
    found = platt(score, truth)
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.intercept == pytest.approx(-0.25, abs=0.08)


def test_classes_that_the_scores_separate_still_get_finite_risks():
    found = platt([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    assert 0.01 < found.risk([0.1])[0] < 0.35
    assert np.isfinite(found.covariance).all()


def test_a_calibrator_never_turns_the_order_round():
    found = platt([0.9, 0.8, 0.2, 0.1, 0.3], [0, 0, 1, 1, 1])
    assert found.slope == 0.0
    assert found.risk([0.9]) == found.risk([0.1])


def test_rows_repeated_within_patients_widen_the_interval():
    score, truth = overconfident(200)
    once = platt(score, truth).interval([0.7])
    many = platt(np.repeat(score, 9), np.repeat(truth, 9), np.repeat(np.arange(200), 9)).interval([0.7])
    blind = platt(np.repeat(score, 9), np.repeat(truth, 9)).interval([0.7])
    width = [float(high[0] - low[0]) for low, high in (once, many, blind)]
    assert width[1] == pytest.approx(width[0], rel=0.15)
    assert width[2] < width[0] / 2


def test_the_interval_holds_the_risk():
    score, truth = overconfident(100)
    found = platt(score, truth)
    low, high = found.interval(score)
    assert (low < found.risk(score)).all()
    assert (found.risk(score) < high).all()


def test_one_class_cannot_be_calibrated():
    with pytest.raises(BadCohort, match="found 0 events and 3 others"):
        platt([0.1, 0.2, 0.3], [0, 0, 0])


def test_a_calibrator_comes_back_equal():
    found = platt(*overconfident(50))
    assert Calibrator.from_dict(found.as_dict()) == found


def test_a_calibrator_of_another_kind_is_refused():
    with pytest.raises(BadModelFile, match="'isotonic'"):
        Calibrator.from_dict({"kind": "isotonic"})


def test_the_logit_of_a_score_is_always_finite():
    assert np.isfinite(score_logit([0.0, 1.0])).all()


@pytest.mark.parametrize("n", [19, 20, 50])
def test_the_threshold_is_the_textbook_quantile_where_each_patient_has_one_row(n):
    risk, truth = overconfident(n)
    missed = np.sort(np.where(truth == 1, 1 - risk, risk))
    assert conformal(risk, truth, np.arange(n), 0.1).threshold == missed[int(np.ceil((n + 1) * 0.9)) - 1]


def test_repeating_every_row_changes_no_threshold():
    risk, truth = overconfident(40)
    once = conformal(risk, truth, np.arange(40))
    assert conformal(np.tile(risk, 3), np.tile(truth, 3), np.tile(np.arange(40), 3)) == once


def test_too_few_patients_get_full_sets_and_a_reason():
    sets = conformal([0.9] * 8, [1] * 8, np.arange(8), 0.1)
    assert sets.sets([0.99]).all()
    assert "8 patients are too few" in sets.reason
    assert "at least 9" in sets.reason


def test_nine_patients_are_enough_for_one_in_ten():
    assert conformal([0.9] * 9, [1] * 9, np.arange(9), 0.1).reason is None


def test_leave_one_out_judges_each_patient_by_a_threshold_from_the_others():
    risk, truth = overconfident(30)
    judged = leave_one_out(risk, truth, np.arange(30), 0.2)
    for i in range(30):
        others = np.arange(30) != i
        assert (conformal(risk[others], truth[others], np.arange(29), 0.2).sets(risk[[i]])[0] == judged.sets[i]).all()


def test_a_risk_outside_the_unit_interval_is_refused():
    with pytest.raises(BadInput, match=r"Row 1 has risk 1\.2"):
        conformal([0.5, 1.2], [0, 1], ["a", "b"])


def test_an_impossible_alpha_is_refused():
    with pytest.raises(BadSetting, match="'alpha'"):
        conformal([0.5], [0], ["a"], 1.0)


def test_conformal_sets_come_back_equal():
    for sets in (Conformal(0.1, 0.625, 50), Conformal(0.1, None, 3)):
        assert Conformal.from_dict(sets.as_dict()) == sets


def familiar(n=120, p=4, seed=0):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, p))
    x[:, 1] = x[:, 0] + 0.1 * x[:, 1]
    return x, [f"f{j}" for j in range(p)]


def test_a_case_far_out_in_one_feature_is_novel_and_the_feature_named():
    x, names = familiar()
    found = novelty_gate(x, np.arange(120), names).judge([0.0, 0.0, 12.0, 0.0])
    assert found.novel
    assert found.feature == "f2"


def test_a_case_that_breaks_a_correlation_is_novel_though_each_value_is_common():
    x, names = familiar()
    gate = novelty_gate(x, np.arange(120), names)
    assert gate.judge([1.3, -1.3, 0.0, 0.0]).novel
    assert not gate.judge([1.3, 1.3, 0.0, 0.0]).novel


def test_few_patients_make_the_gate_stricter_and_it_says_so():
    x, names = familiar(20)
    gate = novelty_gate(x, np.arange(20), names)
    assert gate.level_held == pytest.approx(1 / 21)
    assert gate.judge([30.0] * 4).novel


def test_a_gate_works_with_more_features_than_patients():
    x = np.random.default_rng(3).normal(size=(30, 90))
    gate = novelty_gate(x, np.arange(30), [f"f{j}" for j in range(90)])
    fresh = np.random.default_rng(4).normal(size=(200, 90))
    assert np.mean([gate.judge(row).novel for row in fresh]) < 0.15
    assert gate.judge(fresh[0] + 8.0).novel


def test_a_gate_needs_three_patients():
    with pytest.raises(BadCohort, match="at least 3 patients"):
        novelty_gate(np.zeros((4, 1)), ["a", "a", "b", "b"], ["f"])


def test_a_gate_comes_back_equal():
    x, names = familiar(30)
    gate = novelty_gate(x, np.arange(30), names)
    assert NoveltyGate.from_arrays(names, gate.arrays()).judge(x[3]) == gate.judge(x[3])


def test_a_gate_that_lost_an_array_is_refused():
    x, names = familiar(30)
    arrays = novelty_gate(x, np.arange(30), names).arrays()
    del arrays["axes"]
    with pytest.raises(BadModelFile, match="lacks its array 'axes'"):
        NoveltyGate.from_arrays(names, arrays)
