"""The strength of one bone of one scan as plain values: what a study keeps of each patient, and a sheet shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.errors import OnclairError
from onclair.core.geometry import Affine, spacing_mm
from onclair.science.bone.assess import BoneStrength, specimen_of, strength_of
from onclair.science.bone.burden import LOADED
from onclair.science.bone.calibrate import Calibration
from onclair.science.bone.cases import Plan
from onclair.science.bone.ctra_scan import ctra_of, ctra_of_pair
from onclair.science.bone.labels import Bone, Scheme
from onclair.science.bone.lesions import Lesion
from onclair.science.bone.loads import loads_of
from onclair.science.bone.metal import metal
from onclair.science.bone.scores import mirels, mirels_items
from onclair.science.bone.vertebral_body import body_of_labels
from onclair.science.volumes.components import box_of

#: Room around a bone that is cut out of the scan.
ROOM_MM = 20.0
NO_CALIBRATION = "No calibration says what a Hounsfield unit is in bone density; give one with the scan."


@dataclass(frozen=True, slots=True, eq=False)
class Scanned:
    """A scan with its bones and lesions.

    Attributes
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    labels : ndarray of integers, shape (x, y, z)
    scheme : Scheme
    instances : ndarray, int32, shape (x, y, z)
        Lesions.
    lesions : sequence of Lesion
    calibration : Calibration or None
    body_mass_kg : float or None
    """

    hu: npt.NDArray[Any]
    affine: Affine
    labels: npt.NDArray[Any]
    scheme: Scheme
    instances: npt.NDArray[np.int32]
    lesions: Sequence[Lesion]
    calibration: Calibration | None = None
    body_mass_kg: float | None = None


def strength_told(scan: Scanned, bone: Bone, *, voxel_mm: float, samples: int, seed: int = 0) -> dict[str, Any]:
    """Return the strength of one bone, with its band, its loads and the plain rules beside it.

    Parameters
    ----------
    scan : Scanned
    bone : Bone
        One of the labels.
    voxel_mm : float
        Side of the elements.
    samples : int
        Outlines that are drawn.
    seed : int

    Returns
    -------
    dict
        ``bone level side value low high interval_level dominates law case stiffness_N_per_mm band load ctra rivals reason``; where
        the strength cannot be computed ``value`` is None and ``reason`` says why.
    """
    told = {"bone": bone.name, "level": bone.level, "side": bone.side, "case": LOADED.get(bone.name)}
    if bone.name not in LOADED:
        return {**told, **_nothing(f"A {bone.title} is not loaded here: only a vertebra or a femur is; ask about one of those.")}
    mine = np.asarray(scan.labels == bone.value)
    if not mine.any():
        said = f"The bone that is asked about ({bone.title}) is not among the labels; ask about one that is in view."
        return {**told, **_nothing(said)}
    volume = float(mine.sum()) * float(np.prod(spacing_mm(scan.affine))) / 1000.0
    if end := cut_end(mine, scan.affine, bone):
        return {
            **told,
            **_nothing(f"The scan cuts this bone at its {end} end, and a bone that is not whole bears no load here; scan all of it."),
        }
    if scan.calibration is None:
        return {**told, **_nothing(NO_CALIBRATION)}
    if bool((metal(scan.hu, scan.affine) & mine).any()):
        return {**told, **_nothing("Metal or its streaks lie in this bone, so its density cannot be read from this scan.")}
    plan = Plan(LOADED[bone.name], voxel_mm=voxel_mm, samples=samples, seed=seed)
    try:
        found, loss = _solved(scan, bone, mine, plan)
    except OnclairError as error:
        return {**told, **_nothing(str(error))}
    own = [row for row in scan.lesions if (row.bone, row.level) == (bone.name, bone.level) and bone.side in (None, row.side)]
    interval = found.strength
    rivals = {"ctra": loss, "volume": sum((row.volume_ml for row in own), 0.0), "mirels": _mirels(own), "size": volume}
    return {
        **told,
        "value": found.figures.strength_n,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "interval_level": 0.9,
        "dominates": None if interval is None else interval.dominant,
        "law": plan.own_law.name,
        "stiffness_N_per_mm": found.figures.stiffness_n_per_mm,
        "band": [step.as_dict() for step in found.band],
        "load": loads_of(plan.case, scan.body_mass_kg, found.figures.strength_n),
        "rivals": rivals,
        "reason": None,
    }


def cut_end(mine: npt.NDArray[np.bool_], affine: Affine, bone: Bone) -> str | None:
    """Return the end along the body's axis at which the scan cuts a bone; None where it is whole.

    A femur may end at the lower border of the scan, where it is held.

    Parameters
    ----------
    mine : ndarray of bool, shape (x, y, z)
        The bone, on the scan's whole grid.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    bone : Bone

    Examples
    --------
    >>> mine, femur = np.zeros((3, 3, 5), bool), Bone(75, "femur", side="left")
    >>> mine[1, 1, :3] = True
    >>> cut_end(mine, np.eye(4), femur), cut_end(mine, np.diag([1.0, 1.0, -1.0, 1.0]), femur)
    (None, 'upper')
    """
    along = int(np.argmax(np.abs(affine[2, :3])))
    first, last = (bool(mine.take(at, axis=along).any()) for at in (0, -1))
    upper, lower = (last, first) if affine[2, along] > 0 else (first, last)
    return "upper" if upper else "lower" if lower and bone.name != "femur" else None


def _nothing(reason: str) -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "reason": reason, "rivals": {}}


def _solved(scan: Scanned, bone: Bone, mine: npt.NDArray[np.bool_], plan: Plan) -> tuple[BoneStrength, float | None]:
    """Return the strength, and the largest loss of rigidity against the other side or intact neighbours."""
    assert scan.calibration is not None
    twins = [v for v, b in scan.scheme.bones.items() if b.name == bone.name == "femur" and b.side != bone.side]
    theirs = np.isin(scan.labels, twins)
    box = box_of(mine, margin=int(np.ceil(ROOM_MM / min(spacing_mm(scan.affine)))))
    here = _specimen(scan, mine, box, bone)
    found = strength_of(here, plan)
    if not (here.lesions > 0).any():
        return found, 0.0
    if not theirs.any():
        return found, ctra_of(here, plan.own_law).worst
    both = box_of(mine | theirs, margin=2)
    loss, _ = ctra_of_pair(_specimen(scan, mine, both, bone), _specimen(scan, theirs, both, None), plan.own_law)
    return found, loss.worst


def _specimen(scan: Scanned, region: npt.NDArray[np.bool_], box: tuple[slice, slice, slice], bone: Bone | None) -> Any:
    assert scan.calibration is not None
    shift = np.eye(4)
    shift[:3, 3] = [side.start for side in box]
    affine = scan.affine @ shift
    inside, lesions = region[box], np.where(region[box], scan.instances[box], 0).astype(np.int32)
    body = body_of_labels(scan.labels[box], (bone.value,), spacing_mm(affine)) if bone is not None and bone.name == "vertebra" else None
    return specimen_of(scan.hu[box], affine, scan.calibration, inside, body, lesions if bone is not None else None)


def _mirels(own: Sequence[Lesion]) -> float | None:
    """Return the score of the worst lesion with the pain unanswered: the middle of its range; the least score without a lesion."""
    if not own:
        return 4.0
    worst = max(own, key=lambda row: row.volume_ml)
    found = mirels(**mirels_items(worst.as_dict()))
    return (found.low + found.high) / 2
