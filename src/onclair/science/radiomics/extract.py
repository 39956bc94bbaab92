"""The one door to the features of a region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.aggregate import AGGREGATIONS
from onclair.science.radiomics.autocorrelation import AUTOCORRELATION_TAGS, autocorrelation
from onclair.science.radiomics.discretise import Discretisation, Method, discretised
from onclair.science.radiomics.features import Features, joined, undefined
from onclair.science.radiomics.glcm import cooccurrence, glcm_tags
from onclair.science.radiomics.glrlm import glrlm_tags, run_lengths
from onclair.science.radiomics.histogram import IH_TAGS, histogram_statistics
from onclair.science.radiomics.intensity import STAT_TAGS, intensity_statistics
from onclair.science.radiomics.levels import GreyLevels, grey_levels
from onclair.science.radiomics.resegment import checked_range
from onclair.science.radiomics.roi import Roi, prepared
from onclair.science.radiomics.shape import PLACED_TAGS, SHAPE_TAGS, placed, shape
from onclair.science.radiomics.volume_histogram import IVH_TAGS, volume_histogram

#: Texture matrices have a row for each grey level; more than this is a mistake of the bin width.
MOST_TEXTURE_LEVELS = 2048
#: The two first causes why features are undefined; every family's own reason is traced back to them.
ONE_VOXEL, CONSTANT = "the region is a single voxel", "every voxel has the same value"


@dataclass(frozen=True, slots=True)
class Extraction:
    """What to extract, and how.

    Attributes
    ----------
    discretisation : {"fixed-width", "fixed-number", "none"}
        Grey levels for the histogram and texture: IBSI's FBS, FBN, or whole numbers as they are.
    width : float or None
        Bin width, in the image's unit (fixed-width).
    minimum : float or None
        Lower edge of the first bin (fixed-width); without it, the lower bound of `range`.
    bins : int or None
        Number of bins (fixed-number).
    range : (float, float) or None
        Re-segmentation: intensities outside it do not count; the shape stays.
    families : tuple of str
        Of `FAMILIES`.
    aggregations : tuple of str
        Of `AGGREGATIONS`: how texture is put together over slices and directions.
    ivh_discretisation, ivh_width, ivh_bins : as above
        For the intensity-volume histogram: ``none`` for HU, 1,000 bins for continuous intensities.

    Raises
    ------
    BadSetting
        For an unknown or impossible setting, quoting the nearest known one.

    Examples
    --------
    >>> Extraction("fixed-width", width=0.5, minimum=0.0).aggregations
    ('3D_comb',)
    """

    discretisation: Method = "fixed-number"
    width: float | None = None
    minimum: float | None = None
    bins: int | None = 32
    range: tuple[float, float] | None = None
    families: tuple[str, ...] = ("morphology", "autocorrelation", "statistics", "histogram", "volume_histogram", "glcm", "glrlm")
    aggregations: tuple[str, ...] = ("3D_comb",)
    ivh_discretisation: Method = "fixed-number"
    ivh_width: float | None = None
    ivh_bins: int | None = 1000

    def __post_init__(self) -> None:
        checked_range(self.range)
        _check_names("family", self.families, tuple(FAMILIES))
        _check_names("aggregation", self.aggregations, AGGREGATIONS)
        _ = self.levels_by, self.ivh_by

    @property
    def levels_by(self) -> Discretisation:
        """How the grey levels of histogram and texture are made."""
        return Discretisation(self.discretisation, self.width, self._lower_edge, self.bins)

    @property
    def ivh_by(self) -> Discretisation:
        """How the axis of the intensity-volume histogram is made."""
        return Discretisation(self.ivh_discretisation, self.ivh_width, self._lower_edge, self.ivh_bins)

    @property
    def _lower_edge(self) -> float | None:
        return self.range[0] if self.minimum is None and self.range is not None else self.minimum


def _check_names(what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise BadSetting(f"The {what} '{name}' is unknown; {did_you_mean(name, known)}", item=name)
    if len(set(given)) != len(given) or not given:
        raise BadSetting(f"The list of {what} names is {list(given)}; give each once, and at least one.", item=what)


class _Region:
    """A region and what several families need of it, made once and only when asked for."""

    def __init__(self, roi: Roi, extraction: Extraction) -> None:
        self.roi = roi
        self.extraction = extraction

    @cached_property
    def values(self) -> npt.NDArray[np.float64]:
        return self.roi.values

    @cached_property
    def undefined_levels(self) -> str | None:
        """Why there are no grey levels, or None."""
        if self.extraction.discretisation == "fixed-number" and self.values.min() == self.values.max():
            return f"every voxel has the same value ({self.values[0]:g}), which cannot be cut into a fixed number of bins"
        return None

    @cached_property
    def levels(self) -> npt.NDArray[np.uint16]:
        return discretised(self.values, self.extraction.levels_by)

    @cached_property
    def undefined_texture(self) -> str | None:
        """Why there is no texture, or None."""
        if self.values.size == 1:
            return ONE_VOXEL
        if self.values.min() == self.values.max():
            return f"{CONSTANT} ({self.values[0]:g})"
        if self.levels.min() == self.levels.max():
            return "all voxels fall into one grey level; use narrower bins"
        return None

    @cached_property
    def grey(self) -> GreyLevels:
        """The levels, laid out for the texture kernels."""
        highest = int(self.levels.max())
        if highest > MOST_TEXTURE_LEVELS:
            raise BadCase(f"The region falls into {highest} grey levels; texture takes at most {MOST_TEXTURE_LEVELS}: use wider bins.")
        return grey_levels(self.levels, self.roi.kept)


@dataclass(frozen=True, slots=True)
class Family:
    """A family of features: its tags, in order, and how they are measured."""

    tags: Callable[[Extraction], tuple[str, ...]]
    measure: Callable[[_Region], Features]


_MORPHOLOGY_TAGS = (*SHAPE_TAGS[:9], PLACED_TAGS[0], *SHAPE_TAGS[9:], PLACED_TAGS[1])


def _morphology(region: _Region) -> Features:
    roi = region.roi
    outline = shape(roi.region, roi.spacing_mm)
    inside = placed(roi.array, roi.region, roi.kept, roi.spacing_mm, outline.values["morph_volume"])
    return joined((outline, inside), _MORPHOLOGY_TAGS)


def _autocorrelation(region: _Region) -> Features:
    return autocorrelation(region.roi.array, region.roi.kept, region.roi.spacing_mm)


def _histogram(region: _Region) -> Features:
    if region.undefined_levels:
        return undefined(IH_TAGS, region.undefined_levels)
    return histogram_statistics(region.levels)


def _volume_histogram(region: _Region) -> Features:
    return volume_histogram(region.values, region.extraction.ivh_by, region.extraction.range)


def _glcm(region: _Region) -> Features:
    ways = region.extraction.aggregations
    if region.undefined_texture:
        return undefined(glcm_tags(ways), region.undefined_texture)
    return cooccurrence(region.grey, ways)


def _glrlm(region: _Region) -> Features:
    ways = region.extraction.aggregations
    if region.undefined_texture:
        return undefined(glrlm_tags(ways), region.undefined_texture)
    return run_lengths(region.grey, ways)


#: In the order of the reference tables.
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "morphology": Family(lambda _: _MORPHOLOGY_TAGS, _morphology),
        "autocorrelation": Family(lambda _: AUTOCORRELATION_TAGS, _autocorrelation),
        "statistics": Family(lambda _: STAT_TAGS, lambda region: intensity_statistics(region.values)),
        "histogram": Family(lambda _: IH_TAGS, _histogram),
        "volume_histogram": Family(lambda _: IVH_TAGS, _volume_histogram),
        "glcm": Family(lambda extraction: glcm_tags(extraction.aggregations), _glcm),
        "glrlm": Family(lambda extraction: glrlm_tags(extraction.aggregations), _glrlm),
    }
)


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
        For an empty outline, NaN or infinity inside it, no voxel within the range, intensities below the first bin, or more
        grey levels than texture can hold.

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
    shared = _Region(prepared(array, region, spacing_mm, extraction.range), extraction)
    parts = [FAMILIES[name].measure(shared) for name in extraction.families]
    return _by_first_cause(joined(parts, feature_tags(extraction)), shared.values)


def _by_first_cause(features: Features, values: npt.NDArray[np.float64]) -> Features:
    """Give what is undefined for want of voxels or of contrast one reason, the first cause."""
    if values.size == 1:
        return Features(features.values, dict.fromkeys(features.reasons, ONE_VOXEL))
    same = f"{CONSTANT} ({values[0]:g})"
    reasons = {tag: same if why.startswith(CONSTANT) else why for tag, why in features.reasons.items()}
    return Features(features.values, reasons)
