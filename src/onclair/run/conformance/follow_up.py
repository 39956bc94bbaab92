"""Reference figures of outcomes in time: survival's, riskRegression's, timeROC's, dcurves'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.estimate import Estimate
from onclair.run.conformance.binary import THRESHOLDS, ends, table_of
from onclair.science.statistics.cox import CoxFit, FollowUp, cox
from onclair.science.statistics.splines import restricted_cubic
from onclair.science.statistics.survival import kaplan_meier
from onclair.validate.acting import acting_in_time
from onclair.validate.benefits import benefits, benefits_of_all_or_none
from onclair.validate.binary import Claim
from onclair.validate.competing.calibration import observed_risk
from onclair.validate.competing.claim import judge_competing
from onclair.validate.followed import Followed, followed_risks
from onclair.validate.survival.calibration import poisson_o_e
from onclair.validate.survival.claim import SurvivalAsked, SurvivalClaim, judge_survival

Floats = npt.NDArray[np.float64]
HORIZON, WEIGHTS_AT = 5.0, 4.99
#: The names of the two models' coefficients, in the order of the design.
COEFFICIENTS = ("size20-50", "size>50", "nodes", "nodes_rcs", "grade3", "pgr", "pgr_rcs")


def survival_decision_curves(folder: Path) -> Mapping[str, Any]:
    """Return dcurves' net benefits of an outcome in time, at one year."""
    table = table_of(folder, "df_surv.csv")
    rows = followed_risks(*(table[c].to_numpy(float) for c in ("ttcancer", "cancer", "cancerpredmarker")))
    return {"nb_cancerpredmarker": _benefits(rows, 1.0, THRESHOLDS), "nb_all": _benefits_of_all(rows, 1.0, THRESHOLDS)}


def rotterdam_to_gbsg(folder: Path) -> Mapping[str, Any]:
    """Return both models' coefficients from the raw tables, and their figures from the files of predictions."""
    return {model: _model(folder, model) for model in ("basic", "pgr")}


def _model(folder: Path, model: str) -> Mapping[str, Any]:
    fit = _fitted(folder, model)
    dev, val = (_judged(folder, model, cohort) for cohort in ("dev", "val"))
    judged = {**_estimates(dev), "nb_0.23": _benefits(dev, HORIZON, [0.23])[0], "nb_all_0.23": _benefits_of_all(dev, HORIZON, [0.23])[0]}
    return {
        "coef": dict(zip(COEFFICIENTS, fit.coefficients, strict=False)),
        "loglik": list(fit.log_likelihood),
        "dev": judged,
        "val": {**_estimates(val), **_at_five_years(val), "poisson_o_e": _poisson(folder, model, fit)},
    }


def _judged(folder: Path, model: str, cohort: str) -> Followed:
    table = table_of(folder, f"rotterdam_gbsg_{model}_{cohort}_pred.csv")
    return followed_risks(*(table[c].to_numpy(float) for c in ("time", "event", "p5")))


def _estimates(rows: Followed) -> Mapping[str, Any]:
    """Return the figures under the names they were frozen with."""
    claim = SurvivalClaim(risk=rows.scores, linear_predictor=np.log(-np.log1p(-rows.scores)))
    asked = SurvivalAsked(HORIZON, WEIGHTS_AT, replicates=0)
    found = {e.name.removesuffix(":m"): e for e in judge_survival("m", FollowUp(rows.time, rows.event), claim, asked=asked)[0]}
    named = {"harrell": "harrell", "uno": "uno_n/G2", "auc_t": "auc_t4.99", "brier": "brier_4.99", "brier_null": "brier_null", "ipa": "ipa"}
    named |= {"o_e": "o_e_5y", "slope": "slope", "ici": "ici_rcs3_cloglog", "e50": "e50", "e90": "e90"}
    errors = {"harrell": "harrell_se", "uno": "uno_se", "auc_t": "auc_se", "brier": "brier_se", "slope": "slope_se"}
    values = {theirs: found[ours].value for ours, theirs in named.items()}
    return {**values, **{theirs: found[ours].se for ours, theirs in errors.items()}, "o_e_ci": ends(found["o_e"])}


def _at_five_years(rows: Followed) -> Mapping[str, Any]:
    thresholds = (0.1, 0.23, 0.4, 0.6)
    names = [f"{t:g}" for t in thresholds]
    return {
        "km_risk5": 1 - float(kaplan_meier(rows.time, rows.event).at(HORIZON)),
        "mean_pred5": float(rows.scores.mean()),
        "nb": dict(zip(names, _benefits(rows, HORIZON, thresholds), strict=True)),
        "nb_all": dict(zip(names, _benefits_of_all(rows, HORIZON, thresholds), strict=True)),
    }


def _benefits(rows: Followed, horizon: float, thresholds: Sequence[float]) -> list[float | None]:
    return [e.value for e in benefits("m", acting_in_time(rows, horizon), thresholds)]


def _benefits_of_all(rows: Followed, horizon: float, thresholds: Sequence[float]) -> list[float | None]:
    return [e.value for e in benefits_of_all_or_none(acting_in_time(rows, horizon), thresholds)[: len(thresholds)]]


def _fitted(folder: Path, model: str) -> CoxFit:
    """Learn a model on the raw Rotterdam table, recoded as EXPECTED.json says, censored at five years."""
    table = table_of(folder, "rotterdam.csv")
    event = table[["recur", "death"]].max(axis=1)
    by_death = (event == 1) & (table["recur"] == 0) & (table["death"] == 1) & (table["rtime"] < table["dtime"])
    return cox(_design(table, model), _cut(np.where(by_death, table["dtime"], table["rtime"]) / 365.25, event.to_numpy()))


def _poisson(folder: Path, model: str, fit: CoxFit) -> float | None:
    """Return observed over expected events in the raw GBSG table, each row at its own follow-up."""
    table = table_of(folder, "gbsg.csv")
    follow_up = _cut(table["rfstime"].to_numpy(float) / 365.25, table["status"].to_numpy())
    lp = _design(table, model) @ fit.coefficients
    rows = followed_risks(follow_up.time, follow_up.event, fit.risk(lp, HORIZON))
    return poisson_o_e("poisson_o_e:m", rows, fit.baseline[0].at(follow_up.time) * np.exp(lp)).value


def _cut(time: npt.ArrayLike, event: npt.ArrayLike) -> FollowUp:
    times = np.asarray(time, dtype=np.float64)
    return FollowUp(np.minimum(times, HORIZON), np.where(times > HORIZON, 0, event))


def _design(table: pd.DataFrame, model: str) -> Floats:
    """Return size in classes, nodes as a spline of three knots, grade 3, and progesterone receptor as a spline."""
    nodes, pgr = np.minimum(table["nodes"], 19), np.minimum(table["pgr"], 1360)
    size = table["size"]
    if pd.api.types.is_numeric_dtype(size):
        size = pd.cut(size, [-1, 20, 50, np.inf], labels=["<=20", "20-50", ">50"])
    columns = [(size == "20-50").to_numpy(float), (size == ">50").to_numpy(float), restricted_cubic(nodes, [0, 1, 9])]
    columns.append((table["grade"] == 3).to_numpy(float))
    return np.column_stack(columns + ([restricted_cubic(pgr, [0, 41, 486])] if model == "pgr" else []))


def competing_focus(folder: Path) -> Mapping[str, Any]:
    """Return the figures of a cause-specific Cox model of recurrence, with death as its rival."""
    table = table_of(folder, "focus_cr_val_pred.csv")
    time, event, risk = (table[c].to_numpy(float) for c in ("time", "status", "pred5"))
    thresholds = (0.05, 0.1, 0.2)
    estimates, _ = judge_competing("m", time, event, Claim(risk), horizon=HORIZON, thresholds=thresholds)
    found = {e.name: e for e in estimates}
    observed = observed_risk("observed:m", followed_risks(time, event, risk), HORIZON)
    named = {"auc5": "auc_t", "cindex_pec": "c_index", "brier5": "brier", "brier5_null": "brier_null", "ipa": "ipa", "o_e": "o_e"}
    return {
        "mean_pred": float(risk.mean()),
        "aj_risk": observed.value,
        "aj_se": observed.se,
        **{theirs: found[f"{ours}:m"].value for theirs, ours in named.items()},
        "auc5_se": found["auc_t:m"].se,
        "o_e_ci": ends(found["o_e:m"]),
        "nb": {f"{t:g}": found[f"nb:m@{t:g}"].value for t in thresholds},
        "published": {name: _with_ends(found[f"{name}:m"]) for name in ("pseudo_intercept", "pseudo_slope")},
    }


def _with_ends(estimate: Estimate) -> list[float | None]:
    return [estimate.value, *ends(estimate)]
