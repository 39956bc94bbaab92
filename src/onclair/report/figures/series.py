"""Lines of several series: hue, dash and a direct label, so that a grey print still tells them apart."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onclair.report.figures.canvas import Axis, path, spread, wrapped, write
from onclair.report.markup import node

#: More series than this get a key under the plot instead of labels beside their ends.
MOST_LABELS = 6
KEY_LINE = 18.0
#: Dashes by order, solid first.
DASHES = (None, "7 4", "2 3", "9 3 2 3", "12 4", "4 2")


@dataclass(frozen=True, slots=True)
class Series:
    """One curve as it is drawn.

    Attributes
    ----------
    label : str
    points : tuple of (float, float)
    band : tuple of (float, float, float)
        ``x, low, high``; empty where the record has none.
    tone : str
        A class: ``s1`` to ``s6``, or ``soft``.
    dash : str or None
    """

    label: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float, float], ...] = ()
    tone: str = "s1"
    dash: str | None = None


def series_of(curves: Sequence[Mapping[str, Any]], label: Callable[[str], str]) -> tuple[Series, ...]:
    """Return how each curve of the record is drawn: the model first and solid, what treats everyone alike in grey.

    Examples
    --------
    >>> [s.tone for s in series_of([{"who": "all", "x": [0, 1], "y": [0, 1]}, {"who": "model", "x": [0, 1], "y": [0, 1]}], str)]
    ['s1', 'soft']
    """
    ordered = sorted(curves, key=lambda c: {"model": 0, "all": 2, "none": 3}.get(str(c["who"]), 1))
    made, hue = [], 0
    for curve in ordered:
        who = str(curve["who"])
        grey = who in ("all", "none")
        hue += not grey
        tone = "soft" if grey else f"s{min(hue, 6)}"
        dash = {"all": "6 3", "none": "1 3"}.get(who, DASHES[min(hue, 6) - 1])
        made.append(Series(label(who), _points(curve), _band(curve), tone, dash))
    return tuple(made)


def draw(series: Series, across: Axis, up: Axis, *, markers: bool = False) -> list[ET.Element]:
    """Return the line of a series; with `markers`, a dot at each point that the record declares."""
    points = [(across.at(x), up.at(y)) for x, y in series.points]
    drawn = [path(points, f"path {series.tone}", dash=series.dash)]
    if markers:
        drawn += [node("circle", cx=x, cy=y, r=3, class_=f"mark {series.tone}") for x, y in points]
    return drawn


def draw_band(series: Series, across: Axis, up: Axis) -> list[ET.Element]:
    """Return the band of a series; nothing where the record has none."""
    if not series.band:
        return []
    upper = [(across.at(x), up.at(high)) for x, _, high in series.band]
    lower = [(across.at(x), up.at(low)) for x, low, _ in reversed(series.band)]
    return [path([*upper, *lower], f"band {series.tone}", close=True)]


def end_labels(series: Iterable[Series], x: float, up: Axis, width: float) -> list[ET.Element]:
    """Return a label beside the end of each line, spread so that none overlaps."""
    every = list(series)
    lines = [wrapped(s.label, width, 12) for s in every]
    tall = 15.0 * max((len(each) for each in lines), default=1) + 3
    places = spread([up.at(s.points[-1][1]) for s in every], tall, min(up.start, up.end) + 4, max(up.start, up.end))
    drawn = []
    for one, text, y in zip(every, lines, places, strict=True):
        drawn += [
            path([(x, up.at(one.points[-1][1])), (x + 8, y)], "grid"),
            path([(x + 8, y), (x + 26, y)], f"path {one.tone}", dash=one.dash),
        ]
        drawn += [write(each, x + 31, y + 4 + 15 * i, "small") for i, each in enumerate(text)]
    return drawn


def key_below(series: Sequence[Series], x: float, y: float) -> list[ET.Element]:
    """Return a key under the plot, one line a series, for more of them than labels beside their ends would bear."""
    drawn = []
    for i, one in enumerate(series):
        row = y + KEY_LINE * i
        drawn += [path([(x, row - 4), (x + 26, row - 4)], f"path {one.tone}", dash=one.dash), write(one.label, x + 34, row, "small")]
    return drawn


def _points(curve: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in zip(curve["x"], curve["y"], strict=False) if x is not None and y is not None)


def _band(curve: Mapping[str, Any]) -> tuple[tuple[float, float, float], ...]:
    low, high = curve.get("low"), curve.get("high")
    if not low or not high:
        return ()
    every = zip(curve["x"], low, high, strict=False)
    return tuple((float(x), float(a), float(b)) for x, a, b in every if x is not None and a is not None and b is not None)
