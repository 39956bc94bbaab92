"""Are the patients still those the model was made for, and are its risks still right? Drift by input, and CUSUM of O - E."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.validate.rows import Floats, judged_risks

Ints = npt.NDArray[np.int64]

#: Values of an input below which drift is shown with a caution and raises no alarm.
FEWEST = 20
#: Values of a sample beyond which MMD is computed on this many of them, drawn at random, to stay in memory.
MOST = 500
#: Different values of a reference up to which each is its own class of PSI; beyond, classes are its tenths.
FEW_VALUES = 10
#: Permutations behind a p-value of MMD.
PERMUTATIONS = 199
#: Why figures of drift have none.
NO_INTERVAL = "no interval: it is judged against what chance alone would give"
#: Share of the time that an input without drift may pass its chance limit.
CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class InputDrift:
    """How far one input has moved from its reference.

    Attributes
    ----------
    input : str
    psi, ks, mmd : Estimate
        Named ``psi:INPUT``, ``ks:INPUT`` and ``mmd:INPUT``.
    psi_limit : float or None
        What PSI stays below, 19 times in 20, when nothing has moved: with few patients it is large by chance alone.
    ks_p, mmd_p : float or None
    alert : bool
        Whether PSI reached the declared limit, beyond what chance explains, in patients enough to tell.
    """

    input: str
    psi: Estimate
    ks: Estimate
    mmd: Estimate
    psi_limit: float | None
    ks_p: float | None
    mmd_p: float | None
    alert: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the drift as plain JSON values."""
        figures = {name: getattr(self, name).as_dict() for name in ("psi", "ks", "mmd")}
        rest = {name: getattr(self, name) for name in ("psi_limit", "ks_p", "mmd_p", "alert")}
        return {"input": self.input, **figures, **rest}


@dataclass(frozen=True, slots=True)
class Cusum:
    """The running sum of observed minus expected events, in the order in which outcomes were entered.

    Attributes
    ----------
    path : tuple of float
        After each outcome; in events.
    limit : float or None
        Declared in advance.
    crossed_at : int or None
        Number of the first outcome, from 1, at which the sum was beyond the limit on either side.
    """

    path: tuple[float, ...]
    limit: float | None = None
    crossed_at: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the sum as plain JSON values."""
        return {"last": self.path[-1] if self.path else None, "limit": self.limit, "crossed_at": self.crossed_at, "path": list(self.path)}


def input_drift(name: str, reference: npt.ArrayLike, current: npt.ArrayLike, *, psi_alert: float, seed: int = 1) -> InputDrift:
    """Return PSI, Kolmogorov-Smirnov and MMD of one input against its reference.

    Parameters
    ----------
    name : str
        Of the input.
    reference, current : array_like, shape (n,) and (m,)
        In the input's own unit.
    psi_alert : float
        The declared limit of PSI.
    seed : int
        Of the permutations.

    Raises
    ------
    BadInput
        For values that are not finite.

    Examples
    --------
    >>> moved = input_drift("age", range(40, 80), range(60, 100), psi_alert=0.25)
    >>> moved.alert, round(moved.ks.value, 6), moved.ks_p < 0.001
    (True, 0.5, True)
    """
    from scipy import stats  # here, because it is slow to import

    old, new = _sample(reference, name), _sample(current, name)
    index = psi(f"psi:{name}", old, new)
    if index.value is None:
        ks, distance = (not_available(f"{figure}:{name}", str(index.reason), n=new.size) for figure in ("ks", "mmd"))
        return InputDrift(name, index, ks, distance, None, None, None, False)
    test = stats.ks_2samp(old, new, method="asymp" if old.size * new.size > 10_000 else "auto")
    distance, p = mmd(f"mmd:{name}", old, new, seed=seed)
    ks = Estimate(
        f"ks:{name}", float(test.statistic), n=new.size, method="largest distance of the two distribution functions (Smirnov 1948)"
    )
    limit = _chance_limit(_classes(old, new)[2], old.size, new.size)
    alert = index.status == "ok" and index.value >= psi_alert and index.value > limit
    return InputDrift(name, index, ks, distance, limit, float(test.pvalue), p, alert)


def psi(name: str, reference: npt.ArrayLike, current: npt.ArrayLike) -> Estimate:
    """Return the population stability index, ``sum (q - p) ln(q / p)`` over the classes of the reference.

    Classes are the tenths of the reference (type 7 quantiles), a value that fills more than one tenth being its own class; or, where it
    has ten values or fewer, these, and what came since below, between and above them. Each class gets half a patient in both samples,
    so that an empty one counts without being infinite.

    Parameters
    ----------
    name : str
        For example ``"psi:age"``.
    reference, current : array_like, shape (n,) and (m,)

    Returns
    -------
    Estimate
        ``not_available`` for an empty sample, ``too_few`` (with its value) below 20 in either.

    References
    ----------
    Siddiqi 2006, Credit Risk Scorecards, chapter 8; its distribution: Yurdakul & Naranjo 2020, Journal of Risk Model Validation 14(4).

    Examples
    --------
    30 of 40 and then 10 of 40 had a 1, so half a patient more in each class of 41: the odds move from 30.5 / 10.5 to its inverse.

    >>> found = psi("psi:smoker", [1] * 30 + [0] * 10, [1] * 10 + [0] * 30)
    >>> round(found.value, 9) == round(2 * (30.5 - 10.5) / 41 * float(np.log(30.5 / 10.5)), 9)
    True

    A scanner that always wrote 0 and now writes 1 has two classes:

    >>> psi("psi:filter", [0] * 30, [1] * 30).value > 7
    True
    """
    old, new = _sample(reference, name), _sample(current, name)
    if not old.size or not new.size:
        empty = "the reference" if not old.size else "what came since"
        return not_available(name, f"{empty} holds no value", n=new.size)
    before, since, classes = _classes(old, new)
    p, q = (_shares(each, classes) for each in (before, since))
    value = float(((q - p) * np.log(q / p)).sum())
    method = f"population stability index, {classes} classes of the reference, half a patient added to each (Siddiqi 2006)"
    if min(old.size, new.size) < FEWEST:
        reason = f"{new.size} values against {old.size}; fewer than {FEWEST} move by chance"
        return Estimate(name, value, n=new.size, method=method, status="too_few", reason=reason)
    return Estimate(name, value, n=new.size, method=method, reason=NO_INTERVAL)


def psi_chance_limit(reference: npt.ArrayLike, size: int) -> float:
    """Return what PSI stays below in 95 of 100 samples of this size when nothing has moved.

    Without drift, PSI is about ``(1/n + 1/m)`` times a chi-squared with classes - 1 degrees of freedom.

    Parameters
    ----------
    reference : array_like, shape (n,)
    size : int
        Of the current sample, m.

    References
    ----------
    Yurdakul & Naranjo 2020, Journal of Risk Model Validation 14(4).

    Examples
    --------
    One degree of freedom: 3.84 (1 / 40 + 1 / 40).

    >>> round(psi_chance_limit([1] * 30 + [0] * 10, 40), 4)
    0.1921
    """
    old = _sample(reference, "the reference")
    return _chance_limit(_classes(old, old)[2], old.size, size)


def mmd(
    name: str, reference: npt.ArrayLike, current: npt.ArrayLike, *, permutations: int = PERMUTATIONS, seed: int = 1
) -> tuple[Estimate, float | None]:
    """Return the squared maximum mean discrepancy, unbiased, with its permutation p-value.

    The kernel is Gaussian, its width the median distance of two patients (the mean where the median is 0). The estimate may be
    negative when nothing has moved. Of a sample of more than 500, 500 drawn at random stand for it: they keep its law, so that the p-value
    stays valid.

    Parameters
    ----------
    name : str
        For example ``"mmd:age"``.
    reference, current : array_like, shape (n,) and (m,)
    permutations : int
    seed : int

    Returns
    -------
    tuple of Estimate and float
        ``not_available`` and None with fewer than two values in either sample; all values alike give 0 and p = 1.

    References
    ----------
    Gretton et al. 2012, eq. 3, JMLR 13:723-773; p-value: Phipson & Smyth 2010, doi:10.2202/1544-6115.1585.

    Examples
    --------
    Distances 0, 0 and 1, the median of the six being 1: ``1 + 1 - 2 exp(-1 / 2)``.

    >>> found, _ = mmd("mmd:x", [0, 0], [1, 1])
    >>> round(found.value, 9) == round(2 - 2 * float(np.exp(-0.5)), 9)
    True
    """
    rng = np.random.default_rng(seed)
    whole = [_sample(values, name) for values in (reference, current)]
    old, new = (_thinned(sample, rng) for sample in whole)
    if min(old.size, new.size) < 2:
        return not_available(name, f"{new.size} values against {old.size}; at least two in each are needed", n=new.size), None
    kernel = _kernel(np.concatenate([old, new]))
    belongs = np.zeros((permutations + 1, old.size + new.size))
    belongs[:, : old.size] = 1
    belongs[1:] = rng.permuted(belongs[1:], axis=1)
    values = _discrepancies(kernel, belongs.T, old.size, new.size)
    p = float((1 + (values[1:] >= values[0] - 1e-12).sum()) / (1 + permutations))
    method = f"unbiased squared MMD, Gaussian kernel, median distance (Gretton 2012); p by {permutations} permutations"
    if max(sample.size for sample in whole) > MOST:
        method += f"; {MOST} values drawn at random from each larger sample"
    return Estimate(name, float(values[0]), n=int(np.size(current)), method=method, reason=NO_INTERVAL), p


def cusum(truth: npt.ArrayLike, risks: npt.ArrayLike, *, limit: float | None = None) -> Cusum:
    """Return the running sum of outcome minus risk, which wanders about 0 as long as the risks are right.

    Parameters
    ----------
    truth : array_like, shape (n,), 0 or 1
        In the order in which outcomes were entered.
    risks : array_like, shape (n,), in [0, 1]
    limit : float, optional
        In events, declared in advance; None where none was.

    Raises
    ------
    BadInput
        For a risk outside [0, 1] or a truth other than 0 or 1.

    References
    ----------
    Grigg, Farewell & Spiegelhalter 2003, doi:10.1177/096228020301200205.

    Examples
    --------
    >>> found = cusum([1, 1, 0], [0.25, 0.5, 0.5], limit=1)
    >>> found.path, found.crossed_at
    ((0.75, 1.25, 0.75), 2)
    """
    if np.size(truth) == 0:
        return Cusum((), limit)
    rows = judged_risks(truth, risks)
    path = np.cumsum(rows.truth - rows.scores[0])
    beyond = np.flatnonzero(np.abs(path) > limit) if limit is not None else np.array([], dtype=int)
    return Cusum(tuple(path.tolist()), limit, int(beyond[0]) + 1 if beyond.size else None)


def drift_by_input(
    reference: Mapping[str, npt.ArrayLike], current: Mapping[str, npt.ArrayLike], *, psi_alert: float, seed: int = 1
) -> tuple[InputDrift, ...]:
    """Return the drift of every input that the reference holds.

    Parameters
    ----------
    reference, current : mapping of input to array_like
    psi_alert, seed
        As :func:`input_drift`.

    Examples
    --------
    >>> [each.psi.status for each in drift_by_input({"age": range(50)}, {"age": []}, psi_alert=0.2)]
    ['not_available']
    """
    return tuple(input_drift(name, reference[name], current.get(name, ()), psi_alert=psi_alert, seed=seed) for name in reference)


def _sample(values: npt.ArrayLike, name: str) -> Floats:
    sample = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if not np.isfinite(sample).all():
        count = int((~np.isfinite(sample)).sum())
        raise BadInput(f"'{name}' holds {count} values that are no finite number; leave them out, and say how many.", item=name)
    return sample


def _classes(reference: Floats, current: Floats) -> tuple[Ints, Ints, int]:
    """Return the class of each value of both samples, and how many classes hold any.

    A place is a value of the reference where it has few, else one of its nine inner tenths. Class 2 i lies before place i and class
    2 i + 1 at it; a tenth that no other tenth falls on is no class of its own and belongs to what lies before it.
    """
    places = np.unique(reference)
    alone = np.ones(places.size, dtype=bool)
    if places.size > FEW_VALUES:
        places, fallen = np.unique(np.quantile(reference, np.arange(1, 10) / 10), return_counts=True)
        alone = fallen > 1
    both = np.concatenate([reference, current])
    low = np.searchsorted(places, both, side="left")
    at = np.searchsorted(places, both, side="right") > low
    at[at] = alone[low[at]]
    used, classes = np.unique(2 * low + at, return_inverse=True)
    return classes[: reference.size], classes[reference.size :], used.size


def _shares(classes: Ints, count: int) -> Floats:
    counts = np.bincount(classes, minlength=count) + 0.5
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _chance_limit(classes: int, n: int, m: int) -> float:
    return float(special.chdtri(max(1, classes - 1), CHANCE) * (1 / n + 1 / m))


def _thinned(sample: Floats, rng: np.random.Generator) -> Floats:
    return sample if sample.size <= MOST else rng.choice(sample, MOST, replace=False)


def _kernel(pooled: Floats) -> Floats:
    distance = np.abs(pooled[:, None] - pooled)
    apart = distance[np.triu_indices(pooled.size, 1)]
    width = float(np.median(apart)) or float(apart.mean()) or 1.0
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2), dtype=np.float64)


def _discrepancies(kernel: Floats, belongs: Floats, n: int, m: int) -> Floats:
    """Return the unbiased squared MMD (Gretton 2012, eq. 3) for each column of memberships, 1 in the first sample and 0 in the second."""
    own = (belongs * (kernel @ belongs)).sum(axis=0)
    to_all = kernel.sum(axis=1) @ belongs
    across = to_all - own
    other = kernel.sum() - 2 * to_all + own
    return np.asarray((own - n) / (n * (n - 1)) + (other - m) / (m * (m - 1)) - 2 * across / (n * m), dtype=np.float64)
