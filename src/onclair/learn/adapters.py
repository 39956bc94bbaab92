"""Networks as scorers: ``score(image, outline)`` from an ONNX file, a network folder, or a torch module whose code may be run.

Nothing is opened that runs code when it is loaded: weights are ONNX or safetensors, and a torch module's own code runs on request only.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile
from onclair.core.names import did_you_mean
from onclair.io.cards import NATIVE, NETWORK_SCORE, NETWORKS, Card, card_from, read_card
from onclair.io.executable import refuse_executable, refuse_executable_file
from onclair.io.files import sha256_file
from onclair.io.manifest import MANIFEST, read_bytes
from onclair.io.networks import Inference, NetworkRecord, load_network, network_record, open_network
from onclair.learn.network_input import NetworkInput, Region, prepared

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
#: ``(n, channels, x, y, z) -> (n, members)``.
Run = Callable[[Singles], Floats]
#: What a network folder is opened by.
GRAPH = "network.onnx"
#: Where ``model.json`` of a trained network says what the audit needs to know of it, under ``extra``.
CARD, SHOWN, TRAINED_ON = "card", "preprocessing", "trained_on"


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """A network ready to score patients.

    Attributes
    ----------
    how : NetworkInput
        What it is shown.
    run : callable
        From float32 (n, channels, x, y, z) to float64 (n, members).
    about : mapping
        ``kind`` and, of a torch module, ``module``.
    """

    how: NetworkInput
    run: Run
    about: Mapping[str, Any] = field(default_factory=dict)

    def members(self, array: npt.NDArray[Any], region: Region, spacing_mm: tuple[float, float, float]) -> Floats:
        """Return the score of each member of the ensemble, shape (members,); a single network has one.

        Parameters
        ----------
        array : ndarray of real numbers, shape (x, y, z)
            In the unit that the network was trained in.
        region : ndarray, bool, shape (x, y, z)
        spacing_mm : (float, float, float)

        Raises
        ------
        BadCase
            For a patient who cannot be shown to the network; see :func:`~onclair.learn.network_input.prepared`.
        """
        return np.asarray(self.run(prepared(array, region, spacing_mm, self.how)[None])[0])

    def score(self, array: npt.NDArray[Any], region: Region, spacing_mm: tuple[float, float, float]) -> float:
        """Return the mean of the members' scores.

        Examples
        --------
        >>> brightest = Scorer(NetworkInput((1.0, 1.0, 1.0), (3, 3, 3), ("image",), "none"), lambda shown: shown.max(axis=(2, 3, 4)))
        >>> image = np.arange(27.0).reshape(3, 3, 3)
        >>> brightest.score(image, image == 13, (1.0, 1.0, 1.0))
        26.0
        """
        return float(np.mean(self.members(array, region, spacing_mm)))


def card_of_model(path: str | Path) -> Card:
    """Return the card of a network: of a network folder, or the TOML file of one whose kind is ``onnx`` or ``torch``.

    Parameters
    ----------
    path : path

    Returns
    -------
    Card
        With the one feature ``network_score``, of weight 1.

    Raises
    ------
    BadInput
        For an ONNX file alone (what to write is said), a card of another kind, or a folder whose network does not say what it is shown.
    BadModelFile
        For a damaged folder, and for ``.pt``, pickle or joblib in any dress, which is never opened.
    BadSetting
        For a card that cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        return _card_of_folder(path)
    if not path.exists():
        raise BadInput(f"There is no model {path}; give a network folder, or the card (TOML) of a network.", item=str(path))
    if path.suffix.lower() == ".toml":
        card = read_card(path.resolve())
        if card.model.kind not in NETWORKS:
            raise BadInput(f"The card {path.name} is a {card.model.kind}, no network; give it by --card.", item=path.name)
        return card
    refuse_executable_file(path)
    if path.suffix.lower() == ".onnx":
        said = f"{path.name} does not say what the network is shown; write a card beside it with [card] name, [preprocessing] spacing, "
        told = f'[model] kind = "onnx" and file = "{path.name}", and [network] size, channels and normalise, and give the card'
        raise BadInput(f"{said}{told}.", item=path.name)
    raise BadInput(f"{path.name} is no network; give a network folder, or the card (TOML) of an ONNX file.", item=path.name)


def scorer_of(card: Card, *, allow_code: bool = False) -> Scorer:
    """Return the network of a card, ready to score on one thread.

    Parameters
    ----------
    card : Card
        Of the kind ``onnx`` or ``torch``, read from a file or made by :func:`card_of_model`.
    allow_code : bool
        Whether code that the card names may be imported and run; a torch module needs it.

    Raises
    ------
    BadInput
        For a card of another kind, without spacing, size, channels or normalisation, a torch module without leave, a network of other
        inputs than the card says, or an answer whose columns the card does not explain.
    BadModelFile
        For weights that are absent, damaged, other than the card's SHA-256, or executable (never opened).

    Examples
    --------
    >>> scorer_of(read_card("volume-cox"))
    Traceback (most recent call last):
    onclair.core.errors.BadInput: The card 'volume-cox' is a cox, no network; there is nothing to open.
    """
    if card.model.kind not in NETWORKS:
        raise BadInput(f"The card '{card.name}' is a {card.model.kind}, no network; there is nothing to open.", item=card.name)
    how, file = _shown(card), _file_of(card)
    if card.network.sha256 is not None and sha256_file(file) != card.network.sha256.lower():
        said = f"{file.name} has not the SHA-256 that the card '{card.name}' gives"
        raise BadModelFile(f"{said}; fetch it again, or correct the card.", item=file.name)
    if card.model.kind == "torch":
        if not allow_code:
            said = f"The network '{card.name}' is torch code ({card.network.module}), which runs with all your rights"
            raise BadInput(f"{said}; add --allow-code if you trust it, or ask for the network as ONNX.", item=card.name)
        return Scorer(how, _columns(_torch_run(card, file), card), {"kind": "torch", "module": card.network.module})
    inference = open_network(_record_of(file))
    return Scorer(how, _columns(_onnx_run(inference, card, how), card), {"kind": "onnx"})


def training_hashes(card: Card) -> frozenset[str]:
    """Return the content hashes of the patients that a network was trained on; none where it does not say.

    They are those of :func:`onclair.learn.network_input.image_sha256`.

    Raises
    ------
    BadModelFile
        For a network folder that is damaged.
    """
    if card.model.kind != "onnx":
        return frozenset()
    file = _file_of(card)
    if not _in_folder(file):
        return frozenset()
    extra = load_network(file.parent).document.get("extra") or {}
    return frozenset(str(each) for each in (extra.get(TRAINED_ON) or {}).get("images", ()))


def network_extra(card: Mapping[str, Any], how: NetworkInput, images: tuple[str, ...]) -> dict[str, Any]:
    """Return what ``extra`` of a trained network's ``model.json`` says: card, what it is shown, and on whom it was trained.

    Parameters
    ----------
    card : mapping
        Tables of a card by name: ``card``, ``roi``, ``network`` (``members``)...
    how : NetworkInput
    images : tuple of str
        Of :func:`~onclair.learn.network_input.image_sha256`.

    Examples
    --------
    >>> sorted(network_extra({"card": {"name": "m"}}, NetworkInput((4.0, 4.0, 4.0), (8, 8, 8)), ("5a",)))
    ['card', 'preprocessing', 'trained_on']
    """
    return {CARD: {name: dict(table) for name, table in card.items()}, SHOWN: how.as_record(), TRAINED_ON: {"images": sorted(images)}}


def _card_of_folder(folder: Path) -> Card:
    """Return the card that a network folder holds in its ``model.json``."""
    document = load_network(folder).document
    extra = document.get("extra") or {}
    if not isinstance(extra.get(SHOWN), Mapping):
        said = f"The network {folder.name} does not say what it is shown (extra.{SHOWN})"
        raise BadInput(f"{said}; train it by `onclair radiomics train`, or write a card for its {GRAPH}.", item=folder.name)
    how, tables = NetworkInput.from_record(extra[SHOWN]), extra.get(CARD) or {}
    known = ("card", "roi", "network", "reported")
    for name in tables:
        if name not in known:
            raise BadInput(f"The network {folder.name} has an unknown table '{name}' in its card; {did_you_mean(name, known)}", item=name)
    shown = {name: value for name, value in how.as_record().items() if name != "spacing_mm" and value is not None}
    told: dict[str, Any] = {
        **tables,
        "card": {"name": document["name"], "outcome": document["outcome"], **tables.get("card", {})},
        "preprocessing": {"spacing": list(how.spacing_mm)},
        "model": {"kind": "onnx", "file": GRAPH},
        "network": {**tables.get("network", {}), **shown},
    }
    return replace(card_from(told, f"the network {folder.name}"), home=folder.resolve())


def _shown(card: Card) -> NetworkInput:
    """Return what the network of a card is shown; nothing is filled in."""
    spacing, network = card.preprocessing.spacing, card.network
    lacking = [item for item in card.missing if item.startswith(("network.", "preprocessing."))]
    if lacking:
        raise BadInput(
            f"The card '{card.name}' does not give {lacking[0]}; without it nothing can be shown to the network.", item=lacking[0]
        )
    if spacing == NATIVE or not isinstance(spacing, tuple) or len(spacing) != 3:
        raise BadInput(f"The spacing of the card '{card.name}' is {spacing}; a network needs three lengths in mm.", item="spacing")
    size, channels = network.size or (1, 1, 1), network.channels or ()
    return NetworkInput((spacing[0], spacing[1], spacing[2]), size, channels, network.normalise or "none", network.low, network.high)


def _file_of(card: Card) -> Path:
    """Return the file of a network: within a folder of Onclair, its graph."""
    file = Path(card.home or ".", card.model.file or "")
    if file.is_dir():
        file = file / GRAPH
    if not file.is_file():
        raise BadModelFile(f"The network '{card.name}' has no file {card.model.file} beside its card; put it there.", item=card.model.file)
    return file


def _in_folder(file: Path) -> bool:
    return file.name == GRAPH and (file.parent / MANIFEST).is_file()


def _record_of(file: Path) -> NetworkRecord:
    """Return an ONNX file, or the network folder that it lies in, which its manifest vouches for."""
    if _in_folder(file):
        return load_network(file.parent)
    data = read_bytes(file)
    refuse_executable(data, file.name)
    return network_record(file.stem, "unknown", graph=data)


def _onnx_run(inference: Inference, card: Card, how: NetworkInput) -> Callable[[Singles], npt.NDArray[Any]]:
    """Return what asks an ONNX network for its answer; one that takes a fixed number of cases is asked in parts."""
    names = [tensor.name for tensor in inference.outputs]
    wanted = card.network.output or names[0]
    if wanted not in names or (card.network.output is None and len(names) > 1):
        found = did_you_mean(wanted, names) if card.network.output else f"say which is the score by output, one of {', '.join(names)}."
        raise BadInput(f"The network '{card.name}' answers {', '.join(names)}; {found}", item="output")
    if len(inference.inputs) != 1:
        said = f"The network '{card.name}' takes {len(inference.inputs)} inputs"
        raise BadInput(f"{said}; one is read: image and outline as channels of one volume.", item=card.name)
    tensor = inference.inputs[0]
    fits = len(tensor.shape) == 5 and all(said in (None, n) for said, n in zip(tensor.shape[1:], how.shape, strict=False))
    if tensor.dtype != "float32" or not fits:
        said = f"The network '{card.name}' takes {tensor.dtype} of shape {tensor.shape}, and its card shows it float32 (cases, {how.shape})"
        raise BadInput(f"{said}; correct size and channels of the card.", item=card.name)
    several = tensor.shape[0]

    def run(shown: Singles) -> npt.NDArray[Any]:
        cases = np.asarray(shown, dtype=np.float32)
        if several is None:
            return inference.run({tensor.name: cases})[wanted]
        missing = -len(cases) % several
        filled = np.concatenate([cases, np.repeat(cases[-1:], missing, axis=0)])
        parts = [inference.run({tensor.name: filled[at : at + several]})[wanted] for at in range(0, len(filled), several)]
        return np.concatenate(parts)[: len(cases)]

    return run


def _torch_run(card: Card, weights: Path) -> Callable[[Singles], npt.NDArray[Any]]:
    """Return what asks a torch module, built by the card's code and given the weights of a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from onclair.learn.determinism import deterministic
    from onclair.learn.weights import load_arrays

    data = read_bytes(weights)
    refuse_executable(data, weights.name)
    try:
        arrays = load(data)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise BadModelFile(f"{weights.name} holds no safetensors weights ({error}); save the network's state by safetensors.") from error
    module = _built(card)
    load_arrays(module, arrays)
    module.eval()

    def run(shown: Singles) -> npt.NDArray[Any]:
        import torch

        with deterministic(seed=0), torch.no_grad():
            answer = module(torch.from_numpy(np.ascontiguousarray(shown, dtype=np.float32)))
        if not isinstance(answer, torch.Tensor):
            raise BadInput(f"The network '{card.name}' answers a {type(answer).__name__}; let it return a tensor.", item=card.name)
        return np.asarray(answer.detach().cpu().numpy())

    return run


def _built(card: Card) -> torch.nn.Module:
    """Return the module that the card's code builds; this runs that code."""
    import torch

    place, _, function = (card.network.module or "").rpartition(":")
    if not place:
        said = f"The module of the card '{card.name}' is '{card.network.module}'"
        raise BadInput(f'{said}; write "package.module:function" or "file.py:function".', item="module")
    try:
        code = _code_file(Path(card.home or ".", place)) if place.endswith(".py") else importlib.import_module(place)
        module = getattr(code, function)()
    except Exception as error:  # it is somebody's code: anything may happen
        raise BadInput(
            f"The code {place}:{function} of the card '{card.name}' does not build a network ({error}).", item="module"
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise BadInput(f"The code {place}:{function} returns a {type(module).__name__}; let it return a torch.nn.Module.", item="module")
    return module


def _code_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"onclair_card_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    return code


def _columns(run: Callable[[Singles], npt.NDArray[Any]], card: Card) -> Run:
    """Return the network's answer as one column a member; columns that nobody explained are refused."""
    members, column = card.network.members, card.network.column

    def scores(shown: Singles) -> Floats:
        answer = np.asarray(run(shown), dtype=np.float64)
        flat = answer.reshape(len(shown), -1) if answer.ndim and len(answer) == len(shown) else answer
        wide = flat.shape[1] if flat.ndim == 2 else 0
        if column is not None and column < wide:
            return flat[:, column : column + 1]
        if column is None and wide and wide == (members or 1):
            return flat
        said = f"The network '{card.name}' answers {len(shown)} cases by numbers of shape {answer.shape}"
        told = f"column {column}" if column is not None else f"{members or 1} column{'s' if (members or 1) > 1 else ''}"
        raise BadInput(f"{said}, where its card expects {told}; give members or column under [network].", item=card.name)

    return scores


__all__ = ["NETWORK_SCORE", "Scorer", "card_of_model", "network_extra", "scorer_of", "training_hashes"]
