"""Calibration by other smoothers, the U test, Spiegelhalter's z and Nagelkerke's R2."""

import numpy as np
import pytest
from scipy import stats

from onclair.core.errors import BadSetting
from onclair.science.statistics.recalibration import wald_interval_as_r, weighted_intercept, weighted_slope
from onclair.science.statistics.smoothers import SMOOTHERS
from onclair.validate.calibration import calibration_curve, calibration_distances, spiegelhalter, u_test
from onclair.validate.overall import nagelkerke
from onclair.validate.rows import judged_risks


def cohort(seed=0, n=400, slope=1.0):
    rng = np.random.default_rng(seed)
    lp = rng.normal(0, 1.3, n)
    return (rng.uniform(size=n) < 1 / (1 + np.exp(-slope * lp))).astype(int), 1 / (1 + np.exp(-lp))


@pytest.mark.parametrize("smoother", SMOOTHERS)
def test_the_band_of_right_risks_holds_the_diagonal_as_often_as_it_says(smoother):
    held = []
    for seed in range(30):
        curve = calibration_curve("model", *cohort(seed), smoother=smoother)
        x, low, high = (np.array(part) for part in (curve.x, curve.low, curve.high))
        held.append(np.mean((low <= x) & (x <= high)))
    assert 0.87 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("smoother", SMOOTHERS)
def test_the_band_of_repeated_rows_is_that_of_the_patients(smoother):
    truth, risk = cohort(1, 150)
    once = calibration_curve("model", truth, risk, smoother=smoother)
    repeated = calibration_curve("model", np.repeat(truth, 5), np.repeat(risk, 5), smoother=smoother, patients=np.repeat(np.arange(150), 5))
    widths = [np.mean(np.subtract(c.high, c.low)) for c in (once, repeated)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


@pytest.mark.parametrize("smoother", SMOOTHERS)
def test_every_figure_and_curve_names_its_smoother(smoother):
    truth, risk = cohort(2, 120)
    told = [e.method for e in calibration_distances("model", judged_risks(truth, risk), smoother=smoother, replicates=5)]
    told.append(calibration_curve("model", truth, risk, smoother=smoother).method)
    assert all(SMOOTHERS[smoother] in method for method in told)


def test_smoothers_differ_on_one_cohort():
    rows = judged_risks(*cohort(3))
    found = {s: calibration_distances("model", rows, smoother=s, replicates=0)[0].value for s in SMOOTHERS}
    assert len({round(value, 6) for value in found.values()}) == len(SMOOTHERS)


def test_an_unknown_smoother_is_refused():
    with pytest.raises(BadSetting, match="no smoother 'spline'"):
        calibration_distances("model", judged_risks([0, 1], [0.2, 0.8]), smoother="spline")


def test_a_smooth_that_cannot_be_had_is_an_answer():
    truth, risk = np.tile([0, 1], 40), np.repeat([0.1, 0.5, 0.5, 0.9], 20)
    assert "knots fall on" in calibration_curve("model", truth, risk, smoother="rcs5").reason
    found = calibration_distances("model", judged_risks(truth, risk), smoother="rcs5")
    assert {e.status for e in found} == {"not_available"}


@pytest.mark.parametrize("smoother", SMOOTHERS)
def test_a_bootstrap_under_counts_measures_the_repeated_rows(smoother):
    truth, risk = cohort(4, 90)
    counts = np.random.default_rng(5).integers(0, 3, 90)
    repeated = calibration_distances(
        "model", judged_risks(np.repeat(truth, counts), np.repeat(risk, counts)), smoother=smoother, replicates=0
    )
    order = np.random.default_rng(6).permutation(counts.sum())
    shuffled = judged_risks(np.repeat(truth, counts)[order], np.repeat(risk, counts)[order])
    assert [e.value for e in calibration_distances("model", shuffled, smoother=smoother, replicates=0)] == pytest.approx(
        [e.value for e in repeated], abs=1e-3
    )


def test_the_u_test_is_rarely_surprised_by_right_risks():
    p = np.array([u_test("model", *cohort(seed))[1].value for seed in range(80)])
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_the_u_test_notices_risks_that_are_too_extreme():
    assert u_test("model", *cohort(6, slope=0.5))[1].value < 1e-4


def test_the_u_test_of_repeated_rows_does_not_count_them_anew():
    truth, risk = cohort(7, slope=0.8)
    once, again = u_test("model", truth, risk)[0], u_test("model", *(np.repeat(a, 6) for a in (truth, risk)))[0]
    clustered = u_test("model", np.repeat(truth, 6), np.repeat(risk, 6), patients=np.repeat(np.arange(truth.size), 6))[0]
    assert again.value == pytest.approx(6 * once.value)
    assert clustered.value == pytest.approx(once.value, rel=0.25)


@pytest.mark.parametrize("test", [u_test, spiegelhalter])
def test_a_test_that_cannot_be_had_is_an_answer(test):
    assert {e.status for e in test("model", [0, 1, 0, 1], [0.5] * 4)} == {"not_available"}


def test_spiegelhalters_z_of_right_risks_is_standard_normal():
    z = np.array([spiegelhalter("model", *cohort(seed))[0].value for seed in range(150)])
    assert stats.kstest(z, "norm").pvalue > 0.001


def test_spiegelhalters_z_of_repeated_rows_does_not_count_them_anew():
    truth, risk = cohort(8)
    once = spiegelhalter("model", truth, risk)[0].value
    repeated = spiegelhalter("model", np.repeat(truth, 9), np.repeat(risk, 9), patients=np.repeat(np.arange(truth.size), 9))[0].value
    assert repeated == pytest.approx(once, rel=0.15)


def test_the_error_of_nagelkerkes_r2_agrees_with_the_jackknife():
    truth, risk = cohort(9, 250)
    keep = ~np.eye(250, dtype=bool)
    without = np.array([nagelkerke("r", truth[k], risk[k]).value for k in keep])
    assert nagelkerke("r", truth, risk).se == pytest.approx(np.sqrt(249 * np.var(without)), rel=0.03)


def test_the_prevalence_has_no_nagelkerke_r2():
    assert nagelkerke("r", [0, 1, 1, 1], [0.75] * 4).value == pytest.approx(0.0)


def test_an_event_that_was_called_impossible_leaves_no_likelihood():
    found = nagelkerke("r", [0, 1, 1], [0.2, 0.0, 0.9])
    assert found.reason == "1 rows have an outcome to which their risk of 0 or 1 gave no chance, so the likelihood is 0"


def test_rs_interval_differs_from_the_converged_one_in_the_fifth_digit_only():
    truth, risk = cohort(10)
    lp = np.log(risk / (1 - risk))
    ends = wald_interval_as_r(np.column_stack([np.ones(lp.size), lp]), truth)
    a, b = weighted_slope(lp, truth, np.ones(lp.size))
    assert ends.mean(axis=1) == pytest.approx([a, b], abs=1e-6)


def test_the_intercept_of_one_class_is_not_a_number():
    assert np.isnan(weighted_intercept([0.1, 0.2], [0, 1], [1, 0]))
