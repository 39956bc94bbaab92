"""Net benefit under every kind of outcome: cohort, cases and controls, survival, competing risks; and what follows from it."""

import pickle

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.validate.acting import acting_in_time, acting_on
from onclair.validate.benefits import (
    benefit_differences,
    benefits,
    benefits_of_all_or_none,
    interventions_avoided,
    standardised_benefits,
)
from onclair.validate.followed import followed_risks
from onclair.validate.utility import decision_band, decision_curve, net_benefit


def followed(seed=0, n=200, patients=None):
    rng = np.random.default_rng(seed)
    risk = rng.uniform(0.05, 0.9, n)
    own, other, left = rng.exponential(4 / risk), rng.exponential(20, n), rng.uniform(1, 20, n)
    time = np.minimum(np.minimum(own, other), left)
    event = np.where(time == left, 0, np.where(time == own, 1, 2))
    return followed_risks(time, event, risk, patients)


def seen(seed=0, n=200):
    rng = np.random.default_rng(seed)
    risk = rng.uniform(0.05, 0.9, n)
    return rng.random(n) < risk, risk


def every_kind():
    truth, risk = seen()
    return {"cohort": acting_on(truth, risk), "sampled": acting_on(truth, risk, prevalence=0.1), "in time": acting_in_time(followed(), 5.0)}


KINDS = ["cohort", "sampled", "in time"]


def test_nobody_followed_shorter_is_a_binary_outcome():
    rows = followed()
    known = (rows.event == 1) & (rows.time <= 5.0)
    complete = followed_risks(np.where(rows.event == 0, 30.0, rows.time), rows.event, rows.scores)
    in_time = benefits("m", acting_in_time(complete, 5.0), [0.2, 0.5])
    for a, b in zip(in_time, net_benefit("m", known, rows.scores, [0.2, 0.5]), strict=True):
        assert (a.value, a.se) == pytest.approx((b.value, b.se))


def test_a_case_control_table_at_its_own_share_is_a_cohort():
    truth, risk = seen()
    as_sampled = benefits("m", acting_on(truth, risk, prevalence=truth.mean()), [0.2, 0.5])
    assert [e.value for e in as_sampled] == pytest.approx([e.value for e in net_benefit("m", truth, risk, [0.2, 0.5])])


def test_more_controls_leave_a_case_control_net_benefit_alone():
    truth, risk = seen()
    again = np.concatenate([risk, risk[~truth]]), np.concatenate([truth, truth[~truth]])
    a, b = (benefits("m", acting_on(t, p, prevalence=0.1), [0.3])[0].value for p, t in ((risk, truth), again))
    assert a == pytest.approx(b)


@pytest.mark.parametrize("prevalence", [0, 1, 20])
def test_a_prevalence_that_is_no_share_is_refused(prevalence):
    with pytest.raises(BadSetting, match=r"20 percent is 0.2"):
        acting_on([0, 1], [0.1, 0.2], prevalence=prevalence)


def test_cases_without_controls_have_a_reason():
    found = benefits("m", acting_on([1, 1], [0.1, 0.2], prevalence=0.1), [0.3])[0]
    assert (found.status, found.reason) == ("not_available", "only one class is present: 2 of 2 rows are positive")


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_flagged_is_worth_nothing_by_definition(kind):
    found = benefits("m", every_kind()[kind], [0.95])[0]
    assert (found.value, found.se, found.status) == (0.0, 0.0, "ok")
    assert found.method.startswith("nobody is flagged: 0 by definition")


@pytest.mark.parametrize("kind", KINDS)
def test_flagging_everybody_is_treating_all_and_avoids_nothing(kind):
    acting = every_kind()[kind]
    low = benefits("m", acting, [0.01])[0]
    assert (low.value, low.se) == (benefits_of_all_or_none(acting, [0.01])[0].value, benefits_of_all_or_none(acting, [0.01])[0].se)
    avoided = interventions_avoided("m", acting, [0.01])[0]
    assert (avoided.value, avoided.se, avoided.unit) == (0.0, 0.0, "per 100 patients")
    assert avoided.method.startswith("everyone is flagged: 0 by definition")


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_from_net_benefit_follows_its_formula(kind):
    acting = every_kind()[kind]
    nb, every, none = (e.value for e in benefits("m", acting, [0.3]) + benefits_of_all_or_none(acting, [0.3]))
    share = (every + 0.3 / 0.7) / (1 + 0.3 / 0.7)
    assert standardised_benefits("m", acting, [0.3])[0].value == pytest.approx(nb / share)
    assert interventions_avoided("m", acting, [0.3])[0].value == pytest.approx(100 * (nb - every) / (0.3 / 0.7))
    assert none == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("figure", [benefits, standardised_benefits, interventions_avoided])
def test_the_first_order_error_is_that_of_drawing_patients_anew(kind, figure):
    acting = every_kind()[kind]
    found = figure("m", acting, [0.3])[0]
    rng, drawn = np.random.default_rng(5), []
    size = acting.rows.size
    for _ in range(300):
        rows = rng.integers(0, size, size)
        if kind == "in time":
            again = acting_in_time(followed_risks(acting.rows.time[rows], acting.rows.event[rows], acting.rows.scores[rows]), 5.0)
        else:
            cases, controls = np.flatnonzero(acting.rows.truth), np.flatnonzero(~acting.rows.truth)
            if kind == "sampled":
                rows = np.concatenate([rng.choice(cases, cases.size), rng.choice(controls, controls.size)])
            again = acting_on(acting.rows.truth[rows], acting.rows.scores[0][rows], prevalence=0.1 if kind == "sampled" else None)
        drawn.append(figure("m", again, [0.3])[0].value)
    assert found.se == pytest.approx(np.std(drawn, ddof=1), rel=0.15)


def test_rows_of_one_patient_widen_the_interval():
    owners = np.repeat(np.arange(50), 4)
    rng = np.random.default_rng(2)
    own, shift = rng.random(50), rng.random(200) * 0.05
    truth, risk = np.repeat(own > 0.5, 4), np.clip(np.repeat(own, 4) * 0.9 + shift, 0, 1)
    apart, together = (benefits("m", acting_on(truth, risk, p), [0.4])[0] for p in (None, owners))
    assert apart.value == together.value
    assert 1.7 < together.se / apart.se < 2.1
    assert (together.n, apart.n) == (50, 200)


def test_those_flagged_and_followed_too_short_have_no_net_benefit_but_the_others_do():
    rows = followed_risks([1.0, 2.0, 3.0, 6.0, 7.0], [0, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.3, 0.2])
    acting = acting_in_time(rows, 5.0)
    high, low = benefits("m", acting, [0.5, 0.1])
    assert (high.value, high.reason) == (None, "the longest follow-up of the 3 flagged rows is 3, short of 5")
    assert low.status == "ok"
    assert interventions_avoided("m", acting, [0.5])[0].reason == high.reason


def test_a_horizon_beyond_follow_up_is_refused_with_the_largest_usable_time():
    with pytest.raises(BadInput, match="largest usable time is"):
        acting_in_time(followed(), 500.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_claim_against_itself_makes_no_difference(kind):
    acting = every_kind()[kind]
    found = benefit_differences(("a", "b"), (acting, acting), [0.3])[0]
    assert (found.name, found.value, found.se) == ("nb:a-minus-b@0.3", 0.0, 0.0)


def test_a_paired_difference_has_the_error_of_the_paired_contributions():
    truth, risk = seen()
    other = np.clip(risk + np.random.default_rng(3).normal(0, 0.2, risk.size), 0, 1)
    a, b = acting_on(truth, risk), acting_on(truth, other)
    found = benefit_differences(("a", "b"), (a, b), [0.5])[0]
    each = (np.where(truth, 1, -1) * (risk >= 0.5)) - (np.where(truth, 1, -1) * (other >= 0.5))
    assert (found.value, found.se) == pytest.approx((each.mean(), each.std(ddof=1) / np.sqrt(each.size)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_replicate_is_the_net_benefit_of_the_rows_drawn(kind):
    acting = every_kind()[kind]
    thresholds = np.array([0.2, 0.4, 0.6])
    weights = np.random.default_rng(0).poisson(1, acting.rows.size).astype(float)
    found = acting.under(acting.bins(thresholds), thresholds / (1 - thresholds), weights)
    rows = np.repeat(np.arange(acting.rows.size), weights.astype(int))
    if kind == "in time":
        again = acting_in_time(followed_risks(acting.rows.time[rows], acting.rows.event[rows], acting.rows.scores[rows]), 5.0)
    else:
        again = acting_on(acting.rows.truth[rows], acting.rows.scores[0][rows], prevalence=0.1 if kind == "sampled" else None)
    assert found == pytest.approx([e.value for e in benefits("m", again, thresholds)])


@pytest.mark.parametrize("kind", KINDS)
def test_the_band_holds_the_curve_and_is_the_same_on_any_workers(kind):
    acting = pickle.loads(pickle.dumps(every_kind()[kind]))
    curve = decision_curve("m", benefits("m", acting, [0.2, 0.4]))
    band = decision_band(curve, acting, replicates=100, seed=3)
    again = decision_band(curve, acting, replicates=100, seed=3, map=lambda f, units: [f(u) for u in list(units)])
    assert band == again
    assert all(low <= y <= high for low, y, high in zip(band.low, band.y, band.high, strict=True))
    assert band.low != curve.low
    assert "percentile bootstrap of patients, 100 replicates" in band.method


def test_without_replicates_the_curve_keeps_its_own_band():
    acting = every_kind()["cohort"]
    curve = decision_curve("m", benefits("m", acting, [0.2]))
    assert decision_band(curve, acting, replicates=0) is curve


def test_a_band_that_most_replicates_lack_is_not_given():
    rows = followed_risks([2.0, 6.0, 3.0, 4.0, 6.5, 7.0], [1, 0, 0, 0, 1, 0], [0.9, 0.9, 0.8, 0.7, 0.3, 0.2])
    acting = acting_in_time(rows, 5.0)
    curve = decision_curve("m", benefits("m", acting, [0.5]))
    found = decision_band(curve, acting, replicates=100)
    assert found.low == curve.low
    assert found.reason.startswith("no bootstrap band:")


def test_treating_on_repeats_is_the_mean_of_treating_on_each():
    truth, risk = seen()
    lines = np.stack([risk, risk**2])
    found = benefits("m", acting_on(truth, lines), [0.4])[0]
    assert found.value == pytest.approx(np.mean([benefits("m", acting_on(truth, line), [0.4])[0].value for line in lines]))


@pytest.mark.parametrize("figure", [benefits, standardised_benefits, interventions_avoided])
def test_a_threshold_that_is_no_probability_is_refused(figure):
    with pytest.raises(BadSetting, match="not a probability between 0 and 1"):
        figure("m", every_kind()["cohort"], [1.0])
