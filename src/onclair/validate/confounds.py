"""Could something dull be fooling us? Nuisances, shuffled labels, shuffled signal, too few events."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.science.statistics.correlation import spearman
from onclair.science.statistics.ranks import placements
from onclair.validate.discrimination import auc, auc_difference
from onclair.validate.intervals import cautioned, few_patients
from onclair.validate.rows import Floats, judged_rows

#: Fewer events, or fewer non-events, than this are too few for a validation claim (Vergouwe 2005; Collins 2016).
ENOUGH_EVENTS = 100

Fit = Callable[[npt.NDArray[np.int64]], float]


def nuisance_correlation(
    name: str,
    scores: npt.ArrayLike,
    nuisance: npt.ArrayLike,
    *,
    given: npt.ArrayLike | None = None,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return Spearman's correlation of a score with a nuisance such as the volume of the outline.

    Parameters
    ----------
    name : str
        For example ``"spearman:model:volume"``.
    scores : array_like, shape (n,) or (repeats, n)
        With repeats, their mean for each row.
    nuisance : array_like, shape (n,)
    given : array_like, shape (n,) or (n, k), optional
        Columns whose ranks are taken off both sides first (partial correlation).
    patients : array_like, shape (n,), optional
        Where rows repeat, the interval leaves out patients in turn.

    Returns
    -------
    Estimate
        ``not_available`` when one side is constant.

    Raises
    ------
    BadInput
        For lengths that differ or NaN.

    References
    ----------
    Welch et al. 2019, doi:10.1016/j.radonc.2018.10.027 (a radiomic score that is a measure of volume); the interval:
    Bonett & Wright 2000, doi:10.1007/BF02294183.

    Examples
    --------
    >>> nuisance_correlation("spearman:model:volume", [0.1, 0.2, 0.4, 0.3], [5, 9, 12, 10]).value
    1.0
    """
    lines = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    found = spearman(lines.mean(axis=0), nuisance, given=given, clusters=patients, level=level)
    n = found.n if patients is None else int(np.unique(np.asarray(patients)).size)
    if np.isnan(found.value):
        return not_available(name, "the score or the nuisance does not vary (beyond the controls), so it has no rank correlation", n=n)
    said = found.method + (f"; mean score of {len(lines)} repeats" if len(lines) > 1 else "")
    known = Estimate(name, found.value, level=level, n=n, method=said)
    if np.isfinite(found.se_z):
        known = replace(known, low=found.low, high=found.high, se=found.se_z * (1 - found.value**2))
    else:
        full = "the two rank these rows wholly alike or wholly opposed, so the correlation has no interval"
        known = replace(known, reason=full if abs(found.value) > 1 - 1e-12 else f"{n} patients are too few for an interval")
    return cautioned(known, few_patients(n, found.n))


def nuisance_alone(
    who: str, nuisance: str, truth: npt.ArrayLike, scores: npt.ArrayLike, values: npt.ArrayLike, *, patients: npt.ArrayLike | None = None
) -> list[Estimate]:
    """Return how well a nuisance predicts the outcome alone, and what the model adds to it, on the same rows.

    The nuisance is turned to the side on which it does better: its sign is free, as a rival's would be.

    Parameters
    ----------
    who, nuisance : str
        The model, and for example ``"volume"``: ``auc:rival:volume`` and ``auc:WHO-minus-volume``.
    truth : array_like, shape (n,), 0 or 1
    scores : array_like, shape (n,) or (repeats, n)
    values : array_like, shape (n,)
        Of the nuisance.
    patients : array_like, shape (n,), optional

    Raises
    ------
    BadInput
        As :func:`onclair.validate.discrimination.auc`.

    Examples
    --------
    >>> alone, apart = nuisance_alone("model", "volume", [0, 0, 1, 1], [1, 2, 3, 4], [8, 5, 6, 2])
    >>> alone.name, alone.value, apart.name, apart.value
    ('auc:rival:volume', 0.75, 'auc:model-minus-volume', 0.25)
    """
    column = np.asarray(values, dtype=np.float64)
    found = auc(f"auc:rival:{nuisance}", truth, column, patients=patients)
    if found.value is not None and found.value < 0.5:
        column = -column
        found = auc(f"auc:rival:{nuisance}", truth, column, patients=patients)
    return [found, auc_difference(f"auc:{who}-minus-{nuisance}", truth, scores, column, patients=patients)]


def auc_given(
    name: str,
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    nuisance: npt.ArrayLike,
    *,
    patients: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the AUC among rows of like nuisance: positives against negatives of the same fifth of it.

    The mean over positives of their placement among the negatives of their stratum. Strata are the fifths of the nuisance (its own
    values where it takes five or fewer), which leave about a tenth of its bias; positives without a negative in theirs are left out.

    Parameters
    ----------
    name : str
        For example ``"auc:model:given-volume"``.
    truth : array_like, shape (n,), 0 or 1
    scores, nuisance : array_like, shape (n,)
    patients : array_like, shape (n,), optional
    level : float

    Returns
    -------
    Estimate
        ``not_available`` when no stratum holds both classes.

    Raises
    ------
    BadInput
        For shapes that differ or NaN.

    References
    ----------
    Janes & Pepe 2009, doi:10.1093/biomet/asp002, eq. 2; five strata: Cochran 1968, doi:10.2307/2528036.

    Examples
    --------
    A score that is the nuisance ranks rightly between strata and no better than chance within:

    >>> volume = [1, 1, 1, 1, 2, 2, 2, 2]
    >>> auc_given("auc:model:given-volume", [0, 0, 0, 1, 1, 1, 1, 0], volume, volume).value
    0.5
    """
    rows = judged_rows(
        truth, np.stack([np.asarray(scores, dtype=np.float64), np.asarray(nuisance, dtype=np.float64)]), patients, level=level
    )
    score, strata = rows.scores[0], _fifths(rows.scores[1])
    placed, share = np.full(score.size, np.nan), np.zeros(score.size)
    for stratum in np.unique(strata):
        here = strata == stratum
        if 0 < rows.truth[here].sum() < here.sum():
            above, below = placements(rows.truth[here], score[here])
            placed[here & rows.truth], placed[here & ~rows.truth] = above, below
            share[here] = rows.truth[here].sum() / (~rows.truth[here]).sum()
    used = np.isfinite(placed)
    if not used.any():
        return rows.missing(name, "no fifth of the nuisance holds both classes")
    positive, negative = used & rows.truth, used & ~rows.truth
    m = int(positive.sum())
    value = float(placed[positive].mean())
    influence = np.zeros(score.size)
    influence[positive] = (placed[positive] - value) / m
    for stratum in np.unique(strata[negative]):
        here = negative & (strata == stratum)
        influence[here] = share[here] * (placed[here] - placed[here].mean()) / m
    left, se = int(rows.truth.sum()) - m, rows.error(influence)
    method = f"AUC within fifths of the nuisance, Janes & Pepe 2009{f'; {left} positives without a negative left out' if left else ''}"
    if not 0 < value < 1 or se == 0:
        return rows.bare(name, value, method, "no spread to form an interval from")
    return rows.estimate(name, value, se / (value * (1 - value)), method + "; Wald interval on the logit scale", scale="logit")


def permutation_test(name: str, observed: float, null: npt.ArrayLike) -> Estimate:
    """Return the share of shuffles that reach the observed AUC, ``(1 + count) / (1 + shuffles)``.

    Parameters
    ----------
    name : str
        For example ``"p_permutation:model"``.
    observed : float
        AUC on the true labels, from the very pipeline that made `null`.
    null : array_like, shape (replicates,)
        From :func:`shuffled_aucs`; NaN is left out.

    Returns
    -------
    Estimate
        A p-value; the least that can be had is 1 / (1 + shuffles).

    References
    ----------
    Phipson & Smyth 2010, doi:10.2202/1544-6115.1585.

    Examples
    --------
    >>> permutation_test("p_permutation:model", 0.8, [0.5] * 19).value
    0.05
    """
    good = np.asarray(null, dtype=np.float64)
    good = good[np.isfinite(good)]
    if good.size == 0 or not np.isfinite(observed):
        return not_available(name, "no shuffle could be fitted" if np.isfinite(observed) else "the AUC on the true labels is not available")
    value = (1 + int((good >= observed).sum())) / (1 + good.size)
    return Estimate(name, value, method=f"one-sided permutation test, {good.size} shuffles; Phipson & Smyth 2010")


def shuffled_aucs(
    truth: npt.ArrayLike,
    fit: Fit,
    replicates: int,
    *,
    seed: int,
    patients: npt.ArrayLike | None = None,
    map: Callable[..., Iterable[float]] = map,  # noqa: A002
) -> Floats:
    """Return the AUC that `fit` reaches on labels that mean nothing, once for each shuffle.

    Labels are exchanged between patients when the outcome belongs to the patient (all of a patient's rows agree), else
    between rows.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
    fit : callable
        The whole pipeline (harmonise, select, tune, fit, judge on held-out rows): takes shuffled labels, int64 (n,), and
        returns the AUC against those labels. Picklable for a `map` over processes.
    replicates : int
    seed : int
        Shuffle `i` depends on `seed` and `i` alone, so the result is the same on 1 or many workers.
    patients : array_like, shape (n,), optional
    map : callable
        One unit a shuffle.

    Returns
    -------
    ndarray, float64, shape (replicates,)

    Raises
    ------
    BadInput
        When patients are not named for every row.

    References
    ----------
    Ojala & Garriga 2010, Journal of Machine Learning Research 11:1833.

    Examples
    --------
    >>> shuffled_aucs([0, 1, 1], lambda labels: float(labels.mean() > 0.5), 3, seed=1)
    array([1., 1., 1.])
    """
    labels = np.asarray(truth).astype(np.int64)
    owner = np.arange(labels.size) if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1]
    if owner.shape != labels.shape:
        raise BadInput(f"{owner.size} patients were named for {labels.size} rows; name the patient of each row.")
    totals, rows = np.bincount(owner, weights=labels), np.bincount(owner)
    whole = bool(((totals == 0) | (totals == rows)).all())
    own = (totals > 0).astype(np.int64) if whole else labels
    work = functools.partial(_shuffled, own, owner if whole else np.arange(labels.size), fit, seed)
    return np.fromiter(map(work, range(replicates)), dtype=np.float64, count=replicates)


def null_auc(name: str, aucs: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return the mean of AUCs reached on shuffled labels, with the percentile interval of the shuffles.

    An honest pipeline's interval holds 0.5; a mean above it is a leak.

    Parameters
    ----------
    name : str
        For example ``"auc:model:shuffled-labels"``.
    aucs : array_like, shape (replicates,)
        From :func:`shuffled_aucs`; NaN (a shuffle that could not be fitted) is left out and counted.

    Returns
    -------
    Estimate
        The interval is of single shuffles, so `se` is their standard deviation. ``too_few`` with fewer than 20.

    Examples
    --------
    >>> estimate = null_auc("auc:model:shuffled-labels", np.linspace(0.4, 0.6, 41))
    >>> estimate.text()
    '0.50 (0.41 to 0.59)'
    """
    every = np.asarray(aucs, dtype=np.float64)
    good = every[np.isfinite(every)]
    if good.size < 2:
        return not_available(name, f"{good.size} of {every.size} shuffles could be fitted; at least 2 are needed")
    low, high = np.quantile(good, [(1 - level) / 2, (1 + level) / 2])
    method = f"mean and percentile interval of {good.size} fits on shuffled labels"
    method += f"; {every.size - good.size} could not be fitted" if good.size < every.size else ""
    reason = f"{good.size} shuffles are too few for the ends of an interval; 20 or more are needed" if good.size < 20 else None
    return Estimate(
        name,
        float(good.mean()),
        low=float(low),
        high=float(high),
        level=level,
        se=float(good.std(ddof=1)),
        method=method,
        status="too_few" if reason else "ok",
        reason=reason,
    )


def negative_control(
    who: str,
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    control: npt.ArrayLike,
    *,
    patients: npt.ArrayLike | None = None,
    what: str = "shuffled-voxels",
) -> list[Estimate]:
    """Return how well the model does on a signal that was destroyed, and what the true signal adds.

    Parameters
    ----------
    who : str
        The model.
    truth : array_like, shape (n,), 0 or 1
    scores, control : array_like, shape (n,) or (repeats, n)
        Of the true signal, and of the same pipeline run on the destroyed one.
    patients : array_like, shape (n,), optional
    what : str
        Names the control: ``auc:WHO:WHAT`` and ``auc:WHO-minus-WHAT``.

    Returns
    -------
    list of Estimate
        Two. Where the control does as well as the model, the model does not read what was destroyed.

    Raises
    ------
    BadInput
        As :func:`onclair.validate.discrimination.auc`.

    Examples
    --------
    >>> [e.name for e in negative_control("model", [0, 1, 0, 1], [1, 2, 3, 4], [1, 3, 2, 4])]
    ['auc:model:shuffled-voxels', 'auc:model-minus-shuffled-voxels']
    """
    return [
        auc(f"auc:{who}:{what}", truth, control, patients=patients),
        auc_difference(f"auc:{who}-minus-{what}", truth, scores, control, patients=patients),
    ]


def too_few_events(events: int, non_events: int) -> str | None:
    """Return the warning that a validation claim needs more events, or None when there are 100 of each.

    References
    ----------
    Vergouwe et al. 2005, doi:10.1016/j.jclinepi.2004.06.017; Collins et al. 2016, doi:10.1002/sim.6787.

    Examples
    --------
    >>> too_few_events(19, 32)
    '19 events and 32 non-events are too few for a validation claim; at least 100 of each are needed.'
    >>> too_few_events(100, 250) is None
    True
    """
    if min(events, non_events) >= ENOUGH_EVENTS:
        return None
    return f"{events} events and {non_events} non-events are too few for a validation claim; at least {ENOUGH_EVENTS} of each are needed."


def _shuffled(own: npt.NDArray[np.int64], owner: npt.NDArray[np.int64], fit: Fit, seed: int, replicate: int) -> float:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate,)))
    return float(fit(rng.permutation(own)[owner]))


def _fifths(nuisance: Floats) -> npt.NDArray[np.int64]:
    """Return each row's stratum: the values themselves where there are at most five, else fifths."""
    values, codes = np.unique(nuisance, return_inverse=True)
    if values.size <= 5:
        return np.asarray(codes, dtype=np.int64)
    return np.searchsorted(np.quantile(nuisance, [0.2, 0.4, 0.6, 0.8]), nuisance, side="left").astype(np.int64)
