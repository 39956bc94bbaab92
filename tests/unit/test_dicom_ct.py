"""One CT out of a folder: told apart by kernel, reformats left out, tilt taken out, and whatever cannot be trusted refused by name."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames

from dicom_made import AFFINE, SHAPE, change, ct_series, pet_series
from onclair.core.errors import BadCase, BadGeometry, BadInput
from onclair.core.values import Image
from onclair.io.dicom.ct import read_ct
from onclair.io.dicom.ct_facts import facts_of, facts_of_image
from onclair.io.dicom.straighten import straightened


def again(folder: Path, name: str, how: Any, *, of: str = "0001.dcm", seed: int = 7) -> None:
    """Write a changed copy of one slice."""
    data = pydicom.dcmread(folder / of)
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"2.25.{seed}"
    how(data)
    data.save_as(folder / name)


def test_a_folder_of_another_modality_is_refused_by_what_it_holds(tmp_path: Path) -> None:
    pet_series(tmp_path)
    with pytest.raises(BadInput, match=r"holds PET and no CT; give the folder of the CT series"):
        read_ct(tmp_path)


def test_a_folder_without_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(BadInput, match="holds no DICOM file"):
        read_ct(tmp_path)


def test_the_ct_beside_a_pet_is_the_one_that_is_read(tmp_path: Path) -> None:
    pet_series(tmp_path / "pet")
    ct_series(tmp_path / "ct")
    assert read_ct(tmp_path).image.modality == "CT"


def test_a_series_that_is_no_ct_cannot_be_chosen(tmp_path: Path) -> None:
    pet = pet_series(tmp_path / "pet")
    ct_series(tmp_path / "ct")
    with pytest.raises(BadInput, match=r"is PET, not CT; choose from 2\.25\."):
        read_ct(tmp_path, series=pet.series.uid)


def test_two_series_are_both_listed_with_their_kernels_and_one_can_be_chosen(tmp_path: Path) -> None:
    soft, sharp = ct_series(tmp_path / "a", kernel="Br38f"), ct_series(tmp_path / "b", kernel="Bl57f")
    with pytest.raises(BadInput, match=r"holds 2 CT series: .*; choose one with --series") as refused:
        read_ct(tmp_path)
    for one, kernel in ((soft, "Br38f"), (sharp, "Bl57f")):
        assert f"{one.series.uid} (6 files, kernel {kernel}" in str(refused.value)
    assert facts_of(read_ct(tmp_path, series=sharp.series.uid)).kernel == "Bl57f"
    with pytest.raises(BadInput, match=f"did you mean {sharp.series.uid}"):
        read_ct(tmp_path, series=sharp.series.uid[:-1])


def two_kernels(folder: Path) -> str:
    volume = ct_series(folder, kernel="Br38f")
    for k in range(SHAPE[2]):
        name = f"{k + 1:04d}.dcm"

        def sharpen(data: Any) -> None:
            data.ConvolutionKernel = ["Bl57f", "3"]
            data.PixelData = (np.frombuffer(data.PixelData, np.int16) + 500).astype(np.int16).tobytes()

        again(folder, f"sharp{name}", sharpen, of=name, seed=100 + k)
    return volume.series.uid


def test_two_kernels_in_one_series_are_both_listed_and_one_can_be_chosen(tmp_path: Path) -> None:
    uid = two_kernels(tmp_path)
    with pytest.raises(BadInput, match=rf"holds 2 kernels in one CT series: {uid}/Bl57f-3 .*{uid}/Br38f "):
        read_ct(tmp_path)
    soft, sharp = read_ct(tmp_path, series=f"{uid}/Br38f"), read_ct(tmp_path, series=f"{uid}/Bl57f-3")
    np.testing.assert_array_equal(soft.image.array + 500, sharp.image.array)
    assert (facts_of(sharp).kernel, facts_of(sharp).reconstruction) == ("Bl57f", "Bl57f 3")


def test_one_file_stands_for_the_slices_of_its_own_kernel(tmp_path: Path) -> None:
    two_kernels(tmp_path)
    assert facts_of(read_ct(tmp_path / "sharp0002.dcm")).kernel == "Bl57f"


def test_localisers_and_reformats_are_left_out(tmp_path: Path) -> None:
    written = ct_series(tmp_path)
    again(tmp_path, "scout.dcm", lambda d: setattr(d, "ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]), seed=1)
    again(tmp_path, "coronal.dcm", lambda d: setattr(d, "ImageType", ["DERIVED", "SECONDARY", "MPR"]), seed=2)
    np.testing.assert_array_equal(read_ct(tmp_path).image.array, written.image.array)


def test_a_folder_of_reformats_alone_is_refused(tmp_path: Path) -> None:
    ct_series(tmp_path)
    change(tmp_path, lambda data, _: setattr(data, "ImageType", ["DERIVED", "SECONDARY", "REFORMATTED"]))
    with pytest.raises(BadInput, match="only localisers or reformats are there"):
        read_ct(tmp_path)


def test_a_reformat_given_as_the_file_is_refused_by_its_name(tmp_path: Path) -> None:
    ct_series(tmp_path)
    again(tmp_path, "coronal.dcm", lambda d: setattr(d, "ImageType", ["DERIVED", "SECONDARY", "MPR"]), seed=2)
    with pytest.raises(BadInput, match=r"The file coronal\.dcm is no slice of a CT volume \(CT, DERIVED, SECONDARY, MPR\)"):
        read_ct(tmp_path / "coronal.dcm")


def test_a_missing_slice_is_refused_with_its_place_and_left_empty_where_gaps_are_allowed(tmp_path: Path) -> None:
    written = ct_series(tmp_path)
    (tmp_path / "0003.dcm").unlink()
    with pytest.raises(
        BadGeometry, match=r"1 missing slice, the first between 103\.00 and 109\.00 mm .*--allow-gaps reads it all the same"
    ):
        read_ct(tmp_path)
    looked = read_ct(tmp_path, allow=("gaps",))
    kept = [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(looked.image.array[:, :, kept], written.image.array[:, :, kept])
    np.testing.assert_allclose(looked.image.affine, AFFINE)
    assert (looked.image.array[:, :, 2] == -1024).all()
    facts = facts_of(looked)
    assert (facts.gaps_mm, facts.whole, [note["code"] for note in facts.warnings]) == ((106.0,), False, ["gaps"])


def test_a_duplicate_slice_is_refused_with_its_place_and_kept_once_where_gaps_are_allowed(tmp_path: Path) -> None:
    written = ct_series(tmp_path)
    again(tmp_path, "copy.dcm", lambda d: setattr(d, "InstanceNumber", 99), of="0004.dcm")
    with pytest.raises(BadGeometry, match=r"1 duplicate slice, the first at 109\.00 mm along the normal \(.*instance number"):
        read_ct(tmp_path)
    looked = read_ct(tmp_path, allow=("gaps",))
    np.testing.assert_array_equal(looked.image.array, written.image.array)
    assert [note["code"] for note in looked.notes] == ["duplicates_dropped"]


def test_slices_that_differ_in_their_acquisition_are_never_dropped(tmp_path: Path) -> None:
    ct_series(tmp_path)
    again(tmp_path, "copy.dcm", lambda d: setattr(d, "AcquisitionNumber", 2), of="0004.dcm")
    with pytest.raises(BadGeometry, match="they differ in acquisition number 1 and 2"):
        read_ct(tmp_path, allow=("gaps",))


@pytest.mark.parametrize("lenient", [False, True])
def test_pixels_that_are_cut_short_are_refused_by_file(
    tmp_path: Path, reference_data: Path, lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", lenient)  # what a PDF library sets for the whole process
    for path in sorted((reference_data / "bone/ct_dicom_series").glob("*.dcm"))[:3]:
        shutil.copyfile(path, tmp_path / path.name)
    path = sorted(tmp_path.glob("*.dcm"))[1]
    data = pydicom.dcmread(path)
    frame = next(generate_frames(data.PixelData, number_of_frames=1))
    data.PixelData = encapsulate([frame[: len(frame) // 2]])
    data.save_as(path)
    with pytest.raises(BadCase, match=f"The pixels of {path.name} are cut short or damaged"):
        read_ct(tmp_path)


def test_a_file_that_is_cut_short_is_never_passed_over_silently(tmp_path: Path) -> None:
    ct_series(tmp_path)
    last = tmp_path / "0006.dcm"
    last.write_bytes(last.read_bytes()[:300])
    with pytest.raises(BadCase, match=r"0006\.dcm .* or read what is left with --allow-gaps"):
        read_ct(tmp_path)
    looked = read_ct(tmp_path, allow=("gaps",))
    assert looked.image.array.shape == (7, 5, 5)
    assert [note["code"] for note in looked.notes] == ["damaged_file"]


def test_every_slice_has_its_own_rescale(tmp_path: Path) -> None:
    written = ct_series(tmp_path)

    def scale(data: Any, k: int) -> None:
        data.RescaleSlope, data.RescaleIntercept = str(k + 1), str(10 * k)

    change(tmp_path, scale)
    np.testing.assert_array_equal(read_ct(tmp_path).image.array, written.image.array * np.arange(1, 7) + 10 * np.arange(6))


def test_values_that_are_no_hounsfield_units_are_refused(tmp_path: Path) -> None:
    ct_series(tmp_path)
    change(tmp_path, lambda data, _: setattr(data, "RescaleType", "MGML"))
    with pytest.raises(BadInput, match=r"says that its values are 'MGML'.*Hounsfield units are needed"):
        read_ct(tmp_path)


def tilted(folder: Path) -> np.ndarray:
    """A rod along the body, scanned under a tilted gantry: straight in space, slanting in the stack."""
    rod = np.full((6, 12, 8), -1024)
    for k in range(8):
        rod[3, 9 - k, k] = 1000
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    from onclair.io.dicom.write import Exam, write_volume

    write_volume(folder, Image(rod, affine, "HU", "CT"), Exam("P1", seed=1))
    change(folder, lambda data, k: setattr(data, "ImagePositionPatient", [0, k, 4 * k]))
    return rod


def test_a_tilted_gantry_is_sheared_back_said_and_flagged(tmp_path: Path) -> None:
    tilted(tmp_path)
    volume = read_ct(tmp_path)
    places = np.argwhere(volume.image.array > 0) @ volume.image.affine[:3, :3].T + volume.image.affine[:3, 3]
    np.testing.assert_allclose(places, [(3, 9, 4 * k) for k in range(8)])
    np.testing.assert_allclose(volume.image.affine[:3, :3], np.diag([1.0, 1.0, 4.0]))
    facts = facts_of(volume)
    assert (facts.sheared, facts.whole) == (True, False)
    assert [note["code"] for note in facts.warnings] == ["sheared_back"]
    assert "14.0 degrees" in facts.warnings[0]["text"]


@pytest.mark.parametrize("drift", [(0.4, -0.7), (-1.3, 0.25), (0.0, 2.0)])
def test_straightening_keeps_a_linear_field_at_its_place(drift: tuple[float, float]) -> None:
    sheared = np.diag([2.0, 3.0, 5.0, 1.0])
    sheared[:2, 2] = drift
    sheared[:3, 3] = (7, -4, 11)
    index = np.stack(np.meshgrid(*map(np.arange, (9, 8, 7)), indexing="ij"), -1)
    field = (index @ sheared[:3, :3].T + sheared[:3, 3]) @ [1.0, 2.0, 3.0]
    straight, affine = straightened(field, sheared, empty=np.nan)
    inside = ~np.isnan(straight)
    expected = (np.argwhere(inside) @ affine[:3, :3].T + affine[:3, 3]) @ [1.0, 2.0, 3.0]
    np.testing.assert_allclose(straight[inside], expected)
    assert inside.sum() >= 8 * 7 * 7  # at most one voxel of each row and column is lost to interpolation
    assert abs(affine[:3, 2] @ affine[:3, 0]) < 1e-12


def test_thickness_is_not_spacing_and_gaps_between_thin_slices_are_said(tmp_path: Path) -> None:
    ct_series(tmp_path)
    change(tmp_path, lambda data, _: setattr(data, "SliceThickness", "2"))
    facts = facts_of(read_ct(tmp_path))
    assert (facts.slice_thickness_mm, facts.spacing_mm[2], facts.overlapping, facts.unmeasured_mm) == (2.0, 3.0, False, 1.0)
    assert facts.warnings[-1]["text"] == "Slices are 2 mm thick and 3 mm apart: 1 mm between them were not measured."


def test_a_nifti_says_what_it_cannot_say() -> None:
    facts = facts_of_image(Image(np.zeros(SHAPE), AFFINE, "HU", "CT")).as_dict()
    assert (facts["shape"], facts["kernel"], facts["uids_minted"]) == (list(SHAPE), None, False)
    assert [note["code"] for note in facts["warnings"]] == ["acquisition_unknown"]


def test_a_virtual_series_says_so_among_its_facts(tmp_path: Path) -> None:
    ct_series(tmp_path, virtual=True)
    assert facts_of(read_ct(tmp_path)).virtual
