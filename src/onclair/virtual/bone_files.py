"""A virtual bone patient's files: the CT, and beside it the truth, all NIfTI on one grid; rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.values import Image
from onclair.io.nifti import write_image, write_map
from onclair.science.bone.materials import KEYAK, KOPPERDAHL, modulus_mpa
from onclair.virtual.bone_patients import VirtualPatient, patient_of, rendered, scan
from onclair.virtual.bone_readers import READERS, read_by
from onclair.virtual.bone_render import Filled, Scene
from onclair.virtual.bone_settings import VirtualBone, density_line, scanner_table
from onclair.virtual.bone_strength import Stiffness, chosen_bone, stiffness_of, strength_row

#: What is kept of each patient, by name; ``PATIENT`` stands for the pseudonym.
FILES = {
    "image": "images/PATIENT.nii.gz",
    "clean": "truth/PATIENT_clean.nii.gz",
    "lesions": "truth/PATIENT_lesions.nii.gz",
    "mimics": "truth/PATIENT_mimics.nii.gz",
    "bones": "truth/PATIENT_bones.nii.gz",
    "material": "truth/PATIENT_material.nii.gz",
    "reader1": "truth/PATIENT_reader1.nii.gz",
    "reader2": "truth/PATIENT_reader2.nii.gz",
}
#: Cortex that must be gone before a breach is one, in mm3.
_BREACH_MM3 = 3.0


@dataclass(frozen=True, slots=True)
class PatientRows:
    """One patient's lines of the tables.

    Attributes
    ----------
    acquisitions, truth, readings, strength : tuple of dict
    outcome : dict
    """

    acquisitions: tuple[dict[str, Any], ...]
    outcome: dict[str, Any]
    truth: tuple[dict[str, Any], ...]
    readings: tuple[dict[str, Any], ...]
    strength: tuple[dict[str, Any], ...]


def write_patient(settings: VirtualBone, out: Path, index: int) -> PatientRows:
    """Make one patient, write the files under `out`, and return the patient's lines.

    Parameters
    ----------
    settings : VirtualBone
    out : Path
        The cohort's folder; ``images`` and ``truth`` are made in it.
    index : int
        The patient, from 0.
    """
    patient = patient_of(settings, index)
    scene = rendered(patient, settings.fine_mm)
    taken = scan(patient, scene)
    truth = tuple(_truth_row(patient, scene, taken.image, number) for number in range(len(patient.growths)))
    seeds = patient.seeds[2].spawn(len(READERS))
    readings = [
        read_by(n, patient.growths, scene.fills, taken.image, patient.window.step_mm, np.random.default_rng(seed))
        for n, seed in enumerate(seeds, 1)
    ]
    line, drawn = density_line(settings, index), stiffness_of(patient)
    maps: Mapping[str, npt.NDArray[Any]] = {
        "image": taken.image,
        "clean": taken.clean,
        "lesions": instances(scene, patient, metastases=True),
        "mimics": instances(scene, patient, metastases=False),
        "bones": scene.labels,
        "material": material_mpa(scene, patient, line, drawn),
        "reader1": readings[0].instances,
        "reader2": readings[1].instances,
    }
    for name, values in maps.items():
        _write(out / FILES[name].replace("PATIENT", patient.name), values, patient, name)
    outcome = {"patient": patient.name, "metastasis": int(any(growth.is_metastasis for growth in patient.growths))}
    read = tuple({"patient": patient.name, **row, "data": "virtual"} for reading in readings for row in reading.rows)
    strength = (strength_row(settings, patient, line),) if settings.strength == "fe" else ()
    return PatientRows(rows_of(patient, settings), outcome, truth, read, strength)


def _write(path: Path, values: npt.NDArray[Any], patient: VirtualPatient, name: str) -> None:
    words = f"virtual: {name}"
    if name in ("image", "clean"):
        write_image(path, Image(values, patient.window.affine, "HU", "CT"), description=words)
    else:
        write_map(path, values, patient.window.affine, description=words)


def rows_of(patient: VirtualPatient, settings: VirtualBone) -> tuple[dict[str, Any], ...]:
    """Return a patient's rows of ``acquisitions.csv``: the CT with what header, phantom and surgeon tell, the bones and the lesions.

    The surgeon asks about one bone (``asked_bone``): the one that ``strength.csv`` tells of.
    """
    shared = {"patient": patient.name, "centre": patient.scanner.name, "visit": "t0"}
    told = {
        "manufacturer": "VIRTUAL (Onclair)",
        "model": f"Virtual scanner {patient.scanner.name}",
        "kernel": patient.scanner.kernel,
        "slice_thickness_mm": patient.scanner.slice_thickness_mm,
        "kvp": 120,
        "contrast": int(patient.contrast),
        "region": patient.region,
        "shift": settings.shift,
        "density_mg_cc_per_hu": (phantom := scanner_table(settings)[int(patient.scanner.name[1:]) - 1])["slope"],
        "density_mg_cc_at_0_hu": phantom["intercept"],
        "density_error_mg_cc": phantom["error_mg_cc"],
        "asked_bone": chosen_bone(patient).label,
        "body_mass_kg": round(float(np.random.default_rng([7, *map(int, patient.seeds[3].generate_state(2))]).uniform(48, 98)), 1),
    }
    kinds = {"ct": "image", "bones": "bones", "lesions": "lesions"}
    lines = [{**shared, "kind": kind, "path": FILES[name].replace("PATIENT", patient.name)} for kind, name in kinds.items()]
    return ({**lines[0], **told}, *lines[1:])


def instances(scene: Scene, patient: VirtualPatient, *, metastases: bool) -> npt.NDArray[np.uint8]:
    """Return a map of the metastases, or of the mimics, each with its number in ``truth.csv``.

    A voxel belongs to what fills it by more than half; of a lesion too thin for that, to where it fills most.
    """
    found = np.zeros(scene.window.shape, np.uint8)
    for number, growth in enumerate(patient.growths):
        if growth.is_metastasis == metastases and number in scene.fills:
            filled = scene.fills[number]
            target = found[filled.cut]
            target[_held(filled)] = number + 1
    return found


def _held(filled: Filled) -> npt.NDArray[np.bool_]:
    most = float(filled.share.max(initial=0.0))
    return filled.share > min(0.5, 0.999 * most) if most > 0.0 else np.zeros(filled.share.shape, bool)


def material_mpa(scene: Scene, patient: VirtualPatient, line: tuple[float, float], drawn: Stiffness) -> npt.NDArray[np.int16]:
    """Return Young's modulus in whole MPa: of bone by its density, of metastases by their share of the bone around.

    Parameters
    ----------
    scene : Scene
    patient : VirtualPatient
    line : tuple of float
        Slope and intercept of mg/cc K2HPO4 over HU.
    drawn : Stiffness
    """
    density = np.maximum(line[0] * scene.bone_hu + line[1] * scene.bone_share, 0.0)
    femoral = np.isin(scene.labels, (75, 76))
    found = np.asarray(modulus_mpa(KOPPERDAHL, density), np.float32)
    found[femoral] = modulus_mpa(KEYAK, density[femoral])
    found[scene.bone_share < 0.25] = 0.0
    for number, growth in enumerate(patient.growths):
        if growth.is_metastasis and number in scene.fills:
            _soften(found, scene, growth.label, scene.fills[number], drawn.shares[number])
    return np.asarray(np.rint(found * drawn.factor), np.int16)


def _soften(found: npt.NDArray[np.float32], scene: Scene, label: int, filled: Filled, share: float) -> None:
    own = scene.labels[filled.cut] == label
    around = own & (filled.share < 0.05)
    whole = (scene.labels == label) & (found > 0)
    if not whole.any():
        return
    surrounding = float(np.median(found[filled.cut][around] if around.sum() > 30 else found[whole]))
    target = found[filled.cut]
    target[own] = (target * (1.0 - filled.share) + filled.share * share * surrounding)[own]


def _truth_row(patient: VirtualPatient, scene: Scene, image: npt.NDArray[np.int16], number: int) -> dict[str, Any]:
    growth, filled = patient.growths[number], scene.fills[number]
    bone = next(bone for bone in patient.bones if bone.label == growth.label)
    volume = float(filled.share.sum() * np.prod(scene.window.step_mm)) / 1000.0
    x, y, z = _centroid(scene, filled)
    box = _boxed(image[filled.cut], _held(filled))
    return {
        "patient": patient.name,
        "lesion": number + 1,
        "kind": growth.kind,
        "type": growth.type,
        "bone": bone.name,
        "level": bone.level,
        "is_metastasis": int(growth.is_metastasis),
        "x_mm": round(x, 2),
        "y_mm": round(y, 2),
        "z_mm": round(z, 2),
        "diameter_mm": round((6000.0 * volume / np.pi) ** (1 / 3), 2),
        "volume_ml": round(volume, 4),
        "box_median_hu": float(np.median(box)) if box.size else None,
        "cortical_breach": int(growth.breach and filled.breached_mm3 >= _BREACH_MM3),
        "side": bone.side,
        "data": "virtual",
    }


def _centroid(scene: Scene, filled: Filled) -> tuple[float, float, float]:
    total = max(float(filled.share.sum()), 1e-6)
    found = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        at = np.arange(filled.cut[axis].start, filled.cut[axis].stop)
        mean = float((filled.share.sum(axis=others) * at).sum()) / total
        found.append(scene.window.first_mm[axis] + mean * scene.window.step_mm[axis])
    return found[0], found[1], found[2]


def _boxed(hu: npt.NDArray[np.int16], inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.int16]:
    """Return the voxels of the least box that holds a lesion."""
    if not inside.any():
        return hu[:0]
    where = np.argwhere(inside)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    return hu[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
