"""What models look at: ratios of amounts on the logarithm, blood, positions, each with its standard error; and the spectrum itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.spectra.bases import PORPHYRINS, basis
from onclair.science.spectra.prepared import Gate, Prepared
from onclair.science.spectra.unmix import Unmixed
from onclair.science.spectra.unmix_amounts import Amount

Floats = npt.NDArray[np.float64]

#: Column -> the ratio whose natural logarithm it holds.
LOG_RATIOS = {
    "log_634_af": "634/AF",
    "log_620_af": "620/AF",
    "log_620_634": "620/634",
    "log_nadh_fad": "NADH/FAD",
    "log_lipofuscin_af": "Lipofuscin/AF",
}
#: Where blood absorbs little, so that reflectance shows scattering.
RED_NM = (620.0, 730.0)
#: The grid of the area-normalised spectrum.
GRID_NM = np.arange(420.0, 730.1, 2.0)
GRID_NM.setflags(write=False)
_PEAK_NM = np.arange(605.0, 650.0, 0.1)


def features_of(unmixed: Unmixed, prepared: Prepared, quality: Sequence[Gate] | None = None) -> dict[str, float]:
    """Return one row for a model: each feature and, as ``NAME_se``, its standard error; NaN where it cannot be told.

    Parameters
    ----------
    unmixed : Unmixed
    prepared : Prepared
        The point's counts, for its reflectance and gates.
    quality : sequence of Gate, optional
        Instead of the gates of `prepared`.

    Returns
    -------
    dict of str to float
        ``log_634_af log_620_af log_620_634 log_nadh_fad log_lipofuscin_af sto2 blood_fraction scattering_slope peak_nm shift_nm``, each
        with ``_se``; ``chi2``; and ``quality_GATE``, what each gate measured. An amount at its bound enters a logarithm as its standard
        error, with an error of 1.

    Examples
    --------
    >>> from onclair.science.spectra.prepared import prepared_from
    >>> from onclair.science.spectra.unmix import unmix
    >>> nm = np.arange(420.0, 731.0)
    >>> light = 9000.0 * basis("PpIX634", nm) + 3000.0 * basis("PpIX620", nm) + 6000.0 * basis("FAD", nm)
    >>> point = prepared_from(nm, [light], [405.0])
    >>> row = features_of(unmix(point), point)
    >>> round(row["log_620_634"], 2), math.isnan(row["log_nadh_fad"]), math.isnan(row["scattering_slope"])
    (-1.1, True, True)
    """
    pairs = {column: _log(unmixed.ratios.get(name)) for column, name in LOG_RATIOS.items()}
    pairs |= {"sto2": _pair(unmixed.blood.get("sto2")), "blood_fraction": _pair(unmixed.blood.get("fraction"))}
    pairs |= {"scattering_slope": scattering_slope(prepared), "peak_nm": _peak(unmixed), "shift_nm": _pair(unmixed.shift_nm)}
    row: dict[str, float] = {}
    for name, (value, se) in pairs.items():
        row[name], row[f"{name}_se"] = value, se
    gates = prepared.gates if quality is None else quality
    return row | {"chi2": unmixed.chi2} | {f"quality_{g.name}": math.nan if g.value is None else float(g.value) for g in gates}


def scattering_slope(prepared: Prepared) -> tuple[float, float]:
    """Return b of ``R ~ wavelength ** -b`` over 620 to 730 nm and its standard error; NaN without a reflectance.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from onclair.science.spectra.prepared import prepared_from
    >>> nm = np.arange(600.0, 740.0)
    >>> point = replace(prepared_from(nm, [np.ones(140)], [405.0]), reflectance=0.4 * (nm / 600.0) ** -1.2)
    >>> round(scattering_slope(point)[0], 6)
    1.2
    """
    if prepared.reflectance is None:
        return math.nan, math.nan
    inside = (prepared.wavelength_nm >= RED_NM[0]) & (prepared.wavelength_nm <= RED_NM[1]) & (prepared.reflectance > 0)
    if inside.sum() < 10:
        return math.nan, math.nan
    x, y = np.log(prepared.wavelength_nm[inside]), np.log(prepared.reflectance[inside])
    across = x - x.mean()
    slope = float(across @ y / (across @ across))
    left = y - y.mean() - slope * across
    return -slope, float(np.sqrt(left @ left / (len(x) - 2) / (across @ across)))


def area_normalised(prepared: Prepared, grid_nm: Floats = GRID_NM) -> Floats:
    """Return each excitation's spectrum on a common grid, divided by its area: for principal components and networks.

    Parameters
    ----------
    prepared : Prepared
    grid_nm : ndarray, shape (m,)
        Evenly spaced; each of its values is the mean of the counts within half a step, or interpolated where pixels are wider.

    Returns
    -------
    ndarray, shape (e, m)
        In 1/nm. Where the area is not positive, zeros: there is no spectrum.

    Raises
    ------
    BadInput
        When the grid reaches beyond the measured wavelengths by more than a step.

    Examples
    --------
    >>> from onclair.science.spectra.prepared import prepared_from
    >>> point = prepared_from(np.arange(400.0, 750.0), np.full((2, 350), 7.0), [385.0, 405.0])
    >>> area_normalised(point).shape, round(float(area_normalised(point)[0, 0] * 310.0), 6)
    ((2, 156), 1.0)
    """
    step = float(grid_nm[1] - grid_nm[0])
    at = prepared.wavelength_nm
    if at[0] > grid_nm[0] + step or at[-1] < grid_nm[-1] - step:
        asked = f"{grid_nm[0]:g} to {grid_nm[-1]:g} nm"
        raise BadInput(f"The spectrum covers {at[0]:g} to {at[-1]:g} nm, but {asked} are looked at; measure over them, or narrow the grid.")
    rows = np.array([_resampled(at, counts, grid_nm, step) for counts in prepared.counts])
    area = np.trapezoid(rows, grid_nm, axis=1)
    return np.asarray(np.divide(rows, area[:, None], out=np.zeros_like(rows), where=area[:, None] > 0))


def _resampled(at: Floats, counts: Floats, grid: Floats, step: float) -> Floats:
    good = np.isfinite(counts)
    if not good.any():
        return np.zeros_like(grid)
    edges = np.concatenate([grid - step / 2, [grid[-1] + step / 2]])
    held, _ = np.histogram(at[good], edges)
    total, _ = np.histogram(at[good], edges, weights=counts[good])
    between = np.interp(grid, at[good], counts[good])
    return np.where(held > 0, total / np.maximum(held, 1), between)


def _pair(amount: Amount | None) -> tuple[float, float]:
    if amount is None or amount.value is None or amount.se is None:
        return math.nan, math.nan
    return amount.value, amount.se


def _log(ratio: Amount | None) -> tuple[float, float]:
    """Return the logarithm of a ratio and its error by the delta method."""
    value, se = _pair(ratio)
    if math.isnan(value):
        return value, se
    if value <= 0:
        return (math.log(se), 1.0) if se > 0 else (math.nan, math.nan)
    return math.log(value), se / value


def _peak(unmixed: Unmixed) -> tuple[float, float]:
    """Return where the fitted PpIX peaks between 605 and 650 nm; the error is that of the shift."""
    shift, se = _pair(unmixed.shift_nm)
    amounts = {name: unmixed.abundances[name].value or 0.0 for name in PORPHYRINS if name in unmixed.abundances}
    if math.isnan(shift) or not sum(amounts.values()) > 0:
        return math.nan, math.nan
    light = sum(amount * basis(name, _PEAK_NM) for name, amount in amounts.items())
    return float(_PEAK_NM[int(np.argmax(light))]) + shift, se
