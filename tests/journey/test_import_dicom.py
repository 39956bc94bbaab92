"""From a tree of DICOM studies to a cohort folder: pseudonyms, visits, SUV, outlines; nobody named, nothing lost silently."""

from __future__ import annotations

import base64
import gzip
import hmac
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest

from commandline import onclair, onclair_here
from dicom_made import AFFINE, SHAPE, change, ct_series, pet_series, ring_mask
from onclair.core.values import Mask
from onclair.io.cohorts import file_of, read_cohort
from onclair.io.dicom.write import Injection
from onclair.io.dicom.write_outlines import write_rtstruct, write_seg
from onclair.io.nifti import read_image, read_mask

PLANTED = ("DUPONT", "4711-88", "19560312", "SAINT-NOM", "20200101", "20200301", "2.25.")


def identified(data: Any, _: int) -> None:
    """Write into a slice what a hospital writes."""
    data.PatientID, data.PatientName, data.PatientBirthDate = "4711-88", "DUPONT^ANNE", "19560312"
    data.InstitutionName, data.PatientIdentityRemoved = "HOPITAL SAINT-NOM", "NO"
    data.Manufacturer = "SIEMENS"


def lesion(volume: Any, path: Path, *, names: tuple[str, ...] = ("GTV", "node")) -> Mask:
    mask = Mask(ring_mask().array[: len(names)], AFFINE, names)
    write_rtstruct(path, mask, volume)
    return mask


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients: one of a hospital, seen twice with PET and CT, and one that was de-identified before."""
    home = tmp_path_factory.mktemp("pacs")
    for visit, date in (("later", "20200301"), ("earlier", "20200101")):
        tree = home / "DUPONT^ANNE" / visit
        pet = pet_series(tree / "1", injection=Injection(), patient="x", visit=visit, date=date)
        ct_series(tree / "2", patient="x", visit=visit, date=date, kernel="B30f")
        for series in ("1", "2"):
            change(tree / series, identified)
        lesion(pet, tree / "rs.dcm")
    pet = pet_series(home / "b", injection=Injection(), patient="STS_002")
    lesion(pet, home / "b" / "rs.dcm", names=("gtv 1",))
    (home / "readme.txt").write_text("not an image")
    return home


@pytest.fixture(scope="module")
def imported(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("out") / "cohort"
    said = onclair("cohort", "import", "dicom", hospital, "--out", out, "--structure", "GTV*", "--workers", "2", "--json")
    assert said.code == 0, said.err
    return out, said.json


def test_the_answer_counts_what_came_and_lists_what_did_not(imported: tuple[Path, dict[str, Any]]) -> None:
    answer = imported[1]
    assert (answer["patients"], answer["visits"]) == (2, 3)
    assert answer["acquisitions"] == {"ct": 2, "mask": 3, "pet": 3}
    assert answer["left_out"] == [{"patient": "", "item": "readme.txt", "reason": answer["left_out"][0]["reason"]}]
    assert "is not DICOM" in answer["left_out"][0]["reason"]


def test_the_cohort_is_one_that_the_house_reads(imported: tuple[Path, dict[str, Any]]) -> None:
    cohort = read_cohort(imported[0])
    table = cohort.acquisitions
    first, second = cohort.patients
    assert first.startswith("ONC-")
    assert second == "STS_002"
    assert cohort.about.units == {"ct": "HU", "pet": "SUV"}
    assert table[table["patient"] == first].groupby("visit")["day"].first().to_dict() == {"visit-1": 0, "visit-2": 60}
    assert set(table.loc[table["kind"] == "ct", "kernel"]) == {"B30f"}
    assert cohort.centres == ("centre-1", "unknown")
    assert list(cohort.outcomes.columns) == ["patient"]
    checked = onclair_here("cohort", "check", imported[0], "--json")
    assert (checked.code, checked.json["valid"]) == (0, True)


def test_volumes_and_masks_are_those_of_the_dicom(imported: tuple[Path, dict[str, Any]]) -> None:
    cohort = read_cohort(imported[0])
    pet = read_image(file_of(cohort, "STS_002", "pet"), "SUV", "PET")
    expected = np.linspace(0, 9, np.prod(SHAPE)).reshape(SHAPE)
    np.testing.assert_allclose(pet.array, expected, atol=9 / 65535)
    np.testing.assert_allclose(pet.affine, AFFINE, atol=1e-4)
    mask = read_mask(file_of(cohort, "STS_002", "mask")).on(pet)
    np.testing.assert_array_equal(mask.region(), ring_mask().array[0])


def test_nothing_that_names_the_patient_is_in_the_cohort(imported: tuple[Path, dict[str, Any]]) -> None:
    for path in imported[0].rglob("*"):
        if path.is_file():
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert [p for p in PLANTED if p.encode() in content or p in path.name] == []


def test_the_same_folder_gives_the_same_cohort(imported: tuple[Path, dict[str, Any]], hospital: Path, tmp_path: Path) -> None:
    said = onclair_here("cohort", "import", "dicom", hospital, "--out", tmp_path / "c", "--structure", "GTV*", "--workers", "1", "--json")
    assert said.code == 0
    one, other = ({p.relative_to(home): p.read_bytes() for p in home.rglob("*") if p.is_file()} for home in (imported[0], tmp_path / "c"))
    assert one == other


def test_a_secret_makes_pseudonyms_that_hold_and_a_key_says_who_is_who(hospital: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(range(32)))
    letters = base64.b32encode(hmac.digest(bytes(range(32)), b"4711-88", "sha256")).decode()[:12]
    words = ("--secret", tmp_path / "secret", "--key", tmp_path / "key.csv", "--centre", "Caen", "--workers", "1", "--json")
    assert onclair_here("cohort", "import", "dicom", hospital / "DUPONT^ANNE" / "later", "--out", tmp_path / "c", *words).code == 0
    assert read_cohort(tmp_path / "c").patients == (f"ONC-{letters}",)
    assert read_cohort(tmp_path / "c").centres == ("Caen",)
    assert pd.read_csv(tmp_path / "key.csv", dtype=str).to_dict("records")[0]["patient_id"] == "4711-88"
    assert (tmp_path / "key.csv").stat().st_mode & 0o077 == 0


def test_without_a_name_every_structure_is_kept_under_its_own(hospital: Path, tmp_path: Path) -> None:
    said = onclair_here(
        "cohort", "import", "dicom", hospital / "DUPONT^ANNE" / "later", "--out", tmp_path / "c", "--workers", "1", "--json"
    )
    assert said.json["acquisitions"] == {"ct": 1, "mask-GTV": 1, "mask-node": 1, "pet": 1}


def test_the_same_outline_as_rtstruct_and_as_seg_is_one_mask(tmp_path: Path) -> None:
    volume = pet_series(tmp_path / "d" / "pet", virtual=True)
    write_seg(tmp_path / "d" / "seg.dcm", lesion(volume, tmp_path / "d" / "rs.dcm", names=("GTV",)), volume)
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "c", "--workers", "1", "--json")
    assert said.json["acquisitions"] == {"mask": 1, "pet": 1}
    assert "repeats that of rs.dcm voxel for voxel" in said.json["left_out"][0]["reason"]
    assert read_cohort(tmp_path / "c").about.data == "virtual"


def test_of_two_series_none_is_guessed_and_one_can_be_chosen(tmp_path: Path) -> None:
    soft = ct_series(tmp_path / "d" / "soft", kernel="B30f")
    ct_series(tmp_path / "d" / "sharp", kernel="B70f")
    pet_series(tmp_path / "d" / "pet")
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "a", "--workers", "1", "--json")
    assert said.json["acquisitions"] == {"pet": 1}
    assert ["has 2 CT series" in left["reason"] for left in said.json["left_out"]] == [True, True]
    words = ("--series", soft.series.uid, "--workers", "1", "--json")
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "b", *words)
    assert said.json["acquisitions"] == {"ct": 1, "pet": 1}


def test_a_series_that_cannot_be_read_is_left_out_and_the_others_go_on(tmp_path: Path) -> None:
    pet_series(tmp_path / "d" / "a", injection=Injection(), patient="A1")
    pet_series(tmp_path / "d" / "b", injection=Injection(), patient="B2")
    change(tmp_path / "d" / "a", lambda data, _: setattr(data, "PatientWeight", None))
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "c", "--workers", "1", "--json")
    assert (said.code, said.json["patients"]) == (0, 1)
    assert [(left["patient"], "has no weight" in left["reason"]) for left in said.json["left_out"]] == [("A1", True)]


def test_virtual_people_and_others_never_share_a_cohort(tmp_path: Path) -> None:
    ct_series(tmp_path / "d" / "a", patient="A1", virtual=True)
    ct_series(tmp_path / "d" / "b", patient="B2")
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "c", "--workers", "1")
    assert said.code == 2
    assert "mixes virtual people with others" in said.err
    assert not (tmp_path / "c").exists()


def test_the_same_number_in_two_hospitals_is_two_people(tmp_path: Path) -> None:
    for issuer in ("north", "south"):
        ct_series(tmp_path / "d" / issuer, seed=issuer, patient="100")
        change(tmp_path / "d" / issuer, lambda data, _, issuer=issuer: setattr(data, "IssuerOfPatientID", issuer))
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "c", "--workers", "1", "--json")
    assert said.json["patients"] == 2


def test_an_outline_of_another_frame_is_left_out_with_the_reason(tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "d" / "ct")
    lesion(volume, tmp_path / "d" / "rs.dcm")
    data = pydicom.dcmread(tmp_path / "d" / "rs.dcm")
    for roi in data.StructureSetROISequence:
        roi.ReferencedFrameOfReferenceUID = "1.2.3"
    data.save_as(tmp_path / "d" / "rs.dcm")
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "c", "--workers", "1", "--json")
    assert said.json["acquisitions"] == {"ct": 1}
    assert all("frame of reference" in left["reason"] for left in said.json["left_out"])


@pytest.mark.parametrize(
    ("make", "words", "sentence"),
    [
        (lambda d: None, (), "there is no such folder"),
        (lambda d: d.mkdir(), (), "holds no file"),
        (lambda d: d.mkdir() or (d / "a.txt").write_text("x"), (), "Nothing in .* can be imported"),
        (lambda d: ct_series(d), ("--centre", "a:b"), "cannot stand in a name"),
        (lambda d: ct_series(d), ("--secret", "nowhere"), "head -c 32"),
    ],
)
def test_bad_input_is_refused_in_one_sentence_and_nothing_is_written(tmp_path: Path, make: Any, words: Any, sentence: str) -> None:
    make(tmp_path / "d")
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "c", "--workers", "1", *words)
    assert said.code == 2
    assert re.search(sentence, said.err.strip())
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "c").exists()


def test_a_key_inside_the_cohort_is_refused(tmp_path: Path) -> None:
    ct_series(tmp_path / "d")
    words = ("--key", tmp_path / "c" / "key.csv", "--workers", "1")
    said = onclair_here("cohort", "import", "dicom", tmp_path / "d", "--out", tmp_path / "c", *words)
    assert said.code == 2
    assert "lies inside the cohort" in said.err
    assert not (tmp_path / "c").exists()
