"""The house's own 3-D network for outlined lesions: a small one, trained on folds of patients, answering as an ensemble.

A few layers of small kernels look at neighbourhoods of some centimetres; what they find is averaged over the outline alone, and the size of
the outline stands beside it. So few weights suit the hundreds of patients that studies have. Plain torch: no block of MONAI's averages
over an outline, its other layers are torch's own, and to load it costs more seconds than a fold of a small study.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput, BadSetting
from onclair.core.seeds import rng_for
from onclair.learn.determinism import deterministic
from onclair.learn.export import to_onnx
from onclair.learn.network_input import NetworkInput
from onclair.learn.training import Training, train
from onclair.learn.weights import load_arrays

Singles: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]
Fold: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
#: How the ONNX file's tensors are called.
VOLUME, SCORES = "volume", "scores"
#: Cases that are scored at once.
AT_ONCE = 32
#: The smallest side of a grid: it is halved once.
LEAST_SIDE = 4
#: A share of the grid that stands for no outline at all, and what brings the logarithm of usual shares near 0.
_NOTHING, _USUAL = 1e-4, 3.0
#: What trains well: the learning rate rises over a tenth of the steps, and falls as a cosine.
DEFAULT = Training(epochs=40, batch=16, learning_rate=4e-3, weight_decay=1e-3, gradient_clip=1.0)


@dataclass(frozen=True, slots=True)
class Cnn3d:
    """The shape of the network.

    Attributes
    ----------
    filters : tuple of int
        Filters of each layer of 3 x 3 x 3 kernels; before the second layer the grid is halved.
    hidden : int
        Units between what was averaged and the score.

    Raises
    ------
    BadSetting
        For no layer, or one without filters.

    Examples
    --------
    >>> Cnn3d().filters
    (8, 16, 16)
    """

    filters: tuple[int, ...] = (8, 16, 16)
    hidden: int = 16

    def __post_init__(self) -> None:
        if not self.filters or min(*self.filters, self.hidden, 1 << 20) < 1:
            raise BadSetting(
                f"The network has filters {self.filters} and {self.hidden} hidden units; give at least 1 of each.", item="filters"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What came true.

    Attributes
    ----------
    event : ndarray, shape (n,), 0 or 1
    time : ndarray, shape (n,), or None
        Follow-up, positive; with it, the network learns a log hazard (Cox's partial likelihood within each batch), without it a log odds.
    """

    event: Floats
    time: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One network of an ensemble.

    Attributes
    ----------
    weights : dict of str to ndarray
    held_out : ndarray, int64
        The patients whom it never saw.
    scores : ndarray, float64
        Of those patients.
    losses : tuple of float
        Mean training loss of each epoch.
    """

    weights: dict[str, npt.NDArray[Any]]
    held_out: npt.NDArray[np.int64]
    scores: Floats
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Networks that were trained on all patients but a fold each.

    Attributes
    ----------
    shown : NetworkInput
    how : Cnn3d
    members : tuple of Member
    """

    shown: NetworkInput
    how: Cnn3d
    members: tuple[Member, ...]

    @property
    def out_of_fold(self) -> Floats:
        """Score of each patient by the one member that never saw them, shape (n,)."""
        found = np.full(sum(member.held_out.size for member in self.members), np.nan)
        for member in self.members:
            found[member.held_out] = member.scores
        return found

    def scores(self, volumes: Singles) -> Floats:
        """Return what every member says of every volume, shape (n, members)."""
        with deterministic(seed=0):
            return _answers(self.module(), volumes)

    def module(self) -> torch.nn.Module:
        """Return the networks as one, from (n, channels, x, y, z) to (n, members)."""
        return _Together([load_arrays(_Network(self.shown, self.how), member.weights) for member in self.members])

    def onnx(self, volumes: Singles) -> bytes:
        """Return the networks as one ONNX file, ``volume`` to ``scores``, checked on some volumes.

        Raises
        ------
        OnclairError
            When the file does not answer as the networks do.
        """
        return to_onnx(self.module().eval(), (volumes[:AT_ONCE],), [VOLUME], [SCORES])


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an ensemble is made.

    Attributes
    ----------
    shown : NetworkInput
    how : Cnn3d
    training : Training
        The seed of each member follows from its seed and the fold.
    """

    shown: NetworkInput
    how: Cnn3d = Cnn3d()
    training: Training = DEFAULT


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a killed training goes on from.

    Attributes
    ----------
    folder : Path
    identity : str
        Hash of the data: checkpoints of other data are refused.
    """

    folder: Path
    identity: str


@dataclass(frozen=True, slots=True, eq=False)
class FoldTask:
    """One member to train: a unit of work that any process can do."""

    volumes: Singles
    targets: Targets
    fold: Fold
    recipe: Recipe
    checkpoint: Path | None
    identity: str


def fit_ensemble(
    volumes: Singles,
    targets: Targets,
    folds: Sequence[Fold],
    recipe: Recipe,
    *,
    over: Callable[..., Iterator[Member]] = map,
    kept: Kept | None = None,
) -> Ensemble:
    """Train one network a fold, each on the patients of the other folds; a copy of a volume is turned or mirrored each time it is seen.

    Parameters
    ----------
    volumes : ndarray, float32, shape (n, channels, x, y, z)
        As :func:`~onclair.learn.network_input.prepared` gives them.
    targets : Targets
    folds : sequence of (train, test)
        Indices of patients, int64, disjoint within a fold; the test parts cover every patient once. The splitters are the cohort's.
    recipe : Recipe
    over : callable
        ``map``, or a process pool's; the result does not depend on it.
    kept : Kept, optional
        With it, a killed training goes on to the same weights.

    Returns
    -------
    Ensemble

    Raises
    ------
    BadInput
        For shapes that do not belong together, folds that overlap or leave somebody out, or a fold without events or without others.
    OnclairError
        When a training diverges.

    Examples
    --------
    Bright lesions have the event; four patients, two folds, a network of one filter:

    >>> shown = NetworkInput((4.0, 4.0, 4.0), (4, 4, 4), ("image",), "none")
    >>> volumes = np.ones((4, 1, 4, 4, 4), dtype=np.float32) * np.array([-1, 1, -1, 1], dtype=np.float32).reshape(4, 1, 1, 1, 1)
    >>> folds = [(np.array([0, 1]), np.array([2, 3])), (np.array([2, 3]), np.array([0, 1]))]
    >>> recipe = Recipe(shown, Cnn3d((2,), 4), Training(epochs=30, learning_rate=0.05))
    >>> (fit_ensemble(volumes, Targets(np.array([0.0, 1.0, 0.0, 1.0])), folds, recipe).out_of_fold > 0).tolist()
    [False, True, False, True]
    """
    _check(volumes, targets, folds, recipe.shown)
    tasks = []
    for number, fold in enumerate(folds):
        seed = int(rng_for(recipe.training.seed, "member", number).integers(2**31))
        own = replace(recipe, training=replace(recipe.training, seed=seed, warmup=_warmup(recipe.training, fold)))
        place = None if kept is None else kept.folder / f"member-{number + 1}.safetensors"
        known = sha256_of(["" if kept is None else kept.identity, fold[0].tolist(), fold[1].tolist()])
        tasks.append(FoldTask(volumes, targets, fold, own, place, known))
    return Ensemble(recipe.shown, recipe.how, tuple(over(train_member, tasks)))


def train_member(task: FoldTask) -> Member:
    """Train one member and score the patients whom it never saw.

    Parameters
    ----------
    task : FoldTask
    """
    (seen, held_out), recipe = task.fold, task.recipe
    with deterministic(recipe.training.seed, recipe.training.threads):
        module = _Network(recipe.shown, recipe.how)
        batches = _Turned(task.volumes[seen], task.targets, seen, turns(recipe.shown))
        loss = _log_loss if task.targets.time is None else _partial_likelihood
        done = train(module, batches, loss, recipe.training, checkpoint=task.checkpoint, identity=task.identity)
        scores = _answers(load_arrays(module, done.weights), task.volumes[held_out])[:, 0]
    return Member(done.weights, held_out, scores, tuple(float(epoch["loss"]) for epoch in done.history))


def turns(shown: NetworkInput) -> tuple[tuple[int, int, int], ...]:
    """Return the orders of axes that leave the grid as it is: with mirrors, all rotations by 90 degrees are among them.

    Examples
    --------
    >>> len(turns(NetworkInput((4.0, 4.0, 4.0), (8, 8, 8)))), turns(NetworkInput((4.0, 4.0, 3.0), (8, 8, 8)))
    (6, ((0, 1, 2), (1, 0, 2)))
    """
    axes = list(zip(shown.spacing_mm, shown.size, strict=True))
    return tuple((a, b, c) for a, b, c in itertools.permutations(range(3)) if [axes[a], axes[b], axes[c]] == axes)


class _Network(torch.nn.Module):
    """Kernels over the volume, their answers averaged over the outline, and a score from these and the outline's size."""

    def __init__(self, shown: NetworkInput, how: Cnn3d) -> None:
        super().__init__()
        widths = (len(shown.channels), *how.filters)
        self.layers = torch.nn.ModuleList(torch.nn.Conv3d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths))
        self.head = torch.nn.Sequential(torch.nn.Linear(widths[-1] + 1, how.hidden), torch.nn.SiLU(), torch.nn.Linear(how.hidden, 1))
        self.mask_at = shown.mask_at

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return the score of each volume, shape (n, 1)."""
        at = self.mask_at
        inside = torch.ones_like(volume[:, :1]) if at is None else volume[:, at : at + 1]
        size = torch.log(inside.mean((2, 3, 4)) + _NOTHING) + _USUAL
        found = volume
        for number, layer in enumerate(self.layers):
            if number == 1:
                found, inside = functional.avg_pool3d(found, 2), functional.avg_pool3d(inside, 2)
            found = functional.relu(layer(found))
        mean = (found * inside).sum((2, 3, 4)) / inside.sum((2, 3, 4)).clamp_min(_NOTHING)
        return torch.as_tensor(self.head(torch.cat([mean, size], 1)))


class _Together(torch.nn.Module):
    """Networks side by side."""

    def __init__(self, members: Iterable[torch.nn.Module]) -> None:
        super().__init__()
        self.members = torch.nn.ModuleList(members)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return the score of each volume by each member, shape (n, members)."""
        return torch.cat([member(volume) for member in self.members], 1)


class _Turned:
    """Volumes to train on, each turned and mirrored at random whenever it is taken."""

    def __init__(self, volumes: Singles, targets: Targets, seen: npt.NDArray[np.int64], orders: tuple[tuple[int, int, int], ...]) -> None:
        self.volumes, self.orders = volumes, orders
        self.event = torch.from_numpy(targets.event[seen].astype(np.float32))
        self.time = None if targets.time is None else torch.from_numpy(targets.time[seen].astype(np.float32))

    def __len__(self) -> int:
        return len(self.volumes)

    def take(self, indices: npt.NDArray[np.int64], rng: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return the volumes at `indices`, turned as `rng` says, and what came true of them."""
        drawn = [(self.orders[int(rng.integers(len(self.orders)))], rng.integers(2, size=3)) for _ in indices]
        turned = [_turned(self.volumes[at], order, mirror) for at, (order, mirror) in zip(indices, drawn, strict=True)]
        batch = {VOLUME: torch.from_numpy(np.stack(turned)), "event": self.event[indices]}
        return batch if self.time is None else {**batch, "time": self.time[indices]}


def _turned(volume: Singles, order: tuple[int, int, int], mirror: npt.NDArray[np.int64]) -> Singles:
    cut = tuple(slice(None, None, -1 if flip else 1) for flip in mirror)
    return np.asarray(volume.transpose(0, *(axis + 1 for axis in order))[(slice(None), *cut)])


def _log_loss(module: torch.nn.Module, batch: Any) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(module(batch[VOLUME])[:, 0], batch["event"])


def _partial_likelihood(module: torch.nn.Module, batch: Any) -> torch.Tensor:
    """Return minus the log partial likelihood an event, within the batch; ties by Breslow.

    Cox, J R Stat Soc B 1972;34:187-220; for networks Katzman et al., BMC Med Res Methodol 2018;18:24, doi:10.1186/s12874-018-0482-1.
    """
    score, event, time = module(batch[VOLUME])[:, 0], batch["event"], batch["time"]
    at_risk = time[None, :] >= time[:, None]
    total = torch.logsumexp(torch.where(at_risk, score[None, :], torch.full_like(score[None, :], -1e9)), 1)
    return torch.as_tensor(((total - score) * event).sum() / event.sum().clamp_min(1.0))


def _answers(module: torch.nn.Module, volumes: Singles) -> Floats:
    module.eval()
    with torch.no_grad():
        parts = [module(torch.from_numpy(volumes[at : at + AT_ONCE])).numpy() for at in range(0, len(volumes), AT_ONCE)]
    return np.concatenate(parts).astype(np.float64)


def _warmup(training: Training, fold: Fold) -> int:
    """Return the steps over which the learning rate rises: a tenth of all, where none were asked for."""
    steps = training.epochs * -(-len(fold[0]) // training.batch) if training.steps is None else training.steps
    return training.warmup or steps // 10


def _check(volumes: Singles, targets: Targets, folds: Sequence[Fold], shown: NetworkInput) -> None:
    if volumes.ndim != 5 or volumes.shape[1:] != shown.shape or min(shown.size) < LEAST_SIDE:
        said = f"The volumes are of shape {volumes.shape} where the network is shown {shown.shape}"
        raise BadInput(f"{said}; give one prepared volume a patient, at least {LEAST_SIDE} voxels a side.", item="size")
    if len(targets.event) != len(volumes) or not np.isin(targets.event, (0, 1)).all():
        raise BadInput(f"There are {len(targets.event)} outcomes for {len(volumes)} volumes; give one a patient, 0 or 1.", item="event")
    tested = np.sort(np.concatenate([test for _, test in folds])) if folds else np.zeros(0)
    if not np.array_equal(tested, np.arange(len(volumes))) or any(np.intersect1d(*fold).size for fold in folds):
        raise BadInput(
            "The folds do not hold out every patient exactly once, unseen in training; cut them by Cohort.by_patient.", item="folds"
        )
    for number, (seen, _) in enumerate(folds):
        events = int(targets.event[seen].sum())
        if events == 0 or (events == len(seen) and targets.time is None):
            said = f"Of the {len(seen)} patients to train on in fold {number + 1}, {events} had the event"
            raise BadInput(f"{said}; choose fewer folds, or add patients.", item="folds")
