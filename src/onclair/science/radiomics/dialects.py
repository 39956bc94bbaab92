"""The dialect ``pyradiomics``: published coefficients belong to an engine, so its values are reproduced, without importing it.

How it departs from the IBSI: bins start at a multiple of their width; the new grid shares the old one's corner, not its centre;
resampled intensities are not rounded, and the outline is that of the nearest voxel; texture is the average over thirteen directions;
kurtosis is not excess; principal axes have divisor n; the surface is its own, and can have holes; names are its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.dialects_features import Band, Levels, aligned_levels, numbered_levels
from onclair.science.radiomics.dialects_grid import BANDS, corner_aligned, wavelet_band
from onclair.science.radiomics.dialects_mesh import DialectShape
from onclair.science.radiomics.dialects_names import CLASSES, DEPARTURES, FORMER, TAGS
from onclair.science.radiomics.discretise import MOST_LEVELS
from onclair.science.radiomics.features import Features
from onclair.science.radiomics.resegment import checked_range, within_range
from onclair.science.radiomics.roi import Box, box_around, checked_outline, checked_spacing, prepared

#: The original image and the eight bands of its wavelet.
IMAGES = ("original", *(f"wavelet-{band}" for band in BANDS))
ONE_VOXEL, CONSTANT = "the region is a single voxel", "every voxel has the same value"

Volume = npt.NDArray[np.float64]
Region = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class PyRadiomics:
    """The settings of PyRadiomics (3.0) that a published model names; the rest as it comes.

    Attributes
    ----------
    width : float or None
        Bin width in the image's unit (its ``binWidth``); 25 unless a paper says otherwise.
    bins : int or None
        Number of bins instead (its ``binCount``).
    spacing_mm : (float, float, float) or None
        Grid to resample onto (its ``resampledPixelSpacing``, with its B-spline); 0 keeps an axis as it is, and so
        is kept one across which the outline is a single voxel thick.
    range : (float, float) or None
        Re-segmentation, both bounds included (its ``resegmentRange`` in absolute mode). The shape is that of the outline, but what
        of it lies beyond the box around the voxels in the range is lost, as in PyRadiomics.

    Raises
    ------
    BadSetting
        For a width, number, spacing or range that is impossible, or not exactly one of width and bins.

    Examples
    --------
    >>> PyRadiomics(bins=32, width=None).bins
    32
    """

    width: float | None = 25.0
    bins: int | None = None
    spacing_mm: Spacing | None = None
    range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        checked_range(self.range)
        if (self.width is None) == (self.bins is None):
            raise BadSetting(f"The bin width is {self.width} and the number of bins {self.bins}; give exactly one of them.", item="width")
        if self.width is not None and not 0 < self.width < math.inf:
            raise BadSetting(f"The bin width is {self.width}; it must be positive, in the image's unit.", item="width")
        if self.bins is not None and not 2 <= self.bins <= MOST_LEVELS:
            raise BadSetting(f"The number of bins is {self.bins}; it must lie in 2 to {MOST_LEVELS}.", item="bins")
        spacing = self.spacing_mm
        if spacing is not None and (len(spacing) != 3 or not all(0 <= step < math.inf for step in spacing)):
            raise BadSetting(f"The spacing to resample to is {spacing}; give three lengths in mm, 0 to keep an axis.", item="spacing_mm")


#: Settings with a name.
DIALECT_PRESETS: Mapping[str, PyRadiomics] = MappingProxyType(
    {
        "pyradiomics-bw25": PyRadiomics(25.0),
        "pyradiomics-bw25-1mm": PyRadiomics(25.0, spacing_mm=(1.0, 1.0, 1.0)),
        "pyradiomics-bw0.5": PyRadiomics(0.5),
    }
)


@dataclass(frozen=True, slots=True)
class PublishedFeature:
    """A feature by its published name, taken apart.

    Attributes
    ----------
    image : str
        Of `IMAGES`.
    kind : str
        Of `dialects_names.CLASSES`: ``firstorder``, ``shape``, ``glcm``...
    name : str
        ``GrayLevelNonUniformity``.
    """

    image: str
    kind: str
    name: str

    def __str__(self) -> str:
        """Return the published name."""
        return f"{self.image}_{self.kind}_{self.name}"

    @property
    def tag(self) -> str | None:
        """The tag of the IBSI's counterpart, the filter before a colon; None where there is none."""
        tag = TAGS[self.kind][self.name]
        return tag if tag is None or self.image == "original" else f"{self.image}:{tag}"

    @property
    def departure(self) -> str | None:
        """How its definition departs from its tag's, in words; None where they are one."""
        return DEPARTURES.get(f"{self.kind}_{self.name}")


def published_names(images: Sequence[str] = IMAGES) -> tuple[str, ...]:
    """Return the published name of every feature of these images; shape belongs to the original alone.

    Examples
    --------
    >>> len(published_names()), published_names(["wavelet-HLH"])[0]
    (863, 'wavelet-HLH_firstorder_Energy')
    """
    return tuple(
        f"{image}_{kind}_{name}" for image in images for kind in CLASSES if kind != "shape" or image == "original" for name in TAGS[kind]
    )


def published(name: str) -> PublishedFeature:
    """Find the feature that a name means: PyRadiomics' own, a former one of the same number, or the IBSI's tag.

    Parameters
    ----------
    name : str
        ``wavelet-HLH_glrlm_GrayLevelNonUniformity``; without an image before it, the original; or ``wavelet-HLH:rlm_glnu_3D_avg``.

    Raises
    ------
    BadSetting
        For a name that is none, quoting the nearest one.

    Examples
    --------
    >>> str(published("glcm_Homogeneity1")), published("original_glrlm_GrayLevelNonUniformity").tag
    ('original_glcm_Id', 'rlm_glnu_3D_avg')
    >>> str(published("wavelet-HLH:rlm_glnu_3D_avg"))
    'wavelet-HLH_glrlm_GrayLevelNonUniformity'
    """
    image, _, rest = name.partition("_") if name.partition("_")[0] in IMAGES else ("original", "", name)
    kind, _, short = FORMER.get(rest, rest).partition("_")
    if short in TAGS.get(kind, {}) and (kind != "shape" or image == "original"):
        return PublishedFeature(image, kind, short)
    image, _, tag = name.rpartition(":")
    image = image or "original"
    for kind, tags in TAGS.items():
        for short, known in tags.items():
            if known == tag and image in IMAGES and (kind != "shape" or image == "original"):
                return PublishedFeature(image, kind, short)
    raise BadSetting(f"PyRadiomics has no feature '{name}'; {_hint(name)}", item=name)


def _hint(name: str) -> str:
    image, _, rest = name.partition("_")
    if image not in IMAGES and rest.partition("_")[0] in CLASSES:
        return f"of the images that it can make, Onclair has {', '.join(IMAGES)}, and not '{image}'."
    hint = did_you_mean(name, published_names([image] if image in IMAGES else ["original"]))
    if hint.startswith("did"):
        return hint
    return f"names read IMAGE_CLASS_Feature, as original_firstorder_Mean; images: {', '.join(IMAGES)}; classes: {', '.join(CLASSES)}."


def extract_published(
    array: npt.NDArray[Any], region: Region, spacing_mm: npt.ArrayLike, settings: PyRadiomics, names: Iterable[str] | None = None
) -> Features:
    """Describe one outlined region as PyRadiomics does.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        The whole image as it is stored: wavelet and grid depend on where it begins and on which way its axes run, so that an image
        that was cropped or turned gives other values. Not changed.
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : array_like, shape (3,)
    settings : PyRadiomics
    names : iterable of str, or None
        As `published` reads them; None takes all of `published_names`. Only what they need is computed.

    Returns
    -------
    Features
        By the names as they were given. NaN with a reason for the texture of a constant region or of a single voxel, for which
        PyRadiomics gives conventional numbers or fails.

    Raises
    ------
    BadGeometry, BadCase
        As `extract.extract`; also for NaN near the outline that resampling or the wavelet would spread.
    BadSetting
        For an unknown name.

    References
    ----------
    van Griethuysen et al., Cancer Res 2017;77:e104-e107, doi:10.1158/0008-5472.CAN-17-0339.

    Examples
    --------
    >>> a = np.arange(27.0).reshape(3, 3, 3)
    >>> f = extract_published(a, a > 0, (2.0, 2.0, 2.0), PyRadiomics(), ["original_firstorder_Mean", "shape_VoxelVolume"])
    >>> f.values
    {'original_firstorder_Mean': 13.5, 'shape_VoxelVolume': 208.0}
    """
    wanted = {name: published(name) for name in (published_names() if names is None else names)}
    scene = _Scene(array, region, spacing_mm, settings)
    values, reasons = {}, {}
    for image in IMAGES:
        asked = {name: feature for name, feature in wanted.items() if feature.image == image}
        if not asked:
            continue
        band = scene.band(image)
        for name, feature in asked.items():
            why = _undefined(feature, band)
            measured = scene.shape.of if feature.kind == "shape" else partial(band.of, feature.kind)
            values[name] = math.nan if why else measured(feature.name)
            if math.isnan(values[name]):
                reasons[name] = why or ("it is a ratio over zero" if feature.kind == "shape" else band.why(feature.kind, feature.name))
    return Features({name: values[name] for name in wanted}, {name: reasons[name] for name in wanted if name in reasons})


def _undefined(feature: PublishedFeature, band: Band) -> str | None:
    """Return why a feature has no meaning in this region, or None."""
    if feature.kind == "shape":
        return ONE_VOXEL if feature.name in ("Elongation", "Flatness") and band.values.size == 1 else None
    moment = feature.kind == "firstorder" and feature.name not in ("Skewness", "Kurtosis")
    if moment or band.moments["min"] < band.moments["max"]:
        return None
    return ONE_VOXEL if band.values.size == 1 else f"{CONSTANT} ({band.values[0]:g})"


class _Scene:
    """The image and its outline as PyRadiomics sees them."""

    def __init__(self, array: npt.NDArray[Any], region: Region, spacing_mm: npt.ArrayLike, settings: PyRadiomics) -> None:
        spacing = checked_spacing(spacing_mm)
        array, region = checked_outline(array, region)
        prepared(array, region, spacing)  # refuses what no feature can be taken of
        if settings.spacing_mm is not None:
            x, y, z = (
                before if part.stop - part.start == 1 else after or before
                for after, before, part in zip(settings.spacing_mm, spacing, box_around(region), strict=True)
            )
            array, region = corner_aligned(array, region, spacing, (x, y, z))
            spacing = (x, y, z)
        self.array = array
        self.box: Box = box_around(region)
        self.kept = within_range(self._original, region[self.box], settings.range)
        self.shape = DialectShape(region[self.box][box_around(self.kept)], spacing)  # cut to that box, as PyRadiomics does
        self.voxel_mm3 = math.prod(spacing)
        self.levels_of = _levels_of(settings)

    @property
    def _original(self) -> Volume:
        return np.asarray(self.array[self.box], dtype=np.float64)

    def band(self, image: str) -> Band:
        values = self._original if image == "original" else wavelet_band(self.array, self.box, image.removeprefix("wavelet-"))
        return Band(values, self.kept, self.voxel_mm3, self.levels_of)


def _levels_of(settings: PyRadiomics) -> Levels:
    if settings.width is not None:
        return partial(aligned_levels, width=settings.width)
    assert settings.bins is not None  # PyRadiomics checks that there is one of them
    return partial(numbered_levels, bins=settings.bins)
