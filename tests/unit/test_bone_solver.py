"""The finite-element solver against what can be written on paper, and what it refuses."""

import numpy as np
import pytest

from onclair.core.errors import BadInput, BadSetting
from onclair.science.bone.hex8 import stiffness
from onclair.science.bone.loading import Load, Loaded, held_between, material_case, plane_nodes
from onclair.science.bone.solve import Problem, Solution, principal_strains, reaction_n, solve, strain_energy_density

PRESSED = Load(strain=-0.01)


def pressed(modulus, spacing=(1.0, 1.0, 1.0), *, case="uniaxial", poisson=0.3, axis="z", **how) -> tuple[float, Solution, Loaded]:
    """Return the force along the axis, the solution and the load."""
    loaded = material_case(np.asarray(modulus, float), spacing, case=case, axis=axis, load=PRESSED, poisson=poisson)
    found = solve(loaded.problem, **{"tolerance": 1e-9, **how})
    return float(reaction_n(found, loaded.problem, loaded.top)[loaded.axis]), found, loaded


def test_a_bar_with_unequal_edges_takes_modulus_times_area_times_strain():
    force, found, loaded = pressed(np.full((7, 5, 11), 1000.0), (0.7, 0.9, 2.5))
    assert force == pytest.approx(-1000 * 4.9 * 4.5 * 0.01, rel=1e-5)
    assert loaded.height_mm == pytest.approx(27.5)
    assert found.energy_error < 1e-4


@pytest.mark.parametrize("axis", ["x", "y"])
def test_the_axis_may_be_any_of_the_three(axis):
    force, _, _ = pressed(np.full((4, 5, 6), 1000.0), (2.0, 1.0, 0.5), axis=axis)
    assert force == pytest.approx({"x": -1000 * 5 * 3 * 0.01, "y": -1000 * 8 * 3 * 0.01}[axis], rel=1e-5)


def test_layers_in_series_add_their_compliances_without_a_poisson_ratio():
    layers = np.full((6, 6, 8), 1000.0)
    layers[:, :, :3] = 100
    assert pressed(layers, poisson=0.0)[0] == pytest.approx(-36 * 0.08 / (3 / 100 + 5 / 1000), rel=1e-5)


def test_layers_in_parallel_add_their_stiffnesses():
    layers = np.full((6, 6, 8), 1000.0)
    layers[:2] = 100
    assert pressed(layers)[0] == pytest.approx(-0.01 * (12 * 100 + 24 * 1000), rel=1e-5)


def test_a_confined_cube_has_the_constrained_modulus():
    nu = 0.3
    expected = -1000 * (1 - nu) / ((1 + nu) * (1 - 2 * nu)) * 81 * 0.01
    assert pressed(np.full((9, 9, 9), 1000.0), case="confined")[0] == pytest.approx(expected, rel=1e-5)


def test_a_rigid_motion_strains_nothing():
    block = material_case(np.full((5, 6, 7), 1000.0), (1.0, 1.0, 1.0), case="constrained-axial", load=PRESSED)
    places = np.stack(np.meshgrid(*(np.arange(n) for n in (6, 7, 8)), indexing="ij"), axis=-1)
    moved = np.array([0.1, 0.2, 0.3]) + 1e-3 * np.cross([1.0, -2.0, 0.5], places)
    problem = Problem(block.problem.modulus_mpa, (1.0, 1.0, 1.0), 0.3, block.problem.held, moved)
    found = solve(problem, start=np.zeros(moved.shape), tolerance=1e-10)
    assert np.abs(found.displacement_mm - moved).max() < 1e-9
    assert strain_energy_density(found, problem).max() < 1e-12


def cantilever(elements: int) -> float:
    """Return how much stiffer than Timoshenko's beam one of 10 x 1 x 1 mm is, without a Poisson ratio."""
    edge, length = 1 / elements, 10
    held = np.zeros((length * elements + 1, elements + 1, elements + 1, 3), bool)
    held[0], held[-1, :, :, 2] = True, True
    moved = np.zeros(held.shape)
    moved[-1, :, :, 2] = -0.1
    problem = Problem(np.full(tuple(n - 1 for n in held.shape[:3]), 1000.0), (edge, edge, edge), 0.0, held, moved)
    tip = np.zeros(held.shape[:3], bool)
    tip[-1] = True
    force = reaction_n(solve(problem, tolerance=1e-9), problem, tip)[2]
    expected = -0.1 / (length**3 / (3 * 1000 / 12) + length / (5 / 6 * 500))
    return float(force / expected - 1)


def test_a_cantilever_comes_to_timoshenko_with_the_order_of_the_elements():
    errors = [cantilever(n) for n in (2, 4, 8)]
    assert errors[2] < 0.01
    assert np.log2(errors[0] / errors[1]) >= 1.8
    assert np.log2(errors[1] / errors[2]) >= 1.8


def test_the_element_has_six_rigid_motions_and_no_more():
    values = np.linalg.eigvalsh(stiffness((0.6, 1.0, 2.5), 0.3))
    assert np.count_nonzero(values < 1e-12 * values[-1]) == 6


def test_a_part_joined_to_no_support_is_removed_and_counted():
    body = np.full((8, 8, 8), 1000.0)
    body[2:6, 2:6, 2:6] = 0
    body[3, 3, 3:5] = 500
    _, found, loaded = pressed(body)
    assert found.removed_elements == 2
    assert found.elements == 8**3 - 4**3
    assert not found.displacement_mm[3:5, 3:5, 3:6].any()
    assert strain_energy_density(found, loaded.problem)[3, 3, 3] == 0


def test_a_part_that_hangs_by_an_edge_does_not_stop_it():
    body = np.zeros((4, 4, 8))
    body[:2, :2] = 1000
    body[2:, 2:, 2:5] = 1000
    _, found, _ = pressed(body, tolerance=1e-6)
    assert found.removed_elements == 0
    assert found.iterations < 60


def test_both_sides_of_a_thin_gap_move_on_their_own():
    comb = np.zeros((12, 12, 16))
    comb[::2] = 1000  # plates of one voxel, gaps of one voxel
    comb[:, :, 0] = comb[:, :, -1] = 1000
    _, found, _ = pressed(comb, tolerance=1e-6)
    assert found.iterations <= 25


def test_what_is_soft_between_stiff_supports_is_not_lost_in_their_residual():
    body = np.full((12, 12, 12), 1e-4)
    body[:, :, :3] = body[:, :, -3:] = 1e4
    force, found, _ = pressed(body, case="constrained-axial", tolerance=1e-6)
    tight, _, _ = pressed(body, case="constrained-axial", tolerance=1e-13)
    assert found.energy_error <= 1e-4
    assert force == pytest.approx(tight, rel=1e-3)


def test_voxels_nearly_without_stiffness_do_not_stop_it():
    rng = np.random.default_rng(3)
    body = rng.lognormal(6, 1, (20, 20, 20))
    body[rng.random(body.shape) < 0.4] = 1e-4
    _, found, _ = pressed(body, case="constrained-axial", tolerance=1e-6)
    assert found.iterations <= 60
    assert found.imbalance_n < 1e-4 * 1000


def test_long_edges_are_coarsened_last():
    rng = np.random.default_rng(4)
    _, found, _ = pressed(rng.lognormal(6, 1, (24, 24, 8)), (0.6, 0.6, 3.0), case="constrained-axial", tolerance=1e-6)
    assert found.iterations <= 30


def test_a_good_start_saves_iterations_and_changes_nothing():
    rng = np.random.default_rng(5)
    body = rng.lognormal(6, 1, (16, 16, 16))
    force, cold, _ = pressed(body, tolerance=1e-8)
    again, warm, _ = pressed(body * np.where(rng.random(body.shape) < 0.01, 0.9, 1.0), tolerance=1e-8, start=cold.displacement_mm)
    assert warm.iterations < cold.iterations
    assert again == pytest.approx(force, rel=5e-3)


def test_two_threads_find_what_one_finds():
    body = np.random.default_rng(6).lognormal(6, 1, (20, 18, 16))
    one, two = (pressed(body, threads=n)[1].displacement_mm for n in (1, 2))
    np.testing.assert_allclose(two, one, atol=1e-9)


def test_principal_strains_of_a_pressed_bar_are_its_strain_and_what_poisson_makes_of_it():
    _, found, loaded = pressed(np.full((3, 3, 4), 1000.0))
    np.testing.assert_allclose(principal_strains(found, loaded.problem)[1, 1, 1], [-0.01, 0.003, 0.003], atol=1e-8)


def test_given_planes_may_lie_inside_the_material():
    body = np.full((4, 4, 10), 1000.0)
    ends = (plane_nodes(body > 0, 2, 2), plane_nodes(body > 0, 2, 8))
    loaded = held_between(body, (1.0, 1.0, 1.0), case="uniaxial", ends=ends, load=(2, -0.06, 6.0), poisson=0.0)
    assert loaded.caps_nodes == (25, 25)
    force = reaction_n(solve(loaded.problem, tolerance=1e-9), loaded.problem, loaded.top)[2]
    assert force == pytest.approx(-160.0, rel=1e-5)


def test_a_block_of_two_halves_held_between_given_planes_is_the_same_from_either_end():
    body = np.full((6, 6, 12), 1000.0)
    body[:, :, :6] = 400.0
    ends = (plane_nodes(body > 0, 2, 2), plane_nodes(body > 0, 2, 10))
    up, down = (
        held_between(body, (1.0, 1.0, 1.0), case="constrained-axial", ends=pair, load=(2, by, 8.0), poisson=0.3)
        for pair, by in ((ends, -0.08), (ends[::-1], 0.08))
    )
    first, second = (reaction_n(solve(each.problem, tolerance=1e-9), each.problem, each.top)[2] for each in (up, down))
    assert first == pytest.approx(-second, rel=1e-6)


@pytest.mark.parametrize(
    ("modulus", "said"),
    [
        (np.full((3, 3, 3), np.nan), "27 voxels that are not finite"),
        (np.where(np.arange(27).reshape(3, 3, 3) == 5, -2.0, 1.0), "1 negative moduli, down to -2"),
        (np.zeros((3, 3, 3)), "0 MPa in every voxel"),
        (np.ones((3, 3)), "a volume"),
    ],
)
def test_a_material_that_no_body_can_be_made_of_is_refused(modulus, said):
    with pytest.raises(BadInput, match=said):
        material_case(modulus, (1.0, 1.0, 1.0), case="uniaxial", load=PRESSED)


@pytest.mark.parametrize("poisson", [-0.1, 0.5, float("nan")])
def test_a_poisson_ratio_outside_its_range_is_refused(poisson):
    with pytest.raises(BadSetting, match="Poisson"):
        pressed(np.ones((2, 2, 2)), poisson=poisson)


def test_ends_that_are_not_connected_are_refused():
    body = np.ones((4, 4, 8))
    body[:, :, 4] = 0
    with pytest.raises(BadInput, match="not connected"):
        pressed(body)


@pytest.mark.parametrize("load", [Load(strain=0.0), Load(displacement_mm=0.0), Load(), Load(strain=0.1, displacement_mm=1.0)])
def test_a_load_that_moves_nothing_or_is_told_twice_is_refused(load):
    with pytest.raises(BadSetting):
        material_case(np.ones((2, 2, 2)), (1.0, 1.0, 1.0), case="uniaxial", load=load)


def test_a_problem_whose_displacements_are_all_zero_is_refused():
    loaded = material_case(np.ones((2, 2, 2)), (1.0, 1.0, 1.0), case="uniaxial", load=PRESSED)
    still = Problem(loaded.problem.modulus_mpa, (1.0, 1.0, 1.0), 0.3, loaded.problem.held, np.zeros(loaded.problem.held.shape))
    with pytest.raises(BadInput, match="not moved"):
        solve(still)


def test_a_body_that_nothing_holds_is_refused():
    held = np.zeros((3, 3, 3, 3), bool)
    with pytest.raises(BadInput, match="joined to a node that is held"):
        solve(Problem(np.ones((2, 2, 2)), (1.0, 1.0, 1.0), 0.3, held, np.zeros(held.shape)))


def test_without_convergence_there_is_no_answer():
    with pytest.raises(BadInput, match="did not converge"):
        pressed(np.random.default_rng(7).lognormal(6, 2, (12, 12, 12)), max_iterations=2)


def test_a_start_of_another_grid_is_refused():
    with pytest.raises(BadInput, match="start from"):
        pressed(np.ones((3, 3, 3)), start=np.zeros((3, 3, 3, 3)))
