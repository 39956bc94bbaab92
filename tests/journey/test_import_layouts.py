"""From nnU-Net, the Decathlon and BIDS into a cohort and back, by the command line: the same bytes, names and people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from commandline import Said, onclair_here
from layouts_made import bids, content, ct, labels, msd, nnunet
from onclair.io.cohorts import read_cohort
from onclair.io.layouts.pairs import pairs_of
from onclair.io.nifti import read_image

OURS = ("cohort.toml", "acquisitions.csv", "outcomes.csv", "labels.csv", "patients.csv")


def brought(layout: str, source: Path, out: Path, *more: str) -> Said:
    return onclair_here("cohort", "import", layout, source, "--out", out, "--workers", "1", "--json", *more)


def given_back(layout: str, cohort: Path, out: Path, *more: str) -> Said:
    return onclair_here("cohort", "export", layout, cohort, "--out", out, "--workers", "1", "--json", *more)


@pytest.mark.parametrize(("layout", "make"), [("nnunet", nnunet), ("msd", msd), ("bids", bids)])
def test_a_data_set_comes_back_byte_for_byte(layout: str, make: Callable[[Path], Path], tmp_path: Path) -> None:
    source = make(tmp_path / "in")
    assert brought(layout, source, tmp_path / "cohort").code == 0
    assert given_back(layout, tmp_path / "cohort", tmp_path / "out").code == 0
    assert content(tmp_path / "out") == content(source)


@pytest.mark.parametrize(("layout", "make"), [("nnunet", nnunet), ("msd", msd), ("bids", bids)])
def test_what_was_imported_is_a_cohort_that_the_house_accepts(layout: str, make: Callable[[Path], Path], tmp_path: Path) -> None:
    brought(layout, make(tmp_path / "in"), tmp_path / "cohort")
    assert read_cohort(tmp_path / "cohort").about.units == {"ct": "HU"}
    said = onclair_here("cohort", "check", tmp_path / "cohort")
    assert said.code == 0, said.err
    assert "Every patient can be used." in said.out


@pytest.mark.parametrize("through", ["nnunet", "msd", "bids"])
def test_a_cohort_survives_each_layout_with_its_people_labels_and_voxels(through: str, tmp_path: Path) -> None:
    source = nnunet(tmp_path / "in")
    (source / "patients.csv").write_text("case,patient,centre\nbone_001,P-7,North\nbone_002,P-7,North\n")
    brought("nnunet", source, tmp_path / "first")
    assert given_back(through, tmp_path / "first", tmp_path / "other").code == 0
    assert brought(through, tmp_path / "other", tmp_path / "again").code == 0
    before, after = pairs_of(tmp_path / "first"), pairs_of(tmp_path / "again")
    assert dict(before.labels) == dict(after.labels)
    assert [(p.patient, p.centre, p.case) for p in before.pairs] == [(p.patient, p.centre, p.case) for p in after.pairs]
    for one, other in zip(before.pairs, after.pairs, strict=True):
        assert one.image.read_bytes() == other.image.read_bytes()
        assert one.label is not None
        assert other.label is not None
        assert one.label.read_bytes() == other.label.read_bytes()


def test_the_answer_counts_and_no_file_is_copied_where_a_second_name_will_do(tmp_path: Path) -> None:
    source = nnunet(tmp_path / "in")
    answer = brought("nnunet", source, tmp_path / "cohort").json
    assert (answer["cases"], answer["patients"], answer["acquisitions"]) == (2, 2, {"ct": 2, "lesions": 2})
    image = source / "imagesTr/bone_001_0000.nii.gz"
    assert (tmp_path / "cohort/imagesTr/bone_001_0000.nii.gz").samefile(image)


def test_an_image_without_label_is_refused_by_name_and_nothing_is_written(tmp_path: Path) -> None:
    source = nnunet(tmp_path / "in")
    (source / "labelsTr/bone_002.nii.gz").unlink()
    said = brought("nnunet", source, tmp_path / "cohort")
    assert said.code == 2
    assert "The image of bone_002 has no label map in labelsTr" in said.err
    assert "--skip-bad goes on with the rest" in said.err
    assert not (tmp_path / "cohort").exists()


def test_skip_bad_lists_every_bad_case_and_brings_the_rest(tmp_path: Path) -> None:
    source = nnunet(tmp_path / "in", ("a", "b", "c", "d"))
    (source / "labelsTr/a.nii.gz").unlink()
    labels(source / "labelsTr/b.nii.gz", 1, 9)
    labels(source / "labelsTr/c.nii.gz", 1, shape=(6, 5, 3))
    said = brought("nnunet", source, tmp_path / "cohort", "--skip-bad")
    assert said.code == 0
    reasons = {one["item"]: one["reason"] for one in said.json["left_out"]}
    assert "has no label map" in reasons["a"]
    assert "holds the value 9, which no label names" in reasons["b"]
    assert "lies on another grid" in reasons["c"]
    assert [pair.case for pair in pairs_of(tmp_path / "cohort").pairs] == ["d"]


def test_nothing_that_can_be_used_is_refused_even_with_skip_bad(tmp_path: Path) -> None:
    source = nnunet(tmp_path / "in", ("a",))
    (source / "labelsTr/a.nii.gz").unlink()
    said = brought("nnunet", source, tmp_path / "cohort", "--skip-bad")
    assert said.code == 2
    assert "Nothing in" in said.err


def test_numbers_of_lesions_become_one_label_and_are_kept_beside(tmp_path: Path) -> None:
    home = tmp_path / "cohort"
    ct(home / "images/P1.nii.gz")
    labels(home / "masks/P1.nii.gz", 1, 2, 3)
    (home / "acquisitions.csv").write_text(
        "patient,centre,visit,kind,path\nP1,North,,ct,images/P1.nii.gz\nP1,North,,lesions,masks/P1.nii.gz\n"
    )
    (home / "outcomes.csv").write_text("patient,metastasis\nP1,1\n")
    (home / "cohort.toml").write_text(
        'format = "onclair-cohort/1"\ndata = "virtual"\nunits.ct = "HU"\noutcomes.metastasis.kind = "binary"\n'
    )
    answer = given_back("nnunet", home, tmp_path / "raw").json
    assert {note["code"] for note in answer["warnings"]} == {"instances_joined", "stayed_behind"}
    assert np.unique(read_image(tmp_path / "raw/labelsTr/P1.nii.gz", "a.u.").array).tolist() == [0, 1]
    document = json.loads((tmp_path / "raw/dataset.json").read_text())
    assert document["labels"] == {"background": 0, "lesion": 1}
    assert document["description"].startswith("VIRTUAL")
    brought("nnunet", tmp_path / "raw", tmp_path / "again")
    (pair,) = pairs_of(tmp_path / "again").pairs
    assert pair.label is not None
    assert pair.label.read_bytes() == (home / "masks/P1.nii.gz").read_bytes()
    assert read_cohort(tmp_path / "again").about.data == "virtual"


def test_a_cohort_without_label_maps_says_what_it_has(tmp_path: Path) -> None:
    brought("nnunet", nnunet(tmp_path / "in"), tmp_path / "cohort")
    said = given_back("nnunet", tmp_path / "cohort", tmp_path / "out", "--labels", "lesion")
    assert said.code == 2
    assert "has no files of the kind 'lesion'; did you mean 'lesions'" in said.err


def test_cases_that_were_added_to_the_cohort_are_exported_with_the_old_document(tmp_path: Path) -> None:
    brought("msd", msd(tmp_path / "in"), tmp_path / "cohort")
    home = tmp_path / "cohort"
    ct(home / "imagesTr/la_009.nii.gz")
    labels(home / "labelsTr/la_009.nii.gz", 1)
    table = home / "acquisitions.csv"
    rows = "la_009,unknown,,ct,imagesTr/la_009.nii.gz\nla_009,unknown,,lesions,labelsTr/la_009.nii.gz\n"
    table.write_text(table.read_text() + rows)
    assert given_back("msd", home, tmp_path / "out").code == 0
    document = json.loads((tmp_path / "out/dataset.json").read_text())
    assert [Path(one["image"]).name for one in document["training"]] == ["la_007.nii.gz", "la_003.nii.gz", "la_009.nii.gz"]
    assert (document["numTraining"], document["name"], document["test"]) == (3, "BONE", ["./imagesTs/la_001.nii.gz"])
