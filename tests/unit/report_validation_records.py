"""Records of validation runs that reports are tested on: judged from small made tables, or written by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from onclair.core.estimate import Estimate, not_available
from onclair.core.evidence import Evidence
from onclair.validate.discrimination import auc_difference
from onclair.validate.record import Asked, Claim, judge

DELONG = "empirical AUC, mid-ranks; DeLong 1988; Wald interval on the logit scale"
META = "REML; Hartung-Knapp interval"


def _facts(**more: Any) -> dict[str, Any]:
    return {
        "kind": "validation",
        "title": "A made model in four hospitals",
        "design": "external",
        "data": "patients",
        "outcome": {"name": "relapse", "kind": "binary", "unit": "1", "horizon": None},
        "rows": 600,
        "patients": 600,
        "events": 180,
        "centres": ["A", "B", "C", "D"],
        "excluded": 3,
        "models": [{"name": "basic", "kind": "risk", "column": "p_basic"}, {"name": "extended", "kind": "risk", "column": "p_ext"}],
        "compare": [["basic", "extended"]],
        "thresholds": [0.1, 0.2, 0.3],
        "prevalence": None,
        "smoother": "loess",
        "level": 0.95,
        "bootstrap": 20,
        "seed": 1,
        "subgroups": {"sex": ["F", "M"]},
        "columns": {"patient": "pid", "truth": "y", "centre": "hospital", "subgroups": ["sex"]},
        "data_sha256": "ab" * 32,
        "plan_sha256": "cd" * 32,
        "curves": [],
        "notes": ["the columns are separated by semicolons", "numbers are written with a decimal comma"],
    } | more


@cache
def external() -> Evidence:
    """Two risks in 600 patients of four centres, one of them too small, by sex; the first one's risks are too high."""
    rng = np.random.default_rng(5)
    x, extra = rng.normal(size=600), rng.normal(size=600)
    centre = np.repeat(["A", "B", "C", "D"], [250, 200, 120, 30])
    sex = rng.choice(["F", "M"], 600)
    truth = (rng.uniform(size=600) < 1 / (1 + np.exp(1.3 - x - 0.8 * extra))).astype(int)
    risks = {"basic": 1 / (1 + np.exp(0.3 - 1.3 * x)), "extended": 1 / (1 + np.exp(1.3 - x - 0.8 * extra))}
    found = judge(truth, {k: Claim(v) for k, v in risks.items()}, asked=Asked(thresholds=(0.1, 0.2, 0.3), replicates=20, against=""))
    estimates = [*found.estimates, auc_difference("auc:basic-minus-extended", truth, risks["basic"], risks["extended"])]
    for key, column in (("centre", centre), ("sex", sex)):
        for group in sorted(set(column.tolist())):
            here = column == group
            part = judge(truth[here], {k: Claim(v[here]) for k, v in risks.items()}, asked=Asked(replicates=0, against=""))
            for e in part.estimates:
                if e.name.partition(":")[0] in ("auc", "o_e", "slope"):
                    few = {
                        "status": "too_few",
                        "reason": f"{e.events} events and {(e.n or 0) - (e.events or 0)} non-events; a group's figure needs 20 of each",
                    }
                    weak = e.status == "ok" and min(e.events or 0, (e.n or 0) - (e.events or 0)) < 20
                    estimates.append(replace(e, name=f"{e.name}:{key}={group}", **(few if weak else {})))
    estimates += _pooled(estimates)
    curves = [c.as_dict() for c in found.curves]
    for who, risk in risks.items():
        counts, edges = np.histogram(risk, bins=20, range=(0, 1))
        curves.append({"name": "distribution", "who": who, "x": edges.tolist(), "y": counts.tolist(), "n": 600, "events": int(truth.sum())})
    return Evidence(
        "validate",
        inputs={"predictions": "ab" * 32, "plan": "cd" * 32},
        settings={"seed": 1},
        code="ef" * 32,
        environment={"python": "3.11.2", "numpy": "2.4.1"},
        estimates=tuple(estimates),
        facts=_facts(events=int(truth.sum()), curves=curves),
        warnings=({"code": "rows-excluded", "text": "3 rows were left out because a value is missing."},),
    )


def _pooled(estimates: list[Estimate]) -> list[Estimate]:
    """Return what a random-effects analysis would add, by hand."""
    every = {e.name: e for e in estimates}
    made = []
    for who in ("basic", "extended"):
        value = every[f"auc:{who}"].value or 0.0
        made += [
            Estimate(f"auc:{who}:centres", value - 0.01, low=value - 0.09, high=value + 0.07, n=600, method=META),
            Estimate(
                f"auc:{who}:new-centre", value - 0.01, low=value - 0.14, high=value + 0.11, n=600, method=f"prediction interval; {META}"
            ),
            Estimate(f"auc:{who}:tau2", 0.021, method=META),
            Estimate(f"o_e:{who}:centres", every[f"o_e:{who}"].value, low=0.5, high=1.3, n=600, method=META),
            Estimate(f"o_e:{who}:new-centre", every[f"o_e:{who}"].value, low=0.3, high=1.9, n=600, method=META),
            Estimate(f"auc:{who}:sex=F-minus-M", 0.02, low=-0.05, high=0.09, n=600, method=DELONG),
        ]
    return made


def followed() -> Evidence:
    """Survival in 686 patients without centres, one risk and one threshold; the figures published for a well known pair of cohorts."""
    n, events = 686, 299
    given: dict[str, Any] = {"n": n, "events": events}
    estimates = (
        Estimate("harrell:basic", 0.6524, low=0.6197, high=0.6851, method="Harrell 1996; infinitesimal jackknife; Wald interval", **given),
        Estimate("uno:basic", 0.6389, low=0.602, high=0.676, method="Uno 2011; infinitesimal jackknife; Wald interval", **given),
        Estimate("auc_t:basic", 0.693, low=0.64, high=0.74, method="cumulative/dynamic, IPCW; Wald interval", **given),
        Estimate("brier:basic", 0.2248, low=0.213, high=0.236, method="IPCW; influence function", **given),
        Estimate("brier_null:basic", 0.2499, method="Kaplan-Meier risk for everyone", **given),
        Estimate("ipa:basic", 0.1, low=0.05, high=0.16, method="1 - Brier / null Brier", **given),
        Estimate("o_e:basic", 1.064, low=0.95, high=1.19, method="(1 - KM) / mean risk", **given),
        Estimate("poisson_o_e:basic", 1.04, low=0.93, high=1.17, method="Poisson, cumulative hazard as offset", **given),
        Estimate("slope:basic", 1.072, low=0.82, high=1.32, method="Cox model of the linear predictor", **given),
        Estimate("ici:basic", 0.0301, low=0.015, high=0.05, method="restricted cubic spline, 3 knots", **given),
        Estimate("e90:basic", 0.0746, low=0.03, high=0.1, method="restricted cubic spline, 3 knots", **given),
        Estimate("nb:basic@0.23", 0.2697, low=0.23, high=0.31, method="net benefit, Kaplan-Meier among those flagged", **given),
        Estimate("nb:all@0.23", 0.262, low=0.22, high=0.3, method="net benefit, Kaplan-Meier", **given),
        Estimate("nb:none@0.23", 0.0, method="no one is treated: 0 by definition", **given),
    )
    facts = _facts(
        title="Rotterdam model in GBSG",
        outcome={"name": "relapse or death", "kind": "survival", "unit": "year", "horizon": 5.0},
        rows=n,
        patients=n,
        events=events,
        centres=[],
        excluded=0,
        models=[{"name": "basic", "kind": "risk", "column": "p5"}],
        compare=[],
        thresholds=[0.23],
        subgroups={},
        notes=[],
    )
    return Evidence("validate", estimates=estimates, facts=facts)


def score() -> Evidence:
    """A score in chosen cases and controls of one virtual hospital."""
    why = "the claim is a score, not a probability"
    estimates = (
        Estimate("auc:marker", 0.71, low=0.66, high=0.76, n=400, events=200, method=DELONG),
        *(not_available(f"{f}:marker", why, n=400, events=200) for f in ("brier", "ipa", "o_e", "citl", "slope", "ici", "nb")),
    )
    facts = _facts(
        title="A marker",
        design="case-control",
        data="virtual",
        rows=400,
        patients=400,
        events=200,
        centres=["A"],
        models=[{"name": "marker", "kind": "score", "column": "m"}],
        compare=[],
        thresholds=[],
        prevalence=0.1,
        subgroups={},
        excluded=0,
    )
    return Evidence("validate", estimates=estimates, facts=facts)


def competing() -> Evidence:
    """Competing events, a risk whose spread is too wide, and thresholds at which acting on it loses."""
    given: dict[str, Any] = {"n": 1000, "events": 135}
    estimates = (
        Estimate("c_index:published", 0.72, low=0.685, high=0.755, method="Wolbers 2014", **given),
        Estimate("auc_t:published", 0.71, low=0.67, high=0.75, method="both kinds of control", **given),
        Estimate("brier:published", 0.1, low=0.09, high=0.11, **given),
        Estimate("ipa:published", 0.05, low=0.0, high=0.1, **given),
        Estimate("o_e:published", 0.79, low=0.67, high=0.93, method="Aalen-Johansen; log scale", **given),
        Estimate("pseudo_intercept:published", -0.27, low=-0.45, high=-0.1, **given),
        Estimate("pseudo_slope:published", 0.71, low=0.5, high=0.93, **given),
        *(Estimate(f"nb:published@{t}", v, low=v - 0.02, high=v + 0.02, **given) for t, v in (("0.1", 0.03), ("0.2", -0.01))),
        *(Estimate(f"nb:all@{t}", v, low=v - 0.02, high=v + 0.02, **given) for t, v in (("0.1", 0.04), ("0.2", -0.09))),
        *(Estimate(f"nb:none@{t}", 0.0, **given) for t in ("0.1", "0.2")),
    )
    facts = _facts(
        title="Recurrence with competing death",
        outcome={"name": "recurrence", "kind": "competing", "unit": "year", "horizon": 5.0},
        rows=1000,
        patients=1000,
        events=135,
        centres=["one"],
        models=[{"name": "published", "kind": "risk", "column": "p"}],
        compare=[],
        thresholds=[0.1, 0.2],
        subgroups={},
        excluded=0,
    )
    return Evidence("validate", estimates=estimates, facts=facts)


def few() -> Evidence:
    """Twelve patients without an event: nothing can be estimated, and each figure says so."""
    why = "only one class is present: 0 of 12 rows are positive"
    figures = ("auc", "ap", "brier", "ipa", "o_e", "citl", "slope", "ici", "e50", "e90", "emax")
    estimates = (
        *(not_available(f"{f}:basic", why, n=12, events=0) for f in figures),
        *(not_available(f"{f}:basic:sex={g}", why, status="too_few", n=6, events=0) for f in ("auc", "o_e") for g in ("F", "M")),
        not_available("auc:basic:sex=F-minus-M", why),
        not_available("nb:basic@0.2", why),
    )
    facts = _facts(
        title="<script>alert('x')</script> & Köln",
        design="internal",
        rows=24,
        patients=12,
        events=0,
        centres=[],
        models=[{"name": "basic", "kind": "risk", "column": "p"}],
        compare=[],
        thresholds=[0.2],
        curves=[{"name": "calibration", "who": "basic", "x": [], "y": [], "reason": why}],
        excluded=1,
    )
    return Evidence("validate", estimates=estimates, facts=facts)


def bare() -> Evidence:
    """A record that says what it is and nothing else."""
    return Evidence("validate", facts={"kind": "validation"})


RECORDS = {f.__name__: f for f in (external, followed, score, competing, few, bare)}
