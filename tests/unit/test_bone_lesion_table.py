"""Bone, level, side, part, type, breach and share of each lesion; refused inputs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadInput, BadSetting
from onclair.io.label_schemes import read_label_scheme
from onclair.science.bone.labels import UNNAMED, Bone, Scheme, bone_region, name_of, plausible, totalseg, verse
from onclair.science.bone.lesion_type import type_of
from onclair.science.bone.lesions import Skeleton, lesion_table, level_table
from onclair.science.bone.parts import parts_of
from torso_made import torso


@pytest.fixture(scope="module")
def scene():
    hu, affine, parts = torso()
    labels = np.where(parts["vertebra"], 32, 0)
    rib = parts["bone"] & ~parts["vertebra"]
    labels[rib & (np.arange(hu.shape[0]) >= 110)[:, None, None]] = 99
    labels[rib & (np.arange(hu.shape[0]) < 110)[:, None, None]] = 111
    return hu, affine, labels


def ball(shape, affine, centre, radius):
    place = np.moveaxis(np.indices(shape), 0, -1) * np.diag(affine)[:3] + affine[:3, 3]
    return ((place - np.array(centre)) ** 2).sum(axis=-1) <= radius**2


def drawn(scene, *spheres, fill=None):
    hu, affine, labels = scene
    instances, scan = np.zeros(hu.shape, np.int32), hu.copy()
    for number, (centre, radius) in enumerate(spheres, start=1):
        region = ball(hu.shape, affine, centre, radius)
        instances[region] = number
        if fill is not None:
            scan[region] = fill
    return lesion_table(scan, affine, instances, Skeleton(labels, totalseg()))


def test_a_sphere_in_the_body_of_t12_is_told_in_full(scene):
    (row,) = drawn(scene, ((2.0, 6.0, 421.0), 8.0), fill=20)
    assert (row.bone, row.level, row.side, row.part) == ("vertebra", "T12", None, "body")
    assert row.centroid_lps_mm == pytest.approx((2.0, 6.0, 421.0), abs=0.5)
    assert row.volume_ml == pytest.approx(4 / 3 * np.pi * 0.512, rel=0.03)
    assert row.axial_diameter_mm == pytest.approx(16.0, abs=0.5)
    assert row.type == "lytic"
    assert row.cut_by_border is False
    assert row.cross_section_destroyed == pytest.approx(np.pi * 64 / (np.pi * 21 * 16), abs=0.06)
    json.dumps(row.as_dict(), allow_nan=False)


def test_left_and_right_are_the_patients(scene):
    rows = drawn(scene, ((88.0, 0.0, 420.0), 4.0), ((-88.0, 0.0, 420.0), 4.0), ((15.0, 26.0, 420.0), 3.0))
    assert [(r.bone, r.level, r.side) for r in rows] == [("rib", "8", "left"), ("rib", "8", "right"), ("vertebra", "T12", "left")]
    assert rows[2].part == "pedicle"


def test_a_bone_without_a_label_is_unnamed_and_its_side_is_from_the_bodys_middle(scene):
    hu, affine, _ = scene
    instances = ball(hu.shape, affine, (-40.0, 0.0, 420.0), 5.0).astype(np.int32)
    (row,) = lesion_table(hu, affine, instances)
    assert (row.bone, row.level, row.side, row.type, row.cortical_breach) == ("unnamed", None, "right", None, None)


def test_a_lesion_at_the_scans_end_is_cut(scene):
    rows = drawn(scene, ((0.0, 5.0, 401.0), 6.0), ((0.0, 5.0, 425.0), 6.0))
    assert [row.cut_by_border for row in rows] == [True, False]


def test_what_breaks_the_cortex_is_told_from_what_stays_inside(scene):
    rows = drawn(scene, ((0.0, -3.0, 421.0), 7.0), ((0.0, 10.0, 439.0), 5.0), fill=20)
    assert [row.cortical_breach for row in rows] == [True, False]


def test_numbers_of_instances_are_kept_and_scores_go_with_them(scene):
    hu, affine, labels = scene
    instances = np.zeros(hu.shape, np.int32)
    instances[ball(hu.shape, affine, (0.0, 8.0, 420.0), 5.0)] = 7
    (row,) = lesion_table(hu, affine, instances, Skeleton(labels, totalseg()), scores={7: 0.83})
    assert (row.id, row.score) == (7, 0.83)
    with pytest.raises(BadInput, match="score for lesion 9"):
        lesion_table(hu, affine, instances, scores={9: 0.5})


def test_maps_of_another_shape_are_refused(scene):
    hu, affine, labels = scene
    with pytest.raises(BadCase, match="one grid"):
        lesion_table(hu, affine, np.zeros((2, 2, 2), int))
    with pytest.raises(BadCase, match="one grid"):
        lesion_table(hu, affine, np.zeros(hu.shape, int), Skeleton(labels[1:], totalseg()))
    with pytest.raises(BadInput, match="give both or neither"):
        Skeleton(labels)


def test_a_ring_of_too_little_bone_gives_no_type_but_a_reason():
    found = type_of(np.zeros(10), np.full(19, 200.0))
    assert found.type is None
    assert "19 voxels" in (found.reason or "")


def test_four_fifths_of_what_changed_name_the_type():
    ring = np.arange(100.0, 201.0)  # median 150, median absolute deviation 25: limits 100 and 200
    assert type_of(np.r_[np.full(8, 0.0), np.full(2, 900.0)], ring).type == "lytic"
    assert type_of(np.r_[np.full(7, 0.0), np.full(3, 900.0)], ring).type == "mixed"
    assert type_of(np.r_[np.full(2, 0.0), np.full(8, 900.0)], ring).type == "blastic"
    assert type_of(np.r_[np.full(3, 0.0), np.full(7, 150.0)], ring).type == "lytic"
    assert type_of(np.r_[np.full(29, 0.0), np.full(71, 150.0)], ring).type == "occult"


def test_the_nearest_label_counts_up_to_five_millimetres():
    labels = np.zeros((30, 30, 3), int)
    labels[0, 15, 1], labels[29, 15, 1] = 75, 117
    region = np.zeros(labels.shape, bool)
    region[4:7, 15, 1] = True
    assert name_of(region, labels, np.eye(4), totalseg()).title == "left femur"
    assert name_of(np.roll(region, 3, axis=0), labels, np.eye(4), totalseg()) is UNNAMED
    assert name_of((24.5, 15, 1), labels, np.eye(4), totalseg()) is UNNAMED  # costal cartilage is no bone


def test_the_bone_that_holds_most_of_a_lesion_names_it():
    labels = np.full((10, 4, 4), 31)
    labels[6:] = 32
    region = np.zeros(labels.shape, bool)
    region[4:9] = True
    assert name_of(region, labels, np.eye(4), totalseg()).level == "T12"


def test_schemes_of_users_are_read_and_their_slips_refused(tmp_path):
    toml, nnunet = tmp_path / "own.toml", tmp_path / "dataset.json"
    toml.write_text('name = "ward"\n[bones]\n3 = "left rib 7"\n4 = {name = "femur", side = "right"}\n')
    nnunet.write_text('{"labels": {"background": 0, "vertebrae_L2": 1, "hip_left": 2}}')
    own = Scheme.from_mapping(read_label_scheme(toml))
    assert (own.name, own.bones[3], own.bones[4]) == ("ward", Bone(3, "rib", "7", "left"), Bone(4, "femur", None, "right"))
    assert [b.title for b in Scheme.from_mapping(read_label_scheme(nnunet)).bones.values()] == ["L2", "left hip"]
    for wrong in ({"a": "femur"}, {"1": {"side": "left"}}, {"1": {"name": "femur", "side": "up"}}, {"0": "femur"}, {}):
        with pytest.raises(BadSetting):
            Scheme.from_mapping({"bones": wrong})
    toml.write_text("bones = [")
    with pytest.raises(BadInput, match="not TOML"):
        read_label_scheme(toml)
    with pytest.raises(BadInput, match="cannot be read"):
        read_label_scheme(tmp_path / "none.toml")


def test_the_two_schemes_name_every_level_once():
    levels = [b.level for b in verse().bones.values() if b.name == "vertebra"]
    assert len(levels) == len(set(levels)) == 26
    ours = totalseg().bones
    assert len(ours) == 2 + 24 + 10 + 1 + 24 + 1
    assert {b.side for v, b in ours.items() if 92 <= v <= 103} == {"left"}


def test_levels_are_counted_and_a_shifted_label_map_is_noticed(scene):
    hu, affine, labels = scene
    rows = {row["name"]: row for row in level_table(hu, affine, labels, totalseg())}
    assert rows["T12"]["voxels"] == int((labels == 32).sum())
    assert rows["T12"]["volume_ml"] == pytest.approx(rows["T12"]["voxels"] * 0.003)
    assert rows["T12"]["hu_mean"] == pytest.approx(hu[labels == 32].mean())
    assert plausible(hu, labels, totalseg()) == ()
    (problem,) = plausible(hu, np.roll(labels, 60, axis=1), totalseg())
    assert problem["code"] == "labels_not_on_bone"
    assert "T12" in problem["text"]
    assert bone_region(labels, totalseg()).sum() == (labels > 0).sum()


def test_a_femur_is_divided_into_head_neck_trochanters_and_shaft():
    x, y, z = np.meshgrid(np.arange(-30.0, 70, 1.5), np.arange(-30.0, 30, 1.5), np.arange(0.0, 240, 2.0), indexing="ij")
    shaft = (np.hypot(x, y) < 14) & (z < 190)
    head = (x - 42) ** 2 + y**2 + (z - 208) ** 2 < 24**2
    t = np.clip(((x * 42) + (z - 179) * 29) / (42**2 + 29**2), 0, 1)
    neck = (x - 42 * t) ** 2 + y**2 + (z - 179 - 29 * t) ** 2 < 13**2
    lesser = (x - 12) ** 2 + (y - 10) ** 2 + (z - 145) ** 2 < 10**2
    bone = shaft | head | neck | lesser
    affine = np.diag([1.5, 1.5, 2.0, 1.0])
    codes, names = parts_of(bone, affine, "femur")
    at = lambda px, py, pz: names[codes[int((px + 30) / 1.5), int((py + 30) / 1.5), int(pz / 2)] - 1]  # noqa: E731
    assert at(44, 0, 210) == "head"
    assert at(18, 0, 191) == "neck"
    assert at(0, 0, 172) == "trochanters"
    assert at(12, 10, 145) == "trochanters"
    assert at(0, 0, 60) == "shaft"


def test_parts_are_not_guessed_for_other_bones_or_without_a_canal():
    solid = np.zeros((20, 20, 6), bool)
    solid[4:16, 4:16] = True
    assert not parts_of(solid, np.eye(4), "vertebra")[0].any()
    assert parts_of(solid, np.eye(4), "rib")[1] == ()
