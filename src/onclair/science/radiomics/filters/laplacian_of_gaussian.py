"""The Laplacian of Gaussian: blobs of one size; negative inside a bright one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from onclair.core.errors import BadSetting
from onclair.science.radiomics.filters.scene import Response, Scene
from onclair.science.radiomics.filters.separable import Kernel, Steps, responses, steps_of


@dataclass(frozen=True, slots=True)
class LaplacianOfGaussian:
    """The Laplacian-of-Gaussian filter, cut to a box and not normalised for scale.

    Attributes
    ----------
    sigma_mm : float
    cutoff : float
        Standard deviations beyond which the kernel is cut, rounded to whole voxels.

    Raises
    ------
    BadSetting
        When one is not positive and finite.

    Notes
    -----
    The kernel is a sum of products, one for each axis: second derivative along it, Gaussian along the others. Voxels that are
    not cubes, which the manual does not foresee, get derivatives in mm times the square of the smallest spacing; on cubes
    this is the manual's kernel in voxels.

    References
    ----------
    IBSI manual, arXiv:2006.05470 (L6PA).

    Examples
    --------
    >>> LaplacianOfGaussian(3.0).cutoff
    4.0
    """

    sigma_mm: float
    cutoff: float = 4.0

    def __post_init__(self) -> None:
        for name, value in (("sigma_mm", self.sigma_mm), ("cutoff", self.cutoff)):
            if not (math.isfinite(value) and value > 0):
                raise BadSetting(f"The Laplacian of Gaussian has {name} {value:g}; it must be positive.", item=name)

    def radius(self, spacing_mm: float) -> int:
        """Return how many voxels around the one wanted the filter reads.

        Examples
        --------
        >>> LaplacianOfGaussian(3.0).radius(2.0)
        6
        """
        return math.floor(self.cutoff * self.sigma_mm / spacing_mm + 0.5)

    def __call__(self, scene: Scene) -> Response:
        """Return the response of a scene."""
        total = np.zeros([last - first for first, last in scene.spans])
        for _, response in responses(scene, self._terms(scene)):
            total += response
        return total

    def _terms(self, scene: Scene) -> list[Steps]:
        spacing = [scene.spacing_mm[axis] for axis in scene.axes]
        pairs = [self._kernels(step, min(spacing)) for step in spacing]
        terms = []
        for curved in scene.axes:
            chosen = [pair[axis == curved] for axis, pair in enumerate(pairs)]
            terms.append(steps_of([(kernel,) for kernel in chosen]))
        return terms

    def _kernels(self, spacing_mm: float, smallest_mm: float) -> tuple[Kernel, Kernel]:
        """Return the Gaussian along one axis and its second derivative."""
        sigma, radius = self.sigma_mm / spacing_mm, self.radius(spacing_mm)
        square = (np.arange(-radius, radius + 1) / sigma) ** 2
        gauss = np.exp(-square / 2) / (math.sqrt(2 * math.pi) * sigma)
        curve = gauss * (square - 1) * (smallest_mm / self.sigma_mm) ** 2
        return tuple(gauss.tolist()), tuple(curve.tolist())
