"""Quantiles of type 7 of sorted rows that count more than once, as a bootstrap draws them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]


def counted_quantiles(ranked: npt.ArrayLike, counts: npt.ArrayLike, shares: Sequence[float]) -> Floats:
    """Return the quantiles of `ranked` when row `i` stands there ``counts[i]`` times.

    The same as numpy's and R's type 7 on the repeated rows, without repeating them.

    Parameters
    ----------
    ranked : array_like, shape (n,)
        Rising.
    counts : array_like, shape (n,)
        Whole numbers of 0 or more, at least one of them positive.
    shares : sequence of float
        In [0, 1].

    Returns
    -------
    ndarray, float64, shape (len(shares),)

    Raises
    ------
    BadInput
        When no row counts.

    References
    ----------
    Hyndman & Fan 1996, definition 7, doi:10.1080/00031305.1996.10473566.

    Examples
    --------
    The median of 1, 4, 4, 10:

    >>> counted_quantiles([1.0, 4.0, 7.0, 10.0], [1, 2, 0, 1], [0.5, 1.0])
    array([ 4., 10.])
    """
    values, upto = np.asarray(ranked, dtype=np.float64), np.cumsum(np.asarray(counts, dtype=np.float64))
    if upto.size == 0 or not upto[-1] > 0:
        raise BadInput(f"A quantile was asked of {upto.size} rows that count 0 times in all; give at least one row that counts.")
    place = (upto[-1] - 1) * np.asarray(shares, dtype=np.float64)
    below = np.floor(place)
    low = values[np.searchsorted(upto, below, side="right")]
    high = values[np.searchsorted(upto, np.minimum(below + 1, upto[-1] - 1), side="right")]
    return np.asarray(low + (place - below) * (high - low), dtype=np.float64)
