"""Tasks on a running Dask scheduler, by the same `map` as the pool of processes; the extra ``[dask]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from threadpoolctl import threadpool_limits

from onclair.core.errors import BadSetting, NotReachable
from onclair.run.pool import THREADS, MapFunction, WorkerLost

#: Seconds to wait for a scheduler to answer.
PATIENCE_S = 10.0


@contextmanager
def scheduled(address: str, *, patience_s: float = PATIENCE_S) -> Iterator[MapFunction]:
    """Give a `map` that spreads calls over the workers of a running Dask scheduler.

    Parameters
    ----------
    address : str
        ``tcp://HOST:8786``, as ``dask scheduler`` prints it.
    patience_s : float
        How long to wait for its answer.

    Yields
    ------
    callable
        ``map(function, *iterables)``; results come in the order of the arguments, whichever worker is quick. One thread of the numerical
        libraries a call, as in the pool, so that no result depends on where it was computed.

    Raises
    ------
    BadSetting
        Without the extra ``[dask]``, or for an address that is none.
    NotReachable
        When no scheduler answers, or it has no worker.
    WorkerLost
        When workers die under the same call again and again, or the scheduler goes.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=patience_s, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise NotReachable(
            f"No Dask scheduler answers at {address}; start one with `dask scheduler` and give the address that it prints.", item=address
        ) from error
    except (ValueError, TypeError) as error:
        raise BadSetting(
            f"--dask is '{address}', which is no address ({error}); give one such as tcp://127.0.0.1:8786.", item="dask"
        ) from error
    try:
        if not client.scheduler_info()["workers"]:
            raise NotReachable(f"The Dask scheduler at {address} has no worker; start some with `dask worker {address}`.", item=address)
        yield partial(_mapped, client, distributed)
    finally:
        client.close()


def _mapped(client: Any, distributed: Any, function: Callable[..., Any], *iterables: Iterable[Any]) -> Iterator[Any]:
    """Submit every call, then yield the results in order; what is not wanted any more is cancelled."""
    futures = client.map(partial(_in_one_thread, function), *(list(each) for each in iterables), pure=False)
    try:
        for future in futures:
            yield future.result()
            future.release()
    except (distributed.KilledWorker, distributed.CancelledError, distributed.comm.CommClosedError):
        raise WorkerLost(
            "A Dask worker died, most often for want of memory, or the scheduler was stopped; run the same command again: what is finished "
            "is kept."
        ) from None
    finally:
        client.cancel(futures)


def _in_one_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    with threadpool_limits(THREADS):
        return function(*arguments)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise BadSetting("--dask needs Dask, which is not installed; install it with: pip install 'onclair[dask]'.", item="dask") from None
    return distributed
