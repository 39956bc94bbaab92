"""A trained network as one ONNX file: standard operators, weights inside, any number of cases, checked against the network itself."""

from __future__ import annotations

import contextlib
import copy
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, OnclairError
from onclair.io.networks import Inference, network_record, open_network
from onclair.learn.determinism import deterministic

if TYPE_CHECKING:
    import torch

#: The operator set: of 2022, known to every runtime since; GroupNorm is spelt out in older operators by the exporter.
OPSET = 18

#: Cases in the batch that is traced: with one, an exporter may take the axis for a constant.
_TRACED = 2

Example: TypeAlias = Mapping[str, npt.NDArray[Any]] | Sequence[npt.NDArray[Any]]


def to_onnx(
    module: torch.nn.Module,
    example: Example,
    input_names: Sequence[str],
    output_names: Sequence[str],
    *,
    tolerance: float = 1e-5,
) -> bytes:
    """Return a network as an ONNX file that answers as the network does in evaluation mode.

    The first axis of every input and output is the number of cases, free; all others are those of the example. The exporter is torch's
    tracing one (``dynamo=False``). Both of torch's exporters gave standard operators, one file, a free axis and equal bytes for equal
    weights, as exact as each other; the newer one also writes paths of the exporting machine's source files into the graph, so that
    its bytes differ from machine to machine, and takes several times as long. A traced file follows the example: a network that takes
    another branch on other values, or looks at the number of cases, is *not* accepted, as far as the checks below see it.

    Parameters
    ----------
    module : torch.nn.Module
        On the CPU; left as it was.
    example : mapping of str to ndarray, or sequence of ndarray
        One array an input, (n, ...) with n >= 1, in the type that the network takes; in the order of `input_names` where a sequence.
    input_names, output_names : sequence of str
        In the order in which ``forward`` takes and returns them.
    tolerance : float
        The largest difference allowed, relative to 1 or the answer's size where that is larger.

    Returns
    -------
    bytes
        The same for the same weights and names, whatever the number of cases in the example.

    Raises
    ------
    BadInput
        For names that do not match the example or the answer, or an operation that ONNX lacks.
    BadModelFile
        When the file would not be accepted by :mod:`onclair.io.networks`.
    OnclairError
        When the file's answers differ from the network's, on the example or on another number of cases.

    Examples
    --------
    >>> import torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> graph = to_onnx(layer, (np.zeros((1, 2), dtype=np.float32),), ["features"], ["score"])
    >>> inference = open_network(network_record("net", "relapse", graph=graph))
    >>> inference.inputs[0].shape, inference.run({"features": np.ones((3, 2), dtype=np.float32)})["score"].shape
    ((None, 2), (3, 1))
    """
    arrays = _named(example, input_names)
    with deterministic(seed=0):
        working = copy.deepcopy(module).eval()
        graph = _exported(working, _resized(arrays, _TRACED), list(output_names))
        inference = open_network(network_record("network", "export", graph=graph))
        if [tensor.name for tensor in inference.inputs] != list(arrays):
            raise BadInput("The network does not use all of its inputs; give only those that it computes with.", item="input_names")
        for cases in (arrays, _resized(arrays, 1), _resized(arrays, _TRACED + 1)):
            _compare(working, inference, cases, tolerance)
    return graph


def _named(example: Example, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    given = example if isinstance(example, Mapping) else dict(zip(names, example, strict=False))
    if len(set(names)) != len(names) or set(given) != set(names) or len(example) != len(names):
        said = f"The example holds {len(example)} inputs ({', '.join(given)}) where {len(names)} names are given ({', '.join(names)})"
        raise BadInput(f"{said}; give one array a name.", item="input_names")
    arrays = {name: np.asarray(given[name]) for name in names}
    for name, array in arrays.items():
        if array.ndim == 0 or array.shape[0] == 0:
            raise BadInput(
                f"The example's input '{name}' is of shape {array.shape}; it needs a first axis of at least one case.", item=name
            )
    return arrays


def _resized(arrays: Mapping[str, npt.NDArray[Any]], cases: int) -> dict[str, npt.NDArray[Any]]:
    """Return the example with so many cases, its own over and over."""
    return {name: np.resize(array, (cases, *array.shape[1:])) for name, array in arrays.items()}


def _exported(module: torch.nn.Module, arrays: Mapping[str, npt.NDArray[Any]], outputs: list[str]) -> bytes:
    import torch

    answers = _answers(module, arrays)
    if len(answers) != len(outputs) or any(answer.ndim == 0 or answer.shape[0] != _TRACED for answer in answers):
        shapes = ", ".join(str(answer.shape) for answer in answers)
        said = f"The network answers {len(answers)} tensors ({shapes} for {_TRACED} cases) where {len(outputs)} are named"
        raise BadInput(f"{said}; name each, and let the first axis of each be the cases.", item="output_names")
    buffer = io.BytesIO()
    try:
        with _silence():
            torch.onnx.export(
                module,
                tuple(_tensor(array) for array in arrays.values()),
                buffer,  # type: ignore[arg-type]  # the tracing exporter takes a stream
                input_names=list(arrays),
                output_names=outputs,
                dynamic_axes={name: {0: "cases"} for name in (*arrays, *outputs)},
                opset_version=OPSET,
                dynamo=False,
            )
    except (RuntimeError, TypeError, ValueError, torch.onnx.OnnxExporterError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BadInput(f"The network cannot be written as ONNX ({why}); use layers that ONNX has.", item="network.onnx") from error
    return buffer.getvalue()


def _answers(module: torch.nn.Module, arrays: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    import torch

    try:
        with torch.no_grad():
            found = module(*(_tensor(array) for array in arrays.values()))
    except (RuntimeError, TypeError, ValueError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BadInput(f"The network cannot compute with the example ({why}); give inputs of its shapes and types.") from error
    several = found if isinstance(found, tuple | list) else (found,)
    if not all(isinstance(answer, torch.Tensor) for answer in several):
        raise BadInput(f"The network answers a {type(found).__name__}; let it return a tensor or several.", item="output_names")
    return [answer.numpy() for answer in several]


def _compare(module: torch.nn.Module, inference: Inference, arrays: Mapping[str, npt.NDArray[Any]], tolerance: float) -> None:
    """Refuse a file whose answers are not those of the network."""
    answers = inference.run(arrays)
    for (name, found), wanted in zip(answers.items(), _answers(module, arrays), strict=True):
        size = max(1.0, float(np.abs(wanted).max(initial=0.0)))
        apart = float(np.abs(found - wanted).max(initial=0.0)) / size if found.shape == wanted.shape else np.inf
        if not apart <= tolerance:
            said = f"The ONNX file's '{name}' for {len(wanted)} cases is {apart:.2g} from the network's, more than {tolerance:g}"
            raise OnclairError(f"{said}; let the network do the same for any values and any number of cases.", item=name)


def _tensor(array: npt.NDArray[Any]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.array(array, order="C"))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the exporter's advice to torch's own developers from the user; what matters is checked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
