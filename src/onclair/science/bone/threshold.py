"""The plain detector that a network must beat: holes and dense spots inside the bone, by two thresholds and a size."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.errors import BadSetting
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.volumes.components import components
from onclair.science.volumes.diameters import equivalent_diameter_mm, volume_ml

Region = npt.NDArray[np.bool_]
Instances = npt.NDArray[np.int32]
#: Below the one a voxel inside bone is a hole, above the other a dense spot; how deep inside they are looked for; the smallest diameter.
HOLE_HU, DENSE_HU, DEPTH_MM, LEAST_MM = 60.0, 450.0, 3.0, 4.0
#: Smoothing before the thresholds, so that noise makes no lesion.
SMOOTHING_MM = 1.5
#: HU beyond a threshold at which the score reaches one half, and the diameter at which it does.
_HALF_HU, _HALF_MM = 60.0, 12.0


def threshold_lesions(
    hu: npt.NDArray[Any], affine: Affine, bone: Region, *, hole_hu: float = HOLE_HU, dense_hu: float = DENSE_HU
) -> tuple[Instances, tuple[float, ...]]:
    """Return holes and dense spots inside bone, and a score for each that grows with depth of contrast and with size.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    bone : ndarray of bool, shape (x, y, z)
        With its marrow.
    hole_hu, dense_hu : float

    Returns
    -------
    instances : ndarray, int32, shape (x, y, z)
        26-connected, numbered from 1.
    scores : tuple of float
        In (0, 1), by instance; a rank, not a probability.

    Raises
    ------
    BadSetting
        When the one threshold is not below the other.

    Examples
    --------
    >>> hu = np.full((30, 30, 30), 200.0); hu[12:18, 12:18, 12:18] = -20.0
    >>> instances, scores = threshold_lesions(hu, np.eye(4), np.ones(hu.shape, bool))
    >>> int(instances.max()), 50 < int((instances > 0).sum()) < 216, len(scores)
    (1, True, 1)
    """
    if not hole_hu < dense_hu:
        raise BadSetting(f"Holes below {hole_hu:g} HU and dense spots above {dense_hu:g} HU overlap; give a lower and a higher threshold.")
    spacing = spacing_mm(affine)
    smooth = ndimage.gaussian_filter(hu.astype(np.float32), [SMOOTHING_MM / s for s in spacing], truncate=2.0)
    inner = np.pad(bone, 1)  # the edge of the scan is no surface of the bone, and no place to look either
    deep = ndimage.distance_transform_edt(inner, sampling=spacing)[1:-1, 1:-1, 1:-1] > DEPTH_MM
    instances = np.zeros(hu.shape, np.int32)
    scores: list[float] = []
    for region, beyond in ((deep & (smooth < hole_hu), hole_hu - smooth), (deep & (smooth > dense_hu), smooth - dense_hu)):
        parts, _ = components(region)
        for number, box in enumerate(ndimage.find_objects(parts), start=1):
            here = parts[box] == number
            diameter = equivalent_diameter_mm(volume_ml(int(here.sum()), affine))
            if diameter >= LEAST_MM:
                contrast = float(beyond[box][here].mean())
                scores.append(contrast / (contrast + _HALF_HU) * diameter / (diameter + _HALF_MM))
                instances[box][here] = len(scores)
    return instances, tuple(scores)
