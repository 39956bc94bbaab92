"""A support vector machine with a Gaussian kernel; what is kept of it are plain arrays, so that no file of its own is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.spatial.distance import cdist

from onclair.learn.estimators_checks import positive, two_classes

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class KernelModel:
    """A fitted machine: ``f(x) = intercept + sum_i weights_i exp(-gamma |x - support_i|^2)``, and ``risk = expit(f)``.

    The risk is a score: it keeps the order of f, and the calibrator that follows learns from f (its logit) what it is worth,
    which is Platt's way for these machines.

    Attributes
    ----------
    support : ndarray, float64, shape (m, p)
        Support vectors, standardised as the training rows were.
    weights : ndarray, float64, shape (m,)
        Dual coefficients, positive for rows with the event.
    intercept, gamma : float

    References
    ----------
    Platt 1999, in Advances in Large Margin Classifiers, pp. 61-74.

    Examples
    --------
    On a support vector the kernel is 1, so f = 2 - 2:

    >>> KernelModel(np.array([[1.0, 0.0]]), np.array([2.0]), -2.0, 0.5).risk(np.array([[1.0, 0.0]]))
    array([0.5])
    """

    support: Floats
    weights: Floats
    intercept: float
    gamma: float

    def decision(self, x: Floats) -> Floats:
        """Return f of each row of `x` (n, p), shape (n,)."""
        return np.asarray(self.intercept + np.exp(-self.gamma * cdist(x, self.support, "sqeuclidean")) @ self.weights)

    def risk(self, x: Floats) -> Floats:
        """Return the score of each row of `x` (n, p), shape (n,), in (0, 1)."""
        return np.asarray(special.expit(self.decision(x)))


@dataclass(frozen=True, slots=True)
class Svm:
    """A support vector machine with a Gaussian kernel (RBF).

    Attributes
    ----------
    cost : float
        What a row on the wrong side costs (C), positive.
    gamma : float or None
        Inverse squared width of the kernel; None for 1 / (p v) with v the variance of all training values (1 / p where every
        column is standardised).

    Raises
    ------
    BadSetting
        For a cost or gamma that is not positive.

    References
    ----------
    Cortes & Vapnik 1995, doi:10.1007/BF00994018; solver: Chang & Lin 2011, doi:10.1145/1961189.1961199.

    Examples
    --------
    A ring about a core, which no line can part:

    >>> angle = np.linspace(0, 6, 20)
    >>> ring = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> x, y = np.concatenate([0.1 * ring, 2 * ring]), np.repeat([0.0, 1.0], 20)
    >>> model = Svm().fit(x, y, np.random.default_rng(0))
    >>> (model.risk(np.array([[0.0, 0.0], [0.0, 2.0]])) > 0.5).tolist()
    [False, True]
    """

    cost: float = 1.0
    gamma: float | None = None

    def __post_init__(self) -> None:
        positive("cost", self.cost)
        if self.gamma is not None:
            positive("gamma", self.gamma)

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: 0 or 1."""
        return "binary"

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> KernelModel:
        """Return the machine trained on `x` (n, p) and `truth` (n,) of 0 and 1; `rng` is not used, nothing is drawn.

        Raises
        ------
        BadCohort
            When only one class is present.
        """
        del rng
        two_classes(truth)
        from sklearn.svm import SVC  # here, as in estimators.py

        spread = float(np.var(x))
        gamma = self.gamma if self.gamma is not None else 1.0 / (x.shape[1] * spread) if spread > 0 else 1.0
        machine = SVC(C=self.cost, kernel="rbf", gamma=gamma, tol=1e-6, cache_size=100).fit(x, truth)
        support = np.array(machine.support_vectors_, dtype=np.float64)
        return KernelModel(support, np.array(machine.dual_coef_[0], dtype=np.float64), float(machine.intercept_[0]), gamma)
