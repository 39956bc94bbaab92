"""Point 7 at full size: the own network learns texture and beats volume on other patients; where volume decides, the audit says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commandline import onclair

PATIENTS = 240
#: Seeds of the patients to train on, and of others to audit on; the network's settings were chosen on neither.
TRAINED, AUDITED = 101, 202


def audited(place: Path, truth: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train on one virtual cohort, audit on another, and return what both commands said."""
    for name, seed in (("train", TRAINED), ("audit", AUDITED)):
        made = ("virtual", "radiomics", "--truth", truth, "--n", PATIENTS, "--centres", 3, "--seed", seed, "--card-patients", 0)
        assert onclair(*made, "--out", place / name, "--json").code == 0
    trained = onclair("radiomics", "train", "--data", place / "train", "--out", place / "model", "--json")
    assert trained.code == 0, trained.err
    found = onclair("radiomics", "audit", "--model", place / "model", "--data", place / "audit", "--out", place / "run", "--json")
    assert found.code == 0, found.err
    return trained.json, found.json


def named(said: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in said["estimates"] if each["name"] == name)


@pytest.mark.slow
def test_trained_on_texture_it_beats_volume_on_other_patients(tmp_path: Path) -> None:
    trained, found = audited(tmp_path, "texture")
    assert trained["onnx_error"] <= 1e-4
    assert named(trained, "auc:model-minus-volume")["low"] > 0
    assert named(found, "auc:model-minus-volume")["low"] > 0
    assert named(found, "auc:model")["low"] > 0.65
    assert "volume" not in found["verdict"]["explained_by"]


@pytest.mark.slow
def test_trained_on_volume_the_audit_says_volume(tmp_path: Path) -> None:
    trained, found = audited(tmp_path, "volume")
    assert trained["onnx_error"] <= 1e-4
    assert named(found, "auc:model")["low"] > 0.7
    assert "volume" in found["verdict"]["explained_by"]
    assert named(found, "spearman:model:volume")["value"] >= 0.8


@pytest.mark.slow
def test_an_audit_on_the_patients_of_the_training_is_refused(tmp_path: Path) -> None:
    made = ("virtual", "radiomics", "--n", 12, "--centres", 2, "--seed", TRAINED, "--card-patients", 0, "--out", tmp_path / "train")
    assert onclair(*made, "--json").code == 0
    small = ("--folds", 2, "--epochs", 1, "--size", 8, "--spacing-mm", 12)
    assert onclair("radiomics", "train", "--data", tmp_path / "train", "--out", tmp_path / "model", *small, "--json").code == 0
    refused = onclair("radiomics", "audit", "--model", tmp_path / "model", "--data", tmp_path / "train", "--json")
    assert refused.code == 2
    assert "12" in refused.err
