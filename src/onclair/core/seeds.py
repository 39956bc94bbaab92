"""Random generators named by what they are for, so that no result depends on order or on the number of workers."""

from __future__ import annotations

import numpy as np

from onclair.core.canonical import sha256_of


def rng_for(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of one purpose: equal seed and names, equal numbers, wherever it runs.

    Parameters
    ----------
    seed : int
        The run's seed.
    *names : str or int
        The purpose, for example ``"shuffled-voxels", "P012", 0``.

    Examples
    --------
    >>> a, b = rng_for(1, "folds", 0), rng_for(1, "folds", 0)
    >>> bool(a.random() == b.random()), bool(a.random() == rng_for(1, "folds", 1).random())
    (True, False)
    """
    return np.random.default_rng(int(sha256_of([seed, *names])[:32], 16))
