"""Everything asked of a claim, in one call."""

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.record import Asked, Claim, judge


def cohort(n=240):
    rng = np.random.default_rng(0)
    risk = rng.beta(2, 2, n)
    truth = (rng.uniform(size=n) < risk).astype(int)
    claims = {"model": Claim(risk), "rival:prevalence": Claim(np.full(n, 0.5)), "rival:volume": Claim(rng.lognormal(size=n), kind="score")}
    return truth, claims, np.repeat(["A", "B", "tiny"], [110, 110, n - 220])


@pytest.fixture(scope="module")
def judged():
    truth, claims, centres = cohort()
    return judge(truth, claims, centres=centres, asked=Asked(thresholds=(0.2, 0.5), replicates=20))


@pytest.fixture(scope="module")
def named(judged):
    return {e.name: e for e in judged.estimates}


def test_every_figure_of_every_claim_is_there_once(judged, named):
    figures = ("auc", "brier", "ipa", "o_e", "citl", "slope", "ici", "e50", "e90", "emax")
    expected = {f"{f}:{who}" for f in figures for who in ("model", "rival:prevalence", "rival:volume")}
    expected |= {f"nb:{who}@{t}" for who in ("model", "rival:prevalence", "rival:volume", "all", "none") for t in (0.2, 0.5)}
    expected |= {"auc:model-minus-prevalence", "auc:model-minus-volume"}
    expected |= {f"auc:model:centre:{c}" for c in ("A", "B", "tiny")}
    assert set(named) == expected
    assert len(judged.estimates) == len(expected)


def test_differences_are_paired(named):
    truth, claims, _ = cohort()
    expected = auc_difference("auc:model-minus-volume", truth, claims["model"].values, claims["rival:volume"].values)
    assert named["auc:model-minus-volume"] == expected


def test_a_score_ranks_but_has_no_calibration(named):
    assert named["auc:rival:volume"].status == "ok"
    for name in ("brier", "slope", "o_e", "ici"):
        assert named[f"{name}:rival:volume"].reason == "the claim is a score, not a probability"


def test_a_centre_with_few_events_is_too_few_and_keeps_its_figure(named):
    assert named["auc:model:centre:tiny"].status == "too_few"
    assert named["auc:model:centre:tiny"].value is not None
    assert named["auc:model:centre:A"].status == "ok"


def test_curves_are_drawn_for_what_gives_a_risk(judged):
    drawn = [(c.name, c.who) for c in judged.curves]
    risks = ["model", "rival:prevalence"]
    assert drawn == [*(("calibration", w) for w in risks), *(("decision", w) for w in [*risks, "all", "none"])]


def test_one_centre_has_no_figures_by_centre():
    truth, claims, _ = cohort()
    found = judge(truth, {"model": claims["model"]}, centres=["A"] * truth.size, asked=Asked(replicates=0))
    assert not [e for e in found.estimates if "centre" in e.name]


def test_a_centre_with_one_class_is_an_answer_and_the_others_stay():
    truth = np.array([0, 1] * 30 + [1] * 10)
    found = judge(truth, {"model": Claim(np.linspace(0.1, 0.9, 70))}, centres=["A"] * 60 + ["B"] * 10, asked=Asked(replicates=0))
    status = {e.name: e.status for e in found.estimates}
    assert (status["auc:model:centre:A"], status["auc:model:centre:B"]) == ("ok", "not_available")


def test_one_class_leaves_every_figure_with_a_reason():
    found = judge([0, 0, 0], {"model": Claim([0.1, 0.2, 0.3]), "rival:x": Claim([1, 2, 3], kind="score")}, asked=Asked(thresholds=(0.2,)))
    assert all(e.reason for e in found.estimates if e.status != "ok")
    assert {e.name for e in found.estimates if e.value is not None} == {"brier:model", "nb:model@0.2", "nb:all@0.2", "nb:none@0.2"}


def test_patients_are_clusters_in_every_figure():
    truth, claims, _ = cohort()
    patients = np.arange(truth.size) // 4
    found = judge(truth, claims, patients=patients, asked=Asked(thresholds=(0.2,), replicates=10))
    assert {e.n for e in found.estimates} == {60}
    assert found.estimates[0] == auc("auc:model", truth, claims["model"].values, patients=patients)


def test_the_claim_with_a_bad_risk_is_named():
    with pytest.raises(BadInput, match="predictions of 'rival:size' cannot be judged"):
        judge([0, 1], {"model": Claim([0.1, 0.2]), "rival:size": Claim([3.0, 7.0])})


def test_another_kind_of_claim_is_refused():
    with pytest.raises(BadInput, match="kind 'odds'"):
        Claim([0.1], kind="odds")
