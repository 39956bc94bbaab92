"""Standardised columns with an intercept: the same at every site, and in the pooled fit that the federated one must equal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def standardised(features: Floats, mean: Floats, spread: Floats) -> Floats:
    """Return features on one scale; a missing value becomes the mean, a column without spread becomes 0.

    Parameters
    ----------
    features : ndarray, shape (n, p)
    mean, spread : ndarray, shape (p,)

    Examples
    --------
    >>> standardised(np.array([[1.0, 5.0], [3.0, np.nan]]), np.array([2.0, 5.0]), np.array([2.0, 0.0])).tolist()
    [[-0.5, 0.0], [0.5, 0.0]]
    """
    flat = spread <= 0
    scaled = (np.where(np.isfinite(features), features, mean) - mean) / np.where(flat, 1.0, spread)
    return np.asarray(np.where(flat, 0.0, scaled))


def with_ones(columns: Floats) -> Floats:
    """Return the columns with the intercept before them."""
    return np.column_stack([np.ones(len(columns)), columns])
