"""What a count is worth: shot noise, read noise and the noise of what was subtracted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.values import Detector

Floats = npt.NDArray[np.float64]

#: Where nobody said: one count an electron, and no read noise beyond that of one electron.
DEFAULT_GAIN, DEFAULT_READ_NOISE = 1.0, 0.0


def variance(counts: npt.ArrayLike, averages: float, detector: Detector, dark_variance: npt.ArrayLike = 0.0) -> Floats:
    """Return the variance of counts: ``counts gain / averages + read noise^2 / averages + dark variance``.

    Parameters
    ----------
    counts : array, shape (..., n)
        What light left, the electronic offset subtracted; a negative count is noise and adds no shot noise.
    averages : float
        Readouts behind one value.
    detector : Detector
        A gain that nobody said is 1 count an electron, a read noise 0.
    dark_variance : array, optional
        Of what was subtracted, counts squared.

    Returns
    -------
    ndarray, shape (..., n)
        In counts squared; at least the variance of one electron, so that no weight is infinite.

    Examples
    --------
    300 counts, 2 counts an electron, read noise 4, 2 averages: 300 + 8, and 5 of the dark frame.

    >>> float(variance(300.0, 2, Detector(None, 4.0, 2.0), 5.0))
    313.0
    """
    gain, read = gain_of(detector), read_noise_of(detector)
    light = np.maximum(np.asarray(counts, dtype=np.float64), 0.0)
    return np.asarray(
        np.maximum((light * gain + read * read) / averages + np.asarray(dark_variance, dtype=np.float64), gain * gain / averages)
    )


def gain_of(detector: Detector) -> float:
    """Return counts an electron, 1 where nobody said.

    Examples
    --------
    >>> gain_of(Detector()), gain_of(Detector(gain_counts_per_electron=0.5))
    (1.0, 0.5)
    """
    return DEFAULT_GAIN if detector.gain_counts_per_electron is None else detector.gain_counts_per_electron


def read_noise_of(detector: Detector) -> float:
    """Return the standard deviation of one readout in counts, 0 where nobody said.

    Examples
    --------
    >>> read_noise_of(Detector(read_noise_counts=4.0))
    4.0
    """
    return DEFAULT_READ_NOISE if detector.read_noise_counts is None else detector.read_noise_counts
