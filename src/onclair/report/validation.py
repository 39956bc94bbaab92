"""The page of a validation run: predictions that came from anywhere, judged in one cohort."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.markup import Child, node
from onclair.report.page import banner, contents, document, verdict_card
from onclair.report.reading import is_virtual
from onclair.report.validation_figures import heading_plot
from onclair.report.validation_first import answers
from onclair.report.validation_reading import models, outcome_text
from onclair.report.validation_sections import SECTIONS
from onclair.report.validation_verdict import validation_verdict
from onclair.report.words import listed, say, whole

#: Models beside the first that get a line on the first screen.
MOST_OTHERS = 6


def validation_page(evidence: Evidence, language: Language = "en") -> ET.Element:
    """Return the page as a tree.

    Parameters
    ----------
    evidence : Evidence
        Of ``onclair validate``; its facts may lack any key, which the report then says.
    language : {"en", "fr"}

    Returns
    -------
    Element
        ``html``, whole: it asks for nothing from anywhere and needs no script.

    Examples
    --------
    >>> page = validation_page(Evidence("validate", facts={"kind": "validation", "title": "Ours"}), "fr")
    >>> page.tag, page.get("lang"), [e.text for e in page.iter("h1")][0][:4]
    ('html', 'fr', 'Ours')
    """
    found = replace(validation_verdict(evidence, language), reason=None)
    made = [(key, title, build(evidence, language)) for key, title, build in SECTIONS]
    main = node(
        "main",
        node("p", _glance(evidence, language), class_="glance"),
        node("h1", validation_question(evidence, language)),
        node("p", asked(evidence, language), class_="asked"),
        node(
            "div",
            node("div", verdict_card(found, language), _others(evidence, language)),
            _picture(evidence, language),
            class_="first pair",
        ),
        answers(evidence, language),
        contents([(key, say(title, language)) for key, title, _ in made], language),
        [content for _, _, content in made],
        class_="claims",
    )
    title = str(evidence.facts.get("title") or say("validation", language))
    return document(f"{say('title', language)} · {title} · {evidence.id[:12]}", language, [banner(language), main])


def validation_question(evidence: Evidence, language: Language) -> str:
    """Return the question as a sentence: whether what the plan's title names holds.

    Examples
    --------
    >>> validation_question(Evidence("validate", facts={"title": "Rotterdam model in GBSG"}), "en")
    'Rotterdam model in GBSG: does it hold?'
    """
    title = str(evidence.facts.get("title") or "").strip().rstrip(".?!: ")
    return say("question-of", language, title=title) if title else say("no-question", language)


def asked(evidence: Evidence, language: Language) -> str:
    """Return one line that names the outcome and the models.

    Examples
    --------
    >>> facts = {"outcome": {"name": "relapse", "kind": "binary"}, "models": [{"name": "basic"}, {"name": "extended"}]}
    >>> asked(Evidence("validate", facts=facts), "en")
    'Outcome: relapse. Judged: basic and extended; the verdict is on basic.'
    """
    told = [say("asked-outcome", language, outcome=outcome_text(evidence, language))]
    names = [m.name for m in models(evidence)]
    if len(names) > MOST_OTHERS:
        names = [*names[: MOST_OTHERS - 1], say("names-more", language, count=whole(len(names) - MOST_OTHERS + 1, language))]
    if len(names) > 1:
        told.append(say("asked-claims", language, models=listed(names, say("and", language)), first=names[0]))
    elif names:
        told.append(say("asked-claim", language, models=names[0]))
    return " ".join(told)


def _glance(evidence: Evidence, language: Language) -> list[Child]:
    facts = evidence.facts
    kind: Child = say("virtual-patients" if is_virtual(evidence) else "real-patients", language)
    parts: list[Child] = [say("title", language), " · "]
    if facts.get("design"):
        try:
            parts += [say(f"design-{facts['design']}", language), " · "]
        except KeyError:
            parts += [str(facts["design"]), " · "]
    parts.append(node("span", kind, class_="tag") if is_virtual(evidence) else kind)
    for key in ("patients", "events"):
        if facts.get(key) is not None:
            parts.append(f" · {whole(facts[key], language)} {say(key, language)}")
    centres = len(facts.get("centres") or ())
    if centres:
        where = say("one-centre", language) if centres == 1 else say("many-centres", language, count=whole(centres, language))
        parts.append(f" · {where}")
    return parts


def _picture(evidence: Evidence, language: Language) -> ET.Element:
    title, drawn = heading_plot(evidence, language)
    content = drawn if drawn is not None else node("p", say("no-headline", language))
    return node("div", node("h2", say(title, language)), content, class_="card")


def _others(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return one line for each other model: its word and its sentence."""
    rest = models(evidence)[1:]
    if not rest:
        return None
    lines = []
    for model in rest[:MOST_OTHERS]:
        found = validation_verdict(evidence, language, model)
        mark = node("span", found.mark, class_="mark", aria_hidden="true")
        lines.append(
            node("li", node("span", mark, " ", node("strong", model.name), f" · {found.word}. "), found.sentence, class_=found.state)
        )
    if len(rest) > MOST_OTHERS:
        lines.append(node("li", say("more-features", language, shown=whole(MOST_OTHERS, language), all=whole(len(rest), language))))
    return node("div", node("h2", say("other-models", language)), node("ul", lines, class_="others"), class_="card")
