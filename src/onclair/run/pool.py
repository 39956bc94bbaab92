"""One pool of processes: one case a task, one thread a worker, handed to lower floors as `map`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from onclair.core.errors import BadSetting, OnclairError

Result = TypeVar("Result")
MapFunction = Callable[..., Iterator[Any]]
#: Threads that numerical libraries may use in each worker; in the evidence, because results may depend on it.
THREADS = 1


class WorkerLost(OnclairError):
    """A worker process died; what was finished is kept."""


def cores() -> int:
    """Return the number of processors this process may use.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def pool(workers: int) -> Iterator[MapFunction]:
    """Give a `map` that spreads calls over processes, or runs them here when `workers` is 1.

    Parameters
    ----------
    workers : int
        At least 1. Results never depend on it.

    Yields
    ------
    callable
        ``map(function, *iterables)``; results come in the order of the arguments.

    Raises
    ------
    BadSetting
        For fewer than one worker.
    WorkerLost
        When a worker dies, for want of memory for instance.

    Examples
    --------
    >>> with pool(1) as over:
    ...     list(over(abs, [-1, 2]))
    [1, 2]
    """
    if workers < 1:
        raise BadSetting(f"--workers is {workers}; give at least 1.", item="workers")
    if workers == 1:
        with threadpool_limits(THREADS):
            yield map
        return
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        yield _Spread(executor)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


class _Spread:
    """`map` over an executor; a lost worker becomes one sentence."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def __call__(self, function: Callable[..., Result], *iterables: Iterable[Any]) -> Iterator[Result]:
        try:
            yield from self._executor.map(function, *iterables)
        except BrokenProcessPool:
            raise WorkerLost(
                "A worker process died, most often for want of memory; run the same command again with fewer --workers: "
                "what is finished is kept."
            ) from None


def _start_worker() -> None:
    """Keep one thread, and leave when the parent is gone (a killed parent says no goodbye).

    Numerical libraries that are loaded already are told now; those that load later read these variables when they do.
    """
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(THREADS)))
    threadpool_limits(THREADS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True).start()


def _leave_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
