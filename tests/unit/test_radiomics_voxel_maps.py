"""Voxel-wise maps: each value is what the extractor gives for that voxel's neighbourhood."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadSetting
from onclair.science.radiomics.discretise import discretised
from onclair.science.radiomics.extract import extract
from onclair.science.radiomics.extraction import Extraction
from onclair.science.radiomics.glcm import cooccurrence
from onclair.science.radiomics.levels import grey_levels
from onclair.science.radiomics.voxel_maps import Kernel, MapSettings, chosen_tags, mapped_tags, voxel_maps

SPACING = (1.0, 2.0, 3.0)
EIGHT = Extraction("fixed-number", bins=8)
TEXTURE = ("histogram", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
#: What is normalised by the number of levels takes that of the whole region.
BY_LEVELS = ("cm_inv_diff_norm", "cm_inv_diff_mom_norm")


def lesion(shape: tuple[int, int, int], seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.gamma(3.0, 2.0, shape), rng.random(shape) < 0.85


def neighbourhood(kept: np.ndarray, voxel: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The voxels of the region under the kernel."""
    reach = np.array(cells.shape) // 2
    under = np.zeros(np.array(kept.shape) + 2 * reach, bool)
    under[tuple(slice(at, at + side) for at, side in zip(voxel, cells.shape, strict=True))] = cells
    return kept & under[tuple(slice(r, r + n) for r, n in zip(reach, kept.shape, strict=True))]


def expected(array: np.ndarray, levels: np.ndarray, hood: np.ndarray, dimensions: int) -> dict[str, float]:
    ways = ("3D_avg", "3D_comb") if dimensions == 3 else ("2D_avg", "2D_comb")
    intensities = extract(array, hood, SPACING, Extraction("none", families=("statistics",))).values
    return intensities | extract(levels, hood, SPACING, Extraction("none", families=TEXTURE, aggregations=ways)).values


@pytest.mark.parametrize(
    ("kernel", "how", "shape"),
    [
        (Kernel(), EIGHT, (4, 4, 3)),
        (Kernel(2), Extraction("fixed-number", bins=40), (5, 3, 3)),
        (Kernel(1, dimensions=2), Extraction("fixed-width", width=2.0, minimum=0.0), (4, 4, 2)),
        (Kernel(3.1, "mm"), replace(EIGHT, range=(1.0, 14.0)), (4, 4, 3)),
        (Kernel(2.1, "mm"), Extraction("fixed-number", bins=3), (4, 3, 2)),
    ],
)
def test_every_map_equals_the_extractor_on_each_neighbourhood(kernel: Kernel, how: Extraction, shape: tuple[int, int, int]) -> None:
    array, region = lesion(shape)
    tags = mapped_tags(kernel.dimensions)
    maps = voxel_maps(array, region, SPACING, MapSettings(tags, how, kernel))
    levels = np.zeros(shape)
    levels[maps.kept] = discretised(array[maps.kept], how.levels_by)
    # Distances to the border are those of the outline, of which re-segmentation takes nothing away.
    skipped = (*BY_LEVELS, *(("dzm_",) if how.range else ()))
    compared = [tag for tag in tags if not tag.startswith(skipped)]
    different = []
    for number, voxel in enumerate(np.argwhere(maps.kept)):
        found = expected(array, levels, neighbourhood(maps.kept, voxel, kernel.cells(SPACING)), kernel.dimensions)
        different += [
            (tag, tuple(voxel))
            for tag in compared
            if not np.isclose(maps.values[tag][number], found[tag], rtol=1e-9, atol=1e-11, equal_nan=True)
        ]
    assert different == []


def test_what_is_normalised_by_levels_takes_those_of_the_whole_region() -> None:
    array, region = lesion((5, 5, 1))
    maps = voxel_maps(array, region, SPACING, MapSettings(("cm_inv_diff_norm_3D_comb",), EIGHT))
    levels = np.zeros(array.shape, np.int64)
    levels[maps.kept] = discretised(array[maps.kept], EIGHT.levels_by)
    middle = int(np.flatnonzero((np.argwhere(maps.kept) == [2, 2, 0]).all(axis=1))[0])
    hood = neighbourhood(maps.kept, np.array([2, 2, 0]), Kernel().cells(SPACING))
    grey = replace(grey_levels(levels[hood], hood), count=8)
    assert maps.values["cm_inv_diff_norm_3D_comb"][middle] == pytest.approx(cooccurrence(grey).values["cm_inv_diff_norm_3D_comb"])


def test_distance_zones_are_measured_to_the_outline_not_to_what_the_range_leaves() -> None:
    array, region = np.ones((5, 5, 5)), np.ones((5, 5, 5), bool)
    array[2, 2, 2], array[1, 2, 2] = 9.0, 2.0
    how = Extraction("none", range=(0.5, 5.0))
    maps = voxel_maps(array, region, (1, 1, 1), MapSettings(("dzm_lde_3D",), how, Kernel(2)))
    at = int(np.flatnonzero((np.argwhere(maps.kept) == [1, 2, 2]).all(axis=1))[0])
    # Around (1, 2, 2) lie four of five planes: the voxel of level 2 is 2 deep, the zone of level 1 reaches the border.
    assert maps.values["dzm_lde_3D"][at] == pytest.approx((1**2 + 2**2) / 2)


def test_the_blocks_and_threads_that_a_map_is_made_in_change_no_bit() -> None:
    array, region = lesion((12, 11, 9))
    settings = MapSettings(("cm_contrast_3D_avg", "ngt_busyness_3D", "stat_rmad"), EIGHT)
    once = voxel_maps(array, region, SPACING, settings)
    with ThreadPoolExecutor(3) as pool:
        again = voxel_maps(array, region, SPACING, settings, over=pool.map)
    assert all(np.array_equal(once.values[tag], again.values[tag], equal_nan=True) for tag in settings.tags)


def test_a_map_of_a_turned_volume_is_the_turned_map() -> None:
    array, region = lesion((6, 5, 4))
    settings = MapSettings(("cm_contrast_3D_comb", "szm_sze_3D", "ih_entropy"), EIGHT)
    here = voxel_maps(array, region, (2, 2, 2), settings)
    turned = voxel_maps(np.rot90(array, 1, (0, 2)), np.rot90(region, 1, (0, 2)), (2, 2, 2), settings)
    for tag in settings.tags:
        np.testing.assert_allclose(turned.volume(tag), np.rot90(here.volume(tag), 1, (0, 2)), rtol=1e-6)


def test_doubled_intensities_double_the_map_of_means_and_leave_texture() -> None:
    array, region = lesion((6, 5, 4))
    settings = MapSettings(("stat_mean", "cm_contrast_3D_comb"), EIGHT)
    once, twice = (voxel_maps(array * factor, region, SPACING, settings) for factor in (1, 2))
    np.testing.assert_array_equal(twice.values["stat_mean"], 2 * once.values["stat_mean"])
    np.testing.assert_array_equal(twice.values["cm_contrast_3D_comb"], once.values["cm_contrast_3D_comb"])


def test_outside_the_outline_and_in_flat_neighbourhoods_there_is_no_texture() -> None:
    array = np.repeat(np.array([1.0, 1, 1, 1, 5]), 9).reshape(5, 3, 3)
    region = np.ones(array.shape, bool)
    region[0] = False
    whole = voxel_maps(array, region, (1, 1, 1), MapSettings(("cm_contrast_3D_comb",), Extraction("none"))).volume("cm_contrast_3D_comb")
    assert np.isnan(whole[:3]).all()
    assert (whole[3:] > 0).all()


def test_a_family_stands_for_all_its_features() -> None:
    assert len(chosen_tags(["glcm"])) == 25
    assert chosen_tags(["glrlm"], 2)[0] == "rlm_sre_2D_comb"


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("cm_contrst_3D_comb", "did you mean 'cm_contrast_3D_comb'"),
        ("morph_volume", "describes a region as a whole and has no map"),
        ("cm_contrast_2D_comb", "needs a kernel of 2 dimensions, and this one has 3"),
        ("cm_contrast_2_5D_comb", "has no map|merges slices"),
    ],
)
def test_what_has_no_map_is_told(tag: str, told: str) -> None:
    with pytest.raises(BadSetting, match=told):
        chosen_tags([tag])


@pytest.mark.parametrize(("radius", "unit"), [(0, "voxels"), (1.5, "voxels"), (-2, "mm"), (float("nan"), "mm")])
def test_a_radius_that_is_none_is_refused(radius: float, unit: str) -> None:
    with pytest.raises(BadSetting, match="radius of the kernel"):
        Kernel(radius, unit)


def test_a_kernel_of_one_voxel_or_of_a_whole_body_is_refused() -> None:
    with pytest.raises(BadSetting, match="holds one voxel only"):
        Kernel(0.9, "mm").cells((1.0, 1.0, 1.0))
    with pytest.raises(BadSetting, match="at most 30000"):
        Kernel(50).cells((1.0, 1.0, 1.0))


def test_a_constant_region_and_an_empty_outline_are_refused_as_they_are_by_the_extractor() -> None:
    settings = MapSettings(("cm_contrast_3D_comb",), EIGHT)
    with pytest.raises(BadCase, match="needs a range of intensities"):
        voxel_maps(np.ones((3, 3, 3)), np.ones((3, 3, 3), bool), SPACING, settings)
    with pytest.raises(BadCase, match="outline is empty"):
        voxel_maps(np.ones((3, 3, 3)), np.zeros((3, 3, 3), bool), SPACING, settings)
