"""The families of features: for each, the tags in order and how they are measured on one region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.science.radiomics.autocorrelation import AUTOCORRELATION_TAGS, autocorrelation
from onclair.science.radiomics.discretise import discretised
from onclair.science.radiomics.enclosing import ENCLOSING_TAGS, enclosing
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.features import Features, joined, undefined
from onclair.science.radiomics.glcm import cooccurrence, glcm_tags
from onclair.science.radiomics.glrlm import glrlm_tags, run_lengths
from onclair.science.radiomics.histogram import IH_TAGS, histogram_statistics
from onclair.science.radiomics.intensity import STAT_TAGS, intensity_statistics
from onclair.science.radiomics.levels import GreyLevels, grey_levels
from onclair.science.radiomics.local_peak import PEAK_TAGS, local_peak
from onclair.science.radiomics.mesh import Surface, surface
from onclair.science.radiomics.neighbours import (
    Neighbourhoods,
    dependence_tags,
    dependences,
    neighbourhoods,
    tone_difference_tags,
    tone_differences,
)
from onclair.science.radiomics.roi import Roi
from onclair.science.radiomics.shape import PLACED_TAGS, SHAPE_TAGS, placed, shape
from onclair.science.radiomics.volume_histogram import IVH_TAGS, volume_histogram
from onclair.science.radiomics.zones import Zones, distance_zone_tags, distance_zones, size_zone_tags, size_zones, zones

#: Texture matrices have a row for each grey level; more than this is a mistake of the bin width.
MOST_TEXTURE_LEVELS = 2048
#: The two first causes why features are undefined; every family's own reason is traced back to them.
ONE_VOXEL, CONSTANT = "the region is a single voxel", "every voxel has the same value"


class Region:
    """A region and what several families need of it, made once and only when asked for.

    Parameters
    ----------
    roi : Roi
    extraction : Extraction
    """

    def __init__(self, roi: Roi, extraction: Extraction) -> None:
        self.roi = roi
        self.extraction = extraction

    @cached_property
    def values(self) -> npt.NDArray[np.float64]:
        """Intensities of the intensity mask, shape (n,)."""
        return self.roi.values

    @cached_property
    def mesh(self) -> Surface:
        """The surface of the outline."""
        return surface(self.roi.region, self.roi.spacing_mm)

    @cached_property
    def undefined_levels(self) -> str | None:
        """Why there are no grey levels, or None."""
        if self.extraction.discretisation == "fixed-number" and self.values.min() == self.values.max():
            return f"every voxel has the same value ({self.values[0]:g}), which cannot be cut into a fixed number of bins"
        return None

    @cached_property
    def levels(self) -> npt.NDArray[np.uint16]:
        """The grey level of each of `values`."""
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

    @cached_property
    def zones(self) -> dict[str, Zones]:
        """Zones of one grey level; with their distances where a family asks for them."""
        outline = self.roi.region if "gldzm" in self.extraction.families else None
        return zones(self.grey, self.extraction.aggregations, outline)

    @cached_property
    def neighbourhoods(self) -> dict[str, tuple[Neighbourhoods, ...]]:
        """Each voxel beside its neighbours."""
        return neighbourhoods(self.grey, self.extraction.aggregations)


@dataclass(frozen=True, slots=True)
class Family:
    """A family of features: its tags, in order, and how they are measured.

    Attributes
    ----------
    tags : callable
        An extraction to its tags.
    measure : callable
        A region to its features.
    """

    tags: Callable[[Extraction], tuple[str, ...]]
    measure: Callable[[Region], Features]


_MORPHOLOGY_TAGS = (*SHAPE_TAGS[:9], PLACED_TAGS[0], *SHAPE_TAGS[9:], PLACED_TAGS[1])


def _morphology(region: Region) -> Features:
    roi = region.roi
    outline = shape(roi.region, roi.spacing_mm, region.mesh)
    inside = placed(roi.array, roi.region, roi.kept, roi.spacing_mm, outline.values["morph_volume"])
    return joined((outline, inside), _MORPHOLOGY_TAGS)


def _autocorrelation(region: Region) -> Features:
    return autocorrelation(region.roi.array, region.roi.kept, region.roi.spacing_mm)


def _histogram(region: Region) -> Features:
    if region.undefined_levels:
        return undefined(IH_TAGS, region.undefined_levels)
    return histogram_statistics(region.levels)


def _volume_histogram(region: Region) -> Features:
    return volume_histogram(region.values, region.extraction.ivh_by, region.extraction.range)


def _texture(tags: Callable[[tuple[str, ...]], tuple[str, ...]], measure: Callable[[Region], Features]) -> Family:
    """Return a family that needs two grey levels, and says so where there are none."""

    def measured(region: Region) -> Features:
        if region.undefined_texture:
            return undefined(tags(region.extraction.aggregations), region.undefined_texture)
        return measure(region)

    return Family(lambda extraction: tags(extraction.aggregations), measured)


def _fixed(tags: tuple[str, ...], measure: Callable[[Region], Features]) -> Family:
    return Family(lambda _: tags, measure)


#: In the order of the reference tables.
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "morphology": _fixed(_MORPHOLOGY_TAGS, _morphology),
        "enclosing": _fixed(ENCLOSING_TAGS, lambda region: enclosing(region.mesh)),
        "autocorrelation": _fixed(AUTOCORRELATION_TAGS, _autocorrelation),
        "local_peak": _fixed(PEAK_TAGS, lambda region: local_peak(region.roi)),
        "statistics": _fixed(STAT_TAGS, lambda region: intensity_statistics(region.values)),
        "histogram": _fixed(IH_TAGS, _histogram),
        "volume_histogram": _fixed(IVH_TAGS, _volume_histogram),
        "glcm": _texture(glcm_tags, lambda region: cooccurrence(region.grey, region.extraction.aggregations)),
        "glrlm": _texture(glrlm_tags, lambda region: run_lengths(region.grey, region.extraction.aggregations)),
        "glszm": _texture(size_zone_tags, lambda region: size_zones(region.grey, region.extraction.aggregations, found=region.zones)),
        "gldzm": _texture(
            distance_zone_tags,
            lambda region: distance_zones(region.grey, region.roi.region, region.extraction.aggregations, found=region.zones),
        ),
        "ngtdm": _texture(
            tone_difference_tags,
            lambda region: tone_differences(region.grey, region.extraction.aggregations, swept=region.neighbourhoods),
        ),
        "ngldm": _texture(
            dependence_tags, lambda region: dependences(region.grey, region.extraction.aggregations, swept=region.neighbourhoods)
        ),
    }
)
