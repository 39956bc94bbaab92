"""The plain detector: holes and dense spots inside bone, by thresholds, depth and size."""

from __future__ import annotations

import numpy as np
import pytest

from onclair.core.errors import BadSetting
from onclair.science.bone.threshold import threshold_lesions

SHAPE = (40, 36, 32)


def block(**spots: tuple[tuple[int, int, int], float, float]) -> np.ndarray:
    """Bone of 200 HU with spheres: centre, radius in voxels, HU."""
    hu, place = np.full(SHAPE, 200.0), np.indices(SHAPE)
    for centre, radius, value in spots.values():
        hu[((place - np.array(centre).reshape(3, 1, 1, 1)) ** 2).sum(axis=0) <= radius**2] = value
    return hu


def found(hu: np.ndarray, bone: np.ndarray | None = None, affine: np.ndarray | None = None) -> tuple[np.ndarray, tuple[float, ...]]:
    return threshold_lesions(hu, np.eye(4) if affine is None else affine, np.ones(SHAPE, bool) if bone is None else bone)


def test_a_hole_and_a_dense_spot_are_two_candidates_in_their_places() -> None:
    instances, scores = found(block(hole=((12, 18, 16), 5, 0.0), dense=((28, 18, 16), 5, 900.0)))
    assert len(scores) == int(instances.max()) == 2
    assert instances[12, 18, 16] == 1
    assert instances[28, 18, 16] == 2
    assert instances[20, 18, 16] == 0


def test_the_deeper_and_the_larger_score_higher_and_all_lie_between_0_and_1() -> None:
    spots = {"pale": ((9, 9, 16), 5, -20.0), "deep": ((9, 26, 16), 5, -90.0), "large": ((28, 18, 16), 7, -90.0)}
    instances, scores = found(block(**spots))
    assert len(scores) == 3
    by = {name: scores[instances[centre] - 1] for name, (centre, _, _) in spots.items()}
    assert 0 < by["pale"] < by["deep"] < by["large"] < 1


def test_what_lies_at_the_surface_of_the_bone_or_is_too_small_is_no_candidate() -> None:
    bone = np.zeros(SHAPE, bool)
    bone[10:30, 8:28, 6:26] = True
    assert found(block(speck=((20, 18, 16), 1, -500.0)), bone)[1] == ()
    assert found(np.where(bone, 200.0, -1000.0), bone)[1] == ()
    assert found(block(), bone)[1] == ()


def test_the_end_of_the_scan_is_no_place_to_look() -> None:
    assert found(block(edge=((0, 18, 16), 3, -200.0)))[1] == ()


def test_sizes_are_millimetres_whatever_the_voxels() -> None:
    hu = block(hole=((20, 18, 16), 3, -200.0))
    small = found(hu, affine=np.diag([0.4, 0.4, 0.4, 1.0]))
    assert len(small[1]) == 0
    assert len(found(hu, affine=np.diag([2.0, 2.0, 2.0, 1.0]))[1]) == 1


def test_thresholds_that_overlap_are_refused() -> None:
    with pytest.raises(BadSetting, match="Holes below 500 HU and dense spots above 450 HU overlap"):
        threshold_lesions(block(), np.eye(4), np.ones(SHAPE, bool), hole_hu=500.0)
