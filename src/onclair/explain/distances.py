"""How far two cases lie apart: rows made comparable, so that the distance is the plain one between the rows made so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import linalg

Floats = npt.NDArray[np.float64]
Metric = Literal["mahalanobis-shrunk", "euclidean-standardised", "cosine"]

METRICS: tuple[Metric, ...] = ("mahalanobis-shrunk", "euclidean-standardised", "cosine")


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where distances are plain: columns centred, scaled and turned.

    Attributes
    ----------
    centre, scale : ndarray, float64, shape (p,)
        Mean and standard deviation of the training rows (ddof 0); the scale of a column that does not vary there is infinite, so that
        it never counts. For the cosine the centre is 0 and the scale 1.
    turn : ndarray, float64, shape (p, p)
        A standardised row ``z`` becomes ``z @ turn``.
    unit : bool
        Whether rows are brought to length 1 (cosine).
    shrinkage : float
        How much of the covariance is the identity; 0 where nothing is shrunk.
    """

    centre: Floats
    scale: Floats
    turn: Floats
    unit: bool
    shrinkage: float

    def standardised(self, x: Floats) -> Floats:
        """Return rows (n, p) in standard deviations of the training rows."""
        return np.asarray((x - self.centre) / self.scale)

    def placed(self, x: Floats) -> Floats:
        """Return rows (n, p) where their distance is plain.

        Examples
        --------
        >>> space("euclidean-standardised", np.array([[0.0, 5.0], [2.0, 5.0]])).placed(np.array([[3.0, 9.0]]))
        array([[2., 0.]])
        """
        turned = self.standardised(x) @ self.turn
        if not self.unit:
            return np.asarray(turned)
        length = np.linalg.norm(turned, axis=1, keepdims=True)
        return np.asarray(np.divide(turned, length, out=np.zeros_like(turned), where=length > 0) / np.sqrt(2))


def space(metric: Metric, x: Floats) -> Space:
    """Learn the space of a metric from training rows.

    Parameters
    ----------
    metric : {"mahalanobis-shrunk", "euclidean-standardised", "cosine"}
        Mahalanobis counts a direction in which cases seldom differ for more, and columns that say the same once; its covariance is
        that of the standardised rows, shrunk towards the identity by Ledoit and Wolf's rule. The standardised distance counts every
        column alike. The cosine looks at the direction of a row as it is: for embeddings.
    x : ndarray, float64, shape (n, p)
        Finite.

    Returns
    -------
    Space
        Squared distances are those of Mahalanobis; squared sums of standardised differences; and 1 - cosine.

    References
    ----------
    Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, section 3.3.

    Examples
    --------
    Two columns that say the same are nearly one:

    >>> line = np.linspace(-1, 1, 200)[:, None]
    >>> twice = space("mahalanobis-shrunk", np.hstack([line, line]))
    >>> bool(twice.shrinkage < 0.01)
    True
    """
    n, p = x.shape
    if metric == "cosine":
        return Space(np.zeros(p), np.ones(p), np.eye(p), True, 0.0)
    spread = x.std(axis=0)
    varies = spread > 1e-12 * np.maximum(np.abs(x).max(axis=0), 1e-300)
    centre, scale = x.mean(axis=0), np.where(varies, spread, np.inf)
    if metric == "euclidean-standardised":
        return Space(centre, scale, np.eye(p), False, 0.0)
    z = (x - centre) / scale
    shrinkage = ledoit_wolf_shrinkage(z)
    covariance = (1 - shrinkage) * (z.T @ z) / n + shrinkage * np.trace(z.T @ z) / (n * p) * np.eye(p)
    values, axes = linalg.eigh(covariance)
    floor = max(float(values[-1]), 1.0) * 1e-9
    return Space(centre, scale, np.asarray(axes / np.sqrt(np.maximum(values, floor)) @ axes.T), False, shrinkage)


def ledoit_wolf_shrinkage(z: Floats) -> float:
    """Return how much of the covariance of centred rows (n, p) is to be replaced by its mean variance times the identity.

    ``b^2 / d^2``: the error of the covariance over its distance from the target, cut at 1.

    References
    ----------
    Ledoit & Wolf 2004, lemmas 3.2 to 3.5, doi:10.1016/S0047-259X(03)00096-4.

    Examples
    --------
    Four rows at the corners of a square have the identity for their covariance, which needs no shrinking and no distance to it:

    >>> ledoit_wolf_shrinkage(np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]))
    0.0
    """
    n, p = z.shape
    covariance = z.T @ z / n
    mean = np.trace(covariance) / p
    apart = float(((covariance - mean * np.eye(p)) ** 2).sum())  # d^2 times p
    squared = z**2
    error = float((squared.T @ squared).sum() / n - (covariance**2).sum()) / n  # b-bar^2 times p
    return min(error, apart) / apart if apart > 0 else 0.0
