"""What holds for every filter, whatever the image: linearity, shifts, turns, edges and boxes."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from onclair.science.radiomics.filters.boundaries import BOUNDARIES, extended
from onclair.science.radiomics.filters.gabor import Gabor
from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from onclair.science.radiomics.filters.laws import Laws
from onclair.science.radiomics.filters.mean import Mean
from onclair.science.radiomics.filters.response import Setup, filtered, margin_mm
from onclair.science.radiomics.filters.riesz import Riesz
from onclair.science.radiomics.filters.scene import scene
from onclair.science.radiomics.filters.separable_wavelets import SeparableWavelet, every_band
from onclair.science.radiomics.filters.simoncelli import Simoncelli

SCIPY = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
NUMPY = {"zero": "constant", "nearest": "edge", "periodic": "wrap", "mirror": "symmetric"}
CUBES = (1.0, 1.0, 1.0)
FEW = settings(max_examples=10)
LINEAR = [
    Mean(3),
    LaplacianOfGaussian(0.8),
    Laws("E5L3S5"),
    Laws("E5L5S5", "average"),
    SeparableWavelet("db3", "LHL", 2),
    SeparableWavelet("coif1", "LHH", 1, "average"),
    Simoncelli(1),
    Riesz((1, 0, 1), Simoncelli(2)),
    Riesz((0, 2, 0), LaplacianOfGaussian(1.0)),
]
OTHERS = [
    Laws("L5E5E5", "max", energy_distance=2),
    SeparableWavelet("db2", "LLH", 2, "max"),
    SeparableWavelet("haar", "HHL", 1, "min"),
    Gabor(1.5, 3.0, 0.8, theta_degrees=30.0),
    Gabor(1.0, 2.0, 1.5, step_degrees=90.0, planes=3, pooling="max"),
]
TURNABLE = [
    Mean(3),
    LaplacianOfGaussian(0.8),
    Laws("E5L5S5", "max"),
    Laws("L5E5E5", "min"),
    Laws("R5W5L3", "average"),
    Laws("L5E5S5", "max", energy_distance=2),
    SeparableWavelet("db3", "LLH", 1, "average"),
    SeparableWavelet("db2", "LHL", 2, "max"),
    SeparableWavelet("coif1", "HHH", 2, "min"),
    Gabor(1.2, 2.5, 1.5, step_degrees=45.0, planes=3),
    Simoncelli(2),
]


SIDES = st.integers(3, 9)


@st.composite
def images(draw, sides=SIDES):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.normal(size=draw(st.tuples(sides, sides, sides))) * 10


@FEW
@given(st.data(), st.sampled_from(LINEAR), st.sampled_from(BOUNDARIES))
def test_a_linear_filter_of_a_sum_is_the_sum_of_its_responses(data, chosen, boundary):
    one = data.draw(images())
    other = np.random.default_rng(1).normal(size=one.shape)
    setup = Setup(chosen, 3, boundary)
    together = filtered(one + 3 * other, CUBES, setup)
    np.testing.assert_allclose(together, filtered(one, CUBES, setup) + 3 * filtered(other, CUBES, setup), atol=1e-9)


@settings(max_examples=40)
@given(st.data(), images(), st.sampled_from(LINEAR + OTHERS), st.sampled_from(BOUNDARIES))
def test_the_response_in_a_box_is_the_whole_response_cut_to_it(data, image, chosen, boundary):
    firsts = [data.draw(st.integers(0, side - 1)) for side in image.shape]
    box = tuple(slice(first, data.draw(st.integers(first + 1, side))) for first, side in zip(firsts, image.shape, strict=True))
    setup = Setup(chosen, 3, boundary)
    np.testing.assert_allclose(filtered(image, CUBES, setup, box=box), filtered(image, CUBES, setup)[box], atol=1e-9)


@FEW
@given(images(st.integers(4, 9)), st.sampled_from(LINEAR + OTHERS), st.tuples(*[st.integers(0, 8)] * 3))
def test_a_periodic_image_that_is_shifted_has_a_shifted_response(image, chosen, shift):
    setup = Setup(chosen, 3, "periodic")
    moved = filtered(np.roll(image, shift, (0, 1, 2)), CUBES, setup)
    np.testing.assert_allclose(moved, np.roll(filtered(image, CUBES, setup), shift, (0, 1, 2)), atol=1e-8)


@settings(max_examples=30)
@given(images(st.sampled_from([5, 7])), st.sampled_from(TURNABLE), st.sampled_from([(0, 1), (1, 2), (0, 2)]), st.integers(1, 3))
def test_a_rotation_invariant_response_turns_with_the_image(image, chosen, plane, turns):
    setup = Setup(chosen, 3, "mirror")
    turned = filtered(np.rot90(image, turns, plane), CUBES, setup)
    np.testing.assert_allclose(turned, np.rot90(filtered(image, CUBES, setup), turns, plane), atol=1e-8)


@settings(max_examples=12)
@given(images(st.integers(4, 7)), st.sampled_from(["max", "average", "min"]), st.sampled_from(BOUNDARIES), st.booleans())
def test_pooling_is_what_turning_the_image_24_times_gives(image, pooling, boundary, wavelet):
    plain = SeparableWavelet("db2", "LHL", 2) if wavelet else Laws("E5L5S3")
    invariant = SeparableWavelet("db2", "LHL", 2, pooling) if wavelet else Laws("E5L5S3", pooling)
    responses = [back(filtered(turned, CUBES, Setup(plain, 3, boundary))) for turned, back in _turned(image)]
    assert len(responses) == 24
    expected = {"max": np.max, "average": np.mean, "min": np.min}[pooling](responses, axis=0)
    np.testing.assert_allclose(filtered(image, CUBES, Setup(invariant, 3, boundary)), expected, atol=1e-9)


def _turned(image):
    """Yield the image in each of its 24 orientations, and the way back."""
    for order, flips in product(permutations(range(3)), product((1, -1), repeat=3)):
        matrix = np.zeros((3, 3))
        matrix[range(3), order] = flips
        if np.linalg.det(matrix) > 0:
            there = tuple(slice(None, None, flip) for flip in flips)
            yield (
                np.transpose(image, order)[there],
                lambda response, order=order, there=there: np.transpose(response[there], np.argsort(order)),
            )


@settings(max_examples=20)
@given(images(st.integers(2, 8)), st.sampled_from(BOUNDARIES), st.sampled_from(["E5L5S5", "W5R5L3", "S3E3L5"]))
def test_a_separable_filter_is_what_scipy_gives_by_the_whole_kernel(image, boundary, kernels):
    chains = Laws(kernels).chains
    kernel = np.einsum("i,j,k->ijk", *(np.array(chain[0]) for chain in chains))
    expected = ndimage.convolve(image, kernel, mode=SCIPY[boundary])
    np.testing.assert_allclose(filtered(image, CUBES, Setup(Laws(kernels), 3, boundary)), expected, atol=1e-9)


@FEW
@given(images(st.integers(2, 6)), st.sampled_from(BOUNDARIES), st.integers(0, 14))
def test_what_lies_beyond_the_edge_is_what_numpy_pads(image, boundary, width):
    spans = tuple((-width, side + width) for side in image.shape)
    np.testing.assert_array_equal(extended(image, spans, boundary), np.pad(image, width, mode=NUMPY[boundary]))


@FEW
@given(images(), st.sampled_from(["haar", "db2", "db3", "coif1"]), st.integers(1, 2), st.sampled_from([2, 3]))
def test_all_bands_at_once_are_the_bands_one_by_one(image, wavelet, level, dimensions):
    bands = dict(every_band(scene(image, CUBES, dimensions, "mirror"), wavelet, level))
    assert len(bands) == 2**dimensions
    for band, response in bands.items():
        np.testing.assert_allclose(response, filtered(image, CUBES, Setup(SeparableWavelet(wavelet, band, level), dimensions)), atol=1e-10)


@FEW
@given(images(st.integers(12, 16)), st.sampled_from([Mean(5), Laws("L5E5E5", "max", 2), SeparableWavelet("db2", "LLH", 2, "average")]))
def test_an_image_cut_to_the_margin_gives_the_same_response(image, chosen):
    setup = Setup(chosen, 3, "mirror")
    margin = round(margin_mm(setup, CUBES))
    wide = tuple(slice(max(0, 5 - margin), 7 + margin) for _ in range(3))
    inner = tuple(slice(5 - part.start, 7 - part.start) for part in wide)
    np.testing.assert_allclose(filtered(image[wide], CUBES, setup, box=inner), filtered(image, CUBES, setup)[5:7, 5:7, 5:7], atol=1e-9)


@FEW
@given(images(st.integers(4, 8)), st.sampled_from(BOUNDARIES))
def test_the_average_lies_between_the_extremes(image, boundary):
    low, middle, high = (filtered(image, CUBES, Setup(Laws("L5E5S5", pooling), 3, boundary)) for pooling in ("min", "average", "max"))
    assert (low <= middle + 1e-9).all()
    assert (middle <= high + 1e-9).all()


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "mirror"])
@pytest.mark.parametrize(
    ("chosen", "total"),
    [
        (Mean(5), 1.0),
        (Laws("L5L5L5"), (16 / 70**0.5) ** 3),
        (Laws("L5E5S5"), 0.0),
        (Laws("R5W5E3", "max"), 0.0),
        (SeparableWavelet("db3", "LLL", 2), 8.0),
        (SeparableWavelet("coif1", "LLH"), 0.0),
        (Simoncelli(1), 0.0),
        (Riesz((1, 1, 0), LaplacianOfGaussian(1.0)), 0.0),
    ],
)
def test_a_flat_image_gives_the_sum_of_the_kernel(chosen, total, boundary):
    response = filtered(np.full((9, 9, 9), 7.0), CUBES, Setup(chosen, 3, boundary))
    np.testing.assert_allclose(response, 7 * total, atol=1e-9)
