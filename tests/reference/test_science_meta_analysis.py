"""Pooling against figures frozen from R: 23 validations of EuroSCORE II, four studies of ovarian cancer left out in turn."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from onclair.core.estimate import Estimate
from onclair.science.statistics.concordance import harrell
from onclair.science.statistics.cox import FollowUp, cox
from onclair.science.statistics.meta_analysis import pooled
from onclair.validate.rows import wald
from onclair.validate.subgroups import by_group
from onclair.validate.transport import leave_one_centre_out, per_centre, pooled_over_centres


@pytest.fixture(scope="module")
def folder(reference_data):
    return reference_data / "evidence"


@pytest.fixture(scope="module")
def expected(folder):
    return json.loads((folder / "EXPECTED.json").read_text())


@pytest.fixture(scope="module")
def euroscore(folder, expected):
    return pd.read_csv(folder / "EuroSCORE.csv"), pd.read_csv(folder / expected["euroscore_meta"]["theta_file"])


def test_the_pooled_logit_c_of_euroscore_is_rs(euroscore, expected):
    theta, block = euroscore[1], expected["euroscore_meta"]["reml_knha"]
    found = pooled(theta.theta, theta["theta.se"])
    assert found.value == pytest.approx(block["mu"], abs=5e-5)
    assert found.se == pytest.approx(block["se"], abs=5e-5)
    assert found.i2 == pytest.approx(block["I2"], abs=1e-4)
    got = [found.tau2, found.q, expit(found.value), *expit([found.low, found.high]), *expit([found.new_low, found.new_high])]
    np.testing.assert_allclose(got, [block["tau2"], block["Q"], block["C"], *block["ci"], *block["pi_t_km2"]], rtol=0, atol=1e-5)


def test_the_pooled_total_oe_of_euroscore_is_rs(euroscore, expected):
    table, block = euroscore[0], expected["euroscore_meta"]["total_o_e"]
    observed, of, should = table["n.events"], table["n"], table["e.events"]
    by_study = {
        str(i): Estimate("o_e:euroscore", o / e, se=float(np.sqrt(1 / o - 1 / n)), scale="log", n=n, events=o)
        for i, (o, e, n) in enumerate(zip(observed, should, of, strict=True))
    }
    mean, new, _ = pooled_over_centres(by_study, "o_e:euroscore")
    got = [mean.value, mean.low, mean.high, new.low, new.high]
    np.testing.assert_allclose(got, [block["est"], *block["ci"], *block["pi"]], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def ovarian(folder):
    """Each group judged by the model refitted, with strata, on the three others."""
    table = pd.read_csv(folder / "ovarian4.csv.gz", usecols=["t.event", "event", "group", "debulk", "CXCL12", "TIMP2", "NCOA3"])
    design = table[["CXCL12", "TIMP2", "NCOA3", "debulk"]].to_numpy(float)
    time, event, group = (table[c].to_numpy() for c in ("t.event", "event", "group"))

    def refit(training, held_out):
        fit = cox(design[training], FollowUp(time[training], event[training], group[training]))
        return design[held_out] @ fit.coefficients

    def judge(rows, lp):
        agreed, line = harrell(time[rows], event[rows], lp), cox(lp[:, None], FollowUp(time[rows], event[rows]))
        about = {"n": rows.size, "events": int(event[rows].sum())}
        error = float(np.sqrt(agreed.contributions @ agreed.contributions))
        return [
            Estimate("harrell:refit", agreed.value, se=error, **about),
            Estimate("slope:refit", float(line.coefficients[0]), se=float(line.covariance[0, 0] ** 0.5), **about),
        ]

    return {e.name: e for e in leave_one_centre_out(refit, judge, group)}


def test_each_left_out_ovarian_study_has_rs_concordance_and_slope(ovarian, expected):
    for name, block in expected["ovarian4_loso"]["by_group"].items():
        concordance, slope = ovarian[f"harrell:refit:centre={name}"], ovarian[f"slope:refit:centre={name}"]
        got = [concordance.n, concordance.events, concordance.value, concordance.se, slope.value]
        np.testing.assert_allclose(got, [block["n"], block["ev"], block["C"], block["se"], block["slope"]], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("figure", "block", "point"), [("harrell", "pooled_logitC_reml_knha", "C"), ("slope", "pooled_slope", "est")])
def test_the_left_out_ovarian_studies_pool_to_rs_figures(ovarian, expected, figure, block, point):
    frozen = expected["ovarian4_loso"][block]
    mean, new, between = (ovarian[f"{figure}:refit:{where}"] for where in ("centres", "new-centre", "tau2"))
    got = [mean.value, mean.low, mean.high, between.value, new.low, new.high]
    np.testing.assert_allclose(got, [frozen[point], *frozen["ci"], frozen["tau2"], *frozen["pi"]], rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def lung(folder):
    """NCCTG lung cancer with a fixed score, the physician's ECOG grade, where both institution and grade may be missing."""
    table = pd.read_csv(folder / "lung_ncctg.csv").dropna(subset=["ph.ecog"]).reset_index(drop=True)
    time, event, score = table["time"].to_numpy(float), (table["status"] == 2).to_numpy(), table["ph.ecog"].to_numpy(float)

    def figures(rows):
        found = harrell(time[rows], event[rows], score[rows])
        error, about = float(np.sqrt(found.contributions @ found.contributions)), {"n": rows.size, "events": int(event[rows].sum())}
        if not np.isfinite(found.value):
            return [Estimate("harrell:ecog", status="not_available", reason="no pair is comparable", **about)]
        low, high = wald(found.value, error, 1.96, "identity")
        return [Estimate("harrell:ecog", found.value, low=low, high=high, se=error, **about)]

    return SimpleNamespace(inst=table["inst"], figures=figures)


def test_institutions_of_the_lung_trial_with_few_events_say_so(lung):
    found = [e for e in by_group(lung.figures, lung.inst, "inst") if "-minus-" not in e.name]
    assert len(found) == 19
    assert found[-1].name == "harrell:ecog:inst=unknown"
    few = [e for e in found if e.events < 20]
    assert len(few) > 10
    assert {e.status for e in few} <= {"too_few", "not_available"}
    assert all("events" in e.reason for e in few if e.status == "too_few")
    assert {e.status for e in found if e.events >= 20} == {"ok"}


def test_the_pool_of_the_lung_trial_says_which_institutions_did_not_enter(lung):
    mean = next(e for e in per_centre(lung.figures, lung.inst) if e.name == "harrell:ecog:centres")
    assert "of 19 centres entered" in mean.method
    assert "no centre is named: unknown" in mean.method
