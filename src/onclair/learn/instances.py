"""Lesions from a probability map: connected candidates, none too small, each near bone, with a score of how likely it is malignant."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadInput, BadSetting
from onclair.core.geometry import Affine, spacing_mm
from onclair.learn.instance_scores import FEATURES, ScoreModel, features_of
from onclair.science.volumes.components import components

Instances: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]
#: Candidates below this equivalent diameter are noise: lesions of interest start at 4 mm.
LEAST_MM = 3.0
#: So near must a candidate come to bone; a mask found without learning may miss what a lesion destroyed.
NEAR_BONE_MM = 4.0


def candidates(
    probability: npt.NDArray[Any],
    bone_mask: npt.NDArray[Any] | None,
    affine: Affine,
    *,
    threshold: float,
    hu: npt.NDArray[Any] | None = None,
    scores: ScoreModel | None = None,
) -> tuple[Instances, tuple[float, ...]]:
    """Return the candidates of a probability map and the score of each.

    Parameters
    ----------
    probability : ndarray, shape (x, y, z)
        Of any lesion, 0 to 1.
    bone_mask : ndarray of bool, shape (x, y, z), or None
        A candidate must come within 4 mm of it; None asks for no bone.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    threshold : float
        A voxel belongs to a candidate from this probability on.
    hu : ndarray, shape (x, y, z), optional
        Without it, a calibrated score does without what the scan itself says (see :mod:`onclair.learn.instance_scores`).
    scores : ScoreModel, optional
        The calibration; without it a candidate's score is its 98th percentile of probability, which is no chance of anything.

    Returns
    -------
    instances : ndarray, int32, shape (x, y, z)
        26-connected parts, 1, 2, ...; 0 outside. Parts of less than 3 mm in equivalent diameter are left out.
    scores : tuple of float
        Of instance 1, 2, ..., between 0 and 1.

    Raises
    ------
    BadSetting
        For a threshold outside (0, 1).
    BadInput
        For arrays of different shapes.

    Examples
    --------
    >>> probability = np.zeros((9, 9, 9)); probability[2:6, 2:6, 2:6] = 0.8; probability[8, 8, 8] = 0.9
    >>> instances, found = candidates(probability, None, np.eye(4), threshold=0.5)
    >>> int(instances.max()), int((instances == 1).sum()), found
    (1, 64, (0.8,))
    """
    instances, _ = _parts(probability, bone_mask, affine, threshold, hu)
    table = table_of(probability, bone_mask, affine, instances, hu=hu)
    if scores is not None:
        return instances, tuple(float(each) for each in scores.apply(table))
    peak = 1 / (1 + np.exp(-table[:, FEATURES.index("peak")]))
    return instances, tuple(round(float(each), 12) for each in peak)


def table_of(
    probability: npt.NDArray[Any],
    bone_mask: npt.NDArray[Any] | None,
    affine: Affine,
    instances: Instances,
    *,
    hu: npt.NDArray[Any] | None = None,
) -> Floats:
    """Return what is known of each candidate, shape (candidates, features): see :data:`onclair.learn.instance_scores.FEATURES`.

    Parameters
    ----------
    probability, bone_mask, affine, hu
        As :func:`candidates`.
    instances : ndarray, int32, shape (x, y, z)
        Numbered from 1 without a gap.
    """
    found = ndimage.find_objects(instances)
    rows = [features_of(probability, bone_mask, affine, instances, (number, box), hu) for number, box in enumerate(found, start=1)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


def overlaps(instances: Instances, truth: npt.NDArray[Any]) -> Floats:
    """Return the intersection over union of every candidate with every true lesion, shape (candidates, lesions), in order of their numbers.

    Parameters
    ----------
    instances : ndarray, int32, shape (x, y, z)
        Numbered from 1 without a gap.
    truth : ndarray of integers, shape (x, y, z)
        Any numbers; 0 outside.

    Examples
    --------
    >>> overlaps(np.array([1, 1, 0, 2], np.int32).reshape(4, 1, 1), np.array([0, 7, 7, 0]).reshape(4, 1, 1)).round(3).tolist()
    [[0.333], [0.0]]
    """
    here = (instances > 0) | (truth > 0)
    found = instances[here].astype(np.int64)
    numbers, drawn = np.unique(np.append(truth[here], 0), return_inverse=True)
    count, most = int(found.max(initial=0)) + 1, len(numbers)
    joint = np.bincount(found * most + drawn[:-1], minlength=count * most).reshape(count, most)
    both = joint[1:, 1:]
    return np.asarray(both / np.maximum(joint.sum(axis=1)[1:, None] + joint.sum(axis=0)[None, 1:] - both, 1), dtype=np.float64)


def _parts(
    probability: npt.NDArray[Any], bone_mask: npt.NDArray[Any] | None, affine: Affine, threshold: float, hu: npt.NDArray[Any] | None
) -> tuple[Instances, int]:
    if not 0 < threshold < 1:
        raise BadSetting(f"The threshold is {threshold:g}; it must lie between 0 and 1.", item="threshold")
    for name, array in (("bone mask", bone_mask), ("CT", hu)):
        if array is not None and array.shape != probability.shape:
            raise BadInput(f"The {name} is of shape {array.shape} where the probability map is {probability.shape}; bring them together.")
    parts, count = components(probability >= threshold)
    if not count:
        return parts, 0
    voxel = float(abs(np.linalg.det(affine[:3, :3])))
    sizes = np.bincount(parts.ravel(), minlength=count + 1) * voxel
    keep = sizes >= np.pi / 6 * LEAST_MM**3
    keep[0] = False
    if bone_mask is not None:
        for number, box in enumerate(ndimage.find_objects(parts), start=1):
            keep[number] = keep[number] and _near(parts, number, box, bone_mask, affine)
    numbers = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return numbers[parts], int(keep.sum())


def _near(parts: Instances, number: int, box: tuple[slice, ...], bone_mask: npt.NDArray[Any], affine: Affine) -> bool:
    """Return whether a part comes near bone."""
    reach = [int(np.ceil(NEAR_BONE_MM / each)) for each in spacing_mm(affine)]
    wide = tuple(slice(max(cut.start - far, 0), cut.stop + far) for cut, far in zip(box, reach, strict=True))
    if not bone_mask[wide].any():
        return False
    apart = ndimage.distance_transform_edt(bone_mask[wide] == 0, spacing_mm(affine))
    return bool((apart[parts[wide] == number] <= NEAR_BONE_MM).any())
