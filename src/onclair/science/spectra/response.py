"""The colour of the instrument: counts per unit of light at each wavelength, from a lamp of known colour or a white target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase

Floats = npt.NDArray[np.float64]

#: A response below this share of its largest value cannot be divided by.
LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """Sensitivity against wavelength.

    Attributes
    ----------
    value : ndarray, shape (n,)
        Relative to the mean over the window it was made for; positive, NaN where there is too little light to know.
    relative_error : ndarray, shape (n,)
        Standard deviation of `value` over `value`.

    Examples
    --------
    >>> Response(np.array([1.0, 2.0]), np.array([0.01, 0.01])).value.tolist()
    [1.0, 2.0]
    """

    value: Floats
    relative_error: Floats


def response_from(counts: Floats, spread: Floats, expected: Floats, expected_relative_error: npt.ArrayLike = 0.0) -> Response:
    """Return the response from the net counts of a source whose colour is known.

    Parameters
    ----------
    counts, spread : ndarray, shape (n,)
        Net counts of the lamp, or of the white target under it, and their variance.
    expected : ndarray, shape (n,)
        What the source gives there, in any unit proportional to counts of an ideal instrument (photons per nm a pixel): the lamp's
        certificate, or lamp times reflectance of the target.
    expected_relative_error : array
        Of the certificate; 1 standard deviation.

    Returns
    -------
    Response
        Its relative error holds both noise and certificate.

    Raises
    ------
    BadCase
        When fewer than half of the pixels are lit by a hundredth of the brightest one.

    Examples
    --------
    >>> found = response_from(np.array([100.0, 300.0]), np.array([1.0, 9.0]), np.array([1.0, 1.0]), 0.02)
    >>> found.value.tolist(), found.relative_error.round(4).tolist()
    ([0.5, 1.5], [0.0224, 0.0224])
    """
    lit = (expected > 0) & (counts > 0)
    ratio = np.where(lit, counts / np.where(lit, expected, 1.0), np.nan)
    known = lit & (ratio >= LEAST_SHARE * np.nanmax(ratio, initial=0.0))
    if known.mean() < 0.5:
        sentence = f"The lamp lights {int(known.sum())} of {known.size} pixels by a hundredth of the brightest"
        raise BadCase(f"{sentence}; at least half are needed: expose longer, or take a lamp that covers the window.", item="response")
    value = np.where(known, ratio, np.nan)
    noise = np.sqrt(spread / np.where(known, counts, 1.0) ** 2 + np.asarray(expected_relative_error, dtype=np.float64) ** 2)
    return Response(value / np.nanmean(value), np.where(known, noise, np.nan))


def corrected(counts: Floats, spread: Floats, response: Response) -> tuple[Floats, Floats]:
    """Return counts of an instrument without colour, and their variance with the response's own error in it.

    ``var = spread / R^2 + (counts / R)^2 e^2``. The error of a response is shared by all spectra taken with it and does not average out.

    Parameters
    ----------
    counts, spread : ndarray, shape (..., n)
        Net counts and variance; NaN counts, of pixels that were full, stay NaN.
    response : Response

    Returns
    -------
    counts, variance : ndarray, shape (..., n)
        NaN counts where the response is not known; the variance there is the uncorrected one, so that it stays positive.

    Raises
    ------
    BadCase
        For a response on another number of pixels.

    Examples
    --------
    >>> counts, spread = corrected(np.array([100.0]), np.array([100.0]), Response(np.array([0.5]), np.array([0.01])))
    >>> counts.tolist(), spread.tolist()
    ([200.0], [404.0])
    """
    if response.value.shape != counts.shape[-1:]:
        found = f"The response has {response.value.size} pixels and the spectrum {counts.shape[-1]}"
        raise BadCase(f"{found}; measure the response with the same instrument and settings.", item="response")
    known = np.isfinite(response.value)
    value = np.where(known, response.value, 1.0)
    error = np.where(known, response.relative_error, 0.0)
    right = counts / value
    return np.where(known, right, np.nan), spread / value**2 + (np.where(np.isfinite(right), right, 0.0) * error) ** 2
