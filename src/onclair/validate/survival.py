"""Does the claim rank patients by when the event comes, and how far are its risks from what happened? With censoring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics import concordance
from onclair.science.statistics.concordance import Concordance, weighted_placements
from onclair.science.statistics.survival import censoring_weights, kaplan_meier, refuse_beyond, weights_influence
from onclair.validate.followed import Followed
from onclair.validate.rows import Floats, wald

HARRELL = "Harrell's C (1982), tied scores one half; infinitesimal jackknife"
UNO = "Uno's C (2011), pairs weighted 1/G(T-)^2 with G of these rows; infinitesimal jackknife at fixed weights"
AUC_T = "cumulative/dynamic AUC, censoring-weighted with G of these rows (Uno 2007); influence function with that of G (Blanche 2013)"
IPCW = "censoring-weighted with G of these rows (Graf 1999); influence function with that of G"
NO_PAIR = "no two rows can be compared: nobody was followed longer than a row with the event"

#: An error below this is a zero that rounding left.
ROUNDING = 1e-9


def harrell(name: str, rows: Followed) -> Estimate:
    """Return Harrell's concordance: of two comparable rows, how often the one with the earlier event has the higher score.

    Parameters
    ----------
    name : str
        For example ``"harrell:model"``.
    rows : Followed
        Higher scores mean earlier. Every event counts, however late.

    Returns
    -------
    Estimate
        ``not_available`` when no two rows can be compared; a constant score gives 0.5 exactly, with a zero error, and says so.
        The interval is Wald's, on the logit scale where it would leave [0, 1].

    References
    ----------
    Harrell et al. 1982, doi:10.1001/jama.1982.03320430047030.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> round(harrell("harrell:model", followed_rows([1.0, 2.0, 3.0], [1, 1, 0], [0.9, 0.2, 0.4])).value, 6)
    0.666667
    """
    return _ranked(name, rows, _harrell(rows), HARRELL)


def uno(name: str, rows: Followed, *, tau: float | None = None) -> Estimate:
    """Return Uno's concordance, which does not depend on how the rows were censored.

    Parameters
    ----------
    name : str
        For example ``"uno:model"``.
    rows : Followed
    tau : float, optional
        Only events before it lead a pair.

    Returns
    -------
    Estimate
        As :func:`harrell`.

    References
    ----------
    Uno et al. 2011, doi:10.1002/sim.4154; the error is that of R's ``concordance(timewt = "n/G2")``.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> round(uno("uno:model", followed_rows([1.0, 1.5, 2.0, 3.0], [1, 0, 1, 0], [0.9, 0.1, 0.2, 0.4])).value, 6)
    0.571429
    """
    found = concordance.uno(rows.time, rows.event == 1, rows.scores, tau=tau)
    return _ranked(name, rows, found, UNO if tau is None else f"{UNO}; events before {tau:g}")


def harrell_difference(name: str, rows_a: Followed, rows_b: Followed) -> Estimate:
    """Return the paired difference of two Harrell concordances, `a` minus `b`, on the same rows.

    Parameters
    ----------
    name : str
        For example ``"harrell:a-minus-b"``.
    rows_a, rows_b : Followed
        The same rows with the scores of one claim and of the other.

    Returns
    -------
    Estimate
        On the identity scale.

    Raises
    ------
    BadInput
        When times, events or patients differ.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> a, b = (followed_rows([1.0, 2.0, 3.0], [1, 1, 0], scores) for scores in ([3, 2, 1], [3, 1, 2]))
    >>> round(harrell_difference("harrell:a-minus-b", a, b).value, 6)
    0.333333
    """
    refuse_unpaired(rows_a, rows_b)
    a, b = _harrell(rows_a), _harrell(rows_b)
    if np.isnan(a.value):
        return rows_a.missing(name, NO_PAIR)
    return _difference(name, rows_a, a.value - b.value, _jackknife(rows_a, a.contributions - b.contributions), HARRELL)


def auc_t(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the cumulative/dynamic AUC: those with the event by `horizon` against those followed beyond it.

    Parameters
    ----------
    name : str
        For example ``"auc_t:model"``.
    rows : Followed
    horizon : float
        In the unit of time; somebody must be followed beyond it.

    Returns
    -------
    Estimate
        ``not_available`` without a case or a control, or when nobody is followed beyond the horizon.

    References
    ----------
    Uno et al. 2007, doi:10.1198/016214507000000149; Blanche et al. 2013, doi:10.1002/sim.5958.

    Examples
    --------
    >>> from onclair.validate.followed import followed_rows
    >>> auc_t("auc_t:model", followed_rows([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1], [0.9, 0.2, 0.4, 0.1]), 2.5).value
    0.75
    """
    found = _auc_t(rows, horizon)
    if isinstance(found, str):
        return rows.missing(name, found)
    value, contributions = found
    seen = Concordance(value, contributions, contributions, contributions)
    return _seen_by(rows, horizon, _ranked(name, rows, seen, f"{AUC_T}; at {horizon:g}", rows.error(contributions)))


def auc_t_difference(name: str, rows_a: Followed, rows_b: Followed, horizon: float) -> Estimate:
    """Return the paired difference of two cumulative/dynamic AUCs, `a` minus `b`, on the same rows.

    Parameters
    ----------
    name : str
        For example ``"auc_t:a-minus-b"``.
    rows_a, rows_b : Followed
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
    >>> a, b = (followed_rows([1.0, 2.0, 3.0], [1, 1, 0], scores) for scores in ([3, 2, 1], [3, 1, 2]))
    >>> auc_t_difference("auc_t:a-minus-b", a, b, 2.5).value
    0.5
    """
    refuse_unpaired(rows_a, rows_b)
    a, b = _auc_t(rows_a, horizon), _auc_t(rows_b, horizon)
    if isinstance(a, str) or isinstance(b, str):
        return rows_a.missing(name, str(a))
    se = rows_a.error(a[1] - b[1])
    return _seen_by(rows_a, horizon, _difference(name, rows_a, a[0] - b[0], se, f"{AUC_T}; at {horizon:g}"))


def brier(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the Brier score at `horizon`: the mean squared distance of the risk and what happened by then, censoring-weighted.

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
    Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.

    Examples
    --------
    Nobody is censored, so it is the plain mean of 0.01, 0.64, 0.16 and 0.01:

    >>> from onclair.validate.followed import followed_rows
    >>> round(brier("brier:model", followed_rows([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1], [0.9, 0.2, 0.4, 0.1]), 2.5).value, 12)
    0.205
    """
    return _overall(name, rows, horizon, "Brier score")


def brier_null(name: str, rows: Followed, horizon: float) -> Estimate:
    """Return the Brier score of giving everybody the Kaplan-Meier risk at `horizon`: what :func:`brier` is measured against.

    Parameters
    ----------
    name, rows, horizon
        As :func:`brier`; the scores are not used.

    Returns
    -------
    Estimate

    References
    ----------
    Graf et al. 1999.

    Examples
    --------
    Half have the event by 2.5:

    >>> from onclair.validate.followed import followed_rows
    >>> brier_null("brier_null:model", followed_rows([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1], [0.9, 0.2, 0.4, 0.1]), 2.5).value
    0.25
    """
    return _overall(name, rows, horizon, "Brier score of the Kaplan-Meier risk")


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
    Brier 0.205 against 0.25:

    >>> from onclair.validate.followed import followed_rows
    >>> round(ipa("ipa:model", followed_rows([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 1], [0.9, 0.2, 0.4, 0.1]), 2.5).value, 12)
    0.18
    """
    if reason := unusable(rows, horizon):
        return rows.missing(name, reason)
    (score, parts), (null, null_parts) = _brier(rows, horizon, rows.scores), _brier(rows, horizon, _null_risk(rows, horizon))
    if null <= 0:
        return rows.missing(name, f"by {horizon:g} either nobody or everybody has the event, so no risk could be better than another")
    se = rows.error(score / null**2 * null_parts - parts / null)
    method = f"1 - Brier / Brier of the Kaplan-Meier risk, at {horizon:g}; {IPCW}; first-order error of the ratio; Wald interval"
    return _seen_by(rows, horizon, rows.estimate(name, float(1 - score / null), se, method))


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


def _seen_by(rows: Followed, horizon: float, found: Estimate) -> Estimate:
    return replace(found, events=events_by(rows, horizon))


def _harrell(rows: Followed) -> Concordance:
    return concordance.harrell(rows.time, rows.event == 1, rows.scores)


def _jackknife(rows: Followed, contributions: Floats) -> float:
    """Return the plain root of squares with one row a patient, as R does; clustered otherwise."""
    return float(np.sqrt(contributions @ contributions)) if rows.clusters is None else rows.error(contributions)


def _ranked(name: str, rows: Followed, found: Concordance, method: str, se: float | None = None) -> Estimate:
    value = found.value
    if np.isnan(value):
        return rows.missing(name, NO_PAIR)
    if np.ptp(rows.scores) == 0:
        return rows.estimate(name, 0.5, 0.0, "constant score, which ranks no one: 0.5 by definition, without error")
    error = _jackknife(rows, found.contributions) if se is None else se
    if value in (0.0, 1.0) or error < ROUNDING:
        estimate = rows.estimate(name, value, float("nan"), method)
        return replace(estimate, reason="its estimated variance is zero, so no interval can be had")
    low, high = wald(value, error, rows.z, "identity")
    if low < 0 or high > 1:
        return rows.estimate(name, value, error / (value * (1 - value)), f"{method}; Wald interval on the logit scale", scale="logit")
    return rows.estimate(name, value, error, f"{method}; Wald interval")


def _difference(name: str, rows: Followed, value: float, se: float, method: str) -> Estimate:
    if se == 0 and value != 0:
        found = rows.estimate(name, value, float("nan"), f"paired difference; {method}")
        return replace(found, reason="the variance of the difference is zero, so it has no interval")
    alike = "; both rank these rows alike, so the difference is 0 without error" if se == 0 else "; Wald interval"
    found = rows.estimate(name, value, se, f"paired difference; {method}{alike}")
    ends = [None if end is None else float(np.clip(end, -1.0, 1.0)) for end in (found.low, found.high)]
    return replace(found, low=ends[0], high=ends[1])


def _auc_t(rows: Followed, horizon: float) -> tuple[float, Floats] | str:
    """Return the AUC at `horizon` and each row's contribution to it, or why there is none."""
    if reason := unusable(rows, horizon):
        return reason
    weights = censoring_weights(rows.time, rows.event, horizon)
    cases, controls = weights * ((rows.event == 1) & (rows.time <= horizon)), weights * (rows.time > horizon)
    if not cases.any():
        return f"nobody has the event by {horizon:g}"
    if not controls.any():
        return f"nobody is followed beyond {horizon:g}"
    above, below = weighted_placements(rows.scores, cases, controls)
    value = float(cases @ above / cases.sum())
    sensitivity = (cases > 0) * (above - value) / cases.sum() + (controls > 0) * (below - value) / controls.sum()
    return value, weights * sensitivity + weights_influence(rows.time, rows.event, horizon, sensitivity)


def _null_risk(rows: Followed, horizon: float) -> Floats:
    return np.full(rows.size, 1 - float(kaplan_meier(rows.time, rows.event == 1).at(horizon)))


def _brier(rows: Followed, horizon: float, risks: Floats) -> tuple[float, Floats]:
    """Return the Brier score of `risks` and each row's contribution to it; the Kaplan-Meier risk minimises it, so that moves nothing."""
    squares = (risks - ((rows.event == 1) & (rows.time <= horizon))) ** 2
    weighted = censoring_weights(rows.time, rows.event, horizon) * squares
    moved = weights_influence(rows.time, rows.event, horizon, squares / rows.size)
    return float(weighted.mean()), (weighted - weighted.mean()) / rows.size + moved


def _overall(name: str, rows: Followed, horizon: float, what: str) -> Estimate:
    if reason := unusable(rows, horizon):
        return rows.missing(name, reason)
    value, contributions = _brier(rows, horizon, rows.scores if what == "Brier score" else _null_risk(rows, horizon))
    found = rows.estimate(name, value, rows.error(contributions), f"{what} at {horizon:g}, {IPCW}; Wald interval")
    if found.low is not None and found.low < 0:
        found = replace(found, low=0.0, method=f"{found.method}, cut at 0")
    return _seen_by(rows, horizon, found)
