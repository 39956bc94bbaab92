"""Unmixing on spectra made by another program: how near, how sure, and what it will not say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from scipy.optimize import nnls

from onclair.core.errors import BadInput, BadSetting
from onclair.science.optics.haemoglobin import extinction
from onclair.science.spectra.prepared import Prepared, prepared_from
from onclair.science.spectra.unmix import Unmixed, Unmixing, unmix
from spectra_made import Truth, drawn, emission, escaped, measured, spectra

NM = np.arange(420.0, 731.0)
ONE, TWO = (405.0,), (385.0, 405.0)
MANY = 120
AMOUNTS = {"PpIX634": 0.5, "PpIX620": 0.2, "NADH": 1.0, "FAD": 0.6, "Lipofuscin": 0.25}


@dataclass(frozen=True)
class Trial:
    truth: Truth
    scale: float
    prepared: Prepared
    found: Unmixed


@cache
def trials(peak: float, excitations: tuple[float, ...], *, blood: bool = False, how: Unmixing | None = None) -> tuple[Trial, ...]:
    """Return many points of every kind of tissue, shifted by up to 1.2 nm, unmixed."""
    rng = np.random.default_rng(20)
    done = []
    for _ in range(MANY):
        fraction = 0.015 * float(np.exp(0.55 * rng.normal())) if blood else 0.0
        saturation = float(np.clip(rng.normal(0.65, 0.12), 0.1, 0.98))
        truth = Truth(drawn(rng), rng.uniform(-1.2, 1.2), fraction, saturation, extinction, excitations=excitations)
        expected, scale = spectra(truth, NM, peak)
        prepared = prepared_from(NM, measured(expected, rng), excitations, read_noise_counts=4.0)
        done.append(Trial(truth, scale, prepared, unmix(prepared, how or Unmixing())))
    return tuple(done)


def error(done: tuple[Trial, ...], name: str) -> float:
    """Return the median relative error of an amount."""
    return float(np.median([abs(_value(t, name) / (t.truth.amounts[name] * t.scale) - 1.0) for t in done]))


def ratio_error(done: tuple[Trial, ...], above: str, below: str) -> float:
    """Return the median relative error of a ratio of amounts."""
    truths = [t.truth.amounts[above] / t.truth.amounts[below] for t in done]
    return float(np.median([abs(_value(t, above) / _value(t, below) / truth - 1.0) for t, truth in zip(done, truths, strict=True)]))


def coverage(done: tuple[Trial, ...], name: str) -> float:
    held = [t.found.abundances[name].low <= t.truth.amounts[name] * t.scale <= t.found.abundances[name].high for t in done]
    return float(np.mean(held))


def shift_rmse(done: tuple[Trial, ...]) -> float:
    return float(np.sqrt(np.mean([(t.found.shift_nm.value - t.truth.shift_nm) ** 2 for t in done])))


def log_correlation(done: tuple[Trial, ...]) -> float:
    """Return Pearson's r of log 620/AF, found against true; AF is what one excitation can tell of it."""
    pairs = [(t.found.ratios["620/AF"].value, t.truth.amounts) for t in done if t.found.ratios["620/AF"].value]
    true = [a["PpIX620"] / (a["FAD"] + a["Lipofuscin"]) for _, a in pairs]
    return float(np.corrcoef(np.log([found for found, _ in pairs]), np.log(true))[0, 1])


def _value(trial: Trial, name: str) -> float:
    value = trial.found.abundances[name].value
    assert value is not None
    return value


@pytest.mark.parametrize(("peak", "first", "second", "shift", "r"), [(3000, 0.02, 0.06, 0.12, 0.98), (300, 0.05, 0.12, 0.36, 0.95)])
def test_one_excitation_finds_both_states_of_ppix_and_the_shift(peak, first, second, shift, r):
    done = trials(peak, ONE)
    assert error(done, "PpIX634") <= first
    assert error(done, "PpIX620") <= second
    assert shift_rmse(done) <= shift
    assert log_correlation(done) >= r


@pytest.mark.parametrize("peak", [3000, 300])
@pytest.mark.parametrize("name", ["PpIX634", "PpIX620", "FAD", "Lipofuscin"])
def test_intervals_hold_the_truth_as_often_as_they_say(peak, name):
    assert 0.88 <= coverage(trials(peak, ONE), name) <= 0.995


@pytest.mark.parametrize(("peak", "coarse", "fine"), [(3000, 0.05, 0.03), (300, 0.12, 0.06)])
def test_blood_with_two_excitations_leaves_ratios_right(peak, coarse, fine):
    done = trials(peak, TWO, blood=True, how=Unmixing(transport="joint"))
    assert ratio_error(done, "PpIX634", "FAD") <= fine
    assert ratio_error(done, "NADH", "FAD") <= fine
    assert ratio_error(done, "PpIX620", "FAD") <= coarse


def test_blood_fraction_and_saturation_are_found_within_their_intervals():
    done = trials(3000, TWO, blood=True, how=Unmixing(transport="joint"))
    for name, true in (("fraction", "blood"), ("sto2", "saturation")):
        found = [(t.found.blood[name], getattr(t.truth, true)) for t in done]
        told = [(amount, value) for amount, value in found if amount.value is not None]
        assert np.mean([amount.low <= value <= amount.high for amount, value in told]) > 0.88
        assert len(told) > 0.9 * MANY


def test_nadh_at_405_nm_alone_is_not_identifiable_and_never_0():
    for trial in trials(300, ONE):
        nadh = trial.found.abundances["NADH"]
        assert (nadh.status, nadh.value, nadh.low, nadh.high) == ("not_identifiable", None, None, None)
        assert "405" in nadh.reason or "efficiency" in nadh.reason


def test_nadh_is_told_with_385_nm_too():
    assert all(t.found.abundances["NADH"].status == "ok" for t in trials(3000, TWO, blood=True, how=Unmixing(transport="joint")))


def test_a_shift_of_half_a_nanometre_costs_nnls_four_times_as_much_and_more():
    """The keystone: without a fitted shift no solver helps."""
    rng = np.random.default_rng(5)
    names = ("PpIX634", "PpIX620", "FAD", "Lipofuscin")
    grid = np.array([np.interp(NM, np.arange(340.0, 1010.0, 0.1), emission(name)) for name in names])
    reach = np.array([0.94, 0.94, 0.535, 1.0])
    ours, theirs = [], []
    for _ in range(40):
        truth = Truth({**{k: v for k, v in drawn(rng).items() if k in names}}, 0.5)
        expected, scale = spectra(truth, NM, 3000)
        counts = measured(expected, rng)
        true = np.array([truth.amounts[name] * scale for name in names])
        found = unmix(prepared_from(NM, counts, ONE, read_noise_counts=4.0), Unmixing(names, "none"))
        ours.append((np.array([found.abundances[name].value for name in names]) / true - 1.0) ** 2)
        theirs.append((nnls((grid * reach[:, None]).T, counts[0])[0] / true - 1.0) ** 2)
    assert np.mean(ours) <= 0.25 * np.mean(theirs)


def test_a_power_that_was_told_wrongly_does_not_move_ratios_of_a_joint_fit():
    rng = np.random.default_rng(6)
    truth = Truth(AMOUNTS, 0.3, 0.015, 0.65, extinction, excitations=TWO)
    wrong = Truth(AMOUNTS, 0.3, 0.015, 0.65, extinction, excitations=TWO, gains={405.0: 1.4})
    found = []
    for each in (truth, wrong):
        expected, _ = spectra(each, NM, 30000)
        found.append(unmix(prepared_from(NM, measured(expected, rng), TWO, read_noise_counts=4.0), Unmixing(transport="joint")))
    first, second = (each.ratios["NADH/FAD"] for each in found)
    assert first.value == pytest.approx(second.value, rel=0.02)


@pytest.mark.parametrize("resolution", [5.0, 8.0])
def test_a_coarser_resolution_is_noticed_and_fitted(resolution):
    rng = np.random.default_rng(7)
    truth = Truth({"PpIX634": 1.0, "PpIX620": 0.3, "NADH": 1.0, "FAD": 0.6, "Lipofuscin": 0.25}, 0.4, resolution_nm=resolution)
    expected, scale = spectra(truth, NM, 20000)
    found = unmix(prepared_from(NM, measured(expected, rng), ONE, read_noise_counts=4.0), Unmixing(transport="none"))
    assert "blur" in found.names
    assert found.abundances["PpIX634"].value == pytest.approx(scale, rel=0.01)
    assert found.shift_nm.value == pytest.approx(0.4, abs=0.1)


def test_a_shift_beyond_the_bound_is_said_and_not_hidden():
    truth = Truth({"PpIX634": 1.0, "PpIX620": 0.3, "FAD": 0.6, "Lipofuscin": 0.25}, 4.0)
    expected, _ = spectra(truth, NM, 3000)
    found = unmix(prepared_from(NM, measured(expected, np.random.default_rng(8)), ONE, read_noise_counts=4.0))
    assert found.status == "at_bound"
    assert "calibrate" in found.reason


def test_an_absent_fluorophore_lies_at_its_bound_with_an_upper_limit():
    rng = np.random.default_rng(9)
    truth = Truth({"FAD": 0.6, "Lipofuscin": 0.4})
    expected, _ = spectra(truth, NM, 3000)
    amounts = [unmix(prepared_from(NM, measured(expected, rng), ONE, read_noise_counts=4.0)).abundances["PpIX620"] for _ in range(20)]
    bound = [amount for amount in amounts if amount.status == "at_bound"]
    assert 4 <= len(bound) <= 16  # half of unbiased estimates would be negative
    assert all(amount.value == 0 and amount.low == 0 and amount.high > 0 for amount in bound)


def test_an_unknown_fluorophore_shows_in_chi_squared():
    bump = 400.0 * np.exp(-(((NM - 480.0) / 6.0) ** 2))
    expected, _ = spectra(Truth({"PpIX634": 0.5, "FAD": 0.6, "Lipofuscin": 0.25}), NM, 3000)
    found = unmix(prepared_from(NM, measured(expected + bump, np.random.default_rng(10)), ONE, read_noise_counts=4.0))
    assert found.chi2 > 2.0
    assert abs(NM[int(np.nanargmax(found.residual[0]))] - 480.0) < 8.0


def test_two_flavins_at_one_excitation_are_not_told_apart():
    expected, _ = spectra(Truth({"PpIX634": 0.5, "FAD": 0.6, "Lipofuscin": 0.25}), NM, 3000)
    prepared = prepared_from(NM, measured(expected, np.random.default_rng(11)), ONE, read_noise_counts=4.0)
    found = unmix(prepared, Unmixing(("PpIX634", "FAD", "Flavin", "Lipofuscin"), "none")).abundances
    assert {found["FAD"].status, found["Flavin"].status} == {"not_identifiable"}
    assert found["PpIX634"].status == "ok"


def test_a_bloodless_phantom_is_fitted_without_blood_when_nobody_says():
    done = trials(3000, ONE)
    assert {t.found.transport for t in done[:40]} <= {"none", "joint"}
    assert np.mean([t.found.transport == "none" for t in done]) > 0.9


def test_left_out_pixels_do_not_move_the_amounts():
    trial = trials(3000, ONE)[0]
    counts = trial.prepared.counts.copy()
    counts[0, 100:107] = np.nan
    found = unmix(prepared_from(NM, counts, ONE, read_noise_counts=4.0), Unmixing(transport="none"))
    whole = unmix(trial.prepared, Unmixing(transport="none"))
    assert found.abundances["PpIX634"].value == pytest.approx(whole.abundances["PpIX634"].value, rel=0.1)
    assert np.isnan(found.residual[0, 100:107]).all()


def test_fewer_than_50_pixels_are_refused():
    few = np.linspace(420.0, 730.0, 49)
    with pytest.raises(BadInput, match=r"49 pixels .* at least 50"):
        unmix(prepared_from(few, [np.ones(49)], ONE))


@pytest.mark.parametrize(
    "bad", [{"fluorophores": ()}, {"fluorophores": ("FAD", "FAD")}, {"transport": "magic"}, {"window_nm": (700.0, 500.0)}]
)
def test_impossible_settings_are_refused(bad):
    with pytest.raises(BadSetting):
        Unmixing(**bad)


def test_an_unknown_fluorophore_is_refused_by_name():
    with pytest.raises(BadInput, match=r"'Haem' is unknown; choose among .*PpIX634"):
        unmix(prepared_from(NM, [np.ones(311)], ONE), Unmixing(("Haem",)))


def test_reflectance_that_was_never_measured_is_refused():
    with pytest.raises(BadInput, match="white frame"):
        unmix(prepared_from(NM, [np.ones(311)], ONE), Unmixing(transport="reflectance"))


def test_a_users_basis_that_ends_inside_the_window_is_refused():
    own = {"Dye": (np.arange(450.0, 731.0), np.ones(281))}
    with pytest.raises(BadInput, match="'Dye' covers 450 to 730 nm, but the fit needs 420 to 730 nm"):
        unmix(prepared_from(NM, [np.ones(311)], ONE), Unmixing(("Dye", "FAD")), own)


def test_a_users_own_table_of_a_base_gives_what_the_base_gives():
    trial = trials(3000, ONE)[1]
    fine = np.arange(340.0, 1010.0, 0.1)
    inside = (fine > 400.0) & (fine < 750.0)
    own = {"PpIX634": (fine[inside], 5.0 * emission("PpIX634")[inside])}
    how = Unmixing(transport="none", width="fixed")
    ours, theirs = unmix(trial.prepared, how), unmix(trial.prepared, how, own)
    ratio = theirs.abundances["PpIX634"].value / ours.abundances["PpIX634"].value
    area = np.trapezoid(emission("PpIX634")[inside], fine[inside])  # the user's area is over all that is covered
    assert ratio == pytest.approx(area, rel=1e-3)


def test_reflectance_puts_blood_right():
    rng = np.random.default_rng(12)
    truth = Truth(AMOUNTS, 0.3, 0.04, 0.65, extinction, excitations=TWO)
    expected, _ = spectra(truth, NM, 3000)
    plain = prepared_from(NM, measured(expected, rng), TWO, read_noise_counts=4.0)
    white = replace(plain, reflectance=30.0 * escaped(truth, 405.0, NM) ** 1.5)  # the white light goes a longer way
    corrected, raw = unmix(white, Unmixing(transport="reflectance")), unmix(plain, Unmixing(transport="none"))
    true = AMOUNTS["NADH"] / AMOUNTS["FAD"]
    assert corrected.transport == "reflectance"
    assert abs(corrected.ratios["NADH/FAD"].value / true - 1.0) < 0.04 < abs(raw.ratios["NADH/FAD"].value / true - 1.0)


def test_where_nobody_says_the_reflectance_is_taken_unless_a_joint_fit_explains_more():
    rng = np.random.default_rng(13)
    truth = Truth(AMOUNTS, 0.3, 0.04, 0.65, extinction, excitations=ONE)
    expected, _ = spectra(truth, NM, 3000)
    plain = prepared_from(NM, measured(expected, rng), ONE, read_noise_counts=4.0)
    escape = escaped(truth, 405.0, NM)
    assert unmix(replace(plain, reflectance=30.0 * escape**1.5)).transport == "reflectance"
    assert unmix(replace(plain, reflectance=30.0 * escape**1.5 * (NM / 500.0) ** 3)).transport == "joint"
