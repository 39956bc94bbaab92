"""The public names of core are exactly these; a new one is a decision."""

from __future__ import annotations

import importlib
import inspect

import pytest

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
    "geometry": {"checked_affine", "reindexed", "same_grid", "spacing_mm"},
    "glossary": {"Term", "term"},
    "names": {"did_you_mean", "nearest"},
    "outcome": {"Outcome"},
    "progress": {"Progress", "silent"},
    "seeds": {"rng_for"},
    "settings": {"RunSettings", "SettingField", "Settings", "fields_of", "setting"},
    "study": {"Answer", "Control", "Description", "Fitted", "Learner", "Rival", "Study", "Virtual"},
    "units": {"checked_unit"},
    "values": {"Case", "Image", "Mask", "Measurement", "Photo", "Spectrum"},
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
