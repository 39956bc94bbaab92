"""`onclair bench fe`: the finite-element solver beside a peer, every engine and case in a fresh process of one thread."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate, not_available
from onclair.core.names import did_you_mean
from onclair.core.progress import Listener, Progress, silent
from onclair.run.bench import measured
from onclair.run.benches.bone_fe import CASES, file_of
from onclair.run.benches.bone_fe_peers import PEERS, PROGRAM, peer_interpreter

_OURS = [sys.executable, "-m", "onclair.run.benches.bone_fe"]
#: The longest that an engine may take, seconds, and the residual that both are asked for.
LONGEST_S, TOLERANCE = 3600.0, 1e-6
#: What each figure may be at most (specification, section 9).
AT_MOST: Mapping[str, float] = {
    "cpu-ratio:cube64": 0.8,
    "cpu-ratio:tibia": 1.0,
    **{f"{figure}:{case}": most for figure, most in (("peak-gb", 0.8), ("iterations", 60)) for case in CASES},
}
MISSING = "parosol-py is not installed; `make peers` makes its environment, and --peer-home names the folder of environments"


@dataclass(frozen=True, slots=True)
class FeBenchmark:
    """What was measured.

    Attributes
    ----------
    cases : tuple of mapping
        ``name``, ``ours`` and ``peer``: CPU and wall seconds, peak memory, iterations, reaction; or the ``reason`` why there is none.
    estimates : tuple of Estimate
    warnings : tuple of mapping
        ``code`` and ``text``.
    """

    cases: tuple[Mapping[str, Any], ...]
    estimates: tuple[Estimate, ...]
    warnings: tuple[Mapping[str, str], ...] = ()

    def holds(self, name: str) -> bool | None:
        """Return whether a figure keeps its bound; None where it was not measured or has none.

        Examples
        --------
        >>> found = FeBenchmark((), (Estimate("iterations:tibia", 15.0),))
        >>> found.holds("iterations:tibia"), found.holds("cpu-ratio:tibia")
        (True, None)
        """
        value = next((each.value for each in self.estimates if each.name == name), None)
        return None if value is None or name not in AT_MOST else value <= AT_MOST[name]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "cases": [dict(each) for each in self.cases],
            "estimates": [each.as_dict() for each in self.estimates],
            "bounds": [{"figure": name, "at_most": most, "holds": self.holds(name)} for name, most in AT_MOST.items()],
            "warnings": [dict(each) for each in self.warnings],
        }


def bench(
    data: Path, peer: str = "parosol-py", peer_home: Path | None = None, *, cases: Sequence[str] = CASES, progress: Listener = silent
) -> FeBenchmark:
    """Measure the solver.

    Parameters
    ----------
    data : Path
        The folder of reference data, or its part ``bone``.
    peer : {"parosol-py", "none"}
    peer_home : Path or None
        Folder of environments: ``HOME/parosol/bin/python``.
    cases : sequence of str
    progress : callable
        Hears one event a process.

    Raises
    ------
    BadSetting
        For a peer that does not exist.
    BadInput
        When a file of a case is not there.
    """
    if peer not in PEERS:
        raise BadSetting(f"There is no peer '{peer}'; {did_you_mean(peer, PEERS)}", item="peer")
    for case in cases:
        file_of(case, data)
    python = peer_interpreter(peer_home) if peer != "none" else None
    why = "no peer was asked for" if peer == "none" else MISSING
    rows = []
    with tempfile.TemporaryDirectory(prefix="onclair-bench-") as place:
        for number, case in enumerate(cases):
            ours = _said([*_OURS, "solve", case, str(data)])
            progress(Progress("bench", 2 * number + 1, 2 * len(cases), case))
            beside = {"reason": why} if python is None else _peer(python, case, data, Path(place, f"{case}.npz"))
            rows.append({"name": case, "ours": ours, "peer": {"name": peer, **beside}})
            progress(Progress("bench", 2 * number + 2, 2 * len(cases), f"{case}, {peer}"))
    missing = ({"code": "peer_missing", "text": MISSING},) if python is None and peer != "none" else ()
    return FeBenchmark(tuple(rows), tuple(each for row in rows for each in _estimates(row)), missing)


def _said(command: Sequence[str]) -> dict[str, Any]:
    document, _, _ = measured(command, timeout_s=LONGEST_S)
    return {"reason": str(document["error"][0])} if "error" in document else document


def _peer(python: str, case: str, data: Path, file: Path) -> dict[str, Any]:
    written = _said([*_OURS, "write", case, str(data), str(file)])
    return written if "reason" in written else _said([python, "-c", PROGRAM, str(file), f"{TOLERANCE:g}"])


def _estimates(row: Mapping[str, Any]) -> list[Estimate]:
    """Return the figures of one case."""
    case, ours, peer = row["name"], row["ours"], row["peer"]
    how = "measured once, in a fresh process of one thread, compile time apart"
    named = (("peak-gb", "peak_gb", "GB"), ("iterations", "iterations", "1"))
    found = [
        not_available(f"{figure}:{case}", str(ours["reason"]))
        if "reason" in ours
        else Estimate(f"{figure}:{case}", ours[key], unit, method=how)
        if ours[key] is not None
        else not_available(f"{figure}:{case}", "the system does not say")
        for figure, key, unit in named
    ]
    reason = ours.get("reason") or peer.get("reason")
    if reason:
        return [not_available(f"cpu-ratio:{case}", str(reason)), *found]
    return [
        Estimate(f"cpu-ratio:{case}", ours["cpu_s"] / peer["cpu_s"], "1", method=f"CPU seconds over those of {peer['name']}; {how}"),
        *found,
    ]
