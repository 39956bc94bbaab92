"""A published formula applied exactly as it is written: transforms, one sum a row, one link, nothing left out or filled in unasked.

What a formula is made of stands in `formula_terms.py`; here the whole: logistic, linear, spline or Cox.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput, BadModelFile, BadSetting
from onclair.core.names import did_you_mean
from onclair.science.statistics.formula_terms import Input, Term, input_of, term_of

Floats = npt.NDArray[np.float64]
Family = Literal["logistic", "linear", "spline", "cox"]

_BASELINE_KEYS = ("horizon", "survival", "cumulative_hazard", "centre", "unit", "intercept")


@dataclass(frozen=True, slots=True)
class Baseline:
    """Cox's baseline: the cumulative hazard at each horizon for a linear predictor of `centre`.

    Attributes
    ----------
    horizons, cumulative_hazards : tuple of float
        Both rising.
    centre : float
        What is taken off the linear predictor first, 0 for most formulas.
    unit : str
        Of the horizons.
    """

    horizons: tuple[float, ...]
    cumulative_hazards: tuple[float, ...]
    centre: float = 0.0
    unit: str = ""

    def at(self, horizon: float | None) -> float:
        """Return the cumulative hazard at `horizon`, which may be left out where there is one.

        Raises
        ------
        BadSetting
            When the horizon is not among those published; nothing is interpolated.

        Examples
        --------
        >>> Baseline((1.0, 5.0), (0.02, 0.11)).at(5.0)
        0.11
        """
        known = ", ".join(f"{each:g}" for each in self.horizons) + (f" {self.unit}" if self.unit else "")
        if horizon is None and len(self.horizons) > 1:
            raise BadSetting(f"The formula has several horizons ({known}); say which.", item="horizon")
        wanted = self.horizons[0] if horizon is None else horizon
        for each, hazard in zip(self.horizons, self.cumulative_hazards, strict=True):
            if each == wanted:
                return hazard
        raise BadSetting(f"The formula has no baseline at the horizon {wanted:g}; published: {known}.", item="horizon")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that can be applied.

    Attributes
    ----------
    name : str
    family : {"logistic", "linear", "spline", "cox"}
        ``linear`` and ``spline`` give the sum itself, ``logistic`` its risk, ``cox`` the risk by a horizon.
    inputs : tuple of Input
    terms : tuple of Term
    intercept : float
    baseline : Baseline or None
        Of Cox.
    thresholds : tuple of float

    Examples
    --------
    >>> age = Formula("m", "logistic", (Input("age", "year"),), (Term("age", (0.5,)),), -1.0)
    >>> age.predict({"age": [2.0, 2.0]}).tolist(), age.risk({"age": 2.0})
    ([0.5, 0.5], 0.5)
    """

    name: str
    family: Family
    inputs: tuple[Input, ...]
    terms: tuple[Term, ...]
    intercept: float
    baseline: Baseline | None = None
    thresholds: tuple[float, ...] = ()

    def linear_predictor(self, table: Mapping[str, npt.ArrayLike]) -> Floats:
        """Return the intercept and all terms summed, shape (n,); each row's sum is rounded once.

        Parameters
        ----------
        table : mapping of str to array_like, shape (n,)
            Each input in its own unit (a DataFrame will do); text where the input has levels. NaN, None or an empty text is missing.

        Raises
        ------
        BadInput
            When an input is absent (nearest name offered), missing where nothing is said of what stands for it, outside its declared range,
            of an unknown level, or where its transform is not defined; the first row and the count are named.
        """
        columns = {each.name: each.read(_column(table, each.name)) for each in self.inputs}
        rows = {len(column) for column in columns.values()}
        if len(rows) > 1:
            raise BadInput(f"The inputs of the formula '{self.name}' have {sorted(rows)} rows; give one value of each a row.")
        parts = np.column_stack([np.full(max(rows, default=1), self.intercept), *(t.values(columns[t.input]) for t in self.terms)])
        return np.array([math.fsum(row) for row in parts.tolist()])

    def predict(self, table: Mapping[str, npt.ArrayLike], *, horizon: float | None = None) -> Floats:
        """Return the prediction for each row, shape (n,): a risk for logistic and Cox, the sum itself for linear and spline.

        Parameters
        ----------
        table : mapping of str to array_like, shape (n,)
            As :meth:`linear_predictor`, and errors as there.
        horizon : float, optional
            By when, for Cox; one of those published.

        Raises
        ------
        BadSetting
            For a horizon that the formula does not have.

        Examples
        --------
        Of patients like the baseline one, 10 % have the event by 5 years; at twice the hazard, 1 - .9 x .9.

        >>> cox = Formula("m", "cox", (Input("x"),), (Term("x", (math.log(2),)),), 0.0, Baseline((5.0,), (-math.log(0.9),)))
        >>> cox.predict({"x": [0.0, 1.0]}).round(12).tolist()
        [0.1, 0.19]
        """
        lp = self.linear_predictor(table)
        if self.baseline is not None:
            return np.asarray(-np.expm1(-self.baseline.at(horizon) * np.exp(np.minimum(lp - self.baseline.centre, 700.0))))
        if horizon is not None:
            raise BadSetting(f"The formula '{self.name}' is {self.family} and has no horizon; leave it out.", item="horizon")
        return np.asarray(special.expit(lp)) if self.family == "logistic" else lp

    def fault(self, inputs: Mapping[str, float | str | None]) -> str | None:
        """Return why one case cannot be predicted, in words, or None: an input missing, out of range or where its transform is undefined.

        Examples
        --------
        >>> Formula("m", "logistic", (Input("age", "year", 18, 100),), (Term("age", (0.5,)),), -1.0).fault({"age": 134.0})
        'age is outside its declared range, 18 to 100 year'
        """
        for each in self.inputs:
            value = inputs.get(each.name)
            filled = each.missing if value is None else value
            if not each.text and not isinstance(filled, str) and (said := each.fault(filled)) is not None:
                return said
        one: dict[str, npt.ArrayLike] = {each.name: np.array([inputs.get(each.name)], dtype=object) for each in self.inputs}
        try:
            self.linear_predictor(one)
        except BadInput as error:
            return str(error).replace(" in row 0", "").removesuffix("; check its unit.")
        return None

    def risk(self, inputs: Mapping[str, float | str], *, horizon: float | None = None) -> float:
        """Return the prediction for one case; arguments and errors as :meth:`predict`."""
        one = {name: [value] for name, value in inputs.items()}
        return float(self.predict(one, horizon=horizon)[0])


def formula_of(document: Mapping[str, Any]) -> Formula:
    """Return the formula in a document of ``onclair-model/1``, checked to the last coefficient.

    Parameters
    ----------
    document : mapping
        ``name family inputs terms intercept baseline thresholds`` as :mod:`onclair.io.models` reads them.

    Raises
    ------
    BadModelFile
        For a family that is no formula, anything in ``extra`` (a calibrator, say, which would be left out), a missing intercept, baseline
        or coefficient, an unknown transform or baseline key (nearest name offered), knots that do not rise, coefficients of another number
        than knots or levels need, or a range that runs down.

    Examples
    --------
    >>> typed = {"name": "m", "family": "logistic", "intercept": -2.0, "terms": [{"input": "sex", "levels": {"F": 0.0, "M": 2.0}}]}
    >>> formula_of(typed).predict({"sex": ["M", "F"]}).round(4).tolist()
    [0.5, 0.1192]
    """
    name, family = str(document["name"]), document["family"]
    if family not in get_args(Family):
        said = f"The model '{name}' is of the family '{family}', which is no formula"
        raise BadModelFile(f"{said}; {did_you_mean(str(family), get_args(Family))}", item="family")
    if document.get("extra"):
        said = f"The model '{name}' holds more than a formula ({', '.join(document['extra'])}), which would be left out"
        raise BadModelFile(f"{said}; apply it as the model that it is, or write the formula out.", item="extra")
    terms = tuple(term_of(term) for term in document.get("terms") or ())
    if not terms:
        raise BadModelFile(f"The formula '{name}' has no terms; write one for each coefficient.", item="terms")
    listed = tuple(input_of(item) for item in document.get("inputs") or ())
    inputs = listed or tuple(Input(each) for each in dict.fromkeys(term.input for term in terms))
    texts = {term.input for term in terms if term.levels}
    inputs = tuple(each.as_text() if each.name in texts else each for each in inputs)
    intercept = document.get("intercept")
    if intercept is None and family != "cox":
        raise BadModelFile(f"The formula '{name}' has no intercept; write it as a number, 0 where there is none.", item="intercept")
    baseline = _baseline(name, document.get("baseline"), intercept) if family == "cox" else None
    constant = 0.0 if intercept is None or _is_log_hazard(document) else float(intercept)
    return Formula(name, family, inputs, terms, constant, baseline, _thresholds(document.get("thresholds")))


def _column(table: Mapping[str, npt.ArrayLike], name: str) -> npt.NDArray[Any]:
    if name not in table:
        raise BadInput(f"The table has no column '{name}', an input of the formula; {did_you_mean(name, map(str, table))}", item=name)
    values = np.asarray(table[name])
    return np.atleast_1d(values)


def _is_log_hazard(document: Mapping[str, Any]) -> bool:
    """Return whether the intercept is the log of the cumulative hazard at the horizon, as models learnt by Onclair have it."""
    return document["family"] == "cox" and "intercept" in (document.get("baseline") or {})


def _baseline(name: str, given: Any, intercept: float | None) -> Baseline:
    if not isinstance(given, Mapping) or "horizon" not in given:
        said = f"The Cox formula '{name}' has no baseline with a horizon"
        raise BadModelFile(f"{said}; without the baseline survival or cumulative hazard there is no risk: add it.", item="baseline")
    for key in given:
        if key not in _BASELINE_KEYS:
            raise BadModelFile(
                f"The baseline of '{name}' has an unknown key '{key}'; {did_you_mean(str(key), _BASELINE_KEYS)}", item=str(key)
            )
    horizons = _numbers(given["horizon"], "horizon", name)
    if "intercept" in given:
        if intercept is None or len(horizons) != 1:
            raise BadModelFile(
                f"The baseline of '{name}' is its intercept, which needs a number and one horizon; add them.", item="baseline"
            )
        hazards: tuple[float, ...] = (math.exp(intercept),)
    elif "survival" in given:
        survival = _numbers(given["survival"], "survival", name)
        if not all(0 < s <= 1 for s in survival):
            raise BadModelFile(f"The baseline survival of '{name}' is {list(survival)}; it lies above 0 and at most at 1.", item="survival")
        hazards = tuple(-math.log(s) for s in survival)
    else:
        hazards = _numbers(given.get("cumulative_hazard"), "cumulative_hazard", name)
    rises = all(a < b for a, b in pairwise(horizons)) and all(a <= b for a, b in pairwise(hazards))
    if len(horizons) != len(hazards) or not rises or horizons[0] <= 0 or hazards[0] < 0:
        said = f"The baseline of '{name}' has the horizons {list(horizons)} and cumulative hazards {[round(h, 6) for h in hazards]}"
        raise BadModelFile(f"{said}; give one hazard (or survival) for each horizon, both rising with time.", item="baseline")
    centre = _numbers(given.get("centre", 0.0), "centre", name)[0]
    return Baseline(horizons, hazards, centre, str(given.get("unit") or ""))


def _numbers(given: Any, key: str, name: str) -> tuple[float, ...]:
    values: Sequence[Any] = given if isinstance(given, list | tuple) else [given]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadModelFile(f"The {key} in the baseline of '{name}' is {value!r}; write a number, or a list of them.", item=key)
    if not values:
        raise BadModelFile(f"The {key} in the baseline of '{name}' is empty; write a number, or a list of them.", item=key)
    return tuple(float(value) for value in values)


def _thresholds(given: Any) -> tuple[float, ...]:
    values: Sequence[Any] = given if isinstance(given, list | tuple) else [] if given is None else [given]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadModelFile(f"A threshold of the model is {value!r}; write numbers.", item="thresholds")
    return tuple(float(value) for value in values)
