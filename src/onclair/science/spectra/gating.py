"""Which numbers of a point each gate is asked with: those of the measurement, and those of the fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.science.spectra.averaging import Row
from onclair.science.spectra.calibrate import Flicker, ambient_left
from onclair.science.spectra.prepared import Gate, Prepared
from onclair.science.spectra.preparing import Preparing
from onclair.science.spectra.quality import (
    Thresholds,
    ambient_gate,
    bleaching_gate,
    blood_gate,
    contact_gate,
    excitation_gate,
    fit_gate,
    fitted_blood_gate,
    flicker_gate,
    lamp_gate,
    saturation_gate,
    shift_gate,
    snr_gate,
)
from onclair.science.spectra.signals import RED_NM, band, blood_absorbance, misfit, nadh_order, peak_snr, total_snr
from onclair.science.spectra.unmix import Unmixed

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A point on its way through the chain.

    Attributes
    ----------
    wavelength : ndarray, shape (n,)
    counts, variance : ndarray, shape (e, n)
    excitation : ndarray, shape (e,)
    white : ndarray, shape (n,), or None
        White light per ms at power 1.
    reflectance : ndarray, shape (n,), or None
    """

    wavelength: Floats
    counts: Floats
    variance: Floats
    excitation: Floats
    white: Floats | None
    reflectance: Floats | None


def gates_of(rows: Sequence[Row], seen: Seen, how: Preparing, window: slice) -> tuple[Gate, ...]:
    """Return ``saturated lamp_off no_contact blood_flood ambient snr bleaching flicker swapped_excitation``, the gates of a measurement.

    Parameters
    ----------
    rows : sequence of Row
    seen : Seen
    how : Preparing
    window : slice
    """
    most, nm = how.thresholds, seen.wavelength[window]
    counts, spread = seen.counts[:, window], seen.variance[:, window]
    levels = [_level(row.counts[window]) for row in rows]
    full = [row.full for row in rows if row.full is not None]
    lamp = [total_snr(row.counts[window], row.variance[window], row.doubt) for row in rows]
    peaks = [peak_snr(nm, *pair) for pair in zip(counts, spread, strict=True)]
    flickering = [(row.flicker, level) for row, level in zip(rows, levels, strict=True) if row.flicker is not None]
    worst: tuple[Flicker | None, float] = max(flickering, key=lambda each: each[0].excess / max(each[1], 1.0), default=(None, 1.0))
    reflected = None if seen.reflectance is None else blood_absorbance(seen.wavelength, seen.reflectance)
    return (
        saturation_gate(sum(full) if full else None, most.saturated_pixels),
        lamp_gate(min(lamp), most.lamp_off_snr),
        contact_gate(*_contact(seen, rows, how), (most.contact_share, most.reflected_share, most.fluorescence_share)),
        blood_gate(reflected, most.blood_absorbance),
        ambient_gate(*_ambient(rows, levels, window), (most.ambient_share, most.ambient_left)),
        snr_gate(min(peaks), most.snr),
        bleaching_gate([row.change for row in rows if row.change is not None], most.bleaching),
        flicker_gate(worst[0], worst[1], most.flicker),
        excitation_gate(nadh_order(nm, counts, spread, seen.excitation), most.excitation_order),
    )


def _level(counts: Floats) -> float:
    """Return the mean of the counts that there are; 0 where every pixel is full."""
    good = counts[np.isfinite(counts)]
    return float(good.mean()) if good.size else 0.0


def _contact(seen: Seen, rows: Sequence[Row], how: Preparing) -> tuple[float | None, float | None, float | None]:
    """Return white light as shares of what is usual and of the standard's, and fluorescence as a share of what is usual."""
    white = reflected = light = None
    if seen.reflectance is not None and how.white_standard is not None:
        share = band(seen.wavelength, seen.reflectance, RED_NM)
        reflected = share if np.isfinite(share) else None
    if seen.white is not None and how.usual.white:
        white = band(seen.wavelength, seen.white, RED_NM) / how.usual.white
    if how.usual.fluorescence:
        each = np.array([row.frame.integration_ms * row.frame.power_relative for row in rows])
        light = brightest(seen.wavelength, seen.counts / each[:, None], how) / how.usual.fluorescence
    return white, reflected, light


def brightest(wavelength: Floats, rate: Floats, how: Preparing) -> float:
    """Return the mean of the brightest excitation over the window.

    Examples
    --------
    >>> brightest(np.arange(400.0, 740.0), np.array([[3.0], [5.0]]) * np.ones(340), Preparing())
    5.0
    """
    return max((level for level in (band(wavelength, row, how.window_nm) for row in rate) if np.isfinite(level)), default=0.0)


def _ambient(rows: Sequence[Row], levels: Sequence[float], window: slice) -> tuple[float | None, tuple[float, float] | None]:
    """Return the ambient share of the light, and how much is left of it as a share of the fluorescence: the worst excitation's."""
    shares, left = [], []
    for row, level in zip(rows, levels, strict=True):
        if not row.behind.frames:
            continue
        ambient = float(row.behind.ambient[window].mean())
        shares.append(max(ambient, 0.0) / max(max(ambient, 0.0) + level, 1e-9))
        good = np.where(np.isfinite(row.counts), row.counts, 0.0)
        taken = (row.behind.ambient[window], row.behind.variance[window])
        share, se = ambient_left(good[window], row.variance[window], *taken)
        if np.isfinite(share) and level > 0:
            left.append((share * ambient / level, se * abs(ambient) / level))
    return max(shares, default=None), max(left, key=lambda each: abs(each[0]) - 3.0 * each[1], default=None)


def fit_gates(prepared: Prepared, unmixed: Unmixed, thresholds: Thresholds | None = None, usual_shift_nm: float = 0.0) -> tuple[Gate, ...]:
    """Return the gates of the fit: ``unexplained``, ``shift``, and ``blood_flood`` where blood was fitted and no white frame taken.

    A dye that nobody expects drags the shift along, a shift leaves little unexplained: the first that is closed is the cause.

    Parameters
    ----------
    prepared : Prepared
    unmixed : Unmixed
        Of `prepared`.
    thresholds : Thresholds, optional
    usual_shift_nm : float
        The instrument's own at its last calibration.

    Returns
    -------
    tuple of Gate
        To be added to those of `prepared`.

    Examples
    --------
    >>> from onclair.science.spectra.bases import basis
    >>> from onclair.science.spectra.prepared import prepared_from
    >>> from onclair.science.spectra.unmix import unmix
    >>> nm = np.arange(420.0, 731.0)
    >>> point = prepared_from(nm, [9000.0 * basis("FAD", nm, 2.4) + 4000.0 * basis("PpIX634", nm, 2.4)], [405.0])
    >>> [gate.name for gate in fit_gates(point, unmix(point)) if not gate.passed]
    ['shift']
    """
    most = thresholds or Thresholds()
    left = misfit(prepared, unmixed.residual)
    gates = [
        fit_gate(left, unmixed.chi2, (most.unexplained, most.chi2)),
        shift_gate(unmixed.shift_nm.value, unmixed.status, most.shift_nm, usual_shift_nm),
    ]
    blood = unmixed.blood.get("fraction")
    if blood is not None and prepared.reflectance is None:
        gates.append(fitted_blood_gate(blood.low, most.blood_fraction))
    return tuple(gates)
