"""What must not change, and what must, when a region is turned, scaled or shuffled."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import eval_legendre

from onclair.science.radiomics.aggregate import AGGREGATIONS
from onclair.science.radiomics.controls import is_permutation_invariant, shuffled
from onclair.science.radiomics.extract import Extraction, extract
from onclair.science.radiomics.shape import ellipsoid_area, shape

TURNS = [((0, 1), 1), ((1, 2), 1), ((0, 2), 3), ((0, 1), 2)]
WHOLE = Extraction("fixed-number", bins=8)
FEW = settings(max_examples=12, deadline=None)


@st.composite
def lesions(draw):
    """Draw an irregular region with correlated intensities."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape_ = draw(st.tuples(st.integers(4, 9), st.integers(4, 9), st.integers(4, 9)))
    field = rng.normal(size=shape_)
    smooth = field + np.roll(field, 1, 0) + np.roll(field, 1, 1) + np.roll(field, 1, 2)
    region = rng.random(shape_) < draw(st.floats(0.4, 0.95))
    region[1:3, 1:3, 1:3] = True
    return 10 + smooth, region


def _differing(a: dict[str, float], b: dict[str, float], *, rel: float = 1e-9) -> list[str]:
    return [tag for tag in a if b[tag] != pytest.approx(a[tag], rel=rel, abs=1e-9, nan_ok=True)]


@FEW
@given(lesions(), st.sampled_from(TURNS))
def test_no_feature_depends_on_how_an_isotropic_volume_lies(lesion, turn):
    array, region = lesion
    axes, times = turn
    turned = extract(np.rot90(array, times, axes), np.rot90(region, times, axes), (2.0, 2.0, 2.0), WHOLE)
    assert _differing(extract(array, region, (2.0, 2.0, 2.0), WHOLE).values, turned.values) == []


@FEW
@given(lesions())
def test_a_turn_with_the_spacing_leaves_the_shape(lesion):
    _, region = lesion
    turned = shape(np.transpose(region, (2, 0, 1)), (3.0, 1.0, 2.0))
    assert _differing(shape(region, (1.0, 2.0, 3.0)).values, turned.values) == []


@FEW
@given(lesions())
def test_slices_turned_in_their_plane_keep_every_aggregation(lesion):
    array, region = lesion
    extraction = Extraction("fixed-number", bins=8, families=("glcm", "glrlm"), aggregations=AGGREGATIONS)
    turned = extract(np.rot90(array), np.rot90(region), (1.0, 1.0, 1.0), extraction)
    assert _differing(extract(array, region, (1.0, 1.0, 1.0), extraction).values, turned.values) == []


@FEW
@given(lesions(), st.sampled_from([2.0, 0.25, 1024.0]))
def test_intensities_multiplied_scale_the_statistics_and_leave_the_texture(lesion, factor):
    array, region = lesion
    before, after = (extract(array * f, region, (1.0, 1.0, 2.0), WHOLE).values for f in (1.0, factor))
    scaled = {"stat_mean": factor, "stat_max": factor, "stat_mad": factor, "stat_var": factor**2, "stat_energy": factor**2}
    assert {tag: after[tag] / before[tag] for tag in scaled} == pytest.approx(scaled)
    placed = {"morph_moran_i", "morph_geary_c", "morph_com"}
    kept = [tag for tag in before if tag.startswith(("ih_", "ivh_", "cm_", "rlm_")) or tag in placed]
    assert _differing({tag: before[tag] for tag in kept}, after, rel=1e-7) == []


@FEW
@given(lesions(), st.sampled_from([2.0, 0.5]))
def test_lengths_multiplied_scale_volumes_by_their_cube(lesion, factor):
    array, region = lesion
    before, after = (extract(array, region, (f, f, 2 * f), WHOLE).values for f in (1.0, factor))
    powers = {
        "morph_volume": 3,
        "morph_area_mesh": 2,
        "morph_diam": 1,
        "morph_pca_maj_axis": 1,
        "morph_com": 1,
        "morph_sphericity": 0,
        "morph_moran_i": 0,
    }
    assert {tag: after[tag] / before[tag] for tag in powers} == pytest.approx({tag: factor**p for tag, p in powers.items()})


@FEW
@given(lesions(), st.integers(0, 1000))
def test_features_marked_invariant_survive_shuffling_to_the_last_bit(lesion, seed):
    array, region = lesion
    mixed = extract(shuffled(array, region, np.random.default_rng(seed)), region, (1.0, 1.0, 3.0), WHOLE).values
    before = extract(array, region, (1.0, 1.0, 3.0), WHOLE).values
    marked = [tag for tag in before if is_permutation_invariant(tag)]
    assert len(marked) == 22 + 18 + 23 + 7
    assert {tag: mixed[tag] for tag in marked} == {tag: before[tag] for tag in marked}


def test_features_not_marked_invariant_change_when_voxels_are_shuffled():
    rng = np.random.default_rng(7)
    x, y, z = np.mgrid[:9, :8, :7]
    array = x + 2.0 * y + 0.5 * z + 0.1 * rng.normal(size=x.shape)
    region = (x - 4) ** 2 + (y - 4) ** 2 + (z - 3) ** 2 < 14
    before = extract(array, region, (1.0, 1.0, 1.0), WHOLE).values
    after = extract(shuffled(array, region, rng), region, (1.0, 1.0, 1.0), WHOLE).values
    unmarked = [tag for tag in before if not is_permutation_invariant(tag)]
    assert len(unmarked) == 3 + 25 + 16
    assert [tag for tag in unmarked if math.isclose(before[tag], after[tag], rel_tol=1e-6)] == []


@settings(max_examples=8, deadline=None)
@given(st.floats(8.0, 14.0))
def test_a_sphere_has_the_volume_and_diameter_of_a_sphere(radius):
    n = int(radius) + 2
    x, y, z = np.mgrid[-n : n + 1, -n : n + 1, -n : n + 1]
    values = shape(x**2 + y**2 + z**2 <= radius**2, (1.0, 1.0, 1.0)).values
    assert values["morph_volume"] == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.05)
    assert values["morph_diam"] == pytest.approx(2 * radius, abs=1.5)
    assert values["morph_pca_maj_axis"] == pytest.approx(4 * radius / math.sqrt(5), rel=0.03)
    assert values["morph_pca_elongation"] == pytest.approx(1.0)


@settings(max_examples=10, deadline=None)
@given(st.tuples(*[st.integers(2, 9)] * 3), st.tuples(*[st.floats(0.5, 4.0)] * 3))
def test_a_box_has_the_surface_of_a_box_with_bevelled_edges(sides, spacing):
    """Marching cubes cuts a prism of half a voxel off each edge, and more off each corner: all is known in closed form."""
    values = shape(np.ones(sides, bool), spacing).values
    (a, b, c), (u, v, w) = sides, spacing
    edges = (a - 1) + (b - 1) + (c - 1)  # edge cubes on four parallel edges each lose an eighth; each of eight corners 5/48 more
    lost = (4 * edges / 8 + 8 * (1 / 8 - 1 / 48)) * u * v * w
    assert values["morph_volume"] == pytest.approx(a * b * c * u * v * w - lost)
    assert values["morph_vol_approx"] == pytest.approx(a * b * c * u * v * w)
    inner, outer = ((a - 1) * u, (b - 1) * v, (c - 1) * w), (a * u, b * v, c * w)
    longest = max(math.dist((0, 0, 0), [*inner[:k], outer[k], *inner[k + 1 :]]) for k in range(3))
    assert values["morph_diam"] == pytest.approx(longest)
    assert values["morph_vol_dens_conv_hull"] == pytest.approx(1.0)


@given(st.floats(0.1, 50.0))
def test_the_area_of_a_sphere_is_four_pi_r_squared(radius):
    assert ellipsoid_area(radius, radius, radius) == pytest.approx(4 * math.pi * radius**2)


@given(st.floats(0.2, 0.99), st.floats(0.2, 0.99))
def test_the_area_of_an_ellipsoid_is_the_series_that_ibsi_prescribes(minor, flat):
    alpha, beta = math.sqrt(1 - minor**2), math.sqrt(1 - (minor * flat) ** 2)
    argument = (alpha**2 + beta**2) / (2 * alpha * beta)
    series = sum((alpha * beta) ** v / (1 - 4 * v**2) * eval_legendre(v, argument) for v in range(21))
    assert ellipsoid_area(1.0, minor, minor * flat) == pytest.approx(4 * math.pi * minor * series)
