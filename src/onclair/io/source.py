"""The hash of the source that a function can reach: what decides whether a stage's evidence may be reused."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.machinery
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput

#: The package whose modules count for every function, besides the function's own package.
HOUSE = "onclair"


def source_sha256(function: Callable[..., Any]) -> str:
    """Return the hash of every module that a function can reach by import within its own package and Onclair.

    Parameters
    ----------
    function : callable
        Defined in a module with source; partials, decorated and compiled functions are unwrapped.

    Returns
    -------
    str
        SHA-256 of the sorted pairs (module, SHA-256 of its source). Line ends do not count, nor does the place on disk.

    Raises
    ------
    BadInput
        When there is no source to read: a function typed at a prompt, or a module without ``.py`` file.

    Notes
    -----
    The closure is static: every ``import`` statement in the module's syntax tree, wherever it stands, and so on from there; the
    packages that a module lies in count too. Modules are found without being imported. An import by a name computed at run
    time is not seen; libraries count by version, in the environment of the record.

    Examples
    --------
    >>> source_sha256(source_sha256) == source_sha256(reached_modules)
    True
    """
    return _sha256_of_module(_module_of(function))


def reached_modules(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the modules whose source :func:`source_sha256` hashes, sorted.

    Raises
    ------
    BadInput
        As :func:`source_sha256`.

    Examples
    --------
    >>> [m for m in reached_modules(source_sha256) if m.startswith("onclair.io")]
    ['onclair.io', 'onclair.io.source']
    """
    return tuple(sorted(_closure(_module_of(function))))


def _module_of(function: Callable[..., Any]) -> str:
    while True:
        inner = getattr(function, "func", None) or getattr(function, "py_func", None) or getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    name = getattr(function, "__module__", None)
    if not isinstance(name, str):
        raise BadInput(f"The function {function!r} belongs to no module, so its source cannot be recorded; define it in a file.")
    return name


@functools.cache
def _sha256_of_module(name: str) -> str:
    return sha256_of([[module, digest] for module, digest in sorted(_closure(name).items())])


def _closure(name: str) -> dict[str, str]:
    """Return module name to hash of its source, for all that `name` reaches, itself included."""
    roots = (name.partition(".")[0], HOUSE)
    if _source_file(name) is None:
        sentence = f"The module '{name}' has no source file, so what it runs cannot be recorded; define its functions in a .py file."
        raise BadInput(sentence, item=name)
    hashes: dict[str, str] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module in hashes or module.partition(".")[0] not in roots:
            continue
        read = _read(module)
        if read is None:  # a name inside a module, or a package without __init__
            continue
        hashes[module], reached = read
        waiting += [module.rpartition(".")[0]] if "." in module else []
        waiting += reached
    return hashes


@functools.cache
def _read(module: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the hash of a module's source and what it may import, or None where there is no such file."""
    path = _source_file(module)
    if path is None:
        return None
    source = path.read_bytes().replace(b"\r\n", b"\n")
    return hashlib.sha256(source).hexdigest(), tuple(_imported(source, module, package=path.name == "__init__.py"))


def _imported(source: bytes, module: str, *, package: bool) -> Iterator[str]:
    """Yield every module that an import statement may mean; names that are no module are left to the finder."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _absolute(node: ast.ImportFrom, module: str, package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + int(package)]
    return ".".join([*kept, node.module] if node.module else kept)


@functools.cache
def _source_file(name: str) -> Path | None:
    """Return the file of a module, found by path without importing it or its packages."""
    if name == "__main__":
        file = getattr(sys.modules["__main__"], "__file__", None)
        return Path(file) if file and file.endswith(".py") and Path(file).is_file() else None
    parts = name.split(".")
    places: list[str] | None = None
    spec = None
    for depth in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:depth]), places)
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or [])
    found = Path(spec.origin) if spec is not None and spec.origin else None
    return found if found is not None and found.suffix == ".py" else None
