"""A training stopped inside an epoch goes on there, bit for bit; Nesterov's momentum and the polynomial rate are as published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from onclair.core.errors import BadSetting
from onclair.core.progress import Progress
from onclair.learn.training import Trained, Training, train
from onclair.learn.training_steps import learning_rate_factor
from training_made import THOROUGH, Points, network, squared

NESTEROV = replace(
    THOROUGH,
    optimiser="nesterov",
    momentum=0.9,
    schedule="polynomial",
    epochs=4,
    checkpoint_every=99,
    checkpoint_steps=2,
    learning_rate=0.01,
)


class Stopped(Exception):
    """What ends a training from within, as a kill would."""


def trained(how: Training, checkpoint: Path | None = None, stop_at: int | None = None) -> Trained:
    taken = 0

    def loss(module: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        nonlocal taken
        if taken == stop_at:
            raise Stopped
        taken += 1
        return squared(module, batch)

    return train(network(), Points(), loss, how, checkpoint=checkpoint)


@pytest.mark.parametrize("stop_at", [2, 3, 4, 5, 7, 11])
def test_stopped_at_any_step_it_ends_with_the_same_bits_and_history(tmp_path: Path, stop_at: int) -> None:
    calm = trained(NESTEROV)
    with pytest.raises(Stopped):
        trained(NESTEROV, tmp_path / "c", stop_at)
    again = trained(NESTEROV, tmp_path / "c")
    assert again.resumed_from == stop_at - stop_at % 2
    assert again.history == calm.history
    assert all(again.weights[name].tobytes() == calm.weights[name].tobytes() for name in calm.weights)


def test_when_checkpoints_are_written_changes_no_weight(tmp_path: Path) -> None:
    often = trained(replace(NESTEROV, checkpoint_steps=1, checkpoint_seconds=1e-9), tmp_path / "often")
    assert all(often.weights[name].tobytes() == array.tobytes() for name, array in trained(NESTEROV).weights.items())


def test_seconds_alone_are_reason_enough_for_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        trained(replace(NESTEROV, checkpoint_steps=None, checkpoint_seconds=1e-9), tmp_path / "c", stop_at=2)
    assert trained(replace(NESTEROV, checkpoint_steps=None, checkpoint_seconds=1e-9), tmp_path / "c").resumed_from == 2


def test_nesterov_looks_ahead_as_the_hand_calculation_does() -> None:
    class Ones(Points):
        def take(self, indices: np.ndarray, rng: np.random.Generator) -> dict[str, torch.Tensor]:
            return {"x": torch.ones(1, 1)}

    how = Training(steps=2, batch=1, optimiser="nesterov", learning_rate=0.1, momentum=0.5, weight_decay=0.0, schedule="constant")
    start = {"weight": np.zeros((1, 1), dtype=np.float32)}
    found = train(torch.nn.Linear(1, 1, bias=False), Ones(1), lambda net, batch: (net(batch["x"]) - 2).square().mean(), how, start=start)
    # gradient -4, velocity -4: w = 0.1 (4 + 0.5 * 4) = 0.6
    # gradient 2 (0.6 - 2) = -2.8, velocity 0.5 * -4 - 2.8 = -4.8: w = 0.6 + 0.1 (2.8 + 0.5 * 4.8) = 1.12
    assert float(found.weights["weight"][0, 0]) == pytest.approx(1.12)


def test_the_polynomial_rate_falls_from_one_towards_nothing() -> None:
    rates = [learning_rate_factor(step, 100, 0, "polynomial") for step in range(100)]
    assert rates[0] == 1.0
    assert rates == sorted(rates, reverse=True)
    assert rates[99] == pytest.approx(0.01**0.9)


def test_progress_inside_epochs_is_told_in_steps(tmp_path: Path) -> None:
    heard: list[Progress] = []
    train(network(), Points(), squared, NESTEROV, checkpoint=tmp_path / "c", progress=heard.append)
    assert {(event.total, event.unit) for event in heard} == {(12, "steps")}
    assert [event.done for event in heard] == [2, 4, 6, 8, 10, 12]


def test_nesterov_without_momentum_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"'momentum' is 0\.0; it must be above 0 for Nesterov's"):
        Training(optimiser="nesterov", momentum=0.0)
