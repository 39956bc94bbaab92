"""Any label maps on any grid: what is written as SEG is read back voxel for voxel, by us and by another toolkit."""

from __future__ import annotations

import tempfile
from pathlib import Path

import highdicom as hd
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.core.values import Image
from onclair.io.dicom.seg import read_seg
from onclair.io.dicom.segmented import Segmented, write_segments
from onclair.io.dicom.write import Exam, write_volume


@settings(max_examples=12)
@given(
    shape=st.tuples(st.integers(3, 6), st.integers(3, 6), st.integers(1, 4)),
    flips=st.tuples(*[st.sampled_from([1, -1])] * 2),
    seed=st.integers(0, 2**31),
    filled=st.floats(0.0, 0.6),
)
def test_segments_of_several_maps_come_back(shape: tuple[int, int, int], flips: tuple[int, int], seed: int, filled: float) -> None:
    rng = np.random.default_rng(seed)
    affine = np.diag([0.7 * flips[0], 1.1 * flips[1], 2.5, 1.0])
    affine[:3, 3] = rng.integers(-200, 200, 3)
    maps = {"bone": rng.random(shape) < filled, "lesions": rng.integers(0, 4, shape) * (rng.random(shape) < filled)}
    maps["bone"][0, 0, 0] = True
    segments = [Segmented("three", "lesions", 3), Segmented("Bone", "bone"), Segmented("one", "lesions", 1)]
    expected = np.stack([maps["lesions"] == 3, maps["bone"], maps["lesions"] == 1])
    with tempfile.TemporaryDirectory() as home:
        volume = write_volume(Path(home, "ct"), Image(np.zeros(shape, int), affine, "HU", "CT"), Exam("P1", seed=seed))
        write_segments(Path(home, "seg.dcm"), segments, maps, volume)
        np.testing.assert_array_equal(read_seg(Path(home, "seg.dcm"), volume.image).mask.array, expected)
        stored = hd.seg.segread(Path(home, "seg.dcm"))
        per_source = stored.get_pixels_by_source_instance(list(volume.sop_uids), assert_missing_frames_are_empty=True)
        np.testing.assert_array_equal(per_source.transpose(3, 2, 1, 0) > 0, expected)
