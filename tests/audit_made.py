"""Small lesions made for audits: each a ball of its own size and grain in a quiet background, in two centres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from onclair.core.cohort import About, Cohort
from onclair.core.outcome import Outcome
from onclair.core.values import Image, Mask
from onclair.io.cohorts.folder import write_tables
from onclair.io.nifti import write_image, write_mask

AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
CARD = """
[card]
name = "NAME"
claim = "predicts the event"
modality = "PET"
[preprocessing]
dialect = "ibsi"
[[feature]]
tag = "stat_max"
coefficient = 0.4
[[feature]]
tag = "stat_mean"
coefficient = 0.2
[model]
"""


def card(place: Path, model: str, name: str = "made") -> Path:
    """Write the card of a sum of two intensities; `model` is the rest of ``[model]``."""
    path = place / f"{name}.toml"
    path.write_text(CARD.replace("NAME", name) + model)
    return path


def lesion(seed: int) -> tuple[Image, Mask]:
    """Return a lesion: its size, mean and grain follow the seed."""
    rng = np.random.default_rng(seed)
    away = np.linalg.norm(np.stack(np.meshgrid(*[np.arange(12.0) - 5.5] * 3, indexing="ij")), axis=0)
    region = away < rng.uniform(2.5, 4.0)
    grain = ndimage.gaussian_filter(rng.standard_normal(region.shape), rng.uniform(0.4, 1.2))
    image = np.where(region, np.clip(4.0 + rng.uniform(1.0, 3.0) * grain / grain.std(), 0.5, None), 0.5).astype(np.float32)
    return Image(image, AFFINE, "SUV", "PET"), Mask(region[None], AFFINE, ("lesion",), "expert")


def cohort(place: Path, patients: int = 24, *, survival: bool = False) -> Path:
    """Write a cohort whose events follow the largest uptake, with clinical columns and readers' scores."""
    place.mkdir()
    names, rows, peaks = [f"P{i:02d}" for i in range(1, patients + 1)], [], []
    for i, patient in enumerate(names):
        image, mask = lesion(i + 1)
        write_image(place / f"{patient}_pet.nii.gz", image)
        write_mask(place / f"{patient}_mask.nii.gz", mask)
        peaks.append(float(image.array.max()))
        rows += [(patient, f"C{i % 2 + 1}", "", kind, f"{patient}_{kind}.nii.gz") for kind in ("pet", "mask")]
    rng = np.random.default_rng(7)
    order = pd.Series(peaks).rank() / patients + rng.normal(0, 0.25, patients)
    outcomes = pd.DataFrame({"patient": names, "event": (order > order.median()).astype(int)})
    about = About("Made lesions", "virtual", "CC0-1.0", "none", (Outcome("event", "binary"),), {"pet": "SUV"})
    if survival:
        outcomes = outcomes.assign(event=(rng.random(patients) < 0.7).astype(int), months=(32.0 * np.exp(-order)).round(2))
        about = About(
            "Made lesions", "virtual", "CC0-1.0", "none", (Outcome("event", "survival", "month", 24.0, "months"),), {"pet": "SUV"}
        )
    write_tables(Cohort(pd.DataFrame(rows, columns=["patient", "centre", "visit", "kind", "path"]), outcomes, about), place)
    clinical = pd.DataFrame(
        {"patient": names, "age": rng.normal(60, 9, patients).round(), "stage": rng.choice(["I", "II", "unknown"], patients)}
    )
    clinical.to_csv(place / "clinical.csv", index=False)
    pd.DataFrame({"patient": names, "uptake": pd.Series(peaks).round(), "margin": rng.integers(1, 5, patients)}).to_csv(
        place / "semantic.csv", index=False
    )
    return place
