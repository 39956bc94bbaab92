"""Generalised linear models."""

import numpy as np
import pytest
from scipy import optimize
from sklearn.linear_model import LogisticRegression

from onclair.core.errors import BadInput
from onclair.science.statistics.glm import cloglog, logistic, poisson, ridge_logistic, with_intercept


def cohort(seed=0, n=300):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 3))
    return features, (rng.uniform(size=n) < 1 / (1 + np.exp(-(features @ [1.0, -0.5, 0.0] - 0.3)))).astype(float)


def test_a_two_by_two_table_gives_the_log_odds_ratio_and_its_textbook_variance():
    exposed = np.repeat([1.0, 1.0, 0.0, 0.0], [30, 10, 20, 40])
    event = np.repeat([1.0, 0.0, 1.0, 0.0], [30, 10, 20, 40])
    fit = logistic(with_intercept(exposed), event)
    assert fit.coefficients[1] == pytest.approx(np.log(30 * 40 / (10 * 20)), abs=1e-10)
    assert fit.covariance[1, 1] == pytest.approx(1 / 30 + 1 / 10 + 1 / 20 + 1 / 40, abs=1e-9)


def test_the_score_is_zero_at_the_estimate():
    features, event = cohort()
    fit = logistic(with_intercept(features), event)
    risk = 1 / (1 + np.exp(-with_intercept(features) @ fit.coefficients))
    assert np.abs(with_intercept(features).T @ (event - risk)).max() < 1e-9


def test_ridge_logistic_agrees_with_scikit_learn():
    features, event = cohort(1)
    peer = LogisticRegression(C=1 / 7.0, tol=1e-12, max_iter=10_000).fit(features, event)
    fit = ridge_logistic(features, event, 7.0)
    np.testing.assert_allclose(fit.coefficients, np.append(peer.intercept_, peer.coef_[0]), atol=1e-5)


def test_ridge_logistic_fits_more_features_than_rows():
    features, event = np.random.default_rng(5).normal(size=(20, 40)), np.tile([0, 1], 10)
    fit = ridge_logistic(features, event, 1.0)
    risk = 1 / (1 + np.exp(-with_intercept(features) @ fit.coefficients))
    assert fit.ok
    np.testing.assert_allclose(features.T @ (event - risk), fit.coefficients[1:], atol=1e-8)


def test_integer_weights_equal_repeated_rows():
    features, event = cohort(2, 100)
    weights = np.random.default_rng(1).integers(0, 3, 100)
    rows = np.repeat(np.arange(100), weights)
    weighted = logistic(with_intercept(features), event, weights=weights)
    repeated = logistic(with_intercept(features[rows]), event[rows])
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, atol=1e-9)


def test_the_clustered_sandwich_of_doubled_rows_is_that_of_the_single_rows():
    features, event = cohort(3, 120)
    single = logistic(with_intercept(features), event)
    doubled = logistic(with_intercept(np.repeat(features, 2, axis=0)), np.repeat(event, 2), clusters=np.repeat(np.arange(120), 2))
    np.testing.assert_allclose(doubled.sandwich, single.sandwich, rtol=1e-9)
    np.testing.assert_allclose(doubled.covariance, single.covariance / 2, rtol=1e-9)


def test_the_clustered_sandwich_is_the_sum_over_clusters_written_out():
    features, event = cohort(4, 60)
    clusters = np.arange(60) // 4
    x = with_intercept(features)
    fit = logistic(x, event, clusters=clusters)
    risk = 1 / (1 + np.exp(-x @ fit.coefficients))
    scores = [x[clusters == g].T @ (event - risk)[clusters == g] for g in range(15)]
    bread = np.linalg.inv(x.T @ np.diag(risk * (1 - risk)) @ x)
    np.testing.assert_allclose(fit.sandwich, 15 / 14 * bread @ sum(np.outer(s, s) for s in scores) @ bread, rtol=1e-9)


@pytest.mark.parametrize("overlap", [0.0, 1e-9])
def test_complete_separation_is_an_answer(overlap):
    fit = logistic(with_intercept([-2.0, -1.0 - overlap, 1.0, 2.0]), [0, 0, 1, 1])
    assert fit.status == "not_available"
    assert "separates the two classes" in fit.reason


def test_quasi_complete_separation_is_an_answer():
    fit = logistic(with_intercept([0.0, 0.0, 0.0, 1.0, 1.0]), [0, 1, 0, 1, 1])
    assert "separates the two classes" in fit.reason
    assert np.isnan(fit.coefficients).all()


def test_a_ridge_makes_separated_classes_estimable():
    assert ridge_logistic([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1], 0.5).ok


def test_one_class_is_an_answer():
    assert logistic([[1.0], [1.0]], [1, 1]).reason == "only one class is present"


def test_a_constant_predictor_is_an_answer():
    assert "constant" in logistic(with_intercept([3.0, 3.0, 3.0]), [0, 1, 1]).reason


def test_poisson_finds_the_minimum_of_its_loss():
    features, _ = cohort(6, 80)
    counts = np.random.default_rng(6).poisson(np.exp(0.4 * features[:, 0]))
    x = with_intercept(features)
    peer = optimize.minimize(lambda b: np.sum(np.exp(x @ b) - counts * (x @ b)), np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(poisson(x, counts).coefficients, peer.x, atol=1e-6)


def test_cloglog_solves_its_estimating_equations_with_a_response_outside_zero_and_one():
    features, _ = cohort(7, 80)
    x = with_intercept(features[:, :1])
    response = 1 - np.exp(-np.exp(-0.5 + 0.8 * features[:, 0])) + np.random.default_rng(7).normal(0, 0.3, 80)
    b = cloglog(x, response).coefficients
    eta = x @ b
    assert np.abs(x.T @ ((response - (1 - np.exp(-np.exp(eta)))) * np.exp(eta - np.exp(eta)))).max() < 1e-8


def test_a_missing_value_in_the_design_is_refused():
    with pytest.raises(BadInput, match="1 values that are NaN"):
        logistic([[np.nan], [1.0]], [0, 1])


def test_a_truth_of_two_is_refused():
    with pytest.raises(BadInput, match="holds 2 in 1 rows"):
        logistic([[1.0], [1.0]], [0, 2])


def test_arguments_are_left_as_they_were():
    features, event = cohort(8, 40)
    before = features.copy()
    ridge_logistic(features, event, 1.0)
    np.testing.assert_array_equal(features, before)
