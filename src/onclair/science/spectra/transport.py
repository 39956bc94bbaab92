"""Light on its way through tissue: how blood and scattering colour fluorescence, and how it is put right.

Two ways: a joint fit of blood fraction and saturation by the escape function, or a correction by the white reflectance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.optics.haemoglobin import BLOOD_MOLAR, BLOODLESS_PER_CM, LAST_NM, absorption, extinction
from onclair.science.optics.haemoglobin_table import FIRST_NM
from onclair.science.optics.scattering import REFERENCE_NM, reduced_scattering

Floats = npt.NDArray[np.float64]

#: Internal reflection at the surface of tissue (refractive index 1.4) in the diffusion theory of Flock 1989.
_KAPPA = 3.25
#: What slopes along the wavelengths are taken over: far less than the table's step.
_TINY_NM = 1e-3


def escape(wavelength_nm: npt.ArrayLike, excitation_nm: float, blood_fraction: float, saturation: float) -> Floats:
    """Return the share of fluorescence that escapes, up to a constant in cm.

    ``T = 1 / (sqrt(3 mua_x (mua_x + mus'_x)) + sqrt(3 mua (mua + mus')))``, x at the excitation, with mus' = 20 cm-1 (l/500)^-1.3.

    Parameters
    ----------
    wavelength_nm : array, shape (n,)
    excitation_nm : float
    blood_fraction, saturation : float
        0 to 1.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    BadInput
        For wavelengths outside the table of haemoglobin, or a fraction outside 0 to 1.

    Examples
    --------
    Blood leaves dips at 542 and 576 nm:

    >>> light = escape([542.0, 560.0, 576.0, 650.0], 405.0, 0.01, 0.9)
    >>> bool(light[0] < light[1] > light[2] < light[3])
    True
    """
    at_x = absorption(excitation_nm, blood_fraction, saturation)
    at_l = absorption(wavelength_nm, blood_fraction, saturation)
    roots = _attenuation(at_x, reduced_scattering(excitation_nm)) + _attenuation(at_l, reduced_scattering(wavelength_nm))
    return np.asarray(1.0 / roots)


@dataclass(frozen=True, slots=True, eq=False)
class BloodTransport:
    """The escape function of several excitations with its slopes, tabulated once for one set of wavelengths.

    Attributes
    ----------
    oxy, deoxy, scattering : ndarray, shape (n,)
        Absorption of whole blood and reduced scattering at the pixels, cm-1.
    oxy_x, deoxy_x, scattering_x : ndarray, shape (e,)
        The same at the excitations.
    wavelength_nm, excitation_nm : ndarray, shape (n,) and (e,)
    place : BloodTransport or None
        The pixels whose largest all is told relative to; None for these.
    """

    oxy: Floats
    deoxy: Floats
    scattering: Floats
    oxy_x: Floats
    deoxy_x: Floats
    scattering_x: Floats
    wavelength_nm: Floats
    excitation_nm: Floats
    place: BloodTransport | None = None

    def log_escape(self, blood_fraction: float, saturation: float) -> tuple[Floats, Floats, Floats]:
        """Return log T and its slopes by blood fraction and by saturation, each excitation relative to its own largest pixel.

        Returns
        -------
        tuple of ndarray, shape (e, n)
        """
        found = self._absolute(blood_fraction, saturation)
        known = found if self.place is None else self.place._absolute(blood_fraction, saturation)
        most = known[0].argmax(axis=1)[:, None]
        relative = [each - np.take_along_axis(other, most, axis=1) for each, other in zip(found, known, strict=True)]
        return relative[0], relative[1], relative[2]

    def at(self, wavelength_nm: Floats) -> BloodTransport:
        """Return the escape function at other wavelengths, told relative to the largest of these pixels.

        Examples
        --------
        >>> table = blood_transport([540.0, 650.0, 660.0], [405.0])
        >>> bool(np.isclose(table.at(np.array([660.0])).log_escape(0.02, 0.7)[0][0, 0], table.log_escape(0.02, 0.7)[0][0, 2]))
        True
        """
        pixels = np.clip(wavelength_nm, FIRST_NM, LAST_NM)
        oxy, deoxy = extinction(pixels)
        moved = (BLOOD_MOLAR * oxy, BLOOD_MOLAR * deoxy, reduced_scattering(pixels))
        return BloodTransport(*moved, self.oxy_x, self.deoxy_x, self.scattering_x, pixels, self.excitation_nm, self.place or self)

    def by_scattering(self, blood_fraction: float, saturation: float) -> tuple[Floats, Floats]:
        """Return the slopes of log T by the log of the scattering's amplitude and by its power, relative to the largest pixel of each.

        ``mus' = a (l / 500 nm)^-b`` is held at its usual a and b; these say what that may cost.

        Examples
        --------
        Nothing is told relative to itself:

        >>> by_amplitude, by_power = blood_transport([420.0, 500.0, 730.0], [405.0]).by_scattering(0.01, 0.7)
        >>> float(by_amplitude[0, 2]), float(by_power[0, 2])
        (0.0, 0.0)
        """
        root, _, _ = _root(self.oxy, self.deoxy, self.scattering, blood_fraction, saturation)
        root_x, _, _ = _root(self.oxy_x, self.deoxy_x, self.scattering_x, blood_fraction, saturation)
        value = 1.0 / (root_x[:, None] + root)
        most = value.argmax(axis=1)[:, None]
        found = []
        for power in (0, 1):
            pixel, lamp = (
                1.5 * _blood(oxy, deoxy, blood_fraction, saturation) * mus / at * (-np.log(nm / REFERENCE_NM)) ** power
                for oxy, deoxy, mus, at, nm in (
                    (self.oxy, self.deoxy, self.scattering, root, self.wavelength_nm),
                    (self.oxy_x, self.deoxy_x, self.scattering_x, root_x, self.excitation_nm),
                )
            )
            slope = -value * (lamp[:, None] + pixel)
            found.append(slope - np.take_along_axis(slope, most, axis=1))
        return found[0], found[1]

    def along(self, blood_fraction: float, saturation: float) -> Floats:
        """Return the slope of log T along the wavelengths, per nm, shape (e, n)."""
        further = self.at(self.wavelength_nm + _TINY_NM)._absolute(blood_fraction, saturation)[0]
        return np.asarray((further - self._absolute(blood_fraction, saturation)[0]) / _TINY_NM)

    def _absolute(self, blood_fraction: float, saturation: float) -> tuple[Floats, Floats, Floats]:
        root, by_f, by_s = _root(self.oxy, self.deoxy, self.scattering, blood_fraction, saturation)
        root_x, by_f_x, by_s_x = _root(self.oxy_x, self.deoxy_x, self.scattering_x, blood_fraction, saturation)
        value = 1.0 / (root_x[:, None] + root)
        slopes = [-value * (x[:, None] + pixel) for x, pixel in ((by_f_x, by_f), (by_s_x, by_s))]
        return np.log(value), slopes[0], slopes[1]


def blood_transport(wavelength_nm: npt.ArrayLike, excitation_nm: Sequence[float] | Floats) -> BloodTransport:
    """Return the escape function tabulated on pixels and excitations.

    Raises
    ------
    BadInput
        For wavelengths outside the table of haemoglobin.

    Examples
    --------
    >>> table = blood_transport([450.0, 542.0, 650.0], [405.0])
    >>> by_hand = escape([450.0, 542.0, 650.0], 405.0, 0.02, 0.7)
    >>> bool(np.allclose(np.exp(table.log_escape(0.02, 0.7)[0]), by_hand / by_hand.max()))
    True
    """
    pixels, lamps = np.asarray(wavelength_nm, dtype=np.float64), np.asarray(excitation_nm, dtype=np.float64)
    oxy, deoxy = extinction(pixels)
    oxy_x, deoxy_x = extinction(lamps)
    return BloodTransport(
        BLOOD_MOLAR * oxy,
        BLOOD_MOLAR * deoxy,
        reduced_scattering(pixels),
        BLOOD_MOLAR * oxy_x,
        BLOOD_MOLAR * deoxy_x,
        reduced_scattering(lamps),
        pixels,
        lamps,
    )


def diffuse_reflectance(wavelength_nm: npt.ArrayLike, blood_fraction: float, saturation: float) -> Floats:
    """Return the total diffuse reflectance of a tissue that fills half of space, by diffusion theory.

    ``R = a' / (1 + 2k (1 - a') + (1 + 2k/3) sqrt(3 (1 - a')))``, a' = mus' / (mua + mus'), k = 3.25 for a refractive index of 1.4.

    References
    ----------
    S. T. Flock, M. S. Patterson, B. C. Wilson, D. R. Wyman, Monte Carlo modeling of light propagation in highly scattering tissues I,
    IEEE Trans Biomed Eng 1989;36:1162, doi:10.1109/TBME.1989.1173624.

    Examples
    --------
    >>> bool(diffuse_reflectance(542.0, 0.05, 0.7) < diffuse_reflectance(650.0, 0.05, 0.7) < 1.0)
    True
    """
    mus = reduced_scattering(wavelength_nm)
    left = 1.0 - mus / (absorption(wavelength_nm, blood_fraction, saturation) + mus)
    return np.asarray((1.0 - left) / (1.0 + 2.0 * _KAPPA * left + (1.0 + 2.0 * _KAPPA / 3.0) * np.sqrt(3.0 * left)))


def fitted_exponent(reflectance: npt.ArrayLike, transmitted: npt.ArrayLike) -> float:
    """Return k of ``T ~ R^k``: the slope of log T on log R, each phantom around its own mean.

    Parameters
    ----------
    reflectance, transmitted : array, shape (phantoms, n)
        Diffuse reflectance and what a known, flat fluorescence became on its way out; positive.

    Returns
    -------
    float

    Raises
    ------
    BadInput
        For unequal shapes, a value that is not positive, or a reflectance that does not vary.

    Examples
    --------
    >>> round(fitted_exponent([[0.25, 1.0]], [[0.5, 1.0]]), 6)
    0.5
    """
    r, t = np.atleast_2d(np.asarray(reflectance, dtype=np.float64)), np.atleast_2d(np.asarray(transmitted, dtype=np.float64))
    if r.shape != t.shape or not ((r > 0).all() and (t > 0).all()):
        raise BadInput(f"Reflectance of shape {r.shape} beside escape of {t.shape}: give positive values, one of each a phantom and pixel.")
    across, up = (np.log(each) - np.log(each).mean(axis=1, keepdims=True) for each in (r, t))
    spread = float((across**2).sum())
    if spread <= 0:
        raise BadInput("The reflectance of the phantoms does not vary with wavelength; an exponent needs phantoms that hold blood.")
    return float((across * up).sum() / spread)


def phantom_exponent(excitation_nm: float = 405.0) -> float:
    """Return k on virtual phantoms of 0.2 to 8 per cent blood, half to fully oxygenated, between 450 and 700 nm.

    It stays well below 1: dividing by the reflectance itself over-corrects tissue.

    Examples
    --------
    >>> round(phantom_exponent(), 2)
    0.12
    """
    nm = np.arange(450.0, 701.0, 2.0)
    tissues = [(f, s) for f in (0.002, 0.005, 0.01, 0.02, 0.04, 0.08) for s in (0.5, 0.7, 0.9, 1.0)]
    reflectance = np.array([diffuse_reflectance(nm, f, s) for f, s in tissues])
    return fitted_exponent(reflectance, np.array([escape(nm, excitation_nm, f, s) for f, s in tissues]))


def _attenuation(mua: Floats, mus: Floats) -> Floats:
    return np.asarray(np.sqrt(3.0 * mua * (mua + mus)))


def _root(oxy: Floats, deoxy: Floats, mus: Floats, f: float, s: float) -> tuple[Floats, Floats, Floats]:
    """Return sqrt(3 mua (mua + mus')) and its slopes by blood fraction and saturation."""
    blood = deoxy + s * (oxy - deoxy)
    mua = _blood(oxy, deoxy, f, s)
    root = _attenuation(mua, mus)
    by_mua = 1.5 * (2.0 * mua + mus) / root
    return root, by_mua * blood, by_mua * f * (oxy - deoxy)


def _blood(oxy: Floats, deoxy: Floats, f: float, s: float) -> Floats:
    """Return the absorption of tissue that holds some blood, cm-1."""
    return np.asarray(BLOODLESS_PER_CM + f * (deoxy + s * (oxy - deoxy)))
