"""How grainy a CT is: what a sharp kernel, a low dose or a foreign reconstruction raises, and what a network was never shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: Soft tissue, where neighbouring voxels should be alike.
SOFT_HU = (-20.0, 120.0)
#: Of how many pairs of neighbours the figure is told at least.
FEWEST = 200


def noise_hu(hu: npt.NDArray[Any]) -> float | None:
    """Return the standard deviation that neighbours in a slice differ by in soft tissue, over the square root of 2.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)

    Returns
    -------
    float or None
        In HU, from the median absolute difference, so that edges hardly count; None without soft tissue.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> 9 < noise_hu(50 + rng.normal(0, 10, (40, 40, 4))) < 11
    True
    >>> noise_hu(np.full((4, 4, 4), -1000.0)) is None
    True
    """
    soft = (hu > SOFT_HU[0]) & (hu < SOFT_HU[1])
    pairs = soft[1:] & soft[:-1]
    if pairs.sum() < FEWEST:
        return None
    apart = np.abs(hu[1:][pairs].astype(np.float64) - hu[:-1][pairs])
    return float(1.4826 * np.median(apart) / np.sqrt(2.0))
