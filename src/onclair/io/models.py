"""Model files: one readable JSON, arrays in NPZ, trees by skops, a manifest of SHA-256; pickle is refused by content.

A model is a folder of ``model.json``, ``arrays.npz`` and ``trees.skops`` (where there are any), and ``manifest.json``.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile
from onclair.core.names import did_you_mean
from onclair.io.executable import refuse_executable
from onclair.io.files import sealed_folder
from onclair.io.trees import trees_from_bytes, trees_to_bytes, zipped

#: The version of the layout.
FORMAT = "onclair-model/1"
MANIFEST_FORMAT = "onclair-manifest/1"

_REQUIRED = ("format", "name", "family", "outcome")
_KEYS = (*_REQUIRED, "inputs", "terms", "intercept", "baseline", "thresholds", "extra")
_INPUT_KEYS = ("name", "unit", "low", "high", "missing")
_TERM_KEYS = ("input", "transform", "knots", "levels", "coefficient")
_FILES = ("model.json", "arrays.npz", "trees.skops")


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "document", _checked(self.document, "the model"))
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
    contents = {"model.json": _json_bytes(record.document)}
    if record.arrays:
        contents["arrays.npz"] = zipped({f"{name}.npy": _npy(array) for name, array in record.arrays.items()})
    if record.trees is not None:
        contents["trees.skops"] = trees_to_bytes(record.trees)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    contents["manifest.json"] = _json_bytes({"format": MANIFEST_FORMAT, "files": hashes})
    with sealed_folder(folder) as partial:
        for name, data in contents.items():
            (partial / name).write_bytes(data)
    return Path(folder)


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
    folder = Path(folder)
    if folder.is_file():
        refuse_executable(_read(folder), folder.name)
    if not folder.is_dir():
        found = "is a single file" if folder.exists() else "does not exist"
        raise BadModelFile(f"The model {folder} {found}; give the folder that holds model.json and manifest.json.", item=str(folder))
    contents = _verified(folder)
    if "model.json" not in contents:
        raise BadModelFile(f"The model {folder.name} has no model.json; fetch the whole folder again.", item="model.json")
    arrays = _arrays(contents["arrays.npz"]) if "arrays.npz" in contents else {}
    trees = trees_from_bytes(contents["trees.skops"], "trees.skops") if "trees.skops" in contents else None
    return ModelRecord(_parsed(contents["model.json"], "model.json"), arrays, trees)


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
    data = _read(path)
    refuse_executable(data, path.name)
    return ModelRecord(_checked(_parsed(data, path.name), path.name))


def _verified(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file, all of them named by the manifest, unchanged and harmless."""
    contents = {path.name: _read(path) for path in sorted(folder.iterdir())}
    for name, data in contents.items():
        refuse_executable(data, name)
    if "manifest.json" not in contents:
        sentence = f"The model {folder.name} has no manifest.json, so nothing says what it should be; fetch it again."
        raise BadModelFile(sentence, item=folder.name)
    manifest = _parsed(contents.pop("manifest.json"), "manifest.json")
    files = manifest.get("files")
    if manifest.get("format") != MANIFEST_FORMAT or not isinstance(files, dict):
        raise BadModelFile(f"manifest.json is not of the format '{MANIFEST_FORMAT}'; fetch the model again.", item="manifest.json")
    for name in sorted({*files, *contents}):
        if name not in contents:
            raise BadModelFile(f"The model {folder.name} lacks {name}, which its manifest names; fetch it again.", item=name)
        if name not in files or name not in _FILES:
            raise BadModelFile(f"The model {folder.name} holds {name}, which its manifest does not allow; remove it.", item=name)
        if hashlib.sha256(contents[name]).hexdigest() != files[name]:
            raise BadModelFile(f"{name} of the model {folder.name} was changed after it was saved; fetch it again.", item=name)
    return contents


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BadModelFile(f"The model file {path} cannot be read ({why}); correct its path or its rights.", item=path.name) from error


def _parsed(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadModelFile(f"{name} is no JSON that a model may hold ({error}); correct it.", item=name) from error
    if not isinstance(document, dict):
        raise BadModelFile(f'{name} is no JSON table; a model is written as {{"format": "{FORMAT}", ...}}.', item=name)
    return document


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number")


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


def _json_bytes(document: Mapping[str, Any]) -> bytes:
    try:
        return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except (TypeError, ValueError) as error:
        sentence = f"The model's document holds what JSON cannot ({error}); put arrays into arrays.npz and write None for NaN."
        raise BadInput(sentence) from error


def _checked(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the document with its keys in order and its lists present, as plain values."""
    _known(document, _KEYS, where)
    for key in _REQUIRED:
        if not isinstance(document.get(key), str) or not document[key]:
            raise BadModelFile(f"The key '{key}' of {where} is {document.get(key)!r}; it must be a word.", item=key)
    if document["format"] != FORMAT:
        raise BadModelFile(f"The format of {where} is '{document['format']}'; this version reads '{FORMAT}'.", item="format")
    plain = {key: _plain(document[key]) for key in _KEYS if key in document}
    plain["inputs"] = [_item(item, _INPUT_KEYS, "name", f"an input of {where}") for item in plain.get("inputs") or []]
    plain["terms"] = [_item(item, _TERM_KEYS, "input", f"a term of {where}") for item in plain.get("terms") or []]
    names = [item["name"] for item in plain["inputs"]]
    for term in plain["terms"]:
        if names and term["input"] not in names:
            sentence = f"A term of {where} uses the input '{term['input']}', which is not listed; {did_you_mean(term['input'], names)}"
            raise BadModelFile(sentence, item=term["input"])
    for item, key in [(i, k) for i in plain["inputs"] for k in ("low", "high")] + [(plain, "intercept")]:
        _check_number(item.get(key), key, where)
    for term in plain["terms"]:
        if "levels" not in term:
            _check_number(term.get("coefficient", "missing"), f"coefficient of '{term['input']}'", where)
    return {key: plain[key] for key in _KEYS if key in plain}


def _item(item: Any, keys: tuple[str, ...], needed: str, where: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise BadModelFile(f"{where[:1].upper()}{where[1:]} is {item!r}; write it as a table with '{needed}'.", item=needed)
    _known(item, keys, where)
    if not isinstance(item.get(needed), str) or not item[needed]:
        raise BadModelFile(f"{where[:1].upper()}{where[1:]} has no '{needed}'; add it.", item=needed)
    return {key: item[key] for key in keys if key in item}


def _known(document: Mapping[str, Any], keys: Iterable[str], where: str) -> None:
    for key in document:
        if key not in keys:
            raise BadModelFile(f"{where[:1].upper()}{where[1:]} has an unknown key '{key}'; {did_you_mean(str(key), keys)}", item=str(key))


def _check_number(value: Any, key: str, where: str) -> None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)):
        return
    raise BadModelFile(f"The {key} of {where} is {value!r}; it must be a number.", item=key)


def _plain(value: Any) -> Any:
    """Return a value with tuples as lists and NumPy scalars as Python's."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value
