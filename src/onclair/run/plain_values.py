"""Values as JSON can hold them, whatever a step or an instrument says them with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from onclair.core.canonical import plain_float


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: arrays and tuples as lists, NumPy numbers as numbers, what is not finite as None.

    Examples
    --------
    >>> plain({"a": (np.float64(1.5), float("nan")), "b": np.arange(2)})
    {'a': [1.5, None], 'b': [0, 1]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, set | frozenset):
        return plain(sorted(value))
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return plain_float(value) if isinstance(value, float) else value
