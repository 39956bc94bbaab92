"""A claim about an event that others may forestall: every figure and curve in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.bootstrap import Map
from onclair.validate.acting import acting_in_time
from onclair.validate.benefits import benefits, checked_thresholds, interventions_avoided, standardised_benefits
from onclair.validate.binary import NOT_A_RISK, Claim
from onclair.validate.censored import auc_t, brier, brier_null, ipa, unusable
from onclair.validate.competing.calibration import DISTANCES, o_e, pseudo_curve, pseudo_distances, pseudo_intercept, pseudo_slope
from onclair.validate.competing.ranking import c_index
from onclair.validate.curves import Curve
from onclair.validate.followed import Followed, followed_risks, followed_rows
from onclair.validate.utility import decision_band, decision_curve

Found = tuple[list[Estimate], list[Curve]]
Figure = Callable[[str, Followed, float], Estimate]

#: Figures of a risk, taken where the censoring weights are, and at the horizon.
WEIGHTED: dict[str, Figure] = {"brier": brier, "brier_null": brier_null, "ipa": ipa}
AT_HORIZON: dict[str, Figure] = {"o_e": o_e, "pseudo_intercept": pseudo_intercept, "pseudo_slope": pseudo_slope}
UTILITY = {"nb": benefits, "snb": standardised_benefits, "avoided": interventions_avoided}
NO_HORIZON = "no horizon was given"


@dataclass(frozen=True, slots=True)
class CompetingAsked:
    """Which figures are asked for, declared before the outcome is seen.

    Attributes
    ----------
    horizon : float or None
        By when the event counts, in the unit of time; without it only the concordance of a score is had.
    weights_at : float or None
        When the censoring-weighted figures (``auc_t brier brier_null ipa``) are taken; the horizon when left out. Where everybody
        is censored at the horizon it must lie before, since somebody has to be followed beyond it.
    thresholds : sequence of float
        For net benefit.
    level : float
    replicates : int
        Bootstrap replicates of ICI and its like and of the decision curve's band; 0 for none.
    seed : int

    Examples
    --------
    >>> CompetingAsked(horizon=5.0).weighted_at
    5.0
    """

    horizon: float | None = None
    weights_at: float | None = None
    thresholds: Sequence[float] = ()
    level: float = 0.95
    replicates: int = 0
    seed: int = 0

    @property
    def weighted_at(self) -> float | None:
        """When the censoring-weighted figures are taken."""
        return self.horizon if self.weights_at is None else self.weights_at


class _Asked(TypedDict, total=False):
    """The attributes of :class:`CompetingAsked`, as keywords."""

    horizon: float | None
    weights_at: float | None
    thresholds: Sequence[float]
    level: float
    replicates: int
    seed: int


def judge_competing(
    who: str,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    claim: Claim | npt.ArrayLike,
    *,
    patients: npt.ArrayLike | None = None,
    map: Map = map,  # noqa: A002
    **asked: Unpack[_Asked],
) -> Found:
    """Return every figure of one claim in a whole cohort, refusing a horizon that its follow-up does not reach.

    Parameters
    ----------
    who : str
    time : array_like, shape (n,)
        Follow-up, positive.
    event : array_like, shape (n,)
        0 censored, 1 of interest, 2 and more competing.
    claim : Claim or array_like, shape (n,)
        Probabilities of the event by the horizon, or a :class:`onclair.validate.binary.Claim` of kind ``"score"``, which ranks only.
    patients : array_like, shape (n,), optional
        Whose row it is; rows that share a patient are one cluster.
    map : callable
        For the bootstrap; see :func:`onclair.science.statistics.bootstrap.bootstrap`.
    **asked
        As the attributes of :class:`CompetingAsked`: ``horizon weights_at thresholds level replicates seed``.

    Returns
    -------
    estimates : list of Estimate
        ``auc_t c_index brier brier_null ipa o_e pseudo_intercept pseudo_slope ici e50 e90``, each ``:WHO``, and ``nb snb avoided``
        ``:WHO@T``. A figure that cannot be had is there, with its reason.
    curves : list of Curve
        The calibration curve of a risk, and its decision curve where thresholds were declared.

    Raises
    ------
    BadInput
        For rows that cannot be used, and when nobody is followed beyond the time of the censoring-weighted figures, or up to the
        horizon; the largest usable time is offered. In one group of a cohort use :func:`competing_estimates`.
    BadSetting
        For a threshold outside (0, 1).

    References
    ----------
    van Geloven et al. 2022, doi:10.1136/bmj-2021-069249.

    Examples
    --------
    >>> found, _ = judge_competing("m", [1.0, 2.0, 3.0, 4.0], [1, 2, 1, 0], [0.6, 0.2, 0.9, 0.1], horizon=2.5)
    >>> [round(e.value, 6) for e in found if e.name in ("auc_t:m", "c_index:m", "o_e:m")]
    [0.666667, 0.666667, 0.555556]
    >>> judge_competing("m", [1.0, 2.0], [1, 2], [0.6, 0.2], horizon=5.0)
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadInput: 'm' cannot be judged at 5: nobody is followed beyond time 5 (the longest follow-up is 2), so no \
weight can stand for those censored by then; the largest usable time is 2; give such a horizon or \
weights_at.
    """
    settled = CompetingAsked(**asked)
    rows = _checked(who, (time, event), claim, patients, settled)
    asked_for = [at for at in (settled.weighted_at,) if at is not None]
    if settled.horizon is not None and settled.horizon > rows.longest:
        asked_for = [settled.horizon]
    for at in asked_for:
        if reason := unusable(rows, at):
            raise BadInput(f"'{who}' cannot be judged at {at:g}: {reason}; give such a horizon or weights_at.", item=who)
    return _figures(who, rows, claim, settled, map)


def competing_estimates(
    who: str,
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    claim: Claim | npt.ArrayLike,
    *,
    patients: npt.ArrayLike | None = None,
    map: Map = map,  # noqa: A002
    **asked: Unpack[_Asked],
) -> Found:
    """Return what :func:`judge_competing` returns, with ``not_available`` figures where follow-up is too short: for one group.

    Raises
    ------
    BadInput
        For rows that cannot be used; the claim is named.
    BadSetting
        For a threshold outside (0, 1).

    Examples
    --------
    >>> found, _ = competing_estimates("m", [1.0, 2.0, 4.0], [1, 2, 0], [0.6, 0.2, 0.1], horizon=5.0)
    >>> {e.name: e.reason for e in found}["o_e:m"]
    'the longest follow-up is 4, short of 5, so the risk by then is not known'
    """
    settled = CompetingAsked(**asked)
    return _figures(who, _checked(who, (time, event), claim, patients, settled), claim, settled, map)


def _figures(who: str, rows: Followed, claim: Claim | npt.ArrayLike, asked: CompetingAsked, map: Map) -> Found:  # noqa: A002
    at, horizon = asked.weighted_at, asked.horizon
    found = [rows.missing(f"auc_t:{who}", NO_HORIZON) if at is None else auc_t(f"auc_t:{who}", rows, at)]
    found.append(c_index(f"c_index:{who}", rows, horizon))
    absent = NOT_A_RISK if _kind(claim) == "score" else NO_HORIZON if horizon is None else None
    if absent is not None or at is None or horizon is None:
        figures = [f"{figure}:{who}" for figure in (*WEIGHTED, *AT_HORIZON, *DISTANCES)]
        figures += [f"{figure}:{who}@{t:g}" for figure in UTILITY for t in checked_thresholds(asked.thresholds)]
        return [*found, *(rows.missing(name, absent or NO_HORIZON) for name in figures)], []
    found += [figure(f"{name}:{who}", rows, at) for name, figure in WEIGHTED.items()]
    found += [figure(f"{name}:{who}", rows, horizon) for name, figure in AT_HORIZON.items()]
    found += pseudo_distances(who, rows, horizon, replicates=asked.replicates, seed=asked.seed, map=map)
    of_use, drawn = _utility(who, rows, horizon, asked, map)
    return [*found, *of_use], [pseudo_curve(who, rows, horizon), *drawn]


def _utility(who: str, rows: Followed, horizon: float, asked: CompetingAsked, map: Map) -> Found:  # noqa: A002
    thresholds = checked_thresholds(asked.thresholds)
    if not thresholds:
        return [], []
    try:
        acting = acting_in_time(rows, horizon)
    except BadInput as error:
        return [rows.missing(f"{figure}:{who}@{t:g}", str(error)) for figure in UTILITY for t in thresholds], []
    found = [estimate for figure in UTILITY.values() for estimate in figure(who, acting, thresholds)]
    curve = decision_curve(who, found)
    return found, [decision_band(curve, acting, replicates=asked.replicates, seed=asked.seed, map=map)]


def _kind(claim: Claim | npt.ArrayLike) -> str:
    return claim.kind if isinstance(claim, Claim) else "risk"


def _checked(
    who: str,
    outcome: tuple[npt.ArrayLike, npt.ArrayLike],
    claim: Claim | npt.ArrayLike,
    patients: npt.ArrayLike | None,
    asked: CompetingAsked,
) -> Followed:
    """Return the claim's rows, checked; an error names the claim."""
    check = followed_risks if _kind(claim) == "risk" else followed_rows
    values = claim.values if isinstance(claim, Claim) else claim
    try:
        return check(*outcome, values, patients, level=asked.level)
    except BadInput as error:
        raise BadInput(f"The predictions of '{who}' cannot be judged. {error}", item=who) from error
