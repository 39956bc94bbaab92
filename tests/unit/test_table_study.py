"""The study `table`: what it reads, what it refuses, and where it sends follow-up times."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from commandline import onclair_here
from onclair.core.errors import BadCohort, BadSetting
from onclair.io.cohorts import read_cohort
from onclair.studies.table import TableSettings, describe, model, read, study
from onclair.virtual.table import VirtualTable, write


@pytest.fixture(scope="module")
def gaps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(VirtualTable(patients=50, centres=5, heterogeneity=1.0), tmp_path_factory.mktemp("gaps") / "cohort")


def test_one_patient_is_one_row_with_the_levels_spread_out_and_a_reason_for_each_gap(gaps: Path) -> None:
    cohort = read_cohort(gaps)
    last = cohort.patients[-1]
    described = describe(read(cohort, last), TableSettings())
    assert described.rows.shape == (1, 10)
    assert [name for name in described.rows.columns if name.startswith("stage=")] == ["stage=II", "stage=III", "stage=IV"]
    assert described.reasons == {"albumin_g_l": "its cell in the table is empty"}


def test_a_table_that_holds_the_outcome_stops_the_study(gaps: Path, tmp_path: Path) -> None:
    cohort = read_cohort(gaps)
    table = pd.read_csv(gaps / "table.csv")
    table.merge(pd.read_csv(gaps / "outcomes.csv"), on="patient").to_csv(tmp_path / "table.csv", index=False)
    for name in ("cohort.toml", "acquisitions.csv", "outcomes.csv"):
        (tmp_path / name).write_bytes((gaps / name).read_bytes())
    with pytest.raises(BadCohort, match="holds the outcome 'event'"):
        read(read_cohort(tmp_path), cohort.patients[0])


def test_the_penalty_reaches_the_model_and_names_are_checked() -> None:
    assert [learner.name for learner in model(TableSettings())] == ["logistic"]
    learner = model(TableSettings(penalty=3.0))[0]
    assert learner.estimator.penalty == 3.0  # type: ignore[attr-defined]
    assert [each.name for each in model(TableSettings(models=("forest", "logistic")))] == ["logistic", "forest"]
    with pytest.raises(BadSetting, match="'logistic'"):
        model(TableSettings(models=("logistics",)))
    with pytest.raises(BadSetting, match="onclair validate"):
        model(TableSettings(models=("cox",)))


def test_follow_up_times_are_sent_to_the_federation_in_one_sentence(tmp_path: Path) -> None:
    cohort = write(VirtualTable(patients=40, centres=2, kind="survival"), tmp_path / "cohort")
    said = onclair_here("run", "table", "--data", cohort, "--out", tmp_path / "run", "--workers", "1")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "`onclair validate`" in said.err
    assert not (tmp_path / "run").exists()


def test_a_steward_can_check_a_table_with_follow_up_times(tmp_path: Path) -> None:
    cohort = write(VirtualTable(patients=40, centres=2, kind="survival"), tmp_path / "cohort")
    said = onclair_here("cohort", "check", cohort, "--study", "table", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["events"] == int(pd.read_csv(cohort / "outcomes.csv")["event"].sum())


def test_the_record_predicts_binary_outcomes_from_tables() -> None:
    assert (study.outcome, study.signal, study.kinds) == ("binary", "table", ("table",))
