"""Which part of a signal moved an answer."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadSetting
from onclair.explain.occlusion import Occluding, occluded_parts, occlusion, occlusion_figures

RNG = np.random.default_rng(2)
VOLUME = RNG.normal(5.0, 1.0, size=(14, 12, 10))
OUTLINE = np.zeros(VOLUME.shape, dtype=bool)
OUTLINE[4:9, 3:8, 2:7] = True
SPACING = (2.0, 2.0, 3.0)


def _inside_spread(array, region) -> float:
    return float(array[region].std())


def _outside_mean(array, region) -> float:
    return float(array[~region].mean())


def test_a_score_of_the_inside_moves_only_there_however_patches_lie() -> None:
    found = occlusion(_inside_spread, VOLUME, OUTLINE, SPACING, Occluding(6.0))
    assert found.inside_share == 1.0
    assert np.all(found.drop[~OUTLINE] == 0)
    assert 0 < found.even_share < 0.2


def test_a_score_of_the_outside_has_no_share_inside() -> None:
    assert occlusion(_outside_mean, VOLUME, OUTLINE, SPACING, Occluding(6.0, fill=0.0)).inside_share == 0.0


def test_the_voxel_that_a_score_reads_is_found() -> None:
    found = occlusion(lambda a, _: float(a[6, 5, 4]), VOLUME, OUTLINE, SPACING, Occluding(6.0, fill=0.0))
    assert found.drop[6, 5, 4] == pytest.approx(VOLUME[6, 5, 4], rel=1e-6)
    assert all(s.start <= i < s.stop for s, i in zip(found.strongest, (6, 5, 4), strict=True))
    assert found.base == VOLUME[6, 5, 4]


def test_drops_of_a_linear_score_add_up_to_covering_everything() -> None:
    weights = RNG.normal(size=VOLUME.shape)
    found = occlusion(lambda a, _: float((weights * a).sum()), VOLUME, OUTLINE, (1.0, 1.0, 1.0), Occluding(2.0, fill=0.0))
    assert found.drops.sum() == pytest.approx(found.base)


def test_half_steps_average_the_patches_over_a_sample() -> None:
    found = occlusion(lambda a, _: float(a[2]), np.arange(1.0, 7.0), None, [1.0], Occluding(2.0, step=1.0, fill=0.0))
    assert found.drop.tolist() == [0.0, 1.5, 3.0, 1.5, 0.0, 0.0]


def test_patches_stay_within_the_margin_of_the_outline() -> None:
    found = occlusion(_outside_mean, VOLUME, OUTLINE, SPACING, Occluding(4.0, margin=4.0))
    known = np.isfinite(found.drop)
    assert known[2:11, 1:10, 1:8].all()
    assert known.sum() == 9 * 9 * 7


def test_the_same_score_falls_by_shuffling_only_where_it_reads_arrangement() -> None:
    rough = occlusion(
        lambda a, r: float(np.abs(np.diff(a, axis=0)).mean()),
        np.cumsum(VOLUME, axis=0),
        OUTLINE,
        SPACING,
        Occluding(8.0, fill="shuffled"),
        RNG,
    )
    flat = occlusion(lambda a, r: float(a.std()), VOLUME.astype(np.float32), OUTLINE, SPACING, Occluding(8.0, fill="shuffled"), RNG)
    assert np.abs(rough.drops).max() > 0.01
    assert flat.inside_share is None


def test_a_photograph_keeps_its_type_and_its_channels_together() -> None:
    photo = RNG.integers(0, 256, size=(20, 30, 3), dtype=np.uint8)
    seen = []

    def redness(array, _):
        seen.append(array.dtype)
        return float(array[5:10, 5:10, 0].mean())

    found = occlusion(redness, photo, np.ones((20, 30), dtype=bool), (1.0, 1.0), Occluding(5.0, fill="outline-mean"))
    assert found.drop.shape == (20, 30)
    assert set(seen) == {np.dtype(np.uint8)}
    assert found.strongest == (slice(5, 10), slice(5, 10))


def test_a_band_of_a_spectrum_is_found_by_its_name() -> None:
    wavelength = np.arange(420, 731)
    spectrum = 1.0 + 3.0 * np.exp(-(((wavelength - 634) / 10.0) ** 2))
    bands = {"NADH 440-500": (wavelength >= 440) & (wavelength <= 500), "PpIX 615-655": (wavelength >= 615) & (wavelength <= 655)}
    moved = occluded_parts(lambda a, _: float(a[wavelength == 634][0]), spectrum, None, bands)
    assert moved["NADH 440-500"] == 0
    assert moved["PpIX 615-655"] == pytest.approx(3.0, abs=0.2)


def test_the_signal_is_not_changed_and_cannot_be_by_the_scorer() -> None:
    before = VOLUME.copy()

    def greedy(array, _):
        array[0, 0, 0] = 0.0
        return 0.0

    occlusion(_inside_spread, VOLUME, OUTLINE, SPACING, Occluding(8.0))
    assert np.array_equal(before, VOLUME)
    with pytest.raises(ValueError, match="read-only"):
        occlusion(greedy, VOLUME, OUTLINE, SPACING, Occluding(8.0))


def test_figures_over_patients_stand_beside_an_even_map() -> None:
    found = []
    for seed in range(6):
        volume = np.random.default_rng(seed).normal(size=VOLUME.shape)
        found.append(occlusion(lambda a, r: float(a[r].std() + 0.2 * a.std()), volume, OUTLINE, SPACING, Occluding(8.0)))
    inside, even, apart = occlusion_figures(found)
    assert inside.name == "share:model:occlusion-inside"
    assert 0 < even.value < inside.value < 1
    assert apart.low > 0
    assert apart.value == pytest.approx(inside.value - even.value)


def test_a_score_that_nothing_moves_has_no_share() -> None:
    still = occlusion(lambda a, r: float(r.sum()), VOLUME, OUTLINE, SPACING, Occluding(8.0))
    assert still.inside_share is None
    assert {e.reason for e in occlusion_figures([still, still])} == {"covering no patch moved the score of any of 2 patients"}


def test_two_patients_have_a_figure_but_no_interval() -> None:
    one = occlusion(_inside_spread, VOLUME, OUTLINE, SPACING, Occluding(8.0))
    assert [(e.status, e.low) for e in occlusion_figures([one, one])] == [("too_few", None)] * 3


@pytest.mark.parametrize(
    ("region", "spacing", "said"),
    [
        (np.zeros(VOLUME.shape, bool), SPACING, "holds no sample"),
        (np.ones((3, 3, 3), bool), SPACING, "one outline on the same grid"),
        (OUTLINE, (2.0, 2.0), "does not fit a signal of 3 axes"),
    ],
)
def test_a_case_that_does_not_go_together_is_refused(region, spacing, said) -> None:
    with pytest.raises(BadCase, match=said):
        occlusion(_inside_spread, VOLUME, region, spacing, Occluding(6.0))


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadCase, match="finite number"):
        occlusion(lambda a, r: float("nan"), VOLUME, OUTLINE, SPACING, Occluding(6.0))


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadSetting, match="size of the patches is 0"):
        Occluding(0.0)
    with pytest.raises(BadSetting, match="cannot be filled by 'noise'"):
        Occluding(3.0, fill="noise")
    with pytest.raises(BadSetting, match="27000 patches would be covered"):
        occlusion(_inside_spread, np.zeros((30, 30, 30)), np.ones((30, 30, 30)), (1.0, 1.0, 1.0), Occluding(1.0))
    with pytest.raises(BadSetting, match="give rng"):
        occlusion(_inside_spread, VOLUME, OUTLINE, SPACING, Occluding(6.0, fill="shuffled"))
