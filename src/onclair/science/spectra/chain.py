"""The chain: from the frames of one point to net counts with their variance, and the gates that say whether to believe them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from onclair.core.values import Measurement
from onclair.science.spectra.averaging import Row, rows_of, without_spikes
from onclair.science.spectra.calibrate import Background, background, net
from onclair.science.spectra.gating import Seen, brightest, fit_gates, gates_of
from onclair.science.spectra.noise import gain_of
from onclair.science.spectra.prepared import Gate, Prepared, prepared_from
from onclair.science.spectra.preparing import Preparing, Usual
from onclair.science.spectra.record import checked, same_time
from onclair.science.spectra.response import corrected
from onclair.science.spectra.signals import RED_NM, band
from onclair.science.spectra.standard import WhiteStandard, stray_of, white_standard_of
from onclair.science.spectra.wavelengths import with_correction

Floats = npt.NDArray[np.float64]


def prepare(measurement: Measurement, how: Preparing | None = None) -> Prepared:
    """Return net counts, their variance and the gates of one point.

    Dark and ambient light are taken away by the interleaved lamp-off frames of the same integration time, the detector is linearised,
    spikes are left out, repeats of one excitation are averaged, the instrument's colour is removed where the settings or a certified white
    standard tell it, and every source of noise is carried into the variance.

    Parameters
    ----------
    measurement : Measurement
    how : Preparing, optional

    Returns
    -------
    Prepared
        One row an excitation, in the order of the frames; frames that differ in integration time or power have rows of their own. A pixel
        that is saturated or spiked in all repeats is NaN.

    Raises
    ------
    BadCase
        For what :func:`~onclair.science.spectra.record.checked` refuses. A saturated pixel is a gate here; a file's is refused by
        :func:`~onclair.science.spectra.record.refuse_saturated`.

    Examples
    --------
    >>> from onclair.core.values import Spectrum
    >>> nm = np.arange(400.0, 740.0)
    >>> lit = Spectrum(nm * 0 + 900.0, nm, 405.0, 20.0, frame="lit")
    >>> off = Spectrum(nm * 0 + 100.0, nm, None, 20.0, frame="off")
    >>> point = prepare(Measurement((lit, lit), lamp_off=(off,)))
    >>> float(point.counts[0, 0]), float(point.averages[0]), point.passed
    (800.0, 2.0, True)
    """
    how = how or Preparing()
    at_hand = measurement.frames[0].wavelength_nm
    wavelength = with_correction(at_hand, how.wavelength_correction) if how.wavelength_correction else at_hand
    window = checked(measurement, wavelength, how.window_nm)
    standard = white_standard_of(measurement, how.nonlinearity, window)
    how = with_standard(how, standard)
    mended = without_spikes(measurement)
    rows = rows_of(mended, how.nonlinearity, window)
    counts, spread, slope = _stacked(rows, how)
    excitation = np.array([float(row.frame.excitation_nm or 0.0) for row in rows])
    white, told = _white(mended, how)
    reflectance = None if white is None else _reflectance(white, how)
    return Prepared(
        wavelength_nm=wavelength,
        counts=counts,
        variance=spread,
        excitation_nm=excitation,
        integration_ms=np.array([row.frame.integration_ms for row in rows]),
        power_relative=np.array([row.frame.power_relative for row in rows]),
        reflectance=reflectance,
        gates=gates_of(rows, Seen(wavelength, counts, spread, excitation, white, reflectance), how, window),
        warnings=(*_warnings(measurement, rows), *told),
        averages=np.array([float(row.frame.averages * row.repeats) for row in rows]),
        count_variance=slope,
        stray=stray_of(standard, excitation, how.response),
    )


def with_standard(how: Preparing, standard: WhiteStandard | None) -> Preparing:
    """Return the settings with what the white standard of the measurement tells; what they say themselves comes first.

    Examples
    --------
    >>> with_standard(Preparing(), WhiteStandard(np.array([5.0]), None, {})).white_standard
    array([5.])
    """
    if standard is None:
        return how
    white = standard.white if how.white_standard is None else how.white_standard
    return replace(how, white_standard=white, response=standard.response if how.response is None else how.response)


def usual_of(points: Sequence[Measurement], how: Preparing | None = None) -> Usual:
    """Return what usually comes back in contact: the medians over good points of one instrument.

    Parameters
    ----------
    points : sequence of Measurement
        Taken in contact, with one probe.
    how : Preparing, optional

    Examples
    --------
    >>> from onclair.core.values import Spectrum
    >>> nm = np.arange(400.0, 740.0)
    >>> usual_of([Measurement((Spectrum(nm * 0 + 900.0, nm, 405.0, 20.0),))])
    Usual(white=None, fluorescence=45.0)
    """
    how = how or Preparing()
    white, light = [], []
    for each in points:
        found, _ = _white(each, how)
        if found is not None:
            white.append(band(each.white[0].wavelength_nm, found, RED_NM))
        prepared = prepare(each, how)
        light.append(brightest(prepared.wavelength_nm, prepared.counts / (prepared.integration_ms * prepared.power_relative)[:, None], how))
    return Usual(float(np.median(white)) if white else None, float(np.median(light)) if light else None)


def _stacked(rows: Sequence[Row], how: Preparing) -> tuple[Floats, Floats, Floats]:
    """Return counts, variance and what one count adds to it, without the instrument's colour where that is known."""
    counts, spread = np.array([row.counts for row in rows]), np.array([row.variance for row in rows])
    gains = np.array([gain_of(row.frame.detector) / (row.frame.averages * row.repeats) for row in rows])
    slope = np.repeat(gains[:, None], counts.shape[1], axis=1)
    if how.response is None:
        return counts, spread, slope
    counts, spread = corrected(counts, spread, how.response)
    return counts, spread, slope / np.where(np.isfinite(how.response.value), how.response.value, 1.0)


def _white(measurement: Measurement, how: Preparing) -> tuple[Floats | None, tuple[Mapping[str, str], ...]]:
    """Return white light per ms at power 1, the mean of the white frames, and what to warn of."""
    if not measurement.white:
        return None, ()
    rows, told = [], []
    for frame in measurement.white:
        offs = [each for each in measurement.lamp_off if same_time(each, frame)]
        behind = background(frame, offs, how.nonlinearity)
        if not offs and frame.dark is None and measurement.lamp_off:
            first = background(measurement.lamp_off[0], measurement.lamp_off, how.nonlinearity)
            behind = Background(first.offset, np.zeros_like(first.offset), first.variance, 0)
            time = f"{frame.integration_ms:g}"
            text = f"no lamp-off frame has the {time} ms of the white frame: room light is still in the reflectance"
            told.append(_warned("white_ambient", text))
        rows.append(net(frame, behind, how.nonlinearity)[0] / (frame.integration_ms * frame.power_relative))
    if how.white_standard is None:
        text = "there is no white standard: the white light is taken to have no colour of its own"
        told.append(_warned("no_white_standard", text))
    return np.mean(rows, axis=0), tuple({each["code"]: each for each in told}.values())


def _reflectance(white: Floats, how: Preparing) -> Floats:
    """Return the white light over that of the standard; without one, over its own largest value."""
    if how.white_standard is None:
        return white / max(float(white.max()), 1e-300)
    return np.divide(white, how.white_standard, out=np.full_like(white, np.nan), where=how.white_standard > 0)


def _warnings(measurement: Measurement, rows: Sequence[Row]) -> list[Mapping[str, str]]:
    told: list[Mapping[str, str]] = []
    if not measurement.lamp_off and any(frame.dark is not None for frame in measurement.frames):
        told.append(_warned("no_lamp_off", "there is no lamp-off frame: the light of the room is still in the counts"))
    if any(row.frame.detector.read_noise_counts is None or row.frame.detector.gain_counts_per_electron is None for row in rows):
        text = "read noise or gain of the detector is not known: no read noise and one electron a count are assumed"
        told.append(_warned("noise_assumed", text))
    if any(row.flicker is not None and not row.flicker.agree for row in rows):
        told.append(_warned("flicker", "lamp-off frames differ by more than their noise: the variance was widened by it"))
    return told


def _warned(code: str, text: str) -> Mapping[str, str]:
    return {"code": code, "text": f"{text[:1].upper()}{text[1:]}."}


__all__ = ["Gate", "Prepared", "Preparing", "Usual", "fit_gates", "prepare", "prepared_from", "usual_of"]
