"""Small scans, plans and networks whose answers are known, for tests of segmentation."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from onclair.core.values import Image
from onclair.io.nifti import write_image
from onclair.learn.plan import Plan

#: A network of three stages on 16 x 16 x 16 voxels of 2 mm.
PLAN = Plan(
    (2.0, 2.0, 2.0),
    (16, 16, 16),
    2,
    (4, 8, 8),
    ((1, 1, 1), (2, 2, 2), (2, 2, 2)),
    ((3, 3, 3), (3, 3, 3), (3, 3, 3)),
    (-200.0, 1000.0),
    0.0,
    100.0,
)


def changed(**changes: object) -> Plan:
    return replace(PLAN, **changes)


class Pointwise(torch.nn.Module):
    """A network that looks at one voxel at a time, so that every tile says the same of it."""

    def __init__(self, answer: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer(x)


def graph_of(answer: Callable[[torch.Tensor], torch.Tensor], patch: tuple[int, ...] = PLAN.patch) -> bytes:
    """Return an ONNX file that computes `answer` of a patch (n, 1, x, y, z)."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Pointwise(answer),
            (torch.zeros(1, 1, *patch),),
            buffer,
            input_names=["patch"],
            output_names=["answer"],
            dynamic_axes={"patch": {0: "n"}, "answer": {0: "n"}},
            opset_version=18,
            dynamo=False,
        )
    return buffer.getvalue()


def bright(x: torch.Tensor) -> torch.Tensor:
    """Return probabilities of two classes: the brighter, the likelier."""
    p = torch.sigmoid(x)
    return torch.cat([1 - p, p], 1)


def scan(seed: int, shape: tuple[int, int, int] = (24, 24, 24), lesions: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return HU of a block of bone with spheres of 8 voxels across in it, and their map."""
    rng = np.random.default_rng(seed)
    hu = np.rint(rng.normal(40, 20, shape))
    hu[4:-4, 4:-4, :] = np.rint(rng.normal(300, 20, (shape[0] - 8, shape[1] - 8, shape[2])))
    place, drawn = np.indices(shape), np.zeros(shape, dtype=np.uint8)
    for _ in range(lesions):
        centre = rng.uniform(8, np.array(shape) - 8)
        inside = ((place - centre[:, None, None, None]) ** 2).sum(axis=0) < 16
        hu[inside] = np.rint(rng.normal(40, 20, int(inside.sum())))
        drawn[inside] = 1
    return hu.astype(np.int16), drawn


def raw_folder(home: Path, cases: int = 4, **options: int) -> Path:
    """Write a data set in nnU-Net's raw layout: voxels of 2 x 2 x 2.5 mm."""
    (home / "imagesTr").mkdir(parents=True)
    (home / "labelsTr").mkdir()
    affine = np.diag([2.0, 2.0, 2.5, 1.0])
    for case in range(cases):
        hu, drawn = scan(case, **options)
        write_image(home / "imagesTr" / f"bone_{case:03d}_0000.nii.gz", Image(hu, affine, "HU", "CT"))
        write_image(home / "labelsTr" / f"bone_{case:03d}.nii.gz", Image(drawn, affine, "a.u."))
    document = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "lesion": 1}, "numTraining": cases, "file_ending": ".nii.gz"}
    (home / "dataset.json").write_text(json.dumps(document))
    return home
