"""The candidates side by side, and how they are saved once one is locked."""

import builtins

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadModelFile, BadSetting
from onclair.io.models import ModelRecord, load_model, save_model
from onclair.learn.candidates import candidates
from onclair.learn.estimators import Logistic
from onclair.learn.estimators_boosting import Boosting
from onclair.learn.estimators_svm import Svm
from onclair.learn.locked import lock
from onclair.learn.nested import NestedPlan, nested
from onclair.learn.nets1d import SpectralNetwork
from onclair.learn.nets1d_settings import Resnet1d, Transformer
from onclair.learn.pipeline import Pipeline
from onclair.learn.saved import from_record, to_record
from onclair.learn.saved_estimators import parts_of
from onclair.learn.selection import EVERYTHING
from onclair.learn.training_settings import Training
from spectral_rows import spectral_rows

QUICK = Training(steps=3, batch=16)
LEARNERS = {
    "logistic": Pipeline("logistic", Logistic(), EVERYTHING, without=("spectrum:*",)),
    "svm": Pipeline("svm", Svm(), EVERYTHING, without=("spectrum:*",)),
    "boosting": Pipeline("boosting", Boosting(trees=12), EVERYTHING, without=("spectrum:*",)),
    "resnet1d": Pipeline("resnet1d", SpectralNetwork(Resnet1d((4,), 3, 2), QUICK), EVERYTHING, columns=("spectrum:*",)),
    "transformer": Pipeline("transformer", SpectralNetwork(Transformer(8, 2, 1, 8), QUICK), EVERYTHING, columns=("spectrum:*",)),
}
PLAN = NestedPlan(folds=3, inner_folds=2, repeats=2, seed=4, compared=1)


@pytest.fixture(scope="module")
def world():
    return spectral_rows(24, 2, signal=2.0)


@pytest.fixture(scope="module")
def found(world):
    return nested(*world, [LEARNERS["logistic"], LEARNERS["boosting"]], PLAN)


def locked_with(world, name):
    plan = NestedPlan(folds=2, inner_folds=2, repeats=1)
    return lock(*world, [LEARNERS[name]], nested(*world, [LEARNERS[name]], plan))


def test_every_candidate_is_told_by_inner_and_outer_figure_and_votes(world, found):
    told = candidates(["logistic", "boosting"], found, world[2])
    assert [entry["name"] for entry in told] == ["logistic", "boosting"]
    assert sum(entry["chosen_folds"] for entry in told) == 6
    assert all(0.5 < entry["inner_auc"] <= 1 and 0.5 < entry["outer_auc"] <= 1 for entry in told)


def test_the_scores_of_the_chosen_candidate_are_those_of_the_model(found):
    for fold, name in enumerate(found.chosen[0]):
        judged = found.fold_of[0] == fold
        at = ["logistic", "boosting"].index(name)
        assert (found.compared[0, at, judged] == found.scores[0, judged]).all()


def test_only_the_repeats_asked_for_are_compared(found):
    assert np.isfinite(found.compared[0]).all()
    assert np.isnan(found.compared[1]).all()


def test_comparing_changes_neither_choice_nor_risk(world, found):
    alone = nested(*world, [LEARNERS["logistic"], LEARNERS["boosting"]], NestedPlan(3, 2, 2, 4))
    assert (alone.risks == found.risks).all()
    assert alone.chosen == found.chosen
    assert candidates(["logistic", "boosting"], alone, world[2])[0]["outer_auc"] is None


def test_the_clock_is_told_for_each_candidate_and_kept_out_of_the_entries(world, found):
    assert len(found.seconds) == 2
    assert all(seconds > 0 for seconds in found.seconds)
    assert set(candidates(["logistic", "boosting"], found, world[2])[0]) == {"name", "inner_auc", "outer_auc", "chosen_folds"}


def test_networks_are_chosen_among_others_whatever_the_order_of_the_work(world):
    def backwards(function, tasks):
        return [function(task) for task in reversed(list(tasks))]

    learners, plan = [LEARNERS["logistic"], LEARNERS["transformer"]], NestedPlan(2, 2, 1, 4, compared=1)
    first, other = (nested(*world, learners, plan, map=way) for way in (builtins.map, backwards))
    assert (first.risks == other.risks).all()
    assert (first.compared == other.compared).all()


@pytest.mark.parametrize("name", list(LEARNERS))
def test_a_saved_model_of_any_family_predicts_the_same_to_the_last_bit(world, tmp_path, name):
    model = locked_with(world, name)
    folder = save_model(tmp_path / "model", to_record(model))
    again = from_record(load_model(folder))
    assert (again.risk(world[1]) == model.risk(world[1])).all()
    assert again.judge(world[1].iloc[[5]]) == model.judge(world[1].iloc[[5]])
    second = save_model(tmp_path / "again", to_record(again))
    assert all((second / path.name).read_bytes() == path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(("name", "family"), [("svm", "svm"), ("boosting", "boosting"), ("resnet1d", "network")])
def test_the_document_tells_family_and_inputs(world, name, family):
    record = to_record(locked_with(world, name))
    assert record.document["family"] == family
    assert [item["name"] for item in record.document["inputs"]] == list(locked_with(world, name).pipeline.columns)


def test_a_networks_document_tells_its_shape_and_its_weights(world):
    record = to_record(locked_with(world, "resnet1d"))
    told = record.document["extra"]["network"]
    assert told["architecture"] == {"kind": "resnet1d", "widths": [4], "kernel": 3, "segments": 2, "dropout": 0.5}
    assert {entry["name"] for entry in told["weights"]} == set(record.weights)


@pytest.mark.parametrize(("name", "file"), [("svm", "arrays.npz"), ("boosting", "arrays.npz"), ("resnet1d", "weights.safetensors")])
def test_a_flipped_bit_is_refused(world, tmp_path, name, file):
    folder = save_model(tmp_path / "model", to_record(locked_with(world, name)))
    data = bytearray((folder / file).read_bytes())
    data[-3] ^= 1
    (folder / file).write_bytes(bytes(data))
    with pytest.raises(BadModelFile, match=f"{file} of the model model was changed"):
        load_model(folder)


@pytest.mark.parametrize(("name", "lost"), [("svm", "svm.support"), ("boosting", "trees.left")])
def test_a_record_that_lost_an_array_is_refused(world, name, lost):
    record = to_record(locked_with(world, name))
    arrays = {key: array for key, array in record.arrays.items() if key != lost}
    with pytest.raises(BadModelFile, match=lost):
        from_record(ModelRecord(record.document, arrays))


def test_support_vectors_of_other_columns_are_refused(world):
    record = to_record(locked_with(world, "svm"))
    arrays = {**record.arrays, "svm.support": record.arrays["svm.support"][:, :1]}
    with pytest.raises(BadModelFile, match="arrays are of shape"):
        from_record(ModelRecord(record.document, arrays))


def test_a_network_without_its_weights_is_refused(world):
    record = to_record(locked_with(world, "transformer"))
    with pytest.raises(BadModelFile, match="do not fit its network"):
        from_record(ModelRecord(record.document, record.arrays))


def test_an_estimator_without_a_file_format_is_refused():
    class Foreign:
        def risk(self, x):
            return x

    with pytest.raises(BadSetting, match="holds a Foreign, for which there is no file format"):
        parts_of(Foreign(), "m")


def test_a_family_that_is_none_is_refused(world):
    record = to_record(locked_with(world, "svm"))
    with pytest.raises(BadModelFile, match="of family 'spline'; a locked model is one of logistic, cox, forest, svm"):
        from_record(ModelRecord({**record.document, "family": "spline"}, record.arrays))


def test_candidates_that_no_fold_could_rank_have_no_figure(world, found):
    blind = pd.Series(np.zeros(len(world[1])), index=world[1].index)
    assert candidates(["logistic", "boosting"], found, blind)[0]["outer_auc"] is None
