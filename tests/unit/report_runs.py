"""Records that formats are tested on as they are written by runs: validations of small made tables, and a study's, completed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
from report_records import phantoms, sarcoma

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.run.environment import environment
from onclair.run.validation import Validation, validate
from onclair.validate.curves import Curve


def judged(table: pd.DataFrame, plan: dict[str, Any]) -> Evidence:
    """Return the record that `onclair validate` writes on a table."""
    with tempfile.TemporaryDirectory() as place:
        table.to_csv(Path(place, "p.csv"), index=False)
        Path(place, "plan.toml").write_text(tomli_w.dumps({"format": "onclair-plan/1", **plan}))
        return validate(Validation(Path(place, "p.csv"), Path(place, "plan.toml"), None, lambda _: {})).claim


@cache
def binary() -> Evidence:
    """A risk and a score in three centres, one of them small, by sex, with a pair to compare."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=260)
    y = (rng.uniform(size=260) < 1 / (1 + np.exp(-x))).astype(int)
    table = pd.DataFrame({"pid": np.arange(260), "y": y, "p": 1 / (1 + np.exp(-x)), "s": x + rng.normal(size=260)})
    table["c"], table["sex"] = np.repeat(["North", "South", "West"], [120, 120, 20]), np.tile(["F", "M"], 130)
    columns = {"patient": "pid", "truth": "y", "centre": "c", "subgroups": ["sex"]}
    models = {"basic": {"column": "p"}, "marker": {"column": "s", "kind": "score"}}
    figures = {"thresholds": [0.3, 0.5], "compare": [["basic", "marker"]], "bootstrap": 0}
    return judged(table, {"title": "Made", "outcome": "binary", "columns": columns, "models": models, "figures": figures})


@cache
def survival() -> Evidence:
    """A risk by a horizon, without centres, in virtual patients."""
    rng = np.random.default_rng(2)
    lp = rng.normal(size=150)
    event, censored = rng.exponential(5 / np.exp(lp)), rng.uniform(2, 9, size=150)
    table = pd.DataFrame({"pid": np.arange(150), "t": np.minimum(event, censored), "e": (event <= censored).astype(int), "lp": lp})
    table["p"] = 1 - np.exp(-np.exp(lp) * 3 / 5)
    plan = {"title": "Made", "outcome": "survival", "data": "virtual", "columns": {"patient": "pid", "time": "t", "event": "e"}}
    models = {"basic": {"column": "p", "linear_predictor": "lp"}}
    return judged(table, {**plan, "models": models, "figures": {"horizon": 3.0, "thresholds": [0.4], "bootstrap": 0}})


@cache
def repeated() -> Evidence:
    """Three rows a patient, inside the cohort that taught the model."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=180)
    y = np.repeat((rng.uniform(size=60) < 0.5).astype(int), 3)
    table = pd.DataFrame({"pid": np.repeat(np.arange(60), 3), "y": y, "p": 1 / (1 + np.exp(-x - y))})
    plan = {"outcome": "binary", "design": "internal", "columns": {"patient": "pid", "truth": "y"}, "models": {"basic": {"column": "p"}}}
    return judged(table, {**plan, "figures": {"bootstrap": 0}})


@cache
def study() -> Evidence:
    """A study's run in one hospital, with every fact that a run writes."""
    return _completed(sarcoma())


@cache
def virtual_study() -> Evidence:
    """A study's run on virtual patients of three centres."""
    return _completed(phantoms())


def _completed(record: Evidence) -> Evidence:
    """Return a record by hand with what every run of a study writes besides."""
    facts = dict(record.facts)
    kept = {field: facts["outcome"][field] for field in ("name", "kind", "unit", "horizon")}
    settings = {"folds": 5, "inner_folds": 4, "repeats": 10, "seed": 1, "thresholds": [0.2], "features_kept": 5, "bin_width": 0.5}
    model = {**facts["model"], "explained": [{"name": "stat_max", "importance": 0.1}]}
    curves = [Curve("decision", "model", (0.1, 0.2), (0.3, 0.2)).as_dict()]
    facts |= {"rows": facts["patients"], "outcome": kept, "settings": {**settings, "textures": "3D_comb"}, "model": model, "curves": curves}
    told = "risks out of fold, nested cross-validation by patient, pooled over the folds"
    estimates = tuple(replace(e, method=f"{e.method}; {told}") if e.name == "auc:model" else e for e in record.estimates)
    return replace(
        record,
        facts=facts,
        environment=environment(),
        estimates=(*estimates, Estimate("p:model:shuffled-labels", 0.05, n=20, method="refits")),
    )


#: Every kind of run, by name.
RUNS = {"binary": binary, "survival": survival, "repeated": repeated, "study": study, "virtual-study": virtual_study}
