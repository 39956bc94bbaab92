"""What zones and neighbourhoods must keep when a region is turned or its levels are scaled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.science.radiomics.levels import grey_levels
from onclair.science.radiomics.neighbours import dependences, tone_differences
from onclair.science.radiomics.zones import distance_zones, size_zones

FEW = settings(max_examples=12, deadline=None)


@st.composite
def lesions(draw):
    """Draw levels, an intensity mask and the outline around it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(3, 8), st.integers(3, 8), st.integers(3, 8)))
    region = rng.random(shape) < draw(st.floats(0.5, 1.0))
    kept = region & (rng.random(shape) < draw(st.floats(0.7, 1.0)))
    kept[1, 1, 1] = region[1, 1, 1] = True
    return rng.integers(1, draw(st.integers(2, 6)), shape), kept, region


def _described(levels, kept, region, ways):
    grey = grey_levels(levels[kept], kept)
    parts = (size_zones(grey, ways), distance_zones(grey, region, ways), tone_differences(grey, ways), dependences(grey, ways))
    return {tag: value for part in parts for tag, value in part.values.items()}


@FEW
@given(lesions(), st.sampled_from([((0, 1), 1), ((1, 2), 1), ((0, 2), 3), ((0, 1), 2)]))
def test_no_zone_or_neighbourhood_depends_on_how_the_volume_lies(lesion, turn):
    axes, times = turn
    turned = (np.rot90(part, times, axes) for part in lesion)
    assert _described(*turned, ["3D"]) == pytest.approx(_described(*lesion, ["3D"]), rel=1e-12, nan_ok=True)


@FEW
@given(lesions(), st.sampled_from([1, 2, 3]))
def test_slices_turned_in_their_plane_keep_every_aggregation(lesion, times):
    turned = (np.rot90(part, times, (0, 1)) for part in lesion)
    ways = ["2D", "2_5D", "3D"]
    assert _described(*turned, ways) == pytest.approx(_described(*lesion, ways), rel=1e-12, nan_ok=True)


@FEW
@given(lesions())
def test_levels_twice_as_high_keep_the_zones_and_quadruple_their_level_variance(lesion):
    levels, kept, region = lesion
    once, twice = _described(levels, kept, region, ["3D"]), _described(2 * levels, kept, region, ["3D"])
    for family in ("szm", "dzm", "ngl"):
        assert twice[f"{family}_gl_var_3D"] == pytest.approx(4 * once[f"{family}_gl_var_3D"], rel=1e-9, abs=1e-12)
    same = ["szm_sze_3D", "szm_z_perc_3D", "szm_zs_entr_3D", "dzm_zd_var_3D", "ngl_dc_entr_3D", "ngl_dc_energy_3D"]
    assert [twice[tag] for tag in same] == pytest.approx([once[tag] for tag in same], rel=1e-12)
