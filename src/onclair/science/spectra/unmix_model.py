"""The forward model of the unmixing, linear in its amounts, with the slopes of everything else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from onclair.core.errors import BadInput
from onclair.science.spectra.bases import FLUOROPHORES, Bases, efficiency, unit_components
from onclair.science.spectra.transport import BloodTransport

Floats = npt.NDArray[np.float64]

#: The blood fraction f is sought as ``log(1 + f / 0.002)``: what it does to light goes by its logarithm once there is some.
BLOOD_SCALE = 0.002
#: Within so many nm of its mode a split Gaussian's curvature passes from the one of its left side to that of its right.
MODE_NM = 6.0
#: Degree of the smooth baseline's Bernstein polynomials.
BASELINE_DEGREE = 3


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

    def curvature(self, wavelength_nm: Floats, shift_nm: float, width: float) -> tuple[Floats, Floats]:
        """Return the second derivative of the emission and its slope by shift, each (k, n).

        A split Gaussian bends by another measure on either side of its mode. A resolution shows no such step, and a fit would stumble over
        it wherever the mode passes a pixel: the one precision passes smoothly into the other within :data:`MODE_NM` of the mode.
        """
        distance = (wavelength_nm - shift_nm) - self.mode
        left, right = (self.left * width) ** -2.0, (self.right * width) ** -2.0
        passed = np.clip(distance * (0.5 / MODE_NM) + 0.5, 0.0, 1.0)
        precision = left + (right - left) * (passed * passed * (3.0 - 2.0 * passed))
        steeper = (right - left) * (passed * (1.0 - passed) * (3.0 / MODE_NM))
        square = distance * distance
        value = np.exp(-0.5 * square * np.where(distance < 0, left, right)) * (self.amplitude / width)
        bent = precision * (precision * square - 1.0)
        along = value * (precision * distance * (2.0 * precision - bent) + steeper * (2.0 * precision * square - 1.0))
        return self.owner @ (value * bent), self.owner @ -along


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

    def curvature(self, wavelength_nm: Floats, shift_nm: float, width: float) -> tuple[Floats, Floats]:
        """Return the second derivative of the emission and its slope by shift, each (1, n)."""
        at = self.centre + (wavelength_nm - shift_nm - self.centre) / width
        inside = (at > self.first) & (at < self.last)
        second, third = (self.slope.derivative(order)(at) * inside / width ** (order + 2) for order in (1, 2))
        return second[None], -third[None]


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


def _stacked(parts: Sequence[tuple[Floats, ...]]) -> tuple[Floats, ...]:
    return tuple(np.concatenate(rows) for rows in zip(*parts, strict=True))


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


@dataclass(frozen=True, slots=True)
class Free:
    """One free parameter that the model is not linear in.

    Attributes
    ----------
    name : str
        ``shift``, ``width``, ``blur``, ``blood``, ``saturation``, ``exponent``, or ``gain`` with its excitation's place.
    start, low, high : float
    rows : tuple of int
        The rows of counts that a gain is of.
    sd : float
        How far it is expected from `start`, one standard deviation; infinity where all within the bounds is as likely.
    """

    name: str
    start: float
    low: float
    high: float
    rows: tuple[int, ...] = ()
    sd: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """``counts = time * power * gain * T * sum A E B(l - d; w) + baseline``, on the pixels of the window.

    Attributes
    ----------
    wavelength_nm : ndarray, shape (n,)
    light : ndarray, shape (e,)
        Integration time times relative power.
    reached : ndarray, shape (e, k)
        Efficiency of each excitation for each fluorophore.
    emitters : tuple of Emitter
    baseline : ndarray, shape (b, n)
        Smooth, non-negative rows that every excitation shares; b may be 0.
    free : tuple of Free
    blood : BloodTransport or None
    log_reflectance : ndarray, shape (n,), or None
        Relative to its largest pixel.
    """

    wavelength_nm: Floats
    light: Floats
    reached: Floats
    emitters: tuple[Emitter, ...]
    baseline: Floats
    free: tuple[Free, ...]
    blood: BloodTransport | None = None
    log_reflectance: Floats | None = None

    @property
    def start(self) -> Floats:
        """Where the free parameters start."""
        return np.array([each.start for each in self.free])

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """The lowest and highest value of each free parameter."""
        return np.array([each.low for each in self.free]), np.array([each.high for each in self.free])

    @property
    def precision(self) -> Floats:
        """What is known of each free parameter beforehand: the inverse variance about its start."""
        return np.array([each.sd**-2 for each in self.free])

    def at(self, theta: Floats) -> State:
        """Return the model at one value of its free parameters."""
        value = dict(zip((each.name for each in self.free), theta, strict=True))
        emission, emission_slopes = self._emitted(value)
        log_transmitted, slopes = self._transmitted(value)
        factor = self.light[:, None] * np.exp(log_transmitted)
        return State(self, factor, emission, emission_slopes, slopes)

    def _emitted(self, value: Mapping[str, float]) -> tuple[Floats, dict[str, Floats]]:
        """Return each fluorophore's emission, (k, n), and its slopes by shift, width and blur."""
        at = (self.wavelength_nm, value.get("shift", 0.0), value.get("width", 1.0))
        emission, by_shift, by_width = _stacked([each.evaluate(*at) for each in self.emitters])
        if "blur" not in value:
            return emission, {"shift": by_shift, "width": by_width}
        # A resolution of variance v turns B into B + v B'' / 2 + O(v^2 / sigma^4).
        curved, curved_by_shift = _stacked([each.curvature(*at) for each in self.emitters])
        half = 0.5 * value["blur"]
        return emission + half * curved, {"shift": by_shift + half * curved_by_shift, "width": by_width, "blur": 0.5 * curved}

    def _transmitted(self, value: Mapping[str, float]) -> tuple[Floats, dict[str, Floats]]:
        """Return the log of what multiplies the light, (e, n), and its slopes."""
        log = np.zeros((len(self.light), len(self.wavelength_nm)))
        slopes: dict[str, Floats] = {}
        if self.blood is not None:
            fraction = blood_fraction(value["blood"])
            log, by_fraction, slopes["saturation"] = self.blood.log_escape(fraction, value["saturation"])
            slopes["blood"] = by_fraction * (fraction + BLOOD_SCALE)
        if self.log_reflectance is not None:
            log = log + value["exponent"] * self.log_reflectance
            slopes["exponent"] = np.broadcast_to(self.log_reflectance, log.shape)
        for each in self.free:
            if each.name.startswith("gain"):
                here = np.zeros((len(self.light), 1))
                here[list(each.rows)] = 1.0
                log = log + here * value[each.name]
                slopes[each.name] = np.broadcast_to(here, log.shape)
        return log, slopes


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The model at one value of its free parameters.

    Attributes
    ----------
    model : Model
    factor : ndarray, shape (e, n)
        Light times transmission.
    emission : ndarray, shape (k, n)
    emission_slopes : mapping of str to ndarray (k, n)
        By shift, by width and by blur.
    log_slopes : mapping of str to ndarray (e, n)
        Of the log of `factor`.
    """

    model: Model
    factor: Floats
    emission: Floats
    emission_slopes: Mapping[str, Floats]
    log_slopes: Mapping[str, Floats]

    def columns(self) -> Floats:
        """Return the model of one unit of each amount, shape (k + b, e, n)."""
        model = self.model
        light = model.reached.T[:, :, None] * self.emission[:, None, :] * self.factor
        if not len(model.baseline):
            return np.asarray(light)
        return np.concatenate([light, model.baseline[:, None, :] * model.light[:, None]])

    def slopes(self, amounts: Floats) -> Floats:
        """Return the slope of the model by each free parameter, shape (p, e, n)."""
        weighted = self.model.reached * amounts[: self.emission.shape[0]]
        light = self.factor * (weighted @ self.emission)
        rows = []
        for each in self.model.free:
            if each.name in self.emission_slopes:
                rows.append(self.factor * (weighted @ self.emission_slopes[each.name]))
            else:
                rows.append(light * self.log_slopes[each.name])
        return np.array(rows)


def blood_fraction(sought: float) -> float:
    """Return the blood fraction of the parameter by which it is sought.

    Examples
    --------
    >>> blood_fraction(0.0), round(blood_fraction(sought_blood(0.015)), 6)
    (0.0, 0.015)
    """
    return float(BLOOD_SCALE * np.expm1(sought))


def sought_blood(fraction: float) -> float:
    """Return the parameter by which a blood fraction is sought.

    Examples
    --------
    >>> sought_blood(0.0)
    0.0
    """
    return float(np.log1p(fraction / BLOOD_SCALE))


def smooth_baseline(wavelength_nm: Floats) -> Floats:
    """Return Bernstein polynomials over the window: non-negative, and their sum is 1 everywhere; shape (4, n).

    Examples
    --------
    >>> smooth_baseline(np.array([400.0, 500.0])).round(3).T
    array([[1., 0., 0., 0.],
           [0., 0., 0., 1.]])
    """
    x = (wavelength_nm - wavelength_nm[0]) / (wavelength_nm[-1] - wavelength_nm[0])
    weights = (1.0, 3.0, 3.0, 1.0)
    return np.array([c * x**i * (1.0 - x) ** (BASELINE_DEGREE - i) for i, c in enumerate(weights)])


def reached_by(names: tuple[str, ...], excitation_nm: Floats) -> Floats:
    """Return the efficiency of each excitation for each fluorophore, shape (e, k).

    Examples
    --------
    >>> reached_by(("PpIX634", "Lipofuscin"), np.array([400.0, 410.0]))
    array([[0.88, 1.  ],
           [1.  , 1.  ]])
    """
    return np.array([[efficiency(name, float(at)) for name in names] for at in excitation_nm])
