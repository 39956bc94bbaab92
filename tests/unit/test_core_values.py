"""Values refuse what cannot be used, in one sentence that names what was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadGeometry, OnclairError
from onclair.core.values import Image, Mask, Measurement, Photo, Spectrum

GRID = np.diag([4.0, 4.0, 3.0, 1.0])
VOLUME = np.zeros((2, 3, 4))
NM = np.linspace(500.0, 700.0, 5)


def with_nan() -> np.ndarray:
    spoilt = VOLUME.copy()
    spoilt[1, 2, 3] = np.nan
    return spoilt


REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("affine of 3 x 3", lambda: Image(VOLUME, np.eye(3), "SUV", "PET"), "(3, 3)"),
    ("affine with NaN", lambda: Image(VOLUME, np.full((4, 4), np.nan), "SUV", "PET"), "NaN"),
    ("affine with another last row", lambda: Image(VOLUME, np.ones((4, 4)) + np.eye(4), "SUV", "PET"), "1.0, 1.0, 1.0, 2.0"),
    ("affine without volume", lambda: Image(VOLUME, np.diag([1.0, 1.0, 0.0, 1.0]), "SUV", "PET"), "0.0] mm"),
    ("unknown unit", lambda: Image(VOLUME, GRID, "SUVs", "PET"), "'SUVs'"),
    ("two axes", lambda: Image(np.zeros((2, 3)), GRID, "SUV", "PET"), "(2, 3)"),
    ("empty image", lambda: Image(np.zeros((0, 3, 4)), GRID, "SUV", "PET"), "(0, 3, 4)"),
    ("NaN in the image", lambda: Image(with_nan(), GRID, "SUV", "PET"), "1 voxels that are NaN or infinite, the first at (1, 2, 3)"),
    ("layers without labels", lambda: Mask(np.ones((2, 2, 2, 2), bool), GRID, ("GTV",)), "2 layers but 1 labels"),
    ("mask value without label", lambda: Mask(np.full((2, 2, 2), 3), GRID, ("GTV",)), "3 to 3"),
    ("negative mask value", lambda: Mask(np.full((2, 2, 2), -1), GRID, ("GTV",)), "-1"),
    ("mask of floats", lambda: Mask(np.ones((2, 2, 2)), GRID), "float64"),
    ("unknown origin", lambda: Mask(np.ones((1, 2, 2, 2), bool), GRID, ("a",), "robot"), "'robot'"),
    ("absent label", lambda: Mask(np.ones((1, 2, 2, 2), bool), GRID, ("GTV",)).region("node"), "'node'; it holds GTV"),
    ("unequal lengths", lambda: Spectrum(np.ones(4), NM, 405.0, 20.0), "(4,)"),
    ("NaN in the counts", lambda: Spectrum(np.full(5, np.nan), NM, 405.0, 20.0), "5 counts"),
    ("wavelengths out of order", lambda: Spectrum(np.ones(5), NM[::-1], 405.0, 20.0), "rise strictly"),
    ("dark frame of another length", lambda: Spectrum(np.ones(5), NM, 405.0, 20.0, np.ones(3)), "3 pixels and the spectrum 5"),
    ("no integration time", lambda: Spectrum(np.ones(5), NM, 405.0, 0.0), "0.0 ms"),
    ("measurement without frames", lambda: Measurement(()), "no frame"),
    ("photo of floats", lambda: Photo(np.zeros((4, 6, 3))), "float64"),
    ("photo with alpha", lambda: Photo(np.zeros((4, 6, 4), np.uint8)), "(4, 6, 4)"),
    ("scale of zero", lambda: Photo(np.zeros((4, 6, 3), np.uint8), 0.0), "0.0 mm"),
]


@pytest.mark.parametrize(("make", "found"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_bad_value_is_refused_in_one_sentence_naming_what_was_found(make: Callable[[], Any], found: str) -> None:
    with pytest.raises(OnclairError) as caught:
        make()
    sentence = str(caught.value)
    assert found in sentence
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    assert sentence[0].isupper()


def test_nan_in_an_image_concerns_one_case_so_that_others_go_on() -> None:
    with pytest.raises(BadCase):
        Image(with_nan(), GRID, "SUV", "PET")


def test_a_value_cannot_be_written_through() -> None:
    image = Image(VOLUME, GRID, "SUV", "PET")
    with pytest.raises(ValueError, match="read-only"):
        image.array[0, 0, 0] = 1.0


def test_freezing_leaves_the_callers_array_writable() -> None:
    mine = np.zeros((2, 2, 2))
    Image(mine, GRID, "SUV", "PET")
    mine[0, 0, 0] = 1.0
    assert mine[0, 0, 0] == 1.0


def test_overlapping_labels_survive() -> None:
    layers = np.zeros((2, 2, 1, 1), bool)
    layers[:, 0] = True
    mask = Mask(layers, GRID, ("tumour", "necrosis"))
    assert mask.region("tumour").sum() == mask.region("necrosis").sum() == mask.region().sum() == 1


def test_an_instance_map_names_its_values_in_order() -> None:
    mask = Mask(np.array([[[0, 1, 2, 2]]]), GRID, ("first", "second"))
    assert mask.region("second").sum() == 2
    assert mask.region().sum() == 3


def test_an_outline_stored_flipped_comes_onto_the_image_unchanged_in_space() -> None:
    region = np.zeros((2, 3, 4), bool)
    region[0, 1, 2] = True
    flipped = GRID.copy()
    flipped[0] = [-4.0, 0.0, 0.0, 4.0]
    moved = Mask(region[None, ::-1], flipped, ("GTV",)).on(Image(VOLUME, GRID, "SUV", "PET"))
    assert np.array_equal(moved.region(), region)


def test_a_shifted_outline_is_refused_with_both_affines_and_the_shift() -> None:
    shifted = GRID.copy()
    shifted[1, 3] = 2.0
    with pytest.raises(BadGeometry) as caught:
        Mask(np.ones((1, 2, 3, 4), bool), shifted, ("GTV",)).on(Image(VOLUME, GRID, "SUV", "PET"))
    assert "[0.0, 4.0, 0.0, 2.0]" in str(caught.value)
    assert "[0.0, 4.0, 0.0, 0.0]" in str(caught.value)
    assert "shifted by 2.00 mm" in str(caught.value)
