"""What is predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean
from onclair.core.units import checked_unit

OutcomeKind = Literal["binary", "survival", "ordinal", "continuous", "mask", "image"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is predicted: a column of ``outcomes.csv`` and how it is to be read.

    Attributes
    ----------
    name : str
        The column; for survival, the event column (0 censored, 1 event).
    kind : {"binary", "survival", "ordinal", "continuous", "mask", "image"}
    unit : str
        Of the value, or of the time for survival.
    horizon : float or None
        In `unit` for survival, else in months: by when.
    time : str or None
        The column of the follow-up time; required for survival.

    Examples
    --------
    >>> Outcome("lung_metastasis", "binary").unit
    '1'
    """

    name: str
    kind: OutcomeKind
    unit: str = "1"
    horizon: float | None = None
    time: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(OutcomeKind):
            raise BadInput(
                f"The outcome '{self.name}' is of kind '{self.kind}'; {did_you_mean(self.kind, get_args(OutcomeKind))}", item=self.name
            )
        if self.kind == "survival" and not self.time:
            raise BadInput(
                f"The survival outcome '{self.name}' names no time column; add time = \"COLUMN\" to cohort.toml.", item=self.name
            )
        checked_unit(self.unit, of=f"the outcome '{self.name}'")
