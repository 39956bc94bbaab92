"""The site log as FHIR R5: a Specimen and a preliminary Observation a site, and what the pathologist said in an Observation of its own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from onclair.core.words import Language, Words
from onclair.io.cohorts.codes import checked_code
from onclair.report.fhir import NAMESPACE, RESEARCH_ONLY, TEST_DATA, UCUM, VIRTUAL, Resource, absent, concept
from onclair.report.fhir_risk import CASE, MODEL, STATUS

Site = Mapping[str, Any]
#: Systems of the identifiers and codes that are Onclair's own.
SITE, LIVE = "urn:onclair:site", "urn:onclair:live"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
#: What a review of the answer makes of its status.
REVIEWED = {"accept": STATUS["accepted"], "modify": STATUS["modified"], "reject": STATUS["rejected"]}

ANSWER = Words("Answer of the model at the biopsy site", "Réponse du modèle au site de biopsie")
SAID = {
    "suspect": Words("suspect", "suspect"),
    "not_suspect": Words("not suspect", "non suspect"),
    "cannot_tell": Words("cannot tell", "ne peut se prononcer"),
}
PROBABILITY = Words("Probability as the model gave it, 0 to 1", "Probabilité telle que le modèle l'a donnée, de 0 à 1")
SEALED = Words("The answer is sealed until pathology is in.", "La réponse est scellée jusqu'à l'anatomopathologie.")
NO_ANSWER = Words("No model answered at this site.", "Aucun modèle n'a répondu à ce site.")
DIAGNOSIS = Words("Diagnosis of the pathologist at the biopsy site", "Diagnostic de l'anatomopathologiste au site de biopsie")
INFILTRATION = Words("Infiltration, share of tumour cells", "Infiltration, part de cellules tumorales")
PLACE = Words("{axis}, LPS, of the navigation frame", "{axis}, LPS, du repère de navigation")
SPECIMEN = Words("Biopsy of the brain", "Biopsie cérébrale")
REGISTRATION = Words("Registration error of the navigation frame", "Erreur de recalage du repère de navigation")


def sites_bundle(sites: Sequence[Site], about: Mapping[str, Any], language: Language = "en") -> Resource:
    """Return the site log as a FHIR R5 Bundle of type ``collection``.

    Parameters
    ----------
    sites : sequence of mapping
        As :func:`onclair.run.sites.record_of` makes them.
    about : mapping
        ``session`` (SHA-256 of what was locked), ``subject`` (a pseudonym, or None), ``data`` ("real" or "virtual").
    language : {"en", "fr"}

    Returns
    -------
    dict
        For each site a Specimen, an Observation with the model's answer (``preliminary`` until a named person reviewed it; it never
        names pathology), and, once pathology is in, another with the pathologist's diagnosis (``final``; it never names the model).
        What is not there is said to be absent, with the reason; a place is told in LPS mm.

    Raises
    ------
    BadCohort
        For a subject that looks like a name, a date or an address.

    References
    ----------
    HL7 FHIR R5 (5.0.0), Specimen, Observation.

    Examples
    --------
    >>> bundle = sites_bundle([{"site": 1, "answer": "suspect", "time": "2026-01-01T10:00:00Z"}], {"session": "ab" * 32})
    >>> [(e["resource"]["resourceType"], e["resource"]["status"]) for e in bundle["entry"]]
    [('Specimen', 'available'), ('Observation', 'preliminary')]
    """
    made: list[Resource] = []
    for site in sites:
        specimen = _specimen(site, about, language)
        made += [specimen, _answer(site, about, specimen["id"], language)]
        if site.get("pathology"):
            made.append(_diagnosis(site, about, specimen["id"], language))
    bundle = {
        "resourceType": "Bundle",
        "id": _id(about, "bundle"),
        "meta": _meta(about),
        "identifier": {"system": SITE, "value": str(about["session"])},
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in made],
    }
    return _filled(bundle)


def render_sites(sites: Sequence[Site], about: Mapping[str, Any], language: Language = "en") -> str:
    """Return the bundle as JSON text with one line end.

    Examples
    --------
    >>> render_sites([], {"session": "ab"}).splitlines()[1]
    '  "resourceType": "Bundle",'
    """
    return json.dumps(sites_bundle(sites, about, language), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _specimen(site: Site, about: Mapping[str, Any], language: Language) -> Resource:
    return _filled(
        {
            "resourceType": "Specimen",
            "id": _id(about, "specimen", site["site"]),
            "meta": _meta(about),
            "language": language,
            "identifier": [{"system": SITE, "value": f"{about['session']}/{site['site']}"}],
            "accessionIdentifier": {"system": SITE, "value": str(site["site"])},
            "status": "available",
            "type": {"text": SPECIMEN.in_(language)},
            "subject": _subject(about),
            "collection": _filled({"collectedDateTime": site.get("time"), "bodySite": _body_site(site)}),
            "note": [{"text": str(site["note"])}] if site.get("note") else [],
        }
    )


def _body_site(site: Site) -> Resource:
    """Return where the specimen was taken, in words with every digit."""
    if site.get("x_lps_mm") is None:
        return {}
    x, y, z = (float(site[name]) for name in ("x_lps_mm", "y_lps_mm", "z_lps_mm"))
    text = f"{x!r}, {y!r}, {z!r} mm LPS"
    frame = f" ({site['frame_of_reference']})" if site.get("frame_of_reference") else ""
    return {"concept": {"text": text + frame}}


def _answer(site: Site, about: Mapping[str, Any], specimen: str, language: Language) -> Resource:
    review = site.get("review") or {}
    model = site.get("model") or {}
    observation = {
        **_observed(site, about, specimen, language),
        "id": _id(about, "answer", site["site"]),
        "status": REVIEWED.get(str(review.get("action")), "preliminary"),
        "code": concept(ANSWER.in_(language), LIVE, "answer"),
        **_valued(site, language),
        "method": _method(model),
        "component": [*_probability(site, language), *_place(site, language)],
        "note": [*_cautions(about, language), *_reviewed(review)],
    }
    return _filled(observation)


def _valued(site: Site, language: Language) -> Resource:
    """Return the answer, or that there is none and why; "cannot tell" is an answer."""
    if site.get("sealed"):
        return {"dataAbsentReason": {**_absent_code("masked", "Masked"), "text": SEALED.in_(language)}}
    answer = site.get("answer")
    if answer is None:
        return {"dataAbsentReason": {**_absent_code("not-performed", "Not Performed"), "text": NO_ANSWER.in_(language)}}
    text = SAID[str(answer)].in_(language) if answer in SAID else str(answer)
    reason = f": {site['reason']}" if site.get("reason") else ""
    return {"valueCodeableConcept": {**concept(text, LIVE, str(answer)), "text": text + reason}}


def _diagnosis(site: Site, about: Mapping[str, Any], specimen: str, language: Language) -> Resource:
    said = site["pathology"]
    text = str(said.get("diagnosis") or "")
    value: Resource = {"valueCodeableConcept": {"text": text}} if text else {"dataAbsentReason": _absent_code("unknown", "Unknown")}
    infiltration = said.get("infiltration")
    component = [{"code": concept(INFILTRATION.in_(language), LIVE, "infiltration"), "valueQuantity": _share(infiltration)}]
    further = [f"{name}: {entry}" for name, entry in (said.get("further") or {}).items() if entry]
    return _filled(
        {
            **_observed({**site, "time": said.get("time")}, about, specimen, language),
            "id": _id(about, "diagnosis", site["site"], site.get("pathologies", 1)),
            "status": "final" if site.get("pathologies", 1) == 1 else "corrected",
            "code": concept(DIAGNOSIS.in_(language), LIVE, "diagnosis"),
            **value,
            "component": component if infiltration is not None else [],
            "note": [{"text": "; ".join(further)}] if further else [],
        }
    )


def _observed(site: Site, about: Mapping[str, Any], specimen: str, language: Language) -> Resource:
    """Return what both Observations of a site share."""
    laboratory = {"system": CATEGORY, "code": "laboratory", "display": "Laboratory"}
    return {
        "resourceType": "Observation",
        "meta": _meta(about),
        "language": language,
        "identifier": [{"system": SITE, "value": f"{about['session']}/{site['site']}"}],
        "category": [{"coding": [laboratory]}],
        "subject": _subject(about),
        "effectiveDateTime": site.get("time"),
        "specimen": {"reference": f"urn:uuid:{specimen}"},
    }


def _probability(site: Site, language: Language) -> list[Resource]:
    if site.get("probability") is None:
        return []
    return [{"code": concept(PROBABILITY.in_(language), LIVE, "probability"), "valueQuantity": _share(site["probability"])}]


def _place(site: Site, language: Language) -> list[Resource]:
    told = [
        {"code": concept(PLACE.in_(language).format(axis=axis), LIVE, f"{axis}_lps_mm"), "valueQuantity": _mm(site[f"{axis}_lps_mm"])}
        for axis in ("x", "y", "z")
        if site.get(f"{axis}_lps_mm") is not None
    ]
    error = site.get("registration_error_mm")
    if error is not None:
        told.append({"code": concept(REGISTRATION.in_(language), LIVE, "registration_error_mm"), "valueQuantity": _mm(error)})
    return told


def _share(value: float) -> Resource:
    return {"value": float(value), "system": UCUM, "code": "1"}


def _mm(value: float) -> Resource:
    return {"value": float(value), "unit": "mm", "system": UCUM, "code": "mm"}


def _method(model: Any) -> Resource:
    record = model if isinstance(model, Mapping) else {"id": model} if model else {}
    text = " ".join(str(record[key]) for key in ("id", "version", "sha256") if record.get(key))
    coding = {"coding": [{"system": MODEL, "code": str(record["sha256"])}]} if record.get("sha256") else {}
    return {**coding, "text": text} if text else {}


def _absent_code(code: str, display: str) -> Resource:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": code, "display": display}]}


def _cautions(about: Mapping[str, Any], language: Language) -> list[Resource]:
    told = [RESEARCH_ONLY, VIRTUAL] if about.get("data") == "virtual" else [RESEARCH_ONLY]
    return [{"text": words.in_(language)} for words in told]


def _reviewed(review: Mapping[str, Any]) -> list[Resource]:
    if not review:
        return []
    text = ": ".join(str(review[name]) for name in ("action", "reason") if review.get(name))
    return [_filled({"authorString": review.get("by"), "time": review.get("time"), "text": text})]


def _subject(about: Mapping[str, Any]) -> Resource:
    if not about.get("subject"):
        return {"extension": absent()}
    return {"type": "Patient", "identifier": {"system": CASE, "value": checked_code(str(about["subject"]), where="the session")}}


def _meta(about: Mapping[str, Any]) -> Resource:
    return {"tag": [TEST_DATA]} if about.get("data") == "virtual" else {}


def _id(about: Mapping[str, Any], *what: Any) -> str:
    """Return an id that follows from session and site, so that the same log gives the same bytes."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, (about["session"], *what)))))


def _filled(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}
