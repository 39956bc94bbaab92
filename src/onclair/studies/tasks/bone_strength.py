"""`onclair bone strength`: from a material map, a density or a calibrated CT to the load that the bone bears, with its band."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput, BadSetting
from onclair.core.values import Image
from onclair.io.files import sealed_folder, write_atomically
from onclair.io.nifti import write_map
from onclair.science.bone.assess import BoneStrength, strength_of, strength_of_material
from onclair.science.bone.cases import Plan, prepared_material
from onclair.science.bone.loading import AXES, Load
from onclair.science.bone.loading_bones import How
from onclair.science.bone.loads import loads_of
from onclair.science.bone.materials import CEMENT_MPA, POISSON, law_named
from onclair.science.volumes.resample import onto
from onclair.studies.tasks.bone_strength_inputs import Given, Source, material_of, read, refuse_cut

SED, DISPLACEMENT, RESULT = "sed.nii.gz", "displacement.nii.gz", "strength.json"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Loading:
    """How the bone is loaded and solved; what is None is the case's own.

    Attributes
    ----------
    case : str
    law, axis : str or None
    strain, displacement : float or None
        At most one; negative in compression, the displacement in mm.
    poisson, caps_mpa : float
    body_mass_kg, voxel_mm : float or None
    samples, seed, threads : int
    """

    case: str
    law: str | None = None
    axis: str = "z"
    strain: float | None = None
    displacement: float | None = None
    poisson: float = POISSON
    caps_mpa: float = CEMENT_MPA
    body_mass_kg: float | None = None
    voxel_mm: float | None = None
    samples: int = 16
    seed: int = 0
    threads: int = 2

    def plan(self) -> Plan:
        """Return the plan, or refuse what it cannot take."""
        if self.strain is not None and self.displacement is not None:
            raise BadSetting("The load is a strain or a displacement; give --strain or --displacement.", item="strain")
        load = None if self.strain is None and self.displacement is None else Load(self.strain, self.displacement)
        if load is not None:
            load.over(1.0)  # refuses 0
        how = How(self.caps_mpa, self.poisson, load)
        law = None if self.law is None else law_named(self.law)
        return Plan(self.case, law, self.axis, self.voxel_mm, how, self.samples, self.seed, self.threads)


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What was found and written.

    Attributes
    ----------
    strength : BoneStrength
    load : mapping
    body_mass_kg : float or None
    outputs : mapping of str to str
    warnings : tuple of mapping
    """

    strength: BoneStrength
    load: Mapping[str, Any]
    body_mass_kg: float | None
    outputs: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Mapping[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        found, solution = self.strength, self.strength.solution
        loaded = found.ready.capped.loaded
        return {
            "estimates": [estimate.as_dict() for estimate in found.estimates(body_mass_kg=self.body_mass_kg)],
            "warnings": [dict(each) for each in self.warnings],
            "case": found.plan.case,
            "law": None if found.ready.specimen is None else {"name": found.plan.own_law.name, "source": found.plan.own_law.source},
            "model": {
                "elements": solution.elements,
                "nodes": solution.nodes,
                "spacing_mm": list(found.ready.spacing_mm),
                "removed_elements": solution.removed_elements,
                "caps_nodes": list(loaded.caps_nodes),
            },
            "solve": {
                "iterations": solution.iterations,
                "relative_residual": solution.relative_residual,
                "reaction_N": found.figures.reaction_n,
                "imbalance_N": solution.imbalance_n,
                "energy_error": solution.energy_error,
                "cpu_s": solution.cpu_s,
                "peak_gb": solution.peak_gb,
            },
            "stiffness_N_per_mm": found.figures.stiffness_n_per_mm,
            "height_mm": found.height_mm,
            "strength": found.figures.as_dict(),
            "band": [step.as_dict() for step in found.band],
            "interval": _interval(found),
            "load": dict(self.load),
            "ctra": {**found.ctra.as_dict(), "registered_mm": found.ctra_apart_mm},
            "outputs": dict(self.outputs),
        }


def bone_strength(source: Source, loading: Loading, out: Path, *, say: Say = lambda _: None) -> Done:
    """Compute a bone's strength and write its fields; nothing is left behind unless all of it could be had.

    Parameters
    ----------
    source : Source
    loading : Loading
    out : Path
        A folder that is not there yet, or an empty one.
    say : callable
        Is told what is being solved.

    Raises
    ------
    BadInput, BadCase, BadGeometry, BadSetting
        For whatever cannot be read, loaded or solved.
    NoRoom
        When the folder holds something, or cannot be written.
    """
    plan = loading.plan()
    loads_of(loading.case, loading.body_mass_kg, 1.0)  # refuses a mass that is none, before anything is solved
    with sealed_folder(out) as folder:
        given = read(source, loading.case)
        found = _computed(given, plan, say)
        load = loads_of(loading.case, loading.body_mass_kg, found.figures.strength_n)
        names = _fields(found, given, folder)
        outputs = {what: str(out / name) for what, name in names.items()}
        done = Done(found, load, loading.body_mass_kg, outputs, (*given.warnings, *found.warnings))
        _finite(done)
        write_atomically(folder / RESULT, (json.dumps(done.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())
    return done


def _computed(given: Given, plan: Plan, say: Say) -> BoneStrength:
    if given.specimen is not None:
        refuse_cut(given.specimen, given, plan.case, plan.axis)
        return strength_of(given.specimen, plan, other=given.other, say=say)
    affine = given.scan.image.affine
    along = AXES[int(np.argmax(np.abs(affine["xyz".index(plan.axis), :3])))]  # the grid's axis that runs along the patient's
    own = Plan(plan.case, plan.law, along, plan.voxel_mm, plan.how, plan.samples, plan.seed, plan.threads)
    return strength_of_material(prepared_material(material_of(given), given.lesions, affine, own), own, say=say)


def _fields(found: BoneStrength, given: Given, folder: Path) -> Mapping[str, str]:
    """Write strain energy density and displacement on the grid of the input, 0 outside the bone."""
    image = given.scan.image
    inside = found.ready.bone if found.ready.specimen is not None else found.ready.modulus_mpa > 0
    sed = np.where(inside, found.sed_mpa(), 0.0)
    write_map(folder / SED, _back(sed, found, image).astype(np.float32), image.affine, description="strain energy density, MPa")
    moved = _centres(found) * inside[..., None]
    axes = found.ready.affine[:3, :3] / np.array(found.ready.spacing_mm)
    lps = np.stack([_back(moved @ axes[row], found, image) for row in range(3)], axis=3)
    write_map(folder / DISPLACEMENT, lps.astype(np.float32), image.affine, description="displacement at voxel centres, mm, LPS")
    return {"sed": SED, "displacement": DISPLACEMENT, "result": RESULT}


def _centres(found: BoneStrength) -> npt.NDArray[np.float64]:
    """Return the displacement at the centre of each voxel, the mean of its eight nodes."""
    nodes = found.solution.displacement_mm
    x, y, z = (n - 1 for n in nodes.shape[:3])
    return np.asarray(sum(nodes[i : i + x, j : j + y, k : k + z] for i, j, k in np.ndindex(2, 2, 2)) / 8.0)


def _back(values: npt.NDArray[np.float64], found: BoneStrength, image: Image) -> npt.NDArray[Any]:
    """Return values of the model's voxels on the grid of the input."""
    if found.ready.specimen is None:
        return values
    return onto(values, found.ready.affine, image.affine, image.array.shape, order="nearest")


def _interval(found: BoneStrength) -> dict[str, Any] | None:
    """Return the interval of the strength and what it is made of."""
    if found.strength is None:
        return None
    within = found.strength
    return {"level": 0.90, "low_N": within.low, "high_N": within.high, "widths": dict(within.widths), "dominant": within.dominant}


def _finite(done: Done) -> None:
    """Refuse figures that are none, before they are written."""
    try:
        json.dumps(done.as_dict(), allow_nan=False)
    except ValueError:
        raise BadInput("The solution gives no finite figures; check the material and the displacement.", item="strength") from None
