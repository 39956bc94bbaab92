"""What stands below the first screen of a validation run: one function a section, the centres before any pooled figure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.markup import Child, node
from onclair.report.page import as_written, facts_list, section, table
from onclair.report.sections import estimates, warnings
from onclair.report.validation_checks import checks
from onclair.report.validation_figures import (
    MOST_DRAWN,
    calibration_of,
    comparison_plot,
    decision_of,
    gaps_plot,
    groups_plot,
    transport_plot,
    why_no_calibration,
)
from onclair.report.validation_names import claim_figure, claim_name, claim_where, claim_who, threshold_text
from onclair.report.validation_reading import (
    comparisons,
    group_keys,
    lacking,
    models,
    outcome_text,
    stratified,
    thresholds,
)
from onclair.report.validation_references import cited
from onclair.report.validation_tables import benefit_table, classes_table, figure_tables
from onclair.report.validation_verdict import validation_verdict
from onclair.report.words import in_language, listed, number, say, sentence, whole

#: Figures shown centre by centre and by group for each model drawn; the table of every estimate holds the rest.
MOST_STRATIFIED = 4
SHAPES = {"met": "●", "not-met": "▲", "unsure": "◇"}


def transport(evidence: Evidence, language: Language) -> ET.Element:
    """Return the figures centre by centre, or why there are none."""
    parts: list[Child] = []
    for model in models(evidence)[: MOST_DRAWN // 2]:
        measures = stratified(evidence, "centre", model)[:MOST_STRATIFIED]
        drawn = [transport_plot(evidence, measure, model.name, language) for measure in measures]
        cards = [node("div", d, class_="card") for d in drawn if d is not None]
        parts += [node("h3", model.name), node("div", cards, class_="plots pair")] if cards else []
    if parts:
        return section("transport", say("transport", language), node("p", say("transport-note", language)), parts)
    centres = len(evidence.facts.get("centres") or ())
    key = "one-centre-note" if centres == 1 else "no-centre-note" if centres else "no-transport"
    return section("transport", say("transport", language), node("p", say(key, language)))


def figures(evidence: Evidence, language: Language) -> ET.Element:
    """Return every figure over all patients, model by model."""
    return section("figures", say("figures", language), node("p", say("figures-caption", language)), figure_tables(evidence, language))


def calibration(evidence: Evidence, language: Language) -> ET.Element:
    """Return the calibration curve of each model that gives a risk, or why it has none."""
    cards = []
    for model in models(evidence)[:MOST_DRAWN]:
        drawn = calibration_of(evidence, model.name, language)
        why = sentence(say("said-score", language)) if model.kind == "score" else why_no_calibration(evidence, model.name, language)
        content: Child = drawn if drawn is not None else node("p", why)
        cards.append(node("div", node("h3", say("calibration-of", language, model=model.name)), content, class_="card"))
    return section("calibration", say("calibration", language), node("div", cards, class_="plots pair"))


def utility(evidence: Evidence, language: Language) -> ET.Element:
    """Return net benefit at the declared thresholds, its curve where there are two, and what each threshold finds."""
    declared = thresholds(evidence)
    if not declared:
        return section("utility", say("utility", language), node("p", say("gains-none-declared", language)))
    drawn = decision_of(evidence, language)
    alone = node("p", say("one-threshold" if len(declared) == 1 else "no-curve", language))
    cards = [
        node("div", drawn if drawn is not None else alone, class_="card"),
        node("div", benefit_table(evidence, language), class_="card"),
    ]
    classes = classes_table(evidence, language)
    return section("utility", say("utility", language), node("div", cards, class_="plots pair"), classes)


def comparison(evidence: Evidence, language: Language) -> ET.Element:
    """Return the differences between models that the plan asks for."""
    measures = dict.fromkeys(claim_name(e.name).figure for e in comparisons(evidence))
    cards = [node("div", comparison_plot(evidence, measure, language), class_="card") for measure in measures]
    content = node("div", cards, class_="plots pair") if cards else node("p", say("comparison-none", language))
    return section("comparison", say("comparison", language), content)


def groups(evidence: Evidence, language: Language) -> ET.Element:
    """Return the figures by declared group, and the gaps between groups."""
    parts: list[Child] = []
    for column in group_keys(evidence):
        for model in models(evidence)[: MOST_DRAWN // 2]:
            cards: list[Child] = []
            for measure in stratified(evidence, column, model)[:MOST_STRATIFIED]:
                drawn = [plot(evidence, column, measure, model.name, language) for plot in (groups_plot, gaps_plot)]
                cards += [node("div", [d for d in drawn if d is not None], class_="card")] if any(d is not None for d in drawn) else []
            parts += [node("h3", f"{column} · {model.name}"), node("div", cards, class_="plots pair")] if cards else []
    key = "said-gaps-unknown" if group_keys(evidence) else "groups-none"
    return section("groups", say("groups", language), parts or node("p", sentence(say(key, language))))


def absent(evidence: Evidence, language: Language) -> ET.Element:
    """Return every figure that has no value, or one that does not stand, by reason."""
    found = lacking(evidence.estimates)
    if not found:
        return section("absent", say("absent", language), node("p", say("absent-none", language)))
    rows: list[list[Child]] = []
    for (status, reason), those in found.items():
        names = [node("span", f"{place}{say('colon', language)}{', '.join(told)}", node("br")) for place, told in _places(those, language)]
        rows.append([node("span", as_written(sentence(reason), language)), say(status, language), node("span", names)])
    heads = [say("reason", language), say("status", language), say("figures", language)]
    count = whole(sum(len(those) for those in found.values()), language)
    made = table(say("absent-caption", language, count=count), heads, rows, wide=True)
    return section("absent", say("absent", language), node("div", made, class_="told"))


def rules(evidence: Evidence, language: Language) -> ET.Element:
    """Return the rules of the verdict and what each found, model by model."""
    parts: list[Child] = [node("p", say("rules-caption", language))]
    heads = [say("rule", language), say("outcome-of-rule", language), say("found", language)]
    for model in models(evidence)[:MOST_DRAWN]:
        word = validation_verdict(evidence, language, model).word
        rows: list[list[Child]] = [
            [c.rule, node("span", f"{SHAPES[c.answer]} {say(c.answer, language)}", class_=f"answer {c.answer}"), sentence(c.told)]
            for c in checks(evidence, model, language)
        ]
        parts.append(table(say("rules-of", language, model=model.name, word=word), heads, rows, wide=True))
    return section("rules", say("rules", language), node("div", parts, class_="told"))


def data(evidence: Evidence, language: Language) -> ET.Element:
    """Return how the table was read: counts, what was left out, columns, dialect."""
    facts = evidence.facts
    centres = [str(c) for c in facts.get("centres") or ()]
    declared = [threshold_text(f"{at:g}", language) for at in thresholds(evidence)]
    notes = [str(note) for note in facts.get("notes") or ()]
    counted = ("rows", "patients", "events")
    pairs: list[tuple[str, Child]] = [
        (say("design", language), _design(str(facts.get("design") or ""), language)),
        (say("outcome", language), _outcome(evidence, language)),
        *((say(key, language).capitalize(), whole(facts.get(key), language)) for key in counted),
        (say("excluded", language), whole(facts["excluded"], language) if facts.get("excluded") else say("excluded-none", language)),
        (say("centres", language).capitalize(), f"{whole(len(centres), language)} ({', '.join(centres)})" if centres else None),
        (say("models", language), _models(evidence, language)),
        (say("plan-columns", language), _columns(facts.get("columns") or {})),
        (say("thresholds", language), listed(declared, say("and", language)) if declared else say("none-declared", language)),
        (say("how-read", language), node("span", [_line(n, language) for n in notes]) if notes else say("as-it-stands", language)),
    ]
    return section("data", say("data", language), facts_list(pairs))


def references(evidence: Evidence, language: Language) -> ET.Element:
    """Return the publications behind the figures that the record holds, and the record's own."""
    told = [in_language(r, language) if isinstance(r, Mapping) else str(r) for r in evidence.facts.get("references") or ()]
    every = dict.fromkeys([*told, *cited(evidence.estimates)])
    listed_ = node("ul", [node("li", node("span", text, lang="en")) for text in every])
    return section("references", say("references", language), node("p", say("references-note", language), class_="quiet"), listed_)


def provenance(evidence: Evidence, language: Language) -> ET.Element:
    """Return the record's names, the hashes of table and plan, versions, and how anybody can check them."""
    facts, run = evidence.facts, say("run-folder", language)
    versions = ", ".join(f"{key} {value}" for key, value in sorted(evidence.environment.items()))
    seed = facts.get("seed", evidence.settings.get("seed"))
    level = facts.get("level")
    again = node("span", _code("onclair validate --predictions … --plan …"), " ", say("again-how", language))
    pairs: list[tuple[str, Child]] = [
        (say("evidence-id", language), _code(evidence.id)),
        (say("data-sha", language), _code(facts["data_sha256"]) if facts.get("data_sha256") else None),
        (say("plan-sha", language), _code(facts["plan_sha256"]) if facts.get("plan_sha256") else None),
        (say("key", language), _code(evidence.key)),
        (say("code", language), _code(evidence.code) if evidence.code else None),
        (say("seed", language), str(seed) if seed is not None else None),
        (say("bootstrap", language), whole(facts["bootstrap"], language) if facts.get("bootstrap") is not None else None),
        (say("interval", language), say("level", language, level=number(100 * float(level), language, digits=0)) if level else None),
        (say("environment", language), node("code", versions) if versions else None),
        (say("verify", language), node("span", _code(f"onclair verify {run}"), say("colon", language), say("verify-how", language))),
        ("", again),
    ]
    return section("provenance", say("provenance", language), facts_list(pairs))


#: Key of the anchor, label of the title, and who builds it.
SECTIONS: tuple[tuple[str, str, Callable[[Evidence, Language], ET.Element]], ...] = (
    ("transport", "transport", transport),
    ("figures", "figures", figures),
    ("calibration", "calibration", calibration),
    ("utility", "utility", utility),
    ("comparison", "comparison", comparison),
    ("groups", "groups", groups),
    ("absent", "absent", absent),
    ("rules", "rules", rules),
    ("data", "data", data),
    ("warnings", "warnings", warnings),
    ("estimates", "estimates", estimates),
    ("references", "references", references),
    ("provenance", "provenance", provenance),
)


def _places(those: Sequence[Estimate], language: Language) -> list[tuple[str, list[str]]]:
    """Return figures by whose and where they are."""
    by_place: dict[str, list[str]] = {}
    for e in those:
        name = claim_name(e.name)
        place = " · ".join(w for w in (claim_who(name.who, language), claim_where(name.where, language)) if w)
        by_place.setdefault(place, []).append(claim_figure(name.figure, language, name.at))
    return list(by_place.items())


def _design(design: str, language: Language) -> Child:
    try:
        told = say(f"design-{design}", language)
    except KeyError:
        return design or None
    return told[:1].upper() + told[1:]


def _outcome(evidence: Evidence, language: Language) -> str:
    kind = f"kind-{(evidence.facts.get('outcome') or {}).get('kind')}"
    try:
        return f"{outcome_text(evidence, language)} ({say(kind, language)})"
    except KeyError:
        return outcome_text(evidence, language)


def _models(evidence: Evidence, language: Language) -> Child:
    lines: list[Child] = []
    for model in models(evidence):
        told = say("model-column", language, name=model.name, kind=say(f"kind-{model.kind}", language))
        lines.append(node("span", f"{told} ", _code(model.column), node("br")))
    return node("span", lines) if lines else None


def _columns(columns: Mapping[str, object]) -> Child:
    parts: list[Child] = []
    for key, value in columns.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        parts += [f"{key} ", _code(shown), " · "] if value not in (None, "", []) else []
    return node("span", parts[:-1]) if parts else None


def _line(text: str, language: Language) -> Child:
    return node("span", as_written(sentence(text), language), node("br"))


def _code(text: object) -> ET.Element:
    return node("code", str(text))
