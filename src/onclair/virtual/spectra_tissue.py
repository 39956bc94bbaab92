"""Light in virtual tissue: fluorescence on its way out, and white light coming back. Written for itself, not shared with the unmixing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.science.optics.haemoglobin import BLOOD_MOLAR, absorption, extinction
from onclair.science.optics.scattering import reduced_scattering
from onclair.science.spectra.bases import PORPHYRINS, Basis, basis, efficiency

Floats = npt.NDArray[np.float64]

#: The wavelengths that light is followed on.
GRID_NM = np.arange(352.0, 850.1, 0.5)
GRID_NM.setflags(write=False)
#: Internal reflection at the surface of tissue of refractive index 1.4 (Flock 1989).
_KAPPA = 3.25
#: A dye that no table of fluorophores knows: amplitude, mode and the two sigmas, nm; of unit area.
UNKNOWN_DYE = Basis("unknown", ((0.03325, 574.0, 10.0, 14.0),))


@dataclass(frozen=True, slots=True)
class Tissue:
    """What lies under the probe.

    Attributes
    ----------
    amounts : mapping of str to float
        Of each fluorophore, relative to the autofluorescence of healthy tissue.
    blood_fraction, sto2 : float
    scattering_per_cm, scattering_power : float
        a and b of mus' = a (l / 500 nm) ** -b.
    shift_nm, width : float
        How emission departs from the bases.
    film_cm : float
        Thickness of the blood that lies on top.
    unknown : float
        Amount of a dye that nobody expects.

    Examples
    --------
    >>> Tissue({"NADH": 1.0}).blood_fraction
    0.015
    """

    amounts: Mapping[str, float]
    blood_fraction: float = 0.015
    sto2: float = 0.65
    scattering_per_cm: float = 20.0
    scattering_power: float = 1.3
    shift_nm: float = 0.0
    width: float = 1.0
    film_cm: float = 0.0
    unknown: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Emission:
    """Fluorescence that leaves the tissue under one excitation, per nm, shape (n,) on :data:`GRID_NM`.

    Attributes
    ----------
    porphyrin : ndarray
        Of PpIX, which bleaches.
    rest : ndarray
        Of all else.
    """

    porphyrin: Floats
    rest: Floats


def emission(tissue: Tissue, excitation_nm: float) -> Emission:
    """Return the fluorescence of tissue under an excitation of relative power 1.

    ``sum_k A_k E_k(excitation) B_k(l - shift; width) T(excitation, l)``, T relative to that of median brain at 405 and 520 nm, so that
    the numbers are near those of the bases.

    Parameters
    ----------
    tissue : Tissue
    excitation_nm : float

    Returns
    -------
    Emission

    Examples
    --------
    >>> light = emission(Tissue({"PpIX634": 1.0, "NADH": 1.0}), 405.0)
    >>> float(GRID_NM[light.porphyrin.argmax()]), bool(light.rest.max() < light.porphyrin.max())  # blood moves the peak to the red
    (634.5, True)
    """
    out = escape(tissue, excitation_nm) / _USUAL_ESCAPE
    made = {name: amount * efficiency(name, excitation_nm) for name, amount in tissue.amounts.items()}
    parts = {name: made[name] * basis(name, GRID_NM, tissue.shift_nm, tissue.width) for name in made}
    porphyrin = sum((parts[name] for name in parts if name in PORPHYRINS), np.zeros_like(GRID_NM))
    rest = sum((parts[name] for name in parts if name not in PORPHYRINS), np.zeros_like(GRID_NM))
    if tissue.unknown:
        rest = rest + tissue.unknown * UNKNOWN_DYE.emission(GRID_NM, tissue.shift_nm, tissue.width)
    return Emission(porphyrin * out, rest * out)


def escape(tissue: Tissue, excitation_nm: float) -> Floats:
    """Return how much light comes out at each wavelength of :data:`GRID_NM`, in cm.

    ``1 / (sqrt(3 mua_x (mua_x + mus'_x)) + sqrt(3 mua_l (mua_l + mus'_l)))``, less what a film of blood takes on the way in and out.

    Examples
    --------
    >>> none, some = (escape(Tissue({}, blood_fraction=f), 405.0) for f in (0.0, 0.01))
    >>> green, red = np.searchsorted(GRID_NM, [542.0, 700.0])
    >>> bool(some[green] / some[red] < none[green] / none[red])
    True
    """
    at, lamp = _attenuation(tissue, GRID_NM), _attenuation(tissue, np.array([excitation_nm]))
    lost = _film(tissue, GRID_NM) + _film(tissue, np.array([excitation_nm]))
    return np.asarray(np.exp(-lost) / (lamp + at))


def reflectance(tissue: Tissue) -> Floats:
    """Return the diffuse reflectance of tissue under white light, on :data:`GRID_NM`.

    References
    ----------
    S. T. Flock et al., Monte Carlo modeling of light propagation in highly scattering tissues, IEEE Trans Biomed Eng 1989;36:1162,
    doi:10.1109/TBME.1989.1173624.

    Examples
    --------
    >>> value = reflectance(Tissue({}))
    >>> bool(0 < value.min() < 0.2 < value.max() < 1)
    True
    """
    mua, mus = _absorbing(tissue, GRID_NM), _scattering(tissue, GRID_NM)
    albedo = mus / (mua + mus)
    back = albedo / (1 + 2 * _KAPPA * (1 - albedo) + (1 + 2 * _KAPPA / 3) * np.sqrt(3 * (1 - albedo)))
    return np.asarray(back * np.exp(-2 * _film(tissue, GRID_NM)))


def _attenuation(tissue: Tissue, at: Floats) -> Floats:
    mua, mus = _absorbing(tissue, at), _scattering(tissue, at)
    return np.asarray(np.sqrt(3 * mua * (mua + mus)))


def _absorbing(tissue: Tissue, at: Floats) -> Floats:
    return absorption(at, tissue.blood_fraction, tissue.sto2)


def _scattering(tissue: Tissue, at: Floats) -> Floats:
    return reduced_scattering(at, tissue.scattering_per_cm, tissue.scattering_power)


def _film(tissue: Tissue, at: Floats) -> Floats:
    """Return the optical depth of whole blood lying on the tissue."""
    if not tissue.film_cm:
        return np.zeros_like(at)
    oxy, deoxy = extinction(at)
    return np.asarray(BLOOD_MOLAR * (tissue.sto2 * oxy + (1 - tissue.sto2) * deoxy) * tissue.film_cm)


#: Of median brain at 405 nm in, 520 nm out, cm.
_USUAL_ESCAPE = 0.01359
