"""Features with batch effects that the tests of harmonisation share."""

from __future__ import annotations

import numpy as np
import pandas as pd


def made(seed: int = 0, n: int = 30, p: int = 6) -> tuple[pd.DataFrame, pd.Series]:
    """Return features of three batches, each moved and stretched in its own way."""
    rng = np.random.default_rng(seed)
    batch = pd.Series(np.repeat(["A", "B", "C"], n // 3), index=[f"P{i:02}" for i in range(n)], name="centre")
    moved = rng.normal(size=(3, p)) * 3
    stretched = rng.uniform(0.5, 2.0, size=(3, p))
    codes = np.repeat([0, 1, 2], n // 3)
    values = rng.normal(size=(n, p)) * stretched[codes] + moved[codes] + np.arange(p) * 10
    return pd.DataFrame(values, index=batch.index, columns=[f"f{i}" for i in range(p)]), batch
