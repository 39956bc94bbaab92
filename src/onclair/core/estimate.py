"""A figure with its interval, never a bare number."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from onclair.core.canonical import plain_float
from onclair.core.errors import BadInput

Status = Literal["ok", "too_few", "not_available"]
Scale = Literal["identity", "log", "logit"]
_NAME = re.compile(r"^[a-z][\w.@%+-]*(:[^:\s][^:]*)*$")


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure of merit, its interval and how both were obtained.

    Attributes
    ----------
    name : str
        ``[GROUP:]FIGURE[@AT][:WHO[:WHERE]]``, for example ``auc:model`` or ``nb:rival:volume@0.2``.
    value : float or None
        The figure in `unit`; None unless the status is ``ok`` (or ``too_few``, where it may be shown with a caution).
    unit : str
        ``"1"`` for a pure number.
    low, high : float or None
        The interval at `level`; None where none can be had, with the reason.
    level : float
        Confidence level of the interval, in (0, 1).
    se : float or None
        Standard error on `scale`, so that estimates of several sites can be merged.
    scale : {"identity", "log", "logit"}
        The scale on which `se` holds.
    n, events : int or None
        Patients (or rows, as `method` says) and events behind the figure.
    method : str
        How figure and interval were obtained, with the reference.
    status : {"ok", "too_few", "not_available"}
    reason : str or None
        Why the status is not ``ok``; required then.

    Raises
    ------
    BadInput
        When the interval does not hold the value's order, the level lies outside (0, 1), a figure is missing without a
        reason, or the name does not follow the grammar.

    Examples
    --------
    >>> Estimate("auc:model", 0.81, low=0.69, high=0.93, n=51, events=19, method="DeLong 1988").text()
    '0.81 (0.69 to 0.93)'
    """

    name: str
    value: float | None = None
    unit: str = "1"
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    se: float | None = None
    scale: Scale = "identity"
    n: int | None = None
    events: int | None = None
    method: str = ""
    status: Status = "ok"
    reason: str | None = None

    def __post_init__(self) -> None:
        for field in ("value", "low", "high", "se"):
            object.__setattr__(self, field, plain_float(getattr(self, field)))
        if not _NAME.match(self.name):
            raise BadInput(f"The estimate name '{self.name}' does not read as FIGURE[@AT][:WHO[:WHERE]]; rename it.", item=self.name)
        if not 0 < self.level < 1:
            raise BadInput(f"The level of '{self.name}' is {self.level}; give one between 0 and 1, such as 0.95.", item=self.name)
        if self.low is not None and self.high is not None and self.low > self.high:
            raise BadInput(f"The interval of '{self.name}' runs from {self.low} down to {self.high}; swap its ends.", item=self.name)
        if self.status == "ok" and self.value is None:
            raise BadInput(f"The estimate '{self.name}' has no value; say why with status 'too_few' or 'not_available'.", item=self.name)
        if self.status != "ok" and not self.reason:
            raise BadInput(f"The estimate '{self.name}' is {self.status} without a reason; add one sentence.", item=self.name)

    def as_dict(self) -> dict[str, Any]:
        """Return the estimate as plain JSON values, every field present."""
        return asdict(self)

    def text(self, digits: int = 2) -> str:
        """Return the figure and its interval in words, or the reason why there is none."""
        if self.value is None:
            return self.reason or self.status
        if self.low is None or self.high is None:
            return f"{self.value:.{digits}f}"
        return f"{self.value:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def not_available(name: str, reason: str, *, status: Status = "not_available", n: int | None = None, events: int | None = None) -> Estimate:
    """Return an estimate that says why there is no figure.

    Examples
    --------
    >>> not_available("auc:model", "only one class is present").value is None
    True
    """
    return Estimate(name, status=status, reason=reason, n=n, events=events)


def estimate_from_dict(record: dict[str, Any]) -> Estimate:
    """Return the estimate that :meth:`Estimate.as_dict` wrote.

    Examples
    --------
    >>> e = Estimate("brier:model", 0.2, n=10)
    >>> estimate_from_dict(e.as_dict()) == e
    True
    """
    return Estimate(**record)
