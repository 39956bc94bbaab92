"""Checkpoints: a training that was killed ends with the same weights; a checkpoint that is not its own is refused."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from onclair.core.errors import BadModelFile, BadSetting
from onclair.core.progress import Progress
from onclair.learn.training import Trained, Training, train
from onclair.learn.weights import arrays_of
from training_made import THOROUGH, Points, network, squared, thorough


@pytest.fixture(scope="module")
def whole() -> Trained:
    return thorough()


def same(one: Trained, other: Trained) -> bool:
    first, second = ({name: array.tobytes() for name, array in each.weights.items()} for each in (one, other))
    return bool(first) and first == second and one.history == other.history


def test_a_training_killed_inside_an_epoch_and_resumed_ends_with_the_same_weights_bit_for_bit(
    whole: Trained, tmp_path: Path, repository: Path
) -> None:
    checkpoint = tmp_path / "training.safetensors"
    program = repository / "tests" / "training_made.py"
    with subprocess.Popen([sys.executable, str(program), str(checkpoint)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        child.kill()
    points = Points()
    resumed = thorough(checkpoint, points)
    assert child.returncode == -9
    assert len(points.taken) == 9  # epochs 4, 5 and 6
    assert same(resumed, whole)


def test_a_training_that_is_over_is_not_repeated(whole: Trained, tmp_path: Path) -> None:
    points = Points()
    thorough(tmp_path / "c")
    assert same(thorough(tmp_path / "c", points), whole)
    assert points.taken == []


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_best_epoch_before_the_interruption_is_kept(tmp_path: Path, interrupted: bool) -> None:
    seen: list[dict[str, np.ndarray]] = []

    def validation(module: torch.nn.Module) -> float:
        seen.append(arrays_of(module))
        return float(len(seen))

    def interrupt(event: Progress) -> None:
        if interrupted and event.kind == "done" and event.done == 2:
            raise KeyboardInterrupt

    def once(how: Training) -> Trained:
        return train(network(), Points(), squared, how, checkpoint=tmp_path / "c", validation=validation, progress=interrupt)

    how = Training(epochs=5, patience=3)
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            once(how)
    trained = once(how)
    assert (trained.best_epoch, trained.epochs, trained.reason, len(seen)) == (1, 4, "patience", 4)
    assert {name: array.tobytes() for name, array in trained.weights.items()} == {name: array.tobytes() for name, array in seen[0].items()}


def test_a_resumed_training_says_from_where(tmp_path: Path) -> None:
    heard: list[Progress] = []
    for _ in range(2):
        train(network(), Points(), squared, Training(epochs=2, seed=4), checkpoint=tmp_path / "c", progress=heard.append)
    assert [(event.kind, event.done) for event in heard] == [("done", 1), ("done", 2), ("reused", 2)]


def test_only_epochs_that_are_due_are_written_and_the_last(tmp_path: Path) -> None:
    written: list[bool] = []
    path = tmp_path / "folder" / "c"

    def listen(event: Progress) -> None:
        written.append(path.exists())
        path.unlink(missing_ok=True)

    train(network(), Points(), squared, Training(epochs=5, checkpoint_every=2), checkpoint=path, progress=listen)
    assert written == [False, True, False, True, True]


def test_a_checkpoint_of_another_training_is_refused_by_what_differs(tmp_path: Path) -> None:
    thorough(tmp_path / "c")

    def asked(how: Training = THOROUGH, seed: int = 1, identity: str = "points", items: int = 20) -> None:
        train(network(seed), Points(items), squared, how, checkpoint=tmp_path / "c", validation=lambda _: 0.0, identity=identity)

    with pytest.raises(BadSetting, match="its 'epochs' is 6 where 7 is asked for"):
        asked(replace(THOROUGH, epochs=7))
    with pytest.raises(BadSetting, match="its 'first weights'"):
        asked(seed=2)
    with pytest.raises(BadSetting, match="its 'data' is points where others is asked for"):
        asked(identity="others")
    with pytest.raises(BadSetting, match="its 'items' is 20 where 21"):
        asked(items=21)


@pytest.mark.parametrize("place", [0, 60, 400, -1])
def test_a_checkpoint_with_one_changed_byte_is_refused(tmp_path: Path, place: int) -> None:
    path = tmp_path / "c"
    thorough(path)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadModelFile):
        thorough(path)


def test_a_pickle_or_a_torn_file_in_place_of_a_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    thorough(path)
    for data in (pickle.dumps({"w": 1}), path.read_bytes()[:200], b"", b"nonsense, and long enough"):
        path.write_bytes(data)
        with pytest.raises(BadModelFile):
            thorough(path)
