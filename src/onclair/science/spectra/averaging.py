"""The repeats of one excitation become one row: spikes and saturated pixels left out, noise carried along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.core.values import Measurement, Spectrum
from onclair.science.spectra.calibrate import Background, Flicker, background, flicker, net
from onclair.science.spectra.despike import despiked, spikes, spikes_among
from onclair.science.spectra.record import matching, saturated
from onclair.science.spectra.signals import Change, bleached

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Where flicker was not measured, ambient light is trusted to this share.
AMBIENT_DOUBT = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One excitation: its mean, and what the gates ask of it.

    Attributes
    ----------
    frame : Spectrum
        The first of the repeats.
    repeats : int
    counts, variance : ndarray, shape (n,)
    behind : Background
    full : int or None
        Saturated pixels inside the window; None where the detector's limit is not known.
    change : Change or None
        Light lost a frame.
    flicker : Flicker or None
    doubt : float
        Standard deviation of all counts of the window that ambient light gives them, counts.
    """

    frame: Spectrum
    repeats: int
    counts: Floats
    variance: Floats
    behind: Background
    full: int | None
    change: Change | None
    flicker: Flicker | None
    doubt: float


def rows_of(measurement: Measurement, nonlinearity: Sequence[float], window: slice) -> tuple[Row, ...]:
    """Return one row an excitation, in the order of the frames; frames of another integration time or power have rows of their own.

    Parameters
    ----------
    measurement : Measurement
        Without spikes in its lamp-off frames, see :func:`without_spikes`.
    nonlinearity : sequence of float
        See :func:`~onclair.science.spectra.calibrate.linearised`.
    window : slice
        The pixels that gates look at.

    Examples
    --------
    >>> nm = np.arange(500.0, 540.0)
    >>> lit = [Spectrum(nm * 0 + level, nm, 405.0, 20.0) for level in (100.0, 120.0)]
    >>> row, = rows_of(Measurement(tuple(lit)), (), slice(0, 40))
    >>> row.repeats, float(row.counts[0]), float(row.variance[0])
    (2, 110.0, 55.0)
    """
    return tuple(_row(frames, measurement, nonlinearity, window) for frames in _grouped(measurement.frames))


def without_spikes(measurement: Measurement) -> Measurement:
    """Return the measurement with the spikes of its lamp-off and white frames mended; excited frames stay as they are.

    Examples
    --------
    >>> nm = np.arange(500.0, 540.0)
    >>> off = Spectrum(np.where(nm == 520.0, 900.0, 100.0), nm, None, 20.0)
    >>> other, lit = Spectrum(nm * 0 + 100.0, nm, None, 20.0), Spectrum(nm, nm, 405.0, 20.0)
    >>> float(without_spikes(Measurement((lit,), (off, other))).lamp_off[0].counts[20])
    100.0
    """
    return replace(measurement, lamp_off=_mended(measurement.lamp_off), white=_mended(measurement.white))


def _grouped(frames: Sequence[Spectrum]) -> list[list[Spectrum]]:
    """Return the repeats of each excitation and settings, in the order of the frames."""
    groups: dict[tuple[float | None, float, float], list[Spectrum]] = {}
    for frame in frames:
        groups.setdefault((frame.excitation_nm, round(frame.integration_ms, 6), frame.power_relative), []).append(frame)
    return list(groups.values())


def _mended(frames: Sequence[Spectrum]) -> tuple[Spectrum, ...]:
    return tuple(frame for group in _grouped(frames) for frame in despiked(group))


def _row(frames: list[Spectrum], measurement: Measurement, nonlinearity: Sequence[float], window: slice) -> Row:
    behind = background(frames[0], measurement.lamp_off, nonlinearity)
    found = flicker(matching(measurement.lamp_off, frames[0]), window) if behind.frames else None
    pairs = [net(frame, behind, nonlinearity) for frame in frames]
    counts, spread = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    limited = [frame for frame in frames if frame.detector.saturation_counts is not None]
    full = np.array([saturated(frame) for frame in frames]) if limited else np.zeros(counts.shape, dtype=bool)
    bad = full | _spiked(counts, spread)
    mean, of_mean = _averaged(counts, spread, bad)
    level = float(behind.ambient[window].mean())
    share = found.excess / level if found is not None and not found.agree and level > 0 else 0.0
    doubt = max(share, AMBIENT_DOUBT) * max(level, 0.0) * (window.stop - window.start)
    totals = np.where(bad, mean, counts)[:, window]
    errors = np.sqrt(spread[:, window].sum(axis=1) + doubt**2)
    return Row(
        frame=frames[0],
        repeats=len(frames),
        counts=mean,
        variance=of_mean + behind.variance + (share * behind.ambient) ** 2 * (1.0 / len(frames) + 1.0 / max(behind.frames, 1)),
        behind=behind,
        full=int(full[:, window].any(axis=0).sum()) if limited else None,
        change=bleached(np.nansum(totals, axis=1), errors),
        flicker=found,
        doubt=doubt,
    )


def _spiked(counts: Floats, spread: Floats) -> Bools:
    noise = np.sqrt(spread)
    if len(counts) > 1:
        return spikes_among(counts, noise)
    return spikes(counts[0], noise[0])[None]


def _averaged(counts: Floats, spread: Floats, bad: Bools) -> tuple[Floats, Floats]:
    """Return the mean of the good repeats and its variance; NaN, with the variance of one, where none is good.

    Where one repeat is left out the others are brought to the level of all, since light bleaches from frame to frame.
    """
    if not bad.any():
        return counts.mean(axis=0), spread.sum(axis=0) / len(counts) ** 2
    level = np.where(bad, 0.0, counts).sum(axis=1) / np.maximum((~bad).sum(axis=1), 1)
    scale = level.mean() / level if (level > 0).all() else np.ones(len(counts))
    kept = (~bad).sum(axis=0)
    some = bad.any(axis=0)
    good = np.where(bad, 0.0, np.where(some, counts * scale[:, None], counts))
    mean = np.where(kept > 0, good.sum(axis=0) / np.maximum(kept, 1), np.nan)
    return mean, np.where(kept > 0, np.where(bad, 0.0, spread).sum(axis=0) / np.maximum(kept, 1) ** 2, spread[0])
