"""Batch classifier, tests of features against batch, aliasing, discrimination within batches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadInput
from onclair.validate.batch import Resampling, aliasing_estimate, batch_auc, batch_tests, within_batch_auc
from onclair.validate.discrimination import auc


def by_mean(feature):
    """Return a classifier that scores by the distance to each batch's training mean."""

    def fit(train, codes, held, rng):
        means = np.array([feature[train][codes == c].mean() for c in range(codes.max() + 1)])
        return -np.abs(feature[held][:, None] - means[None, :])

    return fit


def test_a_feature_moved_by_the_batch_tells_it():
    rng = np.random.default_rng(0)
    batch = np.repeat(["x", "y"], 40)
    found = batch_auc("auc:batch:scanner:before", batch, by_mean(rng.normal(size=80) + 3 * (batch == "y")), how=Resampling(5, 2))
    assert found.value > 0.95
    assert found.low > 0.85
    assert "nested cross-validation, 5 folds" in found.method
    assert (found.n, found.events) == (80, 40)


def test_noise_does_not_tell_the_batch():
    feature = np.random.default_rng(1).normal(size=300)
    found = batch_auc("auc:batch:scanner:before", np.repeat(["x", "y"], 150), by_mean(feature), how=Resampling(5, 2))
    assert found.low < 0.5 < found.high


def test_three_batches_are_judged_each_against_the_others():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], 30)
    feature = rng.normal(size=90) + 4 * codes
    found = batch_auc("auc:batch:scanner:before", np.array(["a", "b", "c"])[codes], by_mean(feature), how=Resampling(5, 1))
    assert 0.9 < found.value <= 1
    assert "mean over 3 batches of each against the others" in found.method
    assert found.low < found.value < found.high


def test_no_row_is_scored_by_a_fit_that_saw_it_and_every_row_is_scored():
    seen = []

    def fit(train, codes, held, rng):
        assert not set(train) & set(held)
        assert len(train) + len(held) == 20
        seen.extend(held)
        return np.column_stack([-held, held]).astype(float)

    batch_auc("auc:batch:scanner:before", ["x", "y"] * 10, fit, how=Resampling(5, 1))
    assert sorted(seen) == list(range(20))


def test_rows_without_a_batch_are_left_out():
    batch = ["x", "y", None] * 8
    found = batch_auc("auc:batch:s:before", batch, lambda train, codes, held, rng: np.column_stack([-held, held]).astype(float))
    assert found.n == 16


def test_the_figure_depends_on_the_seed_alone():
    feature = np.random.default_rng(0).normal(size=60)
    batch = np.tile(["x", "y", "z"], 20)
    one, same, other = (batch_auc("auc:batch:s:before", batch, by_mean(feature), how=Resampling(5, 1, s)) for s in (1, 1, 2))
    assert one == same
    assert one.value != other.value


def test_one_batch_or_a_tiny_one_is_an_answer_with_a_reason():
    one = batch_auc("auc:batch:s:before", ["x"] * 9, by_mean(np.zeros(9)))
    few = batch_auc("auc:batch:s:before", ["x"] * 9 + ["y"] * 3, by_mean(np.zeros(12)))
    assert (one.status, one.value) == ("not_available", None)
    assert (few.status, few.reason) == ("too_few", "the batch 'y' has 3 samples; at least 4 of each are needed to judge a classifier of it")


def test_scores_of_another_shape_are_refused():
    with pytest.raises(BadInput, match="shape"):
        batch_auc("auc:batch:s:before", ["x", "y"] * 10, lambda train, codes, held, rng: np.zeros(len(held)))


def test_location_and_spread_are_tested_apart_and_corrected_together():
    rng = np.random.default_rng(0)
    batch = np.repeat(["x", "y"], 100)
    later = (batch == "y").astype(float)
    table = pd.DataFrame(rng.normal(size=(200, 20)), columns=[f"noise{i}" for i in range(20)])
    table["moved"] = rng.normal(size=200) + later
    table["stretched"] = rng.normal(size=200) * (1 + later)
    found = batch_tests("scanner", table, batch)
    assert {"moved", "stretched"} <= set(found.differing())
    assert len(found.differing()) <= 4
    assert found.table.loc["moved", "q_location"] < 0.001 < 0.05 < found.table.loc["moved", "q_spread"]
    assert found.table.loc["stretched", "q_spread"] < 0.001 < 0.05 < found.table.loc["stretched", "q_location"]
    assert (found.table["q_location"] >= found.table["p_location"]).all()


def test_the_share_of_differing_features_is_an_estimate_that_counts_them():
    table = pd.DataFrame({"moved": np.arange(20.0), "same": [1.0, 2.0] * 10, "constant": 1.0})
    found = batch_tests("scanner", table, ["x"] * 10 + ["y"] * 10).estimate("before")
    assert (found.name, found.value) == ("share_differing:batch:scanner:before", 0.5)
    none = batch_tests("scanner", table[["constant"]], ["x"] * 10 + ["y"] * 10).estimate()
    assert none.status == "not_available"


def test_cramers_v_holds_its_truth_and_says_when_there_is_none():
    rng = np.random.default_rng(0)
    outcome = rng.integers(0, 2, 400)
    batch = np.where(rng.random(400) < 0.8, outcome, 1 - outcome)  # V = 2 x 0.8 - 1
    found = aliasing_estimate("cramers_v:batch:centre", batch, outcome)
    assert found.low < 0.6 < found.high
    assert found.high - found.low < 0.25
    assert aliasing_estimate("cramers_v:batch:centre", ["x"] * 5, [0, 1, 0, 1, 0]).status == "not_available"


def test_cramers_v_of_independent_columns_reaches_down_to_zero():
    rng = np.random.default_rng(1)
    found = aliasing_estimate("cramers_v:batch:centre", rng.integers(0, 3, 200), rng.integers(0, 2, 200))
    assert found.low == 0.0
    assert 0 < found.high < 0.35


def test_within_one_batch_it_is_the_plain_area():
    rng = np.random.default_rng(0)
    truth, score = rng.integers(0, 2, 60), rng.normal(size=60)
    plain, within = auc("auc:model", truth, score), within_batch_auc("auc:model:within-batch", truth, score, ["x"] * 60)
    assert within.value == pytest.approx(plain.value)
    assert within.se == pytest.approx(plain.se, rel=0.05)


def test_a_score_that_is_the_batch_knows_nothing_within():
    rng = np.random.default_rng(0)
    batch = rng.integers(0, 2, 400)
    truth = (rng.random(400) < np.where(batch == 1, 0.8, 0.2)).astype(int)
    score = batch + 1e-6 * rng.normal(size=400)
    assert auc("auc:model", truth, score).low > 0.7
    within = within_batch_auc("auc:model:within-batch", truth, score, batch)
    assert within.low < 0.5 < within.high


def test_batches_of_one_class_are_left_out_and_counted():
    found = within_batch_auc("auc:model:within-batch", [0, 1, 0, 1, 1, 1], [1, 2, 2, 1, 3, 4], list("xxyyzz"))
    assert found.value == 0.5
    assert "2 of 3 batches hold both classes" in found.method
    assert within_batch_auc("auc:model:within-batch", [0, 0, 1, 1], [1, 2, 3, 4], list("xxyy")).status == "not_available"


def test_a_row_without_batch_is_refused_within_batches():
    with pytest.raises(BadInput, match="name the batch of each row"):
        within_batch_auc("auc:model:within-batch", [0, 1], [1, 2], ["x", None])
