"""Published vertebrae: the calibration of the log, the law of Crawford in 160, L2 between its discs, L4 from its density."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from onclair.science.bone.assess import BoneStrength, strength_of, strength_of_material
from onclair.science.bone.calibrate import by_tissues
from onclair.science.bone.cases import Plan, prepared, prepared_material
from onclair.science.bone.materials import KOPPERDAHL, modulus_mpa
from onclair.science.bone.specimen import Specimen
from onclair.science.bone.strength import crawford_n
from onclair.science.bone.tissue_samples import sampled
from onclair.science.bone.vertebral_body import body_of_labels, vertebral_body

QCT = "bone/vertebra_qct/sub-verse004_0000"
UNIT = (1.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def log(reference_data: Path) -> dict[str, float]:
    """The five HU of the published log."""
    text = (reference_data / f"{QCT}.txt").read_text(encoding="utf-8")
    words = {"adipose": "Adipose", "air": "Air", "blood": "Blood", "bone": "Cortical Bone", "muscle": "Skeletal Muscle"}
    return {tissue: float(re.search(rf"{name}\s+(-?[\d.]+)\s+[\d.]+\s+\d+ \[used\]", text)[1]) for tissue, name in words.items()}


@pytest.fixture(scope="module")
def l4(reference_data: Path) -> Specimen:
    """L4 with a sphere of 8 mm radius in the middle of its body."""
    folder = reference_data / "bone/fe_reference/vertebra_l4"
    density = np.load(folder / "density.npz")["density_zyx"].transpose(2, 1, 0).astype(float)
    labels = np.load(folder / "labels.npz")["labels_zyx"].transpose(2, 1, 0)
    middle = np.argwhere(labels == 20).mean(axis=0).reshape(3, 1, 1, 1)
    sphere = ((np.indices(labels.shape) - middle) ** 2).sum(axis=0) <= 64
    bone, body = np.isin(labels, (20, 48)), body_of_labels(labels, (20, 48), UNIT)
    return Specimen(density, np.zeros(density.shape), bone, body, sphere.astype(np.int32), np.eye(4))


@pytest.fixture(scope="module")
def assessed(l4: Specimen) -> BoneStrength:
    """The strength of L4 at its own millimetre, with a few outlines."""
    return strength_of(l4, Plan(samples=3, threads=2))


def test_the_calibration_of_the_log(log):
    found = by_tissues(log)
    assert found.effective_energy_kev == pytest.approx(97, abs=2)
    assert found.r2 == pytest.approx(0.9989, abs=0.0005)
    assert found.hu_to_density.slope == pytest.approx(0.000893, abs=0.00001)
    assert found.hu_to_density.intercept == pytest.approx(0.969, abs=0.004)
    assert float(found.density_mg_cc(300.0)) == pytest.approx(209, abs=7)


def test_the_law_of_crawford_in_160_vertebrae(reference_data):
    table = pd.read_csv(reference_data / "bone/vertebra_qct/verse19fem_AppendixA.csv")
    law = [crawford_n(k, h) for k, h in zip(table["Stiffness (linear) [N/mm]"], table["Model height [mm]"], strict=True)]
    assert len(table) == 160
    assert np.array(law) / 1000 == pytest.approx(table["F.Load (linear) [kN]"].to_numpy(), rel=1e-9)


def test_l2_between_its_discs(reference_data):
    image, mask = (np.asarray(nib.load(reference_data / f"{QCT}_vertebra_21_{what}.nii.gz").dataobj) for what in ("im", "seg"))
    modulus = np.where(mask > 0, modulus_mpa(KOPPERDAHL, image), 0.0)
    modulus[np.isin(mask, (5, 6))] = 2500.0
    plan = Plan(threads=2)
    found = strength_of_material(prepared_material(modulus, np.zeros(modulus.shape, np.int32), np.eye(4), plan), plan)
    assert found.height_mm == 37.0  # planes 23 and 60
    assert found.figures.stiffness_n_per_mm == pytest.approx(10_620, rel=0.003)
    assert found.figures.stiffness_n_per_mm == pytest.approx(12_362, rel=0.20)  # as published


def test_the_body_of_l4_is_found_without_its_own_label(l4):
    found = vertebral_body(l4.bone, UNIT)
    dice = 2 * (found & l4.body).sum() / (found.sum() + l4.body.sum())
    assert dice > 0.94
    slices = [np.flatnonzero(part.any(axis=(0, 1))) for part in (found, l4.body)]
    assert abs(slices[0][0] - slices[1][0]) <= 1
    assert abs(slices[0][-1] - slices[1][-1]) <= 1


def test_l4_from_its_density_is_as_stiff_as_published(assessed):
    assert assessed.figures.stiffness_n_per_mm == pytest.approx(23_300, rel=0.12)
    assert assessed.figures.stiffness_n_per_mm == pytest.approx(23_620, rel=0.003)
    assert assessed.height_mm == 36.0
    assert assessed.solution.removed_elements == 0


def test_coarser_voxels_make_l4_stiffer_by_what_the_interval_says(l4):
    ready = prepared(l4, Plan(voxel_mm=2.0))
    found = strength_of(l4, Plan(voxel_mm=2.0, threads=2))
    assert ready.spacing_mm == (2.0, 2.0, 2.0)
    assert found.figures.stiffness_n_per_mm == pytest.approx(24_480, rel=0.003)
    assert found.errors["voxels"] == pytest.approx(0.04)


def test_the_band_of_a_sphere_in_l4(assessed):
    stiffness = {step.assumption: step.stiffness_n_per_mm for step in assessed.band}
    assert stiffness["void"] < stiffness["tenth"] < stiffness["half"] <= stiffness["density"]
    assert 0.04 <= 1 - stiffness["void"] / stiffness["density"] <= 0.14
    assert stiffness["half"] / stiffness["density"] == pytest.approx(0.97, abs=0.01)
    assert stiffness["tenth"] / stiffness["density"] == pytest.approx(0.93, abs=0.01)


def test_the_interval_holds_the_whole_band_and_says_what_dominates(assessed):
    estimate = next(each for each in assessed.estimates() if each.name == "fe:strength")
    strengths = [step.strength_n for step in assessed.band]
    assert estimate.low <= min(strengths)
    assert max(strengths) <= estimate.high
    assert estimate.value == strengths[0]
    assert assessed.strength.dominant in estimate.method
    assert 0 < assessed.errors["outline"] < 0.05


def test_a_staging_scan_is_calibrated_without_its_enhanced_blood(reference_data):
    from onclair.io.scans import map_on, read_scan

    scan = read_scan(reference_data / "bone/ct_dicom_series")
    labels = map_on(scan, reference_data / "bone/ct_dicom_series/totalseg_labels.nii.gz", of="the labels")
    found = sampled(scan.image.array, labels, scan.image.affine, contrast=scan.facts.contrast)
    assert set(found.refused) == {"blood"}
    calibrated = by_tissues(found.hu)
    assert 80 <= calibrated.effective_energy_kev <= 110
    assert calibrated.r2 > 0.998
