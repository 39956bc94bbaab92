"""The page of an audit: the verdict in plain words and one picture first, then gate by gate, then everything a reviewer asks for."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.audit_checklists import checklists_section
from onclair.report.audit_rows import first_rows, survey_rows
from onclair.report.audit_sections import BESIDE, SECTIONS
from onclair.report.audit_verdict import audit_question, audit_verdict, claim_text, may_not
from onclair.report.differences import differences
from onclair.report.figures.forest import Look, forest
from onclair.report.markup import Child, node
from onclair.report.page import banner, contents, document, figure, verdict_card
from onclair.report.plots import behind, dashed, without_interval
from onclair.report.reading import figure_label, is_virtual, outcome_name, read_name
from onclair.report.words import say, whole


def audit_page(evidence: Evidence, language: Language = "en") -> ET.Element:
    """Return the page as a tree.

    Parameters
    ----------
    evidence : Evidence
        Of ``onclair radiomics audit``; its facts may lack any key.
    language : {"en", "fr"}

    Returns
    -------
    Element
        ``html``, whole: it asks for nothing from anywhere and needs no script.

    Examples
    --------
    >>> page = audit_page(Evidence("validate", facts={"kind": "audit", "card": {"name": "rlnu"}}), "fr")
    >>> page.get("lang"), "rlnu" in [e.text for e in page.iter("h1")][0]
    ('fr', True)
    """
    made = [(key, title, build(evidence, language)) for key, title, build in (*SECTIONS[:-1], _CHECKLISTS, SECTIONS[-1])]
    kept = [(key, title, content) for key, title, content in made if content is not None]
    claim = claim_text(evidence, language)
    main = node(
        "main",
        node("p", _glance(evidence, language), class_="glance"),
        node("h1", audit_question(evidence, language)),
        node("p", claim, class_="asked") if claim else None,
        node("div", verdict_card(audit_verdict(evidence, language), language), _picture(evidence, language), class_="first pair"),
        node("div", _differences(evidence, language), _not_for(evidence, language), class_="second pair"),
        contents([(key, say(title, language)) for key, title, _ in kept], language),
        _side_by_side({key: content for key, _, content in kept}),
        class_="claims audit",
    )
    name = str((evidence.facts.get("card") or {}).get("name") or "?")
    return document(f"{say('title', language)} · {say('audit', language)} · {name}", language, [banner(language), main])


def _side_by_side(made: Mapping[str, ET.Element]) -> list[ET.Element]:
    """Return the sections, those that belong together in one row; one that lacks its fellow stands alone."""
    pairs = [pair for pair in BESIDE if all(key in made for key in pair)]
    seconds = {second for _, second in pairs}
    fellow = dict(pairs)
    return [
        node("div", each, made[fellow[key]], class_="pair") if key in fellow else each for key, each in made.items() if key not in seconds
    ]


_CHECKLISTS = ("checklists", "audit-checklists", checklists_section)


def _glance(evidence: Evidence, language: Language) -> list[Child]:
    facts = evidence.facts
    kind: Child = say("virtual-patients" if is_virtual(evidence) else "real-patients", language)
    parts: list[Child] = [say("title", language), " · ", say("audit", language), " · "]
    parts.append(node("span", kind, class_="tag") if is_virtual(evidence) else kind)
    for key in ("patients", "events"):
        if facts.get(key) is not None:
            parts.append(f" · {whole(facts[key], language)} {say(key, language)}")
    outcome = outcome_name(evidence, language)
    if outcome:
        parts.append(f" · {say('asked-outcome', language, outcome=outcome).rstrip('.')}")
    return parts


def _picture(evidence: Evidence, language: Language) -> ET.Element:
    """Return the score beside its rivals and controls; of a survey, its most promising features; else why there is nothing to draw."""
    rows, caption = first_rows(evidence, language), "audit-beside-caption"
    if not rows:
        rows, caption = survey_rows(evidence, language), "audit-survey-caption"
    if not rows:
        return node("div", node("h2", say("audit-beside", language)), node("p", say("no-headline", language)), class_="card")
    name = figure_label(read_name(rows[0].estimate.name), language)
    look = Look("forest", say("audit-beside", language), name, language, is_virtual(evidence))
    words: list[Child] = [say(caption, language, figure=name[:1].upper() + name[1:]), " "]
    words += [*dashed(rows, language), *without_interval(rows, language)]
    drawn = figure(forest(rows, look), words, behind([rows[0].estimate], evidence, language))
    return node("div", node("h2", say("audit-beside", language)), drawn, class_="card")


def _differences(evidence: Evidence, language: Language) -> ET.Element | None:
    rows = [row for row in first_rows(evidence, language) if row.role == "model" or row.difference is not None]
    return differences(rows, language, virtual=is_virtual(evidence)) if len(rows) > 1 else None


def _not_for(evidence: Evidence, language: Language) -> ET.Element:
    told = [node("li", text) for text in may_not(evidence, language)]
    return node("div", node("h2", say("not-for", language)), node("ul", told), class_="card")
