"""What a measurement must be before anything is computed from it; each refusal names the frame and says what to do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.core.values import Measurement, Spectrum

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: The window of the fit must hold at least as many pixels.
FEWEST_PIXELS = 50
#: Two integration times are one when they differ by less than this share: instruments round to a microsecond.
SAME_TIME = 1e-4


def checked(measurement: Measurement, wavelength_nm: Floats, window_nm: tuple[float, float]) -> slice:
    """Return the pixels of the window, after every check that does not need the counts.

    Parameters
    ----------
    measurement : Measurement
        Each frame's own wavelengths are checked when it is made (finite, rising, 150 to 2600 nm).
    wavelength_nm : ndarray, shape (n,)
        Of all frames, calibrated.
    window_nm : tuple of float

    Returns
    -------
    slice

    Raises
    ------
    BadCase
        For an excited frame without excitation, frames on different wavelengths, fewer than 50 pixels in the window, or lamp-off frames
        none of which has the integration time of an excited frame.

    Examples
    --------
    >>> nm = np.arange(400.0, 500.0)
    >>> checked(Measurement((Spectrum(nm, nm, 405.0, 20.0),)), nm, (420.0, 480.0))
    slice(20, 81, None)
    """
    first = measurement.frames[0]
    for frame in measurement.frames:
        if frame.excitation_nm is None:
            raise BadCase(f"{named(frame)} has no excitation; give excitation_nm, or call the frame lamp_off or white.", item=frame.frame)
    for frame in (*measurement.frames, *measurement.lamp_off, *measurement.white):
        _same_pixels(frame, first)
    if measurement.lamp_off:
        for frame in measurement.frames:
            matching(measurement.lamp_off, frame)
    return window_of(wavelength_nm, window_nm)


def window_of(wavelength_nm: Floats, window_nm: tuple[float, float]) -> slice:
    """Return the pixels from the first to the last wavelength of a window, both included.

    Raises
    ------
    BadCase
        For fewer than 50 pixels.

    Examples
    --------
    >>> window_of(np.arange(400.0, 500.0), (400.0, 449.0))
    slice(0, 50, None)
    """
    low, high = window_nm
    first, last = np.searchsorted(wavelength_nm, [low - 1e-9, high + 1e-9])
    if last - first < FEWEST_PIXELS:
        seen = f"{wavelength_nm[0]:g} to {wavelength_nm[-1]:g} nm"
        sentence = f"The fit window, {low:g} to {high:g} nm, holds {last - first} pixels of a spectrum over {seen}"
        raise BadCase(f"{sentence}; at least {FEWEST_PIXELS} are needed: widen the window or measure over it.", item="wavelength_nm")
    return slice(int(first), int(last))


def matching(lamp_off: Iterable[Spectrum], frame: Spectrum) -> tuple[Spectrum, ...]:
    """Return the lamp-off frames of the same integration time as a frame.

    Raises
    ------
    BadCase
        When none has it: dark current and ambient light go by the time, and are never scaled silently.

    Examples
    --------
    >>> nm = np.array([500.0, 501.0])
    >>> off, lit = Spectrum(nm, nm, None, 20.0, frame="off"), Spectrum(nm, nm, 405.0, 20.0)
    >>> [each.frame for each in matching([off, Spectrum(nm, nm, None, 40.0)], lit)]
    ['off']
    """
    found = tuple(lamp_off)
    kept = tuple(each for each in found if same_time(each, frame))
    if not kept:
        times = ", ".join(f"{each:g}" for each in sorted({each.integration_ms for each in found}))
        raise BadCase(
            f"{named(frame)} was taken in {frame.integration_ms:g} ms and its lamp-off frames in {times} ms; take one in the same time.",
            item=frame.frame,
        )
    return kept


def same_time(one: Spectrum, other: Spectrum) -> bool:
    """Return whether two frames have the same integration time, to one part in ten thousand.

    Examples
    --------
    >>> nm = np.array([500.0, 501.0])
    >>> same_time(Spectrum(nm, nm, None, 20.0), Spectrum(nm, nm, None, 20.0005))
    True
    """
    return abs(one.integration_ms - other.integration_ms) <= SAME_TIME * max(one.integration_ms, other.integration_ms)


def saturated(frame: Spectrum) -> Bools:
    """Return the pixels that tell nothing because they are full; none where the detector's limit is not known.

    Examples
    --------
    >>> from onclair.core.values import Detector
    >>> saturated(Spectrum(np.array([5.0, 9.0]), np.array([500.0, 501.0]), 405.0, 20.0, detector=Detector(9.0)))
    array([False,  True])
    """
    limit = frame.detector.saturation_counts
    if limit is None:
        return np.zeros(frame.counts.shape, dtype=bool)
    return np.asarray(frame.counts >= limit)


def refuse_saturated(measurement: Measurement, window_nm: tuple[float, float]) -> None:
    """Refuse a measurement with a saturated pixel inside the window: for files, where nobody can measure again at once.

    Raises
    ------
    BadCase
        Naming the frame, the first pixel, its counts and the limit. Live, the gate ``saturated`` blanks the answer instead.

    Examples
    --------
    >>> nm = np.arange(420.0, 480.0)
    >>> refuse_saturated(Measurement((Spectrum(nm, nm, 405.0, 20.0),)), (420.0, 480.0))
    """
    for frame in measurement.frames:
        window = window_of(frame.wavelength_nm, window_nm)
        full = np.flatnonzero(saturated(frame)[window])
        if full.size:
            pixel = window.start + int(full[0])
            raise BadCase(
                f"{named(frame)} has {full.size} saturated pixels inside {window_nm[0]:g} to {window_nm[1]:g} nm, the first at "
                f"{frame.wavelength_nm[pixel]:.1f} nm with {frame.counts[pixel]:g} counts of {frame.detector.saturation_counts:g}; "
                "shorten the integration time and measure again.",
                item=frame.frame,
            )


def named(frame: Spectrum) -> str:
    """Return what to call a frame at the start of a sentence.

    Examples
    --------
    >>> named(Spectrum(np.ones(2), np.array([500.0, 501.0]), 405.0, 20.0, frame="P3_405"))
    "The frame 'P3_405'"
    """
    if frame.frame:
        return f"The frame '{frame.frame}'"
    return "A frame without a name" if frame.excitation_nm is None else f"The frame excited at {frame.excitation_nm:g} nm"


def _same_pixels(frame: Spectrum, first: Spectrum) -> None:
    if frame.wavelength_nm is first.wavelength_nm or np.array_equal(frame.wavelength_nm, first.wavelength_nm):
        return
    if frame.counts.shape != first.counts.shape:
        found = f"has {frame.counts.size} pixels and {named(first).lower()} {first.counts.size}"
    else:
        found = "lies on other wavelengths than the first"
    raise BadCase(f"{named(frame)} {found}; take all frames of a point with the same spectrometer and settings.", item=frame.frame)
