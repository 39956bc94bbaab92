"""Figures weighted for censoring, whatever may forestall the event: AUC(t), Brier score, that of the null risk, IPA."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.competing import incidence_influence, time_order
from onclair.science.statistics.concordance import weighted_placements
from onclair.science.statistics.survival import censoring_weights, refuse_beyond, weights_influence
from onclair.validate.followed import Followed
from onclair.validate.intervals import cut, wald
from onclair.validate.rows import Floats

IPCW = "censoring-weighted with G of these rows (Graf 1999); influence function with that of G"
UNO_AUC = "cumulative/dynamic AUC, censoring-weighted with G of these rows (Uno 2007); influence function with that of G (Blanche 2013)"
BLANCHE_AUC = f"cumulative/dynamic AUC, controls free of any event or with a competing one by then (Blanche 2013); {IPCW}"
#: An error below this is a zero that rounding left.
ROUNDING = 1e-9


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
    stated = ranked(name, rows, value, rows.error(contributions), f"{_auc_method(rows)}; at {horizon:g}")
    return replace(stated, events=events_by(rows, horizon))


def auc_t_difference(name: str, rows_a: Followed, rows_b: Followed, horizon: float) -> Estimate:
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
    >>> auc_t_difference("auc_t:a-minus-b", a, b, 2.5).value
    0.5
    """
    refuse_unpaired(rows_a, rows_b)
    a, b = _area(rows_a, horizon), _area(rows_b, horizon)
    if isinstance(a, str) or isinstance(b, str):
        return rows_a.missing(name, a if isinstance(a, str) else str(b))
    moved = a[1] - b[1]
    found = differed(name, rows_a, a[0] - b[0], moved, rows_a.error(moved), f"{_auc_method(rows_a)}; at {horizon:g}")
    return replace(found, events=events_by(rows_a, horizon))


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
    return cut(replace(found, events=events_by(rows, horizon)), 0.0, np.inf)


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
    method = f"Brier score of the {_null_risk(rows)} risk at {horizon:g}; infinitesimal jackknife; Wald interval"
    return cut(replace(rows.estimate(name, value, rows.error(contributions), method), events=events_by(rows, horizon)), 0.0, np.inf)


def ipa(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the index of prediction accuracy at `horizon`, ``1 - brier / brier_null``; 0 is no gain, 1 is perfect.

    Parameters
    ----------
    name, rows, horizon
        As :func:`brier`.

    Returns
    -------
    Estimate
        ``not_available`` also when nobody or everybody has the event by the horizon. The interval is cut at 1.

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
    method = f"1 - Brier / Brier of the {_null_risk(rows)} risk, at {horizon:g}; {IPCW}; first-order error of the ratio; Wald interval"
    return cut(replace(rows.estimate(name, 1 - score / null, se, method), events=events_by(rows, horizon)), -np.inf, 1.0)


def unusable(rows: Followed, horizon: float) -> str | None:
    """Return why censoring-weighted figures cannot be had at `horizon`, the largest usable time in it, or None.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> unusable(followed_rows([1.0, 2.0], [1, 0], [0.5, 0.2]), 1.5) is None
    True
    """
    try:
        refuse_beyond(rows.time, rows.event, horizon)
    except BadInput as error:
        return str(error)[0].lower() + str(error)[1:].rstrip(".")
    return None


def events_by(rows: Followed, horizon: float) -> int:
    """Return the patients with the event of interest by `horizon`; rows when each patient has one.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> events_by(followed_rows([1.0, 2.0, 3.0], [1, 0, 1], [0.5, 0.2, 0.1]), 2.0)
    1
    """
    seen = (rows.event == 1) & (rows.time <= horizon)
    return int(seen.sum() if rows.clusters is None else np.unique(rows.clusters[seen]).size)


def refuse_unpaired(rows_a: Followed, rows_b: Followed) -> None:
    """Refuse two claims that were not made about the same rows.

    Raises
    ------
    BadInput
    """
    same = rows_a.size == rows_b.size and np.array_equal(rows_a.time, rows_b.time) and np.array_equal(rows_a.event, rows_b.event)
    owners = [None if rows.clusters is None else rows.clusters.tolist() for rows in (rows_a, rows_b)]
    if not same or owners[0] != owners[1]:
        raise BadInput(
            "A paired difference needs both claims on the same rows, but times, events or patients differ; align the two tables."
        )


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


def ranked(name: str, rows: Followed, value: float, se: float, method: str) -> Estimate:
    """Return a share of pairs, with its error `se`, and its interval: Wald's, on the logit scale where that would leave [0, 1].

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> ranked("c:model", followed_rows([1.0, 2.0], [1, 0], [0.4, 0.4]), 0.5, 0.1, "C").method[:14]
    'constant score'
    """
    if np.ptp(rows.scores) == 0:
        return rows.estimate(name, 0.5, 0.0, "constant score, which ranks no one: 0.5 by definition, without error")
    if not np.isfinite(se):
        return rows.estimate(name, value, se, method)
    if value in (0.0, 1.0) or se < ROUNDING:
        return rows.bare(name, value, method, "its estimated variance is zero, so no interval can be had")
    low, high = wald(value, se, rows.quantile, "identity")
    if low < 0 or high > 1:
        return rows.estimate(name, value, se / (value * (1 - value)), f"{method}; Wald interval on the logit scale", scale="logit")
    return rows.estimate(name, value, se, f"{method}; Wald interval")


def differed(name: str, rows: Followed, value: float, moved: Floats, se: float, method: str) -> Estimate:
    """Return a paired difference of two shares of pairs, its interval cut to [-1, 1].

    `moved` are the differences of the rows' contributions, (n,): only where all are zero do both claims rank the rows alike.
    Where a zero error comes of contributions that cancel within patients, it is no error, and there is no interval.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> rows, moved = followed_rows([1.0, 2.0], [1, 0], [0.4, 0.4]), np.array([0.1, -0.1])
    >>> differed("c:a-minus-b", rows, 0.9, moved, 0.2, "C").high, differed("c:a-minus-b", rows, 0.0, moved, 0.0, "C").low
    (1.0, None)
    """
    said = f"paired difference; {method}"
    if max(abs(value), float(np.abs(moved).max())) < ROUNDING:
        return rows.estimate(name, 0.0, 0.0, f"{said}; both rank these rows alike, so the difference is 0 without error")
    if se < ROUNDING:
        return rows.bare(name, value, said, "its variance cannot be estimated from these patients")
    return cut(rows.estimate(name, value, se, f"{said}; Wald interval"), -1.0, 1.0)


def jackknife_error(rows: Followed, contributions: Floats) -> float:
    """Return the plain root of squares with one row a patient, as R does; clustered otherwise.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> jackknife_error(followed_rows([1.0, 2.0], [1, 0], [0.4, 0.4]), np.array([3.0, -4.0]))
    5.0
    """
    return float(np.sqrt(contributions @ contributions)) if rows.clusters is None else rows.error(contributions)


def _auc_method(rows: Followed) -> str:
    return BLANCHE_AUC if rows.competing else UNO_AUC


def _null_risk(rows: Followed) -> str:
    return "Aalen-Johansen" if rows.competing else "Kaplan-Meier"
