"""The report of an audit: what a reader sees first, in both languages, of a binary outcome, one in time, and a list of features."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

import audit_made as made
from commandline import onclair_here
from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.report.checklists.fill import checklists
from onclair.report.checklists.pointers import backed
from onclair.report.html import page_tree, render_html
from onclair.report.json import report_dict
from onclair.report.schema import report_schema
from onclair.run.store import read_evidence
from onclair.studies.tasks.radiomics_audit import Audit, audit

COX = 'kind = "cox"\nbaseline = {horizon = 24.0, survival = 0.7, centre = 4.0, unit = "month"}\n'
LOGISTIC = 'kind = "logistic"\nintercept = -3.0\n'


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    place = tmp_path_factory.mktemp("audit-report")
    binary, timed = made.cohort(place / "binary", 20), made.cohort(place / "timed", 20, survival=True)
    audit(Audit(made.card(place, LOGISTIC), binary, external=made.cohort(place / "away", 10), seeds=1, out=place / "run"))
    audit(Audit(made.card(place, COX, "cox"), timed, external=timed, seeds=1, out=place / "cox"))
    return {"binary": place / "run", "timed": place / "cox"}


def claim(run: Path) -> Evidence:
    return read_evidence(run / "validate")


def named(run: Path) -> dict[str, Estimate]:
    return {each.name: each for each in claim(run).estimates}


def text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def test_the_rival_that_clinicians_have_stands_beside_the_score(runs: Mapping[str, Path]) -> None:
    for run, figure in ((runs["binary"], "auc"), (runs["timed"], "harrell")):
        found = named(run)
        assert "out of fold" in found[f"{figure}:rival:clinical"].method
        assert found[f"{figure}:model-minus-clinical"].low is not None


def test_random_features_rank_nobody_and_the_score_gains_on_them(runs: Mapping[str, Path]) -> None:
    found = named(runs["binary"])
    assert found["auc:model:random-features"].value == pytest.approx(0.5, abs=0.1)
    gap = found["auc:model"].value - found["auc:model:random-features"].value
    assert found["auc:model-minus-random-features"].value == pytest.approx(gap, abs=1e-9)
    assert "auc:model-minus-random-weights" in found


def test_an_outcome_in_time_is_judged_within_batches_elsewhere_and_for_its_risks(runs: Mapping[str, Path]) -> None:
    found = named(runs["timed"])
    for name in (
        "harrell:model:within-batch",
        "uno:model:external",
        "o_e:model",
        "slope:model",
        "brier:model",
        "nb:model@0.2",
        "o_e:model:external",
    ):
        assert found[name].value is not None, name
    assert found["harrell:model"].value == pytest.approx(found["harrell:model:external"].value)


def test_the_first_screen_says_the_verdict_in_plain_words(runs: Mapping[str, Path]) -> None:
    page = page_tree(claim(runs["binary"]))
    verdict = next(each for each in page.iter("div") if each.get("class", "").startswith("verdict"))
    assert "too few to say whether it holds here" in text(verdict).replace("\u00a0", " ")
    assert "virtual" in text(verdict)
    assert text(next(iter(page.iter("h1")))).startswith("Does “made” hold on these patients")


def test_ten_gates_stand_as_a_list_each_with_a_mark_and_its_question(runs: Mapping[str, Path]) -> None:
    page = page_tree(claim(runs["binary"]))
    items = [each for each in page.iter("li") if each.get("data-gate")]
    assert len(items) == 10
    assert all(text(item)[0] in "●▲◇" and "?" in text(item) for item in items)


def test_long_tables_are_folded(runs: Mapping[str, Path]) -> None:
    page = page_tree(claim(runs["binary"]))
    folded = {id(table) for each in page.iter("details") if each.get("open") is None for table in each.iter("table")}
    assert all(len(list(table.iter("tr"))) <= 30 for table in page.iter("table") if id(table) not in folded)


@pytest.mark.parametrize("which", ["binary", "timed"])
def test_no_english_is_left_on_the_french_page(runs: Mapping[str, Path], which: str) -> None:
    page = page_tree(claim(runs[which]), "fr")
    assert [text(each) for each in page.iter() if each.get("lang") == "en"] == []


def test_every_figure_has_an_identity_of_its_own_on_the_page(runs: Mapping[str, Path]) -> None:
    page = page_tree(claim(runs["timed"]))
    known = [each.get("id") for each in page.iter() if each.get("id")]
    assert len(known) == len(set(known))


def test_the_report_asks_for_nothing_from_anywhere(runs: Mapping[str, Path]) -> None:
    page = render_html(claim(runs["binary"]))
    assert "<script" not in page
    assert not any(each in page for each in (' src="', 'href="http', "@import", "url(http", "url('"))


def test_the_report_command_speaks_french_and_gives_json_that_keeps_its_schema(runs: Mapping[str, Path], tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    page, facts = tmp_path / "page.html", tmp_path / "facts.json"
    assert onclair_here("report", runs["binary"], "--lang", "fr", "--out", page).code == 0
    assert 'lang="fr"' in page.read_text()
    assert onclair_here("report", runs["binary"], "--format", "json", "--out", facts).code == 0
    jsonschema.validate(json.loads(facts.read_text()), report_schema())
    assert page.read_bytes() == (runs["binary"] / "report" / "report.fr.html").read_bytes()


def test_every_answer_of_a_checklist_stands_where_it_says(runs: Mapping[str, Path]) -> None:
    evidence = claim(runs["binary"])
    report = report_dict(evidence)
    for found in checklists(evidence)["checklists"]:
        answered = [item for item in found["items"] if item["status"] == "reported"]
        assert all(backed(report, item["source"], item["value"]) for item in answered), found["name"]
    counts = {each["name"]: sum(i["status"] == "reported" for i in each["items"]) for each in checklists(evidence)["checklists"]}
    assert counts["CLEAR"] >= 25
    assert counts["METRICS"] >= 9


def test_a_record_of_an_audit_that_lacks_everything_still_makes_a_page() -> None:
    for language in ("en", "fr"):
        assert "</html>" in render_html(Evidence("validate", facts={"kind": "audit"}), language)
