"""Figures by centre, pooled, refitted without each centre, merged; the case-mix of centres."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from onclair.core.errors import BadInput, OnclairError
from onclair.core.estimate import Estimate, estimate_from_dict, not_available
from onclair.validate.calibration import citl, o_e, slope
from onclair.validate.case_mix import case_mix, model_based_c
from onclair.validate.discrimination import auc
from onclair.validate.overall import brier
from onclair.validate.rows import judged_rows
from onclair.validate.transport import leave_one_centre_out, merge_estimates, on_scale, per_centre, pooled_over_centres

CENTRES = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def table():
    """Four centres, several rows a patient, prevalence and slope differing by centre."""
    rng = np.random.default_rng(3)
    patient = np.repeat(np.arange(240), rng.integers(1, 4, 240))
    centre = np.array(CENTRES)[patient % 4]
    lp = rng.normal(-0.5, 1, 240)[patient] + rng.normal(0, 0.4, patient.size)
    truth = rng.random(patient.size) < expit(0.3 * (patient % 4) - 0.4 + (0.7 + 0.2 * (patient % 4)) * lp)
    return truth.astype(int), expit(lp), patient, centre


def judged(table):
    truth, risks, patients, _ = table

    def figures(rows):
        about = {"patients": patients[rows]}
        asked = {"auc": auc, "brier": brier, "o_e": o_e, "citl": citl, "slope": slope}
        return [of(f"{name}:m", truth[rows], risks[rows], **about) for name, of in asked.items()]

    return figures


def one_run(table):
    truth, _, patients, centre = table
    return per_centre(judged(table), centre, truth=truth, patients=patients)


def sent(estimates):
    """What arrives of a run's estimates from another hospital."""
    return [estimate_from_dict(e) for e in json.loads(json.dumps([e.as_dict() for e in estimates]))]


def by_name(estimates):
    return {e.name: e for e in estimates}


def numbers(estimate):
    return [np.nan if v is None else v for v in (estimate.value, estimate.low, estimate.high, estimate.se, estimate.n, estimate.events)]


def test_merging_sites_gives_what_one_run_over_all_rows_gives(table):
    sites = [(name, sent(judged(table)(np.flatnonzero(table[3] == name)))) for name in reversed(CENTRES)]
    merged, whole = by_name(merge_estimates(sites)), by_name(one_run(table))
    assert merged.keys() == whole.keys()
    for name, estimate in whole.items():
        np.testing.assert_allclose(numbers(merged[name]), numbers(estimate), rtol=0, atol=1e-9)
        assert merged[name].status == estimate.status


def test_a_run_over_several_centres_brings_each_of_them(table):
    truth, _, patients, centre = table
    several = np.flatnonzero(np.isin(centre, ["a", "b"]))

    def figures(rows):
        return judged(table)(several[rows])

    both = [*figures(np.arange(several.size)), *per_centre(figures, centre[several], truth=truth[several], patients=patients[several])]
    alone = [(name, judged(table)(np.flatnonzero(centre == name))) for name in ("c", "d")]
    merged, whole = by_name(merge_estimates([("north", sent(both)), *alone])), by_name(one_run(table))
    assert merged.keys() == whole.keys()
    for name, estimate in whole.items():
        np.testing.assert_allclose(numbers(merged[name]), numbers(estimate), rtol=0, atol=1e-9)


def run(value=0.8, level=0.95, name="auc:m"):
    return [Estimate(name, value, low=value - 0.1, high=value + 0.1, se=0.05, level=level, n=80, events=40)]


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([], "no run to merge"),
        ([("A", run()), ("A", run(0.7))], "'A' comes twice"),
        ([("A 1", run()), ("A:1", run(0.7))], "'A:1' comes twice"),
        ([("A", run()), ("B", [*run(), *run(name="slope:m")])], "'slope:m' stands in one of the two only"),
        ([("A", run()), ("B", run(level=0.9))], r"levels \[0.9, 0.95\]"),
        ([("A", []), ("B", [])], "there is no figure"),
        ([("A", run()), ("B", [*run(), *run(name="auc:m:centre=A"), *run(name="auc:m:centre=C")])], "'A' comes twice"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(runs, said):
    with pytest.raises(BadInput, match=said):
        merge_estimates(runs)


def test_merging_leaves_subgroups_and_earlier_pools_behind():
    beside = [*run(), *run(name="auc:m:sex=F"), *run(name="auc:m:centres"), *run(name="auc:m:sex=F-minus-M")]
    names = [e.name for e in merge_estimates([("A", beside), ("B", run(0.7))])]
    assert names == ["auc:m:centre=A", "auc:m:centre=B", "auc:m:centres", "auc:m:new-centre", "auc:m:tau2"]


def test_a_merged_site_with_few_events_is_shown_with_a_caution_and_pooled():
    few = [replace(run()[0], events=7)]
    merged = by_name(merge_estimates([("A", few), ("B", run(0.7))]))
    assert merged["auc:m:centre=A"].status == "too_few"
    assert "2 of 2 centres entered" in merged["auc:m:centres"].method


def test_what_is_not_transportable_is_not_pooled():
    two = {"A": Estimate("brier:m", 0.2, se=0.1), "B": Estimate("brier:m", 0.3, se=0.1)}
    assert pooled_over_centres(two, "brier:m") == []
    assert pooled_over_centres(two, "nb:m@0.2") == []
    assert pooled_over_centres(two, "auc:a-minus-b") == []


def test_a_pool_says_which_centres_did_not_enter_and_why():
    centres = {str(i): Estimate("auc:m", 0.7 + i / 100, se=0.03, n=90, events=30) for i in range(5)}
    centres["exact"] = Estimate("auc:m", 0.5, se=0.0)
    centres["perfect"] = Estimate("auc:m", 1.0, se=0.01)
    centres["tiny"] = Estimate("auc:m", 0.6, reason="too few patients for a standard error")
    centres["one-class"] = not_available("auc:m", "only one class is present")
    centres["unknown"] = Estimate("auc:m", 0.7, se=0.05)
    mean = pooled_over_centres(centres, "auc:m")[0]
    assert mean.method.startswith("5 of 10 centres entered (left out, ")
    for clause in (
        "no usable standard error: exact, tiny",
        "at the end of its scale: perfect",
        "no figure: one-class",
        "no centre is named: unknown",
    ):
        assert clause in mean.method
    assert (mean.n, mean.events) == (450, 150)


def test_one_usable_centre_gives_three_answers_without_a_figure():
    found = pooled_over_centres({"A": run()[0], "B": not_available("auc:m", "only one class is present")}, "auc:m")
    assert [e.status for e in found] == ["not_available"] * 3
    assert "no figure: B" in found[0].reason


def test_two_centres_have_a_mean_but_no_prediction():
    mean, new, between = pooled_over_centres({"A": run()[0], "B": run(0.7)[0]}, "auc:m")
    assert mean.low < 0.75 < mean.high
    assert new.status == "not_available"
    assert "fewer than 3" in new.reason
    assert between.value is not None


def test_no_variance_between_centres_is_a_remark_not_an_error():
    between = pooled_over_centres({name: run()[0] for name in "ABC"}, "auc:m")[2]
    assert (between.status, between.value) == ("ok", 0.0)
    assert "tau2 is at 0" in between.reason


def test_centres_judged_at_different_levels_are_refused():
    with pytest.raises(BadInput, match="judge all at one"):
        pooled_over_centres({"A": run()[0], "B": run(level=0.9)[0]}, "auc:m")


def test_errors_move_to_the_pooling_scale_whatever_scale_they_came_on():
    identity, ratio = Estimate("auc:m", 0.8, se=0.04), Estimate("auc:m", 0.8, se=0.25, scale="logit")
    assert on_scale(identity, "logit") == pytest.approx(on_scale(ratio, "logit"))
    assert on_scale(Estimate("slope:m", 2.0, se=0.1, scale="log"), "identity") == pytest.approx((2.0, 0.2))


def test_an_interval_of_an_auc_stays_within_0_and_1():
    centres = {str(i): Estimate("auc:m", v, se=0.02) for i, v in enumerate((0.6, 0.99, 0.7, 0.95))}
    for estimate in pooled_over_centres(centres, "auc:m")[:2]:
        assert 0 < estimate.low < estimate.high < 1


def test_a_patient_in_two_centres_is_refused(table):
    truth, _, patients, centre = table
    moved = centre.copy()
    moved[np.flatnonzero(patients == patients[-1])[:1]] = "a"
    owners = np.where(np.arange(patients.size) == 0, patients[-1], patients)
    with pytest.raises(BadInput, match="has rows in the centres a, d"):
        per_centre(judged(table), centre, truth=truth, patients=owners)


def test_the_left_out_centre_takes_no_part_in_its_refit_and_unknown_centres_in_none():
    centres, seen = np.array(["A", "A", "B", "B", "", "C"], dtype=object), {}

    def refit(training, held_out):
        seen[tuple(held_out.tolist())] = training.tolist()
        return np.zeros(held_out.size)

    found = leave_one_centre_out(refit, lambda rows, _: [Estimate("slope:r", 1.0, se=0.1, n=rows.size, events=30)], centres)
    assert seen == {(0, 1): [2, 3, 5], (2, 3): [0, 1, 5], (5,): [0, 1, 2, 3]}
    assert "refitted on 3 rows of 2 other centres" in by_name(found)["slope:r:centre=A"].method


def test_a_refit_that_fails_is_the_reason_of_its_centre_only():
    def refit(training, held_out):
        if 0 in held_out:
            raise OnclairError("The design is singular without centre A.")
        return np.zeros(held_out.size)

    found = by_name(leave_one_centre_out(refit, lambda rows, _: [Estimate("slope:r", 1.0, se=0.1)], ["A", "B", "C"]))
    assert found["slope:r:centre=A"].reason == "The design is singular without centre A."
    assert "2 of 3 centres entered" in found["slope:r:centres"].method


def test_predictions_that_do_not_fit_the_left_out_rows_are_said_where_all_fail():
    with pytest.raises(BadInput, match="predictions of shape"):
        leave_one_centre_out(lambda *_: [0.0, 0.0, 0.0], lambda *_: [], ["A", "B"])


def test_one_centre_cannot_be_left_out():
    with pytest.raises(BadInput, match="1 known centre"):
        leave_one_centre_out(lambda *_: [], lambda *_: [], ["A", "A"])


def test_centres_of_the_same_patients_cannot_be_told_apart(table):
    rng = np.random.default_rng(1)
    lp = np.tile(rng.normal(0, 1, 100), 2)
    rows = judged_rows(np.tile(rng.integers(0, 2, 100), 2), lp)
    found = by_name(case_mix("m", rows, np.repeat(["A", "B"], 100)))
    assert found["membership_auc:m:centre=A"].value == pytest.approx(0.5, abs=1e-9)
    assert found["lp_sd:m:centre=A"].value == pytest.approx(found["lp_sd:m:centre=B"].value)
    assert found["model_based_c:m:centre=A"].value == pytest.approx(found["model_based_c:m:centre=B"].value)


def test_a_centre_of_sicker_and_more_alike_patients_shows_it():
    rng = np.random.default_rng(2)
    lp = np.concatenate([rng.normal(-1, 1.2, 400), rng.normal(1, 0.4, 400)])
    rows = judged_rows(rng.random(800) < expit(lp), lp)
    found = by_name(case_mix("m", rows, np.repeat(["A", "B"], 400)))
    assert found["membership_auc:m:centre=B"].value > 0.85
    assert found["lp_mean:m:centre=A"].high < found["lp_mean:m:centre=B"].low
    assert found["lp_sd:m:centre=A"].low > found["lp_sd:m:centre=B"].high
    assert found["model_based_c:m:centre=A"].low > found["model_based_c:m:centre=B"].high


def test_the_model_based_c_is_the_mean_auc_of_outcomes_drawn_from_the_risks():
    rng = np.random.default_rng(5)
    lp = rng.normal(-0.5, 1, 2000).round(1)
    drawn = [auc("auc:m", rng.random(2000) < expit(lp), lp).value for _ in range(20)]
    assert model_based_c(lp)[0] == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 20**0.5)


def test_the_error_of_the_model_based_c_is_its_spread_over_new_patients():
    rng = np.random.default_rng(6)
    drawn = [model_based_c(rng.normal(0, 1, 150))[0] for _ in range(400)]
    parts = model_based_c(rng.normal(0, 1, 150))[1]
    assert np.sqrt(parts @ parts) == pytest.approx(np.std(drawn), rel=0.25)


def test_case_mix_that_cannot_be_had_says_why():
    rows = judged_rows([0, 1, 0, 1, 1], logit([0.2, 0.2, 0.2, 0.2, 0.6]))
    found = by_name(case_mix("m", rows, ["A", "A", "A", "A", "B"]))
    assert found["lp_sd:m:centre=A"].reason == "the linear predictor does not vary"
    assert found["lp_sd:m:centre=B"].reason == "there is one row"
    assert "membership cannot be modelled" in found["membership_auc:m:centre=B"].reason
    assert by_name(case_mix("m", rows, ["A"] * 5))["membership_auc:m:centre=A"].reason == "there is only one centre"


def test_predictors_of_another_length_are_refused():
    with pytest.raises(BadInput, match="predictors of shape"):
        case_mix("m", judged_rows([0, 1], [0.0, 1.0]), ["A", "B"], predictors=[[1.0]])
