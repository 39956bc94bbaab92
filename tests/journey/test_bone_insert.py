"""`onclair bone insert` and `onclair virtual bone` as a researcher calls them."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from commandline import onclair_here
from onclair.core.geometry import reindexed
from onclair.io.dicom.ct import read_ct
from onclair.io.nifti import read_image


@pytest.fixture(scope="module")
def inserted(reference_data, tmp_path_factory):
    home = tmp_path_factory.mktemp("insert")
    series = reference_data / "bone" / "ct_dicom_series"
    words = ["bone", "insert", "--image", series, "--labels", series / "totalseg_labels.nii.gz", "--n", "3", "--seed", "5", "--json"]
    said = [onclair_here(*words, "--diameter", "6-16", "--out", home / name) for name in ("one", "two")]
    return series, home, said


def test_lesions_go_into_the_real_bones_that_the_labels_name(inserted):
    series, home, said = inserted
    assert said[0].code == 0, said[0].err
    lesions = said[0].json["lesions"]
    assert [each["lesion"] for each in lesions] == [1, 2, 3]
    assert pd.read_csv(home / "one/truth.csv")["data"].eq("virtual").all()
    real, made = read_ct(series).image, read_image(home / "one/ct.nii.gz", "HU")
    found = read_image(home / "one/lesions.nii.gz", "a.u.").array
    changed = made.array != real.array
    assert changed.any()
    assert ndimage.distance_transform_edt(found == 0)[changed].max() <= 3.0
    raw = read_image(series / "totalseg_labels.nii.gz", "a.u.")
    labels = reindexed(raw.array, raw.affine, real.affine, real.array.shape)
    for each in lesions:
        values = labels[found == each["lesion"]]
        common = np.bincount(values[values > 0].astype(int)).argmax()
        assert (values == common).mean() >= 0.8
        assert 6 <= each["diameter_mm"] <= 16


def test_the_same_seed_writes_the_same_bytes(inserted):
    _, home, _ = inserted
    for name in ("ct.nii.gz", "lesions.nii.gz", "truth.csv"):
        one, two = (hashlib.sha256((home / which / name).read_bytes()).hexdigest() for which in ("one", "two"))
        assert one == two


def test_the_scan_says_its_own_kernel_and_noise(inserted):
    told = inserted[2][0].json["scanner"]
    assert told["guessed"] == []
    assert 0.9 < told["fwhm_mm"] < 2.2
    assert 5 < told["noise_hu"] < 25


def test_bones_too_small_are_refused_in_one_sentence_and_nothing_is_written(inserted, tmp_path):
    series = inserted[0]
    words = ["bone", "insert", "--image", series, "--labels", series / "totalseg_labels.nii.gz", "--out", tmp_path / "none"]
    said = onclair_here(*words, "--diameter", "50-60")
    assert said.code == 2
    assert "the roomiest, T12" in said.err
    assert not (tmp_path / "none").exists()


def test_labels_of_another_grid_are_refused(inserted, reference_data, tmp_path):
    words = ["bone", "insert", "--image", inserted[0], "--labels", reference_data / "bone/torso_ct/example_seg.nii.gz"]
    said = onclair_here(*words, "--out", tmp_path / "none")
    assert said.code == 2
    assert "lies on another grid" in said.err


@pytest.mark.parametrize("words", ["a lot", "8 to 12"])
def test_a_diameter_that_is_no_range_is_refused(inserted, tmp_path, words):
    series = inserted[0]
    labels = series / "totalseg_labels.nii.gz"
    said = onclair_here("bone", "insert", "--image", series, "--labels", labels, "--out", tmp_path / "n", "--diameter", words)
    assert said.code == 2
    assert "write a range in mm such as 8-20" in said.err
