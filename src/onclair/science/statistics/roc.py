"""Areas under parts of the ROC curve and under the precision-recall steps, each with its rows' first-order contributions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def average_precision(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[float, Floats]:
    """Return the average precision and what each row adds to it.

    ``AP = mean over positive rows of T(s) / N(s)``: among the rows that score at least `s`, `N` in all, the positive ones.
    To first order, a row (y, s) moves it by ``[y (P(s) - AP) + y A(s) - B(s)] / m``, where ``P = T / N`` and `A` and `B` sum
    ``1 / N`` and ``P / N`` over the positive rows that score at most `s`.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
        At least one row positive.
    scores : array_like, shape (n,)

    Returns
    -------
    value : float
    contributions : ndarray, float64, shape (n,)
        They sum to zero; their squares sum to the variance (with independent rows).

    Raises
    ------
    BadInput
        When shapes differ, a score is not finite, the truth holds a third value or no row is positive.

    References
    ----------
    Definition without interpolation: Davis & Goadrich 2006, doi:10.1145/1143844.1143874. Contributions by von Mises
    expansion of the ratio above.

    Examples
    --------
    The positives stand first and third from the top: (1 / 1 + 2 / 3) / 2.

    >>> value, contributions = average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> round(value, 6), bool(abs(contributions.sum()) < 1e-12)
    (0.833333, True)
    """
    positive, column = _checked(truth, scores)
    m = int(positive.sum())
    if m == 0:
        raise BadInput(f"Average precision needs a positive row; none of {positive.size} is.")
    group, above, true = _from_the_top(positive, column)
    precision, here = true / above, np.diff(true, prepend=0.0)
    value = float(here @ precision) / m
    # sums over the positive rows that score at most s, groups running from the top
    a, b = (np.cumsum((here * part / above)[::-1])[::-1] for part in (np.ones(above.size), precision))
    y = positive.astype(np.float64)
    return value, np.asarray((y * (precision[group] - value) + y * a[group] - b[group]) / m, dtype=np.float64)


def partial_area(truth: npt.ArrayLike, scores: npt.ArrayLike, between: tuple[float, float]) -> tuple[float, Floats]:
    """Return the area under the ROC curve between two false positive rates, and what each row adds to it.

    Trapezoids, cut by straight lines at the two rates. A positive row adds the part of the range in which it is found; a
    negative row the mean height of the curve over its own step, the curve being held level outside the range. No density is
    estimated. Over the whole range these are DeLong's placements.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
        Both classes present.
    scores : array_like, shape (n,)
    between : (float, float)
        False positive rates, ``0 <= low < high <= 1``.

    Returns
    -------
    value : float
    contributions : ndarray, float64, shape (n,)
        They sum to zero in each class.

    Raises
    ------
    BadInput
        As :func:`average_precision`, when one class is absent, or for a range that is none.

    References
    ----------
    McClish 1989, doi:10.1177/0272989X8900900307; errors: He & Escobar 2008, doi:10.1002/sim.3335.

    Examples
    --------
    From 0 to 1/2 one of two positives stands above both negatives, the other below the first:

    >>> partial_area([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], (0.0, 0.5))[0]
    0.25
    """
    positive, column = _checked(truth, scores)
    low, high = between
    m, k = int(positive.sum()), int((~positive).sum())
    if m == 0 or k == 0:
        raise BadInput(f"A partial area needs both classes; {m} rows are positive and {k} negative.")
    if not 0 <= low < high <= 1:
        raise BadInput(f"The partial area between the false positive rates {low:g} and {high:g}; give 0 <= low < high <= 1.")
    group, above, true = _from_the_top(positive, column)
    rate, height = np.append(0.0, (above - true) / k), np.append(0.0, true / m)
    value = float(np.diff(_area_up_to(np.array([low, high]), rate, height))[0])
    found, level = _found(rate, low, high), _held_level(rate, height, low, high)
    contributions = np.empty(positive.size)
    contributions[positive] = (found[group[positive]] - value) / m
    contributions[~positive] = (level[group[~positive]] - level[group[~positive]].mean()) / k
    return value, contributions


def _found(rate: Floats, low: float, high: float) -> Floats:
    """Return, for a positive row of each group, the part of the range in which it is found; over its own step, half of it."""
    start, stop = rate[:-1], rate[1:]

    def up_to(u: float) -> Floats:
        inside = np.clip(u - start, 0.0, stop - start)
        width = np.where(stop > start, stop - start, 1.0)
        return np.asarray(inside**2 / (2 * width) + np.maximum(u - stop, 0.0), dtype=np.float64)

    return up_to(high) - up_to(low)


def _held_level(rate: Floats, height: Floats, low: float, high: float) -> Floats:
    """Return the curve's mean height over each group's step, held at its heights at `low` and `high` outside of them."""
    start, stop = rate[:-1], rate[1:]
    at_low, at_high = (height[np.searchsorted(rate, u, side="right") - 1] + _beyond(u, rate, height) for u in (low, high))
    within = _area_up_to(np.clip(stop, low, high), rate, height) - _area_up_to(np.clip(start, low, high), rate, height)
    outside = at_low * (np.minimum(stop, low) - np.minimum(start, low)) + at_high * (np.maximum(stop, high) - np.maximum(start, high))
    return np.asarray((within + outside) / np.where(stop > start, stop - start, 1.0), dtype=np.float64)


def _beyond(u: float, rate: Floats, height: Floats) -> float:
    """Return how far the curve has risen, on the straight line, from the last corner at or before `u`."""
    j = int(np.searchsorted(rate, u, side="right")) - 1
    return float((height[j + 1] - height[j]) * (u - rate[j]) / (rate[j + 1] - rate[j])) if j + 1 < rate.size else 0.0


def _area_up_to(u: Floats, rate: Floats, height: Floats) -> Floats:
    """Return the area under the curve from 0 to each `u`."""
    steps = np.diff(rate)
    areas = np.append(0.0, np.cumsum(steps * (height[1:] + height[:-1]) / 2))
    j = np.clip(np.searchsorted(rate, u, side="right") - 1, 0, steps.size - 1)
    along = u - rate[j]
    tilt = np.diff(height)[j] / np.where(steps[j] > 0, steps[j], 1.0)
    # at the last corner `along` is the whole last step, or nothing where that step has no width
    return np.asarray(areas[j] + along * height[j] + tilt * along**2 / 2, dtype=np.float64)


def _from_the_top(positive: Bools, column: Floats) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Return each row's group of equal scores, counted from the highest, and the rows and positives at or above each group."""
    _, group, counts = np.unique(-column, return_inverse=True, return_counts=True)
    true = np.bincount(group, weights=positive, minlength=counts.size)
    return group.astype(np.int64), np.cumsum(counts).astype(np.float64), np.cumsum(true)


def _checked(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Bools, Floats]:
    labels, column = np.asarray(truth), np.asarray(scores, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != column.shape:
        raise BadInput(f"The truth has shape {labels.shape} and the scores {column.shape}; give one truth and one score a row.")
    foreign = labels[(labels != 0) & (labels != 1)]
    if foreign.size:
        raise BadInput(f"The truth holds {foreign[0]} in {foreign.size} of {labels.size} rows; it must be 0 or 1.")
    if not np.isfinite(column).all():
        raise BadInput(f"{int((~np.isfinite(column)).sum())} of {column.size} scores are not finite; drop those rows.")
    return labels == 1, column
