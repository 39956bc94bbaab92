"""Small data sets in training layouts, written file by file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.values import Image
from onclair.io.nifti import write_image

AFFINE = np.array([[2.0, 0, 0, -30.5], [0, 2.5, 0, 12.0], [0, 0, 3.0, 100.0], [0, 0, 0, 1]])
SHAPE = (6, 5, 4)


def ct(path: Path, number: int = 0) -> Path:
    values = (np.arange(np.prod(SHAPE)).reshape(SHAPE) - 50 + number).astype(np.int16)
    write_image(path, Image(values, AFFINE, "HU", "CT"))
    return path


def labels(path: Path, *values: int, affine: np.ndarray = AFFINE, shape: tuple[int, int, int] = SHAPE) -> Path:
    drawn = np.zeros(shape, np.uint8)
    for place, value in enumerate(values):
        drawn[place + 1, 1:3, 1] = value
    write_image(path, Image(drawn, affine, "a.u."))
    return path


def nnunet(root: Path, cases: tuple[str, ...] = ("bone_001", "bone_002"), **more: Any) -> Path:
    document = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "lytic": 1, "blastic": 2}, "file_ending": ".nii.gz"}
    for number, case in enumerate(cases):
        ct(root / "imagesTr" / f"{case}_0000.nii.gz", number)
        labels(root / "labelsTr" / f"{case}.nii.gz", 1, 2)
    return written(root, document | {"numTraining": len(cases), **more})


def msd(root: Path, cases: tuple[str, ...] = ("la_007", "la_003"), **more: Any) -> Path:
    for number, case in enumerate(cases):
        ct(root / "imagesTr" / f"{case}.nii.gz", number)
        labels(root / "labelsTr" / f"{case}.nii.gz", 1)
        (root / "imagesTr" / f"._{case}.nii.gz").write_bytes(b"shadow")
    ct(root / "imagesTs" / "la_001.nii.gz", 9)
    training = [{"image": f"./imagesTr/{case}.nii.gz", "label": f"./labelsTr/{case}.nii.gz"} for case in cases]
    document = {
        "name": "BONE",
        "licence": "CC-BY-SA 4.0",
        "modality": {"0": "CT"},
        "labels": {"0": "background", "1": "lesion"},
        "numTraining": len(cases),
        "numTest": 1,
        "training": training,
        "test": ["./imagesTs/la_001.nii.gz"],
    }
    return written(root, document | more)


def bids(root: Path) -> Path:
    for sub, ses in (("01", "a"), ("01", "b"), ("02", "a")):
        stem, home = f"sub-{sub}_ses-{ses}", f"sub-{sub}/ses-{ses}/ct"
        ct(root / home / f"{stem}_ct.nii.gz", int(sub))
        labels(root / "derivatives/hand" / home / f"{stem}_desc-lesions_dseg.nii.gz", 1)
        labels(root / "derivatives/hand" / home / f"{stem}_desc-bones_dseg.nii.gz", 27, 32)
    (root / "derivatives/hand/desc-lesions_dseg.tsv").write_text("index\tname\n0\tbackground\n1\tlesion\n")
    (root / "derivatives/hand/desc-bones_dseg.tsv").write_text("index\tname\n27\tL5\n32\tT12\n")
    (root / "participants.tsv").write_text("participant_id\tsite\nsub-01\tNorth\nsub-02\tSouth\n")
    (root / "dataset_description.json").write_text('{"Name": "Bone", "BIDSVersion": "1.9.0"}')
    return root


def written(root: Path, document: Mapping[str, Any]) -> Path:
    (root / "dataset.json").write_text(json.dumps(document, indent=4))
    return root


def content(root: Path, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The files of a folder by relative path, shadows left out."""
    files = (p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files if p.name not in without}
