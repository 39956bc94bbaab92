"""Points 4 and 5 at full size: 51 real sarcomas, and 240 virtual patients of each law, from the command line to the verdict.

Slow: minutes of several cores. `pytest -m slow tests/journey/test_radiomics_points_slow.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from commandline import onclair

pytestmark = pytest.mark.slow

WORKERS = 2
PATIENTS, CENTRES = 240, 3
#: Seeds of the virtual cohorts; neither law nor threshold was chosen on them.
SEEDS = (7, 23)
CARD = """[card]
name = "TAG"
claim = "predicts lung metastasis"
modality = "PET"
outcome = "lung_metastasis"
[preprocessing]
dialect = "ibsi"
discretise = {method = "fixed-width", width = 0.5, minimum = 0.0}
[[feature]]
tag = "TAG"
coefficient = 1.0
[model]
kind = "logistic"
"""


def answer(*words: str | Path | int) -> dict[str, Any]:
    """Return what a command that must succeed answers."""
    said = onclair(*map(str, words), "--workers", str(WORKERS), "--json")
    assert said.code == 0, said.err
    return said.json


def named(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {estimate["name"]: estimate for estimate in said["estimates"]}


@pytest.fixture(scope="module")
def sarcomas(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("points") / "sts"
    said = onclair("data", "get", "sts-pet", "--mirror", reference_data / "radiomics", "--out", place)
    assert said.code == 0, said.err
    return place


def audited(card: str | Path, cohort: Path, run: Path) -> dict[str, Any]:
    """Return the answer of an audit of ten seeds, after its run has verified."""
    said = answer("radiomics", "audit", "--card", card, "--data", cohort, "--seeds", 10, "--out", run)
    assert onclair("verify", run).code == 0
    return said


def of_sarcomas(card: str | Path, cohort: Path, run: Path) -> dict[str, Any]:
    said = audited(card, cohort, run)
    assert (said["patients"], said["events"], said["verdict"]["replication"]) == (51, 19, "insufficient")
    return said


def card_on(tag: str, place: Path) -> Path:
    path = place / f"{tag}.toml"
    path.write_text(CARD.replace("TAG", tag))
    return path


def test_the_maximum_of_uptake_reaches_0811_and_no_shuffle_can_touch_it(sarcomas: Path, tmp_path: Path) -> None:
    said = of_sarcomas("suvmax-only", sarcomas, tmp_path / "run")
    found = named(said)
    assert found["auc:model"]["value"] == pytest.approx(0.811, abs=0.001)
    assert found["auc:rival:volume"]["value"] == pytest.approx(0.692, abs=0.001)
    assert said["permutation_invariant"]


def test_most_textures_that_look_promising_still_do_on_shuffled_voxels(sarcomas: Path, tmp_path: Path) -> None:
    told = of_sarcomas("survey-texture-3d", sarcomas, tmp_path / "run")["survey"]
    assert told["features"] == 41
    assert abs(told["above"] - 20) <= 1
    assert abs(told["still_above"] - 16) <= 2
    assert told["median_spearman"] >= 0.93
    assert told["mean_auc"] == pytest.approx(0.685, abs=0.005)
    assert told["mean_auc_shuffled"] == pytest.approx(0.689, abs=0.005)


def test_run_length_non_uniformity_is_explained_by_volume(sarcomas: Path, tmp_path: Path) -> None:
    said = of_sarcomas(card_on("rlm_rlnu_3D_comb", tmp_path), sarcomas, tmp_path / "run")
    assert named(said)["spearman:model:volume"]["value"] == pytest.approx(0.905, abs=0.002)
    assert "volume" in said["verdict"]["explained_by"]


def test_joint_entropy_is_explained_by_intensity_and_not_by_volume(sarcomas: Path, tmp_path: Path) -> None:
    said = of_sarcomas(card_on("cm_joint_entr_3D_comb", tmp_path), sarcomas, tmp_path / "run")
    found = named(said)
    assert found["auc:model"]["value"] == pytest.approx(0.720, abs=0.001)
    assert found["auc:model:shuffled-voxels"]["value"] == pytest.approx(0.739, abs=0.01)
    assert said["verdict"]["explained_by"] == ["intensity"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("truth", "replication", "explained_by"),
    [
        ("volume", None, {"volume"}),
        ("texture", "replicated", set()),
        ("batch", None, {"batch"}),
        ("noise", "not_replicated", None),
    ],
)
def test_the_audit_finds_the_law_that_made_the_outcome(
    truth: str, replication: str | None, explained_by: set[str] | None, seed: int, tmp_path: Path
) -> None:
    made = ("--truth", truth, "--n", PATIENTS, "--centres", CENTRES, "--seed", seed, "--as", "nifti")
    cohort = tmp_path / "cohort"
    answer("virtual", "radiomics", *made, "--out", cohort)
    said = audited(cohort / "card.toml", cohort, tmp_path / "run")
    assert said["patients"] == PATIENTS
    assert 100 <= said["events"] <= PATIENTS - 100
    verdict = said["verdict"]
    if explained_by is not None:
        assert set(verdict["explained_by"]) >= explained_by
        assert explained_by or verdict["explained_by"] == []
    if replication is not None:
        assert verdict["replication"] == replication


def test_dicom_and_nifti_of_one_seed_give_the_same_features(tmp_path: Path) -> None:
    tables = []
    for form in ("nifti", "dicom"):
        made = ("--truth", "texture", "--n", PATIENTS, "--centres", CENTRES, "--seed", SEEDS[0], "--card-patients", 0, "--as", form)
        answer("virtual", "radiomics", *made, "--out", tmp_path / form)
        said = answer("radiomics", "extract", "--data", tmp_path / form, "--out", tmp_path / f"{form}-features")
        assert (said["rows"], said["failed"]) == (PATIENTS, 0)
        tables.append(pd.read_parquet(tmp_path / f"{form}-features" / "table" / "features.parquet").set_index("patient"))
    first, second = (table.select_dtypes("floating") for table in tables)
    assert first.shape[1] > 150
    np.testing.assert_array_equal(first.columns, second.columns)
    np.testing.assert_allclose(second.loc[first.index].to_numpy(), first.to_numpy(), rtol=2e-3)
