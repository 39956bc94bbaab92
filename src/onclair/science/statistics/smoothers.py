"""The smoothers of a calibration curve, by name: what each makes of a binary truth, at any risk, and with what error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput, BadSetting
from onclair.core.names import did_you_mean
from onclair.science.statistics.glm import logistic, with_intercept
from onclair.science.statistics.loess import hermite_blend, loess, loess_operator
from onclair.science.statistics.lowess import line_blend, lowess, lowess_operator
from onclair.science.statistics.splines import knots, restricted_cubic

Floats = npt.NDArray[np.float64]

_SPLINE = "restricted cubic spline ({} quantile knots, logistic on logit(risk), Harrell)"
#: What the method of a figure says of each smoother.
SMOOTHERS = {
    "loess": "loess (R: span 0.75, degree 2, interpolated)",
    "lowess": "lowess (Cleveland 1979: f 2/3, no robustness step, anchors 1 % of the range apart)",
    "rcs3": _SPLINE.format(3),
    "rcs4": _SPLINE.format(4),
    "rcs5": _SPLINE.format(5),
}
#: Risks of exactly 0 or 1 are moved this far inside before their logit is taken.
CLIP = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Smooth:
    """A smooth of a truth on a risk, and what its pointwise error is made of.

    Attributes
    ----------
    at : callable
        ``at(risks)``, the smooth in [0, 1], shape of `risks`.
    blend : callable
        ``blend(risks)``, of shape (points, parts): the derivative of the smooth there in each of its parts (values and
        slopes at vertices, or coefficients).
    contributions : callable
        Each call yields, for every part, the rows' first-order contributions to it, shape (n,). One part is made at a
        time, so that a million rows fit.

    Examples
    --------
    >>> smooth = smoothed("loess", np.linspace(0.1, 0.9, 40), np.tile([0.0, 1.0], 20))
    >>> smooth.at(np.array([0.5])).shape, len(list(smooth.contributions())) == smooth.blend(np.array([0.5])).shape[1]
    ((1,), True)
    """

    at: Callable[[Floats], Floats]
    blend: Callable[[Floats], Floats]
    contributions: Callable[[], Iterator[Floats]]


def smoothed(name: str, risks: npt.ArrayLike, truth: npt.ArrayLike) -> Smooth:
    """Return the smooth of `truth` on `risks` by the smoother of that name.

    Parameters
    ----------
    name : {"loess", "lowess", "rcs3", "rcs4", "rcs5"}
        Local regression as R's ``loess``; Cleveland's ``lowess``; a logistic model on a restricted cubic spline of
        logit(risk) with 3 to 5 knots at quantiles.
    risks : array_like, shape (n,), in [0, 1]
    truth : array_like, shape (n,), 0 or 1

    Returns
    -------
    Smooth

    Raises
    ------
    BadSetting
        For another name; the nearest is offered.
    BadInput
        Where the smooth cannot be had: too few different risks, knots that coincide, classes that the spline separates.

    References
    ----------
    Austin & Steyerberg 2014, doi:10.1002/sim.5941; :mod:`~onclair.science.statistics.loess`,
    :mod:`~onclair.science.statistics.lowess` and :mod:`~onclair.science.statistics.splines`.

    Examples
    --------
    >>> smoothed("loes", [0.1, 0.9], [0, 1])
    Traceback (most recent call last):
        ...
    onclair.core.errors.BadSetting: There is no smoother 'loes'; did you mean 'loess'?
    """
    check_smoother(name)
    x, y = np.asarray(risks, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if name == "loess":
        return _loess(x, y)
    if name == "lowess":
        return _lowess(x, y)
    return _spline(x, y, int(name[-1]))


def check_smoother(name: str) -> None:
    """Refuse a name that is not one of :data:`SMOOTHERS`.

    Raises
    ------
    BadSetting
        With the names, and the nearest of them.
    """
    if name not in SMOOTHERS:
        raise BadSetting(f"There is no smoother '{name}'; {did_you_mean(str(name), SMOOTHERS)}", item=str(name))


def _loess(x: Floats, y: Floats) -> Smooth:
    fit = loess(x, y)

    def at(points: Floats) -> Floats:
        return np.clip(fit.at(points), 0.0, 1.0)

    def contributions() -> Iterator[Floats]:
        """Yield value and slope of each vertex in turn."""
        operator, residual = loess_operator(x), y - at(x)
        for j in range(operator.vertices.size):
            for part in operator.of_vertex(j):
                yield part * residual

    def blend(points: Floats) -> Floats:
        by_vertex = np.arange(2 * fit.vertices.size).reshape(2, -1).T.ravel()  # value and slope of each vertex together
        return hermite_blend(fit.vertices, points)[:, by_vertex]

    return Smooth(at, blend, contributions)


def _lowess(x: Floats, y: Floats) -> Smooth:
    fit = lowess(x, y)

    def at(points: Floats) -> Floats:
        return np.clip(fit.at(points), 0.0, 1.0)

    def contributions() -> Iterator[Floats]:
        """Yield the value of each anchor in turn."""
        operator, residual = lowess_operator(x), y - at(x)
        for j in range(operator.anchors.size):
            yield operator.of_anchor(j) * residual

    return Smooth(at, lambda points: line_blend(fit.anchors, points), contributions)


def _spline(x: Floats, y: Floats, count: int) -> Smooth:
    places = knots(_logit(x), count)

    def basis(points: Floats) -> Floats:
        return with_intercept(restricted_cubic(_logit(points), places))

    fit = logistic(basis(x), y)
    if not fit.ok:
        raise BadInput(f"The spline of {count} knots cannot be fitted: {fit.reason}.")

    def at(points: Floats) -> Floats:
        return np.asarray(special.expit(basis(points) @ fit.coefficients), dtype=np.float64)

    def blend(points: Floats) -> Floats:
        share = at(points)
        return basis(points) * (share * (1 - share))[:, None]

    return Smooth(at, blend, lambda: iter(np.ascontiguousarray(fit.influence.T)))


def moved_inside(risks: Floats) -> Floats:
    """Return risks in [0, 1] with those of exactly 0 or 1 moved inside by :data:`CLIP`; no other is touched.

    Examples
    --------
    >>> moved_inside(np.array([0.0, 1e-300, 0.5])).tolist()
    [1e-12, 1e-300, 0.5]
    """
    return np.where(risks == 0, CLIP, np.where(risks == 1, 1 - CLIP, risks))


def _logit(risks: Floats) -> Floats:
    inside = moved_inside(risks)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)
