"""What an ONNX file asks for, read from its bytes without running it: tensors in and out, operators, files outside itself.

ONNX is Protocol Buffers; the field numbers are those of ``onnx.proto3``, IR version 3 and later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from onclair.core.errors import BadModelFile

#: Operator sets that are part of the standard; any other is somebody's own code.
STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml"})
#: Operators that draw at random.
RANDOM = frozenset({"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"})

_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
_DTYPES |= {12: "uint32", 13: "uint64"}
_DEEPEST = 32
_Field = tuple[int, int | memoryview]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of a network.

    Attributes
    ----------
    name : str
    dtype : str
        NumPy's name of it.
    shape : tuple of int or None
        None where any length will do.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(slots=True)
class Graph:
    """What was found in an ONNX file.

    Attributes
    ----------
    inputs, outputs : list of Tensor
        Of the main graph; weights are not inputs.
    operators : set of (domain, name)
    domains : set of str
        Of operator sets, operators and functions.
    external : set of str
        Weights that lie in other files.
    training : bool
        Whether it holds a part for training.
    """

    inputs: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    operators: set[tuple[str, str]] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    external: set[str] = field(default_factory=set)
    training: bool = False


def inspect_onnx(data: bytes, name: str) -> Graph:
    """Return what an ONNX file holds, all its subgraphs and functions included; nothing is run.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file, for errors.

    Raises
    ------
    BadModelFile
        For bytes that are no ONNX model.

    Examples
    --------
    >>> inspect_onnx(b"nonsense", "network.onnx")
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadModelFile: network.onnx is no ONNX model (its bytes are no fields); export it again.
    """
    found, graphs = Graph(), 0
    try:
        for number, value in _fields(memoryview(data)):
            if number == 7:  # ModelProto.graph
                _read_graph(_bytes(value), found, 0)
                graphs += 1
            elif number == 8:  # opset_import
                found.domains |= {_text(v) for n, v in _fields(_bytes(value)) if n == 1}
            elif number == 20:  # training_info
                found.training = True
            elif number == 25:  # functions
                _read_function(_bytes(value), found)
    except (_Broken, UnicodeDecodeError) as error:
        raise BadModelFile(f"{name} is no ONNX model ({error}); export it again.", item=name) from error
    if graphs != 1 or not found.outputs:
        raise BadModelFile(
            f"{name} is no ONNX model (it holds {graphs} graphs with {len(found.outputs)} outputs); export it again.", item=name
        )
    return found


def refuse_unsafe(graph: Graph, name: str) -> None:
    """Refuse a network that reads other files, runs operators of its own, draws at random or carries a part for training.

    Raises
    ------
    BadModelFile

    Examples
    --------
    >>> refuse_unsafe(Graph(external={"w"}), "network.onnx")
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadModelFile: network.onnx keeps 'w' in another file, which no manifest covers; export it with the weights inside.
    """
    if graph.external:
        first = min(graph.external)
        raise BadModelFile(
            f"{name} keeps '{first}' in another file, which no manifest covers; export it with the weights inside.", item=name
        )
    if own := sorted((graph.domains | {domain for domain, _ in graph.operators}) - STANDARD):
        said = f"{name} uses the operator set '{own[0]}', which is not part of the ONNX standard"
        raise BadModelFile(f"{said}; export it with standard operators only.", item=name)
    if drawn := sorted(operator for _, operator in graph.operators if operator in RANDOM):
        said = f"{name} draws at random ('{drawn[0]}'), so it would not answer the same twice"
        raise BadModelFile(f"{said}; export it for inference.", item=name)
    if graph.training:
        raise BadModelFile(f"{name} carries a part for training; export it for inference.", item=name)


class _Broken(Exception):
    """Bytes that are no Protocol Buffers, in words."""


def _read_graph(data: memoryview, found: Graph, depth: int) -> None:
    if depth > _DEEPEST:
        raise _Broken("its graphs are nested too deeply")
    weights, inputs = set(), []
    for number, value in _fields(data):
        if number == 1:
            _read_node(_bytes(value), found, depth)
        elif number == 5:
            weights.add(_read_tensor(_bytes(value), found))
        elif number == 11 and depth == 0:
            inputs.append(_value_info(_bytes(value)))
        elif number == 12 and depth == 0:
            found.outputs.append(_value_info(_bytes(value)))
        elif number == 15:
            _read_sparse(_bytes(value), found)
    found.inputs += [tensor for tensor in inputs if tensor.name not in weights]


def _read_node(data: memoryview, found: Graph, depth: int) -> None:
    operator, domain = "", ""
    for number, value in _fields(data):
        if number == 4:
            operator = _text(value)
        elif number == 7:
            domain = _text(value)
        elif number == 5:
            _read_attribute(_bytes(value), found, depth)
    found.operators.add((domain, operator))


def _read_attribute(data: memoryview, found: Graph, depth: int) -> None:
    for number, value in _fields(data):
        if number in (5, 10):
            _read_tensor(_bytes(value), found)
        elif number in (6, 11):
            _read_graph(_bytes(value), found, depth + 1)
        elif number in (22, 23):
            _read_sparse(_bytes(value), found)


def _read_sparse(data: memoryview, found: Graph) -> None:
    for number, value in _fields(data):
        if number in (1, 2):
            _read_tensor(_bytes(value), found)


def _read_tensor(data: memoryview, found: Graph) -> str:
    name, outside = "", False
    for number, value in _fields(data):
        if number == 8:
            name = _text(value)
        outside |= number == 13 or (number == 14 and value == 1)
    if outside:
        found.external.add(name)
    return name


def _read_function(data: memoryview, found: Graph) -> None:
    for number, value in _fields(data):
        if number == 7:
            _read_node(_bytes(value), found, 0)
        elif number == 10:
            found.domains.add(_text(value))
        elif number == 9:
            found.domains |= {_text(v) for n, v in _fields(_bytes(value)) if n == 1}
        elif number == 11:  # attributes with a default value
            _read_attribute(_bytes(value), found, 0)


def _value_info(data: memoryview) -> Tensor:
    name, dtype = "", "unknown"
    shape: list[int | None] = []
    for number, value in _fields(data):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for n, tensor in _fields(_bytes(value)):
                if n == 1:  # TypeProto.tensor_type; sequences, maps and the like stay unknown
                    dtype, shape = _tensor_type(_bytes(tensor))
    return Tensor(name, dtype, tuple(shape))


def _tensor_type(data: memoryview) -> tuple[str, list[int | None]]:
    dtype = "unknown"
    shape: list[int | None] = []
    for number, value in _fields(data):
        if number == 1 and isinstance(value, int):
            dtype = _DTYPES.get(value, "unknown")
        elif number == 2:
            shape = [_length(_bytes(dimension)) for n, dimension in _fields(_bytes(value)) if n == 1]
    return dtype, shape


def _length(data: memoryview) -> int | None:
    return next((value for number, value in _fields(data) if number == 1 and isinstance(value, int) and value > 0), None)


def _fields(data: memoryview) -> Iterator[_Field]:
    """Yield the number and value of each field: a varint as int, anything else as its bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire not in (1, 2, 5) or number == 0:
            raise _Broken("its bytes are no fields")
        size, at = _varint(data, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
        if at + size > len(data):
            raise _Broken("its bytes end in the middle of a field")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise _Broken("its bytes end in the middle of a field")


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise _Broken("a field is a number where a part is expected")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_bytes(value)).decode()
