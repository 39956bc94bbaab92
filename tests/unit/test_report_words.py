"""Numbers and labels as each language writes them."""

from __future__ import annotations

import string

import pytest

from onclair.core.estimate import Estimate, not_available
from onclair.report.phrases import LABELS
from onclair.report.reading import label, read_name
from onclair.report.words import figure_text, number, typeset

THIN = "\u202f"


def test_french_numbers_have_a_comma_and_a_thin_space_between_thousands() -> None:
    assert number(12345.678, "fr") == f"12{THIN}345,68"


def test_a_small_number_never_reads_as_zero() -> None:
    assert number(0.0004, "en") == "0.0004"
    assert number(3e-9, "en") == "3.0e-09"


def test_nothing_known_is_a_dash_and_not_a_zero() -> None:
    assert number(None, "fr") == "–"
    assert number(float("nan"), "fr") == "–"


def test_french_sets_a_thin_space_before_high_punctuation_and_inside_guillemets() -> None:
    assert typeset("Vrai ? « oui » ; 95 % : non !", "fr") == f"Vrai{THIN}? «{THIN}oui{THIN}»{THIN}; 95{THIN}%{THIN}: non{THIN}!"


def test_setting_a_text_twice_changes_nothing() -> None:
    once = typeset("« a » : b ?", "fr")
    assert typeset(once, "fr") == once


@pytest.mark.parametrize("key", sorted(LABELS))
def test_both_languages_of_a_phrase_have_the_same_gaps(key: str) -> None:
    gaps = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (LABELS[key].en, LABELS[key].fr)]
    if key == "reaches":
        assert gaps[0] == gaps[1] == {"figure", "value"}
    assert gaps[0] == gaps[1]


def test_too_few_is_said_in_words_with_the_count() -> None:
    few = not_available("auc:model", "19 events", status="too_few", events=19)
    assert figure_text(few, "fr") == f"19 événements{THIN}: trop peu pour conclure"


def test_an_interval_in_french_is_written_with_commas() -> None:
    assert figure_text(Estimate("auc:model", 0.81, low=0.69, high=0.93), "fr") == "0,81 (0,69 à 0,93)"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("auc:model", ("", "auc", "", "model", "")),
        ("auc:model-minus-suv_max", ("", "auc", "", "model-minus-suv_max", "")),
        ("auc:model:leave-one-centre-out", ("", "auc", "", "model", "leave-one-centre-out")),
        ("froc:sens@1:model", ("froc", "sens", "1", "model", "")),
        ("nb:all@0.2", ("", "nb", "0.2", "all", "")),
        ("o_e@60:rival:km:centre:A", ("", "o_e", "60", "rival:km", "centre:A")),
        ("coverage:conformal", ("", "coverage", "", "conformal", "")),
        ("brier", ("", "brier", "", "", "")),
    ],
)
def test_a_name_is_read_in_its_parts(name: str, parts: tuple[str, ...]) -> None:
    found = read_name(name)
    assert (found.group, found.figure, found.at, found.who, found.where) == parts


def test_a_rival_is_called_by_the_studys_own_words() -> None:
    facts = {"rivals": [{"name": "volume", "words": {"en": "the lesion's volume", "fr": "le volume de la lésion"}}]}
    assert label("auc:model-minus-volume", facts, "fr") == "AUC · modèle moins le volume de la lésion"
