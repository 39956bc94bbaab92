"""What stands in the place of a part that is covered."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting

Array = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Box = tuple[slice, ...]
Fill = float | Literal["surroundings", "outline-mean", "shuffled"]

FILLS = ("surroundings", "outline-mean", "shuffled")


def fill_of_piece(signal: Array, outline: Bools, box: Box, piece: Bools, fill: Fill, rng: np.random.Generator | None = None) -> Array:
    """Return what fills a piece of a patch.

    Parameters
    ----------
    signal : ndarray, the shape of `outline`, or with one axis more for channels
        A number fills all channels; a mean is each channel's own; samples in another order keep their channels together.
    outline : ndarray, bool
    box : tuple of slice
        The patch: one slice for each axis of the outline.
    piece : ndarray, bool, the shape of the patch
    fill : {"surroundings", "outline-mean", "shuffled"} or float
        The surroundings are the shell around the patch, half a patch wide, cut at the signal's end; a patch that is all of the signal
        has none, and is filled by its own mean.
    rng : Generator, optional

    Returns
    -------
    ndarray
        Of the signal's type (whole numbers rounded), to be broadcast into ``signal[box][piece]``.

    Raises
    ------
    BadSetting
        For "shuffled" without `rng`.

    Examples
    --------
    >>> signal, whole = np.array([1.0, 3.0, 9.0, 9.0, 5.0, 7.0]), np.ones(2, dtype=bool)
    >>> fill_of_piece(signal, np.ones(6, dtype=bool), (slice(2, 4),), whole, "surroundings").tolist()
    4.0
    """
    if fill == "surroundings":
        return _cast(_shell_mean(signal, box, outline.ndim), signal.dtype)
    if fill != "shuffled":
        return _plain_fill(signal, outline, fill)
    return _in_another_order(signal[box][piece], rng)


def fill_of_part(signal: Array, outline: Bools, part: Bools, fill: Fill, rng: np.random.Generator | None = None) -> Array:
    """Return what fills a part of any form, given as a mask `part` that holds at least one sample.

    Parameters and errors as :func:`fill_of_piece`; the surroundings are the samples that share a face, an edge or a corner with the part.

    Examples
    --------
    >>> signal, everything = np.array([1, 3, 9, 8, 4, 7], dtype=np.int16), np.ones(6, dtype=bool)
    >>> fill_of_part(signal, everything, np.array([0, 0, 1, 1, 0, 0], dtype=bool), "surroundings").tolist()
    4
    """
    if fill == "surroundings":
        ring = _touching(part)
        return _cast(signal[ring if ring.any() else part].mean(axis=0), signal.dtype)
    if fill != "shuffled":
        return _plain_fill(signal, outline, fill)
    return _in_another_order(signal[part], rng)


def _plain_fill(signal: Array, outline: Bools, fill: Fill) -> Array:
    return _cast(signal[outline].mean(axis=0) if fill == "outline-mean" else np.asarray(fill), signal.dtype)


def _shell_mean(signal: Array, box: Box, axes: int) -> Array:
    around = tuple(slice(max(s.start - _half(s), 0), min(s.stop + _half(s), signal.shape[i])) for i, s in enumerate(box))
    over = tuple(range(axes))
    whole, own = signal[around], signal[box]
    samples, covered = (int(np.prod(part.shape[:axes])) for part in (whole, own))
    if samples == covered:
        return np.asarray(own.mean(axis=over))
    return np.asarray((whole.sum(axis=over, dtype=np.float64) - own.sum(axis=over, dtype=np.float64)) / (samples - covered))


def _half(side: slice) -> int:
    length: int = side.stop - side.start
    return max(1, length // 2)


def _touching(part: Bools) -> Bools:
    from scipy import ndimage

    grown = ndimage.binary_dilation(part, structure=np.ones((3,) * part.ndim, dtype=bool))
    return np.asarray(grown & ~part)


def _in_another_order(samples: Array, rng: np.random.Generator | None) -> Array:
    if rng is None:
        raise BadSetting("Parts filled by their own samples in another order need a random generator; give rng.", item="rng")
    return np.asarray(samples[rng.permutation(len(samples))])


def _cast(value: Array, dtype: np.dtype[Any]) -> Array:
    """Return a value as the signal's type; whole numbers are rounded and kept within what the type can hold."""
    if dtype.kind == "f":
        return np.asarray(value, dtype=dtype)
    ends = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(value), ends.min, ends.max)).astype(dtype)
