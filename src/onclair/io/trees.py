"""Forests by skops, with this project's own list of types; equal forests give equal bytes.

skops names its members after memory addresses and stamps them with the time: both are replaced by running numbers.
"""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from onclair.core.errors import BadInput, BadModelFile

#: Every type that a trees file may hold; nothing outside this list is ever built.
ALLOWED_TYPES = frozenset(
    {
        "builtins.bool",
        "builtins.dict",
        "builtins.float",
        "builtins.int",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.ndarray",
        "numpy.int32",
        "numpy.int64",
        "numpy.float32",
        "numpy.float64",
        "numpy.dtype",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.ensemble._forest.RandomForestRegressor",
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.ensemble._forest.ExtraTreesRegressor",
        "sklearn.tree._classes.DecisionTreeClassifier",
        "sklearn.tree._classes.DecisionTreeRegressor",
        "sklearn.tree._classes.ExtraTreeClassifier",
        "sklearn.tree._classes.ExtraTreeRegressor",
        "sklearn.tree._tree.Tree",
    }
)
_LOADERS = frozenset({"ObjectNode", "DictNode", "ListNode", "TupleNode", "JsonNode", "TypeNode", "NdArrayNode", "TreeNode", "DtypeNode"})
_SCHEMA = "schema.json"
_LARGEST = 4 << 30


def trees_to_bytes(forest: Any) -> bytes:
    """Return a scikit-learn forest or tree as the bytes of a skops file.

    Parameters
    ----------
    forest : estimator
        Random forest, extra trees or a single tree, with an integer ``random_state``.

    Raises
    ------
    BadInput
        When it holds a type that :data:`ALLOWED_TYPES` does not name.
    """
    import skops.io  # here, because the command line must start without scikit-learn

    data = skops.io.dumps(forest)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members.pop(_SCHEMA))
    if foreign := _foreign(schema):
        raise BadInput(f"The model holds a {foreign}, which no trees file may; save a forest with an integer random_state.")
    names = _renumber(schema)
    renamed = {names[name]: content for name, content in members.items()}
    return zipped({_SCHEMA: json.dumps(schema, sort_keys=True).encode(), **renamed})


def trees_from_bytes(data: bytes, name: str) -> Any:
    """Return the forest in a skops file, after every type in it was found on this project's own list.

    Parameters
    ----------
    data : bytes
    name : str
        Of the file, for errors.

    Raises
    ------
    BadModelFile
        For a file that is no such archive, holds another type or member, or was made by a version that cannot be read.
    """
    schema = _schema(data, name)
    if foreign := _foreign(schema):
        raise BadModelFile(f"{name} holds a {foreign}, which is not among the types that Onclair builds; it was not opened.", item=name)
    import skops.io

    try:
        return skops.io.loads(data, trusted=sorted(ALLOWED_TYPES))
    except Exception as error:  # skops and scikit-learn raise many types on a file of another version
        made = schema.get("_skops_version", "?")
        raise BadModelFile(f"{name} cannot be read (written by skops {made}: {error}); learn the model again.", item=name) from error


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip of `members` in order of name, stored, without clock or system: equal members give equal bytes.

    Examples
    --------
    >>> zipped({"b": b"2", "a": b"1"}) == zipped({"a": b"1", "b": b"2"})
    True
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, members[name])
    return buffer.getvalue()


def _schema(data: bytes, name: str) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
                sentence = f"{name} unpacks to more than {_LARGEST >> 30} GiB, too large for a model; it was not opened."
                raise BadModelFile(sentence, item=name)
            odd = [n for n in archive.namelist() if n != _SCHEMA and not n.endswith(".npy")]
            if odd:
                raise BadModelFile(f"{name} holds '{odd[0]}' among its trees; only arrays belong there; it was not opened.", item=name)
            schema = json.loads(archive.read(_SCHEMA))
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError) as error:
        raise BadModelFile(f"{name} is no trees file of Onclair ({error}); save the model again.", item=name) from error
    if not isinstance(schema, dict):
        raise BadModelFile(f"{name} is no trees file of Onclair (its schema is no table); save the model again.", item=name)
    return schema


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every node of a schema, parents first, in the order written."""
    if isinstance(value, dict):
        if "__loader__" in value or "__class__" in value or "__module__" in value:
            yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _foreign(schema: dict[str, Any]) -> str | None:
    """Return the first type, loader or way of storing an array that is not on the list."""
    for node in _nodes(schema):
        kind = f"{node.get('__module__')}.{node.get('__class__')}"
        if kind not in ALLOWED_TYPES:
            return kind
        if node.get("__loader__") not in _LOADERS:
            return f"{kind} read by {node.get('__loader__')}"
        if node.get("__loader__") == "NdArrayNode" and node.get("type") != "numpy":
            return f"{kind} of Python objects"
    return None


def _renumber(schema: dict[str, Any]) -> dict[str, str]:
    """Replace addresses by running numbers, in place, and return the new name of each member."""
    numbers = itertools.count(1)
    given: dict[Any, int] = {}
    names: dict[str, str] = {}
    for node in _nodes(schema):
        address = node.get("__id__")
        if node["__loader__"] in ("JsonNode", "TypeNode") or address not in given:
            given[address] = next(numbers)  # whether Python shares two equal constants is chance, so constants are never shared
        if "__id__" in node:
            node["__id__"] = given[address]
        if "file" in node:
            names.setdefault(node["file"], f"{len(names) + 1}.npy")
            node["file"] = names[node["file"]]
    return names
