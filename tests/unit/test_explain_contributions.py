"""Contributions of features to one prediction."""

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadCase
from onclair.explain.contributions import contributions

CASE = pd.DataFrame({"a": [2.0], "b": [1.0], "c": [5.0], "d": [0.0], "e": [3.0], "unused": [9.0]})
REFERENCE = pd.Series({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 1.0})


def weighted(table):
    return table[["a", "b", "c", "d", "e"]].to_numpy() @ np.array([1.0, 7.0, -1.0, 0.5, 0.1])


def test_the_largest_come_first_whatever_their_sign():
    assert [c["feature"] for c in contributions(weighted, CASE, REFERENCE)] == ["c", "a", "d", "e"]


def test_a_feature_at_its_reference_moves_nothing_and_is_left_out():
    assert "b" not in [c["feature"] for c in contributions(weighted, CASE, REFERENCE, most=9)]


def test_at_most_so_many_are_returned():
    assert len(contributions(weighted, CASE, REFERENCE, most=2)) == 2


def test_equal_contributions_are_ordered_by_name():
    case = pd.DataFrame({"z": [2.0], "y": [2.0]})
    found = contributions(lambda t: t["z"].to_numpy() + t["y"].to_numpy(), case, pd.Series({"z": 0.0, "y": 0.0}))
    assert [c["feature"] for c in found] == ["y", "z"]


def test_a_missing_value_contributes_nothing():
    found = contributions(lambda t: weighted(t.fillna(4.0)), CASE.assign(a=np.nan), REFERENCE)
    assert "a" not in [c["feature"] for c in found]


def test_the_case_is_not_changed():
    before = CASE.copy()
    contributions(weighted, CASE, REFERENCE)
    pd.testing.assert_frame_equal(CASE, before)


def test_an_absent_feature_is_named():
    with pytest.raises(BadCase, match="'d' is absent"):
        contributions(weighted, CASE.drop(columns="d"), REFERENCE)


def test_one_row_at_a_time():
    with pytest.raises(BadCase, match="found 2 rows"):
        contributions(weighted, pd.concat([CASE, CASE]), REFERENCE)


def test_a_group_is_moved_as_one_and_others_stand_for_themselves():
    found = {c["feature"]: c for c in contributions(weighted, CASE, REFERENCE, most=9, groups={"both": ("a", "c"), "none": ("unseen",)})}
    assert set(found) == {"both", "d", "e"}
    assert found["both"]["contribution"] == pytest.approx(1.0 - 4.0)
    assert (found["both"]["value"], found["both"]["reference"]) == (3.5, 1.0)
