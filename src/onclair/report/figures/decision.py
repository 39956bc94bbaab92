"""The decision curve: net benefit over the declared thresholds, beside treating everyone and no one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onclair.report.figures.canvas import Axis, canvas, lower_axis, path, side_axis, ticks, virtual_frame
from onclair.report.figures.forest import Look
from onclair.report.figures.series import KEY_LINE, MOST_LABELS, Series, draw, draw_band, end_labels, key_below, series_of
from onclair.report.markup import append, node
from onclair.report.words import number, say

LEFT, TOP, WIDE, HIGH = 70.0, 14.0, 320.0, 330.0
#: Net benefit below this share of its best value is cut off: nobody would act on it, and it would flatten the rest.
DEPTH = 0.5


def decision_plot(curves: Sequence[Mapping[str, Any]], look: Look, label: Callable[[str], str]) -> ET.Element:
    """Return the decision curve.

    Parameters
    ----------
    curves : sequence of mapping
        Net benefit by threshold, for the model, rivals, ``all`` and ``none``; thresholds in (0, 1).
    look : Look
    label : callable
        ``who -> str``.

    Returns
    -------
    Element
        The horizontal axis ends where the declared thresholds end; a line that leaves the plot at its foot is cut there.
    """
    series = series_of(curves, label)
    across = _across(series)
    up = _up(series)
    few = len(series) <= MOST_LABELS
    svg = canvas(look.key, look.title, _spoken(series, look), TOP + HIGH + 48 + (0 if few else 16 + KEY_LINE * len(series)))
    append(svg, side_axis(up, LEFT, say("net-benefit", look.language), look.language, right=LEFT + WIDE))
    append(svg, lower_axis(across, TOP + HIGH, look.axis_title, look.language))
    clip = f"{look.key}-clip"
    append(svg, node("clipPath", node("rect", x=LEFT, y=TOP - 4, width=WIDE, height=HIGH + 4), id=clip))
    inside = node("g", clip_path=f"url(#{clip})")
    for one in series[:1]:
        append(inside, draw_band(one, across, _beyond(up)))
    for one in reversed(series):
        markers = len(one.points) <= 12 and one.tone != "soft"
        append(inside, draw(one, across, _beyond(up), markers=markers))
    append(svg, inside, path([(LEFT, up.at(0)), (LEFT + WIDE, up.at(0))], "axis"))
    append(svg, end_labels(series, LEFT + WIDE + 4, up, 118) if few else key_below(series, LEFT, TOP + HIGH + 60))
    if look.virtual:
        append(svg, virtual_frame((LEFT + 1, TOP, WIDE - 1, HIGH - 1), look.language, at_top=True))
    return svg


def _across(series: Sequence[Series]) -> Axis:
    every = [x for one in series for x, _ in one.points]
    low, high = min(every), max(every)
    return Axis(low, high if high > low else low + 0.1, LEFT, LEFT + WIDE)


def _up(series: Sequence[Series]) -> Axis:
    """From a little under 0 to the best value, whatever depths treating everyone reaches."""
    top = max([*(y for one in series for _, y in one.points), *(h for _, _, h in (series[0].band if series else ())), 0.01])
    lowest = min(y for one in series for _, y in one.points)
    bottom = max(min(lowest, 0.0), -DEPTH * top)
    step = (marks := ticks(bottom, top, 6))[1] - marks[0]
    return Axis(min(bottom, -0.05 * top), marks[-1] if marks[-1] >= top - 1e-9 else marks[-1] + step, TOP + HIGH, TOP)


def _beyond(up: Axis) -> Axis:
    """Return the same scale, many plots deep, so that a cut line keeps its slope."""
    span, pixels = up.high - up.low, up.start - up.end
    return Axis(up.low - 10 * span, up.high + 10 * span, up.start + 10 * pixels, up.end - 10 * pixels)


def _spoken(series: Sequence[Series], look: Look) -> str:
    colon = say("colon", look.language)
    parts = []
    for one in series:
        ends = [one.points[0], one.points[-1]]
        shown = " … ".join(f"{number(y, look.language, digits=3)} ({number(x, look.language)})" for x, y in ends)
        parts.append(f"{one.label}{colon}{shown}")
    return ". ".join(parts)
