"""The public names of core are exactly these; a new one is a decision."""

from __future__ import annotations

import importlib
import inspect

import pytest

from onclair.core.names import did_you_mean, nearest

COMMANDS = ("apply", "bench", "cohort", "data", "demo", "replay", "report", "run", "verify", "virtual")

PUBLIC = {
    "canonical": {"canonical_json", "plain_float", "sha256_of"},
    "cohort": {"About", "Cohort", "Split"},
    "errors": {
        "BadCase",
        "BadCohort",
        "BadGeometry",
        "BadInput",
        "BadModelFile",
        "BadSetting",
        "BadTable",
        "CheckFailed",
        "NoRoom",
        "NotReachable",
        "OnclairError",
    },
    "estimate": {"Estimate", "estimate_from_dict", "not_available"},
    "evidence": {"Evidence", "content_key", "evidence_from_dict"},
    "finding": {"Finding", "finding_schema"},
    "fragments": {"each_once", "in_french"},
    "geometry": {"checked_affine", "reindexed", "same_grid", "spacing_mm"},
    "glossary": {"Term", "term"},
    "names": {"did_you_mean", "nearest"},
    "outcome": {"Outcome"},
    "progress": {"Progress", "silent"},
    "seeds": {"rng_for"},
    "settings": {"RunSettings", "SettingField", "Settings", "fields_of", "setting"},
    "study": {"Answer", "Control", "Description", "Fitted", "Further", "Learner", "Rival", "Study", "Virtual"},
    "units": {"checked_unit"},
    "values": {"Case", "Detector", "Image", "Mask", "Measurement", "Photo", "Spectrum"},
    "words": {"Words"},
}


def test_no_module_of_core_is_left_out(repository) -> None:
    found = {p.stem for p in (repository / "src" / "onclair" / "core").glob("*.py")} - {"__init__"}
    assert found == set(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_the_public_names_are_exactly(name: str) -> None:
    module = importlib.import_module(f"onclair.core.{name}")
    own = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == module.__name__
    }
    assert own == PUBLIC[name]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("verfy", "verify"), ("reprot", "report"), ("cohrot", "cohort"), ("Bench", "bench"), ("virt", "virtual"), ("demonstration", "demo")],
)
def test_a_slip_or_a_beginning_is_offered_its_name(written: str, meant: str) -> None:
    assert nearest(written, COMMANDS) == meant


@pytest.mark.parametrize("written", ["nosuch", "train", "serve", "x", "", "re"])
def test_a_word_that_resembles_nothing_is_offered_the_whole_list(written: str) -> None:
    assert did_you_mean(written, COMMANDS) == f"known: {', '.join(COMMANDS)}."


def test_the_known_name_is_offered_as_it_is_written() -> None:
    assert did_you_mean("suv_MAX", ["SUV_max", "volume"]) == "did you mean 'SUV_max'?"
