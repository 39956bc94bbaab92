"""Predictions on single cases as FHIR R5 `RiskAssessment`: of a finding, or of a list of cases and probabilities.

FHIR states `probabilityDecimal` in percent (R5, RiskAssessment.prediction.probability[x]: "decimal values are expressed as
percentages as well (max = 100)"); the probability as the model gave it stands in `rationale`, so that nobody takes one for the
other.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from onclair.core.canonical import sha256_of
from onclair.core.errors import BadInput
from onclair.core.words import Language, Words
from onclair.io.cohorts.codes import checked_code
from onclair.report.fhir import EVIDENCE, NAMESPACE, RESEARCH_ONLY, TEST_DATA, UCUM, VIRTUAL, Resource, absent

#: Systems of the identifiers that are Onclair's own.
CASE, ASSESSMENT, MODEL = "urn:onclair:case", "urn:onclair:risk-assessment", "urn:onclair:model"
#: What a finding's status is in FHIR; a rejected answer may not be used by anybody.
STATUS = {"preliminary": "preliminary", "accepted": "final", "modified": "amended", "rejected": "entered-in-error"}
NO_RISK = Words("The model gave no probability.", "Le modèle n'a donné aucune probabilité.")
AS_GIVEN = Words("Probability as the model gave it, from 0 to 1: {p}", "Probabilité telle que le modèle l'a donnée, de 0 à 1 : {p}")
INTERVAL = Words("interval {low} to {high}", "intervalle de {low} à {high}")


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a list of predictions is of.

    Attributes
    ----------
    outcome : str
    model : str
        The model's name or hash.
    evidence : str or None
        Id of the evidence that the model rests on.
    horizon_months : float or None
    data : {"real", "virtual"}
    """

    outcome: str
    model: str
    evidence: str | None = None
    horizon_months: float | None = None
    data: str = "real"


def risk_assessment(finding: Mapping[str, Any], language: Language = "en") -> Resource:
    """Return the RiskAssessment of one `finding.json`.

    Parameters
    ----------
    finding : mapping
        As :meth:`onclair.core.finding.Finding.as_dict` gives it. The subject is its pseudonym, as a logical reference.
    language : {"en", "fr"}

    Returns
    -------
    dict
        An answer that "cannot tell" carries no probability but the reason, as does a finding without a risk. The status follows
        the review: ``preliminary``, ``final``, ``amended``, or ``entered-in-error`` where a named person rejected the answer.

    Raises
    ------
    BadInput
        For a subject that looks like a name, a date or an address, or a probability outside [0, 1].

    Examples
    --------
    >>> finding = {"subject": "P1", "status": "preliminary", "risk": {"outcome": "relapse", "probability": 0.29}}
    >>> told = risk_assessment(finding)["prediction"][0]
    >>> told["probabilityDecimal"], told["outcome"]["text"]
    (29.0, 'relapse')
    """
    model, answer = finding.get("model") or {}, finding.get("answer") or {}
    resource = {
        "resourceType": "RiskAssessment",
        "id": _identity(finding),
        "meta": {"tag": [TEST_DATA]} if finding.get("data") == "virtual" else {},
        "language": language,
        "identifier": [{"system": ASSESSMENT, "value": sha256_of(dict(finding))}],
        "status": STATUS[str(finding.get("status", "preliminary"))],
        "method": _method(" ".join(str(model[k]) for k in ("id", "version", "sha256") if model.get(k)), str(model.get("sha256") or "")),
        "subject": _subject(str(finding["subject"])),
        "occurrenceDateTime": finding.get("created"),
        "basis": _basis(finding.get("evidence")),
        "prediction": [_prediction(finding.get("risk") or {}, answer, language)],
        "note": [*_cautions(str(finding.get("data")), language), *_review(finding.get("review"))],
    }
    return {key: value for key, value in resource.items() if value not in (None, "", [], {})}


def risk_assessments(predictions: Iterable[tuple[str, float | None]], claimed: Claimed, language: Language = "en") -> Resource:
    """Return a Bundle of RiskAssessment, one for each case.

    Parameters
    ----------
    predictions : iterable of (str, float or None)
        A case's pseudonym and its probability in [0, 1]; None where the model gave none.
    claimed : Claimed
    language : {"en", "fr"}

    Raises
    ------
    BadInput
        For a pseudonym that looks like a name, a date or an address, one that comes twice, or a probability outside [0, 1].

    Examples
    --------
    >>> bundle = risk_assessments([("P1", 0.12), ("P2", None)], Claimed("relapse", "basic"))
    >>> [entry["resource"]["prediction"][0].get("probabilityDecimal") for entry in bundle["entry"]]
    [12.0, None]
    """
    made: dict[str, Resource] = {}
    for case, probability in predictions:
        if case in made:
            raise BadInput(f"The case '{case}' comes twice in the list of predictions; give each case once.", item=case)
        made[case] = risk_assessment(_as_finding(case, probability, claimed), language)
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in made.values()]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return {key: value for key, value in bundle.items() if value}


def render_risk(resource: Mapping[str, Any]) -> str:
    """Return a resource or bundle as JSON text with one line end.

    Examples
    --------
    >>> render_risk({"resourceType": "Bundle"}).splitlines()[1]
    '  "resourceType": "Bundle"'
    """
    return json.dumps(dict(resource), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def percent(probability: float) -> float:
    """Return a probability in percent, its decimal point moved and no digit changed.

    Raises
    ------
    BadInput
        Outside [0, 1].

    Examples
    --------
    >>> percent(0.29), 100 * 0.29
    (29.0, 28.999999999999996)
    """
    if not (math.isfinite(probability) and 0 <= probability <= 1):
        raise BadInput(f"The probability {probability} lies outside [0, 1]; give it as a share, such as 0.25.", item=str(probability))
    return float(Decimal(repr(float(probability))).scaleb(2))


def _as_finding(case: str, probability: float | None, claimed: Claimed) -> dict[str, Any]:
    risk = {"outcome": claimed.outcome, "probability": probability, "horizon_months": claimed.horizon_months}
    return {"subject": case, "data": claimed.data, "model": {"id": claimed.model}, "evidence": claimed.evidence, "risk": risk}


def _identity(finding: Mapping[str, Any]) -> str:
    """Return an id that follows from what the finding says, so that the same finding gives the same resource."""
    return str(uuid.uuid5(NAMESPACE, sha256_of(dict(finding))))


def _subject(case: str) -> Resource:
    return {"type": "Patient", "identifier": {"system": CASE, "value": checked_code(case, where="the predictions")}}


def _method(text: str, sha256: str) -> Resource:
    coding = {"coding": [{"system": MODEL, "code": sha256}]} if sha256 else {}
    return {**coding, "text": text} if text else {}


def _basis(evidence: Any) -> list[Resource]:
    return [{"type": "Evidence", "identifier": {"system": EVIDENCE, "value": str(evidence)}}] if evidence else []


def _prediction(risk: Mapping[str, Any], answer: Mapping[str, Any], language: Language) -> Resource:
    """Return the prediction, or that there is none and why."""
    probability = None if answer.get("value") == "cannot_tell" else risk.get("probability")
    told: Resource = {"outcome": {"text": str(risk["outcome"])}} if risk.get("outcome") else {}
    if probability is None:
        told |= {"_probabilityDecimal": {"extension": absent("not-performed" if not risk else "unknown")}}
    else:
        told |= {"probabilityDecimal": percent(float(probability))}
    if answer.get("value"):
        told["qualitativeRisk"] = {"text": str(answer["value"])}
    if risk.get("horizon_months") is not None:
        told["whenRange"] = {end: _months(value) for end, value in (("low", 0.0), ("high", float(risk["horizon_months"])))}
    reason = str(answer.get("reason") or NO_RISK.in_(language))
    return {**told, "rationale": reason if probability is None else _as_given(risk, language)}


def _as_given(risk: Mapping[str, Any], language: Language) -> str:
    text = AS_GIVEN.in_(language).format(p=repr(float(risk["probability"])))
    if risk.get("low") is None or risk.get("high") is None:
        return f"{text}."
    return f"{text}; {INTERVAL.in_(language).format(low=repr(float(risk['low'])), high=repr(float(risk['high'])))}."


def _months(value: float) -> Resource:
    return {"value": value, "unit": "month", "system": UCUM, "code": "mo"}


def _cautions(data: str, language: Language) -> list[Resource]:
    told = [RESEARCH_ONLY, VIRTUAL] if data == "virtual" else [RESEARCH_ONLY]
    return [{"text": words.in_(language)} for words in told]


def _review(review: Mapping[str, Any] | None) -> list[Resource]:
    """Return who reviewed the answer, when, and what they said."""
    if not review:
        return []
    text = ": ".join(str(review[key]) for key in ("action", "reason") if review.get(key))
    note = {"authorString": review.get("by"), "time": review.get("at"), "text": text or str(review.get("role"))}
    return [{key: value for key, value in note.items() if value}]
