"""A run killed at any moment and run again ends with the evidence of an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commandline import onclair

WORDS = ("--models", "logistic", "--repeats", "1", "--shuffles", "1", "--permutations", "5", "--workers", "2", "--json")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("killed") / "cohort"
    assert (
        onclair("virtual", "radiomics", "--patients", "24", "--centres", "1", "--seed", "5", "--field-mm", "96", "--out", place).code == 0
    )
    return place


def command(cohort: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "onclair", "run", "radiomics", "--data", str(cohort), "--out", str(out), *WORDS]


def described(out: Path) -> dict[str, int]:
    """Return the moment each finished patient was written."""
    return {p.parent.name: p.stat().st_mtime_ns for p in out.glob("describe/*/evidence.json")}


def orphans(session: int) -> list[str]:
    """Return the processes of a session that are still alive."""
    listed = subprocess.run(["ps", "-eo", "pid,sess,stat"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines()[1:] if line.split()[1] == str(session) and not line.split()[2].startswith("Z")]


def test_ten_kills_at_random_moments_change_nothing(cohort: Path, tmp_path: Path) -> None:
    undisturbed = onclair(*command(cohort, tmp_path / "calm")[3:]).json
    out, moment, kills = tmp_path / "killed", random.Random(20), 0
    for _ in range(10):
        before = described(out)
        process = subprocess.Popen(command(cohort, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(moment.uniform(0.8, 3.6))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        for _ in range(50):
            if not orphans(process.pid):
                break
            time.sleep(0.1)
        assert orphans(process.pid) == [], "the workers of a killed run live on"
        after = described(out)
        assert {p: after.get(p) for p in before} == before, "a finished patient was computed twice"
    said = onclair(*command(cohort, out)[3:])
    assert said.code == 0, said.err
    assert kills >= 8
    assert (said.json["evidence_id"], said.json["seal"]) == (undisturbed["evidence_id"], undisturbed["seal"])
    assert onclair("verify", out, "--json").json["valid"]
    assert list(out.rglob(".*")) == []
