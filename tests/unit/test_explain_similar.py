"""Similar cases, how close they are, and when there is none."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import LedoitWolf

from onclair.core.errors import BadCase, BadCohort, BadModelFile, BadSetting
from onclair.explain.alike import alike
from onclair.explain.distances import METRICS, ledoit_wolf_shrinkage, space
from onclair.explain.similar import Reference, reference

RNG = np.random.default_rng(4)
TABLE = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["volume", "uptake", "texture"], index=[f"L{i}" for i in range(60)])
PATIENTS = [f"P{i // 2}" for i in range(60)]
LABELS = ["tumour" if v > 0 else "benign" for v in TABLE["volume"]]


@pytest.mark.parametrize("metric", METRICS)
def test_the_nearest_of_another_patient_comes_first_and_each_patient_once(metric) -> None:
    known = reference(TABLE, patients=PATIENTS, labels=LABELS, metric=metric)
    found = known.similar(TABLE.loc["L10"], k=3, patient="P5")
    away = [s.distance for s in found.cases]
    assert away == sorted(away)
    assert len({s.patient for s in found.cases}) == len(found.cases) == 3
    assert "P5" not in {s.patient for s in found.cases}
    assert found.nearest == away[0]


def test_the_case_itself_is_the_nearest_where_its_patient_is_not_named() -> None:
    found = reference(TABLE, patients=PATIENTS).similar(TABLE.loc["L10"], k=1).cases[0]
    assert (found.item, found.distance, found.percentile) == ("L10", 0.0, 0.0)


def test_shrinkage_is_that_of_ledoit_and_wolf() -> None:
    for n, p in ((60, 3), (12, 30)):
        z = np.random.default_rng(n).normal(size=(n, p)) @ np.random.default_rng(p).normal(size=(p, p))
        z -= z.mean(axis=0)
        assert ledoit_wolf_shrinkage(z) == pytest.approx(LedoitWolf(assume_centered=True).fit(z).shrinkage_, rel=1e-9)


def test_distances_are_those_of_the_shrunk_covariance() -> None:
    x = np.random.default_rng(8).normal(size=(40, 4)) @ np.random.default_rng(9).normal(size=(4, 4))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    inverse = LedoitWolf(assume_centered=True).fit(z).precision_
    placed = space("mahalanobis-shrunk", x).placed(x)
    assert ((placed[0] - placed[1]) ** 2).sum() == pytest.approx((z[0] - z[1]) @ inverse @ (z[0] - z[1]), rel=1e-9)


def test_squared_distances_of_the_cosine_are_one_minus_it() -> None:
    placed = space("cosine", np.eye(2)).placed(np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert ((placed[0] - placed[1]) ** 2).sum() == pytest.approx(1 - np.sqrt(0.5))


def test_a_case_like_none_has_no_similar_case_and_says_so() -> None:
    found = reference(TABLE, patients=PATIENTS).similar({"volume": 40.0, "uptake": -40.0, "texture": 0.0})
    assert found.cases == ()
    assert found.percentile == 100
    assert found.reason == "no similar case: the nearest is farther away than 100 % of known patients are from theirs"


def test_of_new_cases_like_the_known_about_one_in_twenty_has_no_similar_case() -> None:
    rng = np.random.default_rng(11)
    new = [reference(pd.DataFrame(rng.normal(size=(60, 8)), columns=list("abcdefgh"))) for _ in range(6)]
    asked = pd.DataFrame(rng.normal(size=(60, 8)), columns=list("abcdefgh"))
    alone = np.mean([not known.similar(row, k=1).cases for known in new for _, row in asked.iterrows()])
    assert 0.005 < alone < 0.12


def test_the_scale_of_distances_uses_other_patients_alone() -> None:
    twins = pd.concat([TABLE.iloc[::2], TABLE.iloc[::2] + 1e-6])
    owners = PATIENTS[::2] * 2
    known = reference(twins.set_axis([f"L{i}" for i in range(60)]), patients=owners)
    assert known.nearest.size == 30
    assert known.nearest.min() > 0.01


def test_a_column_that_never_varied_does_not_count() -> None:
    flat = TABLE.assign(machine=7.0)
    row = {**TABLE.loc["L3"], "machine": 99.0}
    with_it, without = reference(flat).similar(row, k=4), reference(TABLE).similar(row, k=4)
    assert [s.item for s in with_it.cases] == [s.item for s in without.cases]


def test_the_feature_in_which_two_cases_differ_most_is_named() -> None:
    table = pd.DataFrame({"a": [0.0, 1, 2, 3, 4, 5], "b": [0.0, 0, 0, 1, 1, 1]})
    found = reference(table, metric="euclidean-standardised").similar({"a": 3.4, "b": 1.0}, k=1).cases[0]
    assert (found.item, found.apart) == ("3", "a")


def test_the_likest_of_each_label_are_found() -> None:
    known = reference(TABLE, patients=PATIENTS, labels=LABELS)
    found = known.similar_by_label(TABLE.loc["L10"], k=3, patient="P5")
    assert list(found) == ["benign", "tumour"]
    assert all(s.label == label for label, near in found.items() for s in near.cases)


def test_a_reference_written_and_read_answers_alike() -> None:
    known = reference(TABLE, patients=PATIENTS, labels=LABELS)
    held = io.BytesIO()
    np.savez(held, **known.arrays())
    held.seek(0)
    with np.load(held, allow_pickle=False) as arrays:
        again = Reference.from_record(json.loads(json.dumps(known.document())), dict(arrays))
    row = {"volume": 0.3, "uptake": -0.2, "texture": 1.0}
    assert again.similar(row) == known.similar(row)


def test_a_record_that_lacks_a_part_is_refused() -> None:
    known = reference(TABLE)
    arrays = known.arrays()
    with pytest.raises(BadModelFile, match="lacks 'metric'"):
        Reference.from_record({k: v for k, v in known.document().items() if k != "metric"}, arrays)
    with pytest.raises(BadModelFile, match="do not fit"):
        Reference.from_record(known.document(), {**arrays, "rows": arrays["rows"][:5]})


def test_a_case_without_a_feature_or_with_a_gap_is_refused() -> None:
    known = reference(TABLE)
    with pytest.raises(BadCase, match=r"'texture' is absent.*textur"):
        known.similar({"volume": 1.0, "uptake": 1.0, "textur": 1.0})
    with pytest.raises(BadCase, match="'uptake' of the case to compare is nan"):
        known.similar({"volume": 1.0, "uptake": np.nan, "texture": 1.0})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (TABLE[:4], "need 5 known patients"),
        (TABLE.drop("L7").reindex(TABLE.index), "1 of 60 known cases have gaps, the first L7"),
        (TABLE * 0, "No column of the known cases varies"),
        (TABLE[[]], "0 columns"),
    ],
)
def test_known_cases_that_tell_nothing_are_refused(table, said) -> None:
    with pytest.raises(BadCohort, match=said):
        reference(table)


def test_an_unknown_metric_and_no_neighbours_are_refused() -> None:
    with pytest.raises(BadSetting, match="cosine"):
        reference(TABLE, metric="cosin")
    with pytest.raises(BadSetting, match="0 similar cases"):
        reference(TABLE).similar(TABLE.loc["L1"], k=0)


def test_similar_cases_turn_out_alike_where_the_features_tell_the_label() -> None:
    told, chance, more = alike(reference(TABLE[["volume"]], patients=PATIENTS, labels=LABELS))
    assert told.value > 0.9
    assert 0.4 < chance.value < 0.6
    assert more.low > 0.2


def test_chance_is_any_case_of_another_patient_not_the_nearest() -> None:
    both = pd.DataFrame({"volume": [float(i % 2) for i in range(24)]})
    told, chance, _ = alike(reference(both, patients=[i // 2 for i in range(24)], labels=["benign", "tumour"] * 12))
    assert (told.value, chance.value) == (1.0, 0.5)


def test_similar_cases_tell_nothing_of_labels_that_were_shuffled() -> None:
    shuffled = np.random.default_rng(1).permutation(LABELS)
    more = alike(reference(TABLE, labels=shuffled))[2]
    assert more.low < 0 < more.high


def test_one_label_or_few_patients_have_no_figure() -> None:
    assert alike(reference(TABLE, labels=["benign"] * 60))[0].reason == "all labelled cases bear one label"
    assert alike(reference(TABLE[:8], labels=LABELS[:8]))[0].status == "too_few"
