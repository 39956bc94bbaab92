"""A virtual cohort as DICOM: the same patients as its NIfTI, voxel for voxel, and virtual in every header."""

import numpy as np
import pandas as pd
import pydicom
import pytest

from onclair.io.cohorts import file_of, read_cohort
from onclair.io.dicom.outline import read_outline
from onclair.io.dicom.read import read_volume
from onclair.io.nifti import read_image, read_mask
from onclair.science.radiomics.extract import Extraction, extract
from onclair.virtual.radiomics import VirtualRadiomics, write, write_patient

TINY = {"patients": 2, "centres": 2, "field_mm": 96.0, "card_patients": 0}
FORMS = ("nifti", "dicom")
FEATURES = Extraction("fixed-width", width=0.5, minimum=0.0)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    place = tmp_path_factory.mktemp("forms")
    return [write(VirtualRadiomics(**TINY, form=form), place / form) for form in FORMS]


def uids(folder):
    return {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in (folder / "images").rglob("*.dcm")}


def test_both_forms_of_one_seed_give_the_same_features(pair):
    nifti, dicom = pair
    flat, drawn = read_image(nifti / "images/VP001_pet.nii.gz", "SUV", "PET"), read_mask(nifti / "images/VP001_mask.nii.gz")
    volume = read_volume(dicom / "images/VP001/pet")
    outline = read_outline(dicom / "images/VP001/rtstruct.dcm", volume.image).mask
    one = extract(flat.array, drawn.region(), flat.spacing_mm, FEATURES)
    other = extract(volume.image.array, outline.region(), volume.image.spacing_mm, FEATURES)
    assert dict(other.values) == pytest.approx(dict(one.values), rel=1e-4, nan_ok=True)


def test_both_forms_of_a_ct_hold_the_same_hounsfield_units_and_the_same_outline(tmp_path):
    for form in FORMS:
        write_patient(VirtualRadiomics(**TINY, modality="ct", form=form), tmp_path / form, 1)
    volume = read_volume(tmp_path / "dicom/images/VP002/ct")
    flat = read_image(tmp_path / "nifti/images/VP002_ct.nii.gz", "HU", "CT")
    assert volume.image.unit == "HU"
    assert np.array_equal(volume.image.array, flat.array)
    assert np.allclose(volume.image.affine, flat.affine)
    drawn = read_mask(tmp_path / "nifti/images/VP002_mask.nii.gz").region()
    assert np.array_equal(read_outline(tmp_path / "dicom/images/VP002/rtstruct.dcm", volume.image).mask.region(), drawn)


def test_rtstruct_and_seg_hold_the_outline_voxel_for_voxel(pair):
    nifti, dicom = pair
    drawn = read_mask(nifti / "images/VP001_mask.nii.gz").region()
    image = read_volume(dicom / "images/VP001/pet").image
    for name in ("rtstruct.dcm", "seg.dcm"):
        assert np.array_equal(read_outline(dicom / "images/VP001" / name, image).mask.region(), drawn)


def test_every_header_says_virtual_and_names_nobody(pair):
    files = sorted((pair[1] / "images").rglob("*.dcm"))
    assert len(files) > 20
    for path in files:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        assert "VIRTUAL" in header.PatientComments
        assert str(header.PatientName) == ""


def test_the_tables_lead_to_the_series_and_to_the_outline(pair):
    nifti, dicom = pair
    cohort = read_cohort(dicom)
    assert all(file_of(cohort, patient, kind).is_file() for patient in cohort.patients for kind in ("pet", "mask"))
    flat, deep = (pd.read_csv(folder / "acquisitions.csv") for folder in (nifti, dicom))
    pd.testing.assert_frame_equal(flat.drop(columns="path"), deep.drop(columns="path"))
    facts = read_volume(file_of(cohort, "VP002", "pet")).facts
    told = deep.query("patient == 'VP002' and kind == 'pet'").iloc[0]
    assert [facts[name] for name in ("model", "kernel", "slice_thickness_mm")] == [
        told["model"],
        told["kernel"],
        told["slice_thickness_mm"],
    ]


@pytest.mark.parametrize("change", [{"seed": 2}, {"truth": "noise"}], ids=["seed", "law"])
def test_two_cohorts_share_no_identifier(pair, tmp_path, change):
    write_patient(VirtualRadiomics(**{**TINY, "form": "dicom", **change}), tmp_path, 0)
    assert not uids(pair[1]) & uids(tmp_path)


def test_the_truth_is_the_same_in_both_forms(pair):
    kept = [{p.name: p.read_bytes() for p in (folder / "truth").iterdir()} for folder in pair]
    assert kept[0] == kept[1]
