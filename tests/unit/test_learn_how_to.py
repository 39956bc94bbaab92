"""The how-to page of the library is true: its examples run, and every door it speaks of is there."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path("docs", "how-to", "learn-in-python.md")
DOORS = {
    "onclair.learn.calibrate": ("refuse_own_rows",),
    "onclair.learn.calibrate_methods": ("fit_calibrator", "calibrator_model", "calibrator_of"),
    "onclair.learn.conformal": (
        "aurc",
        "conformal_model",
        "conformal_of",
        "coverage",
        "coverage_law",
        "exchangeable_by_centre",
        "residual_intervals",
        "quantile_intervals",
        "risk_coverage",
        "worst_of_each",
    ),
    "onclair.learn.folds": ("nested_splits",),
    "onclair.learn.instability": ("instability",),
    "onclair.learn.refits": ("refits",),
    "onclair.io.networks": ("network_record", "save_network", "load_network", "open_network"),
}


def test_the_examples_of_the_page_run_as_written(repository: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (repository / PAGE).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    example = doctest.DocTestParser().get_doctest("".join(blocks), {}, PAGE.name, PAGE.as_posix(), 0)
    assert len(example.examples) >= 40
    said: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(example, out=said.append).failed == 0, "".join(said)


@pytest.mark.parametrize("module", DOORS)
def test_every_door_of_the_library_is_on_the_page(repository: Path, module: str) -> None:
    text = (repository / PAGE).read_text(encoding="utf-8")
    missing = [name for name in DOORS[module] if not re.search(rf"\b{name}\b", text)]
    assert missing == []
    loaded = __import__(module, fromlist=list(DOORS[module]))
    assert all(callable(getattr(loaded, name)) for name in DOORS[module])
