"""The parts of the unmixing: slopes against differences, the bounded solver against others, bins against pixels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from onclair.core.fragments import in_french
from onclair.science.spectra.bases import COMPONENTS, FLUOROPHORES, basis, efficiency
from onclair.science.spectra.emitters import emitters
from onclair.science.spectra.features import area_normalised, features_of
from onclair.science.spectra.prepared import Gate, prepared_from
from onclair.science.spectra.transport import blood_transport, fitted_exponent
from onclair.science.spectra.unmix import Unmixing, unmix
from onclair.science.spectra.unmix_amounts import covariance_of
from onclair.science.spectra.unmix_fit import Data, binned, boxed
from onclair.science.spectra.unmix_model import Free, Model, reached_by, smooth_baseline, sought_blood

NM = np.linspace(420.0, 730.0, 400)
TWO = np.array([385.0, 405.0])
NAMES = ("PpIX634", "NADH", "Own")
OWN = {"Own": (np.arange(400.0, 761.0, 5.0), 0.1 + np.exp(-(((np.arange(400.0, 761.0, 5.0) - 560.0) / 40.0) ** 2)))}


def model() -> Model:
    """Return a model with every kind of free parameter."""
    free = (
        Free("shift", 0.4, -2.5, 2.5),
        Free("width", 1.05, 0.7, 1.4),
        Free("blur", 3.0, -10.0, 25.0),
        Free("blood", sought_blood(0.02), 0.0, 5.0),
        Free("saturation", 0.6, 0.0, 1.0),
        Free("exponent", 0.7, 0.0, 2.0),
        Free("gain1", 0.2, -3.0, 3.0, (1,)),
    )
    return Model(
        NM,
        np.array([20.0, 30.0]),
        reached_by(NAMES, TWO),
        emitters(NAMES, OWN, (420.0, 730.0)),
        smooth_baseline(NM),
        free,
        blood_transport(NM, TWO),
        np.log(0.3 + 0.1 * np.sin(NM / 50.0)),
    )


@pytest.mark.parametrize("name", ["shift", "blur", "blood", "saturation", "exponent", "gain1"])
def test_the_slope_by_each_free_parameter_is_its_difference(name):
    made = model()
    amounts = np.array([3.0, 5.0, 2.0, 0.1, 0.2, 0.1, 0.3])
    place = [each.name for each in made.free].index(name)
    step = np.zeros(len(made.free))
    step[place] = 1e-6
    above, below = (np.tensordot(amounts, made.at(made.start + sign * step).columns(), axes=1) for sign in (1, -1))
    difference = (above - below) / 2e-6
    slope = made.at(made.start).slopes(amounts)[place]
    assert np.abs(slope - difference).max() < 2e-3 * np.abs(difference).max()


def test_the_slope_by_width_is_its_difference_where_nothing_is_blurred():
    made = model()
    theta = made.start.copy()
    theta[2] = 0.0
    step = np.array([0.0, 1e-6, 0, 0, 0, 0, 0])
    amounts = np.array([3.0, 5.0, 2.0, 0.1, 0.2, 0.1, 0.3])
    above, below = (np.tensordot(amounts, made.at(theta + sign * step).columns(), axes=1) for sign in (1, -1))
    slope = made.at(theta).slopes(amounts)[1]
    assert np.abs(slope - (above - below) / 2e-6).max() < 1e-4 * np.abs(slope).max()


def test_blur_is_a_convolution_with_the_instruments_resolution():
    fine = np.arange(380.0, 780.0, 0.25)
    sigma = 2.0
    kernel = np.exp(-0.5 * (np.arange(-40, 41) * 0.25 / sigma) ** 2)
    blurred = np.convolve(basis("PpIX634", fine), kernel / kernel.sum(), mode="same")
    parts = emitters(("PpIX634",), {}, (420.0, 730.0))
    made = Model(NM, np.ones(1), np.ones((1, 1)), parts, np.zeros((0, len(NM))), (Free("blur", sigma**2, 0.0, 25.0),))
    assert np.abs(made.at(made.start).columns()[0, 0] - np.interp(NM, fine, blurred)).max() < 6e-3 * blurred.max()


@pytest.mark.parametrize("seed", range(12))
def test_the_bounded_solver_agrees_with_scipy(seed):
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(30, 7)) @ (np.eye(7) + 0.8 * rng.normal(size=(7, 7)))
    target = rng.normal(size=30) * 3.0
    low, high = -rng.uniform(0, 1, 7), rng.uniform(0, 1, 7)
    expected = lsq_linear(columns, target, (low, high), method="bvls", tol=1e-14).x
    assert boxed(columns.T @ columns, columns.T @ target, low, high) == pytest.approx(expected, abs=1e-6)


def test_a_parameter_of_which_nothing_is_known_does_not_stop_the_solver():
    square = np.diag([2.0, 0.0])
    assert boxed(square, np.array([4.0, 0.0]), np.array([-5.0, -1.0]), np.array([5.0, 1.0])) == pytest.approx([2.0, 0.0])


def test_the_covariance_is_the_inverse_information():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(50, 4)) * [1.0, 1e3, 1e-3, 1.0]
    information = rows.T @ rows
    assert covariance_of(information) @ information == pytest.approx(np.eye(4), abs=1e-6)


def test_bins_lose_no_information():
    rng = np.random.default_rng(4)
    fine = np.linspace(420.0, 730.0, 2048)
    light = sum(a * basis(name, fine, 0.6) for name, a in (("PpIX634", 2e5), ("PpIX620", 8e4), ("FAD", 2e5), ("Lipofuscin", 1e5)))
    prepared = prepared_from(fine, [rng.poisson(light)], [405.0])
    names = ("PpIX634", "PpIX620", "FAD", "Lipofuscin")
    found = unmix(prepared, Unmixing(names, "none"))
    shifts = [unmix(prepared_from(fine[i::8], prepared.counts[:, i::8], [405.0]), Unmixing(names, "none")) for i in range(8)]
    # eight unbinned combs of the same pixels: their mean has the same error as all pixels together
    se = np.mean([each.abundances["PpIX620"].se for each in shifts]) / np.sqrt(8)
    assert found.abundances["PpIX620"].se == pytest.approx(se, rel=0.02)
    assert found.abundances["PpIX620"].value == pytest.approx(np.mean([each.abundances["PpIX620"].value for each in shifts]), abs=0.3 * se)


def test_a_bin_with_a_pixel_left_out_is_left_out():
    ones = np.ones((1, 400))
    kept = ones > 0
    kept[0, 10] = False
    coarse, wavelength = binned(Data(ones, ones, ones, kept), np.linspace(500.0, 580.0, 400))
    assert coarse.kept.sum() == len(wavelength) - 1


@pytest.mark.parametrize("name", FLUOROPHORES)
def test_every_base_has_unit_area(name):
    grid = np.arange(420.0, 731.0)
    assert np.trapezoid(basis(name, grid), grid) == pytest.approx(1.0, abs=1e-12)
    assert len(COMPONENTS[name]) in (1, 2, 3)


def test_cosines_are_those_of_the_specification():
    grid = np.arange(420.0, 731.0)
    rows = np.array([basis(name, grid) for name in FLUOROPHORES])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosine = {(a, b): rows[i] @ rows[j] for i, a in enumerate(FLUOROPHORES) for j, b in enumerate(FLUOROPHORES)}
    assert round(cosine["PpIX634", "PpIX620"], 2) == 0.73
    assert cosine["PpIX620", "Lipofuscin"] == pytest.approx(0.81, abs=0.011)
    assert round(cosine["NADH", "Elastin"], 2) == 0.94
    assert round(cosine["FAD", "Melanin"], 2) == 0.94


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        ("PpIX634", 410.0, 1.0),
        ("PpIX620", 385.0, 0.57),
        ("NADH", 385.0, 0.2925),
        ("NADH", 430.0, 0.01),
        ("FAD", 405.0, 0.535),
        ("Dye", 405.0, 1.0),
    ],
)
def test_efficiency_is_linear_between_the_nodes(name, at, value):
    assert efficiency(name, at) == pytest.approx(value)


def test_the_exponent_of_own_phantoms_is_found():
    reflectance = np.random.default_rng(5).uniform(0.1, 0.9, (6, 40))
    assert fitted_exponent(reflectance, 3.0 * reflectance**0.6) == pytest.approx(0.6)


def test_features_say_nan_where_nothing_can_be_told():
    point = prepared_from(NM, [1e5 * basis("FAD", NM)], [405.0])
    row = features_of(unmix(point, Unmixing(("FAD", "PpIX634"), "none")), point, [Gate("snr", 80.0, 5.0, True, "")])
    assert np.isnan(row["log_nadh_fad"])
    assert np.isnan(row["sto2"])
    assert row["log_634_af_se"] == 1.0  # at its bound: told as its own standard error
    assert row["quality_snr"] == 80.0


def test_the_area_of_every_normalised_spectrum_is_1():
    point = prepared_from(np.linspace(350.0, 1000.0, 2048), np.random.default_rng(6).uniform(5, 9, (2, 2048)), TWO)
    rows = area_normalised(point)
    assert np.trapezoid(rows, dx=2.0, axis=1) == pytest.approx(1.0)


def test_every_reason_has_its_french():
    rng = np.random.default_rng(7)
    light = 3e4 * basis("PpIX634", NM, 3.2) + 3e4 * basis("FAD", NM, 3.2)
    names = ("PpIX634", "NADH", "FAD", "Flavin", "Lipofuscin")
    cases = [
        (prepared_from(NM, [rng.poisson(light)], [405.0]), Unmixing(names, "joint")),
        (prepared_from(NM, [rng.poisson(light), rng.poisson(light)], TWO), Unmixing(("NADH", "FAD"), "joint", "fitted")),
        (prepared_from(NM, [rng.normal(size=400)], [405.0], read_noise_counts=1.0), Unmixing(("NADH",), "none")),
        (prepared_from(NM, [np.zeros(400)], [405.0]), Unmixing(("FAD", "PpIX634", "Lipofuscin"), "joint", "fitted")),
    ]
    reasons = set()
    for point, how in cases:
        found = unmix(point, how)
        told = (*found.abundances.values(), *found.ratios.values(), *found.blood.values(), found.shift_nm, found.width)
        reasons |= {found.reason, *(each.reason for each in told)} - {""}
    assert len(reasons) >= 8
    assert sorted(reason for reason in reasons if in_french(reason) is None) == []
