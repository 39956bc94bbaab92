"""Riesz transforms: derivatives of any order that leave the amplitude of each frequency alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import fft

from onclair.core.errors import BadSetting
from onclair.science.radiomics.filters.boundaries import extended
from onclair.science.radiomics.filters.frequencies import Frequencies, passed, true_frequencies
from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from onclair.science.radiomics.filters.scene import Response, Scene, Spans
from onclair.science.radiomics.filters.simoncelli import Simoncelli, sum_of_squares


@dataclass(frozen=True, slots=True)
class Riesz:
    """A component of the Riesz transform of another filter's response.

    Attributes
    ----------
    order : tuple of two or three int
        Of the derivative along each axis, x first: ``(0, 2, 0)``.
    of : LaplacianOfGaussian or Simoncelli
        The filter that is transformed.

    Raises
    ------
    BadSetting
        For orders under zero, or zero altogether.

    Notes
    -----
    The frequencies are the true ones of the discrete transform. A Laplacian of Gaussian is transformed on the image widened
    by twice the radius of that filter according to the boundary condition; a Simoncelli wavelet on the periodic image. The
    published maps appear to average implementations with true and with shifted frequencies, and lie between the two.

    References
    ----------
    Unser and Van De Ville, IEEE Trans Image Process 2010;19:636-652, doi:10.1109/TIP.2009.2038832. IBSI manual, arXiv:2006.05470,
    AYRS.

    Examples
    --------
    >>> Riesz((2, 0), Simoncelli(1)).transfer([np.array([[3.0]]), np.array([[4.0]])]).round(3).tolist()
    [[0.36]]
    """

    order: tuple[int, ...]
    of: LaplacianOfGaussian | Simoncelli

    def __post_init__(self) -> None:
        if min(self.order, default=0) < 0 or sum(self.order) == 0:
            raise BadSetting(
                f"The order of the Riesz transform is {self.order}; it must be 0 or more along each axis, and not 0 along all.",
                item="order",
            )

    def transfer(self, frequencies: Sequence[Frequencies]) -> npt.NDArray[np.float64]:
        """Return the transfer function at given frequencies, without its power of -i; 0 at the origin."""
        total = sum(self.order)
        factor = math.sqrt(math.factorial(total) / math.prod(math.factorial(each) for each in self.order))
        square = sum_of_squares(frequencies)
        values = np.zeros(square.shape)
        np.power(square, -total / 2, out=values, where=square > 0)
        for each, power in zip(frequencies, self.order, strict=True):
            if power:
                values *= each**power
        return values * factor

    def radius(self, spacing_mm: float) -> None:
        """Return None: the filter reads the whole image."""

    def __call__(self, scene: Scene) -> Response:
        """Return the response of a scene.

        Raises
        ------
        BadSetting
            When there is not one order for each axis.
        """
        if len(self.order) != scene.dimensions:
            raise BadSetting(f"A Riesz transform in {scene.dimensions} dimensions has as many orders, unlike {self.order}.", item="order")
        spans = self._spans(scene)
        wide = extended(scene.array, spans, scene.boundary)
        whole = replace(scene, array=wide, spans=((0, wide.shape[0]), (0, wide.shape[1]), (0, wide.shape[2])))
        response = passed(self.of(whole), scene.axes, true_frequencies, self.transfer, sum(self.order))
        return response[tuple(slice(first - start, last - start) for (first, last), (start, _) in zip(scene.spans, spans, strict=True))]

    def _spans(self, scene: Scene) -> Spans:
        """Return the block that is transformed: the image, and for a filter that meets its edges what lies around."""
        spans = [(0, size) for size in scene.array.shape]
        if isinstance(self.of, LaplacianOfGaussian) and scene.boundary != "periodic":
            for axis in scene.axes:
                margin, size = 2 * self.of.radius(scene.spacing_mm[axis]), scene.array.shape[axis]
                spans[axis] = (-margin, fft.next_fast_len(size + 2 * margin, real=True) - margin)
        return spans[0], spans[1], spans[2]
