"""Each leak is found alone by the check of its name, and a clean table is called clean."""

import numpy as np
import pandas as pd
import pytest

from onclair.core.errors import BadSetting, BadTable
from onclair.validate.leakage.audit import CHECKS, audit
from onclair.validate.leakage.duplicates import chance_within, exact_copies, near_copies, nearest_strangers
from onclair.validate.leakage.permutation import permuted_auc, ridge_scores
from onclair.validate.leakage.plan import leakage_plan, leakage_table
from onclair.validate.noise import selection_audit, splitting_audit

SAID = {
    "format": "onclair-leakage/1",
    "columns": {
        "patient": "pid",
        "split": "set",
        "truth": "y",
        "centre": "c",
        "scanner": "s",
        "date": "day",
        "lesion": "lesion",
        "exam": "exam",
    },
    "features": {"prefix": "f_"},
}


def clean(seed, *, patients=90, most_rows=6, features=6, in_time=True):
    """Patients with one row to several, four centres, a split in time by patient, features with patient and centre effects."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(patients), rng.integers(1, most_rows + 1, patients))
    centre = rng.integers(0, 4, patients)
    y = rng.random(patients) < 1 / (1 + np.exp(-0.4 * rng.normal(size=4)[centre]))
    day = rng.permutation(patients)
    held = day >= 0.7 * patients if in_time else rng.random(patients) < 0.3
    columns = {}
    for j in range(features):
        patient = rng.normal(size=patients) + 0.5 * y * (j % 2) + 0.3 * rng.normal(size=4)[centre]
        value = patient[owner] + 0.7 * rng.normal(size=owner.size)
        columns[f"f_{j}"] = np.exp(value) if j == 2 else np.round(value) if j == 3 else value
    frame = pd.DataFrame(columns)
    frame["pid"], frame["set"], frame["y"] = [f"P{i:03d}" for i in owner], np.where(held, "test", "train")[owner], y[owner].astype(int)
    frame["c"], frame["s"] = centre[owner], np.where(centre % 2, "x", "z")[owner]
    frame["day"] = (pd.Timestamp("2020-01-01") + pd.to_timedelta(day[owner], unit="D")).strftime("%Y-%m-%d")
    frame["lesion"] = [f"P{i:03d}-{row % 2}" for row, i in enumerate(owner)]
    frame["exam"] = [f"E{row}" for row in range(owner.size)]
    return frame


def names(frame):
    return [name for name in frame.columns if name.startswith("f_")]


def rows_of(frame, split):
    return frame.index[frame["set"] == split]


def checked(frame, said=SAID):
    return leakage_table(frame, leakage_plan(said))


def leaks(frame, said=SAID):
    return {finding.check: finding for finding in audit(checked(frame, said)).findings if finding.severity == "leak"}


def shared_patient(frame):
    held, known = rows_of(frame, "test")[0], rows_of(frame, "train")[0]
    who = frame["pid"] == frame.loc[held, "pid"]
    frame.loc[who, ["pid", "y", "c"]] = frame.loc[known, ["pid", "y", "c"]].to_list()
    return frame


def shared_lesion(frame):
    frame.loc[rows_of(frame, "test")[3], "lesion"] = frame.loc[rows_of(frame, "train")[5], "lesion"]
    return frame


def shared_exam(frame):
    frame.loc[rows_of(frame, "test")[3], "exam"] = frame.loc[rows_of(frame, "train")[5], "exam"]
    return frame


def one_copy(frame):
    frame.loc[rows_of(frame, "test")[2], names(frame)] = frame.loc[rows_of(frame, "train")[7], names(frame)].to_numpy()
    return frame


def near_copy(frame):
    rng = np.random.default_rng(5)
    spread = frame[names(frame)].std().to_numpy()
    for held, known in zip(rows_of(frame, "test")[[1, 9]], rows_of(frame, "train")[[4, 20]], strict=True):
        frame.loc[held, names(frame)] = frame.loc[known, names(frame)].to_numpy() + 0.002 * spread * rng.normal(size=spread.size)
    return frame


def echo(frame):
    return frame.assign(f_late=-5.0 * frame["y"] + np.random.default_rng(3).normal(size=len(frame)))


def gaps_echo(frame):
    return frame.assign(f_0=frame["f_0"].where(frame["y"] == 1))


def sorted_by_outcome(frame):
    return frame.sort_values("y", kind="stable").reset_index(drop=True)


def late_training(frame):
    frame.loc[rows_of(frame, "train")[[0, 30]], "day"] = "2031-05-06"
    return frame


def backwards(frame):
    return frame.assign(day=np.where(frame["set"] == "train", "2022-01-01", "2021-01-01"))


def centre_tells(frame):
    return frame.assign(c=np.where(frame["y"] == 1, "tertiary", "screening"))


def scanner_tells(frame):
    return frame.assign(s=np.where(frame["y"] == 1, "new", "old"))


def standardised(frame):
    return frame.assign(f_1=(frame["f_1"] - frame["f_1"].mean()) / frame["f_1"].std(ddof=0))


def ranked(frame):
    return frame.assign(f_2=frame["f_2"].rank() / len(frame))


PLANTED = [
    (shared_patient, "patient-in-both-splits"),
    (shared_lesion, "uid-in-both-splits"),
    (shared_exam, "uid-in-both-splits"),
    (one_copy, "exact-duplicate-across-splits"),
    (near_copy, "near-duplicate-across-splits"),
    (echo, "target-echo"),
    (gaps_echo, "target-echo"),
    (sorted_by_outcome, "row-order"),
    (late_training, "time-order"),
    (backwards, "time-order"),
    (centre_tells, "centre-predicts-outcome"),
    (scanner_tells, "scanner-predicts-outcome"),
    (standardised, "transform-before-split"),
    (ranked, "transform-before-split"),
]


@pytest.mark.parametrize(("plant", "check"), PLANTED, ids=lambda each: getattr(each, "__name__", each))
def test_a_planted_leak_is_found_and_nothing_else_is_called_a_leak(plant, check):
    assert set(leaks(plant(clean(11)))) == {check}


@pytest.mark.parametrize("seed", range(10))
def test_a_clean_table_is_clean(seed):
    found = audit(checked(clean(seed)))
    assert found.verdict == "clean"
    assert found.findings == ()
    assert found.checks_run == CHECKS


@pytest.mark.parametrize("seed", range(3))
def test_a_table_of_discrete_features_has_twins_by_nature(seed):
    frame = clean(seed, patients=150)
    frame[names(frame)] = (frame[names(frame)] > 0.5).astype(float)
    assert audit(checked(frame)).verdict == "clean"


def test_repeated_measurements_that_are_equal_within_a_patient_are_no_leak():
    frame = clean(1)
    first = frame.groupby("pid")[names(frame)].transform("first")
    assert leaks(frame.assign(**{name: first[name] for name in names(frame)})) == {}


def test_missing_features_do_not_make_near_copies():
    frame = clean(2)
    gaps = np.random.default_rng(1).random((len(frame), len(names(frame)))) < 0.15
    frame[names(frame)] = frame[names(frame)].mask(gaps)
    assert audit(checked(frame)).verdict == "clean"


def test_a_split_at_random_whose_dates_are_known_is_an_info_and_stays_clean():
    found = audit(checked(clean(4, in_time=False)))
    assert found.verdict == "clean"
    assert [(f.check, f.severity) for f in found.findings] == [("time-order", "info")]


def test_lesions_numbered_anew_for_each_patient_are_not_the_same_lesion():
    frame = clean(3)
    assert leaks(frame.assign(lesion=[str(row % 3) for row in range(len(frame))])) == {}


def test_the_copy_and_its_original_are_named_with_their_patients():
    frame = one_copy(clean(11))
    held, known = rows_of(frame, "test")[2], rows_of(frame, "train")[7]
    (item,) = leaks(frame)["exact-duplicate-across-splits"].items
    assert item == f"row {held + 1} (patient {frame['pid'][held]}, test) = row {known + 1} (patient {frame['pid'][known]}, train)"


def test_near_copies_are_named_with_the_row_that_they_copy():
    frame = near_copy(clean(11))
    items = leaks(frame)["near-duplicate-across-splits"].items
    pairs = zip(rows_of(frame, "test")[[1, 9]], rows_of(frame, "train")[[4, 20]], strict=True)
    assert sorted(items) == sorted(
        f"row {a + 1} (patient {frame['pid'][a]}, test) is near row {b + 1} (patient {frame['pid'][b]}, train)" for a, b in pairs
    )


def test_late_rows_and_echoing_features_are_listed_by_name():
    assert leaks(late_training(clean(11)))["time-order"].count == 2
    assert leaks(echo(clean(11)))["target-echo"].items == ("f_late",)
    assert leaks(gaps_echo(clean(11)))["target-echo"].items == ("f_0 (missing or not)",)


def test_a_transformation_fitted_on_the_training_rows_alone_is_no_leak():
    frame = clean(5)
    train = frame.loc[frame["set"] == "train", "f_1"]
    assert leaks(frame.assign(f_1=(frame["f_1"] - train.mean()) / train.std(ddof=0))) == {}


def test_few_patients_make_an_echo_a_warning():
    frame = clean(6, patients=16)
    found = audit(checked(echo(frame)))
    assert [(f.check, f.severity) for f in found.findings if f.check == "target-echo"] == [("target-echo", "warning")]


def test_checks_without_their_column_do_not_run_and_say_why():
    said = {**SAID, "columns": {"patient": "pid", "split": "set", "truth": "y"}}
    found = audit(checked(clean(7), said))
    assert set(found.not_run) == {"uid-in-both-splits", "time-order", "centre-predicts-outcome", "scanner-predicts-outcome"}
    assert set(found.checks_run) | set(found.not_run) == set(CHECKS)


def test_splits_with_foreign_names_need_to_be_told_which_one_trains():
    frame = clean(8).replace({"set": {"train": "A", "test": "B"}})
    assert "transform-before-split" in audit(checked(frame)).not_run
    told = audit(checked(standardised(frame), {**SAID, "training": "A"}))
    assert [f.check for f in told.findings] == ["transform-before-split"]


def test_a_pipeline_that_remembers_patients_fails_the_permutation_null():
    frame = clean(9, patients=60)
    frame["set"] = np.where(np.random.default_rng(1).random(len(frame)) < 0.3, "test", "train")
    table = checked(frame)

    def remembers(train, labels, held):
        seen = dict(zip(table.patient[train.index], labels, strict=True))
        return np.array([float(seen.get(who, 0.5)) for who in table.patient[held.index]])

    found = audit(table, fit=remembers)
    assert {"patient-in-both-splits", "permutation-null"} <= {f.check for f in found.findings}


def test_the_permuted_pipeline_stands_at_chance_on_a_clean_table():
    assert permuted_auc(checked(clean(10)), ridge_scores).mean() == pytest.approx(0.5, abs=0.06)


def test_neighbours_are_found_as_brute_force_finds_them():
    rng = np.random.default_rng(0)
    points, owner = rng.normal(size=(60, 4)), np.repeat(np.arange(20), 3)
    asked, pool = np.arange(30), np.arange(15, 60)
    distance, row = nearest_strangers(points, asked, pool, owner)
    gaps = np.linalg.norm(points[asked, None] - points[None, pool], axis=2)
    gaps[owner[asked][:, None] == owner[pool][None]] = np.inf
    np.testing.assert_allclose(distance, gaps.min(axis=1))
    np.testing.assert_array_equal(row, pool[gaps.argmin(axis=1)])


def test_chance_falls_with_the_distance_and_faster_in_more_dimensions():
    rng = np.random.default_rng(1)
    line, space = (
        nearest_strangers(p, np.arange(400), np.arange(400), np.arange(400))[0] for p in (rng.random((400, 1)), rng.random((400, 6)))
    )
    ratio = [float(chance_within(d, np.array([d.min() / 20]), rich=6)[0]) for d in (line, space)]
    assert 0 < ratio[1] < ratio[0] / 50 < 1


def test_near_copies_need_a_feature_that_tells_people_apart():
    frame = clean(2, patients=120)
    frame[names(frame)] = (frame[names(frame)] > 0.5).astype(float)
    assert near_copies(checked(frame)) is None
    assert exact_copies(checked(frame)) is None


def test_noise_looks_good_only_where_the_habit_is_bad():
    def nearest(train, labels, held):
        return labels[((held[:, None] - train[None]) ** 2).sum(axis=2).argmin(axis=1)].astype(float)

    rng = np.random.default_rng(1)
    rows, people = np.mean([splitting_audit(nearest, rng, patients=24, rows=6, features=12) for _ in range(10)], axis=0)
    assert rows > 0.95
    assert people == pytest.approx(0.5, abs=0.1)


def test_selecting_outside_the_folds_makes_noise_look_good():
    def centroid(train, labels, held):
        return held @ (train[labels].mean(axis=0) - train[~labels].mean(axis=0))

    rng = np.random.default_rng(2)
    outside, inside = np.mean([selection_audit(centroid, rng, patients=60, features=400) for _ in range(10)], axis=0)
    assert outside > 0.8
    assert inside == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f.rename(columns={"pid": "patent"}), "no column 'pid'"),
        (lambda f: f.rename(columns={"day": "days"}), "did you mean 'days'"),
        (lambda f: f.assign(set="train"), "holds one value, 'train'"),
        (lambda f: f.assign(y=f["y"] + 1), "holds '2' in"),
        (lambda f: f.assign(y=1), "holds one class"),
        (lambda f: f.assign(y=np.where(f.index == 3, np.nan, f["y"])), "empty in 1 of"),
        (lambda f: f.assign(pid=f["pid"].where(f.index != 4)), r"the first: 5\)"),
        (lambda f: f.assign(f_0="high"), "'high' in"),
        (lambda f: f.assign(f_0=np.inf), "infinite"),
        (lambda f: f.assign(day="03/04/2021"), "year-month-day"),
        (lambda f: f.head(0), "holds no rows"),
        (lambda f: f.drop(columns=names(f)), "begins with 'f_'"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(BadTable, match=sentence):
        checked(change(clean(1)))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({**SAID, "format": "onclair-plan/1"}, "onclair-leakage/1"),
        ({**SAID, "colums": {}}, "did you mean 'columns'"),
        ({**SAID, "columns": {**SAID["columns"], "scaner": "s"}}, "did you mean 'scanner'"),
        ({**SAID, "columns": {"patient": "pid"}}, "do not name split and truth"),
        ({**SAID, "features": {}}, "need one of"),
        ({**SAID, "features": {"columns": ["f_0"], "prefix": "f_"}}, "and not both"),
    ],
)
def test_a_bad_plan_is_refused_in_one_sentence(said, sentence):
    with pytest.raises(BadSetting, match=sentence):
        leakage_plan(said)


def test_the_truth_may_be_words_when_the_plan_says_which_is_one():
    frame = clean(1).assign(y=lambda f: np.where(f["y"] == 1, "Poor", "Good"))
    said = {**SAID, "columns": {**SAID["columns"], "positive": "Poor"}}
    assert checked(frame, said).truth.mean() == pytest.approx((frame["y"] == "Poor").mean())
