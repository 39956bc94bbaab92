"""Virtual PET cohorts: reproducible, said to be virtual everywhere, knobs apart, law kept."""

import hashlib
import json
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest
from sklearn.metrics import roc_auc_score

from onclair.core.errors import BadSetting, NoRoom
from onclair.virtual.radiomics import VirtualRadiomics, correlation_of, draw_knobs, knob_atoms, law_of, truth_record, write
from onclair.virtual.textures import relative_uptake

TINY = {"patients": 6, "centres": 3, "field_mm": 96.0, "card_patients": 0}
KNOBS = ["volume_z", "texture_z", "intensity_z"]


def backwards(function, items):
    done = {item: function(item) for item in reversed(list(items))}
    return [done[item] for item in sorted(done)]


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Path:
    return write(VirtualRadiomics(**TINY), tmp_path_factory.mktemp("virtual") / "cohort")


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    return pd.DataFrame([draw_knobs(VirtualRadiomics(patients=3000), i) for i in range(3000)])


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_of_the_patients(cohort, tmp_path):
    again = write(VirtualRadiomics(**TINY), tmp_path / "again", map=backwards)
    assert digests(again) == digests(cohort)


def test_another_seed_gives_other_patients(cohort, tmp_path):
    other = write(VirtualRadiomics(**{**TINY, "patients": 2}, seed=2), tmp_path / "other")
    assert digests(other)["images/VP001_pet.nii.gz"] != digests(cohort)["images/VP001_pet.nii.gz"]


def test_a_larger_cohort_begins_with_the_smaller_one(cohort, tmp_path):
    smaller = write(VirtualRadiomics(**{**TINY, "patients": 2}), tmp_path / "smaller")
    assert digests(smaller)["images/VP002_pet.nii.gz"] == digests(cohort)["images/VP002_pet.nii.gz"]


def test_every_record_says_virtual(cohort):
    assert 'data = "virtual"' in (cohort / "cohort.toml").read_text()
    assert json.loads((cohort / "truth.json").read_text())["data"] == "virtual"
    images = sorted(cohort.rglob("*.nii.gz"))
    assert len(images) == 5 * TINY["patients"] + 2
    assert all(nibabel.load(p).header["descrip"].tobytes().startswith(b"virtual") for p in images)


def test_every_acquisition_exists_and_its_outline_lies_on_the_grid_of_its_image(cohort):
    table = pd.read_csv(cohort / "acquisitions.csv")
    assert set(table["kind"]) == {"pet", "mask"}
    assert set(table["visit"]) == {"t0"}
    for _, files in table.groupby("patient"):
        image, mask = (nibabel.load(cohort / p) for p in files.sort_values("kind", ascending=False)["path"])
        assert image.shape == mask.shape
        assert np.allclose(image.affine, mask.affine)


def test_readers_outline_the_lesion_well_but_not_perfectly(cohort):
    for patient in pd.read_csv(cohort / "truth.csv")["patient"]:
        drawn, true = (nibabel.load(cohort / f"{w}/{patient}_mask.nii.gz").get_fdata() > 0 for w in ("images", "truth"))
        assert 0.7 < 2 * (drawn & true).sum() / (drawn.sum() + true.sum()) < 1.0


def test_the_true_outline_holds_the_true_volume(cohort):
    truth = pd.read_csv(cohort / "truth.csv").set_index("patient")
    for patient, row in truth.iterrows():
        mask = nibabel.load(cohort / f"truth/{patient}_mask.nii.gz")
        assert (mask.get_fdata() > 0).sum() * np.prod(mask.header.get_zooms()) / 1000 == pytest.approx(row["volume_ml"], rel=0.15)


def test_the_lesion_is_seen_whole_within_the_image(cohort):
    for path in sorted((cohort / "truth").glob("*_mask.nii.gz")):
        inside = nibabel.load(path).get_fdata() > 0
        assert all(not np.take(inside, edge, axis).any() for axis in range(3) for edge in (0, -1))


def test_the_uptake_of_the_true_lesion_is_what_the_knob_says(cohort):
    truth = pd.read_csv(cohort / "truth.csv").set_index("patient")
    for patient, row in truth.iterrows():
        activity, mask = (nibabel.load(cohort / f"truth/{patient}_{w}.nii.gz").get_fdata() for w in ("activity", "mask"))
        assert activity[mask > 0].mean() == pytest.approx(row["suv_mean"], rel=0.25)


def test_the_truth_tells_that_fine_textures_were_given_more_contrast(cohort):
    truth = pd.read_csv(cohort / "truth.csv").sort_values("correlation_mm")
    assert truth["uptake_cv"].iloc[0] > truth["uptake_cv"].iloc[-1]
    assert "uptake_cv" in json.loads((cohort / "truth.json").read_text())["histogram"]


def test_a_longer_knob_is_a_longer_correlation_whatever_the_field():
    lengths = [[correlation_of(knob, field) for knob in (-2.3, 0.0, 2.3)] for field in (96.0, 160.0)]
    assert all(4.0 < a < b < c for a, b, c in lengths)


def test_a_retest_shows_the_same_lesion_with_other_noise(cohort):
    first, second = (nibabel.load(cohort / p).get_fdata() for p in ("images/VP001_pet.nii.gz", "truth/VP001_retest_pet.nii.gz"))
    inside = nibabel.load(cohort / "truth/VP001_mask.nii.gz").get_fdata() > 0
    assert not np.array_equal(first, second)
    assert first[inside].mean() == pytest.approx(second[inside].mean(), rel=0.05)


def test_outcomes_hold_the_event_and_nothing_that_betrays_it(cohort):
    assert list(pd.read_csv(cohort / "outcomes.csv").columns) == ["patient", "event"]
    assert list(pd.read_csv(cohort / "semantic.csv").columns) == ["patient", "texture_score", "size_score", "uptake_score"]


def test_the_scanner_of_each_image_is_told_as_a_header_tells_it(cohort):
    table = pd.read_csv(cohort / "acquisitions.csv")
    images = table[table["kind"] == "pet"]
    assert images.groupby("centre")[["model", "kernel"]].nunique().eq(1).all().all()
    assert images["kernel"].nunique() == TINY["centres"]
    assert table.loc[table["kind"] == "mask", "kernel"].isna().all()


def test_without_noise_the_image_is_the_mean_of_what_the_scanner_shows(cohort):
    free = nibabel.load(cohort / "truth/VP001_noise_free.nii.gz").get_fdata()
    shown = [nibabel.load(cohort / p).get_fdata() for p in ("images/VP001_pet.nii.gz", "truth/VP001_retest_pet.nii.gz")]
    apart = [np.std(one - free) for one in shown]
    assert np.std(np.mean(shown, axis=0) - free) == pytest.approx(np.mean(apart) / np.sqrt(2), rel=0.15)


def test_the_truth_holds_the_risk_of_every_patient_and_where_its_files_lie(cohort):
    truth = json.loads((cohort / "truth.json").read_text())
    outcomes = pd.read_csv(cohort / "outcomes.csv").set_index("patient")["event"]
    assert {row["patient"]: row["event"] for row in truth["patients"]} == outcomes.to_dict()
    for row in truth["patients"]:
        assert row["risk"] == pytest.approx(1 / (1 + np.exp(-row["linear_predictor"])))
    assert all((cohort / path.replace("PATIENT", "VP001")).is_file() for path in truth["files"].values())


def test_the_reader_scores_each_knob_with_the_error_that_is_stated(drawn):
    error = truth_record(VirtualRadiomics())["reader_error_sd"]
    for score, knob in (("texture_score", "texture_z"), ("size_score", "volume_z"), ("uptake_score", "intensity_z")):
        inner = drawn[drawn[knob].abs() < 0.5]
        assert (inner[score] - 3 - inner[knob]).std() == pytest.approx(np.sqrt(error**2 + 1 / 12), rel=0.06)


def test_no_card_is_written_when_none_is_asked_for(cohort):
    assert not (cohort / "card.toml").exists()


@pytest.mark.parametrize(("one", "other"), [(0, 1), (0, 2), (1, 2)])
def test_volume_texture_and_intensity_are_separate_knobs(drawn, one, other):
    assert abs(drawn[KNOBS[one]].corr(drawn[KNOBS[other]])) < 4 / np.sqrt(len(drawn))


@pytest.mark.parametrize("truth", ["volume", "texture", "batch", "noise"])
def test_the_knobs_do_not_depend_on_the_law(drawn, truth):
    row = draw_knobs(VirtualRadiomics(truth=truth), 7)
    assert [row[k] for k in KNOBS] == drawn.loc[7, KNOBS].tolist()


def test_texture_and_volume_can_be_tied_on_request():
    tied = pd.DataFrame([draw_knobs(VirtualRadiomics(texture_with_volume=0.6), i) for i in range(1500)])
    assert tied["texture_z"].corr(tied["volume_z"]) == pytest.approx(0.6, abs=0.06)


@pytest.mark.parametrize("truth", ["volume", "texture", "batch", "noise"])
def test_the_true_risk_discriminates_as_well_as_stated_and_half_the_patients_have_the_event(truth):
    settings = VirtualRadiomics(truth=truth)
    rows = pd.DataFrame([draw_knobs(settings, i) for i in range(1800)])
    assert roc_auc_score(rows["event"], rows["risk"]) == pytest.approx(truth_record(settings)["best_auc"], abs=0.03)
    assert rows["event"].mean() == pytest.approx(0.5, abs=0.04)


def test_risks_are_calibrated(drawn):
    for low in np.arange(0, 1, 0.25):
        group = drawn[(drawn["risk"] >= low) & (drawn["risk"] < low + 0.25)]
        assert group["event"].mean() == pytest.approx(group["risk"].mean(), abs=4 * np.sqrt(0.25 / len(group)))


def test_under_the_batch_law_only_the_centre_decides():
    rows = pd.DataFrame([draw_knobs(VirtualRadiomics(truth="batch"), i) for i in range(1800)])
    assert rows.groupby("centre_z")["risk"].nunique().eq(1).all()
    assert abs(rows["event"].corr(rows["volume_z"])) < 0.1
    assert rows["event"].corr(rows["centre_z"]) > 0.5


def test_the_batch_law_with_one_centre_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadSetting, match="at least 2"):
        write(VirtualRadiomics(truth="batch", centres=1), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(NoRoom, match="is not empty; nothing was replaced"):
        write(VirtualRadiomics(**TINY), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_law_is_refused():
    with pytest.raises(BadSetting, match="truth"):
        VirtualRadiomics.read({"truth": "luck"})


def test_every_patient_is_heard_of_once(tmp_path):
    heard = []
    write(VirtualRadiomics(**{**TINY, "patients": 3}), tmp_path / "out", progress=heard.append)
    assert [(e.done, e.total, e.item) for e in heard] == [(1, 3, "VP001"), (2, 3, "VP002"), (3, 3, "VP003")]


def test_the_noise_law_leaves_nothing_to_find():
    settings = VirtualRadiomics(truth="noise")
    assert law_of(settings).risk(knob_atoms(settings)).tolist() == [0.5]


def test_uptake_inside_a_lesion_follows_the_one_law_of_mean_one():
    uptake = relative_uptake((np.arange(20000) + 0.5) / 20000)
    assert uptake.mean() == pytest.approx(1.0, abs=1e-4)
    assert 0.1 < uptake.min() < uptake.max() < 2.8
    assert kstest(uptake[::40], lambda v: np.interp(v, uptake, (np.arange(20000) + 0.5) / 20000)).statistic < 0.01
