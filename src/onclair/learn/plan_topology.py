"""How deep a U-Net goes on a grid and what a step costs: pooling, kernels, and the budget of memory and CPU seconds that cuts the patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting

Triple: TypeAlias = tuple[int, int, int]
#: A map is pooled along an axis while it has twice this many voxels there (nnU-Net's least edge of a feature map).
LEAST_EDGE = 4
#: No patch is smaller along an axis: below it there are fewer than three stages.
LEAST_PATCH = 16
#: Voxels of the patch from which the search starts: nnU-Net's 256 a side.
STARTING_VOXELS = 256**3
#: CPU seconds of a training step a 10^9 multiplications of its forward pass, and a 10^9 numbers in its maps: measured, one core.
SECONDS_A_GMAC, SECONDS_A_GIGANUMBER = 0.045, 13.0
#: Bytes a number of a map while training: it is kept before and after normalisation and activation, and its gradient stands beside it.
TRAINING_BYTES = 24


@dataclass(frozen=True, slots=True)
class Topology:
    """The stages of a U-Net.

    Attributes
    ----------
    patch : (int, int, int)
        Divisible by what is pooled.
    strides, kernels : tuple of (int, int, int)
        Of each stage, the finest first; its stride is 1.

    Examples
    --------
    >>> topology_of((1.0, 1.0, 1.0), (40, 40, 40)).strides
    ((1, 1, 1), (2, 2, 2), (2, 2, 2), (2, 2, 2))
    """

    patch: Triple
    strides: tuple[Triple, ...]
    kernels: tuple[Triple, ...]

    def features(self, least: int, most: int) -> tuple[int, ...]:
        """Return the filters of each stage: doubled at each pooling, up to `most`.

        Examples
        --------
        >>> topology_of((1.0, 1.0, 1.0), (64, 64, 64)).features(8, 64)
        (8, 16, 32, 64, 64)
        """
        return tuple(min(most, least * 2**stage) for stage in range(len(self.strides)))


def topology_of(spacing_mm: Sequence[float], patch: Sequence[int]) -> Topology:
    """Return the stages for a patch: an axis is pooled while its map is long enough and its spacing is within twice the finest.

    Parameters
    ----------
    spacing_mm : sequence of 3 floats
    patch : sequence of 3 ints
        Rounded up to what the pooling divides.

    Notes
    -----
    A kernel is 1 along an axis until the others have been pooled to within twice its spacing, then 3; the coarsest stage has 3
    everywhere. A single axis that is left is pooled only from three times the least edge on.

    References
    ----------
    Isensee et al., Nat Methods 2021;18:203-211, doi:10.1038/s41592-020-01008-z, supplementary note 5; rechecked against
    ``network_topology.py`` of nnU-Net 2.

    Examples
    --------
    Thick slices: the plane is pooled alone until its spacing meets theirs.

    >>> topology_of((1.0, 1.0, 4.0), (64, 64, 16)).strides
    ((1, 1, 1), (2, 2, 1), (2, 2, 1), (2, 2, 2), (2, 2, 2))
    >>> topology_of((1.0, 1.0, 4.0), (64, 64, 16)).kernels[:2]
    ((3, 3, 1), (3, 3, 1))
    """
    spacing, size = np.array(spacing_mm, dtype=np.float64), np.array(patch, dtype=np.int64)
    kernel, pooled = np.ones(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    strides, kernels = [(1, 1, 1)], []
    while True:
        able = size >= 2 * LEAST_EDGE
        if not able.any():
            break
        able &= spacing / spacing[able].min() < 2
        if able.sum() == 1 and size[able][0] < 3 * LEAST_EDGE:
            break
        kernel[spacing / spacing.min() < 2] = 3
        kernels.append(_triple(kernel))
        strides.append(_triple(np.where(able, 2, 1)))
        spacing, size, pooled = np.where(able, 2 * spacing, spacing), np.where(able, -(-size // 2), size), pooled + able
    kernels.append((3, 3, 3))
    divisor = 2**pooled
    return Topology(_triple(-(-np.array(patch) // divisor) * divisor), tuple(strides), tuple(kernels))


def gmacs(topology: Topology, features: Sequence[int], batch: int) -> tuple[float, float]:
    """Return 10^9 multiplications and 10^9 numbers in the maps of one forward pass: two convolutions a stage, down and up.

    Examples
    --------
    A stage of 2 filters on 10 x 10 x 10 voxels alone: 27 (1 x 2 + 2 x 2) multiplications a voxel.

    >>> one = Topology((10, 10, 10), ((1, 1, 1),), ((3, 3, 3),))
    >>> [round(1e9 * each) for each in gmacs(one, (2,), 1)]
    [162000, 4000]
    """
    multiplied, numbers, before = 0.0, 0.0, 1
    voxels = batch * float(np.prod(topology.patch))
    for stage, filters in enumerate(features):
        kernel, voxels = float(np.prod(topology.kernels[stage])), voxels / float(np.prod(topology.strides[stage]))
        multiplied += voxels * kernel * filters * (before + filters)
        numbers += 2 * voxels * filters
        if stage < len(features) - 1:
            multiplied += voxels * filters * (3 * kernel * filters + features[stage + 1])
            numbers += 4 * voxels * filters
        before = filters
    return multiplied / 1e9, numbers / 1e9


def step_cost(topology: Topology, features: Sequence[int], batch: int) -> tuple[float, float]:
    """Return the CPU seconds and 10^9 bytes that a training step is expected to take.

    Notes
    -----
    Constants of this house, not nnU-Net's, which budgets memory alone; no machine is measured, so that a plan depends on the data only.
    """
    multiplied, numbers = gmacs(topology, features, batch)
    return SECONDS_A_GMAC * multiplied + SECONDS_A_GIGANUMBER * numbers, TRAINING_BYTES * numbers


def inference_gb(patch: Sequence[int], features: Sequence[int]) -> float:
    """Return the 10^9 bytes that one tile needs: at the finest stage, the skipped maps, two working ones and what the runtime keeps.

    Examples
    --------
    >>> round(inference_gb((100, 100, 100), (10,)), 3)
    0.24
    """
    return float(np.prod(patch)) * features[0] * 4 * 6 / 1e9


@dataclass(frozen=True, slots=True)
class Budget:
    """What a step may cost.

    Attributes
    ----------
    cpu_s, memory_gb : float
    least, most : int
        Filters of the finest stage, and of any.
    batch : int
    """

    cpu_s: float
    memory_gb: float
    least: int
    most: int
    batch: int = 2

    def holds(self, topology: Topology) -> bool:
        """Return whether a step on this topology is within the budget."""
        cpu_s, memory_gb = step_cost(topology, topology.features(self.least, self.most), self.batch)
        return cpu_s <= self.cpu_s and memory_gb <= self.memory_gb


def fitted(spacing_mm: Sequence[float], median_shape: Sequence[float], budget: Budget) -> Topology:
    """Return the largest patch within a budget: of equal length in mm where the scans allow it, cut where it is longest against them.

    Parameters
    ----------
    spacing_mm : sequence of 3 floats
    median_shape : sequence of 3 floats
        Of the scans at that spacing, in voxels.
    budget : Budget

    Raises
    ------
    BadSetting
        When not even the smallest patch is within the budget.

    References
    ----------
    As :func:`topology_of`; the search is that of ``default_experiment_planner.py`` of nnU-Net 2.

    Examples
    --------
    >>> fitted((1.0, 1.0, 1.0), (400, 400, 400), Budget(0.35, 1.0, 8, 64)).patch
    (48, 48, 48)
    """
    sides = 1 / np.array(spacing_mm, dtype=np.float64)
    sides *= (STARTING_VOXELS / np.prod(sides)) ** (1 / 3)
    shape = np.maximum(np.array(median_shape, dtype=np.float64), 1.0)
    topology = topology_of(spacing_mm, _least(np.minimum(np.rint(sides), np.rint(shape))))
    while not budget.holds(topology):
        smaller = _shrunk(spacing_mm, topology, shape)
        if smaller is None:
            said = f"A training step of {budget.cpu_s:g} CPU seconds and {budget.memory_gb:g} GB does not hold the smallest patch"
            raise BadSetting(f"{said}, {topology.patch}; choose a smaller preset.", item="preset")
        topology = smaller
    return topology


def _shrunk(spacing_mm: Sequence[float], topology: Topology, shape: npt.NDArray[np.float64]) -> Topology | None:
    """Return the next smaller patch, cut along the axis that is longest against the scans and can be cut."""
    patch = np.array(topology.patch)
    for axis in np.argsort(-(patch / shape), kind="stable"):
        if patch[axis] <= LEAST_PATCH:
            continue
        divisors = _divisors(topology)
        tried = patch.copy()
        tried[axis] -= divisors[axis]
        step = _divisors(topology_of(spacing_mm, _least(tried)))[axis]
        cut = patch.copy()
        cut[axis] -= step
        return topology_of(spacing_mm, _least(cut))
    return None


def _divisors(topology: Topology) -> npt.NDArray[np.int64]:
    return np.asarray(np.prod(np.array(topology.strides), axis=0))


def _least(patch: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Triple:
    return _triple(np.maximum(patch, LEAST_PATCH).astype(np.int64))


def _triple(values: npt.NDArray[np.int64]) -> Triple:
    return int(values[0]), int(values[1]), int(values[2])
