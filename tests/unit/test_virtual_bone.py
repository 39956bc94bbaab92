"""Virtual bone cohorts: reproducible, said to be virtual everywhere, honest about what is hard, and the truth true."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadSetting, NoRoom
from onclair.io.cohorts import check_cohort, file_of, read_cohort
from onclair.io.nifti import read_image
from onclair.virtual.bone import VirtualBone, write
from onclair.virtual.bone_patients import patient_of, rendered, scan
from onclair.virtual.bone_settings import density_line, scanner_of, scanner_table
from onclair.virtual.bone_strength import chosen_bone, stiffness_of, strength_row

TINY = {"patients": 2, "voxel_mm": 1.5, "slice_mm": 3.0, "fine_mm": 1.0, "strength": "none", "seed": 4}
_SIZES = ["x_mm", "y_mm", "z_mm", "diameter_mm", "volume_ml"]
ISSUE = ["patient", "lesion", "kind", "type", "bone", "level", "is_metastasis", *_SIZES, "box_median_hu", "cortical_breach"]


def backwards(function, items):
    done = {item: function(item) for item in reversed(list(items))}
    return [done[item] for item in sorted(done)]


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def volume(folder: Path, patient: str, what: str) -> np.ndarray:
    return read_image(folder / f"truth/{patient}_{what}.nii.gz", "a.u.").array


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Path:
    return write(VirtualBone(**TINY), tmp_path_factory.mktemp("bone") / "cohort")


@pytest.fixture(scope="module")
def people():
    return [patient_of(VirtualBone(seed=9), index) for index in range(70)]


def test_one_seed_gives_the_same_bytes_whatever_the_order_of_the_work(cohort, tmp_path):
    assert digests(write(VirtualBone(**TINY), tmp_path / "again", map=backwards)) == digests(cohort)


def test_another_seed_gives_other_patients():
    one, other = (patient_of(VirtualBone(seed=seed), 0) for seed in (1, 2))
    assert one.bones != other.bones


def test_the_folder_is_a_cohort_like_any_other(cohort):
    read = read_cohort(cohort)
    assert read.about.data == "virtual"
    assert set(read.acquisitions["kind"]) == {"ct", "bones", "lesions"}
    assert set(read.outcomes["metastasis"]) <= {0, 1}
    assert not check_cohort(cohort, kinds=("ct", "bones", "lesions")).problems
    assert file_of(read, "VB001", "ct").is_file()


def test_every_record_says_virtual(cohort):
    for table in ("truth", "readers", "scanners"):
        assert set(pd.read_csv(cohort / f"{table}.csv")["data"]) == {"virtual"}
    assert json.loads((cohort / "truth.json").read_text())["data"] == "virtual"
    for image in cohort.rglob("*.nii.gz"):
        assert b"virtual" in gzip.decompress(image.read_bytes())[:348]


def test_a_folder_that_holds_something_is_left_alone(cohort):
    with pytest.raises(NoRoom):
        write(VirtualBone(**TINY), cohort)


def test_truth_has_the_columns_of_its_format(cohort):
    assert pd.read_csv(cohort / "truth.csv").columns[: len(ISSUE)].tolist() == ISSUE


def test_maps_hold_the_lesions_and_mimics_that_the_table_numbers(cohort):
    truth = pd.read_csv(cohort / "truth.csv")
    for patient, rows in truth.groupby("patient"):
        found = {what: set(np.unique(volume(cohort, patient, what)).tolist()) - {0} for what in ("lesions", "mimics")}
        assert found["lesions"] == set(rows.loc[rows["is_metastasis"] == 1, "lesion"])
        assert found["mimics"] == set(rows.loc[rows["is_metastasis"] == 0, "lesion"])


def test_volume_and_place_of_a_growth_are_those_of_its_voxels(cohort):
    truth = pd.read_csv(cohort / "truth.csv")
    rows = truth[truth["diameter_mm"] > 8]
    assert len(rows) > 0
    for row in rows.itertuples():
        image = read_image(cohort / f"truth/{row.patient}_{'lesions' if row.is_metastasis else 'mimics'}.nii.gz", "a.u.")
        inside = image.array == row.lesion
        ml = inside.sum() * np.prod(image.spacing_mm) / 1000
        place = image.affine[:3, :3] @ np.argwhere(inside).mean(axis=0) + image.affine[:3, 3]
        assert ml == pytest.approx(row.volume_ml, rel=0.35)
        assert place == pytest.approx([row.x_mm, row.y_mm, row.z_mm], abs=1.5)
        assert row.diameter_mm == pytest.approx((6000 * row.volume_ml / np.pi) ** (1 / 3), abs=0.02)


def test_left_is_left_and_right_is_right_in_patient_coordinates(cohort):
    image = read_image(cohort / "truth/VB002_bones.nii.gz", "a.u.")
    middles = {label: np.argwhere(image.array == label).mean(axis=0) for label in (75, 76, 77, 78)}
    x = {label: (image.affine[:3, :3] @ middle + image.affine[:3, 3])[0] for label, middle in middles.items()}
    assert min(x[75], x[77]) > 30
    assert max(x[76], x[78]) < -30


def test_vertebrae_stand_in_order_from_head_to_foot(cohort):
    image = read_image(cohort / "truth/VB001_bones.nii.gz", "a.u.")
    heights = [np.argwhere(image.array == label)[:, 2].mean() for label in (33, 32, 31, 30, 29)]
    assert heights == sorted(heights, reverse=True)


def test_bone_lies_where_the_image_is_dense_and_modulus_only_in_bone(cohort):
    ct = read_image(cohort / "images/VB001.nii.gz", "HU").array
    bones, modulus = volume(cohort, "VB001", "bones"), volume(cohort, "VB001", "material")
    assert np.median(ct[bones > 0]) > np.percentile(ct[bones == 0], 95)
    assert modulus.min() >= 0
    assert np.median(modulus[bones > 0]) > 100
    assert (modulus[bones == 0] > 0).mean() < 0.02


def test_the_clean_image_is_the_image_without_noise(cohort):
    ct, clean = read_image(cohort / "images/VB001.nii.gz", "HU").array, volume(cohort, "VB001", "clean")
    error = ct.astype(float) - clean
    assert abs(error.mean()) < 2
    assert 5 < error.std() < 40


def test_two_readers_disagree(cohort):
    rows = pd.read_csv(cohort / "readers.csv")
    assert any((volume(cohort, p, "reader1") != volume(cohort, p, "reader2")).any() for p in ("VB001", "VB002"))
    assert rows["score"].between(0, 1).all()


def test_a_third_of_the_patients_have_no_metastasis(people):
    free = np.mean([not any(g.is_metastasis for g in patient.growths) for patient in people])
    assert 1 / 3 - 0.15 < free < 1 / 3 + 0.15


def test_mimics_are_at_least_as_many_as_metastases_in_the_whole_and_of_every_kind(people):
    growths = [g for patient in people for g in patient.growths]
    assert sum(not g.is_metastasis for g in growths) >= sum(g.is_metastasis for g in growths)
    assert len({g.kind for g in growths}) == 8
    assert {g.type for g in growths if g.is_metastasis} == {"lytic", "blastic", "mixed", "occult"}


def test_metastases_are_as_large_as_the_prior_says(people):
    sizes = np.array([2 * g.shape.mean_mm for patient in people for g in patient.growths if g.is_metastasis])
    assert 10 < np.median(sizes) < 16
    assert sizes.min() >= 3.5
    assert sizes.max() <= 60


def test_no_two_growths_of_a_patient_touch(people):
    for patient in people:
        shapes = [g.shape for g in patient.growths]
        for i, one in enumerate(shapes):
            for two in shapes[:i]:
                away = np.linalg.norm(np.subtract(one.frame.centre_mm, two.frame.centre_mm))
                assert away > max(one.radii_mm) + max(two.radii_mm)


@pytest.mark.parametrize("shift", ["kernel", "dose", "thickness"])
def test_a_shift_of_the_scanner_leaves_the_patient_as_it_is(shift):
    plain, shifted = patient_of(VirtualBone(seed=3), 0), patient_of(VirtualBone(seed=3, shift=shift), 0)
    assert plain.growths == shifted.growths
    assert plain.bones == shifted.bones
    assert plain.scanner != shifted.scanner


@pytest.mark.parametrize("shift", ["shape", "class"])
def test_a_shift_of_the_patients_leaves_the_scanner_as_it_is(shift):
    plain, shifted = patient_of(VirtualBone(seed=3), 0), patient_of(VirtualBone(seed=3, shift=shift), 0)
    assert plain.growths != shifted.growths
    assert plain.scanner == shifted.scanner


def test_a_low_dose_is_noisier_and_thick_slices_are_fewer():
    usual, low, thick = (scanner_of(VirtualBone(shift=shift), 0) for shift in ("none", "dose", "thickness"))
    assert low.dose_mgy < 0.3 * usual.dose_mgy
    assert thick.slice_thickness_mm > 2 * usual.slice_thickness_mm


def test_a_sharp_kernel_overshoots_at_the_cortex():
    settings = {"seed": 3, "region": "spine", "slice_mm": 5.0, "fine_mm": 1.0}
    clean = {}
    for shift in ("none", "kernel"):
        patient = patient_of(VirtualBone(shift=shift, **settings), 0)
        clean[shift] = scan(patient, rendered(patient, 1.0)).clean
    assert clean["kernel"].max() > clean["none"].max() + 100
    assert clean["kernel"].min() < clean["none"].min()


def test_hardly_any_metastasis_can_be_told_from_bone_by_its_hu_alone(cohort):
    overlaps = []
    for patient in ("VB001", "VB002"):
        ct = read_image(cohort / f"images/{patient}.nii.gz", "HU").array
        bones, lesions, mimics = (volume(cohort, patient, what) for what in ("bones", "lesions", "mimics"))
        spared = ct[(bones > 0) & (lesions == 0) & (mimics == 0)]
        for lesion in set(np.unique(lesions)) - {0}:
            rank = (spared < np.median(ct[lesions == lesion])).mean()
            overlaps.append(0.02 < rank < 0.98)
    assert overlaps
    assert np.mean(overlaps) > 0.5


def test_a_scan_has_a_line_of_its_own_near_what_its_hospital_tells():
    settings = VirtualBone(patients=40, centres=2)
    table = {row["scanner"]: row["slope"] for row in scanner_table(settings)}
    ratio = [density_line(settings, i)[0] / table[scanner_of(settings, i).name] for i in range(40)]
    assert np.std(ratio) > 0.005
    assert np.abs(np.log(ratio)).max() < 0.12


def test_the_bone_whose_strength_is_told_holds_the_largest_metastasis_of_its_kind(people):
    for patient in people[:20]:
        bone, own = chosen_bone(patient), [g for g in patient.growths if g.is_metastasis]
        whole = {b.label for b in patient.bones if b.name == bone.name and b.level not in ("T10", "L4")}
        rivals = [g.shape.mean_mm for g in own if g.label in whole]
        if rivals:
            assert max(g.shape.mean_mm for g in own if g.label == bone.label) == max(rivals)


def test_a_soft_tumour_weakens_its_vertebra():
    settings = VirtualBone(region="spine", truth_voxel_mm=3.0, fine_mm=1.0, seed=1)
    drawn = (patient_of(settings, index) for index in range(30))
    patient = next(p for p in drawn if any(g.is_metastasis and g.shape.mean_mm > 8 for g in p.growths))
    row = strength_row(settings, patient, (0.7, 0.0))
    assert row["reason"] is None
    assert row["case"] == "spine-compression"
    assert 0 < row["strength_N"] < row["intact_strength_N"]
    assert 500 < row["intact_strength_N"] < 15_000
    assert row["tumour_modulus_share"] in stiffness_of(patient).shares


@pytest.mark.parametrize("wrong", [{"region": "skull"}, {"voxel_mm": 9}, {"shift": "colour"}, {"patients": 0}])
def test_a_setting_outside_its_range_is_refused(wrong):
    with pytest.raises(BadSetting):
        VirtualBone.read(wrong)
