"""Covariances of AUCs on the same cases, against their definitions written out."""

from itertools import permutations, product

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.science.statistics.auc_covariance import COVARIANCES, auc_covariance, jackknife_covariance, unbiased_covariance
from onclair.science.statistics.ranks import auc

TRUTH = np.array([0, 1, 0, 1, 1, 0, 0, 1, 0])
RATINGS = np.array([[1, 2, 3, 5, 4, 2, 3, 3, 1], [2, 4, 1, 3, 5, 4, 1, 2, 2], [3, 3, 3, 3, 3, 3, 3, 3, 3]], dtype=float).T


def test_the_jackknife_leaves_each_case_out():
    left_out = np.array([auc(np.delete(TRUTH, i), np.delete(RATINGS, i, axis=0)) for i in range(TRUTH.size)])
    expected = (TRUTH.size - 1) / TRUTH.size * (left_out - left_out.mean(axis=0)).T @ (left_out - left_out.mean(axis=0))
    assert jackknife_covariance(TRUTH, RATINGS) == pytest.approx(expected, abs=1e-15)


def test_the_unbiased_covariance_is_the_product_less_that_of_pairs_that_share_no_case():
    positives, negatives = np.flatnonzero(TRUTH == 1), np.flatnonzero(TRUTH == 0)

    def compared(i, j):
        return 0.5 + 0.5 * np.sign(RATINGS[i] - RATINGS[j])

    apart = [np.outer(compared(i, k), compared(j, m)) for (i, j), (k, m) in product(permutations(positives, 2), permutations(negatives, 2))]
    value = auc(TRUTH, RATINGS)
    assert unbiased_covariance(TRUTH, RATINGS) == pytest.approx(np.outer(value, value) - np.mean(apart, axis=0), abs=1e-15)


def test_the_unbiased_variance_is_right_on_average_where_delongs_is_too_large():
    rng = np.random.default_rng(5)
    truth = np.repeat([1, 0], [5, 7])
    cohorts = [rng.normal(size=(12, 1)) + truth[:, None] for _ in range(1500)]
    true = np.var([float(auc(truth, x)[0]) for x in cohorts])
    mean = {name: np.mean([auc_covariance(truth, x, name)[0, 0] for x in cohorts]) for name in ("unbiased", "delong")}
    assert mean["unbiased"] == pytest.approx(true, rel=0.06)
    assert mean["delong"] > 1.03 * true


def test_the_blocks_of_the_unbiased_estimator_add_up(monkeypatch):
    whole = unbiased_covariance(TRUTH, RATINGS)
    monkeypatch.setattr("onclair.science.statistics.auc_covariance._BLOCK", 1)
    assert unbiased_covariance(TRUTH, RATINGS) == pytest.approx(whole, abs=1e-15)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_a_constant_column_does_not_vary(covariance):
    found = auc_covariance(TRUTH, RATINGS, covariance)
    assert found[2] == pytest.approx(0, abs=1e-15)
    assert found == pytest.approx(found.T)


def test_an_unknown_covariance_is_refused_with_the_nearest():
    with pytest.raises(BadSetting, match="did you mean 'jackknife'"):
        auc_covariance(TRUTH, RATINGS, "jacknife")


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_one_case_of_a_class_is_refused(covariance):
    with pytest.raises(BadInput, match="two cases of each class; 1 are positive and 3 negative"):
        auc_covariance([1, 0, 0, 0], np.zeros((4, 1)), covariance)


def test_ratings_without_columns_are_refused():
    with pytest.raises(BadInput, match="shape"):
        unbiased_covariance(TRUTH, RATINGS[:, 0])
