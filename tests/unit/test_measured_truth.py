"""A measure beside the truth of virtual patients: the rows that are compared, and why there may be none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onclair.core.cohort import About, Cohort
from onclair.core.errors import BadCase, BadTable
from onclair.core.evidence import Evidence
from onclair.core.fragments import in_french
from onclair.core.values import Image
from onclair.io.nifti import write_image, write_map
from onclair.run.describe import FACTS, STAGE
from onclair.run.learning import Lesson
from onclair.run.measured_truth import Measured, ranked
from onclair.run.scanned import calibration_of, scanned
from onclair.run.store import Store

ASKED = Measured("strength", "strength", {"volume": -1, "size": 1}, "strength.csv", "strength_N", ("bone", "level"))
#: Of each patient: bone, level, true strength, and what was measured: value, low, high, volume of lesions.
TOLD = {
    "P1": ("vertebra", "L1", 1000.0, 900.0, 700.0, 1100.0, 9.0),
    "P2": ("vertebra", "L1", 2000.0, 2500.0, 2100.0, 2900.0, 5.0),
    "P3": ("vertebra", "L1", 3000.0, 2400.0, 1900.0, 3100.0, 7.0),
    "P4": ("femur", None, 100.0, 9000.0, 50.0, 9900.0, 0.0),
}


def lesson(folder: Path, *, data: str = "virtual", table: pd.DataFrame | None = None, without: tuple[str, ...] = ()) -> Any:
    """A lesson as the engine makes it, as far as this question looks at it: cohort, run folder, facts of each patient."""
    cohort, run = folder / "cohort", folder / "run"
    cohort.mkdir(parents=True)
    rows = [(name, *told[:3]) for name, told in TOLD.items()]
    truths = table if table is not None else pd.DataFrame(rows, columns=["patient", "bone", "level", "strength_N"])
    truths.to_csv(cohort / "strength.csv", index=False)
    for name, (bone, level, _, value, low, high, volume) in TOLD.items():
        fact = {"bone": bone, "level": level, "value": value, "low": low, "high": high, "rivals": {"volume": volume, "size": None}}
        facts = {FACTS: {"strength": {**fact, "value": None} if name in without else fact}}
        Store(run).write(f"{STAGE}/{name}", Evidence(STAGE, name, facts=facts))
    acquisitions = pd.DataFrame([(name, "A", "t0", "ct", "x.nii") for name in TOLD], columns=["patient", "centre", "visit", "kind", "path"])
    about = About(data=data)
    made = Cohort(acquisitions, pd.DataFrame({"patient": list(TOLD), "y": [0, 1, 0, 1]}), about, cohort)
    blank = {field.name: None for field in dataclasses.fields(Lesson)}
    return Lesson(**{**blank, "cohort": made, "root": run})


def by_name(found: list[Any]) -> dict[str, Any]:
    return {each.name: each for each in found}


def test_order_and_coverage_are_those_computed_by_hand(tmp_path: Path) -> None:
    found = by_name(ranked(lesson(tmp_path), ASKED))
    assert found["strength:tau:model"].value == pytest.approx(1 / 3)
    assert found["strength:tau:rival:volume"].value == pytest.approx(1 / 3)
    assert found["coverage:strength"].value == pytest.approx(3 / 4)
    size = found["strength:tau:rival:size"]
    assert (size.value, size.reason) == (None, "no two of a kind can be compared")


def test_a_patient_whose_truth_is_blank_or_of_another_bone_counts_nowhere(tmp_path: Path) -> None:
    rows = [
        ("P1", "vertebra", "L1", 1000.0),
        ("P2", "vertebra", "L2", 2000.0),
        ("P3", "vertebra", "L1", None),
        ("P4", "femur", None, 100.0),
    ]
    found = by_name(ranked(lesson(tmp_path, table=pd.DataFrame(rows, columns=["patient", "bone", "level", "strength_N"])), ASKED))
    assert (found["coverage:strength"].value, found["coverage:strength"].n) == (1.0, 2)
    assert found["strength:tau:model"].value is None


def test_a_column_that_is_blank_throughout_leaves_nothing_to_compare(tmp_path: Path) -> None:
    rows = [(name, told[0], told[1], None) for name, told in TOLD.items()]
    found = ranked(lesson(tmp_path, table=pd.DataFrame(rows, columns=["patient", "bone", "level", "strength_N"])), ASKED)
    assert {each.reason for each in found} == {"no patient has both the measure and its truth"}


def test_a_measure_that_was_not_had_is_left_out(tmp_path: Path) -> None:
    found = by_name(ranked(lesson(tmp_path, without=("P1", "P4")), ASKED))
    assert (found["coverage:strength"].n, found["strength:tau:model"].value) == (2, -1.0)


def test_real_patients_have_no_truth_and_the_reasons_are_french_too(tmp_path: Path) -> None:
    found = ranked(lesson(tmp_path, data="real"), ASKED)
    assert [each.name for each in found] == [
        "strength:tau:model",
        "strength:tau:rival:volume",
        "strength:tau:rival:size",
        "coverage:strength",
    ]
    assert {each.reason for each in found} == {"only virtual patients have the true value"}
    assert in_french("only virtual patients have the true value")
    assert in_french("no patient has both the measure and its truth")
    assert in_french("no measure has an interval")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pd.DataFrame({"patient": ["P1"], "bone": ["vertebra"], "strength_N": [1.0]}), "strength.csv has no column 'level'"),
        (pd.DataFrame({"patient": ["P1", "P1"], "bone": ["f"] * 2, "level": ["x"] * 2, "strength_N": [1.0, 2.0]}), "several rows of P1"),
    ],
)
def test_a_table_of_truths_that_cannot_be_used_is_refused(tmp_path: Path, table: pd.DataFrame, said: str) -> None:
    with pytest.raises(BadTable, match=said):
        ranked(lesson(tmp_path, table=table), ASKED)


GRID = np.diag([2.0, 2.0, 3.0, 1.0])


def cohort(folder: Path, *, unit: str = "HU", **cells: Any) -> Cohort:
    """One patient with a CT, its bones, and what the table says of the scan."""
    write_image(folder / "ct.nii", Image(np.full((4, 4, 4), 100.0), GRID, "HU", "CT"))
    write_map(folder / "bones.nii", np.full((4, 4, 4), 31), GRID)
    rows = [{"path": "ct.nii", "kind": "ct", **cells}, {"path": "bones.nii", "kind": "bones"}]
    table = pd.DataFrame([{"patient": "P1", "centre": "A", "visit": "t0", **row} for row in rows])
    return Cohort(table, pd.DataFrame({"patient": ["P1"], "y": [1]}), About(units={"ct": unit}), folder)


def test_a_scan_comes_with_its_bones_and_what_the_table_says(tmp_path: Path) -> None:
    told = {
        "density_mg_cc_per_hu": 0.8,
        "density_mg_cc_at_0_hu": -4.0,
        "density_error_mg_cc": 6.0,
        "asked_bone": 31.0,
        "body_mass_kg": 70.0,
    }
    image, labels, about = scanned(cohort(tmp_path, **told), "P1")
    assert (image.unit, set(np.unique(labels).tolist()), about["asked_bone"]) == ("HU", {31}, 31)
    found = calibration_of(about)
    assert (float(found.density_mg_cc(100.0)), found.residual_mg_cc) == (pytest.approx(76.0), 6.0)
    assert calibration_of({"kernel": "B30f"}) is None


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"density_mg_cc_per_hu": "steep", "density_mg_cc_at_0_hu": 0.0}, "density_mg_cc_per_hu holds 'steep', which is no number"),
        ({"density_mg_cc_per_hu": 0.8, "density_mg_cc_at_0_hu": np.inf}, "density_mg_cc_at_0_hu holds 'inf', which is no number"),
        ({"density_mg_cc_per_hu": 0.8}, "has density_mg_cc_per_hu and no density_mg_cc_at_0_hu; give both"),
        ({"density_mg_cc_at_0_hu": 0.8}, "has density_mg_cc_at_0_hu and no density_mg_cc_per_hu; give both"),
        ({"density_mg_cc_per_hu": -0.8, "density_mg_cc_at_0_hu": 0.0}, "the slope -0.8"),
        ({"density_mg_cc_per_hu": 1.0, "density_mg_cc_at_0_hu": 0.0, "density_error_mg_cc": -2.0}, "the error -2"),
        ({"body_mass_kg": "heavy"}, "body_mass_kg holds 'heavy', which is no number"),
        ({"body_mass_kg": 0.0}, "The body mass is 0 kg"),
        ({"asked_bone": "T12"}, "asked_bone holds 'T12', which is no number"),
        ({"asked_bone": 31.5}, "asked_bone holds '31.5'; give the number of a label"),
    ],
)
def test_a_cell_that_is_no_number_is_refused_by_patient_and_column(tmp_path: Path, cells: dict[str, Any], said: str) -> None:
    with pytest.raises(BadCase, match=said) as told:
        scanned(cohort(tmp_path, **cells), "P1")
    assert str(told.value).startswith("P1: ")
    assert "acquisitions.csv" in str(told.value)


def test_a_ct_in_another_unit_and_bones_of_another_grid_or_none_are_refused_by_patient(tmp_path: Path) -> None:
    with pytest.raises(BadCase, match=r"The CT of P1 is declared in 'mg/cc'; this study reads HU"):
        scanned(cohort(tmp_path, unit="mg/cc"), "P1")
    known = cohort(tmp_path)
    write_map(tmp_path / "bones.nii", np.full((4, 4, 5), 31), GRID)
    with pytest.raises(BadCase, match="the bones of P1 lies on another grid"):
        scanned(known, "P1")
    write_map(tmp_path / "bones.nii", np.zeros((4, 4, 4), np.uint8), GRID)
    with pytest.raises(BadCase, match="The bones of P1 are empty"):
        scanned(known, "P1")
