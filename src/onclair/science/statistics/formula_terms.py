"""What a formula is made of: inputs with unit and range, and terms that transform one input each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile
from onclair.core.names import did_you_mean
from onclair.science.statistics.splines import restricted_cubic

Floats = npt.NDArray[np.float64]

#: Transforms that take a number each, by their word in the model file.
ELEMENTWISE: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "identity": lambda x: x,
        "linear": lambda x: x,
        "log": np.log,
        "log1p": np.log1p,
        "log2": np.log2,
        "log10": np.log10,
        "exp": np.exp,
        "sqrt": np.sqrt,
        "square": np.square,
        "cube": lambda x: x**3,
        "inverse": lambda x: 1 / x,
    }
)
#: All transforms: ``rcs`` is a restricted cubic spline and ``winsor`` pulls values in to two limits, both by `knots`.
TRANSFORMS = (*ELEMENTWISE, "rcs", "winsor", "levels")
#: How models learnt by Onclair write their signed logarithm.
_SIGNED_LOG = re.compile(r"^sign\(x\) log\(1 \+ \|x\| / ([-+.\deE]+)\)$")


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a formula.

    Attributes
    ----------
    name, unit : str
    low, high : float or None
        The range that it was made for; None where no end was declared.
    missing : float or None
        What stands for a missing value; None refuses it.
    text : bool
        Whether it is a word among levels.
    """

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    missing: float | None = None
    text: bool = False

    def as_text(self) -> Input:
        """Return the input as one that takes words.

        Examples
        --------
        >>> Input("sex").as_text().text
        True
        """
        return replace(self, text=True)

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

    def read(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a column (n,) as float64, or as words, with missing values filled where the formula says by what.

        Raises
        ------
        BadInput
            For text where a number is meant, and for a missing value or one outside the range; the first row and the count are named.

        Examples
        --------
        >>> Input("age", missing=60.0).read(np.array([50.0, np.nan])).tolist()
        [50.0, 60.0]
        """
        if self.text:
            words = np.array([as_word(value) for value in values], dtype=object)
            self._refuse(words == "", "is missing", values)
            return words
        try:
            x = np.array([np.nan if value is None or (isinstance(value, str) and not value) else float(value) for value in values])
        except (TypeError, ValueError) as error:
            raise BadInput(f"The input '{self.name}' holds what is no number ({error}); correct the table.", item=self.name) from None
        if self.missing is not None:
            x = np.where(np.isnan(x), self.missing, x)
        self._refuse(~np.isfinite(x), "is missing", values)
        low, high = -np.inf if self.low is None else self.low, np.inf if self.high is None else self.high
        self._refuse((x < low) | (x > high), f"is outside its declared range, {self._range()}", values)
        return x

    def _refuse(self, bad: npt.NDArray[np.bool_], what: str, values: npt.NDArray[Any]) -> None:
        if bad.any():
            at = int(np.argmax(bad))
            more = f" (and {int(bad.sum()) - 1} rows more)" if bad.sum() > 1 else ""
            raise BadInput(
                f"The input {self.name} of row {at} is {values[at]!s}, which {what}{more}; correct it or leave it out.", item=self.name
            )

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}{unit}"
        return f"at most {self.high:g}{unit}" if self.high is not None else f"at least {self.low}{unit}"


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the linear predictor.

    Attributes
    ----------
    input : str
    coefficients : tuple of float
        One; for ``rcs`` one fewer than knots (the input itself first); for ``levels`` one a level.
    transform : str
        Of ``TRANSFORMS``, or Onclair's signed logarithm as it writes it.
    knots : tuple of float
        Of ``rcs``, rising, at least three; the two limits of ``winsor``.
    levels : tuple of str
    """

    input: str
    coefficients: tuple[float, ...]
    transform: str = "identity"
    knots: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()

    def values(self, x: npt.NDArray[Any]) -> Floats:
        """Return the term for each value (n,).

        Raises
        ------
        BadInput
            Where the transform is not defined, or for a level that the formula does not have; the first row is named.

        Examples
        --------
        At 2, with knots 0, 1, 2, the spline's terms are 2 and 1.5:

        >>> Term("x", (1.0, 2.0), "rcs", (0.0, 1.0, 2.0)).values(np.array([2.0])).tolist()
        [5.0]
        >>> Term("sex", (0.0, 0.3), "levels", levels=("F", "M")).values(np.array(["M", "F"], dtype=object)).tolist()
        [0.3, 0.0]
        """
        if self.levels:
            return self._of_level(x)
        with np.errstate(all="ignore"):
            moved = np.asarray(self._moved(x) @ np.array(self.coefficients))
        bad = ~np.isfinite(moved)
        if bad.any():
            at = int(np.argmax(bad))
            said = f"{self.input} is {x[at]:g} in row {at}, of which '{self.transform}' cannot be taken"
            raise BadInput(f"{said}; check its unit.", item=self.input)
        return moved

    def _moved(self, x: Floats) -> Floats:
        """Return the columns (n, coefficients) that the coefficients weigh."""
        return restricted_cubic(x, self.knots) if self.transform == "rcs" else np.asarray(self._transformed(x))[:, None]

    def _transformed(self, x: Floats) -> Floats:
        if self.transform == "winsor":
            return np.asarray(np.clip(x, self.knots[0], self.knots[1]))
        if (signed := _SIGNED_LOG.match(self.transform)) is not None:
            return np.asarray(np.sign(x) * np.log1p(np.abs(x) / float(signed.group(1))))
        return ELEMENTWISE[self.transform](x)

    def _of_level(self, words: npt.NDArray[Any]) -> Floats:
        by_level = dict(zip(self.levels, self.coefficients, strict=True))
        for at, word in enumerate(words):
            if word not in by_level:
                said = f"{self.input} is '{word}' in row {at}, which the formula does not know"
                raise BadInput(f"{said}; {did_you_mean(str(word), by_level)}", item=self.input)
        return np.array([by_level[word] for word in words], dtype=np.float64)


def input_of(item: Mapping[str, Any]) -> Input:
    """Return an input from ``name unit low high missing``.

    Raises
    ------
    BadModelFile
        When the range runs down, or what stands for a missing value lies outside it.

    Examples
    --------
    >>> input_of({"name": "age", "low": 18, "high": 100}).high
    100
    """
    name, low, high, missing = item["name"], item.get("low"), item.get("high"), item.get("missing")
    if low is not None and high is not None and low > high:
        raise BadModelFile(f"The range of the input '{name}' runs from {low:g} down to {high:g}; swap its ends.", item=name)
    if missing is not None and (isinstance(missing, str | bool) or not isinstance(missing, int | float)):
        raise BadModelFile(f"What stands for a missing '{name}' is {missing!r}; write a number, or null to refuse it.", item=name)
    found = Input(name, str(item.get("unit") or ""), low, high, missing)
    if missing is not None and found.fault(missing) is not None:
        raise BadModelFile(f"What stands for a missing '{name}' is {missing:g}, but {found.fault(missing)}; correct one.", item=name)
    return found


def term_of(term: Mapping[str, Any]) -> Term:
    """Return a term from ``input transform knots levels coefficient``.

    Parameters
    ----------
    term : mapping
        ``levels`` is a table of level to coefficient, or a list of levels beside a list of coefficients; ``coefficient`` is a number, or a
        list for ``rcs``.

    Raises
    ------
    BadModelFile
        For an unknown transform (nearest name offered), knots that are none or do not rise, or a missing or extra coefficient.

    Examples
    --------
    >>> term_of({"input": "age", "transform": "rcs", "knots": [40, 60, 80], "coefficient": [0.1, -0.2]}).knots
    (40.0, 60.0, 80.0)
    """
    name, knots = str(term["input"]), _row(term, "knots")
    if term.get("levels"):
        levels, coefficients = _levels(name, term)
        if term.get("transform") not in (None, "levels") or knots:
            raise BadModelFile(f"The term on '{name}' has levels, and so neither knots nor another transform; drop one.", item=name)
        return Term(name, coefficients, "levels", levels=levels)
    transform = str(term.get("transform") or "identity")
    if transform == "levels" or (transform not in TRANSFORMS and not _SIGNED_LOG.match(transform)):
        what = "needs 'levels'" if transform == "levels" else f"is unknown; {did_you_mean(transform, TRANSFORMS)}"
        raise BadModelFile(f"The term on '{name}' has the transform '{transform}', which {what}", item=name)
    wanted = {"rcs": "three knots or more", "winsor": "two limits"}.get(transform, "no knots")
    enough = {"rcs": len(knots) >= 3, "winsor": len(knots) == 2}.get(transform, not knots)
    if not enough or not all(a < b for a, b in pairwise(knots)):
        raise BadModelFile(f"The term on '{name}' has the knots {list(knots)}; '{transform}' takes {wanted}, rising.", item=name)
    coefficients = _row(term, "coefficient")
    need = len(knots) - 1 if transform == "rcs" else 1
    if len(coefficients) != need:
        found = f"The term on '{name}' has {len(coefficients) or 'no'} coefficients where '{transform}' takes {need}"
        raise BadModelFile(f"{found}; write every coefficient as a number.", item=name)
    return Term(name, coefficients, transform, knots)


def _levels(name: str, term: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    given, coefficients = term["levels"], _row(term, "coefficient")
    if isinstance(given, Mapping):
        if coefficients:
            raise BadModelFile(f"The term on '{name}' gives coefficients both by level and apart; keep one.", item=name)
        coefficients = _row({"input": name, "coefficient": list(given.values())}, "coefficient")
    levels = tuple(as_word(level) for level in given)
    if len(set(levels)) != len(levels) or len(levels) != len(coefficients):
        found = f"The term on '{name}' has {len(levels)} levels ({', '.join(levels)}) and {len(coefficients)} coefficients"
        raise BadModelFile(f"{found}; give one for each, 0 for the reference, and no level twice.", item=name)
    return levels, coefficients


def _row(term: Mapping[str, Any], key: str) -> tuple[float, ...]:
    given = term.get(key)
    values: Sequence[Any] = [] if given is None else given if isinstance(given, list | tuple) else [given]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadModelFile(f"The {key} of '{term['input']}' is {value!r}; it must be a number.", item=str(term["input"]))
    return tuple(float(value) for value in values)


def as_word(value: Any) -> str:
    """Return a cell as a person writes it: 1, 1.0 and true are "1", spaces around it are nothing, missing is empty.

    Examples
    --------
    >>> as_word(1.0), as_word(True), as_word(" F "), as_word(None), as_word(float("nan"))
    ('1', '1', 'F', '', '')
    """
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
