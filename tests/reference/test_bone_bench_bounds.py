"""Inference on the real torso keeps the bounds of the specification: CPU against torch, agreement, tiles run, memory of a whole body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onclair.core.errors import BadInput
from onclair.io.nifti import read_image
from onclair.learn.tile_grid import upright
from onclair.learn.tiles import Segmenter
from onclair.science.bone.mask import bone_mask
from onclair.studies.tasks.bone_bench import BOUNDS, bench
from segmentation_made import bright, changed, graph_of


def test_a_folder_without_the_scan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no torso_ct"):
        bench(tmp_path)


def test_at_most_half_of_the_tiles_run_on_the_real_torso(reference_data: Path) -> None:
    from onclair.learn.bundle import segmentation_record

    image = read_image(reference_data / "bone" / "torso_ct" / "example_ct.nii.gz", "HU", "CT")
    bone = bone_mask(image.array, image.affine)
    plan = changed(patch=(32, 32, 32))
    segmenter = Segmenter(segmentation_record("pointwise", graph_of(bright, (32, 32, 32)), plan, threshold=0.5, scores=None))
    found = segmenter.probabilities(image.array, image.affine, inside=bone)
    assert found.tiles_run <= BOUNDS["tiles:share"][1] * found.tiles_total
    assert upright(found.probability, image.affine)[0][upright(bone, image.affine)[0]].min() > 0.0
    assert np.isfinite(found.probability).all()


@pytest.mark.slow
def test_every_bound_holds(reference_data: Path) -> None:
    found = bench(reference_data / "bone")
    measured = [name for name in BOUNDS if name != "infer:agreement" or not found.model.startswith("untrained")]
    assert {name: found.holds(name) for name in measured} == dict.fromkeys(measured, True)
