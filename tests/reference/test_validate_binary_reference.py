"""The binary figures against those frozen from pROC, CalibrationCurves and rms."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import special

from onclair.science.statistics.glm import with_intercept
from onclair.science.statistics.recalibration import wald_interval_as_r, weighted_slope
from onclair.science.statistics.splines import knots
from onclair.validate.calibration import calibration_distances, slope, spiegelhalter, u_test
from onclair.validate.discrimination import auc, auc_influence, partial_auc
from onclair.validate.overall import nagelkerke
from onclair.validate.rows import judged_risks, judged_rows


@pytest.fixture(scope="module")
def expected(reference_data):
    return json.loads((reference_data / "evidence" / "EXPECTED.json").read_text())


@pytest.fixture(scope="module")
def block(expected):
    return expected["calibration_cases"]


@pytest.fixture(scope="module")
def cases(reference_data):
    table = pd.read_csv(reference_data / "evidence" / "calibration_cases.csv")
    return table.y.to_numpy(), table.p.to_numpy()


@pytest.fixture(scope="module")
def haemorrhage(reference_data):
    table = pd.read_csv(reference_data / "evidence" / "aSAH.csv")
    return (table.outcome == "Poor").to_numpy(), table


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_the_partial_area_and_its_correction_are_procs(marker, haemorrhage, expected):
    truth, table = haemorrhage
    frozen = expected["aSAH_delong"]["pauc_spec_0.9_1"]
    plain, corrected = partial_auc(marker, truth, table[marker], specificity=(0.9, 1.0))
    assert plain.value == pytest.approx(frozen[marker], abs=1e-8)
    assert corrected.value == pytest.approx(frozen[f"{marker}_corrected"], abs=1e-8)


def test_the_covariance_of_two_markers_is_procs(haemorrhage, expected):
    truth, table = haemorrhage
    a, b = (auc_influence(judged_rows(truth, table[marker]))[1] for marker in ("s100b", "ndka"))
    m, k = truth.sum(), (~truth).sum()
    covariance = m / (m - 1) * (a[truth] @ b[truth]) + k / (k - 1) * (a[~truth] @ b[~truth])
    assert covariance == pytest.approx(expected["aSAH_delong"]["cov_s100b_ndka"], abs=1e-8)


def test_the_auc_of_many_repeats_of_a_marker_is_that_of_the_marker(haemorrhage, expected):
    truth, table = haemorrhage
    found = auc("auc:s100b", truth, [table.s100b] * 3)
    assert found.se**2 == pytest.approx(expected["aSAH_delong"]["var"]["s100b"], abs=1e-8)


def test_the_u_test_is_that_of_val_prob(cases, block):
    chi2, p = u_test("model", *cases)
    assert (chi2.value, p.value) == pytest.approx((block["val_prob"]["U_chi2"], block["val_prob"]["U_p"]), abs=1e-6)


def test_spiegelhalters_test_is_that_of_val_prob(cases, block):
    z, p = spiegelhalter("model", *cases)
    assert (z.value, p.value) == pytest.approx((block["val_prob"]["spiegelhalter_z"], block["val_prob"]["spiegelhalter_p"]), abs=1e-6)


def test_nagelkerkes_r2_of_the_given_risks_is_that_of_val_prob(cases, block):
    assert nagelkerke("nagelkerke:model", *cases).value == pytest.approx(block["val_prob"]["R2_nagelkerke_of_given_p"], abs=1e-6)


def test_the_distances_by_lowess_are_those_of_val_prob(cases, block):
    found = {e.name: e.value for e in calibration_distances("m", judged_risks(*cases), smoother="lowess", replicates=0)}
    frozen = [block["val_prob"][key] for key in ("Eavg_lowess_iter0", "E90", "Emax")]
    assert [found[f"{figure}:m"] for figure in ("ici", "e90", "emax")] == pytest.approx(frozen, abs=1e-6)


def test_the_distances_by_loess_are_rs(cases, block):
    found = [e.value for e in calibration_distances("m", judged_risks(*cases), smoother="loess", replicates=0)]
    assert found == pytest.approx([block["ici_loess_default"], *block["ici_loess_e50_e90_emax"]], abs=1e-6)


def test_the_distances_by_a_spline_of_five_knots_are_those_of_rms(cases, block):
    found = [e.value for e in calibration_distances("m", judged_risks(*cases), smoother="rcs5", replicates=0)]
    assert found == pytest.approx([block["ici_rcs5_logit"], *block["ici_rcs5_e50_e90_emax"]], abs=1e-6)


def test_the_knots_are_those_of_rms(cases, block):
    assert knots(special.logit(cases[1]), 5) == pytest.approx(block["rcs5_knots_logit"], abs=1e-8)


def test_the_quick_recalibration_is_rs(cases, block):
    truth, risk = cases
    found = weighted_slope(special.logit(risk), truth, np.ones(truth.size))
    assert found == pytest.approx((block["intercept_logistic_recal"], block["slope"]), abs=1e-6)


def test_the_interval_of_the_slope_is_rs_where_rs_early_stop_is_repeated_and_converged_elsewhere(cases, block):
    truth, risk = cases
    assert wald_interval_as_r(with_intercept(special.logit(risk)), truth)[1] == pytest.approx(block["slope_ci"], abs=1e-6)
    converged = slope("slope:model", truth, risk)
    assert (converged.low, converged.high) == pytest.approx(block["slope_ci"], abs=2e-5)
