"""The bone mask on a made torso: what is in it, what is not, however the scan is stored."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadCase
from onclair.science.bone.body import body_mask, midline_mm
from onclair.science.bone.mask import bone_mask
from onclair.science.bone.metal import metal
from torso_made import torso


@pytest.fixture(scope="module")
def made():
    hu, affine, parts = torso()
    return hu, affine, parts, bone_mask(hu, affine)


def test_bone_with_its_marrow_is_found(made):
    _, _, parts, found = made
    assert found[parts["bone"]].mean() > 0.93
    assert parts["bone"][found].mean() > 0.85


def test_the_canal_is_left_out_and_the_table_too(made):
    _, _, parts, found = made
    assert found[parts["canal"]].mean() < 0.12  # its rim, which smoothing brightens
    assert not found[parts["table"]].any()


def test_blood_as_bright_as_bone_is_left_out(made):
    _, _, parts, found = made
    assert found[parts["aorta"]].mean() < 0.1


def test_a_lytic_hole_in_a_vertebra_stays_bone(made):
    hu, affine, parts, _ = made
    x, y = np.meshgrid(np.arange(-110.0, 110.0), np.arange(-90.0, 110.0), indexing="ij")
    hole = np.zeros(hu.shape, bool)
    hole[:, :, 5:10] = (np.hypot(x - 4, y - 8) < 8)[:, :, None]
    found = bone_mask(np.where(hole, 35, hu), affine)
    assert found[hole].mean() > 0.95
    assert found[parts["canal"]].mean() < 0.12  # its rim, which smoothing brightens


def test_the_mask_does_not_depend_on_how_the_scan_is_stored(made):
    hu, _affine, _, found = made
    moved, turned = np.transpose(hu, (2, 0, 1))[::-1, :, ::-1], np.zeros((4, 4))
    turned[2, 0], turned[0, 1], turned[1, 2], turned[3, 3] = -3.0, 1.0, -1.0, 1.0
    turned[:3, 3] = (-110.0, 109.0, 445.0)
    again = bone_mask(np.ascontiguousarray(moved), turned)
    assert (np.transpose(found, (2, 0, 1))[::-1, :, ::-1] != again).mean() < 1e-3


def test_a_scan_of_air_holds_no_bone():
    assert not bone_mask(np.full((40, 40, 5), -1000, np.int16), np.eye(4)).any()


def test_a_scan_of_two_axes_is_refused():
    with pytest.raises(BadCase, match="three axes"):
        bone_mask(np.zeros((4, 4)), np.eye(4))


def test_the_body_holds_the_patient_and_its_middle_is_where_it_is(made):
    hu, affine, parts, _ = made
    body = body_mask(hu, affine)
    assert body[parts["body"]].mean() > 0.97
    assert not body[parts["table"]].any()
    assert midline_mm(body, affine, 420.0) == pytest.approx(-0.5, abs=4.0)


def test_metal_takes_five_millimetres_with_it():
    hu = np.zeros((30, 30, 10))
    hu[15, 15, 5] = 3071
    found = metal(hu, np.diag([1.0, 1.0, 3.0, 1.0]))
    assert found[20, 15, 5]
    assert not found[21, 15, 5]
    assert found[15, 15, 6]
    assert not found[15, 15, 7]
    assert not metal(np.full((5, 5, 5), 2400.0), np.eye(4)).any()


def test_a_canal_at_the_edge_of_the_field_is_marked_within_it() -> None:
    from onclair.science.bone.canal import _mark

    out, dense = np.zeros((20, 12), bool), np.zeros((20, 12), bool)
    _mark(out, dense, (18.0, 11.0), (1.0, 1.0))
    assert out[18, 11]
    assert not out[:3].any()  # half as wide as 15 mm
