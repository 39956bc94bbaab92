"""Empirical Bayes: the location and spread of each batch, drawn towards what the other features say of that batch.

Everything is computed from counts, means and sums of squares of each batch, so that sites may hand over sums in the place of samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from onclair.core.errors import BadCohort
from onclair.learn.harmonise.protocol import Floats, Ints

Prior = Literal["parametric", "nonparametric", "none"]
Adjusts = Literal["mean-and-variance", "mean"]

#: Relative change at which location and spread count as settled; the R implementation's.
SETTLED = 1e-4
#: Rounds after which they are given up; dozens suffice.
MOST_ROUNDS = 10_000
#: Features weighed against all others at a time, so that memory stays small.
BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What is known of each batch: counts, means and sums of squares about the mean, each float64, shape (k, p).

    Examples
    --------
    >>> Moments(np.array([[3.0, 1.0]]), np.array([[2.0, 5.0]]), np.array([[2.0, 0.0]])).variance
    array([[ 1., nan]])
    """

    n: Floats
    mean: Floats
    squares: Floats

    @property
    def variance(self) -> Floats:
        """Sample variance (ddof 1); NaN where a batch has one value."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(self.n > 1, self.squares / (self.n - 1), np.nan))


def moments(z: Floats, codes: Ints, batches: int) -> Moments:
    """Return the moments of each batch and feature.

    Parameters
    ----------
    z : ndarray, float64, shape (n, p)
        NaN is left out, feature by feature.
    codes : ndarray, int64, shape (n,)
        Batch of each sample, from 0; a negative one belongs to none.
    batches : int

    Examples
    --------
    >>> found = moments(np.array([[1.0], [3.0], [np.nan], [5.0]]), np.array([0, 0, 1, 1]), 2)
    >>> found.n.ravel(), found.mean.ravel(), found.squares.ravel()
    (array([2., 1.]), array([2., 5.]), array([2., 0.]))
    """
    member = np.asarray(codes[None, :] == np.arange(batches)[:, None], dtype=np.float64)
    there = np.isfinite(z)
    filled = np.where(there, z, 0.0)
    n = member @ there
    mean = (member @ filled) / np.maximum(n, 1.0)
    away = np.where(there, filled - member.T @ mean, 0.0)
    return Moments(n, mean, member @ away**2)


def shrunken(found: Moments, prior: Prior, adjusts: Adjusts) -> tuple[Floats, Floats]:
    """Return the location to take off and the factor of the variance to divide by, each of shape (k, p).

    Parameters
    ----------
    found : Moments
        Of standardised features that vary in every batch.
    prior : {"parametric", "nonparametric", "none"}
    adjusts : {"mean-and-variance", "mean"}
        With the mean alone the spread is 1 everywhere.

    Raises
    ------
    BadCohort
        When there are fewer than two features to learn a prior from.

    References
    ----------
    Johnson, Li & Rabinovic 2007, doi:10.1093/biostatistics/kxj037.

    Examples
    --------
    Without a prior a batch keeps its own mean and variance:

    >>> location, spread = shrunken(moments(np.array([[1.0], [3.0]]), np.array([0, 0]), 1), "none", "mean-and-variance")
    >>> location.tolist(), spread.tolist()
    ([[2.0]], [[2.0]])
    """
    if prior != "none" and found.mean.shape[1] < 2:
        few = f"{found.mean.shape[1]} feature that can be harmonised"
        raise BadCohort(f"A prior is learnt from the features together and there is {few}; use the prior 'none', or give more features.")
    spread = np.ones_like(found.mean) if adjusts == "mean" else found.variance
    if prior == "none":
        return found.mean.copy(), spread
    rows = [
        _batch(Moments(*(part[i] for part in (found.n, found.mean, found.squares))), spread[i], prior, adjusts) for i in range(len(spread))
    ]
    return np.array([location for location, _ in rows]), np.array([factor for _, factor in rows])


def _batch(found: Moments, spread: Floats, prior: Prior, adjusts: Adjusts) -> tuple[Floats, Floats]:
    """Return location and spread of one batch, each of shape (p,)."""
    if prior == "nonparametric":
        return nonparametric(found, spread)
    if adjusts == "mean":
        pull = float(found.mean.var(ddof=1))
        return np.asarray((pull * found.mean + found.mean.mean()) / (pull + 1.0)), spread
    return parametric(found, spread)


def parametric(found: Moments, spread: Floats) -> tuple[Floats, Floats]:
    """Return the posterior means under a normal prior of the location and an inverse-gamma prior of the spread.

    Parameters
    ----------
    found : Moments
        Of one batch, each of shape (p,).
    spread : ndarray, float64, shape (p,)
        The batch's own variance of each feature.

    Raises
    ------
    BadCohort
        When location and spread do not settle.

    References
    ----------
    Johnson, Li & Rabinovic 2007, section 3.1 and the supplement: priors by the method of moments, then location and spread in turn until
    both change by less than 1e-4 of themselves.

    Examples
    --------
    Features that agree on a batch are left as they are:

    >>> location, spread = parametric(Moments(np.array([5.0, 5.0]), np.array([1.0, 1.0]), np.array([4.0, 4.0])), np.array([1.0, 1.0]))
    >>> location.tolist(), spread.tolist()
    ([1.0, 1.0], [1.0, 1.0])
    """
    centre, pull = float(found.mean.mean()), float(found.mean.var(ddof=1))
    m, s2 = float(spread.mean()), float(spread.var(ddof=1))
    if s2 <= 1e-24 * m**2:  # every feature says the same, so the prior has no width
        weight = pull * found.n
        return np.asarray((weight * found.mean + m * centre) / (weight + m)), np.full_like(spread, m)
    a, b = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
    location, factor = found.mean, spread
    for _ in range(MOST_ROUNDS):
        weight = pull * found.n
        moved = (weight * found.mean + factor * centre) / (weight + factor)
        squares = found.squares + found.n * (found.mean - moved) ** 2
        narrowed = (squares / 2 + b) / (found.n / 2 + a - 1)
        if _change(moved, location) <= SETTLED and _change(narrowed, factor) <= SETTLED:
            return moved, narrowed
        location, factor = moved, narrowed
    raise BadCohort("The empirical Bayes location and spread of a batch do not settle; use the prior 'none'.")


def nonparametric(found: Moments, spread: Floats) -> tuple[Floats, Floats]:
    """Return the posterior means when the prior is what all other features show, weighed by how well they explain this one.

    Parameters
    ----------
    found : Moments
        Of one batch, each of shape (p,).
    spread : ndarray, float64, shape (p,)
        The batch's own variance of each feature; 1 when the mean alone is adjusted.

    References
    ----------
    Johnson, Li & Rabinovic 2007, section 3.2. Likelihoods are summed as logarithms, so that large batches do not vanish.

    Examples
    --------
    With two features each takes the place of the other:

    >>> nonparametric(Moments(np.array([2.0, 2.0]), np.array([0.0, 1.0]), np.array([2.0, 4.0])), np.array([2.0, 4.0]))
    (array([1., 0.]), array([4., 2.]))
    """
    p = found.mean.size
    location, factor = np.empty(p), np.empty(p)
    for start in range(0, p, BLOCK):
        rows = slice(start, min(start + BLOCK, p))
        n, mean, squares = (part[rows, None] for part in (found.n, found.mean, found.squares))
        away = squares + n * (mean - found.mean) ** 2
        log_likelihood = -n / 2 * np.log(2 * np.pi * spread) - away / (2 * spread)
        here = np.arange(rows.start, rows.stop)
        log_likelihood[here - start, here] = -np.inf
        weights = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        location[rows], factor[rows] = weights @ found.mean, weights @ spread
    return location, factor


def _change(new: Floats, old: Floats) -> float:
    size = np.where(old == 0, 1.0, np.abs(old))
    return float((np.abs(new - old) / size).max())
