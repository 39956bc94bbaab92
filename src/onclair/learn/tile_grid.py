"""The grid that a network sees and the tiles that cover it; shared by training and by inference, so that both show scans alike."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.geometry import Affine, spacing_mm
from onclair.science.volumes.resample import resampled

Singles: TypeAlias = npt.NDArray[np.float32]
Triple: TypeAlias = tuple[int, int, int]
#: Share of a tile by which neighbours are apart, and the Gaussian's width as a share of the tile (nnU-Net's).
STEP, SIGMA = 0.5, 1 / 8
#: A spacing that differs by less is left as it is.
SAME_SPACING = 1e-3


def upright(array: npt.NDArray[Any], affine: Affine) -> tuple[npt.NDArray[Any], Affine]:
    """Return a volume with its axes flipped and permuted so that they run to the left, back and head, as nearly as its grid allows.

    Parameters
    ----------
    array : ndarray, shape (x, y, z)
        A view of it comes back; nothing is resampled.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.

    Examples
    --------
    >>> array, affine = upright(np.arange(3).reshape(1, 1, 3), np.array([[0, 0, -2.0, 4], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]))
    >>> array.ravel().tolist(), affine[:3, :3].diagonal().tolist(), affine[:3, 3].tolist()
    ([2, 1, 0], [2.0, 1.0, 1.0], [0.0, 0.0, 0.0])
    """
    columns = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    order = max(itertools.permutations(range(3)), key=lambda each: sum(abs(columns[row, axis]) for row, axis in enumerate(each)))
    moved, index = np.transpose(array, order), np.zeros((4, 4))
    index[3, 3] = 1.0
    cut = []
    for row, axis in enumerate(order):
        flip = columns[row, axis] < 0
        index[axis, row] = -1.0 if flip else 1.0
        index[axis, 3] = array.shape[axis] - 1.0 if flip else 0.0
        cut.append(slice(None, None, -1) if flip else slice(None))
    return moved[tuple(cut)], affine @ index


def shown(hu: npt.NDArray[Any], affine: Affine, spacing: tuple[float, float, float]) -> tuple[Singles, Affine]:
    """Return an upright scan on the network's grid: means over what becomes coarser, straight lines over what becomes finer.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
        Upright.
    affine : ndarray, shape (4, 4)
    spacing : (float, float, float)
        Of the network's grid in mm.

    Returns
    -------
    array : ndarray, float32
    affine : ndarray, shape (4, 4)

    Notes
    -----
    nnU-Net interpolates by splines of order 3 even where it coarsens; a mean keeps what lies between the new centres and tames the noise.

    Examples
    --------
    >>> shown(np.array([0, 10, 20, 30], np.int16).reshape(4, 1, 1), np.eye(4), (2.0, 1.0, 1.0))[0].ravel().tolist()
    [5.0, 25.0]
    """
    old = np.array(spacing_mm(affine))
    coarser = _spacing(np.where(np.array(spacing) > old * (1 + SAME_SPACING), spacing, old))
    finer = _spacing(np.where(np.array(spacing) < old * (1 - SAME_SPACING), spacing, coarser))
    array, moved = np.asarray(hu), affine
    if coarser != _spacing(old):
        array, moved = resampled(array, moved, coarser, order="average")
    if finer != coarser:
        array, moved = resampled(array, moved, finer, order="linear")
    return np.ascontiguousarray(array, dtype=np.float32), moved


def shown_share(mask: npt.NDArray[Any], affine: Affine, spacing: tuple[float, float, float], shape: Sequence[int]) -> Singles:
    """Return how much of each voxel of the network's grid is inside a region, 0 to 1.

    Parameters
    ----------
    mask : ndarray, shape (x, y, z)
        Upright; what is not zero is inside.
    affine : ndarray, shape (4, 4)
    spacing : (float, float, float)
    shape : sequence of int
        Of the scan on that grid.
    """
    old = np.array(spacing_mm(affine))
    to = _spacing(np.where(np.abs(np.array(spacing) / old - 1) <= SAME_SPACING, old, spacing))
    share, _ = resampled((mask != 0).astype(np.float32), affine, to, order="average", shape=(int(shape[0]), int(shape[1]), int(shape[2])))
    return np.asarray(share, dtype=np.float32)


def starts_of(length: int, patch: int) -> list[int]:
    """Return where tiles start along an axis: evenly spread, neighbours at most half a tile apart.

    Examples
    --------
    >>> starts_of(100, 40), starts_of(30, 40)
    ([0, 20, 40, 60], [0])
    >>> starts_of(90, 40)
    [0, 17, 33, 50]
    """
    last = length - patch
    if last <= 0:
        return [0]
    steps = int(np.ceil(last / (patch * STEP)))
    return [int(np.rint(last * step / steps)) for step in range(steps + 1)]


def bell(patch: Sequence[int]) -> Singles:
    """Return the weight of each voxel of a tile: a Gaussian about its centre, an eighth of the tile wide, 1 at the peak, never 0.

    References
    ----------
    Isensee et al., Nat Methods 2021;18:203-211, doi:10.1038/s41592-020-01008-z, methods, "inference".

    Examples
    --------
    >>> [round(float(each), 3) for each in bell((5, 1, 1)).ravel()]
    [0.006, 0.278, 1.0, 0.278, 0.006]
    """
    sides = [np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / (n * SIGMA)) ** 2) for n in patch]
    weights = sides[0][:, None, None] * sides[1][None, :, None] * sides[2][None, None, :]
    weights /= weights.max()
    return np.asarray(np.maximum(weights, weights[weights > 0].min()), dtype=np.float32)


def padded(array: npt.NDArray[Any], patch: Sequence[int], value: float) -> tuple[npt.NDArray[Any], Triple]:
    """Return a volume that is at least a tile long along each axis, filled up evenly on both sides, and what was put before it.

    Examples
    --------
    >>> padded(np.ones((1, 2, 1)), (4, 2, 1), 0.0)[0].ravel().tolist(), padded(np.ones((1, 2, 1)), (4, 2, 1), 0.0)[1]
    ([0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], (1, 0, 0))
    """
    lack = [max(0, size - length) for size, length in zip(patch, array.shape, strict=True)]
    before = (lack[0] // 2, lack[1] // 2, lack[2] // 2)
    if not any(lack):
        return array, before
    return np.pad(array, [(b, total - b) for b, total in zip(before, lack, strict=True)], constant_values=value), before


def _spacing(values: npt.NDArray[Any]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
