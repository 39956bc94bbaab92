"""`onclair apply` on an audit's run: the audited card or network scores new cases, and says what the audit found of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.cohort import Cohort
from onclair.core.errors import BadInput
from onclair.core.evidence import Evidence
from onclair.core.finding import Finding
from onclair.core.values import Image, Mask
from onclair.explain.similar import Reference
from onclair.io.cards import SUMS, Card, card_from, model_record
from onclair.io.tables import read_table
from onclair.run.applying import Applied, Asked, answered, refuse_to_answer
from onclair.run.store import claim_of
from onclair.science.radiomics.features import Features
from onclair.science.statistics.formula import formula_of
from onclair.studies.tasks.radiomics_audit import MODEL
from onclair.studies.tasks.radiomics_audit_measure import features_of, read_case, rivals_of
from onclair.studies.tasks.radiomics_audit_nearest import described, known_cases, nearest_cases
from onclair.studies.tasks.radiomics_audit_plan import Reading, network_reading, reading_of
from onclair.studies.tasks.radiomics_audit_score import faults, score_formula
from onclair.studies.tasks.radiomics_audit_scorer import kept_model, network_engine

#: SNOMED CT's words for the outlined lesion.
LESION: Mapping[str, Any] = {
    "value": 1,
    "label": "Lesion",
    "category": ["49755003", "SCT", "Morphologically abnormal structure"],
    "type": ["52988006", "SCT", "Lesion"],
    "algorithm": "MANUAL",
}
#: The unit of each rival, and what a finding calls it.
MEASURES: Mapping[str, tuple[str, str]] = {
    "volume": ("lesion_volume", "mm3"),
    "suv_max": ("suv_max", "SUV"),
    "suv_peak": ("suv_peak", "SUV"),
    "mtv": ("mtv", "mm3"),
    "tlg": ("tlg", "SUV mm3"),
}
#: The kinds of image that a card which names none may read.
KINDS = ("pet", "ct", "mr")
#: What an audit's word of replication means for one patient.
WHY: Mapping[str, str] = {
    "insufficient": "the audit had too few patients to say whether the model holds",
    "not_replicated": "the model did not hold where it was audited",
    "not_replicable": "the card does not say what the score needs",
}
#: What explains a score, in words.
EXPLAINED: Mapping[str, str] = {
    "volume": "lesion volume",
    "intensity": "intensities whatever their place",
    "batch": "which scanner or centre the patient came from",
}


@dataclass(frozen=True)
class AuditedModel:
    """A verified audit, ready to answer.

    Attributes
    ----------
    claim : Evidence
        The validate record: verdict, figures, card.
    card : Card
    reading : Reading
        What is measured on a case.
    sha256 : str
        Of the card or the network.
    known : DataFrame
        Features of the patients of the audit, by patient.
    scores : DataFrame
        ``patient score event`` and the rivals of the same.
    """

    claim: Evidence
    card: Card
    reading: Reading
    sha256: str
    known: pd.DataFrame = field(default_factory=pd.DataFrame)
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """What a case needs: the image that the card reads, and its outline."""
        return (self.reading.kind, "mask") if self.reading.kind else ("mask",)

    @cached_property
    def neighbours(self) -> Reference | str:
        """The audited patients to compare a case with, or why there are none."""
        return known_cases(self.known, self.scores)

    @property
    def verdict(self) -> Mapping[str, Any]:
        """What the audit found."""
        found: Mapping[str, Any] = self.claim.facts["verdict"]
        return found


def opened_audit(root: Path, *, allow_code: bool = False) -> AuditedModel:
    """Return the audited model of a run, after verifying every byte of it.

    Parameters
    ----------
    root : Path
    allow_code : bool
        Whether code that the card of a network names may be run.

    Raises
    ------
    BadInput
        When the audit judged a list of features, which has no score, or the network is code that is not allowed.
    CheckFailed
        When the run does not verify.
    """
    refuse_to_answer(root)
    claim = claim_of(root)
    if "network" in claim.facts:
        card, engine = network_engine(kept_model(root / "validate" / MODEL), allow_code=allow_code)
        return _known(root, AuditedModel(claim, card, network_reading(card, engine), engine.sha256))
    card = card_from(json.loads((root / "validate" / "card.json").read_bytes()))
    if card.model.kind == "survey":
        raise BadInput(f"The audit in {root} judged a list of features one by one; it has no score to apply.", item=card.name)
    return _known(root, AuditedModel(claim, card, reading_of(card), card.sha256))


def _known(root: Path, model: AuditedModel) -> AuditedModel:
    """Return the model with the patients whom the audit knew."""
    known = read_table(root / "validate" / "features.csv", text=("patient",)).frame.set_index("patient")
    return replace(model, known=known, scores=read_table(root / "validate" / "scores.csv", text=("patient",)).frame)


def apply_audit(model: AuditedModel, asked: Asked) -> list[Applied]:
    """Score each new case and write ``OUT/PATIENT/finding.json``; errors as :func:`onclair.run.applying.apply`.

    Parameters
    ----------
    model : AuditedModel
    asked : Asked
        A cohort folder, or files named ``CASE_pet.nii.gz`` and ``CASE_mask.nii.gz``.
    """
    kinds = model.kinds if model.reading.kind else _kinds_in(asked)
    return answered(kinds, partial(finding_of, model), asked)


def finding_of(model: AuditedModel, cohort: Cohort, patient: str) -> tuple[Finding, dict[str, Mask]]:
    """Return what an audited model says of one case, and its outline.

    The score stands in `estimates` and `detail` whatever the verdict; the answer is ``cannot_tell`` unless the audit said ``replicated``,
    explained by nothing, and the card has a cut-off.

    Raises
    ------
    BadCase
        When the case's files cannot be used.
    """
    image, region = read_case(cohort, patient, model.reading)
    features, rivals = features_of(image.array, region, image.spacing_mm, model.reading), rivals_of(image, region, model.reading)
    score, why = score_of(model, features, patient)
    virtual = "virtual" in (cohort.about.data, model.claim.facts.get("data"))
    finding = Finding(
        study="radiomics",
        subject=patient,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        data="virtual" if virtual else "real",
        model={"id": f"radiomics:{model.card.name}", "version": str(model.claim.environment["onclair"]), "sha256": model.sha256},
        evidence=model.claim.id,
        masks=({"file": "lesion.nii.gz", "segments": [dict(LESION)]},),
        estimates=tuple(_measures(score, rivals)),
        risk=risk_of(model, features) if score is not None else None,
        answer=answer_of(model, score, why, int(region.sum())),
        detail={**_detail(model, features, score), "nearest": _nearest(model, features, rivals, patient)},
        warnings=tuple(_warnings(model, features, score, patient)),
    )
    return finding, {"lesion.nii.gz": _outline(image, region)}


def score_of(model: AuditedModel, features: Features, patient: str) -> tuple[float | None, str]:
    """Return a case's score, or None and why there is none."""
    if model.reading.lacking:
        return None, WHY["not_replicable"]
    row = pd.DataFrame([features.values], index=[patient]).astype(float)  # noqa: PD011
    bad = faults(model.card, row, {patient: features.reasons})
    if bad:
        return None, bad[patient]
    return float(score_formula(model.card).linear_predictor({str(c): row[c].to_numpy() for c in row.columns})[0]), ""


def risk_of(model: AuditedModel, features: Features) -> dict[str, Any] | None:
    """Return the card's own risk, where its intercept or baseline gives one; it has no interval, since the card gives none."""
    card = model.card
    constant = card.model.baseline if card.model.kind == "cox" else card.model.intercept
    if card.model.kind not in SUMS or card.model.kind == "linear" or constant is None:
        return None
    formula, outcome = formula_of(model_record(card).document), model.claim.facts["outcome"]
    published = () if formula.baseline is None else formula.baseline.horizons
    horizon = card.about.horizon if card.about.horizon in published else published[-1] if published else None
    risk = formula.predict({name: np.array([value]) for name, value in features.values.items()}, horizon=horizon)  # noqa: PD011
    unit = "" if formula.baseline is None else formula.baseline.unit
    months = _months(horizon, unit or str(outcome.get("unit") or "")) if horizon is not None else outcome.get("horizon")
    return {"outcome": outcome["name"], "probability": float(risk[0]), "low": None, "high": None, "horizon_months": months}


def answer_of(model: AuditedModel, score: float | None, why: str, voxels: int) -> dict[str, Any]:
    """Return the answer: a side of the card's cut-off where the audit bears it out, else that it cannot be told, and why."""
    verdict, reasons = model.verdict, []
    if score is None:
        reasons.append(why)
    if voxels == 1:
        reasons.append("the outline is a single voxel, which has no texture and no shape to read")
    if verdict["replication"] != "replicated":
        reasons.append(WHY.get(str(verdict["replication"]), "the audit gave no verdict"))
    told = [EXPLAINED[each] for each in verdict["explained_by"]]
    if told:
        reasons.append(f"what the score measured there was {' and '.join(told)}")
    cutoff = _cutoff(model.card)
    if not reasons and cutoff is None:
        reasons.append("the card gives no cut-off, so a score falls on neither side")
    if reasons or score is None or cutoff is None:
        text = "; ".join(dict.fromkeys(reasons))
        return {"value": "cannot_tell", "reason": f"{text[:1].upper()}{text[1:]}."}
    return {"value": "likely" if score > cutoff else "unlikely", "reason": None}


def _cutoff(card: Card) -> float | None:
    """Return the card's cut-off on the scale of the score."""
    if card.model.kind not in SUMS or card.model.cutoff is None:
        return card.model.cutoff
    return float(model_record(card).document["thresholds"][0])


def _measures(score: float | None, rivals: Features) -> Iterator[dict[str, Any]]:
    if score is not None:
        yield _measure("score", score, "1")
    for name, value in rivals.values.items():  # noqa: PD011
        called, unit = MEASURES.get(name, (name, "1"))
        yield {**_measure(called, value if math.isfinite(value) else None, unit), "segment": 1}


def _measure(name: str, value: float | None, unit: str) -> dict[str, Any]:
    return {"name": name, "value": value, "low": None, "high": None, "level": None, "unit": unit}


def _detail(model: AuditedModel, features: Features, score: float | None) -> dict[str, Any]:
    """Return what stands behind the score: the audit's word, where the score lies among the audited, and the features."""
    facts = model.claim.facts
    audit = {**model.verdict, "patients": facts["patients"], "events": facts["events"], "missing": list(model.card.missing)}
    values = {name: value if math.isfinite(value) else None for name, value in features.values.items()}  # noqa: PD011
    return {"audit": audit, "score": score, "above_share": _above(model, score), "features": values, "missing": dict(features.reasons)}


def _nearest(model: AuditedModel, features: Features, rivals: Features, patient: str) -> dict[str, Any]:
    """Return the audited patients that the case is most like, and how they fared; or why there is none."""
    known = model.neighbours
    if isinstance(known, str):
        return {"cases": [], "reason": known}
    one = described(pd.DataFrame([features.values]), pd.DataFrame([rivals.values]))  # noqa: PD011
    return nearest_cases(known, dict(one.iloc[0]), model.scores, patient)


def _above(model: AuditedModel, score: float | None) -> float | None:
    """Return the share of the audited patients whose score is lower."""
    known = model.scores["score"].dropna().to_numpy(dtype=np.float64)
    return None if score is None or not known.size else float((known < score).mean())


def _warnings(model: AuditedModel, features: Features, score: float | None, patient: str) -> Iterator[dict[str, str]]:
    """Yield what a reader must know of this case: what the audit warned of, and that it is unlike the patients of the audit."""
    for each in model.claim.warnings:
        if each["code"] in ("too_few_events", "virtual"):
            yield {"code": str(each["code"]), "text": str(each["text"])}
    if patient in set(model.scores["patient"]):
        text = "A patient of this pseudonym was in the audit: this answer is of no new case."
        yield {"code": "audited", "text": text}
    outside = [name for name in model.known.columns if _outside(features.values.get(str(name)), model.known[name])]  # noqa: PD011
    if outside and score is not None:
        first, more = outside[0], f" and {len(outside) - 1} more" if len(outside) > 1 else ""
        text = f"No patient of the audit had such a value of {first}{more}: the score reaches beyond what was audited."
        yield {"code": "unlike", "text": text}
    if model.card.missing:
        yield {"code": "card_missing", "text": f"The card does not say {len(model.card.missing)} things, {model.card.missing[0]} first."}


def _outside(value: float | None, known: pd.Series) -> bool:
    numbers = pd.to_numeric(known, errors="coerce").dropna()
    return value is not None and math.isfinite(value) and bool(len(numbers)) and not numbers.min() <= value <= numbers.max()


def _outline(image: Image, region: npt.NDArray[np.bool_]) -> Mask:
    return Mask(region[None], image.affine, ("Lesion",), "expert")


def _kinds_in(asked: Asked) -> tuple[str, ...]:
    """Return the kinds among loose files or in a cohort, of a card that does not say which image it reads."""
    names = [inside.name for path in asked.inputs for inside in (path.iterdir() if path.is_dir() else (path,))]
    found = [kind for kind in KINDS if any(f"_{kind}." in name for name in names)]
    return (*found[:1], "mask")


def _months(time: float, unit: str) -> float | None:
    """Return a length of time in months; None where its unit is not known.

    Examples
    --------
    >>> _months(5.0, "year"), _months(365.25, "days"), _months(5.0, "")
    (60.0, 12.0, None)
    """
    months = {"month": 1.0, "year": 12.0, "day": 12.0 / 365.25, "week": 84.0 / 365.25}.get(unit.strip().lower().removesuffix("s"))
    return None if months is None else round(time * months, 6)


__all__ = ["AuditedModel", "answer_of", "apply_audit", "finding_of", "opened_audit", "risk_of", "score_of"]
