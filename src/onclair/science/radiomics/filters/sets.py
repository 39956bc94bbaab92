"""The named set-ups of IBSI-2: response maps of digital phantoms (``1.a.1`` to ``10.b.1``) and values (``ibsi2-1.A`` to ``ibsi2-9.B``).

Whybra et al., Radiology 2024;310:e231319, doi:10.1148/radiol.231319; IBSI manual, arXiv:2006.05470.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.science.radiomics.filters.gabor import Gabor
from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from onclair.science.radiomics.filters.laws import Laws
from onclair.science.radiomics.filters.mean import Mean
from onclair.science.radiomics.filters.response import Filter, Setup, filtered
from onclair.science.radiomics.filters.riesz import Riesz
from onclair.science.radiomics.filters.scene import Response
from onclair.science.radiomics.filters.separable_wavelets import SeparableWavelet
from onclair.science.radiomics.filters.simoncelli import Simoncelli
from onclair.science.radiomics.grid import Grid

Phantom: TypeAlias = Literal["checkerboard", "impulse", "sphere", "pattern_1"]
PHANTOM_SPACING_MM = (2.0, 2.0, 2.0)


@dataclass(frozen=True, slots=True)
class MapSet:
    """A response map of the reference: which phantom, and which filter.

    Attributes
    ----------
    phantom : {"checkerboard", "impulse", "sphere", "pattern_1"}
    setup : Setup
    """

    phantom: Phantom
    setup: Setup


@dataclass(frozen=True, slots=True)
class ValueSet:
    """Reference values of the CT phantom: how it is prepared, and which filter.

    Attributes
    ----------
    setup : Setup
    grid : Grid or None
        What the image is resampled to first; None keeps the voxels. Intensities are whole HU in either case.
    range : (float, float)
        Re-segmentation, in HU of the image before it is filtered.
    """

    setup: Setup
    grid: Grid | None
    range: tuple[float, float] = (-1000.0, 400.0)


def _turning(kernels: str) -> tuple[Filter, ...]:
    return Laws(kernels), Laws(kernels, "max"), Laws(kernels, "max", energy_distance=7)


def _maps() -> dict[str, MapSet]:
    laws = {"3.a": _turning("E5L5S5"), "3.b": _turning("E3W5R5"), "3.c": _turning("L5S5")}
    narrow, wide = (10.0, 4.0, 0.5), (20.0, 8.0, 2.5)
    board: Phantom = "checkerboard"
    point: Phantom = "impulse"
    rows: list[tuple[str, Phantom, Setup]] = [
        ("1.a.1", board, Setup(Mean(15), 3, "zero")),
        ("1.a.2", board, Setup(Mean(15), 3, "nearest")),
        ("1.a.3", board, Setup(Mean(15), 3, "periodic")),
        ("1.a.4", board, Setup(Mean(15), 3, "mirror")),
        ("1.b.1", point, Setup(Mean(15), 2, "zero")),
        ("2.a", point, Setup(LaplacianOfGaussian(3.0), 3, "zero")),
        ("2.b", board, Setup(LaplacianOfGaussian(5.0), 3, "mirror")),
        ("2.c", board, Setup(LaplacianOfGaussian(5.0), 2, "mirror")),
        *((f"3.a.{n}", point, Setup(each, 3, "zero")) for n, each in enumerate(laws["3.a"], 1)),
        *((f"3.b.{n}", board, Setup(each, 3, "mirror")) for n, each in enumerate(laws["3.b"], 1)),
        *((f"3.c.{n}", board, Setup(each, 2, "mirror")) for n, each in enumerate(laws["3.c"], 1)),
        ("4.a.1", point, Setup(Gabor(*narrow, theta_degrees=60.0), 3, "zero")),
        ("4.a.2", point, Setup(Gabor(*narrow, step_degrees=45.0, planes=3), 3, "zero")),
        ("4.b.1", "sphere", Setup(Gabor(*wide, theta_degrees=225.0), 3, "mirror")),
        ("4.b.2", "sphere", Setup(Gabor(*wide, step_degrees=22.5, planes=3), 3, "mirror")),
        ("5.a.1", point, Setup(SeparableWavelet("db2", "LHL"), 3, "zero")),
        ("5.a.2", point, Setup(SeparableWavelet("db2", "LHL", pooling="average"), 3, "zero")),
        ("6.a.1", "sphere", Setup(SeparableWavelet("coif1", "HHL"), 3, "periodic")),
        ("6.a.2", "sphere", Setup(SeparableWavelet("coif1", "HHL", pooling="average"), 3, "periodic")),
        ("7.a.1", board, Setup(SeparableWavelet("haar", "LLL", 2, "average"), 3, "mirror")),
        ("7.a.2", board, Setup(SeparableWavelet("haar", "HHH", 2, "average"), 3, "mirror")),
        *((f"8.a.{level}", board, Setup(Simoncelli(level), 3, "periodic")) for level in (1, 2, 3)),
        ("9.a", point, Setup(Riesz((1, 0, 0), LaplacianOfGaussian(3.0)), 3, "zero")),
        ("9.b.1", "sphere", Setup(Riesz((0, 2, 0), LaplacianOfGaussian(3.0)), 3, "zero")),
        ("10.b.1", "pattern_1", Setup(Riesz((0, 2, 0), Simoncelli(1)), 3, "periodic")),
    ]
    return {name: MapSet(phantom, setup) for name, phantom, setup in rows}


def _values() -> dict[str, ValueSet]:
    gabor = (5.0, 2.0, 1.5)
    pairs: list[tuple[Filter | None, Filter | None]] = [
        (None, None),
        (Mean(5), Mean(5)),
        (LaplacianOfGaussian(1.5), LaplacianOfGaussian(1.5)),
        (Laws("L5E5", "max", 7), Laws("L5E5E5", "max", 7)),
        (Gabor(*gabor, step_degrees=22.5), Gabor(*gabor, step_degrees=22.5, planes=3)),
        (SeparableWavelet("db3", "LH", 1, "average"), SeparableWavelet("db3", "LLH", 1, "average")),
        (SeparableWavelet("db3", "HH", 2, "average"), SeparableWavelet("db3", "HHH", 2, "average")),
        (Simoncelli(1), Simoncelli(1)),
        (Simoncelli(2), Simoncelli(2)),
    ]
    cubes = Grid((1.0, 1.0, 1.0), image="cubic", mask="linear", rounded=True)
    sets = {}
    for number, (flat, solid) in enumerate(pairs, 1):
        sets[f"ibsi2-{number}.A"] = ValueSet(Setup(flat, 2), None)
        sets[f"ibsi2-{number}.B"] = ValueSet(Setup(solid, 3), cubes)
    return sets


#: ``1.a.1`` to ``10.b.1``.
MAP_SETS: Mapping[str, MapSet] = MappingProxyType(_maps())
#: ``ibsi2-1.A`` to ``ibsi2-9.B``.
VALUE_SETS: Mapping[str, ValueSet] = MappingProxyType(_values())


def map_set(name: str) -> MapSet:
    """Return a named set-up of the response maps.

    Raises
    ------
    BadSetting
        For an unknown name, quoting the nearest known one.

    Examples
    --------
    >>> map_set("2.a").phantom
    'impulse'
    """
    if name not in MAP_SETS:
        raise BadSetting(f"The filter set '{name}' is unknown; {did_you_mean(name, tuple(MAP_SETS))}", item=name)
    return MAP_SETS[name]


def value_set(name: str) -> ValueSet:
    """Return a named set-up of the reference values.

    Raises
    ------
    BadSetting
        For an unknown name, quoting the nearest known one.

    Examples
    --------
    >>> value_set("ibsi2-4.B").setup.filter.kernels
    'L5E5E5'
    """
    if name not in VALUE_SETS:
        raise BadSetting(f"The filter set '{name}' is unknown; {did_you_mean(name, tuple(VALUE_SETS))}", item=name)
    return VALUE_SETS[name]


def response_map(phantom: npt.NDArray[Any], name: str, spacing_mm: npt.ArrayLike = PHANTOM_SPACING_MM) -> Response:
    """Return the response map of an image by a named set-up.

    Parameters
    ----------
    phantom : ndarray of real numbers, shape (x, y, z)
        The phantom that the set-up names, or any other image.
    name : str
        ``1.a.1`` to ``10.b.1``.
    spacing_mm : array_like, shape (3,)

    Returns
    -------
    ndarray, float64, shape (x, y, z)

    Raises
    ------
    BadSetting
        For an unknown name, quoting the nearest known one.

    Examples
    --------
    >>> import numpy as np
    >>> float(response_map(np.full((16, 16, 16), 2.0), "1.a.4").round(9).max())
    2.0
    """
    return filtered(phantom, spacing_mm, map_set(name).setup)
