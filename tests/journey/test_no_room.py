"""Output folders that cannot be written: one sentence, exit code 2, nothing half written, and what was done is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commandline import onclair

WORDS = ("--models", "logistic", "--repeats", "1", "--shuffles", "1", "--permutations", "5", "--workers", "1")
needs_mounts = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="mounting a small disk needs root and unshare (util-linux)"
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("no-room") / "cohort"
    assert (
        onclair("virtual", "radiomics", "--patients", "16", "--centres", "1", "--seed", "5", "--field-mm", "96", "--out", place).code == 0
    )
    return place


def test_a_file_in_the_way_is_named(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    said = onclair("run", "radiomics", "--data", cohort, "--out", tmp_path / "taken" / "run", *WORDS)
    assert said.code == 2
    assert "taken" in said.err
    assert "Traceback" not in said.err


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here, where nobody can make a folder")
def test_a_place_where_no_folder_can_be_made_is_said(cohort: Path) -> None:
    said = onclair("run", "radiomics", "--data", cohort, "--out", "/proc/onclair", *WORDS)
    assert said.code == 2
    assert "/proc/onclair" in said.err
    assert "Traceback" not in said.err


def on_small_disk(size: str, options: str, place: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script with a small disk mounted at `place`, in a mount namespace of its own."""
    place.mkdir()
    mount = f"mount -t tmpfs -o size={size}{options} none {place}"
    return subprocess.run(["unshare", "-m", "bash", "-c", f"{mount} && {script}"], capture_output=True, text=True, check=False)


@needs_mounts
def test_a_full_disk_is_said_in_one_sentence_and_leaves_nothing_half_written(cohort: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    run = f"{sys.executable} -m onclair run radiomics --data {cohort} --out {disk}/run {' '.join(WORDS)}"
    done = on_small_disk("200k", "", disk, f"{run}; echo code $?; find {disk} -name '.*.partial' | wc -l; ls {disk}/run/describe | wc -l")
    lines = done.stdout.split()
    assert lines[:2] == ["code", "2"], done.stdout + done.stderr
    assert "no space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert lines[2] == "0"
    assert int(lines[3]) > 0


@needs_mounts
def test_a_disk_that_may_not_be_written_is_said(cohort: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    done = on_small_disk(
        "1m", ",ro", disk, f"{sys.executable} -m onclair run radiomics --data {cohort} --out {disk}/run {' '.join(WORDS)}; echo code $?"
    )
    assert done.stdout.split() == ["code", "2"], done.stdout + done.stderr
    assert "not writable" in done.stderr


def test_a_finished_run_of_other_settings_is_not_written_over(cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert onclair("run", "radiomics", "--data", cohort, "--out", out, *WORDS).code == 0
    seal = (out / "evidence.json").read_bytes()
    said = onclair("run", "radiomics", "--data", cohort, "--out", out, *WORDS, "--bin-width", "0.25")
    assert said.code == 2
    assert "bin_width" in said.err
    assert (out / "evidence.json").read_bytes() == seal


def test_a_finished_run_on_other_data_is_not_written_over(cohort: Path, tmp_path: Path) -> None:
    data, out = Path(shutil.copytree(cohort, tmp_path / "cohort")), tmp_path / "run"
    assert onclair("run", "radiomics", "--data", data, "--out", out, *WORDS).code == 0
    seal = (out / "evidence.json").read_bytes()
    one, other = (sorted((data / "images").glob("*_mask.nii.gz"))[k] for k in (0, 1))
    one.write_bytes(other.read_bytes())
    said = onclair("run", "radiomics", "--data", data, "--out", out, *WORDS)
    assert said.code == 2
    assert "the mask of VP001" in said.err
    assert (out / "evidence.json").read_bytes() == seal
