"""A scan from whatever holds it, and maps on its grid or refused by their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dicom_made import AFFINE, SHAPE, ct_series, pet_series
from onclair.core.errors import BadCase, BadGeometry, BadInput, BadSetting
from onclair.core.values import Image, Mask
from onclair.io.dicom.segmented import bone_segment, lesion_segment, write_segments
from onclair.io.dicom.write_outlines import write_rtstruct
from onclair.io.nifti import write_image, write_map
from onclair.io.scans import map_on, read_scan, region_on
from onclair.studies.tasks.bone_scan import Given, boned, scheme_of


def drawn() -> np.ndarray:
    values = np.zeros(SHAPE, np.int32)
    values[1:3, 1:4, 1:3], values[4:6, 1:4, 3:5] = 1, 2
    return values


@pytest.fixture
def dicom(tmp_path: Path) -> Path:
    """A CT series with a SEG and an RTSTRUCT: bone, of which the lesions are a part, and two lesions."""
    volume = ct_series(tmp_path / "ct")
    bone, lesions = drawn() > 0, drawn()
    bone[:, 0] = True
    what = [bone_segment(), *(lesion_segment(n, "rib", made_by=("x", "1")) for n in (1, 2))]
    write_segments(tmp_path / "seg.dcm", what, {"bone": bone, "lesions": lesions}, volume)
    layers = np.stack([bone, lesions == 1, lesions == 2])
    write_rtstruct(tmp_path / "rs.dcm", Mask(layers, AFFINE, ("Bone", "Lesion 1", "Lesion 2"), "model"), volume)
    return tmp_path


def test_a_series_and_a_nifti_of_it_are_one_scan(dicom: Path) -> None:
    series = read_scan(dicom / "ct")
    write_image(dicom / "ct.nii.gz", series.image)
    plain = read_scan(dicom / "ct.nii.gz")
    np.testing.assert_array_equal(plain.image.array, series.image.array)
    np.testing.assert_allclose(plain.image.affine, series.image.affine)
    assert (plain.volume, plain.frame_of_reference) == (None, "")
    assert series.frame_of_reference == series.volume.series.frame_of_reference != ""


@pytest.mark.parametrize("name", ["seg.dcm", "rs.dcm"])
def test_lesions_of_a_seg_or_rtstruct_are_numbered_and_its_bone_is_left(dicom: Path, name: str) -> None:
    found = map_on(read_scan(dicom / "ct"), dicom / name, of="the lesions", leave=("Bone",))
    np.testing.assert_array_equal(found, drawn())


@pytest.mark.parametrize("name", ["seg.dcm", "rs.dcm"])
def test_the_bone_of_a_seg_is_its_segment_bone_alone(dicom: Path, name: str) -> None:
    region = region_on(read_scan(dicom / "ct"), dicom / name, of="the bone mask")
    wanted = drawn() > 0
    wanted[:, 0] = True
    np.testing.assert_array_equal(region, wanted)


def test_flipped_axes_of_a_map_are_followed(dicom: Path) -> None:
    flipped, turned = drawn()[::-1], AFFINE.copy()
    turned[:3, 3] += turned[:3, 0] * (SHAPE[0] - 1)
    turned[:3, 0] *= -1
    write_map(dicom / "l.nii.gz", flipped, turned)
    np.testing.assert_array_equal(map_on(read_scan(dicom / "ct"), dicom / "l.nii.gz", of="the lesions"), drawn())


def test_a_map_of_another_grid_is_refused_by_its_file_with_both_affines(dicom: Path) -> None:
    moved = AFFINE.copy()
    moved[0, 3] += 4.0
    write_map(dicom / "moved.nii.gz", drawn(), moved)
    with pytest.raises(BadGeometry, match=r"moved\.nii\.gz: .*bone mask lies on another grid.*-26\.5.*-30\.5.*resample"):
        region_on(read_scan(dicom / "ct"), dicom / "moved.nii.gz", of="the bone mask")


@pytest.mark.parametrize(
    ("values", "said"),
    [(np.full(SHAPE, 0.5), "holds the value 0.5, which is no label"), (np.full(SHAPE, -1.0), "holds the value -1.0, which is no label")],
)
def test_numbers_that_are_no_labels_are_refused_by_file(dicom: Path, values: np.ndarray, said: str) -> None:
    write_map(dicom / "odd.nii.gz", values, AFFINE)
    with pytest.raises(BadCase, match=said) as told:
        map_on(read_scan(dicom / "ct"), dicom / "odd.nii.gz", of="the lesions")
    assert "odd.nii.gz" in str(told.value)


def test_what_is_not_there_is_refused_by_its_name(dicom: Path) -> None:
    scan = read_scan(dicom / "ct")
    write_map(dicom / "none.nii.gz", np.zeros(SHAPE, np.uint8), AFFINE)
    with pytest.raises(BadCase, match=r"The bone mask in none\.nii\.gz is empty; give one that holds voxels\."):
        region_on(scan, dicom / "none.nii.gz", of="the bone mask")
    with pytest.raises(BadInput, match=r"There is no file .*absent\.nii for the lesions"):
        map_on(scan, dicom / "absent.nii", of="the lesions")
    with pytest.raises(BadInput, match=r"There is no file or folder .*absent"):
        read_scan(dicom / "absent")
    with pytest.raises(BadInput, match="leave --series out"):
        read_scan(dicom / "none.nii.gz", series="1.2")


def test_a_pet_is_no_ct(tmp_path: Path) -> None:
    pet_series(tmp_path)
    with pytest.raises(BadInput, match="holds PET and no CT"):
        read_scan(tmp_path)


def ct(folder: Path) -> Path:
    hu = np.full((20, 20, 10), 40.0)
    hu[5:15, 5:15] = 300.0
    write_image(folder / "ct.nii.gz", Image(hu, np.eye(4), "HU", "CT"))
    return folder / "ct.nii.gz"


def labels(folder: Path, value: int) -> Path:
    values = np.zeros((20, 20, 10), np.int32)
    values[5:15, 5:15] = value
    write_map(folder / "labels.nii.gz", values, np.eye(4))
    return folder / "labels.nii.gz"


def test_labels_name_the_bones_and_their_voxels_are_the_bone(tmp_path: Path) -> None:
    found = boned(Given(ct(tmp_path), labels=labels(tmp_path, 19), scheme="verse"))
    assert (found.method, int(found.bone.sum()), found.skeleton.scheme.bones[19].level) == ("labels", 1000, "T12")


@pytest.mark.parametrize(
    ("value", "scheme", "said"),
    [
        (200, "totalseg", r"labels\.nii\.gz hold 200, and the scheme totalseg names no bone by that; .*--scheme"),
        (32, "verse", r"labels\.nii\.gz hold 32, and the scheme verse names no bone by that"),
        (0, "totalseg", r"labels\.nii\.gz are empty; .*leave --labels out"),
    ],
)
def test_labels_of_another_scheme_are_refused_by_what_they_hold(tmp_path: Path, value: int, scheme: str, said: str) -> None:
    with pytest.raises(BadCase, match=said):
        boned(Given(ct(tmp_path), labels=labels(tmp_path, value), scheme=scheme))


def test_a_scheme_that_is_none_is_refused_with_or_without_labels(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="did you mean 'totalseg'"):
        boned(Given(ct(tmp_path), scheme="totalsge"))
    with pytest.raises(BadInput, match="cannot be read"):
        scheme_of(str(tmp_path / "absent.toml"))


def test_a_scan_without_bone_is_refused_by_its_file(tmp_path: Path) -> None:
    write_image(tmp_path / "air.nii.gz", Image(np.full((20, 20, 10), -1000.0), np.eye(4), "HU", "CT"))
    with pytest.raises(BadCase, match=r"^air\.nii\.gz: No bone was found in this scan; .*--bone-mask\.$"):
        boned(Given(tmp_path / "air.nii.gz"))


def test_labels_that_lie_elsewhere_are_said(tmp_path: Path) -> None:
    path = ct(tmp_path)
    values = np.zeros((20, 20, 10), np.int32)
    values[0:4] = 32
    write_map(tmp_path / "labels.nii.gz", values, np.eye(4))
    assert "labels_not_on_bone" in [note["code"] for note in boned(Given(path, labels=tmp_path / "labels.nii.gz")).warnings]
