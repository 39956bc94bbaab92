"""What stands below the first screen of an audit: gates, destroyed signals, repeatability, batches, the card, rules, checklists."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.audit_names import audit_label
from onclair.report.audit_rows import batch_rows, control_rows, first_rows, q_of, semantic_rows, steady_rows, with_prefix
from onclair.report.figures.control import control_plot
from onclair.report.figures.forest import Look, forest
from onclair.report.markup import Child, append, node
from onclair.report.page import as_written, facts_list, figure, section, table
from onclair.report.plots import behind, dashed, decision_figure, without_interval
from onclair.report.reading import Row, figure_label, is_virtual, read_name
from onclair.report.sections import estimates as every_estimate
from onclair.report.sections import provenance, warnings
from onclair.report.words import digits_of, interval, number, say, whole

#: The mark of a gate, and the state that colours it.
GATES: Mapping[str, tuple[str, str]] = {"passed": ("●", "holds"), "failed": ("▲", "artefact"), "not_available": ("◇", "cannot-tell")}
#: A sentence ends before a space and a capital, a figure or a quotation.
_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z0-9'\u201c])")


def in_sentences(text: str, language: Language) -> list[Child]:
    """Return a text of several sentences, each in `language` where its French is known, else marked as English.

    Examples
    --------
    >>> in_sentences("The card says all that it could. Nothing more.", "en")
    ['The card says all that it could.', ' ', 'Nothing more.']
    """
    told: list[Child] = []
    for each in _SENTENCES.split(text):
        told += [" " if told else None, as_written(each, language)]
    return [each for each in told if each is not None]


def gates(evidence: Evidence, language: Language) -> ET.Element:
    """Return the ten gates as a list: mark and word, what each asks, and why it was answered so."""
    items = [_gate(gate, language) for gate in evidence.facts.get("gates") or ()]
    return section("gates", say("audit-gates", language), node("ol", items, class_="gates"))


def _gate(gate: Mapping[str, Any], language: Language) -> ET.Element:
    name, status = str(gate.get("name")), str(gate.get("status"))
    mark, state = GATES.get(status, GATES["not_available"])
    open_ = (name, status) == ("verdict", "not_available")
    title, asks = (_known(f"{prefix}-{name}", language) for prefix in ("gate", "asks"))
    head = node(
        "p",
        node("span", mark, class_="mark", aria_hidden="true"),
        " ",
        node("strong", title or name),
        node("span", f" · {say('cannot-tell' if open_ else f'audit-{status}', language)}", class_="status"),
        class_="head",
    )
    why = node("p", in_sentences(str(gate.get("reason") or ""), language), class_="why")
    return node("li", head, node("p", asks, class_="asks quiet") if asks else None, why, class_=state, data_gate=name)


def _known(key: str, language: Language) -> str:
    try:
        return say(key, language)
    except KeyError:
        return ""


def controls(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the score beside itself on every destroyed signal; None without controls."""
    rows, own = control_rows(evidence, language), first_rows(evidence, language)
    if not rows or not own:
        return None
    name = figure_label(read_name(own[0].estimate.name), language)
    look = Look("controls-plot", say("audit-controls", language), name, language, is_virtual(evidence))
    said = say("audit-controls-caption", language, figure=name[:1].upper() + name[1:])
    drawn = figure(control_plot(own[0].estimate, rows, look), said, " ", behind([own[0].estimate], evidence, language))
    return section("controls", say("audit-controls", language), node("div", drawn, class_="card"))


def steady(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return how repeatable score and features are; None where nothing was perturbed."""
    rows = steady_rows(evidence, language)
    if not rows:
        return None
    return section(
        "steady", say("audit-steady", language), _forest("steady-plot", rows, evidence, language, say("audit-steady-caption", language))
    )


def network(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return what only a network has: agreement of its members, the probe, where it looks; None for a sum of features."""
    if not evidence.facts.get("network"):
        return None
    known = ("icc:model:members", "sd:model:members", "r2:", "inside_share:", "occlusion", "drop", "share:model:occlusion", "contrast:")
    return _figures("network", "audit-network", with_prefix(evidence, *known), language)


def batches(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return what the batch does to score, features and outcome; None where all patients fall into one."""
    rows = batch_rows(evidence, language)
    found = with_prefix(evidence, "cramers_v:batch:", "share_differing:batch:")
    found += [e for e in evidence.estimates if ":model-minus-harmonised" in e.name]
    if not rows and not found:
        return None
    drawn = _forest("batches-plot", rows, evidence, language, say("audit-batches-caption", language)) if rows else None
    return section("batches", say("audit-batches", language), drawn, _figures_table(found, language) if found else None)


def semantics(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return what the score goes with; None where nobody read anything."""
    rows = semantic_rows(evidence, language)
    if not rows:
        return None
    drawn = _forest("semantics-plot", rows, evidence, language, say("audit-semantics-caption", language))
    told = [(row.label, number(q, language, digits=3)) for row in rows if (q := q_of(row.estimate)) is not None]
    made = table(None, (say("column", language), "q"), told, numbers=(1,)) if told else None
    return section("semantics", say("audit-semantics", language), drawn, made)


def _forest(key: str, rows: Sequence[Row], evidence: Evidence, language: Language, said: str) -> ET.Element:
    """Return rows as a figure on a card, its axis named by the figure of the first."""
    name = figure_label(read_name(rows[0].estimate.name), language)
    look = Look(key, said, name, language, is_virtual(evidence))
    words: list[Child] = [said, " ", *dashed(rows, language), *without_interval(rows, language)]
    first = rows[0].estimate
    plain = replace(
        first, method="; ".join(part for part in first.method.split("; ") if " p = " not in part and not part.startswith("q = "))
    )
    return node("div", figure(forest(rows, look), words, behind([plain], evidence, language)), class_="card")


def risks(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return calibration and net benefit of the card's own risks; None where it gives none."""
    found = [e for e in with_prefix(evidence, "o_e:", "citl:", "slope:", "brier:", "ici:", "auc_t:", "ipa:") if e.value is not None]
    if not found:
        return None
    made = _figures("risks", "audit-risks", found, language)
    curve = decision_figure(evidence, language)
    if made is not None and curve is not None:
        append(made, node("div", curve, class_="card plots"))
    return made


def nearest(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the cases nearest to the patient with the highest score; None where the record names none."""
    said = evidence.facts.get("nearest") or {}
    rows = said.get("cases") or ()
    if not rows:
        return None
    heads = [say(key, language) for key in ("patient", "audit-score", "outcome", "audit-distance")]
    lines = [_case(said, "●", "", language), *(_case(each, str(n), "percentile", language) for n, each in enumerate(rows, 1))]
    made = table(None, [head[:1].upper() + head[1:] for head in heads], lines, numbers=(1, 2, 3), wide=True)
    return section("nearest", say("audit-nearest", language), node("p", say("audit-nearest-note", language), class_="quiet"), made)


def _case(said: Mapping[str, Any], mark: str, distance: str, language: Language) -> Sequence[Child]:
    far = f"{whole(float(said[distance]), language)}\u00a0%" if distance and said.get(distance) is not None else "–"
    event = said.get("event")
    happened = "–" if event is None else say("yes" if event else "no", language)
    return mark, number(said.get("score"), language), happened, far


def card(evidence: Evidence, language: Language) -> ET.Element:
    """Return what the card says, what it does not, its features, and folded the whole of it."""
    facts = evidence.facts
    said = facts.get("card_document") or {}
    missing = [str(item) for item in (facts.get("card") or {}).get("missing") or ()]
    lacks: Child = node("p", say("audit-card-whole", language))
    if missing:
        lacks = node("ul", [node("li", node("code", item)) for item in missing], class_="lacks")
    about = [(str(key), _plain(value)) for key, value in (said.get("card") or {}).items() if key != "notes"]
    left = node("div", node("h3", say("audit-card-says", language)), facts_list(about), class_="card")
    right = node("div", node("h3", say("audit-card-lacks", language)), lacks, class_="card")
    rest = [
        (f"{name}: {key}", _plain(value)) for name in ("roi", "preprocessing", "model", "reported") for key, value in _items(said.get(name))
    ]
    folded = node("details", node("summary", say("audit-card-whole-of", language)), facts_list(rest)) if rest else None
    return section("card", say("audit-card", language), node("div", left, right, class_="pair"), _features(evidence, language), folded)


def _items(said: Any) -> Iterable[tuple[str, Any]]:
    return said.items() if isinstance(said, Mapping) else ()


def _features(evidence: Evidence, language: Language) -> ET.Element | None:
    found = evidence.facts.get("features") or ()
    if not found or evidence.facts.get("network"):
        return None
    by_name = {e.name: e for e in evidence.estimates}
    extra = [
        (f, key)
        for f, key in (("vif", "audit-vif"), ("same_sign", "audit-sign"), ("icc", "audit-icc"))
        if with_prefix(evidence, f"{f}:feature:")
    ]
    heads = [say(key, language) for key in ("feature", "coefficient", "audit-same", *(key for _, key in extra))]
    rows: list[Sequence[Child]] = []
    for each in found:
        name, weight = str(each["name"]), each.get("coefficient")
        told = [_value(by_name.get(f"{figure}:feature:{name}"), language) for figure, _ in extra]
        same = say("yes" if each["permutation_invariant"] else "no", language)
        rows.append([node("code", name), "–" if weight is None else _weight(float(weight), language), same, *told])
    made = table(None, heads, rows, numbers=range(1, len(heads)), wide=True)
    summary = node("summary", say("audit-features-count", language, count=whole(len(rows), language)))
    return node("details", summary, made, open="open" if len(rows) <= 8 else None)


def _weight(value: float, language: Language) -> str:
    text = f"{value:.4g}".replace("-", "\u2212")
    return text.replace(".", ",") if language == "fr" else text


def _value(estimate: Estimate | None, language: Language) -> str:
    return "–" if estimate is None or estimate.value is None else number(estimate.value, language)


def rules(evidence: Evidence, language: Language) -> ET.Element:
    """Return the rules by which the verdict was reached."""
    told = [node("li", as_written(str(rule), language)) for rule in evidence.facts.get("rules") or ()]
    return section("rules", say("audit-rules", language), node("p", say("audit-rules-note", language), class_="quiet"), node("ul", told))


def figures(evidence: Evidence, language: Language) -> ET.Element:
    """Return every figure of the record, folded: a reader opens it, nobody has to scroll past it."""
    count, stands = len(evidence.estimates), sum(e.status == "ok" for e in evidence.estimates)
    inside = [each for each in every_estimate(evidence, language) if each.tag != "h2"]
    folded = node("details", node("summary", say("audit-all", language, count=whole(count, language))), inside)
    note = node("p", say("audit-figures-note", language, ok=whole(stands, language)), class_="quiet")
    return section("estimates", say("audit-figures", language), note, folded)


def told_off(evidence: Evidence, language: Language) -> ET.Element:
    """Return warnings."""
    return warnings(evidence, language)


def _figures(key: str, title: str, found: Sequence[Estimate], language: Language) -> ET.Element | None:
    """Return a section with a short table of figures; None without any."""
    return section(key, say(title, language), _figures_table(found, language)) if found else None


def _figures_table(found: Sequence[Estimate], language: Language) -> ET.Element:
    """Return figures with their intervals; how each was obtained stands in the list of every figure."""
    heads = [say(each, language)[:1].upper() + say(each, language)[1:] for each in ("name", "value", "interval")]
    return table(None, heads, [_line(each, language) for each in found], numbers=(1,), wide=True)


def _line(estimate: Estimate, language: Language) -> Sequence[Child]:
    name = audit_label(estimate.name, language)
    if estimate.value is None:
        return name, "–", as_written(estimate.reason or "", language)
    return name, number(estimate.value, language, digits=digits_of(estimate.name)), interval(estimate, language)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


#: Key of the anchor, label of the title, and who builds it; a builder that returns None leaves its section out.
SECTIONS: tuple[tuple[str, str, Callable[[Evidence, Language], ET.Element | None]], ...] = (
    ("gates", "audit-gates", gates),
    ("controls", "audit-controls", controls),
    ("steady", "audit-steady", steady),
    ("batches", "audit-batches", batches),
    ("semantics", "audit-semantics", semantics),
    ("network", "audit-network", network),
    ("nearest", "audit-nearest", nearest),
    ("risks", "audit-risks", risks),
    ("card", "audit-card", card),
    ("rules", "audit-rules", rules),
    ("warnings", "warnings", told_off),
    ("estimates", "audit-figures", figures),
    ("provenance", "provenance", provenance),
)
#: Sections that stand side by side where there is room.
BESIDE = (("controls", "steady"), ("batches", "semantics"))
