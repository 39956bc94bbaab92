"""Candidates are connected parts near bone; their scores are calibrated, plain numbers that tell lesions from what looks like them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadModelFile, BadSetting
from onclair.learn.instance_scores import FEATURES, ScoreModel, fit_scores
from onclair.learn.instances import candidates, overlaps, table_of

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
SHAPE = (40, 40, 20)


def ball(centre: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    place = np.moveaxis(np.indices(SHAPE), 0, -1) * [1.0, 1.0, 2.0]
    return np.asarray(((place - centre) ** 2).sum(axis=-1) < radius_mm**2)


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return probability, bone and HU: a lytic lesion of 0.9, a dense island of 0.6, a speck, and a find far from bone."""
    probability, hu = np.zeros(SHAPE), np.full(SHAPE, 250.0)
    bone = np.zeros(SHAPE, dtype=bool)
    bone[:28] = True
    for centre, radius, chance, density in (((10, 10, 20), 6, 0.9, 40.0), ((20, 28, 16), 4, 0.6, 1200.0), ((35.5, 10, 10), 3, 0.8, 40.0)):
        inside = ball(centre, radius)
        probability[inside], hu[inside] = chance, density
    probability[3, 35, 3] = 0.99
    return probability, bone, hu


def test_specks_and_finds_far_from_bone_are_no_candidates() -> None:
    probability, bone, _ = scene()
    instances, scores = candidates(probability, bone, AFFINE, threshold=0.5)
    assert instances.max() == len(scores) == 2
    assert candidates(probability, None, AFFINE, threshold=0.5)[0].max() == 3


def test_a_candidate_that_touches_bone_only_nearly_stays() -> None:
    probability, bone, _ = scene()
    bone[28:31] = True
    assert candidates(probability, bone, AFFINE, threshold=0.5)[0].max() == 3


def test_the_threshold_is_where_candidates_begin() -> None:
    probability, bone, _ = scene()
    assert candidates(probability, bone, AFFINE, threshold=0.7)[0].max() == 1
    assert candidates(probability, bone, AFFINE, threshold=0.95)[0].max() == 0
    with pytest.raises(BadSetting, match="threshold is 1; it must lie between 0 and 1"):
        candidates(probability, bone, AFFINE, threshold=1.0)


def test_touching_finds_are_one_and_a_plane_between_parts_them() -> None:
    probability = np.zeros(SHAPE)
    probability[10:20, 10:20, 5:10] = 0.8
    assert candidates(probability, None, AFFINE, threshold=0.5)[0].max() == 1
    probability[15] = 0.0
    assert candidates(probability, None, AFFINE, threshold=0.5)[0].max() == 2


def test_features_are_what_they_are_called() -> None:
    probability, bone, hu = scene()
    instances, _ = candidates(probability, bone, AFFINE, threshold=0.5)
    lytic, dense = (dict(zip(FEATURES, row, strict=True)) for row in table_of(probability, bone, AFFINE, instances, hu=hu))
    assert lytic["peak"] == pytest.approx(np.log(9))
    assert np.exp(lytic["diameter"]) == pytest.approx(12, rel=0.05)
    assert abs(lytic["length"]) < 0.15
    assert lytic["in_bone"] == 1.0
    assert (lytic["hu"], lytic["contrast"]) == (pytest.approx(0.4), pytest.approx(-2.1))
    assert dense["contrast"] == pytest.approx(9.5)
    assert dense["edge"] > lytic["edge"] > 0


def test_without_the_scan_its_features_are_unknown_and_count_as_usual_ones() -> None:
    probability, bone, hu = scene()
    instances, _ = candidates(probability, bone, AFFINE, threshold=0.5)
    table = table_of(probability, bone, AFFINE, instances)
    assert np.isnan(table[:, FEATURES.index("hu")]).all()
    usual = table_of(probability, bone, AFFINE, instances, hu=hu).mean(axis=0)
    model = ScoreModel(tuple(usual), (1.0,) * len(FEATURES), (0.0,) * 6 + (1.0,) * 4, 10, 5)
    assert model.apply(table) == pytest.approx([0.5, 0.5])


def test_scores_are_calibrated_and_tell_mimics_by_their_density() -> None:
    rng = np.random.default_rng(3)
    table = rng.normal(0, 1, (4000, len(FEATURES)))
    chance = 1 / (1 + np.exp(-(0.3 + 1.5 * table[:, 0] - 1.0 * table[:, FEATURES.index("hu")])))
    truth = (rng.random(4000) < chance).astype(float)
    model = fit_scores(table[:3000], truth[:3000])
    assert model is not None
    said = model.apply(table[3000:])
    assert np.abs(said - chance[3000:]).mean() < 0.03
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        here = (said >= low) & (said < high)
        assert truth[3000:][here].mean() == pytest.approx(said[here].mean(), abs=0.06)


def test_too_few_of_either_kind_give_no_calibration() -> None:
    assert fit_scores(np.zeros((30, len(FEATURES))), np.r_[np.ones(4), np.zeros(26)]) is None
    with pytest.raises(BadInput, match="3 candidates and 2 truths"):
        fit_scores(np.zeros((3, len(FEATURES))), [0, 1])


def test_scores_come_back_from_plain_json() -> None:
    rng = np.random.default_rng(1)
    model = fit_scores(rng.normal(0, 1, (60, len(FEATURES))), np.repeat([0, 1], 30))
    assert model is not None
    assert ScoreModel.from_record(json.loads(json.dumps(model.as_record()))) == model


@pytest.mark.parametrize("changes", [{"kind": "forest"}, {"features": ["peak"]}, {"means": [0.0]}, {"spreads": [0.0] * 9}, {"n": None}])
def test_a_mangled_calibration_is_refused(changes: dict[str, object]) -> None:
    record = ScoreModel((0.0,) * 9, (1.0,) * 9, (0.0,) * 10, 20, 10).as_record()
    with pytest.raises(BadModelFile, match="calibration of scores"):
        ScoreModel.from_record({**record, **changes})


def test_overlaps_are_intersections_over_unions_of_every_pair() -> None:
    rng = np.random.default_rng(0)
    instances, truth = (rng.integers(0, 4, (6, 7, 8)).astype(np.int32) for _ in range(2))
    truth *= 5
    wanted = [[((instances == a) & (truth == b)).sum() / ((instances == a) | (truth == b)).sum() for b in (5, 10, 15)] for a in (1, 2, 3)]
    assert overlaps(instances, truth) == pytest.approx(np.array(wanted))
    assert overlaps(np.zeros((2, 2, 2), np.int32), truth[:2, :2, :2]).shape[0] == 0


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(BadInput, match=r"bone mask is of shape \(2, 2, 2\)"):
        candidates(np.zeros(SHAPE), np.zeros((2, 2, 2)), AFFINE, threshold=0.5)
