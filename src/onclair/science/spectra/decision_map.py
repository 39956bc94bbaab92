"""Probability and its uncertainty between the sampled sites, and nothing beyond where they can tell anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.geometry import Affine

Floats = npt.NDArray[np.float64]

#: Nothing is said farther than this from a sampled site, mm.
REACH_MM = 5.0
#: Distance over which log-odds stay alike, their spread between tissues, and the spread of one answer, all on the log-odds scale.
#: Fixed and not fitted: a session's ten sites cannot tell them.
LENGTH_MM, SPREAD, NUGGET = 4.0, 2.0, 0.5
#: Probabilities nearer to 0 or 1 are taken as this near.
_NEAREST = 0.005
_MOST_VOXELS = 20_000_000
_QUADRATURE = 15


@dataclass(frozen=True, slots=True, eq=False)
class DecisionMap:
    """Probability and uncertainty on a grid.

    Attributes
    ----------
    probability, uncertainty : ndarray, float64, shape (x, y, z)
        NaN where no site lies within reach. The uncertainty is the standard deviation of the probability.
    affine : ndarray, shape (4, 4)
        Voxel to LPS mm.
    """

    probability: Floats
    uncertainty: Floats
    affine: Affine


def decision_map(
    points_mm: npt.ArrayLike, probability: npt.ArrayLike, *, spacing_mm: float = 0.5, reach_mm: float = REACH_MM, error_mm: float = 0.0
) -> DecisionMap:
    """Return the map of a session's sites: kriging of the log-odds about their mean.

    The mean of the log-odds is taken by generalised least squares (ordinary kriging); the covariance is ``s^2 exp(-d^2 / 2 l^2)``, with a
    nugget of the answers' own spread, so that a lone site does not look certain. Mean and standard deviation of the probability follow by
    Gauss-Hermite quadrature. A registration error shifts all sites alike: the covariance between a site and a place on the map is then
    its mean over normal shifts, ``s^2 (l^2 / (l^2 + e^2))^1.5 exp(-d^2 / 2 (l^2 + e^2))`` with ``e^2 = error^2 / 3`` along each axis, so
    that the map is smoother and less certain.

    Parameters
    ----------
    points_mm : array, shape (m, 3)
        Sites with an answer, LPS.
    probability : array, shape (m,)
        Within [0, 1].
    spacing_mm : float
        Of the grid, the same along each axis.
    reach_mm : float
        Empty beyond.
    error_mm : float
        Registration error of the navigation, root mean square of the distance.

    Returns
    -------
    DecisionMap

    Raises
    ------
    BadInput
        For no site, places or probabilities that are none, or sites so far apart that the grid would not fit in memory.

    References
    ----------
    C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press 2006, equations 2.23 to 2.26 and 2.42 (a
    constant mean), doi:10.7551/mitpress/3206.001.0001.

    Examples
    --------
    >>> made = decision_map([[0.0, 0.0, 0.0], [20.0, 0.0, 0.0]], [0.9, 0.1])
    >>> at = np.linalg.inv(made.affine) @ [[0.0, 20.0, 10.0], [0, 0, 0], [0, 0, 0], [1, 1, 1]]
    >>> i, j, k = np.rint(at[:3]).astype(int)
    >>> made.probability[i, j, k].round(2).tolist()
    [0.88, 0.12, nan]
    """
    points, p = np.atleast_2d(np.asarray(points_mm, dtype=np.float64)), np.atleast_1d(np.asarray(probability, dtype=np.float64))
    _check(points, p, spacing_mm, reach_mm)
    origin, shape = _grid(points, spacing_mm, reach_mm)
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = origin
    near = _near(points, origin, shape, spacing_mm, reach_mm)
    where = origin + np.argwhere(near) * spacing_mm
    mean, sd = _kriged(points, _log_odds(p), where, error_mm)
    made = np.full((2, *shape), np.nan)
    made[:, near] = _probability(mean, sd)
    return DecisionMap(made[0], made[1], affine)


def _check(points: Floats, p: Floats, spacing_mm: float, reach_mm: float) -> None:
    if points.shape != (p.size, 3) or p.size == 0:
        raise BadInput(f"The decision map has {points.shape} places for {p.size} probabilities; it needs at least one site with both.")
    if not np.isfinite(points).all() or not ((p >= 0) & (p <= 1)).all():
        raise BadInput("The decision map was given a place that is not finite or a probability outside [0, 1]; correct the site log.")
    if not (spacing_mm > 0 and reach_mm > 0):
        raise BadInput(f"The spacing of the decision map is {spacing_mm} mm and its reach {reach_mm} mm; both must be positive.")


def _grid(points: Floats, spacing_mm: float, reach_mm: float) -> tuple[Floats, tuple[int, int, int]]:
    """Return the first voxel's centre, on whole steps, and the shape of the grid that holds all that is within reach."""
    low = np.floor((points.min(axis=0) - reach_mm) / spacing_mm)
    high = np.ceil((points.max(axis=0) + reach_mm) / spacing_mm)
    x, y, z = (int(n) for n in high - low + 1)
    if x * y * z > _MOST_VOXELS:
        span = " x ".join(f"{extent:.0f}" for extent in np.ptp(points, axis=0))
        raise BadInput(f"The sites lie {span} mm apart, too far for one map; are they all told in one navigation frame?")
    return low * spacing_mm, (x, y, z)


def _near(points: Floats, origin: Floats, shape: tuple[int, int, int], spacing_mm: float, reach_mm: float) -> npt.NDArray[np.bool_]:
    axes = [origin[a] + spacing_mm * np.arange(shape[a]) for a in range(3)]
    near = np.zeros(shape, dtype=bool)
    for x, y, z in points:
        squares = (axes[0][:, None, None] - x) ** 2 + (axes[1][None, :, None] - y) ** 2 + (axes[2][None, None, :] - z) ** 2
        near |= squares <= reach_mm**2
    return near


def _log_odds(p: Floats) -> Floats:
    held = np.clip(p, _NEAREST, 1.0 - _NEAREST)
    return np.asarray(np.log(held / (1.0 - held)))


def _kriged(points: Floats, values: Floats, where: Floats, error_mm: float) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the log-odds at `where` (equations 2.25, 2.26, and 2.42 for the constant mean)."""
    from scipy.linalg import cho_factor, cho_solve

    factor = cho_factor(_alike(points, points, 0.0) + NUGGET**2 * np.eye(len(points)))
    ones = np.ones(len(points))
    weight = cho_solve(factor, ones)
    mu = float(weight @ values) / float(weight.sum())
    cross = _alike(where, points, error_mm)
    mean = mu + cross @ cho_solve(factor, values - mu)
    explained = np.einsum("ij,ji->i", cross, cho_solve(factor, cross.T))
    of_mean = (1.0 - cross @ weight) ** 2 / float(weight.sum())
    return mean, np.sqrt(np.maximum(SPREAD**2 - explained + of_mean, 0.0))


def _alike(a: Floats, b: Floats, error_mm: float) -> Floats:
    """Return the covariance of the log-odds at two sets of places, between which there may be a shift nobody knows."""
    squares = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    wide = LENGTH_MM**2 + error_mm**2 / 3.0
    return np.asarray(SPREAD**2 * (LENGTH_MM**2 / wide) ** 1.5 * np.exp(-0.5 * squares / wide))


def _probability(mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the probability where the log-odds are normal."""
    from scipy.special import expit

    nodes, weights = np.polynomial.hermite_e.hermegauss(_QUADRATURE)
    weights = weights / weights.sum()
    values = expit(mean[:, None] + sd[:, None] * nodes[None, :])
    first = values @ weights
    second = np.maximum((values - first[:, None]) ** 2 @ weights, 0.0)
    return np.asarray(first), np.sqrt(second)
