"""What ``model.json`` may say: its keys, inputs, terms, baseline and thresholds, checked before anything is computed with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from onclair.core.errors import BadModelFile
from onclair.core.names import did_you_mean

#: The version of the layout.
FORMAT = "onclair-model/1"

_REQUIRED = ("format", "name", "family", "outcome")
_KEYS = (*_REQUIRED, "inputs", "terms", "intercept", "baseline", "thresholds", "extra")
_INPUT_KEYS = ("name", "unit", "low", "high", "missing")
_TERM_KEYS = ("input", "transform", "knots", "levels", "coefficient")


def checked_document(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a model's document with its keys in order and its lists present, as plain values.

    Parameters
    ----------
    document : mapping
        ``format name family outcome`` and, where they apply, ``inputs terms intercept baseline thresholds extra``.
    where : str
        What errors call it: a file name, or ``"the model"``.

    Raises
    ------
    BadModelFile
        For an unknown or missing key (nearest name offered), another format, a number that is none, a range that runs down, an input listed
        twice, a term on an input that is not listed, a missing coefficient, or knots that do not rise.

    Examples
    --------
    >>> checked_document({"format": FORMAT, "name": "m", "family": "logistic", "outcome": "y"}, "the model")["terms"]
    []
    """
    _known(document, _KEYS, where)
    for key in _REQUIRED:
        if not isinstance(document.get(key), str) or not document[key]:
            raise BadModelFile(f"The key '{key}' of {where} is {document.get(key)!r}; it must be a word.", item=key)
    if document["format"] != FORMAT:
        raise BadModelFile(f"The format of {where} is '{document['format']}'; this version reads '{FORMAT}'.", item="format")
    plain = {key: _plain(document[key]) for key in _KEYS if key in document}
    plain["inputs"] = [_item(item, _INPUT_KEYS, "name", f"an input of {where}") for item in _list(plain, "inputs", where)]
    plain["terms"] = [_item(item, _TERM_KEYS, "input", f"a term of {where}") for item in _list(plain, "terms", where)]
    _check_inputs(plain["inputs"], where)
    for term in plain["terms"]:
        _check_term(term, [item["name"] for item in plain["inputs"]], where)
    _check_number(plain.get("intercept"), "intercept", where)
    for value in _values(plain.get("thresholds")):
        _check_number("missing" if value is None else value, "threshold", where)
    if plain.get("baseline") is not None and not isinstance(plain["baseline"], dict):
        raise BadModelFile(f"The baseline of {where} is {plain['baseline']!r}; write it as a table with 'horizon'.", item="baseline")
    return {key: plain[key] for key in _KEYS if key in plain}


def _check_inputs(inputs: list[dict[str, Any]], where: str) -> None:
    names = [item["name"] for item in inputs]
    for item in inputs:
        name, low, high = item["name"], item.get("low"), item.get("high")
        if names.count(name) > 1:
            raise BadModelFile(f"The input '{name}' of {where} is listed twice; keep one.", item=name)
        for key in ("low", "high"):
            _check_number(item.get(key), key, where)
        if low is not None and high is not None and low > high:
            raise BadModelFile(f"The range of the input '{name}' of {where} runs from {low:g} down to {high:g}; swap its ends.", item=name)


def _check_term(term: dict[str, Any], names: list[str], where: str) -> None:
    name = term["input"]
    if names and name not in names:
        sentence = f"A term of {where} uses the input '{name}', which is not listed; {did_you_mean(name, names)}"
        raise BadModelFile(sentence, item=name)
    coefficients = term.get("coefficient")
    if isinstance(term.get("levels"), Mapping) and coefficients is None:
        coefficients = list(term["levels"].values())
    for value in _values(coefficients) or ["missing"]:
        _check_number("missing" if value is None else value, f"coefficient of '{name}'", where)
    knots = _values(term.get("knots"))
    for value in knots:
        _check_number("missing" if value is None else value, f"knots of '{name}'", where)
    if any(late <= early for early, late in pairwise(knots)):
        raise BadModelFile(f"The knots of '{name}' of {where} are {knots}; write them rising.", item=name)


def _list(document: Mapping[str, Any], key: str, where: str) -> list[Any]:
    given = document.get(key)
    if given is not None and not isinstance(given, list):
        raise BadModelFile(f"The key '{key}' of {where} is no list; write one table for each in brackets.", item=key)
    return given or []


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


def _values(given: Any) -> list[Any]:
    return [] if given is None else given if isinstance(given, list) else [given]


def _plain(value: Any) -> Any:
    """Return a value with tuples as lists and NumPy scalars as Python's."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if isinstance(value, np.generic) else value
