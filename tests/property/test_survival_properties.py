"""What every survival figure owes to any cohort: order of rows, scale of scores, repeated rows, a plain cohort without censoring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from onclair.science.statistics.concordance import harrell, sorted_follow_up, uno, weighted_harrell, weighted_uno
from onclair.science.statistics.cox import FollowUp
from onclair.validate.censored import auc_t
from onclair.validate.discrimination import auc
from onclair.validate.followed import followed_rows
from onclair.validate.survival.claim import SurvivalAsked, SurvivalClaim, survival_figures

FIGURES = ("harrell", "uno", "auc_t", "brier", "brier_null", "ipa", "o_e", "poisson_o_e")


@st.composite
def cohorts(draw):
    """Times, events and risks of 12 to 40 rows, whole times so that many are tied."""
    n = draw(st.integers(12, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(1, 9, n).astype(float), rng.integers(0, 2, n), np.round(rng.uniform(0.05, 0.95, n), 1)


def figures(time, event, risk, patients=None):
    claim = SurvivalClaim(risk=risk, cumulative_hazard=risk * time)
    found, _ = survival_figures("m", FollowUp(time, event), claim, patients=patients, asked=SurvivalAsked(4.0, replicates=0))
    return {e.name.split(":")[0]: e for e in found if e.name.split(":")[0] in FIGURES}


@given(cohorts())
@cases(max_examples=30)
def test_the_order_of_the_rows_changes_no_figure(cohort):
    turned = figures(*(part[::-1] for part in cohort))
    for name, one in figures(*cohort).items():
        assert one.status == turned[name].status
        assert one.value == pytest.approx(turned[name].value, rel=1e-12)
        assert one.se == pytest.approx(turned[name].se, rel=1e-7, abs=1e-12)


@given(cohorts())
@cases(max_examples=30)
def test_a_rising_transform_of_the_score_changes_no_ranking_figure(cohort):
    time, event, risk = cohort
    plain, bent = followed_rows(time, event, risk), followed_rows(time, event, np.exp(5 * risk) - 3)
    assert harrell(time, event, plain.scores).value == pytest.approx(harrell(time, event, bent.scores).value, nan_ok=True)
    assert auc_t("auc_t:m", plain, 4.0).value == auc_t("auc_t:m", bent, 4.0).value


@given(cohorts())
@cases(max_examples=30)
def test_the_opposite_score_has_the_opposite_concordance(cohort):
    time, event, risk = cohort
    assert harrell(time, event, risk).value + harrell(time, event, -risk).value == pytest.approx(1, nan_ok=True)
    assert uno(time, event, risk).value + uno(time, event, -risk).value == pytest.approx(1, nan_ok=True)


@given(cohorts(), st.integers(0, 2**32 - 1))
@cases(max_examples=30)
def test_counting_a_row_is_repeating_it(cohort, seed):
    time, event, risk = cohort
    counts = np.random.default_rng(seed).integers(0, 4, time.size)
    counts[0] = 1
    repeated = [np.repeat(part, counts) for part in cohort]
    ready = sorted_follow_up(time, event, risk)
    assert weighted_harrell(ready, counts) == pytest.approx(harrell(*repeated).value, rel=1e-12, nan_ok=True)
    assert weighted_uno(ready, counts) == pytest.approx(uno(*repeated).value, rel=1e-10, nan_ok=True)


@given(cohorts(), st.integers(2, 4))
@cases(max_examples=25)
def test_repeating_the_rows_of_every_patient_changes_no_figure_and_narrows_no_interval(cohort, times):
    n = len(cohort[0])
    again = figures(*(np.repeat(part, times) for part in cohort), patients=np.repeat(np.arange(n), times))
    for name, one in figures(*cohort).items():
        other = again[name]
        assert (one.status, one.n, one.events) == (other.status, other.n, other.events)
        if one.status == "ok":
            assert other.value == pytest.approx(one.value, rel=1e-9, abs=1e-12)
        if name in ("auc_t", "brier", "ipa") and one.status == "ok" and one.scale == other.scale:
            assert other.se == pytest.approx(one.se, rel=1e-6, abs=1e-9)


@given(cohorts())
@cases(max_examples=20)
def test_without_censoring_auc_over_time_is_the_plain_auc(cohort):
    time, _, risk = cohort
    found = auc_t("auc_t:m", followed_rows(time, np.ones(time.size), risk), 4.0)
    plain = auc("auc:m", time <= 4, risk)
    if found.status == "ok":
        assert found.value == pytest.approx(plain.value, abs=1e-12)
