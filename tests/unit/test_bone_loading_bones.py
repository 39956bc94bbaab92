"""Whole bones between their caps: planes, holds, frames of a femur; and bones taken out of their scans."""

from __future__ import annotations

import numpy as np
import pytest

from bone_made import femurs, sphere, vertebra
from onclair.core.errors import BadGeometry, BadInput, BadSetting
from onclair.science.bone.assess import strength_of
from onclair.science.bone.cases import Plan, prepared, prepared_material
from onclair.science.bone.femur_frame import femur_of
from onclair.science.bone.loading import Load
from onclair.science.bone.loading_bones import How, between_cement, spine_compression
from onclair.science.bone.solve import reaction_n, solve
from onclair.science.bone.specimen import Specimen, back_onto, coarsened, cropped, turned, upright
from onclair.science.bone.vertebral_body import body_of_labels


def specimen(made, chosen, lesions=None, *, error=0.0):
    bone = np.isin(made.labels, chosen)
    spots = np.zeros(bone.shape, np.int32) if lesions is None else lesions.astype(np.int32)
    body = body_of_labels(made.labels, chosen, (2.0, 2.0, 2.0)) if 20 in chosen else bone
    return Specimen(made.density, np.full(bone.shape, error), bone, body, spots, made.affine)


def flipped(one: Specimen) -> Specimen:
    """The same bone, stored head down and mirrored, its axes exchanged."""
    affine = one.affine @ np.array([[0, -1, 0, one.bone.shape[0] - 1], [1, 0, 0, 0], [0, 0, -1, one.bone.shape[2] - 1], [0, 0, 0, 1.0]])

    def moved(array):
        return np.transpose(array[::-1, :, ::-1], (1, 0, 2))

    return Specimen(moved(one.density_mg_cc), moved(one.error_mg_cc), moved(one.bone), moved(one.body), moved(one.lesions), affine)


def test_caps_stand_out_by_four_millimetres_and_spare_the_bone():
    ready = prepared(specimen(vertebra(), (20, 48)), Plan())
    caps, bone = ready.capped.caps, ready.modulus_mpa > 0
    assert not (caps & bone).any()
    assert ready.capped.bone_height_mm == 24.0
    assert ready.capped.loaded.height_mm == 32.0
    assert set(np.unique(ready.capped.loaded.problem.modulus_mpa[caps])) == {2500.0}


def test_the_lower_cap_is_held_fully_and_the_upper_only_along():
    loaded = prepared(specimen(vertebra(), (20, 48)), Plan()).capped.loaded
    assert loaded.problem.held[loaded.bottom].all()
    assert loaded.problem.held[loaded.top][:, 2].all()
    assert not loaded.problem.held[loaded.top][:, :2].any()
    assert set(loaded.problem.displacement_mm[loaded.top][:, 2]) == {loaded.displacement_mm}


def test_a_scan_stored_head_down_gives_the_same_strength():
    one = specimen(vertebra(), (20, 48))
    first, second = (strength_of(each, Plan()).figures for each in (one, flipped(one)))
    assert second.stiffness_n_per_mm == pytest.approx(first.stiffness_n_per_mm, rel=1e-4)
    assert second.pistoia_n == pytest.approx(first.pistoia_n, rel=1e-3)


def test_strength_does_not_depend_on_how_far_the_bone_is_pressed():
    one = specimen(vertebra(voxel_mm=3.0), (20, 48))
    little, much = (strength_of(one, Plan(how=How(load=Load(displacement_mm=by)))).figures for by in (-0.01, -1.0))
    assert much.crawford_n == pytest.approx(little.crawford_n, rel=1e-4)
    assert much.pistoia_n == pytest.approx(little.pistoia_n, rel=1e-4)
    assert much.reaction_n == pytest.approx(100 * little.reaction_n, rel=1e-4)


def test_a_body_without_room_for_its_caps_is_refused():
    bone = np.full((6, 6, 10), 400.0)
    with pytest.raises(BadInput, match="no room of 4 mm"):
        spine_compression(bone, bone > 0, (1.0, 1.0, 1.0))


def test_a_material_map_without_cement_is_refused():
    with pytest.raises(BadInput, match="no caps of 2500 MPa along z"):
        between_cement(np.full((4, 4, 8), 400.0), (1.0, 1.0, 1.0))


def test_bone_beyond_the_cement_bears_next_to_nothing():
    block = np.full((6, 6, 14), 300.0)
    block[:, :, [2, 11]] = 2500.0
    forces = []
    for cut in (block[:, :, 2:12], block):
        loaded = between_cement(cut, (1.0, 1.0, 1.0)).loaded
        assert loaded.height_mm == 10.0
        forces.append(float(reaction_n(solve(loaded.problem), loaded.problem, loaded.top)[2]))
    assert forces[1] == pytest.approx(forces[0], rel=0.02)


def test_the_landmarks_of_a_femur_mirror_with_its_side():
    made = femurs()
    left, right = (femur_of(made.labels == label, made.affine) for label in (75, 76))
    assert left.head_mm == pytest.approx([40.0, 32.0, 130.0], abs=1.0)
    assert right.head_mm == pytest.approx(left.head_mm * [-1, 1, 1], abs=0.1)
    assert left.medial == pytest.approx([-1, 0, 0], abs=0.02)
    assert left.anterior == pytest.approx([0, -1, 0], abs=0.02)
    assert right.fall == pytest.approx(left.fall * [-1, 1, 1], abs=1e-6)


def test_a_fall_goes_sideways_backward_and_ten_degrees_against_the_shaft():
    fall = femur_of(femurs().labels == 75, femurs().affine).fall
    assert fall[0] > 0.9  # the left hip falls to the left
    assert fall[1] > 0  # its trochanter meets the ground from behind
    assert np.degrees(np.arcsin(fall[2])) == pytest.approx(10.0, abs=0.5)


def test_a_femur_without_a_shaft_is_refused():
    made = femurs()
    short = (made.labels == 75) & (np.indices(made.labels.shape)[2] > 35)
    with pytest.raises(BadInput, match="needed to tell its axis"):
        femur_of(short, made.affine)


@pytest.mark.parametrize("case", ["femur-stance", "femur-sideways-fall"])
def test_left_and_right_femurs_are_equally_strong_and_a_hole_weakens(case):
    made = femurs()
    plan = Plan(case=case, voxel_mm=4.0)
    left, right = (strength_of(specimen(made, (label,)), plan) for label in (75, 76))
    assert right.figures.stiffness_n_per_mm == pytest.approx(left.figures.stiffness_n_per_mm, rel=0.12)
    hole = sphere(made, (64.0, 32.0, 112.0), 14.0) & (made.labels == 75)
    holed = strength_of(specimen(made, (75,), hole), plan)
    assert holed.band[3].stiffness_n_per_mm < holed.band[0].stiffness_n_per_mm
    assert holed.band[3].strength_n < holed.band[0].strength_n
    assert holed.figures.failure is not None


def test_a_femur_fails_in_its_bone():
    made = femurs()
    found = strength_of(specimen(made, (75,)), Plan(case="femur-stance", voxel_mm=3.0))
    index = np.linalg.inv(made.affine) @ [*found.figures.failure.site_lps_mm, 1.0]
    near = tuple(slice(int(i) - 2, int(i) + 3) for i in index[:3])
    assert (made.labels[near] == 75).any()


def test_densities_are_averaged_over_bone_alone():
    density = np.full((4, 4, 4), -100.0)
    density[:3] = 500.0
    bone = density > 0
    small = coarsened(Specimen(density, 0 * density, bone, bone, np.zeros((4, 4, 4), np.int32), np.eye(4)), 2.0)
    assert small.bone.all()
    assert set(small.density_mg_cc.ravel()) == {500.0}


def test_a_specimen_turned_by_a_right_angle_is_the_same_bone():
    made = vertebra()
    one = cropped(specimen(made, (20, 48)), 4.0)
    axes = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    found = turned(one, axes, 2.0, 4.0)
    assert int(found.bone.sum()) == int(one.bone.sum())
    assert np.sort(found.density_mg_cc[found.bone]) == pytest.approx(np.sort(one.density_mg_cc[one.bone]))


def test_fields_come_back_onto_the_grid_of_the_scan():
    one = flipped(specimen(vertebra(), (20, 48)))
    small = cropped(upright(one), 3.0)
    back = back_onto(small.density_mg_cc * small.bone, small, one.affine, one.bone.shape)
    assert (back[one.bone] == one.density_mg_cc[one.bone]).all()
    assert not back[~one.bone].any()


def test_small_lesions_keep_their_number_on_coarse_voxels():
    made = vertebra()
    lesions = np.where(sphere(made, (20.0, 22.0, 22.0), 4.5), 7, 0)
    small = coarsened(specimen(made, (20, 48), lesions), 4.0)
    assert set(np.unique(small.lesions)) == {0, 7}


def test_a_tilted_grid_is_refused():
    made = vertebra(voxel_mm=4.0)
    sheared = made.affine.copy()
    sheared[1, 2] = 0.8
    one = specimen(made, (20, 48))
    with pytest.raises(BadGeometry, match="sheared"):
        upright(Specimen(one.density_mg_cc, one.error_mg_cc, one.bone, one.body, one.lesions, sheared))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"case": "femur-stand"}, "did you mean 'femur-stance'"),
        ({"voxel_mm": 0.0}, "positive length"),
        ({"samples": -1}, "0 to 1000"),
        ({"axis": "w"}, "no axis 'w'"),
        ({"how": How(caps_mpa=0.0)}, "positive modulus"),
    ],
    ids=["case", "voxel", "samples", "axis", "caps"],
)
def test_a_plan_that_is_none_is_refused(wrong, said):
    with pytest.raises(BadSetting, match=said):
        Plan(**wrong)


def test_a_material_map_is_no_femur_and_is_not_coarsened():
    block, none = np.full((4, 4, 4), 100.0), np.zeros((4, 4, 4), np.int32)
    for plan, said in ((Plan(case="femur-stance"), "finds head and shaft"), (Plan(case="uniaxial", voxel_mm=2.0), "own voxels")):
        with pytest.raises(BadSetting, match=said):
            prepared_material(block, none, np.eye(4), plan)
