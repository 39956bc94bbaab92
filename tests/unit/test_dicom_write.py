"""What is written names nobody, says virtual where it is, repeats byte for byte, and other readers take it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom_made import AFFINE, SHAPE, ct_series, exam, pet_series, ring_mask
from onclair.core.errors import BadCohort, BadGeometry, BadInput
from onclair.core.values import Image
from onclair.io.dicom.read import read_volume
from onclair.io.dicom.write import Injection, write_volume
from onclair.io.dicom.write_outlines import write_rtstruct, write_seg


def everything(home: Path) -> list[Path]:
    volume = pet_series(home / "pet", injection=Injection(), virtual=True)
    ct_series(home / "ct", virtual=True)
    write_volume(home / "mr", Image(np.ones(SHAPE), AFFINE, "a.u.", "MR"), exam(virtual=True))
    write_rtstruct(home / "rs.dcm", ring_mask(), volume)
    write_seg(home / "seg.dcm", ring_mask(), volume)
    return sorted(home.rglob("*.dcm"))


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    first, second = everything(tmp_path / "a"), everything(tmp_path / "b")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_every_object_says_that_nobody_is_shown_and_names_nobody(tmp_path: Path) -> None:
    for path in everything(tmp_path):
        data = pydicom.dcmread(path)
        assert data.Manufacturer.startswith("VIRTUAL")
        assert data.PatientComments.startswith("VIRTUAL")
        assert (data.PatientID, str(data.PatientName), data.PatientBirthDate) == ("P001", "", "")


def test_uids_come_from_the_seed_under_the_root_that_anybody_may_use(tmp_path: Path) -> None:
    one, other = ct_series(tmp_path / "a", seed=1), ct_series(tmp_path / "b", seed=2)
    assert one.series.uid.startswith("2.25.")
    assert not {one.series.uid, *one.sop_uids} & {other.series.uid, *other.sop_uids}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
def test_an_independent_checker_finds_no_error(tmp_path: Path) -> None:
    checked = {p.parent.name + p.name: p for p in everything(tmp_path) if p.name in ("0001.dcm", "rs.dcm", "seg.dcm")}
    said = {name: subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr for name, path in checked.items()}
    assert {name: text for name, text in said.items() if "Error" in text} == {}
    assert len(said) == 5


def test_pet_comes_back_through_becquerels_within_sixteen_bits(tmp_path: Path) -> None:
    written = pet_series(tmp_path, injection=Injection(dose_bq=251e6, minutes=73))
    read = read_volume(tmp_path)
    np.testing.assert_allclose(read.image.array, written.image.array, atol=9 / 65535)
    assert read.facts["units"] == "BQML"


def test_a_ct_of_broken_numbers_keeps_its_range_in_sixteen_bits(tmp_path: Path) -> None:
    values = np.linspace(-1000.3, 1500.7, int(np.prod(SHAPE))).reshape(SHAPE)
    write_volume(tmp_path, Image(values, AFFINE, "HU", "CT"), exam())
    np.testing.assert_allclose(read_volume(tmp_path).image.array, values, atol=2501 / 65535)


@pytest.mark.parametrize(
    ("image", "kind", "sentence"),
    [
        (Image(np.zeros(SHAPE), AFFINE, "SUV", "US"), BadInput, "modality 'US'"),
        (Image(np.zeros(SHAPE), AFFINE, "a.u.", "CT"), BadInput, "A CT in a.u. cannot be written"),
        (Image(np.full(SHAPE, 40000), AFFINE, "HU", "CT"), BadInput, "do not fit 16 bits"),
        (Image(np.zeros(SHAPE), AFFINE @ [[1, 0, 0, 0], [0, 1, 0.2, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "HU", "CT"), BadGeometry, "sheared"),
    ],
)
def test_an_image_that_slices_cannot_hold_is_refused(tmp_path: Path, image: Image, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        write_volume(tmp_path, image, exam())


def test_a_name_is_no_patient_code(tmp_path: Path) -> None:
    with pytest.raises(BadCohort, match="looks like a name"):
        ct_series(tmp_path, patient="Jane Doe")


def test_becquerels_need_a_weight(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no weight"):
        pet_series(tmp_path, injection=Injection(), weight_kg=None)
