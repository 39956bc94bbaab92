"""Voxel-wise maps: each voxel gets the feature of the small neighbourhood around it.

The neighbourhood of a voxel is the kernel around it, as far as it lies inside the outline (and inside the range, where there is one). Grey
levels are those of the whole region, so that a level means the same everywhere in the map; the value at a voxel is what the extractor
gives for that neighbourhood with these levels. Matrices are counted voxel by voxel in compiled loops, and turned into features by the same
formulas as those of a whole region, many voxels at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.extract import FAMILIES
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.glcm import COOCCURRENCE
from onclair.science.radiomics.glrlm import RUNS
from onclair.science.radiomics.histogram import HISTOGRAM
from onclair.science.radiomics.intensity import STATISTICS
from onclair.science.radiomics.neighbours import DEPENDENCES, TONES
from onclair.science.radiomics.roi import prepared
from onclair.science.radiomics.voxel_families import Rows, Scene, Whole, measures
from onclair.science.radiomics.zones import DISTANCES, SIZES

MapFunction: TypeAlias = Callable[..., Iterable[Any]]

#: Numbers that the rows of one block may hold: blocks are what is handed to `over`, and what lies in memory at once.
BLOCK = 1 << 19
#: Voxels of a kernel beyond which a map is a mistake of the unit.
MOST_KERNEL_VOXELS = 30_000
#: Family -> the prefix of its tags, its short names, the ways it is put together in a volume and in a slice.
MAPPED: Mapping[str, tuple[str, tuple[str, ...], Mapping[int, tuple[str, ...]]]] = {
    "statistics": ("stat", STATISTICS, {3: ("",), 2: ("",)}),
    "histogram": ("ih", HISTOGRAM, {3: ("",), 2: ("",)}),
    "glcm": ("cm", COOCCURRENCE, {3: ("_3D_comb", "_3D_avg"), 2: ("_2D_comb", "_2D_avg")}),
    "glrlm": ("rlm", RUNS, {3: ("_3D_comb", "_3D_avg"), 2: ("_2D_comb", "_2D_avg")}),
    "glszm": ("szm", SIZES, {3: ("_3D",), 2: ("_2D",)}),
    "gldzm": ("dzm", DISTANCES, {3: ("_3D",), 2: ("_2D",)}),
    "ngtdm": ("ngt", TONES, {3: ("_3D",), 2: ("_2D",)}),
    "ngldm": ("ngl", DEPENDENCES, {3: ("_3D",), 2: ("_2D",)}),
}


@dataclass(frozen=True, slots=True)
class Kernel:
    """How far a voxel's neighbourhood goes.

    Attributes
    ----------
    radius : float
        In voxels: a whole number, the kernel is a cube of ``2 radius + 1`` voxels a side. In mm: a ball, of the voxels whose centres lie
        within `radius`.
    unit : {"voxels", "mm"}
    dimensions : {3, 2}
        2 stays in the slice (the first two axes).

    Raises
    ------
    BadSetting
        For a radius that is not positive, or not whole in voxels.

    Examples
    --------
    >>> Kernel().cells((1.0, 1.0, 3.0)).shape, int(Kernel(3.0, "mm").cells((1.0, 1.0, 3.0)).sum(axis=(0, 1))[0])
    ((3, 3, 3), 1)
    """

    radius: float = 1.0
    unit: Literal["voxels", "mm"] = "voxels"
    dimensions: Literal[2, 3] = 3

    def __post_init__(self) -> None:
        if self.unit not in ("voxels", "mm") or self.dimensions not in (2, 3):
            raise BadSetting(
                f"A kernel is in voxels or mm and has 2 or 3 dimensions, not {self.unit} and {self.dimensions}.", item="kernel"
            )
        if not 0 < self.radius < math.inf or (self.unit == "voxels" and self.radius != int(self.radius)):
            raise BadSetting(
                f"The radius of the kernel is {self.radius:g} {self.unit}; give a positive one, and a whole number in voxels.",
                item="radius",
            )

    def cells(self, spacing_mm: Sequence[float]) -> npt.NDArray[np.bool_]:
        """Return the kernel as voxels, odd along each axis, the centre in its middle.

        Raises
        ------
        BadSetting
            When it holds no voxel but the centre, or more than `MOST_KERNEL_VOXELS`.
        """
        steps = np.ones(3) if self.unit == "voxels" else np.asarray(spacing_mm, dtype=np.float64)
        reach = np.floor(self.radius / steps + 1e-9).astype(int)
        if self.dimensions == 2:
            reach[2] = 0
        count = int(np.prod(2.0 * reach + 1))
        if count > MOST_KERNEL_VOXELS:
            raise BadSetting(f"A kernel of {self.radius:g} {self.unit} spans {count} voxels, at most {MOST_KERNEL_VOXELS}.", item="radius")
        if not reach.any():
            raise BadSetting(
                f"A kernel of {self.radius:g} mm holds one voxel only: the spacing is {tuple(map(float, steps))} mm; give a wider radius.",
                item="radius",
            )
        cells = np.ones(2 * reach + 1, bool)
        if self.unit == "mm":
            apart = (np.indices(cells.shape).T - reach) * steps
            cells = (np.square(apart).sum(axis=-1) <= self.radius**2 * (1 + 1e-9)).T
        return np.asarray(cells)


@dataclass(frozen=True, slots=True, eq=False)
class VoxelMaps:
    """Features of every voxel's neighbourhood.

    Attributes
    ----------
    kept : ndarray, bool, shape (x, y, z)
        The voxels that have values: the outline, less what re-segmentation takes.
    values : mapping of str to ndarray, float64, shape (n,)
        By tag, in the order of ``kept``; NaN where a neighbourhood leaves a feature undefined.
    """

    kept: npt.NDArray[np.bool_]
    values: Mapping[str, Rows] = field(default_factory=dict)

    def volume(self, tag: str) -> npt.NDArray[np.float32]:
        """Return one map on the grid of the image, float32, NaN outside and where undefined.

        Examples
        --------
        >>> VoxelMaps(np.array([[[True, False]]]), {"stat_mean": np.array([2.0])}).volume("stat_mean").tolist()
        [[[2.0, nan]]]
        """
        whole = np.full(self.kept.shape, np.nan, np.float32)
        whole[self.kept] = self.values[tag]
        return whole


def mapped_tags(dimensions: Literal[2, 3] = 3) -> tuple[str, ...]:
    """Return the tags of all features that have maps, with a kernel of so many dimensions.

    Examples
    --------
    >>> mapped_tags()[0], mapped_tags(2)[-1], len(mapped_tags())
    ('stat_mean', 'ngl_dc_energy_2D', 177)
    """
    return tuple(f"{prefix}_{name}{way}" for prefix, names, ways in MAPPED.values() for way in ways[dimensions] for name in names)


def chosen_tags(wanted: Iterable[str], dimensions: Literal[2, 3] = 3) -> tuple[str, ...]:
    """Return the tags that are wanted, a family's name standing for all of its own, merged over directions.

    Raises
    ------
    BadSetting
        For none, one that is unknown (the nearest named), one that describes the region as a whole, or one of the other dimension.

    Examples
    --------
    >>> chosen_tags(["ngtdm", "stat_mean"])[-2:]
    ('ngt_strength_3D', 'stat_mean')
    """
    known, found = mapped_tags(dimensions), list[str]()
    for word in wanted:
        if word in MAPPED:
            prefix, names, ways = MAPPED[word]
            found += [f"{prefix}_{name}{ways[dimensions][0]}" for name in names]
        elif word in known:
            found.append(word)
        else:
            raise BadSetting(_no_map(word, dimensions, known), item=word)
    if not found:
        raise BadSetting("No map is named; give tags such as cm_contrast_3D_comb, or families such as glcm.", item="maps")
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class MapSettings:
    """Which maps to make, and how.

    Attributes
    ----------
    tags : tuple of str
        Of `mapped_tags`, or families.
    how : Extraction
        Its range, outliers and grey levels; families and aggregations come from the tags.
    kernel : Kernel

    Raises
    ------
    BadSetting
        As :func:`chosen_tags`.

    Examples
    --------
    >>> MapSettings(("ngtdm",), Extraction()).tags[0]
    'ngt_coarseness_3D'
    """

    tags: tuple[str, ...]
    how: Extraction
    kernel: Kernel = field(default_factory=Kernel)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", chosen_tags(self.tags, self.kernel.dimensions))

    def as_record(self) -> dict[str, Any]:
        """Return everything that a map depends on, as plain JSON values."""
        return {**self.how.as_record(), "maps": list(self.tags), "kernel": asdict(self.kernel)}


def voxel_maps(
    array: npt.NDArray[Any],
    region: npt.NDArray[np.bool_],
    spacing_mm: npt.ArrayLike,
    settings: MapSettings,
    *,
    over: MapFunction = map,
) -> VoxelMaps:
    """Map features over an outlined region, voxel by voxel.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Not changed.
    region : ndarray, bool, shape (x, y, z)
    spacing_mm : array_like, shape (3,)
    settings : MapSettings
        The extraction's grid is not applied: resample first.
    over : callable
        ``map(function, blocks)`` in order; a thread pool's works, since the loops hold no lock. No value depends on it.

    Returns
    -------
    VoxelMaps
        Where the neighbourhood has one grey level, texture is NaN, as it is for a region. ``inv_diff_norm`` and ``inv_diff_mom_norm``
        are normalised by the levels of the whole region.

    Raises
    ------
    BadSetting
        For a kernel of one voxel, or of more than `MOST_KERNEL_VOXELS`.
    BadGeometry, BadCase
        As :func:`onclair.science.radiomics.extract.extract`.

    References
    ----------
    van Griethuysen et al., Cancer Res 2017;77:e104-e107, doi:10.1158/0008-5472.CAN-17-0339 (voxel-based extraction with a masked kernel);
    features as in the IBSI manual, arXiv:1612.07003.

    Examples
    --------
    >>> a = np.array([1.0, 2.0, 6.0, 7.0]).reshape(4, 1, 1)
    >>> maps = voxel_maps(a, a > 1, (1, 1, 1), MapSettings(("stat_mean", "cm_contrast_3D_comb"), Extraction("none")))
    >>> maps.values["stat_mean"].tolist(), maps.values["cm_contrast_3D_comb"].tolist()
    ([4.0, 5.0, 6.5], [16.0, 8.5, 1.0])
    """
    kernel, tags = settings.kernel, settings.tags
    roi = prepared(array, region, spacing_mm, settings.how.range, outliers=settings.how.outliers)
    cells, leveled = kernel.cells(roi.spacing_mm), any(not tag.startswith("stat_") for tag in tags)
    scene = Scene(roi, settings.how, cells, in_slice=kernel.dimensions == 2, levels=leveled)
    values: dict[str, Rows] = {}
    for family, (prefix, _, ways) in MAPPED.items():
        for way in ways[kernel.dimensions]:
            own = [tag for tag in tags if tag.startswith(f"{prefix}_") and tag.endswith(way)]
            if own:
                values |= _mapped(scene, family, way, own, over)
    kept = np.zeros(np.shape(array), bool)
    kept[roi.box] = roi.kept
    return VoxelMaps(kept, {tag: values[tag] for tag in tags})


def _mapped(scene: Scene, family: str, way: str, tags: Sequence[str], over: MapFunction) -> dict[str, Rows]:
    """Return the maps of one family put together in one way."""
    prefix = MAPPED[family][0]
    names = [tag.removeprefix(f"{prefix}_").removesuffix(way) for tag in tags]
    measure, width = measures(scene, family, averaged=way.endswith("_avg"))
    many = max(64, BLOCK // width)
    blocks = [scene.centres[start : start + many] for start in range(0, scene.centres.size, many)]

    def measured(centres: Whole) -> list[Rows]:
        found = measure(centres)
        return [found[name] for name in names]

    return dict(zip(tags, map(np.concatenate, zip(*over(measured, blocks), strict=True)), strict=True))


def _no_map(word: str, dimensions: Literal[2, 3], known: Sequence[str]) -> str:
    """Say why there is no map of that name."""
    other: Literal[2, 3] = 2 if dimensions == 3 else 3
    if word in mapped_tags(other):
        return f"'{word}' needs a kernel of {other} dimensions, and this one has {dimensions}; change the one or the other."
    every = {tag for family in FAMILIES.values() for tag in family.tags(Extraction(families=tuple(FAMILIES)))}
    if word in FAMILIES or word in every:
        return f"'{word}' describes a region as a whole and has no map; there are maps of {', '.join(MAPPED)}."
    if "_2_5D" in word:
        return f"'{word}' merges slices, of which a neighbourhood has no choice; take the 2D or 3D feature of that name."
    return f"There is no map of '{word}'; {did_you_mean(word, (*MAPPED, *known))}"
