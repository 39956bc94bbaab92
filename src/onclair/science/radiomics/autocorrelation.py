"""Moran's I and Geary's C of a region, exact: over every pair of voxels, weighted by one over their distance.

IBSI manual, arXiv:1612.07003, section 3.1.20 and 3.1.21. The sums over pairs are correlations, taken by FFT; nothing is sampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from onclair.science.radiomics.features import Features, named, undefined

AUTOCORRELATION_TAGS = ("morph_moran_i", "morph_geary_c")
#: Voxels of one padded transform; above it the region is cut into blocks along z, and all pairs of blocks are summed.
MOST_PADDED = 2**24

Volume = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _PairSums:
    """Sums over ordered pairs of voxels, each weighted by 1/distance."""

    weight: float  # sum w_ij
    product: float  # sum w_ij x_i x_j
    square: float  # sum w_ij (x_i^2 + x_j^2) / 2


def autocorrelation(
    array: Volume, kept: npt.NDArray[np.bool_], spacing_mm: tuple[float, float, float], *, most_padded: int = MOST_PADDED
) -> Features:
    """Return Moran's I and Geary's C.

    Parameters
    ----------
    array : ndarray, float64, shape (x, y, z)
    kept : ndarray, bool, shape (x, y, z)
        The intensity mask, at least one voxel; crop both to it first.
    spacing_mm : (float, float, float)
    most_padded : int
        Bound on memory: voxels of one padded transform. The result is the same whatever it is.

    Returns
    -------
    Features
        ``morph_moran_i``, ``morph_geary_c``; NaN for one voxel and for a constant region.

    Examples
    --------
    Two voxels of different value are as unlike as can be.

    >>> autocorrelation(np.array([[[0.0]], [[1.0]]]), np.ones((2, 1, 1), bool), (1.0, 1.0, 1.0)).values["morph_moran_i"]
    -1.0
    """
    values = array[kept]
    n = values.size
    if n < 2:
        return undefined(AUTOCORRELATION_TAGS, "the region is a single voxel, so that there is no pair")
    if values.min() == values.max():
        return undefined(AUTOCORRELATION_TAGS, "every voxel has the same value")
    scale = float(np.abs(values).max())
    centred = np.where(kept, array / scale - (values / scale).mean(), 0.0)
    total = float(np.square(centred[kept]).sum())
    sums = _pair_sums(centred, kept, spacing_mm, most_padded)
    moran = n / sums.weight * sums.product / total
    geary = (n - 1) / (2 * sums.weight) * (2 * sums.square - 2 * sums.product) / total
    return named("morph_", {"moran_i": moran, "geary_c": geary}, {})


def _pair_sums(centred: Volume, kept: npt.NDArray[np.bool_], spacing: tuple[float, float, float], most: int) -> _PairSums:
    x, y, z = centred.shape
    plane = fft.next_fast_len(2 * x - 1, True) * fft.next_fast_len(2 * y - 1, True)
    depth = min(z, max(1, most // (2 * plane)))
    starts = range(0, z, depth)
    parts = []
    for i, first in enumerate(starts):
        for second in starts[i:]:
            block = _block_sums(_stack(centred, kept, first, depth), _stack(centred, kept, second, depth), second - first, spacing)
            parts.append(block * (1.0 if first == second else 2.0))
    weight, product, square = np.sum(parts, axis=0)
    return _PairSums(float(weight), float(product), float(square))


def _stack(centred: Volume, kept: npt.NDArray[np.bool_], start: int, depth: int) -> Volume:
    """Return mask, values and squares of one block along z, zero-filled to `depth` layers; shape (3, x, y, depth)."""
    x = centred[:, :, start : start + depth]
    block = np.zeros((3, *centred.shape[:2], depth))
    block[0, :, :, : x.shape[2]], block[1, :, :, : x.shape[2]] = kept[:, :, start : start + depth], x
    np.square(block[1], out=block[2])
    return block


def _block_sums(a: Volume, b: Volume, offset: int, spacing: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """Return the weighted sums over pairs of one voxel of block `a` and one of block `b`, which lies `offset` layers above.

    By Parseval: ``sum_lag w(lag) corr(lag) = sum_k W*(k) A*(k) B(k) / N``, so that nothing is transformed back.
    """
    extent = a.shape[1:]
    size = tuple(fft.next_fast_len(2 * n - 1, True) for n in extent)
    weights = fft.rfftn(_inverse_distance(extent, size, offset, spacing))
    mask_a, values_a, squares_a = (fft.rfftn(part, size) for part in a)
    mask_b, values_b, squares_b = (mask_a, values_a, squares_a) if a is b else (fft.rfftn(part, size) for part in b)
    products = (mask_a.conj() * mask_b, values_a.conj() * values_b, (squares_a.conj() * mask_b + mask_a.conj() * squares_b) / 2)
    return np.array([_parseval(weights, product, size) for product in products])


def _parseval(weights: npt.NDArray[np.complex128], product: npt.NDArray[np.complex128], size: tuple[int, ...]) -> float:
    terms = (weights.real * product.real + weights.imag * product.imag).sum(axis=(0, 1))
    doubled = 2 * terms.sum() - terms[0] - (terms[-1] if size[2] % 2 == 0 else 0.0)  # the half-spectrum holds both ends once
    return float(doubled) / math.prod(size)


def _inverse_distance(extent: tuple[int, ...], size: tuple[int, ...], offset: int, spacing: tuple[float, float, float]) -> Volume:
    """Return 1/distance at each circular lag, and 0 at no distance."""
    squares = []
    for axis, (n, length, step) in enumerate(zip(extent, size, spacing, strict=True)):
        lag = np.arange(length)
        lag[lag >= n] -= length
        squares.append(np.square((lag + (offset if axis == 2 else 0)) * step))
    distance = np.sqrt(squares[0][:, None, None] + squares[1][:, None] + squares[2])
    weights = np.zeros(size)
    np.divide(1.0, distance, out=weights, where=distance > 0)
    return weights
