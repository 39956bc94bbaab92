"""Which centre an imported patient gets, and that nothing that names the patient comes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from commandline import Said, onclair_here
from dicom_made import AFFINE, change, ct_series, ring_mask
from onclair.core.values import Mask
from onclair.io.cohorts import read_cohort
from onclair.io.dicom.write_outlines import write_rtstruct


def told(institution: str, station: str) -> Any:
    def write(data: Any, _: int) -> None:
        data.InstitutionName, data.StationName = institution, station

    return write


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients of two hospitals, one spelt in two ways, and one of whom nothing is told."""
    home = tmp_path_factory.mktemp("tree")
    for patient, how in (("A1", told("CHU Caen", "CT/1")), ("B2", told("chu  caen", "CT2")), ("C3", told("Hopital Nord", "CT2"))):
        ct_series(home / patient, shape=(3, 3, 3), patient=patient)
        change(home / patient, how)
    ct_series(home / "D4", shape=(3, 3, 3), patient="D4")
    return home


def imported(tree: Path, out: Path, *more: str | Path) -> tuple[Said, dict[str, str]]:
    said = onclair_here("cohort", "import", "dicom", tree, "--out", out, "--workers", "1", "--json", *more)
    if said.code:
        return said, {}
    cohort = read_cohort(out)
    return said, dict(cohort.centre_of(cohort.patients))


@pytest.mark.parametrize(
    ("source", "centres"),
    [
        (None, ["centre-1", "centre-1", "centre-2", "unknown"]),
        ("InstitutionName", ["CHU Caen", "CHU Caen", "Hopital Nord", "unknown"]),
        ("StationName", ["CT 1", "CT2", "CT2", "unknown"]),
    ],
)
def test_a_centre_is_numbered_or_what_the_headers_say(tree: Path, tmp_path: Path, source: str | None, centres: list[str]) -> None:
    said, found = imported(tree, tmp_path / "c", *(("--centre-from", source) if source else ()))
    assert list(found.items()) == list(zip(("A1", "B2", "C3", "D4"), centres, strict=True))
    warning = next(w for w in said.json["warnings"] if w["code"] == "centre_unknown")
    assert warning["text"].startswith(f"1 of 4 patients have no {source or 'InstitutionName'} in their files")


def test_a_table_gives_each_patient_a_centre_and_rows_of_nobody_are_told(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "centres.csv").write_text("patient;centre\nA1;Nord\nB2;Sud\nC3;Sud\nD4;Nord\nE5;Nord\n")
    said, found = imported(tree, tmp_path / "c", "--centre-from", tmp_path / "centres.csv")
    assert list(found.values()) == ["Nord", "Sud", "Sud", "Nord"]
    assert "1 of the 5 rows of the table of centres are nobody's here." in [w["text"] for w in said.json["warnings"]]
    assert "centre_unknown" not in {w["code"] for w in said.json["warnings"]}


@pytest.mark.parametrize(
    ("table", "words", "sentence"),
    [
        ("", ("--centre-from", "StatonName"), "did you mean 'StationName'?"),
        ("", ("--centre-from", "StationName", "--centre", "Caen"), "give one of them"),
        ("patient,site\nA1,Nord\n", (), "lacks the column 'centre'"),
        ("patient,centre\nA1,Nord\nA1,Sud\n", (), "Row 2 of centres.csv gives a patient a second centre"),
        ("patient,centre\nA1,\n", (), "Row 1 of centres.csv lacks its patient or its centre"),
        ("patient,centre\nA1,a:b\n", (), "cannot stand in a name"),
    ],
)
def test_centres_that_cannot_be_are_one_sentence(tree: Path, tmp_path: Path, table: str, words: tuple[str, ...], sentence: str) -> None:
    (tmp_path / "centres.csv").write_text(table)
    said, _ = imported(tree, tmp_path / "c", *(words or ("--centre-from", tmp_path / "centres.csv")))
    assert said.code == 2
    assert sentence in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "c").exists()


def test_structures_kept_under_their_names_are_chosen_by_them_when_features_are_extracted(tmp_path: Path) -> None:
    volume = ct_series(tmp_path / "d" / "ct", patient="A1")
    write_rtstruct(tmp_path / "d" / "rs.dcm", Mask(ring_mask().array, AFFINE, ("GTV 1", "node")), volume)
    imported(tmp_path / "d", tmp_path / "c")
    (tmp_path / "few.toml").write_text('bins = 8\nfamilies = ["statistics"]\n')
    words = ("radiomics", "extract", "--data", tmp_path / "c", "--settings", tmp_path / "few.toml", "--workers", "1", "--json")
    whole = onclair_here(*words, "--out", tmp_path / "a")
    assert (whole.code, "(GTV-1, node); choose one with --structure" in whole.err) == (2, True)
    said = onclair_here(*words, "--out", tmp_path / "b", "--structure", "gtv 1")
    assert said.code == 0, said.err
    table = pd.read_csv(Path(said.json["table"]).with_suffix(".csv"))
    expected = volume.image.array[ring_mask().array[0]].mean()
    assert table["stat_mean"].tolist() == pytest.approx([expected], rel=1e-12)


def test_a_structure_named_like_the_patient_loses_the_name(tmp_path: Path) -> None:
    def identified(data: Any, _: int) -> None:
        data.PatientID, data.PatientName, data.PatientIdentityRemoved = "471188", "DUPONT^SOLENE", "NO"

    volume = ct_series(tmp_path / "d" / "ct", patient="x")
    change(tmp_path / "d" / "ct", identified)
    mask = Mask(ring_mask().array, AFFINE, ("GTV Dupont 471188", "Node SOLENE"))
    write_rtstruct(tmp_path / "d" / "rs.dcm", mask, volume)
    import pydicom

    data = pydicom.dcmread(tmp_path / "d" / "rs.dcm")
    identified(data, 0)
    data.save_as(tmp_path / "d" / "rs.dcm")
    said, _ = imported(tmp_path / "d", tmp_path / "c")
    assert said.json["acquisitions"] == {"ct": 1, "mask-GTV": 1, "mask-Node": 1}
    table = (tmp_path / "c" / "acquisitions.csv").read_text().casefold()
    assert not [word for word in ("dupont", "solene", "471188") if word in table]
