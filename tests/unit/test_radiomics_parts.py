"""The parts, each against what can be counted by hand or by brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from onclair.core.errors import BadCase
from onclair.science.radiomics.autocorrelation import autocorrelation
from onclair.science.radiomics.discretise import Discretisation, discretised
from onclair.science.radiomics.glcm import pair_counts
from onclair.science.radiomics.glrlm import run_counts
from onclair.science.radiomics.histogram import histogram_statistics
from onclair.science.radiomics.intensity import intensity_statistics
from onclair.science.radiomics.levels import DIRECTIONS, grey_levels, voxels_in
from onclair.science.radiomics.mesh import surface
from onclair.science.radiomics.resegment import within_range
from onclair.science.radiomics.volume_histogram import volume_histogram


def _region(seed: int, shape=(5, 6, 4), share: float = 0.7):
    rng = np.random.default_rng(seed)
    region = rng.random(shape) < share
    return rng.integers(1, 5, shape), region


def _pairs_one_by_one(levels, region, step):
    table = np.zeros((levels[region].max(),) * 2, int)
    for here in map(tuple, np.argwhere(region)):
        there = tuple(np.add(here, step))
        if all(0 <= i < n for i, n in zip(there, region.shape, strict=True)) and region[there]:
            table[levels[here] - 1, levels[there] - 1] += 1
            table[levels[there] - 1, levels[here] - 1] += 1
    return table


def _runs_one_by_one(levels, region, step):
    masked = np.where(region, levels, 0)
    table = np.zeros((levels[region].max(), max(region.shape)), int)

    def level_at(place):
        return masked[place] if all(0 <= i < n for i, n in zip(place, region.shape, strict=True)) else 0

    for here in map(tuple, np.argwhere(region)):
        if level_at(tuple(np.subtract(here, step))) == masked[here]:
            continue
        length = 0
        place = here
        while level_at(place) == masked[here]:
            length, place = length + 1, tuple(np.add(place, step))
        table[masked[here] - 1, length - 1] += 1
    return table


@pytest.mark.parametrize("direction", range(13))
def test_pairs_and_runs_are_those_counted_one_by_one(direction):
    levels, region = _region(direction)
    grey = grey_levels(levels[region], region)
    step = DIRECTIONS[direction]
    assert (pair_counts(grey, grey.spans, grey.offsets[direction]) == _pairs_one_by_one(levels, region, step)).all()
    assert (run_counts(grey, grey.spans, grey.offsets[direction]) == _runs_one_by_one(levels, region, step)).all()


def test_the_thirteen_directions_are_half_of_all_neighbours():
    opposite = {tuple(-i for i in step) for step in DIRECTIONS}
    assert set(DIRECTIONS) | opposite == set(itertools.product((-1, 0, 1), repeat=3)) - {(0, 0, 0)}
    assert not set(DIRECTIONS) & opposite


def test_slices_without_a_voxel_are_left_out():
    region = np.zeros((3, 3, 4), bool)
    region[1, :, [0, 3]] = True
    grey = grey_levels(np.ones(6, int), region)
    assert [voxels_in(part) for part in grey.slices] == [3, 3]


def _every_pair(array, kept, spacing):
    places, values = np.argwhere(kept) * spacing, array[kept]
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    weight = np.divide(1, distance, out=np.zeros_like(distance), where=distance > 0)
    centred = values - values.mean()
    n, total = len(values), (centred**2).sum()
    moran = n / weight.sum() * (weight * np.outer(centred, centred)).sum() / total
    geary = (n - 1) / (2 * weight.sum()) * (weight * (values[:, None] - values[None]) ** 2).sum() / total
    return moran, geary


@pytest.mark.parametrize("most_padded", [2**24, 1500, 1], ids=["in one", "in blocks", "layer by layer"])
@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 9, 4), (8, 1, 1)])
def test_moran_and_geary_are_those_of_every_pair(shape, most_padded):
    rng = np.random.default_rng(3)
    array = rng.normal(5, 2, shape).cumsum(axis=0)
    kept = rng.random(shape) < 0.8
    spacing = np.array([1.0, 1.5, 3.0])
    found = autocorrelation(array, kept, tuple(spacing), most_padded=most_padded)
    assert list(found.values.values()) == pytest.approx(_every_pair(array, kept, spacing), rel=1e-10)


def test_moran_and_geary_of_a_constant_region_are_undefined():
    features = autocorrelation(np.ones((3, 3, 3)), np.ones((3, 3, 3), bool), (1, 1, 1))
    assert set(features.reasons.values()) == {"every voxel has the same value"}


def test_a_surface_is_closed_whichever_way_it_is_integrated():
    """The volume is taken along z; a mesh with a hole would give another one along x or y."""
    orders, spacing = list(itertools.permutations(range(3))), (1.0, 2.0, 3.0)
    for seed in range(20):
        _, region = _region(seed, share=0.5)
        volumes = [surface(region.transpose(order), tuple(spacing[axis] for axis in order)).volume_mm3 for order in orders]
        assert volumes == pytest.approx([volumes[0]] * 6)


def test_a_surface_with_a_hole_inside_has_less_volume_and_more_area():
    solid = np.ones((5, 5, 5), bool)
    hollow = solid.copy()
    hollow[2, 2, 2] = False
    whole, holed = surface(solid, (1, 1, 1)), surface(hollow, (1, 1, 1))
    assert whole.volume_mm3 - holed.volume_mm3 == pytest.approx(1 / 6)
    assert holed.area_mm2 - whole.area_mm2 == pytest.approx(math.sqrt(3))
    assert holed.hull_volume_mm3 == whole.hull_volume_mm3


def test_the_bounds_of_the_range_belong_to_it():
    array = np.array([[[-501.0, -500.0, 400.0, 401.0]]])
    assert within_range(array, np.ones(array.shape, bool), (-500, 400)).ravel().tolist() == [False, True, True, False]


def test_the_highest_intensity_lies_in_the_last_of_a_fixed_number_of_bins():
    levels = discretised(np.linspace(-1000.0, 400.0, 1401), Discretisation("fixed-number", bins=32))
    assert (levels.min(), levels.max()) == (1, 32)


def test_more_levels_than_can_be_held_are_refused():
    with pytest.raises(BadCase, match="use wider bins"):
        discretised(np.array([0.0, 1e12]), Discretisation("fixed-width", width=1e-300, minimum=0.0))


def test_statistics_of_one_to_ten_are_those_of_the_textbook():
    values = intensity_statistics(np.arange(10.0, 0.0, -1.0)).values
    expected = {
        "stat_mean": 5.5,
        "stat_var": 8.25,
        "stat_skew": 0.0,
        "stat_kurt": -1.2242424242424244,
        "stat_iqr": 4.5,
        "stat_energy": 385.0,
    }
    assert {tag: values[tag] for tag in expected} == pytest.approx(expected)


def test_a_mean_that_only_rounding_keeps_from_zero_has_no_coefficient_of_variation():
    features = intensity_statistics(np.array([0.1, 0.2, -0.3]))
    assert features.reasons["stat_cov"] == "the mean is zero"


def test_of_two_modes_the_one_nearer_the_mean_is_taken():
    assert histogram_statistics(np.array([1, 1, 4, 4, 5])).values["ih_mode"] == 4


def test_a_volume_histogram_in_bins_is_told_in_bin_centres():
    values = np.array([0.2, 0.2, 0.2, 0.2, 0.7, 1.2, 1.7, 2.2, 2.2, 2.2])
    features = volume_histogram(values, Discretisation("fixed-width", width=0.5, minimum=0.0))
    assert features.values["ivh_i90"] == pytest.approx(0.75)
    assert features.values["ivh_v90"] == pytest.approx(0.3)


def test_a_uniform_volume_histogram_falls_on_the_diagonal():
    features = volume_histogram(np.linspace(0, 1, 100_001), Discretisation("fixed-number", bins=1000))
    assert features.values["ivh_auc"] == pytest.approx(0.5, abs=1e-3)
    assert features.values["ivh_v10"] == pytest.approx(0.9, abs=2e-3)
