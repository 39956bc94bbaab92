"""The glossary is whole in both languages and gives one name to one thing."""

from __future__ import annotations

from collections import Counter

import pytest

from onclair.core.errors import BadInput
from onclair.core.glossary import TERMS, term
from onclair.core.units import UNITS

NAMED_BY_THE_DESIGN = (
    "study",
    "exam",
    "cohort",
    "patient",
    "visit",
    "acquisition",
    "outline",
    "description",
    "rival",
    "control",
    "evidence",
    "estimate",
    "interval",
    "calibration_slope",
    "o_e",
    "brier",
    "decision_curve",
    "net_benefit",
    "auc",
    "suv",
    "bin_width",
    "glcm",
    "glrlm",
    "ivh",
    "sphericity",
    "cannot_tell",
    "virtual",
    "leave_one_centre_out",
    "finding",
)


def test_every_term_is_complete_in_both_languages() -> None:
    gaps = [t.id for t in TERMS if not all((t.en.strip(), t.fr.strip(), t.definition_en.strip(), t.definition_fr.strip()))]
    assert gaps == []


def test_every_definition_is_one_line_that_ends() -> None:
    assert [t.id for t in TERMS for text in (t.definition_en, t.definition_fr) if "\n" in text or not text.endswith(".")] == []


@pytest.mark.parametrize("field", ["id", "en", "fr", "definition_en", "definition_fr"])
def test_no_two_terms_share(field: str) -> None:
    counted = Counter(getattr(t, field).casefold() for t in TERMS)
    assert [value for value, n in counted.items() if n > 1] == []


def test_the_words_of_the_design_are_all_there() -> None:
    assert set(NAMED_BY_THE_DESIGN) - {t.id for t in TERMS} == set()


def test_units_are_those_of_the_house() -> None:
    assert [t.id for t in TERMS if t.unit and t.unit not in UNITS] == []


@pytest.mark.parametrize("name", ["net_benefit", "Net benefit", "bénéfice net"])
def test_a_term_is_found_by_id_and_by_word_in_either_language(name: str) -> None:
    assert term(name).id == "net_benefit"


def test_an_unknown_term_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'sphericity'"):
        term("spherisity")
