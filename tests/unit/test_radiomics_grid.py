"""Resampling: where the new voxels lie, what they hold, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from onclair.core.errors import BadCase, BadSetting
from onclair.science.radiomics.extract import Extraction, extract, extraction_from, roi_of
from onclair.science.radiomics.grid import Grid, positions, resampled

OLD = (0.977, 0.977, 3.0)


def _case(seed: int = 0):
    rng = np.random.default_rng(seed)
    region = np.zeros((20, 17, 9), bool)
    region[5:12, 6:11, 2:6] = True
    return rng.normal(size=region.shape), region


def _axes(shape, spacing):
    return [positions(n, old, new) for n, old, new in zip(shape, OLD, spacing, strict=True)]


@pytest.mark.parametrize(
    ("count", "step", "new", "size"), [(204, 0.977, 2.0, 100), (60, 3.0, 2.0, 90), (4, 1.0, 1.0, 4), (3, 1.0, 10.0, 1)]
)
def test_the_new_grid_has_as_many_voxels_as_cover_the_old_one(count, step, new, size):
    assert positions(count, step, new).size == size


@pytest.mark.parametrize(("step", "new"), [(3.0, 2.0), (1.0, 0.3), (0.977, 2.0)])
def test_the_two_grids_share_their_centre(step, new):
    at = positions(11, step, new)
    assert at.mean() == pytest.approx(5.0)
    assert np.diff(at) == pytest.approx(new / step)


def test_the_first_new_voxel_lies_where_the_specification_puts_it():
    n, old, new = 60, 3.0, 2.0
    assert positions(n, old, new)[0] == pytest.approx((n - 1) / 2 - (90 - 1) * new / (2 * old))


@pytest.mark.parametrize(("image", "order"), [("linear", 1), ("cubic", 3)])
def test_intensities_are_those_that_another_engine_interpolates(image, order):
    array, region = _case()
    found = resampled(array, region, OLD, Grid((2.0, 2.0, 2.0), image=image))
    inside = [np.clip(at, 0, n - 1) for at, n in zip(_axes(array.shape, (2.0, 2.0, 2.0)), array.shape, strict=True)]
    expected = ndimage.map_coordinates(array, np.meshgrid(*inside, indexing="ij"), order=order, mode="mirror")
    np.testing.assert_allclose(found.array, expected, atol=1e-12)


@pytest.mark.parametrize("image", ["nearest", "linear", "cubic"])
def test_cutting_off_what_is_far_changes_no_voxel_that_remains(image):
    array, region = _case()
    grid = Grid((2.0, 2.0, 2.0), image=image)
    whole, cut = resampled(array, region, OLD, grid), resampled(array, region, OLD, grid, margin_mm=3.0)
    start = [round((c - w) * old / 2.0) for c, w, old in zip(cut.origin, whole.origin, OLD, strict=True)]
    part = tuple(slice(s, s + n) for s, n in zip(start, cut.array.shape, strict=True))
    assert cut.array.size < whole.array.size
    np.testing.assert_allclose(cut.array, whole.array[part], atol=1e-12)
    assert (cut.region == whole.region[part]).all()
    assert cut.region.sum() == whole.region.sum()


def test_a_spline_of_a_long_image_is_the_same_when_cropped_far_from_its_ends():
    rng = np.random.default_rng(2)
    array = rng.normal(size=(200, 3, 3))
    region = np.zeros(array.shape, bool)
    region[95:105] = True
    grid = Grid((0.7, 1.0, 1.0), image="cubic")
    whole, cut = (resampled(array, region, (1.0, 1.0, 1.0), grid, margin_mm=margin) for margin in (None, 2.0))
    start = round((cut.origin[0] - whole.origin[0]) / 0.7)
    np.testing.assert_allclose(cut.array, whole.array[start : start + cut.array.shape[0]], atol=1e-12)


def test_two_lengths_leave_the_slices_where_they_are():
    array, region = _case()
    found = resampled(array, region, OLD, Grid((2.0, 2.0)))
    assert found.array.shape == (10, 9, 9)
    assert found.spacing_mm == (2.0, 2.0, 3.0)
    alone = resampled(array[:, :, 3:4], region[:, :, 3:4], OLD, Grid((2.0, 2.0)))
    assert (found.array[:, :, 3:4] == alone.array).all()


@pytest.mark.parametrize("image", ["nearest", "linear", "cubic"])
def test_the_same_spacing_gives_the_same_image_back(image):
    array, region = _case()
    found = resampled(array, region, OLD, Grid(OLD, image=image))
    assert (found.array == array).all()
    assert (found.region == region).all()


def test_a_voxel_of_exactly_one_half_belongs_to_the_outline():
    region = np.array([True, True, False, False]).reshape(4, 1, 1)
    found = resampled(np.zeros(region.shape), region, (3.0, 3.0, 3.0), Grid((2.0, 3.0, 3.0)))
    assert found.region.ravel().tolist() == [True, True, True, False, False, False]
    halved = resampled(np.zeros((3, 1, 1)), region[1:], (1.0, 1.0, 1.0), Grid((0.5, 1.0, 1.0)))
    assert halved.region.ravel().tolist() == [True, True, False, False, False, False]


def test_a_straight_slope_is_kept_by_every_interpolation_but_the_nearest():
    array = np.arange(40.0).reshape(40, 1, 1)
    for image in ("linear", "cubic"):
        found = resampled(array, array > 10, (1.0, 1.0, 1.0), Grid((0.6, 1.0, 1.0), image=image))
        at = positions(40, 1.0, 0.6)
        middle = (at > 12) & (at < 27)
        np.testing.assert_allclose(found.array.ravel()[middle], at[middle], atol=1e-6)


def test_the_nearest_voxel_is_taken_as_it_is():
    array, region = _case()
    found = resampled(array, region, OLD, Grid((1.3, 1.3, 1.3), image="nearest", mask="nearest"))
    assert set(found.array.ravel()) <= set(array.ravel())
    centre = np.argwhere(found.region).mean(axis=0) * 1.3 + (np.array(found.origin) * OLD)
    assert centre == pytest.approx(np.argwhere(region).mean(axis=0) * OLD, abs=0.7)


def test_rounding_gives_whole_numbers_half_a_unit_away_at_most():
    array, region = _case()
    plain, whole = (resampled(array * 50, region, OLD, Grid((2.0, 2.0, 2.0), rounded=rounded)).array for rounded in (False, True))
    assert (whole == np.rint(whole)).all()
    assert np.abs(whole - plain).max() <= 0.5


def test_what_is_given_is_not_changed():
    array, region = _case()
    array.setflags(write=False)
    region.setflags(write=False)
    resampled(array, region, OLD, Grid((2.0, 2.0, 2.0), image="cubic", rounded=True))


def test_nan_where_interpolation_needs_a_number_is_refused_and_named():
    array, region = _case()
    array[4, 6, 3] = math.nan
    with pytest.raises(BadCase, match=r"1 voxel in or around the outline is NaN or infinite, the first at \(4, 6, 3\)"):
        resampled(array, region, OLD, Grid((2.0, 2.0, 2.0)), margin_mm=0.0)


def test_nan_far_from_the_outline_harms_nobody():
    array, region = _case()
    clean = resampled(array, region, OLD, Grid((2.0, 2.0, 2.0)), margin_mm=0.0)
    array[19, 16, 8] = math.nan
    assert (resampled(array, region, OLD, Grid((2.0, 2.0, 2.0)), margin_mm=0.0).array == clean.array).all()


def test_an_outline_smaller_than_half_a_new_voxel_is_refused():
    array, region = np.zeros((9, 9, 9)), np.zeros((9, 9, 9), bool)
    region[3, 3, 3] = True
    with pytest.raises(BadCase, match="choose a finer spacing"):
        resampled(array, region, (1.0, 1.0, 1.0), Grid((4.0, 4.0, 4.0)))


def test_a_grid_that_no_memory_holds_is_refused():
    array, region = _case()
    with pytest.raises(BadCase, match="choose a wider spacing"):
        resampled(array, region, OLD, Grid((1e-4, 1e-4, 1e-4)))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"spacing_mm": (2.0,)}, "three positive lengths in mm, or two for slices"),
        ({"spacing_mm": (2.0, 0.0, 2.0)}, "three positive lengths"),
        ({"spacing_mm": (2.0, math.nan)}, "three positive lengths"),
        ({"spacing_mm": (2.0, 2.0), "image": "cubik"}, "did you mean 'cubic'"),
        ({"spacing_mm": (2.0, 2.0), "mask": "cubic"}, "of the outline is unknown"),
    ],
)
def test_an_impossible_grid_is_refused_in_one_sentence(settings, sentence):
    with pytest.raises(BadSetting, match=sentence):
        Grid(**settings)


def test_features_are_those_of_the_resampled_volume():
    array, region = _case()
    moved = resampled(array, region, OLD, Grid((2.0, 2.0, 2.0)))
    how = Extraction(families=("morphology", "autocorrelation", "local_peak", "glcm"))
    direct = extract(moved.array, moved.region, moved.spacing_mm, how).values
    through = extract(array, region, OLD, Extraction(families=how.families, grid=Grid((2.0, 2.0, 2.0)))).values
    assert through == pytest.approx(direct, rel=1e-12)


def test_a_resampled_region_keeps_the_surroundings_that_local_peaks_need():
    array, region = _case()
    bare, wide = (
        roi_of(array, region, OLD, Extraction(families=families, grid=Grid((1.0, 1.0, 1.0)))).image.shape
        for families in (("statistics",), ("local_peak",))
    )
    assert all(w > b for w, b in zip(wide, bare, strict=True))


def test_an_extraction_survives_being_written_as_a_record():
    how = Extraction("fixed-width", width=25.0, range=(-500.0, 400.0), outliers=3.0, grid=Grid((2.0, 2.0), image="cubic", rounded=True))
    assert extraction_from(how.as_record()) == how


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        ({"discretization": "none"}, "did you mean 'discretisation'"),
        ({"grid": {"spacing": [1.0, 1.0, 1.0]}}, "unknown key 'spacing'"),
        ({"grid": {"image": "linear"}}, "has no spacing_mm"),
        ({"grid": 2.0}, "where a table of spacing_mm"),
    ],
)
def test_a_record_with_an_unknown_or_missing_key_is_refused(record, sentence):
    with pytest.raises(BadSetting, match=sentence):
        extraction_from(record)
