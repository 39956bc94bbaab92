"""A card and a cohort in, a verdict with verifiable evidence out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from commandline import onclair_here
from onclair.core.cohort import About, Cohort
from onclair.core.errors import BadCase, BadCohort, BadInput, BadSetting
from onclair.core.outcome import Outcome
from onclair.core.values import Image, Mask
from onclair.io.cohorts.folder import write_tables
from onclair.io.nifti import write_image, write_mask
from onclair.studies.tasks.radiomics_audit import Audit, Audited, audit, replay_audit

GATES = ["card", "extraction", "rivals", "controls", "perturbation", "batch", "harmonisation", "external", "interpretation", "verdict"]

CARD = """
[card]
name = "NAME"
claim = "predicts the event"
modality = "PET"
[preprocessing]
dialect = "DIALECT"
discretise = {method = "fixed-width", width = 0.5, minimum = 0.0}
[[feature]]
tag = "TAG"
coefficient = 1.0
[model]
kind = "logistic"
"""


def card(place: Path, tag: str, *, dialect: str = "ibsi", name: str = "m", more: str = "") -> Path:
    path = place / f"{name}.toml"
    path.write_text(CARD.replace("NAME", name).replace("DIALECT", dialect).replace("TAG", tag) + more)
    return path


def named(done: Audited) -> dict[str, Any]:
    return {estimate.name: estimate for estimate in done.claim.estimates}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small lesions of two centres, each a ball of its own size and grain in a quiet background."""
    place = tmp_path_factory.mktemp("audit") / "cohort"
    place.mkdir()
    rng, affine = np.random.default_rng(4), np.diag([4.0, 4.0, 4.0, 1.0])
    away = np.linalg.norm(np.stack(np.meshgrid(*[np.arange(16.0) - 7.5] * 3, indexing="ij")), axis=0)
    rows, patients = [], [f"P{i:02d}" for i in range(1, 13)]
    for i, patient in enumerate(patients):
        region = away < rng.uniform(3.0, 5.0)
        grain = ndimage.gaussian_filter(rng.standard_normal(region.shape), 0.4 + 0.1 * i)
        image = np.where(region, np.clip(4.0 + rng.uniform(1.0, 2.0) * grain / grain.std(), 0.5, None), 0.5).astype(np.float32)
        write_image(place / f"{patient}_pet.nii.gz", Image(image, affine, "SUV", "PET"))
        write_mask(place / f"{patient}_mask.nii.gz", Mask(region[None], affine, ("lesion",), "expert"))
        rows += [(patient, f"C{i // 6 + 1}", "", kind, f"{patient}_{kind}.nii.gz") for kind in ("pet", "mask")]
    acquisitions = pd.DataFrame(rows, columns=["patient", "centre", "visit", "kind", "path"])
    outcomes = pd.DataFrame({"patient": patients, "event": [0, 1] * 6})
    about = About("Made lesions", "virtual", "CC0-1.0", "none", (Outcome("event", "binary"),), {"pet": "SUV"})
    write_tables(Cohort(acquisitions, outcomes, about), place)
    return place


@pytest.fixture(scope="module")
def texture(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Audited, Path]:
    place = tmp_path_factory.mktemp("audit-texture")
    return audit(Audit(card(place, "cm_corr_3D_comb"), cohort, external=cohort, seeds=2, out=place / "run")), place


@pytest.fixture(scope="module")
def uptake(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Audited, Path]:
    out = tmp_path_factory.mktemp("audit-uptake") / "run"
    return audit(Audit("suvmax-only", cohort, seeds=1, out=out)), out


def test_the_ten_gates_stand_in_order_each_with_its_reason(texture: tuple[Audited, Path]) -> None:
    gates = texture[0].as_dict()["gates"]
    assert [gate["name"] for gate in gates] == GATES
    assert all(gate["status"] in ("passed", "failed", "not_available") and gate["reason"] for gate in gates)


def test_the_figures_bear_the_names_of_the_house(texture: tuple[Audited, Path]) -> None:
    found = named(texture[0])
    wanted = {
        "auc:model", "auc:rival:volume", "auc:rival:suv_max", "auc:model-minus-volume", "auc:model:shuffled-voxels",
        "auc:model-minus-shuffled-voxels", "auc:model:within-batch", "spearman:model:volume", "spearman:model:shuffled-voxels",
        "auc:model:external", "icc:model", "auc:batch:centre:before", "auc:model:harmonised",
    }  # fmt: skip
    assert wanted <= set(found)
    assert found["auc:model"].n == 12


def test_twelve_patients_are_insufficient_whatever_the_figures(texture: tuple[Audited, Path]) -> None:
    said = texture[0].as_dict()
    assert (said["patients"], said["events"], said["verdict"]["replication"]) == (12, 6, "insufficient")
    assert said["verdict"]["sentence"].startswith("6 events and 6 non-events")
    assert not said["permutation_invariant"]


def test_the_run_verifies_and_a_changed_score_is_named(texture: tuple[Audited, Path]) -> None:
    _, place = texture
    moved = shutil.copytree(place / "run", place / "moved")
    assert onclair_here("verify", moved, "--json").json["valid"]
    (moved / "validate" / "scores.csv").write_text("patient,score\n")
    said = onclair_here("verify", moved, "--json")
    assert [problem["file"] for problem in said.json["problems"]] == ["validate/scores.csv"]


def test_an_audit_given_again_takes_every_patient_as_it_stands(texture: tuple[Audited, Path], cohort: Path) -> None:
    done, place = texture
    again = audit(Audit(place / "m.toml", cohort, external=cohort, seeds=2, out=place / "run"))
    assert (again.reused, again.computed, again.seal.id) == (12, 0, done.seal.id)


def test_an_audit_that_was_cut_short_ends_with_the_same_seal(texture: tuple[Audited, Path], cohort: Path) -> None:
    done, place = texture
    cut = shutil.copytree(place / "run", place / "cut")
    (cut / "evidence.json").unlink()
    for name in ("validate", "report", "describe/P03", "describe/P07"):
        shutil.rmtree(cut / name)
    again = audit(Audit(place / "m.toml", cohort, external=cohort, seeds=2, out=cut))
    assert (again.reused, again.computed, again.seal.id) == (10, 2, done.seal.id)


def test_a_replay_comes_out_with_the_same_hashes_by_the_card_that_was_kept(texture: tuple[Audited, Path], cohort: Path) -> None:
    _, place = texture
    assert replay_audit(place / "run", external=cohort).equal
    with pytest.raises(BadInput, match="external"):
        replay_audit(place / "run")


def test_the_report_says_the_verdict_and_names_every_gate(texture: tuple[Audited, Path]) -> None:
    done, _ = texture
    assert done.report is not None
    page = done.report.read_text()
    assert "Insufficient" in page
    assert "too few to say whether" in page.replace("\u00a0", " ")
    assert all(f'data-gate="{name}"' in page for name in GATES)
    assert "<script" not in page


def test_a_score_that_is_volume_is_explained_by_volume_and_by_nothing_else_it_cannot_see(cohort: Path) -> None:
    done = audit(Audit("volume-only", cohort, seeds=1))
    assert done.claim.facts["verdict"]["explained_by"][0] == "volume"
    assert "intensity" not in done.claim.facts["verdict"]["explained_by"]
    assert done.claim.facts["permutation_invariant"]
    assert named(done)["spearman:model:volume"].value == pytest.approx(1.0)
    assert done.report is None


def test_an_intensity_survives_every_shuffle_and_is_called_so(uptake: tuple[Audited, Path]) -> None:
    facts = uptake[0].claim.facts
    assert facts["permutation_invariant"]
    assert "intensity" in facts["verdict"]["explained_by"]
    assert "proves nothing" in next(gate["reason"] for gate in facts["gates"] if gate["name"] == "controls")


def test_a_survey_counts_features_one_by_one(cohort: Path) -> None:
    said = audit(Audit("survey-texture-3d", cohort, seeds=1)).as_dict()
    assert set(said["survey"]) == {"features", "above", "still_above", "mean_auc", "mean_auc_shuffled", "median_spearman"}
    assert said["survey"]["features"] == 41
    assert 0 <= said["survey"]["still_above"] <= said["survey"]["above"] <= 41


def test_a_published_name_is_measured_by_its_own_engine(cohort: Path, tmp_path: Path, uptake: tuple[Audited, Path]) -> None:
    done = audit(Audit(card(tmp_path, "original_firstorder_Maximum", dialect="pyradiomics"), cohort, seeds=1))
    assert named(done)["auc:model"].value == named(uptake[0])["auc:model"].value
    assert done.claim.facts["permutation_invariant"]


def test_a_card_without_its_scaling_is_not_replicable(cohort: Path, tmp_path: Path) -> None:
    path = card(tmp_path, "stat_max")
    path.write_text(path.read_text().replace("coefficient = 1.0", 'coefficient = 1.0\ntransform = "z-score"'))
    said = audit(Audit(path, cohort, seeds=1)).as_dict()
    assert said["verdict"]["replication"] == "not_replicable"
    assert "feature.stat_max.mean" in said["card"]["missing"]
    assert "auc:model" not in {estimate["name"] for estimate in said["estimates"]}
    assert "auc:rival:volume" in {estimate["name"] for estimate in said["estimates"]}


def test_values_of_the_authors_are_compared_where_the_cohort_brings_them(
    cohort: Path, tmp_path: Path, uptake: tuple[Audited, Path]
) -> None:
    own = shutil.copytree(cohort, tmp_path / "own")
    values = pd.read_csv(uptake[1] / "validate" / "features.csv")
    values.to_csv(own / "authors.csv", index=False)
    gate = next(g for g in audit(Audit("suvmax-only", own, seeds=1)).claim.facts["gates"] if g["name"] == "extraction")
    assert gate["status"] == "passed"
    values.assign(stat_max=np.arange(12.0)).to_csv(own / "authors.csv", index=False)
    gate = next(g for g in audit(Audit("suvmax-only", own, seeds=1)).claim.facts["gates"] if g["name"] == "extraction")
    assert gate["status"] == "failed"


def test_a_feature_that_does_not_exist_offers_the_nearest(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cm_joint_entr_3D_comb"):
        audit(Audit(card(tmp_path, "cm_joint_entropy_3D_comb"), cohort))


def test_an_outcome_that_the_cohort_does_not_have_is_refused(cohort: Path, tmp_path: Path) -> None:
    path = card(tmp_path, "stat_max")
    path.write_text(path.read_text().replace('modality = "PET"', 'modality = "PET"\noutcome = "evnet"'))
    with pytest.raises(BadCohort, match="did you mean 'event'"):
        audit(Audit(path, cohort))


def test_a_damaged_file_stops_the_audit_and_the_others_are_kept(cohort: Path, tmp_path: Path) -> None:
    own = shutil.copytree(cohort, tmp_path / "own")
    image = own / "P02_pet.nii.gz"
    image.write_bytes(image.read_bytes()[:500])
    with pytest.raises(BadCase, match="P02"):
        audit(Audit("suvmax-only", own, seeds=1, out=tmp_path / "run"))
    shutil.copy(cohort / "P02_pet.nii.gz", image)
    done = audit(Audit("suvmax-only", own, seeds=1, out=tmp_path / "run"))
    assert (done.reused, done.computed) == (11, 1)
