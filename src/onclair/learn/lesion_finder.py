"""From a CT to its bone and its lesion candidates, by a network or by the plain detector: one home for study, command and bedside."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCase, BadModelFile
from onclair.core.geometry import Affine
from onclair.core.progress import Listener, silent
from onclair.learn.instances import candidates
from onclair.learn.tiles import Precision, Segmenter
from onclair.science.bone.mask import bone_mask
from onclair.science.bone.threshold import threshold_lesions

Region = npt.NDArray[np.bool_]
#: The demonstration network that comes with the house, trained on virtual bones alone.
DEMONSTRATION = Path(__file__).parents[1] / "io" / "reference" / "weights" / "bone"
#: What stands for "no network" on the command line.
THRESHOLD, NONE, DEMO = "threshold", "none", "demo"


@dataclass(frozen=True, slots=True)
class Finding:
    """How a network is run.

    Attributes
    ----------
    threshold : float or None
        From which probability a voxel belongs to a candidate; None takes the network's own.
    precision : {"f32", "bf16"}
    ram_gb : float or None
    threads : int
    """

    threshold: float | None = None
    precision: Precision = "f32"
    ram_gb: float | None = None
    threads: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Bone and candidates of one scan.

    Attributes
    ----------
    bone : ndarray of bool, shape (x, y, z)
    method : {"given", "labels", "computed"}
        Where the bone came from.
    instances : ndarray, int32, shape (x, y, z)
    scores : tuple of float
        Of instance 1, 2, ...
    probability : ndarray, float32, shape (x, y, z), or None
        Of a lesion in each voxel; None without a network.
    tiles_total, tiles_run : int
    """

    bone: Region
    method: Literal["given", "labels", "computed"]
    instances: npt.NDArray[np.int32]
    scores: tuple[float, ...] = ()
    probability: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    tiles_total: int = 0
    tiles_run: int = 0


def network_at(model: str | Path) -> Segmenter:
    """Return the network that a name or a path means: ``demo``, a folder of ``bone train`` (or of a study's run), an ONNX file.

    Raises
    ------
    BadModelFile
        For a file that is absent, changed, executable, of another plan or hash.
    """
    if str(model) == DEMO:
        return Segmenter(DEMONSTRATION)
    path = Path(model)
    if not path.exists():
        raise BadModelFile(
            f"There is no model {path}; give demo, threshold, none, a folder of 'onclair bone train', or an ONNX file.",
            item=str(path),
        )
    inside = path / "model"
    return Segmenter(inside if path.is_dir() and not (path / "manifest.json").exists() and inside.is_dir() else path)


def bone_of(hu: npt.NDArray[Any], affine: Affine, *, given: Region | None = None, labelled: Region | None = None) -> tuple[Region, Any]:
    """Return the bone of a scan and where it came from: a mask that was given, labels, or computed without learning.

    Raises
    ------
    BadCase
        When there is none.
    """
    if given is not None:
        bone, method = given, "given"
    elif labelled is not None:
        bone, method = labelled, "labels"
    else:
        bone, method = bone_mask(hu, affine), "computed"
    if not bone.any():
        what = {
            "given": "The bone mask is empty",
            "labels": "The labels hold no bone of the scheme",
            "computed": "No bone was found in this scan",
        }
        raise BadCase(f"{what[method]}; check that it is a CT in Hounsfield units with bone in its field, or give --bone-mask.")
    return bone, method


def lesions_by_network(
    hu: npt.NDArray[Any], affine: Affine, bone: tuple[Region, Any], network: Segmenter, how: Finding, *, progress: Listener = silent
) -> Found:
    """Return the candidates of a network.

    Parameters
    ----------
    hu : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    bone : (ndarray of bool, method)
        As :func:`bone_of` returns it.
    network : Segmenter
    how : Finding
    progress : callable

    Raises
    ------
    BadSetting
        As :meth:`Segmenter.probabilities` and :func:`candidates`.
    """
    told = network.probabilities(
        hu, affine, inside=bone[0], threads=how.threads, ram_gb=how.ram_gb, precision=how.precision, progress=progress
    )
    threshold = network.bundle.threshold if how.threshold is None else how.threshold
    instances, scores = candidates(told.probability, bone[0], affine, threshold=threshold, hu=hu, scores=network.bundle.scores)
    return Found(bone[0], bone[1], instances, scores, told.probability, told.tiles_total, told.tiles_run)


def lesions_by_threshold(hu: npt.NDArray[Any], affine: Affine, bone: tuple[Region, Any]) -> Found:
    """Return the candidates of the plain detector that a network must beat."""
    instances, scores = threshold_lesions(hu, affine, bone[0])
    return Found(bone[0], bone[1], instances, scores)
