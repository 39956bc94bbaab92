"""What the gates look at: numbers drawn from prepared spectra, none of them a verdict."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onclair.science.spectra.bases import efficiency
from onclair.science.spectra.prepared import Prepared

Floats = npt.NDArray[np.float64]

#: Counts are taken together over so many nm before a signal is compared with its noise.
BIN_NM = 2.0
#: Red, where blood absorbs little, and the two bands of oxyhaemoglobin.
RED_NM, DIPS_NM = (610.0, 650.0), ((538.0, 546.0), (572.0, 580.0))
#: NADH, and the flavins that both excitations reach alike.
BLUE_NM, GREEN_NM = (432.0, 475.0), (510.0, 560.0)
#: Two excitations tell NADH apart where one reaches it so many times better.
TELLS_NADH = 3.0
#: What is unexplained is taken together over so many nm.
BAND_NM = 8.0
#: Standard errors that noise may take.
_SURE = 3.0


class Change(NamedTuple):
    """A share lost a frame, and its standard error."""

    lost: float
    se: float


class Misfit(NamedTuple):
    """The band that a fit explains least: what is left there for sure over the brightest band, its z, and where it lies, nm."""

    share: float
    z: float
    at_nm: float


def total_snr(counts: Floats, spread: Floats, doubt: float = 0.0) -> float:
    """Return all counts of a window over their standard deviation.

    Parameters
    ----------
    counts, spread : ndarray, shape (n,)
        Net counts and variance; NaN counts are left out, and without any there is no signal.
    doubt : float
        Standard deviation that all pixels share, counts in total: ambient light that flickers.

    Examples
    --------
    >>> total_snr(np.array([30.0, np.nan, 30.0]), np.array([50.0, 50.0, 50.0]))
    6.0
    """
    good = np.isfinite(counts)
    if not good.any():
        return 0.0
    return float(counts[good].sum() / np.sqrt(spread[good].sum() + doubt**2))


def peak_snr(wavelength_nm: Floats, counts: Floats, spread: Floats) -> float:
    """Return signal over noise in the brightest 2 nm.

    Examples
    --------
    >>> peak_snr(np.arange(500.0, 504.0), np.array([8.0, 8.0, 0.0, 0.0]), np.full(4, 8.0))
    4.0
    """
    edges = np.flatnonzero(np.diff(np.floor((wavelength_nm - wavelength_nm[0]) / BIN_NM), prepend=-1.0))
    good = np.isfinite(counts)
    signal = np.add.reduceat(np.where(good, counts, 0.0), edges)
    noise = np.sqrt(np.add.reduceat(np.where(good, spread, 0.0), edges))
    return float((signal / np.where(noise > 0, noise, np.inf)).max())


def bleached(totals: npt.ArrayLike, errors: npt.ArrayLike) -> Change | None:
    """Return the share of light lost from one repeat to the next: a straight line through the logarithms.

    Parameters
    ----------
    totals, errors : array, shape (m,)
        Counts of each repeat in the window, in order of time, and their standard deviations.

    Returns
    -------
    Change or None
        None for fewer than two repeats, or where one has no light.

    Examples
    --------
    >>> bleached([1000.0, 900.0, 810.0], [1.0, 1.0, 1.0]).lost.__round__(6)
    0.1
    """
    level, sd = np.asarray(totals, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if len(level) < 2 or not (level > 0).all():
        return None
    place = np.arange(len(level)) - (len(level) - 1) / 2.0
    slope = float(place @ np.log(level) / (place @ place))
    se = float(np.sqrt((place**2 * (sd / level) ** 2).sum()) / (place @ place))
    return Change(1.0 - float(np.exp(slope)), float(np.exp(slope)) * se)


def band(wavelength_nm: Floats, values: Floats, within_nm: tuple[float, float]) -> float:
    """Return the mean of values over a band, NaN left out; NaN where the band holds none.

    Examples
    --------
    >>> band(np.arange(500.0, 510.0), np.arange(10.0), (502.0, 504.0))
    3.0
    """
    low, high = np.searchsorted(wavelength_nm, [within_nm[0], within_nm[1] + 1e-9])
    inside = values[low:high]
    good = np.isfinite(inside)
    return float(inside[good].mean()) if good.any() else float("nan")


def blood_absorbance(wavelength_nm: Floats, reflectance: Floats) -> float:
    """Return how much darker tissue is at 542 and 576 nm than in the red: the natural logarithm of their ratio.

    Parameters
    ----------
    wavelength_nm, reflectance : ndarray, shape (n,)
        Diffuse reflectance against a white standard; the level does not matter.

    Returns
    -------
    float
        About 1.2 for 1.5 per cent of blood, above 2 where blood fills a tenth; 6.9 at most: a thousandth of the red is taken for the dips
        where less comes back.

    Examples
    --------
    >>> nm = np.arange(500.0, 700.0)
    >>> round(blood_absorbance(nm, np.where(nm < 600.0, 0.1, 0.5)), 2)
    1.61
    """
    red = band(wavelength_nm, reflectance, RED_NM)
    dips = float(np.mean([band(wavelength_nm, reflectance, each) for each in DIPS_NM]))
    if not np.isfinite(red + dips) or red <= 0:
        return float("nan")
    return float(np.log(red / max(dips, 1e-3 * red)))


def nadh_order(wavelength_nm: Floats, counts: Floats, spread: Floats, excitation_nm: Floats) -> tuple[float, float] | None:
    """Return how much bluer the shorter excitation's spectrum is than the longer one's, and the error of its logarithm.

    NADH is reached ten times better at 385 than at 405 nm, flavins alike: ``(blue/green at the shorter) / (blue/green at the longer)``
    lies well above 1 in tissue, whatever its blood, and well below 1 where the two frames were swapped.

    Parameters
    ----------
    wavelength_nm : ndarray, shape (n,)
    counts, spread : ndarray, shape (e, n)
    excitation_nm : ndarray, shape (e,)

    Returns
    -------
    (float, float) or None
        None where the excitations do not tell NADH apart, or where one shows no green, or neither any blue.

    Examples
    --------
    >>> nm = np.arange(430.0, 565.0)
    >>> blue, green = (nm < 480.0) * 1000.0, (nm > 500.0) * 1000.0
    >>> both = np.array([2.0 * blue + green, 0.5 * blue + green])
    >>> round(nadh_order(nm, both, both + 1.0, np.array([385.0, 405.0]))[0], 6)
    4.0
    """
    short, long = int(excitation_nm.argmin()), int(excitation_nm.argmax())
    if efficiency("NADH", float(excitation_nm[short])) < TELLS_NADH * efficiency("NADH", float(excitation_nm[long])):
        return None
    (blue, blue_sd), (green, green_sd), (far_blue, far_blue_sd), (far_green, far_green_sd) = (
        _sum(wavelength_nm, counts[row], spread[row], within) for row in (short, long) for within in (BLUE_NM, GREEN_NM)
    )
    dark = blue < _SURE * blue_sd and far_blue < _SURE * far_blue_sd
    if dark or not (green > _SURE * green_sd > 0 and far_green > _SURE * far_green_sd > 0):
        return None
    blue, far_blue = max(blue, blue_sd), max(far_blue, far_blue_sd)  # no blue at all at the longer one is what is expected
    errors = (blue_sd / blue, green_sd / green, far_blue_sd / far_blue, far_green_sd / far_green)
    return blue * far_green / (green * far_blue), float(np.linalg.norm(errors))


def misfit(prepared: Prepared, residual: Floats) -> Misfit:
    """Return the band of 8 nm that a fit explains least, over all excitations.

    Parameters
    ----------
    prepared : Prepared
    residual : ndarray, shape (e, n)
        Counts less model over the standard deviation of the model's counts; NaN outside the fit.

    Returns
    -------
    Misfit
        Its share is what is left in the band beyond three standard errors, over what that excitation's brightest band holds; 0 where
        noise explains all.

    Examples
    --------
    >>> from onclair.science.spectra.prepared import prepared_from
    >>> nm = np.arange(500.0, 548.0)
    >>> left = np.where(nm < 508.0, 2.0, 0.0)[None]  # 100 counts, of which 18.1 are too many: (100 - 81.9) / sqrt(81.9) = 2
    >>> tuple(round(each, 2) for each in misfit(prepared_from(nm, np.full((1, 48), 100.0), [405.0]), left)[:2])
    (0.07, 5.12)
    """
    wavelength_nm, counts, spread = prepared.wavelength_nm, prepared.counts, prepared.variance
    starts = np.flatnonzero(np.diff(np.floor((wavelength_nm - wavelength_nm[0]) / BAND_NM), prepend=-1.0))
    middle = np.add.reduceat(wavelength_nm, starts) / np.diff([*starts, len(wavelength_nm)])
    good = np.isfinite(residual) & np.isfinite(counts)
    pixels = np.add.reduceat(good, starts, axis=1, dtype=np.float64)
    each = np.maximum(pixels, 1.0)
    level, left, var = (
        np.add.reduceat(np.where(good, values, 0.0), starts, axis=1) / each for values in (counts, _counts_left(prepared, residual), spread)
    )
    shown = pixels >= 0.5 * pixels.max()
    brightest = np.where(shown, level, 0.0).max(axis=1, keepdims=True)
    se = np.sqrt(np.maximum(var, 1e-300) / each)
    sure = np.maximum(np.abs(left) - _SURE * se, 0.0) / np.where(brightest > 0, brightest, np.inf) * shown
    row, place = np.unravel_index(int(sure.argmax()), sure.shape)
    return Misfit(float(sure[row, place]), float(np.abs(left[row, place]) / se[row, place]), float(middle[place]))


def _counts_left(prepared: Prepared, residual: Floats) -> Floats:
    """Return counts less model d from r = d / sqrt(v - g d): the variance of the model differs from that of the counts by g d."""
    squared = residual**2
    slope = squared * prepared.count_variance
    return np.asarray(0.5 * (np.sign(residual) * np.sqrt(slope**2 + 4.0 * squared * prepared.variance) - slope))


def _sum(wavelength_nm: Floats, counts: Floats, spread: Floats, within_nm: tuple[float, float]) -> tuple[float, float]:
    low, high = np.searchsorted(wavelength_nm, [within_nm[0], within_nm[1] + 1e-9])
    good = np.isfinite(counts[low:high])
    return float(counts[low:high][good].sum()), float(np.sqrt(spread[low:high][good].sum()))
