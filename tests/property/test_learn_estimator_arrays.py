"""Whatever the rows: boosted arrays answer as their library does, layouts keep every value, and names do not depend on scale."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingClassifier

from onclair.learn.estimators_boosting import Boosting
from onclair.learn.estimators_checks import seed_of
from onclair.learn.identity import name_patients
from onclair.learn.nets1d_settings import layout_of, spectrum_column

seeds = st.integers(0, 2**20)


@settings(max_examples=15)
@given(seeds, st.integers(1, 4), st.integers(1, 12))
def test_boosted_arrays_equal_their_library(seed, depth, leaf):
    draw = np.random.default_rng(seed)
    x = np.round(draw.normal(size=(40, 3)), 1)
    y = np.r_[0.0, 1.0, draw.integers(0, 2, 38)]
    model = Boosting(8, depth, leaf, 0.1, 1.0).fit(x, y, np.random.default_rng(seed))
    how = {"n_estimators": 8, "max_depth": depth, "min_samples_leaf": leaf, "learning_rate": 0.1}
    theirs = GradientBoostingClassifier(**how, random_state=seed_of(np.random.default_rng(seed))).fit(x, y)
    assert np.allclose(model.logit(x), theirs.decision_function(x), atol=1e-9)


@given(seeds, st.integers(2, 9), st.sampled_from([0.5, 1.0, 2.0, 2.5]))
def test_a_layout_puts_every_value_in_a_place_of_its_own(seed, bins, step):
    draw = np.random.default_rng(seed)
    columns = [spectrum_column(e, 420 + step * b) for e in (385, 405) for b in range(bins)]
    order = draw.permutation(len(columns))
    layout = layout_of([columns[j] for j in order])
    values = np.arange(1.0, len(columns) + 1)
    assert layout.laid(values[order][None]).ravel().tolist() == values.tolist()


@settings(max_examples=20)
@given(seeds, st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_names_depend_on_neither_scale_nor_origin(seed, scale, origin):
    draw = np.random.default_rng(seed)
    who = np.repeat(["A", "B", "C", "D"], 4)
    x = np.repeat(draw.normal(size=(4, 3)), 4, axis=0) + draw.normal(size=(16, 3))
    first, other = name_patients(x, who), name_patients(scale * x + origin, who)
    assert (first.predicted == other.predicted).mean() > 0.9
