"""The public tables of several hospitals: as many patients, features and hospitals as published, split as the benchmark splits them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import Cohort
from onclair.io.cohorts import check_cohort
from onclair.io.layouts.tables import features_of, read_clinical_table
from onclair.io.registry import get
from onclair.learn.estimators import Logistic
from onclair.science.statistics.ranks import auc

#: Complete rows of each hospital.
HOSPITALS = {"cleveland": 303, "hungarian": 261, "switzerland": 46, "va": 130}


@pytest.fixture(scope="module")
def mirror(reference_data: Path) -> Path:
    return reference_data / "federation"


def laid_out(name: str, mirror: Path, place: Path) -> tuple[Cohort, pd.DataFrame, pd.DataFrame]:
    """Return a cohort without problems, its features by patient, and the patients' centre and further columns."""
    out = get(name, place / "cohort", mirror=mirror)
    check = check_cohort(out, ("table",))
    assert (check.problems, check.notes) == ((), ())
    table = read_clinical_table(out / "table.csv")
    rows = pd.DataFrame([features_of(table, patient)[0] for patient in check.cohort.patients], index=list(check.cohort.patients))
    return check.cohort, rows, check.cohort.acquisitions.set_index("patient").loc[list(check.cohort.patients)]


@pytest.fixture(scope="module")
def heart(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Cohort, pd.DataFrame, pd.DataFrame]:
    return laid_out("heart-hospitals", mirror, tmp_path_factory.mktemp("heart"))


def test_heart_has_740_complete_rows_of_four_hospitals_and_13_features(heart: tuple[Cohort, pd.DataFrame, pd.DataFrame]) -> None:
    cohort, rows, about = heart
    assert rows.shape == (740, 13)
    assert rows.notna().all().all()
    assert {c: int(n) for c, n in about["centre"].value_counts().items()} == {
        "cleveland": 303,
        "hungarian": 261,
        "switzerland": 46,
        "va": 130,
    }
    assert about["split"].value_counts().to_dict() == {"train": 486, "test": 254}
    swiss = cohort.truth(cohort.outcome(), about.index[(about["centre"] == "switzerland") & (about["split"] == "train")])
    assert (len(swiss), int(swiss.sum())) == (30, 30)


def test_the_split_of_heart_recomputed_from_its_rule_is_the_published_one(
    heart: tuple[Cohort, pd.DataFrame, pd.DataFrame], mirror: Path
) -> None:
    published = pd.read_csv(mirror / "heart_disease" / "heart_split.csv")
    expected = {f"{row.hospital}-{row.line:03}": row.fold for row in published.itertuples()}
    assert heart[2]["split"].to_dict() == expected


def test_the_pooled_model_of_heart_has_the_published_accuracy(heart: tuple[Cohort, pd.DataFrame, pd.DataFrame]) -> None:
    cohort, rows, about = heart
    truth = cohort.truth(cohort.outcome(), rows.index).to_numpy(float)
    train = (about["split"] == "train").to_numpy()
    x = rows.to_numpy(float)
    x = (x - x[train].mean(axis=0)) / x[train].std(axis=0, ddof=1)
    risk = Logistic(penalty=1.0).fit(x[train], truth[train], np.random.default_rng(0)).risk(x[~train])
    assert int(((risk > 0.5) == (truth[~train] > 0)).sum()) == 202
    assert float(auc(truth[~train], risk[:, None])[0]) == pytest.approx(0.8812, abs=5e-5)
    assert float(np.mean((risk - truth[~train]) ** 2)) == pytest.approx(0.1378, abs=5e-5)


def test_brca_has_1088_patients_of_six_regions_39_features_and_as_many_comparable_test_pairs(mirror: Path, tmp_path: Path) -> None:
    cohort, rows, about = laid_out("tcga-brca-regions", mirror, tmp_path)
    assert rows.shape == (1088, 39)
    assert sorted(about["centre"].unique()) == [f"region-{number}" for number in range(6)]
    assert about["hospital"].nunique() == 37
    assert int(((about["centre"] == "region-5") & (about["split"] == "train")).sum()) == 40
    followed = cohort.outcomes.set_index("patient").loc[rows.index]
    assert int(followed["death"].sum()) == 151
    test = about["split"] == "test"
    assert pairs(followed[test]) == 2725
    assert [pairs(followed[test & (about["centre"] == f"region-{number}")]) for number in range(6)] == [357, 44, 108, 48, 47, 2]


def pairs(followed: pd.DataFrame) -> int:
    """Return how many pairs Harrell's C can compare: one has the event before the other's time."""
    time, event = followed["follow_up_day"].to_numpy(float), followed["death"].to_numpy(bool)
    return int((time[event][:, None] < time[None, :]).sum())


def test_glioma_has_862_patients_of_45_hospitals_none_with_both_grades(mirror: Path, tmp_path: Path) -> None:
    cohort, rows, about = laid_out("tcga-glioma-sites", mirror, tmp_path)
    assert rows.shape == (862, 22)
    truth = cohort.truth(cohort.outcome(), rows.index)
    assert about["centre"].nunique() == 45
    assert set(truth.groupby(about["centre"]).mean()) == {0.0, 1.0}
    assert (int((rows["IDH1"] == 0).sum()), int(truth.sum())) == (448, 363)
    assert rows.isna().sum()[["age_year", "male"]].to_dict() == {"age_year": 5, "male": 4}
    assert rows.loc["GLIOMA-0001", "age_year"] == pytest.approx(51 + 108 / 365.25, abs=1e-4)


def test_no_code_of_the_glioma_table_says_where_a_patient_was_treated(mirror: Path, tmp_path: Path) -> None:
    out = get("tcga-glioma-sites", tmp_path / "cohort", mirror=mirror)
    cases = pd.read_csv(out / "source" / "gliomas.csv")["Case_ID"]
    for name in ("table.csv", "acquisitions.csv", "outcomes.csv"):
        text = (out / name).read_text()
        assert not any(case in text for case in cases)
