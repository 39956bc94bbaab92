"""A network over a whole scan says of each voxel what it says of a tile; tiles without bone are skipped; foreign models are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from onclair.core.errors import BadCase, BadModelFile, BadSetting
from onclair.io.networks import load_network, save_network
from onclair.learn.bundle import bundle_of, segmentation_record
from onclair.learn.instance_scores import FEATURES, ScoreModel
from onclair.learn.plan import Plan
from onclair.learn.segment import network, probabilities_of, to_graph
from onclair.learn.tile_grid import bell, shown, starts_of, upright
from onclair.learn.tiles import Segmenter
from onclair.learn.weights import arrays_of
from segmentation_made import PLAN, bright, changed, graph_of, scan

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def segmenter(plan: Plan = PLAN, **options: object) -> Segmenter:
    return Segmenter(segmentation_record("made", graph_of(bright, plan.patch), plan, threshold=0.5, scores=None), **options)


def beside(home: Path, entries: dict[str, object], answer: object = bright, patch: tuple[int, ...] = PLAN.patch) -> Path:
    graph = graph_of(answer, patch)
    (home / "mine.onnx").write_bytes(graph)
    (home / "mine.json").write_text(json.dumps(entries))
    return home / "mine.onnx"


PLAIN = {"spacing_mm": [2, 2, 2], "patch": [16, 16, 16], "clip": [-200, 1000], "mean": 0, "std": 100, "activation": "none"}


def test_blended_tiles_of_a_pointwise_network_say_what_it_says_of_each_voxel() -> None:
    hu, _ = scan(1, (37, 24, 29))
    found = segmenter().probabilities(hu, AFFINE)
    wanted = 1 / (1 + np.exp(-np.clip(hu, -200, 1000) / 100.0))
    assert np.abs(found.probability - wanted).max() < 1e-5
    assert (found.tiles_total, found.tiles_run) == (4 * 2 * 3, 4 * 2 * 3)
    assert found.classes is None


def test_a_scan_smaller_than_a_tile_is_filled_up_with_air() -> None:
    hu = scan(1)[0][:9, :, :11]
    found = segmenter().probabilities(hu, AFFINE)
    assert found.probability.shape == (9, 24, 11)
    assert np.abs(found.probability - 1 / (1 + np.exp(-np.clip(hu, -200, 1000) / 100.0))).max() < 1e-5


def test_flipped_and_permuted_axes_change_nothing() -> None:
    hu, _ = scan(2, (30, 24, 20))
    index = np.array([[0, -1, 0, 29], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    turned = np.transpose(hu[::-1], (2, 0, 1))
    straight, other = (segmenter().probabilities(array, affine).probability for array, affine in ((hu, AFFINE), (turned, AFFINE @ index)))
    assert np.array_equal(np.transpose(straight[::-1], (2, 0, 1)), other)


def test_a_scan_of_another_spacing_is_answered_on_its_own_grid_in_its_own_place() -> None:
    hu = np.full((48, 48, 30), -100, dtype=np.int16)
    hu[30:42, 8:20, 10:20] = 500
    found = segmenter().probabilities(hu, np.diag([1.0, 1.0, 3.0, 1.0])).probability
    assert found.shape == hu.shape
    assert found[31:41, 9:19, 11:19].min() > 0.9
    assert found[:29].max() < 0.5


def test_tiles_without_bone_are_skipped_and_bone_is_answered_as_by_all_tiles() -> None:
    hu, _ = scan(3, (64, 40, 40))
    inside = np.zeros(hu.shape, dtype=bool)
    inside[2:10, 10:20, 10:20] = True
    found, whole = segmenter().probabilities(hu, AFFINE, inside=inside), segmenter().probabilities(hu, AFFINE)
    assert found.tiles_total == whole.tiles_run == 7 * 4 * 4
    assert 0 < found.tiles_run < whole.tiles_run / 4
    assert np.abs(found.probability - whole.probability)[inside].max() < 1e-5
    assert found.probability[40:].max() == 0.0


def test_several_classes_are_decided_between_before_they_are_brought_to_the_scan() -> None:
    def three(x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(torch.cat([torch.zeros_like(x), x, 2 * x - 3.0], 1), 1)

    plan = changed(classes=("background", "soft", "hard"))
    hu = np.repeat(np.array([-150, 150, 900], dtype=np.int16), 8)[:, None, None] * np.ones((1, 20, 20), dtype=np.int16)
    record = segmentation_record("three", graph_of(three), plan, threshold=0.5, scores=None)
    found = Segmenter(record).probabilities(hu, AFFINE)
    assert found.classes is not None
    assert [int(found.classes[at, 10, 10]) for at in (3, 12, 20)] == [0, 1, 2]
    assert found.probability[12, 10, 10] == pytest.approx(1 - 1 / (1 + np.exp(1.5) + 1), abs=1e-5)


def test_onnx_and_torch_say_the_same_through_the_same_tiles() -> None:
    weights = arrays_of(network(PLAN, seed=4))
    record = segmentation_record("untrained", to_graph(PLAN, [weights, arrays_of(network(PLAN, seed=5))]), PLAN, threshold=0.5, scores=None)
    hu, _ = scan(5)
    one, two = (Segmenter(record, runtime=runtime).probabilities(hu, AFFINE).probability for runtime in ("onnxruntime", "torch"))
    assert np.abs(one - two).max() < 1e-4
    assert one.std() > 0


def test_openvino_in_f32_agrees_with_onnxruntime() -> None:
    pytest.importorskip("openvino", reason="OpenVINO is optional")
    record = segmentation_record("untrained", to_graph(PLAN, [arrays_of(network(PLAN, seed=4))]), PLAN, threshold=0.5, scores=None)
    hu, _ = scan(5)
    one, two = (Segmenter(record, runtime=runtime).probabilities(hu, AFFINE).probability for runtime in ("onnxruntime", "openvino"))
    assert np.abs(one - two).max() < 5e-3


def test_the_members_of_a_model_are_averaged() -> None:
    members = [arrays_of(network(PLAN, seed=seed)) for seed in (1, 2)]
    x = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        one, two, both = (probabilities_of(PLAN, part)(x) for part in ([members[0]], [members[1]], members))
    assert torch.allclose(both, (one + two) / 2, atol=1e-6)


def test_a_memory_ceiling_below_one_tile_is_refused_and_one_above_is_not() -> None:
    hu, _ = scan(1)
    network_ = segmenter()
    with pytest.raises(BadSetting, match=r"memory ceiling is 1e-06 GB and one tile of 16x16x16 voxels needs about .* raise --ram-gb"):
        network_.probabilities(hu, AFFINE, ram_gb=1e-6)
    assert network_.probabilities(hu, AFFINE, ram_gb=network_.tile_gb * 1.01).tiles_run == 8


def test_bf16_without_openvino_and_no_thread_are_refused() -> None:
    hu, _ = scan(1)
    with pytest.raises(BadSetting, match="onnxruntime does not compute in bf16"):
        segmenter(runtime="onnxruntime").probabilities(hu, AFFINE, precision="bf16")
    with pytest.raises(BadSetting, match="0 threads"):
        segmenter().probabilities(hu, AFFINE, threads=0)


def test_an_empty_or_foreign_bone_mask_is_refused() -> None:
    hu, _ = scan(1)
    with pytest.raises(BadCase, match="empty"):
        segmenter().probabilities(hu, AFFINE, inside=np.zeros(hu.shape, dtype=bool))
    with pytest.raises(BadCase, match=r"of shape \(2, 2, 2\) where the CT is of shape"):
        segmenter().probabilities(hu, AFFINE, inside=np.ones((2, 2, 2), dtype=bool))


def test_a_record_needs_nothing_beside_it(tmp_path: Path) -> None:
    scores = ScoreModel((0.0,) * len(FEATURES), (1.0,) * len(FEATURES), (0.5,) * (len(FEATURES) + 1), 20, 9)
    save_network(tmp_path / "m", segmentation_record("made", graph_of(bright), PLAN, threshold=0.35, scores=scores))
    found = bundle_of(tmp_path / "m")
    assert (found.plan, found.threshold, found.scores) == (PLAN, 0.35, scores)


def test_a_changed_byte_or_plan_is_refused(tmp_path: Path) -> None:
    save_network(tmp_path / "m", segmentation_record("made", graph_of(bright), PLAN, threshold=0.5, scores=None))
    record = load_network(tmp_path / "m")
    record.document["extra"]["segmentation"]["plan"]["mean"] = 5.0
    with pytest.raises(BadModelFile, match="not the one it was trained with"):
        Segmenter(record)
    data = bytearray((tmp_path / "m" / "network.onnx").read_bytes())
    data[-3] ^= 1
    (tmp_path / "m" / "network.onnx").write_bytes(bytes(data))
    with pytest.raises(BadModelFile, match="was changed after it was saved"):
        Segmenter(tmp_path / "m")


def test_a_network_of_another_patch_or_number_of_classes_is_refused() -> None:
    with pytest.raises(BadModelFile, match=r"shape \[None, 1, 16, 16, 16\] where its plan asks for \(n, 1, 24, 24, 24\)"):
        Segmenter(segmentation_record("made", graph_of(bright), changed(patch=(24, 24, 24)), threshold=0.5, scores=None))
    with pytest.raises(BadModelFile, match="output of the network 'made'"):
        Segmenter(segmentation_record("made", graph_of(bright), changed(classes=("background", "a", "b")), threshold=0.5, scores=None))


def test_a_bare_onnx_file_works_with_its_plan_beside_it(tmp_path: Path) -> None:
    hu, _ = scan(6)
    path = beside(tmp_path, {**PLAIN, "threshold": 0.4})
    found = Segmenter(path)
    assert found.bundle.threshold == 0.4
    assert np.array_equal(found.probabilities(hu, AFFINE).probability, segmenter().probabilities(hu, AFFINE).probability)


def test_a_bare_onnx_file_of_logits_is_softmaxed(tmp_path: Path) -> None:
    def logits(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros_like(x), x], 1)

    hu, _ = scan(6)
    path = beside(tmp_path, {**PLAIN, "activation": "softmax"}, logits)
    found = Segmenter(path).probabilities(hu, AFFINE).probability
    assert np.abs(found - segmenter().probabilities(hu, AFFINE).probability).max() < 1e-5


def test_a_plan_of_another_model_one_without_an_entry_and_none_at_all_are_refused(tmp_path: Path) -> None:
    path = beside(tmp_path, {**PLAIN, "model_sha256": "0" * 64})
    with pytest.raises(BadModelFile, match=f"0000 *, and mine.onnx has {hashlib.sha256(path.read_bytes()).hexdigest()}"):
        Segmenter(path)
    (tmp_path / "mine.json").write_text(json.dumps({key: value for key, value in PLAIN.items() if key != "clip"}))
    with pytest.raises(BadModelFile, match="has no 'clip'"):
        Segmenter(path)
    (tmp_path / "mine.json").write_text(json.dumps({**PLAIN, "pach": [1, 1, 1]}))
    with pytest.raises(BadModelFile, match=r"unknown key 'pach'.*'patch'"):
        Segmenter(path)
    (tmp_path / "mine.json").unlink()
    with pytest.raises(BadModelFile, match=r"no plan beside mine.onnx; write mine.json"):
        Segmenter(path)


def test_the_plans_of_nnunet_are_read_with_their_order_of_axes(tmp_path: Path) -> None:
    def slopes(x: torch.Tensor) -> torch.Tensor:
        height = torch.arange(8.0).reshape(1, 1, 8, 1, 1).expand(x.shape[0], 1, 8, 16, 24)
        return torch.cat([torch.zeros_like(x), height - 4.0 + 0.0 * x], 1)

    seen = {"percentile_00_5": -200.0, "percentile_99_5": 1000.0, "mean": 0.0, "std": 100.0}
    full = {"spacing": [4.0, 2.0, 2.0], "patch_size": [8, 16, 24]}
    plans = {
        "configurations": {"3d_fullres": full},
        "foreground_intensity_properties_per_channel": {"0": seen},
        "transpose_forward": [0, 1, 2],
    }
    (tmp_path / "mine.onnx").write_bytes(graph_of(slopes, (8, 16, 24)))
    (tmp_path / "plans.json").write_text(json.dumps(plans))
    found = Segmenter(tmp_path / "mine.onnx")
    assert (found.bundle.plan.spacing_mm, found.bundle.plan.patch, found.bundle.axes) == ((2.0, 2.0, 4.0), (24, 16, 8), "zyx")
    said = found.probabilities(np.zeros((24, 16, 8), np.int16), np.diag([2.0, 2.0, 4.0, 1.0])).probability
    assert said[0, 0] == pytest.approx(1 / (1 + np.exp(4.0 - np.arange(8))), abs=1e-5)


def test_pickle_named_onnx_is_refused(tmp_path: Path) -> None:
    path = beside(tmp_path, PLAIN)
    path.write_bytes(b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00}\x94.")
    with pytest.raises(BadModelFile):
        Segmenter(path)


def test_the_bell_is_that_of_monai() -> None:
    from monai.data.utils import compute_importance_map

    theirs = compute_importance_map((20, 24, 16), mode="gaussian", sigma_scale=0.125).numpy()
    assert np.abs(bell((20, 24, 16)) - theirs / theirs.max()).max() < 2e-3  # MONAI lifts what is below 0.001


def test_tiles_reach_both_ends_and_overlap_by_half_at_least() -> None:
    for length in range(16, 90):
        starts = starts_of(length, 16)
        assert (starts[0], starts[-1]) == (0, length - 16)
        assert max(np.diff(starts), default=0) <= 8


def test_what_the_network_is_shown_keeps_its_place() -> None:
    hu = np.zeros((40, 30, 20), dtype=np.float32)
    hu[25:29, 10:14, 4:6] = 100.0
    straight, base = upright(hu, np.diag([-1.0, 1.0, 3.0, 1.0]))
    image, grid = shown(straight, base, (2.0, 2.0, 1.5))
    inside = np.argwhere(image > 50).mean(axis=0)
    assert grid[:3, :3] @ inside + grid[:3, 3] == pytest.approx([-26.5, 11.5, 13.5], abs=0.6)
