"""Figures under competing risks against those frozen from riskRegression, pec and survival on the FOCUS validation cohort."""

import json

import numpy as np
import pandas as pd
import pytest

from onclair.science.statistics.competing import aalen_johansen
from onclair.validate.acting import acting_in_time
from onclair.validate.benefits import benefits
from onclair.validate.competing.calibration import observed_risk
from onclair.validate.competing.claim import judge_competing
from onclair.validate.followed import followed_risks


@pytest.fixture(scope="module")
def expected(reference_data):
    return json.loads((reference_data / "evidence" / "EXPECTED.json").read_text())["competing_risks_focus"]


@pytest.fixture(scope="module")
def focus(reference_data):
    table = pd.read_csv(reference_data / "evidence" / "focus_cr_val_pred.csv")
    return table.time.to_numpy(), table.status.to_numpy(), table.pred5.to_numpy()


@pytest.fixture(scope="module")
def found(focus):
    estimates, _ = judge_competing("m", *focus, horizon=5.0, thresholds=[0.05, 0.1, 0.2])
    return {e.name: e for e in estimates}


@pytest.mark.parametrize(
    ("name", "frozen"),
    [
        ("auc_t:m", "auc5"),
        ("c_index:m", "cindex_pec"),
        ("brier:m", "brier5"),
        ("brier_null:m", "brier5_null"),
        ("ipa:m", "ipa"),
        ("o_e:m", "o_e"),
    ],
)
def test_the_figure_is_the_frozen_one(name, frozen, found, expected):
    assert found[name].value == pytest.approx(expected[frozen], abs=1e-6)


def test_the_error_of_the_auc_holds_the_estimation_of_the_censoring_curve(found, expected):
    assert found["auc_t:m"].se == pytest.approx(expected["auc5_se"], abs=1e-6)


def test_the_observed_risk_and_its_error_are_survfits(focus, expected):
    observed = observed_risk("observed:all", followed_risks(*focus), 5.0)
    assert (observed.value, observed.se) == pytest.approx((expected["aj_risk"], expected["aj_se"]), abs=1e-6)
    assert float(aalen_johansen(focus[0], focus[1]).at(5.0)) == pytest.approx(expected["aj_risk"], abs=1e-6)


def test_the_interval_of_observed_over_expected_is_the_frozen_one(found, expected):
    assert (found["o_e:m"].low, found["o_e:m"].high) == pytest.approx(expected["o_e_ci"], abs=1e-6)


@pytest.mark.parametrize("figure", ["pseudo_intercept", "pseudo_slope"])
def test_recalibration_on_pseudo_values_is_the_published_one_with_its_interval(figure, found, expected):
    estimate, published = found[f"{figure}:m"], expected["published"][figure]
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize("threshold", ["0.05", "0.1", "0.2"])
def test_the_net_benefit_is_the_frozen_one(threshold, found, expected):
    assert found[f"nb:m@{threshold}"].value == pytest.approx(expected["nb"][threshold], abs=1e-6)


def test_no_risk_lies_at_a_threshold_so_more_than_and_at_least_flag_alike(focus, expected):
    thresholds = [float(t) for t in expected["nb"]]
    strictly = benefits("m", acting_in_time(followed_risks(*focus), 5.0), [np.nextafter(t, 1) for t in thresholds])
    assert [e.value for e in strictly] == pytest.approx(list(expected["nb"].values()), abs=1e-6)


def test_a_changed_status_changes_the_figures(focus, found):
    time, event, risk = focus
    first = np.flatnonzero((event == 1) & (time < 5))[0]
    altered = event.copy()
    altered[first] = 2
    again = {e.name: e.value for e in judge_competing("m", time, altered, risk, horizon=5.0)[0]}
    for name in ("auc_t:m", "c_index:m", "brier:m", "ipa:m", "o_e:m", "pseudo_slope:m"):
        assert abs(again[name] - found[name].value) > 1e-6
