"""Local regression as R's ``loess`` does it in one dimension: fits at the vertices of a k-d tree, blended in between."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput

Floats = npt.NDArray[np.float64]

#: Share of the range by which the outer vertices lie beyond the data, each side.
MARGIN = 0.005
#: Share of the span above which a cell is cut.
CELL = 0.2


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

    It gives pointwise errors: the variance of the smooth is that of a weighted sum of the `y`.

    Attributes
    ----------
    vertices : ndarray, shape (v,)
    weights : ndarray, shape (2 v, n)
        Of each row in the values at the vertices, then in the slopes there.
    """

    vertices: Floats
    weights: Floats

    def blend(self, at: npt.ArrayLike) -> Floats:
        """Return the weights (points, 2 v) of the vertices' values and slopes in the smooth at `at`.

        Examples
        --------
        A constant is kept, so the weights of the rows sum to one at every point:

        >>> operator = loess_operator(np.arange(10.0))
        >>> bool(np.allclose((operator.blend([2.0, 7.5]) @ operator.weights).sum(axis=1), 1.0))
        True
        """
        points = np.asarray(at, dtype=np.float64)
        cell, parts = _hermite(self.vertices, points)
        table, row, v = np.zeros((points.size, 2 * self.vertices.size)), np.arange(points.size), self.vertices.size
        for column, part in zip((cell, cell + 1, v + cell, v + cell + 1), parts, strict=True):
            table[row, column] = part
        return table


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
    a, b = _checked(x, y, span, degree)
    order = np.argsort(a, kind="stable")
    ranked, response = a[order], b[order]
    vertices = kd_vertices(ranked, span)
    fits = [_local(ranked, response, v, span, degree) for v in vertices]
    return Loess(vertices, np.array([f[0] for f in fits]), np.array([f[1] for f in fits]))


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
    a, _ = _checked(x, np.zeros(np.shape(x)), span, degree)
    order = np.argsort(a, kind="stable")
    ranked = a[order]
    vertices = kd_vertices(ranked, span)
    weights = np.zeros((2 * vertices.size, a.size))
    for j, vertex in enumerate(vertices):
        start, stop, scale, root = _window(ranked, vertex, span)
        basis = _basis(ranked[start:stop], vertex, scale, degree)
        inverse = np.linalg.pinv(basis * root[:, None], rcond=1e-10)[:2] * root
        weights[j, order[start:stop]], weights[vertices.size + j, order[start:stop]] = inverse[0], inverse[1] / scale
    return LoessOperator(vertices, weights)


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


def _checked(x: npt.ArrayLike, y: npt.ArrayLike, span: float, degree: int) -> tuple[Floats, Floats]:
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise BadInput(f"The smoother was given x of shape {a.shape} and y of shape {b.shape}; give one pair a row.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise BadInput("The smoother was given NaN or infinity; drop those rows.")
    if degree not in (1, 2) or not 0 < span <= 1:
        raise BadInput(f"Degree {degree} and span {span} of the smoother: degree is 1 or 2 and the span lies in (0, 1].")
    if int(np.floor(a.size * span + 1e-5)) <= degree:
        raise BadInput(f"The span {span} of {a.size} rows holds too few of them for degree {degree}; widen the span or collect more rows.")
    if np.unique(a).size < degree + 1:
        raise BadInput(f"The smoother needs at least {degree + 1} different x; it was given {np.unique(a).size}.")
    return a, b


def _window(ranked: Floats, vertex: float, span: float) -> tuple[int, int, float, Floats]:
    """Return the nearest rows start:stop, their bandwidth, and the square roots of their tricube weights."""
    near = min(max(int(np.floor(ranked.size * span + 1e-5)), 2), ranked.size)
    start = _nearest(ranked, vertex, near)
    distance = np.abs(ranked[start : start + near] - vertex)
    scale = float(distance.max())
    if not scale > 0:
        raise BadInput(f"{near} or more rows share x = {vertex:g}, so the smoother has no neighbourhood there; widen the span.")
    return start, start + near, scale, np.asarray((1 - (distance / scale) ** 3) ** 1.5)


def _basis(x: Floats, vertex: float, scale: float, degree: int) -> Floats:
    return np.vander((x - vertex) / scale, degree + 1, increasing=True)


def _local(ranked: Floats, response: Floats, vertex: float, span: float, degree: int) -> tuple[float, float]:
    """Value and slope at the vertex of the weighted polynomial."""
    start, stop, scale, root = _window(ranked, vertex, span)
    basis = _basis(ranked[start:stop], vertex, scale, degree)
    solution = np.linalg.lstsq(basis * root[:, None], response[start:stop] * root, rcond=1e-10)[0]
    return float(solution[0]), float(solution[1]) / scale


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
