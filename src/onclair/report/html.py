"""The report as one HTML file: the answer on the first screen, everything a reviewer asks for below it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.audit_page import audit_page
from onclair.report.audit_verdict import audit_question, audit_verdict
from onclair.report.differences import differences
from onclair.report.labels import PAIRS
from onclair.report.markup import Child, append, node, to_html
from onclair.report.page import banner, contents, document, verdict_card
from onclair.report.plots import forest_figure
from onclair.report.reading import by_item, comparison, headline, is_audit, is_validation, is_virtual, model_label, outcome_name
from onclair.report.sections import SECTIONS
from onclair.report.shown_case import shown_case
from onclair.report.validation import validation_page, validation_question
from onclair.report.validation_verdict import validation_verdict
from onclair.report.verdict import Verdict, verdict
from onclair.report.words import in_language, listed, say, sentence, whole


def render_html(evidence: Evidence, language: Language = "en") -> str:
    r"""Return the report on one record as one HTML file.

    Parameters
    ----------
    evidence : Evidence
        Of the `validate` stage; its `facts` may lack any key, which the report then says.
    language : {"en", "fr"}

    Returns
    -------
    str
        It needs no script and makes no request of any kind; the same record gives the same bytes.

    Examples
    --------
    >>> page = render_html(Evidence("validate"), "fr")
    >>> page[:32], "<script" in page
    ('<!doctype html>\n<html lang="fr">', False)
    """
    return to_html(page_tree(evidence, language))


def page_tree(evidence: Evidence, language: Language = "en") -> ET.Element:
    """Return the page as a tree: a study's, or that of a validation run or of an audit.

    Examples
    --------
    >>> page_tree(Evidence("validate"), "fr").get("lang")
    'fr'
    """
    if is_audit(evidence):
        return audit_page(evidence, language)
    return validation_page(evidence, language) if is_validation(evidence) else _study_page(evidence, language)


def conclusion(evidence: Evidence, language: Language = "en") -> Verdict:
    """Return the verdict: on a study's model beside its rivals, or on the first model of a validation run.

    Examples
    --------
    >>> conclusion(Evidence("validate")).state
    'cannot-tell'
    """
    if is_audit(evidence):
        return audit_verdict(evidence, language)
    return validation_verdict(evidence, language) if is_validation(evidence) else verdict(evidence, language)


def _study_page(evidence: Evidence, language: Language) -> ET.Element:
    found = verdict(evidence, language)
    made = [(key, title, build(evidence, language)) for key, title, build in SECTIONS]
    main = node(
        "main",
        node("p", _glance(evidence, language), class_="glance"),
        node("h1", _unbroken(question(evidence, language))),
        node("p", asked(evidence, language), class_="asked"),
        node("div", verdict_card(found, language), _picture(evidence, language), class_="first pair"),
        shown_case(evidence, language),
        node("div", _beside(evidence, language), _not_for(evidence, language), class_="second pair"),
        contents([(key, say(title, language)) for key, title, _ in made], language),
        [content for _, _, content in made],
    )
    title = f"{say('title', language)} · {in_language(evidence.facts.get('study') or evidence.stage, language)} · {evidence.id[:12]}"
    return document(title, language, [banner(language), main])


def question(evidence: Evidence, language: Language) -> str:
    """Return the question as a sentence.

    Examples
    --------
    >>> question(Evidence("validate", facts={"question": {"en": "Does it hold?", "fr": "Tient-il ?"}}), "en")
    'Does it hold?'
    """
    if is_audit(evidence):
        return audit_question(evidence, language)
    if is_validation(evidence):
        return validation_question(evidence, language)
    return in_language(evidence.facts.get("question"), language) or say("no-question", language)


def asked(evidence: Evidence, language: Language) -> str:
    r"""Return one line that names the outcome and the model in plain words; empty where the record names neither.

    Examples
    --------
    >>> facts = {"outcome": {"name": "lung_metastasis"}, "model": {"candidates": ["lasso", "forest"], "locked": "lasso"}}
    >>> asked(Evidence("validate", facts=facts), "en")
    'Outcome: lung metastasis. Model: chosen among lasso and random forest; locked: lasso.'
    """
    told = []
    outcome = outcome_name(evidence, language)
    if outcome:
        told.append(say("asked-outcome", language, outcome=outcome))
    facts = evidence.facts.get("model") or {}
    names = [model_label(str(c), language) for c in facts.get("candidates") or ()]
    locked = model_label(str(facts["locked"]), language) if facts.get("locked") else ""
    if len(names) > 1:
        models = listed(names, say("and", language))
        told.append(say("asked-models" if locked else "asked-models-none", language, models=models, locked=locked))
    elif names or locked:
        told.append(say("asked-model", language, model=locked or names[0]))
    return " ".join(told)


def _unbroken(text: str) -> list[Child]:
    """Return a sentence whose hyphenated words are kept on one line."""
    parts: list[Child] = []
    for place, word in enumerate(text.split(" ")):
        parts += [" " if place else None, node("span", word, class_="whole") if "-" in word else word]
    return parts


def _glance(evidence: Evidence, language: Language) -> list[Child]:
    facts = evidence.facts
    kind: Child = say("virtual-patients" if is_virtual(evidence) else "real-patients", language)
    if is_virtual(evidence):
        kind = node("span", kind, class_="tag")
    parts: list[Child] = [
        say("title", language),
        " · ",
        say("study", language, name=in_language(facts.get("study") or evidence.stage, language)),
        " · ",
        kind,
    ]
    centres = len(facts.get("centres") or ())
    where = say("one-centre", language) if centres == 1 else say("many-centres", language, count=whole(centres, language))
    if facts.get("patients") is not None:
        key = "at-a-glance" if facts.get("events") is not None else "at-a-glance-no-events"
        told = {name: whole(facts.get(name), language) for name in ("patients", "events", "rows", "row_events")}
        if by_item(evidence):
            key = "at-a-glance-items"
        parts += [" · ", say(key, language, **told, centres=where)]
    return parts


def _picture(evidence: Evidence, language: Language) -> ET.Element:
    drawn = forest_figure(evidence, language)
    card = node(
        "div", node("h2", say("beside", language)), drawn if drawn is not None else node("p", say("no-headline", language)), class_="card"
    )
    measure = headline(evidence)
    if measure and measure[1] in PAIRS and drawn is not None:
        what = outcome_name(evidence, language) or say("outcome", language).lower()
        append(drawn[1], " ", say("pairs-gloss", language, outcome=what))
    return card


def _beside(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the table of the model beside each rival and control."""
    measure = headline(evidence)
    if measure is None:
        return None
    return differences(comparison(evidence, language, measure), language, virtual=is_virtual(evidence))


def _not_for(evidence: Evidence, language: Language) -> ET.Element:
    limits = [in_language(words, language) for words in evidence.facts.get("limits") or ()] or [say("not-for-default", language)]
    return node("div", node("h2", say("not-for", language)), node("ul", [node("li", sentence(text)) for text in limits]), class_="card")
