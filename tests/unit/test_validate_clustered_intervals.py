"""Figures of patients with several rows: their errors against the jackknife of patients, their reach, and too few of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

from onclair.core.estimate import Estimate
from onclair.validate.acting import acting_on
from onclair.validate.benefits import standardised_benefits
from onclair.validate.calibration import o_e, u_test
from onclair.validate.calibration_curves import calibration_curve, calibration_distances
from onclair.validate.censored import ipa as ipa_in_time
from onclair.validate.competing.calibration import o_e as competing_o_e
from onclair.validate.discrimination import auc, auc_difference, average_precision, partial_auc
from onclair.validate.followed import Followed, followed_risks
from onclair.validate.operating_points import operating_points
from onclair.validate.overall import ipa
from onclair.validate.rows import judged_risks, judged_rows, logits
from onclair.validate.survival.calibration import o_e as survival_o_e
from onclair.validate.survival.calibration import poisson_o_e
from onclair.validate.survival.ranking import harrell

PATIENTS = 160
WHO = np.repeat(np.arange(PATIENTS), 3)


def cohort(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Truth and risks of three rows a patient, much alike within a patient."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0.0, 1.5, PATIENTS)[WHO]
    risks = special.expit(own + rng.normal(0.0, 0.3, WHO.size))
    return (rng.uniform(size=WHO.size) < special.expit(1.2 * own - 0.4)).astype(int), risks


def in_time(seed: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event (2 competing) and risks of three rows a patient."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0.0, 1.0, PATIENTS)[WHO]
    first, other, left = (rng.exponential(scale, WHO.size) for scale in (4.0, 9.0, 8.0))
    first = first * np.exp(-own)
    time = np.minimum(np.minimum(first, other), left)
    event = np.where(time == first, 1, np.where(time == other, 2, 0))
    return time, event, 1 - np.exp(-np.exp(own) * 0.4)


def jackknife(figure: Callable[[np.ndarray], Estimate], log: bool) -> float:
    """Return the delete-one-patient error of a figure of some rows, on the log scale where asked."""
    left_out = np.array([figure(np.flatnonzero(who != WHO)).value for who in range(PATIENTS)])
    values = np.log(left_out) if log else left_out
    return float(np.sqrt((PATIENTS - 1) / PATIENTS * np.sum((values - values.mean()) ** 2)))


def binary_figures() -> dict[str, Callable[[np.ndarray], Estimate]]:
    y, p = cohort()
    return {
        "o_e": lambda at: o_e("o_e:m", y[at], p[at], patients=WHO[at]),
        "lr_pos": lambda at: operating_points("m", y[at], p[at], [0.5], patients=WHO[at])[4],
        "lr_neg": lambda at: operating_points("m", y[at], p[at], [0.5], patients=WHO[at])[5],
    }


def timed_figures() -> dict[str, Callable[[np.ndarray], Estimate]]:
    time, event, risks = in_time()
    hazard = 0.1 * time * np.exp(risks)

    def rows(at: np.ndarray, competing: bool = False) -> Followed:
        seen = event if competing else (event == 1).astype(int)
        return followed_risks(time[at], seen[at], risks[at], WHO[at])

    return {
        "survival o_e": lambda at: survival_o_e("o_e:m", rows(at), 2.0),
        "poisson o_e": lambda at: poisson_o_e("poisson_o_e:m", rows(at), hazard[at]),
        "competing o_e": lambda at: competing_o_e("o_e:m", rows(at, True), 2.0),
        "survival ipa": lambda at: ipa_in_time("ipa:m", rows(at), 2.0),
        "competing ipa": lambda at: ipa_in_time("ipa:m", rows(at, True), 2.0),
    }


@pytest.mark.parametrize(("name", "figure"), [*binary_figures().items(), *timed_figures().items()])
def test_a_clustered_error_is_that_of_the_jackknife_of_patients(name, figure):
    found = figure(np.arange(WHO.size))
    assert found.scale == ("identity" if "ipa" in name else "log")
    assert found.se == pytest.approx(jackknife(figure, log="ipa" not in name), rel=0.02)


def test_the_error_of_the_ipa_is_that_of_the_jackknife_with_one_row_a_patient():
    time, event, risks = (part[::3] for part in in_time())

    def figure(at):
        return ipa_in_time("ipa:m", followed_risks(time[at], event[at], risks[at]), 2.0)

    left_out = np.array([figure(np.flatnonzero(np.arange(PATIENTS) != i)).value for i in range(PATIENTS)])
    error = np.sqrt((PATIENTS - 1) / PATIENTS * np.sum((left_out - left_out.mean()) ** 2))
    assert figure(np.arange(PATIENTS)).se == pytest.approx(error, rel=0.02)


def few(patients: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first patients of the cohort."""
    y, p = cohort(8)
    here = patients > WHO
    return y[here], p[here], WHO[here]


@pytest.mark.parametrize("patients", [5, 12])
def test_a_clustered_interval_reaches_as_far_as_t_on_patients_less_one(patients):
    y, p, who = few(patients)
    found = o_e("o_e:m", y, p, patients=who)
    reach = float(special.stdtrit(patients - 1, 0.975))
    assert np.log(found.high / found.value) == pytest.approx(reach * found.se)
    assert f"t quantile on {patients - 1} degrees of freedom" in found.method


@pytest.mark.parametrize("patients", [9, 40])
def test_an_area_reaches_as_far_as_t_says_on_whichever_scale(patients):
    y, p, who = few(patients)
    found = auc("auc:m", y, p, patients=who)
    centre, high = (special.logit(v) for v in (found.value, found.high)) if found.scale == "logit" else (found.value, found.high)
    assert high - centre == pytest.approx(float(special.stdtrit(patients - 1, 0.975)) * found.se, rel=1e-6)


def test_one_row_a_patient_keeps_the_normal_interval():
    y, p, _ = few(5)
    found = o_e("o_e:m", y, p)
    assert np.log(found.high / found.value) == pytest.approx(1.959963985 * found.se)
    assert (found.status, "t quantile" in found.method) == ("ok", False)


@pytest.mark.parametrize("patients", [9, 10])
def test_a_figure_of_fewer_than_ten_patients_is_shown_with_a_caution(patients):
    y, p, who = few(patients)
    rows = judged_risks(y, p, who)
    found = [of("x:m", y, p, patients=who) for of in (auc, average_precision, ipa, o_e)]
    found += [*partial_auc("m", y, p, patients=who), *operating_points("m", y, p, [0.2], patients=who)]
    found += calibration_distances("m", rows, replicates=0)
    found += standardised_benefits("m", acting_on(y, p, who), [0.3])
    for e in found:
        assert e.value is not None
        assert e.status == ("too_few" if patients == 9 else "ok")
        assert patients == 10 or e.reason.startswith("9 patients with repeated rows; a figure clustered by patient needs 10")


def test_a_concordance_of_few_patients_is_shown_with_a_caution():
    time, event, risks = (part[:15] for part in in_time())
    found = harrell("harrell:m", followed_risks(time, event == 1, risks, WHO[:15]))
    assert found.status == "too_few"
    assert found.low is not None


def test_the_clustered_u_test_is_held_against_hotellings_f():
    u, p = u_test("m", *few(14)[:2], patients=few(14)[2])
    assert p.value == pytest.approx(float(special.fdtrc(2, 12, u.value * 12 / 26)))
    assert p.value > np.exp(-u.value / 2)
    assert "F(2, 12)" in p.method


def test_the_clustered_u_test_needs_ten_patients():
    y, p, who = few(9)
    assert [e.status for e in u_test("m", y, p, patients=who)] == ["not_available"] * 2


def test_shares_of_one_patient_have_no_interval():
    found = operating_points("m", [0, 1, 1, 0], [0.2, 0.7, 0.4, 0.6], [0.5], patients=["a"] * 4)[0]
    assert (found.value, found.low, found.high, found.se) == (0.5, None, None, None)
    assert found.reason.endswith("too few patients for a standard error")


def test_a_curve_of_one_patient_has_no_band():
    y, p = cohort()
    curve = calibration_curve("m", y[:60], p[:60], patients=["a"] * 60)
    assert len(curve.y) == 100
    assert curve.low is None


def test_a_difference_that_cancels_within_patients_is_not_without_error():
    """Each patient gains by one pair what it loses by the other, so the patients' sums are zero though the rankings differ."""
    truth, a, b = [0, 0, 1, 1] * 2, [1, 3, 2, 4] * 2, [2, 4, 1, 3] * 2
    found = auc_difference("auc:a-minus-b", truth, a, np.array(b), patients=[1, 1, 1, 1, 2, 2, 2, 2])
    assert "alike" not in found.method
    assert (found.low, found.reason.split("; ")[-1]) == (None, "its variance cannot be estimated from these patients")


def test_the_same_claim_twice_differs_by_nothing_without_error():
    y, p = cohort()
    found = auc_difference("auc:a-minus-b", y, p, p**2, patients=WHO)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    assert "both rank these rows alike" in found.method


def test_no_figure_without_an_interval_speaks_of_one():
    rows = judged_rows([0, 1], [0.2, 0.6])
    assert "Wald" not in rows.estimate("auc:m", 0.5, float("nan"), "AUC, sandwich error, Wald interval; said").method


@pytest.mark.parametrize("figure", [ipa, lambda n, y, p: standardised_benefits("m", acting_on(y, p), [0.3])[0]])
def test_what_cannot_exceed_one_is_cut_there_and_says_so(figure):
    found = figure("ipa:m", [0, 1] * 6 + [0, 0], [0.01, 0.99] * 5 + [0.01, 0.25] + [0.28, 0.35])
    assert found.high == 1.0
    assert found.value < 1.0
    assert "Wald interval, cut at 1" in found.method


def test_a_tiny_risk_keeps_its_own_logit():
    lines, said = logits(judged_risks([0, 1, 1, 0], [1e-300, 1e-13, 1.0, 0.0]))
    assert lines[0, :2] == pytest.approx(np.log([1e-300, 1e-13]))
    assert said == "; 2 rows with risk 0 or 1 moved inside by 1e-12"
