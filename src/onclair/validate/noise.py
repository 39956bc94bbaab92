"""Pure noise, and what careless habits make of it: selecting features outside the folds, splitting rows instead of patients.

An honest pipeline ranks noise with an AUC of one half. The fitting function is an argument: the habit is audited, with any learner.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.ranks import auc as area

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

#: ``fit(train features (m, p), train labels (m,), held-out features (k, p)) -> scores (k,)``
FitArrays = Callable[[Floats, Bools, Floats], Floats]
#: ``select(features (n, p), labels (n,)) -> indices of the features kept``
Select = Callable[[Floats, Bools], Codes]


def by_rows(groups: Codes, rng: np.random.Generator, folds: int = 5) -> Codes:
    """Return a random fold for each row, whoever it belongs to: the careless split.

    Examples
    --------
    >>> np.bincount(by_rows(np.zeros(10, dtype=np.int64), np.random.default_rng(1))).tolist()
    [2, 2, 2, 2, 2]
    """
    return np.asarray(rng.permutation(groups.size) % folds, dtype=np.int64)


def by_patients(groups: Codes, rng: np.random.Generator, folds: int = 5) -> Codes:
    """Return a random fold for each patient, given to all its rows: the honest split.

    Examples
    --------
    >>> fold = by_patients(np.array([0, 0, 1, 1, 2, 2]), np.random.default_rng(1), 3)
    >>> bool((fold[::2] == fold[1::2]).all()), sorted(set(fold.tolist()))
    (True, [0, 1, 2])
    """
    _, code = np.unique(groups, return_inverse=True)
    return np.asarray((rng.permutation(int(code.max()) + 1) % folds)[code], dtype=np.int64)


def largest_correlations(features: Floats, labels: Bools, count: int = 20) -> Codes:
    """Return the `count` features that correlate most with the labels, either way.

    Examples
    --------
    >>> largest_correlations(np.array([[0.0, 5.0], [1.0, 5.2], [2.0, 5.1]]), np.array([False, False, True]), 1).tolist()
    [0]
    """
    y = labels - labels.mean()
    x = features - features.mean(axis=0)
    size = np.sqrt((x**2).sum(axis=0))
    strength = np.abs(y @ x) / np.where(size > 0, size, np.inf)
    return np.asarray(np.argsort(-strength, kind="stable")[:count], dtype=np.int64)


def selection_audit(
    fit: FitArrays, rng: np.random.Generator, *, patients: int = 100, features: int = 1000, select: Select = largest_correlations
) -> tuple[float, float]:
    """Return the cross-validated AUC on pure noise when features are selected outside the folds, and inside.

    Parameters
    ----------
    fit : callable
        ``fit(train features, train labels, held-out features) -> scores``.
    rng : Generator
        Of the noise, the labels (a coin each) and the five folds.
    patients, features : int
        One row a patient.
    select : callable
        ``select(features, labels) -> indices kept``; on all rows (outside) or on the training rows of each fold (inside).

    Returns
    -------
    outside, inside : float
        The first is well above one half, the second is one half but for chance.

    References
    ----------
    Ambroise & McLachlan 2002, doi:10.1073/pnas.102102699.
    """
    values = rng.standard_normal((patients, features))
    labels = _coins(patients, rng)
    fold = by_rows(np.arange(patients), rng)

    def after_selection(train: Floats, truth: Bools, held: Floats) -> Floats:
        kept = select(train, truth)
        return fit(train[:, kept], truth, held[:, kept])

    seen = select(values, labels)
    outside = cross_validated_auc(fit, values[:, seen], labels, fold)
    return outside, cross_validated_auc(after_selection, values, labels, fold)


def splitting_audit(
    fit: FitArrays, rng: np.random.Generator, *, patients: int = 40, rows: int = 15, features: int = 20, within: float = 0.9
) -> tuple[float, float]:
    """Return the cross-validated AUC on pure noise when rows are split, and when patients are.

    Every patient has a point of its own in feature space about which its rows lie, and an outcome that is a coin's throw.

    Parameters
    ----------
    fit : callable
        ``fit(train features, train labels, held-out features) -> scores``; one that can remember (neighbours, trees) shows most.
    rng : Generator
    patients, rows, features : int
        Rows a patient.
    within : float
        Share of a feature's variance that a patient's rows have in common, in [0, 1).

    Returns
    -------
    by_rows, by_patients : float
        The first is near 1, the second is one half but for chance.

    Raises
    ------
    BadInput
        For a share outside [0, 1).

    References
    ----------
    Saeb et al. 2017, doi:10.1093/gigascience/gix019.
    """
    if not 0 <= within < 1:
        raise BadInput(f"The share of variance within patients is {within}; give one from 0 to just under 1.", item="within")
    owner = np.repeat(np.arange(patients), rows)
    point = rng.standard_normal((patients, features))
    values = np.sqrt(within) * point[owner] + np.sqrt(1 - within) * rng.standard_normal((owner.size, features))
    labels = _coins(patients, rng)[owner]
    careless = cross_validated_auc(fit, values, labels, by_rows(owner, rng))
    return careless, cross_validated_auc(fit, values, labels, by_patients(owner, rng))


def cross_validated_auc(fit: FitArrays, features: Floats, labels: Bools, fold: Codes) -> float:
    """Return the mean AUC over held-out folds that hold both classes; NaN when none does.

    The AUC is taken in each fold: scores of different fits are not on one scale, and pooling them would bend the null below one half.

    Examples
    --------
    >>> perfect = lambda train, truth, held: held[:, 0]
    >>> labels = np.array([False, True, False, True])
    >>> cross_validated_auc(perfect, labels[:, None].astype(float), labels, np.array([0, 0, 1, 1]))
    1.0
    """
    found = []
    for part in np.unique(fold):
        held = fold == part
        if 0 < labels[held].sum() < held.sum():
            found.append(float(area(labels[held], fit(features[~held], labels[~held], features[held]))))
    return float(np.mean(found)) if found else float("nan")


def noise_auc(name: str, aucs: npt.ArrayLike) -> Estimate:
    """Return the mean AUC of several noise data sets with the interval of that mean.

    Parameters
    ----------
    name : str
        For example ``"noise_auc:selection-inside"``.
    aucs : array_like, shape (seeds,)

    Examples
    --------
    >>> noise_auc("noise_auc:patients", [0.4, 0.5, 0.6]).text()
    '0.50 (0.39 to 0.61)'
    """
    every = np.asarray(aucs, dtype=np.float64)
    good = every[np.isfinite(every)]
    if good.size < 2:
        return not_available(name, f"{good.size} noise data sets could be judged; at least 2 are needed")
    mean, error = float(good.mean()), float(good.std(ddof=1) / np.sqrt(good.size))
    method = f"mean of {good.size} noise data sets; normal interval of the mean"
    return Estimate(name, mean, low=mean - 1.959964 * error, high=mean + 1.959964 * error, se=error, n=good.size, method=method)


def _coins(count: int, rng: np.random.Generator) -> Bools:
    """Return independent labels: exact halves would make training and held-out shares move against each other, and the null with them."""
    return np.asarray(rng.random(count) < 0.5)
