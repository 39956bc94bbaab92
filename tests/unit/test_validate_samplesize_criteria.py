"""How many patients: what the criteria mean, where they warn, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from onclair.core.errors import BadSetting
from onclair.science.statistics.ranks import auc
from onclair.validate.samplesize.cox_snell import highest_r2cs, r2cs_from_c
from onclair.validate.samplesize.development import SHRINKAGE, develop, develop_binary, develop_continuous, develop_survival
from onclair.validate.samplesize.validation import Widths, binormal_predictor, normal_predictor, planned, validate

CODES = ("few_events", "few_non_events", "prevalence_differs", "predictor_assumed")


def test_at_the_answer_the_expected_shrinkage_is_nine_tenths():
    n = develop_binary(24, 0.288, 0.174).criteria["shrinkage"]
    # van Houwelingen & le Cessie: S = 1 + P / (n ln(1 - R2 / S))
    assert 1 + 24 / (n * np.log(1 - 0.288 / SHRINKAGE)) >= SHRINKAGE > 1 + 24 / ((n - 1) * np.log(1 - 0.288 / SHRINKAGE))


@given(st.integers(3, 60), st.floats(0.02, 0.9))
def test_fewer_patients_than_the_linear_criterion_asks_for_shrink_more(parameters, r2):
    def shrinkage(n):
        return 1 + (parameters - 2) / (n * np.log(1 - (r2 * (n - parameters - 1) + parameters) / (n - 1)))

    n = develop_continuous(parameters, r2, mean=1.0, sd=0.1).criteria["shrinkage"]
    assert (shrinkage(np.arange(n, 4 * n)) >= SHRINKAGE - 1e-12).all()
    assert n == parameters + 2 or shrinkage(n - 1) < SHRINKAGE


@pytest.mark.parametrize("parameters", [1, 12, 40])
def test_the_residual_spread_is_within_a_tenth_from_234_patients_a_parameter_more_each(parameters):
    assert develop_continuous(parameters, 0.3, mean=10, sd=1).criteria["variance"] == 234 + parameters


@pytest.mark.parametrize(("mean", "sd"), [(1.0, 10.0), (-1.0, 10.0), (2.0, 3.0)])
def test_a_spread_outcome_needs_more_patients_for_its_mean(mean, sd):
    n = develop_continuous(3, 0.2, mean=mean, sd=sd).criteria["intercept"]

    def half(patients):
        return stats.t.ppf(0.975, patients - 4) * sd * np.sqrt(0.8 / patients)

    assert half(n) <= 0.1 * abs(mean) < half(n - 1) or n == 237


def test_the_risk_at_the_timepoint_decides_where_the_model_is_small_and_strong():
    found = develop_survival(1, 0.4, rate=0.1, timepoint=5, followup=1)
    n, figures = found.criteria["intercept"], found.figures
    assert n == figures["intercept_alone"] == found.n > found.criteria["shrinkage"]
    assert figures["risk_high"] - figures["risk"] <= 0.05
    assert 1 - np.exp(-(0.1 + 1.96 * np.sqrt(0.1 / (n - 1))) * 5) - figures["risk"] > 0.05


@pytest.mark.parametrize(("c", "prevalence"), [(0.7, 0.1), (0.85, 0.5), (0.95, 0.02)])
def test_r2_from_c_is_what_a_large_draw_has(c, prevalence):
    rng = np.random.default_rng(1)
    y = np.arange(400_000) < 400_000 * prevalence
    apart = np.sqrt(2) * special.ndtri(c)
    x = rng.normal(size=y.size) + apart * y
    lp = special.logit(prevalence) + apart * x - apart**2 / 2
    gain = np.where(y, special.log_expit(lp), special.log_expit(-lp)).mean() + stats.bernoulli(prevalence).entropy()
    assert auc(y, x) == pytest.approx(c, abs=3e-3)
    assert r2cs_from_c(c, prevalence) == pytest.approx(1 - np.exp(-2 * gain), rel=0.02)


def test_a_perfect_model_has_the_largest_r2():
    assert r2cs_from_c(1 - 1e-12, 0.3) == pytest.approx(highest_r2cs(0.3), rel=1e-3)


def test_nagelkerkes_r2_is_the_cox_snell_r2_over_its_largest():
    r2 = 0.288 / highest_r2cs(0.174)
    assert develop("binary", 24, {"r2": r2, "prevalence": 0.174}).criteria == develop_binary(24, 0.288, 0.174).criteria
    found = develop("survival", 25, {"r2": 0.1, "rate": 0.065, "timepoint": 2, "followup": 2.07})
    assert found.figures["r2cs"] == pytest.approx(0.1 * found.figures["highest_r2cs"])


@given(st.floats(0.05, 0.4), st.integers(1, 50))
def test_more_parameters_never_need_fewer_patients(r2cs, parameters):
    assert develop_binary(parameters + 1, r2cs, 0.3).n >= develop_binary(parameters, r2cs, 0.3).n


def test_a_rare_outcome_is_warned_of_the_margin():
    assert [w["code"] for w in develop_binary(5, 0.01, 0.02).warnings] == ["margin_wide"]
    assert develop_binary(5, 0.1, 0.3).warnings == ()


@pytest.mark.parametrize(
    ("outcome", "given_", "item", "said"),
    [
        ("bianry", {}, "outcome", "did you mean 'binary'"),
        ("binary", {"r2cs": 0.2}, "prevalence", "needs --prevalence"),
        ("binary", {"prevalence": 0.2}, "r2cs", "none was given"),
        ("binary", {"prevalence": 0.2, "r2cs": 0.1, "c": 0.8}, "r2cs", "--r2cs and --c were given"),
        ("binary", {"prevalence": 0.2, "r2cs": 0.1, "sd": 2.0}, "sd", "--sd does not serve"),
        ("binary", {"prevalence": 17.4, "r2cs": 0.1}, "prevalence", "percentage"),
        ("binary", {"prevalence": 0.174, "r2cs": 0.7}, "r2cs", "more than 0.603"),
        ("binary", {"prevalence": 0.174, "c": 0.5}, "c", "above 0.5"),
        ("binary", {"prevalence": 0.174, "c": 0.500001}, "n", "patients"),
        ("survival", {"r2cs": 0.1, "rate": 0.1}, "timepoint", "--timepoint and --followup"),
        ("survival", {"c": 0.8, "rate": 0.1, "timepoint": 1, "followup": 2}, "c", "--c does not serve"),
        ("survival", {"r2cs": 0.1, "rate": 12, "timepoint": 1, "followup": 2}, "rate", "one unit of time"),
        ("survival", {"r2cs": 0.1, "rate": 0.1, "timepoint": 0, "followup": 2}, "timepoint", "above 0"),
        ("continuous", {"r2": 0.2, "mean": 0.0, "sd": 1.0}, "mean", "other than 0"),
        ("continuous", {"r2": 0.2, "mean": 1.0, "sd": -1.0}, "sd", "above 0"),
        ("continuous", {"r2": float("nan"), "mean": 1.0, "sd": 1.0}, "r2", "between 0 and 1"),
    ],
)
def test_what_is_missing_or_contradictory_is_named_by_its_flag(outcome, given_, item, said):
    with pytest.raises(BadSetting, match=said) as caught:
        develop(outcome, 10, given_)
    assert caught.value.item == item


def test_a_model_without_parameters_is_refused():
    with pytest.raises(BadSetting, match="--parameters is 0"):
        develop("binary", 0, {"r2cs": 0.1, "prevalence": 0.3})


@pytest.mark.parametrize("c", [0.65, 0.8, 0.9])
def test_the_width_of_c_is_met_at_the_answer_and_not_one_patient_before(c):
    n = validate(0.2, c).criteria["c"]

    def width(size):
        inside = 1 + (size / 2 - 1) * (1 - c) / (2 - c) + (size / 2 - 1) * c / (1 + c)
        return 2 * 1.96 * np.sqrt(c * (1 - c) * inside / (size**2 * 0.2 * 0.8))

    assert width(n) <= 0.1 < width(n - 1)


def test_the_slope_criterion_is_the_fisher_information_of_a_large_draw():
    lp = np.random.default_rng(2).normal(-1, 1.5, size=500_000)
    v = special.expit(lp) * special.expit(-lp)
    a, b, c = v.mean(), (v * lp).mean(), (v * lp**2).mean()
    drawn = a / ((0.2 / 3.92) ** 2 * (a * c - b**2))
    assert validate(0.3, 0.75, normal_predictor(-1, 1.5)).criteria["slope"] == pytest.approx(drawn, rel=0.01)


@pytest.mark.parametrize(("prevalence", "c"), [(0.05, 0.7), (0.5, 0.9)])
def test_the_assumed_predictor_is_calibrated_and_has_its_c(prevalence, c):
    law = binormal_predictor(prevalence, c)
    (_, low, sd), (_, high, _) = law.parts
    assert law.expect(special.expit) == pytest.approx(prevalence, abs=1e-10)
    assert special.ndtr((high - low) / (np.sqrt(2) * sd)) == pytest.approx(c)


def test_sensitivity_and_specificity_follow_from_the_predictor():
    found = validate(0.3, 0.8, normal_predictor(-1.2, 1.5), threshold=0.2).figures
    lp = np.random.default_rng(3).normal(-1.2, 1.5, size=1_000_000)
    p = special.expit(lp)
    flagged = p >= 0.2
    assert found["sensitivity"] == pytest.approx(p[flagged].sum() / p.sum(), abs=2e-3)
    assert found["specificity"] == pytest.approx((1 - p)[~flagged].sum() / (1 - p).sum(), abs=2e-3)


def test_the_standard_error_of_net_benefit_is_that_of_many_cohorts():
    sensitivity, specificity, prevalence, threshold = 0.8, 0.7, 0.3, 0.25
    n = validate(prevalence, 0.8, threshold=threshold, caught=(sensitivity, specificity)).criteria["net_benefit"]
    rng = np.random.default_rng(4)
    events = rng.binomial(n, prevalence, size=200_000)
    true, false = rng.binomial(events, sensitivity), rng.binomial(n - events, 1 - specificity)
    standardised = (true - false * threshold / (1 - threshold)) / events
    assert 2 * 1.96 * standardised.std() == pytest.approx(0.2, rel=0.02)


def test_wider_intervals_need_fewer_patients():
    wide = Widths(o_e=0.4, slope=0.4, c=0.2, net_benefit=0.4)
    narrow, wider = validate(0.2, 0.8, threshold=0.2), validate(0.2, 0.8, threshold=0.2, widths=wide)
    assert all(wider.criteria[name] < narrow.criteria[name] for name in ("o_e", "slope", "c", "net_benefit"))


@pytest.mark.parametrize(
    ("prevalence", "predictor", "codes"),
    [
        (0.018, (-5, 2.5), ["few_events", "prevalence_differs"]),
        (0.982, (5, 2.5), ["few_non_events", "prevalence_differs"]),
        (0.3, None, ["predictor_assumed"]),
    ],
)
def test_what_weakens_a_validation_is_said(prevalence, predictor, codes):
    law = normal_predictor(*predictor) if predictor else None
    found = validate(prevalence, 0.8, law, widths=Widths(o_e=1.0))
    assert [w["code"] for w in found.warnings] == codes
    assert set(codes) <= set(CODES)


@pytest.mark.parametrize(
    ("asked", "item", "said"),
    [
        ((1.2, 0.8, None, {}), "prevalence", "--prevalence is 1.2"),
        ((0.2, 0.4, None, {}), "c", "--c is 0.4"),
        ((0.2, 0.8, (-1.0, 0.0), {}), "lp-normal", "--lp-normal is 0"),
        ((0.2, 0.8, (float("nan"), 1.0), {}), "lp-normal", "nan"),
        ((0.2, 0.8, None, {"oe_width": 0.0}), "oe-width", "--oe-width is 0"),
        ((0.2, 0.8, None, {"slope_width": -1.0}), "slope-width", "--slope-width is -1"),
        ((0.2, 0.8, None, {"threshold": 1.0}), "threshold", "--threshold is 1"),
        ((0.2, 0.8, None, {"threshold": 0.1, "sensitivity": 0.8}), "specificity", "without --specificity"),
        ((0.2, 0.8, None, {"sensitivity": 0.8, "specificity": 0.8}), "threshold", "give its --threshold"),
        ((0.2, 0.8, None, {"threshold": 0.1, "sensitivity": 80.0, "specificity": 0.8}), "sensitivity", "--sensitivity is 80"),
    ],
)
def test_what_a_validation_cannot_be_planned_with_is_named_by_its_flag(asked, item, said):
    with pytest.raises(BadSetting, match=said) as caught:
        planned(*asked)
    assert caught.value.item == item
