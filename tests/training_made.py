"""A small network and its items, for tests of the training loop; run as a program, a training that waits to be killed."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import numpy as np
import torch

from onclair.learn.determinism import deterministic
from onclair.learn.training import Trained, Training, train, validation_loss

#: All that a resumed training must take up again: dropout, running statistics, augmentation, momentum, an average, a best epoch.
THOROUGH = Training(epochs=6, batch=8, learning_rate=0.02, warmup=3, ema=0.9, gradient_clip=1.0, seed=3)


def network(seed: int = 1) -> torch.nn.Module:
    with deterministic(seed):
        return torch.nn.Sequential(
            torch.nn.Linear(3, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(8, 1)
        )


def squared(module: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return (module(batch["x"])[:, 0] - batch["y"]).square().mean()


class Points:
    """Points of a plane with noise drawn anew each time; it remembers what was taken, and may wait forever before one batch."""

    def __init__(self, items: int = 20, *, noise: float = 0.1, wait_at: int | None = None) -> None:
        drawn = np.random.default_rng(5).normal(size=(items, 4))
        self.x, self.noise, self.wait_at = drawn[:, :3], noise, wait_at
        self.y = drawn[:, :3] @ [1.0, -2.0, 0.5] + 0.1 * drawn[:, 3]
        self.taken: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.y)

    def take(self, indices: np.ndarray, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        if len(self.taken) == self.wait_at:
            sys.stdout.write("waiting\n")
            sys.stdout.flush()
            signal.pause()
        self.taken.append(indices.tolist())
        x = self.x[indices] + self.noise * rng.normal(size=(len(indices), 3))
        return {"x": torch.tensor(x, dtype=torch.float32), "y": torch.tensor(self.y[indices], dtype=torch.float32)}


def thorough(checkpoint: Path | None = None, points: Points | None = None) -> Trained:
    held_out = validation_loss(Points(9, noise=0.0), squared)
    return train(network(), points or Points(), squared, THOROUGH, checkpoint=checkpoint, validation=held_out, identity="points")


if __name__ == "__main__":
    thorough(Path(sys.argv[1]), Points(wait_at=10))  # three batches an epoch: in the middle of the fourth epoch
