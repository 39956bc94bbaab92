"""FHIR R5: an independent validator takes the resources, and every number is the record's own."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources import __fhir_version__
from fhir.resources.bundle import Bundle
from fhir.resources.riskassessment import RiskAssessment
from pydantic import ValidationError
from report_runs import RUNS, binary, repeated, study, survival, virtual_study

from onclair.core.errors import BadCohort, BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.core.evidence import Evidence
from onclair.core.finding import Finding
from onclair.report.fhir import ABSENT, fhir_bundle, names_of
from onclair.report.fhir_risk import Claimed, percent, render_risk, risk_assessment, risk_assessments
from onclair.report.files import rendered


def read(content: bytes) -> Any:
    """Return JSON with its numbers as they are written."""
    return json.loads(content, parse_float=Decimal, parse_int=Decimal)


def statistics(bundle: Any) -> dict[str, Any]:
    return {s["statisticType"]["text"]: s for e in bundle["entry"] for s in e["resource"]["statistic"]}


def finding(**told: Any) -> dict[str, Any]:
    model = {"id": "radiomics:lasso", "version": "0.1.0", "sha256": "ab" * 32}
    risk = {"outcome": "relapse", "probability": 0.29, "low": 0.2, "high": 0.41, "horizon_months": 24.0}
    answer = {"value": "likely", "reason": None}
    made = Finding("radiomics", "P-017", "2026-01-02T03:04:05Z", "real", model, "cd" * 32, risk=risk, answer=answer)
    return {**made.as_dict(), **told}


def test_the_validator_reads_release_5() -> None:
    assert __fhir_version__.startswith("5.0")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", RUNS)
def test_an_independent_validator_takes_the_bundle_and_loses_nothing(name: str, language: Any) -> None:
    content = rendered(RUNS[name](), "fhir", language)
    taken = Bundle.model_validate_json(content)
    assert read(taken.model_dump_json().encode()) == read(content)
    assert {entry.resource.get_resource_type() for entry in taken.entry} == {"Evidence"}


def test_the_validator_refuses_evidence_without_its_variables() -> None:
    bundle = fhir_bundle(binary())
    del bundle["entry"][0]["resource"]["variableDefinition"]
    with pytest.raises(ValidationError):
        Bundle.model_validate(bundle)


@pytest.mark.parametrize("name", RUNS)
def test_every_number_is_the_one_of_the_record(name: str) -> None:
    record = RUNS[name]()
    found = statistics(json.loads(rendered(record, "fhir")))
    assert sorted(found) == sorted(e.name for e in record.estimates)
    for e in record.estimates:
        told = found[e.name]
        assert told["quantity"].get("value") == e.value
        assert told.get("numberOfEvents") == e.events
        assert told.get("description", "") == e.method
        attributes = told.get("attributeEstimate", [])
        ends = [a for a in attributes if "range" in a]
        errors = [a["quantity"]["value"] for a in attributes if "quantity" in a]
        kept = {end: value for end, value in (("low", e.low), ("high", e.high)) if value is not None}
        assert [{end: v["value"] for end, v in a["range"].items()} for a in ends] == ([kept] if kept else [])
        assert [a["level"] for a in ends] == ([e.level] if kept else [])
        assert errors == ([] if e.se is None else [e.se])


def test_what_could_not_be_estimated_is_absent_with_its_reason_and_never_zero() -> None:
    record = binary()
    gone = [e for e in record.estimates if e.value is None]
    found = statistics(fhir_bundle(record))
    assert gone
    for e in gone:
        assert found[e.name]["quantity"] == {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
        assert found[e.name]["note"] == [{"text": f"{e.status}: {e.reason}"}]


def test_a_figure_on_too_few_events_keeps_its_value_and_says_so() -> None:
    weak = [e for e in binary().estimates if e.status == "too_few" and e.value is not None]
    found = statistics(fhir_bundle(binary()))
    assert weak
    assert all(found[e.name]["note"][0]["text"].startswith("too_few: ") and found[e.name]["quantity"]["value"] == e.value for e in weak)


def test_a_prediction_interval_is_not_called_a_confidence_interval() -> None:
    made = Evidence("validate", facts={"kind": "validation"}, estimates=(Estimate("auc:m:new-centre", 0.7, low=0.5, high=0.9),))
    (kind,) = [a["type"] for a in statistics(fhir_bundle(made))["auc:m:new-centre"]["attributeEstimate"]]
    assert kind == {"text": "Prediction interval for a new centre"}


def test_rows_are_not_counted_as_participants() -> None:
    found = statistics(fhir_bundle(repeated()))["auc:basic"]["sampleSize"]
    assert found["numberOfParticipants"] == repeated().facts["patients"] == 60
    assert found["description"] == f"{repeated().estimates[0].n}, counted as the method says"


def test_refits_are_not_counted_as_participants() -> None:
    assert "numberOfParticipants" not in statistics(fhir_bundle(virtual_study()))["p:model:shuffled-labels"]["sampleSize"]


def test_a_difference_names_both_who_are_compared() -> None:
    bundle = fhir_bundle(binary())
    (resource,) = [e["resource"] for e in bundle["entry"] if e["resource"]["title"] == "basic minus marker"]
    told = {v["variableRole"]["coding"][0]["code"]: v["description"] for v in resource["variableDefinition"]}
    assert (told["exposure"], told["referenceExposure"], told["measuredVariable"]) == ("basic", "marker", "y")


def test_each_threshold_stands_as_a_number() -> None:
    found = statistics(fhir_bundle(binary()))
    assert found["nb:basic@0.3"]["modelCharacteristic"][0]["value"]["value"] == 0.3


def test_a_unit_that_is_none_of_ucum_has_no_code() -> None:
    assert set(statistics(fhir_bundle(binary()))["avoided:basic@0.3"]["quantity"]) == {"value", "unit"}


def test_everything_is_a_draft_for_research_and_virtual_patients_are_tagged() -> None:
    for record, virtual in ((survival(), True), (binary(), False)):
        bundle = fhir_bundle(record)
        for entry in bundle["entry"]:
            resource = entry["resource"]
            assert (resource["status"], resource["experimental"]) == ("draft", virtual)
            assert "Research use only" in resource["useContext"][0]["valueCodeableConcept"]["text"]
            assert ("HTEST" in json.dumps(resource.get("meta", {}))) == virtual


def test_identifiers_follow_from_the_evidence_alone() -> None:
    one, same = fhir_bundle(binary()), fhir_bundle(replace(binary()))
    other = fhir_bundle(replace(binary(), settings={"seed": 2}))
    assert one == same
    assert one["id"] == binary().id
    assert {e["fullUrl"] for e in one["entry"]}.isdisjoint({e["fullUrl"] for e in other["entry"]})
    assert len({e["fullUrl"] for e in one["entry"]}) == len(one["entry"])


def test_no_patient_and_no_date_stands_in_the_bundle() -> None:
    text = rendered(study(), "fhir").decode()
    assert study().facts["left_out"][0]["patient"] not in text
    assert '"date"' not in text


def test_a_record_without_figures_gives_an_empty_collection() -> None:
    bundle = fhir_bundle(Evidence("validate"))
    assert list(names_of(Bundle.model_validate(bundle).model_dump())) == []
    assert "entry" not in bundle


def test_the_name_of_a_stratum_with_odd_spaces_is_kept() -> None:
    name = "auc:m:centre=Saint  Louis"
    record = Evidence("validate", facts={"kind": "validation"}, estimates=(not_available(name, "one class"),))
    Bundle.model_validate_json(rendered(record, "fhir"))
    assert list(names_of(fhir_bundle(record))) == [name]


# --- predictions on single cases ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_independent_validator_takes_the_risk_of_a_finding(language: Any) -> None:
    resource = risk_assessment(finding(), language)
    taken = RiskAssessment.model_validate_json(render_risk(resource))
    assert (taken.status, taken.subject.identifier.value) == ("preliminary", "P-017")
    assert taken.prediction[0].probabilityDecimal == Decimal("29.0")
    assert read(taken.model_dump_json().encode())["prediction"] == read(render_risk(resource).encode())["prediction"]


def test_a_risk_is_in_percent_and_as_the_model_gave_it_beside() -> None:
    told = risk_assessment(finding())["prediction"][0]
    assert told["probabilityDecimal"] == 29.0
    assert told["rationale"] == "Probability as the model gave it, from 0 to 1: 0.29; interval 0.2 to 0.41."
    assert (told["whenRange"]["high"]["value"], told["whenRange"]["high"]["code"]) == (24.0, "mo")


@pytest.mark.parametrize("value", [0.0, 1.0, 0.07, 0.1 + 0.2, 1e-9, 0.8606275378368400])
def test_percent_moves_the_point_and_no_digit(value: float) -> None:
    assert Decimal(repr(percent(value))) == Decimal(repr(value)) * 100


@pytest.mark.parametrize("value", [-0.1, 1.01, 29.0, float("nan")])
def test_a_probability_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(BadInput, match="lies outside"):
        percent(value)


def test_cannot_tell_carries_its_reason_and_no_probability() -> None:
    reason = "unlike the patients who taught the model"
    resource = risk_assessment(finding(answer={"value": "cannot_tell", "reason": reason}))
    told = resource["prediction"][0]
    assert "probabilityDecimal" not in told
    assert told["_probabilityDecimal"]["extension"][0]["url"] == ABSENT
    assert (told["qualitativeRisk"]["text"], told["rationale"]) == ("cannot_tell", reason)
    assert "0.29" not in render_risk(resource)
    RiskAssessment.model_validate_json(render_risk(resource))


@pytest.mark.parametrize(
    ("status", "code"), [("accepted", "final"), ("modified", "amended"), ("rejected", "entered-in-error"), ("preliminary", "preliminary")]
)
def test_the_status_follows_the_review(status: str, code: str) -> None:
    review = {"by": "dr.a", "role": "radiologist", "at": "2026-01-03T00:00:00Z", "action": status, "reason": "seen"}
    resource = risk_assessment(finding(status=status, review=None if status == "preliminary" else review))
    assert RiskAssessment.model_validate_json(render_risk(resource)).status == code


def test_a_list_of_predictions_becomes_one_assessment_a_case() -> None:
    claimed = Claimed("death", "basic", evidence=binary().id, horizon_months=60.0, data="virtual")
    bundle = risk_assessments([("P1", 0.125), ("P2", None)], claimed)
    taken = Bundle.model_validate_json(render_risk(bundle))
    first, second = (entry.resource for entry in taken.entry)
    assert (first.prediction[0].probabilityDecimal, second.prediction[0].probabilityDecimal) == (Decimal("12.5"), None)
    assert first.basis[0].identifier.value == binary().id
    assert first.meta.tag[0].code == "HTEST"
    assert bundle == risk_assessments([("P1", 0.125), ("P2", None)], claimed)


@pytest.mark.parametrize("case", ["Jean Dupont", "a@b.fr", "1952-03-01"])
def test_a_name_in_place_of_a_pseudonym_is_refused(case: str) -> None:
    with pytest.raises(BadCohort, match="pseudonym"):
        risk_assessments([(case, 0.2)], Claimed("death", "basic"))


def test_a_case_that_comes_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="'P1' comes twice"):
        risk_assessments([("P1", 0.2), ("P1", 0.3)], Claimed("death", "basic"))
