"""The forward model of the unmixing, linear in its amounts, with the slopes of everything else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from onclair.science.optics.scattering import LOG_AMPLITUDE_SD, POWER_SD
from onclair.science.spectra.bases import efficiency
from onclair.science.spectra.emitters import Emitter
from onclair.science.spectra.transport import BloodTransport

Floats = npt.NDArray[np.float64]

#: The blood fraction f is sought as ``log(1 + f / 0.002)``: what it does to light goes by its logarithm once there is some.
BLOOD_SCALE = 0.002
#: A resolution whose variance is smaller than this, nm squared, is told by the curvature over this much.
LEAST_BLUR = 0.25
#: Degree of the smooth baseline's Bernstein polynomials.
BASELINE_DEGREE = 3


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
    stray : ndarray, shape (s, e, n), or None
        Excitation that leaks past the filter, a column of its own each; non-negative.
    """

    wavelength_nm: Floats
    light: Floats
    reached: Floats
    emitters: tuple[Emitter, ...]
    baseline: Floats
    free: tuple[Free, ...]
    blood: BloodTransport | None = None
    log_reflectance: Floats | None = None
    stray: Floats | None = None

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

    def at(self, theta: Floats) -> State | Blurred:
        """Return the model at one value of its free parameters.

        A resolution of variance v blurs what comes out of the tissue, B T: its Gaussian is taken at three points, 0 and +-sqrt(3 v), with
        weights 2/3 and 1/6, which is exact for polynomials up to the fifth degree (Gauss and Hermite). A resolution finer than that of the
        bases, v < 0, is taken away to first order.
        """
        value = dict(zip((each.name for each in self.free), theta, strict=True))
        if "blur" not in value:
            return self._sharp(value)
        variance = value["blur"]
        u = max(abs(variance), LEAST_BLUR)
        reach, share = math.sqrt(3.0 * u), variance / (6.0 * u)
        return Blurred(self._around(reach)._sharp(value), np.array([share, 1.0 - 2.0 * share, share]), reach)

    def _around(self, reach_nm: float) -> Model:
        """Return the model below, at and above each pixel, one after the other; a measured reflectance is as blurred as the counts."""
        wavelength = (self.wavelength_nm + np.array([[-reach_nm], [0.0], [reach_nm]])).ravel()
        beside = (None if each is None else np.concatenate([each] * 3, axis=-1) for each in (self.log_reflectance, self.stray))
        log_reflectance, stray = beside
        return replace(
            self,
            wavelength_nm=wavelength,
            baseline=np.concatenate([self.baseline] * 3, axis=-1),
            blood=None if self.blood is None else self.blood.at(wavelength),
            log_reflectance=log_reflectance,
            stray=stray,
        )

    def _sharp(self, value: Mapping[str, float]) -> State:
        at = (self.wavelength_nm, value.get("shift", 0.0), value.get("width", 1.0))
        emission, by_shift, by_width = _stacked([each.evaluate(*at) for each in self.emitters])
        log_transmitted, slopes = self._transmitted(value)
        factor = self.light[:, None] * np.exp(log_transmitted)
        tissue = None if self.blood is None else (blood_fraction(value["blood"]), value["saturation"])
        return State(self, factor, emission, {"shift": by_shift, "width": by_width}, slopes, tissue)

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
    """The model at one value of its free parameters, as sharp as its bases.

    Attributes
    ----------
    model : Model
    factor : ndarray, shape (e, n)
        Light times transmission.
    emission : ndarray, shape (k, n)
    emission_slopes : mapping of str to ndarray (k, n)
        By shift and by width.
    log_slopes : mapping of str to ndarray (e, n)
        Of the log of `factor`.
    tissue : (float, float) or None
        Blood fraction and saturation; None without blood.
    """

    model: Model
    factor: Floats
    emission: Floats
    emission_slopes: Mapping[str, Floats]
    log_slopes: Mapping[str, Floats]
    tissue: tuple[float, float] | None = None

    def columns(self) -> Floats:
        """Return the model of one unit of each amount, shape (k + b + s, e, n)."""
        model = self.model
        light = model.reached.T[:, :, None] * self.emission[:, None, :] * self.factor
        more = [model.baseline[:, None, :] * model.light[:, None]] if len(model.baseline) else []
        more += [] if model.stray is None else [model.stray * model.light[:, None]]
        return np.concatenate([light, *more]) if more else np.asarray(light)

    def fluorescence(self, amounts: Floats) -> Floats:
        """Return the counts of all fluorophores, shape (e, n)."""
        return np.asarray(self.factor * (self._weighted(amounts) @ self.emission))

    def along(self, amounts: Floats) -> Floats:
        """Return the slope of the fluorescence along the wavelengths, counts per nm, shape (e, n)."""
        slope = -self.factor * (self._weighted(amounts) @ self.emission_slopes["shift"])
        if self.model.blood is None or self.tissue is None:
            return np.asarray(slope)
        return np.asarray(slope + self.fluorescence(amounts) * self.model.blood.along(*self.tissue))

    def slopes(self, amounts: Floats) -> Floats:
        """Return the slope of the model by each free parameter, shape (p, e, n); 0 for a resolution."""
        weighted, light = self._weighted(amounts), self.fluorescence(amounts)
        rows = []
        for each in self.model.free:
            if each.name in self.emission_slopes:
                rows.append(self.factor * (weighted @ self.emission_slopes[each.name]))
            else:
                rows.append(light * self.log_slopes.get(each.name, 0.0))
        return np.array(rows)

    def held(self, amounts: Floats) -> Floats:
        """Return what one standard deviation of each parameter that is held does to the counts, shape (h, e, n): the scattering's two.

        h is 0 without blood: escape is then not modelled at all.
        """
        if self.model.blood is None or self.tissue is None:
            return np.zeros((0, *self.factor.shape))
        light = self.fluorescence(amounts)
        slopes = self.model.blood.by_scattering(*self.tissue)
        return np.array([light * slope * sd for slope, sd in zip(slopes, (LOG_AMPLITUDE_SD, POWER_SD), strict=True)])

    def _weighted(self, amounts: Floats) -> Floats:
        return np.asarray(self.model.reached * amounts[: self.emission.shape[0]])


@dataclass(frozen=True, slots=True, eq=False)
class Blurred:
    """The model behind a resolution: the sharp one below, at and above each pixel, weighted.

    Attributes
    ----------
    state : State
        On three times the pixels.
    weights : ndarray, shape (3,)
        Their sum is 1.
    reach_nm : float
        How far below and above.
    """

    state: State
    weights: Floats
    reach_nm: float

    @property
    def model(self) -> Model:
        """Whose free parameters these are."""
        return self.state.model

    def columns(self) -> Floats:
        """Return the model of one unit of each amount, shape (k + b + s, e, n)."""
        return np.asarray(self.weights @ _thirds(self.state.columns()))

    def held(self, amounts: Floats) -> Floats:
        """Return what one standard deviation of each parameter that is held does to the counts, shape (h, e, n)."""
        return np.asarray(self.weights @ _thirds(self.state.held(amounts)))

    def slopes(self, amounts: Floats) -> Floats:
        """Return the slope of the model by each free parameter, shape (p, e, n)."""
        rows = np.asarray(self.weights @ _thirds(self.state.slopes(amounts)))
        place = [each.name for each in self.state.model.free].index("blur")
        if self.reach_nm**2 > 3.0 * LEAST_BLUR:
            along = _thirds(self.state.along(amounts))
            rows[place] = (along[:, 2] - along[:, 0]) / (4.0 * self.reach_nm)
        else:
            light = _thirds(self.state.fluorescence(amounts))
            rows[place] = (light[:, 0] + light[:, 2] - 2.0 * light[:, 1]) / (2.0 * self.reach_nm**2)
        return rows


def _thirds(rows: Floats) -> Floats:
    """Return (..., 3 n) as (..., 3, n)."""
    return rows.reshape(*rows.shape[:-1], 3, rows.shape[-1] // 3)


def _stacked(parts: Sequence[tuple[Floats, ...]]) -> tuple[Floats, ...]:
    return tuple(np.concatenate(rows) for rows in zip(*parts, strict=True))


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
