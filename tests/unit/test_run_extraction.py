"""Extraction over a cohort: rows kept by content, one table, settings by name or file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from extraction_made import AFFINE, FEW, ball, write_cohort_of
from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadCohort, BadInput, BadSetting, NoRoom
from onclair.core.values import Image, Mask
from onclair.io.files import sha256_file
from onclair.io.nifti import write_image, write_mask
from onclair.io.tables import read_parquet
from onclair.run.extraction import Extracted, Order, extract_cohort, extract_image
from onclair.run.extraction_rows import subjects_of
from onclair.run.ibsi2 import check_maps, reference_maps
from onclair.run.pool import pool
from onclair.run.recipes import NAMED, how_from, recipe
from onclair.run.verify import verify
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.filtered import FilteredExtraction, extract_filtered
from onclair.science.radiomics.filters.response import Setup, filtered
from onclair.science.radiomics.filters.sets import response_map
from onclair.science.radiomics.grid import Grid, resampled
from onclair.science.radiomics.intensity import intensity_statistics

LOG = {"name": "log-4", "kind": "laplacian-of-gaussian", "sigma_mm": 4.0}
STATISTICS = Extraction(families=("statistics",))


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    return write_cohort_of(tmp_path / "cohort", 4)


def extracted(cohort: Path, out: Path | None, workers: int = 1) -> Extracted:
    with pool(workers) as over:
        return extract_cohort(cohort, Order(recipe(str(cohort / "few.toml")), out), over)


def counts(found: Extracted) -> tuple[int, int, int]:
    return found.extracted, found.reused, len(found.left_out)


def test_the_table_holds_a_row_a_patient_and_its_hash_is_that_of_the_file(cohort: Path, tmp_path: Path) -> None:
    found = extracted(cohort, tmp_path / "out")
    assert found.table is not None
    frame = read_parquet(found.table)
    assert list(frame["patient"]) == ["P1", "P2", "P3", "P4"]
    assert frame.shape == (found.as_dict()["rows"], found.as_dict()["columns"]) == (4, 21)
    assert found.table_sha256 == sha256_file(found.table)
    assert pd.read_csv(found.table.with_suffix(".csv"))["stat_mean"].tolist() == frame["stat_mean"].tolist()


def test_what_is_extracted_is_not_extracted_again(cohort: Path, tmp_path: Path) -> None:
    first, second = extracted(cohort, tmp_path / "out"), extracted(cohort, tmp_path / "out")
    assert (counts(first), counts(second)) == ((4, 0, 0), (0, 4, 0))
    assert (first.table_sha256, first.evidence_id) == (second.table_sha256, second.evidence_id)


def test_an_extraction_verifies_until_a_byte_is_changed(cohort: Path, tmp_path: Path) -> None:
    found = extracted(cohort, tmp_path / "out")
    assert verify(tmp_path / "out").valid
    assert found.table is not None
    found.table.with_suffix(".csv").write_text("changed")
    assert [problem.file for problem in verify(tmp_path / "out").problems] == ["table/features.csv"]


def test_a_changed_image_is_extracted_again_and_no_other(cohort: Path, tmp_path: Path) -> None:
    before = extracted(cohort, tmp_path / "out")
    write_image(cohort / "P2_pet.nii.gz", Image(np.full((12, 12, 8), 2.0, np.float32), AFFINE, "SUV", "PET"))
    after = extracted(cohort, tmp_path / "out")
    assert counts(after) == (1, 3, 0)
    changed = (before.frame["stat_mean"] != after.frame["stat_mean"]).tolist()
    assert changed == [False, True, False, False]


def test_a_damaged_row_is_extracted_again(cohort: Path, tmp_path: Path) -> None:
    before = extracted(cohort, tmp_path / "out")
    (tmp_path / "out" / "describe" / "P3" / "features.parquet").write_bytes(b"half a row")
    after = extracted(cohort, tmp_path / "out")
    assert (counts(after), after.table_sha256) == ((1, 3, 0), before.table_sha256)


def test_a_patient_whose_image_cannot_be_used_is_told_and_the_others_are_kept(cohort: Path, tmp_path: Path) -> None:
    whole = extracted(cohort, tmp_path / "whole")
    good = (cohort / "P2_pet.nii.gz").read_bytes()
    (cohort / "P2_pet.nii.gz").write_bytes(good[:-20])
    found = extracted(cohort, tmp_path / "out")
    assert counts(found) == (3, 0, 1)
    assert found.left_out[0]["patient"] == "P2"
    assert "P2 (P2_pet.nii.gz) is cut short or damaged" in found.left_out[0]["reason"]
    (cohort / "P2_pet.nii.gz").write_bytes(good)
    mended = extracted(cohort, tmp_path / "out")
    assert (counts(mended), mended.table_sha256) == ((1, 3, 0), whole.table_sha256)


def test_a_cohort_of_which_nobody_can_be_used_is_refused(cohort: Path, tmp_path: Path) -> None:
    for path in cohort.glob("*_mask.nii.gz"):
        path.unlink()
    with pytest.raises(BadCase, match=r"P1_mask\.nii\.gz.* None of the 4 can be used"):
        extracted(cohort, tmp_path / "out")


def test_other_settings_do_not_write_over_what_is_there(cohort: Path, tmp_path: Path) -> None:
    extracted(cohort, tmp_path / "out")
    (cohort / "few.toml").write_text(FEW.replace("0.5", "0.25"))
    with pytest.raises(NoRoom, match=r"extracted with width = 0\.5, not 0\.25; choose another --out"):
        extracted(cohort, tmp_path / "out")


def test_a_folder_of_other_things_is_left_alone(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(NoRoom, match=r"thesis\.txt"):
        extracted(cohort, tmp_path / "out")
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


def test_one_image_gives_what_the_cohort_gives(cohort: Path) -> None:
    row = extracted(cohort, None).frame.iloc[1]
    one = extract_image(cohort / "P2_pet.nii.gz", cohort / "P2_mask.nii.gz", Order(recipe(str(cohort / "few.toml"))))
    assert one.features == {tag: row[tag] for tag in one.features}
    assert one.diagnostics["int_mask_vox_count_init_roi"] == ball().sum()
    assert one.extracted.table is None


def test_a_constant_region_has_a_reason_for_each_missing_feature(tmp_path: Path) -> None:
    write_image(tmp_path / "i.nii.gz", Image(np.full((12, 12, 8), 2.0, np.float32), AFFINE, "SUV", "PET"))
    write_mask(tmp_path / "m.nii.gz", Mask(ball()[None], AFFINE))
    told = extract_image(tmp_path / "i.nii.gz", tmp_path / "m.nii.gz", Order(recipe("pet-fbs-0.5"))).as_dict()
    assert told["features"]["cm_corr_3D_comb"] is None
    assert told["reasons"]["cm_corr_3D_comb"] == "every voxel has the same value (2)"
    assert {tag for tag, value in told["features"].items() if value is None} == set(told["reasons"])


@pytest.mark.parametrize(
    ("kinds", "kind", "problem"),
    [
        (["pet", "ct", "mask"], None, "images of several kinds (ct, pet); choose one with --kind"),
        (["pet", "mask"], "pett", "did you mean 'pet'?"),
        (["pet"], None, "both a pet and a mask"),
        (["mask"], None, "no image"),
        (["pet", "pet", "mask"], None, "two files of the kind 'pet'"),
    ],
)
def test_a_cohort_that_does_not_say_what_to_extract_is_refused(kinds: list[str], kind: str | None, problem: str) -> None:
    rows = pd.DataFrame(
        [("A", "North", "", k, f"{k}{n}.nii") for n, k in enumerate(kinds)], columns=["patient", "centre", "visit", "kind", "path"]
    )
    with pytest.raises(BadCohort) as refused:
        subjects_of(Cohort(rows, pd.DataFrame({"patient": ["A"]})), kind)
    assert problem in str(refused.value)


def test_each_image_takes_its_own_outline_where_there_are_several() -> None:
    rows = [("A", "N", "t0", kind, f"{kind}.nii") for kind in ("ct", "pet", "mask", "mask_pet")]
    cohort = Cohort(pd.DataFrame(rows, columns=["patient", "centre", "visit", "kind", "path"]), pd.DataFrame({"patient": ["A"]}))
    assert [subjects_of(cohort, kind)[0].mask.name for kind in ("ct", "pet")] == ["mask.nii", "mask_pet.nii"]


def test_every_name_of_the_settings_is_there() -> None:
    ibsi2 = {f"ibsi2-{n}.{part}" for n in range(1, 10) for part in "AB"}
    dialect = {"pyradiomics-bw25", "pyradiomics-bw25-1mm", "pyradiomics-bw0.5"}
    assert set(NAMED) == {"ibsi-digital", *(f"ibsi-{name}" for name in "abcde"), "pet-fbs-0.5"} | ibsi2 | dialect


@pytest.mark.parametrize("name", NAMED)
def test_no_two_named_settings_have_one_record(name: str) -> None:
    assert [other for other in NAMED if recipe(other).as_record() == recipe(name).as_record()] == [name]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"bin": 32}, "unknown key 'bin'; did you mean 'bins'?"),
        ({"dialect": "pyradiomic"}, "did you mean 'pyradiomics'?"),
        ({"dialect": "pyradiomics", "witdh": 5.0}, "unknown key 'witdh'; did you mean 'width'?"),
        ({"grid": {"spacing": [1, 1, 1]}}, "unknown key 'spacing'; did you mean 'spacing_mm'?"),
        ({"width": "wide", "discretisation": "fixed-width", "minimum": 0.0}, "of the wrong kind"),
        ({"filter": [{**LOG, "sigma": 3.0}]}, "unknown key 'sigma'; did you mean 'sigma_mm'?"),
        ({"filter": [{"name": "a", "kind": "lag"}]}, "The filter 'lag' is unknown"),
        ({"filter": [LOG, LOG]}, "'log-4' is empty, used twice"),
        ({"filter": [LOG], "discretisation": "fixed-width", "width": 1.0, "minimum": 0.0}, "write a table [filtered]"),
        ({"filter": [LOG], "filtered": {"range": [0, 1]}}, "unknown key 'range'"),
        ({"filtered": {"bins": 8}}, "no [[filter]]"),
    ],
)
def test_settings_that_make_no_sense_are_refused(document: dict[str, object], problem: str) -> None:
    with pytest.raises(BadSetting) as refused:
        how_from(document)
    assert problem in str(refused.value)


def test_the_columns_of_a_filter_stand_behind_its_name_and_shape_is_there_once(tmp_path: Path) -> None:
    original = 'bins = 8\nfamilies = ["morphology", "statistics", "glcm"]\n'
    (tmp_path / "f.toml").write_text(original + '[[filter]]\nname = "w"\nkind = "wavelet"\nwavelet = "coif1"\nband = "LLH"\n')
    chosen = recipe(str(tmp_path / "f.toml"))
    array = np.random.default_rng(1).normal(size=(12, 12, 8))
    assert isinstance(chosen.how, FilteredExtraction)
    found = extract_filtered(array, ball(), (2, 2, 3), chosen.how)
    assert tuple(found.values) == chosen.columns
    filtered_columns = [name for name in chosen.columns if ":" in name]
    assert len(filtered_columns) == 18 + 25
    assert not any("morph" in name for name in filtered_columns)


def test_a_filter_sees_the_whole_resampled_image_though_only_its_surroundings_are_made() -> None:
    array = np.random.default_rng(2).normal(100, 20, (30, 28, 26))
    region = np.zeros(array.shape, bool)
    region[12:17, 12:17, 12:16] = True
    original = Extraction(families=("statistics",), grid=Grid((1.5, 1.5, 1.5)), range=(60.0, 140.0))
    log = recipe_filter()
    found = extract_filtered(array, region, (2, 2, 2), FilteredExtraction(original, (("log", log),), STATISTICS))
    assert original.grid is not None
    whole = resampled(array, region, (2.0, 2.0, 2.0), original.grid)
    kept = whole.region & (whole.array >= 60) & (whole.array <= 140)
    expected = intensity_statistics(filtered(whole.array, whole.spacing_mm, log)[kept]).values  # noqa: PD011 - features, no frame
    assert {tag: found.values[f"log:{tag}"] for tag in expected} == pytest.approx(expected, rel=1e-9)  # noqa: PD011 - features, no frame


def recipe_filter() -> Setup:
    how = how_from({"filter": [LOG]})
    assert isinstance(how, FilteredExtraction)
    return how.filters[0][1]


def test_a_response_map_agrees_when_every_voxel_is_within_a_hundredth_of_its_range(tmp_path: Path) -> None:
    phantom = np.zeros((16, 16, 16), np.uint8)
    phantom[7, 7, 7] = 255
    (tmp_path / "ibsi2").mkdir()
    write_image(tmp_path / "ibsi2" / "impulse.nii.gz", Image(phantom, np.diag([2.0, 2.0, 2.0, 1.0]), "a.u."))
    maps = tmp_path / "maps"
    for file, name, off in (("1_b_1-ValidCRM.nii", "1.b.1", 0.0), ("2_a-ValidCRM.nii", "2.a", 0.02), ("3.a.1.nii.gz", "3.a.1", 0.005)):
        reference = response_map(phantom, name)
        reference[0, 0, 0] += off * np.ptp(reference)
        write_image(maps / file, Image(reference, np.diag([2.0, 2.0, 2.0, 1.0]), "a.u."))
    found = check_maps(maps, tmp_path)
    assert (found.passed, found.total, [row["tag"] for row in found.failed]) == (2, 3, ["2.a"])
    assert sorted(reference_maps(maps)) == ["1.b.1", "2.a", "3.a.1"]


def test_a_folder_without_reference_maps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no reference map"):
        check_maps(tmp_path, tmp_path)
