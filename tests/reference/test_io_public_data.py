"""The named public data, laid out from a folder that holds the same files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onclair.io.cohorts import check_cohort, file_of
from onclair.io.nifti import read_image, read_mask
from onclair.io.registry import get
from onclair.io.tables import read_table


@pytest.fixture(scope="module")
def sarcoma(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return get("sts-pet", tmp_path_factory.mktemp("sts") / "cohort", mirror=reference_data / "radiomics")


def test_sts_pet_holds_51_patients_with_19_lung_metastases(sarcoma: Path):
    check = check_cohort(sarcoma, ("pet", "mask"))
    assert check.problems == ()
    assert check.notes == ()
    assert check.facts["patients"] == 51
    assert check.facts["centres"] == {"McGill": 51}
    assert check.facts["outcomes"] == {"lung_metastasis": {"n": 51, "events": 19}}
    assert check.cohort.about.units == {"pet": "SUV"}


def test_the_events_that_the_registry_states_are_those_of_the_published_table(sarcoma: Path, reference_data: Path):
    cohort = check_cohort(sarcoma).cohort
    published = read_table(reference_data / "radiomics" / "sts_pet" / "outcomes.csv", text=("subject",)).frame
    ours = cohort.truth(cohort.outcome(), published["subject"].tolist())
    assert ours.tolist() == published["lung_metastasis"].tolist()


def test_every_sarcoma_and_its_outline_share_one_grid_and_the_published_sizes(sarcoma: Path):
    cohort = check_cohort(sarcoma).cohort
    spacings, sizes = set(), []
    for patient in cohort.patients:
        pet = read_image(file_of(cohort, patient, "pet"), "SUV", "PET")
        mask = read_mask(file_of(cohort, patient, "mask")).on(pet)
        assert pet.array.dtype == np.float32
        spacings.add(tuple(round(s, 2) for s in pet.spacing_mm))
        sizes.append(int((mask.array > 0).sum()))
    assert spacings == {(3.91, 3.91, 3.27), (4.69, 4.69, 3.27), (5.47, 5.47, 3.27)}
    assert (min(sizes), max(sizes)) == (239, 30711)


def test_the_digital_phantom_has_74_voxels_of_2_mm(reference_data: Path, tmp_path: Path):
    cohort = check_cohort(get("ibsi1-digital", tmp_path / "phantom", mirror=reference_data / "radiomics")).cohort
    image = read_image(file_of(cohort, "digital", "image"), "a.u.")
    mask = read_mask(file_of(cohort, "digital", "mask"))
    assert image.array.shape == (5, 4, 4)
    assert image.spacing_mm == (2.0, 2.0, 2.0)
    assert int((mask.array > 0).sum()) == 74
    assert cohort.about.data == "virtual"


def test_the_two_centre_table_links_204_patients_167_as_spelled(reference_data: Path, tmp_path: Path):
    out = get("nsclc-radiogenomics-table", tmp_path / "nsclc", mirror=reference_data / "radiomics")
    check = check_cohort(out, ("features",))
    table = check.cohort.acquisitions
    exact = check.cohort.only(table.loc[table["match"] == "exact", "patient"])
    assert check.problems == ()
    assert (len(check.cohort.patients), len(exact.patients)) == (204, 167)
    assert int(exact.outcomes["event"].sum()) == 34
    assert int(exact.outcomes.loc[exact.outcomes["patient"].str.startswith("AMC"), "event"].sum()) == 4
    features = read_table(out / "features.csv", text=("patient",)).frame
    assert features.shape == (204, 103)
    assert features.set_index("patient").loc["R01-159"].isna().sum() == 8
    assert set(table["kernel"]) == set(table["contrast"]) == {0, 1}
