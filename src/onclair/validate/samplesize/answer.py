"""What plans of sample size share: the answer, and the checks of what it was asked with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onclair.core.errors import BadSetting

#: Normal quantile of a 95 % interval, as the papers print it.
Z95 = 1.96


@dataclass(frozen=True, slots=True)
class SampleSize:
    """The patients that each criterion asks for.

    Attributes
    ----------
    criteria : mapping of str to int
        Patients by criterion.
    figures : mapping of str to float
        What went with it: R2, the largest R2 possible, events, events a parameter, intervals.
    method : str
        Whose criteria, with the DOI.
    warnings : tuple of mapping
        ``code`` and ``text``.
    """

    criteria: Mapping[str, int]
    figures: Mapping[str, float]
    method: str
    warnings: tuple[Mapping[str, str], ...] = ()

    @property
    def n(self) -> int:
        """Patients that meet every criterion."""
        return max(self.criteria.values())

    @property
    def decided_by(self) -> str:
        """The first criterion that asks for the most."""
        return max(self.criteria, key=lambda name: self.criteria[name])

    def as_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "criteria": dict(self.criteria),
            "n": self.n,
            "decided_by": self.decided_by,
            "figures": dict(self.figures),
            "method": self.method,
            "warnings": [dict(warning) for warning in self.warnings],
        }


def whole(n: float) -> int:
    """Return whole patients, rounded up; a rounding error of the arithmetic makes none.

    Raises
    ------
    BadSetting
        From a thousand million on.

    Examples
    --------
    >>> whole(220.85), whole(401.0000000001)
    (221, 401)
    """
    if not n < 1e9:
        raise BadSetting(f"These figures ask for {n:.2g} patients; no study is that large, so look again at them.", item="n")
    return max(1, math.ceil(n - 1e-9 * max(1.0, n)))


def share(name: str, value: float) -> None:
    """Refuse the figure of a flag that does not lie between 0 and 1.

    Raises
    ------
    BadSetting
    """
    if not 0 < value < 1:
        percent = " (is it a percentage?)" if 1 < value <= 100 else ""
        raise BadSetting(f"--{name} is {value:g}{percent}; it lies between 0 and 1.", item=name)


def positive(name: str, value: float) -> None:
    """Refuse the figure of a flag that is not above 0.

    Raises
    ------
    BadSetting
    """
    if not (value > 0 and math.isfinite(value)):
        raise BadSetting(f"--{name} is {value:g}; it is above 0.", item=name)


def warned(pairs: Iterable[tuple[str, str]]) -> tuple[Mapping[str, str], ...]:
    """Return warnings from their codes and sentences.

    Examples
    --------
    >>> warned([("few_events", "Too few.")])
    ({'code': 'few_events', 'text': 'Too few.'},)
    """
    return tuple({"code": code, "text": text} for code, text in pairs)


def flags(names: Iterable[str], word: str = "and") -> str:
    """Return settings as a person writes them on the command line.

    Examples
    --------
    >>> flags(["rate", "timepoint", "followup"])
    '--rate, --timepoint and --followup'
    """
    *first, last = (f"--{name}" for name in names)
    return f"{', '.join(first)} {word} {last}" if first else last
