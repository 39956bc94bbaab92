"""Zones and neighbourhoods, each against what can be counted by hand or by brute force."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from onclair.science.radiomics.levels import grey_levels
from onclair.science.radiomics.neighbours import dependence_tags, dependences, neighbourhoods, tone_difference_tags, tone_differences
from onclair.science.radiomics.zones import UNDIRECTED, distance_zone_tags, distance_zones, size_zone_tags, size_zones, zones


def _lesion(seed: int, shape=(6, 7, 5)):
    """Return levels, the intensity mask, and the outline that it is a part of."""
    rng = np.random.default_rng(seed)
    region = rng.random(shape) < 0.85
    kept = region & (rng.random(shape) < 0.9)
    return rng.integers(1, 4, shape), kept, region


def _around(dimensions: int):
    flat = (0,) if dimensions == 2 else (-1, 0, 1)
    return [step for step in itertools.product((-1, 0, 1), (-1, 0, 1), flat) if any(step)]


def _zones_one_by_one(levels, kept, dimensions):
    """Fill each zone from its first voxel; return the list of its voxels."""
    left, found = set(map(tuple, np.argwhere(kept))), []
    while left:
        zone = [left.pop()]
        for here in zone:
            for step in _around(dimensions):
                there = tuple(np.add(here, step))
                if there in left and levels[there] == levels[here]:
                    left.remove(there)
                    zone.append(there)
        found.append(zone)
    return found


def _depth(region, here, dimensions):
    """Return the city-block distance to the nearest voxel outside, searched shell by shell."""
    for steps in itertools.count(1):
        for shift in itertools.product(range(-steps, steps + 1), repeat=dimensions):
            there = tuple(np.add(here, (*shift, 0)[:3]))
            if sum(map(abs, shift)) == steps and not (all(0 <= i < n for i, n in zip(there, region.shape, strict=True)) and region[there]):
                return steps
    raise AssertionError


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_zones_are_those_that_filling_one_by_one_finds(seed, dimensions):
    levels, kept, region = _lesion(seed)
    way, key = ("2D", "slice") if dimensions == 2 else ("3D", "volume")
    found = zones(grey_levels(levels[kept], kept), [way], region)[key]
    expected = Counter(
        (int(levels[zone[0]]), len(zone), min(_depth(region, here, dimensions) for here in zone))
        for zone in _zones_one_by_one(levels, kept, dimensions)
    )
    assert Counter(zip(found.level.tolist(), found.size.tolist(), found.distance.tolist(), strict=True)) == expected


def test_the_zones_of_a_slice_hold_its_voxels():
    levels, kept, _ = _lesion(3)
    found = zones(grey_levels(levels[kept], kept), ["2D"])["slice"]
    assert [int(found.size[part].sum()) for part, _ in found.slices] == [voxels for _, voxels in found.slices]
    assert [voxels for _, voxels in found.slices] == kept.sum(axis=(0, 1)).tolist()


def test_a_spiral_of_one_level_is_one_zone():
    spiral = np.array([[1, 1, 1, 1, 1], [2, 2, 2, 2, 1], [1, 1, 1, 2, 1], [1, 2, 2, 2, 1], [1, 1, 1, 1, 1]])[:, :, None]
    spiral = np.where(spiral == 2, 0, 1)
    kept = spiral > 0
    found = zones(grey_levels(spiral[kept], kept))["volume"]
    assert found.size.tolist() == [17]


def test_the_distance_is_to_the_outline_as_drawn_not_to_what_resegmentation_left():
    region = np.ones((5, 5, 1), bool)
    kept = region.copy()
    kept[2, 1] = False
    centre = np.ones((5, 5, 1), int)
    centre[2, 2] = 2
    values = distance_zones(grey_levels(centre[kept], kept), region, ["2D"]).values
    assert values["dzm_lde_2D"] == (1 + 3**2) / 2  # the ring touches the border; the middle lies three steps in, gap or not


def test_in_the_volume_a_single_slice_lies_all_at_the_border():
    region = np.ones((5, 5, 1), bool)
    levels = np.ones((5, 5, 1), int)
    levels[2, 2] = 2
    grey = grey_levels(levels[region], region)
    assert distance_zones(grey, region, ["3D"]).values["dzm_lde_3D"] == 1.0


def test_a_checkerboard_is_one_zone_a_level_through_its_corners():
    board = np.indices((4, 4, 1)).sum(axis=0) % 2 + 1
    whole = np.ones(board.shape, bool)
    values = size_zones(grey_levels(board[whole], whole), ["2D"]).values
    assert values["szm_z_perc_2D"] == 2 / 16
    assert values["szm_lze_2D"] == 64.0


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_sweep_counts_what_looking_at_every_neighbour_counts(dimensions):
    levels, kept, _ = _lesion(5)
    swept = neighbourhoods(grey_levels(levels[kept], kept), ["2_5D" if dimensions == 2 else "3D"])
    voxels, difference = np.zeros(3, int), np.zeros(3)
    dependence = np.zeros((3, 9 if dimensions == 2 else 27), int)
    for here in map(tuple, np.argwhere(kept)):
        near = [tuple(np.add(here, step)) for step in _around(dimensions)]
        others = [levels[there] for there in near if all(0 <= i < n for i, n in zip(there, kept.shape, strict=True)) and kept[there]]
        level = levels[here]
        dependence[level - 1, others.count(level)] += 1
        if others:
            voxels[level - 1] += 1
            difference[level - 1] += abs(level - np.mean(others))
    only = swept["2_5D" if dimensions == 2 else "3D"][0]
    assert only.voxels.tolist() == voxels.tolist()
    assert only.difference == pytest.approx(difference, rel=1e-12)
    assert only.dependence.tolist() == dependence.tolist()


def test_two_levels_side_by_side_differ_as_worked_out_by_hand():
    pair = np.ones((2, 1, 1), bool)
    values = tone_differences(grey_levels(np.array([1, 3]), pair)).values
    # p = 1/2 each; s = 2 each
    assert values["ngt_coarseness_3D"] == 1 / 2
    assert values["ngt_contrast_3D"] == (2 * (1 / 4) * 4 / 2) * (4 / 2)
    assert values["ngt_busyness_3D"] == 2 / (2 * abs(1 / 2 - 3 / 2))
    assert values["ngt_complexity_3D"] == 2 * 2 * 2 / 2
    assert values["ngt_strength_3D"] == 2 * 4 / 4


def test_a_flat_region_has_the_conventional_coarseness_and_no_contrast():
    whole = np.ones((3, 3, 3), bool)
    values = tone_differences(grey_levels(np.ones(27, int), whole)).values
    assert list(values.values()) == [1e6, 0.0, 0.0, 0.0, 0.0]


def test_voxels_that_do_not_touch_have_no_tone_difference_and_a_reason():
    apart = np.zeros((5, 1, 1), bool)
    apart[[0, 2, 4]] = True
    features = tone_differences(grey_levels(np.array([1, 2, 3]), apart))
    assert all(math.isnan(value) for value in features.values.values())
    assert set(features.reasons) == set(features.values)
    assert features.reasons["ngt_contrast_3D"] == "no two voxels of the region are neighbours"


def test_slices_without_neighbours_are_left_out_of_the_average_over_slices():
    levels = np.zeros((3, 1, 2), int)
    levels[:, 0, 0] = (1, 3, 3)
    levels[0, 0, 1] = 2
    kept = levels > 0
    one_slice = kept.copy()
    one_slice[:, :, 1] = False
    both = tone_differences(grey_levels(levels[kept], kept), ["2D"]).values
    assert both == tone_differences(grey_levels(levels[one_slice], one_slice), ["2D"]).values


def test_busyness_without_a_denominator_is_undefined_with_a_reason():
    row = np.ones((3, 1, 1), bool)
    features = tone_differences(grey_levels(np.array([1, 1, 2]), row))  # 1 * 2/3 = 2 * 1/3
    assert math.isnan(features.values["ngt_busyness_3D"])
    assert list(features.reasons) == ["ngt_busyness_3D"]


def test_every_voxel_of_a_flat_cube_depends_on_all_its_neighbours():
    whole = np.ones((2, 2, 2), bool)
    values = dependences(grey_levels(np.ones(8, int), whole)).values
    assert values["ngl_hde_3D"] == 64.0
    assert values["ngl_dc_energy_3D"] == 1.0
    assert values["ngl_dc_entr_3D"] == 0.0


def test_what_is_made_once_gives_both_families_the_same_values():
    levels, kept, region = _lesion(8)
    grey = grey_levels(levels[kept], kept)
    found, swept = zones(grey, UNDIRECTED, region), neighbourhoods(grey, UNDIRECTED)
    assert size_zones(grey, UNDIRECTED, found=found) == size_zones(grey, UNDIRECTED)
    assert distance_zones(grey, region, UNDIRECTED, found=found) == distance_zones(grey, region, UNDIRECTED)
    assert tone_differences(grey, UNDIRECTED, swept=swept) == tone_differences(grey, UNDIRECTED)
    assert dependences(grey, UNDIRECTED, swept=swept) == dependences(grey, UNDIRECTED)


@pytest.mark.parametrize(
    ("tags", "measure"),
    [(size_zone_tags, size_zones), (tone_difference_tags, tone_differences), (dependence_tags, dependences)],
)
def test_the_values_come_in_the_order_of_the_tags_whatever_the_order_asked_in(tags, measure):
    levels, kept, _ = _lesion(2)
    grey = grey_levels(levels[kept], kept)
    assert tuple(measure(grey, ("3D_comb", "2D_avg", "2D_comb")).values) == tags(("2D", "3D"))


def test_the_values_of_distances_come_in_the_order_of_the_tags():
    levels, kept, region = _lesion(2)
    assert tuple(distance_zones(grey_levels(levels[kept], kept), region, UNDIRECTED).values) == distance_zone_tags(UNDIRECTED)
