"""JSON pointers (RFC 6901) into the JSON report, and whether what a cell says is what stands where its pointer leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onclair.core.errors import BadInput


def resolve(document: Any, pointer: str) -> Any:
    """Return what a pointer leads to.

    Parameters
    ----------
    document : dict, list or plain value
    pointer : str
        ``""`` is the whole document; ``~1`` stands for ``/`` and ``~0`` for ``~`` in a key.

    Raises
    ------
    BadInput
        When nothing stands there.

    Examples
    --------
    >>> resolve({"facts": {"centres": ["A", "B"]}}, "/facts/centres/1")
    'B'
    """
    found = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(key)] if isinstance(found, list) else found[key]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise BadInput(f"The pointer '{pointer}' leads nowhere in the report; it stops at '{key}'.", item=pointer) from error
    return found


def backed(document: Any, source: str | None, value: Any) -> bool:
    """Return whether `value` is exactly what stands in the report where `source` leads.

    Examples
    --------
    >>> report = {"facts": {"patients": 51, "events": 19, "outcome": {"name": "relapse", "kind": "binary"}}}
    >>> backed(report, "/facts/patients", 51), backed(report, "/facts/patients", 50), backed(report, "/facts/patients", 51.0)
    (True, False, False)
    >>> backed(report, "/facts/outcome", {"name": "relapse"}), backed(report, None, None)
    (False, False)
    """
    if source is None or value is None:
        return False
    try:
        return _same(value, resolve(document, source))
    except BadInput:
        return False


def _same(said: Any, found: Any) -> bool:
    """Return whether two values are one in JSON: equal field by field, a number never a truth value nor a count a decimal."""
    if isinstance(said, Mapping):
        return isinstance(found, Mapping) and said.keys() == found.keys() and all(_same(each, found[key]) for key, each in said.items())
    if isinstance(said, Sequence) and not isinstance(said, str):
        alike = isinstance(found, Sequence) and not isinstance(found, str) and len(said) == len(found)
        return alike and all(_same(one, other) for one, other in zip(said, found, strict=True))
    return type(said) is type(found) and bool(said == found)
