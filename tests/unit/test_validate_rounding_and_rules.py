"""Zeros that rounding left, and rules that stand in one place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.auc_covariance import auc_covariance
from onclair.science.statistics.meta_analysis import AT_ZERO, EQUAL, NARROWER, pooled
from onclair.science.statistics.smoothers import smoothed
from onclair.science.statistics.survival import refuse_beyond
from onclair.validate.checked import checked
from onclair.validate.confounds import nuisance_correlation
from onclair.validate.plan import read_plan
from onclair.validate.readers.comparison import compare_modalities
from onclair.validate.readers.table import Ratings
from onclair.validate.rows import judged_rows
from onclair.validate.transport import pooled_over_centres
from onclair.validate.updating import Refitted, choose_update, glm_refit


def centres(values, se=0.5):
    return {str(i): Estimate("slope:m", v, se=se) for i, v in enumerate(values)}


def by_name(estimates):
    return {e.name: e for e in estimates}


# pooling over centres


@pytest.mark.parametrize("where", ["centres", "new-centre"])
def test_a_mean_of_centres_that_agree_too_well_says_that_its_interval_is_narrow(where):
    found = by_name(pooled_over_centres(centres([1.0, 1.01, 1.02, 0.99]), "slope:m"))[f"slope:m:{where}"]
    assert found.reason == f"{AT_ZERO}; {NARROWER}"
    assert found.status == "ok"


def test_a_mean_at_zero_between_centres_that_is_wider_than_fixed_does_not_claim_to_be_narrower():
    found = pooled([0.6, 1.0, 1.4], [0.5, 0.5, 0.5])
    assert found.tau2 == 0
    assert found.high - found.low > 2 * 1.959963985 * 0.5 / np.sqrt(3)
    assert NARROWER not in found.remarks


def test_almost_equal_figures_have_the_fixed_effect_error():
    found = pooled([1.0, 1.0 + 1e-9, 1.0 - 1e-9], [0.5, 0.5, 0.5])
    assert found.se == pytest.approx(0.5 / np.sqrt(3))
    assert EQUAL in found.remarks


# rank correlation with a nuisance


@pytest.mark.parametrize("way", [1, -1])
def test_a_score_that_is_its_nuisance_has_a_correlation_without_an_interval(way):
    found = nuisance_correlation("spearman:model:volume", np.arange(20.0), way * np.arange(20.0))
    assert (found.value, found.low, found.high, found.se) == (way, None, None, None)
    assert "wholly alike" in found.reason


def test_a_correlation_of_few_patients_is_shown_with_a_caution():
    rng = np.random.default_rng(1)
    found = nuisance_correlation("spearman:model:volume", rng.normal(size=12), rng.normal(size=12), patients=np.arange(12) // 3)
    assert (found.status, found.low is None) == ("too_few", False)


# reader studies


def study(ratings, truth):
    names = [tuple(f"{letter}{i}" for i in range(size)) for letter, size in zip("CMR", ratings.shape, strict=True)]
    return Ratings(names[2], names[1], names[0], truth, ratings)


def rated(seed=5, readers=4):
    rng = np.random.default_rng(seed)
    truth = np.arange(60) < 25
    case = rng.normal(size=(60, 1, 1)) + 0.6 * rng.normal(size=(60, 2, 1))
    return truth[:, None, None] * (1.0 + 0.4 * rng.normal(size=(1, 1, readers))) + case + rng.normal(size=(60, 2, readers)), truth


def test_the_error_of_one_modality_by_fixed_readers_is_that_of_the_mean_over_left_out_cases():
    ratings, truth = rated()
    found = by_name(compare_modalities(study(ratings, truth), readers="fixed", covariance="jackknife").estimates)["auc:M0"]
    cov = auc_covariance(truth, ratings[:, 0, :], "jackknife")
    assert found.se**2 == pytest.approx(cov.sum() / 16)
    assert found.high - found.value == pytest.approx(1.959963985 * found.se)


def test_the_interval_of_one_modality_by_random_readers_is_hillis():
    ratings, truth = rated()
    found = by_name(compare_modalities(study(ratings, truth), covariance="jackknife").estimates)["auc:M0"]
    cov = auc_covariance(truth, ratings[:, 0, :], "jackknife")
    shared = (cov.sum() - np.trace(cov)) / 12
    areas = [(np.subtract.outer(one[truth], one[~truth]) > 0).mean() for one in ratings[:, 0, :].T]
    spread = np.var(areas, ddof=1)
    df = (spread + 4 * shared) ** 2 / (spread**2 / 3)
    assert found.se**2 == pytest.approx(spread / 4 + shared)
    assert found.high - found.value == pytest.approx(float(special.stdtrit(df, 0.975)) * found.se)


def test_readers_who_agree_to_the_last_digit_leave_no_mean_square_of_rounding():
    ratings, truth = rated(readers=1)
    alike = compare_modalities(study(np.repeat(ratings, 7, axis=2), truth))
    assert (alike.components.MS_TR, alike.test.kind) == (0.0, "chi2")
    assert "normal interval" in by_name(alike.estimates)["auc:M0"].method


def test_identical_modalities_have_no_test_and_the_reason_speaks_of_the_test():
    ratings, truth = rated()
    ratings[:, 1, :] = ratings[:, 0, :]
    found = compare_modalities(study(ratings, truth))
    assert (found.test.p, found.test.reason) == (None, "the estimated variance of a difference is not above zero, so there is no test")
    assert "no interval" in by_name(found.estimates)["difference:M0-minus-M1"].reason


# a table against its plan


def timed(time, event, **figures):
    own = {"patient": "id", "time": "t", "event": "e"}
    plan = read_plan({"outcome": "survival", "columns": own, "models": {"m": {"column": "p"}}, "figures": figures})
    table = pd.DataFrame({"id": list("abcd"), "p": [0.1, 0.7, 0.3, 0.6], "t": time, "e": event})
    return checked(table, plan)


def test_a_horizon_at_the_longest_time_is_taken_where_nobody_is_censored_there():
    assert timed([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1], horizon=4.0).size == 4


def test_a_horizon_at_the_longest_time_is_refused_where_somebody_is_censored_there():
    with pytest.raises(BadInput, match="the largest usable time is 3, and every time below 4 will do"):
        timed([1.0, 2.0, 3.0, 4.0], [0, 1, 1, 0], horizon=4.0)


def test_equal_times_offer_none_where_none_is_usable():
    with pytest.raises(BadInput, match="no time is usable"):
        timed([2.0] * 4, [0, 1, 1, 0], horizon=2.0)


def test_a_longest_time_without_censoring_is_itself_offered():
    with pytest.raises(BadInput, match=r"the largest usable time is 5\."):
        refuse_beyond([1.0, 5.0], [0, 1], 7.0)


# updating


def test_repeated_rows_need_the_design_effect_of_the_refit():
    truth, x = [0, 1] * 40, [[v] for v in [0.0, 0.0, 1.0, 1.0] * 20]
    rows = judged_rows(truth, special.logit(np.linspace(0.19, 0.21, 80)), np.arange(80) % 40)
    with pytest.raises(BadInput, match="40 patients have 80 rows, and the refit gives no design effect"):
        choose_update(rows, glm_refit(x, truth))
    assert choose_update(rows, glm_refit(x, truth, np.arange(80) % 40)).method == "intercept"


def test_one_row_a_patient_needs_no_design_effect():
    truth = [0, 1] * 40
    rows = judged_rows(truth, special.logit(np.linspace(0.19, 0.21, 80)))
    refitted = Refitted(-0.1, 3, lambda at: np.zeros(at.size), (0.0, 0.0, 0.0))
    assert choose_update(rows, lambda at: refitted).method == "refit"


# tiny risks


def test_a_spline_tells_tiny_risks_apart():
    risks = np.concatenate([10.0 ** -np.linspace(14, 40, 60), np.linspace(0.2, 0.8, 60)])
    truth = np.tile([0.0, 1.0], 60)
    near, far = smoothed("rcs3", risks, truth).blend(np.array([1e-15, 1e-35]))
    assert not np.allclose(near, far)
