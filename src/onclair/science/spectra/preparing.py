"""How the frames of a point are prepared: the settings of the chain."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.science.spectra.quality import Thresholds
from onclair.science.spectra.response import Response

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Usual:
    """What comes back when the probe of this instrument touches tissue: counts per ms at power 1; None where nobody knows.

    Attributes
    ----------
    white : float or None
        Mean between 610 and 650 nm.
    fluorescence : float or None
        Mean over the window, of the brightest excitation.
    """

    white: float | None = None
    fluorescence: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Preparing:
    """How the frames of a point are prepared.

    Attributes
    ----------
    window_nm : tuple of float
        Where gates look, and where the fit will.
    thresholds : Thresholds
    nonlinearity : tuple of float
        Of the detector, constant term first; empty for none.
    wavelength_correction : tuple of float
        Of the last calibration, see :func:`~onclair.science.spectra.wavelengths.with_correction`; empty for none.
    response : Response or None
    white_standard : ndarray, shape (n,), or None
        Net counts per ms of the white standard at power 1. Without it white light is taken for colourless, and a warning says so.
    usual : Usual

    Raises
    ------
    BadSetting
        For a window that is none.

    Examples
    --------
    >>> Preparing().window_nm
    (420.0, 730.0)
    """

    window_nm: tuple[float, float] = (420.0, 730.0)
    thresholds: Thresholds = field(default_factory=Thresholds)
    nonlinearity: tuple[float, ...] = ()
    wavelength_correction: tuple[float, ...] = ()
    response: Response | None = None
    white_standard: Floats | None = None
    usual: Usual = field(default_factory=Usual)

    def __post_init__(self) -> None:
        if not self.window_nm[0] < self.window_nm[1]:
            raise BadSetting(
                f"The window runs from {self.window_nm[0]} to {self.window_nm[1]} nm; give the lower end first.", item="window_nm"
            )
