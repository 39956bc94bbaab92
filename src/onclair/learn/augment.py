"""How a patch is varied each time it is seen: turned, scaled, mirrored; noise, sharpness, contrast and slices as scanners differ in.

Everything is drawn from the generator that is given. Plain NumPy and SciPy: MONAI's transforms keep generators of their own, which would
have to be set before each patch and written into every checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Singles: TypeAlias = npt.NDArray[np.float32]
Labels: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float64]
#: How often a patch is turned and scaled, how far (radians; a factor), and how often each axis is mirrored.
TURNED, ANGLE, SCALE, MIRRORED = 0.35, 0.35, 1.25, 0.5
#: How often noise, another kernel, another contrast, another offset, thicker slices.
NOISY, FILTERED, CONTRASTED, SHIFTED, THICKENED = 0.35, 0.3, 0.35, 0.35, 0.15


def cut_out(
    image: npt.NDArray[Any], label: npt.NDArray[Any], centre: Floats, patch: Sequence[int], air: float, *, frame: Floats | None = None
) -> tuple[Singles, Labels]:
    """Return a patch about a place, beyond the faces filled with air and background.

    Parameters
    ----------
    image, label : ndarray, shape (x, y, z)
    centre : ndarray, shape (3,)
        In voxels; the middle of the patch, rounded where nothing is turned.
    patch : sequence of 3 ints
    air : float
    frame : ndarray, shape (3, 3), optional
        From the patch's axes to the scan's, in voxels; the identity when left out.

    Examples
    --------
    >>> line = np.arange(5.0).reshape(5, 1, 1)
    >>> cut_out(line, line > 2, np.array([4.0, 0.0, 0.0]), (3, 1, 1), -1.0)[0].ravel().tolist()
    [3.0, 4.0, -1.0]
    """
    if frame is None:
        first = np.rint(centre - (np.array(patch) - 1) / 2).astype(int)
        return _box(image, first, patch, air).astype(np.float32), _box(label, first, patch, 0).astype(np.uint8)
    grid = np.stack(np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in patch], indexing="ij"), axis=-1)
    places = grid @ frame.T + centre
    first = np.floor(places.min(axis=(0, 1, 2))).astype(int)
    size = np.ceil(places.max(axis=(0, 1, 2))).astype(int) - first + 1
    within = np.moveaxis(places - first, -1, 0)
    turned = ndimage.map_coordinates(_box(image, first, size, air).astype(np.float32), within, order=1, mode="nearest")
    drawn = ndimage.map_coordinates(_box(label, first, size, 0).astype(np.uint8), within, order=0, mode="nearest")
    return turned.astype(np.float32), drawn.astype(np.uint8)


def drawn_frame(spacing_mm: Sequence[float], rng: np.random.Generator) -> Floats | None:
    """Return how a patch is turned and scaled this time, or None: about all axes where voxels are cubes, else within the slice.

    Examples
    --------
    >>> frames = [drawn_frame((1.0, 1.0, 5.0), np.random.default_rng(seed)) for seed in range(9)]
    >>> any(frame is None for frame in frames), all(frame[2, 0] == 0 for frame in frames if frame is not None)
    (True, True)
    """
    if rng.random() >= TURNED:
        return None
    spacing = np.array(spacing_mm, dtype=np.float64)
    angles = rng.uniform(-ANGLE, ANGLE, 3)
    if spacing.max() > 1.5 * spacing.min():
        angles = np.where(np.arange(3) == int(np.argmax(spacing)), angles, 0.0)
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        step = np.eye(3)
        step[a, a] = step[b, b] = np.cos(angle)
        step[a, b], step[b, a] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    factor = SCALE ** rng.uniform(-1.0, 1.0)
    return np.asarray((turn * factor) * spacing[None, :] / spacing[:, None])


def varied(image: Singles, label: Labels, rng: np.random.Generator) -> tuple[Singles, Labels]:
    """Return a patch mirrored and as another scanner might have shown it.

    Parameters
    ----------
    image : ndarray, float32, shape (x, y, z)
        Normalised HU: 1 is a standard deviation of lesions.
    label : ndarray, uint8, shape (x, y, z)
    rng : numpy Generator
    """
    flips = tuple(slice(None, None, -1 if flip else 1) for flip in rng.random(3) < MIRRORED)
    image, label = image[flips], label[flips]
    if rng.random() < THICKENED:
        image = _thick(image, int(rng.integers(3)), int(rng.integers(2, 4)))
    if rng.random() < FILTERED:
        image = _filtered(image, float(rng.uniform(-1.0, 1.0)))
    if rng.random() < CONTRASTED:
        image = image * np.float32(rng.uniform(0.8, 1.25))
    if rng.random() < SHIFTED:
        image = image + np.float32(rng.normal(0.0, 0.15))
    if rng.random() < NOISY:
        image = image + rng.normal(0.0, rng.uniform(0.0, 0.3), image.shape).astype(np.float32)
    return np.ascontiguousarray(image, dtype=np.float32), np.ascontiguousarray(label)


def _filtered(image: Singles, how: float) -> Singles:
    """Return the patch softer (`how` above 0) or sharper (below 0), as another reconstruction kernel has it."""
    soft = ndimage.gaussian_filter(image, 0.4 + 0.6 * abs(how))
    return np.asarray(soft if how > 0 else image + abs(how) * (image - soft), dtype=np.float32)


def _thick(image: Singles, axis: int, times: int) -> Singles:
    """Return the patch as slices several times as thick would show it."""
    mean = ndimage.uniform_filter1d(image, times, axis=axis)
    at = np.arange(image.shape[axis])
    return np.asarray(np.take(mean, np.minimum(at - at % times + times // 2, at[-1]), axis=axis))


def _box(array: npt.NDArray[Any], first: npt.NDArray[Any], size: Sequence[int] | npt.NDArray[Any], fill: float) -> npt.NDArray[Any]:
    """Return a box of the array, filled where it reaches beyond."""
    low, high = np.maximum(first, 0), np.minimum(first + np.asarray(size), array.shape)
    out = np.full(tuple(int(n) for n in size), fill, dtype=array.dtype if array.dtype.kind != "b" else np.uint8)
    if (high > low).all():
        to = tuple(slice(int(a), int(b)) for a, b in zip(low - first, high - first, strict=True))
        out[to] = array[tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))]
    return out
