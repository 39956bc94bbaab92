"""The checklists have their official numbers, and no cell says what the JSON report does not."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from report_runs import RUNS, binary, repeated, study, survival, virtual_study

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.core.evidence import Evidence
from onclair.report.checklists.fill import LISTS, checklists
from onclair.report.checklists.items import NOTHING
from onclair.report.checklists.pointers import backed, resolve
from onclair.report.files import rendered
from onclair.report.json import report_dict


def cells(evidence: Evidence, language: Any = "en") -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["name"], item["number"]): item for one in checklists(evidence, language)["checklists"] for item in one["items"]}


def numbers(name: str) -> list[str]:
    return [item.number for each in LISTS if each.name == name for item in each.items]


def changed(evidence: Evidence, **facts: Any) -> Evidence:
    return replace(evidence, facts={**evidence.facts, **facts})


def test_tripod_ai_has_27_items_and_52_with_their_parts() -> None:
    found = numbers("TRIPOD+AI")
    assert (len(found), len({re.match(r"\d+", n).group() for n in found})) == (52, 27)  # type: ignore[union-attr]
    parts = Counter(re.match(r"\d+", n).group() for n in found)  # type: ignore[union-attr]
    assert {n: c for n, c in parts.items() if c > 1} == {
        "3": 3, "5": 2, "6": 3, "8": 3, "9": 3, "12": 7, "18": 6, "20": 3, "23": 2, "27": 3,
    }  # fmt: skip


def test_probast_ai_asks_16_questions_on_development_and_18_on_evaluation() -> None:
    found = numbers("PROBAST+AI")
    assert Counter(n[:2] for n in found) == {"D1": 3, "D2": 4, "D3": 4, "D4": 5, "E1": 3, "E2": 4, "E3": 4, "E4": 7}


def test_claim_has_44_items_in_order() -> None:
    assert numbers("CLAIM 2024") == [str(n) for n in range(1, 45)]


def test_metrics_has_30_items_in_order_and_5_conditions() -> None:
    found = numbers("METRICS")
    assert [n for n in found if n.isdigit()] == [str(n) for n in range(1, 31)]
    assert [n for n in found if not n.isdigit()] == ["C1", "C2", "C3", "C4", "C5"]


@pytest.mark.parametrize("name", RUNS)
def test_every_reported_value_stands_where_its_pointer_leads(name: str) -> None:
    report = json.loads(rendered(RUNS[name](), "json"))
    told = [c for c in cells(RUNS[name]()).values() if c["status"] == "reported"]
    assert len(told) > 10
    said = json.loads(json.dumps(told))
    assert [c["number"] for c in said if resolve(report, c["source"]) != c["value"] or not backed(report, c["source"], c["value"])] == []


@pytest.mark.parametrize("name", RUNS)
def test_every_reported_source_is_one_field_and_never_a_container_of_them_all(name: str) -> None:
    told = [c for c in cells(RUNS[name]()).values() if c["status"] == "reported"]
    assert {c["source"] for c in told}.isdisjoint({"", "/facts", "/estimates", "/facts/model", "/facts/cohort"})


@pytest.mark.parametrize("name", RUNS)
def test_further_pointers_lead_somewhere_and_are_told_once(name: str) -> None:
    report = json.loads(rendered(RUNS[name](), "json"))
    several = 0
    for cell in cells(RUNS[name]()).values():
        places = [cell["source"], *cell["also"]] if cell["status"] == "reported" else cell["also"]
        assert len(set(places)) == len(places)
        assert all(resolve(report, place) is not None for place in places)
        several += len(places) > 1
    assert several > 5


@pytest.mark.parametrize("name", RUNS)
def test_a_cell_that_is_not_reported_is_empty_and_has_its_reason(name: str) -> None:
    for cell in cells(RUNS[name]()).values():
        empty = (cell["value"], cell["source"], cell["also"]) == (None, None, [])
        assert empty == (cell["status"] != "reported") == bool(cell["reason"])


def test_a_record_without_facts_reports_nothing() -> None:
    assert {c["status"] for c in cells(Evidence("validate")).values()} == {"not_available"}


def test_a_record_whose_figures_are_all_absent_reports_no_performance() -> None:
    record = binary()
    silent = replace(record, estimates=tuple(not_available(e.name, "one class") for e in record.estimates))
    told = cells(silent)
    for number in ("12d", "12e", "21", "23a", "23b"):
        assert told["TRIPOD+AI", number]["status"] == "not_available", number
    assert {told["METRICS", n]["status"] for n in ("20", "21", "22", "27")} == {"not_available"}
    assert told["PROBAST+AI", "E4.7"]["status"] == "not_available"


def test_figures_that_rest_on_too_few_events_do_not_count_as_reported() -> None:
    record = binary()
    weak = [replace(e, status="too_few", reason="few") if e.value is not None else e for e in record.estimates]
    told = cells(replace(record, estimates=tuple(weak)))
    assert told["TRIPOD+AI", "23a"]["status"] == told["CLAIM 2024", "38"]["status"] == "not_available"


def test_a_changed_figure_changes_the_cell() -> None:
    record = binary()
    other = [Estimate("auc:basic", 0.6, low=0.5, high=0.7, n=260, events=9) if e.name == "auc:basic" else e for e in record.estimates]
    cell = cells(replace(record, estimates=tuple(other)))["TRIPOD+AI", "23a"]
    assert (cell["source"], cell["value"]["value"]) == ("/estimates/0", 0.6)


def test_a_score_alone_is_not_said_to_be_calibrated_or_useful() -> None:
    record = binary()
    alone = changed(record, models=[m for m in record.facts["models"] if m["name"] == "marker"])
    told = cells(alone)
    assert told["PROBAST+AI", "E4.7"]["status"] == told["METRICS", "22"]["status"] == "not_available"
    assert told["METRICS", "21"]["status"] == "reported"


def test_development_does_not_apply_where_predictions_are_judged() -> None:
    told = cells(binary())
    assert {c["status"] for (name, number), c in told.items() if name == "PROBAST+AI" and number.startswith("D")} == {"not_applicable"}
    assert {told["TRIPOD+AI", n]["status"] for n in ("9a", "12a", "12b", "12c", "15", "22", "27a", "27b")} == {"not_applicable"}


def test_evaluating_an_existing_model_does_not_apply_where_a_study_builds_its_own() -> None:
    told = cells(study())
    assert {told["TRIPOD+AI", n]["status"] for n in ("12f", "12g", "20c", "24")} == {"not_applicable"}
    cell = told["TRIPOD+AI", "12a"]
    assert (cell["value"], cell["source"]) == (5, "/facts/settings/folds")
    assert cell["also"] == [f"/facts/settings/{name}" for name in ("inner_folds", "repeats", "seed")]


def test_external_testing_is_reported_by_declared_design_alone() -> None:
    design = {name: cells(changed(binary(), design=name))["CLAIM 2024", "33"]["status"] for name in ("external", "prospective", "internal")}
    assert design == {"external": "reported", "prospective": "reported", "internal": "not_available"}
    assert cells(study())["METRICS", "27"]["status"] == "not_available"


def test_only_a_prospective_design_says_which_way_it_looks() -> None:
    cell = ("CLAIM 2024", "5")
    assert cells(binary())[cell]["status"] == "not_available"
    found = cells(changed(binary(), design="prospective"))[cell]
    assert (found["value"], found["source"]) == ("prospective", "/facts/design")


def test_leakage_is_answered_by_the_folds_of_a_study_and_not_by_an_internal_plan() -> None:
    assert "by patient" in cells(study())["PROBAST+AI", "E4.5"]["value"]["method"]
    assert cells(repeated())["PROBAST+AI", "E4.5"]["status"] == "not_available"
    assert cells(binary())["PROBAST+AI", "E4.5"]["status"] == "not_applicable"


def test_the_flow_of_an_outcome_in_time_lacks_the_follow_up() -> None:
    assert cells(binary())["TRIPOD+AI", "20a"]["value"] == 260
    assert cells(survival())["TRIPOD+AI", "20a"]["status"] == "not_available"


def test_diagnostic_accuracy_does_not_apply_to_an_outcome_in_time() -> None:
    assert cells(survival())["CLAIM 2024", "38"]["status"] == "not_applicable"


def test_how_censoring_was_weighted_answers_for_an_outcome_in_time() -> None:
    cell = cells(survival())["PROBAST+AI", "E4.3"]
    told = [resolve(report_dict(survival()), place) for place in (cell["source"], *cell["also"])]
    assert any("censoring-weighted" in each["method"] for each in told)


def test_gaps_that_were_filled_without_saying_how_are_not_reported() -> None:
    assert study().facts["missing"]
    assert cells(study())["TRIPOD+AI", "11"]["status"] == "not_available"
    cell = cells(virtual_study())["TRIPOD+AI", "11"]
    assert (cell["value"], cell["source"], cell["also"]) == ([], "/facts/missing", ["/facts/left_out"])


def test_patients_who_were_left_out_are_not_named() -> None:
    assert [one["patient"] for one in study().facts["left_out"]] == ["STS_044"]
    assert "/facts/left_out" in cells(study())["TRIPOD+AI", "20a"]["also"]
    assert "STS_044" not in rendered(study(), "checklists").decode()


def test_differences_between_centres_do_not_apply_in_one_centre() -> None:
    assert cells(study())["TRIPOD+AI", "23b"]["status"] == "not_applicable"
    assert cells(binary())["TRIPOD+AI", "23b"]["status"] == "reported"


def test_ethics_does_not_apply_to_virtual_patients_and_is_never_filled_for_real_ones() -> None:
    assert cells(virtual_study())["TRIPOD+AI", "17"]["status"] == "not_applicable"
    assert cells(study())["TRIPOD+AI", "17"]["status"] == "not_available"


def test_what_only_authors_can_write_is_never_reported() -> None:
    authors = [("TRIPOD+AI", n) for n in ("1", "2", "18a", "18b", "18c", "18d", "19", "25", "26", "27c")] + [("CLAIM 2024", "44")]
    for run in RUNS.values():
        told = cells(run())
        assert {told[key]["status"] for key in authors} == {"not_available"}


def test_lists_on_images_do_not_apply_to_a_model_that_reads_none() -> None:
    told = cells(changed(study(), volume=None, signal="table"))
    assert {c["status"] for (name, _), c in told.items() if name in ("CLAIM 2024", "METRICS")} == {"not_applicable"}


def test_a_table_of_predictions_does_not_say_whether_images_were_read() -> None:
    told = cells(binary())
    assert {told["METRICS", n]["status"] for n in ("C1", "C2", "C3", "4", "8", "13")} == {"not_available"}
    assert cells(virtual_study())["METRICS", "C1"]["value"] == "morph_volume"


def test_one_hospital_is_not_several_centres() -> None:
    assert cells(study())["METRICS", "4"]["status"] == "not_available"
    assert cells(virtual_study())["METRICS", "4"]["value"] == ["C1", "C2", "C3"]


def test_a_learner_that_is_not_known_leaves_the_question_on_networks_open() -> None:
    model = {**study().facts["model"], "candidates": ["logistic", "unet"]}
    told = cells(changed(study(), model=model))
    assert told["METRICS", "C5"]["status"] == told["METRICS", "17"]["status"] == "not_available"


def test_no_score_is_given_where_an_assessor_has_to_judge() -> None:
    (metrics,) = [one for one in checklists(virtual_study())["checklists"] if one["name"] == "METRICS"]
    assert (metrics["score"]["status"], metrics["score"]["value"]) == ("not_available", None)
    assert metrics["score"]["reason"]


def test_labels_and_reasons_are_in_both_languages_and_statuses_do_not_depend_on_them() -> None:
    english, french = cells(binary()), cells(binary(), "fr")
    same = {"Calibration"}
    assert [k for k in english if english[k]["label"] == french[k]["label"] and english[k]["label"] not in same] == []
    assert all(english[k]["status"] == french[k]["status"] and english[k]["value"] == french[k]["value"] for k in english)
    assert NOTHING.fr.replace("'", "’") in {c["reason"] for c in french.values()}


def test_the_same_record_gives_the_same_bytes() -> None:
    assert rendered(binary(), "checklists", "fr") == rendered(binary(), "checklists", "fr")


def test_a_pointer_that_leads_nowhere_says_where_it_stops() -> None:
    with pytest.raises(BadInput, match="stops at 'patience'"):
        resolve(report_dict(binary()), "/facts/patience")


def test_a_pointer_reads_keys_with_slashes_and_tildes() -> None:
    assert resolve({"a/b": {"m~n": [1, 2]}}, "/a~1b/m~0n/1") == 2


@pytest.mark.parametrize("value", [261, "260", 260.0, None, {}, {"/patients": 1}])
def test_a_value_that_the_report_does_not_hold_is_not_backed(value: Any) -> None:
    assert not backed(report_dict(binary()), "/facts/patients", value)
