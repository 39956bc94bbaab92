"""What is kept of a patient beside a network's score: each member's score, a few plain features, and where the network looks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCase
from onclair.core.values import Image
from onclair.explain.occlusion import Occluding, occlusion
from onclair.science.radiomics.extract import Extraction, extract
from onclair.science.radiomics.roi import box_around
from onclair.studies.tasks.radiomics_audit_scorer import NetworkEngine, members_of

Region = npt.NDArray[np.bool_]
#: The file beside a patient's features, and what its columns begin with: members, plain features.
BESIDE, MEMBER, PLAIN = "beside.parquet", "member:", "plain:"
#: The file of what covering each patch of a patient's image did to the score.
COVERED = "occlusion.parquet"
#: Volume, shape, intensity and texture that anybody would measure (IBSI tags); grey levels are 32 bins of each outline.
HANDCRAFTED = (
    "morph_volume",
    "morph_sphericity",
    "stat_mean",
    "stat_cov",
    "stat_max",
    "cm_joint_entr_3D_comb",
    "cm_contrast_3D_comb",
    "cm_corr_3D_comb",
    "ngt_coarseness_3D",
)
_BY = Extraction("fixed-number", bins=32, families=("morphology", "statistics", "glcm", "ngtdm"), aggregations=("3D_comb",))
#: How many patches a network's field of view is cut into along each axis when it is occluded.
PATCHES = 6


def beside(image: Image, region: Region, engine: NetworkEngine) -> dict[str, float]:
    """Return what is kept of a patient beside a network's score.

    Parameters
    ----------
    image : Image
    region : ndarray, bool, shape (x, y, z)
    engine : NetworkEngine

    Returns
    -------
    dict of str to float
        ``member:1`` ... and ``plain:TAG``; NaN where there is no value.
    """
    said = next(members_of(engine, [(image.array, region)], image.spacing_mm))
    found = {} if isinstance(said, str) else {f"{MEMBER}{at}": float(value) for at, value in enumerate(said, start=1)}
    try:
        measured = dict(extract(image.array, region, image.spacing_mm, _BY).values)
    except BadCase:
        measured = {}
    return found | {f"{PLAIN}{tag}": float(measured.get(tag, math.nan)) for tag in HANDCRAFTED}


def covered(image: Image, region: Region, engine: NetworkEngine) -> pd.DataFrame:
    """Return what covering each patch of what a network sees does to its score.

    Parameters
    ----------
    image : Image
    region : ndarray, bool, shape (x, y, z)
    engine : NetworkEngine

    Returns
    -------
    DataFrame, one row a patch
        ``base``: the score as it is; ``drop``, ``inside``, ``samples``: as :class:`onclair.explain.occlusion.Occlusion`. No row where
        the network cannot answer for a covered image.
    """
    seen = _seen(region, image.spacing_mm, engine)
    array, outline = image.array[seen], region[seen]
    side = max(n * step for n, step in zip(array.shape, image.spacing_mm, strict=True)) / PATCHES

    def score(shown: npt.NDArray[Any], around: Region) -> float:
        answer = next(members_of(engine, [(shown, around)], image.spacing_mm))
        return math.nan if isinstance(answer, str) else float(answer.mean())

    try:
        found = occlusion(score, array, outline, image.spacing_mm, Occluding(side))
    except BadCase:
        return pd.DataFrame({"base": [], "drop": [], "inside": [], "samples": []}, dtype=float)
    return pd.DataFrame({"base": found.base, "drop": found.drops, "inside": found.inside, "samples": found.samples})


def _seen(region: Region, spacing_mm: tuple[float, float, float], engine: NetworkEngine) -> tuple[slice, ...]:
    """Return the part of an image that the network sees, and the whole outline, whose middle is the middle of what it sees."""
    how, parts = engine.shown, []
    for box, n, step, new, count in zip(box_around(region), region.shape, spacing_mm, how.spacing_mm, how.size, strict=True):
        middle, reach = (box.start + box.stop - 1) / 2, count * new / step / 2 + 2
        parts.append(slice(max(min(math.floor(middle - reach), box.start), 0), min(max(math.ceil(middle + reach) + 1, box.stop), n)))
    return tuple(parts)
