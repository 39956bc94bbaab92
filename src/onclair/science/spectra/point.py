"""One point from frames to a row for a model: the same steps in a cohort, at the bedside and in a replay."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from onclair.core.values import Measurement
from onclair.science.spectra.bases import Bases
from onclair.science.spectra.chain import fit_gates, prepare
from onclair.science.spectra.features import GRID_NM, LOG_RATIOS, area_normalised, features_of
from onclair.science.spectra.prepared import Gate, Prepared
from onclair.science.spectra.preparing import Preparing
from onclair.science.spectra.unmix import Unmixed, Unmixing, unmix

Floats = npt.NDArray[np.float64]
#: A frame counts as taken at an excitation that is this near.
NEAR_NM = 6.0
#: Where PpIX shows as a bump, and where the light beside it is taken.
BUMP_NM, BESIDE_NM, BLUE_GREEN_NM = (626.0, 642.0), ((596.0, 608.0), (658.0, 670.0)), (450.0, 590.0)


#: Every gate, in order: those of the frames, then those of the fit.
GATES = (
    *("saturated", "lamp_off", "no_contact", "blood_flood", "ambient", "snr", "bleaching", "flicker", "swapped_excitation"),
    *("shift", "unexplained"),
)
_TOLD = (*LOG_RATIOS, "sto2", "blood_fraction", "scattering_slope", "peak_nm", "shift_nm")


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """How points are measured: everything that the row depends on besides the frames.

    Attributes
    ----------
    preparing : Preparing
    unmixing : Unmixing
    own : mapping
        The user's own bases.
    excitations_nm : tuple of float
        What the spectrum's columns are told for; a frame within 6 nm of one stands for it.
    """

    preparing: Preparing = field(default_factory=Preparing)
    unmixing: Unmixing = field(default_factory=Unmixing)
    own: Bases = field(default_factory=dict)
    excitations_nm: tuple[float, ...] = (385.0, 405.0)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the steps made of one point.

    Attributes
    ----------
    prepared : Prepared
    unmixed : Unmixed or None
        None where the frames failed a gate: nothing is fitted to them.
    gates : tuple of Gate
        Of the frames and of the fit.
    row : mapping of str to float
        In an order that is always the same, :func:`columns`: features with ``_se``, the raw intensities ``ppix634`` and ``redness``, and
        the spectrum as ``spectrum:EXCITATION:NM``; NaN where they cannot be told.
    """

    prepared: Prepared
    unmixed: Unmixed | None
    gates: tuple[Gate, ...]
    row: Mapping[str, float]

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that were not passed, in order."""
        return tuple(gate for gate in self.gates if not gate.passed)


def measured(measurement: Measurement, how: Steps | None = None) -> Measured:
    """Prepare, unmix and describe one point.

    Parameters
    ----------
    measurement : Measurement
    how : Steps, optional

    Raises
    ------
    BadCase
        For frames that cannot be used at all.

    Examples
    --------
    >>> from onclair.core.values import Spectrum
    >>> from onclair.science.spectra.bases import basis
    >>> nm = np.arange(410.0, 740.0)
    >>> light = 9000.0 * basis("FAD", nm) + 4000.0 * basis("PpIX634", nm)
    >>> found = measured(Measurement((Spectrum(light, nm, 405.0, 1.0),)))
    >>> found.row["ppix634"] > 0, math.isnan(found.row["spectrum:385:500"]), found.row["spectrum:405:500"] > 0
    (True, True, True)
    """
    how = how or Steps()
    prepared = prepare(measurement, how.preparing)
    told = {**intensities(prepared, how.excitations_nm[-1]), **spectrum(prepared, how.excitations_nm)}
    gates, unmixed = prepared.gates, None
    if prepared.passed:
        unmixed = unmix(prepared, how.unmixing, how.own)
        gates = (*gates, *fit_gates(prepared, unmixed, how.preparing.thresholds))
        told |= features_of(unmixed, prepared, gates)
    told |= {f"quality_{gate.name}": math.nan if gate.value is None else float(gate.value) for gate in gates}
    return Measured(prepared, unmixed, gates, {name: told.get(name, math.nan) for name in columns(how.excitations_nm)})


def columns(excitations_nm: Sequence[float]) -> tuple[str, ...]:
    """Return the columns of every row, in order.

    Examples
    --------
    >>> columns((405.0,))[:3], len(columns((405.0,)))
    (('log_634_af', 'log_634_af_se', 'log_620_af'), 190)
    """
    features = [each for name in _TOLD for each in (name, f"{name}_se")]
    light = [f"spectrum:{excitation:g}:{nm:g}" for excitation in excitations_nm for nm in GRID_NM]
    return (*features, "chi2", *(f"quality_{name}" for name in GATES), "ppix634", "redness", *light)


def intensities(prepared: Prepared, excitation_nm: float) -> dict[str, float]:
    """Return what can be read off the counts with nothing fitted: the bump at 634 nm, and how red the point looks.

    Parameters
    ----------
    prepared : Prepared
    excitation_nm : float
        Of the light by which the surgeon looks.

    Returns
    -------
    dict
        ``ppix634``: mean counts a ms over 626 to 642 nm above the straight line through both sides; ``redness``: the same over the mean
        counts of 450 to 590 nm.

    Examples
    --------
    >>> from onclair.science.spectra.prepared import prepared_from
    >>> nm = np.arange(420.0, 731.0)
    >>> light = 100.0 + 50.0 * ((nm >= 626) & (nm <= 642))
    >>> intensities(prepared_from(nm, [light], [405.0], integration_ms=10.0), 405.0)
    {'ppix634': 5.0, 'redness': 0.5}
    """
    row = _nearest(prepared.excitation_nm, excitation_nm)
    if row is None:
        return {"ppix634": math.nan, "redness": math.nan}
    light = prepared.counts[row] / (prepared.integration_ms[row] * prepared.power_relative[row])
    (left, right), at = BESIDE_NM, prepared.wavelength_nm
    level, blue = (_mean(at, light, left) + _mean(at, light, right)) / 2, _mean(at, light, BLUE_GREEN_NM)
    bump = _mean(at, light, BUMP_NM) - level
    return {"ppix634": bump, "redness": bump / blue if blue > 0 else math.nan}


def spectrum(prepared: Prepared, excitations_nm: Sequence[float]) -> dict[str, float]:
    """Return the area-normalised spectrum of each excitation, a column a wavelength; NaN where it was not taken.

    Examples
    --------
    >>> from onclair.science.spectra.prepared import prepared_from
    >>> row = spectrum(prepared_from(np.arange(410.0, 740.0), np.ones((1, 330)), [405.0]), (405.0,))
    >>> len(row), round(row["spectrum:405:634"] * 310, 6)
    (156, 1.0)
    """
    rows = area_normalised(prepared)
    found: dict[str, float] = {}
    for excitation in excitations_nm:
        row = _nearest(prepared.excitation_nm, excitation)
        values = np.full(GRID_NM.size, np.nan) if row is None else rows[row]
        found |= {f"spectrum:{excitation:g}:{nm:g}": float(value) for nm, value in zip(GRID_NM, values, strict=True)}
    return found


def _nearest(excitations: Floats, wanted: float) -> int | None:
    away = np.abs(excitations - wanted)
    return int(away.argmin()) if away.min() <= NEAR_NM else None


def _mean(at: Floats, values: Floats, within: tuple[float, float]) -> float:
    inside = values[(at >= within[0]) & (at <= within[1])]
    good = inside[np.isfinite(inside)]
    return float(good.mean()) if good.size else math.nan
