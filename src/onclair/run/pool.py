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
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from typing import Any

from threadpoolctl import threadpool_limits

from onclair.core.errors import BadSetting, OnclairError

MapFunction = Callable[..., Iterator[Any]]
#: Threads that numerical libraries may use in each worker; in the evidence, because results may depend on it.
THREADS = 1


class WorkerLost(OnclairError):
    """A worker process died; what was finished is kept."""


class NotSent(OnclairError):
    """A task cannot cross to another process."""


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
    NotSent
        When a task, or what came of it, cannot cross to another process.

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

    def __call__(self, function: Callable[..., Any], *iterables: Iterable[Any]) -> Iterator[Any]:
        tasks = (_Task(function, arguments) for arguments in zip(*iterables, strict=False))
        try:
            for packed in self._executor.map(_worked, tasks):
                yield packed.opened()
        except BrokenProcessPool:
            raise WorkerLost(
                "A worker process died, most often for want of memory; run the same command again with fewer --workers: "
                "what is finished is kept."
            ) from None


@dataclass(frozen=True, slots=True)
class _Packed:
    """A task or a result on its way between processes: its pickle, or why there is none."""

    data: bytes = b""
    fault: str = ""

    @classmethod
    def of(cls, value: Any) -> _Packed:
        try:
            return cls(bytes(ForkingPickler.dumps(value)))
        except Exception as error:  # whatever a class raises that cannot be pickled
            return cls(fault=f"{type(error).__name__}: {error}")

    def opened(self) -> Any:
        """Return what was packed.

        Raises
        ------
        NotSent
            When it could not be packed, or cannot be made again here.
        """
        fault = self.fault
        if not fault:
            try:
                return ForkingPickler.loads(self.data)
            except Exception as error:  # whatever a class raises that cannot be made again
                fault = f"{type(error).__name__}: {error}"
        said = " ".join(fault.split()).rstrip(".")
        raise NotSent(f"The work cannot be handed to worker processes ({said}); run the same command with --workers 1.", item="workers")


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """One call, packed when it leaves and not before: all tasks wait in memory, and many share what they hold.

    Packing never fails: the executor packs in a thread of its own, and one failure there can leave the pool waiting forever.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        packed = _Packed.of((self.function, self.arguments))
        return _Packed, (packed.data, packed.fault)


def _worked(task: _Packed) -> _Packed:
    """Do a task in the worker; what cannot be opened there is an error of the task, not the end of the worker."""
    function, arguments = task.opened()
    return _Packed.of(function(*arguments))


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
