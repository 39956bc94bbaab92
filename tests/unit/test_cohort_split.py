"""A cohort cut by centre: each centre's folder is a cohort, and holds nothing of another centre's patients."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from commandline import onclair_here
from onclair.core.cohort import ACQUISITION_COLUMNS, About, Cohort
from onclair.core.errors import BadCase, BadCohort, NoRoom
from onclair.core.outcome import Outcome
from onclair.io.cohorts import check_cohort, read_cohort
from onclair.io.cohorts.folder import write_tables
from onclair.io.layouts.tables_split import split_by_centre


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Three patients of two centres: one shared table, an image each, readers' scores, a note."""
    root = tmp_path / "cohort"
    (root / "images").mkdir(parents=True)
    rows = [("A1", "North"), ("A2", "North"), ("B1", "South")]
    lines = [(p, c, "", "table", "table.csv") for p, c in rows] + [(p, c, "", "pet", f"images/{p}.nii") for p, c in rows]
    for patient, _ in rows:
        (root / "images" / f"{patient}.nii").write_bytes(patient.encode())
    (root / "table.csv").write_text("patient;crp;name\nA1;2,5;NA\nA2;3,5;x\nB1;4,5;y\n")
    (root / "semantic.csv").write_text("patient,score\nA1,1\nB1,2\n")
    (root / "labels.csv").write_text("kind,value,name\nlesions,1,lesion\n")
    (root / "notes.txt").write_text("A1 is Mrs X")
    outcomes = pd.DataFrame({"patient": ["A1", "A2", "B1"], "event": [0, 1, 1]})
    about = About("Two hospitals", outcomes=(Outcome("event", "binary"),), units={"pet": "SUV"})
    write_tables(Cohort(pd.DataFrame(lines, columns=list(ACQUISITION_COLUMNS)), outcomes, about), root)
    return root


def texts(folder: Path) -> str:
    return "".join(path.read_bytes().decode("latin-1") for path in sorted(folder.rglob("*")) if path.is_file())


def test_each_centre_gets_a_cohort_that_checks(cohort: Path, tmp_path: Path) -> None:
    done = split_by_centre(cohort, tmp_path / "sites")
    assert dict(done.sites) == {"North": 2, "South": 1}
    north = check_cohort(tmp_path / "sites" / "North")
    assert (north.cohort.patients, north.problems) == (("A1", "A2"), ())
    south = read_cohort(tmp_path / "sites" / "South")
    assert (south.patients, south.outcomes["event"].tolist(), south.about.units) == (("B1",), [1], {"pet": "SUV"})


def test_nothing_of_another_centre_s_patients_is_in_a_folder(cohort: Path, tmp_path: Path) -> None:
    split_by_centre(cohort, tmp_path / "sites")
    assert "B1" not in texts(tmp_path / "sites" / "North")
    assert not any(code in texts(tmp_path / "sites" / "South") for code in ("A1", "A2"))


def test_cells_of_a_shared_table_keep_their_spelling(cohort: Path, tmp_path: Path) -> None:
    split_by_centre(cohort, tmp_path / "sites")
    assert (tmp_path / "sites" / "North" / "table.csv").read_text() == 'patient,crp,name\nA1,"2,5",NA\nA2,"3,5",x\n'
    assert (tmp_path / "sites" / "North" / "semantic.csv").read_text() == "patient,score\nA1,1\n"


def test_what_belongs_to_nobody_stays_behind_and_is_named_but_label_names_go_to_all(cohort: Path, tmp_path: Path) -> None:
    done = split_by_centre(cohort, tmp_path / "sites")
    assert [note["code"] for note in done.notes] == ["left_behind"]
    assert "notes.txt" in done.notes[0]["text"]
    assert all((tmp_path / "sites" / name / "labels.csv").is_file() for name in ("North", "South"))


def test_a_folder_of_files_goes_with_its_patient(cohort: Path, tmp_path: Path) -> None:
    (cohort / "images" / "A1.nii").unlink()
    (cohort / "images" / "A1.nii").mkdir()
    (cohort / "images" / "A1.nii" / "slice1").write_bytes(b"one")
    split_by_centre(cohort, tmp_path / "sites")
    assert (tmp_path / "sites" / "North" / "images" / "A1.nii" / "slice1").read_bytes() == b"one"


def test_a_shared_file_that_is_no_table_of_patients_is_refused(cohort: Path, tmp_path: Path) -> None:
    acquisitions = (cohort / "acquisitions.csv").read_text()
    (cohort / "acquisitions.csv").write_text(acquisitions.replace("images/B1.nii", "images/A1.nii"))
    with pytest.raises(BadCohort, match=r"images/A1.nii belongs to patients of 2 centres and is no table"):
        split_by_centre(cohort, tmp_path / "sites")
    assert not (tmp_path / "sites").exists()


def test_a_missing_file_is_named_and_nothing_is_written(cohort: Path, tmp_path: Path) -> None:
    (cohort / "images" / "B1.nii").unlink()
    with pytest.raises(BadCase, match=r"The pet of B1 is missing"):
        split_by_centre(cohort, tmp_path / "sites")
    assert not (tmp_path / "sites").exists()


def test_one_centre_and_a_taken_folder_are_refused(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(NoRoom):
        split_by_centre(cohort, cohort / "images")
    text = (cohort / "acquisitions.csv").read_text()
    (cohort / "acquisitions.csv").write_text(text.replace("South", "North"))
    with pytest.raises(BadCohort, match="has one centre"):
        split_by_centre(cohort, tmp_path / "sites")


def test_patients_of_no_centre_are_counted(cohort: Path, tmp_path: Path) -> None:
    with (cohort / "outcomes.csv").open("a") as stream:
        stream.write("Z9,1\n")
    assert [note["code"] for note in split_by_centre(cohort, tmp_path / "sites").notes] == ["left_behind", "no_centre"]


def test_the_command_says_where_the_sites_are(cohort: Path, tmp_path: Path) -> None:
    said = onclair_here("cohort", "split", cohort, "--by", "centre", "--out", tmp_path / "sites", "--json")
    answer = json.loads(said.out)
    assert said.code == 0
    assert [(site["name"], site["patients"]) for site in answer["sites"]] == [("North", 2), ("South", 1)]
    assert all(Path(site["path"], "cohort.toml").is_file() for site in answer["sites"])
    assert onclair_here("cohort", "split", cohort, "--by", "centre", "--out", tmp_path / "sites").code == 2
