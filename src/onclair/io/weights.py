"""Weights of networks as the bytes of a safetensors file, and back; plain numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadModelFile

#: The file's name in a model's folder.
WEIGHTS = "weights.safetensors"


def weights_to_bytes(weights: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return weights as the bytes of a safetensors file; equal weights give equal bytes.

    Raises
    ------
    BadModelFile
        When an array holds anything but real numbers or bool of at most 64 bits.

    Examples
    --------
    >>> weights_from_bytes(weights_to_bytes({"w": np.array([0.5], dtype=np.float32)}))["w"].tolist()
    [0.5]
    """
    from safetensors.numpy import save  # here: commands without networks start without it

    return bytes(save({name: plain_array(name, weights[name]) for name in sorted(weights)}))


def weights_from_bytes(data: bytes | None) -> dict[str, npt.NDArray[Any]]:
    """Return the weights in the bytes of a safetensors file, none where there is no file.

    Raises
    ------
    BadModelFile
        When they are no such file, or hold numbers that NumPy lacks.
    """
    if data is None:
        return {}
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(data))
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        sentence = f"{WEIGHTS} cannot be read ({why}); save plain numbers of NumPy's types, 16-bit brain floats as float32."
        raise BadModelFile(sentence, item=WEIGHTS) from error


def plain_array(name: str, array: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return an array of real numbers or bool in C order and the machine's byte order.

    Raises
    ------
    BadModelFile
        For any other type.

    Examples
    --------
    >>> plain_array("w", np.zeros(2, dtype=">f4")).dtype == np.dtype("float32")
    True
    """
    found = np.asarray(array)
    if found.dtype.kind not in "fiub" or found.dtype.itemsize > 8:
        raise BadModelFile(
            f"The weights '{name}' are of type {found.dtype}; weights are real numbers or bool of at most 64 bits.", item=name
        )
    return np.array(found, dtype=found.dtype.newbyteorder("="), order="C")
