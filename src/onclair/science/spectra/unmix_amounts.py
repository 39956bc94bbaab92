"""What a fit says of each amount: value, error, interval, and whether it can be told at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.canonical import plain_float
from onclair.science.spectra.bases import ALIKE, PORPHYRINS
from onclair.science.spectra.unmix_fit import Fit
from onclair.science.spectra.unmix_model import BLOOD_SCALE, Model, blood_fraction

Floats = npt.NDArray[np.float64]
Status = Literal["ok", "at_bound", "not_identifiable"]

#: An excitation that reaches a fluorophore by less cannot measure it: the efficiency itself is not known that well.
LEAST_EFFICIENCY = 0.05
#: An amount whose error exceeds this many times the largest amount of the fit is not identifiable.
MOST_ERRORS = 10.0
#: A saturation whose error exceeds this says nothing.
MOST_SATURATION_ERROR = 0.5
#: So small a part of its error is the solver's rounding.
_NOTHING = 1e-6
_TWO_SIDED, _ONE_SIDED = 1.959964, 1.644854
#: Ratio -> its two sides; AF stands for all but PpIX.
RATIOS: Mapping[str, tuple[str, str]] = {
    "634/AF": ("PpIX634", "AF"),
    "620/AF": ("PpIX620", "AF"),
    "620/634": ("PpIX620", "PpIX634"),
    "634/FAD": ("PpIX634", "FAD"),
    "620/FAD": ("PpIX620", "FAD"),
    "NADH/FAD": ("NADH", "FAD"),
    "Lipofuscin/AF": ("Lipofuscin", "AF"),
}


#: Free parameter -> why it has no value, and what it means that it lies at its bound.
_UNTOLD = {
    "shift": "nothing in the counts tells the shift",
    "width": "nothing in the counts tells the width",
    "blood": "nothing in the counts tells the blood",
    "saturation": "nothing in the counts tells the saturation",
}
_AT_ITS_END = {
    "shift": "the shift lies at the end of its range, ",
    "width": "the width lies at the end of its range, ",
    "blood": "the blood lies at the end of its range, ",
    "saturation": "the saturation lies at the end of its range, ",
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A fitted value with its 95 % interval, or the reason why there is none.

    Attributes
    ----------
    value, se, low, high : float or None
        None where the status is ``not_identifiable``. At a bound: value and low 0, high the one-sided 95 % upper limit.
    status : {"ok", "at_bound", "not_identifiable"}
    reason : str
        Empty where the status is ``ok``.

    Examples
    --------
    >>> Amount(2.0, 0.1, 1.8, 2.2).as_dict()["status"]
    'ok'
    """

    value: float | None
    se: float | None
    low: float | None
    high: float | None
    status: Status = "ok"
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the amount as plain JSON values."""
        numbers = {name: plain_float(getattr(self, name)) for name in ("value", "se", "low", "high")}
        return {**numbers, "status": self.status, **({"reason": self.reason} if self.reason else {})}


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A fit and what its parameters are called.

    Attributes
    ----------
    fluorophores, names : tuple of str
    model : Model
    fit : Fit
    chi2 : float
    excitations : int
        How many different ones.
    """

    fluorophores: tuple[str, ...]
    names: tuple[str, ...]
    model: Model
    fit: Fit
    chi2: float
    excitations: int


def told(about: Told) -> dict[str, Any]:
    """Return abundances, shift, width, blood, ratios, covariance, status and reason of a fit, by their names in ``Unmixed``."""
    inverse = covariance_of(about.fit.information)
    sought = with_held(inverse, about.fit.held, max(1.0, about.chi2))
    covariance, values = _by_fraction(about, sought)
    amounts = _abundances(about, covariance)
    shift = _within(about, "shift", covariance, inverse)
    status, reason = _verdict(about, amounts, shift)
    return {
        "abundances": amounts,
        "shift_nm": shift,
        "width": _within(about, "width", covariance, inverse) if "width" in about.names else Amount(1.0, 0.0, 1.0, 1.0),
        "blood": _blood(about, sought, inverse),
        "ratios": ratios_of(about.names, values, covariance, amounts),
        "covariance": covariance,
        "values": values,
        "status": status,
        "reason": reason,
    }


def covariance_of(information: Floats) -> Floats:
    """Return the inverse of a Fisher information; a parameter of which nothing is known gets an infinite variance.

    Examples
    --------
    >>> covariance_of(np.diag([4.0, 0.0]))
    array([[0.25, 0.  ],
           [0.  ,  inf]])
    """
    known = np.diag(information) > 0
    scale = 1.0 / np.sqrt(np.diag(information)[known])
    values, vectors = np.linalg.eigh(information[np.ix_(known, known)] * scale[:, None] * scale)
    inverse = (vectors / np.maximum(values, 1e-14)) @ vectors.T * scale[:, None] * scale
    covariance = np.diag(np.where(known, 0.0, np.inf))
    covariance[np.ix_(known, known)] = inverse
    return covariance


def with_held(inverse: Floats, held: Floats, chi2: float) -> Floats:
    """Return the covariance of a fit: its noise, and what the parameters that were held may have moved it by.

    ``C = chi2 F^-1 + sum_h (F^-1 g_h) (F^-1 g_h)'``; the second does not fall with more counts.

    Parameters
    ----------
    inverse : ndarray, shape (m, m)
        Of the Fisher information; an infinite variance stays one.
    held : ndarray, shape (h, m)
        g, see :class:`~onclair.science.spectra.unmix_fit.Fit`.
    chi2 : float

    Examples
    --------
    >>> with_held(np.diag([4.0, 1.0]), np.array([[1.0, 0.0]]), 1.0)
    array([[20.,  0.],
           [ 0.,  1.]])
    """
    known = np.isfinite(np.diag(inverse))
    found = inverse * chi2
    moved = held[:, known] @ inverse[np.ix_(known, known)]
    found[np.ix_(known, known)] += moved.T @ moved
    return found


def identifiable(names: Sequence[str], reached: Floats, excitations: int) -> dict[str, str]:
    """Return the fluorophores that the excitations at hand cannot tell, each with the reason; none where all can be told.

    Parameters
    ----------
    names : sequence of str
    reached : ndarray, shape (e, k)
        Efficiency of each excitation.
    excitations : int
        How many different ones.

    Examples
    --------
    >>> list(identifiable(["NADH", "FAD"], np.array([[0.029, 0.535]]), 1))
    ['NADH']
    """
    reasons = {}
    for name, most in zip(names, reached.max(axis=0), strict=True):
        if most < LEAST_EFFICIENCY:
            reasons[name] = f"no excitation reaches {name} (efficiency {most:.3f}, at least {LEAST_EFFICIENCY:g} is needed)"
    for group in ALIKE if excitations == 1 else ():
        present = [name for name in names if name in group and name not in reasons]
        if len(present) > 1:
            reasons |= dict.fromkeys(
                present, f"one excitation does not tell {' + '.join(present)} apart: name one of them or add an excitation"
            )
    return reasons


def ratios_of(names: Sequence[str], values: Floats, covariance: Floats, amounts: Mapping[str, Amount]) -> dict[str, Amount]:
    """Return the ratios whose two sides were fitted, with errors by the delta method on the logarithm.

    Parameters
    ----------
    names : sequence of str
        Of `values` and of the rows of `covariance`.
    values : ndarray, shape (m,)
    covariance : ndarray, shape (m, m)
    amounts : mapping of str to Amount
        Which of the names are fluorophores, and which of those can be told.

    Returns
    -------
    dict of str to Amount
        ``at_bound`` with value 0 where the numerator is at its bound; ``not_identifiable`` where a side cannot be told or is 0.
    """
    others = [name for name, each in amounts.items() if name not in PORPHYRINS and not _unreached(each)]
    sides = {name: [name] for name in amounts} | ({"AF": others} if others else {})
    place = {name: i for i, name in enumerate(names)}
    found = {}
    for label, (above, below) in RATIOS.items():
        if above in sides and below in sides:
            rows = [np.isin(np.arange(len(names)), [place[name] for name in sides[each]]).astype(float) for each in (above, below)]
            cannot = [each for each in (above, below) if each in amounts and amounts[each].status == "not_identifiable"]
            found[label] = _ratio(rows, values, covariance, cannot)
    return found


def _ratio(rows: list[Floats], values: Floats, covariance: Floats, cannot: list[str]) -> Amount:
    above, below = (float(row @ values) for row in rows)
    if cannot or not below > 0:
        reason = f"{' + '.join(cannot)} cannot be told" if cannot else "what it is divided by is 0"
        return Amount(None, None, None, None, "not_identifiable", reason)
    ratio = above / below
    slope = rows[0] / below - rows[1] * ratio / below
    used = slope != 0
    se = float(np.sqrt(slope[used] @ covariance[np.ix_(used, used)] @ slope[used]))
    if above <= _NOTHING * se * below:
        return Amount(0.0, se, 0.0, _ONE_SIDED * se, "at_bound", "the amount above is at its bound")
    spread = np.exp(min(_TWO_SIDED * se / ratio, 50.0))
    return Amount(ratio, se, float(ratio / spread), float(ratio * spread))


def _unreached(amount: Amount) -> bool:
    return amount.status == "not_identifiable" and amount.reason.startswith("no excitation")


def _abundances(about: Told, covariance: Floats) -> dict[str, Amount]:
    cannot = identifiable(about.fluorophores, about.model.reached, about.excitations)
    scale = max((float(v) for n, v in zip(about.fluorophores, about.fit.amounts, strict=False) if n not in cannot), default=0.0)
    found = {}
    for i, name in enumerate(about.fluorophores):
        se = float(np.sqrt(covariance[i, i]))
        reason = cannot.get(name)
        if reason is None and not se <= MOST_ERRORS * scale:
            reason = f"the error of {name} exceeds {MOST_ERRORS:g} times the largest amount"
        found[name] = Amount(None, None, None, None, "not_identifiable", reason) if reason else _amount(float(about.fit.amounts[i]), se)
    return found


def _amount(value: float, se: float) -> Amount:
    if value <= _NOTHING * se:
        return Amount(0.0, se, 0.0, _ONE_SIDED * se, "at_bound", "no amount is needed to explain the counts")
    return Amount(value, se, max(0.0, value - _TWO_SIDED * se), value + _TWO_SIDED * se)


def _within(about: Told, name: str, covariance: Floats, inverse: Floats) -> Amount:
    """Return one free parameter and whether it lies at a bound."""
    place = about.names.index(name)
    free = next(each for each in about.model.free if each.name == name)
    value, se = float(about.fit.theta[about.model.free.index(free)]), float(np.sqrt(covariance[place, place]))
    if not np.isfinite(se):
        return Amount(None, None, None, None, "not_identifiable", _UNTOLD[name])
    edge = 1e-9 * (free.high - free.low)
    low, high = max(free.low, value - _TWO_SIDED * se), min(free.high, value + _TWO_SIDED * se)
    told_before = min(float(inverse[place, place]) / free.sd**2, 0.9)
    alone = free.start + (value - free.start) / (1.0 - told_before)  # where the counts alone would put it
    if free.low < free.high and not free.low + edge < alone < free.high - edge:
        return Amount(value, se, low, high, "at_bound", f"{_AT_ITS_END[name]}{value:g}")
    return Amount(value, se, low, high)


def _by_fraction(about: Told, covariance: Floats) -> tuple[Floats, Floats]:
    """Return covariance and values with the blood fraction in the place of the parameter by which it is sought."""
    values = np.concatenate([about.fit.amounts, about.fit.theta])
    slope = np.ones(len(values))
    if "blood" in about.names:
        place = about.names.index("blood")
        values[place] = blood_fraction(values[place])
        slope[place] = values[place] + BLOOD_SCALE
    return covariance * slope[:, None] * slope, values


def _blood(about: Told, covariance: Floats, inverse: Floats) -> dict[str, Amount]:
    if "blood" not in about.names:
        return {}
    sought, sto2 = (_within(about, name, covariance, inverse) for name in ("blood", "saturation"))
    fraction = sought
    if sought.value is not None and sought.se is not None and sought.low is not None and sought.high is not None:
        value, low, high = (blood_fraction(each) for each in (sought.value, sought.low, sought.high))
        fraction = Amount(value, (value + BLOOD_SCALE) * sought.se, low, high, sought.status, sought.reason and "no blood is needed")
    if sto2.se is not None and sto2.se > MOST_SATURATION_ERROR:
        sto2 = Amount(None, None, None, None, "not_identifiable", "there is too little blood to tell its saturation")
    return {"fraction": fraction, "sto2": sto2}


def _verdict(about: Told, amounts: Mapping[str, Amount], shift: Amount) -> tuple[Status, str]:
    """Return status and reason of the point as a whole."""
    if all(each.status == "not_identifiable" for each in amounts.values()):
        return "not_identifiable", "no fluorophore can be told from these counts"
    if not about.fit.converged:
        return "not_identifiable", "the fit did not settle: the counts are not what the model describes"
    if shift.status == "at_bound":
        return "at_bound", f"the shift lies at its bound, {shift.value:g} nm: calibrate the wavelengths"
    return "ok", ""
