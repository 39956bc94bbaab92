"""Coverage where rows repeat, the test in a centre where they do, and an area outside its own interval."""

import numpy as np
import pytest
from scipy import stats

from onclair.learn.conformal import aurc, coverage, coverage_law, exchangeable_by_centre


def test_repeated_rows_are_tested_with_the_spread_of_the_law_too():
    shares = np.array([0.5, 1.0] * 6)
    covered = np.column_stack([shares == 1.0, np.ones(12, bool)]).ravel()
    law = coverage_law(19, 0.1)
    spread = np.sqrt(shares.var(ddof=1) / 12 + law.sd**2)
    found = exchangeable_by_centre(covered, np.repeat(range(12), 2), ["A"] * 24, law)[0]
    assert found.p == pytest.approx(stats.norm.cdf((0.75 - law.mean) / spread), rel=1e-12)
    assert law.sd > 0.05


@pytest.mark.parametrize("rows", [2, 3, 6, 7, 49])
@pytest.mark.parametrize("held", [True, False])
def test_patients_who_are_all_covered_alike_have_the_interval_of_as_many_patients(rows, held):
    said = coverage([held] * 24 * rows, np.repeat(np.arange(24), rows))
    once = coverage([held] * 24, np.arange(24))
    assert (said.value, said.low, said.high, said.se) == (once.value, once.low, once.high, once.se)
    assert said.high - said.low == pytest.approx(1.959964**2 / (24 + 1.959964**2), rel=1e-6)
    tested = exchangeable_by_centre([held] * 24 * rows, np.repeat(np.arange(24), rows), ["A"] * 24 * rows, coverage_law(99, 0.1))[0]
    assert tested.coverage.value == once.value


def test_patients_with_equal_shares_have_an_interval_of_some_width():
    found = coverage([True, True, False] * 20, np.repeat(np.arange(20), 3))
    assert found.value == pytest.approx(2 / 3)
    assert found.high - found.low > 0.3


def test_an_area_outside_its_interval_is_said_and_the_interval_not_stretched():
    found = aurc([3, 2, 1, 0], [0, 1, 0, 0], list("abcd"), replicates=4, seed=1)
    assert not found.low <= found.value <= found.high
    assert "does not hold the figure" in found.reason
