"""The locked model: what it answers, when it cannot tell, and that saving changes no digit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadModelFile, BadSetting
from onclair.explain.contributions import contributions
from onclair.io.models import ModelRecord, load_formula, load_model, save_model
from onclair.learn.estimators import CoxPH, Forest, Logistic
from onclair.learn.locked import REASONS, lock
from onclair.learn.nested import NestedPlan, nested
from onclair.learn.pipeline import Pipeline, Prevalence
from onclair.learn.saved import formula, from_record, to_record
from onclair.learn.selection import Selection

PLAN = NestedPlan(folds=3, inner_folds=3, repeats=1)


@pytest.fixture(scope="module")
def world():
    draw = np.random.default_rng(8)
    names = [f"P{i:03d}" for i in range(60)]
    acquisitions = pd.DataFrame({"patient": names, "centre": "A", "visit": "1", "kind": "pet", "path": names})
    truth = (np.arange(60) % 5 < 2).astype(float)
    x = draw.normal(size=(60, 6))
    x[:, 0] += 2.5 * truth
    index = pd.MultiIndex.from_arrays([names, ["lesion"] * 60], names=["patient", "item"])
    features = pd.DataFrame(np.exp(x), index=index, columns=[f"f{j}" for j in range(6)])
    return Cohort(acquisitions, pd.DataFrame({"patient": names, "y": truth})), features, pd.Series(truth, index=index, name="y")


def locked_with(world, estimator, **options):
    learners = (Pipeline("only", estimator, Selection(k=3), **options),)
    return lock(*world, learners, nested(*world, learners, PLAN))


@pytest.fixture(scope="module")
def locked(world):
    return locked_with(world, Logistic(), transform="signed_log")


def test_it_says_likely_and_unlikely_at_the_ends(world, locked):
    rows = world[1]
    order = np.argsort(locked.risk(rows))
    answers = [locked.answer(rows.iloc[[i]]) for i in order]
    values = [a.value for a in answers if a.value != "cannot_tell"]
    assert values == ["unlikely"] * values.count("unlikely") + ["likely"] * values.count("likely")
    assert {"likely", "unlikely"} == set(values)


def test_an_answer_carries_its_interval(world, locked):
    answer = locked.answer(world[1].iloc[[0]])
    assert answer.low < answer.probability < answer.high


def test_a_novel_case_cannot_be_told_and_the_feature_is_named(world, locked):
    far = world[1].iloc[[0]].assign(f5=1e9)
    assert locked.judge(far).code == "novel"
    answer = locked.answer(far)
    assert (answer.value, answer.probability) == ("cannot_tell", None)
    assert "f5 lies farthest out" in answer.reason


def test_a_missing_feature_cannot_be_told_in_either_language(world, locked):
    column = locked.pipeline.columns[0]
    empty = world[1].iloc[[0]].assign(**{column: np.nan})
    assert locked.judge(empty).code == "missing"
    assert f"{column} is missing" in locked.answer(empty).reason
    assert f"{column} manque" in locked.answer(empty, "fr").reason


@pytest.mark.parametrize(("threshold", "code"), [(None, "too_few"), (0.999, "both"), (0.0, "neither")])
def test_a_set_that_is_no_single_class_cannot_be_told(world, locked, threshold, code):
    other = replace(locked, conformal=replace(locked.conformal, threshold=threshold))
    row = world[1].iloc[[int(np.argsort(locked.risk(world[1]))[30])]]
    assert other.judge(row).code == code
    assert other.answer(row).reason == REASONS[code].en
    assert other.answer(row).probability is not None


def test_an_absent_column_is_an_error_not_an_answer(world, locked):
    column = locked.pipeline.columns[0]
    with pytest.raises(BadCase, match=f"'{column}' is absent"):
        locked.answer(world[1].iloc[[0]].drop(columns=column))


def test_columns_that_the_model_does_not_see_may_be_absent(world, locked):
    row = world[1].iloc[[0]]
    assert locked.risk(row[list(locked.pipeline.columns)]) == locked.risk(row)


def test_two_rows_at_once_are_refused(world, locked):
    with pytest.raises(BadCase, match="one row at a time; found 2"):
        locked.answer(world[1].iloc[:2])


def test_only_pipelines_can_be_locked(world):
    learners = (Prevalence(),)
    found = nested(*world, learners, PLAN)
    with pytest.raises(BadSetting, match="'prevalence' is not a Pipeline"):
        lock(*world, learners, found)


def test_it_says_how_it_came_to_be(locked):
    assert {k: locked.about[k] for k in ("outcome", "learner", "patients", "events", "votes")} == {
        "outcome": "y",
        "learner": "only",
        "patients": 60,
        "events": 24,
        "votes": {"only": 3},
    }


@pytest.mark.parametrize("estimator", [Logistic(), Logistic(2.0, "l1"), Forest(trees=12)], ids=["logistic", "lasso", "forest"])
@pytest.mark.parametrize("transform", ["standardise", "signed_log"])
def test_a_saved_model_predicts_the_same_to_the_last_bit(world, tmp_path, estimator, transform):
    model = locked_with(world, estimator, transform=transform)
    again = from_record(load_model(save_model(tmp_path / "model", to_record(model))))
    assert (again.risk(world[1]) == model.risk(world[1])).all()
    assert [again.judge(world[1].iloc[[i]]) for i in range(0, 60, 7)] == [model.judge(world[1].iloc[[i]]) for i in range(0, 60, 7)]
    assert dict(again.about) == dict(model.about)


def test_a_saved_cox_model_predicts_the_same_to_the_last_bit(world, locked, tmp_path):
    _, rows, truth = world
    signed = np.where(truth == 1, 1.0, -1.0) * np.random.default_rng(1).exponential(10, 60)
    cox = Pipeline("cox", CoxPH(horizon=12.0), Selection(k=2)).fit(rows, signed, np.random.default_rng(0))
    model = replace(locked, pipeline=cox)
    again = from_record(load_model(save_model(tmp_path / "model", to_record(model))))
    assert (again.risk(rows) == model.risk(rows)).all()
    assert again.pipeline.estimator.horizon == 12.0


def test_the_formula_on_disk_gives_the_risk_by_hand(world):
    model = locked_with(world, Logistic())
    document = to_record(model).document
    eta = document["intercept"] + sum(t["coefficient"] * world[1][t["input"]] for t in document["terms"])
    assert 1 / (1 + np.exp(-eta.to_numpy())) == pytest.approx(model.pipeline.risk(world[1]), abs=1e-12)


def test_a_forest_has_no_formula(world):
    fitted = Pipeline("f", Forest(trees=3)).fit(world[1], world[2].to_numpy(), np.random.default_rng(0))
    with pytest.raises(BadSetting, match="has no formula"):
        formula(fitted)


def test_a_record_that_lost_an_array_is_refused(locked):
    record = to_record(locked)
    arrays = {name: array for name, array in record.arrays.items() if name != "coefficients"}
    with pytest.raises(BadModelFile, match="coefficients"):
        from_record(ModelRecord(record.document, arrays))


def test_a_forest_without_its_trees_is_refused(world):
    record = to_record(locked_with(world, Forest(trees=4)))
    with pytest.raises(BadModelFile, match="file of trees is absent"):
        from_record(ModelRecord(record.document, record.arrays))


def test_contributions_of_a_linear_model_add_up_on_the_logit_scale(world, locked):
    row, pipeline = world[1].iloc[[3]], locked.pipeline
    found = contributions(pipeline.linear_predictor, row, pipeline.reference)
    middle = pd.DataFrame([pipeline.reference])
    distance = pipeline.linear_predictor(row)[0] - pipeline.linear_predictor(middle)[0]
    assert sum(c["contribution"] for c in found) == pytest.approx(float(distance))


def test_contributions_of_a_plain_linear_model_are_coefficient_times_distance(world):
    pipeline = locked_with(world, Logistic()).pipeline
    row = world[1].iloc[[3]]
    own = {t["input"]: t["coefficient"] for t in formula(pipeline)["terms"]}
    for found in contributions(pipeline.linear_predictor, row, pipeline.reference):
        assert found["contribution"] == pytest.approx(own[found["feature"]] * (found["value"] - found["reference"]))


def test_a_typed_formula_is_no_locked_model(tmp_path):
    path = tmp_path / "formula.json"
    path.write_text('{"format": "onclair-model/1", "name": "m", "family": "logistic", "outcome": "y", "intercept": 0.5}')
    with pytest.raises(BadModelFile, match="lacks or mangles"):
        from_record(load_formula(path))
