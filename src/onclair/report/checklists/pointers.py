"""JSON pointers (RFC 6901) into the JSON report, and whether what a cell says stands where its pointer leads."""

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
    """Return whether `value` stands in the report where `source` leads.

    It does when it is what stands there, or part of it: some of an object's fields, or an object whose keys are pointers
    below `source`.

    Examples
    --------
    >>> report = {"facts": {"patients": 51, "events": 19, "outcome": {"name": "relapse", "kind": "binary"}}}
    >>> backed(report, "/facts/patients", 51), backed(report, "/facts/patients", 50)
    (True, False)
    >>> backed(report, "/facts", {"/patients": 51, "/outcome": {"name": "relapse"}})
    True
    >>> backed(report, None, None), backed(report, "/facts", {})
    (False, False)
    """
    if source is None or value is None or value == {}:
        return False
    try:
        if isinstance(value, Mapping) and all(key.startswith("/") for key in value):
            return all(_part(said, resolve(document, source + key)) for key, said in value.items())
        return _part(value, resolve(document, source))
    except BadInput:
        return False


def _part(said: Any, found: Any) -> bool:
    """Return whether `said` is `found`, or some of its fields."""
    if isinstance(said, Mapping):
        return isinstance(found, Mapping) and all(key in found and _part(each, found[key]) for key, each in said.items())
    if isinstance(said, Sequence) and not isinstance(said, str):
        alike = isinstance(found, Sequence) and not isinstance(found, str) and len(said) == len(found)
        return alike and all(_part(one, other) for one, other in zip(said, found, strict=True))
    return type(said) is type(found) and bool(said == found)
