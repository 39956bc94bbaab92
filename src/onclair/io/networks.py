"""Networks on disk: weights as safetensors, inference as ONNX, with the readable document and the manifest of every model.

A network is a folder of ``model.json``, ``weights.safetensors`` and ``network.onnx`` (one of them or both), and ``manifest.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile
from onclair.core.names import did_you_mean
from onclair.io.manifest import parsed_json, read_sealed, write_sealed
from onclair.io.model_document import FORMAT, checked_document
from onclair.io.models import json_bytes
from onclair.io.onnx_graph import Tensor, inspect_onnx, refuse_unsafe
from onclair.io.weights import WEIGHTS, plain_array, weights_from_bytes, weights_to_bytes

_DOCUMENT, _GRAPH = "model.json", "network.onnx"


@dataclass(frozen=True, slots=True, eq=False)
class NetworkRecord:
    """A network as it lies on disk.

    Attributes
    ----------
    document : mapping
        As of any model, family ``network``; what goes in and out stands in ``extra.network``, written by :func:`network_record`.
    weights : mapping of str to ndarray
        Numbers or bool, by name.
    graph : bytes or None
        The ONNX file.
    """

    document: Mapping[str, Any]
    weights: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    graph: bytes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """A network that is ready to answer on the CPU: the same bytes for the same bytes and threads.

    Attributes
    ----------
    inputs, outputs : tuple of Tensor
    session : onnxruntime.InferenceSession
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    session: Any

    def run(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Return every output by name.

        Parameters
        ----------
        inputs : mapping of str to ndarray
            Every input, of its type (nothing is cast in silence) and its shape.

        Raises
        ------
        BadInput
            For an absent or unknown input, another type or shape, or values that the network cannot compute with.
        """
        known = {tensor.name: tensor for tensor in self.inputs}
        for name in inputs:
            if name not in known:
                raise BadInput(f"The network has no input '{name}'; {did_you_mean(name, known)}", item=name)
        for name, tensor in known.items():
            if name not in inputs:
                raise BadInput(f"The network's input '{name}' is absent; give {_said(tensor)}.", item=name)
            _check_array(inputs[name], tensor)
        names = [tensor.name for tensor in self.outputs]
        try:
            answers = self.session.run(names, {name: np.ascontiguousarray(array) for name, array in inputs.items()})
        except Exception as error:  # onnxruntime raises types of its own for shapes that do not meet inside the network
            raise BadInput(f"The network cannot compute with these inputs ({_first_line(error)}); check their shapes.") from error
        return dict(zip(names, (np.asarray(answer) for answer in answers), strict=True))


def network_record(
    name: str,
    outcome: str,
    *,
    weights: Mapping[str, npt.NDArray[Any]] | None = None,
    graph: bytes | None = None,
    extra: Mapping[str, Any] | None = None,
) -> NetworkRecord:
    """Return a record of a network whose document says what goes in, what comes out and which weights there are.

    Parameters
    ----------
    name, outcome : str
    weights : mapping of str to ndarray, optional
        Numbers or bool.
    graph : bytes, optional
        An ONNX file with its weights inside and standard operators only.
    extra : mapping, optional
        Plain values that go with it: architecture, preprocessing, calibrator...

    Raises
    ------
    BadModelFile
        When there is neither, an array holds anything but numbers, or the ONNX file may not be used.

    Examples
    --------
    >>> network_record("net", "relapse", weights={"w": np.zeros((2, 3), dtype=np.float32)}).document["extra"]["network"]["weights"]
    [{'name': 'w', 'dtype': 'float32', 'shape': [2, 3]}]
    """
    arrays = {key: plain_array(key, array) for key, array in (weights or {}).items()}
    if not arrays and graph is None:
        raise BadModelFile(f"The network '{name}' has neither weights nor an ONNX graph; give one of them.", item=name)
    described: dict[str, Any] = {}
    if arrays:
        described["weights"] = [{"name": key, "dtype": str(a.dtype), "shape": list(a.shape)} for key, a in sorted(arrays.items())]
    if graph is not None:
        inputs, outputs = _tensors(graph)
        described |= {"inputs": [_entry(tensor) for tensor in inputs], "outputs": [_entry(tensor) for tensor in outputs]}
    document = {"format": FORMAT, "name": name, "family": "network", "outcome": outcome, "extra": {**(extra or {}), "network": described}}
    return NetworkRecord(checked_document(document, "the network"), arrays, graph)


def save_network(folder: str | Path, record: NetworkRecord) -> Path:
    """Write a network as a folder, whole or not at all; equal records give equal bytes.

    Parameters
    ----------
    folder : path
        Must not exist, or be empty.
    record : NetworkRecord

    Raises
    ------
    BadModelFile
        When its document does not describe it.
    NoRoom
        When the folder is taken or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> record = network_record("net", "relapse", weights={"w": np.array([0.5], dtype=np.float32)})
    >>> with tempfile.TemporaryDirectory() as home:
    ...     load_network(save_network(Path(home, "net"), record)).weights["w"].tolist()
    [0.5]
    """
    _check_described(record)
    contents = {_DOCUMENT: json_bytes(checked_document(record.document, "the network"))}
    if record.weights:
        contents[WEIGHTS] = weights_to_bytes(record.weights)
    if record.graph is not None:
        contents[_GRAPH] = record.graph
    return write_sealed(folder, contents)


def load_network(folder: str | Path) -> NetworkRecord:
    """Return the network in a folder, after its manifest was found to hold for every byte; nothing is run.

    Parameters
    ----------
    folder : path

    Raises
    ------
    BadModelFile
        For a missing, added or changed file, pickle in any dress, an ONNX file that may not be used, and weights, inputs or outputs of
        other names, types or shapes than the document says.
    """
    contents = read_sealed(folder, (_DOCUMENT, WEIGHTS, _GRAPH))
    if _DOCUMENT not in contents:
        raise BadModelFile(f"The network {Path(folder).name} has no {_DOCUMENT}; fetch the whole folder again.", item=_DOCUMENT)
    document = checked_document(parsed_json(contents[_DOCUMENT], _DOCUMENT), _DOCUMENT)
    if document["family"] != "network":
        found = document["family"]
        raise BadModelFile(f"The model {Path(folder).name} is of the family '{found}', no network; load it as a model.", item="family")
    record = NetworkRecord(document, weights_from_bytes(contents.get(WEIGHTS)), contents.get(_GRAPH))
    _check_described(record)
    return record


def open_network(record: NetworkRecord, *, threads: int = 1) -> Inference:
    """Return a network ready to answer on the CPU.

    Parameters
    ----------
    record : NetworkRecord
        With an ONNX graph.
    threads : int
        Of the runtime; sums may be taken in another order for another number.

    Raises
    ------
    BadModelFile
        When there is no graph, or onnxruntime cannot use it or finds other inputs or outputs than the document says.
    """
    if record.graph is None:
        raise BadModelFile("The network has no ONNX graph, so it cannot be run; export it to ONNX.", item=_GRAPH)
    _check_described(record)
    inputs, outputs = _tensors(record.graph)
    session = _session(record.graph, threads)
    for said, asked in ((inputs, session.get_inputs()), (outputs, session.get_outputs())):
        if [tensor.name for tensor in said] != [each.name for each in asked]:
            found = ", ".join(each.name for each in asked)
            raise BadModelFile(f"onnxruntime finds the tensors {found} where the file lists others; export the network again.", item=_GRAPH)
    return Inference(inputs, outputs, session)


def _session(graph: bytes, threads: int) -> Any:
    import onnxruntime  # here: it takes a second to load

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises types of its own for graphs that it cannot build
        raise BadModelFile(f"{_GRAPH} cannot be used ({_first_line(error)}); export the network again.", item=_GRAPH) from error


def _tensors(graph: bytes) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    found = inspect_onnx(graph, _GRAPH)
    refuse_unsafe(found, _GRAPH)
    odd = [tensor.name for tensor in (*found.inputs, *found.outputs) if tensor.dtype == "unknown"]
    if odd:
        said = f"The tensor '{odd[0]}' of {_GRAPH} is of a type that is not supported"
        raise BadModelFile(f"{said}; export the network with plain number tensors in and out.", item=odd[0])
    return tuple(found.inputs), tuple(found.outputs)


def _check_described(record: NetworkRecord) -> None:
    """Refuse a network whose document names other weights, inputs or outputs than it has."""
    described = (record.document.get("extra") or {}).get("network")
    if not isinstance(described, Mapping):
        raise BadModelFile(
            "The network's document does not say what it holds ('extra.network'); save it by network_record.", item="network"
        )
    here: dict[str, list[dict[str, Any]]] = {}
    if record.weights:
        here["weights"] = [_entry(Tensor(name, str(a.dtype), a.shape)) for name, a in sorted(record.weights.items())]
    if record.graph is not None:
        inputs, outputs = _tensors(record.graph)
        here |= {"inputs": [_entry(tensor) for tensor in inputs], "outputs": [_entry(tensor) for tensor in outputs]}
    for part in sorted({*here, *described}):
        if here.get(part) != described.get(part):
            said = f"The {part} of the network are {_listed(here.get(part))} where its document says {_listed(described.get(part))}"
            raise BadModelFile(f"{said}; fetch it again, or export and save it anew.", item=part)


def _check_array(array: npt.NDArray[Any], tensor: Tensor) -> None:
    found = np.asarray(array)
    fits = found.ndim == len(tensor.shape) and all(w is None or w == h for w, h in zip(tensor.shape, found.shape, strict=True))
    if str(found.dtype) != tensor.dtype or not fits:
        said = f"The network's input '{tensor.name}' is {found.dtype} of shape {found.shape}"
        raise BadInput(f"{said}; expected {_said(tensor)}.", item=tensor.name)


def _entry(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape)}


def _said(tensor: Tensor) -> str:
    return f"{tensor.dtype} of shape ({', '.join('any' if n is None else str(n) for n in tensor.shape)})"


def _listed(entries: Any) -> str:
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries) or not entries:
        return "none"
    return ", ".join(f"{e.get('name')} {e.get('dtype')} {e.get('shape')}" for e in entries[:4]) + (" ..." if len(entries) > 4 else "")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
