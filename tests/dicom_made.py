"""Small DICOM series for tests, written by the house's own writer and then changed one attribute at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from onclair.core.values import Image, Mask
from onclair.io.dicom.read import Volume
from onclair.io.dicom.write import Exam, Injection, write_volume

AFFINE = np.array([[2.0, 0, 0, -30.5], [0, 2.5, 0, 12.0], [0, 0, 3.0, 100.0], [0, 0, 0, 1]])
SHAPE = (7, 5, 6)


def exam(patient: str = "P001", **more: Any) -> Exam:
    return Exam(patient, **{"seed": 1, "weight_kg": 70.0, "height_m": 1.75, "sex": "M", **more})


def pet_series(folder: Path, *, injection: Injection | None = None, **more: Any) -> Volume:
    values = np.linspace(0, 9, np.prod(SHAPE)).reshape(SHAPE).astype(np.float32)
    return write_volume(folder, Image(values, AFFINE, "SUV", "PET"), exam(**more), injection=injection)


def ct_series(folder: Path, *, shape: tuple[int, int, int] = SHAPE, kernel: str = "", **more: Any) -> Volume:
    values = np.arange(np.prod(shape)).reshape(shape) - 100
    return write_volume(folder, Image(values, AFFINE, "HU", "CT"), exam(**more), kernel=kernel)


def change(folder: Path, how: Callable[[Any, int], None]) -> None:
    """Change every slice of a series; `how` gets the data set and its place, 0 first."""
    for number, path in enumerate(sorted(folder.glob("*.dcm"))):
        data = pydicom.dcmread(path)
        how(data, number)
        data.save_as(path)


def ring_mask() -> Mask:
    """A lesion with a hole, and one that overlaps it."""
    layers = np.zeros((2, *SHAPE), bool)
    layers[0, 1:6, 0:4, 1:5] = True
    layers[0, 3, 2, :] = False
    layers[1, 4:7, 2:5, 3:6] = True
    return Mask(layers, AFFINE, ("GTV", "node"))
