"""A clinical table as a cohort holds it: levels in the header, gaps with a reason, and every fault in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from onclair.core.errors import BadCase, BadCohort
from onclair.io.layouts.tables import EMPTY, ClinicalTable, column_of, features_of, read_clinical_table, refuse_outcomes


def table(place: Path, *lines: str) -> ClinicalTable:
    path = place / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_clinical_table(path)


def test_a_text_column_becomes_one_feature_a_level_but_the_first(tmp_path: Path) -> None:
    read = table(tmp_path, "patient,stage=I|II|III,age", "P1,I,50", "P2,III,60.5")
    assert features_of(read, "P1")[0] == {"stage=II": 0.0, "stage=III": 0.0, "age": 50.0}
    assert features_of(read, "P2")[0] == {"stage=II": 0.0, "stage=III": 1.0, "age": 60.5}


def test_a_hospital_that_lacks_a_level_has_the_same_features(tmp_path: Path) -> None:
    assert list(features_of(table(tmp_path, "patient,stage=I|II|III", "P1,II"), "P1")[0]) == ["stage=II", "stage=III"]


def test_a_coded_level_is_known_however_a_spreadsheet_spells_the_number(tmp_path: Path) -> None:
    read = table(tmp_path, "patient,cp=1|2|3", "P1,2.0", "P2,3", "P3,1")
    assert [tuple(features_of(read, p)[0].values()) for p in ("P1", "P2", "P3")] == [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]


def test_an_empty_cell_is_missing_with_a_reason_in_all_its_features(tmp_path: Path) -> None:
    read = table(tmp_path, "patient,stage=I|II|III,age", "P1,,NA", "P2,NA,3")
    assert features_of(read, "P2")[1] == {"stage=II": EMPTY, "stage=III": EMPTY}
    values, reasons = features_of(read, "P1")
    assert all(value != value for value in values.values())
    assert reasons == {"stage=II": EMPTY, "stage=III": EMPTY, "age": EMPTY}


def test_a_header_without_alternatives_is_the_name_of_a_number() -> None:
    assert column_of("race=white").features == ("race=white",)
    assert column_of("ajcc_pathologic_n_N0 (i-)").levels == ()


def test_identifiers_and_a_benchmark_s_split_are_never_features(tmp_path: Path) -> None:
    read = table(tmp_path, "patient,centre,visit,split,age", "P1,A,t0,train,50")
    assert features_of(read, "P1")[0] == {"age": 50.0}


def test_another_level_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadCase, match=r"'stage' of P1 in table.csv holds 'IV', which is none of its levels \(I, II\)"):
        features_of(table(tmp_path, "patient,stage=I|II", "P1,IV"), "P1")


def test_a_word_among_numbers_is_refused_with_the_header_to_write(tmp_path: Path) -> None:
    with pytest.raises(BadCase, match=r"holds the word 'high'; .* crp=high\|low\.$"):
        features_of(table(tmp_path, "patient,crp", "P1,high", "P2,low"), "P1")


def test_a_patient_without_a_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCase, match=r"Patient P9 has no row in table.csv"):
        features_of(table(tmp_path, "patient,age", "P1,50"), "P9")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("code,age", "P1,50"), "has no column 'patient'"),
        (("patient,age", "P1,50", "P1,51"), "Patient P1 has several rows"),
        (("patient,centre", "P1,A"), "has no column but patient, centre"),
        (("patient,s=a|b,s=b", "P1,a,1"), "give the feature 's=b'"),
        (("patient,s=a|a", "P1,a"), "names a level twice"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_as_a_whole(tmp_path: Path, lines: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(BadCohort, match=sentence):
        table(tmp_path, *lines)


def test_the_outcome_among_the_features_is_refused(tmp_path: Path) -> None:
    read = table(tmp_path, "patient,age,death", "P1,50,1")
    with pytest.raises(BadCohort, match="holds the outcome 'death' among its features"):
        refuse_outcomes(read, {"death", "follow_up_day"})


def test_a_table_that_was_edited_is_read_anew(tmp_path: Path) -> None:
    assert features_of(table(tmp_path, "patient,age", "P1,50"), "P1")[0]["age"] == 50
    assert features_of(table(tmp_path, "patient,age", "P1,51"), "P1")[0]["age"] == 51
