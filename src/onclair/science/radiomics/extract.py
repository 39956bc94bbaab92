"""The one door to the features of a region."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.science.radiomics.extraction import FAMILY_NAMES, Extraction, extraction_from
from onclair.science.radiomics.families import CONSTANT, FAMILIES, MOST_TEXTURE_LEVELS, ONE_VOXEL, Region
from onclair.science.radiomics.features import Features, joined
from onclair.science.radiomics.grid import resampled
from onclair.science.radiomics.local_peak import PEAK_RADIUS_MM
from onclair.science.radiomics.roi import Roi, checked_outline, checked_spacing, prepared

__all__ = [
    "FAMILIES",
    "FAMILY_NAMES",
    "MOST_TEXTURE_LEVELS",
    "Extraction",
    "extract",
    "extraction_from",
    "feature_tags",
    "measured",
    "roi_of",
]


def feature_tags(extraction: Extraction) -> tuple[str, ...]:
    """Return the tags that `extract` will give, in the order of the reference tables, without computing any.

    Examples
    --------
    >>> feature_tags(Extraction(families=("statistics", "morphology")))[:2]
    ('morph_volume', 'morph_vol_approx')
    """
    return tuple(tag for name, family in FAMILIES.items() if name in extraction.families for tag in family.tags(extraction))


def extract(array: npt.NDArray[Any], region: npt.NDArray[np.bool_], spacing_mm: npt.ArrayLike, extraction: Extraction) -> Features:
    """Describe one outlined region.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Intensities, in the unit that the extraction's settings are in; slices are along z. Not changed.
    region : ndarray, bool, shape (x, y, z)
        The outline, on the same grid.
    spacing_mm : array_like, shape (3,)
        Distance between voxel centres.
    extraction : Extraction

    Returns
    -------
    Features
        Tag to value, in the order of `feature_tags`; NaN with a reason where a feature is undefined: texture of one voxel or of a
        constant region, ratios over zero.

    Raises
    ------
    BadGeometry
        When the shapes differ or the spacing is not three positive lengths.
    BadCase
        For an empty outline or one that resampling loses, NaN or infinity inside it, no voxel within the range, intensities below
        the first bin, or more grey levels than texture can hold.

    References
    ----------
    Zwanenburg et al., Radiology 2020;295:328-338, doi:10.1148/radiol.2020191145; IBSI manual, arXiv:1612.07003.

    Examples
    --------
    >>> a = np.arange(27.0).reshape(3, 3, 3)
    >>> f = extract(a, a > 0, (2.0, 2.0, 2.0), Extraction(families=("morphology", "statistics")))
    >>> f.values["stat_mean"], f.values["morph_vol_approx"]
    (13.5, 208.0)
    """
    return measured(roi_of(array, region, spacing_mm, extraction), extraction)


def roi_of(array: npt.NDArray[Any], region: npt.NDArray[np.bool_], spacing_mm: npt.ArrayLike, extraction: Extraction) -> Roi:
    """Resample, crop and re-segment: everything that comes before the first feature.

    Parameters
    ----------
    array, region, spacing_mm, extraction
        As for `extract`.

    Returns
    -------
    Roi
        On the extraction's grid. Its image holds the outline's box, and what local peaks need around it.

    Raises
    ------
    BadGeometry, BadCase
        As for `extract`.

    Examples
    --------
    >>> from onclair.science.radiomics.grid import Grid
    >>> a = np.ones((4, 4, 4))
    >>> roi_of(a, a > 0, (2.0, 2.0, 2.0), Extraction(grid=Grid((1.0, 1.0, 1.0)))).array.shape
    (8, 8, 8)
    """
    if extraction.grid is None:
        return prepared(array, region, spacing_mm, extraction.range, outliers=extraction.outliers)
    array, region = checked_outline(array, region)
    margin = PEAK_RADIUS_MM if "local_peak" in extraction.families else 0.0
    moved = resampled(array, region, checked_spacing(spacing_mm), extraction.grid, margin_mm=margin)
    return prepared(moved.array, moved.region, moved.spacing_mm, extraction.range, outliers=extraction.outliers)


def measured(roi: Roi, extraction: Extraction) -> Features:
    """Describe a region that has been made ready.

    Parameters
    ----------
    roi : Roi
        From `roi_of`; for a filtered image, the filter's response in the place of the intensities, re-segmented as they were.
    extraction : Extraction
        Its grid, range and outliers have had their effect on `roi`; the range still spans the volume histogram.

    Returns
    -------
    Features
        As from `extract`.

    Examples
    --------
    >>> from onclair.science.radiomics.roi import prepared
    >>> a = np.array([1.0, 2.0, 6.0]).reshape(3, 1, 1)
    >>> measured(prepared(a, a > 1, (1, 1, 1)), Extraction(families=("statistics",))).values["stat_mean"]
    4.0
    """
    shared = Region(roi, extraction)
    parts = [FAMILIES[name].measure(shared) for name in extraction.families]
    return _by_first_cause(joined(parts, feature_tags(extraction)), shared.values)


def _by_first_cause(features: Features, values: npt.NDArray[np.float64]) -> Features:
    """Give what is undefined for want of voxels or of contrast one reason, the first cause."""
    if values.size == 1:
        return Features(features.values, dict.fromkeys(features.reasons, ONE_VOXEL))
    same = f"{CONSTANT} ({values[0]:g})"
    reasons = {tag: same if why.startswith(CONSTANT) else why for tag, why in features.reasons.items()}
    return Features(features.values, reasons)
