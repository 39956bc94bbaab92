"""Are these the patients the claim was made for? How centres differ in their patients, before asking how the claim fares there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.science.statistics.glm import logistic, with_intercept
from onclair.validate.discrimination import auc
from onclair.validate.rows import Floats, Rows, judged_rows
from onclair.validate.subgroups import Indices, group_names, in_order

_DEBRAY = "Debray 2015"


def case_mix(who: str, rows: Rows, centres: npt.ArrayLike, *, predictors: npt.ArrayLike | None = None) -> list[Estimate]:
    """Return how the patients of each centre differ from the others', and the C that their case-mix alone would give.

    A model may lose discrimination in a centre because its patients are more alike (`lp_sd` and `model_based_c` fall with
    the observed C) or because its coefficients are wrong there (the observed C falls below `model_based_c`).

    Parameters
    ----------
    who : str
        The model; names are ``FIGURE:WHO`` over all rows and ``FIGURE:WHO:centre=NAME``.
    rows : Rows
        From :func:`onclair.validate.rows.judged_rows`, the linear predictor (logit of the risk) as scores; with repeats, their mean.
    centres : array_like, shape (n,)
    predictors : array_like, shape (n, p), optional
        Finite, without a column of ones; the linear predictor stands in for them when left out.

    Returns
    -------
    list of Estimate
        ``membership_auc`` (how well a logistic model of predictors and outcome tells the centre from all others: 0.5 for the same
        case-mix; apparent, so biased upwards with many predictors), ``lp_mean``, ``lp_sd`` and ``model_based_c`` (the C-statistic expected
        if every risk were right). A figure that cannot be had says why.

    Raises
    ------
    BadInput
        When centres or predictors are not given for every row, or a predictor is not finite.

    References
    ----------
    Debray et al. 2015, doi:10.1016/j.jclinepi.2014.06.018; van Klaveren et al. 2016, doi:10.1002/sim.6997.

    Examples
    --------
    >>> rows = judged_rows([0, 1, 0, 1], [-1.0, 1.0, -1.0, 1.0])
    >>> [(e.name, e.value) for e in case_mix("m", rows, ["A", "A", "B", "B"]) if e.name.startswith("lp_mean:m:")]
    [('lp_mean:m:centre=A', 0.0), ('lp_mean:m:centre=B', 0.0)]
    """
    named = group_names(centres)
    lp = rows.scores.mean(axis=0)
    columns = _columns(lp if predictors is None else predictors, named.size, rows)
    found = _described(who, _at(rows, lp, np.arange(lp.size)))
    for name in in_order(set(named.tolist())):
        here = named == name
        found.append(_membership(f"membership_auc:{who}:centre={name}", here, columns, rows))
        found += _described(who, _at(rows, lp, np.flatnonzero(here)), f":centre={name}")
    return found


def model_based_c(linear_predictor: npt.ArrayLike) -> tuple[float, Floats]:
    """Return the C-statistic expected if ``expit(lp)`` were everyone's true risk, and each row's first-order contribution.

    Over ordered pairs of different rows, ``sum p_i (1 - p_j) [lp_i > lp_j] / sum p_i (1 - p_j)``, ties 1/2; it depends on the
    spread of the linear predictor only, never on outcomes.

    Parameters
    ----------
    linear_predictor : array_like, shape (n,)
        Logit of the risk.

    Returns
    -------
    value : float
        NaN for fewer than two rows, or when no pair has any weight.
    contributions : ndarray, shape (n,)
        Of the Hajek projection; their squares sum to the variance over patients drawn anew.

    References
    ----------
    van Klaveren et al. 2016, doi:10.1002/sim.6997.

    Examples
    --------
    Risks 0.2 and 0.8: the pair is ordered rightly with weight 0.64, wrongly with 0.04.

    >>> round(model_based_c(special.logit([0.2, 0.8]))[0], 9) == round(0.64 / 0.68, 9)
    True
    """
    lp = np.asarray(linear_predictor, dtype=np.float64)
    p, q = special.expit(lp), special.expit(-lp)
    _, level = np.unique(lp, return_inverse=True)
    tied_p, tied_q = np.bincount(level, weights=p), np.bincount(level, weights=q)
    below = (np.cumsum(tied_q) - tied_q)[level]
    above = (np.cumsum(tied_p[::-1])[::-1] - tied_p)[level]
    won = p * (below + (tied_q[level] - q) / 2) + q * (above + (tied_p[level] - p) / 2)
    met = p * (q.sum() - q) + q * (p.sum() - p)
    pairs = float(met.sum()) / 2
    if lp.size < 2 or pairs <= 0:
        return float("nan"), np.full(lp.size, np.nan)
    value = float(won.sum()) / 2 / pairs
    return value, np.asarray((won - value * met) / pairs, dtype=np.float64)


def _columns(predictors: npt.ArrayLike, n: int, rows: Rows) -> Floats:
    """Return the design of the membership model: intercept, predictors, and the outcome where it varies."""
    table = np.asarray(predictors, dtype=np.float64)
    if n != rows.size or table.shape[:1] != (n,) or table.ndim > 2:
        raise BadInput(f"There are {n} centres and predictors of shape {table.shape} for {rows.size} rows; give one of each a row.")
    if not np.isfinite(table).all():
        raise BadInput(f"{int((~np.isfinite(table)).sum())} values of the predictors are not finite; drop or fill those rows.")
    design = with_intercept(table)
    return design if rows.one_class else np.column_stack([design, rows.truth])


def _at(rows: Rows, lp: Floats, where: Indices) -> Rows:
    """Return some of the rows, their linear predictor as the only line of scores."""
    return judged_rows(rows.truth[where], lp[where], None if rows.clusters is None else rows.clusters[where], level=rows.level)


def _membership(name: str, here: npt.NDArray[np.bool_], design: Floats, rows: Rows) -> Estimate:
    if here.all():
        return rows.missing(name, "there is only one centre")
    fit = logistic(design, here)
    if not fit.ok:
        return rows.missing(name, f"membership cannot be modelled: {fit.reason}")
    found = auc(name, here, design @ fit.coefficients, patients=rows.clusters, level=rows.level)
    said = f"of a logistic model of belonging to the centre, on predictors and outcome, apparent ({_DEBRAY}); {found.method}"
    inside = rows.by_patient((rows.truth & here).astype(np.float64))
    return Estimate(**{**found.as_dict(), "method": said, "events": int(np.count_nonzero(inside)), "n": rows.n})


def _described(who: str, rows: Rows, where: str = "") -> list[Estimate]:
    """Return mean and SD of the linear predictor and the model-based C of some rows."""
    lp = rows.scores[0]
    names = [f"{figure}:{who}{where}" for figure in ("lp_mean", "lp_sd", "model_based_c")]
    mean = rows.estimate(names[0], float(lp.mean()), rows.error((lp - lp.mean()) / lp.size), f"mean linear predictor, {_DEBRAY}")
    if lp.size < 2 or np.ptp(lp) == 0:
        reason = "the linear predictor does not vary" if lp.size > 1 else "there is one row"
        return [mean, *(rows.missing(name, reason) for name in names[1:])]
    spread = float(lp.std(ddof=1))
    se = rows.error(((lp - lp.mean()) ** 2 - lp.var()) / (2 * lp.size * lp.var()))
    sd = rows.estimate(
        names[1], spread, se, f"standard deviation of the linear predictor, {_DEBRAY}; interval on the log scale", scale="log"
    )
    value, influence = model_based_c(lp)
    if not 0 < value < 1:
        return [mean, sd, rows.missing(names[2], "every risk is 0 or 1")]
    error = rows.error(influence) / (value * (1 - value))
    said = "C expected if every risk were right, van Klaveren 2016; variance over patients, logit scale"
    return [mean, sd, rows.estimate(names[2], value, error, said, scale="logit")]
