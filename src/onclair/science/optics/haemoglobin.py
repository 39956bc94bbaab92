"""Haemoglobin: molar extinction, and the absorption of tissue that holds some blood."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.optics.haemoglobin_table import FIRST_NM, HB, HBO2, STEP_NM

Floats = npt.NDArray[np.float64]

LAST_NM = FIRST_NM + STEP_NM * (len(HB) - 1)
#: Of whole blood.
HAEMOGLOBIN_G_PER_L = 150.0
#: Molar mass that goes with the table.
GRAM_PER_MOL = 64500.0
#: Of tissue without blood.
BLOODLESS_PER_CM = 0.1
_LN10 = 2.303
#: Absorption of whole blood in cm-1 per unit of molar extinction in cm-1/M.
BLOOD_MOLAR = _LN10 * HAEMOGLOBIN_G_PER_L / GRAM_PER_MOL


def extinction(wavelength_nm: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the molar extinction of oxy- and deoxyhaemoglobin, linear between the nodes of Prahl's table.

    Parameters
    ----------
    wavelength_nm : array
        350 to 1000 nm, in air.

    Returns
    -------
    oxy, deoxy : ndarray
        In cm-1 per M (decadic).

    Raises
    ------
    BadInput
        For a wavelength outside the table.

    References
    ----------
    S. Prahl, Tabulated molar extinction coefficient for hemoglobin in water, Oregon Medical Laser Center 1998.

    Examples
    --------
    >>> oxy, deoxy = extinction([542.0, 543.0])
    >>> float(oxy[0]), float(deoxy[0])
    (53292.0, 48148.0)
    """
    at = np.asarray(wavelength_nm, dtype=np.float64)
    if at.size and not (at.min() >= FIRST_NM and at.max() <= LAST_NM):
        found = f"{at.min():g} to {at.max():g} nm" if at.size > 1 else f"{float(at.ravel()[0]):g} nm"
        raise BadInput(f"Haemoglobin is tabulated from {FIRST_NM:g} to {LAST_NM:g} nm; {found} was asked for: narrow the window.")
    nodes = FIRST_NM + STEP_NM * np.arange(len(HB))
    return np.interp(at, nodes, HBO2), np.interp(at, nodes, HB)


def absorption(wavelength_nm: npt.ArrayLike, blood_fraction: float, saturation: float) -> Floats:
    """Return the absorption coefficient of tissue: blood with 150 g haemoglobin a litre, and 0.1 cm-1 of all else.

    Parameters
    ----------
    wavelength_nm : array
    blood_fraction : float
        Of the volume, 0 to 1.
    saturation : float
        Share of haemoglobin that carries oxygen, 0 to 1.

    Returns
    -------
    ndarray
        mua in cm-1 (natural logarithm).

    Raises
    ------
    BadInput
        For a fraction or saturation outside 0 to 1, or a wavelength outside the table.

    Examples
    --------
    One per cent of fully oxygenated blood at 542 nm: 2.303 * 150 * 0.01 / 64500 * 53292 + 0.1.

    >>> round(float(absorption(542.0, 0.01, 1.0)), 4)
    2.9542
    """
    if not (0 <= blood_fraction <= 1 and 0 <= saturation <= 1):
        raise BadInput(f"The blood fraction is {blood_fraction} and its saturation {saturation}; both lie between 0 and 1.")
    oxy, deoxy = extinction(wavelength_nm)
    return BLOOD_MOLAR * blood_fraction * (saturation * oxy + (1.0 - saturation) * deoxy) + BLOODLESS_PER_CM
