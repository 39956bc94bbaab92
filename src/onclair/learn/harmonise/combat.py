"""ComBat: batch effects of location and spread by least squares, drawn together over the features by empirical Bayes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from onclair.core.errors import BadCohort, BadSetting
from onclair.core.names import did_you_mean
from onclair.learn.harmonise.location_scale import LocationScale
from onclair.learn.harmonise.protocol import Batch, Floats
from onclair.learn.harmonise.samples import Batches, aligned, batches_of, coding_of, design_of, refuse_few, refuse_reference
from onclair.learn.harmonise.shrink import Adjusts, Moments, Prior, moments, shrunken
from onclair.learn.pipeline import numbers

#: A residual below this share of a feature's size is rounding, not spread.
ROUNDING = 1e-13


@dataclass(frozen=True, slots=True)
class ComBat:
    """Settings of ComBat; with a reference batch it is M-ComBat.

    Attributes
    ----------
    prior : {"parametric", "nonparametric", "none"}
        How a batch's location and spread are drawn together over the features; ``none`` takes each feature by itself.
    adjusts : {"mean-and-variance", "mean"}
        The mean alone allows a batch of one sample.
    reference : str or None
        The batch that all others are brought to; its samples come back untouched.

    Raises
    ------
    BadSetting
        For an unknown prior or adjustment.

    References
    ----------
    Johnson, Li & Rabinovic 2007, doi:10.1093/biostatistics/kxj037; Fortin et al. 2018, doi:10.1016/j.neuroimage.2017.11.024, whose R
    implementation it reproduces; reference batch: Stein et al. 2015, doi:10.1186/s12859-015-0478-3.

    Examples
    --------
    Two batches, one 10 above the other: afterwards both lie about their common mean.

    >>> table = pd.DataFrame({"f": [1.0, 3.0, 11.0, 13.0]})
    >>> fitted = ComBat(prior="none").fit(table, pd.Series(list("xxyy"), name="scanner"))
    >>> fitted.transform(table, pd.Series(list("xxyy")))["f"].round(6).tolist()
    [6.292893, 7.707107, 6.292893, 7.707107]
    """

    prior: Prior = "parametric"
    adjusts: Adjusts = "mean-and-variance"
    reference: str | None = None

    def __post_init__(self) -> None:
        known = {"prior": ("parametric", "nonparametric", "none"), "adjusts": ("mean-and-variance", "mean")}
        for name, choices in known.items():
            value = getattr(self, name)
            if value not in choices:
                raise BadSetting(f"ComBat has {name} = '{value}'; {did_you_mean(str(value), choices)}", item=name)

    def fit(self, features: pd.DataFrame, batch: Batch, covariates: pd.DataFrame | None = None) -> LocationScale:
        """Return ComBat learnt from these samples alone.

        Parameters
        ----------
        features : DataFrame, float columns, shape (n, p)
            A missing value is left out of its own feature only, and stays missing. A feature that is constant, or constant or nearly
            absent in a batch, is not harmonised and is named in ``untouched``.
        batch : Series or one-column DataFrame of the same rows
        covariates : DataFrame of the same rows, optional
            Numbers as they are, text as categories: what is to be kept while the batch is taken off. Never the outcome.

        Returns
        -------
        LocationScale

        Raises
        ------
        BadCohort
            For one batch only, a batch of one sample (unless the mean alone is adjusted), rows that differ, a sample without batch,
            a covariate that the batch decides, fewer samples than columns, or no feature that can be harmonised.
        BadCase
            For a feature that is no number or infinite, or a covariate that is missing.
        BadSetting
            For a reference that is no batch.
        """
        columns = tuple(str(c) for c in features.columns)
        x, given = numbers(features, tuple(features.columns)), batches_of(features.index, batch)
        refuse_few(given, 1 if self.adjusts == "mean" else 2)
        aligned(covariates, features.index)
        reference = None if self.reference is None else refuse_reference(self.reference, given)
        coding = coding_of(covariates)
        design = design_of(given, coding, covariates, reference)
        untouched = unfit(x, columns, given, self.adjusts)
        parts = _standardised(x, design, given, reference)
        untouched = {**untouched, **{c: parts.reasons[j] for j, c in enumerate(columns) if j in parts.reasons and c not in untouched}}
        touched = np.array([c not in untouched for c in columns], dtype=bool)
        location, spread = self._effects(moments(parts.z, given.codes, len(given.names)), touched, reference)
        fixed = np.where(touched, 1.0, 0.0)
        return LocationScale(
            "combat",
            given.variable,
            given.names,
            given.sizes,
            columns,
            parts.centre * fixed,
            parts.grand * fixed,
            np.where(touched, parts.scale, 1.0),
            parts.coefficients * fixed,
            location,
            spread,
            coding,
            self.prior,
            self.adjusts,
            self.reference,
            untouched,
        )

    def _effects(self, found: Moments, touched: npt.NDArray[np.bool_], reference: int | None) -> tuple[Floats, Floats]:
        """Return location and spread, shape (k, p); 0 and 1 for features that are left and for the reference."""
        if not touched.any():
            raise BadCohort(f"None of the {touched.size} features can be harmonised: each is constant, or constant or absent in a batch.")
        usable = Moments(*(part[:, touched] for part in (found.n, found.mean, found.squares)))
        if reference is not None:
            usable = Moments(usable.n, usable.mean - usable.mean[reference], usable.squares)
        location, spread = np.zeros(found.mean.shape), np.ones(found.mean.shape)
        location[:, touched], spread[:, touched] = shrunken(usable, self.prior, self.adjusts)
        if reference is not None:
            location[reference], spread[reference] = 0.0, 1.0
        return location, spread


@dataclass(frozen=True, slots=True, eq=False)
class _Standard:
    """Features on one scale: what was taken off, what they were divided by, and why some could not be."""

    z: Floats
    centre: Floats
    grand: Floats
    coefficients: Floats
    scale: Floats
    reasons: dict[int, str]


def unfit(x: Floats, columns: tuple[str, ...], given: Batches, adjusts: Adjusts) -> dict[str, str]:
    """Return the features that cannot be harmonised and why: constant, or constant or nearly absent in a batch.

    Parameters
    ----------
    x : ndarray, float64, shape (n, p)
    columns : tuple of str
    given : Batches
    adjusts : {"mean-and-variance", "mean"}
        The mean alone needs one value a batch, and no spread in it.

    Examples
    --------
    >>> two = batches_of(pd.RangeIndex(4), pd.Series(list("xxyy"), name="scanner"))
    >>> unfit(np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 6.0], [3.0, 7.0]]), ("a", "b"), two, "mean-and-variance")
    {'a': "does not vary in batch 'y'", 'b': "does not vary in batch 'x'"}
    """
    fewest = 1 if adjusts == "mean" else 2
    found: dict[str, str] = {}
    for j, column in enumerate(columns):
        values = x[:, j]
        there = np.isfinite(values)
        if np.unique(values[there]).size < 2:
            found[column] = "does not vary" if there.any() else "has no value"
            continue
        for code, name in enumerate(given.names):
            here = values[there & (given.codes == code)]
            if here.size < fewest:
                found[column] = f"has {'no value' if here.size == 0 else 'one value'} in batch '{name}'"
            elif adjusts == "mean-and-variance" and np.ptp(here) == 0:
                found[column] = f"does not vary in batch '{name}'"
            else:
                continue
            break
    return found


def _standardised(x: Floats, design: Floats, given: Batches, reference: int | None) -> _Standard:
    """Standardise by least squares; features with the same gaps are solved together."""
    (n, p), k = x.shape, len(given.names)
    beta, scale, centre = np.zeros((design.shape[1], p)), np.ones(p), np.zeros(p)
    grand = np.zeros(p)
    reasons: dict[int, str] = {}
    z = np.full((n, p), np.nan)
    there = np.isfinite(x)
    patterns, which = np.unique(there, axis=1, return_inverse=True)
    for pattern in range(patterns.shape[1]):
        rows, here = patterns[:, pattern], np.flatnonzero(which.ravel() == pattern)
        part = design[rows]
        if len(part) <= part.shape[1] or np.linalg.matrix_rank(part) < part.shape[1]:
            reasons |= dict.fromkeys(here.tolist(), "has too few values to tell batch and covariates apart")
            continue
        beta[:, here] = np.linalg.lstsq(part, x[np.ix_(rows, here)], rcond=None)[0]
        shares = np.bincount(given.codes[rows], minlength=k) / rows.sum()
        grand[here] = shares @ beta[:k, here] if reference is None else beta[reference, here]
        residual = x[np.ix_(rows, here)] - part @ beta[:, here]
        judged = residual if reference is None else residual[given.codes[rows] == reference]
        scale[here] = np.sqrt((judged**2).mean(axis=0))
        mean = grand[here] + part[:, k:] @ beta[k:, here]
        centre[here] = mean.mean(axis=0)
        z[np.ix_(rows, here)] = x[np.ix_(rows, here)] - mean
    size = np.max(np.abs(np.where(there, x, 0.0)), axis=0)
    flat = scale <= ROUNDING * size
    reasons |= dict.fromkeys(np.flatnonzero(flat).tolist(), "is wholly explained by batch and covariates")
    return _Standard(z / np.where(flat, 1.0, scale), centre, grand, beta[k:], scale, reasons)


#: The plain ComBat: parametric prior, mean and variance, no reference.
PLAIN = ComBat()
