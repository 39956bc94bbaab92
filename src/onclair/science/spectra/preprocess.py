"""Preprocessing of spectra that models look at as they are: scatter, derivatives and baselines, row by row."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.signal import savgol_filter

from onclair.core.errors import BadInput, BadSetting

Floats = npt.NDArray[np.float64]


def snv(spectra: npt.ArrayLike) -> Floats:
    """Return each spectrum less its mean over its standard deviation: the standard normal variate.

    Parameters
    ----------
    spectra : array, shape (m, n)

    Returns
    -------
    ndarray, shape (m, n)
        The deviation is that of the population, divided by n.

    Raises
    ------
    BadInput
        For a spectrum that is flat, or values that are not finite.

    References
    ----------
    R. J. Barnes, M. S. Dhanoa, S. J. Lister, Standard normal variate transformation and de-trending of near-infrared diffuse reflectance
    spectra, Appl Spectrosc 1989;43:772, doi:10.1366/0003702894202201.

    Examples
    --------
    >>> snv([[1.0, 3.0, 1.0, 3.0]]).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    rows = _rows(spectra)
    sd = rows.std(axis=1, keepdims=True)
    _refuse_flat(sd[:, 0])
    return np.asarray((rows - rows.mean(axis=1, keepdims=True)) / sd)


def msc(spectra: npt.ArrayLike, reference: npt.ArrayLike) -> Floats:
    """Return each spectrum less its offset over its slope on a reference: multiplicative scatter correction.

    Parameters
    ----------
    spectra : array, shape (m, n)
    reference : array, shape (n,)
        The mean of the *training* spectra; it is not taken from `spectra`, for that would leak.

    Returns
    -------
    ndarray, shape (m, n)

    Raises
    ------
    BadInput
        For another length, a flat reference, or a spectrum without any slope on it.

    References
    ----------
    P. Geladi, D. MacDougall, H. Martens, Linearization and scatter-correction for near-infrared reflectance spectra of meat, Appl Spectrosc
    1985;39:491, doi:10.1366/0003702854248656.

    Examples
    --------
    >>> msc([[3.0, 5.0, 7.0]], [1.0, 2.0, 3.0]).tolist()
    [[1.0, 2.0, 3.0]]
    """
    rows, known = _rows(spectra), np.asarray(reference, dtype=np.float64)
    if known.shape != rows.shape[1:]:
        raise BadInput(f"The reference has {known.size} values and a spectrum {rows.shape[1]}; take both on the same wavelengths.")
    across = known - known.mean()
    _refuse_flat(np.atleast_1d(known.std()))
    slope = (rows @ across / (across @ across))[:, None]
    _refuse_flat(np.abs(slope[:, 0]))
    offset = rows.mean(axis=1, keepdims=True) - slope * known.mean()
    return np.asarray((rows - offset) / slope)


def savitzky_golay(spectra: npt.ArrayLike, pixels: int, degree: int = 2, derivative: int = 1) -> Floats:
    """Return the derivative of local polynomials, per pixel.

    Parameters
    ----------
    spectra : array, shape (m, n)
        On evenly spaced pixels.
    pixels : int
        Odd length of the window.
    degree : int
    derivative : int
        0 smooths.

    Returns
    -------
    ndarray, shape (m, n)
        At the ends the polynomial of the outermost full window holds.

    Raises
    ------
    BadSetting
        For an even or too long window, a degree that fills it, or a derivative beyond the degree.

    References
    ----------
    A. Savitzky, M. J. E. Golay, Smoothing and differentiation of data by simplified least squares procedures, Anal Chem 1964;36:1627,
    doi:10.1021/ac60214a047.

    Examples
    --------
    >>> savitzky_golay([[0.0, 1.0, 4.0, 9.0, 16.0]], 3).round(9).tolist()
    [[0.0, 2.0, 4.0, 6.0, 8.0]]
    """
    rows = _rows(spectra)
    if pixels % 2 == 0 or not degree < pixels <= rows.shape[1] or not 0 <= derivative <= degree:
        raise BadSetting(
            f"The window of {pixels} pixels, degree {degree} and derivative {derivative} do not go together on {rows.shape[1]} pixels; "
            "take an odd window longer than the degree, and a derivative up to it.",
            item="pixels",
        )
    return np.asarray(savgol_filter(rows, pixels, degree, deriv=derivative, axis=1, mode="interp"))


def less_baseline(spectra: npt.ArrayLike, method: Literal["asls", "arpls"] = "arpls", stiffness: float = 1e5, lift: float = 0.01) -> Floats:
    """Return each spectrum less a smooth baseline under its peaks: a Whittaker smoother that goes by asymmetric weights.

    For display, and for models on spectra. Never before the unmixing: what lies under the porphyrin is autofluorescence, which varies
    between people several times more over 636 to 700 nm than over 540 to 600 nm, and belongs into the fit.

    Parameters
    ----------
    spectra : array, shape (m, n)
        On evenly spaced pixels.
    method : {"asls", "arpls"}
        Weights by the sign of the residual, or by a logistic function of it.
    stiffness : float
        lambda; goes with the fourth power of the pixels a nanometre.
    lift : float
        Weight of a point above the baseline, for ``asls`` alone.

    Returns
    -------
    ndarray, shape (m, n)

    Raises
    ------
    BadSetting
        For another method, or a stiffness or lift that is not positive.

    References
    ----------
    P. H. C. Eilers, A perfect smoother, Anal Chem 2003;75:3631, doi:10.1021/ac034173t (asls).
    S.-J. Baek et al., Baseline correction using asymmetrically reweighted penalized least squares smoothing, Analyst 2015;140:250,
    doi:10.1039/C4AN01061B (arpls).

    Examples
    --------
    >>> pixel = np.arange(200.0)
    >>> peak = 10.0 * np.exp(-0.5 * ((pixel - 100.0) / 4.0) ** 2)
    >>> left = less_baseline([peak + 3.0 + 0.01 * pixel], "asls")
    >>> bool(abs(left[0, 100] - 10.0) < 0.5)
    True
    """
    from pybaselines import whittaker  # seconds to import, and most users never ask

    if method not in ("asls", "arpls") or not (stiffness > 0 and 0 < lift < 1):
        raise BadSetting(
            f"The baseline '{method}' with stiffness {stiffness} and lift {lift} is none; take asls or arpls, a positive stiffness and a "
            "lift between 0 and 1.",
            item="method",
        )
    rows = _rows(spectra)
    if method == "asls":
        return np.array([row - whittaker.asls(row, lam=stiffness, p=lift, max_iter=_MOST, tol=_SETTLED)[0] for row in rows])
    return np.array([row - whittaker.arpls(row, lam=stiffness, max_iter=_MOST, tol=_SETTLED)[0] for row in rows])


#: Reweightings, and the change of the weights that ends them.
_MOST, _SETTLED = 100, 1e-9


def _rows(spectra: npt.ArrayLike) -> Floats:
    rows = np.asarray(spectra, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] < 2 or not np.isfinite(rows).all():
        raise BadInput(
            f"The spectra are of shape {rows.shape} or hold values that are not finite; give (spectra, wavelengths), all finite."
        )
    return rows


def _refuse_flat(spread: Floats) -> None:
    flat = np.flatnonzero(~(spread > 0))
    if flat.size:
        raise BadInput(f"Spectrum {int(flat[0])} is flat: it has no scatter to be corrected; leave it out.")
