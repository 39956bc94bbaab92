"""Metal on CT: what is denser than any bone, with a margin for its streaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from onclair.core.geometry import Affine, spacing_mm
from onclair.science.volumes.components import box_of

#: From here on nothing is bone: dense cortex ends near 2000 HU.
METAL_HU = 2500.0
MARGIN_MM = 5.0


def metal(hu: npt.NDArray[Any], affine: Affine, *, margin_mm: float = MARGIN_MM) -> npt.NDArray[np.bool_]:
    """Return where metal and its nearest streaks lie.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
        A scan whose values end at 3071 still shows metal; one that was cut off below 2500 HU shows none.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    margin_mm : float
        Voxels whose centre lies within it of metal belong too.

    Returns
    -------
    ndarray of bool, shape (x, y, z)

    Examples
    --------
    >>> hu = np.zeros((13, 1, 1)); hu[6] = 3000.0
    >>> int(metal(hu, np.eye(4)).sum())
    11
    """
    found = hu >= METAL_HU
    reach = int(np.ceil(margin_mm / min(spacing_mm(affine)))) + 1
    box = box_of(found, margin=reach)
    out = np.zeros(hu.shape, bool)
    if found[box].any():
        out[box] = ndimage.distance_transform_edt(~found[box], sampling=spacing_mm(affine)) <= margin_mm
    return out
