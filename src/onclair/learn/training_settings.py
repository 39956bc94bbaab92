"""The words of a training: its settings, the items it sees, what may be given beside them, and what it gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.progress import Listener

if TYPE_CHECKING:
    import torch

    Batch: TypeAlias = Mapping[str, torch.Tensor]
    Loss: TypeAlias = Callable[[torch.nn.Module, Batch], torch.Tensor]
    Validation: TypeAlias = Callable[[torch.nn.Module], float]
    Adjust: TypeAlias = Callable[[torch.nn.Module], None]


class Batches(Protocol):
    """The items to train on: how many, and any of them as one batch.

    Augmentation lives in :meth:`take`, drawn from the generator that it is given and from nothing else.
    """

    def __len__(self) -> int:
        """Return the number of items."""
        ...

    def take(self, indices: npt.NDArray[np.int64], rng: np.random.Generator) -> Batch:
        """Return the items at `indices`, (b,) int64, as tensors by name, with whatever augmentation `rng` decides."""
        ...


@dataclass(frozen=True, slots=True)
class Training:
    """The settings of a training.

    Attributes
    ----------
    epochs : int
        At most; an epoch sees each item once.
    batch : int
        Items a batch, at most; batches of one epoch differ by at most one item.
    learning_rate, weight_decay : float
        Decay is decoupled in AdamW (Loshchilov & Hutter 2019) and an L2 term in SGD; biases and scales do not decay.
    optimiser : {"adamw", "sgd", "nesterov"}
        The last is SGD with Nesterov's momentum.
    momentum : float
        Of SGD; Nesterov's needs one.
    schedule : {"constant", "cosine", "polynomial"}
    warmup : int
        Steps over which the learning rate rises.
    steps : int or None
        Stop after so many steps whatever `epochs` says: a federated client's local work.
    patience : int or None
        Stop after so many epochs without a better validation.
    gradient_clip : float or None
        The largest norm of all gradients together.
    ema : float or None
        Keep, of the moving average of the weights, this share a step: 0.99 and the like.
    seed, threads : int
    checkpoint_every : int
        Epochs.
    checkpoint_steps : int or None
        Write the checkpoint inside epochs too, so many steps after the last.
    checkpoint_seconds : float or None
        Or so many seconds after it, whichever comes first; no result depends on when that was.

    Examples
    --------
    >>> Training(epochs=0)
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadSetting: The training's 'epochs' is 0; it must be at least 1.
    """

    epochs: int = 40
    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    optimiser: Literal["adamw", "sgd", "nesterov"] = "adamw"
    momentum: float = 0.9
    schedule: Literal["constant", "cosine", "polynomial"] = "cosine"
    warmup: int = 0
    steps: int | None = None
    patience: int | None = None
    gradient_clip: float | None = None
    ema: float | None = None
    seed: int = 1
    threads: int = 1
    checkpoint_every: int = 1
    checkpoint_steps: int | None = None
    checkpoint_seconds: float | None = None

    def __post_init__(self) -> None:
        for name, ok, expected in _limits(self):
            if not ok:
                raise BadSetting(f"The training's '{name}' is {getattr(self, name)!r}; it must be {expected}.", item=name)


def _limits(how: Training) -> list[tuple[str, bool, str]]:
    whole = [
        ("epochs", 1),
        ("batch", 1),
        ("warmup", 0),
        ("steps", 1),
        ("patience", 1),
        ("seed", 0),
        ("threads", 1),
        ("checkpoint_every", 1),
        ("checkpoint_steps", 1),
    ]
    limits = [(name, (value := getattr(how, name)) is None or value >= low, f"at least {low}") for name, low in whole]
    positive = [(name, getattr(how, name)) for name in ("learning_rate", "gradient_clip", "checkpoint_seconds")]
    limits += [(name, value is None or (math.isfinite(value) and value > 0), "a finite number above 0") for name, value in positive]
    return [
        *limits,
        ("weight_decay", math.isfinite(how.weight_decay) and how.weight_decay >= 0, "a finite number of at least 0"),
        ("momentum", 0 <= how.momentum < 1, "at least 0 and less than 1"),
        ("ema", how.ema is None or 0 < how.ema < 1, "between 0 and 1"),
        ("optimiser", how.optimiser in ("adamw", "sgd", "nesterov"), "'adamw', 'sgd' or 'nesterov'"),
        ("momentum", how.optimiser != "nesterov" or how.momentum > 0, "above 0 for Nesterov's"),
        ("schedule", how.schedule in ("constant", "cosine", "polynomial"), "'constant', 'cosine' or 'polynomial'"),
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a training gave.

    Attributes
    ----------
    weights : dict of str to ndarray
        Every weight and buffer by name: those of the best epoch where there was a validation, else the last ones; of the moving average
        where one was asked for. ``load_arrays(module, weights)`` puts them to work.
    epochs, steps : int
        Done.
    history : tuple of mapping
        An epoch each: ``epoch`` (from 1), ``loss`` (mean over items, of the weights while they moved), ``validation`` (None without one),
        ``learning_rate`` (of its last step).
    best_epoch : int
        Whose weights these are, from 1.
    reason : {"finished", "patience"}
        Why it ended.
    resumed_from : int
        The steps that a checkpoint had already done; 0 without one.
    """

    weights: dict[str, npt.NDArray[Any]]
    epochs: int
    steps: int
    history: tuple[Mapping[str, Any], ...]
    best_epoch: int
    reason: Literal["finished", "patience"]
    resumed_from: int = 0


class Around(TypedDict, total=False):
    """What a training may be given besides network, items, loss and settings; all by keyword.

    Attributes
    ----------
    checkpoint : Path or None
        A file, rewritten every `checkpoint_every` epochs, and inside them where the settings ask for it. Where it exists, the training
        goes on from there; it stays when the training is over (a caller that is killed later gets the same result at once), so remove
        it when its result is safe.
    validation : callable or None
        From the network (in evaluation mode, no gradients) to a loss, lower is better: :func:`validation_loss` makes one.
    start : mapping of str to ndarray or None
        First weights, in place of the network's own.
    adjust : callable or None
        Called with the network before every step, to change ``.grad`` of its parameters in place before they are clipped: the proximal
        term of FedProx, the control variates of SCAFFOLD.
    progress : callable
        Listens to one event an epoch; to one a checkpoint, counted in steps, where checkpoints are written inside epochs.
    identity : str
        Of the data (a hash); a checkpoint of other data is then refused.
    """

    checkpoint: Path | None
    validation: Validation | None
    start: Mapping[str, npt.NDArray[Any]] | None
    adjust: Adjust | None
    progress: Listener
    identity: str
