"""The binary figures under the bootstrap's weights."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from onclair.science.statistics.bootstrap import Replicates
from onclair.science.statistics.glm import logistic, with_intercept
from onclair.science.statistics.recalibration import weighted_intercept, weighted_slope, why_no_slope
from onclair.validate.calibration import citl, slope
from onclair.validate.discrimination import auc, average_precision
from onclair.validate.overall import brier
from onclair.validate.resampling import bootstrap_binary, with_percentiles
from onclair.validate.rows import judged_risks

FIGURES = {"auc": auc, "ap": average_precision, "brier": brier, "citl": citl, "slope": slope}


def cohort(seed=0, n=300):
    rng = np.random.default_rng(seed)
    lp = rng.normal(-0.5, 1.2, n)
    return (rng.uniform(size=n) < 1 / (1 + np.exp(-lp))).astype(int), 1 / (1 + np.exp(-lp))


def test_the_values_are_those_of_the_figures_themselves():
    truth, risk = cohort(1)
    found = bootstrap_binary("model", judged_risks(truth, risk), replicates=3)
    assert [e.value for e in found] == pytest.approx([of("f:model", truth, risk).value for of in FIGURES.values()], abs=1e-9)


def test_the_errors_agree_with_the_analytic_ones():
    truth, risk = cohort(2, 800)
    found = {e.name.split(":")[0]: e.se for e in bootstrap_binary("model", judged_risks(truth, risk), replicates=600, seed=1)}
    for figure in ("auc", "brier", "citl", "slope"):
        assert found[figure] == pytest.approx(FIGURES[figure]("f:model", truth, risk).se, rel=0.12)


def test_patients_are_drawn_whole():
    truth, risk = cohort(3)
    repeated = judged_risks(np.repeat(truth, 4), np.repeat(risk, 4), np.repeat(np.arange(truth.size), 4))
    once, again = (bootstrap_binary("model", rows, replicates=60, seed=2) for rows in (judged_risks(truth, risk), repeated))
    assert [e.se for e in again] == pytest.approx([e.se for e in once], rel=1e-9)
    assert again[0].n == truth.size


def test_the_estimates_do_not_depend_on_who_maps():
    rows = judged_risks(*cohort(4))
    with ThreadPoolExecutor(2) as pool:
        assert bootstrap_binary("model", rows, replicates=120, map=pool.map) == bootstrap_binary("model", rows, replicates=120)


def test_identical_repeats_leave_the_figures_as_they_were():
    truth, risk = cohort(5)
    one, two = (bootstrap_binary("model", judged_risks(truth, r), replicates=20) for r in (risk, [risk, risk]))
    assert [e.low for e in two] == pytest.approx([e.low for e in one], abs=1e-9)


def test_one_class_is_an_answer():
    assert {e.status for e in bootstrap_binary("model", judged_risks([0, 0], [0.1, 0.2]))} == {"not_available"}


def test_separated_classes_have_an_auc_but_no_slope():
    found = {e.name: e for e in bootstrap_binary("model", judged_risks([0, 0, 1, 1] * 5, [0.1, 0.2, 0.8, 0.9] * 5), replicates=20)}
    assert found["auc:model"].value == 1.0
    assert "separate" in found["slope:model"].reason


def test_a_constant_risk_has_no_slope():
    found = {e.name: e for e in bootstrap_binary("model", judged_risks([0, 1] * 10, [0.4] * 20), replicates=10)}
    assert "the same for everyone" in found["slope:model"].reason
    assert found["citl:model"].status == "ok"


def test_figures_that_many_replicates_lack_have_no_interval():
    found = bootstrap_binary("model", judged_risks([0] * 9 + [1], np.linspace(0.1, 0.9, 10)), replicates=100)[0]
    assert found.low is None
    assert "bootstrap replicates had no such figure" in found.reason


def test_failed_replicates_are_counted_in_the_method():
    drawn = Replicates(np.append(np.linspace(0, 1, 39), np.nan)[:, None])
    known = bootstrap_binary("model", judged_risks(*cohort(6)), replicates=2)[0]
    assert "40 replicates, 1 of them failed" in with_percentiles([known], drawn, "failed")[0].method


small = arrays(np.float64, st.integers(4, 14), elements=st.integers(-6, 6).map(lambda v: v / 2))


@given(small, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_quick_fits_are_those_of_the_general_solver(lp, drawn):
    truth = np.array([drawn.randint(0, 1) for _ in lp])
    weights = np.array([float(drawn.randint(0, 3)) for _ in lp])
    quick, slow = weighted_slope(lp, truth, weights), logistic(with_intercept(lp), truth, weights=weights)
    if slow.ok:
        assert quick == pytest.approx(tuple(slow.coefficients), abs=1e-7)
    else:
        assert np.isnan(quick).all()
    alone = logistic(np.ones((lp.size, 1)), truth, offset=lp, weights=weights)
    assert weighted_intercept(lp, truth, weights) == pytest.approx(alone.coefficients[0], abs=1e-8, nan_ok=True)


@pytest.mark.parametrize("seed", [29, 130, 424, 688, 694])
def test_a_slope_that_exists_is_found_from_a_poor_start(seed):
    rng = np.random.default_rng(seed)
    lp = rng.standard_t(2, 155) * rng.choice([0.1, 1, 3, 8, 20]) + rng.choice([-30, -12, -8, -4, 0, 4])
    lp = np.round(lp) if seed % 5 == 0 else lp
    truth = np.zeros(155)
    truth[rng.choice(155, 3, replace=False)] = 1
    if seed % 2:
        truth[:] = 0
        truth[np.argsort(lp + rng.normal(0, lp.std() * rng.choice([0.1, 0.3, 1]), 155))[-3:]] = 1
    slow = logistic(with_intercept(lp), truth)
    assert slow.ok
    assert weighted_slope(lp, truth, np.ones(155)) == pytest.approx(tuple(slow.coefficients), rel=1e-6)
    assert why_no_slope(lp, truth, np.ones(155)) is None


def test_an_intercept_far_from_its_start_is_found():
    assert weighted_intercept([-300.0] * 4, [1, 1, 1, 0], np.ones(4)) == pytest.approx(300 + np.log(3), abs=1e-9)


@pytest.mark.parametrize(
    ("lp", "truth", "said"),
    [
        ([0.0, 1, 2, 3], [0, 0, 1, 1], "separate the two classes"),
        ([0.0, 1, 1, 3], [0, 0, 1, 1], "separate the two classes"),
        ([1.0, 1, 1, 1], [0, 0, 1, 1], "the same for everyone"),
        ([0.0, 1, 2, 3], [1, 1, 1, 1], "only one class"),
    ],
)
def test_why_there_is_no_slope_is_said(lp, truth, said):
    assert np.isnan(weighted_slope(lp, truth, np.ones(4))).all()
    assert said in why_no_slope(lp, truth, np.ones(4))
