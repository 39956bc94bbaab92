"""Isotonic calibration: the likeliest risks that rise with the score, by pooling adjacent violators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.learn.calibrate_records import Status, check_kind, checked_scores, kept, mangled, must, one_class, restored, unavailable

Floats = npt.NDArray[np.float64]

#: Fewer rows than this, and isotonic calibration tends to learn the noise (Niculescu-Mizil & Caruana 2005, section 5).
FEW_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Risks that rise with the score, straight lines between knots and level beyond the outer ones.

    Attributes
    ----------
    scores, risks : tuple of float
        The knots, both rising; empty where there is no curve.
    status : {"ok", "not_available"}
    reason : str or None
        Why there is none, or what to beware of: few rows, risks of exactly 0 or 1.
    n, events : int
    fitted_on : str

    Examples
    --------
    >>> Isotonic((0.2, 0.6), (0.1, 0.5)).apply([0.0, 0.4, 0.9]).round(6).tolist()
    [0.1, 0.3, 0.5]
    """

    scores: tuple[float, ...]
    risks: tuple[float, ...]
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
        if not self.scores:
            raise unavailable("isotonic", self.reason)
        return np.asarray(np.interp(np.asarray(score, dtype=np.float64), self.scores, self.risks))

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values.

        Examples
        --------
        >>> Isotonic((0.2, 0.6), (0.1, 0.5)).as_record()["risks"]
        [0.1, 0.5]
        """
        return {"kind": "isotonic", "scores": list(self.scores), "risks": list(self.risks), **kept(self)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Isotonic:
        """Return what :meth:`as_record` wrote.

        Raises
        ------
        BadModelFile
            When it is of another kind, lacks an entry, or the knots do not rise.
        """
        try:
            check_kind(record, "isotonic")
            scores, risks = (tuple(float(x) for x in record[name]) for name in ("scores", "risks"))
            rises = len(scores) == len(risks) and bool((np.diff(scores) > 0).all() and (np.diff(risks) >= 0).all())
            must(rises and all(0 <= x <= 1 for x in (*scores, *risks)), "its knots do not rise within [0, 1]")
            return cls(scores, risks, *restored(record))
        except (KeyError, TypeError, ValueError) as error:
            raise mangled(error) from None


def isotonic(score: npt.ArrayLike, truth: npt.ArrayLike) -> Isotonic:
    """Fit isotonic calibration on out-of-fold scores.

    Parameters
    ----------
    score : array_like in [0, 1], shape (n,)
        Of rows that the model was not trained on; equal scores are pooled first.
    truth : array_like, shape (n,), 0 or 1

    Returns
    -------
    Isotonic
        ``not_available`` where only one class is present. Separation is no obstacle here, but gives risks of exactly 0 and 1, and the
        reason says so: that is the data's silence, not certainty.

    Raises
    ------
    BadInput
        When lengths differ, a score lies outside [0, 1] or a truth is neither 0 nor 1.

    References
    ----------
    Zadrozny & Elkan 2002, doi:10.1145/775047.775151; pooling: Ayer, Brunk, Ewing, Reid & Silverman 1955, doi:10.1214/aoms/1177728423.

    Examples
    --------
    The middle two are in the wrong order and are pooled to one half:

    >>> isotonic([0.1, 0.3, 0.5, 0.9], [0, 1, 0, 1]).apply([0.1, 0.3, 0.4, 0.5, 0.9]).tolist()
    [0.0, 0.5, 0.5, 0.5, 1.0]
    """
    s, y, rows = checked_scores(score, truth)
    if (reason := one_class(y)) is not None:
        return Isotonic((), (), "not_available", reason, *rows)
    from scipy.optimize import isotonic_regression  # here: loading scipy.optimize costs every command a third of a second

    values, who, counts = np.unique(s, return_inverse=True, return_counts=True)
    means = np.bincount(who, weights=y) / counts
    risks = np.clip(isotonic_regression(means, weights=counts).x, 0.0, 1.0)
    keep = np.ones(values.size, dtype=bool)
    keep[1:-1] = (risks[1:-1] != risks[:-2]) | (risks[1:-1] != risks[2:])
    cautions = [f"{s.size} rows are few for isotonic calibration, which may learn their noise"] if s.size < FEW_ROWS else []
    if ((risks == 0) | (risks == 1)).any():
        cautions.append("some risks are exactly 0 or 1, which no finite number of patients can show")
    return Isotonic(tuple(values[keep].tolist()), tuple(risks[keep].tolist()), "ok", "; ".join(cautions) or None, *rows)
