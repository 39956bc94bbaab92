"""Lesions: the volume is the one asked for, the histogram that is seen does not know the texture, and the texture is the one asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from onclair.virtual.lesions import Border, random_border, reread
from onclair.virtual.limb import Lesion, phantom_of, placed
from onclair.virtual.projection import Rays, averaging, projector
from onclair.virtual.textures import Texture, contrast_left, smooth_field, textured

SEEDS = st.integers(0, 2**32 - 1)
BLUR_MM = (3.0, 3.0, 3.4)


def ball_and_blur():
    place = (np.arange(34) - 16.5) * 2.0
    distance = np.sqrt(place[:, None, None] ** 2 + place[:, None] ** 2 + place**2)
    return np.clip(0.5 + (24.0 - distance) / 2.0, 0.0, 1.0), lambda activity: ndimage.gaussian_filter(activity, [s / 2.0 for s in BLUR_MM])


@given(SEEDS, st.floats(2.0, 200.0), st.floats(0.0, 0.25))
@settings(max_examples=20, deadline=None)
def test_a_border_encloses_the_volume_asked_for_whatever_its_relief(seed, volume_ml, irregularity):
    border = random_border(volume_ml, np.random.default_rng(seed), irregularity=max(irregularity, 1e-3))
    reach = border.reach_mm * 1.1
    step = reach / 24
    axis = np.arange(-reach, reach, step)
    counted = (border.depth_mm(axis[:, None, None], axis[None, :, None], axis[None, None, :]) > 0).sum() * step**3 / 1000
    assert border.volume_ml == pytest.approx(volume_ml, rel=1e-6)
    assert counted == pytest.approx(volume_ml, rel=0.05)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_border_is_irregular_and_two_borders_differ(seed):
    rng = np.random.default_rng(seed)
    first, second = random_border(40.0, rng), random_border(40.0, rng)
    directions = rng.normal(size=(500, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert first.log_relief(directions).std() == pytest.approx(0.16, abs=0.05)
    assert np.corrcoef(first.log_relief(directions), second.log_relief(directions))[0, 1] < 0.95


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_reader_stays_near_the_true_border(seed):
    rng = np.random.default_rng(seed)
    border = random_border(40.0, rng)
    assert reread(border, rng).volume_ml == pytest.approx(40.0, rel=0.5)


@given(SEEDS, st.floats(2.0, 30.0), st.floats(2.0, 30.0))
@settings(max_examples=15, deadline=None)
def test_without_blur_the_true_histogram_of_a_lesion_does_not_know_its_texture(seed, one, other):
    rng = np.random.default_rng(seed)
    inside = rng.uniform(size=(9, 9, 9)) < 0.6
    occupied = inside.astype(float)
    first, second = (textured(occupied, 0 * occupied, 2.0, Texture(length), rng) for length in (one, other))
    assert np.sort(first[inside]) == pytest.approx(np.sort(second[inside]), abs=1e-9)
    assert first[inside].mean() == pytest.approx(1.0, abs=0.01)
    assert not first[~inside].any()


@given(SEEDS, st.floats(6.0, 40.0), st.floats(6.0, 40.0))
@settings(max_examples=8, deadline=None)
def test_through_a_blur_the_histogram_that_is_seen_does_not_know_the_texture(seed, one, other):
    occupied, seen = ball_and_blur()
    rng = np.random.default_rng(seed)
    around = 0.2 * (1 - occupied)
    first, second = (textured(occupied, around, 2.0, Texture(length, BLUR_MM), rng) for length in (one, other))
    assert min(first.min(), second.min()) >= 0.0
    levels = [np.quantile(seen(around + occupied * u)[occupied > 0.5], np.linspace(0.05, 0.95, 19)) for u in (first, second)]
    assert levels[0] == pytest.approx(levels[1], abs=0.06)


@given(SEEDS)
@settings(max_examples=6, deadline=None)
def test_a_fine_texture_is_given_the_contrast_that_the_blur_will_take(seed):
    occupied, _ = ball_and_blur()
    fine, coarse = (textured(occupied, 0 * occupied, 2.0, Texture(L, BLUR_MM), np.random.default_rng(seed)) for L in (6.0, 30.0))
    assert fine[occupied > 0.5].std() > 1.15 * coarse[occupied > 0.5].std()


@pytest.mark.parametrize("length_mm", [6.0, 12.0])
def test_a_blur_leaves_the_contrast_that_is_predicted(length_mm):
    field = smooth_field((72, 72, 72), 2.0, length_mm, np.random.default_rng(2))
    blurred = ndimage.gaussian_filter(field, [s / 2.0 for s in BLUR_MM])
    assert blurred.std() / field.std() == pytest.approx(contrast_left(length_mm, BLUR_MM), rel=0.04)


@pytest.mark.parametrize("length_mm", [4.0, 8.0, 12.0, 16.0])
def test_a_field_has_the_correlation_asked_for(length_mm):
    fields = np.stack([smooth_field((64, 64, 64), 2.0, length_mm, np.random.default_rng(seed)) for seed in range(4)])
    lag = round(length_mm / 2.0)
    assert fields.mean() == pytest.approx(0.0, abs=0.25)
    assert fields.std() == pytest.approx(1.0, abs=0.12)
    assert np.corrcoef(fields[:, :-lag].ravel(), fields[:, lag:].ravel())[0, 1] == pytest.approx(np.exp(-0.5), abs=0.08)


@given(SEEDS, st.floats(10.0, 90.0))
@settings(max_examples=8, deadline=None)
def test_a_lesion_lies_within_the_limb_and_the_limb_within_the_field(seed, volume_ml):
    rng = np.random.default_rng(seed)
    border = placed(random_border(volume_ml, rng), 160.0, rng)
    phantom, occupied = phantom_of(Lesion(border, 4.0, Texture(10.0, BLUR_MM)), 160.0, 4.0, rng)
    place = (np.arange(40) - 19.5) * 4.0
    outside = np.hypot(place[:, None], place) > 80.0
    assert not phantom.activity[outside].any()
    assert (phantom.tissue[occupied > 0.5] > 0.99).all()
    assert not occupied[:, :, [0, -1]].any()
    assert (phantom.activity >= 0).all()


@given(st.integers(3, 12), st.floats(1.0, 6.0), st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_every_view_holds_the_whole_slice(pixels, pixel_mm, half_angles):
    rays = Rays(2 * half_angles, int(np.ceil(pixels * pixel_mm * np.sqrt(2) / 2.5)) + 2, 2.5)
    slice_ = np.random.default_rng(0).uniform(size=pixels * pixels)
    views = (projector(pixels, pixel_mm, rays) @ slice_).reshape(rays.angles, rays.bins)
    assert views.sum(axis=1) == pytest.approx(np.full(rays.angles, slice_.sum() * pixel_mm**2), rel=1e-4)


def test_the_sinogram_of_a_disc_is_its_chord():
    cells, radius = 160, 30.0
    place = np.arange(cells) - (cells - 1) / 2
    disc = (np.hypot(place[:, None], place) < radius).astype(float).ravel()
    rays = Rays(12, 41, 2.0)
    views = (projector(cells, 1.0, rays) @ disc).reshape(12, 41) / 2.0
    offset = (np.arange(41) - 20) * 2.0
    chord = 2 * np.sqrt(np.maximum(radius**2 - offset**2, 0))
    assert np.abs(views - chord)[:, np.abs(offset) < 26].max() < 1.5


@given(st.integers(4, 40), st.floats(1.0, 3.0), st.integers(1, 10), st.floats(1.0, 6.0))
@settings(max_examples=30, deadline=None)
def test_averaging_leaves_a_constant_alone_where_it_is_covered(fine, fine_mm, coarse, coarse_mm):
    row = averaging(fine, fine_mm, coarse, coarse_mm) @ np.ones(fine)
    if coarse * coarse_mm <= fine * fine_mm:
        assert row == pytest.approx(np.ones(coarse))
    else:
        assert row.max() <= 1 + 1e-9


def test_a_ball_is_a_border_without_relief():
    ball = Border(10.0, np.zeros((0, 3)), np.zeros((0, 2)))
    assert ball.volume_ml == pytest.approx(4 / 3 * np.pi)
    assert ball.reach_mm == pytest.approx(10.0)
