"""From raw counts to light: offset, dark and ambient by the lamp-off frames, flicker, and the detector's nonlinearity.

Wavelengths are in :mod:`~onclair.science.spectra.wavelengths`, the colour of the instrument in :mod:`~onclair.science.spectra.response`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.values import Spectrum
from onclair.science.spectra.noise import gain_of, read_noise_of, variance
from onclair.science.spectra.record import matching

Floats = npt.NDArray[np.float64]

#: Of its lowest pixels, taken together by 64, a lamp-off frame shows the electronic offset where nobody took a dark frame.
_DARKEST, _TOGETHER = 0.05, 64
#: A test fails beyond so many standard deviations.
_SIGMAS = 4.0
#: The noise is known to this share where it is measured on the frames themselves.
_OWN_NOISE = 0.1
_MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What an excited frame holds besides fluorescence.

    Attributes
    ----------
    offset : ndarray, shape (n,)
        Counts without any light: the dark frame, else what the darkest pixels of the lamp-off frames show, else 0.
    ambient : ndarray, shape (n,)
        Mean of the lamp-off frames above the offset, linearised; zeros without such frames.
    variance : ndarray, shape (n,)
        Of offset and ambient together, counts squared.
    frames : int
        Lamp-off frames behind it.
    dark_noise : float
        Variance that one frame has without light beyond its read noise: dark counts make shot noise too, and how much of the offset is
        electronic nobody says, so that it is measured.
    """

    offset: Floats
    ambient: Floats
    variance: Floats
    frames: int
    dark_noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Flicker:
    """Whether lamp-off frames agree.

    Attributes
    ----------
    chi2 : float
        Variance between frames over that of their noise; 1 where they agree.
    limit : float
        Four standard deviations above 1, and a tenth more since the noise itself was measured.
    excess : float
        What noise does not explain: root mean square of one frame's departure, counts a pixel.
    agree : bool
    """

    chi2: float
    limit: float
    excess: float
    agree: bool


def background(frame: Spectrum, lamp_off: Sequence[Spectrum] = (), nonlinearity: Sequence[float] = ()) -> Background:
    """Return what is to be taken from a frame: its interleaved lamp-off frames, or its dark frame where there are none.

    Parameters
    ----------
    frame : Spectrum
    lamp_off : sequence of Spectrum
        Those of another integration time are left aside. They hold dark current and ambient light alike, so that a dark frame is then
        used for the offset alone.
    nonlinearity : sequence of float
        See :func:`linearised`.

    Returns
    -------
    Background

    Raises
    ------
    BadCase
        When there are lamp-off frames and none has the frame's integration time.

    Examples
    --------
    >>> nm = np.arange(500.0, 532.0)
    >>> lit = Spectrum(nm * 0 + 700.0, nm, 405.0, 20.0, dark=nm * 0 + 100.0)
    >>> off = Spectrum(nm * 0 + 130.0, nm, None, 20.0)
    >>> found = background(lit, [off, off])
    >>> float(found.offset[0]), float(found.ambient[0]), float(found.variance[0])
    (100.0, 30.0, 15.0)
    """
    offs = matching(lamp_off, frame) if lamp_off else ()
    if not offs:
        return _dark_only(frame)
    raw = np.array([each.counts for each in offs])
    offset = _offset(frame, offs, raw)
    light = linearised(raw - offset, nonlinearity)
    extra = _dark_noise(light, offs[0])
    spread = np.array([variance(row, each.averages, each.detector, extra) for row, each in zip(light, offs, strict=True)])
    return Background(offset, light.mean(axis=0), spread.sum(axis=0) / len(offs) ** 2, len(offs), extra)


def net(frame: Spectrum, behind: Background, nonlinearity: Sequence[float] = ()) -> tuple[Floats, Floats]:
    """Return the counts of fluorescence in a frame, and their variance.

    Parameters
    ----------
    frame : Spectrum
    behind : Background
    nonlinearity : sequence of float

    Returns
    -------
    counts, variance : ndarray, shape (n,)
        A negative count is noise and stays. The variance is that of this frame alone: the background's own is shared by all repeats and
        is added once, after their mean.

    Examples
    --------
    >>> nm = np.arange(500.0, 502.0)
    >>> lit = Spectrum(nm * 0 + 700.0, nm, 405.0, 20.0, dark=nm * 0 + 100.0)
    >>> counts, spread = net(lit, background(lit))
    >>> float(counts[0]), float(spread[0])
    (600.0, 600.0)
    """
    light = linearised(frame.counts - behind.offset, nonlinearity)
    return light - behind.ambient, variance(light, frame.averages, frame.detector, behind.dark_noise)


def linearised(counts: npt.ArrayLike, coefficients: Sequence[float]) -> Floats:
    """Return counts divided by the detector's nonlinearity polynomial.

    Parameters
    ----------
    counts : array, shape (..., n)
        Raw counts less the electronic offset.
    coefficients : sequence of float
        c0, c1, ... of ``P(counts)``, as spectrometers store them; empty leaves the counts as they are.

    Returns
    -------
    ndarray, shape (..., n)

    Raises
    ------
    BadSetting
        For a polynomial that leaves 0.5 to 1.5 within the counts at hand: it belongs to another detector.

    Examples
    --------
    >>> linearised([1000.0, 2000.0], (1.0, -1e-5)).round(2).tolist()
    [1010.1, 2040.82]
    """
    values = np.asarray(counts, dtype=np.float64)
    if not len(coefficients):
        return values
    share = np.polynomial.polynomial.polyval(values, np.asarray(coefficients, dtype=np.float64))
    if not (share.min() >= 0.5 and share.max() <= 1.5):
        raise BadSetting(
            f"The nonlinearity polynomial is {share.min():.3g} to {share.max():.3g} over the counts measured; it should stay near 1: "
            "give the coefficients of this spectrometer, constant term first.",
            item="nonlinearity",
        )
    return np.asarray(values / share)


def flicker(lamp_off: Sequence[Spectrum], window: slice = slice(None)) -> Flicker | None:
    """Return whether lamp-off frames of one integration time agree within their noise; None for fewer than two.

    Parameters
    ----------
    lamp_off : sequence of Spectrum
    window : slice
        The pixels to compare.

    Returns
    -------
    Flicker or None

    Examples
    --------
    >>> nm = np.arange(500.0, 600.0)
    >>> off = [Spectrum(nm * 0 + level, nm, None, 20.0, dark=nm * 0) for level in (100.0, 160.0)]
    >>> flicker(off).agree, round(flicker(off).chi2, 2)
    (False, 13.85)
    """
    if len(lamp_off) < 2:
        return None
    raw = np.array([each.counts for each in lamp_off])
    light = raw - _offset(lamp_off[0], lamp_off, raw)
    extra = _dark_noise(light, lamp_off[0])
    noise = float(np.mean([variance(light.mean(axis=0), each.averages, each.detector, extra)[window].mean() for each in lamp_off]))
    between = float(light[:, window].var(axis=0, ddof=1).mean())
    limit = 1.0 + _OWN_NOISE + _SIGMAS * float(np.sqrt(2.0 / light[1:, window].size))
    chi2 = between / noise
    return Flicker(chi2, limit, float(np.sqrt(max(between - noise, 0.0))), chi2 <= limit)


def ambient_left(counts: Floats, spread: Floats, ambient: Floats, doubt: Floats) -> tuple[float, float]:
    """Return how much of the ambient light is left in net counts: its share and the standard error of that.

    Lines of lamps are narrow and fluorescence is broad. Both spectra lose what is broader than 11 pixels' mean, and what remains of the
    ambient, where it stands out of its noise, is sought in what remains of the counts by weighted least squares. The noise of the
    ambient stands in both, with opposite signs, since it was taken away; what that does to the sums on average is put right.

    Parameters
    ----------
    counts, spread, ambient, doubt : ndarray, shape (n,)
        Net counts and their variance, the ambient light that was taken away and its variance.

    Returns
    -------
    share, se : float
        0 where all was taken away, negative where too much was; ``nan`` where the ambient has no line to go by.

    Examples
    --------
    >>> line = np.zeros(200)
    >>> line[100] = 1000.0
    >>> share, se = ambient_left(50.0 + 0.2 * line, np.full(200, 50.0), line, np.zeros(200))
    >>> round(share, 3), se < 0.01
    (0.2, True)
    """
    rough, sought = _rough(counts), _rough(ambient)
    line = sought > _SIGMAS * np.sqrt(doubt)
    if not line.any():
        return float("nan"), float("nan")
    weight = line / spread
    shared, power = float(weight @ doubt), float(weight @ sought**2)
    known = power - shared
    return (float(weight @ (sought * rough)) + shared) / known, float(np.sqrt(power)) / known


def _rough(values: Floats, broad: int = 11) -> Floats:
    """Return what is narrower than `broad` pixels: values less their running mean; the ends, which have none, are 0."""
    half = broad // 2
    total = np.concatenate([[0.0], np.cumsum(values)])
    rough = np.zeros_like(values)
    rough[half:-half] = values[half:-half] - (total[broad:] - total[:-broad]) / broad
    return rough


def _dark_only(frame: Spectrum) -> Background:
    nothing = np.zeros_like(frame.counts)
    if frame.dark is None:
        return Background(nothing, nothing, nothing, 0)
    extra = _dark_noise((frame.dark - frame.dark.mean())[None], frame)
    return Background(frame.dark, nothing, variance(nothing, frame.averages, frame.detector, extra), 0, extra)


def _dark_noise(light: Floats, frame: Spectrum) -> float:
    """Return the variance of one frame without light beyond its read noise, from neighbouring pixels of the difference of two frames.

    Of one frame alone, from its neighbouring pixels: what differs between pixels for good is then counted as noise.
    """
    steps = np.diff(light[0] - light[1]) / 2.0 if len(light) > 1 else np.diff(light[0]) / np.sqrt(2.0)
    measured = (_MAD_TO_SD * float(np.median(np.abs(steps - np.median(steps))))) ** 2
    known = read_noise_of(frame.detector) ** 2 + gain_of(frame.detector) * max(float(np.median(light)), 0.0)
    return max(measured - known / frame.averages, 0.0)


def _offset(frame: Spectrum, offs: Sequence[Spectrum], raw: Floats) -> Floats:
    """Return counts without light: the dark frame of the frame or of a lamp-off frame, else what the darkest pixels show."""
    for each in (frame, *offs):
        if each.dark is not None:
            return each.dark
    mean = raw.mean(axis=0)
    together = min(_TOGETHER, len(mean))
    blocks = np.sort(mean[: len(mean) // together * together].reshape(-1, together).mean(axis=1))
    return np.full_like(mean, blocks[: max(int(_DARKEST * len(blocks)), 1)].mean())


__all__ = ["Background", "Flicker", "ambient_left", "background", "flicker", "linearised", "net"]
