"""What an instrument's file holds once read, and the sentences by which one is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onclair.core.errors import BadCase
from onclair.io.spectra.axis import Floats

Role = Literal["processed", "sample", "dark", "reference"]
#: What a recording may be, in the order in which a table holds them.
ROLES: tuple[Role, ...] = ("processed", "sample", "dark", "reference")
#: ``(code, sentence)``: what was unusual and how it was read.
Note = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One spectrum of an instrument's file.

    Attributes
    ----------
    role : {"processed", "sample", "dark", "reference"}
    values, wavelength_nm : ndarray, float64, shape (n,)
    unit : str
        ``"counts"``, ``"%"``, ``"absorbance"``...; ``"a.u."`` where the file does not say.
    integration_ms, averages, serial, saturated
        None where the file does not say; a time that is not positive and finite, or averages below 1, say nothing.

    Examples
    --------
    >>> import numpy as np
    >>> Recording("dark", np.zeros(2), np.array([400.0, 401.0]), "counts", integration_ms=float("inf")).integration_ms is None
    True
    """

    role: Role
    values: Floats
    wavelength_nm: Floats
    unit: str = "a.u."
    integration_ms: float | None = None
    averages: int | None = None
    serial: str | None = None
    saturated: bool | None = None

    def __post_init__(self) -> None:
        if self.integration_ms is not None and not 0 < self.integration_ms < math.inf:
            object.__setattr__(self, "integration_ms", None)
        if self.averages is not None and self.averages < 1:
            object.__setattr__(self, "averages", None)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a header says of every recording below it; None where it says nothing."""

    integration_ms: float | None = None
    averages: int | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What a family's reader found: the recordings, at most one a role, and what was unusual."""

    recordings: tuple[Recording, ...]
    notes: tuple[Note, ...] = ()


def float32s(data: bytes, count: int, offset: int) -> Floats:
    r"""Return little-endian float32 of a binary file as float64; whatever bits stand for no number become NaN.

    Examples
    --------
    >>> float32s(b"\x00\x00\x8cB", 1, 0).tolist()
    [70.0]
    """
    with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file is not worth a warning
        return np.frombuffer(data, "<f4", count, offset).astype(np.float64)


def refused(name: str, found: str, do: str) -> BadCase:
    """Return the refusal of a file, in one sentence.

    Examples
    --------
    >>> raise refused("a.spc", "it holds 10 bytes where 512 are expected", "copy it again")
    Traceback (most recent call last):
    onclair.core.errors.BadCase: a.spc cannot be used: it holds 10 bytes where 512 are expected; copy it again.
    """
    return BadCase(f"{name} cannot be used: {found}; {do}.", item=name)


def truncated(name: str, found: int, expected: int, what: str = "bytes") -> BadCase:
    """Return the refusal of a file that ends too early.

    Examples
    --------
    >>> str(truncated("a.TRM", 100, 412))
    'a.TRM cannot be used: it ends after 100 bytes where 412 are expected; it is cut short: copy or export it again.'
    """
    return refused(name, f"it ends after {found} {what} where {expected} are expected", "it is cut short: copy or export it again")


def in_order(recordings: Sequence[Recording]) -> tuple[Recording, ...]:
    """Return recordings in the order of :data:`ROLES`."""
    return tuple(sorted(recordings, key=lambda each: ROLES.index(each.role)))
