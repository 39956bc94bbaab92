"""One stream of progress events; terminals, pages and tests listen to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """One step done, reused or left out.

    Attributes
    ----------
    stage : str
    done, total : int
    item : str
        Patient, file or fold.
    kind : {"done", "reused", "left_out", "started", "finished"}
    unit : str
        Of `done` and `total`: ``"patients"``, ``"folds"``, ``"bytes"``.
    """

    stage: str
    done: int
    total: int
    item: str = ""
    kind: Literal["done", "reused", "left_out", "started", "finished"] = "done"
    unit: str = "patients"

    def as_dict(self) -> dict[str, Any]:
        """Return the event as plain JSON values."""
        return asdict(self)


Listener = Callable[[Progress], None]


def silent(event: Progress) -> None:
    """Listen to nothing.

    Examples
    --------
    >>> silent(Progress("describe", 1, 2))
    """
    del event
