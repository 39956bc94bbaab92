"""A curve with its band, as plain values that a report can draw."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a figure.

    Attributes
    ----------
    name : str
        What is drawn: ``"calibration"``, ``"decision"``, ``"roc"``.
    who : str
        ``model``, ``rival:NAME``, ``all``, ``none``.
    x, y : tuple of float
        Points, `x` rising.
    low, high : tuple of float, or None
        Pointwise band at `level`; None where none can be had.
    x_label, y_label, unit : str
        What the axes show; `unit` is that of `y`.
    method : str
    level : float
    n, events : int or None
    reason : str or None
        Why the curve is empty, in which case `x` and `y` are too.

    Raises
    ------
    BadInput
        When the parts differ in length, or an empty curve gives no reason.

    Examples
    --------
    >>> Curve("decision", "none", (0.1, 0.2), (0.0, 0.0)).as_dict()["y"]
    [0.0, 0.0]
    """

    name: str
    who: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    x_label: str = ""
    y_label: str = ""
    unit: str = "1"
    method: str = ""
    level: float = 0.95
    n: int | None = None
    events: int | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        for field in ("x", "y", "low", "high"):
            values = getattr(self, field)
            if values is not None:
                object.__setattr__(self, field, tuple(float(v) for v in values))
        sizes = {len(part) for part in (self.x, self.y, self.low, self.high) if part is not None}
        if len(sizes) != 1:
            raise BadInput(f"The parts of the curve {self.name}:{self.who} have lengths {sorted(sizes)}; give each one value a point.")
        if not self.x and not self.reason:
            raise BadInput(f"The curve {self.name}:{self.who} has no point and no reason; add one sentence.", item=self.name)

    def as_dict(self) -> dict[str, Any]:
        """Return the curve as plain JSON values, every field present."""
        record = asdict(self)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in record.items()}


def distribution(who: str, risks: npt.ArrayLike, events: int) -> Curve:
    """Return how risks are spread over twenty classes, for the strip under a calibration plot.

    Parameters
    ----------
    who : str
    risks : array_like, shape (n,), in [0, 1]
    events : int

    Examples
    --------
    >>> curve = distribution("model", [0.01, 0.02, 0.99], 1)
    >>> curve.y[0], curve.y[-1], round(curve.x[0], 3)
    (2.0, 1.0, 0.025)
    """
    values = np.asarray(risks, dtype=np.float64)
    counts, edges = np.histogram(values, bins=20, range=(0.0, 1.0))
    return Curve(
        "distribution",
        who,
        tuple((edges[:-1] + edges[1:]) / 2),
        tuple(float(count) for count in counts),
        x_label="predicted risk",
        y_label="rows",
        method="rows in classes of 0.05",
        n=int(values.size),
        events=events,
    )


def curve_from_dict(record: dict[str, Any]) -> Curve:
    """Return the curve that :meth:`Curve.as_dict` wrote.

    Examples
    --------
    >>> curve = Curve("roc", "model", (0.0, 1.0), (0.0, 1.0))
    >>> curve_from_dict(curve.as_dict()) == curve
    True
    """
    return Curve(**record)
