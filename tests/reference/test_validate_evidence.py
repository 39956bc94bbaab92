"""Figures of merit for binary outcomes against figures frozen from R and dcurves."""

import json

import pandas as pd
import pytest
from scipy import stats

from onclair.validate.calibration import citl, o_e, slope
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.overall import brier, ipa
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


@pytest.mark.parametrize("model", ["cancerpredmarker", "famhistory"])
def test_net_benefits_are_those_of_dcurves(model, folder, expected):
    table, block = pd.read_csv(folder / "df_binary.csv"), expected["dca_binary"]
    found = net_benefit(model, table.cancer.astype(int), table[model], block["thresholds"])
    assert [e.value for e in found] == pytest.approx(block[f"nb_{model}"], abs=1e-6)


def test_the_net_benefit_of_treating_all_is_that_of_dcurves(folder, expected):
    table, block = pd.read_csv(folder / "df_binary.csv"), expected["dca_binary"]
    found = [e.value for e in net_benefit_of_all_or_none(table.cancer.astype(int), block["thresholds"]) if ":all" in e.name]
    assert found == pytest.approx(block["nb_all"], abs=1e-6)
