"""Published numbers: the IBSI-1 reference values (Radiology 2020;295:328-338) and three sarcoma PET of its validation set."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from onclair.science.radiomics.aggregate import AGGREGATIONS
from onclair.science.radiomics.extract import Extraction, extract
from onclair.science.radiomics.features import Features

FAMILIES = ("morph", "stat", "ih", "ivh", "cm", "rlm")


def _loaded(image: Path, mask: Path):
    volume, outline = nib.load(image), nib.load(mask)
    spacing = [float(step) for step in volume.header.get_zooms()]
    return np.asarray(volume.dataobj), np.asarray(outline.dataobj) > 0, spacing


def _references(table: Path) -> dict[str, tuple[float, float]]:
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter=";") if row["reference value"]]
    ours = [row for row in rows if row["tag"].split("_")[0] in FAMILIES and "mask" not in row["tag"]]
    return {row["tag"]: (float(row["reference value"]), float(row["tolerance"])) for row in ours}


def _agrees(value: float, reference: float, tolerance: float) -> bool:
    """Tell whether a value, or it rounded to three significant digits, lies within tolerance."""
    slack = tolerance + 1e-9 * abs(reference)
    return any(abs(candidate - reference) <= slack for candidate in (value, float(f"{value:.3g}")))


def _off(features: Features, references: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float, float]]:
    compared = {tag: (features.values[tag], *reference) for tag, reference in references.items()}
    return {tag: figures for tag, figures in compared.items() if not _agrees(*figures)}


@pytest.fixture(scope="module")
def digital(reference_data: Path) -> tuple[Features, dict[str, tuple[float, float]]]:
    folder = reference_data / "radiomics" / "ibsi1"
    case = _loaded(folder / "digital_phantom_image.nii.gz", folder / "digital_phantom_mask.nii.gz")
    extraction = Extraction("none", aggregations=AGGREGATIONS, ivh_discretisation="none")
    return extract(*case, extraction), _references(folder / "ibsi_1_dig_phantom.csv")


@pytest.mark.parametrize(("family", "count"), [("morph", 25), ("stat", 18), ("ih", 23), ("ivh", 6), ("cm", 150), ("rlm", 96)])
def test_every_value_of_the_digital_phantom_is_within_the_tolerance_of_ibsi(digital, family, count):
    features, references = digital
    of_family = {tag: reference for tag, reference in references.items() if tag.split("_")[0] == family}
    assert len(of_family) == count
    assert _off(features, of_family) == {}


def test_the_digital_phantom_leaves_no_feature_undefined(digital):
    features, _ = digital
    assert features.reasons == {}
    assert np.isfinite(list(features.values.values())).all()


@pytest.mark.parametrize(
    ("tag", "value"), [("morph_moran_i", 0.03970), ("morph_geary_c", 0.97405), ("morph_volume", 556.3333), ("morph_area_mesh", 388.0706)]
)
def test_the_digital_phantom_has_the_figures_measured_to_more_digits(digital, tag, value):
    features, _ = digital
    assert features.values[tag] == pytest.approx(value, rel=2e-4)


def test_every_value_of_the_ct_phantom_in_configuration_a_is_within_the_tolerance_of_ibsi(reference_data):
    folder = reference_data / "radiomics" / "ibsi1"
    array, region, spacing = _loaded(folder / "ct_phantom_image.nii.gz", folder / "ct_phantom_mask.nii.gz")
    extraction = Extraction("fixed-width", width=25, range=(-500, 400), aggregations=AGGREGATIONS, ivh_discretisation="none")
    features = extract(np.rint(array), region, spacing, extraction)
    references = _references(folder / "ibsi_1_chest_config_a.csv")
    assert Counter(tag.split("_")[0] for tag in references) == {"morph": 25, "stat": 18, "ih": 23, "ivh": 6, "cm": 100, "rlm": 64}
    assert _off(features, references) == {}


@pytest.mark.parametrize(
    ("patient", "entropy", "non_uniformity"),
    [("STS_001", 6.177352, 34004.2295), ("STS_009", 7.732924, 163334.742), ("STS_030", 5.852521, 22712.6702)],
)
def test_texture_of_sarcoma_pet_is_what_another_engine_gives(reference_data, patient, entropy, non_uniformity):
    folder = reference_data / "radiomics" / "sts_pet"
    case = _loaded(folder / f"{patient}_pet.nii.gz", folder / f"{patient}_mask.nii.gz")
    values = extract(*case, Extraction("fixed-width", width=0.5, minimum=0.0, families=("glcm", "glrlm"))).values
    assert values["cm_joint_entr_3D_comb"] == pytest.approx(entropy, rel=1e-4)
    assert values["rlm_rlnu_3D_comb"] == pytest.approx(non_uniformity, rel=1e-4)
