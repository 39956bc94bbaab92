"""Peaks of a spectrum, to a fraction of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import find_peaks, peak_widths

Floats = npt.NDArray[np.float64]

#: A peak stands out of its surroundings by so many times the noise, and by this share of the highest.
_SIGMAS, _LEAST_SHARE = 8.0, 0.003
#: A line reaches the next pixel by at least this share of its height.
_BESIDE = 0.25
_MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Peaks in the order of their pixels.

    Attributes
    ----------
    pixel : ndarray, shape (k,)
        Of the top, with its fraction.
    height : ndarray, shape (k,)
        Above the surroundings.
    width : ndarray, shape (k,)
        Full width at half height, pixels, a little widened by the smoothing that finds peaks.
    """

    pixel: Floats
    height: Floats
    width: Floats


def peaks(counts: npt.ArrayLike) -> Peaks:
    """Return the peaks of a spectrum of lines.

    Each top is that of a parabola through the logarithm of the counts above half height, weighted by their square: exact for a Gaussian.

    Parameters
    ----------
    counts : array, shape (n,)
        Net counts.

    Returns
    -------
    Peaks
        None whose neighbouring pixels both stay below a quarter of it: that is a spike.

    References
    ----------
    H. Guo, A simple algorithm for fitting a Gaussian function, IEEE Signal Process Mag 2011;28(5):134, doi:10.1109/MSP.2011.941846.

    Examples
    --------
    >>> pixel = np.arange(200.0)
    >>> found = peaks(1000.0 * np.exp(-0.5 * ((pixel - 80.3) / 3.0) ** 2))
    >>> found.pixel.round(3).tolist(), found.width.round(1).tolist()
    ([80.3], [7.3])
    """
    values = np.asarray(counts, dtype=np.float64)
    steps = np.diff(values)
    noise = _MAD_TO_SD * float(np.median(np.abs(steps - np.median(steps)))) / np.sqrt(2.0)
    least = max(_SIGMAS * noise, _LEAST_SHARE * float(values.max() - np.median(values)))
    smooth = np.convolve(values, (0.25, 0.5, 0.25), mode="same")
    tops, _ = find_peaks(smooth, prominence=max(least, 1e-300))
    widths, levels, left, right = peak_widths(smooth, tops, rel_height=0.5)
    half = smooth[tops] - levels
    at = np.array([_top(values, int(top), base) for top, base in zip(tops, levels - half, strict=True)])
    beside = np.maximum(values[tops - 1], values[tops + 1]) - (levels - half)
    good = (
        (beside >= _BESIDE * (values[tops] - levels + half))
        & (np.abs(at - tops) <= np.maximum(widths, 2.0))
        & (left > 0.5)
        & (right < len(values) - 1.5)
    )
    return Peaks(at[good], 2.0 * half[good], widths[good])


def _top(values: Floats, top: int, base: float) -> float:
    """Return the top of the parabola through log(counts - base) around a pixel; the pixel itself where there is none."""
    above = values - base
    half = 0.5 * above[top]
    first, last = top, top
    while first > 0 and above[first - 1] > half:
        first -= 1
    while last < len(values) - 1 and above[last + 1] > half:
        last += 1
    first, last = (min(first, top - 1), max(last, top + 1))
    first, last = max(first, 0), min(last, len(values) - 1)
    x, y = np.arange(first, last + 1) - top, np.maximum(above[first : last + 1], 1e-9 * max(above[top], 1e-300))
    if len(x) < 3:
        return float(top)
    c2, c1, _ = np.polyfit(x, np.log(y), 2, w=y)
    return float(top - c1 / (2.0 * c2)) if c2 < 0 else float(top)
