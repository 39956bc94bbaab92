"""Estimators, selection and pipelines: what they learn, and what they refuse."""

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadCase, BadCohort, BadSetting
from onclair.learn.estimators import ESTIMATORS, CoxPH, Forest, Logistic, estimator
from onclair.learn.pipeline import Pipeline, Prevalence
from onclair.learn.selection import EVERYTHING, Selection, relevance, select
from onclair.science.statistics.glm import ridge_logistic


def rng():
    return np.random.default_rng(5)


def table(n=60, p=6, seed=0):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, p))
    truth = (x[:, 0] + 0.5 * draw.normal(size=n) > 0).astype(float)
    return pd.DataFrame(x, columns=[f"f{j}" for j in range(p)]), truth


def test_l2_logistic_equals_newtons_ridge():
    features, truth = table()
    model = Logistic(penalty=2.0).fit(features.to_numpy(), truth, rng())
    exact = ridge_logistic(features.to_numpy(), truth, 2.0).coefficients
    assert np.append(model.intercept, model.coefficients) == pytest.approx(exact, abs=1e-6)


def test_lasso_sets_noise_to_zero_and_keeps_the_signal():
    features, truth = table()
    model = Logistic(8.0, "l1").fit(features.to_numpy(), truth, rng())
    assert model.coefficients[0] > 0
    assert (model.coefficients[1:] == 0).sum() >= 4


def test_cox_gives_the_risk_by_the_horizon_from_signed_times():
    features, _ = table(n=400, p=1)
    draw = np.random.default_rng(1)
    time = draw.exponential(np.exp(-features["f0"].to_numpy()))
    model = CoxPH(penalty=1e-6, horizon=0.5).fit(features.to_numpy(), np.where(time < 3, time, -3.0), rng())
    assert model.coefficients[0] == pytest.approx(1.0, abs=0.15)
    assert model.risk(np.array([[0.0]]))[0] == pytest.approx(1 - np.exp(-0.5), abs=0.05)


def test_cox_says_when_no_event_falls_before_its_horizon():
    with pytest.raises(BadCohort, match=r"by the horizon 0\.5"):
        CoxPH(horizon=0.5).fit(np.zeros((3, 1)), np.array([1.0, 2.0, -3.0]), rng())


def test_a_forest_never_scores_zero_or_one():
    features, truth = table()
    risk = Forest(trees=25).fit(features.to_numpy(), truth, rng()).risk(features.to_numpy())
    assert risk.min() >= 0.5 / 26
    assert risk.max() <= 25.5 / 26


def test_a_forest_is_decided_by_its_random_numbers_alone():
    features, truth = table()
    first, again = (Forest(trees=10).fit(features.to_numpy(), truth, rng()).risk(features.to_numpy()) for _ in range(2))
    assert (first == again).all()


@pytest.mark.parametrize("name", ["logistic", "lasso", "elasticnet", "forest"])
def test_one_class_is_refused_in_words(name):
    with pytest.raises(BadCohort, match="needs both classes; found 0 events in 4 training rows"):
        ESTIMATORS[name].fit(np.zeros((4, 1)), np.zeros(4), rng())


def test_an_unknown_estimator_is_met_with_the_nearest():
    with pytest.raises(BadSetting, match="did you mean 'forest'"):
        estimator("forrest")


def test_an_unknown_option_is_met_with_the_nearest():
    with pytest.raises(BadSetting, match="did you mean 'trees'"):
        estimator("forest", tree=5)


def test_a_penalty_must_be_positive():
    with pytest.raises(BadSetting, match="'penalty' of an estimator is 0"):
        estimator("lasso", penalty=0)


def test_relevance_of_a_survival_outcome_finds_the_column_that_drives_it():
    draw = np.random.default_rng(2)
    x = draw.normal(size=(200, 5))
    time = draw.exponential(np.exp(-x[:, 3]))
    assert int(np.argmax(relevance(x, np.where(time < 2, time, -2.0)))) == 3


def test_ties_of_relevance_are_settled_by_name_not_by_place():
    x = np.array([[0.0, 3.0, 1.0], [1.0, 1.0, 3.0], [2.0, 2.0, 0.0], [3.0, 0.0, 2.0]])
    truth = np.array([0.0, 0.0, 1.0, 1.0])
    names = ["z", "y", "x"]
    order = [2, 1, 0]
    kept = {names[j] for j in select(x, truth, names, Selection(k=2, correlation=1.0))}
    moved = {names[order[j]] for j in select(x[:, order], truth, [names[j] for j in order], Selection(k=2, correlation=1.0))}
    assert kept == moved


def test_the_pipeline_drops_constant_and_mostly_missing_columns():
    features, truth = table()
    features["constant"] = 7.0
    features["sparse"] = np.where(np.arange(60) % 3 == 0, np.nan, np.arange(60.0))
    fitted = Pipeline("p", Logistic(), EVERYTHING).fit(features, truth, rng())
    assert fitted.columns == tuple(f"f{j}" for j in range(6))


def test_a_missing_value_is_filled_with_the_training_median():
    features, truth = table()
    fitted = Pipeline("p", Logistic(), EVERYTHING).fit(features, truth, rng())
    row = features.iloc[[0]].copy()
    at_median, empty = row.assign(f0=features["f0"].median()), row.assign(f0=np.nan)
    assert fitted.risk(empty)[0] == fitted.risk(at_median)[0]


def test_the_signed_log_makes_a_monotone_heavy_tail_harmless():
    features, truth = table(p=1)
    heavy = np.sinh(6 * features)
    plain, tamed = (Pipeline("p", Logistic(), EVERYTHING, t).fit(heavy, truth, rng()).risk(heavy) for t in ("standardise", "signed_log"))
    assert np.mean((tamed - truth) ** 2) < np.mean((plain - truth) ** 2)


def test_the_linear_predictor_is_the_logit_of_the_risk():
    features, truth = table()
    fitted = Pipeline("p", Logistic(), Selection(k=2)).fit(features, truth, rng())
    assert 1 / (1 + np.exp(-fitted.linear_predictor(features))) == pytest.approx(fitted.risk(features))


def test_a_forest_has_neither_coefficients_nor_linear_predictor():
    features, truth = table()
    fitted = Pipeline("p", Forest(trees=5)).fit(features, truth, rng())
    assert fitted.coefficients is None
    with pytest.raises(BadSetting, match="is not linear"):
        fitted.linear_predictor(features)


def test_a_column_absent_at_prediction_is_named():
    features, truth = table()
    fitted = Pipeline("p", Logistic(), EVERYTHING).fit(features, truth, rng())
    with pytest.raises(BadCase, match="'f3' is absent"):
        fitted.risk(features.drop(columns="f3"))


def test_text_among_the_features_is_named():
    features, truth = table()
    with pytest.raises(BadCase, match="'site' holds text"):
        Pipeline("p", Logistic()).fit(features.assign(site="left"), truth, rng())


def test_an_infinite_feature_is_named_with_its_row():
    features, truth = table()
    features.loc[4, "f1"] = np.inf
    with pytest.raises(BadCase, match="'f1' is infinite in row 4"):
        Pipeline("p", Logistic()).fit(features, truth, rng())


def test_a_table_without_a_usable_column_is_refused():
    with pytest.raises(BadCohort, match="None of the 1 features can be used"):
        Pipeline("p", Logistic()).fit(pd.DataFrame({"a": [1.0, 1.0]}), np.array([0.0, 1.0]), rng())


def test_a_pipeline_looks_at_its_own_columns_only():
    features, truth = table()
    fitted = Pipeline("volume only", Logistic(), EVERYTHING, columns=("f2",)).fit(features, truth, rng())
    assert fitted.columns == ("f2",)


def test_the_prevalence_ignores_the_features():
    features, truth = table()
    assert Prevalence().fit(features, truth, rng()).risk(features.iloc[:3]) == pytest.approx([truth.mean()] * 3)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Selection("best"), "selection 'best'"),
        (lambda: Selection(k=0), "k = 0"),
        (lambda: Pipeline("p", Logistic(), transform="log"), "transform = 'log'"),
        (lambda: Logistic(kind="l3"), "'l3'"),
    ],
)
def test_an_impossible_setting_is_quoted(make, word):
    with pytest.raises(BadSetting, match=word):
        make()
