"""A bone's strength as a bar that shows its doubt: what each assumption on the tumour gives, the interval, and what daily life asks."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onclair.core.words import Language, Words
from onclair.report.figures.canvas import STRIP, Axis, canvas, line, lower_axis, ticks, virtual_frame, wrapped, write
from onclair.report.markup import append, node
from onclair.report.words import number, typeset

LABELS = {
    "density": Words("Tumour as stiff as its density says", "Tumeur aussi raide que sa densité"),
    "half": Words("Half as stiff as the bone around", "Deux fois moins raide que l'os voisin"),
    "tenth": Words("A tenth as stiff", "Dix fois moins raide"),
    "void": Words("As if it were a hole", "Comme un trou"),
}
TITLE = Words("Strength and what nobody knows about it", "Résistance, et ce que personne n'en sait")
AXIS = Words("Strength (newtons)", "Résistance (newtons)")
WHOLE = Words("Strength, all doubts together", "Résistance, tous doutes réunis")
LOAD = Words("{task}: about {load} N", "{task} : environ {load} N")
TASKS = {
    "walking": Words("walking", "marche"),
    "stumbling": Words("stumbling", "trébuchement"),
    "lifting a weight": Words("lifting a weight", "port d'une charge"),
    "fall to the side": Words("fall to the side", "chute sur le côté"),
}
_LABEL, _START, _END = 150.0, 164.0, 536.0
_ROW = 40.0


@dataclass(frozen=True, slots=True)
class Strength:
    """What the bar shows.

    Attributes
    ----------
    value, low, high : float or None
        In newtons.
    level : float or None
        Of the interval.
    band : sequence of mapping
        ``assumption strength_N``.
    loads : sequence of mapping
        ``task load_N``; none without a body mass.
    virtual : bool
    """

    value: float | None
    low: float | None
    high: float | None
    level: float | None = None
    band: Sequence[Mapping[str, Any]] = ()
    loads: Sequence[Mapping[str, Any]] = ()
    virtual: bool = False


def strength_bar(shown: Strength, language: Language = "en") -> ET.Element:
    """Return the bar.

    Parameters
    ----------
    shown : Strength
    language : {"en", "fr"}

    Returns
    -------
    Element
        An SVG; the axis starts at zero, the interval is drawn over the bar, the four assumptions below it.
    """
    rows = [(WHOLE, shown.value)] + [(LABELS[str(one["assumption"])], one["strength_N"]) for one in shown.band]
    loads = [one for one in shown.loads if one.get("load_N")]
    most = max([1.0, *(v for _, v in rows if v), shown.high or 0.0, *(float(one["load_N"]) for one in loads)])
    marks = ticks(0.0, most * 1.05)
    axis = Axis(0.0, max(marks[-1], most * 1.05), _START, _END)
    foot = 16.0 + _ROW * len(rows) + 20.0 * len(loads) + (STRIP if shown.virtual else 0.0)
    spoken = ". ".join(f"{label.in_(language)}: {number(value, language, digits=0)} N" for label, value in rows)
    svg = canvas("strength", TITLE.in_(language), spoken, foot + 48)
    append(svg, lower_axis(axis, foot, AXIS.in_(language), language))
    for place, (label, value) in enumerate(rows):
        append(svg, _row(label.in_(language), value, 16.0 + _ROW * (place + 0.5), axis, language, first=place == 0))
    append(svg, _interval(shown, 16.0 + _ROW / 2, axis))
    for place, one in enumerate(loads):
        append(svg, _load(one, axis, 16.0 + _ROW * len(rows) + 20.0 * place + 12.0, language))
    if shown.virtual:
        append(svg, virtual_frame((_START - 8, 6, _END - _START + 16, foot - 6), language))
    return svg


def _row(label: str, value: float | None, y: float, axis: Axis, language: Language, *, first: bool) -> list[ET.Element]:
    lines = wrapped(label, _LABEL)
    made = [write(text, 0, y + 4 + 15.0 * (at - (len(lines) - 1) / 2), "strong" if first else None) for at, text in enumerate(lines)]
    if value is None:
        return [*made, write("–", axis.start, y + 4, "quiet")]
    height = 18.0 if first else 8.0
    bar = node(
        "rect",
        x=axis.start,
        y=y - height / 2,
        width=axis.at(value) - axis.start,
        height=height,
        class_="bar s1" if first else "bar s1 pale",
    )
    beside = axis.at(value) + 6
    anchor, x = ("end", axis.at(value) - 6) if beside > axis.end - 60 else (None, beside)
    return [*made, bar, write(number(value, language, digits=0), x, y + (-12 if first else 4), "halo", anchor)]


def _interval(shown: Strength, y: float, axis: Axis) -> list[ET.Element]:
    if shown.low is None or shown.high is None:
        return []
    low, high = axis.at(shown.low), axis.at(shown.high)
    return [line(low, y, high, y, "path"), line(low, y - 7, low, y + 7, "path"), line(high, y - 7, high, y + 7, "path")]


def _load(one: Mapping[str, Any], axis: Axis, y: float, language: Language) -> list[ET.Element]:
    """Return a line from top to bottom at what a task asks of the bone, and its name."""
    x = axis.at(float(one["load_N"]))
    task = str(one["task"])
    told = LOAD.in_(language).format(
        task=TASKS[task].in_(language) if task in TASKS else task, load=number(one["load_N"], language, digits=0)
    )
    anchor = "end" if x > (axis.start + axis.end) / 2 else None
    told = typeset(told[:1].upper() + told[1:], language)
    return [line(x, 10.0, x, y + 4, "reference"), write(told, x + (-5 if anchor else 5), y, "quiet small halo", anchor)]
