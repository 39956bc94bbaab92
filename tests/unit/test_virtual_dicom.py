"""A virtual cohort as DICOM: the same patients as its NIfTI, voxel for voxel, and virtual in every header."""

import numpy as np
import pandas as pd
import pydicom
import pytest

from onclair.io.cohorts import check_cohort
from onclair.io.dicom.outline import read_outline
from onclair.io.dicom.read import read_volume
from onclair.io.nifti import read_image, read_mask
from onclair.science.radiomics.extract import FAMILY_NAMES, Extraction, extract
from onclair.virtual.radiomics import VirtualRadiomics, write

TINY = {"patients": 2, "centres": 2, "field_mm": 96.0, "card_patients": 0}
FEATURES = {
    "pet": Extraction("fixed-width", width=0.5, minimum=0.0, families=FAMILY_NAMES),
    "ct": Extraction("fixed-width", width=25.0, minimum=-1000.0, families=("statistics", "glcm", "glrlm")),
}


@pytest.fixture(scope="module", params=["pet", "ct"])
def pair(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("forms")
    made = [write(VirtualRadiomics(**TINY, modality=request.param, form=form), place / form) for form in ("nifti", "dicom")]
    return request.param, *made


def test_both_forms_of_one_seed_give_the_same_features(pair):
    kind, nifti, dicom = pair
    unit, modality = ("SUV", "PET") if kind == "pet" else ("HU", "CT")
    for patient in ("VP001", "VP002"):
        flat = read_image(nifti / f"images/{patient}_{kind}.nii.gz", unit, modality)
        drawn = read_mask(nifti / f"images/{patient}_mask.nii.gz")
        volume = read_volume(dicom / f"images/{patient}/{kind}")
        outline = read_outline(dicom / f"images/{patient}/rtstruct.dcm", volume.image).mask
        one = extract(flat.array, drawn.region(), flat.spacing_mm, FEATURES[kind])
        other = extract(volume.image.array, outline.region(), volume.image.spacing_mm, FEATURES[kind])
        assert dict(other.values) == pytest.approx(dict(one.values), rel=1e-4, nan_ok=True)


def test_rtstruct_and_seg_hold_the_outline_voxel_for_voxel(pair):
    kind, nifti, dicom = pair
    drawn = read_mask(nifti / "images/VP001_mask.nii.gz").region()
    image = read_volume(dicom / f"images/VP001/{kind}").image
    for name in ("rtstruct.dcm", "seg.dcm"):
        assert np.array_equal(read_outline(dicom / "images/VP001" / name, image).mask.region(), drawn)


def test_every_header_says_virtual_and_names_nobody(pair):
    _, _, dicom = pair
    files = sorted((dicom / "images").rglob("*.dcm"))
    assert len(files) > 20
    for path in files:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        assert "VIRTUAL" in header.PatientComments
        assert str(header.PatientName) == ""


def test_the_tables_lead_to_the_series_and_to_the_outline(pair):
    kind, nifti, dicom = pair
    check = check_cohort(dicom, (kind, "mask"))
    assert check.problems == ()
    flat, deep = (pd.read_csv(folder / "acquisitions.csv").drop(columns="path") for folder in (nifti, dicom))
    pd.testing.assert_frame_equal(flat, deep)
    facts = read_volume(dicom / f"images/VP002/{kind}/0001.dcm").facts
    told = pd.read_csv(dicom / "acquisitions.csv").query("patient == 'VP002' and kind == @kind").iloc[0]
    assert [facts[name] for name in ("model", "kernel", "slice_thickness_mm")] == [
        told["model"],
        told["kernel"],
        told["slice_thickness_mm"],
    ]


def test_two_cohorts_share_no_identifier(pair, tmp_path):
    kind, _, dicom = pair
    other = write(VirtualRadiomics(**TINY, modality=kind, form="dicom", seed=2), tmp_path / "other")
    uids = [{pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID for p in folder.rglob("*.dcm")} for folder in (dicom, other)]
    assert not uids[0] & uids[1]
