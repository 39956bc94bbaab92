"""Cohort folders: strict about the whole, one sentence for each patient that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from onclair.core.cohort import About, Cohort
from onclair.core.errors import BadCase, BadCohort, BadInput, BadTable, NoRoom
from onclair.core.outcome import Outcome
from onclair.io.cohorts import check_cohort, cohort_from_files, file_of, read_cohort, read_semantic, write_cohort

TOML = """
format = "onclair-cohort/1"
title = "Four patients"
data = "real"
licence = "CC0"

[outcomes.relapse]
kind = "binary"

[units]
pet = "SUV"
"""
KINDS = ("pet", "mask")


def acquisitions(*patients: str, centre: str = "North") -> str:
    rows = [f"{p},{centre},,{kind},files/{p}_{kind}.nii.gz" for p in patients for kind in KINDS]
    return "\n".join(["patient,centre,visit,kind,path", *rows, ""])


def folder(tmp_path: Path, **texts: str) -> Path:
    """Write a good cohort of four patients, but for the texts given."""
    root = tmp_path / "cohort"
    (root / "files").mkdir(parents=True)
    for patient in "ABCD":
        for kind in KINDS:
            (root / "files" / f"{patient}_{kind}.nii.gz").write_bytes(patient.encode())
    names = {"toml": "cohort.toml", "acq": "acquisitions.csv", "out": "outcomes.csv"}
    for key, default in (("toml", TOML), ("acq", acquisitions(*"ABCD")), ("out", "patient,relapse\nA,0\nB,1\nC,0\nD,1\n")):
        (root / names[key]).write_text(texts.get(key, default), encoding="utf-8")
    return root


def problems(root: Path, kinds: tuple[str, ...] = KINDS) -> dict[str, str]:
    return {p.patient: p.sentence for p in check_cohort(root, kinds).problems}


def test_a_good_cohort_has_no_problem_and_its_facts_are_counted(tmp_path: Path):
    check = check_cohort(folder(tmp_path), KINDS)
    assert check.problems == ()
    assert check.good == ("A", "B", "C", "D")
    assert check.facts == {
        "patients": 4,
        "centres": {"North": 4},
        "acquisitions": {"mask": 4, "pet": 4},
        "outcomes": {"relapse": {"n": 4, "events": 2}},
    }
    assert check.cohort.about.units == {"pet": "SUV"}
    assert file_of(check.cohort, "A", "pet").is_file()


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        (TOML.replace("licence", "license"), "unknown key 'license'; did you mean 'licence'"),
        (TOML.replace('kind = "binary"', 'kind = "binari"'), "did you mean 'binary'"),
        (TOML.replace('kind = "binary"', 'kinds = "binary"'), "unknown key 'kinds'; did you mean 'kind'"),
        (TOML.replace("SUV", "SUVbw"), "unit of the kind 'pet' in cohort.toml is 'SUVbw'"),
        (TOML.replace("cohort/1", "cohort/9"), 'this version reads "onclair-cohort/1"'),
        (TOML.replace('"real"', '"fake"'), "data = 'fake'"),
        (TOML.replace('title = "', "title = "), "cohort.toml cannot be read"),
        (TOML.replace("outcomes.relapse", "outcomes.relaps"), "no column 'relaps' for the outcome 'relaps'; did you mean 'relapse'"),
    ],
)
def test_a_description_that_cannot_be_right_is_refused(tmp_path: Path, toml: str, sentence: str):
    with pytest.raises(BadCohort, match=sentence):
        read_cohort(folder(tmp_path, toml=toml))


@pytest.mark.parametrize("name", ["cohort.toml", "acquisitions.csv", "outcomes.csv"])
def test_a_missing_table_of_the_cohort_is_named(tmp_path: Path, name: str):
    root = folder(tmp_path)
    (root / name).unlink()
    with pytest.raises(BadCohort, match=f"holds no {name}"):
        read_cohort(root)


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(BadCohort, match="there is no such folder"):
        read_cohort(tmp_path / "none")


def test_a_patient_in_two_centres_is_refused(tmp_path: Path):
    text = acquisitions(*"ABCD").replace("B,North,,mask", "B,South,,mask")
    with pytest.raises(BadCohort, match=r"Patient B appears in two centres \(North, South\)"):
        read_cohort(folder(tmp_path, acq=text))


def test_a_patient_with_two_rows_of_outcomes_is_refused(tmp_path: Path):
    with pytest.raises(BadCohort, match="Patient A has more than one row"):
        check_cohort(folder(tmp_path, out="patient,relapse\nA,0\nB,1\nA,1\n"))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("Marie Dupont", "looks like a name"),
        ("m.dupont@chu.fr", "looks like an e-mail address"),
        ("DU_19610312", "date of birth"),
        ("12-03-1961", "date of birth"),
        ("../A", "cannot stand in file names"),
        ("..", "cannot stand in file names"),
    ],
)
def test_a_code_that_may_name_a_person_or_a_place_on_disk_is_refused(tmp_path: Path, code: str, sentence: str):
    text = acquisitions(*"ABCD").replace("A,North", f"{code},North")
    with pytest.raises(BadCohort, match=sentence):
        read_cohort(folder(tmp_path, acq=text))


def test_codes_keep_their_leading_zeros(tmp_path: Path):
    text = acquisitions(*"ABCD").replace("A,North", "007,North")
    cohort = read_cohort(folder(tmp_path, acq=text, out="patient,relapse\n007,0\nB,1\nC,0\nD,1\n"))
    assert cohort.patients[0] == "007"
    assert cohort.truth(cohort.outcome(), ["007", "B"]).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("path", ["../A.nii.gz", "files/../../A.nii.gz", "/no/such/A.nii.gz"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, path: str):
    text = acquisitions(*"ABCD").replace("files/A_pet.nii.gz", path)
    with pytest.raises(BadCohort, match=r"of patient A in acquisitions\.csv"):
        read_cohort(folder(tmp_path, acq=text))


def test_outcome_without_image_and_image_without_outcome_are_problems(tmp_path: Path):
    found = problems(folder(tmp_path, acq=acquisitions(*"ABC"), out="patient,relapse\nA,0\nB,1\nD,1\n"))
    assert found["C"].startswith("Patient C has acquisitions but no row in outcomes.csv")
    assert found["D"].startswith("Patient D has an outcome but no row in acquisitions.csv")
    assert set(found) == {"C", "D"}


def test_a_missing_file_is_a_problem_of_its_patient(tmp_path: Path):
    root = folder(tmp_path)
    (root / "files" / "B_mask.nii.gz").unlink()
    check = check_cohort(root, KINDS)
    assert check.bad == ("B",)
    assert check.good == ("A", "C", "D")
    error = check.problems[0].error()
    assert isinstance(error, BadCase)
    assert str(error).startswith("The mask of B is missing: there is no file files/B_mask.nii.gz")


def test_two_files_of_one_kind_and_none_are_problems(tmp_path: Path):
    text = acquisitions(*"ABCD").replace("A,North,,mask", "A,North,,pet")
    sentences = [p.sentence for p in check_cohort(folder(tmp_path, acq=text), KINDS).problems]
    assert sentences == [
        "Patient A has 2 files of the kind 'pet'; keep the one to use.",
        "Patient A has no mask in acquisitions.csv; add it or leave the patient out.",
    ]


def test_a_missing_outcome_and_one_that_is_neither_0_nor_1_are_problems(tmp_path: Path):
    found = problems(folder(tmp_path, out="patient,relapse\nA,0\nB,1\nC,\nD,yes\n"))
    assert "of C is missing" in found["C"]
    assert "of D is 'yes'; it must be 0 or 1" in found["D"]


def test_decimal_commas_in_outcomes_are_read_and_said(tmp_path: Path):
    check = check_cohort(folder(tmp_path, out="patient;relapse;age\nA;0,0;61,5\nB;1,0;58,2\nC;0;60\nD;1;70\n"), KINDS)
    assert check.problems == ()
    assert {note["code"] for note in check.notes} - {"code_without_digit"} == {"delimiter", "decimal_comma"}


@pytest.mark.parametrize("value", [0, 1])
def test_one_class_is_refused_with_its_count(tmp_path: Path, value: int):
    rows = "".join(f"{p},{value}\n" for p in "ABCD")
    with pytest.raises(BadCohort, match=f"one class only: all 4 patients have the value {value}"):
        check_cohort(folder(tmp_path, out="patient,relapse\n" + rows), KINDS)


def test_a_survival_outcome_needs_a_time_above_zero(tmp_path: Path):
    toml = TOML.replace('kind = "binary"', 'kind = "survival"\ntime = "days"\nunit = "day"')
    found = problems(folder(tmp_path, toml=toml, out="patient,relapse,days\nA,0,10\nB,1,20\nC,0,0\nD,1,\n"))
    assert "follow-up 'days' of C is '0'" in found["C"]
    assert "follow-up 'days' of D is missing" in found["D"]


def test_an_outcome_may_stand_in_a_column_of_another_name(tmp_path: Path):
    toml = TOML.replace('kind = "binary"', 'kind = "binary"\ncolumn = "Rezidiv"')
    cohort = read_cohort(folder(tmp_path, toml=toml, out="patient,Rezidiv\nA,0\nB,1\nC,0\nD,1\n"))
    assert cohort.truth(cohort.outcome("relapse"), ["B"]).tolist() == [1.0]


def test_an_empty_table_is_refused(tmp_path: Path):
    with pytest.raises(BadTable, match=r"outcomes.csv holds a header and no row"):
        read_cohort(folder(tmp_path, out="patient,relapse\n"))


def test_a_cohort_survives_being_written_and_read(tmp_path: Path):
    root = folder(tmp_path)
    (root / "semantic.csv").write_text("patient,grade\nA,2\n")
    written = write_cohort(read_cohort(root), tmp_path / "copy")
    first, second = read_cohort(root), read_cohort(written)
    pd.testing.assert_frame_equal(first.acquisitions, second.acquisitions)
    pd.testing.assert_frame_equal(first.outcomes, second.outcomes)
    assert first.about == second.about
    assert (written / "files" / "A_pet.nii.gz").read_bytes() == b"A"
    semantic = read_semantic(written)
    assert semantic is not None
    assert semantic["grade"].tolist() == [2]


def test_a_cohort_is_never_written_over_another(tmp_path: Path):
    root = folder(tmp_path)
    with pytest.raises(NoRoom, match="nothing was replaced"):
        write_cohort(read_cohort(root), root)


def test_tables_without_files_are_written_beside_the_files(tmp_path: Path):
    rows = pd.DataFrame([["A", "North", "", "pet", "a.nii"]], columns=["patient", "centre", "visit", "kind", "path"])
    about = About("One", "virtual", outcomes=(Outcome("t", "survival", "month", 24.0, "months"),))
    (tmp_path / "a.nii").touch()
    write_cohort(Cohort(rows, pd.DataFrame({"patient": ["A"], "t": [1], "months": [0.1]}), about), tmp_path)
    assert read_cohort(tmp_path).about == about


def test_new_cases_are_found_by_their_names(tmp_path: Path):
    for name in ("P1_pet.nii.gz", "P1_mask.nii.gz", "P2_x_pet.nii", "P2_x_mask.nii", "README.md"):
        (tmp_path / name).touch()
    cohort = cohort_from_files([tmp_path], KINDS)
    assert cohort.patients == ("P1", "P2_x")
    assert file_of(cohort, "P2_x", "mask") == tmp_path.resolve() / "P2_x_mask.nii"
    assert cohort.about.outcomes == ()


def test_a_cohort_folder_without_outcomes_holds_new_cases(tmp_path: Path):
    root = folder(tmp_path)
    (root / "outcomes.csv").unlink()
    assert cohort_from_files([root], KINDS).patients == ("A", "B", "C", "D")


def test_a_case_without_its_partner_is_named(tmp_path: Path):
    (tmp_path / "P1_pet.nii.gz").touch()
    with pytest.raises(BadCase, match="Case P1 has no mask"):
        cohort_from_files([tmp_path / "P1_pet.nii.gz"], KINDS)


def test_a_name_without_a_kind_and_a_missing_path_are_refused(tmp_path: Path):
    (tmp_path / "scan.nii.gz").touch()
    with pytest.raises(BadInput, match=r"The name scan.nii.gz does not say what the file is"):
        cohort_from_files([tmp_path / "scan.nii.gz"], KINDS)
    with pytest.raises(BadInput, match="There is no file"):
        cohort_from_files([tmp_path / "none.nii.gz"], KINDS)
    with pytest.raises(BadInput, match=r"No file is named like CASE_pet"):
        cohort_from_files([tmp_path], KINDS)


def test_two_files_for_one_case_and_kind_are_refused(tmp_path: Path):
    for name in ("P1_pet.nii.gz", "P1_pet.nii", "P1_mask.nii"):
        (tmp_path / name).touch()
    with pytest.raises(BadInput, match="Case P1 has two files of the kind 'pet'"):
        cohort_from_files([tmp_path], KINDS)
