"""Calibration: a square with its diagonal, the smooth curve with its band, the distribution of risks below."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from onclair.core.words import Language
from onclair.report.figures.canvas import Axis, canvas, line, lower_axis, side_axis, virtual_frame, write
from onclair.report.figures.forest import Look
from onclair.report.figures.series import KEY_LINE, MOST_LABELS, Series, draw, draw_band, end_labels, key_below, series_of
from onclair.report.markup import append, node
from onclair.report.words import number, say

LEFT, TOP, SIDE, BELOW = 64.0, 14.0, 330.0, 56.0

Curve = Mapping[str, Any]


def calibration_plot(curves: Sequence[Curve], spreads: Sequence[Curve], look: Look, label: Callable[[str], str]) -> ET.Element:
    """Return the calibration plot.

    Parameters
    ----------
    curves : sequence of mapping
        Calibration curves of the record, risks and shares in [0, 1].
    spreads : sequence of mapping
        Distributions of predicted risks: edges of bins (one more than counts) or their centres; may be empty.
    look : Look
        Its axis title is that of the horizontal axis.
    label : callable
        ``who -> str``.

    Returns
    -------
    Element
    """
    across, up = Axis(0.0, 1.0, LEFT, LEFT + SIDE), Axis(0.0, 1.0, TOP + SIDE, TOP)
    series = series_of(curves, label)
    foot = TOP + SIDE + (12 + BELOW if spreads else 0)
    few = len(series) <= MOST_LABELS
    svg = canvas(look.key, look.title, _spoken(series, look.language), foot + 48 + (0 if few else 16 + KEY_LINE * len(series)))
    append(svg, side_axis(up, LEFT, say("observed", look.language), look.language, right=LEFT + SIDE))
    append(svg, lower_axis(across, foot, look.axis_title, look.language))
    append(svg, line(across.start, up.start, across.end, up.end, "reference"), line(LEFT, up.start, LEFT + SIDE, up.start, "axis"))
    append(svg, _ideal(across, up, look.language), _inside(series, across, up, f"{look.key}-clip"))
    append(svg, end_labels(series, LEFT + SIDE + 4, up, 120) if few else key_below(series, LEFT, foot + 60))
    if spreads:
        append(svg, _spread(spreads[0], across, foot, look.language))
    if look.virtual:
        append(svg, virtual_frame((LEFT + 1, TOP, SIDE - 1, SIDE - 1), look.language))
    return svg


def bins(curve: Curve) -> tuple[tuple[float, float, float], ...]:
    """Return ``left, right, count`` of each bin, from edges or from centres.

    Examples
    --------
    >>> bins({"x": [0.0, 0.5, 1.0], "y": [3, 4]})
    ((0.0, 0.5, 3.0), (0.5, 1.0, 4.0))
    >>> bins({"x": [0.25, 0.75], "y": [3, 4]})
    ((0.0, 0.5, 3.0), (0.5, 1.0, 4.0))
    """
    x, y = [float(v) for v in curve["x"]], [float(v or 0) for v in curve["y"]]
    if len(x) == len(y) + 1:
        return tuple(zip(x[:-1], x[1:], y, strict=True))
    half = min((b - a for a, b in pairwise(x)), default=0.1) / 2
    return tuple((a - half, a + half, count) for a, count in zip(x, y, strict=True))


def _inside(series: Sequence[Series], across: Axis, up: Axis, clip: str) -> list[ET.Element]:
    """Return the lines, and the model's band, cut where they leave the square."""
    beyond = Axis(-1.0, 2.0, up.start + SIDE, up.end - SIDE)
    lines = [node("g", draw(one, across, beyond)) for one in reversed(series)]
    box = node("clipPath", node("rect", x=LEFT, y=TOP, width=SIDE, height=SIDE), id=clip)
    return [box, node("g", draw_band(series[0], across, beyond) if series else None, lines, clip_path=f"url(#{clip})")]


def _spread(curve: Curve, across: Axis, foot: float, language: Language) -> list[ET.Element]:
    columns = bins(curve)
    most = max((count for _, _, count in columns), default=0.0) or 1.0
    up = Axis(0.0, most, foot, foot - BELOW)
    drawn = []
    for left, right, count in columns:
        x = across.at(left)
        drawn.append(
            node("rect", x=x + 0.5, y=up.at(count), width=max(0.5, across.at(right) - x - 1), height=foot - up.at(count), class_="bar soft")
        )
    drawn.append(write(number(most, language, digits=0), LEFT - 8, foot - BELOW + 8, "quiet small", "end"))
    drawn.append(write("0", LEFT - 8, foot, "quiet small", "end"))
    drawn.append(write(say("spread", language), LEFT + SIDE + 8, foot - BELOW / 2 + 4, "quiet small"))
    return drawn


def _ideal(across: Axis, up: Axis, language: Language) -> ET.Element:
    x, y = across.at(0.86), up.at(0.89)
    return node("text", say("ideal", language), transform=f"translate({x:g} {y:g}) rotate(-45)", class_="quiet small", text_anchor="middle")


def _spoken(series: Sequence[Series], language: Language) -> str:
    ends = []
    for one in series:
        (x0, y0), (x1, y1) = one.points[0], one.points[-1]
        shown = [number(v, language) for v in (x0, y0, x1, y1)]
        first, last = (say("semicolon", language).join(pair) for pair in (shown[:2], shown[2:]))
        ends.append(f"{one.label}{say('colon', language)}({first}) … ({last})")
    return ". ".join(ends)
