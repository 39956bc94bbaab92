"""Whatever the orientation, spacing and origin: what is written is read at the same place."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from onclair.core.geometry import reindexed, same_grid
from onclair.core.values import Image, Mask
from onclair.io.dicom.outline import read_outline
from onclair.io.dicom.polygons import filled, outlines
from onclair.io.dicom.read import read_volume
from onclair.io.dicom.write import Exam, write_volume
from onclair.io.dicom.write_outlines import write_rtstruct, write_seg

SHAPE = (4, 5, 3)
angles = st.tuples(*[st.floats(-180, 180, allow_nan=False)] * 3)
spacings = st.tuples(*[st.floats(0.3, 6.0)] * 3)
origins = st.tuples(*[st.floats(-900, 900)] * 3)


def affine_of(turn: tuple[float, ...], spacing: tuple[float, ...], origin: tuple[float, ...], mirrored: bool) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * spacing
    if mirrored:
        affine[:3, 2] *= -1
    affine[:3, 3] = origin
    return affine


@settings(max_examples=15)
@given(angles, spacings, origins, st.booleans(), st.integers(0, 2**31))
def test_an_image_of_any_orientation_comes_back_at_its_place(turn, spacing, origin, mirrored, seed) -> None:
    affine = affine_of(turn, spacing, origin, mirrored)
    values = np.random.default_rng(seed).integers(-1024, 3000, SHAPE)
    with tempfile.TemporaryDirectory() as home:
        write_volume(home, Image(values, affine, "HU", "CT"), Exam("P1", seed=1))
        read = read_volume(home).image
    if not mirrored:
        assert same_grid(read.affine, read.array.shape, affine, SHAPE)
    np.testing.assert_array_equal(reindexed(read.array, read.affine, affine, SHAPE), values)


@settings(max_examples=10)
@given(angles, spacings, origins, st.booleans(), arrays(bool, (2, *SHAPE)).filter(lambda a: a.any()))
def test_outlines_of_any_shape_come_back_in_any_orientation(turn, spacing, origin, mirrored, layers) -> None:
    affine = affine_of(turn, spacing, origin, mirrored)
    with tempfile.TemporaryDirectory() as home:
        written = write_volume(Path(home, "ct"), Image(np.zeros(SHAPE, int), affine, "HU", "CT"), Exam("P1", seed=1))
        mask = Mask(layers, affine, ("a", "b"))
        write_rtstruct(Path(home, "rs.dcm"), mask, written)
        write_seg(Path(home, "seg.dcm"), mask, written)
        image = read_volume(Path(home, "ct")).image
        for name in ("rs.dcm", "seg.dcm"):
            found = read_outline(Path(home, name), image).mask
            np.testing.assert_array_equal(found.on(written.image).array, layers)


@settings(max_examples=60)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_tracing_and_filling_any_region_gives_it_back(region) -> None:
    np.testing.assert_array_equal(filled(outlines(region), region.shape), region)


@settings(max_examples=40)
@given(arrays(float, st.tuples(st.integers(3, 8), st.just(2)), elements=st.floats(-2, 11, width=32)))
def test_filling_agrees_with_counting_crossings_voxel_by_voxel(corners) -> None:
    corners = np.round(corners, 3) + 0.0004
    ends = np.roll(corners, -1, axis=0)
    expected, close = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    for x in range(9):
        for y in range(9):
            inside = False
            for (x1, y1), (x2, y2) in zip(corners, ends, strict=True):
                if (y1 <= y) != (y2 <= y):
                    crossing = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
                    close[x, y] |= abs(crossing - x) < 1e-3  # so near a centre it may go either way
                    inside ^= bool(crossing <= x)
            expected[x, y] = inside
    np.testing.assert_array_equal(filled([corners], (9, 9))[~close], expected[~close])
