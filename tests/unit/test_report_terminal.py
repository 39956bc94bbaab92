"""Estimates in the terminal: drawn on a terminal, plain where piped."""

from __future__ import annotations

import io

from report_records import sarcoma
from rich.console import Console

from onclair.report.terminal import estimate_lines, show_estimates


def _shown(*, terminal: bool, language: str = "en") -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=140, no_color=True)
    show_estimates(console, sarcoma().estimates, "fr" if language == "fr" else "en", facts=sarcoma().facts)
    return out.getvalue()


def test_piped_output_has_one_plain_line_an_estimate() -> None:
    lines = _shown(terminal=False).splitlines()
    assert len(lines) == len(sarcoma().estimates)
    assert lines[0].split("  ")[0] == "auc:model"
    assert "\x1b" not in "".join(lines)


def test_a_terminal_shows_intervals_drawn_and_rivals_in_the_studys_words() -> None:
    shown = _shown(terminal=True)
    assert "├" in shown
    assert "the highest uptake (SUVmax) alone" in shown


def test_the_terminal_speaks_french() -> None:
    assert "0,74 (0,60 à 0,87)" in _shown(terminal=True, language="fr")


def test_a_figure_that_is_not_there_gives_its_reason() -> None:
    assert any("one centre" in line for line in estimate_lines(sarcoma().estimates))
