"""A whole pipeline, from a raw table to a risk: everything in it is learnt from the training rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCase, BadCohort, BadSetting
from onclair.core.names import did_you_mean
from onclair.learn.estimators import Estimator, FittedEstimator, LinearModel
from onclair.learn.nets1d import Columns, SpectralNetwork
from onclair.learn.selection import BEST_FIVE, Selection, select

Floats = npt.NDArray[np.float64]

#: Columns with a larger share of missing values among the training rows are left out.
MOST_MISSING = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """How a raw table becomes a matrix: columns, fill-in values and scales, all from the training rows.

    Attributes
    ----------
    columns : tuple of str
        The p columns kept, in the order of the training table.
    medians : ndarray, float64, shape (p,)
        In the column's own unit; what a missing value is filled with.
    log_scale : ndarray, float64, shape (p,), or None
        With the signed logarithm, x becomes ``sign(x) log(1 + |x| / log_scale)`` before it is scaled.
    centre, scale : ndarray, float64, shape (p,)
        Mean and standard deviation (ddof 0) that standardise the column.
    """

    columns: tuple[str, ...]
    medians: Floats
    log_scale: Floats | None
    centre: Floats
    scale: Floats

    def standardised(self, x: Floats, at: npt.NDArray[np.int64] | slice = slice(None)) -> Floats:
        """Return the columns `at` of raw values `x` (n, len(at)) filled in, transformed and standardised.

        Examples
        --------
        >>> ready = Preparation(("volume",), np.array([30.0]), None, np.array([20.0]), np.array([5.0]))
        >>> ready.standardised(np.array([[10.0], [np.nan]])).tolist()
        [[-2.0], [2.0]]
        """
        filled = np.where(np.isnan(x), self.medians[at], x)
        if self.log_scale is not None:
            filled = _signed_log(filled, self.log_scale[at])
        return np.asarray((filled - self.centre[at]) / self.scale[at])


@dataclass(frozen=True, slots=True, eq=False)
class FittedPipeline:
    """A pipeline after it has seen its training rows.

    Attributes
    ----------
    name : str
    preparation : Preparation
    chosen : ndarray, int64, shape (k,)
        Positions in ``preparation.columns`` of the columns that the estimator sees.
    estimator : FittedEstimator

    Examples
    --------
    >>> ready = Preparation(("volume", "uptake"), np.array([30.0, 4.0]), None, np.array([20.0, 5.0]), np.array([5.0, 2.0]))
    >>> fitted = FittedPipeline("by hand", ready, np.array([0]), LinearModel(np.array([0.5]), 1.0, "logit"))
    >>> fitted.columns, fitted.reference.to_dict(), fitted.linear_predictor(pd.DataFrame({"volume": [30.0]})).tolist()
    (('volume',), {'volume': 30.0}, [2.0])
    """

    name: str
    preparation: Preparation
    chosen: npt.NDArray[np.int64]
    estimator: FittedEstimator

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the estimator sees; a linear model may give some of them no weight."""
        return tuple(self.preparation.columns[j] for j in self.chosen)

    @property
    def coefficients(self) -> pd.Series | None:
        """The coefficient of each column a standard deviation, None where the estimator is not linear."""
        if not isinstance(self.estimator, LinearModel):
            return None
        return pd.Series(self.estimator.coefficients, index=list(self.columns), name="coefficient")

    @property
    def reference(self) -> pd.Series:
        """The training median of each column that the estimator sees, in its own unit."""
        return pd.Series(self.preparation.medians[self.chosen], index=list(self.columns), name="median")

    def risk(self, features: pd.DataFrame) -> Floats:
        """Return the risk of each row, shape (n,), in [0, 1].

        Parameters
        ----------
        features : DataFrame, float columns
            Holds at least the columns that the estimator sees; NaN is filled with the training median.

        Raises
        ------
        BadCase
            When a column is absent, is not a number or holds an infinity; it is named.
        """
        return self.estimator.risk(self.seen(features))

    def linear_predictor(self, features: pd.DataFrame) -> Floats:
        """Return the linear predictor of each row, shape (n,).

        Raises
        ------
        BadCase
            As :meth:`risk`.
        BadSetting
            When the estimator is not linear.
        """
        if not isinstance(self.estimator, LinearModel):
            raise BadSetting(f"The model '{self.name}' is not linear, so it has no linear predictor; use its risk.", item=self.name)
        return self.estimator.linear_predictor(self.seen(features))

    def seen(self, features: pd.DataFrame) -> Floats:
        """Return the standardised matrix (n, k) that the estimator sees; errors as :meth:`risk`."""
        return self.preparation.standardised(numbers(features, self.columns), self.chosen)

    def prepared(self, features: pd.DataFrame) -> Floats:
        """Return every prepared column, seen or not, standardised (n, p); an absent column counts as missing."""
        present = [c for c in self.preparation.columns if c in features.columns]
        table = pd.DataFrame(numbers(features, present), columns=present).reindex(columns=list(self.preparation.columns))
        return self.preparation.standardised(table.to_numpy(dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Impute, transform, select and fit: a Learner.

    Attributes
    ----------
    name : str
    estimator : Estimator
    select : Selection
    transform : {"standardise", "signed_log"}
        ``signed_log`` tames heavy tails before standardising: x becomes
        sign(x) log(1 + abs(x) / s) with s the training median of abs(x).
    impute : {"median"}
    columns : tuple of str or None
        The only columns it may look at; None for all. A trailing ``*`` stands for every column that begins so: ``("spectrum:*",)``.
    without : tuple of str
        Columns, or beginnings of columns with a trailing ``*``, that it may not look at.

    Raises
    ------
    BadSetting
        For an unknown transform or way to impute; for a network on spectra with a selection or the signed logarithm, which would
        take its spectrum apart.

    Examples
    --------
    >>> from onclair.learn.estimators import Logistic
    >>> table = pd.DataFrame({"volume": [1.0, 2.0, 3.0, 4.0], "constant": 1.0})
    >>> fitted = Pipeline("plain", Logistic()).fit(table, np.array([0.0, 0.0, 1.0, 1.0]), np.random.default_rng(0))
    >>> fitted.columns, bool(fitted.risk(table)[3] > 0.5)
    (('volume',), True)
    """

    name: str
    estimator: Estimator
    select: Selection = BEST_FIVE
    transform: Literal["standardise", "signed_log"] = "standardise"
    impute: Literal["median"] = "median"
    columns: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, value, known in (("transform", self.transform, ("standardise", "signed_log")), ("impute", self.impute, ("median",))):
            if value not in known:
                raise BadSetting(f"The model '{self.name}' has {what} = '{value}'; {did_you_mean(value, known)}", item=what)
        if isinstance(self.estimator, SpectralNetwork) and (self.select.kind != "none" or self.transform != "standardise"):
            said = f"The network '{self.name}' sees whole spectra"
            raise BadSetting(f"{said}; give it select=EVERYTHING and transform='standardise'.", item=self.name)

    @property
    def costly(self) -> bool:
        """Whether a fit takes seconds, so that it is not repeated on shuffled outcomes where other candidates are there."""
        return bool(getattr(self.estimator, "costly", False))

    def fit(self, features: pd.DataFrame, truth: Floats, rng: np.random.Generator) -> FittedPipeline:
        """Return the pipeline trained on these rows alone.

        Columns that are constant or more than 30 % missing among them are left out.

        Parameters
        ----------
        features : DataFrame, float columns, shape (n, p)
        truth : ndarray, float64, shape (n,)
            As the estimator takes it.
        rng : numpy Generator

        Raises
        ------
        BadCase
            When a column is absent (or all that a ``*`` stands for), is not a number or holds an infinity.
        BadCohort
            When no column is usable, or as the estimator raises.
        """
        names = _named([str(c) for c in features.columns], self.columns, self.without)
        x = numbers(features, names)
        preparation, filled = _prepare(names, x, signed_log=self.transform == "signed_log")
        truth = np.asarray(truth, dtype=np.float64)
        chosen = select(filled, truth, preparation.columns, self.select)
        fitted = self._placed(preparation, chosen).fit(preparation.standardised(filled[:, chosen], chosen), truth, rng)
        return FittedPipeline(self.name, preparation, chosen, fitted)

    def _placed(self, preparation: Preparation, chosen: npt.NDArray[np.int64]) -> Estimator:
        """Return the estimator; one that takes spectra is told which column is which bin."""
        if not isinstance(self.estimator, SpectralNetwork):
            return self.estimator
        names = tuple(preparation.columns[j] for j in chosen)
        return self.estimator.placed(Columns(names, preparation.centre[chosen], preparation.scale[chosen]))


@dataclass(frozen=True, slots=True)
class FittedPrevalence:
    """The prevalence of the training rows, for everybody.

    Examples
    --------
    >>> FittedPrevalence(0.3).risk(pd.DataFrame(index=["A"])).tolist()
    [0.3]
    """

    prevalence: float

    def risk(self, features: pd.DataFrame) -> Floats:
        """Return the same risk for each row, shape (n,)."""
        return np.full(len(features), self.prevalence)


@dataclass(frozen=True, slots=True)
class Prevalence:
    """The dullest learner: every patient has the risk that was common among the training rows.

    Examples
    --------
    >>> four, two = pd.DataFrame(index=range(4)), pd.DataFrame(index=range(2))
    >>> Prevalence().fit(four, np.array([0.0, 0, 0, 1]), np.random.default_rng(0)).risk(two)
    array([0.25, 0.25])
    """

    name: str = "prevalence"

    def fit(self, features: pd.DataFrame, truth: Floats, rng: np.random.Generator) -> FittedPrevalence:
        """Return the prevalence of `truth` (n,) of 0 and 1; `features` and `rng` are not looked at."""
        del features, rng
        return FittedPrevalence(float(np.mean(truth)))


@dataclass(frozen=True, slots=True)
class OrPrevalence:
    """A rival whose columns may be the same in all training rows, an eye that sees no red for instance: it then knows the prevalence.

    Examples
    --------
    >>> seen = pd.DataFrame({"visible": [0.0, 0.0, 0.0, 0.0]})
    >>> from onclair.learn.estimators import Logistic
    >>> rival = OrPrevalence(Pipeline("visible", Logistic(), Selection("none"), columns=("visible",)))
    >>> rival.name, rival.fit(seen, np.array([0.0, 0, 0, 1]), np.random.default_rng(0)).risk(seen)[:1]
    ('visible', array([0.25]))
    """

    learner: Pipeline

    @property
    def name(self) -> str:
        """That of the learner."""
        return self.learner.name

    def fit(self, features: pd.DataFrame, truth: Floats, rng: np.random.Generator) -> FittedPipeline | FittedPrevalence:
        """Return the learner trained on these rows, or their prevalence where no column varies among them; errors as the learner's."""
        x = numbers(features, self.learner.columns or [str(c) for c in features.columns])
        varies = [len(np.unique(column[np.isfinite(column)])) > 1 for column in x.T]
        return self.learner.fit(features, truth, rng) if any(varies) else Prevalence().fit(features, truth, rng)


def numbers(features: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Return `columns` of a table as float64 (n, len(columns)); NaN stays.

    Raises
    ------
    BadCase
        When one is absent, holds text or an infinity; it is named, and the first row where that applies.

    Examples
    --------
    >>> numbers(pd.DataFrame({"a": [1, 2], "b": [3.0, None]}), ["b"]).tolist()
    [[3.0], [nan]]
    """
    for column in columns:
        if column not in features.columns:
            near = did_you_mean(column, map(str, features.columns))
            raise BadCase(f"The feature '{column}' is absent from the table; {near}", item=column)
    table = features[list(columns)]
    try:
        x = table.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        text = next(c for c in columns if pd.to_numeric(features[c], errors="coerce").isna().sum() > features[c].isna().sum())
        raise BadCase(f"The feature '{text}' holds text; every feature is a number, or empty where it is missing.", item=text) from None
    if np.isinf(x).any():
        row, j = (int(i) for i in np.argwhere(np.isinf(x))[0])
        where = f"row {features.index[row]}"
        raise BadCase(f"The feature '{columns[j]}' is infinite in {where}; leave it empty where it is not defined.", item=columns[j])
    return x


def _named(present: list[str], columns: tuple[str, ...] | None, without: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that a pipeline may look at, a trailing ``*`` standing for all that begin so.

    Examples
    --------
    >>> _named(["af", "spectrum:405:500", "spectrum:405:502"], ("spectrum:*",), ())
    ('spectrum:405:500', 'spectrum:405:502')
    >>> _named(["af", "spectrum:405:500"], None, ("spectrum:*",))
    ('af',)
    """
    wanted = tuple(present) if columns is None else tuple(dict.fromkeys(name for c in columns for name in _meant(c, present)))
    if not wanted:
        asked = ", ".join(columns or ())
        raise BadCase(f"The table has no column that '{asked}' stands for; describe the cases with them, or name others.", item=asked)
    left_out = {name for c in without for name in _meant(c, present)}
    return tuple(name for name in wanted if name not in left_out)


def _meant(column: str, present: list[str]) -> tuple[str, ...]:
    if not column.endswith("*"):
        return (column,)
    return tuple(name for name in present if name.startswith(column[:-1]))


def _prepare(names: tuple[str, ...], x: Floats, *, signed_log: bool) -> tuple[Preparation, Floats]:
    """Return what was learnt of the columns worth keeping, and their values filled in."""
    missing = np.isnan(x)
    usable = missing.mean(axis=0) <= MOST_MISSING if len(x) else np.zeros(len(names), dtype=bool)
    x, missing = x[:, usable], missing[:, usable]
    medians = np.median(x, axis=0) if x.size else np.zeros(x.shape[1])
    for j in np.flatnonzero(missing.any(axis=0)):
        medians[j] = np.median(x[~missing[:, j], j])
    filled = np.where(missing, medians, x)
    log_scale = _log_scale(filled) if signed_log else None
    moved = filled if log_scale is None else _signed_log(filled, log_scale)
    centre, scale = moved.mean(axis=0), moved.std(axis=0)
    varies = scale > 1e-10 * np.maximum(np.abs(centre), 1e-290)
    if not varies.any():
        found = f"among {len(x)} training rows each is constant or more than 30 % missing"
        raise BadCohort(f"None of the {len(names)} features can be used: {found}; describe the cases again or gather more.")
    kept = tuple(name for name, ok in zip(np.array(names, dtype=object)[usable], varies, strict=True) if ok)
    logs = None if log_scale is None else log_scale[varies]
    return Preparation(kept, medians[varies], logs, centre[varies], scale[varies]), filled[:, varies]


def _log_scale(filled: Floats) -> Floats:
    middle = np.median(np.abs(filled), axis=0)
    return np.asarray(np.where(middle > 0, middle, 1.0))


def _signed_log(x: Floats, scale: Floats) -> Floats:
    return np.asarray(np.sign(x) * np.log1p(np.abs(x) / scale))
