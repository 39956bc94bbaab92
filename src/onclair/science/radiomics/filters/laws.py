"""Laws kernels: levels, edges, spots, waves and ripples, and their texture energy."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.filters.boundaries import reach
from onclair.science.radiomics.filters.mean import Mean
from onclair.science.radiomics.filters.pooling import Pooling, checked_pooling, pooled
from onclair.science.radiomics.filters.scene import Response, Scene
from onclair.science.radiomics.filters.separable import Chain

#: Before they are normalised to unit length; Laws 1980, as in the IBSI manual.
LAWS_KERNELS = MappingProxyType(
    {
        "L3": (1, 2, 1),
        "E3": (-1, 0, 1),
        "S3": (-1, 2, -1),
        "L5": (1, 4, 6, 4, 1),
        "E5": (-1, -2, 0, 2, 1),
        "S5": (-1, 0, 2, 0, -1),
        "W5": (-1, 2, 0, -2, 1),
        "R5": (1, -4, 6, -4, 1),
    }
)


@dataclass(frozen=True, slots=True)
class Laws:
    """A filter of Laws kernels.

    Attributes
    ----------
    kernels : str
        One kernel for each axis, x first: ``"L5E5"``, ``"E5L5S5"``.
    pooling : {"max", "average", "min"} or None
        Over the right-angled rotations.
    energy_distance : int or None
        Texture energy: the mean of the absolute response within this Chebyshev distance (the manual's delta).

    Raises
    ------
    BadSetting
        For an unknown kernel, quoting the nearest known one; for an unknown pooling; for a distance under 1.

    References
    ----------
    Laws, Rapid texture identification, Proc. SPIE 1980;0238, doi:10.1117/12.959169. IBSI manual, arXiv:2006.05470 (JTXT).

    Examples
    --------
    >>> [round(value, 3) for value in Laws("E3L3").chains[0][0]]
    [-0.707, 0.0, 0.707]
    """

    kernels: str
    pooling: Pooling | None = None
    energy_distance: int | None = None

    def __post_init__(self) -> None:
        checked_pooling(self.pooling)
        for name in self.names:
            if name not in LAWS_KERNELS:
                raise BadSetting(
                    f"The Laws kernel '{name}' of '{self.kernels}' is unknown; {did_you_mean(name, tuple(LAWS_KERNELS))}", item=name
                )
        if self.energy_distance is not None and self.energy_distance < 1:
            raise BadSetting(
                f"The distance of the texture energy is {self.energy_distance} voxels; it must be 1 or more.", item="energy_distance"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The kernels, one for each axis."""
        return tuple(re.findall("..?", self.kernels)) or ("",)

    @property
    def chains(self) -> list[Chain]:
        """The kernels along each axis, of unit length."""
        return [(_normalised(LAWS_KERNELS[name]),) for name in self.names]

    def radius(self, spacing_mm: float) -> int:  # noqa: ARG002 - every filter answers for a spacing
        """Return how many voxels around the one wanted the filter reads.

        Examples
        --------
        >>> Laws("L5E3", energy_distance=7).radius(2.0)
        9
        """
        return max(len(chain[0]) // 2 for chain in self.chains) + (self.energy_distance or 0)

    def __call__(self, scene: Scene) -> Response:
        """Return the response of a scene.

        Raises
        ------
        BadSetting
            When there is not one kernel for each axis.
        """
        if len(self.names) != scene.dimensions:
            found = f"{len(self.names)} kernels ('{self.kernels}')"
            raise BadSetting(f"A Laws filter in {scene.dimensions} dimensions needs as many kernels, not {found}.", item="kernels")
        if self.energy_distance is None:
            return pooled(scene, self.chains, self.pooling)
        return self._energy(scene, Mean(2 * self.energy_distance + 1))

    def _energy(self, scene: Scene, mean: Mean) -> Response:
        """Return the mean absolute response; beyond the edge it is the response that goes on by the boundary condition."""
        read = list(scene.spans)
        for axis in scene.axes:
            read[axis] = reach(read[axis], mean.size // 2, scene.array.shape[axis], scene.boundary)
        x, y, z = read
        response = np.abs(pooled(replace(scene, spans=(x, y, z)), self.chains, self.pooling))
        return mean(_again(scene, response, (x, y, z)))


def _again(scene: Scene, response: Response, read: tuple[tuple[int, int], ...]) -> Scene:
    """Return the scene with what a filter made of it in the place of the image; what was not read is never looked at."""
    whole = np.zeros(scene.array.shape)
    whole[tuple(slice(*span) for span in read)] = response
    return replace(scene, array=whole)


def _normalised(kernel: tuple[int, ...]) -> tuple[float, ...]:
    length = math.sqrt(sum(value * value for value in kernel))
    return tuple(value / length for value in kernel)
