"""Do similar cases turn out alike? What showing them is worth, beside showing any."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.spatial.distance import cdist

from onclair.core.errors import BadSetting
from onclair.core.estimate import Estimate, not_available
from onclair.explain.similar import Reference

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

#: Fewer labelled patients than this give no figure.
FEWEST = 10
LEVEL = 0.95


def alike(known: Reference, k: int = 3, who: str = "similar") -> tuple[Estimate, Estimate, Estimate]:
    """Return how often the nearest cases of other patients bear a case's own label, beside any case, and the difference.

    The nearest are taken whatever their distance. Each case is asked about and is a neighbour of others, so the error lets all pairs
    that share a patient go together.

    Parameters
    ----------
    known : Reference
        With labels; cases without one are left out.
    k : int
        Neighbours of each case, each of another patient.
    who : str

    Returns
    -------
    tuple of Estimate
        ``share:WHO:same-label``, ``share:WHO:same-label-by-chance`` (any case of another patient) and their paired difference
        ``share:WHO:same-label-minus-chance``: where its interval reaches 0, similar cases tell nothing of the label. Means over patients.

    Raises
    ------
    BadSetting
        For `k` under 1.

    References
    ----------
    Cover & Hart 1967, doi:10.1109/TIT.1967.1053964; the error: Aronow, Samii & Assenova 2015, arXiv:1312.3398.

    Examples
    --------
    >>> import pandas as pd
    >>> from onclair.explain.similar import reference
    >>> table = pd.DataFrame({"volume": np.r_[0:6, 20:26].astype(float)})
    >>> [round(e.value, 3) for e in alike(reference(table, labels=["benign"] * 6 + ["tumour"] * 6))]
    [1.0, 0.455, 0.545]
    """
    if k < 1:
        raise BadSetting(f"{k} similar cases were asked for; ask for 1 or more.", item="k")
    names = [f"share:{who}:same-label{what}" for what in ("", "-by-chance", "-minus-chance")]
    labels, owners = np.array(known.labels), np.array(known.patients)
    there = labels != ""
    n = np.unique(owners[there]).size
    if n < max(FEWEST, k + 2):
        reason = f"{n} labelled patients are too few to say whether similar cases turn out alike"
        a, b, c = (not_available(name, reason, status="too_few", n=n) for name in names)
        return a, b, c
    if np.unique(labels[there]).size < 2:
        a, b, c = (not_available(name, "all labelled cases bear one label", n=n) for name in names)
        return a, b, c
    who_of = np.unique(owners[there], return_inverse=True)[1]
    same, near = _paired(known.space.placed(known.rows[there]), labels[there], who_of, k)
    of_near, near_terms = _share(same.astype(np.float64), near, who_of)
    of_any, any_terms = _share(_any_case(labels[there], who_of), _others(who_of), who_of)
    a = _estimate(
        names[0], of_near, near_terms, f"share of the {k} nearest cases of other patients that bear a case's own label, mean over patients"
    )
    b = _estimate(names[1], of_any, any_terms, "share of all cases of other patients that bear a case's own label, mean over patients")
    said = "paired difference of the two shares that bear a case's own label, mean over patients"
    return a, b, _estimate(names[2], of_near - of_any, near_terms - any_terms, said, least=-1.0)


def _paired(placed: Floats, labels: npt.NDArray[Any], who: Ints, k: int) -> tuple[Bools, Bools]:
    """Return for each case and patient whether that patient's nearest case bears its label, and whether it is among the k nearest."""
    rows, people = len(placed), int(who.max()) + 1
    away = cdist(placed, placed)
    same, distance = np.zeros((rows, people), dtype=bool), np.empty((rows, people))
    for person in range(people):
        own = np.flatnonzero(who == person)
        at = own[np.argmin(away[:, own], axis=1)]
        same[:, person], distance[:, person] = labels[at] == labels, away[np.arange(rows), at]
    distance[np.arange(rows), who] = np.inf
    near = np.zeros((rows, people), dtype=bool)
    np.put_along_axis(near, np.argsort(distance, axis=1, kind="stable")[:, :k], np.True_, axis=1)
    return same, near


def _any_case(labels: npt.NDArray[Any], who: Ints) -> Floats:
    """Return for each case and patient the share of that patient's cases that bear its label."""
    codes = np.unique(labels, return_inverse=True)[1]
    counts = np.zeros((int(who.max()) + 1, int(codes.max()) + 1))
    np.add.at(counts, (who, codes), 1.0)
    return np.asarray((counts / counts.sum(axis=1, keepdims=True)).T[codes])


def _others(who: Ints) -> Bools:
    return np.asarray(who[:, None] != np.arange(int(who.max()) + 1)[None, :])


def _share(same: Floats, which: Bools, who: Ints) -> tuple[float, Floats]:
    """Return the share of `which` pairs that are alike, and what each pair of patients (people, people) adds to it, to first order."""
    weight = (1.0 / np.bincount(who)[who])[:, None] * which
    total, people = float(weight.sum()), which.shape[1]
    value = float((weight * same).sum()) / total
    terms = np.zeros((people, people))
    np.add.at(terms, who, weight * (same - value) / total)
    return value, terms


def _error(terms: Floats) -> float:
    """Return the standard error of a sum over pairs of patients, of which those that share a patient go together."""
    pairs = terms + terms.T
    alone = float((pairs**2).sum()) / 2  # each pair counts in both its patients, so once too often below
    return float(np.sqrt(max(float((pairs.sum(axis=1) ** 2).sum()) - alone, alone)))


def _estimate(name: str, value: float, terms: Floats, method: str, least: float = 0.0) -> Estimate:
    n, se = len(terms), _error(terms)
    reach = float(special.stdtrit(n - 1, (1 + LEVEL) / 2)) * se
    said = f"{method}; error clustered by both patients of a pair, Aronow et al. 2015; t interval on {n - 1} degrees of freedom"
    return Estimate(name, value, low=max(value - reach, least), high=min(value + reach, 1.0), level=LEVEL, se=se, n=n, method=said)
