"""What must not change, for all families together, when a region is turned, shuffled or scaled; on its own grid and resampled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.science.radiomics.controls import is_permutation_invariant, shuffled
from onclair.science.radiomics.extract import FAMILY_NAMES, Extraction, extract
from onclair.science.radiomics.grid import Grid

EVERY = Extraction("fixed-number", bins=8, families=FAMILY_NAMES, aggregations=("3D_avg", "3D_comb"))
SLICES = Extraction("fixed-number", bins=8, families=FAMILY_NAMES, aggregations=("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb"))
RESAMPLED = Extraction("fixed-number", bins=8, families=FAMILY_NAMES, grid=Grid((1.5, 1.5, 1.5), image="cubic"))
FEW = settings(max_examples=8, deadline=None)
TURNS = [((0, 1), 1), ((1, 2), 1), ((0, 2), 3), ((0, 1), 2)]
#: The smallest ellipsoid is found to within this share.
CLOSE = 1e-5


@st.composite
def lesions(draw):
    """Draw an irregular region with correlated intensities."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(5, 9), st.integers(5, 9), st.integers(5, 9)))
    field = rng.normal(size=shape)
    region = rng.random(shape) < draw(st.floats(0.5, 0.95))
    region[1:4, 1:4, 1:4] = True
    return 10 + field + np.roll(field, 1, 0) + np.roll(field, 1, 1) + np.roll(field, 1, 2), region


def _differing(a: dict[str, float], b: dict[str, float], *, rel: float = 1e-9) -> list[str]:
    def slack(tag: str) -> float:
        return CLOSE if "mvee" in tag else rel

    return [tag for tag in a if b[tag] != pytest.approx(a[tag], rel=slack(tag), abs=1e-9, nan_ok=True)]


@FEW
@given(lesions(), st.sampled_from(TURNS))
def test_no_feature_of_any_family_depends_on_how_an_isotropic_volume_lies(lesion, turn):
    array, region = lesion
    axes, times = turn
    turned = extract(np.rot90(array, times, axes), np.rot90(region, times, axes), (2.0, 2.0, 2.0), EVERY)
    assert _differing(extract(array, region, (2.0, 2.0, 2.0), EVERY).values, turned.values) == []


@FEW
@given(lesions())
def test_slices_turned_in_their_plane_keep_every_value_of_every_family(lesion):
    array, region = lesion
    turned = extract(np.rot90(array), np.rot90(region), (1.0, 1.0, 2.0), SLICES)
    assert _differing(extract(array, region, (1.0, 1.0, 2.0), SLICES).values, turned.values) == []


@FEW
@given(lesions())
def test_a_volume_turned_before_resampling_has_the_same_features(lesion):
    array, region = lesion
    turned = extract(np.rot90(array, 1, (0, 2)), np.rot90(region, 1, (0, 2)), (2.0, 2.0, 2.0), RESAMPLED)
    before = extract(array, region, (2.0, 2.0, 2.0), RESAMPLED).values
    placed = [tag for tag in before if tag.split("_")[0] in ("morph", "loc", "stat")]
    assert _differing({tag: before[tag] for tag in placed}, turned.values, rel=1e-7) == []


@FEW
@given(lesions(), st.integers(0, 1000))
def test_features_marked_invariant_survive_shuffling_in_every_family(lesion, seed):
    array, region = lesion
    mixed = extract(shuffled(array, region, np.random.default_rng(seed)), region, (1.0, 1.0, 3.0), EVERY).values
    before = extract(array, region, (1.0, 1.0, 3.0), EVERY).values
    marked = [tag for tag in before if is_permutation_invariant(tag)]
    assert {tag for tag in before if tag.startswith("ih_")} < set(marked)
    assert {tag: mixed[tag] for tag in marked} == {tag: before[tag] for tag in marked}


@FEW
@given(lesions(), st.sampled_from([2.0, 0.5, 1024.0]))
def test_intensities_scaled_scale_mean_and_peaks_and_leave_moran_and_texture(lesion, factor):
    array, region = lesion
    before, after = (extract(array * f, region, (1.0, 2.0, 3.0), EVERY).values for f in (1.0, factor))
    scaled = ("stat_mean", "loc_peak_loc", "loc_peak_glob", "morph_integ_int")
    assert {tag: after[tag] / before[tag] for tag in scaled} == pytest.approx(dict.fromkeys(scaled, factor))
    kept = [tag for tag in before if tag.split("_")[0] not in ("stat", "loc") and tag != "morph_integ_int"]
    assert _differing({tag: before[tag] for tag in kept}, after, rel=1e-7) == []
