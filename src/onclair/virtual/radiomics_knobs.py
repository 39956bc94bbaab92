"""What a virtual radiomics cohort may be told, and what one patient of it is: knobs, the law of the outcome, and the reader's scores."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting
from onclair.core.settings import Settings, setting
from onclair.virtual.laws import Law, normal_atoms
from onclair.virtual.limb import FIELD_MM
from onclair.virtual.scanner import CtScanner, Scanner, ct_scanners, pet_scanners

Floats = npt.NDArray[np.float64]
#: Which cohort a patient belongs to: the one that is written, or the independent one that its card is fitted on.
Group = Literal["cohort", "card"]

#: Median and standard deviation of the logarithm of each knob, in a field of 160 mm; lengths are counted from `FINEST_MM`.
VOLUME_ML, CORRELATION_MM, SUV_MEAN = (75.0, 0.4), (8.0, 0.8), (4.0, 0.35)
#: Mean and standard deviation of a lesion's attenuation in CT, in HU.
HU_MEAN = (40.0, 15.0)
#: Every correlation length is longer than this by what its knob says: of a finer texture the scanners would show too little.
FINEST_MM = 4.0
#: Slope of the logistic law on the standardised knob, and where every knob is cut off.
SLOPE, FARTHEST = 2.5, 2.3
#: Standard deviation of the readers' error in each of their scores, in units of the standardised knob.
READER_ERROR = 0.5
#: The scores of ``semantic.csv`` and the knob that each is of.
SCORES = {"texture_score": "texture_z", "size_score": "volume_z", "uptake_score": "intensity_z"}


class VirtualRadiomics(Settings):
    """Settings of a virtual PET or CT cohort."""

    patients: int = setting(60, "virtual patients", "patients virtuels", ge=2, le=100_000)
    centres: int = setting(3, "centres, each with its own scanner", "centres, chacun avec sa machine", ge=1, le=100)
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
    modality: Literal["pet", "ct"] = setting("pet", "what the scanners are", "la nature des machines")
    form: Literal["nifti", "dicom"] = setting(
        "nifti",
        "how images and outlines are written: NIfTI, or DICOM series with RTSTRUCT and SEG",
        "format des images et des contours : NIfTI, ou séries DICOM avec RTSTRUCT et SEG",
    )
    card_patients: int | None = setting(
        None,
        "patients of the independent virtual cohort that the model card is fitted on; as many as patients, from 24 to 120, when left out; "
        "0 writes no card",
        "patients de la cohorte virtuelle indépendante sur laquelle la fiche du modèle est ajustée ; par défaut autant que de patients, "
        "de 24 à 120 ; 0 : pas de fiche",
        ge=0,
        le=10_000,
    )

    @property
    def card_size(self) -> int:
        """Patients of the independent cohort.

        Examples
        --------
        >>> VirtualRadiomics(patients=240).card_size, VirtualRadiomics(patients=6).card_size, VirtualRadiomics(card_patients=0).card_size
        (120, 24, 0)
        """
        return min(max(self.patients, 24), 120) if self.card_patients is None else self.card_patients


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


def scanners_of(settings: VirtualRadiomics) -> tuple[Scanner, ...] | tuple[CtScanner, ...]:
    """Return the scanner of each centre.

    Examples
    --------
    >>> [scanner.name for scanner in scanners_of(VirtualRadiomics(centres=2))]
    ['C1', 'C2']
    """
    return pet_scanners(settings.centres) if settings.modality == "pet" else ct_scanners(settings.centres)


def knob_atoms(settings: VirtualRadiomics) -> Floats:
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
    >>> from onclair.virtual.laws import best_auc
    >>> settings = VirtualRadiomics(truth="texture")
    >>> round(best_auc(law_of(settings), knob_atoms(settings)), 3)
    0.895
    """
    if settings.truth == "batch":
        return _centre_knobs(settings)
    return np.zeros(1) if settings.truth == "noise" else np.clip(normal_atoms(), -FARTHEST, FARTHEST)


def _centre_knobs(settings: VirtualRadiomics) -> Floats:
    """Return the standardised blur of each centre's scanner."""
    if settings.centres < 2:
        raise BadSetting("truth = batch lets the centre decide, but there is 1 centre; ask for at least 2 with --centres.", item="centres")
    blur = np.array([s.blur for s in scanners_of(settings)])
    return np.asarray((blur - blur.mean()) / blur.std())


def name_of(index: int) -> str:
    """Return the pseudonym of a virtual patient.

    Examples
    --------
    >>> name_of(0)
    'VP001'
    """
    return f"VP{index + 1:03d}"


def draw_knobs(settings: VirtualRadiomics, index: int, group: Group = "cohort") -> dict[str, float]:
    """Return one patient's standardised knobs, what they mean, and the outcome that the law draws.

    Parameters
    ----------
    settings : VirtualRadiomics
    index : int
        The patient, from 0; patients fall to the centres in turn.
    group : {"cohort", "card"}

    Returns
    -------
    dict
        ``volume_z texture_z intensity_z centre_z`` (standardised), ``volume_ml correlation_mm`` and ``suv_mean`` (PET) or ``hu_mean``
        (CT), ``linear_predictor``, ``risk``, ``event`` (0 or 1), and ``texture_score size_score uptake_score`` (1 to 5, a reader's).
        The knobs of a patient are the same under every law.
    """
    rng = np.random.default_rng(streams(settings, index, group)[0])
    volume, apart, intensity, error = rng.normal(size=4)
    texture = settings.texture_with_volume * volume + math.sqrt(1 - settings.texture_with_volume**2) * apart
    volume, texture, intensity = (float(np.clip(z, -FARTHEST, FARTHEST)) for z in (volume, texture, intensity))
    centre = float(_centre_knobs(settings)[index % settings.centres]) if settings.centres > 1 else 0.0
    law = law_of(settings)
    decisive = np.array({"volume": volume, "texture": texture, "centre": centre, "nothing": 0.0}[law.knob])
    risk = float(law.risk(decisive))
    knobs = {"volume_z": volume, "texture_z": texture, "intensity_z": intensity, "centre_z": centre}
    event, errors = int(rng.uniform() < risk), (error, *rng.normal(size=2))
    scores = {name: _score(knobs[knob], wrong) for (name, knob), wrong in zip(SCORES.items(), errors, strict=True)}
    return {
        **knobs,
        "volume_ml": _spread(VOLUME_ML, volume) * (settings.field_mm / FIELD_MM) ** 3,
        "correlation_mm": correlation_of(texture, settings.field_mm),
        **_level(settings, intensity),
        "linear_predictor": float(law.linear_predictor(decisive)),
        "risk": risk,
        "event": event,
        **scores,
    }


def correlation_of(knob: float, field_mm: float = FIELD_MM) -> float:
    """Return the correlation length that the standardised texture knob stands for, in mm.

    Examples
    --------
    >>> [round(correlation_of(knob), 1) for knob in (-2.0, 0.0, 2.0)]
    [5.6, 12.0, 43.6]
    """
    return FINEST_MM + _spread(CORRELATION_MM, knob) * field_mm / FIELD_MM


def streams(settings: VirtualRadiomics, index: int, group: Group) -> list[np.random.SeedSequence]:
    """Return one patient's seeds: knobs, anatomy, scan, reader, retest.

    Examples
    --------
    >>> one, other = (streams(VirtualRadiomics(), 0, group)[0].generate_state(1)[0] for group in ("cohort", "card"))
    >>> bool(one == other)
    False
    """
    key = (index,) if group == "cohort" else (index, 1)
    return np.random.SeedSequence(settings.seed, spawn_key=key).spawn(5)


def _level(settings: VirtualRadiomics, intensity: float) -> dict[str, float]:
    """Return the mean of the lesion that the intensity knob stands for."""
    if settings.modality == "pet":
        return {"suv_mean": _spread(SUV_MEAN, intensity)}
    return {"hu_mean": HU_MEAN[0] + HU_MEAN[1] * intensity}


def _score(knob: float, error: float) -> int:
    return int(np.clip(np.rint(3 + knob + READER_ERROR * error), 1, 5))


def _spread(law: tuple[float, float], knob: float) -> float:
    return law[0] * math.exp(law[1] * knob)
