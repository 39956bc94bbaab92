"""What a path stands for when it is read: its content, whatever the names of the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest

from dicom_made import AFFINE, ct_series, ring_mask
from extraction_made import AFFINE as GRID
from extraction_made import FEW, ball
from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadInput
from onclair.core.values import Image, Mask
from onclair.io.cohorts import file_of
from onclair.io.dicom.write_outlines import write_rtstruct
from onclair.io.nifti import read_mask, write_image, write_map, write_mask
from onclair.run.extraction import Order, extract_cohort
from onclair.run.outlined import read_outlined, series_at, sha256_of_files
from onclair.run.recipes import recipe


def slices(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.dcm"))


def test_a_slice_stands_for_its_whole_series(tmp_path: Path) -> None:
    ct_series(tmp_path)
    first, last = slices(tmp_path)[0], slices(tmp_path)[-1]
    before = sha256_of_files(first)
    assert before == sha256_of_files(last) == sha256_of_files(tmp_path)
    data = pydicom.dcmread(last)
    data.PixelData = bytes(len(data.PixelData))
    data.save_as(last)
    assert sha256_of_files(first) != before


def test_neither_the_names_nor_the_order_of_slices_count(tmp_path: Path) -> None:
    ct_series(tmp_path)
    before = sha256_of_files(tmp_path)
    for number, path in enumerate(reversed(slices(tmp_path))):
        path.rename(tmp_path / f"IM{number}")
    assert sha256_of_files(tmp_path) == before


def test_another_series_in_the_folder_is_no_part_of_a_slices_hash(tmp_path: Path) -> None:
    ct_series(tmp_path, kernel="B30f")
    one = slices(tmp_path)[0]
    before = sha256_of_files(one)
    ct_series(tmp_path / "other", kernel="B70f")
    for path in slices(tmp_path / "other"):
        path.rename(tmp_path / f"other-{path.name}")
    assert sha256_of_files(one) == before


def test_an_outline_stands_for_itself(tmp_path: Path) -> None:
    volume = ct_series(tmp_path)
    write_rtstruct(tmp_path / "rs.dcm", ring_mask(), volume)
    write_rtstruct(tmp_path / "rs2.dcm", Mask(ring_mask().array[:1], AFFINE, ("GTV",)), volume)
    assert sha256_of_files(tmp_path / "rs.dcm") != sha256_of_files(tmp_path / "rs2.dcm")


def test_a_series_is_no_choice_where_the_image_is_a_nifti(tmp_path: Path) -> None:
    write_image(tmp_path / "i.nii", Image(np.ones((2, 2, 2)), np.eye(4), "HU"))
    with pytest.raises(BadInput, match="leave --series out"):
        series_at(tmp_path / "i.nii", "1.2.3")


def two_visits(folder: Path) -> Cohort:
    """One patient seen twice, the lesion moved between."""
    rows = []
    for number, visit in enumerate(("baseline", "week-4")):
        drawn = np.roll(ball(), number, axis=0)
        write_image(folder / f"{visit}.nii", Image(np.where(drawn, 1.0 + number, 9.0), GRID, "SUV", "PET"))
        write_mask(folder / f"{visit}_m.nii", Mask(drawn[None], GRID))
        rows += [("P1", "North", visit, "pet", f"{visit}.nii"), ("P1", "North", visit, "mask", f"{visit}_m.nii")]
    table = pd.DataFrame(rows, columns=["patient", "centre", "visit", "kind", "path"])
    table.to_csv(folder / "acquisitions.csv", index=False)
    (folder / "cohort.toml").write_text('format = "onclair-cohort/1"\n')
    (folder / "few.toml").write_text(FEW)
    return Cohort(table, pd.DataFrame({"patient": ["P1"]}), root=folder)


def test_a_patient_seen_twice_has_a_row_a_visit_each_with_its_own_outline(tmp_path: Path) -> None:
    two_visits(tmp_path)
    frame = extract_cohort(tmp_path, Order(recipe(str(tmp_path / "few.toml"))), map).frame
    assert frame[["patient", "visit", "stat_mean", "stat_max"]].to_numpy().tolist() == [
        ["P1", "baseline", 1.0, 1.0],
        ["P1", "week-4", 2.0, 2.0],
    ]


def test_one_file_of_a_patient_seen_twice_needs_the_visit_and_says_which_there_are(tmp_path: Path) -> None:
    cohort = two_visits(tmp_path)
    assert file_of(cohort, "P1", "mask", visit="week-4").name == "week-4_m.nii"
    with pytest.raises(BadCase, match="2 files of the kind 'pet', at the visits baseline, week-4; one is needed"):
        file_of(cohort, "P1", "pet")


@pytest.mark.parametrize("values", [(1, 7), (3, 2**21)])
def test_labels_are_found_whatever_their_size(tmp_path: Path, values: tuple[int, int]) -> None:
    array = np.zeros((3, 3, 3), np.int32)
    array[0], array[2, 1, 1] = values
    import nibabel as nib

    nib.save(nib.Nifti1Image(array, np.eye(4)), tmp_path / "m.nii")
    assert read_mask(tmp_path / "m.nii").labels == tuple(map(str, values))


def test_a_map_may_hold_nan_and_is_no_image(tmp_path: Path) -> None:
    write_map(tmp_path / "map.nii.gz", np.array([[[1.0, np.nan]]], np.float32), np.eye(4))
    with pytest.raises(BadCase, match="1 voxel that is NaN"):
        read_outlined(tmp_path / "map.nii.gz", tmp_path / "map.nii.gz")
