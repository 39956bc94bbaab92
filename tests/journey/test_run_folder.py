"""The run folder: what it may replace, what it must never touch, and what it notices."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from commandline import Said, onclair
from onclair.core.evidence import evidence_from_dict
from onclair.io.nifti import read_mask

WORDS = ("--models", "logistic", "--repeats", "1", "--shuffles", "1", "--permutations", "5", "--workers", "1")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("run-folder") / "cohort"
    assert onclair("virtual", "radiomics", "--n", "16", "--centres", "2", "--seed", "5", "--field-mm", "96", "--out", place).code == 0
    return place


@pytest.fixture(scope="module")
def finished(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished") / "run"
    assert run(cohort, out).code == 0
    return out


def run(cohort: Path, out: Path, *words: str) -> Said:
    return onclair("run", "radiomics", "--data", cohort, "--out", out, *WORDS, *words)


def copied(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target))


def found_in(run: Path) -> dict[str, str]:
    said = onclair("verify", run, "--json")
    assert (said.code == 0) == said.json["valid"]
    return {p["file"]: p["kind"] for p in said.json["problems"]}


def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(cohort: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "docs" / "paper").mkdir(parents=True)
    (home / "docs" / "paper" / "evidence.json").write_text("{}")
    (home / ".notes.partial").write_text("mine")
    said = run(cohort, home)
    assert said.code == 2
    assert "choose a new or empty folder" in said.err
    assert (home / "docs" / "paper" / "evidence.json").read_text() == "{}"
    assert (home / ".notes.partial").read_text() == "mine"


def test_a_folder_called_like_a_stage_that_holds_no_record_is_refused(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "thesis.tex").write_text("mine")
    assert run(cohort, tmp_path).code == 2
    assert (tmp_path / "report" / "thesis.tex").read_text() == "mine"


def test_a_run_folder_around_the_cohort_is_refused(cohort: Path, tmp_path: Path) -> None:
    data = copied(cohort, tmp_path / "cohort")
    for out in (data, tmp_path):
        said = run(data, out)
        assert said.code == 2
        assert "lies in the run folder" in said.err
    assert (data / "cohort.toml").is_file()


def test_running_a_finished_run_again_never_takes_its_seal_off(cohort: Path, finished: Path) -> None:
    before = (finished / "evidence.json").stat()
    assert run(cohort, finished).code == 0
    after = (finished / "evidence.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_patient_moved_to_another_centre_is_described_anew(cohort: Path, finished: Path, tmp_path: Path) -> None:
    data, out = copied(cohort, tmp_path / "cohort"), copied(finished, tmp_path / "run")
    (out / "evidence.json").unlink()
    table = pd.read_csv(data / "acquisitions.csv", dtype=str)
    assert set(table["centre"]) == {"C1", "C2"}
    table.loc[table["patient"] == "VP001", "centre"] = "C2"
    table.to_csv(data / "acquisitions.csv", index=False)
    said = run(data, out, "--json")
    assert (said.json["computed"], said.json["reused"]) == (1, 15)
    assert onclair("replay", out, "--workers", "1").code == 0


def test_the_reason_for_leaving_a_patient_out_is_never_stale(cohort: Path, tmp_path: Path) -> None:
    data, out = copied(cohort, tmp_path / "cohort"), tmp_path / "run"
    pet = data / "images" / "VP003_pet.nii.gz"
    whole = pet.read_bytes()
    pet.write_bytes(b"x")
    first = run(data, out, "--skip-bad", "--json").json["left_out"]
    (out / "evidence.json").unlink()
    pet.write_bytes(whole[:-30])
    second = run(data, out, "--skip-bad", "--json").json["left_out"]
    assert first[0]["patient"] == second[0]["patient"] == "VP003"
    assert first[0]["reason"] != second[0]["reason"]


def test_no_file_name_reaches_the_evidence_of_who_was_left_out(cohort: Path, tmp_path: Path) -> None:
    data, out = copied(cohort, tmp_path / "cohort"), tmp_path / "run"
    table = pd.read_csv(data / "acquisitions.csv", dtype=str)
    broken, missing = "images/DUPONT_MRN991_pet.nii.gz", "images/MARTIN_MRN992_mask.nii.gz"
    (data / broken).write_bytes(b"x")
    table.loc[(table["patient"] == "VP003") & (table["kind"] == "pet"), "path"] = broken
    table.loc[(table["patient"] == "VP004") & (table["kind"] == "mask"), "path"] = missing
    table.to_csv(data / "acquisitions.csv", index=False)
    said = run(data, out, "--skip-bad", "--json")
    assert {left["patient"] for left in said.json["left_out"]} == {"VP003", "VP004"}
    texts = [p.read_bytes().decode("latin-1") for p in out.rglob("*") if p.is_file()]
    assert not [text for text in (*texts, said.out) if "MRN99" in text]


def test_a_setting_edited_in_the_seal_is_found_even_with_a_fresh_hash(finished: Path, tmp_path: Path) -> None:
    out = copied(finished, tmp_path / "run")
    path = out / "evidence.json"
    seal = evidence_from_dict(json.loads(path.read_bytes()))
    path.write_bytes(replace(seal, settings={**seal.settings, "alpha": 0.2}).to_json())
    assert found_in(out) == {"validate/evidence.json": "changed"}


def test_a_figure_edited_in_the_claim_is_found_even_with_a_fresh_seal(finished: Path, tmp_path: Path) -> None:
    out = copied(finished, tmp_path / "run")
    claim = evidence_from_dict(json.loads((out / "validate" / "evidence.json").read_bytes()))
    better = tuple(replace(e, value=0.99, high=1.0) if e.name == "auc:model" else e for e in claim.estimates)
    forged = replace(claim, estimates=better)
    (out / "validate" / "evidence.json").write_bytes(forged.to_json())
    seal = evidence_from_dict(json.loads((out / "evidence.json").read_bytes()))
    facts = {**seal.facts, "claim": forged.id}
    (out / "evidence.json").write_bytes(replace(seal, inputs={**seal.inputs, "validate": forged.id}, facts=facts).to_json())
    assert found_in(out) == {"report/evidence.json": "changed"}


def test_links_pipes_and_empty_folders_are_found(finished: Path, tmp_path: Path) -> None:
    out = copied(finished, tmp_path / "run")
    shutil.move(out / "table" / "evidence.json", tmp_path / "moved.json")
    (out / "table" / "evidence.json").symlink_to(tmp_path / "moved.json")
    (out / "learn" / "null.parquet").unlink()
    os.mkfifo(out / "learn" / "null.parquet")
    (out / "explain" / "empty").mkdir()
    (out / ".hidden").mkdir()
    assert found_in(out) == {
        "table/evidence.json": "changed",
        "learn/null.parquet": "changed",
        "explain/empty": "added",
        ".hidden": "added",
    }


def test_findings_are_never_written_into_a_run_nor_over_each_other(cohort: Path, finished: Path, tmp_path: Path) -> None:
    words = ("apply", finished, "--input", cohort)
    assert onclair(*words, "--out", finished / "answers").code == 2
    assert found_in(finished) == {}
    assert onclair(*words, "--out", tmp_path / "answers").code == 0
    again = onclair(*words, "--out", tmp_path / "answers")
    assert again.code == 2
    assert "holds a finding of VP001 already" in again.err


def test_a_fhir_risk_assessment_lies_beside_each_finding_where_asked(cohort: Path, finished: Path, tmp_path: Path) -> None:
    from fhir.resources.riskassessment import RiskAssessment

    said = onclair("apply", finished, "--input", cohort, "--out", tmp_path / "answers", "--fhir", "--json")
    assert said.code == 0, said.err
    for found in said.json["findings"]:
        told = (Path(found["path"]).parent / "risk.json").read_text()
        RiskAssessment.model_validate_json(told)
        risk, finding = json.loads(told), json.loads(Path(found["path"]).read_text())
        assert (risk["subject"]["identifier"]["value"], risk["status"]) == (finding["subject"], "preliminary")
        assert risk["basis"][0]["identifier"]["value"] == finding["evidence"]
        prediction = risk["prediction"][0]
        if finding["answer"]["value"] == "cannot_tell":
            assert "probabilityDecimal" not in prediction
        else:
            assert prediction["probabilityDecimal"] == pytest.approx(100 * finding["risk"]["probability"], rel=1e-12)


def test_the_outline_that_a_finding_names_lies_beside_it(cohort: Path, finished: Path, tmp_path: Path) -> None:
    assert onclair("apply", finished, "--input", cohort, "--out", tmp_path / "answers").code == 0
    assert not list((tmp_path / "answers").rglob("risk.json"))
    finding = json.loads((tmp_path / "answers" / "VP001" / "finding.json").read_text())
    (mask,) = finding["masks"]
    assert mask["segments"][0]["value"] == finding["estimates"][0]["segment"]
    written = read_mask(tmp_path / "answers" / "VP001" / mask["file"])
    drawn = read_mask(cohort / "images" / "VP001_mask.nii.gz")
    assert (written.array == drawn.array).all()
    assert (written.affine == drawn.affine).all()
