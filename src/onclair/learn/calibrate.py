"""From a score to a risk: calibration on rows that the model has not seen. Platt's here; the others in `calibrate_*.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadCohort, BadModelFile
from onclair.science.statistics.glm import GlmFit, logistic

Floats = npt.NDArray[np.float64]

#: Scores are kept this far off 0 and 1 before their logit is taken.
NEAREST = 1e-6


class FittedCalibrator(Protocol):
    """What every calibrator is once it was fitted; :func:`onclair.learn.calibrate_methods.fit_calibrator` makes one."""

    @property
    def status(self) -> Literal["ok", "not_available"]:
        """Whether there is a map from score to risk."""
        ...

    @property
    def reason(self) -> str | None:
        """Why there is none, or what to beware of; None where all is well."""
        ...

    @property
    def fitted_on(self) -> str:
        """The :func:`rows_digest` of the rows it was fitted on; empty where that is not known."""
        ...

    def apply(self, score: npt.ArrayLike) -> Floats:
        """Return the risk of scores in [0, 1], of their shape."""
        ...

    def as_record(self) -> dict[str, Any]:
        """Return plain JSON values, as ``onclair-model/1`` keeps them."""
        ...


@dataclass(frozen=True, slots=True)
class Calibrator:
    """``logit(risk) = intercept + slope * logit(score)``, with the covariance of both.

    Attributes
    ----------
    intercept, slope : float
        The slope is never negative: a calibrator does not turn an order round.
    covariance : tuple of tuple of float, 2 x 2
        Of (intercept, slope); summed by patient where rows repeat.
    n, events : int
        Rows it was fitted on.
    fitted_on : str
        Their :func:`rows_digest`, so that it is never judged on them; empty where that is not known.

    Examples
    --------
    >>> same = Calibrator(0.0, 1.0, ((0.04, 0.0), (0.0, 0.0)), 100, 50)
    >>> same.risk([0.3]).round(6).tolist(), [round(float(x[0]), 3) for x in same.interval([0.5])]
    ([0.3], [0.403, 0.597])
    """

    intercept: float
    slope: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    n: int
    events: int
    fitted_on: str = ""

    @property
    def status(self) -> Literal["ok", "not_available"]:
        """Platt's smoothed targets always have an answer: ``ok``.

        Examples
        --------
        >>> platt([0.1, 0.9], [0, 1]).status
        'ok'
        """
        return "ok"

    @property
    def reason(self) -> str | None:
        """What to beware of; None where all is well.

        Examples
        --------
        >>> platt([0.9, 0.1], [0, 1]).reason
        'the scores do not rank the outcomes, so everyone gets the prevalence'
        """
        return None if self.slope > 0 else "the scores do not rank the outcomes, so everyone gets the prevalence"

    def apply(self, score: npt.ArrayLike) -> Floats:
        """Return :meth:`risk`, under the name that every calibrator has."""
        return self.risk(score)

    def as_record(self) -> dict[str, Any]:
        """Return :meth:`as_dict`, under the name that every calibrator has."""
        return self.as_dict()

    def risk(self, score: npt.ArrayLike) -> Floats:
        """Return the calibrated risk of scores in [0, 1], of their shape.

        Examples
        --------
        >>> Calibrator(0.0, 2.0, ((0.0, 0.0), (0.0, 0.0)), 9, 4).risk([0.75]).round(6).tolist()
        [0.9]
        """
        return np.asarray(special.expit(self.intercept + self.slope * score_logit(score)))

    def interval(self, score: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the Wald interval of each risk, formed on the logit.

        It carries what is uncertain about the calibration, not what another training set would have changed in the score.

        Parameters
        ----------
        score : array_like in [0, 1], shape (n,)
        level : float, in (0, 1)

        Returns
        -------
        low, high : ndarray, shape (n,)
        """
        x = score_logit(score)
        (aa, ab), (_, bb) = self.covariance
        error = np.sqrt(np.maximum(aa + 2 * ab * x + bb * x**2, 0.0))
        reach = float(special.ndtri(0.5 + level / 2)) * error
        middle = self.intercept + self.slope * x
        return np.asarray(special.expit(middle - reach)), np.asarray(special.expit(middle + reach))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values.

        Examples
        --------
        >>> Calibrator.from_dict(platt([0.2, 0.9, 0.4], [0, 1, 0]).as_dict()).n
        3
        """
        covariance = [list(row) for row in self.covariance]
        return {
            "kind": "platt",
            "intercept": self.intercept,
            "slope": self.slope,
            "covariance": covariance,
            "n": self.n,
            "events": self.events,
            **({"fitted_on": self.fitted_on} if self.fitted_on else {}),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Calibrator:
        """Return the calibrator that :meth:`as_dict` wrote.

        Raises
        ------
        BadModelFile
            When it is of another kind or lacks an entry.
        """
        try:
            if document["kind"] != "platt":
                raise BadModelFile(f"The calibrator is of kind '{document['kind']}'; this version knows 'platt'.", item="calibrator")
            (aa, ab), (ba, bb) = document["covariance"]
            covariance = ((float(aa), float(ab)), (float(ba), float(bb)))
            both, rows = (float(document["intercept"]), float(document["slope"])), (int(document["n"]), int(document["events"]))
            return cls(*both, covariance, *rows, str(document.get("fitted_on", "")))
        except (KeyError, TypeError, ValueError) as error:
            said = f"The calibrator of the model lacks or mangles an entry ({error}); save the model again."
            raise BadModelFile(said, item="calibrator") from None


def score_logit(score: npt.ArrayLike) -> Floats:
    """Return the logit of scores in [0, 1], kept 1e-6 off both ends.

    Examples
    --------
    >>> score_logit([0.5, 0.0]).round(2).tolist()
    [0.0, -13.82]
    """
    return np.asarray(special.logit(np.clip(np.asarray(score, dtype=np.float64), NEAREST, 1 - NEAREST)))


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


def refuse_own_rows(calibrator: FittedCalibrator, score: npt.ArrayLike, truth: npt.ArrayLike) -> None:
    """Refuse to judge a calibrator on the very rows it was fitted on: there it is right on average by construction.

    Some rows in common cannot be seen here, since a calibrator keeps no patient; fit and judge on different folds.

    Raises
    ------
    BadCohort
        When the rows are the same, in whatever order.

    Examples
    --------
    >>> refuse_own_rows(platt([0.2, 0.7], [0, 1]), [0.3, 0.7], [0, 1])
    """
    if calibrator.fitted_on and calibrator.fitted_on == rows_digest(score, truth):
        rows = np.asarray(score).size
        raise BadCohort(f"The calibrator was fitted on these {rows} rows, so it cannot be judged on them; judge it on held-out rows.")


def refuse_seen(patients: npt.ArrayLike | None, seen: npt.ArrayLike | None) -> None:
    """Refuse to calibrate on patients that the model was trained on, where both are known.

    Raises
    ------
    BadCohort
        Naming how many and the first.

    Examples
    --------
    >>> refuse_seen(["a", "b"], ["c"])
    """
    if patients is None or seen is None:
        return
    both = np.intersect1d(np.asarray(patients).astype(str), np.asarray(seen).astype(str))
    if both.size:
        found = f"{both.size} patients to calibrate on were seen by the model, the first {both[0]}"
        raise BadCohort(f"{found}; calibrate on out-of-fold scores or on other patients.", item=str(both[0]))


def platt(score: npt.ArrayLike, truth: npt.ArrayLike, patients: npt.ArrayLike | None = None) -> Calibrator:
    """Fit Platt's scaling on the logit of out-of-fold scores, with his smoothed targets.

    An event counts as ``(N1 + 1) / (N1 + 2)`` and a non-event as ``1 / (N0 + 2)``, so that classes the scores separate perfectly
    still have a finite answer. Where the slope would be negative or the scores are all equal, the constrained optimum is slope 0:
    everyone gets the (smoothed) prevalence.

    Parameters
    ----------
    score : array_like in [0, 1], shape (n,)
        Of rows that the model was not trained on; in-sample scores would give a slope of 1 by construction.
    truth : array_like, shape (n,), 0 or 1
    patients : array_like, shape (n,), optional
        Rows that share a patient are one cluster of the covariance.

    Raises
    ------
    BadCohort
        When only one class is present.

    References
    ----------
    Platt 1999, "Probabilistic outputs for support vector machines", eq. 2 for the targets.

    Examples
    --------
    Scores that say nothing: everyone gets the prevalence.

    >>> flat = platt([0.5] * 8, [0, 1] * 4)
    >>> flat.slope, flat.risk([0.9]).round(6).tolist()
    (0.0, [0.5])
    """
    x, y = score_logit(score), np.asarray(truth, dtype=np.float64)
    events, others = int((y == 1).sum()), int((y == 0).sum())
    if not events or not others:
        found = f"{events} events and {others} others"
        raise BadCohort(f"Calibration needs both classes; found {found}: use fewer folds or gather more patients.")
    digest = rows_digest(score, truth)
    target = np.where(y == 1, (events + 1) / (events + 2), 1 / (others + 2))
    design = np.column_stack([np.ones(len(x)), x])
    varies = float(np.ptp(x)) > 1e-9
    fit = _soft(design, target, patients) if varies else None
    if fit is not None and fit.ok and fit.coefficients[1] > 0:
        covariance = fit.sandwich if _repeats(patients) else fit.covariance
        rows = ((float(covariance[0, 0]), float(covariance[0, 1])), (float(covariance[1, 0]), float(covariance[1, 1])))
        return Calibrator(float(fit.coefficients[0]), float(fit.coefficients[1]), rows, len(x), events, digest)
    fit = _soft(design[:, :1], target, patients)
    spread = fit.sandwich if _repeats(patients) else fit.covariance
    return Calibrator(float(fit.coefficients[0]), 0.0, ((float(spread[0, 0]), 0.0), (0.0, 0.0)), len(x), events, digest)


def _soft(design: Floats, target: Floats, patients: npt.ArrayLike | None) -> GlmFit:
    """Logistic regression on targets inside (0, 1): each row counts as an event by its target, as none by the rest."""
    who = np.arange(len(target)) if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1]
    halves = np.repeat([1.0, 0.0], len(target))
    return logistic(np.vstack([design, design]), halves, weights=np.append(target, 1 - target), clusters=np.append(who, who))


def _repeats(patients: npt.ArrayLike | None) -> bool:
    return patients is not None and len(np.unique(np.asarray(patients))) < len(np.asarray(patients))
