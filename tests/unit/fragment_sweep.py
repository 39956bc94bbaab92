"""Every figure of `validate` on cohorts good and bad, and what their methods and reasons say: read by the tests of French."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.core.fragments import each_once, in_french
from onclair.science.statistics.cox import FollowUp
from onclair.validate.acting import Acting, acting_in_time, acting_on
from onclair.validate.benefits import (
    benefit_differences,
    benefits,
    benefits_of_all_or_none,
    interventions_avoided,
    standardised_benefits,
)
from onclair.validate.binary import Claim
from onclair.validate.calibration import citl, o_e, slope, spiegelhalter, u_test
from onclair.validate.calibration_curves import calibration_curve, calibration_distances
from onclair.validate.censored import auc_t, auc_t_difference
from onclair.validate.checked import checked
from onclair.validate.competing.calibration import observed_risk
from onclair.validate.competing.claim import competing_estimates
from onclair.validate.curves import Curve
from onclair.validate.discrimination import auc, auc_difference, average_precision, partial_auc
from onclair.validate.followed import followed_risks
from onclair.validate.operating_points import operating_points
from onclair.validate.overall import brier, ipa, nagelkerke
from onclair.validate.plan import read_plan
from onclair.validate.planned import judge_planned
from onclair.validate.resampling import bootstrap_binary
from onclair.validate.rows import judged_risks
from onclair.validate.survival.claim import SurvivalAsked, SurvivalClaim, survival_figures
from onclair.validate.survival.ranking import harrell, harrell_difference, uno
from onclair.validate.utility import decision_band, decision_curve

#: The same in both languages: names of people, years, and a coefficient.
NAMES = {
    *("DeLong 1988", "Wilson 1927", "Phipson & Smyth 2010", "Obuchowski & Rockette 1995, Hillis 2014"),
    *("Riley 2021 (doi:10.1002/sim.9025)", "Geifman 2019", "Spearman"),
}
SMOOTHERS = ("loess", "lowess", "rcs3", "rcs4", "rcs5")
Told = tuple[str, ...]


def told(*found: Iterable[Estimate | Curve]) -> Told:
    """Return the fragments of every method and reason, each once."""
    return each_once(text for each in found for e in each for text in (e.method or "", e.reason or ""))


def without_french(fragments: Iterable[str]) -> list[str]:
    """Return the fragments that nobody translated, in order of the alphabet."""
    return sorted(f for f in fragments if in_french(f) is None or (in_french(f) == f and f not in NAMES))


@dataclass(frozen=True)
class Binary:
    """Truth, risks (n,) or (repeats, n), and whose rows they are."""

    truth: Any
    risks: Any
    patients: Any = None
    prevalence: float | None = None


def binary_cohorts() -> dict[str, Binary]:
    rng = np.random.default_rng(7)
    n = 90
    risks = rng.uniform(0.03, 0.95, n)
    truth = (rng.uniform(size=n) < risks).astype(int)
    ends = np.array([0.0, 1.0, 0.3, 0.6, 0.4] * 6)
    return {
        "one row a patient": Binary(truth, risks),
        "three repeats": Binary(truth, np.stack([risks, np.clip(risks + 0.1, 0, 1), np.roll(risks, 1)])),
        "three rows a patient": Binary(truth, risks, np.arange(n) // 3),
        "repeats of three rows a patient": Binary(truth, np.stack([risks, np.roll(risks, 1)]), np.arange(n) // 3),
        "cases and controls": Binary(truth, risks, None, 0.2),
        "cases alone": Binary([1] * 8, risks[:8], None, 0.2),
        "nobody has the event": Binary([0] * 8, risks[:8]),
        "everybody has the event": Binary([1] * 8, risks[:8]),
        "one row": Binary([1], [0.4]),
        "two patients": Binary([0, 1], [0.3, 0.6]),
        "one patient": Binary([0, 1, 1, 0] * 3, np.linspace(0.1, 0.9, 12), ["P1"] * 12),
        "six rows": Binary([0, 1, 0, 1, 1, 0], [0.2, 0.6, 0.5, 0.4, 0.7, 0.3]),
        "one event": Binary([0] * 29 + [1], np.linspace(0.1, 0.9, 30)),
        "the same risk for all": Binary([0, 1] * 10, [0.5] * 20),
        "the risk of folds": Binary([0, 1, 1] * 10, [0.40, 0.42, 0.44] * 10),
        "every risk is 0": Binary([0, 1] * 10, [0.0] * 20),
        "risks of 0 and 1": Binary(rng.integers(0, 2, 30), ends),
        "risks of 0, a half and 1": Binary([0, 1, 1] * 10, [0.0, 0.5, 1.0] * 10),
        "few values": Binary([0, 1, 0, 1, 1, 0, 1] * 8, [0.1, 0.5, 0.5, 0.9, 0.5, 0.5, 0.5] * 8),
        "two far values": Binary([0, 1, 0, 1, 1, 0] * 5, [0.1, 0.9] * 15),
        "separated classes": Binary([0, 0, 0, 1, 1, 1] * 4, [0.1, 0.15, 0.2, 0.7, 0.8, 0.9] * 4),
        "separated the wrong way": Binary([1, 1, 1, 0, 0, 0] * 4, [0.1, 0.15, 0.2, 0.7, 0.8, 0.9] * 4),
        "right and far from sure": Binary([0] * 24 + [1], [0.01] * 12 + [0.02] * 6 + [0.03] * 6 + [0.04]),
        "most rows tied": Binary(rng.integers(0, 2, 60), np.r_[[0.3] * 50, np.linspace(0.4, 0.9, 10)]),
        "near one value": Binary([0, 1] * 150, np.r_[0.2, [0.5] * 298, 0.8]),
        "rare and low": Binary([0] * 9 + [1], np.stack([np.r_[[0.01] * 9, 0.1], np.r_[[0.02] * 9, 0.2]])),
        "rare and low in two rows a patient": Binary([0] * 9 + [1], np.r_[[0.01] * 9, 0.1], np.arange(10) // 2),
    }


def binary(cohort: Binary) -> Told:
    """Say what every figure of a binary outcome says of a cohort."""
    y, p, who = cohort.truth, cohort.risks, cohort.patients
    other = np.atleast_2d(p)[:, ::-1]
    found: list[Estimate] = [of("x:m", y, p, patients=who) for of in (auc, average_precision, brier, ipa, nagelkerke, o_e, citl, slope)]
    found += [*u_test("m", y, p, patients=who), *spiegelhalter("m", y, p, patients=who)]
    found += [*partial_auc("m", y, p, patients=who), *operating_points("m", y, p, [0.01, 0.35, 0.999], patients=who)]
    found += [auc_difference("auc:a-minus-b", y, p, b, patients=who) for b in (other, p, np.asarray(y))]
    rows = judged_risks(y, p, who)
    curves: list[Curve] = []
    for smoother in SMOOTHERS:
        found += calibration_distances("m", rows, smoother=smoother, replicates=0 if smoother == "rcs4" else 4)
        curves.append(calibration_curve("m", y, p, smoother=smoother, patients=who))
    found += bootstrap_binary("m", rows, replicates=6)
    ready = [acting_on(y, q, who, prevalence=cohort.prevalence) for q in (p, other)]
    return told(found, curves, utility(ready[0], ready[1]))


def three_events() -> Told:
    """Say what figures say of which the bootstrap loses one replicate in twenty: those that drew none of three events."""
    y, p = [1] * 3 + [0] * 27, np.linspace(0.9, 0.1, 30)
    acting = acting_on(y, p, prevalence=0.1)
    found = bootstrap_binary("m", judged_risks(y, p), replicates=60)
    return told(found, [decision_band(decision_curve("m", benefits("m", acting, [0.3])), acting, replicates=60)])


def utility(ours: Acting, theirs: Acting) -> Iterator[Estimate | Curve]:
    """Yield what acting on a claim brings, by any outcome, and its curves."""
    at = [0.02, 0.3, 0.99]
    found = benefits("m", ours, at)
    yield from [*found, *benefits_of_all_or_none(ours, at), *benefit_differences(("a", "b"), (ours, theirs), at)]
    yield from [*standardised_benefits("m", ours, at), *interventions_avoided("m", ours, at)]
    curves = [decision_curve("m", found), decision_curve("nobody", found)]
    yield from [*curves, *(decision_band(curves[0], ours, replicates=n) for n in (0, 6))]


@dataclass(frozen=True)
class InTime:
    """Follow-up, events (2: competing), risks and whose rows they are."""

    time: Any
    event: Any
    risks: Any
    patients: Any = None


def followed_cohorts() -> dict[str, InTime]:
    rng = np.random.default_rng(3)
    n = 80
    risks = rng.uniform(0.05, 0.9, n)
    time = np.round(rng.exponential(4 / (0.3 + risks)), 1) + 0.1
    event = (rng.uniform(size=n) < 0.7).astype(int)
    either = np.where(event & (rng.uniform(size=n) < 0.4), 2, event)
    ramp = np.linspace(0.1, 0.9, 12)
    return {
        "censored": InTime(time, event, risks),
        "competing": InTime(time, either, risks),
        "two rows a patient": InTime(time, event, risks, np.arange(n) // 2),
        "two rows a patient, competing": InTime(time, either, risks, np.arange(n) // 2),
        "nobody has the event": InTime(ramp * 20, [0] * 12, ramp),
        "competing events alone": InTime(ramp * 20, [2] * 12, ramp),
        "everybody has the event early": InTime(ramp, [1] * 12, ramp),
        "everybody has the event": InTime(ramp * 20, [1] * 12, ramp),
        "short follow-up": InTime(ramp * 3, [1, 0] * 6, ramp),
        "one time for all": InTime([2.0] * 12, [1, 0] * 6, ramp),
        "ranked rightly": InTime(ramp[::-1] * 20, [1] * 12, ramp),
        "ranked wrongly": InTime(ramp * 20, [1] * 12, ramp),
        "the same risk for all": InTime(ramp * 20, [1, 0, 1, 2] * 3, [0.4] * 12),
        "every risk is 0": InTime(ramp * 20, [1, 0, 1, 2] * 3, [0.0] * 12),
        "risks of 0 and 1": InTime(time, either, np.where(rng.uniform(size=n) < 0.2, np.round(risks), risks)),
        "few values": InTime(time, event, np.where(risks > 0.5, 0.7, 0.3)),
        "near one value": InTime(np.tile(time, 4), np.tile(event, 4), np.r_[0.2, [0.5] * (4 * n - 2), 0.8]),
        "separated by the horizon": InTime(np.r_[ramp, 10 + ramp], [1] * 24, np.r_[0.5 + ramp / 3, ramp / 3]),
        "one row": InTime([9.0], [1], [0.4]),
        "one patient": InTime(ramp * 20, [1, 0] * 6, ramp, ["P1"] * 12),
        "two rows": InTime([3.0, 9.0], [1, 0], [0.7, 0.2]),
        "the flagged leave early": InTime([*ramp, *(10 + ramp)], [0] * 12 + [1] * 12, np.r_[0.5 + ramp / 2, ramp / 3]),
    }


def survival(cohort: InTime, horizon: float = 5.0) -> Told:
    """Say what every figure over time says of a cohort; another event than the first counts as censored."""
    event, p = (np.asarray(cohort.event) == 1).astype(int), np.asarray(cohort.risks, dtype=float)
    rows = FollowUp(np.asarray(cohort.time), event)
    lp = np.log(-np.log1p(-np.clip(p, 1e-3, 1 - 1e-3)))
    claims = {
        "whole": SurvivalClaim(risk=p, linear_predictor=lp, cumulative_hazard=np.exp(lp)),
        "bare": SurvivalClaim(risk=p, cumulative_hazard=np.zeros(p.size)),
        "score": SurvivalClaim(score=p),
    }
    found: list[Estimate | Curve] = []
    for who, claim in claims.items():
        for at, replicates in ((horizon, 4 if who == "whole" else 0), (None, 0)):
            asked = SurvivalAsked(horizon=at, replicates=replicates)
            estimates, curves = survival_figures(who, rows, claim, patients=cohort.patients, asked=asked)
            found += [*estimates, *curves]
    pair = [followed_risks(cohort.time, event, q, cohort.patients) for q in (p, p[::-1])]
    found += [of for b in pair for of in (harrell_difference("harrell:a-minus-b", pair[0], b), harrell("harrell:a", b))]
    found += [auc_t_difference("auc_t:a-minus-b", pair[0], b, horizon) for b in pair]
    found += [uno("uno:m", pair[0], tau=2.0), auc_t("auc_t:m", pair[1], 1e3)]
    return told(found, *(_in_time(pair, horizon)))


def competing(cohort: InTime, horizon: float = 5.0) -> Told:
    """Say what every figure of competing risks says of a cohort."""
    found: list[Estimate | Curve] = []
    for claim in (Claim(cohort.risks), Claim(cohort.risks, kind="score")):
        for at, replicates in ((horizon, 4), (None, 0)):
            outcome = (cohort.time, cohort.event)
            asked = {"horizon": at, "replicates": replicates, "thresholds": (0.2, 0.95)}
            estimates, curves = competing_estimates("m", *outcome, claim, patients=cohort.patients, **asked)
            found += [*estimates, *curves]
    pair = [followed_risks(cohort.time, cohort.event, q, cohort.patients) for q in (cohort.risks, np.asarray(cohort.risks)[::-1])]
    found += [auc_t_difference("auc_t:a-minus-b", pair[0], b, horizon) for b in pair]
    found += [observed_risk("observed:all", pair[0], at) for at in (horizon, 0.01, 1e3)]
    return told(found, *(_in_time(pair, horizon)))


def _in_time(pair: list[Any], horizon: float) -> Iterator[Iterator[Estimate | Curve]]:
    try:
        yield utility(*(acting_in_time(rows, horizon) for rows in pair))
    except BadInput as error:
        yield iter([Estimate("nb:m", status="not_available", reason=str(error))])


def planned(document: dict[str, Any], frame: pd.DataFrame) -> Told:
    """Say what a whole plan says of a table, with its groups and centres."""
    plan = read_plan(document)
    found = judge_planned(checked(frame, plan), plan)
    return told(found.estimates, found.curves)


def table(n: int = 240, centres: str = "ABCD") -> pd.DataFrame:
    """Return a table of predictions: unequal centres, the last with one row and one before with one class, two sexes."""
    rng = np.random.default_rng(11)
    p, q = rng.uniform(0.05, 0.9, (2, n))
    shares = np.array([6.0, 4.0, 0.6, 0.1][: len(centres)])
    centre = rng.choice(list(centres), n, p=shares / shares.sum())
    y = np.where(centre == "C", 0, rng.uniform(size=n) < p).astype(int)
    time = np.round(rng.exponential(4 / (0.3 + p)), 2) + 0.05
    event = (rng.uniform(size=n) < 0.7).astype(int)
    lp = np.log(-np.log1p(-p))
    return pd.DataFrame(
        {
            "pid": [f"P{i // 2}" for i in range(n)],
            "row": range(n),
            "y": y,
            "p": p,
            "q": q,
            "s": p * 10,
            "lp": lp,
            "h": np.exp(lp),
            "time": time,
            "event": event,
            "kind": np.where(event & (q > 0.6), 2, event),
            "centre": centre,
            "sex": rng.choice(["F", "M", ""], n, p=[0.5, 0.48, 0.02]),
            "mixed": rng.choice(["x", "y", "z"], n),
        }
    )


#: A sweep by its name.
COHORTS: dict[str, Callable[[], Told]] = {
    **{f"binary: {name}": partial(binary, cohort) for name, cohort in binary_cohorts().items()},
    "binary: three events": three_events,
    **{f"survival: {name}": partial(survival, cohort) for name, cohort in followed_cohorts().items()},
    **{f"competing: {name}": partial(competing, cohort) for name, cohort in followed_cohorts().items()},
}
