"""Images with their label maps out of nnU-Net's, the Decathlon's and BIDS' layouts and of cohorts; what does not fit is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from layouts_made import AFFINE, SHAPE, bids, ct, labels, msd, nnunet, written
from onclair.core.errors import BadCase, BadCohort, BadGeometry, BadInput
from onclair.core.values import Image
from onclair.io.layouts.bids import read_bids
from onclair.io.layouts.label_maps import read_pair
from onclair.io.layouts.labelled import Owners
from onclair.io.layouts.msd import read_msd
from onclair.io.layouts.nnunet import read_nnunet
from onclair.io.layouts.pairs import pairs_of
from onclair.io.nifti import write_image


def cohort(root: Path, *, lesions: tuple[str, ...] = ("P1", "P2"), kind: str = "lesions") -> Path:
    rows = ["patient,centre,visit,kind,path"]
    for number, patient in enumerate(("P1", "P2")):
        ct(root / f"images/{patient}.nii.gz", number)
        rows.append(f"{patient},North,,ct,images/{patient}.nii.gz")
        if patient in lesions:
            labels(root / f"lesions/{patient}.nii.gz", 1, 2)
            rows.append(f"{patient},North,,{kind},lesions/{patient}.nii.gz")
    (root / "acquisitions.csv").write_text("\n".join(rows) + "\n")
    (root / "outcomes.csv").write_text("patient\nP1\nP2\n")
    (root / "cohort.toml").write_text('format = "onclair-cohort/1"\nunits.ct = "HU"\n')
    return root


def test_a_cohort_folder_gives_ct_and_lesions_as_instances(tmp_path: Path) -> None:
    found = pairs_of(cohort(tmp_path))
    assert [(p.case, p.patient, p.centre, p.label is not None) for p in found.pairs] == [
        ("P1", "P1", "North", True),
        ("P2", "P2", "North", True),
    ]
    assert (found.layout, found.instances, dict(found.labels)) == ("cohort", True, {0: "background", 1: "lesion"})


def test_a_cohort_that_names_its_values_holds_classes(tmp_path: Path) -> None:
    (cohort(tmp_path) / "labels.csv").write_text("kind,value,name\nlesions,0,background\nlesions,1,lytic\nlesions,2,blastic\n")
    found = pairs_of(tmp_path)
    assert (found.instances, found.labels[2]) == (False, "blastic")


def test_an_image_of_a_cohort_without_a_label_map_is_refused_by_patient(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"The ct of P2 has no 'lesions' in acquisitions\.csv"):
        pairs_of(cohort(tmp_path, lesions=("P1",)))


def test_nnunet_raw_gives_its_cases_and_the_names_of_its_labels(tmp_path: Path) -> None:
    found = pairs_of(nnunet(tmp_path))
    assert [(p.case, p.image.name, p.label.name) for p in found.pairs if p.label] == [
        ("bone_001", "bone_001_0000.nii.gz", "bone_001.nii.gz"),
        ("bone_002", "bone_002_0000.nii.gz", "bone_002.nii.gz"),
    ]
    assert (found.layout, found.instances, dict(found.labels)) == ("nnunet", False, {0: "background", 1: "lytic", 2: "blastic"})


def test_a_table_says_which_cases_are_of_one_patient(tmp_path: Path) -> None:
    (nnunet(tmp_path) / "patients.csv").write_text("case,patient,centre\nbone_001,P9,South\nbone_002,P9,South\n")
    assert {(p.patient, p.centre) for p in pairs_of(tmp_path).pairs} == {("P9", "South")}


def test_a_case_that_the_table_does_not_name_is_refused(tmp_path: Path) -> None:
    (nnunet(tmp_path) / "patients.csv").write_text("case,patient\nbone_001,P9\n")
    with pytest.raises(BadInput, match=r"The case bone_002 has no row in patients\.csv"):
        pairs_of(tmp_path)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("case,person\na,b\n", "lacks the column 'patient'"),
        ("case,patient\na,P1\na,P2\n", "names the case a twice"),
        ("case,patient\na,Marie Dupont\n", "looks like a name"),
    ],
)
def test_a_table_of_patients_that_cannot_be_used_is_refused(tmp_path: Path, table: str, sentence: str) -> None:
    (tmp_path / "patients.csv").write_text(table)
    with pytest.raises(BadCohort, match=sentence):
        Owners(tmp_path)


def test_cases_without_label_image_or_channel_are_left_out_by_name(tmp_path: Path) -> None:
    nnunet(tmp_path, ("a", "b", "c"))
    (tmp_path / "labelsTr/a.nii.gz").unlink()
    (tmp_path / "imagesTr/b_0000.nii.gz").unlink()
    (tmp_path / "imagesTr/c_0000.nii.gz").rename(tmp_path / "imagesTr/c.nii.gz")
    reasons = {one.item: one.reason for one in read_nnunet(tmp_path).left_out}
    assert "The image of a has no label map in labelsTr" in reasons["a"]
    assert "The case b has a label map and no image" in reasons["b"]
    assert "The image c.nii.gz has no channel number; call it c_0000.nii.gz" in reasons["c"]


def test_a_missing_channel_is_named(tmp_path: Path) -> None:
    nnunet(tmp_path, ("a",), channel_names={"0": "CT", "1": "PET"})
    assert "The case a has the channels [0], dataset.json names 2 from 0 on" in read_nnunet(tmp_path).left_out[0].reason


def test_regions_of_labels_are_named_by_the_smallest(tmp_path: Path) -> None:
    nnunet(tmp_path, labels={"background": 0, "whole": [1, 2], "core": [2]})
    assert read_nnunet(tmp_path).names["lesions"] == {0: "background", 1: "whole", 2: "core"}


def test_cases_listed_one_by_one_are_read_from_where_they_lie(tmp_path: Path) -> None:
    ct(tmp_path / "far/x.nii.gz")
    labels(tmp_path / "far/y.nii.gz", 1)
    nnunet(
        tmp_path,
        (),
        dataset={"one": {"images": ["far/x.nii.gz"], "label": "far/y.nii.gz"}, "out": {"images": ["../z.nii.gz"], "label": "far/y.nii.gz"}},
    )
    found = read_nnunet(tmp_path)
    assert [(case.name, case.images["ct"].name) for case in found.cases] == [("one", "x.nii.gz")]
    assert "no path inside the folder" in found.left_out[0].reason


def test_another_number_of_cases_than_announced_is_said(tmp_path: Path) -> None:
    assert [note["code"] for note in read_nnunet(nnunet(tmp_path, numTraining=7)).notes] == ["other_count"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"file_ending": ".mha"}, r"holds \.mha files"),
        ({"labels": None}, "dataset.json says labels = None"),
        ({"channel_names": {"1": "CT"}}, "write the channels by number"),
        ({"labels": {"a": -1}}, "values are whole numbers from 0 on"),
    ],
)
def test_a_dataset_json_that_cannot_be_used_is_refused(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_nnunet(nnunet(tmp_path, **change))


def test_a_dataset_json_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(BadInput, match="is no JSON"):
        pairs_of(tmp_path)


def test_a_folder_in_no_known_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is in no layout that is known; it should hold cohort\.toml"):
        pairs_of(tmp_path)


def test_the_decathlon_gives_its_listed_pairs_and_its_shadows_are_no_files(tmp_path: Path) -> None:
    found = pairs_of(msd(tmp_path))
    assert [(p.case, p.label is not None) for p in found.pairs] == [("la_001", False), ("la_003", True), ("la_007", True)]
    assert found.layout == "msd"


def test_files_of_the_decathlon_that_are_missing_or_unlisted_are_left_out_by_name(tmp_path: Path) -> None:
    msd(tmp_path)
    (tmp_path / "labelsTr/la_003.nii.gz").unlink()
    ct(tmp_path / "imagesTr/extra.nii.gz")
    reasons = [one.reason for one in read_msd(tmp_path).left_out]
    assert any("The image of la_003 has no label map: there is no file ./labelsTr/la_003.nii.gz" in r for r in reasons)
    assert any("imagesTr/extra.nii.gz is not listed" in r for r in reasons)


def test_four_dimensional_images_of_the_decathlon_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds 2 modalities \(t1, t2\) in 4-D files"):
        read_msd(msd(tmp_path, modality={"0": "T1", "1": "T2"}))


def test_bids_gives_subjects_sessions_sites_and_several_masks(tmp_path: Path) -> None:
    found = read_bids(bids(tmp_path))
    assert [(c.name, c.patient, c.visit, c.centre, sorted(c.labels)) for c in found.cases] == [
        ("sub-01_ses-a", "01", "a", "North", ["bones", "lesions"]),
        ("sub-01_ses-b", "01", "b", "North", ["bones", "lesions"]),
        ("sub-02_ses-a", "02", "a", "South", ["bones", "lesions"]),
    ]
    assert found.names["bones"] == {27: "L5", 32: "T12"}
    assert found.left_out == ()


def test_verse_names_are_read_as_bids(tmp_path: Path) -> None:
    ct(tmp_path / "rawdata/sub-verse004/sub-verse004_ct.nii.gz")
    labels(tmp_path / "derivatives/sub-verse004/sub-verse004_seg-vert_msk.nii.gz", 21)
    (case,) = read_bids(tmp_path).cases
    assert (case.patient, case.visit, sorted(case.labels)) == ("verse004", "", ["lesions"])


def test_masks_and_images_of_bids_that_have_no_partner_are_left_out_by_name(tmp_path: Path) -> None:
    ct(tmp_path / "sub-1/ct/sub-1_ct.nii.gz")
    ct(tmp_path / "sub-2/ct/scan.nii.gz")
    labels(tmp_path / "derivatives/x/sub-3/ct/sub-3_dseg.nii.gz", 1)
    reasons = {one.item: one.reason for one in read_bids(tmp_path).left_out}
    assert "The image sub-1_ct.nii.gz has no mask among the derivatives" in reasons["sub-1"]
    assert "scan.nii.gz has no BIDS name" in reasons["scan.nii.gz"]
    assert "is of no image here" in reasons["sub-3_dseg.nii.gz"]


def test_a_run_keeps_its_own_mask(tmp_path: Path) -> None:
    for run in ("1", "2"):
        ct(tmp_path / f"sub-1/ct/sub-1_run-{run}_ct.nii.gz")
        labels(tmp_path / f"derivatives/x/sub-1/ct/sub-1_run-{run}_dseg.nii.gz", 1)
    assert [(c.visit, c.labels["lesions"].name) for c in read_bids(tmp_path).cases] == [
        ("run-1", "sub-1_run-1_dseg.nii.gz"),
        ("run-2", "sub-1_run-2_dseg.nii.gz"),
    ]


def test_a_pair_is_opened_on_the_axes_of_its_image(tmp_path: Path) -> None:
    nnunet(tmp_path, ("a",))
    flipped = AFFINE.copy()
    flipped[:, 0], flipped[0, 3] = -AFFINE[:, 0], AFFINE[0, 3] + 2.0 * (SHAPE[0] - 1)
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[SHAPE[0] - 1, 2, 3] = 2  # the first column of the image
    write_image(tmp_path / "labelsTr/a.nii.gz", Image(drawn, flipped, "a.u."))
    found = pairs_of(tmp_path)
    image, values = read_pair(found.pairs[0], found.labels)
    assert np.argwhere(values).tolist() == [[0, 2, 3]]
    assert image.unit == "HU"


def test_a_label_map_on_another_grid_is_refused_by_the_name_of_its_case(tmp_path: Path) -> None:
    nnunet(tmp_path, ("a",))
    labels(tmp_path / "labelsTr/a.nii.gz", 1, affine=AFFINE + np.array([[0, 0, 0, 5.0], [0] * 4, [0] * 4, [0] * 4]))
    found = pairs_of(tmp_path)
    with pytest.raises(BadGeometry, match=r"The label map of a lies on another grid: .*shifted by 5\.00 mm"):
        read_pair(found.pairs[0], found.labels)


def test_a_value_that_no_label_names_is_refused_by_the_name_of_its_case(tmp_path: Path) -> None:
    nnunet(tmp_path, ("a",))
    labels(tmp_path / "labelsTr/a.nii.gz", 1, 7)
    found = pairs_of(tmp_path)
    with pytest.raises(BadCase, match=r"The label map of a holds the value 7, which no label names \(known: 0, 1, 2\)"):
        read_pair(found.pairs[0], found.labels)


def test_a_value_that_is_no_whole_number_is_refused(tmp_path: Path) -> None:
    nnunet(tmp_path, ("a",))
    write_image(tmp_path / "labelsTr/a.nii.gz", Image(np.full(SHAPE, 0.5, np.float32), AFFINE, "a.u."))
    with pytest.raises(BadCase, match=r"The label map of a holds the value 0\.5, which is no label"):
        read_pair(pairs_of(tmp_path).pairs[0])


def test_several_channels_make_no_pair(tmp_path: Path) -> None:
    nnunet(tmp_path, ("a",), channel_names={"0": "CT", "1": "PET"})
    ct(tmp_path / "imagesTr/a_0001.nii.gz")
    with pytest.raises(BadInput, match=r"has 2 images \(ct, pet\) and 1 label maps"):
        pairs_of(tmp_path)


def test_a_layout_says_that_nobody_is_shown(tmp_path: Path) -> None:
    assert read_nnunet(nnunet(tmp_path, description="VIRTUAL: simulated, nobody is shown")).about.data == "virtual"
    document = json.loads((tmp_path / "dataset.json").read_text())
    written(tmp_path, document | {"description": "Metastases"})
    assert read_nnunet(tmp_path).about.data == "real"
