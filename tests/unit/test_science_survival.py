"""Curves, weights, concordances and influences on tables that can be counted by hand."""

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.statistics.concordance import (
    harrell,
    sorted_follow_up,
    uno,
    uno_censoring_influence,
    weighted_harrell,
    weighted_placements,
    weighted_uno,
)
from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.cox_influence import baseline_influence, cox_influence
from onclair.science.statistics.survival import (
    censoring,
    censoring_influence,
    censoring_weights,
    kaplan_meier,
    kaplan_meier_influence,
    left_limit_influence,
    refuse_beyond,
    weights_influence,
)

STEP = 1e-5


@pytest.fixture(scope="module")
def tied():
    """Sixty rows with many tied times, censorings, events of two kinds and tied scores."""
    rng = np.random.default_rng(3)
    return np.ceil(rng.exponential(5.0, 60)), rng.integers(0, 3, 60), np.round(rng.normal(size=60), 1)


def slopes(figure, n):
    """Numerical derivatives of a figure of the row weights, at weights of one."""
    found = []
    for i in range(n):
        up, down = np.ones(n), np.ones(n)
        up[i] += STEP
        down[i] -= STEP
        found.append((figure(up) - figure(down)) / (2 * STEP))
    return np.array(found)


def listed_concordance(time, event, scores, pair_weights):
    """Concordance by listing every pair."""
    agrees = pairs = 0.0
    for i in np.flatnonzero(event):
        for j in range(len(time)):
            if time[j] > time[i] or (time[j] == time[i] and not event[j]):
                pairs += pair_weights[i]
                agrees += pair_weights[i] * ((scores[i] > scores[j]) + 0.5 * (scores[i] == scores[j]))
    return agrees / pairs


def test_the_curve_falls_only_at_events_and_holds_its_right_limit():
    curve = kaplan_meier([2.0, 1.0, 2.0, 3.0], [1, 0, 0, 1])
    np.testing.assert_allclose(curve.survival, [1.0, 2 / 3, 0.0])
    np.testing.assert_allclose(curve.at([1.9, 2.0, 3.0]), [1.0, 2 / 3, 0.0])
    np.testing.assert_allclose(curve.before([2.0, 3.0, 99.0]), [1.0, 2 / 3, 0.0])


def test_weights_are_repeated_rows():
    time, event = [1.0, 2.0, 2.0, 5.0], [1, 0, 1, 0]
    counted = kaplan_meier(time, event, weights=[2, 1, 3, 1])
    repeated = kaplan_meier(np.repeat(time, [2, 1, 3, 1]), np.repeat(event, [2, 1, 3, 1]))
    np.testing.assert_allclose(counted.survival, repeated.survival)


def test_rows_without_weight_leave_the_curve_finite():
    assert kaplan_meier([1.0, 2.0, 3.0], [1, 1, 1], weights=[1, 1, 0]).survival.tolist() == [0.5, 0.0, 0.0]


def test_an_event_is_no_longer_at_risk_of_censoring_at_its_own_time():
    assert censoring([1.0, 1.0, 1.0, 2.0], [1, 1, 0, 0]).survival.tolist() == [0.5, 0.0]


def test_a_competing_event_is_not_a_censoring():
    assert censoring([1.0, 2.0, 3.0], [1, 2, 1]).survival.tolist() == [1.0, 1.0, 1.0]


def test_the_weights_hand_the_censored_rows_on_and_keep_their_number(tied):
    time, event, _ = tied
    weights = censoring_weights(time, event, 6.0)
    assert weights.sum() == pytest.approx(60)
    assert (weights[(event == 0) & (time <= 6)] == 0).all()


def test_the_weighted_share_of_events_is_one_minus_kaplan_meier(tied):
    time, event, _ = tied
    any_event = event > 0
    weights = censoring_weights(time, any_event, 6.0)
    assert (weights * any_event * (time <= 6)).mean() == pytest.approx(1 - kaplan_meier(time, any_event).at(6.0))


def test_a_horizon_that_nobody_outlives_is_refused_with_the_largest_usable_time():
    with pytest.raises(BadInput, match="largest usable time is 3, and every time below 5"):
        censoring_weights([1.0, 3.0, 5.0, 5.0], [1, 1, 0, 1], 5.0)


def test_a_horizon_at_which_every_last_row_has_the_event_is_usable():
    refuse_beyond([1.0, 3.0, 5.0, 5.0], [1, 0, 1, 1], 5.0)


def test_a_single_follow_up_time_leaves_no_usable_horizon():
    with pytest.raises(BadInput, match="no time is usable"):
        refuse_beyond([5.0, 5.0], [0, 1], 5.0)


@pytest.mark.parametrize(("time", "event"), [([], []), ([1.0, np.nan], [1, 0]), ([1.0], [1, 0])])
def test_rows_that_are_missing_not_finite_or_of_another_length_are_refused(time, event):
    with pytest.raises(BadInput):
        kaplan_meier(time, event)


def test_the_kaplan_meier_influence_is_its_derivative_and_its_squares_are_greenwoods(tied):
    time, event, _ = tied
    parts = kaplan_meier_influence(time, event, 4.0)
    np.testing.assert_allclose(parts, slopes(lambda w: kaplan_meier(time, event, weights=w).at(4.0), 60), atol=1e-8)
    curve = kaplan_meier(time, event)
    by = curve.time <= 4.0
    greenwood = curve.at(4.0) ** 2 * (curve.events / (curve.at_risk * (curve.at_risk - curve.events)))[by].sum()
    assert parts @ parts == pytest.approx(greenwood, rel=1e-12)


def test_a_curve_that_has_reached_zero_has_no_influence():
    assert not kaplan_meier_influence([1.0, 2.0], [1, 1], 2.0).any()
    assert not censoring_influence([1.0, 2.0], [0, 0], 2.0).any()


def test_the_censoring_influences_are_derivatives(tied):
    time, event, sensitivity = tied

    def weighted_sum(w):
        return sensitivity @ censoring_weights(time, event, 4.0, weights=w)

    def log_before(w):
        stays = censoring(time, event, weights=w).before(time)
        return sensitivity @ np.log(np.where(stays > 0, stays, 1.0))

    np.testing.assert_allclose(
        censoring_influence(time, event, 4.0), slopes(lambda w: censoring(time, event, weights=w).at(4.0), 60), atol=1e-8
    )
    np.testing.assert_allclose(weights_influence(time, event, 4.0, sensitivity), slopes(weighted_sum, 60), atol=1e-7)
    np.testing.assert_allclose(left_limit_influence(time, event, sensitivity), slopes(log_before, 60), atol=1e-7)


def test_harrell_counts_every_pair_once_and_ties_in_score_one_half(tied):
    time, event, scores = tied
    assert harrell(time, event == 1, scores).value == pytest.approx(listed_concordance(time, event == 1, scores, np.ones(60)), abs=1e-14)


def test_uno_weighs_the_pairs_by_the_censoring_curve_just_before_their_event(tied):
    time, event, scores = tied
    seen = event == 1
    stays = censoring(time, seen).before(time)
    expected = listed_concordance(time, seen, scores, np.divide(1.0, stays**2, out=np.zeros(60), where=seen))
    assert uno(time, seen, scores).value == pytest.approx(expected, abs=1e-13)


def test_uno_counts_only_events_before_tau(tied):
    time, event, scores = tied
    seen = event == 1
    stays = censoring(time, seen).before(time)
    early = seen & (time < 4)
    expected = listed_concordance(time, early, scores, np.divide(1.0, stays**2, out=np.zeros(60), where=early))
    assert 0 < early.sum() < seen.sum()
    assert uno(time, seen, scores, tau=4.0).value == pytest.approx(expected, abs=1e-13)


def test_the_contributions_are_derivatives_of_the_weighted_concordance(tied):
    time, event, scores = tied
    seen = event == 1
    ready = sorted_follow_up(time, seen, scores)
    found = uno(time, seen, scores)
    np.testing.assert_allclose(harrell(time, seen, scores).contributions, slopes(lambda w: weighted_harrell(ready, w), 60), atol=1e-8)
    whole = found.contributions + uno_censoring_influence(time, seen, found)
    np.testing.assert_allclose(whole, slopes(lambda w: weighted_uno(ready, w), 60), atol=1e-8)


def test_a_constant_score_has_a_concordance_of_one_half_without_influence():
    found = harrell([1.0, 2.0, 3.0], [1, 1, 0], [7.0, 7.0, 7.0])
    assert found.value == 0.5
    assert not found.contributions.any()


def test_without_a_comparable_pair_there_is_no_concordance():
    assert np.isnan(harrell([1.0, 2.0], [0, 1], [0.1, 0.2]).value)
    assert np.isnan(weighted_harrell(sorted_follow_up([1.0, 2.0], [1, 0], [0.1, 0.2]), [0, 5]))


def test_a_score_that_is_missing_is_refused():
    with pytest.raises(BadInput, match="drop or fill"):
        harrell([1.0, 2.0], [1, 0], [np.nan, 0.2])


def test_placements_of_cases_and_of_controls_have_one_mean():
    cases, controls = np.array([2.0, 0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 3.0])
    above, below = weighted_placements([0.3, 0.3, 0.9, 0.1], cases, controls)
    assert cases @ above / 3 == pytest.approx(controls @ below / 4)
    with pytest.raises(BadInput, match="need cases and controls"):
        weighted_placements([0.1, 0.2], [0, 0], [1, 1])


def many_times(values, copies, more):
    """Every row `copies` times, and row `more` once again."""
    return np.concatenate([np.repeat(values, copies, axis=0), values[more : more + 1]])


@pytest.mark.parametrize("row", [0, 5])
def test_the_cox_influence_is_what_one_more_row_adds(row):
    rng = np.random.default_rng(5)
    time, event, x = rng.exponential(5.0, 25), rng.integers(0, 2, 25), rng.normal(size=(25, 2))
    whole = FollowUp(time, event)
    fit = cox(x, whole)
    more = cox(many_times(x, 1000, row), FollowUp(many_times(time, 1000, row), many_times(event, 1000, row)), ties="breslow")
    influence = cox_influence(fit, x, whole)
    np.testing.assert_allclose(1000 * (more.coefficients - fit.coefficients), influence[row], rtol=5e-3, atol=1e-4)
    moved = 1000 * (more.baseline[0].at(4.0) - fit.baseline[0].at(4.0))
    assert moved == pytest.approx(baseline_influence(fit, x, whole, 4.0)[row], rel=5e-3, abs=1e-4)


def test_influences_under_efrons_ties_and_strata_sum_to_zero(tied):
    time, event, scores = tied
    rows = FollowUp(time, event == 1, np.arange(60) % 2)
    design = np.column_stack([scores, scores**2])
    np.testing.assert_allclose(cox_influence(cox(design, rows), design, rows).sum(axis=0), 0, atol=1e-9)
    plain = FollowUp(time, event == 1)
    assert baseline_influence(cox(design, plain), design, plain, 4.0).sum() == pytest.approx(0, abs=1e-12)


def test_a_stratified_baseline_and_a_failed_fit_have_no_influence(tied):
    time, event, scores = tied
    rows = FollowUp(time, event == 1, np.arange(60) % 2)
    with pytest.raises(BadInput, match="2 strata"):
        baseline_influence(cox(scores[:, None], rows), scores[:, None], rows, 4.0)
    nothing = FollowUp(time, np.zeros(60))
    with pytest.raises(BadInput, match="there is no event"):
        cox_influence(cox(scores[:, None], nothing), scores[:, None], nothing)
