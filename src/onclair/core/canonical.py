"""Canonical JSON and its SHA-256: one byte string for one value, whatever machine writes it."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Return `value` as UTF-8 JSON with sorted keys and no spaces.

    Parameters
    ----------
    value : dict, list, str, int, float, bool or None
        Nested at will; dictionary keys are strings. Floats are written by their shortest round-trip form.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        For NaN and infinities (write None and a reason) and for types that JSON does not have.

    Examples
    --------
    >>> canonical_json({"b": 1.5, "a": [True, None, "é"]}).decode()
    '{"a":[true,null,"é"],"b":1.5}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256_of(value: Any) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of the canonical JSON of `value`.

    Examples
    --------
    >>> sha256_of({})[:8]
    '44136fa3'
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def plain_float(value: float | None) -> float | None:
    """Return `value` as a float that JSON can hold: None for None, NaN and the infinities.

    Examples
    --------
    >>> plain_float(float("nan")) is None, plain_float(2)
    (True, 2.0)
    """
    return None if value is None or not math.isfinite(value) else float(value)
