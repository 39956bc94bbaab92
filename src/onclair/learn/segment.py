"""The house's segmentation network: MONAI's U-Net as the plan asks for it, trained by nnU-Net's recipe in the one training loop.

Instance norm, leaky ReLU, Dice + cross-entropy with deep supervision whose weights halve, SGD with Nesterov momentum 0.99, the learning
rate falling from 0.01 by a power of 0.9, gradients clipped at 12: Isensee et al., Nat Methods 2021;18:203-211,
doi:10.1038/s41592-020-01008-z, methods. Departures: the Dice is over the batch; labels are pooled by their maximum for the coarser
outputs, so that a small lesion stays; the share of patches on lesions is exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from onclair.core.errors import BadInput, BadModelFile
from onclair.core.progress import Listener, silent
from onclair.learn.determinism import deterministic
from onclair.learn.export import to_onnx
from onclair.learn.plan import Plan
from onclair.learn.segment_data import IMAGE, LABEL, Patches
from onclair.learn.training import Trained, Training, train
from onclair.learn.weights import load_arrays

if TYPE_CHECKING:
    from onclair.learn.training_settings import Loss

#: How the output of the ONNX file is called: the probability of each class.
PROBABILITIES = "probabilities"
#: How far the ONNX file's probabilities may be from the network's.
MOST_APART = 1e-4
#: nnU-Net's learning rate, momentum, decay and clip; a checkpoint every 5 steps or 30 s, whichever comes first.
RECIPE = Training(
    optimiser="nesterov",
    learning_rate=0.01,
    momentum=0.99,
    weight_decay=3e-5,
    schedule="polynomial",
    gradient_clip=12.0,
    batch=2,
    checkpoint_every=1_000_000,
    checkpoint_steps=5,
    checkpoint_seconds=30.0,
)

#: What gets as far within an hour on two cores: measured on virtual bones, 400 steps bring the loss from 1.1 to 0.85, and the recipe above
#: to 1.00, where no lesion is found yet. AdamW after Loshchilov & Hutter, ICLR 2019, arXiv:1711.05101; the rest as above.
QUICK = replace(RECIPE, optimiser="adamw", learning_rate=3e-3, weight_decay=1e-3)
#: By preset of the plan.
RECIPES: Mapping[str, Training] = MappingProxyType({"demo": QUICK, "laptop": RECIPE, "full": RECIPE})

Weights = dict[str, npt.NDArray[Any]]


def network(plan: Plan, seed: int = 0) -> torch.nn.Module:
    """Return an untrained network; while it trains it answers logits at every supervised scale, the finest first, else the finest alone.

    Parameters
    ----------
    plan : Plan
    seed : int
        Of its first weights.

    Examples
    --------
    >>> plan = Plan((2.0, 2.0, 2.0), (16, 16, 16), 1, (4, 4, 4), ((1, 1, 1), (2, 2, 2), (2, 2, 2)), ((3, 3, 3),) * 3, (0.0, 1.0), 0.0, 1.0)
    >>> [tuple(each.shape) for each in network(plan)(torch.zeros(1, 1, 16, 16, 16))]
    [(1, 2, 16, 16, 16), (1, 2, 8, 8, 8)]
    """
    with deterministic(seed):
        return _Supervised(plan)


def training_of(plan: Plan, *, steps: int, preset: str = "laptop", seed: int = 1, threads: int = 1) -> Training:
    """Return the recipe of a preset for so many steps.

    Examples
    --------
    >>> plan = Plan((2.0, 2.0, 2.0), (16, 16, 16), 2, (4, 4, 4), ((1, 1, 1),) * 3, ((3, 3, 3),) * 3, (0.0, 1.0), 0.0, 1.0)
    >>> training_of(plan, steps=9).optimiser, training_of(plan, steps=9, preset="demo").optimiser
    ('nesterov', 'adamw')
    """
    return replace(RECIPES[preset], batch=plan.batch, steps=steps, seed=seed, threads=threads)


def fit(patches: Patches, how: Training, *, checkpoint: Path | None = None, identity: str = "", progress: Listener = silent) -> Trained:
    """Train a network on patches and return its weights; killed and called again, it ends with the same ones, bit for bit.

    Parameters
    ----------
    patches : Patches
    how : Training
        As :func:`training_of` gives it.
    checkpoint : Path, optional
    identity : str
        Of the data: a checkpoint of other data is refused.
    progress : callable

    Raises
    ------
    OnclairError
        As :func:`onclair.learn.training.train`.
    """
    module = network(patches.plan, how.seed).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # a third faster where filters are few
    return train(module, patches, loss_of(patches.plan), how, checkpoint=checkpoint, identity=identity, progress=progress)


def loss_of(plan: Plan) -> Loss:
    """Return the loss: soft Dice of the foreground classes over the batch plus cross-entropy, at each scale half of what the finer weighs.

    The Dice is MONAI's; the weights sum to 1, and the coarsest scale is left out as nnU-Net does (MONAI's network gives it no output).
    """
    from monai.losses.dice import DiceCELoss

    one = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, batch=True, smooth_nr=1e-5, smooth_dr=1e-5)
    strides = [np.prod(np.array(plan.strides[: scale + 1]), axis=0).tolist() for scale in range(len(plan.strides))]

    def loss(module: torch.nn.Module, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the mean loss over the batch."""
        shown = batch[IMAGE].contiguous(memory_format=torch.channels_last_3d)
        answers, total, weights = module(shown), torch.zeros(()), 0.0
        for scale, answer in enumerate(answers):
            label = functional.max_pool3d(batch[LABEL].float(), strides[scale]) if scale else batch[LABEL]
            total = total + one(answer, label) / 2**scale
            weights += 1 / 2**scale
        return total / weights

    return loss


def probabilities_of(plan: Plan, members: Sequence[Weights]) -> torch.nn.Module:
    """Return trained networks as one that answers the mean of their probabilities, (n, classes, x, y, z).

    Raises
    ------
    BadInput
        For no member, or weights of another plan.
    """
    if not members:
        raise BadInput("There are no networks to answer; train at least one.")
    return _Answering([load_arrays(network(plan), weights) for weights in members]).eval()


def to_graph(plan: Plan, members: Sequence[Weights]) -> bytes:
    """Return trained networks as one ONNX file, :data:`~onclair.learn.segment_data.IMAGE` to :data:`PROBABILITIES`, checked against them.

    Raises
    ------
    OnclairError
        When the file does not answer as the networks do.
    """
    example = np.random.default_rng(0).normal(size=(1, 1, *plan.patch)).astype(np.float32)
    return to_onnx(probabilities_of(plan, members), (example,), [IMAGE], [PROBABILITIES], tolerance=MOST_APART)


def module_of(plan: Plan, graph: bytes) -> torch.nn.Module:
    """Return the networks in an ONNX file that :func:`to_graph` wrote, as torch computes them.

    Raises
    ------
    BadModelFile
        When it holds other weights than the plan's network has.
    """
    import onnx

    found = onnx.load_model_from_string(graph).graph
    arrays = {each.name: onnx.numpy_helper.to_array(each) for each in found.initializer}
    arrays |= {node.output[0]: arrays[node.input[0]] for node in found.node if node.op_type == "Identity" and node.input[0] in arrays}
    members = {name.split(".")[1] for name in arrays if name.startswith("members.")}
    module = _Answering([network(plan) for _ in members]).eval()
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if ".deep_supervision_heads." in name:  # answers of the coarser scales, which no file keeps
                continue
            if name not in arrays or tuple(arrays[name].shape) != tuple(weight.shape):
                raise BadModelFile(f"The ONNX file has no weights '{name}' of shape {tuple(weight.shape)}; it is of another plan.")
            weight.copy_(torch.from_numpy(arrays[name].copy()))
    return module


def named(members: Sequence[Weights]) -> Weights:
    """Return the weights of several networks under names of their own.

    Examples
    --------
    >>> list(named([{"w": np.zeros(1)}, {"w": np.ones(1)}]))
    ['member-1.w', 'member-2.w']
    """
    return dict(itertools.chain.from_iterable(((f"member-{at}.{k}", w) for k, w in member.items()) for at, member in enumerate(members, 1)))


class _Supervised(torch.nn.Module):
    """MONAI's DynUNet, its heads answered at their own scale: upsampling them to the finest, as MONAI does, costs more than the network."""

    def __init__(self, plan: Plan) -> None:
        from monai.networks.nets.dynunet import DynUNet

        super().__init__()
        supervised = len(plan.strides) - 2
        self.net = DynUNet(
            3,
            1,
            len(plan.classes),
            kernel_size=[list(each) for each in plan.kernels],
            strides=[list(each) for each in plan.strides],
            upsample_kernel_size=[list(each) for each in plan.strides[1:]],
            filters=list(plan.features),
            norm_name=("INSTANCE", {"affine": True}),
            act_name=("leakyrelu", {"inplace": True, "negative_slope": 0.01}),
            deep_supervision=True,
            deep_supr_num=supervised,
        )

    def forward(self, x: torch.Tensor) -> Any:
        """Return logits."""
        finest = self.net.output_block(self.net.skip_layers(x))
        return [finest, *self.net.heads] if self.training else finest


class _Answering(torch.nn.Module):
    """Several networks, their probabilities averaged."""

    def __init__(self, members: Sequence[torch.nn.Module]) -> None:
        super().__init__()
        self.members = torch.nn.ModuleList(members)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n, classes, x, y, z)."""
        return torch.stack([torch.softmax(member(x), 1) for member in self.members]).mean(0)
