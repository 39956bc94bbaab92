"""Solvers and smoothers against figures frozen from R."""

import json

import numpy as np
import pandas as pd
import pytest

from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.glm import logistic, poisson, with_intercept
from onclair.science.statistics.loess import loess
from onclair.science.statistics.ranks import auc


@pytest.fixture(scope="module")
def folder(reference_data):
    return reference_data / "evidence"


@pytest.fixture(scope="module")
def expected(folder):
    return json.loads((folder / "EXPECTED.json").read_text())


def spline(x, knots):
    """Harrell's restricted cubic term with three knots, over (k3 - k1)^2."""
    a, b, c = knots
    cube = [np.maximum(x - k, 0) ** 3 for k in (a, b, c)]
    return (cube[0] - cube[1] * (c - a) / (c - b) + cube[2] * (b - a) / (c - b)) / (c - a) ** 2


@pytest.fixture(scope="module")
def rotterdam(folder):
    """Design, time and event as EXPECTED.json's `recode` says."""
    table = pd.read_csv(folder / "rotterdam.csv")
    event = np.maximum(table.recur, table.death)
    by_death = (event == 1) & (table.recur == 0) & (table.death == 1) & (table.rtime < table.dtime)
    time = np.where(by_death, table.dtime, table.rtime) / 365.25
    event = np.where(time > 5, 0, event)
    nodes = np.minimum(table.nodes, 19)
    columns = [table["size"] == "20-50", table["size"] == ">50", nodes, spline(nodes, (0, 1, 9)), table.grade == 3]
    return np.column_stack(columns).astype(float), np.minimum(time, 5.0), event


def test_the_rotterdam_model_has_rs_coefficients_and_likelihoods(rotterdam, expected):
    design, time, event = rotterdam
    fit, block = cox(design, FollowUp(time, event)), expected["rotterdam_to_gbsg"]["basic"]
    np.testing.assert_allclose(fit.coefficients, list(block["coef"].values()), atol=1e-6)
    np.testing.assert_allclose(fit.log_likelihood, block["loglik"], atol=1e-5)


def test_the_rotterdam_model_predicts_rs_five_year_risks(rotterdam, folder):
    design, time, event = rotterdam
    frozen = pd.read_csv(folder / "rotterdam_gbsg_basic_dev_pred.csv")
    fit = cox(design, FollowUp(time, event))
    np.testing.assert_allclose(fit.risk(design @ fit.coefficients, by=5.0), frozen.p5, atol=1e-6)


def test_the_slope_and_its_error_in_gbsg_are_rs(folder, expected):
    table, block = pd.read_csv(folder / "rotterdam_gbsg_basic_val_pred.csv"), expected["rotterdam_to_gbsg"]["basic"]["val"]
    fit = cox(table[["lp"]].to_numpy(), FollowUp(table.time, table.event))
    assert fit.coefficients[0] == pytest.approx(block["slope"], abs=1e-6)
    assert np.sqrt(fit.covariance[0, 0]) == pytest.approx(block["slope_se"], abs=1e-6)


def test_poisson_observed_over_expected_in_gbsg_is_rs(rotterdam, folder, expected):
    design, time, event = rotterdam
    fit, table = cox(design, FollowUp(time, event)), pd.read_csv(folder / "rotterdam_gbsg_basic_val_pred.csv")
    days = pd.read_csv(folder / "gbsg.csv").set_index("pid").rfstime[table.pid].to_numpy()  # the file's times are rounded
    followed = fit.baseline[0].at(np.minimum(days / 365.25, 5.0)) / fit.baseline[0].at(5.0)
    hazard = -np.log1p(-table.p5) * followed
    at_risk = hazard > 0
    found = poisson(np.ones((at_risk.sum(), 1)), table.event[at_risk], offset=np.log(hazard[at_risk]))
    assert np.exp(found.coefficients[0]) == pytest.approx(expected["rotterdam_to_gbsg"]["basic"]["val"]["poisson_o_e"], abs=1e-6)


@pytest.mark.parametrize("group", ["4", "9", "13", "16"])
def test_the_stratified_ovarian_model_carries_rs_slope_into_the_left_out_study(group, folder, expected):
    table, columns = pd.read_csv(folder / "ovarian4.csv.gz"), ["CXCL12", "TIMP2", "NCOA3", "debulk"]
    out = table.group == int(group)
    train, test = table[~out], table[out]
    learnt = cox(train[columns].to_numpy(float), FollowUp(train["t.event"], train.event, train.group))
    score = test[columns].to_numpy(float) @ learnt.coefficients
    slope = cox(score[:, None], FollowUp(test["t.event"], test.event)).coefficients[0]
    assert slope == pytest.approx(expected["ovarian4_loso"]["by_group"][group]["slope"], abs=1e-5)


def test_loess_gives_rs_distances(folder, expected):
    table, block = pd.read_csv(folder / "calibration_cases.csv"), expected["calibration_cases"]
    p, y = table.p.to_numpy(), table.y.to_numpy(float)
    apart = np.abs(loess(p, y).at(p) - p)
    assert apart.mean() == pytest.approx(block["ici_loess_default"], abs=1e-6)
    found = [*np.quantile(apart, [0.5, 0.9]), apart.max()]
    np.testing.assert_allclose(found, block["ici_loess_e50_e90_emax"], atol=1e-6)


def test_logistic_recalibration_is_rs(folder, expected):
    table, block = pd.read_csv(folder / "calibration_cases.csv"), expected["calibration_cases"]
    fit = logistic(with_intercept(np.log(table.p / (1 - table.p))), table.y)
    np.testing.assert_allclose(fit.coefficients, [block["intercept_logistic_recal"], block["slope"]], atol=1e-6)


def test_auc_of_the_haemorrhage_markers_is_procs(folder, expected):
    table, block = pd.read_csv(folder / "aSAH.csv"), expected["aSAH_delong"]
    found = auc(table.outcome == "Poor", table[list(block["auc"])].to_numpy(float))
    np.testing.assert_allclose(found, list(block["auc"].values()), atol=1e-8)
