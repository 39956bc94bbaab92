"""Support vectors and boosted trees kept as plain arrays: the same answers as the library that fitted them."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.svm import SVC

from onclair.core.errors import BadCohort, BadModelFile, BadSetting
from onclair.learn.estimators import estimator
from onclair.learn.estimators_boosting import BoostedModel, Boosting
from onclair.learn.estimators_checks import seed_of
from onclair.learn.estimators_svm import Svm


def rng():
    return np.random.default_rng(5)


def rows(n=120, p=5, seed=0):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, p))
    return x, (x[:, 0] ** 2 + 0.5 * draw.normal(size=n) > 0.7).astype(float)


def test_the_machines_decision_equals_that_of_its_library():
    x, y = rows()
    new = rows(seed=1)[0]
    theirs = SVC(C=2.0, gamma="scale", tol=1e-6).fit(x, y).decision_function(new)
    assert Svm(cost=2.0).fit(x, y, rng()).decision(new) == pytest.approx(theirs, abs=1e-9)


def test_a_machines_score_has_the_decision_as_its_logit():
    x, y = rows()
    model = Svm().fit(x, y, rng())
    risk = model.risk(x)
    assert np.log(risk / (1 - risk)) == pytest.approx(model.decision(x), abs=1e-9)
    assert ((risk > 0) & (risk < 1)).all()


def test_boosted_arrays_answer_as_the_trees_of_their_library():
    x, y = rows()
    new = rows(seed=1)[0]
    model = Boosting(trees=30, depth=3).fit(x, y, rng())
    settings = {"n_estimators": 30, "max_depth": 3, "learning_rate": 0.05, "min_samples_leaf": 5, "subsample": 0.7}
    theirs = GradientBoostingClassifier(**settings, random_state=seed_of(rng())).fit(x, y)
    assert model.logit(new) == pytest.approx(theirs.decision_function(new), abs=1e-9)


def test_a_value_at_a_threshold_goes_left_in_single_precision_as_in_training():
    edge = np.float32(0.1)
    tree = BoostedModel(*[np.array([a]) for a in ([0, 0, 0], [float(edge), 0, 0], [1, 1, 2], [2, 1, 2], [0.0, -1, 1])], 0.0, 1, 1)
    assert tree.logit(np.array([[0.1], [np.nextafter(edge, np.float32(1))]])).tolist() == [-1.0, 1.0]


def test_both_find_what_no_line_can():
    x, y = rows(n=400)
    new, truth = rows(n=400, seed=2)
    for found in (Svm().fit(x, y, rng()), Boosting().fit(x, y, rng())):
        assert np.mean((found.risk(new) > 0.5) == truth) > 0.75


@pytest.mark.parametrize("name", ["svm", "boosting"])
def test_equal_random_numbers_give_equal_models(name):
    x, y = rows()
    first, again = (estimator(name).fit(x, y, rng()).risk(x) for _ in range(2))
    assert (first == again).all()


@pytest.mark.parametrize("name", ["svm", "boosting"])
def test_one_class_is_refused_in_words(name):
    with pytest.raises(BadCohort, match="needs both classes; found 0 events in 4 training rows"):
        estimator(name).fit(np.zeros((4, 1)), np.zeros(4), rng())


@pytest.mark.parametrize(
    ("name", "option", "sentence"),
    [
        ("svm", {"cost": 0.0}, "'cost' of an estimator is 0; it must be positive"),
        ("svm", {"gamma": -1.0}, "'gamma' of an estimator is -1"),
        ("boosting", {"trees": 0}, "'trees' of an estimator is 0"),
        ("boosting", {"share": 1.5}, "'share' of boosting is 1.5; it must be at most 1"),
    ],
)
def test_settings_out_of_range_are_named(name, option, sentence):
    with pytest.raises(BadSetting, match=sentence):
        estimator(name, **option)


def test_trees_that_lead_nowhere_are_refused():
    with pytest.raises(BadModelFile, match="lead to nodes or columns that there are not"):
        BoostedModel(*[np.array([a]) for a in ([0, 0, 0], [0.5, 0, 0], [1, 1, 2], [7, 1, 2], [0.0, -1, 1])], 0.0, 1, 1)
    with pytest.raises(BadModelFile, match="lead to nodes or columns that there are not"):
        BoostedModel(*[np.array([a]) for a in ([3, 0, 0], [0.5, 0, 0], [1, 1, 2], [2, 1, 2], [0.0, -1, 1])], 0.0, 1, 1)
