"""Torch made repeatable for the length of a block: seed, threads, deterministic algorithms; all of it is put back after."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from onclair.core.errors import BadSetting

#: Torch takes seeds below this.
_SEEDS = 2**63


@contextlib.contextmanager
def deterministic(seed: int, threads: int = 1) -> Iterator[None]:
    """Run a block so that the same seed and threads give the same numbers, bit for bit, on one kind of CPU.

    Build a network inside it, so that its first weights follow from the seed alone. Torch's generator, number of threads and
    deterministic flags are put back as they were, whether the block ends well or not.

    Parameters
    ----------
    seed : int
        At least 0.
    threads : int
        Of torch inside the block; sums are taken in another order for another number, so it belongs in the record.

    Raises
    ------
    BadSetting
        For a negative seed or no thread.

    Examples
    --------
    >>> import torch
    >>> def first() -> float:
    ...     with deterministic(seed=1):
    ...         return float(torch.nn.Linear(1, 1).weight.item())
    >>> first() == first()
    True
    """
    import torch

    if not 0 <= seed < _SEEDS or threads < 1:
        said = f"The seed is {seed} and the threads are {threads}"
        raise BadSetting(f"{said}; give a seed of at least 0 (and below 2^63) and at least 1 thread.", item="seed")
    before = torch.get_num_threads()
    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    flags: Any = torch.utils.deterministic  # a property that torch's types do not know
    filling = flags.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[]):
        try:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(True)
            flags.fill_uninitialized_memory = False  # a guard against reading unset memory; nothing here does
            torch.default_generator.manual_seed(seed)
            yield
        finally:
            torch.set_num_threads(before)
            torch.use_deterministic_algorithms(strict, warn_only=warns)
            flags.fill_uninitialized_memory = filling
