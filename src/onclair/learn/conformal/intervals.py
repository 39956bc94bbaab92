"""Conformal intervals for a number: split quantiles (CQR), or the absolute residual about one prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadModelFile
from onclair.learn.conformal.threshold import check_alpha, threshold, too_few

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ConformalIntervals:
    """A margin that makes predicted ranges hold the truth as often as promised.

    Attributes
    ----------
    alpha : float
        Share of new patients whose true value may lie outside the interval.
    margin : float or None
        What is added at both ends, in the outcome's unit; negative where the predicted ranges were too wide, None where too few patients
        were there, which gives the whole line.
    patients : int

    Examples
    --------
    >>> [end.tolist() for end in ConformalIntervals(0.1, 0.5, 40).around([1.0, 2.0])]
    [[0.5, 1.5], [1.5, 2.5]]
    """

    alpha: float
    margin: float | None
    patients: int

    @property
    def reason(self) -> str | None:
        """Why every interval is the whole line, in words; None where intervals can be had.

        Examples
        --------
        >>> ConformalIntervals(0.1, 0.5, 40).reason is None
        True
        """
        return None if self.margin is not None else f"{too_few(self.patients, self.alpha)}, so every value stays possible."

    def between(self, low: npt.ArrayLike, high: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return the intervals about predicted ranges.

        Parameters
        ----------
        low, high : array_like, shape (n,), in the outcome's unit
            Predicted lower and upper quantiles; where they cross, they are put in order.

        Returns
        -------
        low, high : ndarray, float64, shape (n,)
            Where a negative margin would turn an interval inside out, its middle, which is more than the promise needs.

        Examples
        --------
        >>> [end.tolist() for end in ConformalIntervals(0.1, -0.2, 40).between([1.0, 1.0], [2.0, 1.1])]
        [[1.2, 1.05], [1.8, 1.05]]
        """
        bottom, top = _ranges(low, high)
        if self.margin is None:
            return np.full(bottom.shape, -np.inf), np.full(top.shape, np.inf)
        middle = (bottom + top) / 2
        return np.minimum(bottom - self.margin, middle), np.maximum(top + self.margin, middle)

    def around(self, prediction: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return the intervals about predictions (n,); the margin came from :func:`residual_intervals`."""
        return self.between(prediction, prediction)

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values, as ``onclair-model/1`` keeps them.

        Examples
        --------
        >>> ConformalIntervals(0.1, 0.5, 40).as_record()
        {'kind': 'intervals', 'alpha': 0.1, 'margin': 0.5, 'patients': 40}
        """
        return {"kind": "intervals", "alpha": self.alpha, "margin": self.margin, "patients": self.patients}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> ConformalIntervals:
        """Return what :meth:`as_record` wrote.

        Raises
        ------
        BadModelFile
            When it is of another kind, or lacks or mangles an entry.
        """
        try:
            if record["kind"] != "intervals":
                raise BadModelFile(f"The conformal answer is of kind '{record['kind']}'; expected 'intervals'.", item="conformal")
            margin = record["margin"]
            return cls(float(record["alpha"]), None if margin is None else float(margin), int(record["patients"]))
        except (KeyError, TypeError, ValueError) as error:
            said = f"The conformal intervals of the model lack or mangle an entry ({error}); save the model again."
            raise BadModelFile(said, item="conformal") from None


def quantile_intervals(
    low: npt.ArrayLike, high: npt.ArrayLike, truth: npt.ArrayLike, patients: npt.ArrayLike, alpha: float = 0.1
) -> ConformalIntervals:
    """Calibrate predicted ranges on rows that the model has not seen (conformalised quantile regression).

    The misfit of a row is ``max(low - truth, truth - high)``: how far the truth lies outside, negative where it lies inside.

    Parameters
    ----------
    low, high : array_like, shape (n,), in the outcome's unit
        Predicted quantiles, for example the 5 % and the 95 %; put in order where they cross.
    truth : array_like, shape (n,), in the same unit
    patients : array_like, shape (n,)
        The patient is the unit, as in :func:`onclair.learn.conformal.threshold.threshold`.
    alpha : float, in (0, 1)

    Returns
    -------
    ConformalIntervals

    Raises
    ------
    BadInput
        For unequal lengths or values that are not finite.

    References
    ----------
    Romano, Patterson & Candes 2019, eq. 6 to 8, doi:10.48550/arXiv.1905.03222.

    Examples
    --------
    Four patients at alpha .4, misfits -.5, -.5, .25 and 2: the third smallest.

    >>> quantile_intervals([0.0] * 4, [1.0] * 4, [0.5, 0.5, 1.25, 3.0], list("abcd"), 0.4).margin
    0.25
    """
    check_alpha(alpha)
    bottom, top = _ranges(low, high)
    y, names = np.asarray(truth, dtype=np.float64), np.asarray(patients)
    if not bottom.shape == y.shape == names.shape:
        raise BadInput(f"Predictions {bottom.shape}, truth {y.shape} and patients {names.shape} differ in shape; give one of each a row.")
    if not np.isfinite(y).all():
        raise BadInput(f"The truth of row {int(np.argmin(np.isfinite(y)))} is not finite; leave such rows out.")
    found = threshold(np.maximum(bottom - y, y - top), names, alpha)
    return ConformalIntervals(alpha, found.value, found.patients)


def residual_intervals(prediction: npt.ArrayLike, truth: npt.ArrayLike, patients: npt.ArrayLike, alpha: float = 0.1) -> ConformalIntervals:
    """Calibrate a margin about one prediction by the absolute residual; arguments and errors as :func:`quantile_intervals`.

    Every interval has the same width; where errors grow with the prediction, predict quantiles instead.

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani & Wasserman 2018, algorithm 2, doi:10.1080/01621459.2017.1307116.

    Examples
    --------
    >>> residual_intervals([1.0, 1.0, 1.0, 1.0], [1.5, 0.75, 2.0, 1.0], list("abcd"), 0.4).margin
    0.5
    """
    return quantile_intervals(prediction, prediction, truth, patients, alpha)


def _ranges(low: npt.ArrayLike, high: npt.ArrayLike) -> tuple[Floats, Floats]:
    one, other = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape:
        raise BadInput(f"Lower ends {one.shape} and upper ends {other.shape} differ in shape; give one of each a row.")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        at = int(np.argmin(np.isfinite(one) & np.isfinite(other)))
        raise BadInput(f"The prediction of row {at} is not finite; leave such rows out.")
    return np.minimum(one, other), np.maximum(one, other)
