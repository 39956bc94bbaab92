"""Scattering of tissue: a power law of wavelength."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

#: Where the amplitude of reduced scattering is told, nm.
REFERENCE_NM = 500.0
#: Reduced scattering there and its power, where nothing better is known.
DEFAULT_PER_CM, DEFAULT_POWER = 20.0, 1.3
#: By how much brain departs from these: of the log of the amplitude (grey matter about 20 cm-1, white 40 to 60), and of the power.
LOG_AMPLITUDE_SD, POWER_SD = 0.5, 0.2


def reduced_scattering(
    wavelength_nm: npt.ArrayLike, amplitude_per_cm: float = DEFAULT_PER_CM, power: float = DEFAULT_POWER
) -> npt.NDArray[np.float64]:
    """Return the reduced scattering coefficient, ``a (wavelength / 500 nm) ** -b``.

    Parameters
    ----------
    wavelength_nm : array
    amplitude_per_cm : float
        a, at 500 nm.
    power : float
        b.

    Returns
    -------
    ndarray
        mus' in cm-1.

    Raises
    ------
    BadInput
        For an amplitude or a wavelength that is not positive.

    References
    ----------
    S. L. Jacques, Optical properties of biological tissues: a review, Phys Med Biol 2013;58:R37, doi:10.1088/0031-9155/58/11/R37, eq. 1.

    Examples
    --------
    >>> float(reduced_scattering(500.0)), float(reduced_scattering(1000.0, 20.0, 1.0))
    (20.0, 10.0)
    """
    at = np.asarray(wavelength_nm, dtype=np.float64)
    if not (amplitude_per_cm > 0 and (at > 0).all()):
        raise BadInput(f"The scattering amplitude is {amplitude_per_cm} cm-1; amplitude and wavelengths must be positive.")
    return np.asarray(amplitude_per_cm * (at / REFERENCE_NM) ** -power)
