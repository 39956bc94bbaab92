"""Calibration curves with few parameters: temperature (one) and beta calibration (three)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.learn.calibrate import NEAREST, score_logit
from onclair.learn.calibrate_records import Status, check_kind, checked_scores, kept, mangled, must, one_class, restored, unavailable
from onclair.science.statistics.glm import logistic

Floats = npt.NDArray[np.float64]
_SEPARATED = "the scores separate the two classes perfectly, so the curve has no finite estimate; Platt's smoothed targets have one"


@dataclass(frozen=True, slots=True)
class Temperature:
    """``logit(risk) = logit(score) / temperature``: one number, which keeps a score of one half at one half.

    Attributes
    ----------
    temperature : float or None
        Above 1 for overconfident scores; None where there is none.
    status : {"ok", "not_available"}
    reason : str or None
    n, events : int
        Rows it was fitted on.
    fitted_on : str
        Their digest (:func:`onclair.learn.calibrate_records.rows_digest`).

    Examples
    --------
    >>> Temperature(2.0).apply([0.9]).round(6).tolist()
    [0.75]
    """

    temperature: float | None
    status: Status = "ok"
    reason: str | None = None
    n: int = 0
    events: int = 0
    fitted_on: str = ""

    def apply(self, score: npt.ArrayLike) -> Floats:
        """Return the risk of scores in [0, 1], of their shape.

        Raises
        ------
        BadInput
            When there is no temperature; the sentence gives the reason.
        """
        if self.temperature is None:
            raise unavailable("temperature", self.reason)
        return np.asarray(special.expit(score_logit(score) / self.temperature))

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values.

        Examples
        --------
        >>> Temperature(2.0, n=40, events=9).as_record()["temperature"]
        2.0
        """
        return {"kind": "temperature", "temperature": self.temperature, **kept(self)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Temperature:
        """Return what :meth:`as_record` wrote.

        Raises
        ------
        BadModelFile
            When it is of another kind, lacks an entry, or the temperature is not positive.
        """
        try:
            check_kind(record, "temperature")
            value = record["temperature"]
            must(value is None or 0 < float(value) < np.inf, f"temperature {value}")
            return cls(None if value is None else float(value), *restored(record))
        except (KeyError, TypeError, ValueError) as error:
            raise mangled(error) from None


@dataclass(frozen=True, slots=True)
class BetaCurve:
    """``logit(risk) = intercept + a ln(score) - b ln(1 - score)``, a and b never negative; a = b = 1 with intercept 0 changes nothing.

    Attributes
    ----------
    intercept, a, b : float or None
        None where there is no curve.
    status : {"ok", "not_available"}
    reason : str or None
    n, events : int
    fitted_on : str

    Examples
    --------
    >>> BetaCurve(0.0, 1.0, 1.0).apply([0.3]).round(6).tolist()
    [0.3]
    """

    intercept: float | None
    a: float | None
    b: float | None
    status: Status = "ok"
    reason: str | None = None
    n: int = 0
    events: int = 0
    fitted_on: str = ""

    def apply(self, score: npt.ArrayLike) -> Floats:
        """Return the risk of scores in [0, 1], of their shape.

        Raises
        ------
        BadInput
            When there is no curve; the sentence gives the reason.
        """
        if self.intercept is None or self.a is None or self.b is None:
            raise unavailable("beta", self.reason)
        log, log_rest = _logs(score)
        return np.asarray(special.expit(self.intercept + self.a * log - self.b * log_rest))

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values.

        Examples
        --------
        >>> BetaCurve.from_record(BetaCurve(0.0, 1.0, 2.0).as_record()).b
        2.0
        """
        return {"kind": "beta", "intercept": self.intercept, "a": self.a, "b": self.b, **kept(self)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> BetaCurve:
        """Return what :meth:`as_record` wrote.

        Raises
        ------
        BadModelFile
            When it is of another kind, lacks an entry, or a or b is negative.
        """
        try:
            check_kind(record, "beta")
            intercept, a, b = (None if record[name] is None else float(record[name]) for name in ("intercept", "a", "b"))
            must((a is None or a >= 0) and (b is None or b >= 0), "a or b is negative")
            return cls(intercept, a, b, *restored(record))
        except (KeyError, TypeError, ValueError) as error:
            raise mangled(error) from None


def temperature(score: npt.ArrayLike, truth: npt.ArrayLike) -> Temperature:
    """Fit a temperature by maximum likelihood on out-of-fold scores.

    Parameters
    ----------
    score : array_like in [0, 1], shape (n,)
        Of rows that the model was not trained on.
    truth : array_like, shape (n,), 0 or 1

    Returns
    -------
    Temperature
        ``not_available`` where the scores separate the classes (the temperature falls to 0), do not rank them, or only one class is
        present.

    Raises
    ------
    BadInput
        When lengths differ, a score lies outside [0, 1] or a truth is neither 0 nor 1.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger 2017, section 4, doi:10.48550/arXiv.1706.04599.

    Examples
    --------
    Scores of .9 and .1 that are right three times of four: log(9) shrinks to log(3).

    >>> round(temperature([0.9] * 4 + [0.1] * 4, [1, 1, 1, 0, 0, 0, 0, 1]).temperature, 6)
    2.0
    """
    s, y, rows = checked_scores(score, truth)
    x = score_logit(s)
    if (reason := one_class(y)) is not None:
        return Temperature(None, "not_available", reason, *rows)
    fit = logistic(x[:, None], y) if np.abs(x).max() > 0 else None
    if fit is None or not fit.ok:
        return Temperature(None, "not_available", _SEPARATED if fit is not None else "every score is one half", *rows)
    if fit.coefficients[0] <= 0:
        return Temperature(None, "not_available", "the scores do not rank the outcomes, so no temperature makes them risks", *rows)
    return Temperature(1 / float(fit.coefficients[0]), "ok", None, *rows)


def beta(score: npt.ArrayLike, truth: npt.ArrayLike) -> BetaCurve:
    """Fit beta calibration by maximum likelihood on out-of-fold scores.

    Among all curves with `a` and `b` of 0 or more the likeliest is taken, so that an order is never turned round.

    Parameters
    ----------
    score, truth
        As :func:`temperature`.

    Returns
    -------
    BetaCurve
        ``not_available`` where the scores separate the classes or only one class is present; with both a and b at 0, everyone gets the
        prevalence and the reason says so.

    Raises
    ------
    BadInput
        As :func:`temperature`.

    References
    ----------
    Kull, Silva Filho & Flach 2017, "Beyond sigmoids", section 3 (the `abm` family), doi:10.1214/17-EJS1338SI.

    Examples
    --------
    >>> curve = beta([0.2, 0.2, 0.2, 0.2, 0.8, 0.8, 0.8, 0.8, 0.5, 0.5], [0, 0, 0, 1, 1, 1, 1, 0, 0, 1])
    >>> curve.apply([0.5]).round(6).tolist(), bool(abs(curve.a - curve.b) < 1e-6)
    ([0.5], True)
    """
    s, y, rows = checked_scores(score, truth)
    if (reason := one_class(y)) is not None:
        return BetaCurve(None, None, None, "not_available", reason, *rows)
    if np.ptp(s) > 0 and s[y == 0].max() <= s[y == 1].min():
        return BetaCurve(None, None, None, "not_available", _SEPARATED, *rows)
    log, log_rest = _logs(s)
    columns = {"a": log, "b": -log_rest}
    faces = [_face(columns, free, y) for free in (("a", "b"), ("a",), ("b",), ())]
    intercept, slopes, _ = max((face for face in faces if face is not None), key=lambda face: face[2])
    flat = None if slopes else "the scores do not rank the outcomes, so everyone gets the prevalence"
    return BetaCurve(intercept, slopes.get("a", 0.0), slopes.get("b", 0.0), "ok", flat, *rows)


def _face(columns: Mapping[str, Floats], free: tuple[str, ...], truth: Floats) -> tuple[float, dict[str, float], float] | None:
    """Return intercept, slopes and log-likelihood with only `free` slopes, None where that fit is absent or has a negative slope."""
    fit = logistic(np.column_stack([np.ones(truth.size), *(columns[name] for name in free)]), truth)
    if not fit.ok or (fit.coefficients[1:] < 0).any():
        return None
    slopes = dict(zip(free, (float(value) for value in fit.coefficients[1:]), strict=True))
    return float(fit.coefficients[0]), slopes, fit.log_likelihood


def _logs(score: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return ln(score) and ln(1 - score), scores kept 1e-6 off both ends."""
    s = np.clip(np.asarray(score, dtype=np.float64), NEAREST, 1 - NEAREST)
    return np.log(s), np.log1p(-s)
