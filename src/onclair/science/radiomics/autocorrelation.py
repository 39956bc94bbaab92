"""Moran's I and Geary's C of a region, exact: over every pair of voxels, weighted by one over their distance.

IBSI manual, arXiv:1612.07003, section 3.1.20 and 3.1.21. The sums over pairs are correlations, taken by FFT; nothing is sampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # its parts are imported where they are first used

from onclair.science.radiomics.features import Features, named, undefined

AUTOCORRELATION_TAGS = ("morph_moran_i", "morph_geary_c")
#: Voxels of one padded grid, eight times the region's box; above it the region is cut into blocks along z, all pairs of which are summed.
MOST_PADDED = 2**24

Volume = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]
Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _PairSums:
    """Sums over ordered pairs of voxels, each weighted by 1/distance."""

    weight: float  # sum w_ij
    product: float  # sum w_ij x_i x_j
    square: float  # sum w_ij (x_i^2 + x_j^2) / 2


@dataclass(frozen=True, slots=True)
class _Layers:
    """Two blocks of layers along z, by their first layers; `depth` is that of the deepest."""

    first: int
    second: int
    depth: int


def autocorrelation(array: Volume, kept: npt.NDArray[np.bool_], spacing_mm: Spacing, *, most_padded: int = MOST_PADDED) -> Features:
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

    >>> f = autocorrelation(np.array([[[0.0]], [[1.0]]]), np.ones((2, 1, 1), bool), (1.0, 1.0, 1.0))
    >>> round(f.values["morph_moran_i"], 9), round(f.values["morph_geary_c"], 9)
    (-1.0, 1.0)
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


def _pair_sums(centred: Volume, kept: npt.NDArray[np.bool_], spacing: Spacing, most: int) -> _PairSums:
    x, y, z = centred.shape
    plane = 4 * scipy.fft.next_fast_len(x, True) * scipy.fft.next_fast_len(y, True)
    depth = min(z, max(1, most // (2 * plane)))
    starts = range(0, z, depth)
    parts = []
    for i, first in enumerate(starts):
        for second in starts[i:]:
            block = _block_sums(centred, kept, _Layers(first, second, depth), spacing)
            parts.append(block * (1.0 if first == second else 2.0))
    weight, product, square = np.sum(parts, axis=0)
    return _PairSums(float(weight), float(product), float(square))


def _block_sums(centred: Volume, kept: npt.NDArray[np.bool_], layers: _Layers, spacing: Spacing) -> npt.NDArray[np.float64]:
    """Return the weighted sums over pairs of one voxel of the first block of layers and one of the second.

    By Parseval: ``sum_lag w(lag) corr(lag) = sum_k W*(k) A*(k) B(k) / N``, so that nothing is transformed back. Only the transform
    along x is held; those along y and z are made for one of its frequencies at a time, for all of them are eight times the region.
    """
    size = tuple(2 * scipy.fft.next_fast_len(n, True) for n in (*centred.shape[:2], layers.depth))  # even, and at least 2 n - 1
    weights = _inverse_distance_spectrum(layers, size, spacing)
    first = second = _along_x(centred, kept, slice(layers.first, layers.first + layers.depth), size[0])
    if layers.first != layers.second:
        second = _along_x(centred, kept, slice(layers.second, layers.second + layers.depth), size[0])
    terms = np.zeros((3, size[0] // 2 + 1))
    for k in range(terms.shape[1]):
        mask_a, values_a, squares_a = a = [_sheet(part[k], size) for part in first]
        mask_b, values_b, squares_b = a if second is first else [_sheet(part[k], size) for part in second]
        products = (mask_a.conj() * mask_b, values_a.conj() * values_b, (squares_a.conj() * mask_b + mask_a.conj() * squares_b) / 2)
        weight = _unfolded(weights[k], size).conj()
        terms[:, k] = [(weight * product).real.sum() for product in products]
    # The half-spectrum along x holds both its ends once, all else twice.
    return np.asarray((2 * terms.sum(axis=1) - terms[:, 0] - terms[:, -1]) / math.prod(size))


def _along_x(centred: Volume, kept: npt.NDArray[np.bool_], block: slice, length: int) -> list[Spectrum]:
    """Return the transforms along x of mask, values and squares."""
    parts = (kept[:, :, block].astype(np.float64), centred[:, :, block], np.square(centred[:, :, block]))
    return [np.asarray(scipy.fft.rfft(part, length, axis=0)) for part in parts]


def _sheet(rows: Spectrum, size: tuple[int, ...]) -> Spectrum:
    """Return the transform along y and z, zero-padded; z first, so that no row of zeros is transformed."""
    return np.asarray(scipy.fft.fft(scipy.fft.fft(rows, size[2], axis=1), size[1], axis=0))


def _inverse_distance_spectrum(layers: _Layers, size: tuple[int, ...], spacing: Spacing) -> Spectrum | Volume:
    """Return the spectrum of 1/distance at each circular lag, 0 at no distance: the half from which symmetry gives the rest.

    Along x and y, and along z within one block, the weights are even, so that their transform is a cosine transform of half the lags.
    """
    lags = [np.arange(length // 2 + 1) * step for length, step in zip(size, spacing, strict=True)]
    offset = layers.second - layers.first
    if offset:
        circular = np.arange(size[2])
        circular[circular > size[2] // 2] -= size[2]
        lags[2] = (circular + offset) * spacing[2]
    weights = np.square(lags[0])[:, None, None] + np.square(lags[1])[:, None] + np.square(lags[2])
    np.sqrt(weights, out=weights)
    np.divide(1.0, weights, out=weights, where=weights > 0)
    if not offset:
        return np.asarray(scipy.fft.dctn(weights, 1))
    return np.asarray(scipy.fft.fft(scipy.fft.dctn(weights, 1, axes=(0, 1)), axis=2))


def _unfolded(half: Spectrum | Volume, size: tuple[int, ...]) -> Spectrum | Volume:
    """Return all frequencies along y and z from the half of them along y, and along z where it is a half too."""
    y, z = (np.minimum(np.arange(length), length - np.arange(length)) for length in size[1:])
    return half[y] if half.shape[1] == size[2] else half[np.ix_(y, z)]
