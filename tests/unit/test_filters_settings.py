"""What filters are made of, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadGeometry, BadSetting
from onclair.science.radiomics.filters.frequencies import consensus_frequencies, true_frequencies
from onclair.science.radiomics.filters.gabor import Gabor
from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from onclair.science.radiomics.filters.laws import LAWS_KERNELS, Laws
from onclair.science.radiomics.filters.mean import Mean
from onclair.science.radiomics.filters.response import Setup, filtered, margin_mm
from onclair.science.radiomics.filters.riesz import Riesz
from onclair.science.radiomics.filters.separable_wavelets import SCALING, SeparableWavelet, filter_pair
from onclair.science.radiomics.filters.sets import MAP_SETS, map_set, response_map, value_set
from onclair.science.radiomics.filters.simoncelli import Simoncelli

CUBES = (1.0, 1.0, 1.0)


@pytest.mark.parametrize("wavelet", SCALING)
def test_scaling_coefficients_are_orthonormal_to_their_even_shifts(wavelet):
    taps = np.array(SCALING[wavelet])
    assert taps.sum() == pytest.approx(np.sqrt(2))
    for shift in range(0, taps.size, 2):
        assert taps[shift:] @ taps[: taps.size - shift] == pytest.approx(1.0 if shift == 0 else 0.0, abs=1e-14)


@pytest.mark.parametrize(("wavelet", "moments"), [("haar", 1), ("db2", 2), ("db3", 3), ("coif1", 2)])
def test_the_high_pass_kernel_has_the_vanishing_moments_of_its_name(wavelet, moments):
    high = np.array(filter_pair(wavelet)[1])
    places = np.arange(high.size, dtype=float)
    for moment in range(moments):
        assert high @ places**moment == pytest.approx(0.0, abs=1e-12)
    assert abs(high @ places**moments) > 0.1


@pytest.mark.parametrize(
    ("wavelet", "published"),
    [
        ("db2", [0.48296291, 0.83651630, 0.22414387, -0.12940952]),
        ("db3", [0.33267055, 0.80689151, 0.45987750, -0.13501102, -0.08544127, 0.03522629]),
        ("coif1", [-0.07273262, 0.33789766, 0.85257202, 0.38486485, -0.07273262, -0.01565573]),
    ],
)
def test_the_scaling_coefficients_are_those_of_the_published_tables(wavelet, published):
    assert SCALING[wavelet] == pytest.approx(published, abs=1e-8)


@pytest.mark.parametrize("name", LAWS_KERNELS)
def test_a_laws_kernel_has_unit_length_and_only_level_kernels_have_a_sum(name):
    kernel = np.array(Laws(name).chains[0][0])
    assert kernel @ kernel == pytest.approx(1.0)
    assert (abs(kernel.sum()) > 0.1) == (name[0] == "L")


def test_the_laplacian_of_gaussian_is_the_laplacian_of_a_wide_parabola():
    x, y, z = np.meshgrid(*[np.arange(41.0) - 20] * 3, indexing="ij")
    response = filtered(x**2 + 2 * y**2 - z**2, CUBES, Setup(LaplacianOfGaussian(2.0, cutoff=6.0), 3, "mirror"))
    assert response[20, 20, 20] == pytest.approx(2 + 4 - 2, rel=1e-3)


def test_the_laplacian_of_gaussian_of_flat_voxels_is_that_of_cubes():
    x, y, z = np.meshgrid(np.arange(31.0) - 15, np.arange(31.0) - 15, (np.arange(21.0) - 10) * 1.5, indexing="ij")
    response = filtered(x**2 + y**2 + z**2, (1.0, 1.0, 1.5), Setup(LaplacianOfGaussian(2.0, cutoff=6.0), 3, "mirror"))
    assert response[15, 15, 10] == pytest.approx(6.0, rel=2e-3)


def test_a_gabor_filter_answers_to_a_wave_of_its_length_and_direction_and_to_no_other():
    x, y = np.meshgrid(np.arange(48.0), np.arange(48.0), indexing="ij")
    wave = np.cos(2 * np.pi / 6 * (x * np.cos(np.pi / 6) + y * np.sin(np.pi / 6)))[:, :, None]
    box = np.s_[22:26, 22:26, :]
    along, across, longer = (
        filtered(wave, CUBES, Setup(chosen, 2), box=box).mean()
        for chosen in (Gabor(4.0, 6.0, 1.0, 30.0), Gabor(4.0, 6.0, 1.0, 120.0), Gabor(4.0, 12.0, 1.0, 30.0))
    )
    assert along == pytest.approx(np.pi * 4.0**2, rel=1e-3)
    assert across < 0.001 * along
    assert longer < 0.2 * along


def test_a_gabor_filter_knows_the_millimetres_of_each_axis():
    y = np.arange(20) * 2.0
    wave = np.broadcast_to(np.cos(2 * np.pi / 8 * y), (40, 20))[:, :, None]
    response = filtered(wave, (1.0, 2.0, 5.0), Setup(Gabor(4.0, 8.0, 1.0, 90.0), 2), box=np.s_[19:21, 9:11, :])
    assert response.mean() == pytest.approx(np.pi * 4.0**2 / 2, rel=1e-2)


def test_a_step_that_goes_round_an_odd_number_of_times_keeps_all_its_directions():
    assert Gabor(1.0, 2.0, 1.0, step_degrees=120.0).thetas_degrees == (0.0, 120.0, 240.0)
    assert Gabor(1.0, 2.0, 1.0, 10.0, step_degrees=180.0).thetas_degrees == (10.0,)


def test_the_riesz_transform_of_a_cosine_is_a_sine():
    x = np.arange(32.0).reshape(32, 1, 1)
    wave = np.cos(2 * np.pi * x / 8)
    ratio = filtered(wave, CUBES, Setup(LaplacianOfGaussian(1.0), 3, "periodic"))[0, 0, 0]
    response = filtered(wave, CUBES, Setup(Riesz((1, 0, 0), LaplacianOfGaussian(1.0)), 3, "periodic"))
    np.testing.assert_allclose(response, ratio * np.sin(2 * np.pi * x / 8), atol=1e-12)


@pytest.mark.parametrize("total", [1, 2, 3])
def test_the_components_of_a_riesz_transform_share_the_energy_of_each_frequency(total):
    frequencies = [np.array([[0.3], [-0.7]]), np.array([[0.2, 0.9]])]
    components = [Riesz((order, total - order), Simoncelli(1)).transfer(frequencies) for order in range(total + 1)]
    np.testing.assert_allclose(np.square(components).sum(axis=0), 1.0)


def test_the_levels_of_a_simoncelli_wavelet_share_the_energy_of_the_frequencies_between():
    frequencies = [np.linspace(0.1, 0.5, 50)]
    energy = sum(np.square(Simoncelli(level).transfer(frequencies)) for level in range(1, 7))
    np.testing.assert_allclose(energy, 1.0)


def test_the_consensus_grid_stretches_odd_sizes_and_shifts_even_ones_by_half_a_sample():
    np.testing.assert_allclose(consensus_frequencies(5), true_frequencies(5) * 5 / 4)
    np.testing.assert_allclose(consensus_frequencies(4) * 3, true_frequencies(4) * 4 + 1)
    assert consensus_frequencies(1).tolist() == [0.0]


@pytest.mark.parametrize("name", ["1.a.2", "2.b", "3.b.3", "4.b.2", "6.a.2", "8.a.1", "9.b.1", "10.b.1"])
def test_an_image_is_not_changed_by_filtering_it(name):
    image = np.arange(512, dtype=np.uint8).reshape(8, 8, 8)
    before = image.copy()
    response = response_map(image, name)
    assert response.dtype == np.float64
    np.testing.assert_array_equal(image, before)


def test_a_response_without_a_filter_is_a_copy_of_the_image():
    image = np.ones((2, 2, 2))
    response = filtered(image, CUBES, Setup(None), box=np.s_[:1, :, :])
    response[...] = 5.0
    assert response.shape == (1, 2, 2)
    assert image.max() == 1.0


def test_a_filter_in_two_dimensions_keeps_slices_apart():
    image = np.zeros((7, 7, 3))
    image[3, 3, 1] = 1.0
    for chosen in (
        Mean(3),
        LaplacianOfGaussian(1.0),
        Laws("S5L5", "max"),
        Gabor(1.0, 2.0, 1.0),
        Simoncelli(1),
        Riesz((1, 0), Simoncelli(1)),
    ):
        response = filtered(image, CUBES, Setup(chosen, 2))
        assert np.abs(response[:, :, [0, 2]]).max() == 0.0
        assert np.abs(response[:, :, 1]).max() > 0.01


def test_the_margin_is_in_millimetres_along_the_widest_axis_and_none_where_the_whole_image_counts():
    assert margin_mm(Setup(None), CUBES) == 0.0
    assert margin_mm(Setup(LaplacianOfGaussian(1.5)), CUBES) == 6.0
    assert margin_mm(Setup(Mean(5), 3, "periodic"), CUBES) is None
    assert margin_mm(Setup(Riesz((1, 0, 0), LaplacianOfGaussian(1.0))), CUBES) is None


def test_a_named_set_is_found_and_an_unknown_one_quotes_the_nearest():
    assert map_set("3.a.3").setup.filter == Laws("E5L5S5", "max", 7)
    assert value_set("ibsi2-9.A").setup == Setup(Simoncelli(2), 2)
    assert "10.b.1" in MAP_SETS
    with pytest.raises(BadSetting, match=r"4\.b\.2"):
        map_set("4.b.22")
    with pytest.raises(BadSetting, match="ibsi2-9"):
        value_set("ibsi2-9.C")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Mean(4), "size 4"),
        (lambda: Mean(-1), "size -1"),
        (lambda: LaplacianOfGaussian(0.0), "sigma_mm 0"),
        (lambda: LaplacianOfGaussian(1.0, cutoff=float("nan")), "cutoff nan"),
        (lambda: Laws("L5Q5"), "'Q5' of 'L5Q5' is unknown"),
        (lambda: Laws(""), "is unknown"),
        (lambda: Laws("L5E5", "median"), "pooling 'median' is unknown"),
        (lambda: Laws("L5E5", energy_distance=0), "0 voxels"),
        (lambda: Gabor(1.0, -2.0, 1.0), "wavelength_mm -2"),
        (lambda: Gabor(1.0, 2.0, 1.0, step_degrees=50.0), "step of 50 degrees"),
        (lambda: Gabor(1.0, 2.0, 1.0, planes=2), "2 planes"),
        (lambda: SeparableWavelet("db9", "LL"), "wavelet 'db9' is unknown"),
        (lambda: SeparableWavelet("db2", "LX"), "band 'LX' is none"),
        (lambda: SeparableWavelet("db2", "LL", 0), "is 0"),
        (lambda: Simoncelli(0), "is 0"),
        (lambda: Riesz((0, 0, 0), Simoncelli(1)), r"\(0, 0, 0\)"),
        (lambda: Riesz((1, -1, 0), Simoncelli(1)), r"\(1, -1, 0\)"),
    ],
)
def test_an_impossible_filter_is_refused_with_what_was_found(made, said):
    with pytest.raises(BadSetting, match=said):
        made()


@pytest.mark.parametrize(
    "setup",
    [
        Setup(Laws("L5E5"), 3),
        Setup(SeparableWavelet("db2", "LLH"), 2),
        Setup(Riesz((1, 0), Simoncelli(1)), 3),
        Setup(Gabor(1.0, 2.0, 1.0, planes=3), 2),
        Setup(Mean(3), 4),
        Setup(Mean(3), 3, "wrap"),
    ],
)
def test_a_set_up_whose_parts_do_not_fit_is_refused(setup):
    with pytest.raises(BadSetting):
        filtered(np.ones((4, 4, 4)), CUBES, setup)


@pytest.mark.parametrize(
    ("array", "spacing", "box", "error"),
    [
        (np.ones((4, 4)), CUBES, None, BadGeometry),
        (np.ones((4, 4, 0)), CUBES, None, BadGeometry),
        (np.ones((4, 4, 4)), (1.0, 0.0, 1.0), None, BadGeometry),
        (np.full((4, 4, 4), np.nan), CUBES, None, BadCase),
        (np.ones((4, 4, 4), complex), CUBES, None, BadCase),
        (np.ones((4, 4, 4)), CUBES, np.s_[2:2, :, :], BadCase),
    ],
)
def test_an_image_that_cannot_be_filtered_is_refused(array, spacing, box, error):
    with pytest.raises(error):
        filtered(array, spacing, Setup(Mean(3)), box=box)
