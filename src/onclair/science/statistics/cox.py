"""Cox's proportional hazards by Newton's method: Efron or Breslow ties, strata, offset, ridge and the baseline hazard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import linalg

from onclair.core.errors import BadInput
from onclair.science.statistics.glm import MOST_STEPS, TOLERANCE

Floats = npt.NDArray[np.float64]
Ties = Literal["efron", "breslow"]


@dataclass(frozen=True, slots=True, eq=False)
class FollowUp:
    """How long each row was followed and whether the event was seen.

    Attributes
    ----------
    time : ndarray, float64, shape (n,)
        Finite and not negative, all in one unit.
    event : ndarray, bool, shape (n,)
    stratum : ndarray, shape (n,), or None
        Rows of different strata have baseline hazards of their own.

    Raises
    ------
    BadInput
        For unequal lengths, a time that is negative or not finite, or an event other than 0 or 1.

    Examples
    --------
    >>> int(FollowUp([2.0, 3.0], [1, 0]).event.sum())
    1
    """

    time: npt.ArrayLike
    event: npt.ArrayLike
    stratum: npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        time, event = np.asarray(self.time, dtype=np.float64), np.asarray(self.event)
        stratum = np.zeros(len(time), dtype=np.int64) if self.stratum is None else np.asarray(self.stratum)
        if time.ndim != 1 or event.shape != time.shape or stratum.shape != time.shape:
            raise BadInput(f"Times have shape {time.shape}, events {event.shape} and strata {stratum.shape}; give one of each a row.")
        usable = np.isfinite(time) & (time >= 0)
        if not usable.all():
            bad = int(np.flatnonzero(~usable)[0])
            raise BadInput(f"Row {bad} was followed for {time[bad]:g}; a follow-up time is finite and not negative: correct or drop it.")
        if not np.isin(event, (0, 1)).all():
            raise BadInput(f"The event column holds {event[~np.isin(event, (0, 1))][0]}; it must be 0 (censored) or 1 (event).")
        for name, value in (("time", time), ("event", event.astype(bool)), ("stratum", stratum)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True, eq=False)
class BaselineHazard:
    """Cumulative hazard at linear predictor 0 in one stratum: a step function, 0 before the first event.

    Attributes
    ----------
    time, cumulative : ndarray, shape (event times,)
    """

    time: Floats
    cumulative: Floats

    def at(self, times: npt.ArrayLike) -> Floats:
        """Return the cumulative hazard at `times`; it stays flat beyond the last event.

        Examples
        --------
        >>> BaselineHazard(np.array([1.0, 2.0]), np.array([0.25, 0.75])).at([0.5, 1.0, 9.0])
        array([0.  , 0.25, 0.75])
        """
        steps = np.append(0.0, self.cumulative)
        return np.asarray(steps[np.searchsorted(self.time, np.asarray(times, dtype=np.float64), side="right")])


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A fitted Cox model.

    Attributes
    ----------
    coefficients : ndarray, shape (p,)
        Log hazard ratios; NaN where the fit is not available.
    covariance : ndarray, shape (p, p)
        Inverse of the (penalised) observed information.
    log_likelihood : tuple of float
        Partial log-likelihood, unpenalised, at zero coefficients and at the estimate.
    baseline : dict
        :class:`BaselineHazard` by stratum (the only key is 0 where no strata were given).
    status : {"ok", "not_available"}
    reason : str or None
    iterations : int
    """

    coefficients: Floats
    covariance: Floats
    log_likelihood: tuple[float, float]
    baseline: dict[object, BaselineHazard]
    status: Literal["ok", "not_available"] = "ok"
    reason: str | None = None
    iterations: int = 0

    @property
    def ok(self) -> bool:
        """Whether the fit converged."""
        return self.status == "ok"

    def risk(self, linear_predictor: npt.ArrayLike, by: float, stratum: object = 0) -> Floats:
        """Return the probability of the event by time `by`, ``1 - exp(-H0(by) exp(lp))``, of shape (n,)."""
        hazard = self.baseline[stratum].at(by) * np.exp(np.asarray(linear_predictor, dtype=np.float64))
        return np.asarray(-np.expm1(-hazard))


def cox(
    design: npt.ArrayLike,
    follow_up: FollowUp,
    *,
    offset: npt.ArrayLike | None = None,
    ridge: npt.ArrayLike = 0.0,
    ties: Ties = "efron",
) -> CoxFit:
    """Fit Cox's model by maximum (penalised) partial likelihood.

    Parameters
    ----------
    design : array_like, shape (n, p)
        Finite, without an intercept; zero columns are allowed (the baseline hazard of the offset alone).
    follow_up : FollowUp
    offset : array_like, shape (n,), optional
        Added to the linear predictor.
    ridge : float or array_like, shape (p,)
        Penalty ``ridge / 2 * beta**2`` subtracted from the log-likelihood.
    ties : {"efron", "breslow"}
        For the likelihood and the baseline hazard alike.

    Returns
    -------
    CoxFit
        With status ``not_available`` when there is no event, the likelihood has no maximum or the design is singular.

    Raises
    ------
    BadInput
        When shapes differ, a value is not finite, a ridge is negative or `ties` is unknown.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Efron 1977, doi:10.1080/01621459.1977.10480613;
    Breslow 1974, doi:10.2307/2529620.

    Examples
    --------
    Exposed 1 and 0 die at 1 and 2, another exposed one at 3. The likelihood is r / (2r + 1) * 1 / (r + 1), highest at
    r = 1 / sqrt(2):

    >>> fit = cox([[1.0], [0.0], [1.0]], FollowUp([1.0, 2.0, 3.0], [1, 1, 1]))
    >>> round(float(np.exp(fit.coefficients[0])), 6)
    0.707107
    """
    task = _task(design, follow_up, offset, ridge, ties)
    p = task.design.shape[1]
    if not task.groups:
        return _unavailable(p, "there is no event")
    start = task.evaluate(np.zeros(p))[0]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a likelihood without maximum runs off; _newton says so
        beta, covariance, steps, reason = _newton(task)
    if reason is not None:
        return _unavailable(p, reason, steps)
    return CoxFit(beta, covariance, (start, task.evaluate(beta)[0]), task.hazards(beta), iterations=steps)


@dataclass(frozen=True, slots=True, eq=False)
class _Stratum:
    """One stratum's rows, latest first, and its event slots: slot l of d tied events leaves out l / d of them (Efron)."""

    name: object
    rows: npt.NDArray[np.int64]
    event: npt.NDArray[np.bool_]
    last: npt.NDArray[np.int64]
    of_slot: npt.NDArray[np.int64]
    fraction: Floats
    event_time: Floats
    of_event: npt.NDArray[np.int64]
    first_slot: npt.NDArray[np.int64]

    def risk_sums(self, values: Floats) -> Floats:
        """Sum `values` over the risk set of each slot, tied events thinned by its fraction."""
        at_risk = np.cumsum(values, axis=0)[self.last]
        tied = np.zeros_like(at_risk)
        np.add.at(tied, self.of_event, values[self.event])
        thinned = self.fraction if values.ndim == 1 else self.fraction[:, None]
        return np.asarray(at_risk[self.of_slot] - thinned * tied[self.of_slot])


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    design: Floats
    offset: Floats
    ridge: Floats
    groups: tuple[_Stratum, ...]

    def evaluate(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Unpenalised log-likelihood, its gradient and its information at `beta`."""
        value, gradient, information = 0.0, np.zeros(beta.size), np.zeros((beta.size, beta.size))
        for group in self.groups:
            x, eta = self.design[group.rows], (self.design @ beta + self.offset)[group.rows]
            top = float(eta.max())
            relative = np.exp(eta - top)
            s0 = group.risk_sums(relative)
            mean = group.risk_sums(relative[:, None] * x) / s0[:, None]
            value += float(eta[group.event].sum() - np.log(s0).sum()) - top * s0.size
            gradient += x[group.event].sum(axis=0) - mean.sum(axis=0)
            share = relative * _exposure(group, 1.0 / s0)
            information += x.T @ (x * share[:, None]) - mean.T @ mean
        return value, gradient, information

    def penalised(self, beta: Floats) -> float:
        return self.evaluate(beta)[0] - 0.5 * float(self.ridge @ beta**2)

    def hazards(self, beta: Floats) -> dict[object, BaselineHazard]:
        """Baseline cumulative hazard of each stratum at `beta`."""
        found = {}
        for group in self.groups:
            eta = (self.design @ beta + self.offset)[group.rows]
            top = float(eta.max())
            jumps = np.zeros(group.event_time.size)
            np.add.at(jumps, group.of_slot, np.exp(-top) / group.risk_sums(np.exp(eta - top)))
            found[group.name] = BaselineHazard(group.event_time[::-1].copy(), np.cumsum(jumps[::-1]))
        return found


def _exposure(group: _Stratum, weight: Floats) -> Floats:
    """Sum each row's slot weights over the slots in whose risk set it stands (a tied event counts 1 - l / d)."""
    total, own = np.zeros(group.event_time.size), np.zeros(group.event_time.size)
    np.add.at(total, group.of_slot, weight)
    np.add.at(own, group.of_slot, weight * group.fraction)
    exposure = np.cumsum(total[::-1])[::-1][group.first_slot.clip(max=max(total.size - 1, 0))]
    exposure = np.where(group.first_slot < total.size, exposure, 0.0)
    exposure[group.event] -= own[group.of_event]
    return np.asarray(exposure)


def _stratum(name: object, rows: npt.NDArray[np.int64], follow_up: FollowUp, ties: Ties) -> _Stratum:
    time, event = np.asarray(follow_up.time)[rows], np.asarray(follow_up.event)[rows]
    order = np.argsort(-time, kind="stable")
    rows, time, event = rows[order], time[order], event[order]
    event_time, of_event = np.unique(-time[event], return_inverse=True)
    deaths = np.bincount(of_event, minlength=event_time.size)
    of_slot = np.repeat(np.arange(event_time.size), deaths)
    place = np.arange(of_slot.size) - np.repeat(np.cumsum(deaths) - deaths, deaths)
    fraction = place / deaths[of_slot] if ties == "efron" else np.zeros(of_slot.size)
    last = np.searchsorted(-time, event_time, side="right") - 1
    first = np.searchsorted(event_time, -time, side="left")
    return _Stratum(name, rows, event, last, of_slot, fraction, -event_time, of_event, first)


def _task(design: npt.ArrayLike, follow_up: FollowUp, offset: npt.ArrayLike | None, ridge: npt.ArrayLike, ties: Ties) -> _Task:
    x, n = np.asarray(design, dtype=np.float64), len(np.asarray(follow_up.time))
    if x.ndim != 2 or len(x) != n:
        raise BadInput(f"The design has shape {x.shape} for {n} followed rows; give (rows, columns).")
    shift = np.zeros(n) if offset is None else np.asarray(offset, dtype=np.float64)
    penalty = np.broadcast_to(np.asarray(ridge, dtype=np.float64), (x.shape[1],))
    if shift.shape != (n,) or not (np.isfinite(x).all() and np.isfinite(shift).all() and np.isfinite(penalty).all()):
        raise BadInput("The design, offset or ridge of the Cox model holds NaN or infinity, or the offset another length; drop such rows.")
    if (penalty < 0).any() or ties not in ("efron", "breslow"):
        raise BadInput(f"The ridge must be 0 or more and ties 'efron' or 'breslow'; found {penalty.min(initial=0):g} and '{ties}'.")
    stratum, event = np.asarray(follow_up.stratum), np.asarray(follow_up.event)
    names = [s for s in np.unique(stratum) if event[stratum == s].any()]
    groups = tuple(_stratum(s.item() if hasattr(s, "item") else s, np.flatnonzero(stratum == s), follow_up, ties) for s in names)
    return _Task(x, shift, penalty, groups)


def _newton(task: _Task) -> tuple[Floats, Floats, int, str | None]:
    p = task.design.shape[1]
    beta = np.zeros(p)
    if p == 0:
        return beta, np.zeros((0, 0)), 0, None
    current = task.penalised(beta)
    for iteration in range(1, MOST_STEPS + 1):
        _, gradient, information = task.evaluate(beta)
        information = information + np.diag(task.ridge)
        scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
        scaled = information / np.outer(scale, scale)
        if not np.isfinite(scaled).all() or np.diag(information).min() < 1e-12 or np.linalg.cond(scaled) > 1e13:
            return beta, information, iteration, _why_not(task)
        step = linalg.solve(scaled, (gradient - task.ridge * beta) / scale, assume_a="sym") / scale
        size = 1.0
        while size > 1e-10 and not (trial := task.penalised(beta + size * step)) >= current - 1e-12 * (1 + abs(current)):
            size /= 2
        beta, current = beta + size * step, trial
        if np.max(np.abs(size * step) / np.maximum(1.0, np.abs(beta))) < TOLERANCE:
            final = task.evaluate(beta)[2] + np.diag(task.ridge)
            return beta, np.asarray(np.linalg.inv(final), dtype=np.float64), iteration, None
    return beta, np.zeros((p, p)), MOST_STEPS, _why_not(task)


def _why_not(task: _Task) -> str:
    _, _, information = task.evaluate(np.zeros(task.design.shape[1]))
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    if np.diag(information).min() < 1e-12 or np.linalg.cond(information / np.outer(scale, scale)) > 1e13:
        return "a predictor is constant or a combination of the others, so its coefficient cannot be told apart"
    return "the partial likelihood has no maximum: a combination of the predictors orders the events perfectly"


def _unavailable(p: int, reason: str, steps: int = 0) -> CoxFit:
    return CoxFit(np.full(p, np.nan), np.full((p, p), np.nan), (np.nan, np.nan), {}, "not_available", reason, steps)
