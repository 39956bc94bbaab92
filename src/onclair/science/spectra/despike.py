"""Cosmic rays and other spikes: found in one spectrum by its differences, and among repeats by what they do not share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

from onclair.core.values import Spectrum
from onclair.science.spectra.noise import variance

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Modified z beyond which a difference is a spike's.
THRESHOLD = 7.0
#: A repeat that departs from the others by more standard deviations is a spike.
REPEAT_THRESHOLD = 6.0
#: A spike is mended from pixels within so many on either side.
NEIGHBOURS = 3
#: Nothing that a spectrometer resolves is narrower than this many pixels; a spike is.
_BROAD = 11
_CONSISTENT = 0.6745


def modified_z(counts: npt.ArrayLike) -> Floats:
    """Return the modified z score of the first differences: ``0.6745 (D - median D) / MAD``.

    Parameters
    ----------
    counts : array, shape (n,)

    Returns
    -------
    ndarray, shape (n - 1,)
        Of the step from each pixel to the next; zeros where no difference departs from the median.

    References
    ----------
    D. A. Whitaker, K. Hayes, A simple algorithm for despiking Raman spectra, Chemometr Intell Lab Syst 2018;179:82,
    doi:10.1016/j.chemolab.2018.06.009.

    Examples
    --------
    Differences 1, 1, -1, 1, 97, -99, 1: median 1, MAD of (0, 0, 2, 0, 96, 100, 0) is 0, so that nothing can be said.

    >>> modified_z([0, 1, 2, 1, 2, 99, 0, 1]).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    >>> modified_z([0, 1, 3, 3, 4, 99, 0, 1]).round(1).tolist()
    [0.0, 0.7, -0.7, 0.0, 63.4, -67.4, 0.0]
    """
    steps = np.diff(np.asarray(counts, dtype=np.float64))
    away = steps - np.median(steps)
    mad = float(np.median(np.abs(away)))
    return _CONSISTENT * away / mad if mad > 0 else np.zeros_like(steps)


def spikes(counts: npt.ArrayLike, noise: npt.ArrayLike | None = None, threshold: float = THRESHOLD) -> Bools:
    """Return the pixels of one spectrum that a spike lifts.

    Parameters
    ----------
    counts : array, shape (n,)
    noise : array, shape (n,), optional
        Standard deviation of each count. With it, what is broader than 11 pixels is taken away and differences are told in noise, so
        that neither the flank of a bright line nor its larger shot noise is a spike: this departs from the publication, which takes the
        spectrum as it is.
    threshold : float
        Of the modified z.

    Returns
    -------
    ndarray of bool, shape (n,)
        A pixel between a steep rise and the steep fall after it, at most 6 pixels on.

    Examples
    --------
    >>> np.flatnonzero(spikes([0, 1, 3, 3, 4, 99, 0, 1])).tolist()
    [5]
    """
    values = np.asarray(counts, dtype=np.float64)
    if noise is not None:
        values = (values - _smooth(values)) / np.asarray(noise, dtype=np.float64)
    z = modified_z(values)
    found = np.zeros(values.shape, dtype=bool)
    falls = np.flatnonzero(z < -threshold)
    for rise in np.flatnonzero(z > threshold):
        after = falls[(falls > rise) & (falls <= rise + 2 * NEIGHBOURS)]
        if after.size:
            found[rise + 1 : after[-1] + 1] = True
    return found


def mended(counts: npt.ArrayLike, spiked: npt.ArrayLike) -> Floats:
    """Return the counts with each spiked pixel replaced by the mean of the good ones within 3 pixels; NaN where there is none.

    Examples
    --------
    >>> mended([1.0, 2.0, 90.0, 4.0, 5.0], [False, False, True, False, False]).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    values, bad = np.array(counts, dtype=np.float64), np.asarray(spiked, dtype=bool)
    for pixel in np.flatnonzero(bad):
        near = slice(max(pixel - NEIGHBOURS, 0), pixel + NEIGHBOURS + 1)
        good = np.asarray(counts, dtype=np.float64)[near][~bad[near]]
        values[pixel] = good.mean() if good.size else np.nan
    return values


def spikes_among(repeats: npt.ArrayLike, noise: npt.ArrayLike, threshold: float = REPEAT_THRESHOLD) -> Bools:
    """Return the pixels of each repeat that the other repeats do not show.

    Parameters
    ----------
    repeats : array, shape (m, n)
        Frames of one excitation, at least two. Each is brought to the level of the others first, and what is broader than 11 pixels is
        taken away, so that bleaching is no spike.
    noise : array, shape (m, n)
        Standard deviation of each count.
    threshold : float
        In standard deviations of the difference from the repeats' median (of two: from the lower, since a spike only adds).

    Returns
    -------
    ndarray of bool, shape (m, n)

    Examples
    --------
    >>> flat = np.full((3, 40), 100.0)
    >>> flat[1, 20] = 400.0
    >>> np.argwhere(spikes_among(flat, np.full((3, 40), 10.0))).tolist()
    [[1, 20]]
    """
    values, sd = np.asarray(repeats, dtype=np.float64), np.asarray(noise, dtype=np.float64)
    level = np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    common = level.mean()
    usable = values.sum(axis=1) > 0
    scaled = values * np.where(usable[:, None], common / level, 1.0) if usable.all() else values
    middle = np.median(scaled, axis=0) if len(values) > 2 else scaled.min(axis=0)
    away = scaled - middle
    suspect = (away > 0.5 * threshold * sd).any(axis=1)
    found = np.zeros(values.shape, dtype=bool)
    for row in np.flatnonzero(suspect):
        rough = away[row] - _smooth(away[row])
        found[row] = rough > threshold * sd[row] * np.sqrt(1.0 + 1.0 / (len(values) - 1))
    return found


def despiked(frames: Sequence[Spectrum]) -> tuple[Spectrum, ...]:
    """Return frames without light, or of white light, with their spikes mended from their neighbours; repeats help to find them.

    Parameters
    ----------
    frames : sequence of Spectrum
        Of one integration time and lamp.

    Returns
    -------
    tuple of Spectrum
        A frame without a spike is the one given.

    Examples
    --------
    >>> nm = np.arange(500.0, 540.0)
    >>> hit = np.where(nm == 520.0, 900.0, 100.0)
    >>> clean = despiked([Spectrum(hit, nm, None, 20.0), Spectrum(nm * 0 + 100.0, nm, None, 20.0)])
    >>> float(clean[0].counts.max())
    100.0
    """
    counts = np.array([frame.counts for frame in frames])
    noise = np.sqrt([variance(frame.counts, frame.averages, frame.detector) for frame in frames])
    found = spikes_among(counts, noise) if len(frames) > 1 else spikes(counts[0], noise[0])[None]
    return tuple(_mended(frame, bad) if bad.any() else frame for frame, bad in zip(frames, found, strict=True))


def _mended(frame: Spectrum, bad: Bools) -> Spectrum:
    """Return a frame without its spikes; pixels with no good neighbour stay: so many together are no spike."""
    counts = mended(frame.counts, bad)
    return replace(frame, counts=np.where(np.isfinite(counts), counts, frame.counts))


def _smooth(values: Floats) -> Floats:
    return np.asarray(median_filter(values, size=min(_BROAD, len(values)), mode="nearest"))
