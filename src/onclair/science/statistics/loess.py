"""Local regression as R's ``loess`` does it in one dimension: fits at the vertices of a k-d tree, blended in between."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Share of the range by which the outer vertices lie beyond the data, each side.
MARGIN = 0.005
#: Share of the span above which a cell is cut.
CELL = 0.2
#: Share of a column's square that must be left once the columns before it are taken out, for the normal equations to serve.
LEAST_LEFT = 1e-7
#: Condition of the normal equations above which the pseudo-inverse is taken, as R takes it.
MOST_CONDITION = 1e8


@dataclass(frozen=True, slots=True, eq=False)
class Loess:
    """A fitted local regression.

    Attributes
    ----------
    vertices : ndarray, shape (v,)
        Where local polynomials were fitted, rising.
    value, slope : ndarray, shape (v,)
        The local polynomial's value and slope at each vertex.
    """

    vertices: Floats
    value: Floats
    slope: Floats

    def at(self, x: npt.ArrayLike) -> Floats:
        """Return the smooth at `x`, NaN outside the vertices.

        Examples
        --------
        >>> line = Loess(np.array([0.0, 2.0]), np.array([1.0, 5.0]), np.array([2.0, 2.0]))
        >>> line.at([0.0, 0.5, 3.0])
        array([ 1.,  2., nan])
        """
        cell, parts = _hermite(self.vertices, np.asarray(x, dtype=np.float64))
        ends = self.value[cell], self.value[cell + 1], self.slope[cell], self.slope[cell + 1]
        return np.asarray(sum(part * end for part, end in zip(parts, ends, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class LoessOperator:
    """What :func:`loess` does to `y`, as a matrix: the smooth at `at` is ``blend(at) @ weights @ y``.

    It gives pointwise errors: the variance of the smooth is that of a weighted sum of the `y`. The matrix is made one vertex
    at a time (:meth:`of_vertex`), since for a million rows the whole would not fit.

    Attributes
    ----------
    vertices : ndarray, shape (v,)
    ranked : ndarray, shape (n,)
        The `x`, rising.
    order : ndarray, int64, shape (n,)
        The row of each.
    near : int
        Rows in a neighbourhood.
    degree : int
    """

    vertices: Floats
    ranked: Floats
    order: npt.NDArray[np.int64]
    near: int
    degree: int

    @property
    def weights(self) -> Floats:
        """The weights (2 v, n) of each row in the values at the vertices, then in the slopes there."""
        values, slopes = zip(*(self.of_vertex(j) for j in range(self.vertices.size)), strict=True)
        return np.array([*values, *slopes])

    def of_vertex(self, j: int) -> tuple[Floats, Floats]:
        """Return the weights (n,) of the rows in the value at vertex `j`, and in the slope there.

        Examples
        --------
        A parabola is kept, so the slope of x^2 at the vertex 4 is 8:

        >>> operator = loess_operator(np.arange(10.0))
        >>> round(float(operator.of_vertex(list(operator.vertices).index(4.0))[1] @ np.arange(10.0) ** 2), 9)
        8.0
        """
        vertex = float(self.vertices[j])
        start, stop, scale = _reach(self.ranked, vertex, self.near)
        basis = np.vander((self.ranked[start:stop] - vertex) / scale, self.degree + 1, increasing=True)
        inverse = _pseudo_inverse(basis, _tricube(basis[:, 1]))
        value, slope = np.zeros((2, self.ranked.size))
        value[self.order[start:stop]], slope[self.order[start:stop]] = inverse[0], inverse[1] / scale
        return value, slope

    def blend(self, at: npt.ArrayLike) -> Floats:
        """Return the weights (points, 2 v) of the vertices' values and slopes in the smooth at `at`.

        Examples
        --------
        A constant is kept, so the weights of the rows sum to one at every point:

        >>> operator = loess_operator(np.arange(10.0))
        >>> bool(np.allclose((operator.blend([2.0, 7.5]) @ operator.weights).sum(axis=1), 1.0))
        True
        """
        return hermite_blend(self.vertices, at)


def loess(x: npt.ArrayLike, y: npt.ArrayLike, *, span: float = 0.75, degree: int = 2) -> Loess:
    """Fit `y` on `x` by local regression with R's interpolation.

    Tricube weights on the ``floor(n * span + 1e-5)`` nearest rows; vertices at both ends of the range widened by 0.5 % each
    side, and by recursive halving of the sorted positions l..u while ``u - l + 1 > floor(0.2 * span * n)``, cutting at the
    value ``x[(l + u) // 2]``; cubic Hermite interpolation between vertices.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Finite; `x` takes at least ``degree + 1`` different values.
    span : float
        In (0, 1].
    degree : int
        1 or 2.

    Returns
    -------
    Loess

    Raises
    ------
    BadInput
        When shapes differ, values are not finite, the span holds fewer than ``degree + 1`` rows, there are fewer
        different `x` than that, or a neighbourhood has no width (more than `span` of the rows share one `x`).

    References
    ----------
    Cleveland & Devlin 1988, doi:10.1080/01621459.1988.10478639; Cleveland & Grosse 1991, doi:10.1007/BF01890836.

    Examples
    --------
    A parabola is reproduced at the vertices:

    >>> x = np.linspace(0.0, 1.0, 21)
    >>> fit = loess(x, x**2)
    >>> bool(np.allclose(fit.value, fit.vertices**2)), bool(np.allclose(fit.slope, 2 * fit.vertices))
    (True, True)
    """
    ranked, response, _ = _sorted(x, y, span, degree)
    vertices, near = kd_vertices(ranked, span), _near(ranked.size, span)
    value, slope, doubtful = _fits(ranked, response, vertices, near, degree)
    for j in np.flatnonzero(doubtful):
        value[j], slope[j] = _careful(ranked, response, float(vertices[j]), near, degree)
    return Loess(vertices, value, slope)


def loess_operator(x: npt.ArrayLike, *, span: float = 0.75, degree: int = 2) -> LoessOperator:
    """Return the matrix form of :func:`loess` on `x`.

    Parameters
    ----------
    x : array_like, shape (n,)
        Finite.
    span, degree
        As :func:`loess`.

    Returns
    -------
    LoessOperator

    Raises
    ------
    BadInput
        As :func:`loess`.

    Examples
    --------
    >>> loess_operator(np.arange(10.0)).weights.shape
    (22, 10)
    """
    ranked, _, order = _sorted(x, np.zeros(np.shape(x)), span, degree)
    return LoessOperator(kd_vertices(ranked, span), ranked, order, _near(ranked.size, span), degree)


def hermite_blend(vertices: npt.ArrayLike, at: npt.ArrayLike) -> Floats:
    """Return the weights (points, 2 v) of the vertices' values, then slopes, in the cubic Hermite interpolation at `at`.

    Examples
    --------
    Half way between two vertices 2 apart: half of each value, a quarter of the slopes' difference.

    >>> hermite_blend([0.0, 2.0], [1.0])
    array([[ 0.5 ,  0.5 ,  0.25, -0.25]])
    """
    ends, points = np.asarray(vertices, dtype=np.float64), np.asarray(at, dtype=np.float64)
    cell, parts = _hermite(ends, points)
    table, row, v = np.zeros((points.size, 2 * ends.size)), np.arange(points.size), ends.size
    for column, part in zip((cell, cell + 1, v + cell, v + cell + 1), parts, strict=True):
        table[row, column] = part
    return table


def kd_vertices(ranked: Floats, span: float) -> Floats:
    """Return the vertices of the k-d tree over sorted `ranked`, rising and distinct.

    A cut that would fall within a run of equal values moves to the nearest place where the value changes.

    Examples
    --------
    >>> kd_vertices(np.arange(1.0, 9.0), 0.75).round(3)
    array([0.965, 1.   , 2.   , 3.   , 4.   , 5.   , 6.   , 7.   , 8.035])
    """
    n = ranked.size
    width = ranked[-1] - ranked[0]
    margin = MARGIN * max(width, 1e-10 * max(abs(ranked[0]), abs(ranked[-1])) + 1e-30)
    ends = (float(ranked[0] - margin), float(ranked[-1] + margin))
    largest = int(np.floor(n * span * CELL))
    found, cells = set(ends), [(1, n, *ends)]
    while cells:
        left, right, low, high = cells.pop()
        if right - left + 1 <= largest or right <= left:
            continue
        middle = _cut(ranked, left, right)
        cut = float(ranked[middle - 1])
        if cut in (low, high):
            continue
        found.add(cut)
        cells += [(left, middle, low, cut), (middle + 1, right, cut, high)]
    return np.array(sorted(found))


@numba.njit(cache=True)
def _cut(ranked: Floats, left: int, right: int) -> int:
    """Return the position (1-based) nearest the middle after which the value changes; the middle where a side runs out first."""
    middle = (left + right) // 2
    for away in range(right - left + 1):
        for position in (middle + away, middle - away):
            if not left <= position < right:
                return middle
            if ranked[position - 1] != ranked[position]:
                return position
    return middle


def _sorted(x: npt.ArrayLike, y: npt.ArrayLike, span: float, degree: int) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Return `x` rising, `y` in that order, and the order; timsort makes it one pass where `x` rises already."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise BadInput(f"The smoother was given x of shape {a.shape} and y of shape {b.shape}; give one pair a row.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise BadInput("The smoother was given NaN or infinity; drop those rows.")
    if degree not in (1, 2) or not 0 < span <= 1:
        raise BadInput(f"Degree {degree} and span {span} of the smoother: degree is 1 or 2 and the span lies in (0, 1].")
    if int(np.floor(a.size * span + 1e-5)) <= degree:
        raise BadInput(f"The span {span} of {a.size} rows holds too few of them for degree {degree}; widen the span or collect more rows.")
    order = np.argsort(a, kind="stable")
    ranked = a[order]
    different = 1 + int(np.count_nonzero(np.diff(ranked)))
    if different < degree + 1:
        raise BadInput(f"The smoother needs at least {degree + 1} different x; it was given {different}.")
    return ranked, b[order], order


def _near(rows: int, span: float) -> int:
    return min(max(int(np.floor(rows * span + 1e-5)), 2), rows)


def _reach(ranked: Floats, vertex: float, near: int) -> tuple[int, int, float]:
    """Return the nearest rows start:stop and the distance of the farthest."""
    start = _nearest(ranked, vertex, near)
    distance = np.abs(ranked[start : start + near] - vertex)
    scale = float(distance.max())
    if not scale > distance.min():
        raise BadInput(f"{near} or more rows share x = {ranked[start]:g}, so the smoother has no neighbourhood there; widen the span.")
    return start, start + near, scale


def _tricube(distance: Floats) -> Floats:
    return np.asarray((1 - np.abs(distance) ** 3) ** 3)


def _pseudo_inverse(basis: Floats, weights: Floats) -> Floats:
    """Return what the response is multiplied with for the weighted polynomial's coefficients, of shape (degree + 1, rows)."""
    gram = basis.T @ (basis * weights[:, None])
    if np.linalg.cond(gram) < MOST_CONDITION:
        return np.asarray((np.linalg.inv(gram) @ basis.T) * weights, dtype=np.float64)
    root = np.sqrt(weights)
    return np.asarray(np.linalg.pinv(basis * root[:, None], rcond=1e-10) * root, dtype=np.float64)


def _careful(ranked: Floats, response: Floats, vertex: float, near: int, degree: int) -> tuple[float, float]:
    """Value and slope at the vertex of the weighted polynomial, where its columns are all but dependent."""
    start, stop, scale = _reach(ranked, vertex, near)
    basis = np.vander((ranked[start:stop] - vertex) / scale, degree + 1, increasing=True)
    root = np.sqrt(_tricube(basis[:, 1]))
    solution = np.linalg.lstsq(basis * root[:, None], response[start:stop] * root, rcond=1e-10)[0]
    return float(solution[0]), float(solution[1]) / scale


@numba.njit(cache=True)
def _fits(ranked: Floats, response: Floats, vertices: Floats, near: int, degree: int) -> tuple[Floats, Floats, Bools]:
    """Value and slope at each vertex by the normal equations, and where these are too nearly singular to be trusted."""
    value, slope = np.zeros(vertices.size), np.zeros(vertices.size)
    doubtful = np.ones(vertices.size, dtype=np.bool_)
    for j in range(vertices.size):
        start = _nearest(ranked, vertices[j], near)
        scale = max(abs(ranked[start] - vertices[j]), abs(ranked[start + near - 1] - vertices[j]))
        if not scale > 0:
            continue
        s0 = s1 = s2 = s3 = s4 = b0 = b1 = b2 = 0.0
        for i in range(start, start + near):
            t = (ranked[i] - vertices[j]) / scale
            rest = 1.0 - abs(t) * t * t
            w = rest * rest * rest
            wt, wtt = w * t, w * t * t
            s0, s1, s2, s3, s4 = s0 + w, s1 + wt, s2 + wtt, s3 + wtt * t, s4 + wtt * t * t
            b0, b1, b2 = b0 + w * response[i], b1 + wt * response[i], b2 + wtt * response[i]
        # Cholesky: l00 = s0, then what is left of t and of t^2 once the columns before are taken out
        if not s0 > 0:
            continue
        left1 = s2 - s1 * s1 / s0
        a1, cross = b1 - s1 * b0 / s0, s3 - s1 * s2 / s0
        left2 = s4 - s2 * s2 / s0 - (cross * cross / left1 if left1 > 0 else 0.0)
        if not left1 > LEAST_LEFT * s2 or (degree == 2 and not left2 > LEAST_LEFT * s4):
            continue
        bend = (b2 - s2 * b0 / s0 - cross * a1 / left1) / left2 if degree == 2 else 0.0
        tilt = (a1 - cross * bend) / left1
        value[j], slope[j], doubtful[j] = (b0 - s1 * tilt - s2 * bend) / s0, tilt / scale, False
    return value, slope, doubtful


@numba.njit(cache=True)
def _nearest(ranked: Floats, vertex: float, near: int) -> int:
    start, stop = 0, ranked.size
    while stop - start > near:
        if vertex - ranked[start] > ranked[stop - 1] - vertex:
            start += 1
        else:
            stop -= 1
    return start


def _hermite(vertices: Floats, x: Floats) -> tuple[npt.NDArray[np.int64], tuple[Floats, Floats, Floats, Floats]]:
    """Return the cell of each `x` and the weights there of the values at its two ends, then of the slopes."""
    cell = np.clip(np.searchsorted(vertices, x, side="right") - 1, 0, vertices.size - 2)
    width = vertices[cell + 1] - vertices[cell]
    t = np.where((x >= vertices[0]) & (x <= vertices[-1]), (x - vertices[cell]) / width, np.nan)
    return cell, ((1 - t) ** 2 * (1 + 2 * t), t**2 * (3 - 2 * t), width * t * (1 - t) ** 2, -width * t**2 * (1 - t))
