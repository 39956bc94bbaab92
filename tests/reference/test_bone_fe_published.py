"""Published finite-element models, and spheres in a cube, at the figures that were published or measured for them."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from onclair.science.bone.loading import Load, Loaded, material_case, plane_nodes
from onclair.science.bone.solve import Problem, Solution, reaction_n, solve, strain_energy_density


@pytest.fixture(scope="module")
def fe_reference(reference_data: Path) -> Path:
    return reference_data / "bone" / "fe_reference"


def volume(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    image = nib.load(path)
    x, y, z = (float(edge) for edge in image.header.get_zooms())
    return np.asarray(image.dataobj, dtype=np.float64), (x, y, z)


def pistoia_factor(solution: Solution, problem: Problem) -> float:
    """Return 0.007 over the 98th percentile of the effective strain of the material's voxels."""
    at = problem.modulus_mpa > 0
    strain = np.sqrt(2 * strain_energy_density(solution, problem)[at] / problem.modulus_mpa[at])
    return 0.007 / float(np.percentile(strain, 98))


def apart(found: np.ndarray, published: np.ndarray) -> float:
    on = published > 0
    return float(np.linalg.norm(found[on] - published[on]) / np.linalg.norm(published[on]))


def top_force(solution: Solution, loaded: Loaded) -> float:
    return float(reaction_n(solution, loaded.problem, loaded.top)[loaded.axis])


def cube_force(radius: float, share: float) -> float:
    """Return the force on a cube of 40 voxels with a sphere of a share of its modulus, voxel centres inside."""
    away = np.arange(40) - 19.5
    cube = np.full((40, 40, 40), 1000.0)
    cube[away[:, None, None] ** 2 + away[:, None] ** 2 + away**2 <= radius**2] *= share
    loaded = material_case(cube, (1.0, 1.0, 1.0), case="uniaxial", load=Load(strain=-0.01))
    return top_force(solve(loaded.problem), loaded)


@pytest.mark.parametrize(("radius", "share", "expected"), [(6, 0.0, 0.97157), (8, 0.0, 0.93361), (6, 0.1, 0.97719)])
def test_a_sphere_in_a_cube_softens_it_as_measured(radius, share, expected):
    assert cube_force(radius, share) / (-1000 * 1600 * 0.01) == pytest.approx(expected, abs=5e-4)


def test_the_vertebra_between_cement_caps_has_the_published_stiffness_and_energy(fe_reference):
    material, edges = volume(fe_reference / "vertebra_l4" / "material.nii.gz")
    published, _ = volume(fe_reference / "vertebra_l4" / "sed.nii.gz")
    cement = material == 2500
    top, bottom = plane_nodes(cement, 2, 48), plane_nodes(cement, 2, 5)
    assert (top.sum(), bottom.sum()) == (1711, 1711)
    held = np.zeros((*top.shape, 3), bool)
    held[bottom], held[top, 2] = True, True
    moved = np.zeros(held.shape)
    moved[top, 2] = -0.2924
    problem = Problem(material, edges, 0.3, held, moved)
    found = solve(problem)
    assert reaction_n(found, problem, top)[2] / -0.2924 == pytest.approx(23_358.6, rel=2e-3)
    assert apart(strain_energy_density(found, problem), published) <= 0.01
    assert found.iterations <= 60
    assert (found.removed_elements, found.elements) == (0, 87_345)


def test_trabecular_bone_has_the_published_force_failure_factor_and_energy(fe_reference):
    folder = fe_reference / "trab1240"
    told = json.loads((folder / "reference.json").read_text())
    labels = np.load(folder / "trab1240_labels.npz")["labels"].transpose(2, 1, 0)  # z, y, x
    published = np.load(folder / "reference_sed.npz")["sed_zyx"].transpose(2, 1, 0).astype(float)
    spacing = tuple(told["source"]["spacing_xyz"])
    loaded = material_case(10_000.0 * (labels > 0), spacing, case="constrained-axial", load=Load(displacement_mm=-0.0764801))
    found = solve(loaded.problem)
    assert (found.elements, found.nodes, loaded.caps_nodes[0]) == (179_421, 334_817, 1671)
    assert top_force(found, loaded) == pytest.approx(-71.519, abs=0.036)
    assert top_force(found, loaded) / -0.0764801 == pytest.approx(935.13, rel=5e-4)
    assert pistoia_factor(found, loaded.problem) == pytest.approx(0.71216, abs=5e-4)
    assert apart(strain_energy_density(found, loaded.problem), published) <= 0.005
    assert found.iterations <= 60


@pytest.mark.slow
def test_the_tibia_has_the_published_force_and_failure_load(fe_reference):
    material, edges = volume(fe_reference / "tibia_xtremect1" / "material.nii.gz")
    published, _ = volume(fe_reference / "tibia_xtremect1" / "sed.nii.gz")
    loaded = material_case(material, edges, case="constrained-axial", load=Load(strain=-0.01))
    found = solve(loaded.problem)
    force, factor = top_force(found, loaded), pistoia_factor(found, loaded.problem)
    assert force == pytest.approx(-623.02, abs=0.35)
    assert factor == pytest.approx(0.5264, abs=0.001)
    assert abs(force) * factor == pytest.approx(328.05, abs=0.7)
    assert found.iterations <= 60
    # The published field is itself 1.07 % from equilibrium, in one strut that hangs by little: the solver that made it, asked for a
    # residual of 1e-9, is 1.07 % from its own published field and 0.01 % from this one.
    assert apart(strain_energy_density(found, loaded.problem), published) <= 0.011
