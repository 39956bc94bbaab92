"""`onclair bone lesions compare` as a user calls it: files, folders, SEG, boxes, scores, tables, readers; and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from commandline import onclair, onclair_here
from onclair.core.values import Image, Mask
from onclair.io.dicom.read import read_volume
from onclair.io.dicom.write import Exam, write_volume
from onclair.io.dicom.write_outlines import write_seg
from onclair.io.nifti import read_image, write_image

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
SHAPE = (30, 30, 12)
FAST = ("--replicates", "20", "--json")


def drawn(*lesions, shape=SHAPE):
    """Return a map of blocks: (number, x, y, z, edge)."""
    values = np.zeros(shape, np.int16)
    for number, x, y, z, edge in lesions:
        values[x : x + edge, y : y + edge, z : z + edge] = number
    return values


def save(path: Path, values, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, Image(values, affine, "a.u."))
    return path


def said(*words):
    answer = onclair_here("bone", "lesions", "compare", *words, *FAST)
    assert answer.code == 0, answer.err
    return answer.json, {e["name"]: e for e in answer.json["estimates"]}


def refused(*words):
    answer = onclair_here("bone", "lesions", "compare", *words, *FAST)
    assert (answer.code, answer.out) == (2, "")
    assert len(answer.err.strip().splitlines()) == 1
    return answer.err


@pytest.fixture
def folders(tmp_path):
    """Return a folder of truth and one of predictions: three cases, the third without lesions in truth."""
    truth = {"P1": drawn((1, 2, 2, 2, 4), (2, 20, 20, 5, 4)), "P2": drawn((1, 5, 5, 5, 3)), "P3": drawn()}
    predicted = {"P1": drawn((4, 3, 2, 2, 4), (9, 12, 12, 1, 2)), "P2": drawn((1, 5, 5, 5, 3)), "P3": drawn((1, 8, 8, 8, 2))}
    for name, values in truth.items():
        save(tmp_path / "truth" / f"{name}.nii.gz", values)
    for name, values in predicted.items():
        save(tmp_path / "predicted" / f"{name}.nii.gz", values)
    return tmp_path / "truth", tmp_path / "predicted"


def test_two_files_are_compared_in_a_process_of_their_own(tmp_path):
    truth = save(tmp_path / "t.nii.gz", drawn((1, 2, 2, 2, 4), (2, 20, 20, 5, 4)))
    predicted = save(tmp_path / "p.nii.gz", drawn((3, 3, 2, 2, 4), (5, 12, 12, 1, 2)))
    answer = onclair("bone", "lesions", "compare", "--truth", truth, "--predicted", predicted, "--json")
    assert answer.code == 0, answer.err
    (case,) = answer.json["cases"]
    assert (case["case"], case["missed"], case["false"]) == ("t", [2], [5])
    assert case["pairs"] == [{"truth": 1, "predicted": 3, "iou": 0.6, "dice": 0.75}]
    found = {e["name"]: e["value"] for e in answer.json["estimates"]}
    assert (found["iou0.5:sq"], found["iou0.5:rq"], found["iou0.5:pq"]) == (0.6, 0.5, 0.3)
    assert found["froc:mean"] is None


def test_folders_are_matched_by_name_and_sums_run_over_cases(folders):
    document, found = said("--truth", folders[0], "--predicted", folders[1])
    assert [case["case"] for case in document["cases"]] == ["P1", "P2", "P3"]
    assert [found[f"overlap:{figure}"]["value"] for figure in ("tp", "fp", "fn")] == [2, 2, 1]
    assert found["overlap:sensitivity"]["n"] == 3
    assert found["iou0.5:sensitivity:size<10"]["events"] == 3
    assert found["iou0.5:sensitivity:size>20"]["reason"]
    assert document["cases"][0]["rules"]["iou0.5"]["missed"] == [2]


def test_a_map_of_one_value_is_split_and_flipped_axes_are_followed(tmp_path):
    values = drawn((1, 2, 2, 2, 4), (1, 20, 20, 5, 4))
    truth = save(tmp_path / "t.nii", values)
    flipped = np.diag([-1.0, 1.0, 2.0, 1.0])
    flipped[0, 3] = 29.0
    _, found = said("--truth", truth, "--predicted", save(tmp_path / "p.nii", (values * 255)[::-1], flipped))
    assert (found["iou0.5:tp"]["value"], found["voxel:dice"]["value"]) == (2, 1.0)


def test_scores_give_the_froc_curve(folders, tmp_path):
    (tmp_path / "scores.csv").write_text("case,instance,score\nP1,4,0.9\nP1,9,0.2\nP2,1,0.8\nP3,1,0.5\n")
    _, found = said("--truth", folders[0], "--predicted", folders[1], "--scores", tmp_path / "scores.csv")
    assert found["froc:sens@1/8"]["value"] == pytest.approx(2 / 3)
    assert found["froc:sens@8"]["value"] == pytest.approx(2 / 3)


def test_a_score_for_an_instance_that_is_not_there_and_one_that_lacks_are_refused(folders, tmp_path):
    scores = tmp_path / "scores.csv"
    scores.write_text("case,instance,score\nP1,4,0.9\nP1,9,0.2\nP2,1,0.8\nP3,7,0.5\n")
    assert "instance 7 of P3" in refused("--truth", folders[0], "--predicted", folders[1], "--scores", scores)
    scores.write_text("case,instance,score\nP1,4,0.9\nP2,1,0.8\nP3,1,0.5\n")
    assert "lesion 9 of P1 has no score" in refused("--truth", folders[0], "--predicted", folders[1], "--scores", scores)
    scores.write_text("case,instance,score\nP1,4,high\nP1,9,0.2\n")
    assert "scores.csv, row 2" in refused("--truth", folders[0], "--predicted", folders[1], "--scores", scores)


def test_a_table_gives_strata_of_type_and_bone_and_the_patient(folders, tmp_path):
    table = tmp_path / "truth.csv"
    table.write_text("case,patient,instance,type,bone\nP1,A,1,lytic,rib\nP1,A,2,blastic,vertebra\nP2,A,1,lytic,femur\nP3,B,,,\n")
    _, found = said("--truth", folders[0], "--predicted", folders[1], "--table", table)
    assert found["overlap:sensitivity:type=lytic"]["value"] == 1
    assert found["overlap:sensitivity:type=blastic"]["value"] == 0
    assert found["overlap:sensitivity:bone=femur"]["events"] == 1
    assert found["overlap:sensitivity"]["n"] == 2


def test_maps_beside_each_other_are_told_apart_and_readers_found_by_name(tmp_path):
    base = tmp_path / "cohort" / "truth"
    for name, x in (("P1", 2), ("P2", 4), ("P3", 6)):
        save(base / f"{name}_lesions.nii.gz", drawn((3, x, 2, 2, 4), (5, 20, 20, 5, 4)))
        save(base / f"{name}_mimics.nii.gz", drawn((8, 14, 14, 2, 4)))
        save(base / f"{name}_reader1.nii.gz", drawn((1, x, 2, 2, 4), (2, 20, 20, 5, 4)))
        save(base / f"{name}_reader2.nii.gz", drawn((1, x, 2, 2, 5), (2, 20, 20, 5, 4)))
        save(tmp_path / "model" / name / "lesions.nii.gz", drawn((7, x, 2, 2, 4)))
        (tmp_path / "model" / name / "lesions.csv").write_text("id,type\n7,lytic\n")
    rows = [
        f"{p},{r},{i},{t}" for p in ("P1", "P2", "P3") for r in (1, 2) for i, t in ((1, "lytic"), (2, "mixed" if r == 1 else "blastic"))
    ]
    (tmp_path / "readers.csv").write_text("patient,reader,instance,type\n" + "\n".join(rows) + "\n")
    words = ("--truth", tmp_path / "cohort", "--predicted", tmp_path / "model", "--readers", "reader1,reader2")
    _, found = said(*words, "--table", tmp_path / "readers.csv")
    assert found["overlap:sensitivity"]["value"] == 0.5
    assert found["readers:reader1-reader2:iou0.5:rq"]["value"] == 1
    assert found["readers:reader1-reader2:kappa:type"]["value"] == pytest.approx((0.5 - 0.25) / 0.75)
    larger = (6 * 5**3 * 2 / np.pi) ** (1 / 3) - (6 * 4**3 * 2 / np.pi) ** (1 / 3)
    assert found["readers:reader1-reader2:bias:diameter"]["value"] == pytest.approx(larger / 2)
    assert found["readers:reader1-model:overlap:sensitivity"]["value"] == 0.5
    assert found["readers:reader2-model:kappa:type"]["reason"]
    assert "no reader 'reader9'" in refused(*words[:-1], "reader9")


def test_segs_are_compared_with_maps_and_with_each_other(tmp_path):
    ct = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.int16)
    volume = write_volume(tmp_path / "ct", Image(ct, AFFINE, "HU", "CT"), Exam("P1", seed=1))
    first, second = drawn((1, 2, 2, 2, 4), (2, 20, 20, 5, 4)), drawn((1, 3, 2, 2, 4))
    for name, values in (("one", first), ("two", second)):
        layers = np.stack([values > -1, *(values == n for n in range(1, values.max() + 1))])
        labels = ("Bone", *(f"Lesion {n}" for n in range(1, values.max() + 1)))
        write_seg(tmp_path / f"{name}.dcm", Mask(layers, volume.image.affine, labels, "expert"), read_volume(tmp_path / "ct"))
    nifti = save(tmp_path / "two.nii.gz", second)
    for truth, predicted in (("one.dcm", "two.dcm"), ("one.dcm", "two.nii.gz")):
        _, found = said("--truth", tmp_path / truth, "--predicted", tmp_path / predicted)
        assert [found[f"iou0.5:{figure}"]["value"] for figure in ("tp", "fp", "fn", "sq")] == [1, 0, 1, 0.6], predicted
    assert read_image(nifti, "a.u.").array.max() == 1


def test_boxes_of_real_cubes_are_the_truth_of_made_candidates(reference_data, tmp_path):
    folder = reference_data / "bone" / "lesion_patches"
    boxes = {"1": [(24.45474, 169.87754, -547.53988)], "3": [(-32.9, 92.76, -265.72)], "4": [], "8": [(8.1, 51.9, -110.2)]}
    for name, centres in boxes.items():
        image = read_image(folder / f"{name}.nii.gz", "HU", "CT")
        values = np.zeros(image.array.shape, np.int16)
        for number, centre in enumerate([*centres, image.affine[:3, :3] @ [5, 5, 5] + image.affine[:3, 3]], start=1):
            i, j, k = np.rint(np.linalg.inv(image.affine) @ [*centre, 1.0])[:3].astype(int)
            values[i - 2 : i + 3, j - 2 : j + 3, k - 2 : k + 3] = number
        save(tmp_path / "candidates" / f"{name}.nii.gz", values, image.affine)
    document, found = said("--truth", folder / "lesions_boxes.csv", "--predicted", tmp_path / "candidates")
    assert (found["box:sensitivity"]["value"], found["box:sensitivity"]["events"]) == (pytest.approx(2 / 9), 9)
    assert found["box:fp-per-case"]["value"] == 1.0
    assert [case["set_aside"] for case in document["cases"] if "set_aside" in case] == [[2]]
    assert "overlap:tp" not in found


@pytest.mark.parametrize("bad", ["missing", "grid", "values", "none", "empty"])
def test_what_cannot_be_compared_is_refused_in_one_sentence(bad, folders, tmp_path):
    truth, predicted = folders
    expected = {"missing": "not in the prediction", "grid": "another grid", "values": "whole numbers", "none": "no file", "empty": "no map"}
    if bad == "missing":
        (predicted / "P2.nii.gz").unlink()
    elif bad == "grid":
        save(predicted / "P2.nii.gz", drawn(), np.diag([1.5, 1.0, 2.0, 1.0]))
    elif bad == "values":
        save(predicted / "P2.nii.gz", np.full(SHAPE, 0.5, np.float32))
    elif bad == "none":
        predicted = tmp_path / "nowhere"
    else:
        predicted = tmp_path / "empty"
        predicted.mkdir()
    assert expected[bad] in refused("--truth", truth, "--predicted", predicted)


def test_with_skip_bad_the_others_go_on_and_the_bad_one_is_named(folders):
    truth, predicted = folders
    save(predicted / "P2.nii.gz", drawn(), np.diag([1.5, 1.0, 2.0, 1.0]))
    document, found = said("--truth", truth, "--predicted", predicted, "--skip-bad")
    assert [case["case"] for case in document["cases"]] == ["P1", "P3"]
    assert found["overlap:tp"]["value"] == 1
    assert [w["code"] for w in document["warnings"]] == ["bad_case"]
    assert "P2" in document["warnings"][0]["text"]


def test_without_json_it_is_said_in_words(folders):
    answer = onclair_here("bone", "lesions", "compare", "--truth", folders[0], "--predicted", folders[1], "--replicates", "20")
    assert answer.code == 0, answer.err
    assert "P1: 1 found, 1 missed, 1 false (iou0.1)" in answer.out
