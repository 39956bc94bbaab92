"""A table is taken as its plan says, or the first bad cell is named with its column and line."""

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadInput
from onclair.validate.checked import checked
from onclair.validate.plan import read_plan

BINARY = {"outcome": "binary", "columns": {"patient": "id", "truth": "y"}, "models": {"m": {"column": "p"}}}
SURVIVAL = {
    "outcome": "survival",
    "columns": {"patient": "id", "time": "t", "event": "e"},
    "models": {"m": {"column": "p"}},
    "figures": {"horizon": 2.0},
}


def table(**columns):
    base = {"id": ["a", "b", "c", "d"], "y": [0, 1, 0, 1], "p": [0.1, 0.7, 0.3, 0.6], "t": [1.0, 2.0, 3.0, 4.0], "e": [1, 0, 1, 0]}
    return pd.DataFrame({**base, **columns})


def refused(frame, document, **flags):
    with pytest.raises(BadInput) as error:
        checked(frame, read_plan(document), **flags)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_risk_in_percent_is_named_with_a_hint():
    said = refused(table(p=[10.0, 70.0, 0.3, 60.0]), BINARY)
    assert "3 of 4 risks in 'p'" in said
    assert "10 in line 2" in said
    assert "percent" in said


def test_a_linear_predictor_is_named_with_a_hint():
    assert 'kind = "score"' in refused(table(p=[-1.2, 0.7, 0.3, 0.6]), BINARY)


def test_missing_predictions_are_listed_by_line():
    said = refused(table(p=[0.1, np.nan, 0.3, np.nan]), BINARY)
    assert "2 of 4 rows have no value in 'p' (line 3, 5)" in said
    assert "--drop-missing" in said


def test_an_infinite_prediction_is_missing():
    assert "line 3" in refused(table(p=[0.1, np.inf, 0.3, 0.6]), BINARY)


def test_missing_rows_are_dropped_and_counted_when_asked():
    found = checked(table(p=[0.1, np.nan, 0.3, 0.6], y=[0, 1, None, 1]), read_plan(BINARY), drop_missing=True)
    assert (found.size, found.excluded) == (2, 2)
    assert found.warnings[0]["code"] == "excluded"


def test_a_table_of_nothing_but_gaps_is_refused_even_then():
    assert "nothing is left" in refused(table(p=[np.nan] * 4), BINARY, drop_missing=True)


def test_a_missing_patient_is_refused():
    assert "'id'" in refused(table(id=["a", None, "c", "d"]), BINARY)


def test_a_truth_in_words_is_refused_until_the_plan_says_which_is_the_event():
    assert "positive" in refused(table(y=["yes", "no", "no", "yes"]), BINARY)


def test_a_third_value_in_the_truth_is_named_with_its_line():
    said = refused(table(y=[0, 1, 2, 1]), BINARY)
    assert "'2' in line 4" in said
    assert "positive" not in said


@pytest.mark.parametrize("truth", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_one_class_is_refused(truth):
    assert "one class" in refused(table(y=truth), BINARY)


def test_a_constant_prediction_is_refused():
    assert "constant" in refused(table(p=[0.4] * 4), BINARY)


def test_a_subgroup_of_numbers_that_were_not_cut_into_classes_is_refused():
    frame = pd.DataFrame({"id": range(60), "y": [0, 1] * 30, "p": np.linspace(0.1, 0.9, 60), "age": np.arange(60) / 7})
    assert "60 values" in refused(frame, {**BINARY, "columns": {"patient": "id", "truth": "y", "subgroups": ["age"]}})


def test_one_stray_risk_is_not_taken_for_percent():
    assert "percent" not in refused(table(p=[1.2, 0.7, 0.3, 0.6]), BINARY)


def test_the_positive_value_says_which_is_the_event():
    plan = read_plan({**BINARY, "columns": {"patient": "id", "truth": "y", "positive": "Poor"}})
    assert checked(table(y=["Good", "Poor", "Good", "Poor"]), plan).truth.tolist() == [0, 1, 0, 1]


def test_a_positive_value_may_be_a_number_or_a_truth_value():
    for positive, truth in ((2, [1, 2, 1, 2]), (True, [False, True, False, True])):
        plan = read_plan({**BINARY, "columns": {"patient": "id", "truth": "y", "positive": positive}})
        assert checked(table(y=truth), plan).truth.tolist() == [0, 1, 0, 1]


def test_a_positive_value_that_is_not_there_is_refused_with_the_nearest():
    document = {**BINARY, "columns": {"patient": "id", "truth": "y", "positive": "poor"}}
    assert "'Poor'" in refused(table(y=["Good", "Poor", "Good", "Poor"]), document)


def test_a_third_value_beside_the_positive_one_is_refused():
    document = {**BINARY, "columns": {"patient": "id", "truth": "y", "positive": "Poor"}}
    assert "'Fair'" in refused(table(y=["Good", "Poor", "Fair", "Poor"]), document)


def test_text_among_numbers_is_named():
    said = refused(table(p=["0.1", "low", "0.3", "0.6"]), BINARY)
    assert "'low' in line 3" in said


@pytest.mark.parametrize("time", [0.0, -1.0])
def test_a_time_that_is_not_positive_is_refused(time):
    assert "line 2" in refused(table(t=[time, 2.0, 3.0, 4.0]), SURVIVAL)


def test_a_third_event_in_a_survival_outcome_is_refused_with_a_hint():
    assert 'outcome = "competing"' in refused(table(e=[1, 0, 2, 0]), SURVIVAL)


def test_a_broken_event_is_refused():
    assert "0.5" in refused(table(e=[0.5, 0, 1, 0]), {**SURVIVAL, "outcome": "competing"})


def test_a_horizon_beyond_follow_up_is_refused_with_the_largest_usable_time():
    said = refused(table(), {**SURVIVAL, "figures": {"horizon": 9.0}})
    assert "4" in said
    assert "the largest usable time is 3, and every time below 4 will do" in said


def test_a_horizon_beyond_follow_up_is_refused_though_the_weights_are_taken_earlier():
    assert "horizon 9" in refused(table(), {**SURVIVAL, "figures": {"horizon": 9.0, "weights_at": 2.0}})


def test_a_patient_in_two_centres_is_refused():
    document = {**BINARY, "columns": {"patient": "id", "truth": "y", "centre": "c"}}
    said = refused(table(id=["a", "a", "c", "d"], y=[0, 0, 0, 1], c=["x", "y", "x", "y"]), document)
    assert "'a'" in said
    assert "2 centres" in said


def test_an_outcome_that_varies_within_a_patient_is_refused_unless_it_belongs_to_lesions():
    frame = table(id=["a", "a", "c", "d"], lesion=["1", "2", "1", "1"])
    assert "lesion" in refused(frame, BINARY)
    by_lesion = {**BINARY, "columns": {"patient": "id", "truth": "y", "lesion": "lesion"}}
    assert checked(frame, read_plan(by_lesion)).size == 4


def test_an_outcome_that_varies_within_a_lesion_is_refused():
    document = {**BINARY, "columns": {"patient": "id", "truth": "y", "lesion": "lesion"}}
    assert "one outcome" in refused(table(id=["a", "a", "c", "d"], lesion=["1", "1", "1", "1"]), document)


def test_a_row_without_centre_or_group_stays_in_the_whole():
    document = {**BINARY, "columns": {"patient": "id", "truth": "y", "centre": "c", "subgroups": ["sex"]}}
    found = checked(table(c=["x", None, "y", "y"], sex=["F", "M", None, "F"]), read_plan(document))
    assert found.centres.tolist() == ["x", "", "y", "y"]
    assert found.groups["sex"].tolist() == ["F", "M", "unknown", "F"]
    assert [w["code"] for w in found.warnings] == ["centre_unknown"]


def test_whole_numbers_name_centres_without_a_point():
    document = {**BINARY, "columns": {"patient": "id", "truth": "y", "centre": "c"}}
    assert checked(table(c=[1.0, 2.0, np.nan, 2.0]), read_plan(document)).centres.tolist() == ["1", "2", "", "2"]


def test_a_plan_without_patients_says_what_that_means():
    document = {**BINARY, "columns": {"truth": "y"}}
    found = checked(table(), read_plan(document))
    assert found.patients is None
    assert found.counts == (4, 2)
    assert found.warnings[0]["code"] == "no_patient_column"
