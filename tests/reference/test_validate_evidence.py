"""Figures of merit for binary outcomes against figures frozen from R and dcurves."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from onclair.validate.calibration import calibration_distances, citl, o_e, slope
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.overall import brier, ipa
from onclair.validate.rows import judged_risks
from onclair.validate.utility import net_benefit, net_benefit_of_all_or_none


@pytest.fixture(scope="module")
def folder(reference_data):
    return reference_data / "evidence"


@pytest.fixture(scope="module")
def expected(folder):
    return json.loads((folder / "EXPECTED.json").read_text())


@pytest.fixture(scope="module")
def haemorrhage(folder):
    table = pd.read_csv(folder / "aSAH.csv")
    return (table.outcome == "Poor").astype(int), table


@pytest.fixture(scope="module")
def cases(folder):
    table = pd.read_csv(folder / "calibration_cases.csv")
    return table.y.to_numpy(), table.p.to_numpy()


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
def test_the_auc_its_variance_and_its_interval_are_procs(marker, haemorrhage, expected):
    truth, table = haemorrhage
    found, block = auc(f"auc:{marker}", truth, table[marker]), expected["aSAH_delong"]
    assert found.value == pytest.approx(block["auc"][marker], abs=1e-8)
    assert found.se**2 == pytest.approx(block["var"][marker], abs=1e-8)
    assert (found.low, found.high) == pytest.approx(block["ci95_wald"][marker], abs=1e-8)
    assert (found.n, found.events) == (113, 41)


@pytest.mark.parametrize(("a", "b"), [("s100b", "ndka"), ("s100b", "wfns")])
def test_the_paired_difference_is_procs(a, b, haemorrhage, expected):
    truth, table = haemorrhage
    found, block = auc_difference(f"auc:{a}-minus-{b}", truth, table[a], table[b]), expected["aSAH_delong"]["paired"][f"{a}-{b}"]
    z = found.value / found.se
    assert z == pytest.approx(block["z"], abs=1e-8)
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(block["p"], abs=1e-8)
    assert (found.low, found.high) == pytest.approx(block["ci_diff"], abs=1e-8)


@pytest.mark.parametrize(("name", "figure"), [("auc", auc), ("brier", brier), ("ipa", ipa), ("o_e", o_e), ("citl", citl), ("slope", slope)])
def test_the_figure_of_the_calibration_cases_is_rs(name, figure, cases, expected):
    assert figure(f"{name}:model", *cases).value == pytest.approx(expected["calibration_cases"][name], abs=1e-6)


@pytest.mark.parametrize(("name", "figure"), [("auc_ci_delong", auc), ("citl_ci", citl)])
def test_the_interval_of_the_calibration_cases_is_rs(name, figure, cases, expected):
    found = figure("f:model", *cases)
    assert (found.low, found.high) == pytest.approx(expected["calibration_cases"][name], abs=1e-6)


def test_the_interval_of_the_slope_is_rs_once_rs_early_stop_is_repeated(cases, expected):
    """R reports the covariance of the weights before its last step, whose relative tolerance is 1e-8 on the deviance."""
    truth, risk = cases
    x, mean, deviance = np.column_stack([np.ones(truth.size), special.logit(risk)]), (truth + 0.5) / 2, np.inf
    eta = special.logit(mean)
    while True:
        weight = mean * (1 - mean)
        information = x.T @ (x * weight[:, None])
        eta = x @ np.linalg.solve(information, x.T @ (weight * eta + truth - mean))
        mean = special.expit(eta)
        now = -2 * np.sum(np.log(np.where(truth == 1, mean, 1 - mean)))
        if abs(now - deviance) / (abs(now) + 0.1) < 1e-8:
            break
        deviance = now
    found, frozen = slope("slope:model", truth, risk), expected["calibration_cases"]["slope_ci"]
    early = stats.norm.ppf(0.975) * np.sqrt(np.linalg.inv(information)[1, 1])
    assert (found.value - early, found.value + early) == pytest.approx(frozen, abs=1e-7)
    assert (found.low, found.high) == pytest.approx(frozen, abs=2e-5)


def test_the_distances_of_the_calibration_cases_are_rs(cases, expected):
    found = [e.value for e in calibration_distances("model", judged_risks(*cases), replicates=0)]
    block = expected["calibration_cases"]
    assert found == pytest.approx([block["ici_loess_default"], *block["ici_loess_e50_e90_emax"]], abs=1e-6)


@pytest.mark.parametrize("model", ["cancerpredmarker", "famhistory"])
def test_net_benefits_are_those_of_dcurves(model, folder, expected):
    table, block = pd.read_csv(folder / "df_binary.csv"), expected["dca_binary"]
    found = net_benefit(model, table.cancer.astype(int), table[model], block["thresholds"])
    assert [e.value for e in found] == pytest.approx(block[f"nb_{model}"], abs=1e-6)


def test_the_net_benefit_of_treating_all_is_that_of_dcurves(folder, expected):
    table, block = pd.read_csv(folder / "df_binary.csv"), expected["dca_binary"]
    found = [e.value for e in net_benefit_of_all_or_none(table.cancer.astype(int), block["thresholds"]) if ":all" in e.name]
    assert found == pytest.approx(block["nb_all"], abs=1e-6)
