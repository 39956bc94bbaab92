"""What the calibrators of `calibrate_*.py` share: checked rows, and what each record ends with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile

Floats = npt.NDArray[np.float64]
Status = Literal["ok", "not_available"]


def rows_digest(score: npt.ArrayLike, truth: npt.ArrayLike) -> str:
    """Return a SHA-256 that knows a set of rows again, in whatever order, and tells nobody who they were.

    Parameters
    ----------
    score, truth : array_like, shape (n,)

    Examples
    --------
    >>> rows_digest([0.2, 0.7], [0, 1]) == rows_digest([0.7, 0.2], [1, 0])
    True
    """
    pairs = np.column_stack([np.asarray(score, dtype="<f8").ravel(), np.asarray(truth, dtype="<f8").ravel()]) + 0.0
    return hashlib.sha256(pairs[np.lexsort(pairs.T)].tobytes()).hexdigest()


def checked_scores(score: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Floats, Floats, tuple[int, int, str]]:
    """Return scores and truth as float64, and what a calibrator keeps of its rows: their number, the events, the digest.

    Raises
    ------
    BadInput
        When lengths differ, a score lies outside [0, 1] or a truth is neither 0 nor 1.

    Examples
    --------
    >>> checked_scores([0.2, 0.7], [0, 1])[2][:2]
    (2, 1)
    """
    s, y = np.asarray(score, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if s.ndim != 1 or s.shape != y.shape or not s.size:
        raise BadInput(f"Scores {s.shape} and truth {y.shape} do not pair; give one of each a row, at least one row.")
    bad = ~((s >= 0) & (s <= 1)) | ~np.isin(y, (0.0, 1.0))
    if bad.any():
        at = int(np.argmax(bad))
        raise BadInput(f"Row {at} has score {s[at]:g} and truth {y[at]:g}; a score lies in [0, 1] and a truth is 0 or 1.")
    return s, y, (s.size, int(y.sum()), rows_digest(s, y))


def one_class(truth: Floats) -> str | None:
    """Return why one class cannot be calibrated, None where both are there.

    Examples
    --------
    >>> one_class(np.array([1.0, 1.0]))
    'only one class is present: 2 events and 0 others'
    """
    events = int(truth.sum())
    return None if 0 < events < truth.size else f"only one class is present: {events} events and {truth.size - events} others"


def unavailable(kind: str, reason: str | None) -> BadInput:
    """Return the error for a calibrator that has no map from score to risk.

    Examples
    --------
    >>> str(unavailable("beta", "only one class is present"))
    'The beta calibrator gives no risk: only one class is present; calibrate by another method or on more patients.'
    """
    return BadInput(f"The {kind} calibrator gives no risk: {reason}; calibrate by another method or on more patients.", item=kind)


class _Kept(Protocol):
    @property
    def status(self) -> Status: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def n(self) -> int: ...
    @property
    def events(self) -> int: ...
    @property
    def fitted_on(self) -> str: ...


def kept(calibrator: _Kept) -> dict[str, Any]:
    """Return what every calibrator's record ends with: status, reason, rows, events and their digest.

    Examples
    --------
    >>> from onclair.learn.calibrate_curves import Temperature
    >>> kept(Temperature(2.0, n=40, events=9))
    {'status': 'ok', 'reason': None, 'n': 40, 'events': 9, 'fitted_on': ''}
    """
    return {name: getattr(calibrator, name) for name in ("status", "reason", "n", "events", "fitted_on")}


def restored(record: Mapping[str, Any]) -> tuple[Status, str | None, int, int, str]:
    """Return what :func:`kept` wrote.

    Raises
    ------
    ValueError
        For a status that is none; the caller says it in words.
    """
    must(record["status"] in ("ok", "not_available"), f"status {record['status']!r}")
    status: Status = "ok" if record["status"] == "ok" else "not_available"
    reason = record["reason"]
    return status, None if reason is None else str(reason), int(record["n"]), int(record["events"]), str(record["fitted_on"])


def check_kind(record: Mapping[str, Any], kind: str) -> None:
    """Refuse a calibrator's record of another kind.

    Raises
    ------
    BadModelFile

    Examples
    --------
    >>> check_kind({"kind": "beta"}, "beta")
    """
    if record["kind"] != kind:
        raise BadModelFile(f"The calibrator is of kind '{record['kind']}'; expected '{kind}'.", item="calibrator")


def mangled(error: Exception) -> BadModelFile:
    """Return the error for a record that lacks or mangles an entry.

    Examples
    --------
    >>> str(mangled(KeyError("a")))
    "The calibrator of the model lacks or mangles an entry ('a'); save the model again."
    """
    return BadModelFile(f"The calibrator of the model lacks or mangles an entry ({error}); save the model again.", item="calibrator")


def must(holds: bool, what: str) -> None:
    """Refuse a record's entry that cannot be; the caller says it in words with :func:`mangled`.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> must(True, "temperature -1")
    """
    if not holds:
        raise ValueError(what)
