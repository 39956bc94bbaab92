"""Virtual clinical tables: coefficients that can be found again, and hospitals as unlike as one knob says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onclair.io.cohorts import check_cohort, read_cohort
from onclair.learn.estimators import CoxPH, Logistic
from onclair.virtual.table import CONTINUOUS, GAP, VirtualTable, write
from onclair.virtual.table_sites import sites_of


def made(place: Path, **settings: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return every table of a cohort, joined by patient, and its truth."""
    out = write(VirtualTable(**settings), place)
    frames = [pd.read_csv(out / name, dtype={"patient": str}) for name in ("table.csv", "outcomes.csv", "truth.csv")]
    joined = frames[0].merge(frames[1], on="patient").merge(frames[2], on="patient")
    return joined, json.loads((out / "truth.json").read_text())


@pytest.fixture(scope="module")
def unlike(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, dict[str, Any]]:
    return made(tmp_path_factory.mktemp("unlike") / "cohort", patients=400, centres=6, heterogeneity=1.0, seed=3)


def test_equal_settings_give_equal_bytes(tmp_path: Path) -> None:
    one, two = (write(VirtualTable(patients=30, centres=3), tmp_path / name) for name in ("a", "b"))
    assert {p.name: p.read_bytes() for p in one.iterdir()} == {p.name: p.read_bytes() for p in two.iterdir()}


def test_the_folder_is_a_cohort_that_checks_and_says_virtual(tmp_path: Path) -> None:
    check = check_cohort(write(VirtualTable(patients=60, centres=3), tmp_path / "cohort"), ("table",))
    assert (check.problems, check.cohort.about.data, len(check.cohort.patients)) == ((), "virtual", 60)


def test_at_0_the_centres_are_equal_shards_of_one_population() -> None:
    sites = sites_of(VirtualTable(patients=100, centres=5, heterogeneity=0.0), 3)
    assert {(s.patients, s.prevalence, s.case_mix, s.assay, s.concept, s.gaps) for s in sites} == {(20, 0.5, (0.0,) * 3, 1.0, 1.0, 0.0)}


def test_at_1_there_are_a_tiny_site_a_one_class_site_and_a_column_that_nobody_measured(
    unlike: tuple[pd.DataFrame, dict[str, Any]],
) -> None:
    rows, truth = unlike
    roles = {site["role"]: rows[rows["centre"] == site["name"]] for site in truth["sites"][:5]}
    assert len(roles["tiny"]) == 5
    assert roles["one_class"]["event"].sum() == 0
    assert roles["gaps"][GAP].isna().all()
    assert rows[rows["centre"] != "C5"][GAP].notna().all()
    assert len(rows) == 400


def test_at_1_the_prevalence_runs_from_3_to_7_in_ten_and_one_coefficient_turns_its_sign(
    unlike: tuple[pd.DataFrame, dict[str, Any]],
) -> None:
    _, truth = unlike
    targets = [site["prevalence"] for site in truth["sites"] if site["role"] != "one_class"]
    assert (min(targets), max(targets)) == (0.3, 0.7)
    assert {site["role"]: site["concept"] for site in truth["sites"]}["concept"] == -0.5


def test_half_as_unlike_is_half_as_far() -> None:
    whole, half = (sites_of(VirtualTable(centres=5, heterogeneity=h), 2)[0] for h in (1.0, 0.5))
    assert half.case_mix == pytest.approx([shift / 2 for shift in whole.case_mix], abs=1e-6)
    assert half.assay - 1 == pytest.approx((whole.assay - 1) / 2, abs=1e-6)
    assert half.prevalence - 0.5 == pytest.approx((whole.prevalence - 0.5) / 2, abs=1e-6)


def test_duplicated_patients_are_the_same_rows_in_a_second_centre_and_the_truth_names_them(
    unlike: tuple[pd.DataFrame, dict[str, Any]],
) -> None:
    rows, truth = unlike
    known = rows.set_index("patient")
    assert len(truth["duplicates"]) == 20
    features = [*CONTINUOUS, "male", "event"]
    for pair in truth["duplicates"]:
        one, other = known.loc[pair["patient"]], known.loc[pair["is_also"]]
        assert (one["centre"], other["centre"]) == ("C2", "C1")
        pd.testing.assert_series_equal(one[features], other[features], check_names=False)


def standardised(rows: pd.DataFrame) -> np.ndarray[Any, Any]:
    columns = [(rows[name] - mean) / sd for name, (mean, sd, _, _) in CONTINUOUS.items()]
    stages = [(rows["stage=I|II|III|IV"] == level).astype(float) for level in ("II", "III", "IV")]
    return np.column_stack([*columns, rows["male"], *stages])


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_a_plain_model_of_many_patients_finds_the_coefficients_again(kind: str, tmp_path: Path) -> None:
    rows, truth = made(tmp_path / "cohort", patients=6000, centres=2, heterogeneity=0.0, kind=kind)
    x, event = standardised(rows), rows["event"].to_numpy(float)
    signed = rows["follow_up_month"] * np.where(event > 0, 1.0, -1.0) if kind == "survival" else rows["event"].astype(float)
    model: Any = CoxPH(1e-6, 24.0) if kind == "survival" else Logistic(1e-6)
    found = model.fit(x, signed.to_numpy(float), np.random.default_rng(0)).coefficients
    names = [*CONTINUOUS, "male", "stage=II", "stage=III", "stage=IV"]
    assert found == pytest.approx([truth["coefficients"][name] for name in names], abs=0.15)  # 3 standard errors of the widest
    assert event.mean() == pytest.approx(0.5, abs=0.03)


def test_survival_is_declared_with_its_follow_up(tmp_path: Path) -> None:
    out = write(VirtualTable(patients=80, centres=4, kind="survival", heterogeneity=1.0), tmp_path / "cohort")
    outcome = read_cohort(out).outcome()
    assert (outcome.kind, outcome.time, outcome.unit) == ("survival", "follow_up_month", "month")
    assert check_cohort(out, ("table",)).problems == ()
