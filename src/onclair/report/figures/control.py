"""Negative controls: the model as it is beside itself on a signal destroyed on purpose, and signed bars for its features."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from onclair.core.estimate import Estimate
from onclair.core.words import Language
from onclair.report.figures.canvas import STRIP, WIDTH, Axis, canvas, line, lower_axis, virtual_frame, wrapped, write
from onclair.report.figures.forest import LABEL_END, LINE, PLOT_END, PLOT_START, TEXT_START, Look, common_axis, whisker
from onclair.report.labels import REFERENCE
from onclair.report.markup import append, node
from onclair.report.reading import Row, read_name
from onclair.report.words import digits_of, figure_text, holds_its_value, interval, number, reason_text, say

PAIR = 62.0


def control_plot(model: Estimate, rows: Sequence[Row], look: Look) -> ET.Element:
    """Return the control plot: in each pair, above and filled as it is, below and hollow destroyed.

    Parameters
    ----------
    model : Estimate
        On the signal as it is.
    rows : sequence of Row
        One a control, with the paired difference where the record has one.
    look : Look

    Returns
    -------
    Element
    """
    axis = common_axis([model, *(r.estimate for r in rows)], PLOT_START, PLOT_END)
    foot = 26.0 + PAIR * len(rows) + (STRIP if look.virtual else 0.0)
    spoken = ". ".join(f"{r.label}{say('colon', look.language)}{figure_text(r.estimate, look.language)}" for r in rows)
    first = f"{say('intact', look.language)}{say('colon', look.language)}{figure_text(model, look.language)}"
    svg = canvas(look.key, look.title, f"{first}. {spoken}", foot + 48)
    append(svg, lower_axis(axis, foot, look.axis_title, look.language), _chance(model, axis, foot, look.language))
    if look.virtual:
        append(svg, virtual_frame((PLOT_START - 8, 20, PLOT_END - PLOT_START + 16, foot - 20), look.language))
    for i, row in enumerate(rows):
        append(svg, _pair(model, row, axis, 26.0 + PAIR * (i + 0.5), look.language))
    return svg


def difference_cell(row: Row, axis: Axis, language: Language, key: str) -> ET.Element:
    """Return one cell of the table of differences: a dot and whisker on the table's common axis, 0 marked.

    Parameters
    ----------
    row : Row
        Its difference may be None: the cell then holds the zero line alone.
    axis : Axis
        The same for every row.
    key : str
        Unique in the page.
    """
    difference = row.difference
    spoken = figure_text(difference, language) if difference is not None else say("not_available", language)
    svg = canvas(key, row.label, spoken, 28, axis.end + 8)
    append(svg, line(axis.at(0.0), 0, axis.at(0.0), 28, "axis"))
    if difference is not None:
        append(svg, whisker(difference, axis, 14, "rival" if row.role == "rival" else "control"))
    return svg


def difference_axis(axis: Axis, key: str, title: str, language: Language, *, virtual: bool = False) -> ET.Element:
    """Return the axis that the cells above it share; on virtual patients, with the word."""
    svg = canvas(key, title, f"{number(axis.low, language)} … {number(axis.high, language)}", 46 if virtual else 24, axis.end + 8)
    append(svg, line(axis.start, 1, axis.end, 1, "axis"))
    if virtual:
        append(svg, write(say("virtual", language), axis.end, 40, "virtual", "end"))
    for value, anchor in _ends(axis):
        x = axis.at(value)
        signed = number(value, language, digits=1 if abs(value * 10 - round(value * 10)) < 1e-9 else 2, signed=True) if value else "0"
        append(svg, line(x, 1, x, 5, "axis"), write(signed, x, 18, "quiet small", anchor))
    return svg


def _ends(axis: Axis) -> list[tuple[float, str | None]]:
    """Return what the shared axis names, with the anchor of its text: its ends and 0, each once."""
    ends: list[tuple[float, str | None]] = [(0.0, "middle" if axis.low < 0 < axis.high else None)]
    return ends + [(v, anchor) for v, anchor in ((axis.low, None), (axis.high, "end")) if v != 0]


def feature_bar(value: float, most: float, key: str, label: str, language: Language) -> ET.Element:
    """Return a signed bar from 0, on the axis that all features share: to the right more risk, to the left less."""
    axis = Axis(-most, most, 4.0, 156.0)
    svg = canvas(key, label, number(value, language, digits=3, signed=True), 20, 160)
    zero, end = axis.at(0.0), axis.at(value)
    tone = "s2" if value > 0 else "s1"
    append(
        svg, node("rect", x=min(zero, end), y=4, width=abs(end - zero), height=12, class_=f"bar {tone}"), line(zero, 0, zero, 20, "axis")
    )
    return svg


def _pair(model: Estimate, row: Row, axis: Axis, y: float, language: Language) -> list[ET.Element]:
    drawn = [line(0, y - PAIR / 2, WIDTH, y - PAIR / 2, "grid")]
    lines = wrapped(row.label, LABEL_END)
    drawn += [write(t, LABEL_END, y + 4.5 + LINE * (i - (len(lines) - 1) / 2), None, "end") for i, t in enumerate(lines)]
    if model.value is not None and row.estimate.value is not None:
        drawn.append(line(axis.at(model.value), y - 12, axis.at(row.estimate.value), y + 12, "grid"))
    drawn += [*whisker(model, axis, y - 12, "model"), write(_short(model, language), TEXT_START, y - 8, "strong")]
    if row.estimate.value is None:
        reason = wrapped(reason_text(row.estimate, language), WIDTH - PLOT_START - 8)
        return drawn + [write(t, PLOT_START + 8, y + 14 + LINE * i, "quiet") for i, t in enumerate(reason[:2])]
    return [*drawn, *whisker(row.estimate, axis, y + 12, "control"), write(_short(row.estimate, language), TEXT_START, y + 16)]


def _short(estimate: Estimate, language: Language) -> str:
    if estimate.value is None:
        return "–"
    shown = number(estimate.value, language, digits=digits_of(estimate.name))
    return shown if not holds_its_value(estimate) else f"{shown} ({interval(estimate, language)})"


def _chance(model: Estimate, axis: Axis, foot: float, language: Language) -> list[ET.Element]:
    value = REFERENCE.get(read_name(model.name).figure)
    if value is None or not axis.holds(value):
        return []
    label = say("chance" if value == 0.5 else "reference", language)
    return [line(axis.at(value), 18, axis.at(value), foot, "reference"), write(label, axis.at(value), 12, "quiet small", "middle")]
