"""Figures of a claim about an event that others may forestall: what is refused, what has no answer, what clusters change."""

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.validate.binary import Claim
from onclair.validate.censored import auc_t_difference
from onclair.validate.competing.claim import competing_estimates, judge_competing
from onclair.validate.followed import followed_risks

FIGURES = ["auc_t", "c_index", "brier", "brier_null", "ipa", "o_e", "pseudo_intercept", "pseudo_slope", "ici", "e50", "e90"]


def cohort(seed=0, n=120):
    rng = np.random.default_rng(seed)
    risk = rng.uniform(0.05, 0.8, n)
    own, other, left = rng.exponential(5 / risk), rng.exponential(20, n), rng.uniform(2, 30, n)
    time = np.minimum(np.minimum(own, other), left)
    return time, np.where(time == left, 0, np.where(time == own, 1, 2)), risk


def by_name(found):
    return {e.name: e for e in found}


def test_every_figure_of_a_risk_is_there_with_its_interval():
    found, curves = judge_competing("m", *cohort(), horizon=8.0, thresholds=[0.2], replicates=20)
    assert [e.name for e in found] == [*(f"{f}:m" for f in FIGURES), "nb:m@0.2", "snb:m@0.2", "avoided:m@0.2"]
    assert all(e.status == "ok" and e.low <= e.high and e.se > 0 for e in found)
    assert [(c.name, c.who, c.low is not None) for c in curves] == [("calibration", "m", True), ("decision", "m", True)]


def test_a_score_only_ranks():
    time, event, risk = cohort()
    found, curves = judge_competing("m", time, event, Claim(10 * risk, kind="score"), horizon=8.0, thresholds=[0.2])
    assert {e.name for e in found if e.status == "ok"} == {"auc_t:m", "c_index:m"}
    assert by_name(found)["nb:m@0.2"].reason == "the claim is a score, not a probability"
    assert curves == []


def test_a_score_without_a_horizon_has_its_concordance():
    time, event, risk = cohort()
    found = by_name(judge_competing("m", time, event, Claim(risk, kind="score"))[0])
    assert found["c_index:m"].status == "ok"
    assert found["auc_t:m"].reason == "no horizon was given"


def test_a_horizon_beyond_follow_up_is_refused_with_the_largest_usable_time():
    with pytest.raises(BadInput, match=r"largest usable time is 2, .* give such a horizon"):
        judge_competing("m", [1.0, 2.0, 3.0], [1, 2, 0], [0.5, 0.2, 0.1], horizon=4.0)


def test_a_cohort_censored_at_the_horizon_needs_its_weights_taken_before():
    time, event, risk = cohort()
    event, time = np.where(time > 8, 0, event), np.minimum(time, 8.0)
    with pytest.raises(BadInput, match="or weights_at"):
        judge_competing("m", time, event, risk, horizon=8.0)
    found = by_name(judge_competing("m", time, event, risk, horizon=8.0, weights_at=7.9)[0])
    assert found["brier:m"].status == found["o_e:m"].status == "ok"
    assert "at 7.9" in found["brier:m"].method
    assert "at 8" in found["o_e:m"].method


def test_a_group_followed_too_short_has_reasons_instead():
    found, curves = competing_estimates("m", [1.0, 2.0, 3.0], [1, 2, 0], [0.5, 0.2, 0.1], horizon=4.0, thresholds=[0.2])
    assert {e.name for e in found if e.status == "ok"} == {"c_index:m"}
    assert "largest usable time is 3" in by_name(found)["nb:m@0.2"].reason
    assert all(not curve.x for curve in curves)


def test_no_event_of_interest_is_an_answer():
    time, event, risk = cohort()
    found, curves = judge_competing("m", time, np.where(event == 1, 0, event), risk, horizon=8.0, thresholds=[0.2])
    named = by_name(found)
    assert {e.name for e in found if e.status == "ok"} == {"brier:m", "brier_null:m", "nb:m@0.2", "avoided:m@0.2"}
    assert named["o_e:m"].reason == named["auc_t:m"].reason == "nobody has the event by 8"
    assert named["snb:m@0.2"].reason == "there is no event"
    assert curves[0].reason == "nobody has the event by 8"


def test_one_risk_for_all_ranks_nobody_and_has_no_slope():
    time, event, _ = cohort()
    found, curves = judge_competing("m", time, event, np.full(time.size, 0.3), horizon=8.0)
    named = by_name(found)
    assert (named["auc_t:m"].value, named["c_index:m"].value, named["auc_t:m"].se) == (0.5, 0.5, 0.0)
    assert named["pseudo_slope:m"].value is None
    assert named["ici:m"].value is None
    assert not curves[0].x
    assert named["pseudo_intercept:m"].status == "ok"


def test_a_risk_in_percent_is_refused_naming_the_claim():
    time, event, risk = cohort()
    with pytest.raises(BadInput, match=r"'m' cannot be judged.*percent"):
        judge_competing("m", time, event, 100 * risk, horizon=8.0)


def test_a_threshold_in_percent_is_refused():
    with pytest.raises(BadSetting, match=r"20 percent is 0.2"):
        judge_competing("m", *cohort(), horizon=8.0, thresholds=[20])


def test_writing_every_patient_twice_leaves_figures_and_errors_alone():
    time, event, risk = cohort()
    once = judge_competing("m", time, event, risk, horizon=8.0, thresholds=[0.2])[0]
    patients = np.tile(np.arange(time.size), 2)
    twice = judge_competing("m", *(np.tile(v, 2) for v in (time, event, risk)), patients=patients, horizon=8.0, thresholds=[0.2])[0]
    for a, b in zip(once, twice, strict=True):
        # a concordance also counts each row's own copy and loess its own window; pseudo-values differ by 1/n
        close = 0.05 if a.name.split(":")[0] in ("c_index", "ici", "e50", "e90", "pseudo_slope", "pseudo_intercept") else 1e-9
        assert b.value == pytest.approx(a.value, abs=close)
        assert (a.n, a.events) == (b.n, b.events)
        if a.name in ("auc_t:m", "brier:m", "brier_null:m", "ipa:m", "nb:m@0.2", "snb:m@0.2", "avoided:m@0.2"):
            assert b.se == pytest.approx(a.se)


def test_two_claims_alike_do_not_differ():
    time, event, risk = cohort()
    a, b = followed_risks(time, event, risk), followed_risks(time, event, risk**2)
    found = auc_t_difference("auc_t:a-minus-b", a, b, 8.0)
    assert (found.value, found.se, found.low, found.high) == (0.0, 0.0, 0.0, 0.0)


def test_a_paired_difference_is_surer_than_two_figures_apart():
    time, event, risk = cohort()
    noisy = np.clip(risk + np.random.default_rng(1).normal(0, 0.1, risk.size), 0, 1)
    a, b = followed_risks(time, event, risk), followed_risks(time, event, noisy)
    found = auc_t_difference("auc_t:a-minus-b", a, b, 8.0)
    apart = [by_name(judge_competing("m", time, event, p, horizon=8.0)[0])["auc_t:m"] for p in (risk, noisy)]
    assert found.value == pytest.approx(apart[0].value - apart[1].value)
    assert 0 < found.se < np.hypot(apart[0].se, apart[1].se)


def test_a_paired_difference_refuses_rows_that_differ():
    time, event, risk = cohort()
    with pytest.raises(BadInput, match="same rows"):
        auc_t_difference("auc_t:a-minus-b", followed_risks(time, event, risk), followed_risks(time[::-1], event, risk), 8.0)


def test_the_result_does_not_depend_on_who_computes_the_replicates():
    def backwards(function, units):
        return list(reversed([function(unit) for unit in reversed(list(units))]))

    ours, theirs = (judge_competing("m", *cohort(n=60), horizon=8.0, thresholds=[0.2], replicates=60, map=m) for m in (map, backwards))
    assert ours == theirs
