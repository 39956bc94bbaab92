"""The band of a tumour's stiffness, drawn outlines, and the interval that joins them."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.science.bone.band import ASSUMPTIONS, band_moduli, interval
from onclair.science.bone.outline_samples import outline_masks, probability_of

EDGES = (1.0, 1.0, 1.0)


def ball(radius: float, n: int = 24) -> np.ndarray:
    return ((np.indices((n, n, n)) - (n - 1) / 2) ** 2).sum(axis=0) <= radius**2


def test_each_lesion_is_set_against_the_bone_around_itself():
    bone = np.full((40, 12, 12), 400.0)
    bone[20:] = 2000.0
    lesions = np.zeros(bone.shape, np.int32)
    lesions[6:8, 5:7, 5:7], lesions[32:34, 5:7, 5:7] = 3, 9
    half = band_moduli(bone, lesions, bone > 0, EDGES)["half"]
    assert set(half[lesions == 3]) == {200.0}
    assert set(half[lesions == 9]) == {1000.0}
    assert (half[lesions == 0] == bone[lesions == 0]).all()


def test_the_map_that_came_is_not_changed():
    bone = np.full((12, 12, 12), 400.0)
    before = bone.copy()
    band_moduli(bone, ball(2, 12).astype(np.int32), bone > 0, EDGES)
    assert (bone == before).all()


def test_a_lesion_that_fills_its_bone_is_refused():
    bone = np.full((6, 6, 6), 400.0)
    with pytest.raises(BadInput, match="fill the whole bone"):
        band_moduli(bone, np.ones(bone.shape, np.int32), bone > 0, EDGES)


def test_the_interval_holds_the_band_whatever_the_errors():
    band = [100.0, 97.0, 93.0, 88.0]
    bare, wide = interval(100.0, band, {}), interval(100.0, band, {"outline": 0.05, "calibration": 0.02})
    assert (bare.low, bare.high) == (88.0, 100.0)
    assert wide.low < bare.low
    assert wide.high > bare.high


def test_the_largest_source_dominates():
    assert interval(100.0, [100.0, 99.0], {"calibration": 0.1}).dominant == "calibration"
    assert interval(100.0, [100.0, 50.0], {"calibration": 0.1}).dominant == "tumour stiffness"
    assert interval(100.0, [], {}).dominant is None


def test_a_value_outside_its_band_is_held_too():
    assert interval(100.0, [120.0, 130.0], {}).low == 100.0


def test_masks_keep_the_probability_of_each_voxel():
    probability = probability_of(ball(6), EDGES, readers_mm=1.0)
    masks = list(outline_masks(probability, EDGES, count=300, rng=np.random.default_rng(0)))
    share = np.mean(masks, axis=0)
    near = (probability > 0.1) & (probability < 0.9)
    assert np.abs(share - probability)[near].mean() < 0.05
    assert not share[probability < 1e-3].any()


def test_the_volumes_of_outlines_scatter_as_correlated_noise_does():
    probability = probability_of(ball(6), EDGES)
    volumes = {
        length: np.std(
            [mask.sum() for mask in outline_masks(probability, EDGES, count=60, rng=np.random.default_rng(1), correlated_mm=length)]
        )
        for length in (1.0, 10.0)
    }
    assert volumes[10.0] > 2 * volumes[1.0]


def test_the_same_seed_draws_the_same_outlines():
    probability = probability_of(ball(4), EDGES)
    first, again = (list(outline_masks(probability, EDGES, count=3, rng=np.random.default_rng(7))) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != first[1]).any()


def test_no_outline_and_no_disagreement_are_refused():
    with pytest.raises(BadSetting, match="at least 1"):
        next(outline_masks(np.zeros((2, 2, 2)), EDGES, count=0, rng=np.random.default_rng(0)))
    with pytest.raises(BadSetting, match="positive"):
        probability_of(ball(2), EDGES, readers_mm=0.0)


def test_four_assumptions_always():
    assert ASSUMPTIONS == ("density", "half", "tenth", "void")
    bone = np.full((12, 12, 12), 400.0)
    assert tuple(band_moduli(bone, ball(2, 12).astype(np.int32), bone > 0, EDGES)) == ASSUMPTIONS


def test_how_a_strength_was_had_has_french_words():
    from bone_made import vertebra
    from onclair.core.fragments import each_once, in_french
    from onclair.science.bone.assess import strength_of
    from onclair.science.bone.cases import Plan
    from onclair.science.bone.specimen import Specimen

    made = vertebra(voxel_mm=4.0)
    bone = made.labels > 0
    one = Specimen(made.density, 0 * made.density, bone, made.labels == 20, np.zeros(bone.shape, np.int32), made.affine)
    estimates = strength_of(one, Plan()).estimates()
    said = each_once([text for each in estimates for text in (each.method, each.reason or "")])
    assert len(said) >= 5
    assert [fragment for fragment in said if in_french(fragment) is None] == []
