"""The doors: what help costs, what completes, and which layer of settings wins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from commandline import onclair
from onclair.cli.lazy import LazyGroup
from onclair.cli.main import COMMANDS, cli
from onclair.cli.options import given, toml_layer
from onclair.studies.radiomics import RadiomicsSettings

HEAVY = ("torch", "sklearn", "numpy", "pandas", "scipy", "numba", "pydantic", "onclair.studies", "onclair.run")


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys\nfrom onclair.cli.main import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_in_the_list_is_that_of_the_command(name: str) -> None:
    assert isinstance(cli, LazyGroup)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert (command.help or "").splitlines()[0] == COMMANDS[name][1]


def test_commands_complete_in_the_shell() -> None:
    environment = {**os.environ, "_ONCLAIR_COMPLETE": "bash_complete", "COMP_WORDS": "onclair ve", "COMP_CWORD": "1"}
    script = Path(sys.executable).with_name("onclair")
    done = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,verify"]


def test_flags_go_before_toml_and_toml_before_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("folds = 7\nbin_width = 0.25\n")
    settings = RadiomicsSettings.read(toml_layer(path), given({"folds": 3, "repeats": None, "models": ()}))
    assert (settings.folds, settings.bin_width, settings.repeats) == (3, 0.25, RadiomicsSettings().repeats)


def test_every_json_answer_is_one_object_with_warnings() -> None:
    for words in (("data", "list"), ("data", "where", "ibsi1-digital")):
        said = onclair(*words, "--json")
        assert said.code == 0, said.err
        assert "warnings" in json.loads(said.out)


def test_a_virtual_cohort_of_one_seed_is_the_same_to_the_byte_whatever_the_workers(tmp_path: Path) -> None:
    words = ("virtual", "radiomics", "--n", "6", "--centres", "2", "--seed", "3", "--field-mm", "96", "--json")
    for workers in ("1", "2"):
        said = onclair(*words, "--workers", workers, "--out", tmp_path / workers)
        assert (said.code, said.json["data"]) == (0, "virtual"), said.err
    one, two = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in (tmp_path / "1", tmp_path / "2"))
    assert one == two
    assert len(one) > 12
