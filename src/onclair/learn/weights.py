"""A network's weights as named arrays, and back: what is averaged in a federation, saved as safetensors and put into a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

if TYPE_CHECKING:
    import torch

    Network = TypeVar("Network", bound=torch.nn.Module)


def arrays_of(module: torch.nn.Module) -> dict[str, npt.NDArray[Any]]:
    """Return every weight and buffer of a network as an array of its own, by name.

    Parameters
    ----------
    module : torch.nn.Module
        Buffers count: the running mean and variance of batch normalisation (float32) and its number of batches (int64).

    Returns
    -------
    dict of str to ndarray
        Copies in C order, in the order of the module; a number is an array of shape ().

    Raises
    ------
    BadInput
        For a type that NumPy lacks (16-bit brain floats, quantised weights).

    Examples
    --------
    >>> import torch
    >>> {name: array.shape for name, array in arrays_of(torch.nn.Linear(3, 2)).items()}
    {'weight': (2, 3), 'bias': (2,)}
    >>> sorted(arrays_of(torch.nn.BatchNorm1d(2)))
    ['bias', 'num_batches_tracked', 'running_mean', 'running_var', 'weight']
    """
    return {name: _array(name, tensor) for name, tensor in module.state_dict().items()}


def load_arrays(module: Network, arrays: Mapping[str, npt.NDArray[Any]]) -> Network:
    """Put arrays into a network, all of them or none, and return the network.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place: this is the one function of the room that does so.
    arrays : mapping of str to ndarray
        As :func:`arrays_of` gives them: every name, no other, of the same shapes. Numbers are brought to the network's precision
        (float64 to float32); a float where the network counts (``num_batches_tracked``) is *not* accepted.

    Raises
    ------
    BadInput
        For an absent or unknown name, another shape, or a type that would lose what it holds; nothing was changed then.

    Examples
    --------
    >>> import torch
    >>> layer = load_arrays(torch.nn.Linear(2, 1), {"weight": np.array([[1.0, -2.0]]), "bias": np.array([0.5])})
    >>> layer(torch.tensor([[3.0, 1.0]])).tolist()
    [[1.5]]
    >>> load_arrays(layer, {"weight": np.zeros((1, 3)), "bias": np.zeros(1)})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadInput: The weights 'weight' are of shape (1, 3) where the network has (1, 2); ...
    """
    import torch

    own = module.state_dict()
    _check_names(set(own), set(arrays))
    for name, tensor in own.items():
        _check_fit(name, np.asarray(arrays[name]), _array(name, tensor))
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(torch.from_numpy(np.array(arrays[name], dtype=_array(name, tensor).dtype, order="C")))
    return module


def _array(name: str, tensor: torch.Tensor) -> npt.NDArray[Any]:
    try:
        return np.array(tensor.detach().cpu().numpy(), order="C")
    except (TypeError, RuntimeError) as error:
        said = f"The weights '{name}' are of type {tensor.dtype}, which NumPy lacks"
        raise BadInput(f"{said}; bring the network to float32 first.", item=name) from error


def _check_names(own: set[str], given: set[str]) -> None:
    for names, said in ((own - given, "has weights '{}' that are absent here"), (given - own, "has no weights '{}'")):
        if names:
            first, more = min(names), f" (and {len(names) - 1} more)" if len(names) > 1 else ""
            raise BadInput(f"The network {said.format(first)}{more}; give weights of the same architecture.", item=first)


def _check_fit(name: str, given: npt.NDArray[Any], own: npt.NDArray[Any]) -> None:
    if given.shape != own.shape:
        said = f"The weights '{name}' are of shape {given.shape} where the network has {own.shape}"
        raise BadInput(f"{said}; give weights of the same architecture.", item=name)
    if given.dtype.kind not in "fiub" or not np.can_cast(given.dtype, own.dtype, "same_kind"):
        said = f"The weights '{name}' are {given.dtype} where the network has {own.dtype}"
        raise BadInput(f"{said}, and converting them would lose what they hold; give them as {own.dtype}.", item=name)
