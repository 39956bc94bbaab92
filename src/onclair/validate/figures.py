"""A plan's figures on some rows of its table: one dispatch by the kind of outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.bootstrap import Map
from onclair.science.statistics.cox import FollowUp
from onclair.validate.acting import Acting, acting_in_time, acting_on
from onclair.validate.benefits import benefit_differences, benefits, benefits_of_all_or_none, interventions_avoided, standardised_benefits
from onclair.validate.binary import Asked, Claim, judge_binary
from onclair.validate.calibration import spiegelhalter, u_test
from onclair.validate.censored import auc_t_difference
from onclair.validate.checked import Checked, Floats
from onclair.validate.competing.claim import competing_estimates
from onclair.validate.curves import Curve
from onclair.validate.discrimination import auc_difference, average_precision
from onclair.validate.followed import Followed, followed_risks, followed_rows
from onclair.validate.operating_points import operating_points
from onclair.validate.overall import nagelkerke
from onclair.validate.plan import Plan
from onclair.validate.survival.claim import NOT_A_RISK, SurvivalAsked, SurvivalClaim, survival_figures
from onclair.validate.survival.ranking import harrell_difference
from onclair.validate.utility import decision_band, decision_curve

Found = tuple[list[Estimate], list[Curve]]
Paired = Callable[[str, Followed, Followed], Estimate]

#: Figures that the share of events decides, which a case-control design chose.
OF_PREVALENCE = (
    *("ap", "brier", "ipa", "o_e", "citl", "ici", "e50", "e90", "emax", "ppv", "npv"),
    *("u", "p_u", "spiegelhalter", "p_spiegelhalter", "nagelkerke"),
)
CHOSEN = "cases and controls were sampled apart, so the share of events in the table says nothing of the population"


def figures_of(table: Checked, plan: Plan, *, map: Map = map) -> Found:  # noqa: A002
    """Return every figure and curve that a plan asks for, on the rows of `table` as one group.

    Parameters
    ----------
    table : Checked
        The whole table or a group of it.
    plan : Plan
    map : callable
        See :func:`onclair.science.statistics.bootstrap.bootstrap`.

    Returns
    -------
    estimates : list of Estimate
        Model by model, then differences, then net benefits; what cannot be had says why.
    curves : list of Curve

    Raises
    ------
    BadInput
        When the rows can be judged in no way at all.

    Examples
    --------
    >>> import pandas as pd
    >>> from onclair.validate.checked import checked
    >>> from onclair.validate.plan import read_plan
    >>> plan = read_plan({"outcome": "binary", "columns": {"truth": "y"}, "models": {"m": {"column": "p", "kind": "score"}}})
    >>> found, _ = figures_of(checked(pd.DataFrame({"y": [0, 0, 1, 1], "p": [1, 4, 3, 8]}), plan), plan)
    >>> {e.name: e.value for e in found}["auc:m"]
    0.75
    """
    judge = {"binary": _binary, "survival": _survival, "competing": _competing}[plan.outcome]
    estimates: list[Estimate] = []
    curves: list[Curve] = []
    for name in plan.models:
        found, drawn = judge(name, table, plan, map)
        estimates += found
        curves += drawn
    estimates += _differences(table, plan)
    gained, decided = _utility(table, plan, map)
    return [*(_told(e, plan) for e in [*estimates, *gained])], [*curves, *decided]


def _binary(who: str, table: Checked, plan: Plan, map: Map) -> Found:  # noqa: A002
    figures, values = plan.figures, table.models[who].predictions
    truth = np.asarray(table.truth)
    claim = Claim(values, plan.models[who].kind)
    asked = Asked(figures.thresholds, figures.level, figures.bootstrap, figures.seed, smoother=figures.smoother)
    found, curves = judge_binary(who, truth, claim, patients=table.patients, asked=asked, map=map)
    more = [average_precision(f"ap:{who}", truth, values, patients=table.patients, level=figures.level)]
    if claim.kind == "risk":
        more += [*u_test(who, truth, values, patients=table.patients), *spiegelhalter(who, truth, values, patients=table.patients)]
        more.append(nagelkerke(f"nagelkerke:{who}", truth, values, patients=table.patients, level=figures.level))
        more += operating_points(who, truth, values, figures.thresholds, patients=table.patients, level=figures.level)
    return [found[0], *more[:1], *found[1:], *more[1:]], curves


def _survival(who: str, table: Checked, plan: Plan, map: Map) -> Found:  # noqa: A002
    model, figures = table.models[who], plan.figures
    told = {"risk" if plan.models[who].kind == "risk" else "score": model.predictions}
    claim = SurvivalClaim(**told, linear_predictor=model.linear_predictor, cumulative_hazard=model.cumulative_hazard)
    asked = SurvivalAsked(figures.horizon, figures.weights_at, figures.level, figures.bootstrap, figures.seed)
    follow_up = FollowUp(np.asarray(table.time), np.asarray(table.event))
    return survival_figures(who, follow_up, claim, patients=table.patients, asked=asked, map=map)


def _competing(who: str, table: Checked, plan: Plan, map: Map) -> Found:  # noqa: A002
    figures = plan.figures
    return competing_estimates(
        who,
        np.asarray(table.time),
        np.asarray(table.event),
        Claim(table.models[who].predictions, plan.models[who].kind),
        patients=table.patients,
        map=map,
        horizon=figures.horizon,
        weights_at=figures.weights_at,
        level=figures.level,
        replicates=figures.bootstrap,
        seed=figures.seed,
    )


def _followed(table: Checked, plan: Plan, who: str) -> Followed:
    check = followed_risks if plan.models[who].kind == "risk" else followed_rows
    values = table.models[who].predictions
    return check(np.asarray(table.time), np.asarray(table.event), values, table.patients, level=plan.figures.level)


def _differences(table: Checked, plan: Plan) -> list[Estimate]:
    """Return the paired differences that the plan compares: of the areas, and of Harrell's index."""
    found = []
    for a, b in plan.figures.compare:
        name = f"{a}-minus-{b}"
        if plan.outcome == "binary":
            ours, theirs = (table.models[m].predictions for m in (a, b))
            level = plan.figures.level
            found.append(auc_difference(f"auc:{name}", np.asarray(table.truth), ours, theirs, patients=table.patients, level=level))
            continue
        rows = _followed(table, plan, a), _followed(table, plan, b)
        if plan.outcome == "survival":
            found.append(harrell_difference(f"harrell:{name}", *rows))
        at = plan.weights_at
        if at is not None:
            found.append(auc_t_difference(f"auc_t:{name}", *rows, at))
    return found


def _utility(table: Checked, plan: Plan, map: Map) -> Found:  # noqa: A002
    """Return the net benefits at the declared thresholds, and their curves."""
    thresholds = plan.figures.thresholds
    if not thresholds:
        return [], []
    estimates: list[Estimate] = []
    acting: dict[str, Acting] = {}
    for who in plan.models:
        if plan.models[who].kind == "score":
            estimates += _none(who, thresholds, NOT_A_RISK, table)
            continue
        try:
            acting[who] = _acting(table, plan, table.models[who].predictions)
        except BadInput as error:
            estimates += _none(who, thresholds, str(error), table)
            continue
        estimates += benefits(who, acting[who], thresholds)
        estimates += standardised_benefits(who, acting[who], thresholds) + interventions_avoided(who, acting[who], thresholds)
    for a, b in plan.figures.compare:
        if a in acting and b in acting:
            estimates += benefit_differences((a, b), (acting[a], acting[b]), thresholds)
    curves = [
        decision_band(decision_curve(who, estimates), ready, replicates=plan.figures.bootstrap, seed=plan.figures.seed, map=map)
        for who, ready in acting.items()
    ]
    if acting:
        estimates += benefits_of_all_or_none(next(iter(acting.values())), thresholds)
        curves += [decision_curve(who, estimates) for who in ("all", "none")]
    return estimates, curves


def _acting(table: Checked, plan: Plan, values: Floats) -> Acting:
    figures = plan.figures
    if plan.outcome == "binary":
        prevalence = figures.prevalence if plan.design == "case-control" else None
        return acting_on(np.asarray(table.truth), values, table.patients, prevalence=prevalence, level=figures.level)
    rows = followed_risks(np.asarray(table.time), np.asarray(table.event), values, table.patients, level=figures.level)
    return acting_in_time(rows, float(figures.horizon or 0))


def _none(who: str, thresholds: Sequence[float], reason: str, table: Checked) -> list[Estimate]:
    patients, events = table.counts
    names = [f"{figure}:{who}@{t:g}" for figure in ("nb", "snb", "avoided") for t in thresholds]
    return [not_available(name, reason, n=patients, events=events) for name in names]


def _told(estimate: Estimate, plan: Plan) -> Estimate:
    """Return the estimate, or why a case-control design has none of it."""
    figure = estimate.name.partition(":")[0]
    if plan.design != "case-control" or figure not in OF_PREVALENCE:
        return estimate
    return not_available(estimate.name, CHOSEN, n=estimate.n, events=estimate.events)
