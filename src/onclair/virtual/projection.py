"""Parallel-beam projection of a slice, exact for square pixels: every entry is the area that a pixel shares with a strip.

Strip-area weights conserve counts at every angle, so that a reconstruction carries no scale of its own.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Rays:
    """The strips that a slice is measured along: `angles` views over half a turn, `bins` strips of `bin_mm` each, centred.

    Views stand at ``(k + 1/2) pi / angles``; with an even number of them none runs along a pixel's side.

    Examples
    --------
    >>> Rays(48, 64, 2.5).width_mm
    160.0
    """

    angles: int
    bins: int
    bin_mm: float

    @property
    def width_mm(self) -> float:
        """Width that the strips of one view cover."""
        return self.bins * self.bin_mm


def shared_area(offset_mm: Floats, pixel_mm: float, angle: float, bin_mm: float) -> Floats:
    """Return the area that a square pixel shares with an infinite strip.

    Parameters
    ----------
    offset_mm : ndarray
        Signed distance between the pixel's centre and the strip's midline, in mm.
    pixel_mm : float
        Side of the pixel.
    angle : float
        Of the strip's normal with the x axis, in radians; not a multiple of a right angle.
    bin_mm : float
        Width of the strip.

    Returns
    -------
    ndarray
        In mm2: the pixel's shadow, a trapezium, is the convolution of two boxes, and the strip is a third (a quadratic spline).

    Examples
    --------
    >>> float(shared_area(np.array([0.0]), 1.0, np.pi / 4, 10.0)[0].round(9))  # a pixel wholly within the strip
    1.0
    >>> float(shared_area(np.array([5.0]), 1.0, np.pi / 4, 10.0)[0].round(9))  # one that the strip's edge halves
    0.5
    """
    cosine, sine = abs(np.cos(angle)), abs(np.sin(angle))
    total = np.zeros_like(np.asarray(offset_mm, dtype=np.float64))
    for a, b, c in itertools.product((-0.5, 0.5), repeat=3):
        reach = offset_mm + a * pixel_mm * cosine + b * pixel_mm * sine + c * bin_mm
        total += np.sign(a * b * c) * np.square(np.maximum(reach, 0.0))
    return np.asarray(np.maximum(total / (2.0 * cosine * sine), 0.0))


@lru_cache(maxsize=64)
def projector(pixels: int, pixel_mm: float, rays: Rays) -> sparse.csr_array:
    """Return the matrix that turns a square slice into its sinogram.

    Parameters
    ----------
    pixels : int
        Along each side; the slice is centred on the rays' axis.
    pixel_mm : float
    rays : Rays

    Returns
    -------
    scipy.sparse.csr_array, float32, shape (angles * bins, pixels * pixels)
        Entries in mm2; rows angle by angle, columns as ``slice.ravel()`` of a slice (x, y).

    Examples
    --------
    >>> matrix = projector(4, 2.0, Rays(6, 8, 2.0))
    >>> sinogram = (matrix @ np.ones(16)).reshape(6, 8)
    >>> sinogram.sum(axis=1).round(3).tolist()  # 4 x 4 pixels of 4 mm2, seen whole from everywhere
    [64.0, 64.0, 64.0, 64.0, 64.0, 64.0]
    """
    place = (np.arange(pixels) - (pixels - 1) / 2) * pixel_mm
    x, y = (side.ravel() for side in np.meshgrid(place, place, indexing="ij"))
    views = [_view(x, y, pixel_mm, (k + 0.5) * np.pi / rays.angles, rays) for k in range(rays.angles)]
    return sparse.csr_array(sparse.vstack(views).astype(np.float32))


def _view(x: Floats, y: Floats, pixel_mm: float, angle: float, rays: Rays) -> sparse.csr_array:
    """Return the rows of one view, shape (bins, pixels squared)."""
    along = x * np.cos(angle) + y * np.sin(angle)
    reach = (pixel_mm * (abs(np.cos(angle)) + abs(np.sin(angle))) + rays.bin_mm) / 2
    first = np.ceil((along - reach) / rays.bin_mm + (rays.bins - 1) / 2).astype(int)
    bins = first[:, None] + np.arange(int(np.ceil(2 * reach / rays.bin_mm)) + 1)
    middle = (bins - (rays.bins - 1) / 2) * rays.bin_mm
    area = shared_area(middle - along[:, None], pixel_mm, angle, rays.bin_mm)
    pixel = np.broadcast_to(np.arange(x.size)[:, None], bins.shape)
    seen = (bins >= 0) & (bins < rays.bins) & (area > 1e-9)
    return sparse.csr_array((area[seen], (bins[seen], pixel[seen])), shape=(rays.bins, x.size))


def averaging(fine: int, fine_mm: float, coarse: int, coarse_mm: float) -> sparse.csr_array:
    """Return the matrix that averages a fine row of cells over coarse ones, both rows centred on the same point.

    Parameters
    ----------
    fine, coarse : int
        Numbers of cells.
    fine_mm, coarse_mm : float
        Their sizes.

    Returns
    -------
    scipy.sparse.csr_array, float64, shape (coarse, fine)
        Overlap over `coarse_mm`; rows sum to one where the fine row covers the coarse cell, and cells beyond it count as zero.

    Examples
    --------
    >>> averaging(4, 1.0, 2, 2.0).toarray().tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    low = (np.arange(fine) - fine / 2) * fine_mm
    start = (np.arange(coarse) - coarse / 2) * coarse_mm
    overlap = np.minimum(low + fine_mm, start[:, None] + coarse_mm) - np.maximum(low, start[:, None])
    return sparse.csr_array(np.maximum(overlap, 0.0) / coarse_mm)
