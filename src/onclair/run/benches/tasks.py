"""The timed tasks of the statistics core: their rows, the call, and how long it may take.

This module is what each fresh process runs; :mod:`onclair.run.bench_validate` starts them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import process_time

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.seeds import rng_for

Arrays = Mapping[str, npt.NDArray[np.float64]]
THRESHOLDS = tuple(i / 100 for i in range(1, 100))
#: Rows on which a process compiles (or loads) what the task needs before it is timed.
SMALL = 2000
ROWS_A_PATIENT = 10


@dataclass(frozen=True, slots=True)
class Task:
    """One timed task.

    Attributes
    ----------
    name, what : str
    rows : int
    draw : callable
        ``rows -> arrays``: the same rows whenever it is called.
    call : callable
        ``(arrays, replicates) -> one of the figures``, from plain arrays to estimates; this is what is timed.
    bound_s, bound_mb : float or None
        What it may take: CPU seconds of the call, peak memory of the process in 10^6 bytes.
    replicates : int
        Of a bootstrap; 0 where there is none.
    share_of_peer : (str, float) or None
        The peer of whose CPU seconds it may take a share.
    """

    name: str
    what: str
    rows: int
    draw: Callable[[int], Arrays]
    call: Callable[[Arrays, int], float]
    bound_s: float
    bound_mb: float | None = None
    replicates: int = 0
    share_of_peer: tuple[str, float] | None = None


def binary_rows(rows: int) -> Arrays:
    """Return truths `y` and risks `p` of shape (rows,), an AUC of about 0.8.

    Examples
    --------
    >>> drawn = binary_rows(1000)
    >>> sorted(drawn), bool((drawn["p"] > 0).all() and (drawn["p"] < 1).all())
    (['p', 'y'], True)
    """
    rng = rng_for(1, "bench", "binary", rows)
    y = (rng.random(rows) < 0.3).astype(np.float64)
    return {"y": y, "p": np.asarray(special.expit(1.2 * (y - 0.5) + rng.standard_normal(rows) - 0.8))}


def followed_up(rows: int) -> Arrays:
    """Return follow-up `time`, `event` (0 or 1) and `score` of shape (rows,), about a third of them censored.

    Examples
    --------
    >>> sorted(followed_up(10))
    ['event', 'score', 'time']
    """
    rng = rng_for(1, "bench", "survival", rows)
    score = rng.standard_normal(rows)
    event, censored = rng.standard_exponential(rows) / np.exp(score), 2 * rng.standard_exponential(rows)
    return {"time": np.minimum(event, censored), "event": (event <= censored).astype(np.float64), "score": score}


def repeated_rows(rows: int) -> Arrays:
    """Return `patient`, `y` and `p`: ten rows a patient that resemble each other.

    Examples
    --------
    >>> np.unique(repeated_rows(100)["patient"]).size
    10
    """
    rng = rng_for(1, "bench", "repeated", rows)
    patient = np.arange(rows) // ROWS_A_PATIENT
    count = int(patient[-1]) + 1
    y = (rng.random(count) < 0.3).astype(np.float64)[patient]
    noise = rng.standard_normal(count)[patient] + rng.standard_normal(rows)
    return {"patient": patient.astype(np.float64), "y": y, "p": np.asarray(special.expit(1.2 * (y - 0.5) + noise / np.sqrt(2) - 0.8))}


def bootstrapped_binary(rows: Arrays, replicates: int) -> float:
    """Bootstrap AUC, average precision, Brier score, calibration in the large and slope; return the AUC."""
    from onclair.validate.resampling import bootstrap_binary
    from onclair.validate.rows import judged_risks

    return _value(bootstrap_binary("model", judged_risks(rows["y"], rows["p"]), replicates=replicates)[0].value)


def concordance(rows: Arrays, replicates: int) -> float:
    """Return Harrell's C, had with its standard error."""
    from onclair.validate.followed import followed_rows
    from onclair.validate.survival.ranking import harrell

    del replicates
    return _value(harrell("harrell:model", followed_rows(rows["time"], rows["event"], rows["score"])).value)


def bootstrapped_concordance(rows: Arrays, replicates: int) -> float:
    """Bootstrap Harrell's C; return its mean over the replicates."""
    from onclair.science.statistics.bootstrap import bootstrap
    from onclair.science.statistics.concordance import sorted_follow_up, weighted_harrell

    ready = sorted_follow_up(rows["time"], rows["event"], rows["score"])
    return float(bootstrap(partial(weighted_harrell, ready), np.arange(rows["time"].size), replicates, seed=1).values.mean())


def decision_curve(rows: Arrays, replicates: int) -> float:
    """Return the model's net benefit at .2, had with treating all and none, errors and intervals at 99 thresholds."""
    from onclair.validate.acting import acting_on
    from onclair.validate.benefits import benefits, benefits_of_all_or_none

    del replicates
    acting = acting_on(rows["y"], rows["p"])
    found = [*benefits("model", acting, THRESHOLDS), *benefits_of_all_or_none(acting, THRESHOLDS)]
    return _value({e.name: e.value for e in found}["nb:model@0.2"])


def every_binary_figure(rows: Arrays, replicates: int) -> float:
    """Check a table against its plan and judge it: every binary figure and curve, analytic intervals by patient; return the AUC."""
    import pandas as pd

    from onclair.validate.checked import checked
    from onclair.validate.plan import read_plan
    from onclair.validate.planned import judge_planned

    plan = read_plan(
        {
            "outcome": "binary",
            "columns": {"patient": "patient", "truth": "y"},
            "models": {"model": {"column": "p"}},
            "figures": {"thresholds": [0.1, 0.2, 0.3, 0.5], "bootstrap": replicates},
        }
    )
    frame = pd.DataFrame({"patient": rows["patient"].astype(np.int64), "y": rows["y"].astype(np.int64), "p": rows["p"]})
    return _value({e.name: e.value for e in judge_planned(checked(frame, plan), plan).estimates}["auc:model"])


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task(
            "bootstrap-binary",
            "2,000 bootstraps of AUC, average precision, Brier score, intercept and slope, n = 10,000",
            10_000,
            binary_rows,
            bootstrapped_binary,
            6.0,
            replicates=2000,
            share_of_peer=("scikit-learn", 0.1),
        ),
        Task("harrell", "one Harrell C with its standard error, n = 10,000", 10_000, followed_up, concordance, 0.06),
        Task(
            "bootstrap-harrell",
            "2,000 bootstraps of Harrell's C, n = 2,000",
            2000,
            followed_up,
            bootstrapped_concordance,
            9.0,
            replicates=2000,
        ),
        Task("decision-curve", "decision curve with intervals, 99 thresholds, n = 10,000", 10_000, binary_rows, decision_curve, 0.05),
        Task(
            "million-rows",
            "all binary figures, 1,000,000 rows in 100,000 patients, analytic intervals",
            1_000_000,
            repeated_rows,
            every_binary_figure,
            20.0,
            bound_mb=2048.0,
        ),
    )
}


def timed(call: Callable[[], float]) -> tuple[float, float]:
    """Return what a call gave, and the least CPU seconds of up to five calls within about one CPU second.

    Examples
    --------
    >>> value, cpu_s = timed(lambda: 3.0)
    >>> value, cpu_s >= 0
    (3.0, True)
    """
    spent: list[float] = []
    value = float("nan")
    while len(spent) < 5 and sum(spent) < 1.0:
        before = process_time()
        value = call()
        spent.append(process_time() - before)
    return value, min(spent)


def main(words: list[str]) -> None:
    """Run one task in this process and print ``{"first_s", "value", "cpu_s"}``, seconds of CPU.

    Parameters
    ----------
    words : list of str
        The task's name, its replicates, an NPZ of few rows for the first call, and, where it is to be timed, an NPZ of all rows.
    """
    task, replicates = TASKS[words[0]], int(words[1])
    small, *large = (dict(np.load(path)) for path in words[2:])
    before = process_time()
    task.call(small, min(replicates, 2))
    said = {"first_s": process_time() - before}
    if large:
        said["value"], said["cpu_s"] = timed(lambda: task.call(large[0], replicates))
    sys.stdout.write(json.dumps(said) + "\n")


def _value(value: float | None) -> float:
    return float("nan") if value is None else value
