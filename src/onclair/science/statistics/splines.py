"""Restricted cubic splines: quantile knots and Harrell's basis, linear beyond the outer knots."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.science.statistics.quantiles import counted_quantiles

Floats = npt.NDArray[np.float64]

#: Harrell's positions of the knots, as shares of the data, by their number.
POSITIONS = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}


def knots(x: npt.ArrayLike, count: int, *, weights: npt.ArrayLike | None = None) -> Floats:
    """Return 3, 4 or 5 knots at Harrell's quantiles of `x` (type 7).

    Parameters
    ----------
    x : array_like, shape (n,)
        Finite.
    count : {3, 4, 5}
        Quantiles .1 .5 .9; .05 .35 .65 .95; or .05 .275 .5 .725 .95.
    weights : array_like, shape (n,), optional
        How often each row counts, whole numbers of 0 or more, as a bootstrap draws them.

    Returns
    -------
    ndarray, float64, shape (count,)
        Rising.

    Raises
    ------
    BadInput
        For another count, an `x` that is empty or not finite, or knots that coincide because too many rows share one `x`.

    References
    ----------
    Harrell 2015, Regression Modeling Strategies, table 2.3, doi:10.1007/978-3-319-19425-7.

    Examples
    --------
    >>> knots(np.arange(11.0), 3)
    array([1., 5., 9.])
    >>> knots([0.0, 0.0, 0.0, 1.0], 3)
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadInput: 2 of the 3 knots fall on x = 0, which too many of the 4 rows share; take fewer knots or another smoother.
    """
    values = np.asarray(x, dtype=np.float64)
    if count not in POSITIONS:
        raise BadInput(f"A spline of {count} knots was asked for; choose one of {', '.join(map(str, POSITIONS))}.")
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise BadInput(f"The x of a spline has shape {values.shape}; give one finite value a row, and at least one row.")
    counts = np.ones(values.size) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    found = counted_quantiles(values[order], counts[order], POSITIONS[count])
    same = np.flatnonzero(np.diff(found) <= 0)
    if same.size:
        where, rows = found[same[0]], int(counts.sum())
        held = f"{int((found == where).sum())} of the {count} knots fall on x = {where:g}, which too many of the {rows} rows share"
        raise BadInput(f"{held}; take fewer knots or another smoother.")
    return found


def restricted_cubic(x: npt.ArrayLike, knots: npt.ArrayLike) -> Floats:
    """Return the basis of the restricted cubic spline with these knots: `x` itself, then K - 2 cubic terms.

    Term `j` is ``[(x - k_j)+^3 - (x - k_{K-1})+^3 (k_K - k_j) / (k_K - k_{K-1}) + (x - k_K)+^3 (k_{K-1} - k_j) /
    (k_K - k_{K-1})] / (k_K - k_1)^2``: zero below its knot and linear beyond the last.

    Parameters
    ----------
    x : array_like, shape (n,)
    knots : array_like, shape (K,)
        Rising strictly, at least 3; from :func:`knots`, or frozen ones of another sample.

    Returns
    -------
    ndarray, float64, shape (n, K - 1)
        In the unit of `x` (that is what the division is for).

    Raises
    ------
    BadInput
        For fewer than 3 knots, or knots that do not rise.

    References
    ----------
    Harrell 2015, Regression Modeling Strategies, eq. 2.25, doi:10.1007/978-3-319-19425-7; Durrleman & Simon 1989,
    doi:10.1002/sim.4780080504.

    Examples
    --------
    At 2, with knots 0, 1, 2: (2^3 - 1^3 x 2) / 2^2.

    >>> restricted_cubic([0.0, 1.0, 2.0], [0.0, 1.0, 2.0])
    array([[0.  , 0.  ],
           [1.  , 0.25],
           [2.  , 1.5 ]])
    """
    values, places = np.asarray(x, dtype=np.float64), np.asarray(knots, dtype=np.float64)
    if places.ndim != 1 or places.size < 3 or not (np.diff(places) > 0).all():
        raise BadInput(f"The knots {places.tolist()} of a spline do not rise strictly; give 3 or more different ones in rising order.")
    first, before, last = places[0], places[-2], places[-1]
    # equation 2.25, every cube taken in units of the outer knots' distance so that none overflows
    scale = (last - first) ** (2.0 / 3.0)
    tail, end = (np.maximum((values - place) / scale, 0.0) ** 3 for place in (before, last))
    terms = [
        np.maximum((values - place) / scale, 0.0) ** 3 - (tail * (last - place) - end * (before - place)) / (last - before)
        for place in places[:-2]
    ]
    return np.column_stack([values, *terms])
