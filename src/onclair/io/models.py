"""Model files: one readable JSON, arrays in NPZ, trees by skops, a manifest of SHA-256; pickle is refused by content.

A model is a folder of ``model.json``, ``arrays.npz``, ``trees.skops`` and ``weights.safetensors`` (where there are any), and
``manifest.json``.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile
from onclair.io.executable import refuse_executable
from onclair.io.manifest import MANIFEST_FORMAT as MANIFEST_FORMAT
from onclair.io.manifest import parsed_json, read_bytes, read_sealed, write_sealed
from onclair.io.model_document import FORMAT as FORMAT
from onclair.io.model_document import checked_document
from onclair.io.trees import trees_from_bytes, trees_to_bytes, zipped
from onclair.io.weights import WEIGHTS, weights_from_bytes, weights_to_bytes

_FILES = ("model.json", "arrays.npz", "trees.skops", WEIGHTS)

#: Most bytes that a model's arrays may unpack to; what is larger is no linear model, spline or gate but a bomb.
MOST_BYTES = 256_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ModelRecord:
    """A model as it lies on disk.

    Attributes
    ----------
    document : mapping
        ``format name family outcome``; ``inputs`` (a list of ``name unit low high missing``), ``terms`` (a list of ``input
        transform knots levels coefficient``), ``intercept``, ``baseline``, ``thresholds``; and ``extra``, free plain values of
        calibrator, conformal set and novelty gate.
    arrays : mapping of str to ndarray
        Numbers, text or bool; never objects.
    trees : estimator or None
        A forest of scikit-learn.
    weights : mapping of str to ndarray
        Of a network: real numbers or bool.

    Raises
    ------
    BadModelFile
        For an unknown or missing key (nearest name offered), a number that is none, or a term on an unknown input.

    Examples
    --------
    >>> ModelRecord({"format": FORMAT, "name": "age", "family": "logistic", "outcome": "relapse"}).document["terms"]
    []
    """

    document: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    trees: Any = None
    weights: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "document", checked_document(self.document, "the model"))
        for name, array in self.arrays.items():
            if np.asarray(array).dtype.hasobject:
                raise BadModelFile(f"The array '{name}' of the model holds Python objects; store numbers or text.", item=name)


def save_model(folder: str | Path, record: ModelRecord) -> Path:
    """Write a model as a folder, whole or not at all; equal records give equal bytes.

    Parameters
    ----------
    folder : path
        Must not exist, or be empty.
    record : ModelRecord

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BadInput
        When the trees hold a type that may not be stored.
    NoRoom
        When the folder is taken or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> record = ModelRecord({"format": FORMAT, "name": "m", "family": "logistic", "outcome": "y"}, {"cuts": np.array([0.5])})
    >>> with tempfile.TemporaryDirectory() as home:
    ...     load_model(save_model(Path(home, "model"), record)).arrays["cuts"].tolist()
    [0.5]
    """
    contents = {"model.json": json_bytes(record.document)}
    if record.arrays:
        contents["arrays.npz"] = zipped({f"{name}.npy": _npy(array) for name, array in record.arrays.items()})
    if record.trees is not None:
        contents["trees.skops"] = trees_to_bytes(record.trees)
    if record.weights:
        contents[WEIGHTS] = weights_to_bytes(record.weights)
    return write_sealed(folder, contents)


def load_model(folder: str | Path) -> ModelRecord:
    """Return the model in a folder, after its manifest was found to hold for every byte.

    Parameters
    ----------
    folder : path

    Returns
    -------
    ModelRecord

    Raises
    ------
    BadModelFile
        For a missing, added or changed file, an unknown key, and for pickle in any dress, which is never opened.
    """
    contents = read_sealed(folder, _FILES)
    if "model.json" not in contents:
        raise BadModelFile(f"The model {Path(folder).name} has no model.json; fetch the whole folder again.", item="model.json")
    arrays = _arrays(contents["arrays.npz"]) if "arrays.npz" in contents else {}
    trees = trees_from_bytes(contents["trees.skops"], "trees.skops") if "trees.skops" in contents else None
    weights = weights_from_bytes(contents.get(WEIGHTS))
    return ModelRecord(parsed_json(contents["model.json"], "model.json"), arrays, trees, weights)


def load_formula(path: str | Path) -> ModelRecord:
    """Return a published formula typed by hand as one JSON file, without arrays or manifest.

    Parameters
    ----------
    path : path
        JSON of the same keys as ``model.json``.

    Raises
    ------
    BadModelFile
        For text that is no JSON, an unknown key, a number that is none, and pickle in any dress.

    Examples
    --------
    >>> import tempfile
    >>> typed = {"format": FORMAT, "name": "risk", "family": "logistic", "outcome": "death", "intercept": -2.0,
    ...          "inputs": [{"name": "age"}], "terms": [{"input": "age", "coefficient": 0.03}]}
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = Path(home, "risk.json").write_text(json.dumps(typed))
    ...     load_formula(Path(home, "risk.json")).document["terms"][0]["coefficient"]
    0.03
    """
    path = Path(path)
    data = read_bytes(path)
    refuse_executable(data, path.name)
    return ModelRecord(checked_document(parsed_json(data, path.name), path.name))


def _arrays(data: bytes) -> dict[str, npt.NDArray[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(member.file_size for member in packed.infolist())
        if unpacked > MOST_BYTES:
            raise BadModelFile(f"arrays.npz unpacks to {unpacked / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f}.", item="arrays.npz")
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, AttributeError, TypeError) as error:
        sentence = f"arrays.npz holds something else than plain arrays ({error}); save the model again."
        raise BadModelFile(sentence, item="arrays.npz") from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise BadModelFile(f"arrays.npz holds '{name}', which is no array; save the model again.", item=name)
    return arrays


def _npy(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
    return buffer.getvalue()


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """Return a document as readable JSON with one line end.

    Raises
    ------
    BadInput
        When it holds what JSON cannot, NaN among it.

    Examples
    --------
    >>> json_bytes({"intercept": -2.0}).decode().split()
    ['{', '"intercept":', '-2.0', '}']
    """
    try:
        return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except (TypeError, ValueError) as error:
        sentence = f"The model's document holds what JSON cannot ({error}); put arrays into arrays.npz and write None for NaN."
        raise BadInput(sentence) from error
