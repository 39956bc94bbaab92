"""Virtual lesions in a scan that is not ours: sharp and noisy as the scan is, nothing else touched, and in bone."""

import numpy as np
import pytest
from scipy import ndimage

from onclair.core.errors import BadCase, BadSetting
from onclair.science.bone.labels import totalseg
from onclair.virtual.bone_insert import IN_BONE, Wish, insert
from onclair.virtual.bone_measured import Measured, measured
from onclair.virtual.ct import noise
from onclair.virtual.scanner import FWHM_PER_SIGMA, CtScanner, kernel_of_width

STEP = (0.8, 0.8, 2.0)
AFFINE = np.diag([*STEP, 1.0])
SHAPE = (160, 140, 24)
#: Point spread of the scan that is made here.
WIDTH_MM = 1.6


def trunk(rng) -> tuple[np.ndarray, np.ndarray]:
    """An oval body of soft tissue with a vertebra of 40 mm and a rib of 5 mm, blurred, with coloured noise."""
    x, y, z = np.meshgrid(*((np.arange(n) - n / 2) * s for n, s in zip(SHAPE, STEP, strict=True)), indexing="ij")
    body = (x / 55) ** 2 + (y / 48) ** 2 < 1
    bone = (np.hypot(x, y - 10) < 20) & (np.abs(z) < 20)
    rib = np.hypot(x - 40, y + 10) < 2.5
    hu = np.where(body, 50.0, -1000.0)
    hu[bone] = 180.0
    hu[(np.abs(np.hypot(x, y - 10) - 19) < 1) & (np.abs(z) < 20)] = 900.0
    hu[rib] = 600.0
    sigma = WIDTH_MM / FWHM_PER_SIGMA / STEP[0]
    hu = ndimage.gaussian_filter(hu, (sigma, sigma, 0))
    hu += noise(SHAPE, CtScanner("C", kernel_of_width("k", 1.2), 2.0, STEP[0], 10.0), rng)
    labels = np.zeros(SHAPE, np.int32)
    labels[bone], labels[rib] = 31, 95
    return np.rint(hu).astype(np.int16), labels


@pytest.fixture(scope="module")
def scan():
    return trunk(np.random.default_rng(0))


@pytest.fixture(scope="module")
def done(scan):
    return insert(*_given(scan), wish=Wish(3, "lytic", (8.0, 14.0)), rng=np.random.default_rng(1))


def _given(scan):
    return scan[0], AFFINE, scan[1], totalseg()


def test_the_kernel_of_a_scan_is_measured_on_its_outline(scan):
    assert measured(scan[0], AFFINE).fwhm_mm == pytest.approx(WIDTH_MM, rel=0.25)


def test_the_noise_of_a_scan_is_measured_on_even_tissue(scan):
    found = measured(scan[0], AFFINE)
    muscle = scan[0][70:90, 24:40, 10]
    assert found.noise_hu == pytest.approx(muscle.std(), rel=0.3)
    assert found.guessed == ()
    assert found.between < 0.15


def test_drawn_noise_has_the_spread_and_the_colour_that_were_measured():
    by = Measured(1.2, 20.0, np.array([0.0, 0.3, 0.6]), np.array([1.0, 0.5, 0.0]), 0.3)
    drawn = by.noise((64, 64, 40), (0.8, 0.8), np.random.default_rng(2))
    assert drawn.std() == pytest.approx(20.0, rel=0.05)
    assert np.corrcoef(drawn[:, :, :-1].ravel(), drawn[:, :, 1:].ravel())[0, 1] == pytest.approx(0.3, abs=0.04)
    power = np.abs(np.fft.fft2(drawn, axes=(0, 1))) ** 2
    assert power[0:4, 0:4].mean() > 20 * power[32, 32].mean()


def test_what_cannot_be_measured_is_said_to_be_a_guess():
    assert measured(np.full((40, 40, 6), 60, np.int16), np.eye(4)).guessed == ("kernel", "noise")


def test_no_voxel_changes_beyond_three_voxels_from_a_lesion(scan, done):
    changed = done.hu != scan[0]
    assert changed.any()
    assert ndimage.distance_transform_edt(done.lesions == 0)[changed].max() <= 3.0


def test_four_fifths_of_each_lesion_lie_in_the_labelled_bone(scan, done):
    for row in done.rows:
        inside = done.lesions == row["lesion"]
        share = (scan[1][inside] == 31).mean()
        assert share >= IN_BONE
        assert share == pytest.approx(row["in_bone"], abs=1e-4)


def test_as_many_lesions_as_were_asked_for_of_the_size_that_was_asked_for(done):
    assert [row["lesion"] for row in done.rows] == [1, 2, 3]
    assert set(np.unique(done.lesions)) == {0, 1, 2, 3}
    for row in done.rows:
        ml = (done.lesions == row["lesion"]).sum() * np.prod(STEP) / 1000
        assert 8.0 <= row["diameter_mm"] <= 14.0
        assert row["volume_ml"] == pytest.approx(ml, abs=1e-3)
        assert (row["bone"], row["level"]) == ("vertebra", "L1")


def test_a_lytic_lesion_is_darker_than_the_bone_was_and_as_noisy_as_the_scan(scan, done):
    marrow = ndimage.binary_erosion(scan[1] == 31, np.ones((3, 3, 1)), iterations=7)
    core = ndimage.binary_erosion(done.lesions > 0) & marrow
    assert core.sum() > 100
    assert done.hu[core].mean() < scan[0][core].mean() - 40
    residual = done.hu.astype(float) - ndimage.gaussian_filter(done.hu.astype(float), (2, 2, 0))
    muscle = scan[0].astype(float) - ndimage.gaussian_filter(scan[0].astype(float), (2, 2, 0))
    assert residual[core].std() == pytest.approx(muscle[70:90, 24:40, 4:20].std(), rel=0.4)


def test_the_same_seed_puts_the_same_lesions(scan, done):
    again = insert(*_given(scan), wish=Wish(3, "lytic", (8.0, 14.0)), rng=np.random.default_rng(1))
    assert (again.hu == done.hu).all()
    assert again.rows == done.rows


def test_permuted_axes_give_the_same_scan(scan, done):
    affine = AFFINE[:, [2, 0, 1, 3]]
    turned = [np.transpose(values, (2, 0, 1)) for values in scan]
    again = insert(turned[0], affine, turned[1], totalseg(), wish=Wish(3, "lytic", (8.0, 14.0)), rng=np.random.default_rng(1))
    assert (np.transpose(again.hu, (1, 2, 0)) == done.hu).all()


def test_bone_too_small_for_a_lesion_is_refused_with_its_size(scan):
    hu, labels = scan[0], np.where(scan[1] == 95, 95, 0)
    with pytest.raises(BadCase, match=r"left rib 4, is .* mm across"):
        insert(hu, AFFINE, labels, totalseg(), wish=Wish(1, "lytic", (20.0, 30.0)), rng=np.random.default_rng(0))


def test_more_lesions_than_there_is_room_for_are_refused(scan):
    with pytest.raises(BadCase, match=r"only .* of 12 lesions"):
        insert(*_given(scan), wish=Wish(12, "blastic", (16.0, 18.0)), rng=np.random.default_rng(0))


def test_labels_of_no_bone_are_refused(scan):
    with pytest.raises(BadCase, match="no bone of the scheme totalseg"):
        insert(scan[0], AFFINE, np.where(scan[1] > 0, 5, 0), totalseg(), wish=Wish(), rng=np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [{"count": 0}, {"diameter_mm": (20.0, 10.0)}, {"diameter_mm": (1.0, 10.0)}])
def test_a_wish_that_cannot_be_is_refused(wrong):
    with pytest.raises(BadSetting):
        Wish(**wrong)
