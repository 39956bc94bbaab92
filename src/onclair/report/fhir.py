"""The record as FHIR R5: a Bundle of `Evidence` resources, one for each claim in each group of patients.

No patient, host, path or time stands in it; identifiers follow from the evidence's own id, so the same record gives the same
bytes. What could not be estimated is said to be absent, with its reason, and is never a 0.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language, Words
from onclair.report.html import conclusion, question
from onclair.report.reading import Name, figure_label, is_validation, is_virtual, outcome_name, place_label, read_name, who_label
from onclair.report.validation_names import NEW, claim_figure, claim_name, claim_where, claim_who

#: Systems of the identifiers and codes that are Onclair's own.
EVIDENCE, ESTIMATES, FIGURE = "urn:onclair:evidence", "urn:onclair:estimates", "urn:onclair:figure"
UCUM = "http://unitsofmeasure.org"
ROLES = "http://terminology.hl7.org/CodeSystem/variable-role"
ATTRIBUTES = "http://terminology.hl7.org/CodeSystem/attribute-estimate-type"
USE_CONTEXT = "http://terminology.hl7.org/CodeSystem/usage-context-type"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
#: HL7's tag for what is no real person's record.
TEST_DATA = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST", "display": "test health data"}
CONFIDENCE = {"coding": [{"system": ATTRIBUTES, "code": "C53324", "display": "Confidence interval"}]}
PREDICTION = {"text": "Prediction interval for a new centre"}

RESEARCH_ONLY = Words(
    "Research use only: no basis for deciding on a patient.", "Recherche seulement : ne fonde aucune décision pour un patient."
)
VIRTUAL = Words(
    "Virtual patients: no figure here says anything about a person.", "Patients virtuels : aucun chiffre ne dit rien d'une personne."
)
WHOLE = Words("all patients of the record", "tous les patients de l'enregistrement")
COUNTED = Words("{n}, counted as the method says", "{n}, comptés comme le dit la méthode")
#: Where a figure's `n` may count centres or refits instead of patients.
NOT_PATIENTS = frozenset({"centres", "new-centre", "tau2", "shuffled-labels"})
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, EVIDENCE)

Resource = dict[str, Any]


def fhir_bundle(evidence: Evidence, language: Language = "en") -> Resource:
    """Return the record as a FHIR R5 Bundle of type ``collection``.

    Parameters
    ----------
    evidence : Evidence
        Of the `validate` stage.
    language : {"en", "fr"}
        Of titles and labels; methods and reasons stand as the record has them.

    Returns
    -------
    dict
        One `Evidence` for each of whom, in each group of patients: population, exposure (the model or strategy) and outcome as
        its variables, and a statistic for each figure. The estimate's name is ``statisticType.text``, its figure the code
        beside it, its method the description; interval, level and standard error are attribute estimates.

    References
    ----------
    HL7 FHIR R5 (5.0.0), Evidence; Alper BS et al. Making science computable. J Biomed Inform 2021. doi:10.1016/j.jbi.2021.103719

    Examples
    --------
    >>> record = Evidence("validate", estimates=(Estimate("auc:model", 0.8, low=0.7, high=0.9),))
    >>> bundle = fhir_bundle(record)
    >>> bundle["type"], bundle["entry"][0]["resource"]["statistic"][0]["quantity"]["value"]
    ('collection', 0.8)
    """
    identity = evidence.id
    groups: dict[tuple[str, str], list[Estimate]] = {}
    for estimate in evidence.estimates:
        name = _name(evidence, estimate.name)
        groups.setdefault((name.who, name.where), []).append(estimate)
    made = [
        _evidence(evidence, "/".join(part for part in (identity, *group) if part), group, estimates, language)
        for group, estimates in groups.items()
    ]
    if made:
        made[0]["assertion"] = conclusion(evidence, language).sentence
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in made]
    bundle = {
        "resourceType": "Bundle",
        "id": identity,
        "meta": _meta(is_virtual(evidence)),
        "identifier": {"system": EVIDENCE, "value": identity},
        "type": "collection",
        "entry": entries,
    }
    return {key: value for key, value in bundle.items() if value}


def render_fhir(evidence: Evidence, language: Language = "en") -> str:
    """Return the bundle as JSON text with one line end; the same record gives the same bytes.

    Examples
    --------
    >>> render_fhir(Evidence("validate")).splitlines()[1]
    '  "resourceType": "Bundle",'
    """
    return json.dumps(fhir_bundle(evidence, language), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def concept(text: str, system: str = "", code: str = "") -> Resource:
    """Return a CodeableConcept with its text, coded where a code is given.

    Examples
    --------
    >>> concept("AUC")
    {'text': 'AUC'}
    """
    coding = {"coding": [{"system": system, "code": code, "display": text}]} if code else {}
    return {**coding, "text": text}


def absent(reason: str = "unknown") -> list[Resource]:
    """Return the extension that says that a value is not there.

    Examples
    --------
    >>> absent()[0]["valueCode"]
    'unknown'
    """
    return [{"url": ABSENT, "valueCode": reason}]


def research_only(language: Language) -> Resource:
    """Return the use context of everything that Onclair writes: research, no decision on a patient."""
    coding = {"system": USE_CONTEXT, "code": "workflow", "display": "Workflow Setting"}
    return {"code": coding, "valueCodeableConcept": {"text": RESEARCH_ONLY.in_(language)}}


def _meta(virtual: bool) -> Resource:
    return {"tag": [TEST_DATA]} if virtual else {}


def _name(evidence: Evidence, name: str) -> Name:
    """Return the parts of an estimate's name, by the grammar of its kind of run."""
    if not is_validation(evidence):
        return read_name(name)
    found = claim_name(name)
    return Name("", found.figure, found.at, found.who, found.where)


def _evidence(evidence: Evidence, key: str, of: tuple[str, str], estimates: Iterable[Estimate], language: Language) -> Resource:
    """Return the Evidence on one claim in one group of patients."""
    who, where = of
    claim, group = _who(evidence, who, language), _where(evidence, where, language)
    about = [str(question(evidence, language)), RESEARCH_ONLY.in_(language)]
    about += [VIRTUAL.in_(language)] if is_virtual(evidence) else []
    resource = {
        "resourceType": "Evidence",
        "id": str(uuid.uuid5(NAMESPACE, key)),
        "meta": _meta(is_virtual(evidence)),
        "language": language,
        "identifier": [{"system": ESTIMATES, "value": key}],
        "title": " · ".join(part for part in (claim, group) if part),
        "status": "draft",
        "experimental": is_virtual(evidence),
        "useContext": [research_only(language)],
        "description": " ".join(about),
        "relatedArtifact": _artifacts(evidence),
        "variableDefinition": _variables(evidence, who, group, language),
        "studyDesign": _design(evidence),
        "statistic": [_statistic(evidence, e, language) for e in estimates],
    }
    return {name: value for name, value in resource.items() if value not in ({}, [], "")}


def _who(evidence: Evidence, who: str, language: Language) -> str:
    return claim_who(who, language) if is_validation(evidence) else who_label(who, evidence.facts, language)


def _where(evidence: Evidence, where: str, language: Language) -> str:
    if not where:
        return ""
    return claim_where(where, language) if is_validation(evidence) else place_label(where, language)


def _variables(evidence: Evidence, who: str, group: str, language: Language) -> list[Resource]:
    """Return population, exposure (for a difference also what it is compared with) and outcome; R5 wants at least one."""
    cohort = str((evidence.facts.get("cohort") or {}).get("title") or evidence.facts.get("title") or "")
    one, _, other = who.partition("-minus-")
    rival = other if is_validation(evidence) or not other else _study_rival(evidence, other)
    told = [
        ("subpopulation" if group else "population", " · ".join(part for part in (cohort, group or WHOLE.in_(language)) if part)),
        ("exposure", _who(evidence, one, language)),
        ("referenceExposure", _who(evidence, rival, language) if rival else ""),
        ("measuredVariable", _outcome(evidence, language)),
    ]
    return [{"description": text, "variableRole": {"coding": [{"system": ROLES, "code": role}]}} for role, text in told if text]


def _study_rival(evidence: Evidence, name: str) -> str:
    """Return who a study's model is compared with: a rival, or what the name says by itself."""
    return f"rival:{name}" if name in {str(r["name"]) for r in evidence.facts.get("rivals") or ()} else name


def _outcome(evidence: Evidence, language: Language) -> str:
    outcome = evidence.facts.get("outcome") or {}
    horizon = outcome.get("horizon")
    unit = str(outcome.get("unit") or "").strip("1")
    by = f" (≤ {horizon:g} {unit}".rstrip() + ")" if horizon is not None else ""
    return f"{outcome_name(evidence, language)}{by}" if outcome else ""


def _design(evidence: Evidence) -> list[Resource]:
    """Return the design that the plan declares; a study's run declares none."""
    return [{"text": str(evidence.facts["design"])}] if evidence.facts.get("design") else []


def _artifacts(evidence: Evidence) -> list[Resource]:
    """Return where the data come from, and the publications that the study rests on."""
    origin = (evidence.facts.get("cohort") or {}).get("citation")
    told = [("derived-from", origin)] if origin else []
    told += [("cites", text) for text in evidence.facts.get("references") or ()]
    return [{"type": kind, "citation": str(text)} for kind, text in told]


def _statistic(evidence: Evidence, estimate: Estimate, language: Language) -> Resource:
    """Return one figure: its value or that it is absent, what it rests on, its interval and its error."""
    name = _name(evidence, estimate.name)
    statistic: Resource = {
        "description": estimate.method,
        "note": [] if estimate.status == "ok" else [{"text": f"{estimate.status}: {estimate.reason}"}],
        "statisticType": {**concept(_figure(evidence, name, language), FIGURE, name.figure), "text": estimate.name},
        "quantity": quantity(estimate.value, estimate.unit),
        "numberOfEvents": estimate.events,
        "sampleSize": _sample(evidence, estimate, name, language),
        "attributeEstimate": _attributes(estimate, name.where),
        "modelCharacteristic": _threshold(name.at),
    }
    return {key: value for key, value in statistic.items() if value not in (None, "", [], {})}


def _figure(evidence: Evidence, name: Name, language: Language) -> str:
    return claim_figure(name.figure, language, name.at) if is_validation(evidence) else figure_label(name, language)


def quantity(value: float | None, unit: str = "1") -> Resource:
    """Return a Quantity; one that is absent says so.

    Examples
    --------
    >>> quantity(0.8)
    {'value': 0.8, 'system': 'http://unitsofmeasure.org', 'code': '1'}
    >>> quantity(38.7, "per 100 patients")
    {'value': 38.7, 'unit': 'per 100 patients'}
    >>> quantity(None)["extension"][0]["valueCode"]
    'unknown'
    """
    if value is None:
        return {"extension": absent()}
    return {"value": value, "system": UCUM, "code": "1"} if unit == "1" else {"value": value, "unit": unit}


def _sample(evidence: Evidence, estimate: Estimate, name: Name, language: Language) -> Resource:
    """Return how many stand behind a figure; participants only where what is counted can be nothing else."""
    if estimate.n is None:
        return {}
    rows, patients = evidence.facts.get("rows"), evidence.facts.get("patients")
    if rows is not None and rows == patients and name.where not in NOT_PATIENTS:
        return {"numberOfParticipants": estimate.n}
    told: Resource = {"description": COUNTED.in_(language).format(n=estimate.n)}
    whole = patients is not None and not name.where and estimate.n in (rows, patients)
    return {**told, "numberOfParticipants": patients} if whole else told


def _attributes(estimate: Estimate, where: str) -> list[Resource]:
    """Return interval and standard error, those of the two that there are."""
    ends = {end: {"value": value} for end, value in (("low", estimate.low), ("high", estimate.high)) if value is not None}
    told: list[Resource] = [{"type": PREDICTION if where == NEW else CONFIDENCE, "level": estimate.level, "range": ends}] if ends else []
    if estimate.se is not None:
        told.append({"type": {"text": f"Standard error on the {estimate.scale} scale"}, "quantity": {"value": estimate.se}})
    return told


def _threshold(at: str) -> list[Resource]:
    """Return the threshold or time that a figure is taken at."""
    try:
        return [{"code": {"text": "taken at"}, "value": {"value": float(at)}}] if at else []
    except ValueError:
        return [{"code": {"text": f"taken at {at}"}}]


def names_of(bundle: Mapping[str, Any]) -> Iterable[str]:
    """Return the names of a bundle's estimates, in its order.

    Examples
    --------
    >>> list(names_of(fhir_bundle(Evidence("validate", estimates=(Estimate("brier:model", 0.2),)))))
    ['brier:model']
    """
    for entry in bundle.get("entry", ()):
        for statistic in entry["resource"].get("statistic", ()):
            yield statistic["statisticType"]["text"]
