"""Virtual patients for the radiomics study: FDG-PET of soft-tissue lesions of the limbs, several centres, an outcome from a known law.

The folder written is a cohort as any other (``cohort.toml``, ``acquisitions.csv``, ``outcomes.csv``, ``semantic.csv``, ``images/``)
and says ``virtual`` in every record. Beside it stands what no real cohort has: ``truth.json`` (law, best attainable AUC, scanners),
``truth.csv`` (knobs and risk of each patient) and ``truth/`` (true activity, true mask, a test-retest pair for every tenth patient).

Volume, texture and intensity are separate knobs *in the image*: without noise, what the patient's own scanner shows of a lesion has the
same histogram for every correlation length (`onclair.virtual.textures`). The true activity has not: fine textures are given the contrast
that the blur will take (``uptake_cv`` in ``truth.csv``), so a patient is made for one scanner. Sizes, spreads and slopes below are
plausible choices that keep the knobs apart and legible; they are no estimates of what is found in patients, whose lesions are often larger.
"""

from __future__ import annotations

import json
import math
from builtins import map as in_turn
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import About, Cohort
from onclair.core.errors import BadSetting
from onclair.core.outcome import Outcome
from onclair.core.progress import Listener, Progress, silent
from onclair.core.settings import Settings, setting
from onclair.core.study import MapFunction
from onclair.core.values import Image, Mask
from onclair.io.cohorts import write_cohort
from onclair.io.files import sealed_folder
from onclair.io.nifti import write_image, write_mask
from onclair.virtual.laws import Law, best_auc, normal_atoms
from onclair.virtual.lesions import Border, random_border, reread
from onclair.virtual.limb import FIELD_MM, Lesion, phantom_of, placed
from onclair.virtual.pet import Grid, acquire, grid_of, on_grid, resolution_mm
from onclair.virtual.scanner import Scanner, pet_scanners
from onclair.virtual.textures import Texture, contrast_left

#: Side of the fine cells that patients are made of, in mm.
CELL_MM = 2.0
#: Median and standard deviation of the logarithm of each knob, in a field of 160 mm; lengths are counted from `FINEST_MM`.
VOLUME_ML, CORRELATION_MM, SUV_MEAN = (75.0, 0.4), (8.0, 0.8), (4.0, 0.35)
#: Every correlation length is longer than this by what its knob says: of a finer texture the scanners would show too little.
FINEST_MM = 4.0
#: Slope of the logistic law on the standardised knob, and where every knob is cut off.
SLOPE, FARTHEST = 2.5, 2.3
#: Standard deviation of the readers' error in their score of texture, in units of the standardised knob.
READER_ERROR = 0.5


class VirtualRadiomics(Settings):
    """Settings of a virtual PET cohort."""

    patients: int = setting(60, "virtual patients", "patients virtuels", ge=2, le=100_000)
    centres: int = setting(3, "centres, each with its own scanner", "centres, chacun avec sa caméra", ge=1, le=100)
    seed: int = setting(1, "seed of every random choice", "graine de tous les tirages", ge=0)
    truth: Literal["volume", "texture", "batch", "noise"] = setting(
        "texture",
        "what decides the outcome: lesion volume, texture, the centre (batch), or nothing (noise)",
        "ce qui décide de l'issue : volume de la lésion, texture, le centre (batch) ou rien (noise)",
    )
    field_mm: float = setting(
        FIELD_MM,
        "field of view in plane; limb and lesions shrink and grow with it",
        "champ de vue dans le plan ; membre et lésions changent de taille avec lui",
        unit="mm",
        ge=96,
        le=240,
    )
    texture_with_volume: float = setting(
        0.0,
        "correlation between the texture and volume knobs",
        "corrélation entre les réglages de texture et de volume",
        gt=-1,
        lt=1,
    )


def law_of(settings: VirtualRadiomics) -> Law:
    """Return the law of the outcome.

    Examples
    --------
    >>> law_of(VirtualRadiomics(truth="texture"))
    Law(knob='texture', slope=2.5, intercept=0.0)
    """
    if settings.truth == "noise":
        return Law("nothing", 0.0)
    return Law("centre" if settings.truth == "batch" else settings.truth, SLOPE)


def knob_atoms(settings: VirtualRadiomics) -> npt.NDArray[np.float64]:
    """Return equally likely values of the knob that decides.

    Raises
    ------
    BadSetting
        For the law ``batch`` with a single centre.

    Examples
    --------
    >>> settings = VirtualRadiomics(truth="batch")
    >>> knob_atoms(settings).round(3).tolist()  # centres of 4.5, 6 and 7.5 mm
    [-1.225, 0.0, 1.225]
    >>> settings = VirtualRadiomics(truth="texture")
    >>> round(best_auc(law_of(settings), knob_atoms(settings)), 3)
    0.895
    """
    if settings.truth == "batch":
        return _centre_knobs(settings.centres)
    return np.zeros(1) if settings.truth == "noise" else np.clip(normal_atoms(), -FARTHEST, FARTHEST)


def _centre_knobs(centres: int) -> npt.NDArray[np.float64]:
    """Return the standardised blur of each centre's scanner."""
    if centres < 2:
        raise BadSetting("truth = batch lets the centre decide, but there is 1 centre; ask for at least 2 with --centres.", item="centres")
    blur = np.array([s.psf_fwhm_mm for s in pet_scanners(centres)])
    return np.asarray((blur - blur.mean()) / blur.std())


def write(settings: VirtualRadiomics, out: Path, *, map: MapFunction = in_turn, progress: Listener = silent) -> Path:  # noqa: A002
    """Write a virtual PET cohort.

    Parameters
    ----------
    settings : VirtualRadiomics
    out : Path
        A folder that does not exist yet or is empty; it appears whole or not at all.
    map : callable
        ``map(function, items)``, the built-in one or a process pool's that keeps the order; each patient has a seed of its own,
        so that the files do not depend on it.
    progress : callable
        Hears one event a patient.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    NoRoom
        When `out` holds something already or cannot be made.
    BadSetting
        For the law ``batch`` with a single centre.
    """
    knob_atoms(settings)  # refuses what no cohort can be made of, before anything is written
    rows = []
    with sealed_folder(out) as place:
        for row in map(partial(write_patient, settings, place), range(settings.patients)):
            rows.append(row)
            progress(Progress("virtual", len(rows), settings.patients, str(row["patient"])))
        _write_tables(settings, pd.DataFrame(rows), place)
    return out


def name_of(index: int) -> str:
    """Return the pseudonym of a virtual patient.

    Examples
    --------
    >>> name_of(0)
    'VP001'
    """
    return f"VP{index + 1:03d}"


def draw_knobs(settings: VirtualRadiomics, index: int) -> dict[str, float]:
    """Return one patient's standardised knobs, what they mean, and the outcome that the law draws.

    Parameters
    ----------
    settings : VirtualRadiomics
    index : int
        The patient, from 0; patients fall to the centres in turn.

    Returns
    -------
    dict
        ``volume_z texture_z intensity_z centre_z`` (standardised), ``volume_ml correlation_mm suv_mean``, ``linear_predictor``, ``risk``,
        ``event`` (0 or 1) and ``texture_score`` (1 to 5, a reader's).
        The knobs of a patient are the same under every law.
    """
    rng = np.random.default_rng(_streams(settings, index)[0])
    volume, apart, intensity, error = rng.normal(size=4)
    texture = settings.texture_with_volume * volume + math.sqrt(1 - settings.texture_with_volume**2) * apart
    volume, texture, intensity = (float(np.clip(z, -FARTHEST, FARTHEST)) for z in (volume, texture, intensity))
    centre = float(_centre_knobs(settings.centres)[index % settings.centres]) if settings.centres > 1 else 0.0
    law = law_of(settings)
    decisive = {"volume": volume, "texture": texture, "centre": centre, "nothing": 0.0}[law.knob]
    risk = float(law.risk(np.array(decisive)))
    return {
        "volume_z": volume,
        "texture_z": texture,
        "intensity_z": intensity,
        "centre_z": centre,
        "volume_ml": _spread(VOLUME_ML, volume) * (settings.field_mm / FIELD_MM) ** 3,
        "correlation_mm": correlation_of(texture, settings.field_mm),
        "suv_mean": _spread(SUV_MEAN, intensity),
        "linear_predictor": float(law.linear_predictor(np.array(decisive))),
        "risk": risk,
        "event": int(rng.uniform() < risk),
        "texture_score": int(np.clip(np.rint(3 + texture + READER_ERROR * error), 1, 5)),
    }


def correlation_of(knob: float, field_mm: float = FIELD_MM) -> float:
    """Return the correlation length that the standardised texture knob stands for, in mm.

    Examples
    --------
    >>> [round(correlation_of(knob), 1) for knob in (-2.0, 0.0, 2.0)]
    [5.6, 12.0, 43.6]
    """
    return FINEST_MM + _spread(CORRELATION_MM, knob) * field_mm / FIELD_MM


def _spread(law: tuple[float, float], knob: float) -> float:
    return law[0] * math.exp(law[1] * knob)


def _streams(settings: VirtualRadiomics, index: int) -> list[np.random.SeedSequence]:
    """Return one patient's seeds: knobs, anatomy, scan, reader, retest."""
    return np.random.SeedSequence(settings.seed, spawn_key=(index,)).spawn(5)


def write_patient(settings: VirtualRadiomics, out: Path, index: int) -> dict[str, Any]:
    """Make one patient, write the images under `out`, and return the patient's row of ``truth.csv``.

    Parameters
    ----------
    settings : VirtualRadiomics
    out : Path
        With its folders ``images`` and ``truth``.
    index : int
        The patient, from 0.

    Returns
    -------
    dict
        ``patient``, ``centre``, what `draw_knobs` gives, and ``uptake_cv``, the coefficient of variation of the true uptake.
    """
    knobs, patient = draw_knobs(settings, index), name_of(index)
    scanner = pet_scanners(settings.centres)[index % settings.centres]
    anatomy, scan, reading, again = (np.random.default_rng(s) for s in _streams(settings, index)[1:])
    border = placed(random_border(knobs["volume_ml"], anatomy), settings.field_mm, anatomy)
    lesion = Lesion(border, knobs["suv_mean"], texture_for(scanner, knobs["correlation_mm"], settings.field_mm))
    phantom, occupied = phantom_of(lesion, settings.field_mm, CELL_MM, anatomy)
    grid = grid_of(phantom, scanner)
    activity = on_grid(phantom.activity, CELL_MM, grid).astype(np.float32)
    _write(out / f"images/{patient}_pet.nii.gz", acquire(phantom, scanner, scan), "PET")
    _write(out / f"images/{patient}_mask.nii.gz", outlined(border, grid, reading), "outline")
    _write(out / f"truth/{patient}_activity.nii.gz", Image(activity, grid.affine, "SUV", "PET"), "true activity")
    true = Mask(on_grid(occupied, CELL_MM, grid)[None] > 0.5, grid.affine, ("lesion",), "truth")
    _write(out / f"truth/{patient}_mask.nii.gz", true, "true outline")
    if index % 10 == 0:
        _write(out / f"truth/{patient}_retest_pet.nii.gz", acquire(phantom, scanner, again), "PET, second acquisition")
        _write(out / f"truth/{patient}_retest_mask.nii.gz", outlined(border, grid, again), "outline, second reading")
    uptake = phantom.activity[occupied == 1.0]
    return {"patient": patient, "centre": scanner.name, **knobs, "uptake_cv": float(uptake.std() / uptake.mean())}


def texture_for(scanner: Scanner, correlation_mm: float, field_mm: float) -> Texture:
    """Return the texture whose histogram, as `scanner` sees it, does not depend on the correlation length.

    Each scanner sees every lesion with the contrast that it leaves to one of the median length, so that a blurred centre still sees
    flatter lesions than a sharp one.

    Examples
    --------
    >>> sharp, blurred = (texture_for(scanner, 12.0, 160.0) for scanner in (pet_scanners(3)[0], pet_scanners(3)[2]))
    >>> round(sharp.contrast, 2), round(blurred.contrast, 2)
    (0.93, 0.85)
    """
    blur = resolution_mm(scanner)
    return Texture(correlation_mm, blur, contrast_left(correlation_of(0.0, field_mm), blur))


def outlined(border: Border, grid: Grid, rng: np.random.Generator) -> Mask:
    """Return the lesion as a reader outlines it on the voxels of one image: the border re-read, voxel centres within it.

    Returns
    -------
    Mask
        One label, ``lesion``, of origin ``expert``.
    """
    drawn = reread(border, rng)
    return Mask((drawn.depth_mm(*grid.points_mm()) > 0)[None], grid.affine, ("lesion",), "expert")


def _write(path: Path, what: Image | Mask, description: str) -> None:
    words = f"virtual: {description}"
    if isinstance(what, Image):
        write_image(path, what, description=words)
    else:
        write_mask(path, what, description=words)


def _write_tables(settings: VirtualRadiomics, truth: pd.DataFrame, out: Path) -> None:
    files = [
        {"patient": row.patient, "centre": row.centre, "visit": "t0", "kind": kind, "path": f"images/{row.patient}_{kind}.nii.gz"}
        for row in truth.itertuples()
        for kind in ("pet", "mask")
    ]
    told = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in settings.as_record().items())
    about = About(
        title=f"Virtual FDG-PET of soft-tissue lesions, law '{settings.truth}'",
        data="virtual",
        licence="CC0-1.0",
        citation="Onclair, virtual radiomics; no patient was involved.",
        outcomes=(Outcome("event", "binary"),),
        units={"pet": "SUV"},
        source=f"onclair virtual radiomics {told}",
    )
    write_cohort(Cohort(pd.DataFrame(files), truth[["patient", "event"]], about), out)
    truth[["patient", "texture_score"]].to_csv(out / "semantic.csv", index=False, lineterminator="\n")
    truth.drop(columns="texture_score").assign(data="virtual").to_csv(out / "truth.csv", index=False, lineterminator="\n")
    record = json.dumps(truth_record(settings), indent=2, sort_keys=True, ensure_ascii=False)
    (out / "truth.json").write_text(record + "\n", encoding="utf-8")


def truth_record(settings: VirtualRadiomics) -> Mapping[str, Any]:
    """Return what ``truth.json`` says: the law, the best AUC that it allows, the laws of the knobs and the scanners.

    Examples
    --------
    >>> record = truth_record(VirtualRadiomics(truth="noise"))
    >>> record["data"], record["law"]["knob"], record["best_auc"]
    ('virtual', 'nothing', 0.5)
    """
    law = law_of(settings)
    return {
        "data": "virtual",
        "study": "radiomics",
        "settings": settings.as_record(),
        "law": {"kind": "logistic", "outcome": "event", "truth": settings.truth, **asdict(law)},
        "best_auc": best_auc(law, knob_atoms(settings)),
        "knobs": {
            name: {"least": least, "median": least + above, "log_sd_above_least": spread, "at_field_mm": FIELD_MM}
            for name, least, (above, spread) in (
                ("volume_ml", 0.0, VOLUME_ML),
                ("correlation_mm", FINEST_MM, CORRELATION_MM),
                ("suv_mean", 0.0, SUV_MEAN),
            )
        },
        "histogram": "The same law for every correlation length as each patient's own scanner sees the lesion without noise; "
        "the true uptake of fine textures has more contrast (uptake_cv in truth.csv).",
        "reader_error_sd": READER_ERROR,
        "scanners": [asdict(scanner) for scanner in pet_scanners(settings.centres)],
    }
