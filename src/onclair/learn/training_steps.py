"""What happens within an epoch: who is in which batch, how fast to go, one step of the optimiser, the running average of the weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile, OnclairError
from onclair.learn.weights import arrays_of, load_arrays

if TYPE_CHECKING:
    import torch

    from onclair.learn.training_settings import Training
    from onclair.learn.training_state import Arrays


#: The power by which nnU-Net lets the learning rate fall: its ``PolyLRScheduler``; Chen et al. 2018, arXiv:1606.00915, section 4.1.
POWER = 0.9


def learning_rate_factor(step: int, steps: int, warmup: int, schedule: Literal["constant", "cosine", "polynomial"]) -> float:
    """Return by what the learning rate is multiplied at a step.

    Parameters
    ----------
    step, steps : int
        From 0 to `steps` - 1.
    warmup : int
        The first steps, over which the factor rises in a straight line to 1.
    schedule : {"constant", "cosine", "polynomial"}
        What follows: 1, half a cosine from 1 towards 0, or ``(1 - share done) ** 0.9`` (nnU-Net counts the share in epochs, here in steps).

    References
    ----------
    Loshchilov & Hutter, SGDR, ICLR 2017, arXiv:1608.03983, eq. 5 (one period, lower limit 0). Warm-up: Goyal et al. 2017,
    arXiv:1706.02677, section 2.2. Polynomial: Isensee et al., Nat Methods 2021;18:203-211, doi:10.1038/s41592-020-01008-z, methods.

    Examples
    --------
    >>> [learning_rate_factor(step, 6, 2, "cosine") for step in (0, 1, 2, 4)]
    [0.5, 1.0, 1.0, 0.5]
    >>> learning_rate_factor(5, 6, 2, "constant")
    1.0
    >>> learning_rate_factor(5, 10, 0, "polynomial") == 0.5**0.9
    True
    """
    if step < warmup:
        return (step + 1) / warmup
    if schedule == "constant":
        return 1.0
    share = (step - warmup) / (steps - warmup)
    return (1 - share) ** POWER if schedule == "polynomial" else (1 + math.cos(math.pi * share)) / 2


def batches_of(items: int, batch: int, rng: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    """Return a shuffled order of all items, cut into batches whose sizes differ by at most one.

    No batch is larger than `batch`; none is left with a single item, over which batch normalisation could not work, while
    its neighbours are full.

    Examples
    --------
    >>> [cut.size for cut in batches_of(17, 8, np.random.default_rng(0))]
    [6, 6, 5]
    """
    return [np.asarray(cut, dtype=np.int64) for cut in np.array_split(rng.permutation(items), math.ceil(items / batch))]


def optimiser_of(module: torch.nn.Module, how: Training) -> torch.optim.Optimizer:
    """Return the optimiser of a network's trainable weights; biases and scales (one dimension) do not decay.

    References
    ----------
    AdamW: Loshchilov & Hutter, ICLR 2019, arXiv:1711.05101, algorithm 2. No decay of biases: He et al., CVPR 2019,
    doi:10.1109/CVPR.2019.00065, section 3.1.
    """
    import torch

    trainable = [p for p in module.parameters() if p.requires_grad]
    if not trainable:
        raise BadInput("The network has no weights to train; give one with at least one trainable parameter.")
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": how.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if how.optimiser != "adamw":
        nesterov = how.optimiser == "nesterov"
        return torch.optim.SGD(groups, lr=how.learning_rate, momentum=how.momentum, nesterov=nesterov, foreach=False)
    return torch.optim.AdamW(groups, lr=how.learning_rate, foreach=False)


class Stepper:
    """A network under training: its optimiser, its running average, and the number of steps done.

    Attributes
    ----------
    module : torch.nn.Module
    averaged : torch.nn.Module or None
        The exponential moving average of its weights and buffers, where the settings ask for one.
    done, steps : int
        Steps done, and steps in all.
    """

    def __init__(self, module: torch.nn.Module, how: Training, steps: int) -> None:
        self.module, self.how, self.steps, self.done = module, how, steps, 0
        self.averaged = copy.deepcopy(module) if how.ema is not None else None
        self._optimiser = optimiser_of(module, how)

    @property
    def answering(self) -> torch.nn.Module:
        """The network that is validated and kept: the average where there is one."""
        return self.averaged if self.averaged is not None else self.module

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        how = self.how
        return how.learning_rate * learning_rate_factor(step, self.steps, how.warmup, how.schedule)

    def zero(self) -> None:
        """Forget the gradients."""
        self._optimiser.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Clip the gradients that stand, take one step and bring the average up to date.

        Raises
        ------
        OnclairError
            When a gradient is not finite.
        """
        import torch

        weights = [p for p in self.module.parameters() if p.grad is not None]
        clip = math.inf if self.how.gradient_clip is None else self.how.gradient_clip
        norm = float(torch.nn.utils.clip_grad_norm_(weights, clip, foreach=False))
        if not math.isfinite(norm):
            raise diverged("a gradient", norm, self.done, self.rate(self.done))
        for group in self._optimiser.param_groups:
            group["lr"] = self.rate(self.done)
        self._optimiser.step()
        self.done += 1
        self._average()

    def arrays(self) -> dict[str, Arrays]:
        """Return all that goes on changing: weights, their average, and what the optimiser remembers of each."""
        groups: dict[str, Arrays] = {"weights": arrays_of(self.module)}
        if self.averaged is not None:
            groups["averaged"] = arrays_of(self.averaged)
        for name, weight in self.module.named_parameters():
            for key, value in self._optimiser.state.get(weight, {}).items():
                if value is not None:  # momentum before the first step
                    groups.setdefault(f"optimiser.{key}", {})[name] = value.detach().cpu().numpy().copy()
        return groups

    def restore(self, groups: Mapping[str, Arrays], done: int) -> None:
        """Stand where :meth:`arrays` was taken.

        Raises
        ------
        BadModelFile
            When the optimiser's numbers are of weights that the network lacks.
        """
        import torch

        load_arrays(self.module, groups["weights"])
        if self.averaged is not None:
            load_arrays(self.averaged, groups["averaged"])
        weights = dict(self.module.named_parameters())
        for group, arrays in groups.items():
            if group.startswith("optimiser."):
                for name, array in arrays.items():
                    if name not in weights:
                        raise BadModelFile(f"The checkpoint holds a memory of '{name}', which the network lacks; remove it.", item=name)
                    self._optimiser.state[weights[name]][group.removeprefix("optimiser.")] = torch.from_numpy(array.copy())
        self.done = done

    def _average(self) -> None:
        """Move the average towards the weights: slower with every step, at most as slowly as asked (running statistics alike)."""
        import torch

        if self.averaged is None or self.how.ema is None:
            return
        keep = min(self.how.ema, (1 + self.done) / (10 + self.done))
        own = self.module.state_dict()
        with torch.no_grad():
            for name, mean in self.averaged.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(own[name], 1 - keep)
                else:
                    mean.copy_(own[name])


def diverged(what: str, value: float, step: int, learning_rate: float) -> OnclairError:
    """Return the error of a training whose numbers run away.

    Examples
    --------
    >>> str(diverged("the loss", math.nan, 7, 0.5)).split(";")[0]
    'The training diverged: the loss is nan at step 8, with a learning rate of 0.5'
    """
    said = f"The training diverged: {what} is {value} at step {step + 1}, with a learning rate of {learning_rate:.3g}"
    return OnclairError(f"{said}; lower the rate, clip the gradients or look for missing values.", item="learning_rate")
