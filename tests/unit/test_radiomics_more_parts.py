"""Re-segmentation by outliers, local peaks, enclosing bodies and named settings: against what can be worked out by hand or by force."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onclair.core.errors import BadSetting
from onclair.science.radiomics.enclosing import box_sides, ellipsoid_axes, enclosing
from onclair.science.radiomics.extract import FAMILIES, FAMILY_NAMES, Extraction, extract, feature_tags, measured, roi_of
from onclair.science.radiomics.local_peak import PEAK_RADIUS_MM, local_peak
from onclair.science.radiomics.mesh import surface
from onclair.science.radiomics.presets import PRESETS, preset
from onclair.science.radiomics.resegment import within_outliers, within_range
from onclair.science.radiomics.roi import prepared

MM = (2.0, 2.0, 2.0)


def _case(seed: int = 0, shape=(9, 8, 7)):
    rng = np.random.default_rng(seed)
    region = rng.random(shape) < 0.6
    region[3:5, 3:5, 3:5] = True
    return rng.gamma(3.0, 2.0, shape), region


def test_outliers_are_judged_by_what_the_range_has_left():
    array = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 10.0, 1e6]).reshape(11, 1, 1)
    outline = np.ones(array.shape, bool)
    kept = within_outliers(array, within_range(array, outline, (0.0, 100.0)), 2.0)
    assert kept.ravel().tolist() == [True] * 9 + [False, False]
    assert within_outliers(array, outline, 3.0).ravel().tolist() == [True] * 10 + [False]


def test_the_bounds_of_outliers_belong_to_the_region():
    array = np.array([-1.0, 1.0]).reshape(2, 1, 1)  # mean 0, standard deviation 1
    assert within_outliers(array, np.ones(array.shape, bool), 1.0).all()


@pytest.mark.parametrize("value", [0.1, 1e-300, -7.3e20])
def test_a_constant_region_has_no_outliers(value):
    array = np.full((3, 3, 3), value)
    assert within_outliers(array, np.ones(array.shape, bool), 0.5).all()


def test_without_a_number_of_deviations_every_voxel_counts():
    array, region = _case()
    assert (within_outliers(array, region, None) == region).all()


@pytest.mark.parametrize("sigmas", [0.0, -3.0, math.nan, math.inf])
def test_an_impossible_number_of_deviations_is_refused(sigmas):
    with pytest.raises(BadSetting, match="the 3 of the IBSI"):
        Extraction(outliers=sigmas)


def test_outliers_change_the_intensities_and_leave_the_shape():
    array, region = _case()
    array[4, 4, 4] = 1000.0
    families = ("morphology", "statistics")
    whole, cut = (extract(array, region, MM, Extraction(families=families, outliers=sigmas)).values for sigmas in (None, 3.0))
    assert cut["stat_max"] < whole["stat_max"] == 1000.0
    assert cut["morph_volume"] == whole["morph_volume"]


def _peaks_one_by_one(array, region, spacing):
    every = np.argwhere(np.isfinite(array)) * spacing
    values = array[np.isfinite(array)]
    means = [values[np.linalg.norm(every - here * spacing, axis=1) <= PEAK_RADIUS_MM].mean() for here in np.argwhere(region)]
    brightest = array[region] == array[region].max()
    return np.array(means)[brightest].max(), max(means)


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (1.0, 1.7, 3.0), (4.1, 6.3, 2.2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_local_peaks_are_those_of_every_sphere_one_by_one(spacing, seed):
    array, region = _case(seed)
    array[region] = np.rint(array[region] / 4)  # so that several voxels are the brightest
    found = local_peak(prepared(array, region, spacing)).values
    assert tuple(found.values()) == pytest.approx(_peaks_one_by_one(array, region, np.array(spacing)), rel=1e-12)


def test_a_sphere_takes_a_cubic_centimetre():
    assert 4 / 3 * math.pi * PEAK_RADIUS_MM**3 == pytest.approx(1000.0)


def test_voxels_outside_the_outline_count_in_a_peak_and_those_not_finite_do_not():
    array = np.zeros((5, 5, 5))
    region = np.zeros(array.shape, bool)
    region[2, 2, 2] = True
    array[2, 2, 2], array[3, 2, 2] = 5.0, 100.0
    far = (6.0, 9.0, 9.0)
    assert local_peak(prepared(array, region, far)).values["loc_peak_loc"] == 35.0
    array[1, 2, 2] = math.nan
    assert local_peak(prepared(array, region, far)).values["loc_peak_loc"] == 52.5


def test_a_peak_of_voxels_that_re_segmentation_dropped_has_no_centre_but_counts():
    array = np.array([1.0, 50.0, 1.0]).reshape(3, 1, 1)
    found = local_peak(prepared(array, array > 0, (6.0, 6.0, 6.0), (0.0, 10.0))).values
    assert found["loc_peak_glob"] == pytest.approx(25.5)


def _rotated(points, seed):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return points @ turn.T, turn


@pytest.mark.parametrize("seed", range(4))
def test_a_box_is_found_however_it_lies(seed):
    corners = np.array([[x, y, z] for x in (0.0, 3.0) for y in (0.0, 2.0) for z in (0.0, 1.0)])
    points, turn = _rotated(corners, seed)
    assert box_sides(points, np.ascontiguousarray(turn.T)) == pytest.approx((3.0, 2.0, 1.0))


@pytest.mark.parametrize("seed", range(3))
def test_no_box_turned_at_random_is_smaller_than_the_smallest(seed):
    _, region = _case(seed)
    mesh = surface(region, MM)
    smallest = math.prod(box_sides(mesh.hull_points, mesh.hull_normals))
    turned = [float(np.ptp(_rotated(mesh.hull_points, k)[0], axis=0).prod()) for k in range(300)]
    assert smallest <= min(turned)
    assert smallest >= mesh.hull_volume_mm3


@pytest.mark.parametrize("seed", range(4))
def test_an_ellipsoid_is_found_from_points_on_it(seed):
    rng = np.random.default_rng(seed)
    ball = rng.normal(size=(400, 3))
    ball /= np.linalg.norm(ball, axis=1)[:, None]
    ball = np.r_[ball, -ball]
    points, _ = _rotated(ball * [5.0, 3.0, 2.0], seed)
    assert ellipsoid_axes(points + 7.0) == pytest.approx((5.0, 3.0, 2.0), rel=1e-3)


def test_an_enclosing_ellipsoid_is_as_small_as_its_optimality_conditions_ask():
    """Loewner and John: the volume is within the tolerance of the dual's; here it is compared with ellipsoids near it."""
    _, region = _case(3)
    mesh = surface(region, MM)
    volume = math.prod(ellipsoid_axes(mesh.hull_points))
    centre = mesh.hull_points.mean(axis=0)
    cloud = mesh.hull_points - centre
    for k in range(50):
        shape = np.linalg.inv(np.cov(cloud.T) + 0.3 * np.diag(np.random.default_rng(k).random(3)))
        widest = np.einsum("ia,ab,ib->i", cloud, shape, cloud).max()
        assert volume <= math.sqrt(np.linalg.det(np.linalg.inv(shape)) * widest**3) * (1 + 1e-6)


def test_densities_of_enclosing_bodies_are_at_most_one():
    _, region = _case(5)
    values = enclosing(surface(region, MM)).values
    assert all(0 < values[f"morph_vol_dens_{body}"] <= 1 for body in ("ombb", "mvee"))


def test_all_families_and_aggregations_make_the_487_columns_of_the_digital_phantom():
    tags = feature_tags(preset("ibsi-digital"))
    assert len(tags) == len(set(tags)) == 29 + 2 + 18 + 23 + 7 + 6 * (25 + 16) + 3 * (16 + 16 + 5 + 17)


def test_the_names_of_families_are_those_that_can_be_measured():
    assert tuple(FAMILIES) == FAMILY_NAMES


def test_a_region_made_ready_gives_the_features_of_its_extraction():
    array, region = _case()
    how = Extraction(families=FAMILY_NAMES)
    assert measured(roi_of(array, region, MM, how), how) == extract(array, region, MM, how)


@pytest.mark.parametrize("families", [("glszm",), ("gldzm",), ("gldzm", "glszm"), ("ngtdm",), ("ngldm", "ngtdm")])
def test_a_family_alone_gives_what_it_gives_among_all(families):
    array, region = _case()
    every = extract(array, region, MM, Extraction(families=FAMILY_NAMES, range=(2.0, 9.0))).values
    alone = extract(array, region, MM, Extraction(families=families, range=(2.0, 9.0))).values
    assert {tag: every[tag] for tag in alone} == alone


def test_a_constant_region_has_no_texture_of_any_family_and_says_why():
    array = np.full((4, 4, 4), 4.0)
    how = Extraction("fixed-width", width=1.0, minimum=0.0, families=FAMILY_NAMES)
    features = extract(array, array > 0, MM, how)
    texture = [tag for tag in features.values if tag.split("_")[0] in ("cm", "rlm", "szm", "dzm", "ngt", "ngl")]
    assert len(texture) == 25 + 16 + 16 + 16 + 5 + 17
    assert {features.reasons[tag] for tag in texture} == {"every voxel has the same value (4)"}
    assert features.values["loc_peak_glob"] == 4.0


def test_every_preset_names_its_families_once_and_unknown_ones_are_refused():
    assert all(feature_tags(how) for how in PRESETS.values())
    with pytest.raises(BadSetting, match="did you mean 'ibsi-"):
        preset("ibsi-z")
