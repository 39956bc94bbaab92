"""Dots and whiskers on a common axis: the model beside its rivals; who has no figure keeps an empty row that says so."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, replace

from onclair.core.estimate import Estimate
from onclair.core.words import Language
from onclair.report.figures.canvas import STRIP, Axis, LogAxis, canvas, line, lower_axis, path, ticks, virtual_frame, wrapped, write
from onclair.report.labels import RATIOS, REFERENCE
from onclair.report.markup import append, node
from onclair.report.reading import Role, Row, read_name
from onclair.report.words import figure_text, holds_its_value, reason_text, say

LABEL_END, PLOT_START, PLOT_END, TEXT_START = 158.0, 172.0, 400.0, 414.0
LINE, ROW = 17.0, 34.0
#: Room beside the plot for the figure in words, wide letters allowed for.
TEXT_WIDTH = 140.0
#: The same for bold letters, which are wider.
STRONG_WIDTH = 132.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a forest plot says around its rows."""

    key: str
    title: str
    axis_title: str
    language: Language = "en"
    virtual: bool = False


def forest(rows: Sequence[Row], look: Look, axis: Axis | None = None) -> ET.Element:
    """Return a forest plot.

    Parameters
    ----------
    rows : sequence of Row
        Drawn from top to bottom; the model filled and strong, rivals as squares, controls hollow, centres pooled as a diamond,
        the range of a new centre as a bar.
    look : Look
    axis : Axis, optional
        One that holds every figure when left out; an interval that leaves it ends in an arrow.

    Returns
    -------
    Element
        An SVG that names every row and figure in its description.
    """
    axis = axis or common_axis([r.estimate for r in rows], PLOT_START, PLOT_END)
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
    values += [REFERENCE[f] for e in estimates if (f := read_name(e.name).figure) in REFERENCE and "-minus-" not in e.name]
    values += [0.0 for e in estimates if "-minus-" in e.name]
    return axis_over(values, start, end)


def standing_axis(estimates: Sequence[Estimate], start: float, end: float) -> Axis:
    """Return an axis for figures of which some do not stand: their intervals do not stretch it; ratios on a logarithmic one.

    Examples
    --------
    >>> wide = Estimate("o_e:a:centre=1", 1.4, low=0.01, high=90.0, status="too_few", reason="2 events")
    >>> axis = standing_axis([Estimate("o_e:a:centre=2", 1.1, low=0.9, high=1.3), wide], 0.0, 100.0)
    >>> axis.low, axis.high
    (0.5, 2.0)
    """
    stands = [e for e in estimates if e.status == "ok"] or list(estimates)
    within = [v for e in stands for v in (e.low, e.high) if v is not None]
    within += [e.value for e in estimates if e.value is not None]
    figures = {read_name(e.name).figure for e in estimates if "-minus-" not in e.name}
    if figures and figures <= RATIOS and all(v > 0 for v in within):
        low, high = min([1.0, *within]), max([1.0, *within])
        steps = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
        first, last = (
            max((s for s in steps if s <= low and s < 1), default=0.05),
            min((s for s in steps if s >= high and s > 1), default=20.0),
        )
        return LogAxis(first, last, start, end)
    return common_axis([replace(e, low=None, high=None) if e not in stands else e for e in estimates], start, end)


def axis_over(values: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis with round ends that holds every value.

    Examples
    --------
    >>> axis = axis_over([0.12, 0.87], 0.0, 100.0)
    >>> axis.low, axis.high
    (0.0, 1.0)
    """
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
    tone = "s1" if role in ("model", "pooled", "predicted") else "s2" if role == "control" else "soft"
    ends = (estimate.low, estimate.high) if holds_its_value(estimate) else None
    x = axis.at(estimate.value)
    if role == "pooled":
        return [_diamond(axis, (ends[0] if ends else None, estimate.value, ends[1] if ends else None), y, tone)]
    drawn = _whisker_line(estimate, axis, y, tone, role) if ends else []
    if role == "predicted":
        return drawn
    if role == "rival":
        drawn.append(node("rect", x=x - 4.5, y=y - 4.5, width=9, height=9, class_=f"mark {tone}"))
    else:
        drawn.append(node("circle", cx=x, cy=y, r=6 if role == "model" else 5, class_=f"{'mark' if role == 'model' else 'hollow'} {tone}"))
    return drawn


def _whisker_line(estimate: Estimate, axis: Axis, y: float, tone: str, role: Role) -> list[ET.Element]:
    """Return the line of an interval with its caps; arrows where it leaves the axis, a bar for a prediction interval."""
    low, high = estimate.low or 0.0, estimate.high or 0.0
    left, right = axis.at(low), axis.at(high)
    if role == "predicted":
        return [node("rect", x=left, y=y - 5, width=max(1.0, right - left), height=10, class_=f"bar {tone} pale")]
    drawn = [line(left, y, right, y, f"path {tone}{' unsure' if estimate.status == 'too_few' else ''}")]
    for x, value, outward in ((left, low, 6.0), (right, high, -6.0)):
        if axis.holds(value):
            drawn.append(line(x, y - 4, x, y + 4, f"path {tone}"))
        else:
            drawn.append(path([(x + outward, y - 4), (x, y), (x + outward, y + 4)], f"path {tone}"))
    return drawn


def _diamond(axis: Axis, at: tuple[float | None, float, float | None], y: float, tone: str) -> ET.Element:
    low, value, high = at
    x = axis.at(value)
    left, right = (x - 5 if low is None else min(axis.at(low), x - 4)), (x + 5 if high is None else max(axis.at(high), x + 4))
    return path([(left, y), (x, y - 7), (right, y), (x, y + 7)], f"mark {tone}", close=True)


def _row(row: Row, axis: Axis, y: float, language: Language) -> list[ET.Element]:
    strong = "strong" if row.role in ("model", "pooled") else None
    drawn = _lines(row.label, LABEL_END, y, strong, "end", LABEL_END)
    tone = "quiet" if row.estimate.value is None else strong
    said = [write(each, TEXT_START, at, tone) for each, at in _spaced(_said(row, language), y)]
    return [*drawn, *whisker(row.estimate, axis, y, row.role), *said]


def _said(row: Row, language: Language) -> list[str]:
    """Return what stands beside a row, in lines: the figure and its interval, or that there is none; its reason is the caption's."""
    estimate = row.estimate
    if estimate.value is None:
        told = reason_text(estimate, language) if estimate.status == "too_few" else say(estimate.status, language)
        return wrapped(told, TEXT_WIDTH)
    told = figure_text(estimate, language)
    if estimate.low is None or estimate.high is None:
        told = f"{told} ({say('no-interval', language)})"
    width = STRONG_WIDTH if row.role in ("model", "pooled") else TEXT_WIDTH
    lines = wrapped(told, width)
    figure, opened, spread = told.partition(" (")
    whole = len(lines) > 1 and opened and len(wrapped(f"({spread}", width)) == 1
    return [figure, f"({spread}"] if whole else lines


def _lines(text: str, x: float, y: float, class_: str | None, anchor: str | None, width: float) -> list[ET.Element]:
    return [write(each, x, at, class_, anchor) for each, at in _spaced(wrapped(text, width), y)]


def _spaced(lines: Sequence[str], y: float) -> list[tuple[str, float]]:
    """Return lines with their heights, centred about `y`."""
    first = y + 4.5 - LINE * (len(lines) - 1) / 2
    return [(each, first + LINE * i) for i, each in enumerate(lines)]


def _height(row: Row, language: Language) -> float:
    lines = max(len(wrapped(row.label, LABEL_END)), len(_said(row, language)))
    return max(ROW, LINE * lines + 12)


def _reference(rows: Sequence[Row], axis: Axis, foot: float, language: Language) -> list[ET.Element]:
    if rows and "-minus-" in rows[0].estimate.name:
        x = axis.at(0.0)
        return [line(x, 18, x, foot, "reference"), write(say("no-difference-line", language), x, 12, "quiet small", "middle")]
    name = read_name(rows[0].estimate.name) if rows else None
    if name is None or name.figure not in REFERENCE or not axis.holds(REFERENCE[name.figure]):
        return []
    key = "chance" if REFERENCE[name.figure] == 0.5 else "reference"
    x = axis.at(REFERENCE[name.figure])
    return [line(x, 18, x, foot, "reference"), write(say(key, language), x, 12, "quiet small", "middle")]
