"""Estimators on a matrix of prepared features: the one typed place where scikit-learn's constructors stand.

Each is a small frozen record of settings with ``fit(x, truth, rng)``; what comes back predicts with ``risk(x)``. Imputing,
scaling and selecting are not done here but in :mod:`onclair.learn.pipeline`, inside the training fold. Support vectors, boosted
trees and the networks on spectra have files of their own; :func:`estimator` knows them all by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadCohort, BadSetting
from onclair.core.names import did_you_mean
from onclair.learn.estimators_boosting import Boosting
from onclair.learn.estimators_checks import positive, seed_of, two_classes
from onclair.learn.estimators_svm import Svm
from onclair.learn.nets1d import SpectralNetwork
from onclair.learn.nets1d_settings import Resnet1d, Transformer
from onclair.science.statistics.cox import FollowUp, cox

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

Floats = npt.NDArray[np.float64]
Link = Literal["logit", "cloglog"]
Penalty = Literal["l2", "l1", "elasticnet"]

_L1_RATIO: Mapping[str, float] = MappingProxyType({"l2": 0.0, "l1": 1.0, "elasticnet": 0.5})


class FittedEstimator(Protocol):
    """An estimator after it has seen its training rows."""

    def risk(self, x: Floats) -> Floats:
        """Return the risk of each row of `x` (n, p), shape (n,), in [0, 1]."""
        ...


class Estimator(Protocol):
    """Settings that can be fitted again and again."""

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes."""
        ...

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> FittedEstimator:
        """Return the estimator trained on these rows alone."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """A fitted linear model: ``link(risk) = intercept + x @ coefficients``.

    Attributes
    ----------
    coefficients : ndarray, float64, shape (p,)
    intercept : float
        For Cox, the log of the baseline's cumulative hazard at `horizon`.
    link : {"logit", "cloglog"}
        ``cloglog`` is Cox's: risk = 1 - exp(-H0(horizon) exp(x @ coefficients)).
    horizon : float or None
        By when the risk holds, in the unit of the follow-up; None for a binary outcome.

    Examples
    --------
    >>> LinearModel(np.array([2.0]), -1.0, "logit").risk(np.array([[0.5]]))
    array([0.5])
    """

    coefficients: Floats
    intercept: float
    link: Link
    horizon: float | None = None

    def linear_predictor(self, x: Floats) -> Floats:
        """Return ``intercept + x @ coefficients``, shape (n,)."""
        return np.asarray(self.intercept + x @ self.coefficients, dtype=np.float64)

    def risk(self, x: Floats) -> Floats:
        """Return the risk of each row of `x` (n, p), shape (n,)."""
        eta = self.linear_predictor(x)
        return np.asarray(special.expit(eta) if self.link == "logit" else -np.expm1(-np.exp(np.minimum(eta, 700.0))))


@dataclass(frozen=True, slots=True, eq=False)
class TreeModel:
    """A fitted forest; its mean vote is kept off 0 and 1 by half a tree, so that the logit of a score exists.

    Attributes
    ----------
    forest : RandomForestClassifier
        Two classes, 0.0 and 1.0.
    """

    forest: RandomForestClassifier

    def risk(self, x: Floats) -> Floats:
        """Return ``(T v + 1/2) / (T + 1)`` for the mean vote v of T trees, shape (n,)."""
        trees = len(self.forest.estimators_)
        vote = np.asarray(self.forest.predict_proba(x), dtype=np.float64)[:, 1]
        return np.asarray((trees * vote + 0.5) / (trees + 1.0))


@dataclass(frozen=True, slots=True)
class Logistic:
    """Penalised logistic regression; the intercept is not penalised.

    Attributes
    ----------
    penalty : float
        Strength, positive; scikit-learn's ``C`` is its inverse. The penalty on standardised coefficients b is
        ``penalty * (l1_ratio * sum|b| + (1 - l1_ratio) / 2 * sum b**2)`` against the sum of the rows' log-losses.
    kind : {"l2", "l1", "elasticnet"}
        ``elasticnet`` has l1_ratio 0.5.

    Raises
    ------
    BadSetting
        For a penalty that is not positive or an unknown kind.

    References
    ----------
    le Cessie & van Houwelingen 1992, doi:10.2307/2347628; Tibshirani 1996, doi:10.1111/j.2517-6161.1996.tb02080.x;
    Zou & Hastie 2005, doi:10.1111/j.1467-9868.2005.00503.x.

    Examples
    --------
    A heavy penalty leaves the intercept alone, log(3 / 1):

    >>> model = Logistic(penalty=1e9).fit(np.array([[-1.0], [0.5], [1.0], [-0.5]]), np.array([0.0, 1, 1, 1]), np.random.default_rng(0))
    >>> round(model.intercept, 4), round(abs(float(model.coefficients[0])), 4)
    (1.0986, 0.0)
    """

    penalty: float = 1.0
    kind: Penalty = "l2"

    def __post_init__(self) -> None:
        positive("penalty", self.penalty)
        if self.kind not in _L1_RATIO:
            raise BadSetting(f"The penalty kind '{self.kind}' is not known; {did_you_mean(self.kind, _L1_RATIO)}", item="kind")

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: 0 or 1."""
        return "binary"

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> LinearModel:
        """Return the model trained on `x` (n, p) and `truth` (n,) of 0 and 1.

        Raises
        ------
        BadCohort
            When only one class is present.
        """
        two_classes(truth)
        from sklearn.linear_model import LogisticRegression  # here: commands that fit nothing start without scikit-learn

        ratio = _L1_RATIO[self.kind]
        solver, tolerance = ("lbfgs", 1e-8) if ratio == 0 else ("saga", 1e-4)
        model = LogisticRegression(
            C=1.0 / self.penalty,
            l1_ratio=ratio,
            solver=solver,
            tol=tolerance,
            max_iter=20_000,
            random_state=seed_of(rng),
        )
        model.fit(x, truth)
        return LinearModel(np.array(model.coef_[0], dtype=np.float64), float(model.intercept_[0]), "logit")


@dataclass(frozen=True, slots=True)
class CoxPH:
    """Cox's proportional hazards with a ridge.

    The truth of a row is its **signed time**: ``+t`` for an event at time t, ``-t`` for one censored at time t (the convention
    of XGBoost's ``survival:cox``), so that one float a row holds both.

    Attributes
    ----------
    penalty : float
        ``penalty / 2 * sum b**2`` taken from the partial log-likelihood; positive.
    horizon : float or None
        By when the risk is given, in the unit of the times; None for the median of the training event times.
    ties : {"efron", "breslow"}

    Raises
    ------
    BadSetting
        For a penalty or horizon that is not positive.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; ridge: Verweij & van Houwelingen 1994, doi:10.1002/sim.4780132307.

    Examples
    --------
    >>> x, signed = np.array([[1.0], [0.0], [1.0], [0.0]]), np.array([1.0, 4.0, 2.0, -5.0])
    >>> model = CoxPH(horizon=3.0).fit(x, signed, np.random.default_rng(0))
    >>> bool(model.coefficients[0] > 0), model.horizon
    (True, 3.0)
    """

    penalty: float = 1.0
    horizon: float | None = None
    ties: Literal["efron", "breslow"] = "efron"

    def __post_init__(self) -> None:
        positive("penalty", self.penalty)
        if self.horizon is not None:
            positive("horizon", self.horizon)

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: signed times."""
        return "survival"

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> LinearModel:
        """Return the model trained on `x` (n, p) and signed times `truth` (n,); `rng` is not used.

        Raises
        ------
        BadCohort
            Without an event, without one by the horizon, or when the fit does not converge.
        """
        del rng
        event = truth > 0
        if not event.any():
            raise BadCohort(f"None of the {len(truth)} training rows has an event, so no hazard can be estimated; gather more events.")
        horizon = float(np.median(truth[event])) if self.horizon is None else self.horizon
        fit = cox(x, FollowUp(np.abs(truth), event), ridge=self.penalty, ties=self.ties)
        if not fit.ok:
            raise BadCohort(f"Cox's model could not be fitted to {len(truth)} rows: {fit.reason}; choose a larger penalty.")
        hazard = float(fit.baseline[0].at(horizon))
        if not hazard > 0:
            first = truth[event].min()
            raise BadCohort(f"No training row has its event by the horizon {horizon:g} (the first is at {first:g}); choose a later one.")
        return LinearModel(fit.coefficients, float(np.log(hazard)), "cloglog", horizon)


@dataclass(frozen=True, slots=True)
class Forest:
    """A random forest of probability trees, grown on one core.

    Attributes
    ----------
    trees : int
        At least 1.
    leaf : int
        Fewest rows in a leaf, at least 1.

    Raises
    ------
    BadSetting
        For fewer than one tree or row.

    References
    ----------
    Breiman 2001, doi:10.1023/A:1010933404324; probability trees: Malley et al. 2012, doi:10.3414/ME00-01-0052.

    Examples
    --------
    Twenty trees agree on rows far from the border, so the vote 1 becomes 20.5 / 21:

    >>> x, y = np.repeat([[0.0], [1.0]], 10, axis=0), np.repeat([0.0, 1.0], 10)
    >>> Forest(trees=20).fit(x, y, np.random.default_rng(0)).risk(np.array([[1.0]])).round(6)
    array([0.97619])
    """

    trees: int = 100
    leaf: int = 3

    def __post_init__(self) -> None:
        positive("trees", self.trees)
        positive("leaf", self.leaf)

    @property
    def outcome(self) -> Literal["binary", "survival"]:
        """Which truth it takes: 0 or 1."""
        return "binary"

    def fit(self, x: Floats, truth: Floats, rng: np.random.Generator) -> TreeModel:
        """Return the forest grown on `x` (n, p) and `truth` (n,) of 0 and 1, seeded by `rng`.

        Raises
        ------
        BadCohort
            When only one class is present.
        """
        two_classes(truth)
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(self.trees, min_samples_leaf=self.leaf, random_state=seed_of(rng), n_jobs=1)
        return TreeModel(forest.fit(x, truth))


def estimator(name: str, **options: Any) -> AnyEstimator:
    """Return the estimator called `name`, with `options` laid over its defaults.

    Raises
    ------
    BadSetting
        For an unknown name or option; the nearest known one is quoted.

    Examples
    --------
    >>> estimator("forest", trees=50)
    Forest(trees=50, leaf=3)
    """
    if name not in ESTIMATORS:
        raise BadSetting(f"There is no estimator '{name}'; {did_you_mean(name, ESTIMATORS)}", item=name)
    known = type(ESTIMATORS[name]).__dataclass_fields__
    for option in options:
        if option not in known:
            raise BadSetting(f"The estimator '{name}' has no setting '{option}'; {did_you_mean(option, known)}", item=option)
    return replace(ESTIMATORS[name], **options)


AnyEstimator: TypeAlias = Logistic | CoxPH | Forest | Svm | Boosting | SpectralNetwork

#: The estimators by the names that settings use, the simplest first; the networks take spectra, the others any columns.
ESTIMATORS: Mapping[str, AnyEstimator] = MappingProxyType(
    {
        "logistic": Logistic(),
        "lasso": Logistic(2.0, "l1"),
        "elasticnet": Logistic(2.0, "elasticnet"),
        "cox": CoxPH(),
        "svm": Svm(),
        "forest": Forest(),
        "boosting": Boosting(),
        "resnet1d": SpectralNetwork(Resnet1d()),
        "transformer": SpectralNetwork(Transformer()),
    }
)
