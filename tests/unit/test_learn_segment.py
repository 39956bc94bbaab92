"""Patches are drawn a third from lesions, a third from odd bone, a third from anywhere; the recipe learns, and its ONNX says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from onclair.core.errors import BadModelFile
from onclair.core.values import Image
from onclair.learn.augment import cut_out, varied
from onclair.learn.segment import fit, loss_of, module_of, network, to_graph, training_of
from onclair.learn.segment_data import KINDS, SLOTS, Patches, Prepared, load_prepared, prepare, save_prepared
from onclair.learn.weights import arrays_of
from segmentation_made import PLAN, changed, scan

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def prepared(seed: int = 1, lesions: int = 2, plan: object = PLAN) -> Prepared:
    hu, drawn = scan(seed, (32, 32, 32), lesions)
    bone = np.zeros(hu.shape, dtype=bool)
    bone[4:-4, 4:-4] = True
    return prepare(f"case-{seed}", Image(hu, AFFINE, "HU", "CT"), drawn, plan, bone=bone, rng=np.random.default_rng(seed))


def test_a_scan_on_its_own_grid_is_only_normalised() -> None:
    hu, drawn = scan(1, (32, 32, 32), 2)
    found = prepared()
    assert np.abs(found.image.astype(float) - np.clip(hu, -200, 1000) / 100).max() < 0.01
    assert np.array_equal(found.label, drawn)


def test_a_lesion_too_small_for_the_grid_keeps_its_heart() -> None:
    hu, drawn = np.full((32, 32, 32), 300, np.int16), np.zeros((32, 32, 32), np.uint8)
    drawn[10:11, 10:12, 10:12] = 1
    found = prepare(
        "a", Image(hu, AFFINE, "HU", "CT"), drawn, changed(spacing_mm=(5.0, 5.0, 5.0)), bone=hu > 0, rng=np.random.default_rng(0)
    )
    assert found.label.sum() == 1
    assert tuple(np.argwhere(found.label)[0]) == (4, 4, 4)


def test_a_third_of_every_batch_is_about_lesions_though_its_scans_have_none() -> None:
    patches, rng = Patches([prepared(1), prepared(2, lesions=0), prepared(3, lesions=0)], PLAN), np.random.default_rng(0)
    assert len(patches) == 3 * SLOTS
    held = np.array([patches.take(np.arange(6, 12), rng)["label"].flatten(1).any(1).tolist() for _ in range(20)])
    assert held[:, :2].all()
    assert not held[:, 2:].any()


def test_even_a_batch_of_two_holds_a_lesion() -> None:
    patches, rng = Patches([prepared(1)], PLAN), np.random.default_rng(0)
    assert all(patches.take(np.array([0, 1]), rng)["label"][0].any() for _ in range(20))


def test_odd_places_are_those_that_stand_out_from_the_bone_around() -> None:
    hu, drawn = scan(1, (32, 32, 32), 0)
    hu[12:16, 12:16, 12:16] = 1200
    bone = np.zeros(hu.shape, dtype=bool)
    bone[4:-4, 4:-4] = True
    odd = prepare("a", Image(hu, AFFINE, "HU", "CT"), drawn, PLAN, bone=bone, rng=np.random.default_rng(0)).places["odd"]
    away = np.abs(odd - 13.5).max(axis=1)
    assert (away <= 8).mean() > 0.8


def test_lesions_are_drawn_alike_whatever_their_size() -> None:
    hu, drawn = np.full((32, 32, 32), 300, np.int16), np.zeros((32, 32, 32), np.uint8)
    drawn[2:14, 2:14, 2:14] = 1
    drawn[24:26, 24:26, 24:26] = 1
    found = prepare("a", Image(hu, AFFINE, "HU", "CT"), drawn, PLAN, bone=hu > 0, rng=np.random.default_rng(0))
    assert np.bincount(found.lesion_of).tolist() == [200, 8]
    patches, rng = Patches([found], changed(patch=(4, 4, 4))), np.random.default_rng(0)
    small = sum(0 < int(patches.one(found, "lesion", rng)[1].sum()) <= 8 for _ in range(200))
    assert 60 < small < 140


def test_the_same_generator_draws_the_same_patch() -> None:
    patches = Patches([prepared()], PLAN)
    one, two, other = (patches.take(np.arange(6), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["patch"], other["patch"])


def test_a_frame_turns_image_and_label_together() -> None:
    label = np.zeros((20, 20, 20), dtype=np.uint8)
    label[6:9, 9:15, 10] = 1
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    image, drawn = cut_out(label * 3.0, label, np.array([9.5, 9.5, 9.5]), (20, 20, 20), 0.0, frame=turn)
    assert np.array_equal(drawn, np.rot90(label, -1).astype(np.uint8)) or np.array_equal(drawn, np.rot90(label).astype(np.uint8))
    assert np.allclose(image, drawn * 3.0, atol=1e-5)


def test_varied_images_stay_aligned_with_their_labels() -> None:
    image, label = np.zeros((12, 12, 12), np.float32), np.zeros((12, 12, 12), np.uint8)
    label[2:5, 7:11, 1:4] = 1
    image[label > 0] = 50.0
    for seed in range(20):
        seen, drawn = varied(image, label, np.random.default_rng(seed))
        assert np.argwhere(drawn).mean(axis=0) == pytest.approx(np.argwhere(seen > 20).mean(axis=0), abs=1.0)
        assert drawn.sum() == label.sum()


def test_prepared_scans_come_back_from_disk_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    found = prepared()
    save_prepared(tmp_path / "case-1", found)
    again = load_prepared(tmp_path / "case-1")
    assert np.array_equal(again.image, found.image)
    assert all(np.array_equal(again.places[kind], found.places[kind]) for kind in KINDS)
    (tmp_path / "case-1" / "odd.npy").unlink()
    with pytest.raises(BadModelFile, match="remove the folder to prepare it anew"):
        load_prepared(tmp_path / "case-1")


def test_the_loss_of_a_perfect_answer_is_nothing_and_of_a_wrong_one_is_not() -> None:
    label = torch.zeros(1, 1, 16, 16, 16, dtype=torch.int64)
    label[..., 4:8, 4:8, 4:8] = 1
    right = torch.cat([20.0 * (1 - 2 * label), 20.0 * (2 * label - 1)], 1).float()
    loss, coarse = loss_of(PLAN), torch.nn.functional.max_pool3d(right, 2)
    coarse[:, 0] = -coarse[:, 1]
    batch = {"patch": torch.zeros(1, 1, 16, 16, 16), "label": label}
    assert float(loss(lambda x: [right, coarse], batch)) == pytest.approx(0.0, abs=1e-3)
    assert float(loss(lambda x: [-right, -coarse], batch)) > 1.0


def test_the_recipe_learns_dark_spheres_in_bright_bone_and_comes_back_as_onnx() -> None:
    patches = Patches([prepared(seed) for seed in range(1, 5)], PLAN)
    found = fit(patches, training_of(PLAN, steps=60, preset="demo", seed=2))
    assert found.history[-1]["loss"] < 0.8 * found.history[0]["loss"]
    module = module_of(PLAN, to_graph(PLAN, [found.weights]))
    one = prepared(9)
    with torch.no_grad():
        said = module(torch.from_numpy(one.image[8:24, 8:24, 8:24].astype(np.float32))[None, None])[0, 1].numpy()
    truth = one.label[8:24, 8:24, 8:24] > 0
    assert said[truth].mean() > 2 * said[~truth].mean()


def test_another_architecture_is_no_network_of_the_plan() -> None:
    graph = to_graph(PLAN, [arrays_of(network(PLAN))])
    with pytest.raises(BadModelFile, match="it is of another plan"):
        module_of(changed(features=(8, 8, 8)), graph)
