"""Ranks, AUC and placement values."""

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.science.statistics.ranks import auc, midranks, placements, sorted_scores, weighted_auc


def pairs_won(truth, scores):
    """Share of (positive, negative) pairs in the right order, by comparing all of them."""
    positives, negatives = scores[truth == 1], scores[truth == 0]
    won = np.sign(positives[:, None] - negatives[None, :])
    return (won + 1) / 2


def tied_cohort(seed, n=80):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, n), rng.integers(0, 9, n).astype(float)


def test_ties_share_their_mean_rank():
    assert midranks([3.0, 1.0, 3.0, 3.0]).tolist() == [3.0, 1.0, 3.0, 3.0]


def test_columns_are_ranked_by_themselves():
    assert midranks([[1.0, 9.0], [2.0, 8.0]]).tolist() == [[1.0, 2.0], [2.0, 1.0]]


def test_a_missing_value_has_no_rank():
    with pytest.raises(BadInput, match="1 of 2 values to rank are NaN"):
        midranks([1.0, np.nan])


def test_auc_is_the_share_of_pairs_won_with_ties_as_half():
    truth, scores = tied_cohort(0)
    assert auc(truth, scores) == pytest.approx(pairs_won(truth, scores).mean(), abs=1e-12)


def test_auc_of_each_column_equals_the_auc_of_the_column_alone():
    truth, scores = tied_cohort(1)
    both = auc(truth, np.column_stack([scores, scores**2]))
    assert both.tolist() == [auc(truth, scores), auc(truth, scores**2)]


def test_auc_of_one_class_is_missing():
    assert np.isnan(auc([1, 1], [0.2, 0.3]))


def test_placements_are_the_row_and_column_means_of_the_pairs():
    truth, scores = tied_cohort(2)
    above, below = placements(truth, scores)
    won = pairs_won(truth, scores)
    np.testing.assert_allclose(above, won.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(below, won.mean(axis=0), atol=1e-12)


def test_placements_of_one_class_are_refused():
    with pytest.raises(BadInput, match="need both classes"):
        placements([0, 0], [1.0, 2.0])


def test_a_third_value_in_the_truth_is_named():
    with pytest.raises(BadInput, match="holds 2 in 1 of 3 rows"):
        auc([0, 1, 2], [1.0, 2.0, 3.0])


def test_auc_under_weights_is_the_auc_of_the_rows_repeated():
    truth, scores = tied_cohort(3)
    weights = np.random.default_rng(4).integers(0, 4, truth.size)
    repeated = np.repeat(np.arange(truth.size), weights)
    assert weighted_auc(sorted_scores(truth, scores), weights) == pytest.approx(float(auc(truth[repeated], scores[repeated])), abs=1e-12)


def test_auc_under_weights_is_missing_when_a_class_has_no_weight():
    assert np.isnan(weighted_auc(sorted_scores([0, 1], [1.0, 2.0]), [0, 1]))
