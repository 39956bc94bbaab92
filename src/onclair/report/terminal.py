"""Estimates beside rivals for the terminal: a table with drawn intervals, or plain lines where output is piped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onclair.core.estimate import Estimate
from onclair.core.words import Language
from onclair.report.figures.canvas import Axis
from onclair.report.figures.forest import common_axis
from onclair.report.reading import label, read_name
from onclair.report.words import figure_text, holds_its_value, reason_text, say

#: Width of a drawn interval in characters.
BAR = 25


def estimate_lines(estimates: Iterable[Estimate], language: Language = "en") -> tuple[str, ...]:
    """Return one plain line an estimate: name, figure with interval, n, events, and the reason where there is one.

    Parameters
    ----------
    estimates : iterable of Estimate
    language : {"en", "fr"}

    Examples
    --------
    >>> estimate_lines([Estimate("auc:model", 0.81, low=0.69, high=0.93, n=51, events=19)])
    ('auc:model  0.81 (0.69 to 0.93)  n 51  events 19',)
    """
    every = list(estimates)
    wide = max((len(e.name) for e in every), default=0)
    return tuple(_line(e, wide, language) for e in every)


def estimate_table(estimates: Iterable[Estimate], language: Language = "en", *, facts: Mapping[str, Any] | None = None) -> Table:
    """Return a table for a terminal: estimates of one measure share an axis, so that intervals can be compared by eye.

    Parameters
    ----------
    estimates : iterable of Estimate
    language : {"en", "fr"}
    facts : mapping, optional
        The facts of the evidence, for the study's own words for its rivals.

    Examples
    --------
    >>> estimate_table([Estimate("auc:model", 0.8)]).row_count
    1
    """
    every = list(estimates)
    axes = _axes(every)
    made = Table(box=None, pad_edge=False, header_style="dim")
    for head, justify in (
        (say("name", language), "left"),
        (say("value", language), "left"),
        ("", "left"),
        ("n", "right"),
        (say("events", language), "right"),
    ):
        made.add_column(head, justify="right" if justify == "right" else "left", overflow="fold")
    for e in every:
        style = "bold" if read_name(e.name).who == "model" and not read_name(e.name).where else ""
        told = Text(figure_text(e, language), style="dim" if e.value is None else style)
        drawn = Text(interval_bar(e, axes[_shared(e)]), style="cyan" if style else "")
        counts = ["" if v is None else str(v) for v in (e.n, e.events)]
        made.add_row(Text(label(e.name, facts or {}, language), style=style), told, drawn, *counts)
    return made


def show_estimates(
    console: Console, estimates: Iterable[Estimate], language: Language = "en", *, facts: Mapping[str, Any] | None = None
) -> None:
    """Write estimates to a console: a table on a terminal, plain lines where it is piped."""
    every = list(estimates)
    if console.is_terminal:
        console.print(estimate_table(every, language, facts=facts))
    else:
        for one in estimate_lines(every, language):
            console.print(one, soft_wrap=True, highlight=False, markup=False)


def interval_bar(estimate: Estimate, axis: Axis) -> str:
    """Return an interval drawn in characters on an axis of ``BAR`` places; empty without a figure.

    Examples
    --------
    >>> interval_bar(Estimate("auc:model", 0.5, low=0.25, high=0.75), Axis(0.0, 1.0, 0.0, 24.0))
    '      ├─────●─────┤      '
    """
    if estimate.value is None:
        return ""
    cells = [" "] * BAR
    if estimate.low is not None and estimate.high is not None and holds_its_value(estimate):
        left, right = round(axis.at(estimate.low)), round(axis.at(estimate.high))
        cells[left : right + 1] = ["─"] * (right - left + 1)
        cells[left], cells[right] = "├", "┤"
    cells[round(axis.at(estimate.value))] = "●"
    return "".join(cells)


def _line(estimate: Estimate, wide: int, language: Language) -> str:
    parts = [estimate.name.ljust(wide), figure_text(estimate, language)]
    if estimate.n is not None:
        parts.append(f"n {estimate.n}")
    if estimate.events is not None:
        parts.append(f"{say('events', language)} {estimate.events}")
    if estimate.status != "ok" and estimate.value is not None:
        parts.append(reason_text(estimate, language))
    return "  ".join(parts)


def _axes(estimates: Sequence[Estimate]) -> dict[tuple[str, str, str], Axis]:
    groups: dict[tuple[str, str, str], list[Estimate]] = {}
    for e in estimates:
        groups.setdefault(_shared(e), []).append(e)
    return {key: common_axis(group, 0.0, BAR - 1.0) for key, group in groups.items()}


def _shared(estimate: Estimate) -> tuple[str, str, str]:
    """Return what shares an axis: the same figure, differences apart from figures, whatever the threshold."""
    name = read_name(estimate.name)
    return (name.group, name.figure, "difference" if name.who.startswith("model-minus-") else "")
