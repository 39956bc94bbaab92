"""CLEAR, METRICS and TRIPOD+AI in the report of an audit: what the record proves, each answer with its place; the rest folded."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.markup import Child, node
from onclair.report.page import section, table
from onclair.report.words import say, whole

#: The lists that a study of radiomics is held to.
SHOWN = ("CLEAR", "METRICS", "TRIPOD+AI")


def checklists_section(evidence: Evidence, language: Language) -> ET.Element:
    """Return the three lists, each folded under how many of its items the record answers.

    Examples
    --------
    >>> made = checklists_section(Evidence("validate", facts={"kind": "audit"}), "en")
    >>> [each.text for each in made.iter("summary")][0]
    'CLEAR: 0 of 58 items'
    """
    from onclair.report.checklists.fill import checklists  # it reads the JSON report, which reads the page's verdict

    filled = {str(each["name"]): each for each in checklists(evidence, language)["checklists"]}
    folded = [_folded(filled[name], language) for name in SHOWN]
    note = node("p", say("audit-checklists-note", language), class_="quiet")
    return section("checklists", say("audit-checklists", language), note, folded)


def _folded(found: Mapping[str, Any], language: Language) -> ET.Element:
    items: Sequence[Mapping[str, Any]] = found["items"]
    answered = sum(item["status"] == "reported" for item in items)
    counts = {"filled": whole(answered, language), "all": whole(len(items), language)}
    title = node("summary", say("audit-checklist", language, name=found["name"], **counts))
    heads = [say(key, language) for key in ("audit-item", "audit-asks", "audit-answer")]
    rows = [(str(item["number"]), str(item["label"]), _answer(item, language)) for item in items]
    reference = node("p", f"{found['reference']}. doi:{found['doi']}", class_="quiet note")
    return node("details", title, table(None, heads, rows, wide=True), reference)


def _answer(item: Mapping[str, Any], language: Language) -> Child:
    """Return where the record answers, as pointers into the JSON report; or why it does not."""
    if item["status"] != "reported":
        return node("span", f"◇ {item['reason']}", class_="quiet")
    places = [str(item["source"]), *map(str, item["also"])]
    more = f" + {whole(len(places) - 3, language)}" if len(places) > 3 else ""
    return node("span", "● ", [node("code", f"{place} ") for place in places[:3]], more)
