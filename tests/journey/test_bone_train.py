"""`onclair bone train`: the plan tells of the data, a killed training ends as an undisturbed one, bad data is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from commandline import onclair, onclair_here
from onclair.core.values import Image
from onclair.io.nifti import read_image, write_image
from onclair.learn.tiles import Segmenter
from segmentation_made import raw_folder

WORDS = ("--preset", "demo", "--folds", "2", "--steps", "16", "--json")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raw_folder(tmp_path_factory.mktemp("bone") / "Dataset001_Bone")


@pytest.fixture(scope="module")
def calm(data: Path) -> tuple[Path, dict[str, object]]:
    said = onclair_here("bone", "train", "--data", data, "--out", data.parent / "calm", *WORDS)
    assert said.code == 0, said.err
    return data.parent / "calm", said.json


def killed_after_a_checkpoint(data: Path, out: Path) -> None:
    """Start a training and kill it once it has written a checkpoint."""
    command = [sys.executable, "-m", "onclair", "bone", "train", "--data", str(data), "--out", str(out), *WORDS]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and not list(out.parent.glob(f"{out.name}.partial/*/fold-0.checkpoint")):
        time.sleep(0.02)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the training was over before it could be killed"


def test_a_training_that_was_killed_ends_with_the_weights_of_an_undisturbed_one(
    data: Path, calm: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    killed_after_a_checkpoint(data, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    said = onclair("bone", "train", "--data", data, "--out", tmp_path / "run", *WORDS)
    assert said.code == 0, said.err
    assert 0 < said.json["resumed_from"] < said.json["steps_done"] == 16
    assert said.json["weights_sha256"] == calm[1]["weights_sha256"]
    assert (tmp_path / "run" / "manifest.json").read_bytes() == (calm[0] / "manifest.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_the_same_command_again_gives_the_same_answer_without_a_step(data: Path, calm: tuple[Path, dict[str, object]]) -> None:
    said = onclair_here("bone", "train", "--data", data, "--out", calm[0], *WORDS).json
    assert (said["resumed_from"], said["steps_done"], said["seconds_per_step"]) == (16, 16, None)
    assert {key: said[key] for key in ("plan", "weights_sha256", "model")} == {
        key: calm[1][key] for key in ("plan", "weights_sha256", "model")
    }


def test_another_training_never_replaces_a_model(data: Path, calm: tuple[Path, dict[str, object]]) -> None:
    said = onclair_here("bone", "train", "--data", data, "--out", calm[0], *WORDS, "--seed", "2")
    assert said.code == 2
    assert "nothing was replaced: choose another --out" in said.err


def test_the_plan_tells_clip_mean_and_spacing_of_the_data_and_holds_patients_out(data: Path, tmp_path: Path) -> None:
    said = onclair_here("bone", "train", "--data", data, "--out", tmp_path / "none", "--plan-only", "--json")
    assert said.code == 0, said.err
    plan, found = said.json["plan"], []
    for path in sorted((data / "imagesTr").iterdir()):
        label = read_image(data / "labelsTr" / path.name.replace("_0000", ""), "a.u.").array
        found.append(read_image(path, "HU").array[label > 0])
    values = np.concatenate(found)
    assert plan["clip"] == pytest.approx(np.percentile(values, (0.5, 99.5)).tolist())
    assert (plan["mean"], plan["std"]) == (pytest.approx(values.mean()), pytest.approx(values.std()))
    assert plan["spacing_mm"] == [2.0, 2.0, 2.5]
    assert sorted(case for fold in plan["folds"] for case in fold["validation"]) == [f"bone_{case:03d}" for case in range(4)]
    assert (said.json["model"], said.json["steps_done"], said.json["weights_sha256"]) == (None, 0, None)
    assert list(tmp_path.iterdir()) == []


def test_the_model_needs_nothing_else_and_answers_on_the_scans_own_grid(data: Path, calm: tuple[Path, dict[str, object]]) -> None:
    image = read_image(data / "imagesTr" / "bone_001_0000.nii.gz", "HU", "CT")
    segmenter = Segmenter(calm[0])
    assert segmenter.bundle.plan.as_record() == {key: value for key, value in calm[1]["plan"].items() if key != "folds"}
    assert segmenter.probabilities(image.array, image.affine).probability.shape == image.array.shape


def test_every_fold_trained_is_one_model_of_as_many_networks(data: Path, tmp_path: Path) -> None:
    said = onclair_here("bone", "train", "--data", data, "--out", tmp_path / "all", *WORDS[:-2], "2", "--fold", "all", "--json")
    assert said.code == 0, said.err
    assert (said.json["steps_done"], said.json["held_out"]["scans"]) == (4, 4)


def refused(data: Path, tmp_path: Path, *words: str) -> str:
    said = onclair_here("bone", "train", "--data", data, "--out", tmp_path / "out", "--plan-only", *words)
    assert said.code == 2
    assert said.out == ""
    sentences = [line for line in said.err.splitlines() if line.startswith("onclair:")]
    assert len(sentences) == 1
    return sentences[0]


def test_a_data_set_without_lesions_is_refused(tmp_path: Path) -> None:
    assert "None of the label maps holds a lesion" in refused(raw_folder(tmp_path / "empty", 2, lesions=0), tmp_path)


def test_an_image_without_label_is_refused_by_name(tmp_path: Path) -> None:
    home = raw_folder(tmp_path / "lacking", 2)
    (home / "labelsTr" / "bone_001.nii.gz").unlink()
    assert "bone_001" in refused(home, tmp_path)


def test_a_label_value_that_nobody_listed_is_refused_by_case(tmp_path: Path) -> None:
    home = raw_folder(tmp_path / "odd", 2)
    label = read_image(home / "labelsTr" / "bone_001.nii.gz", "a.u.")
    write_image(home / "labelsTr" / "bone_001.nii.gz", Image((label.array * 7).astype(np.uint8), label.affine, "a.u."))
    said = refused(home, tmp_path)
    assert "bone_001" in said
    assert "the value 7" in said


def test_a_label_on_another_grid_is_refused(tmp_path: Path) -> None:
    home = raw_folder(tmp_path / "moved", 2)
    label = read_image(home / "labelsTr" / "bone_000.nii.gz", "a.u.")
    write_image(home / "labelsTr" / "bone_000.nii.gz", Image(label.array, np.diag([1.0, 2.0, 2.5, 1.0]), "a.u."))
    assert "lies on another grid" in refused(home, tmp_path)


def test_a_fold_that_there_is_not_is_refused(data: Path, tmp_path: Path) -> None:
    assert "no fold 7 among 5; choose 0 to 4" in refused(data, tmp_path, "--fold", "7")
    assert "The fold is 'some'" in refused(data, tmp_path, "--fold", "some")


def test_several_classes_are_learnt_as_the_data_set_names_them(tmp_path: Path) -> None:
    home = raw_folder(tmp_path / "two", 2)
    document = json.loads((home / "dataset.json").read_text())
    document["labels"] = {"background": 0, "lesion": 1, "cement": 4}
    (home / "dataset.json").write_text(json.dumps(document))
    label = read_image(home / "labelsTr" / "bone_001.nii.gz", "a.u.")
    write_image(home / "labelsTr" / "bone_001.nii.gz", Image((label.array * 4).astype(np.uint8), label.affine, "a.u."))
    said = onclair_here("bone", "train", "--data", home, "--out", tmp_path / "out", *WORDS[:-2], "2", "--json")
    assert said.code == 0, said.err
    assert said.json["plan"]["classes"] == ["background", "lesion", "cement"]
