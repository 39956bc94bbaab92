"""The study `bone`: where the bone metastases are on a clinical CT, and how much load a bone still carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.core.settings import RunSettings, setting
from onclair.core.study import Answer, Control, Description, Further, Learner, Rival, Study, Virtual
from onclair.core.values import Case, Image, Mask
from onclair.core.words import Words
from onclair.explain.contributions import contributions
from onclair.io.dicom.codes import ABNORMAL, ANATOMICAL, BONE, METASTASIS
from onclair.learn.estimators import estimator
from onclair.learn.lesion_finder import DEMO, THRESHOLD, Finding, bone_of, lesions_by_network, lesions_by_threshold, network_at
from onclair.learn.pipeline import Pipeline
from onclair.learn.selection import Selection
from onclair.learn.tiles import Segmenter
from onclair.report.lesions_shown import pictured
from onclair.run.described import facts_of, outline_of
from onclair.run.detection import Detectors, detected
from onclair.run.learning import Learnt, Lesson
from onclair.run.measured_truth import Measured, ranked
from onclair.run.scanned import calibration_of, scanned
from onclair.science.bone.bedside import Scanned, strength_told
from onclair.science.bone.burden import burden, threatened
from onclair.science.bone.labels import bone_region, totalseg
from onclair.science.bone.lesions import Lesion, Skeleton, lesion_table
from onclair.science.bone.metal import metal
from onclair.science.bone.noise import noise_hu
from onclair.science.radiomics.controls import shuffled
from onclair.virtual.bone import VirtualBone, write

#: What the models look at; the rivals look at one column each.
FEATURES = ("lesion_score", "second_score", "lesions_likely", "lesion_size")
MODELS = ("logistic", "forest")
#: A strength whose interval ends this many times apart tells nobody anything.
WIDE = 4.0
SEGMENTS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"category": list(ANATOMICAL), "type": list(BONE)} for name in ("bone", "bones")},
    "lesions": {"category": list(ABNORMAL), "type": list(METASTASIS)},
    "threshold": {"category": list(ABNORMAL), "type": ["52988006", "SCT", "Lesion"]},
}


class BoneSettings(RunSettings):
    """Settings of the bone study."""

    outcome: str | None = setting("metastasis", "outcome column to predict", "colonne du critère à prédire")
    network: str = setting(
        DEMO, "what finds lesions: demo, threshold, or a network's folder", "ce qui trouve les lésions : demo, threshold, ou un dossier"
    )
    strength: Literal["fe", "none"] = setting(
        "fe", "compute the load that a bone bears (fe), or not (none)", "calculer la charge qu'un os supporte (fe), ou non (none)"
    )
    voxel_mm: float = setting(1.5, "side of the finite elements", "côté des éléments finis", unit="mm", ge=1, le=5)
    samples: int = setting(8, "outlines drawn for the strength's interval", "contours tirés pour l'intervalle", ge=0, le=64)
    most_noise_hu: float = setting(
        60.0,
        "grain of soft tissue above which the network is not believed (sharp kernel, low dose)",
        "grain des tissus mous au-delà duquel le réseau n'est pas cru (noyau dur, faible dose)",
        unit="HU",
        gt=0,
    )


def read(cohort: Cohort, patient: str) -> Case:
    """Return the CT of one patient, its bones by number where the cohort holds them, and what the table says of the scan.

    Raises
    ------
    BadCase
        For a missing or damaged file, bones of another geometry, NaN, or a CT in another unit than HU.
    """
    image, labels, about = scanned(cohort, patient)
    masks = {} if labels is None else {"bones": _numbered(labels, image, "expert")}
    return Case(patient, str(cohort.centre_of([patient])[patient]), signals={"ct": image}, masks=masks, about=about)


def outline(case: Case, settings: BoneSettings) -> Case:
    """Return the case with its bone, the candidates of the network, and those of the plain detector; their scores stand in ``about``."""
    ct = _ct(case)
    labels = _labels(case)
    bone = bone_of(ct.array, ct.affine, labelled=None if labels is None else bone_region(labels, totalseg()))
    plain = lesions_by_threshold(ct.array, ct.affine, bone)
    found = plain if settings.network == THRESHOLD else lesions_by_network(ct.array, ct.affine, bone, _network(settings.network), Finding())
    drawn = {"lesions": _numbered(found.instances, ct, "model"), "threshold": _numbered(plain.instances, ct, "model")}
    scores = {"lesions": list(found.scores), "threshold": list(plain.scores)}
    masks = {**case.masks, "bone": Mask(bone[0].astype(np.uint8), ct.affine, ("Bone",), "model"), **drawn}
    return replace(case, masks=masks, about={**case.about, "scores": scores})


@cache
def _network(name: str) -> Segmenter:
    return network_at(name)


def describe(case: Case, settings: BoneSettings) -> Description:
    """Return one row a patient: what the candidates add up to; lesions, scores and the strength of a bone stand in the facts."""
    ct, scores = _ct(case), case.about["scores"]
    rows = _lesions(case)
    plain = scores["threshold"]
    grain = noise_hu(ct.array)
    row = {
        **burden(rows, scores["lesions"]),
        "threshold_score": max(plain, default=0.0),
        "bone_volume": float(case.masks["bone"].array.sum()) * float(np.prod(ct.spacing_mm)) / 1000.0,
        "noise_hu": np.nan if grain is None else grain,
    }
    metallic = bool((metal(ct.array, ct.affine) & (case.masks["bone"].array > 0)).any())
    facts = {
        "scores": scores,
        "lesions": [lesion.as_dict() for lesion in rows],
        "metal": metallic,
        "strength": _strength(case, rows, settings),
    }
    reasons = {"noise_hu": "no soft tissue is in view"} if grain is None else {}
    return Description(pd.DataFrame([row], index=["patient"]), reasons, facts)


def _lesions(case: Case) -> tuple[Lesion, ...]:
    ct, labels = _ct(case), _labels(case)
    known = Skeleton(labels, None if labels is None else totalseg(), case.masks["bone"].array > 0)
    scores = dict(enumerate(case.about["scores"]["lesions"], start=1))
    return lesion_table(ct.array, ct.affine, case.masks["lesions"].array, known, scores=scores or None)


def _strength(case: Case, rows: Sequence[Lesion], settings: BoneSettings) -> dict[str, Any] | None:
    """Return the strength of the bone that is asked about, else of the one threatened most; None where it was not asked for."""
    labels = _labels(case)
    if settings.strength == "none" or case.about.get("destroyed"):
        return None
    if labels is None:
        return {"value": None, "reason": "No labels tell one bone from another, so none can be loaded."}
    asked = totalseg().bones.get(int(case.about["asked_bone"])) if "asked_bone" in case.about else None
    bone = asked or threatened(rows, case.about["scores"]["lesions"], labels, totalseg())
    if bone is None:
        return {"value": None, "reason": "No vertebra and no femur is in view."}
    ct, mass = _ct(case), case.about.get("body_mass_kg")
    scan = Scanned(
        ct.array,
        ct.affine,
        labels,
        totalseg(),
        case.masks["lesions"].array,
        rows,
        calibration_of(case.about),
        None if mass is None else float(mass),
    )
    return strength_told(scan, bone, voxel_mm=settings.voxel_mm, samples=settings.samples, seed=settings.seed)


def shuffle_voxels(case: Case, settings: BoneSettings, rng: np.random.Generator) -> Case:
    """Return the case with the voxels of the bone in random places, outlined anew: same bone, same densities, no lesion."""
    ct = _ct(case)
    mixed = shuffled(ct.array, case.masks["bone"].array > 0, rng)
    bones = {name: mask for name, mask in case.masks.items() if name == "bones"}
    about = {**{name: value for name, value in case.about.items() if name != "scores"}, "destroyed": True}
    again = replace(case, signals={"ct": Image(mixed, ct.affine, ct.unit, ct.modality)}, masks=bones, about=about)
    return outline(again, settings)


def is_of_the_bone(column: str) -> bool:
    """Return whether a column speaks of the bone as a whole, which shuffling its voxels leaves as it was."""
    return column == "bone_volume"


def model(settings: BoneSettings) -> tuple[Learner, ...]:
    """Return the candidates, the simplest first.

    Raises
    ------
    BadSetting
        For an unknown model.
    """
    for name in settings.models:
        if name not in MODELS:
            raise BadSetting(f"The study bone has no model '{name}'; {did_you_mean(name, MODELS)}", item=name)
    chosen = settings.models or MODELS[:1]
    return tuple(Pipeline(name, estimator(name), Selection("none"), columns=FEATURES) for name in MODELS if name in chosen)


def explain(locked: Any, row: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """Return the four features that move one patient's risk most, signed."""
    return contributions(locked.risk, row, locked.pipeline.reference)


def bedside(case: Case, description: Description, answers: Mapping[str, Answer], settings: BoneSettings) -> Mapping[str, Any]:
    """Return what the finding shows: lesions on the CT, the strength with its band, and the answer, unless the scan forbids one."""
    ct, facts, rows = _ct(case), description.facts, _lesions(case)
    doubt = _doubt(description, settings)
    strength = facts["strength"]
    wide = strength is not None and strength.get("low") and strength["high"] > WIDE * strength["low"]
    notes = (
        [{"code": "wide_band", "text": "The strength is too uncertain to lean on: its interval spans more than four times."}]
        if wide
        else []
    )
    measures = [("lesions_volume", sum(row.volume_ml for row in rows), "mL"), ("lesions", float(len(rows)), "1")]
    estimates = [{"name": n, "value": v, "low": None, "high": None, "level": None, "unit": u, "segment": None} for n, v, u in measures]
    if strength is not None and strength.get("value") is not None:
        ends = {"low": strength["low"], "high": strength["high"], "level": strength["interval_level"]}
        estimates.append({"name": "fe:strength", "value": strength["value"], **ends, "unit": "N", "segment": None})
    return {
        **({} if doubt is None else {"withheld": True, "answer": {"value": "cannot_tell", "reason": doubt}}),
        "estimates": estimates,
        "segments": SEGMENTS,
        "detail": {
            "lesions": facts["lesions"],
            "strength": strength,
            "pictures": pictured(ct.array, ct.affine, case.masks["lesions"].array, rows, virtual=False),
            "reasons": [dict(reason) for reason in answers["patient"].reasons],
        },
        "warnings": notes,
    }


def _doubt(description: Description, settings: BoneSettings) -> str | None:
    """Return why nothing may be said of this scan; None where it may."""
    grain = float(description.rows["noise_hu"].iloc[0])
    if description.facts["metal"]:
        return "Metal lies in the bone, and its streaks look like lesions and hide them."
    if grain > settings.most_noise_hu:
        said = f"The scan is grainier ({grain:.0f} HU) than those that the network knows (up to {settings.most_noise_hu:.0f} HU)"
        return f"{said}: another kernel or dose."
    return None


def further(lesson: Lesson, learnt: Learnt) -> Further:
    """Return the figures of the study's own questions: detection at one false positive a scan, and the strength beside plain rules."""
    found = detected(lesson, Detectors("lesions", "threshold", "threshold", "lesions"))
    rivals = {"ctra": -1, "volume": -1, "mirels": -1, "size": 1}
    strength = Measured("strength", "strength", rivals, "strength.csv", "strength_N", ("bone", "level", "side"))
    return Further((*found, *ranked(lesson, strength)), {"shown": _shown(lesson, learnt)})


def _shown(lesson: Lesson, learnt: Learnt) -> dict[str, Any] | None:
    """Return one patient as a picture and a bar: the one with the highest risk out of fold."""
    if lesson.root is None:
        return None
    patient = str(lesson.truth.index[int(learnt.risks["model"].mean(axis=0).argmax())][0])
    case = read(lesson.cohort, patient)
    facts = facts_of(lesson.root, patient)
    drawn = outline_of(lesson.root, patient, "lesions")
    again = replace(case, about={**case.about, "scores": facts["scores"]})
    ct, bone = _ct(case), outline_of(lesson.root, patient, "bone")
    numbers = np.array([0, *(1 if label == "outline" else int(label) for label in drawn.labels)], np.int32)[drawn.array]
    masks = {**case.masks, "bone": bone, "lesions": _numbered(numbers, ct, "model")}
    rows = _lesions(replace(again, masks=masks))
    virtual = lesson.cohort.about.data == "virtual"
    return {
        "patient": patient,
        "pictures": pictured(ct.array, ct.affine, numbers, rows, virtual=virtual)[:1],
        "strength": facts["strength"],
        "lesions": facts["lesions"],
    }


def _numbered(values: npt.NDArray[np.int32], on: Image, origin: Literal["expert", "model"]) -> Mask:
    """Return a map of numbers as a mask whose labels are the numbers themselves."""
    return Mask(values.astype(np.int32), on.affine, tuple(str(number) for number in range(1, int(values.max(initial=0)) + 1)), origin)


def _labels(case: Case) -> npt.NDArray[np.int32] | None:
    return None if "bones" not in case.masks else np.asarray(case.masks["bones"].array, np.int32)


def _ct(case: Case) -> Image:
    image: Image = case.signals["ct"]
    return image


study = Study(
    name="bone",
    question=Words(
        "Does a network find bone metastases on CT better than plain thresholds do, and does its strength rank bones as they break?",
        "Un réseau trouve-t-il les métastases osseuses au scanner mieux que des seuils, et sa résistance classe-t-elle bien les os ?",
    ),
    settings=BoneSettings,
    outcome="binary",
    signal="volume",
    kinds=("ct",),
    also=("bones",),
    read=read,
    outline=outline,
    describe=describe,
    model=model,
    rivals=(
        Rival("prevalence", (), Words("the same risk for everybody", "le même risque pour tous")),
        Rival("threshold", ("threshold_score",), Words("holes and dense spots by thresholds", "trous et densités par seuils")),
        Rival("volume", ("lesion_volume",), Words("the volume of the candidates alone", "le volume des candidats seul")),
    ),
    explain=explain,
    bedside=bedside,
    virtual=Virtual(
        VirtualBone,
        write,
        tiny={
            "patients": 16,
            "centres": 2,
            "seed": 7,
            "region": "spine",
            "voxel_mm": 2.0,
            "slice_mm": 4.0,
            "fine_mm": 1.0,
            "strength": "none",
        },
        demo={"patients": 20, "centres": 2, "seed": 1, "voxel_mm": 1.5, "fine_mm": 1.0, "truth_voxel_mm": 3.0},
        shown={"voxel_mm": 3.0, "samples": 2, "repeats": 1, "shuffles": 1},
        quick={"models": ("logistic",), "repeats": 1, "shuffles": 1, "strength": "none", "folds": 4},
    ),
    references=(
        "Zhang Y et al. Deep learning for bone lesions on CT (BLDS). Nat Commun 2025.",
        "Keyak JH et al. Predicting proximal femoral strength using structural engineering models. Clin Orthop Relat Res 2005;437:219-228.",
        "Crawford RP, Cann CE, Keaveny TM. Finite element models predict in vitro vertebral body strength. Bone 2003;33:744-750.",
        "Damron TA et al. CT-based structural rigidity analysis in femoral metastases. Clin Orthop Relat Res 2016;474:643-651.",
    ),
    controls=(
        Control(
            "shuffled-voxels",
            shuffle_voxels,
            is_of_the_bone,
            Words("the voxels of the bone in random places", "les voxels de l'os déplacés au hasard"),
        ),
    ),
    volume="lesion_volume",
    limits=(
        Words(
            "It outlines candidates for a radiologist to check; it does not diagnose, and its network was trained on virtual bones.",
            "Il délimite des candidats à vérifier par un radiologue ; il ne diagnostique pas, et son réseau a appris sur des os virtuels.",
        ),
        Words(
            "Nobody has measured a tumour's stiffness in patients: the strength is a band, and decides no operation.",
            "Personne n'a mesuré la raideur d'une tumeur chez des patients : la résistance est une bande et ne décide d'aucune opération.",
        ),
    ),
    further=further,
)
