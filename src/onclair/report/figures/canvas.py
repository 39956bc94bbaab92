"""What every figure stands on: a canvas with a title and a description, linear axes, wrapped text, the virtual frame."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onclair.core.words import Language
from onclair.report.markup import SVG, append, node, to_xml
from onclair.report.tokens import FIGURE_CSS, tokens_css
from onclair.report.words import number, say

#: Width of a figure in its own units; it scales with the page.
WIDTH = 560.0
#: Mean advance of a letter of the system's sans over its size, a little generous.
ADVANCE = 0.53
#: Height kept free under the rows of a plot for the word that says its patients are virtual.
STRIP = 26.0


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear map from values to the figure's units.

    Examples
    --------
    >>> Axis(0.0, 1.0, 100.0, 300.0).at(0.25)
    150.0
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value lies; beyond the axis, at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Return whether a value lies on the axis."""
        return self.low <= value <= self.high

    def marks(self) -> tuple[tuple[float, int], ...]:
        """Return the round values that the axis names, each with its decimals."""
        values = ticks(self.low, self.high)
        return tuple((v, tick_digits(values)) for v in values)


class LogAxis(Axis):
    """A map of ratios: half and double lie as far from 1.

    Examples
    --------
    >>> axis = LogAxis(0.5, 2.0, 0.0, 100.0)
    >>> axis.at(1.0), axis.marks()
    (50.0, ((0.5, 1), (1.0, 0), (2.0, 0)))
    """

    __slots__ = ()

    def at(self, value: float) -> float:
        """Return where a ratio lies; beyond the axis, or at 0, at its end."""
        low, high = math.log(self.low), math.log(self.high)
        share = (math.log(min(max(value, self.low), self.high)) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def marks(self) -> tuple[tuple[float, int], ...]:
        """Return halves and doubles, or finer steps on a short axis, each with its decimals."""
        known = (
            (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0) if self.high / self.low > 3 else (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0)
        )
        return tuple((v, tick_digits((v,))) for v in known if self.low - 1e-9 <= v <= self.high + 1e-9)


def canvas(key: str, title: str, description: str, height: float, width: float = WIDTH) -> ET.Element:
    """Return an empty figure that a screen reader can name.

    Parameters
    ----------
    key : str
        Unique in the page: letters, digits and hyphens.
    title, description : str
        What it shows; every figure drawn, in words.
    height, width : float
    """
    svg = node("svg", role="img", class_="figure", aria_labelledby=f"{key}-title {key}-desc", viewBox=f"0 0 {width:g} {height:g}")
    svg.set("xmlns", SVG)
    append(svg, node("title", title, id=f"{key}-title"), node("desc", description, id=f"{key}-desc"))
    return svg


def standalone(svg: ET.Element) -> str:
    """Return a figure as a file of its own, its colours with it."""
    alone = ET.Element(svg.tag, {**svg.attrib, "width": svg.get("viewBox", "0 0 560 400").split()[2]})
    append(alone, node("style", tokens_css() + FIGURE_CSS), list(svg))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + to_xml(alone) + "\n"


def write(text: str, x: float, y: float, class_: str | None = None, anchor: str | None = None) -> ET.Element:
    """Return one line of text; `anchor` is ``"middle"`` or ``"end"``, the start otherwise."""
    return node("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> ET.Element:
    """Return a straight line."""
    return node("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path(points: Iterable[tuple[float, float]], class_: str, *, close: bool = False, dash: str | None = None) -> ET.Element:
    """Return a line through points."""
    drawn = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return node("path", d=f"M{drawn}" + (" Z" if close else ""), class_=class_, stroke_dasharray=dash)


def ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """Return round values between `low` and `high`, at most `most` of them.

    Examples
    --------
    >>> ticks(0.0, 1.0), ticks(-0.23, 0.31)
    ((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (-0.2, -0.1, 0.0, 0.1, 0.2, 0.3))
    """
    rough = (high - low) / max(1, most - 1)
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(m * scale for m in (1, 2, 2.5, 5, 10, 20) if _count(low, high, m * scale) <= most)
    first = math.ceil(low / step - 1e-9)
    return tuple(round(i * step, 10) for i in range(first, first + _count(low, high, step)))


def tick_digits(values: Sequence[float]) -> int:
    """Return how many decimals ticks need.

    Examples
    --------
    >>> tick_digits((0.0, 0.25, 0.5)), tick_digits((0.0, 1.0))
    (2, 0)
    """
    return next((d for d in range(6) if all(abs(round(v, d) - v) < 1e-9 for v in values)), 6)


def lower_axis(axis: Axis, y: float, title: str, language: Language, *, top: float | None = None) -> list[ET.Element]:
    """Return a horizontal axis under a plot: ticks, numbers, title, and hairlines up to `top`."""
    marks = axis.marks()
    drawn = [line(axis.at(v), y, axis.at(v), top, "grid") for v, _ in marks] if top is not None else []
    drawn.append(line(axis.start, y, axis.end, y, "axis"))
    for v, digits in marks:
        drawn.append(line(axis.at(v), y, axis.at(v), y + 4, "axis"))
        drawn.append(write(number(v, language, digits=digits), axis.at(v), y + 18, "quiet small", "middle"))
    return [*drawn, write(title, (axis.start + axis.end) / 2, y + 36, "quiet", "middle")]


def side_axis(axis: Axis, x: float, title: str, language: Language, *, right: float) -> list[ET.Element]:
    """Return a vertical axis at the left of a plot: hairlines up to `right`, numbers, and its title turned."""
    values = ticks(axis.low, axis.high)
    digits = tick_digits(values)
    drawn = [line(x, axis.at(v), right, axis.at(v), "grid") for v in values]
    drawn.append(line(x, axis.start, x, axis.end, "axis"))
    drawn += [write(number(v, language, digits=digits), x - 8, axis.at(v) + 4, "quiet small", "end") for v in values]
    middle = (axis.start + axis.end) / 2
    turned = node("text", title, transform=f"translate({x - 46:g} {middle:g}) rotate(-90)", class_="quiet", text_anchor="middle")
    return [*drawn, turned]


def virtual_frame(box: Sequence[float], language: Language, *, at_top: bool = False) -> list[ET.Element]:
    """Return the dotted frame and the word, in its lower right corner or upper one, that stay in the picture when it is cropped.

    Parameters
    ----------
    box : sequence of float
        Left, top, width and height.
    """
    x, y, width, height = box
    return [
        node("rect", x=x, y=y, width=width, height=height, rx="4", class_="frame"),
        write(say("virtual", language), x + width - 10, y + 22 if at_top else y + height - 10, "virtual", "end"),
    ]


def wrapped(text: str, width: float, size: float = 13.0) -> list[str]:
    """Return `text` cut at its spaces into lines of about `width`.

    Examples
    --------
    >>> wrapped("one two three", 60.0)
    ['one two', 'three']
    """
    most = max(4, int(width / (ADVANCE * size)))
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places near the wanted ones, at least `gap` apart and within bounds: labels that do not overlap.

    Examples
    --------
    >>> spread([10.0, 12.0, 50.0], 14.0, 0.0, 100.0)
    [10.0, 24.0, 50.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    floor = low
    for i in order:
        placed[i] = max(wanted[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed


def _count(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1
