"""Risks of a published logistic formula, exactly as it is written: one sum, one logistic function, nothing filled in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onclair.core.errors import BadInput, BadModelFile
from onclair.core.names import did_you_mean
from onclair.io.models import ModelRecord

#: What a term may do to its input, by the word in the model file.
TRANSFORMS: Mapping[str, Callable[[float], float]] = {
    "identity": lambda x: x,
    "linear": lambda x: x,
    "log": math.log,
    "log1p": math.log1p,
    "log2": math.log2,
    "log10": math.log10,
    "sqrt": math.sqrt,
    "square": lambda x: x * x,
    "inverse": lambda x: 1 / x,
}


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a formula: its name, its unit and the range that it was made for; None where no end was declared."""

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None

    def fault(self, value: float | None) -> str | None:
        """Return what is wrong with a value, in words, or None.

        Examples
        --------
        >>> Input("age", "year", 18, 100).fault(134), Input("age").fault(None), Input("age").fault(134)
        ('age is outside its declared range, 18 to 100 year', 'age is missing or no number', None)
        """
        if value is None or not math.isfinite(value):
            return f"{self.name} is missing or no number"
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            return f"{self.name} is outside its declared range, {self._range()}"
        return None

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None or self.high is None:
            return f"at most {self.high:g}{unit}" if self.low is None else f"at least {self.low:g}{unit}"
        return f"{self.low:g} to {self.high:g}{unit}"


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the linear predictor: ``coefficient * transform(input)``."""

    input: str
    transform: str
    coefficient: float

    def value(self, inputs: Mapping[str, float]) -> float:
        """Return the term for one case.

        Raises
        ------
        BadInput
            When the input lies where the transform is not defined.
        """
        said = self.fault(inputs)
        if said:
            raise BadInput(f"{said}; check its unit.", item=self.input)
        return self.coefficient * TRANSFORMS[self.transform](inputs[self.input])

    def fault(self, inputs: Mapping[str, float]) -> str | None:
        """Return why the transform of the input cannot be taken, or None."""
        x = inputs[self.input]
        try:
            TRANSFORMS[self.transform](x)
        except (ValueError, ZeroDivisionError, OverflowError):
            return f"{self.input} is {x:g}, of which '{self.transform}' cannot be taken"
        return None


@dataclass(frozen=True, slots=True)
class Formula:
    """A logistic formula: ``risk = 1 / (1 + exp(-(intercept + sum of terms)))``."""

    name: str
    inputs: tuple[Input, ...]
    terms: tuple[Term, ...]
    intercept: float
    thresholds: tuple[float, ...] = ()

    def fault(self, inputs: Mapping[str, float | None]) -> str | None:
        """Return what keeps a case from being predicted, in words, or None.

        Examples
        --------
        >>> Formula("m", (Input("x"),), (Term("x", "log", 0.5),), -1.0).fault({"x": 0.0})
        "x is 0, of which 'log' cannot be taken"
        """
        for each in self.inputs:
            if (said := each.fault(inputs.get(each.name))) is not None:
                return said
        known = {name: value for name, value in inputs.items() if value is not None}
        return next((said for term in self.terms if (said := term.fault(known))), None)

    def risk(self, inputs: Mapping[str, float]) -> float:
        """Return the risk of one case, in (0, 1); the sum is exact before it is rounded once.

        Parameters
        ----------
        inputs : mapping of str to float
            Every input of the formula, in its unit.

        Raises
        ------
        BadInput
            When an input lies where its transform is not defined.

        Examples
        --------
        >>> Formula("m", (Input("x"),), (Term("x", "linear", 0.5),), -1.0).risk({"x": 2.0})
        0.5
        """
        lp = math.fsum([self.intercept, *(term.value(inputs) for term in self.terms)])
        return 1 / (1 + math.exp(-lp)) if lp >= 0 else math.exp(lp) / (1 + math.exp(lp))


def logistic_formula(record: ModelRecord) -> Formula:
    """Return the formula in a model record.

    Parameters
    ----------
    record : ModelRecord
        Of the family ``logistic``, without arrays or trees; each term has one input, one transform and one coefficient.

    Raises
    ------
    BadModelFile
        For another family, calibrators or other extras that a formula cannot hold, an unknown transform (nearest name offered), a
        missing intercept or coefficient, or a range that runs down.

    Examples
    --------
    >>> logistic_formula(ModelRecord({"format": "onclair-model/1", "name": "m", "family": "logistic", "outcome": "y", "intercept": 0,
    ...     "terms": [{"input": "age", "coefficient": 0.1}]})).inputs[0].name
    'age'
    """
    document = record.document
    name, family = str(document["name"]), document["family"]
    if family != "logistic" or record.arrays or record.trees is not None:
        raise BadModelFile(
            f"The model '{name}' is of the family '{family}'; a protocol takes a logistic formula in one JSON file.", item=name
        )
    if document.get("extra"):
        said = ", ".join(document["extra"])
        raise BadModelFile(
            f"The model '{name}' holds more than a formula ({said}); a protocol would leave that out: write it out.", item=name
        )
    if document.get("intercept") is None or not document["terms"]:
        raise BadModelFile(f"The model '{name}' has no intercept or no terms; write both, the intercept as a number.", item="intercept")
    listed = [_input(item) for item in document["inputs"]]
    inputs = listed or [Input(each) for each in dict.fromkeys(term["input"] for term in document["terms"])]
    terms = tuple(_term(term) for term in document["terms"])
    return Formula(name, tuple(inputs), terms, float(document["intercept"]), _thresholds(document.get("thresholds")))


def _input(item: Mapping[str, Any]) -> Input:
    low, high = item.get("low"), item.get("high")
    if low is not None and high is not None and low > high:
        raise BadModelFile(f"The range of the input '{item['name']}' runs from {low:g} down to {high:g}; swap its ends.", item=item["name"])
    return Input(item["name"], str(item.get("unit") or ""), low, high)


def _term(term: Mapping[str, Any]) -> Term:
    name, transform = term["input"], term.get("transform") or "identity"
    if term.get("levels") or term.get("knots"):
        said = f"The term on '{name}' has levels or knots, which a protocol's formula does not take; code levels as inputs of 0 and 1."
        raise BadModelFile(said, item=name)
    if transform not in TRANSFORMS:
        said = f"The term on '{name}' has the unknown transform '{transform}'; {did_you_mean(str(transform), TRANSFORMS)}"
        raise BadModelFile(said, item=name)
    if term.get("coefficient") is None:
        raise BadModelFile(f"The term on '{name}' has no coefficient; write it as a number.", item=name)
    return Term(name, transform, float(term["coefficient"]))


def _thresholds(given: Any) -> tuple[float, ...]:
    values: Sequence[Any] = given if isinstance(given, list) else [] if given is None else [given]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
            raise BadModelFile(f"A threshold of the model is {value!r}; thresholds are risks between 0 and 1.", item="thresholds")
    return tuple(float(value) for value in values)
