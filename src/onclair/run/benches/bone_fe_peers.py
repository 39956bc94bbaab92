"""The program of a finite-element peer: it runs in the peer's own environment, or not at all.

parosol-py is GPL: nothing of it is imported here, and its program is started as a process of its own.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

PEERS = ("parosol-py", "none")
#: Name of the folder of its environment.
FOLDER = "parosol"

#: Called with a file of :func:`onclair.run.benches.bone_fe.write` and the tolerance. The solver is a native process that the package
#: starts, so its CPU seconds and peak memory are those of the child. It takes one edge for all three, and holds what is exactly 0 as 1e-16.
PROGRAM = """
import json, resource, sys, tempfile, time
from importlib.metadata import version
import numpy as np
from parosol_py import BoundaryConditionSet, solve

with np.load(sys.argv[1]) as given:
    modulus, spacing, places, values = (given[name] for name in ("modulus", "spacing", "places", "values"))
values = np.where(values == 0, 1e-16, values).astype(np.float32)
before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
with tempfile.TemporaryDirectory() as place:
    found = solve(material=modulus, spacing=(float(spacing.mean()),) * 3, array_order="xyz", poisson_ratio=0.3, outputs=("sed",),
                  tolerance=float(sys.argv[2]), mpi_processes=1, work_dir=place,
                  boundary_conditions=BoundaryConditionSet(places.astype(np.uint16), values))
wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
forces, moved = np.asarray(found.fields["forces"]), np.asarray(found.fields["displacements"])
applied = values[np.argmax(np.abs(values))]
top = np.isclose(moved[:, 2], applied, rtol=1e-5, atol=0)
print(json.dumps({
    "version": version("parosol-py"),
    "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 3),
    "wall_s": round(wall, 3),
    "peak_gb": after.ru_maxrss * 1024 / 1e9,
    "iterations": found.summary.run.iterations,
    "reaction_N": float(forces[top, 2].sum()),
    "relative_residual": found.summary.run.relative_residual,
}))
"""


def peer_interpreter(home: Path | None) -> str | None:
    """Return the interpreter that has parosol-py: that of its environment under `home`, or this one where it is installed; else None.

    Examples
    --------
    >>> peer_interpreter(Path("nowhere")) in (None, sys.executable)
    True
    """
    if home is not None and (home / FOLDER / "bin" / "python").exists():
        return str(home / FOLDER / "bin" / "python")
    return sys.executable if find_spec("parosol_py") is not None else None
