"""A segmentation network over a real scan and a whole body, each in a process of its own: `python -m MODULE CASE MODEL FILE OUT`.

Cases: ``ours`` (onnxruntime, tiles without bone skipped), ``torch`` (every tile), ``body`` (a synthetic scan of 512 x 512 x 400, bone mask
and network). The bone mask is made before the clock starts, and its CPU seconds are said apart.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from onclair.core.geometry import Affine
from onclair.io.nifti import read_image
from onclair.learn.tiles import Segmenter, Tiled
from onclair.science.bone.mask import bone_mask

Volume: TypeAlias = npt.NDArray[Any]
#: The synthetic whole body: its shape, and its spacing in mm.
BODY_SHAPE, BODY_MM = (512, 512, 400), (0.8, 0.8, 2.0)


def synthetic_body(shape: tuple[int, int, int] = BODY_SHAPE) -> tuple[npt.NDArray[np.int16], Affine]:
    """Return an ellipse of muscle with a spine, ribs and hips as tubes of bone, int16 HU, and its affine; no patient.

    Examples
    --------
    >>> hu, affine = synthetic_body((64, 64, 10))
    >>> hu.shape, bool(hu.min() < -900), bool((hu > 300).any())
    ((64, 64, 10), True, True)
    """
    x, y = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape[:2]], indexing="ij")
    body, rng = x**2 / 0.7**2 + y**2 / 0.5**2 < 1, np.random.default_rng(0)
    hu = np.empty(shape, dtype=np.int16)
    for k in range(shape[2]):
        plane = np.where(body, 50.0, -1000.0)
        turn = 2 * np.pi * k / 60
        tubes = [(0.0, 0.33, 0.09), (-0.35, 0.2, 0.12), (0.35, 0.2, 0.12)]
        tubes += [(side * 0.6 * np.cos(turn), 0.4 * np.sin(turn), 0.03) for side in (-1, 1)]
        for u, v, r in tubes:
            away = np.hypot(x - u, y - v)
            plane[away < r] = 180.0
            plane[(away < r) & (away > 0.8 * r)] = 900.0
        hu[:, :, k] = plane + rng.normal(0.0, 15.0, plane.shape)
    return hu, np.diag([*BODY_MM, 1.0])


def timed(work: Callable[[], Tiled]) -> tuple[Tiled, float]:
    """Return what a call gave and the CPU seconds it took."""
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def measure(case: str, model: str, file: str, out: str) -> dict[str, Any]:
    """Run one case; the class of each voxel is written to `out` as packed bits where there is one.

    Parameters
    ----------
    case : {"ours", "torch", "body"}
    model, file, out : str
        A model's folder, a NIfTI CT (not looked at for ``body``), and the file for the answer (may be empty).
    """
    if case == "body":
        hu, affine = synthetic_body()
    else:
        image = read_image(Path(file), "HU", "CT")
        hu, affine = np.asarray(image.array), image.affine
    began = time.process_time()
    bone = bone_mask(hu, affine) if case != "torch" else None
    mask_s = time.process_time() - began
    segmenter = Segmenter(model, runtime="torch" if case == "torch" else "onnxruntime")
    small = np.zeros((1, 1, 1), dtype=np.int16)
    segmenter.probabilities(small, affine)  # the runtime's own start is not the network's work
    tiled, cpu_s = timed(lambda: segmenter.probabilities(hu, affine, inside=bone))
    lesion = tiled.probability >= segmenter.bundle.threshold
    if out:
        np.save(out, np.packbits(lesion), allow_pickle=False)
    said = {"cpu_s": cpu_s, "mask_cpu_s": mask_s, "tiles_total": tiled.tiles_total, "tiles_run": tiled.tiles_run}
    return {**said, "voxels": int(lesion.size), "lesion_voxels": int(lesion.sum())}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(*sys.argv[1:5])) + "\n")
