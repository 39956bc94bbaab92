"""Kendall's tau over pairs of a kind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.core.fragments import each_once, in_french
from onclair.validate.lesion_ratios import Drawing
from onclair.validate.ranking import NO_PAIR, kendall

QUICK = Drawing(replicates=100)


def tau(measure: list[float], truth: list[float], kinds: str | None = None) -> Estimate:
    n = len(measure)
    return kendall("tau", measure, truth, list(kinds or "a" * n), [f"p{i}" for i in range(n)], QUICK)


def test_without_ties_it_is_kendalls_tau() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=20)
    y = x + rng.normal(size=20)
    assert tau(x.tolist(), y.tolist()).value == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)


def test_pairs_of_two_kinds_and_ties_of_the_truth_are_not_compared() -> None:
    assert tau([1, 2, 30, 20], [1, 2, 3, 4], "vvff").value == 0.0
    assert tau([1, 9, 5], [1, 1, 2]).value == 0.0


def test_a_tie_of_the_measure_counts_half() -> None:
    assert tau([1, 1, 2], [1, 2, 3]).value == pytest.approx(2 / 3)


def test_rows_of_which_either_is_missing_are_left_out() -> None:
    found = tau([1, np.nan, 3, 4], [1, 2, np.nan, 4])
    assert (found.value, found.n) == (1.0, 2)


def test_nothing_to_compare_is_no_figure_but_a_reason() -> None:
    for found in (tau([1, 2], [1, 2], "vf"), tau([1, 2], [3, 3]), tau([], []), tau([np.nan], [1.0])):
        assert (found.value, found.reason) == (None, NO_PAIR)


def test_one_patient_drawn_twice_is_not_compared_with_itself() -> None:
    found = tau([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2, 1, 4, 3, 6, 5, 8, 7, 10, 9])
    assert found.value == pytest.approx((40 - 5) / 45)
    assert found.low < found.value < found.high <= 1


def test_unequal_lengths_are_refused_with_what_was_found() -> None:
    with pytest.raises(BadInput, match="The measure has 2 rows, the truth 3"):
        kendall("tau", [1, 2], [1, 2, 3], ["a"] * 2, ["p", "q"])


def test_methods_and_reasons_have_french_words() -> None:
    found = (tau(list(range(12)), [*range(1, 12), 0]), tau([1], [1]), tau([1, 2], [1, 2]))
    assert [text for text in each_once(t for e in found for t in (e.method, e.reason or "")) if in_french(text) is None] == []
