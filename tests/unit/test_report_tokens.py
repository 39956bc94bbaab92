"""The colours of reports are those of the app, and can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onclair.report.tokens import DARK, LIGHT, SERIES, SERIES_DARK, contrast, tokens_css


def _blocks(css: str) -> list[dict[str, str]]:
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    found = [dict(re.findall(r"(--[\w-]+)\s*:\s*([^;]+);", block)) for block in re.findall(r"\{([^{}]*)\}", bare)]
    return [{name: " ".join(value.split()) for name, value in block.items()} for block in found]


def test_the_app_and_the_reports_hold_the_same_tokens(repository: Path) -> None:
    home = (repository / "src/onclair/web/app/src/tokens.css").read_text(encoding="utf-8")
    assert _blocks(home) == _blocks(tokens_css())
    assert len(_blocks(home)) == 3


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "quiet", "accent"])
def test_text_stands_out_from_page_and_card(colours: dict[str, str], ink: str) -> None:
    assert contrast(colours[ink], colours["ground"]) >= 4.5
    assert contrast(colours[ink], colours["raised"]) >= 4.5


@pytest.mark.parametrize("hue", SERIES[:4])
def test_the_first_four_series_stand_out_on_a_white_card(hue: str) -> None:
    assert contrast(hue, LIGHT["raised"]) >= 3.0


@pytest.mark.parametrize("hue", SERIES_DARK)
def test_every_series_stands_out_on_a_dark_card(hue: str) -> None:
    assert contrast(hue, DARK["raised"]) >= 3.0
