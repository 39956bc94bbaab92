"""Isotonic, temperature and beta calibration: scikit-learn's answers, separation, and rows that were seen before."""

import json

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from onclair.core.errors import BadCohort, BadInput, BadModelFile, BadSetting
from onclair.io.models import load_model, save_model
from onclair.learn.calibrate import Calibrator, platt, refuse_own_rows, refuse_seen
from onclair.learn.calibrate_curves import BetaCurve, Temperature, beta, temperature
from onclair.learn.calibrate_isotonic import Isotonic, isotonic
from onclair.learn.calibrate_methods import calibrator_from_record, calibrator_model, calibrator_of, fit_calibrator

METHODS = ("platt", "isotonic", "temperature", "beta")


def overconfident(n=1500, seed=0, factor=2.0):
    draw = np.random.default_rng(seed)
    true = draw.normal(size=n)
    truth = (draw.random(n) < 1 / (1 + np.exp(-true))).astype(float)
    return 1 / (1 + np.exp(-factor * true)), truth


@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_isotonic_calibration_is_scikit_learns_with_ties_or_without(decimals):
    score, truth = overconfident(400)
    score = np.round(score, decimals)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(score, truth)
    grid = np.linspace(0, 1, 501)
    assert np.abs(isotonic(score, truth).apply(grid) - theirs.predict(grid)).max() < 1e-12


def test_temperature_is_the_slope_of_a_logistic_model_through_the_origin():
    score, truth = overconfident()
    logit = np.log(score / (1 - score))[:, None]
    theirs = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10).fit(logit, truth)
    assert temperature(score, truth).temperature == pytest.approx(1 / theirs.coef_[0, 0], rel=1e-5)
    assert temperature(score, truth).temperature == pytest.approx(2.0, abs=0.25)


def test_temperature_is_that_of_scikit_learns_calibrated_classifier():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    draw = np.random.default_rng(1)
    x = draw.normal(size=(600, 2))
    y = (draw.random(600) < 1 / (1 + np.exp(-x[:, 0]))).astype(int)
    model = LogisticRegression(C=np.inf).fit(x[:100], y[:100])
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(x[100:], y[100:])
    ours = temperature(model.predict_proba(x[100:])[:, 1], y[100:])
    assert ours.apply(model.predict_proba(x)[:, 1]) == pytest.approx(theirs.predict_proba(x)[:, 1], abs=2e-4)


def test_beta_calibration_is_a_logistic_model_of_both_logarithms():
    score, truth = overconfident()
    design = np.column_stack([np.log(score), -np.log1p(-score)])
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(design, truth)
    ours = beta(score, truth)
    assert [ours.a, ours.b, ours.intercept] == pytest.approx([*theirs.coef_[0], theirs.intercept_[0]], abs=1e-3)


def test_beta_calibration_bends_two_ways_where_platts_cannot():
    draw = np.random.default_rng(2)
    score = draw.beta(0.6, 3.0, size=8000)
    logit = 0.5 + 0.4 * np.log(score) - 2.5 * np.log1p(-score)
    truth = (draw.random(8000) < 1 / (1 + np.exp(-logit))).astype(float)
    ours = beta(score, truth)
    assert [ours.a, ours.b, ours.intercept] == pytest.approx([0.4, 2.5, 0.5], abs=0.25)


def test_a_slope_that_would_be_negative_is_set_to_nothing():
    draw = np.random.default_rng(3)
    score = draw.uniform(0.05, 0.95, 4000)
    logit = 1.2 * np.log(score) + 0.8 * np.log1p(-score) + 1.0
    truth = (draw.random(4000) < 1 / (1 + np.exp(-logit))).astype(float)
    ours = beta(score, truth)
    assert (ours.b, ours.status) == (0.0, "ok")
    assert (np.diff(ours.apply(np.linspace(0, 1, 50))) >= 0).all()


@pytest.mark.parametrize("method", ["platt", "beta"])
def test_scores_in_the_wrong_order_give_everyone_the_prevalence_and_say_so(method):
    score, truth = overconfident()
    found = fit_calibrator(method, 1 - score, truth)
    assert np.ptp(found.apply([0.1, 0.5, 0.9])) < 1e-12
    assert found.apply([0.5])[0] == pytest.approx(truth.mean(), abs=0.002)
    assert "everyone gets the prevalence" in found.reason


def test_a_temperature_for_scores_in_the_wrong_order_does_not_exist():
    score, truth = overconfident()
    found = temperature(1 - score, truth)
    assert found.status == "not_available"
    assert "do not rank" in found.reason


@pytest.mark.parametrize("fit", [temperature, beta])
def test_separation_is_a_status_with_its_reason_and_gives_no_risk(fit):
    found = fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    assert found.status == "not_available"
    assert "separate the two classes" in found.reason
    with pytest.raises(BadInput, match="gives no risk: the scores separate"):
        found.apply([0.5])


def test_isotonic_risks_of_nought_and_one_come_with_a_caution():
    found = isotonic([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    assert found.apply([0.1, 0.9]).tolist() == [0.0, 1.0]
    assert "exactly 0 or 1" in found.reason
    assert "4 rows are few" in found.reason


@pytest.mark.parametrize("fit", [temperature, beta, isotonic])
def test_one_class_is_a_status_not_an_error(fit):
    found = fit([0.1, 0.2], [1, 1])
    assert (found.status, found.reason) == ("not_available", "only one class is present: 2 events and 0 others")


@pytest.mark.parametrize("method", METHODS)
def test_every_calibrator_undoes_overconfidence_on_rows_it_has_not_seen(method):
    found = fit_calibrator(method, *overconfident(6000))
    score, _ = overconfident(500, seed=9)
    true = 1 / (1 + np.exp(-np.log(score / (1 - score)) / 2))
    assert np.abs(found.apply(score) - true).mean() < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_every_calibrator_survives_the_disk_to_the_last_bit(method, tmp_path):
    found = fit_calibrator(method, *overconfident(300))
    again = calibrator_of(load_model(save_model(tmp_path / "m", calibrator_model(found, "net", "relapse"))))
    assert again == found
    assert np.array_equal(again.apply(np.linspace(0, 1, 99)), found.apply(np.linspace(0, 1, 99)))


def test_calibrators_without_a_map_survive_the_disk_too(tmp_path):
    for found in (temperature([0.1, 0.9], [0, 1]), beta([0.1, 0.9], [0, 1]), isotonic([0.1], [1])):
        assert calibrator_from_record(found.as_record()) == found


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({"kind": "betta"}, "'betta'; did you mean 'beta'"),
        ({}, "of kind 'None'"),
        ({**Temperature(2.0).as_record(), "temperature": -1.0}, "temperature -1.0"),
        ({**BetaCurve(0.0, 1.0, 1.0).as_record(), "a": -1.0}, "a or b is negative"),
        ({**Isotonic((0.1, 0.2), (0.1, 0.2)).as_record(), "risks": [0.2, 0.1]}, "do not rise"),
        ({**Temperature(2.0).as_record(), "status": "fine"}, "status 'fine'"),
        ({"kind": "temperature"}, "lacks or mangles"),
    ],
)
def test_a_mangled_calibrator_is_refused(record, sentence):
    with pytest.raises(BadModelFile, match=sentence):
        calibrator_from_record(record)


def test_another_model_is_no_calibrator():
    from onclair.io.models import FORMAT, ModelRecord

    with pytest.raises(BadModelFile, match="of the family 'logistic'"):
        calibrator_of(ModelRecord({"format": FORMAT, "name": "m", "family": "logistic", "outcome": "y"}))


@pytest.mark.parametrize("method", METHODS)
def test_a_calibrator_is_not_judged_on_the_rows_it_was_fitted_on(method):
    score, truth = overconfident(80)
    found = fit_calibrator(method, score, truth)
    turned = np.random.default_rng(0).permutation(80)
    with pytest.raises(BadCohort, match="fitted on these 80 rows"):
        refuse_own_rows(found, score[turned], truth[turned])
    refuse_own_rows(found, score[1:], truth[1:])


def test_what_is_kept_of_the_rows_survives_the_record():
    found = platt(*overconfident(40))
    assert Calibrator.from_dict(found.as_record()).fitted_on == found.fitted_on != ""


def test_patients_that_the_model_has_seen_are_refused():
    with pytest.raises(BadCohort, match="1 patients to calibrate on were seen by the model, the first P2"):
        fit_calibrator("isotonic", [0.1, 0.9], [0, 1], patients=["P1", "P2"], seen=["P2", "P3"])
    refuse_seen(["P1"], None)


def test_an_unknown_method_is_refused_with_the_nearest_name():
    with pytest.raises(BadSetting, match="did you mean 'isotonic'"):
        fit_calibrator("isotonik", [0.1, 0.9], [0, 1])


@pytest.mark.parametrize("fit", [temperature, beta, isotonic])
def test_what_is_no_score_is_refused(fit):
    with pytest.raises(BadInput, match="Row 1 has score 37"):
        fit([0.1, 37.0], [0, 1])
    with pytest.raises(BadInput, match="do not pair"):
        fit([0.1], [0, 1])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("score", "truth"), [([0.1, float("nan")], [0, 1]), ([0.1, 0.9], [0, 2]), ([0.1, 0.9], [0, 0.5])])
def test_what_is_no_score_or_no_truth_is_refused_by_every_method(method, score, truth):
    with pytest.raises(BadInput, match="a score lies in"):
        fit_calibrator(method, score, truth)
    with pytest.raises(BadInput, match="do not pair"):
        fit_calibrator(method, [], [])


def test_platts_patients_must_be_named_for_every_row():
    with pytest.raises(BadInput, match="1 patients were named for 2 rows"):
        platt([0.1, 0.9], [0, 1], ["a"])


def test_platts_targets_are_smoothed_by_each_classs_own_count():
    flat = platt([0.5] * 4, [1, 0, 0, 0])
    assert flat.risk([0.5])[0] == pytest.approx((2 / 3 + 3 * (1 / 5)) / 4, abs=1e-12)


@pytest.mark.parametrize("score", [[0.1, 0.4, 0.3, 0.9], [0.5] * 4])
def test_one_patients_rows_give_risks_without_interval_and_a_record_that_is_json(score):
    found = platt(score, [0, 1, 0, 1], ["p"] * 4)
    assert found.status == "ok"
    assert found.covariance is None
    assert "one patient's" in found.reason
    assert Calibrator.from_dict(json.loads(json.dumps(found.as_dict(), allow_nan=False))) == found
    assert np.isnan(found.interval([0.2, 0.7])).all()
    assert np.isfinite(found.risk([0.2, 0.7])).all()
