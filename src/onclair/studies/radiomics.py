"""The study `radiomics`: whether a model on PET texture holds, and is more than the lesion's volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadCase, BadSetting
from onclair.core.names import did_you_mean
from onclair.core.settings import RunSettings, setting
from onclair.core.study import Answer, Control, Description, Learner, Rival, Study, Virtual
from onclair.core.values import Case, Image
from onclair.core.words import Words
from onclair.explain.contributions import contributions
from onclair.learn.estimators import estimator
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import Selection
from onclair.run.gaps import case_warnings
from onclair.run.pictured import pictured
from onclair.science.radiomics.controls import is_permutation_invariant, shuffled
from onclair.science.radiomics.extract import Extraction, extract
from onclair.virtual.radiomics import VirtualRadiomics, write

#: SNOMED CT's words for the outlined lesion (category, type).
LESION: Mapping[str, Any] = {
    "label": "Lesion",
    "category": ["49755003", "SCT", "Morphologically abnormal structure"],
    "type": ["52988006", "SCT", "Lesion"],
}
#: Candidate models and their options, the simplest first; fifty trees are enough for five features and keep the null affordable.
MODELS: Mapping[str, Mapping[str, Any]] = {"logistic": {}, "lasso": {}, "forest": {"trees": 50}}


class RadiomicsSettings(RunSettings):
    """Settings of the radiomics study."""

    bin_width: float = setting(0.5, "width of the grey-level bins", "largeur des classes de gris", unit="SUV", gt=0)
    bin_start: float = setting(0.0, "lower edge of the first bin", "bord inférieur de la première classe", unit="SUV")
    textures: Literal["3D_comb", "3D_avg", "2_5D_comb", "2D_comb"] = setting(
        "3D_comb", "how texture is put together over directions", "comment la texture est réunie sur les directions"
    )
    features_kept: int = setting(5, "most features that a model may look at", "nombre maximal de caractéristiques par modèle", ge=1, le=50)


def read(cohort: Cohort, patient: str) -> Case:
    """Return the PET of one patient and its outline, on one grid; NIfTI, or a DICOM series with RTSTRUCT or SEG.

    Raises
    ------
    BadCase
        For a missing or damaged file, an outline of another geometry, NaN, or a PET in another unit than SUV.
    """
    unit = cohort.about.units.get("pet", "SUV")  # loose files of new cases declare none
    if unit != "SUV":
        told = f"The PET of {patient} is declared in '{unit}'; this study reads SUV"
        raise BadCase(f'{told}: convert the images, then write pet = "SUV" under [units] in cohort.toml.', item=patient)
    image, mask = pictured(cohort, patient, "pet", unit)
    return Case(patient, str(cohort.centre_of([patient])[patient]), signals={"pet": image}, masks={"lesion": mask})


def outline(case: Case, settings: RadiomicsSettings) -> Case:
    """Hand the case back: its outline came with the cohort."""
    del settings
    return case


def describe(case: Case, settings: RadiomicsSettings) -> Description:
    """Return the IBSI features of the outlined lesion, one row."""
    image, mask = _pet(case), case.masks["lesion"]
    how = Extraction("fixed-width", width=settings.bin_width, minimum=settings.bin_start, aggregations=(settings.textures,))
    features = extract(image.array, mask.region(), image.spacing_mm, how)
    rows = pd.DataFrame([dict(features.values)], index=["lesion"])
    return Description(rows, features.reasons)


def shuffle_voxels(case: Case, settings: RadiomicsSettings, rng: np.random.Generator) -> Case:
    """Return the case with the voxels of the outline in random places: same volume, same intensities, no texture."""
    del settings
    image = _pet(case)
    mixed = shuffled(image.array, case.masks["lesion"].region(), rng)
    return replace(case, signals={"pet": Image(mixed, image.affine, image.unit, image.modality)})


def model(settings: RadiomicsSettings) -> tuple[Learner, ...]:
    """Return the candidates, the simplest first.

    Raises
    ------
    BadSetting
        For an unknown model.
    """
    for name in settings.models:
        if name not in MODELS:
            raise BadSetting(f"The study radiomics has no model '{name}'; {did_you_mean(name, MODELS)}", item=name)
    keep = Selection(k=settings.features_kept)
    chosen = settings.models or tuple(MODELS)
    return tuple(Pipeline(name, estimator(name, **options), keep, "signed_log") for name, options in MODELS.items() if name in chosen)


def explain(locked: Any, row: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """Return the four features that move one patient's risk most, signed."""
    return contributions(locked.risk, row, locked.pipeline.reference)


def bedside(case: Case, description: Description, answers: Mapping[str, Answer], settings: RadiomicsSettings) -> Mapping[str, Any]:
    """Return what the finding shows: volume and uptake of the lesion, and what the answer rests on."""
    del settings
    row = description.rows.iloc[0]
    measures = (("lesion_volume", "morph_volume", "mm3"), ("suv_max", "stat_max", "SUV"), ("suv_mean", "stat_mean", "SUV"))
    return {
        **_too_small(case),
        "estimates": [
            {"name": name, "value": _number(row[tag]), "low": None, "high": None, "level": None, "unit": unit, "segment": 1}
            for name, tag, unit in measures
        ],
        "segments": {"lesion": LESION},
        "detail": {"reasons": [dict(r) for r in answers["lesion"].reasons], "missing": dict(description.reasons)},
        "warnings": case_warnings(description.reasons, description.rows.shape[1]),
    }


def _too_small(case: Case) -> Mapping[str, Any]:
    """Return the answer where the outline has a single voxel, whatever the model says: there is no texture to read."""
    if case.masks["lesion"].region().sum() > 1:
        return {}
    reason = "The outline is a single voxel, which has no texture and no shape to read; check the outline."
    return {"withheld": True, "answer": {"value": "cannot_tell", "reason": reason}}


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _pet(case: Case) -> Image:
    image: Image = case.signals["pet"]
    return image


study = Study(
    name="radiomics",
    question=Words(
        "Does a model on the PET texture of the lesion tell who will have the event, better than the lesion's volume and uptake do?",
        "Un modèle fondé sur la texture TEP de la lésion distingue-t-il qui aura l'événement, mieux que son volume et sa fixation ?",
    ),
    settings=RadiomicsSettings,
    outcome="binary",
    signal="volume",
    kinds=("pet", "mask"),
    read=read,
    outline=outline,
    describe=describe,
    model=model,
    rivals=(
        Rival("prevalence", (), Words("the same risk for everybody", "le même risque pour tous")),
        Rival("volume", ("morph_volume",), Words("the lesion's volume alone", "le volume de la lésion seul")),
        Rival("suv_max", ("stat_max",), Words("the highest uptake (SUVmax) alone", "la fixation maximale (SUVmax) seule")),
    ),
    explain=explain,
    bedside=bedside,
    virtual=Virtual(
        VirtualRadiomics,
        write,
        tiny={"patients": 40, "centres": 2, "seed": 7, "field_mm": 96.0},
        demo={"patients": 120, "centres": 3, "seed": 1},
        quick={"models": ("logistic",), "repeats": 2, "shuffles": 2},
    ),
    references=(
        "Zwanenburg A et al. The Image Biomarker Standardization Initiative. Radiology 2020;295:328-338. doi:10.1148/radiol.2020191145",
        "Welch ML et al. Vulnerabilities of radiomic signature development. Radiother Oncol 2019;130:2-9. doi:10.1016/j.radonc.2018.10.027",
        "Vallières M et al. Radiomics of lung metastases in sarcoma. Phys Med Biol 2015;60:5471. doi:10.1088/0031-9155/60/14/5471",
    ),
    controls=(
        Control(
            "shuffled-voxels",
            shuffle_voxels,
            is_permutation_invariant,
            Words("the voxels inside the outline in random places", "les voxels du contour déplacés au hasard"),
        ),
    ),
    volume="morph_volume",
    limits=(
        Words(
            "It does not choose a treatment, and it has not been tested prospectively.",
            "Il ne choisit aucun traitement et n'a pas été évalué de façon prospective.",
        ),
        Words(
            "It needs an outline drawn by an expert and PET in SUV; other scanners may shift its answer.",
            "Il faut un contour tracé par un expert et une TEP en SUV ; une autre caméra peut décaler sa réponse.",
        ),
    ),
)
