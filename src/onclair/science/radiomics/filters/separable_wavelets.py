"""Separable wavelets, undecimated: Haar, Daubechies 2 and 3, Coiflet 1.

The decomposition is the à trous algorithm: at level j the kernels have 2^(j-1) - 1 holes between their coefficients, and act
on the low-pass result of the levels before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.filters.pooling import Pooling, checked_pooling, pooled
from onclair.science.radiomics.filters.scene import Response, Scene
from onclair.science.radiomics.filters.separable import Chain, Kernel, kernel_of, responses, steps_of


def _daubechies_3() -> tuple[float, ...]:
    root, nested = math.sqrt(10), math.sqrt(5 + 2 * math.sqrt(10))
    scaled = (1 + root + nested, 5 + root + 3 * nested, 10 - 2 * root + 2 * nested)
    ends = (10 - 2 * root - 2 * nested, 5 + root - 3 * nested, 1 + root - nested)
    return tuple(value / (16 * math.sqrt(2)) for value in (*scaled, *ends))


def _daubechies_2() -> tuple[float, ...]:
    root = math.sqrt(3)
    return tuple(value / (4 * math.sqrt(2)) for value in (1 + root, 3 + root, 3 - root, 1 - root))


def _coiflet_1() -> tuple[float, ...]:
    root = math.sqrt(7)
    scaled = (root - 3, 1 - root, 14 - 2 * root, 14 + 2 * root, 5 + root, 1 - root)
    return tuple(value / (16 * math.sqrt(2)) for value in scaled)


#: Scaling coefficients h, in the order of Daubechies (1992), tables 6.1 and 8.1; their sum is the root of 2.
SCALING = MappingProxyType(
    {
        "haar": (1 / math.sqrt(2), 1 / math.sqrt(2)),
        "db1": (1 / math.sqrt(2), 1 / math.sqrt(2)),
        "db2": _daubechies_2(),
        "db3": _daubechies_3(),
        "coif1": _coiflet_1()[::-1],
    }
)
MOST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class SeparableWavelet:
    """One band of a separable wavelet.

    Attributes
    ----------
    wavelet : {"haar", "db1", "db2", "db3", "coif1"}
    band : str
        Low-pass or high-pass along each axis, x first: ``"LLH"``, ``"HH"``.
    level : int
        Of decomposition, 1 for the finest.
    pooling : {"max", "average", "min"} or None
        Over the right-angled rotations.

    Raises
    ------
    BadSetting
        For an unknown wavelet, band or pooling, or an impossible level.

    References
    ----------
    Daubechies, Ten lectures on wavelets, SIAM 1992, doi:10.1137/1.9781611970104. IBSI manual, arXiv:2006.05470 (25BO).

    Examples
    --------
    >>> [round(value, 4) for value in SeparableWavelet("db2", "LH").chains[0][0]]
    [-0.1294, 0.2241, 0.8365, 0.483, 0.0]
    """

    wavelet: str
    band: str
    level: int = 1
    pooling: Pooling | None = None

    def __post_init__(self) -> None:
        checked_pooling(self.pooling)
        if self.wavelet not in SCALING:
            raise BadSetting(f"The wavelet '{self.wavelet}' is unknown; {did_you_mean(self.wavelet, tuple(SCALING))}", item="wavelet")
        if not self.band or set(self.band) - set("LH"):
            raise BadSetting(f"The band '{self.band}' is none; give L or H for each axis, as in LLH.", item="band")
        if not 1 <= self.level <= MOST_LEVELS:
            raise BadSetting(f"The level of decomposition is {self.level}; it must be 1 to {MOST_LEVELS}.", item="level")

    @property
    def chains(self) -> list[Chain]:
        """The kernels along each axis, the coarser after the finer."""
        low, high = filter_pair(self.wavelet)
        finer = tuple(_with_holes(low, level) for level in range(1, self.level))
        return [(*finer, _with_holes(low if letter == "L" else high, self.level)) for letter in self.band]

    def radius(self, spacing_mm: float) -> int:  # noqa: ARG002 - every filter answers for a spacing
        """Return how many voxels around the one wanted the filter reads.

        Examples
        --------
        >>> SeparableWavelet("db3", "LLH").radius(1.0), SeparableWavelet("db3", "LLH", level=2).radius(1.0)
        (3, 9)
        """
        return sum(len(kernel) // 2 for kernel in self.chains[0])

    def __call__(self, scene: Scene) -> Response:
        """Return the response of a scene.

        Raises
        ------
        BadSetting
            When the band has not one letter for each axis.
        """
        if len(self.band) != scene.dimensions:
            raise BadSetting(f"A wavelet band in {scene.dimensions} dimensions has as many letters, unlike '{self.band}'.", item="band")
        return pooled(scene, self.chains, self.pooling)


def filter_pair(wavelet: str) -> tuple[Kernel, Kernel]:
    """Return the low-pass and high-pass decomposition kernels, made odd in length.

    Parameters
    ----------
    wavelet : {"haar", "db1", "db2", "db3", "coif1"}

    Returns
    -------
    tuple of float, tuple of float
        To be convolved with; the low-pass is the scaling filter reversed, the high-pass its alternating flip.

    Examples
    --------
    >>> low, high = filter_pair("haar")
    >>> [round(value, 4) for value in high]
    [-0.7071, 0.7071, 0.0]
    """
    scaling = SCALING[wavelet]
    high = [(-1) ** (place + 1) * value for place, value in enumerate(scaling)]
    return kernel_of(scaling[::-1]), kernel_of(high)


def every_band(scene: Scene, wavelet: str, level: int = 1) -> Iterator[tuple[str, Response]]:
    """Yield all bands of one level, sharing what they have in common: 14 passes for the 8 bands of a volume.

    Parameters
    ----------
    scene : Scene
    wavelet : {"haar", "db1", "db2", "db3", "coif1"}
    level : int

    Yields
    ------
    str
        The band, ``LLL`` to ``HHH``.
    ndarray, float64, of the shape of the scene's spans

    Examples
    --------
    >>> import numpy as np
    >>> from onclair.science.radiomics.filters.scene import scene
    >>> flat = scene(np.ones((4, 4, 4)), (1, 1, 1), 2, "mirror")
    >>> [(band, round(abs(float(response.mean())), 3)) for band, response in every_band(flat, "db2")]
    [('LL', 2.0), ('LH', 0.0), ('HL', 0.0), ('HH', 0.0)]
    """
    bands = ["".join(letters) for letters in product("LH", repeat=scene.dimensions)]
    filters = [steps_of(SeparableWavelet(wavelet, band, level).chains) for band in bands]
    for place, response in responses(scene, filters):
        yield bands[place], response


def _with_holes(kernel: Kernel, level: int) -> Kernel:
    step = 2 ** (level - 1)
    holed = [0.0] * ((len(kernel) - 1) * step + 1)
    holed[::step] = kernel
    return tuple(holed)
