"""The figures of one record, each with a caption that says n, events, centres and the method of the interval."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.core.evidence import Evidence
from onclair.core.fragments import each_once
from onclair.core.words import Language
from onclair.report.figures.calibration import calibration_plot
from onclair.report.figures.canvas import standalone
from onclair.report.figures.control import control_plot
from onclair.report.figures.decision import decision_plot
from onclair.report.figures.forest import Look, forest
from onclair.report.markup import Child
from onclair.report.page import as_written, figure
from onclair.report.reading import Row, by_item, comparison, curves, figure_label, headline, is_virtual, places, read_name, who_label
from onclair.report.words import number, say, sentence, whole

Figure = Literal["forest", "calibration", "decision", "controls", "centres"]

#: How fragments begin that say for each centre or group again what the whole's has said: rows behind patients, degrees of freedom.
ONCE = ("n and events count patients (", "t quantile on ")
#: Rows without a figure or an interval whose reasons stand in a caption.
MOST_REASONS = 3


def render_figure(evidence: Evidence, which: Figure, language: Language = "en") -> str:
    """Return one figure as an SVG file of its own, colours and fonts inside.

    Raises
    ------
    BadInput
        When the record holds nothing to draw it from.
    """
    drawn = {
        "forest": forest_figure,
        "calibration": calibration_figure,
        "decision": decision_figure,
        "controls": controls_figure,
        "centres": centres_figure,
    }
    made = drawn[which](evidence, language)
    svg = made.find("svg") if made is not None else None
    if svg is None:
        raise BadInput(f"The record holds nothing to draw the figure '{which}' from; see `onclair report --format json`.", item=which)
    return standalone(svg)


def forest_figure(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the model beside its rivals and controls; None without a figure of the model."""
    measure = headline(evidence)
    if measure is None:
        return None
    rows = comparison(evidence, language, measure)
    name = figure_label(read_name(rows[0].estimate.name), language)
    look = Look("forest", say("beside", language), name, language, is_virtual(evidence))
    words: list[Child] = [say("beside-caption", language, figure=name[:1].upper() + name[1:]), " "]
    words += [*dashed(rows, language), *without_interval(rows, language)]
    return figure(forest(rows, look), words, behind([r.estimate for r in rows], evidence, language))


def centres_figure(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the model centre by centre; None where the record has no such estimate."""
    measure = headline(evidence)
    rows = places(evidence, language, measure) if measure else ()
    if not rows:
        return None
    name = figure_label(read_name(rows[0].estimate.name), language)
    look = Look("centres", say("by-centre", language), name, language, is_virtual(evidence))
    words: list[Child] = [say("by-centre-caption", language, figure=name[:1].upper() + name[1:]), " "]
    words += [*dashed(rows, language), *without_interval(rows, language)]
    return figure(forest(rows, look), words, behind([r.estimate for r in rows], evidence, language))


def controls_figure(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the model beside itself on destroyed signal; None without controls."""
    measure = headline(evidence)
    rows = comparison(evidence, language, measure) if measure else ()
    pairs = [r for r in rows if r.role == "control"]
    if not pairs:
        return None
    name = figure_label(read_name(rows[0].estimate.name), language)
    look = Look("controls-plot", say("controls", language), name, language, is_virtual(evidence))
    svg = control_plot(rows[0].estimate, pairs, look)
    return figure(svg, say("controls-caption", language), " ", behind([rows[0].estimate, *(r.estimate for r in pairs)], evidence, language))


def calibration_figure(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the calibration curve; None where the record has none."""
    drawn = curves(evidence, "calibration")
    if not drawn:
        return None
    look = Look("calibration-plot", say("calibration", language), say("predicted", language), language, is_virtual(evidence))
    spreads = [c for c in curves(evidence, "distribution") if c.get("who", "model") == "model"]
    svg = calibration_plot(drawn, spreads, look, lambda who: who_label(who, evidence.facts, language))
    below = f" {say('spread-below', language)}" if spreads else ""
    return figure(svg, say("calibration-caption", language) + below, " ", behind_curve(drawn, evidence, language))


def decision_figure(evidence: Evidence, language: Language) -> ET.Element | None:
    """Return the decision curve; None where the record has none, nor net benefit at two thresholds."""
    drawn = curves(evidence, "decision") or net_benefit_curves(evidence)
    if not drawn:
        return None
    look = Look("decision-plot", say("decision", language), say("threshold", language), language, is_virtual(evidence))
    svg = decision_plot(drawn, look, lambda who: who_label(who, evidence.facts, language))
    return figure(svg, say("decision-caption", language), " ", behind_curve(drawn, evidence, language))


def net_benefit_curves(evidence: Evidence) -> tuple[Mapping[str, Any], ...]:
    """Return the record's estimates of net benefit as curves, for those who have at least two thresholds.

    Examples
    --------
    >>> points = (Estimate("nb:model@0.2", 0.1, n=50), Estimate("nb:model@0.1", 0.2, n=50))
    >>> [c["x"] for c in net_benefit_curves(Evidence("validate", estimates=points))]
    [[0.1, 0.2]]
    """
    by_who: dict[str, list[tuple[float, Estimate]]] = {}
    for e in evidence.estimates:
        name = read_name(e.name)
        if name.figure == "nb" and name.at and e.value is not None and not name.where and "minus" not in name.who:
            by_who.setdefault(name.who, []).append((float(name.at), e))
    made: list[dict[str, Any]] = []
    for who, points in by_who.items():
        points.sort(key=lambda p: p[0])
        first = points[0][1]
        made.append(
            {
                "name": "decision",
                "who": who,
                "x": [x for x, _ in points],
                "y": [e.value for _, e in points],
                "low": [e.low for _, e in points],
                "high": [e.high for _, e in points],
                "method": first.method,
                "n": first.n,
                "events": first.events,
            }
        )
    return tuple(c for c in made if len(c["x"]) >= 2)


def why_no_curve(evidence: Evidence, name: str, language: Language) -> Child:
    """Return why there is no curve of one kind: the record's own reason, or that it holds none."""
    reasons = [str(c["reason"]) for c in evidence.facts.get("curves") or () if c.get("name") == name and c.get("reason")]
    return as_written(sentence(reasons[0]), language) if reasons else say("no-curve", language)


def behind(estimates: Sequence[Estimate], evidence: Evidence, language: Language) -> list[Child]:
    """Return what stands behind figures: n, events, centres, and how their intervals were made."""
    model = next((e for e in estimates if e.n is not None), None)
    n, events = (model.n, model.events) if model else (evidence.facts.get("patients"), evidence.facts.get("events"))
    methods = _said_once(each_once(e.method for e in estimates if e.method and e.low is not None))
    level = next((e.level for e in estimates if e.low is not None), 0.95)
    words: list[Child] = [counts(n, events, evidence, language)]
    if methods:
        words += [" ", say("level", language, level=number(100 * level, language, digits=0)).capitalize(), say("colon", language)]
        words += [as_written("; ".join(methods), language), "."]
    return words


def _said_once(methods: Sequence[str]) -> list[str]:
    """Return method fragments with the rows and degrees of freedom of the whole, not those of each centre or group again."""
    again = {m for start in ONCE for m in [m for m in methods if m.startswith(start)][1:]}
    return [m for m in methods if m not in again]


def behind_curve(drawn: Sequence[Mapping[str, Any]], evidence: Evidence, language: Language) -> list[Child]:
    """Return what stands behind curves: n, events, centres, and how they were made."""
    first = drawn[0]
    words: list[Child] = [counts(first.get("n"), first.get("events"), evidence, language)]
    methods = each_once(str(c["method"]) for c in drawn if c.get("method"))
    return [*words, " ", say("curve-method", language), as_written("; ".join(methods), language), "."] if methods else words


def dashed(rows: Sequence[Row], language: Language) -> list[str]:
    """Return what a dashed whisker means, where there is one."""
    drawn = any(r.estimate.status == "too_few" and r.estimate.value is not None for r in rows)
    return [say("dashed", language), " "] if drawn else []


def without_interval(rows: Sequence[Row], language: Language) -> list[Child]:
    """Return why rows have no figure or no interval: of the first few, and that the others are told below."""
    silent = [r for r in rows if r.estimate.reason and (r.estimate.value is None or r.estimate.low is None or r.estimate.high is None)]
    words: list[Child] = []
    for row in silent[:MOST_REASONS]:
        head = f"{row.label[:1].upper()}{row.label[1:]}{say('colon', language)}"
        head += say("not_available" if row.estimate.value is None else "no-interval", language) + ", "
        words += [head, as_written(row.estimate.reason or "", language), ". "]
    if len(silent) > MOST_REASONS:
        words += [say("reasons-below", language, count=whole(len(silent) - MOST_REASONS, language)), " "]
    return words


def counts(n: int | None, events: int | None, evidence: Evidence, language: Language) -> str:
    """Return n, events and centres in words.

    Examples
    --------
    >>> counts(51, 19, Evidence("validate", facts={"centres": ["A"]}), "en").replace("\u00a0", " ")
    'n = 51, 19 events, 1 centre.'
    """
    centres = len(evidence.facts.get("centres") or ())
    parts = [say("caption-n", language, n=whole(n, language))]
    if events is not None:
        parts.append(say("caption-events-items" if by_item(evidence) else "caption-events", language, events=whole(events, language)))
    if centres:
        parts.append(say("one-centre", language) if centres == 1 else say("many-centres", language, count=whole(centres, language)))
    return ", ".join(parts) + "."
