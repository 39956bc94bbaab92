"""Rank correlation with its interval."""

import numpy as np
import pytest
from scipy import stats

from onclair.core.errors import BadInput
from onclair.science.statistics.correlation import spearman


def cloud(seed=0, n=120):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, np.round(x + rng.normal(size=n), 1)


def test_the_value_agrees_with_scipy_under_ties():
    x, y = cloud()
    assert spearman(x, y).value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_the_interval_is_bonett_and_wrights():
    x, y = cloud(1, 43)
    found = spearman(x, y)
    half = 1.959963984540054 * np.sqrt((1 + found.value**2 / 2) / 40)
    assert (found.low, found.high) == pytest.approx((np.tanh(np.arctanh(found.value) - half), np.tanh(np.arctanh(found.value) + half)))


def test_the_partial_correlation_is_the_textbook_formula_on_ranks():
    x, y = cloud(2)
    z = x + np.random.default_rng(3).normal(size=x.size)
    xy, xz, yz = (stats.spearmanr(a, b).statistic for a, b in ((x, y), (x, z), (y, z)))
    assert spearman(x, y, given=z).value == pytest.approx((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)), abs=1e-10)


def test_a_column_given_itself_has_nothing_left():
    x, y = cloud(4)
    assert np.isnan(spearman(x, y, given=x).value)


def test_a_constant_has_no_correlation():
    assert np.isnan(spearman([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]).value)


def test_repeating_every_row_leaves_the_clustered_error_nearly_as_it_was():
    x, y = cloud(5, 150)
    once, ten_times = spearman(x, y), spearman(np.repeat(x, 10), np.repeat(y, 10), clusters=np.repeat(np.arange(150), 10))
    assert ten_times.se_z == pytest.approx(once.se_z, rel=0.25)
    assert spearman(np.repeat(x, 10), np.repeat(y, 10)).se_z < 0.4 * once.se_z


@pytest.mark.parametrize("way", [1.0, -1.0])
@pytest.mark.parametrize("clusters", [None, np.arange(30) // 3])
def test_a_whole_agreement_or_opposition_has_no_interval(way, clusters):
    found = spearman(np.arange(30.0), way * np.arange(30.0), clusters=clusters)
    assert found.value == way
    assert np.isnan([found.low, found.high, found.se_z]).all()


def test_a_correlation_of_few_patients_reaches_as_far_as_t_says():
    rng = np.random.default_rng(2)
    x = rng.normal(size=15)
    found = spearman(x, x + rng.normal(size=15), clusters=np.arange(15) // 3)
    assert np.arctanh(found.high) - np.arctanh(found.value) == pytest.approx(2.7764451 * found.se_z)  # t(4)


def test_lengths_that_differ_are_refused():
    with pytest.raises(BadInput, match="one value of each a row"):
        spearman([1.0, 2.0], [1.0])
