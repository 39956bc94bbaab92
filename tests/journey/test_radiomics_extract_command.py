"""`onclair radiomics extract`, `filter` and `ibsi` as a user gives them: good files, bad files, a kill in the middle."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from commandline import Said, onclair_here
from dicom_made import SHAPE, ct_series, ring_mask
from extraction_made import AFFINE, ball, write_cohort_of
from onclair.core.values import Image, Mask
from onclair.io.dicom.write_outlines import write_rtstruct
from onclair.io.nifti import read_image, write_image, write_mask
from onclair.run.ibsi import read_references, score
from onclair.science.radiomics.filters.sets import response_map


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    write_cohort_of(tmp_path / "c", 1)
    return tmp_path / "c"


def extract(folder: Path, *more: str | Path, image: str = "P1_pet.nii.gz", mask: str = "P1_mask.nii.gz") -> Said:
    words = ("radiomics", "extract", "--image", folder / image, "--mask", folder / mask, "--settings", folder / "few.toml", *more)
    return onclair_here(*words, "--json")


def test_the_digital_phantom_gives_every_published_value(reference_data: Path) -> None:
    home = reference_data / "radiomics" / "ibsi1"
    files = ("--image", home / "digital_phantom_image.nii.gz", "--mask", home / "digital_phantom_mask.nii.gz")
    said = onclair_here("radiomics", "extract", *files, "--settings", "ibsi-digital", "--json").json
    values = {tag: np.nan if value is None else value for tag, value in said["features"].items()}
    found = score(values, read_references(home / "ibsi_1_dig_phantom.csv"))
    assert (found.passed, found.total) == (482, 482)
    assert said["diagnostics"]["int_mask_vox_count_reseg_roi"] == 74
    assert said["columns"] == len(said["features"]) + 3


def test_doubled_intensities_double_the_mean_and_leave_moran_unchanged(pair: Path) -> None:
    image = read_image(pair / "P1_pet.nii.gz", "SUV")
    write_image(pair / "twice.nii.gz", Image(image.array * 2, image.affine, "SUV"))
    (pair / "few.toml").write_text('bins = 8\nfamilies = ["autocorrelation", "statistics"]\n')
    once, twice = extract(pair).json["features"], extract(pair, image="twice.nii.gz").json["features"]
    assert twice["stat_mean"] == pytest.approx(2 * once["stat_mean"], rel=1e-12)
    assert twice["morph_moran_i"] == pytest.approx(once["morph_moran_i"], rel=1e-9)


@pytest.mark.slow
def test_every_set_of_the_ibsi_passes(reference_data: Path) -> None:
    said = onclair_here("radiomics", "ibsi", "--reference-data", reference_data, "--json")
    totals = {name: found["passed"] for name, found in said.json["sets"].items() if found["passed"] == found["total"]}
    assert said.code == 0
    assert totals == {"digital": 482, "a": 346, "b": 346, "c": 210, "d": 210, "e": 210, "ibsi2": 323}


def test_a_folder_without_the_reference_data_is_one_sentence(tmp_path: Path) -> None:
    said = onclair_here("radiomics", "ibsi", "--reference-data", tmp_path, "--json")
    assert said.code == 2
    assert "holds neither ibsi1/ nor radiomics/ibsi1/" in said.err


def test_a_run_killed_in_the_middle_goes_on_and_ends_with_the_same_table(tmp_path: Path) -> None:
    data = write_cohort_of(tmp_path / "c", 40)
    words = ["radiomics", "extract", "--data", data, "--settings", data / "few.toml", "--json"]
    calm = onclair_here(*words, "--workers", "1", "--out", tmp_path / "calm").json
    command = [sys.executable, "-m", "onclair", *map(str, words), "--workers", "1", "--out", str(tmp_path / "killed")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(list((tmp_path / "killed").glob("describe/P*/evidence.json"))) < 5:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    resumed = onclair_here(*words, "--workers", "1", "--out", tmp_path / "killed").json
    assert resumed["table_sha256"] == calm["table_sha256"]
    assert resumed["reused"] >= 5
    assert resumed["extracted"] + resumed["reused"] == resumed["rows"] == 40
    assert list((tmp_path / "killed").rglob(".*")) == []


def test_a_structure_of_a_dicom_outline_is_taken_by_name(tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "ct")
    write_rtstruct(tmp_path / "rs.dcm", ring_mask(), volume)
    (tmp_path / "few.toml").write_text('bins = 8\nfamilies = ["statistics"]\n')
    values = (np.arange(np.prod(SHAPE)).reshape(SHAPE) - 100)[ring_mask().region("node")]
    said = extract(tmp_path, "--structure", "node", image="ct", mask="rs.dcm")
    assert said.code == 0, said.err
    assert said.json["features"]["stat_mean"] == pytest.approx(values.mean(), rel=1e-12)
    several = extract(tmp_path, image="ct", mask="rs.dcm")
    assert several.code == 2
    assert "holds 2 structures (GTV, node); choose one with --structure" in several.err
    absent = extract(tmp_path, "--structure", "nod", image="ct", mask="rs.dcm")
    assert (absent.code, "did you mean 'node'?" in absent.err) == (2, True)


def test_a_label_of_a_nifti_outline_is_taken_by_number(pair: Path) -> None:
    labels = np.zeros((12, 12, 8), np.uint8)
    labels[2:5], labels[6:9] = 3, 7
    nib.save(nib.Nifti1Image(labels, nib.load(pair / "P1_pet.nii.gz").affine), pair / "labels.nii.gz")
    values = read_image(pair / "P1_pet.nii.gz", "SUV").array[6:9].astype(float)
    assert extract(pair, "--structure", "7", mask="labels.nii.gz").json["features"]["stat_mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert "it holds 3, 7" in extract(pair, "--structure", "5", mask="labels.nii.gz").err
    assert "holds 2 structures (3, 7); choose one with --structure" in extract(pair, mask="labels.nii.gz").err


def _empty(folder: Path) -> None:
    write_mask(folder / "P1_mask.nii.gz", Mask(np.zeros((1, 12, 12, 8), bool), AFFINE))


def _shifted(folder: Path) -> None:
    moved = AFFINE.copy()
    moved[0, 3] = 5.0
    write_mask(folder / "P1_mask.nii.gz", Mask(ball()[None], moved))


def _not_a_number(folder: Path) -> None:
    whole = nib.load(folder / "P1_pet.nii.gz")
    array = np.asanyarray(whole.dataobj).copy()
    array[6, 6, 4] = np.nan
    nib.save(nib.Nifti1Image(array, whole.affine), folder / "P1_pet.nii.gz")


def _cut_short(folder: Path) -> None:
    data = (folder / "P1_pet.nii.gz").read_bytes()
    (folder / "P1_pet.nii.gz").write_bytes(data[: len(data) // 2])


def _no_image(folder: Path) -> None:
    (folder / "P1_pet.nii.gz").write_bytes(gzip.compress(b"not a volume" * 40))


def _nothing_there(folder: Path) -> None:
    (folder / "P1_mask.nii.gz").unlink()


def _unknown_key(folder: Path) -> None:
    (folder / "few.toml").write_text("bin_width = 0.5\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_empty, "The outline is empty"),
        (_shifted, "(shifted by 5.00 mm)"),
        (_not_a_number, "1 voxel that is NaN or infinite, the first at (6, 6, 4)"),
        (_cut_short, "cut short or damaged"),
        (_no_image, "is not a one-file NIfTI"),
        (_nothing_there, "P1_mask.nii.gz cannot be read (no such file or directory)"),
        (_unknown_key, "unknown key 'bin_width'"),
    ],
)
def test_files_that_cannot_be_used_are_one_sentence(pair: Path, spoil: Callable[[Path], None], told: str) -> None:
    spoil(pair)
    said = extract(pair)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Give either a cohort with --data"),
        (("--data", "c", "--image", "i"), "Give either a cohort with --data"),
        (("--image", "i"), "give both --image and --mask"),
        (("--data", "c", "--workers", "2", "--dask", "tcp://127.0.0.1:1"), "give one of them"),
        (("--data", "c", "--settings", "ibsi-f"), "There are no settings named 'ibsi-f'"),
    ],
)
def test_flags_that_contradict_each_other_are_one_sentence(words: tuple[str, ...], told: str) -> None:
    said = onclair_here("radiomics", "extract", *words)
    assert said.code == 2
    assert told in said.err


def test_a_filtered_image_lies_on_the_grid_of_the_image(pair: Path, tmp_path: Path) -> None:
    out = tmp_path / "response.nii.gz"
    said = onclair_here("radiomics", "filter", "--image", pair / "P1_pet.nii.gz", "--set", "3.a.1", "--out", out, "--json")
    image, response = read_image(pair / "P1_pet.nii.gz", "SUV"), read_image(out, "a.u.")
    assert said.code == 0, said.err
    assert response.array.dtype == np.float64
    np.testing.assert_allclose(response.affine, image.affine, atol=1e-6)
    np.testing.assert_array_equal(response.array, response_map(image.array, "3.a.1", image.spacing_mm))


@pytest.mark.parametrize(
    ("name", "out", "told"), [("3.a.4", "r.nii", "The filter set '3.a.4' is unknown"), ("3.a.1", "r.png", "name it .nii or .nii.gz")]
)
def test_a_filter_that_cannot_be_is_one_sentence(pair: Path, name: str, out: str, told: str) -> None:
    said = onclair_here("radiomics", "filter", "--image", pair / "P1_pet.nii.gz", "--set", name, "--out", pair / out, "--json")
    assert said.code == 2
    assert told in said.err
    assert not (pair / out).exists()
