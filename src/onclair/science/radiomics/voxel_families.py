"""What voxel maps are made of, family by family: the loops that count, and the formulas that turn counts into features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.science.radiomics import voxel_kernels as kernels
from onclair.science.radiomics.discretise import discretised
from onclair.science.radiomics.emphases import EMPHASES, emphases
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.families import MOST_TEXTURE_LEVELS
from onclair.science.radiomics.glcm import COOCCURRENCE, _measures
from onclair.science.radiomics.glrlm import RUNS
from onclair.science.radiomics.intensity import STATISTICS
from onclair.science.radiomics.levels import IN_PLANE, GreyLevels, grey_levels
from onclair.science.radiomics.neighbours import DEPENDENCES, TONES
from onclair.science.radiomics.roi import Roi
from onclair.science.radiomics.zones import DISTANCES, SIZES, _behind

Rows: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.int64]
#: Centres to features by name, one value a centre.
Measure: TypeAlias = Callable[[Whole], Mapping[str, Rows]]

_HISTOGRAM = (*STATISTICS[:16], "mode", "entropy", "uniformity", "max_grad", "max_grad_g", "min_grad", "min_grad_g")


class Scene:
    """The region laid out for the loops, and the box that one neighbourhood is copied into.

    Parameters
    ----------
    roi : Roi
    how : Extraction
        Its grey levels.
    cells : ndarray, bool
        The kernel, odd along each axis.
    in_slice : bool
        Whether neighbours are those in the slice alone.
    levels : bool
        False where only intensities are asked for, which need no grey levels.
    """

    def __init__(self, roi: Roi, how: Extraction, cells: npt.NDArray[np.bool_], *, in_slice: bool, levels: bool) -> None:
        self.roi, self.cells, self.in_slice = roi, cells, in_slice
        self.margin = [(side // 2, side // 2) for side in cells.shape]
        numbers = discretised(roi.values, how.levels_by) if levels else np.ones(roi.values.size, np.uint16)
        self.count = int(numbers.max())
        if self.count > MOST_TEXTURE_LEVELS:
            raise BadCase(f"The region falls into {self.count} grey levels; texture takes at most {MOST_TEXTURE_LEVELS}: use wider bins.")
        whole = np.zeros(roi.kept.shape, np.uint16)
        whole[roi.kept] = numbers
        self.flat = self.laid_out(whole)
        self.box: GreyLevels = grey_levels(np.ones(int(cells.sum()), np.uint16), cells)

    def laid_out(self, volume: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a volume with the kernel's margin around it, flat, x fastest."""
        return np.ascontiguousarray(np.pad(volume, self.margin).transpose(2, 1, 0)).ravel()

    @cached_property
    def centres(self) -> Whole:
        """Where each voxel of the region lies in `flat`, in the region's own (C) order."""
        shape = [n + 2 * margin for n, (margin, _) in zip(self.roi.kept.shape, self.margin, strict=True)]
        x, y, z = (at + margin for at, (margin, _) in zip(np.nonzero(self.roi.kept), self.margin, strict=True))
        return np.asarray((z * shape[1] + y) * shape[0] + x, dtype=np.int64)

    @cached_property
    def reach(self) -> Whole:
        """The step in `flat` from a centre to each cell of the kernel, in the box's order."""
        rows = self.roi.kept.shape[0] + 2 * self.margin[0][0]
        plane = rows * (self.roi.kept.shape[1] + 2 * self.margin[1][0])
        z, y, x = np.nonzero(self.cells.transpose(2, 1, 0))
        (mx, _), (my, _), (mz, _) = self.margin
        return np.asarray((z - mz) * plane + (y - my) * rows + (x - mx), dtype=np.int64)

    @cached_property
    def steps(self) -> Whole:
        """The directions of neighbours, as steps in the box."""
        return np.array(self.box.offsets[: IN_PLANE if self.in_slice else None], dtype=np.int64)

    @cached_property
    def sides(self) -> Whole:
        """Lengths that a run, or depths that a zone, can have in the box."""
        return np.arange(1, max(self.cells.shape) + 1)

    @cached_property
    def places(self) -> Whole:
        """Where each cell of the kernel lies in the box."""
        return self.box.voxels.astype(np.int64)

    @cached_property
    def laid(self) -> kernels.Scene:
        """What every loop over levels takes first."""
        return self.flat, self.reach, self.places, int(self.box.flat.size)


def measures(scene: Scene, family: str, *, averaged: bool) -> tuple[Measure, int]:
    """Return what turns centres into a family's features, and how many numbers it holds a centre.

    Parameters
    ----------
    scene : Scene
    family : str
    averaged : bool
        Each direction's matrix for itself, the features averaged, where a family has directions; else all merged.
    """
    if family in _DIRECTED:
        return _DIRECTED[family](scene, scene.steps[:, None] if averaged else scene.steps[None])
    return _UNDIRECTED[family](scene)


def _statistics(scene: Scene) -> tuple[Measure, int]:
    array = scene.laid_out(scene.roi.array)

    def measure(centres: Whole) -> Mapping[str, Rows]:
        return dict(zip(STATISTICS, kernels.statistics_rows(scene.flat, array, centres, scene.reach).T, strict=True))

    return measure, len(STATISTICS)


def _histogram(scene: Scene) -> tuple[Measure, int]:
    def measure(centres: Whole) -> Mapping[str, Rows]:
        return dict(zip(_HISTOGRAM, kernels.histogram_rows(scene.flat, centres, scene.reach).T, strict=True))

    return measure, len(_HISTOGRAM)


def _cooccurrence(scene: Scene, steps: Whole) -> tuple[Measure, int]:
    def measure(centres: Whole) -> Mapping[str, Rows]:
        rows = kernels.pair_rows(scene.laid, centres, steps, scene.count)
        return _each(rows, lambda counted: _measures(counted, scene.count), COOCCURRENCE)

    return measure, (3 + 4 * scene.count) * len(steps)


def _run_lengths(scene: Scene, steps: Whole) -> tuple[Measure, int]:
    def measure(centres: Whole) -> Mapping[str, Rows]:
        rows = kernels.run_rows(scene.laid, centres, steps, scene.count, scene.sides)
        return _each(rows, lambda counted: _under(RUNS, emphases(counted, scene.sides)), RUNS)

    return measure, (6 + scene.count + scene.sides.size) * len(steps)


def _size_zones(scene: Scene) -> tuple[Measure, int]:
    links, sizes = _behind(scene.box, scene.steps.size), np.arange(1, scene.places.size + 1)

    def measure(centres: Whole) -> Mapping[str, Rows]:
        rows = kernels.zone_rows(scene.laid, centres, links, scene.count, sizes)
        return _each(rows, lambda counted: _under(SIZES, emphases(counted[:, :-1], sizes, counted[:, -1])), SIZES)

    return measure, 7 + scene.count + sizes.size


def _distance_zones(scene: Scene) -> tuple[Measure, int]:
    links, outline = _behind(scene.box, scene.steps.size), scene.laid_out(scene.roi.region)
    axes = scene.steps[[0, 1]] if scene.in_slice else scene.steps[[0, 1, IN_PLANE]]

    def measure(centres: Whole) -> Mapping[str, Rows]:
        rows = kernels.depth_rows(scene.laid, centres, links, scene.count, scene.sides, (outline, axes))
        return _each(rows, lambda counted: _under(DISTANCES, emphases(counted[:, :-1], scene.sides, counted[:, -1])), DISTANCES)

    return measure, 7 + scene.count + scene.sides.size


def _tone_differences(scene: Scene) -> tuple[Measure, int]:
    def measure(centres: Whole) -> Mapping[str, Rows]:
        return dict(zip(TONES, kernels.tone_rows(scene.laid, centres, scene.steps, scene.count).T, strict=True))

    return measure, 2 * scene.count


def _dependences(scene: Scene) -> tuple[Measure, int]:
    sizes = np.arange(1, 2 * scene.steps.size + 2)

    def of(counted: Rows) -> dict[str, Rows]:
        found = _under(DEPENDENCES[:-1], emphases(counted[:, :-1], sizes, counted[:, 0]))
        return {**found, DEPENDENCES[-1]: counted[:, -1]}

    def measure(centres: Whole) -> Mapping[str, Rows]:
        return _each(kernels.dependence_rows(scene.laid, centres, scene.steps, scene.count, sizes), of, DEPENDENCES)

    return measure, 7 + scene.count + sizes.size


_DIRECTED: Mapping[str, Callable[[Scene, Whole], tuple[Measure, int]]] = {"glcm": _cooccurrence, "glrlm": _run_lengths}
_UNDIRECTED: Mapping[str, Callable[[Scene], tuple[Measure, int]]] = {
    "statistics": _statistics,
    "histogram": _histogram,
    "glszm": _size_zones,
    "gldzm": _distance_zones,
    "ngtdm": _tone_differences,
    "ngldm": _dependences,
}


def _each(rows: Rows, measure: Callable[[Rows], Mapping[str, Rows]], names: Sequence[str]) -> dict[str, Rows]:
    """Turn rows (centre, matrix, sums) into features a centre, averaged over the matrices that have them; NaN where none has."""
    whole = rows.reshape(-1, rows.shape[2])
    counted = whole[:, 0] > 0
    found = measure(whole[counted])
    result = {}
    for name in names:
        each = np.full(counted.size, np.nan)
        each[counted] = found[name]
        result[name] = _mean_of_defined(each.reshape(rows.shape[:2]))
    return result


def _mean_of_defined(each: Rows) -> Rows:
    defined = ~np.isnan(each)
    number = defined.sum(axis=1)
    return np.asarray(np.where(number > 0, np.where(defined, each, 0.0).sum(axis=1) / np.maximum(number, 1), np.nan))


def _under(names: Sequence[str], found: Mapping[str, Rows]) -> dict[str, Rows]:
    """Return the sixteen emphases under a family's own names."""
    return {short: found[name] for short, name in zip(names, EMPHASES, strict=True)}
