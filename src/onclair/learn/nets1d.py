"""Networks on area-normalised spectra as estimators: a residual network and a small transformer, fitted inside a fold.

How long a training lasts is settled beforehand, in steps: an estimator is handed rows, not patients, so that holding some rows back
to stop early would hold back neighbours of rows that are trained on, and the few dozen patients of an inner fold are too few to be
thinned further. Disturbances, dropout, weight decay and a falling learning rate keep it from learning the rows by heart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput, BadModelFile, BadSetting
from onclair.learn.determinism import deterministic
from onclair.learn.estimators_checks import seed_of, two_classes
from onclair.learn.nets1d_settings import ARCHITECTURES, Architecture, Disturbance, Layout, layout_of
from onclair.learn.training_settings import Training

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float64]

#: What trains well on a few hundred spectra, within two seconds on one core.
DEFAULT = Training(steps=120, batch=24, learning_rate=1e-3, weight_decay=0.05, warmup=12, gradient_clip=1.0)


class Columns(NamedTuple):
    """What a pipeline tells an estimator about the columns that it hands over.

    ``names`` of the p columns, and the ``centre`` and ``scale`` (p,) by which each was standardised.
    """

    names: tuple[str, ...]
    centre: Floats
    scale: Floats


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """A fitted network.

    Attributes
    ----------
    architecture : Resnet1d or Transformer
    layout : Layout
    weights : mapping of str to ndarray
        By name, as :func:`~onclair.learn.weights.arrays_of` gives them.

    Raises
    ------
    BadModelFile
        On the first answer, when the weights do not fit the architecture.
    """

    architecture: Architecture
    layout: Layout
    weights: Mapping[str, npt.NDArray[Any]]

    @cached_property
    def module(self) -> torch.nn.Module:
        """The network itself, ready to answer; built once."""
        from onclair.learn.nets1d_modules import built  # here: commands that need no network start without torch
        from onclair.learn.weights import load_arrays

        try:
            with deterministic(seed=0):
                return load_arrays(built(self.architecture, self.layout), self.weights).eval()
        except BadInput as error:
            raise BadModelFile(f"The model's weights do not fit its network ({error}); fetch it again.", item="weights") from error

    def logit(self, x: Floats) -> Floats:
        """Return the logit of each row of `x` (n, p), standardised as in training, shape (n,)."""
        from onclair.learn.nets1d_modules import answers

        return answers(self.module, self.layout.laid(x))

    def risk(self, x: Floats) -> Floats:
        """Return the risk of each row of `x` (n, p), shape (n,)."""
        return np.asarray(special.expit(self.logit(x)))


@dataclass(frozen=True, slots=True)
class SpectralNetwork:
    """A network on spectra; a pipeline hands it columns ``spectrum:EXCITATION:NM`` and tells it which is which.

    Attributes
    ----------
    architecture : Resnet1d or Transformer
    training : Training
        Its seed is not used: the fold's random numbers decide. Give ``steps``; patience is refused.
    disturbance : Disturbance

    Raises
    ------
    BadSetting
        For a training with patience.

    Examples
    --------
    >>> from onclair.learn.nets1d_settings import Resnet1d
    >>> SpectralNetwork(Resnet1d()).fit(np.zeros((4, 2)), np.array([0.0, 1, 0, 1]), np.random.default_rng(0))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadSetting: A network on spectra must know which column is which bin; ...
    """

    costly: ClassVar[bool] = True  # a fit takes seconds: the null is had from the candidates that take less

    architecture: Architecture
    training: Training = DEFAULT
    disturbance: Disturbance = field(default_factory=Disturbance)

    def __post_init__(self) -> None:
        if self.training.patience is not None:
            said = "A network on spectra has a 'patience', but a fold has no patients to spare for it"
            raise BadSetting(f"{said}; give 'steps' instead.", item="patience")

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: 0 or 1."""
        return "binary"

    def placed(self, columns: Columns) -> PlacedNetwork:
        """Return the network with its columns put in order; errors as :func:`~onclair.learn.nets1d_settings.layout_of`."""
        return PlacedNetwork(self, layout_of(columns.names), columns)

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> NetworkModel:
        """Refuse: a matrix alone does not say which column is which bin.

        Raises
        ------
        BadSetting
            Always; a pipeline calls :meth:`placed` first.
        """
        del x, truth, rng
        said = "A network on spectra must know which column is which bin"
        raise BadSetting(f"{said}; put it into a Pipeline with columns=('spectrum:*',), or call placed() first.", item="columns")


@dataclass(frozen=True, slots=True, eq=False)
class PlacedNetwork:
    """A network that knows its columns: an estimator like any other."""

    settings: SpectralNetwork
    layout: Layout
    columns: Columns

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: 0 or 1."""
        return "binary"

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> NetworkModel:
        """Return the network trained on standardised `x` (n, p) and `truth` (n,) of 0 and 1; `rng` decides every random number.

        Equal, bit for bit, for equal arguments on one kind of CPU, in whichever process.

        Raises
        ------
        BadCohort
            When only one class is present.
        OnclairError
            When the training diverges.
        """
        two_classes(truth)
        from onclair.learn.nets1d_modules import trained_weights

        raw = x * self.columns.scale + self.columns.centre
        unit = (self.layout.laid(self.columns.centre[None])[0], self.layout.laid(self.columns.scale[None], empty=np.inf)[0])
        weights = trained_weights(self.settings, self.layout, (self.layout.laid(raw), truth), unit, seed_of(rng))
        return NetworkModel(self.settings.architecture, self.layout, weights)


def architecture_record(architecture: Architecture) -> dict[str, Any]:
    """Return an architecture as plain values.

    Examples
    --------
    >>> from onclair.learn.nets1d_settings import Transformer
    >>> architecture_record(Transformer())["kind"]
    'transformer'
    """
    kind = next(name for name, known in ARCHITECTURES.items() if isinstance(architecture, known))
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(architecture).items()}
    return {"kind": kind, **plain}


def architecture_of(record: Mapping[str, Any]) -> Architecture:
    """Return the architecture in a record that :func:`architecture_record` wrote.

    Raises
    ------
    BadModelFile
        For an unknown kind or setting, or a value out of range.

    Examples
    --------
    >>> from onclair.learn.nets1d_settings import Resnet1d
    >>> architecture_of(architecture_record(Resnet1d(widths=(8,)))) == Resnet1d(widths=(8,))
    True
    """
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}
    kind = given.pop("kind", None)
    if kind not in ARCHITECTURES:
        raise BadModelFile(f"The model's network is of the kind '{kind}'; known are {', '.join(ARCHITECTURES)}.", item="architecture")
    try:
        return ARCHITECTURES[kind](**given)
    except (TypeError, BadSetting) as error:
        raise BadModelFile(f"The model's network cannot be built ({error}); fetch it again.", item="architecture") from error


def network_model(record: Mapping[str, Any], columns: Sequence[str], weights: Mapping[str, npt.NDArray[Any]]) -> NetworkModel:
    """Return a fitted network from its record, the columns that it sees and its weights, after they were found to fit.

    Raises
    ------
    BadModelFile
        When they do not.
    """
    try:
        layout = layout_of(columns)
    except BadSetting as error:
        raise BadModelFile(f"The model's network has inputs that are no spectrum ({error})", item="inputs") from error
    model = NetworkModel(architecture_of(record), layout, dict(weights))
    _ = model.module
    return model
