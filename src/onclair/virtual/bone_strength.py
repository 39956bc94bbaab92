"""The true strength of one bone of a virtual patient: finite elements on its true density, the tumour as stiff as a prior says.

Nobody has validated a tumour's stiffness; here it is drawn, so that a band of assumptions can be judged by how often it holds the truth.
What a scanner adds (blur, noise, its own calibration) is left out. The laws of material and failure are those of
`onclair.science.bone`: the truth of a model, and called so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import OnclairError
from onclair.science.bone.band import band_moduli
from onclair.science.bone.cases import Plan, Ready, prepared
from onclair.science.bone.solved import Figures, solved
from onclair.science.bone.specimen import Specimen
from onclair.science.bone.vertebral_body import vertebral_body
from onclair.virtual.bone_anatomy import Window
from onclair.virtual.bone_femur import Femur
from onclair.virtual.bone_growths import Growth
from onclair.virtual.bone_patients import VirtualPatient
from onclair.virtual.bone_render import Scene, add_bone, scene_of
from onclair.virtual.bone_settings import VirtualBone
from onclair.virtual.bone_tissue import Bone
from onclair.virtual.bone_vertebra import Vertebra

#: A metastasis' modulus as a share of that of the bone around it, by type: median, spread of the logarithm, least and most. A lytic tumour
#: is no stiffer than half of bone; a blastic one less stiff than its density says. Plausible choices: nobody has measured it.
SHARES: Mapping[str, tuple[float, float, float, float]] = {
    "lytic": (0.12, 1.0, 0.005, 0.5),
    "mixed": (0.35, 0.6, 0.05, 0.8),
    "blastic": (0.9, 0.4, 0.3, 1.5),
    "occult": (0.7, 0.3, 0.3, 1.0),
}
#: Spread of the logarithm of a patient's own deviation from the material law: plausible, small beside the law's own scatter.
LAW_SPREAD = 0.03
#: Room around the bone, mm; vertebrae that the image shows whole.
_ROOM_MM, _WHOLE = 3.0, ("T11", "T12", "L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class Stiffness:
    """What is drawn of a patient's tissue.

    Attributes
    ----------
    shares : tuple of float
        For each growth, its modulus as a share of that of the bone around; of metastases only.
    factor : float
        Of the patient's bone against the law.
    """

    shares: tuple[float, ...]
    factor: float


def stiffness_of(patient: VirtualPatient) -> Stiffness:
    """Return what is drawn of a patient's tissue."""
    rng = np.random.default_rng(patient.seeds[3])
    factor = float(np.exp(rng.normal(0.0, LAW_SPREAD)))
    shares = []
    for growth, turn in zip(patient.growths, rng.normal(0.0, 1.0, len(patient.growths)), strict=True):
        median, spread, least, most = SHARES[growth.type]
        shares.append(round(float(np.clip(median * np.exp(spread * turn), least, most)), 4))
    return Stiffness(tuple(shares), round(factor, 4))


def chosen_bone(patient: VirtualPatient) -> Bone:
    """Return the bone whose strength is told: the one with the largest metastasis, else one by chance."""
    bones = [bone for bone in patient.bones if isinstance(bone, Femur) or (isinstance(bone, Vertebra) and bone.level in _WHOLE)]
    sizes = [max((g.shape.mean_mm for g in patient.growths if g.is_metastasis and g.label == bone.label), default=0.0) for bone in bones]
    if max(sizes) > 0.0:
        return bones[int(np.argmax(sizes))]
    own = np.random.default_rng([int(word) for word in patient.seeds[3].generate_state(2)])  # spawning would change the seed itself
    return bones[int(own.integers(len(bones)))]


def strength_row(settings: VirtualBone, patient: VirtualPatient, line: tuple[float, float]) -> dict[str, Any]:
    """Return a patient's line of ``strength.csv``.

    Parameters
    ----------
    settings : VirtualBone
    patient : VirtualPatient
    line : tuple of float
        Slope and intercept of mg/cc K2HPO4 over HU, as they truly are.

    Returns
    -------
    dict
        Stiffness and strength with the metastases and without; where the bone bears no load, nothing and the reason.
    """
    bone, drawn = chosen_bone(patient), stiffness_of(patient)
    case = "femur-stance" if isinstance(bone, Femur) else "spine-compression"
    own = [number for number, growth in enumerate(patient.growths, 1) if growth.is_metastasis and growth.label == bone.label]
    largest = max(own, key=lambda number: patient.growths[number - 1].shape.mean_mm, default=None)
    plan = Plan(case=case)
    ill: Figures | None = None
    well: Figures | None = None
    reason = None
    try:
        ill = _figures(settings, patient, bone, (plan, line, drawn), patient.growths)
        spared = tuple(growth for growth in patient.growths if not growth.is_metastasis)
        well = _figures(settings, patient, bone, (plan, line, drawn), spared) if own else ill
    except OnclairError as error:
        reason = str(error)
    return {
        "patient": patient.name,
        "bone": bone.name,
        "level": bone.level,
        "side": bone.side,
        "label": bone.label,
        "case": case,
        "stiffness_N_per_mm": None if ill is None else _rounded(ill.stiffness_n_per_mm),
        "strength_N": None if ill is None else _rounded(ill.strength_n),
        "intact_stiffness_N_per_mm": None if well is None else _rounded(well.stiffness_n_per_mm),
        "intact_strength_N": None if well is None else _rounded(well.strength_n),
        "tumour_modulus_share": None if largest is None else drawn.shares[largest - 1],
        "modulus_factor": drawn.factor,
        "lesions": " ".join(map(str, own)) or None,
        "reason": reason,
        "data": "virtual",
    }


def _rounded(value: float) -> float:
    """Return a figure to five digits: what is beyond depends on the order of sums."""
    return float(f"{value:.5g}")


def _figures(
    settings: VirtualBone,
    patient: VirtualPatient,
    bone: Bone,
    by: tuple[Plan, tuple[float, float], Stiffness],
    growths: Sequence[Growth],
) -> Figures:
    plan, line, drawn = by
    ready = prepared(_specimen(settings, patient, bone, line, growths), plan)
    return solved(ready, _modulus(ready, drawn), plan).figures


def _modulus(ready: Ready, drawn: Stiffness) -> npt.NDArray[np.float64]:
    """Return the modulus of bone by its density and of each metastasis by its share of the bone around it."""
    found = ready.modulus_mpa.copy()
    if ready.lesions.any():
        around = 2.0 * band_moduli(ready.modulus_mpa, ready.lesions, ready.bone, ready.spacing_mm)["half"]
        for number in np.unique(ready.lesions[ready.lesions > 0]):
            inside = (ready.lesions == number) & (found > 0)
            found[inside] = drawn.shares[int(number) - 1] * around[inside]
    return found * drawn.factor


def _specimen(settings: VirtualBone, patient: VirtualPatient, bone: Bone, line: tuple[float, float], growths: Sequence[Growth]) -> Specimen:
    """Return the bone on cubic voxels, by its true density; a femur ends where the image does."""
    window = _window(bone, patient.window, settings.truth_voxel_mm)
    scene = scene_of(window, np.zeros(window.shape, np.float32), settings.fine_mm)
    add_bone(scene, bone, growths, patient.quality)
    inside = scene.labels == bone.label
    hu = scene.bone_hu / np.maximum(scene.bone_share, 1e-3)
    density = np.where(inside, line[0] * hu + line[1], 0.0).astype(np.float64)
    body = vertebral_body(inside, window.step_mm) if isinstance(bone, Vertebra) else inside  # caps bear on what any user would find
    return Specimen(density, np.zeros(density.shape), inside, body, _instances(scene, growths), window.affine)


def _instances(scene: Scene, growths: Sequence[Growth]) -> npt.NDArray[np.int32]:
    found = np.zeros(scene.window.shape, np.int32)
    for number, filled in scene.fills.items():
        if growths[number].is_metastasis:
            found[filled.cut][filled.share > 0.5] = number + 1
    return found


def _window(bone: Bone, image: Window, step: float) -> Window:
    low, high = (np.array(end) for end in bone.box())
    least = image.first_mm[2] - image.step_mm[2] / 2.0
    most = least + image.shape[2] * image.step_mm[2]
    low[2], high[2] = max(low[2], least), min(high[2], most)
    room = np.array([_ROOM_MM, _ROOM_MM, 0.0])
    shape = np.maximum(np.round((high - low + 2 * room) / step), 1).astype(int)
    first = low - room + step / 2.0
    return Window((float(first[0]), float(first[1]), float(first[2])), (step, step, step), (int(shape[0]), int(shape[1]), int(shape[2])))
