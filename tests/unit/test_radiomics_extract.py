"""The one door: settings, bad input, and what is undefined."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from onclair.core.errors import BadCase, BadGeometry, BadSetting
from onclair.science.radiomics.aggregate import AGGREGATIONS
from onclair.science.radiomics.controls import is_permutation_invariant, shuffled
from onclair.science.radiomics.extract import FAMILIES, MOST_TEXTURE_LEVELS, Extraction, extract, feature_tags

MM = (1.0, 1.0, 2.0)
EVERY = {"aggregations": AGGREGATIONS}


def _case(*, seed: int = 0, size: int = 6):
    rng = np.random.default_rng(seed)
    region = np.zeros((size + 3,) * 3, bool)
    region[1:-2, 1:-2, 2:-1] = True
    return rng.gamma(3.0, 2.0, region.shape), region


@pytest.mark.parametrize("families", [tuple(FAMILIES), ("glcm", "statistics"), ("histogram",)])
@pytest.mark.parametrize("aggregations", [("3D_comb",), AGGREGATIONS])
def test_the_tags_told_beforehand_are_the_columns_given(families, aggregations):
    extraction = Extraction(families=families, aggregations=aggregations)
    assert tuple(extract(*_case(), MM, extraction).values) == feature_tags(extraction)


def test_all_families_and_aggregations_make_325_columns():
    assert len(feature_tags(Extraction(**EVERY))) == len(set(feature_tags(Extraction(**EVERY)))) == 25 + 18 + 23 + 7 + 6 * (25 + 16)


def test_neither_the_order_of_families_nor_of_aggregations_changes_the_columns():
    a = Extraction(families=("glcm", "morphology"), aggregations=("3D_comb", "2D_avg"))
    b = Extraction(families=("morphology", "glcm"), aggregations=("2D_avg", "3D_comb"))
    assert feature_tags(a) == feature_tags(b)


def test_what_lies_outside_the_outline_changes_nothing():
    array, region = _case()
    blank = np.where(region, array, np.nan)
    assert extract(blank, region, MM, Extraction(**EVERY)) == extract(array, region, MM, Extraction(**EVERY))


def test_neither_image_nor_outline_is_changed():
    array, region = _case()
    kept = array.copy(), region.copy()
    array.setflags(write=False)
    region.setflags(write=False)
    extract(array, region, MM, Extraction("fixed-width", width=1.0, range=(2.0, 9.0), **EVERY))
    assert (array == kept[0]).all()
    assert (region == kept[1]).all()


def test_the_layout_of_the_array_in_memory_changes_nothing():
    array, region = _case()
    assert extract(np.asfortranarray(array), np.asfortranarray(region), MM, Extraction()) == extract(array, region, MM, Extraction())


def test_resegmentation_leaves_the_shape_and_changes_the_intensities():
    array, region = _case()
    whole, cut = (extract(array, region, MM, Extraction(range=bounds)) for bounds in (None, (2.0, 9.0)))
    assert cut.values["morph_volume"] == whole.values["morph_volume"]
    assert cut.values["stat_max"] <= 9.0 < whole.values["stat_max"]
    assert cut.values["morph_integ_int"] == pytest.approx(cut.values["stat_mean"] * whole.values["morph_volume"])


def test_fixed_width_bins_start_at_the_lower_bound_of_the_range():
    array, region = _case()
    given, derived = (Extraction("fixed-width", width=1.0, minimum=m, range=(2.0, 9.0)) for m in (2.0, None))
    assert extract(array, region, MM, given) == extract(array, region, MM, derived)


@pytest.mark.parametrize(
    ("image", "reason"),
    [("voxel", "the region is a single voxel"), ("constant", "every voxel has the same value (4)"), ("one bin", "use narrower bins")],
)
def test_a_region_without_texture_has_size_and_intensity_and_says_why_not_more(image, reason):
    array, region = _case()
    if image == "voxel":
        region = np.zeros_like(region)
        region[3, 3, 3] = True
    array = np.full(array.shape, 4.0) if image == "constant" else array
    extraction = Extraction("fixed-width", width=1000.0 if image == "one bin" else 0.5, minimum=0.0, **EVERY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = extract(array, region, MM, extraction)
    texture = [tag for tag in features.values if tag.startswith(("cm_", "rlm_"))]
    assert len(texture) == 6 * 41
    assert all(np.isnan(features.values[tag]) and reason in features.reasons[tag] for tag in texture)
    assert all(np.isfinite(features.values[tag]) for tag in ("morph_volume", "morph_diam", "stat_mean", "stat_max", "stat_var", "ih_mean"))


@pytest.mark.parametrize(
    "array",
    [np.zeros((3, 3, 3)), np.resize([-1.0, 1.0], (4, 3, 3)), np.full((1, 1, 1), -7.5), np.full((4, 1, 1), 0.1), np.eye(3)[None] * 1e-200],
)
@pytest.mark.parametrize("discretisation", ["fixed-number", "fixed-width"])
def test_whatever_is_undefined_is_nan_with_a_reason_and_no_warning(array, discretisation):
    extraction = Extraction(discretisation, width=0.5, minimum=-10.0, **EVERY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = extract(array, np.ones(array.shape, bool), MM, extraction)
    missing = {tag for tag, value in features.values.items() if np.isnan(value)}
    assert missing == set(features.reasons)
    assert all(features.reasons.values())


def test_voxels_that_touch_nowhere_have_runs_but_no_pairs():
    region = np.zeros((5, 5, 5), bool)
    region[::4, ::4, ::4] = True
    features = extract(np.arange(125.0).reshape(5, 5, 5), region, MM, Extraction(bins=4))
    assert features.values["rlm_sre_3D_comb"] == 1.0
    assert features.reasons["cm_contrast_3D_comb"] == "no two voxels of the region are neighbours"


def test_an_empty_outline_is_refused():
    array, region = _case()
    with pytest.raises(BadCase, match="outline is empty"):
        extract(array, region & False, MM, Extraction())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_voxel_inside_that_is_not_a_number_is_refused_and_named(bad):
    array, region = _case()
    array[2, 3, 4] = bad
    with pytest.raises(BadCase, match=r"1 voxel inside the outline .* first at \(2, 3, 4\)"):
        extract(array, region, MM, Extraction())


def test_an_outline_of_another_shape_is_refused_quoting_both():
    array, region = _case()
    with pytest.raises(BadGeometry, match=r"\(9, 9, 9\) and the outline \(9, 9, 8\)"):
        extract(array, region[:, :, :-1], MM, Extraction())


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.0, 1.0), (1.0, np.nan, 1.0)])
def test_an_impossible_spacing_is_refused(spacing):
    with pytest.raises(BadGeometry, match="three positive lengths"):
        extract(*_case(), spacing, Extraction())


def test_an_outline_that_is_not_bool_is_refused():
    array, region = _case()
    with pytest.raises(BadCase, match="uint8"):
        extract(array, region.astype(np.uint8), MM, Extraction())


def test_a_range_that_leaves_no_voxel_is_refused_with_the_range_found():
    with pytest.raises(BadCase, match="check the unit"):
        extract(*_case(), MM, Extraction(range=(-1000.0, -500.0)))


def test_voxels_below_the_first_bin_are_refused_not_clipped():
    array, region = _case()
    with pytest.raises(BadCase, match="below the first grey level"):
        extract(array - 5, region, MM, Extraction("fixed-width", width=0.5, minimum=0.0))


def test_bins_so_narrow_that_texture_cannot_hold_them_are_refused():
    array, region = _case()
    with pytest.raises(BadCase, match=f"at most {MOST_TEXTURE_LEVELS}"):
        extract(array, region, MM, Extraction("fixed-width", width=0.001, minimum=0.0))


def test_fractions_as_they_are_are_no_grey_levels():
    with pytest.raises(BadCase, match="not whole numbers"):
        extract(*_case(), MM, Extraction("none"))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"discretisation": "fixed-widht"}, "did you mean 'fixed-width'"),
        ({"discretisation": "fixed-width", "minimum": 0.0}, "bin width is None"),
        ({"discretisation": "fixed-width", "width": 0.5}, "set minimum"),
        ({"bins": 1}, "number of bins is 1"),
        ({"range": (400, -500)}, "400 to -500"),
        ({"families": ("glmc",)}, "did you mean 'glcm'"),
        ({"families": ()}, "at least one"),
        ({"aggregations": ("3D",)}, "aggregation '3D' is unknown"),
    ],
)
def test_an_impossible_setting_is_refused_in_one_sentence(settings, sentence):
    with pytest.raises(BadSetting, match=sentence):
        Extraction(**settings)


def test_shuffling_gives_a_new_array_and_touches_the_region_alone():
    array, region = _case()
    mixed = shuffled(array, region, np.random.default_rng(1))
    assert (mixed[~region] == array[~region]).all()
    assert (mixed[region] != array[region]).any()
    assert sorted(mixed[region]) == sorted(array[region])


def test_the_same_seed_shuffles_alike():
    array, region = _case()
    first, second = (shuffled(array, region, np.random.default_rng(5)) for _ in range(2))
    assert (first == second).all()


def test_shuffling_refuses_an_outline_of_another_shape():
    array, region = _case()
    with pytest.raises(BadGeometry, match="resample"):
        shuffled(array, region[1:], np.random.default_rng(0))


def test_every_tag_is_either_marked_invariant_or_not():
    marked = [tag for tag in feature_tags(Extraction()) if is_permutation_invariant(tag)]
    assert {tag.split("_")[0] for tag in marked} == {"morph", "stat", "ih", "ivh"}
    assert not {"morph_com", "morph_moran_i", "morph_geary_c"} & set(marked)
    assert "morph_integ_int" in marked


def test_a_name_that_is_no_feature_cannot_be_marked():
    with pytest.raises(BadSetting, match="is not the tag of a feature"):
        is_permutation_invariant("age")
