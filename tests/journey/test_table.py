"""A clinical table's journey: public data to a cohort, one folder a hospital, a run, and an answer for a new patient."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commandline import onclair_here

#: Complete rows of each hospital.
HOSPITALS = {"cleveland": 303, "hungarian": 261, "switzerland": 46, "va": 130}


@pytest.fixture(scope="module")
def heart(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("heart") / "cohort"
    said = onclair_here("data", "get", "heart-hospitals", "--mirror", reference_data / "federation", "--out", out, "--json")
    assert said.code == 0, said.err
    assert said.json["licence"] == "CC BY 4.0"
    return out


def test_four_hospitals_become_four_cohorts_that_check(heart: Path, tmp_path: Path) -> None:
    said = onclair_here("cohort", "split", heart, "--by", "centre", "--out", tmp_path / "sites", "--json")
    assert {site["name"]: site["patients"] for site in said.json["sites"]} == {
        "cleveland": 303,
        "hungarian": 261,
        "switzerland": 46,
        "va": 130,
    }
    for site in said.json["sites"]:
        checked = onclair_here("cohort", "check", site["path"], "--study", "table", "--json")
        assert (checked.code, checked.json["patients"]) == (0, site["patients"]), checked.err


def test_a_run_on_one_cohort_of_unlike_hospitals_answers_a_new_patient(tmp_path: Path) -> None:
    cohort, new = tmp_path / "cohort", tmp_path / "new"
    made = onclair_here(
        "virtual", "table", "--patients", "60", "--centres", "3", "--seed", "2", "--heterogeneity", "0.4", "--out", cohort, "--json"
    )
    assert made.json["settings"]["heterogeneity"] == 0.4
    settings = ["--folds", "3", "--inner-folds", "2", "--repeats", "1", "--permutations", "5", "--workers", "1"]
    said = onclair_here("run", "table", "--data", cohort, "--out", tmp_path / "run", *settings, "--json")
    assert said.code == 0, said.err
    names = {estimate["name"] for estimate in said.json["estimates"]}
    assert {"auc:model", "auc:rival:univariable", "auc:model-minus-univariable", "auc:oracle", "auc:model:leave-one-centre-out"} <= names
    new.mkdir()
    lines = (cohort / "table.csv").read_text().splitlines()
    (new / "table.csv").write_text(f"{lines[0]}\n{lines[1].replace('VT00001', 'NEW1')}\n")
    (new / "acquisitions.csv").write_text("patient,centre,visit,kind,path\nNEW1,C1,,table,table.csv\n")
    (new / "cohort.toml").write_text('format = "onclair-cohort/1"\ndata = "virtual"\n')
    applied = onclair_here("apply", tmp_path / "run", "--input", new, "--out", tmp_path / "findings", "--json")
    assert applied.code == 0, applied.err
    finding = json.loads((tmp_path / "findings" / "NEW1" / "finding.json").read_text())
    assert (finding["study"], finding["data"], finding["evidence"]) == ("table", "virtual", said.json["evidence_id"])
    assert finding["answer"]["value"] in {"likely", "unlikely", "cannot_tell"}
    assert len(finding["detail"]["reasons"]) == 4
