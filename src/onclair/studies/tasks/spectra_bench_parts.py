"""What each fresh process of `onclair bench spectra` runs: one part, its figures printed as one JSON object."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate
from onclair.core.names import did_you_mean
from onclair.core.seeds import rng_for

if TYPE_CHECKING:
    import pandas as pd

#: Points that a classifier learns from before its answer is timed, and answers that are timed.
LEARNT_FROM, ANSWERS = 120, 200


def main(arguments: list[str]) -> None:
    """Run the part that is named first with the settings given as JSON, and print what it found.

    Raises
    ------
    BadInput
        For a part that does not exist.
    """
    name, settings = arguments[0], json.loads(arguments[1])
    if name not in PARTS:
        raise BadInput(f"There is no part '{name}' of this benchmark; {did_you_mean(name, PARTS)}", item=name)
    sys.stdout.write(json.dumps({**PARTS[name](**settings), "peak_mb": peak_mb()}, allow_nan=False) + "\n")


def peak_mb() -> float | None:
    """Return the peak resident memory of this process since it began, 10^6 bytes; None where the system does not say.

    What the system tells the process that waits holds the memory of the one that started it, too.
    """
    try:
        told = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) / 1e6 for line in told.splitlines() if line.startswith("VmHWM")), None)


def chain(what: str, measurements: int, seed: int) -> dict[str, Any]:
    """Time the chain; see :func:`onclair.run.benches.spectra_times.chain_times`."""
    from onclair.run.benches.spectra_times import chain_times

    return _told(chain_times(what, measurements, seed))


def accuracy(patients: int, seed: int) -> dict[str, Any]:
    """Compare unmixed amounts with the truth; see :func:`onclair.run.benches.spectra_accuracy.accuracy`."""
    from onclair.run.benches import spectra_accuracy

    return _told(spectra_accuracy.accuracy(patients, seed))


def gates(what: str, patients: int, calibration: int, seed: int) -> dict[str, Any]:
    """Count abstentions; see :func:`onclair.run.benches.spectra_gates.abstentions`."""
    from onclair.run.benches.spectra_gates import abstentions

    estimate, detail = abstentions(what, patients, calibration, seed)
    return {**_told([estimate]), "gates": detail}


def preprocessing(spectra: int, seed: int) -> dict[str, Any]:
    """Time preprocessing beside peers; see :func:`onclair.run.benches.spectra_times.preprocessing_times`."""
    from onclair.run.benches.spectra_times import preprocessing_times

    return {"peers": preprocessing_times(spectra, seed)}


def table(points: int, seed: int, out: str) -> dict[str, Any]:
    """Write the rows that classifiers learn from: one point of each virtual patient, what the chain makes of it, whether it is tumour."""
    import pandas as pd

    from onclair.run.benches.spectra_points import one_a_patient
    from onclair.studies.spectra import SpectraSettings, measured_point, row_of, steps_of
    from onclair.virtual.spectra_settings import VirtualSpectra

    steps = steps_of(SpectraSettings())
    drawn = list(one_a_patient(VirtualSpectra(seed=seed, patients=max(points, 2)), range(points)))
    rows = pd.DataFrame([row_of(measured_point(each.measurement, steps))[0] for each in drawn])
    rows["tumour"] = [float(each.point.true_class != "healthy") for each in drawn]
    rows.to_csv(out, index=False)
    return {"rows": len(rows), "columns": rows.shape[1]}


def classifier(model: str, rows: str, seed: int, answers: int = ANSWERS) -> dict[str, Any]:
    """Fit one classifier and time its answer to one row at a time."""
    import pandas as pd

    from onclair.run.benches.spectra_times import quantiles
    from onclair.studies.spectra import SpectraSettings
    from onclair.studies.spectra import model as candidates

    read = pd.read_csv(rows)
    truth = read.pop("tumour").to_numpy(np.float64)
    pipeline = candidates(SpectraSettings.model_validate({"models": (model,)}))[0]
    fitted = pipeline.fit(read, truth, rng_for(seed, "bench", "classifier"))
    found = [_answered(fitted, read.iloc[[number % len(read)]]) for number in range(answers + 1)]
    method = f"one row at a time, learnt from {len(read)} points, one thread, after one untimed answer"
    return _told(quantiles(f"answer_cpu_ms:{model}", np.array(found[1:]), method))


def live(seconds: float, seed: int) -> dict[str, Any]:
    """Run a live session on the simulated instrument and return how long after its last frame a decision stood."""
    from onclair.studies.tasks.spectra_live import RATE_HZ, Asked, run_live

    with tempfile.TemporaryDirectory(prefix="onclair-bench-") as place:
        summary = run_live(Asked("simulated", Path(place, "session"), seconds=seconds, seed=seed))
    decided = sum(summary["answers"].values())
    method = f"arrival of a measurement's last frame to its decision, by the clock; simulated instrument, {RATE_HZ:g} measurements a second"
    found = [
        Estimate(f"live_ms:{name}", summary["latency_ms"][name], unit="ms", n=decided, method=method)
        for name in ("p50", "p95")
        if summary["latency_ms"][name] is not None
    ]
    return {**_told(found), "live": {"seconds": seconds, "display_hz": summary["display_hz"], "decisions": decided}}


def _answered(fitted: Any, row: pd.DataFrame) -> float:
    start = process_time()
    fitted.risk(row)
    return 1000.0 * (process_time() - start)


def _told(estimates: list[Estimate]) -> dict[str, Any]:
    return {"estimates": [each.as_dict() for each in estimates]}


PARTS: Mapping[str, Callable[..., dict[str, Any]]] = MappingProxyType(
    {each.__name__: each for each in (chain, accuracy, gates, preprocessing, table, classifier, live)}
)
