"""How much of a model to change, and what it gains on patients who took no part in it."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from onclair.core.errors import BadInput
from onclair.science.statistics.glm import logistic, with_intercept
from onclair.validate.rows import judged_rows
from onclair.validate.updating import Refitted, choose_update, glm_refit, judged_update, patient_folds

WEIGHTS = np.array([1.0, -0.5, 0.3])


def cohort(seed, n=1500, shift=0.0, factor=1.0, weights=WEIGHTS):
    """Predictors, outcomes of the true model, and the logits of the model under test."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 3))
    truth = rng.random(n) < expit(shift - 0.5 + factor * (x @ weights))
    return x, truth.astype(int), -0.5 + x @ WEIGHTS


def chosen(seed, **about):
    x, truth, lp = cohort(seed, **about)
    return choose_update(judged_rows(truth, lp), glm_refit(x, truth))


@pytest.mark.parametrize(
    ("about", "method"),
    [
        ({}, "none"),
        ({"shift": 1.0}, "intercept"),
        ({"factor": 0.4}, "logistic"),
        ({"shift": 1.0, "factor": 0.4}, "logistic"),
        ({"weights": np.array([-0.2, 1.0, 0.3])}, "refit"),
    ],
)
def test_the_smallest_sufficient_update_is_chosen(about, method):
    assert chosen(11, **about).method == method


def test_the_three_tests_have_as_many_degrees_of_freedom_as_the_refit_adds():
    x, truth, lp = cohort(5, n=400, shift=0.3)
    found = choose_update(judged_rows(truth, lp), glm_refit(x, truth))
    full = logistic(with_intercept(x), truth).log_likelihood
    none = float((truth * lp - np.logaddexp(0, lp)).sum())
    shift = logistic(np.ones((400, 1)), truth, offset=lp).log_likelihood
    line = logistic(with_intercept(lp), truth).log_likelihood
    expected = [stats.chi2.sf(2 * (full - simple), df) for simple, df in ((none, 4), (shift, 3), (line, 2))]
    np.testing.assert_allclose([found.p_values[m] for m in ("none", "intercept", "logistic")], expected, rtol=1e-9)


def test_a_right_model_is_changed_about_as_often_as_alpha_says():
    changed = sum(chosen(seed, n=300).method != "none" for seed in range(150))
    assert 1 <= changed <= 17


def test_repeated_rows_do_not_make_a_right_model_look_wrong():
    changed = 0
    for seed in range(80):
        x, truth, lp = cohort(seed, n=150)
        again = np.repeat(np.arange(150), 6)
        refit = glm_refit(x[again], truth[again], again)
        changed += choose_update(judged_rows(truth[again], lp[again], again), refit).method != "none"
    assert changed <= 12


def test_the_coefficients_chosen_are_those_of_the_fit():
    x, truth, lp = cohort(3, shift=1.0)
    found = choose_update(judged_rows(truth, lp), glm_refit(x, truth))
    shift = logistic(np.ones((1500, 1)), truth, offset=lp).coefficients[0]
    assert found.coefficients == (pytest.approx(shift),)
    np.testing.assert_allclose(found.linear_predictor(lp[:3], np.arange(3)), lp[:3] + shift)


def test_one_predictor_is_refitted_by_intercept_and_slope():
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, 800)
    truth = (rng.random(800) < expit(0.2 * x)).astype(int)
    found = choose_update(judged_rows(truth, 2 * x), glm_refit(x, truth))
    assert (found.method, found.p_values["logistic"]) == ("logistic", 1.0)


def test_what_cannot_be_fitted_leaves_the_model_as_it_is_and_says_why():
    x, _, lp = cohort(1, n=60)
    found = choose_update(judged_rows(np.zeros(60), lp), glm_refit(x, np.zeros(60)))
    assert found.method == "none"
    assert found.reason.startswith("nothing could be tested")
    np.testing.assert_array_equal(found.linear_predictor(lp, np.arange(60)), lp)


def test_another_fitting_function_may_refit():
    x, truth, lp = cohort(4, weights=np.array([-0.2, 1.0, 0.3]))

    def refit(rows):
        fit = logistic(with_intercept(x[rows, :2]), truth[rows])
        return Refitted(fit.log_likelihood, 3, lambda where: with_intercept(x[where, :2]) @ fit.coefficients)

    found = choose_update(judged_rows(truth, lp), refit)
    assert found.method == "refit"
    assert found.linear_predictor(lp[:2], np.arange(2)).shape == (2,)


def by_name(estimates):
    return {e.name: e for e in estimates}


def test_updating_is_judged_on_patients_who_took_no_part_in_it():
    x, truth, lp = cohort(12, shift=1.0)
    found = judged_update("m", judged_rows(truth, lp), glm_refit(x, truth), patient_folds(1500, 5, seed=1))
    figures = by_name(found.estimates)
    assert found.chosen == {"intercept": 5}
    assert figures["o_e:m"].low > 1.2
    assert figures["o_e:m-updated"].low < 1 < figures["o_e:m-updated"].high
    assert figures["brier:m-updated"].value < figures["brier:m"].value
    assert "held out of the update" in figures["citl:m-updated"].method
    assert figures["auc:m-updated-minus-m"].n == 1500


def test_a_single_split_is_judged_on_its_held_out_rows_alone():
    x, truth, lp = cohort(9, n=600, shift=1.0)
    found = judged_update("m", judged_rows(truth, lp), glm_refit(x, truth), [(np.arange(400), np.arange(400, 600))])
    assert by_name(found.estimates)["auc:m"].n == 200


def test_a_refit_to_noise_does_not_look_better_than_it_is():
    """Forty worthless predictors beside the model, always refitted: in sample the slope would be 1, held out it is not."""
    rng = np.random.default_rng(7)
    lp = rng.normal(0, 1, 300)
    truth, noise = (rng.random(300) < expit(lp)).astype(int), rng.normal(0, 1, (300, 40))
    refit = glm_refit(np.column_stack([lp, noise]), truth)
    found = judged_update("m", judged_rows(truth, lp), refit, patient_folds(300, 5, seed=2), alpha=1 - 1e-12)
    figures = by_name(found.estimates)
    assert set(found.chosen) == {"refit"}
    assert figures["slope:m-updated"].high < 1 < figures["slope:m"].high


def test_folds_keep_a_patients_rows_together_and_hold_each_out_once():
    patients = np.random.default_rng(1).integers(0, 20, 90)
    folds = patient_folds(90, 4, seed=5, patients=patients)
    held = np.sort(np.concatenate([held_out for _, held_out in folds]))
    np.testing.assert_array_equal(held, np.arange(90))
    assert all(not np.intersect1d(patients[a], patients[b]).size for a, b in folds)


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        ([], "No row is held out"),
        ([(np.arange(2, 6), np.arange(2)), (np.arange(2, 6), np.arange(2))], "held out twice"),
        ([(np.arange(1, 6), np.array([0]))], "1 patients stand on both sides of fold 0"),
    ],
)
def test_folds_that_let_a_patient_judge_himself_are_refused(folds, said):
    rows = judged_rows([0, 1, 0, 1, 0, 1], np.zeros(6), ["a", "a", "b", "c", "d", "e"])
    with pytest.raises(BadInput, match=said):
        judged_update("m", rows, glm_refit(np.arange(6.0), [0, 1, 0, 1, 0, 1]), folds)


@pytest.mark.parametrize("count", [1, 7])
def test_an_impossible_number_of_folds_is_refused(count):
    with pytest.raises(BadInput, match="are impossible"):
        patient_folds(6, count, seed=1)


def test_a_refit_without_a_finite_logit_is_refused():
    x, truth, lp = cohort(4, n=300, weights=np.array([-0.2, 1.0, 0.3]))
    blank = glm_refit(x, truth)

    def refit(rows):
        found = blank(rows)
        return Refitted(found.log_likelihood, 4, lambda where: np.full(where.size, np.nan))

    with pytest.raises(BadInput, match="no finite logit"):
        judged_update("m", judged_rows(truth, lp), refit, patient_folds(300, 3, seed=1))


def test_alpha_outside_its_range_is_refused():
    with pytest.raises(BadInput, match="Alpha is 0"):
        choose_update(judged_rows([0, 1], [0.0, 1.0]), glm_refit([0.0, 1.0], [0, 1]), alpha=0.0)
