"""What each row adds to a Cox model's coefficients and baseline hazard: the parts of every clustered error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.statistics.cox import CoxFit, FollowUp, Ties, _exposure, _Stratum, _task

Floats = npt.NDArray[np.float64]


def cox_influence(
    fit: CoxFit, design: npt.ArrayLike, follow_up: FollowUp, *, offset: npt.ArrayLike | None = None, ties: Ties = "efron"
) -> Floats:
    """Return each row's first-order contribution to the coefficients (R's ``dfbeta``).

    Parameters
    ----------
    fit : CoxFit
        Converged, of these very rows, offset and ties.
    design : array_like, shape (n, p)
    follow_up : FollowUp
    offset : array_like, shape (n,), optional
    ties : {"efron", "breslow"}

    Returns
    -------
    ndarray, float64, shape (n, p)
        Score residuals times the model-based covariance; without a ridge they sum to zero. Summed by patient, their cross
        product is the sandwich covariance.

    Raises
    ------
    BadInput
        When the fit is not available, or shapes differ.

    References
    ----------
    Lin & Wei 1989, eq. 2.4, doi:10.1080/01621459.1989.10478874; score residuals under Efron's ties: Therneau & Grambsch 2000,
    section 4.6.

    Examples
    --------
    Two pairs, the higher score first in one and last in the other: the four pull alike and cancel out.

    >>> from onclair.science.statistics.cox import cox
    >>> design, rows = [[1.0], [0.0], [0.0], [1.0]], FollowUp([1, 2, 1, 2], [1, 0, 1, 0], [0, 0, 1, 1])
    >>> cox_influence(cox(design, rows), design, rows).ravel()
    array([ 0.5,  0.5, -0.5, -0.5])
    """
    if not fit.ok:
        raise BadInput(f"The Cox model was not fitted ({fit.reason}), so no row has an influence on it; see to that first.")
    task = _task(design, follow_up, offset, 0.0, ties)
    found = np.zeros_like(task.design)
    for group in task.groups:
        x, relative = task.design[group.rows], _relative(group, task.design @ fit.coefficients + task.offset)
        s0 = group.risk_sums(relative)
        mean = group.risk_sums(relative[:, None] * x) / s0[:, None]
        pulled = np.column_stack([_exposure(group, column / s0) for column in mean.T]) if x.size else np.zeros_like(x)
        residual = relative[:, None] * (pulled - x * _exposure(group, 1.0 / s0)[:, None])
        residual[group.event] += x[group.event] - _by_tie(group, mean)[group.of_event]
        found[group.rows] = residual
    return np.asarray(found @ fit.covariance)


def baseline_influence(fit: CoxFit, design: npt.ArrayLike, follow_up: FollowUp, by: float) -> Floats:
    """Return each row's first-order contribution to the baseline cumulative hazard at time `by`.

    Parameters
    ----------
    fit : CoxFit
        Converged, of these very rows, Efron's ties, without strata, offset or ridge.
    design : array_like, shape (n, p)
    follow_up : FollowUp
    by : float

    Returns
    -------
    ndarray, float64, shape (n,)
        What the coefficients carry is included; it sums to zero.

    Raises
    ------
    BadInput
        When the fit is not available or stratified, or shapes differ.

    References
    ----------
    Reid & Crépeau 1985, doi:10.1093/biomet/72.1.1; Andersen et al. 1993, theorem VII.2.3.

    Examples
    --------
    Without predictors it is Nelson and Aalen's 1/4 + 1/3 at time 2:

    >>> from onclair.science.statistics.cox import cox
    >>> nothing, rows = np.zeros((4, 0)), FollowUp([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0])
    >>> parts = baseline_influence(cox(nothing, rows), nothing, rows, 2.0)
    >>> bool(abs(parts.sum()) < 1e-12), round(float(parts[0]), 6) == round(1 / 4 - 1 / 16, 6)
    (True, True)
    """
    task = _task(design, follow_up, None, 0.0, "efron")
    if len(task.groups) != 1:
        raise BadInput(f"The Cox model has {len(task.groups)} strata with events; the influence on a baseline hazard is for one.")
    coefficients, group = cox_influence(fit, design, follow_up), task.groups[0]
    eta = (task.design @ fit.coefficients)[group.rows]
    relative, shrunk = _relative(group, task.design @ fit.coefficients), float(np.exp(-eta.max()))
    s0 = group.risk_sums(relative)
    counted = (group.event_time[group.of_slot] <= by) / s0
    own = -relative * _exposure(group, counted / s0)
    own[group.event] += _by_tie(group, counted[:, None])[group.of_event, 0]
    mean = group.risk_sums(relative[:, None] * task.design[group.rows]) / s0[:, None]
    found = np.zeros(len(task.design))
    found[group.rows] = own
    return np.asarray(shrunk * (found - coefficients @ (mean.T @ counted)))


def _relative(group: _Stratum, eta: Floats) -> Floats:
    """Relative hazards of a stratum's rows, the highest 1."""
    here = eta[group.rows]
    return np.asarray(np.exp(here - here.max()))


def _by_tie(group: _Stratum, of_slots: Floats) -> Floats:
    """Average slot values over the events that are tied at each time, of shape (event times, columns)."""
    sums = np.zeros((group.event_time.size, of_slots.shape[1]))
    np.add.at(sums, group.of_slot, of_slots)
    return np.asarray(sums / np.bincount(group.of_slot, minlength=group.event_time.size)[:, None])
