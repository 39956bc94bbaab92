"""Ranking and overall distance when risks compete: AUC(t) with both kinds of control, Wolbers' C, Brier score and IPA."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onclair.core.estimate import Estimate
from onclair.science.statistics.competing import incidence_influence, time_order
from onclair.science.statistics.concordance import weighted_placements
from onclair.science.statistics.survival import censoring_weights, weights_influence
from onclair.science.statistics.wolbers import wolbers_concordance
from onclair.validate.followed import Followed
from onclair.validate.rows import Floats, wald
from onclair.validate.survival import events_by, refuse_unpaired, unusable

IPCW = "censoring-weighted with G of these rows (Graf 1999); influence function with that of G"
AUC_T = f"cumulative/dynamic AUC, controls free of any event or with a competing one by then (Blanche 2013); {IPCW}"
WOLBERS = "Wolbers' C (2014), pairs weighted 1/(G(T-) G(T-)) with G of these rows; infinitesimal jackknife with that of G"
NO_PAIR = "no two rows can be compared: nobody was followed beyond a row with the event, or had a competing one before it"


def auc_t(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the cumulative/dynamic AUC: those with the event by `horizon` against all whose event did not come by then.

    Controls are of two kinds: rows followed beyond the horizon without any event, and rows with a competing event by it.

    Parameters
    ----------
    name : str
        For example ``"auc_t:model"``.
    rows : Followed
        Higher scores mean likelier.
    horizon : float
        In the unit of time; somebody must be followed beyond it.

    Returns
    -------
    Estimate
        ``not_available`` without a case or a control, or when nobody is followed beyond the horizon. The interval is Wald's, on
        the logit scale where it would leave [0, 1].

    References
    ----------
    Saha & Heagerty 2010, doi:10.1111/j.1541-0420.2009.01375.x; Blanche et al. 2013, AUC 2, doi:10.1002/sim.5958.

    Examples
    --------
    The case of 0.6 ranks above two of its three controls, one of whom had a competing event:

    >>> from onclair.validate.followed import followed_rows
    >>> rows = followed_rows([1.0, 2.0, 3.0, 4.0], [1, 2, 0, 0], [0.6, 0.2, 0.9, 0.1])
    >>> round(auc_t("auc_t:model", rows, 2.5).value, 6)
    0.666667
    """
    found = _area(rows, horizon)
    if isinstance(found, str):
        return rows.missing(name, found)
    value, contributions = found
    stated = _ranked(name, rows, value, contributions, f"{AUC_T}; at {horizon:g}")
    return replace(stated, events=events_by(rows, horizon))


def competing_auc_difference(name: str, rows_a: Followed, rows_b: Followed, horizon: float) -> Estimate:
    """Return the paired difference of two cumulative/dynamic AUCs, `a` minus `b`, on the same rows.

    Parameters
    ----------
    name : str
        For example ``"auc_t:a-minus-b"``.
    rows_a, rows_b : Followed
        The same rows with the scores of one claim and of the other.
    horizon : float

    Returns
    -------
    Estimate
        On the identity scale; ``not_available`` as :func:`auc_t`.

    Raises
    ------
    BadInput
        When times, events or patients differ.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> a, b = (followed_rows([1.0, 2.0, 3.0], [1, 2, 0], scores) for scores in ([3, 2, 1], [2, 3, 1]))
    >>> competing_auc_difference("auc_t:a-minus-b", a, b, 2.5).value
    0.5
    """
    refuse_unpaired(rows_a, rows_b)
    a, b = _area(rows_a, horizon), _area(rows_b, horizon)
    if isinstance(a, str) or isinstance(b, str):
        return rows_a.missing(name, a if isinstance(a, str) else str(b))
    value, se = a[0] - b[0], rows_a.error(a[1] - b[1])
    method = f"paired difference; {AUC_T}; at {horizon:g}"
    if se == 0:
        method += "; both rank these rows alike, so the difference is 0 without error" if value == 0 else ""
    found = rows_a.estimate(name, value, se if se > 0 or value == 0 else float("nan"), f"{method}; Wald interval")
    low, high = (None if end is None else float(np.clip(end, -1.0, 1.0)) for end in (found.low, found.high))
    reason = found.reason if se > 0 or value == 0 else "the variance of the difference is zero, so it has no interval"
    return replace(found, low=low, high=high, reason=reason, events=events_by(rows_a, horizon))


def c_index(name: str, rows: Followed, horizon: float | None = None) -> Estimate:
    """Return Wolbers' concordance index by the horizon.

    Whoever has the event is compared with those who have it later or, because a competing event came first, never.

    Parameters
    ----------
    name : str
        For example ``"c_index:model"``.
    rows : Followed
    horizon : float, optional
        Only events by it lead a pair; all do without one.

    Returns
    -------
    Estimate
        ``not_available`` when no two rows can be compared.

    References
    ----------
    Wolbers et al. 2014, doi:10.1093/biostatistics/kxt059.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> c_index("c_index:model", followed_rows([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 0], [0.6, 0.2, 0.9, 0.1])).value
    0.8
    """
    found = wolbers_concordance(rows.time, rows.event, rows.scores, np.inf if horizon is None else horizon)
    if np.isnan(found.value):
        return rows.missing(name, NO_PAIR)
    by = "" if horizon is None else f"; events by {horizon:g}"
    stated = _ranked(name, rows, found.value, found.contributions, WOLBERS + by)
    return stated if horizon is None else replace(stated, events=events_by(rows, horizon))


def brier(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the Brier score at `horizon`: the mean squared distance of the risk and whether the event came by then.

    A competing event by the horizon counts as no event.

    Parameters
    ----------
    name : str
        For example ``"brier:model"``.
    rows : Followed
        Scores are risks in [0, 1].
    horizon : float
        In the unit of time; somebody must be followed beyond it.

    Returns
    -------
    Estimate
        ``not_available`` when nobody is followed beyond the horizon.

    References
    ----------
    Schoop et al. 2011, doi:10.1002/bimj.201000073.

    Examples
    --------
    Nobody is censored by then, so it is the plain mean of 0.01, 0.04, 0.16 and 0.01:

    >>> from onclair.validate.followed import followed_risks
    >>> round(brier("brier:model", followed_risks([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 0], [0.9, 0.2, 0.4, 0.1]), 2.5).value, 12)
    0.055
    """
    if reason := unusable(rows, horizon):
        return rows.missing(name, reason)
    value, contributions = _squares(rows, horizon)
    found = rows.estimate(name, value, rows.error(contributions), f"Brier score at {horizon:g}, {IPCW}; Wald interval")
    return _above_zero(replace(found, events=events_by(rows, horizon)))


def brier_null(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the Brier score of giving everybody the Aalen-Johansen risk at `horizon`: what :func:`brier` is measured against.

    Parameters
    ----------
    name, rows, horizon
        As :func:`brier`; the scores are not used.

    Returns
    -------
    Estimate

    References
    ----------
    Schoop et al. 2011; with G of these rows the censoring-weighted share of events is the Aalen-Johansen risk F, and the score
    F (1 - F).

    Examples
    --------
    A quarter has the event by 2.5:

    >>> from onclair.validate.followed import followed_risks
    >>> brier_null("brier_null:model", followed_risks([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 0], [0.9, 0.2, 0.4, 0.1]), 2.5).value
    0.1875
    """
    if reason := unusable(rows, horizon):
        return rows.missing(name, reason)
    value, contributions = _null(rows, horizon)
    method = f"Brier score of the Aalen-Johansen risk at {horizon:g}; infinitesimal jackknife; Wald interval"
    return _above_zero(replace(rows.estimate(name, value, rows.error(contributions), method), events=events_by(rows, horizon)))


def ipa(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the index of prediction accuracy at `horizon`, ``1 - brier / brier_null``; 0 is no gain, 1 is perfect.

    Parameters
    ----------
    name, rows, horizon
        As :func:`brier`.

    Returns
    -------
    Estimate
        ``not_available`` also when nobody or everybody has the event by the horizon.

    References
    ----------
    Kattan & Gerds 2018, doi:10.1186/s41512-018-0029-2.

    Examples
    --------
    Brier 0.055 against 0.1875:

    >>> from onclair.validate.followed import followed_risks
    >>> round(ipa("ipa:model", followed_risks([1.0, 2.0, 3.0, 4.0], [1, 2, 1, 0], [0.9, 0.2, 0.4, 0.1]), 2.5).value, 6)
    0.706667
    """
    if reason := unusable(rows, horizon):
        return rows.missing(name, reason)
    (score, parts), (null, null_parts) = _squares(rows, horizon), _null(rows, horizon)
    if null <= 1e-12:
        return rows.missing(name, f"by {horizon:g} either nobody or everybody has the event, so no risk could be better than another")
    se = rows.error(score / null**2 * null_parts - parts / null)
    method = f"1 - Brier / Brier of the Aalen-Johansen risk, at {horizon:g}; {IPCW}; first-order error of the ratio; Wald interval"
    return replace(rows.estimate(name, 1 - score / null, se, method), events=events_by(rows, horizon))


def _area(rows: Followed, horizon: float) -> tuple[float, Floats] | str:
    """Return the AUC at `horizon` and each row's contribution to it, or why there is none."""
    if reason := unusable(rows, horizon):
        return reason
    weights = censoring_weights(rows.time, rows.event, horizon)
    case = (rows.event == 1) & (rows.time <= horizon)
    cases, controls = weights * case, weights * ~case
    if not cases.any():
        return f"nobody has the event by {horizon:g}"
    if not controls.any():
        return f"everybody followed has the event by {horizon:g}, so there is no control"
    above, below = weighted_placements(rows.scores, cases, controls)
    value = float(cases @ above / cases.sum())
    sensitivity = (cases > 0) * (above - value) / cases.sum() + (controls > 0) * (below - value) / controls.sum()
    return value, weights * sensitivity + weights_influence(rows.time, rows.event, horizon, sensitivity)


def _squares(rows: Followed, horizon: float) -> tuple[float, Floats]:
    """Return the Brier score and each row's contribution to it."""
    squares = (rows.scores - ((rows.event == 1) & (rows.time <= horizon))) ** 2
    weighted = censoring_weights(rows.time, rows.event, horizon) * squares
    value = float(weighted.mean())
    return value, (weighted - value) / rows.size + weights_influence(rows.time, rows.event, horizon, squares / rows.size)


def _null(rows: Followed, horizon: float) -> tuple[float, Floats]:
    """Return F (1 - F), F the Aalen-Johansen risk, and each row's contribution to it."""
    risk, moves = incidence_influence(time_order(rows.time, rows.event, horizon))
    return risk * (1 - risk), (1 - 2 * risk) * moves


def _ranked(name: str, rows: Followed, value: float, contributions: Floats, method: str) -> Estimate:
    """Return a share of pairs with its interval, on the logit scale where Wald's would leave [0, 1]."""
    if np.ptp(rows.scores) == 0:
        return rows.estimate(name, 0.5, 0.0, "constant score, which ranks no one: 0.5 by definition, without error")
    se = rows.error(contributions)
    if value in (0.0, 1.0) or se == 0:
        found = rows.estimate(name, value, float("nan"), method)
        return replace(found, reason="its estimated variance is zero, so no interval can be had")
    if not np.isfinite(se):
        return rows.estimate(name, value, se, method)
    low, high = wald(value, se, rows.z, "identity")
    if low < 0 or high > 1:
        return rows.estimate(name, value, se / (value * (1 - value)), f"{method}; Wald interval on the logit scale", scale="logit")
    return rows.estimate(name, value, se, f"{method}; Wald interval")


def _above_zero(found: Estimate) -> Estimate:
    return replace(found, low=0.0, method=f"{found.method}, cut at 0") if found.low is not None and found.low < 0 else found
