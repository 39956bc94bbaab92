"""What the candidates of a patient add up to, and the strength of a bone as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bone_made import sphere, vertebra
from onclair.science.bone.bedside import NO_CALIBRATION, Scanned, strength_told
from onclair.science.bone.burden import burden, threatened
from onclair.science.bone.calibrate import Calibration, Line
from onclair.science.bone.labels import totalseg
from onclair.science.bone.lesions import Lesion, Skeleton, lesion_table
from onclair.science.bone.noise import noise_hu


def lesion(number: int, bone: str, level: str | None, side: Any, volume_ml: float, diameter_mm: float = 10.0) -> Lesion:
    sizes = (volume_ml, diameter_mm, diameter_mm, diameter_mm, diameter_mm)
    return Lesion(number, bone, level, side, None, *sizes, (0.0, 0.0, 0.0), "lytic", None, False, None, None, 50.0)


def test_candidates_add_up_by_their_scores() -> None:
    rows = (lesion(1, "rib", "7", "left", 2.0, 8.0), lesion(2, "vertebra", "L1", None, 1.0, 12.0), lesion(3, "rib", "8", "left", 4.0, 20.0))
    found = burden(rows, (0.5, 0.8, 0.25))
    assert found["lesion_score"] == pytest.approx(np.log(4.0))
    assert found["second_score"] == pytest.approx(0.0)
    assert (found["lesions_likely"], found["lesion_volume"], found["lesion_size"]) == (2.0, pytest.approx(2.8), 12.0)


def test_certain_scores_stay_finite() -> None:
    rows = (lesion(1, "rib", "7", "left", 1.0), lesion(2, "rib", "7", "left", 1.0))
    found = burden(rows, (1.0, 0.0))
    assert (found["lesion_score"], found["second_score"]) == (6.0, -6.0)


def test_rows_and_scores_of_different_lengths_are_no_burden() -> None:
    with pytest.raises(ValueError, match="shorter"):
        burden((lesion(1, "rib", "7", "left", 1.0), lesion(2, "rib", "7", "left", 1.0)), (0.5,))


def bones(**voxels: int) -> np.ndarray:
    """A line of voxels of each label, named as ``v31=5``."""
    return np.concatenate([np.full(n, int(name[1:])) for name, n in voxels.items()]).reshape(-1, 1, 1)


def test_the_bone_with_the_most_suspect_volume_is_threatened_and_sides_are_told_apart() -> None:
    labels = bones(v31=5, v75=9, v76=7)
    rows = (lesion(1, "vertebra", "L1", None, 3.0), lesion(2, "femur", None, "right", 2.0))
    assert threatened(rows, (0.2, 0.9), labels, totalseg()).title == "right femur"
    assert threatened(rows, (0.9, 0.2), labels, totalseg()).title == "L1"


def test_without_a_lesion_in_a_bone_that_bears_load_the_largest_such_bone_is_named() -> None:
    rib = (lesion(1, "rib", "7", "left", 9.0),)
    assert threatened(rib, (0.9,), bones(v31=5, v75=9, v98=50), totalseg()).title == "left femur"
    assert threatened(rib, (0.9,), bones(v98=50, v25=60), totalseg()) is None


CALIBRATED = Calibration("two-point", Line(0.8, -4.0), residual_mg_cc=5.0)


def scanned(calibration: Calibration | None = CALIBRATED, *, hole: bool = True, metal: bool = False) -> Scanned:
    made = vertebra(voxel_mm=2.0)
    labels = np.where(made.labels > 0, 31, 0)
    hu = np.where(made.labels > 0, made.hu(), 40.0)
    instances = np.zeros(labels.shape, np.int32)
    if hole:
        instances[sphere(made, (26.0, 22.0, 22.0), 5.0)] = 1
        hu = np.where(instances > 0, 150.0, hu)
    if metal:
        hu[12:16, 10:14, 10:12] = 3000.0
    rows = lesion_table(hu, made.affine, instances, Skeleton(labels, totalseg()))
    return Scanned(hu, made.affine, labels, totalseg(), instances, rows, calibration, 70.0)


def test_a_strength_is_told_with_its_band_its_load_and_the_plain_rules() -> None:
    scan, bone = scanned(), totalseg().bones[31]
    told = strength_told(scan, bone, voxel_mm=2.0, samples=2)
    assert (told["bone"], told["level"], told["case"], told["reason"]) == ("vertebra", "L1", "spine-compression", None)
    band = {step["assumption"]: step["strength_N"] for step in told["band"]}
    assert band["void"] < band["tenth"] < band["half"] <= band["density"] == told["value"]
    assert told["low"] <= min(band.values()) <= max(band.values()) <= told["high"]
    assert np.isfinite(told["rivals"]["ctra"])
    assert told["rivals"]["volume"] == pytest.approx(scan.lesions[0].volume_ml)
    assert told["rivals"]["mirels"] > 4
    assert told["rivals"]["size"] == pytest.approx((scan.labels == 31).sum() * 0.008)
    assert [task["load_N"] > 0 for task in told["load"]["tasks"]]


@pytest.mark.parametrize(
    ("scan", "label", "said"),
    [
        (scanned(None), 31, NO_CALIBRATION),
        (scanned(metal=True), 31, "Metal or its streaks lie in this bone"),
        (scanned(), 30, r"The bone that is asked about (L2) is not among the labels"),
        (scanned(), 98, "A left rib 7 is not loaded here"),
    ],
)
def test_a_strength_that_cannot_be_had_is_none_with_the_reason(scan: Scanned, label: int, said: str) -> None:
    told = strength_told(scan, totalseg().bones[label], voxel_mm=2.0, samples=0)
    assert (told["value"], told["low"], told["high"]) == (None, None, None)
    assert told["reason"].startswith(said)


def test_a_bone_that_the_scan_cuts_has_no_strength_but_a_reason() -> None:
    whole = scanned(hole=False)
    cut = Scanned(whole.hu[:, :, 8:], whole.affine, whole.labels[:, :, 8:], totalseg(), whole.instances[:, :, 8:], (), CALIBRATED)
    told = strength_told(cut, totalseg().bones[31], voxel_mm=2.0, samples=0)
    assert told["value"] is None
    assert told["reason"].startswith("The scan cuts this bone at its lower end")


def test_grain_is_that_of_soft_tissue_and_edges_hardly_count() -> None:
    rng = np.random.default_rng(3)
    hu = np.full((40, 40, 6), -1000.0)
    hu[5:35, 5:35] = 50.0
    hu[15:20, 15:20] = 900.0
    assert noise_hu(hu + rng.normal(0, 25, hu.shape)) == pytest.approx(25, rel=0.1)
