"""The dialect of PyRadiomics in its parts: names, grid, wavelet, surface, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from onclair.core.errors import BadCase, BadSetting
from onclair.science.radiomics.dialects import IMAGES, PyRadiomics, extract_published, published, published_names
from onclair.science.radiomics.dialects_features import MOST_TEXTURE_LEVELS, aligned_levels, numbered_levels
from onclair.science.radiomics.dialects_grid import BANDS, COIF1, corner_aligned, corner_positions, wavelet_band
from onclair.science.radiomics.dialects_mesh import SHAPE_NAMES, DialectShape, surface_of_dialect
from onclair.science.radiomics.dialects_names import DEPARTURES, FORMER, TAGS
from onclair.science.radiomics.mesh import surface

WHOLE = (slice(0, 6), slice(0, 5), slice(0, 7))


def _volume(seed: int = 0, shape=(6, 5, 7)):
    return np.random.default_rng(seed).normal(size=shape) * 50


def test_there_are_863_published_names_and_each_is_found_again():
    names = published_names()
    assert len(names) == len(set(names)) == 863
    assert [str(published(name)) for name in names] == list(names)


def test_a_tag_finds_the_published_name_that_has_it():
    for name in published_names():
        tag = published(name).tag
        assert tag is None or str(published(tag)) == name


def test_the_table_of_names_holds_what_the_shape_measures():
    assert tuple(TAGS["shape"]) == SHAPE_NAMES


def test_former_names_and_departures_name_features_that_there_are():
    known = {f"{kind}_{name}" for kind, names in TAGS.items() for name in names}
    assert set(FORMER.values()) <= known
    assert set(DEPARTURES) <= known
    assert published("original_firstorder_Kurtosis").departure == "it is not excess: 3 for a normal distribution"
    assert published("original_glcm_Contrast").departure is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("original_glcm_ClusterShad", "did you mean 'original_glcm_ClusterShade'?"),
        ("wavelet-HLH_glrlm_GrayLevelNonUniformty", "did you mean 'wavelet-HLH_glrlm_GrayLevelNonUniformity'?"),
        ("log-sigma-3_firstorder_Mean", "and not 'log-sigma-3'"),
        ("nosuch", "images: original, wavelet-LLH"),
        ("wavelet-HLH_shape_MeshVolume", "has no feature 'wavelet-HLH_shape_MeshVolume'"),
        ("laws:stat_mean", "has no feature 'laws:stat_mean'"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_nearest(name, said):
    with pytest.raises(BadSetting, match="PyRadiomics has no feature") as refused:
        published(name)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": 0.0}, "The bin width is 0.0"),
        ({"width": 25.0, "bins": 32}, "give exactly one of them"),
        ({"width": None}, "give exactly one of them"),
        ({"width": None, "bins": 1}, "it must lie in 2 to"),
        ({"spacing_mm": (1.0, -1.0, 1.0)}, "three lengths in mm"),
        ({"range": (3.0, 3.0)}, "the first bound must lie under the second"),
    ],
)
def test_impossible_settings_are_refused(settings, said):
    with pytest.raises(BadSetting, match=said):
        PyRadiomics(**settings)


def test_bins_begin_at_a_multiple_of_the_width_whatever_the_lowest_intensity():
    assert aligned_levels(np.array([-26.0, -25.0, -0.1, 0.0, 49.9]), 25.0).tolist() == [1, 2, 2, 3, 4]
    assert aligned_levels(np.array([51.0, 99.0, 100.0]), 50.0).tolist() == [1, 1, 2]


def test_a_number_of_bins_puts_the_highest_intensity_into_the_last():
    assert numbered_levels(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), 4).tolist() == [1, 2, 3, 4, 4]


def test_the_corner_of_the_new_grid_lies_on_the_corner_of_the_old_one():
    at = corner_positions(10, 3.0, 1.0, (0, 10))
    assert at[0] == pytest.approx(-1 / 3)  # half a new voxel from the corner at -1/2
    assert at[-1] == pytest.approx(9 + 1 / 3)
    assert at.size == 30


def test_five_new_voxels_are_kept_around_the_outline():
    at = corner_positions(100, 1.0, 2.0, (40, 60))
    assert at[0] == 0.5 + 2 * math.floor((40 - 0.5) / 2 - 5)
    assert at[-1] == 0.5 + 2 * math.ceil((60 - 0.5) / 2 + 5)


def test_the_image_on_the_new_grid_is_the_interpolating_cubic_spline():
    array = _volume()
    region = np.ones(array.shape, bool)
    moved, _ = corner_aligned(array, region, (1.0, 1.0, 1.0), (0.8, 1.25, 0.7))
    axes = [corner_positions(n, 1.0, new, (0, n)) for n, new in zip(array.shape, (0.8, 1.25, 0.7), strict=True)]
    expected = ndimage.map_coordinates(array, np.meshgrid(*axes, indexing="ij"), order=3, mode="mirror")
    inside = np.ix_(*(at <= n - 0.5 for n, at in zip(array.shape, axes, strict=True)))
    assert moved[inside] == pytest.approx(expected[inside], abs=1e-9)


def test_whole_numbers_lose_their_fraction_when_resampled_and_others_keep_it():
    array = np.rint(_volume(1)).astype(np.int16)
    region = np.ones(array.shape, bool)
    whole, _ = corner_aligned(array, region, (1.0, 1.0, 1.0), (0.8, 0.8, 0.8))
    kept, _ = corner_aligned(array.astype(np.float64), region, (1.0, 1.0, 1.0), (0.8, 0.8, 0.8))
    assert np.array_equal(whole, np.trunc(kept))


def test_an_outline_that_no_new_voxel_lies_in_is_refused():
    region = np.zeros((9, 9, 9), bool)
    region[0, 0, 0] = True
    with pytest.raises(BadCase, match="no new voxel lies in it"):
        corner_aligned(np.zeros(region.shape), region, (1.0, 1.0, 1.0), (4.0, 4.0, 4.0))


@pytest.mark.parametrize("band", BANDS)
def test_a_band_is_the_periodic_convolution_along_each_axis(band):
    array = _volume(2)
    expected = np.pad(array, [(0, n % 2) for n in array.shape], mode="wrap")
    for axis, letter in enumerate(band):
        expected = sum(weight * np.roll(expected, tap - 3, axis) for tap, weight in enumerate(COIF1[letter]))
    assert wavelet_band(array, WHOLE, band) == pytest.approx(expected[WHOLE], abs=1e-10)


def test_a_band_in_a_box_is_the_box_of_the_band():
    array, box = _volume(3), (slice(0, 2), slice(3, 5), slice(2, 7))
    assert wavelet_band(array, box, "HLH") == pytest.approx(wavelet_band(array, WHOLE, "HLH")[box], abs=1e-12)


def test_the_filters_are_orthonormal_and_the_coiflet_has_two_vanishing_moments():
    low, high = COIF1["L"], COIF1["H"]
    gram = [[float((a * b).sum()) for a in (low, high)] for b in (low, high)]
    assert np.allclose(gram, np.eye(2), atol=1e-14)
    assert [float((high * np.arange(6.0) ** power).sum()) for power in (0, 1)] == pytest.approx([0, 0], abs=1e-13)


def test_without_voxels_that_touch_by_a_diagonal_the_volume_is_that_of_the_closed_surface():
    region = ndimage.binary_opening(np.linalg.norm(np.indices((15, 15, 15)) - 7.3, axis=0) < 6)
    box = region[1:, 1:, 1:]
    area, volume = surface_of_dialect(box, (1.0, 1.0, 1.0))
    closed = surface(box, (1.0, 1.0, 1.0))
    assert area == pytest.approx(closed.area_mm2, rel=1e-9)
    assert volume == pytest.approx(closed.volume_mm3, rel=1e-9)


def test_diameters_in_planes_are_those_of_every_pair_of_vertices():
    region = np.random.default_rng(4).random((6, 7, 5)) < 0.3
    outline = DialectShape(region, (1.0, 1.5, 2.0))
    for axis in range(3):
        longest = 0.0
        for at in np.unique(outline.vertices[:, axis]):
            plane = outline.vertices[outline.vertices[:, axis] == at]
            longest = max(longest, float(np.linalg.norm(plane[:, None] - plane[None], axis=-1).max()))
        assert outline.plane_diameter(axis) == pytest.approx(longest, rel=1e-12)


def test_a_constant_region_keeps_its_size_and_intensities_and_says_why_it_has_no_texture():
    array = _volume(5)
    region = np.zeros(array.shape, bool)
    region[1:4, 1:4, 1:4] = True
    array[region] = 7.0
    features = extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(), published_names(["original"]))
    assert features.values["original_firstorder_Mean"] == 7.0
    assert math.isfinite(features.values["original_shape_MeshVolume"])
    assert features.reasons["original_glcm_Contrast"] == "every voxel has the same value (7)"
    assert {name.split("_")[1] for name in features.reasons} == {"firstorder", "glcm", "glrlm", "glszm", "ngtdm", "gldm"}
    assert {name for name in features.reasons if "firstorder" in name} == {
        "original_firstorder_Skewness",
        "original_firstorder_Kurtosis",
    }


def test_a_single_voxel_has_no_texture_and_no_ratio_of_axes():
    array = _volume(6)
    region = np.zeros(array.shape, bool)
    region[2, 2, 2] = True
    features = extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics())
    assert set(features.reasons.values()) == {"the region is a single voxel"}
    assert math.isnan(features.values["original_shape_Flatness"])
    assert math.isnan(features.values["wavelet-HLH_glrlm_GrayLevelNonUniformity"])
    assert features.values["original_firstorder_Mean"] == pytest.approx(array[2, 2, 2])


def test_a_flat_image_has_wavelet_bands_that_are_constant_and_not_noise():
    region = np.ones((6, 6, 6), bool)
    features = extract_published(np.full(region.shape, 0.1), region, (1.0, 1.0, 1.0), PyRadiomics(), published_names(["wavelet-HLH"]))
    assert features.values["wavelet-HLH_firstorder_Maximum"] == 0.0
    assert features.reasons["wavelet-HLH_glszm_ZoneEntropy"] == "every voxel has the same value (0)"


def test_voxels_that_do_not_touch_have_no_co_occurrence_and_the_reason_is_said():
    array = _volume(7)
    region = np.zeros(array.shape, bool)
    region[::2, ::2, ::2] = True
    features = extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(), ["original_glcm_MCC", "glcm_Contrast", "glrlm_RunEntropy"])
    assert features.reasons["original_glcm_MCC"] == features.reasons["glcm_Contrast"] == "no two voxels of the region are neighbours"
    assert math.isfinite(features.values["glrlm_RunEntropy"])


def test_nan_beyond_the_outline_is_refused_where_a_filter_would_spread_it_and_nowhere_else():
    array = _volume(8, (12, 12, 12))
    region = np.zeros(array.shape, bool)
    region[4:8, 4:8, 4:8] = True
    array[3, 5, 5] = np.nan
    assert math.isfinite(extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(), ["glcm_Contrast"]).values["glcm_Contrast"])
    with pytest.raises(BadCase, match="1 voxel in or around the outline is NaN or infinite, and the wavelet would spread"):
        extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(), ["wavelet-HLH_firstorder_Mean"])
    with pytest.raises(BadCase, match="resampling would spread"):
        extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(spacing_mm=(2.0, 2.0, 2.0)), ["firstorder_Mean"])


def test_bins_far_too_narrow_are_refused():
    array = _volume(9) * 1000
    region = np.ones(array.shape, bool)
    with pytest.raises(BadCase, match=f"texture takes at most {MOST_TEXTURE_LEVELS}"):
        extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(10.0), ["glcm_Contrast"])
    with pytest.raises(BadCase, match="at most 65535 can be held"):
        extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(1e-3), ["firstorder_Entropy"])


def test_an_axis_of_spacing_zero_and_one_a_voxel_thick_keep_their_voxels():
    array = _volume(10, (8, 8, 8))
    region = np.zeros(array.shape, bool)
    region[2:6, 3, 2:6] = True
    settings = PyRadiomics(spacing_mm=(0.0, 0.5, 2.0))
    values = extract_published(array, region, (1.0, 1.0, 1.0), settings, ["firstorder_Energy", "firstorder_TotalEnergy"]).values
    assert values["firstorder_TotalEnergy"] == pytest.approx(2.0 * values["firstorder_Energy"])


def test_what_is_asked_comes_in_its_order_and_under_the_name_it_was_asked_by():
    array = _volume(11)
    region = np.ones(array.shape, bool)
    asked = ["wavelet-HHH_firstorder_Mean", "cm_contrast_3D_avg", "original_shape_VoxelVolume", "original_glcm_Contrast"]
    values = extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(), asked).values
    assert list(values) == asked
    assert values["cm_contrast_3D_avg"] == values["original_glcm_Contrast"]


def test_the_original_and_eight_bands_are_the_images():
    assert len(IMAGES) == 9
    assert IMAGES[0] == "original"


def test_the_arrays_given_are_not_changed():
    array = _volume(12)
    region = array > 0
    before = array.copy(), region.copy()
    extract_published(array, region, (1.0, 1.0, 1.0), PyRadiomics(spacing_mm=(0.8, 0.8, 0.8)), ["wavelet-HLH_glcm_Contrast"])
    assert np.array_equal(array, before[0])
    assert np.array_equal(region, before[1])
