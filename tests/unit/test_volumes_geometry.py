"""Components, instance maps, diameters and resampling on shapes that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadGeometry, BadSetting
from onclair.science.volumes.components import box_of, components, instances_of, sizes_of
from onclair.science.volumes.diameters import (
    axial_diameters_mm,
    centroid_mm,
    equivalent_diameter_mm,
    longest_diameter_mm,
    slice_axis,
    volume_ml,
)
from onclair.science.volumes.resample import onto, resampled

PLAIN = np.eye(4)


def test_parts_that_touch_by_an_edge_are_one_of_18_neighbours_and_two_of_6():
    region = np.zeros((4, 4, 4), bool)
    region[1, 1, 1] = region[2, 2, 1] = True
    assert [components(region, connectivity=c)[1] for c in (6, 18, 26)] == [2, 1, 1]


def test_another_number_of_neighbours_is_refused():
    with pytest.raises(BadSetting, match="choose 6, 18 or 26"):
        components(np.ones((2, 2, 2), bool), connectivity=8)


def test_a_map_of_one_value_is_split_and_one_of_several_is_kept():
    values = np.zeros((7, 1, 1), int)
    values[[0, 1, 4]] = 255
    assert instances_of(values).ravel().tolist() == [1, 1, 0, 0, 2, 0, 0]
    values[4] = 3
    assert instances_of(values).ravel().tolist() == [255, 255, 0, 0, 3, 0, 0]


def test_an_empty_map_has_no_instances():
    empty = np.zeros((3, 3, 3), np.uint8)
    assert instances_of(empty).max() == 0
    assert sizes_of(instances_of(empty)) == {}
    assert box_of(empty) == (slice(0, 0),) * 3


def test_a_negative_instance_is_refused_by_its_value():
    with pytest.raises(BadCase, match="-2"):
        instances_of(np.array([-2, 1]).reshape(2, 1, 1))


@pytest.mark.parametrize("edge", [0.5, 0.977])
def test_a_sphere_has_its_diameters_and_centre_to_half_a_millimetre(edge):
    affine = np.diag([edge, edge, 2.0, 1.0])
    affine[:3, 3] = (-20.0, 30.0, -500.0)
    places = np.moveaxis(np.indices((60, 60, 16)), 0, -1) @ affine[:3, :3] + affine[:3, 3]
    centre = affine[:3, 3] + np.array([30 * edge, 30 * edge, 15.0])
    sphere = ((places - centre) ** 2).sum(axis=-1) <= 8.0**2
    longest, across = axial_diameters_mm(sphere, affine)
    ml = volume_ml(int(sphere.sum()), affine)
    assert longest == pytest.approx(16.0, abs=0.5)
    assert across == pytest.approx(16.0, abs=1.0)
    assert longest_diameter_mm(sphere, affine) == pytest.approx(16.0, abs=0.7)
    assert equivalent_diameter_mm(ml) == pytest.approx(16.0, abs=0.5)
    assert centroid_mm(sphere, affine) == pytest.approx(centre, abs=0.5)


def test_a_rod_on_the_diagonal_is_measured_along_itself():
    region = np.zeros((12, 12, 2), bool)
    region[range(10), range(10), 0] = True
    longest, across = axial_diameters_mm(region, PLAIN)
    assert longest == pytest.approx(9 * np.sqrt(2))
    assert across == 1.0  # never less than a voxel's edge


def test_one_voxel_is_as_long_as_its_edge():
    region = np.zeros((3, 3, 3), bool)
    region[1, 1, 1] = True
    affine = np.diag([0.7, 0.7, 3.0, 1.0])
    assert axial_diameters_mm(region, affine) == (0.7, 0.7)
    assert longest_diameter_mm(region, affine) == 0.7


def test_slices_are_the_axial_ones_however_the_array_is_stored():
    region = np.zeros((20, 4, 4), bool)
    region[:, 1, 1] = True
    sagittal = np.zeros((4, 4))
    sagittal[2, 0] = sagittal[0, 1] = sagittal[1, 2] = sagittal[3, 3] = 1.0  # the first axis runs to the head
    assert slice_axis(sagittal) == 0
    assert axial_diameters_mm(region, sagittal) == (1.0, 1.0)
    assert longest_diameter_mm(region, sagittal) == 19.0


def test_an_empty_region_has_no_size():
    with pytest.raises(BadCase, match="holds no voxel"):
        longest_diameter_mm(np.zeros((2, 2, 2), bool), PLAIN)


def test_averaging_keeps_the_sum_of_what_is_there():
    fine = np.random.default_rng(1).normal(size=(12, 9, 10))
    coarse, affine = resampled(fine, np.diag([1.0, 1.0, 0.5, 1.0]), (2.0, 3.0, 2.5), order="average")
    assert coarse.shape == (6, 3, 2)
    assert coarse.mean() == pytest.approx(fine.mean())
    assert coarse[0, 0, 0] == pytest.approx(fine[:2, :3, :5].mean())
    assert affine[:3, 3].tolist() == [0.5, 1.0, 1.0]


def test_a_line_stays_a_line_under_linear_resampling_away_from_its_ends():
    line = np.arange(20.0).reshape(20, 1, 1) * 3
    finer, affine = resampled(line, np.diag([2.0, 1.0, 1.0, 1.0]), (0.5, 1.0, 1.0))
    at = affine[0, 3] + 0.5 * np.arange(finer.shape[0])
    inside = (at >= 0) & (at <= 38)
    assert finer[inside, 0, 0] == pytest.approx(1.5 * at[inside])
    assert finer[0, 0, 0] == 0.0  # held beyond the outermost centre


def test_labels_on_a_finer_flipped_grid_are_the_nearest_ones():
    labels = np.arange(1, 5).reshape(4, 1, 1)
    flipped = np.diag([-0.5, 1.0, 1.0, 1.0])
    flipped[0, 3] = 3.25
    moved = onto(labels, PLAIN, flipped, (8, 1, 1), order="nearest")
    assert moved.ravel().tolist() == [4, 4, 3, 3, 2, 2, 1, 1]
    assert moved.dtype == labels.dtype


def test_a_permuted_grid_is_followed():
    image = np.random.default_rng(2).normal(size=(3, 4, 5))
    permuted = np.eye(4)[:, [2, 0, 1, 3]]
    assert onto(image, PLAIN, permuted, (5, 3, 4)) == pytest.approx(np.transpose(image, (2, 0, 1)))


def test_a_turned_grid_reads_a_plane_where_it_lies_and_refuses_a_mean():
    x, y = np.meshgrid(np.arange(20.0), np.arange(20.0), indexing="ij")
    image = np.repeat((2 * x - y)[:, :, None], 4, axis=2)
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    turn[:2, 3] = (8.0, 2.0)
    moved = onto(image, PLAIN, turn, (5, 5, 4))
    place = turn @ [3.0, 4.0, 1.0, 1.0]
    assert moved[3, 4, 1] == pytest.approx(2 * place[0] - place[1])
    with pytest.raises(BadGeometry, match="turned"):
        onto(image, PLAIN, turn, (5, 5, 4), order="average")


def test_beyond_the_faces_stands_what_was_asked_for():
    far = np.eye(4)
    far[0, 3] = 1.4
    assert onto(np.array([5.0, 7.0]).reshape(2, 1, 1), PLAIN, far, (2, 1, 1), outside=-1000).ravel().tolist() == [7.0, -1000.0]


@pytest.mark.parametrize("spacing", [(0.0, 1, 1), (float("nan"), 1, 1)])
def test_a_spacing_that_is_none_is_refused(spacing):
    with pytest.raises(BadSetting, match="three positive numbers"):
        resampled(np.zeros((2, 2, 2)), PLAIN, spacing)
