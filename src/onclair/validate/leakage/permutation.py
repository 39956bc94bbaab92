"""Labels that mean nothing: what a pipeline reaches on held-out rows when the outcomes were shuffled between patients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from onclair.science.statistics.glm import ridge_logistic
from onclair.science.statistics.ranks import auc as area
from onclair.validate.leakage.plan import Bools, Codes, Floats, LeakageTable

#: ``fit(train features (m, p), train labels (m,), held-out features (k, p)) -> scores (k,)``
Fit = Callable[[pd.DataFrame, Bools, pd.DataFrame], Floats]

#: Rows of each part that a shuffle uses at most, and features that :func:`ridge_scores` keeps.
MOST_ROWS, MOST_FEATURES = 4000, 100


def ridge_scores(train: pd.DataFrame, labels: Bools, held_out: pd.DataFrame) -> Floats:
    """Return the scores of a small honest pipeline: median for gaps, scaling, at most 100 features, ridge logistic.

    All of it is fitted on the training rows; the features kept are those whose means differ most between the classes.

    Parameters
    ----------
    train, held_out : DataFrame, float, shapes (m, p) and (k, p)
    labels : ndarray, bool, shape (m,)

    Returns
    -------
    ndarray, float64, shape (k,)
        Linear predictor; constant when the labels hold one class.

    Examples
    --------
    >>> train = pd.DataFrame({"f": [0.0, 1.0, 2.0, 3.0]})
    >>> scores = ridge_scores(train, np.array([False, False, True, True]), pd.DataFrame({"f": [0.5, 2.5]}))
    >>> bool(scores[0] < 0 < scores[1])
    True
    """
    values, others = train.to_numpy(dtype=np.float64), held_out.to_numpy(dtype=np.float64)
    known = ~np.isnan(values).all(axis=0)
    values, others = values[:, known], others[:, known]
    middle = np.nanmedian(values, axis=0)
    values, others = (np.where(np.isnan(part), middle, part) for part in (values, others))
    centre, spread = values.mean(axis=0), values.std(axis=0)
    spread[spread == 0] = 1.0
    values, others = (values - centre) / spread, (others - centre) / spread
    if labels.all() or not labels.any():
        return np.zeros(len(others))
    apart = np.abs(values[labels].mean(axis=0) - values[~labels].mean(axis=0))
    kept = np.sort(np.argsort(-apart, kind="stable")[:MOST_FEATURES])
    fitted = ridge_logistic(values[:, kept], labels.astype(np.float64), max(1.0, kept.size / 10))
    return np.asarray(others[:, kept] @ fitted.coefficients[1:]) if fitted.ok else np.zeros(len(others))


def permuted_auc(table: LeakageTable, fit: Fit, *, replicates: int = 20, seed: int = 1) -> Floats:
    """Return the AUC on held-out rows after training on shuffled labels, once for each shuffle.

    Labels move between patients where each patient has one, else between rows. At most 4,000 rows of each part are used.

    Parameters
    ----------
    table : LeakageTable
    fit : callable
        The whole pipeline: ``fit(train features, train labels, held-out features) -> scores``.
    replicates : int
    seed : int
        Shuffle `i` depends on `seed` and `i` alone.

    Returns
    -------
    ndarray, float64, shape (replicates,)
        NaN where a shuffle left one class among the held-out rows.

    References
    ----------
    Ojala & Garriga 2010, Journal of Machine Learning Research 11:1833.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    rows = np.sort(np.concatenate([_some(np.flatnonzero(part), rng) for part in (table.pool, ~table.pool)]))
    truth, owner, pool = table.truth[rows], table.owner[rows], table.pool[rows]
    totals, counts = np.bincount(owner, weights=truth), np.bincount(owner)
    whole = bool(((totals == 0) | (totals == counts)).all())
    who = np.unique(owner, return_inverse=True)[1] if whole else np.arange(rows.size)
    own = np.zeros(int(who.max()) + 1, dtype=bool)
    own[who] = truth
    features = table.features.iloc[rows]
    found = np.empty(replicates)
    for i in range(replicates):
        labels = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, i))).permutation(own)[who]
        found[i] = float(area(labels[~pool], fit(features[pool], labels[pool], features[~pool])))
    return found


def _some(rows: Codes, rng: np.random.Generator) -> Codes:
    return rows if rows.size <= MOST_ROWS else np.asarray(rng.choice(rows, MOST_ROWS, replace=False))
