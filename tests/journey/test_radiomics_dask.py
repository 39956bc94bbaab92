"""A cohort extracted by a running Dask scheduler: the table is the one that this process makes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from commandline import onclair_here
from extraction_made import write_cohort_of
from onclair.core.errors import BadSetting, NotReachable

pytest.importorskip("distributed", reason="the extra [dask] is not installed")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("dask")
    write_cohort_of(home / "cohort", 5)
    return home


@contextlib.contextmanager
def started(*words: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Dask process of its own on this machine, ended by its id."""
    command = [str(Path(sys.executable).with_name("dask")), *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scheduler(place: Path) -> Iterator[str]:
    """The address of a real scheduler with two real workers."""
    file = place / "scheduler.json"
    local = ("--host", "127.0.0.1", "--no-dashboard")
    worker = ("worker", "--scheduler-file", file, *local, "--nthreads", "1", "--no-nanny", "--local-directory", place)
    with started("scheduler", "--port", "0", "--scheduler-file", file, *local), started(*worker), started(*worker):
        address = _answered(file)
        _wait_for_workers(address, 2)
        yield address


def _answered(file: Path) -> str:
    for _ in range(600):
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads(file.read_text())["address"])
        time.sleep(0.05)
    raise AssertionError("the scheduler did not start")


def _wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    with Client(address, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


def test_dask_gives_the_table_that_one_process_gives_and_resumes_what_is_there(place: Path, scheduler: str) -> None:
    words = ("radiomics", "extract", "--data", place / "cohort", "--settings", place / "cohort" / "few.toml", "--json")
    here = onclair_here(*words, "--workers", "1", "--out", place / "here").json
    there = onclair_here(*words, "--dask", scheduler, "--out", place / "there").json
    again = onclair_here(*words, "--dask", scheduler, "--out", place / "there").json
    assert (there["rows"], there["extracted"], there["failed"]) == (5, 5, 0)
    assert there["table_sha256"] == here["table_sha256"]
    assert (again["extracted"], again["reused"], again["table_sha256"]) == (0, 5, here["table_sha256"])


def test_a_scheduler_that_does_not_answer_is_one_sentence() -> None:
    from onclair.run.dask import scheduled

    with (
        pytest.raises(NotReachable, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9; start one"),
        scheduled("tcp://127.0.0.1:9", patience_s=0.5),
    ):
        pass


def test_an_address_that_is_none_is_one_sentence() -> None:
    from onclair.run.dask import scheduled

    with pytest.raises(BadSetting, match=r"give one such as tcp://127\.0\.0\.1:8786"), scheduled("nonsense://x", patience_s=0.5):
        pass
