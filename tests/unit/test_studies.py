"""How a study is found: built in, or attached by somebody else's package."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from onclair.core.errors import BadInput
from onclair.studies import load, names


def test_an_unknown_study_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadInput, match="did you mean 'radiomics'"):
        load("radiomic")


def test_a_study_without_rivals_is_refused() -> None:
    with pytest.raises(BadInput, match="has no rivals; name at least the prevalence"):
        replace(load("radiomics"), rivals=())


def test_a_study_of_volumes_must_name_the_column_of_the_volume() -> None:
    with pytest.raises(BadInput, match="names no volume column"):
        replace(load("radiomics"), volume=None)


def attached(place: Path, module: str) -> subprocess.CompletedProcess[str]:
    """Install a package that attaches a study, the way pip leaves it, and list the studies in a fresh process."""
    (place / "theirs.py").write_text(module)
    info = place / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[onclair.studies]\ntheirs = theirs:study\n")
    paths = os.pathsep.join([str(place), str(Path(__file__).parents[2] / "src")])
    command = [sys.executable, "-m", "onclair", "run", "theirs", "--help"]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)


def test_a_third_partys_study_is_a_command_like_the_others(tmp_path: Path) -> None:
    module = "from dataclasses import replace\nfrom onclair.studies.radiomics import study as ours\nstudy = replace(ours, name='theirs')\n"
    said = attached(tmp_path, module)
    assert said.returncode == 0, said.stderr
    assert "--bin-width" in said.stdout
    assert "theirs" not in names()


def test_an_attached_module_without_a_study_is_refused_in_words(tmp_path: Path) -> None:
    said = attached(tmp_path, "study = 3\n")
    assert said.returncode == 2
    assert "'theirs' is not a record of onclair.core.study.Study" in said.stderr
    assert "Traceback" not in said.stderr
