"""From a score to a risk: calibration on rows that the model has not seen. Platt's here; the others in `calibrate_*.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadCohort, BadInput, BadModelFile
from onclair.learn.calibrate_records import checked_scores, one_class
from onclair.learn.calibrate_records import rows_digest as rows_digest
from onclair.science.statistics.glm import GlmFit, logistic

Floats = npt.NDArray[np.float64]

#: Scores are kept this far off 0 and 1 before their logit is taken.
NEAREST = 1e-6
#: Said by a calibrator without ranking, and by one whose risks have no interval.
UNRANKED = "the scores do not rank the outcomes, so everyone gets the prevalence"
ONE_PATIENT = "all rows are one patient's, so its risks have no interval"

Covariance = tuple[tuple[float, float], tuple[float, float]]


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
    covariance : tuple of tuple of float, 2 x 2, or None
        Of (intercept, slope); summed by patient where rows repeat. None where all rows are one patient's: there is no spread between
        patients to see.
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
    covariance: Covariance | None
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
        cautions = [UNRANKED] if not self.slope > 0 else []
        return "; ".join(cautions if self.covariance is not None else [*cautions, ONE_PATIENT]) or None

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
            NaN where there is no covariance; `reason` says why.
        """
        x = score_logit(score)
        if self.covariance is None:
            return np.full(x.shape, np.nan), np.full(x.shape, np.nan)
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
        covariance = None if self.covariance is None else [list(row) for row in self.covariance]
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
            covariance = None if document["covariance"] is None else _pairs(document["covariance"])
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
        Rows that share a patient are one cluster of the covariance; if all do, there is none, and the reason says so.

    Raises
    ------
    BadCohort
        When only one class is present.
    BadInput
        When lengths differ, a score lies outside [0, 1] or a truth is neither 0 nor 1.

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
    s, y, (rows, events, digest) = checked_scores(score, truth)
    _check_paired(patients, rows)
    x, others = score_logit(s), rows - events
    if one_class(y) is not None:
        found = f"{events} events and {others} others"
        raise BadCohort(f"Calibration needs both classes; found {found}: use fewer folds or gather more patients.")
    target = np.where(y == 1, (events + 1) / (events + 2), 1 / (others + 2))
    design = np.column_stack([np.ones(len(x)), x])
    varies = float(np.ptp(x)) > 1e-9
    fit = _soft(design, target, patients) if varies else None
    if fit is not None and fit.ok and fit.coefficients[1] > 0:
        both = (float(fit.coefficients[0]), float(fit.coefficients[1]))
        return Calibrator(*both, _spread(fit, patients), rows, events, digest)
    fit = _soft(design[:, :1], target, patients)
    return Calibrator(float(fit.coefficients[0]), 0.0, _spread(fit, patients), rows, events, digest)


def _soft(design: Floats, target: Floats, patients: npt.ArrayLike | None) -> GlmFit:
    """Logistic regression on targets inside (0, 1): each row counts as an event by its target, as none by the rest."""
    who = np.arange(len(target)) if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1]
    halves = np.repeat([1.0, 0.0], len(target))
    return logistic(np.vstack([design, design]), halves, weights=np.append(target, 1 - target), clusters=np.append(who, who))


def _spread(fit: GlmFit, patients: npt.ArrayLike | None) -> Covariance | None:
    """Return the covariance of intercept and slope, which is 0 for a slope that was not fitted; None on a single patient."""
    found = fit.sandwich if _repeats(patients) else fit.covariance
    if not np.isfinite(found).all():
        return None
    whole = np.zeros((2, 2))
    whole[: len(found), : len(found)] = found
    return _pairs(whole.tolist())


def _pairs(rows: Any) -> Covariance:
    (aa, ab), (ba, bb) = rows
    return (float(aa), float(ab)), (float(ba), float(bb))


def _check_paired(patients: npt.ArrayLike | None, rows: int) -> None:
    if patients is not None and np.shape(patients) != (rows,):
        raise BadInput(f"{np.size(patients)} patients were named for {rows} rows; name the patient of each row.")


def _repeats(patients: npt.ArrayLike | None) -> bool:
    return patients is not None and len(np.unique(np.asarray(patients))) < len(np.asarray(patients))
