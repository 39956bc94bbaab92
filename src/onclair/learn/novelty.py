"""The novelty gate: whether a case is like those that the model learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadCohort, BadModelFile

Floats = npt.NDArray[np.float64]

#: Leading components are kept until they hold this share of the variance.
VARIANCE_KEPT = 0.9
#: Patients are left out one by one up to this number, in so many blocks beyond it.
MOST_BLOCKS = 100
_ARRAYS = ("centre", "scale", "axes", "variance", "residual", "distances", "shares", "level")


class Novelty(NamedTuple):
    """What the gate says of one row: whether it is novel, its conformal p-value, its distance and the feature farthest out."""

    novel: bool
    p: float
    distance: float
    feature: str


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The training rows as a Gaussian with a few free directions and one variance for all others.

    Attributes
    ----------
    centre, scale : ndarray, float64, shape (p,)
    axes : ndarray, float64, shape (q, p)
        Leading principal directions, orthonormal.
    variance : ndarray, float64, shape (q,)
        Along them.
    residual : float
        Mean variance in the p - q directions left.
    """

    centre: Floats
    scale: Floats
    axes: Floats
    variance: Floats
    residual: float

    def contributions(self, x: Floats) -> Floats:
        """Return what each column adds to the squared Mahalanobis distance of each row, shape (n, p); a row's sum is its distance.

        Examples
        --------
        One free direction of variance 4, variance 1 elsewhere: (2^2 / 4, 3^2 / 1).

        >>> shape = Shape(np.zeros(2), np.ones(2), np.array([[1.0, 0.0]]), np.array([4.0]), 1.0)
        >>> shape.contributions(np.array([[2.0, 3.0]]))
        array([[1., 9.]])
        """
        z = (x - self.centre) / self.scale
        along = z @ self.axes.T
        pulled = (along / self.variance) @ self.axes + (z - along @ self.axes) / self.residual
        return np.asarray(z * pulled)


@dataclass(frozen=True, slots=True, eq=False)
class NoveltyGate:
    """A gate with its conformal reference.

    Attributes
    ----------
    columns : tuple of str
    shape : Shape
    distances, shares : ndarray, float64, shape (n,)
        Squared distance of each training row to a shape learnt without its patient, and its share 1 / (rows of the patient).
    level : float
        Share of familiar patients that may be held back.
    """

    columns: tuple[str, ...]
    shape: Shape
    distances: Floats
    shares: Floats
    level: float

    @property
    def patients(self) -> int:
        """How many patients it learnt from."""
        return round(float(self.shares.sum()))

    @property
    def level_held(self) -> float:
        """The level in force: with K patients no p-value lies below 1 / (K + 1), so few patients make the gate stricter."""
        return max(self.level, 1 / (self.patients + 1))

    def judge(self, x: npt.ArrayLike) -> Novelty:
        """Judge one prepared row.

        Parameters
        ----------
        x : array_like, float64, shape (p,)
            In the order of `columns`, prepared as the training rows were.
        """
        parts = self.shape.contributions(np.asarray(x, dtype=np.float64)[None])[0]
        distance = float(parts.sum())
        beyond = float(self.shares[self.distances >= distance].sum())
        p = (1 + beyond) / (self.patients + 1)
        return Novelty(p <= self.level_held + 1e-12, p, distance, self.columns[int(np.argmax(parts))])

    def arrays(self) -> dict[str, Floats]:
        """Return everything but the names of the columns, for an NPZ file."""
        shape = self.shape
        values = (shape.centre, shape.scale, shape.axes, shape.variance, shape.residual, self.distances, self.shares, self.level)
        return {name: np.asarray(value, dtype=np.float64) for name, value in zip(_ARRAYS, values, strict=True)}

    @classmethod
    def from_arrays(cls, columns: Sequence[str], arrays: Mapping[str, Floats]) -> NoveltyGate:
        """Return the gate that :meth:`arrays` wrote.

        Raises
        ------
        BadModelFile
            When an array is absent.
        """
        absent = [name for name in _ARRAYS if name not in arrays]
        if absent:
            raise BadModelFile(f"The novelty gate of the model lacks its array '{absent[0]}'; save the model again.", item=absent[0])
        held = {name: np.asarray(arrays[name], dtype=np.float64) for name in _ARRAYS}
        shape = Shape(held["centre"], held["scale"], held["axes"], held["variance"], held["residual"].item())
        return cls(tuple(columns), shape, held["distances"], held["shares"], held["level"].item())


def novelty_gate(x: npt.ArrayLike, patients: npt.ArrayLike, columns: Sequence[str], level: float = 0.01) -> NoveltyGate:
    """Learn the gate: Mahalanobis distance along the leading components plus the residual, with a leave-one-patient-out reference.

    The covariance is that of probabilistic principal components: free along the directions that hold 90 % of the variance (at
    most a third of the rows in number), one common variance elsewhere. A new row's p-value is the share of patients who lie at
    least as far from a shape learnt without them; it is novel when p is at most `level`, or, with too few patients for such a
    p-value, when it lies farther out than every one of them.

    Parameters
    ----------
    x : array_like, float64, shape (n, p)
        Prepared training rows, without missing values.
    patients : array_like, shape (n,)
        Who each row belongs to; at least 3 patients.
    columns : sequence of str, length p
    level : float, in (0, 1)

    Raises
    ------
    BadCohort
        For fewer than 3 patients.

    References
    ----------
    Tipping & Bishop 1999, eq. 7 and 8, doi:10.1111/1467-9868.00196; conformal p-value: Vovk et al. 2005, eq. 2.20,
    doi:10.1007/b106715; Bates et al. 2023, doi:10.1214/22-AOS2244.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> gate = novelty_gate(x, np.arange(40), ["uptake", "volume"])
    >>> gate.judge([0.1, 9.0]).novel, gate.judge([0.1, 9.0]).feature, gate.judge([0.1, -0.2]).novel
    (True, 'volume', False)
    """
    table = np.asarray(x, dtype=np.float64)
    _, who, rows = np.unique(np.asarray(patients), return_inverse=True, return_counts=True)
    if len(rows) < 3:
        raise BadCohort(f"A novelty gate needs at least 3 patients to learn what is familiar; found {len(rows)}.")
    block = who if len(rows) <= MOST_BLOCKS else who % MOST_BLOCKS
    distances = np.zeros(len(table))
    for left_out in np.unique(block):
        mine = block == left_out
        distances[mine] = _shape(table[~mine]).contributions(table[mine]).sum(axis=1)
    return NoveltyGate(tuple(columns), _shape(table), distances, 1.0 / rows[who], level)


def _shape(x: Floats) -> Shape:
    n, p = x.shape
    centre = x.mean(axis=0)
    scale = np.maximum(x.std(axis=0), 0.1)  # prepared columns have unit variance; a floor for one that lives on the patient left out
    _, singular, axes = np.linalg.svd((x - centre) / scale, full_matrices=False)
    variance = singular**2 / n
    total = float(variance.sum())
    enough = int(np.searchsorted(np.cumsum(variance), VARIANCE_KEPT * total)) + 1
    q = max(1, min(enough, n // 3, p))
    floor = 1e-3 * total / p
    residual = float(variance[q:].sum()) / (p - q) if p > q else 1.0
    return Shape(centre, scale, np.ascontiguousarray(axes[:q]), np.maximum(variance[:q], floor), max(residual, floor))
