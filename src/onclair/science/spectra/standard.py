"""What the white standard tells of an instrument: its colour, its white light, and the excitation that leaks past its filter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase
from onclair.core.values import Measurement, Spectrum
from onclair.science.spectra.averaging import Row, rows_of, without_spikes
from onclair.science.spectra.calibrate import background, net
from onclair.science.spectra.response import Response, response_from

Floats = npt.NDArray[np.float64]

#: Two excitations this near are one.
_SAME_NM = 0.5
#: Leaking light counts where it stands out of its noise by so much, over the window together.
_SEEN = 5.0
#: It is smoothed over so many nm: no lamp's flank is steeper, and its noise would stand in every fit.
_SMOOTH_NM = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class WhiteStandard:
    """What was measured on the white standard.

    Attributes
    ----------
    white : ndarray, shape (n,), or None
        Net counts per ms at power 1; None where no white light was shone on it.
    response : Response or None
        The instrument's colour, relative to its mean over the window; None without a certificate of the light's own colour.
    stray : mapping of float to ndarray, shape (n,)
        Excitation -> what leaks past the filter, net counts per ms at power 1; those that nothing leaks of are left out.
    """

    white: Floats | None
    response: Response | None
    stray: dict[float, Floats]


def white_standard_of(measurement: Measurement, nonlinearity: tuple[float, ...], window: slice) -> WhiteStandard | None:
    """Return what the standard of a measurement tells; None where it has none.

    Parameters
    ----------
    measurement : Measurement
        Whose ``standard`` lies on the same pixels; its dark and ambient light are taken away as those of any frame are.
    nonlinearity : tuple of float
        See :func:`~onclair.science.spectra.calibrate.linearised`.
    window : slice
        The pixels that the colour is told relative to, and leaking light is sought in.

    Raises
    ------
    BadCase
        For a standard on other pixels, of a certificate that does not fit them, with a saturated white frame, or one too dim to divide by.

    Examples
    --------
    >>> nm = np.arange(420.0, 520.0)
    >>> white, off = (Spectrum(level + 0.0 * nm, nm, None, 20.0) for level in (900.0, 100.0))
    >>> lit = Spectrum(100.0 + 0.0 * nm, nm, 405.0, 20.0)
    >>> point = Measurement((lit,), (off,), standard=Measurement((lit,), (off,), (white,), certificate=0.0 * nm + 1.0))
    >>> found = white_standard_of(point, (), slice(0, 100))
    >>> float(found.white[0]), float(found.response.value[0]), found.stray
    (40.0, 1.0, {})
    """
    if measurement.standard is None:
        return None
    standard = without_spikes(measurement.standard)
    _checked(standard, measurement.frames[0])
    light, spread = _white(standard, nonlinearity)
    response = None
    if light is not None and standard.certificate is not None:
        found = response_from(light, spread, standard.certificate)
        level = float(np.nanmean(found.value[window])) if np.isfinite(found.value[window]).any() else 1.0
        response = Response(found.value / level, found.relative_error)
    return WhiteStandard(light, response, _stray(standard, nonlinearity, window))


def stray_of(standard: WhiteStandard | None, excitation_nm: Floats, response: Response | None) -> Floats | None:
    """Return the leaking light of each row, the instrument's colour taken away as it is from the counts; None where there is none.

    Examples
    --------
    >>> known = WhiteStandard(None, None, {405.0: np.array([2.0, 1.0])})
    >>> stray_of(known, np.array([385.0, 405.0]), None)
    array([[0., 0.],
           [2., 1.]])
    """
    if standard is None or not standard.stray:
        return None
    pixels = len(next(iter(standard.stray.values())))
    rows = np.array([_of(standard.stray, float(at), pixels) for at in excitation_nm])
    if response is not None:
        rows = rows / np.where(np.isfinite(response.value), response.value, 1.0)
    return rows if rows.any() else None


def _of(stray: dict[float, Floats], excitation_nm: float, pixels: int) -> Floats:
    return next((row for at, row in stray.items() if abs(at - excitation_nm) <= _SAME_NM), np.zeros(pixels))


def _checked(standard: Measurement, frame: Spectrum) -> None:
    for each in (*standard.frames, *standard.lamp_off, *standard.white):
        if not np.array_equal(each.wavelength_nm, frame.wavelength_nm):
            raise BadCase(
                f"The white standard's frame '{each.frame}' has {each.counts.size} pixels and the point's '{frame.frame}' "
                f"{frame.counts.size}, or other wavelengths; measure the standard with the spectrometer of the points.",
                item=each.frame,
            )
    for each in standard.white:
        limit = each.detector.saturation_counts
        if limit is not None and (each.counts >= limit).any():
            full = int((each.counts >= limit).sum())
            raise BadCase(
                f"The white standard's frame '{each.frame}' has {full} saturated pixels; shorten the integration time and measure again.",
                item=each.frame,
            )
    known = standard.certificate
    if known is not None and (known.shape != frame.counts.shape or not (np.isfinite(known) & (known > 0)).all()):
        raise BadCase(
            f"The certificate of the white standard has {known.size} values for {frame.counts.size} pixels, or one that is not positive; "
            "give the colour of its light at each pixel.",
            item="certificate",
        )


def _white(standard: Measurement, nonlinearity: tuple[float, ...]) -> tuple[Floats | None, Floats]:
    """Return white light per ms at power 1, the mean of the frames, and its variance."""
    if not standard.white:
        return None, np.zeros(0)
    rows, spreads = [], []
    for frame in standard.white:
        behind = background(frame, standard.lamp_off, nonlinearity)
        counts, spread = net(frame, behind, nonlinearity)
        light = frame.integration_ms * frame.power_relative
        rows.append(counts / light)
        spreads.append((spread / len(standard.white) + behind.variance) / light**2)
    return np.mean(rows, axis=0), np.mean(spreads, axis=0)


def _stray(standard: Measurement, nonlinearity: tuple[float, ...], window: slice) -> dict[float, Floats]:
    return {
        float(row.frame.excitation_nm or 0.0): _smoothed(row) for row in rows_of(standard, nonlinearity, window) if _stands_out(row, window)
    }


def _stands_out(row: Row, window: slice) -> bool:
    counts, spread = row.counts[window], row.variance[window]
    good = np.isfinite(counts)
    return bool(counts[good].sum() > _SEEN * np.sqrt(spread[good].sum() + row.doubt**2))


def _smoothed(row: Row) -> Floats:
    """Return leaking light per ms at power 1, over a few pixels together, and never below 0."""
    at = row.frame.wavelength_nm
    good = np.isfinite(row.counts)
    counts = np.interp(at, at[good], row.counts[good])
    width = max(round(_SMOOTH_NM / float(np.median(np.diff(at)))), 1) // 2 * 2 + 1
    padded = np.pad(counts, width // 2, mode="edge")
    smooth = np.convolve(padded, np.full(width, 1.0 / width), mode="valid")
    return np.asarray(np.maximum(smooth, 0.0) / (row.frame.integration_ms * row.frame.power_relative))


__all__ = ["WhiteStandard", "stray_of", "white_standard_of"]
