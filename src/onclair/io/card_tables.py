"""What the tables of a model card may say: one record a table, each key with its kind and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onclair.io.card_keys import (
    count_of,
    key,
    number,
    numbers,
    one_of,
    plain_table,
    range_of,
    sizes_of,
    spacing_of,
    table_of,
    texts,
    word,
    words_of,
)

#: The engines whose numbers a card's coefficients may belong to.
DIALECTS = ("ibsi", "pyradiomics")
#: What a model may be; ``survey`` is a list of features judged one by one, with no score.
KINDS = ("linear", "logistic", "cox", "onnx", "torch", "survey")
#: Kinds whose score is a network's answer, and what its one column is called in tables.
NETWORKS, NETWORK_SCORE = ("onnx", "torch"), "network_score"
#: Kinds whose score is a sum over features.
SUMS = ("linear", "logistic", "cox")
MODALITIES = ("PET", "CT", "MR")
FILTERS = ("mean", "laplacian-of-gaussian", "laws", "gabor", "wavelet", "simoncelli")
#: What is written where a paper says that something was not done, or that voxels stayed as they were.
NONE, NATIVE = "none", "native"


@dataclass(frozen=True, slots=True)
class Discretise:
    """How grey levels were made."""

    method: str = key(one_of("fixed-width", "fixed-number", NONE), "fixed bin width, fixed number of bins, or whole numbers as they are")
    width: float | None = key(number, "bin width, in the image's unit", None)
    minimum: float | None = key(number, "lower edge of the first bin, in the image's unit", None)
    bins: int | None = key(number, "number of bins", None)


_DISCRETISE = table_of(Discretise, "preprocessing.discretise")


@dataclass(frozen=True, slots=True)
class About:
    """The table ``[card]``: what the model is and what it claims."""

    name: str = key(word, "short name")
    source: str | None = key(word, "the publication, or where the coefficients were distributed", None)
    doi: str | None = key(word, "its DOI", None)
    claim: str | None = key(word, "what the paper says that the model does, in one sentence", None)
    modality: str | None = key(one_of(*MODALITIES), "kind of image", None)
    population: str | None = key(word, "in whom", None)
    outcome: str | None = key(word, "the column of the cohort's outcomes that the model predicts", None)
    horizon: float | None = key(number, "by when, in the unit of the outcome", None)
    notes: tuple[str, ...] = key(texts, "what a reader must know besides", ())


@dataclass(frozen=True, slots=True)
class Outlining:
    """The table ``[roi]``: what was outlined, and how."""

    structure: str | None = key(word, "the label in the outline; all labels together when left out", None)
    description: str | None = key(word, "what was outlined, by whom", None)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The table ``[preprocessing]``: what happened to the image before the first feature."""

    dialect: str | None = key(one_of(*DIALECTS), "the engine whose numbers the coefficients belong to", None)
    spacing: tuple[float, ...] | str | None = key(spacing_of, "grid to resample onto, in mm, or ``native``", None)
    interpolation: str | None = key(one_of("nearest", "linear", "cubic"), "of the image", None)
    range: tuple[float, float] | str | None = key(range_of, "re-segmentation range, in the image's unit, or ``none``", None)
    outliers: float | None = key(number, "standard deviations beyond which a voxel does not count", None)
    discretise: Discretise | None = key(_DISCRETISE, "how grey levels were made", None)  # noqa: RUF009
    normalise: str | None = key(word, "how intensities were normalised, or ``none``", None)


@dataclass(frozen=True, slots=True)
class CardFilter:
    """A table ``[[filter]]``: an image made from the image, on which features are measured."""

    name: str = key(word, "how features call it")
    kind: str = key(one_of(*FILTERS), "which filter")
    settings: Mapping[str, Any] = key(plain_table, "its settings, by the filter's own names; ``dimensions`` and ``boundary`` too", {})
    discretise: Discretise | None = key(_DISCRETISE, "grey levels of the response", None)  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class CardFeature:
    """A table ``[[feature]]``: what enters the sum, and with which weight."""

    tag: str = key(word, "the IBSI's tag, or the engine's own name in another dialect; in a survey ``*`` stands for anything")
    filter: str | None = key(word, "the name of a ``[[filter]]``; the image as it is when left out", None)
    aggregation: str | None = key(word, "how texture is put together, where the tag does not say", None)
    transform: str | None = key(word, "what is done to the value first: ``log``, ``sqrt``, ``z-score``...", None)
    mean: float | None = key(number, "mean of the development cohort, for ``z-score``", None)
    sd: float | None = key(number, "standard deviation of the development cohort, for ``z-score``", None)
    coefficient: float | None = key(number, "the weight", None)


@dataclass(frozen=True, slots=True)
class CardModel:
    """The table ``[model]``: how the features become a score."""

    kind: str = key(one_of(*KINDS), "how the score is made")
    intercept: float | None = key(number, "of a linear or logistic model", None)
    baseline: Mapping[str, Any] | None = key(plain_table, "of a Cox model: ``horizon`` with ``survival`` or ``cumulative_hazard``", None)
    cutoff: float | None = key(number, "on the score, above which the paper calls a patient at high risk", None)
    file: str | None = key(
        word, "the network, beside the card: an ONNX file, a folder of Onclair, or the safetensors weights of ``torch``", None
    )


@dataclass(frozen=True, slots=True)
class Network:
    """The table ``[network]``: what a network is shown, and what of its answer is the score; ``spacing`` stands in ``[preprocessing]``."""

    size: tuple[int, int, int] | None = key(sizes_of, "voxels of its grid along x, y, z, or one number for all three", None)
    channels: tuple[str, ...] | None = key(
        words_of("image", "inside", "mask"),
        "what it is shown, in order: ``image`` (everywhere), ``inside`` (within the outline, 0 elsewhere), ``mask``",
        None,
    )
    normalise: str | None = key(
        one_of(NONE, "z-score", "range"),
        "of intensities: ``z-score`` by the voxels of the outline, ``range`` from `low` to `high` onto 0 to 1, or ``none``",
        None,
    )
    low: float | None = key(number, "of ``range``, in the image's unit", None)
    high: float | None = key(number, "of ``range``, in the image's unit", None)
    output: str | None = key(word, "the name of its answer, where it gives several", None)
    members: int | None = key(count_of, "columns of its answer, each the score of one member of an ensemble; the score is their mean", None)
    column: int | None = key(count_of, "the one column of its answer that is the score, from 0, where the columns are classes", None)
    module: str | None = key(word, "of ``torch``: what builds the network, ``package.module:function`` or ``file.py:function``", None)
    sha256: str | None = key(word, "of the network's file, which is refused when it is another", None)


@dataclass(frozen=True, slots=True)
class Reported:
    """The table ``[reported]``: the figure to be replicated."""

    n: int | None = key(number, "patients", None)
    events: int | None = key(number, "events among them", None)
    measure: str | None = key(one_of("auc", "harrell", "uno"), "which figure", None)
    figure: float | None = key(number, "its value", None)
    interval: tuple[float, ...] | None = key(numbers(2), "its interval, low and high", None)
