"""The cumulative incidence of one cause, how each row moves it, pseudo-values, and Wolbers' concordance."""

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.statistics.competing import aalen_johansen, incidence, incidence_influence, pseudo_values, time_order
from onclair.science.statistics.wolbers import wolbers_concordance

TIMES = [1.0, 2.0, 2.0, 2.0, 3.0, 4.0, 5.0]
EVENTS = [0, 1, 2, 0, 2, 1, 0]


def test_the_incidence_is_what_a_hand_finds():
    # 6 at risk at 2, of whom 1 has the event and 1 another; 3 at 3; 2 at 4, half of the 4/6 * 2/3 left
    curve = aalen_johansen(TIMES, EVENTS)
    assert curve.time.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert curve.incidence == pytest.approx([0, 1 / 6, 1 / 6, 1 / 6 + 2 / 9, 1 / 6 + 2 / 9])
    assert curve.free == pytest.approx([1, 4 / 6, 4 / 9, 2 / 9, 2 / 9])


def test_all_causes_and_staying_free_add_to_one():
    own, other = (aalen_johansen(TIMES, EVENTS, cause=cause) for cause in (1, 2))
    assert own.incidence + other.incidence + own.free == pytest.approx(np.ones(5))


def test_an_event_comes_before_a_censoring_at_the_same_time():
    assert float(aalen_johansen([1.0, 1.0], [1, 0]).at(1.0)) == 0.5


def test_rows_without_weight_do_not_count():
    curve = aalen_johansen(TIMES, EVENTS, weights=[1, 1, 0, 1, 0, 1, 1])
    assert curve.incidence[-1] == pytest.approx(float(aalen_johansen([1.0, 2, 2, 4, 5], [0, 1, 0, 1, 0]).at(5)))


@pytest.mark.parametrize("horizon", [0.5, 2.0, 3.5, 9.0])
def test_the_contribution_is_the_derivative_in_the_weight(horizon):
    ordered, weights = time_order(TIMES, EVENTS, horizon), np.array([1.0, 2, 1, 1, 3, 1, 1])
    value, parts = incidence_influence(ordered, weights)
    assert value == pytest.approx(incidence(ordered, weights)[0])
    for i, part in enumerate(parts):
        step = np.eye(len(weights))[i] * 1e-6
        assert part == pytest.approx((incidence(ordered, weights + step)[0] - incidence(ordered, weights - step)[0]) / 2e-6, abs=1e-6)
    assert weights @ parts == pytest.approx(0, abs=1e-12)


def test_follow_up_that_ends_censored_before_the_horizon_is_said_to_fall_short():
    ends_censored, ends_with_event = time_order([1.0, 2.0], [1, 0], 3.0), time_order([1.0, 2.0], [1, 2], 3.0)
    assert incidence(ends_censored, [1, 1]) == (0.5, False)
    assert incidence(ends_with_event, [1, 1]) == (0.5, True)
    assert incidence(time_order([1.0, 2.0], [1, 0], 2.0), [1, 1]) == (0.5, True)


@pytest.mark.parametrize("horizon", [1.0, 2.0, 3.0, 4.5, 5.0])
def test_pseudo_values_are_those_of_leaving_out_one_row_after_the_other(horizon):
    n, whole = len(TIMES), float(aalen_johansen(TIMES, EVENTS).at(horizon))
    without = [float(aalen_johansen(np.delete(TIMES, i), np.delete(EVENTS, i)).at(horizon)) for i in range(n)]
    assert pseudo_values(TIMES, EVENTS, horizon) == pytest.approx(n * whole - (n - 1) * np.array(without))


def test_the_pseudo_value_of_a_lone_row_is_its_outcome():
    assert pseudo_values([2.0], [1], 3.0).tolist() == [1.0]


def test_a_row_that_does_not_count_has_no_pseudo_value():
    found = pseudo_values(TIMES, EVENTS, 3.0, weights=[1, 0, 1, 1, 1, 1, 1])
    assert np.isnan(found).tolist() == [False, True, *[False] * 5]


def test_a_pseudo_value_refuses_part_of_a_row():
    with pytest.raises(BadInput, match="whole number"):
        pseudo_values([1.0, 2.0], [1, 0], 1.5, weights=[0.5, 1.0])


@pytest.mark.parametrize(
    ("time", "event", "weights"), [([], [], None), ([1.0, 2.0], [1], None), ([np.nan], [1], None), ([1.0], [1], [-1.0])]
)
def test_rows_that_cannot_be_used_are_refused(time, event, weights):
    with pytest.raises(BadInput):
        aalen_johansen(time, event, weights=weights)


def wolbers_by_pairs(time, event, scores, horizon, weights):
    """Every pair, written out; G from the weighted rows, events before censorings."""
    distinct = np.unique(time)
    leaving = [(weights[(time == u) & (event == 0)].sum(), weights[(time > u) | ((time == u) & (event == 0))].sum()) for u in distinct]
    right = total = 0.0

    def stays(t):
        return np.prod([1 - c / y for u, (c, y) in zip(distinct, leaving, strict=True) if u < t and c > 0])

    for i in np.flatnonzero((event == 1) & (time <= horizon)):
        for j in range(len(time)):
            later = time[j] > time[i] or (time[j] == time[i] and event[j] == 0)
            weight = stays(time[i]) ** -2 if later else 1 / stays(time[i]) / stays(time[j]) if event[j] == 2 else 0.0
            weight *= weights[i] * weights[j]
            right += weight * ((scores[i] > scores[j]) + 0.5 * (scores[i] == scores[j]))
            total += weight
    return right / total


def tied_cohort(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(1, 8, 25) * 1.0, rng.integers(0, 3, 25), rng.integers(0, 6, 25) * 1.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_wolbers_concordance_is_that_of_all_pairs_ties_included(seed):
    time, event, scores = tied_cohort(seed)
    assert wolbers_concordance(time, event, scores, 6.0).value == pytest.approx(wolbers_by_pairs(time, event, scores, 6.0, np.ones(25)))


def test_contributions_to_wolbers_concordance_are_its_derivatives_with_the_censoring_curve():
    time, event, scores = tied_cohort(4)
    found = wolbers_concordance(time, event, scores, 6.0)
    for i in range(25):
        step = np.eye(25)[i] * 1e-6
        up, down = (wolbers_by_pairs(time, event, scores, 6.0, 1 + sign * step) for sign in (1, -1))
        assert found.contributions[i] == pytest.approx((up - down) / 2e-6, abs=1e-6)


def test_wolbers_concordance_says_when_no_pair_can_be_compared():
    found = wolbers_concordance([1.0, 2.0], [0, 2], [0.1, 0.2])
    assert np.isnan(found.value)
    assert found.pairs == 0


def test_wolbers_concordance_refuses_scores_that_are_not_there():
    with pytest.raises(BadInput, match="one number a row"):
        wolbers_concordance([1.0, 2.0], [1, 0], [0.1, np.nan])
