"""Filters that are written in the frequency domain: grids of frequencies, and filtering by a transfer function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import fft

from onclair.science.radiomics.filters.scene import Response

#: Frequencies along one axis, in the order of the transform, in units of the highest (Nyquist).
Frequencies: TypeAlias = npt.NDArray[np.float64]
#: Frequencies of each axis, shaped to broadcast, to a real transfer function (its phase stands apart).
Transfer: TypeAlias = Callable[[Sequence[Frequencies]], npt.NDArray[np.float64]]


def true_frequencies(size: int) -> Frequencies:
    """Return the frequencies of the discrete Fourier transform.

    Examples
    --------
    >>> true_frequencies(4).tolist()
    [0.0, 0.5, -1.0, -0.5]
    """
    return np.asarray(fft.fftfreq(size, 0.5), dtype=np.float64)


def consensus_frequencies(size: int) -> Frequencies:
    """Return the grid that the consensus on Simoncelli wavelets was reached on: from -1 to 1, both included.

    Notes
    -----
    Where the size is odd it stretches the true frequencies by n / (n - 1); where it is even it moreover lies half a sample
    off, so that no frequency is zero. The published responses hold to it: with the true frequencies the level 3 of the
    reference set departs by 7 % of its range.

    Examples
    --------
    >>> consensus_frequencies(3).tolist(), consensus_frequencies(2).tolist()
    ([0.0, 1.0, -1.0], [1.0, -1.0])
    """
    if size == 1:
        return np.zeros(1)
    return np.asarray(fft.ifftshift(np.linspace(-1.0, 1.0, size)), dtype=np.float64)


def passed(array: Response, axes: Sequence[int], frequencies: Callable[[int], Frequencies], transfer: Transfer, order: int = 0) -> Response:
    """Return a periodic image passed through a filter given by its transfer function.

    Parameters
    ----------
    array : ndarray, float64, shape (x, y, z)
    axes : sequence of int
        That are transformed, each slice along the others by itself.
    frequencies : callable
        Size of an axis to its frequencies.
    transfer : callable
        Frequencies of each axis to the transfer function, real.
    order : int
        The transfer function is multiplied by the power of -i of this order.

    Returns
    -------
    ndarray, float64
        Real part of the response, by real transforms: the part of the transfer function that is no real filter's is left out
        beforehand.

    Examples
    --------
    >>> wave = np.cos(np.arange(8) * np.pi / 2).reshape(8, 1, 1)
    >>> np.allclose(passed(wave, (0,), true_frequencies, lambda f: np.abs(f[0])), wave / 2)
    True
    """
    axes = tuple(axes)
    spectrum = fft.rfftn(array, axes=axes)
    ahead, behind = [], []
    for number, axis in enumerate(axes):
        size = array.shape[axis]
        grid = frequencies(size)
        opposite = grid[-np.arange(size) % size]
        kept = size // 2 + 1 if number == len(axes) - 1 else size
        shape = [1, 1, 1]
        shape[axis] = kept
        ahead.append(grid[:kept].reshape(shape))
        behind.append(opposite[:kept].reshape(shape))
    # H(-f) conjugate, halved with H(f), is the real filter; (-i)^order is even or odd under conjugation.
    values = transfer(ahead) if all(np.array_equal(a, -b) for a, b in zip(ahead, behind, strict=True)) and order % 2 == 0 else None
    if values is None:
        values = (transfer(ahead) + (-1) ** order * transfer(behind)) / 2
    spectrum *= values * (1, -1j, -1, 1j)[order % 4]
    return np.asarray(fft.irfftn(spectrum, s=[array.shape[axis] for axis in axes], axes=axes, overwrite_x=True))
