"""What stands below the first screen: one function a section, in the order in which a reviewer asks."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.words import Language
from onclair.report.figures.control import feature_bar
from onclair.report.labels import FAMILIES
from onclair.report.markup import Child, append, node
from onclair.report.page import as_written, facts_list, section, table
from onclair.report.plots import calibration_figure, centres_figure, controls_figure, decision_figure, why_no_curve
from onclair.report.reading import by_item, controls, label, model_label, read_name
from onclair.report.words import (
    digits_of,
    figure_text,
    holds_its_value,
    in_language,
    interval,
    number,
    say,
    sentence,
    typeset,
    unit_text,
    warning_text,
    whole,
)

#: Features shown; the JSON report holds them all.
MOST_FEATURES = 30


def data(evidence: Evidence, language: Language) -> ET.Element:
    """Return whose data these are: counts, source, licence, citation, and who was left out and why."""
    facts, cohort = evidence.facts, evidence.facts.get("cohort") or {}
    centres = [str(c) for c in facts.get("centres") or ()]
    unsaid = node("span", say("not-said", language), class_="quiet")
    listed = facts_list(
        [
            (say("title-of-cohort", language), _own(cohort.get("title"), language) or unsaid),
            (say("patients", language).capitalize(), whole(facts.get("patients"), language)),
            *_events(evidence, language),
            (say("outcome", language), _outcome(facts.get("outcome") or {}, language)),
            (say("centres", language).capitalize(), f"{whole(len(centres), language)} ({', '.join(centres)})" if centres else unsaid),
            (
                say("measured", language),
                say("columns", language, count=whole(facts["columns"], language)) if facts.get("columns") else None,
            ),
            (say("source", language), _own(cohort.get("source"), language) or unsaid),
            (say("licence", language), _own(cohort.get("licence"), language) or unsaid),
            (say("citation", language), _own(cohort.get("citation"), language) or unsaid),
        ]
    )
    left = facts.get("left_out") or ()
    rows: list[list[Child]] = [[str(e.get("patient", "")), as_written(str(e.get("reason", "")), language)] for e in left]
    heads = [say("patient", language), say("reason", language)]
    out: Child = table(None, heads, rows) if rows else node("p", say("left-out-none", language))
    return section("data", say("data", language), listed, node("h3", say("left-out", language)), out)


def curves(evidence: Evidence, language: Language) -> ET.Element:
    """Return calibration and decision curves side by side, or why there is none."""
    cards = []
    for name, draw in (("calibration", calibration_figure), ("decision", decision_figure)):
        drawn = draw(evidence, language)
        content = drawn if drawn is not None else node("p", why_no_curve(evidence, name, language))
        cards.append(node("div", node("h3", say(name, language)), content, class_="card"))
    return section("curves", f"{say('calibration', language)} · {say('decision', language).lower()}", node("div", cards, class_="pair"))


def negative_controls(evidence: Evidence, language: Language) -> ET.Element:
    """Return the controls: figure, differences, and the columns that no control can change, marked and counted."""
    drawn = controls_figure(evidence, language)
    if drawn is None:
        return section("controls", say("controls", language), node("p", say("controls-none", language)), _size(evidence, language))
    notes: list[Child] = []
    labels = controls(evidence, language)
    for control in evidence.facts.get("controls") or ():
        notes += _invariant(control, labels[str(control["name"])], evidence.facts.get("columns"), language)
    beside = node("div", notes, _size(evidence, language), class_="card")
    return section(
        "controls",
        say("controls", language),
        node("div", node("div", drawn, class_="card"), beside if len(beside) else None, class_="pair"),
    )


def by_centre(evidence: Evidence, language: Language) -> ET.Element:
    """Return the model centre by centre, or why there is nothing to show."""
    drawn = centres_figure(evidence, language)
    if drawn is not None:
        return section("centres", say("by-centre", language), node("div", drawn, class_="card"))
    one = len(evidence.facts.get("centres") or ()) == 1
    return section("centres", say("by-centre", language), node("p", say("one-centre-note" if one else "no-centre-note", language)))


def model(evidence: Evidence, language: Language) -> ET.Element:
    """Return the model: candidates, how often each was chosen, which one is locked, and its features."""
    facts = evidence.facts.get("model") or {}
    chosen = facts.get("chosen") or {}
    heads = [say("candidates", language), say("times", language)]
    names = sorted(dict.fromkeys([*(str(c) for c in facts.get("candidates") or ()), *map(str, chosen)]), key=lambda n: -chosen.get(n, 0))
    rows: list[list[Child]] = [
        [
            node("span", model_label(n, language), f" ({say('locked', language).lower()})" if n == facts.get("locked") else None),
            whole(chosen.get(n, 0), language),
        ]
        for n in names
    ]
    left = table(None, heads, rows, numbers=(1,)) if rows else node("p", say("not-said", language))
    right = _features(facts, language)
    return section(
        "model",
        say("model-facts", language),
        node(
            "div",
            node("div", left, _times(evidence, language) if rows else None, class_="card"),
            node("div", right, class_="card"),
            class_="pair",
        ),
    )


def _times(evidence: Evidence, language: Language) -> ET.Element:
    """Return what "times chosen" counts, and why the locked one may not be the most chosen."""
    settings, facts = evidence.facts.get("settings") or evidence.settings, evidence.facts.get("model") or {}
    folds, repeats, fits = settings.get("folds"), settings.get("repeats"), sum((facts.get("chosen") or {}).values())
    if folds and repeats and folds * repeats == fits:
        told = say("times-note", language, all=whole(fits, language), folds=whole(folds, language), repeats=whole(repeats, language))
    else:
        told = say("times-note-plain", language)
    return node(
        "p",
        told,
        f" {say('locked-note', language)}" if facts.get("locked") and len(facts.get("candidates") or ()) > 1 else None,
        class_="quiet note",
    )


def missing(evidence: Evidence, language: Language) -> ET.Element:
    """Return which values are missing, in how many patients, and why."""
    rows: list[list[Child]] = [
        [_code(m.get("column", "")), whole(m.get("patients"), language), as_written(str(m.get("reason", "")), language)]
        for m in evidence.facts.get("missing") or ()
    ]
    heads = [say("column", language), say("patients", language).capitalize(), say("reason", language)]
    return section(
        "missing", say("missing", language), table(None, heads, rows, numbers=(1,)) if rows else node("p", say("missing-none", language))
    )


def warnings(evidence: Evidence, language: Language) -> ET.Element:
    """Return the warnings, each with its code."""
    listed = []
    for w in evidence.warnings:
        listed.append(node("li", _warning(w, language), " ", node("code", str(w.get("code", "")), class_="quiet")))
    return section("warnings", say("warnings", language), node("ul", listed) if listed else node("p", say("warnings-none", language)))


def estimates(evidence: Evidence, language: Language) -> ET.Element:
    """Return every estimate of the record in one table: name, figure, interval, n, events, method, status with its reason.

    A method is written once, under the table, and stands in the rows by its number.
    """
    keys = ("name", "value", "interval", "n", "events", "method", "status")
    heads = [say(k, language)[:1].upper() + say(k, language)[1:] if k != "n" else "n" for k in keys]
    methods = tuple(dict.fromkeys(e.method for e in evidence.estimates if e.method))
    rows = [_estimate_row(e, methods, evidence.facts, language) for e in evidence.estimates]
    stands = sum(e.status == "ok" for e in evidence.estimates)
    caption = say("estimates-caption", language, count=whole(len(rows), language), ok=whole(stands, language))
    made = table(caption, heads, rows, numbers=(1, 3, 4, 5), wide=True)
    return section("estimates", say("estimates", language), made, _methods(methods, language))


def _events(evidence: Evidence, language: Language) -> list[tuple[str, Child]]:
    """Return what happened, counted: events, or points and how many of them are positive."""
    facts = evidence.facts
    if by_item(evidence):
        return [
            (say(name, language).capitalize(), whole(facts[key], language))
            for name, key in (("points", "rows"), ("positive-points", "row_events"))
        ]
    return [(say("events", language).capitalize(), whole(facts.get("events"), language) if facts.get("events") is not None else None)]


def limits(evidence: Evidence, language: Language) -> ET.Element:
    """Return the limits that the study states."""
    told = [sentence(in_language(words, language)) for words in evidence.facts.get("limits") or ()]
    return section(
        "limits", say("limits", language), node("ul", [node("li", t) for t in told]) if told else node("p", say("limits-none", language))
    )


def references(evidence: Evidence, language: Language) -> ET.Element:
    """Return the references as text; nothing is linked, so nothing is loaded."""
    told = [node("li", _own(r, language)) for r in evidence.facts.get("references") or ()]
    return section("references", say("references", language), node("ul", told) if told else node("p", say("references-none", language)))


def provenance(evidence: Evidence, language: Language) -> ET.Element:
    """Return the record's names and how anybody can check them."""
    run = say("run-folder", language)
    versions = ", ".join(f"{k} {_plain(v)}" for k, v in sorted(evidence.environment.items()))
    seed = evidence.settings.get("seed")
    listed = facts_list(
        [
            (say("evidence-id", language), _code(evidence.id)),
            (say("key", language), _code(evidence.key)),
            (say("code", language), _code(evidence.code) if evidence.code else None),
            (say("seed", language), str(seed) if seed is not None else None),
            (say("inputs", language), say("inputs-count", language, count=whole(len(evidence.inputs), language))),
            (say("environment", language), node("code", versions) if versions else None),
            (
                say("settings", language),
                node("code", json.dumps(dict(evidence.settings), sort_keys=True, ensure_ascii=False)) if evidence.settings else None,
            ),
            (say("verify", language), node("span", _code(f"onclair verify {run}"), say("colon", language), say("verify-how", language))),
            ("", node("span", _code(f"onclair replay {run}"), say("colon", language), say("replay-how", language))),
        ]
    )
    return section("provenance", say("provenance", language), listed)


#: Key of the anchor, label of the title, and who builds it.
SECTIONS: tuple[tuple[str, str, Callable[[Evidence, Language], ET.Element]], ...] = (
    ("data", "data", data),
    ("curves", "calibration", curves),
    ("controls", "controls", negative_controls),
    ("centres", "by-centre", by_centre),
    ("model", "model-facts", model),
    ("missing", "missing", missing),
    ("warnings", "warnings", warnings),
    ("estimates", "estimates", estimates),
    ("limits", "limits", limits),
    ("references", "references", references),
    ("provenance", "provenance", provenance),
)


def _warning(warning: Mapping[str, Any], language: Language) -> Child:
    """Return a warning in `language`; one that has no French of its own is marked as English where it stays so."""
    if language == "fr" and warning.get("fr"):
        return warning_text(warning, language)
    return as_written(sentence(str(warning.get("text", ""))), language)


def _methods(methods: Sequence[str], language: Language) -> list[Child]:
    """Return the numbered methods that the rows of the table refer to; nothing where there is none."""
    if not methods:
        return []
    told = [node("li", as_written(method, language), value=str(i)) for i, method in enumerate(methods, start=1)]
    return [
        node("h3", say("methods", language)),
        node("p", say("methods-note", language), class_="quiet note"),
        node("ol", told, class_="methods"),
    ]


def _estimate_row(estimate: Estimate, methods: Sequence[str], facts: Mapping[str, Any], language: Language) -> Sequence[Child]:
    name = node("span", label(estimate.name, facts, language), node("br"), node("code", estimate.name, class_="quiet"))
    status: list[Child] = [node("span", say(estimate.status, language), class_="flag" if estimate.status != "ok" else None)]
    if estimate.reason:
        status.append(node("span", say("colon", language), as_written(estimate.reason, language), class_="reason"))
    value = (
        number(estimate.value, language, digits=max(3, digits_of(estimate.name))) + unit_text(estimate, language)
        if estimate.value is not None
        else "–"
    )
    spread = interval(estimate, language, digits=max(3, digits_of(estimate.name)))
    if estimate.low is not None and estimate.level != 0.95:
        spread += f" ({say('level', language, level=number(100 * estimate.level, language, digits=0))})"
    astray = estimate.low is not None and estimate.value is not None and not holds_its_value(estimate)
    return [
        name,
        value,
        node(
            "span",
            node("span", spread, class_="nowrap"),
            [node("br"), node("span", f"▲ {say('astray-short', language)}")] if astray else None,
        ),
        whole(estimate.n, language),
        whole(estimate.events, language),
        whole(methods.index(estimate.method) + 1, language) if estimate.method else None,
        node("span", status),
    ]


def _features(facts: Mapping[str, Any], language: Language) -> list[Child]:
    """Return the features of the locked model, the weightiest first; one whose weight the record lacks has no bar."""
    features = facts.get("features") or ()
    if not features:
        return [node("h3", say("features", language)), node("p", say("no-features", language))]
    kind, weights = _weights(facts)
    shown = sorted((str(f["name"]) for f in features), key=lambda name: -abs(weights.get(name, 0.0)))[:MOST_FEATURES]
    most = max((abs(weights[name]) for name in shown if name in weights), default=0.0) or 1.0
    rows: list[list[Child]] = []
    for i, name in enumerate(shown):
        weight = weights.get(name)
        bar = None if weight is None else feature_bar(weight, most, f"feature-{i}", name, language)
        rows.append([_code(name), number(weight, language, digits=3, signed=kind == "coefficient"), bar])
    made: list[Child] = [table(say("features", language), [say("feature", language), say(kind, language), ""], rows, numbers=(1,))]
    if len(features) > len(shown):
        more = say("more-features", language, shown=whole(len(shown), language), all=whole(len(features), language))
        made.append(node("p", more, class_="quiet"))
    return made


def _weights(facts: Mapping[str, Any]) -> tuple[str, dict[str, float]]:
    """Return what features are weighed by, and each one's weight: coefficients, else importances."""
    features = facts.get("features") or ()
    linear = {str(f["name"]): float(f["coefficient"]) for f in features if f.get("coefficient") is not None}
    if linear:
        return "coefficient", linear
    told = [*features, *(facts.get("explained") or ())]
    return "importance", {str(f["name"]): float(f["importance"]) for f in told if f.get("importance") is not None}


def _invariant(control: Mapping[str, Any], named: str, columns: int | None, language: Language) -> list[Child]:
    kept = [str(c) for c in control.get("invariant") or ()]
    if not kept:
        return []
    key = "invariant-note" if columns and control.get("changed") is not None else "invariant-note-some"
    values = {
        "control": named[:1].upper() + named[1:],
        "changed": whole(control.get("changed"), language),
        "all": whole(columns, language),
        "kept": whole(len(kept), language),
    }
    return [node("p", say(key, language, **values)), _by_family(kept, language)]


def _by_family(columns: Sequence[str], language: Language) -> ET.Element:
    """Return every column, by family and with the family's count."""
    families: dict[str, list[str]] = {}
    for column in columns:
        families.setdefault(column.split("_")[0], []).append(column)
    made = node("dl", class_="names")
    for prefix, names in families.items():
        known = typeset(FAMILIES[prefix].in_(language), language) if prefix in FAMILIES else prefix
        codes: list[Child] = []
        for name in names:
            codes += [_code(name), " "]
        append(made, node("dt", known, " ", node("strong", whole(len(names), language))), node("dd", codes))
    return made


def _size(evidence: Evidence, language: Language) -> list[Child]:
    """Return how closely the risk follows the volume, where the study has one."""
    volume = evidence.facts.get("volume")
    found = [e for e in evidence.estimates if read_name(e.name).figure == "spearman" and read_name(e.name).who == "model"]
    if not found or not volume:
        return []
    told: list[Child] = [node("h3", say("size", language))]
    for e in found:
        told.append(
            node("p", f"{label(e.name, evidence.facts, language)}{say('colon', language)}{figure_text(e, language)}. ".replace("..", "."))
        )
    return [*told, node("p", say("size-note", language, column=str(volume)), class_="quiet")]


def _outcome(outcome: Mapping[str, Any], language: Language) -> Child:
    name = in_language(outcome.get("words") or outcome.get("name"), language)
    kind = f"kind-{outcome.get('kind')}"
    try:
        text = f"{name} ({say(kind, language)})"
    except KeyError:
        text = name
    if outcome.get("horizon") is not None:
        unit = outcome.get("unit") if outcome.get("kind") == "survival" else "month"
        told = say("month", language) if unit in (None, "", "1", "month", "months") else str(unit)
        text += ", " + say("horizon", language, horizon=number(float(outcome["horizon"]), language, digits=0), unit=told)
    return text or None


def _own(text: Any, language: Language) -> Child:
    """Return a text of the cohort's own, in whatever language its makers wrote it."""
    return in_language(text, language) if isinstance(text, Mapping) else (str(text) if text else None)


def _code(text: Any) -> ET.Element:
    return node("code", str(text))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
