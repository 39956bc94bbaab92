"""Gabor filters: waves of one length and direction, in slices; what is kept is the modulus of the complex response."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from onclair.core.errors import BadSetting
from onclair.science.radiomics.filters.boundaries import Span, extended
from onclair.science.radiomics.filters.pooling import Pooling, checked_pooling
from onclair.science.radiomics.filters.scene import Response, Scene

#: Standard deviations of the wider axis of the envelope at which the kernel is cut; it is 4e-6 of its peak there.
CUTOFF = 5.0
#: Voxels of one transformed stack of slices: a bound on memory only.
MOST_STACKED = 2**19


@dataclass(frozen=True, slots=True)
class Gabor:
    """The modulus of a two-dimensional Gabor filter.

    Attributes
    ----------
    sigma_mm : float
        Standard deviation of the Gaussian envelope along the wave.
    wavelength_mm : float
    gamma : float
        Aspect ratio: across the wave the standard deviation is ``sigma_mm / gamma``.
    theta_degrees : float
        Direction of the wave in the plane (x, y), from x towards y; where there is a step, of the first wave.
    step_degrees : float or None
        Rotation invariance: directions a step apart, all round; must divide 360.
    pooling : {"max", "average", "min"}
        Over the directions, and in three dimensions over the planes.
    planes : {1, 3}
        3 filters the slices of all three orthogonal planes, in three dimensions; 1 the slices (x, y) alone.

    Raises
    ------
    BadSetting
        For lengths that are not positive, a step that does not divide 360, or other planes than 1 and 3.

    References
    ----------
    IBSI manual, arXiv:2006.05470 (Q88H).

    Examples
    --------
    >>> Gabor(5.0, 2.0, 1.5, step_degrees=90.0).thetas_degrees
    (0.0, 90.0)
    """

    sigma_mm: float
    wavelength_mm: float
    gamma: float
    theta_degrees: float = 0.0
    step_degrees: float | None = None
    pooling: Pooling = "average"
    planes: int = 1

    def __post_init__(self) -> None:
        checked_pooling(self.pooling)
        lengths = {"sigma_mm": self.sigma_mm, "wavelength_mm": self.wavelength_mm, "gamma": self.gamma}
        for name, value in lengths.items():
            if not (math.isfinite(value) and value > 0):
                raise BadSetting(f"The Gabor filter has {name} {value:g}; it must be positive.", item=name)
        step = self.step_degrees
        if step is not None and not (0 < step <= 360 and math.isclose(360 / step, round(360 / step))):
            raise BadSetting(f"The Gabor filter has a step of {step:g} degrees; it must divide 360, as 22.5 does.", item="step_degrees")
        if self.planes not in (1, 3):
            raise BadSetting(f"The Gabor filter runs in {self.planes} planes; it must be 1 or 3.", item="planes")

    @property
    def thetas_degrees(self) -> tuple[float, ...]:
        """Directions that give different responses: opposite ones give the same modulus, and stand once."""
        if self.step_degrees is None:
            return (self.theta_degrees,)
        count = round(360 / self.step_degrees)
        return tuple(self.theta_degrees + 360 / count * turn for turn in range(count // 2 if count % 2 == 0 else count))

    def __call__(self, scene: Scene) -> Response:
        """Return the response of a scene.

        Raises
        ------
        BadSetting
            For three planes in two dimensions.
        """
        if self.planes == 3 and scene.dimensions == 2:
            raise BadSetting("A Gabor filter in 2 dimensions has 1 plane, not 3.", item="planes")
        total = np.zeros([last - first for first, last in scene.spans])
        planes = ((0, 1), (0, 2), (1, 2))[: self.planes]
        for number, plane in enumerate(planes):
            for slices, moduli in self._stacks(scene, plane):
                part = np.moveaxis(total, _across(plane), 0)[slices]
                self._pool(part, moduli, first=number == 0)
        if self.pooling == "average":
            total /= len(planes) * len(self.thetas_degrees)
        return total

    def _pool(self, part: Response, moduli: Iterator[Response], *, first: bool) -> None:
        """Pool the directions of one stack of slices into its part of the response."""
        pool = {"average": np.add, "max": np.maximum, "min": np.minimum}[self.pooling]
        for number, modulus in enumerate(moduli):
            if first and number == 0:
                part[...] = modulus
            else:
                pool(part, modulus, out=part)

    def _stacks(self, scene: Scene, plane: tuple[int, int]) -> Iterator[tuple[slice, Iterator[Response]]]:
        """Yield a stack of parallel slices at a time, with its response in each direction."""
        radii = [self.radius(scene.spacing_mm[axis]) for axis in plane]
        wanted = [scene.spans[axis] for axis in plane]
        # Enough voxels that what wraps around in the transform falls outside what is wanted.
        sizes = [fft.next_fast_len(last - first + 2 * radius) for (first, last), radius in zip(wanted, radii, strict=True)]
        transfers = [fft.fft2(_centred(kernel, sizes)) for kernel in self._kernels(scene, plane, radii)]
        first, last = scene.spans[_across(plane)]
        depth = max(1, MOST_STACKED // math.prod(sizes))
        for start in range(first, last, depth):
            slices = (start, min(start + depth, last))
            block = _stack(scene, plane, slices, radii)
            counts = [stop - begin for begin, stop in wanted]
            yield slice(slices[0] - first, slices[1] - first), _moduli(block, sizes, transfers, (radii, counts))

    def radius(self, spacing_mm: float) -> int:
        """Return how many voxels around the one wanted the filter reads.

        Examples
        --------
        >>> Gabor(5.0, 2.0, 0.5).radius(1.0)
        50
        """
        return math.ceil(CUTOFF * self.sigma_mm * max(1.0, 1.0 / self.gamma) / spacing_mm)

    def _kernels(self, scene: Scene, plane: tuple[int, int], radii: list[int]) -> Iterator[npt.NDArray[np.complex128]]:
        across, down = (np.arange(-radius, radius + 1) * scene.spacing_mm[axis] for axis, radius in zip(plane, radii, strict=True))
        for theta in self.thetas_degrees:
            cosine, sine = math.cos(math.radians(theta)), math.sin(math.radians(theta))
            along = across[:, None] * cosine + down * sine
            aside = down * cosine - across[:, None] * sine
            envelope = (np.square(along) + np.square(self.gamma * aside)) / (2 * self.sigma_mm**2)
            yield np.exp(2j * math.pi / self.wavelength_mm * along - envelope)


def _across(plane: tuple[int, int]) -> int:
    return 3 - sum(plane)


def _stack(scene: Scene, plane: tuple[int, int], slices: Span, radii: list[int]) -> Response:
    """Return parallel slices, one after the other, widened by the radius of the kernel."""
    spans = [slices, slices, slices]
    for axis, radius in zip(plane, radii, strict=True):
        spans[axis] = (scene.spans[axis][0] - radius, scene.spans[axis][1] + radius)
    x, y, z = spans
    return np.moveaxis(extended(scene.array, (x, y, z), scene.boundary), _across(plane), 0)


def _centred(kernel: npt.NDArray[np.complex128], sizes: list[int]) -> npt.NDArray[np.complex128]:
    """Return the kernel on the grid of the transform, with its first voxel first: the response is shifted by the radius."""
    grid = np.zeros(sizes, np.complex128)
    grid[: kernel.shape[0], : kernel.shape[1]] = kernel
    return grid


def _moduli(
    block: Response, sizes: list[int], transfers: list[npt.NDArray[np.complex128]], place: tuple[list[int], list[int]]
) -> Iterator[Response]:
    spectrum = fft.fft2(block, s=sizes)
    (down, across), (rows, columns) = place
    for transfer in transfers:
        made = fft.ifft2(spectrum * transfer, overwrite_x=True)
        yield np.abs(made[:, 2 * down : 2 * down + rows, 2 * across : 2 * across + columns])
