"""Where a lesion ends is uncertain: masks drawn from the probability that each voxel belongs to it, with noise that neighbours share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from onclair.core.errors import BadSetting

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: How far two readers' outlines of one lesion lie apart, standard deviation in mm: about half a pixel to one of a staging CT. It sizes the
#: noise where a mask comes without a probability. The house's choice; the virtual readers disagree by as much.
READERS_MM = 1.0
#: Over which distance the disagreement keeps its sign.
CORRELATED_MM = 5.0
#: Probabilities nearer to 0 or 1 are certain.
CERTAIN = 1e-3


def probability_of(lesion: Flags, spacing_mm: tuple[float, float, float], *, readers_mm: float = READERS_MM) -> Floats:
    """Return the probability that each voxel belongs to a lesion of which only a mask is known.

    Parameters
    ----------
    lesion : ndarray, bool, shape (x, y, z)
    spacing_mm : tuple of float
    readers_mm : float
        Standard deviation of the outline.

    Returns
    -------
    ndarray, float64, shape (x, y, z)
        The normal distribution of the signed distance to the outline; 0.5 on it.

    Raises
    ------
    BadSetting
        For a deviation that is not positive.

    Examples
    --------
    >>> half = np.zeros((10, 7, 7), bool); half[5:] = True
    >>> probability_of(half, (1.0, 1.0, 1.0))[4:7, 3, 3].round(2).tolist()  # 0.5 mm outside, 0.5 and 1.5 mm inside
    [0.31, 0.69, 0.93]
    """
    if not readers_mm > 0:
        raise BadSetting(f"The readers' disagreement is {readers_mm} mm; give a positive length.", item="readers_mm")
    if not lesion.any():
        return np.zeros(lesion.shape)
    half = min(spacing_mm) / 2.0
    padded = np.pad(lesion, 1)
    inside = ndimage.distance_transform_edt(padded, sampling=spacing_mm)
    outside = ndimage.distance_transform_edt(~padded, sampling=spacing_mm)
    signed = np.where(padded, inside - half, half - outside)[1:-1, 1:-1, 1:-1]
    return np.asarray(special.ndtr(signed / readers_mm))


def outline_masks(
    probability: Floats,
    spacing_mm: tuple[float, float, float],
    *,
    count: int,
    rng: np.random.Generator,
    correlated_mm: float = CORRELATED_MM,
) -> Iterator[Flags]:
    """Yield masks in each of which a voxel lies with its own probability, and neighbours lie together.

    Parameters
    ----------
    probability : ndarray, float64, shape (x, y, z)
        Calibrated, in [0, 1].
    spacing_mm : tuple of float
    count : int
    rng : Generator
    correlated_mm : float
        Correlation length of the noise.

    Yields
    ------
    ndarray, bool, shape (x, y, z)

    Raises
    ------
    BadSetting
        For fewer than one mask.

    Notes
    -----
    A Gaussian copula: ``normal quantile of p + smooth noise of unit variance > 0``.

    Examples
    --------
    >>> masks = list(outline_masks(np.full((6, 6, 6), 0.7), (4.0, 4.0, 4.0), count=200, rng=np.random.default_rng(0)))
    >>> round(float(np.mean(masks)), 1)
    0.7
    """
    if count < 1:
        raise BadSetting(f"The number of outlines is {count}; give at least 1.", item="samples")
    latent = special.ndtri(np.clip(probability, CERTAIN, 1.0 - CERTAIN))
    certain = np.where(probability <= CERTAIN, -np.inf, np.where(probability >= 1.0 - CERTAIN, np.inf, 0.0))
    width = [correlated_mm / edge / np.sqrt(2.0) for edge in spacing_mm]
    margin = [int(np.ceil(3.0 * each)) for each in width]
    shape = tuple(n + 2 * m for n, m in zip(probability.shape, margin, strict=True))
    middle = tuple(slice(m, n - m) for n, m in zip(shape, margin, strict=True))
    unit = _deviation(width)
    for _ in range(count):
        noise = ndimage.gaussian_filter(rng.standard_normal(shape), width)[middle] / unit
        yield np.asarray(latent + noise + certain > 0)


def _deviation(width: list[float]) -> float:
    """Return the standard deviation that white noise keeps under the filter."""
    kept = 1.0
    for each in width:
        size = 2 * int(4.0 * each + 0.5) + 1
        weights = ndimage.gaussian_filter1d(np.eye(1, size, size // 2)[0], each)
        kept *= float((weights**2).sum())
    return float(np.sqrt(kept))
