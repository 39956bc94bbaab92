"""Any filter, applied: the one door to a response map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.science.radiomics.filters.boundaries import Boundary
from onclair.science.radiomics.filters.gabor import Gabor
from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from onclair.science.radiomics.filters.laws import Laws
from onclair.science.radiomics.filters.mean import Mean
from onclair.science.radiomics.filters.riesz import Riesz
from onclair.science.radiomics.filters.scene import Response, scene
from onclair.science.radiomics.filters.separable_wavelets import SeparableWavelet
from onclair.science.radiomics.filters.simoncelli import Simoncelli

Filter: TypeAlias = Mean | LaplacianOfGaussian | Laws | Gabor | SeparableWavelet | Simoncelli | Riesz


@dataclass(frozen=True, slots=True)
class Setup:
    """A filter and how it is applied.

    Attributes
    ----------
    filter : Filter or None
        None leaves the image as it is.
    dimensions : {2, 3}
        2 filters each slice (x, y) by itself.
    boundary : {"zero", "nearest", "periodic", "mirror"}

    Examples
    --------
    >>> Setup(Mean(5)).boundary
    'mirror'
    """

    filter: Filter | None
    dimensions: Literal[2, 3] = 3
    boundary: Boundary = "mirror"


def margin_mm(setup: Setup, spacing_mm: npt.ArrayLike) -> float | None:
    """Return how far around a region an image must be known for the filter's response inside it.

    Parameters
    ----------
    setup : Setup
    spacing_mm : array_like, shape (3,)
        Of the image that is filtered.

    Returns
    -------
    float or None
        In mm; an image cut to this margin, or to its own edges, gives the same response. None: the whole image is needed.

    Examples
    --------
    >>> margin_mm(Setup(Mean(5)), (1, 1, 3)), margin_mm(Setup(Simoncelli(1)), (1, 1, 1))
    (6.0, None)
    """
    if setup.filter is None:
        return 0.0
    steps = [float(step) for step in np.asarray(spacing_mm, dtype=np.float64)]
    radii = [setup.filter.radius(step) for step in steps]
    if setup.boundary == "periodic" or any(radius is None for radius in radii):
        return None
    return max((radius or 0) * step for radius, step in zip(radii, steps, strict=True))


def filtered(array: npt.NDArray[Any], spacing_mm: npt.ArrayLike, setup: Setup, *, box: tuple[slice, ...] | None = None) -> Response:
    """Return the response of an image to a filter.

    Parameters
    ----------
    array : ndarray of real numbers, shape (x, y, z)
        Finite everywhere; not changed. Resample to cubes before filtering in three dimensions: kernels that are given in voxels
        (mean, Laws, wavelets) take the grid as it is.
    spacing_mm : array_like, shape (3,)
    setup : Setup
    box : three slices or None
        Where the response is wanted. It is the same as there in the whole response, only cheaper.

    Returns
    -------
    ndarray, float64, of the image's shape, or the box's

    Raises
    ------
    BadGeometry
        When the image is not three-dimensional, or the spacing is not three positive lengths.
    BadCase
        When the image holds NaN, infinity or what is no number, or the box holds no voxel.
    BadSetting
        When the filter does not have the dimensions of the set-up.

    References
    ----------
    Depeursinge et al., Standardised convolutional filtering for radiomics, arXiv:2006.05470; Whybra et al., Radiology
    2024;310:e231319, doi:10.1148/radiol.231319.

    Examples
    --------
    >>> a = np.zeros((5, 5, 1)); a[2, 2] = 9.0
    >>> filtered(a, (1, 1, 1), Setup(Mean(3), 2, "zero"))[:, :, 0][1:4, 1:3].round(12).tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    given = scene(array, spacing_mm, setup.dimensions, setup.boundary, box)
    if setup.filter is None:
        return np.array(given.array[given.inside], dtype=np.float64)
    return np.ascontiguousarray(setup.filter(given))
