"""Gradient-boosted shallow trees; what is kept of them are plain arrays, read by a few lines of our own.

With the hundreds of rows that studies have, exact splits cost less than histograms, run on one core and give the same trees
everywhere. Arrays instead of a stored scikit-learn object: nothing to add to the list of types that may be built from a file,
no dependence on the library's version, and the answer on one row takes microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadModelFile, BadSetting
from onclair.learn.estimators_checks import positive, seed_of, two_classes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class BoostedModel:
    """Fitted trees: ``logit(risk) = intercept + sum_t value_t(leaf of x in tree t)``.

    Attributes
    ----------
    feature : ndarray, int64, shape (trees, nodes)
        Column that a node asks about; 0 at a leaf.
    threshold : ndarray, float64, shape (trees, nodes)
        A row goes left where its value, in single precision, is at most this.
    left, right : ndarray, int64, shape (trees, nodes)
        Where it goes; a leaf leads to itself.
    value : ndarray, float64, shape (trees, nodes)
        Added to the logit at a leaf, learning rate included; 0 at inner nodes and beyond the last.
    intercept : float
    depth : int
        Questions from root to the deepest leaf.
    columns : int
        How many columns a row has.

    Raises
    ------
    BadModelFile
        When a node asks about a column or leads to a node that there is not, or the arrays' shapes differ.

    Examples
    --------
    One tree with one question, whether the value is at most 0.5:

    >>> step = BoostedModel(
    ...     np.array([[0, 0, 0]]), np.array([[0.5, 0.0, 0.0]]), np.array([[1, 1, 2]]), np.array([[2, 1, 2]]),
    ...     np.array([[0.0, -1.0, 1.0]]), 1.0, 1, 1,
    ... )
    >>> step.logit(np.array([[0.2], [0.9]])).tolist()
    [0.0, 2.0]
    """

    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    value: Floats
    intercept: float
    depth: int
    columns: int

    def __post_init__(self) -> None:
        shape = self.feature.shape
        parts = (self.threshold, self.left, self.right, self.value)
        within = [(self.feature, self.columns), (self.left, shape[-1]), (self.right, shape[-1])]
        if len(shape) != 2 or any(p.shape != shape for p in parts) or any(((a < 0) | (a >= top)).any() for a, top in within):
            raise BadModelFile("The boosted trees lead to nodes or columns that there are not; fetch the model again.", item="trees")

    def logit(self, x: Floats) -> Floats:
        """Return the logit of each row of `x` (n, p), shape (n,)."""
        values, rows = x.astype(np.float32), np.arange(len(x))[:, None]
        trees = np.arange(len(self.feature))
        node = np.zeros((len(x), len(trees)), dtype=np.int64)
        for _ in range(self.depth):
            goes_left = values[rows, self.feature[trees, node]] <= self.threshold[trees, node]
            node = np.where(goes_left, self.left[trees, node], self.right[trees, node])
        return np.asarray(self.intercept + self.value[trees, node].sum(axis=1))

    def risk(self, x: Floats) -> Floats:
        """Return the risk of each row of `x` (n, p), shape (n,)."""
        return np.asarray(special.expit(self.logit(x)))


@dataclass(frozen=True, slots=True)
class Boosting:
    """Gradient boosting of shallow trees on the log-loss, each grown on a share of the rows.

    Attributes
    ----------
    trees, depth, leaf : int
        How many trees, questions from root to leaf, fewest rows in a leaf; at least 1.
    learning_rate : float
        Share of each tree's step that is taken; positive.
    share : float
        Share of the rows that a tree is grown on, drawn without replacement; in (0, 1].

    Raises
    ------
    BadSetting
        For a setting outside its range.

    References
    ----------
    Friedman 2001, doi:10.1214/aos/1013203451, algorithm 5; stochastic: Friedman 2002, doi:10.1016/S0167-9473(01)00065-2.

    Examples
    --------
    >>> x, y = np.repeat([[0.0], [1.0]], 20, axis=0), np.repeat([0.0, 1.0], 20)
    >>> model = Boosting(trees=20).fit(x, y, np.random.default_rng(0))
    >>> (model.risk(np.array([[0.0], [1.0]])) > 0.5).tolist()
    [False, True]
    """

    trees: int = 100
    depth: int = 2
    leaf: int = 5
    learning_rate: float = 0.05
    share: float = 0.7

    def __post_init__(self) -> None:
        for name in ("trees", "depth", "leaf", "learning_rate", "share"):
            positive(name, getattr(self, name))
        if self.share > 1:
            raise BadSetting(f"The setting 'share' of boosting is {self.share:g}; it must be at most 1.", item="share")

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: 0 or 1."""
        return "binary"

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> BoostedModel:
        """Return the trees grown on `x` (n, p) and `truth` (n,) of 0 and 1, seeded by `rng`.

        Raises
        ------
        BadCohort
            When only one class is present.
        """
        two_classes(truth)
        from sklearn.ensemble import GradientBoostingClassifier  # here, as in estimators.py

        grown = GradientBoostingClassifier(
            n_estimators=self.trees,
            learning_rate=self.learning_rate,
            max_depth=self.depth,
            min_samples_leaf=self.leaf,
            subsample=self.share,
            random_state=seed_of(rng),
        ).fit(x, truth)
        trees = [each.tree_ for each in grown.estimators_[:, 0]]
        return _as_arrays(trees, self.learning_rate, float(special.logit(truth.mean())), x.shape[1])


def _as_arrays(trees: list[Any], learning_rate: float, intercept: float, columns: int) -> BoostedModel:
    """Return scikit-learn's trees as one table of nodes a tree, the short ones filled up."""
    shape = (len(trees), max(tree.node_count for tree in trees))
    itself = np.tile(np.arange(shape[1], dtype=np.int64), (shape[0], 1))
    feature, left, right = np.zeros(shape, dtype=np.int64), itself.copy(), itself.copy()
    threshold, value = np.zeros(shape), np.zeros(shape)
    for row, tree in enumerate(trees):
        inner = np.flatnonzero(tree.children_left >= 0)
        leaves = np.flatnonzero(tree.children_left < 0)
        feature[row, inner], threshold[row, inner] = tree.feature[inner], tree.threshold[inner]
        left[row, inner], right[row, inner] = tree.children_left[inner], tree.children_right[inner]
        value[row, leaves] = learning_rate * tree.value[leaves, 0, 0]
    return BoostedModel(feature, threshold, left, right, value, intercept, max(tree.max_depth for tree in trees), columns)
