"""Re-indexing is lossless: every flip and permutation of axes is undone exactly, and nothing else is accepted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onclair.core.errors import BadGeometry
from onclair.core.geometry import checked_affine, reindexed, same_grid, spacing_mm

SHAPES = st.tuples(*[st.integers(1, 5)] * 3)
FLIPS = st.tuples(*[st.sampled_from((1, -1))] * 3)


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """An oblique grid: rotation, spacing of 0.5 to 6 mm, any origin."""
    turn, _ = np.linalg.qr(np.random.default_rng(draw(st.integers(0, 10_000))).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * draw(st.tuples(*[st.floats(0.5, 6.0)] * 3))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300.0, 300.0)] * 3))
    return affine


def stored_otherwise(array: np.ndarray, affine: np.ndarray, order: tuple[int, ...], flips: tuple[int, ...]) -> tuple:
    """The same voxels at the same places, axes permuted and flipped; written without the code under test."""
    index = np.zeros((4, 4))
    index[3, 3] = 1.0
    for axis, source in enumerate(order):
        index[source, axis] = flips[axis]
        index[source, 3] = 0.0 if flips[axis] == 1 else array.shape[source] - 1
    moved = np.transpose(array, order)[tuple(slice(None, None, f) for f in flips)]
    return moved, affine @ index


@given(data=st.data(), shape=SHAPES, affine=affines(), order=st.permutations(range(3)), flips=FLIPS)
def test_any_flip_and_permutation_is_undone_exactly(data, shape, affine, order, flips) -> None:
    array = data.draw(hnp.arrays(np.int16, shape, elements=st.integers(-5, 5)))
    stored, its_affine = stored_otherwise(array, affine, tuple(order), flips)
    assert np.array_equal(reindexed(stored, its_affine, affine, shape), array)


@given(shape=SHAPES, affine=affines(), axis=st.integers(0, 2), millimetres=st.floats(0.05, 0.45))
def test_a_shift_by_part_of_a_voxel_is_refused_with_both_grids(shape, affine, axis, millimetres) -> None:
    other = affine.copy()
    other[axis, 3] += millimetres
    with pytest.raises(BadGeometry) as caught:
        reindexed(np.zeros(shape, bool), affine, other, shape)
    assert str(caught.value).count("affine [[") == 2
    assert f"shifted by {np.linalg.norm(affine[:3, 3] - other[:3, 3]):.2f} mm" in str(caught.value)


@given(shape=SHAPES, affine=affines(), scale=st.floats(1.1, 2.0))
def test_another_spacing_is_refused_wherever_voxels_move(shape, affine, scale) -> None:
    other = affine.copy()
    other[:3, :3] *= scale
    shape = tuple(n + 1 for n in shape)
    with pytest.raises(BadGeometry):
        reindexed(np.zeros(shape, bool), affine, other, shape)


@given(affine=affines(), shape=SHAPES)
def test_a_grid_equals_itself_and_no_grid_of_another_shape(affine, shape) -> None:
    assert same_grid(affine, shape, affine, shape)
    assert not same_grid(affine, shape, affine, (shape[0] + 1, *shape[1:]))


@given(affine=affines())
def test_spacing_is_the_length_of_each_axis(affine) -> None:
    index = np.eye(4)[:3]
    origin = affine[:3, 3]
    steps = [np.linalg.norm((affine @ np.append(row[:3], 1.0))[:3] - origin) for row in index]
    assert spacing_mm(checked_affine(affine)) == pytest.approx(steps)
