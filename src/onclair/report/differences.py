"""The table of a model beside its rivals and controls: each figure, and the paired difference from the model on one axis."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from onclair.core.estimate import Estimate
from onclair.core.words import Language
from onclair.report.figures.canvas import Axis
from onclair.report.figures.control import difference_axis, difference_cell
from onclair.report.figures.forest import common_axis
from onclair.report.labels import LOWER_IS_BETTER
from onclair.report.markup import Child, node
from onclair.report.reading import Row, figure_label, read_name
from onclair.report.words import digits_of, holds_its_value, interval, number, say, unit_text


def differences(rows: Sequence[Row], language: Language, *, virtual: bool = False) -> ET.Element:
    """Return the table of the model beside each rival and control: figure, and the paired difference on one axis.

    Parameters
    ----------
    rows : sequence of Row
        The model first.
    language : {"en", "fr"}
    virtual : bool
        Whether the axis says so.

    Examples
    --------
    >>> from onclair.core.estimate import Estimate
    >>> model, gain = Estimate("auc:model", 0.8), Estimate("auc:model-minus-volume", 0.1, low=0.0, high=0.2)
    >>> rows = [Row("model", "model", model), Row("volume", "rival", Estimate("auc:rival:volume", 0.7), gain)]
    >>> [cell.text for cell in differences(rows, "en").iter("th")]
    ['Who', 'AUC', 'Model minus it', 'model', 'volume']
    """
    axis = common_axis([r.difference for r in rows if r.difference is not None], 8.0, 202.0)
    name = figure_label(read_name(rows[0].estimate.name), language)
    lower = read_name(rows[0].estimate.name).figure in LOWER_IS_BETTER
    caption = "difference-caption-lower" if lower else "difference-caption"
    heads = [say("who", language), name, say("difference", language)]
    made = node("table", node("caption", say(caption, language)), class_="differences", role="table")
    made.append(node("thead", node("tr", [node("th", h, scope="col", colspan="2" if i == 2 else None) for i, h in enumerate(heads)])))
    made.append(node("tbody", [_difference_row(r, i, language, axis) for i, r in enumerate(rows)]))
    title = say("difference", language)
    if any(r.difference is not None and r.difference.value is not None for r in rows):
        made.append(
            node(
                "tfoot",
                node(
                    "tr",
                    node("td"),
                    node("td"),
                    node("td", difference_axis(axis, "difference-axis", title, language, virtual=virtual), class_="axis"),
                    node("td"),
                ),
            )
        )
    return node("div", made, class_="card")


def _difference_row(row: Row, place: int, language: Language, axis: Axis) -> ET.Element:
    cells: list[Child] = [node("td", _two_lines(row.estimate, language), role="cell")]
    if row.difference is None:
        cells += [node("td", class_="axis"), node("td", "" if row.role == "model" else "–")]
    else:
        cells.append(node("td", difference_cell(row, axis, language, f"difference-{place}"), class_="axis"))
        cells.append(node("td", _two_lines(row.difference, language), role="cell"))
    return node("tr", node("th", row.label, scope="row", role="rowheader"), cells, class_=row.role, role="row")


def _two_lines(estimate: Estimate, language: Language) -> list[Child]:
    """Return a figure with its interval under it, or why there is none."""
    if estimate.value is None:
        told = (
            say("too-few-events", language, events=estimate.events)
            if estimate.status == "too_few" and estimate.events is not None
            else say(estimate.status, language)
        )
        return [node("span", told, class_="quiet")]
    value = number(estimate.value, language, digits=digits_of(estimate.name), signed="minus" in estimate.name) + unit_text(
        estimate, language
    )
    spread = interval(estimate, language)
    if estimate.low is not None and not holds_its_value(estimate):
        spread = say("astray", language, interval=spread)
    return [value, node("br"), " ", node("span", spread, class_="quiet nowrap")]
