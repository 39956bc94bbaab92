"""Benchmarks: fresh processes, CPU seconds and peak memory, product and installed peers in one run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Timing:
    """One tool on one case in a process of its own.

    Attributes
    ----------
    tool, version, case, scope : str
        `scope` says which families: ``matched`` (those both tools have) or ``all``.
    outputs : int or None
        Numbers that came out.
    import_cpu_s, first_cpu_s, warm_cpu_s : float or None
        CPU seconds of importing, of the first call in that process and of the least of three further calls.
    process_cpu_s : float or None
        User and system time of the whole process, from file to table.
    rss_mb : float or None
        Peak resident memory, 10^6 bytes.
    status : {"ok", "missing", "failed"}
    reason : str or None
    values : sequence of mapping
        The numbers themselves, by the tool's own names, one mapping a case's pair; for comparison, not part of the row.
    """

    tool: str
    case: str
    version: str = ""
    scope: str = "matched"
    outputs: int | None = None
    import_cpu_s: float | None = None
    first_cpu_s: float | None = None
    warm_cpu_s: float | None = None
    process_cpu_s: float | None = None
    rss_mb: float | None = None
    status: str = "ok"
    reason: str | None = None
    values: Sequence[Mapping[str, float]] = field(default=(), repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain JSON values."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "values"}


def measured(
    command: Sequence[str], *, timeout_s: float = 600.0, variables: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], float, float]:
    """Run a command in a fresh process and measure it from outside.

    Parameters
    ----------
    command : sequence of str
        Prints one JSON object as its last line.
    timeout_s : float
        After which the process is ended.
    variables : mapping of str to str, or None
        Environment variables that the process has besides.

    Returns
    -------
    document : dict
        What it printed, or ``{"error": ...}``.
    cpu_s : float
        User and system seconds of the process and its children.
    rss_mb : float
        Its peak resident memory, 10^6 bytes.

    Examples
    --------
    >>> document, cpu_s, rss_mb = measured([sys.executable, "-c", "print('{}')"])
    >>> document, cpu_s > 0, rss_mb > 1
    ({}, True, True)
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(list(command), stdout=out, stderr=err, env={**_one_thread(), **(variables or {})})
        timer = _end_after(process, timeout_s)
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        document = _last_object(out.read()) if process.returncode == 0 else {"error": [_why(process.returncode, err.read(), timeout_s)]}
    return document, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def timing(tool: str, case: str, program: Sequence[str], files: Sequence[str], *, scope: str = "matched", passes: int = 4) -> Timing:
    """Return the measured row of one tool; a process that fails is a row with its reason.

    Two processes run: one makes a single pass, from file to table (whole-process CPU, memory), one makes several (first, warm).

    Parameters
    ----------
    program : sequence of str
        Called with the number of passes and the files; prints ``{"version", "outputs", "import_cpu_s", "first_cpu_s", "warm_cpu_s"}``,
        and ``values`` where they are to be compared.
    files : sequence of str
        And what else the program takes.
    passes : int
        In the second process; with one, there is no second process and no warm call.
    """
    once, cpu_s, rss_mb = measured([*program, "1", *files])
    many = once if "error" in once or passes == 1 else measured([*program, str(passes), *files])[0]
    if "error" in many:
        return Timing(tool, case, scope=scope, status="failed", reason=str(many["error"][0]))
    return Timing(
        tool,
        case,
        str(many["version"]),
        scope,
        outputs=int(many["outputs"]),
        import_cpu_s=round(float(many["import_cpu_s"]), 4),
        first_cpu_s=round(float(many["first_cpu_s"]), 4),
        warm_cpu_s=None if many["warm_cpu_s"] is None else round(float(many["warm_cpu_s"]), 4),
        process_cpu_s=round(cpu_s, 3),
        rss_mb=round(rss_mb, 1),
        values=many.get("values", ()),
    )


def _why(code: int, said: str, timeout_s: float) -> str:
    """Return the last that a process said before it failed, or by what it was ended."""
    if code == -signal.SIGKILL:
        return f"it was ended, for want of memory or after {timeout_s:g} seconds"
    return (said.strip().splitlines() or ["it printed nothing"])[-1]


def first_ever(program: Sequence[str]) -> float | None:
    """Return the CPU seconds of a whole process with no compiled kernel on disk; None where it fails.

    Parameters
    ----------
    program : sequence of str
    """
    with tempfile.TemporaryDirectory(prefix="onclair-kernels-") as empty:
        document, cpu_s, _ = measured(program, variables={"NUMBA_CACHE_DIR": empty})
    return None if "error" in document else round(cpu_s, 2)


def _last_object(text: str) -> dict[str, Any]:
    lines = text.strip().splitlines()
    try:
        document: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        return {"error": ["it printed no JSON object"]}
    return document


def _one_thread() -> dict[str, str]:
    """Return this process's environment with numerical libraries held to one thread, so that tools are compared alike."""
    return {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")}


def _end_after(process: subprocess.Popen[bytes], seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    return timer


def peer_python(name: str, home: Path | None) -> str | None:
    """Return the interpreter that has a peer: its own environment under `home`, or this one when the peer imports here."""
    if home is not None and (home / name / "bin" / "python").exists():
        return str(home / name / "bin" / "python")
    module = {"pyradiomics": "radiomics"}.get(name, name.replace("-", "_"))
    return sys.executable if find_spec(module) is not None else None
