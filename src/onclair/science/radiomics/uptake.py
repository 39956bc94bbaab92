"""What a nuclear medicine report says of a lesion: how much of it takes up, and how much it takes up in all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.science.radiomics.features import Features, named

UPTAKE_TAGS = ("uptake_mtv", "uptake_tlg")
#: Share of the highest uptake from which a voxel counts as metabolically active.
ACTIVE = 0.41


def uptake(values: npt.ArrayLike, voxel_mm3: float, *, share: float = ACTIVE) -> Features:
    """Return metabolic volume and total lesion glycolysis of an outlined lesion.

    Parameters
    ----------
    values : array_like, shape (n,)
        SUV of the outline's voxels.
    voxel_mm3 : float
        Volume of a voxel.
    share : float
        Of the highest uptake, in (0, 1]: voxels at or above it are active.

    Returns
    -------
    Features
        ``uptake_mtv`` in mm3 and ``uptake_tlg`` (SUV mm3): the active volume, and its mean uptake times it. NaN where nothing takes up.

    Raises
    ------
    BadSetting
        For a share outside (0, 1].

    References
    ----------
    Boellaard et al., Eur J Nucl Med Mol Imaging 2015;42:328-354, doi:10.1007/s00259-014-2961-x.

    Examples
    --------
    >>> uptake([1.0, 5.0, 10.0], 2.0).values
    {'uptake_mtv': 4.0, 'uptake_tlg': 30.0}
    """
    if not 0 < share <= 1:
        raise BadSetting(f"The share of the highest uptake is {share}; it must lie above 0 and at most at 1.", item="share")
    suv = np.asarray(values, dtype=np.float64)
    highest = float(suv.max())
    active = suv[suv >= share * highest] if highest > 0 else suv[:0]
    measures = {"mtv": active.size * voxel_mm3, "tlg": float(active.sum()) * voxel_mm3}
    if active.size == 0:
        measures = dict.fromkeys(measures, float("nan"))
    return named("uptake_", measures, {"": "nothing in the outline takes up"})
