"""Canonical JSON, estimates, evidence, findings, settings and errors: what is written stays what it was."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Literal

import jsonschema
import pytest

from onclair.core import errors
from onclair.core.canonical import canonical_json, sha256_of
from onclair.core.errors import BadCase, BadInput, BadSetting, CheckFailed, OnclairError
from onclair.core.estimate import Estimate, estimate_from_dict, not_available
from onclair.core.evidence import Evidence, evidence_from_dict
from onclair.core.finding import Finding, finding_schema
from onclair.core.outcome import Outcome
from onclair.core.settings import RunSettings, Settings, fields_of, setting

RECORD = Evidence(
    "describe",
    "P1",
    {"pet": "0" * 64, "mask": "1" * 64},
    {"bin_width": 0.5, "seed": 1},
    "c" * 64,
    {"numpy": "2.4", "threads": 1},
    {"features.json": "2" * 64},
    (Estimate("auc:model", 0.7, low=0.6, high=0.8),),
    {"rows": 1},
    ({"code": "too_few_events", "text": "19."},),
)
FINDING = Finding(
    "radiomics",
    "P1",
    "2026-01-01T00:00:00Z",
    "virtual",
    {"id": "m", "version": "1", "sha256": "0" * 64},
    "1" * 64,
    estimates=({"name": "volume", "value": 12.5, "low": None, "high": None, "level": 0.95, "unit": "mL", "segment": 1},),
    risk={"outcome": "relapse", "probability": 0.2, "low": 0.1, "high": 0.4, "horizon_months": 24},
    answer={"value": "cannot_tell", "reason": "Unlike the training patients."},
)


class Wide(Settings):
    """Settings of every kind."""

    bin_width: float = setting(0.5, "width of a grey level", "largeur d'un niveau de gris", unit="SUV", gt=0)
    kernel: Literal["mean", "log"] = setting("mean", "filter", "filtre")
    models: tuple[str, ...] = setting((), "candidates", "candidats")
    cap: int | None = setting(None, "at most", "au plus", ge=1)


# canonical JSON


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == canonical_json({"a": {"c": 3, "d": 2}, "b": 1})


def test_canonical_json_is_utf8_without_spaces_and_reads_back() -> None:
    text = canonical_json({"é": [1.5, None, True]})
    assert text == '{"é":[1.5,null,true]}'.encode()
    assert json.loads(text) == {"é": [1.5, None, True]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_canonical_json_refuses_what_json_does_not_have(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json([value])


def test_the_hash_of_the_empty_object_is_the_published_one() -> None:
    assert sha256_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


# estimates


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Estimate("AUC model", 0.7), "'AUC model'"),
        (lambda: Estimate("auc:model", 0.7, level=95), "95"),
        (lambda: Estimate("auc:model", 0.7, low=0.8, high=0.6), "from 0.8 down to 0.6"),
        (lambda: Estimate("auc:model", float("nan")), "no value"),
        (lambda: Estimate("auc:model", status="too_few"), "without a reason"),
    ],
    ids=["name", "level", "interval upside down", "no value", "no reason"],
)
def test_an_estimate_that_says_too_little_is_refused(make, found: str) -> None:
    with pytest.raises(BadInput) as caught:
        make()
    assert found in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "name",
    [
        "auc:model",
        "auc:rival:suv_max",
        "auc:model-minus-volume",
        "nb@0.2:model",
        "froc:sens@1",
        "auc:model:leave-one-centre-out",
        "auc:model:centre:Caen 2",
    ],
)
def test_the_names_of_the_design_are_accepted(name: str) -> None:
    assert Estimate(name, 0.5).name == name


def test_an_estimate_survives_json() -> None:
    estimate = Estimate("auc:model", 0.7, low=0.6, high=0.8, se=0.05, scale="logit", n=51, events=19, method="DeLong")
    assert estimate_from_dict(json.loads(json.dumps(estimate.as_dict()))) == estimate


def test_too_few_is_said_in_words() -> None:
    assert not_available("auc:model", "Only 3 events.", status="too_few").text() == "Only 3 events."


# evidence


def test_the_id_does_not_depend_on_the_order_in_which_a_record_was_filled() -> None:
    turned = replace(RECORD, inputs=dict(reversed(RECORD.inputs.items())), settings=dict(reversed(RECORD.settings.items())))
    assert turned.id == RECORD.id


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "learn"},
        {"subject": "P2"},
        {"inputs": {"pet": "0" * 64}},
        {"settings": {"bin_width": 0.5, "seed": 2}},
        {"code": "d" * 64},
        {"environment": {"numpy": "2.5", "threads": 1}},
        {"outputs": {"features.json": "3" * 64}},
        {"estimates": ()},
        {"facts": {"rows": 2}},
        {"warnings": ()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_changes_the_id(change: dict) -> None:
    assert replace(RECORD, **change).id != RECORD.id


@pytest.mark.parametrize("name", ["outputs", "estimates", "facts", "warnings"])
def test_what_came_out_does_not_change_the_key(name: str) -> None:
    assert replace(RECORD, **{name: type(getattr(RECORD, name))()}).key == RECORD.key


@pytest.mark.parametrize("name", ["inputs", "settings", "environment"])
def test_what_went_in_changes_the_key(name: str) -> None:
    assert replace(RECORD, **{name: {}}).key != RECORD.key


def test_a_record_reads_back_with_the_same_id() -> None:
    assert evidence_from_dict(json.loads(RECORD.to_json())).id == RECORD.id


def test_a_record_edited_after_writing_is_refused() -> None:
    document = json.loads(RECORD.to_json())
    document["record"]["settings"]["seed"] = 2
    with pytest.raises(BadInput, match="does not match its own hash"):
        evidence_from_dict(document)


def test_a_record_of_another_format_is_refused() -> None:
    with pytest.raises(BadInput, match="onclair-evidence/1"):
        evidence_from_dict({"id": "0", "record": {"format": "other/1"}})


# findings


def test_a_finding_obeys_its_schema() -> None:
    jsonschema.Draft202012Validator(finding_schema()).validate(json.loads(json.dumps(FINDING.as_dict())))


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(finding_schema())


@pytest.mark.parametrize(
    "spoil",
    [
        {"subject": ""},
        {"data": "maybe"},
        {"created": "yesterday"},
        {"evidence": "abc"},
        {"finding": 2},
        {"extra": 1},
        {"risk": {"outcome": "x"}},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_the_schema_refuses_a_spoilt_finding(spoil: dict) -> None:
    document = json.loads(json.dumps({**FINDING.as_dict(), **spoil}))
    assert not jsonschema.Draft202012Validator(finding_schema()).is_valid(document)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"status": "accepted"}, "review"),
        ({"status": "acepted"}, "did you mean 'accepted'?"),
        ({"review": {"by": "Dr A"}}, "preliminary"),
        ({"evidence": "abc"}, "SHA-256"),
        ({"model": {"id": "m"}}, "SHA-256"),
        ({"answer": {"value": "cannot_tell", "reason": None}}, "without a reason"),
        ({"risk": {"outcome": "x", "probability": 1.2}}, "probability 1.2"),
    ],
    ids=["no review", "unknown status", "review while preliminary", "evidence", "model", "reason", "probability"],
)
def test_an_impossible_finding_is_refused_naming_the_patient(change: dict, found: str) -> None:
    with pytest.raises(BadInput) as caught:
        replace(FINDING, **change)
    assert found in str(caught.value)
    assert "P1" in str(caught.value)


def test_an_accepted_finding_names_its_reviewer() -> None:
    review = {"by": "Dr A", "role": "radiologist", "at": "2026-01-02", "action": "accepted", "reason": ""}
    accepted = replace(FINDING, status="accepted", review=review)
    jsonschema.Draft202012Validator(finding_schema()).validate(json.loads(json.dumps(accepted.as_dict())))


# settings


def test_an_unknown_setting_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(BadSetting) as caught:
        Wide.read({"bin_widht": 0.25}, source="settings.toml")
    assert str(caught.value) == "Settings.toml hold an unknown key 'bin_widht'; did you mean 'bin_width'?"


@pytest.mark.parametrize(
    "layer",
    [{"bin_width": 0.0}, {"bin_width": "wide"}, {"kernel": "median"}, {"cap": 0}, {"cap": 1.5}],
    ids=["at the bound", "a word", "no such choice", "below", "half"],
)
def test_an_impossible_setting_is_refused_quoting_name_and_value(layer: dict) -> None:
    ((name, value),) = layer.items()
    with pytest.raises(BadSetting) as caught:
        Wide.read(layer)
    assert f"'{name}'" in str(caught.value)
    assert repr(value) in str(caught.value)
    assert caught.value.item == name


def test_later_layers_win_and_none_leaves_the_earlier_value() -> None:
    settings = Wide.read({"bin_width": 1.0, "kernel": "log"}, {"bin_width": 2.0, "kernel": None})
    assert (settings.bin_width, settings.kernel) == (2.0, "log")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Wide().bin_width = 1.0


def test_a_record_of_settings_holds_the_defaults_and_reads_back() -> None:
    assert Wide.read(Wide(bin_width=1.0).as_record()) == Wide(bin_width=1.0)
    assert set(Wide().as_record()) == {"bin_width", "kernel", "models", "cap"}


def test_the_fields_of_settings_are_what_flags_forms_and_docs_need() -> None:
    fields = {f.name: f for f in fields_of(Wide)}
    width = fields["bin_width"]
    assert (width.flag, width.kind, width.unit, width.limits) == ("--bin-width", float, "SUV", "> 0")
    assert fields["kernel"].choices == ("mean", "log")
    assert fields["models"].many
    assert (fields["cap"].kind, fields["cap"].optional) == (int, True)


def test_every_setting_of_a_run_speaks_both_languages() -> None:
    assert [f.name for f in fields_of(RunSettings) if not (f.en and f.fr)] == []


# outcomes


def test_a_survival_outcome_without_time_is_refused() -> None:
    with pytest.raises(BadInput, match="names no time column"):
        Outcome("death", "survival", "month")


def test_an_outcome_of_unknown_kind_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'binary'"):
        Outcome("relapse", "binery")


# errors


def test_every_error_crosses_a_process_boundary_with_its_sentence_and_item() -> None:
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, OnclairError)]
    assert len(kinds) >= 11
    for kind in kinds:
        back = pickle.loads(pickle.dumps(kind("Something was found; do this.", item="P1")))
        assert (type(back), str(back), back.item) == (kind, "Something was found; do this.", "P1")


def test_bad_input_exits_with_2_and_a_failed_check_with_1() -> None:
    assert (BadInput("x.").exit_code, BadCase("x.").exit_code, CheckFailed("x.").exit_code) == (2, 2, 1)


def test_the_error_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    named = [k for k, v in vars(errors).items() if isinstance(v, type) and issubclass(v, OnclairError)]
    assert [name for name in named if name not in (errors.__doc__ or "")] == []
