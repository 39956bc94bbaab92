"""Structural rigidity: sections by hand, and what a lesion took, against the other side and against neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from bone_made import femurs, sphere
from onclair.core.errors import BadInput
from onclair.science.bone.ctra import loss_against_neighbours, loss_against_other_side, rigidities
from onclair.science.bone.ctra_scan import ctra_of, ctra_of_pair
from onclair.science.bone.materials import KEYAK
from onclair.science.bone.mirrored import mirrored_onto
from onclair.science.bone.specimen import Specimen


def tube(outer: float, inner: float, n: int = 160) -> np.ndarray:
    x, y = np.indices((n, n)) - (n - 1) / 2
    ring = (np.hypot(x, y) <= outer) & (np.hypot(x, y) > inner)
    return np.repeat((ring * 10_000.0)[:, :, None], 3, axis=2)


def one_side(made, label, lesions=None):
    bone = made.labels == label
    spots = np.zeros(bone.shape, np.int32) if lesions is None else lesions.astype(np.int32)
    return Specimen(made.density, np.zeros(bone.shape), bone, bone, spots, made.affine)


def test_a_tube_has_the_rigidities_of_the_textbook():
    ea, ei, gj = rigidities(tube(60, 40), (0.25, 0.25, 1.0), 2, poisson=0.3)[1]
    r, q = 15.0, 10.0
    assert ea == pytest.approx(1e4 * np.pi * (r**2 - q**2), rel=0.005)
    assert ei == pytest.approx(1e4 * np.pi / 4 * (r**4 - q**4), rel=0.005)
    assert gj == pytest.approx(1e4 / 2.6 * np.pi / 2 * (r**4 - q**4), rel=0.005)


def test_the_smaller_principal_moment_is_taken_however_the_section_is_turned():
    flat = np.zeros((320, 320, 1))
    x, y = (np.indices((320, 320)) - 159.5) / 4
    turned = (np.abs(x + y) / np.sqrt(2) <= 20) & (np.abs(x - y) / np.sqrt(2) <= 5)
    flat[:, :, 0] = turned * 1000.0
    ei = rigidities(flat, (0.25, 0.25, 1.0), 2)[0, 1]
    assert ei == pytest.approx(1000.0 * 40 * 10**3 / 12, rel=0.05)


def test_rigidity_does_not_depend_on_which_axis_the_bone_runs_along():
    bone = tube(60, 40)
    expected = rigidities(bone, (0.25, 0.25, 1.0), 2)
    assert rigidities(np.moveaxis(bone, 2, 0), (1.0, 0.25, 0.25), 0) == pytest.approx(expected)


def test_the_other_femur_is_laid_onto_this_one():
    made = femurs(voxel_mm=2.0)
    moved = np.roll(made.labels, (2, -1), axis=(1, 2))
    labels = np.where(moved == 76, 76, np.where(made.labels == 75, 75, 0))
    laid, apart = mirrored_onto((labels == 76) * 1.0, labels == 76, labels == 75, made.affine)
    assert apart < 1.0  # half a voxel
    assert (laid > 0.5)[labels == 75].mean() > 0.9
    assert laid.sum() == pytest.approx((labels == 76).sum(), rel=0.02)


def test_intact_sides_lose_nothing_and_a_hole_in_the_shaft_shows():
    made = femurs(voxel_mm=2.0)
    hole = sphere(made, (90.0, 32.0, 60.0), 10.0) & (made.labels == 75)
    intact, _ = ctra_of_pair(one_side(made, 75), one_side(made, 76), KEYAK)
    assert intact.at_risk is False
    assert abs(intact.worst) < 0.02
    emptied = Specimen(
        np.where(hole, 0.0, made.density), 0 * made.density, made.labels == 75, made.labels == 75, hole.astype(np.int32), made.affine
    )
    found, _ = ctra_of_pair(emptied, one_side(made, 76), KEYAK)
    assert found.against == "other side"
    assert found.at_risk is True
    assert found.losses[1] > found.losses[0]  # bending suffers more than the area


def test_without_another_side_the_same_hole_is_set_against_intact_slices():
    made = femurs(voxel_mm=2.0)
    hole = sphere(made, (90.0, 32.0, 60.0), 10.0) & (made.labels == 75)
    bone = made.labels == 75
    found = ctra_of(Specimen(np.where(hole, 0.0, made.density), 0 * made.density, bone, bone, hole.astype(np.int32), made.affine), KEYAK)
    assert found.against == "intact neighbours"
    assert found.at_risk is True


def test_a_bone_that_is_all_lesion_has_nothing_to_be_compared_with():
    bone = np.full((4, 4, 4), 1000.0)
    found = loss_against_neighbours(bone, bone > 0, (1.0, 1.0, 1.0), 2)
    assert found.losses is None
    assert found.at_risk is None
    assert "nothing to compare" in found.reason


def test_sides_of_another_shape_are_refused():
    with pytest.raises(BadInput, match="shapes"):
        loss_against_other_side(np.ones((2, 2, 2)), np.ones((2, 2, 3)), (1.0, 1.0, 1.0), 2)
