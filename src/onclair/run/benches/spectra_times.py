"""CPU milliseconds of the spectra chain, a measurement at a time, and of its preprocessing beside peers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt

from onclair.core.estimate import Estimate
from onclair.core.values import Measurement
from onclair.run.benches.spectra_points import one_a_patient, one_round
from onclair.science.spectra.chain import prepare
from onclair.science.spectra.point import measured
from onclair.science.spectra.unmix import unmix
from onclair.virtual.spectra_settings import VirtualSpectra

Floats = npt.NDArray[np.float64]

PIXELS = 2048
#: What is timed of each measurement: the whole chain on one round, the same on all repeats of the point, and the unmixing alone.
TIMED = ("chain", "chain_repeats", "unmix")
WHAT: Mapping[str, str] = {
    "chain": "frames to row: lamp off, 385 and 405 nm, white, one frame each",
    "chain_repeats": "frames to row: two lamp-off frames, two to five of each excitation, white",
    "unmix": "the unmixing alone, of one round",
}


def chain_times(what: str, measurements: int, seed: int, pixels: int = PIXELS) -> list[Estimate]:
    """Return median and 95th percentile of the CPU milliseconds of a measurement, in this process.

    Parameters
    ----------
    what : {"chain", "chain_repeats", "unmix"}
    measurements : int
        Each of another virtual patient; one more goes before them untimed.
    seed, pixels : int

    Returns
    -------
    list of Estimate
        ``WHAT_cpu_ms:median`` and ``WHAT_cpu_ms:p95``.
    """
    settings = VirtualSpectra(seed=seed, pixels=pixels, patients=measurements + 1)
    found = [_timed(call) for call in _calls(what, settings)][1:]
    return quantiles(f"{what}_cpu_ms", np.array(found), f"{WHAT[what]}; {pixels} pixels, one thread, after one untimed call")


def quantiles(name: str, milliseconds: Floats, method: str, upper: str = "p95", middle: str = "median") -> list[Estimate]:
    """Return the median and the 95th percentile of times as estimates.

    Examples
    --------
    >>> [(each.name, each.value) for each in quantiles("chain_cpu_ms", np.array([1.0, 2.0, 3.0]), "by hand")]
    [('chain_cpu_ms:median', 2.0), ('chain_cpu_ms:p95', 2.9)]
    """
    return [
        Estimate(f"{name}:{label}", round(float(np.quantile(milliseconds, share)), 4), unit="ms", n=milliseconds.size, method=method)
        for label, share in ((middle, 0.5), (upper, 0.95))
    ]


def _calls(what: str, settings: VirtualSpectra) -> Iterator[Callable[[], object]]:
    """Yield what is timed of each measurement; making it is not timed, and none is kept."""
    for each in one_a_patient(settings, range(settings.patients)):
        frames = each.measurement if what == "chain_repeats" else one_round(each.measurement)
        yield _unmixing(frames) if what == "unmix" else _whole(frames)


def _whole(frames: Measurement) -> Callable[[], object]:
    return lambda: measured(frames)


def _unmixing(frames: Measurement) -> Callable[[], object]:
    ready = prepare(frames)
    return lambda: unmix(ready)


def _timed(call: Callable[[], object]) -> float:
    start = process_time()
    call()
    return 1000.0 * (process_time() - start)


def preprocessing_times(spectra: int, seed: int, pixels: int = PIXELS) -> list[dict[str, Any]]:
    """Return CPU milliseconds a spectrum of despiking, derivative and baseline, Onclair's and each peer's that is installed.

    Returns
    -------
    list of dict
        ``task tool version cpu_ms difference status reason``; `difference` is the largest from Onclair's, relative to its largest value.
    """
    settings = VirtualSpectra(seed=seed, pixels=pixels, patients=max(spectra, 2))
    rows = np.array([each.measurement.frames[0].counts for each in one_a_patient(settings, range(spectra))])
    ours: dict[str, Floats] = {}
    found = []
    for task, tool, make in _TASKS:
        row = _tried(tool, make, rows)
        made = row.pop("made")
        if tool == "onclair" and made is not None:
            ours[task] = made
        known = tool != "onclair" and made is not None and task in ours
        apart = float(np.abs(made - ours[task]).max() / np.abs(ours[task]).max()) if known else None
        found.append({"task": task, "tool": tool, **row, "difference": apart})
    return found


def _tried(tool: str, make: Callable[[], Callable[[Floats], Floats]] | str, rows: Floats) -> dict[str, Any]:
    """Return how long a tool takes a spectrum, or why it was not timed."""
    blank = {"version": "", "cpu_ms": None, "made": None}
    if isinstance(make, str):
        return {**blank, "status": "missing", "reason": make}
    try:
        call, named = make(), version(tool)
    except (ImportError, PackageNotFoundError) as error:
        return {**blank, "status": "missing", "reason": f"not installed here ({error})"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(rows[:1])
        start = process_time()
        made = call(rows)
        cpu_ms = 1000.0 * (process_time() - start) / len(rows)
    return {"version": named, "cpu_ms": round(cpu_ms, 4), "made": made, "status": "ok", "reason": None}


def _despiked() -> Callable[[Floats], Floats]:
    from onclair.science.spectra.despike import mended, spikes

    return lambda rows: np.array([mended(row, spikes(row, np.sqrt(np.maximum(row, 1.0)))) for row in rows])


def _derivative() -> Callable[[Floats], Floats]:
    from onclair.science.spectra.preprocess import savitzky_golay

    return lambda rows: savitzky_golay(rows, 15, 2, 1)


def _baseline() -> Callable[[Floats], Floats]:
    from onclair.science.spectra.preprocess import less_baseline

    return lambda rows: less_baseline(rows, "asls", 1e5, 0.01)


def _their_derivative() -> Callable[[Floats], Floats]:
    make = import_module("chemotools.derivative").SavitzkyGolay
    return lambda rows: np.asarray(make(window_length=15, polyorder=2, deriv=1, mode="interp").fit_transform(rows))


def _their_baseline() -> Callable[[Floats], Floats]:
    make = import_module("chemotools.baseline").AsLs
    return lambda rows: np.asarray(make(lam=1e5, penalty=0.01, nr_iterations=100, max_iter_after_warmstart=100).fit_transform(rows))


def _plain_baseline() -> Callable[[Floats], Floats]:
    asls = import_module("pybaselines").whittaker.asls
    return lambda rows: np.array([row - asls(row, lam=1e5, p=0.01, max_iter=100, tol=1e-9)[0] for row in rows])


_TASKS: tuple[tuple[str, str, Callable[[], Callable[[Floats], Floats]] | str], ...] = (
    ("despike", "onclair", _despiked),
    ("despike", "chemotools", "it has no despiking"),
    ("despike", "pybaselines", "it has no despiking"),
    ("derivative", "onclair", _derivative),
    ("derivative", "chemotools", _their_derivative),
    ("derivative", "pybaselines", "it has no derivative"),
    ("baseline-asls", "onclair", _baseline),
    ("baseline-asls", "chemotools", _their_baseline),
    ("baseline-asls", "pybaselines", _plain_baseline),
)
