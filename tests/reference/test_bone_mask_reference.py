"""The bone mask, labels and lesion table on real scans: the bounds of the spec's reference table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onclair.io.dicom.read import read_volume
from onclair.io.nifti import read_image, read_mask
from onclair.science.bone.labels import bone_region, plausible, totalseg
from onclair.science.bone.lesions import Skeleton, lesion_table, level_table
from onclair.science.bone.mask import bone_mask
from onclair.science.volumes.resample import onto


def labels_of(path, image):
    mask = read_mask(path)
    return np.array([0, *map(int, mask.labels)])[mask.on(image).array]


@pytest.fixture(scope="module")
def series(reference_data):
    folder = reference_data / "bone" / "ct_dicom_series"
    image = read_volume(folder).image
    return image, labels_of(folder / "totalseg_labels.nii.gz", image)


def test_labels_land_on_the_series_with_its_affine(series):
    image, labels = series
    rows = {row["name"]: row for row in level_table(image.array, image.affine, labels, totalseg())}
    assert rows["T12"]["voxels"] == 23576
    assert rows["T11"]["voxels"] == 9930
    assert rows["T12"]["hu_mean"] == pytest.approx(267.0, abs=0.05)
    assert plausible(image.array, labels, totalseg()) == ()


def test_the_bone_mask_of_the_series_keeps_its_bounds(series):
    image, labels = series
    found, bone = bone_mask(image.array, image.affine), bone_region(labels, totalseg())
    assert found[bone].mean() >= 0.90
    assert bone[found].mean() >= 0.60
    y = image.affine[1, 3] + image.affine[1, 1] * np.arange(image.array.shape[1])
    assert not found[:, y > -30].any()
    assert found[labels == 52].mean() <= 0.20
    assert found[labels == 79].mean() <= 0.20


def test_the_bone_mask_holds_at_three_millimetres(reference_data):
    folder = reference_data / "bone" / "torso_ct"
    image = read_image(folder / "example_ct_sm.nii.gz", "HU", "CT")
    labels = labels_of(folder / "example_seg.nii.gz", image)
    found, bone = bone_mask(image.array, image.affine), bone_region(labels, totalseg())
    assert found[bone].mean() >= 0.75
    assert bone[found].mean() >= 0.80
    assert found[labels == 52].mean() <= 0.05
    assert found[labels == 79].mean() <= 0.05
    rows = {row["name"]: row for row in level_table(image.array, image.affine, labels, totalseg())}
    assert [rows[level]["voxels"] for level in ("L2", "L1", "T12", "T11")] == [1868, 2139, 1783, 70]
    assert rows["L1"]["hu_mean"] == pytest.approx(196.2, abs=0.05)


def test_coordinates_that_lie_are_noticed(reference_data):
    folder = reference_data / "bone" / "torso_ct"
    image, mask = read_image(folder / "example_ct.nii.gz", "HU", "CT"), read_mask(folder / "example_seg.nii.gz")
    values = np.array([0, *map(int, mask.labels)])[mask.array]
    labels = onto(values, mask.affine, image.affine, image.array.shape, order="nearest")
    rows = {row["name"]: row for row in level_table(image.array, image.affine, labels, totalseg())}
    assert rows["L1"]["hu_mean"] == pytest.approx(-40, abs=1)
    assert [problem["code"] for problem in plausible(image.array, labels, totalseg())] == ["labels_not_on_bone"]


def test_a_sphere_drawn_in_t12_and_one_in_a_left_rib_are_told(series):
    image, labels = series
    place = np.moveaxis(np.indices(image.array.shape), 0, -1) @ image.affine[:3, :3].T + image.affine[:3, 3]
    drawn = np.zeros(image.array.shape, np.int32)
    in_rib = np.argwhere(labels == 98)
    rib = in_rib[np.argmin(np.abs(in_rib - in_rib.mean(axis=0)).sum(axis=1))] @ image.affine[:3, :3].T + image.affine[:3, 3]
    body = np.array([-9.4, -121.8, -790.4])
    for number, (centre, radius) in enumerate(((body, 8.0), (rib, 5.0)), start=1):
        drawn[((place - centre) ** 2).sum(axis=-1) <= radius**2] = number
    vertebra, left_rib = lesion_table(image.array, image.affine, drawn, Skeleton(labels, totalseg()))
    assert (vertebra.bone, vertebra.level, vertebra.part) == ("vertebra", "T12", "body")
    assert vertebra.volume_ml == pytest.approx(4 / 3 * np.pi * 0.512, rel=0.03)
    assert vertebra.equivalent_diameter_mm == pytest.approx(16.0, abs=0.5)
    assert vertebra.axial_diameter_mm == pytest.approx(16.0, abs=0.5)
    assert vertebra.centroid_lps_mm == pytest.approx(body, abs=0.5)
    assert (left_rib.bone, left_rib.side) == ("rib", "left")


def test_without_labels_an_arm_in_view_does_not_turn_right_into_left(reference_data: Path) -> None:
    """The flanks of this scan put the middle at -35 mm; T12 lies at -10 mm."""
    volume = read_volume(reference_data / "bone/ct_dicom_series")
    hu, affine = volume.image.array, volume.image.affine
    drawn = np.zeros(hu.shape, np.int32)
    for number, x_mm in enumerate((-24.0, 60.0, -70.0), start=1):
        at = np.linalg.inv(affine) @ [x_mm, -113.3, -788.5, 1.0]
        i, j, k = (round(float(v)) for v in at[:3])
        drawn[i - 2 : i + 3, j - 2 : j + 3, k - 1 : k + 2] = number
    sides = [row.side for row in lesion_table(hu, affine, drawn, Skeleton(mask=bone_mask(hu, affine)))]
    assert sides == [None, "left", "right"]
