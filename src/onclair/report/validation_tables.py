"""Tables of a validation run in which every interval is drawn: the figures by model, net benefit, what a threshold finds."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.glossary import MODELS_AND_FIGURES
from onclair.core.words import Language
from onclair.report.figures.canvas import Axis
from onclair.report.figures.cell import Cell, interval_cell
from onclair.report.figures.forest import standing_axis
from onclair.report.labels import REFERENCE
from onclair.report.markup import Child, append, node
from onclair.report.page import as_written
from onclair.report.phrases_validation import READ
from onclair.report.reading import is_virtual
from onclair.report.validation_names import ClaimName, claim_figure, claim_name, claim_who, threshold_text
from onclair.report.validation_reading import AT_THRESHOLDS, models, one, thresholds
from onclair.report.words import digits_of, number, say, sentence, typeset

#: Figures by the question that they answer.
FAMILIES: dict[str, tuple[str, ...]] = {
    "group-ranking": ("auc", "ap", "harrell", "uno", "auc_t", "c_index"),
    "group-calibration": (
        "o_e",
        "poisson_o_e",
        "citl",
        "slope",
        "pseudo_intercept",
        "pseudo_slope",
        "ici",
        "e50",
        "e90",
        "emax",
        "spiegelhalter",
        "p_spiegelhalter",
        "u",
        "p_u",
    ),
    "group-overall": ("brier", "ipa", "nagelkerke"),
}
SHARES = frozenset({"sens", "spec", "ppv", "npv"})
START, END = 8.0, 232.0
DEFINED = {t.symbol: t for t in MODELS_AND_FIGURES if t.symbol}


def figure_tables(evidence: Evidence, language: Language) -> list[Child]:
    """Return a table a question: figures over all patients, each with every model's interval on one axis."""
    found: dict[str, list[Estimate]] = {}
    for e in evidence.estimates:
        name = claim_name(e.name)
        if not name.where and not name.at and name.figure not in AT_THRESHOLDS and "-minus-" not in name.who:
            found.setdefault(name.figure, []).append(e)
    null = found.pop("brier_null", [])
    if null:  # the same for every model: beside theirs, on their axis
        found.setdefault("brier", []).append(null[0])
    told = {f for family in FAMILIES.values() for f in family}
    families = {**FAMILIES, "group-other": tuple(f for f in found if f not in told)}
    made: list[Child] = []
    for key, family in families.items():
        here = [figure for figure in family if figure in found]
        if here:
            made += [node("h3", say(key, language)), _table([(f, found[f]) for f in here], evidence, language)]
    return made


def benefit_table(evidence: Evidence, language: Language) -> ET.Element:
    """Return net benefit at each declared threshold, beside treating everyone and no one, on one axis."""
    who = [m.name for m in models(evidence) if m.kind == "risk"]
    by_threshold = [(at, [one(evidence, "nb", name, language, at=at) for name in (*who, "all", "none")]) for at in thresholds(evidence)]
    every = [e for _, found in by_threshold for e in found]
    axis = standing_axis(every, START, END)
    body = []
    for place, (at, found) in enumerate(by_threshold):
        told = say("at-threshold", language, at=threshold_text(f"{at:g}", language))
        body.append(_block(node("span", told[:1].upper() + told[1:]), found, axis, (f"nb-{place}", 0.0), evidence, language))
    made = node("table", node("caption", say("utility-caption", language)), class_="figures", role="table")
    append(made, _head([say("threshold", language), say("net-benefit", language), say("value-interval", language)]), body)
    return made


def classes_table(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return sensitivity and its like, each at the declared thresholds; None where the record has none."""
    risks = [m.name for m in models(evidence) if m.kind == "risk"]
    blocks: list[ET.Element] = []
    for figure in AT_THRESHOLDS[1:]:
        found = [e for e in evidence.estimates if (n := claim_name(e.name)).figure == figure and n.at and not n.where and n.who in risks]
        if found:
            axis = Axis(0.0, 1.0, START, END) if figure in SHARES else standing_axis(found, START, END)
            title = node("span", node("strong", claim_figure(figure, language)), _gloss(figure, language))
            blocks.append(_block(title, found, axis, (figure, REFERENCE.get(figure)), evidence, language))
    if not blocks:
        return None
    made = node("table", node("caption", say("classes-caption", language)), class_="figures", role="table")
    append(made, _head([say("figure", language), say("drawn", language), say("value-interval", language)]), blocks)
    return node("div", made, class_="card")


def _table(figures: Sequence[tuple[str, Sequence[Estimate]]], evidence: Evidence, language: Language) -> ET.Element:
    made = node("table", class_="figures", role="table")
    append(made, _head([say("figure", language), say("drawn", language), say("value-interval", language)]))
    for figure, found in figures:
        axis = standing_axis(found, START, END)
        title = node("span", node("strong", claim_figure(figure, language)), _gloss(figure, language))
        append(made, _block(title, found, axis, (figure, REFERENCE.get(figure)), evidence, language))
    return node("div", made, class_="card")


def _block(
    title: ET.Element, found: Sequence[Estimate], axis: Axis, named: tuple[str, float | None], evidence: Evidence, language: Language
) -> ET.Element:
    """Return the rows of one figure: its name, then every model's interval on the axis that they share."""
    key, reference = named
    several, figured = len(found) > 1 or bool(claim_name(found[0].name).at), any(e.low is not None for e in found)
    if not several and not figured:
        told = node("td", _told(found[0], language), role="cell")
        return node("tbody", node("tr", node("th", title, colspan="2", scope="row", role="rowheader"), told, class_="title", role="row"))
    body = node("tbody", node("tr", node("th", title, colspan="3", scope="rowgroup", role="rowheader"), class_="title", role="row"))
    for place, e in enumerate(found):
        name = claim_name(e.name)
        who = _row_label(name, key, evidence, language)
        cell = Cell(f"cell-{key}-{place}", f"{who}", reference, last=place == len(found) - 1, virtual=is_virtual(evidence))
        drawn = interval_cell(e, axis, cell, language, "model" if place == 0 else "rival") if figured else None
        append(
            body,
            node(
                "tr",
                node("th", who if several else "", scope="row", role="rowheader"),
                node("td", drawn, class_="axis", role="cell"),
                node("td", _told(e, language), role="cell"),
                role="row",
            ),
        )
    return body


def _row_label(name: ClaimName, key: str, evidence: Evidence, language: Language) -> str:
    """Return what a row is of: a model; a threshold, and the model where there are several; the risk without a model."""
    if name.figure == "brier_null":
        return claim_figure(name.figure, language)
    if not name.at or key.startswith("nb-"):
        return claim_who(name.who, language)
    at = say("at-threshold", language, at=threshold_text(name.at, language))
    return at if sum(m.kind == "risk" for m in models(evidence)) == 1 else f"{at} · {name.who}"


def _head(titles: Sequence[str]) -> ET.Element:
    return node("thead", node("tr", [node("th", t, scope="col", role="columnheader") for t in titles], role="row"))


def _gloss(figure: str, language: Language) -> Child:
    """Return how a figure is read, in one line under its name."""
    if figure in READ:
        text = typeset(READ[figure].in_(language), language)
    elif figure in DEFINED:
        text = typeset(DEFINED[figure].definition(language), language)
    else:
        return None
    return node("span", sentence(text[:1].upper() + text[1:]), class_="gloss quiet")


def _told(e: Estimate, language: Language) -> list[Child]:
    """Return a figure with its interval, or why it has none; one that does not stand is marked."""
    if e.value is None:
        return [node("span", say(e.status, language), class_="flag"), say("colon", language), as_written(e.reason or "", language)]
    digits = max(3, digits_of(e.name)) if e.unit == "1" else 1
    value = number(e.value, language, digits=digits)
    if e.low is not None and e.high is not None and e.low < e.high:
        value += f" ({say('to', language, low=number(e.low, language, digits=digits), high=number(e.high, language, digits=digits))})"
    told: list[Child] = [value]
    if e.status != "ok":
        told += [
            node("br"),
            node("span", f"◇ {say(e.status, language)}", class_="flag"),
            say("colon", language),
            as_written(e.reason or "", language),
        ]
    return told
