"""`onclair bench validate`: the statistics core and its peers, each in a fresh process, CPU seconds of the call alone."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadSetting
from onclair.core.names import did_you_mean
from onclair.run.bench import measured
from onclair.run.benches.peers import ENVIRONMENT, PEERS, Peer
from onclair.run.benches.tasks import SMALL, TASKS, Task

#: Compiled kernels go to a folder of their own, so that neither the machine's nor the user's cache decides.
_ALONE = """
import os, sys
os.environ["NUMBA_CACHE_DIR"] = sys.argv[1]
from onclair.run.benches.tasks import main
main(sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class PeerTiming:
    """One peer on one task.

    Attributes
    ----------
    name, version, what : str
    cpu_s : float or None
        CPU seconds of the call alone, after a first call on few rows.
    extrapolated : bool
        Whether `cpu_s` was stretched from the replicates that were timed to those of the task.
    replicates : int
        That were timed; 0 where the task has none.
    value : float or None
        A figure that came out, to compare.
    peak_mb : float or None
        Of the process, 10^6 bytes.
    status : {"ok", "missing", "failed"}
    reason : str or None
    """

    name: str
    what: str
    version: str = ""
    cpu_s: float | None = None
    extrapolated: bool = False
    replicates: int = 0
    value: float | None = None
    peak_mb: float | None = None
    status: str = "ok"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TaskTiming:
    """Onclair on one task, beside its peers.

    Attributes
    ----------
    name, what : str
    rows : int
    cpu_s : float or None
        CPU seconds of the call alone, once compiled.
    compile_s : float or None
        CPU seconds of the first call, on few rows, with nothing compiled yet; another process than the timed one.
    peak_mb : float or None
        Of the timed process, from its start to its end, 10^6 bytes.
    value : float or None
    bound_s, bound_mb : float or None
    share_of_peer, bound_share : float or None
        Of the CPU seconds of the peer that is a bound, and what it may be.
    holds : bool or None
        Whether every bound holds that could be measured here.
    peers : tuple of PeerTiming
    status : {"ok", "failed"}
    reason : str or None
    """

    name: str
    what: str
    rows: int
    cpu_s: float | None = None
    compile_s: float | None = None
    peak_mb: float | None = None
    value: float | None = None
    bound_s: float | None = None
    bound_mb: float | None = None
    share_of_peer: float | None = None
    bound_share: float | None = None
    holds: bool | None = None
    peers: tuple[PeerTiming, ...] = ()
    status: str = "ok"
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values.

        Examples
        --------
        >>> TaskTiming("harrell", "one C", 10).as_dict()["peers"]
        []
        """
        return {**asdict(self), "peers": [asdict(peer) for peer in self.peers]}


def bench_validate(peer_home: Path | None = None, only: Sequence[str] = ()) -> Iterator[TaskTiming]:
    """Yield the timing of each task, as it comes.

    Parameters
    ----------
    peer_home : Path or None
        A folder of environments of peers, ``HOME/statistics/bin/python``; without it a peer is timed where it can be imported here.
    only : sequence of str
        Names of tasks; all of them when empty.

    Yields
    ------
    TaskTiming
        A peer that is not installed is a row that says so.

    Raises
    ------
    BadSetting
        For a task that is not known.
    """
    for name in only:
        if name not in TASKS:
            raise BadSetting(f"There is no timed task '{name}'; {did_you_mean(name, TASKS)}", item=name)
    for task in TASKS.values():
        if not only or task.name in only:
            yield timing_of(task, [peer for peer in PEERS if peer.task == task.name], peer_home)


def timing_of(task: Task, peers: Sequence[Peer] = (), peer_home: Path | None = None) -> TaskTiming:
    """Return the timing of one task and its peers on the same rows.

    Parameters
    ----------
    task : Task
    peers : sequence of Peer
    peer_home : Path or None

    Returns
    -------
    TaskTiming
    """
    with tempfile.TemporaryDirectory(prefix="onclair-bench-") as place:
        small, rows = Path(place, "small.npz"), Path(place, "rows.npz")
        for path, count in ((small, min(SMALL, task.rows)), (rows, task.rows)):
            np.savez(path, allow_pickle=False, **task.draw(count))
        ours = _ours(task, place, small, rows)
        return _bounded(task, replace(ours, peers=tuple(_peer(peer, task, peer_home, (small, rows)) for peer in peers)))


def _ours(task: Task, place: str, small: Path, rows: Path) -> TaskTiming:
    program = [sys.executable, "-c", _ALONE, str(Path(place, "kernels")), task.name, str(task.replicates), str(small)]
    known = TaskTiming(task.name, task.what, task.rows)
    first, _, _ = measured(program)
    said, _, peak_mb = measured([*program, str(rows)]) if "error" not in first else (first, 0.0, 0.0)
    if "error" in said:
        return replace(known, status="failed", reason=_first_line(said["error"]))
    figures = {"cpu_s": round(said["cpu_s"], 4), "compile_s": round(first["first_s"], 2)}
    return replace(known, **figures, peak_mb=round(peak_mb, 1), value=_finite(said["value"]))


def _peer(peer: Peer, task: Task, home: Path | None, files: tuple[Path, Path]) -> PeerTiming:
    known = PeerTiming(peer.name, peer.what, replicates=peer.replicates)
    python = _python(peer, home)
    if python is None:
        reason = "not installed here; build the peers with `make peers` and give --peer-home .venv-peers"
        return replace(known, status="missing", reason=reason)
    said, _, peak_mb = measured([python, "-c", peer.program(), *map(str, files), str(peer.replicates)])
    if "error" in said:
        absent = "ModuleNotFoundError" in _first_line(said["error"])
        return replace(known, status="missing" if absent else "failed", reason=_first_line(said["error"]))
    longer = task.replicates / peer.replicates if peer.replicates else 1.0
    found = {"cpu_s": round(said["cpu_s"] * longer, 4), "value": _finite(said["value"]), "peak_mb": round(peak_mb, 1)}
    return replace(known, **found, version=str(said["version"]), extrapolated=longer > 1)


def _python(peer: Peer, home: Path | None) -> str | None:
    """Return the interpreter of the peers' environment, else this one where the peer imports, else None."""
    own = None if home is None else home / ENVIRONMENT / "bin" / "python"
    if own is not None and own.exists():
        return str(own)
    return sys.executable if find_spec(peer.module) is not None else None


def _bounded(task: Task, found: TaskTiming) -> TaskTiming:
    """Return the timing with its bounds, and whether they hold."""
    name, share = task.share_of_peer or ("", None)
    found = replace(found, bound_s=task.bound_s, bound_mb=task.bound_mb, bound_share=share)
    if found.cpu_s is None or found.peak_mb is None:
        return found
    holds = found.cpu_s <= task.bound_s and (task.bound_mb is None or found.peak_mb <= task.bound_mb)
    beside = next((peer.cpu_s for peer in found.peers if peer.name == name and peer.cpu_s), None)
    if beside is None or share is None:
        return replace(found, holds=holds)
    return replace(found, share_of_peer=round(found.cpu_s / beside, 4), holds=holds and found.cpu_s <= share * beside)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _first_line(error: str | Sequence[str]) -> str:
    return error if isinstance(error, str) else str(error[0])
