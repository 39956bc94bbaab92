"""The mean filter: each voxel becomes the average of the square or cube around it."""

from __future__ import annotations

from dataclasses import dataclass

from onclair.core.errors import BadSetting
from onclair.science.radiomics.filters.pooling import pooled
from onclair.science.radiomics.filters.scene import Response, Scene
from onclair.science.radiomics.filters.separable import Chain


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean filter.

    Attributes
    ----------
    size : int
        Voxels along each side of the neighbourhood, odd.

    Raises
    ------
    BadSetting
        For a size that is not odd and positive.

    References
    ----------
    IBSI manual, arXiv:2006.05470 (S60F).

    Examples
    --------
    >>> Mean(3).chain
    ((0.3333333333333333, 0.3333333333333333, 0.3333333333333333),)
    """

    size: int

    def __post_init__(self) -> None:
        if self.size < 1 or self.size % 2 == 0:
            raise BadSetting(f"The mean filter has size {self.size}; it must be an odd number of voxels, such as 3 or 5.", item="size")

    @property
    def chain(self) -> Chain:
        """The kernel along one axis."""
        return ((1.0 / self.size,) * self.size,)

    def radius(self, spacing_mm: float) -> int:  # noqa: ARG002 - every filter answers for a spacing
        """Return how many voxels around the one wanted the filter reads.

        Examples
        --------
        >>> Mean(15).radius(2.0)
        7
        """
        return self.size // 2

    def __call__(self, scene: Scene) -> Response:
        """Return the response of a scene."""
        return pooled(scene, [self.chain] * scene.dimensions, None)
