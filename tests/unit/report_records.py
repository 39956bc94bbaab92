"""Records that reports are tested on: plain values written by hand, as the validate stage would hand them over."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from onclair.core.estimate import Estimate, not_available
from onclair.core.evidence import Evidence

DELONG = "mid-ranks; DeLong 1988, logit scale"
PAIRED = "paired DeLong 1988"


def _auc(name: str, value: float, low: float, high: float, method: str = DELONG) -> Estimate:
    return Estimate(name, value, low=low, high=high, n=51, events=19, method=method)


def _curves() -> list[dict[str, Any]]:
    x = [0.08 + 0.02 * i for i in range(37)]
    y = [0.5 + 0.46 * math.tanh(1.9 * (v - 0.42)) for v in x]
    thresholds = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]
    share = 19 / 51
    nothing: dict[str, Any] = {"low": None, "high": None, "unit": "1", "n": 51, "events": 19}
    everyone = [share - (1 - share) * t / (1 - t) for t in thresholds]
    return [
        {
            "name": "calibration",
            "who": "model",
            "x": x,
            "y": y,
            "low": [max(0.0, v - 0.2) for v in y],
            "high": [min(1.0, v + 0.2) for v in y],
            "x_label": "predicted risk",
            "unit": "1",
            "method": "loess, span 0.75, degree 2",
            "n": 51,
            "events": 19,
        },
        {
            "name": "distribution",
            "who": "model",
            "x": [0.05 + 0.1 * i for i in range(10)],
            "y": [2, 7, 10, 9, 8, 6, 4, 3, 2, 0],
            **nothing,
            "x_label": "predicted risk",
            "method": "counts",
        },
        {
            "name": "decision",
            "who": "model",
            "x": thresholds,
            "y": [0.31, 0.29, 0.26, 0.23, 0.2, 0.17, 0.14, 0.1, 0.05],
            **nothing,
            "low": [0.2, 0.18, 0.15, 0.12, 0.08, 0.05, 0.02, -0.03, -0.08],
            "high": [0.42, 0.4, 0.37, 0.35, 0.32, 0.29, 0.26, 0.22, 0.18],
            "x_label": "threshold",
            "method": "bootstrap, 2000",
        },
        {
            "name": "decision",
            "who": "rival:volume",
            "x": thresholds,
            "y": [0.3, 0.27, 0.22, 0.19, 0.15, 0.11, 0.06, 0.02, -0.02],
            **nothing,
            "x_label": "threshold",
            "method": "bootstrap, 2000",
        },
        {"name": "decision", "who": "all", "x": thresholds, "y": everyone, **nothing, "x_label": "threshold", "method": "exact"},
        {"name": "decision", "who": "none", "x": thresholds, "y": [0.0] * 9, **nothing, "x_label": "threshold", "method": "exact"},
    ]


def sarcoma() -> Evidence:
    """51 patients, 19 events, one centre: what the first study says of real PET."""
    estimates = (
        _auc("auc:model", 0.744, 0.602, 0.873),
        _auc("auc:rival:prevalence", 0.5, 0.5, 0.5),
        _auc("auc:rival:volume", 0.692, 0.54, 0.843),
        _auc("auc:rival:suv_max", 0.811, 0.69, 0.932),
        _auc("auc:model-minus-prevalence", 0.244, 0.102, 0.373, PAIRED),
        _auc("auc:model-minus-volume", 0.052, -0.09, 0.194, PAIRED),
        _auc("auc:model-minus-suv_max", -0.067, -0.187, 0.053, PAIRED),
        _auc("auc:model:shuffled-voxels", 0.731, 0.585, 0.858),
        _auc("auc:model-minus-shuffled-voxels", 0.013, -0.06, 0.086, PAIRED),
        _auc("auc:model:shuffled-labels", 0.493, 0.31, 0.68, "200 permutations"),
        Estimate("brier:model", 0.1981, low=0.152, high=0.249, n=51, events=19, method="bootstrap by patient, 2000"),
        Estimate("brier:rival:volume", 0.2177, low=0.181, high=0.256, n=51, events=19, method="bootstrap by patient, 2000"),
        Estimate("ipa:model", 0.153, low=-0.05, high=0.31, n=51, events=19, method="bootstrap by patient, 2000"),
        Estimate("o_e:model", 0.97, low=0.7, high=1.34, n=51, events=19, method="log scale"),
        Estimate("citl:model", -0.06, low=-0.69, high=0.57, n=51, events=19, method="offset, sandwich"),
        Estimate("slope:model", 0.78, low=0.22, high=1.34, n=51, events=19, method="sandwich"),
        Estimate("nb:model@0.2", 0.26, low=0.15, high=0.37, n=51, events=19, method="bootstrap by patient, 2000"),
        Estimate("nb:all@0.2", 0.2157, low=0.05, high=0.35, n=51, events=19, method="bootstrap by patient, 2000"),
        Estimate("nb:rival:volume@0.2", 0.22, low=0.1, high=0.33, n=51, events=19, method="bootstrap by patient, 2000"),
        Estimate("spearman:model:volume", 0.62, low=0.41, high=0.77, n=51, method="Fisher z"),
        Estimate("coverage:conformal", 0.902, low=0.79, high=0.967, n=51, method="Wilson"),
        Estimate("share:cannot-tell", 0.353, low=0.236, high=0.49, n=51, method="Wilson"),
        not_available("auc:model:leave-one-centre-out", "the cohort has one centre"),
        not_available("auc:model:centre:McGill", "19 events are fewer than 20", status="too_few", n=51, events=19),
    )
    return Evidence(
        "validate",
        inputs={"learn": "a1" * 32, "cohort": "b2" * 32, "describe": "c3" * 32},
        settings={"seed": 20240601, "folds": 5, "repeats": 10},
        code="d4" * 32,
        environment={"python": "3.11.2", "numpy": "2.4.1", "scikit-learn": "1.9.0", "threads": 1},
        estimates=estimates,
        facts=_sarcoma_facts(),
        warnings=(
            {
                "code": "too-few-events",
                "text": "19 events are too few for a validation claim; at least 100 events and 100 non-events are advised (Riley 2021).",
            },
            {
                "code": "one-centre",
                "text": "All patients come from one centre.",
                "fr": "Tous les patients viennent d'un seul centre : rien ne dit ce qu'il en est ailleurs.",
            },
        ),
    )


def _sarcoma_facts() -> dict[str, Any]:
    invariant = [f"stat_{n}" for n in ("mean", "var", "skew", "kurt", "median", "min", "p10", "p90", "max", "iqr")] + [
        "morph_volume",
        "morph_av",
        "morph_sphericity",
    ]
    return {
        "study": "radiomics",
        "data": "real",
        "volume": "morph_volume",
        "patients": 51,
        "events": 19,
        "centres": ["McGill"],
        "columns": 180,
        "question": {
            "en": "Does a radiomic model of the FDG-PET "
            "predict lung metastasis in soft-tissue sarcoma, and does it see more than size and uptake?",
            "fr": "Un modèle radiomique de la TEP au FDG prédit-il les métastases pulmonaires "
            "des sarcomes des tissus mous, et voit-il plus que la taille et la fixation ?",
        },
        "outcome": {
            "name": "lung_metastasis",
            "kind": "binary",
            "unit": "1",
            "horizon": None,
            "words": {"en": "lung metastasis", "fr": "métastase pulmonaire"},
        },
        "cohort": {
            "title": "Soft-tissue-sarcoma PET",
            "licence": "CC BY 3.0",
            "source": "TCIA, collection Soft-tissue-Sarcoma",
            "citation": "Vallières M et al. Phys Med Biol 2015;60:5471. doi:10.1088/0031-9155/60/14/5471",
        },
        "rivals": [
            {"name": "prevalence", "words": {"en": "the same risk for everybody", "fr": "le même risque pour tous"}},
            {"name": "volume", "words": {"en": "the lesion's volume alone", "fr": "le volume de la lésion seul"}},
            {"name": "suv_max", "words": {"en": "the highest uptake (SUVmax) alone", "fr": "la fixation maximale (SUVmax) seule"}},
        ],
        "controls": [
            {
                "name": "shuffled-voxels",
                "words": {"en": "the voxels inside the outline in random places", "fr": "les voxels du contour déplacés au hasard"},
                "invariant": invariant,
                "changed": 120,
            }
        ],
        "left_out": [{"patient": "STS_044", "reason": "the outline of STS_044 is empty"}],
        "missing": [{"column": "cm_info_corr1_3D_comb", "patients": 2, "reason": "the outline holds one grey level"}],
        "model": {
            "candidates": ["logistic", "forest"],
            "chosen": {"logistic": 12, "forest": 38},
            "locked": "logistic",
            "features": [
                {"name": "stat_max", "coefficient": 0.81},
                {"name": "cm_joint_entr_3D_comb", "coefficient": 0.34},
                {"name": "morph_volume", "coefficient": 0.29},
                {"name": "rlm_rlnu_3D_comb", "coefficient": -0.12},
            ],
        },
        "curves": _curves(),
        "limits": [
            {"en": "Deciding how a patient is treated or followed", "fr": "Décider du traitement ou du suivi d'un patient"},
            {
                "en": "Other tumours, tracers or scanners than those of this cohort",
                "fr": "D'autres tumeurs, traceurs ou appareils que ceux de cette cohorte",
            },
        ],
        "references": [
            "Zwanenburg A et al. Radiology 2020;295:328. doi:10.1148/radiol.2020191145",
            "DeLong ER et al. Biometrics 1988;44:837. doi:10.2307/2531595",
        ],
    }


def phantoms() -> Evidence:
    """Virtual patients of three centres, on whom the model beats its rivals and needs the texture."""
    real = sarcoma()
    estimates = (
        Estimate("auc:model", 0.86, low=0.81, high=0.9, n=300, events=120, method=DELONG),
        Estimate("auc:rival:volume", 0.7, low=0.64, high=0.76, n=300, events=120, method=DELONG),
        Estimate("auc:rival:suv_max", 0.74, low=0.68, high=0.8, n=300, events=120, method=DELONG),
        Estimate("auc:model-minus-volume", 0.16, low=0.1, high=0.22, n=300, events=120, method=PAIRED),
        Estimate("auc:model-minus-suv_max", 0.12, low=0.07, high=0.17, n=300, events=120, method=PAIRED),
        Estimate("auc:model:shuffled-voxels", 0.75, low=0.69, high=0.81, n=300, events=120, method=DELONG),
        Estimate("auc:model-minus-shuffled-voxels", 0.11, low=0.06, high=0.16, n=300, events=120, method=PAIRED),
        Estimate("auc:oracle", 0.89, low=0.85, high=0.92, n=300, events=120, method=DELONG),
        Estimate("auc:model:centre:C1", 0.88, low=0.8, high=0.93, n=100, events=44, method=DELONG),
        Estimate("auc:model:centre:C2", 0.84, low=0.75, high=0.9, n=100, events=41, method=DELONG),
        Estimate("auc:model:centre:C3", 0.85, low=0.76, high=0.91, n=100, events=35, method=DELONG),
        Estimate("auc:model:leave-one-centre-out", 0.83, low=0.77, high=0.88, n=300, events=120, method=DELONG),
        Estimate("auc:model:new-centre", 0.84, low=0.66, high=0.93, n=300, events=120, method="REML, Hartung-Knapp"),
    )
    facts = dict(real.facts) | {
        "data": "virtual",
        "patients": 300,
        "events": 120,
        "centres": ["C1", "C2", "C3"],
        "left_out": [],
        "missing": [],
        "cohort": {"title": "Virtual sarcoma PET", "licence": "CC0-1.0", "source": "onclair virtual radiomics", "citation": ""},
    }
    return replace(real, estimates=estimates, facts=facts, warnings=())


def silent() -> Evidence:
    """A record in which almost nothing could be estimated, whatever the reason."""
    reason = "the truth has one class: every patient is without the event; a figure that ranks needs both"
    names = (
        "auc:model",
        "auc:rival:volume",
        "auc:rival:suv_max",
        "auc:model-minus-volume",
        "auc:model:shuffled-voxels",
        "slope:model",
        "citl:model",
        "o_e:model",
    )
    estimates = (
        *(not_available(n, reason, n=12, events=0) for n in names),
        not_available("brier:model", "fewer than 20 events", status="too_few", n=12, events=0),
        Estimate("auc:model:centre:A", 0.66, low=0.2, high=0.94, n=6, events=3, status="too_few", reason="3 events are fewer than 20"),
    )
    facts = dict(sarcoma().facts) | {
        "patients": 12,
        "events": 0,
        "centres": ["A", "B"],
        "curves": [
            {
                "name": "calibration",
                "who": "model",
                "x": [],
                "y": [],
                "low": None,
                "high": None,
                "reason": "the risks hardly vary, so there is no curve to draw",
            }
        ],
    }
    return Evidence("validate", estimates=estimates, facts=facts)


def table_study() -> Evidence:
    """A table of survival with other rivals, no outline, no control; its title tries to be a script."""
    estimates = (
        Estimate("harrell:model", 0.71, low=0.66, high=0.76, n=686, events=299, method="infinitesimal jackknife"),
        Estimate("harrell:rival:clinical", 0.68, low=0.63, high=0.73, n=686, events=299, method="infinitesimal jackknife"),
        Estimate("harrell:model-minus-clinical", 0.03, low=0.011, high=0.049, n=686, events=299, method="infinitesimal jackknife"),
        Estimate("o_e@60:model", 1.08, low=0.95, high=1.22, n=686, events=299, method="log scale"),
    )
    facts = {
        "study": "table",
        "data": "real",
        "patients": 686,
        "events": 299,
        "centres": ["Ulm", "Köln <b>"],
        "columns": 9,
        "volume": None,
        "question": {
            "en": 'Does the clinical score hold for "others" & their hospitals?',
            "fr": "Le score clinique tient-il chez d'autres ?",
        },
        "outcome": {"name": "recurrence", "kind": "survival", "unit": "month", "horizon": 60.0},
        "cohort": {"title": "<script>alert('x')</script>", "source": "own & others"},
        "rivals": [{"name": "clinical", "words": {"en": "clinical variables alone", "fr": "variables cliniques seules"}}],
        "controls": [],
        "curves": [],
        "limits": [],
        "references": [],
    }
    return Evidence("validate", estimates=estimates, facts=facts)


RECORDS = {"sarcoma": sarcoma, "phantoms": phantoms, "silent": silent, "table": table_study}
