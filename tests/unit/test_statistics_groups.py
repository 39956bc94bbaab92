"""Tests of columns against groups, beside SciPy's one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from onclair.core.errors import BadInput
from onclair.science.statistics.groups import brown_forsythe, contingency, correlation_ratio, cramers_v, kruskal_wallis


@pytest.fixture(scope="module")
def table():
    """Return values with ties and gaps, and three uneven groups."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(70, 6)).round(1)
    values[rng.random(values.shape) < 0.1] = np.nan
    return values, rng.choice(["a", "b", "c"], 70, p=[0.5, 0.3, 0.2])


@pytest.mark.parametrize(("ours", "theirs"), [(kruskal_wallis, stats.kruskal), (brown_forsythe, stats.levene)])
def test_each_column_has_the_p_value_that_scipy_gives_it(ours, theirs, table):
    values, groups = table
    columns = [[c[(groups == g) & np.isfinite(c)] for g in "abc"] for c in values.T]
    np.testing.assert_allclose(ours(values, groups), [theirs(*parts).pvalue for parts in columns], rtol=1e-10)


def test_cramers_v_is_scipys(table):
    _, groups = table
    other = np.random.default_rng(1).integers(0, 2, 70)
    assert cramers_v(groups, other) == pytest.approx(stats.contingency.association(contingency(groups, other).astype(int)))


def test_eta_of_zero_and_one_is_cramers_v(table):
    _, groups = table
    event = np.random.default_rng(2).integers(0, 2, 70)
    assert correlation_ratio(groups, event) == pytest.approx(cramers_v(groups, event))


def test_what_does_not_vary_has_no_figure():
    assert np.isnan(cramers_v(["x", "x"], [0, 1]))
    assert np.isnan(correlation_ratio(["x", "y"], [1.0, 1.0]))
    assert np.isnan(kruskal_wallis([[1.0], [1.0]], ["x", "y"])).all()
    assert np.isnan(brown_forsythe([[1.0], [1.0], [2.0]], ["x", "x", "x"])).all()


def test_rows_with_a_missing_label_are_left_out():
    assert cramers_v(["x", "x", "y", "y", None], [0, 0, 1, 1, 0]) == pytest.approx(1.0)


def test_lengths_that_differ_are_refused():
    for wrong in (
        lambda: cramers_v(["x"], [0, 1]),
        lambda: kruskal_wallis([[1.0]], ["x", "y"]),
        lambda: correlation_ratio(["x"], [1.0, 2.0]),
    ):
        with pytest.raises(BadInput):
            wrong()
