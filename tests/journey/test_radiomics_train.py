"""A cohort in, a network folder out: the same one whatever the workers and however often it was interrupted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commandline import onclair_here
from onclair.core.errors import BadCase, BadCohort, BadInput, BadSetting, NoRoom
from onclair.core.progress import Progress
from onclair.io.cohorts import read_cohort
from onclair.io.networks import load_network
from onclair.learn.adapters import card_of_model, scorer_of, training_hashes
from onclair.learn.network_input import image_sha256
from onclair.studies.tasks.radiomics_audit_measure import read_case
from onclair.studies.tasks.radiomics_audit_plan import Reading
from onclair.studies.tasks.radiomics_train import Train, TrainedModel, train
from onclair.virtual.radiomics import VirtualRadiomics, write

SMALL: dict[str, Any] = {"folds": 2, "epochs": 2, "size": 8, "spacing_mm": 8.0}
PET = Reading((), (), (), None, None, "pet", "SUV")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten small virtual patients of two centres."""
    settings = VirtualRadiomics(patients=10, centres=2, seed=5, field_mm=96.0, card_patients=0)
    return write(settings, tmp_path_factory.mktemp("train") / "cohort")


@pytest.fixture(scope="module")
def trained(cohort: Path) -> TrainedModel:
    return train(Train(cohort, cohort.parent / "model", **SMALL))


@pytest.fixture
def copied(cohort: Path, tmp_path: Path) -> Path:
    """The cohort, to be spoilt."""
    return Path(shutil.copytree(cohort, tmp_path / "cohort"))


def test_the_figures_stand_beside_volume_and_the_model_is_what_onnx_answers(trained: TrainedModel) -> None:
    said = trained.as_dict()
    assert [each["name"] for each in said["estimates"]] == ["auc:model", "auc:rival:volume", "auc:model-minus-volume"]
    assert all(each["low"] <= each["value"] <= each["high"] for each in said["estimates"])
    assert (said["patients"], said["left_out"]) == (10, [])
    assert said["onnx_error"] <= 1e-4
    assert {warning["code"] for warning in said["warnings"]} >= {"virtual", "too_few_events"}
    json.dumps(said, allow_nan=False)


def test_the_folder_is_a_network_that_scores_a_patient_by_each_member(trained: TrainedModel, cohort: Path) -> None:
    card = card_of_model(trained.model)
    assert (card.about.outcome, card.about.modality, card.network.members, card.reported.n) == ("event", "PET", 2, 10)
    image, region = read_case(read_cohort(cohort), "VP001", PET)
    assert scorer_of(card).members(image.array, region, image.spacing_mm).shape == (2,)


def test_the_model_knows_its_patients_again_by_their_images_and_holds_no_name(trained: TrainedModel, cohort: Path) -> None:
    patients = read_cohort(cohort).patients
    images = {image_sha256(read_case(read_cohort(cohort), patient, PET)[0].array) for patient in patients}
    assert training_hashes(card_of_model(trained.model)) == images
    text = (trained.model / "model.json").read_text()
    assert not any(word in text for word in (*patients, str(cohort), str(trained.model)))


def test_a_killed_training_goes_on_to_the_same_model_and_leaves_nothing_behind(trained: TrainedModel, cohort: Path, tmp_path: Path) -> None:
    class Killed(BaseException):
        """As a signal would be."""

    def kill(event: Progress) -> None:
        if (event.stage, event.done) == ("train", 1):
            raise Killed

    asked = Train(cohort, tmp_path / "again", **SMALL)
    with pytest.raises(Killed):
        train(replace(asked, progress=kill))
    assert list((tmp_path / "again.partial").rglob("member-1.safetensors"))
    assert not (tmp_path / "again").exists()
    assert train(asked).model_sha256 == trained.model_sha256
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_two_workers_train_the_same_model_as_one(trained: TrainedModel, cohort: Path, tmp_path: Path) -> None:
    said = onclair_here(
        "radiomics", "train", "--data", cohort, "--out", tmp_path / "two", "--folds", 2, "--epochs", 2, "--size", 8, "--spacing-mm", 8,
        "--workers", 2, "--json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["model_sha256"] == trained.model_sha256


def test_another_seed_trains_another_model(trained: TrainedModel, cohort: Path, tmp_path: Path) -> None:
    other = train(Train(cohort, tmp_path / "other", **{**SMALL, "epochs": 1}, seed=2))
    assert other.model_sha256 != trained.model_sha256
    settings = load_network(other.model).document["extra"]["training"]["settings"]
    assert (settings["seed"], settings["epochs"]) == (2, 1)


def test_a_folder_that_is_taken_is_refused_before_anything_is_trained(trained: TrainedModel, cohort: Path) -> None:
    heard: list[Progress] = []
    with pytest.raises(NoRoom, match="not empty"):
        train(Train(cohort, trained.model, **SMALL, progress=heard.append))
    with pytest.raises(NoRoom, match="beside the cohort"):
        train(Train(cohort, cohort.parent, **SMALL, progress=heard.append))
    assert heard == []


def test_a_patient_who_cannot_be_used_stops_it_or_is_left_out_on_request(copied: Path, tmp_path: Path) -> None:
    next((copied / "images").rglob("*VP003*pet*")).write_bytes(b"nonsense")
    asked = Train(copied, tmp_path / "m", **{**SMALL, "epochs": 1})
    with pytest.raises(BadCase, match=r"VP003.*--skip-bad"):
        train(asked)
    found = train(replace(asked, skip_bad=True))
    assert (found.patients, [who["patient"] for who in found.left_out]) == (9, ["VP003"])
    assert "left_out" in {warning["code"] for warning in found.warnings}


def test_one_class_another_modality_and_impossible_settings_are_refused(copied: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="no image of the modality 'CT'"):
        train(Train(copied, tmp_path / "m", modality="CT"))
    with pytest.raises(BadCohort, match="no outcome 'evnt'; did you mean 'event'"):
        train(Train(copied, tmp_path / "m", outcome="evnt"))
    with pytest.raises(BadSetting, match="did you mean 'mask'"):
        train(Train(copied, tmp_path / "m", channels=("inside", "maks")))
    with pytest.raises(BadInput, match="cannot be cut into 11 folds"):
        train(Train(copied, tmp_path / "m", **{**SMALL, "folds": 11}))
    (copied / "outcomes.csv").write_text("patient,event\n" + "".join(f"VP{i:03d},1\n" for i in range(1, 11)))
    with pytest.raises(BadCohort, match="one class only"):
        train(Train(copied, tmp_path / "m", **SMALL))


def test_an_outline_larger_than_the_grid_is_said(copied: Path, tmp_path: Path) -> None:
    found = train(Train(copied, tmp_path / "m", **{**SMALL, "epochs": 1, "spacing_mm": 4.0}))
    assert any(warning["code"] == "outline_cut" and "--size" in warning["text"] for warning in found.warnings)
