"""One interval in a cell of a table, on the axis that the rows of one figure share."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from onclair.core.estimate import Estimate
from onclair.core.words import Language
from onclair.report.figures.canvas import Axis, canvas, line, tick_digits, write
from onclair.report.figures.forest import whisker
from onclair.report.markup import append
from onclair.report.reading import Role
from onclair.report.words import figure_text, number, say

HIGH, FOOT = 26.0, 18.0


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands around one interval.

    Attributes
    ----------
    key : str
        Unique in the page.
    label : str
        Whose figure it is.
    reference : float or None
        What chance, or a perfect model, gives.
    last : bool
        Whether the axis is written under it.
    virtual : bool
        Whether the patients are; said under the last cell.
    """

    key: str
    label: str
    reference: float | None = None
    last: bool = True
    virtual: bool = False


def interval_cell(estimate: Estimate, axis: Axis, cell: Cell, language: Language, role: Role = "model") -> ET.Element:
    """Return a dot and whisker on a shared axis; an estimate without a figure leaves it empty.

    Parameters
    ----------
    estimate : Estimate
    axis : Axis
        From 0 to the width of the cell.
    cell : Cell
    language : {"en", "fr"}
    role : Role
        The model's disc or a rival's square.

    Examples
    --------
    >>> made = interval_cell(Estimate("auc:a", 0.7), Axis(0.5, 1.0, 8.0, 200.0), Cell("k", "a", 0.5), "en")
    >>> made.get("viewBox")
    '0 0 208 44'
    """
    high = HIGH + (FOOT if cell.last else 0)
    svg = canvas(cell.key, cell.label, figure_text(estimate, language), high, axis.end + 8)
    if cell.reference is not None and axis.holds(cell.reference):
        x = axis.at(cell.reference)
        append(svg, line(x, 0, x, HIGH, "reference"))
    append(svg, whisker(estimate, axis, HIGH / 2, role))
    if cell.last:
        append(svg, line(axis.start, HIGH, axis.end, HIGH, "axis"), _ends(axis, language))
        if cell.virtual:
            append(svg, write(say("virtual", language), (axis.start + axis.end) / 2, HIGH + 14, "virtual small", "middle"))
    return svg


def _ends(axis: Axis, language: Language) -> list[ET.Element]:
    """Return the ends of the axis, which are round, under it."""
    ends, digits = (axis.low, axis.high), tick_digits((axis.low, axis.high))
    named = zip(ends, (None, "end"), strict=True)
    return [write(number(v, language, digits=digits), axis.at(v), HIGH + 14, "quiet small", anchor) for v, anchor in named]
