"""Published numbers: the 323 reference values of IBSI-2 (Radiology 2024;310:e231319), and what its digital phantoms must give."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import find_objects

from onclair.science.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussian
from onclair.science.radiomics.filters.response import filtered
from onclair.science.radiomics.filters.separable_wavelets import filter_pair
from onclair.science.radiomics.filters.sets import MAP_SETS, VALUE_SETS, response_map
from onclair.science.radiomics.grid import resampled
from onclair.science.radiomics.intensity import intensity_statistics
from onclair.science.radiomics.resegment import within_range

CENTRE = (31, 31, 31)
Case = tuple[np.ndarray, np.ndarray, tuple[float, ...]]

#: Lowest and highest response, and that of voxel (20, 27, 33), of an engine that took part in the consensus (MIRP 2.7.0).
ANOTHER_ENGINE = [
    ("1.a.4", 0, 255, 127.538),
    ("2.b", -25.7126, 25.6576, -15.6678),
    ("2.c", -22.2176, 22.181, -22.2176),
    ("3.a.3", 0, 1.24046, 0),
    ("3.b.2", 0, 81.7819, 0),
    ("3.b.3", 0.266549, 7.75414, 7.10796),
    ("3.c.3", 4.75589, 84.9423, 84.9423),
    ("4.a.2", 0, 255, 0),
    ("4.b.1", 0, 2696.18, 518.519),
    ("5.a.2", -39.9959, 15.3944, 0),
    ("6.a.1", -221.842, 221.978, -48.219),
    ("6.a.2", -47.8254, 111.1, -5.92406),
    ("7.a.2", -127.5, 127.5, 0),
    ("8.a.1", -147.12, 147.12, 2.27888),
    ("8.a.2", -164.748, 164.748, 137.042),
    ("8.a.3", -70.0763, 70.0763, 39.6951),
]


@pytest.fixture(scope="module")
def folder(reference_data: Path) -> Path:
    return reference_data / "radiomics"


@pytest.fixture(scope="module")
def references(folder: Path) -> dict[str, dict[str, tuple[float, float]]]:
    tables: dict[str, dict[str, tuple[float, float]]] = {name: {} for name in VALUE_SETS}
    with (folder / "ibsi2" / "reference_values.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if row["consensus_value"]:
                tables[f"ibsi2-{row['filter_id']}"][row["feature_tag"]] = float(row["consensus_value"]), float(row["tolerance"])
    return tables


@pytest.fixture(scope="module")
def prepared(folder: Path) -> dict[bool, Case]:
    """The CT phantom, resampled or not, in whole HU."""
    volume, outline = (nib.load(folder / "ibsi1" / f"ct_phantom_{part}.nii.gz") for part in ("image", "mask"))
    spacing = tuple(float(step) for step in volume.header.get_zooms())
    array, region = np.asarray(volume.dataobj, dtype=np.float64), np.asarray(outline.dataobj) > 0
    solid = resampled(array, region, spacing, VALUE_SETS["ibsi2-1.B"].grid)
    return {False: (np.rint(array), region, spacing), True: (solid.array, solid.region, solid.spacing_mm)}


@pytest.fixture(scope="module")
def phantom(folder: Path) -> Callable[[str], np.ndarray]:
    def loaded(name: str) -> np.ndarray:
        return np.asarray(nib.load(folder / "ibsi2" / f"{name}.nii.gz").dataobj)

    return loaded


def test_there_are_323_reference_values_and_33_response_maps(references):
    assert sum(len(table) for table in references.values()) == 323
    assert len(VALUE_SETS) == 18
    assert len(MAP_SETS) == 33


@pytest.mark.parametrize("name", VALUE_SETS)
def test_every_reference_value_of_a_filter_is_met(prepared, references, name):
    chosen = VALUE_SETS[name]
    array, region, spacing = prepared[chosen.grid is not None]
    kept = within_range(array, region, chosen.range)
    (box,) = find_objects(kept.astype(np.int8))
    values = intensity_statistics(filtered(array, spacing, chosen.setup, box=box)[kept[box]]).values
    off = {tag: (values[tag], *given) for tag, given in references[name].items() if not _agrees(values[tag], *given)}
    assert off == {}


def _agrees(value: float, reference: float, tolerance: float) -> bool:
    """Tell whether a value, or it rounded to three significant digits, lies within tolerance."""
    slack = tolerance + 1e-9 * abs(reference)
    return any(abs(candidate - reference) <= slack for candidate in (value, float(f"{value:.3g}")))


@pytest.mark.parametrize("name", MAP_SETS)
def test_every_response_map_is_finite_and_answers_to_its_phantom(phantom, name):
    response = response_map(phantom(MAP_SETS[name].phantom), name)
    assert response.shape == (64, 64, 64)
    assert np.isfinite(response).all()
    assert np.ptp(response) > 0.05


@pytest.mark.parametrize(("name", "low", "high", "inside"), ANOTHER_ENGINE)
def test_a_response_map_is_what_another_engine_gives(phantom, name, low, high, inside):
    response = response_map(phantom(MAP_SETS[name].phantom), name)
    found = response.min(), response.max(), response[20, 27, 33]
    assert found == pytest.approx((low, high, inside), abs=1e-4 * (high - low))


def test_the_response_to_an_impulse_is_the_kernel_of_the_mean_filter(phantom):
    response = response_map(phantom("impulse"), "1.b.1")
    expected = np.zeros((64, 64, 64))
    expected[24:39, 24:39, 31] = 255 / 225
    np.testing.assert_allclose(response, expected, atol=1e-12)


def test_the_response_to_an_impulse_is_the_kernel_of_the_laplacian_of_gaussian(phantom):
    response = response_map(phantom("impulse"), "2.a")
    offsets = np.stack(np.meshgrid(*[np.arange(64) - centre for centre in CENTRE], indexing="ij"))
    square, sigma = np.square(offsets).sum(axis=0), 1.5
    kernel = -1 / sigma**2 * (2 * np.pi * sigma**2) ** -1.5 * (3 - square / sigma**2) * np.exp(-square / (2 * sigma**2))
    kernel[np.abs(offsets).max(axis=0) > LaplacianOfGaussian(3.0).radius(2.0)] = 0
    np.testing.assert_allclose(response, 255 * kernel, atol=1e-12)


def test_the_response_to_an_impulse_is_the_outer_product_of_the_laws_kernels(phantom):
    edge, level, spot = (np.array(kernel) for kernel in ([-1, -2, 0, 2, 1], [1, 4, 6, 4, 1], [-1, 0, 2, 0, -1]))
    kernel = edge[:, None, None] * level[:, None] * spot / np.sqrt(10 * 70 * 6)
    around = response_map(phantom("impulse"), "3.a.1")[29:34, 29:34, 29:34]
    np.testing.assert_allclose(around, 255 * kernel, atol=1e-12)


def test_the_response_to_an_impulse_is_the_outer_product_of_the_wavelet_kernels(phantom):
    low, high = (np.array(kernel) for kernel in filter_pair("db2"))
    around = response_map(phantom("impulse"), "5.a.1")[29:34, 29:34, 29:34]
    np.testing.assert_allclose(around, 255 * low[:, None, None] * high[:, None] * low, atol=1e-12)


def test_the_response_to_an_impulse_is_the_envelope_of_the_gabor_filter_turned_by_60_degrees(phantom):
    response = response_map(phantom("impulse"), "4.a.1")
    x, y = np.meshgrid(*[(np.arange(64) - 31) * 2.0] * 2, indexing="ij")
    along, aside = x / 2 + y * np.sqrt(3) / 2, y / 2 - x * np.sqrt(3) / 2
    np.testing.assert_allclose(response[:, :, 31], 255 * np.exp(-(along**2 + (aside / 2) ** 2) / 200), atol=2e-2)
    assert np.abs(response[:, :, :31]).max() < 1e-9


def test_the_mean_of_a_checkerboard_is_lowest_at_its_corners_when_what_lies_beyond_is_zero(phantom):
    zero, mirror = (response_map(phantom("checkerboard"), name) for name in ("1.a.1", "1.a.4"))
    np.testing.assert_allclose(zero[7:-7, 7:-7, 7:-7], mirror[7:-7, 7:-7, 7:-7], atol=1e-9)
    assert zero[:7].mean() < mirror[:7].mean()


@pytest.mark.parametrize("name", ["1.a.3", "2.b", "4.b.2", "6.a.2", "9.b.1"])
def test_a_response_that_does_not_depend_on_direction_is_symmetric_on_the_sphere(phantom, name):
    sphere = phantom("sphere")
    turned = np.rot90(sphere, axes=(0, 1))
    response = response_map(sphere, name)
    if name == "9.b.1":  # the second derivative along y is symmetric under exchange of x and z only
        np.testing.assert_allclose(np.swapaxes(response, 0, 2), response_map(np.swapaxes(sphere, 0, 2), name), atol=1e-9 * np.ptp(response))
        return
    np.testing.assert_allclose(np.rot90(response, axes=(0, 1)), response_map(turned, name), atol=1e-9 * np.ptp(response))


def test_the_riesz_transform_of_an_impulse_is_odd_along_its_axis_and_even_across(phantom):
    around = response_map(phantom("impulse"), "9.a")[1:62, 1:62, 1:62]
    np.testing.assert_allclose(around[::-1], -around, atol=2e-3)
    np.testing.assert_allclose(around[:, ::-1], around, atol=2e-3)
    assert np.unravel_index(around.argmax(), around.shape) == (29, 30, 30)  # the factor -i makes it the negative of a derivative
