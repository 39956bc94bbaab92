"""What hospitals hand in by mistake, through the commands of radiomics: one sentence, exit 2, nothing lost."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

from commandline import Said, onclair_here
from dicom_made import AFFINE, change, ct_series, pet_series, ring_mask
from extraction_made import write_cohort_of
from onclair.core.values import Mask
from onclair.io.dicom.write import Injection
from onclair.io.dicom.write_outlines import write_rtstruct

FEW = 'bins = 8\nfamilies = ["statistics"]\n'
CARD = """[card]
name = "texture"
claim = "predicts the event"
modality = "PET"
outcome = "event"
[preprocessing]
dialect = "ibsi"
discretise = {method = "fixed-width", width = 0.5, minimum = 0.0}
[[feature]]
tag = "TAG"
coefficient = 1.0
[model]
kind = "logistic"
"""
FOREIGN = ("Traceback", "Error:", "<class", "numpy", "errno")


def says(said: Said, *words: str) -> None:
    """Assert that a command was refused in one sentence with these words in it, and printed nothing else."""
    assert (said.code, said.out) == (2, "")
    lines = [line for line in said.err.splitlines() if not line.startswith(("audit:", "extract:", "describe:"))]
    assert len(lines) == 1, said.err
    assert lines[0].endswith((".", "?"))
    assert not [word for word in FOREIGN if word in lines[0]], lines[0]
    assert not [word for word in words if word not in lines[0]], lines[0]


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    """A PET in BQML with its RTSTRUCT."""
    pet = pet_series(tmp_path / "pet", injection=Injection())
    write_rtstruct(tmp_path / "rs.dcm", Mask(ring_mask().array[:1], AFFINE, ("GTV",)), pet)
    (tmp_path / "few.toml").write_text(FEW)
    return tmp_path


def extract(place: Path, *more: str | Path) -> Said:
    words = ("--image", place / "pet", "--mask", place / "rs.dcm", "--settings", place / "few.toml", *more)
    return onclair_here("radiomics", "extract", *words, "--json")


def no_slice(place: Path) -> None:
    sorted((place / "pet").glob("*.dcm"))[2].unlink()


def slice_twice(place: Path) -> None:
    data = pydicom.dcmread(sorted((place / "pet").glob("*.dcm"))[2])
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{data.SOPInstanceUID}.9"
    data.save_as(place / "pet" / "again.dcm")


def fourth_slice_moved(place: Path, by: float) -> None:
    def move(data: Any, number: int) -> None:
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, z + (by if number == 3 else 0)]

    change(place / "pet", move)


def no_tracer(keyword: str) -> Callable[[Path], None]:
    def remove(data: Any, _: int) -> None:
        for name in (keyword, keyword.replace("Time", "DateTime")):
            if name in data.RadiopharmaceuticalInformationSequence[0]:
                delattr(data.RadiopharmaceuticalInformationSequence[0], name)

    return lambda place: change(place / "pet", remove)


def no_times(data: Any, _: int) -> None:
    for name in ("SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime"):
        if name in data:
            delattr(data, name)


def other_frame(place: Path) -> None:
    data = pydicom.dcmread(place / "rs.dcm")
    for roi in data.StructureSetROISequence:
        roi.ReferencedFrameOfReferenceUID = "1.2.3"
    data.save_as(place / "rs.dcm")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_slice, ("1 missing slice", "between 103.00 and 109.00 mm", "fetch the series again")),
        (slice_twice, ("1 duplicate slice", "0003.dcm and again.dcm", "keep one")),
        (lambda p: fourth_slice_moved(p, 0.6), ("irregular slice spacing", "20.0 % off", "5 % is the most")),
        (lambda p: ct_series(p / "pet" / "ct"), ("holds 2 series", "(CT, 6 files)", "(PET, 6 files)", "--series UID")),
        (lambda p: change(p / "pet", lambda data, _: setattr(data, "PatientWeight", None)), ("no weight", "complete it at the source")),
        (no_tracer("RadionuclideTotalDose"), ("no injected dose", "complete it at the source")),
        (no_tracer("RadiopharmaceuticalStartTime"), ("no injection time", "complete it at the source")),
        (lambda p: change(p / "pet", no_times), ("neither a series nor an acquisition date and time", "export it with them")),
        (other_frame, ("frame of reference 1.2.3", "give the image that it was drawn on")),
    ],
)
def test_a_dicom_exam_that_cannot_be_used_is_one_sentence(exam: Path, spoil: Callable[[Path], object], words: tuple[str, ...]) -> None:
    spoil(exam)
    says(extract(exam, "--out", exam / "out"), *words)
    assert not (exam / "out" / "evidence.json").exists()


def test_slightly_irregular_slices_are_read_and_named(exam: Path) -> None:
    fourth_slice_moved(exam, 0.1)
    said = extract(exam)
    assert said.code == 0, said.err
    assert [(w["code"], "3.3 % off" in w["text"]) for w in said.json["warnings"]] == [("irregular_spacing", True)]


def test_one_of_several_series_is_chosen_by_its_uid_or_by_one_of_its_files(exam: Path) -> None:
    alone = extract(exam).json["features"]
    uid = pydicom.dcmread(next((exam / "pet").glob("*.dcm"))).SeriesInstanceUID
    ct_series(exam / "pet" / "ct")
    assert extract(exam, "--series", uid).json["features"] == alone
    assert extract(exam, "--image", sorted((exam / "pet").glob("*.dcm"))[0]).json["features"] == alone
    says(extract(exam, "--series", "1.2.3"), "There is no series 1.2.3", str(uid))


def test_a_label_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    home = write_cohort_of(tmp_path / "c", 1)
    words = ("--image", home / "P1_pet.nii.gz", "--mask", home / "P1_mask.nii.gz", "--settings", home / "few.toml", "--structure", "7")
    says(onclair_here("radiomics", "extract", *words), "has no label 7; it holds 1: choose one")


@pytest.mark.parametrize(("kind", "size"), [("one voxel", 66), ("constant", 66)])
def test_a_region_without_texture_has_size_and_intensities_and_says_why(tmp_path: Path, kind: str, size: int) -> None:
    import numpy as np

    from extraction_made import AFFINE as GRID
    from extraction_made import ball
    from onclair.core.values import Image
    from onclair.io.nifti import write_image, write_mask

    drawn = np.zeros((12, 12, 8), bool)
    drawn[5, 5, 5] = True
    flat = np.full((12, 12, 8), 2.0, np.float32)
    write_image(tmp_path / "i.nii", Image(flat, GRID, "SUV", "PET"))
    write_mask(tmp_path / "m.nii", Mask((drawn if kind == "one voxel" else ball())[None], GRID))
    (tmp_path / "all.toml").write_text('bins = 8\nfamilies = ["morphology", "statistics", "glcm"]\n')
    words = ("--image", tmp_path / "i.nii", "--mask", tmp_path / "m.nii", "--settings", tmp_path / "all.toml", "--json")
    said = onclair_here("radiomics", "extract", *words)
    found = said.json
    assert (said.code, len(found["features"])) == (0, size)
    assert (found["features"]["stat_mean"], found["features"]["cm_contrast_3D_comb"]) == (2.0, None)
    assert found["features"]["morph_volume"] > 0
    why = "the region is a single voxel" if kind == "one voxel" else "every voxel has the same value (2)"
    assert found["reasons"]["cm_contrast_3D_comb"] == why
    assert "nothing was filled in" in found["warnings"][0]["text"]
    assert "rien n'a été complété" in found["warnings"][0]["fr"]


def with_outcomes(place: Path, events: list[object]) -> None:
    rows = "".join(f"P{number},{event}\n" for number, event in enumerate(events, start=1))
    (place / "outcomes.csv").write_text(f"patient,event\n{rows}")
    about = 'format = "onclair-cohort/1"\nunits.pet = "SUV"\n[outcomes.event]\nkind = "binary"\n'
    (place / "cohort.toml").write_text(about)


@pytest.mark.parametrize(
    ("tag", "events", "words"),
    [
        ("rlm_rlnu_3D_com", [0, 1] * 3, ("no feature 'rlm_rlnu_3D_com'", "nearest: rlm_rlnu_3D_comb")),
        ("rlm_rlnu_3D_comb", [0] * 6, ("'event' has one class only", "all 6 patients", "add patients with the event")),
        ("rlm_rlnu_3D_comb", [0, 1, 0, 1, 0, "no data"], ("The outcome 'event' of P6 is missing", "leave the patient out")),
    ],
)
def test_an_audit_that_cannot_be_made_is_one_sentence(tmp_path: Path, tag: str, events: list[object], words: tuple[str, ...]) -> None:
    home = write_cohort_of(tmp_path / "c", 6)
    with_outcomes(home, events)
    (tmp_path / "card.toml").write_text(CARD.replace("TAG", tag))
    says(onclair_here("radiomics", "audit", "--card", tmp_path / "card.toml", "--data", home, "--out", tmp_path / "run"), *words)
    assert not (tmp_path / "run" / "evidence.json").exists()


def batches(place: Path, names: list[str], events: list[int] | None = None) -> tuple[str | Path, ...]:
    """Write features and samples; return the words that harmonise them."""
    rows = [f"s{n},{n % 7}.5,{n * n % 11}.25" for n in range(len(names))]
    (place / "f.csv").write_text("\n".join(["sample,a,b", *rows, ""]))
    given = events or [n % 2 for n in range(len(names))]
    (place / "s.csv").write_text("\n".join(["sample,batch,event", *(f"s{n},{b},{given[n]}" for n, b in enumerate(names)), ""]))
    return ("radiomics", "combat", "--features", place / "f.csv", "--samples", place / "s.csv", "--out", place / "o.csv")


def test_batches_that_cannot_be_taken_off_are_one_sentence_and_no_table_is_written(tmp_path: Path) -> None:
    words = batches(tmp_path, ["A"] * 8 + ["B"] * 7 + ["C"])
    says(onclair_here(*words, "--batch", "batch"), "'C' of 'batch' has one sample", "merge it", "--mean-only")
    words = batches(tmp_path, ["A"] * 8 + ["B"] * 8, [0] * 8 + [1] * 8)
    says(onclair_here(*words, "--batch", "batch", "--outcome", "event"), "aliased", "Cramer's V 1.00", "gather patients")
    assert not (tmp_path / "o.csv").exists()


def test_a_batch_that_training_did_not_see_is_refused_with_those_it_saw(tmp_path: Path) -> None:
    words = batches(tmp_path, ["A"] * 8 + ["B"] * 8)
    assert onclair_here(*words, "--batch", "batch", "--model-out", tmp_path / "model").code == 0
    (tmp_path / "o.csv").unlink()
    says(
        onclair_here(*batches(tmp_path, ["A"] * 8 + ["Z"] * 8), "--apply", tmp_path / "model"),
        "'Z' of 'batch' (8 samples)",
        "known: A, B",
        "--unseen leave",
        "--unseen map",
    )
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("name", ["m.pt", "m.pkl", "m.joblib", "m.safetensors", "m.onnx"])
def test_a_model_that_would_run_code_is_refused_by_its_content(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps({"weights": [1.0]}))
    words = batches(tmp_path, ["A"] * 8 + ["B"] * 8)
    says(onclair_here(*words, "--apply", tmp_path / name), name, "is a pickle", "it was not opened", "safetensors")


@pytest.mark.parametrize("name", ["m.pkl", "m.toml"])
@pytest.mark.parametrize("protocol", [0, 5])
def test_a_model_that_would_run_code_is_no_card_whatever_its_name(tmp_path: Path, name: str, protocol: int) -> None:
    (tmp_path / name).write_bytes(pickle.dumps({"weights": [1.0]}, protocol))
    says(onclair_here("radiomics", "audit", "--card", tmp_path / name, "--data", tmp_path), name, "is a pickle", "it was not opened")


def test_a_card_that_is_no_toml_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("[card]\nname = \n")
    says(onclair_here("radiomics", "audit", "--card", tmp_path / "m.toml", "--data", tmp_path), "m.toml is not TOML", "line 2")


def test_the_traps_of_users_tables_are_read_and_said(tmp_path: Path) -> None:
    words = batches(tmp_path, ["A"] * 8 + ["B"] * 8)
    table = (tmp_path / "f.csv").read_text().replace("s3,3.5", "s3,#NAME?").replace("s5,5.5", "s5,no data").replace("s7,", "s7L,")
    (tmp_path / "f.csv").write_text("\ufeff" + table.replace(",", ";").replace(".", ","), encoding="utf-8")
    said = onclair_here(*words, "--batch", "batch", "--json")
    assert said.code == 0, said.err
    told = " ".join(w["text"] for w in said.json["warnings"])
    for words_said in ("byte-order mark", "semicolons", "decimal comma", "#NAME?", "no data", "(s7)", "(s7L)"):
        assert words_said in told
