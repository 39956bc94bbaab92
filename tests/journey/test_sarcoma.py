"""The main job on real patients: 51 sarcomas, from the registry to verified evidence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from commandline import onclair

#: Short: one model, one repeat. Rivals learn nothing, so their figures are those of the full run.
SHORT = ("--models", "logistic", "--repeats", "1", "--shuffles", "1", "--permutations", "20")


@pytest.fixture(scope="module")
def cohort(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sarcoma") / "cohort"
    said = onclair("data", "get", "sts-pet", "--mirror", reference_data / "radiomics", "--out", place, "--json")
    assert said.code == 0, said.err
    return place


def run(cohort: Path, out: Path, *words: str) -> dict[str, Any]:
    said = onclair("run", "radiomics", "--data", cohort, "--out", out, *words, "--json")
    assert said.code == 0, said.err
    return said.json


@pytest.fixture(scope="module")
def done(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("sarcoma-run") / "run"
    return out, run(cohort, out, *SHORT)


def estimates(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {e["name"]: e for e in answer["estimates"]}


def test_fifty_one_patients_and_nineteen_events_with_their_rivals(done: tuple[Path, dict[str, Any]]) -> None:
    _, answer = done
    found = estimates(answer)
    assert (answer["patients"], answer["events"]) == (51, 19)
    assert found["auc:rival:volume"]["value"] == pytest.approx(0.692, abs=0.01)
    assert found["auc:rival:suv_max"]["value"] == pytest.approx(0.811, abs=0.01)
    for name in ("auc:model", "auc:model-minus-volume", "auc:model:shuffled-voxels", "auc:rival:volume"):
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]


def test_nineteen_events_are_called_too_few(done: tuple[Path, dict[str, Any]]) -> None:
    _, answer = done
    assert any(w["code"] == "too_few_events" and w["text"].startswith("19 events") for w in answer["warnings"])


def test_a_run_moved_elsewhere_still_verifies(done: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, _ = done
    moved = shutil.copytree(out, tmp_path / "elsewhere" / "run")
    said = onclair("verify", moved, "--json")
    assert (said.code, said.json["valid"], said.json["records"]) == (0, True, 58)


def test_replay_finds_the_cohort_by_itself_and_asks_for_it_when_it_moved(
    done: tuple[Path, dict[str, Any]], cohort: Path, tmp_path: Path
) -> None:
    out, _ = done
    said = onclair("replay", out, "--json")
    assert said.code == 0, said.err
    assert said.json["equal"]
    assert said.json["records"] == 58
    moved = shutil.copytree(out, tmp_path / "far" / "from" / "home")
    lost = onclair("replay", moved)
    assert lost.code == 2
    assert "--data" in lost.err


@pytest.mark.slow
def test_the_full_run_gives_the_figures_of_the_documentation(cohort: Path, tmp_path: Path) -> None:
    found = estimates(run(cohort, tmp_path / "run"))
    assert found["auc:model"]["value"] == pytest.approx(0.732, abs=0.02)
    assert found["auc:model-minus-volume"]["low"] < 0 < found["auc:model-minus-volume"]["high"]
    assert found["auc:model-minus-shuffled-voxels"]["low"] < 0 < found["auc:model-minus-shuffled-voxels"]["high"]
    assert found["p:model:shuffled-labels"]["value"] < 0.1
