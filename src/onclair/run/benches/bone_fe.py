"""Finite elements in a process of their own: `python -m MODULE solve CASE DATA`, or `... write CASE DATA FILE` for a peer.

Cases: ``cube64`` (64^3 voxels, lognormal moduli over four decades), ``tibia`` and ``vertebra`` (published models, read from DATA). A small
body, large enough for several grids, is solved before the clock starts, so that compiling, or reading what was compiled before, is told
apart.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from onclair.core.errors import BadInput
from onclair.core.names import did_you_mean
from onclair.core.seeds import rng_for
from onclair.io.nifti import read_image
from onclair.science.bone.loading import Load, Loaded, held_between, material_case, plane_nodes
from onclair.science.bone.solve import Problem, reaction_n, solve
from onclair.science.bone.supports import node_flags

CASES = ("cube64", "tibia", "vertebra")
#: Under the data folder; the cube is drawn.
FILES = {
    "tibia": Path("fe_reference", "tibia_xtremect1", "material.nii.gz"),
    "vertebra": Path("fe_reference", "vertebra_l4", "material.nii.gz"),
}
#: The cube: decades that three standard deviations to either side span, and its median in MPa.
DECADES, MEDIAN_MPA = 4.0, 1000.0
#: The vertebra: modulus of its caps, their node planes, and how far the top is moved, mm.
CEMENT_MPA, PLANES, MOVED_MM = 2500.0, (5, 48), -0.2924


def file_of(case: str, data: Path) -> Path | None:
    """Return the file of a case, in the folder of reference data or in the one of bone; None for a case that is drawn.

    Raises
    ------
    BadInput
        When it is not there.
    """
    if case not in FILES:
        return None
    found = next((root / FILES[case] for root in (data, data / "bone") if (root / FILES[case]).is_file()), None)
    if found is None:
        raise BadInput(f"There is no {FILES[case]} in {data}; give the folder of reference data with --data.", item=str(data))
    return found


def loaded_case(case: str, data: Path) -> Loaded:
    """Return the body of a case with its supports.

    Parameters
    ----------
    case : str
        Of :data:`CASES`.
    data : Path

    Raises
    ------
    BadInput
        For a case that does not exist, or a file that is not there.
    """
    if case not in CASES:
        raise BadInput(f"There is no case '{case}'; {did_you_mean(case, CASES)}", item=case)
    path = file_of(case, data)
    if path is None:
        drawn = MEDIAN_MPA * 10 ** (DECADES / 6 * rng_for(0, "bench", case).standard_normal((64, 64, 64)))
        return material_case(drawn, (1.0, 1.0, 1.0), case="constrained-axial", load=Load(strain=-0.01))
    image = read_image(path, unit="a.u.")
    edges = np.linalg.norm(image.affine[:3, :3], axis=0)
    modulus, spacing = np.asarray(image.array, dtype=np.float64), (float(edges[0]), float(edges[1]), float(edges[2]))
    if case == "tibia":
        return material_case(modulus, spacing, case="constrained-axial", load=Load(strain=-0.01))
    return _compressed(modulus, spacing)


def _compressed(modulus: np.ndarray, spacing: tuple[float, float, float]) -> Loaded:
    """Return the vertebra between its caps: the lower one held fully, the upper one moved along the axis and free across."""
    bottom, top = (plane_nodes(modulus == CEMENT_MPA, 2, plane) for plane in PLANES)
    height = (PLANES[1] - PLANES[0]) * spacing[2]
    base = held_between(modulus, spacing, case="constrained-axial", ends=(bottom, top), load=(2, MOVED_MM, height), poisson=0.3).problem
    held = base.held.copy()
    held[top, :2] = False
    return Loaded(Problem(modulus, spacing, 0.3, held, base.displacement_mm), top, bottom, height, 2, MOVED_MM)


def solved(case: str, data: Path) -> dict[str, float | int | None]:
    """Solve a case and return what it took.

    Parameters
    ----------
    case : str
    data : Path

    Returns
    -------
    dict
        ``cpu_s wall_s compile_cpu_s peak_gb iterations reaction_N relative_residual elements``.
    """
    before = time.process_time()
    small = material_case(np.ones((24, 22, 20)), (1.0, 1.0, 1.0), case="constrained-axial", load=Load(strain=-0.01))
    solve(small.problem)
    compile_s = time.process_time() - before
    loaded = loaded_case(case, data)
    cpu, wall = time.process_time(), time.perf_counter()
    found = solve(loaded.problem)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "cpu_s": round(cpu, 3),
        "wall_s": round(wall, 3),
        "compile_cpu_s": round(compile_s, 3),
        "peak_gb": peak_gb(),
        "iterations": found.iterations,
        "reaction_N": float(reaction_n(found, loaded.problem, loaded.top)[loaded.axis]),
        "relative_residual": found.relative_residual,
        "elements": found.elements,
    }


def peak_gb() -> float | None:
    """Return the peak resident memory of this process since it began, 10^9 bytes; None where the system does not say."""
    try:
        told = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) / 1e9 for line in told.splitlines() if line.startswith("VmHWM")), None)


def write(case: str, data: Path, out: Path) -> None:
    """Write a case as arrays that a peer's program reads: ``modulus spacing places values``, held components as (x, y, z, component)."""
    problem = loaded_case(case, data).problem
    places = np.argwhere(problem.held & node_flags(problem.modulus_mpa > 0)[..., None])
    values = problem.displacement_mm[tuple(places.T)]
    np.savez(out, modulus=problem.modulus_mpa.astype(np.float32), spacing=problem.spacing_mm, places=places, values=values)


def main(arguments: list[str]) -> None:
    """Do what the arguments say and print one JSON object."""
    job, case, data = arguments[0], arguments[1], Path(arguments[2])
    if job == "write":
        write(case, data, Path(arguments[3]))
        found: dict[str, float | int | None] = {}
    else:
        found = solved(case, data)
    sys.stdout.write(json.dumps(found, allow_nan=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
