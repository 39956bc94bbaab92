"""Every figure of one claim about an event in time, in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map
from onclair.science.statistics.cox import FollowUp
from onclair.validate.censored import auc_t, brier, brier_null, ipa, unusable
from onclair.validate.curves import Curve
from onclair.validate.followed import Followed, followed_risks, followed_rows
from onclair.validate.survival.calibration import DISTANCES, calibration_curve, calibration_distances, o_e, poisson_o_e, slope
from onclair.validate.survival.ranking import harrell, uno

#: Censoring-weighted figures that a probability has and a score has not.
WEIGHTED: dict[str, Callable[[str, Followed, float], Estimate]] = {"brier": brier, "brier_null": brier_null, "ipa": ipa}
NOT_A_RISK = "the claim is a score, not a probability"
NO_HORIZON = "no horizon was given"
NO_PREDICTOR = "the claim gives no linear predictor"
NO_HAZARD = "the claim gives no cumulative hazard at each row's own follow-up"


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalClaim:
    """What someone says of each row; what is left out leaves its figures ``not_available``.

    Attributes
    ----------
    risk : array_like, shape (n,), or None
        Probability of the event by the horizon.
    score : array_like, shape (n,), or None
        What only ranks; higher means earlier.
    linear_predictor : array_like, shape (n,), or None
        Log hazard ratio, for the slope.
    cumulative_hazard : array_like, shape (n,), or None
        At each row's own follow-up time, for observed over expected events.

    Raises
    ------
    BadInput
        When nothing is claimed that could rank.

    Examples
    --------
    >>> SurvivalClaim(risk=[0.2, 0.7]).ranking
    [0.2, 0.7]
    """

    risk: npt.ArrayLike | None = None
    score: npt.ArrayLike | None = None
    linear_predictor: npt.ArrayLike | None = None
    cumulative_hazard: npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        if self.risk is None and self.score is None and self.linear_predictor is None:
            raise BadInput("The claim holds no risk, no score and no linear predictor; give at least one of them.")

    @property
    def ranking(self) -> npt.ArrayLike:
        """What rows are ranked by: the risk, else the score, else the linear predictor."""
        given = [value for value in (self.risk, self.score, self.linear_predictor) if value is not None]
        return given[0]

    def of(self, here: npt.NDArray[np.bool_]) -> SurvivalClaim:
        """Return the claim about the rows marked True in `here`, shape (n,): a centre's or a subgroup's.

        Examples
        --------
        >>> SurvivalClaim(score=[3.0, 4.0]).of(np.array([False, True])).score
        array([4.])
        """
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return SurvivalClaim(**{name: None if value is None else np.asarray(value)[here] for name, value in parts.items()})


@dataclass(frozen=True, slots=True)
class SurvivalAsked:
    """Which figures are asked for, declared before the outcome is seen.

    Attributes
    ----------
    horizon : float or None
        By when the event counts, in the unit of time; without it only the concordances, the slope and the Poisson O:E are had.
    weights_at : float or None
        When the censoring-weighted figures (``auc_t brier brier_null ipa``) are taken; the horizon when left out. Where everybody
        is censored at the horizon it must lie before, since somebody has to be followed beyond it.
    level : float
    replicates : int
        Bootstrap replicates of ICI and its like; 0 for none.
    seed : int

    Examples
    --------
    >>> SurvivalAsked(horizon=5.0).weighted_at
    5.0
    """

    horizon: float | None = None
    weights_at: float | None = None
    level: float = 0.95
    replicates: int = 200
    seed: int = 0

    @property
    def weighted_at(self) -> float | None:
        """When the censoring-weighted figures are taken."""
        return self.horizon if self.weights_at is None else self.weights_at


def judge_survival(
    who: str,
    follow_up: FollowUp,
    claim: SurvivalClaim,
    *,
    patients: npt.ArrayLike | None = None,
    asked: SurvivalAsked | None = None,
    map: Map = map,  # noqa: A002
) -> tuple[list[Estimate], list[Curve]]:
    """Return every figure of one claim in a whole cohort, refusing a horizon that its follow-up does not reach.

    Parameters
    ----------
    who : str
    follow_up : FollowUp
        Times and events (0 or 1) of the n rows.
    claim : SurvivalClaim
    patients : array_like, shape (n,), optional
        Whose row it is; rows that share a patient are one cluster.
    asked : SurvivalAsked, optional
    map : callable
        For the bootstrap.

    Returns
    -------
    estimates : list of Estimate
        ``harrell uno auc_t brier brier_null ipa o_e poisson_o_e slope ici e50 e90 emax``, each ``:WHO``. A figure that cannot be
        had is there, with its reason.
    curves : list of Curve
        The calibration curve of a risk.

    Raises
    ------
    BadInput
        For rows that cannot be used, and when nobody is followed beyond the time of the censoring-weighted figures, or up to the
        horizon; the largest usable time is offered. In one group of a cohort use :func:`survival_figures`.

    Examples
    --------
    >>> rows = FollowUp([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1])
    >>> found, curves = judge_survival("model", rows, SurvivalClaim(score=[4, 2, 3, 1]))
    >>> [e.name for e in found if e.status == "ok"], curves
    (['harrell:model', 'uno:model'], [])
    >>> judge_survival("model", rows, SurvivalClaim(score=[4, 2, 3, 1]), asked=SurvivalAsked(horizon=5.0))
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadInput: 'model' cannot be judged at 5: nobody is followed beyond time 5 (the longest follow-up is 4), so no \
weight can stand for those censored by then; the largest usable time is 4; give such a \
horizon or weights_at.
    """
    asked = asked or SurvivalAsked()
    rows = _checked(who, follow_up, claim, patients, asked)
    reasons = {at: unusable(rows, at) for at in (asked.weighted_at,) if at is not None}
    if asked.horizon is not None and asked.horizon > rows.longest:
        reasons = {asked.horizon: unusable(rows, asked.horizon)}
    for at, reason in reasons.items():
        if reason:
            raise BadInput(f"'{who}' cannot be judged at {at:g}: {reason}; give such a horizon or weights_at.", item=who)
    return survival_figures(who, follow_up, claim, patients=patients, asked=asked, map=map)


def survival_figures(
    who: str,
    follow_up: FollowUp,
    claim: SurvivalClaim,
    *,
    patients: npt.ArrayLike | None = None,
    asked: SurvivalAsked | None = None,
    map: Map = map,  # noqa: A002
) -> tuple[list[Estimate], list[Curve]]:
    """Return what :func:`judge_survival` returns, with ``not_available`` figures where follow-up is too short: for one group.

    Raises
    ------
    BadInput
        For rows that cannot be used; the claim is named.

    Examples
    --------
    >>> rows = FollowUp([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1])
    >>> found, _ = survival_figures("model", rows, SurvivalClaim(risk=[0.9, 0.2, 0.4, 0.1]), asked=SurvivalAsked(horizon=5.0))
    >>> {e.name: e.reason for e in found}["o_e:model"]
    'follow-up ends at 4, before 5'
    """
    asked = asked or SurvivalAsked()
    rows = _checked(who, follow_up, claim, patients, asked)
    at, horizon = asked.weighted_at, asked.horizon
    found = [harrell(f"harrell:{who}", rows), uno(f"uno:{who}", rows)]
    found.append(rows.missing(f"auc_t:{who}", NO_HORIZON) if at is None else auc_t(f"auc_t:{who}", rows, at))
    absent = NOT_A_RISK if claim.risk is None else NO_HORIZON if horizon is None else None
    if absent is not None or at is None or horizon is None:
        found += [rows.missing(f"{figure}:{who}", absent or NO_HORIZON) for figure in (*WEIGHTED, "o_e")]
        return [*found, *_over_time(who, rows, claim), *(rows.missing(f"{figure}:{who}", absent or NO_HORIZON) for figure in DISTANCES)], []
    found += [figure(f"{name}:{who}", rows, at) for name, figure in WEIGHTED.items()]
    found += [o_e(f"o_e:{who}", rows, horizon), *_over_time(who, rows, claim)]
    found += calibration_distances(who, rows, horizon, replicates=asked.replicates, seed=asked.seed, map=map)
    return found, [calibration_curve(who, rows, horizon)]


def _over_time(who: str, rows: Followed, claim: SurvivalClaim) -> list[Estimate]:
    """Return the Poisson O:E and the slope, which need no horizon."""
    hazard, predictor = claim.cumulative_hazard, claim.linear_predictor
    expected = rows.missing(f"poisson_o_e:{who}", NO_HAZARD) if hazard is None else poisson_o_e(f"poisson_o_e:{who}", rows, hazard)
    if predictor is None:
        return [expected, rows.missing(f"slope:{who}", NO_PREDICTOR)]
    return [expected, slope(f"slope:{who}", replace(rows, scores=np.asarray(predictor, dtype=np.float64)))]


def _checked(who: str, follow_up: FollowUp, claim: SurvivalClaim, patients: npt.ArrayLike | None, asked: SurvivalAsked) -> Followed:
    """Return the claim's rows, checked; an error names the claim."""
    check = followed_rows if claim.risk is None else followed_risks
    try:
        rows = check(follow_up.time, np.asarray(follow_up.event, dtype=np.int64), claim.ranking, patients, level=asked.level)
        if claim.linear_predictor is not None:
            followed_rows(rows.time, rows.event, claim.linear_predictor)
    except BadInput as error:
        raise BadInput(f"The predictions of '{who}' cannot be judged. {error}", item=who) from error
    return rows
