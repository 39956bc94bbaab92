"""Emission bases of the fluorophores, and how well each excitation reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]
#: The user's own bases: name -> (wavelength_nm, value), both of shape (m,).
Bases = Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]

#: Emission has unit area over these wavelengths, by the trapezoid rule at 1 nm.
AREA_NM = (420.0, 730.0)

#: Split Gaussians (amplitude, mode, sigma to the left, sigma to the right), nm, before the area is made 1.
COMPONENTS: Mapping[str, tuple[tuple[float, float, float, float], ...]] = MappingProxyType(
    {
        "PpIX634": ((0.917, 634.0, 10.2, 8.0), (0.459, 699.8, 18.9, 15.4), (0.231, 651.4, 10.9, 20.7)),
        "PpIX620": ((0.863, 618.9, 9.1, 8.7), (0.514, 687.6, 14.7, 10.5), (0.225, 657.0, 35.2, 17.2)),
        "NADH": ((0.961, 447.1, 7.8, 29.4), (0.234, 501.0, 13.2, 62.7)),
        "FAD": ((0.838, 527.0, 18.3, 38.0), (0.399, 495.7, 11.3, 22.2)),
        "Flavin": ((0.974, 519.8, 31.9, 23.0),),
        "Lipofuscin": ((0.782, 632.6, 26.4, 90.0), (0.642, 579.9, 17.5, 31.1)),
        "Elastin": ((0.892, 469.3, 40.5, 30.6), (0.243, 544.9, 53.3, 30.9)),
        "Collagen": ((1.008, 407.2, 89.5, 42.5), (0.243, 509.9, 31.6, 71.0)),
        "Melanin": ((1.007, 516.5, 35.1, 64.7),),
    }
)
FLUOROPHORES: tuple[str, ...] = tuple(COMPONENTS)

#: The two states of protoporphyrin IX; all else is autofluorescence.
PORPHYRINS = ("PpIX634", "PpIX620")
#: What is fitted when nobody chooses, at one excitation and at several: of the bases that overlap, NADH stands for elastin too and FAD for
#: the other flavins. Several excitations could carry elastin as well, at the price of a larger error of NADH; who expects it names it.
DEFAULT_FLUOROPHORES = ("PpIX634", "PpIX620", "NADH", "FAD", "Lipofuscin")
#: Bases whose shapes are too close for one excitation to tell them apart (cosines .88 to .94): it knows one of each group, or their sum.
ALIKE: tuple[tuple[str, ...], ...] = (("NADH", "Elastin", "Collagen"), ("FAD", "Flavin", "Melanin"))

#: Excitation efficiency, relative to the maximum of the table: (excitation nm, efficiency) at each node, linear between them.
_PPIX = ((360, 0.19), (380, 0.48), (390, 0.66), (400, 0.88), (410, 1.0), (420, 0.70), (450, 0.05))
EFFICIENCY: Mapping[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "PpIX634": _PPIX,
        "PpIX620": _PPIX,
        "NADH": ((360, 1.0), (370, 0.75), (380, 0.42), (390, 0.165), (400, 0.048), (410, 0.010)),
        "FAD": ((360, 0.57), (380, 0.66), (400, 0.52), (410, 0.55), (430, 0.73), (450, 1.0)),
    }
)
EXCITATIONS_NM = (350.0, 460.0)


@dataclass(frozen=True, slots=True)
class Basis:
    """One fluorophore's emission at unit area.

    Attributes
    ----------
    name : str
    components : tuple of (amplitude, mode, sigma left, sigma right)
        Scaled so that the area is 1.

    Examples
    --------
    >>> round(float(Basis("PpIX634", unit_components("PpIX634")).emission([634.0])[0]), 4)
    0.0199
    """

    name: str
    components: tuple[tuple[float, float, float, float], ...]

    def emission(self, wavelength_nm: npt.ArrayLike, shift_nm: float = 0.0, width: float = 1.0) -> Floats:
        """Return the emission, moved by `shift_nm` to longer wavelengths, every sigma times `width`, in 1/nm, shape (n,)."""
        at = np.asarray(wavelength_nm, dtype=np.float64) - shift_nm
        return np.asarray(
            sum(a / width * _split_gaussian(at, mode, left * width, right * width) for a, mode, left, right in self.components)
        )


def basis(name: str, wavelength_nm: npt.ArrayLike, shift_nm: float = 0.0, width: float = 1.0) -> Floats:
    """Return the emission of a fluorophore, of unit area over 420 to 730 nm where it is neither moved nor widened.

    Parameters
    ----------
    name : str
        One of :data:`FLUOROPHORES`.
    wavelength_nm : array, shape (n,)
        In air.
    shift_nm : float
        Positive where the peak is measured at a longer wavelength.
    width : float
        Every sigma times this; the area is kept.

    Returns
    -------
    ndarray, shape (n,)
        In 1/nm.

    Raises
    ------
    BadInput
        For an unknown fluorophore.

    References
    ----------
    L. Alston et al., Spectral complexity of 5-ALA induced PpIX fluorescence in guided surgery: a clinical study towards the discrimination
    of healthy tissue and margin boundaries in high and low grade gliomas, Biomed Opt Express 2019;10:2478, doi:10.1364/BOE.10.002478.
    E. Black et al., Biomed Opt Express 2024;15:4406 (a library of nine endmembers).

    Examples
    --------
    >>> nm = np.arange(420.0, 731.0)
    >>> round(float(np.trapezoid(basis("FAD", nm), nm)), 12)
    1.0
    >>> int(nm[basis("PpIX620", nm, shift_nm=2.0).argmax() - basis("PpIX620", nm).argmax()] - nm[0])
    2
    """
    return Basis(checked_name(name), unit_components(name)).emission(wavelength_nm, shift_nm, width)


@cache
def unit_components(name: str) -> tuple[tuple[float, float, float, float], ...]:
    """Return the split Gaussians of a fluorophore, scaled to unit area.

    Examples
    --------
    >>> [round(float(x), 4) for x in unit_components("Flavin")[0]]
    [0.0145, 519.8, 31.9, 23.0]
    """
    raw = COMPONENTS[checked_name(name)]
    grid = np.arange(AREA_NM[0], AREA_NM[1] + 1.0)
    area = float(np.trapezoid(Basis(name, raw).emission(grid), grid))
    return tuple((a / area, mode, left, right) for a, mode, left, right in raw)


def checked_name(name: str) -> str:
    """Return the name of a fluorophore that the table holds.

    Raises
    ------
    BadInput
        For any other, with those that it holds.

    Examples
    --------
    >>> checked_name("FAD")
    'FAD'
    """
    if name not in COMPONENTS:
        raise BadInput(
            f"The fluorophore '{name}' is unknown; choose among {', '.join(FLUOROPHORES)}, or give a basis of your own.", item=name
        )
    return name


def efficiency(name: str, excitation_nm: float) -> float:
    """Return how well an excitation reaches a fluorophore, relative to the maximum of the table; 1 where the table is silent.

    Parameters
    ----------
    name : str
        Any name; those without a table, a user's own among them, have efficiency 1.
    excitation_nm : float
        350 to 460 nm; beyond the last node the last value holds.

    Raises
    ------
    BadInput
        For an excitation outside 350 to 460 nm.

    Examples
    --------
    >>> round(efficiency("NADH", 405.0), 3), round(efficiency("PpIX634", 385.0), 2), efficiency("Lipofuscin", 405.0)
    (0.029, 0.57, 1.0)
    """
    low, high = EXCITATIONS_NM
    if not low <= excitation_nm <= high:
        raise BadInput(
            f"The excitation is {excitation_nm:g} nm; efficiencies are known from {low:g} to {high:g} nm: correct excitation_nm."
        )
    nodes = EFFICIENCY.get(name)
    return 1.0 if nodes is None else float(np.interp(excitation_nm, [at for at, _ in nodes], [value for _, value in nodes]))


def _split_gaussian(at: Floats, mode: float, left: float, right: float) -> Floats:
    distance = at - mode
    return np.asarray(np.exp(-0.5 * (distance / np.where(distance < 0, left, right)) ** 2))
