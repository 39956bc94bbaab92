"""The JSON report holds the same facts as the page."""

from __future__ import annotations

import json

import pytest
from report_records import RECORDS, sarcoma

from onclair.core.estimate import estimate_from_dict
from onclair.report.json import render_json
from onclair.report.verdict import verdict


@pytest.mark.parametrize("name", RECORDS)
def test_every_estimate_comes_back_equal(name: str) -> None:
    record = RECORDS[name]()
    assert tuple(estimate_from_dict(e) for e in json.loads(render_json(record))["estimates"]) == record.estimates


def test_it_names_the_evidence_and_says_the_verdict_of_the_page() -> None:
    record = sarcoma()
    found = json.loads(render_json(record))
    assert found["evidence_id"] == record.id
    assert found["verdict"]["fr"]["sentence"] == verdict(record, "fr").sentence
    assert found["facts"] == json.loads(json.dumps(dict(record.facts)))


def test_the_same_record_gives_the_same_bytes() -> None:
    assert render_json(sarcoma()) == render_json(sarcoma())
