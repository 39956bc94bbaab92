"""One claim about an event in time: what it is given, what it is refused, and what cannot be had."""

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.statistics.cox import FollowUp
from onclair.validate.censored import auc_t, auc_t_difference, brier, ipa
from onclair.validate.followed import followed_risks, followed_rows
from onclair.validate.survival.calibration import calibration_curve, calibration_distances, o_e, poisson_o_e, slope
from onclair.validate.survival.claim import SurvivalAsked, SurvivalClaim, judge_survival, survival_figures
from onclair.validate.survival.ranking import harrell, harrell_difference, uno

NAMES = ["harrell", "uno", "auc_t", "brier", "brier_null", "ipa", "o_e", "poisson_o_e", "slope", "ici", "e50", "e90", "emax"]


@pytest.fixture(scope="module")
def cohort():
    """Two hundred rows of a true model, censored at random and all at 5."""
    rng = np.random.default_rng(11)
    lp = rng.normal(0, 1, 200)
    event_time, left = rng.exponential(8 * np.exp(-lp)), rng.uniform(1, 12, 200)
    time = np.minimum(np.minimum(event_time, left), 5.0)
    return FollowUp(time, event_time <= np.minimum(left, 5.0)), lp, -np.expm1(-5 / 8 * np.exp(lp))


def statuses(found):
    return {e.name.split(":")[0]: e.status for e in found}


def test_a_whole_claim_has_every_figure_and_a_curve(cohort):
    rows, lp, risk = cohort
    claim = SurvivalClaim(risk=risk, linear_predictor=lp, cumulative_hazard=rows.time / 8 * np.exp(lp))
    found, curves = judge_survival("m", rows, claim, asked=SurvivalAsked(5.0, 4.9, replicates=40))
    assert [e.name for e in found] == [f"{name}:m" for name in NAMES]
    assert set(statuses(found).values()) == {"ok"}
    assert all(e.low is not None and e.low <= e.high and e.method for e in found)
    assert len(curves[0].x) == 100


def test_a_score_has_only_what_ranks(cohort):
    rows, lp, _ = cohort
    found, curves = judge_survival("m", rows, SurvivalClaim(score=lp), asked=SurvivalAsked(5.0, 4.9))
    assert [name for name, status in statuses(found).items() if status == "ok"] == ["harrell", "uno", "auc_t"]
    assert {e.reason for e in found if e.name in ("brier:m", "ici:m")} == {"the claim is a score, not a probability"}
    assert curves == []


def test_without_a_horizon_only_the_figures_over_all_follow_up_are_had(cohort):
    rows, lp, risk = cohort
    found, _ = judge_survival("m", rows, SurvivalClaim(risk=risk, linear_predictor=lp))
    assert [name for name, status in statuses(found).items() if status == "ok"] == ["harrell", "uno", "slope"]
    assert {e.reason for e in found if e.name in ("auc_t:m", "o_e:m", "emax:m")} == {"no horizon was given"}


def test_a_claim_without_anything_that_ranks_is_refused():
    with pytest.raises(BadInput, match="no risk, no score and no linear predictor"):
        SurvivalClaim(cumulative_hazard=[0.1])


def test_a_horizon_beyond_follow_up_is_refused_with_the_largest_usable_time(cohort):
    rows, _, risk = cohort
    with pytest.raises(BadInput, match=r"'m' cannot be judged at 6: .*longest follow-up is 5.* largest usable time is 4\.\d+"):
        judge_survival("m", rows, SurvivalClaim(risk=risk), asked=SurvivalAsked(6.0, 4.9))


def test_a_horizon_at_which_everybody_is_censored_asks_for_weights_before_it(cohort):
    rows, _, risk = cohort
    with pytest.raises(BadInput, match="give such a horizon or weights_at"):
        judge_survival("m", rows, SurvivalClaim(risk=risk), asked=SurvivalAsked(5.0))


def test_in_a_group_too_short_a_follow_up_is_a_status(cohort):
    rows, lp, risk = cohort
    found, curves = survival_figures("m", rows, SurvivalClaim(risk=risk, linear_predictor=lp), asked=SurvivalAsked(6.0))
    reasons = {e.name: e.reason for e in found if e.status == "not_available"}
    assert reasons["o_e:m"] == "follow-up ends at 5, before 6"
    assert reasons["brier:m"].startswith("nobody is followed beyond time 6")
    assert statuses(found)["harrell"] == "ok"
    assert curves[0].reason == "follow-up ends at 5, before 6"


def test_a_risk_outside_its_range_names_the_claim(cohort):
    rows, _, risk = cohort
    with pytest.raises(BadInput, match=r"predictions of 'm' cannot be judged\..*look like percent"):
        judge_survival("m", rows, SurvivalClaim(risk=100 * risk))


def test_a_linear_predictor_with_gaps_is_refused(cohort):
    rows, lp, risk = cohort
    with pytest.raises(BadInput, match="1 of 200 rows have no finite prediction"):
        judge_survival("m", rows, SurvivalClaim(risk=risk, linear_predictor=np.append(lp[:-1], np.nan)))


@pytest.mark.parametrize(("hazard", "said"), [([0.1], "1 cumulative hazards for 3"), ([0.1, -0.2, 0.1], "must be 0 or more")])
def test_a_cumulative_hazard_of_another_length_or_sign_is_refused(hazard, said):
    with pytest.raises(BadInput, match=said):
        poisson_o_e("poisson_o_e:m", followed_rows([1.0, 2.0, 3.0], [1, 0, 1], [1, 2, 3]), hazard)


def test_when_everybody_is_censored_each_figure_says_why():
    rows = FollowUp(np.arange(1.0, 21.0), np.zeros(20))
    risk = np.linspace(0.1, 0.9, 20)
    claim = SurvivalClaim(risk=risk, linear_predictor=risk, cumulative_hazard=risk)
    found, curves = judge_survival("m", rows, claim, asked=SurvivalAsked(10.0))
    assert {e.name.split(":")[0] for e in found if e.status == "ok"} == {"brier", "brier_null"}
    assert all(e.reason for e in found if e.status != "ok")
    assert curves[0].reason == "nobody has the event by 10"


def test_a_single_event_breaks_nothing():
    rows = FollowUp(np.arange(1.0, 21.0), np.arange(20) == 4)
    risk = np.linspace(0.9, 0.1, 20) ** 2
    found, _ = judge_survival("m", rows, SurvivalClaim(risk=risk, linear_predictor=risk), asked=SurvivalAsked(10.0, replicates=20))
    assert all(e.status == "ok" or e.reason for e in found)


def test_a_constant_risk_ranks_no_one_and_has_no_slope_nor_curve(cohort):
    rows, _, _ = cohort
    claim = SurvivalClaim(risk=np.full(200, 0.4), linear_predictor=np.zeros(200))
    found, curves = judge_survival("m", rows, claim, asked=SurvivalAsked(5.0, 4.9))
    values = {e.name: e for e in found}
    assert [values[f"{name}:m"].value for name in ("harrell", "uno", "auc_t")] == [0.5, 0.5, 0.5]
    assert values["slope:m"].reason == "the linear predictor is the same for everyone, so there is no slope"
    assert values["ici:m"].status == "not_available"
    assert curves[0].x == ()


def test_a_linear_predictor_that_orders_the_events_perfectly_has_no_slope():
    found = slope("slope:m", followed_rows([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 0], [4.0, 3.0, 2.0, 1.0]))
    assert found.status == "not_available"
    assert "orders the events perfectly" in found.reason


def test_a_perfect_ranking_has_no_interval_and_says_so():
    found = harrell("harrell:m", followed_rows([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 0], [4.0, 3.0, 2.0, 1.0]))
    assert (found.value, found.low, found.reason) == (1.0, None, "its estimated variance is zero, so no interval can be had")


def test_an_interval_that_would_leave_the_unit_range_is_formed_on_the_logit_scale():
    found = harrell("harrell:m", followed_rows([1.0, 2.0, 3.0, 4.0, 5.0], [1, 1, 1, 1, 0], [9.0, 8.0, 7.0, 3.0, 4.0]))
    assert found.scale == "logit"
    assert 0 < found.low < found.value < found.high < 1


def test_one_patient_has_figures_without_errors():
    rows = followed_risks([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1], [0.9, 0.2, 0.4, 0.1], ["a"] * 4)
    for found in (harrell("harrell:m", rows), auc_t("auc_t:m", rows, 2.5), brier("brier:m", rows, 2.5), o_e("o_e:m", rows, 2.5)):
        assert found.value is not None
        assert (found.low, found.status) == (None, "too_few")
        assert found.reason.endswith("; too few patients for a standard error")


def test_risks_of_exactly_0_or_1_are_moved_inside_and_counted(cohort):
    rows, _, risk = cohort
    edge = np.where(np.arange(200) < 3, 0.0, risk)
    found = calibration_distances("m", followed_risks(rows.time, rows.event, edge), 5.0, replicates=0)
    assert "3 rows with risk 0 or 1 moved inside" in found[0].method


def test_distances_without_a_bootstrap_say_that_none_was_asked_for(cohort):
    rows, _, risk = cohort
    found = calibration_distances("m", followed_risks(rows.time, rows.event, risk), 5.0, replicates=0)
    assert {e.reason for e in found} == {"no interval: no bootstrap was asked for"}


def test_the_curves_of_a_true_model_hold_the_diagonal(cohort):
    rows, _, risk = cohort
    curve = calibration_curve("m", followed_risks(rows.time, rows.event, risk), 5.0)
    inside = np.mean([low <= x <= high for x, low, high in zip(curve.x, curve.low, curve.high, strict=True)])
    assert inside > 0.8


def test_differences_are_those_of_the_two_figures_and_need_the_same_rows(cohort):
    rows, lp, risk = cohort
    rng = np.random.default_rng(2)
    a, b = (followed_rows(rows.time, rows.event, scores) for scores in (risk, lp + rng.normal(size=200)))
    found = harrell_difference("harrell:a-minus-b", a, b)
    assert found.value == pytest.approx(harrell("harrell:a", a).value - harrell("harrell:b", b).value)
    assert 0 < found.se < harrell("harrell:a", a).se + harrell("harrell:b", b).se
    over_time = auc_t_difference("auc_t:a-minus-b", a, b, 4.0)
    assert over_time.value == pytest.approx(auc_t("auc_t:a", a, 4.0).value - auc_t("auc_t:b", b, 4.0).value)
    with pytest.raises(BadInput, match="same rows"):
        harrell_difference("harrell:a-minus-b", a, followed_rows(rows.time[::-1], rows.event, lp))


def test_the_difference_of_two_equal_rankings_is_zero_without_error(cohort):
    rows, lp, risk = cohort
    found = harrell_difference("harrell:a-minus-b", *(followed_rows(rows.time, rows.event, scores) for scores in (risk, lp)))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_clustered_slope_has_a_sandwich_error(cohort):
    rows, lp, _ = cohort
    patients = np.arange(200) // 2
    assert "sandwich error by patient" in slope("slope:m", followed_rows(rows.time, rows.event, lp, patients)).method


@pytest.mark.parametrize("figure", [harrell, uno])
def test_the_jackknife_error_is_near_that_of_leaving_each_row_out(figure, cohort):
    rows, lp, _ = cohort
    left = np.array([figure("c:m", followed_rows(*(np.delete(v, i) for v in (rows.time, rows.event, lp)))).value for i in range(200)])
    assert figure("c:m", followed_rows(rows.time, rows.event, lp)).se == pytest.approx(np.sqrt(199 * left.var()), rel=0.05)


@pytest.mark.parametrize("figure", [auc_t, brier, ipa])
def test_the_influence_error_is_near_that_of_leaving_each_row_out(figure, cohort):
    rows, _, risk = cohort
    left = np.array(
        [figure("c:m", followed_rows(*(np.delete(v, i) for v in (rows.time, rows.event, risk))), 4.0).value for i in range(200)]
    )
    assert figure("c:m", followed_rows(rows.time, rows.event, risk), 4.0).se == pytest.approx(np.sqrt(199 * left.var()), rel=0.03)
