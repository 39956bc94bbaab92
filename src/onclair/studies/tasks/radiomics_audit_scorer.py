"""The network of an audit: a black box that is opened once in each process, asked about many copies at once, and kept in the run."""

from __future__ import annotations

import importlib.util
import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadCase, BadInput
from onclair.io.cards import NETWORK_SCORE, Card
from onclair.io.files import sha256_file
from onclair.learn.adapters import Scorer, card_of_model, scorer_of, training_hashes
from onclair.learn.network_input import NetworkInput, prepared

Floats = npt.NDArray[np.float64]
Volume = npt.NDArray[Any]
Region = npt.NDArray[np.bool_]
#: An image and an outline that the network is asked about.
Copy = tuple[Volume, Region]
#: What the single column of a network's score is called, and its card's name in a run.
SCORE, CARD = NETWORK_SCORE, "card.toml"
#: As many numbers go into a network at once; it decides how much memory is taken.
AT_ONCE = 2**21


@dataclass(frozen=True, slots=True)
class NetworkEngine:
    """Which network scores, and where it lies; any worker process can open it.

    Attributes
    ----------
    path : Path
        A network folder, or the card of a network.
    sha256 : str
        Of all that the score depends on.
    kind : {"onnx", "torch"}
    shown : NetworkInput
        What it is shown of a patient.
    allow_code : bool
        Whether code that the card names may be run.
    """

    path: Path
    sha256: str
    kind: str
    shown: NetworkInput
    allow_code: bool = False

    @property
    def mask_alone(self) -> bool:
        """Whether it is shown no intensity.

        Examples
        --------
        >>> NetworkEngine(Path("m"), "", "onnx", NetworkInput((4.0, 4.0, 4.0), (8, 8, 8), ("mask",))).mask_alone
        True
        """
        return set(self.shown.channels) <= {"mask"}

    def as_record(self) -> dict[str, Any]:
        """Return what the score depends on, as plain values; where the network lies is no part of it.

        Examples
        --------
        >>> NetworkEngine(Path("m"), "5a", "onnx", NetworkInput((4.0, 4.0, 4.0), (8, 8, 8))).as_record()["sha256"]
        '5a'
        """
        return {"sha256": self.sha256, "kind": self.kind, "shown": self.shown.as_record()}


def network_engine(model: Path, *, allow_code: bool = False) -> tuple[Card, NetworkEngine]:
    """Return the card of a network and what scores by it, after it was asked about an empty image.

    Parameters
    ----------
    model : Path
        A network folder of Onclair, or a card of the kind ``onnx`` or ``torch``.
    allow_code : bool
        Whether code that the card names may be run.

    Raises
    ------
    BadInput
        For anything else, code that is not allowed, and a network that does not take what its card says it takes.
    """
    card, path = card_of_model(model), model.resolve()
    scorer = scorer_of(card, allow_code=allow_code)
    scorer.run(np.zeros((1, *scorer.how.shape), dtype=np.float32))  # refuses, before anybody is read, what its card does not explain
    return card, NetworkEngine(path, model_sha256(path, card), card.model.kind, scorer.how, allow_code)


def model_sha256(path: Path, card: Card) -> str:
    """Return the SHA-256 of all files that a network's score depends on; neither their place nor the card's file name counts.

    The code of a torch network is its module's own file; what that imports is not followed.
    """
    hashes = {name: sha256_file(file) for name, file in model_files(path, card).items()}
    return sha256_of(hashes | _code_hash(card))


def model_files(path: Path, card: Card) -> dict[str, Path]:
    """Return the files of a network by the name that they bear in a run: all of a folder; a card and the files that it names.

    Raises
    ------
    BadInput
        When a card names a file that does not lie beside it.
    """
    if path.is_dir():
        return _below(path)
    found = {CARD: path}
    code, _, _ = (card.network.module or "").rpartition(":")
    for name in (card.model.file or "", *([code] if code.endswith(".py") else [])):
        file = path.parent / name
        if not file.resolve().is_relative_to(path.parent.resolve()) or not file.exists():
            raise BadInput(f"The card {path.name} names {name}, and there is no such file beside it; put it there.", item=name)
        found |= {f"{name}/{inner}": each for inner, each in _below(file).items()} if file.is_dir() else {name: file}
    return found


def _code_hash(card: Card) -> dict[str, str]:
    """Return the hash of the installed module that builds a torch network; it stays where it is installed."""
    place, _, _ = (card.network.module or "").rpartition(":")
    spec = importlib.util.find_spec(place) if place and not place.endswith(".py") else None
    return {f"module {place}": sha256_file(spec.origin)} if spec is not None and spec.origin is not None else {}


def _below(folder: Path) -> dict[str, Path]:
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}


def keep_model(path: Path, card: Card, folder: Path) -> None:
    """Copy a network into a folder, so that a run can be replayed without the place that it came from."""
    for name, file in model_files(path, card).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def kept_model(folder: Path) -> Path:
    """Return what to open of a network that `keep_model` kept: its card, or the folder itself."""
    return folder / CARD if (folder / CARD).is_file() else folder


def members_of(engine: NetworkEngine, copies: Iterable[Copy], spacing_mm: tuple[float, float, float]) -> Iterator[Floats | str]:
    """Yield what each member of a network says of each image and outline; see :func:`answers`."""
    return answers(opened(engine), copies, spacing_mm)


def answers(
    scorer: Scorer, copies: Iterable[Copy], spacing_mm: tuple[float, float, float], *, at_once: int = AT_ONCE
) -> Iterator[Floats | str]:
    """Yield what each member of a network says of each image and outline, of shape (members,), or why it says nothing.

    Parameters
    ----------
    scorer : Scorer
    copies : iterable of (ndarray, ndarray)
        Image and outline on one grid of `spacing_mm`. They are taken a batch at a time, so that a generator never holds all of them.
    spacing_mm : (float, float, float)
    at_once : int
        The most numbers that go into the network at once; at least one copy does.

    Examples
    --------
    >>> brightest = Scorer(NetworkInput((1.0, 1.0, 1.0), (3, 3, 3), ("image",), "none"), lambda shown: shown.max(axis=(2, 3, 4)))
    >>> image = np.arange(27.0).reshape(3, 3, 3)
    >>> [each.tolist() for each in answers(brightest, [(image, image == 13), (2 * image, image == 13)], (1.0, 1.0, 1.0))]
    [[26.0], [52.0]]
    """
    room, waiting = max(at_once // math.prod(scorer.how.shape), 1), iter(copies)
    while batch := [_shown(copy, spacing_mm, scorer.how) for copy in islice(waiting, room)]:
        yield from _answered(scorer, batch)


def _shown(copy: Copy, spacing_mm: tuple[float, float, float], how: NetworkInput) -> npt.NDArray[np.float32] | str:
    try:
        return prepared(*copy, spacing_mm, how)
    except BadCase as error:
        return str(error)


def trained_on(engine: NetworkEngine) -> frozenset[str]:
    """Return by what the network knows the images again that it was trained on; empty where it does not say."""
    return training_hashes(card_of_model(engine.path))


def opened(engine: NetworkEngine) -> Scorer:
    """Return the network ready to answer; opened once in a process.

    Raises
    ------
    BadInput
        When its files are not those that the audit began with.
    """
    return _opened(engine.path, engine.sha256, engine.allow_code)


@lru_cache(maxsize=2)
def _opened(path: Path, sha256: str, allow_code: bool) -> Scorer:
    card = card_of_model(path)
    if model_sha256(path, card) != sha256:
        raise BadInput(f"The network {path.name} was changed while it was audited; leave it alone and audit again.", item=path.name)
    return scorer_of(card, allow_code=allow_code)


def _answered(scorer: Scorer, batch: Sequence[npt.NDArray[np.float32] | str]) -> Iterator[Floats | str]:
    inputs = [each for each in batch if not isinstance(each, str)]
    answers: Iterator[Floats] = iter(scorer.run(np.stack(inputs)) if inputs else np.empty((0, 1)))
    for each in batch:
        if isinstance(each, str):
            yield each
            continue
        found = next(answers)
        yield found if np.isfinite(found).all() else "the network answers with no number"
