"""Dots and whiskers on a common axis: the model beside its rivals; who has no figure keeps an empty row with the reason."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from onclair.core.estimate import Estimate
from onclair.core.words import Language
from onclair.report.figures.canvas import STRIP, WIDTH, Axis, canvas, line, lower_axis, ticks, virtual_frame, wrapped, write
from onclair.report.labels import REFERENCE
from onclair.report.markup import append, node
from onclair.report.reading import Role, Row, read_name
from onclair.report.words import figure_text, holds_its_value, reason_text, say

LABEL_END, PLOT_START, PLOT_END, TEXT_START = 158.0, 172.0, 400.0, 414.0
LINE, ROW = 17.0, 34.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a forest plot says around its rows."""

    key: str
    title: str
    axis_title: str
    language: Language = "en"
    virtual: bool = False


def forest(rows: Sequence[Row], look: Look) -> ET.Element:
    """Return a forest plot.

    Parameters
    ----------
    rows : sequence of Row
        Drawn from top to bottom; the model filled and strong, rivals as squares, controls hollow.
    look : Look

    Returns
    -------
    Element
        An SVG that names every row and figure in its description.
    """
    axis = common_axis([r.estimate for r in rows], PLOT_START, PLOT_END)
    heights = [_height(r, look.language) for r in rows]
    foot = 26.0 + sum(heights) + (STRIP if look.virtual else 0.0)
    spoken = ". ".join(f"{r.label}{say('colon', look.language)}{figure_text(r.estimate, look.language)}" for r in rows)
    svg = canvas(look.key, look.title, spoken, foot + 48)
    append(svg, lower_axis(axis, foot, look.axis_title, look.language), _reference(rows, axis, foot, look.language))
    if look.virtual:
        append(svg, virtual_frame((PLOT_START - 8, 20, PLOT_END - PLOT_START + 16, foot - 20), look.language))
    top = 26.0
    for row, height in zip(rows, heights, strict=True):
        append(svg, _row(row, axis, top + height / 2, look.language))
        top += height
    return svg


def common_axis(estimates: Sequence[Estimate], start: float, end: float) -> Axis:
    """Return an axis that holds every figure, interval and reference value, with round ends.

    Examples
    --------
    >>> axis = common_axis([Estimate("auc:model", 0.81, low=0.69, high=0.93)], 0.0, 100.0)
    >>> axis.low, axis.high
    (0.5, 1.0)
    """
    values = [v for e in estimates for v in (e.value, e.low, e.high) if v is not None]
    values += [REFERENCE[f] for e in estimates if (f := read_name(e.name).figure) in REFERENCE and "minus" not in e.name]
    values += [0.0 for e in estimates if "minus" in e.name]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    steps = ticks(low, high, 5)
    step = steps[1] - steps[0] if len(steps) > 1 else high - low
    return Axis(round(math.floor(low / step + 1e-9) * step, 10), round(math.ceil(high / step - 1e-9) * step, 10), start, end)


def whisker(estimate: Estimate, axis: Axis, y: float, role: Role = "model") -> list[ET.Element]:
    """Return the dot and whisker of one estimate; dashed where the record says too few, the dot alone beside a stray interval.

    The shape says who it is: a disc the model, a square a rival, a hollow disc a control.
    """
    if estimate.value is None:
        return []
    tone = "s1" if role == "model" else "s2" if role == "control" else "soft"
    unsure = " unsure" if estimate.status == "too_few" else ""
    drawn = []
    if estimate.low is not None and estimate.high is not None and holds_its_value(estimate):
        left, right = axis.at(estimate.low), axis.at(estimate.high)
        drawn.append(line(left, y, right, y, f"path {tone}{unsure}"))
        drawn += [line(x, y - 4, x, y + 4, f"path {tone}") for x in (left, right)]
    x = axis.at(estimate.value)
    if role == "rival":
        drawn.append(node("rect", x=x - 4.5, y=y - 4.5, width=9, height=9, class_=f"mark {tone}"))
    else:
        drawn.append(node("circle", cx=x, cy=y, r=6 if role == "model" else 5, class_=f"{'mark' if role == 'model' else 'hollow'} {tone}"))
    return drawn


def _row(row: Row, axis: Axis, y: float, language: Language) -> list[ET.Element]:
    strong = "strong" if row.role == "model" else None
    drawn = _lines(row.label, LABEL_END, y, strong, "end", LABEL_END)
    if row.estimate.value is None:
        reason = reason_text(row.estimate, language)
        return [*drawn, *_lines(reason, PLOT_START + 8, y, "quiet halo", None, WIDTH - PLOT_START - 8)]
    return [
        *drawn,
        *whisker(row.estimate, axis, y, row.role),
        *_lines(figure_text(row.estimate, language), TEXT_START, y, strong, None, 150),
    ]


def _lines(text: str, x: float, y: float, class_: str | None, anchor: str | None, width: float) -> list[ET.Element]:
    lines = wrapped(text, width)
    first = y + 4.5 - LINE * (len(lines) - 1) / 2
    return [write(each, x, first + LINE * i, class_, anchor) for i, each in enumerate(lines)]


def _height(row: Row, language: Language) -> float:
    lines = len(wrapped(row.label, LABEL_END))
    if row.estimate.value is None:
        lines = max(lines, len(wrapped(reason_text(row.estimate, language), WIDTH - PLOT_START - 8)))
    else:
        lines = max(lines, len(wrapped(figure_text(row.estimate, language), 150)))
    return max(ROW, LINE * lines + 12)


def _reference(rows: Sequence[Row], axis: Axis, foot: float, language: Language) -> list[ET.Element]:
    name = read_name(rows[0].estimate.name) if rows else None
    if name is None or name.figure not in REFERENCE or not axis.holds(REFERENCE[name.figure]):
        return []
    key = "chance" if REFERENCE[name.figure] == 0.5 else "reference"
    x = axis.at(REFERENCE[name.figure])
    return [line(x, 18, x, foot, "reference"), write(say(key, language), x, 12, "quiet small", "middle")]
