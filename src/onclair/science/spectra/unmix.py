"""Unmixing: from net counts to the amount of each fluorophore, its standard error, and whether it can be told at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import plain_float
from onclair.core.errors import BadInput, BadSetting
from onclair.science.spectra.bases import DEFAULT_FLUOROPHORES, Bases
from onclair.science.spectra.emitters import emitters
from onclair.science.spectra.prepared import Prepared
from onclair.science.spectra.transport import blood_transport
from onclair.science.spectra.unmix_amounts import Amount, Status, Told, told
from onclair.science.spectra.unmix_fit import Data, Fit, binned, compared, promised, settled, sketched
from onclair.science.spectra.unmix_model import Free, Model, reached_by, smooth_baseline, sought_blood

Floats = npt.NDArray[np.float64]
Transport = Literal["none", "joint", "reflectance"]
Width = Literal["auto", "fixed", "fitted"]
Baseline = Literal["none", "smooth"]

#: The fit is refused on fewer pixels.
FEWEST_PIXELS = 50
#: Amounts may not lean on a shift beyond this.
SHIFT_BOUND_NM = 2.5
#: How far wavelengths and tissue are expected to move a peak: it steadies fits of a few dozen counts and is lost in the rest.
SHIFT_SD_NM = 1.0
WINDOW_NM = (420.0, 730.0)
#: What a parameter that nobody asked for must save of chi-squared.
WORTH = 10.0
#: The joint fit seeks the blood fraction up to this.
MOST_BLOOD = 0.3
#: Living tissue holds more; where the joint fit finds less, a fit without blood is held beside it.
LITTLE_BLOOD = 0.004
#: The chain's warning that white light was taken for colourless.
NO_STANDARD = "no_white_standard"
_WIDTH = Free("width", 1.0, 0.7, 1.4)
#: Variance of a resolution coarser (or, below 0, finer) than that of the bases, nm squared.
_BLUR = Free("blur", 0.0, -10.0, 25.0)


@dataclass(frozen=True, slots=True)
class Unmixing:
    """How spectra are unmixed.

    Attributes
    ----------
    fluorophores : tuple of str
        Their order is kept.
    transport : {"none", "joint", "reflectance"} or None
        What is done about blood: nothing, a joint fit of blood fraction and saturation, or a correction by the white reflectance.
        None takes the reflectance where it was measured against a white standard, unless a joint fit lowers chi-squared by more than 10.
        Without one, several excitations are fitted jointly, and without blood where they show none; one excitation without blood, and
        jointly where that lowers chi-squared by more than 10.
    width : {"auto", "fixed", "fitted"}
        Whether a factor common to all sigmas is fitted. ``auto`` fits that factor, or the variance of a resolution other than that of the
        bases, or both, where the slope of chi-squared promises a fall of more than 10.
    baseline : {"none", "smooth"}
        Whether a smooth, non-negative baseline is fitted, shared by all excitations.
    shift_bound_nm : float
        The shift is sought within plus and minus this.
    shift_sd_nm : float
        Standard deviation of the shifts that are expected; infinity for none. A shift counts as at its bound where the counts alone would
        put it there.
    reweightings : int
        How often the weights are taken anew from the model's own variance.
    window_nm : tuple of float
        First and last wavelength that is fitted.
    exponent : float or None
        k of the correction by reflectance, ``R^k``; None fits it with each spectrum. See :func:`~.transport.fitted_exponent`.

    Raises
    ------
    BadSetting
        For no fluorophore or one named twice, a bound or window that is none, fewer than 0 reweightings.

    Examples
    --------
    >>> Unmixing().fluorophores
    ('PpIX634', 'PpIX620', 'NADH', 'FAD', 'Lipofuscin')
    """

    fluorophores: tuple[str, ...] = DEFAULT_FLUOROPHORES
    transport: Transport | None = None
    width: Width = "auto"
    baseline: Baseline = "none"
    shift_bound_nm: float = SHIFT_BOUND_NM
    shift_sd_nm: float = SHIFT_SD_NM
    reweightings: int = 3
    window_nm: tuple[float, float] = WINDOW_NM
    exponent: float | None = None

    def __post_init__(self) -> None:
        if not self.fluorophores or len(set(self.fluorophores)) != len(self.fluorophores):
            named = f"are {', '.join(self.fluorophores)}" if self.fluorophores else "are none"
            raise BadSetting(f"The fluorophores {named}; name at least one, each once.", item="fluorophores")
        choices = {
            "transport": (None, "none", "joint", "reflectance"),
            "width": ("auto", "fixed", "fitted"),
            "baseline": ("none", "smooth"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                named = ", ".join(str(each) for each in allowed if each)
                raise BadSetting(f"The {name} is '{getattr(self, name)}'; choose one of {named}.", item=name)
        if not self.shift_bound_nm >= 0 or not self.shift_sd_nm > 0 or self.reweightings < 0:
            said = f"The shift bound is {self.shift_bound_nm} nm, its standard deviation {self.shift_sd_nm} nm"
            raise BadSetting(f"{said} and the reweightings {self.reweightings}; none may be negative.", item="shift_bound_nm")
        if not self.window_nm[0] < self.window_nm[1]:
            raise BadSetting(
                f"The window runs from {self.window_nm[0]} to {self.window_nm[1]} nm; give the lower end first.", item="window_nm"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Unmixed:
    """What one point holds.

    Attributes
    ----------
    abundances : mapping of str to Amount
        Counts nm per ms at efficiency 1 and relative power 1. With a transport other than ``none`` only their ratios are absolute.
    shift_nm : Amount
        Positive where peaks are measured at longer wavelengths than they have.
    width : Amount
        1 with no error where it was not fitted.
    blood : mapping of str to Amount
        ``fraction`` and ``sto2``; empty unless the transport is ``joint``.
    chi2 : float
        Per degree of freedom.
    transport : {"none", "joint", "reflectance"}
    ratios : mapping of str to Amount
        ``634/AF 620/AF 620/634 634/FAD 620/FAD NADH/FAD Lipofuscin/AF``, where both sides were fitted; AF is all but PpIX.
    covariance : ndarray, shape (m, m)
        Of `names`, chi-squared above 1 included.
    names : tuple of str
        Fluorophores, then the baseline's rows and the leaking excitations, then the free parameters.
    residual : ndarray, shape (e, n)
        Counts less model, over the model's standard deviation; NaN outside the window.
    status : {"ok", "at_bound", "not_identifiable"}
        ``at_bound`` where the shift is: the wavelengths then need calibrating and no amount should be trusted.
    reason : str
        Empty where the status is ``ok``.
    values : ndarray, shape (m,)
        Of `names`.
    """

    abundances: Mapping[str, Amount]
    shift_nm: Amount
    width: Amount
    blood: Mapping[str, Amount]
    chi2: float
    transport: Transport
    ratios: Mapping[str, Amount]
    covariance: Floats
    names: tuple[str, ...]
    residual: Floats
    status: Status = "ok"
    reason: str = ""
    values: Floats = field(default_factory=lambda: np.zeros(0))

    def as_dict(self) -> dict[str, Any]:
        """Return what is told of the point as plain JSON values; covariance and residual are left out."""
        return {
            "status": self.status,
            "reason": self.reason,
            "shift_nm": self.shift_nm.as_dict(),
            "width": self.width.as_dict(),
            "chi2": plain_float(self.chi2),
            "transport": self.transport,
            "abundances": {name: each.as_dict() for name, each in self.abundances.items()},
            "ratios": {name: each.as_dict() for name, each in self.ratios.items()},
            "blood": {name: each.as_dict() for name, each in self.blood.items()} or {"fraction": None, "sto2": None},
        }


def unmix(prepared: Prepared, how: Unmixing | None = None, own: Bases = MappingProxyType({})) -> Unmixed:
    """Return the amounts of fluorophores behind the spectra of one point, all excitations fitted together.

    ``counts = time * power * T(f, S) * sum_k A_k E_k(excitation) B_k(l - d; w) + baseline`` with amounts A at least 0, shared by all
    excitations, as are the shift d, the blood fraction f and its saturation S. With a transport, each excitation after the first has a
    gain of its own, since T is known up to a constant only. Weights are the inverse variance, by the model's own counts. Standard errors
    are the inverse Fisher information over every free parameter, times chi-squared where that exceeds 1, and what the scattering, which the
    joint fit holds at its usual a and b, may have moved them by (one standard deviation of each).

    Parameters
    ----------
    prepared : Prepared
        One or more excitations on one set of wavelengths.
    how : Unmixing, optional
    own : mapping of str to (wavelength_nm, value), optional
        Bases of the user's own; a name of the table is replaced by the basis given here, efficiencies stay those of the name.

    Returns
    -------
    Unmixed

    Raises
    ------
    BadInput
        For fewer than 50 pixels in the window, an unknown fluorophore, a basis that does not cover the window, an excitation outside 350
        to 460 nm, or a correction by reflectance where none was measured.

    References
    ----------
    E. Black et al., Biomed Opt Express 2024;15:4406 (Poisson noise); A. Gautheron et al., IEEE Trans Biomed Eng 2024 (a shared baseline).

    Examples
    --------
    >>> from onclair.science.spectra.bases import basis
    >>> from onclair.science.spectra.prepared import prepared_from
    >>> nm = np.arange(420.0, 731.0)
    >>> found = unmix(prepared_from(nm, [1e6 * basis("Lipofuscin", nm, 0.5)], [405.0]), Unmixing(("Lipofuscin", "FAD"), "none"))
    >>> round(found.abundances["Lipofuscin"].value, -2), found.abundances["FAD"].status, round(found.shift_nm.value, 1)
    (1000000.0, 'at_bound', 0.5)
    """
    how = how or Unmixing()
    inside = _window(prepared, how)
    chosen = _chosen(prepared, how)
    if chosen is not None:
        found = _tried(prepared, how, own, inside, chosen)
        return found if how.transport is not None else _worthier(_tried(prepared, how, own, inside, "joint"), found)
    if len(np.unique(prepared.excitation_nm)) > 1:
        blood = _tried(prepared, how, own, inside, "joint")
        if _bloody(blood):
            return blood
        return _worthier(blood, _tried(prepared, how, own, inside, "none"))
    return _worthier(*(_tried(prepared, how, own, inside, each) for each in ("joint", "none")))


def _widened(model: Model, data: Data, how: Unmixing) -> tuple[Model, Fit]:
    """Return the fit, with a width or a resolution of the spectrum's own where the counts ask for it."""
    found, left = sketched(model, data), [_WIDTH, _BLUR] if how.width == "auto" else []
    while left:
        wider = [replace(model, free=(*model.free, each)) for each in left]
        starts = [np.append(found.theta, each.start) for each in left]
        gains = [promised(each, data, found, start) for each, start in zip(wider, starts, strict=True)]
        best = int(np.argmax(gains))
        if gains[best] <= WORTH:
            break
        model, found = wider[best], sketched(wider[best], data, found, starts[best])
        del left[best]
    return model, settled(model, data, found, how.reweightings)


def _chosen(prepared: Prepared, how: Unmixing) -> Transport | None:
    """Return the transport that the settings or the measurement decide; None where the fits must."""
    if how.transport == "reflectance" and prepared.reflectance is None:
        raise BadInput("The correction by reflectance needs a white frame and the point has none; measure one, or fit blood with 'joint'.")
    return "reflectance" if how.transport is None and _usable_white(prepared, how) else how.transport


def _usable_white(prepared: Prepared, how: Unmixing) -> bool:
    """Return whether the white light shows tissue alone: positive all over the window, and divided by that of a white standard."""
    if prepared.reflectance is None or any(each.get("code") == NO_STANDARD for each in prepared.warnings):
        return False
    values = prepared.reflectance[_window(prepared, how)]
    return bool(np.isfinite(values).all() and (values > 0).all())


def _bloody(found: Unmixed) -> bool:
    """Return whether there is blood beyond doubt: a good fit with more than little of it, or a poor one whose interval lies above that."""
    fraction = found.blood["fraction"]
    return (fraction.low or 0.0) > LITTLE_BLOOD or ((fraction.value or 0.0) > LITTLE_BLOOD and not _poor(found))


def _poor(found: Unmixed) -> bool:
    """Return whether a fit leaves more than noise: chi-squared above 1 by three of its standard deviations."""
    return bool(found.chi2 > 1.0 + 3.0 * np.sqrt(2.0 / int(np.isfinite(found.residual).sum())))


def _worthier(more: Unmixed, less: Unmixed) -> Unmixed:
    """Return the larger model where it explains so much more that its parameters are worth it."""
    pixels = int(np.isfinite(less.residual).sum())
    saved = pixels * (less.chi2 - more.chi2) / max(more.chi2, 1.0)
    return more if saved > WORTH and more.status != "not_identifiable" else less


def _tried(prepared: Prepared, how: Unmixing, own: Bases, inside: slice, transport: Transport) -> Unmixed:
    """Return the point unmixed with one transport."""
    data, wavelength = _data(prepared, inside), prepared.wavelength_nm[inside]
    coarse, bins = binned(data, wavelength)
    model, found = _widened(_model(prepared, how, own, transport, bins), coarse, how)
    residual = np.full(prepared.counts.shape, np.nan)
    everywhere = replace(_model(prepared, how, own, transport, wavelength), free=model.free)
    residual[:, inside], chi2 = compared(everywhere, data, found)
    smooth, stray = len(model.baseline), 0 if model.stray is None else len(model.stray)
    beside = (*(f"baseline{i}" for i in range(smooth)), *(f"stray{i}" for i in range(stray)))
    names = (*how.fluorophores, *beside, *(each.name for each in model.free))
    everything = told(Told(how.fluorophores, names, model, found, chi2, len(np.unique(prepared.excitation_nm))))
    return Unmixed(chi2=chi2, transport=transport, names=names, residual=residual, **everything)


def _window(prepared: Prepared, how: Unmixing) -> slice:
    """Return the pixels that are fitted."""
    low, high = how.window_nm
    first, last = np.searchsorted(prepared.wavelength_nm, [low, high + 1e-9])
    if last - first < FEWEST_PIXELS:
        seen = f"{prepared.wavelength_nm[0]:g} to {prepared.wavelength_nm[-1]:g} nm"
        sentence = f"The fit window, {low:g} to {high:g} nm, holds {last - first} pixels of a spectrum over {seen}"
        raise BadInput(f"{sentence}; at least {FEWEST_PIXELS} are needed: widen the window or measure over it.")
    return slice(int(first), int(last))


def _data(prepared: Prepared, inside: slice) -> Data:
    counts, variance = prepared.counts[:, inside], prepared.variance[:, inside]
    kept = np.isfinite(counts)
    if (kept.sum(axis=1) < FEWEST_PIXELS).any():
        sentence = f"An excitation has {int(kept.sum(axis=1).min())} good pixels in the fit window"
        raise BadInput(f"{sentence}; at least {FEWEST_PIXELS} are needed: measure it again.")
    return Data(np.where(kept, counts, 0.0), variance, prepared.count_variance[:, inside], kept)


def _model(prepared: Prepared, how: Unmixing, own: Bases, transport: Transport, wavelength: Floats) -> Model:
    covered = (max(how.window_nm[0], float(prepared.wavelength_nm[0])), min(how.window_nm[1], float(prepared.wavelength_nm[-1])))
    return Model(
        wavelength_nm=wavelength,
        light=prepared.integration_ms * prepared.power_relative,
        reached=reached_by(how.fluorophores, prepared.excitation_nm),
        emitters=emitters(how.fluorophores, own, covered),
        baseline=smooth_baseline(wavelength) if how.baseline == "smooth" else np.zeros((0, len(wavelength))),
        free=_free(how, transport, prepared.excitation_nm),
        blood=blood_transport(wavelength, prepared.excitation_nm) if transport == "joint" else None,
        log_reflectance=_log_reflectance(prepared, how, wavelength) if transport == "reflectance" else None,
        stray=_stray(prepared, wavelength),
    )


def _stray(prepared: Prepared, wavelength: Floats) -> Floats | None:
    """Return a column for what leaks of each excitation: how much of it tissue sends back, the fit says."""
    if prepared.stray is None:
        return None
    found = []
    for each in np.unique(prepared.excitation_nm):
        mine = np.flatnonzero(prepared.excitation_nm == each)
        column = np.zeros((len(prepared.excitation_nm), len(wavelength)))
        column[mine] = [np.interp(wavelength, prepared.wavelength_nm, prepared.stray[row]) for row in mine]
        found += [column] if column.any() else []
    return np.array(found) if found else None


def _free(how: Unmixing, transport: Transport, excitation_nm: Floats) -> tuple[Free, ...]:
    """Return the parameters that the model is not linear in."""
    free = [Free("shift", 0.0, -how.shift_bound_nm, how.shift_bound_nm, sd=how.shift_sd_nm)]
    if how.width == "fitted":
        free.append(_WIDTH)
    if transport == "joint":
        free += [Free("blood", sought_blood(0.01), 0.0, sought_blood(MOST_BLOOD)), Free("saturation", 0.65, 0.0, 1.0)]
    if transport == "reflectance":
        low, high = (0.0, 2.0) if how.exponent is None else (how.exponent, how.exponent)
        free.append(Free("exponent", 0.5 * (low + high) if how.exponent is not None else 0.5, low, high))
    if transport != "none":
        for place, each in enumerate(np.unique(excitation_nm)[1:], start=1):
            free.append(Free(f"gain{place}", 0.0, -3.0, 3.0, tuple(int(i) for i in np.flatnonzero(excitation_nm == each))))
    return tuple(free)


def _log_reflectance(prepared: Prepared, how: Unmixing, wavelength: Floats) -> Floats:
    """Return the log of the reflectance at the pixels, relative to its largest in the window."""
    inside = _window(prepared, how)
    values = np.full(0, np.nan) if prepared.reflectance is None else prepared.reflectance[inside]
    if not (values > 0).all():
        raise BadInput("The reflectance is zero, negative or missing within the fit window; measure the white frame again, or use 'joint'.")
    return np.asarray(np.log(np.interp(wavelength, prepared.wavelength_nm[inside], values) / values.max()))
