"""`onclair bench bone`: the network over a real scan beside torch over every tile, and the memory of a whole body."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.io.networks import save_network
from onclair.learn.lesion_finder import DEMONSTRATION
from onclair.run.bench import measured

_PROGRAM = [sys.executable, "-m", "onclair.run.benches.bone_inference"]
#: The real scan, under the data folder, and the longest that a case may take.
SCAN, LONGEST_S = Path("torso_ct", "example_ct.nii.gz"), 3600.0
_FAILED = "a case failed; its reason stands beside it"
#: The most, or the least, that each estimate may be (specification, section 9).
BOUNDS: Mapping[str, tuple[str, float]] = {
    "infer:cpu-ratio": ("at most", 0.35),
    "infer:agreement": ("at least", 0.999),
    "tiles:share": ("at most", 0.5),
    "peak-gb:whole-body": ("at most", 4.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class BoneBenchmark:
    """What was measured.

    Attributes
    ----------
    estimates : tuple of Estimate
    cases : tuple of mapping
        ``name cpu_s mask_cpu_s peak_gb tiles_total tiles_run``, or ``name reason`` for one that failed.
    model : str
        The network: a path, or that it was untrained.
    """

    estimates: tuple[Estimate, ...]
    cases: tuple[Mapping[str, Any], ...]
    model: str

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        bounds = [{"figure": name, "bound": how, "value": value, "holds": self.holds(name)} for name, (how, value) in BOUNDS.items()]
        return {
            "estimates": [each.as_dict() for each in self.estimates],
            "cases": [dict(each) for each in self.cases],
            "bounds": bounds,
            "model": self.model,
            "warnings": [],
        }

    def holds(self, name: str) -> bool | None:
        """Return whether an estimate keeps its bound; None where it was not measured."""
        value, (how, bound) = next(each.value for each in self.estimates if each.name == name), BOUNDS[name]
        return None if value is None else value <= bound if how == "at most" else value >= bound


def bench(data: Path, model: Path | None = None) -> BoneBenchmark:
    """Measure inference, each case in a fresh process of one thread.

    Parameters
    ----------
    data : Path
        The folder with ``torso_ct/example_ct.nii.gz``, or one that holds ``bone/``.
    model : Path, optional
        A network folder; the demonstration's when left out, and where it was not shipped an untrained network of its shape: the work is
        the same, but no agreement is told, since its answers mean nothing.

    Raises
    ------
    BadInput
        When the scan is not there.
    """
    scan = next((root / SCAN for root in (data, data / "bone") if (root / SCAN).is_file()), None)
    if scan is None:
        raise BadInput(f"There is no {SCAN} in {data}; give the folder of reference data with --data.", item=str(data))
    trained = model or (DEMONSTRATION if DEMONSTRATION.is_dir() else None)
    with tempfile.TemporaryDirectory(prefix="onclair-bench-") as home:
        used = str(trained or _untrained(Path(home)))
        answers = {name: Path(home, f"{name}.npy") for name in ("ours", "torch")}
        said = {name: _run(name, used, scan, answers.get(name)) for name in ("ours", "torch", "body")}
        agree = None if trained is None else _agreement(answers, said)
    estimates = (
        _ratio("infer:cpu-ratio", said["ours"].get("cpu_s"), said["torch"].get("cpu_s")),
        _figure("infer:agreement", agree, "1", "the network is untrained" if trained is None else _FAILED),
        _ratio("tiles:share", said["ours"].get("tiles_run"), said["ours"].get("tiles_total")),
        _figure("peak-gb:whole-body", said["body"].get("peak_gb"), "GB"),
    )
    told = "untrained, of the demonstration's shape" if trained is None else "demo" if model is None else str(model)
    return BoneBenchmark(estimates, tuple({"name": name, **row} for name, row in said.items()), told)


def _run(case: str, model: str, scan: Path, answer: Path | None) -> dict[str, Any]:
    document, _, rss_mb = measured([*_PROGRAM, case, model, str(scan), "" if answer is None else str(answer)], timeout_s=LONGEST_S)
    if "error" in document:
        return {"reason": str(document["error"][0])}
    return {**document, "peak_gb": round(rss_mb / 1000, 3)}


def _agreement(answers: Mapping[str, Path], said: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return the share of voxels that both call the same."""
    if not all(path.is_file() for path in answers.values()):
        return None
    one, two = (np.unpackbits(np.load(path, allow_pickle=False))[: said["ours"]["voxels"]] for path in answers.values())
    return float((one == two).mean())


def _ratio(name: str, over: float | None, under: float | None) -> Estimate:
    return _figure(name, None if over is None or not under else over / under, "1")


def _figure(name: str, value: float | None, unit: str, why: str = _FAILED) -> Estimate:
    if value is None:
        return not_available(name, why)
    return Estimate(name, round(value, 6), unit, method="measured once, in a fresh process")


def _untrained(home: Path) -> Path:
    """Return a network of the demonstration's shape with first weights, saved."""
    from onclair.learn.bundle import segmentation_record
    from onclair.learn.plan import PRESETS, Plan
    from onclair.learn.plan_topology import fitted
    from onclair.learn.segment import network, to_graph
    from onclair.learn.weights import arrays_of

    budget = PRESETS["demo"].budget
    topology = fitted((2.0, 2.0, 2.0), (150.0, 150.0, 150.0), budget)
    features = topology.features(budget.least, budget.most)
    window = (-100.0, 900.0), 200.0, 200.0
    plan = Plan((2.0, 2.0, 2.0), topology.patch, budget.batch, features, topology.strides, topology.kernels, *window)
    graph = to_graph(plan, [arrays_of(network(plan))])
    return save_network(home / "untrained", segmentation_record("untrained", graph, plan, threshold=0.5, scores=None))
