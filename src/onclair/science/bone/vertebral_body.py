"""Which part of a vertebra is its body: the thick part, found by how far a ball reaches in, as no process or pedicle is half as thick."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput

Flags = npt.NDArray[np.bool_]

#: Radius of the ball that only the body holds, as a share of the largest ball in the vertebra.
BALL = 0.6
#: What lies this much further from the opened body still belongs to it: its rims.
RIM = 0.3
#: A labelled part with this share of its voxels in the body belongs to it.
MOSTLY = 0.5


def vertebral_body(bone: Flags, spacing_mm: tuple[float, float, float]) -> Flags:
    """Return the body of a vertebra.

    Parameters
    ----------
    bone : ndarray, bool, shape (x, y, z)
        One whole vertebra, marrow filled.
    spacing_mm : tuple of float

    Returns
    -------
    ndarray, bool, shape (x, y, z)

    Raises
    ------
    BadInput
        For an empty region.

    Examples
    --------
    A block of 20 x 20 x 14 voxels with a process of 4 x 20 x 4 behind it:

    >>> bone = np.zeros((24, 44, 18), bool); bone[2:22, 2:22, 2:16] = True; bone[10:14, 22:42, 7:11] = True
    >>> body = vertebral_body(bone, (1.0, 1.0, 1.0))
    >>> bool(body[12, 12, 9]), bool(body[12, 35, 9]), bool((body & ~bone).any())
    (True, False, False)
    """
    if not bone.any():
        raise BadInput("The vertebra has no voxel; give the label of one that is there.", item="bone-mask")
    depth = ndimage.distance_transform_edt(np.pad(bone, 1), sampling=spacing_mm)[1:-1, 1:-1, 1:-1]
    ball = BALL * float(depth.max())
    parts, count = ndimage.label(depth >= ball)
    largest = parts == (1 + int(np.argmax(ndimage.sum_labels(parts > 0, parts, np.arange(1, count + 1)))))
    reach = ndimage.distance_transform_edt(~largest, sampling=spacing_mm)
    return np.asarray(bone & (reach <= ball * (1.0 + RIM)))


def body_of_labels(labels: npt.NDArray[np.generic], chosen: Sequence[int], spacing_mm: tuple[float, float, float]) -> Flags:
    """Return the body of a vertebra that is given by one or by several labels.

    Parameters
    ----------
    labels : ndarray of integers, shape (x, y, z)
    chosen : sequence of int
        With several labels, those that lie mostly in the thick part are the body, whole; with one, the thick part itself.
    spacing_mm : tuple of float

    Returns
    -------
    ndarray, bool, shape (x, y, z)

    Examples
    --------
    >>> parts = np.zeros((24, 44, 18), int); parts[2:22, 2:22, 2:16] = 20; parts[10:14, 22:42, 7:11] = 48
    >>> bool((body_of_labels(parts, (20, 48), (1.0, 1.0, 1.0)) == (parts == 20)).all())
    True
    """
    body = vertebral_body(np.isin(labels, list(chosen)), spacing_mm)
    if len(chosen) == 1:
        return body
    mostly = [value for value in chosen if (labels == value).any() and body[labels == value].mean() > MOSTLY]
    return np.asarray(np.isin(labels, mostly)) if mostly else body
