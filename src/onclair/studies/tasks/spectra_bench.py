"""`onclair bench spectra`: CPU time, memory, accuracy and abstention of the spectra chain, each part in a fresh process with one thread."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from onclair.core.estimate import Estimate, estimate_from_dict, not_available
from onclair.core.progress import Listener, Progress, silent
from onclair.run.bench import measured
from onclair.run.benches.spectra_accuracy import COUNTS, SHIFTS_NM
from onclair.run.benches.spectra_gates import JUDGED
from onclair.run.benches.spectra_times import TIMED
from onclair.studies.spectra import ON_AMOUNTS, ON_SPECTRA
from onclair.studies.tasks.spectra_bench_parts import LEARNT_FROM
from onclair.virtual.spectra_settings import FAULTS

PARTS = ("chain", "classifiers", "accuracy", "gates", "preprocessing", "live")
#: Seconds after which a process is ended.
_PATIENCE_S = 1800.0
_PROGRAM = "import sys; from onclair.studies.tasks.spectra_bench_parts import main; main(sys.argv[1:])"

#: Why the amounts are compared as they are; told with every result.
CHOICE = (
    "unmix:mse compares amounts as shares of their sum on tissue as in the virtual patients, seen at 385 and 405 nm: blood absorbs there, "
    "so that only ratios of amounts are absolute, and that is what the instrument sees. The rivals know the bases, the efficiencies and "
    "the noise, but neither blood nor shift. unmix-bloodless:mse is the case made for them: no blood, exact bases; with no shift either, "
    "least squares knows more than the model, which fits a shift, blood and a width that are not there, and comes out ahead."
)
#: How the gates are judged; told with every result.
GATES = (
    "abstain: each instrument first measures clean points of other patients, as at a daily start, and knows from them what light usually "
    "comes back in contact. No threshold was chosen on the points that are judged: they come from a seed of their own."
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Attributes
    ----------
    measurements : int
        That the chain is timed on.
    patients : int
        Whose amounts are compared with the truth, one point each.
    faulty : int
        Patients on whose points each fault is judged, one point each.
    calibration : int
        Clean points that each instrument knows its usual light from.
    live_s : float
        Length of the live session, seconds.
    seed : int
    """

    measurements: int = 200
    patients: int = 100
    faulty: int = 102
    calibration: int = 20
    live_s: float = 15.0
    seed: int = 20_261


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure may be.

    Attributes
    ----------
    figure : str
    at_most, at_least : float or None
    share_of : str
        The figure that `at_most` is a share of; empty where it is a number by itself.
    value : float or None
        The figure; over that of `share_of`, where there is one.
    holds : bool or None
        None where the figure is not there.
    """

    figure: str
    at_most: float | None = None
    at_least: float | None = None
    share_of: str = ""
    value: float | None = None
    holds: bool | None = None


#: What the benchmark must show.
BOUNDS: tuple[Bound, ...] = (
    Bound("chain_cpu_ms:median", at_most=25.0),
    Bound("chain_cpu_ms:p95", at_most=40.0),
    Bound("unmix:mse:S3000:shift0.5:model", at_most=0.25, share_of="unmix:mse:S3000:shift0.5:nnls"),
    Bound("unmix:mse:S300:shift0:model", at_most=1.0, share_of="unmix:mse:S300:shift0:nnls"),
    *(Bound(f"abstain:{fault}", at_least=0.95) for fault in FAULTS),
    Bound("abstain:clean", at_most=0.05),
)


@dataclass(frozen=True, slots=True)
class SpectraBenchmark:
    """What `bench` measured.

    Attributes
    ----------
    estimates : tuple of Estimate
    gates : tuple of mapping
        Of each thing judged: which gates ``closed`` on how many points, and which points came out ``unexpected``.
    peers : tuple of mapping
        Of each task of preprocessing and each tool: CPU milliseconds a spectrum, or why there are none.
    live : mapping
        ``seconds display_hz decisions``; empty where no session was run.
    size : Size
    warnings : tuple of mapping
        ``code`` and ``text`` of each part that failed.
    """

    estimates: tuple[Estimate, ...]
    gates: tuple[Mapping[str, Any], ...] = ()
    peers: tuple[Mapping[str, Any], ...] = ()
    live: Mapping[str, Any] = field(default_factory=dict)
    size: Size = field(default_factory=Size)
    warnings: tuple[Mapping[str, str], ...] = ()

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """The bounds on figures that were measured, and whether they hold."""
        values = {each.name: each.value for each in self.estimates}
        return tuple(_held(bound, values) for bound in BOUNDS if bound.figure in values)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values.

        Examples
        --------
        >>> found = SpectraBenchmark((Estimate("abstain:clean", 0.01, n=100),)).as_dict()
        >>> found["data"], found["bounds"][0]["holds"]
        ('virtual', True)
        """
        return {
            "data": "virtual",
            "estimates": [each.as_dict() for each in self.estimates],
            "bounds": [asdict(each) for each in self.bounds],
            "gates": [dict(each) for each in self.gates],
            "preprocessing": [dict(each) for each in self.peers],
            "live": dict(self.live),
            "conditions": {"unmix": CHOICE, "abstain": GATES, "counts": list(COUNTS), "shifts_nm": list(SHIFTS_NM), **asdict(self.size)},
            "warnings": [dict(each) for each in self.warnings],
        }


def bench(parts: Sequence[str] = PARTS, size: Size | None = None, progress: Listener = silent) -> SpectraBenchmark:
    """Measure the chain.

    Parameters
    ----------
    parts : sequence of str
        Of :data:`PARTS`.
    size : Size, optional
    progress : callable
        Hears one event a process.

    Returns
    -------
    SpectraBenchmark
        A part whose process fails is a figure that is not available, with the reason, and a warning.
    """
    size = size or Size()
    found: dict[str, list[Any]] = {"estimates": [], "gates": [], "peers": [], "warnings": []}
    live: Mapping[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="onclair-bench-") as place:
        jobs = [job for part in PARTS if part in parts for job in _jobs(part, size, place)]
        for number, (label, name, settings) in enumerate(jobs, start=1):
            said, _, peak_mb = measured([sys.executable, "-c", _PROGRAM, name, json.dumps(settings)], timeout_s=_PATIENCE_S)
            found["estimates"] += _estimates(label, said, said.get("peak_mb") or peak_mb)
            found["gates"] += [said["gates"]] if "gates" in said else []
            found["peers"] += said.get("peers", [])
            live = said.get("live", live)
            found["warnings"] += [{"code": "part_failed", "text": f"{label}: {said['error'][0]}"}] if "error" in said else []
            progress(Progress("bench", number, len(jobs), label))
    estimates, gates, peers, warnings = (tuple(found[name]) for name in ("estimates", "gates", "peers", "warnings"))
    return SpectraBenchmark(estimates, gates, peers, live, size, warnings)


def _jobs(part: str, size: Size, place: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what each process of a part is called, which part it runs and with which settings."""
    seed = {"seed": size.seed}
    if part == "chain":
        for what in TIMED:
            yield what, "chain", {"what": what, "measurements": size.measurements, **seed}
    elif part == "classifiers":
        rows = str(Path(place, "rows.csv"))
        yield "table", "table", {"points": min(LEARNT_FROM, size.measurements), "out": rows, **seed}
        for model in (*ON_AMOUNTS, *ON_SPECTRA):
            yield f"answer-{model}", "classifier", {"model": model, "rows": rows, "answers": size.measurements, **seed}
    elif part == "accuracy":
        yield "accuracy", "accuracy", {"patients": size.patients, **seed}
    elif part == "gates":
        for what in JUDGED:
            yield f"gates-{what}", "gates", {"what": what, "patients": size.faulty, "calibration": size.calibration, **seed}
    elif part == "preprocessing":
        yield "preprocessing", "preprocessing", {"spectra": size.measurements, **seed}
    else:
        yield "live", "live", {"seconds": size.live_s, **seed}


def _estimates(label: str, said: Mapping[str, Any], peak_mb: float) -> list[Estimate]:
    """Return the figures of one process and its peak memory; where it failed, one that says why."""
    if "error" in said:
        return [not_available(f"peak_mb:{label}", str(said["error"][0]))]
    peak = Estimate(f"peak_mb:{label}", round(peak_mb, 1), unit="MB", method="peak resident memory of the whole process, 10^6 bytes")
    return [*(estimate_from_dict(each) for each in said.get("estimates", [])), peak]


def _held(bound: Bound, values: Mapping[str, float | None]) -> Bound:
    """Return a bound with its figure and whether it holds."""
    value, other = values[bound.figure], values.get(bound.share_of) if bound.share_of else 1.0
    if value is None or not other:
        return bound
    seen = value / other
    held = (bound.at_most is None or seen <= bound.at_most) and (bound.at_least is None or seen >= bound.at_least)
    return Bound(bound.figure, bound.at_most, bound.at_least, bound.share_of, seen, held)
