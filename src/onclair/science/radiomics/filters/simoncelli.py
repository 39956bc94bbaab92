"""The non-separable wavelet of Simoncelli: one band of frequencies, in all directions alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.science.radiomics.filters.frequencies import Frequencies, consensus_frequencies, passed
from onclair.science.radiomics.filters.scene import Response, Scene

MOST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Simoncelli:
    """The band-pass response map of a level of the Simoncelli wavelet.

    Attributes
    ----------
    level : int
        Of decomposition: level 1 passes a quarter of the highest frequency to the highest, each further level half of that.

    Raises
    ------
    BadSetting
        For an impossible level.

    Notes
    -----
    The wavelet lives in the frequency domain of the whole image, where the image is periodic: the boundary condition of the
    scene has no part in it, as in the implementations that the consensus rests on. Nor is the response to a turned image
    quite the turned response where a side has an even number of voxels: the consensus grid lies half a sample off there.

    References
    ----------
    Portilla and Simoncelli, Int J Comput Vis 2000;40:49-71, doi:10.1023/A:1026553619983. IBSI manual, arXiv:2006.05470,
    PRT7.

    Examples
    --------
    >>> Simoncelli(2).transfer([np.array([0.0, 0.125, 0.25, 0.5, 1.0])]).round(3).tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0]
    """

    level: int

    def __post_init__(self) -> None:
        if not 1 <= self.level <= MOST_LEVELS:
            raise BadSetting(f"The level of the Simoncelli wavelet is {self.level}; it must be 1 to {MOST_LEVELS}.", item="level")

    def transfer(self, frequencies: Sequence[Frequencies]) -> npt.NDArray[np.float64]:
        """Return the transfer function at given frequencies, in units of the highest."""
        highest = 2.0 ** (1 - self.level)
        radius = np.sqrt(sum_of_squares(frequencies))
        inside = (radius >= highest / 4) & (radius <= highest)
        values = np.zeros(radius.shape)
        values[inside] = np.cos(math.pi / 2 * np.log2(2 / highest * radius[inside]))
        return values

    def radius(self, spacing_mm: float) -> None:
        """Return None: the filter reads the whole image."""

    def __call__(self, scene: Scene) -> Response:
        """Return the response of a scene."""
        block = np.asarray(scene.array, dtype=np.float64)
        return passed(block, scene.axes, consensus_frequencies, self.transfer)[scene.inside]


def sum_of_squares(frequencies: Sequence[Frequencies]) -> npt.NDArray[np.float64]:
    """Return the squared distance from the origin, on the grid that the axes span.

    Examples
    --------
    >>> sum_of_squares([np.array([[0.0], [3.0]]), np.array([[4.0]])]).tolist()
    [[16.0], [25.0]]
    """
    total = np.square(frequencies[0])
    for each in frequencies[1:]:
        total = total + np.square(each)
    return total
