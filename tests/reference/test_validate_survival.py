"""Survival figures against those frozen from R, from the prediction files and from the raw tables, and against scikit-survival."""

import json

import numpy as np
import pandas as pd
import pytest

from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.splines import restricted_cubic
from onclair.validate.censored import auc_t, brier
from onclair.validate.followed import followed_risks, followed_rows
from onclair.validate.survival.calibration import o_e
from onclair.validate.survival.claim import SurvivalAsked, SurvivalClaim, judge_survival
from onclair.validate.survival.ranking import harrell, uno

#: Our name, the name in EXPECTED.json.
FROZEN = {
    "harrell": "harrell",
    "uno": "uno_n/G2",
    "auc_t": "auc_t4.99",
    "brier": "brier_4.99",
    "brier_null": "brier_null",
    "ipa": "ipa",
    "o_e": "o_e_5y",
    "poisson_o_e": "poisson_o_e",
    "slope": "slope",
    "ici": "ici_rcs3_cloglog",
}
ERRORS = {
    "harrell": ("harrell_se", 1e-6),
    "uno": ("uno_se", 1e-6),
    "auc_t": ("auc_se", 5e-6),
    "brier": ("brier_se", 5e-6),
    "slope": ("slope_se", 1e-6),
}
#: Converged further than the frozen figures, by the reference data's own account.
CONVERGED = {"ici": 0.0301288355, "e50": 0.0261996194, "e90": 0.0745937191}


@pytest.fixture(scope="module")
def folder(reference_data):
    return reference_data / "evidence"


@pytest.fixture(scope="module")
def expected(folder):
    return json.loads((folder / "EXPECTED.json").read_text())["rotterdam_to_gbsg"]


def design(table, model):
    nodes, pgr = np.minimum(table.nodes, 19), np.minimum(table.pgr, 1360)
    size = table["size"]
    if pd.api.types.is_numeric_dtype(size):
        size = pd.cut(size, [-1, 20, 50, np.inf], labels=["<=20", "20-50", ">50"])
    columns = [(size == "20-50").to_numpy(float), (size == ">50").to_numpy(float), restricted_cubic(nodes, [0, 1, 9])]
    columns.append((table.grade == 3).to_numpy(float))
    return np.column_stack(columns + ([restricted_cubic(pgr, [0, 41, 486])] if model == "pgr" else []))


def cut(time, event):
    return FollowUp(np.minimum(time, 5.0), np.where(time > 5, 0, event))


@pytest.fixture(scope="module")
def raw(folder):
    """Rotterdam and GBSG as EXPECTED.json's `recode` says: tables and follow-up cut at 5 years."""
    dev, val = pd.read_csv(folder / "rotterdam.csv"), pd.read_csv(folder / "gbsg.csv")
    event = np.maximum(dev.recur, dev.death)
    by_death = (event == 1) & (dev.recur == 0) & (dev.death == 1) & (dev.rtime < dev.dtime)
    return (dev, cut(np.where(by_death, dev.dtime, dev.rtime) / 365.25, event)), (val, cut(val.rfstime / 365.25, val.status))


@pytest.fixture(scope="module", params=["basic", "pgr"])
def judged(request, raw, folder):
    """The model learnt on the raw Rotterdam table and judged in the raw GBSG table, by name of figure."""
    (dev, learnt_from), (val, judged_on) = raw
    fit = cox(design(dev, request.param), learnt_from)
    lp = design(val, request.param) @ fit.coefficients
    hazard = fit.baseline[0].at(judged_on.time) * np.exp(lp)
    claim = SurvivalClaim(risk=fit.risk(lp, by=5.0), linear_predictor=lp, cumulative_hazard=hazard)
    asked = SurvivalAsked(5.0, 4.99, replicates=20)
    found, _ = judge_survival(request.param, judged_on, claim, patients=val.pid, asked=asked)
    return request.param, fit, claim, {e.name.split(":")[0]: e for e in found}


def test_the_raw_tables_lead_to_rs_coefficients_and_predicted_risks(judged, expected, folder):
    model, fit, claim, _ = judged
    np.testing.assert_allclose(fit.coefficients, list(expected[model]["coef"].values()), atol=1e-6)
    frozen = pd.read_csv(folder / f"rotterdam_gbsg_{model}_val_pred.csv")
    np.testing.assert_allclose(claim.risk, frozen.p5, atol=1e-6)


def test_the_raw_tables_lead_to_rs_figures_in_gbsg(judged, expected):
    model, _, _, found = judged
    frozen = {ours: expected[model]["val"][theirs] for ours, theirs in FROZEN.items() if theirs in expected[model]["val"]}
    if model == "basic":
        frozen |= CONVERGED
    assert {name: found[name].value for name in frozen} == pytest.approx(frozen, abs=1e-6)


def test_the_raw_tables_lead_to_rs_errors_in_gbsg(judged, expected):
    model, _, _, found = judged
    known = {ours: entry for ours, entry in ERRORS.items() if entry[0] in expected[model]["val"]}
    assert "slope" in known
    for name, (theirs, tolerance) in known.items():
        assert found[name].se == pytest.approx(expected[model]["val"][theirs], abs=tolerance), name


def test_the_interval_of_observed_over_expected_is_rs(folder, expected):
    table = pd.read_csv(folder / "rotterdam_gbsg_basic_val_pred.csv")
    found = o_e("o_e:basic", followed_risks(table.time, table.event, table.p5), 5.0)
    assert [found.low, found.high] == pytest.approx(expected["basic"]["val"]["o_e_ci"], abs=1e-6)


@pytest.mark.parametrize(("model", "cohort"), [("basic", "dev"), ("basic", "val"), ("pgr", "val")])
def test_the_prediction_files_lead_to_rs_figures(model, cohort, folder, expected):
    table = pd.read_csv(folder / f"rotterdam_gbsg_{model}_{cohort}_pred.csv")
    claim = SurvivalClaim(risk=table.p5, linear_predictor=table.lp)
    asked = SurvivalAsked(5.0, 4.99, replicates=0)
    found, _ = judge_survival(model, FollowUp(table.time, table.event), claim, patients=table.pid, asked=asked)
    values = {e.name.split(":")[0]: e.value for e in found if e.status == "ok"}
    frozen = {o: expected[model][cohort][t] for o, t in FROZEN.items() if t in expected[model][cohort] and o != "poisson_o_e"}
    frozen |= {"ici": CONVERGED["ici"]} if (model, cohort) == ("basic", "val") else {}
    assert {name: values[name] for name in frozen} == pytest.approx(frozen, abs=1e-6)


@pytest.fixture(scope="module")
def untied():
    """Three hundred rows without tied times or scores, where every package's conventions agree."""
    rng = np.random.default_rng(8)
    lp = rng.normal(size=300)
    event_time, left = rng.exponential(6 * np.exp(-lp)), rng.uniform(0, 15, 300)
    return np.minimum(event_time, left), event_time <= left, -np.expm1(-4 / 6 * np.exp(lp))


def test_scikit_survival_ranks_the_same(untied):
    metrics = pytest.importorskip("sksurv.metrics")
    time, event, risk = untied
    rows = followed_rows(time, event, risk)
    truth = np.array(list(zip(event, time, strict=True)), dtype=[("e", bool), ("t", float)])
    assert harrell("harrell:m", rows).value == pytest.approx(metrics.concordance_index_censored(event, time, risk)[0], abs=1e-12)
    assert uno("uno:m", rows, tau=5.0).value == pytest.approx(metrics.concordance_index_ipcw(truth, truth, risk, tau=5.0)[0], abs=1e-10)
    assert auc_t("auc_t:m", rows, 4.0).value == pytest.approx(metrics.cumulative_dynamic_auc(truth, truth, risk, [4.0])[0][0], abs=1e-10)


def test_scikit_survival_has_the_same_brier_score(untied):
    metrics = pytest.importorskip("sksurv.metrics")
    time, event, risk = untied
    truth = np.array(list(zip(event, time, strict=True)), dtype=[("e", bool), ("t", float)])
    theirs = metrics.brier_score(truth, truth, (1 - risk)[:, None], [4.0])[1][0]
    assert brier("brier:m", followed_rows(time, event, risk), 4.0).value == pytest.approx(theirs, abs=1e-10)
