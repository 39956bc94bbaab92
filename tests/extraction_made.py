"""A small cohort of boxes of noise with spherical outlines, for tests of extraction: made in milliseconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from onclair.core.values import Image, Mask
from onclair.io.nifti import write_image, write_mask

AFFINE = np.diag([-2.0, -2.0, 3.0, 1.0])
#: Statistics alone: nothing to compile.
FEW = 'discretisation = "fixed-width"\nwidth = 0.5\nminimum = 0.0\nfamilies = ["statistics"]\n'


def ball(shape: tuple[int, int, int] = (12, 12, 8), radius: float = 3.5) -> np.ndarray:
    centre = (np.array(shape) - 1) / 2
    squares = np.square(np.indices(shape).T - centre).sum(axis=-1).T
    return squares <= radius**2


def write_patient(folder: Path, patient: str, seed: int) -> list[str]:
    """Write image and outline; return their rows of ``acquisitions.csv``."""
    array = np.random.default_rng(seed).gamma(4.0, 1.0, (12, 12, 8)).astype(np.float32)
    write_image(folder / f"{patient}_pet.nii.gz", Image(array, AFFINE, "SUV", "PET"))
    write_mask(folder / f"{patient}_mask.nii.gz", Mask(ball()[None], AFFINE))
    return [f"{patient},North,,{kind},{patient}_{kind}.nii.gz" for kind in ("pet", "mask")]


def write_cohort_of(folder: Path, patients: int) -> Path:
    """Write a cohort folder of so many patients, P1, P2..., without outcomes."""
    folder.mkdir(parents=True)
    rows = [row for n in range(1, patients + 1) for row in write_patient(folder, f"P{n}", n)]
    (folder / "acquisitions.csv").write_text("\n".join(["patient,centre,visit,kind,path", *rows]) + "\n")
    (folder / "cohort.toml").write_text('format = "onclair-cohort/1"\nunits.pet = "SUV"\n')
    (folder / "few.toml").write_text(FEW)
    return folder
