"""The one bootstrap engine: clusters drawn with replacement, replicates that do not depend on the number of workers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadSetting

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], npt.ArrayLike]
Map = Callable[..., Iterable[Floats]]

#: Replicates in one work unit; it decides how work is shared, never what is drawn.
REPLICATES_A_UNIT = 50


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """What a bootstrap drew.

    Attributes
    ----------
    values : ndarray, shape (replicates, figures)
        NaN where a figure could not be had in a replicate.
    """

    values: Floats

    @property
    def failed(self) -> npt.NDArray[np.int64]:
        """The replicates in which each figure could not be had, of shape (figures,)."""
        return np.asarray(np.isnan(self.values).sum(axis=0), dtype=np.int64)

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the percentile interval of each figure (type 7 quantiles) over the replicates that gave it.

        Examples
        --------
        >>> low, high = Replicates(np.arange(101.0)[:, None]).interval(0.9)
        >>> low, high
        (array([5.]), array([95.]))
        """
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        ends = [np.quantile(c[~np.isnan(c)], tails) if (~np.isnan(c)).any() else np.full(2, np.nan) for c in self.values.T]
        table = np.array(ends).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def standard_error(self) -> Floats:
        """Return the standard deviation (ddof 1) of each figure over the replicates that gave it; NaN for fewer than two.

        Examples
        --------
        >>> Replicates(np.array([[1.0], [3.0], [np.nan]])).standard_error().round(6)
        array([1.414214])
        """
        columns = [c[~np.isnan(c)] for c in self.values.T]
        return np.array([float(np.std(c, ddof=1)) if c.size > 1 else np.nan for c in columns])


def bootstrap(
    statistic: Statistic,
    clusters: npt.ArrayLike,
    replicates: int,
    *,
    seed: int | np.random.SeedSequence,
    map: Map = map,  # noqa: A002
) -> Replicates:
    """Draw clusters with replacement and compute `statistic` under the counts of their rows.

    Parameters
    ----------
    statistic : callable
        Takes row weights of shape (n,), float64, whole numbers (how often the row's cluster was drawn), and returns the
        figures, shape (figures,); NaN for a figure that cannot be had. It must be picklable for a `map` over processes
        and must not draw at random.
    clusters : array_like, shape (n,)
        Rows that share a value are drawn together (the patient of each row); all different for one row a patient.
    replicates : int
        At least 1.
    seed : int or SeedSequence
        Replicate `i` draws from ``SeedSequence(seed).spawn(...)[i]``, so the result is the same on 1 or many workers.
    map : callable
        ``map(function, units)`` giving results in order: the built-in, or a process pool's.

    Returns
    -------
    Replicates

    Raises
    ------
    BadSetting
        For fewer than one replicate or no rows.

    References
    ----------
    Davison & Hinkley 1997, section 3.8, doi:10.1017/CBO9780511802843.

    Examples
    --------
    >>> drawn = bootstrap(lambda w: [w.sum()], ["a", "b", "c"], 4, seed=1)
    >>> drawn.values.ravel()
    array([3., 3., 3., 3.])
    """
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    if replicates < 1 or codes.size == 0:
        raise BadSetting(f"A bootstrap of {replicates} replicates over {codes.size} rows is impossible; ask for 1 or more over 1 or more.")
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    fresh = np.random.SeedSequence(root.entropy, spawn_key=root.spawn_key, pool_size=root.pool_size)
    units = [range(i, min(i + REPLICATES_A_UNIT, replicates)) for i in range(0, replicates, REPLICATES_A_UNIT)]
    work = functools.partial(_unit, statistic, codes, int(codes.max()) + 1, fresh)
    return Replicates(np.concatenate(list(map(work, units))))


def drawn_counts(clusters: int, seed: np.random.SeedSequence) -> npt.NDArray[np.int64]:
    """Return how often each of `clusters` clusters is drawn in one replicate: as many draws as clusters, with replacement.

    Examples
    --------
    >>> int(drawn_counts(5, np.random.SeedSequence(3)).sum())
    5
    """
    drawn = np.random.default_rng(seed).integers(0, clusters, size=clusters)
    return np.bincount(drawn, minlength=clusters)


def _unit(statistic: Statistic, codes: npt.NDArray[np.int64], clusters: int, root: np.random.SeedSequence, which: range) -> Floats:
    rows = []
    for i in which:
        child = np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, i), pool_size=root.pool_size)
        weights = drawn_counts(clusters, child)[codes].astype(np.float64)
        rows.append(np.atleast_1d(np.asarray(statistic(weights), dtype=np.float64)))
    return np.stack(rows)
