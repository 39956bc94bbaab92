"""The JSON Schema describes the JSON report of every kind of run, and a damaged report is found out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from report_runs import RUNS, binary, study

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.report.files import rendered
from onclair.report.json import report_dict
from onclair.report.schema import ESTIMATE_NAME, report_schema

SCHEMA = json.loads(rendered(Evidence("validate"), "schema"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", RUNS)
def test_the_report_of_every_kind_of_run_is_as_described(name: str) -> None:
    report = json.loads(rendered(RUNS[name](), "json"))
    assert [f"{e.json_path}: {e.message}" for e in VALIDATOR.iter_errors(report)] == []


@pytest.mark.parametrize("name", RUNS)
def test_every_fact_that_a_run_writes_is_described(name: str) -> None:
    facts = RUNS[name]().facts
    assert set(facts) <= set(report_schema()["$defs"]["validation" if facts.get("kind") else "study"]["properties"])


DAMAGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another format": lambda r: r.update(format="onclair-report/2"),
    "an id that is no hash": lambda r: r.update(evidence_id="run-1"),
    "a key that nobody knows": lambda r: r.update(host="pacs-3"),
    "no estimates": lambda r: r.pop("estimates"),
    "an ok figure without a value": lambda r: r["estimates"][0].update(value=None),
    "a value as text": lambda r: r["estimates"][0].update(value="0.86"),
    "a status that is none": lambda r: r["estimates"][0].update(status="fine"),
    "an absent figure without its reason": lambda r: r["estimates"][0].update(status="not_available", value=None, reason=None),
    "a level of 95": lambda r: r["estimates"][0].update(level=95),
    "a negative error": lambda r: r["estimates"][0].update(se=-0.1),
    "an unknown scale": lambda r: r["estimates"][0].update(scale="probit"),
    "a name off the grammar": lambda r: r["estimates"][0].update(name="AUC of the model"),
    "an estimate without its method": lambda r: r["estimates"][0].pop("method"),
    "half a patient": lambda r: r["facts"].update(patients=0.5),
    "no outcome": lambda r: r["facts"].pop("outcome"),
    "a curve without its reason": lambda r: r["facts"]["curves"][0].pop("reason"),
    "one language": lambda r: r["verdict"].pop("fr"),
    "a verdict that is none": lambda r: r["verdict"]["en"].update(state="excellent"),
    "a warning without a code": lambda r: r["warnings"].append({"text": "few"}),
    "a version that is no text": lambda r: r["provenance"]["environment"].update(python=3.11),
}


@pytest.mark.parametrize("run", [binary, study], ids=["validation", "study"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_report_is_found_out(damage: str, run: Callable[[], Evidence]) -> None:
    report = copy.deepcopy(json.loads(json.dumps(report_dict(run()))))
    DAMAGES[damage](report)
    assert not VALIDATOR.is_valid(report)


def test_an_unknown_design_and_an_unknown_kind_of_outcome_are_found_out() -> None:
    for fact, value in (("design", "retrospective"), ("outcome", {"name": "y", "kind": "ordinal", "unit": "", "horizon": None})):
        report = json.loads(json.dumps(report_dict(binary())))
        report["facts"][fact] = value
        assert not VALIDATOR.is_valid(report)


@pytest.mark.parametrize(
    ("name", "good"),
    [("nb:rival:volume@0.2", True), ("iou0.5:pq", True), ("auc:a b", True), ("AUC", False), ("auc:", False), ("auc: a", False)],
)
def test_the_schema_takes_the_names_that_an_estimate_takes(name: str, good: bool) -> None:
    def taken() -> bool:
        try:
            Estimate(name, 0.5)
        except Exception:
            return False
        return True

    pattern = jsonschema.Draft202012Validator({"pattern": ESTIMATE_NAME})
    assert (pattern.is_valid(name), taken()) == (good, good)
