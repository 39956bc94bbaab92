"""The simulated PET acquisition: counts, bias, resolution and noise."""

from dataclasses import replace

import numpy as np
import pytest

from onclair.core.errors import BadSetting
from onclair.virtual.pet import Phantom, acquire, expected_counts, grid_of
from onclair.virtual.scanner import FWHM_PER_SIGMA, Scanner, pet_scanners

SHARP = Scanner("C1", 4.5, (4.0, 4.0, 4.0), 5000.0, 4.0)


def cylinder(radius_mm: float, suv: float, *, cells: int = 60, slices: int = 30, surround: float = 0.0) -> Phantom:
    place = (np.arange(cells) - (cells - 1) / 2) * 2.0
    distance = np.hypot(place[:, None], place)[:, :, None] * np.ones(slices)
    body = (distance < 50).astype(float)
    return Phantom(np.where(distance < radius_mm, suv, surround * body), body, 2.0)


def central(image_array: np.ndarray, affine: np.ndarray, radius_mm: float) -> np.ndarray:
    n = image_array.shape[0]
    place = affine[0, 3] + affine[0, 0] * np.arange(n)
    return image_array[np.hypot(place[:, None], place) < radius_mm]


@pytest.mark.parametrize("scanner", pet_scanners(8), ids=lambda s: s.name)
def test_a_uniform_phantom_is_reconstructed_without_bias(scanner):
    image = acquire(cylinder(50.0, 2.0), scanner, np.random.default_rng(1))
    assert central(image.array, image.affine, 36.0).mean() == pytest.approx(2.0, rel=0.03)


def test_doubling_the_counts_halves_the_variance_of_the_image():
    phantom = cylinder(50.0, 1.0)
    spread = []
    for level in (4000.0, 16000.0):
        image = acquire(phantom, replace(SHARP, counts_per_ml_suv=level), np.random.default_rng(2))
        spread.append(central(image.array, image.affine, 36.0).std())
    assert spread[0] / spread[1] == pytest.approx(2.0, rel=0.15)


def test_a_wider_filter_ties_the_noise_of_neighbours_more_closely():
    tied = []
    for width in (0.0, 4.0, 8.0):
        image = acquire(cylinder(50.0, 1.0), replace(SHARP, post_filter_mm=width), np.random.default_rng(3))
        noise = image.array[8:22, 8:22] - 1.0
        tied.append(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1])
    assert tied[0] < 0.15 < tied[1] < 0.5 < tied[2]


def test_attenuation_makes_the_middle_noisier_than_the_rim():
    phantom = cylinder(50.0, 1.0, slices=80)
    image = acquire(phantom, replace(SHARP, post_filter_mm=0.0), np.random.default_rng(4))
    middle = central(image.array, image.affine, 15.0)
    whole = central(image.array, image.affine, 44.0)
    assert middle.std() > 1.05 * whole.std()


def test_a_wider_point_spread_gives_a_wider_edge():
    def edge_width(scanner: Scanner) -> float:
        image = acquire(cylinder(30.0, 5.0, surround=0.5), replace(scanner, counts_per_ml_suv=1e6), np.random.default_rng(5))
        n = image.array.shape[0]
        place = image.affine[0, 3] + image.affine[0, 0] * np.arange(n)
        distance = np.hypot(place[:, None], place).ravel()
        profile = image.array.mean(axis=2).ravel()
        order = np.argsort(distance)
        level = np.interp(np.arange(20.0, 40.0, 0.25), distance[order], profile[order])
        slope = np.abs(np.gradient(level))
        centre = (slope * np.arange(slope.size)).sum() / slope.sum()
        return 0.25 * np.sqrt((slope * (np.arange(slope.size) - centre) ** 2).sum() / slope.sum())

    widths = [edge_width(replace(SHARP, psf_fwhm_mm=fwhm)) for fwhm in (4.0, 6.0, 8.0)]
    assert widths[0] < widths[1] < widths[2]
    assert widths[2] == pytest.approx(np.hypot(8.0, 4.0) / FWHM_PER_SIGMA, rel=0.25)


def test_a_small_hot_lesion_is_underestimated_more_by_the_blurred_scanner():
    rod = cylinder(4.0, 10.0, surround=0.5)
    scanners = [replace(scanner, voxel_mm=(4.0, 4.0, 4.0)) for scanner in pet_scanners(3)]
    peaks = [acquire(rod, scanner, np.random.default_rng(6)).array.mean(axis=2).max() for scanner in scanners]
    assert 10.0 > peaks[0] > peaks[1] > peaks[2]


def test_expected_counts_are_the_activity_times_the_count_level_where_nothing_attenuates():
    phantom = cylinder(30.0, 2.0)
    bare = Phantom(phantom.activity, np.zeros_like(phantom.tissue), phantom.cell_mm)
    trues, _, background = expected_counts(bare, SHARP, grid_of(bare, SHARP))
    seen_ml_suv = bare.activity.sum() * 8.0 / 1000.0
    assert trues.sum() == pytest.approx(SHARP.counts_per_ml_suv * seen_ml_suv, rel=1e-3)
    assert background * trues.size == pytest.approx(SHARP.scatter_fraction * trues.sum(), rel=1e-9)


def test_counts_vary_as_poisson_says():
    trues, _, background = expected_counts(cylinder(50.0, 1.0), SHARP, grid_of(cylinder(50.0, 1.0), SHARP))
    drawn = np.random.default_rng(7).poisson(trues + background)
    scaled = (drawn - trues - background) ** 2 / (trues + background)
    assert scaled.mean() == pytest.approx(1.0, abs=0.03)


def test_voxels_are_those_of_the_centre_and_centred_on_the_axis():
    image = acquire(cylinder(20.0, 1.0), pet_scanners(2)[1], np.random.default_rng(8))
    assert image.spacing_mm == (4.7, 4.7, 3.3)
    assert image.affine[:3] @ [*((np.array(image.array.shape) - 1) / 2), 1] == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_scanner_with_oblong_voxels_is_refused():
    with pytest.raises(BadSetting, match=r"C9.*square in plane"):
        Scanner("C9", 5.0, (4.0, 3.0, 3.0), 1000.0, 4.0)


def test_a_scanner_without_counts_is_refused():
    with pytest.raises(BadSetting, match="C9"):
        Scanner("C9", 5.0, (4.0, 4.0, 3.0), 0.0, 4.0)


def test_no_centre_at_all_is_refused():
    with pytest.raises(BadSetting, match="0 centres"):
        pet_scanners(0)


def test_centres_differ_in_resolution_noise_and_voxel_size():
    first = pet_scanners(3)
    assert len({s.psf_fwhm_mm for s in first}) == len({s.counts_per_ml_suv for s in first}) == len({s.voxel_mm for s in first}) == 3
    assert all(4.0 <= s.psf_fwhm_mm <= 8.0 for s in pet_scanners(20))
