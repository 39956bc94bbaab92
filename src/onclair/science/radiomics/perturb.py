"""Small changes that a second scan and a second reader would bring: turned, moved, noisier, a larger or smaller outline.

Zwanenburg et al., Sci Rep 2019;9:614, doi:10.1038/s41598-018-36938-4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.cluster.vq import kmeans2

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.roi import box_around

Region = npt.NDArray[np.bool_]
Volume = npt.NDArray[Any]
#: Voxels around the outline's box that take part in a turn or a shift.
MARGIN = 4
#: A supervoxel belongs to the outline with the probability of its share inside it, from this share on.
SLIVER = 0.2
#: A supervoxel holds about so many voxels.
VOXELS_A_CELL = 30


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One small change.

    Attributes
    ----------
    how : {"rotate", "translate", "noise", "volume", "contour"}
    by : float
        Degrees about the slice axis; share of a voxel along x, y and z; the image's own noise so many times; share of the volume
        by which the outline grows (or, negative, shrinks); nothing for a contour.
    """

    how: str
    by: float = 0.0


#: What an audit tries.
PERTURBATIONS: Mapping[str, Perturbation] = MappingProxyType(
    {
        "rotated": Perturbation("rotate", 6.0),
        "rotated-back": Perturbation("rotate", -6.0),
        "moved": Perturbation("translate", 0.5),
        "noisier": Perturbation("noise", 1.0),
        "grown": Perturbation("volume", 0.15),
        "shrunk": Perturbation("volume", -0.15),
        "recontoured": Perturbation("contour"),
    }
)


def perturbed(array: Volume, region: Region, change: Perturbation, rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], Region]:
    """Return image and outline after a small change, on the same grid.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Not changed.
    region : ndarray, bool, shape (x, y, z)
    change : Perturbation
    rng : numpy.random.Generator
        Of noise and of contours.

    Returns
    -------
    (ndarray, float64, ndarray, bool)
        Linear interpolation, the outline at one half; an outline that a change would empty stays as it is. Noise takes no voxel
        below the least of the image, as a scanner's reconstruction would not.

    Raises
    ------
    BadSetting
        For an unknown change.

    Examples
    --------
    >>> a = np.zeros((9, 9, 3)); m = np.zeros(a.shape, bool); m[3:6, 3:6, 1] = True
    >>> int(perturbed(a, m, Perturbation("volume", 0.2), np.random.default_rng(0))[1].sum())
    11
    """
    image = np.asarray(array, dtype=np.float64)
    if change.how in ("rotate", "translate"):
        return _moved(image, region, change)
    if change.how == "noise":
        noisy = image + change.by * noise_level(image, region) * rng.standard_normal(image.shape)
        return np.maximum(noisy, image.min()), region
    if change.how == "volume":
        return image, grown(region, 1.0 + change.by)
    if change.how == "contour":
        return image, recontoured(image, region, rng)
    raise BadSetting(f"A perturbation cannot be '{change.how}'; {did_you_mean(change.how, [p.how for p in PERTURBATIONS.values()])}")


def noise_level(array: npt.NDArray[np.float64], region: Region) -> float:
    """Return the standard deviation of an image's noise, from the median of its finest diagonal Haar details about the outline.

    References
    ----------
    Donoho & Johnstone 1994, doi:10.1093/biomet/81.3.425, section 4.2 (the median over 0.6745).

    Examples
    --------
    >>> noisy = np.random.default_rng(0).standard_normal((40, 40, 10))
    >>> round(noise_level(noisy, np.ones(noisy.shape, bool)), 1)
    1.0
    """
    near = array[_wider(region)]
    details = (near[:-1, :-1] - near[1:, :-1] - near[:-1, 1:] + near[1:, 1:]) / 2.0
    return float(np.median(np.abs(details)) / 0.6745) if details.size else 0.0


def grown(region: Region, factor: float) -> Region:
    """Return an outline of `factor` times as many voxels: the nearest outside are added, or those nearest to its border taken.

    Parameters
    ----------
    region : ndarray, bool, shape (x, y, z)
    factor : float
        At least one voxel stays.

    Examples
    --------
    >>> m = np.zeros((9, 9, 1), bool); m[3:6, 3:6] = True
    >>> int(grown(m, 1.5).sum()), int(grown(m, 0.5).sum())
    (14, 5)
    """
    box = _wider(region)
    inside = region[box]
    wanted = max(math.floor(float(inside.sum()) * factor + 0.5), 1)
    distance = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    nearest = np.argsort(distance.ravel(), kind="stable")[:wanted]
    result = np.zeros(inside.size, dtype=np.bool_)
    result[nearest] = True
    whole = np.zeros(region.shape, dtype=np.bool_)
    whole[box] = result.reshape(inside.shape)
    return whole


def recontoured(array: npt.NDArray[np.float64], region: Region, rng: np.random.Generator) -> Region:
    """Return an outline drawn anew along the image's own patches: each is in with the probability of its share inside.

    Patches are clusters of voxels alike in place and intensity, as supervoxels are.

    Examples
    --------
    >>> a = np.add.outer(np.arange(12.0), np.arange(12.0))[:, :, None]; m = a < 10
    >>> drawn = recontoured(a, m, np.random.default_rng(1))
    >>> bool(drawn.any()), drawn.shape == m.shape
    (True, True)
    """
    box = _wider(region)
    near, inside = array[box], region[box]
    places = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float64) for n in near.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    close = ndimage.binary_dilation(inside, iterations=2).ravel() & ~ndimage.binary_erosion(inside, iterations=2).ravel()
    cells = max(int(close.sum()) // VOXELS_A_CELL, 2)
    spread = float(near.std()) or 1.0
    side = VOXELS_A_CELL ** (1 / 3)
    points = np.column_stack([places[close] / side, near.ravel()[close] / spread])
    starts = points[rng.choice(len(points), min(cells, len(points)), replace=False)]
    _, which = kmeans2(points, starts, iter=5, minit="matrix", missing="warn")
    share = np.bincount(which, weights=inside.ravel()[close], minlength=len(starts)) / np.maximum(
        np.bincount(which, minlength=len(starts)), 1
    )
    kept = (rng.uniform(size=len(starts)) < share) & (share >= SLIVER)
    result = inside.ravel().copy()
    result[close] = kept[which]
    whole = np.zeros(region.shape, dtype=np.bool_)
    whole[box] = result.reshape(inside.shape)
    return whole if whole.any() else region


def _moved(image: npt.NDArray[np.float64], region: Region, change: Perturbation) -> tuple[npt.NDArray[np.float64], Region]:
    """Turn about the outline's centre, or shift, within a box around the outline."""
    box = _wider(region)
    near, inside = image[box], region[box].astype(np.float64)
    centre = np.array(ndimage.center_of_mass(inside))
    turn, shift = np.eye(3), np.zeros(3)
    if change.how == "rotate":
        angle = math.radians(change.by)
        turn[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    else:
        shift[:] = change.by * (np.array(near.shape) > 1)
    offset = centre - turn @ centre - shift
    moved = ndimage.affine_transform(near, turn, offset=offset, order=1, mode="nearest")
    outline = ndimage.affine_transform(inside, turn, offset=offset, order=1, mode="constant") >= 0.5
    result, whole = image.copy(), np.zeros(region.shape, dtype=np.bool_)
    result[box] = moved
    whole[box] = outline
    return (result, whole) if whole.any() else (image, region)


def _wider(region: Region) -> tuple[slice, slice, slice]:
    x, y, z = (slice(max(part.start - MARGIN, 0), part.stop + MARGIN) for part in box_around(region))
    return x, y, z
