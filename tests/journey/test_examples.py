"""Every example runs, and its own assertions hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("[0-9][0-9]_*.py"))
#: Example -> the folder of the reference data that it takes as its argument.
ON_REFERENCE_DATA = {"02_validate_gbsg": "evidence"}
#: A figure with its interval, as every example prints at least one.
FIGURE = re.compile(r"^[a-z_]+:\S+ +-?\d\.\d+ \(-?\d\.\d+ to -?\d\.\d+\)", re.MULTILINE)


def run(example: Path, *words: Path) -> str:
    done = subprocess.run([sys.executable, str(example), *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_examples() -> None:
    assert EXAMPLES
    assert set(ON_REFERENCE_DATA) <= {p.stem for p in EXAMPLES}


@pytest.mark.parametrize("example", [p for p in EXAMPLES if p.stem not in ON_REFERENCE_DATA], ids=lambda p: p.stem)
def test_the_example_runs_and_its_figures_hold(example: Path) -> None:
    assert FIGURE.search(run(example))


@pytest.mark.parametrize("example", [p for p in EXAMPLES if p.stem in ON_REFERENCE_DATA], ids=lambda p: p.stem)
def test_the_example_on_reference_data_runs_and_its_figures_hold(example: Path, reference_data: Path) -> None:
    assert FIGURE.search(run(example, reference_data / ON_REFERENCE_DATA[example.stem]))
