"""An audited model on new cases: its score, and what the audit found of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import audit_made as made
from commandline import onclair_here
from onclair.core.finding import finding_schema
from onclair.io.nifti import write_image, write_mask
from onclair.studies.tasks.radiomics_apply import answer_of, opened_audit
from onclair.studies.tasks.radiomics_audit import Audit, audit

LOGISTIC = 'kind = "logistic"\nintercept = -3.0\ncutoff = 0.5\n'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("apply")
    audit(Audit(made.card(place, LOGISTIC), made.cohort(place / "cohort", 12), seeds=1, out=place / "run"))
    return place / "run"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cases")
    for name, seed in (("A", 101), ("B", 102)):
        image, mask = made.lesion(seed)
        write_image(place / f"{name}_pet.nii.gz", image)
        write_mask(place / f"{name}_mask.nii.gz", mask)
    return place


@pytest.fixture(scope="module")
def answered(run: Path, cases: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    out = tmp_path_factory.mktemp("answers") / "out"
    said = onclair_here("apply", run, "--input", cases, "--out", out, "--fhir", "--json")
    assert said.code == 0, said.err
    return said.json, out


def finding(answered: tuple[dict[str, Any], Path], case: str = "A") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((answered[1] / case / "finding.json").read_bytes())
    return found


def test_each_case_has_a_finding_that_keeps_the_contract(answered: tuple[dict[str, Any], Path]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert [each["patient"] for each in answered[0]["findings"]] == ["A", "B"]
    jsonschema.validate(finding(answered), finding_schema())
    assert (answered[1] / "A" / "lesion.nii.gz").is_file()


def test_the_score_is_the_cards_own_sum_and_volume_is_beside_it(answered: tuple[dict[str, Any], Path]) -> None:
    image, mask = made.lesion(101)
    inside = image.array[mask.region()].astype(float)
    told = {each["name"]: each["value"] for each in finding(answered)["estimates"]}
    assert told["score"] == pytest.approx(-3.0 + 0.4 * inside.max() + 0.2 * inside.mean(), rel=1e-6)
    assert told["suv_max"] == pytest.approx(inside.max(), rel=1e-6)
    assert told["lesion_volume"] == pytest.approx(mask.region().sum() * 64.0, rel=0.2)


def test_too_few_patients_in_the_audit_leave_a_score_and_no_category(answered: tuple[dict[str, Any], Path]) -> None:
    told = finding(answered)
    assert told["answer"]["value"] == "cannot_tell"
    assert told["answer"]["reason"].startswith("The audit had too few patients")
    assert told["detail"]["audit"]["replication"] == "insufficient"
    assert 0.0 <= told["detail"]["above_share"] <= 1.0
    assert 0.0 < told["risk"]["probability"] < 1.0
    assert {"too_few_events", "virtual", "card_missing"} <= {each["code"] for each in told["warnings"]}


def test_a_virtual_audit_makes_every_answer_virtual(answered: tuple[dict[str, Any], Path]) -> None:
    assert finding(answered)["data"] == "virtual"


def test_the_nearest_cases_say_how_they_fared_and_name_nobody(run: Path, tmp_path: Path) -> None:
    said = onclair_here("apply", run, "--input", run.parent / "cohort", "--out", tmp_path / "own", "--json")
    assert len(said.json["findings"]) == 12
    told = json.loads((tmp_path / "own" / "P03" / "finding.json").read_bytes())
    near = told["detail"]["nearest"]
    assert all("patient" not in each and each["event"] in (0, 1) for each in near["cases"])
    assert near["cases"] or near["reason"]
    assert "audited" in {each["code"] for each in told["warnings"]}


def test_fhir_carries_the_reason_and_no_probability(answered: tuple[dict[str, Any], Path]) -> None:
    told = json.loads((answered[1] / "B" / "risk.json").read_bytes())["prediction"][0]
    assert "probabilityDecimal" not in told
    assert "too few patients" in told["rationale"]


def test_a_case_without_an_outline_is_refused_and_skipped_on_request(run: Path, cases: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("A_pet", "A_mask", "B_pet"):
        (tmp_path / "in" / f"{name}.nii.gz").write_bytes((cases / f"{name}.nii.gz").read_bytes())
    said = onclair_here("apply", run, "--input", tmp_path / "in", "--out", tmp_path / "a")
    assert said.code == 2
    assert "B_mask.nii.gz" in said.err
    said = onclair_here("apply", run, "--input", tmp_path / "in", "--out", tmp_path / "b", "--skip-bad", "--json")
    assert [each["patient"] for each in said.json["left_out"]] == ["B"]


def test_a_changed_run_answers_nothing(run: Path, cases: Path, tmp_path: Path) -> None:
    import shutil

    moved = Path(shutil.copytree(run, tmp_path / "moved"))
    (moved / "validate" / "scores.csv").write_text("patient,score\n")
    said = onclair_here("apply", moved, "--input", cases, "--out", tmp_path / "out")
    assert said.code == 1
    assert "does not verify" in said.err


def test_an_audit_that_bears_a_cut_off_out_answers_on_its_side_and_one_that_explains_the_score_does_not(run: Path) -> None:
    model = opened_audit(run)
    verdict = model.claim.facts["verdict"]
    object.__setattr__(model.claim, "facts", {**model.claim.facts, "verdict": {**verdict, "replication": "replicated", "explained_by": []}})
    assert [answer_of(model, score, "", 30)["value"] for score in (0.6, 0.4)] == ["likely", "unlikely"]
    assert answer_of(model, 0.6, "", 1)["reason"].startswith("The outline is a single voxel")
    facts = {**model.claim.facts, "verdict": {**verdict, "replication": "replicated", "explained_by": ["volume"]}}
    object.__setattr__(model.claim, "facts", facts)
    assert answer_of(model, 0.6, "", 30) == {"value": "cannot_tell", "reason": "What the score measured there was lesion volume."}


def test_a_survey_has_no_score_to_apply(run: Path, cases: Path, tmp_path: Path) -> None:
    card = tmp_path / "list.toml"
    text = '[card]\nname = "list"\nmodality = "PET"\n[preprocessing]\ndialect = "ibsi"\n[[feature]]\ntag = "stat_m*"\n'
    card.write_text(text + '[model]\nkind = "survey"\n')
    audit(Audit(card, run.parent / "cohort", seeds=1, out=tmp_path / "run"))
    said = onclair_here("apply", tmp_path / "run", "--input", cases, "--out", tmp_path / "out")
    assert said.code == 2
    assert "no score to apply" in said.err


def test_an_audited_network_is_kept_in_the_run_and_scores_new_cases(run: Path, cases: Path, tmp_path: Path) -> None:
    import shutil

    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    sizes = [helper.make_tensor_value_info("volume", TensorProto.FLOAT, ["n", 1, 12, 12, 12])]
    scores = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 1])]
    node = helper.make_node("ReduceSum", ["volume", "space"], ["scores"], keepdims=0)
    graph = helper.make_graph([node], "voxels", sizes, scores, [numpy_helper.from_array(np.array([2, 3, 4], np.int64), "space")])
    (tmp_path / "net").mkdir()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "net" / "voxels.onnx")
    text = '[card]\nname = "voxels"\nmodality = "PET"\noutcome = "event"\n[preprocessing]\nspacing = [4.0, 4.0, 4.0]\n'
    more = '[model]\nkind = "onnx"\nfile = "voxels.onnx"\n[network]\nsize = 12\nchannels = ["mask"]\nnormalise = "none"\n'
    (tmp_path / "net" / "voxels.toml").write_text(text + more)
    audit(Audit(None, run.parent / "cohort", seeds=1, out=tmp_path / "run", model=tmp_path / "net" / "voxels.toml"))
    shutil.rmtree(tmp_path / "net")
    said = onclair_here("apply", tmp_path / "run", "--input", cases, "--out", tmp_path / "out", "--json")
    assert said.code == 0, said.err
    told = json.loads((tmp_path / "out" / "A" / "finding.json").read_bytes())
    score = next(each["value"] for each in told["estimates"] if each["name"] == "score")
    assert score == pytest.approx(made.lesion(101)[1].region().sum())
    assert (told["risk"], told["answer"]["value"]) == (None, "cannot_tell")
    page = (tmp_path / "run" / "report" / "report.fr.html").read_text()
    assert "bo\u00eete noire" in page
    assert 'lang="en"' not in page
