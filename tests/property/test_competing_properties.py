"""What must hold of competing risks for any cohort: no competing event is survival, a weight is repetition, order is nothing."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from onclair.science.statistics.competing import aalen_johansen, incidence_influence, pseudo_values, time_order
from onclair.science.statistics.concordance import uno
from onclair.science.statistics.survival import kaplan_meier, kaplan_meier_influence
from onclair.science.statistics.wolbers import wolbers_concordance
from onclair.validate.acting import acting_in_time
from onclair.validate.benefits import benefits
from onclair.validate.censored import auc_t, brier_null
from onclair.validate.competing.calibration import o_e
from onclair.validate.competing.ranking import c_index
from onclair.validate.followed import followed_risks
from onclair.validate.survival.calibration import o_e as survival_o_e


@st.composite
def cohorts(draw, highest=2):
    """Times on a coarse grid, so that every kind of tie occurs."""
    n = draw(st.integers(3, 25))
    time = np.array(draw(st.lists(st.integers(1, 8), min_size=n, max_size=n)), dtype=float)
    event = np.array(draw(st.lists(st.integers(0, highest), min_size=n, max_size=n)))
    risk = np.array(draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))) / 10
    return time, event, risk


horizons = st.sampled_from([1.0, 2.5, 4.0, 6.5])


@given(cohorts(highest=1), horizons)
@settings(max_examples=60)
def test_without_competing_events_the_incidence_is_what_kaplan_meier_leaves(cohort, horizon):
    time, event, _ = cohort
    assert aalen_johansen(time, event).at(horizon) == pytest.approx(1 - kaplan_meier(time, event).at(horizon))
    moved = incidence_influence(time_order(time, event, horizon))[1]
    assert moved == pytest.approx(-kaplan_meier_influence(time, event, horizon), abs=1e-12)


@given(cohorts(highest=1), horizons)
@settings(max_examples=60)
def test_without_competing_events_the_null_risk_is_that_of_survival(cohort, horizon):
    rows = followed_risks(*cohort)
    null, risk = brier_null("brier_null:m", rows, horizon), 1 - float(kaplan_meier(rows.time, rows.event).at(horizon))
    if null.value is not None:
        assert null.value == pytest.approx(risk * (1 - risk))
        assert "Kaplan-Meier" in null.method
    ours, theirs = o_e("o_e:m", rows, horizon), survival_o_e("o_e:m", rows, horizon)
    assert ours.value == (None if theirs.value is None else pytest.approx(theirs.value))


@given(cohorts(highest=1), horizons)
@settings(max_examples=60)
def test_without_competing_events_wolbers_is_uno(cohort, horizon):
    time, event, risk = cohort
    # uno's tau leaves out events at it, a horizon holds them
    ours, theirs = wolbers_concordance(time, event, risk, horizon).value, uno(time, event, risk, tau=np.nextafter(horizon, np.inf)).value
    assert ours == pytest.approx(theirs, nan_ok=True)


@given(cohorts(), horizons, st.data())
@settings(max_examples=60)
def test_a_weight_is_repetition(cohort, horizon, data):
    time, event, _ = cohort
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=time.size, max_size=time.size)))
    assume(counts.sum() > 0)
    rows = np.repeat(np.arange(time.size), counts)
    weighted, repeated = aalen_johansen(time, event, weights=counts), aalen_johansen(time[rows], event[rows])
    assert weighted.at(horizon) == pytest.approx(repeated.at(horizon))
    assert pseudo_values(time, event, horizon, weights=counts)[rows] == pytest.approx(pseudo_values(time[rows], event[rows], horizon))
    ours = incidence_influence(time_order(time, event, horizon), counts)[1][rows]
    assert ours == pytest.approx(incidence_influence(time_order(time[rows], event[rows], horizon))[1])


@given(cohorts(), horizons)
@settings(max_examples=60)
def test_without_censoring_pseudo_values_are_the_outcomes(cohort, horizon):
    time, event, _ = cohort
    seen = np.where(event == 0, 2, event)
    assert pseudo_values(time, seen, horizon) == pytest.approx(((seen == 1) & (time <= horizon)).astype(float), abs=1e-9)


@given(cohorts(), horizons, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_the_rows_is_nothing(cohort, horizon, shuffler):
    time, event, risk = cohort
    order = list(range(time.size))
    shuffler.shuffle(order)
    assume(horizon <= time.max())

    def judged(rows):
        followed = followed_risks(time[rows], event[rows], risk[rows])
        found = [auc_t("auc_t:m", followed, horizon), c_index("c_index:m", followed, horizon)]
        return [*found, *benefits("m", acting_in_time(followed, horizon), [0.25, 0.55])]

    for a, b in zip(judged(np.arange(time.size)), judged(np.array(order)), strict=True):
        assert (a.status, a.value is None) == (b.status, b.value is None)
        assert (a.value or 0, a.se or 0) == pytest.approx((b.value or 0, b.se or 0), abs=1e-9)


@given(cohorts(), horizons)
@settings(max_examples=60)
def test_a_claim_turned_round_has_the_rest_of_the_concordance(cohort, horizon):
    time, event, risk = cohort
    ours, theirs = (wolbers_concordance(time, event, s, horizon).value for s in (risk, -risk))
    assert 1 - ours == pytest.approx(theirs, nan_ok=True)
