"""Cleveland's lowess without robustness steps: straight lines fitted at a few anchors, joined by straight lines."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]

#: Of the distance to the farthest neighbour: beyond the first a row counts nothing, within the second it counts wholly.
FAR, CLOSE = 0.999, 0.001
#: Spread of a neighbourhood, as a share of the range, below which its mean is taken instead of a line.
LEAST_SPREAD = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Lowess:
    """A fitted smooth.

    Attributes
    ----------
    anchors : ndarray, shape (a,)
        Where lines were fitted, rising strictly.
    value : ndarray, shape (a,)
    """

    anchors: Floats
    value: Floats

    def at(self, x: npt.ArrayLike) -> Floats:
        """Return the smooth at `x`, NaN outside the anchors.

        Examples
        --------
        >>> Lowess(np.array([0.0, 2.0]), np.array([1.0, 5.0])).at([0.5, 3.0])
        array([ 2., nan])
        """
        return np.interp(np.asarray(x, dtype=np.float64), self.anchors, self.value, left=np.nan, right=np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class LowessOperator:
    """What :func:`lowess` does to `y`, one anchor at a time.

    Attributes
    ----------
    anchors : ndarray, shape (a,)
    ranked : ndarray, shape (n,)
        The `x`, rising.
    order : ndarray, int64, shape (n,)
        The row of each.
    near : int
        Rows in a neighbourhood.
    """

    anchors: Floats
    ranked: Floats
    order: npt.NDArray[np.int64]
    near: int

    def of_anchor(self, j: int) -> Floats:
        """Return the weights (n,) of the rows in the value at anchor `j`.

        Examples
        --------
        A straight line is kept:

        >>> operator = lowess_operator(np.arange(9.0))
        >>> round(float(operator.of_anchor(4) @ np.arange(9.0)), 9)
        4.0
        """
        place = int(np.searchsorted(self.ranked, self.anchors[j]))
        start = _first_of_window(self.ranked, self.anchors[j], self.near, 0)
        weights = np.zeros(self.ranked.size)
        stop = _line_weights(self.ranked, place, start, self.near, weights)
        rows = np.zeros(self.ranked.size)
        rows[self.order[start:stop]] = weights[start:stop]
        return rows


def lowess(x: npt.ArrayLike, y: npt.ArrayLike, *, span: float = 2 / 3, apart: float = 0.01) -> Lowess:
    """Smooth `y` on `x` by local straight lines, as R's ``lowess(x, y, f=span, iter=0)`` does.

    Lines with tricube weights on the ``floor(n * span + 1e-7)`` nearest rows, fitted at the lowest `x` and then at the last
    row within `apart` of the range, or else the next different `x`; straight between.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Finite; `x` takes at least 2 different values.
    span : float
        In (0, 1].
    apart : float
        Share of the range of `x` that may lie between two anchors; 0 fits at every row.

    Returns
    -------
    Lowess

    Raises
    ------
    BadInput
        When shapes differ, values are not finite, `x` is constant, or `span` or `apart` is out of range.

    References
    ----------
    Cleveland 1979, doi:10.1080/01621459.1979.10481038; anchors: Cleveland 1981, doi:10.2307/2683591.

    Examples
    --------
    A straight line is kept:

    >>> lowess([0.0, 1.0, 2.0, 4.0], [1.0, 3.0, 5.0, 9.0]).at([0.0, 1.5, 4.0]).round(9)
    array([1., 4., 9.])
    """
    ranked, response, _ = _sorted(x, y, span, apart)
    anchors, value = _fits(ranked, response, _near(ranked.size, span), apart * (ranked[-1] - ranked[0]))
    return Lowess(anchors, value)


def lowess_operator(x: npt.ArrayLike, *, span: float = 2 / 3, apart: float = 0.01) -> LowessOperator:
    """Return :func:`lowess` on `x` as the weights it gives to the rows.

    Raises
    ------
    BadInput
        As :func:`lowess`.

    Examples
    --------
    >>> lowess_operator([0.0, 1.0, 2.0, 4.0]).anchors
    array([0., 1., 2., 4.])
    """
    ranked, _, order = _sorted(x, np.zeros(np.shape(x)), span, apart)
    return LowessOperator(ranked[_anchors(ranked, apart * (ranked[-1] - ranked[0]))], ranked, order, _near(ranked.size, span))


def line_blend(anchors: npt.ArrayLike, at: npt.ArrayLike) -> Floats:
    """Return the weights (points, a) of the anchors' values in the straight lines between them, at points within them.

    Examples
    --------
    >>> line_blend([0.0, 4.0], [1.0])
    array([[0.75, 0.25]])
    """
    ends, points = np.asarray(anchors, dtype=np.float64), np.asarray(at, dtype=np.float64)
    cell = np.clip(np.searchsorted(ends, points, side="right") - 1, 0, ends.size - 2)
    share = (points - ends[cell]) / (ends[cell + 1] - ends[cell])
    table, row = np.zeros((points.size, ends.size)), np.arange(points.size)
    table[row, cell], table[row, cell + 1] = 1 - share, share
    return table


def _sorted(x: npt.ArrayLike, y: npt.ArrayLike, span: float, apart: float) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise BadInput(f"The smoother was given x of shape {a.shape} and y of shape {b.shape}; give one pair a row.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise BadInput("The smoother was given NaN or infinity; drop those rows.")
    if not (0 < span <= 1 and 0 <= apart < 1):
        raise BadInput(f"The span {span} and the distance {apart} of lowess: the span lies in (0, 1] and the distance in [0, 1).")
    if a.size == 0 or a.min() == a.max():
        raise BadInput(f"The smoother needs at least 2 different x; it was given {min(a.size, 1)}.")
    order = np.argsort(a, kind="stable")
    return a[order], b[order], order


def _near(rows: int, span: float) -> int:
    return max(2, min(rows, int(span * rows + 1e-7)))


@numba.njit(cache=True)
def _anchors(ranked: Floats, delta: float) -> npt.NDArray[np.int64]:
    """First row of each anchor's run of equal `x`."""
    found = np.empty(ranked.size, dtype=np.int64)
    count, here = 0, 0
    while here < ranked.size:
        found[count] = here
        count += 1
        # to the last row within delta of this anchor; where none lies beyond its own ties, to the next different x
        following = np.searchsorted(ranked, ranked[here], side="right")
        within = np.searchsorted(ranked, ranked[here] + delta, side="right") - 1
        here = np.searchsorted(ranked, ranked[within]) if within >= following else following
    return found[:count]


@numba.njit(cache=True)
def _first_of_window(ranked: Floats, vertex: float, near: int, start: int) -> int:
    """Slide the window right while that brings its far end nearer; as anchors rise it never slides back."""
    while start + near < ranked.size and vertex - ranked[start] > ranked[start + near] - vertex:
        start += 1
    return start


@numba.njit(cache=True)
def _line_weights(ranked: Floats, place: int, start: int, near: int, weights: Floats) -> int:
    """Set the rows' weights in the local line's value at ``ranked[place]`` and return where they stop."""
    vertex, n = ranked[place], ranked.size
    reach = max(vertex - ranked[start], ranked[start + near - 1] - vertex)
    stop, total, mean = start, 0.0, 0.0
    while stop < n:  # rows that tie with the window's last are taken too
        distance = abs(ranked[stop] - vertex)
        weights[stop] = 0.0
        if distance <= FAR * reach:
            rest = 1.0 - (distance / reach) ** 3 if distance > CLOSE * reach else 1.0
            weights[stop] = rest * rest * rest
            total += weights[stop]
            mean += weights[stop] * ranked[stop]
        elif ranked[stop] > vertex:
            break
        stop += 1
    mean /= total
    spread = 0.0
    for i in range(start, stop):
        weights[i] /= total
        spread += weights[i] * (ranked[i] - mean) ** 2
    if np.sqrt(spread) > LEAST_SPREAD * (ranked[n - 1] - ranked[0]):
        for i in range(start, stop):
            weights[i] *= 1.0 + (vertex - mean) * (ranked[i] - mean) / spread
    return stop


@numba.njit(cache=True)
def _fits(ranked: Floats, response: Floats, near: int, delta: float) -> tuple[Floats, Floats]:
    places = _anchors(ranked, delta)
    value, weights, start = np.zeros(places.size), np.empty(ranked.size), 0
    for j in range(places.size):
        start = _first_of_window(ranked, ranked[places[j]], near, start)
        stop = _line_weights(ranked, places[j], start, near, weights)
        for i in range(start, stop):
            value[j] += weights[i] * response[i]
    return ranked[places], value
