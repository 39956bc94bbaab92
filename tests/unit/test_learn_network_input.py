"""What a network is shown: resampled, centred, normalised, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from onclair.core.errors import BadCase, BadGeometry, BadSetting
from onclair.learn.network_input import NetworkInput, image_sha256, prepared

HOW = NetworkInput((4.0, 4.0, 4.0), (12, 12, 12), ("image", "inside", "mask"))
SPACING = (3.0, 3.5, 2.5)


def lesion(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = 4.0 + ndimage.gaussian_filter(rng.normal(size=(24, 22, 26)), 1.5) * 6
    x, y, z = np.ogrid[:24, :22, :26]
    return image, (x - 11) ** 2 + (y - 10) ** 2 + (z - 12) ** 2 < 36


def test_the_outline_has_mean_0_and_deviation_1_and_what_is_inside_is_0_outside() -> None:
    image, region = lesion()
    shown, inside, mask = prepared(image, region, SPACING, HOW)
    assert shown[mask == 1].mean() == pytest.approx(0.0, abs=1e-6)
    assert shown[mask == 1].std() == pytest.approx(1.0, abs=1e-6)
    assert np.array_equal(inside, np.where(mask == 1, shown, 0))
    assert np.abs(shown[mask == 0]).max() > 0


def test_the_mask_keeps_the_volume_of_the_outline() -> None:
    image, region = lesion()
    mask = prepared(image, region, SPACING, HOW)[2]
    assert mask.sum() * 4.0**3 == pytest.approx(region.sum() * np.prod(SPACING), rel=0.05)


def test_z_scores_do_not_feel_another_unit() -> None:
    image, region = lesion()
    assert np.allclose(prepared(image, region, SPACING, HOW), prepared(1.5 * image + 7, region, SPACING, HOW), atol=1e-5)


def test_a_lesion_elsewhere_in_the_image_looks_the_same() -> None:
    image, region = (np.pad(each, 12, mode="edge" if each.dtype != bool else "constant") for each in lesion())
    moved = [np.roll(each, (2, -1, 3), (0, 1, 2)) for each in (image, region)]
    assert np.allclose(prepared(image, region, SPACING, HOW), prepared(*moved, SPACING, HOW), atol=1e-5)


def test_a_mirrored_image_looks_mirrored() -> None:
    image, region = lesion()
    one, other = prepared(image, region, SPACING, HOW), prepared(image[::-1], region[::-1], SPACING, HOW)
    assert np.allclose(one[:, ::-1], other, atol=1e-5)


def test_an_even_lesion_becomes_0() -> None:
    _, region = lesion()
    inside = prepared(np.full(region.shape, 3.7), region, SPACING, HOW)[1]
    assert not inside.any()


def test_a_range_is_brought_onto_0_to_1_and_cut_off_beyond() -> None:
    how = NetworkInput((1.0, 1.0, 1.0), (1, 1, 4), ("image",), "range", -100.0, 100.0)
    image = np.array([-500.0, -100.0, 0.0, 300.0]).reshape(1, 1, 4)
    assert prepared(image, np.ones((1, 1, 4), bool), (1.0, 1.0, 1.0), how).ravel().tolist() == [0.0, 0.0, 0.5, 1.0]


def test_beyond_the_image_its_edge_holds_and_there_is_no_outline() -> None:
    how = NetworkInput((1.0, 1.0, 1.0), (1, 1, 5), ("image", "mask"), "none")
    shown = prepared(np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3), np.ones((1, 1, 3), bool), (1.0, 1.0, 1.0), how)
    assert shown[:, 0, 0].tolist() == [[1.0, 1.0, 2.0, 3.0, 3.0], [0.0, 1.0, 1.0, 1.0, 0.0]]


def test_nothing_that_was_given_is_changed() -> None:
    image, region = lesion()
    before = image.copy()
    prepared(image, region, SPACING, HOW)
    assert np.array_equal(image, before)


def test_outlines_and_images_that_cannot_be_shown_are_refused_in_one_sentence() -> None:
    image, region = lesion()
    with pytest.raises(BadCase, match="empty"):
        prepared(image, np.zeros_like(region), SPACING, HOW)
    with pytest.raises(BadGeometry, match="shape"):
        prepared(image, region[1:], SPACING, HOW)
    point = np.zeros_like(region)
    point[3, 3, 3] = True
    with pytest.raises(BadCase, match="too small"):
        prepared(image, point, SPACING, NetworkInput((9.0, 9.0, 9.0), (4, 4, 4)))
    broken = image.copy()
    broken[11, 10, 12] = np.nan
    with pytest.raises(BadCase, match="1 voxels in or around"):
        prepared(broken, region, SPACING, HOW)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"spacing_mm": (4.0, 4.0, 0.0)}, "positive lengths"),
        ({"size": (8, 8, 0)}, "voxels"),
        ({"channels": ("image", "image")}, "each once"),
        ({"channels": ("imge",)}, "did you mean 'image'"),
        ({"normalise": "zscore"}, "did you mean 'z-score'"),
        ({"normalise": "range"}, "give low and high"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        NetworkInput(**{"spacing_mm": (4.0, 4.0, 4.0), "size": (8, 8, 8), **wrong})  # type: ignore[arg-type]


def test_a_record_with_an_unknown_or_an_absent_key_is_refused() -> None:
    record = HOW.as_record()
    assert NetworkInput.from_record(record) == HOW
    with pytest.raises(BadSetting, match="did you mean 'size'"):
        NetworkInput.from_record({**record, "sizes": 3})
    with pytest.raises(BadSetting, match="spacing_mm"):
        NetworkInput.from_record({"size": [8, 8, 8]})


def test_an_image_is_known_again_turned_round_but_not_changed_by_one_voxel() -> None:
    image, _ = lesion()
    assert image_sha256(image) == image_sha256(image[::-1, ::-1].transpose(1, 0, 2).astype(np.float32))
    other = image.copy()
    other[0, 0, 0] += 1
    assert image_sha256(image) != image_sha256(other)
