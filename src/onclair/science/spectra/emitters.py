"""Emission as a function of wavelength, shift and width, with its slopes: the table's split Gaussians, and bases of the user's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from onclair.core.errors import BadInput
from onclair.science.spectra.bases import FLUOROPHORES, Bases, unit_components

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Parametric:
    """The split Gaussians of several fluorophores, evaluated together.

    Attributes
    ----------
    amplitude, mode, left, right : ndarray, shape (c, 1)
        Of every component, those of one fluorophore side by side.
    owner : ndarray, shape (k, c)
        1 where a component belongs to a fluorophore.
    """

    amplitude: Floats
    mode: Floats
    left: Floats
    right: Floats
    owner: Floats

    def evaluate(self, wavelength_nm: Floats, shift_nm: float, width: float) -> tuple[Floats, Floats, Floats]:
        """Return emission and its slopes by shift and by width, each (k, n)."""
        distance = (wavelength_nm - shift_nm) - self.mode
        inverse = np.where(distance < 0, 1.0 / (self.left * width), 1.0 / (self.right * width))
        z = distance * inverse
        value = np.exp(-0.5 * z * z) * (self.amplitude / width)
        by_shift = value * z * inverse
        by_width = value * (z * z - 1.0) / width
        return self.owner @ value, self.owner @ by_shift, self.owner @ by_width


@dataclass(frozen=True, slots=True, eq=False)
class Tabulated:
    """A user's own basis: a cubic spline through its values, at unit area over what it covers.

    Attributes
    ----------
    spline, slope : CubicSpline
    centre, first, last : float
        Where it peaks and what it covers, nm; beyond, the value at its end holds.
    """

    spline: CubicSpline
    slope: CubicSpline
    centre: float
    first: float
    last: float

    def evaluate(self, wavelength_nm: Floats, shift_nm: float, width: float) -> tuple[Floats, Floats, Floats]:
        """Return emission and its slopes by shift and by width, each (1, n)."""
        offset = (wavelength_nm - shift_nm - self.centre) / width
        at = np.clip(self.centre + offset, self.first, self.last)
        inside = (at > self.first) & (at < self.last)
        value, steep = self.spline(at) / width, self.slope(at) * inside / width
        return value[None], (-steep / width)[None], (-(value + steep * offset) / width)[None]


Emitter = Parametric | Tabulated


def emitters(names: tuple[str, ...], own: Bases, window_nm: tuple[float, float]) -> tuple[Emitter, ...]:
    """Return what evaluates the named bases, in their order: runs of the table's own together, the user's one by one.

    Raises
    ------
    BadInput
        For a name that neither the table nor the user's bases hold, or a basis of the user's that does not cover the window.
    """
    found: list[Emitter] = []
    run: list[str] = []
    for name in names:
        if name in own:
            found += [_parametric(run)] if run else []
            run = []
            found.append(_tabulated(name, own, window_nm))
        elif name in FLUOROPHORES:
            run.append(name)
        else:
            known = ", ".join(dict.fromkeys((*own, *FLUOROPHORES)))
            raise BadInput(f"The fluorophore '{name}' is unknown; choose among {known}, or give its basis with --bases.", item=name)
    return (*found, *([_parametric(run)] if run else []))


def _parametric(names: list[str]) -> Parametric:
    each = [unit_components(name) for name in names]
    rows = np.array([component for components in each for component in components])
    owner = np.repeat(np.eye(len(each)), [len(components) for components in each], axis=1)
    amplitude, mode, left, right = (rows[:, [column]] for column in range(4))
    return Parametric(amplitude, mode, left, right, owner)


def _tabulated(name: str, own: Bases, window_nm: tuple[float, float]) -> Tabulated:
    wavelength, value = (np.asarray(each, dtype=np.float64) for each in own[name])
    if wavelength.ndim != 1 or wavelength.shape != value.shape or wavelength.size < 4 or not (np.diff(wavelength) > 0).all():
        raise BadInput(f"The basis '{name}' needs at least four wavelengths that rise strictly, and a value at each.", item=name)
    if not np.isfinite(value).all() or value.min() < 0 or not value.max() > 0:
        raise BadInput(f"The basis '{name}' holds values that are negative, missing, or all zero; emission is at least 0.", item=name)
    first, last = float(wavelength[0]), float(wavelength[-1])
    if first > window_nm[0] or last < window_nm[1]:
        covered, asked = f"{first:g} to {last:g} nm", f"{window_nm[0]:g} to {window_nm[1]:g} nm"
        raise BadInput(f"The basis '{name}' covers {covered}, but the fit needs {asked}; give it whole, or narrow the window.", item=name)
    inside = (wavelength >= window_nm[0]) & (wavelength <= window_nm[1])
    spline = CubicSpline(wavelength, value / np.trapezoid(value, wavelength))
    centre = float(wavelength[inside][value[inside].argmax()] if inside.any() else wavelength[value.argmax()])
    return Tabulated(spline, spline.derivative(), centre, first, last)
