"""The one training loop of the house: every study's networks, and every federated client, are trained by :func:`train`.

What a training gives follows from its settings, its items and its first weights alone: the order of items, the augmentation and the
dropout of a batch depend on (seed, epoch, batch), never on workers or on whether the training was killed and resumed in between.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadSetting
from onclair.core.names import did_you_mean
from onclair.core.progress import Progress, silent
from onclair.core.seeds import rng_for
from onclair.learn.determinism import deterministic
from onclair.learn.training_settings import Around, Batches, Trained, Training
from onclair.learn.training_state import State, digest_of, load_state, save_state
from onclair.learn.training_steps import Stepper, batches_of, diverged
from onclair.learn.weights import arrays_of, load_arrays

if TYPE_CHECKING:
    import torch

    from onclair.learn.training_settings import Loss, Validation

__all__ = ["Around", "Batches", "Trained", "Training", "train", "validation_loss"]


def train(module: torch.nn.Module, batches: Batches, loss: Loss, how: Training, **around: Unpack[Around]) -> Trained:
    """Train a network and return its weights; the network that was given stays as it was.

    Parameters
    ----------
    module : torch.nn.Module
        On the CPU, its first weights set (build it inside :func:`~onclair.learn.determinism.deterministic`) unless `start` is given.
    batches : Batches
    loss : callable
        From the network (in training mode) and a batch to the mean loss over its items, a tensor of shape (); class weights are its affair.
    how : Training
    **around
        ``checkpoint``, ``validation``, ``start``, ``adjust``, ``progress``, ``identity``: see :class:`Around`.

    Returns
    -------
    Trained
        Equal, bit for bit, for equal arguments on one kind of CPU, whether or not it was killed and resumed.

    Raises
    ------
    OnclairError
        When the loss or a gradient is no finite number; the checkpoint of the epoch before stays.
    BadInput
        For no items, a network without trainable weights, `start` of another architecture, or a loss that is no number of the network.
    BadSetting
        For an unknown keyword, patience without a validation, more warm-up than steps, or a checkpoint of another training.
    BadModelFile
        For a checkpoint that is damaged, foreign or executable.

    Examples
    --------
    One weight, one item, the loss (w - 2)^2: a step of plain gradient descent goes from 0 to 0 - 0.25 * 2 * (0 - 2) = 1.

    >>> import torch
    >>> class One:
    ...     def __len__(self):
    ...         return 1
    ...     def take(self, indices, rng):
    ...         return {"x": torch.ones(1, 1)}
    >>> how = Training(steps=1, optimiser="sgd", learning_rate=0.25, momentum=0.0, weight_decay=0.0, schedule="constant")
    >>> module = torch.nn.Linear(1, 1, bias=False)
    >>> start = {"weight": np.zeros((1, 1), dtype=np.float32)}
    >>> train(module, One(), lambda net, batch: (net(batch["x"]) - 2).square().mean(), how, start=start).weights["weight"].tolist()
    [[1.0]]
    """
    with deterministic(how.seed, how.threads):
        course = _Course(module, batches, loss, how, **around)
        course.resume()
        while not course.over:
            course.epoch()
        return course.trained()


def validation_loss(batches: Batches, loss: Loss, *, batch: int = 16) -> Validation:
    """Return a validation: the mean loss over all items, taken in their order with generators that never change.

    Parameters
    ----------
    batches : Batches
        Of items that are not trained on; without augmentation as a rule.
    loss : callable
    batch : int

    Examples
    --------
    >>> import torch
    >>> class Two:
    ...     def __len__(self):
    ...         return 2
    ...     def take(self, indices, rng):
    ...         return {"x": torch.tensor([1.0, 5.0])[torch.from_numpy(indices)]}
    >>> validation_loss(Two(), lambda net, batch: batch["x"].mean(), batch=1)(torch.nn.Identity())
    3.0
    """
    if len(batches) == 0:
        raise BadInput("There are no items to validate on; give at least one.")

    def value(module: torch.nn.Module) -> float:
        """Return the mean loss of a network over all items."""
        total = 0.0
        for number, first in enumerate(range(0, len(batches), batch)):
            indices = np.arange(first, min(first + batch, len(batches)), dtype=np.int64)
            total += float(loss(module, batches.take(indices, rng_for(0, "validation", number))).detach()) * indices.size
        return total / len(batches)

    return value


class _Course:
    """One training under way."""

    def __init__(self, module: torch.nn.Module, batches: Batches, loss: Loss, how: Training, **around: Unpack[Around]) -> None:
        if unknown := sorted(set(around) - set(Around.__annotations__)):
            raise BadSetting(f"A training takes no '{unknown[0]}'; {did_you_mean(unknown[0], Around.__annotations__)}", item=unknown[0])
        self.batches, self.loss, self.how = batches, loss, how
        self.validation, self.adjust = around.get("validation"), around.get("adjust")
        self.checkpoint, self.progress = around.get("checkpoint"), around.get("progress", silent)
        self.epochs, steps = _extent(len(batches), how, validated=self.validation is not None)
        working, start = copy.deepcopy(module), around.get("start")
        if start is not None:
            load_arrays(working, start)
        self.stepper = Stepper(working, how, steps)
        self.task = self._task(around.get("identity", ""))
        self.history: list[dict[str, Any]] = []
        self.best_epoch, self.best_value = 0, math.inf
        self.best: dict[str, npt.NDArray[Any]] = {}
        self.within: tuple[int, float, int] = (0, 0.0, 0)  # of the epoch under way: batches done, their summed loss, their items
        self.resumed_from, self.saved = 0, (0, time.monotonic())

    @property
    def stopped(self) -> bool:
        """Whether patience has run out."""
        return self.how.patience is not None and len(self.history) - self.best_epoch >= self.how.patience

    @property
    def over(self) -> bool:
        return self.stopped or len(self.history) >= self.epochs

    def epoch(self) -> None:
        """Train one epoch, validate, remember the best, and write the checkpoint where one is due."""
        number, stepper = len(self.history) + 1, self.stepper
        mean = self._steps(number)
        value = self._validated()
        self.history.append({"epoch": number, "loss": mean, "validation": value, "learning_rate": stepper.rate(stepper.done - 1)})
        if value is not None and value < self.best_value:
            self.best_epoch, self.best_value, self.best = number, value, arrays_of(stepper.answering)
        if self.over or number % self.how.checkpoint_every == 0 or self._due():
            self._save()
        if self.how.checkpoint_steps is None:
            self.progress(Progress("train", number, self.epochs, unit="epochs"))

    def resume(self) -> None:
        """Stand where the checkpoint was written, if there is one."""
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        state = load_state(self.checkpoint, self.task)
        self.history = [dict(entry) for entry in state.counters["history"]]
        self.best_epoch = int(state.counters["best_epoch"])
        if self.best_epoch:
            self.best_value, self.best = self.history[self.best_epoch - 1]["validation"], state.arrays["best"]
        batches, total, seen = state.counters["within"]
        self.within = int(batches), float(total), int(seen)
        self.resumed_from = int(state.counters["steps"])
        self.stepper.restore(state.arrays, self.resumed_from)
        self.saved = self.resumed_from, time.monotonic()
        if self.how.checkpoint_steps is None:
            self.progress(Progress("train", len(self.history), self.epochs, kind="reused", unit="epochs"))
        else:
            self.progress(Progress("train", self.resumed_from, self.stepper.steps, kind="reused", unit="steps"))

    def trained(self) -> Trained:
        """Return the best weights, or the last ones where nothing was validated."""
        done = len(self.history)
        if self.validation is not None:
            weights, best = self.best, self.best_epoch
        else:
            weights, best = arrays_of(self.stepper.answering), done
        odd = next((name for name, array in weights.items() if array.dtype.kind == "f" and not np.isfinite(array).all()), None)
        if odd is not None:  # the last step may overflow after a gradient that did not
            raise diverged(f"a weight of '{odd}'", math.inf, self.stepper.done - 1, self.stepper.rate(self.stepper.done - 1))
        why: Literal["finished", "patience"] = "patience" if self.stopped else "finished"
        return Trained(weights, done, self.stepper.done, tuple(self.history), best, why, self.resumed_from)

    def _steps(self, number: int) -> float:
        """Take the steps of an epoch that are still to be taken, and return the mean loss over all its items."""
        stepper, seed = self.stepper, self.how.seed
        stepper.module.train()
        cuts = batches_of(len(self.batches), self.how.batch, rng_for(seed, "order", number))
        for cut in range(self.within[0], len(cuts)):
            if stepper.done == stepper.steps:
                break
            batch = self.batches.take(cuts[cut], rng_for(seed, "batch", number, cut))
            loss = self._step(batch, (number, cut)) * cuts[cut].size
            self.within = cut + 1, self.within[1] + loss, self.within[2] + cuts[cut].size
            if cut + 1 < len(cuts) and stepper.done < stepper.steps and self._due():
                self._save()
        _, total, seen = self.within
        self.within = (0, 0.0, 0)
        return total / seen

    def _step(self, batch: Mapping[str, torch.Tensor], place: tuple[int, int]) -> float:
        import torch

        stepper = self.stepper
        self._draw_anew(*place)
        stepper.zero()
        loss = self.loss(stepper.module, batch)
        if loss.ndim or not loss.requires_grad:
            said = f"The loss is a tensor of shape {tuple(loss.shape)} {'that' if loss.requires_grad else 'that no weight reaches'}"
            raise BadInput(f"{said}; return the mean over the batch, one number computed by the network.")
        value = float(loss.detach())
        if not math.isfinite(value):
            raise diverged("the loss", value, stepper.done, stepper.rate(stepper.done))
        torch.autograd.backward(loss)
        if self.adjust is not None:
            self.adjust(stepper.module)
        stepper.step()
        return value

    def _validated(self) -> float | None:
        import torch

        if self.validation is None:
            return None
        module = self.stepper.answering
        module.eval()
        with torch.no_grad():
            value = float(self.validation(module))
        if not math.isfinite(value):
            raise diverged("the validation", value, self.stepper.done - 1, self.stepper.rate(self.stepper.done - 1))
        return value

    def _draw_anew(self, epoch: int, cut: int) -> None:
        """Seed torch's own generator (dropout) for one batch, so that nothing depends on what was drawn before."""
        import torch

        torch.default_generator.manual_seed(int(rng_for(self.how.seed, "dropout", epoch, cut).integers(2**63)))

    def _due(self) -> bool:
        """Return whether the settings ask for a checkpoint before the epoch is over."""
        steps, seconds = self.how.checkpoint_steps, self.how.checkpoint_seconds
        done, at = self.saved
        late = seconds is not None and time.monotonic() - at >= seconds
        return self.checkpoint is not None and (late or (steps is not None and self.stepper.done - done >= steps))

    def _save(self) -> None:
        """Write the checkpoint, where there is one to write."""
        if self.checkpoint is not None:
            save_state(self.checkpoint, self._state())
        self.saved = self.stepper.done, time.monotonic()
        if self.how.checkpoint_steps is not None:
            self.progress(Progress("train", self.stepper.done, self.stepper.steps, unit="steps"))

    def _state(self) -> State:
        groups = self.stepper.arrays()
        if self.best:
            groups["best"] = self.best
        counters = {"steps": self.stepper.done, "within": list(self.within), "best_epoch": self.best_epoch, "history": self.history}
        return State(self.task, counters, groups)

    def _task(self, identity: str) -> dict[str, Any]:
        import torch

        first = digest_of(arrays_of(self.stepper.module))
        about = {"items": len(self.batches), "data": identity, "first weights": first, "torch": torch.__version__}
        return {**asdict(self.how), **about, "validated": self.validation is not None}


def _extent(items: int, how: Training, *, validated: bool) -> tuple[int, int]:
    """Return the epochs and steps of a training."""
    if items == 0:
        raise BadInput("There are no items to train on; give at least one.")
    if how.patience is not None and not validated:
        raise BadSetting("The training has a 'patience' but no validation to lose it over; give one, or leave it out.", item="patience")
    an_epoch = math.ceil(items / how.batch)
    steps = how.epochs * an_epoch if how.steps is None else how.steps
    if how.warmup > 0 and how.warmup >= steps:
        raise BadSetting(f"The training's 'warmup' is {how.warmup} of {steps} steps in all; it must be fewer.", item="warmup")
    return math.ceil(steps / an_epoch), steps
