"""From a CT to its bone and lesions, as a user calls it: every figure, every file, read back by other toolkits; and every refusal."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pandas as pd
import pydicom
import pytest
import torch

from commandline import Said, onclair_here
from dicom_made import ct_series, pet_series
from onclair.core.values import Image
from onclair.io.networks import save_network
from onclair.io.nifti import read_image, read_mask, write_image, write_map
from onclair.io.scans import read_scan
from onclair.learn.bundle import segmentation_record
from segmentation_made import PLAN, graph_of
from torso_made import torso

KEYS = {
    "image": {"shape", "spacing_mm", "slice_thickness_mm", "overlapping", "kernel", "kvp", "contrast", "uids_minted", "warnings"},
    "bone": {"volume_ml", "method"},
    "tiles": {"total", "run"},
    "outputs": {"ct", "bone", "lesions", "table", "seg", "sr", "rtstruct", "finding"},
}
LEVEL = {"name", "voxels", "volume_ml", "hu_mean"}
LESION = {"id", "bone", "level", "side", "volume_ml", "equivalent_diameter_mm", "axial_diameter_mm", "centroid_lps_mm", "type", "score"}
T12, RIB = 32, 101
RADII = {1: 7.0, 2: 5.0}


def places(where: np.ndarray, affine: np.ndarray) -> list[tuple[float, ...]]:
    return sorted(map(tuple, np.round(np.argwhere(where) @ affine[:3, :3].T + affine[:3, 3], 2).tolist()))


@dataclass
class Segmented:
    """What the command answered, what was drawn, and where it was written."""

    told: dict[str, Any]
    drawn: np.ndarray
    centres: dict[int, np.ndarray]
    affine: np.ndarray
    out: Path
    series: Path


@pytest.fixture(scope="module")
def segmented(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Segmented:
    """The real series under shuffled names, with a sphere drawn in T12 and one in a left rib."""
    home, source = tmp_path_factory.mktemp("segment"), reference_data / "bone/ct_dicom_series"
    (home / "ct").mkdir()
    files = sorted(source.glob("*.dcm"))
    names = random.Random(5).sample(range(100), len(files))
    for path, name in zip(files, names, strict=True):
        shutil.copy(path, home / "ct" / f"{name:02d}")
    labels = read_mask(source / "totalseg_labels.nii.gz")
    numbers = np.array([0, *map(int, labels.labels)])[labels.array]
    places_of = {1: np.argwhere(numbers == T12), 2: np.argwhere(numbers == RIB)}
    middles = {n: p[np.square(p - p.mean(axis=0)).sum(axis=1).argmin()] for n, p in places_of.items()}
    centres = {n: labels.affine[:3, :3] @ m + labels.affine[:3, 3] for n, m in middles.items()}
    drawn = np.zeros(numbers.shape, np.uint8)
    for number, radius in RADII.items():
        low = np.maximum(middles[number] - 12, 0)
        box = tuple(slice(int(a), int(a) + 25) for a in low)
        grid = np.indices(drawn[box].shape).reshape(3, -1).T + low
        near = np.linalg.norm(grid @ labels.affine[:3, :3].T + labels.affine[:3, 3] - centres[number], axis=1) <= radius
        drawn[box][near.reshape(drawn[box].shape)] = number
    write_map(home / "lesions.nii.gz", drawn, labels.affine)
    words = (
        "--image",
        home / "ct",
        "--labels",
        source / "totalseg_labels.nii.gz",
        "--scheme",
        "totalseg",
        "--lesions",
        home / "lesions.nii.gz",
    )
    said = onclair_here("bone", "segment", *words, "--out", home / "out", "--json")
    assert said.code == 0, said.err
    return Segmented(said.json, drawn, centres, labels.affine, home / "out", home / "ct")


def test_every_key_of_the_answer_is_there_and_every_file_that_it_names(segmented: Segmented) -> None:
    told = segmented.told
    for key, inner in KEYS.items():
        assert inner <= set(told[key]), key
    assert all(set(level) == LEVEL for level in told["levels"])
    assert all({*LESION, "cut_by_border"} <= set(row) for row in told["lesions"])
    assert {path.parent for path in map(Path, told["outputs"].values())} == {segmented.out}
    assert all(Path(path).is_file() for path in told["outputs"].values())
    assert sorted(path.name for path in segmented.out.parent.iterdir()) == ["ct", "lesions.nii.gz", "out"]


def test_the_scan_and_its_levels_are_those_of_the_reference(segmented: Segmented) -> None:
    image, levels = segmented.told["image"], {level["name"]: level for level in segmented.told["levels"]}
    assert (image["shape"], image["slice_thickness_mm"], image["overlapping"]) == ([512, 512, 20], 3.0, True)
    assert (image["kernel"], image["kvp"], image["contrast"], image["uids_minted"]) == ("Br38f", 120.0, "APPLIED", True)
    assert (levels["T12"]["voxels"], levels["T11"]["voxels"]) == (23576, 9930)
    assert levels["T12"]["hu_mean"] == pytest.approx(267.0, abs=0.05)
    ct = read_image(segmented.out / "ct.nii.gz", "HU")
    assert (int(ct.array.min()), int(ct.array.max()), int(ct.array.sum(dtype=np.int64))) == (-1024, 1839, -3_272_217_339)
    assert segmented.told["bone"]["method"] == "labels"


def test_spheres_are_told_with_bone_side_volume_diameter_and_place(segmented: Segmented) -> None:
    spine, rib = segmented.told["lesions"]
    assert (spine["bone"], spine["level"], spine["side"]) == ("vertebra", "T12", None)
    assert (rib["bone"], rib["level"], rib["side"]) == ("rib", "10", "left")
    voxel_ml = abs(np.linalg.det(segmented.affine[:3, :3])) / 1000
    for number, row in enumerate((spine, rib), start=1):
        volume = float((segmented.drawn == number).sum()) * voxel_ml
        assert row["id"] == number
        assert row["volume_ml"] == pytest.approx(volume)
        assert row["volume_ml"] == pytest.approx(4 / 3 * np.pi * RADII[number] ** 3 / 1000, rel=0.05)
        assert row["equivalent_diameter_mm"] == pytest.approx((6000 * volume / np.pi) ** (1 / 3))
        assert row["axial_diameter_mm"] == pytest.approx(2 * RADII[number], abs=1.0)
        assert np.linalg.norm(np.subtract(row["centroid_lps_mm"], segmented.centres[number])) <= 0.5
        assert (row["score"], row["cut_by_border"]) == (None, False)


def test_the_table_and_the_maps_say_the_same(segmented: Segmented) -> None:
    table = pd.read_csv(segmented.out / "lesions.csv")
    for row, told in zip(table.to_dict("records"), segmented.told["lesions"], strict=True):
        assert (row["id"], row["bone"], str(row["level"])) == (told["id"], told["bone"], told["level"])
        assert [row["x_mm"], row["y_mm"], row["z_mm"]] == pytest.approx(told["centroid_lps_mm"])
    lesions = read_mask(segmented.out / "lesions.nii.gz")
    assert places(lesions.array == 1, lesions.affine) == places(segmented.drawn == 1, segmented.affine)
    bone = read_mask(segmented.out / "bone.nii.gz")
    assert float((bone.array > 0).sum()) * 0.9765625**2 * 2 / 1000 == pytest.approx(segmented.told["bone"]["volume_ml"])


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_seg_is_read_by_another_toolkit_voxel_for_voxel_in_the_world(segmented: Segmented, number: int) -> None:
    stored = hd.seg.segread(segmented.out / "seg.dcm").get_volume(segment_numbers=[number], combine_segments=True)
    bone = read_mask(segmented.out / "bone.nii.gz")
    wanted, affine = (bone.array > 0, bone.affine) if number == 1 else (segmented.drawn == number - 1, segmented.affine)
    assert places(np.asarray(stored.array) > 0, stored.affine) == places(wanted, affine)


def test_the_segments_name_their_bone_and_what_drew_them(segmented: Segmented) -> None:
    segments = pydicom.dcmread(segmented.out / "seg.dcm").SegmentSequence
    assert [one.SegmentLabel for one in segments] == ["Bone", "Lesion 1 (T12)", "Lesion 2 (left rib 10)"]
    assert [one.SegmentAlgorithmType for one in segments] == ["AUTOMATIC", "MANUAL", "MANUAL"]
    assert segments[0].SegmentationAlgorithmIdentificationSequence[0].AlgorithmName == "totalseg labels"
    assert len({one.TrackingUID for one in segments}) == 3


def test_the_report_says_what_the_answer_says(segmented: Segmented) -> None:
    groups = hd.sr.srread(segmented.out / "sr.dcm").content.get_volumetric_roi_measurement_groups()
    volumes = [next(m.value for m in group.get_measurements() if m.name.value == "118565006") for group in groups]
    rows = segmented.told["lesions"]
    assert [float(v) for v in volumes] == pytest.approx(
        [1000 * v for v in (segmented.told["bone"]["volume_ml"], *(r["volume_ml"] for r in rows))]
    )


def test_contours_of_the_rtstruct_lie_on_the_slices_around_the_spheres(segmented: Segmented) -> None:
    data = pydicom.dcmread(segmented.out / "rtstruct.dcm")
    names = {roi.ROINumber: roi.ROIName for roi in data.StructureSetROISequence}
    contours = {names[roi.ReferencedROINumber]: roi.ContourSequence for roi in data.ROIContourSequence}
    assert set(contours) == {"Bone", "Lesion 1", "Lesion 2"}
    for number, radius in RADII.items():
        every = np.concatenate([np.array(one.ContourData, dtype=float).reshape(-1, 3) for one in contours[f"Lesion {number}"]])
        heights = {z for _, _, z in places(segmented.drawn == number, segmented.affine)}
        assert set(every[:, 2].tolist()) == heights
        assert np.linalg.norm(every - segmented.centres[number], axis=1).max() <= radius + 1.0


def test_what_was_written_comes_back_as_anyones_masks(segmented: Segmented, tmp_path: Path) -> None:
    seg = segmented.out / "seg.dcm"
    said = onclair_here(
        "bone", "segment", "--image", segmented.series, "--lesions", seg, "--bone-mask", seg, "--out", tmp_path / "o", "--json"
    )
    assert said.code == 0, said.err
    assert said.json["bone"] == {"volume_ml": pytest.approx(segmented.told["bone"]["volume_ml"]), "method": "given"}
    assert [row["volume_ml"] for row in said.json["lesions"]] == pytest.approx([row["volume_ml"] for row in segmented.told["lesions"]])


def test_the_finding_and_its_sheets_show_the_lesions_in_both_languages(segmented: Segmented) -> None:
    finding = json.loads((segmented.out / "finding.json").read_text())
    assert [len(mask["segments"]) for mask in finding["masks"]] == [1, 2]
    assert [row["id"] for row in finding["detail"]["lesions"]] == [1, 2]
    english, french = ((segmented.out / name).read_text().replace("\u00a0", " ") for name in ("sheet.html", "sheet.fr.html"))
    assert "2 lesions outlined, 2.0 mL in all" in english
    assert "2 lésions délimitées, 2,0 mL en tout" in french
    assert "côte 10 gauche" in french
    assert "se chevauchent de 1 mm" in french
    assert '<span lang="en">' not in french
    assert english.count("data:image/png") == 2


# ---- a made torso: models, and what is refused


def glaring(x: torch.Tensor) -> torch.Tensor:
    """Lesions for a network that knows one thing: above 900 HU."""
    p = torch.sigmoid(4 * (x - 9))
    return torch.cat([1 - p, p], 1)


@dataclass
class Torso:
    """A made scan with a dense sphere in its vertebra, and a network that finds it."""

    home: Path
    drawn: np.ndarray
    affine: np.ndarray

    def segment(self, *words: str | Path, image: str | Path = "ct.nii.gz", out: str = "out") -> Said:
        shutil.rmtree(self.home / "out", ignore_errors=True)
        return onclair_here("bone", "segment", "--image", self.home / image, *words, "--out", self.home / out)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Torso:
    home = tmp_path_factory.mktemp("torso")
    hu, affine, parts = torso(slices=12)
    x, y, z = np.indices(hu.shape) * np.array([1, 1, 3]).reshape(3, 1, 1, 1)
    drawn = (x - 110) ** 2 + (y - 100) ** 2 + (z - 16.5) ** 2 <= 8**2
    hu = np.where(drawn, 1500, hu).astype(np.int16)
    write_image(home / "ct.nii.gz", Image(hu, affine, "HU", "CT"))
    write_map(home / "bone.nii.gz", parts["bone"].astype(np.uint8), affine)
    write_map(home / "lesions.nii.gz", drawn.astype(np.uint8), affine)
    write_map(home / "labels.nii.gz", np.where(parts["vertebra"], 32, 0), affine)
    write_map(home / "none.nii.gz", np.zeros(hu.shape, np.uint8), affine)
    moved = affine.copy()
    moved[0, 3] += 5
    write_map(home / "moved.nii.gz", drawn.astype(np.uint8), moved)
    (home / "text.nii.gz").write_text("no image")
    save_network(home / "model", segmentation_record("made", graph_of(glaring), PLAN, threshold=0.5, scores=None))
    return Torso(home, drawn, affine)


def test_a_network_finds_measures_and_scores_the_lesion(made: Torso) -> None:
    said = made.segment("--model", made.home / "model", "--bone-mask", made.home / "bone.nii.gz", "--json")
    assert said.code == 0, said.err
    (row,) = said.json["lesions"]
    assert row["volume_ml"] == pytest.approx(float(made.drawn.sum()) * 3 / 1000, rel=0.3)
    assert np.linalg.norm(np.subtract(row["centroid_lps_mm"], [0.0, 10.0, 416.5])) < 1.5
    assert row["type"] == "blastic"
    assert 0.5 < row["score"] <= 1
    assert 0 < said.json["tiles"]["run"] < said.json["tiles"]["total"]
    finding = json.loads((made.home / "out/finding.json").read_text())
    assert (finding["model"]["id"], finding["masks"][1]["segments"][0]["algorithm"]) == ("bone:model", "AUTOMATIC")
    assert said.json["outputs"]["seg"] is None


def test_the_plain_detector_finds_it_too(made: Torso) -> None:
    said = made.segment("--model", "threshold", "--json")
    assert said.code == 0, said.err
    near = [row for row in said.json["lesions"] if np.linalg.norm(np.subtract(row["centroid_lps_mm"], [0.0, 10.0, 416.5])) < 3]
    assert len(near) == 1
    assert said.json["bone"]["method"] == "computed"
    assert said.json["tiles"] == {"total": 0, "run": 0}


def test_without_a_model_there_is_bone_and_nobody_says_that_there_is_no_lesion(made: Torso) -> None:
    said = made.segment("--model", "none", "--json")
    assert said.code == 0, said.err
    outputs = said.json["outputs"]
    assert (said.json["lesions"], outputs["lesions"], outputs["table"]) == ([], None, None)
    assert not (made.home / "out/lesions.nii.gz").exists()
    assert "Lesions were not looked for" in Path(outputs["sheet"]).read_text()
    assert "n’ont pas été recherchées" in (made.home / "out/sheet.fr.html").read_text()


def test_an_empty_map_of_lesions_says_that_none_was_outlined(made: Torso) -> None:
    said = made.segment("--lesions", made.home / "none.nii.gz")
    assert said.code == 0, said.err
    assert "No lesion was outlined." in said.out
    assert len(pd.read_csv(made.home / "out/lesions.csv")) == 0
    assert "No lesion was outlined" in (made.home / "out/sheet.html").read_text()


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "lesions of another grid": (("--lesions", "@moved.nii.gz"), "moved.nii.gz: The label map of the lesions lies on another grid"),
    "mask of another grid": (("--model", "none", "--bone-mask", "@moved.nii.gz"), "moved.nii.gz: The label map of the bone mask lies on"),
    "labels of another grid": (
        ("--model", "none", "--labels", "@moved.nii.gz"),
        "moved.nii.gz: The label map of the bones lies on another",
    ),
    "an empty bone": (
        ("--model", "none", "--bone-mask", "@none.nii.gz"),
        "The bone mask in none.nii.gz is empty; give one that holds voxels.",
    ),
    "labels without a voxel": (("--model", "none", "--labels", "@none.nii.gz"), "The labels in none.nii.gz are empty; give labels"),
    "labels of another scheme": (("--model", "none", "--labels", "@labels.nii.gz", "--scheme", "verse"), "labels.nii.gz hold 32, and the"),
    "an unknown scheme": (("--model", "none", "--scheme", "totalsge"), "There is no scheme of labels 'totalsge'; did you mean 'totalseg'?"),
    "lesions that are not there": (("--lesions", "@absent.nii.gz"), "absent.nii.gz for the lesions; correct the path."),
    "lesions that are no image": (("--lesions", "@text.nii.gz"), "(text.nii.gz) is not a one-file NIfTI; convert it"),
    "an unknown model": (
        ("--model", "nonsense"),
        "There is no model nonsense; give demo, threshold, none, a folder of 'onclair bone train'",
    ),
    "a model that is no network": (("--model", "@text.nii.gz"), "text.nii.gz"),
    "a threshold of 0": (("--model", "@model", "--threshold", "0"), "The threshold is 0; a probability between 0 and 1 is needed."),
    "a threshold of 1": (("--model", "@model", "--threshold", "1"), "The threshold is 1; a probability between 0 and 1 is needed."),
    "a threshold that is none": (("--model", "@model", "--threshold", "nan"), "The threshold is nan; a probability between 0 and 1"),
    "memory below one tile": (
        ("--model", "@model", "--ram-gb", "0.00001"),
        "The memory ceiling is 1e-05 GB and one tile of 16x16x16 voxels",
    ),
    "no memory": (("--model", "threshold", "--ram-gb", "0"), "The memory ceiling is 0 GB; give more than 0"),
    "no thread": (("--model", "none", "--threads", "0"), "0 threads were asked for; at least 1 is needed."),
    "a series of a NIfTI": (("--model", "none", "--series", "1.2"), "ct.nii.gz is no folder of DICOM files, which alone has series"),
}


def refused(said: Said, sentence: str, home: Path) -> None:
    assert said.code == 2, said.out
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert said.err.startswith("onclair: ")
    assert not (home / "out").exists()
    assert list(home.glob(".out*")) == []


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_in_one_sentence_and_nothing_is_written(made: Torso, name: str) -> None:
    words, sentence = REFUSED[name]
    refused(made.segment(*(made.home / w[1:] if w.startswith("@") else w for w in words)), sentence, made.home)


def test_a_model_whose_bytes_or_plan_were_changed_is_refused(made: Torso, tmp_path: Path) -> None:
    shutil.copytree(made.home / "model", tmp_path / "bytes")
    data = bytearray((tmp_path / "bytes/network.onnx").read_bytes())
    data[-3] ^= 1
    (tmp_path / "bytes/network.onnx").write_bytes(bytes(data))
    refused(made.segment("--model", tmp_path / "bytes"), "was changed after it was saved", made.home)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "mine.onnx").write_bytes(graph_of(glaring))
    plan = {"spacing_mm": [2, 2, 2], "patch": [16, 16, 16], "clip": [-200, 1000], "mean": 0, "std": 100, "activation": "none"}
    (bare / "mine.json").write_text(json.dumps({**plan, "model_sha256": "0" * 64}))
    refused(made.segment("--model", bare / "mine.onnx"), "mine.onnx", made.home)
    (bare / "mine.json").write_text(json.dumps(plan))
    said = made.segment("--model", bare / "mine.onnx", "--bone-mask", made.home / "bone.nii.gz", "--json")
    assert (said.code, len(said.json["lesions"])) == (0, 1)


def test_a_folder_that_holds_something_is_left_alone(made: Torso) -> None:
    (made.home / "full").mkdir(exist_ok=True)
    (made.home / "full/mine.txt").write_text("mine")
    said = made.segment("--model", "none", out="full")
    assert (said.code, "nothing was replaced" in said.err) == (2, True)
    assert [path.name for path in (made.home / "full").iterdir()] == ["mine.txt"]
    assert list(made.home.glob(".full*")) == []


# ---- series that are not whole


@pytest.fixture
def series(tmp_path: Path) -> Torso:
    """A made series of a block of bone, large enough for a bone mask of its own."""
    ct_series(tmp_path / "ct", shape=(24, 24, 8))
    drawn = np.zeros((24, 24, 8), bool)
    drawn[8:16, 8:16, 2:6] = True
    affine = read_scan(tmp_path / "ct").image.affine
    write_map(tmp_path / "bone.nii.gz", drawn.astype(np.uint8), affine)
    return Torso(tmp_path, drawn, affine)


def test_a_missing_slice_is_refused_with_its_place_and_shown_without_dicom_where_gaps_are_allowed(series: Torso) -> None:
    sorted((series.home / "ct").glob("*.dcm"))[3].unlink()
    words = ("--model", "none", "--bone-mask", series.home / "bone.nii.gz")
    refused(series.segment(*words, image="ct"), "1 missing slice, the first between", series.home)
    said = series.segment(*words, "--allow-gaps", "--json", image="ct")
    assert said.code == 0, said.err
    codes = [note["code"] for note in said.json["warnings"]]
    assert "gaps" in codes
    assert "no_dicom" in codes
    assert [said.json["outputs"][name] for name in ("seg", "sr", "rtstruct")] == [None] * 3
    assert not list((series.home / "out").glob("*.dcm"))


def test_two_series_are_both_listed_and_one_can_be_chosen(series: Torso) -> None:
    ct_series(series.home / "ct/other", shape=(24, 24, 8), kernel="B70f")
    words = ("--model", "none", "--bone-mask", series.home / "bone.nii.gz")
    refused(series.segment(*words, image="ct"), "kernel B70f", series.home)
    uid = str(pydicom.dcmread(next((series.home / "ct/other").glob("*.dcm"))).SeriesInstanceUID)
    assert series.segment(*words, "--series", uid, image="ct").code == 0
    refused(series.segment(*words, "--series", "1.2.3", image="ct"), "There is no CT series 1.2.3", series.home)


def test_what_is_no_ct_is_refused(series: Torso) -> None:
    pet_series(series.home / "pet")
    refused(series.segment("--model", "none", image="pet"), "pet holds PET and no CT; give the folder of the CT series.", series.home)
