"""Would the same patient get the same number again? Agreement of repeated measurements, and with somebody else's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onclair.core.errors import BadInput
from onclair.core.estimate import Estimate, not_available
from onclair.validate.rows import Floats


def icc(name: str, values: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return the intraclass correlation ICC(1, 1): one measurement, any rater, absolute agreement.

    Parameters
    ----------
    name : str
        For example ``"icc:model"``.
    values : array_like, shape (n, k)
        The k measurements of each of n patients.

    Returns
    -------
    Estimate
        With its exact interval under normality; ``not_available`` for fewer than three patients, one measurement each, missing values
        or no spread.

    Raises
    ------
    BadInput
        When `values` is no table.

    References
    ----------
    Shrout & Fleiss 1979, doi:10.1037/0033-2909.86.2.420, Case 1; interval: McGraw & Wong 1996, doi:10.1037/1082-989X.1.1.30, Table 7.

    Examples
    --------
    Shrout and Fleiss's own table:

    >>> table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> icc("icc:model", table).text()
    '0.17 (-0.13 to 0.72)'
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2:
        raise BadInput(f"The measurements of '{name}' have shape {table.shape}; one row a patient, one column a measurement.")
    n, k = table.shape
    if n < 3 or k < 2 or not np.isfinite(table).all():
        return not_available(name, f"{n} patients with {k} measurements each, all known, are too few", n=n)
    means = table.mean(axis=1)
    between = k * float(((means - means.mean()) ** 2).sum()) / (n - 1)
    within = float(((table - means[:, None]) ** 2).sum()) / (n * (k - 1))
    if between + within == 0:
        return not_available(name, "the measurements do not vary", n=n)
    value = (between - within) / (between + (k - 1) * within)
    method = f"ICC(1,1), Shrout & Fleiss 1979, {k} measurements a patient; exact interval, McGraw & Wong 1996"
    if within == 0:
        return Estimate(name, 1.0, level=level, n=n, method=method, reason="the measurements agree exactly, so there is no interval")
    low, high = _ends(between / within, n, k, level)
    return Estimate(name, value, low=low, high=high, level=level, n=n, method=method)


def _ends(ratio: float, n: int, k: int, level: float) -> tuple[float, float]:
    from scipy import special

    tail = 1 - (1 - level) / 2
    lower = ratio / float(special.fdtri(n - 1, n * (k - 1), tail))
    upper = ratio * float(special.fdtri(n * (k - 1), n - 1, tail))
    return (lower - 1) / (lower + k - 1), (upper - 1) / (upper + k - 1)


def concordance(name: str, ours: npt.ArrayLike, theirs: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Return Lin's concordance correlation coefficient of two measurements of the same patients.

    Parameters
    ----------
    name : str
        For example ``"ccc:feature:stat_max"``.
    ours, theirs : array_like, shape (n,)

    Returns
    -------
    Estimate
        With its interval on Fisher's z; ``not_available`` for fewer than three patients or where nothing varies.

    Raises
    ------
    BadInput
        When lengths differ.

    References
    ----------
    Lin 1989, doi:10.2307/2532051, with the corrected variance of Biometrics 2000;56:324.

    Examples
    --------
    >>> concordance("ccc:feature:x", [1, 2, 3, 4], [2, 3, 4, 5]).value.__round__(4)
    0.7143
    """
    x, y = np.asarray(ours, dtype=np.float64).ravel(), np.asarray(theirs, dtype=np.float64).ravel()
    if x.shape != y.shape:
        raise BadInput(f"{x.size} values stand beside {y.size}; give one of each a patient.")
    n = x.size
    if n < 3 or np.ptp(x) == 0 or np.ptp(y) == 0 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return not_available(name, f"{n} patients are too few, or a value is missing or does not vary", n=n)
    shared = float(((x - x.mean()) * (y - y.mean())).mean())
    value = 2 * shared / (float(x.var()) + float(y.var()) + (float(x.mean()) - float(y.mean())) ** 2)
    rho = shared / float(np.sqrt(x.var() * y.var()))
    method = "Lin's concordance correlation, 1989; interval on Fisher's z"
    se = _lin_error(value, rho, (x, y))
    if abs(value) >= 1 - 1e-12 or se is None:
        return Estimate(name, value, level=level, n=n, method=method, reason="both agree exactly, or too few patients for an interval")
    from scipy import special

    reach = float(special.ndtri(1 - (1 - level) / 2)) * se
    low, high = np.tanh(np.arctanh(value) - reach), np.tanh(np.arctanh(value) + reach)
    return Estimate(name, value, low=float(low), high=float(high), level=level, n=n, method=method)


def _lin_error(ccc: float, rho: float, values: tuple[Floats, Floats]) -> float | None:
    """Return the standard error of atanh of the coefficient (Lin 1989, eq. 2.6)."""
    x, y = values
    n = x.size
    if abs(ccc) >= 1 - 1e-12 or rho == 0 or n < 4:
        return None
    u2 = (float(x.mean()) - float(y.mean())) ** 2 / float(np.sqrt(x.var() * y.var()))
    first = (1 - rho**2) * ccc**2 / ((1 - ccc**2) * rho**2)
    second = 2 * ccc**3 * (1 - ccc) * u2 / (rho * (1 - ccc**2) ** 2)
    third = ccc**4 * u2**2 / (2 * rho**2 * (1 - ccc**2) ** 2)
    variance = (first + second - third) / (n - 2)
    return float(np.sqrt(variance)) if variance > 0 else None
