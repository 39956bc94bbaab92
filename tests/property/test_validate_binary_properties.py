"""What must hold of the binary figures on any rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.science.statistics.quantiles import counted_quantiles
from onclair.science.statistics.ranks import sorted_scores, weighted_auc, weighted_average_precision
from onclair.science.statistics.roc import average_precision, partial_area
from onclair.validate.discrimination import auc_difference
from onclair.validate.operating_points import operating_points

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(-5, 5), st.integers(0, 3)), min_size=2, max_size=25).filter(
    lambda r: len({y for y, _, w in r if w}) == 2
)
columns = rows.map(lambda r: tuple(np.array(part) for part in zip(*r, strict=True)))


@given(columns)
@settings(max_examples=100, deadline=None)
def test_weights_are_repetitions(drawn):
    truth, score, counts = drawn
    ready = sorted_scores(truth, score)
    whole, once = (np.repeat(truth, counts), np.repeat(score, counts)), np.ones(counts.sum())
    for figure in (weighted_auc, weighted_average_precision):
        assert figure(ready, counts) == pytest.approx(figure(sorted_scores(*whole), once), abs=1e-12)


@given(columns, st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_a_counted_quantile_is_that_of_the_repeated_rows(drawn, share):
    _, score, counts = drawn
    order = np.argsort(score)
    found = counted_quantiles(score[order], counts[order], [share])[0]
    assert found == pytest.approx(np.quantile(np.repeat(score, counts), share), abs=1e-9)


@given(columns, st.floats(0, 0.9), st.floats(0.05, 1))
@settings(max_examples=150, deadline=None)
def test_a_partial_area_lies_within_its_range_and_its_contributions_sum_to_nothing(drawn, low, width):
    truth, score, counts = drawn
    truth, score = np.repeat(truth, counts), np.repeat(score, counts)
    high = min(low + width, 1.0)
    value, contributions = partial_area(truth, score, (low, high))
    assert -1e-12 <= value <= high - low + 1e-12
    assert contributions[truth == 1].sum() == pytest.approx(0, abs=1e-12)
    assert contributions[truth == 0].sum() == pytest.approx(0, abs=1e-12)


@given(columns)
@settings(max_examples=100, deadline=None)
def test_ranking_figures_are_the_same_for_any_rising_transform(drawn):
    truth, score, counts = drawn
    truth, score = np.repeat(truth, counts), np.repeat(score, counts)
    bent = np.exp(score / 3.0) - 7
    assert average_precision(truth, bent)[0] == pytest.approx(average_precision(truth, score)[0], abs=1e-12)
    assert partial_area(truth, bent, (0.1, 0.6))[0] == pytest.approx(partial_area(truth, score, (0.1, 0.6))[0], abs=1e-12)
    assert auc_difference("auc:a-minus-b", truth, bent, score).value == 0


@given(columns)
@settings(max_examples=100, deadline=None)
def test_contributions_to_average_precision_sum_to_nothing(drawn):
    truth, score, counts = drawn
    value, contributions = average_precision(np.repeat(truth, counts), np.repeat(score, counts))
    assert contributions.sum() == pytest.approx(0, abs=1e-12)
    assert 0 < value <= 1


@pytest.mark.parametrize("prevalence", [0.05, 0.3, 0.8])
def test_the_average_precision_of_random_scores_is_about_the_prevalence(prevalence):
    rng = np.random.default_rng(0)
    truth = np.arange(4000) < 4000 * prevalence
    found = np.mean([average_precision(truth, rng.normal(size=4000))[0] for _ in range(20)])
    assert found == pytest.approx(prevalence, abs=0.012)


@given(columns)
@settings(max_examples=100, deadline=None)
def test_ratios_are_those_of_the_shares(drawn):
    truth, score, counts = drawn
    found = {e.name: e.value for e in operating_points("m", np.repeat(truth, counts), (np.repeat(score, counts) + 5) / 10, [0.5])}
    sens, spec = found["sens:m@0.5"], found["spec:m@0.5"]
    if spec < 1:
        assert found["lr_pos:m@0.5"] == pytest.approx(sens / (1 - spec))
    if spec > 0:
        assert found["lr_neg:m@0.5"] == pytest.approx((1 - sens) / spec, abs=1e-12)
