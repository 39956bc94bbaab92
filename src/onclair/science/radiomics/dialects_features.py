"""PyRadiomics' intensity and texture features by their published names, from the house's own matrices.

What it defines as the IBSI does is taken as it is; what it defines otherwise stands in `_SPECIAL`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.science.radiomics.aggregate import Row, Table, reduced
from onclair.science.radiomics.dialects_names import TAGS
from onclair.science.radiomics.discretise import MOST_LEVELS
from onclair.science.radiomics.features import Features, undefined
from onclair.science.radiomics.glcm import cooccurrence, pair_counts
from onclair.science.radiomics.glrlm import glrlm_tags, run_lengths
from onclair.science.radiomics.intensity import moments_and_spread
from onclair.science.radiomics.levels import DIRECTIONS, GreyLevels, grey_levels
from onclair.science.radiomics.neighbours import Neighbourhoods, dependences, neighbourhoods, tone_differences
from onclair.science.radiomics.roi import box_around
from onclair.science.radiomics.zones import size_zones

Volume = npt.NDArray[np.float64]
Region = npt.NDArray[np.bool_]
Levels = Callable[[Volume], npt.NDArray[np.int64]]
#: Texture matrices have a row for each grey level; more than this is a mistake of the bin width.
MOST_TEXTURE_LEVELS = 2048


class Band:
    """One image (the original, or a band of it) in the outline: every matrix made once and only when asked for.

    Parameters
    ----------
    array : ndarray, float64, shape (x, y, z)
    kept : ndarray, bool, shape (x, y, z)
        The intensity mask; at least one voxel.
    voxel_mm3 : float
    levels_of : callable
        Intensities, shape (n,), to grey levels from 1.

    Examples
    --------
    >>> a = np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    >>> band = Band(a, a > 0, 8.0, lambda values: values.astype(np.int64))
    >>> band.of("firstorder", "TotalEnergy"), round(band.of("firstorder", "Kurtosis"), 6), band.of("glcm", "Contrast")
    (112.0, 1.5, 1.0)
    """

    def __init__(self, array: Volume, kept: Region, voxel_mm3: float, levels_of: Levels) -> None:
        box = box_around(kept)
        self.kept = kept[box]
        self.values = array[box][self.kept]
        self.voxel_mm3 = voxel_mm3
        self.levels_of = levels_of

    def of(self, kind: str, name: str) -> float:
        """Return one feature, NaN where it is undefined.

        Parameters
        ----------
        kind : str
            Of `dialects_names.CLASSES`, but ``shape``.
        name : str
            As `dialects_names.TAGS` has it.
        """
        special = _SPECIAL.get(f"{kind}_{name}")
        if special is not None:
            return float(special(self))
        tag = TAGS[kind][name]
        assert tag is not None  # what the IBSI has no tag for is in _SPECIAL
        return self.moments[tag.removeprefix("stat_")] if kind == "firstorder" else self._matrix(kind).values[tag]

    def why(self, kind: str, name: str) -> str:
        """Return why a feature of this band is NaN, in words.

        Examples
        --------
        >>> apart = np.array([True, False, True]).reshape(3, 1, 1)
        >>> band = Band(np.array([1.0, 0.0, 3.0]).reshape(3, 1, 1), apart, 1.0, lambda values: values.astype(np.int64))
        >>> band.why("glcm", "MCC")
        'no two voxels of the region are neighbours'
        """
        if kind == "firstorder":
            return "it is a ratio over zero in this region"
        reasons = self._matrix(kind).reasons
        return reasons.get(TAGS[kind][name] or "", next(iter(reasons.values()), "it is not defined for this region"))

    def _matrix(self, kind: str) -> Features:
        made: Features = getattr(self, kind)
        return made

    @cached_property
    def moments(self) -> Mapping[str, float]:
        """The statistics of the intensities."""
        return moments_and_spread(np.sort(self.values))

    @cached_property
    def levels(self) -> npt.NDArray[np.int64]:
        """The grey level of each of `values`."""
        return self.levels_of(self.values)

    @cached_property
    def shares(self) -> Volume:
        """The share of each grey level that occurs."""
        return np.unique(self.levels, return_counts=True)[1] / self.levels.size

    @cached_property
    def grey(self) -> GreyLevels:
        """The levels, laid out for the texture kernels."""
        highest = int(self.levels.max())
        if highest > MOST_TEXTURE_LEVELS:
            raise BadCase(f"The region falls into {highest} grey levels; texture takes at most {MOST_TEXTURE_LEVELS}: use wider bins.")
        return grey_levels(self.levels, self.kept)

    @cached_property
    def directed(self) -> GreyLevels:
        """The levels with only those directions that fit into the region's box: a single slice has four."""
        fits = [all(n > abs(step) for n, step in zip(self.kept.shape, direction, strict=True)) for direction in DIRECTIONS]
        return replace(self.grey, offsets=tuple(offset for offset, fit in zip(self.grey.offsets, fits, strict=True) if fit))

    @cached_property
    def glcm(self) -> Features:
        """Co-occurrence, averaged over directions."""
        return cooccurrence(self.directed, ("3D_avg",))

    @cached_property
    def glrlm(self) -> Features:
        """Runs, averaged over the directions in which two voxels lie on one line."""
        lined = tuple(offset for offset, step in zip(self.grey.offsets, DIRECTIONS, strict=True) if self._on_one_line(offset, step))
        if not lined:
            return undefined(glrlm_tags(("3D_avg",)), "no two voxels of the region lie on one line")
        return run_lengths(replace(self.grey, offsets=lined), ("3D_avg",))

    def _on_one_line(self, offset: int, step: tuple[int, int, int]) -> bool:
        if self.grey.flat[self.grey.voxels + offset].any():
            return True
        places = np.argwhere(self.kept)
        axis = int(np.flatnonzero(step)[0])
        lines = places - np.outer(places[:, axis] * step[axis], step)
        return len(np.unique(lines, axis=0)) < len(lines)

    @cached_property
    def glszm(self) -> Features:
        """Zones."""
        return size_zones(self.grey, ("3D",))

    @cached_property
    def swept(self) -> dict[str, tuple[Neighbourhoods, ...]]:
        """What both families of neighbourhoods count."""
        return neighbourhoods(self.grey, ("3D",))

    @cached_property
    def ngtdm(self) -> Features:
        """Differences from neighbours; voxels without any count as well."""
        every = tuple(replace(each, voxels=each.dependence.sum(axis=1)) for each in self.swept["3D"])
        return tone_differences(self.grey, ("3D",), swept={"3D": every})

    @cached_property
    def gldm(self) -> Features:
        """Dependences."""
        return dependences(self.grey, ("3D",), swept=self.swept)

    @cached_property
    def flat_share(self) -> float:
        """The share of directions, of those with a pair, in which all pairs are of one level."""
        rows = reduced(self.directed, ("3D_avg",), pair_counts, _present)["3D_avg"]
        present = np.array([row[0] for row in rows if row[0] > 0])
        return float((present == 1).mean()) if present.size else 0.0

    @cached_property
    def energy(self) -> float:
        """The sum of the squared intensities."""
        return float(np.square(np.sort(self.values)).sum())


def aligned_levels(values: Volume, width: float) -> npt.NDArray[np.int64]:
    """Return grey levels from bins whose edges are multiples of the width.

    Parameters
    ----------
    values : ndarray, float64, shape (n,)
    width : float
        In the image's unit.

    Returns
    -------
    ndarray, int64, shape (n,)
        From 1, the bin of the lowest intensity: without an absolute zero, unlike the IBSI's fixed width.

    Raises
    ------
    BadCase
        For more than 65,535 levels.

    Examples
    --------
    >>> aligned_levels(np.array([-30.0, -25.0, 0.0, 24.9]), 25.0).tolist()
    [1, 2, 3, 3]
    """
    low, high = float(values.min()), float(values.max())
    if (high - low) / width >= MOST_LEVELS:
        raise BadCase(f"The region falls into {(high - low) / width:.6g} grey levels; at most {MOST_LEVELS} can be held: use wider bins.")
    return np.digitize(values, np.arange(low - low % width, high + 2 * width, width)).astype(np.int64)


def numbered_levels(values: Volume, bins: int) -> npt.NDArray[np.int64]:
    """Return grey levels from so many bins between the lowest and the highest intensity.

    Examples
    --------
    >>> numbered_levels(np.array([-10.0, 0.0, 10.0]), 4).tolist()
    [1, 3, 4]
    """
    edges = np.histogram_bin_edges(values, bins)
    edges[-1] += 1  # so that the highest intensity lies in the last bin
    return np.digitize(values, edges).astype(np.int64)


def _present(table: Table) -> Row:
    return np.array([float(np.count_nonzero(table.any(axis=1)))])


def _maximal_correlation(table: Table) -> Row:
    """Return the second largest singular value of the matrix between its margins; 0 where all pairs are of one level."""
    present = np.flatnonzero(table.any(axis=1))
    if present.size == 0:
        return np.array([math.nan])
    if present.size == 1:
        return np.array([0.0])
    p = table[np.ix_(present, present)] / table.sum()
    root = np.sqrt(p.sum(axis=1))
    return np.array([np.sort(np.abs(np.linalg.eigvalsh(p / np.outer(root, root))))[-2]])


def _mcc(band: Band) -> float:
    if band.shares.size == 1:
        return 1.0
    rows = np.concatenate(reduced(band.directed, ("3D_avg",), pair_counts, _maximal_correlation)["3D_avg"])
    return float(np.nanmean(rows)) if np.isfinite(rows).any() else math.nan


def _with_flat(tag: str, conventional: float) -> Callable[[Band], float]:
    """Return a feature that counts directions of one level with a conventional value, where the IBSI leaves them out."""

    def _measured(band: Band) -> float:
        rest = band.glcm.values[tag]
        if not band.flat_share:
            return rest
        return conventional if band.flat_share == 1 else (1 - band.flat_share) * rest + band.flat_share * conventional

    return _measured


def _busyness(band: Band) -> float:
    value = band.ngtdm.values["ngt_busyness_3D"]
    return 0.0 if math.isnan(value) and not math.isnan(band.ngtdm.values["ngt_contrast_3D"]) else value


#: What is not simply the value of a tag.
_SPECIAL: Mapping[str, Callable[[Band], float]] = MappingProxyType(
    {
        "firstorder_Energy": lambda band: band.energy,
        "firstorder_TotalEnergy": lambda band: band.energy * band.voxel_mm3,
        "firstorder_RootMeanSquared": lambda band: math.sqrt(band.energy / band.values.size),
        "firstorder_StandardDeviation": lambda band: math.sqrt(band.moments["var"]),
        "firstorder_Kurtosis": lambda band: band.moments["kurt"] + 3,
        "firstorder_Entropy": lambda band: -float((band.shares * np.log2(band.shares)).sum()),
        "firstorder_Uniformity": lambda band: float(np.square(band.shares).sum()),
        "glcm_Correlation": _with_flat("cm_corr_3D_avg", 1.0),
        "glcm_Imc1": _with_flat("cm_info_corr1_3D_avg", 0.0),
        "glcm_MCC": _mcc,
        "ngtdm_Busyness": _busyness,
    }
)
