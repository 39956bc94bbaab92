"""What any body of voxels obeys: scale, symmetry, equilibrium, more material is never softer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onclair.science.bone.loading import Load, material_case
from onclair.science.bone.solve import reaction_n, solve

CASES = st.sampled_from(["uniaxial", "constrained-axial", "confined"])


def body(seed: int, holes: float) -> np.ndarray:
    """Return a random body whose first and last slices are whole, so that its ends are connected along a column."""
    rng = np.random.default_rng(seed)
    drawn = rng.lognormal(6, 1.5, (5, 6, 7)) * (rng.random((5, 6, 7)) >= holes)
    drawn[2, 3] = 300.0
    drawn[:, :, 0] = drawn[:, :, -1] = 500.0
    return drawn


def force(modulus, edges=(1.0, 1.0, 1.0), *, case="constrained-axial", axis="z", strain=-0.01) -> float:
    loaded = material_case(modulus, edges, case=case, axis=axis, load=Load(strain=strain))
    found = solve(loaded.problem, tolerance=1e-9)
    assert found.energy_error <= 1e-4
    total = reaction_n(found, loaded.problem, loaded.top) + reaction_n(found, loaded.problem, loaded.bottom)
    if case != "confined":  # there the other faces push, too
        assert np.abs(total).max() <= 1e-6 * abs(float(modulus.max()))
    return float(reaction_n(found, loaded.problem, loaded.top)[loaded.axis])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 0.6), CASES)
def test_the_force_grows_with_modulus_strain_and_size(seed, holes, case):
    drawn = body(seed, holes)
    one = force(drawn, case=case)
    assert one < 0
    assert force(3.5 * drawn, case=case) == pytest.approx(3.5 * one, rel=1e-6)
    assert force(drawn, case=case, strain=0.02) == pytest.approx(-2 * one, rel=1e-6)
    assert force(drawn, (2.0, 2.0, 2.0), case=case) == pytest.approx(4 * one, rel=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 0.6), CASES)
def test_a_body_turned_with_its_axis_takes_the_same_force(seed, holes, case):
    drawn, edges = body(seed, holes), (0.8, 1.0, 1.3)
    turned = np.ascontiguousarray(drawn.transpose(2, 0, 1))
    assert force(turned, (1.3, 0.8, 1.0), case=case, axis="x") == pytest.approx(force(drawn, edges, case=case), rel=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 0.6), CASES)
def test_a_mirrored_body_takes_the_same_force(seed, holes, case):
    drawn = body(seed, holes)
    assert force(drawn[::-1, :, ::-1].copy(), case=case) == pytest.approx(force(drawn, case=case), rel=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 0.6))
def test_more_material_is_never_softer(seed, holes):
    drawn = body(seed, holes)
    more = np.where(np.random.default_rng(seed).random(drawn.shape) < 0.2, drawn + 200.0, drawn)
    assert abs(force(more)) >= abs(force(drawn)) * (1 - 1e-7)
