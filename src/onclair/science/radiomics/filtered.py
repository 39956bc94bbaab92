"""Features of filtered images beside those of the original: shape once a mask, intensities and texture once a filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.science.radiomics.extract import measured
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.features import Features
from onclair.science.radiomics.filters.response import Setup, filtered, margin_mm
from onclair.science.radiomics.grid import resampled
from onclair.science.radiomics.local_peak import PEAK_RADIUS_MM
from onclair.science.radiomics.roi import Roi, checked_outline, checked_spacing, prepared

#: What a response has features of; the others describe the outline, or the unit that a filter takes away.
OF_RESPONSES = ("statistics", "histogram", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")


@dataclass(frozen=True, slots=True)
class FilteredExtraction:
    """What to extract from an image and from its responses to filters.

    Attributes
    ----------
    original : Extraction
        Of the image itself; its grid, range and outliers hold for the responses too.
    filters : tuple of (str, Setup)
        Each with the name that stands before the colon of its columns.
    responses : Extraction
        Of the responses: families of `OF_RESPONSES`, and grey levels of their own, since a response has no HU or SUV.

    Raises
    ------
    BadSetting
        For two filters of one name, a name with a colon, or a family that a response does not have.

    Examples
    --------
    >>> from onclair.science.radiomics.filters.mean import Mean
    >>> how = FilteredExtraction(Extraction(), (("mean-3", Setup(Mean(3))),), Extraction(families=("statistics",)))
    >>> how.filters[0][0]
    'mean-3'
    """

    original: Extraction
    filters: tuple[tuple[str, Setup], ...]
    responses: Extraction

    def __post_init__(self) -> None:
        names = [name for name, _ in self.filters]
        for name in names:
            if not name or ":" in name or names.count(name) > 1:
                raise BadSetting(
                    f"The filter name '{name}' is empty, used twice or holds a colon; give each filter a name of its own.", item=name
                )
        for family in self.responses.families:
            if family not in OF_RESPONSES:
                raise BadSetting(f"A filter's response has no {family}; it has {', '.join(OF_RESPONSES)}.", item=family)


def extract_filtered(
    array: npt.NDArray[Any], region: npt.NDArray[np.bool_], spacing_mm: npt.ArrayLike, how: FilteredExtraction
) -> Features:
    """Describe one outlined region in the image and in its responses to filters.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Finite everywhere. Not changed.
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : array_like, shape (3,)
    how : FilteredExtraction

    Returns
    -------
    Features
        The original's tags, then ``NAME:tag`` for each filter. The image is resampled and rounded first, then filtered; what counts as
        intensity is decided on the image before the filter, as in IBSI-2.

    Raises
    ------
    BadGeometry, BadCase, BadSetting
        As :func:`onclair.science.radiomics.extract.extract` and :func:`onclair.science.radiomics.filters.response.filtered`.

    References
    ----------
    Whybra et al., Radiology 2024;310:e231319, doi:10.1148/radiol.231319.

    Examples
    --------
    >>> from onclair.science.radiomics.filters.mean import Mean
    >>> stats = Extraction(families=("statistics",))
    >>> a = np.array([0.0, 3.0, 6.0]).reshape(3, 1, 1)
    >>> f = extract_filtered(a, a > 0, (1, 1, 1), FilteredExtraction(stats, (("mean-3", Setup(Mean(3))),), stats))
    >>> f.values["stat_mean"], f.values["mean-3:stat_mean"]  # (0 + 3 + 6) / 3 and (3 + 6 + 6) / 3
    (4.5, 4.0)
    """
    image, outline, spacing = _on_grid(array, region, spacing_mm, how)
    roi = prepared(image, outline, spacing, how.original.range, outliers=how.original.outliers)
    first = measured(roi, how.original)
    values, reasons = dict(first.values), dict(first.reasons)
    for name, setup in how.filters:
        found = measured(_in_response(roi, setup), how.responses)
        values |= {f"{name}:{tag}": value for tag, value in found.values.items()}
        reasons |= {f"{name}:{tag}": why for tag, why in found.reasons.items()}
    return Features(values, reasons)


def responses_of(original: Extraction, settings: Mapping[str, Any]) -> Extraction:
    """Return the extraction of the responses: the original's families that a response has, with grey levels as `settings` say.

    Parameters
    ----------
    original : Extraction
    settings : mapping
        Fields of `Extraction` that are to differ: ``discretisation bins width minimum families``. Bins of fixed width must be
        given here: the original's start means nothing in a response.

    Raises
    ------
    BadSetting
        When the original's levels cannot serve and none are given.

    Examples
    --------
    >>> responses_of(Extraction(families=("morphology", "statistics")), {}).families
    ('statistics',)
    """
    families = tuple(name for name in original.families if name in OF_RESPONSES)
    if "discretisation" not in settings and original.discretisation != "fixed-number" and families != ("statistics",):
        raise BadSetting(
            f"The grey levels of the original ({original.discretisation}) mean nothing in a filter's response; write a table "
            '[filtered] with discretisation = "fixed-number" and bins, or other levels.',
            item="filtered",
        )
    return replace(original, **{"families": families, "grid": None, "range": None, "outliers": None, **settings})


def _on_grid(
    array: npt.NDArray[Any], region: npt.NDArray[np.bool_], spacing_mm: npt.ArrayLike, how: FilteredExtraction
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_], tuple[float, float, float]]:
    """Return image, outline and spacing on the extraction's grid, with what the filters need around the outline."""
    array, region = checked_outline(array, region)
    spacing, grid = checked_spacing(spacing_mm), how.original.grid
    if grid is None:
        return array, region, spacing
    steps = (*grid.spacing_mm, *spacing[len(grid.spacing_mm) :])
    margins = [margin_mm(setup, steps) for _, setup in how.filters]
    peak = PEAK_RADIUS_MM if "local_peak" in how.original.families else 0.0
    margin = None if any(m is None for m in margins) else max([peak, *(m or 0.0 for m in margins)])
    moved = resampled(array, region, spacing, grid, margin_mm=margin)
    return moved.array, moved.region, moved.spacing_mm


def _in_response(roi: Roi, setup: Setup) -> Roi:
    """Return the same region with the response in the place of the intensities."""
    response = filtered(roi.image, roi.spacing_mm, setup, box=roi.box)
    response[~roi.region] = 0.0
    x, y, z = (slice(0, n) for n in response.shape)
    return replace(roi, array=response, image=response, box=(x, y, z))
