"""Does the promise hold, and where? The law that coverage follows, coverage with its interval, and a test in each centre."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.learn.conformal.threshold import SLACK, check_alpha

Floats = npt.NDArray[np.float64]

#: Fewer patients than this in a centre are shown with a caution.
FEW = 10
#: Variance of shares that rounding alone may leave; below it they are all alike.
ROUNDING = 1e-12
_METHOD = "share of patients; Wilson 1927, effective number of patients by Korn & Graubard 1998"


@dataclass(frozen=True, slots=True)
class CoverageLaw:
    """How the coverage of sets calibrated on n patients varies from one calibration sample to the next: Beta(k, n + 1 - k).

    Attributes
    ----------
    patients, rank : int
        n, and the rank k = ceil((n + 1)(1 - alpha)) of the threshold; k = n + 1 stands for full sets.
    mean, sd : float
    low, high : float
        What 95 of 100 calibration samples would give (or the level that was asked for).
    """

    patients: int
    rank: int
    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Exchangeability:
    """Whether one centre is covered as patients exchangeable with the calibration patients would be.

    Attributes
    ----------
    centre : str
    coverage : Estimate
    p : float or None
        Chance of coverage this low or lower under exchangeability; one-sided, since the harm lies below.
    adjusted : float or None
        The same after Holm's correction over the centres tested.
    reason : str or None
        Why there is no p.
    """

    centre: str
    coverage: Estimate
    p: float | None
    adjusted: float | None = None
    reason: str | None = None

    def holds(self, level: float = 0.95) -> bool | None:
        """Return whether nothing speaks against exchangeability at this level; None where it could not be tested.

        Examples
        --------
        >>> Exchangeability("4", not_available("coverage:conformal:centre=4", "no row"), 0.001, 0.004).holds()
        False
        """
        return None if self.adjusted is None else self.adjusted >= 1 - level


def coverage_law(patients: int, alpha: float, level: float = 0.95) -> CoverageLaw:
    """Return the law of the coverage, with one row a patient and misfits without ties (with ties it is higher).

    Parameters
    ----------
    patients : int
        That the threshold was calibrated on.
    alpha : float, in (0, 1)
    level : float

    References
    ----------
    Vovk 2012, proposition 2a, doi:10.1007/s10994-013-5355-6; Angelopoulos & Bates 2023, section 3.2, doi:10.1561/2200000101.

    Examples
    --------
    >>> law = coverage_law(200, 0.1)
    >>> law.rank, round(law.mean, 4), round(law.sd, 4)
    (181, 0.9005, 0.0211)
    """
    check_alpha(alpha)
    rank = math.ceil((patients + 1) * (1 - alpha) - SLACK)
    if rank > patients:
        return CoverageLaw(patients, patients + 1, 1.0, 0.0, 1.0, 1.0)
    a, b = rank, patients + 1 - rank
    sd = math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    low, high = (float(special.betaincinv(a, b, q)) for q in ((1 - level) / 2, (1 + level) / 2))
    return CoverageLaw(patients, rank, a / (a + b), sd, low, high)


def coverage(covered: npt.ArrayLike, patients: npt.ArrayLike, *, name: str = "coverage:conformal", level: float = 0.95) -> Estimate:
    """Return the share of patients whose set holds the truth, each patient weighing the same.

    Parameters
    ----------
    covered : array_like, bool, shape (n,)
        Of rows that had no part in the calibration.
    patients : array_like, shape (n,)
        A patient with several rows counts by the share of them that is covered.
    name : str
        Of the estimate.
    level : float

    Returns
    -------
    Estimate
        Wilson's interval on ``p (1 - p) / Var(p)`` effective patients, or on the patients themselves where all have the same share: then
        there is no standard error. ``not_available`` without rows, ``too_few`` under 10 patients.

    Raises
    ------
    BadInput
        For unequal lengths.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953; Korn & Graubard 1998, Survey Methodology 24:193-201.

    Examples
    --------
    >>> coverage([True] * 9 + [False], range(10)).text()
    '0.90 (0.60 to 0.98)'

    Twelve patients with three rows each, all covered: as sure as twelve patients can be, 12 / (12 + 1.96**2).

    >>> coverage([True] * 36, [i % 12 for i in range(36)]).text()
    '1.00 (0.76 to 1.00)'
    """
    share, _ = _by_patient(covered, patients)
    if not share.size:
        return not_available(name, "there is no row to count")
    value, count = min(1.0, float(share.mean())), share.size
    spread = float(share.var())
    varies = spread > ROUNDING
    effective = count * value * (1 - value) / spread if varies else float(count)
    low, high = _wilson(value, effective, float(special.ndtri((1 + level) / 2)))
    found = Estimate(
        name, value, low=low, high=high, level=level, se=math.sqrt(spread / count) if varies else None, n=count, method=_METHOD
    )
    if count < FEW:
        return replace(found, status="too_few", reason=f"{count} patients are too few to judge a coverage; at least {FEW} are needed")
    return found


def exchangeable_by_centre(
    covered: npt.ArrayLike,
    patients: npt.ArrayLike,
    centres: npt.ArrayLike,
    law: CoverageLaw,
    *,
    who: str = "conformal",
    level: float = 0.95,
) -> tuple[Exchangeability, ...]:
    """Return coverage in each centre, and whether its patients could be exchangeable with those of the calibration.

    Parameters
    ----------
    covered : array_like, bool, shape (n,)
        Of rows that had no part in the calibration.
    patients, centres : array_like, shape (n,)
        A patient belongs to one centre.
    law : CoverageLaw
        Of the sets, from :func:`coverage_law`.
    who : str
        In the estimates' names, ``coverage:WHO:centre=NAME``.
    level : float
        Of the intervals.

    Returns
    -------
    tuple of Exchangeability
        In order of name. With one row a patient, the number covered among m new patients is beta-binomial (m; k, n + 1 - k) under
        exchangeability, whatever the model: the test is exact. Where rows repeat, a normal approximation with the spread between
        patients and that of the law is used, from 10 patients on. Ties in the misfit make either test cautious.

    Raises
    ------
    BadInput
        For unequal lengths, or a patient in two centres.

    References
    ----------
    Angelopoulos & Bates 2023, section 3.2 and appendix C (the beta-binomial law), doi:10.1561/2200000101; Holm 1979,
    https://www.jstor.org/stable/4615733.

    Examples
    --------
    Three of ten covered where nine were promised:

    >>> one = exchangeable_by_centre([True] * 3 + [False] * 7, range(10), ["4"] * 10, coverage_law(99, 0.1))[0]
    >>> one.coverage.name, one.coverage.text(), one.holds()
    ('coverage:conformal:centre=4', '0.30 (0.11 to 0.60)', False)
    """
    held, names, where = np.asarray(covered, dtype=bool), np.asarray(patients).astype(str), np.asarray(centres).astype(str)
    if not held.shape == names.shape == where.shape:
        raise BadInput(f"{held.size} rows, {names.size} patients and {where.size} centres were given; give one of each a row.")
    pairs = np.unique(np.column_stack([names, where]), axis=0) if held.size else np.empty((0, 2), dtype=str)
    twice, count = np.unique(pairs[:, 0], return_counts=True)
    if (count > 1).any():
        one = str(twice[count > 1][0])
        raise BadInput(f"Patient {one} appears in two centres; a patient belongs to one: correct the table.", item=one)
    found = [_tested(c, held[where == c], names[where == c], law, (who, level)) for c in sorted(set(where.tolist()))]
    return _adjusted(found)


def _tested(
    centre: str, covered: npt.NDArray[np.bool_], patients: npt.NDArray[np.str_], law: CoverageLaw, said: tuple[str, float]
) -> Exchangeability:
    who, level = said
    estimate = coverage(covered, patients, name=f"coverage:{who}:centre={centre}", level=level)
    share, repeats = _by_patient(covered, patients)
    if law.rank > law.patients:
        reason = f"{law.patients} patients calibrated nothing: every set is full, so coverage says nothing"
        return Exchangeability(centre, estimate, None, reason=reason)
    if not repeats:
        return Exchangeability(centre, estimate, _beta_binomial_cdf(int(share.sum().round()), share.size, law))
    if share.size < FEW:
        reason = f"{share.size} patients with several rows are too few for the test; at least {FEW} are needed"
        return Exchangeability(centre, estimate, None, reason=reason)
    spread = math.sqrt(float(share.var(ddof=1)) / share.size + law.sd**2)
    return Exchangeability(centre, estimate, float(special.ndtr((float(share.mean()) - law.mean) / spread)))


def _beta_binomial_cdf(covered: int, patients: int, law: CoverageLaw) -> float:
    """Return P(X <= covered) for X beta-binomial (patients; k, n + 1 - k)."""
    x, a, b = np.arange(covered + 1), law.rank, law.patients + 1 - law.rank
    choose = special.gammaln(patients + 1) - special.gammaln(x + 1) - special.gammaln(patients - x + 1)
    terms = choose + special.betaln(x + a, patients - x + b) - special.betaln(a, b)
    return min(1.0, float(np.exp(special.logsumexp(terms))))


def _adjusted(found: Sequence[Exchangeability]) -> tuple[Exchangeability, ...]:
    """Return the tests with Holm's step-down correction over those that could be made."""
    tested = sorted((i for i, one in enumerate(found) if one.p is not None), key=lambda i: (found[i].p, i))
    answer, worst = list(found), 0.0
    for step, i in enumerate(tested):
        worst = max(worst, min(1.0, (len(tested) - step) * float(found[i].p or 0.0)))
        answer[i] = replace(found[i], adjusted=worst)
    return tuple(answer)


def _by_patient(covered: npt.ArrayLike, patients: npt.ArrayLike) -> tuple[Floats, bool]:
    """Return each patient's share of covered rows, and whether any patient has several rows."""
    held, names = np.asarray(covered, dtype=np.float64), np.asarray(patients)
    if held.shape != names.shape or held.ndim != 1:
        raise BadInput(f"{held.size} rows and {names.size} patients were given; name the patient of each row.")
    known, who = np.unique(names, return_inverse=True)
    rows = np.bincount(who, minlength=known.size)
    # a quotient of two counts: a sum of 1 / rows would not be 1 where everything is covered
    return np.asarray(np.bincount(who, weights=held, minlength=known.size) / rows, dtype=np.float64), known.size < held.size


def _wilson(share: float, n: float, z: float) -> tuple[float, float]:
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, min(middle - reach, share)), min(1.0, max(middle + reach, share))
